//! What the runtime takes of flash: an inference with the operators of a keyword-spotting network (convolutions, average
//! pool, fully connected, softmax) and nothing else. `cargo xtask size` subtracts what `baseline` takes.
#![no_std]
#![no_main]

use core::hint::black_box;

use secateur::kernels::{self, KernelSet};
use secateur::{Arena, Model, Session};
use secateur_boards::board::{self, Exit};
use secateur_boards::flash;

/// As the converter chooses packings for the board's core.
#[cfg(dsp)]
static KERNELS: KernelSet = KernelSet(&[
    &kernels::conv2d_lanes::OPERATOR,
    &kernels::depthwise_conv2d_row_pairs::OPERATOR,
    &kernels::average_pool2d::OPERATOR,
    &kernels::fully_connected_lanes::OPERATOR,
    &kernels::softmax::OPERATOR,
]);
/// As the converter chooses packings for the board's core.
#[cfg(not(dsp))]
static KERNELS: KernelSet = KernelSet(&[
    &kernels::conv2d::OPERATOR,
    &kernels::depthwise_conv2d::OPERATOR,
    &kernels::average_pool2d::OPERATOR,
    &kernels::fully_connected::OPERATOR,
    &kernels::softmax::OPERATOR,
]);

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<1024> = Arena::new();

    board::init();
    let Ok(model) = Model::load(flash::model_region(), &KERNELS) else { board::exit(Exit::Failure) };
    let Ok(mut session) = Session::new(&model, ARENA) else { board::exit(Exit::Failure) };
    if let Ok(input) = session.input_mut::<i8>(0) {
        black_box(input).fill(1);
    }
    session.run();
    black_box(session.output::<i8>(0)).ok();
    board::exit(Exit::Success)
}

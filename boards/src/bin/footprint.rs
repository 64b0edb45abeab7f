//! What an inference takes of flash and RAM: a model with its operators and nothing else.
//!
//! The build is told the model's Rust module by `SECATEUR_MODEL` (see `build.rs`). `cargo xtask size` subtracts the model
//! and what `baseline` takes. The standard output has the lines `arena BYTES` and `stack BYTES`.
#![no_std]
#![no_main]

use core::hint::black_box;

use secateur::{Arena, Model, Session};
use secateur_boards::board::{self, Exit};
use secateur_boards::{host, stack};

mod model {
    include!(env!("SECATEUR_MODEL"));
}

#[cortex_m_rt::entry]
fn main() -> ! {
    // The attribute hands it over as the one reference to it.
    static mut ARENA: Arena<{ model::ARENA_LEN }> = Arena::new();

    board::init();
    let (done, stack) = stack::measure(|| infer(ARENA));
    host::print("arena", model::ARENA_LEN);
    host::print("stack", stack);
    board::exit(if done.is_some() { Exit::Success } else { Exit::Failure })
}

fn infer(arena: &mut [u8]) -> Option<()> {
    let model = Model::load(model::MODEL.bytes(), &model::KERNELS).ok()?;
    let mut session = Session::new(&model, arena).ok()?;
    black_box(session.input_bytes_mut(0).ok()?).fill(1);
    session.run();
    black_box(session.output_bytes(0)).ok()?;
    Some(())
}

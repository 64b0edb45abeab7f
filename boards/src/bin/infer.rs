//! The example to copy from: a model in flash, an arena of exactly its size, one image, the answer in the log.
//!
//! `models/` holds the model with its Rust module, both written by `secateur convert`, and a test image.
#![no_std]
#![no_main]

#[path = "../../models/fashion_dscnn.rs"]
mod model;

use model::{ARENA_LEN, KERNELS, LABELS, MODEL};
use secateur::{Arena, Model, Session};
use secateur_boards::board::{self, Exit};
use secateur_boards::stack;

/// An ankle boot, the first image of the test set, quantized as the model's input wants it.
static IMAGE: &[u8; 28 * 28] = include_bytes!("../../models/image.bin");

#[cortex_m_rt::entry]
fn main() -> ! {
    // The attribute hands it over as the one reference to it.
    static mut ARENA: Arena<ARENA_LEN> = Arena::new();

    board::init();
    let Ok(model) = Model::load(MODEL.bytes(), &KERNELS) else {
        defmt::error!("the model does not load");
        board::exit(Exit::Failure)
    };
    let Ok(mut session) = Session::new(&model, ARENA) else {
        defmt::error!("the arena does not suffice");
        board::exit(Exit::Failure)
    };
    if let Ok(input) = session.input_mut::<i8>(0) {
        for (to, &from) in input.iter_mut().zip(IMAGE) {
            *to = from as i8;
        }
    }
    session.run();
    let scores = session.output::<i8>(0).unwrap_or_default();
    let best = scores.iter().enumerate().max_by_key(|(_, score)| **score);
    let label = best.and_then(|(class, _)| LABELS.get(class)).copied().unwrap_or("nothing");
    defmt::info!("scores {}", scores);
    defmt::info!("this is: {=str}", label);
    defmt::info!("arena {=usize} bytes, stack {=usize} bytes", model.arena_len(), stack::high_water());
    board::exit(Exit::Success)
}

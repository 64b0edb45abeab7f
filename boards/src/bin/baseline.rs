//! What a firmware takes of flash without the runtime: see `footprint`.
#![no_std]
#![no_main]

use core::hint::black_box;

use secateur_boards::board::{self, Exit};
use secateur_boards::flash;

#[cortex_m_rt::entry]
fn main() -> ! {
    board::init();
    let exit = if black_box(flash::model_region()).is_empty() { Exit::Failure } else { Exit::Success };
    board::exit(exit)
}

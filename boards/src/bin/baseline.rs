//! What a firmware takes of flash without the runtime: see `footprint`.
#![no_std]
#![no_main]

use core::hint::black_box;

use secateur_boards::board::{self, Exit};
use secateur_boards::{host, stack};

#[cortex_m_rt::entry]
fn main() -> ! {
    board::init();
    let (done, stack) = stack::measure(|| black_box(Some(())));
    host::print("arena", 0);
    host::print("stack", stack);
    board::exit(if done.is_some() { Exit::Success } else { Exit::Failure })
}

//! Ends as its command line says, so that a test can see what the host makes of each ending.
#![no_std]
#![no_main]

use secateur_boards::board::{self, Exit};
use semihosting::experimental::env;

#[cortex_m_rt::entry]
fn main() -> ! {
    board::init();
    let Ok(words) = env::args::<64>() else { board::exit(Exit::Failure) };
    match (&words).nth(1) {
        Some(Ok("success")) => board::exit(Exit::Success),
        Some(Ok("panic")) => panic!("as asked"),
        Some(Ok("fault")) => cortex_m::asm::udf(),
        Some(Ok("hang")) => loop {
            cortex_m::asm::nop();
        },
        _ => board::exit(Exit::Failure),
    }
}

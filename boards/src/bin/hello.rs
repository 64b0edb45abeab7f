//! Shows that a board starts, logs, sees its model region and ends.
#![no_std]
#![no_main]

use secateur_boards::board::{self, Exit};
use secateur_boards::{flash, stack};

#[cortex_m_rt::entry]
fn main() -> ! {
    board::init();
    defmt::info!("hello from {=str}", board::NAME);
    let model = flash::model_region();
    defmt::info!("model region: {=usize} bytes, begins {=[u8]:02x}", model.len(), &model[..4]);
    defmt::info!("stack: {=usize} of {=usize} bytes used", stack::high_water(), stack::room());
    board::exit(Exit::Success)
}

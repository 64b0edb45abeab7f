//! Runs the model in the model region on its reference input, with marks for the cycle profiler.
//!
//! Region 0 is a whole run without an observer. In a second run each pass through region 1 is a node, in their order. A
//! third one, unmarked, compares the results with the reference. The standard output has the lines `arena BYTES` and
//! `stack BYTES`: what loading the model and the first run took.
#![no_std]
#![no_main]

use secateur::format::Node;
use secateur::{Arena, Model, Observer, Session, kernels, self_check};
use secateur_boards::board::{self, Exit};
use secateur_boards::{flash, host, region, stack};

/// The whole run.
const RUN: u8 = 0;
/// A node.
const NODE: u8 = 1;

/// Seed of the input that is profiled.
const SEED: u32 = 1;

/// All of RAM but what other variables and the stack take.
const ARENA: usize = board::RAM - 4 * 1024;

struct Regions;

impl Observer for Regions {
    fn before(&mut self, _: u16, _: &Node<'_>) {
        region::enter::<NODE>();
    }

    fn after(&mut self, _: u16, _: &Node<'_>, _: &[u8]) {
        region::leave::<NODE>();
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    // The attribute hands it over as the one reference to it.
    static mut MEMORY: Arena<ARENA> = Arena::new();

    board::init();
    match profile(MEMORY) {
        Ok(()) => board::exit(Exit::Success),
        Err(reason) => {
            board::complain(reason);
            board::exit(Exit::Failure)
        }
    }
}

fn profile(arena: &mut [u8]) -> Result<(), &'static str> {
    let (loaded, stack) = stack::measure(|| {
        let model = Model::load(flash::model_region(), &kernels::ALL).ok()?;
        let mut session = Session::new(&model, &mut *arena).ok()?;
        self_check::fill_reference_inputs(&mut session, SEED);
        region::enter::<RUN>();
        session.run();
        region::leave::<RUN>();
        Some(model)
    });
    let model = loaded.ok_or("the model does not load, or needs more RAM than there is\n")?;
    host::print("arena", model.arena_len());
    host::print("stack", stack);

    let mut session = Session::new(&model, arena).map_err(|_| "the engine does not start\n")?;
    self_check::fill_reference_inputs(&mut session, SEED);
    session.run_observed(&mut Regions);
    self_check::self_check(&mut session).map_err(|_| "the results differ from the reference\n")
}

//! Runs the model in the model region once on its reference input, every node a region of the profiler.
//!
//! Region 63 is the whole run, region `n` is node `n`; nodes from 63 on count towards the run only.
#![no_std]
#![no_main]

use secateur::format::Node;
use secateur::{Arena, Model, Observer, Session, kernels, self_check};
use secateur_boards::board::{self, Exit};
use secateur_boards::{flash, region};

/// The whole run.
const RUN: usize = 63;

struct Regions;

impl Observer for Regions {
    fn before(&mut self, index: u16, _: &Node<'_>) {
        if usize::from(index) != RUN {
            region::begin(index.into());
        }
    }

    fn after(&mut self, index: u16, _: &Node<'_>, _: &[u8]) {
        if usize::from(index) != RUN {
            region::end(index.into());
        }
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    // The attribute hands it over as the one reference to it.
    static mut ARENA: Arena<{ 128 * 1024 }> = Arena::new();

    board::init();
    let Ok(model) = Model::load(flash::model_region(), &kernels::ALL) else {
        board::complain("the model does not load\n");
        board::exit(Exit::Failure)
    };
    let Ok(mut session) = Session::new(&model, ARENA) else {
        board::complain("the arena does not suffice\n");
        board::exit(Exit::Failure)
    };
    self_check::fill_reference_inputs(&mut session, 1);
    region::begin(RUN);
    session.run();
    region::end(RUN);
    self_check::fill_reference_inputs(&mut session, 1);
    session.run_observed(&mut Regions);
    if self_check::self_check(&mut session).is_err() {
        board::complain("the results differ from the reference\n");
        board::exit(Exit::Failure)
    }
    board::exit(Exit::Success)
}

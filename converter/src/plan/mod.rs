//! The memory planner: an order for the steps of a network, and a place in one arena for everything they use.
//!
//! It knows nothing of operators or tensors. A [`Problem`] lists steps with the buffers that they read and write; a
//! [`Plan`] says in which order the steps run, at which offset each buffer and each step's scratch lies, and which
//! outputs overwrite an input. [`plan()`] makes one, [`verify()`] checks one by other means, [`render()`] draws one.
//!
//! # How it works
//!
//! 1. `dataflow` checks the problem and derives who waits for whom.
//! 2. `order` finds orders by rules of thumb, and `order_search` the one with the lowest peak if it can be had in
//!    time.
//! 3. Per order, `in_place` picks the in-place pairs, `lifetime` the lower bound, `block` what is placed.
//! 4. `place` places by a number of rules, and `improve` searches on from there while the bound is not reached.
//! 5. The smallest arena wins; of equals the one found first, which has fewer in-place pairs.
//!
//! All of it is deterministic, and bounded by counts of work, not by the clock.
//!
//! # Lower bound
//!
//! [`Plan::lower_bound`] is the most bytes alive in one slot of time under the plan's own order and in-place pairs;
//! `lifetime.rs` defines slots and lifetimes. No placement can be smaller. [`Plan::smallest_bound`] is the smallest
//! such number over all orders tried, and over all orders that exist if [`Plan::order_proved`].

mod block;
mod choose;
mod dataflow;
mod frontier;
mod improve;
mod in_place;
mod lifetime;
mod order;
mod order_search;
mod place;
mod problem;
mod render;
mod verify;

#[cfg(test)]
mod tests;

pub use choose::plan;
pub use order::OrderRule;
pub use place::{Fit, PlacementRule};
pub use problem::{ALIGN, Buffer, InPlace, Label, Problem, ProblemError, Step};
pub use render::{render, render_chart};
pub use verify::{PlanError, verify};

/// Where everything lies and when everything runs. Indices are those of the [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps in the order in which they run.
    pub order: Vec<usize>,
    /// For each buffer its offset in the arena, a multiple of [`ALIGN`]; none for a buffer that nothing uses.
    pub offsets: Vec<Option<u32>>,
    /// For each step the offset of its scratch; none for a step without scratch.
    pub scratch_offsets: Vec<Option<u32>>,
    /// The in-place pairs taken, in the order in which they happen.
    pub shared: Vec<SharedPlace>,
    /// Size of the arena, a multiple of [`ALIGN`].
    pub arena_bytes: u32,
    /// The most bytes alive at once under this order and these pairs.
    pub lower_bound: u32,
    /// The smallest lower bound of the orders tried.
    pub smallest_bound: u32,
    /// Whether no order at all has a smaller bound than `smallest_bound`.
    pub order_proved: bool,
    /// How the order was found.
    pub order_rule: OrderRule,
    /// How the offsets were found.
    pub placement_rule: PlacementRule,
}

/// At this step, `write` lies where `read` lay, and takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedPlace {
    /// The step that reads the one and writes the other.
    pub step: usize,
    /// The buffer that is overwritten.
    pub read: usize,
    /// The buffer that overwrites it.
    pub write: usize,
}

impl Plan {
    /// How much larger the arena is than the lower bound, as a fraction of the bound; 0 for an empty arena.
    pub fn excess(&self) -> f64 {
        match self.lower_bound {
            0 => 0.0,
            bound => f64::from(self.arena_bytes) / f64::from(bound) - 1.0,
        }
    }
}

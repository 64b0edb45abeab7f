//! Orders in which the steps can run: quick rules of thumb, and the exact search where it ends in time.

use std::fmt;

use super::dataflow::Dataflow;
use super::frontier::{Effect, Frontier};
use super::order_search::{self, Outcome};

/// How an order was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderRule {
    /// The order of the problem's list.
    AsGiven,
    /// All that one step needs before anything else, from the last steps back, reads from the first.
    DepthFirst,
    /// The same, reads from the last.
    DepthFirstReversed,
    /// Steps as they become ready.
    BreadthFirst,
    /// Always the ready step that leaves the least alive.
    LeastAfter,
    /// Always the ready step that has the least alive while it runs.
    LeastDuring,
    /// The search of all orders for the lowest peak.
    Searched,
}

impl fmt::Display for OrderRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsGiven => "as given",
            Self::DepthFirst => "depth first",
            Self::DepthFirstReversed => "depth first, reversed",
            Self::BreadthFirst => "breadth first",
            Self::LeastAfter => "least live after",
            Self::LeastDuring => "least live during",
            Self::Searched => "searched",
        })
    }
}

/// An order that contains each step once, writers before readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) rule: OrderRule,
    pub(super) steps: Vec<usize>,
    /// The most bytes alive in one slot when all in-place pairs are taken.
    pub(super) peak: u64,
}

/// The orders worth trying, each once, lowest peak first.
pub(super) struct Orders {
    pub(super) orders: Vec<Order>,
    /// Whether no other order has a lower peak than the first.
    pub(super) proved: bool,
}

/// Work after which a rule of thumb gives up, in readers of buffers looked at: a fraction of a second.
const RULE_WORK: usize = 20_000_000;

/// Finds orders, none if there is no possible one. `floor` is a peak that no order can go below.
pub(super) fn orders(flow: &Dataflow, floor: u64) -> Orders {
    let given: Vec<usize> = (0..flow.step_count()).collect();
    let candidates = [
        (OrderRule::AsGiven, given),
        (OrderRule::DepthFirst, depth_first(flow, false)),
        (OrderRule::DepthFirstReversed, depth_first(flow, true)),
        (OrderRule::BreadthFirst, flow.breadth_first()),
        (
            OrderRule::LeastAfter,
            greedy(flow, |before, effect| (effect.after.saturating_sub(before), effect.during)),
        ),
        (OrderRule::LeastDuring, greedy(flow, |_, effect| (effect.during, effect.after))),
    ];
    let mut orders: Vec<Order> = Vec::new();
    for (rule, steps) in candidates {
        let known = orders.iter().any(|order| order.steps == steps);
        if let (false, Some(peak)) = (known, peak(flow, &steps, floor)) {
            orders.push(Order { rule, steps, peak });
        }
    }
    orders.sort_by_key(|order| order.peak);
    let lowest = orders.first().map_or(floor, |order| order.peak);
    let mut proved = lowest == floor;
    if !proved {
        let Outcome { found, proved: ended } = order_search::search(flow, floor, lowest);
        proved = ended;
        if let Some((steps, peak)) = found {
            orders.insert(0, Order { rule: OrderRule::Searched, steps, peak });
        }
    }
    Orders { orders, proved }
}

/// The peak of an order, at least `floor`; none if a step is missing, comes before one that it waits for, or the order
/// takes too much work.
fn peak(flow: &Dataflow, steps: &[usize], floor: u64) -> Option<u64> {
    let mut frontier = Frontier::start(flow);
    let mut peak = floor;
    let mut left = RULE_WORK;
    if steps.len() != flow.step_count() {
        return None;
    }
    for &step in steps {
        if !frontier.ready.contains(&step) {
            return None;
        }
        left = left.checked_sub(1 + flow.rivals[step])?;
        let effect = frontier.effect(flow, step);
        peak = peak.max(effect.during);
        frontier.run(flow, step, effect);
    }
    Some(peak)
}

fn depth_first(flow: &Dataflow, reversed: bool) -> Vec<usize> {
    let mut steps = Vec::with_capacity(flow.step_count());
    let mut seen = vec![false; flow.step_count()];
    for last in (0..flow.step_count()).filter(|&step| flow.successors[step].is_empty()) {
        let mut stack = vec![(last, false)];
        while let Some((step, predecessors_done)) = stack.pop() {
            if predecessors_done {
                steps.push(step);
            } else if !std::mem::replace(&mut seen[step], true) {
                stack.push((step, true));
                let waits_for = flow.predecessors[step].iter().map(|&predecessor| (predecessor, false));
                if reversed { stack.extend(waits_for) } else { stack.extend(waits_for.rev()) }
            }
        }
    }
    steps
}

/// Runs the ready step with the smallest key, over and over; the key is made of the bytes alive before and the effect.
/// Ends early where that is too much work.
fn greedy(flow: &Dataflow, key: impl Fn(u64, Effect) -> (u64, u64)) -> Vec<usize> {
    let mut frontier = Frontier::start(flow);
    let mut steps = Vec::with_capacity(flow.step_count());
    let mut left = RULE_WORK;
    loop {
        let Some(rest) = left.checked_sub(frontier.effects_cost(flow)) else { return steps };
        left = rest;
        let effects = frontier.ready.iter().map(|&step| (step, frontier.effect(flow, step)));
        let Some((step, effect)) = effects.min_by_key(|&(_, effect)| key(frontier.live, effect)) else {
            return steps;
        };
        frontier.run(flow, step, effect);
        steps.push(step);
    }
}

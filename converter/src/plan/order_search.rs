//! The search of all orders for the lowest peak.
//!
//! What is alive after some steps depends on which steps they were, not on their order. So the search runs over the
//! sets of steps that can have run (closed under "waits for"), best first: of the known sets it goes on from the one
//! reached with the lowest peak, and among equals from the largest one. The first time the full set is taken up,
//! its peak is the lowest of all orders. Two things keep the number of sets small:
//!
//! - A set is kept only with the lowest peak that it was reached with, and only below the best order known before.
//! - A ready step that neither exceeds the peak so far nor leaves more alive than before is run at once: moved to
//!   the front of any order that goes on from here, it raises no later step, because what it reads stays alive for
//!   other readers exactly as long as they need it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::dataflow::Dataflow;
use super::frontier::Frontier;

/// Work after which the search gives up, in words of memory written for the sets and in readers looked at: some tens of
/// milliseconds.
const WORK: usize = 1_500_000;

/// What the search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// An order with its peak, if one with a lower peak than the incumbent was found.
    pub(super) found: Option<(Vec<usize>, u64)>,
    /// Whether the search ended by itself: no order is better than `found`, or else than the incumbent.
    pub(super) proved: bool,
}

struct Node {
    frontier: Frontier,
    peak: u64,
    /// The set this one was reached from, and the steps run since.
    parent: Option<usize>,
    steps: Vec<usize>,
}

/// Looks for an order with a peak below `incumbent`. No order has one below `floor`.
pub(super) fn search(flow: &Dataflow, floor: u64, incumbent: u64) -> Outcome {
    let mut nodes: Vec<Node> = Vec::new();
    let mut queue = BinaryHeap::new();
    let mut lowest: HashMap<Box<[u64]>, u64> = HashMap::new();
    let mut work = 0;
    let mut root = Node { frontier: Frontier::start(flow), peak: floor, parent: None, steps: Vec::new() };
    if !run_free_steps(flow, &mut root, &mut work) {
        return Outcome { found: None, proved: false };
    }
    queue.push((Reverse(root.peak), root.steps.len(), Reverse(0)));
    nodes.push(root);
    while let Some((Reverse(peak), done_count, Reverse(index))) = queue.pop() {
        if done_count == flow.step_count() {
            return Outcome { found: Some((nodes_to_order(&nodes, index), peak)), proved: true };
        }
        let frontier = nodes[index].frontier.clone();
        if lowest.get(&frontier.done).is_some_and(|&known| known < peak) {
            continue;
        }
        work += frontier.effects_cost(flow);
        for &step in &frontier.ready {
            let effect = frontier.effect(flow, step);
            let peak = peak.max(effect.during);
            if peak >= incumbent {
                continue;
            }
            let mut child = Node { frontier: frontier.clone(), peak, parent: Some(index), steps: vec![step] };
            child.frontier.run(flow, step, effect);
            let ended = run_free_steps(flow, &mut child, &mut work);
            work += child.frontier.done.len() + child.frontier.ready.len() + child.steps.len() + 8;
            if work > WORK || !ended {
                return Outcome { found: None, proved: false };
            }
            let known = lowest.entry(child.frontier.done.clone()).or_insert(u64::MAX);
            if peak < *known {
                *known = peak;
                queue.push((Reverse(peak), done_count + child.steps.len(), Reverse(nodes.len())));
                nodes.push(child);
            }
        }
    }
    Outcome { found: None, proved: true }
}

/// Runs every ready step that can do no harm, until there is none; false if that takes too much work.
fn run_free_steps(flow: &Dataflow, node: &mut Node, work: &mut usize) -> bool {
    let Node { frontier, peak, steps, .. } = node;
    let is_free = |frontier: &Frontier, step: usize| {
        let effect = frontier.effect(flow, step);
        (effect.during <= *peak && effect.after <= frontier.live).then_some((step, effect))
    };
    while let Some((step, effect)) = frontier.ready.iter().find_map(|&step| {
        *work += 1 + flow.rivals[step];
        is_free(frontier, step)
    }) {
        frontier.run(flow, step, effect);
        steps.push(step);
        if *work > WORK {
            return false;
        }
    }
    true
}

fn nodes_to_order(nodes: &[Node], last: usize) -> Vec<usize> {
    let mut runs = Vec::new();
    let mut next = Some(last);
    while let Some(index) = next {
        runs.push(&nodes[index].steps);
        next = nodes[index].parent;
    }
    runs.into_iter().rev().flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::problem::{Buffer, Problem, Step};

    /// Branches side by side, each with a wide middle and an end of its own size, and a last step that joins them.
    fn branches(count: u32) -> Problem {
        let mut problem = Problem::default();
        let mut buffer = |bytes| {
            problem.buffers.push(Buffer { bytes, ..Buffer::default() });
            problem.buffers.len() - 1
        };
        let mut ends = Vec::new();
        for branch in 1..=count {
            let (middle, end) = (buffer(400 + 20 * (branch * 7 % 11)), buffer(4 * branch));
            ends.push(end);
            problem.steps.push(Step { writes: vec![middle], ..Step::default() });
            problem.steps.push(Step { reads: vec![middle], writes: vec![end], ..Step::default() });
        }
        let joined = buffer(4);
        problem.buffers[joined].lives_to_end = true;
        problem.steps.push(Step { reads: ends, writes: vec![joined], ..Step::default() });
        problem
    }

    #[test]
    fn the_lowest_peak_is_found_and_proved() {
        let problem = branches(3);
        let flow = Dataflow::new(&problem).expect("the problem is sound");
        // Middles of 540, 460 and 600 bytes with ends of 4, 8 and 12: the widest branch goes first.
        let Outcome { found, proved } = search(&flow, 0, u64::MAX);
        assert_eq!((found, proved), (Some((vec![4, 5, 0, 1, 2, 3, 6], 612)), true));
        assert_eq!(search(&flow, 0, 612), Outcome { found: None, proved: true });
        assert_eq!(search(&flow, 0, 616).found.map(|(_, peak)| peak), Some(612));
    }

    #[test]
    fn a_search_that_takes_too_long_gives_up() {
        let mut problem = branches(0);
        for index in 0..60 {
            problem.buffers.push(Buffer { bytes: 4 + index, lives_to_end: true, ..Buffer::default() });
            let writes = vec![problem.buffers.len() - 1];
            problem.steps.push(Step { writes, scratch_bytes: index * 31 % 53, ..Step::default() });
        }
        let flow = Dataflow::new(&problem).expect("the problem is sound");
        assert_eq!(search(&flow, 0, u64::MAX), Outcome { found: None, proved: false });
    }
}

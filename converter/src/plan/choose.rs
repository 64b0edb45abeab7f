//! The planner itself: tries orders, in-place pairs and placements, and keeps the best.

use super::block::{Block, Owner, blocks};
use super::dataflow::Dataflow;
use super::improve::{Budget, improve};
use super::in_place::choices;
use super::lifetime::{Span, bound_of_all_orders, buffer_spans, live_bytes};
use super::order::{Order, orders};
use super::place::{Placement, PlacementRule, RULES, by_rule};
use super::{Plan, Problem, ProblemError, SharedPlace};

/// Work for the rules of thumb, and for the search after them. The first candidate is placed in any case.
const RULES_WORK: Budget = Budget(20_000_000);
const SEARCH_WORK: Budget = Budget(10_000_000);

/// Most buffers alive, counted once per slot: bounds the pairs that must be kept apart, and what is listed of them.
/// A network of a thousand steps with ten buffers alive at a time has ten thousand.
const MOST_ALIVE: usize = 1 << 20;

/// An order with its in-place pairs, and the best placement of it so far.
struct Candidate<'a> {
    order: &'a Order,
    shared: Vec<SharedPlace>,
    spans: Vec<Option<Span>>,
    blocks: Vec<Block>,
    bound: u64,
    placements: Vec<Placement>,
    best: Placement,
}

/// Plans a problem.
///
/// # Errors
/// A [`ProblemError`] if the problem contradicts itself, is too large to be planned, or if the arena would not fit into 32
/// bits.
pub fn plan(problem: &Problem) -> Result<Plan, ProblemError> {
    let flow = Dataflow::new(problem)?;
    let found = orders(&flow, bound_of_all_orders(&flow));
    let smallest_bound = found.orders.first().map_or(0, |order| order.peak);
    let mut candidates = place_by_rules(&flow, &found.orders, smallest_bound);
    search_on(&mut candidates, smallest_bound);
    let best = candidates.into_iter().min_by_key(|candidate| candidate.best.arena);
    let best =
        best.ok_or_else(|| flow.cycle().unwrap_or(ProblemError::TooManyAlive { limit: MOST_ALIVE }))?;
    to_plan(best, problem, smallest_bound, found.proved)
}

/// Places each order with each choice of pairs by each rule, until one reaches the smallest bound.
fn place_by_rules<'a>(flow: &Dataflow, orders: &'a [Order], smallest_bound: u64) -> Vec<Candidate<'a>> {
    let mut budget = RULES_WORK;
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut smallest = u64::MAX;
    for order in orders {
        let spans = buffer_spans(flow.problem, &order.steps);
        if slots_alive(&spans) > MOST_ALIVE {
            continue;
        }
        for shared in choices(flow, &order.steps, &spans) {
            if order.peak >= smallest || (!candidates.is_empty() && budget.0 == 0) {
                return candidates;
            }
            let live = live_bytes(flow, &order.steps, &spans, &shared);
            let blocks = blocks(flow, &order.steps, &spans, &shared);
            let mut best = by_rule(&blocks, &live, PlacementRule::TwoEnded);
            let mut placements = vec![best.clone()];
            for rule in RULES.into_iter().take_while(|_| budget.spend(&blocks)) {
                let placement = by_rule(&blocks, &live, rule);
                if placement.arena < best.arena {
                    best = placement.clone();
                }
                placements.push(placement);
            }
            let bound = live.into_iter().max().unwrap_or(0);
            smallest = smallest.min(best.arena);
            candidates.push(Candidate {
                order,
                shared,
                spans: spans.clone(),
                blocks,
                bound,
                placements,
                best,
            });
            if smallest <= smallest_bound {
                return candidates;
            }
        }
    }
    candidates
}

/// The buffers alive, counted once per slot.
fn slots_alive(spans: &[Option<Span>]) -> usize {
    spans.iter().flatten().map(|span| span.last - span.first + 1).sum()
}

/// Improves the candidates, the smallest first, while one could still become the best.
fn search_on(candidates: &mut [Candidate], smallest_bound: u64) {
    let mut smallest = candidates.iter().map(|candidate| candidate.best.arena).min().unwrap_or(0);
    let mut turns: Vec<usize> = (0..candidates.len()).collect();
    turns.sort_by_key(|&index| candidates[index].best.arena);
    let mut left = SEARCH_WORK;
    for index in turns {
        let candidate = &mut candidates[index];
        if smallest <= smallest_bound {
            return;
        }
        if candidate.bound < smallest {
            let mut budget = left.take_half();
            let better = improve(&candidate.blocks, &candidate.placements, candidate.bound, &mut budget);
            if let Some(better) = better {
                smallest = smallest.min(better.arena);
                candidate.best = better;
            }
            left.give_back(budget);
        }
    }
}

fn to_plan(
    best: Candidate,
    problem: &Problem,
    smallest_bound: u64,
    order_proved: bool,
) -> Result<Plan, ProblemError> {
    let too_large = |_| ProblemError::TooLarge { bytes: best.best.arena };
    let arena_bytes = u32::try_from(best.best.arena).map_err(too_large)?;
    let spans = best.spans.iter();
    // Buffers without bytes are in no block; they lie at 0.
    let mut offsets: Vec<Option<u32>> = spans.map(|span| span.map(|_| 0)).collect();
    let mut scratch_offsets = vec![None; problem.steps.len()];
    for (block, &offset) in best.blocks.iter().zip(&best.best.offsets) {
        let offset = u32::try_from(offset).map_err(too_large)?;
        for part in &block.parts {
            match part.owner {
                Owner::Buffer(buffer) => offsets[buffer] = Some(offset),
                Owner::Scratch(step) => scratch_offsets[step] = Some(offset),
            }
        }
    }
    Ok(Plan {
        order: best.order.steps.clone(),
        offsets,
        scratch_offsets,
        shared: best.shared,
        arena_bytes,
        lower_bound: u32::try_from(best.bound).map_err(too_large)?,
        smallest_bound: u32::try_from(smallest_bound).map_err(too_large)?,
        order_proved,
        order_rule: best.order.rule,
        placement_rule: best.best.rule,
    })
}

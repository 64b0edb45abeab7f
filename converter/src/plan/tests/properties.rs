//! Properties of plans for random problems.

use std::time::Instant;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::networks::{chains, graphs, networks};
use crate::plan::{Plan, Problem, plan, verify};

/// Plans, checks, and returns the plan.
fn sound(problem: &Problem) -> Result<Plan, TestCaseError> {
    let plan = plan(problem).map_err(|error| TestCaseError::fail(error.to_string()))?;
    verify(problem, &plan).map_err(|error| TestCaseError::fail(format!("{error}: {plan:?}")))?;
    prop_assert!(plan.smallest_bound <= plan.lower_bound);
    prop_assert!(plan.lower_bound <= plan.arena_bytes);
    Ok(plan)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn plans_of_any_graph_are_sound(problem in graphs(30, 3)) {
        sound(&problem)?;
    }

    #[test]
    fn plans_of_networks_are_sound_and_repeatable(problem in networks()) {
        prop_assert_eq!(sound(&problem)?, sound(&problem)?);
    }

    #[test]
    fn chains_reach_the_bound(problem in chains()) {
        let plan = sound(&problem)?;
        prop_assert!(plan.order_proved);
        prop_assert_eq!(plan.arena_bytes, plan.smallest_bound);
    }

    #[test]
    fn proved_bounds_are_those_of_all_orders(problem in graphs(6, 1)) {
        let plan = sound(&problem)?;
        prop_assert!(plan.order_proved);
        prop_assert_eq!(u64::from(plan.smallest_bound), lowest_peak(&problem));
    }
}

/// The lowest peak of all orders of a problem whose steps write one buffer each, by trying them all.
fn lowest_peak(problem: &Problem) -> u64 {
    let used = |buffer: usize, order: &[usize]| {
        problem.buffers[buffer].lives_to_end
            || order.iter().any(|&step| problem.steps[step].reads.contains(&buffer))
    };
    let rounded = |bytes: u32| u64::from(bytes.div_ceil(4)) * 4;
    let sum = |buffers: &mut dyn Iterator<Item = usize>| -> u64 {
        buffers.map(|buffer| rounded(problem.buffers[buffer].bytes)).sum()
    };
    let peak = |order: &[usize]| {
        let inputs = || (0..problem.buffers.len()).filter(|&buffer| problem.buffers[buffer].lives_from_start);
        let mut peak = sum(&mut inputs());
        let mut alive: Vec<usize> = inputs().filter(|&buffer| used(buffer, order)).collect();
        for (position, &index) in order.iter().enumerate() {
            let (step, later) = (&problem.steps[index], &order[position + 1..]);
            alive.extend(&step.writes);
            let saved = step.in_place.iter().filter(|pair| !used(pair.read, later)).map(|pair| {
                let (read, write) = (problem.buffers[pair.read].bytes, problem.buffers[pair.write].bytes);
                if rounded(write) <= rounded(read) { rounded(write) } else { 0 }
            });
            let saved = saved.max().unwrap_or(0);
            peak = peak.max(sum(&mut alive.iter().copied()) + rounded(step.scratch_bytes) - saved);
            alive.retain(|&buffer| used(buffer, later));
        }
        peak.max(sum(&mut alive.into_iter()))
    };
    let mut lowest = u64::MAX;
    for_each_order(problem, &mut Vec::new(), &mut |order| lowest = lowest.min(peak(order)));
    lowest
}

fn for_each_order(problem: &Problem, order: &mut Vec<usize>, visit: &mut dyn FnMut(&[usize])) {
    if order.len() == problem.steps.len() {
        return visit(order);
    }
    for step in 0..problem.steps.len() {
        let written = |buffer: &usize| {
            problem.buffers[*buffer].lives_from_start
                || order.iter().any(|&step| problem.steps[step].writes.contains(buffer))
        };
        if !order.contains(&step) && problem.steps[step].reads.iter().all(written) {
            order.push(step);
            for_each_order(problem, order, visit);
            order.pop();
        }
    }
}

#[test]
fn networks_come_within_two_percent_of_the_bound() {
    let mut runner = TestRunner::deterministic();
    let strategy = networks();
    let (mut equal, mut close, mut proved, mut slowest, mut worst) = (0, 0, 0, 0.0f64, 0.0f64);
    let count = 1000;
    for _ in 0..count {
        let problem = strategy.new_tree(&mut runner).expect("the strategy filters nothing").current();
        let start = Instant::now();
        let plan = plan(&problem).expect("the problem is sound");
        slowest = slowest.max(start.elapsed().as_secs_f64());
        let excess = f64::from(plan.arena_bytes) / f64::from(plan.smallest_bound) - 1.0;
        equal += usize::from(plan.arena_bytes == plan.smallest_bound);
        close += usize::from(excess <= 0.02);
        proved += usize::from(plan.order_proved);
        worst = worst.max(excess);
    }
    eprintln!(
        "{count} networks: {equal} at the bound, {close} within 2 %, worst {:.1} %, {proved} orders proved, \
         slowest {:.0} ms",
        100.0 * worst,
        1000.0 * slowest
    );
    assert!(close * 100 >= count * 95 && equal * 100 >= count * 95);
}

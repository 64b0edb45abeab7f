//! Problems and plans picked by hand.

use super::networks::Builder;
use crate::plan::{Buffer, InPlace, Plan, PlanError, Problem, ProblemError, SharedPlace, Step, plan, verify};

fn sound(problem: &Problem) -> Plan {
    let plan = plan(problem).expect("the problem is sound");
    assert_eq!(verify(problem, &plan), Ok(()));
    plan
}

fn graph(buffers: &[(u32, bool, bool)], steps: &[(&[usize], &[usize])]) -> Problem {
    let buffers = buffers.iter().map(|&(bytes, lives_from_start, lives_to_end)| Buffer {
        bytes,
        lives_from_start,
        lives_to_end,
        ..Buffer::default()
    });
    let steps = steps.iter().map(|(reads, writes)| Step {
        reads: reads.to_vec(),
        writes: writes.to_vec(),
        ..Step::default()
    });
    Problem { buffers: buffers.collect(), steps: steps.collect() }
}

#[test]
fn nothing_needs_nothing() {
    let plan = sound(&Problem::default());
    assert_eq!((plan.arena_bytes, plan.lower_bound, plan.excess()), (0, 0, 0.0));
}

#[test]
fn without_steps_inputs_lie_side_by_side() {
    let plan = sound(&graph(&[(5, true, true), (9, true, false), (100, false, false)], &[]));
    assert_eq!(plan.arena_bytes, 8 + 12);
    assert_eq!(plan.offsets[2], None);
}

#[test]
fn an_input_that_is_an_output_outlives_the_steps() {
    let problem =
        graph(&[(16, true, true), (16, false, false), (16, false, true)], &[(&[0], &[1]), (&[1], &[2])]);
    let plan = sound(&problem);
    assert_eq!(plan.arena_bytes, 48);
}

#[test]
fn an_input_may_be_overwritten_when_its_last_reader_is_done() {
    let mut problem = graph(&[(64, true, false), (64, false, true)], &[(&[0], &[1])]);
    problem.steps[0].in_place = vec![InPlace { read: 0, write: 1 }];
    let plan = sound(&problem);
    assert_eq!((plan.arena_bytes, plan.shared.len()), (64, 1));
    problem.buffers[0].lives_to_end = true;
    assert_eq!(sound(&problem).arena_bytes, 128);
}

#[test]
fn a_pair_without_bytes_ties_nothing() {
    let mut problem = graph(&[(64, true, false), (8, true, true), (0, false, true)], &[(&[0], &[2])]);
    problem.steps[0].in_place = vec![InPlace { read: 0, write: 2 }];
    assert_eq!(sound(&problem).shared, []);
}

#[test]
fn a_residual_block_runs_in_two_buffers() {
    let mut builder = Builder::default();
    let input = builder.buffer(1000);
    let inner = builder.step(&[input], 1000, 0, &[]);
    let inner = builder.step(&[inner], 1000, 0, &[inner]);
    let sum = builder.step(&[input, inner], 1000, 0, &[input, inner]);
    let scores = builder.step(&[sum], 10, 500, &[]);
    builder.problem.buffers[input].lives_from_start = true;
    builder.problem.buffers[scores].lives_to_end = true;
    let plan = sound(&builder.problem);
    assert_eq!((plan.arena_bytes, plan.order_proved), (2000, true));
}

/// Two branches that shrink at their ends: run side by side, both wide middles would be alive.
#[test]
fn an_order_is_found_that_runs_one_branch_after_the_other() {
    let problem = graph(
        &[
            (8, true, false),
            (800, false, false),
            (800, false, false),
            (8, false, false),
            (8, false, false),
            (8, false, true),
        ],
        &[(&[0], &[1]), (&[0], &[2]), (&[1], &[3]), (&[2], &[4]), (&[3, 4], &[5])],
    );
    let plan = sound(&problem);
    assert_eq!((plan.arena_bytes, plan.smallest_bound, plan.order_proved), (816, 816, true));
}

#[test]
fn a_list_in_no_possible_order_is_put_in_one() {
    let problem =
        graph(&[(8, true, false), (8, false, false), (8, false, true)], &[(&[1], &[2]), (&[0], &[1])]);
    assert_eq!(sound(&problem).order, [1, 0]);
}

#[test]
fn a_thousand_steps_side_by_side_end_in_time() {
    let mut builder = Builder::default();
    let input = builder.buffer(100);
    builder.problem.buffers[input].lives_from_start = true;
    let ends: Vec<usize> =
        (0..1000).map(|index| builder.step(&[input], 4 + index % 90, index, &[])).collect();
    let sum = builder.step(&ends, 50, 0, &[]);
    builder.problem.buffers[sum].lives_to_end = true;
    sound(&builder.problem);
}

#[test]
fn sizes_up_to_the_address_space_are_placed_and_larger_ones_refused() {
    let top = u32::MAX - 3;
    assert_eq!(sound(&graph(&[(top, true, true)], &[])).arena_bytes, top);
    let refused =
        |buffers: &[(u32, bool, bool)], steps: &[(&[usize], &[usize])]| plan(&graph(buffers, steps));
    assert_eq!(refused(&[(top + 1, true, true)], &[]), Err(ProblemError::TooLarge { bytes: 1 << 32 }));
    assert_eq!(
        refused(&[(u32::MAX, true, false), (u32::MAX, false, true)], &[(&[0], &[1])]),
        Err(ProblemError::TooLarge { bytes: 1 << 33 })
    );
    let mut scratch = graph(&[(4, true, false), (4, false, true)], &[(&[0], &[1])]);
    scratch.steps[0].scratch_bytes = u32::MAX;
    assert_eq!(plan(&scratch), Err(ProblemError::TooLarge { bytes: (1 << 32) + 8 }));
}

#[test]
fn contradictions_are_named() {
    let message = |problem: &Problem| plan(problem).map(|_| ()).map_err(|error| error.to_string());
    let refused = |problem: &Problem, text: &str| assert_eq!(message(problem), Err(text.to_owned()));
    let mut problem = graph(&[(4, true, false), (4, false, true)], &[(&[0], &[1])]);
    problem.steps[0].name = "conv".to_owned();
    problem.buffers[1].name = "scores".to_owned();
    assert_eq!(message(&problem), Ok(()));

    let with = |change: &dyn Fn(&mut Problem)| {
        let mut changed = problem.clone();
        change(&mut changed);
        changed
    };
    refused(
        &with(&|problem| problem.steps[0].reads[0] = 7),
        "step 0 (conv) uses buffer 7, but there are only 2 buffers",
    );
    refused(
        &with(&|problem| problem.steps[0].writes.push(1)),
        "buffer 1 (scores) is written by step 0 (conv) and again by step 0 (conv)",
    );
    refused(
        &with(&|problem| problem.buffers[1].lives_from_start = true),
        "buffer 1 (scores) is an input of the graph, but step 0 (conv) writes it",
    );
    refused(
        &with(&|problem| problem.buffers[0].lives_from_start = false),
        "buffer 0 is used, but it is no input of the graph and no step writes it",
    );
    refused(
        &with(&|problem| problem.steps[0].in_place.push(InPlace { read: 1, write: 0 })),
        "step 0 (conv) offers to write buffer 0 over buffer 1, but does not use them so",
    );
    refused(
        &with(&|problem| problem.steps[0].reads.push(1)),
        "step 0 (conv) can never run, because steps before it, or it itself, need what they write themselves",
    );
    let circle = graph(&[(4, false, false), (4, false, true)], &[(&[1], &[0]), (&[0], &[1])]);
    assert!(matches!(plan(&circle), Err(ProblemError::Cycle { .. })));
}

/// A chain of three steps, the second in place and with scratch, for plans to be spoilt.
fn spoilable() -> (Problem, Plan) {
    let mut builder = Builder::default();
    let input = builder.buffer(32);
    let wide = builder.step(&[input], 64, 0, &[]);
    let over = builder.step(&[wide], 64, 8, &[wide]);
    let scores = builder.step(&[over], 16, 0, &[]);
    builder.problem.buffers[input].lives_from_start = true;
    builder.problem.buffers[scores].lives_to_end = true;
    let plan = sound(&builder.problem);
    assert_eq!(plan.shared, [SharedPlace { step: 1, read: wide, write: over }]);
    (builder.problem, plan)
}

#[test]
fn spoilt_plans_are_found_out() {
    let (problem, plan) = spoilable();
    let verdict = |change: &dyn Fn(&mut Plan)| {
        let mut changed = plan.clone();
        change(&mut changed);
        verify(&problem, &changed)
    };
    let step = |index| problem.step_label(index);
    let buffer = |index| problem.buffer_label(index);
    let pair =
        |read, write| PlanError::IllegalPair { step: step(1), read: buffer(read), write: buffer(write) };
    let end = plan.arena_bytes;

    assert_eq!(verdict(&|plan| _ = plan.order.pop()), Err(PlanError::Foreign));
    assert_eq!(verdict(&|plan| plan.order[0] = 9), Err(PlanError::Foreign));
    assert_eq!(verdict(&|plan| plan.shared[0].write = 9), Err(PlanError::Foreign));
    assert_eq!(verdict(&|plan| plan.order[0] = 1), Err(PlanError::RunsTwice { step: step(1) }));
    assert_eq!(
        verdict(&|plan| {
            plan.shared.clear();
            plan.order.swap(0, 1);
        }),
        Err(PlanError::ReadsTooEarly { step: step(1), buffer: buffer(1) })
    );
    assert_eq!(verdict(&|plan| plan.offsets[0] = None), Err(PlanError::NotPlaced { buffer: buffer(0) }));
    assert_eq!(
        verdict(&|plan| plan.scratch_offsets[1] = None),
        Err(PlanError::ScratchNotPlaced { step: step(1) })
    );
    assert_eq!(
        verdict(&|plan| plan.offsets[3] = Some(end)),
        Err(PlanError::OutOfBounds { offset: end, bytes: 16 })
    );
    assert!(matches!(
        verdict(&|plan| plan.offsets[0] = Some(2)),
        Err(PlanError::OutOfBounds { offset: 2, .. })
    ));
    assert!(matches!(verdict(&|plan| plan.arena_bytes += 1), Err(PlanError::OutOfBounds { .. })));
    assert!(matches!(
        verdict(&|plan| plan.offsets[0] = plan.offsets[1]),
        Err(PlanError::Overlap { slot: 1, .. })
    ));
    assert!(matches!(
        verdict(&|plan| plan.scratch_offsets[1] = plan.offsets[1]),
        Err(PlanError::Overlap { slot: 2, .. })
    ));
    assert!(matches!(verdict(&|plan| plan.shared.clear()), Err(PlanError::Overlap { slot: 2, .. })));
    assert_eq!(verdict(&|plan| plan.offsets[2] = Some(4)), Err(pair(1, 2)));
    assert_eq!(verdict(&|plan| plan.shared[0].read = 2), Err(pair(2, 2)));
    assert_eq!(verdict(&|plan| plan.shared.push(plan.shared[0])), Err(pair(1, 2)));
    assert_eq!(
        verdict(&|plan| plan.lower_bound += 4),
        Err(PlanError::WrongBound { stated: plan.lower_bound + 4, actual: plan.lower_bound.into() })
    );
}

#[test]
fn pairs_that_the_problem_forbids_are_found_out() {
    let (problem, plan) = spoilable();
    let refuses = |change: &dyn Fn(&mut Problem)| {
        let mut changed = problem.clone();
        change(&mut changed);
        matches!(verify(&changed, &plan), Err(PlanError::IllegalPair { .. }))
    };
    assert!(refuses(&|problem| problem.steps[1].in_place.clear()));
    assert!(refuses(&|problem| problem.buffers[1].lives_to_end = true));
    assert!(refuses(&|problem| problem.steps[2].reads.push(1)));
    assert!(refuses(&|problem| problem.buffers[2].bytes += 1));
}

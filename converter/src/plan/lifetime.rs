//! When each buffer is alive, and how much is alive at once: the lower bound of the arena.
//!
//! Time is counted in slots. In slot 0 the caller fills the inputs, in slot k the k-th step of the order runs (from
//! 1), and in the slot after the last step the caller reads the outputs. A buffer is alive
//!
//! - from slot 0 if it is an input, else from the slot of the step that writes it,
//! - to the last slot if it is an output, else to the slot of its last reader, else to the slot where it began.
//!
//! Buffers that are neither read, nor written, nor inputs, nor outputs are never alive. What is alive in a slot is
//! the sum of its buffers and scratch, each rounded up to `ALIGN`, where a buffer written over another counts
//! nothing in the slot that they share. No placement is smaller than the fullest slot.

use super::SharedPlace;
use super::dataflow::Dataflow;
use super::problem::Problem;

/// The slots in which something is alive, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: usize,
    pub(super) last: usize,
}

/// The lifetime of each buffer under an order that contains each step once.
pub(super) fn buffer_spans(problem: &Problem, order: &[usize]) -> Vec<Option<Span>> {
    let end = order.len() + 1;
    let mut first: Vec<Option<usize>> =
        problem.buffers.iter().map(|buffer| buffer.lives_from_start.then_some(0)).collect();
    let mut last = vec![0; first.len()];
    for (position, &step) in order.iter().enumerate() {
        for &buffer in &problem.steps[step].writes {
            first[buffer] = Some(position + 1);
            last[buffer] = position + 1;
        }
        for &buffer in &problem.steps[step].reads {
            last[buffer] = position + 1;
        }
    }
    let spans = first.into_iter().zip(last).zip(&problem.buffers);
    spans
        .map(|((first, last), buffer)| {
            first.map(|first| Span { first, last: if buffer.lives_to_end { end } else { last } })
        })
        .collect()
}

/// The bytes alive in each slot.
pub(super) fn live_bytes(
    flow: &Dataflow,
    order: &[usize],
    spans: &[Option<Span>],
    shared: &[SharedPlace],
) -> Vec<u64> {
    let slots = order.len() + 2;
    let (mut begins, mut ends) = (vec![0; slots], vec![0; slots]);
    let mut slot_of_step = vec![0; order.len()];
    for (position, &step) in order.iter().enumerate() {
        slot_of_step[step] = position + 1;
        begins[position + 1] += flow.scratch[step];
        ends[position + 1] += flow.scratch[step];
    }
    for (buffer, span) in spans.iter().enumerate() {
        if let Some(span) = span {
            begins[span.first] += flow.bytes[buffer];
            ends[span.last] += flow.bytes[buffer];
        }
    }
    let mut alive = 0;
    let mut profile = Vec::with_capacity(slots);
    for (begins, ends) in begins.into_iter().zip(ends) {
        alive += begins;
        profile.push(alive);
        alive -= ends;
    }
    for pair in shared {
        profile[slot_of_step[pair.step]] -= flow.bytes[pair.write];
    }
    profile
}

/// A bound that holds for every order and every choice of in-place pairs: no step runs in less than its own
/// buffers need, and the inputs, and the outputs, are alive together.
pub(super) fn bound_of_all_orders(flow: &Dataflow) -> u64 {
    let buffers = || flow.problem.buffers.iter().zip(&flow.bytes);
    let inputs = buffers().filter(|(buffer, _)| buffer.lives_from_start).map(|(_, bytes)| bytes).sum();
    let outputs = buffers().filter(|(buffer, _)| buffer.lives_to_end).map(|(_, bytes)| bytes).sum();
    let steps = (0..flow.step_count()).map(|step| {
        let saved: u64 = flow
            .pairs_at(step, |buffer| !flow.problem.buffers[buffer].lives_to_end, false)
            .iter()
            .map(|pair| flow.bytes[pair.write])
            .sum();
        let used = flow.reads[step].iter().chain(flow.writes(step));
        used.map(|&buffer| flow.bytes[buffer]).sum::<u64>() + flow.scratch[step] - saved
    });
    steps.chain([inputs, outputs]).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::problem::{Buffer, Step};

    fn buffer(bytes: u32, lives_from_start: bool, lives_to_end: bool) -> Buffer {
        Buffer { name: String::new(), bytes, lives_from_start, lives_to_end }
    }

    fn step(reads: &[usize], writes: &[usize], scratch_bytes: u32) -> Step {
        Step { reads: reads.to_vec(), writes: writes.to_vec(), scratch_bytes, ..Step::default() }
    }

    #[test]
    fn spans_reach_from_the_writer_to_the_last_reader() {
        let problem = Problem {
            buffers: vec![
                buffer(8, true, false),
                buffer(7, false, false),
                buffer(4, false, true),
                buffer(100, false, false),
                buffer(16, true, false),
                buffer(12, false, false),
            ],
            steps: vec![step(&[0], &[1, 5], 0), step(&[1], &[2], 3)],
        };
        let flow = Dataflow::new(&problem).expect("the problem is sound");
        let spans = buffer_spans(&problem, &[0, 1]);
        let expected = [Some((0, 1)), Some((1, 2)), Some((2, 3)), None, Some((0, 0)), Some((1, 1))];
        assert_eq!(spans, expected.map(|span| span.map(|(first, last)| Span { first, last })));
        assert_eq!(live_bytes(&flow, &[0, 1], &spans, &[]), [24, 28, 16, 4]);
        assert_eq!(bound_of_all_orders(&flow), 28);
    }

    #[test]
    fn without_steps_inputs_and_outputs_remain() {
        let problem = Problem { steps: vec![], buffers: vec![buffer(5, true, true), buffer(4, true, false)] };
        let flow = Dataflow::new(&problem).expect("the problem is sound");
        let spans = buffer_spans(&problem, &[]);
        assert_eq!(live_bytes(&flow, &[], &spans, &[]), [12, 8]);
    }
}

//! Which in-place pairs to take.
//!
//! Under a given order each step's pairs can be judged alone: taking one saves the written buffer's bytes in that
//! step's slot and changes no other slot. But each one ties two buffers to one offset, which can make them harder to
//! place, and wants an in-place kernel. So a few choices are tried: with `peak` the fullest slot when all are taken,
//! [`Extent::Needed`] takes only those of the steps that would exceed `peak` without, [`Extent::All`] takes all.
//! Where two inputs of a step could make room for its output, both are tried as well.

use super::SharedPlace;
use super::dataflow::Dataflow;
use super::lifetime::{Span, live_bytes};

/// How many of the possible pairs are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Needed,
    All,
}

/// The choices of pairs worth trying under an order, those with few pairs first, each once. All have the same peak.
pub(super) fn choices(flow: &Dataflow, order: &[usize], spans: &[Option<Span>]) -> Vec<Vec<SharedPlace>> {
    let bare = live_bytes(flow, order, spans, &[]);
    let mut choices: Vec<Vec<SharedPlace>> = Vec::new();
    for extent in [Extent::Needed, Extent::All] {
        for from_back in [false, true] {
            let choice = choose(flow, order, spans, &bare, extent, from_back);
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
    }
    choices
}

fn choose(
    flow: &Dataflow,
    order: &[usize],
    spans: &[Option<Span>],
    bare: &[u64],
    extent: Extent,
    from_back: bool,
) -> Vec<SharedPlace> {
    let mut all = Vec::new();
    for (position, &step) in order.iter().enumerate() {
        let dies = |buffer: usize| spans[buffer].is_some_and(|span| span.last == position + 1);
        for pair in flow.pairs_at(step, dies, from_back) {
            all.push((position + 1, SharedPlace { step, read: pair.read, write: pair.write }));
        }
    }
    if extent == Extent::Needed {
        let mut relieved = bare.to_vec();
        for (slot, pair) in &all {
            relieved[*slot] -= flow.bytes[pair.write];
        }
        let peak = relieved.into_iter().max().unwrap_or(0);
        all.retain(|(slot, _)| bare[*slot] > peak);
    }
    all.into_iter().map(|(_, pair)| pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::lifetime::buffer_spans;
    use crate::plan::problem::{Buffer, InPlace, Problem, Step};

    fn buffer(bytes: u32) -> Buffer {
        Buffer { bytes, ..Buffer::default() }
    }

    fn step(reads: &[usize], write: usize, in_place: &[usize]) -> Step {
        let in_place = in_place.iter().map(|&read| InPlace { read, write }).collect();
        Step { reads: reads.to_vec(), writes: vec![write], in_place, ..Step::default() }
    }

    fn choices_of(problem: &Problem, order: &[usize]) -> Vec<Vec<(usize, usize, usize)>> {
        let flow = Dataflow::new(problem).expect("the problem is sound");
        let choices = choices(&flow, order, &buffer_spans(problem, order));
        let plain = |pair: SharedPlace| (pair.step, pair.read, pair.write);
        choices.into_iter().map(|choice| choice.into_iter().map(plain).collect()).collect()
    }

    #[test]
    fn takes_what_the_peak_needs_or_everything() {
        let mut problem = Problem {
            buffers: vec![buffer(80), buffer(80), buffer(80), buffer(8), buffer(8), buffer(8)],
            steps: vec![
                step(&[0], 1, &[0]),
                step(&[1], 2, &[1]),
                step(&[2], 3, &[]),
                step(&[3], 4, &[3]),
                step(&[4], 5, &[]),
            ],
        };
        problem.buffers[0].lives_from_start = true;
        problem.buffers[5].lives_to_end = true;
        let needed = vec![(0, 0, 1), (1, 1, 2)];
        let all = vec![(0, 0, 1), (1, 1, 2), (3, 3, 4)];
        assert_eq!(choices_of(&problem, &[0, 1, 2, 3, 4]), [needed, all]);
    }

    #[test]
    fn a_buffer_with_a_later_reader_or_an_output_stays() {
        let mut problem = Problem {
            buffers: vec![buffer(8), buffer(8), buffer(8), buffer(4), buffer(8)],
            steps: vec![step(&[0], 1, &[0]), step(&[0], 2, &[0]), step(&[1], 3, &[1]), step(&[3], 4, &[3])],
        };
        problem.buffers[0].lives_from_start = true;
        problem.buffers[1].lives_to_end = true;
        let all = |order| choices_of(&problem, order).pop();
        assert_eq!(all(&[0, 1, 2, 3]), Some(vec![(1, 0, 2)]));
        assert_eq!(all(&[1, 0, 2, 3]), Some(vec![(0, 0, 1)]));
    }

    #[test]
    fn tries_both_inputs_of_a_sum() {
        let mut problem = Problem {
            buffers: vec![buffer(8), buffer(8), buffer(8)],
            steps: vec![step(&[0, 1], 2, &[0, 1])],
        };
        problem.buffers[0].lives_from_start = true;
        problem.buffers[1].lives_from_start = true;
        assert_eq!(choices_of(&problem, &[0]), [[(0, 0, 2)], [(0, 1, 2)]]);
    }
}

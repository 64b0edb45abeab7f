//! Random problems: graphs that look like convolutional networks, chains, and graphs of no particular kind.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::plan::{Buffer, InPlace, Problem, Step};

/// A piece of a convolutional network. Numbers are small codes that [`network`] turns into sizes.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    Convolution {
        channels: u32,
        halves: bool,
        scratch: u32,
    },
    Depthwise {
        halves: bool,
        scratch: u32,
    },
    Activation,
    /// Some convolutions, then the sum with what went in; with `projects` that goes through a convolution too.
    Residual {
        depth: u32,
        scratch: u32,
        projects: bool,
    },
    /// Branches of (channels, depth) side by side, then their concatenation.
    Branches {
        branches: Vec<(u32, u32)>,
        scratch: u32,
    },
    /// Convolutions that each read the concatenation of all outputs before.
    DenseBlock {
        growth: u32,
        depth: u32,
    },
    /// Down to a small image and up again, at each size with the concatenation of both ways.
    Hourglass {
        depth: u32,
        scratch: u32,
    },
    /// A scale per channel from two dense layers on the means.
    SqueezeExcite,
    Dense {
        units: u32,
    },
}

pub(super) fn layer() -> impl Strategy<Value = Layer> {
    let scratch = || prop_oneof![2 => Just(0), 3 => 16..3000u32];
    prop_oneof![
        4 => (1..24u32, any::<bool>(), scratch())
            .prop_map(|(channels, halves, scratch)| Layer::Convolution { channels, halves, scratch }),
        4 => (any::<bool>(), scratch()).prop_map(|(halves, scratch)| Layer::Depthwise { halves, scratch }),
        3 => Just(Layer::Activation),
        4 => (1..4u32, scratch(), any::<bool>())
            .prop_map(|(depth, scratch, projects)| Layer::Residual { depth, scratch, projects }),
        2 => (vec((1..8u32, 1..6u32), 2..7), scratch())
            .prop_map(|(branches, scratch)| Layer::Branches { branches, scratch }),
        1 => (1..6u32, 2..6u32).prop_map(|(growth, depth)| Layer::DenseBlock { growth, depth }),
        1 => (1..4u32, scratch()).prop_map(|(depth, scratch)| Layer::Hourglass { depth, scratch }),
        1 => Just(Layer::SqueezeExcite),
        1 => (1..64u32).prop_map(|units| Layer::Dense { units }),
    ]
}

/// Builds a problem step by step.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) problem: Problem,
}

impl Builder {
    pub(super) fn buffer(&mut self, bytes: u32) -> usize {
        self.problem.buffers.push(Buffer { bytes, ..Buffer::default() });
        self.problem.buffers.len() - 1
    }

    /// Adds a step with one output, which may lie over any of the reads named in `over`.
    pub(super) fn step(&mut self, reads: &[usize], bytes: u32, scratch_bytes: u32, over: &[usize]) -> usize {
        let write = self.buffer(bytes);
        let in_place = over.iter().map(|&read| InPlace { read, write }).collect();
        let step =
            Step { name: String::new(), reads: reads.to_vec(), writes: vec![write], scratch_bytes, in_place };
        self.problem.steps.push(step);
        write
    }
}

/// A network on a square image with three channels.
pub(super) fn network(side: u32, layers: &[Layer]) -> Problem {
    let mut builder = Builder::default();
    let (mut side, mut channels) = (side, 3);
    let mut current = builder.buffer(side * side * channels);
    builder.problem.buffers[current].lives_from_start = true;
    for layer in layers {
        let bytes = side * side * channels;
        let halved = |halves: bool| if halves { side.div_ceil(2) } else { side };
        match layer {
            Layer::Convolution { channels: code, halves, scratch } => {
                (side, channels) = (halved(*halves), code * 4);
                current = builder.step(&[current], side * side * channels, *scratch, &[]);
            }
            Layer::Depthwise { halves, scratch } => {
                side = halved(*halves);
                current = builder.step(&[current], side * side * channels, *scratch, &[]);
            }
            Layer::Activation => current = builder.step(&[current], bytes, 0, &[current]),
            Layer::Residual { depth, scratch, projects } => {
                let mut inner = current;
                for _ in 0..*depth {
                    inner = builder.step(&[inner], bytes, *scratch, &[]);
                }
                let outer =
                    if *projects { builder.step(&[current], bytes, *scratch / 2, &[]) } else { current };
                current = builder.step(&[inner, outer], bytes, 0, &[inner, outer]);
            }
            Layer::Branches { branches, scratch } => {
                let mut ends = Vec::new();
                for (code, depth) in branches {
                    let mut end = current;
                    for _ in 0..*depth {
                        end = builder.step(&[end], side * side * code * 2, *scratch, &[]);
                    }
                    ends.push(end);
                }
                channels = branches.iter().map(|(code, _)| code * 2).sum();
                current = builder.step(&ends, side * side * channels, 0, &[]);
            }
            Layer::DenseBlock { growth, depth } => {
                for _ in 0..*depth {
                    let grown = builder.step(&[current], side * side * growth * 4, 0, &[]);
                    channels += growth * 4;
                    current = builder.step(&[current, grown], side * side * channels, 0, &[]);
                }
            }
            Layer::Hourglass { depth, scratch } => {
                let size = |level: u32| (side >> level).max(1).pow(2) * channels;
                let mut skips = Vec::new();
                for level in 0..*depth {
                    current = builder.step(&[current], size(level), *scratch, &[]);
                    skips.push((level, current));
                    current = builder.step(&[current], size(level + 1), 0, &[]);
                }
                for (level, skip) in skips.into_iter().rev() {
                    let up = builder.step(&[current], size(level), 0, &[]);
                    let both = builder.step(&[skip, up], 2 * size(level), 0, &[]);
                    current = builder.step(&[both], size(level), *scratch, &[]);
                }
            }
            Layer::SqueezeExcite => {
                let mean = builder.step(&[current], channels, channels * 4, &[]);
                let squeezed = builder.step(&[mean], channels.div_ceil(4), 0, &[]);
                let scale = builder.step(&[squeezed], channels, 0, &[]);
                current = builder.step(&[current, scale], bytes, 0, &[current]);
            }
            Layer::Dense { units } => {
                (side, channels) = (1, *units);
                current = builder.step(&[current], *units, 0, &[]);
            }
        }
    }
    builder.problem.buffers[current].lives_to_end = true;
    builder.problem
}

pub(super) fn networks() -> impl Strategy<Value = Problem> {
    (prop_oneof![Just(28u32), Just(32), Just(48), Just(96)], vec(layer(), 1..30))
        .prop_map(|(side, layers)| network(side, &layers))
}

/// Chains with scratch, where steps that keep the size may work in place.
pub(super) fn chains() -> impl Strategy<Value = Problem> {
    (1..5000u32, vec((prop_oneof![Just(None), (1..5000u32).prop_map(Some)], 0..3000u32), 0..40)).prop_map(
        |(first, steps)| {
            let mut builder = Builder::default();
            let mut bytes = first;
            let mut current = builder.buffer(bytes);
            builder.problem.buffers[current].lives_from_start = true;
            for (next, scratch) in steps {
                let keeps = next.is_none();
                bytes = next.unwrap_or(bytes);
                let over = if keeps { vec![current] } else { vec![] };
                current = builder.step(&[current], bytes, scratch, &over);
            }
            builder.problem.buffers[current].lives_to_end = true;
            builder.problem
        },
    )
}

/// What a step of a graph of no particular kind looks like.
type AnyStep = (Vec<Index>, Vec<(u32, bool)>, u32, Vec<(Index, Index)>);

/// Graphs of no particular kind: several inputs and outputs, unused buffers, steps with several outputs or none,
/// pairs that do not fit, steps listed in a random order.
pub(super) fn graphs(steps: usize, outputs: usize) -> impl Strategy<Value = Problem> {
    let size = || prop_oneof![1 => Just(0), 9 => 0..400u32];
    let step = (
        vec(any::<Index>(), 0..4),
        vec((size(), any::<bool>()), usize::from(outputs == 1)..=outputs),
        prop_oneof![Just(0), 0..200u32],
        vec(any::<(Index, Index)>(), 0..3),
    );
    (vec((size(), any::<bool>()), 1..4), vec(step, 0..=steps), any::<u64>()).prop_map(
        |(inputs, steps, shuffle)| {
            let mut problem = Problem::default();
            for (bytes, lives_to_end) in inputs {
                problem.buffers.push(Buffer {
                    bytes,
                    lives_from_start: true,
                    lives_to_end,
                    ..Buffer::default()
                });
            }
            steps.into_iter().for_each(|step| add_step(&mut problem, step));
            problem.buffers.push(Buffer { bytes: 77, ..Buffer::default() });
            let key = |index: usize| (index as u64 + 1).wrapping_mul(shuffle | 1) >> 3;
            let mut shuffled: Vec<(usize, Step)> = problem.steps.into_iter().enumerate().collect();
            if shuffle % 2 == 0 {
                shuffled.sort_by_key(|(index, _)| key(*index));
            }
            problem.steps = shuffled.into_iter().map(|(_, step)| step).collect();
            problem
        },
    )
}

fn add_step(problem: &mut Problem, (reads, writes, scratch_bytes, pairs): AnyStep) {
    let known = problem.buffers.len();
    // Mostly recent buffers, so that the graph is deeper than wide.
    let reads: Vec<usize> = reads.iter().map(|index| known - 1 - index.index(known.min(5))).collect();
    let mut step = Step { reads, scratch_bytes, ..Step::default() };
    for (bytes, lives_to_end) in writes {
        step.writes.push(problem.buffers.len());
        let lives_to_end = lives_to_end && bytes % 3 == 0;
        problem.buffers.push(Buffer { bytes, lives_to_end, ..Buffer::default() });
    }
    if !step.reads.is_empty() && !step.writes.is_empty() {
        for (read, write) in pairs {
            step.in_place.push(InPlace { read: *read.get(&step.reads), write: *write.get(&step.writes) });
        }
    }
    problem.steps.push(step);
}

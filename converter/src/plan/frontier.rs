//! A schedule half done: which steps have run, which can run next, and what is alive.

use std::collections::BTreeSet;

use super::dataflow::Dataflow;

/// What running a step would mean for the live set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    /// Bytes alive while it runs, its in-place pairs used.
    pub(super) during: u64,
    /// Bytes alive after it.
    pub(super) after: u64,
}

/// The state between two steps of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frontier {
    /// One bit per step that has run.
    pub(super) done: Box<[u64]>,
    /// The steps that have not run and wait for none.
    pub(super) ready: BTreeSet<usize>,
    /// Bytes alive between the steps.
    pub(super) live: u64,
}

fn has(done: &[u64], step: usize) -> bool {
    done[step / 64] >> (step % 64) & 1 == 1
}

impl Frontier {
    /// Before the first step: the inputs that something waits for are alive.
    pub(super) fn start(flow: &Dataflow) -> Self {
        let buffers = flow.problem.buffers.iter().enumerate();
        let live = buffers
            .filter(|(index, buffer)| {
                buffer.lives_from_start && (buffer.lives_to_end || !flow.readers[*index].is_empty())
            })
            .map(|(index, _)| flow.bytes[index])
            .sum();
        let steps = 0..flow.step_count();
        Self {
            done: vec![0; flow.step_count().div_ceil(64)].into_boxed_slice(),
            ready: steps.filter(|&step| flow.predecessors[step].is_empty()).collect(),
            live,
        }
    }

    /// Work of judging every ready step's effect.
    pub(super) fn effects_cost(&self, flow: &Dataflow) -> usize {
        self.ready.iter().map(|&step| 1 + flow.rivals[step]).sum()
    }

    /// What running a ready step now would mean.
    pub(super) fn effect(&self, flow: &Dataflow, step: usize) -> Effect {
        let dies = |buffer: usize| flow.dies_at(buffer, step, |reader| has(&self.done, reader));
        let written: u64 = flow.writes(step).iter().map(|&buffer| flow.bytes[buffer]).sum();
        let kept = |buffer: &&usize| {
            flow.problem.buffers[**buffer].lives_to_end || !flow.readers[**buffer].is_empty()
        };
        let kept: u64 = flow.writes(step).iter().filter(kept).map(|&buffer| flow.bytes[buffer]).sum();
        let freed: u64 =
            flow.reads[step].iter().filter(|&&buffer| dies(buffer)).map(|&buffer| flow.bytes[buffer]).sum();
        let pairs = flow.pairs_at(step, dies, false);
        let saved: u64 = pairs.iter().map(|pair| flow.bytes[pair.write]).sum();
        Effect { during: self.live + written + flow.scratch[step] - saved, after: self.live + kept - freed }
    }

    /// Runs a ready step, whose effect is known.
    pub(super) fn run(&mut self, flow: &Dataflow, step: usize, effect: Effect) {
        self.done[step / 64] |= 1 << (step % 64);
        self.live = effect.after;
        self.ready.remove(&step);
        let waits_for_none =
            |&step: &usize| flow.predecessors[step].iter().all(|&predecessor| has(&self.done, predecessor));
        self.ready.extend(flow.successors[step].iter().copied().filter(waits_for_none));
    }
}

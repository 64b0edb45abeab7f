//! A checked problem, with the facts that planning asks for again and again.

use super::problem::{InPlace, Problem, ProblemError, placed_bytes};

/// Who writes, who reads, who waits for whom. Indices are those of the problem; sizes are rounded to `ALIGN`.
pub(super) struct Dataflow<'a> {
    pub(super) problem: &'a Problem,
    /// Size of each buffer.
    pub(super) bytes: Vec<u64>,
    /// Size of each step's scratch.
    pub(super) scratch: Vec<u64>,
    /// For each step, the buffers it reads, each once.
    pub(super) reads: Vec<Vec<usize>>,
    /// For each buffer, the steps that read it, each once, ascending.
    pub(super) readers: Vec<Vec<usize>>,
    /// For each step, the readers of all that it reads: what judging its effect costs.
    pub(super) rivals: Vec<usize>,
    /// For each step, the steps it must run before, each once, ascending.
    pub(super) successors: Vec<Vec<usize>>,
    /// For each step, the steps it waits for, in the order of its reads, each once.
    pub(super) predecessors: Vec<Vec<usize>>,
}

impl<'a> Dataflow<'a> {
    /// Checks a problem.
    ///
    /// # Errors
    /// Every [`ProblemError`] but `Cycle` and `TooLarge`; of several, the first found.
    pub(super) fn new(problem: &'a Problem) -> Result<Self, ProblemError> {
        check_indices(problem)?;
        let writer = writers(problem)?;
        let reads: Vec<Vec<usize>> = problem.steps.iter().map(|step| distinct(&step.reads)).collect();
        let mut readers = vec![Vec::new(); problem.buffers.len()];
        for (step, buffers) in reads.iter().enumerate() {
            for &buffer in buffers {
                readers[buffer].push(step);
            }
        }
        for (index, buffer) in problem.buffers.iter().enumerate() {
            let used = buffer.lives_to_end || !readers[index].is_empty();
            if used && !buffer.lives_from_start && writer[index].is_none() {
                return Err(ProblemError::NeverWritten { buffer: problem.buffer_label(index) });
            }
        }
        let predecessors: Vec<Vec<usize>> = reads
            .iter()
            .map(|buffers| distinct(&buffers.iter().filter_map(|&buffer| writer[buffer]).collect::<Vec<_>>()))
            .collect();
        let mut successors = vec![Vec::new(); problem.steps.len()];
        for (step, waits_for) in predecessors.iter().enumerate() {
            for &predecessor in waits_for {
                successors[predecessor].push(step);
            }
        }
        let rivals = reads.iter().map(|buffers| buffers.iter().map(|&buffer| readers[buffer].len()).sum());
        Ok(Self {
            problem,
            rivals: rivals.collect(),
            bytes: problem.buffers.iter().map(|buffer| placed_bytes(buffer.bytes)).collect(),
            scratch: problem.steps.iter().map(|step| placed_bytes(step.scratch_bytes)).collect(),
            reads,
            readers,
            successors,
            predecessors,
        })
    }

    /// Number of steps.
    pub(super) fn step_count(&self) -> usize {
        self.problem.steps.len()
    }

    /// Buffers that a step writes.
    pub(super) fn writes(&self, step: usize) -> &[usize] {
        &self.problem.steps[step].writes
    }

    /// Whether a buffer has nothing more to do once the steps for which `done` holds, and `step`, have run.
    pub(super) fn dies_at(&self, buffer: usize, step: usize, done: impl Fn(usize) -> bool) -> bool {
        !self.problem.buffers[buffer].lives_to_end
            && self.readers[buffer].iter().all(|&reader| reader == step || done(reader))
    }

    /// The in-place pairs to take at a step so that the most bytes are saved, each buffer in at most one of them.
    ///
    /// `dies` tells whether a buffer that the step reads is dead after it. Of several pairs that save the same,
    /// the first in the step's list is taken, or with `from_back` the last.
    pub(super) fn pairs_at(
        &self,
        step: usize,
        dies: impl Fn(usize) -> bool,
        from_back: bool,
    ) -> Vec<InPlace> {
        let offered = &self.problem.steps[step].in_place;
        let mut pairs: Vec<InPlace> = offered
            .iter()
            .copied()
            .filter(|pair| (1..=self.bytes[pair.read]).contains(&self.bytes[pair.write]) && dies(pair.read))
            .collect();
        if from_back {
            pairs.reverse();
        }
        pairs.sort_by_key(|pair| std::cmp::Reverse(self.bytes[pair.write]));
        let mut taken: Vec<InPlace> = Vec::new();
        for pair in pairs {
            if taken.iter().all(|other| other.read != pair.read && other.write != pair.write) {
                taken.push(pair);
            }
        }
        taken
    }

    /// The steps as they become ready; without those that wait for themselves.
    pub(super) fn breadth_first(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.predecessors.iter().map(Vec::len).collect();
        let mut steps: Vec<usize> = (0..self.step_count()).filter(|&step| waiting[step] == 0).collect();
        let mut next = 0;
        while let Some(&step) = steps.get(next) {
            next += 1;
            for &successor in &self.successors[step] {
                waiting[successor] -= 1;
                if waiting[successor] == 0 {
                    steps.push(successor);
                }
            }
        }
        steps
    }

    /// The error for a problem that has no order, because steps wait for themselves.
    pub(super) fn cycle(&self) -> Option<ProblemError> {
        let mut runs = vec![false; self.step_count()];
        self.breadth_first().into_iter().for_each(|step| runs[step] = true);
        let stuck = runs.iter().position(|&runs| !runs)?;
        Some(ProblemError::Cycle { step: self.problem.step_label(stuck) })
    }
}

fn check_indices(problem: &Problem) -> Result<(), ProblemError> {
    let count = problem.buffers.len();
    for (index, step) in problem.steps.iter().enumerate() {
        if let Some(&buffer) = step.reads.iter().chain(&step.writes).find(|&&buffer| buffer >= count) {
            return Err(ProblemError::UnknownBuffer { step: problem.step_label(index), buffer, count });
        }
        let foreign =
            |pair: &&InPlace| !step.reads.contains(&pair.read) || !step.writes.contains(&pair.write);
        if let Some(&InPlace { read, write }) = step.in_place.iter().find(foreign) {
            return Err(ProblemError::ForeignPair { step: problem.step_label(index), read, write });
        }
    }
    Ok(())
}

fn writers(problem: &Problem) -> Result<Vec<Option<usize>>, ProblemError> {
    let mut writer = vec![None; problem.buffers.len()];
    for (index, step) in problem.steps.iter().enumerate() {
        for &buffer in &step.writes {
            if problem.buffers[buffer].lives_from_start {
                let (buffer, step) = (problem.buffer_label(buffer), problem.step_label(index));
                return Err(ProblemError::InputWritten { buffer, step });
            }
            if let Some(first) = writer[buffer].replace(index) {
                return Err(ProblemError::WrittenTwice {
                    buffer: problem.buffer_label(buffer),
                    first: problem.step_label(first),
                    second: problem.step_label(index),
                });
            }
        }
    }
    Ok(writer)
}

/// The distinct members of a list, in the order of their first appearance.
fn distinct(list: &[usize]) -> Vec<usize> {
    let mut seen = std::collections::BTreeSet::new();
    list.iter().copied().filter(|&item| seen.insert(item)).collect()
}

//! The check of a plan, from the definitions alone: it shares no code with the planner.

use std::collections::BTreeSet;

use thiserror::Error;

use super::problem::{ALIGN, Label, Problem, Step};
use super::{Plan, SharedPlace};

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The plan is not about this problem: it has another number of steps or buffers, or names ones that do not exist.
    #[error("the plan belongs to another problem")]
    Foreign,
    /// A step stands in the order twice, another one not at all.
    #[error("step {step} runs more than once")]
    RunsTwice {
        /// The step.
        step: Label,
    },
    /// A step reads a buffer that was not filled yet.
    #[error("step {step} reads buffer {buffer} before it is written")]
    ReadsTooEarly {
        /// The step.
        step: Label,
        /// The buffer.
        buffer: Label,
    },
    /// A buffer that is used has no offset.
    #[error("buffer {buffer} has no place")]
    NotPlaced {
        /// The buffer.
        buffer: Label,
    },
    /// A step with scratch has no offset for it.
    #[error("the scratch of step {step} has no place")]
    ScratchNotPlaced {
        /// The step.
        step: Label,
    },
    /// An offset or the arena's size is no multiple of [`ALIGN`], or a block reaches over the arena's end.
    #[error("{bytes} bytes at {offset} are misaligned or do not fit into the arena")]
    OutOfBounds {
        /// Where the block begins.
        offset: u32,
        /// Its size.
        bytes: u32,
    },
    /// Two blocks that are in use at the same time share bytes.
    #[error("in slot {slot} the blocks at {first} and {second} overlap")]
    Overlap {
        /// 0 before the first step, k at the k-th step, one more than steps at the end.
        slot: usize,
        /// Offset of the lower block.
        first: u32,
        /// Offset of the other block.
        second: u32,
    },
    /// A buffer is overwritten although the step does not offer it, something still needs it, it is too small, it is
    /// elsewhere, or another pair uses it in the same step.
    #[error("step {step} must not write buffer {write} over buffer {read}")]
    IllegalPair {
        /// The step.
        step: Label,
        /// The buffer that is overwritten.
        read: Label,
        /// The buffer that overwrites it.
        write: Label,
    },
    /// The stated lower bound is not the most bytes alive in one slot.
    #[error("the lower bound is stated as {stated} bytes, but is {actual}")]
    WrongBound {
        /// What the plan says.
        stated: u32,
        /// What it is.
        actual: u64,
    },
}

/// Checks that a plan is right for a problem.
///
/// It replays the order slot by slot, lists what is in use, and compares neighbours in memory.
///
/// # Errors
/// The first [`PlanError`] met.
pub fn verify(problem: &Problem, plan: &Plan) -> Result<(), PlanError> {
    check_shape(problem, plan)?;
    let last_use = last_uses(problem, plan);
    check_pairs(problem, plan, &last_use)?;
    let end = plan.order.len() + 1;
    let mut written: Vec<bool> = problem.buffers.iter().map(|buffer| buffer.lives_from_start).collect();
    let mut alive: BTreeSet<usize> = (0..written.len()).filter(|&buffer| written[buffer]).collect();
    let mut overwriting = vec![Vec::new(); plan.order.len()];
    for pair in &plan.shared {
        overwriting[pair.step].push(pair.write);
    }
    let mut fullest = 0;
    for slot in 0..=end {
        let step = slot.checked_sub(1).and_then(|position| plan.order.get(position)).copied();
        if let Some(step) = step {
            for &buffer in &problem.steps[step].reads {
                if !written[buffer] {
                    let (step, buffer) = (problem.step_label(step), problem.buffer_label(buffer));
                    return Err(PlanError::ReadsTooEarly { step, buffer });
                }
            }
            for &buffer in &problem.steps[step].writes {
                written[buffer] = true;
                alive.insert(buffer);
            }
        }
        let overwriting = step.map_or(&[][..], |step| &overwriting[step]);
        let mut ranges = Vec::new();
        for &buffer in alive.iter().filter(|buffer| !overwriting.contains(buffer)) {
            let label = || PlanError::NotPlaced { buffer: problem.buffer_label(buffer) };
            ranges.push((plan.offsets[buffer].ok_or_else(label)?, problem.buffers[buffer].bytes));
        }
        if let Some(step) = step.filter(|&step| problem.steps[step].scratch_bytes > 0) {
            let label = || PlanError::ScratchNotPlaced { step: problem.step_label(step) };
            ranges.push((plan.scratch_offsets[step].ok_or_else(label)?, problem.steps[step].scratch_bytes));
        }
        fullest = check_slot(slot, ranges, plan.arena_bytes)?.max(fullest);
        alive.retain(|&buffer| problem.buffers[buffer].lives_to_end || last_use[buffer] > slot);
    }
    match u64::from(plan.lower_bound) == fullest {
        true => Ok(()),
        false => Err(PlanError::WrongBound { stated: plan.lower_bound, actual: fullest }),
    }
}

fn check_shape(problem: &Problem, plan: &Plan) -> Result<(), PlanError> {
    let (steps, buffers) = (problem.steps.len(), problem.buffers.len());
    let exists = |pair: &SharedPlace| pair.step < steps && pair.read < buffers && pair.write < buffers;
    let used = |step: &Step| {
        let pairs = step.in_place.iter().flat_map(|pair| [pair.read, pair.write]);
        step.reads.iter().chain(&step.writes).copied().chain(pairs).all(|buffer| buffer < buffers)
    };
    let sizes = [plan.order.len(), plan.scratch_offsets.len(), plan.offsets.len()];
    if sizes != [steps, steps, buffers]
        || plan.order.iter().any(|&step| step >= steps)
        || !plan.shared.iter().all(exists)
        || !problem.steps.iter().all(used)
    {
        return Err(PlanError::Foreign);
    }
    let mut seen = vec![false; steps];
    for &step in &plan.order {
        if std::mem::replace(&mut seen[step], true) {
            return Err(PlanError::RunsTwice { step: problem.step_label(step) });
        }
    }
    Ok(())
}

/// The last slot in which a step uses each buffer, 0 if none does.
fn last_uses(problem: &Problem, plan: &Plan) -> Vec<usize> {
    let mut last_use = vec![0; problem.buffers.len()];
    for (position, &step) in plan.order.iter().enumerate() {
        for &buffer in problem.steps[step].reads.iter().chain(&problem.steps[step].writes) {
            last_use[buffer] = position + 1;
        }
    }
    last_use
}

fn check_pairs(problem: &Problem, plan: &Plan, last_use: &[usize]) -> Result<(), PlanError> {
    let mut slots = vec![0; plan.order.len()];
    for (position, &step) in plan.order.iter().enumerate() {
        slots[step] = position + 1;
    }
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeSet::new());
    for pair in &plan.shared {
        let (read, write) = (&problem.buffers[pair.read], &problem.buffers[pair.write]);
        let offered = problem.steps[pair.step]
            .in_place
            .iter()
            .any(|offer| offer.read == pair.read && offer.write == pair.write);
        let alone = reads.insert((pair.step, pair.read)) && writes.insert((pair.step, pair.write));
        let dies = last_use[pair.read] == slots[pair.step] && !read.lives_to_end;
        let fits = write.bytes.div_ceil(ALIGN) <= read.bytes.div_ceil(ALIGN);
        let same_place = plan.offsets[pair.read] == plan.offsets[pair.write];
        if !(offered && alone && dies && fits && same_place) {
            return Err(PlanError::IllegalPair {
                step: problem.step_label(pair.step),
                read: problem.buffer_label(pair.read),
                write: problem.buffer_label(pair.write),
            });
        }
    }
    Ok(())
}

/// Checks what is in use in one slot, given as offset and size, and returns its bytes.
fn check_slot(slot: usize, mut ranges: Vec<(u32, u32)>, arena_bytes: u32) -> Result<u64, PlanError> {
    let rounded = |bytes: u32| u64::from(bytes).next_multiple_of(u64::from(ALIGN));
    ranges.retain(|&(_, bytes)| bytes > 0);
    ranges.sort_unstable();
    let mut total = 0;
    for (index, &(offset, bytes)) in ranges.iter().enumerate() {
        let end = u64::from(offset) + rounded(bytes);
        if !offset.is_multiple_of(ALIGN) || !arena_bytes.is_multiple_of(ALIGN) || end > u64::from(arena_bytes)
        {
            return Err(PlanError::OutOfBounds { offset, bytes });
        }
        if let Some(&(second, _)) = ranges.get(index + 1).filter(|(second, _)| u64::from(*second) < end) {
            return Err(PlanError::Overlap { slot, first: offset, second });
        }
        total += rounded(bytes);
    }
    Ok(total)
}

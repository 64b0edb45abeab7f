//! How large a model may be: what no sane model for a microcontroller exceeds.
//!
//! Conversion and execution run models, so that these limits bound their time and memory whatever a file says.

use secateur::format::metadata::{Entry, entries};
use secateur::{Model, kernels};
use thiserror::Error;

/// Bounds of arena and work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of arena.
    pub arena: usize,
    /// Inner-loop steps of one inference ([`Model::work`]).
    pub work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { arena: 64 << 20, work: 10_000_000_000 }
    }
}

/// Why a model is too large.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LimitError {
    /// It wants more RAM than there is.
    #[error(
        "activations and scratch take {needed} bytes of RAM, at most {limit} are allowed: no microcontroller has \
         more; use a smaller input or fewer channels"
    )]
    Arena {
        /// Bytes of the arena.
        needed: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// One inference takes too long.
    #[error(
        "one inference takes {steps} steps, at most {limit} are allowed: a microcontroller would need minutes; node \
         {index} '{name}' alone takes {own}, use a smaller input or fewer channels"
    )]
    Work {
        /// Multiply-accumulates, comparisons and elements moved.
        steps: u64,
        /// Steps that are allowed.
        limit: u64,
        /// The node that takes most.
        index: u16,
        /// Its name, if it has one.
        name: String,
        /// Its steps.
        own: u64,
    },
}

impl Limits {
    /// Checks a model.
    ///
    /// # Errors
    /// If the model exceeds a limit.
    pub fn check(&self, model: &Model<'_>) -> Result<(), LimitError> {
        if model.arena_len() > self.arena {
            return Err(LimitError::Arena { needed: model.arena_len(), limit: self.arena });
        }
        if model.work() > self.work {
            let (own, index) = heaviest(model);
            let name = name(model, index);
            return Err(LimitError::Work { steps: model.work(), limit: self.work, index, name, own });
        }
        Ok(())
    }
}

/// The steps of the node that takes most, and its index.
fn heaviest(model: &Model<'_>) -> (u64, u16) {
    let work = |node| kernels::ALL.find(&node).and_then(|operator| (operator.check)(&node).ok());
    model.tables().nodes().map(|node| work(node).unwrap_or(0)).zip(0u16..).max().unwrap_or_default()
}

fn name(model: &Model<'_>, node: u16) -> String {
    let names = entries(model.tables().metadata()).find_map(|entry| match entry {
        Entry::NodeName(index, name) if index == node => Some(name.to_owned()),
        _ => None,
    });
    names.unwrap_or_default()
}

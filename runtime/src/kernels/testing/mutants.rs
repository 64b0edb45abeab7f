//! A node with a few words of its file changed: whatever the operator's check accepts must run within bounds.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use zerocopy::IntoBytes;

use super::OneNode;
use super::one_node::{check, seal_words};
use crate::format::{Section, Tables};

/// Inner-loop steps of a mutant that is still run.
const PATIENCE: u64 = 1 << 20;

impl OneNode {
    /// Runs the node in thousands of variants with a few words changed: records, parameters, constants. Asserts that
    /// whatever its check accepts neither panics nor writes anything but its output and its scratch.
    pub(crate) fn assert_mutants_stay_within_bounds(&self) {
        extern crate std;
        use std::vec::Vec;

        let file = self.file(self.check().unwrap());
        let header = *Tables::read(file.as_bytes()).unwrap().header();
        let sections = [header.tensors, header.nodes, header.params, header.constants];
        let sections: Vec<Section> = sections.into_iter().filter(|section| section.len >= 4).collect();
        let mutations = proptest::collection::vec((any::<Index>(), any::<Index>(), Change::any()), 1..=3);
        let mut runner = TestRunner::new(ProptestConfig::with_cases(5000));
        let result = runner.run(&mutations, |mutations| {
            let mut mutant = file.clone();
            for (section, word, change) in mutations {
                let section = section.get(&sections);
                let word = section.offset as usize / 4 + word.index(section.len as usize / 4);
                mutant[word] = change.apply(mutant[word]);
            }
            seal_words(&mut mutant, 0);
            if let Some(Ok(work)) = check(&mutant)
                && work <= PATIENCE
            {
                seal_words(&mut mutant, work);
                self.run_file(&mutant);
            }
            Ok(())
        });
        result.unwrap();
    }
}

/// How a word of a file is changed.
#[derive(Debug, Clone, Copy)]
enum Change {
    Set(u32),
    Flip(u32),
    Add(u32),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            any::<u32>().prop_map(Self::Set),
            (0u32..8).prop_map(Self::Set),
            select(&[u32::MAX, 1 << 31, i32::MAX as u32, 0x0101_0101]).prop_map(Self::Set),
            (0u32..32).prop_map(|bit| Self::Flip(1 << bit)),
            select(&[1, u32::MAX, 0x0100, 0x1_0000]).prop_map(Self::Add),
        ]
    }

    fn apply(self, word: u32) -> u32 {
        match self {
            Self::Set(value) => value,
            Self::Flip(bits) => word ^ bits,
            Self::Add(summand) => word.wrapping_add(summand),
        }
    }
}

//! Rows of an image as vertical pairs: what [`Isa::stack_rows`](super::Isa::stack_rows) is told.

/// Rows and columns of some channels of an image.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'a> {
    /// The rows of each pair.
    pub runs: &'a Runs,
    /// The image, from the first column's first channel on.
    pub image: &'a [i8],
    /// Bytes from a column to the next; 0 repeats one.
    pub column_pitch: usize,
    /// Columns.
    pub columns: usize,
    /// Channels.
    pub channels: usize,
    /// Words from a channel to the next.
    pub plane: usize,
    /// Value of padding.
    pub padding: i8,
}

/// Pairs whose rows advance evenly. Distances are in bytes from the start of the image, and from a pair to the next; a row
/// with a pitch of 0 is padding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Run {
    upper: usize,
    lower: usize,
    pairs: usize,
    upper_pitch: usize,
    lower_pitch: usize,
}

/// The pairs of a column: those above the image, those on it and those below it.
#[derive(Debug, Clone, Copy)]
pub struct Runs {
    runs: [Run; 5],
    len: usize,
    pairs: usize,
    /// Greatest distance of a row.
    reach: usize,
}

/// Rows that pairs are made of.
#[derive(Debug, Clone, Copy)]
pub struct RowPairs {
    /// The upper row of the first pair; negative above the image.
    pub first: i32,
    /// Rows from a pair's upper one to its lower one.
    pub below: usize,
    /// Rows from a pair to the next, at least 1.
    pub step: usize,
    /// Number of pairs.
    pub pairs: usize,
}

impl Runs {
    /// The runs of `rows` in an image of `height` rows of `row_len` bytes.
    pub fn new(rows: &RowPairs, height: usize, row_len: usize) -> Self {
        let RowPairs { first, below, step, pairs } = *rows;
        // The first pair whose row, so far below the upper one, has reached `edge`.
        let bound = |edge: usize, below: usize| {
            let distance = edge as i32 - below as i32 - first;
            (distance.max(0) as usize).div_ceil(step.max(1)).min(pairs)
        };
        let upper = bound(0, 0)..bound(height, 0);
        let lower = bound(0, below)..bound(height, below);
        let inner = [upper.start.min(lower.end), upper.start.max(lower.end)];
        let edges = [lower.start, inner[0], inner[1], upper.end, pairs];
        let mut all = Self { runs: [Run::default(); 5], len: 0, pairs, reach: 0 };
        let mut start = 0;
        for end in edges {
            let Some(run) = all.runs.get_mut(all.len).filter(|_| start < end) else { continue };
            let mut place = |range: &core::ops::Range<usize>, below: usize| {
                if !range.contains(&start) {
                    return (0, 0);
                }
                let row = (first + (start * step + below) as i32).max(0) as usize;
                let last = (end - start - 1).saturating_mul(step).saturating_add(row).saturating_mul(row_len);
                all.reach = all.reach.max(last);
                (row * row_len, step * row_len)
            };
            let (upper, upper_pitch) = place(&upper, 0);
            let (lower, lower_pitch) = place(&lower, below);
            *run = Run { upper, lower, pairs: end - start, upper_pitch, lower_pitch };
            all.len += 1;
            start = end;
        }
        all
    }

    /// Nothing but padding.
    pub fn padding(pairs: usize) -> Self {
        let run = Run { pairs, ..Run::default() };
        Self { runs: [run; 5], len: usize::from(pairs > 0), pairs, reach: 0 }
    }

    /// Pairs of all runs.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Greatest distance of a row from the start of the image, in bytes.
    pub fn reach(&self) -> usize {
        self.reach
    }

    /// The runs, none of which is empty.
    pub fn as_slice(&self) -> &[Run] {
        self.runs.get(..self.len).unwrap_or_default()
    }

    /// Distances of the rows of each pair, upper one first; `None` for padding.
    pub fn each_pair(&self) -> impl Iterator<Item = [Option<usize>; 2]> {
        self.as_slice().iter().flat_map(|run| {
            let row = |start: usize, pitch: usize, pair: usize| (pitch > 0).then_some(start + pair * pitch);
            (0..run.pairs).map(move |pair| {
                [row(run.upper, run.upper_pitch, pair), row(run.lower, run.lower_pitch, pair)]
            })
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pairs_are_rows_of_the_image_or_padding(
            first in -20i32..20,
            below in 1usize..5,
            step in 1usize..7,
            pairs in 0usize..30,
            height in 1usize..20,
        ) {
            const ROW: usize = 3;
            let runs = Runs::new(&RowPairs { first, below, step, pairs }, height, ROW);
            let row = |pair: usize, below: usize| {
                let row = first + (pair * step + below) as i32;
                (row >= 0 && row < height as i32).then(|| row as usize * ROW)
            };
            let expected: Vec<_> = (0..pairs).map(|pair| [row(pair, 0), row(pair, below)]).collect();
            prop_assert_eq!(runs.each_pair().collect::<Vec<_>>(), expected.clone());
            let reach = expected.into_iter().flatten().flatten().max().unwrap_or(0);
            prop_assert_eq!(runs.reach(), reach);
            prop_assert!(runs.as_slice().iter().all(|run| run.pairs > 0));
        }
    }
}

//! How a kernel shares its work among threads.

use rayon::prelude::*;

/// Who works on one call of a kernel. Results do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The caller alone: for callers that run several samples at once.
    One,
    /// All threads of rayon's current pool.
    All,
}

impl Threads {
    /// Calls `work` with the index of each chunk of `length` elements and the chunk; the last one may be shorter.
    pub fn for_each_chunk<T: Send>(
        self,
        values: &mut [T],
        length: usize,
        work: impl Fn(usize, &mut [T]) + Sync + Send,
    ) {
        let length = length.max(1);
        match self {
            Threads::One => {
                values.chunks_mut(length).enumerate().for_each(|(index, chunk)| work(index, chunk))
            }
            Threads::All => {
                values.par_chunks_mut(length).enumerate().for_each(|(index, chunk)| work(index, chunk));
            }
        }
    }
}

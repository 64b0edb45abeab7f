//! Mean over windows, int8.
//!
//! `out[n,y,x,c] = clamp(mean over the window's pixels of in[.., c])`: the sum over the pixels that lie on the input,
//! divided by their number, rounded to nearest, ties away from zero.
//!
//! Sums are 32-bit and wrap. See [`pool2d`] for layouts and [`Params`].

use core::num::NonZeroU32;

use crate::format::{OpCode, Packing};
use crate::isa::Isa;
use crate::kernels::Operator;
use crate::kernels::pool2d::{self, Pool, Region};

pub use crate::kernels::pool2d::Params;

/// Channels per block, whose sums stay on the stack.
const BLOCK: usize = 32;

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator {
    code: OpCode::AveragePool2d,
    packing: Packing::Plain,
    check: pool2d::check,
    run: pool2d::run::<Average>,
};

/// The operator.
#[derive(Debug)]
pub enum Average {}

impl Pool for Average {
    fn pool<I: Isa>(region: &Region<'_>, output: &mut [i8]) {
        let Some(count) = NonZeroU32::new(region.pixels() as u32) else { return };
        for (first, out) in (0..).step_by(BLOCK).zip(output.chunks_mut(BLOCK)) {
            let mut sums = [0i32; BLOCK];
            let Some(sums) = sums.get_mut(..out.len()) else { return };
            region.for_each_row(first, |row, pixels| I::add_rows_i8(sums, row, pixels, region.channels()));
            for (out, &mut sum) in out.iter_mut().zip(sums) {
                *out = divide(sum, count) as i8;
            }
        }
    }
}

/// `sum / count`, rounded to nearest, ties away from zero.
#[inline]
fn divide(sum: i32, count: NonZeroU32) -> i32 {
    let magnitude = sum.unsigned_abs().wrapping_add(count.get() / 2) / count;
    if sum < 0 { (magnitude as i32).wrapping_neg() } else { magnitude as i32 }
}

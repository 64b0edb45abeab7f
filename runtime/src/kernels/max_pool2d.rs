//! Maximum over windows, int8.
//!
//! `out[n,y,x,c] = clamp(max over the window's pixels of in[.., c])`, padding left out.
//!
//! See [`pool2d`] for layouts and [`Params`].

use crate::format::{OpCode, Packing};
use crate::isa::Isa;
use crate::kernels::Operator;
use crate::kernels::pool2d::{self, Pool, Region};

pub use crate::kernels::pool2d::Params;

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator {
    code: OpCode::MaxPool2d,
    packing: Packing::Plain,
    check: pool2d::check,
    run: pool2d::run::<Max>,
};

/// The operator.
#[derive(Debug)]
pub enum Max {}

impl Pool for Max {
    fn pool<I: Isa>(region: &Region<'_>, output: &mut [i8]) {
        output.fill(i8::MIN);
        region.for_each_row(0, |row, pixels| I::max_rows_i8(output, row, pixels, region.channels()));
    }
}

//! What the pools share: parameters, checks and the walk over the windows.
//!
//! A window that reaches into the padding is clipped to the input: padding has no value. Layouts: NHWC; input and output
//! have the same scale and zero point, so that values are pooled as they are.

use core::ops::Range;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::Node;
use crate::isa::{Active, Isa};
use crate::kernels::{Axis, Call, NodeError, Tensor, TensorMut, Unary, Window, require};

/// Parameters in the file, 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Kernel size, stride and padding; dilation 1.
    pub window: Window,
    /// Lower bound of the fused activation, -128 if there is none.
    pub min: i8,
    /// Upper bound of the fused activation, 127 if there is none; at least `min`.
    pub max: i8,
    /// Zero.
    pub reserved: [u8; 2],
}

/// What a pool makes of the values in a window.
pub trait Pool {
    /// Pools the pixels of `region` into one output pixel, channel by channel.
    fn pool<I: Isa>(region: &Region<'_>, output: &mut [i8]);
}

/// The part of a window that lies on one image; at least one pixel.
#[derive(Debug)]
pub struct Region<'a> {
    /// The image from the first pixel on.
    image: &'a [i8],
    channels: usize,
    /// Rows of pixels that lie side by side, and pixels in each.
    rows: usize,
    columns: usize,
    /// Elements from a row to the next.
    pitch: usize,
}

impl<'a> Region<'a> {
    fn new(image: &'a [i8], [_, w, c]: [usize; 3], rows: &Range<usize>, columns: &Range<usize>) -> Self {
        let image = image.get((rows.start * w + columns.start) * c..).unwrap_or_default();
        let whole = columns.len() == w;
        let [rows, columns] = if whole { [1, rows.len() * w] } else { [rows.len(), columns.len()] };
        Self { image, channels: c, rows, columns, pitch: w * c }
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Visits rows of pixels: the elements from the first pixel's channel `first` on, and the number of pixels.
    #[inline]
    pub fn for_each_row(&self, first: usize, mut visit: impl FnMut(&'a [i8], usize)) {
        for row in 0..self.rows {
            visit(self.image.get(row * self.pitch + first..).unwrap_or_default(), self.columns);
        }
    }

    /// Number of channels: elements from a pixel to the next.
    pub fn channels(&self) -> usize {
        self.channels
    }
}

/// Checks a node of a [`Pool`]; its work is the values that its windows hold at most.
///
/// # Errors
/// If operands, shapes or parameters do not fit.
pub fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let Window { height, width } = params.window;
    let fields_fit = params.min <= params.max && params.reserved == [0; 2];
    require(fields_fit && height.dilation == 1 && width.dilation == 1, NodeError::Params)?;
    let (input, output) = node.check_unary::<i8, i8>(0)?;
    let [n, h, w, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    require(n == out_n && c == out_c, NodeError::Shape)?;
    let clipped = |axis: Axis, len: usize| usize::from(axis.kernel).min(len) as u64;
    Ok(output.shape.elements() as u64 * clipped(height, h) * clipped(width, w))
}

/// Runs a node of a [`Pool`].
pub fn run<P: Pool>(call: &mut Call<'_, '_>) {
    let Some(params) = call.node.params::<Params>() else { return };
    let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() else { return };
    pool2d::<P, Active>(params, input, output);
}

/// The kernel. Shapes are as [`check`] demands; otherwise the output is left unfinished.
pub fn pool2d<P: Pool, I: Isa>(params: &Params, input: Tensor<'_, i8>, output: TensorMut<'_, i8>) {
    let (Some([_, h, w, c]), Some([_, out_h, out_w, _])) = (input.shape.nhwc(), output.shape.nhwc()) else {
        return;
    };
    let Window { height, width } = params.window;
    let images = input.data.chunks_exact((h * w * c).max(1));
    let out_row_len = (out_w * c).max(1);
    for (image, out_image) in images.zip(output.data.chunks_exact_mut((out_h * out_row_len).max(1))) {
        for (y, out_row) in out_image.chunks_exact_mut(out_row_len).enumerate() {
            let rows = height.overlap(y, h);
            for (x, out_pixel) in out_row.chunks_exact_mut(c.max(1)).enumerate() {
                let columns = width.overlap(x, w);
                P::pool::<I>(&Region::new(image, [h, w, c], &rows, &columns), out_pixel);
                for value in out_pixel {
                    *value = (*value).min(params.max).max(params.min);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::format::OpCode;
    use crate::kernels::testing::definitions::{Array, values_under};
    use crate::kernels::testing::{OneNode, Random, windowed, windows};

    /// A pool of random values, and what `pool` makes of each window.
    fn case(
        op: OpCode,
        window: Window,
        shape: [usize; 4],
        seed: u64,
        pool: fn(&[i64]) -> i64,
    ) -> (OneNode, Vec<i8>) {
        let mut random = Random(seed);
        let [n, h, w, c] = shape;
        let [out_h, out_w] = windowed(&window, [h, w]);
        let input = Array { shape, data: random.values(shape.iter().product()) };
        let (stage, output) = (random.stage(), [n, out_h, out_w, c]);
        let expected = values_under(&window, &input, output)
            .map(|values| pool(&values).clamp(i64::from(stage.min), i64::from(stage.max)) as i8)
            .collect();
        let params = Params { window, min: stage.min, max: stage.max, reserved: [0; 2] };
        let node = OneNode::new(op).params(&params).input(&shape, &input.data).output::<i8>(&output);
        (node, expected)
    }

    /// Nearest integer to the mean, ties away from zero.
    fn mean(values: &[i64]) -> i64 {
        let (sum, count) = (values.iter().sum::<i64>(), values.len() as i64);
        (sum.abs() * 2 + count) / (2 * count) * sum.signum()
    }

    fn max(values: &[i64]) -> i64 {
        values.iter().copied().max().unwrap()
    }

    const AXIS: Axis = Axis { kernel: 3, stride: 1, dilation: 1, pad: 1 };

    #[test]
    fn mutants_stay_within_bounds() {
        let window = Window { height: AXIS, width: Axis { stride: 2, ..AXIS } };
        for (op, pool) in [(OpCode::AveragePool2d, mean as fn(&_) -> _), (OpCode::MaxPool2d, max)] {
            case(op, window, [2, 4, 5, 3], 0, pool).0.assert_mutants_stay_within_bounds();
        }
    }

    proptest! {
        #[test]
        fn average_equals_the_definition(
            window in windows(5, 1),
            image in (1usize..3, 1usize..9, 1usize..9, 1usize..70),
            seed: u64,
        ) {
            let (node, expected) = case(OpCode::AveragePool2d, window, image.into(), seed, mean);
            prop_assert_eq!(node.run::<i8>(), expected);
        }

        #[test]
        fn maximum_equals_the_definition(
            window in windows(5, 1),
            image in (1usize..3, 1usize..9, 1usize..9, 1usize..20),
            seed: u64,
        ) {
            let (node, expected) = case(OpCode::MaxPool2d, window, image.into(), seed, max);
            prop_assert_eq!(node.run::<i8>(), expected);
        }
    }

    #[test]
    fn a_window_larger_than_the_input_sees_all_of_it() {
        let axis = Axis { kernel: 9, pad: 4, ..AXIS };
        let window = Window { height: axis, width: axis };
        let (node, expected) = case(OpCode::AveragePool2d, window, [1, 2, 3, 1], 1, mean);
        assert_eq!(node.run::<i8>(), expected);
    }

    #[test]
    fn nodes_that_do_not_fit_are_refused() {
        let check = |height| {
            let window = Window { height, width: AXIS };
            case(OpCode::MaxPool2d, window, [1, 4, 4, 2], 0, |_| 0).0.check()
        };
        assert_eq!(check(AXIS), Ok(5 * 5 * 2 * 9));
        assert_eq!(check(Axis { pad: 3, ..AXIS }), Err(NodeError::Params));
        assert_eq!(check(Axis { dilation: 2, ..AXIS }), Err(NodeError::Params));
    }

    #[test]
    fn record_is_20_bytes() {
        assert_eq!(size_of::<Params>(), 20);
    }
}

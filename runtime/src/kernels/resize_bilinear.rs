//! Bilinear resize of images, int8.
//!
//! `out[n, y, x, c] = round((sum over i, j in {0, 1} of wy_i wx_j in[n, y_i, x_j, c]) / 2^20)`, NHWC, halves away from
//! zero, where along each axis `position = output position x scale + offset` in Q10, `y_0 = floor(position)`,
//! `y_1 = ceil(position)`, both within the input, `wy_1 = position - y_0`, `wy_0 = 1 - wy_1`: TensorFlow Lite's
//! `ResizeBilinearInteger`. The quantization of input and output is one.
//!
//! Where both neighbours are one, their weights add up to 1 whatever the position is; the fraction counts as 0 there. So
//! weights are in `[0, 1]` and sums fit 28 bits.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, require};

/// Height and width of input and output stay below this, and positions below 2^27.
pub const LIMIT: usize = 1 << 15;

/// 1.0 in Q10.
const ONE: i32 = 1 << 10;

/// Parameters in the file, 4 bytes. Each is 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Whether the corner pixels of input and output lie on each other.
    pub align_corners: u8,
    /// Whether a pixel's position is that of its centre.
    pub half_pixel_centers: u8,
    /// Zero.
    pub reserved: [u8; 2],
}

/// Entry for a kernel set.
pub static OPERATOR: Operator =
    Operator { code: OpCode::ResizeBilinear, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let flags = params.align_corners <= 1 && params.half_pixel_centers <= 1 && params.reserved == [0; 2];
    require(flags, NodeError::Params)?;
    let (input, output) = node.check_unary::<i8, i8>(0)?;
    let [n, h, w, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    require((n, c) == (out_n, out_c), NodeError::Shape)?;
    require([h, w, out_h, out_w].iter().all(|&len| len < LIMIT), NodeError::Shape)?;
    Ok(output.shape.elements() as u64 * 4)
}

fn run(call: &mut Call<'_, '_>) {
    let Some(params) = call.node.params::<Params>() else { return };
    if let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() {
        resize_bilinear(params, input, output);
    }
}

/// The kernel. Shapes are as `check` demands.
pub fn resize_bilinear(params: &Params, input: Tensor<'_, i8>, output: TensorMut<'_, i8>) {
    let (Some([_, h, w, c]), Some([_, out_h, out_w, _])) = (input.shape.nhwc(), output.shape.nhwc()) else {
        return;
    };
    let rows = Positions::new(params, h, out_h);
    let columns = Positions::new(params, w, out_w);
    let mut out_pixels = output.data.chunks_exact_mut(c.max(1));
    for image in input.data.chunks_exact((h * w * c).max(1)) {
        for y in 0..out_h {
            let y = rows.at(y);
            for (x, out) in (0..out_w).zip(&mut out_pixels) {
                let x = columns.at(x);
                let pixel = |y: usize, x: usize| image.get((y * w + x) * c..).unwrap_or_default();
                let near = pixel(y.low, x.low).iter().zip(pixel(y.low, x.high));
                let far = pixel(y.high, x.low).iter().zip(pixel(y.high, x.high));
                for ((out, near), far) in out.iter_mut().zip(near).zip(far) {
                    let along_x = |(&low, &high): (&i8, &i8)| x.between(low.into(), high.into());
                    *out = narrow(y.between(along_x(near), along_x(far)));
                }
            }
        }
    }
}

/// A Q20 sum of int8 values as int8, halves away from zero.
#[inline(always)]
fn narrow(sum: i32) -> i8 {
    let half = if sum > 0 { 1 << 19 } else { -(1 << 19) };
    ((sum + half) / (1 << 20)) as i8
}

/// How the positions of one axis of the output lie on the input.
#[derive(Debug)]
struct Positions {
    /// Q10.
    scale: i32,
    /// Q10.
    offset: i32,
    /// Last position of the input.
    last: i32,
}

/// Two neighbouring positions of the input and the place between them.
#[derive(Debug, PartialEq)]
struct Between {
    low: usize,
    high: usize,
    /// Distance from `low`, Q10, below 1.
    fraction: i32,
}

impl Positions {
    /// Lengths are at least 1 and below [`LIMIT`].
    fn new(params: &Params, input_len: usize, output_len: usize) -> Self {
        let (input, output) = (input_len as i32, output_len as i32);
        let scale = if params.align_corners != 0 && output > 1 {
            (ONE * (input - 1) + (output - 1) / 2) / (output - 1)
        } else {
            (ONE * input + output / 2) / output.max(1)
        };
        let offset = if params.half_pixel_centers != 0 { scale / 2 - ONE / 2 } else { 0 };
        Self { scale, offset, last: input - 1 }
    }

    fn at(&self, output: usize) -> Between {
        let position = output as i32 * self.scale + self.offset;
        let low = (position / ONE).min(self.last).max(0);
        let high = ((position + ONE - 1) / ONE).min(self.last).max(low);
        let fraction = if low == high { 0 } else { position - low * ONE };
        Between { low: low as usize, high: high as usize, fraction }
    }
}

impl Between {
    /// The value between two neighbours, with 10 more fractional bits.
    #[inline(always)]
    fn between(&self, low: i32, high: i32) -> i32 {
        low * (ONE - self.fraction) + high * self.fraction
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::definitions::{flat, position};
    use crate::kernels::testing::{OneNode, values};

    fn node(align_corners: bool, half_pixel_centers: bool) -> OneNode {
        OneNode::new(OpCode::ResizeBilinear).params(&Params {
            align_corners: align_corners.into(),
            half_pixel_centers: half_pixel_centers.into(),
            reserved: [0; 2],
        })
    }

    /// One axis as the reference kernel writes it: low, high and a fraction that may be negative or above 1.
    fn reference(align: bool, half: bool, input: i64, output: i64, at: i64) -> (i64, i64, i64) {
        let scale = if align && output > 1 {
            (1024 * (input - 1) + (output - 1) / 2) / (output - 1)
        } else {
            (1024 * input + output / 2) / output
        };
        let position = at * scale + if half { scale / 2 - 512 } else { 0 };
        let low = (position / 1024).max(0);
        (low, ((position + 1023) / 1024).min(input - 1), position - 1024 * low)
    }

    #[test]
    fn a_row_by_hand() {
        let input = [0i8, 100];
        let row = |align, half| {
            let node = node(align, half).input(&[1, 1, 2, 1], &input);
            node.output::<i8>(&[1, 1, 4, 1]).run::<i8>()
        };
        assert_eq!(row(false, false), [0, 50, 100, 100]);
        assert_eq!(row(true, false), [0, 33, 67, 100]);
        assert_eq!(row(false, true), [0, 25, 75, 100]);
    }

    #[test]
    fn halves_go_away_from_zero() {
        let node = node(false, false).input(&[1, 1, 2, 2], &[1i8, -1, 2, -2]);
        assert_eq!(node.output::<i8>(&[1, 1, 4, 2]).run::<i8>(), [1, -1, 2, -2, 2, -2, 2, -2]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let node = node(false, false).input(&[1, 2, 1, 3], &[0i8; 6]);
        assert_eq!(node.clone().output::<i8>(&[1, 4, 1, 3]).check(), Ok(48));
        assert_eq!(node.clone().output::<i8>(&[1, 4, 1, 2]).check(), Err(NodeError::Shape));
        assert_eq!(node.clone().output::<i8>(&[1, 1 << 15, 1, 3]).check(), Err(NodeError::Shape));
        let params = Params { align_corners: 2, half_pixel_centers: 0, reserved: [0; 2] };
        assert_eq!(node.params(&params).output::<i8>(&[1, 4, 1, 3]).check(), Err(NodeError::Params));
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node = node(false, true).input(&[2, 2, 3, 2], &[1i8; 24]).output::<i8>(&[2, 5, 2, 2]);
        node.assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn positions_stay_inside_at_any_size(
            input in 1usize..LIMIT, output in 1usize..LIMIT, align: bool, half: bool, at: prop::sample::Index,
        ) {
            let params =
                Params { align_corners: align.into(), half_pixel_centers: half.into(), reserved: [0; 2] };
            let positions = Positions::new(&params, input, output);
            for at in [0, at.index(output), output - 1] {
                let Between { low, high, fraction } = positions.at(at);
                prop_assert!(low <= high && high <= low + 1 && high < input && (0..ONE).contains(&fraction));
            }
        }

        #[test]
        fn equals_the_reference_index_by_index(
            (dims, out_h, out_w, values) in prop::array::uniform4(1usize..5).prop_flat_map(|dims| {
                (Just(dims), 1usize..12, 1usize..12, values(&dims))
            }),
            align: bool,
            half: bool,
        ) {
            let [n, h, w, c] = dims;
            let out_dims = [n, out_h, out_w, c];
            let expected: Vec<i8> = (0..out_dims.iter().product::<usize>())
                .map(|i| {
                    let at = position(&out_dims, i);
                    let (y0, y1, fy) = reference(align, half, h as i64, out_h as i64, at[1] as i64);
                    let (x0, x1, fx) = reference(align, half, w as i64, out_w as i64, at[2] as i64);
                    let value = |y: i64, x: i64| {
                        // Rounded scales can lead past the end, where the reference reads what it should not.
                        let (y, x) = (y.min(h as i64 - 1), x.min(w as i64 - 1));
                        i64::from(values[flat(&dims, &[at[0], y as usize, x as usize, at[3]])])
                    };
                    let sum = value(y0, x0) * (1024 - fy) * (1024 - fx)
                        + value(y1, x0) * fy * (1024 - fx)
                        + value(y0, x1) * (1024 - fy) * fx
                        + value(y1, x1) * fy * fx;
                    ((sum + if sum > 0 { 1 << 19 } else { -(1 << 19) }) / (1 << 20)) as i8
                })
                .collect();
            let node = node(align, half).input(&dims, &values).output::<i8>(&out_dims);
            prop_assert_eq!(node.run::<i8>(), expected);
        }
    }
}

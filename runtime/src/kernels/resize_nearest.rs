//! Nearest-neighbour resize of images, int8.
//!
//! `out[n, y, x, c] = in[n, rows[y], columns[x], c]`, NHWC. The tables stand in the file because TensorFlow Lite's choice
//! of neighbour is defined in binary32 ([`neighbour`]), which the device need not compute.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::kernels::quantize::round;
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, require};

/// Parameters in the file, 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset in the constant section of the input row of each output row, as `u16`; one past the end counts as the last.
    pub rows: u32,
    /// Offset of the input column of each output column, likewise.
    pub columns: u32,
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::ResizeNearest, packing: Packing::Plain, check, run };

/// The input position that output position `output` of `output_len` takes, as TensorFlow Lite's reference kernel.
pub fn neighbour(
    output: u16,
    input_len: u16,
    output_len: u16,
    align_corners: bool,
    half_pixel_centers: bool,
) -> u16 {
    let [input, len] = [input_len, output_len].map(f32::from);
    let scale = if align_corners && output_len > 1 { (input - 1.0) / (len - 1.0) } else { input / len };
    let position = (f32::from(output) + if half_pixel_centers { 0.5 } else { 0.0 }) * scale;
    let nearest = if align_corners { round(position) } else { position as i32 };
    nearest.clamp(0, i32::from(input_len.saturating_sub(1))) as u16
}

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let (input, output) = node.check_unary::<i8, i8>(0)?;
    let [n, _, _, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    require((n, c) == (out_n, out_c), NodeError::Shape)?;
    node.constants::<u16>(params.rows, out_h).ok_or(NodeError::Constants)?;
    node.constants::<u16>(params.columns, out_w).ok_or(NodeError::Constants)?;
    Ok(output.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() else { return };
    let Some([_, out_h, out_w, _]) = output.shape.nhwc() else { return };
    let Some(rows) = node.constants::<u16>(params.rows, out_h) else { return };
    let Some(columns) = node.constants::<u16>(params.columns, out_w) else { return };
    resize_nearest(rows, columns, input, output);
}

/// The kernel: one entry of `rows` and `columns` per output row and column, each a position in the input.
pub fn resize_nearest(rows: &[u16], columns: &[u16], input: Tensor<'_, i8>, output: TensorMut<'_, i8>) {
    let Some([_, h, w, c]) = input.shape.nhwc() else { return };
    let mut out_pixels = output.data.chunks_exact_mut(c.max(1));
    let within = |at: u16, len: usize| usize::from(at).min(len.saturating_sub(1));
    for image in input.data.chunks_exact((h * w * c).max(1)) {
        for &y in rows {
            let row = image.get(within(y, h) * w * c..).unwrap_or_default();
            for (&x, out) in columns.iter().zip(&mut out_pixels) {
                let pixel = row.get(within(x, w) * c..).unwrap_or_default();
                for (out, &value) in out.iter_mut().zip(pixel) {
                    *out = value;
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
    use crate::kernels::testing::definitions::{flat, position};
    use crate::kernels::testing::{OneNode, values};

    fn table(input_len: u16, output_len: u16, align: bool, half: bool) -> Vec<u16> {
        (0..output_len).map(|at| neighbour(at, input_len, output_len, align, half)).collect()
    }

    #[test]
    fn neighbours_by_hand() {
        assert_eq!(table(2, 4, false, false), [0, 0, 1, 1]);
        assert_eq!(table(2, 3, false, false), [0, 0, 1]);
        assert_eq!(table(2, 3, true, false), [0, 1, 1]);
        assert_eq!(table(4, 2, false, true), [1, 3]);
        assert_eq!(table(3, 1, true, true), [2]);
        assert_eq!(table(5, 5, true, false), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn positions_past_the_end_count_as_the_last_and_tables_outside_the_file_are_refused() {
        let node = |row: u16, columns| {
            let mut node = OneNode::new(OpCode::ResizeNearest);
            let rows = node.constants(&[0u16, row]);
            let node = node.params(&Params { rows, columns }).input(&[1, 2, 1, 3], &[0i8, 1, 2, 3, 4, 5]);
            node.output::<i8>(&[1, 2, 1, 3])
        };
        assert_eq!(node(1, 0).check(), Ok(6));
        assert_eq!(node(1, 4).check(), Err(NodeError::Constants));
        for row in [1, 2, u16::MAX] {
            assert_eq!(node(row, 0).run::<i8>(), [0, 1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let mut node = OneNode::new(OpCode::ResizeNearest);
        let params = Params { rows: node.constants(&[0u16, 0, 1]), columns: node.constants(&[0u16, 1]) };
        let node = node.params(&params).input(&[2, 2, 2, 3], &[1i8; 24]).output::<i8>(&[2, 3, 2, 3]);
        node.assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn neighbours_are_in_range_and_in_order(
            input_len in 1u16..2000, output_len in 1u16..2000, align: bool, half: bool,
        ) {
            let table = table(input_len, output_len, align, half);
            prop_assert!(table.is_sorted());
            prop_assert!(table.iter().all(|&at| at < input_len));
        }

        #[test]
        fn equals_index_by_index(
            (dims, out_h, out_w, values) in prop::array::uniform4(1usize..5).prop_flat_map(|dims| {
                (Just(dims), 1u16..9, 1u16..9, values(&dims))
            }),
            align: bool,
            half: bool,
        ) {
            let [n, h, w, c] = dims;
            let (rows, columns) = (table(h as u16, out_h, align, half), table(w as u16, out_w, align, half));
            let out_dims = [n, out_h.into(), out_w.into(), c];
            let expected: Vec<i8> = (0..out_dims.iter().product::<usize>())
                .map(|i| {
                    let at = position(&out_dims, i);
                    values[flat(&dims, &[at[0], rows[at[1]].into(), columns[at[2]].into(), at[3]])]
                })
                .collect();
            let mut node = OneNode::new(OpCode::ResizeNearest);
            let params = Params { rows: node.constants(&rows), columns: node.constants(&columns) };
            let node = node.params(&params).input(&dims, &values).output::<i8>(&out_dims);
            prop_assert_eq!(node.run::<i8>(), expected);
        }
    }
}

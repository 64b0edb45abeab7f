//! Layers that multiply by weights: convolutions, fully connected.

use secateur::format::{OpCode, Packing};
use secateur::kernels::{
    Axis, Window, conv2d, conv2d_lanes, conv2d_signs, conv2d_xnor, fully_connected, fully_connected_lanes,
    fully_connected_signs, fully_connected_xnor, transpose_conv2d,
};

use super::dense::{self, Dense, Stored};
use super::{Lowering, Step, image_size, indexable};
use crate::arithmetic::scale::stage;
use crate::arithmetic::weights::{self, row_sums};
use crate::arithmetic::{int8, narrow, unsupported};
use crate::ir::attributes::{Conv2d, FullyConnected, TransposeConv2d};
use crate::ir::{Activation, DType, Fault, Hw, Node, Padding, Tensor};

/// Scratch of a convolution's strip of windows, unless one window alone takes more.
const MOST_STRIP_BYTES: usize = 4096;

/// The same where windows have no columns in common.
const MOST_POINTWISE_BYTES: usize = 3072;

/// Scratch of a block of pixels of a layer on signs, unless it would hold fewer than [`LEAST_BLOCK`].
const MOST_BLOCK_BYTES: usize = 4096;

/// Pixels that a block has room for in any case.
const LEAST_BLOCK: usize = 8;

/// Most records of a transposed convolution, one per phase and channel.
const MOST_RECORDS: usize = 1 << 20;

impl<'g> Lowering<'g> {
    pub(super) fn conv2d(&mut self, node: &Node, conv: &Conv2d) -> Result<(), Fault> {
        let filter = self.operand(node, 1)?;
        let window = window(filter_size(filter)?, conv.stride, conv.dilation, conv.padding)?;
        self.check_window(node, &window)?;
        let weights = self.weights(filter)?;
        self.convolution(node, &weights, filter, window, conv.groups, conv.activation)
    }

    /// A convolution with `weights` in OHWI order; `filter` says how they are quantized.
    pub(super) fn convolution(
        &mut self,
        node: &Node,
        weights: &[i8],
        filter: &Tensor,
        window: Window,
        groups: usize,
        activation: Activation,
    ) -> Result<(), Fault> {
        let (input, output) = (self.operand(node, 0)?, self.result(node)?);
        let (from, to) = (int8("input", input)?, int8("output", output)?);
        let output_channels = output.shape.last().copied().unwrap_or(1).max(1);
        let sums = row_sums(weights, output_channels);
        let channels = weights::channels(filter, self.bias(node), &sums, from, to)?;
        let input_channels = input.shape.last().copied().unwrap_or(1);
        let pixels = output.shape.elements().unwrap_or(0) / output_channels;
        let by_column = (groups == 1).then(|| by_column(weights, &window, input_channels));
        let Stored { packing, weights, channels } = self.store_dense(&Dense {
            dtype: filter.dtype,
            weights,
            for_lanes: by_column.as_deref(),
            group: conv2d_lanes::GROUP,
            pixels,
            binary_inputs: self.reads_signs(node),
            channels: &channels,
            stage: stage(to, activation),
        });
        let params = conv2d::Params {
            weights,
            channels,
            window,
            groups: u32::try_from(groups).map_err(|_| unsupported("too many groups".to_owned()))?,
            stage: stage(to, activation),
            input_zero_point: narrow(from.zero_point),
            reserved: [0; 3],
        };
        let scratch_len = match packing {
            Packing::Lanes | Packing::NibbleLanes => strip_scratch(&params, input_channels, output),
            Packing::Signs => {
                block_scratch(pixels, |pixels| conv2d_signs::scratch_len(&params, input_channels, pixels))
            }
            Packing::Xnor => conv2d_xnor::scratch_len(&params, input_channels),
            _ => conv2d::scratch_len(&params, input_channels),
        };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        let step = Step::new(&node.name, OpCode::Conv2d, &params, vec![input], vec![output]);
        self.step(Step { scratch_len, packing, ..step })
    }

    /// Refuses a window that the runtime cannot slide over the node's input.
    pub(super) fn check_window(&self, node: &Node, window: &Window) -> Result<(), Fault> {
        let input = image_size("input", self.operand(node, 0)?)?;
        let output = image_size("output", self.result(node)?)?;
        indexable(window.check(input, output), input, output)
    }

    /// Weights and records are stored phase by phase: each phase is a convolution of stride 1.
    pub(super) fn transpose_conv2d(&mut self, node: &Node, conv: &TransposeConv2d) -> Result<(), Fault> {
        let (input, filter, output) = (self.operand(node, 0)?, self.operand(node, 1)?, self.result(node)?);
        let (from, to) = (int8("input", input)?, int8("output", output)?);
        let size = filter_size(filter)?;
        let window = window(size, conv.stride, Hw::square(1), conv.padding)?;
        let ([h, w], [out_h, out_w]) = (image_size("input", input)?, image_size("output", output)?);
        let fits = window.height.check_transposed(h, out_h).and(window.width.check_transposed(w, out_w));
        indexable(fits, [h, w], [out_h, out_w])?;
        let depth = input.shape.last().copied().unwrap_or(1);
        let rows = output.shape.last().copied().unwrap_or(1);
        if conv.stride.height.saturating_mul(conv.stride.width).saturating_mul(rows) > MOST_RECORDS {
            return Err(unsupported(format!("a stride of {} for {rows} channels is too large", conv.stride)));
        }
        let weights = self.weights(filter)?;
        let (mut packed, mut records) = (Vec::new(), Vec::new());
        for phase_y in 0..conv.stride.height {
            for phase_x in 0..conv.stride.width {
                let mut phase = Vec::new();
                for o in 0..rows {
                    for i in transpose_conv2d::phase_positions(&window.height, phase_y) {
                        for j in transpose_conv2d::phase_positions(&window.width, phase_x) {
                            let start = ((o * size.height + i) * size.width + j) * depth;
                            phase.extend_from_slice(weights.get(start..start + depth).unwrap_or_default());
                        }
                    }
                }
                records.extend(weights::channels(
                    filter,
                    self.bias(node),
                    &row_sums(&phase, rows),
                    from,
                    to,
                )?);
                packed.extend(phase);
            }
        }
        let params = transpose_conv2d::Params {
            weights: self.store_plain(filter.dtype, &packed),
            channels: self.constants.add(&records[..]),
            window,
            stage: stage(to, conv.activation),
            input_zero_point: narrow(from.zero_point),
            reserved: [0; 3],
        };
        let scratch_len = transpose_conv2d::scratch_len(&params, depth);
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        let step = Step::new(&node.name, OpCode::TransposeConv2d, &params, vec![input], vec![output]);
        self.step(Step { scratch_len, packing: dense::plain(filter.dtype), ..step })
    }

    pub(super) fn fully_connected(&mut self, node: &Node, layer: &FullyConnected) -> Result<(), Fault> {
        let (input, filter, output) = (self.operand(node, 0)?, self.operand(node, 1)?, self.result(node)?);
        if input.dtype == DType::F32 {
            return self.dynamic_fully_connected(node, layer);
        }
        let (from, to) = (int8("input", input)?, int8("output", output)?);
        let weights = self.weights(filter)?;
        let depth = filter.shape.get(1).copied().unwrap_or(1);
        let sums = row_sums(&weights, filter.shape.first().copied().unwrap_or(1));
        let channels = weights::channels(filter, self.bias(node), &sums, from, to)?;
        let rows = output.shape.elements().unwrap_or(0) / output.shape.last().copied().unwrap_or(1).max(1);
        let Stored { packing, weights, channels } = self.store_dense(&Dense {
            dtype: filter.dtype,
            weights: &weights,
            for_lanes: Some(&weights),
            group: fully_connected_lanes::GROUP,
            pixels: rows,
            binary_inputs: self.reads_signs(node),
            channels: &channels,
            stage: stage(to, layer.activation),
        });
        let params = fully_connected::Params {
            weights,
            channels,
            depth: u32::try_from(depth).map_err(|_| unsupported("too many inputs".to_owned()))?,
            stage: stage(to, layer.activation),
        };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        let scratch_len = match packing {
            Packing::Lanes | Packing::NibbleLanes => fully_connected_lanes::scratch_len(&params),
            Packing::Signs => block_scratch(rows, |rows| fully_connected_signs::scratch_len(&params, rows)),
            Packing::Xnor => fully_connected_xnor::scratch_len(&params),
            _ => 0,
        };
        let step = Step::new(&node.name, OpCode::FullyConnected, &params, vec![input], vec![output]);
        self.step(Step { scratch_len, packing, ..step })
    }

    /// The bias, which a layer may have or not.
    pub(super) fn bias(&self, node: &Node) -> Option<&'g Tensor> {
        self.graph.input_of(node, 2)
    }
}

/// OHWI weights as [`conv2d_lanes`] has them: each channel's kernel column by column, padded to an even number of values.
pub(super) fn by_column(weights: &[i8], window: &Window, input_channels: usize) -> Vec<i8> {
    let (height, width) = (usize::from(window.height.kernel), usize::from(window.width.kernel));
    let mut columns = Vec::with_capacity(weights.len());
    for channel in weights.chunks((height * width * input_channels).max(1)) {
        for column in 0..width {
            for row in 0..height {
                let start = (row * width + column) * input_channels;
                columns.extend_from_slice(channel.get(start..start + input_channels).unwrap_or_default());
            }
            if (height * input_channels) % 2 == 1 {
                columns.push(0);
            }
        }
    }
    columns
}

/// Scratch for strips that are as long as pays: neighbouring windows share columns, and a strip costs a little by itself.
fn strip_scratch(params: &conv2d::Params, input_channels: usize, output: &Tensor) -> usize {
    let scratch = |outputs| conv2d_lanes::scratch_len(params, input_channels, outputs);
    let (most_bytes, most) = match output.shape[..] {
        [n, h, w, _] if params.window.is_pointwise() => (MOST_POINTWISE_BYTES, n * h * w / 2),
        [_, _, w, _] if params.window.width.dilation == 1 => (MOST_STRIP_BYTES, w),
        _ => (0, 1),
    };
    let outputs = (2..=most).take_while(|&outputs| scratch(outputs) <= most_bytes).last();
    scratch(outputs.unwrap_or(1))
}

/// Scratch for a block of pixels: as many as stay small, but eight in any case, for the bits of a pair of channels become
/// masks anew for each block.
fn block_scratch(pixels: usize, scratch_len: impl Fn(usize) -> usize) -> usize {
    let blocks = (LEAST_BLOCK..=pixels).step_by(4).chain([pixels]);
    let fitting = blocks.map(&scratch_len).filter(|&len| len <= MOST_BLOCK_BYTES).max();
    fitting.unwrap_or_else(|| scratch_len(pixels.clamp(1, LEAST_BLOCK)))
}

/// Height and width of a filter whose axes 1 and 2 they are.
pub(super) fn filter_size(filter: &Tensor) -> Result<Hw, Fault> {
    match filter.shape[..] {
        [_, height, width, _] => Ok(Hw { height, width }),
        _ => Err(Fault::Rank { role: "filter", shape: filter.shape.clone(), expected: "4" }),
    }
}

/// The runtime's window.
///
/// # Errors
/// If a number does not fit its record.
pub(super) fn window(size: Hw, stride: Hw, dilation: Hw, padding: Padding) -> Result<Window, Fault> {
    let axis = |kernel: usize, stride: usize, dilation: usize, pad: usize| {
        let narrow = |value: usize| {
            u16::try_from(value)
                .map_err(|_| unsupported(format!("a window parameter of {value} is too large")))
        };
        Ok::<_, Fault>(Axis {
            kernel: narrow(kernel)?,
            stride: narrow(stride)?,
            dilation: narrow(dilation)?,
            pad: narrow(pad)?,
        })
    };
    Ok(Window {
        height: axis(size.height, stride.height, dilation.height, padding.top)?,
        width: axis(size.width, stride.width, dilation.width, padding.left)?,
    })
}

//! Operators that move values: padding, slices, joins.

use secateur::format::{MAX_RANK, OpCode};
use secateur::kernels::{concatenation, pad, strided_slice, transpose};

use super::{Lowering, Step, ValueId, same_quantization};
use crate::arithmetic::scale::quantize;
use crate::arithmetic::table::requantization;
use crate::arithmetic::{int8, narrow, unsupported};
use crate::ir::attributes::{Concatenation, Pad, SliceAxis, Split, Stack, StridedSlice, Transpose};
use crate::ir::{Activation, DType, Fault, Node, TensorId};

impl Lowering<'_> {
    pub(super) fn pad(&mut self, node: &Node, pad: &Pad) -> Result<(), Fault> {
        self.check_moved(node)?;
        let output = self.result(node)?;
        let value = match output.dtype {
            DType::I8 => [narrow(quantize(pad.value, int8("output", output)?)) as u8, 0, 0, 0],
            DType::F32 => pad.value.to_le_bytes(),
            DType::I32 => (pad.value as i32).to_le_bytes(),
            found => {
                return Err(Fault::Type { role: "output", found, expected: "i8, i32 or f32".to_owned() });
            }
        };
        let params = pad::Params { before: per_axis(&pad.before, 0)?, value };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::Pad, &params, vec![input], vec![output]))
    }

    pub(super) fn transpose(&mut self, node: &Node, transpose: &Transpose) -> Result<(), Fault> {
        self.check_moved(node)?;
        let axes = per_axis(&transpose.permutation, 0)?;
        let params = transpose::Params { permutation: axes.map(|axis| axis as u8), reserved: [0; 2] };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::Transpose, &params, vec![input], vec![output]))
    }

    pub(super) fn strided_slice(&mut self, node: &Node, slice: &StridedSlice) -> Result<(), Fault> {
        self.check_moved(node)?;
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.slice(node, input, output, &slice.axes)
    }

    pub(super) fn split(&mut self, node: &Node, split: &Split) -> Result<(), Fault> {
        let mut begin = 0;
        for (&output, &count) in node.outputs.iter().zip(&split.sizes) {
            self.part(node, output, split.axis, begin, count)?;
            begin += count;
        }
        Ok(())
    }

    pub(super) fn unpack(&mut self, node: &Node, stack: &Stack) -> Result<(), Fault> {
        for (begin, &output) in node.outputs.iter().enumerate() {
            self.part(node, output, stack.axis, begin, 1)?;
        }
        Ok(())
    }

    /// One output of a node that cuts its input along an axis.
    fn part(
        &mut self,
        node: &Node,
        output: TensorId,
        axis: usize,
        begin: usize,
        count: usize,
    ) -> Result<(), Fault> {
        let input = self.operand(node, 0)?;
        if input.quantization != self.graph[output].quantization {
            return Err(unsupported(REQUANTIZES.to_owned()));
        }
        let whole = |&count: &usize| SliceAxis { begin: 0, count, stride: 1 };
        let mut axes: Vec<SliceAxis> = input.shape.iter().map(whole).collect();
        if let Some(cut) = axes.get_mut(axis) {
            *cut = SliceAxis { begin, count, ..*cut };
        }
        let (input, output) = (self.input_value(node, 0)?, self.value(output)?);
        self.slice(node, input, output, &axes)
    }

    fn slice(
        &mut self,
        node: &Node,
        input: ValueId,
        output: ValueId,
        axes: &[SliceAxis],
    ) -> Result<(), Fault> {
        let list = |f: fn(&SliceAxis) -> usize| axes.iter().map(f).collect::<Vec<_>>();
        let mut stride = [1i32; MAX_RANK];
        for (to, axis) in stride.iter_mut().zip(axes) {
            *to = i32::try_from(axis.stride).map_err(|_| unsupported("stride out of range".to_owned()))?;
        }
        let rank = axes.len().max(1);
        stride.iter_mut().skip(rank).for_each(|stride| *stride = 0);
        let mut len = per_axis(&list(|axis| axis.count), 0)?;
        if axes.is_empty() {
            len[0] = 1;
        }
        let params = strided_slice::Params { begin: per_axis(&list(|axis| axis.begin), 0)?, stride, len };
        self.step(Step::new(&node.name, OpCode::StridedSlice, &params, vec![input], vec![output]))
    }

    pub(super) fn concatenation(&mut self, node: &Node, join: &Concatenation) -> Result<(), Fault> {
        if join.activation != Activation::None {
            return Err(unsupported(format!(
                "fused activation {:?}: apply it before or after the concatenation",
                join.activation
            )));
        }
        let inputs =
            (0..node.inputs.len()).map(|slot| self.input_value(node, slot)).collect::<Result<_, _>>()?;
        self.join(node, inputs, join.axis)
    }

    /// A pack is a concatenation of its inputs with an axis of 1 added.
    pub(super) fn pack(&mut self, node: &Node, stack: &Stack) -> Result<(), Fault> {
        let mut inputs = Vec::new();
        for slot in 0..node.inputs.len() {
            let mut dims = self.operand(node, slot)?.shape.to_vec();
            dims.insert(stack.axis.min(dims.len()), 1);
            let value = self.input_value(node, slot)?;
            inputs.push(self.reshaped(value, &dims)?);
        }
        self.join(node, inputs, stack.axis)
    }

    /// Inputs joined along an axis, each requantized where its scale or zero point is not the output's.
    fn join(&mut self, node: &Node, inputs: Vec<ValueId>, axis: usize) -> Result<(), Fault> {
        let output = self.result(node)?;
        let mut tables = Vec::new();
        for slot in 0..inputs.len() {
            let input = self.operand(node, slot)?;
            if input.quantization == output.quantization {
                tables.push(concatenation::NONE);
            } else {
                let table = requantization(int8("input", input)?, int8("output", output)?)?;
                tables.push(self.constants.add(&table[..]));
            }
        }
        let all_plain = tables.iter().all(|&table| table == concatenation::NONE);
        let tables = if all_plain { concatenation::NONE } else { self.constants.add(&tables[..]) };
        let axis = u32::try_from(axis).map_err(|_| unsupported("axis out of range".to_owned()))?;
        let output = self.result_value(node)?;
        let params = concatenation::Params { axis, tables };
        self.step(Step::new(&node.name, OpCode::Concatenation, &params, inputs, vec![output]))
    }

    /// An operator that moves values keeps their quantization.
    fn check_moved(&self, node: &Node) -> Result<(), Fault> {
        let (input, output) = (self.operand(node, 0)?, self.result(node)?);
        if input.dtype == DType::I8 {
            same_quantization(int8("input", input)?, int8("output", output)?)?;
        }
        Ok(())
    }
}

const REQUANTIZES: &str =
    "input and output are quantized differently, but the operator only moves values: insert a QUANTIZE";

/// One number per axis as the format stores them, `fill` past the rank.
fn per_axis(values: &[usize], fill: u32) -> Result<[u32; MAX_RANK], Fault> {
    let mut axes = [fill; MAX_RANK];
    if values.len() > axes.len() {
        return Err(unsupported(format!("more than {MAX_RANK} dimensions")));
    }
    for (axis, &value) in axes.iter_mut().zip(values) {
        *axis = u32::try_from(value).map_err(|_| unsupported(format!("{value} is out of range")))?;
    }
    Ok(axes)
}

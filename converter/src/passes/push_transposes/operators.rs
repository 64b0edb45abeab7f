//! What each operator does with operands in another order.
//!
//! A function here returns `None`, having changed nothing, where the operator must have its operands as they were.

use super::arrangement::{Arrangement, Layout, inverse};
use super::pusher::{Pusher, View, reordered};
use crate::ir::attributes::{
    ArgExtreme, BroadcastTo, Concatenation, Gather, Pad, Reduce, Split, Stack, StridedSlice, Tile,
};
use crate::ir::{Node, Op, Shape, TensorId};

impl Pusher<'_> {
    /// Takes over a node in an order of its operands that costs nothing.
    pub(super) fn node(&mut self, node: &Node) -> Option<()> {
        match &node.op {
            Op::Reshape(_) => self.hold_reshape(node),
            Op::Transpose(transpose) => self.hold_transpose(node, &transpose.permutation),
            Op::FullyConnected(layer) => self.fully_connected(node, layer),
            Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Div(_) | Op::Maximum | Op::Minimum | Op::PRelu => {
                self.arithmetic(node)
            }
            Op::Softmax(_) | Op::LogSoftmax | Op::BatchNormalization(_) => self.last_axis(node),
            Op::Concatenation(join) => self.concatenation(node, join),
            Op::Pack(stack) => self.pack(node, stack.axis),
            Op::Split(split) => self.split(node, split),
            Op::Unpack(stack) => self.unpack(node, stack.axis),
            Op::Pad(_) | Op::Tile(_) | Op::BroadcastTo(_) | Op::StridedSlice(_) => self.along_axes(node),
            Op::Mean(_) | Op::Sum(_) | Op::ReduceMax(_) | Op::ReduceMin(_) | Op::ReduceProd(_) => {
                self.reduce(node)
            }
            Op::ArgMax(arg) | Op::ArgMin(arg) => self.arg_extreme(node, arg.axis),
            Op::Gather(gather) => self.gather(node, gather),
            op if is_elementwise(op) => self.elementwise(node),
            _ => None,
        }
    }

    fn hold_reshape(&mut self, node: &Node) -> Option<()> {
        let (input, output) = (node.input(0)?, node.output()?);
        if let Some(data) = self.tensor(input).data.clone() {
            self.new.tensor_mut(output).data = Some(data);
            return Some(());
        }
        let View { source, arrangement, .. } = self.view(input);
        self.defer(output, source, arrangement, &node.name);
        Some(())
    }

    fn hold_transpose(&mut self, node: &Node, permutation: &[usize]) -> Option<()> {
        let (input, output) = (node.input(0)?, node.output()?);
        let tensor = self.tensor(input);
        if let Some(data) = &tensor.data {
            let places = super::arrangement::places(&tensor.shape, permutation);
            let data = reordered(data, tensor.dtype.size(), &places);
            self.new.tensor_mut(output).data = Some(data.into());
            return Some(());
        }
        let shape = tensor.shape.clone();
        let View { source, arrangement, .. } = self.view(input);
        match arrangement.transposed(&shape, permutation) {
            Some(arrangement) => self.defer(output, source, arrangement, &node.name),
            None => {
                let source = self.plain(input);
                self.defer(output, source, Arrangement::new(&shape, permutation), &node.name);
            }
        }
        Some(())
    }

    /// An operator on each element for itself: it works on the source.
    fn elementwise(&mut self, node: &Node) -> Option<()> {
        let (input, output) = (node.input(0)?, node.output()?);
        let whole = |id: TensorId| self.tensor(id).quantization.as_ref().is_none_or(|q| q.single().is_some());
        if self.tensor(input).is_constant() || !whole(input) || !whole(output) {
            return None;
        }
        let View { source, arrangement, .. } = self.view(input);
        let shape = self.tensor(source).shape.clone();
        self.emit(node, node.op.clone(), vec![Some(source)], vec![(shape, arrangement)]);
        Some(())
    }

    /// An operator on two tensors that broadcast.
    fn arithmetic(&mut self, node: &Node) -> Option<()> {
        let operands = [node.input(0)?, node.input(1)?];
        let output = self.tensor(node.output()?).shape.clone();
        if let Some(()) = self.arithmetic_on_sources(node, operands, &output) {
            return Some(());
        }
        let shapes = operands.map(|id| {
            let shape = &self.tensor(id).shape;
            let ones = vec![1; output.rank().saturating_sub(shape.rank())];
            Shape::from([&ones, &shape[..]].concat())
        });
        let layout = self.cheapest_layout(&operands, &shapes)?;
        let inputs = self.all_in_layout(&operands, &shapes, &layout)?;
        let shape = layout.iter().map(|&axis| output[axis]).collect();
        self.emit(node, node.op.clone(), inputs, vec![(shape, Arrangement::of_layout(&output, &layout))]);
        Some(())
    }

    /// Two tensors of one shape in one order, whichever it is; or one, and a constant of one element.
    fn arithmetic_on_sources(&mut self, node: &Node, operands: [TensorId; 2], output: &Shape) -> Option<()> {
        let single =
            |id: TensorId| self.tensor(id).is_constant() && self.tensor(id).shape.elements() == Some(1);
        let [first, second] = operands.map(|id| (!single(id)).then(|| self.view(id)));
        let fits = |slot: usize| self.tensor(operands[slot]).shape == *output;
        let is_constant = |slot: usize| self.tensor(operands[slot]).is_constant();
        let (lead, view) = match (&first, &second) {
            (Some(first), Some(second)) => {
                let alike = first.arrangement == second.arrangement && fits(0) && fits(1);
                if !alike || is_constant(0) || is_constant(1) {
                    return None;
                }
                (0, first.clone())
            }
            (Some(view), None) => (0, view.clone()),
            (None, Some(view)) => (1, view.clone()),
            (None, None) => return None,
        };
        if !fits(lead) {
            return None;
        }
        let shape = self.tensor(view.source).shape.clone();
        let most = shape.rank();
        let mut inputs = Vec::new();
        for (slot, other) in [first, second].into_iter().enumerate() {
            inputs.push(Some(match other {
                Some(other) => self.under(other.source, &shape),
                // A constant of higher rank would add axes.
                None if self.tensor(operands[slot]).shape.rank() > most => return None,
                None => operands[slot],
            }));
        }
        self.emit(node, node.op.clone(), inputs, vec![(shape, view.arrangement)]);
        Some(())
    }

    /// The layout in which the operands cost the least: the plain one, or that of an operand.
    fn cheapest_layout(&self, operands: &[TensorId], shapes: &[Shape]) -> Option<Layout> {
        let rank = shapes.first()?.rank();
        let plain: Layout = (0..rank).collect();
        let cost = |layout: &Layout| -> usize {
            let moved = operands.iter().zip(shapes).filter(|&(&id, shape)| !self.lies_in(id, shape, layout));
            moved.map(|(_, shape)| shape.iter().product::<usize>()).sum()
        };
        let mut best = (cost(&plain), plain);
        for (&id, shape) in operands.iter().zip(shapes) {
            let view = self.view(id);
            if view.arrangement.is_identity() || self.tensor(id).is_constant() {
                continue;
            }
            let source = &self.tensor(view.source).shape;
            let ones = vec![1; rank.saturating_sub(source.rank())];
            let Some(layout) = view.arrangement.layout(shape, &[&ones, &source[..]].concat()) else {
                continue;
            };
            let cost = cost(&layout);
            if cost < best.0 || (cost == best.0 && self.eager) {
                best = (cost, layout);
            }
        }
        Some(best.1)
    }

    fn all_in_layout(
        &mut self,
        operands: &[TensorId],
        shapes: &[Shape],
        layout: &[usize],
    ) -> Option<Vec<Option<TensorId>>> {
        let fits = |(id, shape): (&TensorId, &Shape)| {
            self.tensor(*id).is_constant() || self.view(*id).arrangement.transposed(shape, layout).is_some()
        };
        if !operands.iter().zip(shapes).all(fits) {
            return None;
        }
        operands.iter().zip(shapes).map(|(&id, shape)| self.in_layout(id, shape, layout).map(Some)).collect()
    }

    /// An operator that treats the last axis as channels and all others alike.
    fn last_axis(&mut self, node: &Node) -> Option<()> {
        let input = node.input(0)?;
        let shape = self.tensor(input).shape.clone();
        let (lying, layout) = self.as_it_lies(input)?;
        if layout.last().copied() != shape.rank().checked_sub(1) {
            return None;
        }
        let mut inputs = node.inputs.clone();
        *inputs.first_mut()? = Some(lying);
        for parameter in inputs.iter_mut().skip(1).flatten() {
            *parameter = self.plain(*parameter);
        }
        self.emit_in_layout(node, node.op.clone(), inputs, &shape, &layout);
        Some(())
    }

    /// A node of one output whose axes, under `shape`, lie in the given order.
    fn emit_in_layout(
        &mut self,
        node: &Node,
        op: Op,
        inputs: Vec<Option<TensorId>>,
        shape: &[usize],
        layout: &[usize],
    ) {
        let laid_out = layout.iter().map(|&axis| shape[axis]).collect();
        self.emit(node, op, inputs, vec![(laid_out, Arrangement::of_layout(shape, layout))]);
    }

    fn concatenation(&mut self, node: &Node, join: &Concatenation) -> Option<()> {
        let operands: Vec<TensorId> = node.inputs.iter().copied().collect::<Option<_>>()?;
        let shapes: Vec<Shape> = operands.iter().map(|&id| self.tensor(id).shape.clone()).collect();
        let layout = self.cheapest_layout(&operands, &shapes)?;
        let inputs = self.all_in_layout(&operands, &shapes, &layout)?;
        let axis = position(&layout, join.axis)?;
        let output = self.tensor(node.output()?).shape.clone();
        let op = Op::Concatenation(Concatenation { axis, ..join.clone() });
        self.emit_in_layout(node, op, inputs, &output, &layout);
        Some(())
    }

    /// The new axis lies before the axis that follows it.
    fn pack(&mut self, node: &Node, new: usize) -> Option<()> {
        let operands: Vec<TensorId> = node.inputs.iter().copied().collect::<Option<_>>()?;
        let shapes: Vec<Shape> = operands.iter().map(|&id| self.tensor(id).shape.clone()).collect();
        let layout = self.cheapest_layout(&operands, &shapes)?;
        let inputs = self.all_in_layout(&operands, &shapes, &layout)?;
        let axis = position(&layout, new).unwrap_or(layout.len());
        let mut layout: Layout = layout.iter().map(|&old| if old < new { old } else { old + 1 }).collect();
        layout.insert(axis, new);
        let output = self.tensor(node.output()?).shape.clone();
        self.emit_in_layout(node, Op::Pack(Stack { axis }), inputs, &output, &layout);
        Some(())
    }

    fn split(&mut self, node: &Node, split: &Split) -> Option<()> {
        let (lying, layout) = self.as_it_lies(node.input(0)?)?;
        let axis = position(&layout, split.axis)?;
        self.emit_parts(node, Op::Split(Split { axis, ..split.clone() }), lying, &layout)
    }

    fn unpack(&mut self, node: &Node, dropped: usize) -> Option<()> {
        let (lying, layout) = self.as_it_lies(node.input(0)?)?;
        let axis = position(&layout, dropped)?;
        self.emit_parts(node, Op::Unpack(Stack { axis }), lying, &without(&layout, dropped))
    }

    fn emit_parts(&mut self, node: &Node, op: Op, input: TensorId, layout: &[usize]) -> Option<()> {
        let part = |&id: &TensorId| {
            let shape = &self.tensor(id).shape;
            let laid_out = layout.iter().map(|&axis| shape[axis]).collect();
            (laid_out, Arrangement::of_layout(shape, layout))
        };
        let outputs = node.outputs.iter().map(part).collect();
        self.emit(node, op, vec![Some(input)], outputs);
        Some(())
    }

    /// An operator whose attributes have one entry per axis of its input.
    fn along_axes(&mut self, node: &Node) -> Option<()> {
        let input = node.input(0)?;
        let rank = self.tensor(input).shape.rank();
        if matches!(&node.op, Op::BroadcastTo(broadcast) if broadcast.shape.rank() != rank) {
            return None;
        }
        let (lying, layout) = self.as_it_lies(input)?;
        let permuted = |values: &[usize]| -> Vec<usize> { layout.iter().map(|&axis| values[axis]).collect() };
        let counts: Shape;
        let op = match &node.op {
            Op::Pad(pad) => {
                counts = self.tensor(node.output()?).shape.clone();
                let (before, after) = (permuted(&pad.before), permuted(&pad.after));
                Op::Pad(Pad { before, after, value: pad.value })
            }
            Op::Tile(tile) => {
                counts = self.tensor(node.output()?).shape.clone();
                Op::Tile(Tile { repeats: permuted(&tile.repeats) })
            }
            Op::BroadcastTo(broadcast) => {
                counts = broadcast.shape.clone();
                Op::BroadcastTo(BroadcastTo { shape: permuted(&broadcast.shape).into() })
            }
            // The output may lack axes of 1, which its arrangement does not know of.
            Op::StridedSlice(slice) => {
                counts = slice.axes.iter().map(|axis| axis.count).collect();
                let axes = layout.iter().map(|&axis| slice.axes[axis]).collect();
                let is_plain = layout.iter().copied().eq(0..rank);
                let shape = if is_plain { slice.shape.clone() } else { permuted(&counts).into() };
                let op = Op::StridedSlice(StridedSlice { axes, shape: shape.clone() });
                let arrangement = Arrangement::of_layout(&counts, &layout);
                self.emit(node, op, vec![Some(lying)], vec![(shape, arrangement)]);
                return Some(());
            }
            _ => return None,
        };
        self.emit_in_layout(node, op, vec![Some(lying)], &counts, &layout);
        Some(())
    }

    fn reduce(&mut self, node: &Node) -> Option<()> {
        let (mut op, input) = (node.op.clone(), node.input(0)?);
        let (Op::Mean(reduce)
        | Op::Sum(reduce)
        | Op::ReduceMax(reduce)
        | Op::ReduceMin(reduce)
        | Op::ReduceProd(reduce)) = &mut op
        else {
            return None;
        };
        let mut shape = self.tensor(input).shape.to_vec();
        let (lying, layout) = self.as_it_lies(input)?;
        let Reduce { axes: old, keep_dims } = reduce.clone();
        reduce.axes = old.iter().filter_map(|&axis| position(&layout, axis)).collect();
        reduce.axes.sort_unstable();
        old.iter().for_each(|&axis| shape[axis] = 1);
        let arrangement = Arrangement::of_layout(&shape, &layout);
        let kept = layout.iter().filter(|axis| keep_dims || !old.contains(axis));
        let laid_out = kept.map(|&axis| shape[axis]).collect();
        self.emit(node, op, vec![Some(lying)], vec![(laid_out, arrangement)]);
        Some(())
    }

    fn arg_extreme(&mut self, node: &Node, dropped: usize) -> Option<()> {
        let (lying, layout) = self.as_it_lies(node.input(0)?)?;
        let axis = position(&layout, dropped)?;
        let op = match node.op {
            Op::ArgMin(_) => Op::ArgMin(ArgExtreme { axis }),
            _ => Op::ArgMax(ArgExtreme { axis }),
        };
        let output = self.tensor(node.output()?).shape.clone();
        self.emit_in_layout(node, op, vec![Some(lying)], &output, &without(&layout, dropped));
        Some(())
    }

    /// Slices chosen by one index or by a list of them.
    fn gather(&mut self, node: &Node, gather: &Gather) -> Option<()> {
        let (input, indices) = (node.input(0)?, node.input(1)?);
        let rank = self.tensor(indices).shape.rank();
        if rank > 1 || self.tensor(input).is_constant() {
            return None;
        }
        let (lying, layout) = self.as_it_lies(input)?;
        let axis = position(&layout, gather.axis)?;
        let layout = if rank == 1 { layout } else { without(&layout, gather.axis) };
        let indices = self.plain(indices);
        let output = self.tensor(node.output()?).shape.clone();
        let inputs = vec![Some(lying), Some(indices)];
        self.emit_in_layout(node, Op::Gather(Gather { axis }), inputs, &output, &layout);
        Some(())
    }

    /// A tensor's bytes under another shape.
    pub(super) fn under(&mut self, id: TensorId, shape: &Shape) -> TensorId {
        let layout: Layout = (0..shape.rank()).collect();
        if self.tensor(id).shape == *shape {
            return id;
        }
        self.in_layout(id, shape, &layout).unwrap_or(id)
    }
}

/// Where an axis lies.
fn position(layout: &[usize], axis: usize) -> Option<usize> {
    layout.get(axis)?;
    inverse(layout).get(axis).copied()
}

/// The layout of what is left when an axis is dropped.
fn without(layout: &[usize], dropped: usize) -> Layout {
    let kept = layout.iter().filter(|&&axis| axis != dropped);
    kept.map(|&axis| if axis > dropped { axis - 1 } else { axis }).collect()
}

/// Whether an operator on one tensor treats every element alike.
fn is_elementwise(op: &Op) -> bool {
    matches!(
        op,
        Op::Relu
            | Op::Relu6
            | Op::ReluN1To1
            | Op::LeakyRelu(_)
            | Op::HardSwish
            | Op::Logistic
            | Op::Tanh
            | Op::Exp
            | Op::Log
            | Op::Sqrt
            | Op::Reciprocal
            | Op::Neg
            | Op::Abs
            | Op::Sign
            | Op::Erf
            | Op::Gelu(_)
            | Op::HardSigmoid(_)
            | Op::Clip(_)
            | Op::Elu(_)
            | Op::Cast(_)
            | Op::Quantize
            | Op::Dequantize
    )
}

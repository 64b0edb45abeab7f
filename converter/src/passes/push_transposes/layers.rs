//! Fully connected layers on inputs in another order.

use super::arrangement::Arrangement;
use super::pusher::{Pusher, View, reordered};
use crate::ir::attributes::FullyConnected;
use crate::ir::{Node, Op, Shape, Tensor, TensorId};

impl Pusher<'_> {
    /// Reads the input as it lies: its rows in another order, or its columns, and the filter's with them.
    pub(super) fn fully_connected(&mut self, node: &Node, layer: &FullyConnected) -> Option<()> {
        let bias = node.input(2).map(|bias| self.plain(bias));
        self.reorder_rows(node, layer, bias).or_else(|| self.reorder_columns(node, layer, bias))
    }

    fn reorder_rows(&mut self, node: &Node, layer: &FullyConnected, bias: Option<TensorId>) -> Option<()> {
        let (input, filter, output) = (node.input(0)?, node.input(1)?, node.output()?);
        let shape = self.tensor(input).shape.clone();
        let view = self.view(input);
        let layout = view.arrangement.layout(&shape, &self.tensor(view.source).shape)?;
        let last = shape.rank().checked_sub(1)?;
        if !layer.keep_dims || view.arrangement.is_identity() || layout.last() != Some(&last) {
            return None;
        }
        let lying = self.in_layout(input, &shape, &layout)?;
        let filter = self.plain(filter);
        let output = self.tensor(output).shape.clone();
        let laid_out = layout.iter().map(|&axis| output[axis]).collect();
        let inputs = [Some(lying), Some(filter)].into_iter().chain(bias.map(Some)).collect();
        self.emit(node, node.op.clone(), inputs, vec![(laid_out, Arrangement::of_layout(&output, &layout))]);
        Some(())
    }

    fn reorder_columns(&mut self, node: &Node, layer: &FullyConnected, bias: Option<TensorId>) -> Option<()> {
        let (input, filter, output) = (node.input(0)?, node.input(1)?, node.output()?);
        let View { source, arrangement, .. } = self.view(input);
        let tensor = self.tensor(filter);
        let [rows, columns] = <[usize; 2]>::try_from(&*tensor.shape).ok()?;
        let part = arrangement.part(arrangement.elements() / columns.max(1))?;
        let mut new_filter = filter;
        if !part.is_identity() {
            let data = tensor.data.as_ref()?;
            if tensor.quantization.as_ref().is_some_and(|quantization| quantization.axis != 0) {
                return None;
            }
            // Column `places[j]` of the source is column `j` of the input.
            let places = super::inverse(&part.places());
            let all: Vec<usize> =
                (0..rows).flat_map(|row| places.iter().map(move |&place| row * columns + place)).collect();
            let data = reordered(data, tensor.dtype.size(), &all);
            let reordered = Tensor { ..tensor.clone() }.with_data(data);
            new_filter = self.new.add_tensor(reordered);
        }
        let output: Shape = self.tensor(output).shape.clone();
        let plain = Arrangement::identity(output.iter().product());
        let (op, input) = if output.rank() == 2 {
            // The input is seen as a matrix, whatever its shape.
            (Op::FullyConnected(FullyConnected { keep_dims: false, ..layer.clone() }), source)
        } else {
            let shape = self.tensor(input).shape.clone();
            (node.op.clone(), self.under(source, &shape))
        };
        let new_filter = self.plain(new_filter);
        let inputs = [Some(input), Some(new_filter)].into_iter().chain(bias.map(Some)).collect();
        self.emit(node, op, inputs, vec![(output, plain)]);
        Some(())
    }
}

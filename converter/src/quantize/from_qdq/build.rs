//! The quantized graph, node by node.

use std::collections::HashMap;

use super::weights::{constant, real, symmetric};
use crate::arithmetic::{Affine, int8, unsupported};
use crate::ir::graph::Uses;
use crate::ir::{
    DType, Fault, Float, Graph, Node, NodeId, Op, Problem, Quantization, Quantized, Tensor, TensorId,
};
use crate::quantize::affine::{affine, constant as quantized_constant, range_of};

/// How many movements of elements may lie before the node that says the scale.
const FARTHEST: usize = 16;

/// The graph in integers.
///
/// # Errors
/// Every node that cannot be taken.
pub(super) fn build(graph: &Graph<Float>) -> Result<Graph<Quantized>, Vec<Problem>> {
    let mut builder = Builder {
        from: graph,
        uses: graph.uses(),
        to: Graph::new(graph.name.clone()),
        stored: HashMap::new(),
    };
    let inputs = graph.inputs().iter().map(|&id| builder.input(id)).collect();
    builder.to.set_inputs(inputs);
    let mut problems = Vec::new();
    for id in graph.node_ids() {
        if let Err(fault) = builder.node(id) {
            problems.push(Problem { place: graph.place_of_node(id), fault });
        }
    }
    if problems.is_empty() {
        let mut outputs = Vec::new();
        for &id in graph.outputs() {
            match builder.output(id) {
                Ok(output) => outputs.push(output),
                Err(fault) => problems.push(Problem { place: graph.place_of_tensor(id), fault }),
            }
        }
        builder.to.set_outputs(outputs);
    }
    if problems.is_empty() { Ok(builder.to) } else { Err(problems) }
}

struct Builder<'a> {
    from: &'a Graph<Float>,
    uses: Uses,
    to: Graph<Quantized>,
    /// What stands for each tensor: int8 for activations, real numbers where nothing is quantized yet.
    stored: HashMap<TensorId, TensorId>,
}

impl Builder<'_> {
    /// Inputs keep their types.
    fn input(&mut self, id: TensorId) -> TensorId {
        let new = self.to.add_tensor(self.from[id].clone());
        let stored = if self.from[id].dtype == DType::U8 { self.shifted(new).unwrap_or(new) } else { new };
        self.stored.insert(id, stored);
        new
    }

    /// Unsigned integers as signed ones.
    fn shifted(&mut self, id: TensorId) -> Option<TensorId> {
        let tensor = self.to[id].clone();
        let affine = signed(tensor.dtype, tensor.quantization.as_ref()?)?;
        Some(self.requantize(id, affine, &format!("{}/shifted", tensor.name)))
    }

    /// Adds a conversion to int8.
    fn requantize(&mut self, id: TensorId, affine: Affine, name: &str) -> TensorId {
        let new = Tensor::new(name, DType::I8, self.to[id].shape.clone()).with_quantization(affine.into());
        let new = self.to.add_tensor(new);
        self.to.add_node(Node::new(name, Op::Quantize, [id], new));
        new
    }

    /// The output in the type that it has in the file.
    fn output(&mut self, id: TensorId) -> Result<TensorId, Fault> {
        let tensor = &self.from[id];
        let stored = self.stored.get(&id).copied().ok_or(Fault::NeverWritten)?;
        let (found, wanted) = (self.to[stored].dtype, tensor.dtype);
        let op = match (found, wanted) {
            (DType::I8, DType::F32) => Op::Dequantize,
            (DType::I8, DType::U8) => Op::Quantize,
            _ => return Ok(stored),
        };
        let new = self.to.add_tensor(tensor.clone());
        self.to.tensor_mut(stored).name.push_str("_int8");
        self.to.add_node(Node::new(format!("{}/output", tensor.name), op, [stored], new));
        Ok(new)
    }

    fn node(&mut self, id: NodeId) -> Result<(), Fault> {
        let node = &self.from[id];
        let output = node.output().ok_or(Fault::OutputCount { found: 0, expected: 1 })?;
        // What depends on constants only is taken where it is read.
        if node.inputs.iter().flatten().all(|&input| constant(self.from, &self.uses, input).is_some()) {
            return Ok(());
        }
        match &node.op {
            Op::Dequantize => {
                let input = node.input(0).ok_or(Fault::MissingInput { role: "input" })?;
                if let Some(&stored) = self.stored.get(&input) {
                    self.stored.insert(output, stored);
                }
                Ok(())
            }
            Op::Quantize => self.quantize(node, output),
            Op::Conv2d(_) | Op::TransposeConv2d(_) | Op::FullyConnected(_) => self.layer(node, output, 0),
            Op::DepthwiseConv2d(_) => self.layer(node, output, 3),
            op if moves(op) => self.movement(node),
            _ => self.computation(node, output),
        }
    }

    /// Integers at the stated scale: what the operator before was told to write, or a conversion.
    fn quantize(&mut self, node: &Node, output: TensorId) -> Result<(), Fault> {
        let input = node.input(0).ok_or(Fault::MissingInput { role: "input" })?;
        let affine = self.stated(output)?;
        let Some(&stored) = self.stored.get(&input) else { return Ok(()) };
        let suits = int8("input", &self.to[stored]).is_ok_and(|found| found == affine);
        let new = if suits { stored } else { self.requantize(stored, affine, &node.name) };
        self.to.tensor_mut(new).name.clone_from(&self.from[output].name);
        self.stored.insert(output, new);
        Ok(())
    }

    /// The int8 quantization that an integer tensor of the file states.
    fn stated(&self, id: TensorId) -> Result<Affine, Fault> {
        let tensor = &self.from[id];
        let quantization = tensor.quantization.as_ref().ok_or(Fault::NotQuantized { dtype: tensor.dtype })?;
        signed(tensor.dtype, quantization).ok_or_else(|| Fault::Type {
            role: "output",
            found: tensor.dtype,
            expected: "i8 or u8 with one scale".into(),
        })
    }

    /// The quantization that the readers of a real tensor state, also behind movements.
    fn wanted(&self, id: TensorId, distance: usize) -> Option<Affine> {
        let readers = || self.uses.readers(id).iter().map(|&reader| &self.from[reader]);
        let direct = readers().find(|node| matches!(node.op, Op::Quantize));
        match direct {
            Some(node) => self.stated(node.output()?).ok(),
            None => {
                let beyond = readers().filter(|node| moves(&node.op)).flat_map(|node| node.outputs.clone());
                let distance = distance.checked_sub(1)?;
                beyond.into_iter().find_map(|output| self.wanted(output, distance))
            }
        }
    }

    /// An activation as int8: as it is, or quantized as its readers state.
    fn activation(&mut self, id: TensorId) -> Result<TensorId, Fault> {
        if let Some(tensor) = constant(self.from, &self.uses, id) {
            return self.constant_activation(id, &tensor);
        }
        let Some(&stored) = self.stored.get(&id) else {
            // The writer has been reported.
            return Err(unsupported("reads what could not be quantized".to_owned()));
        };
        if self.to[stored].dtype != DType::F32 {
            return Ok(stored);
        }
        let affine = self.wanted(id, FARTHEST).ok_or_else(|| not_quantized(&self.from[id].name))?;
        Ok(self.requantize(stored, affine, &format!("{}/quantize", self.from[id].name)))
    }

    fn constant_activation(&mut self, id: TensorId, tensor: &Tensor) -> Result<TensorId, Fault> {
        let values = real(tensor).ok_or(Fault::NotQuantized { dtype: tensor.dtype })?;
        let stated = tensor.quantization.as_ref().and_then(|quantization| signed(tensor.dtype, quantization));
        let affine = stated.unwrap_or_else(|| affine(range_of(&values)));
        let new = quantized_constant(&tensor.name, &self.from[id].shape, &values, affine);
        Ok(self.to.add_tensor(new))
    }

    /// An operator with weights.
    fn layer(&mut self, node: &Node, output: TensorId, axis: usize) -> Result<(), Fault> {
        let (input, filter) = (node.input(0), node.input(1));
        let input = input.ok_or(Fault::MissingInput { role: "input" })?;
        let filter = filter.ok_or(Fault::MissingInput { role: "filter" })?;
        let filter = constant(self.from, &self.uses, filter).ok_or_else(|| {
            unsupported("the filter is computed by the network: it must be a constant".to_owned())
        })?;
        let filter = symmetric(filter, axis)?;
        let input = self.activation(input)?;
        let from = int8("input", &self.to[input])?;
        let scales =
            filter.quantization.as_ref().map(|quantization| quantization.scales.clone()).unwrap_or_default();
        let bias = match node.input(2) {
            None => None,
            Some(id) => {
                let tensor = constant(self.from, &self.uses, id).ok_or_else(|| {
                    unsupported("the bias is computed by the network: it must be a constant".to_owned())
                })?;
                let bias = bias(&tensor, &scales, from.scale)?;
                Some(self.to.add_tensor(bias))
            }
        };
        let filter = self.to.add_tensor(filter);
        let affine = self.wanted(output, FARTHEST).ok_or_else(|| not_quantized(&self.from[output].name))?;
        let result = self.result(output, affine);
        let inputs = [Some(input), Some(filter)].into_iter().chain(bias.map(Some)).collect();
        self.to.add_node(Node {
            name: node.name.clone(),
            op: node.op.clone(),
            inputs,
            outputs: vec![result],
        });
        Ok(())
    }

    /// An operator that keeps the quantization of its input.
    fn movement(&mut self, node: &Node) -> Result<(), Fault> {
        let input = node.input(0).ok_or(Fault::MissingInput { role: "input" })?;
        let untouched = self.stored.get(&input).is_some_and(|&stored| self.to[stored].dtype == DType::F32);
        // Real numbers that are quantized only later move as they are if nothing says how to quantize them.
        let input = match node.outputs.iter().find_map(|&output| self.wanted(output, FARTHEST)) {
            Some(affine) if untouched => {
                let stored = self
                    .activation(input)
                    .or_else(|_| self.stored.get(&input).copied().ok_or(Fault::NeverWritten))?;
                match self.to[stored].dtype {
                    DType::F32 => self.requantize(stored, affine, &format!("{}/quantize", node.name)),
                    _ => stored,
                }
            }
            _ => self.activation(input)?,
        };
        let affine = int8("input", &self.to[input])?;
        let outputs = node.outputs.iter().map(|&output| self.result(output, affine)).collect();
        self.to.add_node(Node {
            name: node.name.clone(),
            op: node.op.clone(),
            inputs: vec![Some(input)],
            outputs,
        });
        Ok(())
    }

    /// Any other operator: its output's quantization is stated, or fixed.
    fn computation(&mut self, node: &Node, output: TensorId) -> Result<(), Fault> {
        let inputs = node
            .inputs
            .iter()
            .flatten()
            .map(|&input| self.activation(input))
            .collect::<Result<Vec<_>, _>>()?;
        let first = inputs.first().copied().ok_or(Fault::MissingInput { role: "input" })?;
        let own = int8("input", &self.to[first])?;
        let stated = self.wanted(output, FARTHEST);
        let fixed = match node.op {
            Op::Softmax(_) | Op::Logistic => Some(Affine { scale: 1.0 / 256.0, zero_point: -128 }),
            Op::Tanh => Some(Affine { scale: 1.0 / 128.0, zero_point: 0 }),
            Op::ArgMax(_) | Op::ArgMin(_) => {
                let shape = self.from[output].shape.clone();
                let result =
                    self.to.add_tensor(Tensor::new(self.from[output].name.clone(), DType::I32, shape));
                self.stored.insert(output, result);
                self.to.add_node(Node::new(node.name.clone(), node.op.clone(), inputs, result));
                return Ok(());
            }
            // Averages and extremes of integers have the scale of the integers.
            Op::AveragePool2d(_) | Op::ReduceMax(_) | Op::ReduceMin(_) => Some(own),
            // A clamp that the file does not quantize by itself.
            Op::Relu | Op::Relu6 | Op::ReluN1To1 | Op::Clip(_) if stated.is_none() => Some(own),
            _ => None,
        };
        let affine = fixed.or(stated).ok_or_else(|| not_quantized(&self.from[output].name))?;
        let result = self.result(output, affine);
        self.to.add_node(Node::new(node.name.clone(), node.op.clone(), inputs, result));
        Ok(())
    }

    /// Adds what an operator writes.
    fn result(&mut self, id: TensorId, affine: Affine) -> TensorId {
        let tensor = &self.from[id];
        let new = Tensor::new(tensor.name.clone(), DType::I8, tensor.shape.clone())
            .with_quantization(affine.into());
        let new = self.to.add_tensor(new);
        self.stored.insert(id, new);
        new
    }
}

/// Whether an operator moves elements without computing: its output has the quantization of its input.
fn moves(op: &Op) -> bool {
    matches!(
        op,
        Op::Reshape(_)
            | Op::Transpose(_)
            | Op::StridedSlice(_)
            | Op::Split(_)
            | Op::Unpack(_)
            | Op::Pad(_)
            | Op::MaxPool2d(_)
            | Op::ResizeNearest(_)
    )
}

/// One scale and zero point, in int8.
fn signed(dtype: DType, quantization: &Quantization) -> Option<Affine> {
    let (scale, zero_point) = quantization.single()?;
    match dtype {
        DType::I8 => Some(Affine { scale, zero_point }),
        DType::U8 => Some(Affine { scale, zero_point: zero_point - 128 }),
        _ => None,
    }
}

/// A bias as int32 at input scale times weight scale: the file's integers where they have that scale.
fn bias(tensor: &Tensor, weights: &[f32], input: f32) -> Result<Tensor, Fault> {
    let values = real(tensor).ok_or(Fault::NotQuantized { dtype: tensor.dtype })?;
    let scale =
        |channel: usize| weights.get(channel % weights.len().max(1)).map_or(0.0, |weight| weight * input);
    let scales: Vec<f32> = (0..weights.len()).map(|channel| scale(channel).max(f32::MIN_POSITIVE)).collect();
    let own =
        tensor.quantization.as_ref().map(|quantization| quantization.scales.as_slice()).unwrap_or_default();
    let same = own.len() == scales.len()
        && own.iter().zip(&scales).all(|(own, scale)| (own - scale).abs() <= 1e-6 * scale);
    let stored = match tensor.i32_values().filter(|_| same) {
        Some(stored) => stored,
        // A cast saturates.
        None => {
            let step = |channel: usize| f64::from(scales[channel % scales.len().max(1)]);
            values
                .iter()
                .enumerate()
                .map(|(channel, &value)| (f64::from(value) / step(channel)).round() as i32)
                .collect()
        }
    };
    let quantization = match scales.as_slice() {
        &[scale] => Quantization::per_tensor(scale, 0),
        _ => Quantization::per_channel(scales, 0),
    };
    Ok(Tensor::constant_i32(tensor.name.clone(), [stored.len()], &stored).with_quantization(quantization))
}

fn not_quantized(name: &str) -> Fault {
    unsupported(format!(
        "'{name}' is not followed by a QuantizeLinear: quantize the whole model (quantize_static with all operator types), or \
         export it in floating point and quantize it here"
    ))
}

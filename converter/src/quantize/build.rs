//! The quantized graph, node by node.

use std::collections::HashMap;

use super::affine::{affine, constant, range_of};
use super::forms::{Form, clamp, is_idle_clamp};
use super::weights::LayerWeights;
use crate::arithmetic::{Affine, int8, unsupported};
use crate::ir::{
    DType, Fault, Float, Graph, Node, NodeId, Op, Problem, Quantization, Quantized, Tensor, TensorId,
};

/// What has been decided about a network.
pub(super) struct Decisions<'a> {
    /// Form of each tensor.
    pub(super) forms: &'a [Form],
    /// Weights of each layer.
    pub(super) layers: &'a HashMap<NodeId, LayerParts>,
    /// Whether the edges are real numbers.
    pub(super) float_io: bool,
}

/// Weights and bias of a layer.
pub(super) struct LayerParts {
    /// The weights.
    pub(super) weights: LayerWeights,
    /// The bias in real numbers, one per output channel; nothing if it would be 0.
    pub(super) bias: Option<Vec<f32>>,
    /// Whether the input is quantized at run time.
    pub(super) is_dynamic: bool,
}

/// The graph with every tensor in its form.
///
/// # Errors
/// Nodes that cannot be executed in int8.
pub(super) fn build(
    graph: &Graph<Float>,
    decisions: &Decisions<'_>,
) -> Result<Graph<Quantized>, Vec<Problem>> {
    let count = graph.tensors().len();
    let mut builder = Builder {
        from: graph,
        decisions,
        to: Graph::new(graph.name.clone()),
        stored: vec![None; count],
        real: vec![None; count],
        requantized: HashMap::new(),
    };
    builder.inputs();
    let mut problems = Vec::new();
    for id in graph.node_ids() {
        if let Err(fault) = builder.node(id) {
            problems.push(Problem { place: graph.place_of_node(id), fault });
        }
    }
    if problems.is_empty() {
        builder.outputs()?;
    }
    if problems.is_empty() { Ok(builder.to) } else { Err(problems) }
}

struct Builder<'a> {
    from: &'a Graph<Float>,
    decisions: &'a Decisions<'a>,
    to: Graph<Quantized>,
    /// Each tensor in its own form.
    stored: Vec<Option<TensorId>>,
    /// Each int8 tensor as real numbers, where somebody needs that, and each real one as itself.
    real: Vec<Option<TensorId>>,
    /// Tensors as int8 at a scale that is not their own.
    requantized: HashMap<(TensorId, u32, i32), TensorId>,
}

impl Builder<'_> {
    fn form(&self, id: TensorId) -> Form {
        self.decisions.forms.get(id.index()).copied().unwrap_or(Form::Own)
    }

    /// Adds a tensor in its own form, which its writer will fill.
    fn add(&mut self, id: TensorId) -> TensorId {
        let tensor = &self.from[id];
        let new = Tensor::new(tensor.name.clone(), tensor.dtype, tensor.shape.clone());
        let new = match self.form(id) {
            Form::Int8(affine) => Tensor { dtype: DType::I8, ..new }.with_quantization(affine.into()),
            Form::Real(_) => new,
            // The runtime has no 64-bit integers; indices, which these are, fit 32 bits.
            Form::Own if tensor.dtype == DType::I64 => Tensor { dtype: DType::I32, ..new },
            Form::Own => new,
        };
        let new = self.to.add_tensor(new);
        self.stored[id.index()] = Some(new);
        if matches!(self.form(id), Form::Real(_)) {
            self.real[id.index()] = Some(new);
        }
        new
    }

    fn inputs(&mut self) {
        let inputs = self
            .from
            .inputs()
            .iter()
            .map(|&id| match self.form(id) {
                Form::Int8(_) if self.decisions.float_io => {
                    let tensor = &self.from[id];
                    let real = Tensor::new(tensor.name.clone(), DType::F32, tensor.shape.clone());
                    let real = self.to.add_tensor(real);
                    self.real[id.index()] = Some(real);
                    let stored = self.add(id);
                    self.to.tensor_mut(stored).name.push_str("_int8");
                    self.to.add_node(Node::new(
                        format!("{}/quantize", tensor.name),
                        Op::Quantize,
                        [real],
                        stored,
                    ));
                    real
                }
                _ => self.add(id),
            })
            .collect();
        self.to.set_inputs(inputs);
    }

    fn outputs(&mut self) -> Result<(), Vec<Problem>> {
        let mut outputs = Vec::new();
        for &id in self.from.outputs() {
            let place = self.from.place_of_tensor(id);
            let output = if self.decisions.float_io && self.from[id].dtype == DType::F32 {
                self.as_real(id)
            } else {
                self.own(id)
            };
            outputs.push(output.map_err(|fault| vec![Problem { place, fault }])?);
        }
        self.to.set_outputs(outputs);
        Ok(())
    }

    /// The tensor in its own form.
    fn own(&mut self, id: TensorId) -> Result<TensorId, Fault> {
        if let Some(stored) = self.stored[id.index()] {
            return Ok(stored);
        }
        let tensor = &self.from[id];
        let Some(values) = tensor.f32_values().filter(|_| tensor.is_constant()) else {
            return Err(unsupported(format!(
                "tensor '{}' of type {} cannot be quantized",
                tensor.name, tensor.dtype
            )));
        };
        let new = constant(&tensor.name, &tensor.shape, &values, affine(range_of(&values)));
        let new = self.to.add_tensor(new);
        self.stored[id.index()] = Some(new);
        Ok(new)
    }

    /// The tensor as real numbers.
    fn as_real(&mut self, id: TensorId) -> Result<TensorId, Fault> {
        if let Some(real) = self.real[id.index()] {
            return Ok(real);
        }
        let stored = self.own(id)?;
        let tensor = &self.from[id];
        let real = Tensor::new(tensor.name.clone(), DType::F32, tensor.shape.clone());
        self.to.tensor_mut(stored).name.push_str("_int8");
        let real = self.to.add_tensor(real);
        self.to.add_node(Node::new(format!("{}/dequantize", tensor.name), Op::Dequantize, [stored], real));
        self.real[id.index()] = Some(real);
        Ok(real)
    }

    /// The tensor as int8, at its own scale or, if it has none, one that holds for it.
    fn as_int8(&mut self, id: TensorId) -> Result<TensorId, Fault> {
        match self.form(id) {
            Form::Real(Some(to)) => self.at(id, to),
            Form::Real(None) => Err(unsupported(format!(
                "reads '{}', which stays real numbers because of dynamic activations, and computes in int8: give \
                 calibration data, so that its range is known",
                self.from[id].name
            ))),
            Form::Int8(_) | Form::Own => self.own(id),
        }
    }

    /// The tensor as int8 at a given scale.
    fn at(&mut self, id: TensorId, to: Affine) -> Result<TensorId, Fault> {
        let tensor = &self.from[id];
        if self.form(id) == Form::Int8(to) {
            return self.own(id);
        }
        let key = (id, to.scale.to_bits(), to.zero_point);
        if let Some(&new) = self.requantized.get(&key) {
            return Ok(new);
        }
        let name = format!("{}/requantize", tensor.name);
        let new = match tensor.f32_values().filter(|_| tensor.is_constant()) {
            Some(values) => self.to.add_tensor(constant(&tensor.name, &tensor.shape, &values, to)),
            None => {
                let stored = self.own(id)?;
                let new = Tensor::new(&name, DType::I8, tensor.shape.clone()).with_quantization(to.into());
                let new = self.to.add_tensor(new);
                self.to.add_node(Node::new(name, Op::Quantize, [stored], new));
                new
            }
        };
        self.requantized.insert(key, new);
        Ok(new)
    }

    fn node(&mut self, id: NodeId) -> Result<(), Fault> {
        let node = &self.from[id];
        if let Some(parts) = self.decisions.layers.get(&id) {
            return self.layer(node, parts);
        }
        let output = node.output().ok_or(Fault::OutputCount { found: 0, expected: 1 })?;
        let inputs: Vec<TensorId> = node.inputs.iter().flatten().copied().collect();
        let to = self.form(output);
        match &node.op {
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::TransposeConv2d(_) | Op::FullyConnected(_) => {
                Err(unsupported("its weights are not constant: export them as constants".to_owned()))
            }
            op if clamp(op).is_some() => self.clamp(node, output, to),
            Op::Reshape(_)
            | Op::Pad(_)
            | Op::Transpose(_)
            | Op::StridedSlice(_)
            | Op::Split(_)
            | Op::Unpack(_)
            | Op::AveragePool2d(_)
            | Op::MaxPool2d(_)
            | Op::ReduceMax(_)
            | Op::ResizeNearest(_)
            | Op::ResizeBilinear(_)
            | Op::Maximum
            | Op::Minimum
            | Op::Concatenation(_)
            | Op::Pack(_) => {
                let inputs = match to {
                    // Concatenations requantize what they join.
                    Form::Int8(_) if matches!(node.op, Op::Concatenation(_) | Op::Pack(_)) => {
                        self.joined(&inputs, to)?
                    }
                    Form::Int8(to) => {
                        inputs.iter().map(|&input| self.at(input, to)).collect::<Result<_, _>>()?
                    }
                    Form::Real(_) | Form::Own => {
                        inputs.iter().map(|&input| self.own(input)).collect::<Result<_, _>>()?
                    }
                };
                self.copy(node, inputs);
                Ok(())
            }
            _ => {
                let inputs = inputs.iter().map(|&input| self.as_int8(input)).collect::<Result<_, _>>()?;
                self.copy(node, inputs);
                Ok(())
            }
        }
    }

    /// What a concatenation reads: activations as they are, constants at the output's scale.
    fn joined(&mut self, inputs: &[TensorId], to: Form) -> Result<Vec<TensorId>, Fault> {
        let joined = |&input: &TensorId| match to {
            Form::Int8(to) if self.from[input].is_constant() => self.at(input, to),
            _ => self.as_int8(input),
        };
        inputs.iter().map(joined).collect()
    }

    /// A clamp: nothing where the input's values are within, a table elsewhere.
    fn clamp(&mut self, node: &Node, output: TensorId, to: Form) -> Result<(), Fault> {
        let input = node.input(0).ok_or(Fault::MissingInput { role: "input" })?;
        let stored = self.as_int8(input)?;
        if let (Form::Int8(affine), Some(bounds)) = (to, clamp(&node.op))
            && self.form(input) == to
            && is_idle_clamp(bounds, affine)
        {
            self.stored[output.index()] = Some(stored);
            self.to.tensor_mut(stored).name.clone_from(&self.from[output].name);
            return Ok(());
        }
        self.copy(node, vec![stored]);
        Ok(())
    }

    /// The same node on tensors of the new graph.
    fn copy(&mut self, node: &Node, inputs: Vec<TensorId>) {
        let outputs = node.outputs.iter().map(|&output| self.add(output)).collect();
        let inputs = inputs.into_iter().map(Some).collect();
        self.to.add_node(Node { name: node.name.clone(), op: node.op.clone(), inputs, outputs });
    }

    fn layer(&mut self, node: &Node, parts: &LayerParts) -> Result<(), Fault> {
        let input = node.input(0).ok_or(Fault::MissingInput { role: "input" })?;
        let filter_name = node.input(1).map(|id| self.from[id].name.clone()).unwrap_or_default();
        let bias_name = match node.input(2) {
            Some(id) => self.from[id].name.clone(),
            None => format!("{filter_name}/bias"),
        };
        let channels = parts.weights.scales.len();
        let (input, bias) = if parts.is_dynamic {
            let input = self.as_real(input)?;
            (input, parts.bias.as_ref().map(|bias| Tensor::constant_f32(bias_name, [channels], bias)))
        } else {
            let stored = self.as_int8(input)?;
            let from = int8("input", &self.to[stored])?;
            let bias = parts.bias.as_ref().map(|bias| stored_bias(bias_name, bias, &parts.weights, from));
            (stored, bias)
        };
        let filter = self.to.add_tensor(parts.weights.tensor(&filter_name));
        let bias = bias.map(|bias| self.to.add_tensor(bias));
        let outputs = node.outputs.iter().map(|&output| self.add(output)).collect();
        let inputs = [Some(input), Some(filter)].into_iter().chain(bias.map(Some)).collect();
        self.to.add_node(Node { name: node.name.clone(), op: node.op.clone(), inputs, outputs });
        Ok(())
    }
}

/// A bias as int32 at input scale times weight scale.
fn stored_bias(name: String, bias: &[f32], weights: &LayerWeights, from: Affine) -> Tensor {
    let scales: Vec<f32> =
        weights.scales.iter().map(|scale| (scale * from.scale).max(f32::MIN_POSITIVE)).collect();
    let stored: Vec<i32> = bias
        .iter()
        .zip(&weights.scales)
        // A cast saturates; the scales have been chosen so that nothing reaches the ends.
        .map(|(&bias, &scale)| (f64::from(bias) / (f64::from(scale) * f64::from(from.scale))).round() as i32)
        .collect();
    Tensor::constant_i32(name, [stored.len()], &stored)
        .with_quantization(Quantization::per_channel(scales, 0))
}

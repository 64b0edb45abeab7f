//! The graph under construction: values in PyTorch's order and in the graph's.
//!
//! PyTorch puts channels first (`NCHW`, `NCL`), the graph puts them last. A value is converted where a layer needs it in
//! the other order, once; a network of convolutions is never converted back and forth.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::weights::Weight;
use crate::ir::attributes::{Reshape, Transpose};
use crate::ir::infer::infer;
use crate::ir::{DType, Fault, Float, Graph, Node, Op, Shape, Tensor, TensorId};

/// A value by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ValueId(usize);

/// What a layer computes, in one or both orders.
#[derive(Debug)]
struct Value {
    /// Dimensions in PyTorch's order, with the batch.
    shape: Shape,
    /// In PyTorch's order.
    plain: Option<TensorId>,
    /// NHWC; sequences (`NCL`) as images of height 1.
    channels_last: Option<TensorId>,
    /// A value of channels and positions that this is, flattened, while `plain` is absent.
    flattened: Option<ValueId>,
}

/// How a weight stands in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As in the state dict.
    Plain,
    /// Seen in the shape `from`, axes in another order, then in the shape `to`, all of as many elements as the weight.
    Permuted { from: Vec<usize>, permutation: Vec<usize>, to: Vec<usize> },
}

/// A graph, the values in it, and the weights it has taken.
pub(super) struct Network {
    pub graph: Graph<Float>,
    values: Vec<Value>,
    weights: HashMap<(String, Form), TensorId>,
    /// For each node, the layer that it comes from.
    pub layers: Vec<usize>,
    /// The layer at work: its position and name.
    layer: (usize, String),
}

impl Network {
    pub(super) fn new(name: String) -> Self {
        Network {
            graph: Graph::new(name),
            values: Vec::new(),
            weights: HashMap::new(),
            layers: Vec::new(),
            layer: (0, String::new()),
        }
    }

    /// Says which layer the nodes to come belong to.
    pub(super) fn begin_layer(&mut self, index: usize, name: &str) {
        self.layer = (index, name.to_owned());
    }

    fn add_value(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        ValueId(self.values.len() - 1)
    }

    /// A value that a tensor in PyTorch's order holds.
    pub(super) fn plain_value(&mut self, tensor: TensorId) -> ValueId {
        let shape = self.graph[tensor].shape.clone();
        self.add_value(Value { shape, plain: Some(tensor), channels_last: None, flattened: None })
    }

    /// A value that an NHWC tensor holds; `rank` is 4, or 3 for a sequence.
    pub(super) fn channels_last_value(&mut self, tensor: TensorId, rank: usize) -> ValueId {
        let shape = match *self.graph[tensor].shape {
            [batch, height, width, channels] if rank == 3 => Shape::from([batch, channels, height * width]),
            [batch, height, width, channels] => Shape::from([batch, channels, height, width]),
            _ => self.graph[tensor].shape.clone(),
        };
        self.add_value(Value { shape, plain: None, channels_last: Some(tensor), flattened: None })
    }

    /// Dimensions in PyTorch's order, with the batch.
    pub(super) fn shape(&self, value: ValueId) -> &Shape {
        &self.values[value.0].shape
    }

    /// Whether the value is at hand with its channels last.
    pub(super) fn is_channels_last(&self, value: ValueId) -> bool {
        self.values[value.0].channels_last.is_some()
    }

    /// The tensor in PyTorch's order.
    pub(super) fn plain(&mut self, value: ValueId) -> Result<TensorId, Vec<Fault>> {
        if let Some(plain) = self.values[value.0].plain {
            return Ok(plain);
        }
        let shape = self.shape(value).clone();
        let plain = if let Some(source) = self.values[value.0].flattened {
            let source = self.plain(source)?;
            self.reshape(source, shape, "flatten")?
        } else {
            let Some(tensor) = self.values[value.0].channels_last else { return Err(Vec::new()) };
            match *shape {
                [_, channels, height, width] if channels > 1 && height * width > 1 => {
                    self.transpose(tensor, vec![0, 3, 1, 2], "to_nchw")?
                }
                [batch, channels, length] if channels > 1 && length > 1 => {
                    let rows = self.reshape(tensor, [batch, length, channels], "to_nlc")?;
                    self.transpose(rows, vec![0, 2, 1], "to_ncl")?
                }
                _ => self.reshape(tensor, shape, "to_nchw")?,
            }
        };
        self.values[value.0].plain = Some(plain);
        Ok(plain)
    }

    /// The NHWC tensor of a value of rank 3 or 4.
    pub(super) fn channels_last(&mut self, value: ValueId) -> Result<TensorId, Vec<Fault>> {
        if let Some(tensor) = self.values[value.0].channels_last {
            return Ok(tensor);
        }
        let plain = self.plain(value)?;
        let is_input = self.graph.inputs().contains(&plain);
        let tensor = match **self.shape(value) {
            // An input is transposed even where nothing moves: the model then takes images with channels last.
            [_, channels, height, width] if is_input || channels > 1 && height * width > 1 => {
                self.transpose(plain, vec![0, 2, 3, 1], "to_nhwc")?
            }
            [batch, channels, height, width] => {
                self.reshape(plain, [batch, height, width, channels], "to_nhwc")?
            }
            [batch, channels, length] => {
                let rows = match channels > 1 && length > 1 {
                    true => self.transpose(plain, vec![0, 2, 1], "to_nlc")?,
                    false => plain,
                };
                self.reshape(rows, [batch, 1, length, channels], "to_nhwc")?
            }
            _ => return Err(Vec::new()),
        };
        self.values[value.0].channels_last = Some(tensor);
        Ok(tensor)
    }

    /// The value with all axes after the batch in one.
    pub(super) fn flatten(&mut self, value: ValueId) -> Result<ValueId, Vec<Fault>> {
        let shape = self.shape(value).clone();
        let [batch, rest @ ..] = &*shape else { return Err(Vec::new()) };
        let flat = Shape::from([*batch, rest.iter().product()]);
        let held = &self.values[value.0];
        if held.plain.is_none() && held.channels_last.is_some() {
            let flattened = Some(value);
            return Ok(self.add_value(Value { shape: flat, plain: None, channels_last: None, flattened }));
        }
        let plain = self.plain(value)?;
        let flat = self.reshape(plain, flat, "flatten")?;
        Ok(self.plain_value(flat))
    }

    /// For a flattened image that is at hand with its channels last only: the image's dimensions in PyTorch's order, and
    /// its elements in the graph's order, flattened.
    pub(super) fn flattened_channels_last(
        &mut self,
        value: ValueId,
    ) -> Result<Option<(Shape, TensorId)>, Vec<Fault>> {
        let Value { shape, plain: None, flattened: Some(source), .. } = &self.values[value.0] else {
            return Ok(None);
        };
        let (shape, source) = (shape.clone(), *source);
        let image = self.shape(source).clone();
        let tensor = self.channels_last(source)?;
        Ok(Some((image, self.reshape(tensor, shape, "flatten")?)))
    }

    pub(super) fn reshape(
        &mut self,
        tensor: TensorId,
        shape: impl Into<Shape>,
        suffix: &str,
    ) -> Result<TensorId, Vec<Fault>> {
        let shape = shape.into();
        if self.graph[tensor].shape == shape {
            return Ok(tensor);
        }
        self.node_named(Op::Reshape(Reshape { shape }), &[Some(tensor)], suffix)
    }

    pub(super) fn transpose(
        &mut self,
        tensor: TensorId,
        permutation: Vec<usize>,
        suffix: &str,
    ) -> Result<TensorId, Vec<Fault>> {
        self.node_named(Op::Transpose(Transpose { permutation }), &[Some(tensor)], suffix)
    }

    /// Adds a node of one output, and gives that.
    pub(super) fn node(&mut self, op: Op, inputs: &[Option<TensorId>]) -> Result<TensorId, Vec<Fault>> {
        self.node_named(op, inputs, "")
    }

    fn node_named(
        &mut self,
        op: Op,
        inputs: &[Option<TensorId>],
        suffix: &str,
    ) -> Result<TensorId, Vec<Fault>> {
        let tensors: Vec<Option<&Tensor>> = inputs.iter().map(|id| id.map(|id| &self.graph[id])).collect();
        let outputs = infer(&op, &tensors)?;
        let output = outputs.into_iter().next().ok_or_else(Vec::new)?;
        if output.shape.elements().is_none() {
            return Err(vec![Fault::Size { shape: output.shape }]);
        }
        let (index, layer) = &self.layer;
        let name = if suffix.is_empty() { layer.clone() } else { format!("{layer}/{suffix}") };
        let dtype = output.types.first().copied().unwrap_or(DType::F32);
        self.layers.push(*index);
        let tensor = self.graph.add_tensor(Tensor::new(name.clone(), dtype, output.shape));
        let outputs = vec![tensor];
        self.graph.add_node(Node { name, op, inputs: inputs.to_vec(), outputs });
        Ok(tensor)
    }

    /// A constant with the values of a weight.
    pub(super) fn weight(&mut self, weight: &Weight, form: Form) -> TensorId {
        let key = (weight.name.clone(), form);
        if let Some(&tensor) = self.weights.get(&key) {
            return tensor;
        }
        let (shape, data) = match &key.1 {
            Form::Plain => (weight.shape.clone(), weight.bytes()),
            Form::Permuted { from, permutation, to } => {
                (Shape::from(to.as_slice()), weight.permuted_bytes(from, permutation))
            }
        };
        let mut tensor = Tensor::new(weight.name.clone(), DType::F32, shape);
        tensor.data = Some(data);
        let tensor = self.graph.add_tensor(tensor);
        self.weights.insert(key, tensor);
        tensor
    }

    /// A constant with values of its own.
    pub(super) fn constant(&mut self, suffix: &str, shape: impl Into<Shape>, values: &[f32]) -> TensorId {
        let name = format!("{}/{suffix}", self.layer.1);
        let data: Arc<[u8]> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut tensor = Tensor::new(name, DType::F32, shape);
        tensor.data = Some(data);
        self.graph.add_tensor(tensor)
    }
}

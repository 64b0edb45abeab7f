//! Lowering: from a quantized graph to the operators and records of the runtime.
//!
//! Scales become multipliers, zero points are folded into biases, activations on single values become tables, reshapes
//! become views of the same bytes. What comes out is a [`Program`]: everything that a `.sct` file holds except the order
//! and the places that the memory planner decides.
//!
//! | module | operators |
//! |---|---|
//! | `convolution` | convolutions, fully connected |
//! | `dense` | how their weights are stored |
//! | `depthwise` | depthwise convolutions |
//! | `dynamic` | layers whose inputs are quantized at run time |
//! | `elementwise` | arithmetic on two tensors |
//! | `lookup` | functions of one value |
//! | `pool` | pools and reductions |
//! | `layout` | padding, slices, joins |
//! | `edges` | real numbers in and out, softmax, resizing |
//! | `program` | the result |

mod convolution;
mod dense;
mod depthwise;
mod dynamic;
mod edges;
mod elementwise;
mod layout;
mod lookup;
mod pool;
mod program;

use secateur::format::{self, OpCode};
use secateur::kernels::NodeError;

pub use program::{Program, Step, Storage, Value, ValueId};

use crate::arithmetic::{Affine, table, unsupported, weights};
use crate::core::Core;
use crate::ir::graph::Uses;
use crate::ir::{DType, Fault, Graph, Node, NodeId, Op, Place, Problem, Quantized, Shape, Tensor, TensorId};
use program::Constants;

/// Lowers a checked graph, with the packings that pay on `core`.
///
/// # Errors
/// Every node that the runtime cannot execute, with the reason and what to do.
pub fn lower(graph: &Graph<Quantized>, core: Core) -> Result<Program, Vec<Problem>> {
    let mut lowering = Lowering {
        graph,
        uses: graph.uses(),
        core,
        values: vec![None; graph.tensors().len()],
        program: Program::new(&graph.name),
        constants: Constants::default(),
        weights_read: 0,
    };
    let mut problems = Vec::new();
    for &input in graph.inputs() {
        lowering.collect(lowering.tensor_place(input), &mut problems, |l| {
            let value = l.value(input)?;
            l.program.inputs.push(value);
            Ok(())
        });
    }
    for id in graph.node_ids() {
        let node = &graph[id];
        lowering.collect(node_place(id, node), &mut problems, |l| l.node(node));
        if let Err(fault) = lowering.check_size() {
            problems.push(Problem { place: node_place(id, node), fault });
            return Err(problems);
        }
    }
    for &output in graph.outputs() {
        lowering.collect(lowering.tensor_place(output), &mut problems, |l| {
            let value = l.output(output)?;
            l.program.outputs.push(value);
            Ok(())
        });
    }
    if problems.is_empty() { Ok(lowering.program.with_constants(lowering.constants)) } else { Err(problems) }
}

fn node_place(id: NodeId, node: &Node) -> Place {
    Place::Node { index: id.index(), name: node.name.clone(), operator: node.op.name().to_owned() }
}

/// What is needed while one graph is lowered.
struct Lowering<'g> {
    graph: &'g Graph<Quantized>,
    uses: Uses,
    core: Core,
    values: Vec<Option<ValueId>>,
    program: Program,
    constants: Constants,
    /// Bytes of weights that the layers so far have, those that share them counted each time.
    weights_read: usize,
}

/// Most bytes of constants: no microcontroller has more flash.
const MOST_CONSTANTS: usize = 64 << 20;

/// Most bytes of weights that all layers together read.
const MOST_WEIGHTS_READ: usize = 2 * MOST_CONSTANTS;

impl<'g> Lowering<'g> {
    fn collect(
        &mut self,
        place: Place,
        problems: &mut Vec<Problem>,
        f: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) {
        if let Err(fault) = f(self) {
            problems.push(Problem { place, fault });
        }
    }

    fn tensor_place(&self, id: TensorId) -> Place {
        Place::Tensor { index: id.index(), name: self.graph[id].name.clone() }
    }

    fn node(&mut self, node: &'g Node) -> Result<(), Fault> {
        match &node.op {
            Op::Conv2d(conv) => self.conv2d(node, conv),
            Op::DepthwiseConv2d(conv) => self.depthwise_conv2d(node, conv),
            Op::TransposeConv2d(conv) => self.transpose_conv2d(node, conv),
            Op::FullyConnected(layer) => self.fully_connected(node, layer),
            Op::AveragePool2d(pool) => self.pool2d(node, pool, OpCode::AveragePool2d),
            Op::MaxPool2d(pool) => self.pool2d(node, pool, OpCode::MaxPool2d),
            Op::Mean(reduce) => self.sum_or_mean(node, reduce, true),
            Op::Sum(reduce) => self.sum_or_mean(node, reduce, false),
            Op::ReduceMax(reduce) => self.reduce_max(node, reduce),
            Op::ArgMax(arg) => self.arg_max(node, arg),
            Op::Add(add) => self.add(node, add),
            Op::Sub(sub) => self.sub(node, sub),
            Op::Mul(mul) => self.mul(node, mul),
            Op::Maximum => self.extreme(node, OpCode::Maximum),
            Op::Minimum => self.extreme(node, OpCode::Minimum),
            Op::Softmax(softmax) => self.softmax(node, softmax),
            Op::Reshape(_) => self.view(node),
            Op::Pad(pad) => self.pad(node, pad),
            Op::Transpose(transpose) => self.transpose(node, transpose),
            Op::StridedSlice(slice) => self.strided_slice(node, slice),
            Op::Split(split) => self.split(node, split),
            Op::Concatenation(join) => self.concatenation(node, join),
            Op::Pack(stack) => self.pack(node, stack),
            Op::Unpack(stack) => self.unpack(node, stack),
            Op::Quantize => self.quantize(node),
            Op::Dequantize => self.dequantize(node),
            Op::ResizeNearest(resize) => self.resize_nearest(node, resize),
            Op::ResizeBilinear(resize) => self.resize_bilinear(node, resize),
            op if table::applies(op) => self.lookup(node),
            op => Err(unsupported(format!("{} is not executable in int8 yet", op.name()))),
        }
    }

    /// The tensor at an input slot that a checked graph has.
    fn operand(&self, node: &Node, slot: usize) -> Result<&'g Tensor, Fault> {
        self.graph.input_of(node, slot).ok_or(Fault::MissingInput { role: "input" })
    }

    /// The tensor that a node writes.
    fn result(&self, node: &Node) -> Result<&'g Tensor, Fault> {
        node.output().and_then(|id| self.graph.get(id)).ok_or(Fault::OutputCount { found: 0, expected: 1 })
    }

    /// The program's value for the tensor at an input slot.
    fn input_value(&mut self, node: &Node, slot: usize) -> Result<ValueId, Fault> {
        self.value(node.input(slot).ok_or(Fault::MissingInput { role: "input" })?)
    }

    /// The program's value for the tensor that a node writes.
    fn result_value(&mut self, node: &Node) -> Result<ValueId, Fault> {
        self.value(node.output().ok_or(Fault::OutputCount { found: 0, expected: 1 })?)
    }

    /// The program's value for a tensor: a buffer of its own, or a constant.
    fn value(&mut self, id: TensorId) -> Result<ValueId, Fault> {
        if let Some(value) = self.values[id.index()] {
            return Ok(value);
        }
        let tensor = &self.graph[id];
        let value = Value::new(tensor, dtype(tensor)?, shape(tensor)?);
        let value = match &tensor.data {
            Some(data) => Value { storage: Storage::Constant(self.constants.add(&data[..])), ..value },
            None => value,
        };
        let id = self.program.add_value(value, &mut self.values[id.index()]);
        Ok(id)
    }

    /// A value for a model output. Inputs and constants that go straight out are copied.
    fn output(&mut self, id: TensorId) -> Result<ValueId, Fault> {
        let source = self.value(id)?;
        let passes_through = self.program.inputs.iter().any(|&i| self.program.shares_bytes(i, source));
        if !passes_through && !self.graph[id].is_constant() && !self.program.outputs.contains(&source) {
            return Ok(source);
        }
        let tensor = &self.graph[id];
        let copy = self.program.add_value(Value::new(tensor, dtype(tensor)?, shape(tensor)?), &mut None);
        self.program.steps.push(Step::new(&tensor.name, OpCode::Copy, &(), vec![source], vec![copy]));
        Ok(copy)
    }

    /// Refuses a model that has grown beyond what any microcontroller holds.
    fn check_size(&self) -> Result<(), Fault> {
        for (bytes, what, limit) in [
            (self.constants.len(), "constants", MOST_CONSTANTS),
            (self.weights_read, "weights to read", MOST_WEIGHTS_READ),
        ] {
            if bytes > limit {
                return Err(unsupported(format!(
                    "up to here the model has {bytes} bytes of {what}, at most {limit} are allowed"
                )));
            }
        }
        Ok(())
    }

    /// The values of a constant filter of 8, 4 or 1 bits.
    fn weights(&mut self, filter: &Tensor) -> Result<Vec<i8>, Fault> {
        self.weights_read =
            self.weights_read.saturating_add(filter.data.as_ref().map_or(0, |data| data.len()));
        weights::values(filter)
    }

    /// The node's output is its input's bytes under another shape.
    fn view(&mut self, node: &Node) -> Result<(), Fault> {
        let source = self.input_value(node, 0)?;
        let tensor = self.result(node)?;
        let mut value = Value::new(tensor, dtype(tensor)?, shape(tensor)?);
        value.storage = self.program.values[source.0].storage;
        let id = node.output().ok_or(Fault::OutputCount { found: 0, expected: 1 })?;
        self.program.add_view(value, &mut self.values[id.index()]);
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), Fault> {
        let constant = |&value: &ValueId| self.program.buffer(value).is_none();
        if !takes_constants(step.op) && step.inputs.iter().any(constant) {
            return Err(unsupported(
                "its input is a constant: compute its result when exporting the model".to_owned(),
            ));
        }
        self.program.steps.push(step);
        Ok(())
    }
}

/// Whether an operator's inputs may be in the constant section.
fn takes_constants(op: OpCode) -> bool {
    use OpCode::{Add, Concatenation, Copy, Maximum, Minimum, Mul, Pad, StridedSlice, Sub, Transpose};
    matches!(op, Add | Sub | Mul | Maximum | Minimum | Concatenation | Pad | Transpose | StridedSlice | Copy)
}

/// Height and width of an image.
fn image_size(role: &'static str, tensor: &Tensor) -> Result<[usize; 2], Fault> {
    match tensor.shape[..] {
        [_, height, width, _] => Ok([height, width]),
        _ => Err(Fault::Rank { role, shape: tensor.shape.clone(), expected: "4" }),
    }
}

/// Turns the runtime's refusal of a window or of the sizes that it slides over into a fault.
fn indexable(result: Result<(), NodeError>, input: [usize; 2], output: [usize; 2]) -> Result<(), Fault> {
    let [[h, w], [out_h, out_w]] = [input, output];
    result.map_err(|_| {
        unsupported(format!(
            "a window from {h}x{w} to {out_h}x{out_w}: images and windows have at most 32767 positions along an axis"
        ))
    })
}

fn dtype(tensor: &Tensor) -> Result<format::DType, Fault> {
    match tensor.dtype {
        DType::I8 => Ok(format::DType::I8),
        DType::I16 => Ok(format::DType::I16),
        DType::I32 => Ok(format::DType::I32),
        DType::F32 => Ok(format::DType::F32),
        found => {
            Err(Fault::Type { role: "tensor", found, expected: "i8, i32 or f32 (at the edges)".to_owned() })
        }
    }
}

fn shape(tensor: &Tensor) -> Result<format::Shape, Fault> {
    shape_of(&tensor.shape)
}

/// Dimensions as the format stores them; a scalar has one of 1.
fn shape_of(dims: &[usize]) -> Result<format::Shape, Fault> {
    let narrow: Option<Vec<u32>> = dims.iter().map(|&d| u32::try_from(d).ok()).collect();
    let narrow = narrow.map(|dims| if dims.is_empty() { vec![1] } else { dims });
    narrow.and_then(|dims| format::Shape::new(&dims)).ok_or_else(|| {
        unsupported(format!(
            "shape {} has more than {} dimensions or too many elements; reshape before this node",
            Shape::from(dims),
            format::MAX_RANK
        ))
    })
}

/// Refuses operands of different quantization, for operators that compare or move values.
fn same_quantization(input: Affine, output: Affine) -> Result<(), Fault> {
    if input == output {
        return Ok(());
    }
    Err(unsupported(format!(
        "input scale {} and zero point {}, output scale {} and zero point {}: they must be equal; insert a QUANTIZE",
        input.scale, input.zero_point, output.scale, output.zero_point
    )))
}

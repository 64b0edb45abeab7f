//! What can be wrong with a graph, and where.

use std::fmt;

use thiserror::Error;

use crate::ir::{DType, Shape};

/// One thing that is wrong, and its place.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{place}: {fault}")]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what to do.
    pub fault: Fault,
}

/// A part of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The whole graph.
    Graph,
    /// A tensor.
    Tensor {
        /// Position among the tensors.
        index: usize,
        /// Its name, which may be empty.
        name: String,
    },
    /// A node.
    Node {
        /// Position among the nodes.
        index: usize,
        /// Its name, which may be empty.
        name: String,
        /// The operator, as the source format calls it.
        operator: String,
    },
}

/// `node 3 'conv1/Relu' (CONV_2D)`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Graph => f.write_str("model"),
            Place::Tensor { index, name } => write!(f, "tensor {index} '{name}'"),
            Place::Node { index, name, operator } => write!(f, "node {index} '{name}' ({operator})"),
        }
    }
}

/// A violation of what [`crate::ir::check`] demands.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// An attribute is outside its range or does not fit the inputs.
    #[error("{attribute} = {value}: {expected}")]
    Attribute {
        /// The attribute's name.
        attribute: &'static str,
        /// Its value.
        value: String,
        /// The condition it violates.
        expected: String,
    },
    /// A node has too few or too many inputs.
    #[error("{found} inputs: {expected} expected")]
    InputCount {
        /// How many it has.
        found: usize,
        /// How many the operator takes.
        expected: String,
    },
    /// A node has too few or too many outputs.
    #[error("{found} outputs: {expected} expected")]
    OutputCount {
        /// How many it has.
        found: usize,
        /// How many the operator writes.
        expected: usize,
    },
    /// A required input is absent.
    #[error("the {role} is missing")]
    MissingInput {
        /// The input's role.
        role: &'static str,
    },
    /// An input's rank does not suit the operator.
    #[error("the {role} has shape {shape}: rank {expected} expected")]
    Rank {
        /// The input's role.
        role: &'static str,
        /// Its shape.
        shape: Shape,
        /// The ranks that would do.
        expected: &'static str,
    },
    /// An input's dimension does not suit the operator.
    #[error("the {role} has shape {shape}: dimension {axis} must be {expected}")]
    Dimension {
        /// The input's role.
        role: &'static str,
        /// Its shape.
        shape: Shape,
        /// The axis in question.
        axis: usize,
        /// What the dimension must be and why.
        expected: String,
    },
    /// Shapes of two inputs do not suit each other.
    #[error("shapes {first} and {second} do not go together: {expected}")]
    Shapes {
        /// The first input's shape.
        first: Shape,
        /// The second input's shape.
        second: Shape,
        /// What they should be.
        expected: &'static str,
    },
    /// An input's or output's type does not suit the operator.
    #[error("the {role} is {found}: {expected} expected")]
    Type {
        /// The input's or output's role.
        role: &'static str,
        /// Its type.
        found: DType,
        /// The types that would do.
        expected: String,
    },
    /// A window is larger than the padded image.
    #[error("a window of {window} exceeds the padded input's {axis} of {padded}")]
    WindowTooLarge {
        /// `height` or `width`.
        axis: &'static str,
        /// The window's extent, dilation included.
        window: usize,
        /// The image's extent, padding included.
        padded: usize,
    },
    /// A tensor's shape is not what the operator writes.
    #[error("output {output} has shape {found}, but the operator writes {expected}")]
    OutputShape {
        /// Which output.
        output: usize,
        /// The tensor's shape.
        found: Shape,
        /// The shape that follows from the inputs.
        expected: Shape,
    },
    /// A tensor has no elements or too many.
    #[error(
        "shape {shape}: at most {} dimensions, each 1 or more, and at most {} elements are supported; \
         give the model a fixed input shape and export it again",
        Shape::MAX_RANK,
        Shape::MAX_ELEMENTS
    )]
    Size {
        /// The tensor's shape.
        shape: Shape,
    },
    /// A constant's data does not fit its shape and type.
    #[error("{found} bytes of data: shape {shape} of {dtype} takes {expected}")]
    DataLength {
        /// Bytes present.
        found: usize,
        /// Bytes needed.
        expected: usize,
        /// The tensor's shape.
        shape: Shape,
        /// The tensor's type.
        dtype: DType,
    },
    /// Only weights can have so few bits.
    #[error("{dtype} without data: only constant weights can have this type")]
    NotConstant {
        /// The tensor's type.
        dtype: DType,
    },
    /// A weight is not one of the type's values.
    #[error("holds {weight}, which is no value of {dtype}")]
    WeightRange {
        /// The tensor's type.
        dtype: DType,
        /// The value.
        weight: i8,
    },
    /// Integers that must stand for real numbers do not say how.
    #[error("{dtype} without scale and zero point; convert with full-integer quantization")]
    NotQuantized {
        /// The tensor's type.
        dtype: DType,
    },
    /// The type cannot be quantized.
    #[error("{dtype} with a scale and zero point: only integers have them")]
    CannotBeQuantized {
        /// The tensor's type.
        dtype: DType,
    },
    /// A scale is not a positive number.
    #[error("scale {channel} is {scale}: a scale must be positive and finite")]
    Scale {
        /// Which scale.
        channel: usize,
        /// Its value.
        scale: f32,
    },
    /// A zero point is outside its range.
    #[error("zero point {channel} is {zero_point}: must be within {low} and {high}")]
    ZeroPoint {
        /// Which zero point.
        channel: usize,
        /// Its value.
        zero_point: i32,
        /// The least value allowed.
        low: i32,
        /// The greatest value allowed.
        high: i32,
    },
    /// Numbers of scales, zero points and channels differ.
    #[error("{scales} scales and {zero_points} zero points for axis {axis} of shape {shape}")]
    ScaleCount {
        /// Number of scales.
        scales: usize,
        /// Number of zero points.
        zero_points: usize,
        /// The axis they run along.
        axis: usize,
        /// The tensor's shape.
        shape: Shape,
    },
    /// What a node writes, or an input, has a scale per channel.
    #[error("{scales} scales: only constants can have more than one; convert with per-tensor activations")]
    PerChannelActivation {
        /// Number of scales.
        scales: usize,
    },
    /// An id is outside the graph.
    #[error("refers to tensor {id}, but there are {count} tensors")]
    UnknownTensor {
        /// The id.
        id: usize,
        /// Number of tensors.
        count: usize,
    },
    /// Two writers.
    #[error("written more than once, by nodes {first} and {second}")]
    WrittenTwice {
        /// The first writer.
        first: usize,
        /// Another writer.
        second: usize,
    },
    /// A constant or input has a writer.
    #[error("{role} is written by node {node}")]
    WriteProtected {
        /// `a constant` or `an input of the graph`.
        role: &'static str,
        /// The writer.
        node: usize,
    },
    /// A tensor that is read has no writer, no data and is no input.
    #[error("read but never written: it is neither a constant nor an input of the graph")]
    NeverWritten,
    /// A node reads what a later node writes.
    #[error("reads tensor {tensor} before node {writer} writes it: the nodes are not in running order")]
    Order {
        /// The tensor.
        tensor: usize,
        /// Its writer.
        writer: usize,
    },
    /// Nodes depend on themselves.
    #[error("depends on its own output: nodes must not form a cycle")]
    Cycle,
    /// A constant given as an input of the graph.
    #[error("is an input of the graph and has data: it can only be one of them")]
    ConstantInput,
    /// The same tensor twice among the inputs or outputs.
    #[error("listed twice among the graph's {list}")]
    ListedTwice {
        /// `inputs` or `outputs`.
        list: &'static str,
    },
    /// The runtime cannot execute it.
    #[error("{what}")]
    Unsupported {
        /// What cannot be done, and what to do instead.
        what: String,
    },
    /// Nothing goes in or comes out.
    #[error("no {list}")]
    Empty {
        /// `inputs`, `outputs` or `nodes`.
        list: &'static str,
    },
}

//! What can be wrong with an ONNX file only.

use thiserror::Error;

use crate::ir::Shape;

/// A fault of an ONNX file that no other format can have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OnnxFault {
    /// The bytes are not a message of the kind that they should be.
    #[error("the file is damaged or no ONNX file: {message} at byte {offset} {what}")]
    Damaged {
        /// The message that is being read.
        message: &'static str,
        /// Where in the file.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The reader of the format does not take the file.
    #[error("the file is damaged or no ONNX file: {what}")]
    Unreadable {
        /// What the reader says.
        what: String,
    },
    /// The file is made of more parts than any sane model.
    #[error("the file lists more nodes, attributes and names than a model for a microcontroller can have")]
    TooManyParts,
    /// The file has no network.
    #[error("no graph: this is no ONNX model, or one that was saved without its graph")]
    NoGraph,
    /// The version of the file format is not known.
    #[error("IR version {found}: versions {oldest} to {newest} are supported; export with opset 13 to 20")]
    IrVersion {
        /// The version in the file.
        found: i64,
        /// The oldest that can be read.
        oldest: i64,
        /// The newest that can be read.
        newest: i64,
    },
    /// No version of the standard operators is stated.
    #[error("no opset of the standard operators (domain ai.onnx) is stated: export the model again")]
    NoOpset,
    /// The version of the standard operators is not known.
    #[error("opset {found}: versions {oldest} to {newest} are supported; export with opset_version=17")]
    Opset {
        /// The version in the file.
        found: i64,
        /// The oldest that can be read.
        oldest: i64,
        /// The newest that can be read.
        newest: i64,
    },
    /// A part of the format that is not read.
    #[error("has {what}, which is not supported: {advice}")]
    Part {
        /// The part.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The operator is not supported.
    #[error("the operator is not supported: {advice}")]
    Operator {
        /// What to do.
        advice: &'static str,
    },
    /// The operator belongs to a set that is not read.
    #[error("operators of the domain '{domain}' are not supported: export with the standard operators only")]
    Domain {
        /// The domain.
        domain: String,
    },
    /// The operator does not exist in the stated version.
    #[error("the operator is of opset {first} or newer, but the file states opset {found}")]
    OperatorTooNew {
        /// The first opset that has it.
        first: i64,
        /// The opset in the file.
        found: i64,
    },
    /// The operator has an attribute that is not known.
    #[error("attribute {name} is not known for this operator at this opset: the file is newer or damaged")]
    UnknownAttribute {
        /// The attribute's name.
        name: String,
    },
    /// An attribute is of another type.
    #[error("attribute {name} is not of type {expected}: the file is damaged")]
    AttributeType {
        /// The attribute's name.
        name: &'static str,
        /// The type it should have.
        expected: &'static str,
    },
    /// A required attribute is absent.
    #[error("attribute {name} is missing: the file is damaged")]
    MissingAttribute {
        /// The attribute's name.
        name: &'static str,
    },
    /// An output is asked for that is not computed here.
    #[error("output {output} ({role}) is used, but only the operator's first output is supported")]
    Output {
        /// Which output.
        output: usize,
        /// What it holds.
        role: &'static str,
    },
    /// A name is read that nothing gives.
    #[error("reads '{name}', which is no input, no initializer and no output of a node")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// A name is given twice.
    #[error("'{name}' is given more than once; names must be unique")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A dimension of an input is open.
    #[error("dimension {axis} ({dimension}) is open: fix it with --shape {name}={example}")]
    OpenDimension {
        /// The axis.
        axis: usize,
        /// The dimension's name or value in the file.
        dimension: String,
        /// The input's name.
        name: String,
        /// A shape with the open dimensions as letters.
        example: String,
    },
    /// An input says nothing of its shape.
    #[error("has no shape: state it with --shape {name}=…")]
    NoShape {
        /// The input's name.
        name: String,
    },
    /// A given shape does not suit the file's.
    #[error("--shape gives {given}, but the file has {stated}")]
    GivenShape {
        /// The shape given.
        given: Shape,
        /// The shape in the file, open dimensions by name.
        stated: String,
    },
    /// A shape is given for something that is no input.
    #[error("--shape names '{name}', but the inputs are {inputs}")]
    NoSuchInput {
        /// The name given.
        name: String,
        /// The names of the inputs.
        inputs: String,
    },
    /// An input or output is no tensor.
    #[error("is no tensor: sequences, maps and optional values are not supported")]
    NotATensor,
    /// A tensor's elements are of a type that is not supported.
    #[error("elements of type {name} are not supported: {advice}")]
    Type {
        /// The format's name of the type.
        name: String,
        /// What to do.
        advice: &'static str,
    },
    /// A tensor's data does not fit its shape.
    #[error("{found} elements of data, but the shape {shape} takes {expected}; the file is damaged")]
    Length {
        /// Elements present.
        found: usize,
        /// Elements needed.
        expected: usize,
        /// The shape.
        shape: Shape,
    },
    /// Bytes of a tensor are not a whole number of elements.
    #[error("{found} bytes of data, but the shape {shape} takes {expected}; the file is damaged")]
    RawLength {
        /// Bytes present.
        found: usize,
        /// Bytes needed.
        expected: usize,
        /// The shape.
        shape: Shape,
    },
    /// A tensor's data is in another file that cannot be used.
    #[error("data is in the file '{location}', {what}")]
    External {
        /// The path in the model.
        location: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A value cannot be represented.
    #[error("holds {value}, which is outside the range of {dtype}")]
    Value {
        /// The value.
        value: String,
        /// The type.
        dtype: &'static str,
    },
    /// Constants made of constants take too much memory.
    #[error("the constants that the file computes take more memory than a model for a microcontroller can")]
    ConstantsTooLarge,
    /// What a node computes can only be computed at conversion.
    #[error(
        "depends on what the network computes, but {what} is only supported on constants: replace it in the \
         model and export again"
    )]
    OnlyConstant {
        /// The operator.
        what: &'static str,
    },
    /// A step of dynamic quantization whose other steps are not there.
    #[error(
        "is not part of a pattern that is known: quantize_dynamic's MatMulInteger with constant int8 weights is \
         supported; quantize with quantize_static (QDQ), or export in floating point and quantize here"
    )]
    DynamicPattern,
    /// Integers are given one meaning and read with another.
    #[error("the integers it reads have another scale or zero point where they are written")]
    Reinterpreted,
}

//! What can be wrong with a description of a network.

use thiserror::Error;

use super::super::replace::similar;
use crate::ir::Shape;
use crate::ir::shape::Dimensions;

/// Why a description does not give a network.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ArchitectureFault {
    /// The text is not TOML, or its outer form is wrong.
    #[error("the description cannot be read:\n{what}")]
    Toml {
        /// What is wrong and in which line, in the words of the package that reads it.
        what: String,
    },
    /// The text or the number of layers is beyond any network.
    #[error("{what}: at most {most} are supported")]
    TooLong {
        /// What there is too much of.
        what: String,
        /// The limit.
        most: usize,
    },
    /// No layers.
    #[error("no layers: each is a [[layer]] with a kind")]
    NoLayers,
    /// The input's shape is unacceptable.
    #[error("input = {shape}: the shape of one image without the batch, such as [1, 28, 28], is expected")]
    Input {
        /// The shape given.
        shape: Shape,
    },
    /// A layer does not say what it is.
    #[error("no kind: such as kind = \"conv2d\"")]
    NoKind,
    /// The kind of layer is not known.
    #[error("kind '{kind}' is not known{}", similar(.nearest))]
    UnknownKind {
        /// The kind given.
        kind: String,
        /// Kinds that are most like it.
        nearest: Vec<String>,
    },
    /// An attribute is not known.
    #[error("attribute '{attribute}' is not known{}", similar(.nearest))]
    UnknownAttribute {
        /// The attribute given.
        attribute: String,
        /// Attributes of the layer that are most like it.
        nearest: Vec<String>,
    },
    /// An attribute is missing.
    #[error("{attribute} is missing: {expected} expected")]
    MissingAttribute {
        /// The attribute.
        attribute: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// An attribute's value is of another type or out of range.
    #[error("{attribute} = {value}: {expected} expected")]
    Attribute {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A value that PyTorch knows and that is not supported.
    #[error("{attribute} = {value} is not supported; {advice}")]
    Unsupported {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        value: String,
        /// What to do.
        advice: &'static str,
    },
    /// Two layers of one name.
    #[error("the name is that of an earlier layer too: names must differ")]
    NameTwice,
    /// A layer reads from a layer that there is not.
    #[error("'{name}' is no earlier layer{}", similar(.nearest))]
    UnknownLayer {
        /// The name given.
        name: String,
        /// Names of layers that are most like it.
        nearest: Vec<String>,
    },
    /// A layer has too few or too many inputs.
    #[error("from names {found} layers: {expected} expected")]
    InputCount {
        /// How many it has.
        found: usize,
        /// How many it takes.
        expected: &'static str,
    },
    /// An input's rank does not suit the layer.
    #[error("the input has shape {shape} in PyTorch's order: rank {expected} expected")]
    Rank {
        /// Its shape, with the batch.
        shape: Shape,
        /// The ranks that would do.
        expected: &'static str,
    },
    /// Shapes of inputs do not go together.
    #[error("inputs of shapes {first} and {second} do not go together")]
    Shapes {
        /// Shape of the first.
        first: Shape,
        /// Shape of the other.
        second: Shape,
    },
    /// A layer with weights does not say where they are.
    #[error("no weights: the module's name in the state dict is expected, such as weights = \"features.0\"")]
    NoWeights,
    /// The state dict has no tensor of the name.
    #[error("the state dict has no '{name}'{}", similar(.nearest))]
    UnknownWeight {
        /// The name.
        name: String,
        /// Names in the state dict that are most like it.
        nearest: Vec<String>,
    },
    /// A weight's dimensions do not suit the layer.
    #[error("'{name}' has shape {shape} in the state dict: {expected} expected")]
    Weight {
        /// The weight's name.
        name: String,
        /// Its shape.
        shape: Shape,
        /// What it should be.
        expected: String,
    },
    /// A weight's dimensions say something else than an attribute.
    #[error("{attribute} = {value}, but '{name}' has shape {shape} in the state dict")]
    Disagree {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        value: String,
        /// The weight's name.
        name: String,
        /// Its shape.
        shape: Shape,
    },
    /// A weight's channels do not suit the input.
    #[error(
        "'{name}' of shape {shape} takes {takes} channels{}, but the input has {has} (shape {}){advice}",
        if *.groups == 1 { String::new() } else { format!(" with groups = {groups}") },
        Dimensions(.input)
    )]
    Channels {
        /// The weight's name.
        name: String,
        /// Its shape.
        shape: Shape,
        /// Channels that it takes.
        takes: usize,
        /// Groups that the layer has.
        groups: usize,
        /// Channels of the input.
        has: usize,
        /// Shape of the input, with the batch.
        input: Shape,
        /// What to do, after a separator; may be empty.
        advice: String,
    },
    /// No layer uses a weight.
    #[error("no layer uses it{}; if that is meant, name it in unused = [...]", similar(.nearest))]
    UnusedWeight {
        /// Weights of layers that are most like it.
        nearest: Vec<String>,
    },
}

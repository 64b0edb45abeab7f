//! What can be wrong with a file of weights.

use thiserror::Error;

use crate::ir::Shape;

/// Why weights cannot be read.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum WeightsFault {
    /// The file is of another kind.
    #[error("{found}: weights are read from .pt, .pth and .safetensors files; {advice}")]
    NotWeights {
        /// What the file seems to be.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The file is a compiled program with its weights.
    #[error("a TorchScript program: save the model's weights alone, torch.save(model.state_dict(), ...)")]
    TorchScript,
    /// The file holds an object of a class that is not known here.
    #[error(
        "holds an object of class {class}, which only a program that knows the class can make: save the weights \
         alone, torch.save(model.state_dict(), ...)"
    )]
    Class {
        /// The class.
        class: String,
    },
    /// Opening the file in Python would call a function.
    #[error(
        "opening it in Python would call {function}; here nothing has been run. If you trust the file, save its \
         weights alone, torch.save(model.state_dict(), ...)"
    )]
    Call {
        /// The function.
        function: String,
    },
    /// Bytes of another byte order.
    #[error("saved on a big-endian machine: save it again on a little-endian one")]
    BigEndian,
    /// The pickle, or a storage after it, ends early.
    #[error("the file is cut: it ends amid a value")]
    Cut,
    /// A value in the pickle is not as it must be.
    #[error("the file is damaged: {what}")]
    Malformed {
        /// What was found.
        what: &'static str,
    },
    /// The pickle takes values from an empty stack.
    #[error("the file is damaged: a value is missing")]
    Stack,
    /// An operation of the pickle is not known.
    #[error("the file is damaged or not written by torch.save: operation {opcode:#04x}")]
    Opcode {
        /// Its code.
        opcode: u8,
    },
    /// The pickle is larger than that of any network.
    #[error(
        "too many values for a network's weights: save the weights alone, torch.save(model.state_dict(), ...)"
    )]
    TooManyObjects,
    /// The archive is damaged.
    #[error("the archive is damaged: {what}")]
    Archive {
        /// What is wrong, in the words of the package that reads it.
        what: String,
    },
    /// The archive has no entry of a name.
    #[error("the archive has no entry '{name}': the file is damaged")]
    NoEntry {
        /// The name.
        name: String,
    },
    /// The archive unpacks to far more than its length.
    #[error("its parts unpack to much more than the file's {bytes} bytes: it is no file of torch.save")]
    Bomb {
        /// Bytes of the file.
        bytes: usize,
    },
    /// The header of a .safetensors file is damaged.
    #[error("the header is damaged: {what}")]
    Header {
        /// What is wrong, in the words of the package that reads it.
        what: String,
    },
    /// No tensors.
    #[error("holds no tensors: save the weights, torch.save(model.state_dict(), ...)")]
    NoTensors,
    /// Several dictionaries of tensors.
    #[error("holds several dictionaries of tensors ({names}): save the one that is wanted")]
    SeveralDictionaries {
        /// Their names.
        names: String,
    },
    /// A tensor has no plain elements.
    #[error("{what}")]
    Unreadable {
        /// Its kind, and what to do.
        what: &'static str,
    },
    /// Elements of a type that are no real numbers.
    #[error("elements of type {found}: save it as float32")]
    Element {
        /// The type.
        found: String,
    },
    /// A tensor has no elements, too many, or too many dimensions.
    #[error("shape {shape}: at most {} dimensions, each 1 or more, are supported", Shape::MAX_RANK)]
    Size {
        /// Its shape.
        shape: Shape,
    },
    /// A tensor reaches beyond its storage.
    #[error("its elements reach beyond its storage of {bytes} bytes: the file is damaged")]
    BeyondStorage {
        /// Bytes of the storage.
        bytes: usize,
    },
    /// Tensors share so much that they take far more memory than the file.
    #[error(
        "the tensors share elements, and take much more than the file's {bytes} bytes: save contiguous tensors"
    )]
    Overlap {
        /// Bytes of the file.
        bytes: usize,
    },
    /// A mask of `torch.nn.utils.prune` does not fit.
    #[error("has shape {shape}, but its mask has {mask}")]
    Mask {
        /// Shape of the pruned tensor.
        shape: Shape,
        /// Shape of the mask.
        mask: Shape,
    },
}

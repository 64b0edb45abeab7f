//! From arrays and raw bytes to the bytes that a model's inputs take.
//!
//! - Raw bytes are elements in the inputs' own types already.
//! - Real numbers for a quantized input are quantized: `round(value / scale) + zero point`, halves away from zero,
//!   saturated.
//! - uint8 values are pixels: the real number `(pixel - mean) x scale` ([`Pixels`]), quantized like any other.
//! - Images with their channels first are turned, if the input has them last ([`Layout`]).
//! - Other integers are taken as they are: they must fit the input's type.
//!
//! An array holds one vector, or several along its first axis. Axes of length 1 may be missing or added.

mod assign;
mod layout;
mod values;

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::io::input::Input;
use crate::port::{Port, vector_bytes};
use assign::{assign, separate};
pub use layout::Layout;
use values::convert;

/// What a uint8 pixel stands for: `(pixel - mean) x scale`. One number of each for all channels, or one per channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Factor; 1/255 unless the user says otherwise.
    pub scale: Vec<f32>,
    /// Pixel value that stands for 0.0.
    pub mean: Vec<f32>,
    /// The order of an image's axes, whatever its element type.
    pub layout: Layout,
}

impl Default for Pixels {
    fn default() -> Self {
        Self { scale: vec![1.0 / 255.0], mean: vec![0.0], layout: Layout::Auto }
    }
}

/// One source of input values.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The input it is for; without a name, sources are for the inputs in order.
    pub name: Option<String>,
    /// Where it comes from, for messages.
    pub origin: String,
    /// Its content.
    pub input: Input,
}

/// Vectors ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// The vectors one after another, each with all inputs one after another.
    pub bytes: Vec<u8>,
    /// Number of vectors.
    pub vectors: usize,
    /// What was done, per input of the model.
    pub conversions: Vec<Conversion>,
}

impl Feed {
    /// `count` vectors taken evenly from all, or all there are.
    pub fn spread(self, count: usize) -> Self {
        if self.vectors <= count {
            return self;
        }
        let vector = self.bytes.len() / self.vectors;
        let starts = (0..count).map(|index| index * self.vectors / count * vector);
        let bytes = starts.flat_map(|start| self.bytes[start..start + vector].iter().copied()).collect();
        Self { bytes, vectors: count, ..self }
    }

    /// The first `count` vectors, or all there are.
    pub fn first(mut self, count: usize) -> Self {
        let vector = self.bytes.len() / self.vectors.max(1);
        self.vectors = self.vectors.min(count);
        self.bytes.truncate(vector * self.vectors);
        self
    }
}

/// How the values of one input were made from what was given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conversion {
    /// The input's name.
    pub input: String,
    /// Type and shape of what was given, or `raw bytes`.
    pub given: String,
    /// What was done with the values: `as_is`, `quantized` or `pixels_quantized`.
    pub action: Action,
    /// Whether channels were brought from the front to the back (NCHW to NHWC).
    pub transposed: bool,
    /// Number of values outside the range of the input's type, replaced by the nearest one inside.
    pub saturated: usize,
}

/// See [`Conversion::action`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Taken as they are.
    AsIs,
    /// Real numbers, quantized with the input's scale and zero point where it has them.
    Quantized,
    /// uint8 pixels made real numbers, then as `quantized`.
    PixelsQuantized,
}

/// Why given values do not suit a model.
#[derive(Debug, Error)]
pub enum FeedError {
    /// Nothing was given.
    #[error("no input values given")]
    Nothing,
    /// Raw bytes are not a whole number of vectors.
    #[error(
        "{origin}: {found} bytes are not a whole number of vectors; one vector has {vector} bytes: {layout}"
    )]
    RawLength {
        /// The file.
        origin: String,
        /// Its length.
        found: usize,
        /// Bytes of one vector.
        vector: usize,
        /// What a vector consists of.
        layout: String,
    },
    /// The number of sources is not the number of inputs.
    #[error("{given} sources of values, but the model has {}: {names}", count(.inputs, "input"))]
    SourceCount {
        /// Number of sources.
        given: usize,
        /// Number of inputs.
        inputs: usize,
        /// Names of the inputs.
        names: String,
    },
    /// An input has no source.
    #[error("no values for input '{input}'; given are {names}")]
    Absent {
        /// The input.
        input: String,
        /// Names that were given.
        names: String,
    },
    /// A source names no input.
    #[error("{origin}: the model has no input '{name}'; it has {names}")]
    UnknownInput {
        /// Where the values come from.
        origin: String,
        /// The name.
        name: String,
        /// Names of the inputs.
        names: String,
    },
    /// An array has a shape that does not suit the input.
    #[error("{origin}: shape {found} does not suit input '{input}' of shape {expected}{hint}")]
    Shape {
        /// Where the values come from.
        origin: String,
        /// The array's shape.
        found: String,
        /// The input.
        input: String,
        /// Its shape.
        expected: String,
        /// What to do, with its separator; may be empty.
        hint: &'static str,
    },
    /// A list of means or scales has neither one number nor one per channel.
    #[error(
        "{count} numbers in --{option}, but input '{input}' has {channels} channels: give one, or one per channel"
    )]
    PerChannel {
        /// `mean` or `scale`.
        option: &'static str,
        /// Numbers given.
        count: usize,
        /// The input.
        input: String,
        /// Its channels.
        channels: usize,
    },
    /// Inputs have different numbers of vectors.
    #[error("{origin}: {found} vectors, but {expected} of the other inputs")]
    VectorCount {
        /// Where the values come from.
        origin: String,
        /// Vectors there.
        found: usize,
        /// Vectors of the inputs before it.
        expected: usize,
    },
    /// An integer is outside the range of the input's type.
    #[error(
        "{origin}: value {value} does not fit the {dtype} of input '{input}'; integers are taken as they are, real numbers are quantized"
    )]
    Range {
        /// Where the values come from.
        origin: String,
        /// The value.
        value: i64,
        /// The input's type.
        dtype: &'static str,
        /// The input.
        input: String,
    },
    /// Real numbers for an input that cannot be quantized.
    #[error("{origin}: real numbers for input '{input}', whose {dtype} values have no scale; give integers")]
    NotQuantized {
        /// Where the values come from.
        origin: String,
        /// The input's type.
        dtype: &'static str,
        /// The input.
        input: String,
    },
    /// A value is not a number.
    #[error("{origin}: a value is not a number (NaN)")]
    NotANumber {
        /// Where the values come from.
        origin: String,
    },
}

fn count(n: &usize, noun: &str) -> String {
    format!("{n} {noun}{}", if *n == 1 { "" } else { "s" })
}

fn names(ports: &[Port]) -> String {
    ports.iter().map(|port| format!("'{}' {}", port.name, port.format())).collect::<Vec<_>>().join(", ")
}

/// Makes a model's input vectors from what was given.
///
/// # Errors
/// If it does not suit the inputs; see [`FeedError`].
pub fn feed(inputs: &[Port], given: Vec<Given>, pixels: &Pixels) -> Result<Feed, FeedError> {
    if let [Given { origin, input: Input::Raw(bytes), name: None }] = given.as_slice() {
        return whole_vectors(inputs, origin, bytes);
    }
    let sources = assign(inputs, separate(given))?;
    let mut columns = Vec::with_capacity(inputs.len());
    let mut conversions = Vec::with_capacity(inputs.len());
    let mut vectors = None;
    for (port, Given { origin, input, .. }) in inputs.iter().zip(sources) {
        let (bytes, conversion) = match input {
            Input::Raw(bytes) => {
                whole_vectors(std::slice::from_ref(port), &origin, &bytes)?;
                (bytes, conversion(port, "raw bytes".to_owned(), Action::AsIs))
            }
            Input::Array(array) => convert(port, &origin, &array, pixels)?,
            // `separate` leaves none.
            Input::Named(_) => return Err(FeedError::Nothing),
        };
        let found = bytes.len() / port.bytes.max(1);
        let expected = *vectors.get_or_insert(found);
        if found != expected {
            return Err(FeedError::VectorCount { origin, found, expected });
        }
        columns.push(bytes);
        conversions.push(conversion);
    }
    let vectors = vectors.ok_or(FeedError::Nothing)?;
    Ok(Feed { bytes: interleave(inputs, &columns, vectors), vectors, conversions })
}

fn conversion(port: &Port, given: String, action: Action) -> Conversion {
    Conversion { input: port.name.clone(), given, action, transposed: false, saturated: 0 }
}

/// Raw bytes with all inputs of a vector one after another.
fn whole_vectors(inputs: &[Port], origin: &str, bytes: &[u8]) -> Result<Feed, FeedError> {
    let vector = vector_bytes(inputs);
    if vector == 0 || bytes.is_empty() || !bytes.len().is_multiple_of(vector) {
        return Err(FeedError::RawLength {
            origin: origin.to_owned(),
            found: bytes.len(),
            vector,
            layout: names(inputs),
        });
    }
    let as_is = |port| conversion(port, "raw bytes".to_owned(), Action::AsIs);
    Ok(Feed {
        bytes: bytes.to_vec(),
        vectors: bytes.len() / vector,
        conversions: inputs.iter().map(as_is).collect(),
    })
}

fn interleave(inputs: &[Port], columns: &[Vec<u8>], vectors: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(vector_bytes(inputs) * vectors);
    for vector in 0..vectors {
        for (port, column) in inputs.iter().zip(columns) {
            bytes.extend_from_slice(&column[vector * port.bytes..][..port.bytes]);
        }
    }
    bytes
}

/// `float32 [8,49,10,1] quantized` and the like.
impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)?;
        if self.transposed {
            f.write_str(" transposed to NHWC")?;
        }
        match self.action {
            Action::AsIs => f.write_str(" as is"),
            Action::Quantized => f.write_str(", quantized"),
            Action::PixelsQuantized => f.write_str(" pixels, scaled and quantized"),
        }?;
        match self.saturated {
            0 => Ok(()),
            saturated => write!(f, "; {saturated} out of range and saturated"),
        }
    }
}

#[cfg(test)]
mod tests;

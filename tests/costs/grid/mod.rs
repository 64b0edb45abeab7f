//! Models of one operator each: shapes as networks for microcontrollers have them, and some that are odd.

mod builder;
mod convolution;
mod depthwise;
mod elementwise;
mod fully_connected;
mod layout;
mod pool;

use fastrand::Rng;
use secateur_converter::ir::{Graph, Quantized, TensorId};

use builder::Builder;

/// Adds a model's operator; gives its output, or nothing if this one would be too large or cannot be.
type Make = fn(&mut Builder) -> Option<TensorId>;

/// A family of models, and how many of it are measured.
pub(crate) struct Family {
    /// Without what the weights add to it.
    name: &'static str,
    weights: Weights,
    pub(crate) count: usize,
    make: Make,
}

/// What weights there are, and on what inputs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weights {
    Int8,
    Int4,
    OneBit,
    /// One bit, on inputs of -1 and +1.
    Binary,
}

/// Everything that is measured.
pub(crate) fn families() -> impl Iterator<Item = &'static Family> {
    let operators = [
        convolution::FAMILIES,
        depthwise::FAMILIES,
        fully_connected::FAMILIES,
        pool::FAMILIES,
        elementwise::FAMILIES,
        layout::FAMILIES,
    ];
    operators.into_iter().flatten()
}

impl Family {
    const fn new(name: &'static str, weights: Weights, count: usize, make: Make) -> Self {
        Self { name, weights, count, make }
    }

    pub(crate) fn name(&self) -> String {
        let name = self.name;
        match self.weights {
            Weights::Int8 => name.to_owned(),
            Weights::Int4 => format!("low-bit {name}, int4"),
            Weights::OneBit => format!("low-bit {name}, 1 bit"),
            Weights::Binary => format!("low-bit binary {name}"),
        }
    }

    /// The model of this number: the same every time.
    pub(crate) fn model(&self, number: usize) -> Graph<Quantized> {
        let name = self.name();
        let seed = name.bytes().fold(number as u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        let mut rng = Rng::with_seed(seed);
        loop {
            let mut builder = Builder::new(&name, rng.fork(), self.weights);
            if let Some(output) = (self.make)(&mut builder) {
                return builder.finish(output);
            }
        }
    }
}

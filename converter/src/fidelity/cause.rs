//! What the error of a layer most likely comes from.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use strum::IntoStaticStr;

use super::measure::Sums;
use crate::ir::{Float, Graph, Op, TensorId};
use crate::port::Port;

/// The largest part of a layer's error.
#[derive(Clone, Debug, PartialEq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Cause {
    /// There is no error.
    Exact,
    /// Its inputs were wrong already: the layer by itself adds less than half of the error.
    Inherited,
    /// Values that the scale cannot hold.
    Clipping {
        /// Share of the values, from 0 to 1.
        share: f64,
    },
    /// The step between two values that the tensor can hold.
    Rounding {
        /// How many steps the values span.
        levels: f64,
    },
    /// The weights.
    Weights(Weights),
    /// The operator's integer arithmetic, such as a table.
    Arithmetic,
    /// The layer cannot be run alone, because the network does not have all of its inputs, or has no such layer.
    Unknown,
}

/// The weights of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// How they are stored: `int8`, `int4`.
    pub format: &'static str,
    /// The largest range of a channel's weights relative to the smallest, channels of zeros left out; 1 if unknown.
    pub spread: f64,
}

/// A spread of the channels' ranges that is worth being mentioned: one scale for all loses three bits.
const WIDE_SPREAD: f64 = 8.0;

impl Cause {
    /// Its kind in a word: `inherited`.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// The largest part of an error. The squares of the error are held against those that clipping alone gives, and
    /// those that rounding to the tensor's steps gives on average.
    pub(super) fn of(total: &Sums, own: Option<&Sums>, port: &Port, weights: Option<Weights>) -> Self {
        if total.error == 0.0 {
            return Cause::Exact;
        }
        let measured = own.unwrap_or(total);
        if measured.error < total.error / 2.0 && total.clipping < total.error / 2.0 {
            return Cause::Inherited;
        }
        let step = port.scale.map_or(0.0, f64::from);
        let rounding = measured.elements as f64 * step * step / 12.0;
        if measured.clipping > measured.error / 2.0 || total.clipping > total.error / 2.0 {
            return Cause::Clipping { share: total.clipped_share() };
        }
        if rounding > measured.error / 2.0 {
            return Cause::Rounding { levels: ((total.high - total.low) / step + 1.0).round() };
        }
        match (own, weights) {
            (None, _) => Cause::Unknown,
            (Some(_), Some(weights)) => Cause::Weights(weights),
            (Some(_), None) => Cause::Arithmetic,
        }
    }
}

impl Weights {
    /// Those of the layer that writes a tensor of the network.
    pub(super) fn of(network: &Graph<Float>, tensor: TensorId, format: &'static str) -> Self {
        Self { format, spread: spread(network, tensor).unwrap_or(1.0) }
    }
}

fn spread(network: &Graph<Float>, tensor: TensorId) -> Option<f64> {
    let node = &network[network.uses().writer(tensor)?];
    let filter = network.input_of(node, 1)?;
    let values = filter.f32_values().or_else(|| filter.dequantized())?;
    let channels_last = matches!(node.op, Op::DepthwiseConv2d(_));
    let channels = if channels_last { *filter.shape.last()? } else { *filter.shape.first()? };
    let inner = if channels_last { 1 } else { values.len().checked_div(channels)?.max(1) };
    let mut ranges = vec![0.0f32; channels];
    for (index, value) in values.iter().enumerate() {
        let range = ranges.get_mut(index / inner % channels)?;
        *range = range.max(value.abs());
    }
    let used = || ranges.iter().copied().filter(|&range| range > 0.0);
    let (least, greatest) = (used().reduce(f32::min)?, used().reduce(f32::max)?);
    Some(f64::from(greatest) / f64::from(least))
}

/// Its kind, and itself in words.
impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cause = serializer.serialize_struct("Cause", 2)?;
        cause.serialize_field("kind", self.name())?;
        cause.serialize_field("text", &self.to_string())?;
        cause.end()
    }
}

/// In words, with what to do.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Exact => f.write_str("exact"),
            Cause::Inherited => f.write_str("comes with its inputs; the layer by itself is good"),
            Cause::Clipping { share } => {
                let percent = share * 100.0;
                write!(
                    f,
                    "clipping: {percent:.2} % of the values exceed its range; calibrate on more typical data"
                )
            }
            Cause::Rounding { levels } if *levels < 128.0 => {
                write!(f, "too few levels: its values span {levels} of 256; the range is wider than the data")
            }
            Cause::Rounding { levels } => {
                write!(f, "rounding of what it writes to 8 bits ({levels} levels)")
            }
            Cause::Weights(Weights { format, spread }) if *spread >= WIDE_SPREAD => {
                write!(f, "weights in {format}, ranges of channels differ {spread:.0} times")
            }
            Cause::Weights(Weights { format, .. }) => write!(f, "weights in {format}"),
            Cause::Arithmetic => f.write_str("the operator's integer arithmetic"),
            Cause::Unknown => f.write_str("unknown: its inputs are not among the network's tensors"),
        }
    }
}

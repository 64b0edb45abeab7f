//! How the weights of a dense layer are stored: convolutions and fully connected layers.
//!
//! The filter's element type decides, and what the core has kernels for. Each packing is taken only where the actual weights
//! keep its bounds:
//!
//! | weights | with dual multiply-accumulates | else, and for groups |
//! |---|---|---|
//! | 8 bits | byte-pair lanes | plain |
//! | 4 bits | nibble lanes | nibbles |
//! | 1 bit | signs | signs; plain for groups |
//! | 1 bit, inputs of -1 and +1 | xnor | xnor; plain for groups |
//!
//! What is left, and all of depthwise and transposed convolutions that has 1 bit, stands as bytes.

use secateur::format::Packing;
use secateur::isa::Signs;
use secateur::packing::{lanes, nibble_lanes, nibbles, signs, xnor};
use secateur::quant::{ChannelQuant, Multiplier, OutputStage};

use super::Lowering;
use crate::ir::{DType, Node, Op};

/// Inputs of a layer on many pixels that is worth computing bit by bit on a core with dual multiply-accumulates.
const LEAST_BINARY: usize = 96;

/// A layer of which every output channel has as many weights.
pub(super) struct Dense<'a> {
    /// The filter's element type.
    pub(super) dtype: DType,
    /// Weights in the operator's own order, channel by channel.
    pub(super) weights: &'a [i8],
    /// The same as lanes want them, no shorter; `None` if there are groups.
    pub(super) for_lanes: Option<&'a [i8]>,
    /// Channels per group of lanes.
    pub(super) group: usize,
    /// Vectors of inputs.
    pub(super) pixels: usize,
    /// Whether the inputs are -1 and +1, and padding is 0.
    pub(super) binary_inputs: bool,
    pub(super) channels: &'a [ChannelQuant],
    pub(super) stage: OutputStage,
}

/// Where a layer's weights and channels are in the constant section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) packing: Packing,
    pub(super) weights: u32,
    pub(super) channels: u32,
}

type Holds = fn(&[i8], usize, &[ChannelQuant]) -> bool;
type Encode = fn(&[i8], usize, &[ChannelQuant], usize, &mut [u32], &mut [i32]);

impl Lowering<'_> {
    /// Stores the weights and channels of a dense layer.
    pub(super) fn store_dense(&mut self, dense: &Dense<'_>) -> Stored {
        let packed = match dense.dtype {
            DType::B1 if dense.for_lanes.is_some() => self.store_as_bits(dense),
            _ => None,
        };
        packed.or_else(|| self.store_on_lanes(dense)).unwrap_or_else(|| Stored {
            packing: plain(dense.dtype),
            weights: self.store_plain(dense.dtype, dense.weights),
            channels: self.constants.add(dense.channels),
        })
    }

    /// Stores weights in the operator's own order.
    pub(super) fn store_plain(&mut self, dtype: DType, weights: &[i8]) -> u32 {
        if plain(dtype) == Packing::Plain {
            return self.constants.add(weights);
        }
        let mut bytes = vec![0; nibbles::bytes(weights.len())];
        nibbles::encode(weights, &mut bytes);
        self.constants.add(&bytes[..])
    }

    /// Stores weights of -1 and +1 as bits; nothing where they break the packing's bounds.
    fn store_as_bits(&mut self, dense: &Dense<'_>) -> Option<Stored> {
        let Dense { weights, channels, .. } = *dense;
        let count = channels.len();
        let inputs = weights.len().checked_div(count).filter(|&inputs| inputs > 0)?;
        // Masks serve several pixels; the bits of short rows are no faster then.
        let pays = inputs >= LEAST_BINARY || dense.pixels < Signs::PIXELS || !self.core.has_dsp();
        if dense.binary_inputs && pays && xnor::holds(weights, inputs, channels) {
            let mut bytes = vec![0u8; xnor::weight_bytes(count, inputs)?];
            let mut records = vec![0i32; count * xnor::RECORD_WORDS];
            xnor::encode(weights, inputs, channels, &mut bytes, &mut records);
            let (weights, channels) = (self.constants.add(&bytes[..]), self.constants.add(&records[..]));
            return Some(Stored { packing: Packing::Xnor, weights, channels });
        }
        if !signs::holds(weights, inputs, channels) {
            return None;
        }
        let mut words = vec![0u32; signs::weight_words(count, inputs)?];
        let mut records = vec![0i32; signs::record_words(count)?];
        signs::encode(weights, inputs, channels, &mut words, &mut records);
        let (weights, channels) = (self.constants.add(&words[..]), self.constants.add(&records[..]));
        Some(Stored { packing: Packing::Signs, weights, channels })
    }

    /// Whether what a node reads is -1 and +1, with 0 for padding: what a `Sign` wrote, perhaps under another shape.
    pub(super) fn reads_signs(&self, node: &Node) -> bool {
        let mut input = node.input(0);
        // No chain is longer than the graph.
        for _ in self.graph.nodes() {
            let Some(writer) = input.and_then(|id| self.uses.writer(id)).map(|id| &self.graph[id]) else {
                return false;
            };
            match writer.op {
                Op::Sign => return true,
                Op::Reshape(_) | Op::Transpose(_) => input = writer.input(0),
                _ => return false,
            }
        }
        false
    }

    /// Stores weights and records on lanes; nothing where the core gains nothing or the weights break the packing's bounds.
    fn store_on_lanes(&mut self, dense: &Dense<'_>) -> Option<Stored> {
        let weights = dense.for_lanes.filter(|_| self.core.has_dsp())?;
        let count = dense.channels.len();
        let inputs = weights.len() / count.max(1);
        let channels = &settled(weights, dense.channels, &dense.stage)[..];
        let (packing, holds, encode, words, records): (_, Holds, Encode, _, _) = match dense.dtype {
            DType::I4 => (
                Packing::NibbleLanes,
                nibble_lanes::holds,
                nibble_lanes::encode,
                nibble_lanes::weight_words(count, inputs),
                nibble_lanes::record_words(count),
            ),
            _ => (
                Packing::Lanes,
                lanes::holds,
                lanes::encode,
                lanes::weight_words(count, inputs, dense.group),
                lanes::record_words(count, dense.group),
            ),
        };
        if inputs == 0 || !holds(weights, inputs, channels) {
            return None;
        }
        let (mut words, mut records) = (vec![0u32; words], vec![0i32; records]);
        encode(weights, inputs, channels, dense.group, &mut words, &mut records);
        let (weights, channels) = (self.constants.add(&words[..]), self.constants.add(&records[..]));
        Some(Stored { packing, weights, channels })
    }
}

/// How weights of this type are stored in the operator's own order.
pub(super) fn plain(dtype: DType) -> Packing {
    if dtype == DType::I4 { Packing::Nibbles } else { Packing::Plain }
}

/// The channels, those that write one value for every input replaced by equal ones of numbers that packings hold: their scale
/// may be very small.
///
/// A channel without any weight writes some value `v`: so does a bias of `4 (v - zero point)` with a factor of 1/4. A channel
/// whose largest sum is still rounded to 0 writes what a factor of 0 gives.
pub(super) fn settled(weights: &[i8], channels: &[ChannelQuant], stage: &OutputStage) -> Vec<ChannelQuant> {
    let depth = (weights.len() / channels.len().max(1)).max(1);
    let settle = |(channel, row): (&ChannelQuant, &[i8])| {
        if row.iter().any(|&w| w != 0) {
            let reach =
                row.iter().map(|&w| i64::from(w).abs() * 128).sum::<i64>() + i64::from(channel.bias).abs();
            let vanishes = i32::try_from(reach)
                .is_ok_and(|reach| [reach, -reach].iter().all(|&sum| channel.multiplier.apply(sum) == 0));
            let zero = Multiplier { mantissa: 0, shift: -1 };
            return ChannelQuant { multiplier: if vanishes { zero } else { channel.multiplier }, ..*channel };
        }
        let value = stage.finish(channel.multiplier.apply(channel.bias));
        let bias = 4 * (i32::from(value) - i32::from(stage.zero_point));
        ChannelQuant { bias, multiplier: Multiplier { mantissa: 1 << 30, shift: -1 } }
    };
    channels.iter().zip(weights.chunks(depth)).map(settle).collect()
}

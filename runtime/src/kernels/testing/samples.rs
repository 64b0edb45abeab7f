//! Random operands. Bulk comes from [`Random`], the same for the same seed; the strategies draw from it.

extern crate std;
use core::ops::{Range, RangeInclusive};
use std::vec::Vec;

use proptest::prelude::*;

use super::definitions::Array;
use crate::kernels::{Axis, Window};
use crate::quant::{ChannelQuant, Multiplier, OutputStage};

/// Random numbers (splitmix64).
pub(crate) struct Random(pub(in crate::kernels) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `range`.
    pub(crate) fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let span = (range.end() - range.start()) as u64 + 1;
        range.start() + (self.next() % span) as i64
    }

    /// Any int8.
    pub(crate) fn value(&mut self) -> i8 {
        self.next() as i8
    }

    /// `len` values of any size, or, for one seed in four, nothing but the extremes.
    pub(crate) fn values(&mut self, len: usize) -> Vec<i8> {
        let extremes = self.next().is_multiple_of(4);
        (0..len)
            .map(|_| match self.next() {
                bits if extremes => [i8::MIN, i8::MAX][usize::from(bits & 7 == 0)],
                bits => bits as i8,
            })
            .collect()
    }

    /// A factor between `2^(shifts.start - 1)` and `2^shifts.end`.
    pub(crate) fn multiplier(&mut self, shifts: RangeInclusive<i32>) -> Multiplier {
        Multiplier {
            mantissa: self.within(1 << 30..=i64::from(i32::MAX)) as i32,
            shift: self.within(i64::from(*shifts.start())..=i64::from(*shifts.end())) as i32,
        }
    }

    /// Any zero point, and bounds in order: every other time the whole range.
    pub(crate) fn stage(&mut self) -> OutputStage {
        let stage = OutputStage::new(self.value());
        let (a, b) = (self.value(), self.value());
        if self.next().is_multiple_of(2) {
            stage
        } else {
            OutputStage { min: a.min(b), max: a.max(b), ..stage }
        }
    }

    /// Bias and multiplier of each channel, for sums of `depth` products that fill the output's range.
    fn channels(&mut self, count: usize, depth: usize) -> Vec<ChannelQuant> {
        let reach = depth as i64 * 4096;
        let shift = -(depth.max(1).ilog2() as i32) / 2 - 6;
        (0..count)
            .map(|_| ChannelQuant {
                bias: self.within(-reach..=reach) as i32,
                multiplier: self.multiplier(shift - 2..=shift + 2),
            })
            .collect()
    }

    fn array(&mut self, shape: [usize; 4]) -> Array {
        Array { shape, data: self.values(shape.iter().product()) }
    }
}

/// A layer that multiplies by weights, with its operands.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) window: Window,
    pub(crate) input: Array,
    pub(crate) zero_point: i8,
    pub(crate) weights: Array,
    /// Before [`Self::fold`].
    pub(crate) channels: Vec<ChannelQuant>,
    pub(crate) stage: OutputStage,
    pub(crate) output: [usize; 4],
}

impl Layer {
    /// A layer of these shapes with random values.
    pub(crate) fn random(
        seed: u64,
        window: Window,
        input: [usize; 4],
        weights: [usize; 4],
        output: [usize; 4],
    ) -> Self {
        let random = &mut Random(seed);
        let (input, weights) = (random.array(input), random.array(weights));
        let channels = random.channels(output[3], weights.data.len() / output[3]);
        let (zero_point, stage) = (random.value(), random.stage());
        Self { window, input, zero_point, weights, channels, stage, output }
    }

    /// The layer with weights that byte-pair lanes hold: without -128.
    pub(crate) fn for_lanes(mut self) -> Self {
        self.weights.data.iter_mut().for_each(|weight| *weight = (*weight).max(-127));
        self
    }

    /// The layer with int4 weights.
    pub(crate) fn with_nibbles(mut self) -> Self {
        self.weights.data.iter_mut().for_each(|weight| *weight >>= 4);
        // Biases that go with them: the last channel of four has fewer bits than others.
        self.channels.iter_mut().for_each(|channel| channel.bias /= 16);
        self
    }

    /// The layer with weights of -1 and +1.
    pub(crate) fn with_signs(mut self) -> Self {
        self.weights.data.iter_mut().for_each(|weight| *weight = if *weight < 0 { -1 } else { 1 });
        self.channels.iter_mut().for_each(|channel| channel.bias /= 64);
        self
    }

    /// The layer with inputs of -1 and +1.
    pub(crate) fn with_binary_inputs(mut self) -> Self {
        self.input.data.iter_mut().for_each(|value| *value = if *value < 0 { -1 } else { 1 });
        self.channels.iter_mut().for_each(|channel| channel.multiplier.shift += 5);
        self.zero_point = 0;
        self
    }

    /// The channels, whose weights follow each other, as [`Self::fold`] makes them.
    pub(crate) fn folded(&self) -> Vec<ChannelQuant> {
        let inputs = self.weights.data.len() / self.channels.len();
        let rows = self.weights.data.chunks(inputs).enumerate();
        rows.map(|(o, row)| self.fold(o, row)).collect()
    }

    /// Channel `o`, whose weights these are, with the input zero point folded into its bias, as the converter writes it.
    pub(crate) fn fold<'w>(&self, o: usize, weights: impl IntoIterator<Item = &'w i8>) -> ChannelQuant {
        let channel = self.channels[o];
        let sum: i32 = weights.into_iter().map(|&weight| i32::from(weight)).sum();
        ChannelQuant { bias: channel.bias - i32::from(self.zero_point) * sum, ..channel }
    }
}

/// What a function draws.
fn drawn<T: core::fmt::Debug>(draw: impl Fn(&mut Random) -> T) -> impl Strategy<Value = T> {
    any::<u64>().prop_map(move |seed| draw(&mut Random(seed)))
}

/// Factors between `2^(shifts.start - 1)` and `2^(shifts.end - 1)`.
pub(crate) fn multipliers(shifts: Range<i32>) -> impl Strategy<Value = Multiplier> {
    drawn(move |random| random.multiplier(shifts.start..=shifts.end - 1))
}

/// Output stages with any zero point and any bounds in order.
pub(crate) fn stages() -> impl Strategy<Value = OutputStage> {
    drawn(Random::stage)
}

/// Shapes of 1 to 6 dimensions with up to about a thousand elements.
pub(crate) fn shapes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        proptest::collection::vec(1usize..4, 1..=6),
        proptest::collection::vec(1usize..10, 1..=3),
        proptest::collection::vec(1usize..150, 1..=1),
    ]
}

/// As many values as a shape has elements.
pub(crate) fn values(dims: &[usize]) -> impl Strategy<Value = Vec<i8>> + use<> {
    let len = dims.iter().product();
    drawn(move |random| random.values(len))
}

/// Windows of all kinds: kernels up to `kernel`, strides up to 3, dilations up to `dilation`, every padding.
pub(crate) fn windows(kernel: u16, dilation: u16) -> impl Strategy<Value = Window> {
    let axis = move || {
        (1..=kernel, 1..=3u16, 1..=dilation, any::<u16>()).prop_map(|(kernel, stride, dilation, pad)| {
            let extent = (kernel - 1) * dilation + 1;
            Axis { kernel, stride, dilation, pad: pad % extent }
        })
    };
    (axis(), axis()).prop_map(|(height, width)| Window { height, width })
}

/// Output size of a window that need not stay on the input at the end, but starts on it.
pub(crate) fn windowed(window: &Window, input: [usize; 2]) -> [usize; 2] {
    [(window.height, input[0]), (window.width, input[1])]
        .map(|(axis, len)| (len + usize::from(axis.pad) - 1) / usize::from(axis.stride) + 1)
}

//! Running one node as a model of its own, and random operands, for tests.

extern crate std;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use zerocopy::{Immutable, IntoBytes};

use super::{ALL, Axis, NodeError, Window};
use crate::format::{DType, NodeRecord, OpCode, Place, Shape, Tables, TensorRecord, Writer};
use crate::quant::{ChannelQuant, Multiplier, OutputStage};
use crate::{Model, Session};

/// A node with its operands, which [`Self::run`] puts into a file of its own.
pub(super) struct SingleNode<'a> {
    pub(super) code: OpCode,
    pub(super) params: Vec<u8>,
    pub(super) constants: Constants,
    /// Shape and elements of each input, in the arena.
    pub(super) inputs: &'a [(&'a [usize], &'a [i8])],
    /// Shape of the output.
    pub(super) output: &'a [usize],
    pub(super) scratch_len: usize,
}

impl SingleNode<'_> {
    /// Checks, loads and runs the node; gives the output's elements.
    ///
    /// The arena holds no zeros beforehand, and must hold the inputs unchanged afterwards.
    pub(super) fn run(&self) -> Result<Vec<i8>, NodeError> {
        let mut arena_len = 0;
        let mut place = |len: usize| {
            let start = arena_len;
            arena_len += len.next_multiple_of(4);
            start as u32
        };
        let shapes = self.inputs.iter().map(|(shape, _)| *shape).chain([self.output]);
        let tensors: Vec<_> = shapes
            .map(|dims| {
                let dims: Vec<u32> = dims.iter().map(|&d| d as u32).collect();
                let shape = Shape::new(&dims).unwrap();
                TensorRecord::new(shape, DType::I8, Place::Arena, place(shape.elements()))
            })
            .collect();
        let count = self.inputs.len() as u16;
        let node = NodeRecord {
            op: self.code as u16,
            packing: 0,
            operands: u32::from(count) + 1,
            inputs: count as u8,
            outputs: 1,
            reserved: 0,
            params: 0,
            scratch: place(self.scratch_len),
            scratch_len: self.scratch_len as u32,
        };
        let operands: Vec<u16> = (0..=count).chain(0..=count).collect();
        let mut writer = Writer {
            tensors: &tensors,
            nodes: &[node],
            operands: &operands,
            input_count: count,
            output_count: 1,
            params: &self.params,
            constants: &self.constants.0,
            metadata: &[],
            arena_len: arena_len as u32,
            work: 0,
        };
        let mut words = vec![0u32; writer.file_len().div_ceil(4)];
        let file = &mut words.as_mut_bytes()[..writer.file_len()];
        writer.write(file).unwrap();
        let check = |node| (ALL.find(&node).unwrap().check)(&node);
        writer.work = check(Tables::read(file).unwrap().node(0).unwrap())?;
        writer.write(file).unwrap();

        let model = Model::load(file, &ALL).unwrap();
        let mut arena = vec![0x5555_5555u32; arena_len / 4];
        let mut session = Session::new(&model, arena.as_mut_bytes()).unwrap();
        for (index, (_, data)) in self.inputs.iter().enumerate() {
            session.input_mut::<i8>(index).unwrap().copy_from_slice(data);
        }
        session.run();
        for (index, (_, data)) in self.inputs.iter().enumerate() {
            assert_eq!(session.input_mut::<i8>(index).unwrap(), *data, "input {index} has changed");
        }
        Ok(session.output::<i8>(0).unwrap().to_vec())
    }
}

/// The constant section of a test's file.
#[derive(Default)]
pub(super) struct Constants(Vec<u8>);

impl Constants {
    /// Appends `values`, aligned; gives their offset.
    pub(super) fn push<T: IntoBytes + Immutable>(&mut self, values: &[T]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let offset = self.0.len() as u32;
        self.0.extend_from_slice(values.as_bytes());
        offset
    }
}

/// Random numbers (splitmix64), the same for the same seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `range`.
    pub(super) fn within(&mut self, range: core::ops::RangeInclusive<i64>) -> i64 {
        let span = (range.end() - range.start()) as u64 + 1;
        range.start() + (self.next() % span) as i64
    }

    /// `len` values of any size, or, for one seed in four, nothing but the extremes.
    pub(super) fn values(&mut self, len: usize) -> Vec<i8> {
        let extremes = self.next().is_multiple_of(4);
        (0..len)
            .map(|_| match self.next() {
                bits if extremes => [i8::MIN, i8::MAX][usize::from(bits & 7 == 0)],
                bits => bits as i8,
            })
            .collect()
    }

    /// Bias and multiplier of each channel, for sums of `depth` products that fill the output's range.
    pub(super) fn channels(&mut self, count: usize, depth: usize) -> Vec<ChannelQuant> {
        let reach = depth as i64 * 4096;
        let shift = -(depth.max(1).ilog2() as i64) / 2 - 6;
        (0..count)
            .map(|_| ChannelQuant {
                bias: self.within(-reach..=reach) as i32,
                multiplier: Multiplier {
                    mantissa: self.within(1 << 30..=i64::from(i32::MAX)) as i32,
                    shift: self.within(shift - 2..=shift + 2) as i32,
                },
            })
            .collect()
    }

    /// Output zero point and clamp.
    pub(super) fn stage(&mut self) -> OutputStage {
        let (a, b) = (self.next() as i8, self.next() as i8);
        let (min, max) =
            if self.next().is_multiple_of(2) { (i8::MIN, i8::MAX) } else { (a.min(b), a.max(b)) };
        OutputStage { zero_point: self.next() as i8, min, max, reserved: 0 }
    }
}

/// Output size of a window that need not stay on the input at the end, but starts on it.
pub(super) fn output_size(window: &Window, input: [usize; 2]) -> [usize; 2] {
    [(window.height, input[0]), (window.width, input[1])]
        .map(|(axis, len)| (len + usize::from(axis.pad) - 1) / usize::from(axis.stride) + 1)
}

/// The channel with the input zero point folded into its bias, as the converter writes it.
pub(super) fn fold(
    channel: &ChannelQuant,
    zero_point: i8,
    weights: impl Iterator<Item = i8>,
) -> ChannelQuant {
    let sum: i32 = weights.map(i32::from).sum();
    ChannelQuant { bias: channel.bias - i32::from(zero_point) * sum, ..*channel }
}

/// Windows of all kinds: kernels up to `kernel`, strides and dilations up to 3, every padding.
pub(super) fn any_window(kernel: u16, dilation: u16) -> impl Strategy<Value = Window> {
    let axis = move || {
        (1..=kernel, 1..=3u16, 1..=dilation, any::<u16>()).prop_map(|(kernel, stride, dilation, pad)| {
            let extent = (kernel - 1) * dilation + 1;
            Axis { kernel, stride, dilation, pad: pad % extent }
        })
    };
    (axis(), axis()).prop_map(|(height, width)| Window { height, width })
}

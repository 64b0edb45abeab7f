//! Reference inner loops in safe Rust, for every core.
#![forbid(unsafe_code)]

use super::{Isa, Lanes, Plane, Rows, Stack, Tile};
use crate::packing::{lanes, row_pairs, tap_pairs};
use crate::quant::{ChannelQuant, Multiplier, OutputStage};

/// Plain loops; the compiler vectorizes them where the target can.
#[derive(Debug, Clone, Copy)]
pub struct Scalar;

impl Isa for Scalar {
    #[inline]
    fn dot_i8(weights: &[i8], input: &[i8]) -> i32 {
        weights.iter().zip(input).fold(0i32, |sum, (&w, &x)| sum.wrapping_add(i32::from(w) * i32::from(x)))
    }

    #[inline]
    fn dot4_i8(weights: &[i8], input: &[i8]) -> [i32; 4] {
        let n = input.len();
        let (w0, rest) = weights.split_at(n.min(weights.len()));
        let (w1, rest) = rest.split_at(n.min(rest.len()));
        let (w2, rest) = rest.split_at(n.min(rest.len()));
        let mut sums = [0i32; 4];
        for ((((&x, &a), &b), &c), &d) in input.iter().zip(w0).zip(w1).zip(w2).zip(rest) {
            let x = i32::from(x);
            for (sum, w) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = sum.wrapping_add(x * i32::from(w));
            }
        }
        sums
    }

    #[inline]
    fn multiply_add_i8(sums: &mut [i32], weights: &[i8], input: &[i8]) {
        for ((sum, &w), &x) in sums.iter_mut().zip(weights).zip(input) {
            *sum = sum.wrapping_add(i32::from(w) * i32::from(x));
        }
    }

    #[inline]
    fn add_rows_i8(sums: &mut [i32], input: &[i8], rows: usize, pitch: usize) {
        for row in 0..rows {
            for (sum, &x) in sums.iter_mut().zip(input.get(row * pitch..).unwrap_or_default()) {
                *sum = sum.wrapping_add(i32::from(x));
            }
        }
    }

    #[inline]
    fn max_rows_i8(largest: &mut [i8], input: &[i8], rows: usize, pitch: usize) {
        for row in 0..rows {
            for (m, &x) in largest.iter_mut().zip(input.get(row * pitch..).unwrap_or_default()) {
                *m = (*m).max(x);
            }
        }
    }

    fn widen<const PIXELS: usize>(rows: &Rows<'_>, output: &mut [i16]) {
        let Rows { input, row_len, rows, pitch, pairs } = *rows;
        let targets = output.chunks_mut((pairs * 2 * PIXELS).max(1)).take(rows);
        for (row, target) in input.chunks(pitch.max(1)).zip(targets) {
            let row = row.get(..row_len).unwrap_or_default();
            for (pair, out) in row.chunks(2).zip(target.chunks_mut(2 * PIXELS)) {
                for (out, &value) in out.iter_mut().zip(pair) {
                    *out = value.into();
                }
            }
        }
    }

    fn pair_rows(rows: [Option<&[i8]>; 2], channels: usize, pitch: usize, padding: i8, output: &mut [u32]) {
        let half = |row: Option<&[i8]>, at: usize| {
            let value = row.map_or(padding, |row| row.get(at).copied().unwrap_or(padding));
            u32::from(i16::from(value) as u16)
        };
        for (column, words) in output.chunks_mut(4).enumerate() {
            for (channel, word) in words.iter_mut().enumerate().take(channels) {
                let at = column * pitch + channel;
                *word = half(rows[0], at) | half(rows[1], at) << 16;
            }
        }
    }

    fn row_pairs(plane: &Plane<'_>, output: &mut [i8]) {
        let weights = row_pairs::decode(plane.weights);
        let &[bias, mantissa, shift] = plane.record else { return };
        let multiplier = Multiplier { mantissa, shift: shift.wrapping_neg() };
        let whole = OutputStage::new(plane.stage.zero_point);
        let input = |row: usize, column: usize| {
            let word = plane.words.get(row / 2 * plane.row_words + 4 * column).copied().unwrap_or_default();
            i32::from((word >> (row % 2 * 16)) as i16)
        };
        for (y, out_row) in output.chunks_mut(plane.row_pitch.max(1)).take(plane.rows).enumerate() {
            let outputs = out_row.iter_mut().step_by(plane.column_pitch.max(1)).take(plane.columns);
            for (x, out) in outputs.enumerate() {
                let sum = weights.iter().enumerate().fold(bias / 2, |sum, (tap, w)| {
                    sum.wrapping_add(w * input(y * plane.stride + tap / 3, x * plane.stride + tap % 3))
                });
                *out = whole.finish(multiplier.apply(sum));
            }
        }
    }

    fn stack_rows(stack: &Stack<'_>, output: &mut [u32]) {
        let channels = output.chunks_mut(stack.plane.max(1)).take(stack.channels);
        for (channel, words) in channels.enumerate() {
            let columns = words.chunks_mut(stack.runs.pairs().max(1)).take(stack.columns);
            for (column, words) in columns.enumerate() {
                let start = column * stack.column_pitch + channel;
                for (word, rows) in words.iter_mut().zip(stack.runs.each_pair()) {
                    let [upper, lower] = rows.map(|row| {
                        let value = row.map_or(Some(&stack.padding), |row| stack.image.get(start + row));
                        u32::from(i16::from(value.copied().unwrap_or_default()) as u16)
                    });
                    *word = upper | lower << 16;
                }
            }
        }
    }

    fn tap_pairs(tile: &Tile<'_>, output: &mut [i8]) {
        let whole = OutputStage::new(tile.stage.zero_point);
        let words = tile.kernel.words();
        let shared = if tile.is_shared() { tile.channels } else { 1 };
        let records = tile.records.as_chunks().0.iter().take(tile.channels);
        for (channel, &[bias, mantissa, shift]) in records.enumerate() {
            let multiplier = Multiplier { mantissa, shift: shift.wrapping_neg() };
            for column in 0..tile.columns {
                for row in 0..tile.rows {
                    let start = channel * tile.plane + column * tile.column + row;
                    let sum = (0..words).fold(bias / 2, |sum, k| {
                        let place = tap_pairs::position(words, shared, channel, k);
                        let word = tile.weights.get(place).copied().unwrap_or_default();
                        let (column, step) = (k / tile.kernel.steps, k % tile.kernel.steps);
                        let at = start + column * tile.kernel_column + step * tile.advance;
                        let input = tile.words.get(at).copied().unwrap_or_default();
                        let inputs = [input as i16, (input >> 16) as i16].map(i32::from);
                        let products = tap_pairs::decode(word).into_iter().zip(inputs);
                        products.fold(sum, |sum, (w, x)| sum.wrapping_add(w * x))
                    });
                    let at = channel + column * tile.column_pitch + row * tile.row_pitch;
                    if let Some(out) = output.get_mut(at) {
                        *out = whole.finish(multiplier.apply(sum));
                    }
                }
            }
        }
    }

    fn lanes<const SIZE: usize, const PIXELS: usize>(
        lanes: &Lanes<'_>,
        input: &[i16],
        outputs: [&mut [i8]; PIXELS],
    ) {
        let whole = OutputStage::new(lanes.stage.zero_point);
        let words_per_group = input.len() / (2 * PIXELS) * (SIZE / 2);
        for (pixel, output) in outputs.into_iter().enumerate() {
            let words = lanes.words.chunks_exact(words_per_group.max(1));
            let records = lanes.records.chunks_exact(SIZE * lanes::RECORD_WORDS);
            for ((words, record), out) in words.zip(records).zip(output.chunks_exact_mut(SIZE)) {
                let pairs = input.chunks_exact(2 * PIXELS).map(|pair| {
                    let at = |i: usize| pair.get(2 * pixel + i).copied().unwrap_or_default();
                    [at(0), at(1)]
                });
                let mut sums = [0; SIZE];
                lanes::sums(words, record, pairs, &mut sums);
                for (channel, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
                    *out = whole.finish(lanes::multiplier(record, SIZE, channel).apply(sum));
                }
            }
        }
    }

    #[inline]
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]) {
        for ((out, &sum), channel) in output.iter_mut().zip(sums).zip(channels) {
            *out = stage.finish(channel.multiplier.apply(sum.wrapping_add(channel.bias)));
        }
    }
}

//! Reference inner loops in safe Rust, for every core.
#![forbid(unsafe_code)]

use super::{Isa, Lanes, Planes, RowBlocks, Rows, Signs, Stack, Strip, Tile, Xnor};
use crate::packing::{lanes, nibble_lanes, row_pairs, signs, tap_pairs, xnor};
use crate::quant::{ChannelQuant, CommonScale, Multiplier, OutputStage};

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

    fn sum_i8(scale: &CommonScale, [a, b]: [&[i8]; 2], output: &mut [i8]) {
        for ((out, &a), &b) in output.iter_mut().zip(a).zip(b) {
            *out = scale.finish(scale.scaled(0, a).wrapping_add(scale.scaled(1, b)));
        }
    }

    fn widen(rows: &Rows<'_>, output: &mut [i16]) {
        let Rows { input, row_len, rows, pitch, pairs, odd, pixels } = *rows;
        let targets = output.chunks_mut((pairs * 2 * pixels).max(1)).take(rows);
        for (row, target) in input.chunks(pitch.max(1)).zip(targets) {
            for (k, &value) in (usize::from(odd)..).zip(row.iter().take(row_len)) {
                if let Some(out) = target.get_mut(k / 2 * 2 * pixels + k % 2) {
                    *out = value.into();
                }
            }
        }
    }

    fn pair_rows(rows: [Option<&[i8]>; 2], blocks: &RowBlocks, output: &mut [u32]) {
        let RowBlocks { columns, channels, pitch, padding, count, step, words } = *blocks;
        let half = |row: Option<&[i8]>, at: usize| {
            let value = row.map_or(padding, |row| row.get(at).copied().unwrap_or(padding));
            u32::from((i16::from(value) << row_pairs::INPUT_BITS) as u16)
        };
        for block in 0..count {
            let output = output.get_mut(block * words..).unwrap_or_default();
            for (column, output) in output.chunks_mut(4).take(columns).enumerate() {
                for (channel, word) in output.iter_mut().take(channels).enumerate() {
                    let at = block * step + column * pitch + channel;
                    *word = half(rows[0], at) | half(rows[1], at) << 16;
                }
            }
        }
    }

    fn row_pairs(planes: &Planes<'_>, output: &mut [i8]) {
        let whole = OutputStage::new(0);
        let weights = planes.weights.chunks_exact(row_pairs::WEIGHT_WORDS);
        let records = planes.records.chunks_exact(row_pairs::RECORD_WORDS);
        for (channel, (weights, record)) in weights.zip(records).take(planes.channels).enumerate() {
            let weights = row_pairs::scaled_weights(weights);
            let bias = record.first().copied().unwrap_or_default();
            let input = |row: usize, column: usize| {
                let group = channel / 4 * planes.group_words + channel % 4;
                let at = group + row / 2 * planes.row_words + 4 * column;
                let word = planes.words.get(at).copied().unwrap_or_default();
                i32::from((word >> (row % 2 * 16)) as i16)
            };
            let output = output.get_mut(channel..).unwrap_or_default();
            for (y, out_row) in output.chunks_mut(planes.row_pitch.max(1)).take(planes.rows).enumerate() {
                let outputs = out_row.iter_mut().step_by(planes.column_pitch.max(1)).take(planes.columns);
                for (x, out) in outputs.enumerate() {
                    let sum = weights.iter().enumerate().fold(bias, |sum, (tap, w)| {
                        sum.wrapping_add(w * input(y * planes.stride + tap / 3, x * planes.stride + tap % 3))
                    });
                    *out = whole.finish(row_pairs::output(sum, record, planes.stage.zero_point));
                }
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

    fn lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
        for (start, part) in lanes.parts::<2>(strip.pairs) {
            let output = output.get_mut(start..).unwrap_or_default();
            match (part.largest, strip.pixels) {
                (8, 1) => strip_of_lanes::<8, 1>(&part, strip, input, output),
                (4, 2) => strip_of_lanes::<4, 2>(&part, strip, input, output),
                (4, 1) => strip_of_lanes::<4, 1>(&part, strip, input, output),
                (2, 2) => strip_of_lanes::<2, 2>(&part, strip, input, output),
                (2, 1) => strip_of_lanes::<2, 1>(&part, strip, input, output),
                _ => {}
            }
        }
    }

    fn nibble_lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
        const PER_WORD: usize = nibble_lanes::QUAD;
        for (start, part) in lanes.parts::<PER_WORD>(strip.pairs) {
            let output = output.get_mut(start..).unwrap_or_default();
            match (part.largest, strip.pixels) {
                (8, 1) => strip_of::<PER_WORD, 8, 1>(nibble_lanes::sums, &part, strip, input, output),
                (4, 2) => strip_of::<PER_WORD, 4, 2>(nibble_lanes::sums, &part, strip, input, output),
                (4, 1) => strip_of::<PER_WORD, 4, 1>(nibble_lanes::sums, &part, strip, input, output),
                _ => {}
            }
        }
    }

    fn expand_signs(words: &[u32], first: usize, masks: &mut [u32]) {
        signs::expand(words, first, masks);
    }

    fn lay_out_signs(input: &[i8], step: usize, output: &mut [u32]) {
        signs::lay_out(input, step, output);
    }

    fn signs(block: &Signs<'_>, output: &mut [i8]) {
        let whole = OutputStage::new(block.stage.zero_point);
        let [initial0, initial1, mantissa0, shift0, mantissa1, shift1] = *block.record;
        let records = [(initial0, mantissa0, shift0), (initial1, mantissa1, shift1)];
        let fours = block.pixels / Signs::PIXELS * Signs::PIXELS;
        for (pixel, output) in output.chunks_mut(block.pitch.max(1)).take(block.pixels).enumerate() {
            let (start, step) = if pixel < fours {
                (pixel / Signs::PIXELS * Signs::PIXELS * block.quads + pixel % Signs::PIXELS, Signs::PIXELS)
            } else {
                (pixel * block.quads, 1)
            };
            let input = block.input.get(start..).unwrap_or_default();
            let sums = signs::sums(block.masks, input, step);
            let outputs = output.iter_mut().zip(sums).take(block.channels);
            for ((out, sum), (initial, mantissa, shift)) in outputs.zip(records) {
                let multiplier = Multiplier { mantissa, shift: shift.wrapping_neg() };
                *out = whole.finish(multiplier.apply(sum.wrapping_add(initial)));
            }
        }
    }

    fn xnor(rows: &Xnor<'_>, output: &mut [i8]) {
        let whole = OutputStage::new(rows.stage.zero_point);
        let weights = rows.weights.chunks_exact(rows.row_bytes.max(1));
        for ((out, weights), &[bias, mantissa, shift]) in output.iter_mut().zip(weights).zip(rows.records) {
            let multiplier = Multiplier { mantissa, shift: shift.wrapping_neg() };
            let sum = xnor::dot(weights, rows.input, rows.counted);
            *out = whole.finish(multiplier.apply(sum.wrapping_add(bias / 2)));
        }
    }

    #[inline]
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]) {
        for ((out, &sum), channel) in output.iter_mut().zip(sums).zip(channels) {
            *out = stage.finish(channel.multiplier.apply(sum.wrapping_add(channel.bias)));
        }
    }
}

/// [`Isa::lanes`] for groups of `SIZE` channels and `PIXELS` pixels.
fn strip_of_lanes<const SIZE: usize, const PIXELS: usize>(
    lanes: &Lanes<'_>,
    strip: &Strip,
    input: &[i16],
    output: &mut [i8],
) {
    strip_of::<2, SIZE, PIXELS>(lanes::sums, lanes, strip, input, output);
}

/// The sums of a group's channels for so many pixels, from words, record and inputs.
type Sums<const SIZE: usize, const PIXELS: usize> = [[i32; SIZE]; PIXELS];

/// Groups of `SIZE` channels, `PER_WORD` of which share words, and `PIXELS` pixels.
#[inline(always)]
fn strip_of<const PER_WORD: usize, const SIZE: usize, const PIXELS: usize>(
    sums: impl Fn(&[u32], &[i32], &[i16]) -> Sums<SIZE, PIXELS>,
    lanes: &Lanes<'_>,
    strip: &Strip,
    input: &[i16],
    output: &mut [i8],
) {
    let whole = OutputStage::new(lanes.stage.zero_point);
    for step in 0..strip.count {
        let start = 2 * PIXELS * step * strip.step;
        let Some(input) = input.get(start..start + 2 * PIXELS * strip.pairs) else { return };
        let words = lanes.words.chunks_exact((strip.pairs * (SIZE / PER_WORD)).max(1));
        let records = lanes.records.chunks_exact(SIZE * lanes::RECORD_WORDS);
        for (channel, (words, record)) in (0..lanes.channels).step_by(SIZE).zip(words.zip(records)) {
            let sums = sums(words, record, input);
            for (pixel, sums) in sums.iter().enumerate() {
                let start = step * strip.advance + pixel * strip.pitch;
                let out = output.get_mut(start + channel..start + lanes.channels).unwrap_or_default();
                finish_group(&whole, record, sums, out);
            }
        }
    }
}

/// The outputs of a group on lanes from its sums. Not generic and not inlined: a firmware has it once.
#[inline(never)]
fn finish_group(stage: &OutputStage, record: &[i32], sums: &[i32], output: &mut [i8]) {
    for (channel, (out, &sum)) in output.iter_mut().zip(sums).enumerate() {
        *out = stage.finish(lanes::multiplier(record, sums.len(), channel).apply(sum));
    }
}

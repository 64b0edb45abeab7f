//! From the elements of an array to the bytes of one input.

use secateur::format::DType;

use super::layout::{Order, channels_last, order};
use super::{Action, Conversion, FeedError, Pixels, conversion};
use crate::io::{Array, Elements};
use crate::port::{Port, dtype_name};

/// The bytes of one input from an array.
pub(super) fn convert(
    port: &Port,
    origin: &str,
    array: &Array,
    pixels: &Pixels,
) -> Result<(Vec<u8>, Conversion), FeedError> {
    let order = order(port, origin, array, pixels.layout)?;
    let turned;
    let elements = match order {
        Order::AsIs => &array.elements,
        Order::ChannelsFirst => {
            turned = channels_last(port, &array.elements);
            &turned
        }
    };
    let target = Target { port, origin };
    let (action, (bytes, saturated)) = match elements {
        Elements::F32(values) => (Action::Quantized, target.reals(values.iter().copied())?),
        Elements::U8(values) if port.scale.is_some() || port.dtype == DType::F32 => {
            let (mean, scale) = per_channel(port, pixels)?;
            let channels = mean.into_iter().zip(scale).collect::<Vec<_>>();
            let real = |(&pixel, (mean, scale)): (&u8, &(f32, f32))| (f32::from(pixel) - mean) * scale;
            let values = values.iter().zip(channels.iter().cycle());
            (Action::PixelsQuantized, target.reals(values.map(real))?)
        }
        Elements::U8(values) => (Action::AsIs, target.integers(values.iter().map(|&v| v.into()))?),
        Elements::I8(values) => (Action::AsIs, target.integers(values.iter().map(|&v| v.into()))?),
        Elements::I64(values) => (Action::AsIs, target.integers(values.iter().copied())?),
    };
    let transposed = order == Order::ChannelsFirst;
    Ok((bytes, Conversion { transposed, saturated, ..conversion(port, array.to_string(), action) }))
}

/// Mean and scale of each channel, the last axis.
fn per_channel(port: &Port, pixels: &Pixels) -> Result<(Vec<f32>, Vec<f32>), FeedError> {
    let channels = port.shape.last().map_or(1, |&channels| channels as usize);
    let list = |option, numbers: &[f32]| match numbers {
        &[number] => Ok(vec![number; channels]),
        numbers if numbers.len() == channels => Ok(numbers.to_vec()),
        numbers => {
            Err(FeedError::PerChannel { option, count: numbers.len(), input: port.name.clone(), channels })
        }
    };
    Ok((list("mean", &pixels.mean)?, list("scale", &pixels.scale)?))
}

/// The input that values are made for.
struct Target<'a> {
    port: &'a Port,
    origin: &'a str,
}

impl Target<'_> {
    /// The bytes of integers that are taken as they are.
    fn integers(&self, values: impl Iterator<Item = i64>) -> Result<(Vec<u8>, usize), FeedError> {
        let mut bytes = Vec::new();
        for value in values {
            self.port.encode(value, &mut bytes).ok_or_else(|| FeedError::Range {
                origin: self.origin.to_owned(),
                value,
                dtype: dtype_name(self.port.dtype),
                input: self.port.name.clone(),
            })?;
        }
        Ok((bytes, 0))
    }

    /// The bytes of real numbers, quantized if the input is, and how many were out of range.
    fn reals(&self, values: impl Iterator<Item = f32>) -> Result<(Vec<u8>, usize), FeedError> {
        let port = self.port;
        let mut bytes = Vec::new();
        if port.dtype == DType::F32 {
            values.for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            return Ok((bytes, 0));
        }
        let (Some(_), Some((least, greatest))) = (port.scale, port.integers()) else {
            return Err(FeedError::NotQuantized {
                origin: self.origin.to_owned(),
                dtype: dtype_name(port.dtype),
                input: port.name.clone(),
            });
        };
        let mut saturated = 0;
        for value in values {
            if value.is_nan() {
                return Err(FeedError::NotANumber { origin: self.origin.to_owned() });
            }
            let stored = port.stored(value);
            saturated += usize::from(!(least..=greatest).contains(&stored));
            let _ = port.encode(stored.clamp(least, greatest), &mut bytes);
        }
        Ok((bytes, saturated))
    }
}

//! In which order the axes of an image come.

use super::FeedError;
use crate::io::{Array, Elements};
use crate::ir::shape::Dimensions;
use crate::port::Port;

/// The order of an image's axes as the user states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// The shape decides: as the model has it where that fits, else channels first.
    #[default]
    Auto,
    /// Channels last.
    Nhwc,
    /// Channels first, as PyTorch has them.
    Nchw,
}

/// The order of an image's axes as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As the input has it.
    AsIs,
    /// Channels first, while the input has them last.
    ChannelsFirst,
}

/// Accepts one vector or several along the first axis, axes of length 1 aside, also flattened.
pub(super) fn order(port: &Port, origin: &str, array: &Array, layout: Layout) -> Result<Order, FeedError> {
    let expected = essential(port.shape.iter().map(|&d| d as usize));
    let found = essential(array.shape.iter().copied());
    let flat = [port.elements()];
    let suits = |expected: &[usize]| {
        let one = |found: &[usize]| found == expected;
        one(&found) || found.split_first().is_some_and(|(_, rest)| one(rest))
    };
    let as_is = suits(&expected) || suits(&flat) || (found.is_empty() && flat == [1]);
    let channels_first = channels_first(port).is_some_and(|shape| suits(&essential(shape.into_iter())));
    match layout {
        _ if array.elements.is_empty() => {}
        Layout::Nchw if channels_first => return Ok(Order::ChannelsFirst),
        Layout::Auto | Layout::Nhwc if as_is => return Ok(Order::AsIs),
        Layout::Auto if channels_first => return Ok(Order::ChannelsFirst),
        _ => {}
    }
    Err(FeedError::Shape {
        origin: origin.to_owned(),
        found: Dimensions(&array.shape).to_string(),
        input: port.name.clone(),
        expected: Dimensions(&port.shape).to_string(),
        hint: if channels_first { "; the channels seem to come first: --layout nchw" } else { "" },
    })
}

fn essential(dimensions: impl Iterator<Item = usize>) -> Vec<usize> {
    dimensions.filter(|&dimension| dimension != 1).collect()
}

/// The shape of an NHWC input with its channels first.
fn channels_first(port: &Port) -> Option<[usize; 4]> {
    let &[batch, height, width, channels] = port.shape.as_slice() else { return None };
    Some([batch, channels, height, width].map(|dimension| dimension as usize))
}

/// The elements of NCHW images in the order of an NHWC input.
pub(super) fn channels_last(port: &Port, elements: &Elements) -> Elements {
    let channels = port.shape.last().map_or(1, |&channels| channels as usize);
    let pixels = (port.elements() / channels.max(1)).max(1);
    fn turn<T: Copy>(values: &[T], channels: usize, pixels: usize) -> Vec<T> {
        let image = |image: &[T]| {
            (0..image.len()).map(|i| image[i % channels * pixels + i / channels]).collect::<Vec<T>>()
        };
        values.chunks_exact(channels * pixels).flat_map(image).collect()
    }
    match elements {
        Elements::F32(values) => Elements::F32(turn(values, channels, pixels)),
        Elements::I8(values) => Elements::I8(turn(values, channels, pixels)),
        Elements::U8(values) => Elements::U8(turn(values, channels, pixels)),
        Elements::I64(values) => Elements::I64(turn(values, channels, pixels)),
    }
}

//! Orders of axes, for formats whose images have the channels before height and width.

/// An image `[N, C, H, W]` as `[N, H, W, C]`; a filter `[O, I, H, W]` as `[O, H, W, I]`.
pub(crate) const TO_NHWC: [usize; 4] = [0, 2, 3, 1];

/// An image `[N, H, W, C]` as `[N, C, H, W]`.
pub(crate) const FROM_NHWC: [usize; 4] = [0, 3, 1, 2];

/// A depthwise filter `[C * multiplier, 1, H, W]` as `[1, H, W, C * multiplier]`; the filter `[I, O, H, W]` of a transposed
/// convolution as `[O, H, W, I]`.
pub(crate) const FIRST_TO_LAST: [usize; 4] = [1, 2, 3, 0];

//! Geometry of sliding windows: convolutions and pools.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::{NodeError, require};

/// Largest dimension, stride, dilation or padding along one axis: products of two stay below 2^30.
const LIMIT: usize = 1 << 15;

/// Window along one axis, 8 bytes.
///
/// Output position `o` covers input positions `o x stride - pad + k x dilation` for `k` in `0..kernel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Axis {
    /// Positions that the window covers, at least 1.
    pub kernel: u16,
    /// Distance of neighbouring windows, at least 1.
    pub stride: u16,
    /// Distance of neighbouring positions in a window, at least 1.
    pub dilation: u16,
    /// Padding before the first input position. Padding after the last follows from the output's size.
    pub pad: u16,
}

/// Window over height and width, 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Window {
    /// Vertical.
    pub height: Axis,
    /// Horizontal.
    pub width: Axis,
}

impl Axis {
    /// A window of one position that moves by one.
    pub const UNIT: Self = Self { kernel: 1, stride: 1, dilation: 1, pad: 0 };

    /// First input position under output position `output`; negative inside the padding.
    #[inline(always)]
    pub fn start(&self, output: usize) -> i32 {
        output as i32 * i32::from(self.stride) - i32::from(self.pad)
    }

    /// Input position under window position `k` of output position `output`, if it is not padding.
    #[inline(always)]
    pub fn position(&self, output: usize, k: usize, input_len: usize) -> Option<usize> {
        let at = self.start(output) + k as i32 * i32::from(self.dilation);
        (at >= 0 && (at as usize) < input_len).then_some(at as usize)
    }

    /// The input positions under output position `output` that are not padding. Assumes a dilation of 1.
    #[inline]
    pub fn overlap(&self, output: usize, input_len: usize) -> core::ops::Range<usize> {
        let start = self.start(output);
        let last = ((start + i32::from(self.kernel)).max(0) as usize).min(input_len);
        (start.max(0) as usize).min(last)..last
    }

    /// Checks the fields, and that every output position's window has its start inside the padded input.
    ///
    /// # Errors
    /// [`NodeError::Params`] for a field, [`NodeError::Shape`] for sizes that do not fit.
    pub fn check(&self, input_len: usize, output_len: usize) -> Result<(), NodeError> {
        let fields = [self.kernel, self.stride, self.dilation].map(usize::from);
        require(fields.iter().all(|f| (1..LIMIT).contains(f)), NodeError::Params)?;
        let extent = (usize::from(self.kernel) - 1) * usize::from(self.dilation) + 1;
        require(usize::from(self.pad) < extent && extent < LIMIT, NodeError::Params)?;
        require(input_len < LIMIT && output_len < LIMIT, NodeError::Shape)?;
        // The last window starts on the input: it needs less than its own extent of padding at the end.
        let last = output_len.saturating_sub(1) * usize::from(self.stride);
        require(last < input_len + usize::from(self.pad), NodeError::Shape)
    }

    /// Checks the fields of a transposed convolution's window, which spreads input positions over the output and is
    /// cut at both ends by the output's size.
    ///
    /// # Errors
    /// [`NodeError::Params`] for a field, [`NodeError::Shape`] for sizes that cannot be indexed.
    pub fn check_transposed(&self, input_len: usize, output_len: usize) -> Result<(), NodeError> {
        let fields = [self.kernel, self.stride].map(usize::from);
        let in_range = fields.iter().all(|f| (1..LIMIT).contains(f)) && usize::from(self.pad) < LIMIT;
        require(in_range && self.dilation == 1, NodeError::Params)?;
        require(input_len < LIMIT && output_len < LIMIT, NodeError::Shape)
    }
}

impl Window {
    /// A window of one pixel that moves by one.
    pub const UNIT: Self = Self { height: Axis::UNIT, width: Axis::UNIT };

    /// Positions in the window.
    pub fn area(&self) -> usize {
        usize::from(self.height.kernel) * usize::from(self.width.kernel)
    }

    /// Whether an output pixel is computed from the input pixel at the same place.
    pub fn is_pointwise(&self) -> bool {
        *self == Self::UNIT
    }

    /// Checks both axes against `[height, width]` of input and output.
    ///
    /// # Errors
    /// As [`Axis::check`].
    pub fn check(&self, input: [usize; 2], output: [usize; 2]) -> Result<(), NodeError> {
        self.height.check(input[0], output[0])?;
        self.width.check(input[1], output[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_the_positions_that_are_not_padding() {
        let axis = Axis { kernel: 3, stride: 2, dilation: 1, pad: 1 };
        assert_eq!(axis.overlap(0, 5), 0..2);
        assert_eq!(axis.overlap(1, 5), 1..4);
        assert_eq!(axis.overlap(2, 5), 3..5);
        for (pad, len) in (0..3).flat_map(|pad| (1..9).map(move |len| (pad, len))) {
            let axis = Axis { kernel: 3, stride: 2, dilation: 1, pad };
            for output in (0..9).filter(|&o| axis.check(len, o + 1).is_ok()) {
                let positions = (0..3).filter_map(|k| axis.position(output, k, len));
                assert!(positions.eq(axis.overlap(output, len)));
                assert!(!axis.overlap(output, len).is_empty());
            }
        }
    }

    #[test]
    fn impossible_windows_are_refused() {
        let axis = Axis { kernel: 3, stride: 2, dilation: 1, pad: 1 };
        assert_eq!(axis.check(5, 3), Ok(()));
        assert_eq!(axis.check(5, 4), Err(NodeError::Shape));
        assert_eq!(Axis { stride: 0, ..axis }.check(5, 3), Err(NodeError::Params));
        assert_eq!(Axis { pad: 3, ..axis }.check(5, 3), Err(NodeError::Params));
    }
}

//! Input columns as 16-bit values: what a strip of neighbouring windows covers, widened once for all of them.
//!
//! A column is what lies under one column of a window: the channels of its first row, those of the second, and so on, without
//! a gap, `kernel height x channels` values padded to an even number. Columns follow each other from left to right, so that
//! the values under a window are one run of columns, and those under the next window start a stride further on. For two
//! pixels, one below the other, pairs of values of the upper and the lower window take turns.

use crate::isa::{Isa, Rows};
use crate::kernels::Window;

/// Where columns come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct WideColumns<'a> {
    /// The window.
    pub(super) window: &'a Window,
    /// Height, width and channels of an image.
    pub(super) size: [usize; 3],
    /// Value of positions outside the image.
    pub(super) padding: i8,
}

impl WideColumns<'_> {
    /// Pairs of values in a column of a window on `channels` channels.
    pub(super) fn column_pairs(window: &Window, channels: usize) -> usize {
        usize::from(window.height.kernel).saturating_mul(channels).div_ceil(2)
    }

    /// Columns under `outputs` windows side by side. Windows of columns that lie apart have none in common, and go alone.
    pub(super) fn columns(window: &Window, outputs: usize) -> usize {
        let kernel = usize::from(window.width.kernel);
        kernel + outputs.saturating_sub(1).saturating_mul(Self::step(window))
    }

    /// Columns from a window to the next. Those between windows of a single column are left out.
    pub(super) fn step(window: &Window) -> usize {
        if window.width.kernel == 1 { 1 } else { usize::from(window.width.stride) }
    }

    /// How many windows side by side `columns` columns hold.
    pub(super) fn outputs(window: &Window, columns: usize) -> usize {
        let kernel = usize::from(window.width.kernel);
        let alone = kernel > 1 && window.width.dilation > 1;
        let more = if alone { 0 } else { columns.saturating_sub(kernel) / Self::step(window).max(1) };
        usize::from(columns >= kernel) + more
    }

    /// Widens the columns under `outputs` windows, from output position `[y, x]` of `image` on, into the start of `target`,
    /// for one pixel, or for two, of which the second is that of output row `y + 1`.
    pub(super) fn gather<I: Isa>(
        &self,
        image: &[i8],
        [y, x]: [usize; 2],
        [outputs, pixels]: [usize; 2],
        target: &mut [i16],
    ) {
        let [h, w, c] = self.size;
        let Window { height, width } = self.window;
        let pairs = Self::column_pairs(self.window, c);
        let column_len = pairs * 2 * pixels;
        let columns = Self::columns(self.window, outputs);
        let pitch = usize::from(if width.kernel == 1 { width.stride } else { width.dilation });
        // Columns `left .. right` lie inside the image.
        let start = width.start(x);
        let left = (start.min(0).unsigned_abs() as usize).div_ceil(pitch.max(1)).min(columns);
        let end = (w as i32 - start).max(0) as usize;
        let right = end.div_ceil(pitch.max(1)).max(left).min(columns);
        let first = (start + (left * pitch) as i32).max(0) as usize;

        let last_row = height.position(y + pixels - 1, usize::from(height.kernel) - 1, h);
        let whole = height.position(y, 0, h).is_some() && last_row.is_some();
        let inside = if whole { left * column_len..right * column_len } else { 0..0 };
        for outside in [0..inside.start, inside.end..columns * column_len] {
            target.get_mut(outside).unwrap_or_default().fill(self.padding.into());
        }
        for pixel in 0..pixels {
            for i in 0..usize::from(height.kernel) {
                let Some(row) = height.position(y + pixel, i, h) else { continue };
                let input = image.get((row * w + first) * c..).unwrap_or_default();
                let odd = i * c % 2 == 1;
                let rows =
                    Rows { input, row_len: c, rows: right - left, pitch: pitch * c, pairs, odd, pixels };
                let at = left * column_len + i * c / 2 * 2 * pixels + 2 * pixel;
                I::widen(&rows, target.get_mut(at..).unwrap_or_default());
            }
        }
    }
}

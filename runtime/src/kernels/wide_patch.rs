//! Patches as 16-bit values: the inputs under a window, widened while they are gathered.
//!
//! A patch is stored kernel row by kernel row, each of `kernel width x channels` values padded to an even number, in pairs
//! that lie `2 PIXELS` elements apart, so that the patches of `PIXELS` pixels interleave.

use crate::isa::{Isa, Rows};
use crate::kernels::Window;

/// Where patches come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct WidePatches<'a> {
    /// The window.
    pub(super) window: &'a Window,
    /// Height, width and channels of an image.
    pub(super) size: [usize; 3],
    /// Value of positions outside the image.
    pub(super) padding: i8,
}

impl WidePatches<'_> {
    /// Widens the window of output position `[y, x]` of `image` into `patch`, which starts at the pixel's first pair.
    pub(super) fn gather<I: Isa, const PIXELS: usize>(
        &self,
        image: &[i8],
        [y, x]: [usize; 2],
        patch: &mut [i16],
    ) {
        let [h, w, c] = self.size;
        let Window { height, width } = self.window;
        if height.dilation != 1 || width.dilation != 1 {
            return self.gather_dilated::<I, PIXELS>(image, [y, x], patch);
        }
        let (rows, columns) = (height.overlap(y, h), width.overlap(x, w));
        let input = image.get((rows.start * w + columns.start) * c..).unwrap_or_default();
        let pairs = self.row_len().div_ceil(2);
        let source = Rows { input, row_len: columns.len() * c, rows: rows.len(), pitch: w * c, pairs };
        if rows.len() == usize::from(height.kernel) && columns.len() == usize::from(width.kernel) {
            return I::widen::<PIXELS>(&source, patch);
        }
        self.fill::<PIXELS>(patch);
        let outside = |start: i32| start.min(0).unsigned_abs() as usize;
        self.place::<I, PIXELS>(&source, [outside(height.start(y)), outside(width.start(x)) * c], patch);
    }

    /// Values of a kernel row.
    fn row_len(&self) -> usize {
        usize::from(self.window.width.kernel) * self.size[2]
    }

    /// Sets every value of the patch to the padding.
    fn fill<const PIXELS: usize>(&self, patch: &mut [i16]) {
        let pairs = self.row_len().div_ceil(2) * usize::from(self.window.height.kernel);
        for pair in patch.chunks_mut(2 * PIXELS).take(pairs) {
            for value in pair.iter_mut().take(2) {
                *value = self.padding.into();
            }
        }
    }

    /// Widens a part of the patch, whose first value belongs to kernel row `row`, value `column`.
    fn place<I: Isa, const PIXELS: usize>(
        &self,
        source: &Rows<'_>,
        [row, column]: [usize; 2],
        patch: &mut [i16],
    ) {
        let start = (row * source.pairs + column / 2) * 2 * PIXELS;
        let Some(target) = patch.get_mut(start..) else { return };
        if column % 2 == 0 {
            return I::widen::<PIXELS>(source, target);
        }
        let targets = target.chunks_mut((source.pairs * 2 * PIXELS).max(1)).take(source.rows);
        for (values, target) in source.input.chunks(source.pitch.max(1)).zip(targets) {
            for (k, &value) in (1..).zip(values.iter().take(source.row_len)) {
                if let Some(out) = target.get_mut(k / 2 * 2 * PIXELS + k % 2) {
                    *out = value.into();
                }
            }
        }
    }

    /// The patch of a window whose positions lie apart.
    fn gather_dilated<I: Isa, const PIXELS: usize>(
        &self,
        image: &[i8],
        [y, x]: [usize; 2],
        patch: &mut [i16],
    ) {
        let [h, w, c] = self.size;
        let Window { height, width } = self.window;
        let pairs = self.row_len().div_ceil(2);
        self.fill::<PIXELS>(patch);
        for i in 0..usize::from(height.kernel) {
            for j in 0..usize::from(width.kernel) {
                if let (Some(in_y), Some(in_x)) = (height.position(y, i, h), width.position(x, j, w)) {
                    let input = image.get((in_y * w + in_x) * c..).unwrap_or_default();
                    let source = Rows { input, row_len: c, rows: 1, pitch: c, pairs };
                    self.place::<I, PIXELS>(&source, [i, j * c], patch);
                }
            }
        }
    }
}

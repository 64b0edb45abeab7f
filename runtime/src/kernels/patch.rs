//! Patches: the input values under a window, gathered into consecutive bytes.

use crate::kernels::Window;

/// Where patches come from: one image `[h, w, c]` and some of its channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patches<'a> {
    /// The image's elements.
    pub(super) image: &'a [i8],
    /// Height, width and channels.
    pub(super) size: [usize; 3],
    /// First channel to gather.
    pub(super) first_channel: usize,
    /// How many channels to gather, at least 1.
    pub(super) channels: usize,
    /// Value of positions outside the image.
    pub(super) padding: i8,
}

impl Patches<'_> {
    /// Copies the window of output position `[y, x]` into `patch`, which holds `window.area() x channels` values.
    pub(super) fn gather(&self, window: &Window, [y, x]: [usize; 2], patch: &mut [i8]) {
        let [h, w, c] = self.size;
        let Window { height, width } = window;
        let row_len = usize::from(width.kernel) * self.channels;
        for (i, row) in patch.chunks_exact_mut(row_len.max(1)).enumerate() {
            let Some(in_y) = height.position(y, i, h) else {
                row.fill(self.padding);
                continue;
            };
            for (j, pixel) in row.chunks_exact_mut(self.channels.max(1)).enumerate() {
                match width.position(x, j, w) {
                    Some(in_x) => {
                        let start = (in_y * w + in_x) * c + self.first_channel;
                        let source = self.image.get(start..start + self.channels).unwrap_or_default();
                        if source.len() == pixel.len() {
                            pixel.copy_from_slice(source);
                        }
                    }
                    None => pixel.fill(self.padding),
                }
            }
        }
    }
}

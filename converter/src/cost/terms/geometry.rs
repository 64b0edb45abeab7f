//! Sizes of a node that slides a window over images.

use secateur::format::Node;
use secateur::kernels::{Axis, Window};

/// Sizes of images, and a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) images: usize,
    /// Height, width and channels.
    pub(super) input: [usize; 3],
    pub(super) output: [usize; 3],
    pub(super) window: Window,
}

impl Geometry {
    pub(super) fn new(node: &Node<'_>, window: Window) -> Option<Self> {
        let [images, h, w, c] = node.input(0)?.shape.nhwc()?;
        let [_, out_h, out_w, out_c] = node.output(0)?.shape.nhwc()?;
        Some(Self { images, input: [h, w, c], output: [out_h, out_w, out_c], window })
    }

    /// Rows of the kernel that lie on the image, over all output rows of one image.
    pub(super) fn rows_inside(&self) -> usize {
        inside(&self.window.height, self.input[0], self.output[0])
    }

    /// Pairs of output rows of one image, one below the other, whose windows do not all lie on the image; an odd row is a pair.
    pub(super) fn partial_row_pairs(&self) -> usize {
        let (axis, input, rows) = (&self.window.height, self.input[0], self.output[0]);
        let last = usize::from(axis.kernel).saturating_sub(1);
        let whole = |row| axis.position(row, 0, input).is_some() && axis.position(row, last, input).is_some();
        (0..rows).step_by(2).filter(|&row| !(whole(row) && whole((row + 1).min(rows - 1)))).count()
    }

    /// Columns of the kernel that lie on the image, over all output columns of one row.
    pub(super) fn columns_inside(&self) -> usize {
        inside(&self.window.width, self.input[1], self.output[1])
    }

    /// Rows of the kernel.
    pub(super) fn kernel_height(&self) -> usize {
        self.window.height.kernel.into()
    }

    /// Columns of the kernel.
    pub(super) fn kernel_width(&self) -> usize {
        self.window.width.kernel.into()
    }

    /// Output rows of all images.
    pub(super) fn output_rows(&self) -> usize {
        self.images * self.output[0]
    }

    /// Output positions of all images.
    pub(super) fn pixels(&self) -> usize {
        self.output_rows() * self.output[1]
    }

    /// Values of all images' outputs.
    pub(super) fn outputs(&self) -> usize {
        self.pixels() * self.output[2]
    }
}

fn inside(axis: &Axis, input: usize, output: usize) -> usize {
    let taps = |at| (0..usize::from(axis.kernel)).filter(|&k| axis.position(at, k, input).is_some()).count();
    (0..output).map(taps).sum()
}

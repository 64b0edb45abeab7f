//! Pooling and resizing.

use crate::import::tflite::operator::{Converted, Operator};
use crate::import::tflite::schema::{self, pool_2d_options, resize_bilinear_options, resize_nearest_options};
use crate::ir::attributes::{Pool2d, Resize};
use crate::ir::{Hw, Op};

pub(super) fn pool_2d(operator: &mut Operator<'_>, op: fn(Pool2d) -> Op) -> Option<Converted> {
    use pool_2d_options as field;
    operator.expect_options(schema::POOL_2D)?;
    let stride = operator.size(field::STRIDE_H, field::STRIDE_W, 0, "strides");
    let filter = operator.size(field::FILTER_HEIGHT, field::FILTER_WIDTH, 0, "filter sizes");
    let activation = operator.activation(field::ACTIVATION);
    let [_, height, width, _] = operator.image(0, "input")?;
    let (stride, filter) = (stride?, filter?);
    let padding = operator.padding(field::PADDING, Hw::new(height, width), filter, stride, Hw::square(1))?;
    Converted::unary(op(Pool2d { filter, stride, padding, count_padding: false, activation: activation? }))
}

pub(super) fn resize_nearest(operator: &mut Operator<'_>) -> Option<Converted> {
    use resize_nearest_options as field;
    operator.expect_options(schema::RESIZE_NEAREST)?;
    let align_corners = operator.scalar(field::ALIGN_CORNERS, false)?;
    let half_pixel_centers = operator.scalar(field::HALF_PIXEL_CENTERS, false)?;
    let size = size(operator)?;
    Converted::unary(Op::ResizeNearest(Resize { size, align_corners, half_pixel_centers }))
}

pub(super) fn resize_bilinear(operator: &mut Operator<'_>) -> Option<Converted> {
    use resize_bilinear_options as field;
    operator.expect_options(schema::RESIZE_BILINEAR)?;
    let align_corners = operator.scalar(field::ALIGN_CORNERS, false)?;
    let half_pixel_centers = operator.scalar(field::HALF_PIXEL_CENTERS, false)?;
    let size = size(operator)?;
    Converted::unary(Op::ResizeBilinear(Resize { size, align_corners, half_pixel_centers }))
}

fn size(operator: &mut Operator<'_>) -> Option<Hw> {
    let [height, width] = operator.constant_of::<2>(1, "size")?;
    let size = usize::try_from(height).ok().zip(usize::try_from(width).ok());
    if size.is_none() {
        operator.invalid("size", format!("{height}x{width}"), "must be 1x1 or more");
    }
    size.map(|(height, width)| Hw::new(height, width))
}

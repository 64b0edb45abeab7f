//! Operators with a filter and a bias.

use crate::import::ImportFault;
use crate::import::tflite::operator::{Converted, Operator};
use crate::import::tflite::schema::{
    self, conv_2d_options, depthwise_conv_2d_options, fully_connected_options, transpose_conv_options,
};
use crate::ir::attributes::{Conv2d, DepthwiseConv2d, FullyConnected, TransposeConv2d};
use crate::ir::{Hw, Op};

pub(super) fn conv_2d(operator: &mut Operator<'_>) -> Option<Converted> {
    use conv_2d_options as field;
    operator.expect_options(schema::CONV_2D)?;
    let stride = operator.size(field::STRIDE_H, field::STRIDE_W, 0, "strides");
    let dilation = operator.size(field::DILATION_H, field::DILATION_W, 1, "dilations");
    let activation = operator.activation(field::ACTIVATION);
    let image = operator.image(0, "input");
    let filter = operator.image(1, "filter");
    let ([_, height, width, channels], [_, filter_height, filter_width, depth]) = (image?, filter?);
    let (stride, dilation) = (stride?, dilation?);
    let window = Hw::new(filter_height, filter_width);
    let padding = operator.padding(field::PADDING, Hw::new(height, width), window, stride, dilation)?;
    let groups = channels.checked_div(depth).unwrap_or(1);
    let op = Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation: activation? });
    Converted::new(op, [0, 1, 2])
}

pub(super) fn depthwise_conv_2d(operator: &mut Operator<'_>) -> Option<Converted> {
    use depthwise_conv_2d_options as field;
    operator.expect_options(schema::DEPTHWISE_CONV_2D)?;
    let stride = operator.size(field::STRIDE_H, field::STRIDE_W, 0, "strides");
    let dilation = operator.size(field::DILATION_H, field::DILATION_W, 1, "dilations");
    let activation = operator.activation(field::ACTIVATION);
    let image = operator.image(0, "input");
    let filter = operator.image(1, "filter");
    let ([_, height, width, channels], [_, filter_height, filter_width, outputs]) = (image?, filter?);
    let (stride, dilation) = (stride?, dilation?);
    let window = Hw::new(filter_height, filter_width);
    let padding = operator.padding(field::PADDING, Hw::new(height, width), window, stride, dilation)?;
    // The attribute depth_multiplier is left aside: the shapes say it, and some files have it wrong.
    let multiplier = outputs.checked_div(channels).unwrap_or(0);
    let op = Op::DepthwiseConv2d(DepthwiseConv2d {
        stride,
        dilation,
        padding,
        multiplier,
        activation: activation?,
    });
    Converted::new(op, [0, 1, 2])
}

/// The file's inputs are the output's shape, the filter, the input and the bias.
pub(super) fn transpose_conv(operator: &mut Operator<'_>) -> Option<Converted> {
    use transpose_conv_options as field;
    operator.expect_options(schema::TRANSPOSE_CONV)?;
    let stride = operator.size(field::STRIDE_H, field::STRIDE_W, 0, "strides");
    let activation = operator.activation(field::ACTIVATION);
    let filter = operator.image(1, "filter");
    let image = operator.output()?.shape.clone();
    let &[_, height, width, _] = &*image else {
        operator.fault(crate::ir::Fault::Rank { role: "output", shape: image, expected: "4" });
        return None;
    };
    let output = Hw::new(height, width);
    if operator.input(0, "output shape")?.is_constant() {
        let [_, height, width, _] = operator.constant_of::<4>(0, "output shape")?;
        if (height, width) != (output.height as i64, output.width as i64) {
            operator.invalid("output_shape", format!("{height}x{width}"), format!("the output is {output}"));
        }
    }
    let ([_, filter_height, filter_width, _], stride) = (filter?, stride?);
    let window = Hw::new(filter_height, filter_width);
    let padding = operator.padding(field::PADDING, output, window, stride, Hw::square(1))?;
    let op = Op::TransposeConv2d(TransposeConv2d { stride, padding, output, activation: activation? });
    Converted::new(op, [2, 1, 3])
}

pub(super) fn fully_connected(operator: &mut Operator<'_>) -> Option<Converted> {
    use fully_connected_options as field;
    operator.expect_options(schema::FULLY_CONNECTED)?;
    let activation = operator.activation(field::ACTIVATION);
    let format = operator.scalar(field::WEIGHTS_FORMAT, 0i8)?;
    if format != 0 {
        operator.fault(ImportFault::UnsupportedAttribute {
            attribute: field::WEIGHTS_FORMAT.name,
            value: format.to_string(),
            advice: "shuffled weights are made for one processor: export with the default format",
        });
    }
    let keep_dims = operator.scalar(field::KEEP_NUM_DIMS, false)?;
    Converted::new(Op::FullyConnected(FullyConnected { keep_dims, activation: activation? }), [0, 1, 2])
}

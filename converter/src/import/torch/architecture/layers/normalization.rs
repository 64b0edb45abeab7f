//! Normalization with statistics of the training data.

use super::super::layer::Layer;
use super::super::network::ValueId;
use super::linear::channels;
use crate::ir::Op;
use crate::ir::attributes::BatchNormalization;

/// `running_mean` and `running_var`, and unless `affine = false`, `weight` and `bias`; all `[channels]`.
pub(super) fn batch_norm(layer: &mut Layer<'_>) -> Option<ValueId> {
    let (input, shape) = layer.input_of_rank(&[2, 3, 4], "2 to 4")?;
    let channels = channels(&shape);
    let epsilon = layer.attributes.number("eps").unwrap_or(1e-5);
    layer.attributes.number("momentum");
    let affine = layer.attributes.flag("affine").unwrap_or(true);
    let mean = layer.weight("running_mean")?;
    layer.agree("num_features", mean.shape.elements().unwrap_or(0), mean)?;
    let mean = layer.per_channel(mean, channels)?;
    let variance = layer.weight("running_var")?;
    let variance = layer.per_channel(variance, channels)?;
    let (scale, shift) = if affine {
        let (scale, shift) = (layer.weight("weight"), layer.weight("bias"));
        (layer.per_channel(scale?, channels)?, layer.per_channel(shift?, channels)?)
    } else {
        let scale = layer.network.constant("scale", [channels], &vec![1.0; channels]);
        (scale, layer.network.constant("shift", [channels], &vec![0.0; channels]))
    };
    let op = Op::BatchNormalization(BatchNormalization { epsilon });
    let parameters = [Some(scale), Some(shift), Some(mean), Some(variance)];
    let is_image = shape.rank() > 2;
    let tensor = if is_image { layer.channels_last(input)? } else { layer.plain(input)? };
    let inputs: Vec<_> = [Some(tensor)].into_iter().chain(parameters).collect();
    let result = layer.node(op, &inputs)?;
    Some(match is_image {
        true => layer.network.channels_last_value(result, shape.rank()),
        false => layer.network.plain_value(result),
    })
}

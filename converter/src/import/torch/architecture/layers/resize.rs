//! Images made larger or smaller.

use super::super::layer::Layer;
use super::super::network::ValueId;
use crate::import::torch::architecture::ArchitectureFault;
use crate::ir::attributes::Resize;
use crate::ir::{Hw, Op};

pub(super) fn upsample(layer: &mut Layer<'_>) -> Option<ValueId> {
    let (input, shape) = layer.input_of_rank(&[4], "4 (batch, channels, height, width)")?;
    let [_, _, height, width] = *shape else { return None };
    let size = layer.attributes.size("size");
    let factors = layer.attributes.numbers("scale_factor");
    let mode = layer.attributes.text("mode").unwrap_or_else(|| "nearest".into());
    let align_corners = layer.attributes.flag("align_corners").unwrap_or(false);
    let size = match (size, factors) {
        (Some(size), _) => size,
        (None, Some([rows, columns])) => {
            let size = [height as f32 * rows, width as f32 * columns];
            // PyTorch takes such a factor as it is, not the ratio of the sizes.
            if size.iter().any(|size| size.fract() != 0.0) {
                let (value, expected) =
                    (format!("[{rows}, {columns}]"), "factors that give whole sizes, or a size,");
                let (attribute, expected) = ("scale_factor", expected.into());
                return layer.fail(ArchitectureFault::Attribute { attribute, value, expected });
            }
            // Casts of negative or huge numbers saturate; the size is checked with the node.
            Hw::from(size.map(|size| size as usize))
        }
        (None, None) => {
            let expected = "size or scale_factor";
            return layer.fail(ArchitectureFault::MissingAttribute { attribute: "scale_factor", expected });
        }
    };
    let op = match mode.as_str() {
        "nearest" => Op::ResizeNearest(Resize { size, align_corners: false, half_pixel_centers: false }),
        "bilinear" => Op::ResizeBilinear(Resize { size, align_corners, half_pixel_centers: !align_corners }),
        _ => {
            let advice = "use nearest or bilinear";
            return layer.fail(ArchitectureFault::Unsupported { attribute: "mode", value: mode, advice });
        }
    };
    let tensor = layer.channels_last(input)?;
    let result = layer.node(op, &[Some(tensor)])?;
    Some(layer.network.channels_last_value(result, 4))
}

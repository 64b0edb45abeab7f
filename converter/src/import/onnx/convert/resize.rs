//! Images of another size.

use super::geometry::Image;
use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::Resize;
use crate::ir::{Hw, Op, Shape};

/// The graph knows three ways to find the place of an output element in the input. Whether one of them is what the file
/// says is found out by comparing the places of all elements.
pub(super) fn resize(operator: &mut Operator<'_>) -> Option<Values> {
    let mode = operator.text("mode", "nearest")?.to_string();
    let transformation = operator.text("coordinate_transformation_mode", "half_pixel")?.to_string();
    let rounding = operator.text("nearest_mode", "round_prefer_floor")?.to_string();
    operator.ignore(&["cubic_coeff_a", "extrapolation_value"]);
    let policy = operator.text("keep_aspect_ratio_policy", "stretch")?.to_string();
    if policy != "stretch" {
        return operator.unsupported("keep_aspect_ratio_policy", policy, "state the output's size instead");
    }
    if !matches!(mode.as_str(), "nearest" | "linear") {
        return operator.unsupported("mode", mode, "only nearest and linear are");
    }
    if operator.flag("antialias", false)? {
        return operator.unsupported("antialias", 1, "resize without antialiasing");
    }
    if operator.flag("exclude_outside", false)? {
        return operator.unsupported("exclude_outside", 1, "resize without it");
    }
    let known = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"];
    if !known.contains(&transformation.as_str()) {
        let advice = "use half_pixel, align_corners or asymmetric";
        return operator.unsupported("coordinate_transformation_mode", transformation, advice);
    }
    let image = Image::read(operator)?;
    let original = operator.input(0, "input")?;
    let shape = operator.shape(original);
    let targets = targets(operator, &shape)?;
    if targets[..2].iter().any(|target| target.size != target.input) {
        let sizes: Vec<usize> = targets.iter().map(|target| target.size).collect();
        return operator.unsupported(
            "sizes",
            format!("{sizes:?}"),
            "batch and channels must stay as they are",
        );
    }
    let width = targets[targets.len() - 1];
    let height = if image.flat { Target::same(1) } else { targets[2] };
    let size = Hw::new(height.size, width.size);
    let nearest = mode == "nearest";
    let wanted: Vec<Vec<f64>> = [height, width]
        .iter()
        .map(|target| target.places(&transformation, nearest.then_some(&*rounding)))
        .collect();
    let variants = [(false, false), (false, true), (true, false)]
        .map(|(align_corners, half_pixel_centers)| Resize { size, align_corners, half_pixel_centers });
    let suits = |attributes: &Resize| {
        let offered = [height, width].map(|target| target.offered(attributes, nearest));
        let close = |(wanted, offered): (&f64, &f64)| (wanted - offered).abs() < 1e-5;
        wanted.iter().zip(&offered).all(|(wanted, offered)| wanted.iter().zip(offered).all(close))
    };
    let Some(attributes) = variants.into_iter().find(suits) else {
        let attribute = if nearest { "nearest_mode" } else { "coordinate_transformation_mode" };
        let value = if nearest { format!("{rounding} with {transformation}") } else { transformation };
        let advice = "nearest needs asymmetric with floor (torch: mode='nearest'), half_pixel with floor or a whole factor; \
                      linear half_pixel, align_corners or asymmetric, with sizes or whole factors";
        return operator.unsupported(attribute, value, advice);
    };
    let input = operator.nhwc(image.tensor)?;
    let op = if nearest { Op::ResizeNearest(attributes) } else { Op::ResizeBilinear(attributes) };
    let result = operator.emit(op, &[input])?;
    image.restore(operator, result).and_then(one)
}

/// What becomes of an axis.
#[derive(Clone, Copy)]
struct Target {
    input: usize,
    size: usize,
    scale: f64,
}

/// The axes of the output, from scales or sizes, for all axes or those that are named.
fn targets(operator: &mut Operator<'_>, shape: &Shape) -> Option<Vec<Target>> {
    let axes = match operator.integers("axes")?.map(<[i64]>::to_vec) {
        Some(values) => {
            let axes: Vec<_> = values.iter().map(|&axis| operator.axis("axes", axis, shape.rank())).collect();
            axes.into_iter().collect::<Option<Vec<_>>>()?
        }
        None => (0..shape.rank()).collect(),
    };
    let scales = operator.constant_reals(2, "scales")?.filter(|scales| !scales.is_empty());
    let sizes = operator.constant_integers(3, "sizes")?.filter(|sizes| !sizes.is_empty());
    let mut targets: Vec<Target> = shape.iter().map(|&size| Target::same(size)).collect();
    let (found, given) = match (&scales, &sizes) {
        (_, Some(sizes)) => (sizes.len(), "sizes"),
        (Some(scales), None) => (scales.len(), "scales"),
        (None, None) => (0, "scales"),
    };
    if found != axes.len() {
        return operator.invalid(given, format!("{found} numbers"), format!("must have {}", axes.len()));
    }
    for (position, &axis) in axes.iter().enumerate() {
        let input = shape[axis];
        let target = match (&sizes, &scales) {
            (Some(sizes), _) => usize::try_from(sizes[position]).ok().map(|size| {
                let scale = size as f64 / input as f64;
                Target { input, size, scale }
            }),
            (None, Some(scales)) => {
                let scale = f64::from(scales[position]);
                let size = (f64::from(input as f32 * scales[position])).floor();
                (scale > 0.0 && size < Shape::MAX_ELEMENTS as f64).then_some(Target {
                    input,
                    size: size as usize,
                    scale,
                })
            }
            (None, None) => None,
        };
        match target.filter(|target| (1..=1 << 16).contains(&target.size)) {
            Some(target) => targets[axis] = target,
            None => return operator.invalid(given, format!("axis {axis}"), "must give a size of 1 or more"),
        }
    }
    Some(targets)
}

impl Target {
    fn same(size: usize) -> Target {
        Target { input: size, size, scale: 1.0 }
    }

    /// The place in the input of each element of the output, as the file says: a whole number if a rounding is given.
    fn places(&self, transformation: &str, rounding: Option<&str>) -> Vec<f64> {
        let (input, size, scale) = (self.input as f64, self.size as f64, self.scale);
        let place = |x: f64| match transformation {
            "align_corners" if self.size == 1 => 0.0,
            "align_corners" => x * (input - 1.0) / (size - 1.0),
            "asymmetric" => x / scale,
            "pytorch_half_pixel" if self.size == 1 => 0.0,
            "half_pixel_symmetric" => {
                let adjustment = size / (scale * input);
                input / 2.0 * (1.0 - adjustment) + (x + 0.5) / scale - 0.5
            }
            _ => (x + 0.5) / scale - 0.5,
        };
        let rounded = |place: f64| match rounding {
            None => place,
            Some("floor") => place.floor(),
            Some("ceil") => place.ceil(),
            Some("round_prefer_ceil") => (place + 0.5).floor(),
            Some(_) => (place - 0.5).ceil(),
        };
        // An axis that keeps its size is not resampled.
        let keeps = self.scale == 1.0 && self.size == self.input;
        (0..self.size)
            .map(|x| if keeps { x as f64 } else { rounded(place(x as f64)).clamp(0.0, input - 1.0) })
            .collect()
    }

    /// The same as the graph's operators have it.
    fn offered(&self, attributes: &Resize, nearest: bool) -> Vec<f64> {
        let Resize { align_corners, half_pixel_centers, .. } = *attributes;
        let scale = match align_corners && self.size > 1 {
            true => (self.input - 1) as f32 / (self.size - 1) as f32,
            false => self.input as f32 / self.size as f32,
        };
        let last = (self.input - 1) as f32;
        let place = |x: usize| match (nearest, half_pixel_centers, align_corners) {
            (true, true, _) => ((x as f32 + 0.5) * scale).floor(),
            (true, false, true) => (x as f32 * scale).round(),
            (true, false, false) => (x as f32 * scale).floor(),
            (false, true, _) => (x as f32 + 0.5) * scale - 0.5,
            (false, false, _) => x as f32 * scale,
        };
        (0..self.size).map(|x| f64::from(place(x).clamp(0.0, last))).collect()
    }
}

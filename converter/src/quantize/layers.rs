//! The layers of a network, and what a recipe says about each.

use std::collections::{BTreeMap, HashMap};

use wildmatch::WildMatch;

use super::QuantizeError;
use super::recipe::{Activations, LayerRecipe, Recipe, Width};
use crate::ir::{DType, Float, Graph, NodeId, Op, Shape, TensorId};

/// A node with constant weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The node.
    pub node: NodeId,
    /// A name that no other layer has: the node's own where it has one that is unique.
    pub name: String,
    /// The operator's name.
    pub operator: &'static str,
    /// The weights, constant.
    pub filter: TensorId,
    /// Axis of the weights that output channels run along.
    pub axis: usize,
    /// The weights are int8 in the source model already, and the input is quantized at run time: nothing is left to choose.
    pub is_given: bool,
}

impl Layer {
    /// Whether the runtime has kernels for weights of this width.
    pub fn supports(&self, width: Width) -> bool {
        match self.operator {
            _ if self.is_given => width == Width::Int8,
            "DepthwiseConv2d" => width != Width::OneBit,
            "TransposeConv2d" => width == Width::Int8,
            _ => true,
        }
    }

    /// The real numbers that its weights are, or stand for.
    pub fn real_weights(&self, graph: &Graph<Float>) -> Vec<f32> {
        let filter = &graph[self.filter];
        filter.f32_values().or_else(|| filter.dequantized()).unwrap_or_default()
    }

    /// Whether the runtime quantizes this layer's input at run time.
    pub fn supports_dynamic(&self) -> bool {
        self.operator == "FullyConnected"
    }
}

/// The layers of a graph in running order.
pub fn layers(graph: &Graph<Float>) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for (id, node) in graph.node_ids().zip(graph.nodes()) {
        let axis = match node.op {
            Op::Conv2d(_) | Op::TransposeConv2d(_) | Op::FullyConnected(_) => 0,
            Op::DepthwiseConv2d(_) => 3,
            _ => continue,
        };
        let Some(filter) = node.input(1) else { continue };
        let is_given = matches!(node.op, Op::FullyConnected(_)) && graph[filter].dtype == DType::I8;
        if graph[filter].is_constant() && (is_given || graph[filter].dtype == DType::F32) {
            let (name, operator) = (node.name.clone(), node.op.name());
            layers.push(Layer { node: id, name, operator, filter, axis, is_given });
        }
    }
    let mut count: HashMap<String, usize> = HashMap::new();
    for layer in &layers {
        *count.entry(layer.name.clone()).or_default() += 1;
    }
    for layer in &mut layers {
        if layer.name.is_empty() || count.get(&layer.name) != Some(&1) {
            let base = if layer.name.is_empty() { layer.operator } else { &layer.name };
            layer.name = format!("{base}#{}", layer.node.index());
        }
    }
    layers
}

/// How one layer is quantized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Width of the weights.
    pub weights: Width,
    /// How the activations are quantized.
    pub activations: Activations,
}

/// How every layer is quantized: one [`Choice`] per element of [`layers`].
///
/// # Errors
/// Names and patterns that fit no layer, and widths that a layer named for them has no kernels for.
pub fn choose(layers: &[Layer], recipe: &Recipe) -> Result<Vec<Choice>, QuantizeError> {
    let keep = kept(layers, &recipe.keep)?;
    let known: BTreeMap<&str, usize> =
        layers.iter().enumerate().map(|(index, layer)| (layer.name.as_str(), index)).collect();
    let mut overrides: Vec<Option<&LayerRecipe>> = vec![None; layers.len()];
    for (name, layer) in &recipe.layer {
        let index = known.get(name.as_str()).ok_or_else(|| unknown(name, layers))?;
        overrides[*index] = Some(layer);
    }
    let choice = |(index, layer): (usize, &Layer)| {
        let own = overrides[index];
        if layer.is_given {
            let other = |own: &LayerRecipe| {
                own.weights.is_some_and(|width| width != Width::Int8)
                    || own.activations == Some(Activations::Int8)
            };
            return match own {
                Some(own) if other(own) => Err(QuantizeError::Given { layer: layer.name.clone() }),
                _ => Ok(Choice { weights: Width::Int8, activations: Activations::Dynamic }),
            };
        }
        let weights = match own.and_then(|own| own.weights) {
            Some(width) if layer.supports(width) => width,
            Some(width) => return Err(no_kernel(layer, width.name())),
            None if keep[index] => Width::Int8,
            None => widened(layer, recipe.weights),
        };
        let activations = match own.and_then(|own| own.activations) {
            Some(Activations::Dynamic) if !layer.supports_dynamic() => {
                return Err(no_kernel(layer, "dynamic"));
            }
            Some(activations) => activations,
            None if layer.supports_dynamic() => recipe.activations,
            None => Activations::Int8,
        };
        Ok(Choice { weights, activations })
    };
    layers.iter().enumerate().map(choice).collect()
}

/// Whether the recipe leaves anything in int8 whose range has to be known.
///
/// # Errors
/// As [`choose`].
pub fn needs_ranges(graph: &Graph<Float>, recipe: &Recipe) -> Result<bool, QuantizeError> {
    let choices = choose(&layers(graph), recipe)?;
    Ok(choices.is_empty() || choices.iter().any(|choice| choice.activations == Activations::Int8))
}

/// The width, or the next wider one that the layer has kernels for.
pub fn widened(layer: &Layer, width: Width) -> Width {
    Width::ALL.into_iter().find(|&wider| wider >= width && layer.supports(wider)).unwrap_or_default()
}

fn kept(layers: &[Layer], patterns: &[String]) -> Result<Vec<bool>, QuantizeError> {
    let mut keep = vec![false; layers.len()];
    for pattern in patterns {
        let glob = WildMatch::new(pattern);
        let mut found = false;
        for (index, layer) in layers.iter().enumerate() {
            let is_meant = match pattern.as_str() {
                "first" => index == 0,
                "last" => index + 1 == layers.len(),
                _ => glob.matches(&layer.name),
            };
            keep[index] |= is_meant;
            found |= is_meant;
        }
        // A model without layers has neither a first nor a last one, which is no mistake of the recipe.
        if !found && !layers.is_empty() {
            return Err(unknown(pattern, layers));
        }
    }
    Ok(keep)
}

fn unknown(name: &str, layers: &[Layer]) -> QuantizeError {
    let layers = layers.iter().map(|layer| layer.name.clone()).collect();
    QuantizeError::UnknownLayer { name: name.to_owned(), layers }
}

fn no_kernel(layer: &Layer, what: &'static str) -> QuantizeError {
    QuantizeError::NoKernel { layer: layer.name.clone(), operator: layer.operator, what }
}

/// Elements of `shape` between two of the same output channel's neighbours along `axis`, and number of channels: the
/// channel of element `i` is `i / inner % channels`.
pub(super) fn channel_step(shape: &Shape, axis: usize) -> (usize, usize) {
    let inner = shape.iter().skip(axis + 1).product::<usize>().max(1);
    (inner, shape.get(axis).copied().unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text;

    const THREE: &str = r#"graph "g" float
%0 "x" f32[1,2,2,1]
%1 "w" f32[2,1,1,1] = [1.0,2.0]
%2 "a" f32[1,2,2,2]
%3 "v" f32[1,1,1,2] = [1.0,2.0]
%4 "b" f32[1,2,2,2]
%5 "u" f32[3,2] = [1.0,2.0,3.0,4.0,5.0,6.0]
%6 "c" f32[4,3]
inputs %0
outputs %6
node "stem/conv" Conv2d(%0, %1, _) -> %2 dilation=[1,1] groups=1 stride=[1,1]
node "" DepthwiseConv2d(%2, %3, _) -> %4 dilation=[1,1] multiplier=1 stride=[1,1]
node "head" FullyConnected(%4, %5, _) -> %6 keep_dims=false
"#;

    fn choices(recipe: &Recipe) -> Result<Vec<(Width, Activations)>, QuantizeError> {
        let graph: Graph<Float> = text::parse(THREE).unwrap();
        let choices = choose(&layers(&graph), recipe)?;
        Ok(choices.into_iter().map(|choice| (choice.weights, choice.activations)).collect())
    }

    fn recipe(text: &str) -> Recipe {
        Recipe::from_toml(text).unwrap()
    }

    #[test]
    fn widths_follow_the_rules() {
        use Activations::{Dynamic, Int8 as Static};
        use Width::{Int4, Int8, OneBit};
        let of = |text: &str| choices(&recipe(text)).unwrap();
        assert_eq!(of(""), [(Int8, Static); 3]);
        assert_eq!(
            of("weights = \"int4\"\nkeep = [\"first\", \"he*\"]"),
            [(Int8, Static), (Int4, Static), (Int8, Static)]
        );
        assert_eq!(of("weights = \"1bit\""), [(OneBit, Static), (Int4, Static), (OneBit, Static)]);
        assert_eq!(of("activations = \"dynamic\""), [(Int8, Static), (Int8, Static), (Int8, Dynamic)]);
        let text = "keep = [\"first\"]\n[layer.\"stem/conv\"]\nweights = \"int4\"";
        assert_eq!(of(text), [(Int4, Static), (Int8, Static), (Int8, Static)]);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| choices(&recipe(text)).unwrap_err().to_string();
        assert!(error("keep = [\"steam*\"]").contains("'steam*'"));
        assert!(error("[layer.tail]\nweights = \"int4\"").contains("stem/conv, DepthwiseConv2d#1, head"));
        let message = error("[layer.\"DepthwiseConv2d#1\"]\nweights = \"1bit\"");
        assert!(message.contains("DepthwiseConv2d#1") && message.contains("1bit"), "{message}");
        assert!(error("[layer.\"stem/conv\"]\nactivations = \"dynamic\"").contains("dynamic"));
    }
}

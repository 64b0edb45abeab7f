//! The architecture of an imported model with other weights.

use std::collections::HashSet;

use thiserror::Error;

use super::weights::{Weights, nearest};
use crate::import::{ImportErrors, ImportProblem};
use crate::ir::{DType, Float, Graph, Place, Shape, TensorId};

/// What [`replace_weights`] has done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replaced {
    /// Names of the constants that have the weights' values now.
    pub replaced: Vec<String>,
    /// Constants of real numbers that keep the values of the model.
    pub kept: Vec<Kept>,
}

/// A constant that none of the weights has the name of.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub shape: Shape,
}

/// Why weights do not suit a model.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ReplaceFault {
    /// A constant of the same name has another shape.
    #[error("has shape {weights} in the weights, but {model} in the model")]
    Shape {
        /// Shape of the weights.
        weights: Shape,
        /// Shape of the constant.
        model: Shape,
    },
    /// The model has no constant of the name.
    #[error("the model has no constant of this name{}", similar(.nearest))]
    Unknown {
        /// Names in the model that are most like it.
        nearest: Vec<String>,
    },
    /// The exporter has folded batch normalization into convolutions.
    #[error(
        "the model has no batch normalization of this name: the exporter folded it into a convolution; export with \
         torch.onnx.export(..., do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE), or describe \
         the architecture in TOML"
    )]
    Folded,
}

/// The end of a message that names what may have been meant.
pub(super) fn similar(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!("; nearest: {}", names.join(", ")),
    }
}

/// Gives the constants of a freshly imported graph the values of the weights of the same name and shape.
///
/// # Errors
/// If any of the weights finds no constant of its name and shape: the model would be a mixture of two. The graph is
/// unchanged then.
pub fn replace_weights(graph: &mut Graph<Float>, weights: &Weights) -> Result<Replaced, ImportErrors> {
    let uses = graph.uses();
    let is_parameter = |&id: &TensorId| {
        let tensor = &graph[id];
        tensor.dtype == DType::F32 && tensor.is_constant() && !uses.readers(id).is_empty()
    };
    let constants: Vec<TensorId> = graph.tensor_ids().filter(is_parameter).collect();
    let mut report = Replaced::default();
    let mut known: HashSet<&str> = HashSet::new();
    let mut problems = Vec::new();
    let mut values = Vec::new();
    for &id in &constants {
        let tensor = &graph[id];
        let Some(weight) = weights.get(&tensor.name) else {
            report.kept.push(Kept { name: tensor.name.clone(), shape: tensor.shape.clone() });
            continue;
        };
        known.insert(&weight.name);
        if weight.shape == tensor.shape {
            report.replaced.push(weight.name.clone());
            values.push((id, weight));
        } else {
            let fault = ReplaceFault::Shape { weights: weight.shape.clone(), model: tensor.shape.clone() };
            problems.push(ImportProblem { place: graph.place_of_tensor(id), fault: fault.into() });
        }
    }
    for (index, weight) in weights.iter().enumerate().filter(|(_, weight)| !known.contains(&*weight.name)) {
        let fault = if weight.name.ends_with(".running_mean") || weight.name.ends_with(".running_var") {
            ReplaceFault::Folded
        } else if problems.len() < ImportErrors::SHOWN {
            let names = constants.iter().map(|&id| graph[id].name.as_str());
            ReplaceFault::Unknown {
                nearest: nearest(&weight.name, names).into_iter().map(Into::into).collect(),
            }
        } else {
            ReplaceFault::Unknown { nearest: Vec::new() }
        };
        let place = Place::Tensor { index, name: weight.name.clone() };
        problems.push(ImportProblem { place, fault: fault.into() });
    }
    if !problems.is_empty() {
        return Err(ImportErrors { problems });
    }
    for (id, weight) in values {
        graph.tensor_mut(id).data = Some(weight.bytes());
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::torch::{Element, Weight};
    use crate::ir::Tensor;
    use crate::ir::text::parse;

    const MODEL: &str = r#"
graph "model" float
%0 "image" f32[1,2]
%1 "fc.weight" f32[3,2] = [1,2,3,4,5,6]
%2 "fc.bias" f32[3] = [1,2,3]
%3 "factor" f32[1] = [2]
%4 "product" f32[1,3]
%5 "result" f32[1,3]
inputs %0
outputs %5
node "fc" FullyConnected(%0, %1, %2) -> %4 keep_dims=false
node "scale" Mul(%4, %3) -> %5
"#;

    fn weight(name: &str, shape: &[usize]) -> Weight {
        let count = shape.iter().product();
        Weight {
            name: name.into(),
            shape: Shape::from(shape),
            values: vec![0.5; count],
            element: Element::F32,
        }
    }

    #[test]
    fn constants_of_the_same_name_get_the_values() {
        let mut graph: Graph<Float> = parse(MODEL).expect("a valid graph");
        let weights: Weights = [weight("fc.weight", &[3, 2]), weight("fc.bias", &[3])].into_iter().collect();
        let report = replace_weights(&mut graph, &weights).expect("they fit");
        assert_eq!(report.replaced, ["fc.weight", "fc.bias"]);
        assert_eq!(report.kept, [Kept { name: "factor".into(), shape: Shape::from([1]) }]);
        let find = |name: &str| {
            graph.tensors().iter().find(|tensor| tensor.name == name).and_then(Tensor::f32_values)
        };
        assert_eq!(find("fc.weight"), Some(vec![0.5; 6]));
        assert_eq!(find("factor"), Some(vec![2.0]));
    }

    #[test]
    fn weights_that_do_not_fit_change_nothing() {
        let mut graph: Graph<Float> = parse(MODEL).expect("a valid graph");
        let before = graph.clone();
        let weights = ["fc.weight", "fc.weihgt", "bn.running_mean"];
        let weights: Weights = weights.into_iter().map(|name| weight(name, &[2, 3])).collect();
        let errors = replace_weights(&mut graph, &weights).expect_err("none fits").to_string();
        for part in ["[2,3] in the weights, but [3,2] in the model", "nearest: fc.weight", "folded it"] {
            assert!(errors.contains(part), "{errors}");
        }
        assert_eq!(graph, before);
    }
}

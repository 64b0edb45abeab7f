//! Trained tensors by name.

use std::collections::HashMap;
use std::sync::Arc;

use super::element::{Element, View};
use crate::ir::Shape;

/// A trained tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// The name in the state dict, `features.0.weight`.
    pub name: String,
    /// Dimensions in PyTorch's order.
    pub shape: Shape,
    /// The elements, row-major.
    pub values: Vec<f32>,
    /// Type of the elements in the file.
    pub element: Element,
}

impl Weight {
    /// The elements as a constant of a graph holds them.
    pub(super) fn bytes(&self) -> Arc<[u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// [`Weight::bytes`] with the axes of the shape `from` in another order.
    pub(super) fn permuted_bytes(&self, from: &[usize], permutation: &[usize]) -> Arc<[u8]> {
        let whole = View::contiguous(from.to_vec());
        let of = |axes: &[usize]| permutation.iter().filter_map(|&axis| axes.get(axis).copied()).collect();
        let view = View { offset: 0, shape: of(&whole.shape), strides: of(&whole.strides) };
        let values = Element::F32.gather(&self.bytes(), &view).unwrap_or_default();
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// Trained tensors in the order of their file, each name once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    list: Vec<Weight>,
    positions: HashMap<String, usize>,
}

impl Weights {
    /// The tensors in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Weight> {
        self.list.iter()
    }

    /// The tensor of the given name.
    pub fn get(&self, name: &str) -> Option<&Weight> {
        self.list.get(*self.positions.get(name)?)
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The names most like a name, best first, at most three.
    pub fn nearest(&self, name: &str) -> Vec<&str> {
        nearest(name, self.list.iter().map(|weight| weight.name.as_str()))
    }
}

/// A later tensor of the same name takes the place of an earlier one.
impl FromIterator<Weight> for Weights {
    fn from_iter<I: IntoIterator<Item = Weight>>(weights: I) -> Self {
        let mut all = Weights::default();
        for weight in weights {
            match all.positions.get(&weight.name) {
                Some(&position) => all.list[position] = weight,
                None => {
                    all.positions.insert(weight.name.clone(), all.list.len());
                    all.list.push(weight);
                }
            }
        }
        all
    }
}

/// The candidates most like a name, best first, at most three; none that is very unlike it.
///
/// Of very many candidates, or very long ones, only the first are looked at.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    const LIKENESS: f64 = 0.75;
    const LONGEST: usize = 200;
    if name.len() > LONGEST {
        return Vec::new();
    }
    let short = candidates.into_iter().filter(|candidate| candidate.len() <= LONGEST).take(2000);
    let mut scored: Vec<(f64, &str)> =
        short.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate)).collect();
    scored.retain(|&(likeness, _)| likeness >= LIKENESS);
    scored.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(name: &str, value: f32) -> Weight {
        Weight { name: name.into(), shape: Shape::from([1]), values: vec![value], element: Element::F32 }
    }

    #[test]
    fn a_later_tensor_of_the_same_name_counts() {
        let weights: Weights = [weight("b", 1.0), weight("a", 2.0), weight("b", 3.0)].into_iter().collect();
        let names: Vec<_> = weights.iter().map(|weight| weight.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(weights.get("b").map(|weight| weight.values[0]), Some(3.0));
    }

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["conv1.weight", "conv2.weight", "fc.bias"];
        assert_eq!(nearest("conv2.wieght", names)[0], "conv2.weight");
        assert!(nearest("zzz", names).is_empty());
    }
}

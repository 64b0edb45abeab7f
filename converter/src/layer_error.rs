//! How far tensors of one model are from those of another one, on the same inputs.

use rayon::prelude::*;
use secateur::Model;
use serde::Serialize;

use crate::dump::{NodeOutput, node_outputs};
use crate::execute::{self, ExecuteError};
use crate::facts::Facts;
use crate::port::{self, Port, vector_bytes};

/// The error of one tensor over all vectors, in real numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerError {
    /// The tensor's name.
    pub name: String,
    /// Operator that writes it; `output` for an output of the model.
    pub kind: &'static str,
    /// Number of elements compared.
    pub elements: usize,
    /// Share of elements that stand for the same real number, from 0 to 1.
    pub equal_share: f64,
    /// The largest difference.
    pub max_abs_error: f64,
    /// Signal-to-error ratio in decibels, 10 log10 of (sum of squares of the reference / sum of squares of the
    /// differences); null where all elements are equal, or the reference is all zero.
    pub sqnr_db: Option<f64>,
}

/// Two models compared tensor by tensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// The tensors that both models have, in the order in which the second one writes them.
    pub layers: Vec<LayerError>,
    /// The outputs, by position.
    pub outputs: Vec<LayerError>,
    /// Tensors that only the reference has.
    pub only_in_reference: Vec<String>,
    /// Tensors that only the compared model has.
    pub only_in_model: Vec<String>,
}

impl Comparison {
    /// Whether every element compared is equal.
    pub fn is_equal(&self) -> bool {
        self.layers.iter().chain(&self.outputs).all(|layer| layer.equal_share == 1.0)
    }
}

/// Sums from which a [`LayerError`] is made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    elements: usize,
    equal: usize,
    signal: f64,
    error: f64,
    max: f64,
}

impl Sums {
    fn of(reference: &[f64], found: &[f64]) -> Self {
        let mut sums = Self::default();
        for (&reference, &found) in reference.iter().zip(found) {
            // Infinities and NaN are equal to themselves here.
            let equal = reference == found || (reference.is_nan() && found.is_nan());
            let difference = if equal { 0.0 } else { (found - reference).abs() };
            sums.elements += 1;
            sums.equal += usize::from(equal);
            sums.signal += reference * reference;
            sums.error += difference * difference;
            sums.max = sums.max.max(difference);
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.elements += other.elements;
        self.equal += other.equal;
        self.signal += other.signal;
        self.error += other.error;
        self.max = self.max.max(other.max);
    }

    fn report(&self, name: String, kind: &'static str) -> LayerError {
        LayerError {
            name,
            kind,
            elements: self.elements,
            equal_share: if self.elements == 0 { 1.0 } else { self.equal as f64 / self.elements as f64 },
            max_abs_error: self.max,
            sqnr_db: (self.equal < self.elements && self.signal > 0.0)
                .then(|| 10.0 * (self.signal / self.error).log10()),
        }
    }
}

/// A tensor of both models: positions in the lists of what they write.
struct Pair {
    reference: usize,
    model: usize,
}

/// Runs both models on the same vectors. `inputs` holds one form for each model, since their quantization may differ.
/// `done` is called after each vector, from any thread.
///
/// # Errors
/// If an input is not a whole number of vectors.
pub fn compare(
    reference: &Model<'_>,
    model: &Model<'_>,
    inputs: [&[u8]; 2],
    done: impl Fn() + Sync,
) -> Result<Comparison, ExecuteError> {
    let facts = [reference, model].map(|model| Facts::of(model.tables()));
    let lists = [node_outputs(reference), node_outputs(model)];
    let pairs = pair(&lists);
    let strides = [(reference, &facts[0]), (model, &facts[1])]
        .map(|(model, facts)| vector_bytes(&port::inputs(model, facts)).max(1));
    let vectors = inputs[0].par_chunks(strides[0]).zip(inputs[1].par_chunks(strides[1]));
    let sums = vectors
        .map(|(for_reference, for_model)| {
            let dumps =
                [execute::run_dumping(reference, for_reference)?, execute::run_dumping(model, for_model)?];
            let values = |side: usize, index: usize| {
                let bytes = dumps[side].get(index).map(|dump| dump.bytes.as_slice()).unwrap_or_default();
                lists[side][index].port.real_values(bytes)
            };
            let of = |pair: &Pair| Sums::of(&values(0, pair.reference), &values(1, pair.model));
            done();
            Ok(pairs.iter().map(of).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, ExecuteError>>()?;
    let ports =
        [(reference, &facts[0]), (model, &facts[1])].map(|(model, facts)| port::outputs(model, facts));
    let output_values = [
        real_outputs(&ports[0], &execute::run_batch(reference, inputs[0], || ())?),
        real_outputs(&ports[1], &execute::run_batch(model, inputs[1], || ())?),
    ];
    let mut totals = vec![Sums::default(); pairs.len()];
    for vector in &sums {
        totals.iter_mut().zip(vector).for_each(|(total, sums)| total.add(sums));
    }
    let report = |(pair, sums): (&Pair, &Sums)| {
        let written = &lists[1][pair.model];
        sums.report(written.port.name.clone(), written.operator)
    };
    let unpaired = |side: usize, is_paired: &dyn Fn(usize) -> bool| {
        let list = lists[side].iter().enumerate();
        list.filter(|(index, _)| !is_paired(*index)).map(|(_, w)| w.port.name.clone()).collect()
    };
    Ok(Comparison {
        only_in_reference: unpaired(0, &|index| pairs.iter().any(|pair| pair.reference == index)),
        only_in_model: unpaired(1, &|index| pairs.iter().any(|pair| pair.model == index)),
        layers: pairs.iter().zip(&totals).map(report).collect(),
        outputs: compare_outputs(&ports[1], &output_values[0], &output_values[1]),
    })
}

/// Pairs tensors of the same name and number of elements, in the order of the second list.
fn pair(lists: &[Vec<NodeOutput>; 2]) -> Vec<Pair> {
    let mut taken = vec![false; lists[0].len()];
    let mut pairs = Vec::new();
    for (index, written) in lists[1].iter().enumerate() {
        let same = |&candidate: &usize| {
            let other = &lists[0][candidate].port;
            !taken[candidate]
                && other.name == written.port.name
                && other.elements() == written.port.elements()
        };
        if let Some(reference) = (0..lists[0].len()).find(same) {
            taken[reference] = true;
            pairs.push(Pair { reference, model: index });
        }
    }
    pairs
}

/// The real values of each output, over all vectors.
pub fn real_outputs(ports: &[Port], vectors: &[u8]) -> Vec<Vec<f64>> {
    port::columns(ports, vectors).iter().zip(ports).map(|(bytes, port)| port.real_values(bytes)).collect()
}

/// The errors of the outputs `ports`, given their real values over all vectors.
pub fn compare_outputs(ports: &[Port], reference: &[Vec<f64>], found: &[Vec<f64>]) -> Vec<LayerError> {
    let pairs = ports.iter().zip(reference.iter().zip(found));
    pairs.map(|(port, (left, right))| Sums::of(left, right).report(port.name.clone(), "output")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_give_ratio_maximum_and_share() {
        let mut sums = Sums::of(&[3.0, 4.0], &[3.0, 3.5]);
        let error = sums.report("x".to_owned(), "Add");
        assert_eq!((error.elements, error.equal_share, error.max_abs_error), (2, 0.5, 0.5));
        assert!((error.sqnr_db.unwrap() - 20.0).abs() < 1e-9);
        sums.add(&Sums::of(&[0.0], &[0.0]));
        assert_eq!(sums.report("x".to_owned(), "Add").equal_share, 2.0 / 3.0);
    }

    #[test]
    fn equal_tensors_have_no_ratio() {
        let error = Sums::of(&[f64::NAN, 1.0], &[f64::NAN, 1.0]).report("x".to_owned(), "Add");
        assert_eq!((error.sqnr_db, error.max_abs_error, error.equal_share), (None, 0.0, 1.0));
    }
}

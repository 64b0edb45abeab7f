//! How well a classifier does on labelled samples.

use secateur::format::DType;
use serde::Serialize;
use thiserror::Error;

use crate::port::Port;

/// The score of a classifier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accuracy {
    /// Number of samples.
    pub samples: usize,
    /// Number of samples whose class was found.
    pub correct: usize,
    /// `correct / samples`.
    pub accuracy: f64,
    /// The score per class.
    pub classes: Vec<ClassScore>,
    /// Number of samples by true class (rows) and predicted class (columns).
    pub confusion: Vec<Vec<usize>>,
}

/// The score of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Its number.
    pub index: usize,
    /// Its name, or its number if it has none.
    pub name: String,
    /// Samples that are of this class.
    pub samples: usize,
    /// Samples that the model puts into this class.
    pub predicted: usize,
    /// Samples of this class that were found.
    pub correct: usize,
    /// `correct / predicted`; null if the model never predicts the class.
    pub precision: Option<f64>,
    /// `correct / samples`; null if no sample is of this class.
    pub recall: Option<f64>,
}

/// Why samples cannot be scored.
#[derive(Debug, Error)]
pub enum AccuracyError {
    /// The model's output is not one score per class.
    #[error("output '{output}' is {format}: one score per class or the index of a class is expected")]
    NotAClassifier {
        /// The output.
        output: String,
        /// Its type and shape.
        format: String,
    },
    /// A label has no class.
    #[error("sample {sample} has label {label}, but the model has {classes} classes (0 to {})", .classes - 1)]
    Label {
        /// The sample.
        sample: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// There are no samples.
    #[error("the data set has no samples")]
    NoSamples,
}

/// The class that each vector of an output says: the greatest score, the first of equals; or the index that it holds.
///
/// `bytes` are those of this output over all vectors.
///
/// # Errors
/// If the output is not of this kind.
pub fn predictions(port: &Port, bytes: &[u8]) -> Result<Vec<usize>, AccuracyError> {
    let is_index = port.dtype == DType::I32 && port.scale.is_none() && port.elements() == 1;
    if !is_index && port.elements() < 2 {
        return Err(AccuracyError::NotAClassifier { output: port.name.clone(), format: port.format() });
    }
    let class = |vector: &[u8]| {
        let scores = port.real_values(vector);
        if is_index { scores.first().map_or(0, |&index| index as usize) } else { greatest(&scores) }
    };
    Ok(bytes.chunks_exact(port.bytes).map(class).collect())
}

fn greatest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}

impl Accuracy {
    /// Counts predictions against labels. There are at least `classes` classes; `names` may be shorter.
    ///
    /// # Errors
    /// If a label is not a class or there are no samples.
    pub fn new(
        predictions: &[usize],
        labels: &[usize],
        classes: usize,
        names: &[String],
    ) -> Result<Self, AccuracyError> {
        let classes = predictions.iter().map(|&class| class + 1).fold(classes, usize::max);
        let mut confusion = vec![vec![0; classes]; classes];
        for (sample, (&prediction, &label)) in predictions.iter().zip(labels).enumerate() {
            let row = confusion.get_mut(label).ok_or(AccuracyError::Label { sample, label, classes })?;
            row[prediction] += 1;
        }
        let samples = predictions.len().min(labels.len());
        if samples == 0 {
            return Err(AccuracyError::NoSamples);
        }
        let correct = (0..classes).map(|class| confusion[class][class]).sum::<usize>();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let score = |index: usize| {
            let samples = confusion[index].iter().sum();
            let predicted = confusion.iter().map(|row| row[index]).sum();
            let correct = confusion[index][index];
            ClassScore {
                index,
                name: names.get(index).cloned().unwrap_or_else(|| index.to_string()),
                samples,
                predicted,
                correct,
                precision: share(correct, predicted),
                recall: share(correct, samples),
            }
        };
        let scores = (0..classes).map(score).collect();
        Ok(Self { samples, correct, accuracy: correct as f64 / samples as f64, classes: scores, confusion })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(dtype: DType, elements: u32) -> Port {
        Port {
            name: "scores".to_owned(),
            dtype,
            shape: vec![1, elements],
            bytes: elements as usize * dtype.size(),
            scale: (dtype == DType::I8).then_some(0.5),
            zero_point: (dtype == DType::I8).then_some(-128),
        }
    }

    #[test]
    fn the_first_of_the_greatest_scores_wins() {
        let bytes = [1, 5, 5, 0, 0x80, 0xff, 0x80, 0x80];
        assert_eq!(predictions(&port(DType::I8, 4), &bytes).unwrap(), [1, 1]);
    }

    #[test]
    fn an_index_is_the_class_itself() {
        assert_eq!(predictions(&port(DType::I32, 1), &[7, 0, 0, 0]).unwrap(), [7]);
        assert!(predictions(&port(DType::I8, 1), &[7]).is_err());
    }

    #[test]
    fn counts_go_to_the_row_of_the_label() {
        let names = vec!["cat".to_owned()];
        let accuracy = Accuracy::new(&[0, 1, 1, 0], &[0, 1, 0, 0], 3, &names).unwrap();
        assert_eq!(accuracy.confusion, [[2, 1, 0], [0, 1, 0], [0, 0, 0]]);
        assert_eq!((accuracy.correct, accuracy.accuracy), (3, 0.75));
        assert_eq!(accuracy.classes[0].name, "cat");
        assert_eq!(accuracy.classes[0].recall, Some(2.0 / 3.0));
        assert_eq!(accuracy.classes[1].precision, Some(0.5));
        assert_eq!((accuracy.classes[2].precision, accuracy.classes[2].recall), (None, None));
    }

    #[test]
    fn labels_without_a_class_and_empty_sets_are_refused() {
        assert!(matches!(
            Accuracy::new(&[0, 1], &[0, 4], 2, &[]),
            Err(AccuracyError::Label { sample: 1, label: 4, classes: 2 })
        ));
        assert!(matches!(Accuracy::new(&[], &[], 2, &[]), Err(AccuracyError::NoSamples)));
    }
}

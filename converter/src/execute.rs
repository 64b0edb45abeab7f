//! Running a `.sct` model on the host: the same engine and kernels as on a board.

use rayon::prelude::*;
use secateur::format::{DType, Node, TensorRecord};
use secateur::{Model, Observer, Session, SessionError};
use thiserror::Error;

/// Why vectors cannot be run.
#[derive(Debug, Error)]
pub enum ExecuteError {
    /// The input is not a whole number of vectors.
    #[error(
        "{found} bytes of input: a vector of this model has {vector} bytes, so this is not a whole number of them"
    )]
    InputLength {
        /// Bytes given.
        found: usize,
        /// Bytes of one vector.
        vector: usize,
    },
    /// The engine does not start.
    #[error("the engine does not start")]
    Session(#[from] SessionError),
}

/// The tensors of a port list.
fn records<'m>(model: &Model<'m>, ports: &[u16]) -> Vec<&'m TensorRecord> {
    let tensors = model.tables().tensors();
    ports.iter().filter_map(|&t| tensors.get(usize::from(t))).collect()
}

/// The model's inputs.
pub fn inputs<'m>(model: &Model<'m>) -> Vec<&'m TensorRecord> {
    records(model, model.tables().inputs())
}

/// The model's outputs.
pub fn outputs<'m>(model: &Model<'m>) -> Vec<&'m TensorRecord> {
    records(model, model.tables().outputs())
}

/// Bytes of one vector: the tensors one after another.
pub fn vector_len(records: &[&TensorRecord]) -> usize {
    records.iter().map(|record| record.byte_len()).sum()
}

/// Runs vectors that follow one another in `input`, each with all inputs one after another in the tensors' own types,
/// and gives their outputs in the same form. Uses all cores; `done` is called after each vector, from any thread.
///
/// # Errors
/// If the input is not a whole number of vectors.
pub fn run_batch(model: &Model<'_>, input: &[u8], done: impl Fn() + Sync) -> Result<Vec<u8>, ExecuteError> {
    let (from, to) = (vector_len(&inputs(model)), vector_len(&outputs(model)));
    if from == 0 || !input.len().is_multiple_of(from) {
        return Err(ExecuteError::InputLength { found: input.len(), vector: from });
    }
    let mut output = vec![0u8; input.len() / from * to];
    input
        .par_chunks_exact(from)
        .zip(output.par_chunks_exact_mut(to.max(1)))
        .try_for_each_init(
            || Arena::new(model),
            |arena, (input, output)| {
                run_vector(model, arena, input, output, &mut ())?;
                done();
                Ok(())
            },
        )
        .map(|()| output)
}

/// A tensor's values after the node that wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dumped {
    /// The node.
    pub node: u16,
    /// The tensor.
    pub tensor: u16,
    /// Element type.
    pub dtype: DType,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Runs one vector and keeps what every node wrote.
///
/// # Errors
/// If the input is not one vector.
pub fn run_dumping(model: &Model<'_>, input: &[u8]) -> Result<Vec<Dumped>, ExecuteError> {
    struct Dump(Vec<Dumped>);
    impl Observer for Dump {
        fn after(&mut self, index: u16, node: &Node<'_>, arena: &[u8]) {
            for (slot, &tensor) in node.outputs().iter().enumerate() {
                if let Some(record) = node.output(slot)
                    && let (Some(bytes), Some(dtype)) = (arena.get(record.range()), record.dtype())
                {
                    self.0.push(Dumped { node: index, tensor, dtype, bytes: bytes.to_vec() });
                }
            }
        }
    }
    let vector = vector_len(&inputs(model));
    if input.len() != vector {
        return Err(ExecuteError::InputLength { found: input.len(), vector });
    }
    let mut dump = Dump(Vec::new());
    let mut output = vec![0; vector_len(&outputs(model))];
    run_vector(model, &mut Arena::new(model), input, &mut output, &mut dump)?;
    Ok(dump.0)
}

/// An arena of a model's size, aligned.
#[derive(Debug)]
pub struct Arena(Vec<u32>);

impl Arena {
    /// Zeroed bytes.
    pub fn new(model: &Model<'_>) -> Self {
        Self(vec![0; model.arena_len().div_ceil(size_of::<u32>())])
    }

    /// The bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        zerocopy::IntoBytes::as_mut_bytes(&mut self.0[..])
    }
}

fn run_vector<O: Observer>(
    model: &Model<'_>,
    arena: &mut Arena,
    mut input: &[u8],
    mut output: &mut [u8],
    observer: &mut O,
) -> Result<(), SessionError> {
    let mut session = Session::new(model, arena.bytes_mut())?;
    for port in 0..model.tables().inputs().len() {
        if let Ok(to) = session.input_bytes_mut(port)
            && let Some((from, rest)) = input.split_at_checked(to.len())
        {
            to.copy_from_slice(from);
            input = rest;
        }
    }
    session.run_observed(observer);
    for port in 0..model.tables().outputs().len() {
        if let Ok(from) = session.output_bytes(port)
            && let Some((to, rest)) = std::mem::take(&mut output).split_at_mut_checked(from.len())
        {
            to.copy_from_slice(from);
            output = rest;
        }
    }
    Ok(())
}

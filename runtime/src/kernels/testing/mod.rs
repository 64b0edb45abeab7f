//! What the tests of operators share.
//!
//! | module | what |
//! |---|---|
//! | `one_node` | the one builder of models: a node with its operands, checked by `Model::load`, run by a `Session` |
//! | `mutants` | the same node with records, parameters and constants changed at random |
//! | `definitions` | operators as their definitions say, for comparison |
//! | `samples` | random operands: shapes, values, windows, multipliers, whole layers |
//! | `broadcast` | operands of the operators on two tensors |

mod broadcast;
pub(crate) mod definitions;
mod mutants;
mod one_node;
mod samples;

pub(crate) use broadcast::binary_cases;
pub(crate) use one_node::OneNode;
pub(crate) use samples::{Layer, Random, multipliers, shapes, stages, values, windowed, windows};

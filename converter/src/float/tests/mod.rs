//! Tests of execution.

mod executor;
mod kernels;
mod naive;
mod random;

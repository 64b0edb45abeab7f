//! Weights trained in PyTorch, from bytes to graphs.

mod architecture;
mod files;
mod forms;
mod hostile;
mod layers;
mod malformed;
mod mutations;
mod networks;
mod replace;

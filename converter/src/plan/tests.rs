//! The planner as a whole.

mod cases;
mod networks;
mod properties;

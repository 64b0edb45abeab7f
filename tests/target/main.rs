//! What runs on the boards, emulated by QEMU.

mod models;
mod size;
mod support;

//! What runs on the boards, emulated by QEMU.

mod models;
mod support;

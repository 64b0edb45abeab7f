//! What runs on the boards, emulated by QEMU.

mod support;

//! The selected board.
//!
//! Each module below offers `init`, `exit` and `complain` with the same signatures. Boards with a debug probe instead
//! of an emulator get a module of their own here and a feature beside `_qemu`.

use core::fmt;

#[cfg(feature = "_qemu")]
mod qemu;

#[cfg(feature = "_qemu")]
pub use qemu::{complain, exit, init};

#[cfg(not(feature = "_board"))]
compile_error!(
    "select a board: `cargo xtask build --board NAME`, or one of the board features in Cargo.toml"
);

/// The board's name: its folder's and its feature's.
#[cfg(feature = "_board")]
pub const NAME: &str = env!("SECATEUR_BOARD");

/// Bytes of RAM that the linker may use, as in the board's `memory.x`.
#[cfg(feature = "_board")]
pub const RAM: usize = decimal(env!("SECATEUR_RAM"));

/// The number that the build script has written.
const fn decimal(digits: &str) -> usize {
    match usize::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("not a number"),
    }
}

/// Writes formatted text where [`complain`] writes. It links the formatter, which is larger than a small firmware.
pub fn complain_with(text: fmt::Arguments<'_>) {
    struct Complaint;
    impl fmt::Write for Complaint {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            complain(text);
            Ok(())
        }
    }
    let _ = fmt::write(&mut Complaint, text);
}

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well: exit code 0.
    Success,
    /// The program could not do its work: exit code 1.
    Failure,
    /// The program panicked: exit code 101, as on a host.
    Panic,
    /// The processor refused to go on: exit code 102.
    Fault,
}

impl Exit {
    /// The exit code that the host sees.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Panic => 101,
            Self::Fault => 102,
        }
    }
}

/// Number of board features that are on.
const SELECTED: usize = cfg!(feature = "mps2-an385") as usize
    + cfg!(feature = "mps2-an386") as usize
    + cfg!(feature = "mps2-an500") as usize
    + cfg!(feature = "mps2-an505") as usize
    + cfg!(feature = "mps3-an547") as usize
    + cfg!(feature = "microbit") as usize
    + cfg!(feature = "netduinoplus2") as usize;

const _: () = assert!(SELECTED <= 1, "select exactly one board feature");

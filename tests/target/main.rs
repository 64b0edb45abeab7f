//! What runs on the boards, emulated by QEMU.

/// Hands all boards, each as `identifier: "name"`, to another macro after `$arguments`.
macro_rules! with_all_boards {
    ($macro:ident!($($arguments:tt)*)) => {
        $macro! { $($arguments)*
            microbit: "microbit",
            mps2_an385: "mps2-an385",
            mps2_an386: "mps2-an386",
            mps2_an500: "mps2-an500",
            mps2_an505: "mps2-an505",
            mps3_an547: "mps3-an547",
            netduinoplus2: "netduinoplus2",
        }
    };
}

/// A test for each board, which calls a function with the [`Bench`](secateur_tests::target::Bench) and the test's name.
/// `$suite` is the name of the calling module.
macro_rules! on_every_board {
    ($suite:literal, $check:path) => {
        with_all_boards! { board_tests!($suite, $check,) }
    };
}

macro_rules! board_tests {
    ($suite:literal, $check:path, $($test:ident: $board:literal,)*) => {
        $(#[test]
        fn $test() -> anyhow::Result<()> {
            let test = concat!($suite, "::", stringify!($test));
            match secateur_tests::target::Bench::find($board, test)? {
                Some(bench) => $check(&bench, test),
                None => Ok(()),
            }
        })*
    };
}

mod command;
mod costs;
mod infer;
mod layers;
mod low_bit;
mod models;
mod operators;
mod profile;
mod refusals;
mod size;
mod support;

macro_rules! names {
    ($($test:ident: $board:literal,)*) => {
        [$($board),*]
    };
}

#[test]
fn no_board_is_left_out() -> anyhow::Result<()> {
    let tested = with_all_boards! { names!() };
    for board in xtask::board::all()? {
        anyhow::ensure!(tested.contains(&board.name.as_str()), "{} has no test", board.name);
    }
    Ok(())
}

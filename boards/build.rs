//! Hands the linker the memory map of the board whose feature is on.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(());
    }
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    // Without a board the crate itself says what is wrong; a second message from here would hide it.
    let Some(board) = selected_board(&folder)? else { return Ok(()) };

    let memory = folder.join(&board).join("memory.x");
    let ram = length_of_ram(&fs::read_to_string(&memory)?).ok_or("memory.x states no length of RAM")?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::copy(&memory, out.join("memory.x"))?;
    println!("cargo::rerun-if-changed={}", memory.display());
    println!("cargo::rustc-env=SECATEUR_BOARD={board}");
    println!("cargo::rustc-env=SECATEUR_RAM={ram}");
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    // Keeps the program headers out of flash: without it the first segment is padded to a page.
    println!("cargo::rustc-link-arg-bins=--nmagic");
    if env::var_os("CARGO_FEATURE_LOGS").is_some() {
        println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    }
    Ok(())
}

/// The folder whose name is a feature that is on.
fn selected_board(boards: &std::path::Path) -> Result<Option<String>, Box<dyn Error>> {
    for entry in fs::read_dir(boards)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let feature = format!("CARGO_FEATURE_{}", name.to_uppercase().replace('-', "_"));
        if entry.path().join("board.toml").is_file() && env::var_os(feature).is_some() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Bytes of the region `RAM`, which has a line of its own with its length in `K`.
fn length_of_ram(script: &str) -> Option<usize> {
    let line = script.lines().find(|line| line.trim_start().starts_with("RAM "))?;
    let (_, length) = line.split_once("LENGTH = ")?;
    length.trim().strip_suffix('K')?.parse::<usize>().ok()?.checked_mul(1024)
}

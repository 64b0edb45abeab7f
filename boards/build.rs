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
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::copy(&memory, out.join("memory.x"))?;
    println!("cargo::rerun-if-changed={}", memory.display());
    println!("cargo::rustc-env=SECATEUR_BOARD={board}");
    println!("cargo::rustc-env=SECATEUR_RAM={}", length_of_ram(&fs::read_to_string(&memory)?)?);
    // The module that `footprint` measures; the example's unless another one is named.
    println!("cargo::rerun-if-env-changed=SECATEUR_MODEL");
    let example = || folder.join("models/fashion_dscnn.rs");
    let model = env::var_os("SECATEUR_MODEL").map_or_else(example, PathBuf::from);
    println!("cargo::rustc-env=SECATEUR_MODEL={}", model.display());
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    // Keeps the program headers out of flash: without it the first segment is padded to a page.
    println!("cargo::rustc-link-arg-bins=--nmagic");
    if env::var_os("CARGO_FEATURE_LOGS").is_some() {
        println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    }
    Ok(())
}

/// Bytes of the region `RAM`.
fn length_of_ram(memory: &str) -> Result<usize, Box<dyn Error>> {
    let line = memory.lines().find(|line| line.trim_start().starts_with("RAM"));
    let kilobytes = line.and_then(|line| line.split("LENGTH = ").nth(1)?.trim().strip_suffix('K'));
    let kilobytes: usize = kilobytes.ok_or("memory.x: the length of RAM is not given in K")?.parse()?;
    Ok(kilobytes * 1024)
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

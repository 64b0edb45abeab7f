//! A board's `board.toml` and `memory.x` state the same addresses.

use std::path::Path;

use super::{Finding, Tree};
use crate::board::{Board, Region};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| is_board_file(path)) {
        let board: Board = match toml::from_str(text) {
            Ok(board) => board,
            Err(error) => {
                findings.push(Finding::in_file(path, error.to_string()));
                continue;
            }
        };
        let memory = path.with_file_name("memory.x");
        let script = tree.texts().find(|(other, _)| *other == memory).map_or("", |(_, script)| script);
        for (name, region) in
            [("FLASH", board.memory.flash), ("MODEL", board.memory.model), ("RAM", board.memory.ram)]
        {
            if region_of(script, name) != Some(region) {
                let message = format!("{name} differs from {}: {region:#x?}", path.display());
                findings.push(Finding::in_file(&memory, message));
            }
        }
    }
    findings
}

fn is_board_file(path: &Path) -> bool {
    path.starts_with("boards") && path.ends_with("board.toml")
}

/// Reads `NAME : ORIGIN = 0x0, LENGTH = 1M` from a linker script.
fn region_of(script: &str, name: &str) -> Option<Region> {
    let line =
        script.lines().find(|line| line.split([' ', ':']).find(|word| !word.is_empty()) == Some(name))?;
    let value = |key: &str| {
        let (_, rest) = line.split_once(key)?;
        number(rest.trim_start().strip_prefix('=')?.split(',').next()?.trim())
    };
    Some(Region { origin: value("ORIGIN")?, length: value("LENGTH")? })
}

/// A number of a linker script: decimal or hexadecimal, with `K` or `M` after it.
fn number(text: &str) -> Option<u32> {
    let (digits, scale) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let value = match digits.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    value.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_from_a_linker_script() {
        let script =
            "MEMORY\n{\n  FLASH : ORIGIN = 0x08000000, LENGTH = 1M\n  RAM   : ORIGIN = 0, LENGTH = 16K\n}\n";
        assert_eq!(region_of(script, "FLASH"), Some(Region { origin: 0x0800_0000, length: 1 << 20 }));
        assert_eq!(region_of(script, "RAM"), Some(Region { origin: 0, length: 16 << 10 }));
        assert_eq!(region_of(script, "MODEL"), None);
    }
}

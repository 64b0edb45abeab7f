//! The plugin of QEMU that counts instructions and estimates cycles, built from `xtask/qemu-plugin`.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::qemu;
use crate::workspace;

/// C compilers, any of which will do.
pub const COMPILERS: &[&str] = &["cc", "gcc", "clang"];

const FLAGS: &[&str] = &["-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden"];

/// More than a second is needed on a busy machine only.
const LIMIT: Duration = Duration::from_secs(120);

/// Builds the plugin, unless the same sources were built for the same release of QEMU before, and gives its file.
///
/// # Errors
/// When there is no C compiler, or no QEMU, or the plugin does not build.
pub fn build() -> Result<PathBuf> {
    let sources = sources(&workspace::root().join("xtask/qemu-plugin"))?;
    let version = interface_version(qemu_release()?);
    let mut hasher = DefaultHasher::new();
    (FLAGS, version).hash(&mut hasher);
    for source in &sources {
        fs::read(source).with_context(|| format!("cannot read {}", source.display()))?.hash(&mut hasher);
    }
    let folder = workspace::target_directory()?.join("qemu-plugin");
    let plugin = folder.join(format!("cycles-{:016x}.so", hasher.finish()));
    if !plugin.is_file() {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        compile(&sources, version, &plugin)?;
    }
    Ok(plugin)
}

/// The files of the plugin in the order of their names, headers among them.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c" || extension == "h") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

fn compile(sources: &[PathBuf], version: u32, plugin: &Path) -> Result<()> {
    let Some(compiler) = workspace::find_program(COMPILERS) else {
        bail!("no C compiler for the profiler; `cargo xtask setup` installs one");
    };
    // Another process may be building the same file.
    let fresh = plugin.with_extension(format!("{}.new", std::process::id()));
    let mut command = process::command(&compiler);
    command.args(FLAGS).arg(format!("-DPLUGIN_VERSION={version}")).arg("-o").arg(&fresh);
    command.args(sources.iter().filter(|file| file.extension().is_some_and(|extension| extension == "c")));
    let finished = process::run(&mut command, LIMIT, |_| ())?;
    if !finished.ending.is_success() {
        bail!(
            "{} cannot build xtask/qemu-plugin ({})\n{}",
            compiler.display(),
            finished.ending,
            String::from_utf8_lossy(&finished.stderr).trim()
        );
    }
    fs::rename(&fresh, plugin).with_context(|| format!("cannot write {}", plugin.display()))
}

/// Major and minor number of the installed QEMU.
fn qemu_release() -> Result<(u32, u32)> {
    let mut command = process::command(qemu::PROGRAM);
    let finished = process::run(command.arg("--version"), LIMIT, |_| ())?;
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    release(&text).with_context(|| format!("{} says no version: {}", qemu::PROGRAM, text.trim()))
}

/// The numbers in `QEMU emulator version 7.2.22 (…)`.
fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_once("version ")?.1.split(['.', ' ', '\n']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Version of the plugin interface that a release of QEMU takes.
fn interface_version(release: (u32, u32)) -> u32 {
    match release {
        (9, 1..) | (10.., _) => 3,
        (9, 0) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_follows_the_release() {
        let version = |text| release(text).map(interface_version);
        assert_eq!(version("QEMU emulator version 7.2.22 (Debian 1:7.2)\nCopyright"), Some(1));
        assert_eq!(version("QEMU emulator version 9.0.2"), Some(2));
        assert_eq!(version("QEMU emulator version 10.0.2\n"), Some(3));
        assert_eq!(version("nonsense"), None);
    }
}

//! Debian packages.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process::{self, Finished};
use crate::workspace;

/// Long enough for a slow mirror.
const LIMIT: Duration = Duration::from_secs(1800);

/// Installs the packages as root. They come without recommendations and never replace a package that is there.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let install = "apt-get install --yes --no-install-recommends --no-remove";
    let list = packages.join(" ");
    if workspace::find_program(&["apt-get"]).is_none() {
        bail!("missing, and this is no Debian to install them on: {list}");
    }
    if !is_root() {
        bail!(
            "packages are missing; install them with:\n\n    sudo sh -c 'apt-get update && {install} {list}'\n"
        );
    }
    eprintln!("set-up: installing {list} with apt-get");
    // Old lists name files that the mirror has dropped. Lists that cannot be renewed may still do.
    apt_get(&["update"])?;
    let words: Vec<&str> = install.split(' ').skip(1).chain(packages.iter().copied()).collect();
    let finished = apt_get(&words)?;
    if !finished.ending.is_success() {
        let output = [finished.stdout, finished.stderr].concat();
        bail!("{install} {list}: {}\n{}", finished.ending, String::from_utf8_lossy(&output).trim());
    }
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Result<Finished> {
    let mut command: Command = process::command("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env_remove("LD_LIBRARY_PATH");
    process::run(&mut command, LIMIT, |_| ())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

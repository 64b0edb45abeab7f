//! `tidy`: the rules of the source tree that no compiler checks.

use anyhow::{Result, bail};
use xtask::tidy::{self, Tree};
use xtask::workspace;

pub(crate) fn run() -> Result<()> {
    let findings = tidy::check(&Tree::read(workspace::root())?);
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| !finding.is_warning).count();
    if errors > 0 {
        bail!("{errors} rules broken");
    }
    println!("tidy");
    Ok(())
}

//! The runtime's share of flash stays within its budget.

use anyhow::{Result, ensure};
use secateur_tests::target::Bench;
use xtask::elf::Footprint;

/// Code and constants for the operators of a keyword-spotting network, with the portable kernels.
const SCALAR_BUDGET: u64 = 24 * 1024;

#[test]
fn the_portable_runtime_fits_24_kilobytes() -> Result<()> {
    let Some(bench) = Bench::find("mps2-an385", "size::the_portable_runtime_fits_24_kilobytes")? else {
        return Ok(());
    };
    let flash = |program| -> Result<u64> { Ok(Footprint::read(&bench.build(program, &[])?)?.flash()) };
    let runtime = flash("footprint")? - flash("baseline")?;
    ensure!(runtime <= SCALAR_BUDGET, "{runtime} bytes, the budget is {SCALAR_BUDGET}");
    Ok(())
}

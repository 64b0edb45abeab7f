//! Chooses the instruction set whose inner loops are compiled: `cfg(isa = "...")`.
//!
//! `dsp` where the target has the DSP extension for certain (Armv7E-M), else `scalar`. `SECATEUR_ISA` overrides this: a
//! board whose Armv8-M core has the extension sets `dsp`, a test may set `scalar`.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(isa, values(\"scalar\", \"dsp\"))");
    println!("cargo::rerun-if-env-changed=SECATEUR_ISA");
    let target = env::var("TARGET").unwrap_or_default();
    let isa = match env::var("SECATEUR_ISA") {
        Ok(isa) => isa,
        Err(_) if target.starts_with("thumbv7em") => "dsp".to_owned(),
        Err(_) => "scalar".to_owned(),
    };
    // Kernels for the vector extension do not exist yet; its cores run the portable ones.
    let isa = if isa == "mve" { "scalar".to_owned() } else { isa };
    assert!(["scalar", "dsp"].contains(&isa.as_str()), "SECATEUR_ISA={isa}: use scalar, dsp or mve");
    // Tells the assembler which architecture has the extension.
    println!("cargo::rustc-check-cfg=cfg(armv8m)");
    if target.starts_with("thumbv8m") {
        println!("cargo::rustc-cfg=armv8m");
    }
    println!("cargo::rustc-cfg=isa=\"{isa}\"");
}

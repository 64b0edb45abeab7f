//! Running on a board, with a script in the place of QEMU.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::{Ran, Workplace, example};

/// A workplace with a board `m4` and a QEMU that is this script.
fn place(script: &str) -> Workplace {
    let place = Workplace::new();
    place.convert();
    fs::create_dir_all(place.path("boards/m4")).unwrap();
    place.write("boards/m4/runner.elf", b"ELF");
    place.write(
        "boards/m4/board.toml",
        b"[memory]\nmodel = { origin = 0x10_0000, length = 0x20_0000 }\n[qemu]\nmachine = \"mps2-an386\"\n",
    );
    fs::create_dir(place.path("bin")).unwrap();
    let program = place.write("bin/qemu-system-arm", format!("#!/bin/sh\n{script}\n").as_bytes());
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    place
}

fn run(place: &Workplace, more: &[&str]) -> Ran {
    let inputs = example("int8_inputs.bin");
    let mut command =
        place.command(["run", "model.sct", "-i", &inputs, "-o", "out", "--on", "m4"].iter().chain(more));
    let path = std::env::join_paths([place.path("bin"), "/bin".into(), "/usr/bin".into()]).unwrap();
    command.env("SECATEUR_RUNNERS", place.path("boards")).env("PATH", path);
    command.output().unwrap().into()
}

#[test]
fn the_firmware_gets_model_and_input_and_gives_the_output() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let golden = example("int8_outputs.bin");
    let script = format!(
        "echo \"$@\" > {log}; cmp input.bin {inputs} && test -s model.sct && cp {golden} output.bin",
        log = log.path().display(),
        inputs = example("int8_inputs.bin")
    );
    let place = place(&script);
    let ran = run(&place, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("16 vectors on m4"), "{}", ran.stdout);
    assert_eq!(fs::read(place.path("out/output.bin")).unwrap(), fs::read(golden).unwrap());
    let arguments = fs::read_to_string(log.path()).unwrap();
    for part in [
        "-M mps2-an386",
        "-semihosting-config enable=on,target=native,arg=runner,arg=input.bin,arg=output.bin",
        "loader,file=model.sct,addr=0x100000,force-raw=on",
    ] {
        assert!(arguments.contains(part), "{arguments}");
    }
}

#[test]
fn what_every_node_gives_comes_from_a_file_of_its_own() {
    let place = place("exit 0");
    let inputs = example("int8_inputs.bin");
    place.report(["run", "model.sct", "-i", &inputs, "-o", "out", "--dump-tensors", "host", "--limit", "2"]);
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("host/index.json")).unwrap()).unwrap();
    let tensors: Vec<Vec<u8>> = index["tensors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tensor| fs::read(place.path("host").join(tensor["file"].as_str().unwrap())).unwrap())
        .collect();
    // Vector by vector, as the firmware writes them.
    let halves = tensors.iter().map(|tensor| tensor.split_at(tensor.len() / 2));
    let (first, second): (Vec<_>, Vec<_>) = halves.unzip();
    let nodes = [first.concat(), second.concat()].concat();
    let script = format!(
        "case \"$*\" in *arg=dump=nodes.bin*) cp {nodes} nodes.bin;; esac; head -c 20 {outputs} > output.bin",
        nodes = place.write("nodes.wanted", &nodes).display(),
        outputs = example("int8_outputs.bin")
    );
    place.write("bin/qemu-system-arm", format!("#!/bin/sh\n{script}\n").as_bytes());
    let ran = run(&place, &["--dump-tensors", "board", "--limit", "2"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for name in crate::names_in(&place.path("host")) {
        assert_eq!(
            fs::read(place.path("host").join(&name)).unwrap(),
            fs::read(place.path("board").join(&name)).unwrap()
        );
    }
}

#[test]
fn what_the_firmware_complains_of_is_relayed() {
    let place = place("echo 'the arena needs 70000 bytes' >&2; exit 1");
    let ran = run(&place, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("m4: the firmware ended with exit code 1"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the arena needs 70000 bytes"), "{}", ran.stderr);
    assert!(!place.path("out/output.bin").exists());
}

#[test]
fn a_firmware_that_hangs_is_stopped() {
    let place = place("exec sleep 60");
    let ran = run(&place, &["--time-limit", "1"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("m4: stopped after 1 s"), "{}", ran.stderr);
}

#[test]
fn an_output_of_another_length_is_an_error() {
    let place = place("printf abc > output.bin");
    let ran = run(&place, &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("wrote 3 bytes of output, not 160"), "{}", ran.stderr);
}

#[test]
fn unknown_boards_missing_firmware_and_missing_qemu_are_told_apart() {
    let place = place("exit 0");
    fs::remove_file(place.path("bin/qemu-system-arm")).unwrap();
    let inputs = example("int8_inputs.bin");
    let error = |board: &str, runners: &str| {
        let mut command = place.command(["run", "model.sct", "-i", &inputs, "-o", "out", "--on", board]);
        command.env("SECATEUR_RUNNERS", place.path(runners)).env("PATH", place.path("bin"));
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, Some(1));
        ran.stderr
    };
    assert!(error("m5", "boards").contains("no firmware for a board 'm5' was found; there are host, m4;"));
    assert!(error("m4", "bin").contains("cargo xtask build"));
    assert!(error("m4", "boards").contains("qemu-system-arm is not installed"));
}

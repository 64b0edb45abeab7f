//! Reads what `cargo test` prints.

/// The tests of one test binary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suite {
    /// Name and source file of the binary.
    pub name: String,
    /// Tests that passed.
    pub passed: Vec<String>,
    /// Tests that failed.
    pub failed: Vec<String>,
    /// Tests that the source marks as ignored.
    pub ignored: Vec<String>,
    /// Whether the binary came to its summary. One that did not was killed.
    pub complete: bool,
}

/// Takes cargo's messages and the binaries' output, interleaved as they were printed.
///
/// A binary without any test is left out.
#[must_use]
pub fn parse(text: &str) -> Vec<Suite> {
    let mut suites: Vec<Suite> = Vec::new();
    for line in text.lines() {
        if let Some(name) = suite_name(line.trim_start()) {
            suites.push(Suite { name, ..Suite::default() });
            continue;
        }
        let Some(suite) = suites.last_mut() else { continue };
        if line.starts_with("test result: ") {
            suite.complete = true;
        } else if let Some((test, verdict)) =
            line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
        {
            let test = test.trim_end_matches(" - should panic").to_owned();
            match verdict.split([',', ' ']).next() {
                Some("ok") => suite.passed.push(test),
                Some("FAILED") => suite.failed.push(test),
                Some("ignored") => suite.ignored.push(test),
                _ => {}
            }
        }
    }
    suites.retain(|suite| {
        let tests = suite.passed.len() + suite.failed.len() + suite.ignored.len();
        tests > 0 || !suite.complete
    });
    suites
}

/// `Running unittests src/lib.rs (target/debug/deps/xtask-0123)` is `xtask (src/lib.rs)`.
fn suite_name(line: &str) -> Option<String> {
    if let Some(package) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{package} (documentation)"));
    }
    let (source, binary) = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once(" (")?;
    let source = source.strip_prefix("unittests ").unwrap_or(source);
    let file = binary.rsplit('/').next()?;
    let (name, _hash) = file.rsplit_once('-')?;
    Some(format!("{name} ({source})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
   Compiling xtask v0.1.0
     Running unittests src/lib.rs (target/debug/deps/xtask-0123abc)

running 4 tests
test board::reads ... ok
test board::breaks ... FAILED
test slow::one ... ignored, needs hours
test index_out_of_range - should panic ... ok

failures: ...
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running unittests src/main.rs (target/debug/deps/xtask-9)

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests secateur

running 1 test
test runtime/src/lib.rs - (line 3) ... ok
";

    #[test]
    fn every_verdict_is_found_under_its_binary() {
        let suites = parse(OUTPUT);
        let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!(names, ["xtask (src/lib.rs)", "secateur (documentation)"]);
        assert_eq!(suites[0].passed, ["board::reads", "index_out_of_range"]);
        assert_eq!(suites[0].failed, ["board::breaks"]);
        assert_eq!(suites[0].ignored, ["slow::one"]);
        assert!(suites[0].complete);
    }

    #[test]
    fn a_binary_without_a_summary_is_incomplete() {
        assert!(!parse(OUTPUT)[1].complete);
        let killed = parse("     Running tests/host/main.rs (target/debug/deps/host-1)\n\nrunning 2 tests\n");
        assert_eq!((killed.len(), killed[0].complete), (1, false));
    }
}

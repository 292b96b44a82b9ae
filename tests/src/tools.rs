//! Programs of others that some tests need.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::run;
use crate::world::DEADLINE;

/// Says whether a test must do without a program, with a word to standard error. `MADANG_REQUIRE_ALL=1` makes that a failure.
///
/// # Panics
/// If the program is missing and must not be.
#[must_use]
pub fn lacks(test: &str, program: &str) -> bool {
    let runs = Command::new(program).arg("--version").output();
    if runs.is_ok_and(|output| output.status.success()) {
        return false;
    }
    skip(test, &format!("there is no {program}"))
}

/// Skips a test for a reason, with a word to standard error. `MADANG_REQUIRE_ALL=1` makes that a failure.
///
/// # Panics
/// If nothing may be skipped.
pub fn skip(test: &str, why: &str) -> bool {
    assert!(!requires_all(), "{test}: {why}");
    // Not by the macro, whose words nobody sees of a test that passes.
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{test}: skipped, {why}").unwrap();
    true
}

fn requires_all() -> bool {
    std::env::var_os("MADANG_REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// Returns a file or folder of the repository.
#[must_use]
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Says whether a test must do without what a folder's `package.json` names. With `MADANG_REQUIRE_ALL=1` it is installed, else looked for.
///
/// # Panics
/// If it can't be installed and must be.
#[must_use]
pub fn lacks_packages(test: &str, folder: &Path) -> bool {
    if folder.join("node_modules").is_dir() {
        return false;
    }
    if !requires_all() {
        return skip(test, &format!("npm ci hasn't been run in {}", folder.display()));
    }
    let installed = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .status();
    assert!(installed.is_ok_and(|status| status.success()), "{test}: npm ci fails");
    false
}

/// Compiles a TypeScript project of the examples and what it refers to; says whether a test must do without it.
///
/// # Panics
/// If it isn't typed as it should be.
pub async fn lacks_typescript(test: &str, project: &Path) -> bool {
    let client = repository("examples/clients/typescript");
    if lacks(test, "node") || lacks_packages(test, &client) {
        return true;
    }
    let compiler = client.join("node_modules/typescript/bin/tsc");
    let arguments = [compiler, "-b".into(), project.to_owned()];
    let compiled = run(Path::new("node"), &arguments, 3 * DEADLINE).await;
    let said = String::from_utf8_lossy(&compiled.stdout);
    assert!(compiled.status.success(), "{test}: {said}");
    false
}

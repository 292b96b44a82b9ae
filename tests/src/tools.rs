//! Programs of others that some tests need.

use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Skips a test for a reason.
fn skip(test: &str, why: &str) -> bool {
    assert!(!requires_all(), "{test}: {why}");
    eprintln!("{test}: skipped, {why}");
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

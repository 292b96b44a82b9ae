//! The benchmark runs through; what it measures is nobody's test.

use std::path::Path;

use madang_tests::{DEADLINE, run};
use serde_json::Value;

#[tokio::test]
async fn the_benchmark_has_a_figure_in_each_row() {
    let output = run(
        Path::new(env!("CARGO_BIN_EXE_madang-bench")),
        &["--scale", "tiny", "--json"],
        2 * DEADLINE,
    )
    .await;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "it failed: {told}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = document["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["what"].as_str().unwrap()).collect();
    for what in [
        "one message",
        "sustained",
        "return and read",
        "deposits",
        "pushes",
        "watchers",
        "first screen",
        "posts checked",
        "have a post",
        "simulated",
        "start",
        "idle",
        "disk",
        "group of 5",
        "deliveries",
        "commits of a group",
        "fork",
        "calls of",
        "subscribers",
        "file of",
        "floor",
    ] {
        assert!(
            names.iter().any(|name| name.contains(what)),
            "no row tells of {what}: {names:?}"
        );
    }
    for row in rows {
        assert!(row["ours"]["median"].is_number(), "no figure: {row}");
        assert!(
            row["floor"].is_null() || row["floor"]["values"]["median"].is_number(),
            "no floor: {row}"
        );
    }
}

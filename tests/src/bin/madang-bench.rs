//! The benchmark: `cargo run --release -p madang-tests --bin madang-bench`. It is also the nodes and relays that it starts.

fn main() -> std::process::ExitCode {
    madang_tests::bench::run()
}

//! The example program `echo-bot`, for the scenarios.

fn main() -> anyhow::Result<()> {
    madang_examples::echo_bot::run()
}

//! The program `echo-bot`; all of it is in the library, where the tests reach it too.

fn main() -> anyhow::Result<()> {
    madang_examples::echo_bot::run()
}

//! The program `madang`, with failpoints: what the scenarios start, so that they need nothing built beforehand.

fn main() -> std::process::ExitCode {
    madang::run()
}

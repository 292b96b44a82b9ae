//! The program `madang`; all of it is in the library.

fn main() -> std::process::ExitCode {
    madang::run()
}

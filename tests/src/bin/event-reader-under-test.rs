//! A subscriber with an app's token, as a process of its own that can be killed.

fn main() {
    madang_tests::event_reader();
}

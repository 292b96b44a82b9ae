#[path = "../../tests/tests/simulation.rs"]
mod simulation;

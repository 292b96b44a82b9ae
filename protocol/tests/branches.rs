//! The rule of branches (spec/chat.md, sections 8 and 9): the trees of `spec/vectors/chat_branches.json`, random ones beside a naive reading
//! of the specification, and attacks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "branches/attacks.rs"]
mod attacks;
#[path = "branches/cases.rs"]
mod cases;
#[path = "branches/naive.rs"]
mod naive;
#[path = "branches/random.rs"]
mod random;
#[path = "branches/tree.rs"]
mod tree;
#[path = "branches/trees.rs"]
mod trees;

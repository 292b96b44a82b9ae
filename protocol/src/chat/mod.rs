//! A chat as an MLS group: one state per commit, none of which depends on any server's order.

mod context;
mod group;
mod leaf;
#[cfg(test)]
mod tests;

pub use context::{ChatContext, JoinInfo, LeafIdentity};
pub use group::{Change, Group, GroupError, Header, Joined, Opened};
pub use leaf::{Member, key_package};

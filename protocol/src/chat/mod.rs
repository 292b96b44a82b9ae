//! A chat as an MLS group: one state per commit, none of which depends on any server's order.

mod context;
mod group;
#[cfg(test)]
mod tests;

pub use context::{ChatContext, JoinInfo, LeafIdentity};
pub use group::{Change, Group, GroupError, Header, Joined, Member, Opened, key_package};

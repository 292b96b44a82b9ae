//! A chat as an MLS group: one state per commit, none of which depends on any server's order.

mod commit;
mod context;
pub mod dag;
mod group;
mod leaf;
mod letter;
mod mark;
mod pointer;
mod profile;
mod rules;
mod statement;
#[cfg(test)]
mod tests;

pub use commit::{Applied, Change, Plan, package_leaf};
pub use context::{ChatContext, ChatKind, JoinInfo, LeafIdentity, Role};
pub use dag::{Dag, Target, Unfit};
pub use group::{Group, GroupError, Header, Joined, Opened, node_of};
pub use leaf::{Member, key_package};
pub use letter::{Letter, LetterContent};
pub use mark::{Mark, MarkKey, Sealed};
pub use pointer::Pointer;
pub use profile::Profile;
pub use statement::{Statement, Wish, rejoin_about};

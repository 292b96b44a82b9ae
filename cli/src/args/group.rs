//! What can be typed behind `madang group`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

/// What can be done with a group.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Make a group of contacts
    New {
        /// Its name
        name: String,
        /// Names or accounts of contacts
        members: Vec<String>,
        /// Making it again with the same key makes no other
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Show a group: members, roles, and how its state is
    Show {
        /// Chat id, the beginning of it, or its name
        chat: String,
    },
    /// List who is in it, with their devices
    Members {
        /// Chat id, the beginning of it, or its name
        chat: String,
    },
    /// Add contacts
    Add {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// Names or accounts of contacts
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Remove members
    Remove {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// Names or accounts of members
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Make a link by which others ask to be let in, as an admin
    Invite {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// Let them in at once; otherwise each waits in `madang requests`
        #[arg(long)]
        no_approval: bool,
        /// Seconds until it expires
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        expires_in_s: Option<u64>,
        /// How many it lets in
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        max_uses: Option<u32>,
    },
    /// List your open links of a group
    Invites {
        /// Chat id, the beginning of it, or its name
        chat: String,
    },
    /// Take a link back: it lets nobody in any more
    Uninvite {
        /// The link, `madang:invite?…`
        invite: String,
    },
    /// Leave it: the others are asked to remove this account
    Leave {
        /// Chat id, the beginning of it, or its name
        chat: String,
    },
    /// Give it another name
    Rename {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// The new name
        name: String,
    },
    /// Give it another picture, or none
    Picture {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// File that holds the picture, at most 8,192 bytes
        #[arg(value_hint = ValueHint::FilePath, required_unless_present = "remove")]
        file: Option<PathBuf>,
        /// Take the picture away
        #[arg(long, conflicts_with = "file")]
        remove: bool,
    },
    /// Let messages disappear
    Timer {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// After so many seconds; 0 for never
        seconds: u32,
    },
    /// Change a member's role
    Role {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// Name or account of the member
        member: String,
        /// The new role; making an owner gives your own place away
        #[arg(value_parser = ["owner", "admin", "member"])]
        role: String,
    },
}

//! What can be typed behind `madang archive`.

use clap::Subcommand;

use crate::dates;

/// What to do with imported messages.
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// List what was imported
    List,
    /// Show imported messages, the oldest first
    Read {
        /// Id, beginning of an id, or name
        archive: String,
        /// Only those that have these words
        words: Vec<String>,
        /// Only from this time on, as `2026-11-01` or `2026-11-01 18:30`, in UTC
        #[arg(long, value_name = "TIME", value_parser = dates::time)]
        at: Option<u64>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
    },
    /// Remove imported messages
    Remove {
        /// Id, beginning of an id, or name
        archive: String,
    },
}

//! What can be typed behind `madang search`.

use clap::Args;

use crate::dates;

/// Arguments of `search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words, all of which a message has; parts of Korean words are found, other words by how they begin
    #[arg(required = true)]
    pub words: Vec<String>,
    /// Only in this chat: its id, the beginning of it, or its name
    #[arg(long, value_name = "CHAT")]
    pub chat: Option<String>,
    /// Only from this contact, by name or account; `me` is yourself
    #[arg(long, value_name = "WHO")]
    pub from: Option<String>,
    /// Only from this time on, as `2026-11-01` or `2026-11-01 18:30`, in UTC
    #[arg(long, value_name = "TIME", value_parser = dates::time)]
    pub after: Option<u64>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = dates::time)]
    pub before: Option<u64>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub limit: u64,
}

//! What can be typed behind `madang config`.

use clap::Subcommand;

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// List all settings, their values, and where each comes from
    List,
    /// Show the value of a setting
    Get {
        /// The setting, as `config list` names it
        key: String,
    },
    /// Write a setting into the file
    Set {
        /// The setting, as `config list` names it
        key: String,
        /// Its value; several where it is a list
        #[arg(required = true)]
        values: Vec<String>,
    },
    /// Remove a setting from the file
    Unset {
        /// The setting, as `config list` names it
        key: String,
    },
    /// Show where the file is
    Path,
}

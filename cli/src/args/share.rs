//! What can be typed behind `madang share`, and of an app's own files.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// What can be done about shares without a node. FILE is a share, what `sign` prints, or a text with its link; `-` is standard input.
#[derive(Debug, Subcommand)]
pub enum ShareCommand {
    /// Check a share, and say which member is wrong
    Validate {
        /// The share; `-` reads standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show the card as who receives it sees it
    Preview {
        /// The share; `-` reads standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Print HTML without scripts instead of text
        #[arg(long)]
        html: bool,
    },
    /// Sign a share as an app
    Sign(SignArgs),
    /// Check the signatures, and say which app signed
    Verify {
        /// The share; `-` reads standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Make a share of a default template of KakaoTalk Share
    FromKakao {
        /// The template as JSON; `-` reads standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The page that says the same, where the template links to none
        #[arg(long, value_name = "URL")]
        page: Option<String>,
    },
}

/// Arguments of `share sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The share; `-` reads standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The app's directory, which `app new` made
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub app: PathBuf,
    /// Seconds until it ends, at most a year [default: as the share says, or 30 days]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=31_622_400))]
    pub expires_in_s: Option<u64>,
    /// Two shares with one key are one [default: as the share says, or made of what it says]
    #[arg(long)]
    pub key: Option<String>,
    /// Print the link that holds it instead of JSON
    #[arg(long)]
    pub link: bool,
}

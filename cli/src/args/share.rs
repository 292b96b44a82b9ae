//! What can be typed behind `madang share`, and of an app's own files.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// What can be done about shares.
#[derive(Debug, Subcommand)]
pub enum ShareCommand {
    /// Without a node.
    #[command(flatten)]
    File(FileCommand),
    /// With one.
    #[command(flatten)]
    Card(CardCommand),
}

/// What can be done about shares without a node. FILE is a share, what `sign` prints, or a text with its link; `-` is standard input.
#[derive(Debug, Subcommand)]
pub enum FileCommand {
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

/// What can be done about shares with a node.
#[derive(Debug, Subcommand)]
pub enum CardCommand {
    /// Print an address that lets a browser of this machine in, so that pages and apps can offer cards there
    Browser,
    /// Send a card to chats
    Send {
        /// The share; `-` reads standard input
        #[arg(value_hint = ValueHint::FilePath, required_unless_present = "message")]
        file: Option<PathBuf>,
        /// Send on the card of this message instead: its id or the beginning of it
        #[arg(long, value_name = "MESSAGE", conflicts_with = "file")]
        message: Option<String>,
        /// Chat to send it to, at most ten; can be repeated
        #[arg(long = "to", value_name = "CHAT", required = true)]
        to: Vec<String>,
        /// Key under which the same card is sent only once [default: a new one each time]
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Print a card of what a page says of itself, for `share pick -` or `share send -`; the page sees your address
    Scrape {
        /// The page, `https://…`
        url: String,
    },
    /// Offer a card as an app does, and wait until the user has chosen in the picker
    Pick {
        /// The share; `-` reads standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// List cards that wait for you
    Picks,
    /// Send a card that waits
    Confirm {
        /// Its id, or the beginning of it
        pick: String,
        /// Chat to send it to, at most ten; can be repeated
        #[arg(long = "to", value_name = "CHAT", required = true)]
        to: Vec<String>,
    },
    /// Open a card that came: hand it to its app at this node, or say where it leads
    Open {
        /// The message: its id or the beginning of it
        message: String,
        /// Button to press, counted from 1; without it the card itself
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
        button: Option<u8>,
        /// Let who shared it know
        #[arg(long)]
        tell: bool,
    },
    /// Ask the domains that the app of a card names whether they vouch for it; they see your address
    Prove {
        /// The message: its id or the beginning of it
        message: String,
    },
    /// Hand back what a button of a card says to the app that shared it
    Reply {
        /// The message: its id or the beginning of it
        message: String,
        /// Button to press, counted from 1
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
        button: u8,
    },
    /// List answers of apps that wait for you
    Replies,
    /// Send an answer that waits
    ConfirmReply {
        /// Its id, or the beginning of it
        reply: String,
    },
    /// Drop an answer that waits
    DeclineReply {
        /// Its id, or the beginning of it
        reply: String,
    },
    /// Drop a card that waits
    Decline {
        /// Its id, or the beginning of it
        pick: String,
    },
}

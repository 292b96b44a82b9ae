//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, ValueHint};

use crate::dates;

mod app;
mod archive;
mod channel;
mod config;
mod group;
mod rpc;
mod run;
mod search;
mod share;
mod terms;

pub use app::{AppCommand, WebhookCommand};
pub use archive::ArchiveCommand;
pub use channel::{ChannelCommand, ChannelRelaysCommand, ManifestArgs, PostArgs, WriterCommand};
pub use config::ConfigCommand;
pub use group::GroupCommand;
pub use rpc::{EventsArgs, RpcArgs};
pub use run::{AdmissionArg, MAX_MIB, RelayArgs, RelayTool, ReportsTool, TokenTool, UpArgs};
pub use search::SearchArgs;
pub use share::{CardCommand, FileCommand, ShareCommand, SignArgs};
pub use terms::{TermsArgs, flags};

/// What an id, a message and the exit codes are, printed below the top command's help and in its man page.
pub const AFTER_HELP: &str = "\
CHAT and REQUEST are an id, the beginning of one (at least 4 digits), or a name; each must fit only one.
MESSAGE is an id or the beginning of one, which `read --ids` shows.

Exit codes:
  0  done
  1  failed
  2  the command line is wrong
  3  no node is running for the data directory
  4  not found, or the name or prefix fits several
  5  refused by the node, whose error code is shown
  6  the data directory is locked, newer than this program, or can't be opened
  7  the configuration file or a MADANG_… variable holds what can't be used";

/// What the options of all commands stand below.
const EVERYWHERE: &str = "Options of all commands";

/// A peer-to-peer messenger: nobody in the middle.
#[derive(Debug, Parser)]
#[command(name = "madang", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// Data directory [default: `madang` (relays: `madang-relay`) in the platform's data directory]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
    /// Print JSON: one document, or one on each line where output goes on
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Configuration file [default: `madang/config.toml` in the platform's configuration directory]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Language of what is printed for people: en or ko [default: the locale's]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, hide_possible_values = true, value_name = "LANGUAGE")]
    pub lang: Option<LanguageArg>,
    /// Whether to colour what is printed for people: auto, always or never [default: auto]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, hide_possible_values = true, value_name = "WHEN", alias = "color")]
    pub colour: Option<ColourArg>,
    /// Ask the node as the app whose token is the first line of this file, instead of as its owner
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LanguageArg {
    /// English
    En,
    /// 한국어
    Ko,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColourArg {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a personal node until Ctrl-C; creates the account if the data directory is empty
    Up(UpArgs),
    /// Run a relay until Ctrl-C; prints the addresses that `madang up --relay` takes. See also `relay token`, `relay reports` and `relay doctor`
    Relay(RelayArgs),
    /// Play the whole story on this machine: a relay, two people, an absence, a kill
    Demo,
    /// Show the account and the device
    Whoami,
    /// Show the node: version, addresses, relays, how long it runs
    Info,
    /// Show the 24 words from which the account can be restored
    Phrase {
        /// You wrote the words down: erase the root key from this device
        #[arg(long)]
        confirm: bool,
    },
    /// Make an invite to give to a person
    Invite {
        /// More than one person may use it
        #[arg(long)]
        multi_use: bool,
        /// Seconds until it expires
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        expires_in_s: Option<u64>,
        /// Draw it as a QR code too
        #[arg(long)]
        qr: bool,
    },
    /// Accept an invite: asks its maker for contact, or to be let into the group that it is for
    Accept {
        /// The invite, `madang:invite?…`
        invite: String,
        /// Ask as another account, made for this chat alone; the other learns nothing of yours. NAME is what it calls itself
        #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
        alias: Option<String>,
    },
    /// List the people who ask for contact, or to be let into a group
    Requests,
    /// Approve a request
    Approve {
        /// Its id, the beginning of it, or the asker's name
        request: String,
    },
    /// Decline a request; whoever asked isn't told
    Decline {
        /// Its id, the beginning of it, or the asker's name
        request: String,
    },
    /// List contacts
    Contacts,
    /// List chats
    Chats,
    /// Show what is missing of a chat, and what is known of it
    Gaps {
        /// Id, beginning of an id, or name
        chat: String,
    },
    /// Make a group of contacts, and change it
    Group {
        /// What to do
        #[command(subcommand)]
        action: GroupCommand,
    },
    /// Channels of brands: follow them, or publish one
    Channel {
        /// What to do
        #[command(subcommand)]
        action: Box<ChannelCommand>,
    },
    /// Apps and their tokens: who asks, what they may do, how it ends
    App {
        /// What to do
        #[command(subcommand)]
        action: AppCommand,
    },
    /// Cards of apps and pages: made and checked without a node, sent with one
    Share {
        /// What to do
        #[command(subcommand)]
        action: ShareCommand,
    },
    /// Send a text, files, or both
    Send {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// The text
        #[arg(allow_hyphen_values = true, required_unless_present = "files")]
        text: Option<String>,
        /// A file to send; can be repeated. Images and voice notes are told by their ending
        #[arg(long = "file", value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with_all = ["reply", "mention"])]
        files: Vec<PathBuf>,
        /// Send images and sounds as plain files, as they are
        #[arg(long, requires = "files")]
        as_files: bool,
        /// Send where and when images were taken as well, which is removed otherwise
        #[arg(long, requires = "files")]
        keep_metadata: bool,
        /// Message of the chat that it answers: its id or the beginning of it
        #[arg(long, value_name = "MESSAGE")]
        reply: Option<String>,
        /// Member of the chat whom the text names as `@WHO`, by name or account; can be repeated
        #[arg(long, value_name = "WHO")]
        mention: Vec<String>,
        /// Sending again with the same key sends nothing new
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Send a question with options to choose from
    Poll {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// The question
        question: String,
        /// What can be chosen, at least two
        #[arg(required = true, num_args = 2..=12)]
        options: Vec<String>,
        /// One may choose several
        #[arg(long)]
        multiple: bool,
        /// Sending again with the same key sends nothing new
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Answer a poll
    Vote {
        /// The poll's message: its id or the beginning of it
        message: String,
        /// Numbers of the chosen options, from 1; without any the vote is taken back
        #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=12))]
        choices: Vec<u8>,
    },
    /// Change the text of a message of yours
    Edit {
        /// The message: its id or the beginning of it
        message: String,
        /// What it says from now on
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Member of the chat whom the text names as `@WHO`, by name or account; can be repeated
        #[arg(long, value_name = "WHO")]
        mention: Vec<String>,
    },
    /// Take back a message of yours
    Delete {
        /// The message: its id or the beginning of it
        message: String,
    },
    /// Leave an emoji at a message
    React {
        /// The message: its id or the beginning of it
        message: String,
        /// The emoji
        emoji: String,
        /// Take it back
        #[arg(long)]
        remove: bool,
    },
    /// Keep a message in sight for all of its chat; in a group as an admin
    Pin {
        /// The message: its id or the beginning of it
        message: String,
    },
    /// Keep a message in sight no longer; in a group as an admin
    Unpin {
        /// The message: its id or the beginning of it
        message: String,
    },
    /// Show the messages that are kept in sight in a chat
    Pins {
        /// Chat id, the beginning of it, or its name
        chat: String,
    },
    /// Tell the members who are connected that you type
    Typing {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// You have stopped
        #[arg(long)]
        stop: bool,
    },
    /// Show a chat's newest messages and mark them read
    Read {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// How many at most [default: all unread ones, at least 20]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: Option<u64>,
        /// Instead show those from this time on, as `2026-11-01` or `2026-11-01 18:30`, in UTC; none is marked read
        #[arg(long, value_name = "TIME", value_parser = dates::time)]
        at: Option<u64>,
        /// Don't mark them read
        #[arg(long)]
        keep_unread: bool,
        /// Show the beginning of each message's id
        #[arg(long)]
        ids: bool,
    },
    /// Find messages by words, the newest last
    Search(SearchArgs),
    /// Write a chat into a directory: `messages.json` for programs, `index.html` for people
    Export {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// The directory, which must not be there yet [default: `NAME-export`]
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: Option<PathBuf>,
    },
    /// Keep an exported chat as an archive, to read and search in
    Import {
        /// What `export` wrote: the directory, or its `messages.json`
        #[arg(value_hint = ValueHint::AnyPath)]
        path: PathBuf,
    },
    /// Look at imported chats
    Archive {
        /// What to do
        #[command(subcommand)]
        action: ArchiveCommand,
    },
    /// Show one message: what it says, and who has it
    Message {
        /// The message: its id or the beginning of it
        message: String,
    },
    /// Fetch the files of a message and save them; nothing is overwritten
    Save {
        /// The message: its id or the beginning of it
        message: String,
        /// Directory, or path of the new file [default: the current directory, under the sender's name made harmless]
        #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        to: Option<PathBuf>,
    },
    /// Mark messages of a chat read without showing them
    MarkRead {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// Up to this message: its id or the beginning of it [default: the newest]
        #[arg(long, value_name = "MESSAGE")]
        through: Option<String>,
    },
    /// Show events as they happen, until Ctrl-C
    #[command(visible_alias = "tail")]
    Events(EventsArgs),
    /// Acknowledge events, so that `events --after ack` goes on behind them
    Ack {
        /// The cursor of the last event that was dealt with
        cursor: String,
        /// The epoch that came with that cursor, by which a log that goes on from an older copy is noticed
        #[arg(long, value_name = "EPOCH")]
        epoch: Option<String>,
    },
    /// Call any method of the node's JSON-RPC and print its result
    Rpc(RpcArgs),
    /// Show what was kept as proof of what relays did against their word
    Evidence {
        /// About this relay only: its public key in hex
        #[arg(long, value_name = "KEY")]
        relay: Option<String>,
    },
    /// Check the node and say which path each chat takes
    Doctor,
    /// Look at settings and change them in the configuration file
    Config {
        /// What to do
        #[command(subcommand)]
        action: ConfigCommand,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages of all commands into a directory
    Man {
        /// The directory; made if it is absent
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("madang").chain(line.split(' ')))
    }

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn data_and_json_are_taken_before_and_behind_the_command() {
        for line in ["--data d --json chats", "chats --data d --json"] {
            let cli = parse(line).unwrap();
            assert!(cli.json);
            assert_eq!(cli.data, Some(PathBuf::from("d")));
        }
    }

    #[test]
    fn what_up_is_not_told_is_left_to_the_settings() {
        let Command::Up(args) = parse("up --relay /a --relay /b").unwrap().command else {
            panic!("another command");
        };
        assert_eq!(args.rpc, None);
        assert_eq!(args.relay, ["/a", "/b"]);
        assert_eq!(args.listen, Vec::<String>::new());
    }

    #[test]
    fn a_relay_runs_or_does_something_else() {
        let Command::Relay(args) = parse("relay --admission token --quota-total-mib 5").unwrap().command else {
            panic!("another command");
        };
        assert_eq!((args.admission, args.quota_total_mib), (AdmissionArg::Token, Some(5)));
        assert!(args.tool.is_none());
        let Command::Relay(args) = parse("relay token new --label bob --data d").unwrap().command else {
            panic!("another command");
        };
        assert!(matches!(args.tool, Some(RelayTool::Token(TokenTool::New { label })) if label == "bob"));
        for line in [
            "relay --admission list",
            "relay --admission friends",
            "relay --quota-total-mib 0",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn a_text_may_begin_with_a_hyphen() {
        for (line, wanted) in [("send alice -1", "-1"), ("send alice -- --json", "--json")] {
            let Command::Send { text, .. } = parse(line).unwrap().command else {
                panic!("another command");
            };
            assert_eq!(text.as_deref(), Some(wanted));
        }
    }

    #[test]
    fn misuse_has_exit_code_two() {
        for line in [
            "",
            "send alice",
            "read alice --limit 0",
            "invite --expires-in-s 0",
            "nonsense",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn help_documents_each_exit_code() {
        let help = Cli::command().render_long_help().to_string();
        for code in 0..=7 {
            assert!(help.contains(&format!("\n  {code}  ")), "{code}");
        }
    }
}

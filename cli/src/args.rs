//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Exit codes and places, printed below the top command's help.
const AFTER_HELP: &str = "\
CHAT and REQUEST are an id, the beginning of one (at least 4 digits), or a name; each must fit only one.
MESSAGE is an id or the beginning of one, which `read --ids` shows.

Exit codes:
  0  done
  1  failed
  2  the command line is wrong
  3  no node is running for the data directory
  4  not found, or the name or prefix fits several
  5  refused by the node, whose error code is shown
  6  the data directory is locked, newer than this program, or can't be opened";

/// The greatest quota: a pebibyte, far below what would overflow in bytes.
const MAX_MIB: u64 = 1 << 30;

/// A peer-to-peer messenger: nobody in the middle.
#[derive(Debug, Parser)]
#[command(name = "madang", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// Data directory [default: `madang` (relays: `madang-relay`) in the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print JSON: one document, or one on each line where output goes on
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a personal node until Ctrl-C; creates the account if the data directory is empty
    Up(UpArgs),
    /// Run a relay until Ctrl-C; prints the addresses that `madang up --relay` takes. See also `relay token` and `relay doctor`
    Relay(RelayArgs),
    /// Play the whole story on this machine: a relay, two people, an absence, a kill
    Demo,
    /// Show the account and the device
    Whoami,
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
    },
    /// Accept an invite: asks its maker for contact, or to be let into the group that it is for
    Accept {
        /// The invite, `madang:invite?…`
        invite: String,
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
    /// Apps and their tokens: who asks, what they may do, how it ends
    App {
        /// What to do
        #[command(subcommand)]
        action: AppCommand,
    },
    /// Send a text
    Send {
        /// Chat id, the beginning of it, or its name
        chat: String,
        /// The text
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Message of the chat that it answers: its id or the beginning of it
        #[arg(long, value_name = "MESSAGE")]
        reply: Option<String>,
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
        /// Don't mark them read
        #[arg(long)]
        keep_unread: bool,
        /// Show the beginning of each message's id
        #[arg(long)]
        ids: bool,
    },
    /// Show events as they happen, until Ctrl-C
    Tail {
        /// Begin behind this cursor; 0 is the start [default: now]
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Bridge the node's JSON-RPC to a program that starts this one
    Rpc {
        /// A message on each line of standard input and output, until standard input ends
        #[arg(long, required = true)]
        stdio: bool,
        /// File that holds an app's token [default: the owner's own]
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// Show what was kept as proof of what relays did against their word
    Evidence {
        /// About this relay only: its public key in hex
        #[arg(long, value_name = "KEY")]
        relay: Option<String>,
    },
    /// Check the node and say which path each chat takes
    Doctor,
}

/// What can be done about apps.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// List apps, and those that ask to be let in
    List,
    /// Let an app in that asks
    Approve {
        /// Its id, the beginning of it, or its name
        app: String,
        /// Allow only this of what it asks for; can be repeated
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Seconds until its token ends
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        expires_in_s: Option<u64>,
    },
    /// End an app's token and those that it made, or turn away an app that asks
    Revoke {
        /// Its id, the beginning of it, or its name
        app: String,
    },
    /// Make a token for a program of yours; it is shown once
    Token {
        /// What it is called
        name: String,
        /// What it may do, as `chat:read`, `chat:ID:send` or `method:message.list`; can be repeated
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// Seconds until it ends
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        expires_in_s: Option<u64>,
    },
}

/// What can be done with a group.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Make a group of contacts
    New {
        /// Its name
        name: String,
        /// Names or accounts of contacts
        members: Vec<String>,
    },
    /// Show a group: members, roles, and how its state is
    Show {
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

/// Arguments of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Where the JSON-RPC listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub rpc: SocketAddr,
    /// Where the JSON-RPC listens for TLS as well, for use from other machines
    #[arg(long, value_name = "ADDR", requires_all = ["rpc_tls_cert", "rpc_tls_key"])]
    pub rpc_tls: Option<SocketAddr>,
    /// File with its certificate chain, in PEM
    #[arg(long, value_name = "FILE", requires = "rpc_tls")]
    pub rpc_tls_cert: Option<PathBuf>,
    /// File with the certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "rpc_tls")]
    pub rpc_tls_key: Option<PathBuf>,
    /// Name under which other machines reach the JSON-RPC; can be repeated
    #[arg(long, value_name = "NAME")]
    pub rpc_host: Vec<String>,
    /// Multiaddr to listen on; can be repeated
    #[arg(long, value_name = "MULTIADDR")]
    pub listen: Vec<String>,
    /// Relay that holds messages for you, ending in `/p2p/…`; can be repeated
    #[arg(long, value_name = "MULTIADDR")]
    pub relay: Vec<String>,
    /// Token that the relay's operator gave you, or KEY=TOKEN with the key after `/p2p/` if there are several relays; it is remembered
    #[arg(long, value_name = "TOKEN", requires = "relay")]
    pub relay_token: Vec<String>,
    /// Name that contacts see
    #[arg(long)]
    pub name: Option<String>,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// Arguments of `relay`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RelayArgs {
    /// What to do instead of running one.
    #[command(subcommand)]
    pub tool: Option<RelayTool>,
    /// Whom the relay serves; others may only use topics that one of these uses
    #[arg(long, value_enum, default_value_t = AdmissionArg::Open)]
    pub admission: AdmissionArg,
    /// With `--admission list`: a file of transport keys, one a line, in hex or as an address that ends in `/p2p/…`
    #[arg(long, value_name = "FILE", required_if_eq("admission", "list"))]
    pub admission_list: Option<PathBuf>,
    /// MiB that all messages together may take [default: 16384]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub quota_total_mib: Option<u64>,
    /// MiB that the messages of one topic may take [default: 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub quota_topic_mib: Option<u64>,
    /// MiB that one peer may deposit in a day [default: 512]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub quota_depositor_mib: Option<u64>,
    /// Multiaddr to listen on; can be repeated
    #[arg(long, value_name = "MULTIADDR")]
    pub listen: Vec<String>,
    /// Another relay, `/…/p2p/…`, with which to compare and copy what both keep; can be repeated
    #[arg(long, value_name = "MULTIADDR")]
    pub peer: Vec<String>,
    /// Where to serve metrics and health [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// Whom a relay serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AdmissionArg {
    /// Everybody
    Open,
    /// Whoever names a token made by `madang relay token new`
    Token,
    /// The transport keys in the file of `--admission-list`
    List,
}

/// What `relay` can do beside running one.
#[derive(Debug, Subcommand)]
pub enum RelayTool {
    /// Tokens for `--admission token`; a running relay notices changes within seconds
    #[command(subcommand)]
    Token(TokenTool),
    /// Look at the relay of the data directory: disk, clock, addresses, quotas, flushes; exit code 1 if a check failed
    Doctor {
        /// Where it serves metrics, `http://HOST:PORT` [default: as the running relay says]
        #[arg(long, value_name = "URL")]
        metrics: Option<String>,
    },
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenTool {
    /// Make a token; it is shown once
    New {
        /// A name to know it by
        #[arg(long, default_value = "")]
        label: String,
    },
    /// List the tokens
    List,
    /// Revoke a token: who came with it is no longer admitted
    Revoke {
        /// Its id, as `list` shows it
        id: String,
    },
}

/// Where the store's passphrase is.
#[derive(Debug, Args)]
pub struct PassphraseArgs {
    /// File whose first line is the passphrase that seals the data directory
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
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
    fn up_defaults_to_a_free_loopback_port() {
        let Command::Up(args) = parse("up --relay /a --relay /b").unwrap().command else {
            panic!("another command");
        };
        assert_eq!(args.rpc.to_string(), "127.0.0.1:0");
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
            assert_eq!(text, wanted);
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
        for code in 0..=6 {
            assert!(help.contains(&format!("\n  {code}  ")), "{code}");
        }
    }
}

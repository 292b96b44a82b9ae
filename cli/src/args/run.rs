//! What can be typed behind `madang up` and `madang relay`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

/// The greatest quota: a pebibyte, far below what would overflow in bytes.
pub const MAX_MIB: u64 = 1 << 30;

/// Arguments of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Where the JSON-RPC listens; port 0 takes a free one [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDR")]
    pub rpc: Option<SocketAddr>,
    /// Where the JSON-RPC listens for TLS as well, for use from other machines
    #[arg(long, value_name = "ADDR")]
    pub rpc_tls: Option<SocketAddr>,
    /// File with its certificate chain, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub rpc_tls_cert: Option<PathBuf>,
    /// File with the certificate's private key, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
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
    #[arg(long, value_name = "TOKEN")]
    pub relay_token: Vec<String>,
    /// MiB that files may take, own and fetched ones [default: 8192]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub files_mib: Option<u64>,
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
    /// Whom the relay serves: `open` everybody, `token` who has one of `relay token new`, `list` the keys of --admission-list; others may only use topics that one of these uses
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = AdmissionArg::Open)]
    pub admission: AdmissionArg,
    /// With `--admission list`: a file of transport keys, one a line, in hex or as an address that ends in `/p2p/…`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_if_eq("admission", "list"))]
    pub admission_list: Option<PathBuf>,
    /// MiB that all messages and files together may take [default: 16384]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub quota_total_mib: Option<u64>,
    /// MiB that the messages of one topic may take [default: 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub quota_topic_mib: Option<u64>,
    /// MiB that the files of one topic may take [default: 4096]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub quota_topic_files_mib: Option<u64>,
    /// MiB that one peer may deposit in a day [default: 4096]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MIB))]
    pub quota_depositor_mib: Option<u64>,
    /// Multiaddr to listen on; can be repeated
    #[arg(long, value_name = "MULTIADDR")]
    pub listen: Vec<String>,
    /// Another relay, `/…/p2p/…`, with which to compare and copy what both keep; can be repeated
    #[arg(long, value_name = "MULTIADDR")]
    pub peer: Vec<String>,
    /// Keep no public directory: no channel can be found at this relay
    #[arg(long)]
    pub no_directory: bool,
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
    /// What was reported of channels' posts
    #[command(subcommand)]
    Reports(ReportsTool),
    /// Look at the relay of the data directory: disk, clock, addresses, quotas, flushes; exit code 1 if a check failed
    Doctor {
        /// Where it serves metrics, `http://HOST:PORT` [default: as the running relay says]
        #[arg(long, value_name = "URL")]
        metrics: Option<String>,
    },
}

/// What can be done with reports.
#[derive(Debug, Subcommand)]
pub enum ReportsTool {
    /// List posts that were reported, what most reported first
    List,
    /// Show what was reported of a post
    Show {
        /// The post's id, or the beginning of it, as `list` shows it
        post: String,
        /// Write its signed envelopes into this folder, for `madang channel verify`
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: Option<PathBuf>,
    },
    /// Dismiss what was reported of a post; who reports it again is listened to
    Dismiss {
        /// The post's id, or the beginning of it, as `list` shows it
        post: String,
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
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
}

//! What can be typed behind `madang app`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

/// What can be done about apps.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// List apps, and those that ask to be let in
    List,
    /// Make an app of yours whose shares are signed: a directory with its key and a manifest to edit
    New {
        /// The directory
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// What the app calls itself
        #[arg(long)]
        name: String,
    },
    /// Print what a domain publishes so that the app is shown as its own
    Vouch {
        /// The app's directory, which `app new` made
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// The domain, which the manifest names
        domain: String,
    },
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
    /// Have events posted to a URL
    Webhook {
        /// What to do
        #[command(subcommand)]
        action: WebhookCommand,
    },
    /// Ask to be let in, as an app does; the token is shown once and works when the user has approved
    Request {
        /// What the app calls itself
        name: String,
        /// What it wants to be allowed, as `chat:read`; can be repeated
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// The page that it is, as `https://shop.example`
        #[arg(long)]
        origin: Option<String>,
        /// File that holds a small picture, at most 8,192 bytes
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        icon: Option<PathBuf>,
    },
    /// Show the app whose token `--token-file` names, and what it may do
    #[command(name = "self")]
    Itself,
}

/// What can be done about webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// List webhooks, and how posting to them goes
    List,
    /// Have events posted; prints the secret that posts are signed with, once
    Set {
        /// `https://…`, or `http://` to this machine
        url: String,
        /// App whose token says which events: its id, the beginning of it, or its name [default: you, so all events]
        #[arg(long)]
        app: Option<String>,
        /// Only events of this kind, as `message.received`; can be repeated
        #[arg(long = "kind", value_name = "KIND")]
        kinds: Vec<String>,
        /// Begin behind this cursor; `0` is the start [default: now, or where the webhook was that this one replaces]
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// End a webhook
    Remove {
        /// App whose webhook it is [default: yours]
        #[arg(long)]
        app: Option<String>,
    },
}

//! What can be typed behind `madang channel`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::TermsArgs;
use crate::dates;

/// What can be done with a channel.
#[derive(Debug, Subcommand)]
pub enum ChannelCommand {
    /// Make a channel, kept at your relays, and print its link
    New {
        /// What it calls itself
        name: String,
        /// What else it says of itself
        #[command(flatten)]
        says: ManifestArgs,
        /// Making it again with the same key makes no other
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Change what a channel of yours says of itself
    Change {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        /// What else it says of itself
        #[command(flatten)]
        says: ManifestArgs,
    },
    /// List the channels that you follow, have or blocked
    List,
    /// Show a channel: what it says of itself, and what is missing of it
    Show {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Print the link by which others follow a channel
    Link {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Draw it as a QR code too
        #[arg(long)]
        qr: bool,
    },
    /// Where a channel is kept
    Relays {
        /// What to do
        #[command(subcommand)]
        action: ChannelRelaysCommand,
    },
    /// Put a channel of yours into the public directories of its relays, where anybody finds it
    Enlist {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Only at this relay, by its key in hex; can be repeated
        #[arg(long = "at", value_name = "RELAY", conflicts_with = "off")]
        relays: Vec<String>,
        /// Take it out of all
        #[arg(long)]
        off: bool,
    },
    /// Look for channels in the public directories of relays; a relay sees what you look for
    Search {
        /// Words, all of which name or description have [default: all channels]
        #[arg(default_value = "", hide_default_value = true)]
        query: String,
        /// Only of this category
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        category: String,
        /// Only at this relay, by its key in hex
        #[arg(long, value_name = "RELAY")]
        relay: Option<String>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
    },
    /// Pass a channel on into chats: whoever is there can follow it in one step
    Share {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Into this chat; may be given several times
        #[arg(long, value_name = "CHAT", required = true)]
        to: Vec<String>,
    },
    /// Follow a channel
    Follow {
        /// Its link, `madang:channel?…`, or the message that brought it
        link: String,
        /// By whom its posts come
        #[arg(long, value_enum, default_value_t)]
        via: Via,
    },
    /// Say by whom a channel's posts come: by its relays, or by followers too
    Via {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// With followers this node passes on what it hears, and others learn that it follows
        #[arg(value_enum)]
        via: Via,
    },
    /// Follow a channel no longer, and forget what is here of it
    Unfollow {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Be told of a channel's new posts no longer
    Mute {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Be told again
        #[arg(long)]
        off: bool,
    },
    /// Have nothing to do with a channel any more
    Block {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Allow it again
        #[arg(long)]
        off: bool,
    },
    /// Report a post to the operators of the channel's relays; they see nothing of who you are but the connection
    Report {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: String,
        /// Why: spam, fraud, hate, violence, sexual, children, impersonation, rights or other
        #[arg(long, value_enum, hide_possible_values = true)]
        reason: ReasonArg,
        /// What you want to say about it to the operators
        #[arg(long, default_value = "", hide_default_value = true)]
        text: String,
        /// Block the channel too
        #[arg(long)]
        block: bool,
    },
    /// Post on a channel of yours: a text, files, a card
    Post(PostArgs),
    /// List posts of a channel of yours that are to be published later
    Plans {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Drop a post that is to be published later
    Unplan {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Its id, or the beginning of it, which `channel plans` shows
        post: String,
    },
    /// Give a post another text
    Edit {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: String,
        /// What it says from now on
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Take a post back
    Retract {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: String,
        /// Why, for people
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Show a channel's newest posts and mark them seen
    Read {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
        /// Don't mark them seen
        #[arg(long)]
        keep_unread: bool,
        /// Show the beginning of each post's id
        #[arg(long)]
        ids: bool,
    },
    /// Fetch the files of a post and save them; nothing is overwritten
    Save {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: String,
        /// Directory, or path of the new file [default: the current directory, under the sender's name made harmless]
        #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        to: Option<PathBuf>,
    },
    /// Write the event of a post as a calendar file (iCalendar); nothing is overwritten
    Calendar {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: String,
        /// Path of the new file, such as `reading.ics`
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        to: PathBuf,
    },
    /// Say what you want of a channel and when, or show it; only your node knows
    Terms(TermsArgs),
    /// Show the posts that were held back, and hold them back no longer
    Digest {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Answer a poll of a channel; only the channel can read the answer, and learns nothing of who gave it
    Vote {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: String,
        /// Numbers of the chosen options, from 1; without any the answer is taken back
        #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=12))]
        choices: Vec<u8>,
    },
    /// Show figures of a channel of yours that name nobody: who watches it at its relays, to how many these have handed a post, polls
    Figures {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: Option<String>,
    },
    /// Tell followers what a poll of yours has come to so far
    PublishResult {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The post's id, or the beginning of it, which `channel read --ids` shows
        post: String,
    },
    /// Write to whoever has a channel, one to one and end-to-end encrypted
    Write {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// What to say
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Ask as another account, made for this chat alone; the other learns nothing of yours. NAME is what it calls itself
        #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
        alias: Option<String>,
    },
    /// Who may write on a channel beside its root
    Writer {
        /// What to do
        #[command(subcommand)]
        action: WriterCommand,
    },
    /// Make a key that takes a channel of yours back, to be kept apart
    RecoveryKey {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Take a channel back with its recovery key
    Recover {
        /// The key, `madang:recovery?…`
        key: String,
    },
    /// Print the file by which the domain of a channel of yours vouches for it
    Vouch {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Ask the domain that a channel names whether it vouches for it; the domain sees your address
    Prove {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Show what was kept as proof that a channel contradicts itself
    Evidence {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Write each piece to a file of this directory, for `channel verify` anywhere
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: Option<PathBuf>,
    },
    /// Check evidence against a channel, whoever gave it
    Verify {
        /// The file that `channel evidence --to` wrote
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// What can be done about the relays of a channel.
#[derive(Debug, Subcommand)]
pub enum ChannelRelaysCommand {
    /// List the relays that keep a channel
    List {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Keep a channel of yours at further relays, which are handed its newest posts
    Add {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// Multiaddr ending in /p2p/…, which the relay prints
        #[arg(required = true)]
        addresses: Vec<String>,
    },
    /// Keep a channel of yours at a relay no longer; who follows goes on at the others
    Remove {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The relay's key in hex, which `channel relays list` shows, or the beginning of it
        #[arg(required = true)]
        relays: Vec<String>,
    },
}

/// What can be done about a channel's writers.
#[derive(Debug, Subcommand)]
pub enum WriterCommand {
    /// Print your key to write on a channel with, for its root to certify
    Key {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Let a key write on a channel of yours, and print its certificate
    Add {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The key, as its holder's `channel writer key` prints it
        key: String,
        /// What for; can be repeated
        #[arg(long = "scope", value_name = "SCOPE", value_parser = ["publish", "edit", "coupons", "stats", "root"], default_value = "publish")]
        scopes: Vec<String>,
        /// Only in this category; can be repeated
        #[arg(long = "category", value_name = "ID")]
        categories: Vec<String>,
        /// For so many days
        #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=36_500))]
        days: u64,
    },
    /// Use a certificate that a channel's root gave you
    Use {
        /// The certificate, `madang:writer?…`
        certificate: String,
    },
    /// List who may write on a channel of yours
    List {
        /// Channel id, the beginning of it, or its name
        channel: String,
    },
    /// Let a key write no longer on a channel of yours
    Remove {
        /// Channel id, the beginning of it, or its name
        channel: String,
        /// The key, which `channel writer list` shows
        key: String,
    },
}

/// What a channel says of itself.
#[derive(Debug, Args)]
pub struct ManifestArgs {
    /// Description for people
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Category that posts can be of; can be repeated
    #[arg(long = "category", value_name = "ID=NAME")]
    pub categories: Vec<String>,
    /// Address to show; can be repeated
    #[arg(long = "web", value_name = "LABEL=URL")]
    pub links: Vec<String>,
    /// Domain that it belongs to
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Posts a day that it promises at most; 0 for no promise
    #[arg(long, value_name = "N")]
    pub posts_per_day: Option<u16>,
    /// What its advertising is labelled with
    #[arg(long, value_name = "TEXT")]
    pub advertising_label: Option<String>,
    /// Invite link by which followers write back
    #[arg(long, value_name = "INVITE")]
    pub inbox: Option<String>,
}

/// What is posted.
#[derive(Debug, Args)]
pub struct PostArgs {
    /// Channel id, the beginning of it, or its name
    pub channel: String,
    /// The text
    #[arg(allow_hyphen_values = true, required_unless_present_any = ["files", "card", "body"])]
    pub text: Option<String>,
    /// A file to show; can be repeated
    #[arg(long = "file", value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with_all = ["card", "body"])]
    pub files: Vec<PathBuf>,
    /// Show a card with this title
    #[arg(long, value_name = "TITLE", conflicts_with = "body")]
    pub card: Option<String>,
    /// Picture of the card: JPEG, PNG, WebP or GIF
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, requires = "card")]
    pub picture: Option<PathBuf>,
    /// Button of the card; can be repeated
    #[arg(long = "button", value_name = "LABEL=URL", requires = "card")]
    pub buttons: Vec<String>,
    /// The whole body as JSON, as `channel.post` takes it: carousels, events, polls, coupons
    #[arg(long, value_name = "JSON", conflicts_with = "text")]
    pub body: Option<String>,
    /// Category that it is of; can be repeated
    #[arg(long = "category", value_name = "ID")]
    pub categories: Vec<String>,
    /// It is advertising
    #[arg(long)]
    pub advertising: bool,
    /// It is urgent
    #[arg(long)]
    pub urgent: bool,
    /// Only show it as a follower would see it; nothing is posted
    #[arg(long)]
    pub preview: bool,
    /// Publish it at this time, as `2026-11-01 18:30`, in UTC
    #[arg(long, value_name = "TIME", value_parser = dates::time)]
    pub at: Option<u64>,
    /// Posting again with the same key posts nothing new
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// By whom the posts of a channel come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Via {
    #[default]
    Relays,
    Followers,
}

impl Via {
    /// As the JSON-RPC has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relays => "relays",
            Self::Followers => "followers",
        }
    }
}

/// Why a post is reported, by the names of the JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReasonArg {
    /// Unwanted advertising, over and over
    Spam,
    /// It is to cheat people of something
    Fraud,
    /// It incites hatred, or threatens
    Hate,
    /// It shows or calls for violence
    Violence,
    /// It is sexual, and doesn't say so or may not be shown
    Sexual,
    /// It harms children
    Children,
    /// It passes for somebody else
    Impersonation,
    /// It infringes somebody's rights
    Rights,
    /// Something else
    Other,
}

impl ReasonArg {
    /// Its name in the JSON-RPC.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Fraud => "fraud",
            Self::Hate => "hate",
            Self::Violence => "violence",
            Self::Sexual => "sexual",
            Self::Children => "children",
            Self::Impersonation => "impersonation",
            Self::Rights => "rights",
            Self::Other => "other",
        }
    }
}

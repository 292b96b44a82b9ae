//! What can be typed behind `madang rpc` and `madang events`.

use clap::Args;

/// Arguments of `rpc`.
#[derive(Debug, Args)]
pub struct RpcArgs {
    /// The method, as `chat.list`; docs/methods.md lists them
    #[arg(required_unless_present = "stdio")]
    pub method: Option<String>,
    /// Its parameters, a JSON object; `-` reads it from standard input [default: {}]
    #[arg(value_name = "JSON")]
    pub params: Option<String>,
    /// Instead bridge the JSON-RPC to standard input and output, a message on each line, until standard input ends
    #[arg(long, conflicts_with_all = ["method", "params"])]
    pub stdio: bool,
}

/// Arguments of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Begin behind this cursor; `0` is the start, `ack` what was acknowledged last [default: now; `ack` with --ack, `0` with --no-follow]
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
    /// The epoch that came with that cursor, by which a log that goes on from an older copy is noticed
    #[arg(long, value_name = "EPOCH", requires = "after")]
    pub epoch: Option<String>,
    /// Acknowledge what was printed
    #[arg(long)]
    pub ack: bool,
    /// Only events of this kind, as `message.received`; can be repeated
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Only events of this chat, and those of none; can be repeated
    #[arg(long = "chat", value_name = "CHAT")]
    pub chats: Vec<String>,
    /// Print what is there and end
    #[arg(long)]
    pub no_follow: bool,
}

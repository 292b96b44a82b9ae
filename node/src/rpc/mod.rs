//! The local JSON-RPC: what `docs/rpc.md` promises, over HTTP and WebSocket on one port, on a Unix socket, and if wanted over TLS on
//! another port.
//!
//! A request passes, in this order: [`server`] (accepts, bounds connections), `socket` (doesn't read from who doesn't read), `guard`
//! (Host, Origin, content type, token, body), jsonrpsee, `calls` (bounds of a connection, error shapes), `dispatch` (by `access`
//! what the token allows, and parameters), and then the [`Api`], which the core implements. `methods` is the table that says which function of it
//! is which method; `events` long-polls and subscribes on top of some of them, `pages` shares
//! what subscriptions read. Contents of files (`content`) and the share picker's page (`picker`) go past jsonrpsee; `picks` is what waits for
//! the user's word.

pub mod access;
pub mod api;
pub mod apps;
pub mod archive;
mod blobs;
mod bodies;
mod calls;
mod channels;
mod chats;
mod content;
mod deliver;
pub mod directory;
mod dispatch;
mod domains;
pub mod error;
mod events;
mod fetch;
pub mod figures;
mod files;
#[cfg(feature = "failpoints")]
#[doc(hidden)]
pub mod fuzz;
mod guard;
pub mod ids;
pub mod limits;
mod listen;
mod methods;
mod objects;
pub mod openrpc;
mod opens;
mod pages;
pub mod params;
mod picker;
mod picks;
mod pictures;
pub mod polls;
mod post;
mod relays;
pub mod reports;
mod schema;
mod scrape;
pub mod search;
pub mod server;
pub mod shares;
mod socket;
mod terms;
mod tls;
pub mod types;
mod web;
pub mod webhooks;

#[cfg(test)]
mod tests;

pub use api::Api;
pub use error::{ApiError, ErrorData};
pub use server::{RpcConfig, RpcError, RpcHandle, serve};
pub use tls::TlsConfig;

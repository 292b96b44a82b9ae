//! What the values of settings must look like. What only the node can know, as whether an address can be dialled, it says at its start.

use std::net::{IpAddr, SocketAddr};

use crate::args::MAX_MIB;
use crate::fault::Message;

/// Bytes of a path or an address (guess: far above what systems and multiaddrs take).
const MAX_BYTES: usize = 4096;
/// Bytes of a name, as the node has it.
const MAX_NAME: usize = 128;
/// Bytes of a host's name (RFC 1035).
const MAX_HOST: usize = 253;
/// Values of a list (guess: nobody uses so many relays).
pub const MAX_VALUES: usize = 64;

pub fn path(value: &str) -> Result<(), Message> {
    bounded(value, MAX_BYTES)
}

pub fn name(value: &str) -> Result<(), Message> {
    bounded(value, MAX_NAME)
}

pub fn multiaddr(value: &str) -> Result<(), Message> {
    bounded(value, MAX_BYTES)?;
    if value.starts_with('/') {
        return Ok(());
    }
    Err(Message::new(|t| t.want_multiaddr.to_owned()))
}

pub fn relay(value: &str) -> Result<(), Message> {
    multiaddr(value)?;
    if value.rsplit('/').nth(1) == Some("p2p") {
        return Ok(());
    }
    Err(Message::new(|t| t.want_relay.to_owned()))
}

pub fn socket(value: &str) -> Result<(), Message> {
    match value.parse::<SocketAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Message::new(|t| t.want_socket.to_owned())),
    }
}

/// A name or an address, without a port.
pub fn host(value: &str) -> Result<(), Message> {
    bounded(value, MAX_HOST)?;
    let is_name = value.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if is_name || value.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Message::new(|t| t.want_host.to_owned()))
}

/// A number of MiB that files may take.
pub fn mib(value: &str) -> Result<(), Message> {
    match value.parse::<u64>() {
        Ok(1..=MAX_MIB) => Ok(()),
        _ => Err(Message::new(|t| t.want_mib.to_owned())),
    }
}

pub fn log(value: &str) -> Result<(), Message> {
    bounded(value, MAX_BYTES)?;
    match tracing_subscriber::EnvFilter::try_new(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(Message::new(|t| t.want_log.to_owned())),
    }
}

pub fn language(value: &str) -> Result<(), Message> {
    one_of(value, &["auto", "en", "ko"])
}

pub fn colour(value: &str) -> Result<(), Message> {
    one_of(value, &["auto", "always", "never"])
}

fn one_of(value: &str, known: &'static [&'static str]) -> Result<(), Message> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(Message::new(|t| (t.want_one_of)(&known.join(", "))))
}

fn bounded(value: &str, limit: usize) -> Result<(), Message> {
    if value.trim().is_empty() || value.len() > limit || value.chars().any(char::is_control) {
        return Err(Message::new(move |t| (t.want_bytes)(limit)));
    }
    Ok(())
}

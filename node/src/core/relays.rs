//! What the doctor and the JSON-RPC say of relays.

use madang_protocol::address::PeerAddress;
use madang_protocol::keys::TransportKey;
use madang_protocol::{client, limits};

use super::api::check;
use super::bare;
use super::engine::RelayStatus;
use crate::net::{self, PeerKey};
use crate::rpc::types::{Check, Evidence, RelayAddress, RelayKey};

/// The relays that multiaddrs name: several addresses of one relay belong together. An error says what is wrong with one.
pub(crate) fn peer_addresses(given: &[String]) -> Result<Vec<PeerAddress>, String> {
    let mut relays: Vec<PeerAddress> = Vec::new();
    for address in given {
        let (peer, address) = net::parse_address(address).map_err(|error| error.to_string())?;
        let key = TransportKey(peer.0);
        let address = bare(&address);
        match relays.iter_mut().find(|relay| relay.key == key) {
            Some(relay) if relay.addrs.len() < limits::ADDRESSES => relay.addrs.push(address),
            Some(_) => {}
            None => relays.push(PeerAddress {
                key,
                addrs: vec![address],
            }),
        }
    }
    Ok(relays)
}

/// A relay with its multiaddrs, as they are given.
pub(super) fn relay_address(relay: &PeerAddress) -> RelayAddress {
    let full = |address: &String| net::full_address(PeerKey(relay.key.0), address);
    RelayAddress {
        relay: RelayKey(relay.key.0),
        addresses: relay.addrs.iter().map(full).collect(),
    }
}

/// Whether a relay of ours can be used; `alone` if there is no other.
pub(super) fn relay_check(relay: &RelayStatus, alone: bool) -> Check {
    let RelayStatus { address, standing, .. } = relay;
    let (detail, hint) = match (relay.connected, relay.admitted, standing.demoted_ms, standing.reason()) {
        (false, ..) => (
            "not connected".to_owned(),
            Some("check that the relay runs and that its address is right"),
        ),
        (true, false, ..) => (
            "connected, but holds nothing for you".to_owned(),
            Some("ask its operator for a token and give it with --relay-token, or use another relay"),
        ),
        (true, true, Some(_), Some(fault)) => (
            format!("connected, but demoted: {}", did(fault)),
            Some(if alone {
                "it stays in use, as it is the only one; give another with --relay; `madang evidence` shows what it did"
            } else {
                "your other relays are relied on; `madang evidence` shows what it did"
            }),
        ),
        _ => ("connected".to_owned(), None),
    };
    check("relay", hint.is_none(), &format!("{address} is {detail}"), hint)
}

fn did(fault: client::Fault) -> &'static str {
    match fault {
        client::Fault::Forgot => "it went back to an earlier state of its storage",
        client::Fault::Denied => "it lacks what it signed to keep",
        client::Fault::Junk => "it sends what isn't valid",
        client::Fault::Endless => "it sends without end",
        client::Fault::Unserved => "it says that it has what it doesn't serve",
    }
}

/// Evidence as it is shown.
pub(super) fn proof(evidence: client::Evidence) -> Evidence {
    Evidence {
        relay: RelayKey(evidence.relay.0),
        reason: evidence.fault.name().to_owned(),
        found_ms: evidence.at_ms,
        answer: evidence.answer,
        topic: evidence.topic.map(|topic| hex::encode(topic.0)),
        envelope: evidence.envelope.map(|id| hex::encode(id.0)),
        until_ms: (evidence.until_s > 0).then(|| evidence.until_s.saturating_mul(1000)),
        receipts: evidence.receipts.iter().map(hex::encode).collect(),
        frame: hex::encode(evidence.frame),
    }
}

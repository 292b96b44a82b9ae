//! A personal node from start to stop: store, network, core and local API.

use std::future::Future;

use madang_protocol::address::PeerAddress;
use madang_protocol::channel::terms::Zone;
use madang_protocol::client::ClientConfig;
use madang_protocol::custody::AdmissionToken;
use madang_protocol::keys::TransportKey;
use madang_protocol::limits;
use madang_protocol::mls::Suite;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::blocking::blocking;
use crate::config::{NodeConfig, NodeError, NodeReady};
use crate::core::{Core, Engine, keep_feedback, keep_index, peer_addresses};
use crate::failpoint;
use crate::net::{self, NetConfig, NetError, NetLimits, PeerKey, Role};
use crate::rpc::{self, RpcConfig};
use crate::store::{Store, StoreKind, Unlock};

/// Where a node listens unless it is told otherwise: any free port, kept over restarts.
const DEFAULT_LISTEN: [&str; 2] = ["/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1"];

/// The time zone that this machine is in, by the system's word; UTC where it says none.
fn device_zone() -> Zone {
    let name = iana_time_zone::get_timezone();
    name.ok().and_then(|name| Zone::named(&name).ok()).unwrap_or(Zone::UTC)
}

/// Runs a personal node until `stop` completes; `ready` is called once it serves.
///
/// # Errors
/// [`NodeError::Store`] if the data directory is in use, sealed otherwise, newer or damaged; [`NodeError::Config`] and
/// [`NodeError::Network`] if a setting can't be used.
pub async fn run_node(
    config: NodeConfig,
    ready: impl FnOnce(NodeReady),
    stop: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let mut client = ClientConfig::new(Suite::XWing);
    client.name = checked_name(config.name.clone())?;
    client.zone = device_zone();
    if let Some(ms) = failpoint::setting("MADANG_LEAF_UPDATE_MS") {
        client.leaf_update_ms = ms;
    }
    if let Some(ms) = failpoint::setting("MADANG_REJOIN_MS") {
        client.rejoin_ms = ms;
    }
    if let Some(states) = failpoint::setting("MADANG_FROZEN_STATES") {
        client.frozen_states = usize::try_from(states).unwrap_or(usize::MAX);
    }
    if let Some(bytes) = config.file_bytes {
        client.file_bytes = bytes;
    }
    if !config.relays.is_empty() {
        client.relays = Some(relays(&config.relays)?);
    }
    client.relay_tokens = relay_tokens(&config.relay_tokens, client.relays.as_deref().unwrap_or_default())?;
    let (engine, created, store) = blocking({
        let config = config.clone();
        move || open(&config, client)
    })
    .await??;
    let listen = match config.listen.as_slice() {
        [] => DEFAULT_LISTEN.map(str::to_owned).to_vec(),
        given => given.to_vec(),
    };
    let remembered = listen
        .iter()
        .map(|address| remembered(address, engine.client().told()))
        .collect();
    let identity = engine.client().transport_secret().to_bytes();
    let network = |listen| NetConfig {
        identity: identity.clone(),
        listen,
        role: Role::Node,
        limits: NetLimits::node(),
    };
    let (net, events) = match net::start(network(remembered)).await {
        // Somebody else took the port that we had before.
        Err(NetError::Listen { .. }) => net::start(network(listen)).await.map_err(refused)?,
        started => started.map_err(refused)?,
    };
    let (account, device) = (engine.client().account(), engine.client().device());
    let listen = net.listen_addrs();
    let (core, facade) = Core::new(&engine, store, net, events)?;
    let mut rpc_config = RpcConfig::new(config.data.clone());
    rpc_config.bind = config.rpc;
    rpc_config.tls = config.rpc_tls;
    rpc_config.hosts = config.rpc_hosts;
    let index = tokio::spawn(keep_index(facade.clone()));
    let feedback = tokio::spawn(keep_feedback(facade.clone()));
    let server = rpc::serve(std::sync::Arc::new(facade), rpc_config)
        .await
        .map_err(|error| NodeError::Config {
            field: match error {
                rpc::RpcError::Tls { .. } => "--rpc-tls",
                _ => "--rpc",
            },
            reason: error.to_string(),
        })?;
    let (ended, end) = oneshot::channel::<()>();
    let running = tokio::spawn(core.run(engine, async {
        // The sender is dropped when the node is told to stop.
        drop(end.await);
    }));
    ready(NodeReady {
        account: account.to_string(),
        device: device.to_string(),
        http: format!("http://{}", server.addr()),
        ws: format!("ws://{}", server.addr()),
        https: server.secure_addr().map(|address| format!("https://{address}")),
        listen,
        created,
    });
    let mut running = running;
    let outcome = tokio::select! {
        () = stop => {
            // Callers get their answers while the core still runs.
            server.stop();
            server.stopped().await;
            drop(ended);
            (&mut running).await
        }
        outcome = &mut running => {
            server.stop();
            server.stopped().await;
            outcome
        }
    };
    // It ends as the core has, and holds the store until then.
    drop(index.await);
    drop(feedback.await);
    outcome.map_err(|error| NodeError::Other {
        reason: format!("the core failed: {error}"),
    })?
}

fn open(config: &NodeConfig, client: ClientConfig) -> Result<(Engine, bool, crate::store::StoreReader), NodeError> {
    let fault = |reason: String| NodeError::Store {
        data: config.data.clone(),
        reason,
    };
    let unlock = match &config.passphrase {
        Some(passphrase) => Unlock::Passphrase(passphrase.clone()),
        None => Unlock::KeyFile,
    };
    let store = Store::open(&config.data, unlock, StoreKind::Node).map_err(|error| fault(error.to_string()))?;
    let reader = store.reader();
    let (engine, created) = Engine::open(store, client).map_err(|error| fault(error.to_string()))?;
    Ok((engine, created, reader))
}

fn checked_name(name: Option<String>) -> Result<Option<String>, NodeError> {
    if let Some(name) = &name
        && (name.len() > limits::NAME_BYTES || name.chars().any(char::is_control))
    {
        return Err(NodeError::Config {
            field: "--name",
            reason: format!(
                "at most {} bytes and no control characters are allowed",
                limits::NAME_BYTES
            ),
        });
    }
    Ok(name)
}

/// The account's relays.
fn relays(addresses: &[String]) -> Result<Vec<PeerAddress>, NodeError> {
    let relays = peer_addresses(addresses).map_err(|reason| NodeError::Config {
        field: "--relay",
        reason,
    })?;
    if relays.len() > limits::OWN_RELAYS {
        return Err(NodeError::Config {
            field: "--relay",
            reason: format!("at most {} relays are allowed", limits::OWN_RELAYS),
        });
    }
    Ok(relays)
}

/// Whose tokens are given: named by the relay's key, or the only relay's.
fn relay_tokens(
    tokens: &[Zeroizing<String>],
    relays: &[PeerAddress],
) -> Result<Vec<(TransportKey, AdmissionToken)>, NodeError> {
    let wrong = |reason: &str| NodeError::Config {
        field: "--relay-token",
        reason: reason.into(),
    };
    let one = |text: &Zeroizing<String>| {
        let (relay, token) = match (text.split_once('='), relays) {
            (Some((key, token)), _) => {
                let named = |relay: &&PeerAddress| {
                    net::full_address(PeerKey(relay.key.0), "").ends_with(&format!("/p2p/{key}"))
                };
                let relay = relays.iter().find(named);
                let relay = relay.ok_or_else(|| wrong("the key before '=' is that of no relay given with --relay"))?;
                (relay, token)
            }
            (None, [relay]) => (relay, text.as_str()),
            (None, _) => {
                return Err(wrong(
                    "give it with --relay, and as KEY=TOKEN if there are several relays",
                ));
            }
        };
        let token = AdmissionToken::new(token.as_bytes()).ok_or_else(|| wrong("it is empty or too long"))?;
        Ok((relay.key, token))
    };
    tokens.iter().map(one).collect()
}

/// An address to listen on with the port of last time in place of "any", so that contacts find the node again.
fn remembered(address: &str, told: &[String]) -> String {
    let port = |text: &str, protocol: &str| -> Option<u16> {
        let (_, rest) = text.split_once(protocol)?;
        rest.split('/').next()?.parse().ok()
    };
    for (any, protocol) in [("/tcp/0", "/tcp/"), ("/udp/0/", "/udp/")] {
        if address.contains(any) || address.ends_with(any.trim_end_matches('/')) {
            let known = told.iter().find_map(|told| port(told, protocol));
            if let Some(known) = known {
                return address.replacen(&format!("{protocol}0"), &format!("{protocol}{known}"), 1);
            }
        }
    }
    address.to_owned()
}

fn refused(error: NetError) -> NodeError {
    match error {
        NetError::Address { address, reason } => NodeError::Config {
            field: "--listen",
            reason: format!("{address}: {reason}"),
        },
        other => NodeError::Network {
            reason: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_last_time_takes_the_place_of_any() {
        let told = [
            "/ip4/10.0.0.2/tcp/4040".to_owned(),
            "/ip4/10.0.0.2/udp/4141/quic-v1".to_owned(),
        ];
        assert_eq!(remembered("/ip4/0.0.0.0/tcp/0", &told), "/ip4/0.0.0.0/tcp/4040");
        assert_eq!(
            remembered("/ip4/0.0.0.0/udp/0/quic-v1", &told),
            "/ip4/0.0.0.0/udp/4141/quic-v1"
        );
        assert_eq!(remembered("/ip4/0.0.0.0/tcp/9", &told), "/ip4/0.0.0.0/tcp/9");
        assert_eq!(remembered("/ip4/0.0.0.0/tcp/0", &[]), "/ip4/0.0.0.0/tcp/0");
    }
}

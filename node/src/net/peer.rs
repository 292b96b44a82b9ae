//! One task for each connected peer: it tells the core of it, in order, and owns both of its custody streams.
//!
//! The order the core sees for a peer: `Connected`, then for each side `StreamOpen`, its frames, `StreamClosed`, and
//! `Disconnected` at last. A task for a peer that returns waits for its predecessor's last word.

use std::sync::Arc;

use futures::channel::mpsc;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use libp2p::{PeerId, Stream};
use libp2p_stream::Control;
use tokio::task::JoinHandle;

use super::penalty::Offence;
use super::stream::{Link, Shared};
use super::{NetEvent, PeerKey, Side};

/// What the Swarm task tells a peer's task. Dropping its sender says that the peer is gone.
pub(super) enum Note {
    /// The peer opened a custody stream.
    Inbound(Box<Stream>),
    /// The peer subscribed to a gossip topic or left it.
    Topic { topic: [u8; 32], subscribed: bool },
}

/// Both sides of a peer, shared with the Swarm task for their queues.
pub(super) struct Links {
    client: Link,
    server: Link,
}

impl Links {
    pub(super) fn new(peer: PeerKey, queue_bytes: usize) -> Self {
        Self {
            client: Link::new(peer, Side::Client, queue_bytes),
            server: Link::new(peer, Side::Server, queue_bytes),
        }
    }

    pub(super) fn side(&self, side: Side) -> &Link {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

/// What a peer's task starts with.
pub(super) struct Peer {
    pub(super) key: PeerKey,
    pub(super) id: PeerId,
    /// Not tokio's channel, which keeps room for 32 notes though most peers send one.
    pub(super) inbox: mpsc::Receiver<Note>,
    pub(super) links: Arc<Links>,
    pub(super) shared: Arc<Shared>,
    /// For opening a stream of our own, unless this node only serves.
    pub(super) control: Option<Control>,
    /// The task of an earlier connection that may still be talking to the core.
    pub(super) previous: Option<JoinHandle<()>>,
}

/// Runs until the peer is gone.
pub(super) async fn run(mut peer: Peer) {
    if let Some(previous) = peer.previous.take()
        && let Err(error) = previous.await
    {
        tracing::error!(%error, "the task of an earlier connection failed");
    }
    let events = peer.shared.events.clone();
    if events.send(NetEvent::Connected { peer: peer.key }).await.is_err() {
        return;
    }
    let mut client = peer.control.take().map(|control| keep_open(&peer, control));
    let mut server: Option<BoxFuture<'static, ()>> = None;
    let mut served = false;
    // At most one event waits here for room, as an arm of its own: awaiting the core inside another arm would leave
    // the streams unpolled while they hold places in the core's inbox.
    let mut waiting: Option<NetEvent> = None;
    loop {
        tokio::select! {
            permit = events.reserve(), if waiting.is_some() => {
                let (Ok(permit), Some(event)) = (permit, waiting.take()) else { return };
                permit.send(event);
            }
            note = peer.inbox.next(), if waiting.is_none() => match note {
                None => break,
                Some(Note::Topic { topic, subscribed }) => {
                    waiting = Some(NetEvent::GossipPeer { peer: peer.key, topic, subscribed });
                }
                Some(Note::Inbound(stream)) => {
                    if server.take().is_some() {
                        peer.shared.accuse(peer.key, Offence::ReplacedStream);
                    } else if served {
                        peer.shared.accuse(peer.key, Offence::ReopenedStream);
                    }
                    served = true;
                    server = Some(serve(&peer, stream));
                }
            },
            () = poll(&mut client), if client.is_some() => client = None,
            () = poll(&mut server), if server.is_some() => server = None,
        }
    }
    drop((client, server));
    for link in [&peer.links.client, &peer.links.server] {
        link.report_closed(&peer.shared).await;
    }
    if events.send(NetEvent::Disconnected { peer: peer.key }).await.is_err() {
        tracing::debug!("the core is gone");
    }
}

async fn poll(future: &mut Option<BoxFuture<'static, ()>>) {
    if let Some(future) = future {
        future.await;
    }
}

fn keep_open(peer: &Peer, mut control: Control) -> BoxFuture<'static, ()> {
    let (links, shared, id) = (peer.links.clone(), peer.shared.clone(), peer.id);
    async move { links.client.keep_open(&shared, &mut control, id).await }.boxed()
}

fn serve(peer: &Peer, stream: Box<Stream>) -> BoxFuture<'static, ()> {
    let (links, shared) = (peer.links.clone(), peer.shared.clone());
    async move { links.server.serve(&shared, stream).await }.boxed()
}

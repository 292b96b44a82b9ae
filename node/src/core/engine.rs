//! What runs on the blocking thread: the client's state machine on its store, one turn at a time.

use std::collections::{BTreeMap, VecDeque};

use madang_protocol::Step;
use madang_protocol::client::{
    ChatStatus, Client, ClientConfig, Command, CommandError, Effect, Input, LoadError, Reply, Side, Standing, Verdict,
    history,
};
use madang_protocol::identity::Phrase;
use madang_protocol::keys::{ChatId, TopicId, TransportKey};
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::apps::{AppAsk, AppSaid, Apps};
use super::epochs::Epochs;
use super::mend::mend;
use crate::clock::now_ms;
use crate::disk;
use crate::failpoint;
use crate::net::{self, NetCommand, NetEvent, PeerKey};
use crate::rpc::access::Grants;
use crate::rpc::error::ApiError;
use crate::rpc::webhooks::Hooks;
use crate::store::{Store, StoreError};

/// Bytes of inputs after which a turn ends although more wait: what they write stays below the store's largest batch.
const TURN_BYTES: usize = crate::store::MAX_BATCH / 8;

/// What happened outside.
pub(crate) enum Incoming {
    Net(NetEvent),
    /// Where the node can be reached at present.
    Listening(Vec<String>),
    Ask(Ask),
    Tick,
}

/// What the local API asks of the owner.
pub(crate) enum Ask {
    Command(Command, oneshot::Sender<Answer>),
    Status(oneshot::Sender<Status>),
    /// How a chat's state is.
    Chat(ChatId, oneshot::Sender<Option<ChatStatus>>),
    Phrase(oneshot::Sender<Option<Phrase>>),
    /// Of the table of apps.
    App(AppAsk, oneshot::Sender<AppAnswer>),
    /// Rows that nobody else writes, made by who read them past the owner.
    Keep(Batch, oneshot::Sender<()>),
    /// The same, with an event about each of these.
    Tell(Batch, Vec<[u8; 32]>, oneshot::Sender<()>),
    /// Put aside what can't be read.
    Mend,
}

/// The answer to a command.
pub(crate) type Answer = Result<Reply, CommandError>;

/// The answer of the table of apps.
pub(crate) type AppAnswer = Result<AppSaid, ApiError>;

/// How things are at present.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub name: String,
    pub phrase_confirmed: bool,
    /// Own relays.
    pub relays: Vec<RelayStatus>,
    /// Chats: reachable by a device, by a relay.
    pub paths: BTreeMap<ChatId, (bool, bool)>,
}

/// How an own relay is.
#[derive(Clone, Debug)]
pub(crate) struct RelayStatus {
    pub address: String,
    pub connected: bool,
    /// Whether it serves us as a user.
    pub admitted: bool,
    /// What is known of its conduct.
    pub standing: Standing,
}

/// What a turn has made durable.
#[derive(Default)]
pub(crate) struct Turn {
    pub commands: Vec<NetCommand>,
    pub answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    pub app_answers: Vec<(oneshot::Sender<AppAnswer>, AppAnswer)>,
    /// Whoever handed rows over.
    pub kept: Vec<oneshot::Sender<()>>,
    /// What tokens allow from now on, if that changed.
    pub grants: Option<Grants>,
    /// The webhooks, if they may have changed.
    pub hooks: Option<Hooks>,
    /// When time alone calls for a turn, in Unix milliseconds.
    pub timer_ms: Option<u64>,
    /// The newest durable event.
    pub newest_event: Option<u64>,
}

/// Why a turn failed; nothing of it has left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error(transparent)]
    Commit(#[from] StoreError),
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the operating system gave no randomness: {0}")]
    Entropy(getrandom::Error),
}

/// The state machine and its store.
pub(crate) struct Engine {
    store: Store,
    client: Client,
    config: ClientConfig,
    waiting: BTreeMap<u64, oneshot::Sender<Answer>>,
    apps: Apps,
    epochs: Epochs,
    /// What this turn changes of the apps, and what is said once that is durable.
    app_batch: Batch,
    app_answers: Vec<(oneshot::Sender<AppAnswer>, AppAnswer)>,
    /// Rows that were handed over in this turn.
    keep_batch: Batch,
    kept: Vec<oneshot::Sender<()>>,
    /// The streams that the client knows of, at most two for each of the network's connections.
    streams: BTreeMap<(PeerKey, net::Side), u64>,
    next_token: u64,
}

impl Engine {
    /// Loads the client, creating an account in an empty store; true if it did.
    pub(crate) fn open(store: Store, config: ClientConfig) -> Result<(Self, bool), TurnError> {
        let created = store.prefix(Tree::Meta, b"account", 1)?.is_empty();
        let client = load(&store, &config)?;
        let mut begun = Batch::default();
        let newest = history::newest_event(&store)?;
        let mut apps = Apps::load(&store)?;
        apps.forget_after(newest, &mut begun)?;
        let mut epochs = Epochs::load(&store)?;
        epochs.begin(newest, &mut begun).map_err(TurnError::Entropy)?;
        let mut engine = Self {
            store,
            client,
            config: ClientConfig {
                name: None,
                relays: None,
                relay_tokens: Vec::new(),
                ..config
            },
            waiting: BTreeMap::new(),
            apps,
            epochs,
            app_batch: Batch::default(),
            app_answers: Vec::new(),
            keep_batch: Batch::default(),
            kept: Vec::new(),
            streams: BTreeMap::new(),
            next_token: 1,
        };
        // What loading itself wants to write is written before anything is shown; its effects repeat with the first turn's.
        begun.append(engine.client.drain()?.batch);
        engine.store.commit(&begun)?;
        engine.client = load(&engine.store, &engine.config)?;
        Ok((engine, created))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Takes inputs from the front of `inbox` until it is empty or they are many, commits, and gives what may leave now.
    pub(super) fn turn(&mut self, inbox: &mut VecDeque<Incoming>) -> Result<Turn, TurnError> {
        self.client.set_free_bytes(disk::free_bytes(self.store.dir()));
        let mut bytes = 0;
        while bytes < TURN_BYTES {
            let Some(incoming) = inbox.pop_front() else {
                break;
            };
            bytes += size(&incoming);
            self.take(incoming)?;
        }
        if !self.store.unreadable().is_empty() {
            mend(&self.store)?;
        }
        let Step { mut batch, effects } = self.client.drain()?;
        let apps = std::mem::take(&mut self.app_batch);
        let apps_changed = !apps.is_empty();
        batch.append(apps);
        batch.append(std::mem::take(&mut self.keep_batch));
        if !batch.is_empty() {
            self.store.commit(&batch)?;
            failpoint::hit("core.after_flush");
        }
        self.client.handle(now_ms(), Input::Committed, &self.store)?;
        let mut turn = Turn {
            app_answers: std::mem::take(&mut self.app_answers),
            kept: std::mem::take(&mut self.kept),
            grants: apps_changed.then(|| self.apps.grants()),
            hooks: apps_changed.then(|| self.apps.hooks()),
            timer_ms: self.client.next_timer(),
            ..Turn::default()
        };
        for effect in effects {
            match effect {
                Effect::Reply { token, result } => {
                    if let Some(answer) = self.waiting.remove(&token) {
                        turn.answers.push((answer, result));
                    }
                }
                Effect::Events { newest } => turn.newest_event = Some(newest),
                other => turn.commands.extend(self.command(other)),
            }
        }
        Ok(turn)
    }

    /// Begins again from what is on disk, once the store takes writes. Who waits for an answer is told that there is none.
    pub(super) fn reload(&mut self) -> Result<(), TurnError> {
        self.waiting.clear();
        self.streams.clear();
        let mut probe = Batch::default();
        probe.put(Tree::Meta, b"probe".as_slice(), Vec::new());
        self.store.commit(&probe)?;
        mend(&self.store)?;
        self.client = load(&self.store, &self.config)?;
        self.apps = Apps::load(&self.store)?;
        self.app_batch = Batch::default();
        self.app_answers.clear();
        self.keep_batch = Batch::default();
        self.kept.clear();
        Ok(())
    }

    /// What tokens allow.
    pub(super) fn grants(&self) -> Grants {
        self.apps.grants()
    }

    /// The webhooks.
    pub(super) fn hooks(&self) -> Hooks {
        self.apps.hooks()
    }

    /// The epochs of the event log.
    pub(super) fn epochs(&self) -> Epochs {
        self.epochs.clone()
    }

    pub(super) fn newest_event(&self) -> Result<u64, TurnError> {
        Ok(history::newest_event(&self.store)?)
    }

    fn take(&mut self, incoming: Incoming) -> Result<(), TurnError> {
        let input = match incoming {
            Incoming::Tick => Input::Tick,
            Incoming::Listening(addrs) => Input::Listening { addrs },
            Incoming::Net(event) => {
                self.note_stream(&event);
                match input(event) {
                    Some(input) => input,
                    None => return Ok(()),
                }
            }
            Incoming::Ask(Ask::Command(command, answer)) => {
                let token = self.next_token;
                self.next_token += 1;
                self.waiting.insert(token, answer);
                Input::Command { token, command }
            }
            // Whoever asked may have gone; then nobody misses the answer.
            Incoming::Ask(Ask::Status(answer)) => {
                drop(answer.send(self.status()));
                return Ok(());
            }
            Incoming::Ask(Ask::Chat(chat, answer)) => {
                answer.send(self.client.chat_status(&chat)).ok();
                return Ok(());
            }
            Incoming::Ask(Ask::Phrase(answer)) => {
                drop(answer.send(self.client.phrase()));
                return Ok(());
            }
            Incoming::Ask(Ask::App(ask, answer)) => return self.ask_apps(ask, answer),
            Incoming::Ask(Ask::Keep(batch, kept)) => {
                self.keep_batch.append(batch);
                self.kept.push(kept);
                return Ok(());
            }
            Incoming::Ask(Ask::Tell(batch, subjects, kept)) => {
                self.keep_batch.append(batch);
                self.kept.push(kept);
                for subject in subjects {
                    self.client.handle(now_ms(), Input::Note { subject }, &self.store)?;
                }
                return Ok(());
            }
            Incoming::Ask(Ask::Mend) => {
                mend(&self.store)?;
                return Ok(());
            }
        };
        Ok(self.client.handle(now_ms(), input, &self.store)?)
    }

    /// Asks the table of apps; the answer waits for the flush.
    fn ask_apps(&mut self, ask: AppAsk, answer: oneshot::Sender<AppAnswer>) -> Result<(), TurnError> {
        let newest = self.client.newest_event();
        match self.apps.handle(now_ms(), newest, ask, &mut self.app_batch) {
            Ok((said, news)) => {
                self.app_answers.push((answer, Ok(said)));
                if let Some(subject) = news {
                    self.client.handle(now_ms(), Input::Note { subject }, &self.store)?;
                }
            }
            Err(error) => self.app_answers.push((answer, Err(error))),
        }
        Ok(())
    }

    fn note_stream(&mut self, event: &NetEvent) {
        match event {
            NetEvent::StreamOpen { peer, side, stream } => {
                self.streams.insert((*peer, *side), *stream);
            }
            NetEvent::StreamClosed { peer, side } => {
                self.streams.remove(&(*peer, *side));
            }
            _ => {}
        }
    }

    /// The network's word for an effect. The client lets go of frames for streams that ended before this drain, so each goes to the
    /// stream that it was made for, or nowhere.
    fn command(&self, effect: Effect) -> Option<NetCommand> {
        Some(match effect {
            Effect::Dial(address) => NetCommand::Dial {
                peer: PeerKey(address.key.0),
                addrs: address.addrs,
            },
            Effect::Send { peer, side, frame } => {
                let peer = PeerKey(peer.0);
                let side = match side {
                    Side::Client => net::Side::Client,
                    Side::Server => net::Side::Server,
                };
                NetCommand::Send {
                    peer,
                    side,
                    stream: *self.streams.get(&(peer, side))?,
                    frame: frame.into(),
                }
            }
            Effect::Subscribe(topic) => NetCommand::Subscribe { topic: topic.0 },
            Effect::Unsubscribe(topic) => NetCommand::Unsubscribe { topic: topic.0 },
            Effect::Publish { topic, bytes } => NetCommand::Publish {
                topic: topic.0,
                data: bytes.into(),
                // Nothing depends on gossip: a stream follows unless a report comes first.
                outcome: oneshot::channel().0,
            },
            Effect::Verdict { peer, id, verdict } => NetCommand::Verdict {
                peer: PeerKey(peer.0),
                id,
                acceptance: acceptance(verdict),
            },
            Effect::Penalise { peer, reason } => {
                let peer = PeerKey(peer.0);
                tracing::debug!(%peer, reason, "offence");
                NetCommand::Penalise { peer }
            }
            // These two are answered where they came from.
            Effect::Reply { .. } | Effect::Events { .. } => return None,
        })
    }

    fn status(&self) -> Status {
        let connected = |key: &TransportKey| {
            self.client
                .connections()
                .any(|(address, _, opened)| opened && address.key == *key)
        };
        let relays = self.client.relays().iter().map(|relay| {
            let address = relay.addrs.first().cloned().unwrap_or_default();
            let address = net::full_address(PeerKey(relay.key.0), &address);
            let admitted = !self.client.is_turned_away(&relay.key);
            RelayStatus {
                address,
                connected: connected(&relay.key),
                admitted,
                standing: self.client.standing(&relay.key),
            }
        });
        Status {
            name: self.client.name().to_owned(),
            phrase_confirmed: self.client.phrase().is_none(),
            relays: relays.collect(),
            paths: self
                .client
                .chat_ids()
                .map(|chat| (chat, self.client.paths(&chat)))
                .collect(),
        }
    }
}

fn load(store: &Store, config: &ClientConfig) -> Result<Client, TurnError> {
    let mut entropy = Zeroizing::new([0; 32]);
    getrandom::fill(entropy.as_mut_slice()).map_err(TurnError::Entropy)?;
    loop {
        match Client::load(config.clone(), *entropy, store, now_ms()) {
            // One unreadable row shows after the other; each is put aside once.
            Err(LoadError::Rows(_)) if mend(store)? => {}
            loaded => return Ok(loaded?),
        }
    }
}

fn size(incoming: &Incoming) -> usize {
    match incoming {
        Incoming::Net(NetEvent::Frame { bytes, .. } | NetEvent::Gossip { data: bytes, .. }) => bytes.len(),
        Incoming::Ask(Ask::Command(Command::Send { content, .. }, _)) => content.len(),
        Incoming::Ask(Ask::Keep(batch, _) | Ask::Tell(batch, ..)) => batch.bytes(),
        Incoming::Ask(Ask::Command(Command::WriteFile { bytes, .. }, _)) => bytes.len(),
        _ => 0,
    }
}

fn input(event: NetEvent) -> Option<Input> {
    let key = |peer: net::PeerKey| TransportKey(peer.0);
    let of = |side: net::Side| match side {
        net::Side::Client => Side::Client,
        net::Side::Server => Side::Server,
    };
    Some(match event {
        NetEvent::Connected { peer } => Input::Connected { peer: key(peer) },
        NetEvent::Disconnected { peer } => Input::Disconnected { peer: key(peer) },
        NetEvent::DialFailed { peer, reason } => {
            tracing::debug!(%peer, %reason, "dial failed");
            Input::DialFailed { peer: key(peer) }
        }
        NetEvent::StreamOpen { peer, side, .. } => Input::Opened {
            peer: key(peer),
            side: of(side),
        },
        NetEvent::StreamClosed { peer, side } => Input::Closed {
            peer: key(peer),
            side: of(side),
        },
        NetEvent::Frame { peer, side, bytes } => Input::Frame {
            peer: key(peer),
            side: of(side),
            bytes: bytes.to_vec(),
        },
        NetEvent::Gossip { peer, id, data, .. } => Input::Gossip {
            peer: key(peer),
            id,
            bytes: data.to_vec(),
        },
        NetEvent::GossipPeer {
            peer,
            topic,
            subscribed,
        } => Input::GossipPeer {
            peer: key(peer),
            topic: TopicId(topic),
            subscribed,
        },
        NetEvent::ListenAddr(_) => return None,
    })
}

/// The network's word for a verdict.
fn acceptance(verdict: Verdict) -> net::Acceptance {
    match verdict {
        Verdict::Accept => net::Acceptance::Accept,
        Verdict::Reject => net::Acceptance::Reject,
        Verdict::Ignore => net::Acceptance::Ignore,
    }
}

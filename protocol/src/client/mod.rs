//! The client: an account's device as one state machine. An input changes state and queues rows and effects; the shell drains them
//! before it gives the next input or shows anybody anything (`INV-DRAIN`).
//!
//! | file | room |
//! |---|---|
//! | `io` | the vocabulary of inputs and effects |
//! | `records` | the rows |
//! | `contacts` | invites, cards, requests, approval |
//! | `aliases` | other accounts of this device, each for one chat |
//! | `doors` | invite links of groups, and letting guests in |
//! | `guests` | asking by such a link to be let in |
//! | `details` | what contacts tell each other of themselves |
//! | `channels` | channels of brands: following, writing, what comes of them |
//! | `chats` | a chat's rows, what is received |
//! | `groups` | making groups, and the changes that we want in them |
//! | `intents` | what this device wants changed in a group, until that was settled long ago |
//! | `drafts` | the next commit of ours in the making |
//! | `profiles` | what members call themselves |
//! | `inboxes` | what contacts write to each other's inboxes |
//! | `letters` | what members write outside of a chat's states: wishes to be put back, and Welcomes |
//! | `spares` | Welcomes that wait for the case that the state at hand is dead |
//! | `states` | commits, and the branch of them that counts |
//! | `divergence` | states that share a name only |
//! | `throttle` | floods of commits |
//! | `shared` | their rows, which have most in common |
//! | `leaves` | the schedule of leaf updates |
//! | `typing` | who types |
//! | `sending` | idempotency keys, numbers, the way into the outbox |
//! | `kinds` | what can be sent; edits, deletions, reactions, votes |
//! | `effects` | what they leave of a message |
//! | `expiry` | what is erased in its time |
//! | `forge` | what a hostile member would send, for the simulator |
//! | `fresh` | rows of steps that aren't committed yet |
//! | `copies` | copied data directories |
//! | `inbound` | envelopes from wherever they come |
//! | `frontiers` | which of them are told, and how often |
//! | `reports` | frontiers: what the others have |
//! | `outbox` | what waits for a custodian |
//! | `passed` | envelopes kept for members who lack them |
//! | `nudges` | what is done when nobody confirms |
//! | `give_up` | messages that wait for too long |
//! | `receipts` | the custodians' answers |
//! | `pending` | envelopes of states that aren't here |
//! | `wants`, `links` | connections, watches |
//! | `dialling` | who is tried when |
//! | `admission` | relays that serve only some |
//! | `trust` | relays that break their word: receipts, evidence, demotion |
//! | `audit` | asking relays whether they still hold what they signed for |
//! | `gaps` | what is missing of others' streams, and what is done about it |
//! | `blobs` | what is too large for an envelope, on its way out and in; files of people |
//! | `gossip` | the fast path |
//! | `serve` | this device as others' custodian |
//! | `events` | the event log |
//! | `clock` | when the clock is turned back |
//! | `history` | reading what is stored |
//! | `search` | looking for words in it, by an index |
//! | `inspect` | what the simulator sees besides |

mod admission;
mod aliases;
mod aside;
mod audit;
mod blobs;
mod channels;
mod chats;
mod clock;
mod commits;
mod config;
mod contacts;
mod copies;
mod details;
mod dialling;
mod divergence;
mod doors;
mod drafts;
mod effects;
mod events;
mod expiry;
#[cfg(feature = "sim")]
pub(crate) mod forge;
mod fresh;
mod frontiers;
mod gaps;
mod give_up;
mod gossip;
mod groups;
mod guests;
pub mod history;
mod inbound;
mod inboxes;
#[cfg(feature = "sim")]
pub(crate) mod inspect;
mod intents;
mod io;
mod kinds;
mod leaves;
mod letters;
mod links;
mod nudges;
mod outbox;
mod passed;
mod pending;
mod profiles;
mod receipts;
mod records;
mod reports;
pub mod search;
mod sending;
mod serve;
mod shared;
mod spares;
mod states;
#[cfg(test)]
mod tests;
mod throttle;
mod told;
mod trust;
mod typing;
mod wants;
mod wishes;

pub use blobs::{BlobState, BlobView, ReadError};
pub use channels::{ChannelCommand, ManifestChange, PostFiles, WriterGrant, view as channel_view};
pub use config::ClientConfig;
#[cfg(feature = "sim")]
pub use config::Sabotage;
pub use events::{EventRow, ReportOutcome};
pub use gaps::GapState;
pub use history::{LedgerState, LedgerView, MessageView};
pub use io::{
    Command, CommandError, Effect, Input, ReadMark, RelayFigures, Reply, SettingsChange, Side, Untold, Verdict,
};
pub use kinds::{Content, FileContent, FilesContent, ShareContent};
pub use states::ChatStatus;
pub use trust::{Evidence, Fault, Mark, Standing, evidence};

use crate::Step;
use crate::address::PeerAddress;
use crate::chat::{LeafIdentity, MarkKey};
use crate::custody::Cursor;
use crate::identity::{DeviceLog, Phrase, PhraseError, TransportCertificate};
use crate::keys::{
    AccountId, ChannelId, ChatId, DeviceId, DeviceSecret, EnvelopeId, MessageId, RequestId, TopicId, TransportKey,
    TransportSecret,
};
use crate::limits;
use crate::mls::Crypto;
use crate::rows::{Rows, RowsError, Tree};
use aliases::Alias;
use chats::Chat;
use links::Link;
use outbox::Out;
use records::{
    Acceptance, AccountRow, ContactRow, GuestRow, InviteRow, Reach, RequestRow, SettingsRow, decode, encode, key,
};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

/// The client can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A row can't be read.
    #[error("{0}")]
    Rows(#[from] RowsError),
    /// A group's state can't be loaded.
    #[error("the state of a chat can't be loaded: {0}")]
    Group(#[from] crate::chat::GroupError),
    /// The account can't be created.
    #[error("{0}")]
    Phrase(#[from] PhraseError),
}

/// What a topic is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TopicUse {
    /// A chat's.
    Chat(ChatId),
    /// Requests to one of our invites, by its card topic.
    Requests(TopicId),
    /// The card of one of our invites.
    OwnCard,
    /// The card of an invite that we accept.
    Card,
    /// Our inbox for a contact.
    Inbox(AccountId),
    /// An alias's inbox for the other of its chat.
    Alias(ChatId),
    /// Our inbox for the maker of a group's invite, by its card topic.
    Guest(TopicId),
    /// A channel's, followed or our own.
    Channel(ChannelId),
    /// Answers to a poll of our own.
    Ballots,
}

/// An account's device.
pub struct Client {
    config: ClientConfig,
    crypto: Crypto,
    account: AccountRow,
    settings: SettingsRow,
    listening: Vec<String>,
    chats: BTreeMap<ChatId, Chat>,
    contacts: BTreeMap<AccountId, ContactRow>,
    /// As whom this device is in chats where it isn't its account.
    aliases: BTreeMap<ChatId, Alias>,
    invites: BTreeMap<TopicId, InviteRow>,
    requests: BTreeMap<RequestId, RequestRow>,
    accepting: BTreeMap<TopicId, Acceptance>,
    /// Groups that this account has asked to be let into, by card topic.
    guests: BTreeMap<TopicId, GuestRow>,
    topics: BTreeMap<TopicId, TopicUse>,
    outs: BTreeMap<u64, Out>,
    out_ids: BTreeMap<EnvelopeId, u64>,
    /// Where the outgoing envelopes for strangers go, by number.
    reaches: BTreeMap<u64, Reach>,
    out_bytes: usize,
    out_messages: usize,
    /// Numbers of messages that came since the last drain: they are sealed then, those of a chat together.
    unsealed: BTreeSet<u64>,
    next_out: u64,
    links: BTreeMap<TransportKey, Link>,
    /// Who is connected, also where no link is wanted yet, and whether our custody stream there is ready.
    present: BTreeMap<TransportKey, bool>,
    gossip: BTreeMap<TopicId, BTreeSet<TransportKey>>,
    subscribed: BTreeSet<TopicId>,
    strangers: serve::Shares,
    /// Invites, by card topic, whose requests found no room and are to be fetched again.
    crowded: BTreeSet<TopicId>,
    blobs: blobs::Blobs,
    channels: channels::Channels,
    trust: trust::Trust,
    passed: passed::Keeping,
    cursors: BTreeMap<(TransportKey, TopicId), Cursor>,
    recent: Recent,
    events: events::Log,
    fresh_keys: sending::FreshKeys,
    fresh: fresh::Fresh,
    expiry: expiry::Expiry,
    /// What waits for the end of an input: things done to messages, and messages to which something was done before.
    done: Vec<kinds::Done>,
    /// Commits that wait for it to be handed to members.
    handing: Vec<commits::Handing>,
    arrived: Vec<(ChatId, MessageId)>,
    /// Messages that may be here already, which their streams don't tell any more.
    returned: Vec<chats::Returned>,
    starts: copies::Starts,
    marks: MarkKey,
    /// Messages that get another number at the end of an input.
    moved: Vec<copies::Moved>,
    dirty: Dirty,
    step: Step<Effect>,
    /// The time of the last input; nothing before the first, so that times in rows are checked against it.
    last_ms: u64,
    /// Since when the clock hasn't leapt.
    steady_ms: u64,
    /// What the simulator records: commits that were taken into trees since it asked last.
    #[cfg(feature = "sim")]
    adopted: Vec<inspect::Adopted>,
}

/// What changed since the last drain and is written then, once.
#[derive(Default)]
struct Dirty {
    cursors: BTreeSet<(TransportKey, TopicId)>,
    outs: BTreeSet<u64>,
    chats: BTreeSet<ChatId>,
}

/// The envelopes that came lately, so that repeats cost a hash and a look-up.
#[derive(Default)]
struct Recent {
    order: VecDeque<EnvelopeId>,
    known: HashSet<EnvelopeId>,
}

impl Recent {
    fn contains(&self, id: &EnvelopeId) -> bool {
        self.known.contains(id)
    }

    fn insert(&mut self, id: EnvelopeId) {
        if !self.known.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > limits::RECENT_ENVELOPES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl Client {
    /// Loads the client from its rows, or creates an account if there is none. `entropy` must be fresh each time.
    pub fn load(config: ClientConfig, entropy: [u8; 32], rows: &dyn Rows, now_ms: u64) -> Result<Self, LoadError> {
        let crypto = Crypto::new(entropy);
        let mut step = Step::default();
        let account = match rows.get(Tree::Meta, key::ACCOUNT)? {
            Some(bytes) => decode(&bytes)?,
            None => {
                let account = create_account(&crypto, now_ms)?;
                step.batch.put(Tree::Meta, key::ACCOUNT, encode(&account)?);
                account
            }
        };
        let mut settings: SettingsRow = match rows.get(Tree::Meta, key::SETTINGS)? {
            Some(bytes) => decode(&bytes)?,
            None => SettingsRow::default(),
        };
        let stored = settings.clone();
        if let Some(name) = &config.name {
            settings.name = name.clone();
        }
        if let Some(relays) = &config.relays {
            settings.relays = relays.clone();
        }
        for (relay, token) in &config.relay_tokens {
            settings.relay_tokens.retain(|(known, _)| known != relay);
            settings.relay_tokens.push((*relay, token.as_bytes().to_vec().into()));
        }
        settings
            .relay_tokens
            .retain(|(relay, _)| settings.relays.iter().any(|own| own.key == *relay));
        let settings_changed = settings != stored;
        let starts = copies::Starts::load(rows, &crypto)?;
        step.batch.put(Tree::Meta, key::STARTS, starts.row()?);
        let marks = MarkKey::of(&account.device);
        let mut client = Self {
            config,
            crypto,
            account,
            settings,
            listening: stored.told.clone(),
            chats: BTreeMap::new(),
            contacts: BTreeMap::new(),
            aliases: BTreeMap::new(),
            invites: BTreeMap::new(),
            requests: BTreeMap::new(),
            accepting: BTreeMap::new(),
            guests: BTreeMap::new(),
            topics: BTreeMap::new(),
            outs: BTreeMap::new(),
            out_ids: BTreeMap::new(),
            reaches: BTreeMap::new(),
            out_bytes: 0,
            out_messages: 0,
            unsealed: BTreeSet::new(),
            next_out: 1,
            links: BTreeMap::new(),
            present: BTreeMap::new(),
            gossip: BTreeMap::new(),
            subscribed: BTreeSet::new(),
            strangers: serve::Shares::of_strangers(),
            crowded: BTreeSet::new(),
            blobs: blobs::Blobs::default(),
            channels: channels::Channels::default(),
            trust: trust::Trust::default(),
            passed: passed::Keeping::default(),
            cursors: BTreeMap::new(),
            recent: Recent::default(),
            events: events::Log::load(rows)?,
            fresh_keys: sending::FreshKeys::default(),
            fresh: fresh::Fresh::default(),
            expiry: expiry::Expiry::load(rows)?,
            done: Vec::new(),
            handing: Vec::new(),
            arrived: Vec::new(),
            returned: Vec::new(),
            starts,
            marks,
            moved: Vec::new(),
            dirty: Dirty::default(),
            step,
            last_ms: u64::MAX,
            steady_ms: u64::MAX,
            #[cfg(feature = "sim")]
            adopted: Vec::new(),
        };
        client.load_contacts(rows)?;
        client.load_aliases(rows)?;
        client.load_guests(rows)?;
        client.load_channels(rows)?;
        client.load_chats(rows)?;
        client.load_spares(rows)?;
        client.load_passed();
        client.find_stored_gaps(now_ms);
        client.load_outbox(rows)?;
        client.lay_aside_again();
        client.load_cursors(rows)?;
        client.load_blobs(rows)?;
        client.load_trust(rows, now_ms)?;
        client.find_due_profiles();
        if settings_changed {
            client.put_settings()?;
            client.tell_details(now_ms)?;
            client.publish_cards(now_ms)?;
        }
        client.refresh_links(now_ms)?;
        Ok(client)
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.account.log.account
    }

    /// This device.
    pub fn device(&self) -> DeviceId {
        self.account.device.public()
    }

    /// This device's transport key.
    pub fn transport(&self) -> TransportKey {
        self.account.transport.public()
    }

    /// The secret half of the transport key: the network's identity.
    pub fn transport_secret(&self) -> TransportSecret {
        self.account.transport.clone()
    }

    /// What the account calls itself; may be empty.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The account's own relays.
    pub fn relays(&self) -> &[PeerAddress] {
        &self.settings.relays
    }

    /// The addresses that contacts were told last.
    pub fn told(&self) -> &[String] {
        &self.settings.told
    }

    /// The number of the newest event, 0 if there is none; it may not be durable yet.
    pub fn newest_event(&self) -> u64 {
        self.events.newest()
    }

    /// The recovery phrase, until the user has confirmed it.
    pub fn phrase(&self) -> Option<Phrase> {
        self.account
            .phrase
            .as_ref()
            .map(|entropy| Phrase::from_entropy(**entropy))
    }

    /// Takes one input. On an error of the store nothing is half done that the next load wouldn't undo: the shell must load anew.
    pub fn handle(&mut self, now_ms: u64, input: Input, rows: &dyn Rows) -> Result<(), RowsError> {
        self.keep_time(now_ms);
        if matches!(input, Input::Committed) {
            self.fresh.committed();
            return Ok(());
        }
        self.take(now_ms, input, rows)?;
        self.take_channels(now_ms, rows)?;
        self.answer_questions(rows)?;
        self.follow_trust(now_ms)?;
        self.work_off(now_ms, rows)?;
        self.answer_asks(now_ms, rows)?;
        self.hand_commits(now_ms, rows)?;
        self.trim_passed(now_ms, rows)?;
        self.pump_blobs(now_ms, rows)?;
        self.hear_blobs(now_ms)
    }

    fn take(&mut self, now_ms: u64, input: Input, rows: &dyn Rows) -> Result<(), RowsError> {
        match input {
            Input::Tick => self.tick(now_ms, rows),
            Input::Committed => Ok(()),
            Input::Connected { peer } => self.connected(now_ms, peer),
            Input::Disconnected { peer } => self.disconnected(now_ms, peer),
            Input::DialFailed { peer } => self.dial_failed(now_ms, peer),
            Input::Opened { peer, side } => self.opened(now_ms, peer, side),
            Input::Closed { peer, side } => {
                self.closed(now_ms, peer, side);
                Ok(())
            }
            Input::Frame { peer, side, bytes } => match side {
                Side::Client => self.custodian_frame(now_ms, peer, &bytes),
                Side::Server => self.client_frame(now_ms, peer, &bytes),
            },
            Input::Gossip { peer, id, bytes } => self.gossiped(now_ms, peer, id, &bytes),
            Input::GossipPeer {
                peer,
                topic,
                subscribed,
            } => self.gossip_peer(now_ms, peer, topic, subscribed),
            Input::Note { subject } => {
                self.event(&EventRow::Note { subject });
                Ok(())
            }
            Input::Listening { addrs } => self.listening(now_ms, addrs),
            Input::Command { token, command } => self.command(now_ms, token, command, rows),
        }
    }

    /// Takes what was queued: rows to commit, and what to do once they are durable.
    pub fn drain(&mut self) -> Result<Step<Effect>, RowsError> {
        self.hand_over_unsealed()?;
        self.write_dirty()?;
        let step = std::mem::take(&mut self.step);
        self.fresh.drained(&step);
        Ok(step)
    }

    /// When [`Input::Tick`] is due, in milliseconds; `None` if nothing waits for time. The shell gives it every half minute at the
    /// latest, so that a clock that jumped back is noticed.
    pub fn next_timer(&self) -> Option<u64> {
        let chats = self.chats.values().filter_map(|chat| self.chat_timer(chat)).min();
        let links = self.links.values().filter_map(|link| self.link_timer(link)).min();
        let accepting = self.accepting.values().map(|accept| accept.until_ms).min();
        let invites = self
            .invites
            .values()
            .map(|invite| invite.expires_s.saturating_mul(1000))
            .min();
        [
            chats,
            links,
            accepting,
            invites,
            self.guests_timer(),
            self.expiry.timer(),
            self.blobs.timer(),
            self.channels.timer(self.believed_ms()),
            self.trust.timer(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn tick(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        self.expire_contacts(now_ms)?;
        self.tick_chats(now_ms)?;
        self.tick_links(now_ms)?;
        self.tick_channels(now_ms, rows)?;
        self.tick_trust(now_ms)
    }

    fn command(&mut self, now_ms: u64, token: u64, command: Command, rows: &dyn Rows) -> Result<(), RowsError> {
        let result = match command {
            Command::Invite {
                multi_use,
                expires_in_s,
            } => self.invite(now_ms, multi_use, expires_in_s),
            Command::Accept { link } => match self.accept(now_ms, token, &link) {
                Ok(None) => return Ok(()),
                Ok(Some(chat)) => Ok(Reply::Chat(chat)),
                Err(error) => Err(error),
            },
            Command::AcceptAs { link, name } => match self.accept_as(now_ms, token, &link, name) {
                Ok(None) => return Ok(()),
                Ok(Some(chat)) => Ok(Reply::Chat(chat)),
                Err(error) => Err(error),
            },
            Command::Approve { request } => self.approve(now_ms, request),
            Command::Decline { request } => self.decline(request),
            Command::InviteToGroup {
                chat,
                approval,
                expires_in_s,
                max_uses,
            } => self.invite_to_group(now_ms, chat, approval, expires_in_s, max_uses),
            Command::RevokeInvite { link } => self.revoke_invite(now_ms, &link),
            Command::Send {
                chat,
                content,
                idempotency_key,
            } => self.send_content(now_ms, chat, content, idempotency_key, rows),
            Command::CreateChat {
                name,
                members,
                idempotency_key,
            } => self.create_chat_once(now_ms, name, members, idempotency_key, rows),
            Command::AddMembers { chat, members } => self.add_members(now_ms, chat, members),
            Command::RemoveMembers { chat, members } => self.remove_members(now_ms, chat, members),
            Command::UpdateChat { chat, change } => self.update_chat(now_ms, chat, change),
            Command::SetRole { chat, account, role } => self.set_role(now_ms, chat, account, role),
            Command::LeaveChat { chat } => self.leave_chat(now_ms, chat),
            Command::Type { chat, active } => self.type_in(now_ms, chat, active),
            Command::MarkRead { chat, mark } => self.mark_read(now_ms, chat, mark),
            Command::BeginFile { length_bytes, strip } => self.file_begin(now_ms, length_bytes, strip),
            Command::WriteFile {
                upload,
                offset_bytes,
                bytes,
            } => self.file_write(now_ms, upload, offset_bytes, &bytes, rows),
            Command::FetchFiles { chat, message } => self.file_fetch(now_ms, message, chat, rows),
            Command::MendFile {
                blob,
                offset_bytes,
                length_bytes,
            } => self.file_mend(now_ms, blob, offset_bytes, length_bytes, rows),
            Command::CancelFile { id } => self.file_cancel(id),
            Command::Channel(command) => match self.channel_command(now_ms, token, *command, rows) {
                Ok(None) => return Ok(()),
                Ok(Some(reply)) => Ok(reply),
                Err(error) => Err(error),
            },
            Command::ConfirmPhrase => self.confirm_phrase(),
        };
        self.step.effects.push(Effect::Reply { token, result });
        Ok(())
    }

    fn confirm_phrase(&mut self) -> Result<Reply, CommandError> {
        self.account.phrase = None;
        let row = encode(&self.account)?;
        self.put(Tree::Meta, key::ACCOUNT, row);
        Ok(Reply::Done)
    }

    fn identity(&self) -> LeafIdentity {
        LeafIdentity {
            log: self.account.log.clone(),
            device: self.device(),
        }
    }

    fn own_address(&self) -> PeerAddress {
        PeerAddress {
            key: self.transport(),
            addrs: self.listening.iter().take(limits::ADDRESSES).cloned().collect(),
        }
    }

    fn put(&mut self, tree: Tree, key: impl Into<Vec<u8>>, value: Vec<u8>) {
        self.step.batch.put(tree, key, value);
    }

    fn put_settings(&mut self) -> Result<(), RowsError> {
        let row = encode(&self.settings)?;
        self.put(Tree::Meta, key::SETTINGS, row);
        Ok(())
    }

    fn send(&mut self, peer: TransportKey, side: Side, frame: Vec<u8>) {
        self.step.effects.push(Effect::Send { peer, side, frame });
    }

    fn load_cursors(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        for (stored, value) in rows.prefix(Tree::Cursors, &[], usize::MAX)? {
            let (Some(peer), Some(topic)) = (array(&stored, 0), array(&stored, 32)) else {
                continue;
            };
            // Of an invite that was shut, or of a chat that is no more.
            if !self.topics.contains_key(&TopicId(topic)) {
                self.step.batch.delete(Tree::Cursors, stored);
                continue;
            }
            self.cursors
                .insert((TransportKey(peer), TopicId(topic)), decode(&value)?);
        }
        Ok(())
    }

    fn write_dirty(&mut self) -> Result<(), RowsError> {
        let dirty = std::mem::take(&mut self.dirty);
        for chat in dirty.chats {
            if let Some(chat) = self.chats.get_mut(&chat) {
                chat.write(
                    &mut self.step.batch,
                    #[cfg(feature = "sim")]
                    self.config.sabotage,
                )?;
            }
        }
        self.write_channels()?;
        for number in dirty.outs {
            self.write_out(number)?;
        }
        self.write_events();
        for (peer, topic) in dirty.cursors {
            let stored = key::cursor(&peer, &topic);
            match self.cursors.get(&(peer, topic)) {
                Some(cursor) => {
                    let row = encode(cursor)?;
                    self.step.batch.put(Tree::Cursors, stored, row);
                }
                None => self.step.batch.delete(Tree::Cursors, stored),
            }
        }
        Ok(())
    }
}

fn create_account(crypto: &Crypto, now_ms: u64) -> Result<AccountRow, PhraseError> {
    let entropy = crypto.random();
    let root = Phrase::from_entropy(entropy).account()?;
    let device = DeviceSecret::from_bytes(crypto.random());
    let transport = TransportSecret::from_bytes(crypto.random());
    Ok(AccountRow {
        phrase: Some(entropy.into()),
        log: DeviceLog::create(&root, device.public()),
        certificate: TransportCertificate::sign(&device, transport.public(), now_ms / 1000),
        device,
        transport,
    })
}

/// 32 bytes of a stored key.
fn array(bytes: &[u8], at: usize) -> Option<[u8; 32]> {
    bytes.get(at..at.checked_add(32)?)?.try_into().ok()
}

//! Blobs on their way: out to the relays of a topic, in from whoever has them. Both outlive a restart and go on where they were.
//!
//! A room that wants to send something large seals it ([`crate::blob::seal`]), puts it here and hands over the envelope with its
//! reference, at the latest once [`BlobNews::Ready`] comes. One that receives a reference gets the blob here and hears
//! [`BlobNews::Arrived`], after each start anew until it forgets it.

mod gets;
mod puts;

use super::chats::Chat;
use super::inbound::Taken;
use super::io::{CommandError, Effect, Side};
use super::links::Link;
use super::records::decode;
use super::{Client, LoadError, TopicUse};
use crate::blob::BlobRef;
use crate::custody::{BlobChunks, BlobRefused, ClientFrame, CustodianFrame, GetBlob, Refusal};
use crate::keys::{BlobId, TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use gets::Get;
use puts::Put;
use std::collections::{BTreeMap, VecDeque};

/// Milliseconds that a custodian has to answer (guess: half a megabyte over a slow line).
const ANSWER_MS: u64 = 60_000;
/// Least and greatest milliseconds between tries (guess: a hiccup, and an operator's time to make room).
const BACKOFF_MS: (u64, u64) = (5_000, 600_000);
/// The longest that anything here waits, in milliseconds: no clock that jumped makes it longer.
const WAIT_MS: u64 = 3_600_000;
/// Frames of others that wait for the end of an input, which brings one at most.
const SERVING: usize = 16;

#[cfg(test)]
thread_local! {
    /// A test of this room alone takes the news itself.
    pub(super) static KEEP_NEWS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// What the client's rooms are told of their blobs.
#[derive(PartialEq, Eq)]
pub(super) enum BlobNews {
    /// An envelope may point to it now: a relay has it whole, or the topic has no relay and this device serves it.
    Ready(BlobId),
    /// It is here; told again after a restart until it is forgotten.
    Arrived(BlobId, Vec<u8>),
    /// Nobody gave it in time, or its key doesn't open it. It is forgotten.
    Lost(BlobId),
}

/// All blobs on their way.
#[derive(Default)]
pub(super) struct Blobs {
    puts: BTreeMap<BlobId, Put>,
    gets: BTreeMap<BlobId, Get>,
    /// Frames without an answer yet: since when, and for what.
    asked: BTreeMap<(TransportKey, u64), Asked>,
    /// What others asked of this device.
    serving: Vec<(TransportKey, GetBlob)>,
    news: VecDeque<BlobNews>,
    /// When there is something to do; nothing before that.
    due_ms: u64,
}

/// A frame that awaits its answer.
#[derive(Clone, Copy)]
struct Asked {
    what: What,
    blob: BlobId,
    since_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Put,
    Get,
}

impl What {
    /// The key of its row.
    fn key(self, blob: &BlobId) -> Vec<u8> {
        let way = match self {
            Self::Put => b'p',
            Self::Get => b'g',
        };
        [&[way], blob.0.as_slice()].concat()
    }

    /// The key of a chunk.
    fn chunk_key(self, blob: &BlobId, index: u32) -> Vec<u8> {
        [self.key(blob).as_slice(), &index.to_be_bytes()].concat()
    }
}

/// A wait that doubles.
#[derive(Clone, Copy, Default)]
struct Patience {
    next_ms: u64,
    last_ms: u64,
}

impl Patience {
    /// Waits, at least as long as was asked for.
    fn wait(&mut self, now_ms: u64, asked_ms: u64) {
        let (least, most) = BACKOFF_MS;
        self.last_ms = self.last_ms.saturating_mul(2).clamp(least, most);
        self.next_ms = now_ms.saturating_add(self.last_ms.max(asked_ms).min(WAIT_MS));
    }

    /// Waits exactly so long, without doubling.
    fn pause(&mut self, now_ms: u64, asked_ms: u64) {
        self.next_ms = now_ms.saturating_add(asked_ms.clamp(1, WAIT_MS));
    }

    fn is_over(&self, now_ms: u64) -> bool {
        self.next_ms <= now_ms || self.next_ms > now_ms.saturating_add(WAIT_MS)
    }
}

/// Somebody who has, or may be given, a topic's blobs.
#[derive(Clone, Copy)]
struct Peer {
    key: TransportKey,
    relay: bool,
    opened: bool,
}

impl Blobs {
    /// When the client wants to be ticked for them.
    pub fn timer(&self) -> Option<u64> {
        let is_idle = self.puts.is_empty() && self.gets.is_empty();
        (!is_idle).then_some(self.due_ms)
    }

    /// Whether a stream has a frame of one kind on its way: one at a time, so that blobs don't crowd out messages.
    fn is_busy(&self, peer: &TransportKey, what: What) -> bool {
        let of_peer = self.asked.range((*peer, 0)..=(*peer, u64::MAX));
        of_peer.into_iter().any(|(_, asked)| asked.what == what)
    }
}

impl Client {
    pub(super) fn load_blobs(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (stored, value) in rows.prefix(Tree::Blobs, &[], usize::MAX)? {
            match stored.first() {
                Some(b'p') => self.load_put(&decode(&value)?),
                Some(b'g') => self.load_get(&decode(&value)?),
                _ => false,
            };
        }
        Ok(())
    }

    /// Takes what the rooms are to be told. Whoever takes it acts on it in the same step.
    pub(super) fn take_blob_news(&mut self) -> VecDeque<BlobNews> {
        std::mem::take(&mut self.blobs.news)
    }

    /// Fetches the blob that an envelope points to, perhaps one of an inbox; whoever has the envelope keeps it if there is no room.
    pub(super) fn blob_wanted(&mut self, now_ms: u64, topic: TopicId, inbox: Option<TopicId>, blob: &BlobRef) -> Taken {
        match self.blob_get(now_ms, topic, inbox, blob) {
            Ok(()) => Taken::Yes,
            Err(_) => Taken::Refused(Refusal::Busy),
        }
    }

    /// Gives the rooms what they were told.
    pub(super) fn hear_blobs(&mut self, now_ms: u64) -> Result<(), RowsError> {
        #[cfg(test)]
        if KEEP_NEWS.get() {
            return Ok(());
        }
        for news in self.take_blob_news() {
            let BlobNews::Arrived(blob, content) = news else {
                continue;
            };
            let topic = self.blobs.gets.get(&blob).map(Get::told_on);
            self.blob_forget(&blob);
            match topic.and_then(|topic| self.topics.get(&topic).copied()) {
                Some(TopicUse::Chat(chat)) => self.commit_blob(now_ms, chat, &content)?,
                Some(TopicUse::Inbox(account)) => self.inbox_blob(now_ms, account, &content)?,
                Some(TopicUse::Guest(card)) => self.guest_blob(now_ms, card, &content)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets go of a blob, whichever way it goes.
    pub(super) fn blob_forget(&mut self, blob: &BlobId) {
        if let Some(put) = self.blobs.puts.remove(blob) {
            self.delete_blob(What::Put, blob, put.chunks());
        }
        if let Some(get) = self.blobs.gets.remove(blob) {
            self.delete_blob(What::Get, blob, get.chunks());
        }
        self.blobs.asked.retain(|_, asked| asked.blob != *blob);
        self.blobs.due_ms = 0;
    }

    /// Does what is due. Called at the end of each input, since it reads rows.
    pub(super) fn pump_blobs(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        for (peer, get) in std::mem::take(&mut self.blobs.serving) {
            self.serve_blob(peer, &get, rows)?;
        }
        let due_ms = self.blobs.due_ms;
        let is_idle = self.blobs.puts.is_empty() && self.blobs.gets.is_empty();
        if is_idle || (due_ms > now_ms && due_ms <= now_ms.saturating_add(WAIT_MS)) {
            return Ok(());
        }
        self.blobs.due_ms = now_ms.saturating_add(WAIT_MS);
        self.give_up_waiting(now_ms);
        self.pump_puts(now_ms, rows)?;
        self.pump_gets(now_ms, rows)
    }

    /// The stream on which we ask a peer began or ended: what was on its way has no answer.
    pub(super) fn blob_stream_changed(&mut self, peer: TransportKey) {
        self.blobs.asked.retain(|(to, _), _| *to != peer);
        for put in self.blobs.puts.values_mut() {
            put.begin_again(&peer);
        }
        for get in self.blobs.gets.values_mut() {
            get.try_again(&peer);
        }
        self.blobs.due_ms = 0;
    }

    /// A custodian's answer to a put or get.
    pub(super) fn blob_answer(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        frame: CustodianFrame,
    ) -> Result<(), RowsError> {
        let request = match &frame {
            CustodianFrame::BlobState(state) => state.request,
            CustodianFrame::BlobReceipt(receipt) => receipt.request,
            CustodianFrame::BlobRefused(refused) => refused.request,
            CustodianFrame::BlobChunks(chunks) => chunks.request,
            _ => return Ok(()),
        };
        let Some(asked) = self.blobs.asked.remove(&(peer, request)) else {
            return Ok(());
        };
        self.blobs.due_ms = 0;
        match (asked.what, frame) {
            (What::Put, CustodianFrame::BlobState(state)) => self.put_goes_on(now_ms, peer, &asked.blob, &state),
            (What::Put, CustodianFrame::BlobReceipt(receipt)) => self.put_is_held(now_ms, peer, &receipt)?,
            (What::Put, CustodianFrame::BlobRefused(refused)) => {
                self.put_is_refused(now_ms, peer, &asked.blob, refused)
            }
            (What::Get, CustodianFrame::BlobChunks(chunks)) => self.chunks_came(peer, &asked.blob, chunks.chunks),
            (What::Get, CustodianFrame::BlobRefused(refused)) => {
                self.get_is_refused(now_ms, peer, &asked.blob, refused)
            }
            _ => self.penalise_blob(peer, "an answer to another question about a blob"),
        }
        Ok(())
    }

    /// Somebody asks for chunks of a blob; rows are read at the end of the input.
    pub(super) fn blob_asked(&mut self, peer: TransportKey, get: GetBlob) {
        if self.blobs.serving.len() < SERVING {
            self.blobs.serving.push((peer, get));
        }
    }

    fn serve_blob(&mut self, peer: TransportKey, get: &GetBlob, rows: &dyn Rows) -> Result<(), RowsError> {
        let request = get.request;
        let chunks = self.own_chunks(get, rows)?;
        let answer = if chunks.is_empty() {
            refused(request, Refusal::NotFound)
        } else {
            CustodianFrame::BlobChunks(BlobChunks { request, chunks })
        };
        self.send(peer, Side::Server, answer.encode());
        Ok(())
    }

    /// Whoever doesn't answer in time has not, and is asked later.
    fn give_up_waiting(&mut self, now_ms: u64) {
        let late = |asked: &Asked| now_ms.abs_diff(asked.since_ms) >= ANSWER_MS;
        let gone: Vec<_> = self.blobs.asked.iter().filter(|(_, asked)| late(asked)).collect();
        let gone: Vec<_> = gone.into_iter().map(|(key, asked)| (*key, *asked)).collect();
        for ((peer, request), asked) in gone {
            self.blobs.asked.remove(&(peer, request));
            let refused = BlobRefused {
                request,
                why: Refusal::NotFound,
                retry_after_s: 0,
            };
            match asked.what {
                What::Put => self.put_is_refused(now_ms, peer, &asked.blob, refused),
                What::Get => self.get_is_refused(now_ms, peer, &asked.blob, refused),
            }
        }
        if let Some(since_ms) = self.blobs.asked.values().map(|asked| asked.since_ms).min() {
            self.wake_blobs(since_ms.min(now_ms).saturating_add(ANSWER_MS));
        }
    }

    /// Those who keep a topic's blobs for its readers: the relays that these watch, and their devices, which serve their own.
    fn blob_peers(&self, topic: &TopicId) -> Vec<Peer> {
        let of = |serves: &dyn Fn(&Link) -> bool| -> Vec<Peer> {
            let links = self.links.iter().filter(|(_, link)| serves(link));
            let mut peers: Vec<Peer> = links
                .map(|(key, link)| Peer {
                    key: *key,
                    relay: link.relay,
                    opened: link.opened,
                })
                .collect();
            // Relays that broke their word are asked last.
            peers.sort_by_key(|peer| self.trust.is_demoted(&peer.key));
            peers
        };
        match self.topics.get(topic) {
            Some(TopicUse::Chat(chat)) => {
                let Some(chat): Option<&Chat> = self.chats.get(chat) else {
                    return Vec::new();
                };
                // Whom this device adds knows its relays, which needn't be the chat's.
                of(&|link| link.serves(chat) || link.relay && link.own)
            }
            Some(TopicUse::Inbox(writer)) => of(&|link| link.relay && link.own || link.accounts.contains(writer)),
            Some(TopicUse::Guest(card)) => {
                let inviter = self.request_of(card).map(|number| self.reaches.get(&number));
                of(
                    &|link| {
                        link.relay && link.own || inviter.flatten().is_some_and(|to| to.leads_to(&link.address.key))
                    },
                )
            }
            Some(_) => of(&|link| link.relay && link.watched.contains(topic)),
            None => Vec::new(),
        }
    }

    /// Sends a frame that awaits an answer.
    fn ask_blob(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        asked: (What, BlobId),
        frame: impl FnOnce(u64) -> ClientFrame,
    ) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let request = link.next_request;
        link.next_request += 1;
        let (what, blob) = asked;
        let asked = Asked {
            what,
            blob,
            since_ms: now_ms,
        };
        self.blobs.asked.insert((peer, request), asked);
        self.wake_blobs(now_ms.saturating_add(ANSWER_MS));
        self.send(peer, Side::Client, frame(request).encode());
    }

    pub(super) fn wake_blobs(&mut self, at_ms: u64) {
        self.blobs.due_ms = self.blobs.due_ms.min(at_ms);
    }

    fn delete_blob(&mut self, what: What, blob: &BlobId, chunks: u32) {
        self.delete_fresh(Tree::Blobs, what.key(blob));
        for index in 0..chunks {
            self.delete_fresh(Tree::BlobChunks, what.chunk_key(blob, index));
        }
    }

    fn penalise_blob(&mut self, peer: TransportKey, reason: &'static str) {
        self.step.effects.push(Effect::Penalise { peer, reason });
    }
}

/// A refusal without a time.
pub(super) fn refused(request: u64, why: Refusal) -> CustodianFrame {
    CustodianFrame::BlobRefused(BlobRefused {
        request,
        why,
        retry_after_s: 0,
    })
}

/// A bound of the node is reached.
fn limit(what: &'static str, limit: usize) -> CommandError {
    CommandError::Limit { what, limit }
}

/// A blob that this device can't hold.
fn fits(bytes: u64) -> Result<(), CommandError> {
    if bytes <= limits::BLOB_BYTES {
        return Ok(());
    }
    Err(CommandError::TooLarge {
        field: "blob",
        found: usize::try_from(bytes).unwrap_or(usize::MAX),
        limit: limits::BLOB_BYTES as usize,
    })
}

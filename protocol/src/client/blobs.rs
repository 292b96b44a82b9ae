//! Blobs on their way: out to the relays of a topic, in from whoever has them. Both outlive a restart and go on where they were.
//!
//! A room that wants to send something large seals it ([`crate::blob::seal`]), puts it here and hands over the envelope with its
//! reference, at the latest once [`BlobNews::Ready`] comes. One that receives a reference gets the blob here and hears
//! [`BlobNews::Arrived`], after each start anew until it forgets it. Files of people (`files`) are sealed as they come and stay on disk:
//! nothing here holds one in memory.
//!
//! Chunks travel in frames of [`limits::BLOB_CHUNKS_PER_FRAME`], a few on their way to each peer at once: more while it answers quickly,
//! one where it is slow, so that messages on the same stream don't wait for long.

mod files;
mod gets;
mod puts;
mod reading;
mod serving;

use super::chats::Chat;
use super::events::EventRow;
use super::inbound::Taken;
use super::inboxes::Ours;
use super::io::{CommandError, Effect, Side};
use super::links::Link;
use super::records::decode;
use super::{Client, LoadError, TopicUse};
use crate::blob::BlobRef;
use crate::custody::{BlobRefused, ClientFrame, CustodianFrame, GetBlob, Refusal};
use crate::keys::{BlobId, ChannelId, ChatId, TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
pub use files::BlobState;
use files::Draft;
use gets::Get;
use puts::Put;
pub use reading::{BlobView, ReadError, read, strips, view};
use serving::Trees;
use std::collections::{BTreeMap, VecDeque};

/// Milliseconds that a custodian has to answer (guess: half a megabyte over a slow line).
const ANSWER_MS: u64 = 60_000;
/// Least and greatest milliseconds between tries (guess: a hiccup, and an operator's time to make room).
const BACKOFF_MS: (u64, u64) = (5_000, 600_000);
/// The longest that anything here waits, in milliseconds: no clock that jumped makes it longer.
const WAIT_MS: u64 = 3_600_000;
/// Frames of others that wait for the end of an input, which brings one at most.
const SERVING: usize = 16;
/// Frames of chunks on their way to or from a peer at most, each way: three quarters of what a stream's queue takes. A commit takes what came
/// during the one before it, so that its syncs are shared by half of them (docs/benchmark.md, `transfer`).
const WINDOW: usize = 12;
/// Frames that a relay is asked for at once: what it sends before it is acknowledged is bounded ([`limits::PUSH_WINDOW_BYTES`]).
const RELAY_WINDOW: usize = 8;
const _: () = assert!(
    RELAY_WINDOW * limits::BLOB_CHUNKS_PER_FRAME * (limits::BLOB_CHUNK_BYTES + 64) < limits::PUSH_WINDOW_BYTES as usize
);
/// Milliseconds within which an answer makes the window grow, and after which it shrinks to one (guess: what a message may wait).
const QUICK_MS: (u64, u64) = (300, 1_000);
/// Milliseconds between two events of one blob's progress.
const PROGRESS_MS: u64 = 2_000;

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
    /// Files that are being sealed, by the number of their upload.
    drafts: BTreeMap<[u8; 32], Draft>,
    /// Frames without an answer yet: since when, and for what.
    asked: BTreeMap<(TransportKey, u64), Asked>,
    /// Frames that may be on their way at once, where that is more than one.
    windows: BTreeMap<TransportKey, usize>,
    /// What others asked of this device.
    serving: Vec<(TransportKey, GetBlob)>,
    /// Hash trees of files that are being served.
    trees: Trees,
    /// When each file's progress was told last.
    told: BTreeMap<BlobId, u64>,
    /// Bytes that may still be written on the disk, if the shell says so.
    free_bytes: Option<u64>,
    news: VecDeque<BlobNews>,
    /// When there is something to do; nothing before that.
    due_ms: u64,
}

/// A frame that awaits its answer.
#[derive(Clone)]
struct Asked {
    what: What,
    blob: BlobId,
    since_ms: u64,
    /// The chunks in it, or those that it asks for.
    chunks: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Put,
    Get,
}

impl What {
    fn way(self) -> u8 {
        match self {
            Self::Put => b'p',
            Self::Get => b'g',
        }
    }

    /// The key of its row.
    fn key(self, blob: &BlobId) -> Vec<u8> {
        row_key(self.way(), &blob.0)
    }

    /// The key of a chunk. The place is the blob's id, or for a file of ours the number of its upload, which came first.
    fn chunk_key(self, place: &[u8; 32], index: u32) -> Vec<u8> {
        [row_key(self.way(), place).as_slice(), &index.to_be_bytes()].concat()
    }
}

fn row_key(way: u8, id: &[u8; 32]) -> Vec<u8> {
    [&[way], id.as_slice()].concat()
}

/// A wait that doubles.
#[derive(Clone, Copy, Default)]
struct Patience {
    next_ms: u64,
    last_ms: u64,
}

impl Patience {
    /// Waits, at least as long as was asked for. It doubles once for all the frames that were on their way together.
    fn wait(&mut self, now_ms: u64, asked_ms: u64) {
        let (least, most) = BACKOFF_MS;
        let times = if self.is_over(now_ms) { 2 } else { 1 };
        self.last_ms = self.last_ms.saturating_mul(times).clamp(least, most);
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
        (!self.is_idle()).then_some(self.due_ms)
    }

    fn is_idle(&self) -> bool {
        self.puts.is_empty() && self.gets.is_empty() && self.drafts.is_empty()
    }

    /// Whether a peer has as many frames of one kind on their way as it may.
    fn is_busy(&self, peer: &TransportKey, what: What, most: usize) -> bool {
        let of_peer = self.asked.range((*peer, 0)..=(*peer, u64::MAX));
        let under_way = of_peer.into_iter().filter(|(_, asked)| asked.what == what).count();
        under_way >= self.windows.get(peer).copied().unwrap_or(1).min(most)
    }

    /// Learns from an answer how many frames a peer should have on their way.
    fn learn(&mut self, peer: TransportKey, took_ms: u64) {
        let (quick, slow) = QUICK_MS;
        let window = self.windows.entry(peer).or_insert(1);
        if took_ms <= quick {
            *window = (*window + 1).min(WINDOW);
        } else if took_ms > slow {
            *window = 1;
        }
    }

    /// What is on its way of a blob.
    fn under_way(&self, what: What, blob: &BlobId) -> impl Iterator<Item = (&TransportKey, &Asked)> {
        let of_blob = self
            .asked
            .iter()
            .filter(move |(_, asked)| asked.what == what && asked.blob == *blob);
        of_blob.map(|((peer, _), asked)| (peer, asked))
    }
}

impl Client {
    pub(super) fn load_blobs(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (stored, value) in rows.prefix(Tree::Blobs, &[], usize::MAX)? {
            match stored.first() {
                Some(b'p') => self.load_put(&stored, &decode(&value)?),
                Some(b'g') => self.load_get(&decode(&value)?),
                Some(b'd') => self.load_draft(&stored, &decode(&value)?),
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
                Some(TopicUse::Inbox(account)) => self.inbox_blob(now_ms, Ours::Contact(account), &content)?,
                Some(TopicUse::Alias(chat)) => self.inbox_blob(now_ms, Ours::Alias(chat), &content)?,
                Some(TopicUse::Guest(card)) => self.guest_blob(now_ms, card, &content)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets go of a blob, whichever way it goes.
    pub(super) fn blob_forget(&mut self, blob: &BlobId) {
        if let Some(put) = self.blobs.puts.remove(blob) {
            self.delete_put(blob, &put);
        }
        if let Some(get) = self.blobs.gets.remove(blob) {
            self.delete_get(blob, &get);
        }
        self.blobs.told.remove(blob);
        self.blobs.asked.retain(|_, asked| asked.blob != *blob);
        self.blobs.due_ms = 0;
    }

    /// Does what is due. Called at the end of each input, since it reads rows.
    pub(super) fn pump_blobs(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        for (peer, get) in std::mem::take(&mut self.blobs.serving) {
            self.serve_blob(now_ms, peer, &get, rows)?;
        }
        let due_ms = self.blobs.due_ms;
        if self.blobs.is_idle() || (due_ms > now_ms && due_ms <= now_ms.saturating_add(WAIT_MS)) {
            return Ok(());
        }
        self.blobs.due_ms = now_ms.saturating_add(WAIT_MS);
        self.give_up_waiting(now_ms);
        self.expire_drafts(now_ms);
        self.pump_puts(now_ms, rows)?;
        self.pump_gets(now_ms, rows)
    }

    /// The stream on which we ask a peer began or ended: what was on its way has no answer.
    pub(super) fn blob_stream_changed(&mut self, peer: TransportKey) {
        self.blobs.asked.retain(|(to, _), _| *to != peer);
        self.blobs.windows.remove(&peer);
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
        if let CustodianFrame::BlobRefused(_) = frame {
            self.blobs.windows.remove(&peer);
        } else {
            self.blobs.learn(peer, now_ms.abs_diff(asked.since_ms));
        }
        match (asked.what, frame) {
            (What::Put, CustodianFrame::BlobState(state)) => self.put_goes_on(now_ms, peer, &asked.blob, &state),
            (What::Put, CustodianFrame::BlobReceipt(receipt)) => self.put_is_held(now_ms, peer, &receipt)?,
            (What::Put, CustodianFrame::BlobRefused(refused)) => {
                self.put_is_refused(now_ms, peer, &asked.blob, refused)
            }
            (What::Get, CustodianFrame::BlobChunks(chunks)) => {
                self.chunks_came(now_ms, peer, &asked.blob, chunks.chunks)?
            }
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

    /// Whoever doesn't answer in time has not, and is asked later.
    fn give_up_waiting(&mut self, now_ms: u64) {
        let late = |asked: &Asked| now_ms.abs_diff(asked.since_ms) >= ANSWER_MS;
        let gone: Vec<_> = self.blobs.asked.iter().filter(|(_, asked)| late(asked)).collect();
        let gone: Vec<_> = gone.into_iter().map(|(key, asked)| (*key, asked.clone())).collect();
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
        match self.topics.get(topic) {
            Some(TopicUse::Chat(chat) | TopicUse::Alias(chat)) => self.blob_peers_of(chat),
            Some(TopicUse::Inbox(writer)) => {
                self.peers_that(&|link| link.relay && link.own || link.accounts.contains(writer))
            }
            Some(TopicUse::Guest(card)) => {
                let inviter = self.request_of(card).map(|number| self.reaches.get(&number));
                self.peers_that(&|link| {
                    link.relay && link.own || inviter.flatten().is_some_and(|to| to.leads_to(&link.address.key))
                })
            }
            Some(_) => self.peers_that(&|link| link.relay && link.watched.contains(topic)),
            None => Vec::new(),
        }
    }

    /// Those who keep a chat's blobs, whatever its topic was when they were put; of a channel, which has its id here, its relays.
    fn blob_peers_of(&self, chat: &ChatId) -> Vec<Peer> {
        let Some(chat): Option<&Chat> = self.chats.get(chat) else {
            let channel = ChannelId(chat.0);
            return self.peers_that(&|link| link.relay && link.channels.contains(&channel));
        };
        // Whom this device adds knows its relays, which needn't be the chat's.
        self.peers_that(&|link| link.serves(chat) || link.relay && link.own && !chat.quiet)
    }

    fn peers_that(&self, serves: &dyn Fn(&Link) -> bool) -> Vec<Peer> {
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
    }

    /// Sends a frame that awaits an answer.
    fn ask_blob(&mut self, peer: TransportKey, asked: Asked, frame: impl FnOnce(u64) -> ClientFrame) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let request = link.request();
        self.wake_blobs(asked.since_ms.saturating_add(ANSWER_MS));
        self.blobs.asked.insert((peer, request), asked);
        self.send(peer, Side::Client, frame(request).encode());
    }

    /// Tells of a file's progress, not too often; its last state in any case.
    fn tell_progress(&mut self, now_ms: u64, blob: BlobId, state: BlobState, done: u32) {
        let told = self.blobs.told.get(&blob);
        let is_soon = told.is_some_and(|told| now_ms.abs_diff(*told) < PROGRESS_MS);
        if state.is_under_way() && is_soon {
            return;
        }
        if state.is_under_way() {
            self.blobs.told.insert(blob, now_ms);
        } else {
            self.blobs.told.remove(&blob);
        }
        let length_bytes = self.blobs.file_length(&blob);
        self.event(&EventRow::Blob {
            blob,
            state,
            done_bytes: content_bytes(done, length_bytes),
            length_bytes,
        });
    }

    pub(super) fn wake_blobs(&mut self, at_ms: u64) {
        self.blobs.due_ms = self.blobs.due_ms.min(at_ms);
    }

    fn penalise_blob(&mut self, peer: TransportKey, reason: &'static str) {
        self.step.effects.push(Effect::Penalise { peer, reason });
    }
}

/// Bytes of a content that so many chunks hold; the last ones may hold less, or padding alone.
fn content_bytes(chunks: u32, length_bytes: u64) -> u64 {
    (u64::from(chunks) * limits::BLOB_CHUNK_BYTES as u64).min(length_bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_frames_that_were_sent_together_double_the_wait_once() {
        let mut patience = Patience::default();
        for _ in 0..WINDOW {
            patience.wait(1_000, 0);
        }
        assert_eq!(patience.next_ms, 1_000 + BACKOFF_MS.0);

        let again_ms = patience.next_ms;
        for _ in 0..WINDOW {
            patience.wait(again_ms, 0);
        }
        assert_eq!(patience.next_ms, again_ms + 2 * BACKOFF_MS.0);
    }
}

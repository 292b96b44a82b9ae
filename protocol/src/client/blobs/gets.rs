//! Downloads: whoever has some of what is missing is asked for it, all of them at once, each for other chunks. Each chunk is checked as it
//! comes and kept, so that a restart loses none.

use super::files::{BlobState as FileState, FILES};
use super::reading::BlobView;
use super::{Asked, BlobNews, Client, Patience, Peer, RELAY_WINDOW, WINDOW, What, content_bytes, fits, limit};
use crate::blob::{Assembly, BlobRef, Chunk, Held, Shape};
use crate::client::io::{CommandError, Reply};
use crate::client::records::encode;
use crate::custody::{BlobRefused, ChunkRange, ClientFrame, GetBlob, Refusal};
use crate::keys::{BlobId, ChatId, TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Blobs of rooms that wait to be fetched; beyond, asking for more is refused and may be repeated.
const GETS: usize = 256;
/// Blobs that are fetched at once (guess: the commits of a busy day, an album).
const ACTIVE: usize = 16;
/// Milliseconds after which a blob is given up: no relay keeps one for longer.
const GIVE_UP_MS: u64 = limits::CUSTODY_SECONDS as u64 * 1000;
/// Milliseconds after which a chunk that was asked for is asked of another too, if there is nothing else to ask for (guess).
const LATE_MS: u64 = 3_000;
/// Milliseconds after which a file that waits for room on the disk is looked after again (guess: somebody deletes something).
const ROOM_MS: u64 = 5_000;
/// Chunks of one read of a file that are looked at for damage: more than any has.
const READ_CHUNKS: usize = 64;

/// A blob that is wanted, or a file that was.
pub(super) struct Get {
    topic: TopicId,
    /// The inbox whose message points to it: who is told there of a chat's blob isn't in the chat yet.
    inbox: Option<TopicId>,
    /// Whose message has it, if it is a file of people; else a room waits for it.
    chat: Option<ChatId>,
    blob: BlobRef,
    shape: Shape,
    held: Held,
    since_ms: u64,
    /// The rooms have it, or it is a file that is whole.
    told: bool,
    /// Who had nothing more since the last wait.
    tried: BTreeSet<TransportKey>,
    /// That was everybody: all are asked again after the wait.
    is_over: bool,
    patience: Patience,
}

/// A blob that is wanted, as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct GetRow {
    topic: TopicId,
    #[serde(default)]
    inbox: Option<TopicId>,
    #[serde(with = "serde_bytes")]
    blob: Vec<u8>,
    since_ms: u64,
    #[serde(default)]
    chat: Option<ChatId>,
    /// None in rows of versions that looked at the chunks.
    #[serde(default)]
    held: Option<Held>,
}

impl GetRow {
    /// Its reference.
    pub(super) fn reference(&self) -> Option<BlobRef> {
        BlobRef::decode(&self.blob).ok()
    }

    /// What people see of it, if it is a file.
    pub(super) fn view(&self) -> Option<BlobView> {
        self.chat?;
        let blob = self.reference()?;
        let shape = blob.shape().ok()?;
        let here = self.held.as_ref().map_or(0, Held::count);
        Some(BlobView {
            blob: Some(blob.id),
            upload: None,
            state: if here == shape.chunks() {
                FileState::Fetched
            } else {
                FileState::Fetching
            },
            length_bytes: blob.length_bytes,
            here_bytes: content_bytes(here, blob.length_bytes),
            held: Vec::new(),
        })
    }
}

impl Get {
    /// Somebody's stream began or ended.
    pub(super) fn try_again(&mut self, peer: &TransportKey) {
        self.tried.remove(peer);
        self.is_over = false;
        self.patience = Patience::default();
    }

    /// The topic on which it was pointed to.
    pub(super) fn told_on(&self) -> TopicId {
        self.inbox.unwrap_or(self.topic)
    }

    /// What others may have of it: chunks of a file, if they ask on its topic.
    pub(super) fn serves(&self, topic: &TopicId) -> Option<(Shape, &Held)> {
        (self.chat.is_some() && self.topic == *topic).then_some((self.shape, &self.held))
    }

    /// Its size, if it is a file.
    pub(super) fn file_shape(&self) -> Option<Shape> {
        self.chat.map(|_| self.shape)
    }

    /// Whether it is a file, all of it here.
    pub(super) fn is_whole_file(&self) -> bool {
        self.chat.is_some() && self.told
    }

    pub(super) fn length_bytes(&self) -> u64 {
        self.blob.length_bytes
    }

    pub(super) fn since_ms(&self) -> u64 {
        self.since_ms
    }
}

impl Client {
    /// Fetches a blob of a topic. [`BlobNews::Arrived`] brings it, after each start anew until it is forgotten; [`BlobNews::Lost`] says
    /// that it was given up. What is wanted already is not asked for twice.
    ///
    /// # Errors
    /// When it is too large or too many are wanted.
    pub(in crate::client) fn blob_get(
        &mut self,
        now_ms: u64,
        topic: TopicId,
        inbox: Option<TopicId>,
        blob: &BlobRef,
    ) -> Result<(), CommandError> {
        fits(blob.length_bytes)?;
        self.begin_get(now_ms, (topic, inbox, None), blob)
    }

    /// Fetches a file of a chat.
    pub(super) fn file_get(
        &mut self,
        now_ms: u64,
        topic: TopicId,
        chat: ChatId,
        blob: &BlobRef,
    ) -> Result<(), CommandError> {
        self.begin_get(now_ms, (topic, None, Some(chat)), blob)
    }

    fn begin_get(
        &mut self,
        now_ms: u64,
        (topic, inbox, chat): (TopicId, Option<TopicId>, Option<ChatId>),
        blob: &BlobRef,
    ) -> Result<(), CommandError> {
        if self.blobs.gets.contains_key(&blob.id) {
            return Ok(());
        }
        let most = if chat.is_some() { FILES } else { GETS };
        let alike = self
            .blobs
            .gets
            .values()
            .filter(|get| get.chat.is_some() == chat.is_some());
        if alike.count() >= most {
            return Err(limit("blobs that are fetched", most));
        }
        let row = GetRow {
            topic,
            inbox,
            blob: blob.encode(),
            since_ms: now_ms,
            chat,
            held: None,
        };
        self.load_get(&row);
        self.write_get(&blob.id)?;
        self.blobs.due_ms = 0;
        Ok(())
    }

    /// False if the row says nothing that this version knows.
    pub(super) fn load_get(&mut self, row: &GetRow) -> bool {
        let Some(blob) = row.reference() else {
            return false;
        };
        let Ok(shape) = blob.shape() else {
            return false;
        };
        let held = row.held.clone().unwrap_or_else(|| Held::none(shape));
        let get = Get {
            topic: row.topic,
            inbox: row.inbox,
            chat: row.chat,
            since_ms: row.since_ms,
            told: row.chat.is_some() && held.is_whole(shape),
            tried: BTreeSet::new(),
            is_over: false,
            patience: Patience::default(),
            shape,
            held,
            blob,
        };
        self.blobs.gets.insert(get.blob.id, get);
        true
    }

    pub(super) fn pump_gets(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let wanted = self.blobs.gets.iter().filter(|(_, get)| !get.told);
        let wanted: Vec<BlobId> = wanted.map(|(blob, _)| *blob).collect();
        let mut active = 0;
        for blob in wanted {
            let Some(get) = self.blobs.gets.get_mut(&blob) else {
                continue;
            };
            get.since_ms = get.since_ms.min(now_ms);
            let ends_ms = get.since_ms.saturating_add(GIVE_UP_MS);
            if ends_ms <= now_ms {
                self.lose_get(now_ms, &blob);
                continue;
            }
            self.wake_blobs(ends_ms);
            if active < ACTIVE && !self.finish_get(now_ms, &blob, rows)? {
                active += 1;
                self.pump_get(now_ms, &blob);
            }
        }
        Ok(())
    }

    /// Tells of a blob that is whole; false if it isn't.
    fn finish_get(&mut self, now_ms: u64, blob: &BlobId, rows: &dyn Rows) -> Result<bool, RowsError> {
        let Some(get) = self.blobs.gets.get_mut(blob).filter(|get| get.held.is_whole(get.shape)) else {
            return Ok(false);
        };
        let chunks = get.shape.chunks();
        if get.chat.is_some() {
            get.told = true;
            self.tell_progress(now_ms, *blob, FileState::Fetched, chunks);
            return Ok(true);
        }
        let Ok(mut assembly) = Assembly::new(get.blob.clone()) else {
            self.lose_get(now_ms, blob);
            return Ok(true);
        };
        for index in 0..chunks {
            let key = What::Get.chunk_key(&blob.0, index);
            let stored = self.fresh.get(rows, Tree::BlobChunks, &key)?;
            let chunk = stored.and_then(|value| Chunk::decode(&value).ok());
            // One that doesn't hold is missing, and is fetched again.
            if !chunk.is_some_and(|chunk| chunk.index == index && assembly.add(chunk).is_ok())
                && let Some(get) = self.blobs.gets.get_mut(blob)
            {
                get.held.set(index, false);
            }
        }
        if !assembly.is_whole() {
            return Ok(false);
        }
        match assembly.open() {
            Ok(content) => {
                if let Some(get) = self.blobs.gets.get_mut(blob) {
                    get.told = true;
                }
                self.blobs.news.push_back(BlobNews::Arrived(*blob, content));
            }
            Err(_) => self.lose_get(now_ms, blob),
        }
        // Another has its turn now.
        self.blobs.due_ms = 0;
        Ok(true)
    }

    /// Asks everybody who may have it for what is missing, each for other chunks.
    fn pump_get(&mut self, now_ms: u64, blob: &BlobId) {
        let Some(get) = self.blobs.gets.get(blob) else {
            return;
        };
        if !get.patience.is_over(now_ms) {
            let next_ms = get.patience.next_ms;
            self.wake_blobs(next_ms);
            return;
        }
        let mut peers = match &get.chat {
            Some(chat) => self.blob_peers_of(chat),
            None => self.blob_peers(&get.told_on()),
        };
        peers.retain(|peer| peer.opened);
        // Relays first, which have more to give than a member's device.
        peers.sort_by_key(|peer| !peer.relay);
        let (is_file, needed_bytes) = (get.chat.is_some(), get.shape.sealed_bytes());
        let is_asked = self.blobs.under_way(What::Get, blob).next().is_some();
        if is_file && !self.blobs.has_room(needed_bytes.min(limits::BLOB_BYTES)) {
            // The disk is nearly full; the shell says with each input whether it still is.
            self.wake_blobs(now_ms.saturating_add(ROOM_MS));
            return;
        }
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return;
        };
        if std::mem::take(&mut get.is_over) {
            get.tried.clear();
        }
        peers.retain(|peer| !get.tried.contains(&peer.key));
        if peers.is_empty() {
            // Whoever comes is asked at once; those who are there, later.
            if !get.tried.is_empty() && !is_asked {
                get.is_over = true;
                get.patience.wait(now_ms, 0);
                let next_ms = get.patience.next_ms;
                self.wake_blobs(next_ms);
            }
            return;
        }
        while self.ask_each(now_ms, blob, &peers) {}
    }

    /// Asks each peer that may be asked for a frame of chunks; false if there was none to ask or nothing to ask for.
    fn ask_each(&mut self, now_ms: u64, blob: &BlobId, peers: &[Peer]) -> bool {
        let mut asked = false;
        for peer in peers {
            let most = if peer.relay { RELAY_WINDOW } else { WINDOW };
            if self.blobs.is_busy(&peer.key, What::Get, most) {
                continue;
            }
            let next = self.next_chunks(now_ms, blob, &peer.key);
            let Some(get) = self.blobs.gets.get(blob).filter(|_| !next.is_empty()) else {
                continue;
            };
            let topic = get.topic;
            let chunks = ChunkRange::of(next.iter().copied());
            let note = Asked {
                what: What::Get,
                blob: *blob,
                since_ms: now_ms,
                chunks: next,
            };
            self.ask_blob(peer.key, note, |request| {
                ClientFrame::GetBlob(GetBlob {
                    request,
                    topic,
                    blob: *blob,
                    chunks,
                })
            });
            asked = true;
        }
        asked
    }

    /// What to ask a peer for: chunks that nobody was asked for, else some that are late from one other.
    fn next_chunks(&mut self, now_ms: u64, blob: &BlobId, peer: &TransportKey) -> Vec<u32> {
        let mut under_way: BTreeMap<u32, (u64, usize, bool)> = BTreeMap::new();
        for (to, asked) in self.blobs.under_way(What::Get, blob) {
            for index in &asked.chunks {
                let entry = under_way.entry(*index).or_insert((asked.since_ms, 0, false));
                entry.1 += 1;
                entry.2 |= to == peer;
            }
        }
        let Some(get) = self.blobs.gets.get(blob) else {
            return Vec::new();
        };
        let fresh = get
            .held
            .missing(get.shape)
            .filter(|index| !under_way.contains_key(index));
        let fresh: Vec<u32> = fresh.take(limits::BLOB_CHUNKS_PER_FRAME).collect();
        if !fresh.is_empty() {
            return fresh;
        }
        let others = under_way.iter().filter(|(_, (_, times, asked))| *times == 1 && !asked);
        let mut late = Vec::new();
        let mut due_ms = u64::MAX;
        for (index, (since_ms, _, _)) in others {
            let at_ms = since_ms.saturating_add(LATE_MS);
            if at_ms > now_ms {
                due_ms = due_ms.min(at_ms);
            } else if late.len() < limits::BLOB_CHUNKS_PER_FRAME {
                late.push(*index);
            }
        }
        self.wake_blobs(due_ms);
        late
    }

    pub(super) fn chunks_came(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        blob: &BlobId,
        chunks: Vec<Chunk>,
    ) -> Result<(), RowsError> {
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return Ok(());
        };
        let (mut taken, mut is_wrong) = (Vec::new(), false);
        for chunk in chunks {
            if chunk.check(blob, get.shape).is_err() {
                is_wrong = true;
            } else if !get.held.has(chunk.index) {
                get.held.set(chunk.index, true);
                taken.push((chunk.index, chunk.encode()));
            }
        }
        if is_wrong || taken.is_empty() {
            get.tried.insert(peer);
        } else {
            get.patience = Patience::default();
        }
        let (is_file, done) = (get.chat.is_some(), get.held.count());
        let is_new = !taken.is_empty();
        for (index, value) in taken {
            self.put_fresh(Tree::BlobChunks, What::Get.chunk_key(&blob.0, index), value);
        }
        if is_new {
            self.write_get(blob)?;
        }
        if is_new && is_file {
            self.tell_progress(now_ms, *blob, FileState::Fetching, done);
        }
        if is_wrong {
            self.penalise_blob(peer, "a chunk that isn't the blob's");
            self.junk(now_ms, peer, "it sent a chunk that isn't the blob's", &[])?;
        }
        Ok(())
    }

    /// Looks at a part of a file that was fetched, and fetches again what can't be read of it.
    pub(in crate::client) fn file_mend(
        &mut self,
        now_ms: u64,
        blob: BlobId,
        offset_bytes: u64,
        length_bytes: u64,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let get = self.blobs.gets.get(&blob).filter(|get| get.is_whole_file());
        let Some(shape) = get.map(|get| get.shape) else {
            return Err(CommandError::NotFound { field: "blob" });
        };
        let chunk = |at: u64| u32::try_from(at / limits::BLOB_CHUNK_BYTES as u64).unwrap_or(u32::MAX);
        let end = offset_bytes.saturating_add(length_bytes);
        let (first, last) = (chunk(offset_bytes), chunk(end).min(shape.chunks() - 1));
        let mut lost = Vec::new();
        for index in (first..=last).take(READ_CHUNKS) {
            let stored = self
                .fresh
                .get(rows, Tree::BlobChunks, &What::Get.chunk_key(&blob.0, index))?;
            let chunk = stored.and_then(|value| Chunk::decode(&value).ok());
            if chunk.is_none_or(|chunk| chunk.check(&blob, shape).is_err()) {
                lost.push(index);
            }
        }
        self.lose_chunks(now_ms, &blob, &lost)?;
        Ok(Reply::Done)
    }

    /// Chunks of a file that were here can't be read any more: it isn't whole, and they are fetched again.
    pub(super) fn lose_chunks(&mut self, now_ms: u64, blob: &BlobId, lost: &[u32]) -> Result<(), RowsError> {
        let Some(get) = self.blobs.gets.get_mut(blob).filter(|_| !lost.is_empty()) else {
            return Ok(());
        };
        for index in lost {
            get.held.set(*index, false);
        }
        get.told = false;
        get.since_ms = now_ms;
        get.tried.clear();
        get.patience = Patience::default();
        let done = get.held.count();
        for index in lost {
            self.delete_fresh(Tree::BlobChunks, What::Get.chunk_key(&blob.0, *index));
        }
        self.write_get(blob)?;
        self.tell_progress(now_ms, *blob, FileState::Fetching, done);
        self.blobs.due_ms = 0;
        Ok(())
    }

    pub(super) fn get_is_refused(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, refused: BlobRefused) {
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return;
        };
        if refused.why == Refusal::Busy {
            get.patience.pause(now_ms, u64::from(refused.retry_after_s) * 1000);
        } else {
            get.tried.insert(peer);
        }
    }

    fn lose_get(&mut self, now_ms: u64, blob: &BlobId) {
        let Some(get) = self.blobs.gets.get(blob) else {
            return;
        };
        if get.chat.is_some() {
            let done = get.held.count();
            self.tell_progress(now_ms, *blob, FileState::Lost, done);
        } else {
            self.blobs.news.push_back(BlobNews::Lost(*blob));
        }
        if let Some(get) = self.blobs.gets.remove(blob) {
            self.delete_get(blob, &get);
        }
        self.blobs
            .asked
            .retain(|_, asked| asked.what != What::Get || asked.blob != *blob);
        self.blobs.due_ms = 0;
    }

    /// Removes its rows.
    pub(super) fn delete_get(&mut self, blob: &BlobId, get: &Get) {
        self.delete_fresh(Tree::Blobs, What::Get.key(blob));
        for index in (0..get.shape.chunks()).filter(|index| get.held.has(*index)) {
            self.delete_fresh(Tree::BlobChunks, What::Get.chunk_key(&blob.0, index));
        }
    }

    fn write_get(&mut self, blob: &BlobId) -> Result<(), RowsError> {
        let Some(get) = self.blobs.gets.get(blob) else {
            return Ok(());
        };
        let row = encode(&GetRow {
            topic: get.topic,
            inbox: get.inbox,
            blob: get.blob.encode(),
            since_ms: get.since_ms,
            chat: get.chat,
            held: Some(get.held.clone()),
        })?;
        self.put_fresh(Tree::Blobs, What::Get.key(blob), row);
        Ok(())
    }
}

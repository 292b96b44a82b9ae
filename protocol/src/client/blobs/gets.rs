//! Downloads: custodians are asked in turn for what is missing, each chunk is checked as it comes and kept, so that a restart loses none.

use super::{BlobNews, Client, Patience, What, fits, limit};
use crate::blob::{Assembly, BlobRef, Chunk};
use crate::client::io::CommandError;
use crate::client::records::encode;
use crate::custody::{BlobRefused, ChunkRange, ClientFrame, GetBlob, Refusal};
use crate::keys::{BlobId, TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Blobs that wait to be fetched; beyond, asking for more is refused and may be repeated.
const GETS: usize = 256;
/// Blobs that are fetched at once, and their bytes in memory (guess: the commits of a busy day).
const ACTIVE: usize = 16;
const ACTIVE_BYTES: u64 = 64 * 1024 * 1024;
/// Milliseconds after which a blob is given up: no relay keeps one for longer.
const GIVE_UP_MS: u64 = limits::CUSTODY_SECONDS as u64 * 1000;

/// A blob that is wanted.
pub(super) struct Get {
    topic: TopicId,
    /// The inbox whose message points to it: who is told there of a chat's blob isn't in the chat yet.
    inbox: Option<TopicId>,
    blob: BlobRef,
    since_ms: u64,
    /// `None` while it waits for its turn, and once it is told.
    assembly: Option<Assembly>,
    /// The rooms have it.
    told: bool,
    asked: Option<TransportKey>,
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
}

impl Get {
    pub(super) fn chunks(&self) -> u32 {
        self.blob.shape().map_or(0, |shape| shape.chunks())
    }

    /// Somebody's stream began or ended.
    pub(super) fn try_again(&mut self, peer: &TransportKey) {
        self.asked = self.asked.filter(|asked| asked != peer);
        self.tried.remove(peer);
        self.is_over = false;
        self.patience = Patience::default();
    }

    /// The topic on which it was pointed to.
    pub(super) fn told_on(&self) -> TopicId {
        self.inbox.unwrap_or(self.topic)
    }

    fn answered(&mut self, peer: &TransportKey) {
        self.asked = self.asked.filter(|asked| asked != peer);
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
        if self.blobs.gets.contains_key(&blob.id) {
            return Ok(());
        }
        if self.blobs.gets.len() >= GETS {
            return Err(limit("blobs that are fetched", GETS));
        }
        let row = GetRow {
            topic,
            inbox,
            blob: blob.encode(),
            since_ms: now_ms,
        };
        self.load_get(&row);
        let row = encode(&row)?;
        self.put_fresh(Tree::Blobs, What::Get.key(&blob.id), row);
        self.blobs.due_ms = 0;
        Ok(())
    }

    /// False if the row says nothing that this version knows.
    pub(super) fn load_get(&mut self, row: &GetRow) -> bool {
        let Ok(blob) = BlobRef::decode(&row.blob) else {
            return false;
        };
        let get = Get {
            topic: row.topic,
            inbox: row.inbox,
            since_ms: row.since_ms,
            assembly: None,
            told: false,
            asked: None,
            tried: BTreeSet::new(),
            is_over: false,
            patience: Patience::default(),
            blob,
        };
        self.blobs.gets.insert(get.blob.id, get);
        true
    }

    pub(super) fn pump_gets(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let blobs: Vec<BlobId> = self.blobs.gets.keys().copied().collect();
        for blob in blobs {
            let Some(get) = self.blobs.gets.get_mut(&blob) else {
                continue;
            };
            get.since_ms = get.since_ms.min(now_ms);
            let ends_ms = get.since_ms.saturating_add(GIVE_UP_MS);
            if ends_ms <= now_ms {
                self.lose_get(&blob);
                continue;
            }
            self.wake_blobs(ends_ms);
            self.begin_get(&blob, rows)?;
            self.finish_get(&blob);
            self.pump_get(now_ms, &blob);
        }
        Ok(())
    }

    /// Takes up a blob whose turn has come, with what is there of it.
    fn begin_get(&mut self, blob: &BlobId, rows: &dyn Rows) -> Result<(), RowsError> {
        let active = self.blobs.gets.values().filter_map(|get| get.assembly.as_ref());
        let lengths: Vec<u64> = active.map(|assembly| assembly.shape().sealed_bytes()).collect();
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return Ok(());
        };
        if get.told || get.assembly.is_some() || lengths.len() >= ACTIVE {
            return Ok(());
        }
        let Ok(mut assembly) = Assembly::new(get.blob.clone()) else {
            self.lose_get(blob);
            return Ok(());
        };
        if lengths.iter().sum::<u64>() + assembly.shape().sealed_bytes() > ACTIVE_BYTES {
            return Ok(());
        }
        for index in 0..assembly.shape().chunks() {
            let stored = self
                .fresh
                .get(rows, Tree::BlobChunks, &What::Get.chunk_key(blob, index))?;
            if let Some(chunk) = stored.and_then(|value| Chunk::decode(&value).ok()) {
                // One that doesn't hold is missing, and is fetched again.
                let _is_new = assembly.add(chunk);
            }
        }
        get.assembly = Some(assembly);
        Ok(())
    }

    /// Tells the rooms of a blob that is whole.
    fn finish_get(&mut self, blob: &BlobId) {
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return;
        };
        let Some(assembly) = get.assembly.take_if(|assembly| assembly.is_whole()) else {
            return;
        };
        get.told = true;
        match assembly.open() {
            Ok(content) => self.blobs.news.push_back(BlobNews::Arrived(*blob, content)),
            Err(_) => self.lose_get(blob),
        }
        // Another has its turn now.
        self.blobs.due_ms = 0;
    }

    /// Asks the next custodian for what is missing; relays first, which have more to give than a member's device.
    fn pump_get(&mut self, now_ms: u64, blob: &BlobId) {
        let Some(get) = self.blobs.gets.get(blob) else {
            return;
        };
        let Some(assembly) = get.assembly.as_ref().filter(|_| get.asked.is_none()) else {
            return;
        };
        if !get.patience.is_over(now_ms) {
            let next_ms = get.patience.next_ms;
            self.wake_blobs(next_ms);
            return;
        }
        let (topic, told_on) = (get.topic, get.told_on());
        let missing = ChunkRange::of(assembly.missing(usize::MAX));
        let mut peers = self.blob_peers(&told_on);
        peers.retain(|peer| peer.opened);
        peers.sort_by_key(|peer| !peer.relay);
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return;
        };
        if std::mem::take(&mut get.is_over) {
            get.tried.clear();
        }
        peers.retain(|peer| !get.tried.contains(&peer.key));
        if peers.is_empty() {
            // Whoever comes is asked at once; those who are there, later.
            if !get.tried.is_empty() {
                get.is_over = true;
                get.patience.wait(now_ms, 0);
                let next_ms = get.patience.next_ms;
                self.wake_blobs(next_ms);
            }
            return;
        }
        let Some(peer) = peers.iter().find(|peer| !self.blobs.is_busy(&peer.key, What::Get)) else {
            return;
        };
        if let Some(get) = self.blobs.gets.get_mut(blob) {
            get.asked = Some(peer.key);
        }
        self.ask_blob(now_ms, peer.key, (What::Get, *blob), |request| {
            ClientFrame::GetBlob(GetBlob {
                request,
                topic,
                blob: *blob,
                chunks: missing,
            })
        });
    }

    pub(super) fn chunks_came(&mut self, peer: TransportKey, blob: &BlobId, chunks: Vec<Chunk>) {
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return;
        };
        get.answered(&peer);
        let Some(assembly) = &mut get.assembly else {
            return;
        };
        let (mut taken, mut is_wrong) = (Vec::new(), false);
        for chunk in chunks {
            let (index, value) = (chunk.index, chunk.encode());
            match assembly.add(chunk) {
                Ok(true) => taken.push((index, value)),
                Ok(false) => {}
                Err(_) => is_wrong = true,
            }
        }
        if is_wrong || taken.is_empty() {
            get.tried.insert(peer);
        } else {
            get.patience = Patience::default();
        }
        for (index, value) in taken {
            self.put_fresh(Tree::BlobChunks, What::Get.chunk_key(blob, index), value);
        }
        if is_wrong {
            self.penalise_blob(peer, "a chunk that isn't the blob's");
        }
    }

    pub(super) fn get_is_refused(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, refused: BlobRefused) {
        let Some(get) = self.blobs.gets.get_mut(blob) else {
            return;
        };
        get.answered(&peer);
        if refused.why == Refusal::Busy {
            get.patience.pause(now_ms, u64::from(refused.retry_after_s) * 1000);
        } else {
            get.tried.insert(peer);
        }
    }

    fn lose_get(&mut self, blob: &BlobId) {
        self.blobs.news.push_back(BlobNews::Lost(*blob));
        if let Some(get) = self.blobs.gets.remove(blob) {
            self.delete_blob(What::Get, blob, get.chunks());
        }
        self.blobs
            .asked
            .retain(|_, asked| asked.what != What::Get || asked.blob != *blob);
        self.blobs.due_ms = 0;
    }
}

//! Uploads: each relay of the topic is given what it lacks, one frame at a time. The chunks stay here, for members' devices that ask and
//! for a relay that loses them, until the blob expires, is forgotten or has to make room.

use super::files::BlobState as FileState;
use super::reading::BlobView;
use super::{Asked, BlobNews, Client, Patience, Peer, WINDOW, What, fits, limit};
use crate::blob::{BlobKey, BlobRef, Chunk, Shape};
use crate::client::io::CommandError;
use crate::client::records::encode;
use crate::custody::{BlobPermit, BlobReceipt, BlobRefused, BlobState, ClientFrame, PutBlob, Refusal};
use crate::keys::{BlobId, ChatId, TopicId, TopicSecret, TransportKey};
use crate::limits;
use crate::message::Attachment;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Blobs that this device keeps for others (guess: the commits and Welcomes of a month).
const PUTS: usize = 256;
/// Bytes of them, sealed (guess: what a telephone spares).
const PUT_BYTES: u64 = 64 * 1024 * 1024;

/// A blob of ours.
pub(super) struct Put {
    /// On which topic's quota; a file has none before a message names it.
    permit: Option<BlobPermit>,
    pub(super) shape: Shape,
    pub(super) since_ms: u64,
    /// How far each relay is.
    at: BTreeMap<TransportKey, At>,
    /// The rooms know that it may be pointed to.
    told: bool,
    /// It is a file of the user's.
    pub(super) file: Option<PutFile>,
}

/// What is known of a file of ours.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PutFile {
    /// The number of its upload, under which its chunks are.
    pub(super) upload: [u8; 32],
    key: [u8; 32],
    pub(super) length_bytes: u64,
    /// Whose message names it.
    chat: Option<ChatId>,
}

impl PutFile {
    /// Its reference.
    pub(super) fn reference(&self, id: BlobId) -> BlobRef {
        BlobRef {
            id,
            key: BlobKey::from_bytes(self.key),
            length_bytes: self.length_bytes,
        }
    }
}

/// How far one relay is with a blob.
#[derive(Default)]
struct At {
    /// Until when it keeps the whole, Unix milliseconds; 0 while it doesn't.
    held_ms: u64,
    /// What it lacks, as far as it said so.
    missing: Option<Vec<u32>>,
    patience: Patience,
}

/// A blob of ours, as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct PutRow {
    /// Empty while there is none.
    #[serde(with = "serde_bytes")]
    permit: Vec<u8>,
    since_ms: u64,
    /// Relay, Unix milliseconds until which it keeps it.
    held: Vec<(TransportKey, u64)>,
    #[serde(default)]
    pub(super) file: Option<PutFile>,
}

impl PutRow {
    /// What people see of it, if it is a file.
    pub(super) fn view(self, blob: BlobId) -> Option<BlobView> {
        let file = self.file?;
        let state = match &file.chat {
            None => FileState::Sealed,
            Some(_) if self.held.is_empty() => FileState::Sending,
            Some(_) => FileState::Sent,
        };
        Some(BlobView {
            blob: Some(blob),
            upload: Some(file.upload),
            state,
            length_bytes: file.length_bytes,
            here_bytes: file.length_bytes,
            held: self.held,
        })
    }
}

impl Put {
    /// A file that was sealed, and that no message names yet.
    pub(super) fn of_file(now_ms: u64, upload: [u8; 32], blob: &BlobRef, shape: Shape) -> Self {
        Self {
            permit: None,
            shape,
            since_ms: now_ms,
            at: BTreeMap::new(),
            told: true,
            file: Some(PutFile {
                upload,
                key: *blob.key.to_bytes(),
                length_bytes: blob.length_bytes,
                chat: None,
            }),
        }
    }

    pub(super) fn chunks(&self) -> u32 {
        self.shape.chunks()
    }

    /// On whose quota it is.
    pub(super) fn topic(&self) -> Option<TopicId> {
        self.permit.as_ref().map(|permit| permit.topic)
    }

    /// Where its chunks are.
    pub(super) fn place(&self) -> [u8; 32] {
        let file = self.file.as_ref().map(|file| file.upload);
        let permit = || self.permit.as_ref().map(|permit| permit.blob.0);
        file.or_else(permit).unwrap_or_default()
    }

    /// Whether a message names it.
    pub(super) fn is_attached(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.chat.is_some())
    }

    /// Whether it is a file that others can fetch elsewhere, or could for as long as relays keep anything.
    pub(super) fn may_make_room(&self, now_ms: u64) -> bool {
        self.is_attached() && (self.is_held() || self.ends_ms() <= now_ms)
    }

    /// A new stream: what the relay has is asked for first.
    pub(super) fn begin_again(&mut self, peer: &TransportKey) {
        if let Some(at) = self.at.get_mut(peer) {
            at.missing = None;
            at.patience = Patience::default();
        }
    }

    fn is_held(&self) -> bool {
        self.at.values().any(|at| at.held_ms > 0)
    }

    fn ends_ms(&self) -> u64 {
        let ttl_s = self
            .permit
            .as_ref()
            .map_or(limits::CUSTODY_SECONDS, |permit| permit.ttl_s);
        self.since_ms.saturating_add(u64::from(ttl_s) * 1000)
    }
}

#[cfg(test)]
impl super::Blobs {
    /// Whether a relay holds a blob of ours whole.
    pub(in crate::client) fn is_held(&self, blob: &BlobId) -> bool {
        self.puts.get(blob).is_some_and(Put::is_held)
    }
}

impl Client {
    /// Uploads a sealed blob to the relays of a topic and serves it to members' devices, for as long as relays keep anything.
    /// [`BlobNews::Ready`] tells when an envelope may point to it.
    ///
    /// # Errors
    /// When it is too large or there is no room; older blobs that a relay holds make room first.
    pub(in crate::client) fn blob_put(
        &mut self,
        now_ms: u64,
        topic: &TopicSecret,
        blob: &BlobRef,
        chunks: Vec<Chunk>,
    ) -> Result<(), CommandError> {
        fits(blob.length_bytes)?;
        let Some(shape) = blob.shape().ok().filter(|_| !self.blobs.puts.contains_key(&blob.id)) else {
            return Ok(());
        };
        self.make_room_for_blob(shape)?;
        let permit = BlobPermit::sign(topic, blob.id, shape, limits::CUSTODY_SECONDS);
        for chunk in chunks {
            let key = What::Put.chunk_key(&blob.id.0, chunk.index);
            self.put_fresh(Tree::BlobChunks, key, chunk.encode());
        }
        let peers = self.blob_peers(&permit.topic);
        let put = Put {
            shape,
            since_ms: now_ms,
            at: lacking_all(&peers, shape),
            told: false,
            permit: Some(permit),
            file: None,
        };
        self.blobs.puts.insert(blob.id, put);
        self.blobs.due_ms = 0;
        Ok(self.write_put(&blob.id)?)
    }

    /// A message of a chat names files of ours: from now on they go to its relays and members.
    pub(in crate::client) fn attach_files(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        files: &[&Attachment],
    ) -> Result<(), CommandError> {
        let Some(topic) = self.topic_of(&chat) else {
            return Ok(());
        };
        let peers = self.blob_peers_of(&chat);
        for item in files {
            let Some(put) = self.blobs.puts.get_mut(&item.blob.id) else {
                continue;
            };
            let Some(file) = &mut put.file else {
                continue;
            };
            file.chat = Some(chat);
            put.since_ms = now_ms;
            put.at = lacking_all(&peers, put.shape);
            put.permit = Some(BlobPermit::sign(
                &topic,
                item.blob.id,
                put.shape,
                limits::CUSTODY_SECONDS,
            ));
            self.write_put(&item.blob.id)?;
        }
        self.blobs.due_ms = 0;
        Ok(())
    }

    /// A relay lost its past: it is given all blobs again.
    pub(in crate::client) fn blobs_forgotten(&mut self, peer: &TransportKey) -> Result<(), RowsError> {
        let held = |put: &Put| put.at.get(peer).is_some_and(|at| at.held_ms > 0);
        let lost = self.blobs.puts.iter().filter(|(_, put)| held(put));
        let lost: Vec<BlobId> = lost.map(|(blob, _)| *blob).collect();
        for blob in lost {
            if let Some(put) = self.blobs.puts.get_mut(&blob) {
                put.at.remove(peer);
            }
            self.write_put(&blob)?;
        }
        self.blobs.due_ms = 0;
        Ok(())
    }

    /// False if the row says nothing that this version knows.
    pub(super) fn load_put(&mut self, stored: &[u8], row: &PutRow) -> bool {
        let Some(blob) = stored.get(1..).and_then(|id| <[u8; 32]>::try_from(id).ok()) else {
            return false;
        };
        let permit = BlobPermit::decode(&row.permit).ok();
        let shape = match (&permit, &row.file) {
            (Some(permit), _) => Shape::new(permit.length),
            (None, Some(file)) => file.reference(BlobId(blob)).shape().ok(),
            (None, None) => None,
        };
        let Some(shape) = shape else {
            return false;
        };
        let held = row.held.iter().map(|(relay, held_ms)| {
            let at = At {
                held_ms: *held_ms,
                ..At::default()
            };
            (*relay, at)
        });
        let put = Put {
            shape,
            since_ms: row.since_ms,
            at: held.collect(),
            told: row.file.is_some(),
            permit,
            file: row.file.clone(),
        };
        self.blobs.puts.insert(BlobId(blob), put);
        true
    }

    pub(super) fn pump_puts(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let blobs: Vec<BlobId> = self.blobs.puts.keys().copied().collect();
        for blob in blobs {
            let Some(put) = self.blobs.puts.get_mut(&blob) else {
                continue;
            };
            put.since_ms = put.since_ms.min(now_ms);
            let (Some(topic), ends_ms) = (put.topic(), put.ends_ms()) else {
                continue;
            };
            let chat = put.file.as_ref().and_then(|file| file.chat);
            if ends_ms <= now_ms {
                // A file stays for its reader as long as its message does, but goes to no relay any more.
                if chat.is_none() {
                    self.blob_forget(&blob);
                }
                continue;
            }
            self.wake_blobs(ends_ms);
            let peers = match chat {
                Some(chat) => self.blob_peers_of(&chat),
                None => self.blob_peers(&topic),
            };
            self.tell_ready(&blob, &peers);
            for peer in peers.into_iter().filter(|peer| peer.relay && peer.opened) {
                self.pump_put(now_ms, peer.key, &blob, rows)?;
            }
        }
        Ok(())
    }

    fn tell_ready(&mut self, blob: &BlobId, peers: &[Peer]) {
        let demoted = |relay: &TransportKey| self.trust.is_demoted(relay);
        let has_relay = peers.iter().any(|peer| peer.relay);
        let has_trusted = peers.iter().any(|peer| peer.relay && !demoted(&peer.key));
        // The word of a demoted relay counts only where there is no other.
        let holds = |(relay, at): (&TransportKey, &At)| at.held_ms > 0 && !(has_trusted && demoted(relay));
        let held = self.blobs.puts.get(blob).is_some_and(|put| put.at.iter().any(holds));
        if let Some(put) = self.blobs.puts.get_mut(blob)
            && !put.told
            && (held || !has_relay)
        {
            put.told = true;
            self.blobs.news.push_back(BlobNews::Ready(*blob));
        }
    }

    /// Gives a relay the next chunks that it lacks, or asks which these are.
    fn pump_put(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, rows: &dyn Rows) -> Result<(), RowsError> {
        // The next answer brings the next turn.
        while !self.blobs.is_busy(&peer, What::Put, WINDOW) {
            let under_way = self.blobs.under_way(What::Put, blob).filter(|(to, _)| **to == peer);
            let under_way: Vec<&Asked> = under_way.map(|(_, asked)| asked).collect();
            let (is_asked, sent) = (
                !under_way.is_empty(),
                under_way
                    .iter()
                    .flat_map(|asked| asked.chunks.iter().copied())
                    .collect::<BTreeSet<u32>>(),
            );
            let Some(put) = self.blobs.puts.get_mut(blob) else {
                return Ok(());
            };
            let Some(permit) = put.permit.clone() else {
                return Ok(());
            };
            let at = put.at.entry(peer).or_default();
            if at.held_ms > now_ms {
                return Ok(());
            }
            if !at.patience.is_over(now_ms) {
                let next_ms = at.patience.next_ms;
                self.wake_blobs(next_ms);
                return Ok(());
            }
            let missing = at.missing.iter().flatten().filter(|index| !sent.contains(index));
            let next: Vec<u32> = missing.take(limits::BLOB_CHUNKS_PER_FRAME).copied().collect();
            // What is on its way comes first: its answers say what is missing then.
            if next.is_empty() && is_asked {
                return Ok(());
            }
            let chunks = self.own_chunks(blob, &next, rows)?;
            let asked = Asked {
                what: What::Put,
                blob: *blob,
                since_ms: now_ms,
                chunks: next,
            };
            self.ask_blob(peer, asked, |request| {
                ClientFrame::PutBlob(PutBlob {
                    request,
                    permit,
                    chunks,
                })
            });
        }
        Ok(())
    }

    pub(super) fn put_goes_on(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, state: &BlobState) {
        let Some(put) = self.blobs.puts.get_mut(blob) else {
            return;
        };
        let chunks = put.shape.chunks();
        let at = put.at.entry(peer).or_default();
        let missing = state.missing.iter().flat_map(|range| range.indices(chunks));
        let missing: Vec<u32> = missing.take(chunks as usize).collect();
        let before = at.missing.as_ref().map(Vec::len);
        // Who lacks as much as before, or nothing without a receipt, gets nowhere; it is asked again later.
        if missing.is_empty() || before.is_some_and(|before| missing.len() >= before) {
            at.missing = None;
            at.patience.wait(now_ms, 0);
            return;
        }
        let done = chunks.saturating_sub(u32::try_from(missing.len()).unwrap_or(u32::MAX));
        at.missing = Some(missing);
        at.patience = Patience::default();
        if put.file.is_some() {
            self.tell_progress(now_ms, *blob, FileState::Sending, done);
        }
    }

    pub(super) fn put_is_held(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        receipt: &BlobReceipt,
    ) -> Result<(), RowsError> {
        let put = self.blobs.puts.get_mut(&receipt.blob);
        let Some(put) = put.filter(|put| put.topic() == Some(receipt.topic) && receipt.verify(&peer).is_ok()) else {
            self.penalise_blob(peer, "a receipt for a blob that doesn't hold");
            return Ok(());
        };
        let at = put.at.entry(peer).or_default();
        at.held_ms = receipt.until_s.saturating_mul(1000);
        at.missing = None;
        // One that is over at once must not make us put in a circle.
        at.patience.wait(now_ms, 0);
        let (is_file, chunks) = (put.file.is_some(), put.chunks());
        if is_file {
            self.tell_progress(now_ms, receipt.blob, FileState::Sent, chunks);
        }
        self.write_put(&receipt.blob)
    }

    pub(super) fn put_is_refused(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, refused: BlobRefused) {
        let Some(at) = self.blobs.puts.get_mut(blob).and_then(|put| put.at.get_mut(&peer)) else {
            return;
        };
        at.missing = None;
        let asked_ms = u64::from(refused.retry_after_s) * 1000;
        let for_long = !refused.why.retryable() || refused.why == Refusal::NotHere;
        at.patience
            .wait(now_ms, if for_long { super::WAIT_MS } else { asked_ms });
    }

    /// The oldest blobs that a relay holds go first.
    fn make_room_for_blob(&mut self, shape: Shape) -> Result<(), CommandError> {
        loop {
            let puts = || self.blobs.puts.iter().filter(|(_, put)| put.file.is_none());
            let bytes: u64 = puts().map(|(_, put)| put.shape.sealed_bytes()).sum();
            if puts().count() < PUTS && bytes + shape.sealed_bytes() <= PUT_BYTES {
                return Ok(());
            }
            let held = puts().filter(|(_, put)| put.is_held());
            let Some(oldest) = held.min_by_key(|(_, put)| put.since_ms).map(|(blob, _)| *blob) else {
                return Err(limit("bytes of blobs that wait for a relay", PUT_BYTES as usize));
            };
            self.blob_forget(&oldest);
        }
    }

    /// Removes its rows.
    pub(super) fn delete_put(&mut self, blob: &BlobId, put: &Put) {
        self.delete_fresh(Tree::Blobs, What::Put.key(blob));
        match &put.file {
            Some(file) => self.delete_sealed(&file.upload, put.chunks()),
            None => (0..put.chunks())
                .for_each(|index| self.delete_fresh(Tree::BlobChunks, What::Put.chunk_key(&blob.0, index))),
        }
    }

    pub(super) fn write_put(&mut self, blob: &BlobId) -> Result<(), RowsError> {
        let Some(put) = self.blobs.puts.get(blob) else {
            return Ok(());
        };
        let held = put.at.iter().filter(|(_, at)| at.held_ms > 0);
        let row = encode(&PutRow {
            permit: put.permit.as_ref().map(Wire::encode).unwrap_or_default(),
            file: put.file.clone(),
            since_ms: put.since_ms,
            held: held.map(|(relay, at)| (*relay, at.held_ms)).collect(),
        })?;
        self.put_fresh(Tree::Blobs, What::Put.key(blob), row);
        Ok(())
    }
}

/// That relays lack all of a new blob needn't be asked.
fn lacking_all(peers: &[Peer], shape: Shape) -> BTreeMap<TransportKey, At> {
    let all = || At {
        missing: Some((0..shape.chunks()).collect()),
        ..At::default()
    };
    let relays = peers.iter().filter(|peer| peer.relay);
    relays.map(|peer| (peer.key, all())).collect()
}

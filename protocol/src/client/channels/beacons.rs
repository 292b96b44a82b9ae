//! Beacons: what the root signs of the whole channel, with each change and at the latest after a day.

use crate::channel::{Beacon, Head, Manifest, Revocation, Statement};
use crate::client::Client;
use crate::client::outbox::{Out, OutWhat};
use crate::client::records::OutKind;
use crate::envelope::Envelope;
use crate::keys::{ChannelId, WriterId};
use crate::limits;
use crate::rows::{Rows, RowsError};

use super::{Channel, view};

/// Seconds between two beacons, whatever happens (guess: a day's posts that are kept back are noticed two days later at the latest).
const BEACON_S: u32 = 24 * 3600;
/// Entries of one writer that one beacon covers anew (guess: more than an editor writes in a day).
const COVERED: usize = 1024;

/// What is new in a beacon beside our own entries and the manifest.
#[derive(Default)]
pub(super) struct Further {
    /// How far others are.
    pub heads: Vec<Head>,
    /// Who writes no more.
    pub revocations: Vec<Revocation>,
}

impl Client {
    /// Signs a beacon; it takes the place of one that still waits.
    pub(super) fn send_beacon(&mut self, now_ms: u64, id: ChannelId, manifest: Manifest) -> Result<(), RowsError> {
        self.send_beacon_with(now_ms, id, manifest, Further::default())
    }

    /// Signs a beacon with what is new in it.
    pub(super) fn send_beacon_with(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        manifest: Manifest,
        mut further: Further,
    ) -> Result<(), RowsError> {
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return Ok(());
        };
        let Some(root) = channel.root(&id) else {
            return Ok(());
        };
        let before = channel.latest().cloned();
        let Some(own) = &mut channel.row.own else {
            return Ok(());
        };
        own.beacon = own.beacon.saturating_add(1);
        own.beacon_due_ms = now_ms.saturating_add(u64::from(BEACON_S) * 1000);
        channel.dirty = true;
        let number = own.beacon;
        let (mut heads, mut revocations) = before
            .map(|beacon| (beacon.heads, beacon.revocations))
            .unwrap_or_default();
        if let Some(pen) = channel.row.pen.as_ref().filter(|pen| pen.number > 0) {
            further.heads.push(Head {
                writer: pen.secret.public(),
                number: pen.number,
                id: pen.previous,
            });
        }
        heads.retain(|head| further.heads.iter().all(|known| known.writer != head.writer));
        heads.append(&mut further.heads);
        // Of too many those that were revoked go first: what ends them stays.
        while heads.len() > limits::CHANNEL_WRITERS {
            let gone = |head: &Head| revocations.iter().any(|revoked| revoked.writer == head.writer);
            let place = heads.iter().position(gone).unwrap_or(0);
            heads.remove(place);
        }
        revocations.append(&mut further.revocations);
        revocations.sort_by_key(|revoked| revoked.writer);
        heads.sort_by_key(|head| head.writer);
        let beacon = Beacon {
            number,
            time_ms: now_ms,
            period_s: BEACON_S,
            manifest,
            heads,
            revocations,
            extensions: Vec::new(),
        };
        channel.signed = Some(beacon.clone());
        let body = Statement::Beacon(Box::new(beacon)).encode();
        let envelope = Envelope::sign_as(&root, limits::CHANNEL_SECONDS, &body).map_err(|error| RowsError {
            reason: error.to_string(),
        })?;
        let waits =
            |out: &Out| matches!(&out.what, OutWhat::Row(OutKind::Channel { channel, number: 0 }) if *channel == id);
        self.drop_outs(waits);
        self.hand_out(now_ms, id, 0, envelope)
    }

    pub(super) fn send_due_beacons(&mut self, now_ms: u64) -> Result<(), RowsError> {
        self.give_up_left(now_ms);
        let due: Vec<ChannelId> = self
            .channels
            .by_id
            .iter()
            .filter(|(_, channel)| {
                let own = channel.row.own.as_ref();
                channel.beacon.is_some() && own.is_some_and(|own| own.beacon_due_ms <= now_ms)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            if let Ok(manifest) = self.own_manifest(&id) {
                self.send_beacon(now_ms, id, manifest)?;
            }
        }
        Ok(())
    }

    /// Covers what others wrote on an own channel.
    pub(super) fn cover_writers(&mut self, now_ms: u64, id: ChannelId, rows: &dyn Rows) -> Result<(), RowsError> {
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return Ok(());
        };
        let writers = std::mem::take(&mut channel.covers);
        let mut further = Further::default();
        for writer in writers {
            further.heads.extend(self.next_head(id, writer, rows)?);
        }
        match self.own_manifest(&id) {
            Ok(manifest) if !further.heads.is_empty() => self.send_beacon_with(now_ms, id, manifest, further),
            _ => Ok(()),
        }
    }

    /// How far a writer is, without a hole and with nothing that doesn't count; none if that is known.
    pub(super) fn next_head(
        &self,
        id: ChannelId,
        writer: WriterId,
        rows: &dyn Rows,
    ) -> Result<Option<Head>, RowsError> {
        let Some(beacon) = self.channels.by_id.get(&id).and_then(Channel::latest) else {
            return Ok(None);
        };
        let mut head = None;
        let from = beacon.head(&writer).map_or(0, |known| known.number);
        for number in (from + 1..).take(COVERED) {
            let Some(envelope) = self.entry_at(&id, writer, number, rows)? else {
                break;
            };
            let (Some(authority), Ok(Statement::Entry(entry))) =
                (envelope.authority(), Statement::decode(envelope.body()))
            else {
                break;
            };
            if view::void_of(authority, &entry, Some(beacon)).is_none() {
                head = Some(Head {
                    writer,
                    number,
                    id: envelope.id(),
                });
            }
        }
        Ok(head)
    }
}

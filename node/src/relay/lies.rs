//! A relay that lies, for tests: what it serves isn't what it keeps. Only with the feature `failpoints`.
//!
//! `MADANG_RELAY_LIES` names a file whose words say how, read anew for each page: `drop` forgets each envelope that it signs for or would serve
//! from now on (of a topic's history too), `deny` goes on without those that it forgot, `swallow` serves nothing and says that this is all, `reorder` serves each page backwards,
//! `junk` breaks a bit of each envelope, `chunks` one of each chunk of a blob. Receipts stay true to what it was handed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use madang_protocol::custody::{CustodianFrame, Item};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::EnvelopeId;
use madang_protocol::wire::Wire as _;

/// What the relay tells in place of the truth.
#[derive(Debug, Default)]
pub(super) struct Lies {
    file: Option<PathBuf>,
    forgotten: BTreeSet<EnvelopeId>,
}

impl Lies {
    pub(super) fn asked_for() -> Self {
        Self {
            file: std::env::var_os("MADANG_RELAY_LIES").map(PathBuf::from),
            forgotten: BTreeSet::new(),
        }
    }

    /// A frame as it is told.
    pub(super) fn tell(&mut self, frame: Arc<[u8]>) -> Arc<[u8]> {
        let Some(said) = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()) else {
            return frame;
        };
        match CustodianFrame::decode(&frame) {
            Ok(CustodianFrame::Items(mut page)) => {
                page.caught_up |= self.twist(said.trim(), &mut page.items);
                CustodianFrame::Items(page).encode().into()
            }
            Ok(CustodianFrame::BlobChunks(mut answer)) if said.trim() == "chunks" => {
                for chunk in &mut answer.chunks {
                    if let Some(last) = chunk.bytes.last_mut() {
                        *last ^= 1;
                    }
                }
                CustodianFrame::BlobChunks(answer).encode().into()
            }
            Ok(CustodianFrame::History(mut page)) => {
                page.oldest |= self.twist(said.trim(), &mut page.items);
                CustodianFrame::History(page).encode().into()
            }
            Ok(CustodianFrame::Receipt(receipt)) if said.trim() == "drop" => {
                self.forgotten
                    .extend(receipt.accepted.iter().map(|accepted| accepted.id));
                frame
            }
            _ => frame,
        }
    }

    /// Changes a page's envelopes; true if this is to be all.
    fn twist(&mut self, said: &str, items: &mut Vec<Item>) -> bool {
        let id = |bytes: &[u8]| Envelope::peek(bytes).ok().map(|(_, id)| id);
        match said {
            "drop" => {
                self.forgotten
                    .extend(items.iter().filter_map(|item| id(&item.envelope)));
                items.clear();
            }
            "deny" => items.retain(|item| id(&item.envelope).is_none_or(|id| !self.forgotten.contains(&id))),
            "swallow" => {
                items.clear();
                return true;
            }
            "reorder" => {
                let envelopes: Vec<_> = items.iter().map(|item| item.envelope.clone()).rev().collect();
                for (item, envelope) in items.iter_mut().zip(envelopes) {
                    item.envelope = envelope;
                }
            }
            "junk" => {
                for item in items.iter_mut() {
                    if let Some(last) = item.envelope.last_mut() {
                        *last ^= 1;
                    }
                }
            }
            _ => {}
        }
        false
    }
}

//! The frames of `/madang/custody/1`. A client asks, a custodian answers; each frame is one message of the stream below, which
//! bounds it to [`limits::FRAME_BYTES`].

use super::blobs::{BlobChunks, BlobReceipt, BlobRefused, BlobState, GetBlob, PutBlob};
use super::directory::{Enlist, Enlisted, Found, Search};
use super::figures::{AskFigures, Figures};
use super::history::{History, HistoryPage};
use super::meet::{Meet, Met};
use super::reconcile::{Reconcile, Reconciled};
use super::report::{Report, Reported};
use crate::chat::Mark;
use crate::keys::{BadSignature, DeviceId, Domain, EnvelopeId, TopicId, TransportKey, TransportSecret, derive};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A hash over the ids of a topic's envelopes so far, as one custodian took them: what makes a cursor of another history void.
///
/// 16 bytes: it tells histories of one custodian apart, which nobody gains by confusing but who wrote both of them, and a relay keeps
/// one for each envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningHash(#[serde(with = "serde_bytes")] pub [u8; 16]);

impl RunningHash {
    /// The hash after one more envelope.
    pub fn then(&self, id: &EnvelopeId) -> Self {
        let hash = derive("madang 1 custody running hash", &[&self.0, &id.0]);
        let mut short = [0; 16];
        short.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(short)
    }
}

/// Where a reader is in one topic of one custodian.
///
/// | bytes | field |
/// |---|---|
/// | 8 | storage epoch: random, new whenever the custodian's store is |
/// | 8 | position of the last envelope taken; the first is 1 |
/// | 16 | running hash after that envelope |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The custodian's storage epoch.
    pub epoch: u64,
    /// The last position taken.
    pub position: u64,
    /// The running hash at it.
    pub hash: RunningHash,
}

impl Wire for Cursor {
    fn write(&self, w: &mut Writer) {
        w.u64(self.epoch);
        w.u64(self.position);
        w.fixed(&self.hash.0);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: r.u64("cursor.epoch")?,
            position: r.u64("cursor.position")?,
            hash: RunningHash(r.array("cursor.hash")?),
        })
    }
}

/// Envelopes to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Chosen by the client, returned in the receipt.
    pub request: u64,
    /// Encoded envelopes, at most [`limits::DEPOSIT_ITEMS`].
    pub envelopes: Vec<Vec<u8>>,
}

/// Topics to be pushed from a cursor on; without a cursor, from the oldest envelope kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Chosen by the client, returned if the watch is refused.
    pub request: u64,
    /// At most [`limits::WATCH_ITEMS`].
    pub topics: Vec<(TopicId, Option<Cursor>)>,
}

/// Asks a contact's device what came last from another in a chat.
///
/// | bytes | field |
/// |---|---|
/// | 32 | topic of the chat |
/// | 32 | the device that is asked about: the asker's own |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compare {
    /// A topic of the chat.
    pub topic: TopicId,
    /// Whose.
    pub device: DeviceId,
}

/// The answer; a device that doesn't know the topic has nothing.
///
/// | bytes | field |
/// |---|---|
/// | 32 | topic as asked |
/// | 1 or 41 | the mark of what came last from the device, `optional<Mark>` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// As asked.
    pub topic: TopicId,
    /// What only its maker can read; none if nothing came.
    pub mark: Option<Mark>,
}

/// What a client sends.
///
/// | tag | frame | content |
/// |---|---|---|
/// | 1 | deposit | request `uint64`, envelopes `opaque<V><V>` |
/// | 2 | watch | request `uint64`, topics `{topic, optional<cursor>}<V>` |
/// | 3 | unwatch | topics `topic<V>` |
/// | 4 | ack | committed bytes of items and chunks `uint64`, cumulative for the stream |
/// | 5 | hello | token `opaque<V>` |
/// | 6 | put blob | [`PutBlob`] |
/// | 7 | get blob | [`GetBlob`] |
/// | 10 | compare | [`Compare`], to devices |
/// | 8 | reconcile | [`Reconcile`] |
/// | 12 | history | [`History`] |
/// | 14 | meet | [`Meet`] |
/// | 16 | enlist | [`Enlist`] |
/// | 18 | search | [`Search`] |
/// | 20 | ask figures | [`AskFigures`] |
/// | 22 | report | [`Report`] |
///
/// A custodian ignores tags that it doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFrame {
    /// Keep these.
    Deposit(Deposit),
    /// Push these topics.
    Watch(Watch),
    /// Stop pushing these.
    Unwatch(Vec<TopicId>),
    /// So many bytes of items and chunks are committed here: the custodian may push on.
    Ack {
        /// Cumulative bytes of envelopes and chunks on this stream.
        bytes: u64,
    },
    /// Admit me: the first frame to a relay that admits by token.
    Hello(AdmissionToken),
    /// Keep these chunks of a blob, or say what is missing.
    PutBlob(PutBlob),
    /// Send these chunks of a blob.
    GetBlob(GetBlob),
    /// Say what came last from a device.
    Compare(Compare),
    /// Compare what is kept of a window, or send some of it.
    Reconcile(Reconcile),
    /// Send what came before.
    History(History),
    /// Name others who watch.
    Meet(Meet),
    /// Put a channel into the directory.
    Enlist(Enlist),
    /// Name channels of the directory.
    Search(Search),
    /// Tell how many watch a channel.
    AskFigures(AskFigures),
    /// Show the operator a post.
    Report(Report),
    /// A tag of a later version.
    Unknown {
        /// The tag.
        tag: u8,
    },
}

/// What a relay's operator gave to a user of it. Bytes of a secret: wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct AdmissionToken(Vec<u8>);

impl AdmissionToken {
    /// Takes a token's text as bytes; `None` if it is empty or longer than [`limits::TOKEN_BYTES`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty() && bytes.len() <= limits::TOKEN_BYTES).then(|| Self(bytes.to_vec()))
    }

    /// What a relay keeps of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(derive("madang 1 relay token", &[&self.0]))
    }

    /// The bytes, to be stored sealed or sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for AdmissionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdmissionToken(..)")
    }
}

/// The hash by which a relay knows a token. A token has 128 random bits, so that the hash tells nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// Why a custodian refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Not an admissible envelope.
    Invalid,
    /// The topic's quota is used up.
    TopicQuota,
    /// The depositor's quota is used up.
    DepositorQuota,
    /// The custodian's store is full.
    Full,
    /// Too many requests; try again later.
    Busy,
    /// This custodian doesn't keep this topic (a device that doesn't read it).
    NotHere,
    /// The custodian's disk takes no writes at present; it still serves watches.
    ReadOnly,
    /// The relay doesn't admit this peer, and nobody whom it admits reads this topic.
    NotAdmitted,
    /// Nothing of what is asked for is kept here.
    NotFound,
    /// The blob is larger than this custodian keeps any, or the window holds more than is compared at once.
    TooLarge,
    /// Whoever asks may not be told.
    NotAllowed,
    /// A code of a later version.
    Other(u8),
}

impl Refusal {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Invalid => 1,
            Self::TopicQuota => 2,
            Self::DepositorQuota => 3,
            Self::Full => 4,
            Self::Busy => 5,
            Self::NotHere => 6,
            Self::ReadOnly => 7,
            Self::NotAdmitted => 8,
            Self::NotFound => 9,
            Self::TooLarge => 10,
            Self::NotAllowed => 11,
            Self::Other(code) => code,
        }
    }

    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Invalid,
            2 => Self::TopicQuota,
            3 => Self::DepositorQuota,
            4 => Self::Full,
            5 => Self::Busy,
            6 => Self::NotHere,
            7 => Self::ReadOnly,
            8 => Self::NotAdmitted,
            9 => Self::NotFound,
            10 => Self::TooLarge,
            11 => Self::NotAllowed,
            other => Self::Other(other),
        }
    }

    /// A stable name for people and the local API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::TopicQuota => "topic_quota",
            Self::DepositorQuota => "depositor_quota",
            Self::Full => "full",
            Self::Busy => "busy",
            Self::NotHere => "not_here",
            Self::ReadOnly => "read_only",
            Self::NotAdmitted => "not_admitted",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::NotAllowed => "not_allowed",
            Self::Other(_) => "refused",
        }
    }

    /// Whether the same deposit may succeed later.
    pub fn retryable(self) -> bool {
        !matches!(self, Self::Invalid | Self::TooLarge | Self::NotAllowed)
    }
}

/// An envelope that is kept, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The envelope.
    pub id: EnvelopeId,
    /// Unix seconds by the custodian's clock.
    pub until_s: u64,
}

/// An envelope that isn't kept, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The envelope's id, or for bytes that aren't an envelope their BLAKE3 hash.
    pub id: EnvelopeId,
    /// The reason.
    pub why: Refusal,
    /// Seconds after which a retry makes sense; 0 if unknown.
    pub retry_after_s: u32,
}

/// The answer to a deposit, sent only after what it accepts is on disk.
///
/// The signature, by the custodian's transport key in the domain `madang/1/custody-receipt`, covers request and accepted list, so
/// that a custodian that later denies can be shown its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The deposit's number.
    pub request: u64,
    /// What is kept.
    pub accepted: Vec<Accepted>,
    /// What isn't.
    pub refused: Vec<Refused>,
    /// By the custodian.
    pub signature: [u8; 64],
}

impl Receipt {
    /// Writes and signs a receipt.
    pub fn sign(key: &TransportSecret, request: u64, accepted: Vec<Accepted>, refused: Vec<Refused>) -> Self {
        let signature = key.sign(Domain::Receipt, &Self::signed(request, &accepted));
        Self {
            request,
            accepted,
            refused,
            signature,
        }
    }

    /// Checks that `custodian` signed it.
    pub fn verify(&self, custodian: &TransportKey) -> Result<(), BadSignature> {
        custodian.verify(
            Domain::Receipt,
            &Self::signed(self.request, &self.accepted),
            &self.signature,
        )
    }

    fn signed(request: u64, accepted: &[Accepted]) -> Vec<u8> {
        let mut w = Writer::default();
        w.u64(request);
        w.list(accepted, write_accepted);
        w.into_bytes()
    }
}

/// One kept envelope on its way to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its position in the topic.
    pub position: u64,
    /// The encoded envelope.
    pub envelope: Vec<u8>,
}

/// A page of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Items {
    /// The topic.
    pub topic: TopicId,
    /// Where the reader is once it has committed this page; to be given back as it is.
    pub cursor: Cursor,
    /// The reader's cursor didn't fit this custodian's history; this page begins at the oldest envelope.
    pub void: bool,
    /// Nothing newer is kept; what comes next is pushed as it arrives.
    pub caught_up: bool,
    /// In ascending position; may be empty.
    pub items: Vec<Item>,
}

/// What a custodian sends.
///
/// | tag | frame | content |
/// |---|---|---|
/// | 129 | receipt | request `uint64`, accepted `{id, uint64 until_s}<V>`, refused `{id, uint8 code, uint32 retry_after_s}<V>`, signature |
/// | 130 | items | topic, cursor, flags `uint8` (1 void, 2 caught up), items `{uint64 position, opaque envelope<V>}<V>` |
/// | 131 | watch refused | request `uint64`, code `uint8`, retry after `uint32` seconds |
/// | 132 | admission | code `uint8` (0: admitted), retry after `uint32` seconds |
/// | 133 | blob state | [`BlobState`] |
/// | 134 | blob receipt | [`BlobReceipt`] |
/// | 135 | blob refused | [`BlobRefused`] |
/// | 136 | blob chunks | [`BlobChunks`] |
/// | 139 | compared | [`Compared`], by devices |
/// | 137 | reconciled | [`Reconciled`] |
/// | 140 | history | [`HistoryPage`] |
/// | 142 | met | [`Met`] |
/// | 144 | enlisted | [`Enlisted`] |
/// | 146 | found | [`Found`] |
/// | 148 | figures | [`Figures`] |
/// | 150 | reported | [`Reported`] |
///
/// A client ignores tags that it doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustodianFrame {
    /// What became of a deposit.
    Receipt(Receipt),
    /// A page.
    Items(Items),
    /// A watch that isn't served.
    WatchRefused {
        /// The watch's number.
        request: u64,
        /// The reason.
        why: Refusal,
        /// Seconds after which a retry makes sense; 0 if unknown.
        retry_after_s: u32,
    },
    /// Whether the relay admits this peer: the answer to each hello, and to a stranger's first watch.
    Admission {
        /// Why it is a guest; `None` if it is admitted.
        why: Option<Refusal>,
        /// Seconds after which a retry makes sense; 0 if unknown.
        retry_after_s: u32,
    },
    /// What is still missing of a blob.
    BlobState(BlobState),
    /// A blob is kept whole.
    BlobReceipt(BlobReceipt),
    /// A put or get that isn't served.
    BlobRefused(BlobRefused),
    /// What was asked for.
    BlobChunks(BlobChunks),
    /// What came last from a device.
    Compared(Compared),
    /// What is kept of a window.
    Reconciled(Reconciled),
    /// What came before.
    History(HistoryPage),
    /// Others who watch.
    Met(Met),
    /// A channel is in the directory, or no longer.
    Enlisted(Enlisted),
    /// Channels of the directory.
    Found(Found),
    /// How many watch a channel.
    Figures(Figures),
    /// A report is kept for the operator.
    Reported(Reported),
    /// A tag of a later version.
    Unknown {
        /// The tag.
        tag: u8,
    },
}

const TAG_DEPOSIT: u8 = 1;
const TAG_WATCH: u8 = 2;
const TAG_UNWATCH: u8 = 3;
const TAG_ACK: u8 = 4;
const TAG_HELLO: u8 = 5;
const TAG_PUT_BLOB: u8 = 6;
const TAG_GET_BLOB: u8 = 7;
const TAG_COMPARE: u8 = 10;
const TAG_RECONCILE: u8 = 8;
const TAG_HISTORY: u8 = 12;
const TAG_MEET: u8 = 14;
const TAG_ENLIST: u8 = 16;
const TAG_SEARCH: u8 = 18;
const TAG_ASK_FIGURES: u8 = 20;
const TAG_REPORT: u8 = 22;
const TAG_RECEIPT: u8 = 129;
const TAG_ITEMS: u8 = 130;
const TAG_WATCH_REFUSED: u8 = 131;
const TAG_ADMISSION: u8 = 132;
const TAG_BLOB_STATE: u8 = 133;
const TAG_BLOB_RECEIPT: u8 = 134;
const TAG_BLOB_REFUSED: u8 = 135;
const TAG_BLOB_CHUNKS: u8 = 136;
const TAG_COMPARED: u8 = 139;
const TAG_RECONCILED: u8 = 137;
const TAG_HISTORY_PAGE: u8 = 140;
const TAG_MET: u8 = 142;
const TAG_ENLISTED: u8 = 144;
const TAG_FOUND: u8 = 146;
const TAG_FIGURES: u8 = 148;
const TAG_REPORTED: u8 = 150;
/// The code of an admission that says yes; refusals begin at 1.
const ADMITTED: u8 = 0;
const FLAG_VOID: u8 = 1;
const FLAG_CAUGHT_UP: u8 = 2;

impl Wire for ClientFrame {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Deposit(deposit) => {
                w.u8(TAG_DEPOSIT);
                w.u64(deposit.request);
                w.list(&deposit.envelopes, |w, envelope| w.bytes(envelope));
            }
            Self::Watch(watch) => {
                w.u8(TAG_WATCH);
                w.u64(watch.request);
                w.list(&watch.topics, |w, (topic, cursor)| {
                    topic.write(w);
                    w.option(cursor.as_ref(), |w, cursor| cursor.write(w));
                });
            }
            Self::Unwatch(topics) => {
                w.u8(TAG_UNWATCH);
                w.list(topics, |w, topic| topic.write(w));
            }
            Self::Ack { bytes } => {
                w.u8(TAG_ACK);
                w.u64(*bytes);
            }
            Self::Hello(token) => {
                w.u8(TAG_HELLO);
                w.bytes(&token.0);
            }
            Self::PutBlob(put) => {
                w.u8(TAG_PUT_BLOB);
                put.write(w);
            }
            Self::GetBlob(get) => {
                w.u8(TAG_GET_BLOB);
                get.write(w);
            }
            Self::Compare(ask) => {
                w.u8(TAG_COMPARE);
                ask.topic.write(w);
                ask.device.write(w);
            }
            Self::Reconcile(reconcile) => {
                w.u8(TAG_RECONCILE);
                reconcile.write(w);
            }
            Self::History(ask) => {
                w.u8(TAG_HISTORY);
                ask.write(w);
            }
            Self::Meet(meet) => {
                w.u8(TAG_MEET);
                meet.write(w);
            }
            Self::Enlist(enlist) => {
                w.u8(TAG_ENLIST);
                enlist.write(w);
            }
            Self::Search(search) => {
                w.u8(TAG_SEARCH);
                search.write(w);
            }
            Self::AskFigures(ask) => {
                w.u8(TAG_ASK_FIGURES);
                ask.write(w);
            }
            Self::Report(report) => {
                w.u8(TAG_REPORT);
                report.write(w);
            }
            Self::Unknown { tag } => w.u8(*tag),
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8("tag")? {
            TAG_DEPOSIT => Self::Deposit(Deposit {
                request: r.u64("deposit.request")?,
                envelopes: r.list("deposit.envelopes", limits::DEPOSIT_ITEMS, |r| {
                    Ok(r.bytes("deposit.envelope", limits::ENVELOPE_BYTES)?.to_vec())
                })?,
            }),
            TAG_WATCH => Self::Watch(Watch {
                request: r.u64("watch.request")?,
                topics: r.list("watch.topics", limits::WATCH_ITEMS, |r| {
                    Ok((TopicId::read(r)?, r.option("watch.cursor", Cursor::read)?))
                })?,
            }),
            TAG_UNWATCH => Self::Unwatch(r.list("unwatch.topics", limits::WATCH_ITEMS, TopicId::read)?),
            TAG_ACK => Self::Ack {
                bytes: r.u64("ack.bytes")?,
            },
            TAG_HELLO => Self::Hello(AdmissionToken(r.bytes("hello.token", limits::TOKEN_BYTES)?.to_vec())),
            TAG_PUT_BLOB => Self::PutBlob(PutBlob::read(r)?),
            TAG_GET_BLOB => Self::GetBlob(GetBlob::read(r)?),
            TAG_COMPARE => Self::Compare(Compare {
                topic: TopicId::read(r)?,
                device: DeviceId::read(r)?,
            }),
            TAG_RECONCILE => Self::Reconcile(Reconcile::read(r)?),
            TAG_HISTORY => Self::History(History::read(r)?),
            TAG_MEET => Self::Meet(Meet::read(r)?),
            TAG_ENLIST => Self::Enlist(Enlist::read(r)?),
            TAG_SEARCH => Self::Search(Search::read(r)?),
            TAG_ASK_FIGURES => Self::AskFigures(AskFigures::read(r)?),
            TAG_REPORT => Self::Report(Report::read(r)?),
            tag => {
                r.skip_rest();
                Self::Unknown { tag }
            }
        })
    }
}

impl Wire for CustodianFrame {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Receipt(receipt) => {
                w.u8(TAG_RECEIPT);
                w.u64(receipt.request);
                w.list(&receipt.accepted, write_accepted);
                w.list(&receipt.refused, |w, refused| {
                    refused.id.write(w);
                    w.u8(refused.why.code());
                    w.u32(refused.retry_after_s);
                });
                w.fixed(&receipt.signature);
            }
            Self::Items(page) => {
                w.u8(TAG_ITEMS);
                page.topic.write(w);
                page.cursor.write(w);
                w.u8(u8::from(page.void) * FLAG_VOID + u8::from(page.caught_up) * FLAG_CAUGHT_UP);
                w.list(&page.items, |w, item| {
                    w.u64(item.position);
                    w.bytes(&item.envelope);
                });
            }
            Self::WatchRefused {
                request,
                why,
                retry_after_s,
            } => {
                w.u8(TAG_WATCH_REFUSED);
                w.u64(*request);
                w.u8(why.code());
                w.u32(*retry_after_s);
            }
            Self::Admission { why, retry_after_s } => {
                w.u8(TAG_ADMISSION);
                w.u8(why.map_or(ADMITTED, Refusal::code));
                w.u32(*retry_after_s);
            }
            Self::BlobState(state) => {
                w.u8(TAG_BLOB_STATE);
                state.write(w);
            }
            Self::BlobReceipt(receipt) => {
                w.u8(TAG_BLOB_RECEIPT);
                receipt.write(w);
            }
            Self::BlobRefused(refused) => {
                w.u8(TAG_BLOB_REFUSED);
                refused.write(w);
            }
            Self::BlobChunks(chunks) => {
                w.u8(TAG_BLOB_CHUNKS);
                chunks.write(w);
            }
            Self::Compared(told) => {
                w.u8(TAG_COMPARED);
                told.topic.write(w);
                w.option(told.mark.as_ref(), |w, mark| mark.write(w));
            }
            Self::Reconciled(reconciled) => {
                w.u8(TAG_RECONCILED);
                reconciled.write(w);
            }
            Self::History(page) => {
                w.u8(TAG_HISTORY_PAGE);
                page.write(w);
            }
            Self::Met(met) => {
                w.u8(TAG_MET);
                met.write(w);
            }
            Self::Enlisted(enlisted) => {
                w.u8(TAG_ENLISTED);
                enlisted.write(w);
            }
            Self::Found(found) => {
                w.u8(TAG_FOUND);
                found.write(w);
            }
            Self::Figures(figures) => {
                w.u8(TAG_FIGURES);
                figures.write(w);
            }
            Self::Reported(reported) => {
                w.u8(TAG_REPORTED);
                reported.write(w);
            }
            Self::Unknown { tag } => w.u8(*tag),
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8("tag")? {
            TAG_RECEIPT => Self::Receipt(Receipt {
                request: r.u64("receipt.request")?,
                accepted: r.list("receipt.accepted", limits::DEPOSIT_ITEMS, |r| {
                    Ok(Accepted {
                        id: EnvelopeId::read(r)?,
                        until_s: r.u64("receipt.until_s")?,
                    })
                })?,
                refused: r.list("receipt.refused", limits::DEPOSIT_ITEMS, |r| {
                    Ok(Refused {
                        id: EnvelopeId::read(r)?,
                        why: Refusal::from_code(r.u8("receipt.code")?),
                        retry_after_s: r.u32("receipt.retry_after_s")?,
                    })
                })?,
                signature: r.array("receipt.signature")?,
            }),
            TAG_ITEMS => {
                let topic = TopicId::read(r)?;
                let cursor = Cursor::read(r)?;
                let flags = r.u8("items.flags")?;
                let items = r.list("items.items", limits::FRAME_BYTES / 64, |r| {
                    Ok(Item {
                        position: r.u64("items.position")?,
                        envelope: r.bytes("items.envelope", limits::ENVELOPE_BYTES)?.to_vec(),
                    })
                })?;
                Self::Items(Items {
                    topic,
                    cursor,
                    void: flags & FLAG_VOID != 0,
                    caught_up: flags & FLAG_CAUGHT_UP != 0,
                    items,
                })
            }
            TAG_WATCH_REFUSED => Self::WatchRefused {
                request: r.u64("watch_refused.request")?,
                why: Refusal::from_code(r.u8("watch_refused.code")?),
                retry_after_s: r.u32("watch_refused.retry_after_s")?,
            },
            TAG_ADMISSION => Self::Admission {
                why: match r.u8("admission.code")? {
                    ADMITTED => None,
                    code => Some(Refusal::from_code(code)),
                },
                retry_after_s: r.u32("admission.retry_after_s")?,
            },
            TAG_BLOB_STATE => Self::BlobState(BlobState::read(r)?),
            TAG_BLOB_RECEIPT => Self::BlobReceipt(BlobReceipt::read(r)?),
            TAG_BLOB_REFUSED => Self::BlobRefused(BlobRefused::read(r)?),
            TAG_BLOB_CHUNKS => Self::BlobChunks(BlobChunks::read(r)?),
            TAG_COMPARED => Self::Compared(Compared {
                topic: TopicId::read(r)?,
                mark: r.option("compared.mark", Mark::read)?,
            }),
            TAG_RECONCILED => Self::Reconciled(Reconciled::read(r)?),
            TAG_HISTORY_PAGE => Self::History(HistoryPage::read(r)?),
            TAG_MET => Self::Met(Met::read(r)?),
            TAG_ENLISTED => Self::Enlisted(Enlisted::read(r)?),
            TAG_FOUND => Self::Found(Found::read(r)?),
            TAG_FIGURES => Self::Figures(Figures::read(r)?),
            TAG_REPORTED => Self::Reported(Reported::read(r)?),
            tag => {
                r.skip_rest();
                Self::Unknown { tag }
            }
        })
    }
}

fn write_accepted(w: &mut Writer, accepted: &Accepted) {
    accepted.id.write(w);
    w.u64(accepted.until_s);
}

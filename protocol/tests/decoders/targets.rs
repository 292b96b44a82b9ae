//! Every decoder of bytes that come from elsewhere, with valid inputs for it.

use super::session::{ALICE, BOB, CAROL, CHAT, DAVE, Session, rows_of};
use super::village::Village;
use madang_protocol::address::PeerAddress;
use madang_protocol::blob::{self, BlobKey, BlobRef, Chunk};
use madang_protocol::chat::{ChatContext, Group, Header, JoinInfo, LeafIdentity, Plan, Profile, Statement, Wish};
use madang_protocol::contact::{Card, CardKey, CardPackage, Details, Inbox, Invite, InvitedGroup, Request};
use madang_protocol::custody::{
    Accepted, AdmissionToken, Answer, Ask, AskFigures, BlobChunks, BlobPermit, BlobReceipt, BlobRefused, BlobState,
    ChunkRange, ClientFrame, Cursor, CustodianFrame, Deposit, Enlist, Enlisted, Figures, Found, GetBlob, Handed,
    History, HistoryPage, Item, Items, PutBlob, Reason, Receipt, Reconcile, Reconciled, Refusal, Refused, Report,
    Reported, RunningHash, Search, Watch,
};
use madang_protocol::envelope::Envelope;
use madang_protocol::identity::{DeviceLog, StatementBody, TransportCertificate};
use madang_protocol::keys::{
    AccountId, AccountSecret, DeviceId, DeviceSecret, EnvelopeId, NodeId, TopicId, TopicSecret, TransportKey,
    TransportSecret,
};
use madang_protocol::message::repair::{self, Baseline, OwnStream, Want, Wanted};
use madang_protocol::message::{
    Attachment, Body, Durable, Edit, Files, Frontier, Image, Inner, Media, Mention, Poll, Reaction, Rich, StreamId,
    Vote, extensions,
};
use madang_protocol::mls::{Crypto, GroupRows, Suite};
use madang_protocol::padding;
use madang_protocol::seal::{self, Purpose};
use madang_protocol::seq_set::SeqSet;
use madang_protocol::wire::Wire;
use std::sync::OnceLock;

#[path = "channels.rs"]
mod channels;
#[path = "groups.rs"]
mod groups;
#[path = "shares.rs"]
mod shares;
#[path = "windows.rs"]
mod windows;
use groups::{
    add, apply, apply_change, changes, commits, headers, inbox, inbox_messages, join, letter, letters, open,
    open_letter, packages, pointer, pointers, sealed, welcomes,
};

/// One decoder.
pub struct Target {
    /// The name of its corpus.
    pub name: &'static str,
    /// Reads bytes and encodes again what they say; gives the bytes themselves where nothing encodes them, `None` if it refuses them.
    pub read: fn(&[u8]) -> Option<Vec<u8>>,
    /// Bytes that it accepts.
    pub valid: fn() -> Vec<Vec<u8>>,
    /// A changed bit must be refused: something authenticates all of it.
    pub authentic: bool,
    /// What it accepts encodes to the same bytes; otherwise only to bytes that say the same.
    pub canonical: bool,
    /// Bytes that it may allocate however short the input: its own state and what cryptography needs.
    pub allowance: usize,
}

impl Target {
    /// A decoder of bytes that anybody can make, with one encoding of each value.
    pub const fn new(name: &'static str, read: fn(&[u8]) -> Option<Vec<u8>>, valid: fn() -> Vec<Vec<u8>>) -> Self {
        Self {
            name,
            read,
            valid,
            authentic: false,
            canonical: true,
            allowance: 8 * KIB,
        }
    }

    /// Something authenticates its bytes.
    pub const fn authentic(mut self) -> Self {
        self.authentic = true;
        self
    }

    /// It passes over what a later version may have added, or takes several encodings of one value.
    pub const fn lenient(mut self) -> Self {
        self.canonical = false;
        self
    }

    /// It may allocate more than usual, in bytes.
    pub const fn allowing(mut self, allowance: usize) -> Self {
        self.allowance = allowance;
        self
    }

    /// Whether it accepts bytes.
    pub fn accepts(&self, bytes: &[u8]) -> bool {
        (self.read)(bytes).is_some()
    }

    /// Bytes that it may allocate at once for an input.
    pub fn memory(&self, input: &[u8]) -> usize {
        self.allowance + FACTOR * input.len()
    }

    /// Whether it accepts bytes; fails if what it read doesn't encode to what it must.
    pub fn check(&self, bytes: &[u8]) -> Result<bool, String> {
        let Some(again) = (self.read)(bytes) else {
            return Ok(false);
        };
        let wrong = |what: &str| {
            let (from, to) = (hex::encode(bytes), hex::encode(&again));
            Err(format!("{}: {what}: {from} became {to}", self.name))
        };
        if self.canonical && again != bytes {
            return wrong("a second encoding of one value is accepted");
        }
        if again != bytes && (self.read)(&again).as_ref() != Some(&again) {
            return wrong("what was read doesn't encode to what says the same");
        }
        Ok(true)
    }
}

const KIB: usize = 1024;
/// Decoded values take more room than their bytes, by at most this: a list's items have vectors and strings of their own, and a growing
/// vector is copied once at twice its size.
const FACTOR: usize = 8;
/// Loading a group's state takes so much, however small the message (measured: 40 KiB).
pub const GROUP: usize = 64 * KIB;

pub const TARGETS: [Target; 48] = [
    Target::new("envelope", envelope, envelopes).authentic(),
    Target::new("client_frame", client_frame, client_frames),
    Target::new("custodian_frame", custodian_frame, custodian_frames).lenient(),
    Target::new(
        "blob_ref",
        |bytes| Some(BlobRef::decode(bytes).ok()?.encode()),
        blob_refs,
    ),
    Target::new("blob_chunk", blob_chunk, blob_chunks).authentic(),
    Target::new("invite_link", link, links).authentic().lenient(),
    Target::new("invite", |bytes| Some(Invite::decode(bytes).ok()?.encode()), invites).lenient(),
    Target::new("card", card, cards).authentic(),
    Target::new("sealed_card", open_card, sealed_cards).authentic(),
    Target::new("request", |bytes| Some(Request::decode(bytes).ok()?.encode()), requests).lenient(),
    Target::new("sealed_request", open_request, sealed_requests).authentic(),
    Target::new("device_log", device_log, device_logs).authentic(),
    Target::new("message", |bytes| Some(Inner::decode(bytes).ok()?.encode()), messages).lenient(),
    Target::new("wanted", |bytes| Some(Wanted::decode(bytes).ok()?.encode()), wanted),
    Target::new(
        "own_stream",
        |bytes| Some(OwnStream::decode(bytes).ok()?.encode()),
        own_streams,
    ),
    Target::new("ranges", |bytes| Some(SeqSet::decode(bytes).ok()?.encode()), ranges),
    Target::new("padding", unpad, padded).lenient(),
    Target::new("chat_extensions", extensions, extension_values).lenient(),
    Target::new("statement", statement, statements).authentic(),
    Target::new("profile", profile, profiles).authentic(),
    Target::new("inbox_message", inbox, inbox_messages).lenient(),
    Target::new("pointer", pointer, pointers),
    Target::new("letter", letter, letters),
    Target::new("sealed_letter", open_letter, letters).authentic(),
    Target::new(
        "header",
        |bytes| Header::read(bytes).ok().map(|_| bytes.to_vec()),
        headers,
    ),
    Target::new("group_open", open, sealed).authentic().allowing(GROUP),
    Target::new("group_apply", apply, commits).authentic().allowing(GROUP),
    Target::new("group_change", apply_change, changes)
        .authentic()
        .allowing(2 * GROUP),
    Target::new("group_join", join, welcomes).authentic().allowing(GROUP),
    Target::new("key_package", add, packages).authentic().allowing(GROUP),
    Target::new("channel_envelope", envelope, channels::envelopes).authentic(),
    Target::new("channel_statement", channels::statement, channels::statements).lenient(),
    Target::new("channel_link", channels::link, channels::links)
        .authentic()
        .lenient(),
    Target::new("channel_evidence", channels::evidence, channels::evidences).authentic(),
    Target::new("channel_listing", channels::listing, channels::listings).authentic(),
    Target::new("channel_inquiry", channels::inquiry, channels::inquiries).authentic(),
    Target::new("channel_vouch", channels::vouch, channels::vouches).authentic(),
    Target::new("ballot_box", channels::ballot_box, channels::boxes),
    Target::new("poll_result", channels::result, channels::results),
    Target::new("ballot", channels::ballot, channels::ballots).lenient(),
    Target::new("share", shares::share, shares::shares)
        .lenient()
        .allowing(shares::TREE),
    Target::new("app_manifest", shares::manifest, shares::manifests)
        .lenient()
        .allowing(shares::TREE),
    Target::new("shared_card", shares::card, shares::signed)
        .authentic()
        .allowing(shares::TREE),
    Target::new("share_link", shares::link, shares::links)
        .lenient()
        .allowing(shares::TREE),
    Target::new("share_resolve", shares::resolved, shares::jsons)
        .lenient()
        .allowing(shares::TREE),
    Target::new("share_kakao", shares::template, shares::templates)
        .lenient()
        .allowing(shares::TREE),
    Target::new("reconcile_answer", windows::answer, windows::messages).allowing(windows::SETS),
    Target::new("reconcile_take", windows::take, windows::answers).allowing(windows::SETS),
];

/// The bytes themselves, if they were accepted.
fn as_is(bytes: &[u8], accepted: bool) -> Option<Vec<u8>> {
    accepted.then(|| bytes.to_vec())
}

fn topic() -> TopicSecret {
    TopicSecret::from_bytes([7; 32])
}

fn device(n: u8) -> DeviceSecret {
    DeviceSecret::from_bytes([n; 32])
}

fn address(n: u8) -> PeerAddress {
    PeerAddress {
        key: TransportKey([n; 32]),
        addrs: vec![
            "/ip4/127.0.0.1/udp/4001/quic-v1".into(),
            "/dns/relay.example/tcp/4001".into(),
        ],
    }
}

fn envelopes() -> Vec<Vec<u8>> {
    [&b""[..], b"body", &[9; 300]]
        .map(|body| Envelope::sign(&topic(), 60, body).unwrap().into_bytes())
        .to_vec()
}

fn envelope(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Envelope::verify(bytes).ok()?.into_bytes())
}

/// The content of a frame of an unknown tag, or of a question of an unknown kind, is passed over.
fn client_frame(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match ClientFrame::decode(bytes).ok()? {
        ClientFrame::Unknown { .. }
        | ClientFrame::Reconcile(Reconcile {
            ask: Ask::Later { .. }, ..
        }) => bytes.to_vec(),
        frame => frame.encode(),
    })
}

fn custodian_frame(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match CustodianFrame::decode(bytes).ok()? {
        CustodianFrame::Unknown { .. }
        | CustodianFrame::Reconciled(Reconciled {
            answer: Answer::Later { .. },
            ..
        }) => bytes.to_vec(),
        frame => frame.encode(),
    })
}

fn client_frames() -> Vec<Vec<u8>> {
    let cursor = Cursor {
        epoch: 1,
        position: 2,
        hash: RunningHash([3; 16]),
    };
    [
        ClientFrame::Hello(AdmissionToken::new(b"a token").unwrap()),
        ClientFrame::Deposit(Deposit {
            request: 1,
            envelopes: envelopes(),
        }),
        ClientFrame::Watch(Watch {
            request: 2,
            topics: vec![(topic().public(), None), (topic().public(), Some(cursor))],
        }),
        ClientFrame::Unwatch(vec![topic().public()]),
        ClientFrame::Ack { bytes: 77 },
        ClientFrame::Unknown { tag: 99 },
        ClientFrame::PutBlob(PutBlob {
            request: 4,
            permit: BlobPermit::sign(&topic(), blob().0.id, blob().0.shape().unwrap(), 60),
            chunks: vec![blob().1],
        }),
        ClientFrame::GetBlob(GetBlob {
            request: 5,
            topic: topic().public(),
            blob: blob().0.id,
            chunks: ChunkRange::of([0, 1, 5]),
        }),
    ]
    .into_iter()
    .chain([ClientFrame::History(History {
        request: 8,
        topic: topic().public(),
        before: 9,
        count: 50,
    })])
    .chain([
        ClientFrame::Enlist(Enlist {
            request: 9,
            listing: vec![1; 40],
        }),
        ClientFrame::Search(Search {
            request: 10,
            query: "shop".into(),
            category: "news".into(),
            after: vec![2; 33],
        }),
        ClientFrame::AskFigures(AskFigures {
            request: 11,
            inquiry: vec![1; 40],
            post: Some(EnvelopeId([3; 32])),
        }),
        ClientFrame::Report(Report {
            request: 12,
            reason: Reason::Fraud,
            text: "why".into(),
            envelopes: vec![vec![1; 40], vec![2; 40]],
        }),
    ])
    .chain(windows::questions().map(ClientFrame::Reconcile))
    .map(|frame| frame.encode())
    .collect()
}

fn custodian_frames() -> Vec<Vec<u8>> {
    let accepted = vec![Accepted {
        id: EnvelopeId([1; 32]),
        until_s: 9,
    }];
    let refused = vec![Refused {
        id: EnvelopeId([2; 32]),
        why: Refusal::TopicQuota,
        retry_after_s: 60,
    }];
    [
        CustodianFrame::Receipt(Receipt::sign(
            &TransportSecret::from_bytes([4; 32]),
            1,
            accepted,
            refused,
        )),
        CustodianFrame::Items(Items {
            topic: topic().public(),
            cursor: Cursor {
                epoch: 1,
                position: 2,
                hash: RunningHash([3; 16]),
            },
            void: true,
            caught_up: true,
            items: vec![Item {
                position: 2,
                envelope: vec![5; 100],
            }],
        }),
        CustodianFrame::Enlisted(Enlisted {
            request: 9,
            until_s: 10,
        }),
        CustodianFrame::Found(Found {
            request: 10,
            listings: vec![vec![1; 40], vec![2; 40]],
            next: vec![3; 33],
        }),
        CustodianFrame::Figures(Figures {
            request: 11,
            time_s: 7,
            watchers: 120,
            handed: Some(Handed {
                time_s: 7,
                since_s: 5,
                peers: 20,
            }),
        }),
        CustodianFrame::Reported(Reported { request: 12 }),
        CustodianFrame::History(HistoryPage {
            request: 8,
            topic: topic().public(),
            cursor: Cursor {
                epoch: 1,
                position: 2,
                hash: RunningHash([3; 16]),
            },
            oldest: true,
            items: vec![Item {
                position: 2,
                envelope: vec![5; 100],
            }],
        }),
        CustodianFrame::Admission {
            why: Some(Refusal::NotAdmitted),
            retry_after_s: 60,
        },
        CustodianFrame::WatchRefused {
            request: 3,
            why: Refusal::Busy,
            retry_after_s: 1,
        },
        CustodianFrame::Unknown { tag: 200 },
        CustodianFrame::BlobState(BlobState {
            request: 4,
            missing: ChunkRange::of([0, 1, 5]),
        }),
        CustodianFrame::BlobReceipt(BlobReceipt::sign(
            &TransportSecret::from_bytes([4; 32]),
            4,
            topic().public(),
            blob().0.id,
            9,
        )),
        CustodianFrame::BlobRefused(BlobRefused {
            request: 5,
            why: Refusal::NotFound,
            retry_after_s: 60,
        }),
        CustodianFrame::BlobChunks(BlobChunks {
            request: 5,
            chunks: vec![Chunk {
                proof: vec![[7; 32]; 3],
                ..blob().1
            }],
        }),
    ]
    .into_iter()
    .chain(windows::replies().map(CustodianFrame::Reconciled))
    .map(|frame| frame.encode())
    .collect()
}

/// A blob of one chunk.
fn blob() -> (BlobRef, Chunk) {
    let (blob, mut chunks) = blob::seal_with(BlobKey::from_bytes([3; 32]), b"a small blob").unwrap();
    (blob, chunks.remove(0))
}

fn blob_refs() -> Vec<Vec<u8>> {
    vec![blob().0.encode()]
}

/// Only the blob's own chunk is accepted.
fn blob_chunk(bytes: &[u8]) -> Option<Vec<u8>> {
    let chunk = Chunk::decode(bytes).ok()?;
    let (blob, _) = blob();
    chunk
        .check(&blob.id, blob.shape().ok()?)
        .is_ok()
        .then(|| chunk.encode())
}

fn blob_chunks() -> Vec<Vec<u8>> {
    vec![blob().1.encode()]
}

fn invite() -> Invite {
    Invite {
        account: AccountSecret::from_bytes([1; 32]).public(),
        card: topic().public(),
        card_key: CardKey([3; 32]),
        requests: TopicSecret::from_bytes([4; 32]),
        relays: vec![address(5)],
        devices: vec![address(6)],
        name: "alice".into(),
        expires_s: 1_700_000_000,
        group: None,
    }
}

fn group_invite() -> Invite {
    let group = InvitedGroup {
        chat: CHAT,
        name: "village".into(),
    };
    Invite {
        group: Some(group),
        ..invite()
    }
}

fn invites() -> Vec<Vec<u8>> {
    vec![invite().encode(), group_invite().encode()]
}

fn links() -> Vec<Vec<u8>> {
    vec![invite().to_link().into_bytes(), group_invite().to_link().into_bytes()]
}

fn link(bytes: &[u8]) -> Option<Vec<u8>> {
    let link = Invite::from_link(&String::from_utf8_lossy(bytes)).ok()?;
    Some(link.to_link().into_bytes())
}

fn log() -> DeviceLog {
    let mut log = DeviceLog::create(&AccountSecret::from_bytes([1; 32]), device(2).public());
    log.append_by_device(
        &device(2),
        StatementBody::Add {
            device: device(3).public(),
        },
    );
    log.append_by_device(
        &device(3),
        StatementBody::Rotate {
            old: device(3).public(),
            new: device(4).public(),
        },
    );
    log
}

fn device_logs() -> Vec<Vec<u8>> {
    vec![log().encode()]
}

fn device_log(bytes: &[u8]) -> Option<Vec<u8>> {
    let log = DeviceLog::decode(bytes).ok()?;
    log.verify().is_ok().then(|| log.encode())
}

fn cards() -> Vec<Vec<u8>> {
    let card = Card {
        log: log(),
        suite: Suite::X25519,
        seal_key: vec![8; 32],
        packages: vec![CardPackage {
            not_before_s: 0,
            not_after_s: 9,
            last_resort: true,
            bytes: vec![1, 2],
        }],
        transports: vec![TransportCertificate::sign(&device(2), TransportKey([6; 32]), 5)],
        devices: vec![address(6)],
        relays: vec![address(5)],
        name: "alice".into(),
        number: 1,
    };
    vec![card.sign(topic().public(), &device(2))]
}

fn card(bytes: &[u8]) -> Option<Vec<u8>> {
    as_is(bytes, Card::verify(bytes, topic().public(), log().account).is_ok())
}

fn sealed_cards() -> Vec<Vec<u8>> {
    cards()
        .iter()
        .map(|card| seal::seal_card(&Crypto::new([1; 32]), &CardKey([3; 32]), topic().public(), card).unwrap())
        .collect()
}

fn open_card(bytes: &[u8]) -> Option<Vec<u8>> {
    as_is(
        bytes,
        seal::open_card(&CardKey([3; 32]), topic().public(), bytes).is_ok(),
    )
}

fn requests() -> Vec<Vec<u8>> {
    let request = Request {
        details: Details {
            log: log(),
            suite: Suite::XWing,
            inbox: Inbox {
                topic: topic(),
                seal_key: vec![8; 32],
            },
            transports: vec![TransportCertificate::sign(&device(2), TransportKey([6; 32]), 5)],
            devices: vec![address(6)],
            relays: vec![address(5)],
            name: "bob".into(),
            packages: vec![CardPackage {
                not_before_s: 1,
                not_after_s: 2,
                last_resort: true,
                bytes: vec![3; 20],
            }],
        },
        chat: CHAT,
        node: NodeId([9; 32]),
        welcome: vec![1, 2, 3],
    };
    vec![request.encode()]
}

/// An X-Wing private key is 32 bytes of seed; its public half comes from the provider.
fn seal_pair() -> &'static (Vec<u8>, Vec<u8>) {
    use openmls_traits::crypto::OpenMlsCrypto;
    use openmls_traits::types::{HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
    static PAIR: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    PAIR.get_or_init(|| {
        let config = HpkeConfig(
            HpkeKemType::XWingKemDraft6,
            HpkeKdfType::HkdfSha256,
            HpkeAeadType::ChaCha20Poly1305,
        );
        let pair = Crypto::new([1; 32]).derive_hpke_keypair(config, &[2; 32]).unwrap();
        (pair.private.to_vec(), pair.public)
    })
}

fn sealed_requests() -> Vec<Vec<u8>> {
    let crypto = Crypto::new([1; 32]);
    requests()
        .iter()
        .map(|request| {
            seal::seal_to(
                &crypto,
                Suite::XWing,
                &seal_pair().1,
                Purpose::Request,
                topic().public(),
                request,
            )
            .unwrap()
        })
        .collect()
}

fn open_request(bytes: &[u8]) -> Option<Vec<u8>> {
    let (crypto, key) = (Crypto::new([1; 32]), &seal_pair().0);
    let opened = seal::open_with(&crypto, Suite::XWing, key, Purpose::Request, topic().public(), bytes);
    as_is(bytes, opened.is_ok())
}

fn asked() -> Wanted {
    let mut ranges = SeqSet::default();
    ranges.insert_range(2, 9);
    ranges.insert_range(12, 12);
    let want = |n: u8| Want {
        stream: StreamId {
            device: DeviceId([n; 32]),
            incarnation: 4,
        },
        ranges: ranges.clone(),
    };
    Wanted(vec![want(2), want(3)])
}

fn wanted() -> Vec<Vec<u8>> {
    vec![asked().encode(), Wanted::default().encode()]
}

fn told() -> OwnStream {
    let mut lost = SeqSet::default();
    lost.insert_range(3, 5);
    OwnStream {
        last: 40,
        lost,
        baselines: vec![Baseline {
            device: [6; 8],
            from: 7,
        }],
    }
}

fn own_streams() -> Vec<Vec<u8>> {
    vec![told().encode(), OwnStream::default().encode()]
}

fn messages() -> Vec<Vec<u8>> {
    let stream = StreamId {
        device: DeviceId([1; 32]),
        incarnation: 7,
    };
    let mut delivered = SeqSet::default();
    delivered.insert_range(1, 40);
    delivered.insert_range(50, 60);
    let frontiers = vec![Frontier {
        stream,
        delivered,
        read_through: 3,
    }];
    let message = |body| Inner {
        stream,
        messages: vec![Durable {
            sequence: 3,
            previous: [2; 32],
            parents: vec![stream.message(1), stream.message(2)],
            clock: 9,
            sent_ms: 10,
            fallback: "a picture".into(),
            body,
            extensions: Vec::new(),
        }],
        frontiers: frontiers.clone(),
        extensions: Vec::new(),
    };
    let report = Inner {
        stream,
        messages: Vec::new(),
        frontiers: frontiers.clone(),
        extensions: [extensions::typing(true), extensions::state(&[7; 8])].concat(),
    };
    let mut asking = report.clone();
    repair::want(&mut asking.extensions, &asked());
    repair::tell_own(&mut asking.extensions, &told());
    let unknown = Body::Unknown {
        kind: 77,
        body: vec![1, 2],
    };
    vec![
        message(Body::Text("hello".into())).encode(),
        message(Body::Contact(vec![1])).encode(),
        message(unknown).encode(),
        message(Body::Rich(Rich {
            reply_to: Some(stream.message(1)),
            mentions: vec![Mention {
                account: AccountId([5; 32]),
                start: 2,
                length: 7,
            }],
        }))
        .encode(),
        message(Body::Poll(Poll {
            question: "when?".into(),
            options: vec!["now".into(), "later".into()],
            multiple: true,
        }))
        .encode(),
        message(Body::Edit(Edit {
            message: stream.message(1),
            text: "another".into(),
            mentions: Vec::new(),
        }))
        .encode(),
        message(Body::Reaction(Reaction {
            message: stream.message(1),
            emoji: "👍".into(),
            remove: false,
        }))
        .encode(),
        message(Body::Vote(Vote {
            message: stream.message(1),
            choices: vec![0, 1],
        }))
        .encode(),
        report.encode(),
        asking.encode(),
        message(Body::Files(Files {
            items: vec![Attachment {
                blob: blob::seal_with(BlobKey::from_bytes([3; 32]), b"a small blob")
                    .unwrap()
                    .0,
                topic: TopicId([8; 32]),
                name: "a.jpg".to_owned(),
                media_type: "image/jpeg".to_owned(),
                caption: "there".to_owned(),
                media: Media::Image(Image {
                    width: 4,
                    height: 3,
                    thumbnail: vec![1, 2],
                    preview: vec![3],
                }),
            }],
        }))
        .encode(),
    ]
}

fn ranges() -> Vec<Vec<u8>> {
    let mut set = SeqSet::default();
    set.insert_range(1, 9);
    set.insert(11);
    vec![SeqSet::default().encode(), set.encode()]
}

fn padded() -> Vec<Vec<u8>> {
    vec![padding::pad(b""), padding::pad(b"content"), padding::pad(&[9; 200])]
}

fn extension_values() -> Vec<Vec<u8>> {
    let info = |topic, profiles| JoinInfo {
        topic,
        parent: NodeId([5; 32]),
        profiles,
        past: vec![NodeId([4; 32])],
    };
    let group = ChatContext {
        picture: vec![1; 30],
        admins: vec![ALICE.account(), BOB.account()],
        ..ChatContext::group("village".into(), ALICE.account(), vec![address(5)])
    };
    vec![
        ALICE.identity().encode(),
        ChatContext::one_to_one().encode(),
        group.encode(),
        info(Some(topic()), Vec::new()).encode(),
        info(None, vec![alices_profile(), alices_profile()]).encode(),
    ]
}

fn alices_profile() -> Profile {
    Profile::sign(&ALICE.device(), CHAT, 7, "Alice".into())
}

fn profiles() -> Vec<Vec<u8>> {
    vec![alices_profile().encode()]
}

fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let profile = Profile::decode(bytes).ok()?;
    profile.verify(CHAT).is_ok().then(|| profile.encode())
}

fn statements() -> Vec<Vec<u8>> {
    let wish = |wish| Statement::sign(&ALICE.device(), CHAT, wish, [7; 32]).encode();
    vec![wish(Wish::Leave), wish(Wish::Rejoin)]
}

fn statement(bytes: &[u8]) -> Option<Vec<u8>> {
    let statement = Statement::decode(bytes).ok()?;
    statement.verify(CHAT).is_ok().then(|| statement.encode())
}

/// Padding of any size is taken, the smallest that hides enough is given.
fn unpad(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(padding::pad(padding::unpad(bytes, 1 << 16).ok()?))
}

/// The three that travel inside MLS; each input goes to all.
fn extensions(bytes: &[u8]) -> Option<Vec<u8>> {
    let identity = LeafIdentity::decode(bytes).map(|value| value.encode());
    let context = ChatContext::decode(bytes).map(|value| value.encode());
    let info = JoinInfo::decode(bytes).map(|value| value.encode());
    identity.or(context).or(info).ok()
}

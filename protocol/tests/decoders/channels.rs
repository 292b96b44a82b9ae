//! What travels on channels.

use super::{address, as_is};
use madang_protocol::channel::{
    Act, Area, Ballot, BallotBox, Beacon, Button, Card, Category, ChannelLink, Coupon, Entry, Event, Evidence, Head,
    Inquiry, Listing, Manifest, Policy, PollResult, Post, PostBody, Revocation, Scopes, Signatory, Statement, Vouch,
    WebLink, WriterCertificate,
};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{ChannelId, EnvelopeId, TopicSecret, TransportKey, WriterSecret};
use madang_protocol::message::Poll;
use madang_protocol::mls::Suite;
use madang_protocol::wire::Wire;

fn root() -> Signatory {
    Signatory::root(&TopicSecret::from_bytes([7; 32]))
}

fn editor() -> Signatory {
    let secret = WriterSecret::from_bytes([8; 32]);
    let certificate = WriterCertificate {
        channel: root().channel,
        writer: secret.public(),
        scopes: Scopes::PUBLISH,
        categories: vec!["news".into()],
        from_s: 1,
        until_s: 2,
        extensions: Vec::new(),
        signature: [0; 64],
    };
    Signatory {
        channel: root().channel,
        secret,
        chain: vec![certificate.signed(&root().secret)],
    }
}

fn manifest() -> Manifest {
    Manifest {
        number: 1,
        name: "name".into(),
        description: String::new(),
        picture: None,
        links: vec![WebLink {
            label: "a".into(),
            url: "b".into(),
        }],
        categories: vec![Category {
            id: "news".into(),
            name: "News".into(),
        }],
        inbox: String::new(),
        relays: vec![address(4)],
        domain: "shop.example".into(),
        policy: Policy::default(),
        recovery: Some(editor().secret.public()),
        extensions: Vec::new(),
    }
}

fn entry(number: u64, act: Act) -> Vec<u8> {
    Statement::Entry(Box::new(Entry {
        number,
        previous: EnvelopeId([u8::from(number > 1); 32]),
        time_ms: 5,
        act,
        extensions: Vec::new(),
    }))
    .encode()
}

fn post(body: PostBody) -> Act {
    let mut post = Post::text("text");
    post.categories = vec!["news".into()];
    post.area = Some(Area {
        latitude_e6: 1,
        longitude_e6: -1,
        radius_m: 9,
    });
    post.body = body;
    Act::Post(post)
}

fn card() -> Card {
    Card {
        title: "title".into(),
        text: "text".into(),
        image: None,
        buttons: vec![Button {
            label: "go".into(),
            url: "https://shop.example/".into(),
        }],
    }
}

fn beacon() -> Vec<u8> {
    Statement::Beacon(Box::new(Beacon {
        number: 2,
        time_ms: 3,
        period_s: 4,
        manifest: manifest(),
        heads: vec![Head {
            writer: root().secret.public(),
            number: 1,
            id: EnvelopeId([1; 32]),
        }],
        revocations: vec![Revocation {
            writer: editor().secret.public(),
            last: 0,
            id: EnvelopeId([0; 32]),
        }],
        extensions: Vec::new(),
    }))
    .encode()
}

pub fn statements() -> Vec<Vec<u8>> {
    let event = Event {
        title: "title".into(),
        starts_s: 1,
        ends_s: 2,
        place: String::new(),
        details: String::new(),
        url: String::new(),
    };
    let coupon = Coupon {
        card: card(),
        terms: "terms".into(),
        starts_s: 1,
        ends_s: 2,
        total: 3,
        per_follower: 1,
        issuer: vec![1],
        desk: vec![2],
    };
    let poll = Poll {
        question: "which".into(),
        options: vec!["a".into(), "b".into()],
        multiple: false,
    };
    let target = EnvelopeId([3; 32]);
    let mut all: Vec<Vec<u8>> = [
        PostBody::Text,
        PostBody::Card(card()),
        PostBody::Carousel(vec![card(), card()]),
        PostBody::Event(event),
        PostBody::Poll(poll),
        PostBody::Coupon(coupon),
        PostBody::Unknown {
            kind: 99,
            body: vec![1],
        },
    ]
    .map(|body| entry(1, post(body)))
    .to_vec();
    all.push(entry(
        2,
        Act::Edit {
            target,
            post: Post::text("new"),
        },
    ));
    all.push(entry(
        2,
        Act::Retract {
            target,
            reason: "why".into(),
        },
    ));
    all.push(beacon());
    all.push(vec![77, 1, 2]);
    all
}

/// The content of a statement of an unknown kind is passed over.
pub fn statement(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match Statement::decode(bytes).ok()? {
        Statement::Unknown { .. } => bytes.to_vec(),
        known => known.encode(),
    })
}

pub fn envelopes() -> Vec<Vec<u8>> {
    let statements = statements();
    [root(), editor()]
        .iter()
        .zip(&statements)
        .map(|(signatory, body)| Envelope::sign_as(signatory, 60, body).unwrap().into_bytes())
        .collect()
}

pub fn links() -> Vec<Vec<u8>> {
    let link = ChannelLink {
        channel: ChannelId([7; 32]),
        relays: vec![address(4)],
        name: "name".into(),
        extensions: Vec::new(),
    };
    vec![link.to_link().into_bytes()]
}

pub fn link(bytes: &[u8]) -> Option<Vec<u8>> {
    let link = ChannelLink::from_link(std::str::from_utf8(bytes).ok()?).ok()?;
    Some(link.to_link().into_bytes())
}

pub fn evidences() -> Vec<Vec<u8>> {
    let sealed = |text: &str| {
        let body = entry(1, Act::Post(Post::text(text)));
        Envelope::sign_as(&root(), 60, &body).unwrap().into_bytes()
    };
    vec![
        Evidence {
            one: sealed("one"),
            other: sealed("other"),
        }
        .encode(),
    ]
}

pub fn evidence(bytes: &[u8]) -> Option<Vec<u8>> {
    let evidence = Evidence::decode(bytes).ok()?;
    as_is(bytes, evidence.verify().is_ok())
}

pub fn vouches() -> Vec<Vec<u8>> {
    vec![Vouch::sign(&root(), "shop.example").encode()]
}

pub fn vouch(bytes: &[u8]) -> Option<Vec<u8>> {
    let vouch = Vouch::decode(bytes).ok()?;
    as_is(bytes, vouch.verify(vouch.channel, &vouch.domain).is_ok())
}

/// The relay and the time of listings.
const LISTED: (TransportKey, u64) = (TransportKey([3; 32]), 1_900_000_000);

pub fn listings() -> Vec<Vec<u8>> {
    let told = manifest();
    let (relay, until_s) = LISTED;
    vec![
        Listing::sign(&root(), relay, 1, until_s, &told).encode(),
        Listing::withdraw(&root(), relay, 2, until_s, &told).encode(),
    ]
}

pub fn listing(bytes: &[u8]) -> Option<Vec<u8>> {
    let listing = Listing::decode(bytes).ok()?;
    let (relay, now_s) = LISTED;
    as_is(bytes, listing.verify(&relay, now_s).is_ok())
}

pub fn inquiries() -> Vec<Vec<u8>> {
    let (relay, until_s) = LISTED;
    vec![Inquiry::sign(&root(), relay, TransportKey([4; 32]), until_s).encode()]
}

pub fn inquiry(bytes: &[u8]) -> Option<Vec<u8>> {
    let inquiry = Inquiry::decode(bytes).ok()?;
    let (relay, now_s) = LISTED;
    as_is(bytes, inquiry.verify(&relay, &TransportKey([4; 32]), now_s).is_ok())
}

pub fn boxes() -> Vec<Vec<u8>> {
    let ballots = BallotBox {
        secret: TopicSecret::from_bytes([5; 32]),
        suite: Suite::X25519,
        seal_key: vec![9; 32],
        until_s: 1_900_000_000,
    };
    vec![ballots.encode()]
}

pub fn ballot_box(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(BallotBox::decode(bytes).ok()?.encode())
}

pub fn results() -> Vec<Vec<u8>> {
    let result = PollResult {
        time_ms: 1_900_000_000_000,
        voters: 50,
        counts: vec![30, 20],
    };
    vec![result.encode()]
}

pub fn result(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(PollResult::decode(bytes).ok()?.encode())
}

pub fn ballots() -> Vec<Vec<u8>> {
    let ballot = Ballot {
        voter: [3; 32],
        number: 1,
        choices: 2,
    };
    vec![ballot.encode()]
}

pub fn ballot(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Ballot::decode(bytes).ok()?.encode())
}

//! A brand's pen without a node: posts and beacons as a channel's root or an editor signs them.

use madang_node::net::parse_address;
use madang_protocol::address::PeerAddress;
use madang_protocol::channel::{
    Act, Beacon, ChannelLink, Entry, Head, Manifest, Policy, Post, Scopes, Signatory, Statement, WriterCertificate,
};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{EnvelopeId, TopicId, TopicSecret, TransportKey, WriterSecret};
use madang_protocol::limits;

/// Bytes of a post's text: a sentence or two. With them 100,000 posts are within what a relay keeps of one topic.
const TEXT_BYTES: usize = 120;
/// The channel's name.
const NAME: &str = "bookshop";
/// When the first post was written; each is a second later than the one before.
const FIRST_MS: u64 = 1_700_000_000_000;
/// Seconds until the next beacon at the latest.
const PERIOD_S: u32 = 24 * 3600;

/// Who writes on a channel, and how far it is.
pub struct Press {
    signatory: Signatory,
    number: u64,
    previous: EnvelopeId,
}

impl Press {
    /// The root of a new channel.
    pub fn root(seed: [u8; 32]) -> Self {
        Self {
            signatory: Signatory::root(&TopicSecret::from_bytes(seed)),
            number: 0,
            previous: EnvelopeId([0; 32]),
        }
    }

    /// An editor with one certificate of the root's.
    pub fn editor(&self, seed: [u8; 32]) -> Self {
        let secret = WriterSecret::from_bytes(seed);
        let certificate = WriterCertificate {
            channel: self.signatory.channel,
            writer: secret.public(),
            scopes: Scopes::PUBLISH,
            categories: Vec::new(),
            from_s: 0,
            until_s: u64::MAX,
            extensions: Vec::new(),
            signature: [0; 64],
        };
        Self {
            signatory: Signatory {
                channel: self.signatory.channel,
                secret,
                chain: vec![certificate.signed(&self.signatory.secret)],
            },
            number: 0,
            previous: EnvelopeId([0; 32]),
        }
    }

    /// The next post.
    pub fn post(&mut self) -> Envelope {
        self.number += 1;
        let text = format!("{:<TEXT_BYTES$}", format!("post {}", self.number));
        let entry = Entry {
            number: self.number,
            previous: self.previous,
            time_ms: FIRST_MS + 1000 * self.number,
            act: Act::Post(Post::text(text)),
            extensions: Vec::new(),
        };
        let envelope = self.signed(&Statement::Entry(Box::new(entry)));
        self.previous = envelope.id();
        envelope
    }

    /// A beacon over all posts so far.
    pub fn beacon(&self, relay: &str) -> Envelope {
        let manifest = Manifest {
            number: 1,
            name: NAME.to_owned(),
            description: String::new(),
            picture: None,
            links: Vec::new(),
            categories: Vec::new(),
            inbox: String::new(),
            relays: vec![address(relay)],
            domain: String::new(),
            policy: Policy::default(),
            recovery: None,
            extensions: Vec::new(),
        };
        let head = Head {
            writer: self.signatory.secret.public(),
            number: self.number,
            id: self.previous,
        };
        let beacon = Beacon {
            number: self.number + 1,
            time_ms: FIRST_MS + 1000 * self.number,
            period_s: PERIOD_S,
            manifest,
            heads: vec![head],
            revocations: Vec::new(),
            extensions: Vec::new(),
        };
        self.signed(&Statement::Beacon(Box::new(beacon)))
    }

    /// The link by which the channel is followed.
    pub fn link(&self, relay: &str) -> String {
        let link = ChannelLink {
            channel: self.signatory.channel,
            relays: vec![address(relay)],
            name: NAME.to_owned(),
            extensions: Vec::new(),
        };
        link.to_link()
    }

    /// The topic of the channel.
    pub fn topic(&self) -> TopicId {
        self.signatory.channel.topic()
    }

    fn signed(&self, statement: &Statement) -> Envelope {
        Envelope::sign_as(&self.signatory, limits::CHANNEL_SECONDS, &statement.encode()).unwrap()
    }
}

/// A relay's address as channels name it.
fn address(relay: &str) -> PeerAddress {
    let (key, _) = parse_address(relay).unwrap();
    let (bare, _) = relay.split_once("/p2p/").unwrap();
    PeerAddress {
        key: TransportKey(key.0),
        addrs: vec![bare.to_owned()],
    }
}

//! Rows of channels: what a new follower of a long one waits for, coming back to one, and the rate at which posts are checked.

use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey};
use madang_protocol::channel::Statement;
use madang_protocol::custody::{ClientFrame, CustodianFrame, Deposit, History, HistoryPage};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{EnvelopeId, TopicId};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Person;
use crate::bench::floors::{self, ms};
use crate::bench::host::{self, Host};
use crate::bench::people;
use crate::bench::press::Press;
use crate::bench::relay;
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;
use crate::bench::socket::Socket;
use crate::bench::wire::{self, CUSTODY, Link};

/// Posts of a screen.
const SCREEN: usize = 20;
/// Posts of a page, for who pages backwards.
const PAGE: usize = 50;
/// Envelopes of a frame that is deposited.
const FRAME: usize = 64;
/// Envelopes that a node asks for at once when it begins to follow or reads back: the floor asks for as many.
const ASKED: u16 = 60;
/// Between two looks at whether the first posts are there.
const LOOK: Duration = Duration::from_millis(1);
/// A channel beside the long one, by which it shows what of a time is the length's.
const SHORT: usize = 100;

/// A channel at a relay, without a node that owns it.
struct Shelf {
    press: Press,
    address: String,
}

impl Shelf {
    /// Writes so many posts, all as the channel's root, and a beacon.
    async fn new(relay: &Host, seed: u8, posts: usize) -> Self {
        let mut shelf = Self {
            press: Press::root([seed; 32]),
            address: relay.addresses[0].clone(),
        };
        shelf.write(posts).await;
        shelf
    }

    async fn write(&mut self, posts: usize) {
        let mut envelopes: Vec<Vec<u8>> = (0..posts).map(|_| self.press.post().into_bytes()).collect();
        envelopes.push(self.press.beacon(&self.address).into_bytes());
        let frames = envelopes.chunks(FRAME).enumerate().map(|(request, envelopes)| {
            wire::framed(&ClientFrame::Deposit(Deposit {
                request: request as u64,
                envelopes: envelopes.to_vec(),
            }))
        });
        let link = Link::open(&self.address, CUSTODY).await;
        let kept = relay::deposit(link, frames.collect()).await;
        assert_eq!(kept, envelopes.len(), "the relay keeps all");
    }

    /// A new node follows; returns it, its WebSocket, the channel, and milliseconds until it shows a screen of posts.
    async fn followed(&self, world: &crate::World, name: &str) -> (Person, Socket, Value, f64) {
        let person = host::person(world, name, &[], false).await;
        let mut socket = Socket::open(person.data()).await;
        let began = Instant::now();
        let params = json!({ "link": self.press.link(&self.address) });
        let channel = socket.call("channel.follow", &params).await["channel"].clone();
        let params = json!({ "channel": channel, "limit": SCREEN });
        while socket.call("channel.posts", &params).await["items"]
            .as_array()
            .unwrap()
            .len()
            < SCREEN
        {
            sleep(LOOK).await;
        }
        (person, socket, channel, ms(began))
    }

    /// The same without a node: connects, reads so many envelopes back and checks them.
    async fn read(&self, posts: usize) -> f64 {
        let began = Instant::now();
        let mut link = Link::open(&self.address, CUSTODY).await;
        let topic = self.press.topic();
        let (mut before, mut taken, mut bytes) = (0, 0, 0);
        while taken < posts {
            let page = back(&mut link, topic, before).await;
            for item in &page.items {
                Envelope::verify(&item.envelope).unwrap();
            }
            taken += page.items.len();
            before = page.items.first().unwrap().position;
            bytes += page.counted();
            link.send(&ClientFrame::Ack { bytes }).await;
        }
        ms(began)
    }
}

async fn back(link: &mut Link, topic: TopicId, before: u64) -> HistoryPage {
    let ask = History {
        request: before,
        topic,
        before,
        count: ASKED,
    };
    link.send(&ClientFrame::History(ask)).await;
    let CustodianFrame::History(page) = link.next().await else {
        panic!("a relay answers with a page");
    };
    page
}

/// Pages backwards through so many posts; returns milliseconds of all, and of each page.
async fn paged(socket: &mut Socket, channel: &Value, posts: usize) -> (f64, Vec<f64>) {
    let (mut before, mut taken, mut pages) = (Value::Null, 0, Vec::new());
    let began = Instant::now();
    while taken < posts {
        let asked = Instant::now();
        let params = json!({ "channel": channel, "limit": PAGE.min(posts - taken), "before": before });
        let page = socket.call("channel.posts", &params).await;
        pages.push(ms(asked));
        taken += page["items"].as_array().unwrap().len();
        before = page["prev"].clone();
        assert!(taken >= posts || before.is_string(), "it ends after {taken}");
    }
    (ms(began), pages)
}

/// A channel of many posts at a relay: the first screen, pages backwards, and coming back to it.
pub async fn history(scale: &Scale) -> Vec<Row> {
    let world = host::world();
    let relay = Host::relay(&world).await;
    let long = Shelf::new(&relay, 21, scale.channel_posts).await;
    let short = Shelf::new(&relay, 22, SHORT).await;
    let (mut first, mut first_short, mut first_bare) = (Vec::new(), Vec::new(), Vec::new());
    let (mut back, mut bare, mut again, mut slow) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..scale.repeats {
        first_short.push(short.followed(&world, &format!("short-{run}")).await.3);
        first_bare.push(long.read(SCREEN).await);
        let (_person, mut socket, channel, shown) = long.followed(&world, &format!("long-{run}")).await;
        first.push(shown);
        bare.push(long.read(scale.channel_paged).await);
        let (took, pages) = paged(&mut socket, &channel, scale.channel_paged).await;
        back.push(took);
        slow.push(Sample::new(pages).quantile(0.99));
        again.push(paged(&mut socket, &channel, scale.channel_paged).await.0);
    }
    let (posts, read) = (scale.channel_posts, scale.channel_paged);
    let beside = Sample::new(first_short).median();
    let local = Sample::new(again).median();
    let mut rows = vec![
        Row::new(format!("channel of {posts} posts: first screen for who begins to follow"), "ms", first)
            .floor("connect, one page, checked, without a node", first_bare)
            .note(format!("of a channel of {SHORT} posts {beside:.0} ms")),
        Row::new(format!("channel of {posts} posts: back through {read}"), "ms", back)
            .floor("connect, as many pages, checked, without a node", bare)
            .note(format!(
                "in pages of {PAGE}, the slowest of a hundred {:.0} ms; the same again, from the node's own store, {local:.0} ms",
                Sample::new(slow).median()
            )),
    ];
    rows.push(comes_back(scale, &world, &relay).await);
    rows
}

/// A follower was away while a channel wrote: from `ready` to the event of the last post.
async fn comes_back(scale: &Scale, world: &crate::World, relay: &Host) -> Row {
    let mut shelf = Shelf::new(relay, 23, SHORT).await;
    let (mut person, socket, ..) = shelf.followed(world, "returns").await;
    drop(socket);
    let posts = scale.channel_paged;
    let (mut rates, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..scale.repeats {
        floor.push(1000.0 / floors::verify(scale.bare_messages));
        let cursor = people::newest(&person).await;
        person.stop().await;
        shelf.write(posts).await;
        person.up().await;
        let began = Instant::now();
        let mut events = host::events(person.data(), Some(&cursor)).await;
        people::count(&mut events, "channel.post", b"", posts).await;
        rates.push(posts as f64 / began.elapsed().as_secs_f64());
    }
    Row::new(format!("channel: return and take {posts} posts"), "/s", rates)
        .floor("Ed25519 verify on one core", floor)
        .note("from `ready`, connecting included, to the last event; checked, chained and committed")
}

/// Reads posts of a writer and checks each: format, certificates, signature, number and chain.
fn checked(posts: &[Vec<u8>]) -> f64 {
    let began = Instant::now();
    let (mut number, mut previous) = (0, EnvelopeId([0; 32]));
    for bytes in posts {
        let envelope = Envelope::verify(bytes).unwrap();
        let Statement::Entry(entry) = Statement::decode(envelope.body()).unwrap() else {
            panic!("it is a post");
        };
        assert!(
            entry.number == number + 1 && entry.previous == previous,
            "it is in the chain"
        );
        (number, previous) = (entry.number, envelope.id());
    }
    posts.len() as f64 / began.elapsed().as_secs_f64()
}

/// Posts a second that one thread checks, of the channel's root and of an editor with one certificate.
pub fn verify(scale: &Scale) -> Vec<Row> {
    let many = scale.bare_messages * 4;
    let mut root = Press::root([24; 32]);
    let mut editor = root.editor([25; 32]);
    let of_root: Vec<Vec<u8>> = (0..many).map(|_| root.post().into_bytes()).collect();
    let of_editor: Vec<Vec<u8>> = (0..many).map(|_| editor.post().into_bytes()).collect();
    let bytes = of_root[0].len();
    let key = SigningKey::from_bytes(&[26; 32]);
    let signed: Vec<_> = (0..many as u64)
        .map(|at| {
            let mut id = [7; 32];
            id[..8].copy_from_slice(&at.to_le_bytes());
            (id, key.sign(&id))
        })
        .collect();
    let mut measured: [Vec<f64>; 3] = Default::default();
    for _ in 0..scale.repeats {
        let began = Instant::now();
        for (id, signature) in &signed {
            key.verifying_key().verify_strict(id, signature).unwrap();
        }
        let bare = many as f64 / began.elapsed().as_secs_f64();
        for (values, rate) in measured.iter_mut().zip([checked(&of_root), checked(&of_editor), bare]) {
            values.push(rate);
        }
    }
    let [by_root, by_editor, bare] = measured;
    let twice = bare.iter().map(|rate| rate / 2.0).collect();
    vec![
        Row::new("channel: posts checked, of the root", "/s", by_root)
            .floor("Ed25519 verify_strict of an id, one core", bare)
            .note(format!("{bytes} bytes; read, hash, signature, number and chain")),
        Row::new("channel: posts checked, of an editor", "/s", by_editor)
            .floor("two Ed25519 verify_strict", twice)
            .note("with its certificate, each time anew"),
    ]
}

//! What nobody, or nobody any more, may write on a channel, and what is too large.

use super::relays::editor;
use super::*;
use crate::channel::{Scopes, WriterCertificate};
use crate::client::Verdict;
use crate::keys::WriterSecret;

impl Signatory {
    /// A post on this writer's channel.
    fn says(&self, number: u64, previous: EnvelopeId, time_ms: u64, post: Post) -> Envelope {
        let entry = Entry {
            number,
            previous,
            time_ms,
            act: Act::Post(post),
            extensions: Vec::new(),
        };
        Envelope::sign_as(self, 3600, &Statement::Entry(Box::new(entry)).encode()).unwrap()
    }
}

const FIRST: EnvelopeId = EnvelopeId([0; 32]);

fn void(w: &World, post: &Envelope) -> Option<&'static str> {
    view::post(&w.nodes[BOB].disk, &post.id()).unwrap().unwrap().void
}

#[test]
fn f45_forged_and_foreign_certificates_let_nobody_write() {
    let (mut w, channel) = followed();
    let honest = editor(&w, channel, [3; 32]);
    let mallory = WriterSecret::from_bytes([4; 32]);
    let certificate = honest.chain[0].clone();
    let own = |change: &dyn Fn(&mut WriterCertificate)| {
        let mut made = certificate.clone();
        made.writer = mallory.public();
        change(&mut made);
        made.signed(&mallory)
    };
    let root = Signatory::root(&w.secret(channel)).secret;
    let foreign = WriterCertificate {
        channel: ChannelId(mallory.public().0),
        writer: mallory.public(),
        ..certificate.clone()
    };
    let widened = WriterCertificate {
        scopes: Scopes::ROOT,
        ..certificate.clone()
    };
    let by_editor = WriterCertificate {
        writer: mallory.public(),
        ..certificate.clone()
    };
    let chains = [
        (&mallory, vec![own(&|_| {})]),
        (&mallory, vec![own(&|made| made.writer = channel.root())]),
        (&mallory, vec![foreign.clone().signed(&mallory)]),
        (&mallory, vec![foreign.signed(&root)]),
        (&mallory, vec![certificate.clone()]),
        (&honest.secret, vec![widened]),
        (&mallory, vec![certificate.clone(), by_editor.signed(&honest.secret)]),
        (&mallory, Vec::new()),
    ];
    let before = w.nodes[BOB].disk.count(Tree::ChannelEntries);
    for (place, (secret, chain)) in chains.into_iter().enumerate() {
        let forger = Signatory {
            channel,
            secret: secret.clone(),
            chain,
        };
        let forged = forger.says(1, FIRST, w.now_ms, Post::text("buy from me"));
        w.hears(BOB, &forged);
        assert_eq!(w.nodes[BOB].verdicts.last(), Some(&Verdict::Reject), "chain {place}");
    }
    assert_eq!(w.nodes[BOB].disk.count(Tree::ChannelEntries), before);
    let real = honest.says(1, FIRST, w.now_ms, Post::text("an editor's"));
    w.hears(BOB, &real);
    assert_eq!(w.texts(BOB, channel), ["an editor's"]);
}

#[test]
fn f45_who_was_revoked_writes_no_more_also_not_backdated() {
    let (mut w, channel) = followed();
    let editor = editor(&w, channel, [3; 32]);
    let time_ms = w.now_ms;
    let before = editor.says(1, FIRST, time_ms, Post::text("before"));
    for place in [ALICE, BOB] {
        w.hears(place, &before);
    }
    w.pass(SECOND_MS);
    let writer = editor.secret.public();
    w.channel(ALICE, ChannelCommand::Revoke { channel, writer }).unwrap();
    w.pass(SECOND_MS);
    let backdated = editor.says(2, before.id(), time_ms, Post::text("backdated"));
    let another = editor.says(1, FIRST, time_ms, Post::text("in its place"));
    for place in [ALICE, BOB] {
        w.hears(place, &backdated);
        w.hears(place, &another);
        w.pass(2 * DAY_MS);
        assert_eq!(w.texts(place, channel), ["before"]);
    }
    assert_eq!((void(&w, &before), void(&w, &backdated)), (None, Some("revoked")));
    let seen = w.sees(BOB, channel);
    assert!(seen.evidence > 0, "another entry with a number that a beacon covers");
}

#[test]
fn f45_what_is_dated_back_into_an_expired_certificate_is_never_confirmed() {
    let (mut w, channel) = followed();
    let mut late = editor(&w, channel, [3; 32]);
    late.chain[0].until_s = w.now_ms / 1000 + 3600;
    let root = Signatory::root(&w.secret(channel)).secret;
    late.chain[0] = late.chain[0].clone().signed(&root);
    let time_ms = w.now_ms;
    let good = late.says(1, FIRST, time_ms, Post::text("in time"));
    for place in [ALICE, BOB] {
        w.hears(place, &good);
    }
    w.pass(DAY_MS);
    let backdated = late.says(2, good.id(), time_ms, Post::text("backdated"));
    let expired = late.says(3, backdated.id(), w.now_ms, Post::text("too late"));
    for place in [ALICE, BOB] {
        w.hears(place, &backdated);
        w.hears(place, &expired);
    }
    w.posts_text(channel, "the root's");
    w.pass(DAY_MS);
    let provisional: Vec<_> = w.reads(BOB, channel).into_iter().map(|post| post.provisional).collect();
    assert_eq!(w.texts(BOB, channel), ["in time", "backdated", "the root's"]);
    assert_eq!(provisional, [false, true, false]);
    assert_eq!(void(&w, &expired), Some("expired"));
}

#[test]
fn f07_a_signed_post_beyond_the_limits_counts_in_the_chain_and_is_not_shown() {
    let (mut w, channel) = followed();
    let first = w.posts_text(channel, "one");
    let root = Signatory::root(&w.secret(channel));
    let large = root.says(2, first, w.now_ms, Post::text("x".repeat(limits::TEXT_BYTES + 1)));
    let after = root.says(3, large.id(), w.now_ms, Post::text("three"));
    for envelope in [&large, &after] {
        w.hears(BOB, envelope);
    }
    assert_eq!(w.texts(BOB, channel), ["one", "three"]);
    let seen = w.sees(BOB, channel);
    assert_eq!((seen.gaps.len(), seen.evidence), (0, 0));
}

#[test]
fn f63_a_post_is_of_the_channel_whose_key_signed_it_whatever_it_says() {
    let (mut w, channel) = followed();
    let command = ChannelCommand::Create {
        manifest: ManifestChange {
            name: Some("Shop".into()),
            ..ManifestChange::default()
        },
        idempotency_key: None,
    };
    let Reply::Channel(other) = w.channel(CAROL, command).unwrap() else {
        panic!("no channel");
    };
    let link = w.sees(CAROL, other).link();
    w.follows(BOB, &link);
    let claims = w
        .posts(CAROL, other, Post::text("Shop: we moved, follow us here"))
        .unwrap();
    let found = view::post(&w.nodes[BOB].disk, &claims).unwrap().unwrap();
    assert_eq!((found.channel, found.writer), (other, other.root()));
    assert!(w.texts(BOB, channel).is_empty());

    // The same entry doesn't pass on the other channel's topic, whoever brings it.
    let mut moved = found.envelope.clone();
    let at = moved.windows(32).position(|bytes| bytes == other.0).unwrap();
    moved[at..at + 32].copy_from_slice(&channel.0);
    let peer = w.key(CAROL);
    let input = crate::client::Input::Gossip {
        peer,
        id: [9; 16],
        bytes: moved,
    };
    w.input(BOB, input);
    assert_eq!(w.nodes[BOB].verdicts.last(), Some(&Verdict::Reject));
    assert!(w.texts(BOB, channel).is_empty());
}

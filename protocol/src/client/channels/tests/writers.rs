//! Editors, hand-over and recovery.

use super::*;
use crate::channel::Scopes;

impl World {
    fn posts_as(&mut self, place: usize, channel: ChannelId, text: &str, of: &str) -> Result<EnvelopeId, CommandError> {
        let mut post = Post::text(text);
        post.categories = (!of.is_empty()).then(|| of.to_owned()).into_iter().collect();
        self.posts(place, channel, post)
    }

    fn key_of(&mut self, place: usize, channel: ChannelId) -> WriterId {
        match self.channel(place, ChannelCommand::WriterKey { channel }).unwrap() {
            Reply::Writer(writer) => writer,
            other => panic!("{other:?}"),
        }
    }

    fn certifies(&mut self, channel: ChannelId, writer: WriterId, scopes: Scopes, of: &str) -> String {
        let grant = WriterGrant {
            writer,
            scopes,
            categories: (!of.is_empty()).then(|| of.to_owned()).into_iter().collect(),
            until_s: self.now_ms / 1000 + 10 * DAY_MS / 1000,
        };
        match self.channel(ALICE, ChannelCommand::Certify { channel, grant }).unwrap() {
            Reply::Certificate(certificate) => certificate,
            other => panic!("{other:?}"),
        }
    }

    fn calls_channel(&mut self, place: usize, channel: ChannelId, name: &str) -> Result<Reply, CommandError> {
        let manifest = ManifestChange {
            name: Some(name.into()),
            ..ManifestChange::default()
        };
        self.channel(place, ChannelCommand::Update { channel, manifest })
    }
}

fn reason<T: std::fmt::Debug>(refused: Result<T, CommandError>) -> String {
    refused.unwrap_err().to_string()
}

/// A brand, an editor and a follower.
fn edited(scopes: Scopes, of: &str) -> (World, ChannelId) {
    let (mut w, channel) = followed();
    let link = w.sees(ALICE, channel).link();
    w.follows(CAROL, &link);
    let writer = w.key_of(BOB, channel);
    assert_eq!(w.key_of(BOB, channel), writer, "one key a channel");
    assert!(w.posts_as(BOB, channel, "too early", "news").is_err());
    let certificate = w.certifies(channel, writer, scopes, of);
    w.channel(BOB, ChannelCommand::UseCertificate { certificate }).unwrap();
    (w, channel)
}

#[test]
fn an_editor_writes_what_the_certificate_says_and_the_root_covers_it() {
    let (mut w, channel) = edited(Scopes::PUBLISH, "news");
    assert!(w.sees(BOB, channel).scopes.allow(Scopes::PUBLISH));
    let roots = w.posts_text(channel, "the root's");
    w.posts_as(BOB, channel, "the editor's", "news").unwrap();
    w.restart(BOB);
    w.pass(SECOND_MS);
    w.posts_as(BOB, channel, "another", "news").unwrap();
    for place in [ALICE, BOB, CAROL] {
        assert_eq!(w.texts(place, channel), ["the root's", "the editor's", "another"]);
        let seen = w.reads(place, channel);
        assert!(seen.iter().all(|post| !post.provisional && post.void.is_none()));
        assert_eq!(
            (w.sees(place, channel).evidence, w.sees(place, channel).gaps.len()),
            (0, 0)
        );
    }
    let refused = w.posts_as(BOB, channel, "anything", "");
    assert_eq!(reason(refused), "not allowed: the certificate is for other categories");
    let edit = ChannelCommand::Edit {
        channel,
        target: roots,
        post: Post {
            categories: vec!["news".into()],
            ..Post::text("changed")
        },
        files: PostFiles::default(),
    };
    assert_eq!(
        reason(w.channel(BOB, edit)),
        "not allowed: the post is another writer's"
    );
    assert_eq!(
        reason(w.calls_channel(BOB, channel, "Mine")),
        "not allowed: only the channel's root may do that"
    );
    w.pass(11 * DAY_MS);
    let refused = w.posts_as(BOB, channel, "late", "news");
    assert_eq!(reason(refused), "not allowed: the certificate doesn't hold then");
}

#[test]
fn an_editor_of_all_may_correct_others() {
    let (mut w, channel) = edited(Scopes::PUBLISH.with(Scopes::EDIT), "");
    let target = w.posts_text(channel, "opne");
    let edit = ChannelCommand::Edit {
        channel,
        target,
        post: Post::text("open"),
        files: PostFiles::default(),
    };
    w.channel(BOB, edit).unwrap();
    for place in [ALICE, BOB, CAROL] {
        assert_eq!(w.texts(place, channel), ["open"]);
    }
}

#[test]
fn who_was_revoked_writes_no_more_and_what_was_written_before_stays() {
    let (mut w, channel) = edited(Scopes::PUBLISH, "");
    w.posts_as(BOB, channel, "before", "").unwrap();
    let later = ChannelCommand::Post {
        channel,
        post: Post::text("planned"),
        files: PostFiles::default(),
        at_ms: Some(w.now_ms + DAY_MS),
        idempotency_key: None,
    };
    w.channel(BOB, later).unwrap();
    let writer = w.key_of(BOB, channel);
    let revoke = ChannelCommand::Revoke { channel, writer };
    w.channel(ALICE, revoke.clone()).unwrap();
    w.channel(ALICE, revoke).unwrap();
    w.pass(SECOND_MS);
    w.posts_text(channel, "the root's");
    w.pass(2 * DAY_MS);
    let refused = w.posts_as(BOB, channel, "after", "");
    assert_eq!(reason(refused), "not allowed: the certificate was revoked");
    for place in [ALICE, BOB, CAROL] {
        assert_eq!(w.texts(place, channel), ["before", "the root's"]);
        assert_eq!(w.sees(place, channel).evidence, 0);
    }
    let grant = WriterGrant {
        writer,
        scopes: Scopes::PUBLISH,
        categories: Vec::new(),
        until_s: u64::MAX,
    };
    assert!(w.channel(ALICE, ChannelCommand::Certify { channel, grant }).is_err());
}

#[test]
fn a_channel_is_handed_over_and_goes_on_under_its_new_root() {
    let (mut w, channel) = followed();
    let link = w.sees(ALICE, channel).link();
    w.follows(CAROL, &link);
    w.posts_text(channel, "under alice");
    let writer = w.key_of(BOB, channel);
    let certificate = w.certifies(channel, writer, Scopes::ROOT, "");
    w.channel(BOB, ChannelCommand::UseCertificate { certificate }).unwrap();
    w.pass(SECOND_MS);
    assert!(w.sees(BOB, channel).own && !w.sees(ALICE, channel).own);
    w.calls_channel(BOB, channel, "Bob's shop").unwrap();
    w.posts_as(BOB, channel, "under bob", "").unwrap();
    assert!(w.calls_channel(ALICE, channel, "Alice's").is_err());
    w.restart(BOB);
    w.restart(ALICE);
    w.pass(2 * DAY_MS);
    for place in [ALICE, BOB, CAROL] {
        let seen = w.sees(place, channel);
        assert_eq!(
            (seen.name.as_str(), seen.root, seen.evidence),
            ("Bob's shop", writer, 0)
        );
        assert_eq!(w.texts(place, channel), ["under alice", "under bob"]);
        assert!(seen.gaps.is_empty());
    }
}

#[test]
fn a_recovery_key_takes_the_channel_back_from_whoever_has_the_root() {
    let (mut w, channel) = followed();
    w.posts_text(channel, "before");
    let made = w.channel(ALICE, ChannelCommand::RecoveryKey { channel }).unwrap();
    let Reply::Certificate(key) = made else {
        panic!("{made:?}");
    };
    // Another device, which knows nothing of the channel.
    w.channel(CAROL, ChannelCommand::Recover { key: key.clone() }).unwrap();
    w.pass(SECOND_MS);
    w.posts_as(CAROL, channel, "we are back", "").unwrap();
    w.calls_channel(CAROL, channel, "Shop, the real one").unwrap();
    // Whoever stole the root's key signs on, as a copy of the data would.
    let thief = w.forged(channel, 2, w.reads(ALICE, channel)[0].id, "buy from me");
    w.hears(BOB, &thief);
    let seen = w.sees(BOB, channel);
    assert_eq!((seen.name.as_str(), seen.evidence), ("Shop, the real one", 0));
    let writer = channel.root();
    w.channel(CAROL, ChannelCommand::Revoke { channel, writer }).unwrap();
    w.pass(SECOND_MS);
    assert_eq!(w.texts(BOB, channel), ["before", "we are back"]);
    for damaged in ["", "madang:recovery?d=AAAA", &key[..key.len() - 4]] {
        let key = damaged.to_owned();
        assert!(w.channel(BOB, ChannelCommand::Recover { key }).is_err());
    }
}

#[test]
fn whoever_recovers_a_channel_again_goes_on_where_the_key_stopped() {
    let (mut w, channel) = followed();
    w.posts_text(channel, "before");
    let made = w.channel(ALICE, ChannelCommand::RecoveryKey { channel }).unwrap();
    let Reply::Certificate(key) = made else {
        panic!("{made:?}");
    };
    let mut expected = vec!["before".to_owned()];
    // One who knows nothing of the channel, one who has followed it all the time, and one who comes new.
    let guest = w.guest();
    for place in [CAROL, BOB, guest] {
        w.channel(place, ChannelCommand::Recover { key: key.clone() }).unwrap();
        w.pass(SECOND_MS);
        for n in 0..2 {
            expected.push(format!("{n} by {place}"));
            w.posts_as(place, channel, &expected[expected.len() - 1].clone(), "")
                .unwrap();
            w.pass(SECOND_MS);
        }
    }
    w.pass(2 * DAY_MS);
    for place in [ALICE, BOB, CAROL, guest] {
        assert_eq!(w.texts(place, channel), expected, "{place}");
        assert_eq!(w.sees(place, channel).evidence, 0, "{place}");
    }
}

//! Channels, seen on a brand and two followers with a relay or two.

use super::view::{self, ChannelView, PostView};
use super::*;
use crate::channel::{Act, Category, ChannelLink, Entry, Signatory};
use crate::client::tests::{ALICE, BOB, CAROL, DAY_MS, World};
use crate::client::{Command, EventRow, FileContent};
use crate::custody::CustodianFrame;
use crate::keys::TopicSecret;

mod digest;
mod directory;
mod figures;
mod forgeries;
mod mesh;
mod polls;
mod preview;
mod relays;
mod reports;
mod writers;

const SECOND_MS: u64 = 1000;

impl World {
    fn channel(&mut self, place: usize, command: ChannelCommand) -> Result<Reply, CommandError> {
        self.command(place, Command::Channel(Box::new(command)))
            .expect("no answer yet")
    }

    fn makes_channel(&mut self, name: &str) -> ChannelId {
        let manifest = ManifestChange {
            name: Some(name.into()),
            categories: Some(vec![Category {
                id: "news".into(),
                name: "News".into(),
            }]),
            ..ManifestChange::default()
        };
        let made = self.channel(
            ALICE,
            ChannelCommand::Create {
                manifest,
                idempotency_key: None,
            },
        );
        match made.unwrap() {
            Reply::Channel(id) => id,
            other => panic!("{other:?}"),
        }
    }

    fn posts(&mut self, place: usize, channel: ChannelId, post: Post) -> Result<EnvelopeId, CommandError> {
        let command = ChannelCommand::Post {
            channel,
            post,
            files: PostFiles::default(),
            at_ms: None,
            idempotency_key: None,
        };
        match self.channel(place, command)? {
            Reply::Posted { id, planned: false } => Ok(id),
            other => panic!("{other:?}"),
        }
    }

    fn posts_text(&mut self, channel: ChannelId, text: &str) -> EnvelopeId {
        self.posts(ALICE, channel, Post::text(text)).unwrap()
    }

    fn sees(&self, place: usize, channel: ChannelId) -> ChannelView {
        view::channel(&self.nodes[place].disk, &channel).unwrap().unwrap()
    }

    fn reads(&self, place: usize, channel: ChannelId) -> Vec<PostView> {
        let found = view::posts(&self.nodes[place].disk, &channel, None, None, 10_000).unwrap();
        found.into_iter().map(|(_, view)| view).collect()
    }

    fn texts(&self, place: usize, channel: ChannelId) -> Vec<String> {
        self.reads(place, channel)
            .into_iter()
            .map(|view| view.post.text)
            .collect()
    }

    fn follows(&mut self, place: usize, link: &str) -> ChannelId {
        let command = ChannelCommand::Follow {
            link: link.into(),
            mesh: false,
        };
        match self.channel(place, command).unwrap() {
            Reply::Channel(id) => id,
            other => panic!("{other:?}"),
        }
    }

    fn secret(&self, channel: ChannelId) -> TopicSecret {
        let state = &self.nodes[ALICE].client.channels.by_id[&channel];
        TopicSecret::from_bytes(*state.row.pen.as_ref().unwrap().secret.to_bytes())
    }

    /// An entry of the root that its own node knows nothing of.
    fn forged(&self, channel: ChannelId, number: u64, previous: EnvelopeId, text: &str) -> Envelope {
        let entry = Entry {
            number,
            previous,
            time_ms: self.now_ms,
            act: Act::Post(Post::text(text)),
            extensions: Vec::new(),
        };
        let body = Statement::Entry(Box::new(entry)).encode();
        Envelope::sign_as(&Signatory::root(&self.secret(channel)), 3600, &body).unwrap()
    }

    /// A client is given an envelope, as from gossip.
    fn hears(&mut self, place: usize, envelope: &Envelope) {
        let mut id = [0; 16];
        id.copy_from_slice(&envelope.id().0[..16]);
        let peer = self.key(CAROL);
        let bytes = envelope.bytes().to_vec();
        self.input(place, crate::client::Input::Gossip { peer, id, bytes });
    }
}

/// A brand at a relay that bob knows nothing of, and a follower.
fn followed() -> (World, ChannelId) {
    let mut w = World::relayed();
    let channel = w.makes_channel("Shop");
    let link = w.sees(ALICE, channel).link();
    assert_eq!(w.follows(BOB, &link), channel);
    (w, channel)
}

fn gaps(view: &ChannelView) -> Vec<(u64, u64)> {
    view.gaps.iter().map(|gap| (gap.first, gap.last)).collect()
}

fn no_frame(_: usize, _: &CustodianFrame) -> bool {
    false
}

#[test]
fn what_is_posted_reaches_who_follows_by_link() {
    let (mut w, channel) = followed();
    let view = w.sees(BOB, channel);
    assert_eq!((view.name.as_str(), view.followed, view.own), ("Shop", true, false));
    let post = w.posts_text(channel, "open until nine");
    assert_eq!(w.texts(BOB, channel), ["open until nine"]);
    let seen = &w.reads(BOB, channel)[0];
    assert_eq!((seen.id, seen.provisional, seen.number), (post, false, 1));
    assert_eq!(w.nodes[BOB].count_events(&EventRow::ChannelPost { channel, post }), 1);
    assert_eq!(w.sees(BOB, channel).unread, 1);
    assert_eq!(w.reads(ALICE, channel)[0].held.len(), 1, "the relay signed for it");

    let through = view::post_key(seen);
    w.channel(BOB, ChannelCommand::MarkRead { channel, through }).unwrap();
    assert_eq!(w.sees(BOB, channel).unread, 0);
    for place in [ALICE, BOB] {
        w.restart(place);
    }
    w.pass(SECOND_MS);
    w.posts_text(channel, "closed");
    assert_eq!(w.texts(BOB, channel), ["open until nine", "closed"]);
    assert_eq!(w.texts(ALICE, channel), ["open until nine", "closed"]);
    assert!(w.sees(BOB, channel).gaps.is_empty());
}

#[test]
fn the_outbox_of_a_channel_is_empty_once_its_relays_have_all() {
    let (mut w, channel) = followed();
    w.relay_up(false);
    w.posts_text(channel, "one");
    w.posts_text(channel, "two");
    let waiting = |w: &World| w.nodes[ALICE].client.outs.len();
    assert_eq!(waiting(&w), 3, "two posts and the newest beacon");
    w.restart(ALICE);
    w.keeper.as_mut().unwrap().up = true;
    w.pass(60 * SECOND_MS);
    assert_eq!(waiting(&w), 0);
    assert_eq!(w.texts(BOB, channel), ["one", "two"]);
}

#[test]
fn edits_and_retractions_leave_a_trace_and_only_what_exists_is_edited() {
    let (mut w, channel) = followed();
    let first = w.posts_text(channel, "opne");
    let second = w.posts_text(channel, "wrong");
    let edit = ChannelCommand::Edit {
        channel,
        target: first,
        post: Post::text("open"),
        files: PostFiles::default(),
    };
    w.channel(ALICE, edit).unwrap();
    let retract = ChannelCommand::Retract {
        channel,
        target: second,
        reason: "sold out".into(),
    };
    w.channel(ALICE, retract).unwrap();
    for place in [ALICE, BOB] {
        let seen = w.reads(place, channel);
        assert_eq!(
            (seen[0].post.text.as_str(), seen[0].edited_ms.is_some()),
            ("open", true)
        );
        assert_eq!(seen[1].post.text, "");
        assert_eq!(seen[1].retracted.as_ref().unwrap().1, "sold out");
    }
    let updated = EventRow::ChannelPostUpdated { channel, post: first };
    assert_eq!(w.nodes[BOB].count_events(&updated), 1);
    let nothing = ChannelCommand::Edit {
        channel,
        target: EnvelopeId([9; 32]),
        post: Post::text("open"),
        files: PostFiles::default(),
    };
    let error = w.channel(ALICE, nothing).unwrap_err();
    assert!(matches!(error, CommandError::NotFound { field: "post" }), "{error}");
}

#[test]
fn who_comes_later_sees_the_newest_at_once_and_reads_back_by_pages() {
    let mut w = World::relayed();
    let channel = w.makes_channel("Shop");
    for n in 1..=100 {
        w.posts_text(channel, &n.to_string());
    }
    let link = w.sees(ALICE, channel).link();
    w.nodes[BOB].sent.clear();
    w.follows(BOB, &link);
    let newest = w.texts(BOB, channel);
    assert_eq!(newest.last().unwrap(), "100");
    assert!((20..100).contains(&newest.len()), "{}", newest.len());
    let asked = |w: &World| {
        let frames = w.nodes[BOB].sent.iter();
        let asked = frames.filter(|(_, _, frame)| frame[0] == 12);
        asked.count()
    };
    assert_eq!(asked(&w), 1, "one round trip");
    assert!(w.sees(BOB, channel).gaps.is_empty());
    let mut more = true;
    while more {
        match w.channel(BOB, ChannelCommand::History { channel }).unwrap() {
            Reply::Older { more: older } => more = older,
            other => panic!("{other:?}"),
        }
    }
    let all: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    assert_eq!(w.texts(BOB, channel), all);
    assert!(w.sees(BOB, channel).gaps.is_empty());
    w.posts_text(channel, "101");
    assert_eq!(w.texts(BOB, channel).len(), 101);
}

#[test]
fn f51_a_manifest_changes_and_never_goes_back() {
    let (mut w, channel) = followed();
    let change = ManifestChange {
        description: Some("Books".into()),
        ..ManifestChange::default()
    };
    let old = Envelope::trusted(&w.nodes[ALICE].client.channels.by_id[&channel].row.beacon).unwrap();
    w.channel(
        ALICE,
        ChannelCommand::Update {
            channel,
            manifest: change,
        },
    )
    .unwrap();
    let manifest = |w: &World| w.sees(BOB, channel).manifest.unwrap();
    assert_eq!((manifest(&w).number, manifest(&w).description.as_str()), (2, "Books"));
    w.hears(BOB, &old);
    assert_eq!(manifest(&w).number, 2);
    assert_eq!(w.sees(BOB, channel).evidence, 0, "an old beacon is none");

    // The root signs a later beacon with the earlier manifest.
    let Ok(Statement::Beacon(mut beacon)) = Statement::decode(old.body()) else {
        panic!("no beacon");
    };
    beacon.number = 9;
    let root = Signatory::root(&w.secret(channel));
    let back = Envelope::sign_as(&root, 3600, &Statement::Beacon(beacon).encode()).unwrap();
    w.hears(BOB, &back);
    assert_eq!(manifest(&w).number, 2);
    let (evidence, proof) = view::evidence(&w.nodes[BOB].disk, &channel).unwrap().remove(0);
    assert_eq!(proof.name(), "manifest_went_back");
    assert_eq!(evidence.verify().unwrap(), (channel, proof));
}

#[test]
fn f51_two_posts_with_one_number_are_kept_as_proof() {
    let (mut w, channel) = followed();
    let first = w.posts_text(channel, "one price");
    let other = w.forged(channel, 1, EnvelopeId([0; 32]), "another price");
    w.hears(BOB, &other);
    assert_eq!(w.texts(BOB, channel), ["one price"]);
    let told = EventRow::ChannelEvidence { channel, number: 0 };
    assert_eq!(w.nodes[BOB].count_events(&told), 1);
    let second = w.forged(channel, 2, other.id(), "after the other");
    w.hears(BOB, &second);
    let found = view::evidence(&w.nodes[BOB].disk, &channel).unwrap();
    let names: Vec<_> = found.iter().map(|(_, proof)| proof.name()).collect();
    assert!(
        names.contains(&"two_entries") || names.contains(&"another_head"),
        "{names:?}"
    );
    assert!(names.contains(&"two_histories"), "{names:?}");
    for (evidence, proof) in &found {
        assert_eq!(evidence.verify().unwrap(), (channel, *proof));
    }
    // The same again is nothing new, after a restart too.
    w.restart(BOB);
    w.pass(SECOND_MS);
    let third = w.forged(channel, 1, EnvelopeId([0; 32]), "another price");
    w.hears(BOB, &third);
    assert_eq!(view::evidence(&w.nodes[BOB].disk, &channel).unwrap().len(), found.len());
    assert_eq!(w.reads(BOB, channel)[0].id, first);
}

#[test]
fn f15_a_missing_post_shows_as_a_gap_and_is_fetched_from_another_relay() {
    let mut w = World::with_two_relays();
    let channel = w.makes_channel("Shop");
    let relays = w.sees(ALICE, channel).relays;
    assert_eq!(relays.len(), 2);
    // Bob's link names one relay, which drops a post; its beacons name the other.
    let link = ChannelLink {
        channel,
        relays: relays.clone(),
        name: String::new(),
        extensions: Vec::new(),
    };
    w.follows(BOB, &link.to_link());
    w.posts_text(channel, "one");
    w.lose = |to, frame| match frame {
        CustodianFrame::Items(page) => {
            let entry = |bytes: &Vec<u8>| {
                let envelope = Envelope::trusted(bytes).unwrap();
                matches!(Statement::decode(envelope.body()), Ok(Statement::Entry(_)))
            };
            to == BOB && page.items.iter().any(|item| entry(&item.envelope))
        }
        _ => false,
    };
    w.posts_text(channel, "two");
    assert_eq!(w.texts(BOB, channel), ["one"]);
    assert_eq!(gaps(&w.sees(BOB, channel)), [(2, 2)], "the beacon tells of it");
    w.lose = no_frame;
    w.pass(30 * SECOND_MS);
    assert_eq!(w.texts(BOB, channel), ["one", "two"]);
    assert!(w.sees(BOB, channel).gaps.is_empty());
    let heard: Vec<EventRow> = w.nodes[BOB].events();
    let told = |open: bool| heard.contains(&EventRow::ChannelGap { channel, open });
    assert!(told(true) && told(false));
}

#[test]
fn f16_a_dropped_tail_shows_by_the_beacons_that_do_not_come() {
    let (mut w, channel) = followed();
    w.posts_text(channel, "one");
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(_) | CustodianFrame::History(_));
    w.posts_text(channel, "two");
    w.pass(DAY_MS);
    let stale = |w: &World| w.sees(BOB, channel).beacon.unwrap().is_stale(w.now_ms);
    assert!(!stale(&w));
    w.pass(DAY_MS + 60 * SECOND_MS);
    assert!(stale(&w));
    assert!(!w.sees(ALICE, channel).beacon.unwrap().is_stale(w.now_ms));
    // One beacon from elsewhere shows what is missing.
    let beacon = Envelope::trusted(&w.nodes[ALICE].client.channels.by_id[&channel].row.beacon).unwrap();
    w.hears(BOB, &beacon);
    assert!(!stale(&w));
    assert_eq!(gaps(&w.sees(BOB, channel)), [(2, 2)]);
}

#[test]
fn f18_a_relay_that_lost_its_past_is_handed_it_again() {
    let (mut w, channel) = followed();
    w.posts_text(channel, "one");
    w.posts_text(channel, "two");
    // The relay begins anew with an empty disk.
    w.relay_up(false);
    let now_ms = w.now_ms;
    let keeper = w.keeper.as_mut().unwrap();
    keeper.disk = Default::default();
    let secret = crate::client::tests::relay_secret();
    keeper.relay =
        crate::custody::relay::Relay::load(Default::default(), secret, [8; 32], &keeper.disk, now_ms).unwrap();
    keeper.up = true;
    w.pass(120 * SECOND_MS);
    let link = w.sees(ALICE, channel).link();
    w.follows(CAROL, &link);
    assert_eq!(w.texts(CAROL, channel), ["one", "two"]);
}

#[test]
fn planned_posts_survive_a_restart_and_come_in_their_time() {
    let (mut w, channel) = followed();
    let at_ms = w.now_ms + 60 * SECOND_MS;
    let plan = |w: &mut World, text: &str| {
        let command = ChannelCommand::Post {
            channel,
            post: Post::text(text),
            files: PostFiles::default(),
            at_ms: Some(at_ms),
            idempotency_key: Some(text.into()),
        };
        match w.channel(ALICE, command).unwrap() {
            Reply::Posted { id, planned: true } => id,
            other => panic!("{other:?}"),
        }
    };
    let kept = plan(&mut w, "later");
    assert_eq!(plan(&mut w, "later"), kept, "planned once");
    let dropped = plan(&mut w, "never");
    let plans = view::plans(&w.nodes[ALICE].disk, &channel).unwrap();
    assert_eq!(plans.len(), 2);
    w.channel(
        ALICE,
        ChannelCommand::Unplan {
            channel,
            plan: dropped.0,
        },
    )
    .unwrap();
    w.restart(ALICE);
    w.pass(30 * SECOND_MS);
    assert!(w.texts(BOB, channel).is_empty());
    w.pass(31 * SECOND_MS);
    assert_eq!(w.texts(BOB, channel), ["later"]);
    assert!(view::plans(&w.nodes[ALICE].disk, &channel).unwrap().is_empty());
}

#[test]
fn unfollowing_and_blocking_leave_nothing_and_blocking_lasts() {
    let (mut w, channel) = followed();
    w.posts_text(channel, "one");
    let link = w.sees(ALICE, channel).link();
    w.channel(BOB, ChannelCommand::Unfollow { channel }).unwrap();
    assert!(view::channel(&w.nodes[BOB].disk, &channel).unwrap().is_none());
    for tree in [Tree::ChannelEntries, Tree::ChannelTimeline, Tree::ChannelIds] {
        assert_eq!(w.nodes[BOB].disk.count(tree), 0, "{tree:?}");
    }
    w.posts_text(channel, "two");
    w.follows(BOB, &link);
    assert_eq!(w.texts(BOB, channel), ["one", "two"]);
    let blocked = true;
    w.channel(BOB, ChannelCommand::Block { channel, blocked }).unwrap();
    w.posts_text(channel, "three");
    w.restart(BOB);
    w.pass(SECOND_MS);
    let view = w.sees(BOB, channel);
    assert_eq!((view.name.as_str(), view.blocked, view.followed), ("Shop", true, false));
    assert!(w.texts(BOB, channel).is_empty());
    let error = w
        .channel(
            BOB,
            ChannelCommand::Follow {
                link: link.clone(),
                mesh: false,
            },
        )
        .unwrap_err();
    assert!(matches!(error, CommandError::NotAllowed { .. }), "{error}");
    let blocked = false;
    w.channel(BOB, ChannelCommand::Block { channel, blocked }).unwrap();
    w.follows(BOB, &link);
    assert_eq!(w.texts(BOB, channel).len(), 3);
}

#[test]
fn what_an_editor_may_not_write_is_void() {
    let (mut w, channel) = followed();
    w.posts_text(channel, "the root's");
    let secret = crate::keys::WriterSecret::from_bytes([3; 32]);
    let grant = |scopes: crate::channel::Scopes, until_s: u64| {
        let root = Signatory::root(&w.secret(channel));
        let certificate = crate::channel::WriterCertificate {
            channel,
            writer: secret.public(),
            scopes,
            categories: vec!["news".into()],
            from_s: 0,
            until_s,
            extensions: Vec::new(),
            signature: [0; 64],
        };
        Signatory {
            channel,
            secret: secret.clone(),
            chain: vec![certificate.signed(&root.secret)],
        }
    };
    let mut number = 0;
    let mut previous = EnvelopeId([0; 32]);
    let now_ms = w.now_ms;
    let mut write = |by: &Signatory, categories: &[&str], text: &str| {
        number += 1;
        let mut post = Post::text(text);
        post.categories = categories.iter().map(|of| (*of).to_owned()).collect();
        let entry = Entry {
            number,
            previous,
            time_ms: now_ms,
            act: Act::Post(post),
            extensions: Vec::new(),
        };
        let envelope = Envelope::sign_as(by, 3600, &Statement::Entry(Box::new(entry)).encode()).unwrap();
        previous = envelope.id();
        envelope
    };
    let publish = crate::channel::Scopes::PUBLISH;
    let (good, late) = (grant(publish, u64::MAX), grant(publish, 5));
    let none = grant(crate::channel::Scopes::STATS, u64::MAX);
    let written = [
        write(&good, &["news"], "an editor's"),
        write(&good, &["offers"], "of another category"),
        write(&late, &["news"], "too late"),
        write(&none, &["news"], "without the scope"),
    ];
    for envelope in &written {
        w.hears(BOB, envelope);
    }
    assert_eq!(w.texts(BOB, channel), ["the root's", "an editor's"]);
    let seen = w.reads(BOB, channel);
    assert_eq!((seen[0].provisional, seen[1].provisional), (false, true));
    let why = |envelope: &Envelope| view::post(&w.nodes[BOB].disk, &envelope.id()).unwrap().unwrap().void;
    let whys: Vec<_> = written.iter().map(why).collect();
    assert_eq!(whys, [None, Some("category"), Some("expired"), Some("scope")]);
}

#[test]
fn what_is_too_much_is_refused_by_name() {
    let (mut w, channel) = followed();
    let mut post = Post::text("x".repeat(limits::TEXT_BYTES + 1));
    let error = w.posts(ALICE, channel, post.clone()).unwrap_err();
    assert!(
        matches!(error, CommandError::TooLarge { field: "post.text", .. }),
        "{error}"
    );
    post = Post::text("  ");
    let error = w.posts(ALICE, channel, post.clone()).unwrap_err();
    assert!(
        matches!(error, CommandError::Invalid { field: "post.text", .. }),
        "{error}"
    );
    post = Post::text("hello");
    post.categories = vec!["sports".into()];
    let error = w.posts(ALICE, channel, post).unwrap_err();
    let field = "post.categories";
    assert!(
        matches!(error, CommandError::Invalid { field: found, .. } if found == field),
        "{error}"
    );
    let command = ChannelCommand::Post {
        channel,
        post: Post::text("mine now"),
        files: PostFiles::default(),
        at_ms: None,
        idempotency_key: None,
    };
    let error = w.channel(BOB, command).unwrap_err();
    assert!(matches!(error, CommandError::NotAllowed { .. }), "{error}");
}

#[test]
fn a_domain_is_proved_by_what_it_publishes_and_only_while_the_channel_names_it() {
    let (mut w, channel) = followed();
    let names = |w: &mut World, domain: &str| {
        let manifest = ManifestChange {
            domain: Some(domain.into()),
            ..ManifestChange::default()
        };
        w.channel(ALICE, ChannelCommand::Update { channel, manifest }).unwrap();
    };
    let proves = |w: &mut World, domain: &str, vouches: Vec<Vec<u8>>| {
        let domain = domain.into();
        w.channel(
            BOB,
            ChannelCommand::Prove {
                channel,
                domain,
                vouches,
            },
        )
    };
    assert!(
        w.channel(ALICE, ChannelCommand::Vouch { channel }).is_err(),
        "it names none"
    );
    names(&mut w, "shop.example");
    let Reply::Vouch(vouch) = w.channel(ALICE, ChannelCommand::Vouch { channel }).unwrap() else {
        panic!("no vouch");
    };
    assert!(
        w.channel(BOB, ChannelCommand::Vouch { channel }).is_err(),
        "it isn't his"
    );
    assert_eq!(w.sees(BOB, channel).proved_ms, None);
    assert!(proves(&mut w, "shop.example", vec![b"junk".to_vec()]).is_err());
    assert!(proves(&mut w, "other.example", vec![vouch.clone()]).is_err());
    proves(&mut w, "shop.example", vec![b"junk".to_vec(), vouch.clone()]).unwrap();
    assert_eq!(w.sees(BOB, channel).proved_ms, Some(w.now_ms));
    w.restart(BOB);
    w.pass(SECOND_MS);
    assert!(w.sees(BOB, channel).proved_ms.is_some());
    names(&mut w, "other.example");
    assert_eq!(w.sees(BOB, channel).proved_ms, None);
    assert!(proves(&mut w, "other.example", vec![vouch]).is_err());
}

#[test]
fn photos_of_a_post_go_to_the_channels_relays_and_are_fetched_by_who_follows() {
    let (mut w, channel) = followed();
    let content = vec![7_u8; 100_000];
    let (now_ms, node) = (w.now_ms, &mut w.nodes[ALICE]);
    let begun = node.client.file_begin(now_ms, content.len() as u64, false).unwrap();
    let Reply::Written { upload, .. } = begun else {
        panic!("{begun:?}");
    };
    let written = node.client.file_write(now_ms, upload, 0, &content, &node.disk).unwrap();
    let Reply::Written { blob: Some(blob), .. } = written else {
        panic!("{written:?}");
    };
    w.input(ALICE, crate::client::Input::Tick);
    let photo = || FileContent {
        blob,
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        caption: String::new(),
        media: crate::message::Media::File,
    };
    let command = |text: &str| ChannelCommand::Post {
        channel,
        post: Post::text(text),
        files: vec![photo()].into(),
        at_ms: None,
        idempotency_key: None,
    };
    w.channel(ALICE, command("our window")).unwrap();
    w.pass(SECOND_MS);
    let seen = w.reads(BOB, channel);
    assert_eq!(
        (seen[0].post.text.as_str(), seen[0].post.body.name()),
        ("our window", "files")
    );
    let read = |w: &World| crate::client::history::read_blob(&w.nodes[BOB].disk, &blob, 0, content.len());
    assert_eq!(read(&w).unwrap(), content);
    let error = w.channel(ALICE, command("again")).unwrap_err();
    assert!(
        matches!(error, CommandError::Invalid { field: "body.blob", .. }),
        "{error}"
    );

    // Who comes later asks for it.
    let link = w.sees(ALICE, channel).link();
    w.follows(CAROL, &link);
    let post = w.reads(CAROL, channel)[0].id;
    w.channel(CAROL, ChannelCommand::FetchFiles { channel, post }).unwrap();
    w.pass(SECOND_MS);
    let fetched = crate::client::history::read_blob(&w.nodes[CAROL].disk, &blob, 0, content.len());
    assert_eq!(fetched.unwrap(), content);
}

//! Relays of a channel that lose, keep back, replay, reorder or make up.

use super::*;
use crate::client::Fault;
use crate::client::tests::{relay_address, relay_secret, second_address};
use crate::custody::relay::RelayConfig;
use crate::custody::{ClientFrame, Cursor, HistoryPage, Item, Items, Refusal, RunningHash};
use crate::wire::Wire;

impl World {
    /// Asks for what is before; none while nobody has answered.
    fn reads_back(&mut self, place: usize, channel: ChannelId) -> Option<Result<Reply, CommandError>> {
        let command = ChannelCommand::History { channel };
        self.command(place, Command::Channel(Box::new(command)))
    }

    /// Whether there is more before, as whoever asked last was told.
    fn more(&mut self, place: usize, channel: ChannelId) -> bool {
        match self.reads_back(place, channel).expect("no answer yet") {
            Ok(Reply::Older { more }) => more,
            other => panic!("{other:?}"),
        }
    }

    /// The number of the last question about the past that a client asked a relay, and what it was about.
    fn question(&self, place: usize, relay: TransportKey) -> crate::custody::History {
        let frames = self.nodes[place].sent.iter().rev();
        frames
            .filter(|(to, _, _)| *to == relay)
            .find_map(|(_, _, frame)| match ClientFrame::decode(frame) {
                Ok(ClientFrame::History(ask)) => Some(ask),
                _ => None,
            })
            .expect("nothing was asked")
    }

    fn told_of_posts(&self, place: usize) -> usize {
        let events = self.nodes[place].events();
        let posts = events
            .iter()
            .filter(|event| matches!(event, EventRow::ChannelPost { .. }));
        posts.count()
    }

    fn faults_of_first(&self, place: usize) -> Vec<Fault> {
        let standing = self.nodes[place].client.standing(&relay_secret().public());
        standing.marks.iter().map(|mark| mark.fault).collect()
    }
}

fn cursor(position: u64) -> Cursor {
    Cursor {
        epoch: 1,
        position,
        hash: RunningHash([1; 16]),
    }
}

/// A relay's answer to a question about the past.
fn past(ask: &crate::custody::History, oldest: bool, items: Vec<Item>) -> CustodianFrame {
    CustodianFrame::History(HistoryPage {
        request: ask.request,
        topic: ask.topic,
        cursor: cursor(1_000),
        oldest,
        items,
    })
}

/// A brand with so many posts at two relays, and bob, who follows at both.
fn at_two_relays(posts: usize) -> (World, ChannelId) {
    let mut w = World::with_two_relays();
    let channel = w.makes_channel("Shop");
    for n in 1..=posts {
        w.posts_text(channel, &n.to_string());
    }
    let link = w.sees(ALICE, channel).link();
    w.follows(BOB, &link);
    (w, channel)
}

fn past_of_first(from: TransportKey, frame: &CustodianFrame) -> bool {
    from == relay_secret().public() && matches!(frame, CustodianFrame::History(_))
}

#[test]
fn f17_a_relay_that_signed_for_posts_and_denies_them_is_found_out_and_handed_them_again() {
    let mut w = World::with_two_relays();
    let channel = w.makes_channel("Shop");
    let posts: Vec<EnvelopeId> = (1..=5).map(|n| w.posts_text(channel, &n.to_string())).collect();
    assert!(w.reads(ALICE, channel).iter().all(|post| post.held.len() == 2));
    w.lose_from_log(&posts[1..4]);
    w.live(2 * DAY_MS);
    assert_eq!(w.faults_of_first(ALICE), [Fault::Denied]);
    let evidence = crate::client::evidence(&w.nodes[ALICE].disk, Some(&relay_secret().public())).unwrap();
    assert!(posts.contains(&evidence[0].envelope.unwrap()) && !evidence[0].receipts.is_empty());

    // Who knows that relay alone reads all, whichever it was that lost them.
    w.second.as_mut().unwrap().up = false;
    let mut link = ChannelLink::from_link(&w.sees(ALICE, channel).link()).unwrap();
    link.relays.retain(|relay| relay.key == relay_secret().public());
    let guest = w.guest();
    w.follows(guest, &link.to_link());
    assert_eq!(w.texts(guest, channel), ["1", "2", "3", "4", "5"]);
}

#[test]
fn f18_a_relay_from_a_backup_is_handed_what_it_lacks_and_what_it_has_is_no_news() {
    let mut w = World::relayed();
    let channel = w.makes_channel("Shop");
    for n in 1..=100 {
        w.posts_text(channel, &n.to_string());
    }
    let link = w.sees(ALICE, channel).link();
    w.follows(BOB, &link);
    let backup = w.keeper.as_ref().unwrap().disk.clone();
    w.pass(SECOND_MS);
    w.posts_text(channel, "101");
    assert_eq!(w.told_of_posts(BOB), 1);

    w.relay_up(false);
    let now_ms = w.now_ms;
    let keeper = w.keeper.as_mut().unwrap();
    keeper.relay =
        crate::custody::relay::Relay::load(Default::default(), relay_secret(), [8; 32], &backup, now_ms).unwrap();
    (keeper.disk, keeper.up) = (backup, true);
    w.pass(120 * SECOND_MS);
    w.posts_text(channel, "102");
    assert_eq!(w.texts(BOB, channel).last().unwrap(), "102");
    assert_eq!(w.told_of_posts(BOB), 2, "the past was told as new");
    assert!(w.sees(BOB, channel).gaps.is_empty());
    w.follows(CAROL, &link);
    let newest = w.texts(CAROL, channel);
    assert!(
        newest.ends_with(&["100".into(), "101".into(), "102".into()]),
        "{newest:?}"
    );
}

#[test]
fn f19_a_relay_that_never_answers_about_the_past_is_asked_last() {
    let (mut w, channel) = at_two_relays(80);
    w.lose_from = past_of_first;
    let mut silent = 0;
    for _ in 0..6 {
        if w.reads_back(BOB, channel).is_none() {
            silent += 1;
            w.pass(25 * SECOND_MS);
            let told = w.nodes[BOB].replies.values().next_back();
            assert!(matches!(told, Some(Ok(Reply::Older { .. }))), "{told:?}");
        }
    }
    assert!(silent <= 1, "a relay that is silent was asked again and again");
    let texts = w.texts(BOB, channel);
    assert_eq!((texts.len(), texts[0].as_str()), (80, "1"));
}

#[test]
fn f19_a_relay_that_pages_the_past_without_end_is_left_for_another() {
    let (mut w, channel) = at_two_relays(80);
    w.lose_from = past_of_first;
    let relay = relay_secret().public();
    let newest = Envelope::trusted(&w.reads(BOB, channel).last().unwrap().envelope).unwrap();
    for _ in 0..20 {
        if w.reads_back(BOB, channel).is_some() {
            break;
        }
        // It never comes nearer to the beginning.
        let ask = w.question(BOB, relay);
        assert!(ask.before > 0);
        let items = vec![Item {
            position: ask.before,
            envelope: newest.bytes().to_vec(),
        }];
        w.hear(BOB, &past(&ask, false, items));
    }
    assert_eq!(w.faults_of_first(BOB), [Fault::Junk]);
    while w.more(BOB, channel) {}
    let texts = w.texts(BOB, channel);
    assert_eq!((texts.len(), texts[0].as_str()), (80, "1"));
}

#[test]
fn f16_f19_a_relay_that_says_that_there_is_nothing_before_keeps_nothing_back_where_there_is_another() {
    let (mut w, channel) = at_two_relays(80);
    w.lose_from = past_of_first;
    let ask_second = w.reads_back(BOB, channel).is_some();
    if !ask_second {
        let ask = w.question(BOB, relay_secret().public());
        w.hear(BOB, &past(&ask, true, Vec::new()));
        let told = w.nodes[BOB].replies.values().next_back();
        assert!(matches!(told, Some(Ok(Reply::Older { more: true }))), "{told:?}");
    }
    while w.more(BOB, channel) {}
    assert_eq!(w.texts(BOB, channel).len(), 80);
    assert!(!w.more(BOB, channel), "all is here: nobody has more");
}

#[test]
fn f20_what_a_relay_makes_up_replays_or_reorders_changes_nothing() {
    let (mut w, channel) = followed();
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty());
    let texts = ["one", "two", "three"];
    let posts: Vec<EnvelopeId> = texts
        .iter()
        .map(|text| {
            w.pass(SECOND_MS);
            w.posts_text(channel, text)
        })
        .collect();
    let envelope = |w: &World, post: &EnvelopeId| view::post(&w.nodes[ALICE].disk, post).unwrap().unwrap().envelope;
    let mut position = 1_000;
    let mut page = |envelopes: Vec<Vec<u8>>| {
        let items = envelopes.into_iter().map(|envelope| {
            position += 1;
            Item { position, envelope }
        });
        CustodianFrame::Items(Items {
            topic: channel.topic(),
            items: items.collect(),
            cursor: cursor(position),
            void: false,
            caught_up: true,
        })
    };
    // Junk: other bytes, a changed bit, another channel's entry, a chat's envelope on the channel's own topic.
    let mut changed = envelope(&w, &posts[0]);
    *changed.last_mut().unwrap() ^= 1;
    let other = TopicSecret::from_bytes([5; 32]);
    let foreign = Envelope::sign_as(&Signatory::root(&other), 3600, b"another channel's").unwrap();
    let letter = Envelope::sign(&w.secret(channel), 3600, b"as in a chat").unwrap();
    let before = w.nodes[BOB].disk.count(Tree::ChannelEntries);
    for junk in [b"junk".to_vec(), changed, foreign.into_bytes(), letter.into_bytes()] {
        w.hear(BOB, &page(vec![junk]));
    }
    assert_eq!(w.nodes[BOB].disk.count(Tree::ChannelEntries), before);
    assert_eq!(w.nodes[BOB].penalised.len(), 4);
    assert!(w.faults_of_first(BOB).contains(&Fault::Junk));

    // The newest first, and all of it twice.
    let newest_first: Vec<Vec<u8>> = posts.iter().rev().map(|post| envelope(&w, post)).collect();
    w.hear(BOB, &page(newest_first.clone()));
    w.restart(BOB);
    w.pass(SECOND_MS);
    w.hear(BOB, &page(newest_first));
    assert_eq!(w.texts(BOB, channel), texts);
    assert_eq!(w.told_of_posts(BOB), 3, "each once");
    assert_eq!(w.sees(BOB, channel).evidence, 0);
}

#[test]
fn f22_a_post_that_its_relay_has_no_room_for_waits_and_says_why() {
    let small = RelayConfig {
        topic_envelopes: 12,
        channel_retention_s: 3600,
        ..RelayConfig::default()
    };
    let mut w = World::with_relay(small, |_, _| {});
    let channel = w.makes_channel("Shop");
    let mut texts = Vec::new();
    let refused = loop {
        texts.push(texts.len().to_string());
        let post = w.posts_text(channel, &texts[texts.len() - 1].clone());
        if w.reads(ALICE, channel).last().unwrap().refused.is_some() {
            break post;
        }
        assert!(texts.len() < 20, "never refused");
    };
    let shown = |w: &World| view::post(&w.nodes[ALICE].disk, &refused).unwrap().unwrap();
    assert_eq!(
        (shown(&w).refused, shown(&w).held.len()),
        (Some(Refusal::TopicQuota), 0)
    );
    let told = EventRow::ChannelPostUpdated { channel, post: refused };
    assert_eq!(w.nodes[ALICE].count_events(&told), 1);
    w.restart(ALICE);
    assert_eq!(shown(&w).refused, Some(Refusal::TopicQuota));
    for _ in 0..18 {
        if shown(&w).refused.is_some() {
            w.live(600_000);
        }
    }
    assert_eq!((shown(&w).refused, shown(&w).held.len()), (None, 1));
    assert_eq!(w.nodes[ALICE].count_events(&told), 2);
    let link = w.sees(ALICE, channel).link();
    w.follows(BOB, &link);
    assert_eq!(w.texts(BOB, channel).last(), texts.last());
}

#[test]
fn f16_all_that_an_editor_wrote_is_missed_also_what_came_before_the_first_that_shows() {
    let (mut w, channel) = followed();
    let editor = editor(&w, channel, [3; 32]);
    let mut previous = EnvelopeId([0; 32]);
    let mut written = Vec::new();
    for number in 1..=3 {
        let entry = Entry {
            number,
            previous,
            time_ms: w.now_ms,
            act: Act::Post(Post::text(number.to_string())),
            extensions: Vec::new(),
        };
        let envelope = Envelope::sign_as(&editor, 3600, &Statement::Entry(Box::new(entry)).encode()).unwrap();
        previous = envelope.id();
        written.push(envelope);
    }
    w.hears(BOB, &written[2]);
    let seen = w.sees(BOB, channel);
    assert_eq!(
        (seen.gaps[0].writer, gaps(&seen)),
        (editor.secret.public(), vec![(1, 2)])
    );
    w.hears(BOB, &written[0]);
    w.hears(BOB, &written[1]);
    assert!(w.sees(BOB, channel).gaps.is_empty());
    assert_eq!(w.told_of_posts(BOB), 3);
}

#[test]
fn what_is_posted_before_the_relay_first_answers_is_told_and_what_was_there_is_not() {
    let mut w = World::relayed();
    let channel = w.makes_channel("Shop");
    w.posts_text(channel, "before");
    w.pass(SECOND_MS);
    let link = w.sees(ALICE, channel).link();
    w.leave(BOB, relay_secret().public());
    for link in w.nodes[BOB].client.links.values_mut() {
        link.retry_at_ms = u64::MAX;
    }
    w.follows(BOB, &link);
    w.pass(SECOND_MS);
    w.posts_text(channel, "after");
    assert!(w.texts(BOB, channel).is_empty());
    for link in w.nodes[BOB].client.links.values_mut() {
        link.retry_at_ms = 0;
    }
    w.pass(60 * SECOND_MS);
    assert_eq!(w.texts(BOB, channel), ["before", "after"]);
    assert_eq!(w.told_of_posts(BOB), 1);
}

#[test]
fn a_channel_that_moves_takes_along_who_follows_also_who_was_away() {
    let mut w = World::with_two_relays();
    let (first, second) = (relay_address(), second_address());
    let command = ChannelCommand::Create {
        manifest: ManifestChange {
            name: Some("Shop".into()),
            relays: Some(vec![first.clone()]),
            ..ManifestChange::default()
        },
        idempotency_key: None,
    };
    let Reply::Channel(channel) = w.channel(ALICE, command).unwrap() else {
        panic!("no channel");
    };
    let link = w.sees(ALICE, channel).link();
    for place in [BOB, CAROL] {
        w.follows(place, &link);
    }
    w.posts_text(channel, "one");
    for relay in [&first, &second] {
        w.leave(CAROL, relay.key);
    }
    for link in w.nodes[CAROL].client.links.values_mut() {
        link.retry_at_ms = u64::MAX;
    }
    w.relay_up(false);
    let manifest = ManifestChange {
        relays: Some(vec![second.clone()]),
        ..ManifestChange::default()
    };
    w.channel(ALICE, ChannelCommand::Update { channel, manifest }).unwrap();
    w.posts_text(channel, "two");
    let left = |w: &World| {
        let own = w.nodes[ALICE].client.channels.by_id[&channel].row.own.as_ref();
        own.unwrap().left.len()
    };
    assert_eq!(left(&w), 1, "the old one is still to be told");
    w.restart(ALICE);
    w.keeper.as_mut().unwrap().up = true;
    w.pass(600 * SECOND_MS);
    assert_eq!(left(&w), 0);
    assert_eq!(w.texts(BOB, channel), ["one", "two"]);
    assert_eq!(w.sees(BOB, channel).relays, [second]);
    assert!(!w.nodes[ALICE].client.links[&first.key].channels.contains(&channel));

    // Who was away comes back to the old one, and goes on at the new one.
    for link in w.nodes[CAROL].client.links.values_mut() {
        link.retry_at_ms = 0;
    }
    w.pass(60 * SECOND_MS);
    w.relay_up(false);
    w.posts_text(channel, "three");
    w.pass(60 * SECOND_MS);
    for place in [BOB, CAROL] {
        assert_eq!(w.texts(place, channel), ["one", "two", "three"]);
        assert_eq!(w.sees(place, channel).evidence, 0);
    }
}

/// Somebody whom the channel's root lets publish.
pub(super) fn editor(w: &World, channel: ChannelId, secret: [u8; 32]) -> Signatory {
    let (root, secret) = (
        Signatory::root(&w.secret(channel)),
        crate::keys::WriterSecret::from_bytes(secret),
    );
    let certificate = crate::channel::WriterCertificate {
        channel,
        writer: secret.public(),
        scopes: crate::channel::Scopes::PUBLISH,
        categories: Vec::new(),
        from_s: 0,
        until_s: u64::MAX,
        extensions: Vec::new(),
        signature: [0; 64],
    };
    Signatory {
        channel,
        chain: vec![certificate.signed(&root.secret)],
        secret,
    }
}

//! What a follower's terms hold back.

use super::*;
use crate::channel::Area;
use crate::channel::terms::{Hours, Why};

const HOUR_MS: u64 = 3_600_000;

impl World {
    fn wants(&mut self, channel: ChannelId, terms: Terms) {
        let terms = Box::new(terms);
        self.channel(BOB, ChannelCommand::Terms { channel, terms }).unwrap();
    }

    fn shown(&self, channel: ChannelId, post: EnvelopeId) -> usize {
        self.nodes[BOB].count_events(&EventRow::ChannelPost { channel, post })
    }

    fn held(&self, channel: ChannelId) -> Vec<(EnvelopeId, Why)> {
        let view = self.sees(BOB, channel);
        view.held.iter().map(|held| (held.post, held.why)).collect()
    }

    /// Goes on until the clock shows a time of the day in UTC.
    fn at(&mut self, hour: u64) {
        let day_ms = self.now_ms % DAY_MS;
        let wait_ms = (hour * HOUR_MS + DAY_MS - day_ms) % DAY_MS;
        self.pass(wait_ms);
    }
}

fn quiet(from: u16, to: u16) -> Terms {
    Terms {
        quiet: vec![Hours {
            days: Hours::DAILY,
            from: from * 60,
            to: to * 60,
        }],
        ..Terms::default()
    }
}

#[test]
fn what_comes_in_quiet_hours_waits_in_the_digest_until_they_are_over() {
    let (mut w, channel) = followed();
    w.wants(channel, quiet(22, 7));
    w.at(23);
    let night = w.posts_text(channel, "night sale");
    let gone = w.posts_text(channel, "wrong");
    let target = gone;
    let reason = String::new();
    w.channel(
        ALICE,
        ChannelCommand::Retract {
            channel,
            target,
            reason,
        },
    )
    .unwrap();
    assert_eq!(w.held(channel), [(night, Why::Quiet), (gone, Why::Quiet)]);
    assert_eq!((w.shown(channel, night), w.sees(BOB, channel).unread), (0, 0));
    // It is in the channel for whoever looks, and it outlives a restart.
    assert_eq!(w.texts(BOB, channel)[0], "night sale");
    w.restart(BOB);
    w.at(6);
    assert_eq!(w.shown(channel, night), 0);
    w.at(7);
    assert_eq!((w.shown(channel, night), w.shown(channel, gone)), (1, 0));
    assert!(w.held(channel).is_empty());
    assert_eq!(w.sees(BOB, channel).unread, 2);
    let day = w.posts_text(channel, "fresh bread");
    assert_eq!(w.shown(channel, day), 1);
}

#[test]
fn the_digest_is_opened_by_hand_and_other_terms_weigh_it_anew() {
    let (mut w, channel) = followed();
    w.at(12);
    w.wants(channel, quiet(10, 10));
    let first = w.posts_text(channel, "first");
    assert_eq!(w.held(channel), [(first, Why::Quiet)]);
    assert_eq!(w.sees(BOB, channel).held[0].until_ms, None);
    w.channel(BOB, ChannelCommand::OpenDigest { channel }).unwrap();
    assert!(w.held(channel).is_empty());
    assert_eq!((w.shown(channel, first), w.sees(BOB, channel).unread), (0, 1));
    let second = w.posts_text(channel, "second");
    w.wants(channel, quiet(22, 7));
    assert!(w.held(channel).is_empty());
    assert_eq!(w.shown(channel, second), 1);
}

#[test]
fn no_more_are_shown_on_a_day_than_the_follower_wants() {
    let (mut w, channel) = followed();
    w.at(12);
    let terms = Terms {
        daily_cap: Some(2),
        ..Terms::default()
    };
    w.wants(channel, terms);
    let posts: Vec<_> = (0..5).map(|n| w.posts_text(channel, &n.to_string())).collect();
    let told = |w: &World| posts.iter().map(|post| w.shown(channel, *post)).collect::<Vec<_>>();
    assert_eq!(told(&w), [1, 1, 0, 0, 0]);
    // Those that wait come first on the days after, as many as are wanted.
    w.at(0);
    assert_eq!(told(&w), [1, 1, 1, 1, 0]);
    w.restart(BOB);
    w.at(12);
    let next = w.posts_text(channel, "next");
    assert_eq!(w.held(channel), [(posts[4], Why::DailyCap), (next, Why::DailyCap)]);
    w.at(0);
    assert_eq!((told(&w), w.shown(channel, next)), (vec![1; 5], 1));
}

#[test]
fn a_channel_that_breaks_its_promise_is_cut_to_it_and_marked() {
    let (mut w, channel) = followed();
    w.at(12);
    let promise = ManifestChange {
        posts_per_day: Some(2),
        ..ManifestChange::default()
    };
    let update = ChannelCommand::Update {
        channel,
        manifest: promise,
    };
    w.channel(ALICE, update).unwrap();
    let kept: Vec<_> = (0..2).map(|n| w.posts_text(channel, &n.to_string())).collect();
    assert_eq!(w.sees(BOB, channel).broke_promise_ms, 0);
    let beyond = w.posts_text(channel, "one more");
    assert_eq!(w.held(channel), [(beyond, Why::Promise)]);
    assert_eq!(w.sees(BOB, channel).broke_promise_ms, w.now_ms);
    assert!(kept.iter().all(|post| w.shown(channel, *post) == 1));
    // It isn't shown by itself on another day, nor by other terms, and the day after is a new one.
    w.at(11);
    w.wants(channel, Terms::default());
    assert_eq!((w.shown(channel, beyond), w.held(channel).len()), (0, 1));
    let next = w.posts_text(channel, "good morning");
    assert_eq!(w.shown(channel, next), 1);
}

#[test]
fn what_is_not_wanted_is_kept_and_not_told() {
    let (mut w, channel) = followed();
    let terms = Terms {
        advertising: false,
        ..Terms::default()
    };
    w.wants(channel, terms);
    let mut advert = Post::text("buy");
    advert.flags = Post::ADVERTISING;
    let advert = w.posts(ALICE, channel, advert).unwrap();
    assert_eq!((w.shown(channel, advert), w.sees(BOB, channel).unread), (0, 0));
    assert!(w.held(channel).is_empty());
    assert_eq!(w.reads(BOB, channel)[0].unwanted, Some(Why::Advertising));
    w.wants(channel, Terms::default());
    assert_eq!(w.reads(BOB, channel)[0].unwanted, None);
}

/// All that a follower sends and whom it dials, over two days.
fn seen_from_outside(terms: Option<Terms>) -> (usize, Vec<(u8, Vec<u8>)>) {
    let (mut w, channel) = followed();
    // It passes on what it hears to another follower, who reads its past.
    w.gossip = true;
    let link = w.sees(ALICE, channel).link();
    w.follows(CAROL, &link);
    for place in [BOB, CAROL] {
        w.channel(place, ChannelCommand::Mesh { channel, mesh: true }).unwrap();
    }
    if let Some(terms) = terms {
        w.wants(channel, terms);
    }
    for hour in [12, 23, 2, 9, 23] {
        w.at(hour);
        let mut post = Post::text(format!("at {hour}"));
        post.categories = vec!["news".into()];
        post.flags = if hour == 23 { Post::ADVERTISING } else { 0 };
        post.area = Some(Area {
            latitude_e6: 37_000_000,
            longitude_e6: 127_000_000,
            radius_m: 1_000,
        });
        w.posts(ALICE, channel, post).unwrap();
        w.pass(10 * SECOND_MS);
    }
    w.connect(BOB, CAROL);
    w.pass(DAY_MS);
    let bob = &w.nodes[BOB];
    let sent = bob.sent.iter().map(|(peer, _, frame)| (peer.0[0], frame.to_vec()));
    let published = bob.published.iter().map(|bytes| (0, bytes.clone()));
    (bob.dialled.len(), sent.chain(published).collect())
}

#[test]
fn nothing_that_leaves_a_follower_differs_by_its_terms() {
    let elsewhere = Area {
        latitude_e6: -37_000_000,
        longitude_e6: 0,
        radius_m: 1,
    };
    let plain = seen_from_outside(None);
    assert!(plain.1.len() > 5, "it sent something");
    for terms in [
        Terms::default(),
        Terms {
            categories: Some(Default::default()),
            ..Terms::default()
        },
        Terms {
            places: vec![elsewhere],
            zone: Some("Asia/Seoul".into()),
            daily_cap: Some(1),
            ..quiet(22, 7)
        },
        Terms {
            advertising: false,
            window: quiet(9, 10).quiet,
            ..Terms::default()
        },
    ] {
        assert!(seen_from_outside(Some(terms.clone())) == plain, "{terms:?}");
    }
}

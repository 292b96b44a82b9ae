//! Polls of a channel: answers by followers, what the brand counts, and what it tells.

use super::*;
use crate::channel::{Ballot, BallotBox, PollResult, PostBody};
use crate::custody::ClientFrame;
use crate::limits;
use crate::message::Poll;
use crate::mls::Crypto;
use crate::rows::Rows;
use crate::seal::{self, Purpose};
use crate::wire::Wire;

fn poll(options: &[&str], multiple: bool) -> Post {
    let mut post = Post::text("");
    post.body = PostBody::Poll(Poll {
        question: "Which?".into(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        multiple,
    });
    post
}

impl World {
    fn votes(
        &mut self,
        place: usize,
        channel: ChannelId,
        post: EnvelopeId,
        choices: &[u8],
    ) -> Result<Reply, CommandError> {
        let choices = choices.to_vec();
        self.channel(place, ChannelCommand::Vote { channel, post, choices })
    }

    /// What the brand counted, as it is.
    fn counted(&self, post: EnvelopeId) -> (u32, Vec<u32>) {
        let mut boxes = self.nodes[ALICE].client.channels.polls.rows();
        let row = boxes.find(|row| row.post == post && row.private.is_some()).unwrap();
        (row.voters, row.counts.clone())
    }

    fn ballot_box(&self, channel: ChannelId, post: EnvelopeId) -> BallotBox {
        let posts = self.reads(BOB, channel);
        let found = posts.iter().find(|found| found.id == post).unwrap();
        BallotBox::of(&found.post).unwrap().1
    }

    /// The brand is handed an answer of somebody.
    fn answered(&mut self, ballots: &BallotBox, ballot: &Ballot) {
        let crypto = Crypto::new([ballot.voter[0] ^ ballot.number as u8; 32]);
        let (suite, topic) = (ballots.suite, ballots.topic());
        let sealed = seal::seal_to(
            &crypto,
            suite,
            &ballots.seal_key,
            Purpose::Ballot,
            topic,
            &ballot.encode(),
        )
        .unwrap();
        self.hears(ALICE, &Envelope::sign(&ballots.secret, 3600, &sealed).unwrap());
    }

    /// Rows of answers to polls at one.
    fn vote_rows(&self, place: usize) -> usize {
        let rows = self.nodes[place]
            .disk
            .prefix(Tree::ChannelVotes, &[], usize::MAX)
            .unwrap();
        rows.iter().filter(|(key, _)| key[32] == 1).count()
    }
}

fn ballot(voter: u8, number: u64, choices: u16) -> Ballot {
    Ballot {
        voter: [voter; 32],
        number,
        choices,
    }
}

#[test]
fn an_answer_is_counted_and_a_later_one_takes_its_place() {
    let (mut w, channel) = followed();
    let post = w.posts(ALICE, channel, poll(&["tea", "coffee"], false)).unwrap();
    assert_eq!(w.votes(BOB, channel, post, &[0]).unwrap(), Reply::Done);
    assert_eq!(w.counted(post), (1, vec![1, 0]));
    w.restart(ALICE);
    w.restart(BOB);
    w.votes(BOB, channel, post, &[1]).unwrap();
    w.pass(10 * SECOND_MS);
    assert_eq!(w.counted(post), (1, vec![0, 1]));
    assert_eq!(w.reads(BOB, channel)[0].vote, Some(vec![1]));
    assert!(w.nodes[BOB].client.outs.is_empty(), "the relay has signed for it");
    w.votes(BOB, channel, post, &[]).unwrap();
    assert_eq!(w.counted(post), (0, vec![0, 0]));
    // One person is nobody in what may be told.
    w.votes(BOB, channel, post, &[1]).unwrap();
    let told = view::polls(&w.nodes[ALICE].disk, &channel).unwrap();
    assert_eq!((told[0].post, told[0].open, told[0].voters), (post, true, 0));
    assert_eq!(told[0].counts, [0, 0]);
}

#[test]
fn nothing_in_answers_ties_them_to_each_other_or_to_what_was_chosen() {
    let (mut w, channel) = followed();
    let first = w.posts(ALICE, channel, poll(&["a", "b", "c"], true)).unwrap();
    let second = w.posts(ALICE, channel, poll(&["a", "b", "c"], true)).unwrap();
    w.votes(BOB, channel, first, &[0]).unwrap();
    w.votes(BOB, channel, second, &[0, 1, 2]).unwrap();
    let rows = w.nodes[ALICE].disk.prefix(Tree::ChannelVotes, &[], usize::MAX).unwrap();
    let voters: Vec<Vec<u8>> = rows
        .iter()
        .filter(|(key, _)| key[32] == 1)
        .map(|(key, _)| key[65..].to_vec())
        .collect();
    assert!(voters.len() == 2 && voters[0] != voters[1]);
    let topics = [first, second].map(|post| w.ballot_box(channel, post).topic());
    let sent = w.nodes[BOB]
        .sent
        .iter()
        .filter_map(|(_, _, frame)| match ClientFrame::decode(frame) {
            Ok(ClientFrame::Deposit(deposit)) => Some(deposit.envelopes),
            _ => None,
        });
    let ballots = sent
        .flatten()
        .filter(|bytes| topics.contains(&Envelope::peek(bytes).unwrap().0));
    let lengths: std::collections::BTreeSet<usize> = ballots.map(|bytes| bytes.len()).collect();
    assert_eq!(lengths.len(), 1, "{lengths:?}");
}

#[test]
fn what_a_poll_has_come_to_is_told_in_tens() {
    let (mut w, channel) = followed();
    let post = w.posts(ALICE, channel, poll(&["tea", "coffee"], false)).unwrap();
    let ballots = w.ballot_box(channel, post);
    for voter in 1..=37 {
        w.answered(&ballots, &ballot(voter, 1, if voter <= 25 { 1 } else { 2 }));
    }
    assert_eq!(w.counted(post), (37, vec![25, 12]));
    let command = || ChannelCommand::PublishResult { channel, post };
    w.channel(ALICE, command()).unwrap();
    let told = |w: &World| PollResult::of(&w.reads(BOB, channel)[0].post).unwrap();
    assert_eq!((told(&w).voters, told(&w).counts), (30, vec![20, 0]));
    // The poll goes on; what hasn't changed in tens isn't told again.
    let number = w.sees(ALICE, channel).beacon.unwrap().number;
    w.answered(&ballots, &ballot(38, 1, 2));
    w.channel(ALICE, command()).unwrap();
    assert_eq!(w.sees(ALICE, channel).beacon.unwrap().number, number);
    w.votes(BOB, channel, post, &[0]).unwrap();
    assert_eq!(w.counted(post), (39, vec![26, 13]));
    let refused = w.channel(BOB, command()).unwrap_err();
    assert!(matches!(refused, CommandError::NotAllowed { .. }), "{refused:?}");
}

#[test]
fn f61_answers_that_are_none_count_for_nothing() {
    let (mut w, channel) = followed();
    let post = w.posts(ALICE, channel, poll(&["tea", "coffee"], false)).unwrap();
    let ballots = w.ballot_box(channel, post);
    w.answered(&ballots, &ballot(1, 2, 1));
    // An earlier one that comes late, options that aren't there, several of one, and what was sealed for somebody else.
    w.answered(&ballots, &ballot(1, 1, 2));
    w.answered(&ballots, &ballot(2, 1, 4));
    w.answered(&ballots, &ballot(3, 1, 3));
    w.hears(ALICE, &Envelope::sign(&ballots.secret, 3600, b"nothing").unwrap());
    let other = Crypto::new([9; 32]).hpke_key_pair(ballots.suite).unwrap().1;
    let astray = BallotBox {
        seal_key: other,
        ..ballots.clone()
    };
    w.answered(&astray, &ballot(4, 1, 1));
    assert_eq!(w.counted(post), (1, vec![1, 0]));
    for bad in [&[2][..], &[0, 1], &[200]] {
        let refused = w.votes(BOB, channel, post, bad).unwrap_err();
        assert!(
            matches!(refused, CommandError::Invalid { field: "choices", .. }),
            "{refused:?}"
        );
    }
    let text = w.posts_text(channel, "no poll");
    let refused = w.votes(BOB, channel, text, &[0]).unwrap_err();
    assert!(
        matches!(refused, CommandError::Invalid { field: "post", .. }),
        "{refused:?}"
    );
    let refused = w.votes(BOB, channel, EnvelopeId([1; 32]), &[0]).unwrap_err();
    assert!(
        matches!(refused, CommandError::NotFound { field: "post" }),
        "{refused:?}"
    );
}

#[test]
fn a_poll_ends_and_single_answers_are_forgotten() {
    let (mut w, channel) = followed();
    let post = w.posts(ALICE, channel, poll(&["tea", "coffee"], false)).unwrap();
    w.votes(BOB, channel, post, &[0]).unwrap();
    let topic = w.ballot_box(channel, post).topic();
    assert_eq!(w.vote_rows(ALICE), 1);
    w.pass(limits::POLL_SECONDS * SECOND_MS + 7200 * SECOND_MS);
    assert_eq!(w.vote_rows(ALICE), 0);
    assert!(!w.nodes[ALICE].client.topics.contains_key(&topic));
    let told = view::polls(&w.nodes[ALICE].disk, &channel).unwrap();
    assert!(!told[0].open);
    let refused = w.votes(BOB, channel, post, &[1]).unwrap_err();
    assert!(matches!(refused, CommandError::NotAllowed { .. }), "{refused:?}");
    w.restart(ALICE);
    assert_eq!(view::polls(&w.nodes[ALICE].disk, &channel).unwrap(), told);
}

#[test]
fn f24_a_clock_that_leaps_ends_no_poll() {
    let (mut w, channel) = followed();
    let post = w.posts(ALICE, channel, poll(&["tea", "coffee"], false)).unwrap();
    w.relay_up(false);
    w.votes(BOB, channel, post, &[0]).unwrap();
    for place in [ALICE, BOB] {
        w.nodes[place].ahead_ms = 27_000 * DAY_MS as i64;
    }
    w.pass(60 * SECOND_MS);
    w.relay_up(true);
    w.pass(600 * SECOND_MS);
    assert_eq!(w.counted(post), (1, vec![1, 0]));
    // If it goes on like that it is the time.
    w.pass(7200 * SECOND_MS);
    assert!(!view::polls(&w.nodes[ALICE].disk, &channel).unwrap()[0].open);
}

#[test]
fn an_edited_poll_counts_on_only_if_it_asks_the_same() {
    let (mut w, channel) = followed();
    let post = w.posts(ALICE, channel, poll(&["tea", "coffee"], false)).unwrap();
    w.votes(BOB, channel, post, &[0]).unwrap();
    let edits = |w: &mut World, to: Post| {
        let command = ChannelCommand::Edit {
            channel,
            target: post,
            post: to,
            files: PostFiles::default(),
        };
        w.channel(ALICE, command).unwrap();
    };
    let mut same = poll(&["tea", "coffee"], false);
    same.text = "Please answer".into();
    edits(&mut w, same);
    assert_eq!(w.counted(post), (1, vec![1, 0]));
    edits(&mut w, poll(&["tea", "water"], false));
    assert_eq!(w.counted(post), (0, vec![0, 0]));
    assert_eq!(
        w.reads(BOB, channel)[0].vote,
        None,
        "it was an answer to something else"
    );
    w.votes(BOB, channel, post, &[1]).unwrap();
    assert_eq!(w.counted(post), (1, vec![0, 1]));
    let reason = String::new();
    w.channel(
        ALICE,
        ChannelCommand::Retract {
            channel,
            target: post,
            reason,
        },
    )
    .unwrap();
    let told = view::polls(&w.nodes[ALICE].disk, &channel).unwrap();
    assert!(told.iter().all(|told| !told.open));
    assert_eq!(w.vote_rows(ALICE), 0);
}

//! Showing posts to the operators of relays.

use super::*;
use crate::client::ReportOutcome;
use crate::custody::{Reason, Refusal};

impl World {
    fn reports_post(
        &mut self,
        channel: ChannelId,
        post: EnvelopeId,
        text: &str,
        block: bool,
    ) -> Result<Reply, CommandError> {
        let command = ChannelCommand::Report {
            channel,
            post,
            reason: Reason::Fraud,
            text: text.into(),
            block,
        };
        self.channel(BOB, command)
    }

    fn outcomes(&self) -> Vec<ReportOutcome> {
        let events = self.nodes[BOB].events().into_iter();
        let outcomes = events.filter_map(|event| match event {
            EventRow::ChannelReported { outcome, .. } => Some(outcome),
            _ => None,
        });
        outcomes.collect()
    }
}

#[test]
fn a_post_is_shown_to_each_relays_operator_and_the_channel_blocked_in_the_same_step() {
    let mut w = World::with_two_relays();
    let channel = w.makes_channel("Shop");
    let link = w.sees(ALICE, channel).link();
    w.follows(BOB, &link);
    let post = w.posts_text(channel, "win a prize");
    let edit = ChannelCommand::Edit {
        channel,
        target: post,
        post: Post::text("win two prizes"),
        files: PostFiles::default(),
    };
    w.channel(ALICE, edit).unwrap();
    let Reply::ReportedTo(relays) = w.reports_post(channel, post, "they asked for my card", true).unwrap() else {
        panic!("not on its way");
    };
    assert_eq!(relays.len(), 2);
    w.pass(SECOND_MS);
    assert!(w.sees(BOB, channel).blocked);
    assert_eq!(w.reports.len(), 2);
    for (relay, report) in &w.reports {
        assert!(relays.contains(relay));
        assert_eq!(
            (report.channel, report.post, report.reason),
            (channel, post, Reason::Fraud)
        );
        assert_eq!(report.envelopes.len(), 2, "the post and its edit");
    }
    assert_eq!(w.outcomes(), [ReportOutcome::Taken; 2]);
    assert_eq!(w.nodes[BOB].disk.count(Tree::ChannelReports), 0);
}

#[test]
fn f27_a_report_waits_for_a_relay_over_restarts_also_of_a_channel_that_is_blocked() {
    let (mut w, channel) = followed();
    let post = w.posts_text(channel, "win a prize");
    w.relay_up(false);
    w.reports_post(channel, post, "", true).unwrap();
    w.reports_post(channel, post, "", true).unwrap_err();
    w.restart(BOB);
    w.pass(60 * SECOND_MS);
    assert_eq!(w.nodes[BOB].disk.count(Tree::ChannelReports), 1);
    w.keeper.as_mut().unwrap().up = true;
    w.pass(600 * SECOND_MS);
    assert_eq!((w.reports.len(), w.outcomes()), (1, vec![ReportOutcome::Taken]));
    assert_eq!(w.nodes[BOB].disk.count(Tree::ChannelReports), 0);
}

#[test]
fn f22_a_relay_that_refuses_is_asked_again_or_given_up_and_that_is_told() {
    let (mut w, channel) = followed();
    let post = w.posts_text(channel, "win a prize");
    w.refuses_reports = Some(Refusal::ReadOnly);
    w.reports_post(channel, post, "", false).unwrap();
    w.pass(SECOND_MS);
    assert!(w.outcomes().is_empty());
    // The same once more changes nothing.
    w.reports_post(channel, post, "again", false).unwrap();
    w.refuses_reports = None;
    w.pass(120 * SECOND_MS);
    assert_eq!((w.reports.len(), w.outcomes()), (1, vec![ReportOutcome::Taken]));

    let other = w.posts_text(channel, "win two prizes");
    w.refuses_reports = Some(Refusal::NotAllowed);
    w.reports_post(channel, other, "", false).unwrap();
    w.pass(SECOND_MS);
    assert_eq!(w.outcomes().last(), Some(&ReportOutcome::Refused(Refusal::NotAllowed)));
    // One of an earlier version never answers.
    w.lose = |_, frame| matches!(frame, CustodianFrame::Reported(_) | CustodianFrame::WatchRefused { .. });
    let third = w.posts_text(channel, "win three prizes");
    w.reports_post(channel, third, "", false).unwrap();
    w.pass(limits::REPORT_SECONDS * SECOND_MS + SECOND_MS);
    assert_eq!(w.outcomes().last(), Some(&ReportOutcome::GivenUp));
    assert_eq!(w.nodes[BOB].disk.count(Tree::ChannelReports), 0);
}

#[test]
fn only_what_is_followed_and_is_there_is_reported() {
    let (mut w, channel) = followed();
    let post = w.posts_text(channel, "win a prize");
    let nothing = w.reports_post(channel, EnvelopeId([9; 32]), "", false).unwrap_err();
    assert!(matches!(nothing, CommandError::NotFound { field: "post" }), "{nothing}");
    let long = "a".repeat(limits::REPORT_TEXT_BYTES + 1);
    let large = w.reports_post(channel, post, &long, false).unwrap_err();
    assert!(matches!(large, CommandError::TooLarge { field: "text", .. }), "{large}");
    let own = ChannelCommand::Report {
        channel,
        post,
        reason: Reason::Spam,
        text: String::new(),
        block: false,
    };
    assert!(matches!(w.channel(ALICE, own), Err(CommandError::NotAllowed { .. })));
    assert!(w.reports.is_empty());
}

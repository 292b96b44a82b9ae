//! What relays tell of a channel.

use super::*;
use crate::channel::Scopes;
use crate::client::{RelayFigures, Untold};
use crate::custody::ClientFrame;
use crate::keys::WriterSecret;
use crate::wire::Wire;

impl World {
    fn figures_of(&mut self, place: usize, channel: ChannelId, post: Option<EnvelopeId>) -> Vec<RelayFigures> {
        let command = Command::Channel(Box::new(ChannelCommand::Figures { channel, post }));
        if let Some(answer) = self.command(place, command) {
            match answer.unwrap() {
                Reply::Figures(told) => return told,
                other => panic!("{other:?}"),
            }
        }
        self.pass(20 * SECOND_MS);
        match self.nodes[place].replies.pop_last().unwrap() {
            (_, Ok(Reply::Figures(told))) => told,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_brand_and_who_may_be_told_hear_from_each_relay_that_answers() {
    let mut w = World::with_two_relays();
    let channel = w.makes_channel("Shop");
    let link = w.sees(ALICE, channel).link();
    w.follows(BOB, &link);
    let post = w.posts_text(channel, "open until nine");
    let told = w.figures_of(ALICE, channel, Some(post));
    assert_eq!(told.len(), 2);
    for relay in told {
        let figures = relay.told.unwrap();
        assert_eq!(figures.watchers, 0, "fewer than 20");
        assert_eq!(figures.handed.map(|handed| handed.peers), Some(0));
    }
    assert!(
        w.figures_of(ALICE, channel, None)
            .iter()
            .all(|relay| relay.told.unwrap().handed.is_none())
    );
    let refused = w.channel(BOB, ChannelCommand::Figures { channel, post: None });
    assert!(matches!(refused, Err(CommandError::NotAllowed { .. })), "{refused:?}");

    // An editor who may be told, and no longer.
    let Reply::Writer(writer) = w.channel(BOB, ChannelCommand::WriterKey { channel }).unwrap() else {
        panic!("no key");
    };
    let grant = |scopes: Scopes, until_s: u64| WriterGrant {
        writer,
        scopes,
        categories: Vec::new(),
        until_s,
    };
    let until_s = w.now_ms / 1000 + 30 * DAY_MS / 1000;
    let given = w.channel(
        ALICE,
        ChannelCommand::Certify {
            channel,
            grant: grant(Scopes::STATS, until_s),
        },
    );
    let Reply::Certificate(certificate) = given.unwrap() else {
        panic!("no certificate");
    };
    w.channel(BOB, ChannelCommand::UseCertificate { certificate }).unwrap();
    assert!(w.figures_of(BOB, channel, None).iter().all(|relay| relay.told.is_ok()));
    w.channel(ALICE, ChannelCommand::Revoke { channel, writer }).unwrap();
    let told = w.figures_of(BOB, channel, None);
    let refused = Err(Untold::Refused(crate::custody::Refusal::NotAllowed));
    assert!(told.iter().all(|relay| relay.told == refused), "{told:?}");
}

#[test]
fn f19_relays_that_are_away_or_know_no_such_question_hold_nobody_up() {
    let (mut w, channel) = followed();
    w.lose = |_, frame| matches!(frame, CustodianFrame::Figures(_));
    let told = w.figures_of(ALICE, channel, None);
    assert_eq!(
        told.iter().map(|relay| relay.told).collect::<Vec<_>>(),
        [Err(Untold::Silent)]
    );
    w.lose = no_frame;
    w.relay_up(false);
    let told = w.figures_of(ALICE, channel, None);
    assert_eq!(
        told.iter().map(|relay| relay.told).collect::<Vec<_>>(),
        [Err(Untold::Away)]
    );
}

#[test]
fn f65_what_is_asked_names_no_key_of_the_account_and_holds_for_two_alone() {
    let (mut w, channel) = followed();
    w.nodes[ALICE].sent.clear();
    w.figures_of(ALICE, channel, None);
    let sent = w.nodes[ALICE].sent.iter();
    let asked = sent.filter_map(|(to, _, frame)| match ClientFrame::decode(frame) {
        Ok(ClientFrame::AskFigures(ask)) => Some((*to, ask)),
        _ => None,
    });
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked.len(), 1);
    let (relay, ask) = &asked[0];
    let inquiry = crate::channel::Inquiry::decode(&ask.inquiry).unwrap();
    assert_eq!((inquiry.relay, inquiry.asker), (*relay, w.key(ALICE)));
    assert!(inquiry.until_s <= w.now_ms / 1000 + limits::FIGURES_SECONDS);
    let stranger = WriterSecret::from_bytes([9; 32]);
    assert_ne!(inquiry.authority().writer, stranger.public());
}

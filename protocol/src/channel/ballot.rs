//! Polls of a channel: where followers' answers go, an answer, and what a brand tells of them.

use super::{Post, PostBody, invalid};
use crate::keys::{TopicId, TopicSecret};
use crate::limits;
use crate::message::Poll;
use crate::message::extensions::{extension, find};
use crate::mls::Suite;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Types of what is added to a post, by number, never reused: where a poll is answered.
const BALLOT_BOX: u16 = 1;
/// What a poll has come to.
const POLL_RESULT: u16 = 2;
const BALLOT_VERSION: u16 = 1;

/// A number of people as it may be told: rounded down to tens, and 0 for fewer than 20.
#[must_use]
pub fn rounded(people: u64) -> u64 {
    if people < limits::FIGURE_LEAST {
        return 0;
    }
    people - people % limits::FIGURE_STEP
}

/// Where a poll is answered: extension 1 of the post.
///
/// | bytes | field |
/// |---|---|
/// | 32 | secret of the topic that answers are written to: everybody has it |
/// | 2 | suite of the key |
/// | V | HPKE public key that answers are sealed to, at most [`limits::KEY_PACKAGE_BYTES`] |
/// | 8 | until when, Unix seconds |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BallotBox {
    /// Everybody may write there.
    pub secret: TopicSecret,
    /// The key's suite.
    pub suite: Suite,
    /// Only whoever has posted the poll opens what is sealed to it.
    pub seal_key: Vec<u8>,
    /// Unix seconds.
    pub until_s: u64,
}

impl BallotBox {
    /// That of a post, if it is a poll that can be answered.
    #[must_use]
    pub fn of(post: &Post) -> Option<(&Poll, Self)> {
        let PostBody::Poll(poll) = &post.body else {
            return None;
        };
        let value = find(&post.extensions, BALLOT_BOX, limits::CHANNEL_EXTENSION_BYTES).ok()??;
        Some((poll, Self::decode(value).ok()?))
    }

    /// The topic that answers are on.
    #[must_use]
    pub fn topic(&self) -> TopicId {
        self.secret.public()
    }

    /// Puts it into a post, and what the poll has come to, in place of what is there.
    pub fn put(&self, result: Option<&PollResult>, post: &mut Post) {
        post.extensions = extension(BALLOT_BOX, &self.encode());
        if let Some(result) = result {
            post.extensions.extend(extension(POLL_RESULT, &result.encode()));
        }
    }
}

impl Wire for BallotBox {
    fn write(&self, w: &mut Writer) {
        w.fixed(self.secret.to_bytes().as_slice());
        w.u16(self.suite.number());
        w.bytes(&self.seal_key);
        w.u64(self.until_s);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let secret = TopicSecret::from_bytes(r.array("ballot_box.secret")?);
        let suite = Suite::from_number(r.u16("ballot_box.suite")?);
        Ok(Self {
            secret,
            suite: suite.ok_or(invalid("ballot_box.suite", "isn't supported"))?,
            seal_key: r
                .bytes("ballot_box.seal_key", limits::CHANNEL_EXTENSION_BYTES)?
                .to_vec(),
            until_s: r.u64("ballot_box.until_s")?,
        })
    }
}

/// An answer to a poll, sealed to the key of its box. All have one length.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | who answers: random, for this poll alone |
/// | 8 | number: of one voter's answers that with the greatest counts |
/// | 2 | what was chosen: bit 0 is the first option; none takes the answer back |
/// | V | extensions |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// Known to the voter and to whoever counts.
    pub voter: [u8; 32],
    /// Greater with each answer.
    pub number: u64,
    /// A bit for each option.
    pub choices: u16,
}

impl Ballot {
    /// Choices by their places as bits; `None` if this is no answer to the poll.
    #[must_use]
    pub fn choose(poll: &Poll, places: &[u8]) -> Option<u16> {
        let mut choices = 0_u16;
        for place in places {
            let bit = 1_u16.checked_shl((*place).into())?;
            if usize::from(*place) >= poll.options.len() || choices & bit != 0 {
                return None;
            }
            choices |= bit;
        }
        (poll.multiple || places.len() <= 1).then_some(choices)
    }

    /// The places of choices.
    #[must_use]
    pub fn places(choices: u16) -> Vec<u8> {
        let chosen = |place: &u8| choices & (1_u16 << place) != 0;
        (0..16_u8).filter(chosen).collect()
    }
}

impl Wire for Ballot {
    fn write(&self, w: &mut Writer) {
        w.u16(BALLOT_VERSION);
        w.fixed(&self.voter);
        w.u64(self.number);
        w.u16(self.choices);
        w.bytes(&[]);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("ballot.version", BALLOT_VERSION)?;
        let ballot = Self {
            voter: r.array("ballot.voter")?,
            number: r.u64("ballot.number")?,
            choices: r.u16("ballot.choices")?,
        };
        r.bytes("ballot.extensions", limits::CHANNEL_EXTENSION_BYTES)?;
        Ok(ballot)
    }
}

/// What a poll has come to, as its brand says: extension 2 of the post. All figures are [`rounded`].
///
/// | bytes | field |
/// |---|---|
/// | 8 | when it was counted, Unix milliseconds |
/// | 4 | who answered |
/// | V | who chose each option, 4 bytes each |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollResult {
    /// Unix milliseconds.
    pub time_ms: u64,
    /// Answers; 0 for fewer than 20.
    pub voters: u32,
    /// Those that chose each option; 0 for fewer than 20.
    pub counts: Vec<u32>,
}

impl PollResult {
    /// That of a post that is a poll.
    #[must_use]
    pub fn of(post: &Post) -> Option<Self> {
        let PostBody::Poll(poll) = &post.body else {
            return None;
        };
        let value = find(&post.extensions, POLL_RESULT, limits::CHANNEL_EXTENSION_BYTES).ok()??;
        let result = Self::decode(value).ok()?;
        (result.counts.len() == poll.options.len()).then_some(result)
    }
}

impl Wire for PollResult {
    fn write(&self, w: &mut Writer) {
        w.u64(self.time_ms);
        w.u32(self.voters);
        w.list(&self.counts, |w, count| w.u32(*count));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let result = Self {
            time_ms: r.u64("poll_result.time_ms")?,
            voters: r.u32("poll_result.voters")?,
            counts: r.list("poll_result.counts", limits::POLL_OPTIONS, |r| {
                r.u32("poll_result.count")
            })?,
        };
        let told = |count: &u32| u64::from(*count) == rounded((*count).into());
        if !told(&result.voters) || !result.counts.iter().all(told) {
            return Err(invalid("poll_result", "figures are tens, from 20 on"));
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(multiple: bool) -> Poll {
        Poll {
            question: "Which?".into(),
            options: vec!["this".into(), "that".into(), "both".into()],
            multiple,
        }
    }

    #[test]
    fn figures_are_tens_from_twenty_on() {
        let told = [0, 1, 19, 20, 29, 30, 1_234].map(rounded);
        assert_eq!(told, [0, 0, 0, 20, 20, 30, 1_230]);
    }

    #[test]
    fn a_result_that_tells_more_is_not_read() {
        let result = |voters, counts| PollResult {
            time_ms: 1,
            voters,
            counts,
        };
        let good = result(40, vec![0, 20, 20]);
        assert_eq!(PollResult::decode(&good.encode()), Ok(good));
        for bad in [
            result(41, vec![0]),
            result(40, vec![10]),
            result(40, vec![0, 25]),
            result(0, vec![0; limits::POLL_OPTIONS + 1]),
        ] {
            assert!(PollResult::decode(&bad.encode()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn choices_are_places_of_the_polls_options_each_once() {
        assert_eq!(Ballot::choose(&poll(false), &[1]), Some(2));
        assert_eq!(Ballot::choose(&poll(false), &[]), Some(0));
        assert_eq!(Ballot::choose(&poll(true), &[2, 0]), Some(5));
        assert_eq!(Ballot::places(5), [0, 2]);
        for bad in [&[3][..], &[200], &[0, 0], &[1, 1]] {
            assert_eq!(Ballot::choose(&poll(true), bad), None, "{bad:?}");
        }
        assert_eq!(Ballot::choose(&poll(false), &[0, 1]), None);
    }

    #[test]
    fn all_ballots_have_one_length() {
        let ballot = |choices| Ballot {
            voter: [7; 32],
            number: 1,
            choices,
        };
        let (none, all) = (ballot(0).encode(), ballot(0xfff).encode());
        assert_eq!(none.len(), all.len());
        assert_eq!(Ballot::decode(&all), Ok(ballot(0xfff)));
    }

    #[test]
    fn a_box_and_a_result_are_found_in_a_poll_alone() {
        let ballots = BallotBox {
            secret: TopicSecret::from_bytes([3; 32]),
            suite: Suite::X25519,
            seal_key: vec![1; 32],
            until_s: 9,
        };
        let result = PollResult {
            time_ms: 5,
            voters: 20,
            counts: vec![20, 0, 0],
        };
        let mut post = Post::text("");
        ballots.put(Some(&result), &mut post);
        assert!(BallotBox::of(&post).is_none() && PollResult::of(&post).is_none());
        post.body = PostBody::Poll(poll(false));
        assert_eq!(BallotBox::of(&post).map(|(_, found)| found), Some(ballots));
        assert_eq!(PollResult::of(&post), Some(result));
    }
}

//! Both sides of a comparison of windows, against whatever the other says.

use super::{KIB, topic};
use madang_protocol::custody::{
    Answer, Ask, Elements, KeyedId, Next, Reconcile, Reconciled, Refusal, Session, SessionKey, Window,
};
use madang_protocol::keys::EnvelopeId;

/// A set of hundred elements, its copies, and what either side answers at most.
pub const SETS: usize = 320 * KIB;
const KEY: SessionKey = SessionKey([7; 32]);

fn elements(ids: std::ops::Range<u8>) -> Elements<()> {
    let id = |n: u8| EnvelopeId([n; 32]);
    Elements::new(&KEY, ids.map(|n| (id(n), ()))).unwrap()
}

fn ours() -> Session<()> {
    Session::begin(elements(0..100)).unwrap().0
}

fn theirs() -> Elements<()> {
    elements(50..150)
}

/// What whoever is asked does with a message.
pub fn answer(bytes: &[u8]) -> Option<Vec<u8>> {
    theirs().answer(bytes).ok().map(|_| bytes.to_vec())
}

/// What whoever asks does with an answer.
pub fn take(bytes: &[u8]) -> Option<Vec<u8>> {
    ours().take(bytes).ok().map(|_| bytes.to_vec())
}

/// The messages of a session, of one side or the other.
fn session() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut session, first) = Session::begin(elements(0..100)).unwrap();
    let (mut asked, mut answered) = (vec![first], Vec::new());
    while let Some(last) = asked.last() {
        let answer = theirs().answer(last).unwrap();
        answered.push(answer.clone());
        let Next::Compare(next) = session.take(&answer).unwrap() else {
            break;
        };
        asked.push(next);
    }
    (asked, answered)
}

pub fn messages() -> Vec<Vec<u8>> {
    session().0
}

pub fn answers() -> Vec<Vec<u8>> {
    session().1
}

pub fn questions() -> impl Iterator<Item = Reconcile> {
    let asks = [
        Ask::Compare(messages().remove(0)),
        Ask::List,
        Ask::Fetch(vec![KeyedId([1; 32]), KeyedId([2; 32])]),
    ];
    asks.into_iter().map(|ask| Reconcile {
        request: 6,
        topic: topic().public(),
        window: Window {
            from_s: 1_700_000_000,
            to_s: 1_700_003_600,
        },
        key: KEY,
        ask,
    })
}

pub fn replies() -> impl Iterator<Item = Reconciled> {
    let answers = [
        Answer::Compared(answers().remove(0)),
        Answer::Listed(vec![EnvelopeId([3; 32])]),
        Answer::Fetched(vec![vec![5; 100], Vec::new()]),
        Answer::Refused {
            why: Refusal::TooLarge,
            retry_after_s: 0,
        },
    ];
    answers.into_iter().map(|answer| Reconciled { request: 6, answer })
}

//! Searching among many messages, and what the index for that costs.

use std::time::{Duration, Instant};

use madang_node::store::{Store, StoreKind, Unlock};
use madang_protocol::client::{history, search};
use madang_protocol::keys::ChatId;
use madang_protocol::message::Body;
use madang_protocol::rows::{Batch, Tree};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::bench::floors::ms;
use crate::bench::people::{self, Duo, Way};
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;

/// Words of each language: a word's chance falls with its place, as in real texts.
const WORDS: u64 = 20_000;
/// Words of a message.
const LENGTH: u64 = 9;
/// How often each query is asked in a run.
const ASKED: usize = 50;

/// The number that numbers lead to, the same in every run.
fn dice(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A word of a language: two to four syllables.
fn word(korean: bool, rank: u64) -> String {
    let syllable = |at: u64| {
        let roll = dice(rank * 8 + at + u64::from(korean));
        if korean {
            // About as many syllables as texts use often.
            let code = 0xac00 + u32::try_from(roll % 600).unwrap() * 18;
            char::from_u32(code).unwrap().to_string()
        } else {
            let (consonants, vowels) = (b"bcdfghklmnprstvw", b"aeiou");
            let pick = |from: &[u8], roll: u64| char::from(from[usize::try_from(roll).unwrap() % from.len()]);
            [pick(consonants, roll >> 8), pick(vowels, roll >> 16)].iter().collect()
        }
    };
    (0..2 + dice(rank) % 3).map(syllable).collect()
}

/// A message's text: every third is English.
fn text(number: usize) -> String {
    let seed = u64::try_from(number).unwrap() * 64;
    let said = (0..LENGTH).map(|at| {
        let share = (dice(seed + at) % 1_000_000) as f64 / 1e6;
        let rank = (WORDS as f64).powf(share) as u64;
        word(!number.is_multiple_of(3), rank)
    });
    said.collect::<Vec<_>>().join(" ")
}

/// Queries, each of another kind.
fn queries() -> Vec<(&'static str, String)> {
    let inner = |rank: u64| word(true, rank).chars().skip(1).take(2).collect::<String>();
    let rank_of = |long: usize, from: u64| {
        (from..)
            .find(|rank| word(true, *rank).chars().count() >= long)
            .unwrap_or(from)
    };
    vec![
        ("syllables inside a rare word", inner(rank_of(3, 9_000))),
        ("a common word", word(true, 1)),
        ("one syllable", word(true, 2).chars().take(1).collect()),
        ("how a word begins", word(false, 700).chars().take(3).collect()),
        (
            "three common words",
            [word(true, 1), word(true, 3), word(true, 5)].join(" "),
        ),
        ("nothing", "엾쨢긁뷁".to_owned()),
    ]
}

/// `message.search` among many messages, beside a reading of them all; and the index.
pub async fn rows(scale: &Scale) -> Vec<Row> {
    let mut duo = Duo::start(Way::Direct).await;
    let chats = [duo.chat.clone()];
    people::send_texts(duo.alice.data(), &chats, scale.stored, text).await;
    // The index has what it takes in at a time; the rest is what each search reads by itself.
    let whole = Duration::from_secs(120);
    let began = Instant::now();
    while began.elapsed() < whole {
        let page: Value = duo.alice.ask("message.search", json!({ "query": "엾쨢긁뷁" })).await;
        if page["complete"] == true {
            break;
        }
        sleep(Duration::from_millis(200)).await;
    }
    let mut measured = Vec::new();
    for (what, query) in queries() {
        let (mut times, mut found) = (Vec::new(), 0);
        for _ in 0..scale.repeats * ASKED {
            let asked = Instant::now();
            let page: Value = duo.alice.ask("message.search", json!({ "query": query })).await;
            times.push(ms(asked));
            found = page["items"].as_array().unwrap().len();
        }
        measured.push((what, times, found));
    }
    duo.alice.stop().await;

    let store = Store::open(duo.alice.data(), Unlock::KeyFile, StoreKind::Node).unwrap();
    let chat: [u8; 32] = hex::decode(&duo.chat).unwrap().try_into().unwrap();
    // Reading all costs the same whatever is looked for.
    let query = "엾쨢긁뷁";
    let plain: Vec<f64> = (0..scale.repeats)
        .map(|_| read_all(&store, ChatId(chat), query))
        .collect();
    let mut rows = Vec::new();
    for (what, times, found) in measured {
        let tail = Sample::new(times.clone()).quantile(0.99);
        let row = Row::new(format!("search {} messages: {what}", scale.stored), "ms", times)
            .floor("reading all messages, in this process", plain.clone())
            .at_most(50.0);
        rows.push(row.note(format!("p99 {tail:.1} ms; {found} on the page")));
    }
    rows.push(index(&store, scale));
    rows
}

/// Milliseconds that it takes to look at every message.
fn read_all(store: &Store, chat: ChatId, query: &str) -> f64 {
    let began = Instant::now();
    let (mut after, mut found) = (None, 0);
    let mut words = query.split(' ');
    loop {
        let begin = after.get_or_insert_with(|| [&chat.0[..], &[0; 32]].concat());
        let page = history::messages(store, &chat, Some(begin), None, 1000).unwrap();
        let Some((last, _)) = page.last() else {
            break;
        };
        after = Some(last.clone());
        found += page
            .iter()
            .filter(|(_, view)| matches!(&view.body, Body::Text(text) if words.all(|word| text.contains(word))))
            .count();
        words = query.split(' ');
    }
    std::hint::black_box(found);
    ms(began)
}

/// What it takes to make the index of all messages anew.
fn index(store: &Store, scale: &Scale) -> Row {
    let mut times = Vec::new();
    for _ in 0..scale.repeats {
        let mut anew = Batch::default();
        anew.delete(Tree::Search, search::INDEX_STATE);
        store.commit(&anew).unwrap();
        let began = Instant::now();
        let mut bytes = 0;
        loop {
            let pass = search::pass(store, [7; 32]).unwrap();
            bytes += pass.batch.bytes();
            if !pass.batch.is_empty() {
                store.commit(&pass.batch).unwrap();
            }
            if !pass.again {
                break;
            }
        }
        times.push((began.elapsed().as_secs_f64() * 1e6 / scale.stored as f64, bytes));
    }
    let bytes = times.last().map_or(0, |(_, bytes)| *bytes);
    let times = times.into_iter().map(|(time, _)| time).collect();
    Row::new("index a message", "µs", times).note(format!(
        "{} B of rows a message; nothing is written with the message itself",
        bytes / scale.stored
    ))
}

//! Looking for words: whatever was done to messages and wherever the index stands, a search finds what a reading of all would.

use super::kinds::{edit, react};
use super::*;
use crate::client::search::{self, Found, Place, Query};

impl World {
    /// Has a node's index take in what it would at once.
    fn index(&mut self, place: usize) {
        while self.index_once(place) {}
    }

    fn index_once(&mut self, place: usize) -> bool {
        let disk = &mut self.nodes[place].disk;
        let pass = search::pass(disk, [7; 32]).unwrap();
        disk.apply(&pass.batch);
        pass.again
    }

    fn search(&self, place: usize, query: &Query, behind: Option<Place>, limit: usize) -> Found {
        search::find(&self.nodes[place].disk, query, behind, limit).unwrap()
    }

    /// The texts that have some words, the newest first.
    fn find(&self, place: usize, words: &str) -> Vec<String> {
        let query = Query {
            text: words.into(),
            ..Query::default()
        };
        let found = self.search(place, &query, None, 10_000);
        assert_eq!(found.next, None);
        let texts = found.hits.into_iter().map(|hit| match hit.message.body {
            Body::Text(text) => text,
            other => panic!("{other:?}"),
        });
        texts.collect()
    }

    fn index_rows(&self, place: usize) -> usize {
        self.nodes[place].disk.count(Tree::Search)
    }
}

/// Puts as many messages of alice's into the chat as given, past the client, as an older version left them.
fn fill(w: &mut World, chat: ChatId, texts: impl Iterator<Item = String>) {
    let first = w.send(ALICE, chat, "the first");
    let node = &mut w.nodes[ALICE];
    let place = history::message_key(&node.disk, &first).unwrap().unwrap();
    let row: records::MessageRow = decode(&node.disk.get(Tree::Messages, &place).unwrap().unwrap()).unwrap();
    let stream = node.stream(chat);
    let mut batch = Batch::default();
    for (sequence, text) in (1000..).zip(texts) {
        let id = stream.message(sequence);
        let stored = records::key::message(&chat, sequence, START_MS + sequence, &id);
        let row = records::MessageRow {
            sequence,
            body: Body::Text(text),
            ..row.clone()
        };
        let place = records::key::message_place(&stored);
        batch.put(Tree::MessageIds, records::key::message_id(&id), place);
        batch.put(Tree::Messages, stored, records::encode_small(&row).unwrap());
    }
    node.disk.apply(&batch);
}

#[test]
fn messages_are_found_before_and_after_the_index_has_them() {
    let (mut w, chat) = World::friends();
    w.send(ALICE, chat, "내일 저녁에 마당에서 만나요");
    w.send(BOB, chat, "Tomorrow at the Café?");
    for _ in 0..2 {
        assert_eq!(w.find(BOB, "당에"), ["내일 저녁에 마당에서 만나요"]);
        assert_eq!(w.find(ALICE, "cafe tom"), ["Tomorrow at the Café?"]);
        assert_eq!(w.find(ALICE, "afe"), [""; 0]);
        w.index(ALICE);
        w.index(BOB);
    }
}

#[test]
fn what_older_versions_left_is_taken_in_and_pages_go_on_where_the_last_ended() {
    let (mut w, chat) = World::friends();
    let text = |n: u32| format!("{n}번째 소식 {}", if n.is_multiple_of(7) { "일곱" } else { "" });
    fill(&mut w, chat, (0..3000).map(text));
    let query = Query {
        text: "일곱".into(),
        ..Query::default()
    };
    assert!(!w.search(ALICE, &query, None, 10).complete, "there is no index yet");
    w.index(ALICE);
    let (mut behind, mut times) = (None, Vec::new());
    loop {
        let page = w.search(ALICE, &query, behind, 100);
        assert!(page.complete);
        times.extend(page.hits.iter().map(|hit| hit.message.sent_ms));
        behind = page.next;
        if behind.is_none() {
            break;
        }
    }
    assert_eq!(times.len(), 3000_usize.div_ceil(7));
    assert!(
        times.is_sorted_by(|one, next| one > next),
        "each once, the newest first"
    );

    let within = Query {
        after_ms: Some(START_MS + 1010),
        before_ms: Some(START_MS + 1030),
        ..query
    };
    assert_eq!(w.search(ALICE, &within, None, 100).hits.len(), 3);
    assert_eq!(w.find(ALICE, "2999번").len(), 1);
    // A common word has the page end early rather than read without end; the next one goes on.
    let common = w.search(
        ALICE,
        &Query {
            text: "소식".into(),
            ..Query::default()
        },
        None,
        5000,
    );
    assert_eq!(common.hits.len(), limits::SEARCH_READS);
    assert!(common.next.is_some());
}

#[test]
fn deleted_and_edited_texts_are_found_no_more_and_leave_the_index() {
    let (mut w, chat) = World::friends();
    let first = w.send(ALICE, chat, "암호는 참깨");
    let second = w.send(ALICE, chat, "the password is sesame");
    w.send(ALICE, chat, "열려라");
    w.index(ALICE);
    let before = w.nodes[ALICE].disk.clone();
    w.say(ALICE, chat, Content::Delete { message: first });
    w.say(ALICE, chat, edit(second, "I told you already"));
    for _ in 0..2 {
        for words in ["참깨", "암호", "sesame"] {
            assert_eq!(w.find(ALICE, words), [""; 0], "{words}");
        }
        assert_eq!(w.find(ALICE, "told"), ["I told you already"]);
        assert_eq!(w.find(ALICE, "열려"), ["열려라"]);
        w.index(ALICE);
    }
    // What the segment says of these texts is gone: put back as they were, they aren't found by it.
    let node = &mut w.nodes[ALICE];
    let mut back = Batch::default();
    for tree in [Tree::Messages, Tree::Effects] {
        for (stored, value) in before.prefix(tree, &[], 99).unwrap() {
            back.put(tree, stored, value);
        }
    }
    node.disk.apply(&back);
    let touched = node.disk.prefix(Tree::Effects, &[], 9).unwrap();
    touched
        .into_iter()
        .for_each(|(stored, _)| back.delete(Tree::Effects, stored));
    node.disk.apply(&back);
    assert_eq!(w.find(ALICE, "참깨"), [""; 0]);
    assert_eq!(w.find(ALICE, "sesame"), [""; 0]);
}

#[test]
fn messages_that_disappeared_leave_the_index() {
    let (mut w, chat) = World::friends();
    for node in &mut w.nodes[..2] {
        node.client.chats.get_mut(&chat).unwrap().row.context.timer_s = 60;
    }
    w.send(ALICE, chat, "잠깐만");
    w.index(ALICE);
    let rows = w.index_rows(ALICE);
    assert!(rows > 3);
    w.pass(61_000);
    assert_eq!(w.find(ALICE, "잠깐"), [""; 0]);
    w.index(ALICE);
    assert_eq!(w.index_rows(ALICE), 1, "only its state is left");
}

#[test]
fn a_reaction_writes_nothing_and_little_is_not_indexed_by_itself() {
    let (mut w, chat) = World::friends();
    let message = w.send(ALICE, chat, "좋은 소식");
    w.index(ALICE);
    w.say(BOB, chat, react(message, "👍", false));
    w.send(BOB, chat, "정말요?");
    let pass = search::pass(&w.nodes[ALICE].disk, [9; 32]).unwrap();
    assert!(pass.batch.is_empty() && !pass.again);
    assert_eq!(w.find(ALICE, "소식"), ["좋은 소식"]);
    assert_eq!(w.find(ALICE, "정말"), ["정말요?"]);
}

#[test]
fn chat_and_author_narrow_a_search() {
    let (mut w, chat) = World::friends();
    w.send(ALICE, chat, "사과 하나");
    w.send(BOB, chat, "사과 둘");
    for _ in 0..2 {
        let query = |chat, from| Query {
            text: "사과".into(),
            chat,
            from,
            ..Query::default()
        };
        let count = |query: &Query| w.search(ALICE, query, None, 9).hits.len();
        let bob = w.nodes[BOB].client.account();
        assert_eq!(count(&query(Some(chat), None)), 2);
        assert_eq!(count(&query(Some(chat), Some(bob))), 1);
        assert_eq!(count(&query(Some(ChatId([9; 32])), None)), 0);
        w.index(ALICE);
    }
}

#[test]
fn f30_an_index_whose_log_is_gone_or_that_cannot_be_read_is_made_anew() {
    let (mut w, chat) = World::friends();
    w.send(ALICE, chat, "하나");
    w.index(ALICE);
    w.send(ALICE, chat, "둘이서");
    let disk = &mut w.nodes[ALICE].disk;
    let mut batch = Batch::default();
    for (stored, _) in disk.prefix(Tree::Events, &[], 99).unwrap() {
        batch.delete(Tree::Events, stored);
    }
    batch.delete(Tree::Search, search::INDEX_STATE);
    disk.apply(&batch);
    assert!(
        !w.search(
            ALICE,
            &Query {
                text: "둘이".into(),
                ..Query::default()
            },
            None,
            9
        )
        .complete
    );
    w.index(ALICE);
    assert_eq!(w.find(ALICE, "둘이"), ["둘이서"]);
    assert_eq!(w.find(ALICE, "하나"), ["하나"]);
}

#[test]
fn a_hit_shows_the_text_around_it_and_where_it_is() {
    let (mut w, chat) = World::friends();
    let long = format!("{}여기 바늘이 있어요{}", "건초 ".repeat(200), " 건초".repeat(200));
    w.send(ALICE, chat, &long);
    let query = Query {
        text: "바늘".into(),
        ..Query::default()
    };
    let hit = w.search(ALICE, &query, None, 9).hits.remove(0);
    assert!(hit.snippet.len() < 2 * limits::SEARCH_SNIPPET_BYTES, "{}", hit.snippet);
    assert!(hit.snippet.starts_with('…') && hit.snippet.ends_with('…'));
    let marked: Vec<&str> = hit.highlights.iter().map(|place| &hit.snippet[place.clone()]).collect();
    assert_eq!(marked, ["바늘"]);
}

/// A plain reading of all texts, for comparison.
fn plain(w: &World, place: usize, chat: ChatId, word: &str) -> Vec<String> {
    let all = history::messages(&w.nodes[place].disk, &chat, None, None, 10_000).unwrap();
    let texts = all.into_iter().filter_map(|(_, view)| match view.body {
        Body::Text(text) if text.contains(word) => Some(text),
        _ => None,
    });
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts
}

#[test]
fn whatever_happens_a_search_finds_what_a_reading_of_all_does() {
    const WORDS: [&str; 6] = ["가나", "나다", "다가", "라", "마바사", "나"];
    let (mut w, chat) = World::friends();
    let mut known: Vec<MessageId> = Vec::new();
    let mut dice = 12_345_u32;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 8) as usize % sides
    };
    w.index(ALICE);
    for step in 0..300 {
        let text = format!("{}{} {step}", WORDS[roll(6)], WORDS[roll(6)]);
        let target = known.get(roll(known.len().max(1))).copied();
        match (roll(10), target) {
            // What was deleted can't be changed again; then nothing happens.
            (0, Some(message)) => drop(w.try_say(ALICE, chat, Content::Delete { message })),
            (1, Some(message)) => drop(w.try_say(ALICE, chat, edit(message, &text))),
            (2, Some(message)) => drop(w.try_say(BOB, chat, react(message, "👍", false))),
            (3, _) => {
                let mut anew = Batch::default();
                anew.delete(Tree::Search, search::INDEX_STATE);
                w.nodes[ALICE].disk.apply(&anew);
                w.index(ALICE);
            }
            (4 | 5, _) => {
                w.index_once(ALICE);
            }
            _ => known.push(w.send(ALICE, chat, &text)),
        }
        for word in WORDS {
            let mut found = w.find(ALICE, word);
            found.sort();
            assert_eq!(found, plain(&w, ALICE, chat, word), "{word} after step {step}");
        }
    }
    assert!(w.index_rows(ALICE) > 40);
}

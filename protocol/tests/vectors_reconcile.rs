//! Reads every vector of `spec/vectors/reconcile.json`: frames must give their fields and bytes each other, sessions their messages.
//!
//! A part, kind or field that isn't known here fails, so that no vector goes unread. After a change of the format,
//! `MADANG_WRITE_VECTORS=1 cargo test -p madang-protocol --test vectors_reconcile` writes the file anew; without it, drift fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use madang_protocol::custody::{
    Answer, Ask, ClientFrame, CustodianFrame, Elements, KeyedId, Next, Reconcile, Reconciled, Refusal, Session,
    SessionKey, Window,
};
use madang_protocol::keys::{EnvelopeId, TopicSecret};
use madang_protocol::wire::Wire;
use serde_json::{Map, Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/vectors/reconcile.json");

#[test]
fn every_vector_of_the_file_is_read_and_holds() {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    for (part, content) in object(&file) {
        let vectors = content.as_array().unwrap();
        assert!(!vectors.is_empty(), "{part} has no vectors");
        for vector in vectors {
            match part.as_str() {
                "questions" => check_question(vector),
                "answers" => check_answer(vector),
                "invalid" => check_invalid(vector),
                "sessions" => check_session(vector),
                other => panic!("nothing reads the part {other}"),
            }
        }
    }
}

fn check_question(vector: &Value) {
    let [fields, bytes] = parts(vector, ["fields", "hex"]);
    let frame = ClientFrame::Reconcile(question(fields));
    assert_eq!(hex::encode(frame.encode()), text(bytes));
    assert_eq!(ClientFrame::decode(&unhex(bytes)).unwrap(), frame);
}

fn check_answer(vector: &Value) {
    let [fields, bytes] = parts(vector, ["fields", "hex"]);
    let frame = CustodianFrame::Reconciled(answer(fields));
    assert_eq!(hex::encode(frame.encode()), text(bytes));
    assert_eq!(CustodianFrame::decode(&unhex(bytes)).unwrap(), frame);
}

fn check_invalid(vector: &Value) {
    let [from, case, error, bytes] = parts(vector, ["from", "case", "error", "hex"]);
    let found = match text(from) {
        "client" => ClientFrame::decode(&unhex(bytes)).unwrap_err(),
        "custodian" => CustodianFrame::decode(&unhex(bytes)).unwrap_err(),
        other => panic!("nothing reads frames from a {other}"),
    };
    assert_eq!(found.to_string(), text(error), "{case}");
}

fn check_session(vector: &Value) {
    let [key, ours, theirs, messages, lacked, missing] =
        parts(vector, ["key", "ours", "theirs", "messages", "lacked", "missing"]);
    let key = SessionKey(unhex(key).try_into().unwrap());
    let run = session(&key, &ids(ours), &ids(theirs));
    let messages: Vec<Vec<u8>> = messages.as_array().unwrap().iter().map(unhex).collect();
    assert_eq!(run.messages, messages);
    assert_eq!(run.lacked, ids(lacked));
    let missing: Vec<KeyedId> = missing
        .as_array()
        .unwrap()
        .iter()
        .map(|id| KeyedId(unhex(id).try_into().unwrap()))
        .collect();
    assert_eq!(run.missing, missing);
}

struct Run {
    messages: Vec<Vec<u8>>,
    lacked: Vec<EnvelopeId>,
    missing: Vec<KeyedId>,
}

fn session(key: &SessionKey, ours: &[EnvelopeId], theirs: &[EnvelopeId]) -> Run {
    let theirs = Elements::new(key, theirs.iter().map(|id| (*id, ()))).unwrap();
    let ours = Elements::new(key, ours.iter().map(|id| (*id, *id))).unwrap();
    let (mut session, mut message) = Session::begin(ours).unwrap();
    let mut messages = Vec::new();
    loop {
        let answer = theirs.answer(&message).unwrap();
        messages.extend([message.clone(), answer.clone()]);
        match session.take(&answer).unwrap() {
            Next::Compare(next) => message = next,
            Next::Done => break,
            Next::List => panic!("an honest exchange ends"),
        }
    }
    Run {
        messages,
        lacked: session.lacked().map(|(_, id)| *id).collect(),
        missing: session.missing().collect(),
    }
}

fn question(fields: &Value) -> Reconcile {
    let [request, topic, from_s, to_s, key, ask] = parts(fields, ["request", "topic", "from_s", "to_s", "key", "ask"]);
    let (kind, content) = only(ask);
    Reconcile {
        request: number(request),
        topic: text(topic).parse().unwrap(),
        window: Window {
            from_s: number(from_s),
            to_s: number(to_s),
        },
        key: SessionKey(unhex(key).try_into().unwrap()),
        ask: match kind {
            "compare" => Ask::Compare(unhex(content)),
            "list" => Ask::List,
            "fetch" => Ask::Fetch(
                content
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|id| KeyedId(unhex(id).try_into().unwrap()))
                    .collect(),
            ),
            other => panic!("nothing reads {other}"),
        },
    }
}

fn answer(fields: &Value) -> Reconciled {
    let [request, answer] = parts(fields, ["request", "answer"]);
    let (kind, content) = only(answer);
    Reconciled {
        request: number(request),
        answer: match kind {
            "compared" => Answer::Compared(unhex(content)),
            "listed" => Answer::Listed(ids(content)),
            "fetched" => Answer::Fetched(content.as_array().unwrap().iter().map(unhex).collect()),
            "refused" => {
                let [why, retry] = parts(content, ["why", "retry_after_s"]);
                Answer::Refused {
                    why: REFUSALS.into_iter().find(|known| known.name() == text(why)).unwrap(),
                    retry_after_s: u32::try_from(number(retry)).unwrap(),
                }
            }
            other => panic!("nothing reads {other}"),
        },
    }
}

const REFUSALS: [Refusal; 7] = [
    Refusal::Invalid,
    Refusal::Busy,
    Refusal::NotHere,
    Refusal::ReadOnly,
    Refusal::NotAdmitted,
    Refusal::NotFound,
    Refusal::TooLarge,
];

// What follows generates the file.

#[test]
fn the_file_is_what_is_generated() {
    let topic = hex::encode(TopicSecret::from_bytes([1; 32]).public().0);
    let key = hex::encode([7; 32]);
    let question = |request: u64, ask: Value| {
        let fields = json!({
            "request": request.to_string(),
            "topic": topic,
            "from_s": "1700000000",
            "to_s": "1700003600",
            "key": key,
            "ask": ask,
        });
        let hex = hex::encode(ClientFrame::Reconcile(self::question(&fields)).encode());
        json!({"fields": fields, "hex": hex})
    };
    let questions = [
        question(1, json!({"compare": "61000002000102"})),
        question(u64::MAX, json!({"list": null})),
        question(3, json!({"fetch": [hex::encode([1; 32]), hex::encode([2; 32])]})),
    ];
    let answer = |request: u64, answer: Value| {
        let fields = json!({"request": request.to_string(), "answer": answer});
        let hex = hex::encode(CustodianFrame::Reconciled(self::answer(&fields)).encode());
        json!({"fields": fields, "hex": hex})
    };
    let mut answers = vec![
        answer(1, json!({"compared": "61"})),
        answer(u64::MAX, json!({"listed": [hex::encode([3; 32])]})),
        answer(3, json!({"fetched": ["00ff", ""]})),
    ];
    answers.extend(REFUSALS.map(|why| answer(4, json!({"refused": {"why": why.name(), "retry_after_s": 60}}))));
    let file = json!({
        "invalid": invalid(&questions, &answers),
        "questions": questions,
        "answers": answers,
        "sessions": [
            session_json(0..0, 0..0),
            session_json(0..40, 0..40),
            session_json(0..20, 10..35),
            session_json(0..100, 1..103),
        ],
    });
    let generated = serde_json::to_string_pretty(&file).unwrap() + "\n";
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &generated).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), generated);
}

fn session_json(ours: std::ops::Range<u8>, theirs: std::ops::Range<u8>) -> Value {
    let key = SessionKey([7; 32]);
    let id = |n: u8| EnvelopeId(*blake3::hash(&[n]).as_bytes());
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.map(id).collect(), theirs.map(id).collect());
    let run = session(&key, &ours, &theirs);
    let all = |ids: &[EnvelopeId]| ids.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>();
    json!({
        "key": hex::encode(key.0),
        "ours": all(&ours),
        "theirs": all(&theirs),
        "messages": run.messages.iter().map(hex::encode).collect::<Vec<_>>(),
        "lacked": all(&run.lacked),
        "missing": run.missing.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>(),
    })
}

fn invalid(questions: &[Value], answers: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    for (from, vectors) in [("client", questions), ("custodian", answers)] {
        let mut push = |case: &str, bytes: &[u8]| {
            let error = match from {
                "client" => ClientFrame::decode(bytes).unwrap_err(),
                _ => CustodianFrame::decode(bytes).unwrap_err(),
            };
            found.push(json!({"from": from, "case": case, "error": error.to_string(), "hex": hex::encode(bytes)}));
        };
        for (at, vector) in vectors.iter().take(4).enumerate() {
            let bytes = unhex(&vector["hex"]);
            push(&format!("{at}: its last byte is missing"), &bytes[..bytes.len() - 1]);
            push(&format!("{at}: a byte follows"), &[bytes.as_slice(), &[0]].concat());
        }
        let head = unhex(&vectors[0]["hex"]);
        let at = if from == "client" { 1 + 8 + 32 + 16 + 32 } else { 1 + 8 };
        push(
            "a message of 65,537 bytes is announced",
            &[&head[..=at], &[0x80, 1, 0, 1]].concat(),
        );
    }
    found
}

/// The only field of an object.
fn only(value: &Value) -> (&str, &Value) {
    let found = object(value);
    assert_eq!(found.len(), 1, "{value}");
    let (name, content) = found.iter().next().unwrap();
    (name, content)
}

/// The fields of an object, which must be exactly these.
fn parts<'a, const N: usize>(value: &'a Value, names: [&str; N]) -> [&'a Value; N] {
    let found = object(value);
    assert_eq!(found.len(), N, "{value} has fields that nothing reads");
    names.map(|name| found.get(name).unwrap_or_else(|| panic!("{value} has no {name}")))
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

fn ids(value: &Value) -> Vec<EnvelopeId> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|id| text(id).parse().unwrap())
        .collect()
}

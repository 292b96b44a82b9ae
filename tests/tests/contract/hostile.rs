//! Every method with parameters that its description forbids, or barely allows: a real node answers each within its bounds, with an error
//! that the description knows, and lets nothing through that it forbids.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jsonrpsee::core::client::{ClientT as _, Error};
use jsonrpsee::core::params::ObjectParams;
use jsonschema::Validator;
use madang_node::rpc::openrpc;
use madang_tests::contract::Schemas;
use madang_tests::{DEADLINE, Dice, Person, World, join, places};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_madang-under-test");
/// How long it goes on; `MADANG_HOSTILE_SECONDS` says otherwise.
const SECONDS: u64 = 10;
/// Cases of each method that are tried however long they take.
const AT_LEAST: usize = 8;
/// Calls at once.
const LANES: usize = 4;
/// Bytes of an answer, as docs/rpc.md has it.
const MAX_RESPONSE: usize = 16 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn f56_no_method_trips_over_what_its_description_forbids() {
    let world = World::new(PROGRAM);
    let relay = world.relay().await;
    let mut alice = world.person_up("Alice", relay.addresses()).await;
    let mut bob = world.person_up("Bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    let message = alice.send(&chat, "hello").await;
    let account = bob.ask("account.get", json!({})).await["account"].clone();
    let known = BTreeMap::from([
        ("ChatId", json!(chat)),
        ("MessageId", json!(message)),
        (
            "Mention",
            json!({ "account": account, "start_bytes": 0, "length_bytes": 1 }),
        ),
        (
            "Archived",
            json!({ "message": message, "account": account, "sent_ms": 1, "body": { "kind": "text", "text": "hello" } }),
        ),
        ("Account", account),
        ("EventCursor", json!("1")),
        ("EventEpoch", json!("00000000")),
        ("Link", json!("madang:invite?d=AAAA")),
        ("ChannelLink", json!("madang:channel?d=AAAA")),
        ("WriterCertificate", json!("madang:writer?d=AAAA")),
        ("RecoveryKey", json!("madang:recovery?d=AAAA")),
        ("Hours", json!({ "from": "22:00", "to": "07:00" })),
        ("Category", json!({ "id": "news", "name": "News" })),
        ("WebLink", json!({ "label": "Shop", "url": "https://shop.example/" })),
        ("Area", json!({ "latitude_e6": 0, "longitude_e6": 0, "radius_m": 1 })),
        ("NewPostBody", json!({ "kind": "text", "text": "x" })),
        ("Scope", json!("chat:read")),
        ("Role", json!("member")),
        ("SendBody", json!({ "kind": "text", "text": "x", "mentions": [] })),
        ("Filter", json!({ "kinds": ["message.sent"] })),
    ]);

    let mut dice = Dice::seeded();
    let server = Server::new(alice.data());
    let document = openrpc::document();
    let schemas = Schemas::of(&document);
    let mut methods: Vec<Method> = document["methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|method| Method::new(method, &schemas, &known, &mut dice))
        .collect();
    let error_data = schemas.named("ErrorData");

    let seconds = std::env::var("MADANG_HOSTILE_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut tally: BTreeMap<(bool, String), u64> = BTreeMap::new();
    for round in 0.. {
        if round >= AT_LEAST && Instant::now() >= deadline {
            break;
        }
        for batch in methods.chunks_mut(LANES) {
            let mut lanes = JoinSet::new();
            for (at, method) in batch.iter_mut().enumerate() {
                let case = method.next(&mut dice);
                let body = format!(
                    r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{}}}"#,
                    method.name, case.params
                );
                let server = server.clone();
                let path = if method.at_the_door { "/app" } else { "/" };
                lanes.spawn(async move { (at, case, server.post(path, &body).await) });
            }
            while let Some(done) = lanes.join_next().await {
                let (at, case, answer) = done.unwrap();
                let code = batch[at].judge(&case, &answer, &error_data);
                *tally.entry((case.forbidden, code)).or_default() += 1;
            }
        }
    }
    for ((forbidden, code), times) in &tally {
        println!(
            "{times} answers {code} to what is {}",
            if *forbidden { "forbidden" } else { "not forbidden" }
        );
    }
    // A run in which nothing is accepted, or nothing forbidden, shows nothing.
    assert!(
        tally.contains_key(&(false, "a result".to_owned())) && tally.contains_key(&(true, "invalid_params".to_owned()))
    );
    subscriptions(&alice, &methods).await;
    alice.ask("node.info", json!({})).await;
    assert!(!alice.has_ended());
    for (name, output) in world.outputs() {
        assert!(!output.contains("panicked at"), "{name}: {output}");
    }
}

/// Subscribes on a WebSocket with each parameter as it should not be.
async fn subscriptions(person: &Person, methods: &[Method]) {
    let (socket, _events) = person.rpc().subscribe("0").await;
    let method = methods.iter().find(|method| method.name == "event.subscribe").unwrap();
    for param in &method.params {
        for value in hostile() {
            let forbidden = param.forbids(&value);
            let what = format!("{} {}", param.name, shown(&value));
            let mut params = ObjectParams::new();
            params.insert(&param.name, value).unwrap();
            match socket.request::<Value, _>("event.subscribe", params).await {
                Ok(subscription) => {
                    assert!(!forbidden, "what is forbidden is accepted: {what}");
                    let mut params = ObjectParams::new();
                    params.insert("subscription", subscription).unwrap();
                    // jsonrpsee answers a moment before it knows the subscription.
                    let deadline = Instant::now() + DEADLINE;
                    while !socket
                        .request::<bool, _>("event.unsubscribe", params.clone())
                        .await
                        .unwrap()
                    {
                        assert!(Instant::now() < deadline, "{what}");
                    }
                }
                Err(Error::Call(refusal)) => {
                    let data: Value = serde_json::from_str(refusal.data().unwrap().get()).unwrap();
                    assert_eq!(data["code"], "invalid_params", "{what}");
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

/// A call, and what its description says of it.
struct Case {
    /// The parameters, as JSON; perhaps not quite.
    params: String,
    /// What is special about them.
    what: String,
    /// Whether the description forbids them.
    forbidden: bool,
    /// A parameter that is at its bound, and must not be refused for itself.
    fits: Option<String>,
}

/// A method, with what to try on it.
struct Method {
    name: String,
    at_the_door: bool,
    params: Vec<Param>,
    /// Parameters that are in order.
    base: Map<String, Value>,
    result: Validator,
    errors: BTreeSet<String>,
    cases: Vec<Case>,
}

struct Param {
    name: String,
    required: bool,
    check: Validator,
    max_bytes: Option<u64>,
}

impl Param {
    /// Whether the description forbids a value. `null` is the same as absent.
    fn forbids(&self, value: &Value) -> bool {
        if value.is_null() {
            return self.required;
        }
        let long = |text: &str| self.max_bytes.is_some_and(|most| text.len() as u64 > most);
        !self.check.is_valid(&without_null(value)) || value.as_str().is_some_and(long)
    }
}

impl Method {
    fn new(described: &Value, schemas: &Schemas, known: &BTreeMap<&str, Value>, dice: &mut Dice) -> Self {
        let list = described["params"].as_array().unwrap();
        let mut base = Map::new();
        for param in list.iter().filter(|param| param["required"] == true) {
            let name = param["name"].as_str().unwrap();
            base.insert(name.to_owned(), in_order(&param["schema"], known));
        }
        // A poll that finds nothing waits as long as it is told, up to a minute: here it finds something.
        if described["name"] == "event.poll" {
            base.insert("after".to_owned(), "0".into());
        }
        let param = |param: &Value| Param {
            name: param["name"].as_str().unwrap().to_owned(),
            required: param["required"] == true,
            check: schemas.of_schema(&param["schema"]),
            max_bytes: param["schema"]["x-max-bytes"].as_u64(),
        };
        let error = |error: &Value| error["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let mut method = Self {
            name: described["name"].as_str().unwrap().to_owned(),
            at_the_door: described["x-scope"] == "none",
            params: list.iter().map(param).collect(),
            base,
            result: schemas.of_schema(&described["result"]["schema"]),
            errors: described["errors"].as_array().unwrap().iter().map(error).collect(),
            cases: Vec::new(),
        };
        // Subscriptions over HTTP are refused as requests.
        if method.name.ends_with("subscribe") {
            method.errors.insert("invalid_request".to_owned());
        }
        method.systematic(list, known);
        // Shuffled, so that a short run tries something else each time.
        for i in (1..method.cases.len()).rev() {
            let j = usize::try_from(dice.below(i as u64 + 1)).unwrap();
            method.cases.swap(i, j);
        }
        method
    }

    /// Fills the list of cases: each parameter with each value, what is missing, and what is no object.
    fn systematic(&mut self, described: &[Value], known: &BTreeMap<&str, Value>) {
        for raw in ["[1]", "\"x\"", "7", "true", "null", "[]", "{}", r#"{"a":1,"a":2}"#] {
            self.cases.push(Case {
                params: raw.to_owned(),
                what: format!("params {raw}"),
                forbidden: !matches!(raw, "null" | "[]" | "{}" | r#"{"a":1,"a":2}"#)
                    || self.params.iter().any(|param| param.required),
                fits: None,
            });
        }
        for (at, param) in described.iter().enumerate() {
            let schema = &param["schema"];
            let name = self.params[at].name.clone();
            if self.params[at].required {
                let mut params = self.base.clone();
                params.remove(&name);
                self.push(params, format!("no {name}"), true, None);
            }
            for value in hostile().into_iter().chain(around(schema, known)) {
                self.with(at, value, None);
            }
            for value in at_bounds(schema, known) {
                self.with(at, value, Some(name.clone()));
            }
            for raw in [
                r#""\ud800""#,
                "1e400",
                "-0",
                "18446744073709551616",
                &deep(100),
                &deep(10_000),
            ] {
                self.raw(&name, raw);
            }
        }
    }

    fn with(&mut self, at: usize, value: Value, fits: Option<String>) {
        let param = &self.params[at];
        let forbidden = param.forbids(&value);
        let what = format!("{} {}", param.name, shown(&value));
        let mut params = self.base.clone();
        params.insert(param.name.clone(), value);
        assert!(
            fits.is_none() || !forbidden,
            "{}: {what} is at its bound and forbidden",
            self.name
        );
        self.push(params, what, forbidden, fits);
    }

    fn raw(&mut self, name: &str, raw: &str) {
        let mut params = self.base.clone();
        params.insert(name.to_owned(), "\u{1}".into());
        self.cases.push(Case {
            params: Value::Object(params).to_string().replacen(r#""\u0001""#, raw, 1),
            what: format!("{name} {:.40}", raw),
            forbidden: false,
            fits: None,
        });
    }

    fn push(&mut self, params: Map<String, Value>, what: String, forbidden: bool, fits: Option<String>) {
        self.cases.push(Case {
            params: Value::Object(params).to_string(),
            what,
            forbidden,
            fits,
        });
    }

    /// The next case of the list; after that, several parameters at once with something wrong somewhere in them.
    fn next(&mut self, dice: &mut Dice) -> Case {
        if let Some(case) = self.cases.pop() {
            return case;
        }
        let mut params = self.base.clone();
        let pick = |dice: &mut Dice, many: usize| usize::try_from(dice.below(many as u64)).unwrap();
        let values = hostile();
        for _ in 0..=pick(dice, 3) {
            let value = values[pick(dice, values.len())].clone();
            match self.params.get(pick(dice, self.params.len() + 1)) {
                Some(param) => {
                    let place = params.entry(param.name.clone()).or_insert(Value::Null);
                    bury(place, value, dice);
                }
                None => drop(params.insert(format!("unknown_{}", pick(dice, 9)), value)),
            }
        }
        if self.name == "event.poll" && (params.len() > 2 || params["after"] != "0") {
            params.remove("timeout_ms");
        }
        let forbidden = self
            .params
            .iter()
            .any(|param| param.forbids(params.get(&param.name).unwrap_or(&Value::Null)));
        let params = Value::Object(params);
        Case {
            what: shown(&params),
            params: params.to_string(),
            forbidden,
            fits: None,
        }
    }

    /// Checks an answer; returns the code of its error.
    fn judge(&self, case: &Case, answer: &Answer, error_data: &Validator) -> String {
        let what = format!("{} with {}: {}", self.name, case.what, shown(&answer.body));
        if let Some(result) = answer.body.get("result") {
            assert!(!case.forbidden, "what is forbidden is accepted: {what}");
            if let Some(fault) = self.result.iter_errors(result).next() {
                panic!("an answer that isn't as described: {fault}: {what}");
            }
            return "a result".to_owned();
        }
        let data = &answer.body["error"]["data"];
        assert!(error_data.is_valid(data), "{what}");
        let code = data["code"].as_str().unwrap();
        assert!(code != "internal", "{what}");
        let of_request = answer.status != 200 || code == "parse_error";
        assert!(
            of_request || self.errors.contains(code),
            "an error that isn't described: {what}"
        );
        assert!(code != "invalid_params" || data["field"].is_string(), "{what}");
        if let Some(name) = &case.fits {
            let refused = ["invalid_params", "too_large"].contains(&code) && data["field"] == name.as_str();
            assert!(!refused, "what is at its bound is refused: {what}");
        }
        code.to_owned()
    }
}

/// A value that fits a schema.
fn in_order(schema: &Value, known: &BTreeMap<&str, Value>) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        // Others are ids of things that aren't there.
        return known.get(name).cloned().unwrap_or_else(|| json!("ab".repeat(32)));
    }
    match schema["type"].as_str().unwrap() {
        "string" => json!("ack"),
        "boolean" => json!(true),
        "array" => {
            let least = schema["minItems"].as_u64().unwrap_or(0).max(1);
            (0..least).map(|_| in_order(&schema["items"], known)).collect()
        }
        _ => json!(1),
    }
}

/// What is hostile to any parameter.
fn hostile() -> Vec<Value> {
    let mut all = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(255),
        json!(256),
        json!(u32::MAX),
        json!(u64::from(u32::MAX) + 1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!([]),
        json!({}),
        json!([null]),
        json!([[[[]]]]),
        json!({ "kind": "text" }),
        json!({ "kind": ["text"], "text": {} }),
        json!({ "__proto__": { "kind": "text" } }),
    ];
    let texts = [
        "",
        " ",
        "\0",
        "\u{feff}",
        "\u{202e}abc",
        "e\u{301}",
        "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
        "*",
        "../../etc/passwd",
        "' OR 1=1 --",
        "-1",
        "1e9",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999",
        "madang1",
        "madang:invite?d=",
        "{\"kind\":\"text\"}",
    ];
    all.extend(texts.map(Value::from));
    all.push("AB".repeat(32).into());
    all.push("ab".repeat(33).into());
    all.push("\u{ff21}".repeat(64).into());
    all.push("x".repeat(100_000).into());
    all
}

/// What is just beyond the bounds of a schema, or looks within them by its characters but not by its bytes.
fn around(schema: &Value, known: &BTreeMap<&str, Value>) -> Vec<Value> {
    let mut all = Vec::new();
    let bound = |name: &str| schema[name].as_u64().map(|bound| usize::try_from(bound).unwrap());
    if let Some(most) = bound("x-max-bytes") {
        all.push("x".repeat(most + 1).into());
        all.push("é".repeat(most / 2 + 1).into());
        all.push("🏳".repeat(most / 4 + 1).into());
    }
    if let Some(most) = bound("maxLength") {
        all.push("A".repeat(most + 4).into());
    }
    if let Some(most) = bound("maxItems") {
        all.push(std::iter::repeat_n(in_order(&schema["items"], known), most + 1).collect());
    }
    if let Some(least) = bound("minimum").filter(|least| *least > 0) {
        all.push(json!(least - 1));
    }
    if let Some(most) = schema["maximum"].as_u64() {
        all.push(json!(most + 1));
    }
    all
}

/// What is just within the bounds of a schema.
fn at_bounds(schema: &Value, known: &BTreeMap<&str, Value>) -> Vec<Value> {
    let mut all = Vec::new();
    let bound = |name: &str| schema[name].as_u64().map(|bound| usize::try_from(bound).unwrap());
    let plain = schema["pattern"].is_null();
    if let Some(most) = bound("x-max-bytes").filter(|_| plain) {
        all.push("x".repeat(most).into());
    }
    // Mentions may not overlap, categories differ: the same one many times is refused for that.
    let differ = schema["items"]["$ref"]
        .as_str()
        .is_some_and(|path| path.ends_with("/Mention") || path.ends_with("/Category"));
    // Of texts whose form the schema doesn't tell, as addresses, none is known that is in order.
    let formless = schema["items"]["type"] == "string";
    if let Some(most) = bound("maxItems").filter(|_| !differ && !formless) {
        all.push(std::iter::repeat_n(in_order(&schema["items"], known), most).collect());
    }
    if schema["type"] == "integer" {
        all.push(schema["minimum"].clone());
    }
    all
}

fn deep(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Puts a value somewhere into another.
fn bury(place: &mut Value, value: Value, dice: &mut Dice) {
    let inner = match place {
        Value::Object(members) if !members.is_empty() && dice.below(4) > 0 => {
            let at = usize::try_from(dice.below(members.len() as u64)).unwrap();
            members.values_mut().nth(at)
        }
        Value::Array(items) if !items.is_empty() && dice.below(4) > 0 => {
            let at = usize::try_from(dice.below(items.len() as u64)).unwrap();
            items.get_mut(at)
        }
        _ => None,
    };
    match inner {
        Some(inner) => bury(inner, value, dice),
        None => *place = value,
    }
}

/// A value without the members that are `null`.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (name.clone(), without_null(value))).collect())
        }
        Value::Array(items) => items.iter().map(without_null).collect(),
        other => other.clone(),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 300 {
        return text;
    }
    format!("{}… ({} bytes)", text.chars().take(300).collect::<String>(), text.len())
}

/// An answer of a node.
struct Answer {
    status: u16,
    body: Value,
}

/// Where a node listens.
#[derive(Clone)]
struct Server {
    address: String,
    token: String,
}

impl Server {
    fn new(data: &std::path::Path) -> Self {
        let places = places(data).unwrap();
        Self {
            address: places["http"].as_str().unwrap().replace("http://", ""),
            token: std::fs::read_to_string(data.join("cookie")).unwrap(),
        }
    }

    /// Posts a body as it is.
    async fn post(&self, path: &str, body: &str) -> Answer {
        let Self { address, token } = self;
        let token = if path == "/" {
            format!("Authorization: Bearer {token}\r\n")
        } else {
            String::new()
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let mut bytes = Vec::new();
        let talk = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            // A node that refuses early may close before it has read everything.
            drop(stream.write_all(body.as_bytes()).await);
            drop(stream.read_to_end(&mut bytes).await);
        };
        let in_time = timeout(DEADLINE, talk).await;
        assert!(in_time.is_ok(), "no answer in time: {:.300}", body);
        assert!(
            bytes.len() <= MAX_RESPONSE + 64 * 1024,
            "an answer over its bound: {:.300}",
            body
        );
        let text = String::from_utf8(bytes).unwrap();
        let (head, answer) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {body:.300}"));
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: serde_json::from_str(answer).unwrap_or_else(|_| panic!("no JSON: {answer:.300} to {body:.300}")),
        }
    }
}

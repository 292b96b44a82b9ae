//! The cases of `chat.json`.

use super::*;
use crate::raw::required;
use madang_protocol::limits;
use openmls::prelude::{Extension, Extensions, UnknownExtension};

/// What a device puts beside all that it seals, for itself.
fn fill_marks(v: &mut Vectors) {
    let keys = |seed: u8, incarnation: u64| json!({ "device_seed": hexed([seed; 32]), "chat": hexed([2; 32]), "incarnation": number(incarnation) });
    let sealed = json!({ "start": 3, "nonce": 0x0102_0304_u32, "count": number(5), "clock": number(77) });
    let mark = v.good("mark", "of the fifth time", keys(1, 9), sealed);
    let last = json!({ "start": u32::MAX, "nonce": 0, "count": number(u64::MAX), "clock": number(u64::MAX) });
    v.good("mark", "the greatest numbers", keys(1, 9), last);
    v.bad("mark", "of another device", keys(4, 9), &mark, "not_ours", "");
    v.bad("mark", "of another stream", keys(1, 10), &mark, "not_ours", "");
    let mut changed = mark.clone();
    changed[39] ^= 1;
    v.bad("mark", "its last bit changed", keys(1, 9), &changed, "not_ours", "");
    v.bad("mark", "cut", keys(1, 9), &mark[..39], "truncated", "mark");
}

pub fn fill(v: &mut Vectors) {
    fill_extensions(v);
    for suite in [Suite::X25519, Suite::XWing] {
        fill_packages(v, suite);
        fill_chat(v, suite);
    }
    // The rules don't depend on the suite.
    fill_pointers(v);
    fill_marks(v);
    fill_refused_messages(v);
    fill_refused_commits(v);
    fill_refused_welcomes(v);
}

fn fill_extensions(v: &mut Vectors) {
    let identity = ALICE.identity();
    let fields = json!({ "log": hexed(identity.log.encode()), "device": hexed(identity.device.0) });
    let bytes = v.good("leaf_identity", "a device", Value::Null, fields);
    v.bad(
        "leaf_identity",
        "version 2",
        Value::Null,
        &[&[0, 2], &bytes[2..]].concat(),
        "version",
        "leaf_identity.version",
    );
    v.bad(
        "leaf_identity",
        "cut",
        Value::Null,
        &bytes[..bytes.len() - 1],
        "truncated",
        "DeviceId",
    );
    v.bad(
        "leaf_identity",
        "a byte too many",
        Value::Null,
        &[&bytes[..], &[0]].concat(),
        "trailing",
        "",
    );

    fill_contexts(v);
    fill_join_infos(v);
    fill_statements(v);
    fill_profiles(v);
}

fn fill_contexts(v: &mut Vectors) {
    let mut context = ChatContext::one_to_one();
    v.good("chat_context", "of two", Value::Null, context_value(&context));
    context.timer_s = 86_400;
    v.good(
        "chat_context",
        "of two, with a timer",
        Value::Null,
        context_value(&context),
    );
    let first = ChatContext::group("마당".into(), ALICE.account(), Vec::new());
    v.good("chat_context", "of a new group", Value::Null, context_value(&first));
    let whole = ChatContext {
        picture: vec![0x89, 0x50, 0x4e, 0x47],
        timer_s: u32::MAX,
        admins: [ALICE, BOB, CAROL].map(|admin| admin.account()).to_vec(),
        relays: vec![
            PeerAddress {
                key: TransportKey([5; 32]),
                addrs: vec!["/dns/relay.example/tcp/4001".into()],
            },
            PeerAddress {
                key: TransportKey([6; 32]),
                addrs: Vec::new(),
            },
        ],
        extensions: vec![0xaa, 0xbb],
        ..first.clone()
    };
    let bytes = v.good(
        "chat_context",
        "of a group with everything",
        Value::Null,
        context_value(&whole),
    );
    let most = ChatContext {
        name: "n".repeat(limits::NAME_BYTES),
        picture: vec![0; limits::PICTURE_BYTES],
        admins: vec![AccountId([7; 32]); limits::ADMINS],
        extensions: vec![0; limits::CONTEXT_EXTENSION_BYTES],
        ..first.clone()
    };
    v.good(
        "chat_context",
        "of a group with the most",
        Value::Null,
        context_value(&most),
    );

    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("chat_context", name, Value::Null, bytes, error, at);
    };
    bad(
        "version 2",
        &[&[0, 2], &bytes[2..]].concat(),
        "version",
        "chat_context.version",
    );
    bad(
        "no kind",
        &[&[0, 1, 0], &bytes[3..]].concat(),
        "invalid",
        "chat_context.kind",
    );
    bad(
        "another kind of chat",
        &[&[0, 1, 3], &bytes[3..]].concat(),
        "invalid",
        "chat_context.kind",
    );
    let cut = &bytes[..bytes.len() - 1];
    bad("cut", cut, "truncated", "chat_context.extensions");
    bad("a byte too many", &[&bytes[..], &[0]].concat(), "trailing", "");
    bad(
        "a name that isn't UTF-8",
        &[0, 1, 2, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0],
        "invalid",
        "chat_context.name",
    );
    let too = |change: &dyn Fn(&mut ChatContext)| {
        let mut context = first.clone();
        change(&mut context);
        context.encode()
    };
    let name = too(&|context| context.name.push_str(&"n".repeat(limits::NAME_BYTES)));
    bad("a name too long", &name, "too_long", "chat_context.name");
    let picture = too(&|context| context.picture = vec![1; limits::PICTURE_BYTES + 1]);
    bad("a picture too large", &picture, "too_long", "chat_context.picture");
    let admins = too(&|context| context.admins = vec![AccountId([7; 32]); limits::ADMINS + 1]);
    bad("an admin too many", &admins, "too_long", "chat_context.admins");
    let relay = PeerAddress {
        key: TransportKey([5; 32]),
        addrs: Vec::new(),
    };
    let relays = too(&|context| context.relays = vec![relay.clone(); limits::OWN_RELAYS + 1]);
    bad("a relay too many", &relays, "too_long", "chat_context.relays");
    let extensions = too(&|context| context.extensions = vec![1; limits::CONTEXT_EXTENSION_BYTES + 1]);
    bad(
        "extensions too long",
        &extensions,
        "too_long",
        "chat_context.extensions",
    );
    let half = [&[0, 1, 2, 0, 0, 0, 0, 0, 0, 31][..], &[7; 31], &[0, 0]].concat();
    bad("half an admin", &half, "truncated", "AccountId");
}

fn fill_join_infos(v: &mut Vectors) {
    let fields = json!({ "topic_secret": hexed([4; 32]), "parent": hexed([5; 32]), "profiles": [], "past": [] });
    let bytes = v.good("join_info", "a topic and a parent", Value::Null, fields);
    let fields = json!({ "topic_secret": Value::Null, "parent": hexed([5; 32]), "profiles": [], "past": [] });
    let renewed = v.good("join_info", "a topic that the commit renews", Value::Null, fields);
    let later = [&renewed[..renewed.len() - 1], &[2, 0xaa, 0xbb]].concat();
    v.good_to_read("join_info", "extensions of a later version", Value::Null, &later);
    let profiles = [(ALICE, "Alice"), (BOB, "밥")].map(|(person, name)| {
        let profile = Profile::sign(&person.device(), CHAT, 1_700_000_000_000, name.into());
        hexed(profile.encode())
    });
    let none: [Value; 0] = [];
    let fields = |profiles: &[Value], past: &[Value]| json!({ "topic_secret": hexed([4; 32]), "parent": hexed([5; 32]), "profiles": profiles, "past": past });
    let of_members = fields(&profiles, &none);
    v.good("join_info", "profiles of members", Value::Null, of_members);
    let past = [hexed([3; 32]), hexed([5; 32])];
    let put_back = fields(&profiles, &past);
    v.good("join_info", "the states before", Value::Null, put_back);
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("join_info", name, Value::Null, bytes, error, at);
    };
    bad(
        "version 2",
        &[&[0, 2], &bytes[2..]].concat(),
        "version",
        "join_info.version",
    );
    bad("cut in the topic", &bytes[..30], "truncated", "join_info.topic_secret");
    bad("cut in the parent", &bytes[..40], "truncated", "NodeId");
    bad("a byte too many", &[&bytes[..], &[0]].concat(), "trailing", "");
    bad(
        "neither a topic nor none",
        &[&[0, 1, 2], &bytes[3..]].concat(),
        "invalid",
        "join_info.topic",
    );
}

fn fill_statements(v: &mut Vectors) {
    let keys = json!({ "chat": hexed(CHAT.0), "device_seed": hexed(BOB.device_seed) });
    let fields = |wish: &str, about: u8| json!({ "wish": wish, "about": hexed([about; 32]) });
    v.good("statement", "a wish to rejoin", keys.clone(), fields("rejoin", 8));
    let bytes = v.good("statement", "a wish to leave", keys.clone(), fields("leave", 7));
    let mut bad = |name: &str, keys: &Value, bytes: &[u8], error: &str, at: &str| {
        v.bad("statement", name, keys.clone(), bytes, error, at);
    };
    let changed = |at: usize, bit: u8| {
        let mut changed = bytes.clone();
        changed[at] ^= bit;
        changed
    };
    bad(
        "a wish to leave, shown as one to rejoin",
        &keys,
        &changed(0, 3),
        "signature",
        "",
    );
    bad("another device", &keys, &changed(1, 1), "signature", "");
    bad("about something else", &keys, &changed(33, 1), "signature", "");
    bad("a changed signature", &keys, &changed(70, 1), "signature", "");
    bad(
        "a wish that nobody knows",
        &keys,
        &changed(0, 8),
        "invalid",
        "statement.wish",
    );
    bad(
        "cut",
        &keys,
        &bytes[..bytes.len() - 1],
        "truncated",
        "statement.signature",
    );
    bad("a byte too many", &keys, &[&bytes[..], &[0]].concat(), "trailing", "");
    let elsewhere = json!({ "chat": hexed([1; 32]), "device_seed": hexed(BOB.device_seed) });
    bad("for another chat", &elsewhere, &bytes, "signature", "");
}

fn fill_profiles(v: &mut Vectors) {
    let keys = json!({ "chat": hexed(CHAT.0), "device_seed": hexed(BOB.device_seed) });
    let fields =
        |number: &str, name: &str| json!({ "device": hexed(BOB.device().public().0), "number": number, "name": name });
    v.good("profile", "without a name", keys.clone(), fields("0", ""));
    let longest = "n".repeat(limits::NAME_BYTES);
    v.good(
        "profile",
        "a name of 128 bytes",
        keys.clone(),
        fields("18446744073709551615", &longest),
    );
    let bytes = v.good("profile", "a name", keys.clone(), fields("1700000000000", "밥"));
    let mut bad = |name: &str, keys: &Value, bytes: &[u8], error: &str, at: &str| {
        v.bad("profile", name, keys.clone(), bytes, error, at);
    };
    let changed = |at: usize, bit: u8| {
        let mut changed = bytes.clone();
        changed[at] ^= bit;
        changed
    };
    bad("version 2", &keys, &changed(1, 3), "version", "profile.version");
    bad("another device", &keys, &changed(2, 1), "signature", "");
    bad("another number", &keys, &changed(41, 1), "signature", "");
    bad(
        "a changed signature",
        &keys,
        &changed(bytes.len() - 1, 1),
        "signature",
        "",
    );
    bad(
        "a name that isn't UTF-8",
        &keys,
        &changed(43, 0x80),
        "invalid",
        "profile.name",
    );
    let long = [&bytes[..42], &[0x40, 129], &[b'n'; 129], &bytes[46..]].concat();
    bad("a name of 129 bytes", &keys, &long, "too_long", "profile.name");
    bad(
        "cut",
        &keys,
        &bytes[..bytes.len() - 1],
        "truncated",
        "profile.signature",
    );
    bad("a byte too many", &keys, &[&bytes[..], &[0]].concat(), "trailing", "");
    let elsewhere = json!({ "chat": hexed([1; 32]), "device_seed": hexed(BOB.device_seed) });
    bad("for another chat", &elsewhere, &bytes, "signature", "");
}

fn fill_packages(v: &mut Vectors, suite: Suite) {
    let name = |what: &str| format!("suite {}: {what}", suite.number());
    let mut package = Vec::new();
    for last_resort in [true, false] {
        let mut keys = json!({ "suite": suite.number(), "owner": person_value(&BOB), "last_resort": last_resort });
        let (_, rows) = package_of(&keys);
        keys["init_private_key"] = private_key(&rows, "private_init_key");
        keys["leaf_private_key"] = private_key(&rows, "private_encryption_key");
        let what = if last_resort {
            "a last-resort key package"
        } else {
            "a key package"
        };
        package = v.good("key_package", &name(what), keys, json!({}));
    }
    let keys = json!({ "suite": suite.number() });
    let mut changed = package.clone();
    *changed.last_mut().unwrap() ^= 1;
    v.bad(
        "key_package",
        &name("a changed signature"),
        keys.clone(),
        &changed,
        "mls",
        "",
    );
    v.bad(
        "key_package",
        &name("cut"),
        keys.clone(),
        &package[..package.len() - 1],
        "mls",
        "",
    );
    let other = if suite == Suite::XWing {
        Suite::X25519
    } else {
        Suite::XWing
    };
    let (other, _) = BOB.package(&BOB.crypto(), other, false);
    v.bad(
        "key_package",
        &name("of another suite"),
        keys.clone(),
        &other.bytes,
        "mls",
        "",
    );
    let limited = crate::raw::limited_package(&BOB, suite);
    v.bad(
        "key_package",
        &name("with a lifetime of its own"),
        keys.clone(),
        &limited,
        "mls",
        "",
    );
    let mut forged = BOB;
    forged.root_seed = CAROL.root_seed;
    let identity = LeafIdentity {
        log: ALICE.identity().log,
        device: forged.device().public(),
    };
    let (stranger, _) =
        madang_protocol::chat::key_package(&forged.crypto(), &forged.device(), &identity, suite, false, 0, u64::MAX)
            .unwrap();
    v.bad(
        "key_package",
        &name("a device that its account doesn't certify"),
        keys.clone(),
        &stranger.bytes,
        "identity",
        "",
    );
    v.bad(
        "key_package",
        &name("a Welcome instead"),
        keys,
        &Session::new(suite).welcome,
        "kind",
        "",
    );
}

fn fill_chat(v: &mut Vectors, suite: Suite) {
    let name = |what: &str| format!("suite {}: {what}", suite.number());
    let added = v.good(
        "header",
        &name("the commit that adds the second"),
        session_keys(suite),
        json!({}),
    );
    let mut keys = session_keys(suite);
    keys["node"] = hexed(Session::new(suite).a.node().0);
    let header = Header::read(&added).unwrap();
    assert_eq!(
        header_value(&header, &added)["makes"],
        keys["node"],
        "the node that the Welcome leads to"
    );
    v.good("welcome", &name("the second joins"), keys, json!({}));
    for (updates, reader) in [(0, "second"), (0, "first"), (1, "second"), (2, "first")] {
        let inner = json!({ "inner": hexed(format!("after {updates} updates, to the {reader}")) });
        let what = format!("after {updates} updates, read by the {reader}");
        v.good("message", &name(&what), state_keys(suite, updates, reader), inner);
    }
    v.good(
        "commit",
        &name("the second's leaf update at epoch 1"),
        state_keys(suite, 0, "first"),
        json!({}),
    );
    v.good(
        "commit",
        &name("the first's leaf update at epoch 2"),
        state_keys(suite, 1, "second"),
        json!({}),
    );
}

const SUITE: Suite = Suite::X25519;

fn fill_pointers(v: &mut Vectors) {
    let key = madang_protocol::blob::BlobKey::from_bytes([3; 32]);
    let (blob, _) = madang_protocol::blob::seal_with(key, b"a small blob").unwrap();
    let fields = json!({ "blob": hexed(blob.encode()) });
    let keys = state_keys(SUITE, 0, "second");
    let good = v.good("pointer", "to a commit at epoch 1", keys.clone(), fields);
    let later = state_keys(SUITE, 1, "second");
    v.bad("pointer", "read in another state", later, &good, "mls", "");
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("pointer", name, keys.clone(), bytes, error, at);
    };
    let commit = Session::new(SUITE).update().commit;
    bad("a commit, not a pointer", &commit, "not_a_pointer", "");
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    bad("a changed seal", &changed, "mls", "");
    bad("a pointer, cut", &good[..good.len() - 1], "truncated", "pointer.sealed");
    bad("a pointer and a byte", &[&good[..], &[0]].concat(), "trailing", "");
}

fn fill_refused_messages(v: &mut Vectors) {
    let keys = state_keys(SUITE, 0, "second");
    let mut bad = |name: &str, bytes: &[u8], error: &str| v.bad("message", name, keys.clone(), bytes, error, "");
    let mut session = Session::new(SUITE);
    let node = session.a.node().0;
    let sealed = session.alice_says(b"inner");
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    bad("a changed ciphertext", &changed, "mls");
    bad("cut", &sealed[..sealed.len() - 1], "mls");
    bad("a byte too many", &[&sealed[..], &[0]].concat(), "mls");
    bad("nothing", b"", "mls");
    bad("a commit", &session.update().commit, "node");
    session.advance();
    bad("of a later state", &session.alice_says(b"inner"), "node");
    bad("a key package", &session.package.bytes, "mls");
    bad("the reader's own", &Session::new(SUITE).bob_says(b"inner"), "kind");
    let mut elsewhere = Session::of(SUITE, CHAT, [CAROL, BOB]);
    bad(
        "of another group with the same chat id",
        &elsewhere.alice_says(b"inner"),
        "node",
    );

    let raw = |with: &dyn Fn(&mut Raw<'_>) -> Vec<u8>| {
        let session = Session::new(SUITE);
        with(&mut Raw::take(&session.a, &session.alice, &ALICE))
    };
    let mut padded = padding::pad(b"inner");
    *padded.last_mut().unwrap() = 1;
    bad("padding that isn't zero", &raw(&|raw| raw.seal(&node, &padded)), "mls");
    bad("no padding, no length", &raw(&|raw| raw.seal(&node, b"")), "mls");
    bad(
        "authenticated data of 31 bytes",
        &raw(&|raw| raw.seal(&node[..31], &padding::pad(b"inner"))),
        "kind",
    );
    bad(
        "no authenticated data",
        &raw(&|raw| raw.seal(&[], &padding::pad(b"inner"))),
        "kind",
    );
    bad("a proposal on its own", &raw(&|raw| raw.propose(&node, false)), "kind");
    bad("a public message", &raw(&|raw| raw.propose(&node, true)), "kind");
}

fn fill_refused_commits(v: &mut Vectors) {
    let keys = state_keys(SUITE, 0, "first");
    let mut bad =
        |name: &str, keys: &Value, bytes: &[u8], error: &str| v.bad("commit", name, keys.clone(), bytes, error, "");
    let mut session = Session::new(SUITE);
    let node = session.b.node().0;
    let commit = session.update().commit;
    let mut changed = commit.clone();
    *changed.last_mut().unwrap() ^= 1;
    bad("a changed ciphertext", &keys, &changed, "mls");
    bad("a message", &keys, &session.bob_says(b"inner"), "node");
    session.advance();
    bad("of a later state", &keys, &session.update().commit, "node");
    let session = Session::new(SUITE);
    let stolen = Raw::take(&session.b, &session.bob, &BOB).commit_as(&node, &CAROL);
    v.bad(
        "commit",
        "a leaf that becomes another device's",
        keys,
        &stolen,
        "not_allowed",
        "a leaf keeps its account and device",
    );
    fill_refused_changes(v);
}

/// What groups may do and chats of two may not.
fn fill_refused_changes(v: &mut Vectors) {
    let mut bad = |name: &str, add: bool, remove: &[u32], context: Option<ChatContext>, why: &str| {
        let session = Session::new(SUITE);
        let third = CAROL.package(&CAROL.crypto(), SUITE, false).0.bytes;
        let add: &[&[u8]] = if add { &[&third] } else { &[] };
        let settings = context.map(|context| {
            let settings = Extension::Unknown(ChatContext::EXTENSION, UnknownExtension(context.encode()));
            Extensions::from_vec(vec![required(), settings]).unwrap()
        });
        let node = session.b.node().0;
        let commit = Raw::take(&session.b, &session.bob, &BOB).commit(&node, add, remove, settings, true);
        v.bad(
            "commit",
            name,
            state_keys(SUITE, 0, "first"),
            &commit,
            "not_allowed",
            why,
        );
    };
    bad("a third member added", true, &[], None, "only admins add members");
    let own = "in a one-to-one chat only own devices change";
    bad("the other removed", false, &[0], None, own);
    let named = ChatContext {
        name: "ours".into(),
        ..ChatContext::one_to_one()
    };
    let timer = "a one-to-one chat has a timer and no other settings";
    bad("a name", false, &[], Some(named), timer);
    let led = ChatContext {
        admins: vec![BOB.account()],
        ..ChatContext::one_to_one()
    };
    bad("an admin", false, &[], Some(led), timer);
    let group = ChatContext::group(String::new(), BOB.account(), Vec::new());
    bad(
        "the chat becomes a group",
        false,
        &[],
        Some(group),
        "a chat keeps its kind",
    );
}

fn fill_refused_welcomes(v: &mut Vectors) {
    let mut keys = session_keys(SUITE);
    let session = Session::new(SUITE);
    keys["node"] = hexed(session.a.node().0);
    let mut bad = |name: &str, bytes: &[u8], error: &str| v.bad("welcome", name, keys.clone(), bytes, error, "");
    let mut changed = session.welcome.clone();
    *changed.last_mut().unwrap() ^= 1;
    bad("a changed group info", &changed, "mls");
    bad("cut", &session.welcome[..session.welcome.len() - 1], "mls");
    bad("a key package", &session.package.bytes, "kind");
    bad(
        "for another's key package",
        &Session::of(SUITE, CHAT, [ALICE, CAROL]).welcome,
        "mls",
    );
    // The first state's rows, taken over by a member who leaves our join info out.
    let mut raw = Raw::take(&session.first, &session.alice, &ALICE);
    bad("no join info", &raw.add(&session.package.bytes), "mls");
}

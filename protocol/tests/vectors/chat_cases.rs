//! The cases of `chat.json`.

use super::*;

pub fn fill(v: &mut Vectors) {
    fill_extensions(v);
    for suite in [Suite::X25519, Suite::XWing] {
        fill_packages(v, suite);
        fill_chat(v, suite);
    }
    // The rules don't depend on the suite.
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

    let bytes = v.good("chat_context", "of two", Value::Null, json!({}));
    v.good_to_read(
        "chat_context",
        "extensions of a later version",
        Value::Null,
        &[0, 1, 1, 1, 0xaa],
    );
    v.bad(
        "chat_context",
        "version 2",
        Value::Null,
        &[0, 2, 1, 0],
        "version",
        "chat_context.version",
    );
    v.bad(
        "chat_context",
        "another kind of chat",
        Value::Null,
        &[0, 1, 2, 0],
        "invalid",
        "chat_context.kind",
    );
    v.bad(
        "chat_context",
        "cut",
        Value::Null,
        &bytes[..3],
        "truncated",
        "chat_context.extensions",
    );

    let fields = json!({ "topic_secret": hexed([4; 32]), "parent": hexed([5; 32]) });
    let bytes = v.good("join_info", "a topic and a parent", Value::Null, fields);
    v.bad(
        "join_info",
        "version 2",
        Value::Null,
        &[&[0, 2], &bytes[2..]].concat(),
        "version",
        "join_info.version",
    );
    v.bad("join_info", "cut", Value::Null, &bytes[..40], "truncated", "NodeId");
    v.bad(
        "join_info",
        "a byte too many",
        Value::Null,
        &[&bytes[..], &[0]].concat(),
        "trailing",
        "",
    );
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
        &name("the second's turn at epoch 1"),
        state_keys(suite, 0, "first"),
        json!({}),
    );
    v.good(
        "commit",
        &name("the first's turn at epoch 2"),
        state_keys(suite, 1, "second"),
        json!({}),
    );
}

const SUITE: Suite = Suite::X25519;

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
    let out_of_turn = session.a.update_leaf(&session.alice, &ALICE.device()).unwrap().commit;
    bad(
        "out of turn",
        &state_keys(SUITE, 0, "second"),
        &out_of_turn,
        "not_allowed",
    );
    let (third, _) = CAROL.package(&CAROL.crypto(), SUITE, false);
    let adds = session
        .b
        .add(&session.bob, &BOB.device(), &[third], &session.topic)
        .unwrap()
        .commit;
    bad("a third member added", &keys, &adds, "not_allowed");
    session.advance();
    bad("of a later state", &keys, &session.update().commit, "node");
    let session = Session::new(SUITE);
    let stolen = Raw::take(&session.b, &session.bob, &BOB).commit_as(&node, &CAROL);
    bad("a leaf that becomes another device's", &keys, &stolen, "not_allowed");
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

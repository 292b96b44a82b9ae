//! The decoders that need a chat's state.

use super::*;
use madang_protocol::chat::{Letter, Pointer};
use madang_protocol::inbox::{GroupWelcome, InboxMessage, LargeMessage, LeafTold, Rejoin};

/// Both sides of a chat, as rows: every input meets the same state.
struct Fixture {
    alice: GroupRows,
    bob: GroupRows,
    node: NodeId,
    package: GroupRows,
    sealed: Vec<u8>,
    commit: Vec<u8>,
    welcome: Vec<u8>,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let mut session = Session::new(Suite::X25519);
        let (alice, bob) = (rows_of(&session.a), rows_of(&session.b));
        Fixture {
            alice,
            bob,
            node: session.a.node(),
            sealed: session.alice_says(b"inner"),
            commit: session.update().commit,
            package: session.package_rows,
            welcome: session.welcome,
        }
    })
}

pub fn headers() -> Vec<Vec<u8>> {
    vec![fixture().sealed.clone(), fixture().commit.clone()]
}

pub fn pointers() -> Vec<Vec<u8>> {
    let group = Group::load(fixture().alice.clone(), CHAT, fixture().node).unwrap();
    let pointer = group.point_to(&ALICE.crypto(), topic().public(), &blob().0);
    vec![pointer.unwrap()]
}

pub fn pointer(bytes: &[u8]) -> Option<Vec<u8>> {
    as_is(bytes, matches!(Pointer::read(bytes), Some(Ok(_))))
}

pub fn letters() -> Vec<Vec<u8>> {
    let crypto = ALICE.crypto();
    let letter = |to, message: &Vec<u8>| Letter::seal(&crypto, CHAT, &topic(), to, message).unwrap();
    let messages = inbox_messages();
    let to = Some(BOB.device().public());
    messages
        .iter()
        .flat_map(|message| [letter(None, message), letter(to, message)])
        .collect()
}

pub fn letter(bytes: &[u8]) -> Option<Vec<u8>> {
    as_is(bytes, matches!(Letter::read(bytes), Some(Ok(_))))
}

pub fn open_letter(bytes: &[u8]) -> Option<Vec<u8>> {
    let letter = Letter::read(bytes)?.ok()?;
    as_is(bytes, letter.chat == CHAT && letter.open(&topic()).ok()?.is_some())
}

pub fn inbox_messages() -> Vec<Vec<u8>> {
    let welcome = GroupWelcome {
        chat: CHAT,
        node: NodeId([2; 32]),
        suite: Suite::XWing,
        welcome: vec![3; 70],
    };
    let rejoin = Rejoin {
        chat: CHAT,
        statement: Statement::sign(&ALICE.device(), CHAT, Wish::Rejoin, [7; 32]),
        package: CardPackage {
            not_before_s: 1,
            not_after_s: 9,
            last_resort: true,
            bytes: vec![4; 70],
        },
        lacks: vec![NodeId([5; 32])],
        has: vec![NodeId([8; 32])],
        past: vec![NodeId([2; 32]), NodeId([3; 32])],
    };
    let messages = [
        InboxMessage::Welcome(welcome),
        InboxMessage::Rejoin(rejoin),
        InboxMessage::Leaf(LeafTold {
            chat: CHAT,
            leaf: [9; 32],
            at: Some(NodeId([6; 32])),
            past: vec![NodeId([4; 32])],
        }),
        InboxMessage::Large(LargeMessage {
            topic: topic().public(),
            blob: blob().0,
        }),
    ];
    messages.iter().map(InboxMessage::encode).collect()
}

/// Kinds of later versions are dropped.
pub fn inbox(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(InboxMessage::decode(bytes).ok()??.encode())
}

pub fn sealed() -> Vec<Vec<u8>> {
    vec![fixture().sealed.clone()]
}

pub fn open(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut group = Group::load(fixture().bob.clone(), CHAT, fixture().node).unwrap();
    let opened = group.open(&BOB.crypto(), bytes).is_ok();
    // What is refused leaves the state able to read the genuine message.
    assert!(
        opened || group.open(&BOB.crypto(), &fixture().sealed).is_ok(),
        "a refused message spoilt the genuine one"
    );
    as_is(bytes, opened)
}

pub fn commits() -> Vec<Vec<u8>> {
    vec![fixture().commit.clone()]
}

pub fn apply(bytes: &[u8]) -> Option<Vec<u8>> {
    let group = Group::load(fixture().alice.clone(), CHAT, fixture().node).unwrap();
    let before = group.epoch();
    let applied = group.apply(&ALICE.crypto(), bytes).is_ok();
    assert_eq!(group.epoch(), before, "applying changed the state before");
    as_is(bytes, applied)
}

/// A group of three, as its third member has it, and commits of the others.
fn village() -> &'static (GroupRows, NodeId, Vec<Vec<u8>>) {
    static VILLAGE: OnceLock<(GroupRows, NodeId, Vec<Vec<u8>>)> = OnceLock::new();
    VILLAGE.get_or_init(|| {
        let people = [ALICE, BOB, CAROL, DAVE];
        let settings = ChatContext::group("village".into(), ALICE.account(), Vec::new());
        let village = Village::of(Suite::X25519, CHAT, &people, 3, settings);
        let commit = |who, plan| village.commits(who, &village.plan(&plan)).unwrap().commit;
        let commits = vec![
            commit(0, serde_json::json!({ "add": [3], "name": "yard" })),
            commit(1, serde_json::json!({ "leave": [0] })),
            commit(0, serde_json::json!({ "remove": [1] })),
        ];
        (rows_of(village.group(2)), village.node, commits)
    })
}

pub fn changes() -> Vec<Vec<u8>> {
    village().2.clone()
}

pub fn apply_change(bytes: &[u8]) -> Option<Vec<u8>> {
    let group = Group::load(village().0.clone(), CHAT, village().1).unwrap();
    let before = group.authenticator();
    let applied = group.apply(&CAROL.crypto(), bytes).is_ok();
    assert_eq!(group.authenticator(), before, "applying changed the state before");
    as_is(bytes, applied)
}

pub fn welcomes() -> Vec<Vec<u8>> {
    vec![fixture().welcome.clone()]
}

pub fn join(bytes: &[u8]) -> Option<Vec<u8>> {
    let joined = Group::join(&BOB.crypto(), fixture().package.clone(), bytes, fixture().node);
    as_is(bytes, joined.is_ok())
}

/// Key packages come from strangers' cards: adding their owner must refuse what isn't one.
pub fn add(bytes: &[u8]) -> Option<Vec<u8>> {
    static GROUP: OnceLock<(GroupRows, NodeId, TopicSecret)> = OnceLock::new();
    let (rows, node, topic) = GROUP.get_or_init(|| {
        let (crypto, identity) = (CAROL.crypto(), CAROL.identity());
        let (group, topic) = {
            let settings = ChatContext::one_to_one();
            Group::create(&crypto, &CAROL.device(), &identity, Suite::X25519, CHAT, settings).unwrap()
        };
        (rows_of(&group), group.node(), topic)
    });
    let group = Group::load(rows.clone(), CHAT, *node).unwrap();
    let package = CardPackage {
        not_before_s: 0,
        not_after_s: 9,
        last_resort: false,
        bytes: bytes.to_vec(),
    };
    let added = group.commit(&CAROL.crypto(), &CAROL.device(), &Plan::adding(&[package]), topic);
    as_is(bytes, added.is_ok())
}

pub fn packages() -> Vec<Vec<u8>> {
    vec![BOB.package(&BOB.crypto(), Suite::X25519, false).0.bytes]
}

//! The cases of `chat_group.json`.

use super::*;
use madang_protocol::chat::{Plan, Statement, Wish, package_leaf, rejoin_about};

const SUITE: Suite = Suite::X25519;
/// The owner, two admins, three members of whom two are one account, and one who isn't in.
const OWNER: usize = 0;
const ADMIN: usize = 1;
const SECOND: usize = 2;
const MEMBER: usize = 3;
const TWO: usize = 4;
const DEVICES: usize = 5;
const NEW: usize = 6;

fn people() -> Vec<Person> {
    vec![ALICE, BOB, CAROL, DAVE, ERIN, ERIN_AGAIN, FRANK]
}

fn context(admins: &[usize]) -> ChatContext {
    let mut context = ChatContext::group("village".into(), ALICE.account(), Vec::new());
    context.admins = admins.iter().map(|who| people()[*who].account()).collect();
    context
}

/// What describes a group and one of its readers.
fn keys_of(
    suite: Suite,
    joined: usize,
    admins: &[usize],
    before: &[(usize, Value)],
    reader: usize,
) -> (Value, Village) {
    let people = people();
    let mut village = Village::of(suite, CHAT, &people, joined, context(admins));
    let mut keys = json!({
        "suite": suite.number(),
        "chat": hexed(CHAT.0),
        "people": people.iter().map(person_value).collect::<Vec<_>>(),
        "joined": joined,
        "first_context": hexed(context(admins).encode()),
        "reader": reader,
        "init_private_key": private_key(&village.packages[reader], "private_init_key"),
        "leaf_private_key": private_key(&village.packages[reader], "private_encryption_key"),
        "welcome": hexed(&village.welcome),
        "node": hexed(village.node.0),
        "before": [],
    });
    for (author, plan) in before {
        let commit = village.advance(*author, plan);
        let step = json!({ "author": author, "plan": plan, "commit": hexed(commit) });
        keys["before"].as_array_mut().unwrap().push(step);
    }
    (keys, village)
}

fn by(mut keys: Value, author: usize, plan: &Value) -> Value {
    keys["author"] = author.into();
    keys["plan"] = plan.clone();
    keys
}

pub fn fill(v: &mut Vectors) {
    fill_commits(v);
    fill_welcomes(v);
    fill_refused(v);
    fill_refused_wishes(v);
    fill_refused_beyond_our_code(v);
}

fn fill_commits(v: &mut Vectors) {
    let all = &[OWNER, ADMIN, SECOND];
    let group = |reader| keys_of(SUITE, 6, all, &[], reader);
    let mut good = |name: &str, (keys, village): (Value, Village), author: usize, plan: Value| {
        let change = village.commits(author, &village.plan(&plan)).unwrap();
        v.good_to_read("commit", name, by(keys, author, &plan), &change.commit);
    };
    good("a leaf update", group(ADMIN), MEMBER, json!({}));
    good("an admin adds a member", group(MEMBER), ADMIN, json!({ "add": [NEW] }));
    let xwing = keys_of(Suite::XWing, 3, all, &[], SECOND);
    good("suite 1: an admin adds a member", xwing, ADMIN, json!({ "add": [NEW] }));
    let five = keys_of(SUITE, 5, all, &[], MEMBER);
    good("a member adds its own device", five, TWO, json!({ "add": [DEVICES] }));
    good(
        "a member removes its own device",
        group(MEMBER),
        TWO,
        json!({ "remove": [DEVICES] }),
    );
    good(
        "an admin removes a member",
        group(TWO),
        SECOND,
        json!({ "remove": [MEMBER] }),
    );
    good(
        "seen by who is removed",
        group(MEMBER),
        SECOND,
        json!({ "remove": [MEMBER] }),
    );
    good(
        "the owner removes an admin, whose rank goes",
        group(MEMBER),
        OWNER,
        json!({ "remove": [ADMIN] }),
    );
    let exchange = json!({ "remove": [MEMBER], "add": [NEW] });
    good("an admin removes and adds at once", group(TWO), ADMIN, exchange);
    good(
        "a member shows that an admin wishes to leave",
        group(ADMIN),
        MEMBER,
        json!({ "leave": [SECOND] }),
    );
    let alone = keys_of(SUITE, 6, &[OWNER], &[], MEMBER);
    let last = json!({ "leave": [OWNER] });
    good("the last admin leaves: the lowest leaf follows", alone, SECOND, last);
    good(
        "a member puts back who lost its state",
        group(MEMBER),
        TWO,
        json!({ "rejoin": [ADMIN] }),
    );
    let settings = json!({ "name": "마당", "picture": "89504e47", "timer_s": 3600 });
    good("an admin changes the settings", group(MEMBER), SECOND, settings.clone());
    good(
        "the owner hands over",
        group(MEMBER),
        OWNER,
        json!({ "admins": [ADMIN, OWNER, SECOND] }),
    );
    let promoted = json!({ "admins": [OWNER, ADMIN, MEMBER, SECOND] });
    good(
        "an admin changes the ranks below its own",
        group(MEMBER),
        ADMIN,
        promoted,
    );
    good(
        "an admin resigns",
        group(MEMBER),
        ADMIN,
        json!({ "admins": [OWNER, SECOND] }),
    );
    let before = [
        (SECOND, settings),
        (MEMBER, json!({})),
        (OWNER, json!({ "remove": [SECOND] })),
    ];
    let later = keys_of(SUITE, 6, all, &before, TWO);
    good("the fourth commit", later, ADMIN, json!({ "name": "yard" }));
}

fn fill_welcomes(v: &mut Vectors) {
    let cases = [
        ("the topic stays, and is told", json!({ "add": [NEW] })),
        (
            "the topic is renewed by this very commit",
            json!({ "remove": [MEMBER], "add": [NEW] }),
        ),
    ];
    for (name, plan) in cases {
        let (mut keys, village) = keys_of(SUITE, 6, &[OWNER, ADMIN, SECOND], &[], MEMBER);
        let crypto = FRANK.crypto();
        FRANK.package(&crypto, SUITE, false);
        let (_, rows) = FRANK.package(&crypto, SUITE, false);
        let change = village.commits(ADMIN, &village.plan(&plan)).unwrap();
        keys["reader"] = NEW.into();
        keys["node"] = hexed(change.group.node().0);
        keys["init_private_key"] = private_key(&rows, "private_init_key");
        keys["leaf_private_key"] = private_key(&rows, "private_encryption_key");
        keys.as_object_mut().unwrap().remove("welcome");
        v.good_to_read("welcome", name, by(keys, ADMIN, &plan), &change.welcome.unwrap());
    }
}

/// Commits that OpenMLS makes and that a rule of ours refuses.
struct Hostile {
    village: Village,
    keys: Value,
}

impl Hostile {
    fn new(admins: &[usize]) -> Self {
        let (keys, village) = keys_of(SUITE, 6, admins, &[], DEVICES);
        Self { village, keys }
    }

    /// A fresh group each time: a state's rows can be taken once.
    fn refused(v: &mut Vectors, admins: &[usize], name: &str, author: usize, plan: Value, why: &str) {
        let one = Self::new(admins);
        let planned = one.village.plan(&plan);
        one.bad(v, name, author, &planned, why);
    }

    fn bad(&self, v: &mut Vectors, name: &str, author: usize, plan: &Plan, why: &str) {
        let settings = plan.context.as_ref().map(settings);
        let commit = self.raw(author, plan, settings, true);
        v.bad("commit", name, self.keys.clone(), &commit, "not_allowed", why);
    }

    fn raw(&self, author: usize, plan: &Plan, settings: Option<Extensions<GroupContext>>, path: bool) -> Vec<u8> {
        let group = self.village.group(author);
        let mut authenticated = Writer::default();
        authenticated.fixed(&group.node().0);
        if !plan.statements.is_empty() {
            authenticated.u8(0);
            authenticated.list(&plan.statements, |w, statement| statement.write(w));
        }
        let packages: Vec<&[u8]> = plan.add.iter().map(|package| package.bytes.as_slice()).collect();
        let mut raw = Raw::take(group, &self.village.cryptos[author], &self.village.people[author]);
        raw.commit(&authenticated.into_bytes(), &packages, &plan.remove, settings, path)
    }
}

fn settings(context: &ChatContext) -> Extensions<GroupContext> {
    let required = crate::raw::required();
    let settings = Extension::Unknown(ChatContext::EXTENSION, UnknownExtension(context.encode()));
    Extensions::from_vec(vec![required, settings]).unwrap()
}

fn fill_refused(v: &mut Vectors) {
    let all = &[OWNER, ADMIN, SECOND][..];
    let senior = "only a more senior admin removes a member";
    let ranks = "an admin changes only ranks below its own";
    let cases: [(&str, &[usize], usize, Value, &str); 16] = [
        (
            "a member adds",
            all,
            MEMBER,
            json!({ "add": [NEW] }),
            "only admins add members",
        ),
        (
            "a member removes",
            all,
            MEMBER,
            json!({ "remove": [SECOND], "admins": [OWNER, ADMIN] }),
            senior,
        ),
        (
            "an admin removes the owner",
            all,
            ADMIN,
            json!({ "remove": [OWNER], "admins": [ADMIN, SECOND] }),
            senior,
        ),
        (
            "an admin removes a more senior one",
            all,
            SECOND,
            json!({ "remove": [ADMIN], "admins": [OWNER, SECOND] }),
            senior,
        ),
        (
            "one of an account's two devices",
            all,
            OWNER,
            json!({ "remove": [DEVICES] }),
            "an admin removes all devices of an account, or none",
        ),
        (
            "a member renames",
            all,
            MEMBER,
            json!({ "name": "mine" }),
            "only admins change the settings",
        ),
        (
            "a member sets the timer",
            all,
            MEMBER,
            json!({ "timer_s": 1 }),
            "only admins change the settings",
        ),
        (
            "an admin who isn't in",
            all,
            ADMIN,
            json!({ "admins": [OWNER, ADMIN, NEW] }),
            "admins are members",
        ),
        (
            "a removed admin stays one",
            all,
            OWNER,
            json!({ "remove": [SECOND] }),
            "admins are members",
        ),
        (
            "an admin twice",
            all,
            ADMIN,
            json!({ "admins": [OWNER, ADMIN, SECOND, SECOND] }),
            "an admin has one rank",
        ),
        (
            "a member makes itself an admin",
            all,
            MEMBER,
            json!({ "admins": [OWNER, ADMIN, SECOND, MEMBER] }),
            "only admins change ranks",
        ),
        (
            "an admin above its rank",
            all,
            SECOND,
            json!({ "admins": [OWNER, SECOND, ADMIN] }),
            ranks,
        ),
        (
            "an admin becomes the owner",
            all,
            ADMIN,
            json!({ "admins": [ADMIN, OWNER, SECOND] }),
            ranks,
        ),
        (
            "the owner leaves nobody in charge",
            all,
            OWNER,
            json!({ "admins": [] }),
            ranks,
        ),
        (
            "somebody else follows the last admin",
            &[OWNER],
            SECOND,
            json!({ "leave": [OWNER], "admins": [SECOND] }),
            "the member of the lowest leaf follows the last admin",
        ),
        (
            "nobody follows the last admin",
            &[OWNER],
            SECOND,
            json!({ "leave": [OWNER], "admins": [] }),
            "the member of the lowest leaf follows the last admin",
        ),
    ];
    for (name, admins, author, plan, why) in cases {
        Hostile::refused(v, admins, name, author, plan, why);
    }
    let one = Hostile::new(all);
    let mut plan = one.village.plan(&json!({ "name": "two" }));
    plan.context.as_mut().unwrap().kind = madang_protocol::chat::ChatKind::OneToOne;
    one.bad(v, "another kind of chat", OWNER, &plan, "a chat keeps its kind");
}

fn fill_refused_wishes(v: &mut Vectors) {
    let all = &[OWNER, ADMIN, SECOND];
    let senior = "only a more senior admin removes a member";
    let unsigned = "a wish in it isn't signed by its device";
    let bob = BOB.device();
    let wish = |chat: ChatId, wish, about| Statement::sign(&bob, chat, wish, about);
    type MakesWish<'a> = Box<dyn Fn(&Village) -> Statement + 'a>;
    let cases: [(&str, MakesWish, &str); 4] = [
        (
            "a wish to leave that names another leaf",
            Box::new(|_| wish(CHAT, Wish::Leave, [7; 32])),
            senior,
        ),
        (
            "a wish to rejoin, shown as one to leave",
            Box::new(|village| wish(CHAT, Wish::Rejoin, village.group(ADMIN).own_leaf_key().unwrap())),
            senior,
        ),
        (
            "a wish for another chat",
            Box::new(|village| {
                wish(
                    ChatId([1; 32]),
                    Wish::Leave,
                    village.group(ADMIN).own_leaf_key().unwrap(),
                )
            }),
            unsigned,
        ),
        (
            "a wish of another device",
            Box::new(|village| {
                let mut wish = village.leave(SECOND);
                wish.device = BOB.device().public();
                wish
            }),
            unsigned,
        ),
    ];
    for (name, wish, why) in cases {
        let one = Hostile::new(all);
        let mut plan = one
            .village
            .plan(&json!({ "remove": [ADMIN], "admins": [OWNER, SECOND] }));
        plan.statements.push(wish(&one.village));
        one.bad(v, name, TWO, &plan, why);
    }
    let one = Hostile::new(all);
    let mut plan = one.village.plan(&json!({ "rejoin": [ADMIN] }));
    plan.statements.clear();
    one.bad(v, "put back without a wish", TWO, &plan, "only admins add members");
    let one = Hostile::new(all);
    let mut plan = one.village.plan(&json!({ "rejoin": [OWNER] }));
    plan.statements.clear();
    one.bad(
        v,
        "an admin puts a more senior one back without its wish",
        ADMIN,
        &plan,
        senior,
    );
    let one = Hostile::new(all);
    let plan = one.village.plan(&json!({ "leave": [TWO] }));
    one.bad(
        v,
        "a wish to leave that takes one of two devices",
        MEMBER,
        &plan,
        "a member leaves with all its devices",
    );
    let one = Hostile::new(all);
    let mut plan = one.village.plan(&json!({ "rejoin": [ADMIN] }));
    plan.add = one.village.plan(&json!({ "rejoin": [ADMIN] })).add;
    one.bad(
        v,
        "put back with another key package than it wished",
        TWO,
        &plan,
        "only admins add members",
    );
    let one = Hostile::new(all);
    let mut plan = one.village.plan(&json!({ "rejoin": [ADMIN] }));
    let new = package_leaf(&one.village.cryptos[ADMIN], &plan.add[0]).unwrap();
    plan.statements = vec![wish(CHAT, Wish::Rejoin, rejoin_about(&new, &[7; 32]))];
    one.bad(
        v,
        "put back by a wish that was for another leaf of the device",
        TWO,
        &plan,
        "only admins add members",
    );
}

fn fill_refused_beyond_our_code(v: &mut Vectors) {
    let all = &[OWNER, ADMIN, SECOND];
    let one = Hostile::new(all);
    let plan = one.village.plan(&json!({ "add": [NEW] }));
    let commit = one.raw(OWNER, &plan, None, false);
    let why = "a commit must update its author's leaf";
    v.bad(
        "commit",
        "no update path",
        one.keys.clone(),
        &commit,
        "not_allowed",
        why,
    );
    let one = Hostile::new(all);
    let mut plan = one.village.plan(&json!({ "add": [NEW] }));
    plan.add[0].bytes = limited_package(&FRANK, SUITE);
    let commit = one.raw(OWNER, &plan, None, true);
    v.bad(
        "commit",
        "a key package with a lifetime of its own",
        one.keys.clone(),
        &commit,
        "mls",
        "",
    );
    let one = Hostile::new(all);
    let empty = Extensions::from_vec(vec![crate::raw::required()]).unwrap();
    let commit = one.raw(OWNER, &Plan::default(), Some(empty), true);
    v.bad(
        "commit",
        "settings that are missing",
        one.keys.clone(),
        &commit,
        "mls",
        "",
    );
    let one = Hostile::new(all);
    let settings = UnknownExtension(vec![0, 1, 3]);
    let settings = Extension::Unknown(ChatContext::EXTENSION, settings);
    let unreadable = Extensions::from_vec(vec![crate::raw::required(), settings]).unwrap();
    let commit = one.raw(OWNER, &Plan::default(), Some(unreadable), true);
    v.bad(
        "commit",
        "settings that don't read",
        one.keys.clone(),
        &commit,
        "mls",
        "",
    );
    let one = Hostile::new(all);
    let settings = UnknownExtension(context(all).encode());
    let settings = Extension::Unknown(ChatContext::EXTENSION, settings);
    let senders = Extension::ExternalSenders(Vec::new());
    let more = Extensions::from_vec(vec![crate::raw::required(), settings, senders]).unwrap();
    let commit = one.raw(OWNER, &Plan::default(), Some(more), true);
    v.bad(
        "commit",
        "settings beside another extension of the group",
        one.keys.clone(),
        &commit,
        "not_allowed",
        "it changes what isn't a setting of chats",
    );
    for (name, wishes) in [
        ("a wish that is cut", &[0, 1, 1][..]),
        ("a byte after the wishes", &[0, 0, 0]),
        ("a wish that nobody knows", &[0, 0x40, 129, 9]),
        ("a mark that is neither absent nor present", &[2]),
        ("a mark that is cut", &[1, 7, 7]),
    ] {
        let one = Hostile::new(all);
        let mut authenticated = [&one.village.node.0[..], wishes].concat();
        if wishes.len() == 4 {
            authenticated.extend([0; 128]);
        }
        let village = &one.village;
        let mut raw = Raw::take(village.group(OWNER), &village.cryptos[OWNER], &village.people[OWNER]);
        let commit = raw.commit(&authenticated, &[], &[], None, true);
        v.bad("commit", name, one.keys.clone(), &commit, "kind", "");
    }
}

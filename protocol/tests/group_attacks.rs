//! What hostile members of a group may try against the rules of validity (spec/chat.md, section 6).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/session.rs"]
mod session;
#[path = "common/village.rs"]
mod village;

use madang_protocol::chat::{ChatContext, Group, GroupError, Plan, Target};
use madang_protocol::mls::Suite;
use serde_json::json;
use session::{ALICE, BOB, CAROL, CHAT, DAVE, ERIN, ERIN_AGAIN};
use village::Village;

const OWNER: usize = 0;
const ADMIN: usize = 1;
const MEMBER: usize = 3;
const TWO: usize = 4;
const DEVICES: usize = 5;

/// An owner, two admins, a member, and an account of two devices.
fn village() -> Village {
    let people = [ALICE, BOB, CAROL, DAVE, ERIN, ERIN_AGAIN];
    let mut settings = ChatContext::group("village".into(), ALICE.account(), Vec::new());
    settings.admins = [ALICE, BOB, CAROL].map(|admin| admin.account()).to_vec();
    Village::of(Suite::X25519, CHAT, &people, people.len(), settings)
}

fn refused<T>(result: Result<T, GroupError>) -> bool {
    matches!(result, Err(GroupError::NotAllowed { .. }))
}

#[test]
fn f45_a_wish_to_leave_is_of_no_use_after_its_leaf_was_renewed() {
    let mut village = village();
    let plan = village.plan(&json!({ "leave": [ADMIN] }));
    village.advance(ADMIN, &json!({}));
    assert!(refused(village.commits(MEMBER, &plan)));
}

#[test]
fn f44_an_account_goes_with_all_its_devices_by_an_admin_or_by_the_wish_of_one() {
    for (author, plan, targets) in [
        (
            ADMIN,
            json!({ "remove": [TWO, DEVICES] }),
            vec![Target::Account(ERIN.account())],
        ),
        (MEMBER, json!({ "leave": [DEVICES], "remove": [TWO] }), Vec::new()),
    ] {
        let village = village();
        let change = village.commits(author, &village.plan(&plan)).unwrap();
        let applied = village
            .group(OWNER)
            .apply(&village.cryptos[OWNER], &change.commit)
            .unwrap();
        assert_eq!((&applied.place, applied.renews), (&change.place, true));
        assert_eq!(applied.place.targets, targets);
        let members = applied.group.unwrap().members().unwrap();
        assert!(members.iter().all(|member| member.account != ERIN.account()));
        for gone in [TWO, DEVICES] {
            let own = village
                .group(gone)
                .apply(&village.cryptos[gone], &change.commit)
                .unwrap();
            assert!(own.group.is_none());
        }
    }
}

#[test]
fn f43_a_wish_to_rejoin_is_of_no_use_once_it_was_carried_out() {
    let mut village = village();
    let plan = village.plan(&json!({ "rejoin": [ADMIN] }));
    let change = village.commits(MEMBER, &plan).unwrap();
    // The member that was put back renews its leaf, and everybody follows.
    let package = village.people[ADMIN].crypto();
    let person = &village.people[ADMIN];
    person.package(&package, village.suite, false);
    let (_, rows) = person.package(&package, village.suite, false);
    let back = Group::join(
        &village.cryptos[ADMIN],
        rows,
        change.welcome.as_ref().unwrap(),
        change.group.node(),
    );
    for (at, state) in village.groups.iter_mut().enumerate() {
        let next = match at {
            ADMIN => None,
            MEMBER => continue,
            _ => {
                state
                    .as_ref()
                    .unwrap()
                    .apply(&village.cryptos[at], &change.commit)
                    .unwrap()
                    .group
            }
        };
        *state = next;
    }
    village.groups[ADMIN] = Some(back.unwrap().group);
    village.groups[MEMBER] = Some(change.group);
    // A plain member shows the same wish and package, at once and after the device has renewed its leaf.
    for _ in 0..2 {
        let again = Plan {
            remove: vec![village.leaf(ADMIN)],
            ..plan.clone()
        };
        assert!(
            refused(village.commits(MEMBER, &again)),
            "a wish that was carried out throws its device out again"
        );
        village.advance(ADMIN, &json!({}));
    }
}

#[test]
fn f44_an_admin_does_not_replace_the_leaf_of_a_more_senior_one_that_did_not_wish_it() {
    let village = village();
    let mut plan = village.plan(&json!({ "rejoin": [OWNER] }));
    plan.statements.clear();
    assert!(
        refused(village.commits(ADMIN, &plan)),
        "an admin throws the owner's device out by adding it again"
    );
}

#[test]
fn f44_a_wish_to_leave_takes_all_devices_of_its_account() {
    let village = village();
    let plan = village.plan(&json!({ "leave": [TWO] }));
    let change = village.commits(MEMBER, &plan);
    let stays = |change: madang_protocol::chat::Change| {
        let device = village.people[DEVICES].device().public();
        change
            .group
            .members()
            .unwrap()
            .iter()
            .any(|member| member.device == device)
    };
    assert!(
        change.map_or(true, |change| !stays(change)),
        "one device of the account goes, the other stays"
    );
}

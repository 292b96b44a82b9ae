//! What somebody hostile may try, and what is seen by those who settled or joined at other times.

use crate::tree::*;
use madang_protocol::chat::Dag;

/// One root, one joiner: the tree below a node, as somebody sees it who knows nothing of before.
fn below(tree: &Tree, root: u8) -> Dag {
    let whole = tree.dag();
    let admins = whole.commit(&node(root)).unwrap().admins.clone();
    let mut dag = Dag::new(node(root), admins);
    for (name, commit) in &tree.commits {
        if *name != root && whole.leads_to(&node(root), &node(*name)) {
            dag.insert(node(*name), commit.clone()).unwrap();
        }
    }
    dag
}

/// Two admins remove the same member at once; it is added again, and updates its leaf as new members do.
fn removed_twice_and_added_again() -> Tree {
    let mut tree = Tree::new();
    tree.removes(1, 0, ADMIN, &[MEMBER]);
    tree.removes(2, 0, SECOND, &[MEMBER]);
    tree.by(3, 1, OWNER);
    tree.by(4, 3, MEMBER);
    tree
}

#[test]
fn f37_who_was_removed_twice_at_once_and_added_again_commits_like_others() {
    let tree = removed_twice_and_added_again();
    assert_eq!(
        below(&tree, 3).tip(),
        node(4),
        "as the member itself sees it, from where it joined"
    );
    assert_eq!(tree.tip(), node(4), "as everybody else sees it");
}

#[test]
fn f37_whoever_settled_and_whoever_did_not_yet_see_the_same_winner() {
    // A removal loses against the owner; the member that it meant commits on what won.
    let mut tree = Tree::new();
    tree.by(1, 0, OWNER);
    tree.removes(2, 0, ADMIN, &[MEMBER]);
    let mut early = tree.dag();
    assert!(!early.settle(node(1)).is_empty());
    tree.by(3, 1, MEMBER);
    early.insert(node(3), tree.commits[2].1.clone()).unwrap();
    let mut late = tree.dag();
    assert_eq!(early.tip(), late.tip());
    assert!(
        !late.settle(node(1)).is_empty(),
        "a lost removal keeps a chat from settling"
    );
}

#[test]
fn f39_a_removed_admin_does_not_undo_it_by_removing_whose_commit_it_builds_on() {
    let mut tree = Tree::new();
    tree.by(1, 0, MEMBER);
    tree.removes(2, 1, ADMIN, &[SECOND]);
    // Beside both, backdated.
    tree.removes(3, 0, SECOND, &[MEMBER]);
    assert_eq!(tree.tip(), node(2));
}

#[test]
fn f39_a_plain_member_does_not_undo_an_admins_commit_by_removing_a_device_of_its_own() {
    let mut tree = Tree::new();
    tree.by(1, 0, ADMIN);
    tree.removes_device(2, 0, MEMBER, 104);
    assert_eq!(tree.tip(), node(1));
}

#[test]
fn f39_backdating_gains_nothing_against_an_owner_who_has_spoken() {
    let mut tree = Tree::new();
    tree.by(1, 0, MEMBER);
    tree.by(2, 1, OWNER);
    for (name, author) in [(3, ADMIN), (4, SECOND), (5, OTHER)] {
        tree.by(name, 0, author);
    }
    tree.by(6, 3, SECOND);
    tree.by(7, 6, ADMIN);
    assert_eq!(tree.tip(), node(2));
}

#[test]
fn f39_a_withheld_commit_of_the_owner_wins_until_it_is_settled_and_is_unfit_afterwards() {
    let mut tree = Tree::new();
    tree.by(1, 0, ADMIN);
    tree.by(2, 1, SECOND);
    let mut settled = tree.dag();
    assert!(!settled.settle(node(1)).is_empty());
    tree.by(3, 0, OWNER);
    assert_eq!(tree.tip(), node(3));
    assert!(settled.insert(node(3), tree.commits[2].1.clone()).is_err());
    assert_eq!(settled.tip(), node(2));
}

#[test]
fn f39_an_owner_who_gave_it_away_forks_from_before_only_until_that_is_settled() {
    let mut tree = Tree::new();
    tree.ranks(1, 0, OWNER, &[ADMIN, OWNER, SECOND]);
    tree.removes(2, 1, ADMIN, &[OWNER]);
    let mut settled = tree.dag();
    assert!(!settled.settle(node(1)).is_empty());
    tree.removes(3, 0, OWNER, &[ADMIN]);
    // The stated limit.
    assert_eq!(tree.tip(), node(3));
    assert!(settled.insert(node(3), tree.commits[2].1.clone()).is_err());
    assert_eq!(settled.tip(), node(2));
}

#[test]
fn f39_an_equivocating_member_orders_only_its_own_commits() {
    for second in [2, 9] {
        let mut tree = Tree::new();
        tree.by(5, 0, MEMBER);
        tree.by(second, 0, MEMBER);
        assert_eq!(tree.tip(), node(second.min(5)));
        tree.by(7, 0, SECOND);
        assert_eq!(tree.tip(), node(7));
    }
}

#[test]
fn f39_two_devices_of_one_account_that_remove_each_other_strike_nothing() {
    let mut tree = Tree::new();
    tree.removes_device(1, 0, MEMBER, 104);
    let back = tree.removes_device(2, 0, MEMBER, MEMBER);
    (back.device, back.tie) = (device(104), [0; 32]);
    assert_eq!(tree.tip(), node(2), "the tie decides, as if nobody was removed");
    tree.removes(3, 0, ADMIN, &[MEMBER]);
    assert_eq!(tree.tip(), node(3));
}

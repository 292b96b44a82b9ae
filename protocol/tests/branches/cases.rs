//! The trees of `chat_branches.json`.

use crate::tree::*;
use madang_protocol::limits::SIBLINGS;

pub struct Case {
    pub name: &'static str,
    pub tree: Tree,
    pub tip: u8,
    /// Commits that are void at the root, in order.
    pub void: Vec<u8>,
    pub settle: Option<u8>,
}

/// Grows a tree.
fn case(name: &'static str, tip: u8, void: &[u8], grow: impl FnOnce(&mut Tree)) -> Case {
    let mut tree = Tree::new();
    grow(&mut tree);
    Case {
        name,
        tree,
        tip,
        void: void.to_vec(),
        settle: None,
    }
}

impl Case {
    fn settled(mut self, at: u8) -> Self {
        self.settle = Some(at);
        self
    }
}

pub fn all() -> Vec<Case> {
    [
        straight(),
        checkpoints(),
        ranks(),
        ties(),
        removals(),
        cycles(),
        settling(),
        unfit(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn straight() -> Vec<Case> {
    vec![
        case("nothing but the root", 0, &[], |_| {}),
        case("a line", 3, &[], |tree| {
            tree.by(1, 0, MEMBER);
            tree.by(2, 1, ADMIN);
            tree.removes(3, 2, OWNER, &[MEMBER]);
        }),
    ]
}

fn checkpoints() -> Vec<Case> {
    vec![
        case("the branch that the owner is in", 3, &[], |tree| {
            tree.by(1, 0, ADMIN);
            tree.by(2, 0, MEMBER);
            tree.by(3, 2, OWNER);
        }),
        case("the owner's later commit, not its first", 5, &[], |tree| {
            tree.by(1, 0, OWNER);
            tree.by(2, 1, ADMIN);
            tree.by(3, 0, MEMBER);
            tree.by(4, 3, MEMBER);
            tree.by(5, 4, OWNER);
        }),
        case("a longer branch without the owner is nothing", 1, &[], |tree| {
            tree.by(1, 0, OWNER);
            tree.by(2, 0, ADMIN);
            tree.by(3, 2, SECOND);
            tree.by(4, 3, ADMIN);
            tree.by(6, 4, SECOND);
        }),
        case("the owner's commit beats an admin's removal", 1, &[], |tree| {
            tree.by(1, 0, OWNER);
            tree.removes(2, 0, ADMIN, &[SECOND]);
        }),
        case("equal checkpoints: the class decides", 2, &[], |tree| {
            tree.by(1, 0, OWNER);
            tree.removes(2, 0, OWNER, &[MEMBER]);
        }),
        case(
            "who is the owner is asked of the fork, not of the branch",
            2,
            &[],
            |tree| {
                tree.ranks(1, 0, ADMIN, &[OWNER, ADMIN, SECOND, MEMBER]);
                tree.ranks(2, 0, OWNER, &[MEMBER, OWNER]);
                tree.by(3, 1, ADMIN);
                tree.by(4, 3, MEMBER);
            },
        ),
        case(
            "after a hand-over the new owner's commits are the checkpoints",
            3,
            &[],
            |tree| {
                tree.ranks(1, 0, OWNER, &[ADMIN, OWNER, SECOND]);
                tree.by(2, 1, OWNER);
                tree.by(3, 1, ADMIN);
            },
        ),
        case(
            "the owner's commit on a side of a branch counts for the branch",
            4,
            &[],
            |tree| {
                tree.by(1, 0, ADMIN);
                tree.by(2, 0, MEMBER);
                tree.by(3, 2, OWNER);
                tree.by(4, 2, OWNER).tie = [0; 32];
                tree.commits[2].1.tie = [1; 32];
            },
        ),
    ]
}

fn ranks() -> Vec<Case> {
    vec![
        case("the more senior author", 1, &[], |tree| {
            tree.by(1, 0, ADMIN);
            tree.by(2, 0, SECOND);
        }),
        case("an admin against a member", 2, &[], |tree| {
            tree.by(1, 0, MEMBER);
            tree.by(2, 0, SECOND);
        }),
        case(
            "the most senior author anywhere in the branch, not only of its first commit",
            4,
            &[],
            |tree| {
                tree.by(1, 0, SECOND);
                tree.by(2, 0, MEMBER);
                tree.by(3, 2, OTHER);
                tree.by(4, 3, ADMIN);
            },
        ),
        case(
            "a rank that was given in the branch doesn't count at its fork",
            1,
            &[],
            |tree| {
                tree.by(1, 0, SECOND);
                tree.by(2, 0, MEMBER).admins = [OWNER, ADMIN, OTHER, SECOND].map(account).to_vec();
                tree.by(3, 2, OTHER);
            },
        ),
        case(
            "a removal against a more senior author: the class is asked first",
            2,
            &[],
            |tree| {
                tree.by(1, 0, ADMIN);
                tree.removes(2, 0, SECOND, &[MEMBER]);
            },
        ),
        case("only a branch's first commit gives its class", 1, &[], |tree| {
            tree.by(1, 0, ADMIN);
            tree.by(2, 0, SECOND);
            tree.removes(3, 2, SECOND, &[MEMBER]);
        }),
        case("two removals: the more senior author", 1, &[], |tree| {
            tree.removes(1, 0, ADMIN, &[MEMBER]);
            tree.removes(2, 0, SECOND, &[OTHER]);
        }),
        Case {
            tree: {
                let mut tree = Tree::with(&[]);
                tree.by(1, 0, MEMBER).tie = [2; 32];
                tree.by(2, 0, OTHER).tie = [1; 32];
                tree
            },
            ..case("a chat of two, without ranks", 2, &[], |_| {})
        },
    ]
}

fn ties() -> Vec<Case> {
    vec![
        case("the lower tie", 2, &[], |tree| {
            tree.by(1, 0, MEMBER).tie = [9; 32];
            tree.by(2, 0, OTHER).tie = [8; 32];
        }),
        case("a lower tie of a later commit is nothing", 1, &[], |tree| {
            tree.by(1, 0, MEMBER).tie = [8; 32];
            tree.by(2, 0, OTHER).tie = [9; 32];
            tree.by(3, 2, NEW).tie = [0; 32];
        }),
        case("one author's commits on one state: the lower node", 3, &[], |tree| {
            tree.by(7, 0, MEMBER);
            tree.by(3, 0, MEMBER);
            tree.by(5, 0, MEMBER);
        }),
        case("a low node of another author is nothing", 7, &[], |tree| {
            tree.by(7, 0, MEMBER).tie = [1; 32];
            tree.by(1, 0, OTHER).tie = [2; 32];
        }),
        case(
            "one author's commits: what is built on them comes first",
            8,
            &[],
            |tree| {
                tree.by(3, 0, MEMBER);
                tree.by(7, 0, MEMBER);
                tree.by(8, 7, SECOND);
            },
        ),
        case("forks at two depths", 6, &[], |tree| {
            tree.by(1, 0, ADMIN);
            tree.by(2, 0, SECOND);
            tree.by(3, 1, MEMBER).tie = [2; 32];
            tree.by(4, 1, OTHER).tie = [1; 32];
            tree.by(5, 3, OTHER);
            tree.by(6, 4, MEMBER);
        }),
    ]
}

fn removals() -> Vec<Case> {
    vec![
        case("what the target did before its removal counts", 2, &[], |tree| {
            tree.by(1, 0, MEMBER);
            tree.removes(2, 1, ADMIN, &[MEMBER]);
        }),
        case("what the target did beside its removal is void", 1, &[2], |tree| {
            tree.removes(1, 0, SECOND, &[ADMIN]);
            tree.by(2, 0, ADMIN);
        }),
        case("and what others built on it isn't counted", 1, &[2, 3, 4], |tree| {
            tree.removes(1, 0, SECOND, &[MEMBER]);
            tree.by(2, 0, MEMBER);
            tree.by(3, 2, ADMIN);
            tree.by(4, 3, OWNER);
        }),
        case(
            "a removal deep in a branch reaches back to the fork",
            3,
            &[4, 5],
            |tree| {
                tree.by(1, 0, SECOND);
                tree.by(2, 1, SECOND);
                tree.removes(3, 2, SECOND, &[MEMBER]);
                tree.by(4, 0, MEMBER);
                tree.by(5, 4, ADMIN);
            },
        ),
        case("whoever was added again may commit", 4, &[], |tree| {
            tree.removes(1, 0, ADMIN, &[MEMBER]);
            tree.by(2, 1, ADMIN);
            tree.by(3, 2, MEMBER);
            tree.by(4, 3, MEMBER);
        }),
        case("added again, and back at its old state: void there", 3, &[4], |tree| {
            tree.removes(1, 0, ADMIN, &[MEMBER]);
            tree.by(2, 1, ADMIN);
            tree.by(3, 2, MEMBER);
            tree.by(4, 0, MEMBER);
        }),
        case("one removed device, not its account", 3, &[2], |tree| {
            tree.removes_device(1, 0, MEMBER, 0x44);
            tree.by(2, 0, MEMBER).device = device(0x44);
            tree.by(3, 1, MEMBER);
        }),
        case("an admin's removal and what it has removed", 1, &[2, 3, 4], |tree| {
            tree.removes(1, 0, OWNER, &[ADMIN]);
            tree.removes(2, 0, ADMIN, &[SECOND]);
            tree.removes(3, 2, ADMIN, &[MEMBER]);
            tree.by(4, 2, NEW);
        }),
        case(
            "a removal of a removed admin strikes nobody: defended",
            3,
            &[2],
            |tree| {
                tree.removes(1, 0, OWNER, &[ADMIN]);
                tree.removes(2, 0, ADMIN, &[SECOND]);
                tree.by(3, 1, SECOND);
            },
        ),
        case(
            "a chain of three removals: the first stands, the second falls, the third stands",
            1,
            &[2],
            |tree| {
                tree.removes(1, 0, OWNER, &[ADMIN]);
                tree.removes(2, 0, ADMIN, &[SECOND]);
                tree.removes(3, 0, SECOND, &[MEMBER]);
            },
        ),
        case("a chain of four removals", 1, &[2, 4], |tree| {
            tree.removes(1, 0, OWNER, &[ADMIN]);
            tree.removes(2, 0, ADMIN, &[SECOND]);
            tree.removes(3, 0, SECOND, &[MEMBER]);
            tree.removes(4, 0, MEMBER, &[OTHER]);
        }),
        case("two targets of one removal", 1, &[2, 3], |tree| {
            tree.removes(1, 0, OWNER, &[ADMIN, SECOND]);
            tree.by(2, 0, ADMIN);
            tree.by(3, 0, SECOND);
        }),
        case(
            "removed twice at once and added again: what lost doesn't reach below the fork",
            4,
            &[4],
            |tree| {
                tree.removes(1, 0, ADMIN, &[MEMBER]);
                tree.removes(2, 0, SECOND, &[MEMBER]);
                tree.by(3, 1, OWNER);
                tree.by(4, 3, MEMBER);
            },
        ),
        case("a removal that lost: its target commits on what won", 3, &[3], |tree| {
            tree.by(1, 0, OWNER);
            tree.removes(2, 0, ADMIN, &[MEMBER]);
            tree.by(3, 1, MEMBER);
        }),
        case("the removal of an own device is of no class", 1, &[], |tree| {
            tree.by(1, 0, ADMIN);
            tree.removes_device(2, 0, MEMBER, 0x44);
        }),
        case("two admins remove one member at once", 1, &[3], |tree| {
            tree.removes(1, 0, ADMIN, &[MEMBER]);
            tree.removes(2, 0, SECOND, &[MEMBER]);
            tree.by(3, 0, MEMBER);
        }),
    ]
}

fn cycles() -> Vec<Case> {
    vec![
        case(
            "of two that remove each other the more senior one stands",
            1,
            &[2],
            |tree| {
                tree.removes(1, 0, ADMIN, &[SECOND]);
                tree.removes(2, 0, SECOND, &[ADMIN]);
            },
        ),
        case(
            "a removal against the author of a commit that its author's removal builds on",
            2,
            &[3],
            |tree| {
                tree.by(1, 0, MEMBER);
                tree.removes(2, 1, ADMIN, &[SECOND]);
                tree.removes(3, 0, SECOND, &[MEMBER]);
            },
        ),
        case(
            "equal ranks at the fork: both fell, and neither strikes",
            2,
            &[],
            |tree| {
                tree.by(1, 0, OWNER).admins = [OWNER, MEMBER].map(account).to_vec();
                tree.removes(2, 1, MEMBER, &[OTHER]);
                tree.by(3, 0, ADMIN).admins = [ADMIN, OTHER].map(account).to_vec();
                tree.removes(4, 3, OTHER, &[MEMBER]);
            },
        ),
        Case {
            tree: {
                let mut tree = Tree::with(&[OWNER, ADMIN, OTHER, SECOND]);
                tree.by(1, 0, MEMBER).admins = [OWNER, SECOND, ADMIN, OTHER].map(account).to_vec();
                tree.removes(2, 1, ADMIN, &[SECOND]);
                tree.removes(3, 1, SECOND, &[ADMIN]);
                tree.by(4, 0, OTHER);
                tree
            },
            ..case(
                "who is senior is asked where the two removals part, not at the fork that is judged",
                4,
                &[2],
                |_| {},
            )
        },
        case("a more senior one ends it", 3, &[1, 2], |tree| {
            tree.removes(1, 0, ADMIN, &[SECOND]);
            tree.removes(2, 0, SECOND, &[ADMIN]);
            tree.removes(3, 0, OWNER, &[ADMIN, SECOND]);
        }),
        case(
            "a circle of three, and one beside it who is struck by nobody that stands",
            1,
            &[],
            |tree| {
                tree.removes(1, 0, ADMIN, &[SECOND]);
                tree.removes(2, 0, SECOND, &[MEMBER]);
                tree.removes(3, 0, MEMBER, &[ADMIN]);
                tree.by(4, 0, SECOND);
            },
        ),
        case(
            "an owner who gave it away and is removed, from before: it is the owner at the fork",
            3,
            &[2],
            |tree| {
                tree.ranks(1, 0, OWNER, &[ADMIN, OWNER, SECOND]);
                tree.removes(2, 1, ADMIN, &[OWNER]);
                tree.removes(3, 0, OWNER, &[ADMIN]);
            },
        ),
        case(
            "two devices of one account remove each other: the tie",
            2,
            &[],
            |tree| {
                tree.removes_device(1, 0, MEMBER, 0x44).tie = [2; 32];
                let other = tree.removes_device(2, 0, MEMBER, MEMBER);
                (other.device, other.tie) = (device(0x44), [1; 32]);
            },
        ),
    ]
}

fn settling() -> Vec<Case> {
    let fork = |tree: &mut Tree| {
        tree.by(1, 0, OWNER);
        tree.by(2, 0, MEMBER);
        tree.by(3, 1, MEMBER);
        tree.by(4, 3, ADMIN);
        tree.by(5, 1, OTHER);
    };
    vec![
        case(
            "settled on the first of the branch: the other branch goes",
            4,
            &[],
            fork,
        )
        .settled(1),
        case("settled further on: the side branch goes too", 4, &[], fork).settled(3),
        case("what doesn't lead to the tip isn't settled on", 4, &[], fork).settled(5),
        case("nor the root, which is settled", 4, &[], fork).settled(0),
        case("nor a node that isn't there", 4, &[], fork).settled(9),
    ]
}

fn unfit() -> Vec<Case> {
    vec![
        case("a commit without its parent isn't taken", 1, &[], |tree| {
            tree.by(1, 0, ADMIN);
            tree.by(3, 2, OWNER);
        }),
        case("a device's ninth commit on one state isn't taken", 1, &[], |tree| {
            for name in 1..=SIBLINGS as u8 + 1 {
                tree.by(name, 0, MEMBER);
            }
            tree.by(0x20, 0, MEMBER).device = device(0x44);
        }),
    ]
}

//! `spec/vectors/chat_branches.json`: trees of commits and the state that wins.
//!
//! A name of two digits stands for 32 such bytes. Every tree is read as it stands, in other orders, and by the naive reading; a member
//! that nothing reads fails. `MADANG_WRITE_VECTORS=1 cargo test -p madang-protocol --test branches` writes the file from `cases`.

use crate::cases;
use crate::naive::Naive;
use crate::tree::Tree;
use madang_protocol::chat::dag::{Commit, Unfit};
use madang_protocol::chat::{Dag, Target};
use madang_protocol::keys::{AccountId, DeviceId, NodeId};
use serde::{Deserialize, Serialize};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/vectors/chat_branches.json");

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    trees: Vec<TreeVector>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeVector {
    name: String,
    root: String,
    root_admins: Vec<String>,
    commits: Vec<CommitVector>,
    /// Commits that are void at the root.
    void: Vec<String>,
    tip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle: Option<SettleVector>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitVector {
    node: String,
    parent: String,
    epoch: u64,
    author: String,
    device: String,
    tie: String,
    targets: Vec<TargetVector>,
    admins: Vec<String>,
    /// Why it isn't taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfit: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TargetVector {
    Account(String),
    Device(String),
}

/// What is forgotten when a node becomes the oldest; nothing if that is refused.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleVector {
    at: String,
    forgets: Vec<String>,
}

fn short(bytes: [u8; 32]) -> String {
    assert!(bytes.iter().all(|byte| *byte == bytes[0]), "not one byte repeated");
    hex::encode([bytes[0]])
}

fn long(text: &str) -> [u8; 32] {
    let bytes = hex::decode(text).unwrap();
    assert_eq!(bytes.len(), 1, "{text} is not two digits");
    [bytes[0]; 32]
}

fn nodes(list: impl IntoIterator<Item = NodeId>) -> Vec<String> {
    let mut list: Vec<String> = list.into_iter().map(|node| short(node.0)).collect();
    list.sort();
    list
}

fn accounts(list: &[AccountId]) -> Vec<String> {
    list.iter().map(|account| short(account.0)).collect()
}

impl CommitVector {
    fn of(node: NodeId, commit: &Commit, taken: Result<(), Unfit>) -> Self {
        let target = |target: &Target| match target {
            Target::Account(account) => TargetVector::Account(short(account.0)),
            Target::Device(device) => TargetVector::Device(short(device.0)),
        };
        Self {
            node: short(node.0),
            parent: short(commit.parent.0),
            epoch: commit.epoch,
            author: short(commit.author.0),
            device: short(commit.device.0),
            tie: short(commit.tie),
            targets: commit.targets.iter().map(target).collect(),
            admins: accounts(&commit.admins),
            unfit: taken.err().map(|unfit| {
                match unfit {
                    Unfit::NoParent => "no_parent",
                    Unfit::TooMany => "too_many",
                }
                .to_owned()
            }),
        }
    }

    fn commit(&self) -> (NodeId, Commit) {
        let target = |target: &TargetVector| match target {
            TargetVector::Account(account) => Target::Account(AccountId(long(account))),
            TargetVector::Device(device) => Target::Device(DeviceId(long(device))),
        };
        let commit = Commit {
            parent: NodeId(long(&self.parent)),
            epoch: self.epoch,
            author: AccountId(long(&self.author)),
            device: DeviceId(long(&self.device)),
            tie: long(&self.tie),
            targets: self.targets.iter().map(target).collect(),
            admins: self.admins.iter().map(|admin| AccountId(long(admin))).collect(),
        };
        (NodeId(long(&self.node)), commit)
    }
}

fn write(name: &str, tree: &Tree, settle: Option<u8>) -> TreeVector {
    let mut dag = Dag::new(
        crate::tree::node(0),
        tree.root_admins.iter().copied().map(crate::tree::account).collect(),
    );
    let insert = |(name, commit): &(u8, Commit)| {
        let taken = dag.insert(crate::tree::node(*name), commit.clone());
        CommitVector::of(crate::tree::node(*name), commit, taken)
    };
    let commits: Vec<CommitVector> = tree.commits.iter().map(insert).collect();
    let counted = Naive::of(&dag).counted();
    let void = dag
        .commits()
        .map(|(node, _)| *node)
        .filter(|node| !counted.contains(node));
    TreeVector {
        name: name.to_owned(),
        root: short(dag.root().0),
        root_admins: accounts(dag.root_admins()),
        commits,
        void: nodes(void),
        tip: short(dag.tip().0),
        settle: settle.map(|at| SettleVector {
            at: hex::encode([at]),
            forgets: nodes(dag.clone().settle(crate::tree::node(at))),
        }),
    }
}

fn written() -> File {
    File {
        format: "chat_branches".into(),
        trees: cases::all()
            .iter()
            .map(|case| write(case.name, &case.tree, case.settle))
            .collect(),
    }
}

fn stored() -> File {
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, serde_json::to_string_pretty(&written()).unwrap() + "\n").unwrap();
    }
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

/// What each tree says, apart from the file, so that writing it anew can't hide a change of the rule.
#[test]
fn each_tree_gives_the_winner_that_its_case_names() {
    for case in cases::all() {
        let vector = write(case.name, &case.tree, case.settle);
        assert_eq!(vector.tip, hex::encode([case.tip]), "{}", case.name);
        let void: Vec<String> = case.void.iter().map(|name| hex::encode([*name])).collect();
        assert_eq!(vector.void, void, "{}", case.name);
    }
}

#[test]
fn f37_f39_every_tree_of_the_vectors_gives_its_winner_in_every_order() {
    let file = stored();
    assert_eq!(file, written(), "the file isn't what the code writes");
    assert!(file.trees.len() >= 25, "only {} trees", file.trees.len());
    for tree in &file.trees {
        let admins: Vec<AccountId> = tree.root_admins.iter().map(|admin| AccountId(long(admin))).collect();
        let new = || Dag::new(NodeId(long(&tree.root)), admins.clone());
        let mut dag = new();
        for vector in &tree.commits {
            let (node, commit) = vector.commit();
            let unfit = dag.insert(node, commit).err();
            let expected = vector.unfit.as_deref().map(|why| match why {
                "no_parent" => Unfit::NoParent,
                "too_many" => Unfit::TooMany,
                other => panic!("nothing knows the reason {other}"),
            });
            assert_eq!(unfit, expected, "{}: {}", tree.name, vector.node);
        }
        assert_eq!(short(dag.tip().0), tree.tip, "{}", tree.name);
        let naive = Naive::of(&dag);
        assert_eq!(naive.tip(), dag.tip(), "{}, read naively", tree.name);
        let counted = naive.counted();
        let void = dag
            .commits()
            .map(|(node, _)| *node)
            .filter(|node| !counted.contains(node));
        assert_eq!(nodes(void), tree.void, "{}", tree.name);

        // Newest first: each waits for what it builds on.
        let mut waiting: Vec<(NodeId, Commit)> = tree
            .commits
            .iter()
            .filter(|vector| vector.unfit.is_none())
            .map(CommitVector::commit)
            .collect();
        let mut again = new();
        while !waiting.is_empty() {
            waiting.reverse();
            waiting.retain(|(node, commit)| again.insert(*node, commit.clone()) == Err(Unfit::NoParent));
        }
        assert_eq!(again.tip(), dag.tip(), "{}, in another order", tree.name);

        if let Some(settle) = &tree.settle {
            let forgotten = nodes(dag.settle(NodeId(long(&settle.at))));
            assert_eq!(forgotten, settle.forgets, "{}", tree.name);
            assert_eq!(short(dag.tip().0), tree.tip, "{}, settled", tree.name);
        }
    }
}

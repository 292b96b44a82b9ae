//! Random trees: the code beside the naive reading, and what the proof sketch claims.

use crate::naive::Naive;
use madang_protocol::chat::dag::{Commit, Unfit};
use madang_protocol::chat::{Dag, Target};
use madang_protocol::keys::{AccountId, DeviceId, NodeId};

const TREES: u64 = 12_000;

/// Numbers made from a seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }
}

fn account(name: u64) -> AccountId {
    AccountId([name as u8; 32])
}

fn name(numbers: &mut Numbers, number: u64) -> NodeId {
    // Names in no order, so that they decide nothing by their age.
    let mut bytes = [0; 32];
    bytes[0] = numbers.below(200) as u8 + 1;
    bytes[1] = number as u8;
    NodeId(bytes)
}

/// A tree of up to 12 commits by seven accounts, some with two devices, with removals and new ranks: more than valid commits could make.
fn tree(numbers: &mut Numbers) -> Dag {
    let admins: Vec<AccountId> = (1..=1 + numbers.below(4)).map(account).collect();
    let mut dag = Dag::new(NodeId([0; 32]), admins.clone());
    let mut known = vec![(dag.root(), 0, admins)];
    for number in 0..2 + numbers.below(11) {
        let place = numbers.below(known.len() as u64) as usize;
        let (parent, epoch, mut admins) = known[place].clone();
        let author = 1 + numbers.below(7);
        let targets = match numbers.below(8) {
            0..=1 => vec![Target::Account(account(1 + numbers.below(7)))],
            2 => vec![Target::Device(DeviceId([(1 + numbers.below(7)) as u8; 32]))],
            3 if numbers.one_in(3) => (1..=2)
                .map(|_| Target::Account(account(1 + numbers.below(7))))
                .collect(),
            _ => Vec::new(),
        };
        // Nobody removes itself.
        let itself = [
            Target::Account(account(author)),
            Target::Device(DeviceId([author as u8; 32])),
        ];
        let targets: Vec<Target> = targets.into_iter().filter(|target| !itself.contains(target)).collect();
        admins.retain(|admin| !targets.contains(&Target::Account(*admin)));
        if numbers.one_in(6) {
            let places = numbers.below(admins.len().max(1) as u64) as usize;
            admins.rotate_left(places);
        }
        if numbers.one_in(12) {
            admins.clear();
        }
        let second = numbers.one_in(6);
        let commit = Commit {
            parent,
            epoch: epoch + 1,
            author: account(author),
            device: DeviceId([author as u8 + if second { 100 } else { 0 }; 32]),
            tie: [numbers.below(4) as u8; 32],
            targets,
            admins: admins.clone(),
        };
        let node = name(numbers, number);
        assert_eq!(dag.insert(node, commit), Ok::<(), Unfit>(()));
        known.push((node, epoch + 1, admins));
    }
    dag
}

/// A state's epoch and admins.
fn state(dag: &Dag, node: &NodeId) -> (u64, Vec<AccountId>) {
    match dag.commit(node) {
        Some(commit) => (commit.epoch, commit.admins.clone()),
        None => (0, dag.root_admins().to_vec()),
    }
}

fn each_tree(mut check: impl FnMut(&mut Numbers, Dag)) {
    for seed in 0..TREES {
        let mut numbers = Numbers(seed);
        let dag = tree(&mut numbers);
        check(&mut numbers, dag);
    }
}

#[test]
fn f37_f39_the_code_and_a_naive_reading_of_the_specification_agree() {
    let (mut voided, mut forked) = (0, 0);
    each_tree(|_, dag| {
        let naive = Naive::of(&dag);
        assert_eq!(dag.tip(), naive.tip(), "{:?}", dag.commits().collect::<Vec<_>>());
        voided += usize::from(naive.counted().len() < naive.commits.len());
        forked += usize::from(!dag.losers().is_empty());
    });
    // Trees without anything to decide would prove nothing.
    let (voided, forked) = (voided as u64, forked as u64);
    assert!(voided > TREES / 10 && forked > TREES / 2, "{voided} {forked}");
}

/// A member with two devices and an admin who remove each other's, level by level: each level forks, and each removal reaches many.
fn feud(levels: u64) -> Dag {
    let admins: Vec<AccountId> = (1..=2).map(account).collect();
    let mut dag = Dag::new(NodeId([0; 32]), admins.clone());
    let mut parent = dag.root();
    for level in 0..levels {
        let mut last = parent;
        for side in 0..2_u64 {
            let (author, target) = if side == 0 { (2, 100 + 3) } else { (3, 2) };
            let mut name = [side as u8 + 1; 32];
            name[..8].copy_from_slice(&level.to_be_bytes());
            let commit = Commit {
                parent,
                epoch: level + 1,
                author: account(author),
                device: DeviceId([author as u8 + if level % 2 == 1 { 100 } else { 0 }; 32]),
                tie: [side as u8; 32],
                targets: vec![Target::Device(DeviceId([target as u8; 32]))],
                admins: admins.clone(),
            };
            last = NodeId(name);
            assert_eq!(dag.insert(last, commit), Ok::<(), Unfit>(()));
        }
        parent = last;
    }
    dag
}

#[test]
fn f48_choosing_among_hundreds_of_commits_costs_little() {
    let began = std::time::Instant::now();
    let small = feud(50);
    let naive = Naive::of(&feud(6));
    assert_eq!(feud(6).tip(), naive.tip());
    let after = began.elapsed();
    let large = feud(100);
    let took = began.elapsed() - after;
    println!("100 commits one by one and a check: {after:?}; 200: {took:?}");
    let (small, large) = (small.effort(), large.effort());
    println!(
        "looks: {small} at 100 commits, {large} at 200, {:.1} times as many",
        large as f64 / small as f64
    );
    // What was, walked up the tree for each pair at each fork: some 100 million.
    assert!(large < 2_000_000, "{large}");
    // Twice the commits, at most some eight times the work.
    assert!(large < small * 9, "{small} {large}");
}

#[test]
fn f37_the_order_of_arrival_decides_nothing() {
    each_tree(|numbers, dag| {
        let mut waiting: Vec<(NodeId, Commit)> = dag.commits().map(|(n, c)| (*n, c.clone())).collect();
        let mut again = Dag::new(dag.root(), dag.root_admins().to_vec());
        while !waiting.is_empty() {
            let at = numbers.below(waiting.len() as u64) as usize;
            let (node, commit) = waiting.swap_remove(at);
            if again.insert(node, commit.clone()) == Err(Unfit::NoParent) {
                waiting.push((node, commit));
            }
        }
        assert_eq!(again.tip(), dag.tip());
    });
}

#[test]
fn f38_settling_forgets_only_what_lost() {
    each_tree(|_, dag| {
        let path: Vec<NodeId> = dag.path(&dag.tip()).collect();
        for node in path {
            let mut pruned = dag.clone();
            let gone = pruned.settle(node);
            assert_eq!(pruned.tip(), dag.tip(), "settling changed the winner");
            assert_eq!(pruned.root(), node, "it wasn't settled");
            assert!(gone.iter().all(|gone| !dag.leads_to(&node, gone)));
            assert_eq!(gone.len() + pruned.commits().count(), dag.commits().count());
        }
    });
}

#[test]
fn f37_whoever_settled_stays_with_whoever_did_not() {
    let mut grown = 0;
    each_tree(|numbers, dag| {
        // One settles on a state of the way; then both see the same commits, on what the one still knows.
        let path: Vec<NodeId> = dag.path(&dag.tip()).collect();
        let root = path[numbers.below(path.len() as u64) as usize];
        let (mut early, mut late) = (dag.clone(), dag);
        early.settle(root);
        for number in 0..4 {
            let mut known: Vec<NodeId> = early.commits().map(|(node, _)| *node).collect();
            known.push(root);
            let parent = known[numbers.below(known.len() as u64) as usize];
            let (epoch, admins) = state(&late, &parent);
            let target = Target::Account(account(1 + numbers.below(7)));
            let author = 1 + numbers.below(7);
            let commit = Commit {
                parent,
                epoch: epoch + 1,
                author: account(author),
                device: DeviceId([author as u8; 32]),
                tie: [numbers.below(4) as u8; 32],
                targets: Vec::from_iter(numbers.one_in(3).then_some(target)),
                admins,
            };
            let node = NodeId([0xe0 + number; 32]);
            assert_eq!(early.insert(node, commit.clone()), Ok::<(), Unfit>(()));
            assert_eq!(late.insert(node, commit), Ok::<(), Unfit>(()));
            // Unless the way of the other one leaves what was settled: the stated limit.
            if late.leads_to(&root, &late.tip()) {
                assert_eq!(early.tip(), late.tip());
                grown += 1;
            }
        }
    });
    assert!(grown > TREES);
}

#[test]
fn f38_an_honest_commit_on_the_tip_becomes_the_tip() {
    each_tree(|numbers, mut dag| {
        let tip = dag.tip();
        let author = 1 + numbers.below(7);
        let (epoch, admins) = state(&dag, &tip);
        let commit = Commit {
            parent: tip,
            epoch: epoch + 1,
            author: account(author),
            device: DeviceId([author as u8; 32]),
            tie: [0xff; 32],
            targets: Vec::new(),
            admins,
        };
        let node = NodeId([0xee; 32]);
        assert_eq!(dag.insert(node, commit), Ok::<(), Unfit>(()));
        assert_eq!(dag.tip(), node);
    });
}

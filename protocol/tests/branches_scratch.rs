#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use madang_protocol::chat::dag::Commit;
use madang_protocol::chat::{Dag, Target};
use madang_protocol::keys::{AccountId, DeviceId, NodeId};
fn node(n: u32) -> NodeId { let mut b = [0; 32]; b[..4].copy_from_slice(&n.to_be_bytes()); NodeId(b) }
#[test]
fn cost() {
    for (line, each) in [(8u32, 8u32), (16, 4), (16, 8), (32, 4)] {
        let owner = AccountId([1; 32]);
        let mut dag = Dag::new(node(0), vec![owner]);
        let (mut next, mut tip, mut parents) = (1, 0, vec![]);
        let commit = |parent, e: u32, author, by, targets| Commit { parent: node(parent), epoch: u64::from(e) + 1, author: AccountId([author; 32]), device: DeviceId([by; 32]), tie: [by; 32], targets, admins: vec![owner] };
        for e in 0..line {
            dag.insert(node(next), commit(tip, e, 1, 1, vec![])).unwrap();
            parents.push((tip, e));
            tip = next;
            next += 1;
        }
        let (mut total, mut worst) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
        'all: for (parent, e) in parents {
            for k in 0..each * 2 {
                let (by, target) = if k % 2 == 0 { (4, 5) } else { (5, 4) };
                let begin = std::time::Instant::now();
                dag.insert(node(next), commit(parent, e, 4, by, vec![Target::Device(DeviceId([target; 32]))])).unwrap();
                let took = begin.elapsed();
                total += took;
                worst = worst.max(took);
                next += 1;
                if total.as_secs() > 15 { break 'all; }
            }
        }
        println!("line {line} each {each}: nodes {next} total {total:?} worst {worst:?} tip {}", dag.tip() == node(tip));
    }
}

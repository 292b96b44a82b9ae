//! A hostile member: a client like the others, but beside what it honestly does it sends what its keys let it make. The others
//! must end as if it were only one more of them, in one state and with the same messages.

use super::host::Machine;
use super::world::{HostId, World};
use crate::client::Side;
use crate::client::forge::{FORGERIES, Forgery};
use crate::custody::{ClientFrame, Deposit};
use crate::keys::ChatId;
use crate::wire::Wire;

impl World {
    /// The hostile member does something in the group.
    pub fn scheme(&mut self, chat: ChatId) -> Result<(), String> {
        let Some(mole) = self.mole else {
            return Ok(());
        };
        let (Some(forgery), choice) = (self.random.pick(&FORGERIES), self.random.below(1000)) else {
            return Ok(());
        };
        let Some(Machine::Client(client)) = &mut self.hosts[mole.0].machine else {
            return Ok(());
        };
        let made = client.forge(&chat, forgery, choice);
        let envelopes = made.map_err(|error| format!("forging {forgery:?}: {error}"))?;
        if envelopes.is_empty() {
            return Ok(());
        }
        self.outcome.injected += 1;
        self.trace(|| format!("{mole:?} forges {forgery:?} {choice}: {} envelopes", envelopes.len()));
        // Made with its keys, so what it used of them is durable before anybody hears of it.
        self.drain(mole)?;
        let others: Vec<HostId> = (0..self.stranger().0)
            .map(HostId)
            .filter(|host| *host != mole)
            .collect();
        for envelopes in self.shares(forgery, envelopes) {
            let whom: Vec<HostId> = others.iter().copied().filter(|_| self.random.chance(60)).collect();
            let whom = if whom.is_empty() { others.clone() } else { whom };
            for other in whom {
                self.slip(mole, other, &envelopes);
            }
        }
        Ok(())
    }

    /// What goes to the same members.
    fn shares(&mut self, forgery: Forgery, envelopes: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
        if forgery == Forgery::Equivocal {
            envelopes.into_iter().map(|envelope| vec![envelope]).collect()
        } else {
            vec![envelopes]
        }
    }

    fn slip(&mut self, mole: HostId, other: HostId, envelopes: &[Vec<u8>]) {
        let key = self.hosts[other.0].key;
        if self.hosts[other.0].is_client() && self.random.chance(50) {
            if let Some(link) = self.link_between(mole, other).filter(|link| !self.links[link].closing) {
                for envelope in envelopes {
                    self.gossip_to(link, other, envelope.clone());
                }
            }
            return;
        }
        let Some(stream) = self.stream_of(mole, &key, Side::Client) else {
            return;
        };
        let deposit = Deposit {
            request: u64::MAX,
            envelopes: envelopes.to_vec(),
        };
        let frame = ClientFrame::Deposit(deposit).encode();
        self.hash(mole, &key, &[Side::Client as u8], &frame);
        self.put_on_stream(stream, mole, frame);
    }
}

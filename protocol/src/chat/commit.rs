//! Commits: making one, and applying another's. The state before stays as it is, and sleeps: OpenMLS's view of it becomes the next one's.

use super::context::{ChatContext, JoinInfo};
use super::dag;
use super::group::{Beside, Group, GroupError, Header, export, extensions, mls, node_of, protocol_message};
use super::leaf::{LeafSigner, Member, leaf_member, open_lifetime};
use super::mark::Mark;
use super::profile::Profile;
use super::rules::{self, Delta};
use super::statement::{Statement, leaf_key_hash};
use crate::contact::CardPackage;
use crate::keys::{DeviceId, DeviceSecret, NodeId, TopicSecret};
use crate::limits;
use crate::mls::{Crypto, GroupStorage, Provider};
use crate::wire::{Reader, Wire};
use openmls::group::{MlsGroup, StagedCommit};
use openmls::prelude::{
    Extension, KeyPackage, LeafNode, LeafNodeIndex, LeafNodeParameters, MlsMessageBodyIn, MlsMessageIn,
    ProcessedMessageContent, Proposal, ProtocolVersion, UnknownExtension,
};
use tls_codec::{DeserializeBytes, Serialize};

/// What a commit of ours is to change. Its author's leaf is renewed with each.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Key packages of whom it adds, at most [`limits::ADDED_AT_ONCE`].
    pub add: Vec<CardPackage>,
    /// Leaves that it removes.
    pub remove: Vec<u32>,
    /// New settings.
    pub context: Option<ChatContext>,
    /// What others have asked for.
    pub statements: Vec<Statement>,
    /// What this device puts beside it for itself.
    pub mark: Option<Mark>,
    /// What whom it adds is told of the members; those that don't fit are left out by the caller.
    pub profiles: Vec<Profile>,
    /// The states before that whom it adds is told, the oldest first; at most [`limits::PAST_NODES`].
    pub past: Vec<NodeId>,
}

impl Plan {
    /// Whether it changes nothing but its author's leaf.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty() && self.context.is_none()
    }

    /// A plan that only adds.
    pub fn adding(packages: &[CardPackage]) -> Self {
        Self {
            add: packages.to_vec(),
            ..Self::default()
        }
    }
}

/// A commit of ours, merged into a new state.
pub struct Change {
    /// The state after.
    pub group: Group,
    /// The encoded commit, to travel on the parent's topic.
    pub commit: Vec<u8>,
    /// The encoded Welcome, if members were added.
    pub welcome: Option<Vec<u8>>,
    /// What the rule of branches knows of it.
    pub place: dag::Commit,
    /// Whether the chat's topic is renewed: from now on it is [`Group::topic`].
    pub renews: bool,
    /// The devices that it puts back with another leaf, and the hash of that leaf's key.
    pub back: Vec<(DeviceId, [u8; 32])>,
}

/// A commit of ours as OpenMLS made it, merged.
struct Built {
    next: Box<MlsGroup>,
    storage: GroupStorage,
    commit: Vec<u8>,
    welcome: Option<Vec<u8>>,
    /// The leaves that it removes, in its order.
    #[cfg(feature = "sim")]
    removed: Vec<u32>,
}

#[cfg(feature = "sim")]
impl Built {
    /// How often a commit is made again for the order of what it removes: enough for five leaves.
    const TRIES: usize = 1_000;

    /// The same with what it removes in the order of the leaves.
    fn ordered(mut self, again: impl Fn() -> Result<Self, GroupError>) -> Result<Self, GroupError> {
        for _ in 0..Self::TRIES {
            if self.removed.is_sorted() {
                break;
            }
            self = again()?;
        }
        Ok(self)
    }
}

/// Another's commit, applied.
pub struct Applied {
    /// The state after; none if it removes this device.
    pub group: Option<Group>,
    /// Its node.
    pub node: NodeId,
    /// Who made it.
    pub author: Member,
    /// What the rule of branches knows of it.
    pub place: dag::Commit,
    /// Whether the chat's topic is renewed.
    pub renews: bool,
    /// The devices that it puts back with another leaf, and the hash of that leaf's key. The Welcome to it brings them the state.
    pub back: Vec<(DeviceId, [u8; 32])>,
}

impl Group {
    /// Commits a plan, with the secret of the chat's topic for whom it adds.
    pub fn commit(
        &self,
        crypto: &Crypto,
        device: &DeviceSecret,
        plan: &Plan,
        topic: &TopicSecret,
    ) -> Result<Change, GroupError> {
        self.commit_with(crypto, device, plan, topic, Self::allowed_to_us)
    }

    fn allowed_to_us(&self, author: &Member, delta: &Delta) -> Result<Vec<dag::Target>, GroupError> {
        // Where nobody else is there to check it, who is added finds the chat as it is.
        if self.seats().len() == 1 {
            return Ok(Vec::new());
        }
        self.allowed(author, delta)
    }

    fn commit_with(
        &self,
        crypto: &Crypto,
        device: &DeviceSecret,
        plan: &Plan,
        topic: &TopicSecret,
        check: impl FnOnce(&Self, &Member, &Delta) -> Result<Vec<dag::Target>, GroupError>,
    ) -> Result<Change, GroupError> {
        let packages = self.packages(crypto, &plan.add)?;
        let author = self.own_member()?;
        let mut delta = Delta {
            statements: plan.statements.clone(),
            context: plan.context.clone(),
            ..Delta::default()
        };
        for package in &packages {
            delta.added.push(added_leaf(package.leaf_node())?);
        }
        for leaf in &plan.remove {
            delta.removed.push(self.leaf(LeafNodeIndex::new(*leaf))?);
        }
        if delta.context.is_none() {
            let followed = rules::follow(self.context(), &self.members_after(&delta));
            delta.context = (followed != *self.context()).then_some(followed);
        }
        let targets = check(self, &author, &delta)?;
        let renews = renews(&delta);
        let place = self.ask(|group| self.place(group, crypto, &author, &delta, targets))??;
        // Large commits are pointed to from this state.
        self.pointer_key(crypto)?;

        let info = JoinInfo {
            topic: (!renews).then(|| topic.clone()),
            parent: self.node,
            profiles: plan.profiles.clone(),
            past: plan.past.clone(),
        };
        let make = || self.build(crypto, device, plan, (&packages, delta.context.as_ref()), &info);
        #[cfg(feature = "sim")]
        let drawn = crypto.drawn();
        let built = make()?;
        // OpenMLS orders removals by a hash map of the standard library, whose seed comes from the system: the same seed of a history
        // would give other commits each time.
        #[cfg(feature = "sim")]
        let built = built.ordered(|| {
            crypto.draw_again(&drawn);
            make()
        })?;
        Ok(Change {
            group: self.next(built.next, built.storage, &built.commit, &delta)?,
            commit: built.commit,
            welcome: built.welcome,
            place,
            renews,
            back: delta.back(),
        })
    }

    fn build(
        &self,
        crypto: &Crypto,
        device: &DeviceSecret,
        plan: &Plan,
        (packages, context): (&[KeyPackage], Option<&ChatContext>),
        info: &JoinInfo,
    ) -> Result<Built, GroupError> {
        let fail = mls("commit");
        let (mut next, storage) = self.hand_over()?;
        let beside = Beside {
            node: self.node,
            mark: plan.mark,
            statements: plan.statements.clone(),
        };
        next.set_aad(beside.encode(true));
        let provider = Provider {
            crypto,
            storage: &storage,
        };
        let mut builder = next
            .commit_builder()
            .force_self_update(true)
            .leaf_node_parameters(LeafNodeParameters::default())
            .propose_removals(plan.remove.iter().map(|leaf| LeafNodeIndex::new(*leaf)))
            .propose_adds(packages.to_vec());
        if let Some(context) = context {
            builder = builder
                .propose_group_context_extensions(extensions(context)?)
                .map_err(|e| fail(&e))?;
        }
        let mut builder = builder.load_psks(&storage).map_err(|e| fail(&e))?;
        if !plan.add.is_empty() {
            builder = builder
                .create_group_info_with_extensions([Extension::Unknown(
                    JoinInfo::EXTENSION,
                    UnknownExtension(info.encode()),
                )])
                .map_err(|e| fail(&e))?;
        }
        let bundle = builder
            .build(crypto, crypto, &LeafSigner(device), |_| true)
            .map_err(|e| fail(&e))?
            .stage_commit(&provider)
            .map_err(|e| fail(&e))?;
        let welcome = bundle
            .to_welcome_msg()
            .map(|welcome| welcome.tls_serialize_detached())
            .transpose()
            .map_err(|e| fail(&e))?;
        let commit = bundle.into_commit().tls_serialize_detached().map_err(|e| fail(&e))?;
        #[cfg(feature = "sim")]
        let removed = next.pending_commit().map(removed_leaves).unwrap_or_default();
        next.merge_pending_commit(&provider).map_err(|e| fail(&e))?;
        Ok(Built {
            next,
            storage,
            commit,
            welcome,
            #[cfg(feature = "sim")]
            removed,
        })
    }

    /// Commits a plan that the rules don't allow: what a hostile member would send.
    #[cfg(any(test, feature = "sim"))]
    pub fn commit_unchecked(
        &self,
        crypto: &Crypto,
        device: &DeviceSecret,
        plan: &Plan,
        topic: &TopicSecret,
    ) -> Result<Change, GroupError> {
        self.commit_with(crypto, device, plan, topic, |_, _, _| Ok(Vec::new()))
    }

    /// Updates this device's leaf, so that a stolen state heals.
    pub fn update_leaf(&self, crypto: &Crypto, device: &DeviceSecret) -> Result<Change, GroupError> {
        // Nobody is told the topic where nobody is added.
        self.commit(crypto, device, &Plan::default(), &TopicSecret::from_bytes([0; 32]))
    }

    /// Applies another's commit that builds on this state.
    pub fn apply(&self, crypto: &Crypto, bytes: &[u8]) -> Result<Applied, GroupError> {
        let fail = mls("apply a commit");
        let message = protocol_message(bytes)?;
        let header = Header::of(&message)?;
        if header.node != self.node || !header.commit {
            return Err(GroupError::Node);
        }
        // Whatever fails from here on costs no more than reading this state anew.
        let (mut next, storage) = self.hand_over()?;
        let provider = Provider {
            crypto,
            storage: &storage,
        };
        let processed = next.process_message(&provider, message).map_err(|e| fail(&e))?;
        let author = self.sender_of(processed.sender())?;
        let statements = Beside::read(processed.aad(), true)
            .map_err(|e| mls("read a commit's wishes")(&e))?
            .statements;
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(GroupError::Kind);
        };
        let delta = self.delta(&next, &author, &staged, statements)?;
        let targets = self.allowed(&author, &delta)?;
        let place = self.place(&next, crypto, &author, &delta, targets)?;
        let renews = renews(&delta);
        let removed = staged.self_removed();
        next.merge_staged_commit(&provider, *staged).map_err(|e| fail(&e))?;
        Ok(Applied {
            group: if removed {
                None
            } else {
                Some(self.next(next, storage, bytes, &delta)?)
            },
            node: node_of(bytes),
            author,
            place,
            renews,
            back: delta.back(),
        })
    }

    /// The hash by which this device names its leaf when it wishes to leave.
    pub fn own_leaf_key(&self) -> Result<[u8; 32], GroupError> {
        Ok(self.leaf(LeafNodeIndex::new(self.own_leaf()))?.1)
    }

    /// The hash by which a member names its leaf.
    pub fn leaf_key(&self, leaf: u32) -> Result<[u8; 32], GroupError> {
        Ok(self.leaf(LeafNodeIndex::new(leaf))?.1)
    }

    /// This device's member.
    pub fn own_member(&self) -> Result<Member, GroupError> {
        self.member_at(self.own_leaf()).ok_or(GroupError::Kind)
    }

    /// Whose a key package is, if it can be added to this group.
    pub fn package_owner(&self, crypto: &Crypto, package: &CardPackage) -> Result<Member, GroupError> {
        let checked = self.packages(crypto, std::slice::from_ref(package))?;
        let package = checked.first().ok_or(GroupError::Kind)?;
        Ok(added_leaf(package.leaf_node())?.0)
    }

    fn packages(&self, crypto: &Crypto, packages: &[CardPackage]) -> Result<Vec<KeyPackage>, GroupError> {
        let fail = mls("add a member");
        if packages.len() > limits::ADDED_AT_ONCE {
            return Err(fail(&"too many at once"));
        }
        let suite = self.ask(MlsGroup::ciphersuite)?;
        let mut checked = Vec::new();
        for package in packages {
            let package = read_package(crypto, package)?;
            if package.ciphersuite() != suite {
                return Err(fail(&"the key package is of another cipher suite"));
            }
            // OpenMLS compares any other with the system's clock, which nothing here may depend on.
            if *package.life_time() != open_lifetime() {
                return Err(fail(&"the key package has a lifetime of its own"));
            }
            checked.push(package);
        }
        Ok(checked)
    }

    fn delta(
        &self,
        group: &MlsGroup,
        author: &Member,
        staged: &StagedCommit,
        statements: Vec<Statement>,
    ) -> Result<Delta, GroupError> {
        let fail = mls("read a commit");
        let chat = self.chat()?;
        if statements.iter().any(|asked| asked.verify(chat).is_err()) {
            return Err(GroupError::NotAllowed {
                reason: "a wish in it isn't signed by its device",
            });
        }
        let Some(leaf) = staged.update_path_leaf_node() else {
            return Err(GroupError::NotAllowed {
                reason: "a commit must update its author's leaf",
            });
        };
        if leaf_member(author.leaf, leaf.credential(), leaf.signature_key().as_slice())? != *author {
            return Err(GroupError::NotAllowed {
                reason: "a leaf keeps its account and device",
            });
        }
        let mut delta = Delta {
            statements,
            ..Delta::default()
        };
        for proposal in staged.queued_proposals() {
            match proposal.proposal() {
                Proposal::Add(add) => {
                    if *add.key_package().life_time() != open_lifetime() {
                        return Err(fail(&"a key package has a lifetime of its own"));
                    }
                    delta.added.push(added_leaf(add.key_package().leaf_node())?);
                }
                Proposal::Remove(remove) => delta.removed.push(self.leaf_in(group, remove.removed())?),
                Proposal::GroupContextExtensions(change) => {
                    let context = change
                        .extensions()
                        .unknown(ChatContext::EXTENSION)
                        .ok_or_else(|| fail(&"the settings are missing"))?;
                    let context = ChatContext::decode(&context.0).map_err(|e| fail(&e))?;
                    if *change.extensions() != extensions(&context)? {
                        return Err(GroupError::NotAllowed {
                            reason: "it changes what isn't a setting of chats",
                        });
                    }
                    delta.context = Some(context);
                }
                _ => {
                    return Err(GroupError::NotAllowed {
                        reason: "a proposal that chats don't use",
                    });
                }
            }
        }
        if delta.added.len() > limits::ADDED_AT_ONCE {
            return Err(GroupError::NotAllowed {
                reason: "it adds too many at once",
            });
        }
        Ok(delta)
    }

    fn allowed(&self, author: &Member, delta: &Delta) -> Result<Vec<dag::Target>, GroupError> {
        rules::check(self.context(), self.seats(), author, delta).map_err(|reason| GroupError::NotAllowed { reason })
    }

    /// What the rule of branches needs to know of a commit on this state.
    fn place(
        &self,
        group: &MlsGroup,
        crypto: &Crypto,
        author: &Member,
        delta: &Delta,
        targets: Vec<dag::Target>,
    ) -> Result<dag::Commit, GroupError> {
        let context = delta.context.as_ref().unwrap_or(self.context());
        Ok(dag::Commit {
            parent: self.node,
            epoch: self.epoch().saturating_add(1),
            author: author.account,
            device: author.device,
            tie: export(group, crypto, "madang 1 fork", &author.leaf.to_be_bytes())?,
            targets,
            admins: context.admins.clone(),
        })
    }

    fn members_after(&self, delta: &Delta) -> Vec<Member> {
        let mut members = self.staying(delta);
        members.extend(delta.added.iter().map(|(member, _)| member.clone()));
        members
    }

    /// The members that a commit leaves where they are.
    fn staying(&self, delta: &Delta) -> Vec<Member> {
        let mut members = self.seats().to_vec();
        members.retain(|member| delta.removed.iter().all(|(gone, _)| gone.leaf != member.leaf));
        members
    }

    fn leaf(&self, index: LeafNodeIndex) -> Result<(Member, [u8; 32]), GroupError> {
        self.ask(|group| self.leaf_in(group, index))?
    }

    fn leaf_in(&self, group: &MlsGroup, index: LeafNodeIndex) -> Result<(Member, [u8; 32]), GroupError> {
        let leaf = group.member_at(index).zip(self.member_at(index.u32()));
        let (leaf, member) = leaf.ok_or(GroupError::NotAllowed {
            reason: "it names a leaf that isn't there",
        })?;
        Ok((member, leaf_key_hash(&leaf.encryption_key)))
    }

    /// The state after a commit.
    fn next(
        &self,
        group: Box<MlsGroup>,
        storage: GroupStorage,
        commit: &[u8],
        delta: &Delta,
    ) -> Result<Self, GroupError> {
        storage.mark_all();
        Self::of(*group, storage, node_of(commit), &self.staying(delta))
    }
}

/// The hash of the key of the leaf that a key package makes.
pub fn package_leaf(crypto: &Crypto, package: &CardPackage) -> Result<[u8; 32], GroupError> {
    Ok(added_leaf(read_package(crypto, package)?.leaf_node())?.1)
}

fn read_package(crypto: &Crypto, package: &CardPackage) -> Result<KeyPackage, GroupError> {
    let fail = mls("add a member");
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&package.bytes).map_err(|e| fail(&e))?;
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
        return Err(GroupError::Kind);
    };
    package.validate(crypto, ProtocolVersion::Mls10).map_err(|e| fail(&e))
}

/// Who a new leaf is; its place isn't known yet, so it counts as behind all others.
fn added_leaf(leaf: &LeafNode) -> Result<(Member, [u8; 32]), GroupError> {
    let member = leaf_member(u32::MAX, leaf.credential(), leaf.signature_key().as_slice())?;
    let fail = mls("read a new leaf");
    let key = leaf.encryption_key().tls_serialize_detached().map_err(|e| fail(&e))?;
    let key = Reader::new(&key)
        .bytes("leaf.key", limits::KEY_PACKAGE_BYTES)
        .map_err(|e| fail(&e))?;
    Ok((member, leaf_key_hash(key)))
}

#[cfg(feature = "sim")]
fn removed_leaves(staged: &StagedCommit) -> Vec<u32> {
    let removes = staged.remove_proposals();
    removes
        .map(|removal| removal.remove_proposal().removed().u32())
        .collect()
}

/// Whether whoever is removed must not find what follows.
fn renews(delta: &Delta) -> bool {
    let back = |gone: &Member| delta.added.iter().any(|(added, _)| added.device == gone.device);
    delta.removed.iter().any(|(gone, _)| !back(gone))
}

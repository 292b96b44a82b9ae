//! One state of a chat's MLS group, and the few things that are done with it.

use super::context::{ChatContext, JoinInfo, LeafIdentity};
use super::leaf::{LeafSigner, Member, capabilities, credential, known_member, leaf_member, open_lifetime};
use super::mark::Mark;
use super::pointer::Pointer;
use super::statement::Statement;
use crate::contact::CardKey;
use crate::keys::{ChatId, DeviceSecret, NodeId, TopicSecret, derive};
use crate::limits;
use crate::mls::{Crypto, GroupRows, GroupStorage, Provider, RowKey, Suite, Value};
use crate::padding;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use openmls::framing::errors::MessageDecryptionError;
use openmls::group::{
    GroupId, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig,
    ProcessMessageError, ProcessedWelcome, ValidationError,
};
use openmls::prelude::{
    ContentType, Extension, ExtensionType, Extensions, GroupContext, MlsMessageBodyIn, MlsMessageIn,
    ProcessedMessageContent, ProtocolMessage, RequiredCapabilitiesExtension, SenderRatchetConfiguration,
    UnknownExtension,
};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tls_codec::{DeserializeBytes, Serialize};

/// A group operation failed. What comes from a peer is refused with it; the group is as it was.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// OpenMLS refuses or fails.
    #[error("{what}: {reason}")]
    Mls {
        /// What was tried.
        what: &'static str,
        /// What OpenMLS says.
        reason: String,
    },
    /// A leaf's credential isn't a certified device of an account.
    #[error("a member's leaf: {reason}")]
    Identity {
        /// Why.
        reason: String,
    },
    /// Not a message that chats use.
    #[error("not a message of a chat")]
    Kind,
    /// It can't be decrypted with this state's keys: somebody has tampered with it, or with the state.
    #[error("the message can't be decrypted")]
    Unreadable,
    /// It builds on a state that isn't this one.
    #[error("the message builds on another state")]
    Node,
    /// A commit that the chat's rules don't allow.
    #[error("the commit isn't allowed: {reason}")]
    NotAllowed {
        /// The rule.
        reason: &'static str,
    },
}

pub(super) fn mls(what: &'static str) -> impl Fn(&dyn std::fmt::Debug) -> GroupError {
    move |error| GroupError::Mls {
        what,
        reason: format!("{error:?}"),
    }
}

/// What can be seen of a chat's message without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The chat.
    pub chat: ChatId,
    /// The state that it builds on, from its authenticated data.
    pub node: NodeId,
    /// Its epoch.
    pub epoch: u64,
    /// Whether it is a commit.
    pub commit: bool,
    /// What its author put beside it for itself.
    pub mark: Option<Mark>,
}

impl Header {
    /// Reads the header of an MLS message. What it says is authenticated only once the message is opened.
    pub fn read(bytes: &[u8]) -> Result<Self, GroupError> {
        match Pointer::read(bytes) {
            Some(Ok(pointer)) => Ok(pointer.header()),
            Some(Err(error)) => Err(mls("read a pointer to a blob")(&error)),
            None => Self::of(&protocol_message(bytes)?),
        }
    }

    pub(super) fn of(message: &ProtocolMessage) -> Result<Self, GroupError> {
        let ProtocolMessage::PrivateMessage(private) = message else {
            return Err(GroupError::Kind);
        };
        let chat = <[u8; 32]>::try_from(private.group_id().as_slice()).map_err(|_| GroupError::Kind)?;
        let commit = match private.content_type() {
            ContentType::Application => false,
            ContentType::Commit => true,
            _ => return Err(GroupError::Kind),
        };
        let beside = Beside::read(private.aad(), commit).map_err(|_| GroupError::Kind)?;
        Ok(Self {
            chat: ChatId(chat),
            node: beside.node,
            epoch: private.epoch().as_u64(),
            commit,
            mark: beside.mark,
        })
    }
}

/// An opened application message.
#[derive(Debug)]
pub struct Opened {
    /// The leaf that sealed it.
    pub member: Member,
    /// The encoded inner message.
    pub inner: Vec<u8>,
}

/// A group joined by a Welcome.
pub struct Joined {
    /// Its state.
    pub group: Group,
    /// What the Welcome tells.
    pub info: JoinInfo,
    /// The chat's topic.
    pub topic: TopicSecret,
    /// Who made the Welcome.
    pub inviter: Member,
}

/// One state of a group: its MLS rows and the node that made it.
///
/// It sleeps while nothing is done with it: then it is its rows, which it shares with other states, and what is known of it beside them.
pub struct Group {
    /// OpenMLS's view of the rows, none while it sleeps. A commit turns it into that of the next state.
    view: Mutex<Option<Box<MlsGroup>>>,
    pub(super) storage: GroupStorage,
    pub(super) node: NodeId,
    chat: ChatId,
    epoch: u64,
    own_leaf: u32,
    authenticator: Vec<u8>,
    context: ChatContext,
    members: Vec<Member>,
    pub(super) pointer_key: OnceLock<CardKey>,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Group(at {:?}, epoch {})", self.node, self.epoch())
    }
}

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(limits::RATCHET_OUT_OF_ORDER, limits::RATCHET_FORWARD)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .max_past_epochs(0)
        .sender_ratchet_configuration(ratchets())
        .build()
}

impl Group {
    /// Creates a group whose only leaf is this device, and the secret of its topic.
    pub fn create(
        crypto: &Crypto,
        device: &DeviceSecret,
        identity: &LeafIdentity,
        suite: Suite,
        chat: ChatId,
        context: ChatContext,
    ) -> Result<(Self, TopicSecret), GroupError> {
        let fail = mls("create a group");
        let storage = GroupStorage::default();
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(suite.mls())
            .capabilities(capabilities(suite))
            .lifetime(open_lifetime())
            .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .max_past_epochs(0)
            .sender_ratchet_configuration(ratchets())
            .with_group_context_extensions(extensions(&context)?)
            .build();
        let provider = Provider {
            crypto,
            storage: &storage,
        };
        let mls = MlsGroup::new_with_group_id(
            &provider,
            &LeafSigner(device),
            &config,
            GroupId::from_slice(&chat.0),
            credential(identity),
        )
        .map_err(|e| fail(&e))?;
        let group = Self::of(mls, storage, NodeId(derive("madang 1 first node", &[&chat.0])), &[])?;
        let topic = group.topic(crypto)?;
        Ok((group, topic))
    }

    /// The secret of the topic that a state makes which renews it: the first one, and those that removed a member.
    pub fn topic(&self, crypto: &Crypto) -> Result<TopicSecret, GroupError> {
        Ok(TopicSecret::from_bytes(self.export(crypto, "madang 1 topic", &[])?))
    }

    /// Loads a state from its rows.
    pub fn load<V: Into<Value>>(
        rows: impl IntoIterator<Item = (RowKey, V)>,
        chat: ChatId,
        node: NodeId,
    ) -> Result<Self, GroupError> {
        let storage = GroupStorage::new(rows);
        Self::of(load(&storage, chat)?, storage, node, &[])
    }

    /// A state of which OpenMLS has a view. Its leaves were checked, those of `known` even read.
    pub(super) fn of(mls: MlsGroup, storage: GroupStorage, node: NodeId, known: &[Member]) -> Result<Self, GroupError> {
        let chat = <[u8; 32]>::try_from(mls.group_id().as_slice())
            .map(ChatId)
            .map_err(|_| GroupError::Kind)?;
        let mut known = known.iter().peekable();
        let members = mls.members().map(|member| {
            let leaf = member.index.u32();
            while known.next_if(|before| before.leaf < leaf).is_some() {}
            let same = |before: &&Member| before.leaf == leaf && before.device.0.as_slice() == member.signature_key;
            match known.next_if(same) {
                Some(before) => Ok(before.clone()),
                None => known_member(leaf, &member.credential),
            }
        });
        let members = members.collect::<Result<_, _>>()?;
        Ok(Self {
            chat,
            epoch: mls.epoch().as_u64(),
            own_leaf: mls.own_leaf_index().u32(),
            authenticator: mls.epoch_authenticator().as_slice().to_vec(),
            context: context_of(&mls)?,
            members,
            view: Mutex::new(Some(Box::new(mls))),
            storage,
            node,
            pointer_key: OnceLock::new(),
        })
    }

    /// Joins by a Welcome, with the rows of the key package that it was made for. `node` is the state that it leads to.
    pub fn join(crypto: &Crypto, package: GroupRows, welcome: &[u8], node: NodeId) -> Result<Joined, GroupError> {
        let fail = mls("join by a Welcome");
        let message = MlsMessageIn::tls_deserialize_exact_bytes(welcome).map_err(|e| fail(&e))?;
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
            return Err(GroupError::Kind);
        };
        let own_rows: Vec<RowKey> = package.keys().cloned().collect();
        let storage = GroupStorage::new(package);
        let provider = Provider {
            crypto,
            storage: &storage,
        };
        let processed = ProcessedWelcome::new_from_welcome(&provider, &join_config(), welcome).map_err(|e| fail(&e))?;
        let info = processed
            .unverified_group_info()
            .extensions()
            .unknown(JoinInfo::EXTENSION)
            .map(|extension| JoinInfo::decode(&extension.0))
            .transpose()
            .map_err(|e| fail(&e))?
            .ok_or_else(|| fail(&"the group info doesn't name the topic"))?;
        let staged = openmls::group::JoinBuilder::new(&provider, processed)
            .skip_lifetime_validation()
            .build()
            .map_err(|e| fail(&e))?;
        let inviter_leaf = staged.welcome_sender_index().u32();
        let group = staged.into_group(&provider).map_err(|e| fail(&e))?;
        // The key package's private rows served their purpose and don't belong to the chat.
        storage.forget(&own_rows);
        storage.mark_all();
        // Nobody has checked these leaves for us.
        let members: Vec<Member> = group
            .members()
            .map(|member| leaf_member(member.index.u32(), &member.credential, &member.signature_key))
            .collect::<Result<_, _>>()?;
        let group = Self::of(group, storage, node, &members)?;
        let inviter = members
            .into_iter()
            .find(|member| member.leaf == inviter_leaf)
            .ok_or_else(|| fail(&"its maker is not a member"))?;
        let topic = match &info.topic {
            Some(topic) => topic.clone(),
            None => group.topic(crypto)?,
        };
        Ok(Joined {
            group,
            info,
            topic,
            inviter,
        })
    }

    /// The chat.
    pub fn chat(&self) -> Result<ChatId, GroupError> {
        Ok(self.chat)
    }

    /// The state's node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The chat's settings in this state.
    pub fn context(&self) -> &ChatContext {
        &self.context
    }

    /// The state's epoch authenticator (RFC 9420, section 8.7): equal at all who share the state.
    pub fn authenticator(&self) -> Vec<u8> {
        self.authenticator.clone()
    }

    /// The state's epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// This device's leaf.
    pub fn own_leaf(&self) -> u32 {
        self.own_leaf
    }

    /// All members, in the order of their leaves.
    pub fn members(&self) -> Result<Vec<Member>, GroupError> {
        Ok(self.members.clone())
    }

    /// Lets go of what can be had again from the rows.
    pub fn sleep(&self) {
        self.view().take();
    }

    /// Whether it has more in memory than its rows.
    pub fn is_awake(&self) -> bool {
        self.view().is_some()
    }

    /// The keys of all rows, to remove them with the state.
    pub fn row_keys(&self) -> Vec<RowKey> {
        self.storage.rows().into_keys().collect()
    }

    /// Takes the rows that changed since they were last taken.
    pub fn take_changes(&self) -> Vec<(RowKey, Option<Value>)> {
        self.storage.take_changes()
    }

    /// Seals an inner message; the result names this state in its authenticated data, and has a mark there.
    pub fn seal(
        &mut self,
        crypto: &Crypto,
        device: &DeviceSecret,
        mark: Option<Mark>,
        inner: &[u8],
    ) -> Result<Vec<u8>, GroupError> {
        let fail = mls("seal a message");
        let beside = Beside {
            node: self.node,
            mark,
            statements: Vec::new(),
        };
        let (mls, storage) = self.awake()?;
        let provider = Provider { crypto, storage };
        mls.set_aad(beside.encode(false));
        let message = mls
            .create_message(&provider, &LeafSigner(device), &padding::pad(inner))
            .map_err(|e| fail(&e))?;
        message.tls_serialize_detached().map_err(|e| fail(&e))
    }

    /// Opens an application message that builds on this state.
    pub fn open(&mut self, crypto: &Crypto, bytes: &[u8]) -> Result<Opened, GroupError> {
        let fail = mls("open a message");
        let message = protocol_message(bytes)?;
        let header = Header::of(&message)?;
        if header.node != self.node || header.commit {
            return Err(GroupError::Node);
        }
        let (mls, storage) = self.awake()?;
        let provider = Provider { crypto, storage };
        let unreadable = |e: &ProcessMessageError<_>| {
            matches!(
                e,
                ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
                    MessageDecryptionError::AeadError
                ))
            )
        };
        let processed = mls.process_message(&provider, message).map_err(|e| {
            if unreadable(&e) {
                GroupError::Unreadable
            } else {
                fail(&e)
            }
        })?;
        let member = self.sender_of(processed.sender())?;
        let ProcessedMessageContent::ApplicationMessage(content) = processed.into_content() else {
            return Err(GroupError::Kind);
        };
        let padded = content.into_bytes();
        let inner = padding::unpad(&padded, limits::MESSAGE_BYTES)
            .map_err(|e| fail(&e))?
            .to_vec();
        Ok(Opened { member, inner })
    }

    fn view(&self) -> MutexGuard<'_, Option<Box<MlsGroup>>> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks OpenMLS's view of the rows, which are read anew if the state sleeps.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&MlsGroup) -> T) -> Result<T, GroupError> {
        let mut view = self.view();
        let seen = match view.take() {
            Some(seen) => seen,
            None => Box::new(load(&self.storage, self.chat)?),
        };
        Ok(question(view.insert(seen)))
    }

    fn awake(&mut self) -> Result<(&mut MlsGroup, &GroupStorage), GroupError> {
        let view = self.view.get_mut().unwrap_or_else(PoisonError::into_inner);
        let seen = match view.take() {
            Some(seen) => seen,
            None => Box::new(load(&self.storage, self.chat)?),
        };
        Ok((view.insert(seen), &self.storage))
    }

    /// Gives OpenMLS's view and a copy of the rows to the next state; this one sleeps.
    pub(super) fn hand_over(&self) -> Result<(Box<MlsGroup>, GroupStorage), GroupError> {
        let view = self.view().take();
        let view = match view {
            Some(view) => view,
            None => Box::new(load(&self.storage, self.chat)?),
        };
        Ok((view, GroupStorage::new(self.storage.rows())))
    }

    /// The members, in the order of their leaves.
    pub(super) fn seats(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn sender_of(&self, sender: &openmls::prelude::Sender) -> Result<Member, GroupError> {
        let openmls::prelude::Sender::Member(index) = sender else {
            return Err(GroupError::Kind);
        };
        self.member_at(index.u32()).ok_or(GroupError::Kind)
    }

    /// The member of a leaf.
    pub(super) fn member_at(&self, leaf: u32) -> Option<Member> {
        let place = self.members.binary_search_by_key(&leaf, |member| member.leaf).ok()?;
        self.members.get(place).cloned()
    }

    pub(super) fn export(&self, crypto: &Crypto, label: &str, context: &[u8]) -> Result<[u8; 32], GroupError> {
        self.ask(|group| export(group, crypto, label, context))?
    }
}

/// The authenticated data of a message or commit: what can be read without opening it.
///
/// | bytes | field |
/// |---|---|
/// | 32 | the node that it builds on |
/// | 40 or none | of a message: the mark |
/// | none, or all of the rest | of a commit: `optional<Mark>`, and the wishes that it carries out, `Statement<V>` |
pub(super) struct Beside {
    pub node: NodeId,
    pub mark: Option<Mark>,
    pub statements: Vec<Statement>,
}

impl Beside {
    pub fn encode(&self, commit: bool) -> Vec<u8> {
        let mut w = Writer::default();
        self.node.write(&mut w);
        if !commit {
            if let Some(mark) = &self.mark {
                mark.write(&mut w);
            }
        } else if self.mark.is_some() || !self.statements.is_empty() {
            w.option(self.mark.as_ref(), |w, mark| mark.write(w));
            w.list(&self.statements, |w, statement| statement.write(w));
        }
        w.into_bytes()
    }

    pub fn read(bytes: &[u8], commit: bool) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let mut beside = Self {
            node: NodeId::read(&mut r)?,
            mark: None,
            statements: Vec::new(),
        };
        if r.rest().is_empty() {
            return Ok(beside);
        }
        if commit {
            beside.mark = r.option("commit.mark", Mark::read)?;
            beside.statements = r.list("commit.statements", limits::STATEMENTS, Statement::read)?;
        } else {
            beside.mark = Some(Mark::read(&mut r)?);
        }
        r.finish()?;
        Ok(beside)
    }
}

/// A secret that OpenMLS derives from a state's exporter secret.
pub(super) fn export(group: &MlsGroup, crypto: &Crypto, label: &str, context: &[u8]) -> Result<[u8; 32], GroupError> {
    let fail = mls("export a secret");
    let secret = group.export_secret(crypto, label, context, 32).map_err(|e| fail(&e))?;
    <[u8; 32]>::try_from(secret.as_slice()).map_err(|e| fail(&e))
}

fn load(storage: &GroupStorage, chat: ChatId) -> Result<MlsGroup, GroupError> {
    MlsGroup::load(storage, &GroupId::from_slice(&chat.0))
        .map_err(|e| mls("load a group")(&e))?
        .ok_or(GroupError::Mls {
            what: "load a group",
            reason: "its rows are missing".into(),
        })
}

/// The extensions of the group context: the settings, which every member must know.
pub(super) fn extensions(context: &ChatContext) -> Result<Extensions<GroupContext>, GroupError> {
    let required = RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(ChatContext::EXTENSION)], &[], &[]);
    let settings = Extension::Unknown(ChatContext::EXTENSION, UnknownExtension(context.encode()));
    Extensions::from_vec(vec![Extension::RequiredCapabilities(required), settings])
        .map_err(|e| mls("write the chat's settings")(&e))
}

fn context_of(group: &MlsGroup) -> Result<ChatContext, GroupError> {
    let fail = mls("read the chat's settings");
    let extension = group
        .extensions()
        .unknown(ChatContext::EXTENSION)
        .ok_or_else(|| fail(&"they are missing"))?;
    ChatContext::decode(&extension.0).map_err(|e| fail(&e))
}

/// The node that a commit makes.
pub fn node_of(commit: &[u8]) -> NodeId {
    NodeId(derive("madang 1 node", &[commit]))
}

pub(super) fn protocol_message(bytes: &[u8]) -> Result<ProtocolMessage, GroupError> {
    let fail = mls("read a message");
    MlsMessageIn::tls_deserialize_exact_bytes(bytes)
        .map_err(|e| fail(&e))?
        .try_into_protocol_message()
        .map_err(|e| fail(&e))
}

//! What the server reads of a request's body, without a server: a target for fuzzing.

use jsonrpsee::core::JsonRawValue;
use jsonrpsee::types::Request;

use super::calls;
use super::error::ApiError;
use super::methods::SUBSCRIBE;
use super::params::*;

/// Reads the parameters of a method.
pub(super) type Read = fn(Option<&str>) -> Result<(), ApiError>;

/// The methods, as `methods.rs` has them.
pub(super) const METHODS: [(&str, Read); 43] = [
    ("node.info", read::<NoParams>),
    ("node.doctor", read::<NoParams>),
    ("account.get", read::<NoParams>),
    ("account.phrase", read::<NoParams>),
    ("account.confirm_phrase", read::<NoParams>),
    ("contact.invite", read::<InviteParams>),
    ("contact.accept", read::<AcceptParams>),
    ("contact.requests", read::<ListParams>),
    ("contact.approve", read::<ApproveParams>),
    ("contact.decline", read::<ApproveParams>),
    ("contact.list", read::<ListParams>),
    ("chat.list", read::<ListParams>),
    ("chat.get", read::<ChatParams>),
    ("chat.members", read::<ChatParams>),
    ("chat.gaps", read::<ChatParams>),
    ("chat.create", read::<ChatCreateParams>),
    ("chat.add", read::<ChatMembersParams>),
    ("chat.remove", read::<ChatMembersParams>),
    ("chat.leave", read::<ChatParams>),
    ("chat.invite", read::<ChatInviteParams>),
    ("chat.invites", read::<ChatParams>),
    ("chat.uninvite", read::<AcceptParams>),
    ("chat.update", read::<ChatUpdateParams>),
    ("chat.typing", read::<ChatTypingParams>),
    ("chat.roles", read::<ChatRoleParams>),
    ("message.send", read::<SendParams>),
    ("message.edit", read::<EditParams>),
    ("message.delete", read::<MessageParams>),
    ("message.react", read::<ReactParams>),
    ("message.vote", read::<VoteParams>),
    ("message.list", read::<MessageListParams>),
    ("message.get", read::<MessageParams>),
    ("message.mark_read", read::<MarkReadParams>),
    ("relay.evidence", read::<EvidenceParams>),
    ("app.request", read::<AppRequestParams>),
    ("app.list", read::<ListParams>),
    ("app.self", read::<NoParams>),
    ("app.approve", read::<AppApproveParams>),
    ("app.mint", read::<AppMintParams>),
    ("app.revoke", read::<AppParams>),
    ("event.ack", read::<AckParams>),
    ("event.poll", read::<PollParams>),
    (SUBSCRIBE, read::<SubscribeParams>),
];

/// Whether a body is a request, or a batch of requests, that all name a method and give what it needs.
pub fn accepts(body: &[u8]) -> bool {
    if calls::refuse(body).is_some() {
        return false;
    }
    match serde_json::from_slice::<Vec<&JsonRawValue>>(body) {
        Ok(batch) => !batch.is_empty() && batch.iter().all(|request| is_read(request.get().as_bytes())),
        Err(_) => is_read(body),
    }
}

fn is_read(request: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(request) else {
        return false;
    };
    let method = METHODS.iter().find(|(name, _)| *name == request.method);
    method.is_some_and(|(_, read)| read(request.params.as_ref().map(|params| params.get())).is_ok())
}

fn read<P: FromParams>(params: Option<&str>) -> Result<(), ApiError> {
    P::read(params).map(|_| ())
}

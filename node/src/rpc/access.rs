//! Who may call what: the scopes of tokens, what each method needs, and what of events and lists a token shows.
//!
//! The cookie may do all. Every other token belongs to an app, which the user has approved with just its scopes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::{AppKey, ChatId, ShareAppId};
use super::limits::MAX_SCOPE;
use super::methods;
use super::types::EventKind;

/// What apps can be allowed, by namespace. Methods of messages belong to their chat.
const ACTIONS: [(&str, &[&str]); 9] = [
    ("node", &["read"]),
    ("account", &["read", "secret"]),
    ("contact", &["read", "write"]),
    ("chat", &["read", "send", "manage"]),
    ("channel", &["read", "publish", "manage"]),
    ("blob", &["read", "write"]),
    ("share", &["send", "pick", "confirm", "open", "handle", "reply"]),
    ("relay", &["read"]),
    ("app", &["manage"]),
];
/// The namespaces of which single objects can be named.
const SINGLE: [&str; 3] = [CHAT, CHANNEL, SHARE];
const CHAT: &str = "chat";
const CHANNEL: &str = "channel";
const SHARE: &str = "share";
/// What can be allowed about the cards of one app, by its key.
const OF_APP: [&str; 2] = ["handle", "reply"];

/// What a token may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything; only the owner has and gives it.
    All,
    /// An action on all of a namespace: `chat:read`.
    Of(&'static str, &'static str),
    /// An action on one chat or channel, by its id: `chat:ID:read`.
    One(&'static str, [u8; 32], &'static str),
    /// One method: `method:message.list`.
    Method(&'static str),
}

/// Text that isn't a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be NAMESPACE:ACTION, chat:ID:ACTION, channel:ID:ACTION, share:KEY:ACTION or method:NAME; docs/rpc.md lists them"
)]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.len() > MAX_SCOPE {
            return Err(ScopeError);
        }
        if text == "*" {
            return Ok(Self::All);
        }
        let (first, rest) = text.split_once(':').ok_or(ScopeError)?;
        if first == "method" {
            let known = methods::find(rest).ok_or(ScopeError)?;
            return Ok(Self::Method(known.name));
        }
        match rest.split_once(':') {
            Some((id, action)) if SINGLE.contains(&first) => {
                let (namespace, action) = action_of(first, action)?;
                if namespace == SHARE && !OF_APP.contains(&action) {
                    return Err(ScopeError);
                }
                let id: ChatId = id.parse().map_err(|_| ScopeError)?;
                Ok(Self::One(namespace, id.0, action))
            }
            Some(_) => Err(ScopeError),
            None => action_of(first, rest).map(|(namespace, action)| Self::Of(namespace, action)),
        }
    }
}

fn action_of(namespace: &str, action: &str) -> Result<(&'static str, &'static str), ScopeError> {
    let (namespace, actions) = ACTIONS.iter().find(|(name, _)| *name == namespace).ok_or(ScopeError)?;
    let action = actions.iter().find(|known| **known == action).ok_or(ScopeError)?;
    Ok((namespace, action))
}

/// The scopes that there are, but for those of one chat or one method, each with the methods that it allows.
pub(super) fn scopes() -> BTreeMap<String, Vec<&'static str>> {
    let of = |(namespace, actions): &(&'static str, &'static [&'static str])| {
        let namespace = *namespace;
        actions.iter().map(move |action| {
            let needs = |need| matches!(need, Need::Action(of, wanted, _) if of == namespace && wanted == *action);
            let methods = methods::all().filter(|method| needs(method.need));
            (
                format!("{namespace}:{action}"),
                methods.map(|method| method.name).collect(),
            )
        })
    };
    ACTIONS.iter().flat_map(of).collect()
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Of(namespace, action) => write!(f, "{namespace}:{action}"),
            Self::One(namespace, id, action) => write!(f, "{namespace}:{}:{action}", hex::encode(id)),
            Self::Method(name) => write!(f, "method:{name}"),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let of = |(namespace, actions): &(&str, &[&str])| {
            let id = if SINGLE.contains(namespace) {
                "([0-9a-f]{64}:)?"
            } else {
                ""
            };
            format!("{namespace}:{id}({})", actions.join("|"))
        };
        let actions: Vec<String> = ACTIONS.iter().map(of).collect();
        json_schema!({
            "description": "What a token may do: `*`, `NAMESPACE:ACTION`, `chat:ID:ACTION`, `channel:ID:ACTION`, `share:KEY:ACTION` or `method:NAME`.",
            "type": "string",
            "pattern": format!(r"^(\*|{}|method:[a-z_.]+)$", actions.join("|")),
            "maxLength": MAX_SCOPE,
        })
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Scope {
    /// For being handed the cards of an app.
    pub fn handling(app: &ShareAppId) -> Self {
        Self::One(SHARE, app.0, "handle")
    }

    /// Whether whoever has this one may give the other away.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Of(of, action), Self::One(namespace, _, narrower)) => of == namespace && action == narrower,
            (Self::Of(namespace, action), Self::Method(name)) => match methods::find(name).map(|method| method.need) {
                Some(Need::Action(of, wanted, _)) => of == *namespace && wanted == *action,
                _ => false,
            },
            _ => self == other,
        }
    }
}

/// What a method is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// No single object.
    All,
    /// The chat of the parameter `chat`.
    Chat,
    /// The channel of the parameter `channel`.
    Channel,
    /// The chat of the message of the parameter `message`.
    Message,
    /// A list, of which everybody gets what it may see.
    Listed,
}

/// What a method needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A scope for this action.
    Action(&'static str, &'static str, About),
    /// Any token: it is about the token itself, or shows only what that may see.
    Token,
    /// No token: only at the door for apps that have none.
    Door,
}

impl Need {
    /// An action on a namespace, about no single object.
    pub(super) const fn all(namespace: &'static str, action: &'static str) -> Self {
        Self::Action(namespace, action, About::All)
    }

    /// An action on the chat of the parameter `chat`.
    pub(super) const fn chat(action: &'static str) -> Self {
        Self::Action(CHAT, action, About::Chat)
    }

    /// An action on the chat of the message of the parameter `message`.
    pub(super) const fn message(action: &'static str) -> Self {
        Self::Action(CHAT, action, About::Message)
    }

    /// An action on the channel of the parameter `channel`.
    pub(super) const fn channel(action: &'static str) -> Self {
        Self::Action(CHANNEL, action, About::Channel)
    }

    /// An action on chats or channels, of which everybody gets what it may see.
    pub(super) const fn listed(namespace: &'static str, action: &'static str) -> Self {
        Self::Action(namespace, action, About::Listed)
    }
}

/// What a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose token it is; none is the owner's own.
    pub app: Option<AppKey>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The page that may use it from a browser, besides this node's own.
    pub origin: Option<String>,
    /// When it ends, in Unix milliseconds.
    pub expires_ms: Option<u64>,
    /// The user hasn't approved it yet.
    pub pending: bool,
}

impl Grant {
    /// What the cookie allows.
    pub fn owner() -> Self {
        Self {
            app: None,
            scopes: vec![Scope::All],
            origin: None,
            expires_ms: None,
            pending: false,
        }
    }

    /// What who has no token may do; `page` if it is one of another site.
    pub(super) fn door(page: Option<String>) -> Self {
        Self {
            scopes: Vec::new(),
            origin: page,
            pending: true,
            ..Self::owner()
        }
    }

    pub(super) fn has_ended(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|ends| ends <= now_ms)
    }

    /// Whether it allows a method on all that this may be about.
    pub(super) fn allows(&self, method: &str, need: Need) -> bool {
        match need {
            Need::Door => self.pending && self.app.is_none(),
            Need::Token => !self.pending,
            Need::Action(namespace, action, about) => self.scopes.iter().any(|scope| match scope {
                Scope::All => true,
                Scope::Of(of, allowed) => *of == namespace && *allowed == action,
                Scope::One(of, _, allowed) => about == About::Listed && *of == namespace && *allowed == action,
                Scope::Method(name) => *name == method,
            }),
        }
    }

    /// Whether it allows an action on one chat or channel.
    pub(super) fn allows_in(&self, namespace: &str, action: &str, id: &[u8; 32]) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::All => true,
            Scope::Of(of, allowed) => *of == namespace && *allowed == action,
            Scope::One(of, one, allowed) => *of == namespace && one == id && *allowed == action,
            Scope::Method(_) => false,
        })
    }

    /// Whether it is the token of an app that is handed the cards of this one: the user has said so, not just that it may do anything.
    pub fn handles(&self, app: &ShareAppId) -> bool {
        !self.pending && !self.scopes.contains(&Scope::All) && self.allows_in(SHARE, "handle", &app.0)
    }

    /// Whether it may answer the cards of an app.
    pub fn answers(&self, app: &ShareAppId) -> bool {
        self.allows_in(SHARE, "reply", &app.0) || self.allows("share.reply", Need::all(SHARE, "reply"))
    }

    /// Whether it may approve and revoke apps.
    pub fn allows_managing_apps(&self) -> bool {
        self.allows("app.revoke", Need::Action("app", "manage", About::All))
    }

    /// Whether it has any scope that names single ones of a namespace.
    pub(super) fn names(&self, namespace: &str) -> bool {
        let mut scopes = self.scopes.iter();
        scopes.any(|scope| matches!(scope, Scope::One(of, ..) if *of == namespace))
    }

    /// Whether an event is shown to it.
    pub(super) fn sees(&self, event: &EventKind) -> bool {
        let of = |namespace, action| self.allows("", Need::Action(namespace, action, About::All));
        match event {
            EventKind::ContactRequested { .. } | EventKind::ContactAdded { .. } => of("contact", "read"),
            EventKind::AppRequested { .. } => of("app", "manage"),
            EventKind::WebhookDisabled { app, .. } => of("app", "manage") || (app.is_some() && *app == self.app),
            EventKind::SharePayload { app, .. } => self.allows_in(SHARE, "handle", &app.0),
            EventKind::ShareSent { app, .. }
            | EventKind::ShareDelivered { app, .. }
            | EventKind::ShareOpened { app, .. }
            | EventKind::SharePostback { app, .. } => of("app", "manage") || (app.is_some() && *app == self.app),
            EventKind::ShareReplyWaiting(_) => of("share", "confirm"),
            EventKind::BlobProgress { .. } => of("blob", "read"),
            EventKind::Gap { .. } | EventKind::Lagged { .. } => true,
            other => match (other.chat(), other.channel()) {
                (Some(chat), _) => self.allows_in(CHAT, "read", &chat.0),
                (_, Some(channel)) => self.allows_in(CHANNEL, "read", &channel.0),
                (None, None) => of("relay", "read"),
            },
        }
    }

    /// Whether it covers all of some scopes.
    pub fn covers(&self, scopes: &[Scope]) -> Result<(), Scope> {
        let covered = |scope: &&Scope| self.scopes.iter().any(|own| own.covers(scope));
        scopes
            .iter()
            .find(|scope| !covered(scope))
            .map_or(Ok(()), |scope| Err(scope.clone()))
    }
}

/// The tokens of apps, by their hashes.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    by_token: BTreeMap<[u8; 32], Arc<Grant>>,
}

impl Grants {
    /// Collects them.
    pub fn new(grants: impl IntoIterator<Item = ([u8; 32], Grant)>) -> Self {
        let by_token = grants.into_iter().map(|(token, grant)| (token, Arc::new(grant)));
        Self {
            by_token: by_token.collect(),
        }
    }

    /// What a token allows. It is looked up by its hash, so that the time this takes says nothing of the tokens there are.
    pub fn lookup(&self, token: &[u8]) -> Option<Arc<Grant>> {
        self.by_token.get(&token_hash(token)).cloned()
    }

    /// An app's grant as it is now.
    pub(super) fn of_app(&self, app: &AppKey) -> Option<&Arc<Grant>> {
        self.by_token.values().find(|grant| grant.app.as_ref() == Some(app))
    }

    /// Whether there is a token, of those that haven't ended, of which this is so.
    pub fn any(&self, now_ms: u64, is_so: impl Fn(&Grant) -> bool) -> bool {
        let mut grants = self.by_token.values();
        grants.any(|grant| !grant.has_ended(now_ms) && is_so(grant))
    }

    /// Whether a page may use some token.
    pub(super) fn has_origin(&self, origin: &str, now_ms: u64) -> bool {
        let mut grants = self.by_token.values();
        grants.any(|grant| grant.origin.as_deref() == Some(origin) && !grant.pending && !grant.has_ended(now_ms))
    }
}

/// What is kept of an app's token.
pub fn token_hash(token: &[u8]) -> [u8; 32] {
    blake3::derive_key("madang 1 app token", token)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    fn grant(scopes: &[&str]) -> Grant {
        Grant {
            app: Some(AppKey([7; 32])),
            scopes: scopes.iter().map(|text| scope(text)).collect(),
            ..Grant::owner()
        }
    }

    #[test]
    fn scopes_are_read_and_written_as_they_are_and_nothing_else_is() {
        let one = format!("chat:{}:read", ChatId([3; 32]));
        let channel = format!("channel:{}:publish", ChatId([3; 32]));
        for text in [
            "*",
            "chat:read",
            "channel:publish",
            &channel,
            "chat:send",
            "account:secret",
            "method:message.list",
            &one,
        ] {
            assert_eq!(scope(text).to_string(), text);
        }
        let foreign = format!("contact:{}:read", ChatId([3; 32]));
        for text in [
            "",
            "chat",
            "chat:",
            ":read",
            "chat:fly",
            "fly:read",
            "method:fly",
            "method:",
            "chat:12:read",
            "**",
            &foreign,
            &"x".repeat(10_000),
        ] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError), "{text}");
        }
    }

    #[test]
    fn f58_a_narrower_scope_is_covered_and_a_wider_one_is_not() {
        let one = format!("chat:{}:read", ChatId([3; 32]));
        let other = format!("chat:{}:read", ChatId([4; 32]));
        let channel = format!("channel:{}:publish", ChatId([3; 32]));
        let covered = [
            ("*", "chat:read"),
            ("chat:read", one.as_str()),
            ("chat:read", "method:message.list"),
            ("chat:read", "chat:read"),
            ("channel:publish", channel.as_str()),
        ];
        for (wide, narrow) in covered {
            assert!(scope(wide).covers(&scope(narrow)), "{wide} {narrow}");
        }
        let not = [
            ("chat:read", "*"),
            ("chat:read", "chat:send"),
            (&one, "chat:read"),
            (&one, &other),
            (&one, "method:message.list"),
            ("method:message.list", "chat:read"),
            ("chat:send", "method:message.list"),
            ("chat:read", &channel),
            ("channel:read", &channel),
        ];
        for (narrow, wide) in not {
            assert!(!scope(narrow).covers(&scope(wide)), "{narrow} {wide}");
        }
    }

    #[test]
    fn f58_a_token_allows_its_scopes_alone() {
        let reader = grant(&["chat:read"]);
        let allowed = |grant: &Grant| {
            let methods = methods::all().filter(|method| grant.allows(method.name, method.need));
            methods.map(|method| method.name).collect::<Vec<_>>()
        };
        let mut methods = allowed(&reader);
        methods.retain(|name| !name.starts_with("event."));
        let own = [
            "rpc.discover",
            "chat.list",
            "chat.get",
            "chat.members",
            "chat.gaps",
            "chat.pins",
            "message.search",
            "message.list",
            "message.get",
            "channel.verify",
            "archive.list",
            "archive.messages",
            "app.handle",
            "app.self",
            "app.mint",
            "app.revoke",
            "share.validate",
            "share.preview",
            "share.reply",
        ];
        assert_eq!(methods, own);
        let but_the_door = methods::all().filter(|method| method.need != Need::Door);
        assert_eq!(
            allowed(&Grant::owner()),
            but_the_door.map(|method| method.name).collect::<Vec<_>>()
        );
        assert_eq!(allowed(&Grant::door(None)), ["app.request", "share.enter"]);
        let brand = grant(&[&format!("channel:{}:publish", ChatId([5; 32]))]);
        assert!(!allowed(&brand).contains(&"channel.post") && brand.allows_in("channel", "publish", &[5; 32]));
        assert!(!brand.allows_in("channel", "publish", &[3; 32]) && !brand.allows_in("chat", "publish", &[5; 32]));
        let one = grant(&[&format!("chat:{}:send", ChatId([3; 32]))]);
        assert!(!allowed(&one).contains(&"message.send") && one.allows_in("chat", "send", &[3; 32]));
        assert!(!one.allows_in("chat", "send", &[4; 32]) && !one.allows_in("chat", "read", &[3; 32]));
    }
}

//! What a tap on a card does here: one function of the share, who signed it, and this platform (`spec/share.md`, section 8).

use super::card::{Button, ButtonAction, Device, Link, Os, PlatformLink};
use super::signed::SharedCard;
use super::{Handler, Params, ShareError, Template, url};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where a card is shown, and what is known there of the app that signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The operating system.
    pub os: Os,
    /// The kind of device.
    pub device: Device,
    /// The app is registered at this node, and the user lets it be handed shares.
    pub registered: bool,
    /// Schemes that something on this device opens.
    pub schemes: BTreeSet<String>,
    /// The app's domains that have vouched for it.
    pub proven: BTreeSet<String>,
}

/// What a tap does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// The app that is registered at this node is handed the share.
    Handler {
        /// What it is opened with.
        params: BTreeMap<String, String>,
    },
    /// The system opens an address on a domain of the app's in the app.
    VerifiedLink {
        /// With its parameters.
        url: String,
    },
    /// The system opens an address of the app's own scheme.
    Scheme {
        /// With its parameters.
        url: String,
    },
    /// The app isn't here: this is where it can be had.
    Install {
        /// An address read over TLS.
        url: String,
    },
    /// A page, or a place, a telephone or a mail address.
    Web {
        /// `https`, `http`, `geo`, `tel` or `mailto`.
        url: String,
    },
    /// An answer is begun in the chat; the user sends it, or doesn't.
    Reply {
        /// What it begins with.
        text: String,
    },
    /// A text is copied.
    Copy {
        /// Which.
        text: String,
    },
    /// A channel is followed, once the user has seen it.
    Follow {
        /// Its link.
        channel: String,
    },
    /// Something is handed to the app, once the user has seen it or lets the app.
    Postback {
        /// What.
        data: String,
    },
    /// The user chooses other chats for the card.
    Share,
    /// Nothing: no button is shown.
    None {
        /// Why.
        reason: NoAction,
    },
}

/// Why a button does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAction {
    /// No app signed the share, so there is none to be handed anything.
    Unsigned,
    /// Its time is over.
    Expired,
}

/// What each part of a card does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// A tap on the card.
    pub body: Action,
    /// Taps on the parts that lead elsewhere, by their paths: `header`, `contents[1]`, `slides[0].content`.
    pub parts: BTreeMap<String, Action>,
    /// Buttons by their paths, in the order in which they are shown.
    pub buttons: Vec<(String, Action)>,
}

/// What is needed of whoever stands for a card.
struct Standing<'a> {
    handler: Option<&'a Handler>,
    /// Why nothing is handed to an app.
    nothing: Option<NoAction>,
}

/// Says what each part of a card does on a platform, at a time in Unix seconds.
///
/// What an app signed leads into that app alone. Nothing happens by itself: what is answered here is done when the user taps.
///
/// # Errors
///
/// When a signature doesn't hold: such a card has no parts.
pub fn resolve(card: &SharedCard, platform: &Platform, now_s: u64) -> Result<Resolved, ShareError> {
    let signed = card.verify()?.is_some();
    let expired = card.share.has_expired(now_s);
    let handlers = card.manifest().map(|manifest| &*manifest.manifest().handlers);
    let standing = Standing {
        handler: best(handlers.unwrap_or_default(), platform, |handler| {
            (handler.os, handler.device)
        }),
        nothing: match (signed, expired) {
            (false, _) => Some(NoAction::Unsigned),
            (true, true) => Some(NoAction::Expired),
            (true, false) => None,
        },
    };
    let shown = card.share.card();
    let content = shown.content.as_ref().and_then(|content| content.link.as_ref());
    let header = shown.header.as_ref().and_then(|header| header.link.as_ref());
    let own = shown.link.as_ref().or(content).or(header);
    let open = |link: Option<&Link>| standing.open(card, link.or(own), platform);

    let mut parts = BTreeMap::new();
    if let Some(link) = header {
        parts.insert("header".to_owned(), open(Some(link)));
    }
    for (path, content) in shown.all_contents() {
        if let Some(link) = &content.link {
            parts.insert(path, open(Some(link)));
        }
    }
    let buttons = shown.all_buttons().into_iter();
    let buttons = buttons.map(|(path, button)| (path, standing.press(button, open)));
    Ok(Resolved {
        body: open(None),
        parts,
        buttons: buttons.collect(),
    })
}

impl Standing<'_> {
    fn open(&self, card: &SharedCard, link: Option<&Link>, platform: &Platform) -> Action {
        let of_platform = link.and_then(|link| best(&link.platforms, platform, |one| (one.os, one.device)));
        if let Some(action) = self.way_into_app(card, link, of_platform, platform) {
            return action;
        }
        let mobile = match platform.device {
            Device::Phone | Device::Tablet => link.and_then(|link| link.mobile_url.as_deref()),
            Device::Desktop => None,
        };
        let url = of_platform
            .and_then(|one| one.url.as_deref())
            .or(mobile)
            .or_else(|| link.and_then(|link| link.url.as_deref()))
            .or_else(|| self.handler.and_then(|handler| handler.web.as_deref()))
            .unwrap_or(&card.share.card().fallback.url);
        Action::Web { url: url.to_owned() }
    }

    /// The way into the app, if the link leads there on this platform.
    fn way_into_app(
        &self,
        card: &SharedCard,
        link: Option<&Link>,
        of_platform: Option<&PlatformLink>,
        platform: &Platform,
    ) -> Option<Action> {
        if self.nothing.is_some() {
            return None;
        }
        let shown = card.share.card();
        let custom = shown.custom.as_ref().filter(|_| shown.template == Template::Custom);
        let params = match (of_platform, custom) {
            (Some(one), _) => one.execute.clone().unwrap_or_default(),
            // An app's own kind of card leads into it, whatever the platform.
            (None, Some(custom)) if link.is_none() => custom.arguments.clone().unwrap_or_default(),
            (None, _) => return None,
        };
        if platform.registered {
            return Some(Action::Handler {
                params: params.into_inner(),
            });
        }
        let handler = self.handler;
        let scheme = handler.and_then(|handler| handler.execute.as_deref());
        let installed = scheme.map(|address| {
            let name = address.split(':').next().unwrap_or_default();
            platform.schemes.contains(name)
        });
        let verified = handler.and_then(|handler| handler.verified_link.as_deref());
        let proven = verified.filter(|link| url::host(link).is_some_and(|host| platform.proven.contains(&host)));
        if let Some(link) = proven.filter(|_| installed != Some(false)) {
            return Some(Action::VerifiedLink {
                url: with_params(link, &params),
            });
        }
        if let (Some(address), Some(true)) = (scheme, installed) {
            return Some(Action::Scheme {
                url: with_params(address, &params),
            });
        }
        let install = of_platform
            .and_then(|one| one.install.as_deref())
            .or_else(|| handler.and_then(|handler| handler.install.as_deref()));
        install.map(|url| Action::Install { url: url.to_owned() })
    }

    fn press(&self, button: &Button, open: impl Fn(Option<&Link>) -> Action) -> Action {
        let text = || button.text.as_deref().unwrap_or_default().to_owned();
        match button.action {
            ButtonAction::Open => open(button.link.as_ref()),
            ButtonAction::Reply => Action::Reply { text: text() },
            ButtonAction::Copy => Action::Copy { text: text() },
            ButtonAction::Follow => Action::Follow {
                channel: button.channel.as_deref().unwrap_or_default().to_owned(),
            },
            ButtonAction::Postback => match self.nothing {
                Some(reason) => Action::None { reason },
                None => Action::Postback {
                    data: button.data.as_deref().unwrap_or_default().to_owned(),
                },
            },
            ButtonAction::Share => match self.nothing {
                Some(NoAction::Expired) => Action::None {
                    reason: NoAction::Expired,
                },
                _ => Action::Share,
            },
        }
    }
}

/// The entry for this system and kind of device, or else the one for the system.
fn best<'a, T>(entries: &'a [T], platform: &Platform, of: impl Fn(&T) -> (Os, Option<Device>)) -> Option<&'a T> {
    let exactly = entries
        .iter()
        .find(|entry| of(entry) == (platform.os, Some(platform.device)));
    exactly.or_else(|| entries.iter().find(|entry| of(entry) == (platform.os, None)))
}

/// An address with parameters behind it, as a query.
fn with_params(address: &str, params: &Params) -> String {
    let mut url = address.to_owned();
    let mut separator = if address.contains('?') { '&' } else { '?' };
    for (name, value) in params.iter() {
        url.push(separator);
        separator = '&';
        encode(name, &mut url);
        url.push('=');
        encode(value, &mut url);
    }
    url
}

/// All but what RFC 3986 never reserves.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

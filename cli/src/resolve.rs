//! Which chat or request a person means: by id, by the beginning of an id, or by name.

use serde_json::Value;

use crate::fault::Fault;
use crate::safe;
use crate::show;
use crate::text::Texts;

/// Digits of a whole id.
const ID_DIGITS: usize = 64;
/// Digits that a prefix needs at least; fewer would fit something else soon.
const PREFIX_DIGITS: usize = 4;
/// Candidates that an error lists at most.
const CANDIDATES_SHOWN: usize = 10;

/// What can be meant.
#[derive(Clone, Copy, Debug)]
pub struct Sort {
    /// The word for it.
    pub noun: fn(&Texts) -> &'static str,
    /// The field that holds its id.
    pub id: &'static str,
    /// The command that lists all.
    pub list: &'static str,
}

/// Chats, as `chat.list` gives them.
pub const CHAT: Sort = Sort {
    noun: |t| t.noun_chat,
    id: "chat",
    list: "chats",
};
/// Channels, as `channel.list` gives them.
pub const CHANNEL: Sort = Sort {
    noun: |t| t.noun_channel,
    id: "channel",
    list: "channel list",
};
/// Posts, as `channel.posts` and `channel.plans` give them.
pub const POST: Sort = Sort {
    noun: |t| t.noun_post,
    id: "post",
    list: "channel read CHANNEL --ids",
};
/// Contacts, as `contact.list` gives them.
pub const CONTACT: Sort = Sort {
    noun: |t| t.noun_contact,
    id: "account",
    list: "contacts",
};
/// Members, as `chat.members` gives them.
pub const MEMBER: Sort = Sort {
    noun: |t| t.noun_member,
    id: "account",
    list: "group show CHAT",
};
/// Cards that wait, as `share.picks` gives them.
pub const PICK: Sort = Sort {
    noun: |t| t.noun_pick,
    id: "pick",
    list: "share picks",
};
/// Answers that wait, as `share.replies` gives them.
pub const REPLY: Sort = Sort {
    noun: |t| t.noun_reply,
    id: "reply",
    list: "share replies",
};
/// Apps, as `app.list` gives them.
pub const APP: Sort = Sort {
    noun: |t| t.noun_app,
    id: "app",
    list: "app list",
};
/// Archives, as `archive.list` gives them.
pub const ARCHIVE: Sort = Sort {
    noun: |t| t.noun_archive,
    id: "archive",
    list: "archive list",
};
/// Contact requests, as `contact.requests` gives them.
pub const REQUEST: Sort = Sort {
    noun: |t| t.noun_request,
    id: "request",
    list: "requests",
};
/// Messages, as `message.list` gives them.
pub const MESSAGE: Sort = Sort {
    noun: |t| t.noun_message,
    id: "message",
    list: "read CHAT --ids",
};

/// Tokens of a relay, as `relay token list` shows them.
pub const RELAY_TOKEN: Sort = Sort {
    noun: |t| t.noun_token,
    id: "id",
    list: "relay token list",
};
/// Reported posts, as `relay reports list` shows them.
pub const REPORT: Sort = Sort {
    noun: |t| t.noun_report,
    id: "post",
    list: "relay reports list",
};
/// Settings.
pub const SETTING: Sort = Sort {
    noun: |t| t.noun_setting,
    id: "key",
    list: "config list",
};

/// Returns whether `given` is a whole id, for which nothing needs to be looked up.
pub fn is_id(given: &str) -> bool {
    given.len() == ID_DIGITS && is_hex(given)
}

/// Returns the only item that `given` fits.
///
/// A whole id wins over all; otherwise prefixes and names count alike, so that nobody can take over a prefix by choosing a name.
///
/// # Errors
/// [`Fault::NotFound`] if none fits, [`Fault::Ambiguous`] with the candidates if several do.
pub fn resolve<'a>(sort: Sort, given: &str, items: &'a [Value]) -> Result<&'a Value, Fault> {
    let id_of = |item: &'a Value| show::text_of(item, sort.id);
    // Names that run from right to left are shown within marks, which may have been copied with them.
    let wanted = given.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{2068}' | '\u{2069}'));
    let wanted = wanted.to_lowercase();
    if let Some(item) = items.iter().find(|item| id_of(item) == wanted) {
        return Ok(item);
    }
    let prefix = wanted.len() >= PREFIX_DIGITS && is_hex(&wanted);
    let mut fitting = items.iter().filter(|item| {
        let name = show::text_of(item, "name").trim().to_lowercase();
        (prefix && id_of(item).starts_with(&wanted)) || (!wanted.is_empty() && name == wanted)
    });
    let Some(first) = fitting.next() else {
        return Err(not_found(sort, given));
    };
    let others: Vec<&Value> = fitting.collect();
    if others.is_empty() {
        return Ok(first);
    }
    let candidates = std::iter::once(first)
        .chain(others)
        .take(CANDIDATES_SHOWN)
        .map(|item| {
            format!("\n  {}  {}", safe::line(id_of(item)), show::field(item, "name"))
                .trim_end()
                .to_owned()
        })
        .collect();
    Err(Fault::Ambiguous {
        sort,
        given: safe::line(given),
        candidates,
    })
}

/// Returns the error that nothing fits.
pub fn not_found(sort: Sort, given: &str) -> Fault {
    Fault::NotFound {
        sort,
        given: safe::line(given),
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chats() -> Vec<Value> {
        let id = |start: &str| format!("{start:0<64}");
        vec![
            json!({ "chat": id("abcd1"), "name": "Alice" }),
            json!({ "chat": id("abcd2"), "name": "Bob" }),
            json!({ "chat": id("12345"), "name": "bob" }),
            json!({ "chat": id("99999"), "name": "Éva" }),
            json!({ "chat": id("77777") }),
        ]
    }

    fn found(given: &str) -> Result<String, Fault> {
        let items = chats();
        resolve(CHAT, given, &items).map(|item| show::text_of(item, "chat").to_owned())
    }

    #[test]
    fn names_fit_whatever_their_case() {
        assert!(found("ALICE").unwrap().starts_with("abcd1"));
        assert!(found("éVA").unwrap().starts_with("99999"));
    }

    #[test]
    fn f60_a_name_copied_with_its_isolating_marks_fits() {
        let items = [json!({ "chat": format!("{:0<64}", "5"), "name": "אבג" })];
        assert!(resolve(CHAT, &safe::line("אבג"), &items).is_ok());
    }

    #[test]
    fn a_unique_prefix_of_four_digits_fits() {
        assert!(found("1234").unwrap().starts_with("12345"));
        assert!(found("ABCD1").unwrap().starts_with("abcd1"));
        assert_eq!(found("123").unwrap_err().exit_code(), 4);
    }

    #[test]
    fn several_that_fit_are_listed() {
        let error = found("bob").unwrap_err();
        assert_eq!(error.exit_code(), 4);
        let text = error.to_string();
        assert!(
            text.contains("abcd2") && text.contains("12345") && !text.contains("99999"),
            "{text}"
        );
        assert!(matches!(found("abcd").unwrap_err(), Fault::Ambiguous { .. }));
    }

    #[test]
    fn none_that_fits_names_the_list() {
        assert_eq!(
            found("carol").unwrap_err().to_string(),
            "no chat fits `carol`; see `madang chats`"
        );
        assert!(matches!(found("").unwrap_err(), Fault::NotFound { .. }));
    }

    #[test]
    fn f63_a_name_can_not_take_over_another_ones_prefix_or_id() {
        let mut items = chats();
        items.push(json!({ "chat": format!("{:f<64}", ""), "name": "1234" }));
        items.push(json!({ "chat": format!("{:e<64}", ""), "name": format!("{:0<64}", "12345") }));
        assert!(matches!(resolve(CHAT, "1234", &items), Err(Fault::Ambiguous { .. })));
        let whole = format!("{:0<64}", "12345");
        assert_eq!(show::text_of(resolve(CHAT, &whole, &items).unwrap(), "chat"), whole);
    }
}

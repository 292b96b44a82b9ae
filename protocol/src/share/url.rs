//! Addresses: which may be in a share at all. What isn't on the list is refused, however it is written (FAULTS 61).
//!
//! They are ASCII without spaces, quotes and brackets, so that no two readers take different parts of one for its host. What would show
//! another host than it leads to, names and passwords before it, is refused too.

/// Matches the address of a page.
pub(super) const PAGE: &str =
    "^https?://([A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?([/?#][!#-;=?-Z_a-z~\\[\\]]*)?$";
pub(super) const PAGE_MUST: &str =
    "must be an address that begins with https:// or http://, in ASCII, without a name before its host";

/// Matches one that is only read over TLS.
pub(super) const SECURE: &str =
    "^https://([A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?([/?#][!#-;=?-Z_a-z~\\[\\]]*)?$";
pub(super) const SECURE_MUST: &str =
    "must be an address that begins with https://, in ASCII, without a name before its host";

/// Matches where a button may lead.
pub(super) const ACTION: &str = "^(https?://([A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?([/?#][!#-;=?-Z_a-z~\\[\\]]*)?\
    |tel:\\+?[0-9().-]+|mailto:[A-Za-z0-9.!#$%&'*+/=_~-]+@[A-Za-z0-9.-]+|geo:-?[0-9.]+,-?[0-9.]+(,-?[0-9.]+)?(;[A-Za-z0-9=.;-]*)?)$";
pub(super) const ACTION_MUST: &str =
    "must begin with https://, http://, tel:, mailto: or geo:; other schemes belong in the app's manifest";

/// Matches an origin.
pub(super) const ORIGIN: &str = "^https?://([a-z0-9-]+(\\.[a-z0-9-]+)*|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?$";
pub(super) const ORIGIN_MUST: &str = "must be http:// or https://, a host in lower case and perhaps a port";

/// Matches what opens an app.
pub(super) const EXECUTE: &str = "^[a-z][a-z0-9+.-]{1,31}://[A-Za-z0-9._~/-]*$";
pub(super) const EXECUTE_MUST: &str =
    "must be a scheme of the app's own in lower case, `://` and perhaps a path; not one that others open";

/// Schemes that no app may take for its own: those of browsers, systems and ours.
const RESERVED: [&str; 28] = [
    "about",
    "android-app",
    "blob",
    "chrome",
    "content",
    "data",
    "facetime",
    "file",
    "filesystem",
    "ftp",
    "geo",
    "http",
    "https",
    "intent",
    "itms-apps",
    "javascript",
    "madang",
    "mailto",
    "market",
    "ms-settings",
    "resource",
    "sms",
    "ssh",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

pub(super) fn is_page(text: &str) -> bool {
    is_secure(text) || text.strip_prefix("http://").is_some_and(has_plain_authority)
}

pub(super) fn is_secure(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(has_plain_authority)
}

pub(super) fn is_action(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    match scheme {
        "https" | "http" => is_page(text),
        "tel" => {
            let digits = rest.strip_prefix('+').unwrap_or(rest);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b"().-".contains(&b))
        }
        "mailto" => rest.split_once('@').is_some_and(|(name, host)| {
            let name_byte = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=_~-".contains(&b);
            !name.is_empty() && name.bytes().all(name_byte) && !host.is_empty() && host.bytes().all(is_host_byte)
        }),
        "geo" => is_place(rest),
        _ => false,
    }
}

pub(super) fn is_origin(text: &str) -> bool {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    authority.is_some_and(|authority| is_authority(authority) && !authority.bytes().any(|b| b.is_ascii_uppercase()))
}

pub(super) fn is_execute(text: &str) -> bool {
    let Some((scheme, path)) = text.split_once("://") else {
        return false;
    };
    let mut bytes = scheme.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && (2..=32).contains(&scheme.len())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b))
        && !RESERVED.contains(&scheme)
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~/-".contains(&b))
}

/// The host of a page's address, in lower case.
pub(super) fn host(page: &str) -> Option<String> {
    let rest = page.strip_prefix("https://").or_else(|| page.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.split(':').next()?,
    };
    Some(host.to_ascii_lowercase())
}

fn has_plain_authority(text: &str) -> bool {
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (Some(authority), Some(rest)) = (text.get(..end), text.get(end..)) else {
        return false;
    };
    is_authority(authority) && rest.bytes().all(is_rest_byte)
}

fn is_authority(text: &str) -> bool {
    let (is_host, port) = if let Some(inner) = text.strip_prefix('[') {
        let Some((address, after)) = inner.split_once(']') else {
            return false;
        };
        let known = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
        (!address.is_empty() && address.bytes().all(known), after)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (host, after) = text.split_at_checked(end).unwrap_or((text, ""));
        let is_label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (host.split('.').all(is_label), after)
    };
    let is_port = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()),
    };
    is_host && is_port
}

fn is_place(text: &str) -> bool {
    let (place, more) = text.split_once(';').unwrap_or((text, ""));
    let is_number = |number: &str| {
        let digits = number.strip_prefix('-').unwrap_or(number);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    let numbers: Vec<&str> = place.split(',').collect();
    (2..=3).contains(&numbers.len())
        && numbers.into_iter().all(is_number)
        && more.bytes().all(|b| b.is_ascii_alphanumeric() || b"=.;-".contains(&b))
}

fn is_host_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'.' || b == b'-'
}

/// What may follow an authority: printable ASCII but `"`, `<`, `>`, `\`, `^`, `` ` ``, `{`, `|`, `}`, as in the patterns.
fn is_rest_byte(b: u8) -> bool {
    b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)
}

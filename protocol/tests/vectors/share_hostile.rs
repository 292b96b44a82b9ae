//! Shares that are meant to harm: each is refused at its member, or accepted and shown safely (`tests/share_render.rs` shows them all).

use super::cards;
use super::kit::Vectors;
use madang_protocol::limits;
use serde_json::{Value, json};

/// A text card with other members.
fn text(rest: Value) -> Value {
    let mut card = cards::sample("text", json!({ "text": "text" }));
    for (name, value) in rest.as_object().unwrap() {
        card[name] = value.clone();
    }
    card
}

fn button(rest: Value) -> Value {
    let mut button = json!({ "label": "b", "action": "open" });
    for (name, value) in rest.as_object().unwrap() {
        button[name] = value.clone();
    }
    text(json!({ "buttons": [button] }))
}

fn link(link: &Value) -> Value {
    button(json!({ "link": link }))
}

/// What is refused, the error, and the member.
pub fn refused(v: &mut Vectors) {
    let mut bad = |name: &str, text: &str, error: &str, at: &str| {
        v.bad("share", name, Value::Null, text.as_bytes(), error, at);
    };
    syntax(&mut bad);
    let mut bad = |name: &str, value: Value, error: &str, at: &str| {
        v.bad("share", name, Value::Null, value.to_string().as_bytes(), error, at);
    };
    missing(&mut bad);
    limits_of_texts_and_lists(&mut bad);
    addresses(&mut bad);
    contradictions(&mut bad);
}

fn syntax(bad: &mut dyn FnMut(&str, &str, &str, &str)) {
    let whole = text(json!({})).to_string();
    let with = |member: &str| whole.replacen('{', &format!("{{{member},"), 1);
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let deep = nested(limits::SHARE_DEPTH);
    let path = format!("x{}", "[0]".repeat(limits::SHARE_DEPTH - 1));
    for (name, given, error, at) in [
        ("nothing", String::new(), "json", "share"),
        ("no object", "[]".to_owned(), "invalid", "share"),
        ("null", "null".to_owned(), "invalid", "share"),
        ("nested too deep", with(&format!("\"x\":{deep}")), "json", path.as_str()),
        (
            "nested far too deep",
            with(&format!("\"x\":{}", nested(7_000))),
            "json",
            path.as_str(),
        ),
        ("a member twice", with("\"text\":\"other\""), "json", "text"),
        (
            "a member twice, once with an escape",
            with("\"t\\u0065xt\":\"other\""),
            "json",
            "text",
        ),
        (
            "a member twice in what is not known",
            with("\"x\":{\"a\":1,\"a\":1}"),
            "json",
            "x.a",
        ),
        (
            "a huge integer",
            with("\"expires_s2\":9007199254740993"),
            "json",
            "expires_s2",
        ),
        (
            "a number of 400 digits",
            with(&format!("\"x\":{}", "9".repeat(400))),
            "json",
            "x",
        ),
        ("a number without end", with("\"x\":1e999"), "json", "x"),
        ("a fraction", with("\"x\":0.1"), "json", "x"),
        ("minus zero", with("\"x\":-0"), "json", "x"),
        ("no number", with("\"x\":NaN"), "json", "x"),
        ("half a surrogate", with("\"x\":\"\\ud83d\""), "json", "x"),
        ("a comment", with("\"x\":/* */1"), "json", "x"),
        ("something behind it", format!("{whole} {whole}"), "json", "share"),
        ("a mark of byte order", format!("\u{feff}{whole}"), "json", "share"),
        (
            "17 KiB of spaces",
            format!("{}{whole}", " ".repeat(17 * 1024)),
            "limit",
            "share",
        ),
        (
            "17 KiB",
            with(&format!("\"x\":\"{}\"", "x".repeat(17 * 1024))),
            "limit",
            "share",
        ),
    ] {
        bad(name, &given, error, at);
    }
}

fn missing(bad: &mut dyn FnMut(&str, Value, &str, &str)) {
    for (template, value) in cards::samples() {
        for member in ["version", "template", "fallback"] {
            let mut without = value.clone();
            without.as_object_mut().unwrap().remove(member);
            bad(&format!("{template} without its {member}"), without, "missing", member);
        }
    }
    for (template, member) in [
        ("text", "text"),
        ("feed", "content"),
        ("list", "header"),
        ("list", "contents"),
        ("commerce", "content"),
        ("commerce", "price"),
        ("location", "content"),
        ("location", "location"),
        ("calendar", "content"),
        ("calendar", "calendar"),
        ("carousel", "slides"),
        ("coupon", "content"),
        ("coupon", "coupon"),
        ("custom", "custom"),
    ] {
        let (_, mut without) = cards::samples()
            .into_iter()
            .find(|(name, _)| *name == template)
            .unwrap();
        without.as_object_mut().unwrap().remove(member);
        bad(
            &format!("a {template} without its {member}"),
            without,
            "missing",
            member,
        );
    }
    let fallback = |fallback: Value| text(json!({ "fallback": fallback }));
    bad(
        "no address to fall back to",
        fallback(json!({ "text": "t" })),
        "missing",
        "fallback.url",
    );
    bad(
        "no text to fall back to",
        fallback(json!({ "url": "https://a.example" })),
        "missing",
        "fallback.text",
    );
    bad("another version", text(json!({ "version": 2 })), "invalid", "version");
    bad(
        "a version as a text",
        text(json!({ "version": "1" })),
        "invalid",
        "version",
    );
    bad(
        "another template",
        text(json!({ "template": "form" })),
        "invalid",
        "template",
    );
    bad(
        "a template in capitals",
        text(json!({ "template": "Text" })),
        "invalid",
        "template",
    );
    for (action, member) in [
        ("reply", "text"),
        ("copy", "text"),
        ("follow", "channel"),
        ("postback", "data"),
    ] {
        let path = format!("buttons[0].{member}");
        bad(
            &format!("a button to {action} without its {member}"),
            button(json!({ "action": action })),
            "missing",
            &path,
        );
    }
    bad(
        "a button that calls",
        button(json!({ "action": "call" })),
        "invalid",
        "buttons[0].action",
    );
    bad(
        "a button without a label",
        text(json!({ "buttons": [{ "action": "open" }] })),
        "missing",
        "buttons[0].label",
    );
    bad(
        "an image of nothing",
        text(json!({ "content": { "title": "t", "image": {} } })),
        "missing",
        "content.image.url",
    );
    let calendar = json!({ "content": { "title": "t" }, "calendar": { "kind": "event" } });
    bad(
        "an event at no time",
        cards::sample("calendar", calendar),
        "missing",
        "calendar.starts_s",
    );
    bad(
        "half a place",
        text(json!({ "location": { "address": "a", "latitude_e6": 1 } })),
        "missing",
        "location.longitude_e6",
    );
}

fn limits_of_texts_and_lists(bad: &mut dyn FnMut(&str, Value, &str, &str)) {
    let long = |length: usize| "\u{ac00}".repeat(length);
    bad(
        "a title of 201 characters",
        text(json!({ "content": { "title": long(201) } })),
        "limit",
        "content.title",
    );
    bad(
        "a text of 2,001 characters",
        text(json!({ "text": long(2001) })),
        "limit",
        "text",
    );
    bad("a text of nothing", text(json!({ "text": "" })), "limit", "text");
    bad(
        "a label of 41 characters",
        button(json!({ "label": long(41) })),
        "limit",
        "buttons[0].label",
    );
    bad(
        "six buttons",
        text(json!({ "buttons": vec![json!({ "label": "b", "action": "open" }); 6] })),
        "limit",
        "buttons",
    );
    bad(
        "six items",
        text(json!({ "details": { "items": vec![json!({ "name": "n", "value": "v" }); 6] } })),
        "limit",
        "details.items",
    );
    let row = json!({ "title": "t" });
    let list = |rows: usize| {
        cards::sample(
            "list",
            json!({ "header": { "title": "h" }, "contents": vec![row.clone(); rows] }),
        )
    };
    bad("a list of one", list(1), "limit", "contents");
    bad("a list of eleven", list(11), "limit", "contents");
    bad("no list", text(json!({ "buttons": {} })), "invalid", "buttons");
    bad(
        "a title that is none",
        text(json!({ "content": { "title": 7 } })),
        "invalid",
        "content.title",
    );
    bad(
        "a title of null",
        text(json!({ "content": { "title": null } })),
        "invalid",
        "content.title",
    );
    bad(
        "a key of 129 bytes",
        text(json!({ "key": "k".repeat(129) })),
        "limit",
        "key",
    );
    bad(
        "a key with a line break",
        text(json!({ "key": "a\nb" })),
        "invalid",
        "key",
    );
    bad(
        "an end before all time",
        text(json!({ "expires_s": -1 })),
        "invalid",
        "expires_s",
    );
    bad(
        "an escape that steers terminals",
        text(json!({ "text": "\u{1b}[2J" })),
        "invalid",
        "text",
    );
    bad(
        "a character that ends texts",
        text(json!({ "text": "a\u{0}b" })),
        "invalid",
        "text",
    );
    bad(
        "another control character",
        text(json!({ "text": "a\u{9b}b" })),
        "invalid",
        "text",
    );
    bad(
        "301 characters handed back",
        button(json!({ "action": "postback", "data": "x".repeat(301) })),
        "limit",
        "buttons[0].data",
    );
    bad(
        "303 bytes handed back",
        button(json!({ "action": "postback", "data": long(101) })),
        "invalid",
        "buttons[0].data",
    );
    let execute = |params: Value| link(&json!({ "platforms": [{ "os": "ios", "execute": params }] }));
    let many: serde_json::Map<String, Value> = (0..17).map(|n| (format!("p{n}"), "v".into())).collect();
    bad(
        "17 parameters",
        execute(many.into()),
        "limit",
        "buttons[0].link.platforms[0].execute",
    );
    bad(
        "a parameter with a space in its name",
        execute(json!({ "a b": "v" })),
        "invalid",
        "buttons[0].link.platforms[0].execute",
    );
    bad(
        "a parameter that is no text",
        execute(json!({ "a": 1 })),
        "invalid",
        "buttons[0].link.platforms[0].execute.a",
    );
    bad(
        "another system",
        link(&json!({ "platforms": [{ "os": "beos" }] })),
        "invalid",
        "buttons[0].link.platforms[0].os",
    );
    bad(
        "a file of 6 MiB",
        text(
            json!({ "content": { "title": "t", "image": { "url": "https://a.example/i", "length_bytes": 6 << 20 } } }),
        ),
        "invalid",
        "content.image.length_bytes",
    );
    bad(
        "a hash in capitals",
        text(
            json!({ "content": { "title": "t", "image": { "url": "https://a.example/i", "sha256": "AB".repeat(32) } } }),
        ),
        "invalid",
        "content.image.sha256",
    );
    bad(
        "a place beyond the pole",
        text(json!({ "location": { "address": "a", "latitude_e6": 90_000_001, "longitude_e6": 0 } })),
        "invalid",
        "location.latitude_e6",
    );
}

fn addresses(bad: &mut dyn FnMut(&str, Value, &str, &str)) {
    let too_long = format!("https://a.example/{}", "x".repeat(limits::URL_BYTES));
    bad(
        "an address that is too long",
        link(&json!({ "url": too_long })),
        "limit",
        "buttons[0].link.url",
    );
    for (name, url) in [
        ("a script", "javascript:alert(1)"),
        ("a script in other letters", "JaVaScRiPt:alert(1)"),
        ("a script behind a space", " javascript:alert(1)"),
        ("a script in a comment of its own", "javascript://a.example/%0aalert(1)"),
        ("a script that looks on", "vbscript:x"),
        ("data", "data:text/html,<script>alert(1)</script>"),
        ("a file", "file:///etc/passwd"),
        ("an object of a page", "blob:https://a.example/1"),
        ("a page about pages", "view-source:https://a.example"),
        ("an intent of Android", "intent://x#Intent;scheme=https;end"),
        ("an app's own scheme", "recipes://open"),
        ("a share of ours", "madang:share?d=AAAA"),
        ("no scheme", "//a.example/"),
        ("a path", "/etc/passwd"),
        ("a name before the host", "https://bank.example@evil.example/"),
        ("a password before the host", "https://bank.example:443@evil.example/"),
        ("a backslash", "https://bank.example\\@evil.example/"),
        ("a host of another script", "https://b\u{430}nk.example/"),
        ("a host of full-width letters", "https://\u{ff42}ank.example/"),
        ("a dot that is none", "https://bank\u{3002}example/"),
        ("a direction that turns", "https://a.example/\u{202e}gpj.exe"),
        ("a space", "https://a.example/a b"),
        ("a line break", "https://a.example/a\nb"),
        ("a tab in the scheme", "java\tscript:alert(1)"),
        ("no host", "https:///x"),
        ("a port too many", "https://a.example:1:2/"),
        ("a port of letters", "https://a.example:http/"),
        ("a port without end", "https://a.example:999999/"),
        ("a label of nothing", "https://a..example/"),
        ("a quote", "https://a.example/\"onclick=x"),
        ("an angle", "https://a.example/<script>"),
        ("a telephone with a command", "tel:*21*0123456789%23"),
        ("a message to somebody", "sms:+82101234567?body=x"),
        ("a mail with more", "mailto:a@b.example?attach=/etc/passwd"),
        ("a mail to nobody", "mailto:"),
        ("a place that is none", "geo:here"),
        ("one number for a place", "geo:1"),
    ] {
        bad(
            &format!("a link to {name}"),
            link(&json!({ "url": url })),
            "invalid",
            "buttons[0].link.url",
        );
    }
    let fallback = |url: &str| text(json!({ "fallback": { "text": "t", "url": url } }));
    bad(
        "a telephone to fall back to",
        fallback("tel:+82-2-120"),
        "invalid",
        "fallback.url",
    );
    bad(
        "a script to fall back to",
        fallback("javascript:alert(1)"),
        "invalid",
        "fallback.url",
    );
    let image = |url: &str| text(json!({ "content": { "title": "t", "image": { "url": url } } }));
    bad(
        "a picture without TLS",
        image("http://a.example/i.png"),
        "invalid",
        "content.image.url",
    );
    bad(
        "a picture of data",
        image("data:image/svg+xml,<svg onload=alert(1)>"),
        "invalid",
        "content.image.url",
    );
    let install = link(&json!({ "platforms": [{ "os": "ios", "install": "http://store.example/" }] }));
    bad(
        "an app to be had without TLS",
        install,
        "invalid",
        "buttons[0].link.platforms[0].install",
    );
    let follow = |channel: &str| button(json!({ "action": "follow", "channel": channel }));
    bad(
        "a channel that is damaged",
        follow("madang:channel?d=AAAA"),
        "invalid",
        "buttons[0].channel",
    );
    bad(
        "a channel in a page's address",
        follow("https://a.example/#madang:channel?d=AAAA"),
        "invalid",
        "buttons[0].channel",
    );
    let twice = link(&json!({ "platforms": [{ "os": "ios" }, { "os": "ios", "device": "phone" }, { "os": "ios" }] }));
    bad("a system twice", twice, "invalid", "buttons[0].link.platforms[2]");
}

fn contradictions(bad: &mut dyn FnMut(&str, Value, &str, &str)) {
    let price = |rest: Value| {
        let mut price = json!({ "currency": "KRW", "regular": 10_000 });
        for (name, value) in rest.as_object().unwrap() {
            price[name] = value.clone();
        }
        cards::sample("commerce", json!({ "content": { "title": "t" }, "price": price }))
    };
    for (name, rest, at) in [
        (
            "a discount that costs more",
            json!({ "discounted": 10_001 }),
            "price.discounted",
        ),
        (
            "a rate and a reduction",
            json!({ "discounted": 9_000, "rate_percent": 10, "reduction": 1_000 }),
            "price.reduction",
        ),
        (
            "a reduction of another amount",
            json!({ "discounted": 9_000, "reduction": 5_000 }),
            "price.reduction",
        ),
        (
            "a rate of another amount",
            json!({ "discounted": 9_900, "rate_percent": 90 }),
            "price.rate_percent",
        ),
        (
            "a rate without a discounted price",
            json!({ "rate_percent": 90 }),
            "price.rate_percent",
        ),
        (
            "a reduction without a discounted price",
            json!({ "reduction": 1 }),
            "price.reduction",
        ),
        (
            "a rate of 0",
            json!({ "discounted": 10_000, "rate_percent": 0 }),
            "price.rate_percent",
        ),
        (
            "a rate of 101",
            json!({ "discounted": 0, "rate_percent": 101 }),
            "price.rate_percent",
        ),
        ("less than nothing", json!({ "regular": -1 }), "price.regular"),
        (
            "a currency that is none",
            json!({ "currency": "won" }),
            "price.currency",
        ),
    ] {
        bad(name, price(rest), "invalid", at);
    }
    let slide = json!({ "content": { "title": "t" }, "price": { "currency": "KRW", "regular": 1, "discounted": 2 } });
    bad(
        "a slide that costs more",
        cards::sample("carousel", json!({ "slides": [slide, slide] })),
        "invalid",
        "slides[0].price.discounted",
    );
    let ends = json!({ "content": { "title": "t" }, "calendar": { "kind": "event", "starts_s": 2, "ends_s": 1 } });
    bad(
        "an event that ends before it starts",
        cards::sample("calendar", ends),
        "invalid",
        "calendar.ends_s",
    );
    let ends = json!({ "content": { "title": "t" }, "coupon": { "starts_s": 2, "ends_s": 1 } });
    bad(
        "an offer that ends before it starts",
        cards::sample("coupon", ends),
        "invalid",
        "coupon.ends_s",
    );
}

/// What is accepted, and shown safely.
pub fn accepted() -> Vec<(&'static str, Value)> {
    let title = |title: &str| text(json!({ "content": { "title": title, "description": title }, "text": title }));
    vec![
        (
            "a text that turns",
            title("pay \u{202e}001\u{202c} \u{2066}x\u{2069}\u{200f}"),
        ),
        ("a text that isn't seen", title("\u{200b}\u{2060}\u{feff}\u{e0041}")),
        ("letters that look alike", title("\u{430}\u{440}\u{440}le \u{ff22}ank")),
        (
            "markup",
            title("</p><script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp; &#39;"),
        ),
        (
            "lines that look like ours",
            title("x\n! This card has expired.\nSigned by the app that calls itself «은행»\n  [pay]"),
        ),
        ("a text from right to left", title("مرحبا 12")),
        ("an address of another host in a label", {
            let mut card =
                button(json!({ "label": "https://bank.example", "link": { "url": "https://evil.example/" } }));
            card["social"] = json!({ "likes": 9_007_199_254_740_991_u64 });
            card
        }),
        ("a parameter that would be another", {
            button(json!({ "link": { "platforms": [{ "os": "linux", "execute": { "a": "1&b=2#c?d/\u{202e}" } }] } }))
        }),
        ("prices that were rounded", {
            let price = json!({ "currency": "USD", "regular": 999, "discounted": 666, "rate_percent": 33 });
            cards::sample("commerce", json!({ "content": { "title": "t" }, "price": price }))
        }),
        ("a price of nothing", {
            let price = json!({ "currency": "BHD", "regular": 0, "discounted": 0, "reduction": 0 });
            cards::sample("commerce", json!({ "content": { "title": "t" }, "price": price }))
        }),
    ]
}

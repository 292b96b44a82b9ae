//! English.

use super::{Language, Texts, demo};

/// English.
pub static EN: Texts = Texts {
    language: Language::English,

    error: "error",
    failed_to: |what, path, error| match path {
        "" => format!("can't {what}: {error}"),
        path => format!("can't {what} {path}: {error}"),
    },
    no_node: |data| format!("no node is running for {data}; start one with `madang up --data {data}`"),
    not_found: |noun, given, list| format!("no {noun} fits `{given}`; see `madang {list}`"),
    ambiguous: |noun, given, candidates| {
        format!("`{given}` fits more than one {noun}; give more of the id of one of these:{candidates}")
    },
    refused: |message, code, _| format!("refused by the node: {message} ({code})"),
    store_unusable: |data, reason| format!("the data directory {data} can't be used: {reason}"),
    setting_unusable: |field, reason| format!("{field} can't be used: {reason}"),
    network_unusable: |reason| format!("the network can't be used: {reason}"),
    place_unreadable: |path, error| format!("can't read {path}: {error}; start the node again"),
    no_token_in: |path| format!("{path} holds no token in its first line"),
    list_endless: |method, limit| format!("{method} lists more than {limit} items"),
    no_socket: |error| format!("the node opens no WebSocket: {error}"),
    node_silent: |data| format!("the node of {data} doesn't answer; see its log"),
    node_unasked: |error| format!("the node can't be asked: {error}"),
    no_home: "this user has no home directory; name a data directory with --data DIR",
    asks_no_node: "this command asks no node",
    over_bytes: |limit| format!("over {limit} bytes"),
    is_absent: "there is no such file",

    to_write_stdout: "write to standard output",
    to_write: "write",
    to_read: "read",
    to_open: "open",
    to_read_stdin: "read standard input",
    to_get_random: "get random bytes from the system",
    to_read_passphrase: "read the passphrase file",
    to_catch_signals: "catch signals",
    to_start_runtime: "start the runtime",
    to_make_directory: "make a temporary directory",
    to_find_program: "find this program's file",
    to_start_process: "start a process",
    to_end_process: "end a process",
    to_await_process: "wait for a process",
    to_run_shell: "run /bin/sh",

    noun_chat: "chat",
    noun_contact: "contact",
    noun_member: "member",
    noun_app: "app",
    noun_request: "request",
    noun_archive: "archive",
    noun_channel: "channel",
    noun_post: "post",
    noun_message: "message",
    noun_token: "token",
    noun_setting: "setting",

    account: "account",
    device: "device",
    name: "name",
    phrase: "phrase",
    version: "version",
    peer: "peer",
    running: "runs for",
    listens: "listen",
    data: "data",
    metrics: "metrics",
    relay: "relay",
    chat: "chat",
    message: "message",
    author: "from",
    sent: "sent",
    received: "received",
    held_by: "held by",
    delivered_to: "delivered to",
    read_by: "read by",
    state: "state",
    timer: "timer",
    you: "you",
    ok: "ok",
    fail: "FAIL",
    connected: "connected",
    unconnected: "not connected",

    since: |time| format!("since {time}"),
    until: |time| format!("until {time}"),
    node_says: str::to_owned,

    phrase_confirmed: "confirmed, the root key is erased from this device",
    phrase_unconfirmed: "not confirmed; see `madang phrase`",
    phrase_erased: "confirmed: the root key is erased from this device, only your written words restore the account",
    phrase_advice: "Write the words down and show them to nobody: whoever has them is you.\n\
        Then run `madang phrase --confirm`, which erases the root key from this device.",
    account_created: "created a new account",
    phrase_is_at: |data| format!("its recovery phrase: `madang phrase --data {data}`; write it down"),
    starting: "starting",
    catching_up: |caught| {
        let mut text = format!(
            "catching up: {} of {} relays connected",
            caught.relays.0, caught.relays.1
        );
        if caught.received > 0 {
            text.push_str(&format!(", {} messages came", caught.received));
        }
        if caught.gaps > 0 {
            text.push_str(&format!(", {} gaps are looked for", caught.gaps));
        }
        text
    },
    caught_up: |received| match received {
        0 => "caught up: nothing new".to_owned(),
        1 => "caught up: 1 message came".to_owned(),
        many => format!("caught up: {many} messages came"),
    },
    no_passphrase_in: |path, limit| format!("{path} holds no passphrase in its first line, or more than {limit} bytes"),
    examining: "looking at everything",
    doctor_failed: "at least one check failed; its line says what to do",
    path: |path| match path {
        "direct" => "by a direct connection".to_owned(),
        "relay" => "by a relay".to_owned(),
        "none" => "no way to it".to_owned(),
        other => crate::safe::line(other),
    },
    waiting: |count| format!("{count} waiting"),
    gaps_seen: |count| match count {
        1 => "1 gap, see `madang gaps`".to_owned(),
        many => format!("{many} gaps, see `madang gaps`"),
    },
    no_evidence: "nothing speaks against any relay",

    invited: |several, until| {
        let who = if several { "everybody who gets it" } else { "one person" };
        format!("for {who}, until {until} UTC; they run `madang accept INVITE`")
    },
    asking_inviter: "looking for the inviter (up to 20 s)",
    accepted: "asked; the chat is active once the other approves, or you are let into the group",
    no_requests: "no requests",
    declined: "declined",
    no_contacts: "no contacts",
    for_contact: "for contact",
    for_group: |group| format!("for the group {group}"),
    looks_like: |other| format!("[looks like {other}]"),

    group_invited: |at_once, until| {
        let how = if at_once {
            "lets whoever has it in"
        } else {
            "whoever has it may ask; you approve each"
        };
        format!("{how}, until {until} UTC; they run `madang accept INVITE`")
    },
    taken_back: "taken back",
    leaving: "the others are asked to remove this account; until one of them has, messages still come",
    no_links: "no open links",
    let_in: |uses, limit| format!("{uses} of {limit} let in"),
    you_approve: "you approve",
    at_once: "at once",
    epoch: |epoch| format!("epoch {epoch}"),
    branches: |count| format!("{count} branches that are being settled"),
    envelopes_wait: |count| format!("{count} envelopes wait for a commit"),
    changes_under_way: |count| format!("{count} changes under way"),
    rejoining: "this device has asked to be put back",
    gaps_lost: |count| format!("{count} gaps given up by their authors"),

    no_channels: "no channels",
    too_long_for_qr: "it is too long for a QR code",
    qr_needs_columns: |columns| format!("the code takes {columns} columns: widen the terminal"),
    label_directory: "directory",
    is_listed: "can be found here",
    waits_for_directory: "not in it yet",
    leaves_directory: "is being taken out",
    no_digest: "nothing was held back",
    no_inbox: "the channel has no inbox",
    written_back: |message, chat| {
        format!("{message}  in chat {chat}, which the channel has to approve first if it is new")
    },
    no_writers: "nobody but the root writes on it",
    writer_removed: "may write no longer",
    publish_at: |url| format!("publish this at {url}"),
    label_domain_proved: "belongs to",
    label_broke_promise: "broke its promise",
    label_terms: "your terms",
    label_held_back: "held back",
    held_back: |posts| format!("{posts} posts: see `madang channel digest`"),
    no_posts: "no posts here yet",
    no_plans: "nothing is planned",
    no_such_relay: |key| {
        format!(
            "the channel isn't kept at one relay whose key begins with {key}; `madang channel relays list` shows where it is"
        )
    },
    no_channel_in_message: "the message brings no channel",
    channel_followed: |name| format!("following {name}"),
    channel_unfollowed: "no longer followed",
    channel_blocked: "blocked",
    channel_allowed: "allowed again",
    channel_own: "yours",
    channel_is_followed: "channel",
    channel_is_muted: "channel, muted",
    label_via: "via",
    via_followers: "its relays and followers, who learn that you follow",
    channel_is_blocked: "channel, blocked",
    channel_stale: "nothing was heard of the channel for too long: its relays may keep back what is new",
    channel_contradicts: "the channel signed what contradicts itself: see `madang channel evidence`",
    no_evidence_of_channel: "nothing was kept against it",
    proved: super::node::proved_en,
    post_made: "posted",
    post_planned: "planned",
    post_retracted: "(taken back)",
    post_provisional: "not confirmed by the channel yet",
    post_waits: |reason| format!("waiting: {reason}"),
    post_advertising: "advertising",
    post_unknown: "(a kind of post that this version can't show)",
    posts_per_day: |posts| format!("at most {posts} posts a day"),
    want_pair: |given| format!("`{given}`: expected two parts with a `=` between them"),
    label_channel: "channel",
    label_name: "name",
    label_description: "description",
    label_domain: "says it belongs to",
    label_web: "web",
    label_category: "category",
    label_promise: "promises",
    label_state: "state",
    label_beacon: "last word",
    label_missing: "missing",
    label_evidence: "evidence",
    label_link: "link",
    no_chats: "no chats",
    no_messages: "no messages",
    unread: |count| format!("{count} unread"),
    held_until: |time| format!("held until {time}"),
    reply_to: |message| format!("to {message}"),
    edited: "edited",
    deleted: "deleted",
    cannot_show: "this version can't show it",
    not_in_text: |name| format!("the text doesn't say `{name}`, so nobody can be mentioned there"),
    typing_told: "whoever is connected is told",
    some_missing: "some messages are missing and looked for; see `madang gaps`",
    marked_through: |message| format!("read up to {message}"),
    nothing_missing: "nothing is missing",
    messages_range: |first, last| {
        if first == last {
            format!("message {first}")
        } else {
            format!("messages {first} to {last}")
        }
    },
    gap_forked: |at| format!("two different messages at {at}"),
    gap_lost: "given up by its author",
    gap_asked: |times| match times {
        0 => "looked for".to_owned(),
        times => format!("looked for, asked {times} times"),
    },
    reading: |have, all| format!("reading: {have} of {all} messages"),
    pinned: "pinned",
    no_pins: "nothing is pinned",
    exporting: |count| format!("exporting: {count} messages"),
    exported: |count, dir, files, missing| {
        let mut said = format!("{count} messages and {files} files written to {dir}");
        if missing > 0 {
            said.push_str(&format!("; {missing} files aren't here: `madang save` fetches them"));
        }
        said
    },
    exported_at: |time| format!("exported {time}"),
    importing: |count| format!("importing: {count} messages"),
    imported: |archive, count, added| format!("{archive}  {count} messages, {added} of them new"),
    import_unreadable: |path, why| format!("{path} can't be imported: {why}"),
    no_archives: "nothing was imported",
    archive_removed: "removed",
    archive_unproved: "imported from a file: nothing proves who wrote this",
    searching: |found| format!("searching: {found} found"),
    nothing_found: "nothing found",
    more_found: |limit| format!("these are the newest {limit}; --limit N shows more"),
    search_incomplete: "the search index is still being made: there may be more",
    sending_file: |name| format!("sending {name}"),
    fetching_file: |name| format!("fetching {name}"),
    saving_file: |name| format!("saving {name}"),
    saved: |path| format!("saved {path}"),
    no_files: "the message has no files",
    no_event: "the post is no event",
    not_a_file: |path| format!("{path} is not a file; pack a directory first"),
    file_changed: |path| format!("{path} changed while it was being sent, so nothing was sent; try again"),
    file_lost: "nobody who has the file came online in time",
    file_broken: "the node broke off before the end; try again",
    name_suspicious: "careful: the name hides characters or mixes alphabets",

    acknowledged: "acknowledged",
    event_unreadable: |error| format!("the node sent an event that is no JSON: {error}"),
    subscription_ended: "the node ended the subscription; see its log",
    node_ended: |cursor| format!("the node ended; go on with `madang events --after {cursor}`"),
    types: "types",
    stopped_typing: "has stopped typing",
    approve_with: |request| format!("approve with `madang approve {request}`"),
    approve_app_with: |app| format!("let it in with `madang app approve {app}`"),
    events_missing: |from, to, why| format!("events {from} to {to} aren't in the log ({why})"),
    events_wait: |count| format!("{count} events wait"),
    params_no_object: "parameters must be one JSON object, as '{\"limit\": 5}'",
    params_unreadable: |error| format!("the parameters are no JSON: {error}"),

    no_apps: "no apps",
    apps_advice: "`madang app approve APP` lets one in that asks, `madang app revoke APP` turns it away",
    no_picks: "no card waits for you",
    no_replies: "no answer waits for you",
    noun_pick: "card that waits",
    noun_reply: "answer that waits",
    pick_dropped: "dropped; nothing was sent",
    share_handed: "handed to the app",
    share_on: |message| format!("send it on with `madang share send --message {message} --to CHAT`"),
    share_would_answer: |data| format!("would hand this back to the app, with `madang share reply`: {data}"),
    share_answered: "answered",
    share_browser: "open it in your browser within five minutes; it lets in the browser that opens it first",
    share_choose: |url| format!("choose where it goes: {url}"),
    by_app: |name, key| format!("by the app {name}, signed by {key}"),
    channel_card: |name, key| format!("a channel to follow: {name}, key {key}"),
    by_outdated: ", by an older description of the app than is known",
    by_domain_claimed: |domain| format!(", says it belongs to {domain}"),
    by_domain_proved: |domain, time| format!(", proved to belong to {domain} ({time})"),
    domain_unavailable: |domain, reason| format!("{domain} can't be asked: {reason}"),
    picture_left_out: |image, reason| format!("{image} is left out: {reason}"),
    by_page: |origin| format!("by the page {origin}, as the sender says"),
    by_nobody: "not signed",
    app_ended: "its token works no more, and its connections are closed",
    no_webhooks: "no webhooks",
    webhook_secret_once: "posts are signed with it (Standard Webhooks); it is shown only now",
    webhook_ended: "nothing is posted there any more",
    webhook_answers: |status| format!("its receiver answers {status}; see `madang app webhook list`"),
    webhook_unreachable: "its receiver can't be reached; see `madang app webhook list`",
    yours: "yours",
    tried_again: |time| format!("again {time}"),
    wants_scopes: |has, wants| format!("{has} (asks for {wants})"),
    app_asked: |app| format!("shown only now; it works once the user runs `madang app approve {app}`"),
    token_once: "it is shown only now; `madang app revoke` ends it",

    relay_token_once: |id| {
        format!(
            "This is shown once. Whoever has it may use the relay; take it back with `madang relay token revoke {id}`."
        )
    },
    no_tokens: "no tokens",
    revoked: |id| format!("revoked {id}"),
    checks_failed: |names| format!("these checks failed: {names}"),

    setting_bad: |place, why| format!("{place} can't be used: {why}"),
    setting_unknown: |name| format!("the configuration file sets `{name}`, which this version doesn't know"),
    setting_unset: |name| format!("{name} isn't set"),
    setting_written: |path| format!("written to {path}"),
    setting_covered: |variable| format!("{variable} is set and goes before the file"),
    from_file: "file",
    by_default: "default",
    config_unreadable: |path, why| format!("the configuration file {path} can't be read: {why}"),
    no_config_file: "there is no configuration file: MADANG_CONFIG is empty, or this user has no home directory; name one with --config FILE",
    not_unicode: "it is no UTF-8",
    want_text: "it must be a text in quotes",
    want_texts: "it must be a list of texts, as [\"…\", \"…\"]",
    want_one: "it takes one value",
    want_table: "what stands there is no table",
    want_at_most: |limit| format!("it takes at most {limit} values"),
    want_bytes: |limit| format!("it must have 1 to {limit} bytes and no control characters"),
    want_multiaddr: "it must be a multiaddr, as /ip4/192.0.2.7/udp/4001/quic-v1",
    want_relay: "it must be a multiaddr that ends in /p2p/KEY, as `madang relay` prints it",
    want_socket: "it must be an address and a port, as 127.0.0.1:0",
    want_mib: "it must be a whole number of MiB from 1 to 1073741824",
    want_host: "it must be a host's name without a port, as node.example",
    tls_lacks: |missing| {
        format!("TLS of the JSON-RPC takes rpc_tls, rpc_tls_cert and rpc_tls_key together; {missing} is missing")
    },
    want_log: "it must be a filter, as `info` or `warn,madang_node=debug`",
    want_one_of: |known| format!("it must be one of {known}"),

    app_made: |app, key, manifest| {
        format!(
            "app {app}\nkey       {key}  (keep it to yourself: whoever has it signs as this app)\nmanifest  {manifest}  (edit it, and raise `number` with each change)"
        )
    },
    app_exists: |path| format!("{path} is there already; an app's key is never overwritten"),
    no_app_key: |path| format!("{path} holds no key of an app; `madang app new DIR` makes one"),
    domain_unnamed: |domain, manifest| {
        format!("{manifest} doesn't name {domain} among its `domains`: add it there first")
    },
    to_be_published: |url| format!("to be published at {url}; what is there already is kept beside it"),
    share_valid: |template, bytes| format!("a valid share: {template}, {bytes} bytes"),
    signed_by: |app, name| format!("signed by {app}, which calls itself «{name}»"),
    signed_by_nobody: |origin| match origin {
        "" => "signed by nobody".to_owned(),
        origin => format!("signed by nobody; the sender says it is from {origin}"),
    },
    has_expired: "it has expired",
    left_out: |members| format!("left out, since a share has no place for it: {members}"),
    share_limit: |member, found, limit| format!("{member}: {found} is not {limit}"),
    share_missing: |member| format!("{member}: is missing"),
    share_invalid: |member, reason| format!("{member}: {reason}"),
    share_no_json: |member, reason| format!("{member}: can't be read as JSON: {reason}"),
    share_forged: "the signature doesn't hold: this isn't what the app signed",

    pages_written: |count, dir| format!("{count} pages written to {dir}"),
    has_no_stdout: "has no standard output",
    ended_early: "ended before it was ready",
    not_ready: "wasn't ready in time",
    ended_badly: |name, status| format!("{name} was asked to stop and ended with {status}"),
    ended_by_itself: |name| format!("{name} has ended by itself"),
    does_not_end: |name| format!("{name} doesn't end"),
    cannot_ask_to_stop: |name| format!("{name} can't be asked to stop"),
    log_empty: |log| format!("nothing is in {log}"),
    log_ends: |end| format!("its log ends:\n  {end}"),
    demo: demo::EN,
};

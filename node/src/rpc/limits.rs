//! The bounds of the local JSON-RPC. A bound with a code of its own in `docs/rpc.md` is part of the contract.

use std::time::Duration;

/// Bytes of a chat's name, as the protocol has it.
pub const MAX_NAME: usize = 128;
/// Bytes of a chat's picture, as the protocol has it.
pub const MAX_PICTURE: usize = 8 * 1024;
/// Members that one call adds or removes, as the protocol has it.
pub const MAX_MEMBERS: usize = 128;
/// Bytes of a request's body or of one WebSocket message. A message is at most [`MAX_TEXT`]; 1 MiB leaves room for a batch of them (guess).
pub const MAX_REQUEST: u32 = 1024 * 1024;

/// Bytes of a response: more than a page of [`DEFAULT_PAGE`] texts of [`MAX_TEXT`] unescaped takes (guess).
pub const MAX_RESPONSE: u32 = 16 * 1024 * 1024;

/// Bytes of the answers of a batch together. Less than [`MAX_RESPONSE`], as answers of batches aren't counted while they wait for a
/// peer that doesn't read (guess).
pub const MAX_BATCH_RESPONSE: usize = 4 * 1024 * 1024;

/// Requests of a batch (guess). A larger batch is refused whole.
pub const MAX_BATCH: u32 = 50;

/// Connections that have shown the token (guess). One more is answered 503 and closed.
pub const MAX_CONNECTIONS: usize = 64;

/// Connections that haven't shown the token yet (guess). One more closes the oldest, so that silent ones can't keep others out.
pub const MAX_STRANGERS: usize = 64;

/// Subscriptions of one connection (guess). One more is refused with `limit_reached`.
pub const MAX_SUBSCRIPTIONS: u32 = 16;

/// Calls of one WebSocket that run, or whose answers wait to be sent (guess). One more is refused with `overloaded`.
pub const MAX_CALLS: usize = 32;

/// Messages of one WebSocket that wait for its peer to read (guess). Senders wait when it is full; subscriptions stay where they are in the log.
pub const SEND_BUFFER: u32 = 16;

/// Bytes of a request's head (guess: a token, an origin and a browser's usual headers take less than 4 KiB).
pub const MAX_HEAD: usize = 64 * 1024;

/// Bytes of a message's text.
pub const MAX_TEXT: usize = 32 * 1024;

/// Mentions in a text.
pub const MAX_MENTIONS: usize = 64;

/// Bytes of a poll's question.
pub const MAX_QUESTION: usize = 1024;

/// Options of a poll.
pub const MAX_OPTIONS: usize = 12;

/// Bytes of an option of a poll.
pub const MAX_OPTION: usize = 200;

/// Bytes of a reaction's emoji.
pub const MAX_EMOJI: usize = 40;

/// Bytes of what is looked for.
pub const MAX_QUERY: usize = 256;

/// Messages of one call of `archive.add`: with texts of usual length a fraction of [`MAX_REQUEST`] (guess).
pub const MAX_ARCHIVED: usize = 1_000;

/// Bytes of an imported message as JSON: a text of [`MAX_TEXT`], escaped, and what belongs to it (guess).
pub const MAX_ARCHIVED_BYTES: usize = 256 * 1024;

/// Bytes of an idempotency key: a UUID takes 36 (guess).
pub const MAX_IDEMPOTENCY_KEY: usize = 128;

/// Bytes of an opaque list cursor (guess).
pub const MAX_LIST_CURSOR: usize = 512;

/// Items of a page unless told (guess).
pub const DEFAULT_PAGE: u32 = 100;

/// Items of a page at most (guess). A higher `limit` counts as this.
pub const MAX_PAGE: u32 = 1_000;

/// Events that a subscription holds while it sends them (guess).
pub const SUBSCRIPTION_PAGE: u32 = 32;

/// Pages of the event log that are kept for other subscriptions at the same place (guess: some places where readers are).
pub const KEPT_PAGES: usize = 16;

/// Bytes of such a page at most (guess: with the bound above 4 MiB); a larger one is read anew for each.
pub const KEPT_PAGE_BYTES: usize = 256 * 1024;

/// Events that a subscription may be behind, once it was at the log's end, before its reader is told (guess: some bursts are no lag).
pub const LAG: u64 = 1_000;

/// Longest wait of `event.poll`. A longer `timeout_ms` counts as this.
pub const MAX_POLL: Duration = Duration::from_secs(60);

/// Time for a request's head, counted from the connection's start or the last response; also ends idle connections (guess).
pub const HEAD_DEADLINE: Duration = Duration::from_secs(30);

/// Time for a request's body after its head (guess: 1 MiB at 100 KiB/s).
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Time for a peer to read anything of what waits for it, before the connection is closed (guess).
pub const STALL_DEADLINE: Duration = Duration::from_secs(60);

/// Period of WebSocket pings, which find peers that are gone without a word (guess).
pub const PING_PERIOD: Duration = Duration::from_secs(30);

/// Silence after which a pinged peer counts as gone (guess).
pub const PING_LIMIT: Duration = Duration::from_secs(120);

/// Time for running calls after a stop (guess).
pub const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// Pause before the next accept when the system refuses one, for instance for want of file descriptors (guess).
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What an `overloaded` refusal of this module says about when to come back, in milliseconds (guess).
pub const RETRY_AFTER_MS: u64 = 250;

/// Bytes of a scope: a namespace, a chat's id and an action take 80 (guess).
pub const MAX_SCOPE: usize = 128;

/// Scopes of one token (guess).
pub const MAX_SCOPES: usize = 64;

/// Bytes of an app's name.
pub const MAX_APP_NAME: usize = 128;

/// Bytes of an app's icon (guess: a small picture, as a group's).
pub const MAX_ICON: usize = 8 * 1024;

/// Bytes of an app's origin: scheme, host name and port.
pub const MAX_ORIGIN: usize = 300;

/// Apps with a token (guess). One more is refused with `limit_reached`.
pub const MAX_APPS: usize = 256;

/// Apps that wait for the user (guess). One more is refused with `limit_reached`, so that a page can't bury the others.
pub const MAX_ASKING: usize = 16;

/// How long an app waits for the user, in milliseconds (guess: a user who was asked looks soon).
pub const ASKING_MS: u64 = 10 * 60 * 1000;

/// Requests of apps without a token that are answered at once (guess).
pub const MAX_AT_DOOR: usize = 8;

/// Kinds and chats that a filter of events names (guess).
pub const MAX_FILTER: usize = 64;

/// Webhooks (guess). One more is refused with `limit_reached`.
pub const MAX_HOOKS: usize = 64;

/// Bytes of a webhook's URL (guess).
pub const MAX_URL: usize = 2_048;

/// Bytes of a webhook's secret at least, as Standard Webhooks has it.
pub const MIN_HOOK_SECRET: usize = 24;

/// Bytes of a webhook's secret at most, as Standard Webhooks has it.
pub const MAX_HOOK_SECRET: usize = 64;

/// Events that are posted to a webhook at once (guess).
pub const DELIVERY_EVENTS: u32 = 100;

/// Bytes of events that are posted at once, if it is more than one (guess: below what servers take by default).
pub const DELIVERY_BYTES: usize = 256 * 1024;

/// Events that a webhook doesn't want, after which it is kept how far it is (guess: these are read again after a restart).
pub const DELIVERY_PASSED: u64 = 1_000;

/// Time for a webhook's receiver to answer, as Standard Webhooks advises.
pub const POST_DEADLINE: Duration = Duration::from_secs(20);

/// Pause of a webhook's delivery when the node itself can't go on (guess).
pub const DELIVERY_RETRY: Duration = Duration::from_secs(1);

/// Longest time between looks for tokens that have ended, so that a clock that is set is noticed (guess).
pub const TOKEN_LOOK: Duration = Duration::from_secs(30);

/// Bytes of a file, as the protocol has it.
pub const MAX_FILE: u64 = 2 * 1024 * 1024 * 1024;

/// Bytes of a chunk of a file before sealing, as the protocol has it.
pub const BLOB_CHUNK: usize = 60 * 1024;

/// Bytes of a file that one call reads or writes: eight chunks, in base64 below [`MAX_REQUEST`].
pub const MAX_BLOB_PART: usize = 8 * BLOB_CHUNK;

/// Bytes of an upload over HTTP that are sealed and put on disk at once.
pub const BLOB_WRITE: usize = 16 * BLOB_CHUNK;

/// Files of a message, as the protocol has it.
pub const MAX_ATTACHMENTS: usize = 16;

/// Bytes of a file's name, as the protocol has it.
pub const MAX_FILE_NAME: usize = 255;

/// Bytes of a media type, as the protocol has it.
pub const MAX_MEDIA_TYPE: usize = 127;

/// Bytes of what is written under a file, as the protocol has it.
pub const MAX_CAPTION: usize = 1024;

/// Bytes of an image's thumbnail, as the protocol has it.
pub const MAX_THUMBNAIL: usize = 12 * 1024;

/// Bytes of an image's blurred preview, as the protocol has it.
pub const MAX_PREVIEW: usize = 32;

/// Values of a voice note's waveform, as the protocol has it.
pub const MAX_WAVEFORM: usize = 256;

/// Bytes of a channel's description. The protocol's bound, as for what follows.
pub const MAX_CHANNEL_DESCRIPTION: usize = 4 * 1024;

/// Cards of a carousel.
pub const MAX_CARDS: usize = 10;

/// Multiaddrs of a channel's relays: 6 relays with 8 each.
pub const MAX_CHANNEL_ADDRESSES: usize = 48;

/// Addresses of a channel.
pub const MAX_CHANNEL_LINKS: usize = 8;

/// Categories of a channel.
pub const MAX_CATEGORIES: usize = 32;

/// Relays of a channel.
pub const MAX_CHANNEL_RELAYS: usize = 6;

/// Bytes of a category's id.
pub const MAX_CATEGORY: usize = 32;

/// Bytes of the reason for which a post is taken back.
pub const MAX_REASON: usize = 256;

/// Bytes of the text of a certificate or recovery key of a channel.
pub const MAX_CHANNEL_TEXT: usize = 8 * 1024;
/// Bytes of what a domain publishes to vouch for channels.
pub const MAX_DOMAIN_FILE: usize = 64 * 1024;
/// Time for a domain to answer whether it vouches for a channel or an app (guess).
pub const DOMAIN_DEADLINE: Duration = Duration::from_secs(15);
/// The same before a card is opened, where the user waits (guess).
pub const OPEN_DEADLINE: Duration = Duration::from_secs(3);
/// Milliseconds after which a domain that vouched for an app is asked again (guess): a day.
pub const DOMAIN_AGAIN_MS: u64 = 24 * 3600 * 1000;
/// Milliseconds after which one is that didn't, or couldn't be reached (guess).
pub const DOMAIN_RETRY_MS: u64 = 10 * 60 * 1000;
/// Milliseconds for which a domain's word for an app counts (guess): 30 days.
pub const DOMAIN_PROOF_MS: u64 = 30 * 24 * 3600 * 1000;
/// Chats that a card is sent to at once.
pub const MAX_SHARE_CHATS: usize = 10;
/// Bytes of a card's JSON with its app's manifest and signatures. The protocol's bound, as for what follows.
pub const MAX_SHARED_JSON: usize = 29 * 1024;
/// Bytes of a card's link: that in base64url, and room.
pub const MAX_SHARE_LINK: usize = 40 * 1024;
/// Bytes of the path of a card's button.
pub const MAX_BUTTON: usize = 32;
/// Bytes that a button or an app hands back.
pub const MAX_POSTBACK: usize = 300;
/// Answers of one app that wait for the user (guess). One more is refused with `limit_reached`.
pub const MAX_REPLIES: usize = 16;
/// Those of all apps (guess).
pub const MAX_ALL_REPLIES: usize = 64;
/// How long they wait, in milliseconds (guess): a week.
pub const REPLY_MS: u64 = 7 * 24 * 3600 * 1000;
/// Schemes that a device is said to open (guess).
pub const MAX_SCHEMES: usize = 64;
/// Bytes of one of them, as in the protocol.
pub const MAX_SCHEME: usize = 32;
/// Cards of one app that wait for the user (guess). One more is refused with `limit_reached`, so that none buries the others.
pub const MAX_PICKS: usize = 4;
/// Those of all apps and pages (guess).
pub const MAX_ALL_PICKS: usize = 64;
/// How long they wait, in milliseconds (guess: a user who was asked looks soon).
pub const PICK_MS: u64 = 10 * 60 * 1000;
/// Codes for browsers that wait to be used (guess).
pub const MAX_CODES: usize = 4;
/// How long such a code works, in milliseconds (guess).
pub const CODE_MS: u64 = 5 * 60 * 1000;
/// How long a browser is let in, in seconds (guess): 90 days.
pub const BROWSER_S: u64 = 90 * 24 * 3600;
/// Bytes of a picture of a card, as the protocol has it.
pub const MAX_SHARE_IMAGE: usize = 5 * 1024 * 1024;
/// Time for all pictures of a card to be fetched, or a page that becomes one (guess: the user waits).
pub const FETCH_DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of a page that becomes a card (guess: its head is at its beginning, but nothing is read in part).
pub const MAX_WEB_PAGE: usize = 2 * 1024 * 1024;
/// Bytes of what a page's oEmbed says (guess).
pub const MAX_EMBED: usize = 64 * 1024;
/// Pictures that are fetched at once, so that they take little memory (guess).
pub const MAX_FETCHES: usize = 4;
/// Redirections that are followed for one address (guess).
pub const MAX_REDIRECTS: usize = 3;
/// Time in which sent cards are counted, in milliseconds.
pub const RATE_MS: u64 = 60 * 1000;
/// Cards that an app may send in [`RATE_MS`] (guess: somebody who shares by hand sends fewer).
pub const RATE_OF_APP: usize = 60;
/// Cards that all apps together may send to one chat in that time (guess).
pub const RATE_OF_CHAT: usize = 30;
/// Cards that one app may send to one chat in that time (guess).
pub const RATE_OF_PAIR: usize = 10;
/// Bytes of evidence against a channel: two envelopes.
pub const MAX_EVIDENCE: usize = 2 * 64 * 1024 + 16;
/// Bytes of what somebody says who reports a post.
pub const MAX_REPORT: usize = 1024;

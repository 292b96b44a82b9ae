//! Every bound of the protocol: unit, reason, source. What is called a guess awaits a measurement.

/// Bytes of an encoded envelope. Larger bodies travel as blobs (DESIGN: 64 KiB bound, under gossipsub's transmit size).
pub const ENVELOPE_BYTES: usize = 64 * 1024;
/// Bytes of a custody frame: many envelopes share one, and a peer can't make us buffer more (the transport's frame limit).
pub const FRAME_BYTES: usize = 1024 * 1024;
/// Envelopes of one deposit: bounds the receipt and the work of one frame (guess).
pub const DEPOSIT_ITEMS: usize = 256;
/// Bytes of envelopes that a sender puts in one deposit or a custodian in one page (DESIGN: writes of 64–256 KiB).
pub const PAGE_BYTES: usize = 256 * 1024;
/// Envelopes of one topic that a relay pushes without saying that there are no more; beyond, it pages without end (twice what a topic
/// of a relay holds by default).
pub const TOPIC_ITEMS: usize = 200_000;
/// Envelopes of a page of a topic's history (guess: several screens).
pub const HISTORY_ITEMS: usize = 256;
/// Topics of one watch frame (a device with more sends several).
pub const WATCH_ITEMS: usize = 1024;
/// Bytes of a relay's admission token.
pub const TOKEN_BYTES: usize = 128;
/// Bytes sent to a watcher that it hasn't acknowledged as committed: the back-pressure of pushing. Half of what is on its way to a
/// reader of files is committed while the other half comes; half of a stream's queue.
pub const PUSH_WINDOW_BYTES: u64 = 16 * PAGE_BYTES as u64;

/// Envelopes of a window that is compared; one with more is split (so a listing of it is 128 KiB, and a session 330 KB of memory).
pub const RECONCILE_ELEMENTS: usize = 4096;
/// Bytes of one message of a comparison: a page's quarter, so that it holds nothing up.
pub const RECONCILE_MESSAGE_BYTES: usize = 64 * 1024;
/// Messages of a comparison that its beginner takes; then it asks for a listing (more than the largest windows with nothing in common
/// take).
pub const RECONCILE_ROUNDS: usize = 12;
/// Seconds since its end after which a window is closed: deposits on their way have arrived, and clocks that agree roughly agree that
/// it is past (guess).
pub const RECONCILE_CLOSED_S: u64 = 300;
/// Seconds on both sides of a window that a custodian adds to it: what its clock and the asker's date differently isn't missing (guess;
/// less than what closes a window).
pub const RECONCILE_SLACK_S: u64 = 120;
/// Seconds of the shortest window that is split off: if that holds too many still, it isn't compared (guess).
pub const RECONCILE_LEAST_S: u64 = 60;

/// Bytes of a blob that is read as one piece: Welcomes and commits of large groups have up to 1.5 MB.
pub const BLOB_BYTES: u64 = 8 * 1024 * 1024;
/// Padded bytes beyond which a length names no blob of any version: twice what attachments are meant to have.
pub const BLOB_LENGTH: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes of a blob's chunk before sealing: sealed and with its proof it fits a row of 64 KiB.
pub const BLOB_CHUNK_BYTES: usize = 60 * 1024;
/// Chunks of one frame: half a frame's bound, so that they don't hold up messages for long.
pub const BLOB_CHUNKS_PER_FRAME: usize = 8;

/// Bytes of a file (DESIGN §11).
pub const FILE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes of files that a device keeps, its own and those that it fetched: the oldest that others have make room (guess: what a
/// telephone spares).
pub const FILES_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Files of one message (guess: an album that still fits a message with its thumbnails).
pub const ATTACHMENTS: usize = 16;
/// Bytes of a file's name: what common file systems take.
pub const FILE_NAME_BYTES: usize = 255;
/// Bytes of a media type: two names of 63 (RFC 6838, section 4.2) and what is between them.
pub const MEDIA_TYPE_BYTES: usize = 127;
/// Bytes of what is written under a file.
pub const CAPTION_BYTES: usize = 1024;
/// Bytes of an image's thumbnail in its message.
pub const THUMBNAIL_BYTES: usize = 12 * 1024;
/// Bytes of the blurred preview of an image: a ThumbHash has at most 25.
pub const PREVIEW_BYTES: usize = 32;
/// Values of a voice note's waveform, a byte each.
pub const WAVEFORM_BYTES: usize = 256;

/// Bytes of a text body.
pub const TEXT_BYTES: usize = 32 * 1024;
/// Bytes of an inner message, fallback and body included: it must fit an envelope after padding and sealing.
pub const MESSAGE_BYTES: usize = 48 * 1024;
/// Messages of one device that share an envelope, when several wait at once (guess: sealing and signing cost little beside them then).
pub const RUN_MESSAGES: usize = 128;
/// Bytes of messages after which an envelope takes no more: far below its bound, and little to send again.
pub const RUN_BYTES: usize = 16 * 1024;
/// Causal parents that a message names; older heads are implied by them.
pub const PARENTS: usize = 8;
/// Ranges of a frontier; beyond, the oldest gap is counted as given up by the reporter.
pub const FRONTIER_RANGES: usize = 64;
/// Streams (device and incarnation) that one report covers: those that changed last, and the others in turn.
pub const FRONTIER_STREAMS: usize = 64;
/// Streams that messages tell of along the way: those that changed last.
pub const FRONTIERS_ALONG: usize = 8;
/// Streams that one device asks for at once (guess: what is missing of more is asked for next time).
pub const WANT_STREAMS: usize = 16;
/// Ranges of one stream that it asks for at once.
pub const WANT_RANGES: usize = 16;
/// Devices that joined later which a report names (guess: they are named until they have confirmed some messages).
pub const BASELINES: usize = 64;
/// Streams of one device in a chat that are listened to: it has a new one only when it joins anew without its state (guess).
pub const STREAMS_PER_DEVICE: usize = 8;
/// Gaps of one stream that are told apart; what is missing besides counts with the newest.
pub const GAPS_PER_STREAM: usize = 32;
/// Gaps of each chat that are listed (guess: beyond, a list helps nobody).
pub const GAPS_PER_CHAT: usize = 256;
/// How far a Lamport clock may run ahead of the receiver's before it is no longer adopted (a hostile clock can't exhaust 64 bits).
pub const CLOCK_LEAP: u64 = 1 << 20;

/// Devices of a chat (DESIGN: groups of up to 1,000 members).
pub const GROUP_MEMBERS: usize = 1_000;
/// Admins of a group (guess): each commit may carry their list.
pub const ADMINS: usize = 64;
/// Bytes of a group's picture: it is part of each change of the settings and of each Welcome (guess).
pub const PICTURE_BYTES: usize = 8 * 1024;
/// Bytes of what later versions add to a chat's settings (guess).
pub const CONTEXT_EXTENSION_BYTES: usize = 8 * 1024;
/// Wishes of members that one commit carries out (guess).
pub const STATEMENTS: usize = 64;
/// Bytes of what later versions add to a member's profile (guess).
pub const PROFILE_EXTENSION_BYTES: usize = 1024;
/// Bytes of what a Welcome tells besides the topic: profiles of a thousand devices with names of full length, and states.
pub const JOIN_EXTENSION_BYTES: usize = 256 * 1024;
/// States that a wish to be put back names as lacking (guess: of several branches).
pub const WISH_NODES: usize = 8;
/// Settled states that a device remembers by name, and tells whom it puts back (guess: as many as are kept unsettled).
pub const PAST_NODES: usize = 64;
/// Profiles that a chat keeps: those of its members, and of as many who were; beyond, those who were go first.
pub const PROFILES_PER_CHAT: usize = 2 * GROUP_MEMBERS;
/// Members that one commit adds: adding many at once is slow, and the commit grows with them (DESIGN: bounded batches; guess).
pub const ADDED_AT_ONCE: usize = 128;

/// Bytes of a display name.
pub const NAME_BYTES: usize = 128;
/// Bytes of a multiaddr.
pub const ADDRESS_BYTES: usize = 256;
/// Addresses of a peer or relay.
pub const ADDRESSES: usize = 8;
/// Relays of an invite or a chat (DESIGN: 1–3 custodians an account; both sides' together).
pub const RELAYS: usize = 6;
/// Own relays of an account.
pub const OWN_RELAYS: usize = 3;
/// Devices of an account (DESIGN: target at most 10) plus revoked ones.
pub const DEVICE_STATEMENTS: usize = 64;
/// Key packages of a card.
pub const CARD_KEY_PACKAGES: usize = 16;
/// Bytes of a key package; with X-Wing about 3 KiB.
pub const KEY_PACKAGE_BYTES: usize = 16 * 1024;
/// Bytes of a Welcome or commit that travels as a blob: those of a thousand devices with X-Wing, and room (DESIGN: up to 1.2 MB).
pub const LARGE_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a Welcome that is kept for the case that the state at hand proves dead; whoever was told a larger one asks to be put back
/// (guess: that of a few hundred devices).
pub const SPARE_BYTES: usize = 512 * 1024;
/// Bytes of a message to an inbox, or of a commit, above which it travels as a blob: it must fit an envelope after padding and sealing.
pub const INLINE_BYTES: usize = 40 * 1024;
/// Bytes of a Welcome that travels inside a request; larger ones go as blobs.
pub const WELCOME_BYTES: usize = 40 * 1024;
/// Bytes of a card or request before sealing.
pub const SEALED_BYTES: usize = 56 * 1024;
/// Bytes of an invite link before base64.
pub const INVITE_BYTES: usize = 4 * 1024;

/// Contact requests that wait for the user, over all invites: a stranger can't fill the store.
pub const REQUESTS_WAITING: usize = 256;
/// Requests that one multi-use invite takes before the user has decided on some.
pub const REQUESTS_PER_INVITE: usize = 32;
/// Leaves of its own that a device wishes to be put back for before it asks again: members that tell it any may keep it busy no longer
/// (guess).
pub const WISHES_AT_ONCE: usize = 8;
/// Wishes of one device to leave that are kept once they are carried out, until that is settled (guess).
pub const LEAVE_WISHES: usize = 8;
/// Leaves with which a device has asked to be put back that it remembers: being put back with another one shows that its data was copied
/// (guess).
pub const LEAVES_OFFERED: usize = 16;
/// Topics of a chat on which one wish to be put back is written at most (guess: a branch or two beside the one at hand).
pub const WISH_TOPICS: usize = 4;
/// Groups that an account has asked to be let into by their links, and those that let it in lately.
pub const GUESTS: usize = 64;
/// Decided requests that an invite remembers, so that a relay that lost its past doesn't bring them again; beyond, the oldest may come.
pub const DECIDED_PER_INVITE: usize = 1024;
/// Open invites of an account.
pub const INVITES: usize = 256;
/// Seconds that a single-use invite and its key packages live by default: 30 days, as relays keep its card.
pub const INVITE_SECONDS: u64 = 30 * 24 * 3600;
/// Seconds that a multi-use invite and its last-resort package live by default (DESIGN: short-lived).
pub const MULTI_USE_INVITE_SECONDS: u64 = 7 * 24 * 3600;
/// Longest life of an invite, in seconds.
pub const INVITE_SECONDS_MAX: u64 = 90 * 24 * 3600;

/// Chats of a device under aliases (guess: a brand or two a week, for some years).
pub const ALIASES: usize = 256;
/// Chats of an account (topics at relays are bounded with them).
pub const CHATS: usize = 10_000;
/// Own messages that await delivery, over all chats; beyond, sending is refused.
pub const OUTBOX_ITEMS: usize = 100_000;
/// Bytes of plaintext in the outbox, over all chats.
pub const OUTBOX_BYTES: usize = 256 * 1024 * 1024;
/// Envelopes of an epoch that hasn't been reached, for each chat; beyond, the newest is refused and fetched again later.
pub const PENDING_PER_CHAT: usize = 1024;
/// Unsettled states that each chat keeps beside the current one: a burst of changes by several admins must not settle before the others
/// have heard of it (guess: a state of a chat of two takes some 20 kB, and few chats change so often in three days).
pub const FROZEN_STATES: usize = 64;
/// Frozen states of a chat that are in memory with more than their rows (guess: a fork or two that are written on); beyond, all of them
/// are read anew when they are needed.
pub const AWAKE_STATES: usize = 4;
/// Milliseconds that a frozen state is kept: the bound of forward secrecy that the threat model names (DESIGN: 72 h).
pub const FROZEN_MS: u64 = 72 * 3600 * 1000;
/// Milliseconds between updates of this device's leaf key, at the least (guess: a week).
pub const LEAF_UPDATE_MS: u64 = 7 * 24 * 3600 * 1000;

/// Messages that a sender's ratchet may skip ahead (DESIGN: in the thousands, a backlog may arrive newest first).
pub const RATCHET_FORWARD: u32 = 20_000;
/// Message keys behind the newest that are kept for each sender, skipped ones and the places of used ones, which are written with
/// every message (FAULTS 3: a backlog of 2,000 that arrives newest first).
pub const RATCHET_OUT_OF_ORDER: u32 = 2_500;

/// Seconds that a custodian keeps an envelope by default (DESIGN: 30 days).
pub const CUSTODY_SECONDS: u32 = 30 * 24 * 3600;
/// Envelope ids that a device remembers to drop repeats before it decrypts.
pub const RECENT_ENVELOPES: usize = 16 * 1024;
/// Events of the log; older ones are pruned and readers told of the gap.
pub const EVENTS: u64 = 100_000;
/// Bytes of a reaction's emoji: the longest of Unicode's sequences, a kiss of two people with their skin tones, has 35.
pub const EMOJI_BYTES: usize = 40;
/// Mentions of one text (guess: nobody names more people than this one by one).
pub const MENTIONS: usize = 64;
/// Bytes of a poll's question (guess).
pub const POLL_QUESTION_BYTES: usize = 1024;
/// Options of a poll; what has fewer than two is none (guess: what fits a screen).
pub const POLL_OPTIONS: usize = 12;
/// Bytes of an option of a poll.
pub const POLL_OPTION_BYTES: usize = 200;
/// Different emoji that one account may leave at one message, those it took back included; its newest count.
pub const REACTIONS_PER_ACCOUNT: usize = 16;
/// Messages of each chat that aren't here and for which edits, reactions and the like are kept; beyond, the oldest are dropped.
pub const EARLY_TARGETS: usize = 1024;
/// Milliseconds that they are kept for a message that doesn't come: as long as relays would still have it.
pub const EARLY_MS: u64 = CUSTODY_SECONDS as u64 * 1000;
/// Disappeared messages that one step erases, so that a thousand that are due at once don't hold up the rest (guess).
pub const ERASED_PER_STEP: usize = 256;
/// Milliseconds that an idempotency key is remembered (seven days).
pub const IDEMPOTENCY_MS: u64 = 7 * 24 * 3600 * 1000;
/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;
/// Starts of the program that a device remembers, to tell what a copy of its data has sent; what was sent in older ones counts as its own
/// (guess: 4 bytes each, written once a start).
pub const STARTS: usize = 256;
/// Streams of a device that have ended, for which the ledger still tells what others have; beyond, the oldest is forgotten (guess).
pub const PAST_STREAMS: usize = 8;
/// Commits of one device on one state that are kept: an honest one makes one, a device that was copied two (guess).
pub const SIBLINGS: usize = 8;
/// The same of those that part who takes them from who doesn't (guess).
pub const SIBLINGS_THAT_PART: usize = 64;
/// Commits of one device in a chat that are taken at once; more wait for their turn (guess: a thousand members are added by eight).
pub const COMMIT_BURST: u64 = 32;
/// Milliseconds after which one more of a device's commits is taken (guess: far more than people make).
pub const COMMIT_INTERVAL_MS: u64 = 5_000;
/// Milliseconds between two times that a device says that its user types (guess: what shows it fades after twice as long).
pub const TYPING_MS: u64 = 5_000;
/// Envelopes on the state that counts which don't open, one after the other, before a device takes its own state for damaged (guess).
pub const UNREAD_IN_A_ROW: usize = 8;
/// Connected peers that a state machine keeps account of.
pub const PEERS: usize = 4096;
/// Milliseconds that a device keeps the sealed envelopes of a group for other members: as long as it keeps the states that open them.
pub const PASSED_MS: u64 = FROZEN_MS;
/// Bytes of them for each group; the oldest go first (guess: some thousand texts).
pub const PASSED_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of them in all; the oldest of the group that has most go first (guess).
pub const PASSED_BYTES_ALL: u64 = 64 * 1024 * 1024;
/// Milliseconds that envelopes wait for their states before a spare Welcome is taken (guess: a large commit's blob is here by then).
pub const SPARE_MS: u64 = 5_000;

/// Messages kept in sight that a chat's list of them shows, the newest (guess: beyond, nobody looks).
pub const PINS_SHOWN: usize = 100;

/// Bytes of a search's query.
pub const SEARCH_QUERY_BYTES: usize = 256;
/// Terms of a search's query (guess).
pub const SEARCH_TERMS: usize = 16;
/// Places that are marked in what a search finds.
pub const SEARCH_HIGHLIGHTS: usize = 32;
/// Bytes of what a search shows of a text around the first place, about (guess: three lines of a phone).
pub const SEARCH_SNIPPET_BYTES: usize = 240;
/// Messages of a segment of the search index; the newest that are fewer than that are read one by one by each search (guess).
pub const SEARCH_SEGMENT: usize = 1024;
/// Bytes of texts after which a segment is closed: what building it takes of memory.
pub const SEARCH_SEGMENT_BYTES: usize = 1024 * 1024;
/// Messages that aren't in the index yet of which a search reads the newest; it says that it may lack others.
pub const SEARCH_UNINDEXED: usize = 4096;
/// Messages that a search reads to find those that have what is looked for; then its page ends, perhaps early (guess).
pub const SEARCH_READS: usize = 2000;
/// Events that wait at most before the index takes them in, so that searching doesn't read more of the log.
pub const SEARCH_EVENTS: usize = 16 * 1024;

/// Certificates between a channel's key and the writer of an envelope: hand-overs of the root, and the writer's own.
pub const CERTIFICATE_CHAIN: usize = 4;
/// Bytes of what later versions add to a certificate, manifest, entry or beacon (guess).
pub const CHANNEL_EXTENSION_BYTES: usize = 4 * 1024;
/// Bytes of a channel's description.
pub const CHANNEL_DESCRIPTION_BYTES: usize = 4 * 1024;
/// Categories of a channel (guess: what somebody who follows it looks through).
pub const CHANNEL_CATEGORIES: usize = 32;
/// Bytes of a category's id.
pub const CATEGORY_BYTES: usize = 32;
/// Links of a channel, and buttons of a card.
pub const CHANNEL_LINKS: usize = 8;
/// Bytes of an address that a link or button leads to.
pub const URL_BYTES: usize = 2048;
/// Bytes of a domain's name (RFC 1035, section 2.3.4).
pub const DOMAIN_BYTES: usize = 253;
/// Writers of a channel whose heads a beacon names (guess).
pub const CHANNEL_WRITERS: usize = 64;
/// Revocations that a beacon names: writers of the past.
pub const CHANNEL_REVOCATIONS: usize = 256;
/// Cards of a carousel.
pub const CAROUSEL_CARDS: usize = 10;
/// Bytes of a card's or an event's title, and of the name of a place.
pub const TITLE_BYTES: usize = 256;
/// Bytes of a card's text, and of the terms of a coupon.
pub const CARD_TEXT_BYTES: usize = 4 * 1024;
/// Bytes of a post with all that belongs to it: it must fit an envelope beside its writer's certificates.
pub const POST_BYTES: usize = 48 * 1024;
/// Channels that an account follows, blocks or has.
pub const CHANNELS: usize = 1_000;
/// Entries of a channel that a follower keeps, and their bytes; beyond, the oldest go (guess: years of most brands).
pub const CHANNEL_ENTRIES: u64 = 10_000;
/// See [`CHANNEL_ENTRIES`].
pub const CHANNEL_ENTRY_BYTES: u64 = 64 * 1024 * 1024;
/// Pieces of evidence that are kept against a channel.
pub const CHANNEL_EVIDENCE: usize = 16;
/// Followers whom a relay names to another at once.
pub const MET: usize = 8;
/// Peers that a device is connected to because they follow a channel that it follows too, over all channels (guess: each costs a
/// connection, and news reaches thousands within a few hops of six).
pub const MESH_PEERS: usize = 32;
/// Of those, the ones that it looks for in one channel (gossipsub's degree).
pub const MESH_TARGET: usize = 6;
/// Envelopes of channels that a device checks of one peer at once, and gains again each second: repeats cost nothing (guess: a busy day
/// of all channels; some hundredths of a core for each peer at the most).
pub const MESH_SHARE: (u64, u64) = (256, 32);
/// Posts that wait for their time, over all own channels.
pub const CHANNEL_PLANS: usize = 1_000;
/// Polls of own channels whose answers are counted or were, over all channels; of those that are over the oldest go first (guess).
pub const POLLS: usize = 256;
/// Seconds for which a poll of a channel can be answered (guess: half of what relays keep an answer for).
pub const POLL_SECONDS: u64 = 15 * 24 * 3600;
/// Voters of one poll that are counted: about 10 MB of rows.
pub const POLL_VOTERS: u32 = 65_536;
/// Results of one poll that are told: each is an edit that stays (guess).
pub const POLL_RESULTS: u32 = 32;
/// Answers to one poll that are opened at once, and in a second after that: what came while the counting device was away, and a bit of a
/// core (guess).
pub const BALLOTS_SHARE: (u64, u64) = (65_536, 256);
/// The least figure of people that a brand is told; fewer are 0.
pub const FIGURE_LEAST: u64 = 20;
/// Figures of people are multiples of this.
pub const FIGURE_STEP: u64 = 10;
/// Seconds for which a relay tells the same figure again, whatever has changed: who asks often doesn't see single followers come and go
/// (guess), and for which a question for figures holds.
pub const FIGURES_SECONDS: u64 = 3600;
/// Bytes of what a relay is asked for figures with: the longest chain of certificates, and room.
pub const INQUIRY_BYTES: usize = 8 * 1024;
/// Bytes of what somebody says who reports a post to a relay's operator (guess: some sentences).
pub const REPORT_TEXT_BYTES: usize = 1024;
/// Envelopes of a report: the post's, and that of the edit that counts.
pub const REPORT_ENVELOPES: usize = 2;
/// Reports of one peer that a relay takes in a day (guess: somebody who minds a lot).
pub const REPORTS_A_DAY: u32 = 32;
/// Posts that a device reports at once.
pub const REPORTS: usize = 64;
/// Seconds after which it gives up a relay that doesn't take a report (guess: it was away for longer than most).
pub const REPORT_SECONDS: u64 = 7 * 24 * 3600;
/// Bytes of a channel's link before base64.
pub const CHANNEL_LINK_BYTES: usize = 4 * 1024;
/// Seconds that a channel's envelopes ask custodians to keep them: a year, far longer than chats.
pub const CHANNEL_SECONDS: u32 = 365 * 24 * 3600;
/// Bytes of what a channel says of itself in a relay's directory (guess: an address book's entry).
pub const LISTING_BYTES: usize = 8 * 1024;
/// Bytes of the description in it: what a list of found channels has room for.
pub const LISTING_DESCRIPTION_BYTES: usize = 512;
/// Seconds for which it holds; its channel's root signs another one in time.
pub const LISTING_SECONDS: u64 = 30 * 24 * 3600;
/// Listings that a directory's answer has at most.
pub const LISTINGS_FOUND: usize = 64;
/// Bytes of the place at which a search goes on.
pub const LISTING_PLACE_BYTES: usize = 128;
/// Bytes of what a domain publishes to vouch for channels.
pub const DOMAIN_FILE_BYTES: usize = 64 * 1024;
/// Posts of a channel that are held back at once; beyond, the oldest are found in the channel alone (guess: a month of a busy one).
pub const CHANNEL_HELD: usize = 128;
/// Quiet hours, and hours of a window, of one follower's terms (guess: two a day of the week).
pub const TERMS_HOURS: usize = 14;
/// Places of one follower's terms (guess).
pub const TERMS_PLACES: usize = 16;

/// Bytes of a share's JSON, as it is given and in the one way of writing it (DESIGN: 16 KiB, where KakaoTalk's has 10).
pub const SHARE_BYTES: usize = 16 * 1024;
/// Levels of a share's JSON, or a manifest's: twice what those have that are known.
pub const SHARE_DEPTH: usize = 16;
/// Buttons of a card (DESIGN).
pub const SHARE_BUTTONS: usize = 5;
/// Rows of a card's details, beside their sum (as KakaoTalk's).
pub const SHARE_ITEMS: usize = 5;
/// Platforms of a link or a manifest: systems times kinds of devices, and room.
pub const SHARE_PLATFORMS: usize = 20;
/// Parameters that an app is opened with (guess).
pub const SHARE_PARAMS: usize = 16;
/// Characters of such a parameter (guess: an address in it has room).
pub const SHARE_PARAM_CHARS: usize = 1024;
/// Bytes that a button hands back to its app (LINE's postbacks have 300).
pub const SHARE_POSTBACK_BYTES: usize = 300;
/// Bytes of a button's path in a card, like `slides[9].buttons[4]`.
pub const SHARE_BUTTON_BYTES: usize = 32;
/// Bytes of a card's picture (as KakaoTalk's).
pub const SHARE_IMAGE_BYTES: i64 = 5 * 1024 * 1024;
/// Seconds that a signed share lives at most: a year.
pub const SHARE_LIFE_S: u64 = 366 * 24 * 3600;
/// Bytes of an app's manifest as JSON: its icon, and as much again.
pub const APP_MANIFEST_BYTES: usize = 12 * 1024;
/// Bytes of an app's icon: it comes with each share (guess: 64 pixels square).
pub const APP_ICON_BYTES: usize = 4 * 1024;
/// Domains of an app (guess).
pub const APP_DOMAINS: usize = 8;
/// Events that an app takes (guess).
pub const APP_EVENTS: usize = 16;
/// Bytes of a share's JSON with its app's manifest and signatures: what a link holds before base64.
pub const SHARED_JSON_BYTES: usize = SHARE_BYTES + APP_MANIFEST_BYTES + 1024;

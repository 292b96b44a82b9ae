//! What the program says to people, in each of its languages. JSON is the same in all of them, and so are words of the protocol, as commands, settings and
//! kinds of events.
//!
//! Each language is one [`Texts`]; a text that is missing in one doesn't compile. Help is written at the arguments, in English, and exchanged by [`spoken`].

use std::ffi::OsString;

use serde_json::Value;

use crate::serve::Caught;

mod demo;
mod en;
mod help;
mod ko;
mod node;
mod usage;

pub use demo::DemoTexts;
pub use en::EN;
pub use help::spoken;
pub use ko::KO;
pub use usage::usage_error;

/// A language of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// 한국어.
    Korean,
}

impl Language {
    /// Returns its texts.
    #[must_use]
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::English => &EN,
            Self::Korean => &KO,
        }
    }

    /// Returns that of the locale: LC_ALL, LC_MESSAGES or LANG, the first that says something, or else the platform's setting.
    pub fn of_locale(environment: &impl Fn(&str) -> Option<OsString>) -> Self {
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| environment(name))
            .find(|value| !value.is_empty());
        let locale = match said {
            Some(said) => said.into_string().unwrap_or_default(),
            None => sys_locale::get_locale().unwrap_or_default(),
        };
        match locale.split(['_', '-', '.', '@']).next() {
            Some("ko") => Self::Korean,
            _ => Self::English,
        }
    }
}

/// All texts of a language; each field is named after what it says.
#[derive(Debug)]
pub struct Texts {
    pub language: Language,

    // Errors.
    pub error: &'static str,
    /// What, the path or nothing, the system's words.
    pub failed_to: fn(&str, &str, &str) -> String,
    pub no_node: fn(&str) -> String,
    /// The noun, what was typed, the command that lists all.
    pub not_found: fn(&str, &str, &str) -> String,
    /// The noun, what was typed, indented candidates that begin with a line end.
    pub ambiguous: fn(&str, &str, &str) -> String,
    /// The node's words, the code, `error.data`.
    pub refused: fn(&str, &str, &Value) -> String,
    pub store_unusable: fn(&str, &str) -> String,
    pub setting_unusable: fn(&str, &str) -> String,
    pub network_unusable: fn(&str) -> String,
    pub place_unreadable: fn(&str, &str) -> String,
    pub no_token_in: fn(&str) -> String,
    pub list_endless: fn(&str, usize) -> String,
    pub no_socket: fn(&str) -> String,
    pub node_silent: fn(&str) -> String,
    pub node_unasked: fn(&str) -> String,
    pub no_home: &'static str,
    pub asks_no_node: &'static str,
    pub over_bytes: fn(u64) -> String,
    pub is_absent: &'static str,

    // What failed, for `failed_to`.
    pub to_write_stdout: &'static str,
    pub to_write: &'static str,
    pub to_read: &'static str,
    pub to_open: &'static str,
    pub to_read_stdin: &'static str,
    pub to_get_random: &'static str,
    pub to_read_passphrase: &'static str,
    pub to_catch_signals: &'static str,
    pub to_start_runtime: &'static str,
    pub to_make_directory: &'static str,
    pub to_find_program: &'static str,
    pub to_start_process: &'static str,
    pub to_end_process: &'static str,
    pub to_await_process: &'static str,
    pub to_run_shell: &'static str,

    // Nouns of what can be looked for.
    pub noun_chat: &'static str,
    pub noun_contact: &'static str,
    pub noun_member: &'static str,
    pub noun_app: &'static str,
    pub noun_request: &'static str,
    pub noun_archive: &'static str,
    pub noun_channel: &'static str,
    pub noun_post: &'static str,
    pub noun_message: &'static str,
    pub noun_token: &'static str,
    pub noun_setting: &'static str,

    // Labels.
    pub account: &'static str,
    pub device: &'static str,
    pub name: &'static str,
    pub phrase: &'static str,
    pub version: &'static str,
    pub peer: &'static str,
    pub running: &'static str,
    pub listens: &'static str,
    pub data: &'static str,
    pub metrics: &'static str,
    pub relay: &'static str,
    pub chat: &'static str,
    pub message: &'static str,
    pub author: &'static str,
    pub sent: &'static str,
    pub received: &'static str,
    pub held_by: &'static str,
    pub delivered_to: &'static str,
    pub read_by: &'static str,
    pub state: &'static str,
    pub timer: &'static str,
    pub you: &'static str,
    pub ok: &'static str,
    pub fail: &'static str,
    pub connected: &'static str,
    pub unconnected: &'static str,

    // Times.
    pub since: fn(&str) -> String,
    pub until: fn(&str) -> String,

    // What the node says in words of its own: states, reasons, the doctor's findings.
    pub node_says: fn(&str) -> String,

    // Account and node.
    pub phrase_confirmed: &'static str,
    pub phrase_unconfirmed: &'static str,
    pub phrase_erased: &'static str,
    pub phrase_advice: &'static str,
    pub account_created: &'static str,
    pub phrase_is_at: fn(&str) -> String,
    pub starting: &'static str,
    pub catching_up: fn(&Caught) -> String,
    pub caught_up: fn(u64) -> String,
    pub no_passphrase_in: fn(&str, u64) -> String,
    pub examining: &'static str,
    pub doctor_failed: &'static str,
    pub path: fn(&str) -> String,
    pub waiting: fn(u64) -> String,
    pub gaps_seen: fn(u64) -> String,
    pub no_evidence: &'static str,

    // Contacts.
    /// Whether several may use it, until when.
    pub invited: fn(bool, &str) -> String,
    pub asking_inviter: &'static str,
    pub accepted: &'static str,
    pub no_requests: &'static str,
    pub declined: &'static str,
    pub no_contacts: &'static str,
    pub for_contact: &'static str,
    pub for_group: fn(&str) -> String,
    /// Stands behind a name that looks like that of the account or id.
    pub looks_like: fn(&str) -> String,

    // Groups.
    /// Whether it lets in at once, until when.
    pub group_invited: fn(bool, &str) -> String,
    pub taken_back: &'static str,
    pub leaving: &'static str,
    pub no_links: &'static str,
    pub let_in: fn(u64, u64) -> String,
    pub you_approve: &'static str,
    pub at_once: &'static str,
    pub epoch: fn(u64) -> String,
    pub branches: fn(u64) -> String,
    pub envelopes_wait: fn(u64) -> String,
    pub changes_under_way: fn(u64) -> String,
    pub rejoining: &'static str,
    pub gaps_lost: fn(u64) -> String,

    // Channels.
    pub no_channels: &'static str,
    pub too_long_for_qr: &'static str,
    /// How many columns it takes.
    pub qr_needs_columns: fn(usize) -> String,
    pub label_directory: &'static str,
    pub is_listed: &'static str,
    pub waits_for_directory: &'static str,
    pub leaves_directory: &'static str,
    pub no_digest: &'static str,
    pub no_inbox: &'static str,
    /// The message, the chat.
    pub written_back: fn(&str, &str) -> String,
    pub no_writers: &'static str,
    pub writer_removed: &'static str,
    pub publish_at: fn(&str) -> String,
    pub label_domain_proved: &'static str,
    pub label_broke_promise: &'static str,
    pub label_terms: &'static str,
    pub label_held_back: &'static str,
    pub held_back: fn(usize) -> String,
    pub no_posts: &'static str,
    pub no_plans: &'static str,
    pub no_such_relay: fn(&str) -> String,
    pub no_channel_in_message: &'static str,
    pub channel_followed: fn(&str) -> String,
    pub channel_unfollowed: &'static str,
    pub poll_open: &'static str,
    pub poll_over: &'static str,
    pub poll_chosen: &'static str,
    pub poll_voters: fn(&str) -> String,
    pub poll_capped: &'static str,
    pub fewer_than_20: &'static str,
    pub no_figures: &'static str,
    pub asking_relays: &'static str,
    pub label_all_relays: &'static str,
    pub watchers: fn(&str) -> String,
    pub deliveries: fn(&str) -> String,
    pub not_counted: &'static str,
    pub counted_at: fn(&str) -> String,
    /// Since when, and when.
    pub counted_from_to: fn(&str, &str) -> String,
    pub relay_away: &'static str,
    pub relay_tells_none: &'static str,
    pub relay_refuses: fn(&str) -> String,
    pub channel_blocked: &'static str,
    pub channel_allowed: &'static str,
    pub channel_own: &'static str,
    pub channel_is_followed: &'static str,
    pub channel_is_muted: &'static str,
    pub label_via: &'static str,
    pub via_followers: &'static str,
    pub channel_is_blocked: &'static str,
    pub channel_stale: &'static str,
    pub channel_contradicts: &'static str,
    pub no_evidence_of_channel: &'static str,
    /// What it proves, by the name of the JSON-RPC, and the number of the entry or beacon.
    pub proved: fn(&str, u64) -> String,
    pub post_made: &'static str,
    pub post_planned: &'static str,
    pub post_retracted: &'static str,
    pub post_provisional: &'static str,
    pub post_waits: fn(&str) -> String,
    pub post_advertising: &'static str,
    pub post_unknown: &'static str,
    pub posts_per_day: fn(u64) -> String,
    pub want_pair: fn(&str) -> String,
    pub label_channel: &'static str,
    pub label_name: &'static str,
    pub label_description: &'static str,
    pub label_domain: &'static str,
    pub label_web: &'static str,
    pub label_category: &'static str,
    pub label_promise: &'static str,
    pub label_state: &'static str,
    pub label_beacon: &'static str,
    pub label_missing: &'static str,
    pub label_evidence: &'static str,
    pub label_link: &'static str,

    // Messages.
    pub no_chats: &'static str,
    pub no_messages: &'static str,
    pub unread: fn(u64) -> String,
    /// Its name, which may be empty.
    pub under_alias: fn(&str) -> String,
    pub held_until: fn(&str) -> String,
    pub reply_to: fn(&str) -> String,
    pub edited: &'static str,
    pub deleted: &'static str,
    pub cannot_show: &'static str,
    pub not_in_text: fn(&str) -> String,
    pub typing_told: &'static str,
    pub some_missing: &'static str,
    pub marked_through: fn(&str) -> String,
    pub nothing_missing: &'static str,
    pub messages_range: fn(u64, u64) -> String,
    pub gap_forked: fn(u64) -> String,
    pub gap_lost: &'static str,
    pub gap_asked: fn(u64) -> String,
    pub reading: fn(u64, u64) -> String,
    pub pinned: &'static str,
    pub no_pins: &'static str,
    pub exporting: fn(u64) -> String,
    /// How many messages, where, and how many files were and weren't here.
    pub exported: fn(u64, &str, u64, u64) -> String,
    pub exported_at: fn(&str) -> String,
    pub importing: fn(u64) -> String,
    /// The archive, how many messages, and how many of them are new.
    pub imported: fn(&str, u64, u64) -> String,
    /// The file, and why.
    pub import_unreadable: fn(&str, &str) -> String,
    pub no_archives: &'static str,
    pub archive_removed: &'static str,
    pub archive_unproved: &'static str,
    pub searching: fn(u64) -> String,
    pub nothing_found: &'static str,
    pub more_found: fn(u64) -> String,
    pub search_incomplete: &'static str,
    pub sending_file: fn(&str) -> String,
    pub fetching_file: fn(&str) -> String,
    pub saving_file: fn(&str) -> String,
    pub saved: fn(&str) -> String,
    pub no_files: &'static str,
    pub no_event: &'static str,
    pub not_a_file: fn(&str) -> String,
    pub file_changed: fn(&str) -> String,
    pub file_lost: &'static str,
    pub file_broken: &'static str,
    /// Stands for a name that hides something.
    pub name_suspicious: &'static str,

    // Events, and any method.
    pub acknowledged: &'static str,
    pub event_unreadable: fn(&str) -> String,
    pub subscription_ended: &'static str,
    pub node_ended: fn(&str) -> String,
    pub types: &'static str,
    pub stopped_typing: &'static str,
    pub approve_with: fn(&str) -> String,
    pub approve_app_with: fn(&str) -> String,
    /// The first, the last, and why.
    pub events_missing: fn(&str, &str, &str) -> String,
    pub events_wait: fn(u64) -> String,
    pub params_no_object: &'static str,
    pub params_unreadable: fn(&str) -> String,

    // Apps.
    pub no_apps: &'static str,
    pub apps_advice: &'static str,
    pub app_ended: &'static str,
    pub no_webhooks: &'static str,
    pub webhook_secret_once: &'static str,
    pub webhook_ended: &'static str,
    pub webhook_answers: fn(u64) -> String,
    pub webhook_unreachable: &'static str,
    pub yours: &'static str,
    pub tried_again: fn(&str) -> String,
    pub app_asked: fn(&str) -> String,
    /// What an app may do, and what it asks for besides.
    pub wants_scopes: fn(&str, &str) -> String,
    pub token_once: &'static str,

    // Cards.
    pub no_picks: &'static str,
    pub no_replies: &'static str,
    pub noun_pick: &'static str,
    pub noun_reply: &'static str,
    pub pick_dropped: &'static str,
    pub share_handed: &'static str,
    pub share_on: fn(&str) -> String,
    pub share_would_answer: fn(&str) -> String,
    pub share_answered: &'static str,
    pub share_browser: &'static str,
    pub share_choose: fn(&str) -> String,
    pub by_app: fn(&str, &str) -> String,
    pub channel_card: fn(&str, &str) -> String,
    pub by_outdated: &'static str,
    pub by_domain_claimed: fn(&str) -> String,
    /// The domain, and when it vouched.
    pub by_domain_proved: fn(&str, &str) -> String,
    pub domain_unavailable: fn(&str, &str) -> String,
    pub picture_left_out: fn(&str, &str) -> String,
    pub by_page: fn(&str) -> String,
    pub by_nobody: &'static str,

    // Relays.
    pub relay_token_once: fn(&str) -> String,
    pub no_tokens: &'static str,
    pub no_reports: &'static str,
    pub reported_times: fn(u64) -> String,
    pub report_dismissed: fn(&str) -> String,
    pub report_sent: fn(usize) -> String,
    pub noun_report: &'static str,
    pub label_post: &'static str,
    pub label_reasons: &'static str,
    pub label_says: &'static str,
    pub label_written: &'static str,
    pub revoked: fn(&str) -> String,
    pub checks_failed: fn(&str) -> String,

    // Settings.
    /// Where the value stands, and what is wrong with it.
    pub setting_bad: fn(&str, &str) -> String,
    pub setting_unknown: fn(&str) -> String,
    pub setting_unset: fn(&str) -> String,
    pub setting_written: fn(&str) -> String,
    /// The variable that goes before the file.
    pub setting_covered: fn(&str) -> String,
    pub from_file: &'static str,
    pub by_default: &'static str,
    pub config_unreadable: fn(&str, &str) -> String,
    pub no_config_file: &'static str,
    pub not_unicode: &'static str,
    pub want_text: &'static str,
    pub want_texts: &'static str,
    pub want_one: &'static str,
    pub want_table: &'static str,
    pub want_at_most: fn(usize) -> String,
    pub want_bytes: fn(usize) -> String,
    pub want_multiaddr: &'static str,
    pub want_relay: &'static str,
    pub want_socket: &'static str,
    pub want_host: &'static str,
    pub want_mib: &'static str,
    pub tls_lacks: fn(&str) -> String,
    pub want_log: &'static str,
    pub want_one_of: fn(&str) -> String,

    // Apps and shares without a node.
    /// The app, where its key is, and its manifest.
    pub app_made: fn(&str, &str, &str) -> String,
    pub app_exists: fn(&str) -> String,
    pub no_app_key: fn(&str) -> String,
    /// The domain, and the manifest's file.
    pub domain_unnamed: fn(&str, &str) -> String,
    pub to_be_published: fn(&str) -> String,
    /// The template, and how many bytes.
    pub share_valid: fn(&str, usize) -> String,
    /// The app's key, and what it calls itself.
    pub signed_by: fn(&str, &str) -> String,
    /// The page from which the sender says that it is, or nothing.
    pub signed_by_nobody: fn(&str) -> String,
    pub has_expired: &'static str,
    pub left_out: fn(&str) -> String,
    /// The member, how much there is, what is allowed.
    pub share_limit: fn(&str, u64, &str) -> String,
    pub share_missing: fn(&str) -> String,
    pub share_invalid: fn(&str, &str) -> String,
    pub share_no_json: fn(&str, &str) -> String,
    pub share_forged: &'static str,

    // Pages, and processes of the demo.
    pub pages_written: fn(usize, &str) -> String,
    pub has_no_stdout: &'static str,
    pub ended_early: &'static str,
    pub not_ready: &'static str,
    pub ended_badly: fn(&str, &str) -> String,
    pub ended_by_itself: fn(&str) -> String,
    pub does_not_end: fn(&str) -> String,
    pub cannot_ask_to_stop: fn(&str) -> String,
    pub log_empty: fn(&str) -> String,
    pub log_ends: fn(&str) -> String,
    pub demo: DemoTexts,
}

//! The webhooks: where each is, and how posting to it goes. Posting itself is done in `rpc`.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};

use super::apps::{OWNER, app_key, limit, unreadable, written};
use crate::random::random;
use crate::rpc::apps::Secret;
use crate::rpc::error::ApiError;
use crate::rpc::ids::{AppKey, EventCursor};
use crate::rpc::limits::MAX_HOOKS;
use crate::rpc::types::EventKind;
use crate::rpc::webhooks::{Hook, Hooks, Outcome, Progress, SECRET_PREFIX, WebhookMade, WebhookSetParams};

/// Milliseconds before a post that wasn't accepted is tried again: the first time, doubled up to the last, each more or less half (guess).
const RETRY_MS: (u64, u64) = (1_000, 60 * 60 * 1000);
/// Milliseconds for which a receiver may say that it wants to be left alone, at most (guess: a day of maintenance).
const RETRY_AFTER_MS: u64 = 24 * 60 * 60 * 1000;
/// How long a webhook may fail before it is disabled: the five days after which Standard Webhooks' examples give up.
const GIVE_UP_MS: u64 = 5 * 24 * 60 * 60 * 1000;
/// The receiver wants no more.
const GONE: u16 = 410;
/// Bytes of a secret that is made.
const SECRET_LEN: usize = 32;
/// Bytes of a reason that are kept (guess).
const MAX_REASON: usize = 200;

/// The table.
#[derive(Default)]
pub(super) struct Webhooks(BTreeMap<AppKey, Arc<Hook>>);

impl Webhooks {
    pub fn load(rows: &dyn Rows) -> Result<Self, RowsError> {
        let mut hooks = BTreeMap::new();
        for (key, value) in rows.prefix(Tree::Webhooks, &[], usize::MAX)? {
            let hook: Hook = serde_json::from_slice(&value).map_err(unreadable)?;
            hooks.insert(app_key(&key)?, Arc::new(hook));
        }
        Ok(Self(hooks))
    }

    /// All of them.
    pub fn all(&self) -> Hooks {
        let whose = |app: &AppKey| (*app != OWNER).then_some(*app);
        self.0
            .iter()
            .map(|(app, hook)| (whose(app), Arc::clone(hook)))
            .collect()
    }

    /// Sets an app's, which begins behind `newest` unless it is told otherwise or goes on.
    pub fn set(
        &mut self,
        app: Option<AppKey>,
        params: WebhookSetParams,
        newest: u64,
        batch: &mut Batch,
    ) -> Result<WebhookMade, ApiError> {
        let key = app.unwrap_or(OWNER);
        let before = self.0.get(&key);
        if before.is_none() && self.0.len() >= MAX_HOOKS {
            return Err(limit("webhooks", MAX_HOOKS));
        }
        let random = random::<{ 8 + SECRET_LEN }>()?;
        let (id, made) = random.split_at(8);
        let secret = params
            .secret
            .unwrap_or_else(|| Secret(format!("{SECRET_PREFIX}{}", BASE64.encode(made))));
        let hook = Hook {
            id: id.try_into().map(u64::from_be_bytes).unwrap_or_default(),
            url: params.url,
            filter: params.filter,
            cursor: params
                .after
                .or(before.map(|hook| hook.cursor))
                .unwrap_or(EventCursor(newest)),
            secret: secret.clone(),
            progress: Progress::default(),
        };
        let webhook = hook.shown(app, false);
        self.put(key, hook, batch)?;
        Ok(WebhookMade { webhook, secret })
    }

    /// Removes an app's; whether there was one.
    pub fn remove(&mut self, app: AppKey, batch: &mut Batch) -> bool {
        let was = self.0.remove(&app).is_some();
        if was {
            batch.delete(Tree::Webhooks, app.0);
        }
        was
    }

    /// Keeps what became of a post to the webhook of this id. Gives when to try again, and what the event that it is disabled is about.
    pub fn note(
        &mut self,
        now_ms: u64,
        app: Option<AppKey>,
        id: u64,
        outcome: Outcome,
        batch: &mut Batch,
    ) -> Result<(Option<u64>, Option<[u8; 32]>), ApiError> {
        let key = app.unwrap_or(OWNER);
        let Some(hook) = self.0.get(&key).filter(|hook| hook.id == id) else {
            // It was removed or set anew.
            return Ok((None, None));
        };
        let mut hook = Hook::clone(hook);
        let progress = &mut hook.progress;
        match outcome {
            Outcome::Passed(cursor) => hook.cursor = cursor,
            Outcome::Accepted(cursor, status) => {
                hook.cursor = cursor;
                *progress = Progress {
                    last_try_ms: Some(now_ms),
                    last_status: Some(status),
                    ..Progress::default()
                };
            }
            Outcome::Refused {
                status,
                pause,
                mut reason,
            } => {
                reason.truncate(reason.floor_char_boundary(MAX_REASON));
                progress.attempts = progress.attempts.saturating_add(1);
                let since = *progress.failing_since_ms.get_or_insert(now_ms);
                progress.last_try_ms = Some(now_ms);
                (progress.last_status, progress.last_error) = (status, Some(reason));
                progress.disabled = status == Some(GONE) || now_ms.saturating_sub(since) >= GIVE_UP_MS;
                let wanted = pause.map_or(0, |pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
                let pause = pause_ms(progress.attempts).max(wanted.min(RETRY_AFTER_MS));
                progress.next_try_ms = (!progress.disabled).then(|| now_ms.saturating_add(pause));
            }
        }
        let (next_try, disabled) = (hook.progress.next_try_ms, hook.progress.disabled);
        self.put(key, hook, batch)?;
        Ok((next_try, disabled.then(|| subject(&key))))
    }

    /// Takes back what was accepted beyond the newest event, whose numbers will be given again.
    pub fn forget_after(&mut self, newest: u64, batch: &mut Batch) -> Result<(), RowsError> {
        let beyond = self.0.iter().filter(|(_, hook)| hook.cursor.0 > newest);
        let beyond: Vec<(AppKey, Hook)> = beyond.map(|(app, hook)| (*app, Hook::clone(hook))).collect();
        for (app, mut hook) in beyond {
            hook.cursor = EventCursor(newest);
            self.put(app, hook, batch).map_err(unreadable)?;
        }
        Ok(())
    }

    fn put(&mut self, app: AppKey, hook: Hook, batch: &mut Batch) -> Result<(), ApiError> {
        batch.put(Tree::Webhooks, app.0, written(&hook)?);
        self.0.insert(app, Arc::new(hook));
        Ok(())
    }
}

/// What an event says whose webhook was disabled; none if it isn't any more, or the event is of something else.
pub(super) fn disabled(rows: &dyn Rows, about: &[u8; 32]) -> Result<Option<EventKind>, RowsError> {
    let hooks = Webhooks::load(rows)?.all();
    let is_it = |app: &Option<AppKey>, hook: &Hook| hook.progress.disabled && subject(&app.unwrap_or(OWNER)) == *about;
    let found = hooks.into_iter().find(|(app, hook)| is_it(app, hook));
    Ok(found.map(|(app, hook)| EventKind::WebhookDisabled {
        app,
        last_status: hook.progress.last_status,
    }))
}

/// What the event that an app's webhook was disabled is about.
fn subject(app: &AppKey) -> [u8; 32] {
    blake3::derive_key("madang 1 webhook disabled", &app.0)
}

/// Between half and one and a half of what the attempts so far call for, so that many don't come back at once.
fn pause_ms(attempts: u32) -> u64 {
    let (first, most) = RETRY_MS;
    let pause = first.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(most);
    let mut random = [0; 8];
    // Without randomness it isn't spread.
    getrandom::fill(&mut random).ok();
    pause / 2 + u64::from_le_bytes(random) % pause
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use madang_protocol::rows::MemoryRows;

    use super::*;

    const NOW: u64 = 1_000_000;

    struct House {
        hooks: Webhooks,
        disk: MemoryRows,
    }

    impl House {
        fn new() -> Self {
            let params = WebhookSetParams {
                url: "https://example.org".into(),
                app: None,
                filter: Default::default(),
                after: None,
                epoch: None,
                secret: None,
            };
            let mut house = Self {
                hooks: Webhooks::default(),
                disk: MemoryRows::default(),
            };
            house.with(|hooks, batch| hooks.set(None, params, 7, batch).map(drop).unwrap());
            house
        }

        fn with<T>(&mut self, change: impl FnOnce(&mut Webhooks, &mut Batch) -> T) -> T {
            let mut batch = Batch::default();
            let changed = change(&mut self.hooks, &mut batch);
            self.disk.apply(&batch);
            // What is on disk is all that there is.
            self.hooks = Webhooks::load(&self.disk).unwrap();
            changed
        }

        fn hook(&self) -> Arc<Hook> {
            self.hooks.all().remove(&None).unwrap()
        }

        fn note(&mut self, now_ms: u64, outcome: Outcome) -> (Option<u64>, Option<[u8; 32]>) {
            let id = self.hook().id;
            self.with(|hooks, batch| hooks.note(now_ms, None, id, outcome, batch).unwrap())
        }
    }

    fn refused(status: u16) -> Outcome {
        Outcome::Refused {
            status: Some(status),
            pause: None,
            reason: "no".into(),
        }
    }

    #[test]
    fn who_wants_to_be_left_alone_is_for_a_day_at_most() {
        for (wanted_ms, pause_ms) in [
            (5_000, 5_000),
            (RETRY_AFTER_MS + 1, RETRY_AFTER_MS),
            (u64::MAX, RETRY_AFTER_MS),
        ] {
            let mut house = House::new();
            let outcome = Outcome::Refused {
                status: Some(429),
                pause: Some(Duration::from_millis(wanted_ms)),
                reason: "later".into(),
            };
            assert_eq!(house.note(NOW, outcome).0, Some(NOW + pause_ms));
        }
        // A shorter pause than ours is no reason to hurry.
        let mut house = House::new();
        for _ in 0..10 {
            house.note(NOW, refused(503));
        }
        let outcome = Outcome::Refused {
            status: Some(503),
            pause: Some(Duration::ZERO),
            reason: "now".into(),
        };
        assert!(house.note(NOW, outcome).0.unwrap() > NOW + 100_000);
    }

    #[test]
    fn pauses_grow_and_end_with_what_is_accepted() {
        let mut house = House::new();
        for attempt in 0..30_u32 {
            let pause = house.note(NOW, refused(500)).0.unwrap() - NOW;
            let wanted = 1_000_u64.saturating_mul(1 << attempt.min(20)).min(3_600_000);
            assert!((wanted / 2..wanted * 3 / 2).contains(&pause), "{attempt}: {pause}");
        }
        assert_eq!(house.hook().progress.attempts, 30);
        house.note(NOW, Outcome::Accepted(EventCursor(9), 204));
        let hook = house.hook();
        assert_eq!(
            (hook.cursor, hook.progress.attempts, hook.progress.last_status),
            (EventCursor(9), 0, Some(204))
        );
    }

    #[test]
    fn who_fails_for_days_or_is_gone_is_disabled_until_set_again() {
        let mut house = House::new();
        assert_eq!(house.note(NOW, refused(500)).1, None);
        assert_eq!(house.note(NOW + GIVE_UP_MS - 1, refused(500)).1, None);
        let (again, about) = house.note(NOW + GIVE_UP_MS, refused(500));
        assert_eq!(again, None);
        assert_eq!(
            disabled(&house.disk, &about.unwrap()).unwrap(),
            Some(EventKind::WebhookDisabled {
                app: None,
                last_status: Some(500)
            })
        );
        assert_eq!(disabled(&house.disk, &[0; 32]).unwrap(), None);

        let mut house = House::new();
        assert!(house.note(NOW, refused(410)).1.is_some());
        assert!(house.hook().progress.disabled);
    }

    #[test]
    fn a_webhook_goes_on_where_it_was_and_old_news_of_it_are_not_kept() {
        let mut house = House::new();
        let old = house.hook();
        assert_eq!(old.cursor, EventCursor(7), "it begins now");
        house.note(NOW, Outcome::Passed(EventCursor(8)));
        let params = WebhookSetParams {
            url: "https://example.org/new".into(),
            app: None,
            filter: Default::default(),
            after: None,
            epoch: None,
            secret: None,
        };
        house.with(|hooks, batch| hooks.set(None, params, 20, batch).map(drop).unwrap());
        assert_eq!(house.hook().cursor, EventCursor(8));
        let late = Outcome::Accepted(EventCursor(12), 200);
        house.with(|hooks, batch| hooks.note(NOW, None, old.id, late, batch).unwrap());
        assert_eq!(house.hook().cursor, EventCursor(8));
        house.with(|hooks, batch| hooks.forget_after(3, batch).unwrap());
        assert_eq!(house.hook().cursor, EventCursor(3));
        assert!(house.with(|hooks, batch| hooks.remove(OWNER, batch)));
        assert!(house.hooks.all().is_empty());
    }
}

//! A follower's terms: what of a channel it wants, and when. They are weighed on its device alone, so nobody learns them.
//!
//! Hours are those of a wall clock: where it is put forward, what would begin or end in the hour left out does so as that hour would begin;
//! where it is put back, what is said of the hour that comes twice holds twice.

use super::Area;
use crate::limits;
use jiff::civil::{DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Minutes of a day on the wall clock.
const DAY_MINUTES: u16 = 24 * 60;
/// Days in which hours that are given by days of the week come around, with one for a day that a country left out.
const DAYS_AHEAD: i32 = 9;

/// What a follower wants of a channel. By default everything, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Categories; none for all. A post of no category is of all.
    pub categories: Option<BTreeSet<String>>,
    /// Whether posts that are advertising are wanted.
    pub advertising: bool,
    /// When nothing is to be shown.
    pub quiet: Vec<Hours>,
    /// When something may be shown; always if there are none.
    pub window: Vec<Hours>,
    /// Posts that are shown on one day at most.
    pub daily_cap: Option<u16>,
    /// Places that matter; posts for an area elsewhere aren't wanted. All are if there are none.
    pub places: Vec<Area>,
    /// Whether what the brand calls urgent is shown at any hour.
    pub urgent: bool,
    /// The time zone by its IANA name; that of the device if there is none.
    pub zone: Option<String>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            categories: None,
            advertising: true,
            quiet: Vec::new(),
            window: Vec::new(),
            daily_cap: None,
            places: Vec::new(),
            urgent: false,
            zone: None,
        }
    }
}

/// Hours of some days of the week: from a minute of the day until before another. What ends no later than it begins ends on the day after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Days on which they begin: bit 0 is Monday, bit 6 Sunday.
    pub days: u8,
    /// Minute of the day at which they begin.
    pub from: u16,
    /// Minute of the day before which they end.
    pub to: u16,
}

impl Hours {
    /// All days of the week.
    pub const DAILY: u8 = 0x7f;

    /// Whether a moment is among them; `day` counts from Monday, which is 0.
    fn cover(&self, day: u8, minute: u16) -> bool {
        let begins_on = |day: u8| self.days & (1 << day) != 0;
        let through = self.to <= self.from;
        let today = begins_on(day) && minute >= self.from && (through || minute < self.to);
        today || through && minute < self.to && begins_on((day + 6) % 7)
    }
}

/// What of a post is weighed.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its categories.
    pub categories: &'a [String],
    /// The area that it is for.
    pub area: Option<Area>,
    /// Whether it is advertising.
    pub advertising: bool,
    /// Whether the brand calls it urgent.
    pub urgent: bool,
}

/// Why a post isn't shown at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It is of none of the categories.
    Category,
    /// It is for an area elsewhere.
    Area,
    /// It is advertising.
    Advertising,
    /// These are quiet hours.
    Quiet,
    /// This is outside the window.
    Window,
    /// As many were shown today as are wanted.
    DailyCap,
    /// The channel has posted more often on this day than it promised.
    Promise,
}

/// What becomes of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is shown.
    Show,
    /// It waits in the digest.
    Hold {
        /// Why.
        why: Why,
        /// When it is to be weighed again, in milliseconds since 1970; never by itself if the terms have no such time.
        until_ms: Option<u64>,
    },
    /// It is kept, and nothing more.
    Unwanted(Why),
}

/// Terms that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// More than are kept.
    #[error("{field}: at most {limit}")]
    TooMany {
        /// Of what.
        field: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// A value that isn't allowed.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
}

/// A time zone with its rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// A zone by its IANA name, as `Asia/Seoul`.
    ///
    /// # Errors
    ///
    /// The name isn't known.
    pub fn named(name: &str) -> Result<Self, TermsError> {
        TimeZoneDatabase::bundled()
            .get(name)
            .map(Self)
            .map_err(|_| TermsError::Invalid {
                field: "zone",
                reason: "this isn't the name of a time zone, as Asia/Seoul",
            })
    }

    /// When the day of a moment begins here, and when the next one does.
    #[must_use]
    pub fn day(&self, now_ms: u64) -> (u64, u64) {
        let (now, zone) = (moment(now_ms), self.0.clone());
        let begin = now.to_zoned_datetime(zone).start_of_day().ok();
        let next = begin.as_ref().and_then(|begin| {
            let next = begin.date().tomorrow().ok()?.to_datetime(Time::midnight());
            self.0.to_zoned_datetime(next).ok()?.start_of_day().ok()
        });
        let ms = |at: Option<jiff::ZonedDateTime>| at.map_or(now_ms, |at| millis(at.timestamp()));
        (ms(begin), ms(next))
    }

    /// Day of the week, from Monday, and minute of the day.
    fn wall(&self, at: Timestamp) -> (u8, u16) {
        let local = self.0.to_datetime(at);
        let day = local.date().weekday().to_monday_zero_offset();
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        (day.unsigned_abs(), u16::try_from(minute).unwrap_or(0))
    }

    /// The moments from one on, for some days, at which clocks here show one of some minutes of the day, or are put forward or back.
    fn moments(&self, from: Timestamp, minutes: &BTreeSet<u16>) -> BTreeSet<Timestamp> {
        let mut found = BTreeSet::from([from]);
        let first = self.0.to_datetime(from).date();
        for day in (-1..DAYS_AHEAD).filter_map(|ahead| first.checked_add(ahead.days()).ok()) {
            for minute in minutes {
                let (hour, minute) = (minute / 60, minute % 60);
                let time = Time::new(i8::try_from(hour).unwrap_or(0), i8::try_from(minute).unwrap_or(0), 0, 0);
                let Ok(local) = time.map(|time| DateTime::from_parts(day, time)) else {
                    continue;
                };
                let at = self.0.to_ambiguous_timestamp(local);
                found.extend(at.earlier().ok());
                found.extend(at.later().ok());
            }
        }
        let last = found.last().copied().unwrap_or(from);
        let changes = self.0.following(from).map(|change| change.timestamp());
        found.extend(changes.take_while(|at| *at <= last));
        found
    }
}

impl Terms {
    /// Checks what the user entered.
    ///
    /// # Errors
    ///
    /// Names the field and the limit.
    pub fn check(&self) -> Result<(), TermsError> {
        let many = |field, found: usize, limit| match found > limit {
            true => Err(TermsError::TooMany { field, limit }),
            false => Ok(()),
        };
        let invalid = |field, reason| Err(TermsError::Invalid { field, reason });
        let chosen = self.categories.as_ref().map_or(0, BTreeSet::len);
        many("categories", chosen, limits::CHANNEL_CATEGORIES)?;
        many("places", self.places.len(), limits::TERMS_PLACES)?;
        for (field, hours) in [("quiet", &self.quiet), ("window", &self.window)] {
            many(field, hours.len(), limits::TERMS_HOURS)?;
            for hours in hours {
                if hours.from >= DAY_MINUTES || hours.to >= DAY_MINUTES {
                    return invalid(field, "a time is from 00:00 to 23:59");
                }
                if hours.days == 0 || hours.days > Hours::DAILY {
                    return invalid(field, "days are one or more of the seven");
                }
            }
        }
        if !self.places.iter().all(Area::is_on_earth) {
            return invalid("places", "a latitude is within 90 degrees, a longitude within 180");
        }
        self.zone.as_deref().map_or(Ok(()), |zone| Zone::named(zone).map(drop))
    }

    /// What becomes of a post now. `shown` were shown since the day began here.
    #[must_use]
    pub fn weigh(&self, zone: &Zone, now_ms: u64, post: &Facts<'_>, shown: u32) -> Decision {
        if let Some(why) = self.unwanted(post) {
            return Decision::Unwanted(why);
        }
        if self.urgent && post.urgent {
            return Decision::Show;
        }
        let now = moment(now_ms);
        if let Some(why) = self.closed(zone, now) {
            let until_ms = self.opens(zone, now).map(millis);
            return Decision::Hold { why, until_ms };
        }
        if self.daily_cap.is_some_and(|cap| shown >= u32::from(cap)) {
            let (_, tomorrow_ms) = zone.day(now_ms);
            // A cap of none is a digest that is opened by hand.
            let opens = self.daily_cap.filter(|cap| *cap > 0);
            let until = opens.and_then(|_| self.opens(zone, moment(tomorrow_ms.max(now_ms.saturating_add(1)))));
            return Decision::Hold {
                why: Why::DailyCap,
                until_ms: until.map(millis),
            };
        }
        Decision::Show
    }

    /// Why a post isn't wanted at any time.
    #[must_use]
    pub fn unwanted(&self, post: &Facts<'_>) -> Option<Why> {
        if post.advertising && !self.advertising {
            return Some(Why::Advertising);
        }
        let of_none = |chosen: &BTreeSet<String>| !post.categories.iter().any(|category| chosen.contains(category));
        if !post.categories.is_empty() && self.categories.as_ref().is_some_and(of_none) {
            return Some(Why::Category);
        }
        let elsewhere = |area: &Area| !self.places.iter().any(|place| place.meets(area));
        (!self.places.is_empty() && post.area.as_ref().is_some_and(elsewhere)).then_some(Why::Area)
    }

    /// Why nothing is shown at a moment.
    fn closed(&self, zone: &Zone, at: Timestamp) -> Option<Why> {
        let (day, minute) = zone.wall(at);
        let covered = |hours: &[Hours]| hours.iter().any(|hours| hours.cover(day, minute));
        if covered(&self.quiet) {
            return Some(Why::Quiet);
        }
        (!self.window.is_empty() && !covered(&self.window)).then_some(Why::Window)
    }

    /// The first moment from one on at which something may be shown.
    fn opens(&self, zone: &Zone, from: Timestamp) -> Option<Timestamp> {
        let hours = self.quiet.iter().chain(&self.window);
        let minutes: BTreeSet<u16> = hours.flat_map(|hours| [hours.from, hours.to]).collect();
        let moments = zone.moments(from, &minutes);
        moments
            .range(from..)
            .copied()
            .find(|at| self.closed(zone, *at).is_none())
    }
}

fn moment(at_ms: u64) -> Timestamp {
    let at = i64::try_from(at_ms).ok();
    at.and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())
        .unwrap_or(Timestamp::MAX)
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;

//! Terms on a virtual clock.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const MINUTE_MS: u64 = 60_000;

/// Milliseconds at which clocks in a zone show a time.
fn at(zone: &str, local: &str) -> u64 {
    let local: DateTime = local.parse().unwrap();
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    millis(zone.to_ambiguous_timestamp(local).earlier().unwrap())
}

fn hours(days: u8, from: &str, to: &str) -> Hours {
    let minute = |text: &str| {
        let time: Time = text.parse().unwrap();
        u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap()
    };
    Hours {
        days,
        from: minute(from),
        to: minute(to),
    }
}

fn quiet(from: &str, to: &str) -> Terms {
    Terms {
        quiet: vec![hours(Hours::DAILY, from, to)],
        ..Terms::default()
    }
}

const PLAIN: Facts<'static> = Facts {
    categories: &[],
    area: None,
    advertising: false,
    urgent: false,
};

fn held(why: Why, until_ms: u64) -> Decision {
    Decision::Hold {
        why,
        until_ms: Some(until_ms),
    }
}

#[test]
fn without_terms_all_is_shown_at_once() {
    let terms = Terms::default();
    let post = Facts {
        categories: &["news".to_owned()],
        advertising: true,
        ..PLAIN
    };
    assert_eq!(terms.weigh(&Zone::UTC, 0, &post, 9_999), Decision::Show);
    assert_eq!(terms.weigh(&Zone::UTC, u64::MAX, &post, 9_999), Decision::Show);
}

#[test]
fn quiet_hours_hold_back_through_midnight_until_the_morning() {
    let (name, terms) = ("Asia/Seoul", quiet("22:00", "07:00"));
    let zone = Zone::named(name).unwrap();
    let weigh = |local| terms.weigh(&zone, at(name, local), &PLAIN, 0);
    assert_eq!(weigh("2026-11-26T21:59:59"), Decision::Show);
    let morning = held(Why::Quiet, at(name, "2026-11-27T07:00"));
    assert_eq!(weigh("2026-11-26T22:00"), morning);
    assert_eq!(weigh("2026-11-26T23:59:59"), morning);
    assert_eq!(weigh("2026-11-27T00:00"), morning);
    assert_eq!(weigh("2026-11-27T06:59:59"), morning);
    assert_eq!(weigh("2026-11-27T07:00"), Decision::Show);
}

#[test]
fn hours_of_a_day_go_on_into_the_next_one_only() {
    // Fridays from ten in the evening until noon on Saturday.
    let terms = Terms {
        quiet: vec![hours(1 << 4, "22:00", "12:00")],
        ..Terms::default()
    };
    let weigh = |local| terms.weigh(&Zone::UTC, at("UTC", local), &PLAIN, 0);
    assert_eq!(weigh("2026-11-26T23:00"), Decision::Show);
    assert_eq!(weigh("2026-11-27T11:00"), Decision::Show);
    let noon = held(Why::Quiet, at("UTC", "2026-11-28T12:00"));
    assert_eq!(weigh("2026-11-27T22:00"), noon);
    assert_eq!(weigh("2026-11-28T11:59"), noon);
    assert_eq!(weigh("2026-11-28T23:00"), Decision::Show);
}

#[test]
fn outside_the_window_what_comes_waits_for_it_over_the_week() {
    let terms = Terms {
        window: vec![hours(0b1_1111, "09:00", "18:00")],
        quiet: vec![hours(1, "09:00", "10:00")],
        ..Terms::default()
    };
    let weigh = |local| terms.weigh(&Zone::UTC, at("UTC", local), &PLAIN, 0);
    assert_eq!(weigh("2026-11-27T17:59"), Decision::Show);
    // On Monday the window opens into an hour that is quiet.
    let monday = at("UTC", "2026-11-30T10:00");
    assert_eq!(weigh("2026-11-27T18:00"), held(Why::Window, monday));
    assert_eq!(weigh("2026-11-30T09:30"), held(Why::Quiet, monday));
    assert_eq!(
        weigh("2026-11-30T18:00"),
        held(Why::Window, at("UTC", "2026-12-01T09:00"))
    );
}

#[test]
fn what_is_beyond_the_days_cap_waits_for_the_next_day_here() {
    let name = "America/Los_Angeles";
    let zone = Zone::named(name).unwrap();
    let mut terms = Terms {
        daily_cap: Some(3),
        ..Terms::default()
    };
    let noon = at(name, "2026-11-26T12:00");
    assert_eq!(terms.weigh(&zone, noon, &PLAIN, 2), Decision::Show);
    assert_eq!(
        terms.weigh(&zone, noon, &PLAIN, 3),
        held(Why::DailyCap, at(name, "2026-11-27T00:00"))
    );
    assert_eq!(
        zone.day(noon),
        (at(name, "2026-11-26T00:00"), at(name, "2026-11-27T00:00"))
    );
    terms.quiet = vec![hours(Hours::DAILY, "23:00", "08:30")];
    assert_eq!(
        terms.weigh(&zone, noon, &PLAIN, 3),
        held(Why::DailyCap, at(name, "2026-11-27T08:30"))
    );
    terms.daily_cap = Some(0);
    let by_hand = Decision::Hold {
        why: Why::DailyCap,
        until_ms: None,
    };
    assert_eq!(terms.weigh(&zone, noon, &PLAIN, 0), by_hand);
}

#[test]
fn hours_that_leave_no_time_hold_until_the_user_looks() {
    let never = Decision::Hold {
        why: Why::Quiet,
        until_ms: None,
    };
    assert_eq!(quiet("08:00", "08:00").weigh(&Zone::UTC, 0, &PLAIN, 0), never);
}

#[test]
fn clocks_that_are_put_forward_or_back_are_followed() {
    let name = "Europe/Berlin";
    let zone = Zone::named(name).unwrap();
    // On 29 March 2026 there is no 02:30: clocks go from 02:00 to 03:00.
    let spring = quiet("01:00", "02:30").weigh(&zone, at(name, "2026-03-29T01:30"), &PLAIN, 0);
    assert_eq!(spring, held(Why::Quiet, at(name, "2026-03-29T03:00")));
    // On 25 October 02:00 to 03:00 comes twice, and is quiet twice.
    let first = at(name, "2026-10-25T02:15");
    let terms = quiet("02:00", "02:30");
    assert_eq!(
        terms.weigh(&zone, first, &PLAIN, 0),
        held(Why::Quiet, first + 15 * MINUTE_MS)
    );
    let again = first + 60 * MINUTE_MS;
    assert_eq!(
        terms.weigh(&zone, again, &PLAIN, 0),
        held(Why::Quiet, again + 15 * MINUTE_MS)
    );
    // Such days have 23 and 25 hours.
    for (day, length) in [("2026-03-29T12:00", 23), ("2026-10-25T12:00", 25)] {
        let (begin, end) = zone.day(at(name, day));
        assert_eq!(end - begin, length * 60 * MINUTE_MS);
    }
}

/// A virtual clock runs through days at which clocks change, or a whole day is left out, a minute at a time.
#[test]
fn until_when_something_is_held_is_the_first_minute_at_which_it_would_be_shown() {
    let sets = [
        quiet("22:00", "07:00"),
        quiet("01:45", "02:15"),
        quiet("23:30", "00:30"),
        Terms {
            window: vec![hours(0b101_0101, "00:15", "02:45"), hours(0b010_1010, "23:45", "01:15")],
            quiet: vec![hours(0b110_0000, "12:00", "02:30")],
            ..Terms::default()
        },
    ];
    let days = [
        ("Asia/Seoul", "2026-03-28T00:00"),
        ("Europe/Berlin", "2026-03-28T00:00"),
        ("Europe/Berlin", "2026-10-24T00:00"),
        ("America/St_Johns", "2026-10-31T00:00"),
        ("Australia/Lord_Howe", "2026-04-04T00:00"),
        ("America/Asuncion", "2023-09-30T00:00"),
        ("Pacific/Apia", "2011-12-28T00:00"),
    ];
    for (name, day) in days {
        let zone = Zone::named(name).unwrap();
        let begin = at(name, day);
        for terms in &sets {
            let minutes: Vec<u64> = (0..11 * 1_440).map(|minute| begin + minute * MINUTE_MS).collect();
            let mut open = None;
            for (index, now_ms) in minutes.iter().enumerate().rev() {
                match terms.weigh(&zone, *now_ms, &PLAIN, 0) {
                    Decision::Show => open = Some(*now_ms),
                    // Only what opens while the clock runs is known.
                    Decision::Hold { until_ms, .. } if index < 3 * 1_440 => {
                        assert_eq!(until_ms, open, "{name} {now_ms} {terms:?}");
                    }
                    Decision::Hold { .. } => {}
                    Decision::Unwanted(why) => panic!("{why:?}"),
                }
            }
        }
    }
}

#[test]
fn days_follow_each_other_without_a_hole() {
    for (name, day) in [
        ("Asia/Seoul", "2026-01-01T00:00"),
        ("America/Asuncion", "2023-09-28T00:00"),
        ("Africa/Cairo", "2026-04-22T00:00"),
        ("Pacific/Apia", "2011-12-28T00:00"),
    ] {
        let zone = Zone::named(name).unwrap();
        let mut now = at(name, day);
        for _ in 0..6 {
            let (begin, end) = zone.day(now);
            assert!(begin <= now && now < end, "{name}");
            assert_eq!(zone.day(end - 1), (begin, end), "{name}");
            assert_eq!(zone.day(end).0, end, "{name}");
            now = end;
        }
    }
}

#[test]
fn categories_areas_and_advertising_are_weighed_here() {
    let seoul = Area {
        latitude_e6: 37_566_500,
        longitude_e6: 126_978_000,
        radius_m: 10_000,
    };
    let terms = Terms {
        categories: Some(BTreeSet::from(["bread".to_owned()])),
        places: vec![seoul],
        advertising: false,
        ..Terms::default()
    };
    let weigh = |post: Facts<'_>| terms.weigh(&Zone::UTC, 0, &post, 0);
    assert_eq!(weigh(PLAIN), Decision::Show);
    let (bread, cake) = (["cake".to_owned(), "bread".to_owned()], ["cake".to_owned()]);
    let of = |categories| Facts { categories, ..PLAIN };
    assert_eq!(weigh(of(&bread)), Decision::Show);
    assert_eq!(weigh(of(&cake)), Decision::Unwanted(Why::Category));
    let for_area = |latitude_e6, longitude_e6, radius_m| Facts {
        area: Some(Area {
            latitude_e6,
            longitude_e6,
            radius_m,
        }),
        ..PLAIN
    };
    // Incheon's airport is 47 km away, Busan 325 km.
    assert_eq!(
        weigh(for_area(37_460_200, 126_440_700, 30_000)),
        Decision::Unwanted(Why::Area)
    );
    assert_eq!(weigh(for_area(37_460_200, 126_440_700, 40_000)), Decision::Show);
    assert_eq!(weigh(for_area(35_179_600, 129_075_600, 400_000)), Decision::Show);
    assert_eq!(
        weigh(Facts {
            advertising: true,
            ..PLAIN
        }),
        Decision::Unwanted(Why::Advertising)
    );
    // Across the line where the day begins.
    let near = |longitude_e6| Area {
        latitude_e6: -17_000_000,
        longitude_e6,
        radius_m: 60_000,
    };
    assert!(near(179_500_000).meets(&near(-179_500_000)));
    assert!(!near(178_500_000).meets(&near(-179_500_000)));
}

#[test]
fn urgent_posts_come_at_any_hour_to_those_who_want_them_so() {
    let mut terms = quiet("00:00", "12:00");
    let urgent = Facts { urgent: true, ..PLAIN };
    let held_back = |terms: &Terms| terms.weigh(&Zone::UTC, 0, &urgent, 0) != Decision::Show;
    assert!(held_back(&terms));
    terms.urgent = true;
    assert!(!held_back(&terms));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let field = |change: &dyn Fn(&mut Terms)| {
        let mut terms = Terms::default();
        change(&mut terms);
        terms.check().map_err(|error| match error {
            TermsError::TooMany { field, .. } | TermsError::Invalid { field, .. } => field,
        })
    };
    assert_eq!(field(&|_| ()), Ok(()));
    let many = |count: usize| Some((0..count).map(|n| n.to_string()).collect());
    assert_eq!(field(&|terms| terms.categories = many(1_000)), Err("categories"));
    let all_day = hours(Hours::DAILY, "00:00", "00:00");
    assert_eq!(field(&|terms| terms.quiet = vec![all_day; 1_000]), Err("quiet"));
    assert_eq!(
        field(&|terms| terms.quiet = vec![Hours { to: 1_440, ..all_day }]),
        Err("quiet")
    );
    assert_eq!(
        field(&|terms| terms.window = vec![Hours { days: 0, ..all_day }]),
        Err("window")
    );
    assert_eq!(
        field(&|terms| terms.window = vec![Hours { days: 128, ..all_day }]),
        Err("window")
    );
    let pole = Area {
        latitude_e6: 90_000_001,
        longitude_e6: 0,
        radius_m: 0,
    };
    assert_eq!(field(&|terms| terms.places = vec![pole]), Err("places"));
    for zone in ["Asia/Seol", "", "../../etc/passwd"] {
        assert_eq!(field(&|terms| terms.zone = Some(zone.to_owned())), Err("zone"));
    }
    assert_eq!(field(&|terms| terms.zone = Some("Asia/Seoul".to_owned())), Ok(()));
}

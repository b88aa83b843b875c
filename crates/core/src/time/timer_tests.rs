#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::model::TimerKind::{self, Cycle, Date, Duration};
use crate::value::{self, Value, Zone, parse_date};

/// A Monday.
const NOW: &str = "2026-03-02T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn parse_in(kind: TimerKind, text: &str, now: &str, zone: &str) -> Result<Timer, TimeError> {
    Timer::parse(kind, &text.into(), at(now), &zone.parse().unwrap())
}

fn due(kind: TimerKind, text: &str) -> String {
    parse_in(kind, text, NOW, "Europe/Berlin").unwrap().due.to_string()
}

/// The due moments of a cycle, each after the one before, at most so many.
fn series(text: &str, now: &str, zone: &str, most: usize) -> Vec<String> {
    let first = parse_in(Cycle, text, now, zone).unwrap();
    let timers = std::iter::successors(Some(first), |timer| timer.next_due(timer.due));
    timers.map(|timer| timer.due.to_string()).take(most).collect()
}

fn code(kind: TimerKind, text: &str) -> &'static str {
    parse_in(kind, text, NOW, "Z").unwrap_err().code
}

#[test]
fn a_date_is_due_at_its_moment() {
    assert_eq!(due(Date, "2026-03-05T10:00:00Z"), "2026-03-05T10:00:00Z");
    assert_eq!(due(Date, " 2026-03-05T10:00:00 "), "2026-03-05T09:00:00Z");
    assert_eq!(due(Date, "2026-03-05T10:00:00@Europe/Volgograd"), "2026-03-05T07:00:00Z");
    assert_eq!(due(Date, "2026-03-05"), "2026-03-04T23:00:00Z");
    assert_eq!(due(Date, "2020-01-01T00:00:00Z"), "2020-01-01T00:00:00Z", "a past date is due at once");
    // By the week, and by the day of the year.
    assert_eq!(due(Date, "2026-W10-4T10:00:00Z"), "2026-03-05T10:00:00Z");
    assert_eq!(due(Date, "2026W104"), "2026-03-04T23:00:00Z");
    assert_eq!(due(Date, "2026-064T10:00:00+03:00"), "2026-03-05T07:00:00Z");
    assert_eq!(due(Date, "2024366T10:00:00Z"), "2024-12-31T10:00:00Z");
    for none in ["2026-366", "2026-000", "2026-W54-1", "2026-W10-8", "2026-64"] {
        assert!(parse_in(Date, none, NOW, "Z").is_err(), "{none}");
    }
    let timer = parse_in(Date, "2026-03-05", NOW, "Z").unwrap();
    assert_eq!(timer.next_due(timer.due), None);
}

#[test]
fn a_duration_counts_from_now_on_the_calendar_of_the_zone() {
    assert_eq!(due(Duration, "PT30M"), "2026-03-02T09:30:00Z");
    assert_eq!(due(Duration, "P1M"), "2026-04-02T08:00:00Z", "10 o'clock in Berlin, also in summer time");
    assert_eq!(due(Duration, "P30D"), "2026-04-01T08:00:00Z");
    assert_eq!(due(Duration, "PT720H"), "2026-04-01T09:00:00Z");
    assert_eq!(due(Duration, "-PT1H"), "2026-03-02T08:00:00Z");
}

#[test]
fn computed_values_are_taken_as_they_are() {
    let parse = |kind, value: Value| Timer::parse(kind, &value, at(NOW), &"Europe/Berlin".parse().unwrap());
    let half_hour: value::Duration = "PT30M".parse().unwrap();
    assert_eq!(parse(Duration, half_hour.into()).unwrap().due, at("2026-03-02T09:30:00Z"));
    assert_eq!(parse(Date, parse_date("2026-03-05").unwrap().into()).unwrap().due, at("2026-03-04T23:00:00Z"));
    assert_eq!(parse(Date, at(NOW).into()).unwrap().due, at(NOW));
    let cycle = parse(Cycle, half_hour.into()).unwrap();
    assert_eq!((cycle.due, cycle.remaining), (at("2026-03-02T09:30:00Z"), None));
    assert_eq!(parse(Date, half_hour.into()).unwrap_err().code, "timer-date-invalid");
    assert_eq!(parse(Duration, 5.into()).unwrap_err().code, "timer-duration-invalid");
    assert_eq!(parse(Cycle, Value::Null).unwrap_err().code, "timer-cycle-invalid");
}

#[test]
fn a_cycle_occurs_as_often_as_it_says() {
    assert_eq!(
        series("R3/PT10M", NOW, "Z", 9),
        ["2026-03-02T09:10:00Z", "2026-03-02T09:20:00Z", "2026-03-02T09:30:00Z"]
    );
    for endless in ["R/PT10M", "R-1/PT10M", "PT10M"] {
        assert_eq!(series(endless, NOW, "Z", 9).len(), 9, "{endless}");
    }
    let limited = series("R5/PT10S/2026-03-02T09:00:25Z", NOW, "Z", 9);
    assert_eq!(limited, ["2026-03-02T09:00:10Z", "2026-03-02T09:00:20Z"]);
    let first_interval = series("R2/2026-03-03T00:00:00Z/2026-03-03T06:00:00Z", NOW, "Z", 9);
    assert_eq!(first_interval, ["2026-03-03T00:00:00Z", "2026-03-03T06:00:00Z"]);
}

#[test]
fn a_cycle_with_a_start_keeps_the_clock_across_daylight_saving() {
    let nine = series("R3/2026-03-28T09:00:00@Europe/Berlin/P1D", NOW, "Z", 9);
    assert_eq!(nine, ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"]);
    let exact = series("R3/2026-03-28T09:00:00[Europe/Berlin]/PT24H", NOW, "Z", 9);
    assert_eq!(exact, ["2026-03-28T08:00:00Z", "2026-03-29T08:00:00Z", "2026-03-30T08:00:00Z"]);
    let offset = series("R2/2026-03-28T09:00:00+01:00/P1D", NOW, "Europe/Berlin", 9);
    assert_eq!(offset, ["2026-03-28T08:00:00Z", "2026-03-29T08:00:00Z"]);
    let far = series("R1/2026-03-28T09:00:00@America/Argentina/Salta/P1D", NOW, "Z", 9);
    assert_eq!(far, ["2026-03-28T12:00:00Z"]);
    // The clock skips half past two, and is there again the day after.
    let skipped = series("R3/2026-03-28T02:30:00@Europe/Berlin/P1D", NOW, "Z", 9);
    assert_eq!(skipped, ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
}

#[test]
fn a_cycle_of_months_does_not_drift_from_the_month_end() {
    let ends = series("R5/2026-01-31T12:00:00Z/P1M", "2026-01-01T00:00:00Z", "Z", 9);
    let days: Vec<&str> = ends.iter().map(|due| &due[..10]).collect();
    assert_eq!(days, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]);
}

#[test]
fn a_cycle_that_began_in_the_past_goes_on_where_it_is() {
    let timer = parse_in(Cycle, "R10/2026-03-01T00:00:00Z/PT8H", NOW, "Z").unwrap();
    assert_eq!((timer.due, timer.remaining), (at("2026-03-02T16:00:00Z"), Some(4)));
    let timer = parse_in(Cycle, "R/2026-03-01T09:00:00Z/P1D", NOW, "Z").unwrap();
    assert_eq!(timer.due, at(NOW), "an occurrence at this very moment is not past");
    // All are past: the last is due at once, so that nothing waits for ever.
    let over = parse_in(Cycle, "R3/2020-01-01T00:00:00Z/P1D", NOW, "Z").unwrap();
    assert_eq!((over.due, over.remaining), (at("2020-01-03T00:00:00Z"), Some(0)));
    assert_eq!(over.next_due(at(NOW)), None);
    let ended = parse_in(Cycle, "R/2020-01-01T00:00:00Z/P1D/2020-01-05T12:00:00Z", NOW, "Z").unwrap();
    assert_eq!((ended.due, ended.next_due(at(NOW))), (at("2020-01-05T00:00:00Z"), None));
}

#[test]
fn what_was_missed_can_be_made_up_for_or_passed_over() {
    let timer = parse_in(Cycle, "R9/PT10M", NOW, "Z").unwrap();
    let made_up = timer.next_due(timer.due).unwrap();
    assert_eq!((made_up.due, made_up.remaining), (at("2026-03-02T09:20:00Z"), Some(7)));
    let passed = timer.next_due(at("2026-03-02T09:45:00Z")).unwrap();
    assert_eq!((passed.due, passed.remaining), (at("2026-03-02T09:50:00Z"), Some(4)));
    assert_eq!(timer.next_due(at("2026-03-02T12:00:00Z")), None);
    let short = parse_in(Cycle, "R/PT0.001S", NOW, "Z").unwrap();
    assert_eq!(short.next_due(at("2036-03-02T09:00:00Z")).unwrap().due, at("2036-03-02T09:00:00.001Z"));
}

#[test]
fn cron_is_read_in_its_dialects() {
    assert_eq!(series("0/20 * * * *", NOW, "Z", 2), ["2026-03-02T09:20:00Z", "2026-03-02T09:40:00Z"]);
    assert_eq!(series("0 0/5 * * * ?", NOW, "Z", 2), ["2026-03-02T09:05:00Z", "2026-03-02T09:10:00Z"]);
    assert_eq!(series("0 0 9 ? * MON-FRI", NOW, "Z", 1), ["2026-03-03T09:00:00Z"]);
    assert_eq!(series("@daily", NOW, "Z", 1), ["2026-03-03T00:00:00Z"]);
    // Quartz counts from Sunday = 1, the others from Sunday = 0.
    assert_eq!(series("0 0 12 ? * 2", NOW, "Z", 1), ["2026-03-02T12:00:00Z"]);
    assert_eq!(series("0 0 12 * * 1", NOW, "Z", 1), ["2026-03-02T12:00:00Z"]);
    assert_eq!(series("0 12 * * 1", NOW, "Z", 1), ["2026-03-02T12:00:00Z"]);
    // Unix: the 13th and every Friday; Spring: Friday the 13th.
    assert_eq!(series("0 12 13 * FRI", NOW, "Z", 1), ["2026-03-06T12:00:00Z"]);
    assert_eq!(series("0 0 12 13 * FRI", NOW, "Z", 2), ["2026-03-13T12:00:00Z", "2026-11-13T12:00:00Z"]);
    assert_eq!(series("0 0 12 1 1 ? 2030", NOW, "Z", 9), ["2030-01-01T12:00:00Z"]);
    assert_eq!(series("0 0 12 L * ?", NOW, "Z", 1), ["2026-03-31T12:00:00Z"]);
    let near_the_end = series("0 0 12 L-3 * ?", "2027-12-30T09:00:00Z", "Z", 4);
    assert_eq!(
        near_the_end,
        ["2028-01-28T12:00:00Z", "2028-02-26T12:00:00Z", "2028-03-28T12:00:00Z", "2028-04-27T12:00:00Z"]
    );
    let twice_a_day = series("0 0 0,12 L-1 2 *", NOW, "Europe/Berlin", 3);
    assert_eq!(twice_a_day, ["2027-02-26T23:00:00Z", "2027-02-27T11:00:00Z", "2028-02-27T23:00:00Z"]);
    // Only a leap year's February has 29 days, and the first of them is the 28th before the last.
    assert_eq!(series("0 0 0 L-28 2 *", NOW, "Z", 2), ["2028-02-01T00:00:00Z", "2032-02-01T00:00:00Z"]);
    assert_eq!(series("* * * L-30 * ?", NOW, "Z", 1), ["2026-05-01T00:00:00Z"]);
}

/// Camunda 7 and 8 have them of weekdays (their other ones are refused there), Quartz and Flowable everywhere.
#[test]
fn ranges_of_cron_go_over_the_end_of_their_field() {
    let hours = ["2026-03-02T22:00:00Z", "2026-03-02T23:00:00Z", "2026-03-03T00:00:00Z", "2026-03-03T01:00:00Z"];
    assert_eq!(series("0 0 22-1 * * *", NOW, "Z", 4), hours);
    assert_eq!(series("0 22-1 * * *", NOW, "Z", 4), hours);
    assert_eq!(
        series("0 0 21,22-1/2 * * ?", NOW, "Z", 4)[1..],
        ["2026-03-02T22:00:00Z", "2026-03-03T00:00:00Z", "2026-03-03T21:00:00Z"]
    );
    let days = ["2026-03-06T12:00:00Z", "2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z", "2026-03-13T12:00:00Z"];
    for weekdays in ["* * FRI-SUN", "* * fri-sun", "* * 5-0", "* * 5-7", "? * FRI-SUN", "? * 6-1"] {
        assert_eq!(series(&format!("0 0 12 {weekdays}"), NOW, "Z", 4), days, "{weekdays}");
    }
    assert_eq!(series("0 12 * * SAT-MON", NOW, "Z", 2), ["2026-03-02T12:00:00Z", "2026-03-07T12:00:00Z"]);
    let months = ["2026-11-01T12:00:00Z", "2026-12-01T12:00:00Z", "2027-01-01T12:00:00Z", "2027-11-01T12:00:00Z"];
    assert_eq!(series("0 0 12 1 NOV-JAN ?", NOW, "Z", 4), months);
}

#[test]
fn cron_reads_the_clock_of_its_zone() {
    let nine = series("0 9 * * *", "2026-03-28T00:00:00Z", "Europe/Berlin", 3);
    assert_eq!(nine, ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"]);
    let skipped = series("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", 2);
    assert_eq!(skipped, ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    let twice = series("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", 2);
    assert_eq!(twice, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn what_is_no_timer_is_refused_with_a_code_and_help() {
    for text in [
        "R0/PT1M",
        "Rx/PT1M",
        "R+3/PT1M",
        "R3",
        "R3/",
        "R3/PT0S",
        "R3/-PT1M",
        "2026-03-02/P1D",
        "R3/PT1M/PT1M",
        "R3/P1D/P1D/P1D",
    ] {
        let error = parse_in(Cycle, text, NOW, "Z").unwrap_err();
        assert!(matches!(error.code, "timer-cycle-invalid" | "date-time-invalid"), "{text}: {error}");
    }
    for text in [
        "* * * *",
        "61 * * * *",
        "x y z u v",
        "@sometimes",
        "0 0 0 0 0 0 0 0",
        "0 0 L-3 * *",
        "0 0 0 L-31 * ?",
        "0 0 0 L--3 * ?",
    ] {
        assert_eq!(code(Cycle, text), "timer-cron-invalid", "{text}");
    }
    assert_eq!(code(Cycle, "0 0 12 1 1 ? 2020"), "timer-cycle-over");
    assert_eq!(code(Cycle, "R/2026-05-01/P1D/2026-04-01"), "timer-cycle-over");
    assert_eq!(code(Date, "PT5M"), "timer-date-invalid");
    assert_eq!(code(Date, "tomorrow"), "date-time-invalid");
    assert_eq!(code(Duration, "2026-03-02"), "timer-duration-invalid");
    assert_eq!(code(Duration, "R3/PT5M"), "timer-duration-invalid");
    assert_eq!(code(Duration, ""), "timer-duration-invalid");
    assert_eq!(code(Duration, "5 minutes"), "duration-invalid");
    assert_eq!(code(Duration, "P9999Y"), "time-out-of-range");
}

#[test]
fn a_day_that_never_comes_is_found_out_quickly() {
    for text in ["0 0 30 2 *", "0 0 0 30 2 ?", "0 0 0 31 4,6,9,11 ?"] {
        assert_eq!(code(Cycle, text), "timer-cycle-over", "{text}");
    }
}

#[test]
fn a_waiting_timer_can_be_stored() {
    let timer = parse_in(Cycle, "R3/2026-03-28T09:00:00@Europe/Berlin/P1D", NOW, "Z").unwrap();
    let stored = serde_json::to_string(&timer).unwrap();
    assert_eq!(serde_json::from_str::<Timer>(&stored).unwrap(), timer);
}

proptest! {
    #[test]
    fn a_cycle_only_moves_forward(
        seconds in 1..10_000_000_i64, months in 0..3_u32, start in 0..4_000_000_000_i64, later in 0..400_000_000_i64,
    ) {
        let start = Timestamp::from_second(start).unwrap();
        let text = format!("R/{start}/P{months}MT{seconds}S");
        let timer = Timer::parse(Cycle, &text.into(), start, &"Europe/Berlin".parse().unwrap()).unwrap();
        prop_assert_eq!(timer.due, start);
        let after = Timestamp::from_second(start.as_second() + later).unwrap();
        let next = timer.next_due(after).unwrap();
        prop_assert!(next.due > after);
        // It is the first: the one before is not after.
        let Repeat::Every(every) = &next.repeat else { unreachable!() };
        let before = every.period.after(every.start, every.count - 1, &Zone::UTC.rules().unwrap()).unwrap();
        prop_assert!(before <= after);
    }

    #[test]
    fn no_text_makes_a_timer_panic(text in "\\PC{0,40}", like in "[-R0-9TPZYMDHSW.:@/ *?,L#]{0,30}") {
        for kind in [Date, Duration, Cycle] {
            let _ = Timer::check(kind, &text);
            let _ = Timer::check(kind, &like);
        }
    }
}

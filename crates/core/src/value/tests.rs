#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::time::Timestamp;

fn date_time(text: &str) -> DateTime {
    text.parse().unwrap()
}

fn moment(text: &str, default: &str) -> String {
    date_time(text).timestamp(&default.parse().unwrap()).unwrap().to_string()
}

#[test]
fn a_date_and_time_prints_as_it_was_read() {
    for text in [
        "2026-03-02T09:00:00",
        "2026-03-02T09:00:00.25Z",
        "2026-03-02T09:00:00+05:30",
        "2026-03-02T09:00:00-03:00",
        "2026-03-02T09:00:00+03:00[Europe/Volgograd]",
        // The clock skips this time.
        "2026-03-29T02:30:00[Europe/Berlin]",
    ] {
        assert_eq!(date_time(text).to_string(), text);
    }
}

#[test]
fn a_date_and_time_is_read_in_all_its_spellings() {
    for text in [
        "2026-03-02T06:00:00Z",
        "2026-03-02T09:00+03",
        "2026-03-02T09:00:00.000+0300",
        "2026-03-02T09:00:00@Europe/Volgograd",
        "2026-03-02 09:00:00[europe/volgograd]",
        "2026-03-02T09:00:00+03:00@Europe/Volgograd",
        "2026-03-02T09:00:00",
    ] {
        assert_eq!(moment(text, "Europe/Volgograd"), "2026-03-02T06:00:00Z", "{text}");
    }
}

#[test]
fn the_end_of_a_day_is_the_beginning_of_the_next() {
    for (text, read) in [
        ("2026-03-01T24:00:00", "2026-03-02T00:00:00"),
        ("2026-03-01T24:00", "2026-03-02T00:00:00"),
        ("2026-03-01T24", "2026-03-02T00:00:00"),
        ("20260228T240000Z", "2026-03-01T00:00:00Z"),
        ("2026-12-31T24:00:00.000+03:00", "2027-01-01T00:00:00+03:00"),
    ] {
        assert_eq!(date_time(text).to_string(), read, "{text}");
    }
    for text in [
        "2026-03-01T24:00:01",
        "2026-03-01T24:01:00",
        "2026-03-01T24:",
        "2026-03-01T24:00:00.5",
        "2026-03-01T25:00:00",
        "2026-03-01T24:00:",
        "2026-03-01T24:00:00:00",
        "2026-03-01T24:0",
        "9999-12-31T24:00:00",
    ] {
        assert!(text.parse::<DateTime>().is_err(), "{text}");
    }
    let time: crate::value::TimeOfDay = "24:00:00Z".parse().expect("a time");
    assert_eq!(time.to_string(), "00:00:00Z");
}

#[test]
fn an_offset_says_which_of_two_equal_clock_times_is_meant() {
    assert_eq!(moment("2026-10-25T02:30:00@Europe/Berlin", "Z"), "2026-10-25T00:30:00Z");
    assert_eq!(moment("2026-10-25T02:30:00+02:00[Europe/Berlin]", "Z"), "2026-10-25T00:30:00Z");
    assert_eq!(moment("2026-10-25T02:30:00+01:00[Europe/Berlin]", "Z"), "2026-10-25T01:30:00Z");
    // A name and another offset: the offset counts, the name says where to show it.
    let elsewhere = date_time("2026-03-02T06:00:00+00:00[Europe/Volgograd]");
    assert_eq!(elsewhere.to_string(), "2026-03-02T09:00:00+03:00[Europe/Volgograd]");
}

#[test]
fn what_is_no_date_and_time_is_refused_with_help() {
    for text in
        ["", "2026-03-02", "2026-02-30T00:00:00", "2026-03-02T25:00", "2026-03-02T09:00+3", "soon", "T", "é T09"]
    {
        let error = text.parse::<DateTime>().unwrap_err();
        assert!(matches!(error.code, "date-time-invalid" | "time-zone-unknown"), "{text}: {error}");
    }
    let error = "2026-03-02T09:00@Europe/Atlantis".parse::<DateTime>().unwrap_err();
    assert_eq!(error.code, "time-zone-unknown");
    assert!(error.to_string().contains("Europe/Volgograd"), "{error}");
    assert!("+26:00".parse::<Zone>().is_err());
    assert!(parse_date("2026-03-02T09:00").is_err());
}

#[test]
fn a_time_of_day_keeps_its_zone() {
    for text in ["09:30:00", "09:30:00.5Z", "09:30:00+03:00", "09:30:00@Europe/Volgograd"] {
        assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
    }
    assert!("9 o'clock".parse::<TimeOfDay>().is_err());
}

#[test]
fn durations_are_read_in_all_their_forms() {
    let duration = |text: &str| text.parse::<Duration>().unwrap();
    assert_eq!(duration("P1Y2M"), Duration::from_months(14));
    assert_eq!(duration("-P1M"), Duration::from_months(-1));
    assert_eq!(duration("P2W"), Duration::from_seconds(14 * 86_400));
    assert_eq!(duration("PT0.5H"), Duration::from_seconds(1_800));
    assert_eq!(duration("P0.5D"), Duration::from_seconds(43_200));
    assert_eq!(duration("-PT1.25S"), Duration { seconds: -1, nanoseconds: -250_000_000, months: 0 });
    assert_eq!(duration("PT36H").to_string(), "P1DT12H");
    assert_eq!(Duration::default().to_string(), "PT0S");
    for text in [
        "",
        "P",
        "PT",
        "P1",
        "1D",
        "P1H",
        "PT1D",
        "PT1S1M",
        "P1M1Y",
        "P1.5M",
        "PT1.5H3M",
        "P-1D",
        "P1DT",
        "P9Y9Y",
        "P99999999999Y",
        "PT99999999999999999999S",
        "P1Dé",
    ] {
        assert_eq!(text.parse::<Duration>().unwrap_err().code, "duration-invalid", "{text}");
    }
}

#[test]
fn json_goes_in_and_comes_out_the_same() {
    let json = json!({
        "nothing": null, "yes": true, "whole": 9_223_372_036_854_775_807_i64, "half": 0.5, "one": 1.0,
        "text": "2026-03-02", "list": [1, [2, {"deep": "x"}]], "empty": {},
    });
    let value = Value::from_json(json.clone()).unwrap();
    assert_eq!(value.to_json(), json);
    assert_eq!(value.get("list.1.1.deep").and_then(Value::as_str), Some("x"));
    assert_eq!(value.get("whole"), Some(&Value::Integer(i64::MAX)));
    assert_eq!(value.get("one"), Some(&Value::Number(1.0)));
    assert_eq!(value.get("one").and_then(Value::as_i64), Some(1));
}

#[test]
fn numbers_in_json_are_read_to_the_last_digit() {
    for number in [1_180_591_620_717_411_303_424.0, 0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX] {
        let read: serde_json::Value = serde_json::from_str(&format!("{number:e}")).unwrap();
        assert_eq!(Value::from_json(read).unwrap(), Value::Number(number));
    }
}

#[test]
fn what_json_lacks_is_written_as_text() {
    let declared = Declared { value: 5.into(), type_name: "Short".into(), info: BTreeMap::new() };
    let value: Value = vec![
        Value::Date(parse_date("2026-03-02").unwrap()),
        date_time("2026-03-02T09:00:00Z").into(),
        "09:00:00".parse::<TimeOfDay>().unwrap().into(),
        Duration::from_months(1).into(),
        Value::Bytes(Arc::from([0_u8, 255, 7])),
        Value::Declared(Arc::new(declared)),
        Value::Number(f64::NAN),
    ]
    .into();
    let text = json!(["2026-03-02", "2026-03-02T09:00:00Z", "09:00:00", "P1M", "AP8H", 5, null]);
    assert_eq!(value.to_json(), text);
    assert_eq!(value.get("5").and_then(Value::as_i64), Some(5));
    assert_eq!(Value::from(f64::INFINITY), Value::Null);
}

#[test]
fn people_read_values_as_text() {
    let value: Value =
        [("name", Value::from("Анна \"A\"")), ("n", 2.0.into()), ("list", vec![1.into(), Value::Null].into())]
            .into_iter()
            .collect();
    assert_eq!(value.to_string(), r#"{"list": [1, null], "n": 2, "name": "Анна \"A\""}"#);
    assert_eq!(Value::from("plain").to_string(), "plain");
}

#[test]
fn deep_json_is_refused_and_dropped_safely() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| serde_json::Value::Array(vec![inner]));
    assert!(Value::from_json(nested(MAXIMUM_DEPTH)).is_ok());
    assert_eq!(Value::from_json(nested(MAXIMUM_DEPTH + 1)), Err(ValueError::TooDeep { limit: MAXIMUM_DEPTH }));
    assert_eq!(Value::from_json(nested(200_000)), Err(ValueError::TooDeep { limit: MAXIMUM_DEPTH }));
}

#[test]
fn a_value_that_grew_too_deep_or_too_wide_is_found_out() {
    let deep = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::from(vec![inner]));
    assert_eq!(deep(MAXIMUM_DEPTH).check(), Ok(()));
    assert_eq!(deep(MAXIMUM_DEPTH + 1).check(), Err(ValueError::TooDeep { limit: MAXIMUM_DEPTH }));
    // Small in memory, but a billion billion parts when written out.
    let doubled = (0..60).fold(Value::Null, |inner, _| Value::from(vec![inner.clone(), inner]));
    assert_eq!(doubled.check(), Err(ValueError::TooLarge { limit: MAXIMUM_BYTES }));
    let text = Value::from("x".repeat(1_000_000));
    assert_eq!(text.check(), Ok(()));
    assert_eq!(Value::from(vec![text; 100]).check(), Err(ValueError::TooLarge { limit: MAXIMUM_BYTES }));
}

#[test]
fn what_is_checked_can_be_read_again() {
    let lists = |levels: usize| (1..levels).fold(Value::from(Vec::new()), |inner, _| Value::from(vec![inner]));
    assert_eq!(lists(MAXIMUM_DEPTH).check(), Ok(()));
    assert_eq!(lists(MAXIMUM_DEPTH + 1).check(), Err(ValueError::TooDeep { limit: MAXIMUM_DEPTH }));
    assert!(Value::from_json(lists(MAXIMUM_DEPTH).to_json()).is_ok());
    let json = (0..MAXIMUM_DEPTH).fold(json!([]), |inner, _| serde_json::Value::Array(vec![inner]));
    assert_eq!(Value::from_json(json), Err(ValueError::TooDeep { limit: MAXIMUM_DEPTH }));
}

#[test]
fn correlation_compares_by_meaning() {
    let same = |left: Value, right: Value| left.loosely_equal(&right) && right.loosely_equal(&left);
    assert!(same(1.into(), 1.0.into()));
    assert!(!same(1.into(), 1.5.into()));
    assert!(!same(1.into(), "1".into()));
    // As floating point these would be equal.
    assert!(!same(9_007_199_254_740_993_i64.into(), 9_007_199_254_740_992.0.into()));
    assert!(same(vec![1.into()].into(), vec![1.0.into()].into()));
    assert!(!same(vec![1.into()].into(), Vec::new().into()));
    let declared = Declared { value: 1.into(), type_name: "Short".into(), info: BTreeMap::new() };
    assert!(same(Value::Declared(Arc::new(declared)), 1.into()));
    assert!(same(date_time("2026-03-02T09:00:00+03:00").into(), date_time("2026-03-02T06:00:00Z").into()));
    assert!(!same(date_time("2026-03-02T09:00:00").into(), date_time("2026-03-02T09:00:00Z").into()));
}

proptest! {
    #[test]
    fn every_duration_reads_back(months: i32, seconds: i64, nanoseconds in 0..1_000_000_000_i32) {
        let negative = months < 0 || (months == 0 && seconds < 0);
        let (months, seconds) = (i64::from(months).abs(), seconds.saturating_abs());
        let sign = if negative { -1 } else { 1 };
        let duration = Duration {
            months: i32::try_from(sign * months).unwrap_or(i32::MIN + 1),
            seconds: sign * seconds,
            nanoseconds: i32::try_from(sign).unwrap() * nanoseconds,
        };
        prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
    }

    #[test]
    fn every_moment_reads_back_in_every_zone(second in -60_000_000_000_i64..200_000_000_000, zone in 0..5_usize) {
        let zone: Zone = ["Europe/Berlin", "Europe/Volgograd", "America/St_Johns", "-04:30", "Z"][zone].parse().unwrap();
        let moment = Timestamp::from_second(second).unwrap();
        let text = DateTime::in_zone(moment, zone.clone()).unwrap().to_string();
        let read = text.parse::<DateTime>().unwrap();
        prop_assert_eq!(read.timestamp(&Zone::UTC).unwrap(), moment, "{}", text);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,40}", time in "[-+0-9TPZYMDHSW.:@\\[\\]/ ]{0,30}") {
        for text in [text, time] {
            let _ = text.parse::<DateTime>();
            let _ = text.parse::<TimeOfDay>();
            let _ = text.parse::<Duration>();
            let _ = text.parse::<Zone>();
            let _ = parse_date(&text);
        }
    }
}

#![allow(clippy::unwrap_used)]

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::value::parse_date;

const OFFICE: &str = r#"
name: office
zone: Europe/Volgograd
week:
  monday: &day ["09:00-13:00", "14:00-18:00"]
  tuesday: *day
  wednesday: *day
  thursday: *day
  friday: ["09:00-13:00", "14:00-17:00"]
  sunday:
holidays:
  - 2026-02-23
  - {date: 2026-03-09, name: Women's Day}
  - "01-07"
  - {date: "05-09", name: Victory Day}
exceptions:
  2026-02-21: ["09:00-16:00"]   # a Saturday
  2026-03-06: []
  2027-01-07: ["10:00-12:00"]
"#;

fn office() -> Calendar {
    Calendar::from_yaml(OFFICE).unwrap()
}

/// A night watch across both changes of the clock.
fn watch() -> Calendar {
    let day = r#"["00:00-02:15", "02:30-06:00", "22:00-24:00"]"#;
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: String = days.iter().map(|name| format!("  {name}: {day}\n")).collect();
    Calendar::from_yaml(&format!("name: watch\nzone: Europe/Berlin\nweek:\n{week}")).unwrap()
}

/// A moment by the office's clock.
fn at(text: &str) -> Timestamp {
    moment(text, "+03:00")
}

fn moment(text: &str, zone: &str) -> Timestamp {
    format!("{}:00{zone}", text.replace(' ', "T")).parse().unwrap()
}

#[track_caller]
fn assert_at(result: Result<Timestamp, TimeError>, expected: &str) {
    let local = office().zone().to_datetime(result.unwrap()).strftime("%F %H:%M").to_string();
    assert_eq!(local, expected);
}

#[test]
fn people_work_from_opening_until_closing() {
    let office = office();
    for (text, working) in [
        ("2026-03-02 08:59", false),
        ("2026-03-02 09:00", true),
        ("2026-03-02 12:59", true),
        ("2026-03-02 13:00", false),
        ("2026-03-02 14:00", true),
        ("2026-03-02 18:00", false),
        ("2026-03-01 12:00", false),
        ("2026-02-23 12:00", false),
        ("2026-02-21 15:00", true),
        ("2026-03-06 12:00", false),
        ("2026-05-09 12:00", false),
        ("2030-05-09 12:00", false),
        // An exception counts more than a holiday.
        ("2027-01-07 11:00", true),
    ] {
        assert_eq!(office.is_working_time(at(text)), working, "{text}");
    }
    assert_eq!(office.holiday(jiff::civil::date(2026, 3, 9)).flatten().map(|name| &**name), Some("Women's Day"));
    assert!(office.holiday(jiff::civil::date(2026, 3, 10)).is_none());
}

#[test]
fn the_next_working_moment_may_be_now() {
    let office = office();
    assert_at(office.next_working_moment(at("2026-03-02 10:30")), "2026-03-02 10:30");
    assert_at(office.next_working_moment(at("2026-03-02 13:30")), "2026-03-02 14:00");
    assert_at(office.next_working_moment(at("2026-03-05 18:00")), "2026-03-10 09:00");
}

#[test]
fn a_call_after_hours_is_returned_next_morning() {
    let office = office();
    assert_at(office.next_working_morning(at("2026-03-02 07:00")), "2026-03-02 09:00");
    assert_at(office.next_working_morning(at("2026-03-02 09:00")), "2026-03-03 09:00");
    assert_at(office.next_working_morning(at("2026-03-02 13:30")), "2026-03-03 09:00");
    assert_at(office.next_working_morning(at("2026-03-02 19:00")), "2026-03-03 09:00");
    assert_at(office.next_working_morning(at("2026-03-05 19:00")), "2026-03-10 09:00");
    assert_at(office.next_working_morning(at("2026-02-20 19:00")), "2026-02-21 09:00");
}

#[test]
fn working_time_passes_only_while_people_work() {
    let office = office();
    let hours = SignedDuration::from_hours;
    assert_at(office.add_working_time(at("2026-03-02 10:00"), hours(2)), "2026-03-02 12:00");
    assert_at(office.add_working_time(at("2026-03-02 12:00"), hours(2)), "2026-03-02 15:00");
    assert_at(office.add_working_time(at("2026-03-02 09:00"), hours(8)), "2026-03-02 18:00");
    assert_at(office.add_working_time(at("2026-03-05 17:00"), hours(2)), "2026-03-10 10:00");
    assert_at(office.add_working_time(at("2026-03-02 20:00"), hours(1)), "2026-03-03 10:00");
    assert_at(office.add_working_time(at("2026-03-02 10:00"), hours(-2)), "2026-02-27 16:00");
    assert_at(office.add_working_time(at("2026-03-01 12:00"), hours(-7)), "2026-02-27 09:00");
    assert_at(office.add_working_time(at("2026-03-01 12:00"), hours(0)), "2026-03-01 12:00");
    let between = |from: &str, to: &str| office.working_time_between(at(from), at(to)).unwrap();
    assert_eq!(between("2026-03-02 10:00", "2026-03-03 10:00"), hours(8));
    assert_eq!(between("2026-03-03 10:00", "2026-03-02 10:00"), hours(-8));
    assert_eq!(between("2026-03-05 18:00", "2026-03-10 09:00"), hours(0));
}

#[test]
fn working_days_keep_the_time_of_day() {
    let office = office();
    assert_at(office.add_working_days(at("2026-03-02 10:30"), 1), "2026-03-03 10:30");
    assert_at(office.add_working_days(at("2026-03-02 10:30"), 5), "2026-03-11 10:30");
    assert_at(office.add_working_days(at("2026-03-02 07:00"), 1), "2026-03-03 09:00");
    assert_at(office.add_working_days(at("2026-03-02 13:30"), 1), "2026-03-03 14:00");
    assert_at(office.add_working_days(at("2026-03-02 23:00"), 1), "2026-03-03 18:00");
    assert_at(office.add_working_days(at("2026-03-01 12:00"), 1), "2026-03-02 12:00");
    assert_at(office.add_working_days(at("2026-03-01 12:00"), 0), "2026-03-02 12:00");
    assert_at(office.add_working_days(at("2026-03-02 12:00"), 0), "2026-03-02 12:00");
    assert_at(office.add_working_days(at("2026-03-02 12:00"), -1), "2026-02-27 12:00");
    assert_at(office.add_working_days(at("2026-02-24 17:00"), -1), "2026-02-21 16:00");
}

#[test]
fn hours_are_as_long_as_they_are_when_the_clock_changes() {
    let watch = watch();
    let night =
        |from: &str, to: &str| watch.working_time_between(moment(from, "Z"), moment(to, "Z")).unwrap().as_mins();
    // An ordinary night: 2 h, 2 h 15 min and 3 h 30 min.
    assert_eq!(night("2026-03-26 12:00", "2026-03-27 12:00"), 465);
    // From 2 to 3 there is nothing: 15 and 30 minutes less.
    assert_eq!(night("2026-03-28 12:00", "2026-03-29 12:00"), 420);
    // From 2 to 3 comes twice: the break between 2:15 and 2:30 is over at its first end.
    assert_eq!(night("2026-10-24 12:00", "2026-10-25 12:00"), 525);
}

#[test]
fn a_day_whose_hours_the_clock_skips_is_no_working_day() {
    let week = "  sunday: [\"02:00-03:00\"]\n  monday: [\"02:15-02:45\"]\n";
    let calendar = Calendar::from_yaml(&format!("name: x\nzone: Europe/Berlin\nweek:\n{week}")).unwrap();
    assert!(!calendar.is_working_day(parse_date("2026-03-29").unwrap()));
    // The second working day after the 22nd is the Monday after that Sunday, backwards from the 31st it is the Monday before.
    let from = |text: &str, days| calendar.add_working_days(moment(text, "Z"), days).unwrap();
    assert_eq!(from("2026-03-22 01:10", 2), moment("2026-03-30 00:15", "Z"));
    assert_eq!(from("2026-03-31 00:20", -2), moment("2026-03-23 01:20", "Z"));
}

#[test]
fn what_lies_too_far_is_refused() {
    let office = office();
    let centuries = SignedDuration::from_hours(24 * 366 * 100);
    assert_eq!(office.add_working_time(at("2026-03-02 10:00"), centuries).unwrap_err().code, "calendar-too-far");
    assert_eq!(office.add_working_days(at("2026-03-02 10:00"), i32::MIN).unwrap_err().code, "calendar-too-far");
    assert_eq!(office.add_working_days(Timestamp::MAX, 1).unwrap_err().code, "calendar-too-far");
    assert_eq!(office.working_time_between(Timestamp::MIN, Timestamp::MAX).unwrap_err().code, "calendar-too-far");
    assert!(office.next_working_morning(Timestamp::MAX).is_err());
    assert!(office.add_working_time(Timestamp::MIN, SignedDuration::MIN).is_err());
    assert!(!office.is_working_time(Timestamp::MAX));
}

#[test]
fn what_is_wrong_in_a_file_is_shown_with_its_line() {
    let head = "name: x\nzone: Europe/Moscow\nweek:\n";
    for (text, line, word) in [
        (format!("{head}  monday: [\"9-18\"]\n"), 4, "09:00-18:00"),
        (format!("{head}  monday: [\"18:00-09:00\"]\n"), 4, "midnight"),
        (format!("{head}  monday: [\"+9:00-13:00\"]\n"), 4, "`+9:00-13:00` is not from one time to another"),
        (format!("{head}  monday:\n    - 09:00-13:00\n    - 12:00-18:00\n"), 5, "overlap"),
        (format!("{head}  mondey: []\n"), 4, "mondey"),
        (format!("{head}  monday: [\"09:00-18:00\"]\nholidays:\n  - 2026-01-01\n  - 2026-02-30\n"), 7, "2026-02-30"),
        (format!("{head}  monday: [\"09:00-18:00\"]\nexceptions:\n  tomorrow: []\n"), 6, "tomorrow"),
        ("name: x\nzone: Europe/Atlantis\nweek: {}\n".to_owned(), 2, "Europe/Atlantis"),
        ("name: x\nzone: [\n".to_owned(), 2, "must stand here"),
        ("- x\n".to_owned(), 1, "names with values must stand here"),
        ("name: x\nname: y\n".to_owned(), 2, "`name` stands twice"),
    ] {
        let problem = Calendar::from_yaml(&text).unwrap_err();
        assert_eq!(problem.code, "calendar-invalid");
        assert!(problem.message.contains(word), "{problem}");
        assert_eq!(problem.line, line, "{problem}");
        assert!(!problem.message.contains("at line"), "the place is said once: {problem}");
    }
}

#[test]
fn a_calendar_without_working_time_is_refused() {
    let head = "name: x\nzone: Z\nweek:\n";
    let code = |text: &str| Calendar::from_yaml(text).unwrap_err().code;
    assert_eq!(
        code("name: x\nzone: Z\nweek: {}\nexceptions: {2026-01-01: [\"09:00-10:00\"]}\n"),
        "calendar-without-working-time"
    );
    let every_day: String = (1..=12)
        .flat_map(|month| (1..=31).map(move |day| format!("  - \"{month:02}-{day:02}\"\n")))
        .filter(|text| parse_date(&format!("2024-{}", &text[5..10])).is_ok())
        .collect();
    assert_eq!(
        code(&format!("{head}  monday: [\"09:00-18:00\"]\nholidays:\n{every_day}")),
        "calendar-without-working-time"
    );
}

proptest! {
    #[test]
    fn adding_working_time_and_measuring_it_agree(
        start in 1_700_000_000..1_900_000_000_i64, minutes in -20_000..20_000_i64, night: bool,
    ) {
        let calendar = if night { watch() } else { office() };
        let start = Timestamp::from_second(start).unwrap();
        let length = SignedDuration::from_mins(minutes);
        let end = calendar.add_working_time(start, length).unwrap();
        prop_assert_eq!(calendar.working_time_between(start, end).unwrap(), length);
        prop_assert_eq!(calendar.working_time_between(end, start).unwrap(), -length);
        // Nothing shorter would do.
        if minutes > 0 {
            let before = Timestamp::from_second(end.as_second() - 1).unwrap();
            prop_assert!(calendar.working_time_between(start, before).unwrap() < length);
        }
    }

    #[test]
    fn the_next_working_moment_is_the_first(start in 1_700_000_000..1_900_000_000_i64, night: bool) {
        let calendar = if night { watch() } else { office() };
        let start = Timestamp::from_second(start).unwrap();
        let next = calendar.next_working_moment(start).unwrap();
        prop_assert!(calendar.is_working_time(next));
        prop_assert!(next == start || !calendar.is_working_time(start));
        prop_assert!(calendar.working_time_between(start, next).unwrap().is_zero());
        let morning = calendar.next_working_morning(start).unwrap();
        prop_assert!(morning > start && calendar.is_working_time(morning));
    }

    #[test]
    fn working_days_there_and_back_are_the_same_day(start in 1_700_000_000..1_900_000_000_i64, days in 1..200_i32) {
        let calendar = office();
        let start = calendar.next_working_moment(Timestamp::from_second(start).unwrap()).unwrap();
        let there = calendar.add_working_days(start, days).unwrap();
        let back = calendar.add_working_days(there, -days).unwrap();
        let date = |moment: Timestamp| calendar.zone().to_datetime(moment).date();
        prop_assert_eq!(date(back), date(start));
        let in_steps = (0..days).fold(start, |moment, _| calendar.add_working_days(moment, 1).unwrap());
        prop_assert_eq!(date(in_steps), date(there));
    }

    #[test]
    fn no_text_makes_reading_a_calendar_panic(text in "(name: x|zone: Z|week:|  monday: |\\[|\"09:00-10:00\"|\\]|\n|\\PC){0,20}") {
        let _ = Calendar::from_yaml(&text);
    }
}

//! Dates in the one form that Camunda 7 reads and writes: `2030-05-06T07:08:09.000+0000`.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

const FORM: &str = "%Y-%m-%dT%H:%M:%S.%3f+0000";

/// A moment, in UTC.
pub(crate) fn date(time: Timestamp) -> String {
    time.strftime(FORM).to_string()
}

/// What the clock shows in UTC.
pub(crate) fn of_date(date: DateTime) -> String {
    date.strftime(FORM).to_string()
}

/// Whether something is later than a moment, as it is shown: who asks for what comes after the last that was shown does not see that again.
pub(crate) fn is_after(own: Timestamp, moment: Timestamp) -> bool {
    own.as_millisecond() > moment.as_millisecond()
}

/// The moment that a date says; none if it is written in any other way. The last hours of the year 9999 are no moments here: what is to
/// last for ever lasts until right before them.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let date = parse_date(text)?;
    let last = || Timestamp::MAX.saturating_sub(SignedDuration::from_secs(1)).ok();
    Offset::UTC.to_timestamp(date).ok().or_else(|| last().filter(|_| date.year() == 9999))
}

/// What the clock shows in UTC then.
pub(crate) fn parse_date(text: &str) -> Option<DateTime> {
    if text.len() != 28 || !text.is_ascii() {
        return None;
    }
    let (clock, offset) = text.split_at(23);
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.')];
    let in_place = |(index, byte): (usize, u8)| clock.as_bytes().get(index) == Some(&byte);
    if !separators.into_iter().all(in_place) {
        return None;
    }
    let clock: DateTime = clock.parse().ok()?;
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let number = |range| offset.get(range).filter(|text: &&str| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (hours, minutes): (i32, i32) = (number(1..3)?.parse().ok()?, number(3..5)?.parse().ok()?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    clock.checked_sub(SignedDuration::from_mins(i64::from(sign * (hours * 60 + minutes)))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_form_is_read() {
        let text = "2030-05-06T07:08:09.123+0000";
        assert_eq!(date(parse(text).unwrap_or_default()), text);
        assert_eq!(parse("2030-05-06T09:08:09.123+0200"), parse(text));
        for text in ["9999-12-31T00:00:00.000+0000", "9999-12-31T23:59:59.999+0000"] {
            assert_eq!(parse_date(text).map(of_date).as_deref(), Some(text));
            assert!(parse(text) > parse("9999-12-30T00:00:00.000+0000"), "{text}");
        }
        for text in [
            "2030-05-06T07:08:09+0000",
            "2030-05-06T07:08:09.123Z",
            "2030-05-06T07:08:09.123+00:00",
            "2030-05-06T07:08:09.123",
            "2030-05-06",
            "2030-13-06T07:08:09.123+0000",
            "2030-05-06 07:08:09.123+0000",
            "2030-05-06T07:08:09.123+2400",
            "2030-05-06T07:08:09.123+0060",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

//! Dates in the one form that Camunda 7 reads and writes: `2030-05-06T07:08:09.000+0000`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A moment, in UTC.
pub(crate) fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// The moment that a date says; none if it is written in any other way.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
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
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
    offset.to_timestamp(clock).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_form_is_read() {
        let text = "2030-05-06T07:08:09.123+0000";
        assert_eq!(date(parse(text).unwrap_or_default()), text);
        assert_eq!(parse("2030-05-06T09:08:09.123+0200"), parse(text));
        for text in [
            "2030-05-06T07:08:09+0000",
            "2030-05-06T07:08:09.123Z",
            "2030-05-06T07:08:09.123+00:00",
            "2030-05-06T07:08:09.123",
            "2030-05-06",
            "2030-13-06T07:08:09.123+0000",
            "2030-05-06 07:08:09.123+0000",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

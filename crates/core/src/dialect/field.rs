//! What a form field holds, and which value a text in the model is for it.

use jiff::fmt::strtime;

use super::FormField;
use crate::value::{DateTime, TimeOfDay, Value, parse_date};

/// How Camunda 7 and Flowable write dates in forms, unless a field has a pattern of its own.
pub(super) const CLASSIC_DATE: &str = "dd/MM/yyyy";

/// What a form field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A date and time.
    DateTime,
    /// One of the field's values.
    Choice,
    /// Anything, as JSON.
    Json,
}

impl FieldKind {
    /// The value that a text is, where the kind alone says so: dates as ISO 8601 has them, a choice as it is written.
    pub(super) fn read(self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        match self {
            Self::Text => Ok(text.into()),
            Self::Choice => Ok(trimmed.into()),
            Self::Integer => trimmed.parse().map(Value::Integer).map_err(|_| "write a whole number, e.g. 5".to_owned()),
            Self::Number => {
                let number = trimmed.parse().ok().filter(|number: &f64| number.is_finite());
                number.map(Value::Number).ok_or_else(|| "write a number, e.g. 2.5".to_owned())
            }
            Self::Boolean => match trimmed {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err("write `true` or `false`".to_owned()),
            },
            Self::Date => parse_date(trimmed).map(Value::from).map_err(|_| "write a date, e.g. 2026-11-24".to_owned()),
            Self::Time => {
                let time = trimmed.parse::<TimeOfDay>();
                time.map(Value::from).map_err(|_| "write a time, e.g. 09:30:00".to_owned())
            }
            Self::DateTime => {
                let moment = trimmed.parse::<DateTime>();
                moment.map(Value::from).map_err(|_| "write a date and time, e.g. 2026-11-24T09:30:00".to_owned())
            }
            Self::Json => {
                let json = serde_json::from_str(text).ok().and_then(|json| Value::from_json(json).ok());
                json.ok_or_else(|| "write JSON, e.g. {\"a\": 1}".to_owned())
            }
        }
    }
}

impl FormField {
    /// What it holds.
    #[must_use]
    pub fn holds(&self) -> FieldKind {
        match self.kind.to_ascii_lowercase().as_str() {
            "long" | "integer" | "int" | "short" => FieldKind::Integer,
            "number" | "double" | "float" | "decimal" => FieldKind::Number,
            "boolean" => FieldKind::Boolean,
            "date" => FieldKind::Date,
            "time" => FieldKind::Time,
            "datetime" | "date-time" => FieldKind::DateTime,
            "json" | "object" => FieldKind::Json,
            // Camunda 7 and Flowable hold a text to its values only in an enumeration.
            "string" | "text" if self.date_pattern.is_some() => FieldKind::Text,
            _ if !self.values.is_empty() => FieldKind::Choice,
            _ => FieldKind::Text,
        }
    }

    /// The value that a text is for this field, as its dialect reads it.
    ///
    /// # Errors
    /// If it is none; what to write instead.
    pub fn value_of(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        match self.holds() {
            FieldKind::Date => self.date(trimmed),
            FieldKind::Choice if self.values.iter().all(|(id, _)| **id != *trimmed) => {
                let ids: Vec<&str> = self.values.iter().map(|(id, _)| &**id).collect();
                Err(format!("write one of its values: {}", ids.join(", ")))
            }
            holds => holds.read(text),
        }
    }

    /// A date by the field's pattern, or as ISO 8601 has it, which no pattern of another order can mean.
    fn date(&self, text: &str) -> Result<Value, String> {
        let date = FieldKind::Date.read(text);
        let Some(pattern) = &self.date_pattern else { return date };
        let format = format_of(pattern).ok_or_else(|| {
            format!("the datePattern `{pattern}` is not read here; write one of days, months, years, hours, minutes and seconds, e.g. {CLASSIC_DATE}")
        })?;
        by_format(&format, text).map_or_else(|| date.map_err(|_| format!("write a date as {pattern}")), Ok)
    }

    /// The date that a text is by the field's own pattern, and by no other; none if it has no pattern.
    #[must_use]
    pub fn date_by_pattern(&self, text: &str) -> Option<Value> {
        by_format(&format_of(self.date_pattern.as_ref()?)?, text)
    }
}

/// A pattern without a time gives a date.
fn by_format(format: &str, text: &str) -> Option<Value> {
    let parts = strtime::parse(format, text).ok()?;
    let moment = parts.to_datetime().ok().filter(|_| format.contains(['H', 'I']));
    let read = moment.map(|local| Value::from(DateTime { local, zone: None }));
    read.or_else(|| parts.to_date().ok().map(Value::from))
}

/// A pattern as Java's `SimpleDateFormat` has it, in the words of `strptime`; none if it holds others than those of days and times.
fn format_of(pattern: &str) -> Option<String> {
    let mut format = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(&rest[1..], &mut format)?;
            continue;
        }
        let length = rest.find(|character| character != first).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(length);
        rest = behind;
        match (first, run.len()) {
            ('y', 2) => format.push_str("%y"),
            ('y', _) => format.push_str("%Y"),
            ('M', 1 | 2) => format.push_str("%m"),
            ('M', 3) => format.push_str("%b"),
            ('M', _) => format.push_str("%B"),
            ('d', _) => format.push_str("%d"),
            ('H', _) => format.push_str("%H"),
            ('h', _) => format.push_str("%I"),
            ('m', _) => format.push_str("%M"),
            ('s', _) => format.push_str("%S"),
            ('a', _) => format.push_str("%p"),
            ('%', _) => format.push_str(&run.replace('%', "%%")),
            _ if first.is_ascii_alphabetic() => return None,
            _ => format.push_str(run),
        }
    }
    Some(format)
}

/// Takes what is meant as it stands, behind its first quote, and gives what follows it. Two quotes are one that is meant.
fn quoted<'p>(pattern: &'p str, format: &mut String) -> Option<&'p str> {
    if let Some(behind) = pattern.strip_prefix('\'') {
        format.push('\'');
        return Some(behind);
    }
    let mut rest = pattern;
    loop {
        let (text, behind) = rest.split_once('\'')?;
        format.push_str(&text.replace('%', "%%"));
        let Some(more) = behind.strip_prefix('\'') else { return Some(behind) };
        format.push('\'');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Name;

    fn field(kind: &str, pattern: Option<&str>) -> FormField {
        FormField {
            id: "f".into(),
            label: None,
            kind: kind.into(),
            default: None,
            variable: None,
            required: false,
            readable: true,
            writable: true,
            values: vec![("r".into(), "Red".into()), ("g".into(), "Green".into())],
            date_pattern: pattern.map(Name::from),
            constraints: Vec::new(),
            bounds_excluded: false,
            properties: Vec::new(),
        }
    }

    fn date(pattern: Option<&str>, text: &str) -> Result<String, String> {
        field("date", pattern).value_of(text).map(|value| value.to_string())
    }

    #[test]
    fn dates_are_read_by_their_pattern() {
        let read =
            |pattern: &str, text: &str| date(Some(pattern), text).unwrap_or_else(|help| panic!("{text}: {help}"));
        assert_eq!(read(CLASSIC_DATE, "01/02/2026"), "2026-02-01");
        assert_eq!(read(CLASSIC_DATE, "1/2/2026"), "2026-02-01");
        assert_eq!(read(CLASSIC_DATE, "2026-02-01"), "2026-02-01");
        assert_eq!(read("d.M.yy", "1.2.26"), "2026-02-01");
        assert_eq!(read("dd MMM yyyy", "01 Feb 2026"), "2026-02-01");
        assert_eq!(read("yyyy-MM-dd'T'HH:mm:ss", "2026-02-01T10:30:00"), "2026-02-01T10:30:00");
        assert_eq!(
            read("d 'of' MMMM yyyy, hh 'o''clock' a", "1 of February 2026, 10 o'clock PM"),
            "2026-02-01T22:00:00"
        );
        assert_eq!(date(None, "2026-02-01"), Ok("2026-02-01".into()));
    }

    #[test]
    fn what_is_no_date_says_what_to_write() {
        for text in ["2026", "32/02/2026", "01/02/2026 and more", "tomorrow", ""] {
            assert_eq!(date(Some(CLASSIC_DATE), text), Err("write a date as dd/MM/yyyy".into()), "{text}");
        }
        assert_eq!(date(None, "01/02/2026"), Err("write a date, e.g. 2026-11-24".into()));
        for pattern in ["qq", "EEE dd", "'open"] {
            let help = date(Some(pattern), "01/02/2026").unwrap_err();
            assert!(help.starts_with(&format!("the datePattern `{pattern}` is not read here")), "{help}");
        }
    }

    #[test]
    fn a_text_is_a_value_of_the_field_s_kind_or_none() {
        assert_eq!(field("long", None).value_of(" 5 "), Ok(Value::Integer(5)));
        assert_eq!(field("Double", None).value_of("2.5"), Ok(Value::Number(2.5)));
        assert_eq!(field("boolean", None).value_of("true"), Ok(true.into()));
        assert_eq!(field("enum", None).value_of("g"), Ok("g".into()));
        assert_eq!(field("json", None).value_of("[1]"), Ok(vec![Value::Integer(1)].into()));
        for (kind, text) in [("long", "1.5"), ("number", "NaN"), ("boolean", "maybe"), ("time", "noon"), ("json", "{")]
        {
            assert!(field(kind, None).value_of(text).is_err(), "{kind} {text}");
        }
        assert_eq!(field("enum", None).value_of("q"), Err("write one of its values: r, g".into()));
    }
}

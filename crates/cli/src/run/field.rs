//! Fields of forms: what is asked, and what counts as an answer.

use std::sync::Arc;

use potok_core::Name;
use potok_core::dialect::{FieldKind, FormField};
use potok_core::value::{DateTime, TimeOfDay, Value, parse_date};
use regex::Regex;
use serde_json::Value as Json;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    Time,
    DateTime,
    /// One of the field's values.
    Choice,
    /// Any of the field's values.
    Choices,
    /// Anything, as JSON.
    Json,
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The variable that it sets.
    pub(crate) variable: Name,
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) writable: bool,
    pub(crate) default: Default,
    /// (value, label)
    pub(crate) choices: Vec<(Value, String)>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) shortest: Option<usize>,
    pub(crate) longest: Option<usize>,
    /// The maximum and the longest are too much themselves.
    pub(crate) bounds_excluded: bool,
    /// A regular expression that a text must match.
    pub(crate) pattern: Option<String>,
}

/// What a field holds at first.
#[derive(Clone, Debug)]
pub(crate) enum Default {
    Nothing,
    Value(Value),
    /// What the model says of the field, which may be computed.
    Model(Box<FormField>),
}

impl Field {
    /// A field as the model describes it; none if it is not shown.
    pub(crate) fn from_model(field: &FormField) -> Option<Self> {
        if !field.readable && !field.writable {
            return None;
        }
        let constraint = |name: &str| {
            let found = field.constraints.iter().find(|(other, _)| &**other == name);
            found.and_then(|(_, config)| config.as_deref()).map(str::trim)
        };
        let choices: Vec<_> =
            field.values.iter().map(|(id, label)| (Value::String(id.clone()), label.to_string())).collect();
        Some(Self {
            variable: field.variable.clone().unwrap_or_else(|| field.id.clone()),
            label: field.label.as_ref().unwrap_or(&field.id).to_string(),
            kind: match field.holds() {
                FieldKind::Text => Kind::Text,
                FieldKind::Integer => Kind::Integer,
                FieldKind::Number => Kind::Number,
                FieldKind::Boolean => Kind::Boolean,
                FieldKind::Date => Kind::Date,
                FieldKind::Time => Kind::Time,
                FieldKind::DateTime => Kind::DateTime,
                FieldKind::Choice => Kind::Choice,
                FieldKind::Json => Kind::Json,
            },
            required: field.required,
            writable: field.writable,
            default: field.default.as_ref().map_or(Default::Nothing, |_| Default::Model(Box::new(field.clone()))),
            choices,
            minimum: constraint("min").and_then(|text| text.parse().ok()),
            maximum: constraint("max").and_then(|text| text.parse().ok()),
            shortest: constraint("minlength").and_then(|text| text.parse().ok()),
            longest: constraint("maxlength").and_then(|text| text.parse().ok()),
            bounds_excluded: field.bounds_excluded,
            pattern: constraint("pattern").map(str::to_owned),
        })
    }

    /// What to type, in a word or two; nothing where it is plain.
    pub(crate) fn hint(&self) -> &'static str {
        match self.kind {
            Kind::Text | Kind::Choice => "",
            Kind::Integer => "whole number",
            Kind::Number => "number",
            Kind::Boolean => "yes or no",
            Kind::Date => "date, e.g. 2026-11-24",
            Kind::Time => "time, e.g. 09:30:00",
            Kind::DateTime => "date and time, e.g. 2026-11-24T09:30:00",
            Kind::Choices => "any, with commas between",
            Kind::Json => "JSON",
        }
    }

    /// A value as it is typed for this field.
    pub(crate) fn show(&self, value: &Value) -> String {
        match (self.kind, value.plain()) {
            (Kind::Boolean, Value::Boolean(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
            (Kind::Choices, Value::List(values)) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
            _ => value.to_string(),
        }
    }

    /// The value that was typed.
    pub(crate) fn parse(&self, text: &str) -> Result<Value, String> {
        let value = match self.kind {
            Kind::Text => Value::from(text),
            Kind::Integer => {
                let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
                Value::Integer(digits.parse().map_err(|_| format!("`{text}` is no whole number"))?)
            }
            Kind::Number => number(text)?,
            Kind::Boolean => match text.to_lowercase().as_str() {
                "true" | "yes" | "y" | "1" | "да" | "д" => Value::Boolean(true),
                "false" | "no" | "n" | "0" | "нет" | "н" => Value::Boolean(false),
                _ => return Err(format!("`{text}` is neither yes nor no")),
            },
            Kind::Date => Value::Date(parse_date(&turned(text)).map_err(|error| error.to_string())?),
            Kind::Time => {
                let time: TimeOfDay = text.parse().map_err(|error: potok_core::time::TimeError| error.to_string())?;
                time.into()
            }
            Kind::DateTime => {
                let moment: DateTime = text.parse().map_err(|error: potok_core::time::TimeError| error.to_string())?;
                moment.into()
            }
            Kind::Choice => self.choice(text)?,
            Kind::Choices => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::List(Arc::new(parts.map(|part| self.choice(part)).collect::<Result<_, _>>()?))
            }
            Kind::Json => {
                let json: Json = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
                Value::from_json(json).map_err(|error| error.to_string())?
            }
        };
        self.within(value)
    }

    /// The value that a file gives.
    pub(crate) fn accept(&self, json: &Json) -> Result<Value, String> {
        match (self.kind, json) {
            (_, Json::Null) if self.required => Err("a value is required".to_owned()),
            (_, Json::Null) => Ok(Value::Null),
            (Kind::Json, json) => Value::from_json(json.clone()).map_err(|error| error.to_string()),
            (Kind::Choices, Json::Array(values)) => {
                let values: Result<Vec<_>, _> = values.iter().map(|value| self.choice(&plain(value))).collect();
                self.within(values?.into())
            }
            (Kind::Boolean, Json::Bool(value)) => Ok(Value::Boolean(*value)),
            (_, Json::Array(_) | Json::Object(_)) => Err(format!("{json} is not what this field takes")),
            (Kind::Integer | Kind::Number, Json::String(text)) => {
                Err(format!("\"{text}\" is text, not a number: write it without quotation marks"))
            }
            (_, json) => self.parse(&plain(json)),
        }
    }

    fn choice(&self, text: &str) -> Result<Value, String> {
        let is_it = |word: &str| word.to_lowercase() == text.to_lowercase();
        let found = self.choices.iter().find(|(value, label)| is_it(&value.to_string()) || is_it(label));
        let by_number = || self.choices.get(text.parse::<usize>().ok()?.checked_sub(1)?);
        match found.or_else(by_number) {
            Some((value, _)) => Ok(value.clone()),
            None => {
                let all: Vec<_> = self.choices.iter().map(|(value, _)| value.to_string()).collect();
                Err(format!("`{text}` is none of: {}", all.join(", ")))
            }
        }
    }

    /// The value, if the field takes one of its size.
    pub(super) fn within(&self, value: Value) -> Result<Value, String> {
        let size = match value {
            Value::Integer(number) => number.to_string().parse().ok(),
            Value::Number(number) => Some(number),
            _ => None,
        };
        if let (Some(size), Some(minimum)) = (size, self.minimum)
            && size < minimum
        {
            return Err(format!("must be at least {minimum}"));
        }
        if let (Some(size), Some(maximum)) = (size, self.maximum)
            && (size > maximum || (self.bounds_excluded && size >= maximum))
        {
            let at_most = if self.bounds_excluded { "less than" } else { "at most" };
            return Err(format!("must be {at_most} {maximum}"));
        }
        if let Value::String(text) = &value {
            let length = text.chars().count();
            if let Some(shortest) = self.shortest.filter(|shortest| length < *shortest) {
                return Err(format!("must be at least {shortest} characters long"));
            }
            if let Some(longest) = self.longest.filter(|longest| self.bounds_excluded && length == *longest) {
                return Err(format!("must be less than {longest} characters long"));
            }
            if let Some(longest) = self.longest.filter(|longest| length > *longest) {
                return Err(format!("must be at most {longest} characters long"));
            }
            if let Some(pattern) = &self.pattern {
                let read = Regex::new(pattern);
                let read =
                    read.map_err(|_| format!("the field's pattern `{pattern}` cannot be read: correct the form"))?;
                if !read.is_match(text) {
                    return Err(format!("`{text}` does not have the form `{pattern}`"));
                }
            }
        }
        Ok(value)
    }
}

fn number(text: &str) -> Result<Value, String> {
    let written: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    if let Ok(whole) = written.parse() {
        return Ok(Value::Integer(whole));
    }
    match written.replace(',', ".").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::Number(number)),
        _ => Err(format!("`{text}` is no number")),
    }
}

/// `24.11.2026` as `2026-11-24`.
fn turned(text: &str) -> String {
    let parts: Vec<&str> = text.trim().split('.').collect();
    match parts[..] {
        [day, month, year] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => text.trim().to_owned(),
    }
}

fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: Kind) -> Field {
        Field {
            variable: "x".into(),
            label: "X".into(),
            kind,
            required: true,
            writable: true,
            default: Default::Nothing,
            choices: vec![("sales".into(), "Отдел продаж".into()), ("it".into(), "IT-отдел".into())],
            minimum: Some(1.0),
            maximum: None,
            shortest: None,
            longest: Some(5),
            bounds_excluded: false,
            pattern: None,
        }
    }

    #[test]
    fn answers_are_typed_as_people_type() {
        assert_eq!(field(Kind::Integer).parse("12 000"), Ok(Value::Integer(12_000)));
        assert_eq!(field(Kind::Number).parse("1,5"), Ok(Value::Number(1.5)));
        assert_eq!(field(Kind::Boolean).parse("Да"), Ok(Value::Boolean(true)));
        assert_eq!(field(Kind::Date).parse("24.11.2026"), field(Kind::Date).parse("2026-11-24"));
    }

    #[test]
    fn a_choice_is_named_by_value_label_or_number() {
        for answer in ["it", "it-отдел", "2"] {
            assert_eq!(field(Kind::Choice).parse(answer), Ok("it".into()), "{answer}");
        }
        assert_eq!(field(Kind::Choice).parse("legal"), Err("`legal` is none of: sales, it".to_owned()));
        assert_eq!(field(Kind::Choices).parse("2, sales"), Ok(Value::from(vec!["it".into(), "sales".into()])));
    }

    #[test]
    fn what_is_too_small_or_too_long_is_refused() {
        assert_eq!(field(Kind::Integer).parse("0"), Err("must be at least 1".to_owned()));
        assert_eq!(field(Kind::Text).parse("123456"), Err("must be at most 5 characters long".to_owned()));
        let camunda = |kind| Field { bounds_excluded: true, maximum: Some(9.0), ..field(kind) };
        assert_eq!(camunda(Kind::Integer).parse("9"), Err("must be less than 9".to_owned()));
        assert_eq!(camunda(Kind::Integer).parse("8"), Ok(Value::Integer(8)));
        assert_eq!(camunda(Kind::Text).parse("12345"), Err("must be less than 5 characters long".to_owned()));
        let coded = Field { pattern: Some("^[A-Z]+$".to_owned()), ..field(Kind::Text) };
        assert_eq!(coded.parse("AB"), Ok("AB".into()));
        assert_eq!(coded.parse("ab"), Err("`ab` does not have the form `^[A-Z]+$`".to_owned()));
        let broken = Field { pattern: Some("(".to_owned()), ..field(Kind::Text) };
        assert!(broken.parse("ab").is_err_and(|message| message.contains("cannot be read")));
        assert!(field(Kind::Integer).accept(&Json::String("3".into())).is_err());
        assert!(field(Kind::Text).accept(&Json::Null).is_err());
    }
}

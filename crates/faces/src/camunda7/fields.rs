//! What a request says: the members of its JSON body, or what stands behind its path's question mark. Camunda 7 reads both alike:
//! null is absent, what it does not know it ignores, and numbers and booleans may be text. Its reader of JSON also takes numbers for
//! booleans and dates, leaves out what stands behind a point, and empty text for what is no text says nothing in a body.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use jiff::Timestamp;
use potok::Name;
use serde_json::{Map, Value as Json};

use super::date;
use super::error::Fault;
use super::list::List;

/// Which part of a list is asked for.
const PART: [&str; 2] = ["firstResult", "maxResults"];

/// Lists that are empty in a query string if nothing stands there. All others have one member then, which is empty.
const EMPTY_IF_EMPTY: [&str; 5] =
    ["decisionDefinitionIdIn", "jobDefinitionIdIn", "keysIn", "processDefinitionIdIn", "tenantIdIn"];

/// Parameters that whatever else than `true` switches off, however that is written: those that Camunda's REST layer reads itself.
const SWITCHES: [&str; 14] = [
    "cascade",
    "creationDateBased",
    "deserializeValue",
    "deserializeValues",
    "failIfNotExists",
    "failedJobs",
    "incidents",
    "itemCount",
    "rootIncidents",
    "skipCustomListeners",
    "skipIoMappings",
    "skipSubprocesses",
    "withLockedTasks",
    "withUnlockedTasks",
];

const DATE: &str = "a date like 2030-05-06T07:08:09.000+0000";

/// What narrows nothing by itself.
const HOW: [&str; 3] = ["includeAssignedTasks", "variableNamesIgnoreCase", "variableValuesIgnoreCase"];

/// Members by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    members: Map<String, Json>,
    /// They stand in a query string.
    in_query: bool,
}

impl Fields {
    /// Those of an object inside a body.
    pub(crate) fn of(json: &Json) -> Result<Self, Fault> {
        match json {
            Json::Object(members) => Ok(Self { members: members.clone(), in_query: false }),
            other => Err(Fault::invalid(format!("an object is expected, and there is {other}"))),
        }
    }

    /// Some of them.
    pub(crate) fn only(&self, names: &[&str]) -> Self {
        let is_one = |name: &str| names.contains(&name);
        let some = self.members.iter().filter(|(name, _)| is_one(name));
        Self { members: some.map(|(name, value)| (name.clone(), value.clone())).collect(), in_query: self.in_query }
    }

    /// All of them.
    pub(crate) fn members(&self) -> &Map<String, Json> {
        &self.members
    }

    /// Whether they stand in a query string.
    pub(crate) fn in_query(&self) -> bool {
        self.in_query
    }

    /// A member; null is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Whether a member is there, and be it null.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether a member is there that is not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether a member asks for something: it is there, and neither false nor an empty list.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| match value {
            Json::Bool(flag) => *flag,
            Json::Number(number) => number.as_i64() != Some(0),
            Json::String(text) => text != "false" && (self.in_query || !text.is_empty()),
            Json::Array(values) => !values.is_empty(),
            _ => true,
        })
    }

    /// Whether one of some texts is there, and empty.
    pub(crate) fn are_empty(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            let is_text = self.in_query || !name.ends_with("In");
            is_text && self.get(name).is_some_and(|value| value.as_str() == Some(""))
        })
    }

    /// Text, or a number or boolean as text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Name>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.as_str().into())),
            Some(value @ (Json::Number(_) | Json::Bool(_))) => Ok(Some(value.to_string().into())),
            Some(other) => Err(wrong(name, "text", other)),
        }
    }

    /// A boolean.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(Json::Number(number)) if !number.is_f64() => Ok(Some(number.as_i64() != Some(0))),
            Some(Json::String(text)) if self.in_query && SWITCHES.contains(&name) => {
                Ok(Some(text.eq_ignore_ascii_case("true")).filter(|_| !text.is_empty()))
            }
            Some(Json::String(text)) => match text.trim() {
                "true" => Ok(Some(true)),
                "false" => Ok(Some(false)),
                "True" | "TRUE" if !self.in_query => Ok(Some(true)),
                "False" | "FALSE" if !self.in_query => Ok(Some(false)),
                "" if !self.in_query => Ok(None),
                number if self.in_query && number.parse::<i64>().is_ok() => Ok(Some(number.parse() != Ok(0_i64))),
                other => Err(wrong(name, "true or false", &other.into())),
            },
            Some(other) => Err(wrong(name, "true or false", other)),
        }
    }

    /// Whether a boolean is there and true.
    pub(crate) fn is_set(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.flag(name)? == Some(true))
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Number(number)) if number.is_i64() => Ok(number.as_i64()),
            Some(Json::Number(number)) => match number.as_f64().and_then(without_fraction) {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(name, "a whole number", &Json::Number(number.clone()))),
            },
            // Only these two are numbers to Camunda's REST layer itself.
            Some(Json::String(text)) if self.in_query && PART.contains(&name) => match text.parse::<i32>() {
                Ok(number) => Ok(Some(number.into())),
                Err(_) if text.is_empty() => Ok(None),
                Err(_) => Err(Fault::no_number(name, text)),
            },
            Some(Json::String(text)) if text.is_empty() && !self.in_query => Ok(None),
            Some(Json::String(text)) => {
                let fraction = || text.parse().ok().filter(|_| self.in_query).and_then(without_fraction);
                let number = text.trim().parse().ok().or_else(fraction);
                number.map(Some).ok_or_else(|| wrong(name, "a whole number", &Json::String(text.clone())))
            }
            Some(other) => Err(wrong(name, "a whole number", other)),
        }
    }

    /// A date in Camunda's form.
    pub(crate) fn date(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        if let Some(Json::Number(number)) = self.get(name) {
            let time = number.as_i64().and_then(|number| Timestamp::from_millisecond(number).ok());
            return time.map(Some).ok_or_else(|| wrong(name, DATE, &Json::Number(number.clone())));
        }
        // What a form on a page sends of a field that is left empty.
        let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
        let read = date::parse(&text);
        read.map(Some).ok_or_else(|| wrong(name, DATE, &Json::from(&*text)))
    }

    /// Several texts: an array, or in a query string separated by commas. Nothing is among none: an empty array asks for nothing.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<Name>>, Fault> {
        Ok(self.array(name)?.filter(|values| !values.is_empty()))
    }

    /// The same, where an empty array says something of its own.
    pub(crate) fn array(&self, name: &str) -> Result<Option<Vec<Name>>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Array(values)) => {
                let text = |value: &Json| match value {
                    Json::String(text) => Ok(Name::from(&**text)),
                    Json::Number(_) | Json::Bool(_) => Ok(value.to_string().into()),
                    Json::Null => Err(Fault::failed_as("NullValueException", format!("`{name}` contains null value"))),
                    other => Err(wrong(name, "an array of text", other)),
                };
                values.iter().map(text).collect::<Result<_, _>>().map(Some)
            }
            Some(Json::String(text)) if self.in_query && text.is_empty() && EMPTY_IF_EMPTY.contains(&name) => {
                Ok(Some(Vec::new()))
            }
            Some(Json::String(text)) if self.in_query => Ok(Some(text.split(',').map(Name::from).collect())),
            Some(other) => Err(wrong(name, "an array of text", other)),
        }
    }

    /// An array of objects; an empty one if it is absent.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Self>, Fault> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(values)) => values.iter().map(Self::of).collect(),
            Some(other) => Err(wrong(name, "an array of objects", other)),
        }
    }

    /// An object; an empty one if it is absent.
    pub(crate) fn map(&self, name: &str) -> Result<Map<String, Json>, Fault> {
        match self.get(name) {
            None => Ok(Map::new()),
            Some(Json::Object(members)) => Ok(members.clone()),
            Some(other) => Err(wrong(name, "an object", other)),
        }
    }

    /// Each of them by itself, and each of several conditions on variables: what an `or` query means. What only says how the others are meant
    /// goes with all of them.
    pub(crate) fn each<L: List>(&self) -> Vec<Self> {
        let how = self.only(&HOW);
        let alone = |name: &String, value: Json| {
            let mut one = Self { in_query: false, ..how.clone() };
            one.members.insert(name.clone(), value);
            one
        };
        let mut all = Vec::new();
        let is_one = |name: &str| L::FILTERS.contains(&name) && self.asks_for(name);
        for (name, value) in self.members.iter().filter(|(name, _)| is_one(name)) {
            match value {
                Json::Array(conditions) if conditions.iter().any(Json::is_object) => {
                    all.extend(conditions.iter().map(|condition| alone(name, Json::Array(vec![condition.clone()]))));
                }
                value => all.push(alone(name, value.clone())),
            }
        }
        all
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only what stands behind the point is lost")]
fn without_fraction(number: f64) -> Option<i64> {
    (number.abs() < 9e15).then_some(number.trunc() as i64)
}

fn wrong(name: &str, expected: &str, found: &Json) -> Fault {
    Fault::invalid(format!("`{name}` must be {expected}, and is {found}"))
}

/// What stands behind the question mark.
pub(crate) struct InQuery(pub(crate) Fields);

impl<S: Send + Sync> FromRequestParts<S> for InQuery {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) = pairs.map_err(|rejection| Fault::invalid(rejection.body_text()))?;
        let members = pairs.into_iter().map(|(name, value)| (name, Json::String(value))).collect();
        Ok(Self(Fields { members, in_query: true }))
    }
}

/// A JSON body; an empty one says nothing.
pub(crate) struct InBody(pub(crate) Fields);

impl<S: Send + Sync> FromRequest<S> for InBody {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| Fault::invalid(rejection.body_text()))?;
        match kind.as_deref() {
            Some("application/json") => {}
            None if bytes.is_empty() => {}
            _ => return Err(Fault::wrong_media_type()),
        }
        if bytes.is_empty() {
            return Ok(Self(Fields::default()));
        }
        match serde_json::from_slice(&bytes) {
            Ok(json) => Ok(Self(Fields::of(&json)?)),
            Err(error) => Err(Fault::invalid(format!("the body is no JSON: {error}"))),
        }
    }
}

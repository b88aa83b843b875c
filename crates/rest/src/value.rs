//! What stands in bodies and paths: ids as decimal text, variables as plain JSON.

use std::fmt;
use std::str::FromStr;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use potok::Name;
use potok_core::instance::Key;
use potok_core::step::Variables as Given;
use potok_core::value::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use crate::body::Json;

/// An id: a decimal number of up to 20 digits, as text, because JavaScript's numbers are too small for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]{1,20}$", examples("7241980518400001"))]
pub(crate) struct Id(pub(crate) u64);

impl Id {
    pub(crate) fn key(self) -> Key {
        Key(self.0)
    }

    pub(crate) fn into<T: From<Key>>(self) -> T {
        self.key().into()
    }
}

impl<T: Into<Key>> From<T> for Id {
    fn from(key: T) -> Self {
        Self(key.into().0)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        let id = text.parse().ok().filter(|_| is_decimal).map(Self);
        id.ok_or_else(|| de::Error::custom("an id is a decimal number as text, e.g. \"7241980518400001\""))
    }
}

/// Variables by name, as plain JSON. Dates, times and durations are ISO 8601 text, bytes are base64 text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
pub(crate) struct Variables(serde_json::Map<String, serde_json::Value>);

impl From<&[(Name, Value)]> for Variables {
    fn from(variables: &[(Name, Value)]) -> Self {
        Self(variables.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect())
    }
}

impl From<Given> for Variables {
    fn from(variables: Given) -> Self {
        Self::from(variables.as_slice())
    }
}

impl potok::IntoVariables for Variables {
    fn into_variables(self) -> Result<Given, potok::Error> {
        serde_json::Value::Object(self.0).into_variables()
    }
}

/// Names of several things, for the engine.
pub(crate) fn names(texts: Vec<String>) -> Vec<Name> {
    texts.into_iter().map(Name::from).collect()
}

/// Text for JSON, where there is any.
pub(crate) fn text(name: Option<&Name>) -> Option<String> {
    name.map(Name::to_string)
}

/// Words of the API for the codes of the engine, both ways.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident for $of:ty { $($(#[$about:meta])* $variant:ident,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
            #[serde(rename_all = "kebab-case")]
            pub(crate) enum $name { $($(#[$about])* $variant,)+ }

            impl From<$of> for $name {
                fn from(code: $of) -> Self {
                    match code { $(<$of>::$variant => Self::$variant,)+ }
                }
            }

            impl From<$name> for $of {
                fn from(word: $name) -> Self {
                    match word { $($name::$variant => Self::$variant,)+ }
                }
            }
        )+
    };
}
pub(crate) use words;

/// Which variables of a task.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Local {
    /// Only those that are the task's own.
    pub(crate) local: bool,
}

/// Something new.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Created {
    /// Its id.
    pub(crate) id: Id,
    /// Under which path it is.
    #[serde(skip)]
    pub(crate) place: &'static str,
}

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        let location = format!("/api/v1/{}/{}", self.place, self.id);
        (StatusCode::CREATED, [(header::LOCATION, location)], Json(self)).into_response()
    }
}

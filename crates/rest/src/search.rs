//! Searching: what all `POST .../search` have in common.

use std::collections::BTreeMap;

use potok::query::{Comparison, Cursor, Paging, VariableFilter, VariableValue};
use potok::row::DefinitionKind;
use potok::{Engine, Page, Search as Searched, Selector};
use potok_core::instance::Key;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::body::Object;
use crate::problem::Problem;

/// What is searched for, in which order, and which page of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(bound(deserialize = "F: Deserialize<'de>, S: Deserialize<'de>"))]
pub(crate) struct Search<F, S> {
    /// What must hold; everything is found without it.
    #[serde(default, deserialize_with = "object")]
    #[schema(inline)]
    pub(crate) filter: Option<F>,
    /// The order; by age unless this is set.
    #[schema(inline)]
    pub(crate) sort_by: Option<S>,
    /// The last first.
    #[serde(default)]
    pub(crate) descending: bool,
    /// How many are on a page at most.
    #[serde(default = "hundred")]
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: usize,
    /// `next` of the page before.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
    /// Only says how many there are, on all pages.
    #[serde(default)]
    pub(crate) count_only: bool,
    /// Variables of the process that come along, by name: with instances and tasks.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) include_variables: Vec<String>,
}

fn object<'de, F: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<F>, D::Error> {
    Ok(Option::<Object<F>>::deserialize(deserializer)?.map(|Object(filter)| filter))
}

/// A list in a filter. One that is empty is refused: whoever has nothing to look for would be given everything.
pub(crate) fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    checked(Vec::deserialize(deserializer)?)
}

/// The same where null stands for what is left out.
pub(crate) fn some_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Option::deserialize(deserializer)?.map(checked).transpose()
}

fn checked<T, E: Error>(list: Vec<T>) -> Result<Vec<T>, E> {
    if list.is_empty() {
        Err(E::custom("an empty list names nothing; give at least one, or leave it out"))
    } else {
        Ok(list)
    }
}

/// The definition that a filter means, if it names one: of that tenant; without one, or by its id, as in a path.
pub(crate) async fn meant(
    engine: &Engine,
    selector: Option<&str>,
    tenant: Option<&str>,
) -> Result<Option<Key>, potok::Error> {
    let Some(selector) = selector else { return Ok(None) };
    let selector: Selector = selector.parse().unwrap_or_else(|never| match never {});
    let found = engine.definition(DefinitionKind::Process, tenant.unwrap_or_default(), &selector).await?;
    Ok(Some(found.key))
}

fn hundred() -> usize {
    100
}

/// Sorted by age, and by nothing else.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ByAge {
    /// By age.
    Created,
}

/// A page of what was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found<T> {
    /// What is on the page.
    pub(crate) items: Vec<T>,
    /// The `cursor` of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many there are on all pages, if only that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

impl<F, S> Search<F, S> {
    /// Which page.
    pub(crate) fn paging(&self) -> Result<Paging, Problem> {
        if !(1..=1000).contains(&self.limit) {
            return Err(Problem::malformed("body-invalid", "`limit`: a page has 1 to 1000 entries"));
        }
        let after = self.cursor.as_deref().map(str::parse::<Cursor>).transpose().map_err(potok::Error::from)?;
        Ok(Paging { descending: self.descending, after, limit: Some(self.limit) })
    }

    /// Refuses variables where there are none.
    pub(crate) fn without_variables(self) -> Result<Self, Problem> {
        if self.include_variables.is_empty() {
            return Ok(self);
        }
        Err(Problem::malformed(
            "body-invalid",
            "`includeVariables`: variables come along only with instances and tasks",
        ))
    }
}

/// What the engine finds, as the API shows it.
pub(crate) async fn find<Q: Searched, T>(
    engine: &Engine,
    query: &Q,
    count_only: bool,
    view: impl Fn(Q::Row) -> T,
) -> Result<Found<T>, Problem> {
    if count_only {
        let total = engine.count(query).await?;
        return Ok(Found { items: Vec::new(), next: None, total: Some(total) });
    }
    Ok(Found::page(engine.search(query).await?, view))
}

impl<T> Found<T> {
    /// Only how many there are.
    pub(crate) fn count(total: u64) -> Self {
        Self { items: Vec::new(), next: None, total: Some(total) }
    }

    /// A page, as the API shows it.
    pub(crate) fn page<R>(page: Page<R>, view: impl Fn(R) -> T) -> Self {
        let next = page.next.map(|cursor| cursor.to_string());
        Self { items: page.rows.into_iter().map(view).collect(), next, total: None }
    }
}

/// Variables that are searched by: each name with a value that the variable has, or with comparisons that all hold.
pub(crate) type VariableFilters = BTreeMap<String, Condition>;

/// What must hold of a variable.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Condition {
    /// It has this value.
    Equal(Scalar),
    /// All of these hold.
    Compared(Comparisons),
}

/// A value that can be searched by.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Scalar {
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// Text, also a date, time or duration in ISO 8601.
    Text(String),
}

/// Comparisons; a value of another kind is neither less nor greater.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Comparisons {
    /// It has this value.
    eq: Option<Scalar>,
    /// It is there and has another value.
    neq: Option<Scalar>,
    /// It is less.
    lt: Option<Scalar>,
    /// It is less or the same.
    lte: Option<Scalar>,
    /// It is greater.
    gt: Option<Scalar>,
    /// It is greater or the same.
    gte: Option<Scalar>,
    /// It is text like this: `%` stands for any text, `_` for one character, `\` takes the next one literally.
    like: Option<String>,
    /// It is one of these.
    #[serde(rename = "in")]
    within: Option<Vec<Scalar>>,
    /// It is there and null.
    #[serde(default)]
    null: bool,
}

impl From<Scalar> for VariableValue {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Boolean(value) => Self::Boolean(value),
            Scalar::Number(value) => Self::Number(value),
            Scalar::Text(value) => Self::Text(value.into()),
        }
    }
}

/// The filters for the engine.
pub(crate) fn variables(filters: VariableFilters) -> Vec<VariableFilter> {
    let of_one = |(name, condition): (String, Condition)| {
        let comparisons = match condition {
            Condition::Equal(value) => vec![Comparison::Equal(value.into())],
            Condition::Compared(all) => {
                let with = |value: Option<Scalar>, comparison: fn(VariableValue) -> Comparison| {
                    value.map(|value| comparison(value.into()))
                };
                [
                    with(all.eq, Comparison::Equal),
                    with(all.neq, Comparison::NotEqual),
                    with(all.lt, Comparison::Less),
                    with(all.lte, Comparison::LessOrEqual),
                    with(all.gt, Comparison::Greater),
                    with(all.gte, Comparison::GreaterOrEqual),
                    all.like.map(Comparison::Like),
                    all.within.map(|values| Comparison::In(values.into_iter().map(Into::into).collect())),
                    all.null.then_some(Comparison::Equal(VariableValue::Null)),
                ]
                .into_iter()
                .flatten()
                .collect()
            }
        };
        comparisons.into_iter().map(move |comparison| VariableFilter { name: name.as_str().into(), comparison })
    };
    filters.into_iter().flat_map(of_one).collect()
}

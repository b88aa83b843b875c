//! Lists: asked for by a query string or a body, counted likewise, sorted, and given in parts. What all of them have in common.

use std::future::Future;

use axum::Router;
use axum::routing::get;
use potok::Engine;
use potok::query::{Cursor, Paging};
use serde_json::Value as Json;

use super::answer::{self, Answer, Order, json as answer};
use super::condition::Conditions;
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use crate::acting::Acting;

/// A resource of which there is a list.
pub(crate) trait List: Send + Sync + 'static {
    /// Under which path it stands.
    const PATH: &'static str;
    /// Whether it can be asked for by a body, too.
    const BY_BODY: bool = true;
    /// By what it can be narrowed, where it can be asked for alternatives: what is none of these is no alternative.
    const FILTERS: &'static [&'static str] = &[];
    /// By which of Camunda's filters it cannot be narrowed: asked for one of them it refuses, for without it there would be more.
    const NOT_OFFERED: &'static [&'static str] = &[];
    /// Filters by what there never is here, such as cases: nothing is found by them.
    const NEVER: &'static [&'static str] = &[];
    /// Flags that narrow nothing by themselves: what is none is refused all the same.
    const FLAGS: &'static [&'static str] = &[];
    /// What it can be sorted by.
    const SORTED_BY: &'static [&'static str];
    /// What else a body may sort it by, naming a variable.
    const SORTED_BY_VARIABLE: &'static [&'static str] = &[];
    /// What is found.
    type Row: Send + Sync;

    /// What is asked for, in its order; what comes after the first [`Asked::until`] may be left out.
    fn find(engine: &Engine, asked: &Asked<'_>) -> impl Future<Output = Result<Vec<Self::Row>, Fault>> + Send;

    /// Some of it as Camunda shows it.
    fn shown(
        engine: &Engine,
        rows: Vec<Self::Row>,
        fields: &Fields,
    ) -> impl Future<Output = Result<Vec<Json>, Fault>> + Send;

    /// How much of it there is.
    fn count(engine: &Engine, asked: &Asked<'_>) -> impl Future<Output = Result<u64, Fault>> + Send {
        async { Ok(Self::find(engine, asked).await?.len() as u64) }
    }
}

/// What is asked of a list.
pub(crate) struct Asked<'a> {
    /// Which filters hold.
    pub(crate) fields: &'a Fields,
    /// How it is sorted.
    pub(crate) order: Order,
    /// How much of it is looked at.
    pub(crate) until: usize,
}

impl<'a> Asked<'a> {
    /// All that fields ask of a list.
    pub(crate) fn all<L: List>(fields: &'a Fields) -> Result<Self, Fault> {
        for part in fields.objects("orQueries")?.iter().chain([fields]) {
            if let Some(name) = L::NOT_OFFERED.iter().find(|name| part.asks_for(name)) {
                return Err(Fault::not_offered(&format!("narrowing {} by `{name}`", L::PATH)));
            }
            check_what_never_is::<L>(part)?;
            for name in L::FLAGS {
                part.flag(name)?;
            }
        }
        Ok(Self { fields, order: answer::order(fields, L::SORTED_BY, L::SORTED_BY_VARIABLE)?, until: usize::MAX })
    }
}

/// Whether fields ask for what there never is, and be it by empty text.
pub(crate) fn is_never<L: List>(fields: &Fields) -> bool {
    L::NEVER.iter().any(|name| fields.asks_for(name) || fields.are_empty(&[name]))
}

/// Refuses what cannot be asked, even of what there never is.
fn check_what_never_is<L: List>(fields: &Fields) -> Result<(), Fault> {
    for name in L::NEVER {
        if name.ends_with("Variables") {
            Conditions::of_task(fields, name)?;
        } else if name.ends_with("In") {
            fields.array(name)?;
        } else {
            fields.text(name)?;
        }
    }
    Ok(())
}

/// What is asked for, in its order.
pub(crate) async fn find<L: List>(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<L::Row>, Fault> {
    if is_never::<L>(asked.fields) { Ok(Vec::new()) } else { L::find(engine, asked).await }
}

/// How much of it there is.
pub(crate) async fn count<L: List>(engine: &Engine, asked: &Asked<'_>) -> Result<u64, Fault> {
    if is_never::<L>(asked.fields) { Ok(0) } else { L::count(engine, asked).await }
}

/// Rows of a page.
const PAGE: usize = 1000;

/// The pages of a search, until as much has been found as is looked at.
pub(crate) struct Pages {
    until: usize,
    descending: bool,
    /// Where the next one begins; nothing after the last.
    next: Option<Option<Cursor>>,
}

impl Pages {
    pub(crate) fn new(until: usize, descending: bool) -> Self {
        Self { until, descending, next: Some(None) }
    }

    /// The next page, if there is one and not enough has been found.
    pub(crate) fn next(&mut self, found: usize) -> Option<Paging> {
        let left = self.until.checked_sub(found).filter(|left| *left > 0)?;
        let after = self.next.take()?;
        Some(Paging { descending: self.descending, after, limit: Some(left.min(PAGE)) })
    }

    /// Where the page after the last one begins.
    pub(crate) fn turn(&mut self, next: Option<Cursor>) {
        self.next = next.map(Some);
    }
}

/// All that fields ask of a list, for what is done to each.
pub(crate) async fn all<L: List>(engine: &Engine, fields: &Fields) -> Result<Vec<L::Row>, Fault> {
    find::<L>(engine, &Asked::all::<L>(fields)?).await
}

/// The routes of a list.
pub(crate) fn routes<L: List>() -> Router<Engine> {
    let (mut list, mut count) = (get(by_query::<L>), get(count_by_query::<L>));
    if L::BY_BODY {
        (list, count) = (list.post(by_body::<L>), count.post(count_by_body::<L>));
    }
    Router::new().route(L::PATH, list).route(&format!("{}/count", L::PATH), count)
}

/// A part of a list.
pub(crate) async fn listed<L: List>(engine: &Engine, part: &Fields, fields: &Fields) -> Answer {
    let number = |name| Ok::<_, Fault>(part.number(name)?.map(|number| usize::try_from(number).unwrap_or(0)));
    let (first, most) = (number("firstResult")?.unwrap_or(0), number("maxResults")?.unwrap_or(usize::MAX));
    let asked = Asked { until: first.saturating_add(most), ..Asked::all::<L>(fields)? };
    let rows = find::<L>(engine, &asked).await?.into_iter().skip(first).take(most).collect();
    Ok(answer(&Json::Array(L::shown(engine, rows, fields).await?)))
}

/// How much of a list there is.
pub(crate) async fn counted<L: List>(engine: &Engine, fields: &Fields) -> Answer {
    Ok(answer::count(count::<L>(engine, &Asked::all::<L>(fields)?).await?))
}

async fn by_query<L: List>(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    listed::<L>(&engine, &fields, &fields).await
}

async fn by_body<L: List>(Acting(engine): Acting, InQuery(part): InQuery, InBody(fields): InBody) -> Answer {
    listed::<L>(&engine, &part, &fields).await
}

async fn count_by_query<L: List>(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    counted::<L>(&engine, &fields).await
}

async fn count_by_body<L: List>(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    counted::<L>(&engine, &fields).await
}

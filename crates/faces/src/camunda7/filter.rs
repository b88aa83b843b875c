//! `/filter`: searches that people keep; of tasks, as in Camunda.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use jiff::Timestamp;
use potok::row::SavedSearch;
use potok::{Engine, Error, Name, Value};
use potok_core::instance::Key;
use serde_json::{Map, Value as Json, json};

use super::answer::{self, Answer, json as answer, nothing};
use super::condition::{is, like};
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::link::Here;
use super::list::{self, Asked, List};
use super::task::Tasks;
use super::{expression, id, value};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Kept>())
        .route("/filter", axum::routing::options(options))
        .route("/filter/create", post(create))
        .route("/filter/{id}", get(one).put(change).delete(remove).options(options_of_one))
        .route("/filter/{id}/list", get(found).post(found_by_body))
        .route("/filter/{id}/count", get(count).post(count_by_body))
        .route("/filter/{id}/singleResult", get(single).post(single_by_body))
}

/// Only tasks are searched for so.
const TASK: &str = "Task";

/// What a query always has when it is shown.
const LISTS: [&str; 4] = ["taskVariables", "processVariables", "caseInstanceVariables", "orQueries"];

fn object(text: &str) -> Map<String, Json> {
    serde_json::from_str(text).unwrap_or_default()
}

fn shown(search: &SavedSearch) -> Json {
    let mut query = object(&search.query);
    let own = query.get_mut("orQueries").and_then(Json::as_array_mut);
    for part in own.into_iter().flatten().filter_map(Json::as_object_mut) {
        for name in LISTS.into_iter().filter(|name| *name != "orQueries") {
            part.entry(name).or_insert_with(|| json!([]));
        }
    }
    for name in LISTS {
        query.entry(name).or_insert_with(|| json!([]));
    }
    json!({
        "id": id::id(search.key),
        "resourceType": &*search.resource,
        "name": &*search.name,
        "owner": search.owner.as_deref(),
        "query": query,
        "properties": object(&search.properties),
    })
}

/// How members end that stand for others and are computed when a search is made.
const COMPUTED: &str = "Expression";

/// Who makes a search: what expressions in it mean.
struct Asker(Vec<(Name, Value)>);

impl Asker {
    async fn of(engine: &Engine) -> Result<Self, Fault> {
        let Some(user) = engine.user().cloned() else { return Ok(Self(Vec::new())) };
        let groups = engine.people().groups_of(user.clone()).await?;
        Ok(Self::new(user, groups))
    }

    fn new(user: Name, groups: Vec<Name>) -> Self {
        let groups: Vec<Value> = groups.into_iter().map(Value::String).collect();
        Self(vec![(USER.into(), Value::String(user)), (GROUPS.into(), groups.into())])
    }

    /// A search with its expressions computed: they go before what stands there plainly.
    fn computed(&self, query: &Map<String, Json>) -> Result<Map<String, Json>, Fault> {
        let mut plain = query.clone();
        for (name, value) in query {
            match (name.strip_suffix(COMPUTED), value) {
                (Some(of), Json::String(text)) => {
                    plain.remove(name);
                    plain.insert(of.to_owned(), self.value(name, text)?);
                }
                (None, Json::Array(parts)) if name == "orQueries" => {
                    let parts = parts.iter().map(|part| match part {
                        Json::Object(part) => self.computed(part).map(Json::Object),
                        other => Ok(other.clone()),
                    });
                    plain.insert(name.clone(), Json::Array(parts.collect::<Result<_, Fault>>()?));
                }
                _ => {}
            }
        }
        Ok(plain)
    }

    fn value(&self, name: &str, text: &str) -> Result<Json, Fault> {
        let failed = |why: &str| Fault::failed(format!("`{name}`: {why}"));
        // Only who asks is known by functions; there are no variables.
        let text = text.replace(&format!("{GROUPS}()"), GROUPS).replace(&format!("{USER}()"), USER);
        let value = match expression::is_computed(&text) {
            true => expression::evaluate(&text, &self.0, Timestamp::now()).map_err(|why| failed(&why))?,
            false => text.as_str().into(),
        };
        match value {
            Value::Null => Err(failed("it gives nothing")),
            Value::List(_) => Ok(value.to_json()),
            value => Ok(value::write(&value, true)["value"].clone()),
        }
    }
}

/// What expressions in searches know of who asks.
const USER: &str = "currentUser";
const GROUPS: &str = "currentUserGroups";

/// Whether there are expressions in a search.
fn is_computed(query: &Map<String, Json>) -> bool {
    query.iter().any(|(name, value)| match value {
        Json::Array(parts) => parts.iter().any(|part| part.as_object().is_some_and(is_computed)),
        value => name.ends_with(COMPUTED) && !value.is_null(),
    })
}

/// What a body says of a search. What it asks is tried before it is kept, but for expressions, which mean something only to who asks.
async fn of_body(engine: &Engine, key: Key, fields: &Fields) -> Result<SavedSearch, Fault> {
    let resource = fields.text("resourceType")?;
    if resource.as_deref() != Some(TASK) {
        let given = resource.as_deref().unwrap_or("null");
        return Err(Fault::invalid(format!("Unable to create filter with invalid resource type '{given}'")));
    }
    let name = fields.text("name")?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Fault::invalid("a filter needs a name"))?;
    let query: Map<String, Json> = fields.map("query")?.into_iter().filter(|(_, value)| !value.is_null()).collect();
    if !is_computed(&query) {
        let asked = Fields::of(&Json::Object(query.clone()))?;
        list::count::<Tasks>(engine, &Asked::all::<Tasks>(&asked)?).await?;
    }
    Ok(SavedSearch {
        key,
        resource: TASK.into(),
        name,
        owner: fields.text("owner")?,
        query: Json::Object(query).to_string().into(),
        properties: Json::Object(fields.map("properties")?).to_string().into(),
        ..SavedSearch::default()
    })
}

/// What is kept here; other searches have words of their own.
async fn kept(engine: &Engine) -> Result<Vec<SavedSearch>, Error> {
    let mut kept = engine.saved_searches().await?;
    kept.retain(|search| &*search.resource == TASK);
    Ok(kept)
}

async fn find(engine: &Engine, text: &str) -> Result<Option<SavedSearch>, Fault> {
    let Some(key) = id::parse::<Key>(text) else { return Ok(None) };
    match engine.saved_search(key).await {
        Ok(search) => Ok(Some(search).filter(|search| &*search.resource == TASK)),
        Err(Error::UnknownSearch(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn absent(text: &str) -> String {
    format!("Filter with id '{text}' does not exist.")
}

/// For what is done with it.
async fn needed(engine: &Engine, text: &str) -> Result<SavedSearch, Fault> {
    find(engine, text).await?.ok_or_else(|| Fault::missing_in_engine(absent(text)))
}

async fn create(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let kept = engine.save_search(of_body(&engine, Key::default(), &fields).await?).await?;
    let mut body = shown(&kept);
    if !fields.has("properties") {
        body["properties"] = Json::Null;
    }
    Ok(answer(&body))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let search = find(&engine, &text).await?.ok_or_else(|| Fault::missing(absent(&text)))?;
    Ok(answer(&counted(&engine, &search, &fields).await?))
}

async fn change(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let standing = needed(&engine, &text).await?;
    engine.save_search(of_body(&engine, standing.key, &fields).await?).await?;
    Ok(nothing())
}

async fn remove(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    engine.forget_search(needed(&engine, &text).await?.key).await?;
    Ok(nothing())
}

/// A search, with how much it finds if that is asked for.
async fn counted(engine: &Engine, search: &SavedSearch, fields: &Fields) -> Result<Json, Fault> {
    let mut body = shown(search);
    if fields.is_set("itemCount")? {
        let asked = Fields::of(&Json::Object(Asker::of(engine).await?.computed(&object(&search.query))?))?;
        body["itemCount"] = list::count::<Tasks>(engine, &Asked::all::<Tasks>(&asked)?).await?.into();
    }
    Ok(body)
}

/// What is asked by a search, and by who asks it: what both say the latter says, but that lists of conditions are joined.
async fn extended(engine: &Engine, text: &str, more: &Fields) -> Result<Fields, Fault> {
    let mut query = object(&needed(engine, text).await?.query);
    if is_computed(more.members()) {
        let message = "Expressions are forbidden in adhoc queries: keep them in the filter";
        return Err(Fault::bad_request_of("BadUserRequestException", message));
    }
    for (name, value) in more.members() {
        match (query.get_mut(name), value) {
            (_, Json::Null) => {}
            (Some(Json::Array(own)), Json::Array(more)) if LISTS.contains(&&**name) => own.extend(more.iter().cloned()),
            _ => {
                query.insert(name.clone(), value.clone());
            }
        }
    }
    Fields::of(&Json::Object(Asker::of(engine).await?.computed(&query)?))
}

async fn listed(engine: &Engine, text: &str, part: &Fields, more: &Fields) -> Answer {
    list::listed::<Tasks>(engine, part, &extended(engine, text, more).await?).await
}

async fn found(Acting(engine): Acting, Path(text): Path<String>, InQuery(part): InQuery) -> Answer {
    listed(&engine, &text, &part, &Fields::default()).await
}

async fn found_by_body(
    Acting(engine): Acting,
    Path(text): Path<String>,
    InQuery(part): InQuery,
    InBody(more): InBody,
) -> Answer {
    listed(&engine, &text, &part, &more).await
}

async fn count(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    list::counted::<Tasks>(&engine, &extended(&engine, &text, &Fields::default()).await?).await
}

async fn count_by_body(Acting(engine): Acting, Path(text): Path<String>, InBody(more): InBody) -> Answer {
    list::counted::<Tasks>(&engine, &extended(&engine, &text, &more).await?).await
}

/// The only task that is found.
async fn alone(engine: &Engine, text: &str, more: &Fields) -> Answer {
    let fields = extended(engine, text, more).await?;
    let asked = Asked { until: 2, ..Asked::all::<Tasks>(&fields)? };
    let mut rows = list::find::<Tasks>(engine, &asked).await?;
    match (rows.pop(), rows.len()) {
        (None, _) => Ok(nothing()),
        (Some(task), 0) => Ok(answer(&Tasks::shown(engine, vec![task], &fields).await?.pop().unwrap_or_default())),
        _ => Err(Fault::bad_request_of("InvalidRequestException", "Filter contains more than one result")),
    }
}

async fn single(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    alone(&engine, &text, &Fields::default()).await
}

async fn single_by_body(Acting(engine): Acting, Path(text): Path<String>, InBody(more): InBody) -> Answer {
    alone(&engine, &text, &more).await
}

async fn options(here: Here) -> Answer {
    let links = [("GET", "/filter", "list"), ("GET", "/filter/count", "count"), ("POST", "/filter/create", "create")];
    Ok(answer(&here.links(&links)))
}

async fn options_of_one(here: Here, Path(text): Path<String>) -> Answer {
    let own = format!("/filter/{text}");
    let (single, listed, counted) = (format!("{own}/singleResult"), format!("{own}/list"), format!("{own}/count"));
    Ok(answer(&here.links(&[
        ("GET", &own, "self"),
        ("GET", &single, "singleResult"),
        ("POST", &single, "singleResult"),
        ("GET", &listed, "list"),
        ("POST", &listed, "list"),
        ("GET", &counted, "count"),
        ("POST", &counted, "count"),
        ("DELETE", &own, "delete"),
        ("PUT", &own, "update"),
    ])))
}

/// The list of searches that are kept.
struct Kept;

impl List for Kept {
    const PATH: &'static str = "/filter";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &["filterId", "resourceType", "name", "owner"];
    type Row = SavedSearch;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<SavedSearch>, Fault> {
        let Asked { fields, order, .. } = asked;
        let mut rows = kept(engine).await?;
        let (own, resource) = (fields.text("filterId")?, fields.text("resourceType")?);
        let (name, pattern, owner) = (fields.text("name")?, fields.text("nameLike")?, fields.text("owner")?);
        rows.retain(|row| {
            own.as_deref().is_none_or(|own| id::id(row.key) == own)
                && is(resource.as_ref(), Some(&row.resource))
                && is(name.as_ref(), Some(&row.name))
                && is(owner.as_ref(), row.owner.as_deref())
                && pattern.as_ref().is_none_or(|pattern| like(pattern, &row.name))
        });
        answer::sort(&mut rows, order, |by, left, right| match by {
            "name" => left.name.cmp(&right.name),
            "owner" => left.owner.cmp(&right.owner),
            "resourceType" => left.resource.cmp(&right.resource),
            _ => left.key.cmp(&right.key),
        });
        Ok(rows)
    }

    async fn shown(engine: &Engine, rows: Vec<SavedSearch>, fields: &Fields) -> Result<Vec<Json>, Fault> {
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(counted(engine, row, fields).await?);
        }
        Ok(all)
    }
}

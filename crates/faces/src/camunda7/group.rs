//! `/group`: people who may claim the same tasks.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post, put};
use potok::query::GroupQuery;
use potok::row::Group;
use potok::{Engine, Name};
use serde_json::{Value as Json, json};

use super::answer::{self, Answer, json as answer, nothing};
use super::condition::{is, like};
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::link::Here;
use super::list::{self, Asked, List};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Groups>())
        .route("/group", axum::routing::options(options))
        .route("/group/create", post(create))
        .route("/group/{id}", get(one).put(change).delete(remove).options(options_of_one))
        .route("/group/{id}/members", axum::routing::options(options_of_members))
        .route("/group/{id}/members/{user}", put(add_member).delete(remove_member))
}

fn shown(group: &Group) -> Json {
    json!({"id": &*group.id, "name": group.name.as_deref(), "type": group.kind.as_deref()})
}

fn of_body(id: Name, fields: &Fields) -> Result<Group, Fault> {
    Ok(Group { id, name: fields.text("name")?, kind: fields.text("type")? })
}

async fn found(engine: &Engine, id: &str) -> Result<Group, Fault> {
    let group = engine.people().group(id).await?;
    group.ok_or_else(|| Fault::missing(format!("Group with id {id} does not exist")))
}

async fn create(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let id = fields.text("id")?.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Fault::failed_as("NullValueException", "groupId is null"))?;
    if engine.people().group(id.clone()).await?.is_some() {
        return Err(Fault::bad_request_of("BadUserRequestException", "The group already exists"));
    }
    engine.people().put_group(of_body(id, &fields)?).await?;
    Ok(nothing())
}

async fn one(Acting(engine): Acting, Path(id): Path<String>) -> Answer {
    Ok(answer(&shown(&found(&engine, &id).await?)))
}

async fn change(Acting(engine): Acting, Path(id): Path<String>, InBody(fields): InBody) -> Answer {
    let group = found(&engine, &id).await?;
    engine.people().put_group(of_body(group.id, &fields)?).await?;
    Ok(nothing())
}

async fn remove(Acting(engine): Acting, Path(id): Path<String>) -> Answer {
    engine.people().remove_group(id).await?;
    Ok(nothing())
}

async fn add_member(Acting(engine): Acting, Path((group, user)): Path<(String, String)>) -> Answer {
    let people = engine.people();
    let missing = |what: &str, id: &str| {
        Fault::failed_as("NullValueException", format!("No {what} found with id '{id}'.: {what} is null"))
    };
    if people.user(user.as_str()).await?.is_none() {
        return Err(missing("user", &user));
    }
    if people.group(group.as_str()).await?.is_none() {
        return Err(missing("group", &group));
    }
    if people.groups_of(user.as_str()).await?.iter().any(|own| **own == *group) {
        let message = format!("user '{user}' is a member of group '{group}' already");
        return Err(Fault::failed_as("ProcessEnginePersistenceException", message));
    }
    people.add_member(group, user).await?;
    Ok(nothing())
}

async fn remove_member(Acting(engine): Acting, Path((group, user)): Path<(String, String)>) -> Answer {
    engine.people().remove_member(group, user).await?;
    Ok(nothing())
}

async fn options(here: Here) -> Answer {
    let links = [("GET", "/group", "list"), ("GET", "/group/count", "count"), ("POST", "/group/create", "create")];
    Ok(answer(&here.links(&links)))
}

async fn options_of_one(here: Here, Path(id): Path<String>) -> Answer {
    let own = format!("/group/{id}");
    Ok(answer(&here.links(&[("GET", &own, "self"), ("DELETE", &own, "delete"), ("PUT", &own, "update")])))
}

async fn options_of_members(here: Here, Path(id): Path<String>) -> Answer {
    let own = format!("/group/{id}/members");
    Ok(answer(&here.links(&[("DELETE", &own, "delete"), ("PUT", &own, "create")])))
}

/// The list of groups.
struct Groups;

impl List for Groups {
    const PATH: &'static str = "/group";
    const SORTED_BY: &'static [&'static str] = &["id", "name", "type"];
    type Row = Group;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Group>, Fault> {
        let Asked { fields, order, .. } = asked;
        let mut ids = fields.list("idIn")?.unwrap_or_default();
        ids.extend(fields.text("id")?);
        let (member, tenant) = (fields.text("member")?, fields.text("memberOfTenant")?);
        let query = GroupQuery { ids, member, tenant, ..GroupQuery::default() };
        let mut rows = engine.people().groups(&query).await?.rows;
        let (name, pattern, kind) = (fields.text("name")?, fields.text("nameLike")?, fields.text("type")?);
        rows.retain(|row| {
            is(name.as_ref(), row.name.as_deref())
                && is(kind.as_ref(), row.kind.as_deref())
                && pattern.as_ref().is_none_or(|pattern| row.name.as_ref().is_some_and(|own| like(pattern, own)))
        });
        answer::sort(&mut rows, order, |by, left, right| match by {
            "name" => left.name.cmp(&right.name),
            "type" => left.kind.cmp(&right.kind),
            _ => left.id.cmp(&right.id),
        });
        Ok(rows)
    }

    async fn shown(_: &Engine, rows: Vec<Group>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.iter().map(shown).collect())
    }
}

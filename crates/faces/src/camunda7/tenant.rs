//! `/tenant`: what tenants are called, and who is in them: users, and groups with all their members.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post, put};
use potok::query::{GroupQuery, UserQuery};
use potok::row::Tenant;
use potok::{Engine, Error};
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
        .merge(list::routes::<Tenants>())
        .route("/tenant", axum::routing::options(options))
        .route("/tenant/create", post(create))
        .route("/tenant/{id}", get(one).put(change).delete(remove).options(options_of_one))
        .route("/tenant/{id}/user-members", axum::routing::options(options_of_users))
        .route("/tenant/{id}/user-members/{user}", put(add_user).delete(remove_user))
        .route("/tenant/{id}/group-members", axum::routing::options(options_of_groups))
        .route("/tenant/{id}/group-members/{group}", put(add_group).delete(remove_group))
}

fn shown(tenant: &Tenant) -> Json {
    json!({"id": &*tenant.id, "name": tenant.name.as_deref()})
}

async fn find(engine: &Engine, id: &str) -> Result<Option<Tenant>, Fault> {
    Ok(engine.people().tenants().await?.into_iter().find(|tenant| *tenant.id == *id))
}

async fn found(engine: &Engine, id: &str) -> Result<Tenant, Fault> {
    find(engine, id).await?.ok_or_else(|| Fault::missing(format!("Tenant with id {id} does not exist")))
}

async fn create(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let id = fields.text("id")?.ok_or_else(|| Fault::failed_as("NullValueException", "tenantId is null"))?;
    if id.is_empty() {
        return Err(Fault::failed("Tenant has an invalid id: '' is not a valid resource identifier."));
    }
    if find(&engine, &id).await?.is_some() {
        return Err(Fault::bad_request_of("BadUserRequestException", "The tenant already exists"));
    }
    engine.people().put_tenant(Tenant { id, name: fields.text("name")? }).await?;
    Ok(nothing())
}

async fn one(Acting(engine): Acting, Path(id): Path<String>) -> Answer {
    Ok(answer(&shown(&found(&engine, &id).await?)))
}

async fn change(Acting(engine): Acting, Path(id): Path<String>, InBody(fields): InBody) -> Answer {
    let tenant = found(&engine, &id).await?;
    engine.people().put_tenant(Tenant { name: fields.text("name")?, ..tenant }).await?;
    Ok(nothing())
}

async fn remove(Acting(engine): Acting, Path(id): Path<String>) -> Answer {
    engine.people().remove_tenant(id).await?;
    Ok(nothing())
}

/// Camunda's word for somebody or something that is not there.
fn unknown(what: &str, id: &str) -> Fault {
    Fault::failed_as("NullValueException", format!("No {what} found with id '{id}'.: {what} is null"))
}

async fn check(engine: &Engine, tenant: &str) -> Result<(), Fault> {
    find(engine, tenant).await?.map(drop).ok_or_else(|| unknown("tenant", tenant))
}

fn already(what: &str, id: &str, tenant: &str) -> Fault {
    let message = format!("{what} '{id}' is a member of tenant '{tenant}' already");
    Fault::failed_as("ProcessEnginePersistenceException", message)
}

async fn add_user(Acting(engine): Acting, Path((tenant, user)): Path<(String, String)>) -> Answer {
    let people = engine.people();
    if people.user(user.as_str()).await?.is_none() {
        return Err(unknown("user", &user));
    }
    check(&engine, &tenant).await?;
    if has_user(&engine, &tenant, &user, false).await? {
        return Err(already("user", &user, &tenant));
    }
    people.add_to_tenant(tenant, user).await?;
    Ok(nothing())
}

async fn remove_user(Acting(engine): Acting, Path((tenant, user)): Path<(String, String)>) -> Answer {
    engine.people().remove_from_tenant(tenant, user).await?;
    Ok(nothing())
}

async fn add_group(Acting(engine): Acting, Path((tenant, group)): Path<(String, String)>) -> Answer {
    let people = engine.people();
    if people.group(group.as_str()).await?.is_none() {
        return Err(unknown("group", &group));
    }
    check(&engine, &tenant).await?;
    if has_group(&engine, &tenant, &group).await? {
        return Err(already("group", &group, &tenant));
    }
    people.add_group_to_tenant(tenant, group).await?;
    Ok(nothing())
}

async fn remove_group(Acting(engine): Acting, Path((tenant, group)): Path<(String, String)>) -> Answer {
    engine.people().remove_group_from_tenant(tenant, group).await?;
    Ok(nothing())
}

/// Whether a user is in a tenant, by themselves or also by a group.
async fn has_user(engine: &Engine, tenant: &str, user: &str, by_group: bool) -> Result<bool, Error> {
    let (own_tenant, tenants) = match by_group {
        true => (None, Some(vec![tenant.into()])),
        false => (Some(tenant.into()), None),
    };
    let query = UserQuery { ids: vec![user.into()], own_tenant, tenants, ..UserQuery::default() };
    Ok(!engine.people().users(&query).await?.rows.is_empty())
}

async fn has_group(engine: &Engine, tenant: &str, group: &str) -> Result<bool, Error> {
    let query = GroupQuery { ids: vec![group.into()], tenant: Some(tenant.into()), ..GroupQuery::default() };
    Ok(!engine.people().groups(&query).await?.rows.is_empty())
}

async fn options(here: Here) -> Answer {
    let links = [("GET", "/tenant", "list"), ("GET", "/tenant/count", "count"), ("POST", "/tenant/create", "create")];
    Ok(answer(&here.links(&links)))
}

async fn options_of_one(here: Here, Path(id): Path<String>) -> Answer {
    let own = format!("/tenant/{id}");
    Ok(answer(&here.links(&[("GET", &own, "self"), ("DELETE", &own, "delete"), ("PUT", &own, "update")])))
}

async fn options_of_users(here: Here, Path(id): Path<String>) -> Answer {
    let own = format!("/tenant/{id}/user-members");
    Ok(answer(&here.links(&[("DELETE", &own, "delete"), ("PUT", &own, "create")])))
}

async fn options_of_groups(here: Here, Path(id): Path<String>) -> Answer {
    let own = format!("/tenant/{id}/group-members");
    Ok(answer(&here.links(&[("DELETE", &own, "delete"), ("PUT", &own, "create")])))
}

/// The list of tenants.
struct Tenants;

impl List for Tenants {
    const PATH: &'static str = "/tenant";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &["id", "name"];
    type Row = Tenant;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Tenant>, Fault> {
        let Asked { fields, order, .. } = asked;
        let mut rows = engine.people().tenants().await?;
        let (own, ids) = (fields.text("id")?, fields.list("idIn")?);
        let (name, pattern) = (fields.text("name")?, fields.text("nameLike")?);
        let (user, group) = (fields.text("userMember")?, fields.text("groupMember")?);
        let by_group = fields.is_set("includingGroupsOfUser")?;
        rows.retain(|row| {
            is(own.as_ref(), Some(&row.id))
                && ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
                && is(name.as_ref(), row.name.as_deref())
                && pattern.as_ref().is_none_or(|pattern| row.name.as_ref().is_some_and(|own| like(pattern, own)))
        });
        if user.is_some() || group.is_some() {
            let mut some = Vec::new();
            for row in rows {
                let is_its_user = match &user {
                    Some(user) => has_user(engine, &row.id, user, by_group).await?,
                    None => true,
                };
                let is_its_group = match &group {
                    Some(group) => has_group(engine, &row.id, group).await?,
                    None => true,
                };
                some.extend((is_its_user && is_its_group).then_some(row));
            }
            rows = some;
        }
        answer::sort(&mut rows, order, |by, left, right| match by {
            "name" => left.name.cmp(&right.name),
            _ => left.id.cmp(&right.id),
        });
        Ok(rows)
    }

    async fn shown(_: &Engine, rows: Vec<Tenant>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.iter().map(shown).collect())
    }
}

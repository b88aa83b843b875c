//! `/user`: the people that tasks are for.

use axum::Router;
use axum::extract::Path;
use axum::routing::{delete, get, post, put};
use potok::query::UserQuery;
use potok::row::User;
use potok::{Engine, Error, Name};
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
        .merge(list::routes::<Users>())
        .route("/user", axum::routing::options(options))
        .route("/user/create", post(create))
        .route("/user/{id}", delete(remove).options(options_of_one))
        .route("/user/{id}/profile", get(profile).put(change))
        .route("/user/{id}/credentials", put(set_password))
        .route("/user/{id}/unlock", post(unlock))
}

/// The first name: what stands before the family name.
pub(crate) fn first_name(user: &User) -> Option<&str> {
    let (name, family) = (user.name.as_deref()?, user.family_name.as_deref().unwrap_or_default());
    let first = name.strip_suffix(family).unwrap_or(name).trim_end();
    Some(first).filter(|first| !first.is_empty())
}

fn shown(user: &User) -> Json {
    json!({
        "id": &*user.id,
        "firstName": first_name(user),
        "lastName": user.family_name.as_deref(),
        "email": user.email.as_deref(),
    })
}

/// What a profile says of a user.
fn of_profile(id: Name, profile: &Fields) -> Result<User, Fault> {
    let family_name = profile.text("lastName")?.filter(|name| !name.is_empty());
    let names: Vec<Name> =
        profile.text("firstName")?.into_iter().chain(family_name.clone()).filter(|name| !name.is_empty()).collect();
    let name = Some(names.join(" ")).filter(|name| !name.is_empty()).map(Name::from);
    Ok(User { id, name, family_name, email: profile.text("email")?.filter(|address| !address.is_empty()) })
}

/// A user, if there is one.
async fn found(engine: &Engine, id: &str) -> Result<User, Fault> {
    let user = engine.people().user(id).await?;
    user.ok_or_else(|| Fault::missing(format!("User with id {id} does not exist")))
}

async fn create(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let profile = Fields::of(&Json::Object(fields.map("profile")?))?;
    let id = profile.text("id")?.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Fault::invalid("request object must provide profile information with valid id."))?;
    let password = Fields::of(&Json::Object(fields.map("credentials")?))?.text("password")?;
    let people = engine.people();
    if people.user(id.clone()).await?.is_some() {
        return Err(Fault::bad_request_of("BadUserRequestException", "The user already exists"));
    }
    people.put_user(of_profile(id.clone(), &profile)?).await?;
    if let Some(password) = password
        && let Err(error) = people.set_password(id.clone(), &password).await
    {
        // A user who cannot sign in was not asked for.
        people.remove_user(id).await?;
        return Err(error.into());
    }
    Ok(nothing())
}

async fn profile(Acting(engine): Acting, Path(id): Path<String>) -> Answer {
    Ok(answer(&shown(&found(&engine, &id).await?)))
}

async fn change(Acting(engine): Acting, Path(id): Path<String>, InBody(fields): InBody) -> Answer {
    let user = found(&engine, &id).await?;
    engine.people().put_user(of_profile(user.id, &fields)?).await?;
    Ok(nothing())
}

/// By who has signed in, for themselves: with their own password, as in Camunda. Setting that of others takes the right to.
async fn set_password(Acting(engine): Acting, Path(id): Path<String>, InBody(fields): InBody) -> Answer {
    found(&engine, &id).await?;
    let password = fields.text("password")?.ok_or_else(|| Fault::invalid("`password` is needed"))?;
    match (engine.user(), fields.text("authenticatedUserPassword")?) {
        (Some(user), Some(own)) if *user == *id => match engine.change_password(id, &own, &password).await {
            Err(Error::NotAuthenticated) => {
                return Err(Fault::invalid("The password of the authenticated user is not valid."));
            }
            changed => changed?,
        },
        _ => engine.people().set_password(id, &password).await?,
    }
    Ok(nothing())
}

async fn remove(Acting(engine): Acting, Path(id): Path<String>) -> Answer {
    engine.people().remove_user(id).await?;
    Ok(nothing())
}

/// Nobody is locked out here for wrong passwords.
async fn unlock() -> Answer {
    Ok(nothing())
}

async fn options(here: Here) -> Answer {
    Ok(answer(&here.links(&[
        ("GET", "/user", "list"),
        ("GET", "/user/count", "count"),
        ("POST", "/user/create", "create"),
    ])))
}

async fn options_of_one(here: Here, Path(id): Path<String>) -> Answer {
    let (own, profile) = (format!("/user/{id}"), format!("/user/{id}/profile"));
    Ok(answer(&here.links(&[("GET", &profile, "self"), ("DELETE", &own, "delete"), ("PUT", &profile, "update")])))
}

/// The list of users.
struct Users;

impl List for Users {
    const PATH: &'static str = "/user";
    const NOT_OFFERED: &'static [&'static str] = &["potentialStarter"];
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &["userId", "firstName", "lastName", "email"];
    type Row = User;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<User>, Fault> {
        let Asked { fields, order, .. } = asked;
        let mut ids = fields.list("idIn")?.unwrap_or_default();
        ids.extend(fields.text("id")?);
        let (group, own_tenant) = (fields.text("memberOfGroup")?, fields.text("memberOfTenant")?);
        let query = UserQuery { ids, group, own_tenant, ..UserQuery::default() };
        let mut rows = engine.people().users(&query).await?.rows;
        type Part = fn(&User) -> Option<&str>;
        let parts: [(&str, Part); 3] = [
            ("firstName", first_name),
            ("lastName", |user| user.family_name.as_deref()),
            ("email", |user| user.email.as_deref()),
        ];
        for (name, part) in parts {
            let (own, pattern) = (fields.text(name)?, fields.text(&format!("{name}Like"))?);
            rows.retain(|row| {
                is(own.as_ref(), part(row))
                    && pattern.as_ref().is_none_or(|pattern| part(row).is_some_and(|own| like(pattern, own)))
            });
        }
        answer::sort(&mut rows, order, |by, left, right| match by {
            "firstName" => first_name(left).cmp(&first_name(right)),
            "lastName" => left.family_name.cmp(&right.family_name),
            "email" => left.email.cmp(&right.email),
            _ => left.id.cmp(&right.id),
        });
        Ok(rows)
    }

    async fn shown(_: &Engine, rows: Vec<User>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.iter().map(shown).collect())
    }
}

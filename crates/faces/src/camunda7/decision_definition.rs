//! `/decision-definition`: versions of decisions, and what they decide.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post, put};
use jiff::Timestamp;
use potok::row::{Definition, DefinitionKind};
use potok::{DefinitionId, Engine, Error, Selector, Value};
use potok_core::model::TimerKind;
use potok_core::time::Timer;
use potok_core::value::Zone;
use potok_core::xml::Document;
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::list::{self, Asked, List};
use super::which::{Which, by_id_and_key};
use super::{definition_query, deployment, id, process_definition, value};
use crate::acting::Acting;

const CAMUNDA: &str = "http://camunda.org/schema/1.0/dmn";

pub(crate) fn routes() -> Router<Engine> {
    let mut routes = list::routes::<Decisions>();
    by_id_and_key!(routes, "/decision-definition", "", get(one));
    by_id_and_key!(routes, "/decision-definition", "/xml", get(xml));
    by_id_and_key!(routes, "/decision-definition", "/diagram", get(diagram));
    by_id_and_key!(routes, "/decision-definition", "/evaluate", post(evaluate));
    by_id_and_key!(routes, "/decision-definition", "/history-time-to-live", put(keep));
    routes
}

async fn find(engine: &Engine, which: &Which) -> Result<Definition, Fault> {
    let found = which.look_up_one(engine, DefinitionKind::Decision).await?;
    found.ok_or_else(|| which.missing("decision"))
}

/// A decision as Camunda shows it.
pub(crate) async fn shown(engine: &Engine, definition: &Definition) -> Result<Json, Fault> {
    let bytes = deployment::file_of(engine, definition).await?;
    let document = Document::parse(&bytes).ok();
    let root = document.as_ref().map(Document::root);
    let decision = document.as_ref().and_then(|document| {
        let is_it = |id: Option<std::borrow::Cow<'_, str>>| id.as_deref() == Some(&*definition.id);
        document.elements().find(|element| element.name() == "decision" && is_it(element.attribute("id")))
    });
    let kept = decision.and_then(|decision| decision.attribute_in(CAMUNDA, "historyTimeToLive"));
    Ok(json!({
        "id": id::definition(definition),
        "key": &*definition.id,
        "category": root.and_then(|root| root.attribute("namespace")),
        "name": definition.name.as_deref(),
        "version": definition.version,
        "resource": &*definition.resource,
        "deploymentId": id::id(definition.deployment),
        "tenantId": process_definition::tenant(definition),
        "decisionRequirementsDefinitionId": null,
        "decisionRequirementsDefinitionKey": null,
        "historyTimeToLive": definition.history_days.or_else(|| kept.as_deref().and_then(days)),
        "versionTag": definition.tag.as_deref(),
    }))
}

/// Days: a number, or an ISO 8601 duration.
fn days(text: &str) -> Option<i64> {
    let span = || {
        let (kind, epoch) = (TimerKind::Duration, Timestamp::UNIX_EPOCH);
        let after = Timer::parse(kind, &Value::String(text.trim().into()), epoch, &Zone::UTC).ok()?;
        Some(after.due.as_second() / 86_400)
    };
    text.trim().parse().ok().or_else(span)
}

async fn one(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    Ok(answer(&shown(&engine, &find(&engine, &which).await?).await?))
}

async fn xml(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    let definition = find(&engine, &which).await?;
    let bytes = deployment::file_of(&engine, &definition).await?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(answer(&json!({"id": id::definition(&definition), "dmnXml": text})))
}

/// Nobody draws here: there is never a picture.
async fn diagram(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    find(&engine, &which).await?;
    Ok(nothing())
}

/// It is kept and shown; histories of decisions, to which it would apply, are not there.
async fn keep(Acting(engine): Acting, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    // Of an id that is not there Camunda first looks at the days.
    let days = fields.number("historyTimeToLive");
    let definition = match find(&engine, &which).await {
        Err(fault) if which.id.is_none() => return Err(fault),
        found => found,
    };
    let days = process_definition::days(days?)?;
    engine.keep_history(DefinitionId(definition?.key), Some(days)).await?;
    Ok(nothing())
}

/// The outputs of each rule that counts.
async fn evaluate(Acting(engine): Acting, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    let definition = find(&engine, &which).await?;
    let given = value::variables(&fields, "variables")?;
    let selector = Selector::Id(DefinitionId(definition.key));
    let decided = engine.evaluate(&definition.tenant, &selector, given).await.map_err(|error| match error {
        error @ Error::Undecided { .. } => {
            Fault::in_words(error, |error| format!("Cannot evaluate decision {}: {error}", id::definition(&definition)))
        }
        error => error.into(),
    })?;
    Ok(answer(&decided.rules.iter().map(|outputs| value::map(outputs, true)).collect()))
}

/// The list of versions.
struct Decisions;

impl List for Decisions {
    const PATH: &'static str = "/decision-definition";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &[
        "category",
        "key",
        "id",
        "name",
        "version",
        "deploymentId",
        "deployTime",
        "decisionRequirementsDefinitionKey",
        "versionTag",
        "tenantId",
    ];
    type Row = Definition;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Definition>, Fault> {
        let fields = asked.fields;
        let latest = fields.is_set("latestVersion")?;
        if latest && ["name", "nameLike", "version", "deploymentId"].iter().any(|name| fields.has(name)) {
            let message = "latestVersion can only be used together with key and keyLike";
            return Err(Fault::bad_request_of("NotValidException", message));
        }
        // There are none of several decisions together.
        if fields.has("decisionRequirementsDefinitionId") || fields.has("decisionRequirementsDefinitionKey") {
            return Ok(Vec::new());
        }
        definition_query::search(engine, asked, DefinitionKind::Decision).await
    }

    async fn shown(engine: &Engine, rows: Vec<Definition>, _: &Fields) -> Result<Vec<Json>, Fault> {
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(shown(engine, row).await?);
        }
        Ok(all)
    }
}

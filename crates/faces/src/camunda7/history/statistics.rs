//! `/history/process-definition/{id}/statistics`: how often flow nodes of a version were visited.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use potok::Engine;
use potok::query::{DefinitionQuery, IncidentQuery};
use potok::row::DefinitionKind;
use serde_json::{Value as Json, json};

use super::incident::{End, end};
use super::{activity_instance, instances, is_between};
use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, json as answer};
use crate::camunda7::fields::{Fields, InQuery};
use crate::camunda7::id;
use crate::camunda7::model::Model;

pub(crate) fn routes() -> Router<Engine> {
    Router::new().route("/history/process-definition/{id}/statistics", get(of_definition))
}

/// What is counted of a flow node.
#[derive(Default)]
struct Count {
    instances: u64,
    cancelled: u64,
    finished: u64,
    complete_scope: u64,
    open: u64,
    resolved: u64,
    deleted: u64,
}

impl Count {
    fn is_nothing(&self) -> bool {
        let Self { instances, cancelled, finished, complete_scope, open, resolved, deleted } = self;
        [instances, cancelled, finished, complete_scope, open, resolved, deleted].iter().all(|count| **count == 0)
    }

    fn shown(&self, node: &str) -> Json {
        json!({
            "id": node,
            "instances": self.instances,
            "canceled": self.cancelled,
            "finished": self.finished,
            "completeScope": self.complete_scope,
            "openIncidents": self.open,
            "resolvedIncidents": self.resolved,
            "deletedIncidents": self.deleted,
        })
    }
}

/// Of what has ended only that is counted which is asked for. The histories of the version's instances are read one after the other.
async fn of_definition(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let order = answer::order(&fields, &["activityId"], &[])?;
    let (finished, cancelled) = (fields.is_set("finished")?, fields.is_set("canceled")?);
    let (complete_scope, incidents) = (fields.is_set("completeScope")?, fields.is_set("incidents")?);
    let started = (fields.date("startedAfter")?, fields.date("startedBefore")?);
    let ended = (fields.date("finishedAfter")?, fields.date("finishedBefore")?);
    let nothing = || Ok(answer(&json!([])));
    let Some(key) = id::parse_definition(&text) else { return nothing() };
    let query = DefinitionQuery { keys: vec![key], kind: Some(DefinitionKind::Process), ..DefinitionQuery::default() };
    let Some(definition) = engine.definitions(&query).await?.pop() else { return nothing() };
    let Some(mut query) = instances(&fields.only(&["processInstanceIdIn"]))? else { return nothing() };
    query.definition = Some(key);
    let mut rows = engine.instances(&query).await?;
    rows.retain(|row| is_between(started, Some(row.started)) && is_between(ended, row.ended));
    let model = Model::of(&engine, &definition).await?;
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for row in &rows {
        for visit in activity_instance::of_instance(&engine, &Fields::default(), row, (&definition, &model)).await? {
            let count = counts.entry(visit.node.to_string()).or_default();
            let is = |member: &str| visit.shown[member] == true;
            count.instances += u64::from(visit.until.is_none());
            count.finished += u64::from(finished && visit.until.is_some());
            count.cancelled += u64::from(cancelled && is("canceled"));
            count.complete_scope += u64::from(complete_scope && is("completeScope"));
        }
    }
    if incidents && !rows.is_empty() {
        let of = IncidentQuery { instances: rows.iter().map(|row| row.key).collect(), ..IncidentQuery::default() };
        for incident in engine.incidents(&of).await? {
            let count = counts.entry(incident.node.to_string()).or_default();
            match end(&engine, &incident).await? {
                End::Open => count.open += 1,
                End::Resolved => count.resolved += 1,
                End::Deleted => count.deleted += 1,
            }
        }
    }
    let mut all: Vec<(String, Count)> = counts.into_iter().filter(|(_, count)| !count.is_nothing()).collect();
    answer::sort(&mut all, &order, |_, left, right| left.0.cmp(&right.0));
    Ok(answer(&all.iter().map(|(node, count)| count.shown(node)).collect()))
}

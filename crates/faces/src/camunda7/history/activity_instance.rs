//! `/history/activity-instance`: visits of flow nodes, as the instances' histories tell them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use jiff::Timestamp;
use potok::query::TaskQuery;
use potok::row::{Definition, Task};
use potok::{Engine, Instance, InstanceId, Name, Transition, What};
use potok_core::graph::{FlowNode, NodeKind, Throw};
use serde_json::{Value as Json, json};

use super::{instances, is_between, milliseconds, root};
use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, json as answer};
use crate::camunda7::condition::like;
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::model::Model;
use crate::camunda7::{id, process_definition};

pub(crate) fn routes() -> Router<Engine> {
    Router::new().merge(list::routes::<Visits>()).route("/history/activity-instance/{id}", get(one))
}

/// A visit of a flow node.
pub(super) struct Visit {
    node: Name,
    name: Option<Name>,
    pub(super) number: u64,
    since: Timestamp,
    until: Option<Timestamp>,
    cancelled: bool,
    pub(super) task: Option<Task>,
    called: Option<InstanceId>,
}

impl Visit {
    pub(super) fn is_of(&self, nodes: &[Name]) -> bool {
        nodes.contains(&self.node)
    }

    pub(super) fn until(&self) -> Option<Timestamp> {
        self.until
    }

    pub(super) fn id(&self, instance: &Instance) -> String {
        match &self.task {
            Some(task) => id::activity_instance(&self.node, task.key, id::ACTIVITY),
            None => id::activity_instance(&self.node, instance.key, id::visit(self.number)),
        }
    }
}

/// The visits of an instance, in the order in which they began.
pub(super) async fn visits(engine: &Engine, instance: &Instance) -> Result<Vec<Visit>, Fault> {
    let of = TaskQuery { instances: vec![instance.key], ..TaskQuery::default() };
    let tasks: BTreeMap<u64, Task> =
        engine.search(&of).await?.rows.into_iter().map(|row| (row.key.into(), row)).collect();
    let mut visits: BTreeMap<u64, Visit> = BTreeMap::new();
    for happening in engine.instance(instance.id()).happenings().await? {
        let What::Element { element, name, visit, transition, since, task, called } = happening.what else { continue };
        if transition == Transition::Schedule {
            continue;
        }
        let entry = visits.entry(visit).or_insert_with(|| Visit {
            node: element,
            name,
            number: visit,
            since,
            until: None,
            cancelled: false,
            task: None,
            called: None,
        });
        entry.called = entry.called.or(called);
        if let Some(task) = task {
            entry.task = tasks.get(&task.0.into()).cloned();
        }
        if matches!(transition, Transition::Complete | Transition::AteAbort) {
            entry.until = Some(happening.time);
            entry.cancelled = transition == Transition::AteAbort;
        }
    }
    let mut visits: Vec<Visit> = visits.into_values().collect();
    // A visit that has only begun is told before its task is there.
    for at in 0..visits.len() {
        let is_taken =
            |key: u64| visits.iter().filter_map(|visit| visit.task.as_ref()).any(|own| u64::from(own.key) == key);
        let visit = &visits[at];
        if visit.task.is_none() {
            let fits =
                |(key, row): &(&u64, &Task)| row.node == visit.node && row.created >= visit.since && !is_taken(**key);
            let found = tasks.iter().find(fits).map(|(_, row)| row.clone());
            visits[at].task = found;
        }
    }
    Ok(visits)
}

/// When flow nodes were visited in an instance, and until when.
pub(crate) async fn visited(
    engine: &Engine,
    instance: &Instance,
) -> Result<Vec<(Timestamp, Option<Timestamp>)>, Fault> {
    Ok(visits(engine, instance).await?.into_iter().map(|visit| (visit.since, visit.until)).collect())
}

/// Several visits, with what they have in common.
pub(super) struct Found {
    pub(super) shown: Json,
    pub(super) node: Name,
    name: Option<Name>,
    since: Timestamp,
    pub(super) until: Option<Timestamp>,
}

pub(super) async fn of_instance(
    engine: &Engine,
    fields: &Fields,
    instance: &Instance,
    (definition, model): (&Definition, &Model),
) -> Result<Vec<Found>, Fault> {
    let graph = engine.graph(instance.definition_id()).await?;
    let root = id::id(root(engine, instance).await?);
    let own = id::id(instance.key);
    let all = visits(engine, instance).await?;
    let mut found = Vec::new();
    for visit in &all {
        // The visit of the sub-process around it that was under way.
        let around = graph.as_ref().and_then(|graph| {
            let node = graph.get_node(graph.get_node(graph.find(&visit.node)?)?.parent?)?;
            all.iter().rev().find(|other| {
                other.node == node.id
                    && other.number < visit.number
                    && other.until.is_none_or(|until| until >= visit.since)
            })
        });
        let node = graph.as_ref().and_then(|graph| graph.get_node(graph.find(&visit.node)?));
        let cancelled = is_cancelled(node, visit);
        let parent = around.map_or_else(|| own.clone(), |around| around.id(instance));
        let shown = json!({
            "id": visit.id(instance),
            "parentActivityInstanceId": parent,
            "activityId": &*visit.node,
            "activityName": visit.name.as_deref().or_else(|| model.name(&visit.node)),
            "activityType": model.kind(&visit.node),
            "processDefinitionKey": &*instance.process,
            "processDefinitionId": id::definition(definition),
            "processInstanceId": own,
            "executionId": match &visit.task {
                Some(task) => id::part(task.key, id::EXECUTION),
                None => own.clone(),
            },
            "taskId": visit.task.as_ref().map(|task| id::id(task.key)),
            "assignee": visit.task.as_ref().and_then(|task| task.assignee.as_deref()),
            "calledProcessInstanceId": visit.called.map(id::id),
            "calledCaseInstanceId": null,
            "startTime": date(visit.since),
            "endTime": visit.until.map(date),
            "durationInMillis": milliseconds(visit.since, visit.until),
            "canceled": cancelled,
            "completeScope": completes(node, visit, cancelled),
            "tenantId": instance.tenant.as_deref(),
            "removalTime": instance.expires.map(date),
            "rootProcessInstanceId": root,
        });
        let (node, name) = (visit.node.clone(), visit.name.clone());
        let one = Found { shown, node, name, since: visit.since, until: visit.until };
        if fits(fields, &one)? {
            found.push(one);
        }
    }
    Ok(found)
}

/// Whether a visit has ended what goes on in its scope: nothing follows it.
fn completes(node: Option<&FlowNode>, visit: &Visit, cancelled: bool) -> bool {
    let is_last = node.is_some_and(|node| node.outgoing.is_empty() && !node.is_for_compensation);
    is_last && visit.until.is_some() && !cancelled
}

/// Whether a visit ended without being done. An end event that cancels all others, and its own token with them, is done.
fn is_cancelled(node: Option<&FlowNode>, visit: &Visit) -> bool {
    let terminates = |node: &FlowNode| match &node.kind {
        NodeKind::EndEvent(throws) => throws.iter().any(|throw| matches!(throw, Throw::Terminate { .. })),
        _ => false,
    };
    visit.cancelled && !node.is_some_and(terminates)
}

fn fits(fields: &Fields, visit: &Found) -> Result<bool, Fault> {
    let is = |name: &str, member: &str| {
        Ok::<_, Fault>(fields.text(name)?.is_none_or(|text| visit.shown[member].as_str() == Some(&*text)))
    };
    let among = |name: &str, member: &str| {
        Ok::<_, Fault>(
            fields
                .list(name)?
                .is_none_or(|all| visit.shown[member].as_str().is_some_and(|own| all.contains(&own.into()))),
        )
    };
    let pattern = fields.text("activityNameLike")?;
    let (after, before) = (fields.date("startedAfter")?, fields.date("startedBefore")?);
    let (ended_after, ended_before) = (fields.date("finishedAfter")?, fields.date("finishedBefore")?);
    let has_ended = visit.until.is_some();
    let cancelled = visit.shown["canceled"] == true;
    Ok(is("activityInstanceId", "id")?
        && is("executionId", "executionId")?
        && is("activityId", "activityId")?
        && is("activityName", "activityName")?
        && is("activityType", "activityType")?
        && is("taskAssignee", "assignee")?
        && among("activityInstanceIdIn", "id")?
        && among("activityIdIn", "activityId")?
        && among("tenantIdIn", "tenantId")?
        && pattern.is_none_or(|pattern| visit.name.as_ref().is_some_and(|own| like(&pattern, own)))
        && (!fields.is_set("finished")? || has_ended)
        && (!fields.is_set("unfinished")? || !has_ended)
        && (!fields.is_set("canceled")? || cancelled)
        && (!fields.is_set("completeScope")? || visit.shown["completeScope"] == true)
        && (!fields.is_set("withoutTenantId")? || visit.shown["tenantId"].is_null())
        && is_between((after, before), Some(visit.since))
        && is_between((ended_after, ended_before), visit.until))
}

/// The histories of the instances that fields mean are read one after the other: narrow them by instance or process.
async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
    let Asked { fields, order, .. } = asked;
    let Some(query) = instances(fields)? else { return Ok(Vec::new()) };
    let rows = engine.instances(&query).await?;
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut models: BTreeMap<u64, Arc<Model>> = BTreeMap::new();
    let mut all = Vec::new();
    for row in &rows {
        let key = row.definition.into();
        let Some(definition) = definitions.get(&key) else { continue };
        if let std::collections::btree_map::Entry::Vacant(entry) = models.entry(key) {
            entry.insert(Model::of(engine, definition).await?);
        }
        if let Some(model) = models.get(&key) {
            all.extend(of_instance(engine, fields, row, (definition, model)).await?);
        }
    }
    answer::sort(&mut all, order, |by, left, right| match by {
        "activityId" => left.node.cmp(&right.node),
        "activityName" => left.name.cmp(&right.name),
        "activityType" => left.shown["activityType"].as_str().cmp(&right.shown["activityType"].as_str()),
        "endTime" => left.until.cmp(&right.until),
        "duration" => milliseconds(left.since, left.until).cmp(&milliseconds(right.since, right.until)),
        "startTime" | "occurrence" => left.since.cmp(&right.since),
        _ => std::cmp::Ordering::Equal,
    });
    Ok(all.into_iter().map(|found| found.shown).collect())
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = || Fault::missing(format!("Historic activity instance with id '{text}' does not exist"));
    let (key, part) = text.rsplit(':').next().and_then(id::parse_part).ok_or_else(missing)?;
    let instance =
        if part == id::ACTIVITY { engine.task(key.into()).await.map_err(|_| missing())?.instance } else { key };
    let fields = Fields::of(&json!({"processInstanceId": id::id(instance), "activityInstanceId": text}))?;
    let found = list::all::<Visits>(&engine, &fields).await?.pop().ok_or_else(missing)?;
    Ok(answer(&found))
}

/// The list.
struct Visits;

impl List for Visits {
    const PATH: &'static str = "/history/activity-instance";
    const SORTED_BY: &'static [&'static str] = &[
        "activityInstanceId",
        "instanceId",
        "executionId",
        "activityId",
        "activityName",
        "activityType",
        "startTime",
        "endTime",
        "duration",
        "definitionId",
        "occurrence",
        "tenantId",
        "processDefinitionId",
    ];
    type Row = Json;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
        search(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Json>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows)
    }
}

//! `/history/task`: tasks, open and ended.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use potok::query::{InstanceQuery, TaskQuery};
use potok::row::{Instance, Task, TaskState};
use potok::{Engine, Name};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use super::{milliseconds, root};
use crate::camunda7::answer;
use crate::camunda7::condition::{by_variables, like};
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::{id, process_definition};

pub(crate) fn routes() -> Router<Engine> {
    list::routes::<Tasks>()
}

async fn shown(engine: &Engine, rows: &[Task]) -> Result<Vec<Json>, Fault> {
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut instances: BTreeMap<u64, Instance> = BTreeMap::new();
    let keys: Vec<Key> = rows.iter().map(|row| row.instance).collect();
    if !keys.is_empty() {
        for row in engine.instances(&InstanceQuery { keys, ..InstanceQuery::default() }).await? {
            instances.insert(row.key.into(), (*row).clone());
        }
    }
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let belongs = !row.process.is_empty();
        let instance = instances.get(&row.instance.into());
        let root = match instance.filter(|_| belongs) {
            Some(instance) => Some(id::id(root(engine, instance).await?)),
            None => None,
        };
        let (reason, state) = match (row.state, row.changed) {
            (TaskState::Open, None) => (None, "Created"),
            (TaskState::Open, Some(_)) => (None, "Updated"),
            (TaskState::Completed, _) => (Some("completed"), "Completed"),
            (TaskState::Cancelled, _) => (Some("deleted"), "Deleted"),
        };
        let definition = definitions.get(&row.definition.into());
        all.push(json!({
            "id": id::id(row.key),
            "processDefinitionKey": belongs.then_some(&*row.process),
            "processDefinitionId": belongs.then(|| definition.map_or_else(|| id::id(row.definition), id::definition)),
            "processInstanceId": belongs.then(|| id::id(row.instance)),
            "executionId": belongs.then(|| id::part(row.key, id::EXECUTION)),
            "caseDefinitionKey": null,
            "caseDefinitionId": null,
            "caseInstanceId": null,
            "caseExecutionId": null,
            "activityInstanceId": belongs.then(|| id::activity_instance(&row.node, row.key, id::ACTIVITY)),
            "name": row.name.as_deref(),
            "description": row.description.as_deref(),
            "deleteReason": reason,
            "owner": row.owner.as_deref(),
            "assignee": row.assignee.as_deref(),
            "startTime": date(row.created),
            "endTime": row.ended.map(date),
            "duration": milliseconds(row.created, row.ended),
            "taskDefinitionKey": belongs.then_some(&*row.node),
            "priority": row.priority,
            "due": row.due.map(date),
            "parentTaskId": null,
            "followUp": row.follow_up.map(date),
            "tenantId": row.tenant.as_deref(),
            "removalTime": instance.and_then(|instance| instance.expires).map(date),
            "rootProcessInstanceId": root,
            "taskState": state,
        }));
    }
    Ok(all)
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Task>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut rows = narrow(engine, fields).await?;
    for any in fields.objects("orQueries")? {
        let mut found = BTreeSet::new();
        for one in any.each() {
            found.extend(narrow(engine, &one).await?.into_iter().map(|row| u64::from(row.key)));
        }
        rows.retain(|row| found.contains(&row.key.into()));
    }
    answer::sort(&mut rows, order, |by, left, right| match by {
        "processDefinitionId" => left.definition.cmp(&right.definition),
        "processInstanceId" => left.instance.cmp(&right.instance),
        "duration" => milliseconds(left.created, left.ended).cmp(&milliseconds(right.created, right.ended)),
        "endTime" => left.ended.cmp(&right.ended),
        "startTime" => left.created.cmp(&right.created),
        "taskName" => left.name.cmp(&right.name),
        "taskDescription" => left.description.cmp(&right.description),
        "assignee" => left.assignee.cmp(&right.assignee),
        "owner" => left.owner.cmp(&right.owner),
        "dueDate" => left.due.cmp(&right.due),
        "followUpDate" => left.follow_up.cmp(&right.follow_up),
        "priority" => left.priority.cmp(&right.priority),
        "taskDefinitionKey" => left.node.cmp(&right.node),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

/// The tasks for which all fields hold.
async fn narrow(engine: &Engine, fields: &Fields) -> Result<Vec<Task>, Fault> {
    let mut query = TaskQuery::default();
    for (one, many, keys) in
        [("taskId", "taskIdIn", &mut query.keys), ("processInstanceId", "processInstanceIdIn", &mut query.instances)]
    {
        let mut ids = fields.list(many)?.unwrap_or_default();
        ids.extend(fields.text(one)?);
        keys.extend(ids.iter().filter_map(|text| id::parse::<Key>(text)));
        if keys.is_empty() && !ids.is_empty() {
            return Ok(Vec::new());
        }
    }
    query.processes = fields.text("processDefinitionKey")?.into_iter().collect();
    query.nodes = fields.list("taskDefinitionKeyIn")?.unwrap_or_default();
    query.nodes.extend(fields.text("taskDefinitionKey")?);
    if let Some(text) = fields.text("processDefinitionId")? {
        query.definition = id::parse_definition(&text);
        if query.definition.is_none() {
            return Ok(Vec::new());
        }
    }
    query.assignee = fields.text("taskAssignee")?;
    query.owner = fields.text("taskOwner")?;
    if fields.is_set("assigned")? {
        query.assigned = Some(true);
    }
    if fields.is_set("unassigned")? {
        query.assigned = Some(false);
    }
    if fields.is_set("finished")? {
        query.states = vec![TaskState::Completed, TaskState::Cancelled];
    }
    if fields.is_set("unfinished")? {
        query.states = vec![TaskState::Open];
    }
    query.variables = by_variables(fields, "processVariables")?;
    let mut rows = engine.search(&query).await?.rows;
    let (name, name_like) = (fields.text("taskName")?, fields.text("taskNameLike")?);
    let assignee_like = fields.text("taskAssigneeLike")?;
    let priority = fields.number("taskPriority")?;
    let reason = fields.text("taskDeleteReason")?;
    let times = [
        (fields.date("startedAfter")?, fields.date("startedBefore")?),
        (fields.date("finishedAfter")?, fields.date("finishedBefore")?),
        (fields.date("taskDueDateAfter")?, fields.date("taskDueDateBefore")?),
        (fields.date("taskFollowUpDateAfter")?, fields.date("taskFollowUpDateBefore")?),
    ];
    let tenants = fields.list("tenantIdIn")?;
    let matches = |pattern: &Option<Name>, own: Option<&Name>| {
        pattern.as_ref().is_none_or(|pattern| own.is_some_and(|own| like(pattern, own)))
    };
    rows.retain(|row| {
        let own = [Some(row.created), row.ended, row.due, row.follow_up];
        name.as_ref().is_none_or(|name| row.name.as_ref() == Some(name))
            && matches(&name_like, row.name.as_ref())
            && matches(&assignee_like, row.assignee.as_ref())
            && priority.is_none_or(|priority| row.priority == priority)
            && reason.as_deref().is_none_or(|reason| match row.state {
                TaskState::Open => false,
                TaskState::Completed => reason == "completed",
                TaskState::Cancelled => reason == "deleted",
            })
            && times.iter().zip(own).all(|((after, before), own)| {
                after.is_none_or(|time| own.is_some_and(|own| own >= time))
                    && before.is_none_or(|time| own.is_some_and(|own| own <= time))
            })
            && tenants.as_ref().is_none_or(|tenants| row.tenant.as_ref().is_some_and(|own| tenants.contains(own)))
    });
    Ok(rows)
}

/// The list.
struct Tasks;

impl List for Tasks {
    const PATH: &'static str = "/history/task";
    const SORTED_BY: &'static [&'static str] = &[
        "taskId",
        "activityInstanceId",
        "processDefinitionId",
        "processInstanceId",
        "executionId",
        "duration",
        "endTime",
        "startTime",
        "taskName",
        "taskDescription",
        "assignee",
        "owner",
        "dueDate",
        "followUpDate",
        "priority",
        "deleteReason",
        "taskDefinitionKey",
        "tenantId",
    ];
    type Row = Task;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Task>, Fault> {
        search(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<Task>, _: &Fields) -> Result<Vec<Json>, Fault> {
        shown(engine, &rows).await
    }
}

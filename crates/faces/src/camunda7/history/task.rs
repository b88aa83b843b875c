//! `/history/task`: tasks, open and ended.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use potok::query::{InstanceQuery, TaskQuery};
use potok::row::{Instance, Task, TaskState};
use potok::{Engine, InstanceId, Name, Value};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use super::{involved, is_between, milliseconds, root, variable_instance};
use crate::camunda7::answer;
use crate::camunda7::condition::{Conditions, like};
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::model::Model;
use crate::camunda7::{definition_query, id, process_definition, task};

pub(crate) fn routes() -> Router<Engine> {
    list::routes::<Tasks>()
}

async fn shown(engine: &Engine, rows: &[Task]) -> Result<Vec<Json>, Fault> {
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let models = Model::of_all(engine, &definitions).await?;
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
        let state = match (row.state, row.changed) {
            (TaskState::Open, None) => "Created",
            (TaskState::Open, Some(_)) => "Updated",
            (TaskState::Completed, _) => "Completed",
            (TaskState::Cancelled, _) => "Deleted",
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
            "description": task::description(row, &models),
            "deleteReason": reason(row),
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

/// Why a task is over.
fn reason(row: &Task) -> Option<&'static str> {
    match row.state {
        TaskState::Open => None,
        TaskState::Completed => Some("completed"),
        TaskState::Cancelled => Some("deleted"),
    }
}

/// Its flow node, if it belongs to a process.
fn node(row: &Task) -> Option<&Name> {
    Some(&row.node).filter(|_| !row.process.is_empty())
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Task>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut rows = narrow(engine, fields).await?;
    for any in fields.objects("orQueries")? {
        let mut found = BTreeSet::new();
        let each = any.each::<Tasks>();
        if each.is_empty() {
            continue;
        }
        for one in each {
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
        "deleteReason" => reason(left).cmp(&reason(right)),
        "taskDefinitionKey" => node(left).cmp(&node(right)),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

/// By what nothing is found if it is empty, for in the database what is empty is not asked for.
const NOBODY_IS_NAMELESS: [&str; 5] = [
    "processDefinitionKey",
    "processInstanceBusinessKey",
    "processInstanceBusinessKeyIn",
    "processInstanceBusinessKeyLike",
    "taskOwner",
];

/// The tasks for which all fields hold.
async fn narrow(engine: &Engine, fields: &Fields) -> Result<Vec<Task>, Fault> {
    if list::is_never::<Tasks>(fields) || fields.are_empty(&NOBODY_IS_NAMELESS) {
        return Ok(Vec::new());
    }
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
    // These six are asked for as soon as they are there, whatever they say.
    if fields.flag("assigned")?.is_some() {
        query.assigned = Some(true);
    }
    if fields.flag("unassigned")?.is_some() {
        query.assigned = Some(false);
    }
    if fields.flag("finished")?.is_some() {
        query.states = vec![TaskState::Completed, TaskState::Cancelled];
    }
    if fields.flag("unfinished")?.is_some() {
        query.states = vec![TaskState::Open];
    }
    let conditions = Conditions::of_task(fields, "processVariables")?;
    query.variables = conditions.in_database();
    query.business_keys = fields.list("processInstanceBusinessKeyIn")?.unwrap_or_default();
    query.business_keys.extend(fields.text("processInstanceBusinessKey")?);
    query.business_key_like = fields.text("processInstanceBusinessKeyLike")?.map(|pattern| pattern.to_string());
    if fields.is_set("withoutTaskDueDate")? {
        query.has_due = Some(false);
    }
    let mut rows = engine.search(&query).await?.rows;
    if let Some(definitions) = definition_query::named(engine, fields).await? {
        rows.retain(|row| definitions.contains(&row.definition));
    }
    let folded = |name: &str| Ok::<_, Fault>(fields.text(name)?.map(|text| text.to_lowercase()));
    let (name, name_like) = (folded("taskName")?, folded("taskNameLike")?);
    let (assignee_like, owner_like) = (fields.text("taskAssigneeLike")?, fields.text("taskOwnerLike")?);
    let (execution, activities) = (fields.text("executionId")?, fields.list("activityInstanceIdIn")?);
    let (due, follow_up) = (fields.date("taskDueDate")?, fields.date("taskFollowUpDate")?);
    let untenanted = fields.is_set("withoutTenantId")?;
    let reason_like = fields.text("taskDeleteReasonLike")?;
    let why = |row: &Task| match row.state {
        TaskState::Open => None,
        TaskState::Completed => Some("completed"),
        TaskState::Cancelled => Some("deleted"),
    };
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
        let own_name = row.name.as_ref().map(|name| name.to_lowercase());
        name.as_ref().is_none_or(|name| own_name.as_ref() == Some(name))
            && matches(&name_like, own_name.as_ref())
            && matches(&assignee_like, row.assignee.as_ref())
            && matches(&owner_like, row.owner.as_ref())
            && priority.is_none_or(|priority| row.priority == priority)
            && reason.as_deref().is_none_or(|reason| why(row) == Some(reason))
            && reason_like.as_ref().is_none_or(|pattern| why(row).is_some_and(|own| like(pattern, own)))
            && due.is_none_or(|due| row.due.is_some_and(|own| own.as_millisecond() == due.as_millisecond()))
            && follow_up.is_none_or(|at| row.follow_up.is_some_and(|own| own.as_millisecond() == at.as_millisecond()))
            && execution
                .as_ref()
                .is_none_or(|text| !row.process.is_empty() && id::parse_part(text) == Some((row.key, id::EXECUTION)))
            && activities
                .as_ref()
                .is_none_or(|ids| ids.contains(&id::activity_instance(&row.node, row.key, id::ACTIVITY).into()))
            && (!untenanted || row.tenant.is_none())
            && times.iter().zip(own).all(|(times, own)| is_between(*times, own))
            && tenants.as_ref().is_none_or(|tenants| row.tenant.as_ref().is_some_and(|own| tenants.contains(own)))
    });
    of_instances(engine, fields, &conditions, rows).await
}

async fn of_descriptions(engine: &Engine, fields: &Fields, rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let (text, pattern) = (fields.text("taskDescription")?, fields.text("taskDescriptionLike")?);
    if text.is_none() && pattern.is_none() {
        return Ok(rows);
    }
    let shown = shown(engine, &rows).await?;
    let fits = |own: Option<&str>| {
        text.as_deref().is_none_or(|text| own == Some(text))
            && pattern.as_ref().is_none_or(|pattern| own.is_some_and(|own| like(pattern, own)))
    };
    Ok(rows
        .into_iter()
        .zip(shown)
        .filter(|(_, shown)| fits(shown["description"].as_str()))
        .map(|(row, _)| row)
        .collect())
}

/// Those with such variables of their own, as they are or were in the end.
async fn of_variables(engine: &Engine, fields: &Fields, rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let conditions = Conditions::of(fields, "taskVariables")?;
    if conditions.is_empty() {
        return Ok(rows);
    }
    let mut of_tasks: BTreeMap<u64, Vec<(Name, Value)>> = BTreeMap::new();
    let instances: BTreeSet<u64> = rows.iter().map(|row| row.instance.into()).collect();
    for key in instances {
        let instance = engine.instance(InstanceId(Key::from(key))).get().await?;
        for (task, name, value) in variable_instance::of_tasks(engine, &instance).await? {
            of_tasks.entry(task.into()).or_default().push((name, value));
        }
    }
    let holds = |row: &Task| of_tasks.get(&row.key.into()).is_some_and(|variables| conditions.hold(variables));
    Ok(rows.into_iter().filter(holds).collect())
}

/// Those whose instances are as fields ask.
async fn of_instances(
    engine: &Engine,
    fields: &Fields,
    conditions: &Conditions,
    rows: Vec<Task>,
) -> Result<Vec<Task>, Fault> {
    let rows = of_descriptions(engine, fields, rows).await?;
    let rows = of_variables(engine, fields, rows).await?;
    let rows = match involved::Asked::of(fields)? {
        Some(asked) => asked.narrow(engine, rows).await?,
        None => rows,
    };
    let top = fields.text("rootProcessInstanceId")?;
    let (finished, unfinished) =
        (fields.flag("processFinished")?.is_some(), fields.flag("processUnfinished")?.is_some());
    if top.is_none() && !finished && !unfinished && !conditions.need_a_look() {
        return Ok(rows);
    }
    let mut found = Vec::new();
    for row in rows.into_iter().filter(|row| !row.process.is_empty()) {
        let instance = engine.instance(row.instance.into()).get().await?;
        if (finished && instance.is_active()) || (unfinished && !instance.is_active()) {
            continue;
        }
        if let Some(top) = &top
            && id::id(root(engine, &instance).await?) != **top
        {
            continue;
        }
        if conditions.need_a_look() && !conditions.hold(&engine.instance(instance.id()).variables().await?) {
            continue;
        }
        found.push(row);
    }
    Ok(found)
}

/// The list.
struct Tasks;

impl List for Tasks {
    const PATH: &'static str = "/history/task";
    const FILTERS: &'static [&'static str] = &[
        "activityInstanceIdIn",
        "assigned",
        "caseDefinitionId",
        "caseDefinitionKey",
        "caseDefinitionName",
        "caseExecutionId",
        "caseInstanceId",
        "executionId",
        "finished",
        "finishedAfter",
        "finishedBefore",
        "orQueries",
        "processDefinitionId",
        "processDefinitionKey",
        "processDefinitionName",
        "processFinished",
        "processInstanceBusinessKey",
        "processInstanceBusinessKeyIn",
        "processInstanceBusinessKeyLike",
        "processInstanceId",
        "processUnfinished",
        "processVariables",
        "rootProcessInstanceId",
        "startedAfter",
        "startedBefore",
        "taskAssignee",
        "taskAssigneeLike",
        "taskDefinitionKey",
        "taskDefinitionKeyIn",
        "taskDeleteReason",
        "taskDeleteReasonLike",
        "taskDescription",
        "taskDescriptionLike",
        "taskDueDate",
        "taskDueDateAfter",
        "taskDueDateBefore",
        "taskFollowUpDate",
        "taskFollowUpDateAfter",
        "taskFollowUpDateBefore",
        "taskHadCandidateGroup",
        "taskHadCandidateUser",
        "taskId",
        "taskInvolvedGroup",
        "taskInvolvedUser",
        "taskName",
        "taskNameLike",
        "taskOwner",
        "taskOwnerLike",
        "taskParentTaskId",
        "taskPriority",
        "taskVariables",
        "tenantIdIn",
        "unassigned",
        "unfinished",
        "withCandidateGroups",
        "withoutCandidateGroups",
        "withoutTaskDueDate",
        "withoutTenantId",
    ];
    const NEVER: &'static [&'static str] = &[
        "caseDefinitionId",
        "caseDefinitionKey",
        "caseDefinitionName",
        "caseExecutionId",
        "caseInstanceId",
        "taskParentTaskId",
    ];
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

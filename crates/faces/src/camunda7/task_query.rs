//! Which tasks are searched for.

use std::collections::{BTreeMap, BTreeSet};

use potok::query::{InstanceQuery, TaskQuery};
use potok::row::{Delegation, TaskState};
use potok::{Engine, Name, Task};

use super::answer;
use super::error::Fault;
use super::fields::Fields;
use super::filter::{by_variables, like};
use super::{id, process_definition};

const SORTED_BY: [&str; 15] = [
    "instanceId",
    "caseInstanceId",
    "dueDate",
    "executionId",
    "caseExecutionId",
    "assignee",
    "created",
    "lastUpdated",
    "followUpDate",
    "description",
    "id",
    "name",
    "nameCaseInsensitive",
    "priority",
    "tenantId",
];

/// The tasks that fields ask for, in their order.
pub(crate) async fn search(engine: &Engine, fields: &Fields) -> Result<Vec<Task>, Fault> {
    let order = answer::order(fields, &SORTED_BY)?;
    let mut rows = narrow(engine, fields).await?;
    for any in fields.objects("orQueries")? {
        let mut found = BTreeSet::new();
        for one in any.each() {
            found.extend(narrow(engine, &one).await?.into_iter().map(|row| u64::from(row.key)));
        }
        rows.retain(|row| found.contains(&row.key.into()));
    }
    answer::sort(&mut rows, &order, |by, left, right| match by {
        "instanceId" => left.instance.cmp(&right.instance),
        "dueDate" => left.due.cmp(&right.due),
        "assignee" => left.assignee.cmp(&right.assignee),
        "lastUpdated" => left.changed.cmp(&right.changed),
        "followUpDate" => left.follow_up.cmp(&right.follow_up),
        "description" => left.description.cmp(&right.description),
        "name" => left.name.cmp(&right.name),
        "nameCaseInsensitive" => lower(left.name.as_ref()).cmp(&lower(right.name.as_ref())),
        "priority" => left.priority.cmp(&right.priority),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

fn lower(name: Option<&Name>) -> Option<Name> {
    name.map(|name| name.to_lowercase())
}

/// The tasks for which all fields hold.
async fn narrow(engine: &Engine, fields: &Fields) -> Result<Vec<Task>, Fault> {
    // There are neither cases nor sub-tasks.
    if ["caseInstanceId", "caseDefinitionId", "caseInstanceVariables", "parentTaskId"]
        .iter()
        .any(|name| fields.has(name))
    {
        return Ok(Vec::new());
    }
    let Some(query) = query(engine, fields).await? else { return Ok(Vec::new()) };
    let mut rows = engine.tasks().filter(|own| *own = query.clone()).list().await?;
    of_rows(fields, &mut rows)?;
    of_names(fields, &mut rows)?;
    of_times(fields, &mut rows)?;
    rows = of_instances(engine, fields, rows).await?;
    rows = of_definitions(engine, fields, rows).await?;
    of_own_variables(engine, fields, rows).await
}

/// What the database can narrow; nothing if an id is none.
async fn query(engine: &Engine, fields: &Fields) -> Result<Option<TaskQuery>, Fault> {
    let mut query = TaskQuery { states: vec![TaskState::Open], ..TaskQuery::default() };
    for (one, many, keys) in
        [("taskId", "taskIdIn", &mut query.keys), ("processInstanceId", "processInstanceIdIn", &mut query.instances)]
    {
        let mut ids = fields.list(many)?.unwrap_or_default();
        ids.extend(fields.text(one)?);
        keys.extend(ids.iter().filter_map(|text| id::parse::<potok_core::instance::Key>(text)));
        if keys.is_empty() && !ids.is_empty() {
            return Ok(None);
        }
    }
    query.processes = fields.list("processDefinitionKeyIn")?.unwrap_or_default();
    query.processes.extend(fields.text("processDefinitionKey")?);
    query.nodes = fields.list("taskDefinitionKeyIn")?.unwrap_or_default();
    query.nodes.extend(fields.text("taskDefinitionKey")?);
    if let Some(text) = fields.text("processDefinitionId")? {
        query.definition = id::parse_definition(&text);
        if query.definition.is_none() {
            return Ok(None);
        }
    }
    query.assignee = fields.text("assignee")?;
    query.owner = fields.text("owner")?;
    if fields.is_set("assigned")? {
        query.assigned = Some(true);
    }
    if fields.is_set("unassigned")? {
        query.assigned = Some(false);
    }
    let (user, group) = (fields.text("candidateUser")?, fields.text("candidateGroup")?);
    let groups = fields.list("candidateGroups")?;
    if user.is_some() && (group.is_some() || groups.is_some()) {
        return Err(Fault::failed("Invalid query usage: cannot set both candidateUser and candidateGroup"));
    }
    let by_candidate = user.is_some() || group.is_some() || groups.is_some();
    if let Some(user) = user {
        query.candidate_groups = engine.people().groups_of(user.clone()).await?;
        query.candidate_users.push(user);
    }
    query.candidate_groups.extend(group);
    query.candidate_groups.extend(groups.into_iter().flatten());
    if by_candidate && !fields.is_set("includeAssignedTasks")? {
        query.assigned = Some(false);
    }
    query.variables = by_variables(fields, "processVariables")?;
    Ok(Some(query))
}

/// What a task's row says of people and priorities.
fn of_rows(fields: &Fields, rows: &mut Vec<Task>) -> Result<(), Fault> {
    let assignee_like = fields.text("assigneeLike")?;
    let (assignee_in, assignee_not_in) = (fields.list("assigneeIn")?, fields.list("assigneeNotIn")?);
    let involved = fields.text("involvedUser")?;
    let (priority, least, most) =
        (fields.number("priority")?, fields.number("minPriority")?, fields.number("maxPriority")?);
    let (with_groups, without_groups) =
        (fields.is_set("withCandidateGroups")?, fields.is_set("withoutCandidateGroups")?);
    let (with_users, without_users) = (fields.is_set("withCandidateUsers")?, fields.is_set("withoutCandidateUsers")?);
    let delegation = match fields.text("delegationState")?.as_deref() {
        None => None,
        Some("PENDING") => Some(Delegation::Pending),
        Some("RESOLVED") => Some(Delegation::Resolved),
        Some(other) => {
            return Err(Fault::invalid(format!("delegationState `{other}` is unknown: PENDING or RESOLVED")));
        }
    };
    let tenants = fields.list("tenantIdIn")?;
    let untenanted = fields.is_set("withoutTenantId")?;
    rows.retain(|row| {
        assignee_like.as_ref().is_none_or(|pattern| row.assignee.as_ref().is_some_and(|own| like(pattern, own)))
            && assignee_in.as_ref().is_none_or(|users| row.assignee.as_ref().is_some_and(|own| users.contains(own)))
            && assignee_not_in
                .as_ref()
                .is_none_or(|users| row.assignee.as_ref().is_some_and(|own| !users.contains(own)))
            && involved.as_ref().is_none_or(|user| {
                row.assignee.as_ref() == Some(user)
                    || row.owner.as_ref() == Some(user)
                    || row.candidate_users.contains(user)
            })
            && priority.is_none_or(|priority| row.priority == priority)
            && least.is_none_or(|least| row.priority >= least)
            && most.is_none_or(|most| row.priority <= most)
            && (!with_groups || !row.candidate_groups.is_empty())
            && (!without_groups || row.candidate_groups.is_empty())
            && (!with_users || !row.candidate_users.is_empty())
            && (!without_users || row.candidate_users.is_empty())
            && delegation.is_none_or(|delegation| row.delegation == delegation)
            && (!untenanted || row.tenant.is_none())
            && tenants.as_ref().is_none_or(|tenants| row.tenant.as_ref().is_some_and(|own| tenants.contains(own)))
    });
    Ok(())
}

/// Names and descriptions: case is ignored.
fn of_names(fields: &Fields, rows: &mut Vec<Task>) -> Result<(), Fault> {
    let folded = |name: &str| Ok::<_, Fault>(fields.text(name)?.map(|text| text.to_lowercase()));
    let (name, not, pattern, not_pattern) =
        (folded("name")?, folded("nameNotEqual")?, folded("nameLike")?, folded("nameNotLike")?);
    let (description, description_like) = (folded("description")?, folded("descriptionLike")?);
    let (node_like, node_not_in) = (fields.text("taskDefinitionKeyLike")?, fields.list("taskDefinitionKeyNotIn")?);
    rows.retain(|row| {
        let own = lower(row.name.as_ref());
        let said = lower(row.description.as_ref());
        name.as_ref().is_none_or(|name| own.as_ref() == Some(name))
            && not.as_ref().is_none_or(|name| own.as_ref() != Some(name))
            && pattern.as_ref().is_none_or(|pattern| own.as_ref().is_some_and(|own| like(pattern, own)))
            && not_pattern.as_ref().is_none_or(|pattern| own.as_ref().is_some_and(|own| !like(pattern, own)))
            && description.as_ref().is_none_or(|text| said.as_ref() == Some(text))
            && description_like.as_ref().is_none_or(|pattern| said.as_ref().is_some_and(|said| like(pattern, said)))
            && node_like.as_ref().is_none_or(|pattern| row.process_id().is_some() && like(pattern, &row.node))
            && node_not_in.as_ref().is_none_or(|nodes| !nodes.contains(&row.node))
    });
    Ok(())
}

fn of_times(fields: &Fields, rows: &mut Vec<Task>) -> Result<(), Fault> {
    let date = |name: &str| fields.date(name);
    let (due, due_after, due_before) = (date("dueDate")?.or(date("due")?), date("dueAfter")?, date("dueBefore")?);
    let without_due = fields.is_set("withoutDueDate")?;
    let (again, again_after, again_before) =
        (date("followUpDate")?.or(date("followUp")?), date("followUpAfter")?, date("followUpBefore")?);
    let again_before_or_none = date("followUpBeforeOrNotExistent")?;
    let (created, created_after, created_before) =
        (date("createdOn")?.or(date("created")?), date("createdAfter")?, date("createdBefore")?);
    let changed_after = date("updatedAfter")?;
    rows.retain(|row| {
        due.is_none_or(|time| row.due == Some(time))
            && due_after.is_none_or(|time| row.due.is_some_and(|own| own > time))
            && due_before.is_none_or(|time| row.due.is_some_and(|own| own < time))
            && (!without_due || row.due.is_none())
            && again.is_none_or(|time| row.follow_up == Some(time))
            && again_after.is_none_or(|time| row.follow_up.is_some_and(|own| own > time))
            && again_before.is_none_or(|time| row.follow_up.is_some_and(|own| own < time))
            && again_before_or_none.is_none_or(|time| row.follow_up.is_none_or(|own| own < time))
            && created.is_none_or(|time| row.created.as_millisecond() == time.as_millisecond())
            && created_after.is_none_or(|time| row.created > time)
            && created_before.is_none_or(|time| row.created < time)
            && changed_after.is_none_or(|time| row.changed.unwrap_or(row.created) > time)
    });
    Ok(())
}

/// What the tasks' instances say: business keys, and whether they are suspended.
async fn of_instances(engine: &Engine, fields: &Fields, mut rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let (key, keys, pattern) = (
        fields.text("processInstanceBusinessKey")?,
        fields.list("processInstanceBusinessKeyIn")?,
        fields.text("processInstanceBusinessKeyLike")?,
    );
    let (active, suspended) = (fields.is_set("active")?, fields.is_set("suspended")?);
    let asks = key.is_some() || keys.is_some() || pattern.is_some() || active || suspended;
    if !asks || rows.is_empty() {
        return Ok(rows);
    }
    let query = InstanceQuery { keys: rows.iter().map(|row| row.instance).collect(), ..InstanceQuery::default() };
    let instances: BTreeMap<u64, _> =
        engine.instances(&query).await?.into_iter().map(|row| (u64::from(row.key), row)).collect();
    rows.retain(|row| {
        let Some(instance) = instances.get(&row.instance.into()) else { return false };
        let own = instance.business_key.as_ref();
        key.as_ref().is_none_or(|key| own == Some(key))
            && keys.as_ref().is_none_or(|keys| own.is_some_and(|own| keys.contains(own)))
            && pattern.as_ref().is_none_or(|pattern| own.is_some_and(|own| like(pattern, own)))
            && (!active || !instance.suspended)
            && (!suspended || instance.suspended)
    });
    Ok(rows)
}

/// What the tasks' definitions say: names, and deployments.
async fn of_definitions(engine: &Engine, fields: &Fields, mut rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let (name, pattern) = (fields.text("processDefinitionName")?, fields.text("processDefinitionNameLike")?);
    let deployments = fields.list("deploymentIdIn")?;
    if name.is_none() && pattern.is_none() && deployments.is_none() {
        return Ok(rows);
    }
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    rows.retain(|row| {
        definitions.get(&row.definition.into()).is_some_and(|definition| {
            name.as_ref().is_none_or(|name| definition.name.as_ref() == Some(name))
                && pattern.as_ref().is_none_or(|pattern| definition.name.as_ref().is_some_and(|own| like(pattern, own)))
                && deployments
                    .as_ref()
                    .is_none_or(|deployments| deployments.contains(&id::id(definition.deployment).into()))
        })
    });
    Ok(rows)
}

/// Variables of tasks' own, which are looked at one by one.
async fn of_own_variables(engine: &Engine, fields: &Fields, rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let conditions = by_variables(fields, "taskVariables")?;
    if conditions.is_empty() {
        return Ok(rows);
    }
    let mut found = Vec::new();
    for row in rows {
        let own = engine.local_task_variables(row.id()).await?;
        let holds = |condition: &potok::query::VariableFilter| {
            own.iter()
                .any(|(name, value)| *name == condition.name && super::filter::holds(&condition.comparison, value))
        };
        if conditions.iter().all(holds) {
            found.push(row);
        }
    }
    Ok(found)
}

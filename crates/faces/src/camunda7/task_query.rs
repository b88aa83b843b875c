//! Which tasks are searched for: what the database can find, it does; the rest is looked at page by page, as far as is asked for.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use potok::query::{TaskOrder, TaskQuery};
use potok::row::{Delegation, TaskState};
use potok::{Engine, Name, Task, Value};
use potok_core::instance::Key;
use potok_core::value::Zone;

use super::answer::{self, Order, Variable};
use super::condition::{Conditions, like};
use super::error::Fault;
use super::fields::Fields;
use super::list::{self, Asked, Pages};
use super::model::Model;
use super::task::Tasks;
use super::{definition_query, id, process_definition, task, value};

/// What the database does not compare: names and descriptions, for their case is ignored; and variables of tasks' own.
const LOOKED_AT: [&str; 13] = [
    "name",
    "nameNotEqual",
    "nameLike",
    "nameNotLike",
    "description",
    "descriptionLike",
    "taskDefinitionKeyLike",
    "taskDefinitionKeyNotIn",
    "assigneeNotIn",
    "taskVariables",
    "activityInstanceIdIn",
    "executionId",
    "candidateGroupLike",
];

/// By what nothing is found if it is empty, for in the database what is empty is not asked for.
const NOBODY_IS_NAMELESS: [&str; 10] = [
    "assigneeIn",
    "assigneeLike",
    "involvedUser",
    "owner",
    "processDefinitionKey",
    "processDefinitionKeyIn",
    "processInstanceBusinessKey",
    "processInstanceBusinessKeyIn",
    "processInstanceBusinessKeyLike",
    "tenantIdIn",
];

/// The tasks that fields ask for, in their order.
pub(crate) async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Task>, Fault> {
    let Asked { fields, order, .. } = asked;
    let Some(mut query) = whole(engine, fields).await? else { return Ok(Vec::new()) };
    let (mut until, mut descending) = (asked.until, false);
    match order.as_slice() {
        [] => {}
        [by] if in_database(&by.name).is_some() => {
            (query.order, descending) = (in_database(&by.name).unwrap_or_default(), by.descending);
        }
        _ => until = usize::MAX,
    }
    let mut rows = walk(engine, &query, fields, (until, descending)).await?;
    if order.iter().any(|by| by.variable.is_some()) {
        return sorted_by_variables(engine, order, rows).await;
    }
    if until == usize::MAX {
        answer::sort(&mut rows, order, compare);
    }
    Ok(rows)
}

/// Where a variable's value stands among others of its type; what there is not stands before all that there is.
#[derive(Debug, PartialEq, PartialOrd)]
enum Rank {
    Whole(i64),
    Number(f64),
    Text(Name),
}

/// Variables are looked at task by task.
async fn sorted_by_variables(engine: &Engine, order: &Order, rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let mut ranked = Vec::with_capacity(rows.len());
    for row in rows {
        let mut ranks = Vec::with_capacity(order.len());
        for by in order {
            ranks.push(match &by.variable {
                Some(variable) => rank(engine, &row, &by.name, variable).await?,
                None => None,
            });
        }
        ranked.push((ranks, row));
    }
    ranked.sort_by(|(left_ranks, left), (right_ranks, right)| {
        answer::in_order(order, |at, by| match by.variable {
            Some(_) => left_ranks[at].partial_cmp(&right_ranks[at]).unwrap_or(Ordering::Equal),
            None => compare(&by.name, left, right),
        })
    });
    Ok(ranked.into_iter().map(|(_, row)| row).collect())
}

async fn rank(engine: &Engine, task: &Task, by: &str, variable: &Variable) -> Result<Option<Rank>, Fault> {
    let variables = match by {
        "taskVariable" => engine.local_task_variables(task.id()).await?,
        "processVariable" | "executionVariable" if task.process_id().is_some() => {
            engine.task_variables(task.id()).await?
        }
        // There are no cases.
        _ => return Ok(None),
    };
    let named = variables.iter().find(|(name, _)| *name == variable.name);
    Ok(named.filter(|(_, value)| value::kind(value) == *variable.kind).and_then(|(_, value)| match value.plain() {
        Value::Boolean(flag) => Some(Rank::Whole((*flag).into())),
        Value::Integer(number) => Some(Rank::Whole(*number)),
        Value::Number(number) => Some(Rank::Number(*number)),
        Value::String(text) => Some(Rank::Text(text.to_lowercase())),
        Value::DateTime(moment) => moment.timestamp(&Zone::UTC).ok().map(|time| Rank::Whole(time.as_millisecond())),
        _ => None,
    }))
}

/// How many there are.
pub(crate) async fn count(engine: &Engine, asked: &Asked<'_>) -> Result<u64, Fault> {
    let Some(query) = whole(engine, asked.fields).await? else { return Ok(0) };
    if needs_a_look(asked.fields)? {
        return Ok(walk(engine, &query, asked.fields, (usize::MAX, false)).await?.len() as u64);
    }
    Ok(engine.tasks().filter(|own| *own = query).count().await?)
}

/// What the database sorts by.
fn in_database(by: &str) -> Option<TaskOrder> {
    Some(match by {
        "instanceId" => TaskOrder::Instance,
        "dueDate" => TaskOrder::Due,
        "assignee" => TaskOrder::Assignee,
        "lastUpdated" => TaskOrder::Changed,
        "followUpDate" => TaskOrder::FollowUp,
        "description" => TaskOrder::Description,
        "name" => TaskOrder::Name,
        "priority" => TaskOrder::Priority,
        "tenantId" => TaskOrder::Tenant,
        "created" | "id" | "executionId" => TaskOrder::Created,
        _ => return None,
    })
}

fn compare(by: &str, left: &Task, right: &Task) -> Ordering {
    // As in the database, what is not there is at no time, and that comes last.
    let time = |time: Option<Timestamp>| time.unwrap_or(Timestamp::MAX);
    match by {
        "instanceId" => left.instance.cmp(&right.instance),
        "dueDate" => time(left.due).cmp(&time(right.due)),
        "assignee" => left.assignee.cmp(&right.assignee),
        "lastUpdated" => time(left.changed).cmp(&time(right.changed)),
        "followUpDate" => time(left.follow_up).cmp(&time(right.follow_up)),
        "description" => left.description.cmp(&right.description),
        "name" => left.name.cmp(&right.name),
        "nameCaseInsensitive" => lower(left.name.as_ref()).cmp(&lower(right.name.as_ref())),
        "priority" => left.priority.cmp(&right.priority),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    }
}

fn lower(name: Option<&Name>) -> Option<Name> {
    name.map(|name| name.to_lowercase())
}

fn needs_a_look(fields: &Fields) -> Result<bool, Fault> {
    let by_name = LOOKED_AT.iter().any(|name| fields.has(name));
    Ok(by_name || Conditions::of_task(fields, "processVariables")?.need_a_look())
}

/// The rows that the database finds and that are as fields ask, until there are as many as are looked at.
async fn walk(
    engine: &Engine,
    query: &TaskQuery,
    fields: &Fields,
    (until, descending): (usize, bool),
) -> Result<Vec<Task>, Fault> {
    let mut pages = Pages::new(until, descending);
    let mut rows = Vec::new();
    while let Some(paging) = pages.next(rows.len()) {
        let query = TaskQuery { page: paging, ..query.clone() };
        let page = engine.tasks().filter(|own| *own = query).page().await?;
        pages.turn(page.next);
        let mut found = page.rows;
        if needs_a_look(fields)? {
            of_names(fields, &mut found)?;
            found = of_descriptions(engine, fields, found).await?;
            found = of_variables(engine, fields, found).await?;
        }
        rows.extend(found);
    }
    Ok(rows)
}

/// All that fields ask for, and that at least one of each of their `orQueries` holds; nothing if that cannot be.
async fn whole(engine: &Engine, fields: &Fields) -> Result<Option<TaskQuery>, Fault> {
    let alternatives = fields.objects("orQueries")?;
    for part in alternatives.iter().chain([fields]) {
        if part.is_set("includeAssignedTasks")? && !is_by_candidate(part)? {
            let message = "Invalid query usage: includeAssignedTasks goes with candidateUser, candidateGroup, candidateGroups, \
                           withCandidateUsers, withCandidateGroups and their opposites only";
            return Err(Fault::failed(message));
        }
    }
    let Some(mut query) = query(engine, fields).await? else { return Ok(None) };
    for any in alternatives {
        let (mut either, each) = (Vec::new(), any.each::<Tasks>());
        if each.is_empty() {
            continue;
        }
        for one in each {
            let Some(found) = self::query(engine, &one).await? else { continue };
            if !needs_a_look(&one)? {
                either.push(found);
                continue;
            }
            let keys: Vec<Key> =
                walk(engine, &found, &one, (usize::MAX, false)).await?.iter().map(|task| task.key).collect();
            if !keys.is_empty() {
                either.push(TaskQuery { keys, ..TaskQuery::default() });
            }
        }
        if either.is_empty() {
            return Ok(None);
        }
        query.either.push(either);
    }
    Ok(Some(query))
}

/// What the database finds for all other fields; nothing if that cannot be.
async fn query(engine: &Engine, fields: &Fields) -> Result<Option<TaskQuery>, Fault> {
    if list::is_never::<Tasks>(fields) {
        return Ok(None);
    }
    if let Some(name) = fields.members().keys().find(|name| name.ends_with("Expression") && fields.has(name)) {
        fields.text(name)?;
        let message = format!("Expressions are forbidden in adhoc queries: keep `{name}` in a filter");
        return Err(Fault::bad_request_of("BadUserRequestException", message));
    }
    if fields.are_empty(&NOBODY_IS_NAMELESS) {
        return Ok(None);
    }
    let mut query = TaskQuery { states: vec![TaskState::Open], ..TaskQuery::default() };
    for (one, many, keys) in
        [("taskId", "taskIdIn", &mut query.keys), ("processInstanceId", "processInstanceIdIn", &mut query.instances)]
    {
        let mut ids = fields.list(many)?.unwrap_or_default();
        ids.extend(fields.text(one)?);
        keys.extend(ids.iter().filter_map(|text| id::parse::<Key>(text)));
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
    if let Some(definitions) = definition_query::named(engine, fields).await? {
        if definitions.is_empty() {
            return Ok(None);
        }
        query.definitions = definitions;
    }
    query.tenants = fields.list("tenantIdIn")?.unwrap_or_default();
    if fields.is_set("withoutTenantId")? {
        query.tenants.push(Name::new());
    }
    query.variables = Conditions::of_task(fields, "processVariables")?.in_database();
    of_instance(fields, &mut query)?;
    of_people(engine, fields, &mut query).await?;
    of_times(fields, &mut query)?;
    query.priority_from = fields.number("minPriority")?;
    query.priority_to = fields.number("maxPriority")?;
    if let Some(priority) = fields.number("priority")? {
        query.priority_from = query.priority_from.max(Some(priority));
        query.priority_to = Some(query.priority_to.map_or(priority, |most| most.min(priority)));
    }
    Ok(Some(query))
}

/// What the tasks' instances say: business keys, and whether they are suspended.
fn of_instance(fields: &Fields, query: &mut TaskQuery) -> Result<(), Fault> {
    query.business_keys = fields.list("processInstanceBusinessKeyIn")?.unwrap_or_default();
    query.business_keys.extend(fields.text("processInstanceBusinessKey")?);
    query.business_key_like = fields.text("processInstanceBusinessKeyLike")?.map(|pattern| pattern.to_string());
    if fields.is_set("active")? {
        query.suspended = Some(false);
    }
    if fields.is_set("suspended")? {
        query.suspended = Some(true);
    }
    Ok(())
}

/// Who has them, and who may.
async fn of_people(engine: &Engine, fields: &Fields, query: &mut TaskQuery) -> Result<(), Fault> {
    query.assignee = fields.text("assignee")?;
    query.assignees = fields.list("assigneeIn")?.unwrap_or_default();
    query.assignee_like = fields.text("assigneeLike")?.map(|pattern| pattern.to_string());
    query.owner = fields.text("owner")?;
    if fields.is_set("assigned")? {
        query.assigned = Some(true);
    }
    if fields.is_set("unassigned")? {
        query.assigned = Some(false);
    }
    for (with, without, has) in [
        ("withCandidateGroups", "withoutCandidateGroups", &mut query.has_candidate_groups),
        ("withCandidateUsers", "withoutCandidateUsers", &mut query.has_candidate_users),
    ] {
        if fields.is_set(with)? {
            *has = Some(true);
        }
        if fields.is_set(without)? {
            *has = Some(false);
        }
    }
    query.delegation = match fields.text("delegationState")?.map(|state| state.to_ascii_uppercase()).as_deref() {
        None => None,
        Some("PENDING") => Some(Delegation::Pending),
        Some("RESOLVED") => Some(Delegation::Resolved),
        Some(other) => {
            return Err(Fault::invalid(format!("delegationState `{other}` is unknown: PENDING or RESOLVED")));
        }
    };
    if let Some(user) = fields.text("involvedUser")? {
        let (none, user) = (TaskQuery::default, Some(user));
        query.either.push(vec![
            TaskQuery { assignee: user.clone(), ..none() },
            TaskQuery { owner: user.clone(), ..none() },
            TaskQuery { candidate_users: user.into_iter().collect(), ..none() },
        ]);
    }
    let (user, group) = (fields.text("candidateUser")?, fields.text("candidateGroup")?);
    let groups = fields.array("candidateGroups")?;
    if groups.as_ref().is_some_and(Vec::is_empty) {
        return Err(Fault::failed("Candidate group list is empty"));
    }
    if user.is_some() && (group.is_some() || groups.is_some()) {
        return Err(Fault::failed("Invalid query usage: cannot set both candidateUser and candidateGroup"));
    }
    let by_candidate = is_by_candidate(fields)?;
    if let Some(user) = user {
        query.candidate_groups = engine.people().groups_of(user.clone()).await?;
        query.candidate_users.push(user);
    }
    query.candidate_groups.extend(group);
    query.candidate_groups.extend(groups.into_iter().flatten());
    if by_candidate && !fields.is_set("includeAssignedTasks")? {
        query.assigned = Some(false);
    }
    Ok(())
}

/// Whether tasks are asked for by who may claim them: then those that somebody has are not meant.
fn is_by_candidate(fields: &Fields) -> Result<bool, Fault> {
    for name in ["withCandidateGroups", "withoutCandidateGroups", "withCandidateUsers", "withoutCandidateUsers"] {
        if fields.is_set(name)? {
            return Ok(true);
        }
    }
    let names = [
        "candidateUser",
        "candidateUserExpression",
        "candidateGroup",
        "candidateGroupExpression",
        "candidateGroups",
        "candidateGroupsExpression",
        "candidateGroupLike",
    ];
    Ok(names.into_iter().any(|name| fields.has(name)))
}

/// From then on, and only until before then: where a time is asked for as Camunda counts, in milliseconds.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

fn after(time: Timestamp) -> Timestamp {
    time.saturating_add(MOMENT).unwrap_or(time)
}

fn at(time: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    (Some(time), Some(time.saturating_add(MOMENT).unwrap_or(time)))
}

fn of_times(fields: &Fields, query: &mut TaskQuery) -> Result<(), Fault> {
    let date = |name: &str| fields.date(name);
    query.due_from = date("dueAfter")?.map(after);
    query.due_before = date("dueBefore")?;
    if let Some(time) = date("dueDate")?.or(date("due")?) {
        (query.due_from, query.due_before) = at(time);
    }
    if fields.is_set("withoutDueDate")? {
        query.has_due = Some(false);
    }
    query.follow_up_from = date("followUpAfter")?.map(after);
    query.follow_up_before = date("followUpBefore")?;
    if let Some(time) = date("followUpDate")?.or(date("followUp")?) {
        (query.follow_up_from, query.follow_up_before) = at(time);
    }
    if let Some(time) = date("followUpBeforeOrNotExistent")? {
        query.either.push(vec![
            TaskQuery { follow_up_before: Some(time), ..TaskQuery::default() },
            TaskQuery { has_follow_up: Some(false), ..TaskQuery::default() },
        ]);
    }
    query.created_from = date("createdAfter")?.map(after);
    query.created_before = date("createdBefore")?;
    if let Some(time) = date("createdOn")?.or(date("created")?) {
        (query.created_from, query.created_before) = at(time);
    }
    if let Some(time) = date("updatedAfter")?.map(after) {
        query.either.push(vec![
            TaskQuery { changed_from: Some(time), ..TaskQuery::default() },
            TaskQuery { created_from: Some(time), ..TaskQuery::default() },
        ]);
    }
    Ok(())
}

/// Names and descriptions: case is ignored.
fn of_names(fields: &Fields, rows: &mut Vec<Task>) -> Result<(), Fault> {
    let folded = |name: &str| Ok::<_, Fault>(fields.text(name)?.map(|text| text.to_lowercase()));
    let (name, not, pattern, not_pattern) =
        (folded("name")?, folded("nameNotEqual")?, folded("nameLike")?, folded("nameNotLike")?);
    let (node_like, node_not_in) = (fields.text("taskDefinitionKeyLike")?, fields.list("taskDefinitionKeyNotIn")?);
    let assignee_not_in = fields.list("assigneeNotIn")?;
    let (execution, activities) = (fields.text("executionId")?, fields.list("activityInstanceIdIn")?);
    let group_like = fields.text("candidateGroupLike")?;
    rows.retain(|row| {
        let own = lower(row.name.as_ref());
        name.as_ref().is_none_or(|name| own.as_ref() == Some(name))
            && not.as_ref().is_none_or(|name| own.as_ref() != Some(name))
            && pattern.as_ref().is_none_or(|pattern| own.as_ref().is_some_and(|own| like(pattern, own)))
            && not_pattern.as_ref().is_none_or(|pattern| own.as_ref().is_some_and(|own| !like(pattern, own)))
            && node_like.as_ref().is_none_or(|pattern| row.process_id().is_some() && like(pattern, &row.node))
            && node_not_in.as_ref().is_none_or(|nodes| row.process_id().is_some() && !nodes.contains(&row.node))
            && assignee_not_in
                .as_ref()
                .is_none_or(|users| row.assignee.as_ref().is_some_and(|own| !users.contains(own)))
            && execution
                .as_ref()
                .is_none_or(|text| row.process_id().is_some() && id::parse_part(text) == Some((row.key, id::EXECUTION)))
            && activities
                .as_ref()
                .is_none_or(|ids| ids.contains(&id::activity_instance(&row.node, row.key, id::ACTIVITY).into()))
            && group_like.as_ref().is_none_or(|pattern| row.candidate_groups.iter().any(|group| like(pattern, group)))
    });
    Ok(())
}

/// What is to be done. Case is ignored.
async fn of_descriptions(engine: &Engine, fields: &Fields, rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let (text, pattern) = (fields.text("description")?, fields.text("descriptionLike")?);
    if text.is_none() && pattern.is_none() {
        return Ok(rows);
    }
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let models = Model::of_all(engine, &definitions).await?;
    let (text, pattern) = (lower(text.as_ref()), lower(pattern.as_ref()));
    let fits = |row: &Task| {
        let own = task::description(row, &models).map(str::to_lowercase);
        text.as_deref().is_none_or(|text| own.as_deref() == Some(text))
            && pattern.as_ref().is_none_or(|pattern| own.as_ref().is_some_and(|own| like(pattern, own)))
    };
    Ok(rows.into_iter().filter(fits).collect())
}

/// Variables that are looked at one by one.
async fn of_variables(engine: &Engine, fields: &Fields, rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
    let (own, of_process) =
        (Conditions::of_task(fields, "taskVariables")?, Conditions::of_task(fields, "processVariables")?);
    let mut found = Vec::new();
    for row in rows {
        if !own.is_empty() && !own.hold(&engine.local_task_variables(row.id()).await?) {
            continue;
        }
        if of_process.need_a_look() && !of_process.hold(&engine.instance(row.instance_id()).variables().await?) {
            continue;
        }
        found.push(row);
    }
    Ok(found)
}

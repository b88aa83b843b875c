//! Which external tasks are searched for: what the database can find, it does; the rest is looked at page by page.

use jiff::Timestamp;
use potok::query::{JobOrder, JobQuery};
use potok::row::Job as JobRow;
use potok::{Engine, Name};

use super::condition::Conditions;
use super::error::Fault;
use super::external_task::is_locked;
use super::fields::Fields;
use super::list::{Asked, Pages};
use super::{answer, definition_query, id};

/// What the database does not look at.
const LOOKED_AT: [&str; 8] = [
    "locked",
    "notLocked",
    "lockExpirationAfter",
    "lockExpirationBefore",
    "executionId",
    "processDefinitionName",
    "processDefinitionNameLike",
    "processVariables",
];

fn needs_a_look(fields: &Fields) -> bool {
    LOOKED_AT.iter().any(|name| fields.has(name))
}

/// The tasks that fields ask for, in their order.
pub(crate) async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<JobRow>, Fault> {
    let Asked { fields, order, .. } = asked;
    let Some(mut query) = query(fields)? else { return Ok(Vec::new()) };
    let (mut until, mut descending) = (asked.until, false);
    match order.as_slice() {
        [] => {}
        [by] => (query.order, descending) = (in_database(&by.name), by.descending),
        _ => until = usize::MAX,
    }
    let mut rows = walk(engine, &query, fields, (until, descending)).await?;
    if until == usize::MAX {
        answer::sort(&mut rows, order, |by, left, right| match in_database(by) {
            JobOrder::LeasedUntil => left.leased_until.cmp(&right.leased_until),
            JobOrder::Instance => left.instance.cmp(&right.instance),
            JobOrder::Definition => left.definition.cmp(&right.definition),
            JobOrder::Process => left.process.cmp(&right.process),
            JobOrder::Priority => left.priority.cmp(&right.priority),
            JobOrder::Tenant => left.tenant.cmp(&right.tenant),
            JobOrder::Created => left.key.cmp(&right.key),
        });
    }
    Ok(rows)
}

/// How many there are.
pub(crate) async fn count(engine: &Engine, asked: &Asked<'_>) -> Result<u64, Fault> {
    let Some(query) = query(asked.fields)? else { return Ok(0) };
    if needs_a_look(asked.fields) {
        return Ok(walk(engine, &query, asked.fields, (usize::MAX, false)).await?.len() as u64);
    }
    Ok(engine.count(&query).await?)
}

fn in_database(by: &str) -> JobOrder {
    match by {
        "lockExpirationTime" => JobOrder::LeasedUntil,
        "processInstanceId" => JobOrder::Instance,
        "processDefinitionId" => JobOrder::Definition,
        "processDefinitionKey" => JobOrder::Process,
        "taskPriority" => JobOrder::Priority,
        "tenantId" => JobOrder::Tenant,
        _ => JobOrder::Created,
    }
}

/// The rows that the database finds and that are as fields ask, until there are as many as are looked at.
async fn walk(
    engine: &Engine,
    query: &JobQuery,
    fields: &Fields,
    (until, descending): (usize, bool),
) -> Result<Vec<JobRow>, Fault> {
    let mut pages = Pages::new(until, descending);
    let mut rows = Vec::new();
    while let Some(page) = pages.next(rows.len()) {
        let mut found = engine.search(&JobQuery { page, ..query.clone() }).await?;
        pages.turn(found.next);
        if needs_a_look(fields) {
            look(fields, &mut found.rows)?;
            of_processes(engine, fields, &mut found.rows).await?;
        }
        rows.extend(found.rows);
    }
    Ok(rows)
}

/// Locks: who has failed a task keeps it until the next try.
fn look(fields: &Fields, rows: &mut Vec<JobRow>) -> Result<(), Fault> {
    let now = Timestamp::now();
    let (after, before) = (fields.date("lockExpirationAfter")?, fields.date("lockExpirationBefore")?);
    let (locked, not_locked) = (fields.is_set("locked")?, fields.is_set("notLocked")?);
    let execution = fields.text("executionId")?;
    rows.retain(|row| {
        let until = if row.lease == 0 { row.available } else { row.leased_until };
        let is_held = row.worker.is_some();
        (!locked || is_locked(row, now))
            && (!not_locked || !is_locked(row, now))
            && after.is_none_or(|after| is_held && until > after)
            && before.is_none_or(|before| is_held && until < before)
            && execution.as_ref().is_none_or(|text| id::parse_part(text) == Some((row.key, id::EXECUTION)))
    });
    Ok(())
}

/// Names and variables of the tasks' processes.
async fn of_processes(engine: &Engine, fields: &Fields, rows: &mut Vec<JobRow>) -> Result<(), Fault> {
    if let Some(definitions) = definition_query::named(engine, fields).await? {
        rows.retain(|row| definitions.contains(&row.definition));
    }
    let conditions = Conditions::of_task(fields, "processVariables")?;
    if !conditions.is_empty() {
        let mut found = Vec::new();
        for row in rows.drain(..) {
            if conditions.hold(&engine.instance(row.instance.into()).variables().await?) {
                found.push(row);
            }
        }
        *rows = found;
    }
    Ok(())
}

/// What the database finds for all other fields; nothing if that cannot be.
fn query(fields: &Fields) -> Result<Option<JobQuery>, Fault> {
    let mut query = JobQuery { topics: fields.text("topicName")?.into_iter().collect(), ..JobQuery::default() };
    let mut ids = fields.list("externalTaskIdIn")?.unwrap_or_default();
    ids.extend(fields.text("externalTaskId")?);
    query.keys = ids.iter().filter_map(|text| id::parse(text)).collect();
    let mut instances = fields.list("processInstanceIdIn")?.unwrap_or_default();
    instances.extend(fields.text("processInstanceId")?);
    query.instances = instances.iter().filter_map(|text| id::parse(text)).collect();
    query.nodes = fields.list("activityIdIn")?.unwrap_or_default();
    query.nodes.extend(fields.text("activityId")?);
    query.processes = fields.list("processDefinitionKeyIn")?.unwrap_or_default();
    query.processes.extend(fields.text("processDefinitionKey")?);
    let definition = fields.text("processDefinitionId")?;
    query.definition = definition.as_ref().and_then(|text| id::parse_definition(text));
    let asks_for_nobody = (query.keys.is_empty() && !ids.is_empty())
        || (query.instances.is_empty() && !instances.is_empty())
        || (query.definition.is_none() && definition.is_some());
    if asks_for_nobody {
        return Ok(None);
    }
    query.last_worker = fields.text("workerId")?;
    query.tenants = fields.list("tenantIdIn")?.unwrap_or_default();
    if fields.is_set("withoutTenantId")? {
        query.tenants.push(Name::new());
    }
    query.priority_from = fields.number("priorityHigherThanOrEquals")?;
    query.priority_to = fields.number("priorityLowerThanOrEquals")?;
    for (yes, no, is) in
        [("withRetriesLeft", "noRetriesLeft", &mut query.has_retries), ("suspended", "active", &mut query.suspended)]
    {
        if fields.is_set(yes)? {
            *is = Some(true);
        }
        if fields.is_set(no)? {
            *is = Some(false);
        }
    }
    Ok(Some(query))
}

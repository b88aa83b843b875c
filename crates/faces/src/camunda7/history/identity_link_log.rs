//! `/history/identity-link-log`: who came to have to do with tasks, and who no longer had.

use std::collections::BTreeMap;

use axum::Router;
use jiff::Timestamp;
use potok::row::Definition;
use potok::{Assignment, Engine, Instance, Name};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use super::involved::{Stand, stands};
use super::{instances, is_between, of_tenants, root};
use crate::camunda7::answer;
use crate::camunda7::condition::is;
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::{id, process_definition};

pub(crate) fn routes() -> Router<Engine> {
    list::routes::<Links>()
}

/// Somebody began or ceased to have to do with a task.
struct Link {
    /// Which one of its instance's links it is.
    number: u32,
    task: Key,
    time: Timestamp,
    by: Option<Name>,
    kind: &'static str,
    user: Option<Name>,
    group: Option<Name>,
    is_added: bool,
}

/// Who has to do with a task: in which way, as a user or as a group.
fn all_of(who: &Assignment) -> Vec<(&'static str, Option<Name>, Option<Name>)> {
    let user = |kind, name: &Name| (kind, Some(name.clone()), None);
    let mut all: Vec<_> = who.owner.iter().map(|name| user("owner", name)).collect();
    all.extend(who.assignee.iter().map(|name| user("assignee", name)));
    all.extend(who.candidate_users.iter().map(|name| user("candidate", name)));
    all.extend(who.candidate_groups.iter().map(|name| ("candidate", None, Some(name.clone()))));
    all
}

async fn of_instance(engine: &Engine, instance: &Instance) -> Result<Vec<Link>, Fault> {
    let mut before: BTreeMap<Key, Assignment> = BTreeMap::new();
    let mut links = Vec::new();
    for Stand { task, time, by, who, is_of_model } in stands(engine, instance.id()).await? {
        if is_of_model && before.contains_key(&task) {
            continue;
        }
        let (old, new) = (before.get(&task).map(all_of).unwrap_or_default(), all_of(&who));
        let gone = old.iter().filter(|link| !new.contains(link)).map(|link| (link, false));
        let come = new.iter().filter(|link| !old.contains(link)).map(|link| (link, true));
        for ((kind, user, group), is_added) in gone.chain(come) {
            let number = u32::try_from(links.len()).unwrap_or(u32::MAX);
            let (kind, user, group, by) = (*kind, user.clone(), group.clone(), by.clone());
            links.push(Link { number, task, time, by, kind, user, group, is_added });
        }
        before.insert(task, who);
    }
    Ok(links)
}

fn shown(link: &Link, instance: &Instance, (definition, root): (Option<&Definition>, &str)) -> Json {
    let belongs = !instance.process.is_empty();
    json!({
        "id": id::part(instance.key, id::token(link.number)),
        "time": date(link.time),
        "type": link.kind,
        "userId": link.user.as_deref(),
        "groupId": link.group.as_deref(),
        "taskId": id::id(link.task),
        "processDefinitionId": definition.filter(|_| belongs).map(id::definition),
        "processDefinitionKey": belongs.then_some(&*instance.process),
        "operationType": if link.is_added { "add" } else { "delete" },
        "assignerId": link.by.as_deref(),
        "tenantId": instance.tenant.as_deref(),
        "removalTime": instance.expires.map(date),
        "rootProcessInstanceId": belongs.then_some(root),
    })
}

/// What is found, with when it happened.
struct Found {
    shown: Json,
    time: Timestamp,
}

/// The histories of the instances that fields mean are read one after the other: narrow them by process or task.
async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Found>, Fault> {
    let Asked { fields, order, .. } = asked;
    let Some(mut query) = instances(fields)? else { return Ok(Vec::new()) };
    query.has_process = None;
    let task = fields.text("taskId")?;
    if let Some(text) = &task {
        let Some(key) = id::parse::<Key>(text) else { return Ok(Vec::new()) };
        match engine.task(key.into()).await {
            Ok(task) => query.keys = vec![task.instance],
            Err(potok::Error::UnknownTask(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    }
    let names = ["type", "userId", "groupId", "taskId", "operationType", "assignerId"];
    let mut wanted = Vec::new();
    for name in names {
        wanted.push((name, fields.text(name)?));
    }
    let occurred = (fields.date("dateAfter")?, fields.date("dateBefore")?);
    let rows = of_tenants(engine, fields, &query).await?;
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut all = Vec::new();
    for row in &rows {
        let root = id::id(root(engine, row).await?);
        for link in of_instance(engine, row).await? {
            let shown = shown(&link, row, (definitions.get(&row.definition.into()), &root));
            let fits = wanted.iter().all(|(name, asked)| is(asked.as_ref(), shown[*name].as_str()));
            if fits && is_between(occurred, Some(link.time)) {
                all.push(Found { shown, time: link.time });
            }
        }
    }
    answer::sort(&mut all, order, |by, left, right| {
        if by == "time" {
            return left.time.cmp(&right.time);
        }
        left.shown[by].as_str().cmp(&right.shown[by].as_str())
    });
    Ok(all)
}

/// The list.
struct Links;

impl List for Links {
    const PATH: &'static str = "/history/identity-link-log";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &[
        "time",
        "type",
        "userId",
        "groupId",
        "taskId",
        "processDefinitionId",
        "processDefinitionKey",
        "operationType",
        "assignerId",
        "tenantId",
    ];
    type Row = Found;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Found>, Fault> {
        search(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Found>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.into_iter().map(|found| found.shown).collect())
    }
}

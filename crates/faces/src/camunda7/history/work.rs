//! What the logs of jobs and of external tasks have in common: entries of the instances' work logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use potok::row::{Definition, Incident};
use potok::{Engine, Instance, InstanceId, WorkEntry, WorkEvent, WorkKind};
use potok_core::instance::Key;
use serde_json::{Map, Value as Json, json};

use super::{instances, root};
use crate::camunda7::answer;
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::job_definition::{self, Kind};
use crate::camunda7::list::Asked;
use crate::camunda7::model::Model;
use crate::camunda7::{id, process_definition};

/// From there on, the entries of an instance's work log.
const ENTRIES: u32 = 1 << 29;

/// An entry, and what it is of.
pub(super) struct Logged {
    pub(super) entry: WorkEntry,
    /// Its place in the instance's log.
    number: u32,
    pub(super) instance: Instance,
    pub(super) shown: Json,
}

/// What all entries of some instances have in common.
#[derive(Default)]
struct Around {
    definitions: BTreeMap<u64, Definition>,
    models: BTreeMap<u64, Arc<Model>>,
}

impl Around {
    async fn look_up(&mut self, engine: &Engine, key: Key) -> Result<(), Fault> {
        if self.definitions.contains_key(&key.into()) {
            return Ok(());
        }
        for (key, definition) in process_definition::of_keys(engine, [key]).await? {
            self.models.insert(key, Model::of(engine, &definition).await?);
            self.definitions.insert(key, definition);
        }
        Ok(())
    }
}

/// Shows what is particular to one of the logs, given the model and the id of what the flow node's jobs have in common; nothing if an
/// entry is not of it.
pub(super) type Particular = fn(&WorkEntry, &Model, &str) -> Option<Json>;

/// The entries that fields ask for, in their order. The histories of the instances that fields mean are read one after the other.
pub(super) async fn find(engine: &Engine, asked: &Asked<'_>, particular: Particular) -> Result<Vec<Logged>, Fault> {
    let Asked { fields, order, until } = asked;
    let Some(query) = instances(fields)? else { return Ok(Vec::new()) };
    let mut around = Around::default();
    let mut found = Vec::new();
    for instance in engine.instances(&query).await? {
        for logged in of_instance(engine, &mut around, &instance, particular).await? {
            if fits(fields, &logged)? {
                found.push(logged);
            }
        }
        if order.is_empty() && found.len() >= *until {
            break;
        }
    }
    answer::sort(&mut found, order, |by, left, right| {
        let member = |logged: &Logged| match &logged.shown[by] {
            Json::String(text) => text.clone(),
            // Of the same length, so that numbers are sorted as such.
            Json::Number(number) => format!("{:020}", number.as_i64().unwrap_or_default()),
            _ => String::new(),
        };
        match by {
            "timestamp" | "occurrence" => (left.entry.time, left.number).cmp(&(right.entry.time, right.number)),
            _ => member(left).cmp(&member(right)),
        }
    });
    Ok(found)
}

async fn of_instance(
    engine: &Engine,
    around: &mut Around,
    instance: &Instance,
    particular: Particular,
) -> Result<Vec<Logged>, Fault> {
    let root = id::id(root(engine, instance).await?);
    let mut all = Vec::new();
    for (number, entry) in engine.instance(instance.id()).work_log().await?.into_iter().enumerate() {
        around.look_up(engine, entry.definition.0).await?;
        let key = entry.definition.0.into();
        let (Some(definition), Some(model)) = (around.definitions.get(&key), around.models.get(&key)) else { continue };
        let kind = match &entry.kind {
            WorkKind::Timer { .. } => Kind::Timer,
            WorkKind::Savepoint { after: true, .. } => Kind::After,
            _ => Kind::Before,
        };
        let kind = job_definition::id_by_node(engine, entry.definition.0, &entry.node, kind).await?;
        let Some(Json::Object(own)) = particular(&entry, model, &kind) else { continue };
        let number = u32::try_from(number).unwrap_or(u32::MAX >> 3);
        let mut shown: Map<String, Json> = own;
        let common = json!({
            "id": id::part(instance.key, ENTRIES + number),
            "timestamp": date(entry.time),
            "removalTime": instance.expires.map(date),
            "activityId": &*entry.node,
            "executionId": id::part(entry.key, id::EXECUTION),
            "processInstanceId": id::id(instance.key),
            "processDefinitionId": id::definition(definition),
            "processDefinitionKey": &*definition.id,
            "tenantId": instance.tenant.as_deref(),
            "rootProcessInstanceId": root,
            "creationLog": entry.event == WorkEvent::Opened,
            "failureLog": matches!(entry.event, WorkEvent::Failed { .. }),
            "successLog": entry.event == WorkEvent::Completed,
            "deletionLog": entry.event == WorkEvent::Cancelled,
        });
        if let Json::Object(common) = common {
            shown.extend(common);
        }
        if shown.contains_key("jobId") {
            shown.insert("deploymentId".into(), json!(id::id(definition.deployment)));
        }
        all.push(Logged { entry, number, instance: instance.clone(), shown: Json::Object(shown) });
    }
    Ok(all)
}

/// Whether an entry is one that fields ask for, as far as both logs have them in common.
fn fits(fields: &Fields, logged: &Logged) -> Result<bool, Fault> {
    let shown = &logged.shown;
    for (name, member) in [
        ("logId", "id"),
        ("jobId", "jobId"),
        ("externalTaskId", "externalTaskId"),
        ("topicName", "topicName"),
        ("workerId", "workerId"),
        ("errorMessage", "errorMessage"),
        ("jobExceptionMessage", "jobExceptionMessage"),
        ("jobDefinitionId", "jobDefinitionId"),
        ("jobDefinitionType", "jobDefinitionType"),
        ("jobDefinitionConfiguration", "jobDefinitionConfiguration"),
        ("deploymentId", "deploymentId"),
        ("hostname", "hostname"),
    ] {
        if fields.text(name)?.is_some_and(|asked| shown[member].as_str() != Some(&*asked)) {
            return Ok(false);
        }
    }
    for (name, member) in [
        ("activityIdIn", "activityId"),
        ("failedActivityIdIn", "failedActivityId"),
        ("executionIdIn", "executionId"),
        ("activityInstanceIdIn", "activityInstanceId"),
        ("tenantIdIn", "tenantId"),
    ] {
        let is_among =
            |asked: Vec<potok::Name>| shown[member].as_str().is_some_and(|own| asked.iter().any(|it| it == own));
        if fields.list(name)?.is_some_and(|asked| !is_among(asked)) {
            return Ok(false);
        }
    }
    for (prefix, member) in [("priority", "priority"), ("jobPriority", "jobPriority")] {
        let own = shown[member].as_i64();
        let least = fields.number(&format!("{prefix}HigherThanOrEquals"))?;
        let most = fields.number(&format!("{prefix}LowerThanOrEquals"))?;
        if least.is_some_and(|least| own.is_none_or(|own| own < least))
            || most.is_some_and(|most| own.is_none_or(|own| own > most))
        {
            return Ok(false);
        }
    }
    for name in ["creationLog", "failureLog", "successLog", "deletionLog"] {
        if fields.is_set(name)? && shown[name] != true {
            return Ok(false);
        }
    }
    Ok(!fields.is_set("withoutTenantId")? || logged.instance.tenant.is_none())
}

/// The id of the entry by which a job, timer or savepoint had failed when an incident was raised.
pub(super) async fn failure_before(engine: &Engine, incident: &Incident, of: Key) -> Result<Option<String>, Fault> {
    let log = engine.instance(InstanceId(incident.instance)).work_log().await?;
    let is_it = |entry: &WorkEntry| {
        let has_failed = matches!(entry.event, WorkEvent::Failed { .. }) || matches!(entry.kind, WorkKind::Stuck);
        entry.key == of && has_failed && entry.time <= incident.raised
    };
    let number = log.iter().rposition(is_it).map(|number| u32::try_from(number).unwrap_or(u32::MAX >> 3));
    Ok(number.map(|number| id::part(incident.instance, ENTRIES + number)))
}

/// One entry, by its id.
pub(super) async fn one(engine: &Engine, text: &str, particular: Particular) -> Result<Option<Logged>, Fault> {
    let Some((key, part)) = id::parse_part(text).filter(|(_, part)| (ENTRIES..ENTRIES << 1).contains(part)) else {
        return Ok(None);
    };
    let Ok(instance) = engine.instance(InstanceId(key)).get().await else { return Ok(None) };
    let all = of_instance(engine, &mut Around::default(), &instance, particular).await?;
    Ok(all.into_iter().find(|logged| ENTRIES + logged.number == part))
}

/// The message and details of a failure.
pub(super) fn failure(entry: &WorkEntry) -> (Option<&str>, Option<&str>) {
    match &entry.event {
        WorkEvent::Failed { message, details, .. } => (Some(message), details.as_deref()),
        _ => (None, None),
    }
}

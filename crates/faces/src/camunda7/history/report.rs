//! `/history/.../report`: how long instances and tasks took, by the month or quarter in which they began; how many tasks there were; what
//! of the past could be removed.

use std::collections::BTreeMap;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use potok::query::{DefinitionQuery, Expiry, InstanceQuery, TaskQuery};
use potok::row::{Definition, DefinitionKind, InstanceState, Task, TaskState};
use potok::{Engine, Name};
use serde_json::{Value as Json, json};

use super::{is_between, milliseconds};
use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, json as answer};
use crate::camunda7::error::Fault;
use crate::camunda7::fields::{Fields, InQuery};
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::{id, process_definition};

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Cleanable>())
        .route("/history/process-instance/report", get(of_instances))
        .route("/history/task/report", get(of_tasks))
}

/// A part of any year.
#[derive(Clone, Copy)]
enum Period {
    Month,
    Quarter,
}

impl Period {
    fn of(fields: &Fields) -> Result<Self, Fault> {
        let text = fields.text("periodUnit")?;
        let text = text.ok_or_else(|| Fault::bad_request_of("InvalidRequestException", "periodUnit is null"))?;
        match &*text.to_lowercase() {
            "month" => Ok(Self::Month),
            "quarter" => Ok(Self::Quarter),
            _ => Err(Fault::invalid(format!("Cannot set query parameter 'periodUnit' to value '{text}'"))),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Month => "MONTH",
            Self::Quarter => "QUARTER",
        }
    }

    /// Which one of a year a moment is in, counted from 1.
    fn number(self, time: Timestamp) -> i8 {
        let month = TimeZone::UTC.to_datetime(time).month();
        match self {
            Self::Month => month,
            Self::Quarter => (month - 1) / 3 + 1,
        }
    }
}

/// What kind of report is asked for.
fn kind(fields: &Fields) -> Result<Option<Name>, Fault> {
    match fields.text("reportType")? {
        Some(kind) if !["count", "duration"].contains(&&*kind.to_lowercase()) => {
            Err(Fault::invalid(format!("Cannot set query parameter 'reportType' to value '{kind}'")))
        }
        kind => Ok(kind.map(|kind| kind.to_lowercase())),
    }
}

/// The shortest, longest and mean of a period.
fn durations(period: Period, all: impl Iterator<Item = (Timestamp, i64)>) -> Vec<Json> {
    let mut by_period: BTreeMap<i8, Vec<i64>> = BTreeMap::new();
    for (began, took) in all {
        by_period.entry(period.number(began)).or_default().push(took);
    }
    let shown = |(number, took): (i8, Vec<i64>)| {
        let mean = took.iter().sum::<i64>() / i64::try_from(took.len()).unwrap_or(i64::MAX);
        let (least, most) = (took.iter().min(), took.iter().max());
        json!({"period": number, "periodUnit": period.word(), "minimum": least, "maximum": most, "average": mean})
    };
    by_period.into_iter().map(shown).collect()
}

/// The rows of a report as lines with commas, for who asks for such.
fn separated(rows: &[Json]) -> String {
    let mut text = "PERIOD,PERIOD_UNIT,MINIMUM,MAXIMUM,AVERAGE".to_owned();
    for row in rows {
        let unit = row["periodUnit"].as_str().unwrap_or_default();
        let [period, minimum, maximum, average] = ["period", "minimum", "maximum", "average"].map(|name| &row[name]);
        text += &format!("\n{period},{unit},{minimum},{maximum},{average}");
    }
    text
}

async fn of_instances(Acting(engine): Acting, InQuery(fields): InQuery, headers: HeaderMap) -> Answer {
    if kind(&fields)?.as_deref() != Some("duration") {
        let kind = fields.text("reportType")?.unwrap_or_else(|| "null".into());
        return Err(Fault::invalid(format!("Unknown report type {kind}")));
    }
    let period = Period::of(&fields)?;
    let ids = fields.list("processDefinitionIdIn")?.unwrap_or_default();
    let definitions = ids.iter().filter_map(|text| id::parse_definition(text)).collect::<Vec<_>>();
    let is_possible = ids.is_empty() || !definitions.is_empty();
    let query = InstanceQuery {
        has_process: Some(true),
        states: vec![InstanceState::Completed, InstanceState::Failed, InstanceState::Cancelled],
        processes: fields.list("processDefinitionKeyIn")?.unwrap_or_default(),
        definitions,
        ..InstanceQuery::default()
    };
    let started = (fields.date("startedAfter")?, fields.date("startedBefore")?);
    let mut rows = if is_possible { engine.instances(&query).await? } else { Vec::new() };
    rows.retain(|row| is_between(started, Some(row.started)));
    let took = rows.iter().filter_map(|row| Some((row.started, milliseconds(row.started, row.ended)?)));
    let report = durations(period, took);
    let wanted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let mut wanted = wanted.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    match wanted.find(|wanted| ["text/csv", "application/csv"].contains(wanted)) {
        Some(media_type) => {
            let named = "attachment; filename=\"process-instance-report.csv\"";
            let headers = [(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, named)];
            Ok((headers, separated(&report)).into_response())
        }
        None => Ok(answer(&report.into())),
    }
}

async fn of_tasks(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    let kind = kind(&fields)?.ok_or_else(|| Fault::invalid("Parameter reportType is not set."))?;
    let completed = (fields.date("completedAfter")?, fields.date("completedBefore")?);
    let group = fields.text("groupBy")?;
    let (period, by_name) = match (&*kind, group.as_deref()) {
        ("duration", _) if !fields.has("periodUnit") => return Err(Fault::invalid("periodUnit is null")),
        ("duration", _) => (Some(Period::of(&fields)?), false),
        (_, Some("taskName")) => (None, true),
        (_, Some("processDefinition")) => (None, false),
        (_, other) => {
            let message = format!("groupBy parameter has invalid value: {}", other.unwrap_or("null"));
            return Err(Fault::invalid(message));
        }
    };
    let query = TaskQuery { states: vec![TaskState::Completed, TaskState::Cancelled], ..TaskQuery::default() };
    let mut rows = engine.search(&query).await?.rows;
    rows.retain(|row| !row.process.is_empty() && is_between(completed, row.ended));
    Ok(answer(&match period {
        Some(period) => {
            let took = rows.iter().filter_map(|row| Some((row.created, milliseconds(row.created, row.ended)?)));
            durations(period, took).into()
        }
        None => counts(&engine, &rows, by_name).await?.into(),
    }))
}

/// How many tasks there were of each process, or of each name in it, with the process's newest version.
async fn counts(engine: &Engine, rows: &[Task], by_name: bool) -> Result<Vec<Json>, Fault> {
    let mut all: BTreeMap<(&Name, Option<&Name>, Option<&Name>), u64> = BTreeMap::new();
    for row in rows {
        let name = row.name.as_ref().filter(|_| by_name);
        *all.entry((&row.process, row.tenant.as_ref(), name)).or_default() += 1;
    }
    let ids = all.keys().map(|(process, ..)| (*process).clone()).collect();
    let query = DefinitionQuery { kind: Some(DefinitionKind::Process), ids, ..DefinitionQuery::default() };
    let definitions = if all.is_empty() { Vec::new() } else { engine.definitions(&query).await? };
    let shown = |((process, tenant, name), count): ((&Name, Option<&Name>, Option<&Name>), u64)| {
        let of =
            |row: &&Definition| row.id == *process && process_definition::tenant(row) == tenant.map(|name| &**name);
        let newest = definitions.iter().filter(of).max_by_key(|row| row.version);
        json!({
            "count": count,
            "processDefinitionKey": process,
            "processDefinitionId": newest.map(id::definition),
            "processDefinitionName": newest.and_then(|row| row.name.as_deref()),
            "taskName": name,
            "tenantId": tenant,
        })
    };
    Ok(all.into_iter().map(shown).collect())
}

/// A version, with how many of its instances have ended, and how many of those may be removed by now.
struct Kept {
    definition: Definition,
    days: Option<i64>,
    finished: u64,
    cleanable: u64,
}

/// The list of what could be removed.
struct Cleanable;

impl List for Cleanable {
    const PATH: &'static str = "/history/process-definition/cleanable-process-instance-report";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &["finished"];
    type Row = Kept;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Kept>, Fault> {
        let Asked { fields, order, .. } = asked;
        let ids = fields.list("processDefinitionIdIn")?.unwrap_or_default();
        let keys = ids.iter().filter_map(|text| id::parse_definition(text)).collect::<Vec<_>>();
        if keys.is_empty() && !ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = fields.list("processDefinitionKeyIn")?.unwrap_or_default();
        let (tenants, untenanted) = (fields.list("tenantIdIn")?, fields.is_set("withoutTenantId")?);
        let compact = fields.is_set("compact")?;
        let query = DefinitionQuery { kind: Some(DefinitionKind::Process), keys, ids, ..DefinitionQuery::default() };
        let now = engine.clock().now();
        let mut rows = Vec::new();
        for definition in engine.definitions(&query).await? {
            let is_asked_for = (!untenanted || definition.tenant.is_empty())
                && tenants.as_ref().is_none_or(|tenants| tenants.contains(&definition.tenant));
            if !is_asked_for || !process_definition::is_executable(engine, &definition).await? {
                continue;
            }
            let ended = InstanceQuery {
                definition: Some(definition.key),
                states: vec![InstanceState::Completed, InstanceState::Failed, InstanceState::Cancelled],
                ..InstanceQuery::default()
            };
            let finished = engine.count(&ended).await?;
            if compact && finished == 0 {
                continue;
            }
            let expired = InstanceQuery { expires: Some(Expiry::Before(now)), ..ended };
            let cleanable = engine.count(&expired).await?;
            let days = process_definition::kept_for(engine, &definition).await?;
            rows.push(Kept { definition, days, finished, cleanable });
        }
        answer::sort(&mut rows, order, |_, left, right| left.finished.cmp(&right.finished));
        Ok(rows)
    }

    async fn shown(_: &Engine, rows: Vec<Kept>, _: &Fields) -> Result<Vec<Json>, Fault> {
        let shown = |row: &Kept| {
            json!({
                "processDefinitionId": id::definition(&row.definition),
                "processDefinitionKey": &*row.definition.id,
                "processDefinitionName": row.definition.name.as_deref(),
                "processDefinitionVersion": row.definition.version,
                "historyTimeToLive": row.days,
                "finishedProcessInstanceCount": row.finished,
                "cleanableProcessInstanceCount": row.cleanable,
                "tenantId": process_definition::tenant(&row.definition),
            })
        };
        Ok(rows.iter().map(shown).collect())
    }
}

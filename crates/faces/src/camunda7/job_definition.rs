//! `/job-definition`: the savepoints and timers of a version of a process: what the jobs on one of them have in common.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, put};
use jiff::Timestamp;
use potok::query::DefinitionQuery;
use potok::row::{Definition, DefinitionKind};
use potok::{DueOf, DueType, Engine, Name};
use potok_core::graph::{FlowNode, Loop};
use potok_core::instance::{Key, WaitKind};
use serde_json::{Value as Json, json};

use super::answer::{self, Answer, json as answer, nothing};
use super::condition::is;
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::list::{self, Asked, List};
use super::model::Model;
use super::{id, process_definition};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<JobDefinitions>())
        .route("/job-definition/suspended", put(suspend_many))
        .route("/job-definition/{id}", get(one))
        .route("/job-definition/{id}/suspended", put(suspend))
        .route("/job-definition/{id}/jobPriority", put(prioritise))
}

/// Which jobs of a flow node are meant. What got stuck in the engine itself is counted to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Those of a savepoint before it.
    Before,
    /// Those of a savepoint after it.
    After,
    /// Those of its timer.
    Timer,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Before, Self::After, Self::Timer];

    /// That of what waits.
    pub(crate) fn of(wait: &WaitKind) -> Self {
        match wait {
            WaitKind::Timer(_) => Self::Timer,
            WaitKind::Continuation { after: true, .. } => Self::After,
            _ => Self::Before,
        }
    }

    /// The engine's word for it.
    fn due(self) -> DueType {
        match self {
            Self::Before => DueType::Before,
            Self::After => DueType::After,
            Self::Timer => DueType::Timer,
        }
    }

    /// Its number among those of a flow node.
    fn number(self) -> u32 {
        match self {
            Self::Before => 0,
            Self::After => 1,
            Self::Timer => 2,
        }
    }

    /// The word for its jobs, and what the model says of when they are due.
    pub(crate) fn words(self, model: &Model, node: &str) -> (&'static str, Option<String>) {
        match self {
            Self::Before => ("async-continuation", Some("async-before".to_owned())),
            Self::After => ("async-continuation", Some("async-after".to_owned())),
            Self::Timer => model.timer(node),
        }
    }
}

/// Ids for as many as may ever be on a flow node.
const PLACES: u32 = 4;

fn id_of(definition: Key, ordinal: u32, kind: Kind) -> String {
    id::part(definition, id::token(ordinal.saturating_mul(PLACES) + kind.number()))
}

/// The id of what a flow node's jobs of a kind have in common.
pub(crate) async fn id_by_node(engine: &Engine, definition: Key, node: &str, kind: Kind) -> Result<String, Fault> {
    let graph = engine.graph(definition.into()).await?;
    let ordinal = graph.and_then(|graph| graph.find(node));
    Ok(id_of(definition, ordinal.unwrap_or_default(), kind))
}

/// A savepoint or timer of a version of a process.
struct JobDefinition {
    definition: Definition,
    node: Name,
    ordinal: u32,
    kind: Kind,
    words: (&'static str, Option<String>),
    /// Jobs to come are held back.
    held: bool,
    /// How urgent jobs to come are, whatever the model says.
    priority: Option<i64>,
}

impl JobDefinition {
    fn id(&self) -> String {
        id_of(self.definition.key, self.ordinal, self.kind)
    }

    fn is_suspended(&self) -> bool {
        self.held || self.definition.suspended
    }

    /// What the engine knows it by.
    fn due(&self) -> DueOf {
        DueOf { definition: self.definition.key.into(), node: self.node.clone(), kind: self.kind.due() }
    }

    fn shown(&self) -> Json {
        json!({
            "id": self.id(),
            "processDefinitionId": id::definition(&self.definition),
            "processDefinitionKey": &*self.definition.id,
            "jobType": self.words.0,
            "jobConfiguration": self.words.1,
            "activityId": &*self.node,
            "suspended": self.is_suspended(),
            "overridingJobPriority": self.priority,
            "tenantId": process_definition::tenant(&self.definition),
            // As there.
            "deploymentId": null,
        })
    }
}

/// Whether a flow node has jobs of a kind.
fn has(node: &FlowNode, kind: Kind, model: &Model) -> bool {
    let own = node.details.continuation;
    // Each round can be one, too.
    let of_rounds = match &node.details.repeat {
        Some(Loop::MultiInstance(rounds)) => rounds.continuation,
        _ => own,
    };
    match kind {
        Kind::Before => own.before || of_rounds.before,
        Kind::After => own.after || of_rounds.after,
        Kind::Timer => model.has_timer(&node.id),
    }
}

/// Those of a version.
async fn of_definition(engine: &Engine, definition: &Definition) -> Result<Vec<JobDefinition>, Fault> {
    let Some(graph) = engine.graph(definition.key.into()).await? else { return Ok(Vec::new()) };
    let model = Model::of(engine, definition).await?;
    let policies = engine.due_policies(&[definition.key.into()]).await?;
    let mut all = Vec::new();
    for (ordinal, node) in (0..).zip(graph.nodes()) {
        for kind in Kind::ALL.into_iter().filter(|kind| has(node, *kind, &model)) {
            let words = kind.words(&model, &node.id);
            let policy = policies.iter().find(|policy| policy.node == node.id && policy.kind == kind.due());
            let (held, priority) = policy.map_or((false, None), |policy| (policy.held, policy.priority));
            let (definition, node) = (definition.clone(), node.id.clone());
            all.push(JobDefinition { definition, node, ordinal, kind, words, held, priority });
        }
    }
    Ok(all)
}

async fn find(engine: &Engine, text: &str) -> Result<Option<JobDefinition>, Fault> {
    let Some((key, _)) = id::parse_part(text) else { return Ok(None) };
    let query = DefinitionQuery { keys: vec![key], kind: Some(DefinitionKind::Process), ..DefinitionQuery::default() };
    for definition in engine.definitions(&query).await? {
        if let Some(found) = of_definition(engine, &definition).await?.into_iter().find(|own| own.id() == text) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let found = find(&engine, &text).await?;
    let found = found.ok_or_else(|| Fault::missing(format!("Job Definition with id {text} does not exist")))?;
    Ok(answer(&found.shown()))
}

/// From when on jobs are held back, or go on; at once if nothing is said.
fn from_when(fields: &Fields, which: &str) -> Result<Option<Timestamp>, Fault> {
    fields.date("executionDate").map_err(|fault| {
        Fault::invalid(format!("The suspension state of {which} could not be updated due to: {}", fault.message()))
    })
}

/// Holds jobs to come back, or lets them go on, and those that are there if that is asked for.
async fn hold(engine: &Engine, all: &[JobDefinition], fields: &Fields, from: Option<Timestamp>) -> Answer {
    let (held, existing) = (fields.is_set("suspended")?, fields.is_set("includeJobs")?);
    for own in all {
        engine.hold_due(&own.due(), held, existing, from).await?;
    }
    Ok(nothing())
}

/// Those of one; nothing is said of one that is not there, as there.
async fn suspend(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    if fields.has("processDefinitionId") || fields.has("processDefinitionKey") {
        let message = "Only one of jobDefinitionId, processDefinitionId or processDefinitionKey should be set to update the suspension state.";
        return Err(Fault::invalid(message));
    }
    let from = from_when(&fields, &format!("Job Definition with id {text}"))?;
    let found = find(&engine, &text).await?;
    hold(&engine, found.as_slice(), &fields, from).await
}

/// Those of a version of a process, or of all its versions.
async fn suspend_many(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let (one, all) = (fields.has("processDefinitionId"), fields.has("processDefinitionKey"));
    if fields.has("jobDefinitionId") {
        let message = "Either processDefinitionId or processDefinitionKey can be set to update the suspension state.";
        return Err(Fault::invalid(message));
    }
    if one == all {
        let many = if one { "Only one of" } else { "Either" };
        let message = format!(
            "{many} jobDefinitionId, processDefinitionId or processDefinitionKey should be set to update the suspension state."
        );
        return Err(Fault::invalid(message));
    }
    let from = from_when(&fields, "Job Definitions")?;
    let asked = fields.only(&["processDefinitionId", "processDefinitionKey"]);
    let mut rows = list::all::<JobDefinitions>(&engine, &asked).await?;
    if all {
        let tenant = fields.text("processDefinitionTenantId")?;
        let untenanted = fields.is_set("processDefinitionWithoutTenantId")?;
        rows.retain(|row| {
            let own = &row.definition.tenant;
            tenant.as_ref().is_none_or(|tenant| tenant == own) && (!untenanted || own.is_empty())
        });
    }
    hold(&engine, &rows, &fields, from).await
}

/// How urgent jobs to come are, and those that are there: 7.24 changes them, too, whatever `includeJobs` says. Null: as the model says, for
/// those to come only.
async fn prioritise(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let (priority, existing) = (fields.number("priority")?, fields.is_set("includeJobs")?);
    if priority.is_none() && existing {
        let message = format!("Cannot reset priority for job definition {text} with includeJobs=true");
        return Err(Fault::invalid(message));
    }
    let found = find(&engine, &text).await?;
    let found = found.ok_or_else(|| Fault::missing(format!("Job definition with id '{text}' does not exist")))?;
    engine.set_due_priority(&found.due(), priority, priority.is_some()).await?;
    Ok(nothing())
}

/// A version goes on, and with it all that was held back of it by its job definitions, as there.
pub(crate) async fn let_go(engine: &Engine, definition: &Definition) -> Result<(), Fault> {
    for policy in engine.due_policies(&[definition.key.into()]).await?.into_iter().filter(|policy| policy.held) {
        let of = DueOf { definition: definition.key.into(), node: policy.node, kind: policy.kind };
        engine.hold_due(&of, false, false, None).await?;
    }
    Ok(())
}

/// The list.
struct JobDefinitions;

impl List for JobDefinitions {
    const PATH: &'static str = "/job-definition";
    const FLAGS: &'static [&'static str] = &["includeJobDefinitionsWithoutTenantId"];
    const SORTED_BY: &'static [&'static str] = &[
        "jobDefinitionId",
        "activityId",
        "processDefinitionId",
        "processDefinitionKey",
        "jobType",
        "jobConfiguration",
        "tenantId",
    ];
    type Row = JobDefinition;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<JobDefinition>, Fault> {
        let Asked { fields, order, .. } = asked;
        let (own, definition) = (fields.text("jobDefinitionId")?, fields.text("processDefinitionId")?);
        let mut query = DefinitionQuery { kind: Some(DefinitionKind::Process), ..DefinitionQuery::default() };
        query.ids.extend(fields.text("processDefinitionKey")?);
        // Its definition stands in its id.
        let own_definition = own.as_ref().map(|text| id::parse_part(text).map(|(key, _)| key));
        for key in [own_definition, definition.as_ref().map(|text| id::parse_definition(text))].into_iter().flatten() {
            match key {
                Some(key) if query.keys.is_empty() || query.keys == [key] => query.keys = vec![key],
                _ => return Ok(Vec::new()),
            }
        }
        let nodes = fields.list("activityIdIn")?;
        let (kind, configuration) = (fields.text("jobType")?, fields.text("jobConfiguration")?);
        let (active, suspended) = (fields.is_set("active")?, fields.is_set("suspended")?);
        let (tenants, untenanted) = (fields.list("tenantIdIn")?, fields.is_set("withoutTenantId")?);
        let prioritised = fields.is_set("withOverridingJobPriority")?;
        let mut rows = Vec::new();
        for definition in engine.definitions(&query).await? {
            if process_definition::is_executable(engine, &definition).await? {
                rows.extend(of_definition(engine, &definition).await?);
            }
        }
        rows.retain(|row| {
            is(own.as_ref(), Some(&row.id()))
                && nodes.as_ref().is_none_or(|nodes| nodes.contains(&row.node))
                && is(kind.as_ref(), Some(row.words.0))
                && is(configuration.as_ref(), row.words.1.as_deref())
                && (!active || !row.is_suspended())
                && (!suspended || row.is_suspended())
                && (!prioritised || row.priority.is_some())
                && (!untenanted || row.definition.tenant.is_empty())
                && tenants.as_ref().is_none_or(|tenants| tenants.contains(&row.definition.tenant))
        });
        answer::sort(&mut rows, order, |by, left, right| match by {
            "activityId" => left.node.cmp(&right.node),
            "processDefinitionId" => left.definition.key.cmp(&right.definition.key),
            "processDefinitionKey" => left.definition.id.cmp(&right.definition.id),
            "jobType" => left.words.0.cmp(right.words.0),
            "jobConfiguration" => left.words.1.cmp(&right.words.1),
            "tenantId" => left.definition.tenant.cmp(&right.definition.tenant),
            _ => left.id().cmp(&right.id()),
        });
        Ok(rows)
    }

    async fn shown(_: &Engine, rows: Vec<JobDefinition>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.iter().map(JobDefinition::shown).collect())
    }
}

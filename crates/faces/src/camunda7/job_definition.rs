//! `/job-definition`: the savepoints and timers of a version of a process: what the jobs on one of them have in common.

use axum::Router;
use axum::extract::Path;
use axum::routing::{any, get};
use potok::query::DefinitionQuery;
use potok::row::{Definition, DefinitionKind};
use potok::{Engine, Name};
use potok_core::graph::{FlowNode, Loop};
use potok_core::instance::{Key, WaitKind};
use serde_json::{Value as Json, json};

use super::answer::{self, Answer, json as answer};
use super::condition::is;
use super::error::Fault;
use super::fields::Fields;
use super::list::{self, Asked, List};
use super::model::Model;
use super::{id, process_definition};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    let refuse =
        async || -> Answer { Err(Fault::not_offered("changing all jobs of a savepoint or timer; change the jobs")) };
    Router::new()
        .merge(list::routes::<JobDefinitions>())
        .route("/job-definition/suspended", any(refuse))
        .route("/job-definition/{id}", get(one))
        .route("/job-definition/{id}/suspended", any(refuse))
        .route("/job-definition/{id}/jobPriority", any(refuse))
        .route("/job-definition/{id}/duedate", any(refuse))
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
}

impl JobDefinition {
    fn id(&self) -> String {
        id_of(self.definition.key, self.ordinal, self.kind)
    }

    fn shown(&self) -> Json {
        json!({
            "id": self.id(),
            "processDefinitionId": id::definition(&self.definition),
            "processDefinitionKey": &*self.definition.id,
            "jobType": self.words.0,
            "jobConfiguration": self.words.1,
            "activityId": &*self.node,
            "suspended": self.definition.suspended,
            "overridingJobPriority": null,
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
    let mut all = Vec::new();
    for (ordinal, node) in (0..).zip(graph.nodes()) {
        for kind in Kind::ALL.into_iter().filter(|kind| has(node, *kind, &model)) {
            let words = kind.words(&model, &node.id);
            all.push(JobDefinition { definition: definition.clone(), node: node.id.clone(), ordinal, kind, words });
        }
    }
    Ok(all)
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = || Fault::missing(format!("Job Definition with id {text} does not exist"));
    let (key, _) = id::parse_part(&text).ok_or_else(missing)?;
    let query = DefinitionQuery { keys: vec![key], kind: Some(DefinitionKind::Process), ..DefinitionQuery::default() };
    for definition in engine.definitions(&query).await? {
        if let Some(found) = of_definition(&engine, &definition).await?.iter().find(|own| own.id() == text) {
            return Ok(answer(&found.shown()));
        }
    }
    Err(missing())
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
        if fields.is_set("withOverridingJobPriority")? {
            return Ok(Vec::new());
        }
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
                && (!active || !row.definition.suspended)
                && (!suspended || row.definition.suspended)
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

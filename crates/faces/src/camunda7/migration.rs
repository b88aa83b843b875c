//! `/migration`: instances go over to another version of their process, or to another process.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::post;
use potok::row::{Definition, DefinitionKind};
use potok::{DefinitionId, Engine, Error, InstanceId, MigrationPlan, Name, Selector};
use potok_core::graph::{Catch, FlowNode, Loop, NodeKind, ProcessGraph};
use potok_core::migration::MigrationProblem;
use potok_core::step::{Rejection, Variables};
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::{batch, id, process_instance, value};
use crate::acting::Acting;

/// What Camunda calls a loop around the rounds of an activity. Here both are one flow node.
const BODY: &str = "#multiInstanceBody";

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .route("/migration/generate", post(generate))
        .route("/migration/validate", post(validate))
        .route("/migration/execute", post(execute))
        .route("/migration/executeAsync", post(execute_later))
}

/// Two definitions, as a request names them.
struct Between {
    from: Definition,
    to: Definition,
}

impl Between {
    async fn of(engine: &Engine, fields: &Fields) -> Result<Self, Fault> {
        let from = one(engine, fields, "sourceProcessDefinitionId", "Source").await?;
        let to = one(engine, fields, "targetProcessDefinitionId", "Target").await?;
        Ok(Self { from, to })
    }

    /// All that can go over by itself.
    async fn plan(&self, engine: &Engine) -> Result<MigrationPlan, Fault> {
        let (from, to) = (DefinitionId(self.from.key), DefinitionId(self.to.key));
        engine.migration_plan(from, to).await.map_err(|error| match error {
            // They belong to different tenants.
            Error::UnknownProcess(_) => Fault::failed(format!("ENGINE-23034 {error}")),
            error => error.into(),
        })
    }
}

async fn one(engine: &Engine, fields: &Fields, name: &str, word: &str) -> Result<Definition, Fault> {
    let invalid = |message| Fault::bad_request_of("InvalidRequestException", message);
    let text = fields.text(name)?.ok_or_else(|| invalid(format!("{word} process definition id is null")))?;
    let missing = || invalid(format!("ENGINE-23008 {word} process definition with id '{text}' does not exist"));
    let key = id::parse_definition(&text).ok_or_else(missing)?;
    match engine.definition(DefinitionKind::Process, "", &Selector::Id(DefinitionId(key))).await {
        Ok(found) if found.kind == DefinitionKind::Process => Ok(found),
        Ok(_) | Err(Error::NotDeployed(_) | Error::ForeignTenant(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

async fn graph(engine: &Engine, definition: &Definition) -> Result<std::sync::Arc<ProcessGraph>, Fault> {
    let graph = engine.graph(definition.key.into()).await?;
    graph.ok_or_else(|| Fault::failed(format!("the model of {} cannot be read", id::definition(definition))))
}

/// Whether Camunda has instructions for a flow node: where something may stand between two calls, or be waited for.
fn is_mapped(node: &FlowNode) -> bool {
    let waits = matches!(
        node.kind,
        NodeKind::UserTask(_)
            | NodeKind::Job(_)
            | NodeKind::ReceiveTask(_)
            | NodeKind::SubProcess(_)
            | NodeKind::Transaction(_)
            | NodeKind::EventSubProcess(_)
            | NodeKind::Call(_)
            | NodeKind::CatchEvent(_)
            | NodeKind::BoundaryEvent(_)
            | NodeKind::ParallelGateway
            | NodeKind::InclusiveGateway(_)
            | NodeKind::EventBasedGateway { .. }
    );
    let continuation = node.details.continuation;
    let starts_within = matches!(&node.kind, NodeKind::StartEvent(_)) && node.parent.is_some() && is_triggered(node);
    waits || starts_within || continuation.before || continuation.after
}

/// Whether something is waited for that could be computed anew.
fn is_triggered(node: &FlowNode) -> bool {
    let is_computed = |catches: &[Catch]| {
        catches.iter().any(|catch| {
            matches!(
                catch,
                Catch::Timer { .. }
                    | Catch::Signal { .. }
                    | Catch::Condition { .. }
                    | Catch::Message { name: Some(_), .. }
            )
        })
    };
    match &node.kind {
        NodeKind::ReceiveTask(catch) => is_computed(std::slice::from_ref(&**catch)),
        NodeKind::CatchEvent(event) => is_computed(&event.catches),
        NodeKind::StartEvent(event) => is_computed(&event.catches),
        NodeKind::BoundaryEvent(event) => is_computed(&event.catches),
        _ => false,
    }
}

async fn generate(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let between = Between::of(&engine, &fields).await?;
    let variables = value::variables(&fields, "variables")?;
    let update = fields.is_set("updateEventTriggers")?;
    let plan = between.plan(&engine).await?;
    let graph = graph(&engine, &between.from).await?;
    let mut instructions = Vec::new();
    for (source, mapping) in plan.mappings() {
        let Some(node) = graph.find(source).and_then(|node| graph.get_node(node)).filter(|node| is_mapped(node)) else {
            continue;
        };
        instructions.push(instruction(source, &mapping.target, update && is_triggered(node)));
        if matches!(node.details.repeat, Some(Loop::MultiInstance(_))) {
            instructions.push(instruction(&format!("{source}{BODY}"), &format!("{}{BODY}", mapping.target), false));
        }
    }
    Ok(answer(&json!({
        "sourceProcessDefinitionId": id::definition(&between.from),
        "targetProcessDefinitionId": id::definition(&between.to),
        "instructions": instructions,
        "variables": (!variables.is_empty()).then(|| fields.get("variables").map(as_sent)),
    })))
}

/// Variables as they were sent, with all keys.
fn as_sent(variables: &Json) -> Json {
    let whole = |variable: &Json| {
        let part = |name: &str| variable.get(name).cloned().unwrap_or_default();
        json!({"type": part("type"), "value": part("value"), "valueInfo": part("valueInfo")})
    };
    let all = variables.as_object().into_iter().flatten();
    Json::Object(all.map(|(name, variable)| (name.clone(), whole(variable))).collect())
}

fn instruction(source: &str, target: &str, update: bool) -> Json {
    json!({"sourceActivityIds": [source], "targetActivityIds": [target], "updateEventTrigger": update})
}

/// What a request says of a flow node: of several Camunda takes the first, too.
struct Instruction {
    source: Name,
    target: Name,
    update: bool,
}

impl Instruction {
    fn all(fields: &Fields) -> Result<Vec<Self>, Fault> {
        let one = |fields: &Fields| {
            let first = |name: &str| {
                let ids = fields.array(name)?;
                let ids = ids.ok_or_else(|| Fault::broken_as("NullPointerException", format!("`{name}` is needed")))?;
                let empty = || Fault::broken_as("IndexOutOfBoundsException", format!("`{name}` must name a flow node"));
                ids.into_iter().next().ok_or_else(empty)
            };
            let (source, target) = (first("sourceActivityIds")?, first("targetActivityIds")?);
            Ok::<_, Fault>(Self { source, target, update: fields.is_set("updateEventTrigger")? })
        };
        fields.objects("instructions")?.iter().map(one).collect()
    }

    fn shown(&self) -> Json {
        instruction(&self.source, &self.target, self.update)
    }
}

/// A plan as a request says it.
struct Planned {
    plan: MigrationPlan,
    instructions: Vec<Instruction>,
    problems: Vec<MigrationProblem>,
}

impl Planned {
    async fn of(engine: &Engine, fields: &Fields) -> Result<Self, Fault> {
        let between = Between::of(engine, fields).await?;
        let instructions = Instruction::all(fields)?;
        let variables: Variables = value::variables(fields, "variables")?;
        let graph = graph(engine, &between.from).await?;
        let mut plan = between.plan(engine).await?.variables(variables)?;
        // Where Camunda has no instructions, what is the same goes on by itself, as there: what stands there is stuck.
        for node in graph.nodes().filter(|node| is_mapped(node)) {
            plan = plan.leave_out(&node.id);
        }
        let mut named = BTreeSet::new();
        for Instruction { source, target, update } in &instructions {
            // A loop goes over with its activity.
            if source.ends_with(BODY) && target.ends_with(BODY) {
                continue;
            }
            plan = plan.map(source.clone(), target.clone());
            if *update {
                plan = plan.update_event_trigger(source);
            }
            named.insert(source.clone());
        }
        loop {
            let problems = plan.check();
            let (named, others): (Vec<_>, Vec<_>) =
                problems.into_iter().partition(|problem| named.contains(&problem.from));
            if others.is_empty() {
                return Ok(Self { plan, instructions, problems: named });
            }
            plan = others.iter().fold(plan, |plan, problem| plan.leave_out(&problem.from));
        }
    }

    /// What is wrong with its instructions.
    fn report(&self) -> Json {
        let wrong = self.instructions.iter().filter_map(|instruction| {
            let own = self.problems.iter().filter(|problem| problem.from == instruction.source);
            let failures: Vec<String> = own.map(ToString::to_string).collect();
            (!failures.is_empty()).then(|| json!({"instruction": instruction.shown(), "failures": failures}))
        });
        json!({"instructionReports": wrong.collect::<Vec<_>>(), "variableReports": {}})
    }

    fn check(&self) -> Result<(), Fault> {
        if self.problems.is_empty() {
            return Ok(());
        }
        let problems: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        let message = format!("ENGINE-23001 The migration plan is not valid: {}", problems.join("; "));
        Err(Fault::bad_request_of("MigrationPlanValidationException", message).with("validationReport", self.report()))
    }
}

async fn validate(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    Ok(answer(&Planned::of(&engine, &fields).await?.report()))
}

/// What goes over, and how.
async fn asked(engine: &Engine, fields: &Fields) -> Result<(Planned, Vec<InstanceId>), Fault> {
    let plan = fields.get("migrationPlan");
    let plan = plan.ok_or_else(|| Fault::broken_as("NullPointerException", "`migrationPlan` is needed"))?;
    let planned = Planned::of(engine, &Fields::of(plan)?).await?;
    let refused = |message| Fault::bad_request_of("BadUserRequestException", message);
    let ids = match fields.get("processInstanceIds") {
        Some(Json::Array(ids)) if ids.contains(&Json::Null) => {
            return Err(refused("Process instance ids cannot be null: process instance ids contains null value"));
        }
        _ => fields.list("processInstanceIds")?.unwrap_or_default(),
    };
    // What is no instance cannot go over.
    let named = ids.iter().map(|text| id::parse(text).unwrap_or(InstanceId(0.into())));
    let queried = fields.only(&["processInstanceQuery"]);
    let found = batch::instances(engine, &queried, "processInstanceIds").await?;
    let instances: Vec<InstanceId> = named.chain(found).collect();
    planned.check()?;
    match instances.is_empty() {
        true => Err(refused("Process instance ids cannot empty: process instance ids is empty")),
        false => Ok((planned, instances)),
    }
}

/// One instance after the other: the first that cannot go over is the last.
async fn execute(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let (planned, instances) = asked(&engine, &fields).await?;
    for instance in instances {
        match engine.migrate(instance, &planned.plan).send().await {
            Ok(()) => {}
            Err(Error::Rejected(Rejection::Migration(problems))) => {
                return Err(refusal(&engine, instance, &planned, &problems).await?);
            }
            Err(error @ (Error::UnknownInstance(_) | Error::Rejected(Rejection::NotActive(_)))) => {
                return Err(Fault::failed(format!("ENGINE-23003 the process instance cannot be migrated: {error}")));
            }
            Err(error @ Error::OtherDefinition { .. }) => {
                return Err(Fault::failed(format!("ENGINE-23002 the process instance cannot be migrated: {error}")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(nothing())
}

async fn execute_later(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let (planned, instances) = asked(&engine, &fields).await?;
    batch::begin(&engine, planned.plan.operation(None), instances, "processInstanceIds").await
}

/// Why an instance cannot go over, by what stands in it.
async fn refusal(
    engine: &Engine,
    instance: InstanceId,
    planned: &Planned,
    problems: &[MigrationProblem],
) -> Result<Fault, Fault> {
    let tree = process_instance::tree_of(engine, &engine.instance(instance).get().await?).await?;
    let (mut activities, mut transitions) = (Vec::new(), Vec::new());
    let mut left = vec![&tree];
    while let Some(standing) = left.pop() {
        let children = |name: &str| standing.get(name).and_then(Json::as_array).into_iter().flatten();
        left.extend(children("childActivityInstances").chain(children("childTransitionInstances")));
        let node = standing["activityId"].as_str().unwrap_or_default();
        let own = problems.iter().filter(|problem| *problem.from == *node);
        let failures: Vec<String> = own.map(ToString::to_string).collect();
        if failures.is_empty() {
            continue;
        }
        let instruction = planned.instructions.iter().find(|instruction| *instruction.source == *node);
        let is_transition = standing.get("childActivityInstances").is_none();
        let (list, word) = match is_transition {
            true => (&mut transitions, "transitionInstanceId"),
            false => (&mut activities, "activityInstanceId"),
        };
        list.push(json!({
            "migrationInstruction": instruction.map(Instruction::shown),
            word: standing["id"],
            "sourceScopeId": node,
            "failures": failures,
        }));
    }
    let report = json!({
        "processInstanceId": id::id(instance),
        "failures": [],
        "activityInstanceValidationReports": activities,
        "transitionInstanceValidationReports": transitions,
    });
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let message =
        format!("ENGINE-23004 Cannot migrate process instance '{}': {}", id::id(instance), problems.join("; "));
    let refused = Fault::bad_request_of("MigratingProcessInstanceValidationException", message);
    Ok(refused.with("validationReport", report))
}

//! What is done to one instance, or in a batch to many: modifications, migrations, restarts.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use potok::row::DefinitionKind;
use potok::{Engine, Error, MigrationPlan, Selector};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::instances::{Instance, created};
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::value::{Id, Variables};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(modify)).routes(routes!(migrate)).routes(routes!(restart)).routes(routes!(plan))
}

/// Tokens that are started, moved and cancelled: in this order, all or none.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Modification {
    instructions: Vec<Instruction>,
    /// Why: it stands in the history.
    #[serde(default)]
    reason: Option<String>,
}

/// What begins, moves or ends.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Instruction {
    /// A token begins before a flow node.
    StartBefore {
        element: String,
        /// The scope around it, where there are several.
        #[serde(default)]
        within: Option<u32>,
        /// Set where they are visible from there.
        #[serde(default)]
        variables: Variables,
        /// Set in the innermost scope that is opened for the token.
        #[serde(default, rename = "localVariables")]
        local_variables: Variables,
    },
    /// A token begins after a flow node.
    StartAfter {
        element: String,
        #[serde(default)]
        within: Option<u32>,
        #[serde(default)]
        variables: Variables,
        #[serde(default, rename = "localVariables")]
        local_variables: Variables,
    },
    /// A token begins on a sequence flow.
    StartOn {
        flow: String,
        #[serde(default)]
        within: Option<u32>,
        #[serde(default)]
        variables: Variables,
        #[serde(default, rename = "localVariables")]
        local_variables: Variables,
    },
    /// Everything on a flow node ends.
    CancelAll { element: String },
    /// The token ends that waits under this id: that of a task, job, incident or other wait.
    CancelWait { wait: Id },
    /// A token ends, by its serial.
    CancelToken { token: u32 },
    /// What has opened a scope ends.
    CancelScope { scope: u32 },
    /// Everything on a flow node ends, and for each of its tokens one begins before another.
    MoveAll {
        from: String,
        to: String,
        #[serde(default)]
        variables: Variables,
        #[serde(default, rename = "localVariables")]
        local_variables: Variables,
    },
    /// What waits under an id ends, and a token begins before another flow node.
    MoveWait {
        wait: Id,
        to: String,
        #[serde(default)]
        variables: Variables,
        #[serde(default, rename = "localVariables")]
        local_variables: Variables,
    },
}

impl Modification {
    /// All of it added to a modification of one instance or of many.
    pub(crate) fn add_to<On>(self, mut modification: potok::Modification<On>) -> potok::Modification<On> {
        for instruction in self.instructions {
            let (next, within, given) = match instruction {
                Instruction::StartBefore { element, within, variables, local_variables } => {
                    (modification.start_before(element), within, Some((variables, local_variables)))
                }
                Instruction::StartAfter { element, within, variables, local_variables } => {
                    (modification.start_after(element), within, Some((variables, local_variables)))
                }
                Instruction::StartOn { flow, within, variables, local_variables } => {
                    (modification.start_transition(flow), within, Some((variables, local_variables)))
                }
                Instruction::CancelAll { element } => (modification.cancel_all(element), None, None),
                Instruction::CancelWait { wait } => (modification.cancel(wait.key()), None, None),
                Instruction::CancelToken { token } => (modification.cancel_token(token), None, None),
                Instruction::CancelScope { scope } => (modification.cancel_scope(scope), None, None),
                Instruction::MoveAll { from, to, variables, local_variables } => {
                    (modification.move_all(from, to), None, Some((variables, local_variables)))
                }
                Instruction::MoveWait { wait, to, variables, local_variables } => {
                    (modification.move_one(wait.key(), to), None, Some((variables, local_variables)))
                }
            };
            modification = match within {
                Some(scope) => next.within(scope),
                None => next,
            };
            if let Some((variables, local_variables)) = given {
                modification = modification.variables(variables).local_variables(local_variables);
            }
        }
        match self.reason {
            Some(reason) => modification.reason(reason),
            None => modification,
        }
    }
}

/// Starts, moves and cancels tokens of an instance
///
/// All instructions are carried out, in their order, or none. An instance of which nothing is left is cancelled.
#[utoipa::path(post, path = "/instances/{id}/modify", tag = "instances", operation_id = "modifyInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is modified"), Problems))]
async fn modify(caller: Caller, Path(id): Path<Id>, Json(body): Json<Modification>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { body.add_to(engine.modify(id.into())).send().await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How instances of one definition go over to another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Migration {
    /// The definition that they come from; for a single instance its own unless this is given.
    #[serde(default)]
    from: Option<String>,
    /// The definition that they go to: `order`, `order@3`, `order@spring`, or an id.
    to: String,
    /// What becomes of flow nodes, by their ids: another's id, or `null` for none. What is not named stays as it is called.
    #[serde(default)]
    mappings: BTreeMap<String, Option<String>>,
    /// What mapped events wait for is computed anew.
    #[serde(default)]
    update_event_triggers: bool,
    /// Why: it stands in the history.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

impl Migration {
    /// The plan; `own` is the definition that the instance is of, if it is about one.
    pub(crate) async fn plan(&self, engine: &Engine, own: Option<potok::DefinitionId>) -> Result<MigrationPlan, Error> {
        let selected = async |text: &str| {
            let selector: Selector = text.parse().unwrap_or_else(|never| match never {});
            let found = engine.definition(DefinitionKind::Process, "", &selector).await?;
            Ok::<_, Error>(potok::DefinitionId(found.key))
        };
        let from = match (&self.from, own) {
            (Some(from), _) => selected(from).await?,
            (None, Some(own)) => own,
            (None, None) => return Err(Error::NotDeployed("".into())),
        };
        let mut plan = engine.migration_plan(from, selected(&self.to).await?).await?;
        for (source, target) in &self.mappings {
            plan = match target {
                Some(target) => plan.map(source.as_str(), target.as_str()),
                None => plan.leave_out(source),
            };
        }
        Ok(if self.update_event_triggers { plan.update_event_triggers() } else { plan })
    }
}

/// Lets an instance go over to another version or process
///
/// All of it or nothing. Its tasks, jobs, timers and calls stay what they are.
#[utoipa::path(post, path = "/instances/{id}/migrate", tag = "instances", operation_id = "migrateInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It has gone over"), Problems))]
async fn migrate(caller: Caller, Path(id): Path<Id>, Json(body): Json<Migration>) -> Result<StatusCode, Problem> {
    let migrated = caller.once(|engine| async move {
        let own = engine.instance(id.into()).get().await?.definition_id();
        let plan = body.plan(&engine, Some(own)).await?;
        let migrating = engine.migrate(id.into(), &plan);
        match body.reason {
            Some(reason) => migrating.reason(reason),
            None => migrating,
        }
        .send()
        .await
    });
    migrated.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A plan, and what is wrong with it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Plan {
    /// The definition that instances come from.
    from: Id,
    /// The definition that they go to.
    to: Id,
    /// What becomes of flow nodes, by their ids.
    mappings: BTreeMap<String, String>,
    /// What is wrong with it, whatever the instance.
    problems: Vec<String>,
}

/// Makes a plan for a migration, without migrating anything
#[utoipa::path(post, path = "/migrations/plan", tag = "instances", operation_id = "planMigration",
    responses((status = 200, body = Plan, description = "The plan"), Problems))]
async fn plan(caller: Caller, Json(body): Json<Migration>) -> Result<Json<Plan>, Problem> {
    if body.from.is_none() {
        return Err(Problem::malformed("body-invalid", "`from`: name the definition that instances come from"));
    }
    let plan = body.plan(&caller.engine, None).await?;
    Ok(Json(Plan {
        from: plan.from().into(),
        to: plan.to().into(),
        mappings: plan.mappings().map(|(source, to)| (source.to_string(), to.target.to_string())).collect(),
        problems: plan.check().iter().map(ToString::to_string).collect(),
    }))
}

/// A new instance in the place of one that has ended.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Restart {
    /// Before these flow nodes rather than at the start events.
    start_before: Vec<String>,
    /// After these flow nodes.
    start_after: Vec<String>,
    /// Of the newest version rather than of the old one's.
    latest_version: bool,
    /// With the variables with which the old one was started, rather than those that it had in the end.
    initial_variables: bool,
    without_business_key: bool,
    /// Beside those.
    variables: Variables,
    /// Why: it stands in the history.
    reason: Option<String>,
}

impl Restart {
    pub(crate) fn add_to<Of>(self, mut restart: potok::Restart<Of>) -> potok::Restart<Of> {
        restart = self.start_before.into_iter().fold(restart, potok::Restart::start_before);
        restart = self.start_after.into_iter().fold(restart, potok::Restart::start_after);
        if self.latest_version {
            restart = restart.latest_version();
        }
        if self.initial_variables {
            restart = restart.initial_variables();
        }
        if self.without_business_key {
            restart = restart.without_business_key();
        }
        restart = restart.variables(self.variables);
        match self.reason {
            Some(reason) => restart.reason(reason),
            None => restart,
        }
    }
}

/// Starts a new instance in the place of one that has ended
#[utoipa::path(post, path = "/instances/{id}/restart", tag = "instances", operation_id = "restartInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 201, body = Instance, description = "It has begun"), Problems))]
async fn restart(caller: Caller, Path(id): Path<Id>, Json(body): Json<Restart>) -> Result<Response, Problem> {
    let again = caller.once(|engine| async move { body.add_to(engine.restart(id.into())).send().await }).await?;
    Ok(created(Instance::from(&*again)))
}

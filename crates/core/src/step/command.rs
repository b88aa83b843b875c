//! What can be asked of an instance, and how it refuses.

use std::sync::Arc;

use super::{Instruction, MigrateTo, Position};
use crate::Name;
use crate::graph::ProcessGraph;
use crate::instance::{Caller, Failure, Key, ScopeId};
use crate::migration::{MigrationPlan, MigrationProblem};
use crate::time::Timestamp;
use crate::value::{Value, ValueError};

/// Variables given with a command, in order.
pub type Variables = Vec<(Name, Value)>;

/// Where an instance begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum StartAt {
    /// At its none start events; without any start event, at the flow nodes that nothing leads to.
    #[default]
    None,
    /// At a start event, instantiating receive task or event of an instantiating gateway that has occurred.
    Event(Name),
    /// Before these flow nodes of the process itself, whatever they are.
    Elements(Vec<Name>),
    /// At these places, also inside of sub-processes, which begin around them; as a modification lets tokens begin.
    Positions(Vec<Position>),
}

/// Why a call cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such process is deployed.
    Unknown,
    /// The process has no start event without a trigger.
    NotStartable,
    /// The called instance was ended from outside.
    Cancelled,
    /// Calls are nested too deep.
    Endless,
}

/// What can be asked of an instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin.
    Start {
        /// Where.
        at: StartAt,
        /// The business key.
        business_key: Option<Name>,
        /// The first variables.
        variables: Variables,
        /// The call that asks for it.
        caller: Option<Caller>,
        /// The instance whose message or signal asks for it.
        started_by: Option<Key>,
        /// The user who starts it.
        initiator: Option<Name>,
    },
    /// A person has done a user task.
    CompleteUserTask {
        /// The task.
        task: Key,
        /// What it gave.
        variables: Variables,
    },
    /// Somebody has changed a user task: its listeners are told.
    ChangeUserTask {
        /// The task.
        task: Key,
        /// Who has it now.
        assignee: Option<Name>,
    },
    /// A worker has done a job.
    CompleteJob {
        /// The job.
        job: Key,
        /// What it gave.
        variables: Variables,
        /// What it gave for the element's own scope only (its output mappings see it).
        local_variables: Variables,
    },
    /// A worker has failed.
    FailJob {
        /// The job.
        job: Key,
        /// Tries left; one less than before if not given. None left: an incident.
        retries: Option<i64>,
        /// What went wrong.
        message: Name,
    },
    /// A person or worker reports a BPMN error.
    ThrowError {
        /// The user task or job.
        wait: Key,
        /// The error's code.
        code: Name,
        /// The error's message.
        message: Option<Name>,
        /// What comes with it.
        variables: Variables,
    },
    /// A person or worker reports a BPMN escalation.
    ThrowEscalation {
        /// The user task or job; it goes on unless an interrupting event catches the escalation.
        wait: Key,
        /// The escalation's code.
        code: Name,
        /// What comes with it.
        variables: Variables,
    },
    /// A message has come for a subscription.
    DeliverMessage {
        /// The subscription.
        subscription: Key,
        /// What the message carries.
        variables: Variables,
    },
    /// A signal was thrown somewhere.
    DeliverSignal {
        /// Its name.
        name: Name,
        /// What it carries.
        variables: Variables,
    },
    /// A timer is due. Time itself is the context's: a timer fires when it is told to.
    FireTimer {
        /// The timer.
        timer: Key,
    },
    /// A timer or savepoint is due at another time. A timer that repeats is due after that as it would have been.
    ChangeTimer {
        /// The timer or savepoint.
        timer: Key,
        /// When it is due from now on.
        due: Timestamp,
    },
    /// A timer is due when its event says by the data as they are now.
    RecalculateTimer {
        /// The timer.
        timer: Key,
        /// From when it counts.
        from: Timestamp,
    },
    /// A savepoint or timer will never be due: a boundary event does not occur any more, and a token that waits for nothing else stays
    /// until it is moved or cancelled.
    Forget {
        /// Which.
        wait: Key,
    },
    /// A job, savepoint or timer is more urgent than it was, or less.
    ChangePriority {
        /// Which.
        wait: Key,
        /// The higher, the sooner.
        priority: i64,
    },
    /// The next unit of work may begin.
    Continue {
        /// The continuation.
        continuation: Key,
    },
    /// What followed a savepoint or timer has failed and is undone: it has one try less.
    FailTry {
        /// The continuation or timer.
        wait: Key,
        /// How it failed.
        failure: Failure,
    },
    /// Say how many tries what follows a savepoint or timer has left; none is an incident.
    SetRetries {
        /// The continuation or timer.
        wait: Key,
        /// Tries left.
        retries: u32,
    },
    /// A called instance has completed.
    CompleteCall {
        /// The call.
        call: Key,
        /// All variables of the called process.
        variables: Variables,
    },
    /// A called instance has failed with an error.
    FailCall {
        /// The call.
        call: Key,
        /// The error's code.
        code: Name,
        /// The error's message.
        message: Option<Name>,
        /// All variables of the called process.
        variables: Variables,
        /// What the error brings along.
        payload: Variables,
    },
    /// A called instance threw an escalation that nothing in it caught.
    EscalateCall {
        /// The call.
        call: Key,
        /// The escalation's code.
        code: Name,
        /// All variables of the called process.
        variables: Variables,
    },
    /// A called instance has ended, and all that called it ends with it (Flowable's `terminateAll`).
    EndWithCalled {
        /// The call.
        call: Key,
    },
    /// The process to be called does not run, or will not come to its end.
    RefuseCall {
        /// The call.
        call: Key,
        /// Why.
        refusal: Refusal,
        /// What is wrong and how to mend it.
        message: Name,
    },
    /// Begin activities of an ad-hoc sub-process.
    ActivateAdHoc {
        /// The ad-hoc sub-process.
        ad_hoc: Key,
        /// Ids of activities in it that nothing leads to.
        elements: Vec<Name>,
    },
    /// End an ad-hoc sub-process.
    CompleteAdHoc {
        /// The ad-hoc sub-process.
        ad_hoc: Key,
    },
    /// Set variables of a scope.
    SetVariables {
        /// The scope; [`crate::instance::ROOT`] for the process itself.
        scope: ScopeId,
        /// The variables.
        variables: Variables,
    },
    /// Remove variables of a scope; those that it has not are none the less gone.
    RemoveVariables {
        /// The scope; [`crate::instance::ROOT`] for the process itself.
        scope: ScopeId,
        /// Their names.
        names: Vec<Name>,
    },
    /// Set variables where a person works on a user task, a worker on a job, or anything else is waited for.
    SetTaskVariables {
        /// The task, or what waits there.
        task: Key,
        /// Each set in the innermost scope around it that has it, else in the process.
        variables: Variables,
        /// For its own scope only: what it does itself sees them, and they go with it.
        local_variables: Variables,
    },
    /// Try again what is stuck.
    ResolveIncident {
        /// The incident.
        incident: Key,
    },
    /// Start and cancel tokens. If nothing of the instance is left, it ends.
    Modify {
        /// What to do, in order.
        instructions: Vec<Instruction>,
        /// Why the instance ends, if it does.
        reason: Option<Name>,
    },
    /// Go over to another version of the process, or to another process. From then on all commands are given with its graph.
    Migrate {
        /// The process that it goes over to.
        to: MigrateTo,
        /// Which flow node becomes which.
        plan: MigrationPlan,
    },
    /// End the instance.
    Cancel {
        /// Why.
        reason: Option<Name>,
    },
}

impl Command {
    /// The savepoint or timer that it goes on from, if what follows is undone should it fail: then [`Command::FailTry`] is given
    /// instead.
    #[must_use]
    pub fn tries(&self, graph: &ProcessGraph) -> Option<Key> {
        match self {
            Self::Continue { continuation: wait } | Self::FireTimer { timer: wait } => {
                graph.dialect().tries_again().then_some(*wait)
            }
            _ => None,
        }
    }

    /// The graph with which all commands after it are given, if it is another one.
    #[must_use]
    pub fn graph_after(&self) -> Option<&Arc<ProcessGraph>> {
        match self {
            Self::Migrate { to, .. } => Some(&to.0),
            _ => None,
        }
    }

    /// Checks that all values given with it can be kept.
    pub(super) fn check_values(&self) -> Result<(), Rejection> {
        match self {
            Self::CompleteJob { variables, local_variables, .. }
            | Self::SetTaskVariables { variables, local_variables, .. } => {
                check_values(variables)?;
                check_values(local_variables)
            }
            Self::Start { variables, .. }
            | Self::CompleteUserTask { variables, .. }
            | Self::ThrowError { variables, .. }
            | Self::ThrowEscalation { variables, .. }
            | Self::DeliverMessage { variables, .. }
            | Self::DeliverSignal { variables, .. }
            | Self::CompleteCall { variables, .. }
            | Self::FailCall { variables, .. }
            | Self::EscalateCall { variables, .. }
            | Self::SetVariables { variables, .. } => check_values(variables),
            Self::Modify { instructions, .. } => instructions.iter().try_for_each(|instruction| match instruction {
                Instruction::Start { variables, local_variables, .. }
                | Instruction::Move { variables, local_variables, .. } => {
                    check_values(variables)?;
                    check_values(local_variables)
                }
                Instruction::Cancel(_) => Ok(()),
            }),
            Self::FailJob { .. }
            | Self::ChangeUserTask { .. }
            | Self::FireTimer { .. }
            | Self::ChangeTimer { .. }
            | Self::RecalculateTimer { .. }
            | Self::Forget { .. }
            | Self::ChangePriority { .. }
            | Self::Continue { .. }
            | Self::FailTry { .. }
            | Self::SetRetries { .. }
            | Self::EndWithCalled { .. }
            | Self::RefuseCall { .. }
            | Self::RemoveVariables { .. }
            | Self::ActivateAdHoc { .. }
            | Self::CompleteAdHoc { .. }
            | Self::ResolveIncident { .. }
            | Self::Migrate { .. }
            | Self::Cancel { .. } => Ok(()),
        }
    }
}

/// Checks that values can be kept.
pub(crate) fn check_values(variables: &[(Name, Value)]) -> Result<(), Rejection> {
    let check = |(name, value): &(Name, Value)| value.check().map_err(|error| Rejection::Value(name.clone(), error));
    variables.iter().try_for_each(check)
}

/// Why a command was refused. The instance is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The instance has already started.
    #[error("instance {0} has already started")]
    AlreadyStarted(Key),
    /// The instance does not run.
    #[error("instance {0} is not running: it has not started or has ended")]
    NotActive(Key),
    /// Nothing is waited for under that key.
    #[error("nothing is waited for under key {0}: it is done, cancelled, or was never there")]
    Unknown(Key),
    /// Something else is waited for under that key.
    #[error("key {key} is a {found}, not a {expected}")]
    WrongKind {
        /// The key.
        key: Key,
        /// What the command is for.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// What must be computed for it fails.
    #[error("`{0}`: {1}")]
    NotComputed(Name, String),
    /// The process has no element of that id at the place where it is needed.
    #[error("process `{process}` has no element `{element}` that {needed}")]
    UnknownElement {
        /// The process's id.
        process: Name,
        /// The element's id.
        element: Name,
        /// What it would have to be.
        needed: &'static str,
    },
    /// The process begins only with an event.
    #[error("process `{0}` has no none start event: it is started by a message, timer, signal or condition")]
    NoNoneStart(Name),
    /// There is no such scope.
    #[error("instance {0} has no scope {1}")]
    UnknownScope(Key, ScopeId),
    /// A value is too large or too deep to be kept.
    #[error("variable `{0}`: {1}")]
    Value(Name, ValueError),
    /// A sequential ad-hoc sub-process does one thing at a time.
    #[error("the ad-hoc sub-process `{0}` is sequential and one of its activities still runs: complete that first")]
    AdHocBusy(Name),
    /// Of a sequential ad-hoc sub-process several activities are to begin at once.
    #[error(
        "the ad-hoc sub-process `{0}` is sequential: begin its activities one after the other, each when the one before is complete"
    )]
    AdHocSequential(Name),
    /// No more work begins in an ad-hoc sub-process whose completion condition held.
    #[error("the ad-hoc sub-process `{0}` is ending: its completion condition has held")]
    AdHocEnding(Name),
    /// A modification without instructions.
    #[error("there is nothing to modify: give at least one instruction")]
    NoInstructions,
    /// No token has that serial.
    #[error("instance {0} has no token with the serial {1}: it has gone on, or was never there")]
    UnknownToken(Key, u32),
    /// Nothing runs on the flow node that is to be moved.
    #[error("no token stands on `{0}` that could be moved")]
    NothingThere(Name),
    /// No token can begin there.
    #[error("no token can begin at `{element}`: {why}")]
    NotStartable {
        /// The element's id.
        element: Name,
        /// Why.
        why: &'static str,
    },
    /// Several scopes come into question.
    #[error("several instances of `{around}` run, and `{element}` could begin in each of them: name the scope")]
    AmbiguousScope {
        /// The element's id.
        element: Name,
        /// The id of what runs several times.
        around: Name,
    },
    /// The scope is none of those around the flow node.
    #[error("`{element}` does not stand inside of scope {scope}: name the scope of one of the sub-processes around it")]
    OutsideScope {
        /// The element's id.
        element: Name,
        /// The scope.
        scope: ScopeId,
    },
    /// The flow node stands in an activity that repeats, and no round of it runs.
    #[error(
        "`{element}` stands inside of `{around}`, which repeats and of which no round runs there: start before `{around}`"
    )]
    InsideLoop {
        /// The element's id.
        element: Name,
        /// The id of what repeats.
        around: Name,
    },
    /// Nothing begins in the scope now.
    #[error("nothing can begin in scope {0} now: it is not open yet, stuck, or being cancelled or compensated")]
    ScopeNotOpen(ScopeId),
    /// The instance cannot go over to another process.
    #[error("the instance cannot be migrated: {}", summary(.0))]
    Migration(Vec<MigrationProblem>),
    /// There is no scope for local variables.
    #[error("no scope is opened for `{0}` that could have local variables: give them as variables")]
    NoLocalScope(Name),
}

fn summary(problems: &[MigrationProblem]) -> String {
    match problems {
        [] => String::new(),
        [one] => one.to_string(),
        [first, others @ ..] => format!("{first} (and {} more problems)", others.len()),
    }
}

impl Rejection {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyStarted(_) => "instance-already-started",
            Self::NotActive(_) => "instance-not-active",
            Self::Unknown(_) => "key-unknown",
            Self::WrongKind { .. } => "key-wrong-kind",
            Self::NotComputed(..) => "evaluation-failed",
            Self::UnknownElement { .. } => "element-unknown",
            Self::NoNoneStart(_) => "none-start-missing",
            Self::UnknownScope(..) => "scope-unknown",
            Self::Value(_, error) => error.code(),
            Self::AdHocBusy(_) => "ad-hoc-busy",
            Self::AdHocSequential(_) => "ad-hoc-sequential",
            Self::AdHocEnding(_) => "ad-hoc-ending",
            Self::NoInstructions => "instructions-missing",
            Self::UnknownToken(..) => "token-unknown",
            Self::NothingThere(_) => "token-missing",
            Self::NotStartable { .. } => "element-not-startable",
            Self::AmbiguousScope { .. } => "scope-ambiguous",
            Self::OutsideScope { .. } => "element-outside-scope",
            Self::InsideLoop { .. } => "element-inside-loop",
            Self::ScopeNotOpen(_) => "scope-not-open",
            Self::Migration(_) => "migration-impossible",
            Self::NoLocalScope(_) => "local-scope-missing",
        }
    }
}

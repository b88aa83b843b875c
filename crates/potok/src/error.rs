//! What can go wrong for a caller.

use std::sync::Arc;

use potok_core::Name;
use potok_core::diagnostic::Diagnostic;
use potok_core::encoding::DecodeError;
use potok_core::instance::Failure;
use potok_core::routing::RunError;
use potok_core::step::Rejection;
use potok_core::time::Timestamp;
use potok_core::value::ValueError;
use potok_store::StoreError;
use potok_store::row::BatchState;

use crate::feed::Occurrence;
use crate::{
    ApiTokenId, BatchId, DefinitionId, DeliveryId, DeploymentId, IncidentId, InstanceId, JobId, TaskId, TimerId,
    WebhookId,
};

/// Why the engine did not do as asked. Nothing was changed, unless the variant says otherwise.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database cannot do it now.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The database was lost in the middle of the commit and did not come back, or the engine was stopped meanwhile: whether this was done
    /// is not known.
    #[error(
        "the database was lost in the middle of a commit, and whether it was done is not known; look before you repeat it"
    )]
    OutcomeUnknown,
    /// The instance refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Files cannot be deployed.
    #[error("{}", said(.0))]
    Refused(Vec<RefusedFile>),
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        reason: String,
    },
    /// There is nothing to deploy.
    #[error("there is nothing to deploy: no file ends in .bpmn, .bpmn20.xml, .dmn or .form, or is a calendar*.yaml")]
    NothingToDeploy,
    /// No such process.
    #[error("no process `{0}` is deployed in the version that is asked for")]
    UnknownProcess(Name),
    /// The definition is suspended.
    #[error("process `{0}` is suspended: no instances are started until it is resumed")]
    ProcessSuspended(Name),
    /// No such version of a process.
    #[error("no version {0} of a process is deployed")]
    UnknownDefinition(DefinitionId),
    /// Nothing that is deployed is meant.
    #[error("`{0}` is not deployed: name a definition by its key, `key@version`, `key@tag` or its id")]
    NotDeployed(Name),
    /// A decision gave nothing.
    #[error("decision `{decision}` failed: {reason}")]
    Undecided {
        /// The decision.
        decision: Name,
        /// Why.
        reason: String,
    },
    /// No such instance.
    #[error("there is no instance {0}")]
    UnknownInstance(InstanceId),
    /// A running instance has the business key for itself.
    #[error(
        "the business key `{key}` is that of instance {instance}, which runs; wait until it has ended, or take another"
    )]
    BusinessKeyTaken {
        /// The key.
        key: Name,
        /// The instance.
        instance: InstanceId,
    },
    /// The instance has not ended.
    #[error("instance {0} still runs; cancel it first")]
    InstanceRuns(InstanceId),
    /// The instance is part of another that called it.
    #[error("instance {instance} was called by {caller} and goes with it; delete that one")]
    InstanceCalled {
        /// The instance.
        instance: InstanceId,
        /// Who called it.
        caller: InstanceId,
    },
    /// A token would get stuck, and that is [not wanted](crate::Engine::without_incidents), or is tried again
    /// ([`execute`](crate::Engine::execute)).
    #[error("nothing was done, for `{element}` would get stuck: {message}")]
    Stuck {
        /// The id of the flow node.
        element: Name,
        /// The stable code of the incident.
        incident: &'static str,
        /// What went wrong, and how to mend it.
        message: Name,
    },
    /// No such deployment.
    #[error("there is no deployment {0}")]
    UnknownDeployment(DeploymentId),
    /// Instances stand on the deployment.
    #[error(
        "{instances} instances, running or ended, stand on deployment {deployment} and need it; delete them first, or the \
         deployment with its instances"
    )]
    DeploymentInUse {
        /// The deployment.
        deployment: DeploymentId,
        /// How many.
        instances: u64,
    },
    /// Instances stand on the definition.
    #[error(
        "definition {definition} has {instances} instances, running or ended, whose histories need it; delete those first"
    )]
    DefinitionInUse {
        /// The definition.
        definition: DefinitionId,
        /// How many instances stand on it.
        instances: u64,
    },
    /// No such search is kept.
    #[error("no search {0} is kept")]
    UnknownSearch(potok_core::instance::Key),
    /// The instance is suspended.
    #[error("instance {0} is suspended; resume it first")]
    InstanceSuspended(InstanceId),
    /// No such open task.
    #[error("there is no open task {0}: it is completed, cancelled, or was never there")]
    UnknownTask(TaskId),
    /// Somebody else has the task.
    #[error("task {task} is claimed by {assignee} already")]
    TaskClaimed {
        /// The task.
        task: TaskId,
        /// Who has it.
        assignee: Name,
    },
    /// The task is not what the caller took it for.
    #[error("task {0} has been changed meanwhile; look at it again, and then change it")]
    TaskChanged(TaskId),
    /// The variables of the instance, or of a task of it, are not what the caller took them for.
    #[error("variables of instance {0} have been changed meanwhile; look at them again, and then set them")]
    VariablesChanged(InstanceId),
    /// The user is not what the caller took them for.
    #[error("user `{0}` has been changed meanwhile; look at them again, and then change them")]
    UserChanged(Name),
    /// The group is not what the caller took it for.
    #[error("group `{0}` has been changed meanwhile; look at it again, and then change it")]
    GroupChanged(Name),
    /// The search that is kept is not what the caller took it for.
    #[error("search {0} has been changed meanwhile; look at it again, and then change it")]
    SearchChanged(potok_core::instance::Key),
    /// As many searches are kept for the user, or for everybody, as may be.
    #[error(
        "{} keeps {limit} searches, which is as many as may be; forget one that nobody needs, or raise the search limit",
        owner.as_ref().map_or_else(|| "everybody".into(), |owner| format!("user `{owner}`"))
    )]
    TooManySearches {
        /// The user; nobody if they are everybody's.
        owner: Option<Name>,
        /// How many may be kept.
        limit: u64,
    },
    /// The comment is not what the caller took it for.
    #[error("comment {0} has been changed meanwhile; look at it again, and then change it")]
    CommentChanged(potok_core::instance::Key),
    /// The task is a process's: it ends as that says.
    #[error("task {0} belongs to a process: complete it, or cancel or modify its instance")]
    TaskOfProcess(TaskId),
    /// The user may not do that.
    #[error("{user} may not {what}: {how}")]
    Forbidden {
        /// The user, or the tenant that the engine keeps to.
        user: Name,
        /// What was asked for.
        what: String,
        /// What is missing, and how it is to be had.
        how: String,
    },
    /// Another tenant's.
    #[error("tenant `{0}` is out of reach here: the user is not in it, or the engine or token keeps to another")]
    ForeignTenant(Name),
    /// The user is in several tenants.
    #[error("this needs a tenant, for the user is in several: name it, or act as one tenant with `as_tenant`")]
    TenantNeeded,
    /// Whoever asks is not who they say, or not any more.
    #[error("the user, password, session or token is wrong, or no longer good: sign in again")]
    NotAuthenticated,
    /// Too many passwords were wrong.
    #[error("too many passwords were wrong: wait {} seconds and try again", wait.as_secs().max(1))]
    TooManyAttempts {
        /// How long nothing is tried.
        wait: std::time::Duration,
    },
    /// No such user.
    #[error("there is no user `{0}`; create them first")]
    UnknownUser(Name),
    /// No such token.
    #[error("there is no token {0}: it is revoked, or was never there")]
    UnknownToken(ApiTokenId),
    /// A token would have ended before it begins.
    #[error("the token would have ended at {0} already; let it end later, or leave that out")]
    TokenExpired(Timestamp),
    /// The password is too short or too long.
    #[error("a password has at least {shortest} characters and at most {longest} bytes")]
    UnfitPassword {
        /// Characters at least.
        shortest: usize,
        /// Bytes at most.
        longest: usize,
    },
    /// A password cannot be hashed, or what stands in the database is no hash.
    #[error("the password cannot be hashed or checked: {0}; set it anew")]
    Unhashable(String),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    NoRandomness(String),
    /// Nobody would administer any more.
    #[error("nobody who is known here would administer any more: make another administrator first")]
    LastAdministrator,
    /// An administrator of some tenants would be in none any more, and so one of all.
    #[error(
        "{0} is administrator and in no other tenant: that would make it one of all tenants; take the role away first, and give it anew afterwards if \
         that is meant"
    )]
    LastTenant(Name),
    /// No such group.
    #[error("there is no group `{0}`; create it first")]
    UnknownGroup(Name),
    /// No such job.
    #[error("there is no job {0}: it is done, cancelled, or was never there")]
    UnknownJob(JobId),
    /// Another worker has the job by now.
    #[error(
        "the lease of job {0} has run out and it is not this worker's any more; what it did may be done again by another"
    )]
    LeaseLost(JobId),
    /// No such incident.
    #[error("there is no open incident {0}")]
    UnknownIncident(IncidentId),
    /// Several instances wait for the message.
    #[error("{0} subscriptions match the message: narrow it by business key, correlation key or variables")]
    Ambiguous(usize),
    /// Nobody takes the message.
    #[error("nobody waits for the message `{0}` with what was said of the receiver, and no process starts with it")]
    NobodyWaits(Name),
    /// No process starts with a condition.
    #[error(
        "no process that is asked for starts with a condition: deploy one with a conditional start event, or ask for another"
    )]
    NoConditions,
    /// The condition of a start event cannot be computed.
    #[error("nothing was started, for the condition of `{event}` in process `{process}` cannot be computed: {reason}")]
    ConditionFailed {
        /// The process's id.
        process: Name,
        /// The start event's id.
        event: Name,
        /// What is wrong, and how to mend it.
        reason: Name,
    },
    /// No such timer, or other thing that is done when it is due.
    #[error("there is no timer or savepoint {0}: it is done, cancelled, or was never there")]
    UnknownTimer(TimerId),
    /// The message's id has been given before.
    #[error("a message with the id `{0}` has been delivered already")]
    MessageRepeated(Name),
    /// The instance still runs.
    #[error("instance {0} still runs: modify it, or cancel it first")]
    InstanceActive(InstanceId),
    /// The instance runs another definition than the one that the plan is for.
    #[error("instance {instance} runs definition {runs}, and the plan is for instances of {expected}")]
    OtherDefinition {
        /// The instance.
        instance: InstanceId,
        /// What it runs.
        runs: DefinitionId,
        /// What the plan is for.
        expected: DefinitionId,
    },
    /// Something was said of a start that was not asked for before.
    #[error("`{0}` belongs after the start or move that it is for, which is not the last instruction before it")]
    MisplacedInstruction(&'static str),
    /// The key under which something is to be done once was given for something else.
    #[error("the idempotency key `{0}` was given with another request before; take a new one for each request")]
    KeyReused(Name),
    /// Somebody did the same under the same key meanwhile.
    #[error("the same was done meanwhile under the same idempotency key; ask again for its answer")]
    Repeated,
    /// The variables are no JSON object.
    #[error("variables must be a JSON object, e.g. {{\"amount\": 12}}")]
    NoVariables,
    /// A variable is too large or too deep.
    #[error("variable `{name}`: {error}")]
    Variable {
        /// Its name.
        name: Name,
        /// What is wrong with it.
        error: ValueError,
    },
    /// Others were faster, again and again.
    #[error("instance {0} is written by so many at once that this did not get through; try again")]
    Contended(InstanceId),
    /// What stands in the database cannot be read.
    #[error("the history of instance {instance} cannot be read: {error}")]
    Damaged {
        /// The instance.
        instance: InstanceId,
        /// What is wrong.
        error: DecodeError,
    },
    /// A deployed model that this version of the program refuses.
    #[error("definition {id} in version {version} cannot be run by this version of the program: {reason}")]
    Unusable {
        /// Its id.
        id: Name,
        /// Its version.
        version: u32,
        /// Why.
        reason: String,
    },
    /// No such batch.
    #[error("there is no batch {0}")]
    UnknownBatch(BatchId),
    /// A batch of too many instances.
    #[error("a batch may be on {limit} instances at most: narrow it, or do it in several")]
    BatchTooLarge {
        /// How many it may be on.
        limit: usize,
    },
    /// The batch is in another state.
    #[error(
        "batch {batch} is {state:?} by now: a batch that runs can be paused, one that is paused resumed, both cancelled, and \
             deleted once they have ended"
    )]
    BatchState {
        /// The batch.
        batch: BatchId,
        /// Its state.
        state: BatchState,
    },
    /// No such webhook.
    #[error("there is no webhook {0}")]
    UnknownWebhook(WebhookId),
    /// No such delivery, or it has been delivered.
    #[error("there is no delivery {0} any more: it has been delivered, or given up for good")]
    UnknownDelivery(DeliveryId),
    /// There are no events of that kind.
    #[error("there are no events of the kind `{0}`; there are {kinds}", kinds = Occurrence::KINDS.join(", "))]
    UnknownEvent(Name),
    /// Nothing may be sent there.
    #[error("nothing may be sent to {url}: {reason}")]
    UnfitAddress {
        /// The address.
        url: Name,
        /// Why.
        reason: String,
    },
    /// Somebody else has done it.
    #[error("there is nothing to do any more")]
    NothingToDo,
    /// The engine has been stopped.
    #[error("the engine has been stopped")]
    Stopped,
}

/// A file that is not deployed, and all that is wrong with it.
#[derive(Clone, Debug)]
pub struct RefusedFile {
    /// Its name.
    pub file: Name,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is said of files that are refused, of each in a few words.
fn said(refused: &[RefusedFile]) -> String {
    let each = refused.iter().map(|file| format!("{} cannot be deployed: {}", file.file, file.summary()));
    each.collect::<Vec<_>>().join("; ")
}

impl RefusedFile {
    fn summary(&self) -> String {
        let first = self.diagnostics.iter().find(|it| it.severity == potok_core::diagnostic::Severity::Error);
        match (first, self.diagnostics.len()) {
            (None, _) => "it is refused".into(),
            (Some(first), 1) => first.to_string(),
            (Some(first), count) => format!("{first} (and {} more findings)", count - 1),
        }
    }
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::OutcomeUnknown => "store-outcome-unknown",
            Self::Rejected(rejection) => rejection.code(),
            Self::Refused(_) => "deployment-refused",
            Self::Unreadable { .. } => "file-unreadable",
            Self::NothingToDeploy => "deployment-empty",
            Self::UnknownProcess(_) => "process-unknown",
            Self::ProcessSuspended(_) => "process-suspended",
            Self::UnknownDefinition(_) => "definition-unknown",
            Self::NotDeployed(_) => "definition-unknown",
            Self::Undecided { .. } => "decision-failed",
            Self::UnknownInstance(_) => "instance-unknown",
            Self::BusinessKeyTaken { .. } => "business-key-taken",
            Self::InstanceRuns(_) => "instance-runs",
            Self::InstanceCalled { .. } => "instance-called",
            Self::Stuck { .. } => "stuck",
            Self::UnknownDeployment(_) => "deployment-unknown",
            Self::DeploymentInUse { .. } => "deployment-in-use",
            Self::DefinitionInUse { .. } => "definition-in-use",
            Self::UnknownSearch(_) => "search-unknown",
            Self::InstanceSuspended(_) => "instance-suspended",
            Self::UnknownTask(_) => "task-unknown",
            Self::TaskClaimed { .. } => "task-claimed",
            Self::TaskChanged(_) => "task-changed",
            Self::VariablesChanged(_) => "variables-changed",
            Self::UserChanged(_) => "user-changed",
            Self::GroupChanged(_) => "group-changed",
            Self::SearchChanged(_) => "search-changed",
            Self::TooManySearches { .. } => "searches-too-many",
            Self::CommentChanged(_) => "comment-changed",
            Self::TaskOfProcess(_) => "task-of-process",
            Self::Forbidden { .. } => "forbidden",
            Self::ForeignTenant(_) => "tenant-foreign",
            Self::TenantNeeded => "tenant-needed",
            Self::NotAuthenticated => "not-authenticated",
            Self::TooManyAttempts { .. } => "attempts-too-many",
            Self::UnknownUser(_) => "user-unknown",
            Self::UnknownToken(_) => "token-unknown",
            Self::TokenExpired(_) => "token-expired",
            Self::UnfitPassword { .. } => "password-unfit",
            Self::Unhashable(_) => "password-unhashable",
            Self::NoRandomness(_) => "randomness-missing",
            Self::LastAdministrator => "administrator-last",
            Self::LastTenant(_) => "tenant-last",
            Self::UnknownGroup(_) => "group-unknown",
            Self::UnknownJob(_) => "job-unknown",
            Self::LeaseLost(_) => "lease-lost",
            Self::UnknownIncident(_) => "incident-unknown",
            Self::Ambiguous(_) => "message-ambiguous",
            Self::NobodyWaits(_) => "message-unexpected",
            Self::NoConditions => "condition-unexpected",
            Self::ConditionFailed { .. } => "condition-failed",
            Self::UnknownTimer(_) => "timer-unknown",
            Self::MessageRepeated(_) => "message-repeated",
            Self::InstanceActive(_) => "instance-active",
            Self::OtherDefinition { .. } => "instance-other-definition",
            Self::MisplacedInstruction(_) => "instruction-misplaced",
            Self::KeyReused(_) => "idempotency-key-reused",
            Self::Repeated => "idempotency-key-repeated",
            Self::NoVariables => "variables-no-object",
            Self::Variable { error, .. } => error.code(),
            Self::Contended(_) => "instance-contended",
            Self::Damaged { error, .. } => error.code(),
            Self::Unusable { .. } => "definition-unusable",
            Self::UnknownBatch(_) => "batch-unknown",
            Self::BatchTooLarge { .. } => "batch-too-large",
            Self::BatchState { .. } => "batch-state",
            Self::UnknownWebhook(_) => "webhook-unknown",
            Self::UnknownDelivery(_) => "delivery-unknown",
            Self::UnknownEvent(_) => "event-unknown",
            Self::UnfitAddress { .. } => "webhook-address",
            Self::NothingToDo => "nothing-to-do",
            Self::Stopped => "engine-stopped",
        }
    }
}

impl Error {
    /// Whether it may be otherwise after a while, without anybody's doing.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Store(_) | Self::OutcomeUnknown | Self::Contended(_) | Self::NothingToDo | Self::Stopped)
    }
}

impl From<Failure> for Error {
    fn from(Failure { kind, element, message }: Failure) -> Self {
        Self::Stuck { element, incident: kind.code(), message }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OutcomeUnknown(_) => Self::OutcomeUnknown,
            error => Self::Store(Arc::new(error)),
        }
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Rejected(rejection) => Self::Rejected(rejection),
            RunError::UnknownProcess(process) => Self::UnknownProcess(process),
            RunError::UnknownInstance(instance) => Self::UnknownInstance(InstanceId(instance)),
            RunError::UnknownKey(key) => Self::Rejected(Rejection::Unknown(key)),
            RunError::Ambiguous(count) => Self::Ambiguous(count),
            RunError::ConditionFailed { process, event, reason } => Self::ConditionFailed { process, event, reason },
            // Only a host that makes time pass itself meets this.
            RunError::EndlessTimers(_) => Self::Stopped,
        }
    }
}

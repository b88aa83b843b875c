//! Waits: what must happen outside before a token goes on, or so that an event occurs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Key, NONE, Ordinal, Retry, ScopeId, TokenId, WaitId};
use crate::expressions::Binding;
use crate::time::{Timer, Timestamp};
use crate::{Name, value::Value};

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// A token: on an activity, a catching event, a gateway; or for a boundary event of its activity.
    Token(TokenId),
    /// A scope, for its event sub-processes.
    Scope(ScopeId),
}

/// Something that is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Its key, by which commands address it.
    pub key: Key,
    /// Who waits.
    pub owner: Owner,
    /// The flow node that it is for: the activity or event; for a boundary event that event.
    pub node: Ordinal,
    /// Which of the event's definitions it is for.
    pub definition: u32,
    /// What is waited for.
    pub kind: WaitKind,
    pub(crate) previous: WaitId,
    pub(crate) next: WaitId,
}

impl Wait {
    pub(crate) fn new(key: Key, owner: Owner, node: Ordinal, definition: u32, kind: WaitKind) -> Self {
        Self { key, owner, node, definition, kind, previous: NONE, next: NONE }
    }
}

/// The kinds of waiting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WaitKind {
    /// A person.
    UserTask(Arc<UserTaskWait>),
    /// A worker.
    Job(Arc<JobWait>),
    /// A point in time.
    Timer(Arc<TimerWait>),
    /// A message.
    Message(Arc<MessageWait>),
    /// A signal.
    Signal(SignalWait),
    /// A condition on variables.
    Condition {
        /// Whether it held when last asked; it occurs when it begins to hold.
        satisfied: bool,
    },
    /// A called process.
    Call(Arc<CallWait>),
    /// The next unit of work (a savepoint).
    Continuation {
        /// After the activity rather than before.
        after: bool,
        /// How it is tried; none if nothing is to be said of it.
        retry: Option<Arc<Retry>>,
    },
    /// Somebody who chooses what to do in an ad-hoc sub-process.
    AdHoc,
    /// The end of a compensation.
    Compensation(CompensationWait),
    /// Somebody who mends what is stuck.
    Incident(Arc<IncidentWait>),
    /// The other definitions of an event that needs all of them, or the start listeners of its event sub-process: this one has occurred.
    Occurred(Arc<OccurredWait>),
}

impl WaitKind {
    /// Its type.
    #[must_use]
    pub fn of_type(&self) -> WaitType {
        match self {
            Self::UserTask(_) => WaitType::UserTask,
            Self::Job(_) => WaitType::Job,
            Self::Timer(_) => WaitType::Timer,
            Self::Message(_) => WaitType::Message,
            Self::Signal(_) => WaitType::Signal,
            Self::Condition { .. } => WaitType::Condition,
            Self::Call(_) => WaitType::Call,
            Self::Continuation { .. } => WaitType::Continuation,
            Self::AdHoc => WaitType::AdHoc,
            Self::Compensation(_) => WaitType::Compensation,
            Self::Incident(_) => WaitType::Incident,
            Self::Occurred(_) => WaitType::Occurred,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.of_type().word()
    }
}

/// The kinds of waiting, without what is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WaitType {
    /// A person.
    UserTask,
    /// A worker.
    Job,
    /// A point in time.
    Timer,
    /// A message.
    Message,
    /// A signal.
    Signal,
    /// A condition on variables.
    Condition,
    /// A called process.
    Call,
    /// The next unit of work.
    Continuation,
    /// Somebody who chooses what to do in an ad-hoc sub-process.
    AdHoc,
    /// The end of a compensation.
    Compensation,
    /// Somebody who mends what is stuck.
    Incident,
    /// The other definitions of an event that needs all of them.
    Occurred,
}

impl WaitType {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UserTask => "user task",
            Self::Job => "job",
            Self::Timer => "timer",
            Self::Message => "message",
            Self::Signal => "signal",
            Self::Condition => "condition",
            Self::Call => "call",
            Self::Continuation => "continuation",
            Self::AdHoc => "ad-hoc",
            Self::Compensation => "compensation",
            Self::Incident => "incident",
            Self::Occurred => "occurred",
        }
    }
}

/// What is being compensated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompensationWait {
    /// The scope whose completed activities are compensated; where it is that of an event sub-process, those of the scope around it, too.
    pub scope: ScopeId,
    /// Only this activity, or [`NONE`].
    pub activity: Ordinal,
    /// Only what had completed when this many tokens had been created; in what was written before format 3 all.
    pub until: Option<u32>,
}

/// A user task, as its model assigns it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserTaskWait {
    /// The user it is assigned to.
    pub assignee: Option<Name>,
    /// Users who may claim it.
    pub candidate_users: Vec<Name>,
    /// Groups whose members may claim it.
    pub candidate_groups: Vec<Name>,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// When it should be looked at again.
    pub follow_up: Option<Timestamp>,
    /// The higher, the sooner.
    pub priority: Option<i64>,
    /// The key of its form.
    pub form_key: Option<Name>,
    /// Its name where that is computed; else it has its flow node's.
    pub name: Option<Name>,
    /// The user who answers for it.
    pub owner: Option<Name>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobWait {
    /// The kind of work, by which workers ask for it.
    pub kind: Name,
    /// Tries left before an incident.
    pub retries: i64,
    /// Time between tries, as the model writes it.
    pub retry_cycle: Option<Name>,
    /// The higher, the sooner.
    pub priority: i64,
    /// Static configuration.
    pub headers: Vec<(Name, Value)>,
    /// A listener's job: its place among the element's listeners; the work itself if none.
    pub listener: Option<u32>,
    /// The worker gets only the variables of the flow node's own scope: what the input mappings give.
    pub mapped_only: bool,
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimerWait {
    /// When it fires, and how often again.
    pub timer: Timer,
    /// Its event needs several definitions, and this one has occurred for the event's next time already.
    pub occurred: bool,
    /// How what follows is tried; none if nothing is to be said of it.
    pub retry: Option<Arc<Retry>>,
}

/// A message subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageWait {
    /// The message's name.
    pub name: Name,
    /// The key that a message must carry, if the subscription has one.
    pub correlation_key: Option<Value>,
    /// The values that the message's correlation properties must have. Of several conversations each has all of them, one after the
    /// other; null where it knows none yet.
    pub properties: Vec<(Name, Value)>,
}

impl MessageWait {
    /// What each conversation expects, to one of which a message must belong.
    pub(crate) fn conversations(&self) -> impl Iterator<Item = &[(Name, Value)]> {
        let again = self.properties.iter().skip(1).position(|(name, _)| *name == self.properties[0].0);
        self.properties.chunks(again.map_or(self.properties.len(), |place| place + 1).max(1))
    }
}

/// A signal subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalWait {
    /// The signal's name.
    pub name: Name,
}

/// A definition that has occurred of an event that needs all of them; or an event whose sub-process calls its start listeners first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OccurredWait {
    /// What came with it: the event's, once it has occurred as a whole.
    pub payload: Vec<(Name, Value)>,
}

/// A called process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallWait {
    /// The id of the process that is called.
    pub process: Name,
    /// Which version of it.
    pub binding: Binding,
    /// The called instance's business key.
    pub business_key: Option<Name>,
    /// What it gets.
    pub variables: Vec<(Name, Value)>,
    /// What is caught around the call.
    pub caught: Caught,
}

/// The call that started an instance: the called instance has the call's own key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caller {
    /// The instance that calls.
    pub instance: Key,
    /// How many calls stand around the called instance.
    pub depth: u32,
    /// What is caught around the call.
    pub caught: Caught,
}

/// What is caught around a call, at the call activity or further out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Caught {
    /// Errors by their codes; none stands for every error.
    pub errors: Vec<Option<Name>>,
    /// Escalations by their codes, and whether what catches them interrupts the call; none stands for all that are not named.
    pub escalations: Vec<(Option<Name>, bool)>,
}

impl Caught {
    /// Whether an error that leaves the called instance is caught.
    #[must_use]
    pub fn error(&self, code: &str) -> bool {
        self.errors.iter().any(|caught| caught.as_deref().is_none_or(|caught| caught == code))
    }

    /// Whether what catches an escalation interrupts the call; none if nothing catches it.
    #[must_use]
    pub fn escalation(&self, code: Option<&str>) -> Option<bool> {
        let find = |wanted: Option<&str>| self.escalations.iter().find(|(caught, _)| caught.as_deref() == wanted);
        find(code).or_else(|| find(None)).map(|(_, interrupts)| *interrupts)
    }
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncidentKind {
    /// An expression, mapping, script or decision failed.
    Expression,
    /// No condition of the flows out holds, and there is no default.
    NoFlow,
    /// A job has no retries left.
    Job,
    /// An error that nothing catches, thrown by a worker or script.
    UncaughtError,
    /// The called process is unknown.
    CallUnknown,
    /// The called process cannot be started by a call.
    CallNotStartable,
    /// The called instance was ended from outside.
    CallCancelled,
    /// Calls are nested too deep: a process calls itself without end.
    CallEndless,
    /// Too many steps without a wait state: an endless loop.
    StepBudget,
    /// A script or expression took too long or too much.
    Limit,
    /// Data that an activity needs before it begins is not there.
    Data,
    /// What follows a savepoint or timer has failed, and has no tries left.
    Retries,
}

impl IncidentKind {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Expression => "expression-failed",
            Self::NoFlow => "no-flow-taken",
            Self::Job => "job-failed",
            Self::UncaughtError => "error-uncaught",
            Self::CallUnknown => "called-process-unknown",
            Self::CallNotStartable => "called-process-not-startable",
            Self::CallCancelled => "called-process-cancelled",
            Self::CallEndless => "call-without-end",
            Self::StepBudget => "step-budget-exceeded",
            Self::Limit => "limit-exceeded",
            Self::Data => "data-missing",
            Self::Retries => "retries-exhausted",
        }
    }
}

/// Where a token goes on once its incident is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncidentStage {
    /// Opens its process or event sub-process again, whose data or event sub-processes could not be set up.
    Open,
    /// Comes to its flow node again.
    Arrive,
    /// Begins its flow node again.
    Enter,
    /// Does its flow node's work again.
    Execute,
    /// Throws what its event throws, from this one on.
    Throw(u32),
    /// Calls its flow node's listeners from this one on; behind the last one, goes on as after its end listeners.
    Listener(u32),
    /// Completes its flow node again (output mappings).
    Complete,
    /// Ends its round of a loop again, from this one of the events on that it throws: asks whether there is another round.
    Round(u32),
    /// Calls the end listeners of the process from this one on; then the process ends.
    ProcessEnd(u32),
    /// Chooses its flows out again.
    Leave,
    /// Chooses the flows out of its complex gateway, which is reset, again.
    Reset,
    /// Takes this flow, from this one of its listeners on.
    Take {
        /// The flow.
        flow: Ordinal,
        /// The listener.
        listener: u32,
    },
    /// Asks its ad-hoc sub-process's completion condition again.
    AdHoc,
    /// Retries the job, which stands open beside the incident.
    Job,
    /// Tries again what follows this savepoint or timer, which stands open beside the incident.
    Retry(Key),
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentWait {
    /// What went wrong.
    pub kind: IncidentKind,
    /// In words, with how to mend it.
    pub message: Name,
    /// Where the token goes on.
    pub stage: IncidentStage,
}

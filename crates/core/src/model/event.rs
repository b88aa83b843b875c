//! Events: things that happen.

use super::{Expression, Name, NodeIndex, Reference};
use crate::dialect::{Dialect, ElementProperties, ErrorVariables, JobProperties};
use crate::xml::ElementIndex;

/// What all events share.
#[derive(Clone, Debug)]
pub struct Event {
    /// Where it stands.
    pub position: EventPosition,
    /// What it catches or throws; none for a none event.
    pub definitions: Vec<EventDefinition>,
    /// It refers to an event definition that there is not.
    pub lacks_definition: bool,
    /// All definitions must occur, not just one.
    pub parallel_multiple: bool,
    /// Declared data of a throwing event.
    pub data_inputs: Vec<super::DataInput>,
    /// Declared data of a catching event.
    pub data_outputs: Vec<super::DataOutput>,
    /// Data that flows in (throw) or out (catch).
    pub data_associations: Vec<super::DataAssociation>,
    /// Properties: variables of its own.
    pub properties: Vec<super::Property>,
}

impl Event {
    /// Whether each of several definitions has a data input or output of its own: they correspond in their order (BPMN 2.0.2
    /// §10.4.1). (Camunda 7 knows nothing of it.)
    pub(crate) fn pairs_items(&self, dialect: Dialect) -> bool {
        let items = self.data_inputs.len() + self.data_outputs.len();
        self.definitions.len() > 1 && items == self.definitions.len() && dialect != Dialect::Camunda
    }
}

/// Where an event stands.
#[derive(Clone, Debug)]
pub enum EventPosition {
    /// Begins a process or sub-process.
    Start {
        /// In an event sub-process: cancels what else runs there.
        interrupting: bool,
    },
    /// Waits in the flow.
    IntermediateCatch,
    /// Throws and goes on.
    IntermediateThrow,
    /// Sits on an activity.
    Boundary {
        /// The activity.
        attached_to: Reference<NodeIndex>,
        /// Ends the activity when it occurs.
        cancel_activity: bool,
    },
    /// Ends a path.
    End,
}

/// What an event catches or throws.
#[derive(Clone, Debug)]
pub enum EventDefinition {
    /// A message.
    Message {
        /// Its element.
        element: ElementIndex,
        /// Index into [`super::Definitions::messages`].
        message: Option<Reference<usize>>,
        /// The operation that is called.
        operation: Option<Reference<super::activity::OperationIndex>>,
        /// A throwing event that is a job (Camunda's `type="external"` and the like).
        job: Option<Box<JobProperties>>,
        /// What else the dialects say, e.g. an expression to be evaluated.
        extension: Box<ElementProperties>,
    },
    /// A timer.
    Timer {
        /// Its element.
        element: ElementIndex,
        /// When; none if the file does not say.
        timer: Option<TimerDefinition>,
    },
    /// A signal.
    Signal {
        /// Its element.
        element: ElementIndex,
        /// Index into [`super::Definitions::signals`].
        signal: Option<Reference<usize>>,
        /// Its name where that is computed and no signal is referred to (Flowable's `signalExpression`).
        name: Option<Expression>,
        /// Variables handed over with the signal (Camunda's `camunda:in`).
        payload: crate::dialect::SignalPayload,
    },
    /// An error.
    Error {
        /// Its element.
        element: ElementIndex,
        /// Index into [`super::Definitions::errors`]. Some files write the code itself here.
        error: Option<Reference<usize>>,
        /// Where code and message are put when caught.
        variables: ErrorVariables,
    },
    /// An escalation.
    Escalation {
        /// Its element.
        element: ElementIndex,
        /// Index into [`super::Definitions::escalations`].
        escalation: Option<Reference<usize>>,
        /// Where the code is put when caught.
        code_variable: Option<Name>,
    },
    /// A condition on data.
    Conditional {
        /// Its element.
        element: ElementIndex,
        /// The condition.
        condition: Option<Expression>,
        /// Only changes of these variables count (dialects).
        variables: Vec<Name>,
        /// Only these kinds of change count (dialects).
        changes: Vec<Name>,
    },
    /// A jump within the process.
    Link {
        /// Its element.
        element: ElementIndex,
        /// The link's name.
        name: Option<Name>,
    },
    /// Undoing what was done.
    Compensation {
        /// Its element.
        element: ElementIndex,
        /// The one activity to be compensated; all in scope if none.
        activity: Option<Reference<NodeIndex>>,
        /// A throwing event waits until it is done (default).
        wait_for_completion: bool,
    },
    /// The transaction is cancelled.
    Cancel {
        /// Its element.
        element: ElementIndex,
    },
    /// Everything in the scope ends.
    Terminate {
        /// Its element.
        element: ElementIndex,
        /// Ends the whole instance, not only the scope (Flowable's `terminateAll`).
        all: bool,
    },
}

impl EventDefinition {
    /// Its element.
    #[must_use]
    pub fn element(&self) -> ElementIndex {
        match self {
            Self::Message { element, .. }
            | Self::Timer { element, .. }
            | Self::Signal { element, .. }
            | Self::Error { element, .. }
            | Self::Escalation { element, .. }
            | Self::Conditional { element, .. }
            | Self::Link { element, .. }
            | Self::Compensation { element, .. }
            | Self::Cancel { element }
            | Self::Terminate { element, .. } => *element,
        }
    }

    /// The word BPMN has for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Timer { .. } => "timer",
            Self::Signal { .. } => "signal",
            Self::Error { .. } => "error",
            Self::Escalation { .. } => "escalation",
            Self::Conditional { .. } => "conditional",
            Self::Link { .. } => "link",
            Self::Compensation { .. } => "compensation",
            Self::Cancel { .. } => "cancel",
            Self::Terminate { .. } => "terminate",
        }
    }
}

/// When a timer fires.
#[derive(Clone, Debug)]
pub struct TimerDefinition {
    /// How the expression's value is to be read.
    pub kind: TimerKind,
    /// ISO 8601 text (or cron, for a cycle), or an expression that gives it.
    pub expression: Expression,
    /// After this moment a cycle does not occur any more (Flowable's `endDate`).
    pub end: Option<Expression>,
}

/// The three kinds of timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// At a point in time.
    Date,
    /// After a while.
    Duration,
    /// Again and again.
    Cycle,
}

impl TimerKind {
    /// The kind that an element of a timer event definition gives.
    pub(crate) fn of_element(name: &str) -> Option<Self> {
        match name {
            "timeDate" => Some(Self::Date),
            "timeDuration" => Some(Self::Duration),
            "timeCycle" => Some(Self::Cycle),
            _ => None,
        }
    }
}

//! Events as steps read them: what they catch and throw.

use std::sync::Arc;

use super::{Expression, Job, Mapping};
use crate::Name;
use crate::instance::Ordinal;
use crate::model::TimerKind;

/// A start event.
#[derive(Debug)]
pub struct StartEvent {
    /// What triggers it; empty for a none start event.
    pub catches: Box<[Catch]>,
    /// All definitions must occur.
    pub parallel: bool,
    /// In an event sub-process: cancels what else runs around it.
    pub interrupting: bool,
}

/// An intermediate catching event.
#[derive(Debug)]
pub struct CatchEvent {
    /// What it waits for.
    pub catches: Box<[Catch]>,
    /// All definitions must occur.
    pub parallel: bool,
}

/// A boundary event.
#[derive(Debug)]
pub struct BoundaryEvent {
    /// The activity.
    pub attached_to: Ordinal,
    /// Ends the activity when it occurs.
    pub interrupting: bool,
    /// What it waits for.
    pub catches: Box<[Catch]>,
    /// All definitions must occur.
    pub parallel: bool,
}

/// The changes of variables that a conditional event is asked after.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeFilter {
    /// Of these variables only; of all if empty.
    pub variables: Vec<Name>,
    /// When a variable comes to be.
    pub on_create: bool,
    /// When a variable gets another value.
    pub on_update: bool,
    /// It occurs with each of them while its condition holds, not only when that begins to hold.
    pub each: bool,
}

/// What an event catches.
#[derive(Debug)]
pub enum Catch {
    /// A message.
    Message {
        /// Its name; none where only a message flow tells.
        name: Option<Expression>,
        /// The key it must carry.
        correlation_key: Option<Expression>,
        /// The correlation properties it carries.
        properties: Arc<[CorrelationProperty]>,
    },
    /// A timer.
    Timer {
        /// How the expression is read.
        kind: TimerKind,
        /// When.
        expression: Expression,
        /// After this moment a cycle does not occur any more.
        end: Option<Expression>,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: Expression,
    },
    /// A condition.
    Condition {
        /// What must hold.
        condition: Expression,
        /// Which changes it is asked after; all if none.
        filter: Option<Box<ChangeFilter>>,
    },
    /// An error.
    Error {
        /// Its code; any if none.
        code: Option<Name>,
        /// The variable for its code.
        code_variable: Option<Name>,
        /// The variable for its message.
        message_variable: Option<Name>,
        /// These variables are set in the event's own scope, whatever exists further out.
        local: bool,
    },
    /// An escalation.
    Escalation {
        /// Its code; any if none.
        code: Option<Name>,
        /// The variable for its code.
        code_variable: Option<Name>,
    },
    /// A compensation.
    Compensation,
    /// The cancelling of a transaction.
    Cancel,
    /// The other end of a link: passes at once.
    Link,
}

/// What an event throws.
#[derive(Debug)]
pub enum Throw {
    /// A message.
    Message {
        /// Its name; none where only a message flow tells.
        name: Option<Expression>,
        /// The key it carries.
        correlation_key: Option<Expression>,
        /// The correlation properties it carries.
        properties: Arc<[CorrelationProperty]>,
    },
    /// A message that a worker sends.
    Job(Box<Job>),
    /// An expression that does what the message would (Camunda 7).
    Expression {
        /// What is evaluated.
        expression: Expression,
        /// The variable that takes its result.
        result_variable: Option<Name>,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: Expression,
        /// It does not leave its instance.
        instance_only: bool,
        /// It carries all variables that its thrower sees.
        carries_all: bool,
        /// What it carries; nothing if empty.
        payload: Vec<Mapping>,
    },
    /// An error.
    Error {
        /// Its code.
        code: Option<Expression>,
        /// Its message.
        message: Option<Expression>,
    },
    /// An escalation.
    Escalation {
        /// Its code.
        code: Option<Expression>,
    },
    /// A compensation.
    Compensation {
        /// The one activity; all in scope if none.
        activity: Option<Ordinal>,
        /// Goes on only when it is done.
        wait: bool,
    },
    /// Cancels the transaction.
    Cancel,
    /// Ends everything in the scope, or in the instance.
    Terminate {
        /// In the whole instance.
        all: bool,
    },
    /// Jumps to the link's other end.
    Link {
        /// The catching event.
        target: Ordinal,
    },
}

/// A correlation property of a message, as one flow node uses it.
#[derive(Debug)]
pub struct CorrelationProperty {
    /// Its name.
    pub name: Name,
    /// Reads it from the message's payload.
    pub retrieval: Expression,
    /// Computes it from the process's data (a correlation subscription).
    pub binding: Option<Expression>,
}

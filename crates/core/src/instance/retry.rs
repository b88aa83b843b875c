//! Tries of what the engine does by itself behind a savepoint or timer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{IncidentKind, WaitKind};
use crate::Name;
use crate::time::{Timestamp, next_try, tries};

/// Tries unless a model says otherwise.
pub const TRIES: i64 = 3;

/// How what follows a savepoint or timer is tried, in the dialects that undo what fails (the rest is as if it had never begun), and how
/// urgent it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Tries left before an incident.
    pub left: i64,
    /// Time between tries, as the model writes it.
    pub cycle: Option<Name>,
    /// When it is tried again; none if when it would have been done anyway.
    pub due: Option<Timestamp>,
    /// How the last try failed.
    pub failure: Option<Failure>,
    /// The higher, the more urgent. It is shown; what is due is done in its turn.
    pub priority: i64,
}

/// How a try failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong.
    pub kind: IncidentKind,
    /// The id of the flow node that got stuck; it may be one of another instance.
    pub element: Name,
    /// In words, with how to mend it.
    pub message: Name,
}

impl Default for Retry {
    fn default() -> Self {
        Self { left: TRIES, cycle: None, due: None, failure: None, priority: 0 }
    }
}

impl Retry {
    /// As a model's retry cycle says.
    pub(crate) fn by(cycle: Name) -> Self {
        Self { left: tries(&cycle).unwrap_or(TRIES), cycle: Some(cycle), ..Self::default() }
    }

    /// As before the first try; none if that needs no saying.
    pub(crate) fn anew(retry: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        let Self { cycle, priority, .. } = retry.map(|retry| &**retry)?;
        Self::said(cycle.clone(), *priority)
    }

    /// As a model says; none if it says nothing.
    pub(crate) fn said(cycle: Option<Name>, priority: i64) -> Option<Arc<Self>> {
        let says = cycle.is_some() || priority != 0;
        says.then(|| Arc::new(Self { priority, ..cycle.map(Self::by).unwrap_or_default() }))
    }

    /// After a try that failed now.
    pub(crate) fn failed(&self, failure: Failure, now: Timestamp) -> Self {
        let due = self.cycle.as_deref().and_then(|cycle| next_try(cycle, self.left, now)).or(self.due);
        Self { left: (self.left - 1).max(0), due, failure: Some(failure), ..self.clone() }
    }
}

impl WaitKind {
    /// How what follows a savepoint or timer is tried, where more is to be said than that it has some tries.
    #[must_use]
    pub fn retry(&self) -> Option<&Arc<Retry>> {
        match self {
            Self::Timer(timer) => timer.retry.as_ref(),
            Self::Continuation { retry, .. } => retry.as_ref(),
            _ => None,
        }
    }

    /// The same, tried so.
    pub(crate) fn tried(&self, retry: Retry) -> Self {
        let retry = Some(Arc::new(retry));
        match self {
            Self::Timer(timer) => Self::Timer(Arc::new(super::TimerWait { retry, ..(**timer).clone() })),
            Self::Continuation { after, .. } => Self::Continuation { after: *after, retry },
            other => other.clone(),
        }
    }

    /// When a savepoint or timer goes on by itself: `now` if at once, none if it has no tries left, or is neither.
    #[must_use]
    pub fn goes_on(&self, now: Timestamp) -> Option<Timestamp> {
        let due = match self {
            Self::Timer(timer) => timer.timer.due,
            Self::Continuation { .. } => now,
            _ => return None,
        };
        match self.retry() {
            Some(retry) => (retry.left > 0).then(|| retry.due.unwrap_or(due)),
            None => Some(due),
        }
    }
}

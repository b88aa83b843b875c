//! What stands on a row of the log beside its events: who asked for it, and what it did that is no event of the process.

use std::sync::Arc;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use potok_store::Bytes;
use serde::{Deserialize, Serialize};

use crate::once::Once;
use crate::task::Assignment;
use crate::trace::TraceContext;

/// Beside the events of one row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Who asked for it; nobody if the engine did it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// The key under which it was asked for, so that it is done [once](crate::Engine::once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Name>,
    /// The trace that it is part of; of what the engine did by itself, the one in which its instance was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
    /// What it did that is no event of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
    /// The trace that it is part of if its instance is part of none.
    #[serde(skip)]
    pub(crate) or_trace: Option<TraceContext>,
    /// Savepoints and timers that were held back as soon as they were waited for, for so operators have said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Key>,
    /// For how many days the history of its instance, which has ended, is kept, for so operators have said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_days: Option<i64>,
    /// How it is done once.
    #[serde(skip)]
    pub(crate) once: Option<Arc<Once>>,
    /// It is refused if a token would get stuck.
    #[serde(skip)]
    pub(crate) unstuck: bool,
}

/// What is no event of the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Act {
    /// Who works on a task, or how it is to be worked on, was changed.
    TaskChanged {
        /// The task.
        task: Key,
        /// As it is from now on.
        assignment: Assignment,
    },
    /// A task that belongs to no process was created.
    TaskCreated {
        /// Its name.
        name: Name,
        /// What is to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Name>,
        /// The key of its form.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form: Option<Name>,
        /// The tenant that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<Name>,
        /// Who works on it, and when.
        assignment: Assignment,
    },
    /// A job failed and is tried again.
    JobFailed {
        /// The job.
        job: Key,
        /// What went wrong.
        error: Name,
        /// The same at length.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        details: Option<Name>,
        /// Whose try it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worker: Option<Name>,
        /// Not before.
        available: Timestamp,
    },
    /// A job, savepoint or timer has another priority; who has a job goes on having it.
    JobPrioritised {
        /// The job, savepoint or timer.
        job: Key,
    },
    /// A timer or savepoint is due at another time, without having been due.
    TimerRescheduled {
        /// The timer.
        timer: Key,
    },
    /// A timer or savepoint waits until it, or its instance, is resumed; or it goes on again.
    TimerSuspended {
        /// The timer or savepoint.
        timer: Key,
        /// Whether it is held back.
        suspended: bool,
    },
    /// An operator has noted something on an incident, or nothing any more.
    IncidentAnnotated {
        /// The incident.
        incident: Key,
        /// What.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotation: Option<Name>,
    },
    /// Nothing goes on in the instance until it is resumed.
    Suspended,
    /// It goes on.
    Resumed,
    /// The instance began, and has its business key for itself while it runs.
    BusinessKeyClaimed,
    /// What variables of that name had held was erased: in all rows before they are null.
    VariableErased {
        /// The name.
        name: Name,
    },
    /// Why an operator has intervened.
    Explained {
        /// In the operator's words.
        reason: Name,
    },
}

impl Envelope {
    /// The trace that it is part of after all.
    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.trace.or(self.or_trace)
    }

    /// As bytes; none if there is nothing in it.
    pub(crate) fn encode(&self) -> Bytes {
        if *self == Self::default() {
            return Bytes::default();
        }
        // Names, keys and times are always JSON.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// What [`encode`](Self::encode) wrote; an empty one if it cannot be read.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }
}

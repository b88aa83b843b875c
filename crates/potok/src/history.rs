//! History as people tell it: what happened on which flow node, when, and who did it.

use potok_core::Name;
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::row::InstanceState;
use serde::Serialize;

use crate::{Case, Error, InstanceId, TaskId};

mod finished;
mod telling;

pub use finished::FinishedElement;
pub(crate) use telling::Telling;

/// Rows that are read at once.
const PAGE: usize = 1000;

/// Something that happened to an instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// The row of the instance's history, from 1.
    pub seq: u64,
    /// When it happened.
    pub time: Timestamp,
    /// Who did it, as far as it is a person's doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum What {
    /// The instance began.
    Started,
    /// A flow node was entered, worked on or left. A repeated activity stands for each of its rounds.
    Element {
        /// The id of the flow node.
        element: Name,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Name>,
        /// A number that all that happens on one visit has in common, counted in the instance from 1.
        visit: u64,
        /// What happened there.
        transition: Transition,
        /// When the visit began.
        since: Timestamp,
        /// The task, if it is a user task.
        #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
        /// The instance that it called, if it is a call activity that has called one.
        #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
        called: Option<InstanceId>,
    },
    /// A variable was set.
    VariableSet {
        /// Its name.
        variable: Name,
        /// Its value.
        #[serde(serialize_with = "as_json")]
        value: Value,
        /// The visit whose own it is; none if it is the process's.
        #[serde(skip_serializing_if = "Option::is_none")]
        visit: Option<u64>,
    },
    /// A variable was removed.
    VariableRemoved {
        /// Its name.
        variable: Name,
        /// The visit whose own it was; none if it was the process's.
        #[serde(skip_serializing_if = "Option::is_none")]
        visit: Option<u64>,
    },
    /// What a variable had held was erased: its values before are null.
    VariableErased {
        /// Its name.
        variable: Name,
    },
    /// Something got stuck.
    IncidentRaised {
        /// The id of the flow node.
        element: Name,
        /// What went wrong.
        code: Name,
        /// In words.
        message: Name,
    },
    /// It goes on.
    IncidentResolved {
        /// The id of the flow node.
        element: Name,
    },
    /// The instance went over to another version or process.
    Migrated {
        /// The id of the process that it runs from now on.
        process: Name,
    },
    /// An operator says why what was just told was done.
    Explained {
        /// In the operator's words.
        reason: Name,
    },
    /// Nothing goes on until it is resumed.
    Suspended,
    /// It goes on.
    Resumed,
    /// The instance ended as its model says.
    Completed,
    /// The instance ended by an error that nothing caught.
    Failed {
        /// The error's code.
        code: Name,
    },
    /// The instance was ended from outside.
    Cancelled {
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Name>,
    },
}

/// What happens to a visit of a flow node: the transitions of the lifecycle extension of XES (IEEE 1849) that apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// A token waits at the savepoint before it.
    Schedule,
    /// It began.
    Start,
    /// Somebody has the task.
    Assign,
    /// Somebody else has the task, or nobody any more.
    Reassign,
    /// It is complete.
    Complete,
    /// It was cancelled.
    AteAbort,
}

impl Transition {
    /// Its name in XES.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Start => "start",
            Self::Assign => "assign",
            Self::Reassign => "reassign",
            Self::Complete => "complete",
            Self::AteAbort => "ate_abort",
        }
    }
}

#[expect(clippy::ref_option, reason = "serde hands fields over so")]
fn as_text<T: std::fmt::Display, S: serde::Serializer>(id: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

fn as_json<S: serde::Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_json().serialize(serializer)
}

impl Case {
    /// What happened to it, the oldest first.
    ///
    /// # Errors
    /// If there is no such instance, or its history cannot be read.
    pub async fn happenings(&self) -> Result<Vec<Happening>, Error> {
        let row = self.get().await?;
        let mut telling = Telling::of(&row);
        let mut all = Vec::new();
        while let Some(some) = telling.next(&self.engine().inner).await? {
            all.extend(some);
        }
        Ok(all)
    }
}

/// Whether an instance runs, in a word.
pub(crate) fn word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Active => "active",
        InstanceState::Completed => "completed",
        InstanceState::Failed => "failed",
        InstanceState::Cancelled => "cancelled",
    }
}

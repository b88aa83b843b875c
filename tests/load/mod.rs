//! A program under load: callers start orders, claim and complete tasks, send messages with ids, do jobs, attach files, and
//! complete tasks in transactions of their own with a row of the program's. Whatever was acknowledged to them is [`Said`] after that,
//! never before; an [`Account`] of what was said is then held against the database.

mod account;
mod caller;
mod ledger;

use std::sync::Arc;

use potok::{Builder, InstanceId, Job, JobError, JobId, TaskId, Transaction};
use serde::{Deserialize, Serialize};

pub use account::Account;
pub use caller::{CALLERS, call};

/// The model of an order, with the called process that ships it.
pub const ORDER: &str = include_str!("order.bpmn");

/// What a caller is about to do, if it must leave no more than one trace, or what was acknowledged to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Said {
    /// The engine runs.
    Ready,
    /// An order is about to be started.
    Starting {
        /// Its business key.
        order: String,
    },
    /// An order was started.
    Started {
        /// Its business key.
        order: String,
        /// Its instance.
        instance: InstanceId,
    },
    /// A task was claimed.
    Claimed {
        /// The task.
        task: TaskId,
        /// By whom.
        user: String,
    },
    /// A task was completed.
    Completed {
        /// The task.
        task: TaskId,
    },
    /// A task is about to be completed together with a row of the program's own.
    Entering {
        /// The task.
        task: TaskId,
    },
    /// That is done.
    Entered {
        /// The task.
        task: TaskId,
    },
    /// A message is about to be sent.
    Sending {
        /// Its id.
        id: String,
    },
    /// A message was sent.
    Sent {
        /// Its id.
        id: String,
        /// Who had it at once; nobody if it is kept.
        to: Option<InstanceId>,
    },
    /// A job was completed.
    JobDone {
        /// The job.
        job: JobId,
    },
    /// A job was in a worker's hands, at least in that time.
    InHand {
        /// The job.
        job: JobId,
        /// When the worker had it, in microseconds.
        from: i64,
        /// When it was about to be given back, or its lease was about to run out.
        until: i64,
    },
    /// A file was attached to an instance.
    Attached {
        /// The instance.
        instance: InstanceId,
        /// The file's name.
        name: String,
    },
    /// The database could not do it.
    Trouble {
        /// What it could not do.
        what: String,
        /// The error's code.
        code: String,
    },
}

/// With the handlers of the orders' jobs. What they give are their jobs' ids, so that the result tells who gave it.
#[must_use]
pub fn with_handlers(builder: Builder) -> Builder {
    builder.handler("pack", pack).handler_in_transaction("book", book)
}

#[allow(clippy::unused_async, reason = "handlers are asynchronous")]
async fn pack(job: Job) -> Result<serde_json::Value, JobError> {
    Ok(serde_json::json!({"packed": job.id().to_string()}))
}

/// Writes a row of the program's own, which is there if the job is done, and only then.
async fn book(job: Job, transaction: Arc<Transaction>) -> Result<serde_json::Value, JobError> {
    ledger::book(&transaction, job.id()).await?;
    Ok(serde_json::json!({"booked": job.id().to_string()}))
}

/// The bytes of a file of that name: more than one chunk.
#[must_use]
pub fn file(name: &str) -> Vec<u8> {
    name.bytes().cycle().take(270_000).collect()
}

//! A BPMN 2.0 workflow engine to embed.
//!
//! An [`Engine`] runs processes on a database: what it has acknowledged is durable, and goes on wherever an engine is started on
//! the same database. See [`Engine`] for a whole program.

mod afterwards;
mod alone;
mod attempt;
mod background;
mod backup;
mod batch;
mod builder;
mod cache;
mod catalog;
mod clock;
mod commit;
mod deletion;
mod deploy;
mod doctor;
mod engine;
mod envelope;
mod erasure;
mod error;
mod export;
mod follow;
mod handler;
mod history;
mod id;
mod instance;
mod job;
mod message;
mod migrate;
mod modify;
mod operation;
mod people;
mod remark;
mod restart;
mod statistics;
mod task;
mod together;
mod transact;
mod transaction;
mod variables;
mod work;

pub use alone::NewTask;
pub use backup::{back_up, restore};
pub use batch::{Batch, NewBatch};
pub use builder::Builder;
pub use clock::Clock;
pub use deploy::{Deployed, Deployment, FileKind};
pub use doctor::Finding;
pub use engine::Engine;
pub use envelope::{Act, Envelope};
pub use error::{Error, RefusedFile};
pub use export::{Export, Format};
pub use handler::{IntoResult, JobError};
pub use history::{FinishedElement, Happening, Transition, What};
pub use id::{BatchId, DefinitionId, DeploymentId, IncidentId, InstanceId, JobId, TaskId, TimerId};
pub use instance::{Case, Entry, Instance, Start};
pub use job::{Job, JobFailure};
pub use message::{Delivery, Sending};
pub use migrate::{Migrating, MigrationPlan};
pub use modify::Modification;
pub use operation::Operation;
pub use people::People;
pub use remark::{Attaching, Reading, Subject};
pub use restart::{Restart, RestartPlan};
pub use statistics::{DefinitionStatistics, ElementStatistics};
pub use task::{Assignment, Task, Tasks};
pub use transaction::Transaction;
pub use variables::IntoVariables;

pub use potok_core::Name;
pub use potok_core::value::Value;
pub use potok_store::{StoreError, query, row, sqlx};

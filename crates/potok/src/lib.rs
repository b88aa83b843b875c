//! A BPMN 2.0 workflow engine to embed.
//!
//! An [`Engine`] runs processes on a database: what it has acknowledged is durable, and goes on wherever an engine is started on
//! the same database. See [`Engine`] for a whole program.

mod access;
mod afterwards;
mod alone;
mod attempt;
mod audit;
mod background;
mod backup;
mod batch;
mod builder;
mod cache;
mod catalog;
mod clock;
mod commit;
mod condition;
mod correlate;
mod courier;
mod decision;
mod definition;
mod deletion;
mod deploy;
mod doctor;
mod due;
mod engine;
mod envelope;
mod erasure;
mod error;
mod export;
mod fault;
mod feed;
mod follow;
mod guesses;
mod handler;
mod held;
mod history;
mod id;
mod identity;
mod incident;
mod instance;
mod job;
mod message;
mod migrate;
mod modify;
mod neighbours;
mod once;
mod operation;
mod outgoing;
mod password;
mod people;
mod policy;
mod recent;
mod remark;
mod restart;
mod rights;
mod saved_search;
mod scoped;
mod search;
mod secret;
mod selector;
mod session;
mod statistics;
mod task;
mod together;
mod token;
mod told;
mod trace;
mod transact;
mod transaction;
mod variables;
mod wake;
mod watch;
mod webhook;
mod work;
mod work_log;

/// A future that says nothing of what it is made of. Whoever waits for a future of a named type carries all of its program, and so does
/// whoever waits for them, once more in each crate: what is at the bottom of many operations is boxed.
type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub use alone::NewTask;
pub use backup::{back_up, restore};
pub use batch::{Batch, NewBatch};
pub use builder::Builder;
pub use clock::Clock;
pub use condition::ConditionEvaluation;
pub use correlate::{Correlation, Receiver};
pub use deploy::{CheckedFile, Deployed, Deployment, FileKind};
pub use doctor::Finding;
pub use due::{Due, DueKind, DueQuery};
pub use engine::Engine;
pub use envelope::{Act, Envelope};
pub use error::{Error, RefusedFile};
pub use export::{Export, Format};
pub use fault::Fault;
pub use feed::{Feed, News, Occurrence};
pub use handler::{IntoResult, JobError};
pub use history::{FinishedElement, Happening, Transition, What};
pub use id::{
    ApiTokenId, BatchId, DefinitionId, DeliveryId, DeploymentId, IncidentId, InstanceId, JobId, TaskId, TimerId,
    WebhookId,
};
pub use identity::{Identity, Whoami};
pub use instance::{Case, Entry, Instance, Start};
pub use job::{Job, JobFailure};
pub use message::{Delivery, Sending};
pub use migrate::{Migrating, MigrationPlan};
pub use modify::Modification;
pub use operation::Operation;
pub use password::SHORTEST as SHORTEST_PASSWORD;
pub use people::People;
pub use policy::DueOf;
pub use remark::{Attaching, Reading, Subject};
pub use restart::{Restart, RestartPlan};
pub use rights::{Action, Right, Role};
pub use scoped::Viewpoint;
pub use search::Search;
pub use secret::Secret;
pub use selector::Selector;
pub use session::SignedIn;
pub use statistics::{DefinitionStatistics, ElementStatistics, TopicStatistics};
pub use task::{Assignment, Task, Tasks};
pub use token::{ApiToken, NewToken};
pub use trace::{NoTraceContext, TraceContext};
pub use transaction::Transaction;
pub use variables::IntoVariables;
pub use watch::JobWatch;
pub use webhook::{NewWebhook, Webhook};
pub use work_log::{WorkEntry, WorkEvent, WorkKind};

pub use potok_core::Name;
pub use potok_core::expressions::Decided;
pub use potok_core::instance::Failure;
pub use potok_core::step::DueType;
pub use potok_core::value::Value;
pub use potok_store::{First, Page, Position, StoreError, Version, Wanted, query, row, sqlx};

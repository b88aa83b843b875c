//! The rows that the engine writes and reads, one struct for each table. Rows that belong to an instance begin with its key.
//!
//! A definition (its start timers and subscriptions) is a stream in the log like an instance: wherever a row says `instance`, it is
//! the key of such a stream.

mod access;
mod batch;
mod deployment;
mod guard;
mod instance;
mod log;
mod message;
mod node;
mod person;
mod search;
mod task;
mod wait;
mod webhook;

pub use access::{ApiToken, Audit, Grant, Password, Session, TeamTenancy, Tenancy, Tenant};
pub use batch::{Batch, BatchItem, BatchState, ItemState};
pub(crate) use deployment::{Content, ContentPoint};
pub use deployment::{Definition, DefinitionKind, Deployment, Resource};
pub(crate) use guard::Written;
pub use guard::{Claim, ClaimKind};
pub use instance::{Instance, InstanceState, Token, Variable, VariableKind};
pub(crate) use log::LogPoint;
pub use log::{LogRow, Snapshot};
pub use message::{Message, Work};
pub use node::Node;
pub use person::{Attachment, Comment, Group, Membership, User};
pub use search::SavedSearch;
pub(crate) use task::Candidate;
pub use task::{CandidateKind, Delegation, Task, TaskState, TaskVariable};
pub use wait::{DuePolicy, Incident, Job, Subscription, SubscriptionKind, Timer};
pub use webhook::{Delivery, DeliveryState, Webhook};

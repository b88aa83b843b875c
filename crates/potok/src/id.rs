//! Ids of what can be addressed: each of a type of its own, so that none is taken for another.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use potok_core::instance::Key;
use potok_core::time::Timestamp;
use potok_store::Keys;
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub Key);

            impl $name {
                /// When it came to be, as far as its key tells: to the millisecond, by the clock of whoever gave it.
                #[must_use]
                pub fn created(self) -> Timestamp {
                    Keys::time_of(self.0)
                }
            }

            impl From<Key> for $name {
                fn from(key: Key) -> Self {
                    Self(key)
                }
            }

            impl From<$name> for Key {
                fn from(id: $name) -> Self {
                    id.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl FromStr for $name {
                type Err = ParseIntError;

                fn from_str(text: &str) -> Result<Self, ParseIntError> {
                    text.parse().map(|number| Self(Key(number)))
                }
            }
        )+
    };
}

ids! {
    /// A process instance. A called one has the id of its call.
    InstanceId,
    /// A user task.
    TaskId,
    /// A job.
    JobId,
    /// A timer.
    TimerId,
    /// An incident.
    IncidentId,
    /// A version of a process, decision, form or calendar.
    DefinitionId,
    /// One thing done to many instances.
    BatchId,
    /// What a program signs in by.
    ApiTokenId,
    /// What was deployed together.
    DeploymentId,
    /// Somebody who is told what happens.
    WebhookId,
    /// Something that a webhook is to be told.
    DeliveryId,
}

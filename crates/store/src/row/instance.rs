//! Instances and their searchable variables.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cell::codes;
use crate::record::record;

codes! {
    /// Whether an instance still runs, and if not, how it ended.
    #[derive(Serialize, Deserialize)]
    InstanceState {
        /// Running.
        #[default]
        Active = 0,
        /// Ended as its model says.
        Completed = 1,
        /// Ended by an error that nothing caught.
        Failed = 2,
        /// Ended from outside.
        Cancelled = 3,
    }
}

record! {
    /// A process instance. It is closed, not removed, when it ends.
    #[derive(Serialize, Deserialize)]
    pub struct Instance in "instances" by Key {
        /// Its key.
        key: Key,
        /// The definition that it runs.
        definition: Key,
        /// The id of its process.
        process: Name,
        /// The business key.
        business_key: Option<Name>,
        /// The tenant.
        tenant: Option<Name>,
        /// The instance that called it; the call's key is its own.
        parent: Option<Key>,
        /// Who started it.
        initiator: Option<Name>,
        /// When it started.
        started: Timestamp,
        /// Whether it runs.
        state: InstanceState,
        /// Nothing goes on in it until it is resumed.
        suspended: bool,
        /// When it ended.
        ended: Option<Timestamp>,
        /// How long its history is kept, if its model says so.
        expires: Option<Timestamp>,
        /// It has its business key for itself while it runs, among those of its process that were started so.
        unique: bool,
        /// The trace in which it was started, as a `traceparent` of W3C Trace Context.
        trace: Option<Name>,
    }
}

record! {
    /// A token, wherever it stands, so that the tokens on each flow node can be counted; but none that waits at a task or a job, whose
    /// row says it.
    pub struct Token in "tokens" by (Key, u32) {
        /// Its instance.
        instance: Key,
        /// Its number in the instance, used again after it is gone.
        token: u32,
        /// The instance's definition.
        definition: Key,
        /// The ordinal of its flow node in the definition.
        node: u32,
    }
}

codes! {
    /// What a searchable variable holds.
    VariableKind {
        /// Nothing.
        #[default]
        Null = 0,
        /// A boolean: 0 or 1.
        Boolean = 1,
        /// A number.
        Number = 2,
        /// Text, or a date, time or duration in ISO 8601.
        Text = 3,
    }
}

record! {
    /// A variable of the process itself, small enough to be searched: at most 256 bytes by name and value.
    pub struct Variable in "variables" by (Key, Name) {
        /// The instance.
        instance: Key,
        /// Its name.
        name: Name,
        /// What it holds.
        kind: VariableKind,
        /// The number; 0 if it holds none.
        number: f64,
        /// The text; empty if it holds none.
        text: Name,
    }
}

impl Variable {
    /// Bytes of name and value together that a variable may have to be searched.
    pub const LIMIT: usize = 256;

    /// A variable that holds nothing.
    #[must_use]
    pub fn null(instance: Key, name: Name) -> Self {
        Self { instance, name, ..Self::default() }
    }

    /// A variable that holds a boolean.
    #[must_use]
    pub fn boolean(instance: Key, name: Name, value: bool) -> Self {
        Self { instance, name, kind: VariableKind::Boolean, number: f64::from(u8::from(value)), ..Self::default() }
    }

    /// A variable that holds a number.
    #[must_use]
    pub fn number(instance: Key, name: Name, number: f64) -> Self {
        Self { instance, name, kind: VariableKind::Number, number, ..Self::default() }
    }

    /// A variable that holds text.
    #[must_use]
    pub fn text(instance: Key, name: Name, text: Name) -> Self {
        Self { instance, name, kind: VariableKind::Text, text, ..Self::default() }
    }

    /// Whether it is small enough to be searched.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.name.len() + self.text.len() <= Self::LIMIT
    }
}

//! What instances wait for, other than people: jobs, timers, subscriptions, incidents.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::step::DueType;
use potok_core::time::Timestamp;

use crate::cell::codes;
use crate::record::record;

record! {
    /// Work for a worker; removed when it is done.
    pub struct Job in "jobs" by (Key, Key) {
        /// Its instance.
        instance: Key,
        /// Its key.
        key: Key,
        /// The instance's definition.
        definition: Key,
        /// The id of the instance's process.
        process: Name,
        /// The id of its flow node.
        node: Name,
        /// The kind of work, by which workers ask for it.
        topic: Name,
        /// The tenant.
        tenant: Option<Name>,
        /// The higher, the sooner.
        priority: i64,
        /// Tries left; at 0 it is not handed out.
        retries: i64,
        /// What went wrong at the last try.
        error: Option<Name>,
        /// The same at length, e.g. a stack trace.
        details: Option<Name>,
        /// Somebody has said how many tries are left since its model did.
        counted: bool,
        /// Not handed out while its instance is suspended.
        suspended: bool,
        /// Not handed out before.
        available: Timestamp,
        /// Who has it, or had it last.
        worker: Option<Name>,
        /// A random number that tells this lease from others; 0 if nobody has it.
        lease: u64,
        /// When the lease runs out.
        leased_until: Timestamp,
        /// The trace in which it was opened, as a `traceparent` of W3C Trace Context.
        trace: Option<Name>,
    }
}

record! {
    /// A point in time that is waited for.
    pub struct Timer in "timers" by (Key, Key) {
        /// Its instance.
        instance: Key,
        /// Its key.
        key: Key,
        /// The instance's definition.
        definition: Key,
        /// The id of the instance's process.
        process: Name,
        /// The id of its flow node.
        node: Name,
        /// When it fires.
        due: Timestamp,
        /// Does not fire while its instance is suspended.
        suspended: bool,
        /// A node fires it and has until then, so that others need not try.
        leased_until: Timestamp,
    }
}

codes! {
    /// What a subscription is for.
    SubscriptionKind {
        /// A message.
        #[default]
        Message = 0,
        /// A signal.
        Signal = 1,
        /// A condition on variables.
        Condition = 2,
    }
}

record! {
    /// A message, signal or condition that is waited for.
    pub struct Subscription in "subscriptions" by (Key, Key) {
        /// Its instance, or the definition that it starts instances of.
        instance: Key,
        /// Its key.
        key: Key,
        /// The instance's definition.
        definition: Key,
        /// What it is for.
        kind: SubscriptionKind,
        /// It starts an instance.
        starts: bool,
        /// The message's or signal's name.
        name: Name,
        /// The key that a message must carry, as text; none if any will do.
        correlation: Option<Name>,
        /// The instance's business key.
        business_key: Option<Name>,
        /// The tenant.
        tenant: Option<Name>,
        /// The instance whose message started its instance.
        started_by: Option<Key>,
        /// The id of the process.
        process: Name,
        /// The id of its flow node.
        node: Name,
    }
}

record! {
    /// What is stuck. It is closed, not removed, when it is resolved.
    pub struct Incident in "incidents" by (Key, Key) {
        /// Its instance.
        instance: Key,
        /// Its key.
        key: Key,
        /// The instance's definition.
        definition: Key,
        /// The id of the instance's process.
        process: Name,
        /// The id of its flow node.
        node: Name,
        /// The stable code of what went wrong.
        code: Name,
        /// In words, with how to mend it.
        message: Name,
        /// The tenant.
        tenant: Option<Name>,
        /// When it was raised.
        raised: Timestamp,
        /// When it was resolved.
        resolved: Option<Timestamp>,
        /// What an operator has noted on it.
        annotation: Option<Name>,
    }
}

record! {
    /// What operators have said of the savepoints or timers of a flow node, of those to come: see `potok_core::step::Policy`.
    pub struct DuePolicy in "due_policies" by (Key, Name, DueType) {
        /// The definition.
        definition: Key,
        /// The id of the flow node.
        node: Name,
        /// Which of them.
        kind: DueType,
        /// They are held back.
        held: bool,
        /// How urgent they are, rather than as the model says.
        priority: Option<i64>,
    }
}

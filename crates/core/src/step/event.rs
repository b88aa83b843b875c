//! Events: the facts of a step. Small and `Copy`; what they carry beside numbers stands in side tables.

use serde::{Deserialize, Serialize};

use crate::instance::{Caller, Key, Ordinal, Owner, Phase, ScopeId, ScopeKind, TokenId, Wait, WaitKind, WaitType};
use crate::migration::Migration;
use crate::time::Timestamp;
use crate::{Name, value::Value};

/// Index into one of the side tables of [`Events`].
pub type Ref = u32;

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Closed {
    /// What was waited for has happened.
    Completed,
    /// It is no longer waited for.
    Cancelled,
}

/// A fact about an instance.
///
/// `apply` needs nothing but the event, its side tables and the instance: replay never evaluates and never looks at a
/// model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The instance began.
    InstanceStarted {
        /// Into [`Events::starts`], or none if there is nothing to say of it.
        start: Ref,
    },
    /// A token was born on a flow node.
    TokenCreated {
        /// The token.
        token: TokenId,
        /// Its scope.
        scope: ScopeId,
        /// The flow node.
        node: Ordinal,
    },
    /// A token went by a sequence flow to the flow's target; without a flow: to an event of its activity.
    TokenMoved {
        /// The token.
        token: TokenId,
        /// The flow, or none.
        flow: Ordinal,
        /// The flow node that it stands on now.
        node: Ordinal,
    },
    /// A token waits on its flow node.
    TokenWaited {
        /// The token.
        token: TokenId,
    },
    /// A token goes on.
    TokenResumed {
        /// The token.
        token: TokenId,
    },
    /// A token joined the queue of its flow node.
    TokenJoined {
        /// The token.
        token: TokenId,
        /// Position of the flow that it came by.
        position: u32,
        /// How many flows come in.
        incoming: u32,
        /// The join looks upstream.
        upstream: bool,
    },
    /// A token is no more. (That of a round which completes ends with [`Event::RoundEnded`].)
    TokenConsumed {
        /// The token.
        token: TokenId,
        /// It was cancelled rather than used up.
        cancelled: bool,
    },
    /// A token runs a compensation handler for another that waits.
    CompensationStarted {
        /// The handler's token.
        token: TokenId,
        /// The token that waits.
        waiter: TokenId,
    },
    /// A complex gateway fired and waits for its other flows in.
    ComplexActivated {
        /// Its scope.
        scope: ScopeId,
        /// The gateway.
        node: Ordinal,
    },
    /// A complex gateway is as new.
    ComplexReset {
        /// Its scope.
        scope: ScopeId,
        /// The gateway.
        node: Ordinal,
    },
    /// A scope was opened for a token on its flow node.
    ScopeOpened {
        /// The scope.
        scope: ScopeId,
        /// What it is for.
        kind: ScopeKind,
        /// The token.
        token: TokenId,
        /// Which round of a loop it is, or none.
        round: u32,
    },
    /// A scope's phase changed.
    ScopePhase {
        /// The scope.
        scope: ScopeId,
        /// Its phase from now on.
        phase: Phase,
    },
    /// A scope was closed.
    ScopeClosed {
        /// The scope.
        scope: ScopeId,
        /// Its activity did not complete.
        cancelled: bool,
    },
    /// A scope's activity completed and can be compensated; the scope is kept if it is named.
    ActivityCompensable {
        /// The scope around.
        scope: ScopeId,
        /// The activity.
        node: Ordinal,
        /// Its own scope, or none.
        kept: ScopeId,
    },
    /// A completed activity is being compensated and cannot be again.
    CompensationTaken {
        /// The scope around.
        scope: ScopeId,
        /// Its place among the completed ones.
        index: u32,
    },
    /// A kept scope got a token again, for its compensation.
    ScopeReopened {
        /// The scope.
        scope: ScopeId,
        /// The token.
        token: TokenId,
    },
    /// A loop scope got its counters.
    LoopStarted {
        /// The scope.
        scope: ScopeId,
        /// Rounds that there will be, or none for a standard loop.
        total: u32,
        /// The items, into [`Events::values`], or none.
        items: Ref,
    },
    /// A round of a loop began and completed at once, for there was nothing to do in it.
    RoundPassed {
        /// The loop's scope.
        scope: ScopeId,
        /// Which round, from 0.
        round: u32,
    },
    /// A round of a loop completed, and its token is used up.
    RoundEnded {
        /// The round's token.
        token: TokenId,
        /// Which round, from 0.
        round: u32,
        /// Its result, into [`Events::values`], or none.
        result: Ref,
    },
    /// A variable was set.
    VariableSet {
        /// The scope that holds it.
        scope: ScopeId,
        /// Into [`Events::variables`].
        variable: Ref,
    },
    /// A variable was removed.
    VariableRemoved {
        /// The scope that held it.
        scope: ScopeId,
        /// Its name, a string in [`Events::values`].
        name: Ref,
    },
    /// Something is waited for.
    WaitOpened {
        /// Into [`Events::waits`].
        details: Ref,
    },
    /// It is no longer waited for.
    WaitClosed {
        /// Its key.
        key: Key,
        /// What was waited for.
        kind: WaitType,
        /// Why.
        reason: Closed,
    },
    /// What is waited for has changed, e.g. a job's retries or a timer's next time.
    WaitChanged {
        /// Its key.
        key: Key,
        /// The new kind, into [`Events::changes`].
        change: Ref,
    },
    /// A message was thrown.
    MessageThrown {
        /// The flow node.
        node: Ordinal,
        /// Into [`Events::messages`].
        message: Ref,
    },
    /// A signal was thrown.
    SignalThrown {
        /// The flow node.
        node: Ordinal,
        /// Into [`Events::signals`].
        signal: Ref,
    },
    /// An escalation was thrown that nothing in this instance catches to the end; a caller may.
    EscalationThrown {
        /// The flow node.
        node: Ordinal,
        /// Its code, a string in [`Events::values`].
        code: Ref,
        /// What a caller can map out of the process, a map in [`Events::values`], or none: what the process has in the end.
        variables: Ref,
    },
    /// What ends this instance ends its caller as well, and whatever called that.
    CallersEnded {
        /// The flow node that ends all.
        node: Ordinal,
    },
    /// A correlation property got its value.
    CorrelationSet {
        /// Into [`Events::variables`].
        property: Ref,
    },
    /// The instance went over to another process: all ordinals count in that from now on.
    Migrated {
        /// Into [`Events::migrations`].
        migration: Ref,
    },
    /// The instance ended as its model says.
    InstanceCompleted,
    /// The instance ended by an error that nothing caught.
    InstanceFailed {
        /// Its code, a string in [`Events::values`].
        code: Ref,
        /// Its message, a string in [`Events::values`], or none.
        message: Ref,
        /// What a caller that catches it gets, a map in [`Events::values`], or none: what the error brings along; in Camunda 7's
        /// dialect what the process had when it was thrown.
        payload: Ref,
    },
    /// The instance was ended from outside.
    InstanceCancelled {
        /// Why, a string in [`Events::values`], or none.
        reason: Ref,
    },
}

const _: () = assert!(size_of::<Event>() == 16);

/// How an instance began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The business key.
    pub business_key: Option<Name>,
    /// The call that asked for it.
    pub caller: Option<Caller>,
    /// The instance whose message or signal started it.
    pub started_by: Option<Key>,
    /// What its first token stands on has been caught already, and is not waited for.
    pub caught: bool,
}

/// A wait as it opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenedWait {
    /// Its key.
    pub key: Key,
    /// Who waits.
    pub owner: Owner,
    /// The flow node that it is for.
    pub node: Ordinal,
    /// Which of the event's definitions it is for.
    pub definition: u32,
    /// What is waited for.
    pub kind: WaitKind,
}

impl OpenedWait {
    pub(crate) fn into_wait(self) -> Wait {
        Wait::new(self.key, self.owner, self.node, self.definition, self.kind)
    }
}

/// A message as it is thrown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThrownMessage {
    /// The message's name; none if it goes to a pool that is known only by its message flow.
    pub name: Option<Name>,
    /// The key that subscriptions with a key must have.
    pub correlation_key: Option<Value>,
    /// The values of the message's correlation properties.
    pub properties: Vec<(Name, Value)>,
    /// What it carries.
    pub payload: Vec<(Name, Value)>,
}

/// A signal as it is thrown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThrownSignal {
    /// The signal's name.
    pub name: Name,
    /// It does not leave its instance.
    pub instance_only: bool,
    /// What it carries.
    pub payload: Vec<(Name, Value)>,
}

/// The events of one or more steps of one instance, with their side tables. Buffers are reused after [`Events::clear`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Events {
    /// When they happened.
    pub now: Timestamp,
    /// The facts, in order.
    pub list: Vec<Event>,
    /// How instances began.
    pub starts: Vec<Start>,
    /// Variables set.
    pub variables: Vec<(Name, Value)>,
    /// Other values.
    pub values: Vec<Value>,
    /// Waits opened.
    pub waits: Vec<OpenedWait>,
    /// What waits changed into.
    pub changes: Vec<WaitKind>,
    /// Messages thrown.
    pub messages: Vec<ThrownMessage>,
    /// Signals thrown.
    pub signals: Vec<ThrownSignal>,
    /// What became of ordinals.
    pub migrations: Vec<Migration>,
}

impl Events {
    /// No events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all events and keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.starts.clear();
        self.variables.clear();
        self.values.clear();
        self.waits.clear();
        self.changes.clear();
        self.messages.clear();
        self.signals.clear();
        self.migrations.clear();
    }
}

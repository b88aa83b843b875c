//! Events and what they carry.

use super::DecodeError;
use super::declare::{Coded, fields, variants};
use super::read::Reader;
use crate::graph::MessageTarget;
use crate::instance::{Phase, ScopeKind};
use crate::migration::Migration;
use crate::routing::{Message, Noted, StartTimer, TimedStart};
use crate::step::{Closed, Event, Events, OpenedWait, Start, ThrownMessage, ThrownSignal};

fields!(Events { now, list, starts, variables, values, waits, changes, messages, signals, migrations });

variants!(Event {
    0 = InstanceStarted { start },
    1 = TokenCreated { token, scope, node },
    2 = TokenMoved { token, flow, node },
    3 = TokenWaited { token },
    4 = TokenResumed { token },
    5 = TokenJoined { token, position, incoming, upstream },
    6 = TokenConsumed { token, cancelled },
    7 = CompensationStarted { token, waiter },
    8 = ComplexActivated { scope, node },
    9 = ComplexReset { scope, node },
    10 = ScopeOpened { scope, kind, token, round },
    11 = ScopePhase { scope, phase },
    12 = ScopeClosed { scope, cancelled },
    13 = ActivityCompensable { scope, node, kept },
    14 = CompensationTaken { scope, index },
    15 = ScopeReopened { scope, token },
    16 = LoopStarted { scope, total, items },
    17 = RoundPassed { scope, round },
    18 = RoundEnded { token, round, result },
    19 = VariableSet { scope, variable },
    20 = VariableRemoved { scope, name },
    21 = WaitOpened { details },
    22 = WaitClosed { key, kind, reason },
    23 = WaitChanged { key, change },
    24 = MessageThrown { node, message },
    25 = SignalThrown { node, signal },
    26 = EscalationThrown { node, code, variables },
    27 = CorrelationSet { property },
    28 = InstanceCompleted,
    29 = InstanceFailed { code, message, payload },
    30 = InstanceCancelled { reason },
    31 = Migrated { migration },
    32 = CallersEnded { node },
});

variants!(Closed {
    0 = Completed,
    1 = Cancelled,
});

variants!(ScopeKind {
    0 = Process,
    1 = Activity,
    2 = Loop,
});

variants!(Phase {
    0 = Active,
    1 = Ending,
    2 = Cancelling,
    3 = Kept,
    4 = Compensating,
});

fields!(Migration { nodes, flows });
fields!(Start { business_key, caller, started_by, caught });
fields!(OpenedWait { key, owner, node, definition, kind });
fields!(ThrownMessage { name, correlation_key, properties, payload });
fields!(Message { name, target, correlation_key, properties, business_key, variables, payload });
fields!(MessageTarget { participant, process, node });
fields!(Noted { definition, payload });
/// The definition came later: what was written without one has the first.
impl Coded for StartTimer {
    fn write(&self, to: &mut Vec<u8>) {
        self.node.write(to);
        self.timer.write(to);
        if self.definition > 0 {
            self.definition.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (node, timer) = (Coded::read(from)?, Coded::read(from)?);
        let definition = if from.left() > 0 { Coded::read(from)? } else { 0 };
        Ok(Self { node, timer, definition })
    }
}
fields!(TimedStart { node, retry });
fields!(ThrownSignal { name, instance_only, payload });

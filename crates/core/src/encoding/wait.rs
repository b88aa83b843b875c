//! Waits of every kind.

use super::DecodeError;
use super::declare::{Coded, fields, variants};
use super::read::Reader;
use crate::expressions::Binding;
use crate::instance::{
    CallWait, Caller, Caught, CompensationWait, Failure, IncidentKind, IncidentStage, IncidentWait, JobWait,
    MessageWait, OccurredWait, Owner, Retry, SignalWait, TimerWait, UserTaskWait, Wait, WaitKind, WaitType, Waits,
};
use crate::time::{Every, Repeat, Timer};

/// Only the rows: the rest follows from them.
impl Coded for Waits {
    fn write(&self, to: &mut Vec<u8>) {
        let (rows, indexed) = self.parts();
        rows.write(to);
        indexed.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_parts(Coded::read(from)?, bool::read(from)?))
    }
}

fields!(Wait { key, owner, node, definition, kind, previous, next });

variants!(Owner {
    0 = Token(token),
    1 = Scope(scope),
});

variants!(WaitKind {
    0 = UserTask(task),
    1 = Job(job),
    2 = Timer(timer),
    3 = Message(message),
    4 = Signal(signal),
    5 = Condition { satisfied },
    6 = Call(call),
    7 = Continuation { after, retry },
    8 = AdHoc,
    9 = Compensation(wait),
    10 = Incident(incident),
    11 = Occurred(occurred),
});

variants!(WaitType {
    0 = UserTask,
    1 = Job,
    2 = Timer,
    3 = Message,
    4 = Signal,
    5 = Condition,
    6 = Call,
    7 = Continuation,
    8 = AdHoc,
    9 = Compensation,
    10 = Incident,
    11 = Occurred,
});

fields!(UserTaskWait { assignee, candidate_users, candidate_groups, due, follow_up, priority, form_key, name; 2: owner });
fields!(CompensationWait { scope, activity; 3: until });
fields!(JobWait { kind, retries, retry_cycle, priority, headers, listener, mapped_only });
fields!(TimerWait { timer, occurred, retry });
fields!(Retry { left, cycle, due, failure; 2: priority });
fields!(Failure { kind, element, message });
fields!(MessageWait { name, correlation_key, properties });
fields!(SignalWait { name });
fields!(OccurredWait { payload });
fields!(CallWait { process, binding, business_key, variables, caught });
variants!(Binding {
    0 = Latest,
    1 = Deployment,
    2 = Version(version),
    3 = VersionTag(tag),
});

fields!(Caller { instance, depth, caught });
fields!(Caught { errors, escalations });
fields!(IncidentWait { kind, message, stage });

variants!(IncidentKind {
    0 = Expression,
    1 = NoFlow,
    2 = Job,
    3 = UncaughtError,
    4 = CallUnknown,
    5 = CallNotStartable,
    6 = CallCancelled,
    7 = CallEndless,
    8 = StepBudget,
    9 = Limit,
    10 = Data,
    11 = Retries,
});

variants!(IncidentStage {
    0 = Open,
    1 = Arrive,
    2 = Enter,
    3 = Execute,
    4 = Listener(listener),
    5 = Complete,
    6 = Round(event),
    7 = ProcessEnd(listener),
    8 = Leave,
    9 = Reset,
    10 = Take { flow, listener },
    11 = AdHoc,
    12 = Job,
    13 = Throw(next),
    14 = Retry(wait),
});

fields!(Timer { due, remaining, repeat });
fields!(Every { start, count, period, zone, end });

variants!(Repeat {
    0 = Never,
    1 = Every(steps),
    2 = Cron { pattern, zone, end },
});

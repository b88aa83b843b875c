use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::Arc;

use jiff::civil;

use super::*;
use crate::Name;
use crate::expressions::Binding;
use crate::graph::MessageTarget;
use crate::instance::*;
use crate::migration::Migration;
use crate::step::{Closed, Event, OpenedWait, Start, ThrownMessage, ThrownSignal};
use crate::time::{Every, Repeat, Timer, Timestamp};
use crate::value::{DateTime, Declared, Duration, MAXIMUM_DEPTH, Period, TimeOfDay, Value, Zone};

/// What `golden.txt` should hold, and whether its bytes are read as what they were written from.
struct Golden {
    lines: String,
    wrong: Vec<String>,
}

impl Golden {
    fn pin<T: Coded + PartialEq + Debug>(&mut self, what: &T) {
        let debug = format!("{what:?}");
        let word = debug.split(|letter: char| !letter.is_alphanumeric()).next().unwrap();
        let kind = std::any::type_name::<T>().rsplit("::").next().unwrap();
        let mut bytes = Vec::new();
        what.write(&mut bytes);
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let label = if word == kind { word.into() } else { format!("{kind} {word}") };
        writeln!(self.lines, "{label} = {hex}").unwrap();
        if T::read(&mut Reader::new(&bytes)).as_ref() != Ok(what) {
            self.wrong.push(debug);
        }
    }

    /// One of each variant, in the order of their numbers.
    fn pin_all<T: Coded + PartialEq + Debug>(&mut self, variants: &[T]) {
        for (number, variant) in (0..).zip(variants) {
            let mut bytes = Vec::new();
            variant.write(&mut bytes);
            assert_eq!(bytes[0], number, "{variant:?}");
            self.pin(variant);
        }
        let mut unknown = vec![u8::try_from(variants.len()).unwrap()];
        unknown.resize(64, 0);
        let read = T::read(&mut Reader::new(&unknown));
        assert!(read.is_err(), "a variant is pinned nowhere: {read:?}");
    }
}

fn moment() -> Timestamp {
    Timestamp::new(1_767_603_600, 123_000_000).unwrap()
}

fn named(value: impl Into<Value>) -> Vec<(Name, Value)> {
    vec![("name".into(), value.into())]
}

fn events() -> Vec<Event> {
    let key = Key(0x0102_0304_0506_0708);
    vec![
        Event::InstanceStarted { start: 0 },
        Event::TokenCreated { token: 1, scope: 2, node: 300 },
        Event::TokenMoved { token: 1, flow: NONE, node: 3 },
        Event::TokenWaited { token: 1 },
        Event::TokenResumed { token: 1 },
        Event::TokenJoined { token: 1, position: 2, incoming: 3, upstream: true },
        Event::TokenConsumed { token: 1, cancelled: true },
        Event::CompensationStarted { token: 1, waiter: 2 },
        Event::ComplexActivated { scope: 1, node: 2 },
        Event::ComplexReset { scope: 1, node: 2 },
        Event::ScopeOpened { scope: 1, kind: ScopeKind::Loop, token: 2, round: NONE },
        Event::ScopePhase { scope: 1, phase: Phase::Compensating },
        Event::ScopeClosed { scope: 1, cancelled: false },
        Event::ActivityCompensable { scope: 1, node: 2, kept: 3 },
        Event::CompensationTaken { scope: 1, index: 2 },
        Event::ScopeReopened { scope: 1, token: 2 },
        Event::LoopStarted { scope: 1, total: 2, items: 3 },
        Event::RoundPassed { scope: 1, round: 2 },
        Event::RoundEnded { token: 1, round: 2, result: 3 },
        Event::VariableSet { scope: 1, variable: 2 },
        Event::VariableRemoved { scope: 1, name: 2 },
        Event::WaitOpened { details: 1 },
        Event::WaitClosed { key, kind: WaitType::Job, reason: Closed::Cancelled },
        Event::WaitChanged { key, change: 1 },
        Event::MessageThrown { node: 1, message: 2 },
        Event::SignalThrown { node: 1, signal: 2 },
        Event::EscalationThrown { node: 1, code: 2, variables: NONE },
        Event::CorrelationSet { property: 1 },
        Event::InstanceCompleted,
        Event::InstanceFailed { code: 1, message: NONE, payload: NONE },
        Event::InstanceCancelled { reason: 1 },
        Event::Migrated { migration: 1 },
        Event::CallersEnded { node: 1 },
    ]
}

fn values() -> Vec<Value> {
    let declared = Declared {
        value: 1.into(),
        type_name: "Short".into(),
        info: BTreeMap::from([("from".into(), "a file".into())]),
    };
    let date = civil::date(2026, 3, 2);
    let time = civil::time(9, 30, 15, 7);
    vec![
        Value::Null,
        Value::Boolean(true),
        Value::Integer(-300),
        Value::Number(1.5),
        Value::String("Анна".into()),
        Value::Date(date),
        Value::Time(Arc::new(TimeOfDay { time, zone: Some(Zone::Offset(10_800)) })),
        Value::DateTime(Arc::new(DateTime {
            local: civil::DateTime::from_parts(date, time),
            zone: Some(Zone::Named("Europe/Volgograd".into())),
        })),
        Value::Duration(Duration { months: 14, seconds: -1, nanoseconds: 7 }),
        Value::from(vec![Value::Null, Value::Integer(1)]),
        Value::Map(Arc::new(named(true).into_iter().collect())),
        Value::Bytes(vec![1, 2, 255].into()),
        Value::Declared(Arc::new(declared)),
    ]
}

fn waits() -> Vec<WaitKind> {
    let repeats = Repeat::Cron { pattern: "0 9 * * *".into(), zone: Zone::UTC, end: None };
    vec![
        WaitKind::UserTask(Arc::new(UserTaskWait {
            assignee: Some("anna".into()),
            candidate_users: vec!["ben".into()],
            candidate_groups: vec!["sales".into(), "law".into()],
            due: Some(moment()),
            follow_up: None,
            priority: Some(50),
            form_key: Some("form".into()),
            name: Some("name".into()),
            owner: Some("maria".into()),
        })),
        WaitKind::Job(Arc::new(JobWait {
            kind: "mail".into(),
            retries: 3,
            retry_cycle: Some("PT1M".into()),
            priority: -1,
            headers: named("text"),
            listener: Some(0),
            mapped_only: true,
        })),
        WaitKind::Timer(Arc::new(TimerWait {
            timer: Timer { due: moment(), remaining: Some(2), repeat: repeats },
            occurred: true,
            retry: None,
        })),
        WaitKind::Message(Arc::new(MessageWait {
            name: "paid".into(),
            correlation_key: Some(7.into()),
            properties: named(7),
        })),
        WaitKind::Signal(SignalWait { name: "closing".into() }),
        WaitKind::Condition { satisfied: true },
        WaitKind::Call(Arc::new(CallWait {
            process: "called".into(),
            binding: Binding::VersionTag("v1".into()),
            business_key: Some("A-1".into()),
            variables: named(1),
            caught: Caught {
                errors: vec![None, Some("late".into())],
                escalations: vec![(None, false), (Some("help".into()), true)],
            },
        })),
        WaitKind::Continuation {
            after: true,
            retry: Some(Arc::new(Retry {
                left: 2,
                cycle: Some("R3/PT10M".into()),
                due: Some(moment()),
                failure: Some(Failure {
                    kind: IncidentKind::NoFlow,
                    element: "choose".into(),
                    message: "no condition holds".into(),
                }),
                priority: 70,
            })),
        },
        WaitKind::AdHoc,
        WaitKind::Compensation(CompensationWait { scope: 1, activity: NONE, until: Some(5) }),
        WaitKind::Incident(Arc::new(IncidentWait {
            kind: IncidentKind::Limit,
            message: "too much".into(),
            stage: IncidentStage::Take { flow: 1, listener: 2 },
        })),
        WaitKind::Occurred(Arc::new(OccurredWait { payload: named(true) })),
    ]
}

fn stages() -> Vec<IncidentStage> {
    use IncidentStage as Stage;
    vec![
        Stage::Open,
        Stage::Arrive,
        Stage::Enter,
        Stage::Execute,
        Stage::Listener(1),
        Stage::Complete,
        Stage::Round(1),
        Stage::ProcessEnd(1),
        Stage::Leave,
        Stage::Reset,
        Stage::Take { flow: 1, listener: 2 },
        Stage::AdHoc,
        Stage::Job,
        Stage::Throw(1),
        Stage::Retry(Key(8)),
    ]
}

fn incidents() -> Vec<IncidentKind> {
    use IncidentKind as Kind;
    vec![
        Kind::Expression,
        Kind::NoFlow,
        Kind::Job,
        Kind::UncaughtError,
        Kind::CallUnknown,
        Kind::CallNotStartable,
        Kind::CallCancelled,
        Kind::CallEndless,
        Kind::StepBudget,
        Kind::Limit,
        Kind::Data,
        Kind::Retries,
    ]
}

fn every() -> Repeat {
    let period = Period { months: 1, days: 2, seconds: 3, nanoseconds: 4 };
    Repeat::Every(Box::new(Every { start: moment(), count: 5, period, zone: Zone::UTC, end: Some(moment()) }))
}

/// The events of a command, with something in every side table.
fn row() -> Events {
    Events {
        now: moment(),
        list: events(),
        starts: vec![Start {
            business_key: Some("A-1".into()),
            caller: Some(Caller {
                instance: Key(9),
                depth: 1,
                caught: Caught { errors: vec![None], escalations: vec![] },
            }),
            started_by: Some(Key(8)),
            caught: true,
        }],
        variables: named("text"),
        values: values(),
        waits: (0..)
            .zip(waits())
            .map(|(node, kind)| OpenedWait {
                key: Key(node),
                owner: if node == 5 { Owner::Scope(0) } else { Owner::Token(0) },
                node: 4,
                definition: 1,
                kind,
            })
            .collect(),
        changes: vec![WaitKind::Condition { satisfied: false }],
        messages: vec![ThrownMessage {
            name: None,
            correlation_key: Some(1.into()),
            properties: named(1),
            payload: named(2),
        }],
        signals: vec![ThrownSignal { name: "closing".into(), instance_only: true, payload: named(3) }],
        migrations: vec![Migration { nodes: vec![0, NONE, 300], flows: vec![1] }],
    }
}

/// An instance with waits (so many that they have an index), a join, a loop and a compensable activity.
fn instance() -> Instance {
    let mut instance = Instance::new(Key(77));
    let mut events = row();
    events.list = vec![
        Event::InstanceStarted { start: 0 },
        Event::TokenCreated { token: 0, scope: 0, node: 3 },
        Event::TokenCreated { token: 1, scope: 0, node: 4 },
        Event::TokenJoined { token: 1, position: 1, incoming: 2, upstream: true },
        Event::ComplexActivated { scope: 0, node: 4 },
        Event::ScopeOpened { scope: 1, kind: ScopeKind::Loop, token: 0, round: NONE },
        Event::LoopStarted { scope: 1, total: 2, items: 9 },
        Event::ActivityCompensable { scope: 0, node: 5, kept: NONE },
        Event::VariableSet { scope: 0, variable: 0 },
        Event::CorrelationSet { property: 0 },
    ];
    events.list.extend((0..11).map(|details| Event::WaitOpened { details }));
    events.list.push(Event::WaitClosed { key: Key(3), kind: WaitType::Timer, reason: Closed::Completed });
    for event in &events.list {
        instance.apply(*event, &events);
    }
    instance
}

#[test]
fn what_was_written_once_is_read_for_ever() {
    let mut golden = Golden { lines: String::new(), wrong: Vec::new() };
    golden.pin_all(&events());
    golden.pin_all(&[Closed::Completed, Closed::Cancelled]);
    golden.pin_all(&[ScopeKind::Process, ScopeKind::Activity, ScopeKind::Loop]);
    golden.pin_all(&[Phase::Active, Phase::Ending, Phase::Cancelling, Phase::Kept, Phase::Compensating]);
    golden.pin_all(&values());
    golden.pin_all(&[Zone::Offset(-60), Zone::Named("UTC".into())]);
    golden.pin_all(&[Owner::Token(1), Owner::Scope(1)]);
    golden.pin_all(&[
        Binding::Latest,
        Binding::Deployment,
        Binding::Version("2".into()),
        Binding::VersionTag("v1".into()),
    ]);
    golden.pin_all(&waits());
    golden.pin_all(&waits().iter().map(WaitKind::of_type).collect::<Vec<_>>());
    golden.pin_all(&incidents());
    golden.pin_all(&stages());
    golden.pin_all(&[
        Repeat::Never,
        every(),
        Repeat::Cron { pattern: "* * * * *".into(), zone: Zone::UTC, end: Some(moment()) },
    ]);
    golden.pin_all(&[
        State::Created,
        State::Active,
        State::Completed,
        State::Failed { code: "late".into(), message: None },
        State::Cancelled { reason: Some("twice".into()) },
    ]);
    golden.pin_all(&[TokenState::Moving, TokenState::Waiting, TokenState::Joined { position: 1 }]);
    golden.pin(&Message {
        name: Some("paid".into()),
        target: Some(MessageTarget { participant: None, process: Some("order".into()), node: Some("pay".into()) }),
        correlation_key: Some(7.into()),
        properties: named(1),
        business_key: Some("C-17".into()),
        variables: named(2),
        payload: named(3),
    });
    golden.pin(&Noted { definition: 1, payload: named(4) });
    let timer = Timer { due: moment(), remaining: Some(2), repeat: every() };
    golden.pin(&StartTimer { node: 3, timer: timer.clone(), definition: 0 });
    golden.pin(&StartTimer { node: 3, timer, definition: 1 });
    golden
        .pin(&TimedStart { node: 3, retry: Retry { left: 2, due: Some(moment()), priority: 70, ..Retry::default() } });
    golden.pin(&row());
    golden.pin(&instance());
    assert!(golden.wrong.is_empty(), "not read as they were written: {:#?}", golden.wrong);
    let stands = include_str!("golden.txt");
    assert!(golden.lines == stands, "what stands in databases would not be read; now it is:\n{}", golden.lines);
}

/// Bytes of `golden_1.txt` or `golden_2.txt`, as that format wrote them.
fn read_of_format<T: Coded>(format: u8, label: &str) -> Result<T, DecodeError> {
    let golden = if format == 1 { include_str!("golden_1.txt") } else { include_str!("golden_2.txt") };
    let mut lines = golden.lines().filter_map(|line| line.split_once(" = "));
    let (_, hex) = lines.find(|(found, _)| *found == label).unwrap();
    let digits = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    let bytes: Vec<u8> = digits.collect();
    let mut reader = Reader::new(&bytes);
    reader.format = format;
    let read = T::read(&mut reader);
    assert_eq!(reader.left(), 0, "{label}");
    read
}

#[test]
fn what_format_1_wrote_has_the_defaults_of_what_came_later() {
    let [WaitKind::UserTask(task), ..] = &waits()[..] else { panic!("a user task is first") };
    let task = UserTaskWait { owner: None, ..(**task).clone() };
    assert_eq!(read_of_format(1, "WaitKind UserTask"), Ok(WaitKind::UserTask(Arc::new(task.clone()))));
    let start = TimedStart { node: 3, retry: Retry { left: 2, due: Some(moment()), ..Retry::default() } };
    assert_eq!(read_of_format(1, "TimedStart"), Ok(start));
    let savepoint: WaitKind = read_of_format(1, "WaitKind Continuation").unwrap();
    assert_eq!(savepoint.retry().map(|retry| (retry.left, retry.priority)), Some((2, 0)));
    let events: Events = read_of_format(1, "Events").unwrap();
    assert_eq!(events.waits[0].kind, WaitKind::UserTask(Arc::new(task)));
    assert_eq!(events.list, row().list);
}

#[test]
fn in_format_2_all_that_had_completed_was_compensated() {
    let compensation: WaitKind = read_of_format(2, "WaitKind Compensation").unwrap();
    assert_eq!(compensation, WaitKind::Compensation(CompensationWait { scope: 1, activity: NONE, until: None }));
    let events: Events = read_of_format(2, "Events").unwrap();
    assert_eq!(events.list, row().list);
    let read: Instance = read_of_format(2, "Instance").unwrap();
    let completed = |instance: &Instance| {
        instance.scopes.iter().flat_map(|(_, scope)| scope.completed().to_vec()).collect::<Vec<_>>()
    };
    let expected: Vec<_> =
        completed(&instance()).into_iter().map(|completed| Completed { after: 0, ..completed }).collect();
    assert_eq!(completed(&read), expected);
    assert!(!expected.is_empty());
}

#[test]
fn newer_and_unknown_formats_are_refused() {
    let mut bytes = row().encode();
    assert_eq!(bytes[0], FORMAT);
    assert_eq!(Events::decode(&bytes), Ok(row()));
    bytes[0] = FORMAT + 1;
    let error = Events::decode(&bytes).unwrap_err();
    assert_eq!((error, error.code()), (DecodeError::NewerFormat(FORMAT + 1), "encoding-newer-format"));
    bytes[0] = 0;
    assert_eq!(Events::decode(&bytes).unwrap_err().code(), "encoding-damaged");
    assert_eq!(Events::decode(&[]).unwrap_err().code(), "encoding-damaged");
}

#[test]
fn what_is_cut_off_or_too_long_is_refused() {
    let mut bytes = instance().encode();
    assert_eq!(Instance::decode(&bytes), Ok(instance()));
    for length in 0..bytes.len() {
        assert_eq!(Instance::decode(&bytes[..length]).map_err(DecodeError::code), Err("encoding-damaged"), "{length}");
    }
    bytes.push(0);
    assert_eq!(Instance::decode(&bytes).unwrap_err().code(), "encoding-damaged");
}

#[test]
fn values_are_nested_as_deep_as_is_allowed() {
    let deep = |levels: usize| {
        let value = (0..levels).fold(Value::Null, |inner, _| Value::from(vec![inner]));
        Events { values: vec![value], ..Events::default() }
    };
    let deepest = deep(MAXIMUM_DEPTH);
    assert_eq!(Events::decode(&deepest.encode()), Ok(deepest));
    assert_eq!(Events::decode(&deep(MAXIMUM_DEPTH + 1).encode()).map_err(DecodeError::code), Err("encoding-damaged"));
    // A stack that ends would end the program: list, one item, list, one item...
    let mut bytes = vec![FORMAT, 0, 0, 0, 0, 0, 1];
    bytes.extend([9, 1].repeat(1_000_000));
    assert_eq!(Events::decode(&bytes).map_err(DecodeError::code), Err("encoding-damaged"));
}

#[test]
fn numbers_are_read_up_to_their_largest() {
    for number in [0, 1, 127, 128, u64::MAX - 1, u64::MAX] {
        let mut bytes = Vec::new();
        plain::write_number(number, &mut bytes);
        assert_eq!(Reader::new(&bytes).number(), Ok(number));
    }
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        let mut bytes = Vec::new();
        number.write(&mut bytes);
        assert_eq!(i64::read(&mut Reader::new(&bytes)), Ok(number));
    }
    assert!(Reader::new(&[0xff; 11]).number().is_err());
    assert!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).number().is_err());
}

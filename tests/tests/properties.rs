//! Properties of every model: folding the events gives the instance, saving and loading changes nothing, a second run is
//! the same to the last event, and tokens are neither lost nor doubled: whatever is answered, in whatever order, a
//! well-structured model ends.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::sync::Arc;

use potok_core::expressions::Expressions;
use potok_core::graph::{Package, ProcessGraph};
use potok_core::instance::{Instance, Key, State, TokenState, WaitKind};
use potok_core::migration::MigrationPlan;
use potok_core::routing::{Runner, StartOptions};
use potok_core::step::{Command, Event, Instruction, MigrateTo, Position, Target};
use potok_core::time::Timestamp;
use potok_expressions::Evaluator;
use proptest::prelude::*;

/// A piece of a process with one way in and one way out.
#[derive(Clone, Debug)]
enum Block {
    Task,
    UserTask,
    ServiceTask,
    ReceiveTask,
    Timer,
    Sequence(Vec<Block>),
    Exclusive(Vec<Block>, usize),
    Parallel(Vec<Block>),
    Inclusive(Vec<Block>, Vec<bool>),
    Loop(Box<Block>, u8),
    SubProcess(Box<Block>, Boundary),
    MultiInstance(Box<Block>, u8, bool),
    FirstEvent(Box<Block>, Box<Block>),
    Compensated,
}

#[derive(Clone, Copy, Debug)]
enum Boundary {
    None,
    Timer { interrupting: bool },
    Message { interrupting: bool },
    Error,
}

fn block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        3 => Just(Block::Task),
        3 => Just(Block::UserTask),
        2 => Just(Block::ServiceTask),
        1 => Just(Block::ReceiveTask),
        1 => Just(Block::Timer),
        1 => Just(Block::Compensated),
    ];
    let boundary = prop_oneof![
        Just(Boundary::None),
        any::<bool>().prop_map(|interrupting| Boundary::Timer { interrupting }),
        any::<bool>().prop_map(|interrupting| Boundary::Message { interrupting }),
        Just(Boundary::Error),
    ];
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(Block::Sequence),
            (several.clone(), 0usize..4).prop_map(|(blocks, chosen)| Block::Exclusive(blocks, chosen)),
            several.clone().prop_map(Block::Parallel),
            (several, prop::collection::vec(any::<bool>(), 4)).prop_map(|(b, open)| Block::Inclusive(b, open)),
            (inner.clone(), 1u8..4).prop_map(|(block, rounds)| Block::Loop(Box::new(block), rounds)),
            (inner.clone(), boundary.clone()).prop_map(|(block, b)| Block::SubProcess(Box::new(block), b)),
            (inner.clone(), 0u8..4, any::<bool>()).prop_map(|(block, count, sequential)| Block::MultiInstance(
                Box::new(block),
                count,
                sequential
            )),
            (inner.clone(), inner).prop_map(|(one, other)| Block::FirstEvent(Box::new(one), Box::new(other))),
        ]
    })
}

/// Writes a model as BPMN.
#[derive(Default)]
struct Writer {
    xml: String,
    count: u32,
}

impl Writer {
    fn id(&mut self, word: &str) -> String {
        self.count += 1;
        format!("{word}-{}", self.count)
    }

    fn flow(&mut self, from: &str, to: &str, condition: Option<&str>) -> String {
        let id = self.id("flow");
        let condition = condition.map_or(String::new(), |c| format!("<conditionExpression>{c}</conditionExpression>"));
        write!(self.xml, r#"<sequenceFlow id="{id}" sourceRef="{from}" targetRef="{to}">{condition}</sequenceFlow>"#)
            .unwrap();
        id
    }

    fn element(&mut self, word: &str, attributes: &str, body: &str) -> String {
        let id = self.id(word);
        write!(self.xml, r#"<{word} id="{id}" {attributes}>{body}</{word}>"#).unwrap();
        id
    }

    /// A whole level: start, block, end.
    fn level(&mut self, block: &Block) {
        let start = self.element("startEvent", "", "");
        let (first, last) = self.block(block);
        let end = self.element("endEvent", "", "");
        self.flow(&start, &first, None);
        self.flow(&last, &end, None);
    }

    /// Writes a block; gives its first and last flow node.
    fn block(&mut self, block: &Block) -> (String, String) {
        match block {
            Block::Task => self.single("task", "", ""),
            Block::UserTask => self.single("userTask", "", ""),
            Block::ServiceTask => self.single("serviceTask", r#"potok:job="work""#, ""),
            Block::ReceiveTask => self.single("receiveTask", r#"messageRef="message""#, ""),
            Block::Timer => self.single(
                "intermediateCatchEvent",
                "",
                "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>",
            ),
            Block::Sequence(blocks) => {
                let ends: Vec<_> = blocks.iter().map(|block| self.block(block)).collect();
                for pair in ends.windows(2) {
                    self.flow(&pair[0].1, &pair[1].0, None);
                }
                (ends[0].0.clone(), ends[ends.len() - 1].1.clone())
            }
            Block::Exclusive(blocks, chosen) => {
                let conditions =
                    (0..blocks.len()).map(|index| Some(if index == chosen % blocks.len() { "true" } else { "false" }));
                let conditions: Vec<_> = conditions.collect();
                self.branches("exclusiveGateway", blocks, &conditions)
            }
            Block::Parallel(blocks) => self.branches("parallelGateway", blocks, &vec![None; blocks.len()]),
            Block::Inclusive(blocks, open) => {
                let any = open.iter().take(blocks.len()).any(|open| *open);
                let conditions: Vec<_> = (0..blocks.len())
                    .map(|index| Some(if open[index] || (!any && index == 0) { "true" } else { "false" }))
                    .collect();
                self.branches("inclusiveGateway", blocks, &conditions)
            }
            Block::Loop(inner, rounds) => {
                let body = self.inside(inner);
                let body = format!(
                    r#"<standardLoopCharacteristics loopMaximum="{rounds}"><loopCondition>true</loopCondition></standardLoopCharacteristics>{body}"#
                );
                self.single("subProcess", "", &body)
            }
            Block::MultiInstance(inner, count, sequential) => {
                let body = self.inside(inner);
                let body = format!(
                    r#"<multiInstanceLoopCharacteristics isSequential="{sequential}"><loopCardinality>{count}</loopCardinality></multiInstanceLoopCharacteristics>{body}"#
                );
                self.single("subProcess", "", &body)
            }
            Block::SubProcess(inner, boundary) => self.sub_process(inner, *boundary),
            Block::FirstEvent(one, other) => {
                let gateway = self.element("eventBasedGateway", "", "");
                let merge = self.element("exclusiveGateway", "", "");
                let message = r#"<messageEventDefinition messageRef="message"/>"#;
                let timer = "<timerEventDefinition><timeDuration>PT2H</timeDuration></timerEventDefinition>";
                for (block, definition) in [(one, message), (other, timer)] {
                    let event = self.element("intermediateCatchEvent", "", definition);
                    self.flow(&gateway, &event, None);
                    let (first, last) = self.block(block);
                    self.flow(&event, &first, None);
                    self.flow(&last, &merge, None);
                }
                (gateway, merge)
            }
            Block::Compensated => {
                let task = self.element("userTask", "", "");
                let boundary = self.id("boundary");
                let handler = self.element("userTask", r#"isForCompensation="true""#, "");
                write!(
                    self.xml,
                    r#"<boundaryEvent id="{boundary}" attachedToRef="{task}"><compensateEventDefinition/></boundaryEvent>
                    <association id="{boundary}-to" sourceRef="{boundary}" targetRef="{handler}" associationDirection="One"/>"#
                )
                .unwrap();
                let throw = self.element("intermediateThrowEvent", "", "<compensateEventDefinition/>");
                self.flow(&task, &throw, None);
                (task, throw)
            }
        }
    }

    fn single(&mut self, word: &str, attributes: &str, body: &str) -> (String, String) {
        let id = self.element(word, attributes, body);
        (id.clone(), id)
    }

    fn branches(&mut self, word: &str, blocks: &[Block], conditions: &[Option<&str>]) -> (String, String) {
        let split = self.element(word, "", "");
        let join = self.element(word, "", "");
        for (block, condition) in blocks.iter().zip(conditions) {
            let (first, last) = self.block(block);
            self.flow(&split, &first, *condition);
            self.flow(&last, &join, None);
        }
        (split, join)
    }

    fn inside(&mut self, block: &Block) -> String {
        let outside = std::mem::take(&mut self.xml);
        self.level(block);
        std::mem::replace(&mut self.xml, outside)
    }

    fn sub_process(&mut self, inner: &Block, boundary: Boundary) -> (String, String) {
        let body = self.inside(inner);
        let id = self.element("subProcess", "", &body);
        let (interrupting, definition) = match boundary {
            Boundary::None => return (id.clone(), id),
            Boundary::Timer { interrupting } => (
                interrupting,
                "<timerEventDefinition><timeDuration>PT30M</timeDuration></timerEventDefinition>".to_string(),
            ),
            Boundary::Message { interrupting } => {
                (interrupting, r#"<messageEventDefinition messageRef="message"/>"#.to_string())
            }
            Boundary::Error => (true, "<errorEventDefinition/>".to_string()),
        };
        let event = self.element(
            "boundaryEvent",
            &format!(r#"attachedToRef="{id}" cancelActivity="{interrupting}""#),
            &definition,
        );
        let rest = self.element("task", "", "");
        self.flow(&event, &rest, None);
        if interrupting {
            let merge = self.element("exclusiveGateway", "", "");
            self.flow(&id, &merge, None);
            self.flow(&rest, &merge, None);
            (id, merge)
        } else {
            let end = self.element("endEvent", "", "");
            self.flow(&rest, &end, None);
            (id.clone(), id)
        }
    }
}

fn model(block: &Block) -> String {
    model_with("", block)
}

/// The same with something before it, so that everything has other numbers.
fn model_with(before: &str, block: &Block) -> String {
    let mut writer = Writer::default();
    writer.level(block);
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0"
            targetNamespace="generated"><message id="message" name="message"/>
            <process id="generated" isExecutable="true">{before}{}</process></definitions>"#,
        writer.xml
    )
}

/// A run of a model, with what answers it chosen by numbers.
struct Run {
    runner: Runner,
    key: Key,
    mirror: Instance,
    log: Vec<String>,
}

impl Run {
    fn start(package: &Package) -> Self {
        let evaluator: Arc<dyn Expressions> = Arc::new(Evaluator::new());
        let mut runner = Runner::new(evaluator, Timestamp::UNIX_EPOCH);
        runner.deploy(package);
        let key = runner.start("generated", StartOptions::default()).expect("the process starts");
        let mut run = Self { runner, key, mirror: Instance::new(key), log: Vec::new() };
        run.check();
        run
    }

    fn instance(&self) -> &Instance {
        &self.runner.instance(self.key).expect("the instance is there").instance
    }

    fn check(&mut self) {
        for stepped in self.runner.take_log() {
            for event in &stepped.events.list {
                self.mirror.apply(*event, &stepped.events);
                self.log.push(format!("{event:?}"));
            }
        }
        let running = self.runner.instance(self.key).expect("the instance is there");
        let broken = potok_tests::broken(&running.instance, &running.graph);
        assert!(broken.is_empty(), "{broken:#?}\n{:#?}", self.log);
        let instance = self.instance();
        assert_eq!(self.mirror, *instance, "folding the events gives the instance");
        let loaded = Instance::decode(&instance.encode()).expect("a saved instance can be loaded");
        assert_eq!(loaded, *instance, "saving and loading changes nothing");
        for (id, token) in instance.tokens() {
            assert_ne!(token.state, TokenState::Moving, "token {id} rests");
        }
        for (id, scope) in instance.scopes() {
            let tokens = instance.tokens().filter(|(_, token)| token.scope == id).count();
            assert_eq!(scope.token_count as usize, tokens, "scope {id} counts its tokens");
        }
    }

    /// Lets the instance go over to another version of the same model.
    fn migrate(&mut self, to: &Arc<ProcessGraph>) {
        let source = self.runner.instance(self.key).expect("the instance is there").graph.clone();
        let plan = MigrationPlan::generate(&source, to);
        let all = source.nodes().filter(|node| to.find(&node.id).is_some()).count();
        assert_eq!(plan.mappings().count(), all, "everything has its counterpart");
        let command = Command::Migrate { to: MigrateTo(to.clone()), plan };
        self.runner.command(self.key, command).expect("it can go over");
        self.check();
    }

    /// Modifies the instance somehow. What is refused changes nothing.
    fn modify(&mut self, choice: usize) {
        let running = self.runner.instance(self.key).expect("the instance is there");
        let graph = running.graph.clone();
        let (nodes, flows): (Vec<_>, Vec<_>) = (graph.nodes().collect(), graph.flows().iter().collect());
        let node = nodes[choice / 8 % nodes.len()].id.clone();
        let other = nodes[choice / 64 % nodes.len()].id.clone();
        let tokens: Vec<u32> = running.instance.tokens().map(|(_, token)| token.serial).collect();
        let scopes: Vec<u32> = running.instance.scopes().map(|(scope, _)| scope).collect();
        let start = |at| {
            let within = choice.is_multiple_of(3).then(|| scopes[choice / 16 % scopes.len()]);
            Instruction::Start { at, within, variables: vec![("x".into(), 1.into())], local_variables: vec![] }
        };
        let instructions = match choice % 8 {
            0 | 1 => vec![start(Position::Before(node))],
            2 => vec![start(Position::After(node))],
            3 => vec![start(Position::On(flows[choice / 8 % flows.len()].id.clone()))],
            4 => vec![Instruction::Cancel(Target::All(node)), start(Position::Before(other))],
            5 => {
                let one = Target::Token(tokens[choice / 8 % tokens.len()]);
                vec![Instruction::Cancel(one), start(Position::Before(other))]
            }
            6 => vec![
                start(Position::Before(other)),
                Instruction::Cancel(Target::Scope(scopes[choice / 8 % scopes.len()])),
            ],
            _ => {
                let from = Target::Token(tokens[choice / 8 % tokens.len()]);
                vec![Instruction::Move { from, to: other, variables: vec![], local_variables: vec![] }]
            }
        };
        // Much of it is refused: that is checked like everything else.
        let _ = self.runner.command(self.key, Command::Modify { instructions, reason: None });
        self.check();
    }

    /// Answers one of the things that are waited for.
    fn answer(&mut self, choice: usize) {
        // The end of a compensation is waited for, but not answered from outside.
        let answerable = |kind: &WaitKind| !matches!(kind, WaitKind::Compensation(_) | WaitKind::Occurred(_));
        let waits = self.instance().waits().filter(|wait| answerable(&wait.kind));
        let waits: Vec<_> = waits.map(|wait| (wait.key, wait.kind.clone())).collect();
        if waits.is_empty() {
            return; // A modification has left tokens only where nobody can let them go on.
        }
        let (key, kind) = &waits[choice % waits.len()];
        let command = match kind {
            WaitKind::UserTask(_) if choice % 7 == 6 => {
                Command::ThrowError { wait: *key, code: "trouble".into(), message: None, variables: vec![] }
            }
            WaitKind::UserTask(_) => Command::CompleteUserTask { task: *key, variables: vec![] },
            WaitKind::Job(_) if choice % 5 == 4 => Command::FailJob { job: *key, retries: None, message: "no".into() },
            WaitKind::Job(_) => Command::CompleteJob { job: *key, variables: vec![], local_variables: vec![] },
            WaitKind::Message(_) => Command::DeliverMessage { subscription: *key, variables: vec![] },
            WaitKind::Timer(_) => {
                let due = self.runner.next_timer().expect("a timer waits");
                self.runner.advance(due).expect("time passes");
                return self.check();
            }
            WaitKind::Incident(_) => Command::ResolveIncident { incident: *key },
            _ => return,
        };
        self.runner.command(self.key, command).expect("what is waited for is accepted");
        self.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_answered_in_whatever_order_it_ends(
        block in block(),
        choices in prop::collection::vec(any::<usize>(), 1..60),
    ) {
        let xml = model(&block);
        let evaluator = Evaluator::new();
        let package = Package::from_bpmn(xml.as_bytes(), &evaluator)
            .unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}\n{xml}"));
        let mut run = Run::start(&package);
        let mut twin = Run::start(&package);
        let mut choices = choices.into_iter();
        // First as chosen, then each of what waits in turn until it ends: a message that can come again and again is not all
        // that comes.
        for turn in 0..3_000 {
            if !run.instance().is_active() {
                break;
            }
            let choice = choices.next().unwrap_or(turn);
            run.answer(choice);
            twin.answer(choice);
        }
        prop_assert_eq!(run.instance().state(), &State::Completed, "{}", xml);
        prop_assert_eq!(run.instance().tokens().count(), 0);
        prop_assert_eq!(run.instance().waits().count(), 0);
        prop_assert_eq!(&run.log, &twin.log);
        let created = run.log.iter().filter(|event| event.starts_with("TokenCreated")).count();
        let used_up = |event: &&String| event.starts_with("TokenConsumed") || event.starts_with("RoundEnded");
        let consumed = run.log.iter().filter(used_up).count();
        prop_assert_eq!(created, consumed, "every token that was born is used up");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_modified_no_token_is_lost(
        block in block(),
        choices in prop::collection::vec(any::<usize>(), 1..40),
    ) {
        let xml = model(&block);
        let evaluator = Evaluator::new();
        let package = Package::from_bpmn(xml.as_bytes(), &evaluator)
            .unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}\n{xml}"));
        let (mut run, mut twin) = (Run::start(&package), Run::start(&package));
        for choice in choices {
            for run in [&mut run, &mut twin] {
                match choice % 2 {
                    _ if !run.instance().is_active() => {}
                    0 => run.answer(choice / 2),
                    _ => run.modify(choice / 2),
                }
            }
        }
        if run.instance().is_active() {
            for run in [&mut run, &mut twin] {
                run.runner.command(run.key, Command::Cancel { reason: None }).expect("it can be cancelled");
                run.check();
            }
        }
        prop_assert_eq!(&run.log, &twin.log);
        let created = run.log.iter().filter(|event| event.starts_with("TokenCreated")).count();
        let used_up = |event: &&String| event.starts_with("TokenConsumed") || event.starts_with("RoundEnded");
        let consumed = run.log.iter().filter(used_up).count();
        prop_assert_eq!(created, consumed, "every token that was born is used up");
        let opened = run.log.iter().filter(|event| event.starts_with("WaitOpened")).count();
        let closed = run.log.iter().filter(|event| event.starts_with("WaitClosed")).count();
        prop_assert_eq!(opened, closed, "every wait that was opened is closed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_has_happened_an_instance_goes_over_and_ends(
        block in block(),
        choices in prop::collection::vec(any::<usize>(), 1..60),
    ) {
        let before = r#"<task id="before"/><task id="then"/><sequenceFlow id="on" sourceRef="before" targetRef="then"/>"#;
        let evaluator = Evaluator::new();
        let packages = [model(&block), model_with(before, &block)].map(|xml| {
            Package::from_bpmn(xml.as_bytes(), &evaluator)
                .unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}\n{xml}"))
        });
        let mut run = Run::start(&packages[0]);
        let mut choices = choices.into_iter();
        for turn in 0..3_000 {
            if !run.instance().is_active() {
                break;
            }
            let choice = choices.next().unwrap_or(turn);
            if choice.is_multiple_of(3) {
                run.migrate(&packages[(turn + 1) % 2].processes[0]);
            }
            run.answer(choice);
        }
        prop_assert_eq!(run.instance().state(), &State::Completed, "{:?}", block);
        let created = run.log.iter().filter(|event| event.starts_with("TokenCreated")).count();
        let used_up = |event: &&String| event.starts_with("TokenConsumed") || event.starts_with("RoundEnded");
        prop_assert_eq!(created, run.log.iter().filter(used_up).count(), "every token that was born is used up");
    }
}

#[test]
fn an_event_fits_into_sixteen_bytes() {
    assert_eq!(size_of::<Event>(), 16);
}

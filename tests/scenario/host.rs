//! Runs everything twice, and checks after every act what must always hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use potok_core::Name;
use potok_core::expressions::Expressions;
use potok_core::graph::{Package, ProcessGraph};
use potok_core::instance::{Instance, Key};
use potok_core::routing::{Notice, RunError, Runner, Stepped};
use potok_core::step::Events;
use potok_core::time::Timestamp;

use super::act::{Act, Done};
use super::durable::Durable;
use super::invariants;
use super::trace::Trace;

/// Monday, 5 January 2026, 9 o'clock UTC: when every scenario begins.
const BEGINNING: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// An instance as its events tell it, and where its tokens went.
struct Told {
    instance: Instance,
    trace: Trace,
}

/// The runner of a scenario and its twin.
pub(super) struct Host {
    /// Goes on with loaded instances after every act.
    pub(super) runner: Runner,
    /// Does the same with instances that were never saved.
    twin: Runner,
    /// Does the same on a database.
    durable: Durable,
    told: BTreeMap<Key, Told>,
    /// What was deployed last.
    newest: Vec<Arc<ProcessGraph>>,
    /// What happened between instances.
    pub(super) notices: Vec<Notice>,
}

impl Host {
    pub(super) fn new(
        expressions: Arc<dyn Expressions>,
        packages: &[Package],
        sources: &[Vec<(String, String)>],
    ) -> Self {
        let mut runner = Runner::new(expressions.clone(), BEGINNING);
        let mut twin = Runner::new(expressions, BEGINNING);
        for package in packages {
            runner.deploy(package);
            twin.deploy(package);
        }
        let notices = runner.take_notices();
        twin.take_notices();
        Self {
            runner,
            twin,
            durable: Durable::new(sources, BEGINNING),
            told: BTreeMap::new(),
            newest: packages.last().map_or_else(Vec::new, |last| last.processes.clone()),
            notices,
        }
    }

    pub(super) fn limit_steps(&mut self, budget: u32) {
        self.durable.leave();
        self.runner.limit_steps(budget);
        self.twin.limit_steps(budget);
    }

    /// The newest version of a process.
    pub(super) fn newest(&self, process: &str) -> Option<Arc<ProcessGraph>> {
        self.newest.iter().find(|graph| **graph.id() == *process).cloned()
    }

    /// Where the tokens of an instance went.
    pub(super) fn trace(&self, instance: Key) -> Vec<&str> {
        self.told.get(&instance).map(|told| told.trace.ids()).unwrap_or_default()
    }

    /// The ids of the flow nodes that they went through, joined by spaces.
    pub(super) fn path(&self, instance: Key) -> String {
        self.trace(instance).join(" ")
    }

    /// Does something to both runners, and checks what must always hold.
    #[track_caller]
    pub(super) fn act(&mut self, act: &Act) -> Result<Done, RunError> {
        let result = act.on(&mut self.runner);
        let twin = act.on(&mut self.twin);
        assert_eq!(result, twin, "a second run had another result");
        let log = self.runner.take_log();
        same_events(&log, &self.twin.take_log());
        let notices = self.runner.take_notices();
        assert_eq!(notices, self.twin.take_notices(), "a second run told something else between instances");
        self.notices.extend(notices);
        for stepped in log {
            self.tell(stepped);
        }
        let keys: Vec<_> = self.runner.instances().map(|running| running.instance.key()).collect();
        for key in keys {
            self.check(key);
        }
        self.durable.follow(act, &result, &self.runner);
        result
    }

    /// Folds events, as they come out of a store.
    #[track_caller]
    fn tell(&mut self, stepped: Stepped) {
        let events = Events::decode(&stepped.events.encode()).expect("events can be loaded");
        assert_eq!(events, stepped.events, "what is saved and loaded are other events");
        let told = self
            .told
            .entry(stepped.instance)
            .or_insert_with(|| Told { instance: Instance::new(stepped.instance), trace: Trace::default() });
        for (index, event) in events.list.iter().enumerate() {
            told.trace.note(&told.instance, &events.list[index..], &stepped.graph);
            told.instance.apply(*event, &events);
        }
    }

    #[track_caller]
    fn check(&mut self, key: Key) {
        let Some(running) = self.runner.instance(key) else { return };
        if let Some(told) = self.told.get(&key)
            && told.instance != running.instance
        {
            panic!("the events tell another instance:\n{:#?}\nthan there is:\n{:#?}", told.instance, running.instance);
        }
        let broken = invariants::broken(&running.instance, &running.graph);
        if !broken.is_empty() {
            let path = self.path(key);
            panic!("instance {key} of `{}` is broken:\n{}\ntrace: {path}", running.graph.id(), broken.join("\n"));
        }
        let instance = Instance::decode(&running.instance.encode()).expect("an instance can be loaded");
        assert_eq!(instance, running.instance, "what is saved and loaded is another instance");
        self.runner.replace(instance);
    }

    /// The ids of the processes of all instances, oldest first.
    pub(super) fn instances_of(&self, process: &str) -> Vec<Key> {
        let of = self.runner.instances().filter(|running| &**running.graph.id() == process);
        of.map(|running| running.instance.key()).collect()
    }

    /// The instance that is older than all others.
    pub(super) fn first(&self) -> Option<Key> {
        self.runner.instances().map(|running| running.instance.key()).next()
    }

    /// What a number of a flow node means.
    pub(super) fn id(graph: &ProcessGraph, node: u32) -> Name {
        graph.get_node(node).map_or_else(|| graph.id().clone(), |node| node.id.clone())
    }
}

#[track_caller]
fn same_events(one: &[Stepped], other: &[Stepped]) {
    assert_eq!(one.len(), other.len(), "a second run took another number of steps");
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one.instance, other.instance, "a second run stepped another instance");
        assert_eq!(one.events, other.events, "a second run gave other events");
    }
}

//! A host of instances, as small as can be: a graph, a context, and buffers that are used again.

use std::sync::Arc;

use potok_core::expressions::Expressions;
use potok_core::graph::ProcessGraph;
use potok_core::instance::Instance;
use potok_core::step::{Command, Context, Counter, Events, Keys, StartAt, Variables, step};

/// Runs instances of one process.
pub struct Host<'a> {
    graph: Arc<ProcessGraph>,
    keys: &'a Counter,
    context: Context<'a>,
    events: Events,
}

impl<'a> Host<'a> {
    /// A host of the file's process; the diagnostics in words if there is something wrong with it.
    ///
    /// # Errors
    /// If the file is refused.
    pub fn new(file: &str, expressions: &'a dyn Expressions, keys: &'a Counter) -> Result<Self, String> {
        let graph = ProcessGraph::from_bpmn(file.as_bytes(), expressions)
            .map_err(|diagnostics| diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        Ok(Self {
            graph,
            keys,
            context: Context::new(jiff::Timestamp::UNIX_EPOCH, expressions, keys),
            events: Events::new(),
        })
    }

    /// Starts an instance; it runs as far as it can.
    pub fn start(&mut self, variables: Variables) -> Instance {
        let mut instance = Instance::new(self.keys.next());
        let (at, started_by) = (StartAt::None, None);
        let start = Command::Start { at, business_key: None, variables, caller: None, started_by, initiator: None };
        self.step(&mut instance, start);
        instance
    }

    /// Completes the oldest user task of an instance.
    pub fn complete_a_task(&mut self, instance: &mut Instance) -> bool {
        let Some(task) = instance.waits().next().map(|wait| wait.key) else { return false };
        self.step(instance, Command::CompleteUserTask { task, variables: Variables::new() });
        true
    }

    /// Runs an instance to its end.
    pub fn run(&mut self, variables: Variables) {
        let mut instance = self.start(variables);
        while instance.is_active() && self.complete_a_task(&mut instance) {}
        assert!(!instance.is_active(), "an instance of {} is stuck: {instance:?}", self.graph.id());
    }

    fn step(&mut self, instance: &mut Instance, command: Command) {
        self.events.clear();
        let result = step(&self.graph, instance, command, &mut self.context, &mut self.events);
        assert!(result.is_ok(), "refused: {result:?}");
    }

    /// Events of the last step.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.events
    }
}

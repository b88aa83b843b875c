//! How an instance begins.

use smallvec::{SmallVec, smallvec};

use super::command::{Rejection, StartAt, Variables};
use super::{Closed, Event, Position, Stage, Start, Step, index_of};
use crate::behaviour::sub_process;
use crate::dialect::ListenerStage;
use crate::expressions::EvaluationError;
use crate::graph::{Catch, ListenerAction, NodeKind};
use crate::instance::{IncidentStage, Key, NONE, Ordinal, Owner, ROOT, State, TokenId, Wait, WaitKind, WaitType};
use crate::trigger::message;
use crate::{Name, value::Value};

impl Step<'_, '_> {
    pub(super) fn start(
        &mut self,
        at: &StartAt,
        mut start: Start,
        mut variables: Variables,
        initiator: Option<Name>,
    ) -> Result<(), Rejection> {
        if !matches!(self.instance.state, State::Created) {
            return Err(Rejection::AlreadyStarted(self.instance.key));
        }
        if let StartAt::Positions(positions) = at {
            return self.start_at_positions(positions, start, &variables);
        }
        let nodes = self.start_nodes(at)?;
        let is_start = |node: &Ordinal| matches!(self.graph.node(*node).kind, NodeKind::StartEvent(_));
        start.caught = matches!(at, StartAt::Event(_)) && !nodes.iter().all(is_start);
        self.started(start);
        let graph = self.graph;
        let mut brought = Variables::new();
        if let (StartAt::Event(_), [node]) = (at, &nodes[..]) {
            self.conversation_began(*node, &variables);
            // Which of several definitions has occurred only its trigger knows.
            if graph.catches(*node).len() == 1 {
                graph.take_item(*node, 0, &mut variables);
            }
            if self.keeps_what_comes(*node) {
                brought = std::mem::take(&mut variables);
            }
        }
        for (name, value) in variables {
            self.set_local(ROOT, name, value);
        }
        let initiator = initiator.map(Value::String);
        for name in nodes.iter().filter_map(|node| graph.node(*node).details.initiator.clone()) {
            // Without a user it is null, so that it can be asked for, unless a call has handed it over.
            let handed = self.instance.scopes.get(ROOT).is_some_and(|root| root.variable(&name).is_some());
            if initiator.is_some() || !handed {
                self.set_local(ROOT, name, initiator.clone().unwrap_or(Value::Null));
            }
        }
        if nodes.is_empty() {
            self.emptied(ROOT);
            return Ok(());
        }
        let opened = self.open_process();
        for node in nodes {
            let token = self.born(ROOT, node);
            match (&opened, at) {
                // Nothing begins without the data and the event sub-processes of the process itself.
                (Err(error), _) => {
                    self.receive_from(token, node, std::mem::take(&mut brought));
                    self.stuck(token, error.clone().into(), IncidentStage::Open);
                }
                (Ok(()), StartAt::Event(_)) => self.begin_with_event(token, std::mem::take(&mut brought)),
                (Ok(()), _) => self.schedule(token, Stage::Enter),
            }
        }
        Ok(())
    }

    fn started(&mut self, start: Start) {
        let start = if start == Start::default() {
            NONE
        } else {
            self.events.starts.push(start);
            index_of(self.events.starts.len() - 1)
        };
        self.emit(Event::InstanceStarted { start });
    }

    /// Begins at places that may stand inside of sub-processes. What is refused there is found out on a copy.
    fn start_at_positions(
        &mut self,
        positions: &[Position],
        start: Start,
        variables: &Variables,
    ) -> Result<(), Rejection> {
        self.try_on_copy(|tried| tried.begin_at_positions(positions, start.clone(), variables))?;
        self.begin_at_positions(positions, start, variables)
    }

    fn begin_at_positions(
        &mut self,
        positions: &[Position],
        start: Start,
        variables: &Variables,
    ) -> Result<(), Rejection> {
        self.started(start);
        for (name, value) in variables {
            self.set_local(ROOT, name.clone(), value.clone());
        }
        let opened = self.open_process();
        self.begin_each(positions, opened)
    }

    fn open_process(&mut self) -> Result<(), EvaluationError> {
        sub_process::open_scope(self, ROOT)?;
        self.call_process_listeners(ListenerStage::Start, 0).map_err(|(_, error)| error)
    }

    /// Calls the listeners of the process itself from the given one on; says which one fails.
    pub(super) fn call_process_listeners(
        &mut self,
        stage: ListenerStage,
        from: u32,
    ) -> Result<(), (u32, EvaluationError)> {
        let graph = self.graph;
        for (index, listener) in (0u32..).zip(graph.listeners()).skip(from as usize) {
            if listener.stage == stage
                && let ListenerAction::Evaluate(expression) = &listener.action
            {
                self.call_listener(expression, stage, ROOT, NONE).map_err(|error| (index, error))?;
            }
        }
        Ok(())
    }

    /// Opens the scope of a token once more; if that succeeds, all tokens that have waited for it begin.
    pub(super) fn open_again(&mut self, token: TokenId) {
        let scope = self.instance.tokens.get(token).map_or(ROOT, |token| token.scope);
        self.close_waits(Owner::Scope(scope), Closed::Cancelled);
        let opened = if scope == ROOT { self.open_process() } else { self.begin_scope(scope) };
        if let Err(error) = opened {
            return self.stuck(token, error.into(), IncidentStage::Open);
        }
        let waits_too = |wait: &&Wait| match (&wait.kind, wait.owner) {
            (WaitKind::Incident(incident), Owner::Token(other)) => {
                let same_scope = self.instance.tokens.get(other).is_some_and(|other| other.scope == scope);
                incident.stage == IncidentStage::Open && same_scope
            }
            _ => false,
        };
        let others: Vec<(Key, Owner)> =
            self.instance.waits().filter(waits_too).map(|wait| (wait.key, wait.owner)).collect();
        let mut waiting = vec![token];
        for (key, owner) in others {
            self.emit(Event::WaitClosed { key, kind: WaitType::Incident, reason: Closed::Completed });
            if let Owner::Token(other) = owner {
                waiting.push(other);
            }
        }
        let around = self.instance.scopes.get(scope).map_or(NONE, |scope| scope.owner);
        if let Some(NodeKind::EventSubProcess(_)) = self.graph.get_node(self.node_of(around)).map(|node| &node.kind)
            && let Some(first) = self.first_start_listener(around)
        {
            waiting.into_iter().for_each(|token| self.wait_for_listeners(token));
            return self.resume(around, Stage::Listen(first));
        }
        waiting.into_iter().for_each(|token| self.begin_late(token));
    }

    fn begin_late(&mut self, token: TokenId) {
        self.emit(Event::TokenResumed { token });
        self.begin_with_event(token, Variables::new());
    }

    fn start_nodes(&self, at: &StartAt) -> Result<SmallVec<[Ordinal; 2]>, Rejection> {
        let graph = self.graph;
        let unknown = |element: &Name, needed| Rejection::UnknownElement {
            process: graph.id().clone(),
            element: element.clone(),
            needed,
        };
        match at {
            StartAt::None => {
                let starts = &graph.root().starts;
                if starts.is_empty() && graph.nodes().next().is_some() {
                    return Err(Rejection::NoNoneStart(graph.id().clone()));
                }
                Ok(SmallVec::from_slice(starts))
            }
            StartAt::Event(element) => {
                let node = graph.find(element).filter(|node| graph.node(*node).parent.is_none());
                let is_start = |node: &Ordinal| match &graph.node(*node).kind {
                    NodeKind::StartEvent(_) | NodeKind::ReceiveTask(_) => true,
                    NodeKind::CatchEvent(_) => graph.instantiating_gateway(*node).is_some(),
                    _ => false,
                };
                let node = node.filter(is_start).ok_or_else(|| unknown(element, "starts the process"))?;
                Ok(smallvec![node])
            }
            // Begins otherwise.
            StartAt::Positions(_) => Ok(SmallVec::new()),
            StartAt::Elements(elements) => elements
                .iter()
                .map(|element| {
                    let node = graph.find(element).filter(|node| graph.node(*node).parent.is_none());
                    node.ok_or_else(|| unknown(element, "stands at the level of the process itself"))
                })
                .collect(),
        }
    }

    /// Whether what a message or signal brings that starts the instance is the event's own, as it is where the event is waited for:
    /// its outputs choose what becomes of it (BPMN 2.0.2 §10.4.1). (What comes for a loop, its first round finds in the process.)
    fn keeps_what_comes(&self, node: Ordinal) -> bool {
        let details = &self.graph.node(node).details;
        let brings = |catch: &Catch| matches!(catch, Catch::Message { .. } | Catch::Signal { .. });
        details.isolated && details.repeat.is_none() && self.graph.catches(node).iter().any(brings)
    }

    /// The message that starts the instance begins its conversation (BPMN 2.0.2 §8.4.2).
    fn conversation_began(&mut self, node: Ordinal, payload: &[(Name, Value)]) {
        let graph = self.graph;
        for catch in graph.catches(node) {
            if let Catch::Message { properties, .. } = catch {
                message::received(self, node, ROOT, properties, payload);
            }
        }
    }

    /// What starts the instance: a start event, which may have a savepoint before it, or an event that has occurred; after a parallel instantiating gateway the other events
    /// are waited for (BPMN 2.0.2 §10.6.6, §13.4.4).
    fn begin_with_event(&mut self, token: TokenId, brought: Variables) {
        let node = self.node_of(token);
        self.receive_from(token, node, brought);
        if !self.has_occurred(token) {
            return self.schedule(token, Stage::Enter);
        }
        let graph = self.graph;
        if let Some(gateway) = graph.instantiating_gateway(node)
            && let NodeKind::EventBasedGateway { parallel: true, .. } = graph.node(gateway).kind
        {
            for flow in &graph.node(gateway).outgoing {
                let other = graph.flow(*flow).target;
                if other != node {
                    let waiting = self.born(ROOT, other);
                    self.schedule(waiting, Stage::Enter);
                }
            }
        }
        self.leave_event(token);
    }
}

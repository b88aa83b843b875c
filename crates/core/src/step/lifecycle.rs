//! The life of a flow node: entered, prepared, worked on, completed, left (BPMN 2.0.2 §13.3.2, Figure 13.2).

use super::{Event, Problem, Stage, Step, Told, Variables};
use crate::behaviour::{self, standard_loop};
use crate::dialect::{Dialect, ListenerStage};
use crate::expressions::EvaluationError;
use crate::graph::{FlowNode, Home, ListenerAction, Loop, Mapping, Needed, NodeKind};
use crate::instance::{IncidentKind, IncidentStage, IncidentWait, NONE, Ordinal, Owner, ScopeKind, TokenId, WaitKind};
use crate::trigger::error::Thrower;
use crate::{Name, value::Value};

/// The serial of an instance's first token.
const FIRST: u32 = 0;

impl<'s> Step<'s, '_> {
    /// The flow node that a token stands on.
    #[inline]
    pub(crate) fn node(&self, token: TokenId) -> &'s FlowNode {
        self.graph.node(self.node_of(token))
    }

    /// Whether a token is one round of a loop around its own activity.
    #[inline]
    pub(crate) fn is_round(&self, token: TokenId) -> bool {
        self.instance.tokens.get(token).is_some_and(|token| {
            self.instance
                .scopes
                .get(token.scope)
                .is_some_and(|scope| scope.kind == ScopeKind::Loop && scope.node == token.node)
        })
    }

    /// A token has arrived where there is something to do.
    #[inline(always)]
    pub(super) fn enter(&mut self, token: TokenId, ordinal: Ordinal) {
        if self.graph.node(ordinal).plain {
            self.execute(token, ordinal);
        } else {
            self.enter_prepared(token, ordinal);
        }
    }

    /// A token has arrived where something surrounds the work.
    fn enter_prepared(&mut self, token: TokenId, ordinal: Ordinal) {
        let details = &self.graph.node(ordinal).details;
        if details.start_quantity > 1 && !self.gathered(token, details.start_quantity) {
            return;
        }
        if details.continuation.before {
            self.savepoint(token, false, details.retry_cycle.as_ref(), IncidentStage::Arrive);
            return;
        }
        self.begin(token, ordinal);
    }

    /// `startQuantity` (BPMN 2.0.2 §10.3): tokens wait until there are enough, and go on as one.
    fn gathered(&mut self, token: TokenId, quantity: u32) -> bool {
        let Some((scope, node)) = self.instance.tokens.get(token).map(|token| (token.scope, token.node)) else {
            return false;
        };
        let waiting = self.instance.join(scope, node).map_or(0, |join| join.tokens);
        if waiting + 1 < quantity {
            self.emit(Event::TokenJoined { token, position: 0, incoming: 1, upstream: false });
            return false;
        }
        while let Some(other) = self.instance.join(scope, node).and_then(|join| join.heads().next()) {
            self.emit(Event::TokenConsumed { token: other, cancelled: false });
        }
        true
    }

    /// Skips, repeats, or begins the flow node.
    pub(crate) fn begin(&mut self, token: TokenId, ordinal: Ordinal) {
        let node = self.graph.node(ordinal);
        let is_round = node.details.repeat.is_some() && self.is_round(token);
        if is_round && node.plain_round {
            return self.execute(token, ordinal);
        }
        if let Some(skip) = &node.details.skip
            && !is_round
        {
            let scope = self.variable_scope(token);
            match self.holds(skip, scope, ordinal, &[]) {
                Ok(true) => return self.schedule(token, Stage::Leave),
                Ok(false) => {}
                Err(error) => return self.stuck(token, error.into(), IncidentStage::Enter),
            }
        }
        if !is_round && let Some(missing) = self.missing_data(token) {
            let message = format!("`{}` needs data that is not there yet: {missing}", node.id);
            return self.incident(token, IncidentKind::Data, &message, IncidentStage::Enter);
        }
        if let Some(repeat) = &node.details.repeat
            && !is_round
        {
            if let Err(error) = self.subscribe_boundary_events(token) {
                return self.stuck(token, error.into(), IncidentStage::Enter);
            }
            return match behaviour::repeat::start(self, token, repeat) {
                Ok(()) => {}
                Err(error) => self.stuck(token, error.into(), IncidentStage::Enter),
            };
        }
        if let NodeKind::EndEvent(throws) = &node.kind {
            behaviour::end_event::end_others(self, token, throws);
        }
        if let Err(error) = self.prepare(token, is_round) {
            return self.stuck(token, error.into(), IncidentStage::Enter);
        }
        self.listen(token, 0);
    }

    /// What is missing if none of an activity's input sets is there (BPMN 2.0.2 §10.4.2, §13.3.2): of the first, in words.
    fn missing_data(&self, token: TokenId) -> Option<String> {
        let sets = &self.node(token).details.input_sets;
        let first = sets.first()?;
        let scope = self.variable_scope(token);
        let is_there = |(home, name): &(Home, Name)| match home {
            Home::Own => true,
            Home::Seen => self.instance.visible(scope, name).is_some_and(|value| !value.is_null()),
            Home::Of(node) => {
                let home = self.instance.scopes.get(self.instance.scope_around(scope, *node));
                home.and_then(|home| home.variable(name)).is_some_and(|value| !value.is_null())
            }
        };
        let lacks = |needed: &&Needed| !needed.sources.iter().all(is_there);
        if sets.iter().any(|set| !set.iter().any(|needed| lacks(&needed))) {
            return None;
        }
        let names = first.iter().filter(lacks).map(|needed| {
            let sources: Vec<&str> =
                needed.sources.iter().filter(|source| !is_there(source)).map(|(_, name)| &**name).collect();
            format!("`{}` for its input `{}`", sources.join("`, `"), needed.name)
        });
        Some(names.collect::<Vec<_>>().join(", "))
    }

    /// Opens the scope of its own that a flow node needs, computes its inputs, and subscribes its boundary events.
    pub(super) fn prepare(&mut self, token: TokenId, is_round: bool) -> Result<(), EvaluationError> {
        let node = self.node(token);
        let ordinal = self.node_of(token);
        let details = &node.details;
        if details.needs_scope() {
            let scope = self.own_scope(token);
            for local in &details.locals {
                // What came before its first round is there already.
                if self.instance.scopes.get(scope).is_some_and(|scope| scope.variable(local).is_none()) {
                    self.set_local(scope, local.clone(), Value::Null);
                }
            }
            self.set_inputs(scope, ordinal, &details.inputs)?;
        }
        if is_round { Ok(()) } else { self.subscribe_boundary_events(token) }
    }

    /// Computes a flow node's inputs into the scope of its own.
    pub(crate) fn set_inputs(&mut self, own: u32, node: Ordinal, inputs: &[Mapping]) -> Result<(), EvaluationError> {
        for input in inputs {
            let value = self.mapped(&input.source, own, node, &[])?;
            let target = self.target(input, own, node, &[])?;
            self.set_own(own, &target, value)?;
        }
        Ok(())
    }

    /// The scope that belongs to the flow node of a token; opened if there is none yet.
    #[inline]
    pub(crate) fn own_scope(&mut self, token: TokenId) -> u32 {
        let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
        if inside != NONE {
            return inside;
        }
        let scope = self.instance.scopes.next();
        self.emit(Event::ScopeOpened { scope, kind: ScopeKind::Activity, token, round: NONE });
        scope
    }

    /// The variables of the scope that belongs to the flow node of a token: what its inputs have computed.
    pub(crate) fn own_variables(&self, token: TokenId) -> Variables {
        let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
        self.instance.scopes.get(inside).map_or_else(Vec::new, |scope| scope.variables().to_vec())
    }

    /// What a throwing flow node's definition of this number carries: its own data input, where each definition has one, and none of
    /// the others'.
    pub(crate) fn carried(&self, token: TokenId, number: u32) -> Variables {
        let mut carried = self.own_variables(token);
        let node = self.node(token);
        if let NodeKind::ThrowEvent(_) | NodeKind::EndEvent(_) = node.kind
            && let Some(item) = node.details.items.get(number as usize)
        {
            carried.retain(|(name, _)| name == item || !node.details.items.contains(name));
        }
        carried
    }

    /// The scope in which a token's flow node sees its variables.
    #[inline]
    pub(crate) fn variable_scope(&self, token: TokenId) -> u32 {
        self.instance.tokens.get(token).map_or(NONE, crate::instance::Token::variable_scope)
    }

    /// Calls start listeners from the given one on, then does the work.
    pub(super) fn listen(&mut self, token: TokenId, from: u32) {
        if !self.call_listeners(token, ListenerStage::Start, from) {
            return;
        }
        if self.has_occurred(token) {
            self.schedule(token, Stage::Complete);
        } else {
            self.execute(token, self.node_of(token));
        }
    }

    /// Whether what a token stands on has been caught before it came: by an event-based gateway, or to start the instance. Of
    /// a loop it is the first round's.
    pub(super) fn has_occurred(&self, token: TokenId) -> bool {
        let mut caught = token;
        if self.is_round(token) {
            let first = match &self.node(token).details.repeat {
                Some(Loop::MultiInstance(multi)) => multi.first_counter,
                _ => standard_loop::FIRST,
            };
            let Some((scope, inside)) = self.instance.tokens.get(token).map(|token| (token.scope, token.inside)) else {
                return false;
            };
            if self.instance.scopes.get(inside).is_none_or(|scope| scope.round != first) {
                return false;
            }
            caught = self.instance.scopes.get(scope).map_or(NONE, |scope| scope.owner);
        }
        let Some(token) = self.instance.tokens.get(caught) else { return false };
        match self.graph.flows().get(token.flow as usize) {
            Some(flow) => matches!(self.graph.node(flow.source).kind, NodeKind::EventBasedGateway { .. }),
            None => self.instance.caught && token.serial == FIRST,
        }
    }

    /// Calls the listeners of a stage from the given one on; false if one of them makes the token wait, or fails.
    #[inline]
    pub(crate) fn call_listeners(&mut self, token: TokenId, stage: ListenerStage, from: u32) -> bool {
        self.node(token).details.listeners.is_empty() || self.call_each_listener(token, stage, from)
    }

    fn call_each_listener(&mut self, token: TokenId, stage: ListenerStage, from: u32) -> bool {
        let node = self.node(token);
        for (index, listener) in (0u32..).zip(&node.details.listeners).skip(from as usize) {
            if listener.stage != stage {
                continue;
            }
            match &listener.action {
                ListenerAction::Evaluate(expression) => {
                    let told = Told { stage, task: self.standing_task(token) };
                    if let Err(error) = self.call_listener_at(token, expression, told) {
                        self.stuck(token, error.into(), IncidentStage::Listener(index));
                        return false;
                    }
                }
                // A worker is told of no deletion; `check` says so.
                ListenerAction::Job(_) if stage == ListenerStage::Delete => {}
                ListenerAction::Job(job) => {
                    return match behaviour::job::open(self, token, 0, job, Some(index)) {
                        Ok(()) => false,
                        Err(error) => {
                            self.stuck(token, error.into(), IncidentStage::Listener(index));
                            false
                        }
                    };
                }
            }
        }
        true
    }

    /// Does the flow node's work.
    #[inline(always)]
    pub(super) fn execute(&mut self, token: TokenId, node: Ordinal) {
        if let Err(problem) = behaviour::execute(self, token, node) {
            self.stuck(token, problem, IncidentStage::Execute);
        }
    }

    /// Throws what is left of what an event throws, from this one on.
    pub(super) fn throw_on(&mut self, token: TokenId, node: Ordinal, next: u32) {
        let thrown = match &self.graph.node(node).kind {
            NodeKind::ThrowEvent(throws) => behaviour::intermediate_event::throw(self, token, throws, next),
            NodeKind::EndEvent(throws) => behaviour::end_event::end(self, token, throws, next),
            _ => return self.done(token, 0),
        };
        if let Err(problem) = thrown {
            self.stuck(token, problem, IncidentStage::Throw(next));
        }
    }

    /// The work is done: complete listeners from the given one on.
    pub(super) fn done(&mut self, token: TokenId, from: u32) {
        if self.node(token).plain {
            self.schedule(token, Stage::Complete);
        } else if self.call_listeners(token, ListenerStage::Complete, from) {
            self.deleted(token, 0);
        }
    }

    /// A completed user task is gone. Flowable calls delete listeners also then, from the given one on.
    pub(super) fn deleted(&mut self, token: TokenId, from: u32) {
        if self.graph.dialect() != Dialect::Flowable || self.call_listeners(token, ListenerStage::Delete, from) {
            self.schedule(token, Stage::Complete);
        }
    }

    /// Outputs, then end listeners; in Camunda 7's dialect its own outputs come after those.
    pub(super) fn complete(&mut self, token: TokenId) {
        let node = self.node(token);
        if node.plain {
            // Its work, or who started it, may have given it a scope.
            let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
            if inside != NONE {
                self.discard(inside);
            }
            return self.leave(token);
        }
        let Some((outside, inside)) =
            self.instance.tokens.get(token).map(|token| (token.scope, token.variable_scope()))
        else {
            return;
        };
        let of_call = match &node.kind {
            NodeKind::Call(call) => &call.outputs[..],
            _ => &[],
        };
        // Where the element has mappings of its own, those choose from what a called process gave.
        let given = if node.details.isolated { inside } else { outside };
        let own = if self.graph.dialect() == Dialect::Camunda { &[] } else { &node.details.outputs[..] };
        let outputs = of_call.iter().map(|output| (given, output));
        for (target, output) in outputs.chain(own.iter().map(|output| (outside, output))) {
            if let Err(error) = self.put_out(token, target, output) {
                return self.stuck(token, error.into(), IncidentStage::Complete);
            }
        }
        self.finish(token, 0);
    }

    /// One output mapping, into a scope or what stands around it.
    pub(super) fn put_out(&mut self, token: TokenId, target: u32, output: &Mapping) -> Result<(), EvaluationError> {
        if let Some(needed) = &output.needs
            && self.own_variables(token).iter().all(|(name, _)| name != needed)
        {
            return Ok(());
        }
        let (own, node) = (self.variable_scope(token), self.node_of(token));
        let value = self.mapped(&output.source, own, node, &[])?;
        let name = self.target(output, own, node, &[])?;
        match output.home {
            Home::Seen => self.set_target(target, &name, value),
            Home::Own => {
                let own = self.own_scope(token);
                self.set_own(own, &name, value)
            }
            Home::Of(node) => {
                let home = self.instance.scope_around(target, node);
                self.set_target(home, &name, value)
            }
        }?;
        Ok(())
    }

    /// Calls end listeners from the given one on, then closes what belongs to the flow node and goes on.
    pub(super) fn finish(&mut self, token: TokenId, from: u32) {
        if !self.call_listeners(token, ListenerStage::End, from) {
            return;
        }
        let node = self.node(token);
        if self.graph.dialect() == Dialect::Camunda {
            let outside = self.instance.tokens.get(token).map_or(NONE, |token| token.scope);
            for output in &node.details.outputs {
                if let Err(error) = self.put_out(token, outside, output) {
                    // Behind the last listener: none is called again.
                    let behind = u32::try_from(node.details.listeners.len()).unwrap_or(u32::MAX);
                    return self.stuck(token, error.into(), IncidentStage::Listener(behind));
                }
            }
        }
        self.close_waits(Owner::Token(token), super::Closed::Cancelled);
        if self.is_round(token) {
            if let Some(Loop::MultiInstance(multi)) = &node.details.repeat
                && multi.continuation.after
            {
                return self.savepoint(token, true, multi.retry_cycle.as_ref(), IncidentStage::Round(0));
            }
            return behaviour::repeat::round_completed(self, token, 0);
        }
        self.retire(token);
        if node.details.continuation.after {
            return self.savepoint(token, true, node.details.retry_cycle.as_ref(), IncidentStage::Leave);
        }
        self.leave(token);
    }

    /// Closes the scope of a completed activity, or keeps it where the activity can be compensated (BPMN 2.0.2 §13.5.5).
    pub(crate) fn retire(&mut self, token: TokenId) {
        let Some((scope, inside, node)) =
            self.instance.tokens.get(token).map(|token| (token.scope, token.inside, token.node))
        else {
            return;
        };
        if self.is_compensable(node, inside) {
            let scope = if self.is_round(token) {
                // Every round is compensated of its own; what remembers it is the scope around the loop.
                self.instance.scopes.get(scope).map_or(scope, |scope| scope.parent)
            } else {
                scope
            };
            self.emit(Event::ActivityCompensable { scope, node, kept: inside });
        } else if inside != NONE {
            self.discard(inside);
        }
    }

    fn is_compensable(&self, node: u32, inside: u32) -> bool {
        if !self.graph.compensates() {
            return false;
        }
        let flow_node = self.graph.node(node);
        if flow_node.details.compensation_handler.is_some() {
            return true;
        }
        let (NodeKind::SubProcess(container) | NodeKind::Transaction(container)) = &flow_node.kind else {
            // An event sub-process is undone with the scope around it, of which it is a part.
            return matches!(&flow_node.kind, NodeKind::AdHoc(_) | NodeKind::EventSubProcess(_))
                && self.has_completed(inside);
        };
        self.has_completed(inside)
            || container.event_sub_processes.iter().any(|event| behaviour::compensation::is_handler(self.graph, *event))
    }

    fn has_completed(&self, scope: u32) -> bool {
        self.instance.scopes.get(scope).is_some_and(|scope| !scope.completed().is_empty())
    }

    /// Whether the own scope of a token's flow node has what came with an event: it is not begun anew.
    fn holds_what_came(&self, token: TokenId) -> bool {
        matches!(self.node(token).kind, NodeKind::BoundaryEvent(_) | NodeKind::StartEvent(_))
            || self.has_occurred(token)
    }

    /// Something went wrong on a token: a BPMN error is thrown, anything else is an incident.
    #[cold]
    pub(crate) fn stuck(&mut self, token: TokenId, problem: Problem, stage: IncidentStage) {
        match problem {
            Problem::Error { code, message } => {
                let end = |index: u32| {
                    let listener = self.node(token).details.listeners.get(index as usize);
                    listener.is_none_or(|listener| listener.stage == ListenerStage::End)
                };
                let thrower = match stage {
                    IncidentStage::Enter | IncidentStage::Complete => Thrower::Mapping,
                    IncidentStage::Listener(index) if end(index) => Thrower::Mapping,
                    IncidentStage::Leave | IncidentStage::Reset | IncidentStage::Take { .. } => Thrower::Flow(stage),
                    _ => Thrower::Work,
                };
                self.throw_error(token, code, message, Vec::new(), thrower);
            }
            Problem::Failed(EvaluationError::Limit(message)) => {
                self.incident(token, IncidentKind::Limit, &message, stage);
            }
            Problem::Failed(error) => self.incident(token, IncidentKind::Expression, &error.to_string(), stage),
        }
    }

    /// A token cannot go on: it waits for somebody to mend what is wrong, and everything else goes on.
    #[cold]
    pub(crate) fn incident(&mut self, token: TokenId, kind: IncidentKind, message: &str, stage: IncidentStage) {
        if matches!(stage, IncidentStage::Enter | IncidentStage::Execute) {
            // Entering again subscribes and schedules anew; an activity whose work is stuck keeps its boundary events.
            if stage == IncidentStage::Enter {
                self.close_waits(Owner::Token(token), super::Closed::Cancelled);
            } else {
                self.close_work(token);
            }
            let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
            if inside != NONE && stage == IncidentStage::Enter && !self.is_round(token) && !self.holds_what_came(token)
            {
                self.cancel_scope(inside);
            } else if inside != NONE {
                self.close_waits(Owner::Scope(inside), super::Closed::Cancelled);
            }
        }
        if stage == IncidentStage::Open
            // Nothing happens in a scope that is not wholly open.
            && let Some(scope) = self.instance.tokens.get(token).map(|token| token.scope)
        {
            self.close_waits(Owner::Scope(scope), super::Closed::Cancelled);
        }
        let message: Name = message.into();
        self.wait(token, WaitKind::Incident(IncidentWait { kind, message, stage }.into()));
    }
}

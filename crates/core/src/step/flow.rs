//! Leaving a flow node: which flows out are taken, and by how many tokens.

use super::agenda::Stage;
use super::{Event, Step, index_of};
use crate::behaviour;
use crate::behaviour::{complex_gateway, exclusive_gateway, parallel_gateway};
use crate::dialect::ListenerStage;
use crate::expressions::EvaluationError;
use crate::graph::{Arrival, FlowNode, ListenerAction, NodeKind, SequenceFlow, Straight, Throw};
use crate::instance::{IncidentKind, IncidentStage, NONE, Ordinal, ScopeId, TokenId};

impl Step<'_, '_> {
    /// Takes the flows out of an activity or event: all without a condition, those whose condition holds, and the default
    /// if it is none (BPMN 2.0.2 §13.2.1, §8.4.13). Without flows out the token is used up.
    pub(crate) fn leave(&mut self, token: TokenId) {
        self.leave_node(token, self.node_of(token));
    }

    /// The same, for a token known to stand on that flow node.
    #[inline]
    pub(super) fn leave_node(&mut self, token: TokenId, node: Ordinal) {
        match self.graph.node(node).way {
            Some(way) => self.go_straight(token, way),
            None => self.choose_ways(token, node),
        }
    }

    fn choose_ways(&mut self, token: TokenId, ordinal: Ordinal) {
        let node = self.graph.node(ordinal);
        if node.in_ad_hoc && behaviour::ad_hoc::activity_completed(self, token) {
            return;
        }
        match node.kind {
            NodeKind::ComplexGateway(_) => return complex_gateway::go_out(self, token, true),
            NodeKind::ExclusiveGateway => {
                if let Err(problem) = exclusive_gateway::decide(self, token, ordinal, IncidentStage::Leave) {
                    self.stuck(token, problem, IncidentStage::Leave);
                }
                return;
            }
            _ => {}
        }
        if node.conditional {
            return match self.open_flows(token, node) {
                Ok(flows) if flows.is_empty() => self.no_flow(token, IncidentStage::Leave),
                Ok(flows) => self.take(token, &flows),
                Err(error) => self.stuck(token, error.into(), IncidentStage::Leave),
            };
        }
        match &*node.outgoing {
            [] => match link(node) {
                Some(target) => self.jump(token, target),
                None => self.end_path(token),
            },
            flows => self.take(token, flows),
        }
    }

    /// A token goes from a throwing link event to the link's other end.
    fn jump(&mut self, token: TokenId, target: Ordinal) {
        if let Some(scope) = self.instance.tokens.get(token).map(|token| token.scope) {
            self.touch(scope);
        }
        self.emit(Event::TokenMoved { token, flow: NONE, node: target });
        self.schedule(token, Stage::Enter);
    }

    /// Passes flow nodes where there is nothing to do, as long as no other token's turn comes.
    pub(super) fn go_straight(&mut self, token: TokenId, way: Straight) {
        if self.instance.upstream_joins > 0
            && let Some(scope) = self.instance.tokens.get(token).map(|token| token.scope)
        {
            self.touch(scope);
        }
        let Some(serial) = self.go_to(token, way) else { return };
        let (mut node, mut arrival) = (way.target, self.graph.arrival(way.target));
        if let Arrival::Pass(next) = arrival
            && self.budget > 0
            && self.is_alone()
        {
            (node, arrival) = self.pass_on(token, next);
        }
        self.come_to(token, serial, node, arrival);
    }

    /// A token that is alone passes flow nodes; gives the one that it comes to in the end.
    #[inline(never)] // so that to go one flow further, which is most common, needs no preparations for a loop
    fn pass_on(&mut self, token: TokenId, mut way: Straight) -> (Ordinal, Arrival) {
        loop {
            self.budget -= 1;
            self.emit(Event::TokenMoved { token, flow: way.flow, node: way.target });
            match self.graph.arrival(way.target) {
                Arrival::Pass(next) if self.budget > 0 => way = next,
                arrival => return (way.target, arrival),
            }
        }
    }

    /// A token goes by a flow; gives its serial.
    #[inline(always)]
    fn go_to(&mut self, token: TokenId, Straight { flow, target: node }: Straight) -> Option<u32> {
        let serial = self.instance.moved(token, flow, node)?;
        self.events.list.push(Event::TokenMoved { token, flow, node });
        Some(serial)
    }

    /// A token has come to a flow node. To join and to end are done at once, anything else in its turn.
    #[inline(always)]
    fn come_to(&mut self, token: TokenId, serial: u32, node: Ordinal, arrival: Arrival) {
        match arrival {
            Arrival::Join if self.budget > 0 => {
                self.budget -= 1;
                parallel_gateway::join(self, token, node);
            }
            Arrival::End if self.budget > 0 => {
                self.budget -= 1;
                self.end_path(token);
            }
            _ => self.schedule_serial(token, serial, Stage::Enter),
        }
    }

    /// A token was born, the only one: it sets out at once if nothing else is to be done, else in its turn.
    pub(crate) fn set_out(&mut self, token: TokenId, node: Ordinal) {
        match self.graph.arrival(node) {
            Arrival::Pass(way) if self.budget > 0 && self.is_alone() => {
                self.budget -= 1;
                self.go_straight(token, way);
            }
            _ => self.schedule(token, Stage::Enter),
        }
    }

    /// The work of a flow node is nothing: it is complete.
    #[inline(always)]
    pub(crate) fn pass(&mut self, token: TokenId, node: Ordinal) {
        let node = self.graph.node(node);
        if let Some(way) = node.way {
            self.go_straight(token, way);
        } else if node.plain {
            self.leave(token);
        } else if node.plain_round {
            self.finish(token, 0);
        } else {
            self.schedule(token, Stage::Complete);
        }
    }

    fn open_flows(&mut self, token: TokenId, node: &FlowNode) -> Result<Vec<Ordinal>, EvaluationError> {
        let mut flows = self.flows_that_hold(token, node)?;
        if flows.is_empty() {
            flows.extend(node.default_flow);
        }
        Ok(flows)
    }

    /// The flows without a condition and those whose condition holds, without the default, in document order.
    pub(crate) fn flows_that_hold(&mut self, token: TokenId, node: &FlowNode) -> Result<Vec<Ordinal>, EvaluationError> {
        let graph = self.graph;
        let mut flows = Vec::with_capacity(node.outgoing.len());
        for flow in &node.outgoing {
            if node.default_flow == Some(*flow) {
                continue;
            }
            let holds = match &graph.flow(*flow).condition {
                Some(condition) => self.holds(condition, self.variable_scope(token), self.node_of(token), &[])?,
                None => true,
            };
            if holds {
                flows.push(*flow);
            }
        }
        Ok(flows)
    }

    /// No flow can be taken: an incident (BPMN 2.0.2 Table 13.2 asks for an exception).
    #[cold]
    pub(crate) fn no_flow(&mut self, token: TokenId, stage: IncidentStage) {
        let id = &self.node(token).id;
        let message = format!(
            "no condition of the flows out of `{id}` holds and it has no default flow; correct the variables or give it a \
             default flow"
        );
        self.incident(token, IncidentKind::NoFlow, &message, stage);
    }

    /// A token takes one flow out of the flow node that it stands on.
    #[inline]
    pub(crate) fn take_one(&mut self, token: TokenId, node: &FlowNode, flow: Ordinal) {
        let SequenceFlow { target, listeners, .. } = self.graph.flow(flow);
        if node.plain && listeners.is_empty() {
            self.go_straight(token, Straight { flow, target: *target });
        } else {
            self.take(token, &[flow]);
        }
    }

    /// A token goes by all these flows: by the last itself, by the others new ones.
    pub(crate) fn take(&mut self, token: TokenId, flows: &[Ordinal]) {
        let node = self.node_of(token);
        let flow_node = self.graph.node(node);
        let quantity = if flow_node.plain { 1 } else { flow_node.details.completion_quantity.max(1) };
        let Some(scope) = self.instance.tokens.get(token).map(|token| token.scope) else { return };
        self.touch(scope);
        let others = index_of(flows.len()).saturating_mul(quantity).saturating_sub(1);
        if !self.affords_tokens(others) {
            return self.out_of_budget(token, IncidentStage::Leave);
        }
        self.instance.tokens.reserve(others);
        let serial = self.instance.tokens.get(token).map_or(0, |token| token.serial);
        let mut left = others;
        for flow in flows {
            for _ in 0..quantity {
                if left > 0 && self.branch(scope, node, *flow) {
                    left -= 1;
                    continue;
                }
                // The token itself goes last.
                let moving = if left == 0 { token } else { self.born(scope, node) };
                self.charge_token(moving);
                left = left.saturating_sub(1);
                if !self.go_by(moving, *flow, 0) && !self.is_alive(token, serial) {
                    return; // A listener's error has ended the scope around.
                }
            }
        }
    }

    /// A new token goes by a flow if nothing is to be done before its turn comes; says whether it does.
    #[inline(always)]
    fn branch(&mut self, scope: ScopeId, node: Ordinal, flow: Ordinal) -> bool {
        let SequenceFlow { target, listeners, .. } = self.graph.flow(flow);
        if !listeners.is_empty() || matches!(self.graph.arrival(*target), Arrival::Join | Arrival::End) {
            return false;
        }
        let token = self.instance.tokens.next();
        let serial = self.instance.create(token, scope, flow, *target);
        self.events.list.push(Event::TokenCreated { token, scope, node });
        self.events.list.push(Event::TokenMoved { token, flow, node: *target });
        self.charge_token(token);
        self.schedule_serial(token, serial, Stage::Enter);
        true
    }

    /// A token takes a flow, whose listeners are called from the given one on; false if one of them fails.
    #[inline(always)]
    pub(super) fn go_by(&mut self, token: TokenId, flow: Ordinal, listener: u32) -> bool {
        let SequenceFlow { target, listeners, .. } = self.graph.flow(flow);
        if !listeners.is_empty() && !self.call_take_listeners(token, flow, listener) {
            return false;
        }
        if let Some(serial) = self.go_to(token, Straight { flow, target: *target }) {
            self.come_to(token, serial, *target, self.graph.arrival(*target));
        }
        true
    }

    fn call_take_listeners(&mut self, token: TokenId, flow: Ordinal, from: u32) -> bool {
        let graph = self.graph;
        for (index, listener) in (0u32..).zip(&graph.flow(flow).listeners).skip(from as usize) {
            if listener.stage == ListenerStage::Take
                && let ListenerAction::Evaluate(expression) = &listener.action
                && let Err(error) =
                    self.call_listener(expression, listener.stage, self.variable_scope(token), self.node_of(token))
            {
                self.stuck(token, error.into(), IncidentStage::Take { flow, listener: index });
                return false;
            }
        }
        true
    }
}

/// Where the link leads that a flow node throws.
fn link(node: &FlowNode) -> Option<Ordinal> {
    let NodeKind::ThrowEvent(throws) = &node.kind else { return None };
    throws.iter().find_map(|throw| match throw {
        Throw::Link { target } => Some(*target),
        _ => None,
    })
}

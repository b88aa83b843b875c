//! Modification: an operator lets tokens begin and end where they would not by themselves, as Camunda 7's process instance
//! modification does.
//!
//! Where a token begins inside of sub-processes that do not run, they begin around it: with their inputs, data, listeners,
//! boundary events and event sub-processes, but without their start events. A scope in which nothing is left when a token is
//! cancelled ends with it; only the process itself stays until all instructions are carried out.

use super::home::Home;
use super::{Context, Counter, Event, Events, Instruction, Position, Rejection, Stage, Step, Target, Variables};
use crate::behaviour::{compensation, sub_process};
use crate::dialect::ListenerStage;
use crate::expressions::EvaluationError;
use crate::graph::{FlowNode, NodeKind};
use crate::instance::{
    IncidentStage, Key, NONE, Ordinal, Owner, Phase, ROOT, ScopeId, ScopeKind, Token, TokenId, TokenState, Wait,
    WaitKind,
};
use crate::{Name, value::Value};

/// Keys for what is tried only: none of them is ever given out.
const TRIED: Key = Key(1 << 63);

/// What the instructions so far have left to be done.
#[derive(Default)]
struct Progress {
    /// Tokens that wait for a compensation handler which has been cancelled, with their serials.
    waiters: Vec<(TokenId, u32)>,
    /// Serials of tokens that are about to leave the flow node on which they were born.
    leaving: Vec<u32>,
}

impl Step<'_, '_> {
    /// Carries out instructions. What one leaves is what the next one meets: so all are tried on a copy first, for a command
    /// is refused before its first event.
    pub(super) fn modify(&mut self, instructions: &[Instruction], reason: Option<Name>) -> Result<(), Rejection> {
        if instructions.is_empty() {
            return Err(Rejection::NoInstructions);
        }
        self.try_on_copy(|tried| tried.carry_out_each(instructions))?;
        let progress = self.carry_out_each(instructions)?;
        for (waiter, serial) in progress.waiters {
            if self.is_alive(waiter, serial) {
                compensation::go_on(self, waiter);
            }
        }
        let is_empty = self.instance.scopes.get(ROOT).is_some_and(|root| root.token_count == 0);
        if is_empty && self.instance.is_active() {
            self.cancel_instance(reason);
        }
        Ok(())
    }

    /// Tries what may be refused on a copy of the instance.
    pub(super) fn try_on_copy<T>(
        &self,
        what: impl FnOnce(&mut Step<'_, '_>) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let (mut copy, mut events, keys) = (self.instance.clone(), Events::new(), Counter::from(TRIED));
        let mut context = Context::new(self.context.now, self.context.expressions, &keys);
        what(&mut Step::new(self.graph, &mut copy, &mut context, &mut events))
    }

    /// Tokens begin where an instance starts; if its process could not be opened, before what stands there of it.
    pub(super) fn begin_each(
        &mut self,
        positions: &[Position],
        opened: Result<(), EvaluationError>,
    ) -> Result<(), Rejection> {
        for position in positions {
            if !self.instance.is_active() {
                break;
            }
            match &opened {
                Ok(()) => self.begin_at(position, None, (&Vec::new(), &Vec::new()), &mut Progress::default())?,
                Err(error) => {
                    let mut node = self.place(position)?;
                    while let Some(around) = self.graph.node(node).parent {
                        node = around;
                    }
                    let token = self.born(ROOT, node);
                    self.stuck(token, error.clone().into(), IncidentStage::Open);
                }
            }
        }
        Ok(())
    }

    fn carry_out_each(&mut self, instructions: &[Instruction]) -> Result<Progress, Rejection> {
        let mut progress = Progress::default();
        for instruction in instructions {
            if !self.instance.is_active() {
                break; // An error in a sub-process that began around a token has ended the instance.
            }
            match instruction {
                Instruction::Start { at, within, variables, local_variables } => {
                    self.begin_at(at, *within, (variables, local_variables), &mut progress)?;
                }
                Instruction::Cancel(target) => {
                    for token in self.targets(target, &progress)? {
                        self.cancel_and_empty(token, &mut progress);
                    }
                }
                Instruction::Move { from, to, variables, local_variables } => {
                    self.move_all(from, to, (variables, local_variables), &mut progress)?;
                }
            }
        }
        Ok(progress)
    }

    // --- cancelling

    /// The tokens that are meant, with their serials. Of a loop it is the token around its rounds, unless one of them is meant.
    fn targets(&self, target: &Target, progress: &Progress) -> Result<Vec<(TokenId, u32)>, Rejection> {
        let found = match target {
            Target::All(element) => {
                let node = self.find_node(element)?;
                let stands = |(id, token): &(TokenId, &Token)| {
                    token.node == node && !self.is_round(*id) && !progress.leaving.contains(&token.serial)
                };
                self.instance.tokens.iter().filter(stands).map(|(token, _)| token).collect()
            }
            Target::Wait(key) => {
                let wait = self.instance.wait(*key).ok_or(Rejection::Unknown(*key))?;
                match wait.owner {
                    Owner::Token(token) if !self.is_beside(wait) => vec![token],
                    _ => {
                        let (expected, found) = ("wait of a token itself", "wait of an event beside it");
                        return Err(Rejection::WrongKind { key: *key, expected, found });
                    }
                }
            }
            Target::Token(serial) => {
                let token = self.instance.tokens.iter().find(|(_, token)| token.serial == *serial);
                vec![token.ok_or(Rejection::UnknownToken(self.instance.key, *serial))?.0]
            }
            Target::Scope(ROOT) => {
                let is_outermost = |token: &TokenId| self.instance.tokens.get(*token).is_some_and(|t| t.scope == ROOT);
                self.instance.tokens.iter().map(|(token, _)| token).filter(is_outermost).collect()
            }
            Target::Scope(scope) => {
                let owner = self.instance.scopes.get(*scope).map(|scope| scope.owner).filter(|owner| *owner != NONE);
                vec![owner.ok_or(Rejection::UnknownScope(self.instance.key, *scope))?]
            }
        };
        let serial = |token: TokenId| self.instance.tokens.get(token).map(|found| (token, found.serial));
        Ok(found.into_iter().filter_map(serial).collect())
    }

    /// Whether a wait is for a boundary event: its token's activity waits for something else.
    fn is_beside(&self, wait: &Wait) -> bool {
        self.graph.get_node(wait.node).is_none_or(|node| matches!(node.kind, NodeKind::BoundaryEvent(_)))
    }

    pub(super) fn find_node(&self, element: &Name) -> Result<Ordinal, Rejection> {
        self.graph.find(element).ok_or_else(|| Rejection::UnknownElement {
            process: self.graph.id().clone(),
            element: element.clone(),
            needed: "is a flow node",
        })
    }

    /// Ends a token, and the scopes around it in which nothing is left then.
    fn cancel_and_empty(&mut self, (mut token, serial): (TokenId, u32), progress: &mut Progress) {
        if !self.is_alive(token, serial) {
            return; // It has ended with another.
        }
        while let Some((scope, waiter)) =
            self.instance.tokens.get(token).map(|token| (token.scope, token.compensates_for))
        {
            self.cancel_token(token);
            if let Some(waiting) = self.instance.tokens.get(waiter) {
                progress.waiters.push((waiter, waiting.serial));
            }
            match self.instance.scopes.get(scope) {
                Some(here) if scope != ROOT && here.token_count == 0 && !self.stays_empty(scope) => token = here.owner,
                _ => break,
            }
        }
    }

    /// Whether a scope goes on with nothing in it: an ad-hoc sub-process that waits for somebody to begin activities.
    fn stays_empty(&self, scope: ScopeId) -> bool {
        let Some(here) = self.instance.scopes.get(scope) else { return false };
        match self.graph.get_node(here.node).map(|node| &node.kind) {
            Some(NodeKind::AdHoc(ad_hoc)) if here.kind == ScopeKind::Activity => {
                here.phase == Phase::Active && (ad_hoc.active.is_none() || ad_hoc.completion_condition.is_some())
            }
            _ => false,
        }
    }

    fn move_all(
        &mut self,
        from: &Target,
        to: &Name,
        variables: (&Variables, &Variables),
        progress: &mut Progress,
    ) -> Result<(), Rejection> {
        let tokens = self.targets(from, progress)?;
        if tokens.is_empty() {
            return Err(Rejection::NothingThere(match from {
                Target::All(element) => element.clone(),
                _ => self.graph.id().clone(),
            }));
        }
        let node = self.find_node(to)?;
        let around: Vec<Ordinal> =
            std::iter::successors(self.graph.node(node).parent, |node| self.graph.node(*node).parent).collect();
        for (token, serial) in tokens {
            let Some(mut within) = self.instance.tokens.get(token).map(|token| token.scope) else { continue };
            while let Some(scope) = self.instance.scopes.get(within)
                && within != ROOT
                && (scope.kind == ScopeKind::Loop || !around.contains(&scope.node))
            {
                within = scope.parent;
            }
            self.begin_at(&Position::Before(to.clone()), Some(within), variables, progress)?;
            self.cancel_and_empty((token, serial), progress);
        }
        Ok(())
    }

    // --- starting

    /// A token begins.
    fn begin_at(
        &mut self,
        position: &Position,
        within: Option<ScopeId>,
        (variables, local_variables): (&Variables, &Variables),
        progress: &mut Progress,
    ) -> Result<(), Rejection> {
        let node = self.place(position)?;
        let home = self.home(node, within)?;
        self.check_home(node, &home)?;
        let attached = match (position, &self.graph.node(node).kind) {
            (Position::Before(_), NodeKind::BoundaryEvent(event)) if event.interrupting => {
                self.attached(node, event.attached_to, &home)?
            }
            _ => None,
        };
        let has_own = matches!(position, Position::Before(_)) && has_own_scope(self.graph.node(node));
        if !local_variables.is_empty() && home.missing.is_empty() && !has_own {
            return Err(Rejection::NoLocalScope(self.graph.node(node).id.clone()));
        }
        // Nothing is refused from here on.
        let opened = !home.missing.is_empty();
        let Some(scope) = self.open_home(node, home) else { return Ok(()) };
        for (name, value) in variables {
            self.set_nearest(scope, name.clone(), value.clone());
        }
        if opened {
            self.set_locals(scope, local_variables);
        }
        let own = if opened { &[] } else { &local_variables[..] };
        match position {
            Position::Before(_) => self.begin_before(node, scope, attached, own),
            Position::After(_) => {
                let token = self.leaving(scope, node, progress);
                // To leave an exclusive gateway is to decide.
                let is_decision = matches!(self.graph.node(node).kind, NodeKind::ExclusiveGateway);
                self.schedule(token, if is_decision { Stage::Execute } else { Stage::Leave });
            }
            Position::On(flow) => {
                let token = self.leaving(scope, node, progress);
                if let Some(flow) = self.graph.find_flow(flow) {
                    self.schedule(token, Stage::Take(flow));
                }
            }
        }
        Ok(())
    }

    /// A token is born that is about to leave its flow node.
    fn leaving(&mut self, scope: ScopeId, node: Ordinal, progress: &mut Progress) -> TokenId {
        let token = self.born(scope, node);
        progress.leaving.extend(self.instance.tokens.get(token).map(|token| token.serial));
        token
    }

    fn set_locals(&mut self, scope: ScopeId, variables: &[(Name, Value)]) {
        for (name, value) in variables {
            self.set_local(scope, name.clone(), value.clone());
        }
    }

    /// Opens what must begin around a token; gives the scope in which that is born. None if something fails on the way: then what
    /// failed waits for help.
    fn open_home(&mut self, node: Ordinal, home: Home) -> Option<ScopeId> {
        let mut scope = home.scope;
        let mut opened = self.revive(scope);
        let mut missing = home.missing.into_iter();
        loop {
            let next = missing.next();
            if let Err(error) = opened {
                let token = self.born(scope, next.unwrap_or(node));
                self.stuck(token, error.into(), IncidentStage::Open);
                return None;
            }
            let Some(container) = next else { return Some(scope) };
            (scope, opened) = self.open_around(scope, container)?;
        }
    }

    /// What an interrupting event sub-process has ended goes on when something begins in it.
    fn revive(&mut self, scope: ScopeId) -> Result<(), EvaluationError> {
        if self.instance.scopes.get(scope).is_some_and(|scope| scope.phase == Phase::Ending) {
            self.emit(Event::ScopePhase { scope, phase: Phase::Active });
            self.subscribe_event_sub_processes(scope)?;
        }
        Ok(())
    }

    /// A sub-process begins around what is to begin inside: all of it but its start events. Gives its scope, and whether its
    /// data and event sub-processes could be set up; none if it could not begin.
    fn open_around(&mut self, scope: ScopeId, container: Ordinal) -> Option<(ScopeId, Result<(), EvaluationError>)> {
        let graph = self.graph;
        let node = graph.node(container);
        if let NodeKind::EventSubProcess(inner) = &node.kind {
            // What fails on the way out stays undone: an operator is at work.
            let (token, _) = self.token_for_event_sub_process(scope, inner.trigger?)?;
            let (inside, opened) = self.open_event_sub_process(token);
            if opened.is_ok() && !self.outlives_start_listeners(token) {
                return None;
            }
            return Some((inside, opened));
        }
        let token = self.born(scope, container);
        if !node.plain {
            if let Err(error) = self.prepare(token, false) {
                self.stuck(token, error.into(), IncidentStage::Enter);
                return None;
            }
            if !self.outlives_start_listeners(token) {
                return None;
            }
        }
        let inside = self.own_scope(token);
        let opened = sub_process::open_scope(self, inside);
        if matches!(node.kind, NodeKind::AdHoc(_)) {
            self.wait(token, WaitKind::AdHoc);
        } else {
            self.emit(Event::TokenWaited { token });
        }
        Some((inside, opened))
    }

    /// Calls the start listeners of what a token stands on; says whether it goes on.
    fn outlives_start_listeners(&mut self, token: TokenId) -> bool {
        let serial = self.instance.tokens.get(token).map_or(NONE, |token| token.serial);
        self.call_listeners(token, ListenerStage::Start, 0) && self.is_alive(token, serial)
    }

    /// A token comes to a flow node. A boundary event or event sub-process occurs.
    fn begin_before(
        &mut self,
        node: Ordinal,
        scope: ScopeId,
        attached: Option<TokenId>,
        own_variables: &[(Name, Value)],
    ) {
        let graph = self.graph;
        match (&graph.node(node).kind, attached) {
            (NodeKind::EventSubProcess(container), _) => {
                if let Some(start) = container.trigger {
                    self.begin_event_sub_process(scope, start, Vec::new());
                }
            }
            (NodeKind::BoundaryEvent(_), Some(token)) => self.interrupt(token, node, Vec::new()),
            (NodeKind::BoundaryEvent(_), None) => {
                let token = self.born(scope, node);
                self.leave_event(token);
            }
            (kind, _) => {
                let token = self.born(scope, node);
                if kind.joins() {
                    self.fill_join(token, scope, node);
                }
                if !own_variables.is_empty() {
                    let own = self.own_scope(token);
                    self.set_locals(own, own_variables);
                }
                self.schedule(token, Stage::Enter);
            }
        }
    }

    /// A token that begins before a join stands for one that has not come: by the first flow by which none has.
    fn fill_join(&mut self, token: TokenId, scope: ScopeId, node: Ordinal) {
        let comes = |flow: Ordinal| {
            self.instance.tokens.iter().any(|(_, other)| {
                other.scope == scope && other.node == node && other.flow == flow && other.state == TokenState::Moving
            })
        };
        let join = self.instance.join(scope, node);
        let lacks = |position: u32| join.is_none_or(|join| !join.has(position));
        let flows = (0u32..).zip(self.graph.flows()).filter(|(_, flow)| flow.target == node);
        let missing =
            flows.map(|(flow, way)| (flow, way.position)).find(|(flow, position)| lacks(*position) && !comes(*flow));
        if let Some((flow, _)) = missing {
            self.emit(Event::TokenMoved { token, flow, node });
        }
    }
}

/// Whether the flow node may have a scope of its own as long as a token stands on it.
fn has_own_scope(node: &FlowNode) -> bool {
    node.details.repeat.is_none()
        && matches!(
            node.kind,
            NodeKind::UserTask(_)
                | NodeKind::Job(_)
                | NodeKind::ReceiveTask(_)
                | NodeKind::Call(_)
                | NodeKind::SubProcess(_)
                | NodeKind::Transaction(_)
                | NodeKind::AdHoc(_)
        )
}

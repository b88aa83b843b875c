//! The order in which one event throws several things (BPMN 2.0.2 §10.5.3: all of them are thrown): what ends its thrower comes
//! last, and of that first what ends most, for what is ended with it is lost to nobody. What the thrower waits for is over by
//! then.

use smallvec::SmallVec;

use super::error::{Catcher, Thrower};
use crate::Name;
use crate::dialect::Dialect;
use crate::expressions::EvaluationError;
use crate::graph::{BoundaryEvent, Expression, NodeKind, StartEvent, Throw};
use crate::instance::{NONE, Owner, ROOT, ScopeId, TokenId, WaitKind};
use crate::step::Step;

/// How far what is thrown reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// The thrower goes on.
    Nothing,
    /// It ends what stands so deep, with all inside: the process is outermost.
    Ends(u32),
    /// Only the thrower's own path.
    Path,
}

impl Step<'_, '_> {
    /// What an event throws from this one on, by its place in the graph, in the order in which it is thrown; only up to what its
    /// token waits for, for what is computed of the rest may depend on that.
    pub(crate) fn in_order<'m>(
        &mut self,
        token: TokenId,
        throws: &'m [Throw],
        from: u32,
    ) -> Result<SmallVec<[(u32, &'m Throw); 2]>, EvaluationError> {
        let numbered = (0..).zip(throws).skip(from as usize);
        if throws.len() < 2 {
            return Ok(numbered.collect());
        }
        let waits = |throw: &Throw| matches!(throw, Throw::Job(_) | Throw::Compensation { wait: true, .. });
        if let Some(place) = throws.iter().skip(from as usize).position(waits) {
            // The graph has before it only what ends nothing.
            return Ok(numbered.take(place + 1).collect());
        }
        let mut ranked: SmallVec<[(Reach, u32, &Throw); 2]> = SmallVec::with_capacity(throws.len());
        for (number, throw) in numbered {
            ranked.push((self.reach(token, throw)?, number, throw));
        }
        // The graph has them in the order of their kinds, which decides where they reach equally far.
        ranked.sort_by_key(|(reach, ..)| *reach);
        Ok(ranked.into_iter().map(|(_, number, throw)| (number, throw)).collect())
    }

    fn reach(&mut self, token: TokenId, throw: &Throw) -> Result<Reach, EvaluationError> {
        let scope = self.instance.tokens.get(token).map_or(ROOT, |token| token.scope);
        Ok(match throw {
            Throw::Escalation { code } => {
                let code = self.thrown_name(token, code.as_ref())?;
                self.escalation_catcher(token, Some(&code)).map_or(Reach::Nothing, |(catcher, _)| self.ends(catcher))
            }
            Throw::Error { code, .. } => {
                let code = self.thrown_name(token, code.as_ref())?;
                match self.error_catcher(token, &code, Thrower::EndEvent) {
                    Some((catcher, _)) => self.ends(catcher),
                    None if self.graph.dialect() == Dialect::Camunda => Reach::Path,
                    None => Reach::Ends(0),
                }
            }
            Throw::Signal { name, .. } => {
                let name = self.thrown_name(token, Some(name))?;
                self.signal_reach(scope, &name)
            }
            Throw::Cancel => {
                let around = self.around(scope);
                let is_transaction = |scope: &ScopeId| {
                    let node = self.instance.scopes.get(*scope).and_then(|scope| self.graph.get_node(scope.node));
                    node.is_some_and(|node| matches!(node.kind, NodeKind::Transaction(_)))
                };
                Reach::Ends(around.into_iter().find(is_transaction).map_or(0, |scope| self.activity_depth(scope)))
            }
            Throw::Terminate { all: true } => Reach::Ends(0),
            Throw::Terminate { all: false } => Reach::Ends(self.activity_depth(scope)),
            Throw::Message { .. }
            | Throw::Expression { .. }
            | Throw::Job(_)
            | Throw::Compensation { .. }
            | Throw::Link { .. } => Reach::Nothing,
        })
    }

    fn thrown_name(&mut self, token: TokenId, name: Option<&Expression>) -> Result<Name, EvaluationError> {
        let Some(name) = name else { return Ok(Name::default()) };
        self.name(name, self.variable_scope(token), self.node_of(token))
    }

    fn ends(&self, catcher: Catcher) -> Reach {
        match catcher {
            Catcher::Boundary { token, event } => match &self.graph.node(event).kind {
                NodeKind::BoundaryEvent(BoundaryEvent { interrupting: true, .. }) => {
                    let scope = self.instance.tokens.get(token).map_or(ROOT, |token| token.scope);
                    Reach::Ends(2 * self.depth(scope) + 1)
                }
                _ => Reach::Nothing,
            },
            Catcher::EventSubProcess { scope, start } => match &self.graph.node(start).kind {
                NodeKind::StartEvent(StartEvent { interrupting: true, .. }) => Reach::Ends(2 * self.depth(scope)),
                _ => Reach::Nothing,
            },
        }
    }

    /// A signal ends what it interrupts around its thrower.
    fn signal_reach(&self, scope: ScopeId, name: &str) -> Reach {
        let around = self.around(scope);
        let mut outermost = Reach::Nothing;
        for wait in self.instance.waits() {
            if !matches!(&wait.kind, WaitKind::Signal(signal) if *signal.name == *name) {
                continue;
            }
            let catcher = match wait.owner {
                Owner::Scope(scope) if around.contains(&scope) => Catcher::EventSubProcess { scope, start: wait.node },
                Owner::Token(token)
                    if around
                        .iter()
                        .any(|scope| self.instance.scopes.get(*scope).is_some_and(|s| s.owner == token)) =>
                {
                    Catcher::Boundary { token, event: wait.node }
                }
                _ => continue,
            };
            match (self.ends(catcher), outermost) {
                (Reach::Ends(depth), Reach::Ends(other)) => outermost = Reach::Ends(depth.min(other)),
                (Reach::Ends(depth), _) => outermost = Reach::Ends(depth),
                _ => {}
            }
        }
        outermost
    }

    /// How deep the activity stands whose scope this is.
    fn activity_depth(&self, scope: ScopeId) -> u32 {
        match self.instance.scopes.get(scope).map_or(NONE, |scope| scope.parent) {
            NONE => 0,
            parent => 2 * self.depth(parent) + 1,
        }
    }

    fn depth(&self, scope: ScopeId) -> u32 {
        crate::step::index_of(self.around(scope).len())
    }

    /// A scope and those around it, innermost first.
    fn around(&self, scope: ScopeId) -> Vec<ScopeId> {
        let parent = |scope: &ScopeId| self.instance.scopes.get(*scope).map(|scope| scope.parent);
        std::iter::successors(Some(scope), parent).take_while(|scope| *scope != NONE).collect()
    }
}

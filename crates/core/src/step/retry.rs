//! Savepoints and timers whose following is tried again (Camunda 7, Flowable): the host undoes a try that fails and says so here.

use std::sync::Arc;

use super::{Closed, DueType, Step};
use crate::Name;
use crate::behaviour::user_task;
use crate::expressions::EvaluationError;
use crate::graph::{Expression, NodeKind};
use crate::instance::{
    Failure, IncidentKind, IncidentStage, IncidentWait, Key, Ordinal, Retry, ScopeId, TimerWait, TokenId, WaitId,
    WaitKind,
};
use crate::time::{Repeat, Timestamp};

impl Step<'_, '_> {
    /// A token waits for the next unit of work. If nobody can tell how urgent that is, it is stuck at the stage.
    pub(crate) fn savepoint(&mut self, token: TokenId, after: bool, cycle: Option<&Expression>, stage: IncidentStage) {
        let (scope, ordinal) = (self.variable_scope(token), self.node_of(token));
        // What stands around a multi-instance activity is as urgent as its process, as in Camunda 7.
        let is_around = self.node(token).details.repeat.is_some() && !self.is_round(token);
        let priority = self.graph.own_priority(ordinal, is_around);
        let kind = if after { DueType::After } else { DueType::Before };
        match self.retry(cycle, priority, scope, (ordinal, kind)) {
            Ok(retry) => {
                self.wait(token, WaitKind::Continuation { after, retry });
            }
            Err(error) => self.stuck(token, error.into(), stage),
        }
    }

    /// How it is tried by a retry cycle, and how urgent it is. A cycle that cannot be computed says nothing, as in Camunda 7.
    pub(crate) fn retry(
        &mut self,
        cycle: Option<&Expression>,
        priority: Option<&Expression>,
        scope: ScopeId,
        (node, kind): (Ordinal, DueType),
    ) -> Result<Option<Arc<Retry>>, EvaluationError> {
        let cycle = cycle.and_then(|cycle| self.text(cycle, scope, node).ok()?);
        let policy = self.context.policies.map(|policies| policies.of(&self.graph.node(node).id, kind));
        // What an operator has said spares the model's word, as in Camunda 7.
        let priority = match policy.and_then(|policy| policy.priority) {
            Some(priority) => Some(priority),
            None => user_task::priority(self, priority, scope, node)?,
        };
        Ok(Retry::said(cycle, priority.unwrap_or(0)))
    }

    /// What follows a savepoint or timer has failed, and is undone.
    pub(super) fn try_failed(&mut self, wait: WaitId, failure: Failure) {
        let Some(kind) = self.kind(wait).cloned() else { return };
        let kind = self.apart_from_its_cycle(wait, kind);
        let (message, now) = (failure.message.clone(), self.context.now);
        let retry = kind.retry().map(|retry| (**retry).clone()).unwrap_or_default().failed(failure, now);
        let left = retry.left;
        self.change(wait, kind.tried(retry));
        if left == 0 {
            self.exhausted(wait, message);
        }
    }

    /// A cycle goes on beside an occurrence that has failed, as in Camunda 7: that is a timer of its own from then on. Not so where
    /// its event needs several definitions, and where the cycle ends with its first occurrence anyway.
    fn apart_from_its_cycle(&mut self, wait: WaitId, kind: WaitKind) -> WaitKind {
        let WaitKind::Timer(timer) = &kind else { return kind };
        let Some((owner, node, definition)) =
            self.instance.waits.get(wait).map(|wait| (wait.owner, wait.node, wait.definition))
        else {
            return kind;
        };
        let stays = match &self.graph.node(node).kind {
            NodeKind::BoundaryEvent(event) => !event.interrupting && !event.parallel,
            NodeKind::StartEvent(event) => !event.interrupting && !event.parallel,
            NodeKind::UserTask(_) => true,
            _ => false,
        };
        let next = timer.timer.next_due(timer.timer.due).filter(|_| stays);
        let Some(next) = next else { return kind };
        let retry = Retry::anew(timer.retry.as_ref());
        let next = TimerWait { timer: next, occurred: false, retry };
        self.open(owner, node, definition, WaitKind::Timer(Arc::new(next)));
        let mut once = (**timer).clone();
        (once.timer.remaining, once.timer.repeat) = (Some(0), Repeat::Never);
        WaitKind::Timer(Arc::new(once))
    }

    /// Somebody says how many tries are left.
    pub(super) fn set_retries(&mut self, wait: WaitId, retries: u32) {
        let Some(kind) = self.kind(wait).cloned() else { return };
        let retry = kind.retry().map(|retry| (**retry).clone()).unwrap_or_default();
        let message = retry.failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default();
        if retries > 0 {
            self.tried_again(wait);
        }
        self.change(wait, kind.tried(Retry { left: retries.into(), ..retry }));
        if retries == 0 {
            self.exhausted(wait, message);
        }
    }

    /// It is due at another time, whether or not it has failed before.
    pub(super) fn put_off(&mut self, wait: WaitId, due: Timestamp) {
        let changed = match self.kind(wait) {
            Some(WaitKind::Timer(timer)) => {
                let mut timer = (**timer).clone();
                timer.timer.due = due;
                if let Some(retry) = &mut timer.retry {
                    Arc::make_mut(retry).due = None;
                }
                WaitKind::Timer(Arc::new(timer))
            }
            Some(savepoint) => {
                let retry = savepoint.retry().map(|retry| (**retry).clone()).unwrap_or_default();
                savepoint.tried(Retry { due: Some(due), ..retry })
            }
            None => return,
        };
        self.change(wait, changed);
    }

    /// What had no tries left gets one more, now.
    pub(super) fn try_once_more(&mut self, wait: WaitId) {
        let Some(kind) = self.kind(wait).cloned() else { return };
        let retry = kind.retry().map(|retry| (**retry).clone()).unwrap_or_default();
        self.tried_again(wait);
        self.change(wait, kind.tried(Retry { left: 1, due: Some(self.context.now), ..retry }));
    }

    /// The savepoint or timer that an incident stands beside.
    pub(super) fn tried_by(&self, incident: WaitId) -> Option<WaitId> {
        match self.kind(incident)? {
            WaitKind::Incident(incident) => match incident.stage {
                IncidentStage::Retry(key) => self.instance.waits.find(key),
                _ => None,
            },
            _ => None,
        }
    }

    fn exhausted(&mut self, wait: WaitId, message: Name) {
        let Some((key, owner, node)) = self.instance.waits.get(wait).map(|wait| (wait.key, wait.owner, wait.node))
        else {
            return;
        };
        if self.incident_beside(key).is_none() {
            let incident = IncidentWait { kind: IncidentKind::Retries, message, stage: IncidentStage::Retry(key) };
            self.open(owner, node, 0, WaitKind::Incident(incident.into()));
        }
    }

    /// A savepoint or timer goes on after all, or has tries again: it is no incident any more.
    pub(super) fn tried_again(&mut self, wait: WaitId) {
        let Some(wait) = self.instance.waits.get(wait) else { return };
        if wait.kind.retry().is_some_and(|retry| retry.left == 0)
            && let Some(incident) = self.incident_beside(wait.key)
        {
            self.close(incident, Closed::Completed);
        }
    }

    fn incident_beside(&self, key: Key) -> Option<WaitId> {
        let is_its = |kind: &WaitKind| matches!(kind, WaitKind::Incident(it) if it.stage == IncidentStage::Retry(key));
        let incident = self.instance.waits().find(|wait| is_its(&wait.kind))?;
        self.instance.waits.find(incident.key)
    }
}

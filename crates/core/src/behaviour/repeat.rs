//! Loops: rounds of an activity in a scope around them (BPMN 2.0.2 §10.3.8, §13.3.6, §13.3.7).
//!
//! The activity's own token stays outside with its boundary events; inside, each round has a token of its own on the same
//! activity and, where the round has variables, a scope.

use super::{multi_instance, standard_loop};
use crate::expressions::EvaluationError;
use crate::graph::Loop;
use crate::instance::{IncidentStage, NONE, Owner, ScopeId, ScopeKind, TokenId};
use crate::step::{Closed, Event, Stage, Step};

/// Begins a loop.
pub(crate) fn start(step: &mut Step<'_, '_>, token: TokenId, repeat: &Loop) -> Result<(), EvaluationError> {
    match repeat {
        Loop::Standard { test_before, maximum, condition } => {
            standard_loop::start(step, token, *test_before, *maximum, condition.as_ref())
        }
        Loop::MultiInstance(multi) => multi_instance::start(step, token, multi),
    }
}

/// Opens the scope around the rounds.
pub(crate) fn open(step: &mut Step<'_, '_>, token: TokenId, total: u32, items: u32) -> ScopeId {
    step.emit(Event::TokenWaited { token });
    let scope = step.instance.scopes.next();
    step.emit(Event::ScopeOpened { scope, kind: ScopeKind::Loop, token, round: NONE });
    step.emit(Event::LoopStarted { scope, total, items });
    scope
}

/// Begins a round, with a scope that holds its number.
pub(crate) fn begin_round(step: &mut Step<'_, '_>, scope: ScopeId, number: u32) -> TokenId {
    step.budget = step.budget.saturating_sub(1);
    let node = step.instance.scopes.get(scope).map_or(NONE, |scope| scope.node);
    let token = step.born(scope, node);
    let inside = step.instance.scopes.next();
    step.emit(Event::ScopeOpened { scope: inside, kind: ScopeKind::Activity, token, round: number });
    token
}

/// A round's activity has completed; of the events that it throws, those before `event` have been thrown.
pub(crate) fn round_completed(step: &mut Step<'_, '_>, token: TokenId, event: u32) {
    let Some(repeat) = &step.node(token).details.repeat else { return };
    match repeat {
        Loop::Standard { maximum, condition, .. } => {
            standard_loop::round_completed(step, token, *maximum, condition.as_ref());
        }
        Loop::MultiInstance(multi) => multi_instance::round_completed(step, token, multi, event),
    }
}

/// All rounds are done: the activity is complete.
pub(crate) fn end(step: &mut Step<'_, '_>, scope: ScopeId) {
    let Some(owner) = step.instance.scopes.get(scope).map(|scope| scope.owner) else { return };
    step.close_waits(Owner::Token(owner), Closed::Cancelled);
    step.emit(Event::ScopeClosed { scope, cancelled: false });
    step.emit(Event::TokenResumed { token: owner });
    let details = &step.node(owner).details;
    if details.continuation.after {
        step.savepoint(owner, true, details.retry_cycle.as_ref(), IncidentStage::Leave);
    } else {
        step.schedule(owner, Stage::Leave);
    }
}

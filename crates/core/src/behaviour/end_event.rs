//! End events: throw and end a path, a scope, or the instance (BPMN 2.0.2 §10.5.3, §13.5.6).

use super::{compensation, intermediate_event};
use crate::graph::Throw;
use crate::instance::{NONE, Phase, ROOT, ScopeId, TokenId};
use crate::step::{Event, Problem, Stage, Step};

/// Throws what the event throws, then its token is used up.
pub(crate) fn end(step: &mut Step<'_, '_>, token: TokenId, throws: &[Throw]) -> Result<(), Problem> {
    let Some((serial, scope)) = step.instance.tokens.get(token).map(|token| (token.serial, token.scope)) else {
        return Ok(());
    };
    if throws.is_empty() && step.node(token).plain {
        step.end_path(token);
        return Ok(());
    }
    let mut waits = false;
    for thrown in throws {
        match thrown {
            Throw::Terminate { all } => {
                terminate(step, if *all { ROOT } else { scope });
                return Ok(());
            }
            Throw::Cancel => {
                cancel(step, token, scope);
                return Ok(());
            }
            other => waits |= intermediate_event::throw_one(step, token, other)?,
        }
        if !step.is_alive(token, serial) {
            return Ok(());
        }
    }
    if !waits {
        step.schedule(token, Stage::Complete);
    }
    Ok(())
}

/// Everything in the scope ends; its activity completes.
fn terminate(step: &mut Step<'_, '_>, scope: ScopeId) {
    step.cancel_contents(scope, NONE);
    step.end_scope(scope);
}

/// The transaction is cancelled (BPMN 2.0.2 §10.7, §13.5.5): what still runs in it ends, what it has done is compensated, and
/// then its cancel boundary event takes the token.
fn cancel(step: &mut Step<'_, '_>, token: TokenId, scope: ScopeId) {
    step.cancel_contents(scope, token);
    step.close_waits(crate::instance::Owner::Scope(scope), crate::step::Closed::Cancelled);
    step.emit(Event::ScopePhase { scope, phase: Phase::Cancelling });
    compensation::throw_in(step, token, scope, NONE);
}

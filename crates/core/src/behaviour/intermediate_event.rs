//! Intermediate events: catch and go on, throw and go on (BPMN 2.0.2 §10.5.4, §13.5.2).

use super::{compensation, job};
use crate::Name;
use crate::dialect::Dialect;
use crate::graph::{Catch, CatchEvent, NodeKind, Throw};
use crate::instance::{Owner, TokenId};
use crate::step::{Event, Problem, Stage, Step, Variables};
use crate::trigger::{error::Thrower, message, signal};

/// Waits for what the event catches.
pub(crate) fn catch(step: &mut Step<'_, '_>, token: TokenId, event: &CatchEvent) -> Result<(), Problem> {
    if event.catches.iter().all(|catch| matches!(catch, Catch::Link)) {
        step.schedule(token, Stage::Complete);
        return Ok(());
    }
    step.emit(Event::TokenWaited { token });
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    step.subscribe(Owner::Token(token), node, scope, &event.catches)?;
    Ok(())
}

/// Throws what the event throws from this one on, and goes on.
pub(crate) fn throw(step: &mut Step<'_, '_>, token: TokenId, throws: &[Throw], from: u32) -> Result<(), Problem> {
    let Some(serial) = step.instance.tokens.get(token).map(|token| token.serial) else { return Ok(()) };
    let before = step.agenda_length();
    for (number, thrown) in step.in_order(token, throws, from)? {
        if throw_one(step, token, number, thrown)? {
            return Ok(());
        }
        // What was thrown may have ended the thrower itself.
        if !step.is_alive(token, serial) {
            return Ok(());
        }
    }
    step.schedule_thrower(token, before);
    Ok(())
}

/// Throws one thing; gives whether the token goes no further for now: it waits for it, or has thrown an error.
pub(crate) fn throw_one(step: &mut Step<'_, '_>, token: TokenId, number: u32, thrown: &Throw) -> Result<bool, Problem> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    match thrown {
        Throw::Message { .. } => message::throw(step, token, number, thrown)?,
        Throw::Job(work) => {
            job::open(step, token, number, work, None)?;
            return Ok(true);
        }
        Throw::Expression { expression, result_variable } => {
            let value = step.evaluate(expression, scope, node)?;
            if let Some(name) = result_variable {
                step.receive_one(token, name.clone(), value);
            }
            let _ = step.outlives_conditions(token);
        }
        Throw::Signal { .. } => signal::throw(step, token, number, thrown)?,
        Throw::Error { code, message } => {
            let code = match code {
                Some(code) => step.name(code, scope, node)?,
                None => Name::default(),
            };
            let message = match message {
                Some(message) => step.text(message, scope, node)?,
                None => None,
            };
            let payload = carried(step, token, number);
            step.throw_error(token, code, message, payload, Thrower::EndEvent);
            return Ok(true);
        }
        Throw::Escalation { code } => {
            let code = match code {
                Some(code) => step.name(code, scope, node)?,
                None => Name::default(),
            };
            let payload = carried(step, token, number);
            step.throw_escalation(token, code, payload);
        }
        Throw::Compensation { activity, wait } => {
            return Ok(compensation::throw(step, token, number, *activity, *wait));
        }
        // A link is a way out: it is gone when the event is left.
        Throw::Cancel | Throw::Terminate { .. } | Throw::Link { .. } => {}
    }
    Ok(false)
}

/// What an error or escalation carries: the throwing event's data inputs (BPMN 2.0.2 §10.4.1). In Camunda 7 they carry nothing.
fn carried(step: &Step<'_, '_>, token: TokenId, number: u32) -> Variables {
    let is_event = matches!(step.node(token).kind, NodeKind::ThrowEvent(_) | NodeKind::EndEvent(_));
    if is_event && step.graph.dialect() != Dialect::Camunda { step.carried(token, number) } else { Vec::new() }
}

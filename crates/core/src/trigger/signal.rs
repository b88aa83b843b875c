//! Signals: thrown to everybody who listens (BPMN 2.0.2 §10.5.1).

use crate::expressions::EvaluationError;
use crate::graph::{Expression, Throw};
use crate::instance::{Key, Ordinal, ScopeId, SignalWait, TokenId, WaitKind};
use crate::step::{Event, Step, ThrownSignal, Variables, index_of};

/// What a signal subscription waits for.
pub(crate) fn subscription(
    step: &mut Step<'_, '_>,
    node: Ordinal,
    scope: ScopeId,
    name: &Expression,
) -> Result<WaitKind, EvaluationError> {
    let name = step.name(name, scope, node)?;
    Ok(WaitKind::Signal(SignalWait { name }))
}

/// Throws a signal, the throwing event's one of this number: it reaches its own instance in the same step, others through the host.
pub(crate) fn throw(
    step: &mut Step<'_, '_>,
    token: TokenId,
    number: u32,
    throw: &Throw,
) -> Result<(), EvaluationError> {
    let Throw::Signal { name, instance_only, carries_all, payload } = throw else { return Ok(()) };
    let scope = step.variable_scope(token);
    let node = step.node_of(token);
    let name = step.name(name, scope, node)?;
    let mut carried = step.map_all(payload, scope, node, &[])?;
    if *carries_all {
        let counters = step.graph.dialect().counters();
        let mut all = step.instance.all_visible(scope, counters);
        all.retain(|(name, _)| carried.iter().all(|(known, _)| known != name));
        carried.extend(all);
    } else if payload.is_empty() {
        carried = step.carried(token, number);
    }
    let signal = index_of(step.events.signals.len());
    let thrown = ThrownSignal { name: name.clone(), instance_only: *instance_only, payload: carried.clone() };
    step.charge_throw(&carried, 1);
    step.events.signals.push(thrown);
    step.emit(Event::SignalThrown { node, signal });
    step.thrower = Some((token, true));
    deliver(step, &name, &carried);
    step.thrower = None;
    Ok(())
}

/// A signal reaches every subscription that was open when it came.
pub(crate) fn deliver(step: &mut Step<'_, '_>, name: &str, payload: &Variables) {
    step.charge_look();
    let waiting: Vec<Key> = step
        .instance
        .waits()
        .filter(|wait| matches!(&wait.kind, WaitKind::Signal(signal) if &*signal.name == name))
        .map(|wait| wait.key)
        .collect();
    for key in waiting {
        // One occurrence may have ended the others' scope.
        if let Some(wait) = step.instance.waits.find(key) {
            step.occurred(wait, payload.clone());
        }
    }
}

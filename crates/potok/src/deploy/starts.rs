//! What starts instances of what is deployed.

use potok_core::Name;
use potok_core::graph::{Catch, ProcessGraph};
use potok_core::instance::Key;
use potok_core::routing::{start_timers, start_triggers};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::Changes;
use potok_store::row::{Definition, Subscription, SubscriptionKind, Work};

use crate::work::Chore;

/// What starts the newest version of a process from now on; timers are held back on the flow nodes that `is_held` says.
pub(crate) fn starts(
    changes: &mut Changes,
    definition: &Definition,
    graph: &ProcessGraph,
    now: Timestamp,
    next_key: &dyn Fn() -> Key,
    is_held: &dyn Fn(&Name) -> bool,
) {
    for trigger in start_triggers(graph) {
        let node = &graph.node(trigger.node).id;
        let literal = |name: &potok_core::graph::Expression| match name.as_literal() {
            Some(Value::String(name)) => Some(name.clone()),
            _ => None,
        };
        let (kind, name) = match trigger.catch {
            Catch::Message { name, .. } => {
                let name = name.as_ref().and_then(literal);
                (SubscriptionKind::Message, name.unwrap_or_else(|| node.clone()))
            }
            Catch::Signal { name } => match literal(name) {
                Some(name) => (SubscriptionKind::Signal, name),
                None => continue,
            },
            Catch::Condition { .. } => (SubscriptionKind::Condition, Name::new()),
            _ => continue,
        };
        changes.add(Subscription {
            instance: definition.key,
            key: next_key(),
            definition: definition.key,
            kind,
            starts: true,
            name,
            tenant: Some(definition.tenant.clone()).filter(|tenant| !tenant.is_empty()),
            process: graph.id().clone(),
            node: node.clone(),
            ..Subscription::default()
        });
    }
    for timer in start_timers(graph, now) {
        match timer {
            Ok(timer) => changes.add(Work {
                instance: definition.key,
                key: next_key(),
                kind: Chore::START_TIMER,
                due: timer.timer.due,
                suspended: is_held(&graph.node(timer.node).id),
                payload: timer.encode().into(),
                ..Work::default()
            }),
            Err(problem) => {
                tracing::error!(process = %graph.id(), %problem, "a timer start event never fires");
            }
        }
    }
}

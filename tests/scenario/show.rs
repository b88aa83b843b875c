//! How everything stands, for the messages of scenarios that fail.

use std::fmt::Write as _;

use potok_core::instance::{Key, Owner, ROOT};
use potok_core::routing::Running;
use potok_core::value::Value;

use super::host::Host;
use super::waits;

/// All instances, the one in focus first.
pub(super) fn everything(host: &Host, focus: Option<Key>) -> String {
    let mut shown = String::new();
    let focused = focus.and_then(|key| host.runner.instance(key));
    let others = host.runner.instances().filter(|running| Some(running.instance.key()) != focus);
    for running in focused.into_iter().chain(others) {
        one(host, running, &mut shown);
    }
    for notice in &host.notices {
        let _ = writeln!(shown, "notice: {notice:?}");
    }
    shown
}

fn one(host: &Host, running: &Running, shown: &mut String) {
    let (instance, graph) = (&running.instance, &running.graph);
    let _ = writeln!(shown, "instance {} of `{}` is {:?}", instance.key(), graph.id(), instance.state());
    let _ = writeln!(shown, "  trace: {}", host.path(instance.key()));
    let _ = writeln!(shown, "  waits at: {}", waits::places(instance, graph).join(" "));
    let queues = waits::queues(instance, graph);
    if !queues.is_empty() {
        let _ = writeln!(shown, "  joins: {}", queues.join(" "));
    }
    for wait in instance.waits() {
        let whose = if matches!(wait.owner, Owner::Scope(_)) { " (event sub-process)" } else { "" };
        let _ = writeln!(shown, "  {} for `{}`{whose}", wait.kind.word(), Host::id(graph, wait.node));
    }
    for (element, kind, message) in waits::incidents(instance, graph) {
        let _ = writeln!(shown, "  incident {} at `{element}`: {message}", kind.code());
    }
    for (id, scope) in instance.scopes() {
        if !scope.variables().is_empty() {
            let variables = scope.variables().iter().map(|(name, value)| format!("{name} = {}", Value::to_json(value)));
            let place = if id == ROOT { "process".into() } else { Host::id(graph, scope.node) };
            let _ = writeln!(shown, "  in {place}: {}", variables.collect::<Vec<_>>().join(", "));
        }
    }
}

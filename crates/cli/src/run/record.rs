//! Events with names in place of numbers.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Key, NONE, Ordinal, Owner, ScopeId, TokenId, WaitKind};
use potok_core::step::{Closed, Event, Events, OpenedWait};
use potok_core::value::Value;
use serde_json::{Map, Value as Json, json};

/// What the events of one instance have named so far by number.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    tokens: BTreeMap<TokenId, Ordinal>,
    scopes: BTreeMap<ScopeId, Ordinal>,
    waits: BTreeMap<Key, (Ordinal, &'static str)>,
}

/// One event, told apart from its neighbours by its own words.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) event: &'static str,
    /// The flow node that it is about.
    pub(crate) node: Option<Ordinal>,
    /// What else it says.
    pub(crate) more: Map<String, Json>,
    /// A token came to the flow node.
    pub(crate) entered: Option<TokenId>,
    /// A token left where it was.
    pub(crate) left: Option<TokenId>,
}

impl Numbers {
    /// Names what an event says. Events come in their order.
    pub(crate) fn record(&mut self, graph: &ProcessGraph, events: &Events, event: Event) -> Record {
        let mut record = Record { event: "", node: None, more: Map::new(), entered: None, left: None };
        let text = |index: u32| events.values.get(index as usize).map_or(Json::Null, Value::to_json);
        let known = |node: Option<&Ordinal>| node.copied().filter(|node| *node != NONE);
        let mut say = |name: &str, value: Json| {
            if value != Json::Null {
                record.more.insert(name.to_owned(), value);
            }
        };
        let (word, node) = match event {
            Event::InstanceStarted { start } => {
                if let Some(start) = events.starts.get(start as usize) {
                    say("businessKey", start.business_key.as_deref().into());
                    say("calledBy", start.caller.as_ref().map(|caller| caller.instance.to_string()).into());
                }
                ("instance-started", None)
            }
            Event::TokenCreated { token, node, .. } => {
                self.tokens.insert(token, node);
                say("token", token.into());
                record.entered = Some(token);
                ("token-created", Some(node))
            }
            Event::TokenMoved { token, flow, node } => {
                self.tokens.insert(token, node);
                say("token", token.into());
                if flow != NONE {
                    say("flow", graph.flow(flow).id.as_ref().into());
                }
                record.left = Some(token);
                record.entered = Some(token);
                ("token-moved", Some(node))
            }
            Event::TokenWaited { token } => {
                say("token", token.into());
                ("token-waited", known(self.tokens.get(&token)))
            }
            Event::TokenResumed { token } => {
                say("token", token.into());
                ("token-resumed", known(self.tokens.get(&token)))
            }
            Event::TokenJoined { token, position, .. } => {
                say("token", token.into());
                say("position", position.into());
                ("token-joined", known(self.tokens.get(&token)))
            }
            Event::TokenConsumed { token, cancelled } => {
                say("token", token.into());
                record.left = Some(token);
                let word = if cancelled { "token-cancelled" } else { "token-consumed" };
                (word, self.tokens.remove(&token))
            }
            Event::CompensationStarted { token, waiter } => {
                say("token", token.into());
                if waiter != NONE {
                    say("waiter", waiter.into());
                }
                ("compensation-started", known(self.tokens.get(&token)))
            }
            Event::ComplexActivated { node, .. } => ("complex-gateway-activated", Some(node)),
            Event::ComplexReset { node, .. } => ("complex-gateway-reset", Some(node)),
            Event::ScopeOpened { scope, token, round, .. } => {
                let node = known(self.tokens.get(&token));
                self.scopes.insert(scope, node.unwrap_or(NONE));
                say("scope", scope.into());
                if round != NONE {
                    say("loopCounter", round.into());
                }
                ("scope-opened", node)
            }
            Event::ScopePhase { scope, phase } => {
                say("scope", scope.into());
                say("phase", format!("{phase:?}").to_lowercase().into());
                ("scope-phase", known(self.scopes.get(&scope)))
            }
            Event::ScopeClosed { scope, cancelled } => {
                say("scope", scope.into());
                let word = if cancelled { "scope-cancelled" } else { "scope-closed" };
                (word, known(self.scopes.remove(&scope).as_ref()))
            }
            Event::ActivityCompensable { node, .. } => ("activity-compensable", Some(node)),
            Event::CompensationTaken { scope, .. } => {
                say("scope", scope.into());
                ("compensation-taken", known(self.scopes.get(&scope)))
            }
            Event::ScopeReopened { scope, token } => {
                say("scope", scope.into());
                ("scope-reopened", known(self.tokens.get(&token)))
            }
            Event::LoopStarted { scope, total, .. } => {
                say("scope", scope.into());
                if total != NONE {
                    say("total", total.into());
                }
                ("loop-started", known(self.scopes.get(&scope)))
            }
            Event::RoundPassed { scope, round } => {
                say("scope", scope.into());
                say("round", round.into());
                ("round-passed", known(self.scopes.get(&scope)))
            }
            Event::RoundEnded { token, round, result } => {
                say("token", token.into());
                say("round", round.into());
                if result != NONE {
                    say("result", text(result));
                }
                record.left = Some(token);
                ("round-ended", self.tokens.remove(&token))
            }
            Event::VariableSet { scope, variable } => {
                if let Some((name, value)) = events.variables.get(variable as usize) {
                    say("scope", scope.into());
                    say("variable", name.as_ref().into());
                    record.more.insert("value".to_owned(), value.to_json());
                }
                ("variable-set", known(self.scopes.get(&scope)))
            }
            Event::VariableRemoved { scope, name } => {
                say("scope", scope.into());
                say("variable", text(name));
                ("variable-removed", known(self.scopes.get(&scope)))
            }
            Event::WaitOpened { details } => match events.waits.get(details as usize) {
                Some(wait) => {
                    let word = opened(&wait.kind);
                    self.waits.insert(wait.key, (wait.node, word.1));
                    record.more = described(wait);
                    (word.0, known(Some(&wait.node)))
                }
                None => ("wait-opened", None),
            },
            Event::WaitClosed { key, kind: _, reason } => {
                say("key", key.to_string().into());
                let (node, word) = self.waits.remove(&key).unwrap_or((NONE, "wait"));
                say("waited", word.into());
                let word = match reason {
                    Closed::Completed => "wait-completed",
                    Closed::Cancelled => "wait-cancelled",
                };
                (word, known(Some(&node)))
            }
            Event::WaitChanged { key, change } => {
                say("key", key.to_string().into());
                let (node, word) = self.waits.get(&key).copied().unwrap_or((NONE, "wait"));
                say("waited", word.into());
                if let Some(change) = events.changes.get(change as usize) {
                    record.more.extend(kind_described(change));
                }
                ("wait-changed", known(Some(&node)))
            }
            Event::MessageThrown { node, message } => {
                if let Some(message) = events.messages.get(message as usize) {
                    say("message", message.name.as_deref().into());
                    say("correlationKey", message.correlation_key.as_ref().map_or(Json::Null, Value::to_json));
                    say("payload", values(&message.payload));
                }
                ("message-thrown", Some(node))
            }
            Event::SignalThrown { node, signal } => {
                if let Some(signal) = events.signals.get(signal as usize) {
                    say("signal", signal.name.as_ref().into());
                    say("payload", values(&signal.payload));
                }
                ("signal-thrown", Some(node))
            }
            Event::EscalationThrown { node, code, .. } => {
                say("code", text(code));
                ("escalation-thrown", Some(node))
            }
            Event::CallersEnded { node } => ("callers-ended", Some(node)),
            Event::CorrelationSet { property } => {
                if let Some((name, value)) = events.variables.get(property as usize) {
                    say("property", name.as_ref().into());
                    say("value", value.to_json());
                }
                ("correlation-set", None)
            }
            Event::Migrated { migration } => {
                if let Some(migration) = events.migrations.get(migration as usize) {
                    let waits = self.waits.values_mut().map(|(node, _)| node);
                    for node in self.tokens.values_mut().chain(self.scopes.values_mut()).chain(waits) {
                        *node = migration.node(*node);
                    }
                }
                ("instance-migrated", None)
            }
            Event::InstanceCompleted => ("instance-completed", None),
            Event::InstanceFailed { code, message, .. } => {
                say("code", text(code));
                say("message", text(message));
                ("instance-failed", None)
            }
            Event::InstanceCancelled { reason } => {
                say("reason", text(reason));
                ("instance-cancelled", None)
            }
        };
        record.event = word;
        record.node = node.filter(|node| graph.get_node(*node).is_some());
        record
    }
}

/// Variables as a JSON object; null if there are none.
pub(crate) fn values(variables: &[(Name, Value)]) -> Json {
    if variables.is_empty() {
        return Json::Null;
    }
    variables.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect::<Map<_, _>>().into()
}

fn opened(kind: &WaitKind) -> (&'static str, &'static str) {
    let event = match kind {
        WaitKind::UserTask(_) => "user-task-created",
        WaitKind::Job(_) => "job-created",
        WaitKind::Timer(_) => "timer-scheduled",
        WaitKind::Message(_) | WaitKind::Signal(_) | WaitKind::Condition { .. } => "subscription-opened",
        WaitKind::Call(_) => "process-called",
        WaitKind::Incident(_) => "incident-raised",
        _ => "wait-opened",
    };
    (event, kind.word())
}

fn described(wait: &OpenedWait) -> Map<String, Json> {
    let mut more = kind_described(&wait.kind);
    more.insert("key".to_owned(), wait.key.to_string().into());
    more.insert("waited".to_owned(), wait.kind.word().into());
    match wait.owner {
        Owner::Token(token) => more.insert("token".to_owned(), token.into()),
        Owner::Scope(scope) => more.insert("scope".to_owned(), scope.into()),
    };
    more
}

/// How urgent the model says that the engine's own work is.
fn own_priority(kind: &WaitKind) -> Option<i64> {
    kind.retry().map(|retry| retry.priority).filter(|priority| *priority != 0)
}

fn kind_described(kind: &WaitKind) -> Map<String, Json> {
    let names = |names: &[Name]| names.iter().map(|name| Json::from(name.as_ref())).collect::<Vec<_>>();
    let json = match kind {
        WaitKind::UserTask(task) => json!({
            "name": task.name.as_deref(),
            "assignee": task.assignee.as_deref(),
            "owner": task.owner.as_deref(),
            "candidateUsers": names(&task.candidate_users),
            "candidateGroups": names(&task.candidate_groups),
            "due": task.due.map(|due| due.to_string()),
            "followUp": task.follow_up.map(|follow_up| follow_up.to_string()),
            "priority": task.priority,
            "formKey": task.form_key.as_deref(),
        }),
        WaitKind::Job(job) => json!({
            "type": job.kind.as_ref(),
            "retries": job.retries,
            "priority": Some(job.priority).filter(|priority| *priority != 0),
            "headers": values(&job.headers),
        }),
        WaitKind::Timer(timer) => json!({ "due": timer.timer.due.to_string(), "priority": own_priority(kind) }),
        WaitKind::Continuation { .. } => json!({ "priority": own_priority(kind) }),
        WaitKind::Message(message) => json!({
            "message": message.name.as_ref(),
            "correlationKey": message.correlation_key.as_ref().map(Value::to_json),
        }),
        WaitKind::Signal(signal) => json!({ "signal": signal.name.as_ref() }),
        WaitKind::Call(call) => json!({ "calls": call.process.as_ref() }),
        WaitKind::Incident(incident) => json!({ "code": incident.kind.code(), "message": incident.message.as_ref() }),
        _ => Json::Null,
    };
    match json {
        Json::Object(entries) => {
            let said = |value: &Json| *value != Json::Null && *value != json!([]);
            entries.into_iter().filter(|(_, value)| said(value)).collect()
        }
        _ => Map::new(),
    }
}

//! Events of one instance to requests to others.

use crate::dialect::Dialect;
use crate::expressions::Binding;
use crate::graph::{MessageTarget, ProcessGraph};
use crate::instance::{Caught, Instance, Key, NONE, Ordinal, WaitKind, WaitType};
use crate::step::{Closed, Event, Events, ThrownMessage, ThrownSignal};
use crate::{Name, value::Value};

/// What an instance asks of others.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Start a called process.
    Call {
        /// The call, which the called instance's end answers.
        call: Key,
        /// The process's id.
        process: Name,
        /// Which version of it.
        binding: Binding,
        /// The called instance's business key.
        business_key: Option<Name>,
        /// Its first variables.
        variables: Vec<(Name, Value)>,
        /// The errors that are caught around the call.
        caught: Caught,
    },
    /// A call is no longer waited for: the called instance ends.
    CancelCall {
        /// The call, whose key the called instance has.
        call: Key,
    },
    /// A called instance has completed: its caller goes on.
    Returned {
        /// The instance that called.
        to: Key,
        /// The call.
        call: Key,
        /// Its variables.
        variables: Vec<(Name, Value)>,
    },
    /// A called instance has failed: its caller gets the error.
    Failed {
        /// The instance that called.
        to: Key,
        /// The call.
        call: Key,
        /// The error's code.
        code: Name,
        /// The error's message.
        message: Option<Name>,
        /// Its variables.
        variables: Vec<(Name, Value)>,
        /// What the error brings along.
        payload: Vec<(Name, Value)>,
    },
    /// A called instance was ended from outside: its caller cannot go on.
    Abandoned {
        /// The instance that called.
        to: Key,
        /// The call.
        call: Key,
    },
    /// A called instance has ended, and its caller ends with it.
    EndCaller {
        /// The instance that called.
        to: Key,
        /// The call.
        call: Key,
    },
    /// A called instance threw an escalation that it did not catch.
    Escalated {
        /// The instance that called.
        to: Key,
        /// The call.
        call: Key,
        /// The escalation's code.
        code: Name,
        /// Its variables.
        variables: Vec<(Name, Value)>,
    },
    /// A message was thrown: one along each of the message flows that carry it.
    Message {
        /// The message.
        message: ThrownMessage,
        /// Where its message flow leads; none if it goes by its name.
        target: Option<MessageTarget>,
    },
    /// A signal was thrown; its own instance has it already.
    Signal(ThrownSignal),
    /// A message subscription was opened: a message that is kept may be for it.
    Subscribed {
        /// The subscription.
        subscription: Key,
    },
}

/// What events of an instance ask of others, from that one of the list on, in their order. The instance is as it was after
/// them.
#[must_use]
pub fn requests(graph: &ProcessGraph, instance: &Instance, events: &Events, from: usize) -> Vec<Request> {
    let text = |index: u32| match events.values.get(index as usize) {
        Some(Value::String(text)) => text.clone(),
        _ => "".into(),
    };
    let (call, caller) = (instance.key(), instance.caller().map(|caller| caller.instance));
    let variables = || instance.variables().to_vec();
    let map = |index: u32| match events.values.get(index as usize) {
        Some(Value::Map(map)) => map.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        _ => Vec::new(),
    };
    let mut requests = Vec::new();
    for event in events.list.get(from..).unwrap_or_default() {
        match *event {
            Event::WaitOpened { details } => {
                let Some(wait) = events.waits.get(details as usize) else { continue };
                match &wait.kind {
                    WaitKind::Call(call) => requests.push(Request::Call {
                        call: wait.key,
                        process: call.process.clone(),
                        binding: call.binding.clone(),
                        business_key: call.business_key.clone(),
                        variables: call.variables.clone(),
                        caught: call.caught.clone(),
                    }),
                    WaitKind::Message(_) => requests.push(Request::Subscribed { subscription: wait.key }),
                    _ => {}
                }
            }
            Event::WaitChanged { key, .. } => {
                // It may take now what is kept.
                let changed = instance.wait(key).filter(|wait| matches!(wait.kind, WaitKind::Message(_)));
                requests.extend(changed.map(|wait| Request::Subscribed { subscription: wait.key }));
            }
            Event::WaitClosed { key, kind: WaitType::Call, reason: Closed::Cancelled } => {
                requests.push(Request::CancelCall { call: key });
            }
            Event::MessageThrown { node, message } => {
                let Some(message) = events.messages.get(message as usize) else { continue };
                send(graph, node, message, &mut requests);
            }
            Event::SignalThrown { signal, .. } => {
                let signal = events.signals.get(signal as usize).filter(|signal| !signal.instance_only);
                requests.extend(signal.cloned().map(Request::Signal));
            }
            Event::EscalationThrown { code, variables: thrown, .. } => {
                requests.extend(caller.map(|to| Request::Escalated {
                    to,
                    call,
                    code: text(code),
                    variables: if thrown == NONE { variables() } else { map(thrown) },
                }));
            }
            Event::CallersEnded { .. } => requests.extend(caller.map(|to| Request::EndCaller { to, call })),
            // What ends its caller does not complete the call.
            Event::InstanceCompleted if requests.iter().any(|request| matches!(request, Request::EndCaller { .. })) => {
            }
            Event::InstanceCompleted => {
                requests.extend(caller.map(|to| Request::Returned { to, call, variables: variables() }));
            }
            Event::InstanceFailed { code, message, payload } => requests.extend(caller.map(|to| {
                let (variables, payload) = match graph.dialect() {
                    Dialect::Camunda => (map(payload), Vec::new()),
                    _ => (variables(), map(payload)),
                };
                let message = (message != NONE).then(|| text(message));
                Request::Failed { to, call, code: text(code), message, variables, payload }
            })),
            Event::InstanceCancelled { .. } => requests.extend(caller.map(|to| Request::Abandoned { to, call })),
            _ => {}
        }
    }
    requests
}

/// A message goes along each message flow of its thrower that carries it (BPMN 2.0.2 §9.4), else by its name.
fn send(graph: &ProcessGraph, thrower: Ordinal, message: &ThrownMessage, requests: &mut Vec<Request>) {
    let flows = graph.get_node(thrower).map(|thrower| thrower.details.message_flows.carrying(message.name.as_ref()));
    let before = requests.len();
    requests.extend(flows.into_iter().flatten().map(|flow| {
        let name = message.name.as_ref().or(flow.name()).cloned();
        Request::Message { message: ThrownMessage { name, ..message.clone() }, target: Some(flow.target.clone()) }
    }));
    if requests.len() == before {
        requests.push(Request::Message { message: message.clone(), target: None });
    }
}

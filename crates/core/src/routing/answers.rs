//! What instances ask of each other, answered.

use super::runner::Agenda;
use super::{Notice, Request, Runner, Running};
use crate::Name;
use crate::expressions::Binding;
use crate::instance::{Caller, Instance, Key};
use crate::step::{Command, Refusal, StartAt};
use crate::value::Value;

/// Called processes may be nested this deep; deeper is taken for a process that calls itself without end.
const MAXIMUM_CALL_DEPTH: u32 = 200;

/// Messages and signals that follow from each other before anything waits for the outside again; more is taken for instances
/// that answer each other without end.
const MAXIMUM_CHAIN: u32 = 20_000;

/// Messages and signals that one command may cause in all: a conversation that multiplies has no long chain.
const MAXIMUM_CARRIED: u32 = 100_000;

/// Instances that the calls of one command may start in all.
const MAXIMUM_CALLS: u32 = 10_000;

impl Runner {
    pub(super) fn answer(&mut self, from: Key, request: Request, agenda: &mut Agenda) {
        // A request to what is gone by now is dropped: its answer is no longer waited for.
        match request {
            Request::Call { call, process, binding, business_key, variables, catches } => {
                let caller = Caller { call, catches };
                self.call(caller, &process, &binding, business_key, variables, agenda);
            }
            Request::CancelCall { call } => {
                if let Some(called) = self.called.remove(&call) {
                    let reason = Some("the call was cancelled".into());
                    let _ = self.one(called, Command::Cancel { reason }, agenda);
                }
            }
            Request::Returned { call, variables } => {
                self.called.remove(&call);
                self.reply(call, Command::CompleteCall { call, variables }, agenda);
            }
            Request::Failed { call, code, message } => {
                self.called.remove(&call);
                self.reply(call, Command::FailCall { call, code, message }, agenda);
            }
            Request::Abandoned { call } => {
                if self.called.remove(&call).is_some() {
                    let message = "the called instance was cancelled; retry to call the process again".into();
                    self.reply(call, Command::RefuseCall { call, refusal: Refusal::Cancelled, message }, agenda);
                }
            }
            Request::Escalated { call, code } => self.reply(call, Command::EscalateCall { call, code }, agenda),
            Request::Message { message, target } => self.route_message(from, message, target, agenda),
            Request::Signal(signal) => {
                if self.goes_on(from, Some(&signal.name)) {
                    self.spread_signal(Some(from), &signal.name, &signal.payload, agenda);
                }
            }
            Request::Subscribed { subscription } => self.deliver_kept(subscription, agenda),
        }
    }

    /// Whether a message or signal is carried further, or follows from too many.
    pub(super) fn goes_on(&mut self, from: Key, name: Option<&Name>) -> bool {
        self.chain += 1;
        self.carried += 1;
        if self.chain <= MAXIMUM_CHAIN && self.carried <= MAXIMUM_CARRIED {
            return true;
        }
        self.stopped = true;
        self.notices.push(Notice::ChainTooLong { from, name: name.cloned() });
        false
    }

    fn reply(&mut self, call: Key, command: Command, agenda: &mut Agenda) {
        if let Some(caller) = self.owners.get(&call).copied() {
            let _ = self.one(caller, command, agenda);
        }
    }

    fn call(
        &mut self,
        caller: Caller,
        process: &Name,
        binding: &Binding,
        business_key: Option<Name>,
        variables: Vec<(Name, Value)>,
        agenda: &mut Agenda,
    ) {
        let call = caller.call;
        let Some(calling) = self.owners.get(&call).copied() else { return };
        let Some(running) = self.instances.get(&calling) else { return };
        let (depth, deployment) = (running.depth, running.graph.deployment());
        let refuse = |refusal, message: String| Command::RefuseCall { call, refusal, message: message.into() };
        let Some(graph) = self.bound(process, binding, Some(deployment)) else {
            let message =
                format!("no process `{process}` is deployed in the version that is asked for; deploy it and retry");
            return self.reply(call, refuse(Refusal::Unknown, message), agenda);
        };
        if depth >= MAXIMUM_CALL_DEPTH {
            let message = format!(
                "`{process}` is called {MAXIMUM_CALL_DEPTH} levels deep: it calls itself without end; mend its conditions"
            );
            return self.reply(call, refuse(Refusal::Endless, message), agenda);
        }
        self.calls += 1;
        if self.calls > MAXIMUM_CALLS {
            let message = format!(
                "one command would start more than {MAXIMUM_CALLS} called instances: `{process}` is called without end; \
                 mend its conditions, or put a savepoint before the call"
            );
            return self.reply(call, refuse(Refusal::Endless, message), agenda);
        }
        let key = self.take_key();
        self.instances.insert(key, Running { graph, instance: Instance::new(key), started_by: None, depth: depth + 1 });
        self.called.insert(call, key);
        let command =
            Command::Start { at: StartAt::None, business_key, variables, caller: Some(caller), initiator: None };
        if let Err(error) = self.one(key, command, agenda) {
            self.instances.remove(&key);
            self.called.remove(&call);
            self.reply(call, refuse(Refusal::NotStartable, error.to_string()), agenda);
        }
    }
}

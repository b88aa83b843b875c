//! What instances ask of each other, answered.

use super::{Request, Work, World};
use crate::Name;
use crate::expressions::Binding;
use crate::instance::{Caller, Caught, Key};
use crate::step::{Command, Refusal, StartAt};
use crate::value::Value;

/// Called processes may be nested this deep; deeper is taken for a process that calls itself without end.
const MAXIMUM_CALL_DEPTH: u32 = 200;

/// Calls that one command may cause in all. Once more are asked for, those that are not answered yet are refused: each of them might
/// ask for many more.
const MAXIMUM_CALLS: u32 = 10_000;

/// A process to be called.
struct Call<'a> {
    call: Key,
    process: &'a Name,
    binding: &'a Binding,
    business_key: Option<&'a Name>,
    variables: &'a [(Name, Value)],
    caught: &'a Caught,
}

impl Work {
    /// Answers one request. Everything is looked up before anything is done, so that a host may look up and ask again.
    pub(super) fn answer<W: World>(&mut self, world: &mut W, from: Key, request: &Request) -> Result<(), W::Missing> {
        // A request to what is gone by now is dropped: its answer is no longer waited for.
        match request {
            Request::Call { call, process, binding, business_key, variables, caught } => {
                let business_key = business_key.as_ref();
                self.call(world, from, &Call { call: *call, process, binding, business_key, variables, caught })
            }
            Request::CancelCall { call } => {
                self.give(world, *call, || Command::Cancel { reason: Some("the call was cancelled".into()) })
            }
            Request::Returned { to, call, variables } => {
                self.give(world, *to, || Command::CompleteCall { call: *call, variables: variables.clone() })
            }
            Request::Failed { to, call, code, message, variables, payload } => {
                self.give(world, *to, || Command::FailCall {
                    call: *call,
                    code: code.clone(),
                    message: message.clone(),
                    variables: variables.clone(),
                    payload: payload.clone(),
                })
            }
            Request::Abandoned { to, call } => self.give(world, *to, || {
                let message = "the called instance was cancelled; retry to call the process again".into();
                Command::RefuseCall { call: *call, refusal: Refusal::Cancelled, message }
            }),
            Request::EndCaller { to, call } => self.give(world, *to, || Command::EndWithCalled { call: *call }),
            Request::Escalated { to, call, code, variables } => self.give(world, *to, || Command::EscalateCall {
                call: *call,
                code: code.clone(),
                variables: variables.clone(),
            }),
            Request::Message { message, target } => self.route_message(world, from, message, target.as_ref()),
            Request::Signal(signal) => self.spread_signal(world, from, signal),
            Request::Subscribed { subscription } => self.deliver_kept(world, from, *subscription),
        }
    }

    /// Gives an instance a command; one that is gone, or no longer waits for it, does nothing.
    pub(super) fn give<W: World>(
        &mut self,
        world: &mut W,
        instance: Key,
        command: impl FnOnce() -> Command,
    ) -> Result<(), W::Missing> {
        if world.instance(instance)?.is_some()
            && let Ok(requests) = world.step(instance, command())
        {
            self.ask(instance, requests);
        }
        Ok(())
    }

    fn call<W: World>(&mut self, world: &mut W, from: Key, called: &Call<'_>) -> Result<(), W::Missing> {
        let Call { call, process, .. } = *called;
        let Some(calling) = world.instance(from)? else { return Ok(()) };
        // Cancelled meanwhile.
        if calling.instance.wait(call).is_none() {
            return Ok(());
        }
        let depth = calling.instance.caller().map_or(0, |caller| caller.depth);
        let deployment = calling.graph.deployment();
        let refuse = |refusal, message: String| move || Command::RefuseCall { call, refusal, message: message.into() };
        let Some(graph) = world.process(process, called.binding, Some(deployment))? else {
            let message =
                format!("no process `{process}` is deployed in the version that is asked for; deploy it and retry");
            return self.give(world, from, refuse(Refusal::Unknown, message));
        };
        if depth >= MAXIMUM_CALL_DEPTH {
            let message = format!(
                "`{process}` is called {MAXIMUM_CALL_DEPTH} levels deep: it calls itself without end; mend its conditions"
            );
            return self.give(world, from, refuse(Refusal::Endless, message));
        }
        if self.calls > MAXIMUM_CALLS {
            let message = format!(
                "one command would start more than {MAXIMUM_CALLS} called instances: `{process}` is called without end; \
                 mend its conditions, or put a savepoint before the call"
            );
            return self.give(world, from, refuse(Refusal::Endless, message));
        }
        let command = Command::Start {
            at: StartAt::None,
            business_key: called.business_key.cloned(),
            variables: called.variables.to_vec(),
            caller: Some(Caller { instance: from, depth: depth + 1, caught: called.caught.clone() }),
            started_by: None,
            initiator: None,
        };
        match world.begin(Some(call), graph, command) {
            Ok((key, requests)) => self.ask(key, requests),
            Err(error) => self.give(world, from, refuse(Refusal::NotStartable, error.to_string()))?,
        }
        Ok(())
    }
}

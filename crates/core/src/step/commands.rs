//! Commands: each is checked whole before its first event.

use std::sync::Arc;

use super::command::{Command, Refusal, Rejection, Variables};
use super::{Closed, Event, Stage, Start, Step};
use crate::Name;
use crate::behaviour::{ad_hoc, call_activity, end_event, repeat, user_task};
use crate::dialect::{Dialect, ListenerStage};
use crate::graph::{Catch, NodeKind};
use crate::instance::{
    IncidentKind, IncidentStage, IncidentWait, JobWait, Key, NONE, Owner, Phase, ROOT, Retry, TokenId, TokenState,
    Wait, WaitId, WaitKind,
};
use crate::trigger::{error::Thrower, message, signal, timer};

impl Step<'_, '_> {
    pub(super) fn carry_out(&mut self, command: Command) -> Result<(), Rejection> {
        command.check_values()?;
        if let Command::Start { at, business_key, variables, caller, started_by, initiator } = command {
            return self.start(&at, Start { business_key, caller, started_by, caught: false }, variables, initiator);
        }
        if !self.instance.is_active() {
            return Err(Rejection::NotActive(self.instance.key));
        }
        match command {
            Command::Start { .. } => {}
            Command::CompleteUserTask { task, variables } => {
                let (wait, token) = self.find(task, "user task", |kind| matches!(kind, WaitKind::UserTask(_)))?;
                self.work_done(wait, token, variables, Vec::new());
            }
            Command::CompleteJob { job, variables, local_variables } => {
                let (wait, token) = self.find(job, "job", |kind| matches!(kind, WaitKind::Job(_)))?;
                self.job_done(wait, token, variables, local_variables);
            }
            Command::FailJob { job, retries, message } => {
                let (wait, token) = self.find(job, "job", |kind| matches!(kind, WaitKind::Job(_)))?;
                self.job_failed(wait, token, retries, message);
            }
            Command::ThrowError { wait, code, message, variables } => {
                let (wait, token) = self.find(wait, "user task or job", is_work)?;
                self.close(wait, Closed::Completed);
                self.throw_error(token, code, message, variables, Thrower::Work);
            }
            Command::ThrowEscalation { wait, code, variables } => {
                let (_, token) = self.find(wait, "user task or job", is_work)?;
                self.throw_escalation(token, code, variables);
            }
            Command::DeliverMessage { subscription, variables } => {
                let is_message = |kind: &WaitKind| matches!(kind, WaitKind::Message(_));
                let wait = self.find_wait(subscription, "message subscription", is_message)?;
                self.message_came(wait, variables);
            }
            Command::DeliverSignal { name, variables } => signal::deliver(self, &name, &variables),
            Command::FireTimer { timer } => {
                let wait = self.find_wait(timer, "timer", |kind| matches!(kind, WaitKind::Timer(_)))?;
                self.tried_again(wait);
                self.occurred(wait, Vec::new());
            }
            Command::ChangeTimer { timer, due } => {
                let wait = self.find_wait(timer, "savepoint or timer", is_tried)?;
                self.put_off(wait, due);
            }
            Command::RecalculateTimer { timer, from } => {
                let wait = self.find_wait(timer, "timer", |kind| matches!(kind, WaitKind::Timer(_)))?;
                let due = timer::due_anew(self, wait, from)?;
                self.put_off(wait, due);
            }
            Command::Forget { wait } => {
                let wait = self.find_wait(wait, "savepoint or timer", is_tried)?;
                self.tried_again(wait);
                self.close(wait, Closed::Cancelled);
            }
            Command::ChangePriority { wait, priority } => {
                let has_one = |kind: &WaitKind| matches!(kind, WaitKind::Job(_)) || is_tried(kind);
                let wait = self.find_wait(wait, "job, savepoint or timer", has_one)?;
                let changed = self.kind(wait).map(|kind| match kind {
                    WaitKind::Job(job) => WaitKind::Job(Arc::new(JobWait { priority, ..(**job).clone() })),
                    kind => {
                        let retry = kind.retry().map(|retry| (**retry).clone()).unwrap_or_default();
                        kind.tried(Retry { priority, ..retry })
                    }
                });
                if let Some(changed) = changed {
                    self.change(wait, changed);
                }
            }
            Command::Continue { continuation } => {
                let is_continuation = |kind: &WaitKind| matches!(kind, WaitKind::Continuation { .. });
                let (wait, token) = self.find(continuation, "continuation", is_continuation)?;
                let after = matches!(self.kind(wait), Some(WaitKind::Continuation { after: true, .. }));
                self.tried_again(wait);
                self.close(wait, Closed::Completed);
                if after && self.is_round(token) {
                    self.emit(Event::TokenResumed { token });
                    repeat::round_completed(self, token, 0);
                } else {
                    self.resume(token, if after { Stage::Leave } else { Stage::Begin });
                }
            }
            Command::FailTry { wait, failure } => {
                let wait = self.find_wait(wait, "savepoint or timer", is_tried)?;
                self.try_failed(wait, failure);
            }
            Command::SetRetries { wait, retries } => {
                let wait = self.find_wait(wait, "savepoint or timer", is_tried)?;
                self.set_retries(wait, retries);
            }
            Command::CompleteCall { call, variables } => {
                let (wait, token) = self.find(call, "call", |kind| matches!(kind, WaitKind::Call(_)))?;
                self.close(wait, Closed::Completed);
                call_activity::returned(self, token, variables);
            }
            Command::FailCall { call, code, message, variables, payload } => {
                let (wait, token) = self.find(call, "call", |kind| matches!(kind, WaitKind::Call(_)))?;
                self.close(wait, Closed::Completed);
                if let Err(problem) = call_activity::handed_over(self, token, &variables) {
                    self.stuck(token, problem, IncidentStage::Execute);
                    return Ok(());
                }
                self.throw_error(token, code, message, payload, Thrower::Work);
            }
            Command::EscalateCall { call, code, variables } => {
                let (_, token) = self.find(call, "call", |kind| matches!(kind, WaitKind::Call(_)))?;
                let caller = self.instance.caller.as_ref();
                let further_out = caller.is_some_and(|caller| caller.caught.escalation(Some(&code)).is_some());
                if further_out || self.catches_escalation(token, &code) {
                    // A mapping that fails here will fail once more when the call completes, and be an incident then.
                    let _ = call_activity::handed_over(self, token, &variables);
                }
                self.throw_escalation(token, code, Vec::new());
            }
            Command::EndWithCalled { call } => {
                let (wait, token) = self.find(call, "call", |kind| matches!(kind, WaitKind::Call(_)))?;
                self.close(wait, Closed::Completed);
                end_event::end_with_called(self, token);
            }
            Command::RefuseCall { call, refusal, message } => {
                let (wait, token) = self.find(call, "call", |kind| matches!(kind, WaitKind::Call(_)))?;
                self.close(wait, Closed::Cancelled);
                let kind = match refusal {
                    Refusal::Unknown => IncidentKind::CallUnknown,
                    Refusal::NotStartable => IncidentKind::CallNotStartable,
                    Refusal::Cancelled => IncidentKind::CallCancelled,
                    Refusal::Endless => IncidentKind::CallEndless,
                };
                self.incident(token, kind, &message, IncidentStage::Execute);
            }
            Command::ActivateAdHoc { ad_hoc, elements } => self.activate_ad_hoc(ad_hoc, &elements)?,
            Command::CompleteAdHoc { ad_hoc } => {
                let (_, token) = self.find(ad_hoc, "ad-hoc sub-process", |kind| matches!(kind, WaitKind::AdHoc))?;
                if let NodeKind::AdHoc(ad_hoc) = &self.node(token).kind {
                    let scope = self.variable_scope(token);
                    ad_hoc::finish(self, scope, ad_hoc);
                }
            }
            Command::SetVariables { scope, variables } => {
                if self.instance.scopes.get(scope).is_none() {
                    return Err(Rejection::UnknownScope(self.instance.key, scope));
                }
                for (name, value) in variables {
                    self.set_local(scope, name, value);
                }
            }
            Command::RemoveVariables { scope, names } => {
                if self.instance.scopes.get(scope).is_none() {
                    return Err(Rejection::UnknownScope(self.instance.key, scope));
                }
                for name in names {
                    self.remove_local(scope, name);
                }
            }
            Command::SetTaskVariables { task, variables, local_variables } => {
                let (_, token) = self.find(task, "flow node at which something waits", |_| true)?;
                let changes_it = !local_variables.is_empty();
                // Its own first: what is set with them sees them.
                self.set_own_variables(token, local_variables);
                self.set_all(self.variable_scope(token), variables);
                if changes_it {
                    user_task::tell(self, token, ListenerStage::Update);
                }
            }
            Command::ChangeUserTask { task, assignee } => {
                let (wait, token) = self.find(task, "user task", |kind| matches!(kind, WaitKind::UserTask(_)))?;
                user_task::changed(self, wait, token, assignee);
            }
            Command::ResolveIncident { incident } => {
                let is_incident = |kind: &WaitKind| matches!(kind, WaitKind::Incident(_));
                let wait = self.find_wait(incident, "incident", is_incident)?;
                if let Some(tried) = self.tried_by(wait) {
                    self.try_once_more(tried);
                } else {
                    let (wait, token) = self.find(incident, "incident", is_incident)?;
                    self.resolve(wait, token);
                }
            }
            Command::Modify { instructions, reason } => self.modify(&instructions, reason)?,
            Command::Migrate { to, plan } => self.migrate(&to, &plan)?,
            Command::Cancel { reason } => self.cancel_instance(reason),
        }
        Ok(())
    }

    pub(super) fn kind(&self, wait: WaitId) -> Option<&WaitKind> {
        self.instance.waits.get(wait).map(|wait| &wait.kind)
    }

    fn find_wait(
        &self,
        key: Key,
        expected: &'static str,
        is_expected: impl Fn(&WaitKind) -> bool,
    ) -> Result<WaitId, Rejection> {
        let id = self.instance.waits.find(key).ok_or(Rejection::Unknown(key))?;
        let wait = self.instance.waits.get(id).ok_or(Rejection::Unknown(key))?;
        if is_expected(&wait.kind) {
            Ok(id)
        } else {
            Err(Rejection::WrongKind { key, expected, found: wait.kind.word() })
        }
    }

    /// What a token waits for under a key.
    fn find(
        &self,
        key: Key,
        expected: &'static str,
        is_expected: impl Fn(&WaitKind) -> bool,
    ) -> Result<(WaitId, TokenId), Rejection> {
        let id = self.find_wait(key, expected, is_expected)?;
        match self.instance.waits.get(id) {
            Some(Wait { owner: Owner::Token(token), .. }) => Ok((id, *token)),
            _ => Err(Rejection::Unknown(key)),
        }
    }

    /// A person or worker has done the work of a flow node.
    fn work_done(&mut self, wait: WaitId, token: TokenId, variables: Variables, local: Variables) {
        let definition = self.instance.waits.get(wait).map_or(0, |wait| wait.definition);
        // Only its listeners ask who had it.
        let completing = match self.node(token).details.listeners.is_empty() {
            true => None,
            false => self.standing_task(token).map(|task| (token, task)),
        };
        self.close(wait, Closed::Completed);
        self.unstick(token);
        self.set_own_variables(token, local);
        match self.node(token).kind {
            NodeKind::UserTask(_) => user_task::receive(self, token, variables),
            _ => self.receive(token, variables),
        }
        if !self.outlives_conditions(token) {
            return;
        }
        self.emit(Event::TokenResumed { token });
        self.completing = completing;
        self.throw_on(token, self.node_of(token), definition + 1);
        self.completing = None;
    }

    /// Sets variables in the scope that belongs to the flow node of a token; it is opened if there is none yet.
    pub(crate) fn set_own_variables(&mut self, token: TokenId, variables: Variables) {
        if !variables.is_empty() {
            let scope = self.own_scope(token);
            for (name, value) in variables {
                self.set_local(scope, name, value);
            }
        }
    }

    /// Camunda 7 asks conditions when variables are set, before the work that set them is complete: one that now holds may
    /// end the activity. Says whether none has.
    pub(crate) fn outlives_conditions(&mut self, token: TokenId) -> bool {
        if self.graph.dialect() != Dialect::Camunda || !self.graph.looks_at_variables() {
            return true;
        }
        let Some(here) = self.instance.tokens.get(token) else { return false };
        let (serial, works) = (here.serial, here.state == TokenState::Moving);
        let thrower = self.thrower;
        if works && thrower.is_none() {
            // It has not waited; what its own work brings about finds it at its work.
            self.thrower = Some((token, true));
        }
        while self.trigger_a_condition() {}
        self.thrower = thrower;
        self.is_alive(token, serial)
    }

    /// Work that is done after all is no longer stuck.
    fn unstick(&mut self, token: TokenId) {
        let mut next = self.instance.tokens.get(token).map_or(NONE, |token| token.first_wait);
        while let Some(wait) = self.instance.waits.get(next) {
            let (current, is_its) = (next, matches!(wait.kind, WaitKind::Incident(_)) && !is_of_a_try(&wait.kind));
            next = wait.next;
            if is_its {
                self.close(current, Closed::Completed);
            }
        }
    }

    fn job_done(&mut self, wait: WaitId, token: TokenId, variables: Variables, local: Variables) {
        let listener = match self.kind(wait) {
            Some(WaitKind::Job(job)) => job.listener,
            _ => None,
        };
        let Some(listener) = listener else { return self.work_done(wait, token, variables, local) };
        if self.stands(token) {
            // Nothing waits for what a user task's listener does while the task stands.
            return self.listener_job_done(wait, token, variables);
        }
        self.close(wait, Closed::Completed);
        self.unstick(token);
        self.set_all(self.variable_scope(token), variables);
        let stage = self.at_listener(token, listener, listener.saturating_add(1));
        self.resume(token, stage);
    }

    fn listener_job_done(&mut self, wait: WaitId, token: TokenId, variables: Variables) {
        let is_stuck = matches!(self.kind(wait), Some(WaitKind::Job(job)) if job.retries == 0);
        self.close(wait, Closed::Completed);
        let is_its =
            |kind: &WaitKind| matches!(kind, WaitKind::Incident(incident) if incident.stage == IncidentStage::Job);
        let incident = self.waits_of(Owner::Token(token)).find(|(_, wait)| is_its(&wait.kind)).map(|(id, _)| id);
        if is_stuck && let Some(incident) = incident {
            self.close(incident, Closed::Completed);
        }
        self.set_all(self.variable_scope(token), variables);
    }

    /// Where a token goes on that calls listeners of the stage of this one, from `from` on.
    fn at_listener(&self, token: TokenId, listener: u32, from: u32) -> Stage {
        match self.node(token).details.listeners.get(listener as usize).map(|listener| listener.stage) {
            Some(ListenerStage::End) | None => Stage::Finish(from),
            Some(ListenerStage::Complete) => Stage::Done(from),
            Some(ListenerStage::Delete) => Stage::Delete(from),
            Some(ListenerStage::Create) => Stage::Create(from),
            Some(ListenerStage::Assignment) => Stage::Assign(from),
            _ => Stage::Listen(from),
        }
    }

    fn job_failed(&mut self, wait: WaitId, token: TokenId, retries: Option<i64>, text: Name) {
        let Some(WaitKind::Job(job)) = self.kind(wait) else { return };
        let mut job = (**job).clone();
        job.retries = retries.unwrap_or(job.retries - 1).max(0);
        let out = job.retries == 0;
        let node = self.node_of(token);
        self.change(wait, WaitKind::Job(Arc::new(job)));
        let has_incident = self.instance.waits().any(|other| {
            other.owner == Owner::Token(token)
                && matches!(&other.kind, WaitKind::Incident(incident) if incident.stage == IncidentStage::Job)
        });
        if out && !has_incident {
            let incident = IncidentWait { kind: IncidentKind::Job, message: text, stage: IncidentStage::Job };
            self.open(Owner::Token(token), node, 0, WaitKind::Incident(Arc::new(incident)));
        }
    }

    fn message_came(&mut self, wait: WaitId, variables: Variables) {
        let Some((node, definition, scope)) =
            self.instance.waits.get(wait).map(|wait| (wait.node, wait.definition, self.instance.scope_of(wait)))
        else {
            return;
        };
        let graph = self.graph;
        if let Some(Catch::Message { properties, .. }) = graph.catches(node).get(definition as usize)
            && !properties.is_empty()
        {
            message::received(self, node, scope, properties, &variables);
        }
        self.occurred(wait, variables);
    }

    fn activate_ad_hoc(&mut self, key: Key, elements: &[Name]) -> Result<(), Rejection> {
        let (_, token) = self.find(key, "ad-hoc sub-process", |kind| matches!(kind, WaitKind::AdHoc))?;
        let graph = self.graph;
        let node = self.node(token);
        let NodeKind::AdHoc(ad_hoc) = &node.kind else { return Err(Rejection::Unknown(key)) };
        let scope = self.variable_scope(token);
        if self.instance.scopes.get(scope).is_some_and(|scope| scope.phase == Phase::Ending) {
            return Err(Rejection::AdHocEnding(node.id.clone()));
        }
        if ad_hoc::is_busy(self, scope, ad_hoc) {
            return Err(Rejection::AdHocBusy(node.id.clone()));
        }
        if elements.len() > 1 && ad_hoc::is_sequential(ad_hoc) {
            return Err(Rejection::AdHocSequential(node.id.clone()));
        }
        let mut nodes = Vec::with_capacity(elements.len());
        for element in elements {
            let found = ad_hoc.container.starts.iter().find(|start| graph.node(**start).id == *element);
            nodes.push(*found.ok_or_else(|| Rejection::UnknownElement {
                process: graph.id().clone(),
                element: element.clone(),
                needed: "could begin in the ad-hoc sub-process",
            })?);
        }
        ad_hoc::activate(self, scope, &nodes);
        Ok(())
    }

    /// What was stuck goes on where it stopped.
    fn resolve(&mut self, wait: WaitId, token: TokenId) {
        let Some(WaitKind::Incident(incident)) = self.kind(wait) else { return };
        let stage = incident.stage;
        self.close(wait, Closed::Completed);
        match stage {
            IncidentStage::Arrive => self.resume(token, Stage::Enter),
            IncidentStage::Enter => self.resume(token, Stage::Begin),
            IncidentStage::Execute => self.resume(token, Stage::Execute),
            IncidentStage::Throw(next) => self.resume(token, Stage::Throw(next)),
            IncidentStage::Listener(listener) if self.stands(token) => user_task::tell_one(self, token, listener),
            IncidentStage::Listener(listener) => {
                let stage = self.at_listener(token, listener, listener);
                self.resume(token, stage);
            }
            IncidentStage::Complete => self.resume(token, Stage::Complete),
            IncidentStage::Round(event) => {
                self.emit(Event::TokenResumed { token });
                repeat::round_completed(self, token, event);
            }
            IncidentStage::ProcessEnd(listener) => {
                self.emit(Event::TokenResumed { token });
                if self.instance.scopes.get(ROOT).is_some_and(|root| root.token_count > 1) {
                    // A modification has let something begin meanwhile: the process ends after that.
                    return self.end_path(token);
                }
                self.end_process(Some(token), listener);
            }
            IncidentStage::Leave => self.resume(token, Stage::Leave),
            IncidentStage::Reset => self.resume(token, Stage::Reset),
            IncidentStage::Take { flow, listener } => {
                self.emit(Event::TokenResumed { token });
                self.go_by(token, flow, listener);
            }
            IncidentStage::Job => self.job_again(token),
            IncidentStage::Retry(_) => {}
            IncidentStage::Open => self.open_again(token),
            IncidentStage::AdHoc => ad_hoc::ask_again(self, token),
        }
    }

    /// A job that had no tries left gets one more.
    fn job_again(&mut self, token: TokenId) {
        let first = self.instance.tokens.get(token).map_or(NONE, |token| token.first_wait);
        let mut waits = std::iter::successors(Some(first), |id| self.instance.waits.get(*id).map(|wait| wait.next));
        let job = waits.find_map(|id| match self.kind(id)? {
            WaitKind::Job(job) if job.retries == 0 => Some((id, job.clone())),
            _ => None,
        });
        if let Some((wait, job)) = job {
            let mut job = (*job).clone();
            job.retries = 1;
            self.change(wait, WaitKind::Job(Arc::new(job)));
        }
    }
}

fn is_tried(kind: &WaitKind) -> bool {
    matches!(kind, WaitKind::Timer(_) | WaitKind::Continuation { .. })
}

/// Whether it is an incident beside a savepoint or timer, rather than of the work.
fn is_of_a_try(kind: &WaitKind) -> bool {
    matches!(kind, WaitKind::Incident(incident) if matches!(incident.stage, IncidentStage::Retry(_)))
}

fn is_work(kind: &WaitKind) -> bool {
    matches!(kind, WaitKind::UserTask(_) | WaitKind::Job(_))
}

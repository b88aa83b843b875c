//! What each flow node does, one file for each kind. `execute` tells them apart by kind.

pub(crate) mod ad_hoc;
pub(crate) mod business_rule_task;
pub(crate) mod call_activity;
pub(crate) mod compensation;
pub(crate) mod complex_gateway;
pub(crate) mod end_event;
pub(crate) mod event_based_gateway;
pub(crate) mod exclusive_gateway;
pub(crate) mod inclusive_gateway;
pub(crate) mod intermediate_event;
pub(crate) mod job;
pub(crate) mod multi_instance;
pub(crate) mod parallel_gateway;
pub(crate) mod repeat;
pub(crate) mod script_task;
pub(crate) mod standard_loop;
pub(crate) mod sub_process;
pub(crate) mod user_task;

use crate::graph::{FlowNode, NodeKind};
use crate::instance::{IncidentStage, Ordinal, Owner, TokenId};
use crate::step::{Event, Problem, Stage, Step};

/// Does the work of the flow node that a token stands on. What is most common comes first, and the rest apart: together they would be
/// one large function, which costs every flow node.
pub(crate) fn execute(step: &mut Step<'_, '_>, token: TokenId, ordinal: Ordinal) -> Result<(), Problem> {
    let node = step.graph.node(ordinal);
    match &node.kind {
        NodeKind::Task => step.pass(token, ordinal),
        NodeKind::Expression(expression) | NodeKind::Script(expression) => {
            script_task::run(step, token, ordinal, expression)?;
        }
        NodeKind::ExclusiveGateway if node.plain => {
            exclusive_gateway::decide(step, token, ordinal, IncidentStage::Execute)?;
        }
        NodeKind::SubProcess(container) => sub_process::begin(step, token, container)?,
        NodeKind::ParallelGateway => parallel_gateway::join(step, token, ordinal),
        _ => execute_others(step, token, ordinal, node)?,
    }
    Ok(())
}

#[inline(never)]
fn execute_others(step: &mut Step<'_, '_>, token: TokenId, ordinal: Ordinal, node: &FlowNode) -> Result<(), Problem> {
    match &node.kind {
        NodeKind::UserTask(task) => user_task::create(step, token, task)?,
        NodeKind::Job(job) => job::open(step, token, 0, job, None)?,
        NodeKind::Decision(decision) => business_rule_task::decide(step, token, decision)?,
        NodeKind::SendTask(throw) => {
            crate::trigger::message::throw(step, token, 0, throw)?;
            step.schedule(token, Stage::Complete);
        }
        NodeKind::ReceiveTask(catch) => {
            step.emit(Event::TokenWaited { token });
            let scope = step.variable_scope(token);
            step.subscribe(Owner::Token(token), ordinal, scope, std::slice::from_ref(&**catch))?;
        }
        NodeKind::Transaction(container) => sub_process::begin(step, token, container)?,
        NodeKind::EventSubProcess(container) => step.begin_after_listeners(token, container),
        NodeKind::AdHoc(ad_hoc) => ad_hoc::begin(step, token, ad_hoc)?,
        NodeKind::Call(call) => call_activity::call(step, token, call)?,
        NodeKind::CatchEvent(event) => intermediate_event::catch(step, token, event)?,
        NodeKind::ThrowEvent(throws) => intermediate_event::throw(step, token, throws, 0)?,
        NodeKind::EndEvent(throws) if throws.is_empty() && node.plain => step.end_path(token),
        NodeKind::EndEvent(throws) => end_event::end(step, token, throws, 0)?,
        NodeKind::InclusiveGateway(_) => inclusive_gateway::join(step, token, ordinal),
        NodeKind::ComplexGateway(gateway) => complex_gateway::join(step, token, gateway)?,
        NodeKind::EventBasedGateway { .. } => event_based_gateway::wait(step, token)?,
        // What surrounds an exclusive gateway comes before its choice, which is how it is left.
        NodeKind::ExclusiveGateway | NodeKind::StartEvent(_) | NodeKind::BoundaryEvent(_) => {
            step.schedule(token, Stage::Complete);
        }
        NodeKind::Task
        | NodeKind::Expression(_)
        | NodeKind::Script(_)
        | NodeKind::SubProcess(_)
        | NodeKind::ParallelGateway => {}
    }
    Ok(())
}

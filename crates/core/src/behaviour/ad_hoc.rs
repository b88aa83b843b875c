//! Ad-hoc sub-processes: people choose what is done, in which order, and how often (BPMN 2.0.2 §10.3.5, §13.3.5).
//!
//! An ad-hoc sub-process waits for activities to be begun, until its completion condition holds or it is told to complete. Where its
//! model names the activities that begin at once, it also completes when nothing runs in it any more.

use crate::graph::{AdHoc, NodeKind, names};
use crate::instance::{IncidentStage, NONE, Ordinal, Phase, ScopeId, TokenId, WaitKind};
use crate::model::AdHocOrdering;
use crate::step::{Event, Problem, Stage, Step};

/// Opens the ad-hoc sub-process.
pub(crate) fn begin(step: &mut Step<'_, '_>, token: TokenId, ad_hoc: &AdHoc) -> Result<(), Problem> {
    let scope = step.own_scope(token);
    super::sub_process::open_scope(step, scope)?;
    step.wait(token, WaitKind::AdHoc);
    let Some(active) = &ad_hoc.active else { return Ok(()) };
    let node = step.node_of(token);
    let value = step.evaluate(active, scope, node)?;
    let elements = names(&value);
    let mut nodes = Vec::with_capacity(elements.len());
    for element in &elements {
        let found = ad_hoc.container.starts.iter().find(|start| step.graph.node(**start).id == *element);
        nodes.push(*found.ok_or_else(|| {
            Problem::failed(format!("the ad-hoc sub-process has no activity `{element}` that could begin"))
        })?);
    }
    if nodes.is_empty() {
        step.end_scope(scope);
    }
    activate(step, scope, &nodes);
    Ok(())
}

/// Begins activities.
pub(crate) fn activate(step: &mut Step<'_, '_>, scope: ScopeId, nodes: &[Ordinal]) {
    for node in nodes {
        let token = step.born(scope, *node);
        step.schedule(token, Stage::Enter);
    }
}

/// An activity of the sub-process has completed: asks the completion condition, and gives whether it held.
pub(crate) fn activity_completed(step: &mut Step<'_, '_>, token: TokenId) -> bool {
    let Some(id) = step.instance.tokens.get(token).map(|token| token.scope) else { return false };
    let Some(scope) = step.instance.scopes.get(id) else { return false };
    let (owner, node) = (scope.owner, scope.node);
    if scope.phase == Phase::Ending {
        // Its completion condition has held: what ran is done, and nothing new begins.
        step.end_path(token);
        return true;
    }
    if scope.phase != Phase::Active {
        return false;
    }
    let Some(NodeKind::AdHoc(ad_hoc)) = step.graph.get_node(node).map(|node| &node.kind) else { return false };
    let Some(condition) = &ad_hoc.completion_condition else { return false };
    match step.holds(condition, id, node, &[]) {
        Ok(false) => return false,
        Ok(true) => {
            step.emit(Event::TokenConsumed { token, cancelled: false });
            finish(step, id, ad_hoc);
        }
        Err(error) => {
            step.emit(Event::TokenConsumed { token, cancelled: false });
            step.stuck(owner, error.into(), IncidentStage::AdHoc);
        }
    }
    true
}

/// The last path in the sub-process has ended.
pub(crate) fn went_on(step: &mut Step<'_, '_>, id: ScopeId, ad_hoc: &AdHoc) {
    let Some(scope) = step.instance.scopes.get(id) else { return };
    // Without a condition it is done when what began at once has ended.
    let done = ad_hoc.active.is_some() && ad_hoc.completion_condition.is_none();
    if scope.phase == Phase::Ending || done {
        step.end_scope(id);
    }
}

/// Asks the completion condition again, after it could not be evaluated.
pub(crate) fn ask_again(step: &mut Step<'_, '_>, owner: TokenId) {
    let NodeKind::AdHoc(ad_hoc) = &step.node(owner).kind else { return };
    let Some(condition) = &ad_hoc.completion_condition else { return };
    let (scope, node) = (step.variable_scope(owner), step.node_of(owner));
    match step.holds(condition, scope, node, &[]) {
        Ok(true) => finish(step, scope, ad_hoc),
        Ok(false) => step.emit(Event::TokenWaited { token: owner }),
        Err(error) => step.stuck(owner, error.into(), IncidentStage::AdHoc),
    }
}

/// Ends the sub-process, or lets it end with what still runs.
pub(crate) fn finish(step: &mut Step<'_, '_>, id: ScopeId, ad_hoc: &AdHoc) {
    if ad_hoc.cancel_remaining {
        step.way_out_for_good(id);
        step.cancel_contents(id, NONE);
    }
    if step.instance.scopes.get(id).is_some_and(|scope| scope.token_count == 0) {
        step.end_scope(id);
    } else {
        step.emit(Event::ScopePhase { scope: id, phase: Phase::Ending });
    }
}

/// Whether no other activity may begin. An event sub-process is none of those that are done one at a time.
pub(crate) fn is_busy(step: &Step<'_, '_>, scope: ScopeId, ad_hoc: &AdHoc) -> bool {
    let first = step.instance.scopes.get(scope).map_or(NONE, |scope| scope.first_token);
    let mut tokens =
        std::iter::successors(step.instance.tokens.get(first), |token| step.instance.tokens.get(token.next));
    let is_activity = |node: Ordinal| !matches!(step.graph.node(node).kind, NodeKind::EventSubProcess(_));
    is_sequential(ad_hoc) && tokens.any(|token| is_activity(token.node))
}

/// Whether its activities are done one at a time.
pub(crate) fn is_sequential(ad_hoc: &AdHoc) -> bool {
    ad_hoc.ordering == AdHocOrdering::Sequential
}

//! Call activities: another process does the work (BPMN 2.0.2 §10.3.6).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Name;
use crate::dialect::Dialect;
use crate::expressions::EvaluationError;
use crate::graph::{Call, Home, Mapping, NodeKind};
use crate::instance::{CallWait, IncidentStage, NONE, ROOT, ScopeId, TokenId, WaitKind};
use crate::step::{Problem, Stage, Step, Variables};
use crate::value::Value;

/// Where only the variables are seen that are given: no scope of the instance is in sight.
const OUT_OF_SIGHT: ScopeId = NONE;

/// Asks for the called process.
pub(crate) fn call(step: &mut Step<'_, '_>, token: TokenId, call: &Call) -> Result<(), Problem> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let process = step.text(&call.process, scope, node)?.unwrap_or_default();
    let binding = step.binding(&call.binding, scope, node)?;
    let business_key = match &call.business_key {
        Some(key) => step.text(key, scope, node)?,
        // Elsewhere than in Camunda and Flowable, where a model must say so, a call belongs to its caller's case.
        None if step.graph.dialect() == Dialect::Standard => step.instance.business_key.clone(),
        None => None,
    };
    let mut variables = Vec::new();
    if call.local_in {
        variables = step.own_variables(token);
    } else if call.propagate_in {
        // Elsewhere they would come back as variables of the caller.
        let counters = match step.graph.dialect() {
            dialect @ (Dialect::Camunda | Dialect::Flowable) => dialect.counters(),
            _ => &[],
        };
        variables = step.instance.all_visible(scope, counters);
    }
    let (before, after) = call.inputs.split_at(call.inputs_before_all);
    let mut given: BTreeMap<Name, Value> = handed(step, token, before)?.into_iter().collect();
    given.extend(variables);
    given.extend(handed(step, token, after)?);
    let variables = given.into_iter().collect();
    let caught = step.caught_around(token);
    let key =
        step.wait(token, WaitKind::Call(Arc::new(CallWait { process, binding, business_key, variables, caught })));
    if let Some(variable) = &call.id_variable {
        // The called instance has the key of its call.
        step.set_all(scope, [(variable.clone(), Value::from(key.to_string().as_str()))]);
    }
    Ok(())
}

/// What mappings give to a called process.
fn handed(step: &mut Step<'_, '_>, token: TokenId, inputs: &[Mapping]) -> Result<Variables, EvaluationError> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let mut handed = Vec::new();
    for alike in inputs.chunk_by(|one, next| one.home == next.home) {
        handed.extend(if alike[0].home == Home::Own {
            let own = step.own_variables(token);
            step.map_all(alike, OUT_OF_SIGHT, node, &own)?
        } else {
            step.map_all(alike, scope, node, &[])?
        });
    }
    Ok(handed)
}

/// The called process has completed with these variables. What is mapped from them is computed as the call completes, so that
/// a mapping that fails is tried again without another call.
pub(crate) fn returned(step: &mut Step<'_, '_>, token: TokenId, variables: Variables) {
    let NodeKind::Call(call) = &step.node(token).kind else { return };
    let only_mapped = matches!(step.graph.dialect(), Dialect::Camunda | Dialect::Flowable);
    if only_mapped && (call.local_out || !call.outputs.is_empty()) {
        // There, listeners and conditions at the call see what is mapped, and nothing else of the called process.
        if let Err(error) = hand_over(step, token, call, &variables) {
            step.set_own_variables(token, variables);
            return step.stuck(token, error.into(), IncidentStage::Complete);
        }
        if step.outlives_conditions(token) {
            step.resume(token, Stage::Finish(0));
        }
        return;
    }
    if !call.outputs.is_empty() || step.node(token).details.isolated {
        // Mappings are to see what the called process left.
        step.set_own_variables(token, variables.clone());
    }
    if call.propagate_out && !step.node(token).details.isolated {
        let variables = without_counters(step, token, variables);
        if call.outputs.is_empty() {
            step.receive(token, variables);
        } else {
            let outside = step.instance.tokens.get(token).map_or(ROOT, |token| token.scope);
            step.set_all(outside, variables);
        }
    }
    if step.outlives_conditions(token) {
        step.resume(token, Stage::Complete);
    }
}

/// The called process ends with an error or escalates, having these variables. In Camunda 7 what is mapped out of it is mapped then, too.
pub(crate) fn handed_over(step: &mut Step<'_, '_>, token: TokenId, variables: &[(Name, Value)]) -> Result<(), Problem> {
    match &step.node(token).kind {
        NodeKind::Call(call) if step.graph.dialect() == Dialect::Camunda => {
            Ok(hand_over(step, token, call, variables)?)
        }
        _ => Ok(()),
    }
}

/// What a called process leaves, but for the counters of the caller's loops, which it was given and which nobody sets.
fn without_counters(step: &Step<'_, '_>, token: TokenId, mut variables: Variables) -> Variables {
    let scope = step.variable_scope(token);
    variables.retain(|(name, _)| !step.instance.is_counter(scope, name));
    variables
}

/// Sets what is mapped out of a called process that has these variables.
fn hand_over(
    step: &mut Step<'_, '_>,
    token: TokenId,
    call: &Call,
    variables: &[(Name, Value)],
) -> Result<(), EvaluationError> {
    let inside = step.variable_scope(token);
    let (before, after) = call.outputs.split_at(call.outputs_before_all);
    map_out(step, token, before, variables)?;
    if call.propagate_out {
        let variables = without_counters(step, token, variables.to_vec());
        step.set_all(inside, variables);
    }
    if call.local_out {
        step.set_own_variables(token, variables.to_vec());
    }
    map_out(step, token, after, variables)
}

fn map_out(
    step: &mut Step<'_, '_>,
    token: TokenId,
    outputs: &[Mapping],
    variables: &[(Name, Value)],
) -> Result<(), EvaluationError> {
    let (inside, node) = (step.variable_scope(token), step.node_of(token));
    for output in outputs {
        // What the called process has not is not looked for around the call.
        let value = step.mapped(&output.source, OUT_OF_SIGHT, node, variables)?;
        let name = step.target(output, OUT_OF_SIGHT, node, variables)?;
        if output.home == Home::Own {
            let own = step.own_scope(token);
            step.set_own(own, &name, value)?;
        } else {
            step.set_target(inside, &name, value)?;
        }
    }
    Ok(())
}

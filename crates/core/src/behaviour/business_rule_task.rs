//! Business rule tasks: ask a decision (BPMN 2.0.2 §10.3.4).

use std::sync::Arc;

use crate::dialect::DecisionResult;
use crate::expressions::{Evaluation, EvaluationError};
use crate::graph::Decision;
use crate::instance::TokenId;
use crate::step::{Problem, ScopeView, Stage, Step};
use crate::value::Value;

/// Evaluates the decision; its result goes into the result variable.
pub(crate) fn decide(step: &mut Step<'_, '_>, token: TokenId, decision: &Decision) -> Result<(), Problem> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let id = step.text(&decision.reference, scope, node)?.unwrap_or_default();
    let view = ScopeView { instance: step.instance, graph: step.graph, scope, node, extra: &[] };
    let mut evaluation = Evaluation::new(&view, step.context.now);
    let result = step.context.expressions.decide(&id, &decision.binding, step.graph.deployment(), &mut evaluation)?;
    let result = shape(&id, decision.result, result)?;
    if let Some(name) = &step.graph.node(node).details.result_variable {
        step.receive_one(token, name.clone(), result);
    }
    step.schedule(token, Stage::Complete);
    Ok(())
}

/// Brings a result into the shape that the model asks for.
fn shape(id: &str, wanted: DecisionResult, result: Value) -> Result<Value, EvaluationError> {
    if wanted == DecisionResult::AsIs {
        return Ok(result);
    }
    let rules = match result {
        Value::Null => Vec::new(),
        Value::List(rules) => rules.to_vec(),
        other => vec![other],
    };
    let too_many = |what: &str| {
        EvaluationError::Failed(format!(
            "decision `{id}` gave more than one {what}; change its hit policy or the mapping of its result"
        ))
    };
    let single = |value: Value| match value {
        Value::Map(entries) if entries.len() == 1 => Ok(entries.values().next().cloned().unwrap_or_default()),
        Value::Map(_) => Err(too_many("output")),
        other => Ok(other),
    };
    match wanted {
        DecisionResult::AsIs | DecisionResult::ResultList => Ok(Value::List(Arc::new(rules))),
        DecisionResult::SingleEntry | DecisionResult::SingleResult if rules.len() > 1 => Err(too_many("matching rule")),
        DecisionResult::SingleEntry => single(rules.into_iter().next().unwrap_or_default()),
        DecisionResult::SingleResult => Ok(rules.into_iter().next().unwrap_or_default()),
        DecisionResult::CollectEntries => {
            let entries: Result<Vec<_>, _> = rules.into_iter().map(single).collect();
            Ok(Value::from(entries?))
        }
    }
}

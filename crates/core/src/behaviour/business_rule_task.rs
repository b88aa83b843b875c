//! Business rule tasks: ask a decision (BPMN 2.0.2 §10.3.4).

use std::sync::Arc;

use crate::Name;
use crate::dialect::DecisionResult;
use crate::expressions::{Decided, Evaluation, EvaluationError};
use crate::graph::Decision;
use crate::instance::TokenId;
use crate::step::{Problem, ScopeView, Stage, Step};
use crate::value::Value;

/// Evaluates the decision; its result goes into the result variable.
pub(crate) fn decide(step: &mut Step<'_, '_>, token: TokenId, decision: &Decision) -> Result<(), Problem> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let id = step.text(&decision.reference, scope, node)?.unwrap_or_default();
    let binding = step.binding(&decision.binding, scope, node)?;
    let view = ScopeView { instance: step.instance, graph: step.graph, scope, node, extra: &[] };
    let mut evaluation = Evaluation::new(&view, step.context.now);
    let decided = step.context.expressions.decide(&id, &binding, step.graph.deployment(), &mut evaluation)?;
    if decision.result == DecisionResult::Variables {
        let variables = variables(&id, decided);
        variables.iter().try_for_each(|(_, value)| value.check()).map_err(EvaluationError::from)?;
        step.receive(token, variables);
    } else if let Some(name) = &step.graph.node(node).details.result_variable {
        let result = shape(&id, decision.result, decided)?;
        result.check().map_err(EvaluationError::from)?;
        step.receive_one(token, name.clone(), result);
    }
    step.schedule(token, Stage::Complete);
    Ok(())
}

/// A variable for each output; one with all results where several rules matched.
fn variables(id: &str, decided: Decided) -> Vec<(Name, Value)> {
    match (decided.value, decided.output) {
        (Value::Map(outputs), _) => outputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        (Value::Null, None) => Vec::new(),
        (results @ Value::List(_), output) => vec![(id.into(), named(results, output.as_ref()))],
        (value, output) => vec![(output.unwrap_or_else(|| id.into()), value)],
    }
}

/// Values of an only output under its name; each of a list by itself.
fn named(result: Value, output: Option<&Name>) -> Value {
    let Some(output) = output else { return result };
    match result {
        Value::Null => Value::Null,
        Value::List(items) => items.iter().map(|item| named(item.clone(), Some(output))).collect(),
        value => [(output.clone(), value)].into_iter().collect(),
    }
}

/// Brings a result into the shape that the model asks for.
fn shape(id: &str, wanted: DecisionResult, decided: Decided) -> Result<Value, EvaluationError> {
    let result = match wanted {
        DecisionResult::AsIs | DecisionResult::Variables => return Ok(decided.value),
        DecisionResult::SingleResult | DecisionResult::ResultList => named(decided.value, decided.output.as_ref()),
        DecisionResult::SingleEntry | DecisionResult::CollectEntries => decided.value,
    };
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
        DecisionResult::AsIs | DecisionResult::Variables | DecisionResult::ResultList => {
            Ok(Value::List(Arc::new(rules)))
        }
        DecisionResult::SingleEntry | DecisionResult::SingleResult if rules.len() > 1 => Err(too_many("matching rule")),
        DecisionResult::SingleEntry => single(rules.into_iter().next().unwrap_or_default()),
        DecisionResult::SingleResult => Ok(rules.into_iter().next().unwrap_or_default()),
        DecisionResult::CollectEntries => {
            let entries: Result<Vec<_>, _> = rules.into_iter().map(single).collect();
            Ok(Value::from(entries?))
        }
    }
}

//! Business rule tasks: ask a decision (BPMN 2.0.2 §10.3.4).

use crate::Name;
use crate::dialect::{DecisionResult, Dialect, ListenerStage};
use crate::expressions::{Decided, Evaluation, EvaluationError};
use crate::graph::{Decision, Details, ListenerAction};
use crate::instance::TokenId;
use crate::step::{Problem, ScopeView, Stage, Step};
use crate::value::Value;

/// The variable in which Camunda 7 shows the result of a decision to the output mappings and end listeners of its task.
const SHOWN: &str = "decisionResult";

/// Evaluates the decision; its result goes into the result variable.
pub(crate) fn decide(step: &mut Step<'_, '_>, token: TokenId, decision: &Decision) -> Result<(), Problem> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let id = step.text(&decision.reference, scope, node)?.unwrap_or_default();
    let binding = step.binding(&decision.binding, scope, node)?;
    let (instance, graph) = (&*step.instance, step.graph);
    let view = ScopeView { instance, graph, scope, node, extra: &[], told: None, unopened: false };
    let mut evaluation = Evaluation::new(&view, step.context.now);
    let decided = step.context.expressions.decide(&id, &binding, step.graph.deployment(), &mut evaluation);
    let took = evaluation.took;
    step.charge_time(took);
    let decided = decided?;
    if decided.rules.is_empty()
        && let Some(must_match) = &decision.must_match
        && step.text(must_match, scope, node)?.is_some_and(|text| text.eq_ignore_ascii_case("true"))
    {
        let message = format!("decision `{id}` has no rule that matches; add one, or a default output");
        return Err(Problem::failed(message));
    }
    if step.graph.dialect() == Dialect::Camunda && looks_at_result(&step.graph.node(node).details) {
        let shown = list(decided.rules.clone());
        shown.check().map_err(EvaluationError::from)?;
        let own = step.own_scope(token);
        step.set_local(own, SHOWN.into(), shown);
    }
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

/// Whether an output mapping or an end listener may look at the result itself.
fn looks_at_result(details: &Details) -> bool {
    let listens = details.listeners.iter().filter(|listener| listener.stage == ListenerStage::End);
    details.outputs.iter().any(|output| output.source.mentions(SHOWN))
        || listens.into_iter().any(|listener| match &listener.action {
            ListenerAction::Evaluate(expression) => expression.text.contains(SHOWN),
            ListenerAction::Job(_) => true,
        })
}

/// A variable for each output; one with all results where several rules may count.
fn variables(id: &str, decided: Decided) -> Vec<(Name, Value)> {
    if decided.is_collected {
        return vec![(id.into(), list(decided.rules))];
    }
    decided.rules.into_iter().next().unwrap_or_default()
}

/// A map for each rule.
fn list(rules: Vec<Vec<(Name, Value)>>) -> Value {
    rules.into_iter().map(|outputs| outputs.into_iter().collect::<Value>()).collect()
}

/// Brings a result into the shape that the model asks for.
fn shape(id: &str, wanted: DecisionResult, decided: Decided) -> Result<Value, EvaluationError> {
    let too_many = |what: &str| {
        EvaluationError::Failed(format!(
            "decision `{id}` gave more than one {what}; change its hit policy or the mapping of its result"
        ))
    };
    let entry = |outputs: Vec<(Name, Value)>| match outputs.len() {
        0 | 1 => Ok(outputs.into_iter().next().map(|(_, value)| value).unwrap_or_default()),
        _ => Err(too_many("output")),
    };
    let mut rules = decided.rules;
    match wanted {
        DecisionResult::AsIs | DecisionResult::Variables => Ok(decided.value),
        DecisionResult::ResultList => Ok(list(rules)),
        DecisionResult::CollectEntries => Ok(Value::from(rules.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?)),
        DecisionResult::SingleEntry | DecisionResult::SingleResult if rules.len() > 1 => Err(too_many("matching rule")),
        DecisionResult::SingleEntry => entry(rules.pop().unwrap_or_default()),
        DecisionResult::SingleResult => Ok(rules.pop().map_or(Value::Null, |outputs| outputs.into_iter().collect())),
    }
}

//! Conditional start events: told of data from outside.

use std::sync::Arc;
use std::time::Duration;

use super::matching::Given;
use super::{Brought, RunError, StartPoint, StartTrigger, Work, start_triggers};
use crate::Name;
use crate::expressions::{Evaluation, EvaluationError};
use crate::graph::{Catch, ProcessGraph};
use crate::step::{check_values, truth};
use crate::time::Timestamp;
use crate::value::Value;

impl Work {
    /// Tells the conditional start events of processes of data from outside: those whose condition holds for it occur next. The conditions
    /// have that much time, which becomes less.
    ///
    /// # Errors
    /// If one of the values is too large, or a condition cannot be computed: then nothing starts.
    pub fn evaluate_conditions<'g>(
        &mut self,
        processes: impl IntoIterator<Item = &'g Arc<ProcessGraph>>,
        data: &Brought,
        now: Timestamp,
        time: &mut Duration,
    ) -> Result<(), RunError> {
        check_values(&data.payload)?;
        let mut starts = Vec::new();
        for graph in processes {
            for trigger in start_triggers(graph) {
                let holds = holds(graph, trigger.catch, &data.payload, now, time).map_err(|error| {
                    let event = graph.node(trigger.node).id.clone();
                    RunError::ConditionFailed { process: graph.id().clone(), event, reason: error.to_string().into() }
                })?;
                if holds {
                    starts.push(StartPoint::of(graph, &trigger));
                }
            }
        }
        self.start(starts, data);
        Ok(())
    }
}

impl StartTrigger<'_> {
    /// Whether it is a condition.
    #[must_use]
    pub fn is_condition(&self) -> bool {
        matches!(self.catch, Catch::Condition { .. })
    }
}

/// Whether a start event's condition holds for data. As in Camunda 7 one that names the variables that it looks at is asked only if one of
/// them is given, whatever kind of change it waits for (all of them have just come to be); and where `${...}` asks for a variable that is
/// not given, it does not hold.
fn holds(
    graph: &ProcessGraph,
    catch: &Catch,
    data: &[(Name, Value)],
    now: Timestamp,
    time: &mut Duration,
) -> Result<bool, EvaluationError> {
    let Catch::Condition { condition, filter } = catch else { return Ok(false) };
    let looked_at = filter.as_ref().map_or(&[][..], |filter| &filter.variables);
    if !looked_at.is_empty() && !data.iter().any(|(name, _)| looked_at.contains(name)) {
        return Ok(false);
    }
    if time.is_zero() {
        let message = "the conditions before it have taken all the time that there is; tell fewer processes at once";
        return Err(EvaluationError::Limit(message.into()));
    }
    let given = Given(data);
    let mut evaluation = Evaluation::new(&given, now);
    let value = condition.evaluate(&mut evaluation);
    *time = time.saturating_sub(evaluation.took);
    match value {
        Ok(value) => truth(graph.dialect(), condition, &value),
        Err(EvaluationError::UnknownVariable(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

//! Standard loops: again while a condition holds (BPMN 2.0.2 §10.3.8, Table 10.29).

use super::repeat;
use crate::Name;
use crate::expressions::EvaluationError;
use crate::graph::Expression;
use crate::instance::{IncidentStage, NONE, TokenId};
use crate::step::{Event, Stage, Step};
use crate::value::Value;

/// The number of the first round.
pub(crate) const FIRST: u32 = 1;

/// Begins the loop, unless its condition is tested first and does not hold.
pub(crate) fn start(
    step: &mut Step<'_, '_>,
    token: TokenId,
    test_before: bool,
    maximum: Option<u32>,
    condition: Option<&Expression>,
) -> Result<(), EvaluationError> {
    // No round has been yet.
    let counter = [("loopCounter".into(), Value::Integer(0))];
    if test_before && (maximum == Some(0) || !goes_on(step, token, condition, &counter)?) {
        step.schedule(token, Stage::Leave);
        step.close_waits(crate::instance::Owner::Token(token), crate::step::Closed::Cancelled);
        return Ok(());
    }
    let scope = repeat::open(step, token, NONE, NONE);
    let round = repeat::begin_round(step, scope, FIRST);
    step.schedule(round, Stage::Begin);
    Ok(())
}

fn goes_on(
    step: &mut Step<'_, '_>,
    token: TokenId,
    condition: Option<&Expression>,
    counter: &[(Name, Value)],
) -> Result<bool, EvaluationError> {
    match condition {
        Some(condition) => step.holds(condition, step.variable_scope(token), step.node_of(token), counter),
        None => Ok(true),
    }
}

/// After a round: another one, or the end.
pub(crate) fn round_completed(
    step: &mut Step<'_, '_>,
    token: TokenId,
    maximum: Option<u32>,
    condition: Option<&Expression>,
) {
    let Some(scope) = step.instance.tokens.get(token).map(|token| token.scope) else { return };
    let begun = step.instance.scopes.get(scope).and_then(|scope| scope.repeat()).map_or(0, |repeat| repeat.started);
    let more = maximum.is_none_or(|maximum| begun < maximum)
        && match goes_on(step, token, condition, &[]) {
            Ok(more) => more,
            Err(error) => return step.stuck(token, error.into(), IncidentStage::Round(0)),
        };
    step.retire(token);
    step.emit(Event::RoundEnded { token, round: begun.saturating_sub(1), result: NONE });
    if more {
        let round = repeat::begin_round(step, scope, begun.saturating_add(1));
        step.schedule(round, Stage::Begin);
    } else {
        repeat::end(step, scope);
    }
}

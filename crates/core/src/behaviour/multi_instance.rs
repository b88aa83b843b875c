//! Multi-instance activities: a round for each item, or a number of them (BPMN 2.0.2 §10.3.8, §13.3.7).

use std::borrow::Cow;

use super::{compensation, intermediate_event, repeat, user_task::number};
use crate::Name;
use crate::dialect::Dialect;
use crate::expressions::EvaluationError;
use crate::graph::{Home, MultiInstance, Throw};
use crate::instance::{IncidentStage, NONE, Owner, ScopeId, TokenId};
use crate::model::MultiInstanceBehavior;
use crate::step::{Closed, Event, Problem, Stage, Step, put};
use crate::value::Value;

/// Rounds that one activity may have: more is taken for a mistake.
const MAXIMUM_ROUNDS: u32 = 100_000;

/// Begins all rounds, or the first.
pub(crate) fn start(step: &mut Step<'_, '_>, token: TokenId, multi: &MultiInstance) -> Result<(), EvaluationError> {
    let (outside, node) = (step.variable_scope(token), step.node_of(token));
    let (total, items) = rounds(step, outside, node, multi)?;
    let begun = if multi.sequential && !multi.bare { 1 } else { total };
    if begun >= step.budget {
        let id = &step.graph.node(node).id;
        return Err(EvaluationError::Limit(format!(
            "`{id}` would begin {total} instances in a step in which too many have begun already; put a savepoint before it"
        )));
    }
    let items = items.map_or(NONE, |items| step.keep(items));
    let scope = repeat::open(step, token, total, items);
    if total == 0 {
        let outcome = outcome(step, scope, multi, None)?;
        finish(step, scope, outcome);
        return Ok(());
    }
    if multi.bare {
        // There is nothing to do in a round and nothing to remember of it: it is complete as soon as it has begun.
        step.budget -= total;
        for round in 0..total {
            step.emit(Event::RoundPassed { scope, round });
        }
        let outcome = outcome(step, scope, multi, None)?;
        finish(step, scope, outcome);
        return Ok(());
    }
    step.instance.tokens.reserve(begun);
    for index in 0..begun {
        begin_round(step, scope, index, multi);
    }
    Ok(())
}

/// How many rounds, and over which items.
fn rounds(
    step: &mut Step<'_, '_>,
    scope: ScopeId,
    node: u32,
    multi: &MultiInstance,
) -> Result<(u32, Option<Value>), EvaluationError> {
    let id = &step.graph.node(node).id;
    if let Some(collection) = &multi.collection {
        let given = step.map_all(&multi.inputs, scope, node, &[])?;
        let value = step.evaluate_with(collection, scope, node, &given)?;
        let items = match value.plain() {
            Value::List(_) => value.plain().clone(),
            // Kinder than Camunda 7: a map's values are items, too.
            Value::Map(entries) => Value::from(entries.values().cloned().collect::<Vec<_>>()),
            other => {
                return Err(EvaluationError::Failed(format!(
                    "the collection `{}` of `{id}` is a {}, not a list",
                    collection.text,
                    other.kind()
                )));
            }
        };
        let Value::List(list) = &items else { return Ok((0, None)) };
        let total = u32::try_from(list.len()).ok().filter(|total| *total <= MAXIMUM_ROUNDS);
        let total = total.ok_or_else(|| too_many(id))?;
        return Ok((total, Some(items)));
    }
    let Some(cardinality) = &multi.cardinality else { return Ok((0, None)) };
    let value = step.evaluate(cardinality, scope, node)?;
    // Between two numbers of instances nobody can tell which is meant.
    let is_whole = !matches!(value.plain(), Value::Number(number) if number.fract() != 0.0);
    match number(&value).filter(|_| is_whole).and_then(|number| u32::try_from(number).ok()) {
        Some(total) if total <= MAXIMUM_ROUNDS => Ok((total, None)),
        Some(_) => Err(too_many(id)),
        None => Err(EvaluationError::Failed(format!(
            "the number of instances `{}` of `{id}` is {value}, not a whole number of at least 0",
            cardinality.text
        ))),
    }
}

fn too_many(id: &str) -> EvaluationError {
    EvaluationError::Limit(format!("`{id}` would have more than {MAXIMUM_ROUNDS} instances"))
}

fn begin_round(step: &mut Step<'_, '_>, scope: ScopeId, index: u32, multi: &MultiInstance) {
    let token = repeat::begin_round(step, scope, index.saturating_add(multi.first_counter));
    let inside = step.own_scope(token);
    if let Some(name) = &multi.element_variable {
        let item = match step.instance.scopes.get(scope).and_then(|scope| scope.repeat()).map(|repeat| &repeat.items) {
            Some(Value::List(items)) => items.get(index as usize).cloned().unwrap_or_default(),
            _ => Value::Null,
        };
        step.set_local(inside, name.clone(), item);
    }
    if let Some(name) = &multi.index_variable {
        step.set_local(inside, name.clone(), Value::Integer(index.into()));
    }
    if let Some(name) = &multi.output_variable
        && multi.output_collection.is_some()
        && multi.element_variable.as_ref() != Some(name)
    {
        // Declared in the round, so that its work writes here and not over another round's result.
        step.set_local(inside, name.clone(), Value::Null);
    }
    if multi.continuation.before {
        step.savepoint(token, false, multi.retry_cycle.as_ref(), IncidentStage::Enter);
    } else {
        step.schedule(token, Stage::Begin);
    }
}

/// A round is done: perhaps events are thrown (those before `next` have been), perhaps the whole is, perhaps the next begins.
pub(crate) fn round_completed(step: &mut Step<'_, '_>, token: TokenId, multi: &MultiInstance, mut next: u32) {
    if let Err(problem) = try_complete_round(step, token, multi, &mut next) {
        step.stuck(token, problem, IncidentStage::Round(next));
    }
}

/// `next` is the event that is to be thrown next: none is thrown again when a round that was stuck tries again.
fn try_complete_round(
    step: &mut Step<'_, '_>,
    token: TokenId,
    multi: &MultiInstance,
    next: &mut u32,
) -> Result<(), Problem> {
    let Some((scope, inside, node, serial)) =
        step.instance.tokens.get(token).map(|token| (token.scope, token.inside, token.node, token.serial))
    else {
        return Ok(());
    };
    // All that can fail comes first: a round that is stuck has not ended, and tries again.
    let number = step.instance.scopes.get(inside).map_or(0, |scope| scope.round);
    let round = number.saturating_sub(multi.first_counter);
    let result = match (&multi.output_element, &multi.output_variable) {
        (Some(element), _) => Some(step.mapped(element, inside, node, &[])?),
        (None, Some(name)) => step.instance.scopes.get(inside).and_then(|scope| scope.variable(name)).cloned(),
        (None, None) => None,
    };
    let given = result.as_ref().map(|value| (round, value));
    let asks = multi.completion_condition.is_some() || !multi.complex.is_empty();
    let mut seen = if asks { counters_after(step, scope, multi.sequential) } else { Vec::new() };
    let complete = match &multi.completion_condition {
        Some(condition) => {
            // In Camunda 8 the results so far are a variable of the loop. It takes time to list them.
            if let Some(name) = &multi.output_collection
                && step.graph.dialect() == Dialect::Zeebe
                && condition.text.contains(&**name)
            {
                seen.push((name.clone(), results(step, scope, multi, given)?));
            }
            step.holds(condition, inside, node, &seen)?
        }
        None => false,
    };
    let Some(repeat) = step.instance.scopes.get(scope).and_then(|scope| scope.repeat()) else { return Ok(()) };
    let is_last = complete || (repeat.started >= repeat.total && repeat.active() <= 1);
    let outcome = if is_last { outcome(step, scope, multi, given)? } else { Vec::new() };
    for (number, event) in thrown_events(step, inside, node, scope, multi, &seen, *next)? {
        *next = number;
        match event {
            // A round that has ended waits for nothing.
            Throw::Compensation { activity, .. } => {
                compensation::throw(step, token, number, *activity, false);
            }
            event => {
                intermediate_event::throw_one(step, token, number, event)?;
            }
        }
        *next = number + 1;
        if !step.is_alive(token, serial) {
            return Ok(()); // What was thrown has interrupted the activity itself.
        }
    }
    let result = result.map_or(NONE, |result| step.keep(result));
    step.retire(token);
    step.emit(Event::RoundEnded { token, round, result });
    if is_last {
        step.way_out_for_good(scope);
        step.cancel_contents(scope, NONE);
        finish(step, scope, outcome);
        return Ok(());
    }
    let Some(repeat) = step.instance.scopes.get(scope).and_then(|scope| scope.repeat()) else { return Ok(()) };
    let (started, total) = (repeat.started, repeat.total);
    if started < total {
        begin_round(step, scope, started, multi);
    }
    Ok(())
}

/// Variables that are set once all rounds are done, each in its scope.
type Outcome = Vec<(ScopeId, Name, Value)>;

/// What comes of the results of all rounds, with that of the one that is about to end; nothing if the model keeps none.
fn outcome(
    step: &mut Step<'_, '_>,
    scope: ScopeId,
    multi: &MultiInstance,
    last: Option<(u32, &Value)>,
) -> Result<Outcome, EvaluationError> {
    let Some(name) = &multi.output_collection else { return Ok(Vec::new()) };
    let Some((owner, node)) = step.instance.scopes.get(scope).map(|scope| (scope.owner, scope.node)) else {
        return Ok(Vec::new());
    };
    let results = results(step, scope, multi, last)?;
    let outside = step.instance.tokens.get(owner).map_or(NONE, |token| token.scope);
    if multi.outputs.is_empty() {
        return Ok(vec![(step.nearest(outside, name), name.clone(), results)]);
    }
    let seen = [(name.clone(), results)];
    let mut outcome = Outcome::new();
    for output in &multi.outputs {
        let value = step.mapped(&output.source, scope, node, &seen)?;
        let Some((name, path)) = output.target.split_first() else { continue };
        let place = match output.home {
            Home::Own => scope,
            Home::Seen => step.nearest(outside, name),
            Home::Of(owner) => step.nearest(step.instance.scope_around(outside, owner), name),
        };
        match outcome.iter_mut().find(|(scope, other, _)| *scope == place && other == name) {
            Some((_, _, set)) => *set = put(Some(std::mem::take(set)), path, value)?,
            None => {
                let base = step.instance.visible(place, name).map(Cow::into_owned);
                outcome.push((place, name.clone(), put(base, path, value)?));
            }
        }
    }
    Ok(outcome)
}

/// The results of all rounds, with that of the one that is about to end.
fn results(
    step: &Step<'_, '_>,
    scope: ScopeId,
    multi: &MultiInstance,
    last: Option<(u32, &Value)>,
) -> Result<Value, EvaluationError> {
    let Some(repeat) = step.instance.scopes.get(scope).and_then(|scope| scope.repeat()) else {
        return Ok(Value::Null);
    };
    let mut results = repeat.results.clone();
    results.resize(repeat.total as usize, Value::Null);
    if let Some((round, value)) = last
        && let Some(place) = results.get_mut(round as usize)
    {
        *place = value.clone();
    }
    if multi.aggregates {
        // What a round gives to an aggregation is never null.
        results.retain(|result| !result.is_null());
    }
    let results = Value::from(results);
    results.check()?;
    Ok(results)
}

/// The counters as they are once a round that runs now has ended: what conditions on its completion see.
fn counters_after(step: &Step<'_, '_>, scope: ScopeId, sequential: bool) -> Vec<(Name, Value)> {
    let Some(repeat) = step.instance.scopes.get(scope).and_then(|scope| scope.repeat()) else { return Vec::new() };
    // Of rounds that follow one another Camunda 7 and Flowable count one as active all the time.
    let stays = sequential && matches!(step.graph.dialect(), Dialect::Camunda | Dialect::Flowable);
    let ended = u32::from(!stays);
    let (completed, active) = (repeat.completed.saturating_add(1), repeat.active().saturating_sub(ended));
    let counter = |name: &str, count: u32| (Name::from(name), Value::Integer(count.into()));
    vec![
        counter("numberOfCompletedInstances", completed),
        counter("nrOfCompletedInstances", completed),
        counter("numberOfActiveInstances", active),
        counter("nrOfActiveInstances", active),
    ]
}

/// The events of `behavior` (BPMN 2.0.2 Table 10.31): `None` throws on each completion, `One` on the first, `Complex` where
/// its conditions hold. Boundary events of the activity catch them. Each has a number, by its place; none before `from` counts.
fn thrown_events<'m>(
    step: &mut Step<'_, '_>,
    inside: ScopeId,
    node: u32,
    scope: ScopeId,
    multi: &'m MultiInstance,
    counters: &[(Name, Value)],
    from: u32,
) -> Result<Vec<(u32, &'m Throw)>, Problem> {
    let is_first = step.instance.scopes.get(scope).and_then(|scope| scope.repeat()).is_none_or(|r| r.completed == 0);
    let mut events: Vec<(u32, &Throw)> = Vec::new();
    match multi.behavior {
        MultiInstanceBehavior::All => {}
        MultiInstanceBehavior::One if !is_first => {}
        MultiInstanceBehavior::One | MultiInstanceBehavior::None => events.extend((0..).zip(&multi.event)),
        MultiInstanceBehavior::Complex => {
            let mut numbers = 0..;
            for (condition, thrown) in &multi.complex {
                let holds = step.holds(condition, inside, node, counters)?;
                events.extend(numbers.by_ref().zip(thrown.iter()).filter(|_| holds));
            }
        }
    }
    events.retain(|(number, _)| *number >= from);
    Ok(events)
}

/// All rounds are done: their results are known, and the activity is complete.
fn finish(step: &mut Step<'_, '_>, scope: ScopeId, outcome: Outcome) {
    let Some(owner) = step.instance.scopes.get(scope).map(|scope| scope.owner) else { return };
    step.close_waits(Owner::Token(owner), Closed::Cancelled);
    for (place, name, value) in outcome {
        step.set_local(place, name, value);
    }
    repeat::end(step, scope);
}

//! What starts a process from outside.

use std::sync::Arc;

use super::matching::Given;
use super::{Noted, StartPoint};
use crate::Name;
use crate::expressions::Evaluation;
use crate::graph::{Catch, Expression, NodeKind, ProcessGraph};
use crate::instance::{Failure, Ordinal, Retry};
use crate::model::TimerKind;
use crate::time::{Timer, Timestamp};
use crate::trigger::message::readable;
use crate::value::{Value, Zone};

/// A flow node whose event starts the process.
#[derive(Clone, Copy, Debug)]
pub struct StartTrigger<'g> {
    /// The start event, instantiating receive task, or event of an instantiating gateway.
    pub node: Ordinal,
    /// Which of its definitions it is.
    pub definition: u32,
    /// What it catches.
    pub catch: &'g Catch,
    /// All of the event's definitions must occur, not just this one.
    pub parallel: bool,
}

impl StartPoint {
    /// The place of a trigger of a process.
    #[must_use]
    pub fn of(graph: &Arc<ProcessGraph>, trigger: &StartTrigger<'_>) -> Self {
        let StartTrigger { node, definition, parallel, .. } = *trigger;
        Self { graph: graph.clone(), node, definition, parallel }
    }

    /// The places of what has been noted of the other definitions, one of each, that belongs together with what comes now; none if
    /// something is missing. Messages belong together if their correlation properties are the same (BPMN 2.0.2 §8.4.2, §10.6.6).
    pub(super) fn completed_by(&self, noted: &[Noted], payload: &[(Name, Value)]) -> Option<Vec<usize>> {
        let catches = self.graph.catches(self.node);
        let mut said = self.said(self.definition, payload);
        let mut places = Vec::new();
        for definition in (0..).take(catches.len()).filter(|definition| *definition != self.definition) {
            let belongs =
                |noted: &Noted| noted.definition == definition && agree(&said, &self.said(definition, &noted.payload));
            let place = noted.iter().position(belongs)?;
            said.extend(self.said(definition, &noted[place].payload));
            places.push(place);
        }
        places.sort_unstable();
        Some(places)
    }

    /// Whether what occurs again counts once more: a message does, for nothing that came may be lost; that a time has come, or a signal
    /// was heard, holds until the event has occurred.
    pub(super) fn counts_again(&self, noted: &[Noted]) -> bool {
        let is_message =
            matches!(self.graph.catches(self.node).get(self.definition as usize), Some(Catch::Message { .. }));
        is_message || noted.iter().all(|noted| noted.definition != self.definition)
    }

    /// The correlation properties of what came for a definition.
    fn said(&self, definition: u32, payload: &[(Name, Value)]) -> Vec<(Name, Value)> {
        let Some(Catch::Message { properties, .. }) = self.graph.catches(self.node).get(definition as usize) else {
            return Vec::new();
        };
        let payload = readable(payload);
        let given = Given(&payload);
        // What a message says of itself does not depend on the time.
        let said = properties.iter().filter_map(|property| {
            let value = property.retrieval.evaluate(&mut Evaluation::new(&given, Timestamp::UNIX_EPOCH)).ok()?;
            (!value.is_null()).then(|| (property.name.clone(), value))
        });
        said.collect()
    }
}

fn agree(one: &[(Name, Value)], other: &[(Name, Value)]) -> bool {
    one.iter().all(|(name, value)| other.iter().all(|(also, here)| also != name || here.loosely_equal(value)))
}

/// Everything that starts a process, except its none start events.
pub fn start_triggers(graph: &ProcessGraph) -> impl Iterator<Item = StartTrigger<'_>> {
    (0u32..).zip(graph.nodes()).filter(|(_, node)| node.parent.is_none()).flat_map(move |(ordinal, node)| {
        let (catches, parallel) = match &node.kind {
            NodeKind::StartEvent(event) => (&*event.catches, event.parallel),
            NodeKind::ReceiveTask(catch) if node.details.instantiates => (std::slice::from_ref(&**catch), false),
            NodeKind::CatchEvent(event) if graph.instantiating_gateway(ordinal).is_some() => (&*event.catches, false),
            NodeKind::ReceiveTask(catch) if graph.instantiating_gateway(ordinal).is_some() => {
                (std::slice::from_ref(&**catch), false)
            }
            _ => (&[][..], false),
        };
        (0u32..).zip(catches).map(move |(definition, catch)| StartTrigger {
            node: ordinal,
            definition,
            catch,
            parallel,
        })
    })
}

/// A timer that starts a process.
#[derive(Clone, Debug, PartialEq)]
pub struct StartTimer {
    /// The start event.
    pub node: Ordinal,
    /// When it fires next.
    pub timer: Timer,
    /// Which of the event's definitions it is.
    pub definition: u32,
}

impl StartTimer {
    /// The same one, as it is after it has fired; nothing if that was the last time.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        let timer = self.timer.next_due(self.timer.due)?;
        Some(Self { timer, ..self.clone() })
    }

    /// Its place, where its event needs other definitions, too.
    #[must_use]
    pub fn one_of_several(&self, graph: &Arc<ProcessGraph>) -> Option<StartPoint> {
        let is_its = |trigger: &StartTrigger<'_>| (trigger.node, trigger.definition) == (self.node, self.definition);
        let trigger = start_triggers(graph).find(is_its).filter(|trigger| trigger.parallel)?;
        Some(StartPoint::of(graph, &trigger))
    }
}

/// A timer's start of a process: what it is about to do, or has failed to (Camunda 7, Flowable).
#[derive(Clone, Debug, PartialEq)]
pub struct TimedStart {
    /// The start event.
    pub node: Ordinal,
    /// How it is tried.
    pub retry: Retry,
}

impl TimedStart {
    /// Before its first try.
    #[must_use]
    pub fn of(graph: &ProcessGraph, node: Ordinal, now: Timestamp) -> Self {
        let cycle = graph.get_node(node).and_then(|node| node.details.retry_cycle.as_ref());
        let cycle = cycle.and_then(|cycle| cycle.evaluate(&mut Evaluation::new(&Given(&[]), now)).ok());
        // One that cannot be computed says nothing, as in Camunda 7.
        let retry = cycle.as_ref().and_then(Value::as_str).map(|cycle| Retry::by(cycle.into())).unwrap_or_default();
        Self { node, retry }
    }

    /// Whether nothing stays of it should it fail: its dialect tries it again. There is no instance that could remember its tries;
    /// so the last one stands as it is, and has its incident where everybody sees it.
    #[must_use]
    pub fn is_undone(&self, graph: &ProcessGraph) -> bool {
        graph.dialect().tries_again() && self.retry.left > 1
    }

    /// After a try that failed now.
    #[must_use]
    pub fn failed(&self, failure: Failure, now: Timestamp) -> Self {
        Self { node: self.node, retry: self.retry.failed(failure, now) }
    }
}

/// The timers that start a process which is deployed at that time; or what is wrong with one.
pub fn start_timers(graph: &ProcessGraph, now: Timestamp) -> impl Iterator<Item = Result<StartTimer, String>> {
    start_triggers(graph).filter_map(move |trigger| {
        let Catch::Timer { kind, expression, end } = trigger.catch else { return None };
        let timer = start_timer(*kind, expression, end.as_ref(), now);
        Some(timer.map(|timer| StartTimer { node: trigger.node, timer, definition: trigger.definition }))
    })
}

fn start_timer(
    kind: TimerKind,
    expression: &Expression,
    end: Option<&Expression>,
    now: Timestamp,
) -> Result<Timer, String> {
    let evaluate = |expression: &Expression| {
        expression.evaluate(&mut Evaluation::new(&Given(&[]), now)).map_err(|error| error.to_string())
    };
    let (value, end) = (evaluate(expression)?, end.map(evaluate).transpose()?.unwrap_or_default());
    let timer = Timer::parse(kind, &value, now, &Zone::UTC).and_then(|timer| timer.until(&end, now, &Zone::UTC));
    timer.map_err(|error| error.to_string())
}

//! Events and what they catch or throw.

use super::outline::Target;
use super::source::{Source, node_of};
use crate::diagnostic::Severity;
use crate::dialect::ExpressionUse;
use crate::model::{Event, EventDefinition, EventPosition, ProcessIndex, TimerDefinition, TimerKind};
use crate::xml::{Element, ElementIndex};

impl<'d> Source<'d> {
    pub(super) fn event(&self, element: Element<'d>, process: ProcessIndex) -> Event {
        let position = match element.name() {
            "startEvent" => EventPosition::Start { interrupting: self.flag(element, "isInterrupting", true) },
            "intermediateCatchEvent" => EventPosition::IntermediateCatch,
            "intermediateThrowEvent" => EventPosition::IntermediateThrow,
            "boundaryEvent" => EventPosition::Boundary {
                attached_to: self.node(element, "attachedToRef", process),
                cancel_activity: self.flag(element, "cancelActivity", true),
            },
            _ => EventPosition::End,
        };
        let mut data_associations = self.data_associations(element, "dataInputAssociation");
        data_associations.extend(self.data_associations(element, "dataOutputAssociation"));
        Event {
            position,
            definitions: self.definitions_of(element, process),
            lacks_definition: self.children(element, "eventDefinitionRef").any(|child| !self.is_defined(&child.text())),
            parallel_multiple: self.flag(element, "parallelMultiple", false),
            data_inputs: self.data_inputs(element),
            data_outputs: self.data_outputs(element),
            data_associations,
            properties: self.properties(element),
        }
    }

    /// The event definitions in an event, in document order, and those that it refers to.
    pub(super) fn definitions_of(&self, element: Element<'d>, process: ProcessIndex) -> Vec<EventDefinition> {
        let read = |child: Element<'d>| match child.name() {
            "eventDefinitionRef" => self.referred_definition(child, &child.text(), process),
            _ => self.event_definition(child, process),
        };
        let mut definitions: Vec<_> = self.bpmn(element).filter_map(read).collect();
        // What the event says holds for each of its definitions: so it is read once.
        let is_message = |definition: &EventDefinition| matches!(definition, EventDefinition::Message { .. });
        if let Some(of_event) = self.dialect.event_job(element).filter(|_| definitions.iter().any(is_message)) {
            for definition in &mut definitions {
                if let EventDefinition::Message { job: job @ None, extension, .. } = definition {
                    *job = Some(of_event.clone());
                    extension.expression = None;
                }
            }
        }
        definitions
    }

    /// An event definition at the top of the file has that id.
    fn is_defined(&self, text: &str) -> bool {
        let text = self.without_prefix(text);
        text.is_some_and(|text| self.outline.target(&text, definition_of).is_some())
    }

    /// The event definition at the top of the file that a text refers to.
    pub(super) fn referred_definition(
        &self,
        element: Element<'d>,
        text: &str,
        process: ProcessIndex,
    ) -> Option<EventDefinition> {
        let text = self.without_prefix(text)?;
        if let Some(index) = self.outline.target(&text, definition_of) {
            return self.event_definition(self.document.element(index), process);
        }
        self.report(
            "event-definition-unknown",
            Severity::Error,
            element,
            format!("no event definition at the top of the file has the id `{text}`"),
            "write the event definition into the event itself, or correct the id",
        );
        None
    }

    /// Reads an event definition; none if the element is something else.
    pub(super) fn event_definition(&self, definition: Element<'d>, process: ProcessIndex) -> Option<EventDefinition> {
        let element = definition.index();
        Some(match definition.name() {
            "messageEventDefinition" => EventDefinition::Message {
                element,
                message: self.message(definition, "messageRef"),
                operation: self.operation(definition),
                job: self.dialect.definition_job(definition),
                extension: Box::new(self.dialect.element(definition)),
            },
            "timerEventDefinition" => EventDefinition::Timer { element, timer: self.timer(definition) },
            "signalEventDefinition" => EventDefinition::Signal {
                element,
                signal: self.referred_as(definition, "signalRef", |target| match target {
                    Target::Signal(signal) => Some(signal),
                    _ => None,
                }),
                name: self.dialect.signal_name(definition),
                payload: self.dialect.signal_payload(definition),
            },
            "errorEventDefinition" => EventDefinition::Error {
                element,
                error: self.referred_as(definition, "errorRef", |target| match target {
                    Target::Error(error) => Some(error),
                    _ => None,
                }),
                variables: self.dialect.error_variables(definition),
            },
            "escalationEventDefinition" => EventDefinition::Escalation {
                element,
                escalation: self.referred_as(definition, "escalationRef", |target| match target {
                    Target::Escalation(escalation) => Some(escalation),
                    _ => None,
                }),
                code_variable: self.dialect.escalation_code_variable(definition),
            },
            "conditionalEventDefinition" => EventDefinition::Conditional {
                element,
                condition: self.expression(definition, "condition", ExpressionUse::Condition),
                variables: self.dialect.condition_variables(definition),
                changes: self.dialect.condition_changes(definition),
            },
            "linkEventDefinition" => EventDefinition::Link { element, name: self.name(definition) },
            "compensateEventDefinition" => EventDefinition::Compensation {
                element,
                activity: self.referred_as(definition, "activityRef", |target| node_of(target, process)),
                wait_for_completion: self.flag(definition, "waitForCompletion", true),
            },
            "cancelEventDefinition" => EventDefinition::Cancel { element },
            "terminateEventDefinition" => {
                EventDefinition::Terminate { element, all: self.dialect.terminate_all(definition) }
            }
            _ => return None,
        })
    }

    fn timer(&self, definition: Element<'d>) -> Option<TimerDefinition> {
        self.bpmn(definition).find_map(|child| {
            let kind = TimerKind::of_element(child.name())?;
            let expression = self.own_expression(child, ExpressionUse::Timer)?;
            Some(TimerDefinition { kind, expression, end: self.dialect.cycle_end(child) })
        })
    }
}

fn definition_of(target: Target) -> Option<ElementIndex> {
    match target {
        Target::EventDefinition(definition) => Some(definition),
        _ => None,
    }
}

//! What events catch and throw.

use std::sync::Arc;

use super::compile::Compiler;
use super::{Catch, ChangeFilter, CorrelationProperty, Details, Expression, Throw};
use crate::Name;
use crate::dialect::Dialect;
use crate::expressions::Purpose;
use crate::model::{self, Event, EventDefinition, EventPosition, Reference, TimerDefinition};

impl<'a> Compiler<'a> {
    pub(super) fn catches(&mut self, event: &Event) -> Box<[Catch]> {
        // Camunda 7 lets what stays occur with each change of a variable while its condition holds.
        let stays = match &event.position {
            EventPosition::Start { interrupting } => !interrupting,
            EventPosition::Boundary { cancel_activity, .. } => !cancel_activity,
            _ => false,
        };
        let each = stays && !event.parallel_multiple && self.definitions.dialect == Dialect::Camunda;
        event.definitions.iter().filter_map(|definition| self.catch(definition, each)).collect()
    }

    pub(super) fn throws(&mut self, node: &model::FlowNode, event: &Event, details: &mut Details) -> Box<[Throw]> {
        let items = self.items(event);
        let thrown = (0..).zip(&event.definitions);
        let thrown = thrown.filter_map(|(place, definition)| Some((place, self.throw(Some(node), definition)?)));
        let mut throws: Vec<(usize, Throw)> = thrown.collect();
        throws.sort_by_key(|(_, throw)| turn(throw));
        details.items = throws.iter().filter_map(|(place, _)| items.get(*place).cloned()).collect();
        throws.into_iter().map(|(_, throw)| throw).collect()
    }

    /// All that several definitions throw.
    pub(super) fn throws_of<T: FromIterator<Throw>>(
        &mut self,
        node: Option<&model::FlowNode>,
        definitions: &[EventDefinition],
    ) -> T {
        let thrown = definitions.iter().filter_map(|definition| self.throw(node, definition));
        let mut throws: Vec<Throw> = thrown.collect();
        throws.sort_by_key(turn);
        throws.into_iter().collect()
    }

    pub(super) fn timer(&mut self, timer: &TimerDefinition) -> Catch {
        Catch::Timer {
            kind: timer.kind,
            expression: self.expression(&timer.expression, Purpose::Expression),
            end: self.optional(timer.end.as_ref()),
        }
    }

    fn catch(&mut self, definition: &EventDefinition, each: bool) -> Option<Catch> {
        Some(match definition {
            EventDefinition::Message { message, extension, .. } => {
                self.message_catch(message.as_ref(), extension.name.as_ref())
            }
            EventDefinition::Timer { timer, .. } => self.timer(timer.as_ref()?),
            EventDefinition::Signal { signal, name, .. } => {
                Catch::Signal { name: self.signal_name(signal.as_ref(), name.as_ref())?.0 }
            }
            EventDefinition::Conditional { condition, variables, changes, .. } => {
                let looks_at = |change: &str| changes.is_empty() || changes.iter().any(|other| &**other == change);
                let filter = (each || !variables.is_empty() || !changes.is_empty()).then(|| {
                    Box::new(ChangeFilter {
                        variables: variables.clone(),
                        on_create: looks_at("create"),
                        on_update: looks_at("update"),
                        each,
                    })
                });
                self.asks_conditions = true;
                self.filters_conditions |= filter.is_some();
                Catch::Condition { condition: self.optional(condition.as_ref())?, filter }
            }
            EventDefinition::Error { error, variables, .. } => Catch::Error {
                code: self.error_code(error.as_ref()),
                code_variable: variables.code.clone(),
                message_variable: variables.message.clone(),
                local: variables.local,
            },
            EventDefinition::Escalation { escalation, code_variable, .. } => Catch::Escalation {
                code: escalation.as_ref().and_then(|reference| match self.escalation(reference) {
                    Some(declared) => self.caught_code(declared.code.as_ref(), &declared.id),
                    None => Some(reference.text.clone()),
                }),
                code_variable: code_variable.clone(),
            },
            EventDefinition::Compensation { .. } => Catch::Compensation,
            EventDefinition::Cancel { .. } => Catch::Cancel,
            EventDefinition::Link { .. } => Catch::Link,
            EventDefinition::Terminate { .. } => return None,
        })
    }

    pub(super) fn throw(&mut self, node: Option<&model::FlowNode>, definition: &EventDefinition) -> Option<Throw> {
        Some(match definition {
            EventDefinition::Message { job: Some(job), .. } => Throw::Job(Box::new(self.job(job))),
            EventDefinition::Message { message, operation, extension, .. } => {
                if let Some(job) = &extension.job {
                    return Some(Throw::Job(Box::new(self.job(job))));
                }
                if let Some(expression) = &extension.expression {
                    return Some(match self.bean_job(expression, extension) {
                        Some(job) => Throw::Job(Box::new(job)),
                        None => Throw::Expression {
                            expression: self.expression(expression, Purpose::Script),
                            result_variable: extension.result_variable.clone(),
                        },
                    });
                }
                let message = message.as_ref().or_else(|| self.definitions.operation_message(operation.as_ref()));
                self.message_throw(message, extension.name.as_ref())
            }
            EventDefinition::Signal { signal, name, payload, .. } => {
                let (name, instance_only) = self.signal_name(signal.as_ref(), name.as_ref())?;
                Throw::Signal {
                    name,
                    instance_only,
                    carries_all: payload.all,
                    payload: payload.mappings.iter().map(|mapping| self.mapping(mapping)).collect(),
                }
            }
            EventDefinition::Error { error, .. } => {
                let declared = error.as_ref().and_then(|error| error.target);
                let declared = declared.map(|error| &self.definitions.errors[error]);
                let code = match (declared, error) {
                    (Some(declared), _) => match &declared.code {
                        Some(code) => Some(self.expression(code, Purpose::Expression)),
                        None => Some(Expression::literal(declared.id.clone())),
                    },
                    (None, Some(reference)) => Some(Expression::literal(reference.text.clone())),
                    (None, None) => None,
                };
                let message = declared.and_then(|declared| declared.message.as_ref());
                Throw::Error { code, message: self.optional(message) }
            }
            EventDefinition::Escalation { escalation, .. } => {
                let code = match escalation.as_ref() {
                    Some(reference) => match self.escalation(reference) {
                        Some(declared) => match &declared.code {
                            Some(code) => Some(self.expression(code, Purpose::Expression)),
                            None => Some(Expression::literal(declared.id.clone())),
                        },
                        None => Some(Expression::literal(reference.text.clone())),
                    },
                    None => None,
                };
                Throw::Escalation { code }
            }
            EventDefinition::Compensation { activity, wait_for_completion, .. } => Throw::Compensation {
                activity: activity.as_ref().and_then(|activity| activity.target).map(|activity| activity.0),
                wait: *wait_for_completion,
            },
            EventDefinition::Cancel { .. } => Throw::Cancel,
            EventDefinition::Terminate { all, .. } => Throw::Terminate { all: *all },
            EventDefinition::Link { name, .. } => {
                Throw::Link { target: *self.links.get(&(node?.parent, name.as_ref()))? }
            }
            EventDefinition::Timer { .. } | EventDefinition::Conditional { .. } => return None,
        })
    }

    pub(super) fn message_catch(
        &mut self,
        message: Option<&Reference<usize>>,
        computed: Option<&model::Expression>,
    ) -> Catch {
        let index = message.and_then(|message| message.target);
        let declared = index.map(|message| &self.definitions.messages[message]);
        Catch::Message {
            name: self.message_name(message).or_else(|| self.optional(computed)),
            correlation_key: self.optional(declared.and_then(|message| message.extension.correlation_key.as_ref())),
            properties: self.correlation_properties(index),
        }
    }

    pub(super) fn message_throw(
        &mut self,
        message: Option<&Reference<usize>>,
        computed: Option<&model::Expression>,
    ) -> Throw {
        let index = message.and_then(|message| message.target);
        let declared = index.map(|message| &self.definitions.messages[message]);
        Throw::Message {
            name: self.message_name(message).or_else(|| self.optional(computed)),
            correlation_key: self.optional(declared.and_then(|message| message.extension.correlation_key.as_ref())),
            properties: self.correlation_properties(index),
        }
    }

    fn message_name(&mut self, message: Option<&Reference<usize>>) -> Option<Expression> {
        let message = message?;
        match message.target.map(|message| &self.definitions.messages[message]) {
            Some(declared) => Some(match &declared.name {
                Some(name) => self.expression(name, Purpose::Expression),
                None => Expression::literal(declared.id.clone()),
            }),
            None => Some(Expression::literal(message.text.clone())),
        }
    }

    /// The correlation properties that can be read from a message, with what the process itself knows of them
    /// (BPMN 2.0.2 §8.4.2, key-based and context-based correlation).
    fn correlation_properties(&mut self, message: Option<usize>) -> Arc<[CorrelationProperty]> {
        let Some(message) = message else { return Arc::default() };
        if let Some(properties) = self.correlation_properties.get(&message) {
            return properties.clone();
        }
        let declared = self.declared;
        let retrievals = declared.retrievals.get(&message).into_iter().flatten();
        let properties: Arc<[_]> = retrievals
            .map(|(index, path)| {
                let property = &self.definitions.correlation_properties[*index];
                CorrelationProperty {
                    name: property.name.as_ref().unwrap_or(&property.id).clone(),
                    retrieval: self.expression(path, Purpose::Expression),
                    binding: self.optional(self.bindings.get(index).copied().flatten()),
                }
            })
            .collect();
        self.correlation_properties.insert(message, properties.clone());
        properties
    }

    fn signal_name(
        &mut self,
        signal: Option<&Reference<usize>>,
        computed: Option<&model::Expression>,
    ) -> Option<(Expression, bool)> {
        let Some(signal) = signal else { return Some((self.optional(computed)?, false)) };
        Some(match signal.target.map(|signal| &self.definitions.signals[signal]) {
            Some(declared) => {
                let name = match &declared.name {
                    Some(name) => self.expression(name, Purpose::Expression),
                    None => Expression::literal(declared.id.clone()),
                };
                (name, declared.instance_scope)
            }
            None => (Expression::literal(signal.text.clone()), false),
        })
    }

    /// The code that an error event catches: none catches every error. A reference to no declared error is the code.
    fn error_code(&self, error: Option<&Reference<usize>>) -> Option<Name> {
        let error = error?;
        match error.target.map(|error| &self.definitions.errors[error]) {
            Some(declared) => self.caught_code(declared.code.as_ref(), &declared.id),
            None => Some(error.text.clone()),
        }
    }

    /// What is declared without a code has its id for one; in Camunda 7's dialect it catches everything.
    fn caught_code(&self, code: Option<&model::Expression>, id: &Name) -> Option<Name> {
        match code {
            Some(code) => Some(code.text.clone()),
            None => (self.definitions.dialect != Dialect::Camunda).then(|| id.clone()),
        }
    }

    fn escalation(&self, escalation: &Reference<usize>) -> Option<&'a model::EscalationDeclaration> {
        escalation.target.map(|escalation| &self.definitions.escalations[escalation])
    }
}

/// What the thrower waits for is thrown behind what is only sent, and what may end the thrower last, so that nothing is left out.
fn turn(throw: &Throw) -> u8 {
    match throw {
        Throw::Message { .. }
        | Throw::Expression { .. }
        | Throw::Compensation { wait: false, .. }
        | Throw::Link { .. } => 0,
        Throw::Job(_) | Throw::Compensation { wait: true, .. } => 1,
        Throw::Signal { .. } => 2,
        Throw::Escalation { .. } => 3,
        Throw::Error { .. } => 4,
        Throw::Cancel => 5,
        Throw::Terminate { .. } => 6,
    }
}

//! What the dialects say about messages, signals, errors, escalations and conditions.

use super::reader::{comma_separated, is_true, own};
use super::{ErrorVariables, MessageProperties, Reader, SignalPayload};
use crate::Name;
use crate::model::Expression;
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// Reads what the dialects say about a `message`.
    #[must_use]
    pub fn message(&self, message: Element<'d>) -> MessageProperties {
        let zeebe = self.zeebe_element(message, "subscription");
        let zeebe =
            zeebe.and_then(|subscription| Some(self.value(subscription, &own(subscription, "correlationKey")?)));
        let other = || self.any(message, "correlationKey").map(|text| self.value(message, &text));
        MessageProperties { correlation_key: zeebe.or_else(other) }
    }

    /// Where an `errorEventDefinition` puts the details of what it catches.
    #[must_use]
    pub fn error_variables(&self, definition: Element<'d>) -> ErrorVariables {
        ErrorVariables {
            code: self.any(definition, "errorCodeVariable").or_else(|| self.classic(definition, "errorVariableName")),
            message: self.any(definition, "errorMessageVariable"),
            local: self.flag(definition, "errorVariableLocalScope") == Some(true),
        }
    }

    /// Where an `escalationEventDefinition` puts the code of what it catches.
    #[must_use]
    pub fn escalation_code_variable(&self, definition: Element<'d>) -> Option<Name> {
        self.any(definition, "escalationCodeVariable")
    }

    /// The moment after which a `timeCycle` does not occur any more (Flowable).
    #[must_use]
    pub fn cycle_end(&self, cycle: Element<'d>) -> Option<Expression> {
        let end = self.classic(cycle, "endDate").filter(|_| cycle.name() == "timeCycle")?;
        Some(self.value(cycle, &end))
    }

    /// The message that an `error` carries when thrown.
    #[must_use]
    pub fn error_message(&self, error: Element<'d>) -> Option<Expression> {
        self.any(error, "errorMessage").map(|text| self.value(error, &text))
    }

    /// The variables that a `signalEventDefinition` hands over.
    #[must_use]
    pub fn signal_payload(&self, definition: Element<'d>) -> SignalPayload {
        let mut payload = SignalPayload::default();
        for handed in self.classic_elements(definition, "in") {
            if own(handed, "variables").as_deref() == Some("all") {
                payload.all |= !own(handed, "local").is_some_and(|local| is_true(&local));
            } else {
                payload.mappings.extend(self.handover(handed));
            }
        }
        payload
    }

    /// The name of the signal of a `signalEventDefinition` where it is computed (Flowable).
    #[must_use]
    pub fn signal_name(&self, definition: Element<'d>) -> Option<Expression> {
        self.classic(definition, "signalExpression").map(|text| self.value(definition, &text))
    }

    /// Whether a `signal` reaches only the instance that throws it.
    #[must_use]
    pub fn signal_instance_scope(&self, signal: Element<'d>) -> bool {
        self.classic(signal, "scope").as_deref() == Some("processInstance")
    }

    /// Whether a `terminateEventDefinition` ends the whole instance.
    #[must_use]
    pub fn terminate_all(&self, definition: Element<'d>) -> bool {
        self.flag(definition, "terminateAll") == Some(true)
    }

    /// The only variables whose changes a `conditionalEventDefinition` looks at; all if empty.
    #[must_use]
    pub fn condition_variables(&self, definition: Element<'d>) -> Vec<Name> {
        let zeebe = self.zeebe_element(definition, "conditionalFilter");
        let zeebe = zeebe.and_then(|filter| own(filter, "variableNames"));
        comma_separated(zeebe.or_else(|| self.classic(definition, "variableName")))
    }

    /// The only kinds of change that a `conditionalEventDefinition` looks at (`create`, `update`, `delete`); all if empty.
    #[must_use]
    pub fn condition_changes(&self, definition: Element<'d>) -> Vec<Name> {
        let zeebe = self.zeebe_element(definition, "conditionalFilter");
        let zeebe = zeebe.and_then(|filter| own(filter, "variableEvents"));
        comma_separated(zeebe.or_else(|| self.classic(definition, "variableEvents")))
    }
}

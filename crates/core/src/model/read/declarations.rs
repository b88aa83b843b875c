//! What stands at the top of a file beside processes and collaborations.

use super::outline::Target;
use super::source::Source;
use crate::Name;
use crate::dialect::ExpressionUse;
use crate::model::{
    ActivityKind, CorrelationProperty, CorrelationRetrieval, DataStore, ErrorDeclaration, EscalationDeclaration,
    EventDefinition, GlobalTask, Interface, ItemDefinition, Message, Operation, ProcessIndex, Reference, Signal,
};
use crate::xml::Element;

/// Top-level event definitions are in no process; where an event refers to one, it is read again in the event's process.
const NO_PROCESS: ProcessIndex = ProcessIndex(u32::MAX);

impl<'d> Source<'d> {
    pub(super) fn messages(&self) -> Vec<Message> {
        let read = |element: &Element<'d>| Message {
            id: self.id(*element),
            name: self.attribute_expression(*element, "name"),
            element: element.index(),
            item: self.item(*element, "itemRef"),
            extension: self.dialect.message(*element),
        };
        self.outline.messages.iter().map(read).collect()
    }

    pub(super) fn signals(&self) -> Vec<Signal> {
        let read = |element: &Element<'d>| Signal {
            id: self.id(*element),
            name: self.attribute_expression(*element, "name"),
            element: element.index(),
            instance_scope: self.dialect.signal_instance_scope(*element),
        };
        self.outline.signals.iter().map(read).collect()
    }

    pub(super) fn errors(&self) -> Vec<ErrorDeclaration> {
        let read = |element: &Element<'d>| ErrorDeclaration {
            id: self.id(*element),
            name: self.name(*element),
            element: element.index(),
            code: self.attribute_expression(*element, "errorCode"),
            message: self.dialect.error_message(*element),
        };
        self.outline.errors.iter().map(read).collect()
    }

    pub(super) fn escalations(&self) -> Vec<EscalationDeclaration> {
        let read = |element: &Element<'d>| EscalationDeclaration {
            id: self.id(*element),
            name: self.name(*element),
            element: element.index(),
            code: self.attribute_expression(*element, "escalationCode"),
        };
        self.outline.escalations.iter().map(read).collect()
    }

    pub(super) fn item_definitions(&self) -> Vec<ItemDefinition> {
        let read = |element: &Element<'d>| ItemDefinition {
            id: self.id(*element),
            element: element.index(),
            structure: self.attribute(*element, "structureRef"),
            is_collection: self.flag(*element, "isCollection", false),
        };
        self.outline.items.iter().map(read).collect()
    }

    pub(super) fn data_stores(&self) -> Vec<DataStore> {
        let read = |element: &Element<'d>| DataStore {
            id: self.id(*element),
            name: self.name(*element),
            element: element.index(),
        };
        self.outline.data_stores.iter().map(read).collect()
    }

    pub(super) fn interfaces(&self) -> Vec<Interface> {
        let read = |(element, operations): &(Element<'d>, Vec<Element<'d>>)| Interface {
            id: self.id(*element),
            name: self.name(*element),
            element: element.index(),
            operations: operations.iter().map(|operation| self.operation_declaration(*operation)).collect(),
        };
        self.outline.interfaces.iter().map(read).collect()
    }

    fn operation_declaration(&self, element: Element<'d>) -> Operation {
        let error = |target| match target {
            Target::Error(error) => Some(error),
            _ => None,
        };
        let errors = self.all_referred(element, "errorRef");
        Operation {
            id: self.id(element),
            name: self.name(element),
            element: element.index(),
            in_message: self.message(element, "inMessageRef"),
            out_message: self.message(element, "outMessageRef"),
            errors: errors.into_iter().map(|text| self.reference(text, error)).collect(),
        }
    }

    pub(super) fn correlation_properties(&self) -> Vec<CorrelationProperty> {
        let read = |element: &Element<'d>| CorrelationProperty {
            id: self.id(*element),
            name: self.name(*element),
            element: element.index(),
            retrievals: self
                .children(*element, "correlationPropertyRetrievalExpression")
                .map(|retrieval| CorrelationRetrieval {
                    message: self.message(retrieval, "messageRef"),
                    path: self.expression(retrieval, "messagePath", ExpressionUse::Condition),
                })
                .collect(),
        };
        self.outline.correlation_properties.iter().map(read).collect()
    }

    pub(super) fn correlation_property(&self, text: Name) -> Reference<usize> {
        self.reference(text, |target| match target {
            Target::CorrelationProperty(property) => Some(property),
            _ => None,
        })
    }

    pub(super) fn event_definitions(&self) -> Vec<(Name, EventDefinition)> {
        let read = |element: &Element<'d>| Some((self.id(*element), self.event_definition(*element, NO_PROCESS)?));
        self.outline.event_definitions.iter().filter_map(read).collect()
    }

    pub(super) fn global_tasks(&self) -> Vec<GlobalTask> {
        let read = |element: &Element<'d>| GlobalTask {
            id: self.important_id(*element),
            name: self.name(*element),
            element: element.index(),
            kind: match element.name() {
                "globalUserTask" => ActivityKind::UserTask,
                "globalManualTask" => ActivityKind::ManualTask,
                "globalScriptTask" => self.script_task(*element, "scriptLanguage"),
                "globalBusinessRuleTask" => ActivityKind::BusinessRuleTask,
                _ => ActivityKind::Task,
            },
            performers: self.performers(*element),
            extension: self.dialect.element(*element),
        };
        self.outline.global_tasks.iter().map(read).collect()
    }
}

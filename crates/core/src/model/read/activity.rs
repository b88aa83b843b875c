//! Activities: what they do, how they repeat, and who performs them.

use super::outline::Target;
use super::source::Source;
use crate::Name;
use crate::dialect::ExpressionUse;
use crate::expressions::Language;
use crate::model::{
    Activity, ActivityKind, AdHocOrdering, EventDefinition, Expression, LoopCharacteristics, MultiInstance,
    MultiInstanceBehavior, Performer, ProcessIndex, StandardLoop,
};
use crate::xml::Element;

impl<'d> Source<'d> {
    pub(super) fn activity(&self, element: Element<'d>, process: ProcessIndex) -> Activity {
        Activity {
            kind: self.activity_kind(element),
            loop_characteristics: self.loop_characteristics(element, process),
            is_for_compensation: self.flag(element, "isForCompensation", false),
            start_quantity: self.number(element, "startQuantity").unwrap_or(1),
            completion_quantity: self.number(element, "completionQuantity").unwrap_or(1),
            io: self.input_output(element),
            data_inputs: self.data_associations(element, "dataInputAssociation"),
            data_outputs: self.data_associations(element, "dataOutputAssociation"),
            properties: self.properties(element),
            performers: self.performers(element),
        }
    }

    fn activity_kind(&self, element: Element<'d>) -> ActivityKind {
        match element.name() {
            "userTask" => ActivityKind::UserTask,
            "manualTask" => ActivityKind::ManualTask,
            "serviceTask" => ActivityKind::ServiceTask { operation: self.operation(element) },
            "sendTask" => ActivityKind::SendTask {
                message: self.message(element, "messageRef"),
                operation: self.operation(element),
            },
            "receiveTask" => ActivityKind::ReceiveTask {
                message: self.message(element, "messageRef"),
                instantiate: self.flag(element, "instantiate", false),
                operation: self.operation(element),
            },
            "businessRuleTask" => ActivityKind::BusinessRuleTask,
            "scriptTask" => self.script_task(element, "scriptFormat"),
            "subProcess" => {
                ActivityKind::SubProcess { triggered_by_event: self.flag(element, "triggeredByEvent", false) }
            }
            "transaction" => ActivityKind::Transaction,
            "adHocSubProcess" => ActivityKind::AdHocSubProcess {
                ordering: match element.attribute("ordering").as_deref() {
                    Some("Sequential") => AdHocOrdering::Sequential,
                    _ => AdHocOrdering::Parallel,
                },
                completion_condition: self.expression(element, "completionCondition", ExpressionUse::Condition),
                cancel_remaining_instances: self.flag(element, "cancelRemainingInstances", true),
            },
            "callActivity" => ActivityKind::CallActivity { called_element: self.called_element(element) },
            _ => ActivityKind::Task,
        }
    }

    /// `format` is the attribute that names the script's language.
    pub(super) fn script_task(&self, element: Element<'d>, format: &str) -> ActivityKind {
        ActivityKind::ScriptTask {
            format: self.attribute(element, format),
            script: self.expression(element, "script", ExpressionUse::Script),
        }
    }

    fn called_element(&self, element: Element<'d>) -> Option<Expression> {
        let called = self.attribute_expression(element, "calledElement")?;
        if called.language != crate::expressions::Language::Literal {
            return Some(called);
        }
        // The id may be of a process in another file, so only its look tells that it has a prefix.
        let text = self.without_prefix(&called.text)?;
        Some(Expression { text, ..called })
    }

    fn loop_characteristics(&self, element: Element<'d>, process: ProcessIndex) -> Option<LoopCharacteristics> {
        self.bpmn(element).find_map(|child| match child.name() {
            "standardLoopCharacteristics" => Some(LoopCharacteristics::Standard(StandardLoop {
                element: child.index(),
                test_before: self.flag(child, "testBefore", false),
                maximum: self.number(child, "loopMaximum"),
                condition: self.expression(child, "loopCondition", ExpressionUse::Condition),
            })),
            "multiInstanceLoopCharacteristics" => {
                Some(LoopCharacteristics::MultiInstance(Box::new(self.multi_instance(child, process))))
            }
            _ => None,
        })
    }

    fn multi_instance(&self, element: Element<'d>, process: ProcessIndex) -> MultiInstance {
        let event = |name| {
            let text = self.referred(element, name)?;
            self.referred_definition(element, &text, process)
        };
        MultiInstance {
            element: element.index(),
            is_sequential: self.flag(element, "isSequential", false),
            cardinality: self.expression(element, "loopCardinality", ExpressionUse::Condition),
            data_input: self.referred(element, "loopDataInputRef"),
            input_item: self.data_item(element, "inputDataItem").map(|(item, id)| self.data_input(item, id)),
            data_output: self.referred(element, "loopDataOutputRef"),
            output_item: self.data_item(element, "outputDataItem").map(|(item, id)| self.data_output(item, id)),
            completion_condition: self.expression(element, "completionCondition", ExpressionUse::Condition),
            behavior: match element.attribute("behavior").as_deref() {
                Some("None") => MultiInstanceBehavior::None,
                Some("One") => MultiInstanceBehavior::One,
                Some("Complex") => MultiInstanceBehavior::Complex,
                _ => MultiInstanceBehavior::All,
            },
            one_event: event("oneBehaviorEventRef"),
            none_event: event("noneBehaviorEventRef"),
            complex: self
                .children(element, "complexBehaviorDefinition")
                .filter_map(|complex| self.complex_behavior(complex, process))
                .collect(),
            extension: self.dialect.multi_instance(element),
        }
    }

    /// The item that each instance sees or leaves, and its id, else its name. (Some write it as the element's text.)
    fn data_item(&self, element: Element<'d>, name: &str) -> Option<(Element<'d>, Name)> {
        let item = self.child(element, name)?;
        let id = self.optional_id(item).or_else(|| self.name(item)).or_else(|| self.without_prefix(&item.text()))?;
        Some((item, id))
    }

    fn complex_behavior(
        &self,
        element: Element<'d>,
        process: ProcessIndex,
    ) -> Option<(Expression, Vec<EventDefinition>)> {
        let condition = self.expression(element, "condition", ExpressionUse::Condition)?;
        let events = self.child(element, "event").map(|event| self.definitions_of(event, process));
        Some((condition, events.unwrap_or_default()))
    }

    /// Resource roles that name users and groups by an expression, or refer to declared resources.
    pub(super) fn performers(&self, element: Element<'d>) -> Vec<Performer> {
        let roles = self.bpmn(element).filter_map(|role| match role.name() {
            "potentialOwner" => Some((role, true)),
            "humanPerformer" | "performer" => Some((role, false)),
            _ => None,
        });
        roles
            .filter_map(|(role, potential_owner)| {
                let Some(assignment) = self.child(role, "resourceAssignmentExpression") else {
                    return self.resource(role, potential_owner);
                };
                let mut expressions = self.bpmn(assignment);
                let expression = expressions.find_map(|child| self.own_expression(child, ExpressionUse::Value))?;
                Some(Performer { potential_owner, expression })
            })
            .collect()
    }

    /// A role that refers to a declared resource: as potential owner it is a group, else a user, of that name.
    fn resource(&self, role: Element<'d>, potential_owner: bool) -> Option<Performer> {
        let index = self.outline.target(&self.referred(role, "resourceRef")?, |target| match target {
            Target::Resource(resource) => Some(resource),
            _ => None,
        })?;
        let resource = self.document.element(index);
        let name = self.name(resource).unwrap_or_else(|| self.id(resource));
        let text = if potential_owner { format!("group({name})").into() } else { name };
        let expression = Expression { text, language: Language::Literal, element: role.index() };
        Some(Performer { potential_owner, expression })
    }
}

//! What the dialects say about a flow node or a sequence flow as a whole.

use super::reader::{children, own};
use super::{Continuation, Dialect, ElementProperties, ExpressionUse, Reader};
use crate::Name;
use crate::model::Expression;
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// Reads what the dialects say about a flow node, a sequence flow, a global task or a message event definition.
    /// The job of a message event is not in it, see [`Reader::message_event_job`].
    #[must_use]
    pub fn element(&self, element: Element<'d>) -> ElementProperties {
        let continuation = self.continuation(element);
        // Other dialects than ours hand over nothing to a called process unless told to, which is told by saying nothing.
        if element.name() != "callActivity" && !self.is_extended(element) {
            let is_user_task = matches!(element.name(), "userTask" | "globalUserTask");
            let name = is_user_task.then(|| self.computed_name(element)).flatten();
            return ElementProperties { continuation, name, ..ElementProperties::default() };
        }
        let (inputs, outputs) = self.inputs_and_outputs(element);
        let mut properties = ElementProperties {
            inputs,
            outputs,
            listeners: self.listeners(element),
            continuation,
            initiator: self.any(element, "initiator"),
            properties: self.properties(element),
            skip: self.skip(element),
            retry_cycle: self.retry_cycle(element),
            job_priority: self.classic(element, "jobPriority").map(|text| self.value(element, &text)),
            ..ElementProperties::default()
        };
        match element.name() {
            "serviceTask"
            | "sendTask"
            | "businessRuleTask"
            | "scriptTask"
            | "globalScriptTask"
            | "globalBusinessRuleTask" => {
                properties.decision = self.decision(element);
                if properties.decision.is_none() {
                    properties.job = self.job(element);
                }
                if properties.decision.is_none() && properties.job.is_none() {
                    properties.expression = self.work_expression(element);
                }
                properties.result_variable = self.result_variable(element);
                properties.stores_variables = self.flag(element, "autoStoreVariables") == Some(true);
            }
            "messageEventDefinition" => {
                properties.name = self.classic(element, "messageExpression").map(|text| self.value(element, &text));
                if self.definition_job(element).is_none() {
                    properties.expression = self.work_expression(element);
                }
                properties.result_variable = self.result_variable(element);
            }
            "userTask" | "globalUserTask" => {
                properties.assignment = self.assignment(element);
                properties.name = self.computed_name(element);
                // There is no worker to get them, but whoever shows the task can.
                let headers = self.task_headers(element).into_iter();
                properties.properties.extend(headers.map(|(name, value)| (name, value.text)));
                properties.form = self.form(element);
            }
            "startEvent" => properties.form = self.form(element),
            "callActivity" => {
                properties.call = self.call(element, &mut properties.outputs);
            }
            "adHocSubProcess" => {
                let active = self.zeebe_element(element, "adHoc");
                properties.ad_hoc_active =
                    active.and_then(|active| Some(self.value(active, &own(active, "activeElementsCollection")?)));
            }
            _ => {}
        }
        properties
    }

    /// In Camunda 7 and Flowable the name of a user task may be an expression.
    fn computed_name(&self, task: Element<'d>) -> Option<Expression> {
        let name = task.attribute("name").filter(|name| name.contains("${") || name.contains("#{"))?;
        matches!(self.dialect(), Dialect::Camunda | Dialect::Flowable).then(|| self.value(task, &name))
    }

    /// Where the unit of work is cut. Only `false` switches `exclusive` off, in Camunda 7 and in Flowable alike.
    pub(super) fn continuation(&self, element: Element<'d>) -> Continuation {
        let on = |name| self.flag(element, name) == Some(true);
        let savepoint = self.potok(element, "savepoint");
        let savepoint = savepoint.as_deref().unwrap_or_default();
        Continuation {
            before: matches!(savepoint, "before" | "both") || on("asyncBefore") || on("async"),
            after: matches!(savepoint, "after" | "both") || on("asyncAfter") || on("asyncLeave"),
            exclusive: self.classic(element, "exclusive").as_deref() != Some("false"),
        }
    }

    /// The pairs that are exposed but not interpreted.
    pub(super) fn properties(&self, element: Element<'d>) -> Vec<(Name, Name)> {
        let classic = self.classic_elements(element, "properties");
        let zeebe = self.zeebe_element(element, "properties");
        let lists = classic.into_iter().chain(zeebe).flat_map(|list| children(list, "property"));
        lists.chain(self.potok_elements(element, "property")).filter_map(pair).collect()
    }

    /// The expression evaluated as the element's work.
    fn work_expression(&self, element: Element<'d>) -> Option<Expression> {
        if let Some(script) = self.zeebe_element(element, "script") {
            return own(script, "expression").map(|text| self.value(script, &text));
        }
        if self.classic_type(element).as_deref() == Some("script") {
            let language = self.classic(element, "scriptFormat");
            let language = language.or_else(|| self.field(element, "scriptFormat").map(|format| format.text));
            let script = self.field(element, "script")?;
            return Some(self.script(element, &script.text, language.as_deref()));
        }
        self.classic(element, "expression").map(|text| self.value(element, &text))
    }

    fn result_variable(&self, element: Element<'d>) -> Option<Name> {
        self.any(element, "resultVariable").or_else(|| self.classic(element, "resultVariableName")).or_else(|| {
            let holder =
                self.zeebe_element(element, "script").or_else(|| self.zeebe_element(element, "calledDecision"))?;
            own(holder, "resultVariable")
        })
    }

    /// What is asked before an activity, or in place of a sequence flow's condition.
    fn skip(&self, element: Element<'d>) -> Option<Expression> {
        let name = "skipExpression";
        let text = match element.name() {
            "sequenceFlow" if self.dialect() == Dialect::Flowable => own(element, name),
            "sequenceFlow" => None,
            _ => self.classic(element, name),
        };
        text.map(|text| self.text_expression(element, &text, ExpressionUse::Condition))
    }
}

/// A `property`: its name (in form fields: its id) and its value.
pub(super) fn pair(property: Element<'_>) -> Option<(Name, Name)> {
    let name = own(property, "name").or_else(|| own(property, "id"))?;
    Some((name, own(property, "value").unwrap_or_default()))
}

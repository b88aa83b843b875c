//! Listeners that are never called, do nothing, or ask for what there is not.

use std::collections::BTreeSet;

use super::listener::{classic_stages, zeebe_stage};
use super::namespace::Family;
use super::reader::{children, own};
use super::unsupported::Findings;
use super::{Dialect, ListenerStage};
use crate::Name;
use crate::diagnostic::Severity;
use crate::xml::Element;

impl<'d> Findings<'d> {
    /// A listener of what it stands in.
    pub(super) fn look_at_listener(&mut self, family: Family, element: Element<'d>, host: Option<Element<'d>>) {
        if element.name() == "executionListener"
            && let Some(host) = job_listener_out_of_place(family, element)
        {
            let help = "a worker cannot be called here; put a service task into the flow";
            let word = format!("a listener of a <{host}> that is a job");
            return self.ignored(element, element.tag_span(), &word, help);
        }
        if family == Family::Zeebe {
            match zeebe_stage(element) {
                None => self.stage_unknown(element, own(element, "eventType")),
                Some(ListenerStage::Delete) => self.deletion_unheard(element),
                Some(_) => {}
            }
            if own(element, "type").is_none() {
                self.kind_missing(element, "name the worker's job type in the attribute `type`");
            }
            return;
        }
        if host.is_none_or(|host| classic_stages(host, element).is_empty()) {
            self.stage_unknown(element, own(element, "event"));
        }
        if own(element, "event").is_some_and(|event| event.trim() == "delete") && is_java(element) {
            self.deletion_unheard(element);
        }
        if element.name() == "taskListener" {
            self.look_at_timeout(element);
            self.look_at_task_words(element);
        }
    }

    /// Camunda 7 knows the timer of a listener by the listener's id.
    fn look_at_timeout(&mut self, listener: Element<'d>) {
        let is_timed = own(listener, "event").is_some_and(|event| event.trim() == "timeout");
        if is_timed && self.reader.dialect() == Dialect::Camunda && own(listener, "id").is_none() {
            let written = "a listener on `timeout` without `id`".to_owned();
            self.invalid(Severity::Error, listener, listener.tag_span(), written, "give it an id".to_owned());
        }
    }

    /// What the script or expression of a task listener asks of `task`.
    fn look_at_task_words(&mut self, listener: Element<'d>) {
        let span = listener.tag_span();
        let script = children(listener, "script").next();
        let text = script.map(|script| script.text().into_owned());
        let text = text.or_else(|| own(listener, "expression").map(|text| text.to_string())).unwrap_or_default();
        for word in task_words(&text) {
            if script.is_some() && !TASK_WORDS.contains(&word) {
                let help = "say in the user task's attributes who gets it and when it is due, as expressions";
                self.unsupported(listener, span, &format!("task.{word} in a task listener"), help);
            }
        }
    }

    /// Nothing is held up when a task is deleted, so no worker can be waited for.
    fn deletion_unheard(&mut self, listener: Element<'d>) {
        let help = "let a boundary event or an event sub-process lead to a service task";
        let word = "a listener on the deletion of a task that is a worker's job";
        self.ignored(listener, listener.tag_span(), word, help);
    }

    fn stage_unknown(&mut self, listener: Element<'d>, stage: Option<Name>) {
        let word = format!("a listener on `{}`", stage.unwrap_or_default());
        self.ignored(listener, listener.tag_span(), &word, "use a stage that exists here, or an event in the diagram");
    }
}

/// What scripts of task listeners may ask of `task`.
const TASK_WORDS: &[&str] = &[
    "getVariable",
    "getVariableLocal",
    "hasVariable",
    "setVariable",
    "setVariableLocal",
    "getVariables",
    "getVariablesLocal",
    "getVariableNames",
    "getVariableNamesLocal",
    "hasVariableLocal",
    "hasVariables",
    "hasVariablesLocal",
    "setVariables",
    "setVariablesLocal",
    "removeVariable",
    "removeVariableLocal",
    "removeVariables",
    "removeVariablesLocal",
    "getEventName",
    "getProcessInstanceId",
    "getProcessDefinitionId",
    "execution",
    "getExecution",
    "getTaskDefinitionKey",
    "taskDefinitionKey",
    "getName",
    "name",
    "getAssignee",
    "assignee",
];

/// The words that follow `task.` in a text, each once.
fn task_words(text: &str) -> BTreeSet<&str> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let found = text.match_indices("task.").filter(|(at, _)| !text[..*at].ends_with(is_part));
    let words = found.map(|(at, start)| {
        let rest = &text[at + start.len()..];
        &rest[..rest.find(|character| !is_part(character)).unwrap_or(rest.len())]
    });
    words.filter(|word| !word.is_empty()).collect()
}

/// What a listener belongs to that is work for a worker, where no token could wait for it.
fn job_listener_out_of_place(family: Family, listener: Element<'_>) -> Option<&str> {
    let extensions = listener.parent()?;
    let host = match family {
        Family::Zeebe => extensions.parent()?.parent()?,
        _ if is_java(listener) => extensions.parent()?,
        _ => return None,
    };
    // An event-based gateway is left by what has occurred, which waits for nobody.
    let stage = own(listener, "event").or_else(|| own(listener, "eventType"));
    let leaves_gateway = host.name() == "eventBasedGateway" && stage.as_deref().map(str::trim) == Some("end");
    (leaves_gateway || matches!(host.name(), "process" | "sequenceFlow")).then(|| host.name())
}

fn is_java(listener: Element<'_>) -> bool {
    own(listener, "class").or_else(|| own(listener, "delegateExpression")).is_some()
}

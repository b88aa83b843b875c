//! Several ways of doing one task that stand beside each other, of which one counts.

use super::namespace::{Family, usual_prefix};
use super::unsupported::Findings;
use super::{Dialect, Reader};
use crate::diagnostic::Severity;
use crate::xml::{Attribute, Element, Span};

/// What says how a task is done.
struct Way {
    word: String,
    span: Span,
}

/// In the order in which Camunda 7 and Flowable ask for them. The expression is what is asked for last.
const CLASSIC: &[&str] = &["decisionRef", "type", "class", "delegateExpression", "connector", "expression"];
/// In the order in which we ask for them.
const ZEEBE: &[&str] = &["calledDecision", "taskDefinition", "script"];
const OURS: &[&str] = &["decision", "job"];

impl<'d> Findings<'d> {
    /// Each dialect's own ways of doing a task: all but the first of them are not looked at.
    pub(super) fn look_at_implementations(&mut self, task: Element<'d>) {
        if !matches!(
            task.name(),
            "serviceTask"
                | "sendTask"
                | "businessRuleTask"
                | "globalBusinessRuleTask"
                | "scriptTask"
                | "messageEventDefinition"
        ) {
            return;
        }
        let reader = self.reader;
        for family in [Family::Potok, Family::Zeebe, Family::Classic] {
            let ways = ways(reader, family, task);
            if is_caught(task) {
                for way in &ways {
                    let help = "a catching event only waits for its message: put a service task behind it";
                    self.ignored(task, way.span, &format!("{} of a catching message event", way.word), help);
                }
                continue;
            }
            let Some((first, others)) = ways.split_first() else { continue };
            for other in others {
                if family == Family::Zeebe {
                    let message =
                        format!("{} stands beside {}, and Camunda 8 refuses a task with both", other.word, first.word);
                    let help = "delete one of them".to_owned();
                    self.add("extension-unsupported", Severity::Error, task, other.span, message, help);
                } else {
                    let help = format!("{} does the task: delete one of them", first.word);
                    self.ignored(task, other.span, &format!("{} beside {}", other.word, first.word), &help);
                }
            }
        }
        if !is_caught(task) {
            self.look_at_result(task);
        }
    }

    /// In Camunda 7 a class gives its results itself.
    fn look_at_result(&mut self, task: Element<'d>) {
        let reader = self.reader;
        let by_class = ["class", "delegateExpression"].into_iter().find(|name| reader.classic(task, name).is_some());
        let Some(by_class) = by_class.filter(|_| reader.dialect() == Dialect::Camunda) else { return };
        let is_otherwise = ["type", "decisionRef"].into_iter().any(|name| reader.classic(task, name).is_some());
        if let Some(result) = attribute(reader, Family::Classic, task, "resultVariable").filter(|_| !is_otherwise) {
            let message = format!("{} stands beside `{by_class}`, and Camunda 7 refuses a task with both", result.word);
            let help = "delete it: what does the task sets the variable itself".to_owned();
            self.add("extension-unsupported", Severity::Error, task, result.span, message, help);
        }
    }
}

/// Whether a message event definition is one of a catching event.
fn is_caught(definition: Element<'_>) -> bool {
    let event = definition.parent().filter(|_| definition.name() == "messageEventDefinition");
    event.is_some_and(|event| matches!(event.name(), "startEvent" | "intermediateCatchEvent" | "boundaryEvent"))
}

/// What a dialect says about how a task is done, what counts first.
fn ways<'d>(reader: Reader<'d>, family: Family, task: Element<'d>) -> Vec<Way> {
    match family {
        Family::Potok => OURS.iter().filter_map(|name| attribute(reader, family, task, name)).collect(),
        Family::Zeebe => {
            let fits = |name: &&&str| match **name {
                "calledDecision" => task.name() == "businessRuleTask",
                "script" => task.name() == "scriptTask",
                _ => true,
            };
            let found = |name: &&str| {
                let element = reader.zeebe_element(task, name)?;
                Some(Way { word: format!("<zeebe:{name}>"), span: element.tag_span() })
            };
            ZEEBE.iter().filter(fits).filter_map(found).collect()
        }
        Family::Classic if task.name() == "scriptTask" => Vec::new(),
        Family::Classic => {
            let found = |name: &&str| match *name {
                "connector" => {
                    let element = reader.classic_element(task, name)?;
                    let prefix = usual_prefix(element.namespace());
                    Some(Way { word: format!("<{prefix}:{name}>"), span: element.tag_span() })
                }
                "decisionRef" if !task.name().ends_with("usinessRuleTask") => None,
                _ => attribute(reader, family, task, name),
            };
            CLASSIC.iter().filter_map(found).collect()
        }
    }
}

/// The attribute of a name that a dialect asks for.
fn attribute<'d>(reader: Reader<'d>, family: Family, task: Element<'d>, name: &str) -> Option<Way> {
    let said = |attribute: &Attribute<'_>| {
        attribute.name() == name
            && reader.family(attribute.namespace_id()) == Some(family)
            && !attribute.value().trim().is_empty()
    };
    let first = task.attributes().filter(said).min_by_key(|attribute| reader.rank(attribute.namespace_id()))?;
    Some(Way { word: format!("{}:{name}", usual_prefix(first.namespace())), span: first.span() })
}

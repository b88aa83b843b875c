//! `in` and `out`: variables that are handed over under other names, to a called process and back, or with a signal.

use super::namespace::usual_prefix;
use super::reader::{is_true, own};
use super::unsupported::Findings;
use super::{Dialect, MappingSource, Reader, VariableMapping};
use crate::Name;
use crate::diagnostic::Severity;
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// A variable, or an expression, under another name; none where it is not said what, or under which.
    pub(super) fn handover(&self, element: Element<'d>) -> Option<VariableMapping> {
        let computed_target = own(element, "targetExpression").map(|text| self.value(element, &text));
        let target = match computed_target {
            Some(_) => Name::default(),
            None => own(element, "target")?,
        };
        let source = match own(element, "sourceExpression") {
            Some(expression) => MappingSource::Expression(self.value(element, &expression)),
            None => MappingSource::Variable(own(element, "source")?),
        };
        let is_path = self.dialect() == Dialect::Standard;
        Some(VariableMapping { element: element.index(), target, is_path, local: false, computed_target, source })
    }
}

impl<'d> Findings<'d> {
    /// What hands nothing over, for it does not say what, or under which name. Camunda 7 refuses it.
    pub(super) fn look_at_handover(&mut self, element: Element<'d>) {
        let says = |name| own(element, name).is_some();
        let variables = own(element, "variables");
        let is_key = element.name() == "in" && says("businessKey");
        if is_key || variables.as_deref() == Some("all") || self.reader.handover(element).is_some() {
            return;
        }
        let word = format!("<{}:{}>", usual_prefix(element.namespace()), element.name());
        let (written, help) = if let Some(variables) = variables {
            (format!("variables=\"{variables}\" of {word}"), "write variables=\"all\", or name a source and a target")
        } else if element.name() == "in" && element.attribute("businessKey").is_some() {
            (format!("{word} with an empty businessKey"), "name the key, e.g. businessKey=\"${key}\", or delete it")
        } else if !says("source") && !says("sourceExpression") {
            (format!("{word} without `source`"), "name what is handed over: add `source` or `sourceExpression`")
        } else {
            (format!("{word} without `target`"), "name the variable that takes the value: add `target`")
        };
        let is_refused = self.reader.dialect() == Dialect::Camunda;
        let severity = if is_refused { Severity::Error } else { Severity::Warning };
        self.invalid(severity, element, element.tag_span(), written, help.to_owned());
    }

    /// What a signal cannot carry, and one that is caught carries nothing at all.
    pub(super) fn look_at_signal_payload(&mut self, handed: Element<'d>) {
        let span = handed.tag_span();
        let definition = handed.parent().and_then(|extensions| extensions.parent());
        let event = definition.and_then(|definition| definition.parent());
        if event.is_some_and(|event| matches!(event.name(), "startEvent" | "intermediateCatchEvent" | "boundaryEvent"))
        {
            let word = format!("<{}:in> of a signal that is caught", usual_prefix(handed.namespace()));
            self.ignored(handed, span, &word, "put it where the signal is thrown");
        } else if own(handed, "local").is_some_and(|local| is_true(&local)) {
            let help = "name each variable in an <in> of its own, without local";
            self.ignored(handed, span, "local=\"true\" of a signal's <in>", help);
        } else if own(handed, "businessKey").is_some() && own(handed, "source").is_none() {
            self.ignored(handed, span, "the business key of a signal", "hand it over as a variable");
        }
    }
}

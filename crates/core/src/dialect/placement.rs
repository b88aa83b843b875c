//! Mappings in places where the model's own engine has none, and elements that it takes only once.

use super::Dialect;
use super::namespace::{Family, usual_prefix};
use super::reader::{children, is_true};
use super::unsupported::Findings;
use crate::diagnostic::Severity;
use crate::xml::Element;

/// Extension elements of which Camunda 7 takes one; a second one makes it refuse the file.
const ONCE_IN_CAMUNDA: &[&str] = &["inputOutput", "formData", "connector", "failedJobRetryTimeCycle", "validation"];
/// The same for Camunda 8.
const ONCE_IN_ZEEBE: &[&str] = &[
    "ioMapping",
    "executionListeners",
    "taskHeaders",
    "linkedResources",
    "userTask",
    "assignmentDefinition",
    "formDefinition",
    "taskSchedule",
    "priorityDefinition",
    "taskListeners",
    "taskDefinition",
    "calledDecision",
    "calledElement",
    "script",
    "adHoc",
    "loopCharacteristics",
    "subscription",
    "versionTag",
];

/// Whether Camunda 8 maps inputs of an element; of events that begin by themselves it maps outputs only.
pub(super) fn takes_inputs(host: Element<'_>) -> bool {
    !matches!(host.name(), "startEvent" | "boundaryEvent")
}

fn is_event_sub_process(host: Element<'_>) -> bool {
    host.name() == "subProcess" && host.attribute("triggeredByEvent").is_some_and(|text| is_true(&text))
}

impl<'d> Findings<'d> {
    /// An element that stands beside another of its name, or where its own engine does not take it.
    pub(super) fn look_at_placement(&mut self, family: Family, element: Element<'d>) {
        let is_camunda = family == Family::Classic && self.reader.dialect() == Dialect::Camunda;
        match (family, element.name()) {
            (Family::Classic, name) if is_camunda && ONCE_IN_CAMUNDA.contains(&name) => {
                self.look_for_second("Camunda 7", element);
            }
            (Family::Zeebe, name) if ONCE_IN_ZEEBE.contains(&name) => self.look_for_second("Camunda 8", element),
            _ => {}
        }
        let Some(host) = element.parent().and_then(|extensions| extensions.parent()) else { return };
        match (family, element.name()) {
            (Family::Classic, "inputOutput") if is_camunda => self.look_at_camunda_mapping(element, host),
            (Family::Zeebe, "ioMapping") if !takes_inputs(host) => {
                let help = "only outputs are mapped there, from what the event brings";
                for input in children(element, "input") {
                    self.ignored(input, input.tag_span(), &format!("<zeebe:input> in <{}>", host.name()), help);
                }
            }
            _ => {}
        }
    }

    fn look_for_second(&mut self, engine: &str, element: Element<'d>) {
        let is_same =
            |other: &Element<'_>| other.name() == element.name() && other.namespace_id() == element.namespace_id();
        let first = element.parent().and_then(|around| around.children().find(is_same));
        if first.is_some_and(|first| first != element) {
            let word = format!("<{}:{}>", usual_prefix(element.namespace()), element.name());
            let help = format!("put what it says into the first {word}, or delete it");
            self.refused(element, &format!("a second {word}"), engine, help);
        }
    }

    /// Camunda 7 maps variables of activities and of events in the flow; nothing comes out of an end event, or out of the
    /// instances of a loop.
    fn look_at_camunda_mapping(&mut self, element: Element<'d>, host: Element<'d>) {
        let word = format!("<{}:inputOutput>", usual_prefix(element.namespace()));
        let has_none = host.name().ends_with("Gateway") || matches!(host.name(), "startEvent" | "boundaryEvent");
        let by_event = is_event_sub_process(host);
        if has_none || by_event {
            let place = if by_event { "of an event sub-process".to_owned() } else { format!("in <{}>", host.name()) };
            let help = "compute the variables in an activity before or behind it, or in a listener".to_owned();
            return self.refused(element, &format!("{word} {place}"), "Camunda 7", help);
        }
        let is_repeated = children(host, "multiInstanceLoopCharacteristics").next().is_some();
        let of = match host.name() {
            "endEvent" => "an end event",
            _ if is_repeated => "a multi-instance activity",
            _ => return,
        };
        if let Some(output) = children(element, "outputParameter").next() {
            let word = format!("<{}:outputParameter> of {of}", usual_prefix(output.namespace()));
            let help = match host.name() {
                "endEvent" => "compute the variable in an activity before it, or in a listener",
                _ => "compute the variable in an activity behind it, or in a listener",
            };
            self.refused(output, &word, "Camunda 7", help.to_owned());
        }
    }

    /// The model's own engine refuses to deploy it.
    pub(super) fn refused(&mut self, at: Element<'d>, what: &str, engine: &str, help: String) {
        let message = format!("{what} is refused by {engine}");
        self.add("extension-unsupported", Severity::Error, at, at.tag_span(), message, help);
    }
}

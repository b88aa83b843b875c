//! Diagnostics about words of the dialects that do not do here what their authors expect.

use std::collections::BTreeSet;

use super::job::{connector_kind, java_kind};
use super::listener::{classic_stages, zeebe_stage};
use super::mapping::DEEPEST_VALUE;
use super::namespace::{self, Family, usual_prefix};
use super::reader::{children, is_true, own};
use super::vocabulary::{self, Mark};
use super::{Dialect, ExpressionUse, ListenerStage, Reader};
use crate::Name;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expressions::Language;
use crate::xml::{Attribute, Element, NamespaceId, Span};

/// Enough for anybody to read; a file that is wrong everywhere should not cost memory without end.
const MOST_FINDINGS: usize = 1_000;

impl<'d> Reader<'d> {
    /// What authors should know about the extension attributes and elements of the document, in document order:
    /// `extension-ignored`, `extension-java`, `extension-unsupported`, `extension-unknown` and `job-kind-missing`.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut findings = Findings { reader: *self, list: Vec::new() };
        for element in self.document.elements() {
            if findings.list.len() >= MOST_FINDINGS {
                break;
            }
            findings.look_at(element);
        }
        findings.list
    }
}

/// What is found, in document order.
pub(super) struct Findings<'d> {
    pub(super) reader: Reader<'d>,
    list: Vec<Diagnostic>,
}

impl<'d> Findings<'d> {
    fn look_at(&mut self, element: Element<'d>) {
        let family = self.reader.family(element.namespace_id());
        if let Some(family) = family {
            let word = || format!("<{}:{}>", usual_prefix(element.namespace()), element.name());
            let mark = vocabulary::element(family, element.name());
            if let Some((host, hosts)) = out_of_place(family, element) {
                let help = format!("it belongs in: {}", hosts.replace(' ', ", "));
                return self.ignored(element, element.tag_span(), &format!("{} in <{host}>", word()), &help);
            }
            self.judge(element, element.tag_span(), word, mark, || connector_kind(element));
            if mark == Mark::Unknown {
                return;
            }
            self.look_into(family, element);
            self.look_at_values(family, element);
        }
        let mut is_extended = false;
        for attribute in element.attributes() {
            let of = self.reader.family(attribute.namespace_id());
            is_extended |= of.is_some();
            let (prefix, mark) = match (family, of) {
                (None, Some(of)) => (usual_prefix(attribute.namespace()), vocabulary::attribute(of, attribute.name())),
                (Some(family), None) if attribute.namespace_id() == NamespaceId::NONE => {
                    let mark = vocabulary::element_attribute(family, element.name(), attribute.name());
                    (usual_prefix(element.namespace()), mark)
                }
                (Some(family), Some(of)) if family == of => {
                    let mark = vocabulary::element_attribute(family, element.name(), attribute.name());
                    (usual_prefix(attribute.namespace()), mark)
                }
                _ => continue,
            };
            let word = || match family {
                Some(_) => format!("{} of <{prefix}:{}>", attribute.name(), element.name()),
                None => format!("{prefix}:{}", attribute.name()),
            };
            if family.is_none()
                && mark.acts()
                && let Some(hosts) = vocabulary::hosts(attribute.name())
                && hosts.split_ascii_whitespace().all(|host| host != element.name())
            {
                let word = format!("{} on <{}>", word(), element.name());
                self.ignored(element, attribute.span(), &word, &format!("it belongs on: {}", hosts.replace(' ', ", ")));
                continue;
            }
            self.judge(element, attribute.span(), word, mark, || java_kind(&attribute.value()));
            if family.is_none() && matches!(mark, Mark::Honoured) {
                if let Some(first) = self.said_first(element, attribute) {
                    let help = "keep one of them: dialects are not mixed on one element";
                    self.ignored(element, attribute.span(), &format!("{} beside {first}", word()), help);
                }
                self.look_at_value(element, attribute);
            }
        }
        if family.is_none() && is_extended {
            self.look_at_task(element);
        }
        if family.is_none() {
            self.look_at_implementations(element);
        }
        self.look_at_documentation(element);
    }

    /// What another dialect says on the same element in place of an attribute, so that the attribute is not asked.
    fn said_first(&self, element: Element<'d>, attribute: Attribute<'d>) -> Option<String> {
        let name = attribute.name();
        let rank = self.reader.rank(attribute.namespace_id())?;
        // Forks of one engine read each other's words on purpose, and who writes one of ours beside another means ours.
        let speaker =
            |namespace: &str| namespace::SPOKEN.iter().find(|(uri, ..)| *uri == namespace).map(|spoken| spoken.2);
        let others = element.attributes().filter(|other| {
            other.name() == name
                && speaker(other.namespace()).is_some_and(|other| Some(other) != speaker(attribute.namespace()))
                && other.value() != attribute.value()
        });
        let ranked = others.filter_map(|other| Some((self.reader.rank(other.namespace_id())?, other)));
        let first = ranked.filter(|(other, _)| *other < rank).min_by_key(|(rank, _)| *rank);
        if let Some((_, first)) = first {
            return Some(format!("{}:{name}", usual_prefix(first.namespace())));
        }
        if self.reader.family(attribute.namespace_id()) != Some(Family::Classic) {
            return None;
        }
        let (holder, is_whole) = match name {
            "type" | "topic" | "class" | "delegateExpression" => ("taskDefinition", true),
            "decisionRef" => ("calledDecision", true),
            "assignee" | "candidateUsers" | "candidateGroups" => ("assignmentDefinition", false),
            "dueDate" | "followUpDate" => ("taskSchedule", false),
            _ => return None,
        };
        let found = self.reader.zeebe_element(element, holder)?;
        (is_whole || own(found, name).is_some()).then(|| format!("<zeebe:{holder}>"))
    }

    /// Reports a word by its mark. Almost all words are honoured: how to name one is asked for only when it is not.
    fn judge(&mut self, at: Element<'d>, span: Span, word: impl Fn() -> String, mark: Mark, job: impl Fn() -> String) {
        match mark {
            Mark::Honoured | Mark::Silent => {}
            Mark::Ignored(help) => self.ignored(at, span, &word(), help),
            Mark::Unsupported(help) => self.unsupported(at, span, &word(), help),
            Mark::Java => {
                let kind = job();
                let message = format!("{} names Java code; a job of type `{kind}` stands for it", word());
                let help = format!("give a worker or an embedded handler that takes jobs of type `{kind}`");
                self.add("extension-java", Severity::Warning, at, span, message, help);
            }
            Mark::Unknown => {
                let help = "check the spelling; if it is only for tools, put it into a namespace of its own";
                let message = format!("{} is not known and has no effect", word());
                self.add("extension-unknown", Severity::Warning, at, span, message, help.to_owned());
            }
        }
    }

    /// What can be told only from the values of a task's attributes.
    fn look_at_task(&mut self, element: Element<'d>) {
        let reader = self.reader;
        match reader.classic_type(element).as_deref() {
            Some("case") => {
                self.unsupported(
                    element,
                    element.tag_span(),
                    "type=\"case\"",
                    "call a process instead; cases do not run here",
                );
            }
            Some(kind @ ("mail" | "http" | "shell" | "camel" | "mule" | "send-event")) => {
                let message = format!("type=\"{kind}\" is not done here; a job of type `{kind}` stands for it");
                let help = format!("give a worker or an embedded handler that takes jobs of type `{kind}`");
                self.add("extension-java", Severity::Warning, element, element.tag_span(), message, help);
            }
            Some("external" | "external-worker") if reader.classic(element, "topic").is_none() => {
                self.kind_missing(element, "name the worker's topic in the attribute `topic`");
            }
            Some("dmn") if reader.decision(element).is_none() => {
                let help = "name the decision in a field `decisionTableReferenceKey`";
                self.kind_missing(element, help);
            }
            _ => {}
        }
        if reader.classic(element, "type").is_none()
            && let Some(topic) = element.attributes().find(|attribute| {
                attribute.name() == "topic" && reader.family(attribute.namespace_id()) == Some(Family::Classic)
            })
            && vocabulary::hosts("topic")
                .is_some_and(|hosts| hosts.split_ascii_whitespace().any(|host| host == element.name()))
        {
            let word = format!("{}:topic without a type", usual_prefix(topic.namespace()));
            self.ignored(element, topic.span(), &word, "say that a worker does it: type=\"external\"");
        }
        if reader.flag(element, "autoStoreVariables") == Some(true) && !is_java_script(reader, element) {
            let help = "set the variables in the script, or name one in resultVariable";
            self.ignored(element, element.tag_span(), "autoStoreVariables=\"true\"", help);
        }
        if reader.classic(element, "calledElementType").as_deref() == Some("id")
            && reader.definition_id(element).is_none()
        {
            let help = "write an id of the form key:version:id, or name a version with calledElementBinding";
            self.ignored(element, element.tag_span(), "calledElementType=\"id\"", help);
        }
        if element.name() == "eventBasedGateway" && reader.continuation(element).after {
            let help = "what has occurred goes on at once: put the savepoint after the event";
            self.ignored(element, element.tag_span(), "a savepoint after an event-based gateway", help);
        }
        if let Some(savepoint) = reader.potok(element, "savepoint")
            && !matches!(&*savepoint, "before" | "after" | "both")
        {
            let help = "write `before`, `after` or `both`";
            self.ignored(element, element.tag_span(), &format!("potok:savepoint=\"{savepoint}\""), help);
        }
        if let Some(attribute) =
            ["calledElementBinding", "decisionRefBinding", "formRefBinding"].into_iter().find(|name| {
                let binding = reader.classic(element, name);
                binding.is_some_and(|binding| !matches!(&*binding, "latest" | "deployment" | "version" | "versionTag"))
            })
        {
            let help = "write `latest`, `deployment`, `version` or `versionTag`";
            self.ignored(element, element.tag_span(), &format!("this value of {attribute}"), help);
        }
    }

    /// Camunda 7 and Flowable compute what a user task's documentation says.
    fn look_at_documentation(&mut self, element: Element<'d>) {
        if matches!(self.reader.dialect(), Dialect::Camunda | Dialect::Flowable)
            && matches!(element.name(), "userTask" | "globalUserTask")
            && let Some(documentation) = children(element, "documentation").find(|documentation| {
                let text = documentation.text();
                text.contains("${") || text.contains("#{")
            })
        {
            let help = "what people should read can be computed in the task's name or in a field of its form";
            let word = "an expression in the documentation of a user task";
            self.ignored(documentation, documentation.tag_span(), word, help);
        }
    }

    /// What can be told only from the values or the place of an extension element.
    fn look_into(&mut self, family: Family, element: Element<'d>) {
        let host = element.parent().and_then(|extensions| extensions.parent());
        let host_name = host.map_or("", |host| host.name());
        let span = element.tag_span();
        if element.name() == "executionListener"
            && let Some(host) = job_listener_out_of_place(family, element)
        {
            let help = "a worker cannot be called here; put a service task into the flow";
            return self.ignored(element, span, &format!("a listener of a <{host}> that is a job"), help);
        }
        match (family, element.name()) {
            (Family::Classic, name @ ("executionListener" | "inputOutput"))
                if self.reader.dialect() == Dialect::Camunda && host.is_some_and(is_link_throw) =>
            {
                let help = "Camunda 7 goes on at the link's other end at once; put it there";
                let word = format!("<{}:{name}> of a throwing link event", usual_prefix(element.namespace()));
                self.ignored(element, span, &word, help);
            }
            (Family::Classic, "executionListener" | "taskListener") => {
                let exists = host.is_some_and(|host| !classic_stages(host, element).is_empty());
                if !exists {
                    self.stage_unknown(element, own(element, "event"));
                }
                if own(element, "event").is_some_and(|event| event.trim() == "delete") && is_java(element) {
                    self.deletion_unheard(element);
                }
                if element.name() == "taskListener" {
                    self.look_at_task_words(element);
                }
            }
            (Family::Zeebe, "executionListener" | "taskListener") => {
                match zeebe_stage(element) {
                    None => self.stage_unknown(element, own(element, "eventType")),
                    Some(ListenerStage::Delete) => self.deletion_unheard(element),
                    Some(_) => {}
                }
                if own(element, "type").is_none() {
                    self.kind_missing(element, "name the worker's job type in the attribute `type`");
                }
            }
            (Family::Zeebe, "loopCharacteristics") if host_name != "multiInstanceLoopCharacteristics" => {
                let help = "put it into the extensionElements of the activity's multiInstanceLoopCharacteristics";
                self.ignored(element, span, &format!("<zeebe:loopCharacteristics> of a <{host_name}>"), help);
            }
            (Family::Zeebe, "taskDefinition") if host_name == "adHocSubProcess" => {
                let help = "the engine starts the activities inside; name them in zeebe:adHoc, or by the API";
                self.ignored(element, span, "<zeebe:taskDefinition> of an ad-hoc sub-process", help);
            }
            (Family::Zeebe, "taskDefinition") if own(element, "type").is_none() => {
                self.kind_missing(element, "name the worker's job type in the attribute `type`");
            }
            (Family::Classic, "in") if host_name == "signalEventDefinition" => self.look_at_signal_payload(element),
            (Family::Classic, "variableAggregation") if self.reader.aggregate(element).is_none() => {
                let help = "name a `target` for it and for each of its variables, or use potok:outputCollection";
                self.ignored(element, span, "this <variableAggregation>", help);
            }
            (Family::Classic, "inputOutput")
                if self.reader.dialect() == Dialect::Camunda && host.is_some_and(is_event_sub_process) =>
            {
                let word = format!("<{}:inputOutput> of an event sub-process", usual_prefix(element.namespace()));
                let help = "Camunda 7 refuses it; compute the variables in a script task inside, or in a listener";
                self.unsupported(element, span, &word, help);
            }
            (Family::Classic, "failedJobRetryTimeCycle") if host.is_some_and(|host| !self.is_tried(host)) => {
                let help = "add asyncBefore or asyncAfter: what fails behind that, or behind a timer, is tried again, as are jobs";
                let word = format!("<failedJobRetryTimeCycle> of a <{host_name}> that is no job and has no savepoint");
                self.ignored(element, span, &word, help);
            }
            (Family::Classic, "list" | "map") if depth(element) > DEEPEST_VALUE => {
                let help = "compute so deep a value with an expression or a script";
                self.ignored(element, span, "a value nested this deep", help);
            }
            _ => {}
        }
    }

    /// What a signal cannot carry.
    fn look_at_signal_payload(&mut self, handed: Element<'d>) {
        let span = handed.tag_span();
        if own(handed, "local").is_some_and(|local| is_true(&local)) {
            let help = "name each variable in an <in> of its own, without local";
            self.ignored(handed, span, "local=\"true\" of a signal's <in>", help);
        } else if own(handed, "businessKey").is_some() && own(handed, "source").is_none() {
            self.ignored(handed, span, "the business key of a signal", "hand it over as a variable");
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

    /// A worker does the element's work; or it is an expression or script, of which only the process graph knows whether it
    /// can be evaluated here or is a job.
    /// Whether an element is a job for a worker, or the engine goes on there by itself: behind a savepoint or timer.
    fn is_tried(&self, host: Element<'d>) -> bool {
        let reader = self.reader;
        reader.continuation(host).cuts()
            || children(host, "timerEventDefinition").next().is_some()
            || reader.job(host).is_some()
            || reader.message_event_job(host).is_some()
            || matches!(host.name(), "scriptTask" | "globalScriptTask")
            || (host.name() != "messageEventDefinition" && reader.element(host).expression.is_some())
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

    fn kind_missing(&mut self, at: Element<'d>, help: &str) {
        let message = "it is not said which worker or decision this is for".to_owned();
        self.add("job-kind-missing", Severity::Error, at, at.tag_span(), message, help.to_owned());
    }

    pub(super) fn ignored(&mut self, at: Element<'d>, span: Span, word: &str, help: &str) {
        let message = format!("{word} has no effect here");
        self.add("extension-ignored", Severity::Warning, at, span, message, help.to_owned());
    }

    fn unsupported(&mut self, at: Element<'d>, span: Span, word: &str, help: &str) {
        let message = format!("{word} is not supported, and the model cannot run without it");
        self.add("extension-unsupported", Severity::Error, at, span, message, help.to_owned());
    }

    pub(super) fn add(
        &mut self,
        code: &'static str,
        severity: Severity,
        at: Element<'d>,
        span: Span,
        message: String,
        help: String,
    ) {
        let (line, column) = self.reader.document.line_column(span.start);
        self.list.push(Diagnostic { code, severity, element: bpmn_id(at), span, line, column, message, help });
    }
}

/// The id of the element of BPMN that an extension belongs to.
fn bpmn_id(element: Element<'_>) -> Option<Name> {
    let mut around = Some(element);
    while let Some(element) = around {
        if Family::of(element.namespace()).is_none()
            && let Some(id) = element.attribute("id")
        {
            return Some(Name::from(&*id));
        }
        around = element.parent();
    }
    None
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

/// How many lists and maps surround a value, as far as that matters.
fn depth(element: Element<'_>) -> usize {
    let mut depth = 0;
    let mut around = element.parent();
    while let Some(element) = around
        && depth <= DEEPEST_VALUE
    {
        match element.name() {
            "list" | "map" => depth += 1,
            "entry" => {}
            _ => break,
        }
        around = element.parent();
    }
    depth
}

/// An extension element in an element of BPMN that has no use for it: that element, and those that have.
fn out_of_place(family: Family, element: Element<'_>) -> Option<(&str, &'static str)> {
    let extensions = element.parent().filter(|parent| parent.name() == "extensionElements")?;
    let host = extensions.parent()?.name();
    let hosts = vocabulary::element_hosts(family, element.name())?;
    hosts.split_ascii_whitespace().all(|fitting| fitting != host).then_some((host, hosts))
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
    let is_out_of_place = leaves_gateway || is_event_sub_process(host);
    (is_out_of_place || matches!(host.name(), "process" | "sequenceFlow")).then(|| host.name())
}

fn is_java(listener: Element<'_>) -> bool {
    own(listener, "class").or_else(|| own(listener, "delegateExpression")).is_some()
}

fn is_java_script(reader: Reader<'_>, task: Element<'_>) -> bool {
    let script = children(task, "script").next();
    let script = script.map(|script| reader.expression(script, ExpressionUse::Script));
    script.is_some_and(|script| script.language == Language::JavaScript)
}

fn is_link_throw(host: Element<'_>) -> bool {
    host.name() == "intermediateThrowEvent" && children(host, "linkEventDefinition").next().is_some()
}

fn is_event_sub_process(host: Element<'_>) -> bool {
    host.name() == "subProcess" && host.attribute("triggeredByEvent").is_some_and(|text| is_true(&text))
}

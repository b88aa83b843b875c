//! Diagnostics about words of the dialects that do not do here what their authors expect.

use std::collections::BTreeSet;

use super::job::{connector_kind, java_kind};
use super::mapping::DEEPEST_VALUE;
use super::namespace::{self, Family, usual_prefix};
use super::reader::{children, outside_of_diagram, own};
use super::vocabulary::{self, Mark};
use super::{Dialect, ExpressionUse, Reader};
use crate::Name;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expressions::Language;
use crate::xml::{Attribute, Element, ElementIndex, NamespaceId, Span};

/// Enough for anybody to read; a file that is wrong everywhere should not cost memory without end.
const MOST_FINDINGS: usize = 1_000;

impl<'d> Reader<'d> {
    /// What authors should know about the extension attributes and elements of the document, in document order:
    /// `extension-ignored`, `extension-java`, `extension-missing`, `extension-unsupported`, `extension-unknown` and `job-kind-missing`.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut findings = Findings { reader: *self, list: Vec::new(), is_drawing: false, fields: BTreeSet::new() };
        let is_process = |element: &Element<'_>| {
            element.name() == "process" && element.namespace_id() == self.document.root().namespace_id()
        };
        let is_drawn =
            |process: Element<'_>| process.attribute("isExecutable").is_some_and(|text| text.trim() == "false");
        let mut processes = self.document.root().children().filter(is_process).peekable();
        let drawing_only = processes.peek().is_some() && processes.all(is_drawn);
        let mut process_end = ElementIndex(0);
        for element in outside_of_diagram(self.document) {
            if findings.list.len() >= MOST_FINDINGS {
                break;
            }
            if element.index() >= process_end {
                let begins = is_process(&element);
                findings.is_drawing = drawing_only || (begins && is_drawn(element));
                process_end = if begins { element.end() } else { process_end };
            }
            findings.look_at(element);
        }
        findings.list
    }
}

/// What is found, in document order.
pub(super) struct Findings<'d> {
    pub(super) reader: Reader<'d>,
    /// The form fields that have been looked at: their form, namespace, kind and id.
    pub(super) fields: BTreeSet<(Option<ElementIndex>, &'d str, &'d str, Name)>,
    list: Vec<Diagnostic>,
    /// What is looked at is not meant to run: errors become warnings.
    is_drawing: bool,
}

impl<'d> Findings<'d> {
    fn look_at(&mut self, element: Element<'d>) {
        let family = self.reader.family(element.namespace_id());
        if let Some(family) = family {
            let word = || format!("<{}:{}>", usual_prefix(element.namespace()), element.name());
            let mark = vocabulary::element(family, element.name());
            if let Some((host, hosts)) = out_of_place(family, element) {
                let help = format!("it belongs in: {}", vocabulary::in_words(hosts));
                return self.ignored(element, element.tag_span(), &format!("{} in <{host}>", word()), &help);
            }
            self.judge(element, element.tag_span(), word, mark, || connector_kind(element));
            if mark == Mark::Unknown {
                return;
            }
            self.look_at_placement(family, element);
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
            if family.is_none() && vocabulary::is_bare(element.name(), attribute.name()) {
                let help = "write it without a prefix, in a model of Flowable: there it reads no other";
                self.ignored(element, attribute.span(), &format!("{} on <{}>", word(), element.name()), help);
                continue;
            }
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
            self.look_at_user_task(element);
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
            if reader.dialect() == Dialect::Camunda && reader.potok(element, "savepoint").is_none() {
                self.refused(element, "a savepoint after an event-based gateway", "Camunda 7", help.to_owned());
            } else {
                self.ignored(element, element.tag_span(), "a savepoint after an event-based gateway", help);
            }
        }
        if let Some(savepoint) = reader.potok(element, "savepoint")
            && !matches!(&*savepoint, "before" | "after" | "both")
        {
            let help = "write `before`, `after` or `both`";
            self.ignored(element, element.tag_span(), &format!("potok:savepoint=\"{savepoint}\""), help);
        }
        self.look_at_bindings(element);
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
        match (family, element.name()) {
            (Family::Classic, name @ ("executionListener" | "inputOutput"))
                if self.reader.dialect() == Dialect::Camunda && host.is_some_and(is_link_throw) =>
            {
                let help = "Camunda 7 goes on at the link's other end at once; put it there";
                let word = format!("<{}:{name}> of a throwing link event", usual_prefix(element.namespace()));
                self.ignored(element, span, &word, help);
            }
            (_, "executionListener" | "taskListener") => self.look_at_listener(family, element, host),
            (Family::Zeebe, "loopCharacteristics") if host_name != "multiInstanceLoopCharacteristics" => {
                let help = "put it into the extensionElements of the activity's multiInstanceLoopCharacteristics";
                self.ignored(element, span, &format!("<zeebe:loopCharacteristics> of a <{host_name}>"), help);
            }
            (Family::Zeebe, "taskDefinition") if host_name == "adHocSubProcess" => {
                // Its worker would choose what begins: without one nothing ever does.
                let help = "name what begins in activeElementsCollection of zeebe:adHoc, or delete it and begin activities by the API";
                self.unsupported(element, span, "<zeebe:taskDefinition> of an ad-hoc sub-process", help);
            }
            (Family::Zeebe, "taskDefinition") if own(element, "type").is_none() => {
                self.kind_missing(element, "name the worker's job type in the attribute `type`");
            }
            (Family::Classic, "variableAggregation") if self.reader.aggregate(element).is_none() => {
                let help = "name a `target` for it and for each of its variables, or use potok:outputCollection";
                self.ignored(element, span, "this <variableAggregation>", help);
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

    /// Whether an element is a job for a worker, or the engine goes on there by itself: behind a savepoint or timer. (Of an
    /// expression or script only the process graph knows whether it can be evaluated here or is a job.)
    fn is_tried(&self, host: Element<'d>) -> bool {
        let reader = self.reader;
        reader.continuation(host).cuts()
            || children(host, "timerEventDefinition").next().is_some()
            || reader.job(host).is_some()
            || reader.message_event_job(host).is_some()
            || matches!(host.name(), "scriptTask" | "globalScriptTask")
            || (host.name() != "messageEventDefinition" && reader.element(host).expression.is_some())
    }

    pub(super) fn kind_missing(&mut self, at: Element<'d>, help: &str) {
        let message = "it is not said which worker or decision this is for".to_owned();
        self.add("job-kind-missing", Severity::Error, at, at.tag_span(), message, help.to_owned());
    }

    pub(super) fn ignored(&mut self, at: Element<'d>, span: Span, word: &str, help: &str) {
        let message = format!("{word} has no effect here");
        self.add("extension-ignored", Severity::Warning, at, span, message, help.to_owned());
    }

    pub(super) fn unsupported(&mut self, at: Element<'d>, span: Span, word: &str, help: &str) {
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
        let severity = if self.is_drawing { Severity::Warning } else { severity };
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
    (!vocabulary::fits(family, element.name(), host)).then_some((host, hosts))
}

fn is_java_script(reader: Reader<'_>, task: Element<'_>) -> bool {
    let script = children(task, "script").next();
    let script = script.map(|script| reader.expression(script, ExpressionUse::Script));
    script.is_some_and(|script| script.language == Language::JavaScript)
}

fn is_link_throw(host: Element<'_>) -> bool {
    host.name() == "intermediateThrowEvent" && children(host, "linkEventDefinition").next().is_some()
}

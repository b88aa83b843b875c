//! Work that a worker does.

use super::activity::pair;
use super::expression::literal;
use super::reader::{children, own, text};
use super::{JobProperties, Reader};
use crate::Name;
use crate::model::Expression;
use crate::xml::Element;

fn throws(event: Element<'_>) -> bool {
    matches!(event.name(), "intermediateThrowEvent" | "endEvent")
}

impl<'d> Reader<'d> {
    /// The job of a throwing message event: of one of its definitions (Camunda 7), else of the event (Camunda 8, ours), whichever of
    /// the two elements is given.
    #[must_use]
    pub fn message_event_job(&self, element: Element<'d>) -> Option<Box<JobProperties>> {
        if element.name() == "messageEventDefinition" {
            return self.definition_job(element).or_else(|| self.event_job(element.parent()?));
        }
        let definition = children(element, "messageEventDefinition").next();
        definition.and_then(|definition| self.definition_job(definition)).or_else(|| self.event_job(element))
    }

    /// The job of a definition of a throwing message event, or of one at the top of the file, if it says so itself.
    pub(crate) fn definition_job(&self, definition: Element<'d>) -> Option<Box<JobProperties>> {
        let event = definition.parent()?;
        if throws(event) || matches!(event.name(), "event" | "definitions") { self.job(definition) } else { None }
    }

    /// The job of a throwing message event that the event itself says.
    pub(crate) fn event_job(&self, event: Element<'d>) -> Option<Box<JobProperties>> {
        if throws(event) { self.job(event) } else { None }
    }

    /// The job of a task, or of what else can be one.
    pub(super) fn job(&self, task: Element<'d>) -> Option<Box<JobProperties>> {
        let zeebe = self.zeebe_element(task, "taskDefinition");
        let mut in_place_of_engine = false;
        let kind = if let Some(kind) = self.potok(task, "job") {
            self.value(task, &kind)
        } else if let Some(definition) = zeebe {
            self.value(definition, &own(definition, "type").unwrap_or_default())
        } else if task.name() == "scriptTask" || task.name() == "globalScriptTask" {
            return None;
        } else {
            in_place_of_engine = !self.is_external(task);
            self.classic_kind(task)?
        };
        let retries = if let Some(retries) = self.potok(task, "retries") {
            Some(self.value(task, &retries))
        } else {
            zeebe.and_then(|definition| Some(self.value(definition, &own(definition, "retries")?)))
        };
        Some(Box::new(JobProperties {
            kind,
            retries,
            priority: self.job_priority(task, in_place_of_engine),
            headers: self.headers(task),
            retry_cycle: self.retry_cycle(task),
            mapped_only: self.flag(task, "doNotIncludeVariables") == Some(true),
            in_place_of_engine,
        }))
    }

    /// Whether Camunda 7 and Flowable let a worker do it, too.
    fn is_external(&self, task: Element<'d>) -> bool {
        matches!(self.classic_type(task).as_deref(), Some("external" | "external-worker"))
    }

    /// The kind of job that stands for what Camunda 7 and Flowable would do inside the engine.
    fn classic_kind(&self, task: Element<'d>) -> Option<Expression> {
        if self.is_external(task) {
            return Some(self.value(task, &self.classic(task, "topic").unwrap_or_default()));
        }
        match self.classic_type(task).as_deref() {
            Some("script") => return None,
            Some("dmn") if self.decision(task).is_some() => return None,
            Some(kind) => return Some(literal(task, kind)),
            None => {}
        }
        if let Some(kind) = self.java_kind(task) {
            return Some(kind);
        }
        let connector = self.classic_element(task, "connector")?;
        Some(literal(connector, &connector_kind(connector)))
    }

    /// `java:` and the class or bean that would be called.
    pub(super) fn java_kind(&self, element: Element<'d>) -> Option<Expression> {
        ["class", "delegateExpression"].into_iter().find_map(|name| {
            let called = self.classic(element, name).or_else(|| self.own_if_extension(element, name))?;
            Some(literal(element, &java_kind(&called)))
        })
    }

    /// An attribute without a prefix, of an extension element only.
    fn own_if_extension(&self, element: Element<'d>, name: &str) -> Option<Name> {
        self.family(element.namespace_id())?;
        own(element, name)
    }

    /// How often and when it is tried again.
    pub(super) fn retry_cycle(&self, element: Element<'d>) -> Option<Expression> {
        let cycle = self.classic_element(element, "failedJobRetryTimeCycle")?;
        Some(self.value(cycle, &text(cycle)?))
    }

    /// In Camunda 7 `taskPriority` is of external tasks, and `jobPriority` of what the engine does itself.
    fn job_priority(&self, task: Element<'d>, in_place_of_engine: bool) -> Option<Expression> {
        if let Some(definition) = self.zeebe_element(task, "jobPriorityDefinition") {
            return own(definition, "priority").map(|text| self.value(definition, &text));
        }
        let classic = if in_place_of_engine { "jobPriority" } else { "taskPriority" };
        let priority = self.potok(task, "priority").or_else(|| self.classic(task, classic))?;
        Some(self.value(task, &priority))
    }

    /// The configuration that the worker gets: headers, fields that would be injected, and free properties.
    fn headers(&self, task: Element<'d>) -> Vec<(Name, Expression)> {
        let mut headers = self.task_headers(task);
        let ours = self.potok_elements(task, "header");
        headers.extend(ours.into_iter().filter_map(|header| {
            Some((own(header, "key")?, self.value(header, &own(header, "value").unwrap_or_default())))
        }));
        headers.extend(self.fields(&self.classic_elements(task, "field")));
        let properties =
            self.classic_elements(task, "properties").into_iter().flat_map(|list| children(list, "property"));
        headers.extend(properties.filter_map(|property| {
            let (name, value) = pair(property)?;
            Some((name, literal(property, &value)))
        }));
        headers
    }

    /// Camunda 8's headers, which are never expressions.
    pub(super) fn task_headers(&self, host: Element<'d>) -> Vec<(Name, Expression)> {
        self.zeebe_element(host, "taskHeaders").map(header_list).unwrap_or_default()
    }

    /// Fields that would be injected into an object.
    pub(super) fn fields(&self, fields: &[Element<'d>]) -> Vec<(Name, Expression)> {
        let field = |field: Element<'d>| Some((own(field, "name")?, self.field_value(field)));
        fields.iter().copied().filter_map(field).collect()
    }

    /// The field of a name.
    pub(super) fn field(&self, task: Element<'d>, name: &str) -> Option<Expression> {
        let field = self.classic_elements(task, "field").into_iter();
        field.filter(|field| own(*field, "name").as_deref() == Some(name)).map(|field| self.field_value(field)).next()
    }

    fn field_value(&self, field: Element<'d>) -> Expression {
        if let Some(text) = own(field, "stringValue") {
            return literal(field, &text);
        }
        if let Some(string) = children(field, "string").next() {
            return literal(string, &string.text());
        }
        if let Some(text) = own(field, "expression") {
            return self.value(field, &text);
        }
        match children(field, "expression").next() {
            Some(expression) => self.value(expression, &text(expression).unwrap_or_default()),
            None => literal(field, ""),
        }
    }
}

/// The headers in a `zeebe:taskHeaders`.
pub(super) fn header_list(list: Element<'_>) -> Vec<(Name, Expression)> {
    let header = |header| Some((own(header, "key")?, literal(header, &own(header, "value").unwrap_or_default())));
    children(list, "header").filter_map(header).collect()
}

/// The kind of job that stands for a Java class or a bean; `#{bean}` and `${bean}` are the same bean.
pub(super) fn java_kind(called: &str) -> String {
    let called = called.trim();
    match called.strip_prefix('#') {
        Some(rest) if rest.starts_with('{') => format!("java:${rest}"),
        _ => format!("java:{called}"),
    }
}

/// The kind of job that stands for a connector.
pub(super) fn connector_kind(connector: Element<'_>) -> String {
    let id = children(connector, "connectorId").next().and_then(text).unwrap_or_default();
    format!("connector:{id}")
}

//! Which values the words of the dialects take.

use super::data_object::value_of;
use super::namespace::Family;
use super::reader::{children, own, text};
use super::unsupported::Findings;
use super::zeebe::is_path;
use super::{Dialect, FieldKind};
use crate::diagnostic::{Severity, article};
use crate::expressions::Language;
use crate::model::TimerKind;
use crate::time::Timer;
use crate::xml::{Attribute, Element, Span};

/// What a value must be like.
enum Wanted {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// A whole number from 0 to 100.
    Percent,
    /// A date, a point in time, or a duration from now.
    Moment,
    /// When to try again.
    Retries,
    /// Days, as a number or a duration.
    Days,
    /// What kind of task it is.
    Type,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Any of these words, with commas between.
    SomeOf(&'static [&'static str]),
    /// The name of a variable, or a path in one.
    Target,
    /// The same as Camunda 8 has it: of letters, digits and `_`.
    Path,
    /// What is computed.
    Expression,
    /// The same, and it must be there.
    Source,
    /// Anything, but something.
    Name,
}

use Wanted::{
    Days, Expression, Flag, Moment, Name, Number, Path, Percent, Retries, SomeOf, Source, Target, Type, Words,
};

const BINDINGS: Wanted = Words(&["latest", "deployment", "versionTag"]);
const CHANGES: Wanted = SomeOf(&["create", "update", "delete"]);
const RESULTS: Wanted = Words(&["singleEntry", "singleResult", "collectEntries", "resultList"]);
/// Of service tasks, and of what else a worker may do; no job stands for any other.
const TYPES: &[&str] =
    &["external", "external-worker", "dmn", "http", "mail", "script", "send-event", "shell", "camel", "mule", "case"];
const FIELD_TYPES: Wanted = Words(&[
    "string",
    "text",
    "long",
    "integer",
    "int",
    "short",
    "number",
    "double",
    "float",
    "decimal",
    "boolean",
    "date",
    "time",
    "datetime",
    "date-time",
    "enum",
    "json",
    "object",
    "client",
]);
const CONSTRAINTS: Wanted =
    Words(&["required", "readonly", "min", "max", "minlength", "maxlength", "pattern", "validator"]);

/// What an attribute of ours or of Camunda 7 and Flowable takes that stands on an element of BPMN.
fn of_attribute(name: &str) -> Option<(Wanted, Severity)> {
    Some(match name {
        "asyncBefore"
        | "asyncAfter"
        | "async"
        | "asyncLeave"
        | "exclusive"
        | "isStartableInTasklist"
        | "sameDeployment"
        | "inheritBusinessKey"
        | "inheritVariables"
        | "errorVariableLocalScope"
        | "doNotIncludeVariables"
        | "terminateAll" => (Flag, Severity::Warning),
        "priority" | "jobPriority" | "taskPriority" => (Number, Severity::Error),
        "retries" => (Number, Severity::Warning),
        "dueDate" | "followUpDate" => (Moment, Severity::Error),
        "historyTimeToLive" => (Days, Severity::Warning),
        "mapDecisionResult" => (RESULTS, Severity::Error),
        "variableEvents" => (CHANGES, Severity::Warning),
        "type" => (Type, Severity::Error),
        _ => return None,
    })
}

/// What an attribute of an extension element takes; those that take something must be there if `Target` or `Name`.
const OF_ELEMENTS: &[(Family, &str, &str, Wanted, Severity)] = &[
    (Family::Zeebe, "taskDefinition", "retries", Number, Severity::Warning),
    (Family::Zeebe, "executionListener", "retries", Number, Severity::Warning),
    (Family::Zeebe, "taskListener", "retries", Number, Severity::Warning),
    (Family::Zeebe, "priorityDefinition", "priority", Percent, Severity::Warning),
    (Family::Zeebe, "jobPriorityDefinition", "priority", Number, Severity::Error),
    (Family::Zeebe, "taskSchedule", "dueDate", Moment, Severity::Error),
    (Family::Zeebe, "taskSchedule", "followUpDate", Moment, Severity::Error),
    (Family::Zeebe, "calledElement", "bindingType", BINDINGS, Severity::Error),
    (Family::Zeebe, "calledDecision", "bindingType", BINDINGS, Severity::Error),
    (Family::Zeebe, "calledDecision", "resultVariable", Name, Severity::Error),
    (Family::Zeebe, "script", "expression", Expression, Severity::Error),
    (Family::Zeebe, "script", "resultVariable", Name, Severity::Error),
    (Family::Zeebe, "subscription", "correlationKey", Expression, Severity::Error),
    (Family::Zeebe, "loopCharacteristics", "inputCollection", Expression, Severity::Error),
    (Family::Zeebe, "loopCharacteristics", "outputElement", Expression, Severity::Error),
    (Family::Zeebe, "adHoc", "activeElementsCollection", Expression, Severity::Error),
    (Family::Zeebe, "formDefinition", "bindingType", BINDINGS, Severity::Error),
    (Family::Zeebe, "conditionalFilter", "variableEvents", CHANGES, Severity::Warning),
    (Family::Zeebe, "input", "target", Path, Severity::Error),
    (Family::Zeebe, "output", "target", Path, Severity::Error),
    (Family::Zeebe, "output", "source", Source, Severity::Error),
    (Family::Zeebe, "header", "key", Name, Severity::Warning),
    (Family::Potok, "input", "target", Target, Severity::Error),
    (Family::Potok, "output", "target", Target, Severity::Error),
    (Family::Potok, "header", "key", Name, Severity::Warning),
    (Family::Potok, "formField", "id", Name, Severity::Error),
    (Family::Potok, "formField", "type", FIELD_TYPES, Severity::Warning),
    (Family::Potok, "formField", "required", Flag, Severity::Warning),
    (Family::Classic, "inputParameter", "name", Name, Severity::Error),
    (Family::Classic, "outputParameter", "name", Name, Severity::Error),
    (Family::Classic, "field", "name", Name, Severity::Warning),
    (Family::Classic, "formField", "id", Name, Severity::Error),
    (Family::Classic, "formField", "type", FIELD_TYPES, Severity::Error),
    (Family::Classic, "formProperty", "id", Name, Severity::Error),
    (Family::Classic, "formProperty", "type", FIELD_TYPES, Severity::Error),
    (Family::Classic, "constraint", "name", CONSTRAINTS, Severity::Warning),
];

impl Wanted {
    /// Whether it is a fault that there is no value at all.
    fn is_needed(&self) -> bool {
        matches!(self, Target | Path | Source | Name)
    }

    /// How to mend a value, if it must be mended. What is computed is not looked at.
    fn mend(&self, value: &str) -> Option<String> {
        let value = value.trim();
        let is_computed = value.starts_with('=') || value.contains("${") || value.contains("#{");
        if is_computed && !matches!(self, Type | Path) {
            return None;
        }
        let listed = |words: &[&str]| format!("write {}", words.join(", "));
        match self {
            Flag if !matches!(value, "true" | "false") => Some("write `true` or `false`".into()),
            Number if value.parse::<i64>().is_err() => Some("write a whole number".into()),
            Percent if !value.parse::<u8>().is_ok_and(|number| number <= 100) => {
                Some("write a whole number from 0 to 100".into())
            }
            Moment if !is_moment(value) => {
                Some("write a date, e.g. 2026-12-01T09:00:00Z, a duration, e.g. P3D, or an expression".into())
            }
            Retries if !value.split(',').all(|part| is_cycle(part.trim())) => {
                Some("write how often and after how long, e.g. R3/PT10M, or durations with commas between".into())
            }
            Days if value.parse::<u32>().is_err() && Timer::check(TimerKind::Duration, value).is_err() => {
                Some("write days, e.g. 30 or P30D".into())
            }
            Type if !TYPES.iter().any(|word| word.eq_ignore_ascii_case(value)) => Some(listed(TYPES)),
            Words(words) if !words.iter().any(|word| word.eq_ignore_ascii_case(value)) => Some(listed(words)),
            SomeOf(words) if !value.split(',').all(|part| words.contains(&part.trim())) => Some(listed(words)),
            Target if !value.split('.').all(is_variable) => {
                Some("name a variable, or a path in one, with dots between".into())
            }
            Path if !is_path(value) => {
                Some("name a variable, or a path in one with dots between: letters, digits and `_`".into())
            }
            Expression | Source => Some(format!("write an expression, with `=` before it, e.g. `={}`", example(value))),
            Name if value.is_empty() => Some("give it a name".into()),
            _ => None,
        }
    }
}

fn is_moment(value: &str) -> bool {
    let kind = if value.trim_start_matches('-').starts_with('P') { TimerKind::Duration } else { TimerKind::Date };
    Timer::check(kind, value).is_ok()
}

fn is_cycle(value: &str) -> bool {
    [TimerKind::Cycle, TimerKind::Duration].into_iter().any(|kind| Timer::check(kind, value).is_ok())
}

/// FEEL's names may hold blanks.
fn is_variable(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains(|character| "\"'(){}[],;".contains(character))
}

/// An expression that the author may have meant.
fn example(value: &str) -> &str {
    if value.is_empty() { "amount" } else { value }
}

impl<'d> Findings<'d> {
    /// The value of an attribute that stands on an element of BPMN.
    pub(super) fn look_at_value(&mut self, element: Element<'d>, attribute: Attribute<'d>) {
        let Some((wanted, severity)) = of_attribute(attribute.name()) else { return };
        let value = attribute.value();
        if !value.trim().is_empty()
            && let Some(help) = wanted.mend(&value)
        {
            let written = attribute.span().of(element.document().text()).to_owned();
            self.invalid(severity, element, attribute.span(), written, help);
        }
    }

    /// The values that stand in an extension element.
    pub(super) fn look_at_values(&mut self, family: Family, element: Element<'d>) {
        let rows = OF_ELEMENTS.iter().filter(|(of, name, ..)| *of == family && *name == element.name());
        for (_, name, attribute, wanted, severity) in rows {
            let value = element.attribute(attribute).filter(|value| wanted.is_needed() || !value.trim().is_empty());
            let help = match &value {
                Some(value) => wanted.mend(value),
                None => wanted.is_needed().then(|| format!("add the attribute `{attribute}`")),
            };
            if let Some(help) = help {
                let written = match value {
                    Some(value) => format!("{attribute}=\"{value}\" of <{name}>"),
                    None => format!("{} <{name}> without `{attribute}`", article(name)),
                };
                self.invalid(*severity, element, element.tag_span(), written, help);
            }
        }
        match (family, element.name()) {
            (Family::Classic, "failedJobRetryTimeCycle") => {
                let text = element.text();
                if let Some(help) = Retries.mend(&text) {
                    let written = format!("<failedJobRetryTimeCycle> `{}`", text.trim());
                    self.invalid(Severity::Warning, element, element.tag_span(), written, help);
                }
            }
            (Family::Classic, "executionListener" | "taskListener") if does_nothing(element) => {
                let help = "give it an expression, a script or a class, or delete it".to_owned();
                let written = format!("a <{}> that does nothing", element.name());
                self.invalid(Severity::Warning, element, element.tag_span(), written, help);
            }
            (Family::Classic, "script") if is_plain_text(element) => {
                let help = "name its language in scriptFormat, e.g. scriptFormat=\"javascript\"".to_owned();
                let written = "a script without a language, which is a text as it stands,".to_owned();
                self.invalid(Severity::Warning, element, element.tag_span(), written, help);
            }
            (Family::Classic, "constraint") => self.look_at_constraint(element),
            (Family::Classic, "value") => self.look_at_data_object(element),
            (Family::Classic, "in" | "out" | "externalWorkerInParameter" | "externalWorkerOutParameter") => {
                let holder = element.parent().and_then(|extensions| extensions.parent());
                if holder.is_some_and(|holder| holder.name() == "signalEventDefinition") {
                    self.look_at_signal_payload(element);
                }
                self.look_at_handover(element);
            }
            (Family::Zeebe, _) => self.look_at_zeebe(element),
            (Family::Classic, "formField" | "formProperty") | (Family::Potok, "formField") => {
                let form = element.parent().map(|form| form.index());
                let is_second =
                    |id: &crate::Name| !self.fields.insert((form, element.namespace(), element.name(), id.clone()));
                if let Some(id) = own(element, "id").filter(is_second) {
                    let help =
                        "give each field of a form an id of its own: it is the variable that the field sets".to_owned();
                    let written = format!("a second field `{id}`");
                    self.invalid(Severity::Warning, element, element.tag_span(), written, help);
                }
                if self.reader.dialect() == Dialect::Camunda
                    && element.name() == "formField"
                    && family == Family::Classic
                    && own(element, "type").is_none()
                {
                    let help = "say what it holds, e.g. type=\"string\"".to_owned();
                    let written = "a <formField> without `type`".to_owned();
                    self.invalid(Severity::Error, element, element.tag_span(), written, help);
                }
                self.look_at_default(family, element);
                if family == Family::Potok {
                    self.look_at_bounds(element);
                }
            }
            _ => {}
        }
    }

    /// The value that a form field has at first. Camunda 7 neither shows nor submits a form in which it is none, but of a flag.
    fn look_at_default(&mut self, family: Family, element: Element<'d>) {
        let Some(field) = self.reader.any_field(family, element) else { return };
        let Some(default) = field.default.as_ref().filter(|default| default.language == Language::Literal) else {
            return;
        };
        if let Err(help) = field.value_of(&default.text) {
            let is_refused = family == Family::Classic && field.holds() != FieldKind::Boolean;
            let severity = if is_refused { Severity::Error } else { Severity::Warning };
            let written = format!("the default `{}` of the {} field `{}`", default.text, field.kind, field.id);
            self.invalid(severity, element, element.tag_span(), written, help);
        }
    }

    /// The value that a data object of Flowable's has from the start. It refuses a model in which that is none, but takes a date and time
    /// that it cannot read for null.
    fn look_at_data_object(&mut self, value: Element<'d>) {
        let host = value.parent().and_then(|extensions| extensions.parent());
        let Some(host) = host.filter(|host| host.name() == "dataObject") else { return };
        let (Some(kind), Some(text)) = (self.reader.data_object_kind(host), text(value)) else { return };
        if let Err(help) = value_of(kind, &text) {
            let severity = if kind == FieldKind::DateTime { Severity::Warning } else { Severity::Error };
            let kind = host.attribute("itemSubjectRef").unwrap_or_default();
            self.invalid(
                severity,
                value,
                value.tag_span(),
                format!("the value `{text}` of a data object of type `{kind}`"),
                help,
            );
        }
    }

    /// What our own fields bound: `min` and `max` numbers and dates, `pattern` texts; and that something is left to choose from.
    fn look_at_bounds(&mut self, element: Element<'d>) {
        let Some(field) = self.reader.any_field(Family::Potok, element) else { return };
        let span = element.tag_span();
        let mut bad = |written: String, help: &str| {
            self.invalid(Severity::Warning, element, span, written, help.to_owned());
        };
        let holds = field.holds();
        let is_ordered = matches!(
            holds,
            FieldKind::Integer | FieldKind::Number | FieldKind::Date | FieldKind::Time | FieldKind::DateTime
        );
        let mut bounds = Vec::new();
        for (name, written) in &field.constraints {
            let written = written.as_deref().unwrap_or_default();
            let shown = format!("{name}=\"{written}\" of the {} field `{}`", field.kind, field.id);
            match (&**name, field.value_of(written)) {
                ("pattern", _) if !matches!(holds, FieldKind::Text) => bad(shown, "a pattern is for texts"),
                ("pattern", _) => {}
                (_, _) if !is_ordered => bad(shown, "min and max are for numbers, dates and times"),
                (_, Ok(_)) => bounds.push(written.trim()),
                (_, Err(help)) => bad(shown, &help),
            }
        }
        if let [least, most] = bounds[..]
            && is_less(most, least)
        {
            bad(
                format!("min=\"{least}\" beside max=\"{most}\" of the field `{}`", field.id),
                "let min be the smaller one",
            );
        }
        let mut ids: Vec<_> = field.values.iter().map(|(id, _)| id).collect();
        ids.sort();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            bad(
                format!("a second value `{}` of the field `{}`", twice[0], field.id),
                "give each value an id of its own",
            );
        }
        if field.kind.eq_ignore_ascii_case("enum") && field.values.is_empty() {
            bad(format!("the enumeration `{}` without values", field.id), "list its values, or let it be a string");
        }
    }

    /// What a field's constraint bounds, and by how much. Camunda 7 computes neither.
    fn look_at_constraint(&mut self, constraint: Element<'d>) {
        let span = constraint.tag_span();
        let Some(name) = own(constraint, "name") else { return };
        let field = constraint.parent().and_then(|list| list.parent());
        let kind = field.and_then(|field| own(field, "type")).unwrap_or_else(|| "string".into()).to_ascii_lowercase();
        let is_whole = matches!(&*kind, "long" | "integer" | "int" | "short");
        let is_number = is_whole || matches!(&*kind, "number" | "double" | "float" | "decimal");
        let is_text = matches!(&*kind, "string" | "text" | "enum");
        let config = own(constraint, "config").unwrap_or_default();
        let (fits, reads, wanted, help) = match &*name {
            "min" | "max" => (
                is_number,
                if is_whole { config.parse::<i64>().is_ok() } else { config.parse::<f64>().is_ok_and(f64::is_finite) },
                if is_whole { "a whole number" } else { "a number" },
                "bound numbers by it, and texts by minlength and maxlength",
            ),
            "minlength" | "maxlength" => (
                is_text,
                config.parse::<u32>().is_ok(),
                "a whole number",
                "bound texts by it, and numbers by min and max",
            ),
            "validator" => {
                let help = "bound it by min, max, minlength or maxlength, or let a task behind it look at the value";
                return self.ignored(constraint, span, "a <constraint> that is a class (`validator`)", help);
            }
            _ => return,
        };
        if !fits {
            let written = format!("the constraint `{name}` of a field of type `{kind}`");
            self.invalid(Severity::Warning, constraint, span, written, help.to_owned());
        } else if !reads {
            let written = format!("config=\"{config}\" of the constraint `{name}`");
            self.invalid(Severity::Warning, constraint, span, written, format!("write {wanted}"));
        }
    }

    pub(super) fn invalid(&mut self, severity: Severity, at: Element<'d>, span: Span, what: String, help: String) {
        self.add("extension-value-invalid", severity, at, span, format!("{what} means nothing here"), help);
    }
}

/// A listener of Camunda 7 or Flowable that does nothing.
fn does_nothing(listener: Element<'_>) -> bool {
    let acts = |name| own(listener, name).is_some();
    !["expression", "class", "delegateExpression", "type"].into_iter().any(acts)
        && children(listener, "script").next().is_none()
}

/// A script that names no language and holds no `${...}`.
fn is_plain_text(script: Element<'_>) -> bool {
    let text = script.text();
    own(script, "scriptFormat").or_else(|| own(script, "language")).is_none()
        && !text.trim().is_empty()
        && !text.contains("${")
        && !text.contains("#{")
}

/// Of two numbers, dates or times as they are written: ISO 8601 sorts as its text.
fn is_less(one: &str, other: &str) -> bool {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one < other,
        _ => one < other,
    }
}

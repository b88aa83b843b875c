//! Scenario files: who answers what, and when.

use std::collections::BTreeMap;
use std::path::Path;

use potok_core::diagnostic::similar;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use serde_saphyr::Spanned;

use crate::failure::Failure;
use crate::folder;
use crate::yaml;

const VERBS: &str = "complete, job, error, fail, message, signal, wait, reach, set, retry, activate, finish";

/// Variables as a file gives them.
pub(crate) type Given = Map<String, Json>;

/// A scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The file's name.
    file: String,
    pub(crate) now: Option<Lined<String>>,
    pub(crate) process: Option<String>,
    pub(crate) business_key: Option<String>,
    /// The start event that has occurred, where a person does not start the process.
    pub(crate) at: Option<Lined<String>>,
    /// Who starts the process.
    pub(crate) user: Option<String>,
    pub(crate) start: Option<Lined<Given>>,
    pub(crate) steps: Vec<Lined<Step>>,
    /// What jobs give of which no step speaks, by type.
    pub(crate) jobs: BTreeMap<String, Given>,
}

/// Something and the line that it stands in.
#[derive(Clone, Debug)]
pub(crate) struct Lined<T> {
    pub(crate) value: T,
    pub(crate) line: u64,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Completes a user task.
    Complete { task: String, with: Given },
    /// Completes a job, named by its element or type.
    Job { job: String, result: Given },
    /// A job or task ends with a BPMN error.
    Error { work: String, code: String, reason: Option<String>, with: Given },
    /// A job fails; no retries are left unless given.
    Fail { job: String, reason: Option<String>, retries: i64 },
    /// A message comes.
    Message { name: String, key: Option<Json>, with: Given },
    /// A signal is thrown.
    Signal { name: String, with: Given },
    /// Time passes: to the next timer, for a duration, or to a moment.
    Wait { until: String },
    /// A token has come to an element, since the last step that said so.
    Reach { element: String },
    /// Variables are set.
    Set { variables: Given },
    /// An incident is tried again.
    Retry { element: String },
    /// Activities of an ad-hoc sub-process begin.
    Activate { ad_hoc: String, elements: Vec<String> },
    /// An ad-hoc sub-process is ended.
    Finish { ad_hoc: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    now: Option<Spanned<String>>,
    process: Option<String>,
    business_key: Option<String>,
    at: Option<Spanned<String>>,
    user: Option<String>,
    start: Option<Spanned<Option<Given>>>,
    #[serde(default)]
    steps: Vec<Spanned<Given>>,
    #[serde(default)]
    jobs: Option<BTreeMap<String, Option<Given>>>,
}

impl Scenario {
    /// Reads a scenario.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let file = path.display().to_string();
        let bytes = folder::read(path)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::new(format!("{file} is no text in UTF-8")).help("save it as UTF-8"))?;
        Self::parse(file, text)
    }

    fn parse(file: String, text: &str) -> Result<Self, Failure> {
        // An element may be called `n` or `on`: only `true` and `false` are flags, as YAML has it since 1.2.
        let options = serde_saphyr::options! { strict_booleans: true };
        let read: File = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let place = error.location().map(|place| format!(":{}:{}", place.line(), place.column()));
            Failure::new(format!("{file}{}: {}", place.unwrap_or_default(), yaml::message(&error)))
                .help("a scenario has `now`, `process`, `business_key`, `user`, `at`, `start`, `steps` and `jobs`")
        })?;
        let mut scenario = Self {
            file,
            now: read.now.map(|now| Lined { line: now.referenced.line(), value: now.value }),
            process: read.process,
            business_key: read.business_key,
            at: read.at.map(|at| Lined { line: at.referenced.line(), value: at.value }),
            user: read.user,
            start: read
                .start
                .map(|start| Lined { line: start.referenced.line(), value: start.value.unwrap_or_default() }),
            steps: Vec::new(),
            jobs: BTreeMap::new(),
        };
        for (number, step) in (1..).zip(read.steps) {
            let line = step.referenced.line();
            let value =
                Step::read(step.value).map_err(|failure| scenario.at(line, &format!("step {number}"), failure))?;
            scenario.steps.push(Lined { value, line });
        }
        let jobs = read.jobs.unwrap_or_default();
        scenario.jobs = jobs.into_iter().map(|(kind, given)| (kind, given.unwrap_or_default())).collect();
        Ok(scenario)
    }

    /// A failure placed in the file.
    pub(crate) fn at(&self, line: u64, what: &str, failure: Failure) -> Failure {
        match failure {
            Failure::Told { message, details, help } => {
                Failure::Told { message: format!("{}:{line}: {what}: {message}", self.file), details, help }
            }
            other => other,
        }
    }
}

impl Step {
    fn read(mut given: Given) -> Result<Self, Failure> {
        let verbs: Vec<&str> = VERBS.split(", ").collect();
        let found: Vec<String> = given.keys().filter(|key| verbs.contains(&key.as_str())).cloned().collect();
        // `fail` and `error` may say in words what happened; that word is not a verb.
        let verb = match &found[..] {
            [verb] => verb.clone(),
            [] => {
                let keys: Vec<&str> = given.keys().map(String::as_str).collect();
                let meant = keys.iter().find_map(|key| similar(key, verbs.iter().copied()));
                let meant = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
                let said = if keys.is_empty() { "nothing".to_owned() } else { format!("`{}`", keys.join("`, `")) };
                return Err(Failure::new(format!("says {said}, but not what to do"))
                    .help(format!("{meant}a step is one of {VERBS}")));
            }
            several => {
                return Err(Failure::new(format!("says several things at once: `{}`", several.join("`, `")))
                    .help("make a step of each"));
            }
        };
        let subject = given.remove(&verb).unwrap_or_default();
        let mut fields = Fields { verb: verb.clone(), given };
        let step = match verb.as_str() {
            "complete" => Self::Complete { task: fields.word(subject)?, with: fields.map("with")? },
            "job" => Self::Job { job: fields.word(subject)?, result: fields.map("result")? },
            "error" => Self::Error {
                work: fields.word(subject)?,
                code: fields.text("code")?.ok_or_else(|| Failure::new("names no `code`").help("add `code: ...`"))?,
                reason: fields.text("reason")?,
                with: fields.map("with")?,
            },
            "fail" => Self::Fail {
                job: fields.word(subject)?,
                reason: fields.text("reason")?,
                retries: fields.count("retries")?,
            },
            "message" => {
                Self::Message { name: fields.word(subject)?, key: fields.take("key"), with: fields.map("with")? }
            }
            "signal" => Self::Signal { name: fields.word(subject)?, with: fields.map("with")? },
            "wait" => Self::Wait { until: fields.word(subject)? },
            "reach" => Self::Reach { element: fields.word(subject)? },
            "set" => Self::Set {
                variables: match subject {
                    Json::Object(variables) => variables,
                    other => {
                        return Err(Failure::new(format!("`set: {other}` does not name variables"))
                            .help("write `set: {name: value}`"));
                    }
                },
            },
            "retry" => Self::Retry { element: fields.word(subject)? },
            "activate" => Self::Activate {
                ad_hoc: fields.word(subject)?,
                elements: match fields.take("elements") {
                    Some(Json::Array(elements)) => {
                        elements.into_iter().map(|element| fields.word(element)).collect::<Result<_, _>>()?
                    }
                    Some(element) => vec![fields.word(element)?],
                    None => return Err(Failure::new("names no `elements`").help("add `elements: [...]`")),
                },
            },
            _ => Self::Finish { ad_hoc: fields.word(subject)? },
        };
        fields.nothing_else()?;
        Ok(step)
    }

    /// The step as it is told.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Complete { task, .. } => format!("complete: {task}"),
            Self::Job { job, .. } => format!("job: {job}"),
            Self::Error { work, .. } => format!("error: {work}"),
            Self::Fail { job, .. } => format!("fail: {job}"),
            Self::Message { name, .. } => format!("message: {name}"),
            Self::Signal { name, .. } => format!("signal: {name}"),
            Self::Wait { until } => format!("wait: {until}"),
            Self::Reach { element } => format!("reach: {element}"),
            Self::Set { .. } => "set".to_owned(),
            Self::Retry { element } => format!("retry: {element}"),
            Self::Activate { ad_hoc, .. } => format!("activate: {ad_hoc}"),
            Self::Finish { ad_hoc } => format!("finish: {ad_hoc}"),
        }
    }

    /// The element or job type whose jobs the step is about.
    pub(crate) fn holds(&self) -> Option<&str> {
        match self {
            Self::Job { job: name, .. } | Self::Error { work: name, .. } | Self::Fail { job: name, .. } => Some(name),
            _ => None,
        }
    }
}

/// What stands beside a step's verb.
struct Fields {
    verb: String,
    given: Given,
}

impl Fields {
    fn take(&mut self, name: &str) -> Option<Json> {
        self.given.remove(name).filter(|value| *value != Json::Null)
    }

    fn word(&self, json: Json) -> Result<String, Failure> {
        match json {
            Json::String(text) if !text.is_empty() => Ok(text),
            Json::Number(number) => Ok(number.to_string()),
            Json::Null => Err(Failure::new(format!("`{}` names nothing", self.verb))),
            other => Err(Failure::new(format!("`{}` takes a name, not {other}", self.verb))),
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(Json::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(Failure::new(format!("`{name}` takes text, not {other}"))),
        }
    }

    fn count(&mut self, name: &str) -> Result<i64, Failure> {
        match self.take(name) {
            None => Ok(0),
            Some(given) => given.as_i64().filter(|count| *count >= 0).ok_or_else(|| {
                Failure::new(format!("`{name}` takes a whole number that is not negative, not {given}"))
            }),
        }
    }

    fn map(&mut self, name: &str) -> Result<Given, Failure> {
        match self.take(name) {
            None => Ok(Given::new()),
            Some(Json::Object(map)) => Ok(map),
            Some(other) => Err(Failure::new(format!("`{name}` takes variables, not {other}"))
                .help(format!("write `{name}: {{name: value}}`"))),
        }
    }

    fn nothing_else(self) -> Result<(), Failure> {
        let Some(key) = self.given.keys().next() else { return Ok(()) };
        let known: &[&str] = match self.verb.as_str() {
            "complete" | "signal" => &["with"],
            "job" => &["result"],
            "error" => &["code", "reason", "with"],
            "fail" => &["reason", "retries"],
            "message" => &["key", "with"],
            "activate" => &["elements"],
            _ => &[],
        };
        let help = match known {
            [] => format!("`{}` stands alone", self.verb),
            known => format!("beside `{}` may stand `{}`", self.verb, known.join("`, `")),
        };
        Err(Failure::new(format!("`{}` knows no `{key}`", self.verb)).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match Scenario::parse("s.yaml".to_owned(), text) {
            Ok(_) => "fine".to_owned(),
            Err(Failure::Told { message, help, .. }) => format!("{message} / {}", help.unwrap_or_default()),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn steps_know_their_lines() {
        let text = "now: 2026-11-24T10:15:00Z\nsteps:\n  - complete: a\n    with: {x: 1}\n\n  - wait: P1D\n";
        let scenario = Scenario::parse("s.yaml".to_owned(), text).expect("a scenario");
        let lines: Vec<_> = scenario.steps.iter().map(|step| (step.line, step.value.told())).collect();
        assert_eq!(lines, [(3, "complete: a".to_owned()), (6, "wait: P1D".to_owned())]);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        assert!(told("steps:\n  - complet: a\n").starts_with("s.yaml:2: step 1: says `complet`"));
        assert!(told("steps:\n  - complet: a\n").contains("did you mean `complete`?"));
        assert!(told("steps:\n  - wait: P1D\n  - complete: a\n    result: {}\n").starts_with("s.yaml:3: step 2:"));
        assert!(told("steps:\n  - error: a\n").contains("names no `code`"));
        assert!(told("step:\n  - error: a\n").contains("unknown field"));
        for retries in ["x", "-1", "1.5"] {
            assert!(
                told(&format!("steps:\n  - fail: a\n    retries: {retries}\n"))
                    .contains("`retries` takes a whole number")
            );
        }
        assert!(told("steps: [").starts_with("s.yaml:1"));
    }

    #[test]
    fn yaml_is_spoken_of_in_our_words() {
        assert!(told("now: a\nnow: b\n").starts_with("s.yaml:2:1: `now` stands twice / "));
        assert!(told("- a\n").starts_with("s.yaml:1:1: names with values (`name: value`) must stand here / "));
        assert!(told("steps: 5\n").starts_with("s.yaml:1:8: a list (`- ...`) must stand here / "));
        assert!(told("now: [1]\n").starts_with("s.yaml:1:6: a text must stand here / "));
        assert!(told("foo: 5\n").starts_with("s.yaml:1:1: unknown field `foo` / "));
        let tab = told("steps:\n\t- a: b\n");
        assert!(tab.contains("tab") && !tab.contains("at line"), "{tab}");
    }
}

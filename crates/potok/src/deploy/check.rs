//! Files, read and checked before anything is deployed.

use std::sync::Arc;

use potok_core::Name;
use potok_core::diagnostic::{Diagnostic, Severity};
use potok_core::expressions::Deployment as Number;
use potok_core::graph::{NodeKind, Package, ProcessGraph, VersionBinding};
use potok_core::instance::Key;
use potok_core::model::Process;
use potok_core::time::{Calendar, Timestamp};
use potok_expressions::Evaluator;
use potok_store::Bytes;
use potok_store::row::{Definition, DefinitionKind};

use crate::engine::{Engine, Inner};
use crate::error::RefusedFile;
use crate::{Action, Error};

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A BPMN model: `.bpmn` or `.bpmn20.xml`.
    Model,
    /// Decisions: `.dmn`.
    Decisions,
    /// A working calendar: `calendar*.yaml`.
    Calendar,
    /// A form: `.form`.
    Form,
}

impl FileKind {
    /// What a file of that name is; nothing if it is only kept.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        match () {
            () if ends(".bpmn") || ends(".bpmn20.xml") => Some(Self::Model),
            () if ends(".dmn") => Some(Self::Decisions),
            () if name.starts_with("calendar") && (ends(".yaml") || ends(".yml")) => Some(Self::Calendar),
            () if ends(".form") => Some(Self::Form),
            () => None,
        }
    }
}

/// A file that was only looked at.
#[derive(Clone, Debug)]
pub struct CheckedFile {
    /// Its name.
    pub file: Name,
    /// What is wrong or unusual with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file that has been read and checked.
pub(super) struct Checked {
    pub(super) name: Name,
    pub(super) bytes: Bytes,
    pub(super) definitions: Vec<Definition>,
    pub(super) package: Option<Package>,
    /// What is unusual about it.
    warnings: Vec<Diagnostic>,
}

impl Engine {
    /// Says what is wrong or unusual with files, by their names, without deploying them.
    ///
    /// # Errors
    /// If that is forbidden, or the engine has stopped.
    pub async fn check(&self, files: Vec<(Name, Vec<u8>)>) -> Result<Vec<CheckedFile>, Error> {
        self.access(Action::Check, &"").await?;
        let inner = self.inner.clone();
        let findings = move |(name, bytes): (Name, Vec<u8>)| {
            let checked = check(&name, &bytes.into(), Key(0), &inner);
            let diagnostics = match checked {
                Ok(checked) => checked.warnings,
                Err(refused) => refused.diagnostics,
            };
            CheckedFile { file: name, diagnostics }
        };
        // It may take a while, and others have to do.
        let checked = tokio::task::spawn_blocking(move || files.into_iter().map(findings).collect());
        checked.await.map_err(|_| Error::Stopped)
    }
}

pub(super) fn check(name: &Name, bytes: &Bytes, deployment: Key, inner: &Inner) -> Result<Checked, RefusedFile> {
    let refused = |diagnostics| RefusedFile { file: name.clone(), diagnostics };
    let define = |kind, id: &Name, title: Option<&Name>| Definition {
        kind,
        id: id.clone(),
        name: title.cloned(),
        resource: name.clone(),
        ..Definition::default()
    };
    let (mut package, mut warnings) = (None, Vec::new());
    let definitions = match FileKind::of(name) {
        Some(FileKind::Model) => {
            let evaluator = inner.catalog.evaluator();
            let mut read = Package::of_deployment(bytes, evaluator, Number(deployment.0)).map_err(refused)?;
            if inner.limits.history_must_end {
                let endless = without_end(&read);
                read.warnings.retain(|warning| warning.code != WITHOUT_END);
                if !endless.is_empty() {
                    return Err(refused(endless.into_iter().chain(read.warnings).collect()));
                }
            }
            let defined = read.processes.iter().map(|process| Definition {
                tag: process.version_tag().cloned(),
                ordinals: ordinals(process),
                ..define(DefinitionKind::Process, process.id(), process.name())
            });
            let defined = defined.collect();
            warnings = std::mem::take(&mut read.warnings);
            package = Some(read);
            defined
        }
        Some(FileKind::Decisions) => {
            let evaluator = Evaluator::new();
            let added = evaluator.add_decisions(bytes).map_err(refused)?;
            warnings = added.warnings;
            let described = |id: &Name| {
                let (name, tag) = evaluator.description_of(id).unzip();
                Definition { tag: tag.flatten(), ..define(DefinitionKind::Decision, id, name.as_ref()) }
            };
            added.ids.iter().map(described).collect()
        }
        Some(FileKind::Calendar) => {
            let calendar = Calendar::from_yaml(&String::from_utf8_lossy(bytes));
            let calendar = calendar.map_err(|diagnostic| refused(vec![diagnostic]))?;
            vec![define(DefinitionKind::Calendar, calendar.name(), None)]
        }
        Some(FileKind::Form) => {
            let form: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
            let form = form.unwrap_or_default();
            let said = |name: &str| Some(Name::from(form.get(name)?.as_str()?));
            let id = said("id").unwrap_or_else(|| name.clone());
            vec![Definition { tag: said("versionTag"), ..define(DefinitionKind::Form, &id, None) }]
        }
        None => Vec::new(),
    };
    Ok(Checked { name: name.clone(), bytes: bytes.clone(), definitions, package, warnings })
}

/// The code of a process that does not say how long the history of its instances is kept.
const WITHOUT_END: &str = "history-without-end";

/// What is to be said of processes that do not say how long the history of their instances is kept, where each must.
fn without_end(package: &Package) -> Vec<Diagnostic> {
    let both = package.processes.iter().zip(&package.definitions.processes);
    let endless =
        both.filter(|(graph, _)| graph.is_executable() && graph.history_ends(Timestamp::UNIX_EPOCH).is_none());
    let said = |(graph, process): (&Arc<ProcessGraph>, &Process)| {
        let id = graph.id();
        let message =
            format!("process {id} does not say how long the history of its instances is kept, and here each must");
        let help = "set historyTimeToLive: days, or a duration such as P180D";
        package.definitions.diagnostic(WITHOUT_END, Severity::Error, process.element, message, help)
    };
    endless.map(said).collect()
}

/// The ids of flow nodes in the order of their ordinals.
fn ordinals(process: &ProcessGraph) -> Bytes {
    let ids: Vec<&str> = process.nodes().map(|node| &*node.id).collect();
    ids.join("\n").into_bytes().into()
}

/// Whether something in a file calls or decides what it is deployed with.
pub(super) fn binds_to_deployment(package: &Package) -> bool {
    package.processes.iter().flat_map(|process| process.nodes()).any(|node| {
        let work = match &node.kind {
            NodeKind::Call(call) => Some(&call.binding),
            NodeKind::Decision(decision) => Some(&decision.binding),
            _ => None,
        };
        let form = node.details.form.as_ref().map(|form| &form.binding);
        [work, form].into_iter().flatten().any(|binding| matches!(binding, VersionBinding::Deployment))
    })
}

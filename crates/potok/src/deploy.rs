//! Deployments: files as they are, and what is defined in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use potok_core::Name;
use potok_core::diagnostic::{Diagnostic, Severity};
use potok_core::expressions::Deployment as Number;
use potok_core::graph::{Catch, NodeKind, Package, ProcessGraph, VersionBinding};
use potok_core::instance::Key;
use potok_core::model::Process;
use potok_core::routing::{start_timers, start_triggers};
use potok_core::time::{Calendar, Timestamp};
use potok_core::value::Value;
use potok_expressions::Evaluator;
use potok_store::query::DefinitionQuery;
use potok_store::row::{
    Definition, DefinitionKind, Deployment as DeploymentRow, Resource, Subscription, SubscriptionKind, Work,
};
use potok_store::{Bytes, Changes, Version, digest};

use crate::access::Access;
use crate::engine::{Engine, Inner};
use crate::error::RefusedFile;
use crate::work::Chore;
use crate::{Action, DefinitionId, DeploymentId, Error, Right};

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

/// What was deployed.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The deployment; none if nothing has changed since the last one.
    pub id: Option<DeploymentId>,
    /// What its files define, in their newest versions: also those that have not changed.
    pub definitions: Vec<Definition>,
}

impl Deployed {
    /// The definition of that id.
    #[must_use]
    pub fn definition(&self, id: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.id == id)
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

/// Files about to be deployed together.
#[derive(Debug)]
#[must_use = "nothing is deployed until `send`"]
pub struct Deployment<'e> {
    engine: &'e Engine,
    name: Option<Name>,
    tenant: Option<Name>,
    source: Option<Name>,
    files: Vec<(Name, Bytes)>,
    unchanged: Unchanged,
    keeps_anything: bool,
}

/// What becomes of files that are the same as in their newest versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unchanged {
    /// They are left out.
    LeftOut,
    /// They make new versions if any other has changed.
    WithOthers,
    /// They make new versions.
    Anew,
}

/// A file that has been read and checked.
struct Checked {
    name: Name,
    bytes: Bytes,
    definitions: Vec<Definition>,
    package: Option<Package>,
}

impl Deployment<'_> {
    /// Under that name.
    pub fn name(self, name: impl Into<Name>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// For that tenant.
    pub fn tenant(self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// With a file. Its name says what it is; whatever is no model, decision, form or calendar is only kept.
    pub fn file(mut self, name: impl Into<Name>, bytes: impl AsRef<[u8]>) -> Self {
        self.files.push((name.into(), bytes.as_ref().into()));
        self
    }

    /// Makes new versions also of what has not changed.
    pub fn anew(self) -> Self {
        Self { unchanged: Unchanged::Anew, ..self }
    }

    /// Makes new versions also of what has not changed, if anything else has.
    pub fn all_or_none(self) -> Self {
        Self { unchanged: Unchanged::WithOthers, ..self }
    }

    /// Saying where its files come from.
    pub fn source(self, source: impl Into<Name>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Also if none of its files defines anything: they are only kept.
    pub fn keep_anything(self) -> Self {
        Self { keeps_anything: true, ..self }
    }

    /// Deploys all files or none. A file that is the same as in its newest version makes no new one, unless it calls or decides by
    /// the binding `deployment` and another has changed.
    ///
    /// # Errors
    /// If files are refused (the error has all of them), there is none, or the database cannot be written.
    pub async fn send(self) -> Result<Deployed, Error> {
        let inner = &self.engine.inner;
        let subject = self.files.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ");
        let access = self.engine.checked(Action::Deploy, &subject).await?;
        let tenant = access.home(self.tenant.as_ref())?;
        let now = inner.clock.now();
        let key = inner.next_key(now);
        let (mut checked, mut refused) = (Vec::with_capacity(self.files.len()), Vec::new());
        for (name, bytes) in &self.files {
            match check(name, bytes, key, inner) {
                Ok(file) => checked.push(file),
                Err(file) => refused.push(file),
            }
        }
        if !refused.is_empty() {
            return Err(Error::Refused(refused));
        }
        let defines_nothing = checked.iter().all(|file| file.definitions.is_empty());
        if checked.is_empty() || (defines_nothing && !self.keeps_anything) {
            return Err(Error::NothingToDeploy);
        }
        let mut standing = Vec::new();
        if self.unchanged != Unchanged::Anew && !defines_nothing {
            let mut unchanged = BTreeSet::new();
            for file in &checked {
                if let Some(definitions) = self.unchanged(&tenant, file).await? {
                    unchanged.insert(file.name.clone());
                    standing.extend(definitions);
                }
            }
            let has_changed = unchanged.len() < checked.len();
            if !has_changed {
                return Ok(Deployed { id: None, definitions: standing });
            }
            if self.unchanged == Unchanged::LeftOut {
                checked.retain(|file| {
                    !unchanged.contains(&file.name) || file.package.as_ref().is_some_and(binds_to_deployment)
                });
            }
        }
        let mut graphs = BTreeMap::new();
        let mut definitions = Vec::new();
        let mut files = Vec::new();
        for file in checked {
            for process in file.package.into_iter().flat_map(|package| package.processes) {
                graphs.insert(process.id().clone(), process);
            }
            for definition in file.definitions {
                let key = inner.next_key(now);
                definitions.push(Definition { key, tenant: tenant.clone(), ..definition });
            }
            files.push((file.name, file.bytes));
        }
        standing.retain(|old: &Definition| !definitions.iter().any(|new| (new.kind, &new.id) == (old.kind, &old.id)));
        let row = DeploymentRow {
            key,
            name: self.name.clone(),
            tenant: Some(tenant).filter(|tenant| !tenant.is_empty()),
            source: self.source.clone(),
            deployer: self.engine.user.clone(),
            deployed: now,
        };
        let follows = |definition: &Definition, before: Option<Key>| {
            let mut changes = Changes::default();
            if definition.kind == DefinitionKind::Process
                && let Some(graph) = graphs.get(&definition.id)
            {
                if let Some(before) = before {
                    changes.remove_of::<Subscription>(before);
                    changes.remove_of::<Work>(before);
                }
                starts(&mut changes, definition, graph, now, &|| inner.next_key(now));
            }
            changes
        };
        self.engine.allowed(Action::Deploy, &subject).await?;
        let mut deployed = inner.store.deploy(&row, &files, definitions, follows).await?;
        inner.catalog.changed();
        inner.catalog.discover().await?;
        inner.wake.due();
        deployed.extend(standing);
        Ok(Deployed { id: Some(DeploymentId(key)), definitions: deployed })
    }

    /// The newest versions of what a file defines, if they are from the very same bytes.
    async fn unchanged(&self, tenant: &Name, file: &Checked) -> Result<Option<Vec<Definition>>, Error> {
        let store = &self.engine.inner.store;
        let content = digest(&file.bytes);
        let mut newest = Vec::new();
        for Definition { kind, id, .. } in &file.definitions {
            let Some(found) = store.definition(*kind, tenant, id, &Version::Latest).await? else {
                return Ok(None);
            };
            let resource = store.get::<Resource>((found.deployment, found.resource.clone())).await?;
            if resource.is_none_or(|resource| resource.content != content) {
                return Ok(None);
            }
            newest.push(found);
        }
        // A file that defines nothing is kept with what has changed.
        Ok((!newest.is_empty()).then_some(newest))
    }
}

impl Engine {
    /// Files to be deployed together.
    pub fn deployment(&self) -> Deployment<'_> {
        Deployment {
            engine: self,
            name: None,
            tenant: None,
            source: None,
            files: Vec::new(),
            unchanged: Unchanged::LeftOut,
            keeps_anything: false,
        }
    }

    /// Deploys a file, or all models, decisions, forms and calendars of a folder.
    ///
    /// # Errors
    /// If there is nothing to deploy, a file cannot be read or is refused, or the database cannot be written.
    pub async fn deploy_path(&self, path: impl AsRef<Path>) -> Result<Deployed, Error> {
        let path = path.as_ref();
        self.checked(Action::Deploy, &path.display()).await?;
        let unreadable = |path: &Path, error: &std::io::Error| Error::Unreadable {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        let mut files = Vec::new();
        if path.is_dir() {
            for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
                let file = entry.map_err(|error| unreadable(path, &error))?.path();
                let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if FileKind::of(name).is_some() && file.is_file() {
                    files.push(file);
                }
            }
            files.sort();
        } else {
            files.push(path.to_owned());
        }
        let mut deployment = self.deployment();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            deployment = deployment.name(name);
        }
        for file in files {
            let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            deployment = deployment.file(name, bytes);
        }
        deployment.send().await
    }

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
                Ok(checked) => checked.package.map(|package| package.warnings).unwrap_or_default(),
                Err(refused) => refused.diagnostics,
            };
            CheckedFile { file: name, diagnostics }
        };
        // It may take a while, and others have to do.
        let checked = tokio::task::spawn_blocking(move || files.into_iter().map(findings).collect());
        checked.await.map_err(|_| Error::Stopped)
    }

    /// The names of the files of a deployment.
    ///
    /// # Errors
    /// If there is no such deployment, or the database cannot be read.
    pub async fn resources(&self, deployment: DeploymentId) -> Result<Vec<Resource>, Error> {
        let access = self.access(Action::ReadDefinitions, &deployment).await?;
        if !self.admits_deployment(&access, deployment).await? {
            return Err(Error::UnknownDeployment(deployment));
        }
        let resources: Vec<Resource> = self.inner.store.of_instance(deployment.0).await?;
        if resources.is_empty() { Err(Error::UnknownDeployment(deployment)) } else { Ok(resources) }
    }

    /// Definitions that are searched for.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn definitions(&self, query: &DefinitionQuery) -> Result<Vec<Definition>, Error> {
        let mut query = query.clone();
        self.access(Action::ReadDefinitions, &"").await?.narrow_to_tenants(&mut query.sight);
        Ok(self.inner.store.list(&query).await?.rows)
    }

    /// The newest versions of the processes that may be started by whoever acts, by their ids. Those that start by messages, signals or
    /// timers only are among them.
    ///
    /// # Errors
    /// If the database cannot be read, or this version of the program refuses a model.
    pub async fn startable(&self) -> Result<Vec<Definition>, Error> {
        let access = self.access(Action::ReadDefinitions, &"").await?;
        if !access.may(Right::Start) {
            return Ok(Vec::new());
        }
        let mut query = DefinitionQuery { kind: Some(DefinitionKind::Process), ..DefinitionQuery::default() };
        access.narrow_to_tenants(&mut query.sight);
        let all = self.inner.store.list(&query).await?.rows;
        let mut newest: BTreeMap<(Name, Name), Definition> = BTreeMap::new();
        for definition in all {
            let of = (definition.id.clone(), definition.tenant.clone());
            if newest.get(&of).is_none_or(|other| other.version < definition.version) {
                newest.insert(of, definition);
            }
        }
        let mut startable = Vec::new();
        for definition in newest.into_values() {
            let deployed = self.inner.catalog.get(definition.key).await?;
            if !definition.suspended && deployed.is_some_and(|deployed| access.may_start(&deployed.graph)) {
                startable.push(definition);
            }
        }
        Ok(startable)
    }

    /// Whether a version belongs to a tenant of whoever acts.
    pub(crate) async fn admits(&self, access: &Access, definition: DefinitionId) -> Result<bool, Error> {
        if access.tenants().is_none() {
            return Ok(true);
        }
        let row = self.inner.store.get::<Definition>(definition.0).await?;
        Ok(row.is_some_and(|row| access.admits(Some(&row.tenant))))
    }

    /// Whether a deployment belongs to a tenant of whoever acts.
    pub(crate) async fn admits_deployment(&self, access: &Access, deployment: DeploymentId) -> Result<bool, Error> {
        if access.tenants().is_none() {
            return Ok(true);
        }
        let row = self.inner.store.get::<DeploymentRow>(deployment.0).await?;
        Ok(row.is_some_and(|row| access.admits(row.tenant.as_ref())))
    }

    /// A version of a process, as it runs; nothing if there is no such version.
    ///
    /// # Errors
    /// If the database cannot be read, or this version of the program refuses the model.
    pub async fn graph(&self, definition: DefinitionId) -> Result<Option<Arc<ProcessGraph>>, Error> {
        let access = self.access(Action::ReadDefinitions, &definition).await?;
        if !self.admits(&access, definition).await? {
            return Ok(None);
        }
        Ok(self.inner.catalog.get(definition.0).await?.map(|deployed| deployed.graph.clone()))
    }

    /// The bytes of a deployed file, as they were deployed.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn resource(&self, deployment: DeploymentId, file: &str) -> Result<Option<Vec<u8>>, Error> {
        let access = self.access(Action::ReadDefinitions, &deployment).await?;
        if !self.admits_deployment(&access, deployment).await? {
            return Ok(None);
        }
        Ok(self.inner.store.resource(deployment.0, &file.into()).await?)
    }

    /// Starts no more instances of a definition until it is resumed; says whether there is one.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn suspend_definition(&self, definition: DefinitionId) -> Result<bool, Error> {
        self.set_suspended(definition, true).await
    }

    /// Lets instances of a definition be started again; says whether there is one.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn resume_definition(&self, definition: DefinitionId) -> Result<bool, Error> {
        self.set_suspended(definition, false).await
    }

    async fn set_suspended(&self, definition: DefinitionId, suspended: bool) -> Result<bool, Error> {
        let access = self.checked(Action::SuspendDefinition, &definition).await?;
        if !self.admits(&access, definition).await? {
            return Ok(false);
        }
        self.allowed(Action::SuspendDefinition, &definition).await?;
        let found = self.inner.store.suspend_definition(definition.0, suspended).await;
        self.inner.catalog.changed();
        Ok(found?)
    }
}

fn check(name: &Name, bytes: &Bytes, deployment: Key, inner: &Inner) -> Result<Checked, RefusedFile> {
    let refused = |diagnostics| RefusedFile { file: name.clone(), diagnostics };
    let define = |kind, id: &Name, title: Option<&Name>| Definition {
        kind,
        id: id.clone(),
        name: title.cloned(),
        resource: name.clone(),
        ..Definition::default()
    };
    let mut package = None;
    let definitions = match FileKind::of(name) {
        Some(FileKind::Model) => {
            let evaluator = &*inner.catalog.evaluator;
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
            package = Some(read);
            defined
        }
        Some(FileKind::Decisions) => {
            let evaluator = Evaluator::new();
            let ids = evaluator.add_decisions(bytes).map_err(refused)?;
            let described = |id: &Name| {
                let (name, tag) = evaluator.description_of(id).unzip();
                Definition { tag: tag.flatten(), ..define(DefinitionKind::Decision, id, name.as_ref()) }
            };
            ids.iter().map(described).collect()
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
    Ok(Checked { name: name.clone(), bytes: bytes.clone(), definitions, package })
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

/// Whether something in a file calls, decides or shows what it is deployed with.
fn binds_to_deployment(package: &Package) -> bool {
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

/// What starts the newest version of a process from now on.
pub(crate) fn starts(
    changes: &mut Changes,
    definition: &Definition,
    graph: &ProcessGraph,
    now: Timestamp,
    next_key: &dyn Fn() -> Key,
) {
    for trigger in start_triggers(graph) {
        let node = &graph.node(trigger.node).id;
        let literal = |name: &potok_core::graph::Expression| match name.as_literal() {
            Some(Value::String(name)) => Some(name.clone()),
            _ => None,
        };
        let (kind, name) = match trigger.catch {
            Catch::Message { name, .. } => {
                let name = name.as_ref().and_then(literal);
                (SubscriptionKind::Message, name.unwrap_or_else(|| node.clone()))
            }
            Catch::Signal { name } => match literal(name) {
                Some(name) => (SubscriptionKind::Signal, name),
                None => continue,
            },
            Catch::Condition { .. } => (SubscriptionKind::Condition, Name::new()),
            _ => continue,
        };
        changes.add(Subscription {
            instance: definition.key,
            key: next_key(),
            definition: definition.key,
            kind,
            starts: true,
            name,
            tenant: Some(definition.tenant.clone()).filter(|tenant| !tenant.is_empty()),
            process: graph.id().clone(),
            node: node.clone(),
            ..Subscription::default()
        });
    }
    for timer in start_timers(graph, now) {
        match timer {
            Ok(timer) => changes.add(Work {
                instance: definition.key,
                key: next_key(),
                kind: Chore::START_TIMER,
                due: timer.timer.due,
                payload: timer.encode().into(),
                ..Work::default()
            }),
            Err(problem) => {
                tracing::error!(process = %graph.id(), %problem, "a timer start event never fires");
            }
        }
    }
}

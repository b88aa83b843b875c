//! Deployments: files that go into the database together, and what is defined in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use potok_core::Name;
use potok_core::instance::Key;
use potok_store::row::{Definition, DefinitionKind, Deployment as DeploymentRow, Resource, Subscription, Work};
use potok_store::{Bytes, Changes, Version, digest};

use crate::engine::Engine;
use crate::{Action, DeploymentId, Error};

mod check;
mod starts;

use check::{Checked, binds_to_deployment, check};
pub use check::{CheckedFile, FileKind};
pub(crate) use starts::starts;

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
            // To check one takes its time: others are let in between, and whoever gives up is heard.
            tokio::task::yield_now().await;
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
                starts(&mut changes, definition, graph, now, &|| inner.next_key(now), &|_| false);
            }
            changes
        };
        self.engine.allowed(Action::Deploy, &subject).await?;
        let mut deployed = inner.store.deploy(&row, &files, definitions, follows).await?;
        inner.catalog.changed();
        if inner.catalog.discover().await? {
            inner.cache.outdate_all();
        }
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
}

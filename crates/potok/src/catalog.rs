//! What is deployed, compiled when it is first needed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use potok_core::Name;
use potok_core::expressions::{Binding, Deployment};
use potok_core::graph::{Package, ProcessGraph};
use potok_core::instance::Key;
use potok_core::step::Policies;
use potok_core::time::Calendar;
use potok_expressions::Evaluator;
use potok_store::query::{DefinitionQuery, DuePolicyQuery};
use potok_store::row::{Definition, DefinitionKind};
use potok_store::{Store, Version};

use crate::alone::{self, ALONE};
use crate::policy::{self, AllPolicies};
use crate::together::Together;
use crate::{Boxed, Error};

/// A version of a process, ready to run.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) definition: Definition,
    pub(crate) graph: Arc<ProcessGraph>,
}

/// The newest versions, and how often they have changed.
#[derive(Debug, Default)]
struct Newest {
    versions: HashMap<(Name, Name), Arc<Deployed>>,
    changes: u64,
}

/// Versions of processes, and the decisions and calendars that they compute with.
#[derive(Debug)]
pub(crate) struct Catalog {
    store: Store,
    evaluator: Evaluator,
    /// Instead of it, once a transaction has working calendars of its own: what is compiled names an evaluator's calendars.
    own: OnceLock<Evaluator>,
    /// What has been compiled; shared with transactions until either compiles more.
    deployed: RwLock<Arc<HashMap<Key, Arc<Deployed>>>>,
    /// The newest versions, by tenant and id, where nobody else deploys.
    newest: RwLock<Newest>,
    /// Which versions are the newest, where others deploy, too.
    asked: Together<(Name, Name), Option<Definition>>,
    /// What operators have said of what is deployed.
    said: RwLock<Said>,
    learning: tokio::sync::Mutex<()>,
    /// Deployments whose decisions and calendars the evaluator has.
    known: Mutex<Arc<BTreeSet<Key>>>,
    /// It is a transaction's, and began with what the one outside had.
    is_fork: bool,
}

/// What operators have said of what is deployed, by definition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// Of savepoints and timers to come.
    policies: AllPolicies,
    /// For how many days histories are kept.
    history_days: HashMap<Key, i64>,
}

impl Catalog {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            evaluator: Evaluator::new(),
            own: OnceLock::new(),
            deployed: RwLock::default(),
            newest: RwLock::default(),
            asked: Together::default(),
            said: RwLock::default(),
            learning: tokio::sync::Mutex::default(),
            known: Mutex::default(),
            is_fork: false,
        }
    }

    /// One for a transaction: it begins with all that is compiled and known here, and what is deployed in the transaction is its own.
    pub(crate) fn fork(&self, store: Store) -> Self {
        // What is known and what the evaluator has change together.
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            evaluator: self.evaluator().fork(),
            deployed: RwLock::new(self.all_deployed()),
            said: RwLock::new(self.said()),
            known: Mutex::new(known.clone()),
            is_fork: true,
            ..Self::new(store)
        }
    }

    /// What expressions and decisions are evaluated by.
    pub(crate) fn evaluator(&self) -> &Evaluator {
        self.own.get().unwrap_or(&self.evaluator)
    }

    fn all_deployed(&self) -> Arc<HashMap<Key, Arc<Deployed>>> {
        self.deployed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The version of a process that a binding means, in a model of that deployment.
    pub(crate) async fn find(
        &self,
        tenant: &Name,
        id: &Name,
        binding: &Binding,
        deployment: Option<Deployment>,
    ) -> Result<Option<Arc<Deployed>>, Error> {
        let version = match (binding, deployment) {
            (Binding::Latest, _) | (Binding::Deployment, None) => Version::Latest,
            (Binding::Deployment, Some(deployment)) => Version::Deployment(Key(deployment.0)),
            (Binding::Version(number), _) => match number.trim().parse() {
                Ok(number) => Version::Number(number),
                Err(_) => return Ok(None),
            },
            (Binding::VersionTag(tag), _) => Version::Tag(tag.clone()),
        };
        let of = (tenant.clone(), id.clone());
        if version == Version::Latest
            && let Some(deployed) = self.newest(&of)
        {
            return Ok(Some(deployed));
        }
        let changes = self.newest.read().unwrap_or_else(PoisonError::into_inner).changes;
        let Some(definition) = self.definition(tenant, id, &version).await? else { return Ok(None) };
        let deployed = self.compiled(definition).await?;
        if version == Version::Latest && !self.store.is_shared() {
            let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
            // What was deployed or suspended meanwhile is not known here.
            if newest.changes == changes {
                newest.versions.insert(of, deployed.clone());
            }
        }
        Ok(Some(deployed))
    }

    /// The newest version, where nobody else deploys, if it was needed before.
    fn newest(&self, of: &(Name, Name)) -> Option<Arc<Deployed>> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).versions.get(of).cloned()
    }

    /// A version of a process, as it is by now.
    pub(crate) async fn definition(
        &self,
        tenant: &Name,
        id: &Name,
        version: &Version,
    ) -> Result<Option<Definition>, Error> {
        if *version != Version::Latest {
            return Ok(self.store.definition(DefinitionKind::Process, tenant, id, version).await?);
        }
        let of = (tenant.clone(), id.clone());
        match self.newest(&of) {
            Some(deployed) => Ok(Some(deployed.definition.clone())),
            None => self.asked.ask(of, |processes| self.find_newest(processes)).await,
        }
    }

    /// The newest versions of processes, by tenant and id; each is looked for once.
    async fn find_newest(&self, processes: Vec<(Name, Name)>) -> Result<Vec<Option<Definition>>, Error> {
        let mut found = HashMap::new();
        for of @ (tenant, id) in &processes {
            if !found.contains_key(of) {
                let newest = self.store.definition(DefinitionKind::Process, tenant, id, &Version::Latest).await?;
                found.insert(of, newest);
            }
        }
        Ok(processes.iter().map(|of| found.get(of).cloned().flatten()).collect())
    }

    /// Forgets which versions are the newest, and which are suspended.
    pub(crate) fn changed(&self) {
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        newest.versions.clear();
        newest.changes += 1;
    }

    /// Forgets versions that have been removed.
    pub(crate) fn forget(&self, definitions: &[Key]) {
        self.changed();
        let mut deployed = self.deployed.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut *deployed).retain(|key, _| !definitions.contains(key));
    }

    /// The version with that key.
    pub(crate) async fn get(&self, key: Key) -> Result<Option<Arc<Deployed>>, Error> {
        if let Some(deployed) = self.cached(key) {
            return Ok(Some(deployed));
        }
        if key == ALONE {
            return self.compiled(alone::definition()).await.map(Some);
        }
        self.current(key).await
    }

    /// The same, as the database has it by now: whether it is suspended changes.
    pub(crate) async fn current(&self, key: Key) -> Result<Option<Arc<Deployed>>, Error> {
        match self.store.get::<Definition>(key).await? {
            Some(definition) => self.compiled(definition).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same, if it is here already.
    pub(crate) fn cached(&self, key: Key) -> Option<Arc<Deployed>> {
        self.deployed.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    pub(crate) fn compiled(&self, definition: Definition) -> Boxed<'_, Result<Arc<Deployed>, Error>> {
        Box::pin(async move {
            if let Some(deployed) = self.cached(definition.key) {
                // Compiled once, but whether it is suspended changes.
                let Deployed { graph, .. } = &*deployed;
                return Ok(Arc::new(Deployed { definition, graph: graph.clone() }));
            }
            self.discover().await?;
            let unusable = |reason: String| {
                let Definition { id, version, .. } = &definition;
                Error::Unusable { id: id.clone(), version: *version, reason }
            };
            let bytes = match definition.key {
                ALONE => Some(alone::MODEL.to_vec()),
                _ => self.store.resource(definition.deployment, &definition.resource).await?,
            };
            let bytes = bytes.ok_or_else(|| unusable("its file is gone".into()))?;
            let number = Deployment(definition.deployment.0);
            let package = Package::deployed(&bytes, self.evaluator(), number)
                .map_err(|diagnostics| unusable(diagnostics.first().map(ToString::to_string).unwrap_or_default()))?;
            let graph = package.process(&definition.id).cloned();
            let graph = graph.ok_or_else(|| unusable("its file has no such process".into()))?;
            let deployed = Arc::new(Deployed { definition, graph });
            let mut all = self.deployed.write().unwrap_or_else(PoisonError::into_inner);
            Arc::make_mut(&mut *all).insert(deployed.definition.key, deployed.clone());
            Ok(deployed)
        })
    }

    /// What operators have said of a version's savepoints and timers to come, as it was some seconds ago at most.
    pub(crate) fn policies(&self, definition: Key) -> Option<Arc<Policies>> {
        self.said.read().unwrap_or_else(PoisonError::into_inner).policies.get(&definition).cloned()
    }

    /// For how many days the histories of a version's instances are kept, if operators have said so, as it was some seconds ago at most.
    pub(crate) fn history_days(&self, definition: Key) -> Option<i64> {
        self.said.read().unwrap_or_else(PoisonError::into_inner).history_days.get(&definition).copied()
    }

    /// Looks what operators have said by now.
    pub(crate) async fn learn(&self) -> Result<(), Error> {
        // Whoever has looked later also says so later.
        let _turn = self.learning.lock().await;
        let policies = self.store.list(&DuePolicyQuery::default()).await?.rows;
        let kept = DefinitionQuery { has_history_days: true, ..DefinitionQuery::default() };
        let kept = self.store.list(&kept).await?.rows.into_iter();
        let history_days = kept.filter_map(|row| Some((row.key, row.history_days?))).collect();
        let said = Said { policies: policy::gathered(policies), history_days };
        *self.said.write().unwrap_or_else(PoisonError::into_inner) = said;
        Ok(())
    }

    /// What is known to have been said.
    pub(crate) fn said(&self) -> Said {
        self.said.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The deployments whose decisions and calendars are loaded.
    pub(crate) fn known(&self) -> Arc<BTreeSet<Key>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets decisions of deployments that are gone, and loads decisions and calendars of those that are new, in the order in which they were deployed, for that is how their
    /// versions count. Says whether what was compiled before no longer counts.
    pub(crate) async fn discover(&self) -> Result<bool, Error> {
        let before = self.known();
        let mut all = Vec::new();
        for kind in [DefinitionKind::Decision, DefinitionKind::Calendar] {
            let query = DefinitionQuery { kind: Some(kind), ..DefinitionQuery::default() };
            all.extend(self.store.list(&query).await?.rows);
        }
        all.sort_by_key(|definition| definition.deployment);
        let there: BTreeSet<Key> = all.iter().map(|definition| definition.deployment).collect();
        let numbers: HashMap<(Key, Name), u32> = all
            .iter()
            .filter(|definition| definition.kind == DefinitionKind::Decision)
            .map(|definition| ((definition.deployment, definition.id.clone()), definition.version))
            .collect();
        let mut files: Vec<(Key, Name, DefinitionKind)> =
            all.into_iter().map(|definition| (definition.deployment, definition.resource, definition.kind)).collect();
        files.dedup();
        let is_new = |deployment: &Key| !before.contains(deployment);
        let stands_apart = self.is_fork
            && self.own.get().is_none()
            && files.iter().any(|(deployment, _, kind)| *kind == DefinitionKind::Calendar && is_new(deployment));
        if !stands_apart {
            files.retain(|(deployment, ..)| is_new(deployment));
        }
        let mut loaded = Vec::with_capacity(files.len());
        for (deployment, file, kind) in files {
            loaded.push((deployment, kind, self.store.resource(deployment, &file).await?.unwrap_or_default()));
        }
        // Another call may have been here meanwhile.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = Arc::make_mut(&mut *known);
        if stands_apart && self.own.set(Evaluator::new()).is_ok() {
            // Its calendars are nobody else's: all that names calendars is compiled once more.
            known.clear();
            self.changed();
            *self.deployed.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        }
        loaded.retain(|(deployment, ..)| !known.contains(deployment));
        known.retain(|deployment| {
            let is_gone = before.contains(deployment) && !there.contains(deployment);
            if is_gone {
                self.evaluator().remove_decisions_of(Deployment(deployment.0));
            }
            !is_gone
        });
        for (deployment, kind, bytes) in loaded {
            known.insert(deployment);
            let problem = match kind {
                DefinitionKind::Calendar => match Calendar::from_yaml(&String::from_utf8_lossy(&bytes)) {
                    Ok(calendar) => {
                        self.evaluator().add_calendar(calendar.name().clone(), calendar);
                        None
                    }
                    Err(problem) => Some(problem),
                },
                _ => {
                    let number = |id: &Name| numbers.get(&(deployment, id.clone())).copied();
                    let added = self.evaluator().add_decisions_of(&bytes, Deployment(deployment.0), number);
                    added.err().and_then(|problems| problems.into_iter().next())
                }
            };
            if let Some(problem) = problem {
                tracing::error!(%deployment, %problem, "a deployed file is refused by this version of the program");
            }
        }
        Ok(stands_apart)
    }
}

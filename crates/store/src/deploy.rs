//! Deployments: versions are counted under a lock, so that two nodes that deploy at once get two versions.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::instance::Key;

use crate::cell::{Bytes, Cell, Field, Row};
use crate::change::Merged;
use crate::content::{contents, digest, lock};
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed};
use crate::row::{Content, Definition, DefinitionKind, Deployment, Resource};
use crate::select::{Filter, Operator, Select};
use crate::{Changes, Store, StoreError};

/// The number that is locked to count versions.
const LOCK: i64 = 0x6465_706c_6f79;

/// Which version of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// The newest.
    Latest,
    /// That one.
    Number(u32),
    /// The newest with that tag.
    Tag(Name),
    /// The one that was the newest once that deployment was made.
    Deployment(Key),
}

impl Store {
    /// Deploys files and what is defined in them; gives the definitions with their versions, which are filled in. `follows`
    /// says for each what else changes with it, given the version before it.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn deploy(
        &self,
        deployment: &Deployment,
        files: &[(Name, Bytes)],
        definitions: Vec<Definition>,
        follows: impl Fn(&Definition, Option<Key>) -> Changes + Send,
    ) -> Result<Vec<Definition>, StoreError> {
        let mut session = self.database.write().await?;
        session.lock(&[LOCK], true).await?;
        let mut newest: BTreeMap<(DefinitionKind, Name, Name), (u32, Option<Key>)> = BTreeMap::new();
        let mut merged = Merged::default();
        let mut numbered = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let of = (definition.kind, definition.tenant.clone(), definition.id.clone());
            let before = match newest.get(&of) {
                Some(before) => *before,
                None => {
                    let select = named(definition.kind, &definition.tenant, &definition.id).limit(1);
                    let found = session.select(&select).await?.pop().map(Definition::from_row).transpose()?;
                    found.map_or((0, None), |found| (found.version, Some(found.key)))
                }
            };
            let version = before.0 + 1;
            newest.insert(of, (version, Some(definition.key)));
            let definition = Definition { version, deployment: deployment.key, ..definition };
            merged.merge(&follows(&definition, before.1));
            numbered.push(definition);
        }
        session.insert(Deployment::TABLE, &[deployment.clone().into_row()]).await?;
        let mut resources: BTreeMap<&Name, Row> = BTreeMap::new();
        let mut chunks: BTreeMap<Row, Row> = BTreeMap::new();
        for (name, bytes) in files {
            let content = digest(bytes);
            let size = bytes.len() as u64;
            let resource = Resource { deployment: deployment.key, name: name.clone(), content, size };
            resources.insert(name, resource.clone().into_row());
            chunks.extend(contents(&resource.content, bytes));
        }
        let mut locks: Vec<i64> = chunks.keys().map(|key| lock(&key[0])).collect();
        locks.sort_unstable();
        locks.dedup();
        session.lock(&locks, true).await?;
        let resources: Vec<Row> = resources.into_values().collect();
        let chunks: Vec<Row> = chunks.into_values().collect();
        let rows: Vec<Row> = numbered.iter().cloned().map(Sealed::into_row).collect();
        for (table, rows) in [(Resource::TABLE, resources), (Content::TABLE, chunks), (Definition::TABLE, rows)] {
            if !rows.is_empty() {
                session.put(table, &rows).await?;
            }
        }
        merged.write(&mut *session, &[]).await?;
        session.commit().await?;
        Ok(numbered)
    }

    /// The definition of that kind, tenant (empty for none), id and version.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn definition(
        &self,
        kind: DefinitionKind,
        tenant: &Name,
        id: &Name,
        version: &Version,
    ) -> Result<Option<Definition>, StoreError> {
        let select = named(kind, tenant, id).limit(1);
        let select = match version {
            Version::Latest => select,
            Version::Number(number) => select.filter(Filter::equal("version", number.to_cell())),
            Version::Tag(tag) => select.filter(Filter::equal("tag", tag.to_cell())),
            Version::Deployment(deployment) => {
                select.filter(Filter::Compare("deployment", Operator::LessOrEqual, deployment.to_cell()))
            }
        };
        Ok(self.rows(&select).await?.pop())
    }

    /// The bytes of a deployed file.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn resource(&self, deployment: Key, name: &Name) -> Result<Option<Vec<u8>>, StoreError> {
        match self.get::<Resource>((deployment, name.clone())).await? {
            Some(resource) => self.content(&resource.content).await,
            None => Ok(None),
        }
    }

    /// Suspends a definition, or lets it start instances again; says whether there is one.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn suspend_definition(&self, definition: Key, suspended: bool) -> Result<bool, StoreError> {
        self.change_definition(definition, ("suspended", suspended.to_cell())).await
    }

    /// Keeps what has ended of a definition for so many days, or as its file says; says whether there is one.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn keep_history(&self, definition: Key, days: Option<i64>) -> Result<bool, StoreError> {
        self.change_definition(definition, ("history_days", days.to_cell())).await
    }

    async fn change_definition(&self, definition: Key, change: (&'static str, Cell)) -> Result<bool, StoreError> {
        let mut session = self.database.write().await?;
        let select = Select::keys(Definition::TABLE, vec![definition.into_cells()]);
        let taken = session.take(&select, &[change]).await?;
        session.commit().await?;
        Ok(!taken.is_empty())
    }

    /// Removes a deployment with its files and definitions; bytes that others share stay. Instances that stand on it are the
    /// caller's to remove before.
    ///
    /// `follows` says for each definition what else changes with it, given the newest version that stays, if it had been the
    /// newest; with nothing, all is left as it was, and `false` is given.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remove_deployment(
        &self,
        deployment: Key,
        follows: impl Fn(&Definition, Option<Option<&Definition>>) -> Option<Changes> + Send,
    ) -> Result<bool, StoreError> {
        let mut session = self.database.write().await?;
        session.lock(&[LOCK], true).await?;
        let key = [deployment.into_cells()];
        let of = Filter::equal("deployment", deployment.to_cell());
        let definitions = session.select(&Select::from(Definition::TABLE).filter(of)).await?;
        let definitions = definitions.into_iter().map(Definition::from_row).collect::<Result<Vec<_>, _>>()?;
        let mut merged = Merged::default();
        for definition in &definitions {
            let versions = session.select(&named(definition.kind, &definition.tenant, &definition.id)).await?;
            let versions = versions.into_iter().map(Definition::from_row).collect::<Result<Vec<_>, _>>()?;
            let is_newest = versions.first().is_some_and(|newest| newest.deployment == deployment);
            let staying = versions.iter().find(|version| version.deployment != deployment);
            let Some(changes) = follows(definition, is_newest.then_some(staying)) else { return Ok(false) };
            merged.merge(&changes);
        }
        let resources = session.select(&Select::keys(Resource::TABLE, key.to_vec())).await?;
        session.delete(Deployment::TABLE, &key).await?;
        session.delete(Resource::TABLE, &key).await?;
        let keys: Vec<Row> = definitions.iter().map(|definition| definition.key.into_cells()).collect();
        if !keys.is_empty() {
            session.delete(Definition::TABLE, &keys).await?;
        }
        merged.write(&mut *session, &[]).await?;
        let mut contents = Vec::with_capacity(resources.len());
        for resource in resources {
            contents.push(Resource::from_row(resource)?.content.to_cell());
        }
        contents.sort_by_key(lock);
        session.lock(&contents.iter().map(lock).collect::<Vec<_>>(), true).await?;
        for content in contents {
            let used = Select::from(Resource::TABLE).filter(Filter::equal("content", content.clone()));
            let attached =
                Select::from(crate::row::Attachment::TABLE).filter(Filter::equal("content", content.clone()));
            if session.count(&used).await? + session.count(&attached).await? == 0 {
                session.delete(Content::TABLE, &[vec![content]]).await?;
            }
        }
        session.commit().await?;
        Ok(true)
    }
}

impl Store {
    /// Removes one version of something deployed; the files of its deployment stay, for its other definitions. `follows` gives what changes
    /// with it, told of the version that is the newest from then on if it was the newest; nothing if it must look again. Says whether it is gone.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remove_definition(
        &self,
        definition: Key,
        follows: impl Fn(&Definition, Option<Option<&Definition>>) -> Option<Changes> + Send,
    ) -> Result<bool, StoreError> {
        let mut session = self.database.write().await?;
        session.lock(&[LOCK], true).await?;
        let key = definition.into_cells();
        let Some(row) = session.select(&Select::keys(Definition::TABLE, vec![key.clone()])).await?.pop() else {
            return Ok(true);
        };
        let row = Definition::from_row(row)?;
        let versions = session.select(&named(row.kind, &row.tenant, &row.id)).await?;
        let versions = versions.into_iter().map(Definition::from_row).collect::<Result<Vec<_>, _>>()?;
        let is_newest = versions.first().is_some_and(|newest| newest.key == definition);
        let staying = versions.iter().find(|version| version.key != definition);
        let Some(changes) = follows(&row, is_newest.then_some(staying)) else { return Ok(false) };
        let mut merged = Merged::default();
        merged.merge(&changes);
        session.delete(Definition::TABLE, &[key]).await?;
        merged.write(&mut *session, &[]).await?;
        session.commit().await?;
        Ok(true)
    }
}

/// All versions of a definition, the newest first.
fn named(kind: DefinitionKind, tenant: &Name, id: &Name) -> Select {
    Select::from(Definition::TABLE)
        .filter(Filter::equal("kind", kind.to_cell()))
        .filter(Filter::equal("tenant", tenant.to_cell()))
        .filter(Filter::equal("id", id.to_cell()))
        .order("version", true)
}

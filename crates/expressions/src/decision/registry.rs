//! The decisions that were added, in all their versions.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use potok_core::Name;
use potok_core::diagnostic::Diagnostic;
use potok_core::expressions::{Binding, Decided, Deployment, Evaluation, EvaluationError};

use super::file::File;
use super::read::{Compiler, read};

/// The decisions of a file that was added.
#[derive(Debug)]
pub struct Added {
    /// Their ids.
    pub ids: Vec<Name>,
    /// What is unusual about the file.
    pub warnings: Vec<Diagnostic>,
}

/// One version of a decision.
#[derive(Clone, Debug)]
struct Version {
    /// Counted from 1; versions before may have been removed.
    number: u32,
    tag: Option<Name>,
    deployment: Deployment,
    file: Arc<File>,
    index: usize,
}

/// All decisions by id.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    decisions: RwLock<Arc<BTreeMap<Name, Vec<Version>>>>,
}

impl Registry {
    /// One with the same decisions, which it shares until either changes.
    pub(crate) fn fork(&self) -> Self {
        let decisions = self.decisions.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self { decisions: RwLock::new(decisions) }
    }

    /// Adds a file's decisions, each as its newest version. `number` says which version that is, if it is known.
    pub(crate) fn add(
        &self,
        bytes: &[u8],
        deployment: Deployment,
        number: impl Fn(&Name) -> Option<u32>,
        compiler: &Compiler<'_>,
    ) -> Result<Added, Vec<Diagnostic>> {
        let mut file = read(bytes, compiler)?;
        let warnings = std::mem::take(&mut file.warnings);
        let file = Arc::new(file);
        let mut decisions = self.decisions.write().unwrap_or_else(PoisonError::into_inner);
        let decisions = Arc::make_mut(&mut *decisions);
        let mut ids = Vec::new();
        for (index, decision) in file.decisions.iter().enumerate() {
            let versions = decisions.entry(decision.id.clone()).or_default();
            let next = versions.last().map_or(1, |version| version.number + 1);
            let number = number(&decision.id).unwrap_or(next);
            versions.push(Version { number, tag: decision.tag.clone(), deployment, file: file.clone(), index });
            ids.push(decision.id.clone());
        }
        Ok(Added { ids, warnings })
    }

    /// Removes the decisions of a deployment.
    pub(crate) fn remove(&self, deployment: Deployment) {
        let mut decisions = self.decisions.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut *decisions).retain(|_, versions| {
            versions.retain(|version| version.deployment != deployment);
            !versions.is_empty()
        });
    }

    /// The name and the version tag of a decision in its newest version.
    pub(crate) fn description(&self, decision: &str) -> Option<(Name, Option<Name>)> {
        let version = self.find(decision, &Binding::Latest, Deployment::default())?;
        Some((version.file.decisions[version.index].name.clone(), version.tag))
    }

    /// Evaluates a decision by its id, else by its name.
    pub(crate) fn decide(
        &self,
        decision: &str,
        binding: &Binding,
        deployment: Deployment,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<Decided, EvaluationError> {
        let version = self
            .find(decision, binding, deployment)
            .ok_or_else(|| EvaluationError::UnknownDecision(decision.into()))?;
        version.file.evaluate(version.index, evaluation)
    }

    fn find(&self, decision: &str, binding: &Binding, deployment: Deployment) -> Option<Version> {
        let decisions = self.decisions.read().unwrap_or_else(PoisonError::into_inner);
        let by_name = |versions: &&Vec<Version>| {
            versions.last().is_some_and(|version| &*version.file.decisions[version.index].name == decision)
        };
        let versions = decisions.get(decision).or_else(|| decisions.values().find(by_name))?;
        match binding {
            Binding::Latest => versions.last(),
            Binding::Deployment => versions.iter().rev().find(|version| version.deployment == deployment),
            Binding::Version(number) => {
                let number = number.trim().parse::<u32>().ok()?;
                versions.iter().find(|version| version.number == number)
            }
            Binding::VersionTag(tag) => versions.iter().rev().find(|version| version.tag.as_deref() == Some(&**tag)),
        }
        .cloned()
    }
}

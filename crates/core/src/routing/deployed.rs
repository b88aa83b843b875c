//! The processes of a runner, in all their versions.

use std::sync::Arc;

use super::{Notice, Runner, start_timers};
use crate::expressions::{Binding, Deployment};
use crate::graph::{Package, ProcessGraph};

impl Runner {
    /// Deploys all processes of a file; each becomes the newest version of its id.
    pub fn deploy(&mut self, package: &Package) {
        for process in &package.processes {
            self.start_timers.retain(|(other, _)| other.id() != process.id());
            self.starts_again.retain(|(_, other, _)| other.id() != process.id());
            for timer in start_timers(process, self.now) {
                match timer {
                    Ok(timer) => self.start_timers.push((process.clone(), timer)),
                    Err(message) => {
                        self.notices.push(Notice::TimerStartFailed { process: process.id().clone(), message });
                    }
                }
            }
            self.processes.entry(process.id().clone()).or_default().push(process.clone());
        }
    }

    /// The newest version of a process.
    #[must_use]
    pub fn process(&self, id: &str) -> Option<&Arc<ProcessGraph>> {
        self.processes.get(id)?.last()
    }

    /// The version that a binding means, in a model of that deployment; from outside there is none, and the newest is meant.
    pub(super) fn bound(
        &self,
        process: &str,
        binding: &Binding,
        deployment: Option<Deployment>,
    ) -> Option<Arc<ProcessGraph>> {
        let versions = self.processes.get(process)?;
        match binding {
            Binding::Latest => versions.last().cloned(),
            Binding::Deployment => {
                let is_it = |process: &&Arc<ProcessGraph>| deployment.is_none_or(|own| process.deployment() == own);
                versions.iter().rev().find(is_it).cloned()
            }
            Binding::Version(version) => versions.get(version.trim().parse::<usize>().ok()?.checked_sub(1)?).cloned(),
            Binding::VersionTag(tag) => {
                versions.iter().rev().find(|process| process.version_tag() == Some(tag)).cloned()
            }
        }
    }
}

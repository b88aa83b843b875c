//! The processes of a runner, in all their versions.

use std::sync::Arc;

use super::clock::StartTimer;
use super::matching::Given;
use super::{Notice, Runner, start_triggers};
use crate::expressions::{Binding, Deployment, Evaluation};
use crate::graph::{Catch, Package, ProcessGraph};
use crate::time::Timer;
use crate::value::Zone;

impl Runner {
    /// Deploys all processes of a file; each becomes the newest version of its id.
    pub fn deploy(&mut self, package: &Package) {
        for process in &package.processes {
            self.start_timers.retain(|timer| timer.process.id() != process.id());
            for trigger in start_triggers(process) {
                if let Catch::Timer { kind, expression } = trigger.catch {
                    let value = expression.evaluate(&mut Evaluation::new(&Given(&[]), self.now));
                    let timer = value.map_err(|error| error.to_string()).and_then(|value| {
                        Timer::parse(*kind, &value, self.now, &Zone::UTC).map_err(|error| error.to_string())
                    });
                    match timer {
                        Ok(timer) => {
                            self.start_timers.push(StartTimer { process: process.clone(), node: trigger.node, timer });
                        }
                        Err(message) => {
                            self.notices.push(Notice::TimerStartFailed { process: process.id().clone(), message })
                        }
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

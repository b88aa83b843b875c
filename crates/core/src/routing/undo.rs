//! A unit of work in a runner that is undone if it fails.

use std::collections::BTreeMap;

use super::runner::Buffered;
use super::{Noted, RunError, Runner, Running, stuck};
use crate::Name;
use crate::instance::{Failure, Key, Ordinal};

/// How everything was before.
pub(super) struct Before {
    /// The instances that were touched since; none of one that was not there.
    instances: BTreeMap<Key, Option<Running>>,
    buffered: Vec<Buffered>,
    noted: BTreeMap<(Name, Ordinal), Vec<Noted>>,
    log: usize,
    notices: usize,
}

impl Runner {
    /// Does something; if that gets stuck, all is as before.
    pub(super) fn unless_it_fails(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), RunError>,
    ) -> Result<Option<Failure>, RunError> {
        self.before = Some(Before {
            instances: BTreeMap::new(),
            buffered: self.buffered.clone(),
            noted: self.noted.clone(),
            log: self.log.len(),
            notices: self.notices.len(),
        });
        let done = act(self);
        let Some(before) = self.before.take() else { return done.map(|()| None) };
        match self.failure_since(before.log) {
            Some(failure) => {
                self.undo(before);
                Ok(Some(failure))
            }
            None => done.map(|()| None),
        }
    }

    /// An instance is about to be changed.
    pub(super) fn remember(&mut self, key: Key) {
        if let Some(before) = &mut self.before {
            before.instances.entry(key).or_insert_with(|| self.instances.get(&key).cloned());
        }
    }

    /// What got stuck since then in models that undo it.
    fn failure_since(&self, from: usize) -> Option<Failure> {
        let stepped = self.log.get(from..).unwrap_or_default().iter();
        let mut undoing = stepped.filter(|stepped| stepped.graph.dialect().tries_again());
        undoing.find_map(|stepped| stuck(&stepped.graph, &stepped.events, 0))
    }

    fn undo(&mut self, before: Before) {
        for (key, running) in before.instances {
            self.restore(key, running);
        }
        self.buffered = before.buffered;
        self.noted = before.noted;
        self.log.truncate(before.log);
        self.notices.truncate(before.notices);
    }
}

//! Which instance a key belongs to, and which timers are due when.

use super::{Runner, Running};
use crate::instance::{Key, Wait, WaitKind};
use crate::step::{Event, Events};
use crate::time::Timestamp;

impl Runner {
    /// Keeps the indices of keys and timers in step with the events.
    pub(super) fn index(&mut self, instance: Key, events: &Events) {
        for event in &events.list {
            match *event {
                Event::WaitOpened { details } => {
                    if let Some(wait) = events.waits.get(details as usize) {
                        self.owners.insert(wait.key, instance);
                    }
                }
                Event::WaitClosed { key, .. } => {
                    self.owners.remove(&key);
                }
                _ => {}
            }
        }
        // Timers: what is due now, as far as the events speak of it.
        let Some(running) = self.instances.get(&instance) else { return };
        for event in &events.list {
            let key = match *event {
                Event::WaitOpened { details } => events.waits[details as usize].key,
                Event::WaitClosed { key, .. } | Event::WaitChanged { key, .. } => key,
                _ => continue,
            };
            if let Some(due) = self.due.remove(&key) {
                self.timers.remove(&(due, key));
            }
            if let Some(due) = running.instance.wait(key).and_then(|wait| due(wait, self.now)) {
                self.timers.insert((due, key));
                self.due.insert(key, due);
            }
        }
    }

    /// Puts an instance back as it was: nothing is known any more of what it has waited for since.
    pub(super) fn restore(&mut self, key: Key, before: Option<Running>) {
        let now = self.instances.remove(&key);
        for wait in now.iter().flat_map(|running| running.instance.waits()) {
            self.owners.remove(&wait.key);
            if let Some(due) = self.due.remove(&wait.key) {
                self.timers.remove(&(due, wait.key));
            }
        }
        let Some(before) = before else { return };
        for wait in before.instance.waits() {
            self.owners.insert(wait.key, key);
            if let Some(due) = due(wait, self.now) {
                self.timers.insert((due, wait.key));
                self.due.insert(wait.key, due);
            }
        }
        self.instances.insert(key, before);
    }
}

/// When time alone lets it go on. Savepoints are told to go on, unless they have been and failed.
fn due(wait: &Wait, now: Timestamp) -> Option<Timestamp> {
    match &wait.kind {
        WaitKind::Continuation { retry, .. } if retry.as_ref().is_none_or(|retry| retry.failure.is_none()) => None,
        kind => kind.goes_on(now),
    }
}

//! Which instance a key belongs to, and which timers are due when.

use super::Runner;
use crate::instance::{Key, WaitKind};
use crate::step::{Event, Events};

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
            if let Some(WaitKind::Timer(timer)) = running.instance.wait(key).map(|wait| &wait.kind) {
                self.timers.insert((timer.timer.due, key));
                self.due.insert(key, timer.timer.due);
            }
        }
    }
}

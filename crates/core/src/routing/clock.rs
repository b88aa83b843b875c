//! Time in a runner: what is due, and what happens when it passes.

use std::sync::Arc;

use super::{RunError, Runner, StartOptions};
use crate::graph::ProcessGraph;
use crate::step::{Command, StartAt};
use crate::time::{Timer, Timestamp};

/// Timers that fire at one and the same moment one after the other; more is taken for a loop that takes no time.
const MAXIMUM_TIMERS_AT_ONCE: u32 = 100_000;

/// A start timer of a deployed process.
pub(super) struct StartTimer {
    pub(super) process: Arc<ProcessGraph>,
    pub(super) node: u32,
    pub(super) timer: Timer,
}

impl Runner {
    /// When the next timer is due.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        let waiting = self.timers.iter().next().map(|(due, _)| *due);
        let starting = self.start_timers.iter().map(|timer| timer.timer.due).min();
        waiting.into_iter().chain(starting).min()
    }

    /// Lets time pass: timers fire in the order in which they are due, each at its time.
    ///
    /// # Errors
    /// If timers set each other off without time passing.
    pub fn advance(&mut self, to: Timestamp) -> Result<(), RunError> {
        let mut at_once = 0;
        while let Some(due) = self.next_timer().filter(|due| *due <= to) {
            at_once = if due <= self.now { at_once + 1 } else { 0 };
            if at_once > MAXIMUM_TIMERS_AT_ONCE {
                return Err(RunError::EndlessTimers(self.now));
            }
            self.now = self.now.max(due);
            self.drop_expired();
            match self.timers.iter().next().copied() {
                Some((at, timer)) if at <= due => {
                    self.command_at(timer, Command::FireTimer { timer })?;
                }
                _ => self.fire_start_timer(due)?,
            }
        }
        self.now = self.now.max(to);
        self.drop_expired();
        Ok(())
    }

    fn fire_start_timer(&mut self, due: Timestamp) -> Result<(), RunError> {
        let Some(index) = self.start_timers.iter().position(|timer| timer.timer.due <= due) else { return Ok(()) };
        let timer = &mut self.start_timers[index];
        let (process, node) = (timer.process.clone(), timer.node);
        match timer.timer.next_due(timer.timer.due) {
            Some(next) => timer.timer = next,
            None => {
                self.start_timers.remove(index);
            }
        }
        let at = StartAt::Event(process.node(node).id.clone());
        self.start_graph(process, StartOptions { at, ..StartOptions::default() })?;
        Ok(())
    }
}

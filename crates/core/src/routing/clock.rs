//! Time in a runner: what is due, and what happens when it passes.

use std::sync::Arc;

use super::{Brought, RunError, Runner, StartOptions, StartTimer, TimedStart, Work};
use crate::graph::ProcessGraph;
use crate::instance::WaitType;
use crate::step::{Command, StartAt};
use crate::time::Timestamp;

/// Timers that fire at one and the same moment one after the other; more is taken for a loop that takes no time.
const MAXIMUM_TIMERS_AT_ONCE: u32 = 100_000;

impl Runner {
    /// When the next timer is due.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        let waiting = self.timers.iter().next().map(|(due, _)| *due);
        let starting = self.start_timers.iter().map(|(_, start)| start.timer.due);
        let again = self.starts_again.iter().map(|(due, ..)| *due);
        waiting.into_iter().chain(starting).chain(again).min()
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
                    let is_timer =
                        self.waits_from(timer).next().is_some_and(|(_, wait)| wait.kind.of_type() == WaitType::Timer);
                    let command =
                        if is_timer { Command::FireTimer { timer } } else { Command::Continue { continuation: timer } };
                    self.command_at(timer, command)?;
                }
                _ => self.fire_start_timer(due)?,
            }
        }
        self.now = self.now.max(to);
        self.drop_expired();
        Ok(())
    }

    fn fire_start_timer(&mut self, due: Timestamp) -> Result<(), RunError> {
        if let Some(index) = self.starts_again.iter().position(|(again, ..)| *again <= due) {
            let (_, process, start) = self.starts_again.remove(index);
            return self.start_by_timer(process, &start);
        }
        let is_due = |(_, start): &(_, StartTimer)| start.timer.due <= due;
        let Some(index) = self.start_timers.iter().position(is_due) else { return Ok(()) };
        let (process, start) = self.start_timers.remove(index);
        if let Some(next) = start.next() {
            self.start_timers.insert(index, (process.clone(), next));
        }
        if let Some(point) = start.one_of_several(&process) {
            let mut work = Work::new();
            let Ok(_) = work.trigger(self, &point, &Brought::default());
            self.work_off(work);
            return Ok(());
        }
        let start = TimedStart::of(&process, start.node, self.now);
        self.start_by_timer(process, &start)
    }

    fn start_by_timer(&mut self, process: Arc<ProcessGraph>, start: &TimedStart) -> Result<(), RunError> {
        let at = StartAt::Event(process.node(start.node).id.clone());
        let options = StartOptions { at, ..StartOptions::default() };
        if !start.is_undone(&process) {
            return self.start_graph(process, options).map(|_| ());
        }
        let graph = process.clone();
        if let Some(failure) = self.unless_it_fails(|runner| runner.start_graph(graph, options).map(|_| ()))? {
            let again = start.failed(failure, self.now);
            self.starts_again.push((again.retry.due.unwrap_or(self.now), process, again));
        }
        Ok(())
    }
}

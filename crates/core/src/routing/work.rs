//! A unit of work: one command, and all that it asks of other instances.

use std::collections::VecDeque;

use super::{Brought, Notice, Request, StartPoint, World};
use crate::Name;
use crate::instance::Key;
use crate::step::Command;

/// Messages and signals that follow from each other before anything waits for the outside again; more is taken for instances
/// that answer each other without end.
const MAXIMUM_CHAIN: u32 = 20_000;

/// Messages and signals that one command may cause in all: a conversation that multiplies has no long chain.
const MAXIMUM_CARRIED: u32 = 100_000;

/// One thing that is asked.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// By an instance, of others.
    Request(Key, Request),
    /// Of an instance.
    Command(Key, Command),
    /// To start an instance where a definition of a start event has occurred.
    Start(StartPoint, Brought),
}

/// What instances still ask of each other, worked off in order until nothing is left.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// What is asked, and how many messages and signals it follows from.
    agenda: VecDeque<(Asked, u32)>,
    /// How many messages and signals what is worked off now follows from.
    chain: u32,
    /// Messages and signals carried.
    carried: u32,
    /// Calls asked for.
    pub(super) calls: u32,
    /// A chain was too long: what is kept stays kept until the next unit of work.
    pub(super) stopped: bool,
}

impl Work {
    /// Nothing is asked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up what an instance asks of others.
    pub fn ask(&mut self, from: Key, requests: Vec<Request>) {
        let chain = self.chain;
        let calls = requests.iter().filter(|request| matches!(request, Request::Call { .. })).count();
        self.calls = self.calls.saturating_add(u32::try_from(calls).unwrap_or(u32::MAX));
        self.agenda.extend(requests.into_iter().map(|request| (Asked::Request(from, request), chain)));
    }

    /// Takes up what comes before all else.
    pub(super) fn ask_first(&mut self, asked: Vec<Asked>) {
        for asked in asked.into_iter().rev() {
            self.agenda.push_front((asked, self.chain));
        }
    }

    /// Answers requests, in order, until nothing is left.
    ///
    /// # Errors
    /// If the host must look something up first: then it runs the work again.
    pub fn run<W: World>(&mut self, world: &mut W) -> Result<(), W::Missing> {
        while let Some((asked, chain)) = self.agenda.pop_front() {
            self.chain = chain;
            let answered = match &asked {
                Asked::Request(from, request) => self.answer(world, *from, request),
                Asked::Command(to, command) => self.give(world, *to, || command.clone()),
                Asked::Start(start, brought) => self.trigger(world, start, brought).map(|_| ()),
            };
            if let Err(missing) = answered {
                self.agenda.push_front((asked, chain));
                return Err(missing);
            }
        }
        self.chain = 0;
        Ok(())
    }

    /// Whether a message or signal is carried further, or follows from too many.
    pub(super) fn goes_on<W: World>(&mut self, world: &mut W, from: Key, name: Option<&Name>) -> bool {
        self.chain += 1;
        self.carried += 1;
        if self.chain <= MAXIMUM_CHAIN && self.carried <= MAXIMUM_CARRIED {
            return true;
        }
        self.stopped = true;
        world.notice(Notice::ChainTooLong { from, name: name.cloned() });
        false
    }
}

//! What is done from outside, so that several runners can do the same.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::routing::{Correlated, Message, RunError, Runner, StartOptions};
use potok_core::step::{Command, Variables};
use potok_core::time::Timestamp;

/// One thing that is done. Keys are the runner's.
#[derive(Debug)]
pub(super) enum Act {
    Start(Name, StartOptions),
    Command(Key, Command),
    CommandAt(Key, Command),
    Message(Message),
    Signal(Name, Variables),
    Data(Variables),
    Advance(Timestamp),
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Done {
    #[default]
    Nothing,
    Started(Key),
    Correlated(Correlated),
}

impl Act {
    pub(super) fn on(&self, runner: &mut Runner) -> Result<Done, RunError> {
        match self {
            Self::Start(process, options) => return runner.start(process, options.clone()).map(Done::Started),
            Self::Command(instance, command) => runner.command(*instance, command.clone())?,
            Self::CommandAt(wait, command) => runner.command_at(*wait, command.clone())?,
            Self::Message(message) => return runner.correlate(message.clone()).map(Done::Correlated),
            Self::Signal(name, payload) => runner.signal(name, payload)?,
            Self::Data(data) => runner.evaluate_conditions(data)?,
            Self::Advance(to) => runner.advance(*to)?,
        }
        Ok(Done::Nothing)
    }
}

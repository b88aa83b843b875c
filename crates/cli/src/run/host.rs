//! Where the instances of a run are: in memory, or in a database.

use potok_core::Name;
use potok_core::instance::{Key, Wait};
use potok_core::routing::{Message, Notice, RunError, Runner, Running, StartOptions, Stepped};
use potok_core::step::Command;
use potok_core::time::Timestamp;
use potok_core::value::Value;

use crate::failure::Failure;

/// What a run asks of whoever holds its instances.
pub(crate) trait Host {
    /// The time.
    fn now(&self) -> Timestamp;
    /// When the next timer is due.
    fn next_timer(&self) -> Option<Timestamp>;
    /// All instances, the oldest first.
    fn instances(&self) -> Box<dyn Iterator<Item = &Running> + '_>;
    fn instance(&self, key: Key) -> Option<&Running>;
    /// All that instances wait for under this key and newer ones, the oldest first.
    fn waits_from(&self, key: Key) -> Box<dyn Iterator<Item = (&Running, &Wait)> + '_>;
    fn start(&mut self, process: &str, options: StartOptions) -> Result<(), Failure>;
    fn command(&mut self, instance: Key, command: Command) -> Result<(), Failure>;
    /// Gives the instance that waits under a key a command.
    fn command_at(&mut self, key: Key, command: Command) -> Result<(), Failure>;
    /// Sends a message from outside.
    fn correlate(&mut self, message: Message) -> Result<(), Failure>;
    fn signal(&mut self, name: &str, variables: &[(Name, Value)]) -> Result<(), Failure>;
    /// Lets time pass; what is due on the way happens.
    fn advance(&mut self, to: Timestamp) -> Result<(), Failure>;
    /// What happened since this was last asked.
    fn take_log(&mut self) -> Vec<Stepped>;
    /// What happened between instances since this was last asked.
    fn take_notices(&mut self) -> Vec<Notice>;

    fn complete_user_task(&mut self, task: Key, variables: Vec<(Name, Value)>) -> Result<(), Failure> {
        self.command_at(task, Command::CompleteUserTask { task, variables })
    }

    fn complete_job(&mut self, job: Key, variables: Vec<(Name, Value)>) -> Result<(), Failure> {
        self.command_at(job, Command::CompleteJob { job, variables, local_variables: Vec::new() })
    }
}

impl Host for Runner {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.next_timer()
    }

    fn instances(&self) -> Box<dyn Iterator<Item = &Running> + '_> {
        Box::new(self.instances())
    }

    fn instance(&self, key: Key) -> Option<&Running> {
        self.instance(key)
    }

    fn waits_from(&self, key: Key) -> Box<dyn Iterator<Item = (&Running, &Wait)> + '_> {
        Box::new(self.waits_from(key))
    }

    fn start(&mut self, process: &str, options: StartOptions) -> Result<(), Failure> {
        Ok(self.start(process, options).map(|_| ())?)
    }

    fn command(&mut self, instance: Key, command: Command) -> Result<(), Failure> {
        Ok(self.command(instance, command)?)
    }

    fn command_at(&mut self, key: Key, command: Command) -> Result<(), Failure> {
        Ok(self.command_at(key, command)?)
    }

    fn correlate(&mut self, message: Message) -> Result<(), Failure> {
        Ok(self.correlate(message).map(|_| ())?)
    }

    fn signal(&mut self, name: &str, variables: &[(Name, Value)]) -> Result<(), Failure> {
        Ok(self.signal(name, variables)?)
    }

    fn advance(&mut self, to: Timestamp) -> Result<(), Failure> {
        Ok(self.advance(to)?)
    }

    fn take_log(&mut self) -> Vec<Stepped> {
        self.take_log()
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        self.take_notices()
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::new(error.to_string())
    }
}

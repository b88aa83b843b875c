//! What a unit of work asks of its host.

use std::sync::Arc;

use super::{Message, Notice, Request};
use crate::Name;
use crate::expressions::{Binding, Deployment};
use crate::graph::ProcessGraph;
use crate::instance::{Instance, Key, Ordinal};
use crate::step::{Command, Rejection};
use crate::value::Value;

/// An instance and the process it is of.
#[derive(Clone, Debug)]
pub struct Running {
    /// The process.
    pub graph: Arc<ProcessGraph>,
    /// The instance.
    pub instance: Instance,
}

/// A subscription that takes a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Taker {
    /// Its instance.
    pub instance: Key,
    /// The subscription.
    pub subscription: Key,
    /// The message's flow leads to its very flow node.
    pub addressed: bool,
    /// It expects a certain key or certain properties, rather than any message of the name.
    pub keyed: bool,
    /// The instance's business key.
    pub business_key: Option<Name>,
    /// The instance that started it by a message.
    pub started_by: Option<Key>,
}

/// A definition of a start event, which occurs.
#[derive(Clone, Debug)]
pub struct StartPoint {
    /// The process.
    pub graph: Arc<ProcessGraph>,
    /// The start event, instantiating receive task, or event of an instantiating gateway.
    pub node: Ordinal,
    /// Which of its definitions.
    pub definition: u32,
    /// All of its definitions must occur before it starts an instance.
    pub parallel: bool,
}

/// What comes with what occurs at a start event.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    /// The data that comes with it.
    pub payload: Vec<(Name, Value)>,
    /// The business key of the instance that starts.
    pub business_key: Option<Name>,
    /// The instance whose message or signal it is.
    pub started_by: Option<Key>,
    /// The user who caused it.
    pub initiator: Option<Name>,
}

/// A definition that has occurred of a start event that needs several.
#[derive(Clone, Debug, PartialEq)]
pub struct Noted {
    /// Which of them.
    pub definition: u32,
    /// What came with it.
    pub payload: Vec<(Name, Value)>,
}

/// Who listens to a signal.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    /// The instances that wait for it.
    pub instances: Vec<Key>,
    /// The start events that it triggers.
    pub starts: Vec<StartPoint>,
}

/// The instances and processes that a [`Work`](super::Work) goes round in.
///
/// A host that must look something up before it can answer says so by [`World::Missing`], finds it out and runs the work
/// again: the work goes on where it was, and asks the same again. What answers a question stays valid until the next
/// [`World::step`] or [`World::begin`].
pub trait World {
    /// What the host must find out first. A host that knows everything has none.
    type Missing;

    /// An instance that runs.
    ///
    /// # Errors
    /// If it must be looked up first.
    fn instance(&mut self, key: Key) -> Result<Option<&Running>, Self::Missing>;

    /// Gives a command to an instance that [`World::instance`] has given; what it asks of others is the answer.
    ///
    /// # Errors
    /// If the instance refuses.
    fn step(&mut self, instance: Key, command: Command) -> Result<Vec<Request>, Rejection>;

    /// Begins an instance: with that key, or a new one. If it refuses to start, it is forgotten.
    ///
    /// # Errors
    /// If it cannot be started so.
    fn begin(
        &mut self,
        key: Option<Key>,
        graph: Arc<ProcessGraph>,
        command: Command,
    ) -> Result<(Key, Vec<Request>), Rejection>;

    /// The version of a process that a binding means, in a model of that deployment.
    ///
    /// # Errors
    /// If it must be looked up first.
    fn process(
        &mut self,
        id: &str,
        binding: &Binding,
        deployment: Option<Deployment>,
    ) -> Result<Option<Arc<ProcessGraph>>, Self::Missing>;

    /// All subscriptions that take a message, the oldest first.
    ///
    /// # Errors
    /// If they must be looked up first.
    fn takers(&mut self, message: &Message) -> Result<Vec<Taker>, Self::Missing>;

    /// The start event of a newest version that takes a message.
    ///
    /// # Errors
    /// If it must be looked up first.
    fn started_by(&mut self, message: &Message) -> Result<Option<StartPoint>, Self::Missing>;

    /// Who listens to a signal. A host that tells some of them later, in other units of work, does not name those.
    ///
    /// # Errors
    /// If they must be looked up first.
    fn listeners(
        &mut self,
        signal: &Name,
        payload: &[(Name, Value)],
        from: Option<Key>,
    ) -> Result<Listeners, Self::Missing>;

    /// What has occurred of a start event that needs several definitions.
    ///
    /// # Errors
    /// If it must be looked up first.
    fn noted(&mut self, start: &StartPoint) -> Result<Vec<Noted>, Self::Missing>;

    /// Notes that a definition has occurred.
    fn note(&mut self, start: &StartPoint, noted: Noted);

    /// Takes what was noted, by its places in what [`World::noted`] gave: an instance starts with it.
    fn take_noted(&mut self, start: &StartPoint, places: &[usize]);

    /// Keeps a message that nobody waits for, thrown by that instance or from outside.
    fn keep(&mut self, message: Message, from: Option<Key>);

    /// The oldest kept message that a subscription of an instance takes, which is then kept no longer. A host that looks for
    /// it later answers that there is none.
    ///
    /// # Errors
    /// If it must be looked up first.
    fn kept_for(&mut self, instance: Key, subscription: Key) -> Result<Option<Message>, Self::Missing>;

    /// Takes note of what happened between instances.
    fn notice(&mut self, notice: Notice);
}

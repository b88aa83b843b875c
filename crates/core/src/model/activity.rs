//! Activities: work that is done.

use super::{
    DataAssociation, DataInput, DataOutput, EventDefinition, Expression, InputOutputSpecification, Property, Reference,
};
use crate::Name;

/// What all activities share.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Which activity it is.
    pub kind: ActivityKind,
    /// Whether and how it repeats.
    pub loop_characteristics: Option<LoopCharacteristics>,
    /// Runs only when something is compensated.
    pub is_for_compensation: bool,
    /// Tokens that must arrive before it starts.
    pub start_quantity: u32,
    /// Tokens that leave each outgoing flow when it completes.
    pub completion_quantity: u32,
    /// Declared inputs and outputs.
    pub io: Option<InputOutputSpecification>,
    /// What flows in.
    pub data_inputs: Vec<DataAssociation>,
    /// What flows out.
    pub data_outputs: Vec<DataAssociation>,
    /// Properties: variables of its own scope.
    pub properties: Vec<Property>,
    /// BPMN's own assignment: `humanPerformer`/`potentialOwner` with an expression.
    pub performers: Vec<Performer>,
}

impl Activity {
    /// Where a single value goes that its work gives: to its only data output, which a loop's own output is not; in a loop without one
    /// to the output item.
    pub(crate) fn only_output(&self) -> Option<&Name> {
        let multi = match &self.loop_characteristics {
            Some(LoopCharacteristics::MultiInstance(multi)) => Some(multi),
            _ => None,
        };
        let of_loop = multi.and_then(|multi| multi.data_output.as_ref());
        let outputs = self.io.as_ref()?.outputs.iter().map(|output| &output.id);
        let mut own = outputs.filter(|output| Some(*output) != of_loop);
        match (own.next(), own.next()) {
            (Some(output), None) => Some(output),
            (None, _) => multi.and_then(|multi| Some(&multi.output_item.as_ref()?.id)),
            _ => None,
        }
    }
}

/// A resource role of an activity.
#[derive(Clone, Debug)]
pub struct Performer {
    /// `potentialOwner` offers the task; `humanPerformer`/`performer` assigns it.
    pub potential_owner: bool,
    /// The expression that names users and groups.
    pub expression: Expression,
}

/// The kinds of activity.
#[derive(Clone, Debug)]
pub enum ActivityKind {
    /// A task of no kind: passes at once.
    Task,
    /// Work of a person, with the help of the engine.
    UserTask,
    /// Work of a person that the engine does not see: passes at once.
    ManualTask,
    /// Work of a program.
    ServiceTask {
        /// The operation it calls.
        operation: Option<Reference<OperationIndex>>,
    },
    /// Sends a message.
    SendTask {
        /// The message.
        message: Option<Reference<usize>>,
        /// The operation it calls.
        operation: Option<Reference<OperationIndex>>,
    },
    /// Waits for a message.
    ReceiveTask {
        /// The message; an index into [`super::Definitions::messages`].
        message: Option<Reference<usize>>,
        /// Its message starts the process.
        instantiate: bool,
        /// The operation through which the message comes.
        operation: Option<Reference<OperationIndex>>,
    },
    /// Asks a decision.
    BusinessRuleTask,
    /// Runs a script.
    ScriptTask {
        /// `scriptFormat` as written.
        format: Option<Name>,
        /// The script.
        script: Option<Expression>,
    },
    /// A process inside the process.
    SubProcess {
        /// An event sub-process.
        triggered_by_event: bool,
    },
    /// A sub-process that can be cancelled as a whole.
    Transaction,
    /// A sub-process whose activities are performed in an order that people choose.
    AdHocSubProcess {
        /// One at a time, or any number.
        ordering: AdHocOrdering,
        /// Complete when this holds.
        completion_condition: Option<Expression>,
        /// What still runs when it completes is cancelled.
        cancel_remaining_instances: bool,
    },
    /// Calls another process or a global task.
    CallActivity {
        /// The id of what is called, as written in `calledElement`, without a prefix.
        called_element: Option<Expression>,
    },
}

/// Index of an operation: (interface, operation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationIndex {
    /// Index into [`super::Definitions::interfaces`].
    pub interface: usize,
    /// Index into [`super::Interface::operations`].
    pub operation: usize,
}

/// The order of an ad-hoc sub-process's activities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdHocOrdering {
    /// Any number at a time.
    #[default]
    Parallel,
    /// One at a time.
    Sequential,
}

/// How an activity repeats.
#[derive(Clone, Debug)]
pub enum LoopCharacteristics {
    /// While a condition holds.
    Standard(StandardLoop),
    /// For each item, or a number of times.
    MultiInstance(Box<MultiInstance>),
}

/// A standard loop.
#[derive(Clone, Debug)]
pub struct StandardLoop {
    /// Its element.
    pub element: crate::xml::ElementIndex,
    /// The condition is tested before the first round.
    pub test_before: bool,
    /// At most this many rounds.
    pub maximum: Option<u32>,
    /// Goes on while this holds.
    pub condition: Option<Expression>,
}

/// Multi-instance loop characteristics.
#[derive(Clone, Debug)]
pub struct MultiInstance {
    /// Its element.
    pub element: crate::xml::ElementIndex,
    /// One after the other.
    pub is_sequential: bool,
    /// How many.
    pub cardinality: Option<Expression>,
    /// The id of the data whose items the instances get (`loopDataInputRef`).
    pub data_input: Option<Name>,
    /// What each instance sees its item as (`inputDataItem`).
    pub input_item: Option<DataInput>,
    /// The id of the data that collects the results (`loopDataOutputRef`).
    pub data_output: Option<Name>,
    /// What each instance leaves its result as (`outputDataItem`).
    pub output_item: Option<DataOutput>,
    /// Ends the whole when it holds after an instance has completed.
    pub completion_condition: Option<Expression>,
    /// Which events are thrown as instances complete.
    pub behavior: MultiInstanceBehavior,
    /// Thrown on the first completion (`One`: `oneBehaviorEventRef`).
    pub one_event: Option<EventDefinition>,
    /// Thrown on each completion (`None`: `noneBehaviorEventRef`).
    pub none_event: Option<EventDefinition>,
    /// (condition, event) pairs of `Complex`.
    pub complex: Vec<(Expression, Vec<EventDefinition>)>,
    /// The dialects' collection and variables.
    pub extension: crate::dialect::MultiInstanceProperties,
}

impl MultiInstance {
    /// All events that it names, whether or not its behavior is to throw them.
    pub fn events(&self) -> impl Iterator<Item = &EventDefinition> {
        let complex = self.complex.iter().flat_map(|(_, events)| events);
        self.one_event.iter().chain(&self.none_event).chain(complex)
    }
}

/// When a multi-instance activity throws its events (BPMN 2.0.2 Table 10.32).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MultiInstanceBehavior {
    /// On each completion.
    None,
    /// On the first completion.
    One,
    /// Never; the activity completes when all have (the default).
    #[default]
    All,
    /// As the complex definitions say.
    Complex,
}

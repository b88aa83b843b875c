//! Flow nodes as steps read them: everything resolved, every expression compiled.

use std::sync::Arc;

use super::{BoundaryEvent, Catch, CatchEvent, Expression, Loop, MessageFlows, StartEvent, Throw};
use crate::Name;
use crate::dialect::{Continuation, DecisionResult, ListenerStage};
use crate::instance::Ordinal;
use crate::model::AdHocOrdering;

/// A flow node.
#[derive(Debug)]
pub struct FlowNode {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// What it does.
    pub kind: NodeKind,
    /// The sub-process around it.
    pub parent: Option<Ordinal>,
    /// Its flows out, in document order.
    pub outgoing: Box<[Ordinal]>,
    /// How many flows come in.
    pub incoming: u32,
    /// The flow taken if no condition of the others holds.
    pub default_flow: Option<Ordinal>,
    /// Nothing but its kind matters: no mappings, boundary events, loop, listeners, savepoints or quantities; nor is it
    /// remembered for compensation.
    pub plain: bool,
    /// The same for a round of its loop.
    pub plain_round: bool,
    /// At least one flow out has a condition, or there is a default.
    pub conditional: bool,
    /// The one way on, if there is nothing to do and nothing to decide on leaving.
    pub(crate) way: Option<super::Straight>,
    /// Runs only when something is compensated.
    pub is_for_compensation: bool,
    /// Stands directly in an ad-hoc sub-process.
    pub in_ad_hoc: bool,
    /// What only some flow nodes have.
    pub details: Box<Details>,
}

impl FlowNode {
    /// Whether the model itself gives its own scope a variable of that name: whatever else stands there somebody has put there. Where the
    /// name of an input is computed that may be any.
    pub(crate) fn gives(&self, name: &Name) -> bool {
        let details = &self.details;
        let of_loop = match &details.repeat {
            Some(Loop::MultiInstance(multi)) => {
                let given = [&multi.element_variable, &multi.index_variable, &multi.output_variable];
                multi.aggregates || given.into_iter().any(|given| given.as_ref() == Some(name))
            }
            _ => false,
        };
        let is_input = |input: &Mapping| input.computed_target.is_some() || input.target.first() == Some(name);
        of_loop || details.isolated || details.locals.contains(name) || details.inputs.iter().any(is_input)
    }
}

/// What only some flow nodes have.
#[derive(Debug, Default)]
pub struct Details {
    /// Boundary events attached to it, in document order.
    pub boundary: Vec<Ordinal>,
    /// The activity that compensates it.
    pub compensation_handler: Option<Ordinal>,
    /// How it repeats.
    pub repeat: Option<Loop>,
    /// Tokens that must arrive before it starts.
    pub start_quantity: u32,
    /// Tokens that leave by each flow.
    pub completion_quantity: u32,
    /// Opens a scope of its own even without mappings: a sub-process, or declared data.
    pub own_scope: bool,
    /// What is set locally there stands in a scope of its own, which is opened for it (Camunda 7).
    pub local_scope: bool,
    /// Variables that its scope has from the start, null.
    pub locals: Vec<Name>,
    /// Computed before it starts.
    pub inputs: Vec<Mapping>,
    /// One of these input sets must have its data before the activity begins.
    pub input_sets: Vec<Vec<Needed>>,
    /// Computed when it completes.
    pub outputs: Vec<Mapping>,
    /// For each definition of an event the variable for the one item that it brings or carries: its data output or input. (A
    /// receive task is like an event with one.)
    pub items: Vec<Name>,
    /// What its work gives stays in its own scope, only outputs leave.
    pub isolated: bool,
    /// Called at its stages.
    pub listeners: Vec<Listener>,
    /// Where the unit of work is cut.
    pub continuation: Continuation,
    /// How often, and when, what follows a savepoint or timer of it is tried again.
    pub retry_cycle: Option<Expression>,
    /// How urgent the engine's own work is behind a savepoint or timer of it.
    pub job_priority: Option<Expression>,
    /// Skips it when it holds.
    pub skip: Option<Expression>,
    /// The variable for the result of its work.
    pub result_variable: Option<Name>,
    /// The variable for the user who starts the instance.
    pub initiator: Option<Name>,
    /// Its innermost lane.
    pub lane: Option<Name>,
    /// Its form, as the model describes it.
    pub form: Option<Box<Form>>,
    /// The message flows out of it.
    pub message_flows: MessageFlows,
    /// A receive task whose message starts the process.
    pub instantiates: bool,
    /// Free name-value pairs.
    pub properties: Vec<(Name, Name)>,
}

/// An input that must be there: what it is called, and the data objects that it comes from.
#[derive(Debug)]
pub struct Needed {
    /// Its name.
    pub name: Name,
    /// The variables, and where they stand.
    pub sources: Arc<[(Home, Name)]>,
}

/// What a flow node does.
#[derive(Debug)]
pub enum NodeKind {
    /// Passes at once: an abstract or manual task.
    Task,
    /// Waits for a person.
    UserTask(Box<UserTask>),
    /// Waits for a worker: a service, send, business rule or script task, or a throwing message event.
    Job(Box<Job>),
    /// Computes a value.
    Expression(Expression),
    /// Runs a script.
    Script(Expression),
    /// Asks a decision.
    Decision(Box<Decision>),
    /// Throws a message and goes on.
    SendTask(Throw),
    /// Waits for a message.
    ReceiveTask(Box<Catch>),
    /// A sub-process.
    SubProcess(Container),
    /// A transaction.
    Transaction(Container),
    /// An event sub-process.
    EventSubProcess(Container),
    /// An ad-hoc sub-process.
    AdHoc(Box<AdHoc>),
    /// Calls a process.
    Call(Box<Call>),
    /// Begins.
    StartEvent(StartEvent),
    /// Waits for one of its definitions, or for all.
    CatchEvent(CatchEvent),
    /// Throws and goes on.
    ThrowEvent(Box<[Throw]>),
    /// Sits on an activity.
    BoundaryEvent(BoundaryEvent),
    /// Throws and ends its path.
    EndEvent(Box<[Throw]>),
    /// Takes one flow.
    ExclusiveGateway,
    /// Waits for all flows in, takes all out.
    ParallelGateway,
    /// Waits for all that can still arrive, takes all whose condition holds.
    InclusiveGateway(super::Upstream),
    /// Waits as its condition says.
    ComplexGateway(Box<ComplexGateway>),
    /// Waits for the first of several events.
    EventBasedGateway {
        /// Its events start the process.
        instantiate: bool,
        /// All of them must occur.
        parallel: bool,
    },
}

impl NodeKind {
    /// Whether tokens may wait for each other there.
    pub(crate) fn joins(&self) -> bool {
        matches!(self, Self::ParallelGateway | Self::InclusiveGateway(_) | Self::ComplexGateway(_))
    }

    /// Whether it is an event that occurs when all of its definitions have (parallel multiple).
    pub(crate) fn needs_all(&self) -> bool {
        match self {
            Self::StartEvent(event) => event.parallel,
            Self::CatchEvent(event) => event.parallel,
            Self::BoundaryEvent(event) => event.parallel,
            _ => false,
        }
    }
}

/// What contains flow nodes.
#[derive(Debug, Default)]
pub struct Container {
    /// Where tokens begin: none start events, else flow nodes without flows in.
    pub starts: Vec<Ordinal>,
    /// Event sub-processes in it.
    pub event_sub_processes: Vec<Ordinal>,
    /// For an event sub-process: the start event that triggers it.
    pub trigger: Option<Ordinal>,
    /// Data objects and properties: variables that its scope has from the start.
    pub data: Vec<(Name, Option<Expression>)>,
}

/// An ad-hoc sub-process.
#[derive(Debug)]
pub struct AdHoc {
    /// What it contains; its starts are the activities that can be begun.
    pub container: Container,
    /// One at a time?
    pub ordering: AdHocOrdering,
    /// Complete when this holds.
    pub completion_condition: Option<Expression>,
    /// What still runs then is cancelled.
    pub cancel_remaining: bool,
    /// The activities that begin at once.
    pub active: Option<Expression>,
}

/// A user task.
#[derive(Debug, Default)]
pub struct UserTask {
    /// Its name where that is computed.
    pub name: Option<Expression>,
    /// The user.
    pub assignee: Option<Expression>,
    /// The user who answers for it.
    pub owner: Option<Expression>,
    /// Users who may claim it.
    pub candidate_users: Vec<Expression>,
    /// Groups whose members may claim it.
    pub candidate_groups: Vec<Expression>,
    /// When it is due.
    pub due_date: Option<Expression>,
    /// When it should be looked at again.
    pub follow_up_date: Option<Expression>,
    /// The higher, the sooner.
    pub priority: Option<Expression>,
    /// Nothing above needs evaluating: this is what every instance gets.
    pub fixed: Option<std::sync::Arc<crate::instance::UserTaskWait>>,
    /// The group of its lane, which gets the task where nobody else does.
    pub lane_group: Option<Name>,
}

impl UserTask {
    /// What nobody is named for, also because an expression gives nobody, falls to the lane's group.
    pub(crate) fn fall_to_lane(&self, wait: &mut crate::instance::UserTaskWait) {
        if wait.assignee.is_none() && wait.candidate_users.is_empty() && wait.candidate_groups.is_empty() {
            wait.candidate_groups.extend(self.lane_group.clone());
        }
    }
}

/// Work for a worker.
#[derive(Debug)]
pub struct Job {
    /// The kind of work.
    pub kind: Expression,
    /// Tries before an incident; 3 unless the model says otherwise.
    pub retries: Option<Expression>,
    /// The higher, the sooner.
    pub priority: Option<Expression>,
    /// Static configuration.
    pub headers: Vec<(Name, Expression)>,
    /// Time between tries.
    pub retry_cycle: Option<Expression>,
    /// The worker gets only what the input mappings give.
    pub mapped_only: bool,
}

/// Which version of a decision, process or form is meant.
#[derive(Debug, Default)]
pub enum VersionBinding {
    /// The newest.
    #[default]
    Latest,
    /// The one deployed together with the model that refers to it.
    Deployment,
    /// The one with this number.
    Version(Expression),
    /// The one with this tag.
    VersionTag(Expression),
}

/// A decision.
#[derive(Debug)]
pub struct Decision {
    /// Its id.
    pub reference: Expression,
    /// Which version of it.
    pub binding: VersionBinding,
    /// How the result becomes a value.
    pub result: DecisionResult,
    /// Where this is true, it is an error that no rule matches (Flowable).
    pub must_match: Option<Expression>,
}

/// A called process.
#[derive(Debug)]
pub struct Call {
    /// Its id.
    pub process: Expression,
    /// Which version of it.
    pub binding: VersionBinding,
    /// Variables for it; with `Home::Own`, of what the call itself has only.
    pub inputs: Vec<Mapping>,
    /// How many of them come before all variables, which win over those.
    pub inputs_before_all: usize,
    /// Variables from it.
    pub outputs: Vec<Mapping>,
    /// How many of them come before all variables.
    pub outputs_before_all: usize,
    /// All variables go in.
    pub propagate_in: bool,
    /// Only the local ones of them.
    pub local_in: bool,
    /// All variables come back.
    pub propagate_out: bool,
    /// All variables come back, and stay with the call.
    pub local_out: bool,
    /// Its business key.
    pub business_key: Option<Expression>,
    /// The variable that takes its id.
    pub id_variable: Option<Name>,
}

/// A complex gateway.
#[derive(Debug)]
pub struct ComplexGateway {
    /// When it fires.
    pub activation_condition: Option<Expression>,
    /// Ids of the flows in, by position: the names under which the condition sees their tokens.
    pub flow_names: Vec<Name>,
    /// What can still reach it.
    pub upstream: super::Upstream,
}

/// A variable computed from others.
#[derive(Debug)]
pub struct Mapping {
    /// The variable, or a path into it; empty where its name is computed.
    pub target: Box<[Name]>,
    /// What gives its name, where that is computed.
    pub computed_target: Option<Expression>,
    /// Where that variable stands.
    pub home: Home,
    /// The variable that the flow node must have of its own, or else nothing is set: what one of an event's definitions brings.
    pub needs: Option<Name>,
    /// What it is computed from.
    pub source: MappingSource,
}

/// Where a variable stands that a mapping sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// In the innermost scope around the flow node that has one of the name; else in the process.
    #[default]
    Seen,
    /// In the flow node's own scope: a property of it, or an item of its loop.
    Own,
    /// In this sub-process, or the process itself for [`NONE`](crate::instance::NONE): one further in may have the same name.
    Of(Ordinal),
}

/// What a mapped variable is computed from.
#[derive(Debug)]
pub enum MappingSource {
    /// An expression; a plain variable is one, too.
    Expression(Expression),
    /// A variable of this sub-process, or of the process itself for [`NONE`](crate::instance::NONE), where one further in may
    /// have the same name.
    Outer(Ordinal, Name),
    /// A list.
    List(Vec<MappingSource>),
    /// A map, with its keys.
    Map(Vec<(Expression, MappingSource)>),
}

impl MappingSource {
    /// Whether the name stands somewhere in its texts.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        match self {
            Self::Expression(expression) => expression.text.contains(name),
            Self::Outer(_, outer) => **outer == *name,
            Self::List(items) => items.iter().any(|item| item.mentions(name)),
            Self::Map(entries) => entries.iter().any(|(key, value)| key.text.contains(name) || value.mentions(name)),
        }
    }
}

impl Details {
    /// Whether its flow node opens a scope as it begins.
    pub(crate) fn needs_scope(&self) -> bool {
        self.own_scope || self.isolated || !self.inputs.is_empty() || !self.locals.is_empty()
    }

    /// Whether listeners of a user task are to know who has it, or that it was changed.
    #[must_use]
    pub fn follows_task(&self) -> bool {
        use ListenerStage::{Assignment, Complete, Delete, Timeout, Update};
        let follows = |stage| matches!(stage, Assignment | Update | Complete | Delete | Timeout);
        self.listeners.iter().any(|listener| follows(listener.stage))
    }
}

/// A listener.
#[derive(Debug)]
pub struct Listener {
    /// When.
    pub stage: ListenerStage,
    /// What.
    pub action: ListenerAction,
    /// The timer of a listener on `timeout`.
    pub timer: Option<Catch>,
}

/// What a listener does.
#[derive(Debug)]
pub enum ListenerAction {
    /// Evaluates an expression or runs a script.
    Evaluate(Expression),
    /// Is a job that a worker does before the element goes on.
    Job(Job),
}

/// A form.
#[derive(Debug, Default)]
pub struct Form {
    /// A key for user interfaces.
    pub key: Option<Expression>,
    /// The id of a deployed form.
    pub reference: Option<Expression>,
    /// Which version of it.
    pub binding: VersionBinding,
    /// The JSON of a form inside the model.
    pub embedded: Option<Name>,
    /// The fields described in the model.
    pub fields: Vec<crate::dialect::FormField>,
    /// The field that gives the business key.
    pub business_key: Option<Name>,
}

impl Form {
    /// Whether variables decide which deployed form it is.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        let version = match &self.binding {
            VersionBinding::Version(version) | VersionBinding::VersionTag(version) => Some(version),
            VersionBinding::Latest | VersionBinding::Deployment => None,
        };
        self.reference.iter().chain(version).any(|expression| expression.as_literal().is_none())
    }
}

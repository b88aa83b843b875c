//! The modelers' extension attributes and elements, read into one neutral set of properties.
//!
//! Namespaces are told apart by URI. What is executable but not honoured becomes a diagnostic, never silence.
//! [`Reader`] reads; each file beside this one holds one subject and knows how every dialect writes it down.

mod activity;
mod assignment;
mod binding;
mod call;
mod data_object;
mod decision;
mod event;
mod expression;
mod field;
mod form;
mod handover;
mod implementation;
mod job;
mod listener;
mod mapping;
mod multi_instance;
mod namespace;
mod placement;
mod process;
mod reader;
#[cfg(test)]
mod tests;
mod unheard;
mod unsupported;
mod values;
mod vocabulary;
mod zeebe;

pub(crate) use data_object::flowable_kind;
pub use expression::ExpressionUse;
pub use field::FieldKind;
pub use namespace::POTOK as POTOK_NAMESPACE;
pub use reader::Reader;
pub(crate) use vocabulary::{is_bare, qualified};

use crate::Name;
use crate::model::{Expression, TimerDefinition};
use crate::xml::ElementIndex;

/// The dialect a model is written in. It decides the expression language of unmarked values and a few behaviours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Plain BPMN, or our own extension namespace.
    #[default]
    Standard,
    /// Camunda 7 and its forks.
    Camunda,
    /// Camunda 8.
    Zeebe,
    /// Flowable and Activiti.
    Flowable,
}

impl Dialect {
    /// Whether what fails behind a savepoint or timer is undone as a whole, and tried again; else it is an incident where it fails.
    #[must_use]
    pub fn tries_again(self) -> bool {
        matches!(self, Self::Camunda | Self::Flowable)
    }

    /// The counters of loops that are listed among the variables. By name, all are found under BPMN's and Camunda's names.
    #[must_use]
    pub fn counters(self) -> &'static [&'static str] {
        match self {
            Self::Standard => &[
                "loopCounter",
                "numberOfInstances",
                "numberOfActiveInstances",
                "numberOfCompletedInstances",
                "numberOfTerminatedInstances",
            ],
            Self::Camunda | Self::Flowable => {
                &["loopCounter", "nrOfInstances", "nrOfActiveInstances", "nrOfCompletedInstances"]
            }
            Self::Zeebe => &["loopCounter"],
        }
    }
}

/// What dialects say about a flow node or a sequence flow.
#[derive(Clone, Debug, Default)]
pub struct ElementProperties {
    /// The element is done by a worker.
    pub job: Option<Box<JobProperties>>,
    /// Who does a user task.
    pub assignment: Option<Box<Assignment>>,
    /// The form of a user task or start event.
    pub form: Option<Box<Form>>,
    /// Computed into the element's own scope before it starts.
    pub inputs: Vec<VariableMapping>,
    /// Computed out of the element's scope when it completes.
    pub outputs: Vec<VariableMapping>,
    /// What a call activity hands over.
    pub call: Option<Box<Call>>,
    /// The decision of a business rule task.
    pub decision: Option<Box<Decision>>,
    /// An expression evaluated as the element's work (`camunda:expression`, `zeebe:script`).
    pub expression: Option<Expression>,
    /// The variable that takes the result of expression, script or decision.
    pub result_variable: Option<Name>,
    /// Variables that a script declares at its top become variables of the process (Flowable).
    pub stores_variables: bool,
    /// Called at stages of the element.
    pub listeners: Vec<Listener>,
    /// Where the unit of work is cut.
    pub continuation: Continuation,
    /// The variable that takes the user who started the instance.
    pub initiator: Option<Name>,
    /// Free name-value pairs, exposed but not interpreted.
    pub properties: Vec<(Name, Name)>,
    /// Skips the element when it holds (Flowable).
    pub skip: Option<Expression>,
    /// The name where it is computed: of a user task (Camunda 7, Flowable), or of a definition's message (Flowable).
    pub name: Option<Expression>,
    /// Elements that an ad-hoc sub-process starts with (`zeebe:adHoc activeElementsCollection`).
    pub ad_hoc_active: Option<Expression>,
    /// Time between the engine's own tries behind a savepoint or timer, e.g. `R3/PT10M` or `PT1M,PT5M`.
    pub retry_cycle: Option<Expression>,
    /// The priority of the engine's own work behind a savepoint or timer, and of jobs that stand for such work (Camunda 7).
    pub job_priority: Option<Expression>,
}

/// Work for a worker.
#[derive(Clone, Debug)]
pub struct JobProperties {
    /// The kind of work, by which workers ask for it.
    pub kind: Expression,
    /// How often it is tried before an incident.
    pub retries: Option<Expression>,
    /// The higher, the sooner.
    pub priority: Option<Expression>,
    /// Static configuration for the worker.
    pub headers: Vec<(Name, Expression)>,
    /// Time between tries, e.g. `R3/PT10M` or `PT1M,PT5M`.
    pub retry_cycle: Option<Expression>,
    /// The worker gets only what the input mappings give (Flowable's `doNotIncludeVariables`).
    pub mapped_only: bool,
    /// It stands for what the dialect's own engine does itself: Java code, a connector, mail.
    pub in_place_of_engine: bool,
}

/// Who does a user task.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// The one user.
    pub assignee: Option<Expression>,
    /// The user who answers for it (Flowable, ours).
    pub owner: Option<Expression>,
    /// Users who may claim it: a comma-separated text or a list.
    pub candidate_users: Option<Expression>,
    /// Groups whose members may claim it: a comma-separated text or a list.
    pub candidate_groups: Option<Expression>,
    /// When it is due.
    pub due_date: Option<Expression>,
    /// When it should be looked at again.
    pub follow_up_date: Option<Expression>,
    /// The higher, the sooner.
    pub priority: Option<Expression>,
}

/// Which version of something is meant, as the model writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Binding {
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

/// A form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// A key that user interfaces understand.
    pub key: Option<Expression>,
    /// The id of a deployed form.
    pub reference: Option<Expression>,
    /// Which version of it.
    pub binding: Binding,
    /// The JSON of a form that stands in the model itself (`zeebe:userTaskForm`).
    pub embedded: Option<Name>,
    /// The fields of a form that is described in the model itself.
    pub fields: Vec<FormField>,
    /// The field that gives the business key.
    pub business_key: Option<Name>,
}

/// A field of a form.
#[derive(Clone, Debug)]
pub struct FormField {
    /// Its id; the variable's name unless `variable` says otherwise.
    pub id: Name,
    /// What people see.
    pub label: Option<Name>,
    /// `string`, `long`, `boolean`, `date`, `enum`, or a custom type.
    pub kind: Name,
    /// The value it has at first.
    pub default: Option<Expression>,
    /// The variable it stands for.
    pub variable: Option<Name>,
    /// Must be given.
    pub required: bool,
    /// Is shown.
    pub readable: bool,
    /// Can be changed.
    pub writable: bool,
    /// The values of an enumeration: (id, label).
    pub values: Vec<(Name, Name)>,
    /// How a date is written, as Java's `SimpleDateFormat` says it (Camunda 7 and Flowable); as in ISO 8601 without it.
    pub date_pattern: Option<Name>,
    /// Other constraints: (name, configuration), e.g. `("min", "5")`.
    pub constraints: Vec<(Name, Option<Name>)>,
    /// What `max` and `maxlength` name is too much itself (Camunda 7).
    pub bounds_excluded: bool,
    /// Free name-value pairs.
    pub properties: Vec<(Name, Name)>,
}

/// A variable computed from others.
#[derive(Clone, Debug)]
pub struct VariableMapping {
    /// The element that says so.
    pub element: ElementIndex,
    /// The variable's name, or a path of names (`order.customer`); empty where it is computed.
    pub target: Name,
    /// A dot in it is a path's, and not the name's own.
    pub is_path: bool,
    /// It is handed over from what a call has itself only, or stays with the call (`local="true"`).
    pub local: bool,
    /// What gives the variable's name, where it is computed (Flowable's `targetExpression`).
    pub computed_target: Option<Expression>,
    /// What it is computed from.
    pub source: MappingSource,
}

/// What a mapped variable is computed from.
#[derive(Clone, Debug)]
pub enum MappingSource {
    /// A variable of that name, null if there is none.
    Variable(Name),
    /// An expression, also a literal.
    Expression(Expression),
    /// A script.
    Script(Expression),
    /// A list of such values.
    List(Vec<MappingSource>),
    /// A map of such values, whose keys may be computed.
    Map(Vec<(Expression, MappingSource)>),
    /// Null.
    Null,
}

/// What a call activity calls and hands over.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The process's id, if the dialect writes it elsewhere than in `calledElement`.
    pub target: Option<Expression>,
    /// Which version of it.
    pub binding: Binding,
    /// Variables for the called process.
    pub inputs: Vec<VariableMapping>,
    /// How many of them come before all variables, which win over those.
    pub inputs_before_all: usize,
    /// Variables from the called process.
    pub outputs: Vec<VariableMapping>,
    /// How many of them come before all variables.
    pub outputs_before_all: usize,
    /// All variables go in.
    pub propagate_in: bool,
    /// All variables come back.
    pub propagate_out: bool,
    /// Only local variables go in with `propagate_in` (`camunda:in variables="all" local="true"`).
    pub local_in: bool,
    /// All variables come back, and stay with the call (`camunda:out variables="all" local="true"`).
    pub local_out: bool,
    /// The called instance's business key.
    pub business_key: Option<Expression>,
    /// The variable that takes the called instance's id (Flowable).
    pub id_variable: Option<Name>,
}

/// The decision that a business rule task asks.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Its id.
    pub reference: Expression,
    /// Which version of it.
    pub binding: Binding,
    /// How the result becomes a value.
    pub result: DecisionResult,
    /// Where this is true, it is an error that no rule matches (Flowable).
    pub must_match: Option<Expression>,
}

/// How a decision's result becomes a value (Camunda's `mapDecisionResult`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecisionResult {
    /// As the decision gives it.
    #[default]
    AsIs,
    /// The single output of the single rule that matched.
    SingleEntry,
    /// The outputs of the single rule that matched, as a map.
    SingleResult,
    /// One output of all rules that matched, as a list.
    CollectEntries,
    /// The outputs of all rules that matched, as a list of maps.
    ResultList,
    /// A variable for each output (Flowable).
    Variables,
}

/// Something called at a stage of an element.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The element that says so.
    pub element: ElementIndex,
    /// When.
    pub stage: ListenerStage,
    /// What.
    pub action: ListenerAction,
    /// When a listener on `timeout` is called.
    pub timer: Option<TimerDefinition>,
}

/// The stages at which listeners are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerStage {
    /// The element is entered.
    Start,
    /// The element is left.
    End,
    /// The sequence flow is taken.
    Take,
    /// The user task is created.
    Create,
    /// The user task is given to somebody.
    Assignment,
    /// The user task is changed.
    Update,
    /// The user task is completed.
    Complete,
    /// The user task is deleted.
    Delete,
    /// A timer of the user task has fired.
    Timeout,
}

impl ListenerStage {
    /// What Camunda 7 and Flowable call it.
    #[must_use]
    pub fn event_name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Take => "take",
            Self::Create => "create",
            Self::Assignment => "assignment",
            Self::Update => "update",
            Self::Complete => "complete",
            Self::Delete => "delete",
            Self::Timeout => "timeout",
        }
    }
}

/// What a listener does.
#[derive(Clone, Debug)]
pub enum ListenerAction {
    /// Evaluates an expression.
    Expression(Expression),
    /// Runs a script.
    Script(Expression),
    /// Is a job of its own, which a worker does before the element goes on (Camunda 8).
    Job(Box<JobProperties>),
}

/// Where the unit of work is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Continuation {
    /// Before the element (`asyncBefore`, `potok:savepoint="before"`).
    pub before: bool,
    /// After the element (`asyncAfter`, `potok:savepoint="after"`).
    pub after: bool,
    /// Jobs of one instance run one at a time.
    pub exclusive: bool,
}

impl Continuation {
    /// Whether it is cut at all.
    pub(crate) fn cuts(self) -> bool {
        self.before || self.after
    }
}

/// Where a caught error's details are put.
#[derive(Clone, Debug, Default)]
pub struct ErrorVariables {
    /// The variable for its code.
    pub code: Option<Name>,
    /// The variable for its message.
    pub message: Option<Name>,
    /// They are set in the event's own scope, even if variables of these names exist further out (Flowable).
    pub local: bool,
}

/// What a thrown signal hands over.
#[derive(Clone, Debug, Default)]
pub struct SignalPayload {
    /// All variables that the event sees.
    pub all: bool,
    /// Variables under names of their own.
    pub mappings: Vec<VariableMapping>,
}

/// What dialects say about multi-instance loop characteristics.
#[derive(Clone, Debug, Default)]
pub struct MultiInstanceProperties {
    /// The items: a list, or the name of a variable that holds one.
    pub collection: Option<Expression>,
    /// The variable for each item.
    pub element_variable: Option<Name>,
    /// The variable for each index, besides `loopCounter`.
    pub index_variable: Option<Name>,
    /// The variable that collects the results.
    pub output_collection: Option<Name>,
    /// What each instance contributes to it.
    pub output_element: Option<MappingSource>,
    /// What an instance sets stays with it, and one that has not completed leaves no gap among the results (Flowable's aggregation).
    pub aggregates: bool,
    /// Each instance is cut off as a unit of work.
    pub continuation: Continuation,
    /// Time between the engine's own tries of an instance, e.g. `R3/PT10M` or `PT1M,PT5M`.
    pub retry_cycle: Option<Expression>,
}

/// What dialects say about a message.
#[derive(Clone, Debug, Default)]
pub struct MessageProperties {
    /// Computed when the subscription opens; only a message with this key is taken.
    pub correlation_key: Option<Expression>,
}

/// What dialects say about a process.
#[derive(Clone, Debug, Default)]
pub struct ProcessProperties {
    /// A tag by which this version can be called.
    pub version_tag: Option<Name>,
    /// How long finished instances are kept, as written.
    pub history_time_to_live: Option<Name>,
    /// Who may start it: users.
    pub candidate_starter_users: Vec<Name>,
    /// Who may start it: groups.
    pub candidate_starter_groups: Vec<Name>,
    /// People may start it from their task list.
    pub startable_in_tasklist: Option<bool>,
    /// Forms that stand in the process: (id, JSON).
    pub forms: Vec<(Name, Name)>,
    /// The priority of its jobs for workers.
    pub task_priority: Option<Expression>,
    /// The priority of the engine's own work behind its savepoints and timers, and of jobs that stand for such work (Camunda 7).
    pub job_priority: Option<Expression>,
    /// The variables' lifetime listeners of the process itself.
    pub listeners: Vec<Listener>,
    /// Free name-value pairs.
    pub properties: Vec<(Name, Name)>,
}

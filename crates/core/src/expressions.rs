//! The door to what models compute with: conditions, mappings, scripts and decisions.
//!
//! The core knows no expression language. It compiles every expression once, when a process graph is built, through
//! [`Expressions`]; the compiled form is asked again and again during steps.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Name;
use crate::instance::{Instance, ScopeId};
use crate::time::Timestamp;
use crate::value::{Value, ValueError};

/// The language an expression is written in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// No expression at all: the text itself is the value.
    Literal,
    /// The DMN standard's expression language.
    Feel,
    /// Text with `${...}` or `#{...}` in it, as Camunda 7 and Flowable write it.
    Template,
    /// JavaScript, for scripts.
    JavaScript,
    /// A language that this engine does not evaluate, by the name the model gives.
    Other(Name),
}

/// What an expression is for. A script may set variables, the others only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// One value out of the variables.
    Expression,
    /// A piece of program that may also set variables.
    Script,
    /// A script whose top-level variables become variables of the process (Flowable's `autoStoreVariables`).
    StoringScript,
}

impl Purpose {
    /// Whether it may set variables.
    #[must_use]
    pub fn sets_variables(self) -> bool {
        self != Self::Expression
    }
}

/// Gives the variables that an expression can see.
pub trait Variables {
    /// The innermost variable of that name, if there is one.
    fn get(&self, name: &str) -> Option<Cow<'_, Value>>;
    /// Whether there is a variable of that name.
    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
    /// Whether a variable of that name belongs to the innermost scope, or would, if it were set.
    fn is_local(&self, name: &str) -> bool {
        let _ = name;
        true
    }
    /// All visible variables' names, sorted, each once.
    fn names(&self) -> Vec<Name>;
    /// Facts about where the expression is evaluated, if it is evaluated inside a process instance.
    fn execution(&self) -> Option<Execution> {
        None
    }
}

/// What an expression may ask about the process instance that it is evaluated in
/// (`execution.getProcessBusinessKey()` and the like in older models).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Execution {
    /// The instance's key, as decimal text.
    pub instance: Name,
    /// The business key, if it has one.
    pub business_key: Option<Name>,
    /// The process's id.
    pub process: Name,
    /// The id of the element that asks.
    pub element: Name,
    /// The name of the element that asks.
    pub element_name: Option<Name>,
    /// If that is a user task: its name as people see it, computed where the model computes it.
    pub task_name: Option<Name>,
    /// If that is a user task: whom the model assigns it to.
    pub assignee: Option<Name>,
    /// If a listener asks: the stage at which it is called, e.g. `start` or `create`.
    pub event: Option<&'static str>,
}

/// One evaluation: what an expression sees, and what a script sets.
pub struct Evaluation<'a> {
    /// The variables in sight.
    pub variables: &'a dyn Variables,
    /// The step's own time; `now()` and `today()` are bound to it.
    pub now: Timestamp,
    /// What a script has set, in order. The evaluator also reads its own writes from here.
    pub assigned: Vec<Assignment>,
    /// How long it took, as the evaluator says: of what takes next to nothing it need not look at the clock.
    pub took: Duration,
}

/// Variables that are given as they are: of each name the first.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a>(pub &'a [(Name, Value)]);

impl Variables for Given<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| Cow::Borrowed(value))
    }

    fn names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.0.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl<'a> Evaluation<'a> {
    /// An evaluation that has set nothing yet.
    #[must_use]
    pub fn new(variables: &'a dyn Variables, now: Timestamp) -> Self {
        Self { variables, now, assigned: Vec::new(), took: Duration::ZERO }
    }
}

/// A variable set by a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The variable's name.
    pub name: Name,
    /// Its new value.
    pub value: Value,
    /// Set in the innermost scope (`setVariableLocal`) rather than where the variable already stands.
    pub local: bool,
}

/// The variables of an instance that stand in sight of one of its scopes.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    instance: &'a Instance,
    scope: ScopeId,
}

impl<'a> Sight<'a> {
    pub(crate) fn new(instance: &'a Instance, scope: ScopeId) -> Self {
        Self { instance, scope }
    }

    /// The innermost variable of that name, as it stands; none if it would have to be made up first, as counters of loops are.
    #[must_use]
    #[inline]
    pub fn lend(self, name: &str) -> Option<&'a Value> {
        self.instance.lend(self.scope, name)
    }
}

/// A value that takes no memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quick {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
}

impl From<Quick> for Value {
    #[inline]
    fn from(quick: Quick) -> Self {
        match quick {
            Quick::Boolean(value) => Self::Boolean(value),
            Quick::Integer(value) => Self::Integer(value),
        }
    }
}

/// An expression ready to be evaluated.
pub trait CompiledExpression: Debug + Send + Sync {
    /// Evaluates once.
    ///
    /// # Errors
    /// What the language calls an error, e.g. an unknown variable in `${...}`, or a limit exceeded.
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError>;

    /// The value, for what most models ask most often: a comparison of a variable, a small sum. None tells nothing: evaluate.
    fn quick(&self, sight: Sight<'_>) -> Option<Quick> {
        let _ = sight;
        None
    }

    /// The variables that it reads, as far as can be seen without evaluating; `None` if it may read any.
    fn reads(&self) -> Option<&[Name]>;
}

/// Why an expression did not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong and how to mend it.
    pub message: String,
    /// Byte offset in the expression's text, if known.
    pub offset: Option<usize>,
}

/// Why an evaluation gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The expression failed: what is wrong and how to mend it.
    #[error("{0}")]
    Failed(String),
    /// `${...}` asks for a variable that is not there.
    #[error(
        "Unknown property used in expression: there is no variable `{0}`; set it before, or ask for it with \
         execution.getVariable('{0}'), which gives null"
    )]
    UnknownVariable(Name),
    /// A limit on time, size or depth was exceeded.
    #[error("{0}")]
    Limit(String),
    /// A script threw a BPMN error, to be caught by an error event.
    #[error("BPMN error {code}")]
    BpmnError {
        /// The error code.
        code: Name,
        /// The message, if any.
        message: Option<String>,
    },
    /// No decision of that id is deployed.
    #[error("no decision `{0}` is deployed")]
    UnknownDecision(Name),
}

impl From<ValueError> for EvaluationError {
    fn from(error: ValueError) -> Self {
        Self::Limit(error.to_string())
    }
}

/// Which version of a decision or process is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binding {
    /// The newest.
    #[default]
    Latest,
    /// The one deployed together with the model that refers to it.
    Deployment,
    /// A fixed version number.
    Version(Name),
    /// The one with this tag.
    VersionTag(Name),
}

/// What is deployed together: the models and decisions of one deployment have the same number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deployment(pub u64);

/// Compiles and evaluates. Implemented by `potok-expressions`.
pub trait Expressions: Send + Sync {
    /// Compiles an expression.
    ///
    /// # Errors
    /// If the text is no expression of that language, or the language is not available.
    fn compile(
        &self,
        language: &Language,
        purpose: Purpose,
        text: &str,
    ) -> Result<Arc<dyn CompiledExpression>, CompileError>;

    /// Evaluates a decision (DMN) for a model of that deployment.
    ///
    /// # Errors
    /// If there is no such decision, or its evaluation fails.
    fn decide(
        &self,
        decision: &str,
        binding: &Binding,
        deployment: Deployment,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<Decided, EvaluationError>;
}

/// What a decision gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The result as DMN gives it: for a table with one output and a single hit policy the value itself, with several
    /// outputs a map, with a collecting hit policy a list.
    pub value: Value,
    /// The outputs of each rule that counts, by name; an empty cell gives none. A result that is no table's stands under its own name.
    pub rules: Vec<Vec<(Name, Value)>>,
    /// Whether several rules may count.
    pub is_collected: bool,
}

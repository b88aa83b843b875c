//! Modification: operators start and cancel tokens of a running instance.

use potok_core::Name;
use potok_core::instance::{Key, ScopeId};
use potok_core::step::{Command, Instruction, Position, Target, Variables};

use crate::engine::Engine;
use crate::envelope::{Act, Envelope};
use crate::operation::of_instruction;
use crate::{Action, Case, Error, InstanceId, IntoVariables, Operation};

/// A modification of a running instance, or with [`Modification::new`] of many in a [batch](Engine::batch): instructions that are
/// carried out in their order, in one step, as Camunda 7's process instance modification does. See `docs/operations.md`.
///
/// ```no_run
/// # async fn example(engine: potok::Engine, instance: potok::InstanceId) -> Result<(), potok::Error> {
/// engine
///     .modify(instance)
///     .cancel_all("check")
///     .start_before("approve")
///     .variables(serde_json::json!({"checked": false}))
///     .reason("The inspector is ill.")
///     .send()
///     .await
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is modified until `send`"]
pub struct Modification<On = ()> {
    on: On,
    instructions: Vec<Instruction>,
    reason: Option<Name>,
    error: Option<Error>,
}

impl Engine {
    /// A modification of a running instance.
    pub fn modify(&self, instance: InstanceId) -> Modification<Case> {
        Modification { on: self.instance(instance), instructions: Vec::new(), reason: None, error: None }
    }
}

impl Modification {
    /// A modification that is the same for all instances of a batch.
    ///
    /// ```no_run
    /// # async fn example(engine: potok::Engine, stuck: potok::query::InstanceQuery) -> Result<(), potok::Error> {
    /// use potok::Modification;
    ///
    /// let skip = Modification::new().move_all("check", "approve").reason("The inspector is ill.");
    /// engine.batch(skip.operation()?).matching(stuck).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// It as what a batch does.
    ///
    /// # Errors
    /// If variables were given that are none, or not after what they are for.
    pub fn operation(self) -> Result<Operation, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Operation::Modify { instructions: self.instructions, reason: self.reason }),
        }
    }
}

impl<On> Modification<On> {
    /// A token begins before a flow node. Sub-processes around it in which nothing runs begin with it.
    pub fn start_before(self, element: impl Into<Name>) -> Self {
        self.start(Position::Before(element.into()))
    }

    /// A token begins after a flow node: it leaves by its flows out.
    pub fn start_after(self, element: impl Into<Name>) -> Self {
        self.start(Position::After(element.into()))
    }

    /// A token begins on a sequence flow.
    pub fn start_transition(self, flow: impl Into<Name>) -> Self {
        self.start(Position::On(flow.into()))
    }

    fn start(self, at: Position) -> Self {
        let (variables, local_variables) = (Variables::new(), Variables::new());
        self.with(Instruction::Start { at, within: None, variables, local_variables })
    }

    fn with(mut self, instruction: Instruction) -> Self {
        self.instructions.push(instruction);
        self
    }

    /// The last token begins within that scope: where several instances of what is around it run, or another one is to begin.
    pub fn within(mut self, scope: ScopeId) -> Self {
        match self.instructions.last_mut() {
            Some(Instruction::Start { within, .. }) => *within = Some(scope),
            _ => self.error = Some(Error::MisplacedInstruction("within")),
        }
        self
    }

    /// With these variables for the last token that begins: set where they are visible from there, else in the process.
    pub fn variables(self, given: impl IntoVariables) -> Self {
        self.set("variables", given, |instruction| match instruction {
            Instruction::Start { variables, .. } | Instruction::Move { variables, .. } => Some(variables),
            Instruction::Cancel(_) => None,
        })
    }

    /// With these variables in the innermost scope that is opened for the last token, else in its activity's own scope.
    pub fn local_variables(self, given: impl IntoVariables) -> Self {
        self.set("local_variables", given, |instruction| match instruction {
            Instruction::Start { local_variables, .. } | Instruction::Move { local_variables, .. } => {
                Some(local_variables)
            }
            Instruction::Cancel(_) => None,
        })
    }

    fn set(
        mut self,
        verb: &'static str,
        given: impl IntoVariables,
        of: impl Fn(&mut Instruction) -> Option<&mut Variables>,
    ) -> Self {
        match (given.into_variables(), self.instructions.last_mut().and_then(of)) {
            (Err(error), _) => self.error = Some(error),
            (_, None) => self.error = Some(Error::MisplacedInstruction(verb)),
            (Ok(given), Some(variables)) => variables.extend(given),
        }
        self
    }

    /// Everything on a flow node ends: its tasks, jobs, timers, what it called. A sub-process in which nothing is left ends
    /// with it.
    pub fn cancel_all(self, element: impl Into<Name>) -> Self {
        self.with(Instruction::Cancel(Target::All(element.into())))
    }

    /// The token ends that waits under this key: that of a task, job, incident, or of another wait.
    pub fn cancel(self, wait: impl Into<Key>) -> Self {
        self.with(Instruction::Cancel(Target::Wait(wait.into())))
    }

    /// A token ends, by its [serial](potok_core::instance::Token::serial).
    pub fn cancel_token(self, serial: u32) -> Self {
        self.with(Instruction::Cancel(Target::Token(serial)))
    }

    /// One instance of a sub-process ends, one of a loop's rounds, or a loop as a whole.
    pub fn cancel_scope(self, scope: ScopeId) -> Self {
        self.with(Instruction::Cancel(Target::Scope(scope)))
    }

    /// Everything on a flow node ends, and for each of its tokens one begins before another; the scopes around both stay.
    pub fn move_all(self, from: impl Into<Name>, to: impl Into<Name>) -> Self {
        self.move_to(Target::All(from.into()), to)
    }

    /// What waits under a key ends, and a token begins before another flow node; the scopes around both stay.
    pub fn move_one(self, wait: impl Into<Key>, to: impl Into<Name>) -> Self {
        self.move_to(Target::Wait(wait.into()), to)
    }

    fn move_to(self, from: Target, to: impl Into<Name>) -> Self {
        let (variables, local_variables) = (Variables::new(), Variables::new());
        self.with(Instruction::Move { from, to: to.into(), variables, local_variables })
    }

    /// Why: it stands in the history, and is the reason why the instance is cancelled if nothing of it is left.
    pub fn reason(self, reason: impl Into<Name>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

impl Modification<Case> {
    /// Carries all out. An instance of which nothing is left then is cancelled. A suspended one can be modified, too.
    ///
    /// # Errors
    /// If there is no such instance, it has ended, or one of the instructions is refused: then none is carried out.
    pub async fn send(self) -> Result<(), Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (mut instructions, reason) = (self.instructions, self.reason);
        let inner = &self.on.engine().inner;
        instructions.iter_mut().flat_map(of_instruction).try_for_each(|given| inner.check_given(given))?;
        self.on.engine().reach(Action::Modify, self.on.id()).await?;
        let command = || Command::Modify { instructions: instructions.clone(), reason: reason.clone() };
        self.on.give_because(reason.as_ref(), command).await
    }
}

impl Envelope {
    /// With an operator's reason.
    pub(crate) fn because(self, reason: Option<&Name>) -> Self {
        Self { act: reason.map(|reason| Act::Explained { reason: reason.clone() }), ..self }
    }
}

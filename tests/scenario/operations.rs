//! What operators do to running instances.

use potok_core::instance::{Key, ScopeId};
use potok_core::migration::MigrationPlan;
use potok_core::step::{
    Command, Context, Counter, Events, Instruction, MigrateTo, Position, Rejection, StartAt, Target, step,
};
use potok_expressions::Evaluator;
use serde_json::Value as Json;

use super::host::Host;
use super::{Scenario, variables};

/// A token begins before a flow node.
#[must_use]
pub fn before(element: &str) -> Instruction {
    start(Position::Before(element.into()))
}

/// A token begins after a flow node.
#[must_use]
pub fn after(element: &str) -> Instruction {
    start(Position::After(element.into()))
}

/// A token begins on a sequence flow.
#[must_use]
pub fn on(flow: &str) -> Instruction {
    start(Position::On(flow.into()))
}

fn start(at: Position) -> Instruction {
    Instruction::Start { at, within: None, variables: Vec::new(), local_variables: Vec::new() }
}

/// Everything on a flow node ends.
#[must_use]
pub fn cancel_all(element: &str) -> Instruction {
    Instruction::Cancel(Target::All(element.into()))
}

/// Everything on a flow node goes to another.
#[must_use]
pub fn move_all(element: &str, to: &str) -> Instruction {
    let from = Target::All(element.into());
    Instruction::Move { from, to: to.into(), variables: Vec::new(), local_variables: Vec::new() }
}

/// An instruction with variables.
#[must_use]
#[track_caller]
pub fn with(mut instruction: Instruction, json: Json) -> Instruction {
    if let Instruction::Start { variables: given, .. } | Instruction::Move { variables: given, .. } = &mut instruction {
        *given = variables(json);
    }
    instruction
}

/// An instruction with local variables.
#[must_use]
#[track_caller]
pub fn with_local(mut instruction: Instruction, json: Json) -> Instruction {
    if let Instruction::Start { local_variables: given, .. } | Instruction::Move { local_variables: given, .. } =
        &mut instruction
    {
        *given = variables(json);
    }
    instruction
}

/// A token begins in that scope.
#[must_use]
pub fn within(mut instruction: Instruction, scope: ScopeId) -> Instruction {
    if let Instruction::Start { within, .. } = &mut instruction {
        *within = Some(scope);
    }
    instruction
}

impl Scenario {
    /// Starts an instance before these elements, also inside of sub-processes.
    #[track_caller]
    pub fn start_before<const N: usize>(mut self, elements: [&str; N]) -> Self {
        self.options.at = StartAt::Positions(elements.iter().map(|id| Position::Before((*id).into())).collect());
        self.start()
    }

    /// An operator modifies the instance.
    #[track_caller]
    pub fn modify<const N: usize>(self, instructions: [Instruction; N]) -> Self {
        let key = self.key();
        self.command(
            key,
            "modify",
            Command::Modify { instructions: instructions.to_vec(), reason: Some("moved".into()) },
        )
    }

    /// The instance goes over to the newest version, by the plan that is generated for the two, as the test changes it.
    #[track_caller]
    pub fn migrate(self, change: impl FnOnce(MigrationPlan) -> MigrationPlan) -> Self {
        let running = self.running();
        let (key, source) = (running.instance.key(), running.graph.clone());
        let Some(target) = self.host.newest(source.id()) else { self.fail("there is no newer version") };
        let plan = change(MigrationPlan::generate(&source, &target));
        self.command(key, "migrate", Command::Migrate { to: MigrateTo(target), plan })
    }

    /// Why the instance cannot go over to the newest version: what is wrong, and with which flow node, sorted.
    #[track_caller]
    pub fn migration_problems(
        self,
        change: impl FnOnce(MigrationPlan) -> MigrationPlan,
        expected: &[(&str, &str)],
    ) -> Self {
        let running = self.running();
        let (key, source) = (running.instance.key(), running.graph.clone());
        let Some(to) = self.host.newest(source.id()) else { self.fail("there is no newer version") };
        let plan = change(MigrationPlan::generate(&source, &to));
        let mut copy = running.instance.clone();
        let evaluator = Evaluator::new();
        let keys = Counter::default();
        let mut context = Context::new(self.host.runner.now(), &evaluator, &keys);
        let command = Command::Migrate { to: MigrateTo(to), plan };
        let refused = step(&source, &mut copy, command.clone(), &mut context, &mut Events::new());
        let Err(Rejection::Migration(problems)) = refused else { self.fail(format!("it is not refused: {refused:?}")) };
        let mut found: Vec<_> = problems.iter().map(|problem| (&*problem.from, problem.kind.code())).collect();
        found.sort_unstable();
        if found != expected {
            self.fail(format!("the problems are {found:?}, not {expected:?}"));
        }
        self.refuses("migration-impossible").command(key, "migrate", command)
    }

    /// The key of the oldest wait for a flow node.
    #[track_caller]
    pub fn key_of(&self, element: &str) -> Key {
        let running = self.running();
        match running.instance.waits().find(|wait| *Host::id(&running.graph, wait.node) == *element) {
            Some(wait) => wait.key,
            None => self.fail(format!("nothing waits for `{element}`")),
        }
    }

    /// A scope of a flow node, counted from 0 and by its number.
    #[track_caller]
    pub fn scope_of(&self, element: &str, index: usize) -> ScopeId {
        let running = self.running();
        let mut of = running.instance.scopes().filter(|(_, scope)| *Host::id(&running.graph, scope.node) == *element);
        match of.nth(index) {
            Some((scope, _)) => scope,
            None => self.fail(format!("`{element}` has not so many scopes")),
        }
    }

    /// The serial of a token on a flow node, counted from 0 and the oldest.
    #[track_caller]
    pub fn token_on(&self, element: &str, index: usize) -> u32 {
        let running = self.running();
        let on = running.instance.tokens().filter(|(_, token)| *Host::id(&running.graph, token.node) == *element);
        let mut serials: Vec<u32> = on.map(|(_, token)| token.serial).collect();
        serials.sort_unstable();
        match serials.get(index) {
            Some(serial) => *serial,
            None => self.fail(format!("only {} tokens stand on `{element}`", serials.len())),
        }
    }
}

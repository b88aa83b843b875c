//! Variables as they are seen from inside an instance: from a task, a job, or whatever else waits.

use potok_core::Name;
use potok_core::instance::{Instance, Key, Owner, ROOT, ScopeId, Wait};
use potok_core::routing::{Running, Work, World as _};
use potok_core::step::{Command, Rejection, Variables};
use potok_core::value::Value;

use crate::attempt::{Attempt, Missing};
use crate::held::scope_with;
use crate::{Action, Case, Error, IntoVariables};

/// From where variables are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewpoint {
    /// The process itself.
    Process,
    /// A scope, by its number.
    Scope(ScopeId),
    /// What waits under that key.
    Wait(Key),
}

impl Viewpoint {
    /// Whether a wait stands there: it is the one that is meant, or its scope is.
    pub(crate) fn is_at(self, instance: &Instance, wait: &Wait) -> bool {
        match self {
            Self::Process => true,
            Self::Scope(scope) => instance.scope_of(wait) == scope,
            Self::Wait(key) => wait.key == key || instance.wait(key).is_some_and(|here| here.owner == wait.owner),
        }
    }

    /// Whether it is a flow node at which something waits, which may have variables of its own.
    fn is_at_a_node(self, instance: &Instance) -> bool {
        matches!(self, Self::Wait(key) if instance.wait(key).is_some_and(|it| matches!(it.owner, Owner::Token(_))))
    }

    /// The innermost scope in sight, and whether it is the viewpoint's own.
    fn scope(self, instance: &Instance) -> Option<(ScopeId, bool)> {
        match self {
            Self::Process => Some((ROOT, true)),
            Self::Scope(scope) => instance.scope(scope).map(|_| (scope, true)),
            Self::Wait(key) => {
                let wait = instance.wait(key)?;
                let scope = instance.scope_of(wait);
                let is_own = instance.scope(scope).is_some_and(|scope| wait.owner == Owner::Token(scope.owner));
                Some((scope, is_own))
            }
        }
    }
}

impl Case {
    /// The variables in sight, in the names' order; with `own` only those of the innermost scope, if that belongs to what is looked
    /// from.
    ///
    /// # Errors
    /// If there is no such instance, or nothing to look from.
    pub async fn variables_from(&self, from: Viewpoint, own: bool) -> Result<Variables, Error> {
        self.engine().reach(Action::SeeInstances, self.id()).await?;
        let seen = |running: Option<&Running>| {
            let Running { instance, graph } = running?;
            let (scope, is_own) = from.scope(instance)?;
            Some(match own {
                false => instance.all_visible(scope, graph.dialect().counters()),
                true if is_own => instance.scope(scope)?.variables().to_vec(),
                true => Variables::new(),
            })
        };
        self.engine().inner.look(self.id().0, seen).await?.ok_or(Error::UnknownInstance(self.id()))
    }

    /// Removes variables of the process itself that are there, if all are what their caller takes them for.
    ///
    /// # Errors
    /// If there is no such instance, or it has ended; and [`Error::VariablesChanged`] if they are not.
    pub async fn remove_variables_if(
        &self,
        is_expected: impl Fn(&[(Name, Value)]) -> bool + Send + Sync,
        names: impl IntoIterator<Item = Name>,
    ) -> Result<(), Error> {
        let (id, names): (_, Vec<Name>) = (self.id(), names.into_iter().collect());
        self.engine().reach(Action::SetVariables, id).await?;
        let remove = |attempt: &mut Attempt<'_>, work: &mut Work| {
            if attempt.instance(id.0)?.is_some_and(|running| !is_expected(running.instance.variables())) {
                return Ok(Err(Error::VariablesChanged(id)));
            }
            change(attempt, work, id.0, (Viewpoint::Process, true), (&Variables::new(), &names))
        };
        self.engine().inner.transact(self.engine().envelope(), remove).await
    }

    /// Sets and removes variables in one step. Each is looked for from the innermost scope in sight outwards, and set in the process if
    /// nobody has it; with `own` only the innermost scope is meant.
    ///
    /// # Errors
    /// If there is no such instance, it has ended, or there is nothing to look from.
    pub async fn change_variables_from(
        &self,
        from: Viewpoint,
        own: bool,
        set: impl IntoVariables,
        remove: impl IntoIterator<Item = Name>,
    ) -> Result<(), Error> {
        let (set, remove): (Variables, Vec<Name>) = (self.engine().inner.given(set)?, remove.into_iter().collect());
        let key = self.id().0;
        self.engine().reach(Action::SetVariables, self.id()).await?;
        let inner = &self.engine().inner;
        inner
            .transact(self.engine().envelope(), |attempt, work| {
                change(attempt, work, key, (from, own), (&set, &remove))
            })
            .await
    }
}

/// Sets and removes variables in sight of a viewpoint, or its own.
pub(crate) fn change(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    key: Key,
    (from, own): (Viewpoint, bool),
    (set, remove): (&Variables, &[Name]),
) -> Result<Result<(), Error>, Missing> {
    let unknown = || Error::UnknownInstance(key.into());
    let Some(running) = attempt.instance(key)? else { return Ok(Err(unknown())) };
    let instance = &running.instance;
    if !instance.is_active() {
        return Ok(Err(Rejection::NotActive(key).into()));
    }
    let Some((inner, is_own)) = from.scope(instance) else { return Ok(Err(unknown())) };
    let home = |name: &Name| if own { inner } else { scope_with(instance, inner, name) };
    // What is removed in the same breath need not be set.
    let set: Variables = set.iter().filter(|(name, _)| !remove.contains(name)).cloned().collect();
    let set: Vec<Command> = match from {
        // Its own scope is opened for it if need be.
        Viewpoint::Wait(task) if own && !set.is_empty() && from.is_at_a_node(instance) => {
            vec![Command::SetTaskVariables { task, variables: Variables::new(), local_variables: set }]
        }
        _ => set
            .into_iter()
            .map(|(name, value)| Command::SetVariables { scope: home(&name), variables: vec![(name, value)] })
            .collect(),
    };
    let is_there = |name: &Name| instance.scope(inner).is_some_and(|scope| scope.variable(name).is_some());
    let remove = remove
        .iter()
        .filter(|name| !own || (is_own && is_there(name)))
        .map(|name| Command::RemoveVariables { scope: home(name), names: vec![name.clone()] });
    let commands: Vec<Command> = set.into_iter().chain(remove).collect();
    for command in commands {
        match attempt.step(key, command) {
            Ok(requests) => work.ask(key, requests),
            // A condition that has occurred meanwhile may have ended it.
            Err(Rejection::NotActive(_) | Rejection::UnknownScope(..)) => {}
            Err(rejection) => return Ok(Err(rejection.into())),
        }
    }
    Ok(Ok(()))
}

//! Variables of open tasks' own, as rows by which tasks are found.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use potok_core::Name;
use potok_core::instance::{Instance, Key, Owner, ROOT, ScopeId, Wait, WaitKind, WaitType};
use potok_core::step::{Event, Events};
use potok_core::value::Value;
use potok_store::query::{Paging, TaskQuery};
use potok_store::row::{Task, TaskState, TaskVariable, Work};
use potok_store::{Changes, Guard};

use crate::Error;
use crate::engine::Inner;
use crate::follow::searchable;
use crate::work::Chore;

/// Tasks that are caught up on at once.
const PAGE: usize = 100;

/// The variables of a task's own.
pub(crate) fn own<'i>(instance: &'i Instance, task: &Wait) -> &'i [(Name, Value)] {
    let scope = instance.scope(instance.scope_of(task)).filter(|scope| task.owner == Owner::Token(scope.owner));
    scope.map_or(&[], |scope| scope.variables())
}

/// The open tasks of an instance that have variables of their own.
pub(crate) fn tasks(instance: &Instance) -> impl Iterator<Item = (Key, &[(Name, Value)])> {
    let open = instance.waits().filter(|wait| matches!(wait.kind, WaitKind::UserTask(_)));
    open.map(|task| (task.key, own(instance, task))).filter(|(_, own)| !own.is_empty())
}

/// The open task whose own that scope is.
fn task_of(instance: &Instance, scope: ScopeId) -> Option<&Wait> {
    let mut waits = instance.waits_of(instance.scope(scope)?.owner);
    waits.find(|wait| matches!(wait.kind, WaitKind::UserTask(_)) && instance.scope_of(wait) == scope)
}

/// Changes the rows as the events say, after which the instance is so. `standing` are the tasks that have some.
pub(crate) fn follow(changes: &mut Changes, instance: &Instance, events: &Events, standing: &mut BTreeSet<Key>) {
    let key = instance.key();
    for event in &events.list {
        let (scope, name) = match *event {
            Event::WaitOpened { details } => {
                let opened = events.waits.get(details as usize).filter(|it| matches!(it.kind, WaitKind::UserTask(_)));
                let Some(task) = opened.and_then(|opened| instance.wait(opened.key)) else { continue };
                put(changes, key, task.key, own(instance, task), standing);
                continue;
            }
            Event::WaitClosed { key: task, kind: WaitType::UserTask, .. } => {
                if standing.remove(&task) {
                    changes.remove_task_variables(key, task);
                }
                continue;
            }
            Event::VariableSet { scope, variable } if scope != ROOT => {
                let Some((name, _)) = events.variables.get(variable as usize) else { continue };
                (scope, name)
            }
            Event::VariableRemoved { scope, name } if scope != ROOT => {
                let Some(Value::String(name)) = events.values.get(name as usize) else { continue };
                (scope, name)
            }
            _ => continue,
        };
        // By its number another scope may be meant by now: what counts is what stands in the end.
        let Some(task) = task_of(instance, scope) else { continue };
        match own(instance, task).iter().find(|(other, _)| other == name) {
            Some(variable) => put(changes, key, task.key, std::slice::from_ref(variable), standing),
            None => changes.remove::<TaskVariable>((key, task.key, name.clone())),
        }
    }
}

/// Writes variables of a task's own.
pub(crate) fn put(
    changes: &mut Changes,
    instance: Key,
    task: Key,
    own: &[(Name, Value)],
    standing: &mut BTreeSet<Key>,
) {
    for (name, value) in own {
        standing.insert(task);
        match searchable(instance, name, value).filter(potok_store::row::Variable::fits) {
            Some(variable) => changes.put(TaskVariable::of(task, variable)),
            None => changes.remove::<TaskVariable>((instance, task, name.clone())),
        }
    }
}

impl Inner {
    /// Writes the rows of some tasks that were opened by a version that wrote none; says whether that was all.
    pub(crate) async fn catch_up_on_task_variables(&self) -> Result<bool, Error> {
        let work = (Key::default(), Key::default());
        let Some(row) = self.store.get::<Work>(work).await?.filter(|row| row.kind == Chore::TASK_VARIABLES) else {
            return Ok(true);
        };
        // As far as whoever was at it before has come.
        let after = std::str::from_utf8(&row.payload).ok().and_then(|place| place.parse().ok());
        let page = Paging { limit: Some(PAGE), after, ..Paging::default() };
        let open = TaskQuery { states: vec![TaskState::Open], page, ..TaskQuery::default() };
        let found = self.store.list(&open).await?;
        let instances: BTreeSet<Key> = found.rows.iter().map(|task: &Task| task.instance).collect();
        // All at once, so that they share transactions.
        let caught_up = instances.into_iter().map(async |key| match self.catch_up_on_tasks_of(key).await {
            // What cannot be read is the doctor's to tell.
            Err(error @ (Error::Damaged { .. } | Error::Unusable { .. })) => {
                tracing::error!(instance = %key, %error, "tasks' own variables are not found");
                Ok(())
            }
            done => done,
        });
        try_join_all(caught_up).await?;
        let mut changes = Changes::default();
        let Some(next) = found.next else {
            let done = Guard::Work { instance: work.0, work: work.1 };
            return match self.write_once(Some(done), None, changes, &()).await {
                // Another node was faster.
                Ok(()) | Err(Error::NothingToDo) => Ok(true),
                Err(error) => Err(error),
            };
        };
        changes.rewrite_work(work.0, work.1, next.to_string().as_bytes().into());
        self.write(changes).await?;
        Ok(false)
    }

    async fn catch_up_on_tasks_of(&self, key: Key) -> Result<(), Error> {
        loop {
            let as_it_is = self.look_around(key, |loaded| {
                let loaded = loaded?;
                let mut changes = Changes::default();
                changes.remove_of::<TaskVariable>(key);
                for (task, own) in tasks(&loaded.running.instance) {
                    put(&mut changes, key, task, own, &mut BTreeSet::new());
                }
                Some((changes, loaded.seq))
            });
            let Some((changes, seq)) = as_it_is.await? else { return Ok(()) };
            self.write(changes).await?;
            // Others work on it meanwhile: what they have written before this is written once more.
            if self.ends_with(key, seq).await? {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;

    const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test">
        <process id="ask" isExecutable="true"><startEvent id="start"/><userTask id="work"/>
        <sequenceFlow id="flow" sourceRef="start" targetRef="work"/></process></definitions>"#;

    #[tokio::test]
    async fn rows_come_a_bite_at_a_time_and_go_on_where_they_were() -> Result<(), Error> {
        let engine = Engine::builder().job_execution(false).start().await?;
        engine.deployment().file("ask.bpmn", MODEL).send().await?;
        let inner = &engine.inner;
        let mut changes = Changes::default();
        for _ in 0..=2 * PAGE {
            let case = engine.start("ask").send().await?;
            let task = engine.tasks().instance(case.id()).list().await?.remove(0);
            engine.set_local_task_variables(task.id(), serde_json::json!({"draft": 1})).await?;
            changes.remove_of::<TaskVariable>(case.key);
        }
        assert!(inner.catch_up_on_task_variables().await?, "nothing is left to do");
        changes.add(Work { kind: Chore::TASK_VARIABLES, suspended: true, ..Work::default() });
        inner.write(changes).await?;
        let mut found = Vec::new();
        loop {
            let done = inner.catch_up_on_task_variables().await?;
            found.push(inner.store.instances_with::<TaskVariable>().await?.len());
            if done {
                break;
            }
        }
        assert_eq!(found, [PAGE, 2 * PAGE, 2 * PAGE + 1]);
        assert!(inner.catch_up_on_task_variables().await?);
        assert_eq!(inner.store.count(&TaskQuery::default()).await?, 2 * PAGE as u64 + 1);
        engine.stop().await;
        Ok(())
    }
}

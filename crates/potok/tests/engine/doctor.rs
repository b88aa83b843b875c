//! What is wrong with a database is found, and what can be derived is mended.

use potok::row::Task;
use potok_core::instance::Key;
use potok_store::{Outcome, Patience, Unit};
use serde_json::json;

use crate::database::{Place, stop};
use crate::model::approval;

crate::on_every_database!(what_is_derived_is_mended, what_belongs_to_nothing_is_removed);

async fn what_is_derived_is_mended(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").variables(json!({"amount": 1})).send().await.unwrap();
    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    let mut unit = Unit { id: 7, ..Unit::default() };
    unit.changes.put_task(Task { assignee: Some("mallory".into()), ..(*task).clone() });
    unit.changes.put(potok::row::Token { instance: case.key, token: 9, ..potok::row::Token::default() });
    unit.changes.put(potok::row::Variable::number(case.key, "amount".into(), 2.0));
    unit.changes.add(potok::row::Timer { instance: potok_core::instance::Key(5), ..potok::row::Timer::default() });
    assert_eq!(engine.store().commit(&[unit], Patience::Wait).await.unwrap(), [Outcome::Committed]);

    let findings = engine.examine().await.unwrap();
    assert_eq!(findings.len(), 4, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.mendable));
    assert_eq!(findings.iter().filter(|finding| finding.instance == case.id()).count(), 3);
    assert_eq!(engine.mend().await.unwrap(), findings);
    assert_eq!(engine.task(task.id()).await.unwrap(), task);
    stop(&engine).await;
}

async fn what_belongs_to_nothing_is_removed(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").variables(json!({"amount": 1})).send().await.unwrap();
    let mut unit = Unit { id: 7, ..Unit::default() };
    let variable = |instance: u64| potok::row::Variable::number(Key(instance), "amount".into(), 2.0);
    unit.changes.put(variable(5));
    unit.changes.put(potok::row::TaskVariable::of(Key(60), variable(6)));
    unit.changes.put(potok::row::TaskVariable::of(Key(61), variable(6)));
    unit.changes.put(potok::row::Token { instance: Key(7), ..potok::row::Token::default() });
    unit.changes.put(potok::row::Snapshot { instance: Key(8), seq: 1, ..potok::row::Snapshot::default() });
    assert_eq!(engine.store().commit(&[unit], Patience::Wait).await.unwrap(), [Outcome::Committed]);
    let findings = engine.examine().await.unwrap();
    let of: Vec<u64> = findings.iter().map(|finding| finding.instance.0.0).collect();
    assert_eq!(of, [5, 6, 7, 8], "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.mendable));
    assert_eq!(engine.mend().await.unwrap(), findings);
    stop(&engine).await;
}

//! Tasks that belong to no process.

use std::time::Duration;

use potok::query::{Comparison, DefinitionQuery, InstanceQuery, VariableFilter, VariableValue};
use potok::row::{InstanceState, TaskState};
use potok::{Operation, Transition, What};
use potok_store::query::TaskQuery;
use serde_json::json;

use crate::database::{Place, at, morning, stop};
use crate::model::approval;

crate::on_every_database!(
    a_task_is_created_claimed_and_completed,
    it_stands_in_no_list_of_processes,
    who_did_what_with_it_stands_in_its_history,
    it_is_cancelled_and_deleted,
    only_those_whom_it_concerns_end_it,
    it_is_kept_as_long_as_other_history,
    what_it_holds_is_erased,
    it_goes_on_after_a_restart,
    it_is_created_in_a_transaction,
);

async fn a_task_is_created_claimed_and_completed(place: Place) {
    let engine = place.by_hand().await;
    let task = engine
        .create_task("Call the customer back")
        .description("She asked for the number")
        .owner("olga")
        .candidate_user("boris")
        .candidate_group("sales")
        .due(at("2026-01-06T09:00:00Z"))
        .follow_up(at("2026-01-05T12:00:00Z"))
        .priority(70)
        .form("call-back")
        .variables(json!({"phone": "12-34", "tries": 1}))
        .send()
        .await
        .unwrap();
    assert_eq!((task.name.as_deref(), task.state), (Some("Call the customer back"), TaskState::Open));
    assert_eq!((task.process_id(), &*task.process), (None, ""));
    assert_eq!(task.description.as_deref(), Some("She asked for the number"));
    assert_eq!((task.owner.as_deref(), task.assignee.as_deref(), task.priority), (Some("olga"), None, 70));
    assert_eq!((task.due, task.follow_up), (Some(at("2026-01-06T09:00:00Z")), Some(at("2026-01-05T12:00:00Z"))));
    assert_eq!((task.form.as_deref(), task.created), (Some("call-back"), morning()));

    let phone =
        VariableFilter { name: "phone".into(), comparison: Comparison::Equal(VariableValue::Text("12-34".into())) };
    let tasks = || engine.tasks().without_process();
    assert_eq!(tasks().candidate_group("sales").count().await.unwrap(), 1);
    assert_eq!(tasks().candidate_user("boris").variable(phone).count().await.unwrap(), 1);
    assert_eq!(tasks().filter(|query| query.name_like = Some("Call%".into())).count().await.unwrap(), 1);

    engine.claim(task.id(), "anna").await.unwrap();
    assert_eq!(engine.claim(task.id(), "boris").await.unwrap_err().code(), "task-claimed");
    engine.delegate(task.id(), "vera").await.unwrap();
    engine.resolve(task.id()).await.unwrap();
    engine.update_task(task.id(), |task| task.priority = 10).await.unwrap();
    engine.set_local_task_variables(task.id(), json!({"draft": "Dear"})).await.unwrap();
    assert_eq!(engine.task_variables(task.id()).await.unwrap().len(), 3);
    engine.comment(task.id(), "nobody answers").await.unwrap();
    let changed = engine.task(task.id()).await.unwrap();
    assert_eq!((changed.assignee.as_deref(), changed.priority), (Some("olga"), 10));
    assert_eq!((&changed.name, &changed.description, &changed.form), (&task.name, &task.description, &task.form));

    engine.complete(task.id(), json!({"reached": true})).await.unwrap();
    assert_eq!(engine.task(task.id()).await.unwrap().state, TaskState::Completed);
    assert_eq!(tasks().count().await.unwrap(), 0);
    assert_eq!(tasks().and_ended().count().await.unwrap(), 1);
    assert_eq!(engine.comments(task.id()).await.unwrap().len(), 1);
    let instance = engine.instance(task.instance_id());
    assert_eq!(instance.get().await.unwrap().state, InstanceState::Completed);
    assert_eq!(instance.variable("reached").await.unwrap(), Some(true.into()));
    assert_eq!(instance.variable("draft").await.unwrap(), None);
    stop(&engine).await;
}

async fn it_stands_in_no_list_of_processes(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.create_task("Water the flowers").send().await.unwrap();
    let all = InstanceQuery::default;
    let found = engine.instances(&all()).await.unwrap();
    assert_eq!(found.iter().map(potok::Instance::id).collect::<Vec<_>>(), [case.id()]);
    let alone = engine.instances(&InstanceQuery { has_process: Some(false), ..all() }).await.unwrap();
    assert_eq!(alone.iter().map(potok::Instance::id).collect::<Vec<_>>(), [task.instance_id()]);
    let definitions = engine.definitions(&DefinitionQuery::default()).await.unwrap();
    assert_eq!(definitions.iter().map(|definition| &*definition.id).collect::<Vec<_>>(), ["approval"]);
    let statistics = engine.definition_statistics().await.unwrap();
    assert_eq!((statistics.len(), statistics[0].instances), (1, 1));
    assert_eq!(engine.finished(&all()).await.unwrap().iter().filter(|node| node.node == "task").count(), 0);
    let mut export = engine.export(all());
    while let Some(chunk) = export.chunk().await.unwrap() {
        assert!(!chunk.contains(&task.instance_id().to_string()), "{chunk}");
    }
    assert_eq!(engine.tasks().count().await.unwrap(), 2);
    let of_processes = TaskQuery { has_process: Some(true), ..TaskQuery::default() };
    assert_eq!(engine.tasks().filter(|query| *query = of_processes).count().await.unwrap(), 1);

    // Whoever cancels all instances does not mean the tasks beside them; nor can the process be started by its name.
    let cancel = Operation::Cancel { reason: Some("closed".into()) };
    let batch = engine.batch(cancel).matching(all()).send().await.unwrap();
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().done, 1);
    assert_eq!(engine.task(task.id()).await.unwrap().state, TaskState::Open);
    assert_eq!(engine.start("task_alone").send().await.unwrap_err().code(), "process-unknown");
    stop(&engine).await;
}

async fn who_did_what_with_it_stands_in_its_history(place: Place) {
    let engine = place.by_hand().await;
    let task = engine.as_user("olga").create_task("Call").assignee("anna").send().await.unwrap();
    assert_eq!(engine.as_user("boris").complete(task.id(), ()).await.unwrap_err().code(), "task-unknown");
    engine.as_user("anna").complete(task.id(), json!({"reached": true})).await.unwrap();
    let case = engine.instance(task.instance_id());
    assert_eq!(case.get().await.unwrap().initiator.as_deref(), Some("olga"));
    let happened = case.happenings().await.unwrap();
    let told: Vec<_> = happened
        .iter()
        .filter_map(|it| match &it.what {
            What::Element { element, transition, .. } if element == "task" => Some((*transition, it.by.as_deref())),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [(Transition::Start, None), (Transition::Assign, Some("anna")), (Transition::Complete, Some("anna"))]
    );
    stop(&engine).await;
}

async fn it_is_cancelled_and_deleted(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let call = engine.create_task("Call").send().await.unwrap();
    engine.set_local_task_variables(call.id(), json!({"a": 1})).await.unwrap();
    engine.cancel_task(call.id(), "she has called herself").await.unwrap();
    assert_eq!(engine.task(call.id()).await.unwrap().state, TaskState::Cancelled);
    assert_eq!(engine.cancel_task(call.id(), "").await.unwrap_err().code(), "task-unknown");
    engine.delete_task(call.id()).await.unwrap();
    assert_eq!(engine.task(call.id()).await.unwrap_err().code(), "task-unknown");
    let open = engine.create_task("Write").send().await.unwrap();
    engine.delete_task(open.id()).await.unwrap();
    assert_eq!(engine.tasks().and_ended().count().await.unwrap(), 0);

    engine.start("approval").send().await.unwrap();
    let approve = engine.tasks().list().await.unwrap()[0].id();
    assert_eq!(engine.cancel_task(approve, "").await.unwrap_err().code(), "task-of-process");
    assert_eq!(engine.delete_task(approve).await.unwrap_err().code(), "task-of-process");
    stop(&engine).await;
}

async fn only_those_whom_it_concerns_end_it(place: Place) {
    let engine = place.by_hand().await;
    let (anna, boris) = (engine.as_user("anna"), engine.as_user("boris"));
    let own = anna.create_task("Tidy the desk").send().await.unwrap();
    assert_eq!(boris.cancel_task(own.id(), "").await.unwrap_err().code(), "forbidden");
    assert_eq!(boris.delete_task(own.id()).await.unwrap_err().code(), "forbidden");
    anna.cancel_task(own.id(), "").await.unwrap();
    let given = anna.create_task("Tidy it for me").assignee("boris").send().await.unwrap();
    boris.cancel_task(given.id(), "no").await.unwrap();
    stop(&engine).await;
}

async fn it_is_kept_as_long_as_other_history(place: Place) {
    let engine = place.builder().clock(potok::Clock::standing_at(morning())).job_execution(false);
    let engine = engine.history_time_to_live(Duration::from_secs(60)).start().await.unwrap();
    let task = engine.create_task("Call").send().await.unwrap();
    engine.complete(task.id(), ()).await.unwrap();
    assert_eq!(engine.clean_up().await.unwrap(), 0);
    engine.clock().advance(at("2026-01-05T09:02:00Z"));
    assert_eq!(engine.clean_up().await.unwrap(), 1);
    assert_eq!(engine.tasks().and_ended().count().await.unwrap(), 0);
    stop(&engine).await;
}

async fn what_it_holds_is_erased(place: Place) {
    let engine = place.by_hand().await;
    let task = engine.create_task("Call").variables(json!({"phone": "12-34"})).send().await.unwrap();
    assert_eq!(engine.erase_variable(&InstanceQuery::default(), "phone").await.unwrap(), 1);
    let began = engine.instance(task.instance_id()).at(1).await.unwrap();
    assert!(began.variable("phone").is_none_or(potok::Value::is_null));
    stop(&engine).await;
}

async fn it_goes_on_after_a_restart(place: Place) {
    let engine = place.by_hand().await;
    let task = engine.create_task("Call").send().await.unwrap();
    stop(&engine).await;
    let engine = place.by_hand().await;
    engine.complete(task.id(), json!({"reached": true})).await.unwrap();
    assert_eq!(engine.task(task.id()).await.unwrap().state, TaskState::Completed);
    stop(&engine).await;
}

async fn it_is_created_in_a_transaction(place: Place) {
    let engine = place.by_hand().await;
    let transaction = engine.transaction().await.unwrap();
    let undone = transaction.engine().create_task("Call").send().await.unwrap();
    drop(transaction);
    assert_eq!(engine.task(undone.id()).await.unwrap_err().code(), "task-unknown");
    let transaction = engine.transaction().await.unwrap();
    let task = transaction.engine().create_task("Call").send().await.unwrap();
    transaction.commit().await.unwrap();
    engine.complete(task.id(), ()).await.unwrap();
    stop(&engine).await;
}

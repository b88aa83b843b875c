//! User tasks.

use std::future::Future as _;
use std::task::{Context, Poll};
use std::time::Duration;

use potok::query::{Comparison, IncidentQuery, InstanceQuery, VariableFilter, VariableValue};
use potok::row::{Group, InstanceState, Membership, TaskState};
use potok::{Error, IncidentId, Value, Viewpoint};
use potok_store::{Outcome, Patience, Unit};
use serde_json::json;

use crate::database::{Place, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    tasks_are_claimed_and_completed,
    only_one_claims_a_task,
    a_user_acts_within_their_rights,
    a_delegated_task_comes_back,
    a_task_belongs_to_whom_its_model_says,
    tasks_are_found_by_what_their_instances_hold,
    a_suspended_instance_waits,
    a_cancelled_instance_has_no_open_tasks,
    who_did_what_stands_in_the_history,
    a_task_has_variables_of_its_own,
    a_users_own_task_has_variables,
    what_would_get_stuck_is_not_done,
    variables_are_changed_where_they_stand,
    who_goes_in_the_middle_leaves_nothing_half_done_in_memory,
);

async fn tasks_are_claimed_and_completed(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").business_key("C-17").variables(json!({"amount": 12})).send().await.unwrap();
    assert_eq!((case.business_key.as_deref(), case.state), (Some("C-17"), InstanceState::Active));

    let open = engine.tasks().candidate_group("sales").list().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (&*open[0].node, open[0].name.as_deref(), open[0].instance_id()),
        ("approve", Some("Approve"), case.id())
    );
    engine.claim(open[0].id(), "anna").await.unwrap();
    assert_eq!(engine.tasks().assignee("anna").count().await.unwrap(), 1);
    engine.complete(open[0].id(), json!({"approved": true})).await.unwrap();

    let done = engine.task(open[0].id()).await.unwrap();
    assert_eq!((done.state, done.assignee.as_deref()), (TaskState::Completed, Some("anna")));
    let pay = engine.tasks().instance(case.id()).list().await.unwrap();
    assert_eq!((pay.len(), pay[0].assignee.as_deref()), (1, Some("boris")));
    let again = engine.complete(open[0].id(), ()).await.unwrap_err();
    assert_eq!(again.code(), "task-unknown");

    engine.complete(pay[0].id(), ()).await.unwrap();
    let ended = engine.instance(case.id()).ended().await.unwrap();
    assert_eq!(ended.state, InstanceState::Completed);
    assert_eq!(engine.instance(case.id()).variable("approved").await.unwrap(), Some(Value::Boolean(true)));
    stop(&engine).await;
}

async fn only_one_claims_a_task(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let claims: Vec<_> = (0..8)
        .map(|number| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.claim(task, format!("user-{number}")).await })
        })
        .collect();
    let mut won = 0;
    for claim in claims {
        match claim.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error.code(), "task-claimed"),
        }
    }
    assert_eq!(won, 1);
    let assignee = engine.task(task).await.unwrap().assignee.clone().unwrap();
    engine.claim(task, assignee).await.unwrap();
    engine.unclaim(task).await.unwrap();
    engine.claim(task, "late").await.unwrap();
    stop(&engine).await;
}

async fn a_user_acts_within_their_rights(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let mut people = Unit { id: 99, ..Unit::default() };
    people.changes.put(Group { id: "sales".into(), ..Group::default() });
    people.changes.put(Membership { member: "anna".into(), team: "sales".into() });
    assert_eq!(engine.store().commit(&[people], Patience::Wait).await.unwrap(), [Outcome::Committed]);

    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let (anna, boris) = (engine.as_user("anna"), engine.as_user("boris"));
    assert_eq!(boris.claim(task, "boris").await.unwrap_err().code(), "task-unknown");
    assert_eq!(boris.complete(task, ()).await.unwrap_err().code(), "task-unknown");
    anna.claim(task, "anna").await.unwrap();
    assert_eq!(boris.unclaim(task).await.unwrap_err().code(), "task-unknown");
    anna.complete(task, ()).await.unwrap();
    let pay = engine.tasks().list().await.unwrap()[0].id();
    assert_eq!(anna.complete(pay, ()).await.unwrap_err().code(), "forbidden");
    boris.complete(pay, ()).await.unwrap();
    stop(&engine).await;
}

async fn a_delegated_task_comes_back(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.claim(task, "anna").await.unwrap();
    engine.delegate(task, "vera").await.unwrap();
    let asked = engine.task(task).await.unwrap();
    assert_eq!((asked.assignee.as_deref(), asked.owner.as_deref()), (Some("vera"), Some("anna")));
    engine.resolve(task).await.unwrap();
    assert_eq!(engine.task(task).await.unwrap().assignee.as_deref(), Some("anna"));
    engine.update_task(task, |assignment| assignment.priority = 90).await.unwrap();
    assert_eq!(engine.task(task).await.unwrap().priority, 90);
    stop(&engine).await;
}

async fn a_task_belongs_to_whom_its_model_says(place: Place) {
    let owned = row(
        "owned",
        r#"
        <userTask id="fixed" potok:owner="maria"/>
        <userTask id="computed" potok:owner="=boss"/>"#,
    );
    let engine = place.with(&[("owned.bpmn", &owned)]).await;
    let case = engine.start("owned").variables(json!({"boss": "olga"})).send().await.unwrap();
    for owner in ["maria", "olga"] {
        let found = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
        assert_eq!((found.owner.as_deref(), found.assignee.as_deref()), (Some(owner), None));
        let task = found.id();
        engine.assign(task, "anna").await.unwrap();
        engine.delegate(task, "vera").await.unwrap();
        assert_eq!(engine.task(task).await.unwrap().owner.as_deref(), Some(owner), "it is theirs already");
        engine.resolve(task).await.unwrap();
        assert_eq!(engine.task(task).await.unwrap().assignee.as_deref(), Some(owner));
        engine.complete(task, ()).await.unwrap();
    }
    stop(&engine).await;
}

async fn tasks_are_found_by_what_their_instances_hold(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    for amount in [5, 50, 500] {
        engine.start("approval").variables(json!({"amount": amount, "lines": [1, 2]})).send().await.unwrap();
    }
    let large = VariableFilter { name: "amount".into(), comparison: Comparison::Greater(VariableValue::Number(10.0)) };
    assert_eq!(engine.tasks().variable(large).count().await.unwrap(), 2);
    let first = engine.tasks().limit(2).page().await.unwrap();
    let second = engine.tasks().limit(2).after(first.next.unwrap()).page().await.unwrap();
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (2, 1, None));
    let variables = engine.task_variables(second.rows[0].id()).await.unwrap();
    assert_eq!(variables.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["amount", "lines"]);
    stop(&engine).await;
}

async fn a_suspended_instance_waits(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.instance(case.id()).suspend().await.unwrap();
    assert!(engine.instance(case.id()).get().await.unwrap().suspended);
    assert_eq!(engine.complete(task, ()).await.unwrap_err().code(), "instance-suspended");
    engine.instance(case.id()).resume().await.unwrap();
    engine.complete(task, ()).await.unwrap();
    stop(&engine).await;
}

async fn a_cancelled_instance_has_no_open_tasks(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.instance(case.id()).cancel("ordered twice").await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 0);
    assert_eq!(engine.task(task).await.unwrap().state, TaskState::Cancelled);
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Cancelled);
    assert!(matches!(engine.complete(task, ()).await, Err(Error::UnknownTask(_))));
    stop(&engine).await;
}

async fn who_did_what_stands_in_the_history(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.as_user("vera").start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.as_user("anna").assign(task, "anna").await.unwrap_err();
    engine.assign(task, "anna").await.unwrap();
    engine.as_user("anna").complete(task, json!({"note": "fine"})).await.unwrap();
    let history = engine.instance(case.id()).history(0, 100).await.unwrap();
    let by: Vec<_> = history.iter().map(|entry| entry.envelope.by.as_deref()).collect();
    assert_eq!(by, [Some("vera"), None, Some("anna")]);
    let before = engine.instance(case.id()).at(2).await.unwrap();
    assert_eq!(before.variable("note"), None);
    let after = engine.instance(case.id()).at(3).await.unwrap();
    assert_eq!(after.variable("note"), Some(&"fine".into()));
    assert_eq!(case.initiator.as_deref(), Some("vera"));
    stop(&engine).await;
}

async fn a_task_has_variables_of_its_own(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").variables(json!({"amount": 12, "note": "outer"})).send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    assert_eq!(engine.local_task_variables(task).await.unwrap(), []);
    engine.set_local_task_variables(task, json!({"note": "draft", "ticked": [1]})).await.unwrap();
    let names = |variables: Vec<(potok::Name, Value)>| {
        variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(engine.local_task_variables(task).await.unwrap()), "note=draft ticked=[1]");
    assert_eq!(names(engine.task_variables(task).await.unwrap()), "amount=12 note=draft ticked=[1]");
    engine.set_task_variables(task, json!({"note": "better", "amount": 13, "new": 1})).await.unwrap();
    assert_eq!(names(engine.local_task_variables(task).await.unwrap()), "note=better ticked=[1]");
    assert_eq!(names(engine.instance(case.id()).variables().await.unwrap()), "amount=13 new=1 note=outer");
    let large =
        VariableFilter { name: "note".into(), comparison: Comparison::Equal(VariableValue::Text("outer".into())) };
    assert_eq!(engine.tasks().variable(large).count().await.unwrap(), 1);

    engine.complete(task, json!({"note": "best", "approved": true})).await.unwrap();
    assert_eq!(engine.local_task_variables(task).await.unwrap_err().code(), "task-unknown");
    assert_eq!(engine.set_local_task_variables(task, json!({"a": 1})).await.unwrap_err().code(), "task-unknown");
    let left = names(engine.instance(case.id()).variables().await.unwrap());
    assert_eq!(left, "amount=13 approved=true new=1 note=best", "what the task gives is no draft");
    // Erased by its name wherever it was.
    engine.instance(case.id()).cancel("enough").await.unwrap();
    let query = potok::query::InstanceQuery::default();
    assert_eq!(engine.erase_variable(&query, "note").await.unwrap(), 1);
    let before = engine.instance(case.id()).at(2).await.unwrap();
    assert!(before.scopes().all(|(_, scope)| scope.variable("note").is_none_or(Value::is_null)));
    stop(&engine).await;
}

async fn a_users_own_task_has_variables(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.assign(task, "anna").await.unwrap();
    let (anna, boris) = (engine.as_user("anna"), engine.as_user("boris"));
    assert_eq!(boris.set_local_task_variables(task, json!({"a": 1})).await.unwrap_err().code(), "task-unknown");
    assert_eq!(boris.set_task_variables(task, json!({"a": 1})).await.unwrap_err().code(), "task-unknown");
    anna.set_local_task_variables(task, json!({"a": 1})).await.unwrap();
    let history = engine.instance(case.id()).history(0, 100).await.unwrap();
    assert_eq!(history.last().unwrap().envelope.by.as_deref(), Some("anna"));
    engine.instance(case.id()).suspend().await.unwrap();
    let refused = engine.set_local_task_variables(task, json!({"a": 2})).await.unwrap_err();
    assert_eq!(refused.code(), "instance-suspended");
    stop(&engine).await;
}

async fn what_would_get_stuck_is_not_done(place: Place) {
    let model = row(
        "order",
        r#"
        <startEvent id="start"/>
        <userTask id="check"/>
        <businessRuleTask id="rate" potok:decision="missing" potok:resultVariable="rate"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("order.bpmn", &model)]).await;
    let careful = engine.without_incidents();
    let case = careful.start("order").send().await.unwrap();
    let task = careful.tasks().list().await.unwrap().remove(0);
    let stuck = careful.complete(task.id(), json!({"done": true})).await.unwrap_err();
    assert_eq!(stuck.code(), "stuck", "{stuck}");
    assert!(stuck.to_string().contains("`rate`"), "{stuck}");
    assert_eq!(careful.tasks().count().await.unwrap(), 1);
    assert_eq!(engine.instance(case.id()).variable("done").await.unwrap(), None);
    let elsewhere = engine.start("order").before(["rate"]).send().await.unwrap();
    assert_eq!(careful.start("order").before(["rate"]).send().await.unwrap_err().code(), "stuck");
    assert_eq!(engine.instances(&InstanceQuery::default()).await.unwrap().len(), 2);
    engine.complete(task.id(), ()).await.unwrap();
    let open = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    let incidents = engine.incidents(&open).await.unwrap();
    assert_eq!(incidents.len(), 2);
    let incident = incidents.iter().find(|incident| incident.instance == elsewhere.key).unwrap();
    assert_eq!(careful.resolve_incident(IncidentId(incident.key)).await.unwrap_err().code(), "stuck");
    assert_eq!(engine.incidents(&open).await.unwrap().len(), 2, "it is the same incident still");
    stop(&engine).await;
}

async fn variables_are_changed_where_they_stand(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").variables(json!({"amount": 12, "note": "x"})).send().await.unwrap();
    let task = engine.tasks().list().await.unwrap().remove(0);
    let (case, from) = (engine.instance(case.id()), Viewpoint::Wait(task.key));
    let names = |variables: Vec<(potok::Name, Value)>| {
        variables.into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ")
    };
    case.change_variables_from(from, true, json!({"draft": "Dear Anna"}), ["note".into()]).await.unwrap();
    assert_eq!(names(case.variables_from(from, false).await.unwrap()), "amount draft note");
    assert_eq!(names(case.variables_from(from, true).await.unwrap()), "draft");
    case.change_variables_from(from, false, json!({"amount": 13, "draft": "", "new": 1}), ["note".into()])
        .await
        .unwrap();
    assert_eq!(names(case.variables().await.unwrap()), "amount new");
    assert_eq!(case.variable("amount").await.unwrap(), Some(Value::Integer(13)));
    let found = engine.tasks().variable(VariableFilter {
        name: "note".into(),
        comparison: Comparison::Equal(VariableValue::Text("x".into())),
    });
    assert_eq!(found.count().await.unwrap(), 0, "what is removed is not found");
    case.change_variables_from(from, true, json!({"amount": 1}), ["draft".into()]).await.unwrap();
    assert_eq!(names(case.variables_from(from, true).await.unwrap()), "amount");
    assert_eq!(case.variable("amount").await.unwrap(), Some(Value::Integer(13)), "it is hidden");
    case.change_variables_from(Viewpoint::Process, true, (), ["new".into(), "nothing".into()]).await.unwrap();
    assert_eq!(names(case.variables().await.unwrap()), "amount");
    let changed = async || engine.task(task.id()).await.unwrap().changed;
    engine.change_task_variables(task.id(), false, json!({"amount": 14}), []).await.unwrap();
    engine.change_task_variables(task.id(), true, (), ["nothing".into()]).await.unwrap();
    assert_eq!(changed().await, None, "the process's variables are no part of the task");
    engine
        .change_task_variables(task.id(), true, json!({"draft": "Dear Anna", "note": 1}), ["note".into()])
        .await
        .unwrap();
    assert_eq!(names(engine.local_task_variables(task.id()).await.unwrap()), "amount draft");
    assert!(changed().await.is_some(), "those of its own are");
    let elsewhere = Viewpoint::Wait(potok_core::instance::Key(1));
    assert!(case.variables_from(elsewhere, true).await.is_err());
    stop(&engine).await;
}

/// Somebody completes a task that leads to a call, and hangs up at each moment of it in turn.
async fn who_goes_in_the_middle_leaves_nothing_half_done_in_memory(place: Place) {
    let order = row(
        "order",
        r#"<startEvent id="s"/>
        <userTask id="check"/>
        <callActivity id="pack" calledElement="packing"/>
        <endEvent id="e"/>"#,
    );
    let packing = row(
        "packing",
        r#"<startEvent id="s"/>
        <endEvent id="e"/>"#,
    );
    let engine = place.with(&[("order.bpmn", &order), ("packing.bpmn", &packing)]).await;
    for polls in 0..40 {
        let case = engine.start("order").send().await.unwrap();
        let open = || engine.tasks().instance(case.id()).list();
        let task = open().await.unwrap()[0].id();
        let mut completing = Box::pin(engine.complete(task, ()));
        for _ in 0..polls {
            let poll = |context: &mut Context<'_>| Poll::Ready(completing.as_mut().poll(context).is_ready());
            if std::future::poll_fn(poll).await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(completing);
        let left = open().await.unwrap();
        let completed = engine.complete(task, ()).await;
        assert!(completed.is_err() || !left.is_empty(), "after {polls} polls the task is open and not found");
        let case = engine.instance(case.id());
        let ended = tokio::time::timeout(Duration::from_secs(60), case.ended());
        assert_eq!(ended.await.unwrap().unwrap().state, InstanceState::Completed, "after {polls} polls: {completed:?}");
    }
    stop(&engine).await;
}

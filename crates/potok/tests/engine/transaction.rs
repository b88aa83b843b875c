//! The program's own transaction.

use potok::Delivery;
use potok::row::InstanceState;
use serde_json::json;

use crate::database::{Place, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    what_is_done_in_it_is_durable_together,
    what_is_undone_never_was,
    instances_in_memory_follow_it,
    a_message_from_within_finds_who_waits_outside,
);

async fn what_is_done_in_it_is_durable_together(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let transaction = engine.transaction().await.unwrap();
    if !matches!(place, Place::Memory(_)) {
        let mut connection = transaction.connection().await.unwrap();
        let sql = "CREATE TABLE orders (number INTEGER); INSERT INTO orders VALUES (17)";
        match connection.sqlite() {
            Some(sqlite) => drop(potok::sqlx::raw_sql(sql).execute(sqlite).await.unwrap()),
            None => drop(potok::sqlx::raw_sql(sql).execute(connection.postgres().unwrap()).await.unwrap()),
        }
    }
    let case = transaction.engine().start("approval").business_key("17").send().await.unwrap();
    let task = transaction.engine().tasks().list().await.unwrap()[0].id();
    transaction.engine().complete(task, json!({"approved": true})).await.unwrap();
    transaction.commit().await.unwrap();
    let pay = engine.tasks().instance(case.id()).list().await.unwrap();
    assert_eq!(&*pay[0].node, "pay");
    engine.complete(pay[0].id(), ()).await.unwrap();
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    if !matches!(place, Place::Memory(_)) {
        let again = engine.transaction().await.unwrap();
        let mut connection = again.connection().await.unwrap();
        let sql = "SELECT CAST(count(*) AS BIGINT) FROM orders";
        let count: i64 = match connection.sqlite() {
            Some(sqlite) => potok::sqlx::query_scalar(sql).fetch_one(sqlite).await.unwrap(),
            None => potok::sqlx::query_scalar(sql).fetch_one(connection.postgres().unwrap()).await.unwrap(),
        };
        assert_eq!(count, 1);
    }
    stop(&engine).await;
}

async fn what_is_undone_never_was(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let transaction = engine.transaction().await.unwrap();
    transaction.engine().complete(task, ()).await.unwrap();
    let gone = transaction.engine().start("approval").send().await.unwrap();
    assert_eq!(transaction.engine().tasks().count().await.unwrap(), 2);
    drop(transaction);
    assert_eq!(engine.instance(gone.id()).get().await.unwrap_err().code(), "instance-unknown");
    assert_eq!(engine.tasks().instance(case.id()).list().await.unwrap()[0].id(), task);
    engine.complete(task, ()).await.unwrap();
    stop(&engine).await;
}

async fn instances_in_memory_follow_it(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let transaction = engine.transaction().await.unwrap();
    transaction.engine().complete(task, json!({"note": "within"})).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(engine.complete(task, ()).await.unwrap_err().code(), "task-unknown");
    assert_eq!(engine.instance(case.id()).variable("note").await.unwrap(), Some("within".into()));
    let pay = engine.tasks().list().await.unwrap()[0].id();
    engine.complete(pay, ()).await.unwrap();
    stop(&engine).await;
}

async fn a_message_from_within_finds_who_waits_outside(place: Place) {
    let model = row(
        "order",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="paid"><messageEventDefinition messageRef="payment"/></intermediateCatchEvent>
        <userTask id="ship"/>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<message id="payment" name="payment"/><process"#);
    let engine = place.with(&[("order.bpmn", &model)]).await;
    let case = engine.start("order").send().await.unwrap();
    let transaction = engine.transaction().await.unwrap();
    let sent = transaction.engine().message("payment").send().await.unwrap();
    assert_eq!(sent, Delivery::Delivered(case.id()));
    transaction.commit().await.unwrap();
    assert_eq!(engine.tasks().node("ship").count().await.unwrap(), 1);
    stop(&engine).await;
}

//! The program's own transaction.

use potok::row::InstanceState;
use potok::{Delivery, Engine, InstanceId};
use serde_json::json;

use crate::database::{Place, deploy, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    what_is_done_in_it_is_durable_together,
    what_is_undone_never_was,
    instances_in_memory_follow_it,
    a_message_from_within_finds_who_waits_outside,
    what_is_deployed_in_it_is_its_own_until_it_is_durable,
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

async fn what_is_deployed_in_it_is_its_own_until_it_is_durable(place: Place) {
    const MONDAY: &str = r#"working hours between(@"2026-01-05T00:00:00", @"2026-01-06T00:00:00")"#;
    let calendar = |hours: &str| format!("name: office\nzone: Europe/Volgograd\nweek:\n  monday: [\"{hours}\"]\n");
    let decision = |and: u32| {
        format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Hours" namespace="shop">
            <decision id="hours" name="Hours"><literalExpression><text>{MONDAY} + {and}</text></literalExpression></decision></definitions>"#
        )
    };
    let model = row(
        "count",
        &format!(
            r#"
        <startEvent id="start"/>
        <userTask id="wait"/>
        <scriptTask id="open" scriptFormat="feel" potok:resultVariable="open"><script>{MONDAY}</script></scriptTask>
        <businessRuleTask id="decide" potok:decision="hours" potok:resultVariable="hours"/>
        <userTask id="look"/>
        <endEvent id="end"/>"#
        ),
    );
    let engine = place
        .with(&[("count.bpmn", &model), ("hours.dmn", &decision(0)), ("calendar.yaml", &calendar("09:00-18:00"))])
        .await;
    let start = async |engine: &Engine| engine.start("count").send().await.unwrap().id();
    // What an instance counts, in which the script and the decision are evaluated now.
    let counts = async |engine: &Engine, case: InstanceId| {
        let task = engine.tasks().instance(case).list().await.unwrap().remove(0);
        engine.complete(task.id(), ()).await.unwrap();
        let number = async |name: &str| {
            engine.instance(case).variable(name).await.unwrap().and_then(|value| value.as_f64()).unwrap_or(-1.0)
        };
        (number("open").await, number("hours").await)
    };
    let asked = async |engine: &Engine| {
        engine.decide("", &"hours".parse().unwrap(), ()).await.unwrap().as_f64().unwrap_or(-1.0)
    };
    let cases = [start(&engine).await, start(&engine).await, start(&engine).await, start(&engine).await];
    assert_eq!((asked(&engine).await, counts(&engine, cases[0]).await), (9.0, (9.0, 9.0)));

    let undone = engine.transaction().await.unwrap();
    let within = undone.engine();
    deploy(within, &[("hours.dmn", &decision(1))]).await;
    assert_eq!((asked(within).await, counts(within, cases[1]).await), (10.0, (9.0, 10.0)));
    deploy(within, &[("calendar.yaml", &calendar("10:00-12:00"))]).await;
    assert_eq!((asked(within).await, counts(within, cases[2]).await), (3.0, (2.0, 3.0)));
    drop(undone);
    assert_eq!((asked(&engine).await, counts(&engine, cases[1]).await), (9.0, (9.0, 9.0)));

    let done = engine.transaction().await.unwrap();
    // It is in the transaction's memory when the calendar comes.
    let within = start(done.engine()).await;
    deploy(done.engine(), &[("hours.dmn", &decision(2)), ("calendar.yaml", &calendar("10:00-14:00"))]).await;
    assert_eq!(counts(done.engine(), within).await, (4.0, 6.0));
    done.commit().await.unwrap();
    // What is in memory already first: nothing else looks up what is new.
    assert_eq!((counts(&engine, cases[2]).await, asked(&engine).await), ((4.0, 6.0), 6.0));
    let next = engine.transaction().await.unwrap();
    assert_eq!((asked(next.engine()).await, counts(next.engine(), cases[3]).await), (6.0, (4.0, 6.0)));
    next.commit().await.unwrap();
    stop(&engine).await;
}

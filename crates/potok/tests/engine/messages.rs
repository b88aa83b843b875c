//! Messages and signals.

use potok::query::MessageQuery;
use potok::{DefinitionId, Delivery, Error, Receiver, Viewpoint};
use serde_json::json;

use crate::database::{Place, deploy, stop};
use crate::model::{file, process, row};

crate::on_every_database!(
    a_message_finds_the_one_that_waits,
    a_message_that_nobody_waits_for_is_kept,
    one_instance_takes_what_was_kept_one_after_the_other,
    instances_that_answer_each_other_without_end_are_stopped,
    a_message_starts_a_process,
    two_messages_of_one_moment_start_a_process_together,
    a_message_id_is_delivered_once,
    of_many_messages_at_once_one_is_delivered_and_the_others_are_kept,
    pools_send_each_other_messages,
    each_message_flow_carries_its_own_message,
    a_message_flow_leads_to_the_very_wait,
    a_signal_reaches_all,
    a_suspended_process_is_started_by_nothing,
    a_signal_that_many_listen_to_reaches_callers_first_and_each_once,
    messages_that_are_thrown_at_once_are_delivered_or_kept,
    a_message_that_must_find_somebody_is_never_kept,
    one_subscription_is_given_its_message,
);

fn waiting() -> String {
    row(
        "order",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="paid"><messageEventDefinition messageRef="payment"/></intermediateCatchEvent>
        <userTask id="ship"/>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<message id="payment" name="payment"/><process"#)
}

async fn a_message_finds_the_one_that_waits(place: Place) {
    let engine = place.with(&[("order.bpmn", &waiting())]).await;
    let first = engine.start("order").business_key("A").send().await.unwrap();
    let second = engine.start("order").business_key("B").variables(json!({"no": 2})).send().await.unwrap();
    assert!(matches!(engine.message("payment").send().await, Err(Error::Ambiguous(2))));
    let delivered = engine.message("payment").business_key("A").variables(json!({"sum": 3})).send().await.unwrap();
    assert_eq!(delivered, Delivery::Delivered(first.id()));
    assert_eq!(engine.instance(first.id()).variable("sum").await.unwrap(), Some(3.into()));
    let delivered = engine.message("payment").where_variable("no", 2).send().await.unwrap();
    assert_eq!(delivered, Delivery::Delivered(second.id()));
    assert_eq!(engine.tasks().node("ship").count().await.unwrap(), 2);
    stop(&engine).await;
}

async fn a_message_that_nobody_waits_for_is_kept(place: Place) {
    let engine = place.with(&[("order.bpmn", &waiting())]).await;
    let sent = engine.message("payment").business_key("A").variables(json!({"sum": 3})).send().await.unwrap();
    assert_eq!(sent, Delivery::Kept);
    let other = engine.start("order").business_key("B").send().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 0);
    let case = engine.start("order").business_key("A").send().await.unwrap();
    let task = engine.tasks().node("ship").list().await.unwrap();
    assert_eq!((task.len(), task[0].instance_id()), (1, case.id()), "not {}", other.id());
    assert_eq!(engine.instance(case.id()).variable("sum").await.unwrap(), Some(3.into()));
    engine.start("order").business_key("A").send().await.unwrap();
    assert_eq!(engine.tasks().node("ship").count().await.unwrap(), 1, "it was taken once");
    stop(&engine).await;
}

async fn one_instance_takes_what_was_kept_one_after_the_other(place: Place) {
    let model = file(
        r#"<message id="letter" name="letter"/><process id="reader" isExecutable="true">
        <startEvent id="start"/>
        <intermediateCatchEvent id="read"><messageEventDefinition messageRef="letter"/></intermediateCatchEvent>
        <sequenceFlow id="f1" sourceRef="start" targetRef="read"/><sequenceFlow id="f2" sourceRef="read" targetRef="read"/>
        </process>"#,
    );
    let engine = place.with(&[("reader.bpmn", &model)]).await;
    for number in 0..300 {
        let sent = engine.message("letter").variables(json!({"number": number})).send().await.unwrap();
        assert_eq!(sent, Delivery::Kept);
    }
    let case = engine.start("reader").send().await.unwrap();
    let read = engine.instance(case.id()).variable("number").await.unwrap();
    assert!(read.is_some_and(|read| read != 299.into()), "what takes long is left for later");
    engine.execute_due().await.unwrap();
    assert_eq!(engine.instance(case.id()).variable("number").await.unwrap(), Some(299.into()));
    stop(&engine).await;
}

async fn instances_that_answer_each_other_without_end_are_stopped(place: Place) {
    let model = |own: &str, other: &str, begins: &str| {
        format!(
            r#"<message id="{own}" name="{own}"/><process id="{own}er" isExecutable="true">
            <startEvent id="{own}_start">{begins}</startEvent>
            <intermediateThrowEvent id="{own}_throw"><messageEventDefinition messageRef="{own}"/></intermediateThrowEvent>
            <intermediateCatchEvent id="{own}_catch"><messageEventDefinition messageRef="{other}"/></intermediateCatchEvent>
            <sequenceFlow id="{own}_1" sourceRef="{own}_start" targetRef="{own}_throw"/>
            <sequenceFlow id="{own}_2" sourceRef="{own}_throw" targetRef="{own}_catch"/>
            <sequenceFlow id="{own}_3" sourceRef="{own}_catch" targetRef="{own}_throw"/></process>"#
        )
    };
    let asked = r#"<messageEventDefinition messageRef="ping"/>"#;
    let both = file(&[model("ping", "pong", ""), model("pong", "ping", asked)].concat());
    let engine = place.with(&[("both.bpmn", &both)]).await;
    let case = engine.start("pinger").send().await.unwrap();
    assert!(case.is_active());
    engine.execute_due().await.unwrap();
    assert_eq!(engine.instances(&Default::default()).await.unwrap().len(), 2);
    stop(&engine).await;
}

async fn of_many_messages_at_once_one_is_delivered_and_the_others_are_kept(place: Place) {
    let engine = place.with(&[("order.bpmn", &waiting())]).await;
    for round in 0..10 {
        let case = engine.start("order").business_key(format!("{round}")).send().await.unwrap();
        let senders: Vec<_> = (0..8)
            .map(|_| {
                let engine = engine.clone();
                tokio::spawn(async move { engine.message("payment").business_key(format!("{round}")).send().await })
            })
            .collect();
        let mut delivered = 0;
        for sender in senders {
            match sender.await.unwrap().unwrap() {
                Delivery::Kept => {}
                other => {
                    assert_eq!(other, Delivery::Delivered(case.id()));
                    delivered += 1;
                }
            }
        }
        assert_eq!(delivered, 1, "round {round}");
    }
    stop(&engine).await;
}

fn started_by_message() -> String {
    row(
        "claim",
        r#"
        <startEvent id="reported"><messageEventDefinition messageRef="damage"/></startEvent>
        <userTask id="inspect"/>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<message id="damage" name="damage"/><process"#)
}

async fn a_message_starts_a_process(place: Place) {
    let engine = place.with(&[("claim.bpmn", &started_by_message())]).await;
    let started = engine.message("damage").business_key("D-1").variables(json!({"car": "Lada"})).send().await.unwrap();
    let Delivery::Started(case) = started else { panic!("{started:?}") };
    let instance = engine.instance(case).get().await.unwrap();
    assert_eq!((instance.business_key.as_deref(), &*instance.process), (Some("D-1"), "claim"));
    // Only the newest version is started.
    deploy(&engine, &[("claim.bpmn", &started_by_message().replace("inspect", "look"))]).await;
    engine.message("damage").send().await.unwrap();
    assert_eq!(engine.tasks().node("look").count().await.unwrap(), 1);
    assert_eq!(engine.tasks().node("inspect").count().await.unwrap(), 1);
    stop(&engine).await;
}

async fn two_messages_of_one_moment_start_a_process_together(place: Place) {
    let model = file(
        r#"<message id="a" name="order"/><message id="b" name="payment"/><process id="shop" isExecutable="true">
        <startEvent id="start" parallelMultiple="true"><messageEventDefinition messageRef="a"/>
          <messageEventDefinition messageRef="b"/></startEvent><userTask id="send"/>
        <sequenceFlow id="f" sourceRef="start" targetRef="send"/></process>"#,
    );
    let engine = place.with(&[("shop.bpmn", &model)]).await;
    for number in 1..=20 {
        let send = async |name: &str| engine.message(name).variables(json!({name: number})).send().await.unwrap();
        let (order, payment) = tokio::join!(send("order"), send("payment"));
        assert!(order == Delivery::Noted || payment == Delivery::Noted, "{order:?} {payment:?}");
        engine.execute_due().await.unwrap();
        let shipped = engine.tasks().node("send").list().await.unwrap();
        assert_eq!(shipped.len(), number);
        let case = engine.instance(shipped[0].instance_id());
        assert!(case.variable("order").await.unwrap().is_some() && case.variable("payment").await.unwrap().is_some());
    }
    stop(&engine).await;
}

async fn a_message_id_is_delivered_once(place: Place) {
    let engine = place.with(&[("claim.bpmn", &started_by_message())]).await;
    engine.message("damage").id("m-1").send().await.unwrap();
    let again = engine.message("damage").id("m-1").send().await.unwrap_err();
    assert_eq!(again.code(), "message-repeated");
    engine.message("damage").id("m-2").send().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 2);
    stop(&engine).await;
}

async fn pools_send_each_other_messages(place: Place) {
    let model = file(&format!(
        r#"<message id="asked" name="asked"/><message id="answered" name="answered"/>
        <collaboration id="c"><participant id="client" processRef="client_process"/><participant id="shop" processRef="shop_process"/>
        <messageFlow id="m1" sourceRef="ask" targetRef="asked_start"/><messageFlow id="m2" sourceRef="answer" targetRef="hear"/></collaboration>
        {}{}"#,
        process(
            "client_process",
            r#"
            <startEvent id="start"/>
            <intermediateThrowEvent id="ask"><messageEventDefinition messageRef="asked"/></intermediateThrowEvent>
            <intermediateCatchEvent id="hear"><messageEventDefinition messageRef="answered"/></intermediateCatchEvent>
            <userTask id="thank"/>
            <endEvent id="end"/>"#
        ),
        process(
            "shop_process",
            r#"
            <startEvent id="asked_start"><messageEventDefinition messageRef="asked"/></startEvent>
            <userTask id="think"/>
            <intermediateThrowEvent id="answer"><messageEventDefinition messageRef="answered"/></intermediateThrowEvent>
            <endEvent id="shop_end"/>"#
        ),
    ));
    let engine = place.with(&[("talk.bpmn", &model)]).await;
    let one = engine.start("client_process").send().await.unwrap();
    let two = engine.start("client_process").send().await.unwrap();
    let think = engine.tasks().node("think").list().await.unwrap();
    assert_eq!(think.len(), 2);
    for task in think.into_iter().rev() {
        engine.complete(task.id(), ()).await.unwrap();
    }
    let mut thanks: Vec<_> =
        engine.tasks().node("thank").list().await.unwrap().iter().map(|task| task.instance_id()).collect();
    thanks.sort_unstable();
    assert_eq!(thanks, [one.id(), two.id()], "each answer goes to whoever asked");
    stop(&engine).await;
}

async fn each_message_flow_carries_its_own_message(place: Place) {
    let model = file(&format!(
        r#"<message id="order" name="order"/><message id="notice" name="notice"/><message id="report" name="report"/>
        <collaboration id="c"><participant id="client" processRef="client_process"/><participant id="shop" processRef="shop_process"/>
        <participant id="store" processRef="store_process"/><participant id="press"/>
        <messageFlow id="m1" sourceRef="tell" targetRef="ordered"/><messageFlow id="m2" sourceRef="tell" targetRef="notified"/>
        <messageFlow id="m3" sourceRef="tell" targetRef="press"/><messageFlow id="m4" sourceRef="ask" targetRef="ordered"/>
        <messageFlow id="m5" sourceRef="ask" targetRef="store"/></collaboration>
        {}{}{}"#,
        process(
            "client_process",
            r#"
            <startEvent id="start"/>
            <intermediateThrowEvent id="tell"><messageEventDefinition messageRef="notice"/><messageEventDefinition messageRef="report"/><messageEventDefinition messageRef="order"/></intermediateThrowEvent>
            <userTask id="think"/>
            <sendTask id="ask" messageRef="order"/>
            <endEvent id="end"/>"#
        ),
        process(
            "shop_process",
            r#"
            <startEvent id="ordered"><messageEventDefinition messageRef="order"/></startEvent>
            <userTask id="sell"/>
            <endEvent id="sold"/>"#
        ),
        process(
            "store_process",
            r#"
            <startEvent id="notified"><messageEventDefinition messageRef="notice"/></startEvent>
            <receiveTask id="expect" messageRef="order"/>
            <userTask id="pack"/>
            <endEvent id="packed"/>"#
        ),
    ));
    let engine = place.with(&[("flows.bpmn", &model)]).await;
    engine.start("client_process").send().await.unwrap();
    let open = async |node: &str| engine.tasks().node(node).count().await.unwrap();
    assert_eq!((open("sell").await, open("pack").await), (1, 0), "the order starts the shop, the notice the store");
    let think = engine.tasks().node("think").list().await.unwrap();
    engine.complete(think[0].id(), ()).await.unwrap();
    assert_eq!((open("sell").await, open("pack").await), (2, 1), "the order goes along both flows");
    assert_eq!(engine.store().list(&MessageQuery::default()).await.unwrap().rows, [], "nothing is kept");
    stop(&engine).await;
}

async fn a_message_flow_leads_to_the_very_wait(place: Place) {
    let shop = process(
        "shop_process",
        r#"
        <startEvent id="begin"/>
        <userTask id="prepare"/>
        <parallelGateway id="fork"/>
        <intermediateCatchEvent id="overheard"><messageEventDefinition messageRef="news"/></intermediateCatchEvent>
        <endEvent id="end"/>"#,
    );
    let beside = r#"<intermediateCatchEvent id="expected"><messageEventDefinition messageRef="news"/></intermediateCatchEvent>
        <sequenceFlow id="to_expected" sourceRef="fork" targetRef="expected"/><userTask id="read"/>
        <sequenceFlow id="to_read" sourceRef="expected" targetRef="read"/></process>"#;
    let shop = shop.replace("</process>", beside);
    let press = process(
        "press_process",
        r#"
        <startEvent id="start"/>
        <sendTask id="tell" messageRef="news"/>
        <endEvent id="told"/>"#,
    );
    let model = file(&format!(
        r#"<message id="news" name="news"/><collaboration id="c"><participant id="press" processRef="press_process"/>
        <participant id="shop" processRef="shop_process"/><messageFlow id="m" sourceRef="tell" targetRef="expected"/></collaboration>
        {press}{shop}"#
    ));
    let engine = place.with(&[("news.bpmn", &model)]).await;
    let prepare = async || {
        let task = &engine.tasks().node("prepare").list().await.unwrap()[0];
        engine.complete(task.id(), ()).await.unwrap();
        task.instance_id()
    };
    let readers = async || {
        let tasks = engine.tasks().node("read").list().await.unwrap();
        tasks.iter().map(|task| task.instance_id()).collect::<Vec<_>>()
    };
    let tell = async || engine.start("press_process").send().await.unwrap();
    // Kept before anybody waits.
    engine.start("shop_process").send().await.unwrap();
    tell().await;
    let first = prepare().await;
    assert_eq!(readers().await, [first]);
    // Of two instances that wait, the one that waits where the flow leads.
    engine.start("shop_process").send().await.unwrap();
    let second = prepare().await;
    tell().await;
    assert_eq!(readers().await, [first, second]);
    // Two are kept: where the flow leads takes the first, what waits by its name the other.
    engine.instance(first).cancel("read").await.unwrap();
    engine.instance(second).cancel("read").await.unwrap();
    let third = engine.start("shop_process").send().await.unwrap();
    tell().await;
    tell().await;
    prepare().await;
    assert_eq!(readers().await, [third.id()]);
    assert_eq!(engine.store().list(&MessageQuery::default()).await.unwrap().rows, [], "nothing is kept any more");
    stop(&engine).await;
}

async fn a_signal_reaches_all(place: Place) {
    let listener = row(
        "listener",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="heard"><signalEventDefinition signalRef="alarm"/></intermediateCatchEvent>
        <userTask id="leave"/>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<signal id="alarm" name="alarm"/><process"#);
    let starter = row(
        "starter",
        r#"
        <startEvent id="begun"><signalEventDefinition signalRef="alarm"/></startEvent>
        <userTask id="look"/>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<signal id="alarm" name="alarm"/><process"#);
    let engine = place.with(&[("listener.bpmn", &listener), ("starter.bpmn", &starter)]).await;
    for _ in 0..5 {
        engine.start("listener").send().await.unwrap();
    }
    engine.signal("alarm", json!({"floor": 3})).await.unwrap();
    assert_eq!(engine.tasks().node("leave").count().await.unwrap(), 5);
    assert_eq!(engine.tasks().node("look").count().await.unwrap(), 1);
    engine.signal("alarm", ()).await.unwrap();
    assert_eq!(engine.tasks().node("leave").count().await.unwrap(), 5);
    assert_eq!(engine.execute_due().await.unwrap(), 0, "nothing is left over");
    stop(&engine).await;
}

async fn a_suspended_process_is_started_by_nothing(place: Place) {
    let engine = place.by_hand().await;
    let model = started_by_message().replace(
        "<startEvent id=\"reported\">",
        "<startEvent id=\"heard\"><signalEventDefinition signalRef=\"alarm\"/></startEvent>
        <sequenceFlow id=\"f\" sourceRef=\"heard\" targetRef=\"inspect\"/><startEvent id=\"reported\">",
    );
    let model = model.replace("<process", "<signal id=\"alarm\" name=\"alarm\"/><process");
    let deployed = deploy(&engine, &[("claim.bpmn", &model)]).await;
    let claim = DefinitionId(deployed.definition("claim").unwrap().key);
    engine.message("damage").send().await.unwrap();
    engine.correlate("damage").send().await.unwrap();
    engine.signal("alarm", ()).await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 3);
    engine.suspend_definition(claim).await.unwrap();
    assert_eq!(engine.message("damage").send().await.unwrap(), Delivery::Kept);
    assert_eq!(engine.correlate("damage").send().await.unwrap_err().code(), "message-unexpected");
    engine.signal("alarm", ()).await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 3);
    stop(&engine).await;
}

async fn a_signal_that_many_listen_to_reaches_callers_first_and_each_once(place: Place) {
    const MANY: usize = 120;
    let hears = |node: &str| {
        format!(
            r#"<subProcess id="{node}_when" triggeredByEvent="true">
            <startEvent id="{node}_heard" isInterrupting="false"><signalEventDefinition signalRef="alarm"/></startEvent>
            <userTask id="{node}"/>
            <sequenceFlow id="{node}_told" sourceRef="{node}_heard" targetRef="{node}"/></subProcess>"#
        )
    };
    let listener = process(
        "listener",
        r#"
        <startEvent id="start"/>
        <userTask id="stay"/>"#,
    );
    let caller = process(
        "caller",
        r#"
        <startEvent id="begun"/>
        <callActivity id="call" calledElement="middle"/>
        <userTask id="go_on"/>"#,
    );
    let boundary = r#"<boundaryEvent id="broken_off" attachedToRef="call"><signalEventDefinition signalRef="alarm"/></boundaryEvent>
        <userTask id="flee"/><sequenceFlow id="fled" sourceRef="broken_off" targetRef="flee"/>"#;
    let caller = caller.replace("</process>", &format!("{boundary}</process>"));
    let middle = process(
        "middle",
        r#"
        <startEvent id="asked"/>
        <callActivity id="inner" calledElement="called"/>
        <endEvent id="answered"/>"#,
    );
    let called = process(
        "called",
        r#"
        <startEvent id="called_start"/>
        <userTask id="look"/>
        <endEvent id="shout"><signalEventDefinition signalRef="alarm"/></endEvent>"#,
    );
    let with = |process: &str, node: &str| process.replace("</process>", &format!("{}</process>", hears(node)));
    let model = [
        r#"<signal id="alarm" name="alarm"/>"#.to_owned(),
        with(&listener, "leave"),
        with(&caller, "note"),
        middle,
        called,
    ];
    let engine = place.with(&[("alarm.bpmn", &file(&model.concat()))]).await;
    for _ in 0..MANY {
        engine.start("listener").send().await.unwrap();
    }
    let caller = engine.start("caller").send().await.unwrap();
    let look = engine.tasks().node("look").list().await.unwrap().remove(0);
    engine.complete(look.id(), ()).await.unwrap();
    let count = async |node: &str| engine.tasks().node(node).count().await.unwrap();
    assert_eq!((count("flee").await, count("go_on").await), (1, 0), "{:?}", caller.id());
    while engine.execute_due().await.unwrap() > 0 {}
    assert_eq!((count("leave").await, count("note").await), (MANY as u64, 1), "each hears it once");
    stop(&engine).await;
}

async fn messages_that_are_thrown_at_once_are_delivered_or_kept(place: Place) {
    const THROWN: usize = 40;
    let listener = process(
        "listener",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="told"><messageEventDefinition messageRef="news"/></intermediateCatchEvent>
        <userTask id="read"/>"#,
    );
    let thrower = process(
        "thrower",
        r#"
        <startEvent id="begun"/>
        <endEvent id="tell"><messageEventDefinition messageRef="news"/></endEvent>"#,
    );
    let model = [r#"<message id="news" name="news"/>"#, &listener, &thrower].concat();
    let engine = place.with(&[("news.bpmn", &file(&model))]).await;
    engine.start("listener").send().await.unwrap();
    let mut throwing = tokio::task::JoinSet::new();
    for _ in 0..THROWN {
        let engine = engine.clone();
        throwing.spawn(async move { engine.start("thrower").send().await.map(drop) });
    }
    while let Some(thrown) = throwing.join_next().await {
        thrown.unwrap().unwrap();
    }
    for _ in 1..THROWN {
        engine.start("listener").send().await.unwrap();
    }
    assert_eq!(engine.tasks().node("read").count().await.unwrap(), THROWN as u64, "none is lost");
    stop(&engine).await;
}

async fn a_message_that_must_find_somebody_is_never_kept(place: Place) {
    let begins = row(
        "invoice",
        r#"
        <startEvent id="billed"><messageEventDefinition messageRef="payment"/></startEvent>
        <userTask id="book"/>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<message id="payment" name="payment"/><process"#);
    let engine = place.with(&[("order.bpmn", &waiting())]).await;
    assert_eq!(engine.correlate("payment").send().await.unwrap_err().code(), "message-unexpected");
    assert!(engine.correlate("payment").send_to_all().await.unwrap().is_empty());
    let first = engine.start("order").business_key("A").variables(json!({"no": 1})).send().await.unwrap();
    let second = engine.start("order").business_key("B").variables(json!({"no": 2})).send().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 0, "nothing was kept");
    assert!(matches!(engine.correlate("payment").send().await, Err(Error::Ambiguous(2))));
    engine.instance(first.id()).suspend().await.unwrap();
    let only = engine.correlate("payment").where_variable("no", 1).send().await;
    assert_eq!(only.unwrap_err().code(), "message-unexpected", "a suspended instance does not receive");
    engine.instance(first.id()).resume().await.unwrap();
    for nobody in [
        engine.correlate("payment").business_key("C"),
        engine.correlate("payment").where_variable("no", "1"),
        engine.correlate("payment").where_own_variable("no", 2).business_key("A"),
        engine.correlate("payment").tenant("north"),
        engine.correlate("payment").starts(true),
        engine.correlate("other"),
    ] {
        assert_eq!(nobody.send().await.unwrap_err().code(), "message-unexpected");
    }
    let one = engine.correlate("payment").instance(second.id()).variables(json!({"sum": 3})).send().await.unwrap();
    assert_eq!(one, Receiver::Waiting { id: second.id(), tenant: None });
    assert_eq!(engine.instance(second.id()).variable("sum").await.unwrap(), Some(3.into()));

    let third = engine.start("order").business_key("E").send().await.unwrap();
    let carried = engine.correlate("payment").business_key("E").variables(json!({"sum": 3}));
    carried.local_variables(json!({"slip": 4})).send().await.unwrap();
    let variables = engine.instance(third.id()).variables().await.unwrap();
    assert_eq!(variables, [("sum".into(), 3.into())], "the event alone had the slip");

    deploy(&engine, &[("invoice.bpmn", &begins)]).await;
    let all = engine.correlate("payment").business_key("A").send_to_all().await.unwrap();
    assert!(matches!(all[..], [Receiver::Waiting { id, .. }, Receiver::Started(_)] if id == first.id()), "{all:?}");
    let started = engine.correlate("payment").business_key("D").send().await.unwrap();
    let row = engine.instance(started.instance_id()).get().await.unwrap();
    assert_eq!(started, Receiver::Started(row.clone()));
    assert_eq!((&*row.process, row.business_key.as_deref()), ("invoice", Some("D")));
    stop(&engine).await;
}

async fn one_subscription_is_given_its_message(place: Place) {
    let engine = place.with(&[("order.bpmn", &waiting())]).await;
    let case = engine.start("order").send().await.unwrap();
    let wait = engine.instance(case.id()).state().await.unwrap().waits().next().unwrap().key;
    let deliver = async |key, name| engine.deliver_message(case.id(), Viewpoint::Wait(key), name, ()).await;
    assert_eq!(deliver(wait, "other").await.unwrap_err().code(), "message-unexpected");
    assert_eq!(deliver(case.key, "payment").await.unwrap_err().code(), "message-unexpected");
    deliver(wait, "payment").await.unwrap();
    assert_eq!(deliver(wait, "payment").await.unwrap_err().code(), "message-unexpected");
    assert_eq!(engine.tasks().count().await.unwrap(), 1);
    stop(&engine).await;
}

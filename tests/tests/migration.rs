//! Migration: running instances go over to another version of their process.

use potok_tests::{Scenario, versions};
use serde_json::json;

/// A process whose flow nodes follow each other.
fn row(nodes: &[&str]) -> String {
    let id = |node: &str| node.split("id=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("").to_owned();
    let flows: String = nodes
        .windows(2)
        .map(|two| (id(two[0]), id(two[1])))
        .map(|(one, other)| format!(r#"<sequenceFlow id="{one}-{other}" sourceRef="{one}" targetRef="{other}"/>"#))
        .collect();
    format!(r#"<process id="p" isExecutable="true">{}{flows}</process>"#, nodes.concat())
}

const START: &str = r#"<startEvent id="start"/>"#;
const CHECK: &str = r#"<userTask id="check"/>"#;
const PAY: &str = r#"<userTask id="pay"/>"#;

fn two(one: &str, other: &str) -> Scenario {
    versions(&[one, other]).version(1)
}

#[test]
fn a_task_goes_on_in_the_new_version() {
    // In the new version everything has other numbers, and a task stands between the two.
    let new = row(&[START, CHECK, r#"<userTask id="between"/>"#, PAY]).replace(
        "<startEvent",
        r#"<subProcess id="new" triggeredByEvent="true"><startEvent id="never"><timerEventDefinition>
        <timeDuration>P9D</timeDuration></timerEventDefinition></startEvent></subProcess><startEvent"#,
    );
    let s = two(&row(&[START, CHECK, PAY]), &new).start_with(json!({"a": 1}));
    let key = s.key_of("check");
    let s = s.migrate(|plan| plan).waits_at(["check"]);
    assert_eq!(s.key_of("check"), key, "a task keeps its key");
    s.variable("a", 1).complete("check").waits_at(["between"]).complete("between").complete("pay").completed();
}

#[test]
fn a_task_becomes_another() {
    let new = row(&[START, r#"<userTask id="review"/>"#, PAY]);
    two(&row(&[START, CHECK, PAY]), &new)
        .start()
        .migration_problems(|plan| plan, &[("check", "migration-not-mapped")])
        .waits_at(["check"])
        .migrate(|plan| plan.map("check", "review"))
        .waits_at(["review"])
        .complete("review")
        .waits_at(["pay"])
        .trace("start check pay");
}

#[test]
fn all_that_is_wrong_with_a_plan_is_said() {
    let new = row(&[START, r#"<serviceTask id="check" potok:job="check"/>"#, PAY]);
    let s = two(&row(&[START, CHECK, PAY]), &new).start();
    s.migration_problems(
        |plan| plan.map("check", "check").map("nothing", "pay").map("start", "nowhere"),
        &[
            ("check", "migration-kind-differs"),
            ("nothing", "migration-source-unknown"),
            ("start", "migration-target-unknown"),
        ],
    )
    .migration_problems(|plan| plan, &[("check", "migration-not-mapped")]);
}

fn boundary(events: &str) -> String {
    format!(
        r#"<message id="m" name="m"/><process id="p" isExecutable="true"><startEvent id="start"/><userTask id="check"/>{events}
    <userTask id="late"/><userTask id="told"/><sequenceFlow id="a" sourceRef="start" targetRef="check"/></process>"#
    )
}

fn timer(time: &str) -> String {
    format!(
        r#"<boundaryEvent id="timer" attachedToRef="check"><timerEventDefinition><timeDuration>{time}</timeDuration>
    </timerEventDefinition></boundaryEvent><sequenceFlow id="t" sourceRef="timer" targetRef="late"/>"#
    )
}

const MESSAGE: &str = r#"<boundaryEvent id="message" attachedToRef="check" cancelActivity="false">
    <messageEventDefinition messageRef="m"/></boundaryEvent><sequenceFlow id="mf" sourceRef="message" targetRef="told"/>"#;

#[test]
fn boundary_events_come_and_go() {
    let s = two(&boundary(&timer("PT1H")), &boundary(MESSAGE)).start();
    let task = s.key_of("check");
    let s =
        s.migrate(|plan| plan).travel("PT2H").waits_at(["check"]).message("m", json!({})).waits_at(["check", "told"]);
    assert_eq!(s.key_of("check"), task);
    // A message that was kept is for whoever begins to wait.
    let s = two(&boundary(""), &boundary(MESSAGE)).start().early_message("m", json!({}));
    s.migrate(|plan| plan).waits_at(["check", "told"]);
}

#[test]
fn a_timer_stays_as_it_is_or_is_set_anew() {
    let s = two(&boundary(&timer("PT1H")), &boundary(&timer("PT3H"))).start().travel("PT30M");
    s.migrate(|plan| plan).travel("PT31M").waits_at(["late"]);
    let s = two(&boundary(&timer("PT1H")), &boundary(&timer("PT3H"))).start().travel("PT30M");
    let s = s.migrate(|plan| plan.update_event_triggers()).travel("PT179M").waits_at(["check"]);
    s.travel("PT1M").waits_at(["late"]);
    let s = two(&boundary(&timer("PT1H")), &boundary(&timer("=wait"))).start();
    // What cannot be computed is no incident: nothing is done.
    let s = s.migration_problems(|plan| plan.update_event_trigger("timer"), &[("timer", "migration-event-fails")]);
    s.travel("PT1H").waits_at(["late"]);
}

#[test]
fn an_event_that_has_occurred_is_not_waited_for_again() {
    let once =
        |time: &str| timer(time).replace(r#"attachedToRef="check""#, r#"attachedToRef="check" cancelActivity="false""#);
    let s = two(&boundary(&once("PT1H")), &boundary(&once("PT1H"))).start().travel("PT1H").waits_at(["check", "late"]);
    s.migrate(|plan| plan).travel("P1D").waits_at(["check", "late"]);
}

fn scope(inside: &str) -> String {
    format!(
        r#"<signal id="s" name="s"/><process id="p" isExecutable="true"><startEvent id="start"/>
    <subProcess id="sub"><startEvent id="begin"/><userTask id="check"/>{inside}
      <sequenceFlow id="b" sourceRef="begin" targetRef="check"/></subProcess>
    <userTask id="after"/><sequenceFlow id="a" sourceRef="start" targetRef="sub"/>
    <sequenceFlow id="c" sourceRef="sub" targetRef="after"/></process>"#
    )
}

const ON_SIGNAL: &str = r#"<subProcess id="on-signal" triggeredByEvent="true"><startEvent id="signal">
    <signalEventDefinition signalRef="s"/></startEvent><userTask id="handle"/>
    <sequenceFlow id="h" sourceRef="signal" targetRef="handle"/></subProcess>"#;

#[test]
fn event_sub_processes_come_and_go() {
    let s = two(&scope(""), &scope(ON_SIGNAL)).start().set_at("check", "here", 1).migrate(|plan| plan);
    s.sees("check", "here", 1).signal("s").waits_at(["handle"]).complete("handle").waits_at(["after"]);
    let s = two(&scope(ON_SIGNAL), &scope("")).start().migrate(|plan| plan).signal("s").waits_at(["check"]);
    s.complete("check").waits_at(["after"]);
    // In one that has been interrupted none begins any more.
    let other =
        ON_SIGNAL.replace("on-signal", "other").replace(r#"id="signal""#, r#"id="o""#).replace("handle", "help");
    let both = format!(
        "{ON_SIGNAL}{}",
        other.replace(r#"id="h""#, r#"id="hh""#).replace(r#"sourceRef="signal""#, r#"sourceRef="o""#)
    );
    let s = two(&scope(ON_SIGNAL), &scope(&both)).start().signal("s").waits_at(["handle"]).migrate(|plan| plan);
    s.signal("s").waits_at(["handle"]).complete("handle").waits_at(["after"]);
}

#[test]
fn what_is_nested_otherwise_is_refused() {
    let flat = row(&[START, CHECK, r#"<userTask id="after"/>"#]);
    two(&scope(""), &flat)
        .start()
        .migration_problems(|plan| plan, &[("check", "migration-not-mapped"), ("sub", "migration-not-mapped")])
        .migration_problems(|plan| plan.map("check", "check"), &[("check", "migration-scope-differs")]);
}

fn each(loops: &str) -> String {
    row(&[START, &format!(r#"<userTask id="check">{loops}</userTask>"#), PAY])
}

const PARALLEL: &str =
    "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>";

#[test]
fn rounds_go_on_with_their_numbers() {
    let s = two(&each(PARALLEL), &each(&PARALLEL.replace('3', "5"))).start().complete("check").migrate(|plan| plan);
    let s = s.waits_at(["check", "check"]).nth_sees("check", 1, "loopCounter", 3);
    s.complete("check").complete("check").waits_at(["pay"]);
    let sequential = PARALLEL.replace("Characteristics><", r#"Characteristics isSequential="true"><"#);
    let s = two(&each(PARALLEL), &each(&sequential)).start();
    let s = s.migration_problems(|plan| plan, &[("check", "migration-not-mapped")]);
    s.migration_problems(|plan| plan.map("check", "check"), &[("check", "migration-loop-differs")]);
    two(&each(PARALLEL), &each("")).start().migration_problems(|plan| plan, &[("check", "migration-not-mapped")]);
}

fn fork(branches: &[&str]) -> String {
    let branch = |id: &&str| {
        format!(
            r#"<userTask id="{id}"/><sequenceFlow id="to-{id}" sourceRef="fork" targetRef="{id}"/>
        <sequenceFlow id="from-{id}" sourceRef="{id}" targetRef="join"/>"#
        )
    };
    format!(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><parallelGateway id="fork"/>{}
    <parallelGateway id="join"/><userTask id="last"/><sequenceFlow id="f0" sourceRef="start" targetRef="fork"/>
    <sequenceFlow id="f9" sourceRef="join" targetRef="last"/></process>"#,
        branches.iter().map(branch).collect::<String>()
    )
}

#[test]
fn tokens_at_joins_count_by_the_flows_of_the_new_version() {
    // The flows come in another order, and there are more.
    let s = two(&fork(&["a", "b"]), &fork(&["b", "new", "a"])).start().complete("a").migrate(|plan| plan);
    s.joins(["join"]).waits_at(["b"]).complete("b").joins(["join", "join"]);
    // There are fewer: nothing is missing any more.
    let s = two(&fork(&["a", "b", "c"]), &fork(&["b", "a"])).start().complete("a").complete("b");
    let s = s.migration_problems(|plan| plan, &[("c", "migration-not-mapped")]);
    s.complete("c").waits_at(["last"]).migrate(|plan| plan).waits_at(["last"]);
    let s = two(&fork(&["a", "b", "c"]), &fork(&["b", "a"])).start().complete("a").complete("b");
    s.modify([potok_tests::operations::cancel_all("c")])
        .migrate(|plan| plan)
        .waits_at(["last"])
        .complete("last")
        .completed();
    // The way on which a token has come is gone.
    let s = two(&fork(&["a", "b"]), &fork(&["b", "c"])).start().complete("a");
    let s = s.migration_problems(|plan| plan, &[("join", "migration-flow-missing")]);
    s.migrate(|plan| plan.map("a", "c")).joins(["join"]).complete("b").waits_at(["last"]);
}

fn gateway(events: &str) -> String {
    format!(
        r#"<message id="m" name="m"/><signal id="s" name="s"/><process id="p" isExecutable="true"><startEvent id="start"/>
    <eventBasedGateway id="way"/>{events}<userTask id="next"/><sequenceFlow id="f0" sourceRef="start" targetRef="way"/></process>"#
    )
}

fn event(id: &str, definition: &str) -> String {
    format!(
        r#"<intermediateCatchEvent id="{id}">{definition}</intermediateCatchEvent>
    <sequenceFlow id="to-{id}" sourceRef="way" targetRef="{id}"/><sequenceFlow id="from-{id}" sourceRef="{id}" targetRef="next"/>"#
    )
}

#[test]
fn events_after_a_gateway_come_and_go() {
    let message = event("message", r#"<messageEventDefinition messageRef="m"/>"#);
    let signal = event("signal", r#"<signalEventDefinition signalRef="s"/>"#);
    let timer = event("timer", "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>");
    let (old, new) = (gateway(&format!("{message}{timer}")), gateway(&format!("{signal}{timer}")));
    let s = two(&old, &new).start().migrate(|plan| plan).waits_at(["way"]).early_message("m", json!({}));
    s.waits_at(["way"]).signal("s").waits_at(["next"]).trace("start way signal next");
    two(&old, &new).start().travel("PT30M").migrate(|plan| plan).travel("PT30M").waits_at(["next"]);
    // What something is mapped to is not new.
    let elsewhere = r#"<intermediateCatchEvent id="x"><signalEventDefinition signalRef="s"/></intermediateCatchEvent>
        <intermediateCatchEvent id="y"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
        </intermediateCatchEvent><sequenceFlow id="xx" sourceRef="next" targetRef="x"/>
        <sequenceFlow id="yy" sourceRef="next" targetRef="y"/>"#;
    let s = two(&gateway(&format!("{message}{timer}{elsewhere}")), &new).start();
    let s = s.migration_problems(
        |plan| plan.leave_out("timer").map("x", "signal").map("y", "timer"),
        &[("way", "migration-events-missing")],
    );
    s.migrate(|plan| plan.map("x", "signal")).signal("s").waits_at(["way"]).travel("PT1H").waits_at(["next"]);
}

fn calling(called: &str) -> String {
    format!(
        r#"{}<process id="q" isExecutable="true"><startEvent id="s"/><userTask id="inner"/>
    <sequenceFlow id="c" sourceRef="s" targetRef="inner"/></process>"#,
        row(&[START, called, PAY])
    )
}

#[test]
fn a_called_instance_finds_its_caller() {
    let old = calling(r#"<callActivity id="call" calledElement="q"/>"#);
    let new = calling(r#"<callActivity id="renamed" calledElement="q"/>"#);
    let s = two(&old, &new).start().migrate(|plan| plan.map("call", "renamed")).instance_of("q").active();
    let s = s.complete("inner").completed().main_instance().waits_at(["pay"]);
    // The called one goes over by itself.
    s.complete("pay").completed();
    let s = two(&old, &new).start().instance_of("q").migrate(|plan| plan).complete("inner").completed();
    s.main_instance().waits_at(["pay"]);
}

fn compensated(handler: &str) -> String {
    format!(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><userTask id="book"/>{handler}<userTask id="check"/>
    <intermediateThrowEvent id="throw"><compensateEventDefinition/></intermediateThrowEvent><userTask id="last"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="book"/><sequenceFlow id="b" sourceRef="book" targetRef="check"/>
    <sequenceFlow id="c" sourceRef="check" targetRef="throw"/><sequenceFlow id="d" sourceRef="throw" targetRef="last"/></process>"#
    )
}

const HANDLER: &str = r#"<boundaryEvent id="bb" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
    <userTask id="undo" isForCompensation="true"/><association id="x" sourceRef="bb" targetRef="undo" associationDirection="One"/>"#;

#[test]
fn what_has_completed_is_compensated_in_the_new_version() {
    let renamed = compensated(&HANDLER.replace("undo", "undo-it"));
    let s = two(&compensated(HANDLER), &renamed).start().complete("book").migrate(|plan| plan);
    s.complete("check").waits_at(["undo-it"]).complete("undo-it").waits_at(["last"]);
    // In the midst of it.
    let s = two(&compensated(HANDLER), &renamed).start().complete("book").complete("check").waits_at(["undo"]);
    let s = s.migrate(|plan| plan.map("undo", "undo-it")).waits_at(["undo-it"]);
    s.complete("undo-it").waits_at(["last"]).complete("last").completed();
    let s = two(&compensated(HANDLER), &compensated("")).start().complete("book");
    s.migration_problems(|plan| plan, &[("book", "migration-compensation-differs")]);
}

#[test]
fn what_is_stuck_goes_on_in_the_new_version() {
    let way = |condition: &str| {
        row(&[START, r#"<exclusiveGateway id="way"/>"#, PAY]).replace(
            r#"targetRef="pay"/>"#,
            &format!(r#"targetRef="pay"><conditionExpression>{condition}</conditionExpression></sequenceFlow>"#),
        )
    };
    let s = two(&way("false"), &way("true")).start().incident("way", "no-flow-taken").migrate(|plan| plan);
    s.incident("way", "no-flow-taken").resolve("way").waits_at(["pay"]);
    // What has not been entered has no boundary events yet, and gets all of them when it is.
    let new = boundary(&format!("{}{MESSAGE}", timer("PT1H")));
    let s = two(&boundary(&timer("=wait")), &new).start().incident("check", "expression-failed").migrate(|plan| plan);
    let s = s.travel("PT2H").incident("check", "expression-failed").resolve("check").waits_at(["check"]);
    s.message("m", json!({})).waits_at(["check", "told"]).travel("PT1H").waits_at(["late", "told"]);
}

#[test]
fn conditions_that_are_new_are_asked() {
    let condition = r#"<boundaryEvent id="when" attachedToRef="check"><conditionalEventDefinition>
        <condition>x = 1</condition></conditionalEventDefinition></boundaryEvent>
        <sequenceFlow id="w" sourceRef="when" targetRef="late"/>"#;
    let s = two(&boundary(""), &boundary(condition)).start_with(json!({"x": 1}));
    s.migrate(|plan| plan).waits_at(["late"]);
    let s = two(&boundary(condition), &boundary(condition)).start_with(json!({"x": 0})).migrate(|plan| plan);
    s.waits_at(["check"]).set("x", 1).waits_at(["late"]);
}

#[test]
fn an_instance_that_has_ended_stays_where_it_is() {
    let old = row(&[START, CHECK]);
    two(&old, &old).start().complete("check").refuses("instance-not-active").migrate(|plan| plan);
}

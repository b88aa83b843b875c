//! What the engine does by itself behind a savepoint or timer is undone as a whole if it fails, and tried again (Camunda 7, Flowable).

use potok_tests::operations::before;
use potok_tests::{model, scenario, scenario_of, versions};
use serde_json::json;

/// A sub-process with a timer beside it, behind which a sum needs `x`.
const LATE: &str = r#"<process id="p" isExecutable="true" camunda:historyTimeToLive="P30D"><startEvent id="start"/>
    <subProcess id="sub"><startEvent id="begin"/><userTask id="one"/><userTask id="two"/><endEvent id="done"/>
      <sequenceFlow id="f1" sourceRef="begin" targetRef="one"/><sequenceFlow id="f2" sourceRef="one" targetRef="two"/>
      <sequenceFlow id="f3" sourceRef="two" targetRef="done"/></subProcess>
    <boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>PT1H</timeDuration>
      </timerEventDefinition></boundaryEvent>
    <serviceTask id="add" camunda:expression="${x + 1}" camunda:resultVariable="sum"/><endEvent id="end"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="sub"/><sequenceFlow id="b" sourceRef="sub" targetRef="end"/>
    <sequenceFlow id="c" sourceRef="late" targetRef="add"/><sequenceFlow id="d" sourceRef="add" targetRef="end"/></process>"#;

#[test]
fn three_tries_and_then_an_incident_at_the_savepoint() {
    scenario("retries/before.bpmn")
        .start()
        .retries_left("count", 3)
        .continue_at("count")
        .retries_left("count", 2)
        .no_incident()
        .no_variable("counted")
        .continue_at("count")
        .retries_left("count", 1)
        .continue_at("count")
        .retries_left("count", 0)
        .incident("count", "retries-exhausted")
        .waits_at(["count"])
        .no_variable("counted")
        .trace("start count");
}

#[test]
fn first_tries_follow_one_another_without_a_pause() {
    scenario("retries/before.bpmn").start().continue_at("count").travel("PT0S").incident("count", "retries-exhausted");
}

#[test]
fn second_try_succeeds_with_what_was_set_in_between() {
    scenario("retries/before.bpmn")
        .start()
        .continue_at("count")
        .retries_left("count", 2)
        .set("x", 4)
        .continue_at("count")
        .completed()
        .variable("counted", 1)
        .variable("sum", 5)
        .trace("start count add end");
}

#[test]
fn what_has_no_tries_left_is_tried_once_more_when_its_incident_is_resolved() {
    scenario("retries/before.bpmn")
        .start()
        .continue_at("count")
        .travel("P1D")
        .incidents("count", "retries-exhausted", 1)
        .resolve("count")
        .no_incident()
        .retries_left("count", 1)
        .travel("P1D")
        .incidents("count", "retries-exhausted", 1)
        .set("x", 1)
        .travel("P1D")
        .waits_at(["count"])
        .resolve("count")
        .travel("PT0S")
        .no_incident()
        .completed();
}

#[test]
fn what_has_no_tries_left_can_be_done_by_hand() {
    scenario("retries/before.bpmn")
        .start()
        .continue_at("count")
        .travel("PT0S")
        .continue_at("count")
        .retries_left("count", 0)
        .incidents("count", "retries-exhausted", 1)
        .set("x", 1)
        .continue_at("count")
        .no_incident()
        .completed();
}

#[test]
fn somebody_says_how_many_tries_are_left() {
    scenario("retries/cycle.bpmn")
        .start()
        .set_retries("add", 0)
        .incident("add", "retries-exhausted")
        .set_retries("add", 2)
        .no_incident()
        .continue_at("add")
        .retries_left("add", 1)
        .set_retries("add", 5)
        .travel("PT10M")
        .retries_left("add", 4);
}

#[test]
fn pauses_between_tries() {
    scenario("retries/cycle.bpmn")
        .start()
        .continue_at("add")
        .travel("PT9M")
        .retries_left("add", 2)
        .travel("PT1M")
        .retries_left("add", 1)
        .to_next_timer()
        .now("2026-01-05T09:20:00Z")
        .incident("add", "retries-exhausted")
        .travel("P1D")
        .set("x", 1)
        .travel("P1D")
        .waits_at(["add"]);
}

#[test]
fn pauses_that_differ_and_are_computed() {
    scenario("retries/pauses.bpmn")
        .start_with(json!({"pauses": "PT1M,PT5M"}))
        .continue_at("add")
        .to_next_timer()
        .now("2026-01-05T09:01:00Z")
        .retries_left("add", 1)
        .to_next_timer()
        .now("2026-01-05T09:06:00Z")
        .incident("add", "retries-exhausted");
    scenario("retries/pauses.bpmn").start().retries_left("add", 3).continue_at("add").retries_left("add", 2);
}

#[test]
fn savepoint_after_an_activity_does_not_do_the_activity_again() {
    scenario("retries/after.bpmn")
        .start()
        .variable("counted", 1)
        .retries_left("count", 2)
        .continue_at("count")
        .travel("PT1M")
        .incident("count", "retries-exhausted")
        .waits_at(["count"])
        .set("ok", true)
        .resolve("count")
        .continue_at("count")
        .completed()
        .trace("start count choose yes");
}

#[test]
fn branches_that_do_not_fail_are_undone_with_the_one_that_does() {
    scenario("retries/fork.bpmn")
        .start()
        .continue_at("split")
        .waits_at(["split"])
        .set("x", 1)
        .continue_at("split")
        .waits_at(["do"])
        .complete("do")
        .completed();
}

#[test]
fn input_that_fails() {
    scenario("retries/input.bpmn")
        .start()
        .continue_at("do")
        .retries_left("do", 2)
        .set("x", 1)
        .continue_at("do")
        .waits_at(["do"])
        .sees("do", "sum", 2);
}

#[test]
fn rounds_are_tried_one_by_one_and_by_their_own_cycle() {
    scenario("retries/multi_instance.bpmn")
        .start_with(json!({"items": [1, 0]}))
        .retries_left("divide", 5)
        .continue_at("divide")
        .waits_at(["divide", "divide"])
        .retries_left("divide", 2)
        .continue_at("divide")
        .waits_at(["divide"])
        .continue_at("divide")
        .retries_left("divide", 1)
        .travel("PT2M")
        .incident("divide", "retries-exhausted")
        .set("x", 1)
        .resolve("divide")
        .travel("PT0S")
        .completed();
}

#[test]
fn timer_is_tried_again_by_its_cycle() {
    scenario("retries/timer.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["wait"])
        .retries_left("wait", 1)
        .no_variable("counted")
        .to_next_timer()
        .now("2026-01-05T10:05:00Z")
        .incident("wait", "retries-exhausted")
        .trace("start wait")
        .set("x", 1)
        .travel("P1D")
        .waits_at(["wait"])
        .resolve("wait")
        .to_next_timer()
        .completed()
        .trace("start wait count add end");
}

#[test]
fn activity_goes_on_beside_a_timer_that_failed() {
    let late = || scenario("retries/boundary_timer.bpmn").start().travel("PT1H");
    late()
        .waits_at(["do"])
        .incident("late", "retries-exhausted")
        .complete("do")
        .no_incident()
        .completed()
        .trace("start do end");
    late().set("x", 1).resolve("late").travel("PT0S").completed().trace("start do late add reminded");
}

#[test]
fn cycle_goes_on_beside_an_occurrence_that_failed() {
    scenario("retries/timer_cycle.bpmn")
        .start()
        .travel("PT1H")
        .has_waits("late", "timer", 2)
        .travel("PT5M")
        .incidents("late", "retries-exhausted", 1)
        .set("x", 1)
        .travel("PT55M")
        .passed("add", 1)
        .resolve("late")
        .no_incident()
        .to_next_timer()
        .passed("add", 2)
        .has_waits("late", "timer", 1)
        .to_next_timer()
        .now("2026-01-05T12:00:00Z")
        .passed("add", 3)
        .has_waits("late", "timer", 0)
        .waits_at(["do"]);
}

#[test]
fn timer_of_an_event_sub_process_is_tried_again() {
    scenario("retries/event_sub_process.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["do"])
        .incident("late", "retries-exhausted")
        .set("x", 1)
        .resolve("late")
        .no_incident()
        .to_next_timer()
        .passed("reminded", 1)
        .complete("do")
        .completed();
    scenario("retries/event_sub_process.bpmn").start().travel("PT1H").complete("do").no_incident().completed();
}

#[test]
fn task_goes_on_beside_a_listener_on_its_timeout_that_failed() {
    scenario("retries/task_timeout.bpmn")
        .start()
        .travel("PT1H")
        .incident("do", "retries-exhausted")
        .has_waits("do", "timer", 2)
        .set("x", 1)
        .resolve("do")
        .to_next_timer()
        .no_incident()
        .has_waits("do", "timer", 1)
        .to_next_timer()
        .now("2026-01-05T11:00:00Z")
        .no_incident()
        .complete("do")
        .completed();
}

#[test]
fn operators_start_what_they_like_beside_a_timer_that_failed() {
    model(LATE)
        .start()
        .travel("PT1H")
        .incident("late", "retries-exhausted")
        .modify([before("two")])
        .waits_at(["one", "two"])
        .incident("late", "retries-exhausted")
        .complete("two")
        .complete("one")
        .complete("two")
        .no_incident()
        .completed();
}

#[test]
fn timer_that_failed_goes_over_to_another_version_as_it_is() {
    versions(&[LATE, LATE])
        .version(1)
        .start()
        .travel("PT1H")
        .migrate(|plan| plan.update_event_triggers())
        .incidents("late", "retries-exhausted", 1)
        .retries_left("late", 0)
        .set("x", 1)
        .travel("PT2H")
        .waits_at(["one"])
        .resolve("late")
        .travel("PT0S")
        .completed()
        .variable("sum", 2);
}

#[test]
fn another_event_may_come_after_a_timer_that_failed() {
    scenario("retries/gateway_timer.bpmn")
        .start()
        .travel("PT1H")
        .incident("late", "retries-exhausted")
        .message("answered", json!({}))
        .no_incident()
        .completed();
}

#[test]
fn called_processes_are_undone_with_what_called_them() {
    scenario("retries/calls.bpmn")
        .start()
        .continue_at("count")
        .retries_left("count", 1)
        .has_instances("called", 0)
        .has_instances("called_further", 0)
        .no_variable("counted")
        .travel("PT1M")
        .incident("count", "retries-exhausted")
        .set("x", 1)
        .resolve("count")
        .travel("PT0S")
        .completed()
        .has_instances("called_further", 1)
        .variable("sum", 2);
}

#[test]
fn caller_is_undone_with_what_was_called() {
    scenario("retries/returns.bpmn")
        .start()
        .waits_at(["call"])
        .continue_at("count")
        .waits_at(["call"])
        .no_incident()
        .instance_of("called_back")
        .active()
        .retries_left("count", 1)
        .no_variable("counted")
        .travel("PT1M")
        .incident("count", "retries-exhausted")
        .main_instance()
        .set("x", 1)
        .continue_at("count")
        .completed()
        .instance_of("called_back")
        .no_incident()
        .completed();
}

#[test]
fn process_that_is_not_deployed() {
    scenario("retries/unknown_call.bpmn").start().continue_at("call").waits_at(["call"]).retries_left("call", 2);
}

#[test]
fn plain_process_keeps_its_incidents_whoever_calls_it() {
    scenario_of(&["retries/plain_called.bpmn", "retries/plain_called_process.bpmn"])
        .start()
        .continue_at("call")
        .continue_at("split")
        .instance_of("plain_called")
        .incident("choose", "no-flow-taken")
        .waits_at(["choose", "do"])
        .main_instance()
        .no_incident()
        .waits_at(["call"]);
}

#[test]
fn nobody_hears_what_is_undone() {
    scenario("retries/throws.bpmn")
        .start_process("listens")
        .start_process("throws")
        .instance_of("listens")
        .continue_at("tell")
        .waits_at(["hear"])
        .instance_of("throws")
        .set("x", 1)
        .continue_at("tell")
        .completed()
        .instance_of("listens")
        .completed();
}

#[test]
fn flowable_tries_again_too() {
    scenario("retries/flowable.bpmn")
        .start()
        .retries_left("count", 2)
        .continue_at("count")
        .no_variable("counted")
        .travel("PT10M")
        .incident("count", "retries-exhausted")
        .set("x", 1)
        .resolve("count")
        .travel("PT0S")
        .completed();
}

/// A process that a timer starts, and in which a script fails in the first quarter of an hour.
fn started_by_timer(namespaced: &str, cycle: &str) -> String {
    format!(
        r#"<process id="p" isExecutable="true" {namespaced}><startEvent id="start">
      <extensionElements>{cycle}</extensionElements>
      <timerEventDefinition><timeCycle>R2/PT1H</timeCycle></timerEventDefinition></startEvent>
    <callActivity id="call" calledElement="q"/><userTask id="after"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="call"/><sequenceFlow id="b" sourceRef="call" targetRef="after"/>
    </process>
    <process id="q" isExecutable="true" {namespaced}><startEvent id="begin"/>
    <scriptTask id="look" scriptFormat="javascript">
      <script>if (new Date().getUTCMinutes() &lt; 15) throw new Error("too early")</script></scriptTask>
    <sequenceFlow id="c" sourceRef="begin" targetRef="look"/></process>"#
    )
}

const PAUSES: &str = "<camunda:failedJobRetryTimeCycle>R3/PT10M</camunda:failedJobRetryTimeCycle>";
const CAMUNDA: &str = r#"camunda:historyTimeToLive="P30D""#;

#[test]
fn a_start_by_a_timer_is_undone_and_tried_again() {
    model(&started_by_timer(CAMUNDA, PAUSES))
        .travel("PT1H")
        .has_instances("p", 0)
        .has_instances("q", 0)
        .travel("PT10M")
        .has_instances("p", 0)
        .travel("PT10M")
        .has_instances("p", 1)
        .has_instances("q", 1)
        .instance_of("p")
        .no_incident()
        .waits_at(["after"])
        // Its cycle goes on beside that.
        .travel("PT40M")
        .has_instances("p", 1)
        .travel("PT20M")
        .has_instances("p", 2)
        .travel("P1D")
        .has_instances("p", 2);
}

#[test]
fn the_last_try_of_a_start_by_a_timer_stands_with_its_incident() {
    model(&started_by_timer(CAMUNDA, ""))
        .travel("PT1H")
        .has_instances("p", 1)
        .instance_of("q")
        .incident("look", "expression-failed")
        .travel("PT30M")
        .resolve("look")
        .instance_of("p")
        .waits_at(["after"]);
    model(&started_by_timer(CAMUNDA, "<camunda:failedJobRetryTimeCycle>R2/PT5M</camunda:failedJobRetryTimeCycle>"))
        .travel("PT1H")
        .has_instances("p", 0)
        .travel("PT5M")
        .instance_of("q")
        .incident("look", "expression-failed");
}

#[test]
fn elsewhere_a_start_by_a_timer_stands_at_once() {
    model(&started_by_timer("", ""))
        .travel("PT1H")
        .has_instances("p", 1)
        .instance_of("q")
        .incident("look", "expression-failed");
}

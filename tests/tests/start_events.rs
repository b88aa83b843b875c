//! What starts a process (BPMN 2.0.2 §10.5.2, §13.5.1).

use potok_tests::{model, scenario, scenario_of};
use serde_json::json;

#[test]
fn a_process_starts_by_hand() {
    scenario("start_events/none.bpmn")
        .start_with(json!({"x": 1}))
        .waits_at(["work"])
        .variable("x", 1)
        .complete("work")
        .completed()
        .trace("start work end");
}

#[test]
fn a_message_starts_with_what_it_carries() {
    scenario("start_events/message.bpmn")
        .message("order", json!({"item": "bread"}))
        .waits_at(["deliver"])
        .variable("item", "bread")
        .complete("deliver")
        .completed()
        .trace("ordered deliver end");
}

#[test]
fn what_starts_by_a_message_does_not_start_by_hand() {
    scenario("start_events/message.bpmn").refuses("none-start-missing").start().has_instances("message", 0);
}

#[test]
fn each_message_starts_another_instance() {
    scenario("start_events/message.bpmn")
        .message("order", json!({"item": "bread"}))
        .message("order", json!({"item": "salt"}))
        .has_instances("message", 2)
        .nth_instance_of("message", 1)
        .variable("item", "salt");
}

#[test]
fn a_signal_starts_every_process_that_listens() {
    scenario("start_events/signal.bpmn")
        .signal_with("hungry", json!({"guests": 3}))
        .instance_of("kitchen")
        .waits_at(["cook"])
        .variable("guests", 3)
        .instance_of("table")
        .waits_at(["lay"]);
}

#[test]
fn a_date_starts_once() {
    scenario("start_events/timer_date.bpmn")
        .travel("PT14H")
        .has_instances("timer_date", 0)
        .travel("PT1H")
        .has_instances("timer_date", 1)
        .instance_of("timer_date")
        .waits_at(["work"])
        .travel("P10D")
        .has_instances("timer_date", 1);
}

#[test]
fn a_duration_starts_once_after_deployment() {
    scenario("start_events/timer_duration.bpmn")
        .travel("PT59M")
        .has_instances("timer_duration", 0)
        .travel("P1D")
        .has_instances("timer_duration", 1);
}

#[test]
fn a_cycle_starts_as_often_as_it_says() {
    scenario("start_events/timer_cycle.bpmn")
        .travel("PT10M")
        .has_instances("timer_cycle", 1)
        .travel("PT10M")
        .has_instances("timer_cycle", 2)
        .travel("P1D")
        .has_instances("timer_cycle", 3);
}

#[test]
fn a_cron_pattern_starts_on_working_days() {
    // It is Monday, 9 o'clock: the next mornings are Tuesday to Friday, then Monday again.
    scenario("start_events/timer_cron.bpmn")
        .travel("P6D")
        .has_instances("timer_cron", 4)
        .travel("P1D")
        .has_instances("timer_cron", 5);
}

#[test]
fn a_redeployed_process_starts_by_its_newest_version_only() {
    scenario_of(&["start_events/timer_cycle.bpmn", "start_events/timer_cycle.bpmn"])
        .travel("PT10M")
        .has_instances("timer_cycle", 1);
    scenario_of(&["start_events/message.bpmn", "start_events/message.bpmn"])
        .message("order", json!({}))
        .has_instances("message", 1);
}

#[test]
fn data_from_outside_starts_where_its_condition_holds() {
    scenario("start_events/condition.bpmn")
        .data(json!({"temperature": 90}))
        .has_instances("condition", 0)
        .data(json!({"temperature": 110}))
        .waits_at(["cool"])
        .variable("temperature", 110);
}

#[test]
fn a_condition_of_camunda_looks_at_what_is_given() {
    scenario("start_events/condition_of_variable.bpmn")
        .data(json!({"other": 1}))
        .has_instances("condition_of_variable", 0)
        // Both hold.
        .data(json!({"temperature": 110}))
        .has_instances("condition_of_variable", 2)
        .data(json!({"temperature": 90}))
        .has_instances("condition_of_variable", 3);
}

#[test]
fn a_condition_that_cannot_be_computed_starts_nothing() {
    scenario_of(&["start_events/condition.bpmn", "start_events/condition_of_variable.bpmn"])
        .refuses("condition-failed")
        .data(json!({"temperature": "high"}))
        .has_instances("condition", 0);
}

#[test]
fn one_of_several_triggers_starts() {
    scenario("start_events/multiple.bpmn").message("letter", json!({})).waits_at(["answer"]);
    scenario("start_events/multiple.bpmn").signal("call").waits_at(["answer"]);
}

#[test]
fn all_triggers_of_a_parallel_start_must_occur() {
    scenario("start_events/parallel_multiple.bpmn")
        .message("letter", json!({"text": "hello"}))
        .message("letter", json!({"text": "again"}))
        .has_instances("parallel_multiple", 0)
        .signal_with("call", json!({"number": 5}))
        .has_instances("parallel_multiple", 1)
        .waits_at(["answer"])
        .variables(json!({"number": 5, "text": "hello"}))
        // Nothing that came is lost: the other letter waits for a call of its own.
        .signal("call")
        .has_instances("parallel_multiple", 2)
        .nth_instance_of("parallel_multiple", 1)
        .variables(json!({"text": "again"}))
        .signal("call")
        .has_instances("parallel_multiple", 2);
}

#[test]
fn a_time_and_a_message_of_a_parallel_start_must_both_have_come() {
    let letter_and_time = r#"<message id="m" name="letter"/><process id="p" isExecutable="true">
    <startEvent id="start" parallelMultiple="true"><messageEventDefinition messageRef="m"/>
      <timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition></startEvent><userTask id="answer"/>
    <sequenceFlow id="f" sourceRef="start" targetRef="answer"/></process>"#;
    model(letter_and_time)
        .travel("PT3H")
        .has_instances("p", 0)
        .message("letter", json!({"text": "hello"}))
        .has_instances("p", 1)
        .waits_at(["answer"])
        .variable("text", "hello")
        .message("letter", json!({"text": "again"}))
        .has_instances("p", 1)
        .travel("PT1H")
        .has_instances("p", 2)
        .nth_instance_of("p", 1)
        .variable("text", "again");
}

#[test]
fn messages_of_a_parallel_start_belong_to_one_conversation() {
    model(
        r#"<message id="order" name="order"/><message id="payment" name="payment"/>
    <correlationProperty id="number" name="number">
      <correlationPropertyRetrievalExpression messageRef="order"><messagePath>number</messagePath></correlationPropertyRetrievalExpression>
      <correlationPropertyRetrievalExpression messageRef="payment"><messagePath>reference</messagePath></correlationPropertyRetrievalExpression>
    </correlationProperty>
    <collaboration id="c"><participant id="shop" processRef="p"/>
      <correlationKey id="key"><correlationPropertyRef>number</correlationPropertyRef></correlationKey></collaboration>
    <process id="p" isExecutable="true"><startEvent id="start" parallelMultiple="true">
      <messageEventDefinition messageRef="order"/><messageEventDefinition messageRef="payment"/></startEvent>
      <userTask id="send"/><sequenceFlow id="f" sourceRef="start" targetRef="send"/></process>"#,
    )
    .message("order", json!({"number": 1, "what": "tea"}))
    .message("order", json!({"number": 2, "what": "rice"}))
    .message("payment", json!({"reference": 3}))
    .has_instances("p", 0)
    .message("payment", json!({"reference": 2}))
    .has_instances("p", 1)
    .variables(json!({"number": 2, "what": "rice", "reference": 2}))
    .message("order", json!({"number": 3, "what": "salt"}))
    .has_instances("p", 2)
    .message("payment", json!({"reference": 1}))
    .has_instances("p", 3)
    .nth_instance_of("p", 2)
    .variable("what", "tea");
}

#[test]
fn several_start_events_are_several_ways_to_start() {
    scenario("start_events/several.bpmn")
        .start()
        .waits_at(["enter"])
        .message("letter", json!({}))
        .nth_instance_of("several", 1)
        .waits_at(["read"])
        .signal("call")
        .nth_instance_of("several", 2)
        .waits_at(["listen"])
        .complete("listen")
        .completed()
        .has_instances("several", 3);
}

#[test]
fn two_start_events_without_trigger_both_begin() {
    scenario("start_events/two_without_trigger.bpmn")
        .start()
        .waits_at(["a", "b"])
        .complete("a")
        .active()
        .complete("b")
        .completed();
}

#[test]
fn without_a_start_event_what_nothing_leads_to_begins() {
    scenario("start_events/no_start_event.bpmn")
        .start()
        .waits_at(["a", "b"])
        .complete("a")
        .waits_at(["after", "b"])
        .complete("b")
        .complete("after")
        .completed();
}

#[test]
fn a_sub_process_needs_no_start_event_either() {
    scenario("start_events/no_start_event_in_sub_process.bpmn")
        .start()
        .waits_at(["a", "b"])
        .complete("a")
        .complete("b")
        .completed();
}

#[test]
fn a_receive_task_may_start_a_process() {
    scenario("start_events/receive_task.bpmn")
        .message("order", json!({"item": "bread"}))
        .waits_at(["deliver"])
        .variable("item", "bread")
        .complete("deliver")
        .completed()
        .trace("ordered deliver end");
}

#[test]
fn the_first_event_behind_an_instantiating_gateway_starts() {
    scenario("start_events/event_gateway.bpmn")
        .message("letter", json!({}))
        .waits_at(["read"])
        .signal("call")
        .has_instances("event_gateway", 2)
        .complete("read")
        .completed()
        .trace("letter read end");
}

#[test]
fn behind_a_parallel_instantiating_gateway_the_other_events_are_waited_for() {
    scenario("start_events/parallel_event_gateway.bpmn")
        .message("money", json!({"paid": 10}))
        .waits_at(["letter"])
        .joins(["join"])
        .message("letter", json!({}))
        .has_instances("parallel_event_gateway", 1)
        .waits_at(["ship"])
        .complete("ship")
        .completed();
}

#[test]
fn an_instance_may_start_before_any_elements() {
    scenario("start_events/several.bpmn").start_at(["read", "listen"]).waits_at(["listen", "read"]);
    scenario("start_events/several.bpmn").refuses("element-unknown").start_at(["nowhere"]);
}

#[test]
fn handlers_and_boundary_events_do_not_begin_by_themselves() {
    scenario("start_events/no_start_event_beside_others.bpmn")
        .start()
        .waits_at(["a", "b"])
        .passed("book", 1)
        .passed("unbook", 0);
}

#[test]
fn the_message_that_starts_several_receive_tasks_is_the_first_ones() {
    scenario("start_events/receives_several.bpmn")
        .message("letter", json!({}))
        .waits_at(["letter", "letter"])
        .message("letter", json!({}))
        .message("letter", json!({}))
        .completed();
}

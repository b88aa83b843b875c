//! Boundary events: every kind, on every activity, interrupting and not (BPMN 2.0.2 §10.5.4, §13.5.3).

use potok_tests::{Scenario, model, scenario};
use serde_json::json;

/// Activities and the elements inside at which their tokens wait.
const ACTIVITIES: [(&str, &str); 6] = [
    ("task", "task"),
    ("work", "work"),
    ("inside", "deep"),
    ("called", "called"),
    ("letter", "letter"),
    ("each", "each"),
];

#[test]
fn an_interrupting_event_ends_any_activity() {
    for (activity, inner) in ACTIVITIES {
        let after = format!("after_{activity}");
        scenario("boundary_events/interrupting_on_every_activity.bpmn")
            .start()
            .waits_at(["called", "deep", "each", "each", "each", "letter", "task", "work"])
            .message(&format!("stop_{activity}"), json!({}))
            .is_at(&after, 1)
            .is_at(inner, 0)
            .early_message(&format!("stop_{activity}"), json!({}))
            .complete(&after)
            .active();
    }
}

#[test]
fn a_called_instance_ends_with_its_call() {
    scenario("boundary_events/interrupting_on_every_activity.bpmn")
        .start()
        .message("stop_called", json!({}))
        .instance_of("helper")
        .cancelled();
}

#[test]
fn an_event_beside_leaves_any_activity_alone_and_may_occur_again() {
    for (activity, inner) in ACTIVITIES {
        let after = format!("after_{activity}");
        let waiting = if activity == "each" { 3 } else { 1 };
        scenario("boundary_events/beside_every_activity.bpmn")
            .start()
            .message(&format!("stop_{activity}"), json!({}))
            .is_at(&after, 1)
            .is_at(inner, waiting)
            .message(&format!("stop_{activity}"), json!({}))
            .is_at(&after, 2)
            .is_at(inner, waiting);
    }
}

#[test]
fn what_went_beside_goes_on_after_its_activity() {
    scenario("boundary_events/every_kind_beside.bpmn")
        .start()
        .message("letter", json!({}))
        .complete("work")
        .waits_at(["after_letter"])
        .early_message("letter", json!({}))
        .complete("after_letter")
        .completed();
}

#[test]
fn a_timer_ends_any_activity() {
    scenario("boundary_events/timer_on_every_activity.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["after_called", "after_each", "after_inside", "after_letter", "after_task", "after_work"])
        .instance_of("helper")
        .cancelled();
}

fn working(model: &str) -> Scenario {
    scenario(model).start_with(json!({"level": 0})).waits_at(["work"])
}

#[test]
fn each_kind_interrupts() {
    let file = "boundary_events/every_kind.bpmn";
    working(file).message("letter", json!({})).waits_at(["after_letter"]).complete("after_letter").completed();
    working(file).travel("PT1H").waits_at(["after_later"]).trace("start work later after_later");
    working(file).signal("call").waits_at(["after_call"]);
    working(file).set("level", 10).waits_at(["after_full"]);
    working(file).escalate("work", "late").waits_at(["after_raised"]);
    working(file).error("work", "broken").waits_at(["after_broken"]);
}

#[test]
fn only_one_of_several_events_interrupts() {
    working("boundary_events/every_kind.bpmn")
        .signal("call")
        .travel("P1D")
        .set("level", 10)
        .early_message("letter", json!({}))
        .waits_at(["after_call"]);
}

#[test]
fn each_kind_occurs_beside() {
    working("boundary_events/every_kind_beside.bpmn")
        .message("letter", json!({"text": "hello"}))
        .waits_at(["after_letter", "work"])
        .variable("text", "hello")
        .signal("call")
        .waits_at(["after_call", "after_letter", "work"])
        .travel("PT1H")
        .set("level", 10)
        .escalate("work", "late")
        .waits_at(["after_call", "after_full", "after_later", "after_letter", "after_raised", "work"])
        .escalate("work", "late")
        .signal("call")
        .travel("PT1H")
        .waits_at([
            "after_call",
            "after_call",
            "after_full",
            "after_later",
            "after_letter",
            "after_raised",
            "after_raised",
            "work",
        ]);
}

#[test]
fn an_escalation_that_nothing_catches_changes_nothing() {
    working("boundary_events/every_kind.bpmn").escalate("work", "other").waits_at(["work"]).no_incident();
}

#[test]
fn a_cycle_reminds_as_often_as_it_says() {
    scenario("boundary_events/reminders.bpmn")
        .start()
        .travel("PT10M")
        .passed("mail", 1)
        .travel("PT10M")
        .passed("mail", 2)
        .travel("P7D")
        .passed("mail", 3)
        .waits_at(["work"])
        .complete("work")
        .completed();
}

#[test]
fn completing_stops_the_reminders() {
    scenario("boundary_events/reminders.bpmn")
        .start()
        .travel("PT10M")
        .complete("work")
        .completed()
        .travel("PT10M")
        .passed("mail", 1);
}

#[test]
fn one_of_several_triggers_interrupts() {
    scenario("boundary_events/multiple.bpmn").start().signal("call").waits_at(["after"]);
    scenario("boundary_events/multiple.bpmn").start().message("letter", json!({})).waits_at(["after"]);
}

#[test]
fn all_triggers_of_a_parallel_event_must_occur() {
    scenario("boundary_events/parallel_multiple.bpmn")
        .start()
        .message("letter", json!({"text": "hello"}))
        .waits_at(["work"])
        .signal("call")
        .waits_at(["after"])
        .variable("text", "hello");
}

#[test]
fn what_came_with_half_of_an_event_is_its_own_until_it_occurs() {
    let s = model(
        r#"<message id="a" name="letter"/><message id="b" name="payment"/><process id="p" isExecutable="true">
    <startEvent id="start"/><subProcess id="sub"><dataObject id="local" name="amount"/><startEvent id="s"/><userTask id="work"/>
      <sequenceFlow id="f1" sourceRef="s" targetRef="work"/></subProcess>
    <boundaryEvent id="both" attachedToRef="sub" parallelMultiple="true"><messageEventDefinition messageRef="a"/>
      <messageEventDefinition messageRef="b"/></boundaryEvent><userTask id="after"/><endEvent id="end"/>
    <sequenceFlow id="f2" sourceRef="start" targetRef="sub"/><sequenceFlow id="f3" sourceRef="both" targetRef="after"/>
    <sequenceFlow id="f4" sourceRef="sub" targetRef="end"/></process>"#,
    )
    .start()
    .message("payment", json!({"amount": 5}))
    .waits_at(["work"])
    .sees("work", "amount", json!(null))
    .message("letter", json!({"text": "hello"}))
    .waits_at(["after"])
    .variables(json!({"amount": 5, "text": "hello"}));
    s.complete("after").completed();
}

#[test]
fn half_of_an_event_leaves_nothing_behind() {
    scenario("boundary_events/parallel_multiple.bpmn")
        .start()
        .message("letter", json!({"text": "hello"}))
        .complete("work")
        .completed()
        .no_variable("text");
}

#[test]
fn a_parallel_event_beside_counts_anew() {
    scenario("boundary_events/parallel_multiple_beside.bpmn")
        .start()
        .message("letter", json!({}))
        .signal("call")
        .waits_at(["after", "work"])
        .signal("call")
        .waits_at(["after", "work"])
        .message("letter", json!({}))
        .waits_at(["after", "after", "work"]);
}

#[test]
fn the_event_for_that_very_error_comes_before_the_one_for_all() {
    scenario("boundary_events/error_codes.bpmn").start().error("pay", "poor").waits_at(["ask"]);
    scenario("boundary_events/error_codes.bpmn").start().error("pay", "other").waits_at(["mend"]);
}

#[test]
fn an_error_goes_outwards_and_ends_all_on_its_way() {
    scenario("boundary_events/error_outwards.bpmn")
        .start()
        .waits_at(["beside", "work"])
        .complete("work")
        .waits_at(["mend"])
        .complete("mend")
        .completed();
}

#[test]
fn an_error_leaves_a_called_process() {
    scenario("boundary_events/error_of_called_process.bpmn")
        .start()
        .waits_at(["called", "hurry"])
        .complete("help")
        .waits_at(["hurry", "mend"])
        .instance_of("helper")
        .failed("broken")
        .main_instance()
        .complete("mend")
        .complete("hurry")
        .completed();
}

#[test]
fn a_persons_error_leaves_a_called_process_too() {
    scenario("boundary_events/error_of_called_process.bpmn")
        .start()
        .error("help", "broken")
        .waits_at(["hurry", "mend"])
        .instance_of("helper")
        .failed("broken");
}

#[test]
fn an_error_that_nothing_catches_around_the_call_stays_in_the_called_process() {
    scenario("boundary_events/error_of_called_process.bpmn")
        .start()
        .error("help", "other")
        .waits_at(["called", "hurry"])
        .instance_of("helper")
        .incident("help", "error-uncaught");
}

#[test]
fn an_event_may_lead_back_to_its_activity() {
    scenario("boundary_events/back_to_its_activity.bpmn")
        .start()
        .travel("P1D")
        .waits_at(["work"])
        .travel("P1D")
        .waits_at(["work"])
        .passed("remind", 2)
        .complete("work")
        .completed();
}

#[test]
fn one_timer_reminds_and_another_ends() {
    scenario("boundary_events/two_timers.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["work"])
        .passed("mail", 1)
        .travel("PT1H")
        .waits_at(["escalate"])
        .passed("mail", 1);
}

#[test]
fn a_condition_beside_occurs_each_time_it_begins_to_hold() {
    scenario("boundary_events/condition_beside.bpmn")
        .start_with(json!({"temperature": 20}))
        .set("temperature", 101)
        .passed("note", 1)
        .set("temperature", 102)
        .passed("note", 1)
        .set("temperature", 99)
        .set("temperature", 101)
        .passed("note", 2)
        .complete("work")
        .completed();
}

#[test]
fn a_sub_process_escalates_and_goes_on() {
    scenario("boundary_events/escalation_from_sub_process.bpmn")
        .start()
        .waits_at(["deep", "hurry"])
        .complete("deep")
        .waits_at(["hurry", "take_over"])
        .passed("after", 0);
}

#[test]
fn an_interrupted_sub_process_ends_with_all_that_is_inside() {
    scenario("boundary_events/cancels_all_inside.bpmn")
        .start()
        .waits_at(["a", "called", "later", "work"])
        .message("stop", json!({}))
        .completed()
        .instance_of("helper")
        .cancelled();
}

#[test]
fn events_of_a_multi_instance_activity_are_those_of_the_whole() {
    scenario("boundary_events/on_multi_instance.bpmn")
        .start()
        .complete("vote")
        .travel("PT2H")
        .passed("mail", 2)
        .waits_at(["vote", "vote"])
        .message("close", json!({}))
        .waits_at(["count"])
        .travel("P1D")
        .passed("mail", 2)
        .complete("count")
        .completed();
}

#[test]
fn an_error_goes_through_calls_that_do_not_catch_it() {
    scenario("boundary_events/error_through_two_calls.bpmn")
        .start()
        .complete("work")
        .waits_at(["mend"])
        .instance_of("middle")
        .failed("broken")
        .instance_of("deep")
        .failed("broken");
}

#[test]
fn an_escalation_of_a_called_process_may_end_it() {
    scenario("boundary_events/escalation_ends_call.bpmn")
        .start()
        .complete("help")
        .waits_at(["take_over"])
        .instance_of("helper")
        .cancelled();
}

#[test]
fn an_activity_in_each_round_has_events_of_its_own() {
    scenario("boundary_events/in_each_round.bpmn")
        .start()
        .complete("work")
        .travel("PT1H")
        .waits_at(["hurry", "work"])
        .complete("work")
        .complete("hurry")
        .completed();
}

#[test]
fn a_cycle_among_several_triggers_goes_on_counting() {
    scenario("boundary_events/parallel_multiple_cycle.bpmn")
        .start()
        .message("letter", json!({}))
        .travel("PT1H")
        .waits_at(["after", "work"])
        .travel("PT1H")
        .waits_at(["after", "work"])
        .message("letter", json!({}))
        .waits_at(["after", "after", "work"])
        // Its two times are over, and with them the event.
        .early_message("letter", json!({}))
        .travel("P1D")
        .waits_at(["after", "after", "work"]);
}

#[test]
fn times_of_a_cycle_that_others_have_not_kept_up_with_are_not_counted_twice() {
    scenario("boundary_events/parallel_multiple_cycle.bpmn")
        .start()
        .travel("PT2H")
        .message("letter", json!({}))
        .waits_at(["after", "work"])
        .early_message("letter", json!({}))
        .waits_at(["after", "work"]);
}

#[test]
fn a_moment_among_several_triggers_comes_once() {
    scenario("boundary_events/parallel_multiple_once.bpmn")
        .start()
        .travel("PT1H")
        .message("letter", json!({}))
        .waits_at(["after", "work"])
        .early_message("letter", json!({}))
        .travel("P1D")
        .waits_at(["after", "work"]);
}

#[test]
fn inputs_of_an_event_are_computed_once_it_has_occurred() {
    scenario("boundary_events/mappings.bpmn")
        .start_with(json!({"factor": 2, "subtotal": 0}))
        .message("copy", json!({"amount": 3}))
        .message("copy", json!({"amount": 4}))
        .waits_at(["after", "after", "work"])
        .variable("subtotal", 14)
        .set("factor", 10)
        .message("letter", json!({"amount": 7}))
        .waits_at(["after", "after", "after"])
        .variable("total", 70)
        .no_variable("amount")
        .no_variable("times");
}

#[test]
fn what_came_with_an_event_is_kept_until_its_inputs_can_be_computed() {
    scenario("boundary_events/mappings.bpmn")
        .start_with(json!({"factor": null, "subtotal": 1}))
        .message("copy", json!({"amount": 3}))
        .incident("copied", "expression-failed")
        .set("factor", 2)
        .resolve("copied")
        .no_incident()
        .waits_at(["after", "work"])
        .variable("subtotal", 7)
        .set("factor", json!(null))
        .message("letter", json!({"amount": 7}))
        .incident("answered", "expression-failed")
        .set("factor", 3)
        .resolve("answered")
        .waits_at(["after", "after"])
        .variable("total", 21);
}

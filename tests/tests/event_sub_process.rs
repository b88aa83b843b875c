//! Event sub-processes, interrupting and not.

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn message_interrupts_the_process() {
    scenario("event_sub_process/message.bpmn")
        .start()
        .complete("one")
        .waits_at(["two"])
        .message("stop", json!({"reason": "rain"}))
        .waits_at(["explain"])
        .variable("reason", "rain")
        .complete("explain")
        .completed()
        .trace("start split one two end stopping stopped explain explained");
}

#[test]
fn interrupting_event_occurs_only_once() {
    scenario("event_sub_process/message.bpmn")
        .start()
        .message("stop", json!({}))
        .early_message("stop", json!({}))
        .waits_at(["explain"]);
}

#[test]
fn event_that_did_not_occur_does_not_hold_the_process() {
    scenario("event_sub_process/message.bpmn")
        .start()
        .complete("one")
        .complete("two")
        .completed()
        .early_message("stop", json!({}))
        .completed();
}

#[test]
fn messages_begin_event_sub_processes_beside_the_work() {
    scenario("event_sub_process/message_beside.bpmn")
        .start()
        .message("question", json!({}))
        .message("question", json!({}))
        .waits_at(["answer", "answer", "work"])
        .complete("answer")
        .complete("work")
        .waits_at(["answer"])
        .message("question", json!({}))
        .waits_at(["answer", "answer"])
        .complete("answer")
        .complete("answer")
        .completed();
}

#[test]
fn timer_cycle_reminds_until_the_deadline_interrupts() {
    scenario("event_sub_process/timers.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["remind", "work"])
        .to_next_timer()
        .now("2026-01-05T11:00:00Z")
        .waits_at(["remind", "remind", "work"])
        .to_next_timer()
        .now("2026-01-05T11:30:00Z")
        .waits_at(["close"])
        .travel("P1D")
        .waits_at(["close"])
        .complete("close")
        .completed();
}

#[test]
fn sub_process_goes_on_after_its_interrupting_event_sub_process() {
    scenario("event_sub_process/signal.bpmn")
        .start()
        .signal("alarm")
        .waits_at(["run"])
        .complete("run")
        .waits_at(["after"])
        .signal("alarm")
        .waits_at(["after"])
        .complete("after")
        .completed()
        .trace("start work begin do fleeing alarmed run after end");
}

#[test]
fn conditions_occur_when_they_begin_to_hold() {
    scenario("event_sub_process/condition.bpmn")
        .start_with(json!({"temperature": 20}))
        .set("temperature", 60)
        .passed("note", 1)
        .set("temperature", 70)
        .passed("note", 1)
        .set("temperature", 40)
        .set("temperature", 55)
        .passed("note", 2)
        .waits_at(["measure"])
        .set("temperature", 95)
        .waits_at(["cool"])
        .complete("cool")
        .completed();
}

#[test]
fn error_is_caught_inside_before_outside() {
    scenario("event_sub_process/error.bpmn")
        .start()
        .error("do", "broken")
        .waits_at(["repair"])
        .sees("repair", "code", "broken")
        .job("repair", json!({}))
        .waits_at(["after"])
        .complete("after")
        .completed();
}

#[test]
fn error_in_an_error_event_sub_process_goes_outwards() {
    scenario("event_sub_process/error.bpmn")
        .start()
        .error("do", "broken")
        .error("repair", "broken")
        .waits_at(["give_up"])
        .complete("give_up")
        .completed()
        .trace("start work begin do repairing failed repair outside give_up end");
}

#[test]
fn error_of_a_sub_process_is_caught_by_the_process_and_may_fail_it_again() {
    scenario("event_sub_process/error_of_process.bpmn")
        .start()
        .complete("do")
        .waits_at(["repair"])
        .complete("repair")
        .failed("broken");
}

#[test]
fn escalation_is_handled_while_its_thrower_goes_on() {
    scenario("event_sub_process/escalation.bpmn")
        .start()
        .waits_at(["assist", "do"])
        .complete("do")
        .waits_at(["assist"])
        .complete("assist")
        .completed();
}

#[test]
fn escalation_can_interrupt() {
    scenario("event_sub_process/escalation_interrupting.bpmn")
        .start()
        .complete("do")
        .waits_at(["assist"])
        .variable("code", "help")
        .complete("assist")
        .completed();
}

#[test]
fn interrupting_event_sub_process_ends_the_others() {
    scenario("event_sub_process/several.bpmn")
        .start()
        .message("question", json!({}))
        .signal("alarm")
        .waits_at(["answer", "react", "work"])
        .message("stop", json!({}))
        .waits_at(["explain"])
        .signal("alarm")
        .waits_at(["explain"])
        .complete("explain")
        .completed();
}

#[test]
fn event_sub_processes_nest() {
    scenario("event_sub_process/nested.bpmn")
        .start()
        .message("question", json!({}))
        .message("question", json!({}))
        .waits_at(["research", "research", "work"])
        .complete("research")
        .signal("hurry")
        .waits_at(["guess", "work"])
        .complete("guess")
        .signal("hurry")
        .waits_at(["work"])
        .complete("work")
        .completed();
}

#[test]
fn what_a_message_carries_stays_where_it_is_declared() {
    scenario("event_sub_process/payload.bpmn")
        .start()
        .message("question", json!({"text": "who?", "from": "anna"}))
        .message("question", json!({"text": "why?", "from": "boris"}))
        .nth_sees("answer", 0, "text", "who?")
        .nth_sees("answer", 1, "text", "why?")
        .no_variable("text")
        .variable("from", "boris");
}

#[test]
fn each_of_several_triggers_begins_the_event_sub_process() {
    scenario("event_sub_process/multiple.bpmn")
        .start()
        .signal("alarm")
        .message("stop", json!({}))
        .signal("alarm")
        .waits_at(["react", "react", "react", "work"]);
}

#[test]
fn terminate_ends_only_its_own_event_sub_process() {
    scenario("event_sub_process/terminate.bpmn")
        .start()
        .message("question", json!({}))
        .message("question", json!({}))
        .complete("answer")
        .waits_at(["answer", "search", "work"])
        .complete("answer")
        .waits_at(["work"])
        .complete("work")
        .completed();
}

#[test]
fn condition_sees_the_data_of_its_sub_process() {
    scenario("event_sub_process/local_condition.bpmn")
        .start()
        .set("level", 9)
        .waits_at(["measure"])
        .complete_with("measure", json!({"level": 4}))
        .waits_at(["react"])
        .complete("react")
        .completed();
}

#[test]
fn error_beside_the_work_ends_it() {
    scenario("event_sub_process/error_beside.bpmn")
        .start()
        .message("question", json!({}))
        .message("question", json!({}))
        .complete("answer")
        .waits_at(["repair"])
        .complete("repair")
        .completed();
}

#[test]
fn all_of_several_triggers_must_occur() {
    scenario("event_sub_process/parallel_multiple.bpmn")
        .start()
        .message("paid", json!({"amount": 5}))
        .waits_at(["work"])
        .no_variable("amount")
        .signal("open")
        .waits_at(["deliver"])
        .variable("amount", 5)
        .complete("deliver")
        .completed();
}

#[test]
fn one_instance_is_interrupted_and_the_others_go_on() {
    scenario("event_sub_process/in_round.bpmn")
        .start_with(json!({"items": ["a", "b"]}))
        .error("do", "broken")
        .waits_at(["do", "repair"])
        .sees("repair", "item", "a")
        .job("do", json!({}))
        .waits_at(["repair"])
        .complete("repair")
        .completed();
}

/// An event sub-process in an event sub-process, and so on, each started by the same message; the innermost holds a task.
fn nested(depth: usize) -> String {
    let opened: String = (0..depth)
        .map(|level| {
            format!(
                r#"<subProcess id="sub_{level}" triggeredByEvent="true">
                     <startEvent id="began_{level}"><messageEventDefinition messageRef="deeper"/></startEvent>
                     <userTask id="task_{level}"/>
                     <sequenceFlow id="flow_{level}" sourceRef="began_{level}" targetRef="task_{level}"/>"#
            )
        })
        .collect();
    let closed = "</subProcess>".repeat(depth);
    format!(
        r#"<message id="deeper" name="deeper"/>
           <process id="process" isExecutable="true">
             <startEvent id="start"/><userTask id="work"/>
             <sequenceFlow id="flow" sourceRef="start" targetRef="work"/>
             {opened}{closed}
           </process>"#
    )
}

#[test]
fn event_sub_processes_nest_hundreds_deep() {
    let depth = 480;
    let mut scenario = model(&nested(depth)).start();
    for _ in 0..depth {
        scenario = scenario.message("deeper", json!({}));
    }
    scenario.waits_at(["task_479"]).complete("task_479").completed();
}

#[test]
fn siblings_catch_what_an_event_sub_process_throws() {
    scenario("event_sub_process/siblings.bpmn")
        .start()
        .message("look", json!({}))
        .complete("look")
        .waits_at(["hurry", "look_again", "work"])
        // What a handler throws itself goes outwards.
        .complete("hurry")
        .waits_at(["look_again", "work"])
        .complete("look_again")
        .waits_at(["mend"])
        .complete("mend")
        .completed();
}

#[test]
fn an_event_sub_process_that_has_interrupted_its_scope_has_no_siblings() {
    scenario("event_sub_process/siblings.bpmn")
        .start()
        .message("stop", json!({}))
        .waits_at(["stop"])
        .complete("stop")
        .failed("broken");
}

#[test]
fn inputs_and_outputs_are_computed_around_an_event_sub_process() {
    scenario("event_sub_process/mappings.bpmn")
        .start_with(json!({"floor": 1}))
        .signal("alarm")
        .sees("run", "way", "window")
        .set("floor", 2)
        .signal("alarm")
        .nth_sees("run", 1, "way", "stairs")
        .complete("run")
        .variable("taken", "window")
        .no_variable("way")
        .complete("run")
        .variable("taken", "stairs")
        .complete("work")
        .completed();
}

#[test]
fn an_output_of_an_event_sub_process_that_fails_is_an_incident() {
    scenario("event_sub_process/mappings.bpmn")
        .start_with(json!({"floor": 1}))
        .signal("alarm")
        .complete_with("run", json!({"way": "lift"}))
        .incident("fleeing", "expression-failed")
        .complete("work")
        .active()
        .set_at("fleeing", "way", "stairs")
        .resolve("fleeing")
        .completed()
        .variable("taken", "stairs");
}

#[test]
fn inputs_of_the_start_event_are_computed_once_it_has_occurred() {
    scenario("event_sub_process/start_mappings.bpmn")
        .start_with(json!({"factor": 2}))
        .message("letter", json!({"amount": 7}))
        .waits_at(["after", "work"])
        .variable("total", 14)
        .set("factor", json!(null))
        .message("letter", json!({"amount": 8}))
        .incident("answered", "expression-failed")
        .set("factor", 3)
        .resolve("answered")
        .waits_at(["after", "after", "work"])
        .variable("total", 24)
        .no_variable("amount")
        .no_variable("times");
}

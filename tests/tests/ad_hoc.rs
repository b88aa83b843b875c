//! Ad-hoc sub-processes: people choose what is done.

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn activities_are_begun_by_command_in_parallel_and_again() {
    scenario("ad_hoc/parallel.bpmn")
        .start()
        .waits_at(["research"])
        .activate("research", ["read", "ask"])
        .waits_at(["ask", "read"])
        .activate("research", ["read"])
        .waits_at(["ask", "read", "read"])
        .complete("read")
        .complete("ask")
        .waits_at(["note", "read"])
        .complete("note")
        .complete("read")
        .waits_at(["research"])
        .complete_ad_hoc("research")
        .completed()
        .trace("start research read ask read note end");
}

#[test]
fn nothing_need_be_done_at_all() {
    scenario("ad_hoc/parallel.bpmn").start().complete_ad_hoc("research").completed();
}

#[test]
fn completing_by_command_cancels_what_runs() {
    scenario("ad_hoc/parallel.bpmn")
        .start()
        .activate("research", ["read", "ask"])
        .complete("read")
        .complete_ad_hoc("research")
        .completed();
}

#[test]
fn only_activities_that_nothing_leads_to_can_be_begun() {
    scenario("ad_hoc/parallel.bpmn")
        .start()
        .refuses("element-unknown")
        .activate("research", ["note"])
        .refuses("element-unknown")
        .activate("research", ["read", "dance"])
        .waits_at(["research"]);
}

#[test]
fn boundary_event_ends_it() {
    scenario("ad_hoc/parallel.bpmn")
        .start()
        .activate("research", ["read"])
        .travel("P1D")
        .completed()
        .passed("too_late", 1);
}

#[test]
fn completion_condition_ends_it_and_cancels_the_rest() {
    scenario("ad_hoc/condition.bpmn")
        .start()
        .activate("research", ["read", "ask"])
        .complete_with("read", json!({"enough": true}))
        .completed();
}

#[test]
fn completion_condition_is_asked_after_each_activity() {
    scenario("ad_hoc/condition.bpmn")
        .start()
        .activate("research", ["read", "ask"])
        .complete("read")
        .set("enough", true)
        .waits_at(["ask"])
        .complete("ask")
        .completed();
}

#[test]
fn completion_condition_can_wait_for_the_rest() {
    scenario("ad_hoc/condition_waits.bpmn")
        .start()
        .activate("research", ["read", "ask"])
        .complete_with("read", json!({"enough": true}))
        .waits_at(["ask"])
        .refuses("ad-hoc-ending")
        .activate("research", ["read"])
        .complete("ask")
        .completed();
}

#[test]
fn sequential_one_does_one_thing_at_a_time() {
    scenario("ad_hoc/sequential.bpmn")
        .start()
        .refuses("ad-hoc-sequential")
        .activate("tidy", ["wash", "iron"])
        .activate("tidy", ["iron"])
        .refuses("ad-hoc-busy")
        .activate("tidy", ["wash"])
        .complete("iron")
        .activate("tidy", ["wash"])
        .complete("wash")
        .complete_ad_hoc("tidy")
        .completed();
}

#[test]
fn one_of_zeebe_begins_what_its_collection_names_and_ends_by_itself() {
    scenario("ad_hoc/zeebe.bpmn")
        .start_with(json!({"chosen": ["read", "ask"]}))
        .waits_at(["ask", "read"])
        .complete("read")
        .complete("ask")
        .completed();
}

#[test]
fn one_of_zeebe_with_nothing_to_begin_ends_at_once() {
    scenario("ad_hoc/zeebe.bpmn").start_with(json!({"chosen": []})).completed();
}

#[test]
fn name_that_is_not_there_is_an_incident() {
    scenario("ad_hoc/zeebe.bpmn")
        .start_with(json!({"chosen": ["dance"]}))
        .incident("research", "expression-failed")
        .set("chosen", json!(["read"]))
        .resolve("research")
        .waits_at(["read"])
        .complete("read")
        .completed();
}

#[test]
fn it_holds_sub_processes_boundary_events_and_data() {
    scenario("ad_hoc/inner.bpmn")
        .start()
        .activate("research", ["interview", "read"])
        .complete_with("talk", json!({"notes": "n"}))
        .waits_at(["read"])
        .sees("read", "notes", "n")
        .travel("PT1H")
        .waits_at(["nap"])
        .complete("nap")
        .complete_ad_hoc("research")
        .completed()
        .no_variable("notes");
}

#[test]
fn sequential_one_is_busy_until_the_whole_path_is_done() {
    scenario("ad_hoc/sequential_flow.bpmn")
        .start()
        .activate("tidy", ["wash"])
        .complete("wash")
        .waits_at(["dry"])
        .refuses("ad-hoc-busy")
        .activate("tidy", ["iron"])
        .complete("dry")
        .activate("tidy", ["iron"])
        .complete("iron")
        .complete_ad_hoc("tidy")
        .completed();
}

#[test]
fn error_inside_is_caught_at_its_boundary() {
    scenario("ad_hoc/error.bpmn")
        .start()
        .activate("research", ["fetch", "read"])
        .error("fetch", "broken")
        .completed()
        .passed("gave_up", 1);
}

#[test]
fn ad_hoc_sub_processes_nest() {
    scenario("ad_hoc/nested.bpmn")
        .start()
        .activate("outer", ["inner", "other"])
        .waits_at(["inner", "other"])
        .activate("inner", ["do"])
        .complete("do")
        .complete_ad_hoc("inner")
        .waits_at(["other"])
        .complete("other")
        .waits_at(["outer"])
        .complete_ad_hoc("outer")
        .completed();
}

#[test]
fn once_the_condition_has_held_nothing_new_begins_after_what_still_runs() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <adHocSubProcess id="research" cancelRemainingInstances="false">
    <userTask id="read"/>
    <userTask id="note"/>
    <sequenceFlow id="g1" sourceRef="read" targetRef="note"/>
    <completionCondition>done = true</completionCondition>
  </adHocSubProcess>
  <endEvent id="end"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="research"/>
  <sequenceFlow id="f2" sourceRef="research" targetRef="end"/>
</process>"#,
    )
    .start()
    .activate("research", ["read", "read"])
    .complete_with("read", json!({"done": true}))
    .waits_at(["read"])
    .complete("read")
    .completed()
    .passed("note", 0);
}

#[test]
fn what_goes_on_beside_is_none_of_the_things_done_one_at_a_time() {
    scenario("ad_hoc/sequential_beside.bpmn")
        .start()
        .signal("call")
        .waits_at(["answer"])
        .activate("tidy", ["wash"])
        .waits_at(["answer", "wash"])
        .refuses("ad-hoc-busy")
        .activate("tidy", ["iron"])
        .complete("wash")
        .activate("tidy", ["iron"])
        .complete("answer")
        .refuses("ad-hoc-busy")
        .activate("tidy", ["wash"])
        .complete("iron")
        .complete_ad_hoc("tidy")
        .completed();
}

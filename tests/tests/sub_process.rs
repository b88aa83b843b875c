//! Embedded sub-processes.

use potok_tests::scenario;
use serde_json::json;

#[test]
fn sub_processes_nest() {
    scenario("sub_process/nested.bpmn").start().waits_at(["approve"]).complete("approve").completed().trace(
        "start outer outer_start middle middle_start inner inner_start approve inner_end middle_end outer_end end",
    );
}

#[test]
fn sub_process_without_a_start_event_begins_everywhere_and_an_empty_one_passes() {
    scenario("sub_process/no_start.bpmn")
        .start()
        .waits_at(["read", "write"])
        .complete("read")
        .waits_at(["write"])
        .complete("write")
        .completed()
        .trace("start both read write nothing end");
}

#[test]
fn terminate_ends_only_its_own_sub_process() {
    scenario("sub_process/terminate.bpmn")
        .start()
        .waits_at(["quick", "slow"])
        .complete("quick")
        .waits_at(["celebrate"])
        .complete("celebrate")
        .completed()
        .trace("start race go split quick slow won celebrate end");
}

#[test]
fn boundary_timer_ends_everything_inside() {
    scenario("sub_process/boundary_timer.bpmn")
        .start()
        .waits_at(["deep", "shallow"])
        .complete("shallow")
        .joins(["join"])
        .travel("PT2H")
        .waits_at(["hurry"])
        .joins([])
        .complete("hurry")
        .completed();
}

#[test]
fn boundary_timer_is_over_with_its_sub_process() {
    scenario("sub_process/boundary_timer.bpmn")
        .start()
        .complete("deep")
        .complete("shallow")
        .completed()
        .travel("P1D")
        .completed();
}

#[test]
fn error_goes_outwards_to_what_catches_it() {
    scenario("sub_process/error_outwards.bpmn")
        .start()
        .waits_at(["decide", "meanwhile"])
        .complete("decide")
        .waits_at(["repair"])
        .complete("repair")
        .completed()
        .trace("start outer outer_start inner inner_start split decide meanwhile fail caught repair end");
}

#[test]
fn exact_error_code_wins_over_one_that_takes_any() {
    scenario("sub_process/catch_all_error.bpmn").start().complete("do").waits_at(["repair"]).variable("code", "broken");
}

#[test]
fn any_error_is_caught_where_no_code_is_named() {
    scenario("sub_process/catch_all_error.bpmn").start().error("do", "something-else").waits_at(["guess"]);
}

#[test]
fn error_end_event_that_nothing_catches_fails_the_instance() {
    scenario("sub_process/uncaught_error.bpmn")
        .start()
        .waits_at(["decide", "other"])
        .complete("decide")
        .failed("broken")
        .trace("start split decide other fail");
}

#[test]
fn data_of_a_sub_process_ends_with_it() {
    scenario("sub_process/local_data.bpmn")
        .start()
        .complete_with("write", json!({"draft": "v1", "title": "T"}))
        .sees("read", "draft", "v1")
        .no_variable("draft")
        .complete("read")
        .waits_at(["after"])
        .sees("after", "draft", json!(null))
        .sees("after", "title", "T");
}

#[test]
fn instance_that_is_cancelled_ends_everything() {
    scenario("sub_process/boundary_timer.bpmn").start().cancel().cancelled().travel("P1D").cancelled();
}

#[test]
fn terminate_ends_the_whole_process() {
    scenario("sub_process/terminate_all.bpmn")
        .start_process("terminate_all")
        .waits_at(["call", "decide", "do", "do"])
        .complete("decide")
        .completed()
        .instance_of("called")
        .cancelled();
}

#[test]
fn tokens_that_gather_end_with_their_sub_process() {
    scenario("sub_process/joined.bpmn").start().joins(["pack", "pack"]).travel("PT1H").completed();
}

#[test]
fn boundary_events_of_every_kind() {
    scenario("sub_process/every_boundary.bpmn")
        .start()
        .message("stop", json!({}))
        .signal("alarm")
        .message("stop", json!({}))
        .waits_at(["do"])
        .passed("note", 2)
        .passed("shout", 1)
        .set("level", 4)
        .completed()
        .signal("alarm")
        .passed("shout", 1);
}

#[test]
fn work_cannot_be_done_after_its_sub_process_has_ended() {
    let scenario = scenario("sub_process/every_boundary.bpmn").start();
    scenario.complete("do").completed().early_message("stop", json!({})).passed("note", 0);
}

/// 900 sub-processes in each other, ended at once from outside: no stack is deep enough for a recursion over them.
#[test]
fn deeply_nested_sub_processes_are_cancelled() {
    let mut body = String::new();
    for level in 0..900 {
        let inner = if level == 899 { "work".to_string() } else { format!("level_{}", level + 1) };
        body += &format!(
            r#"<subProcess id="level_{level}"><startEvent id="start_{level}"/>
               <sequenceFlow id="flow_{level}" sourceRef="start_{level}" targetRef="{inner}"/>"#
        );
    }
    body += r#"<userTask id="work"/>"#;
    body += &"</subProcess>".repeat(900);
    potok_tests::model(&format!(
        r#"<process id="deep" isExecutable="true"><startEvent id="start"/>
           <sequenceFlow id="in" sourceRef="start" targetRef="level_0"/>{body}
           <boundaryEvent id="late" attachedToRef="level_0">
             <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
           </boundaryEvent>
           <sequenceFlow id="out" sourceRef="late" targetRef="end"/><endEvent id="end"/></process>"#
    ))
    .start()
    .waits_at(["work"])
    .to_next_timer()
    .completed();
}

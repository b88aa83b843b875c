//! Compensation: undoing what has been done.

use potok_tests::operations::{before, cancel_all};
use potok_tests::{scenario, versions};
use serde_json::json;

#[test]
fn handlers_run_in_reverse_order() {
    scenario("compensation/reverse.bpmn")
        .start()
        .error("pay", "no-money")
        .waits_at(["cancel_flight"])
        .complete("cancel_flight")
        .waits_at(["cancel_hotel"])
        .complete("cancel_hotel")
        .waits_at(["inform"])
        .complete("inform")
        .completed()
        .trace("start book_hotel book_flight pay refused undo cancel_flight cancel_hotel inform end");
}

#[test]
fn what_is_not_undone_leaves_no_trace() {
    scenario("compensation/reverse.bpmn")
        .start()
        .complete("pay")
        .completed()
        .trace("start book_hotel book_flight pay end");
}

#[test]
fn one_activity_is_undone_once() {
    scenario("compensation/one_activity.bpmn")
        .start()
        .completed()
        .trace("start book_hotel book_flight undo_hotel cancel_hotel again end");
}

#[test]
fn end_event_waits_for_what_it_undoes() {
    scenario("compensation/end_event.bpmn").start().waits_at(["release"]).complete("release").completed();
}

#[test]
fn thrower_need_not_wait() {
    scenario("compensation/no_wait.bpmn")
        .start()
        .waits_at(["inform", "release"])
        .complete("inform")
        .waits_at(["release"])
        .complete("release")
        .completed();
}

#[test]
fn activity_that_still_runs_is_not_undone() {
    scenario("compensation/nothing_done.bpmn")
        .start()
        .waits_at(["inform", "reserve"])
        .complete("reserve")
        .complete("inform")
        .completed()
        .passed("release", 0);
}

#[test]
fn sub_process_is_undone_by_undoing_what_was_done_in_it() {
    scenario("compensation/sub_process.bpmn")
        .start()
        .waits_at(["cancel_flight"])
        .complete("cancel_flight")
        .waits_at(["cancel_hotel"])
        .complete("cancel_hotel")
        .completed()
        .passed("revoke", 0);
}

#[test]
fn compensation_stays_in_its_sub_process() {
    scenario("compensation/own_scope.bpmn")
        .start()
        .completed()
        .trace("start outside work begin inside undo revert end");
}

#[test]
fn sub_process_is_undone_by_its_event_sub_process_with_the_data_of_then() {
    scenario("compensation/event_sub_process.bpmn")
        .start()
        .complete_with("place", json!({"number": 17}))
        .waits_at(["look"])
        .no_variable("number")
        .complete("look")
        .waits_at(["call_shop"])
        .sees("call_shop", "number", 17)
        .complete("call_shop")
        .completed()
        .passed("withdraw", 1);
}

#[test]
fn each_instance_is_undone_the_last_first() {
    scenario("compensation/loop.bpmn")
        .start_with(json!({"rooms": ["red", "blue"]}))
        .complete_nth("book", 1, json!({}))
        .complete("book")
        .sees("cancel", "room", "red")
        .complete("cancel")
        .sees("cancel", "room", "blue")
        .complete("cancel")
        .completed();
}

#[test]
fn each_round_of_a_sub_process_is_undone_with_its_data() {
    scenario("compensation/standard_loop.bpmn")
        .start()
        .complete_with("do", json!({"step": "first"}))
        .complete_with("do", json!({"step": "second"}))
        .sees("undo_step", "step", "second")
        .complete("undo_step")
        .sees("undo_step", "step", "first")
        .complete("undo_step")
        .completed();
}

#[test]
fn handler_sees_the_variables_of_its_activity_as_they_were() {
    scenario("compensation/snapshot.bpmn")
        .start_with(json!({"price": 10}))
        .job("charge", json!({"id": "R1"}))
        .complete_with("change", json!({"price": 20}))
        .waits_at(["refund"])
        .sees("refund", "amount", 10)
        .sees("refund", "price", 20)
        .sees("refund", "receipt", "R1")
        .complete("refund")
        .completed();
}

#[test]
fn error_event_sub_process_undoes_what_was_done_around_it() {
    scenario("compensation/from_error.bpmn")
        .start()
        .error("ship", "broken")
        .waits_at(["release"])
        .complete("release")
        .waits_at(["inform"])
        .complete("inform")
        .completed();
}

#[test]
fn handler_can_be_a_sub_process() {
    scenario("compensation/handler_sub_process.bpmn")
        .start()
        .waits_at(["call"])
        .complete("call")
        .waits_at(["confirm"])
        .complete("confirm")
        .completed()
        .trace("start reserve undo release begin call confirm done");
}

#[test]
fn compensation_can_be_interrupted() {
    scenario("compensation/interrupted.bpmn").start().waits_at(["release"]).travel("PT1H").completed();
}

#[test]
fn instance_can_be_cancelled_while_it_is_undone() {
    scenario("compensation/reverse.bpmn").start().error("pay", "no-money").cancel().cancelled();
}

#[test]
fn each_instance_of_a_sub_process_is_undone_with_its_item() {
    scenario("compensation/instances.bpmn")
        .start_with(json!({"items": ["a", "b", "c"]}))
        .complete_nth("confirm", 1, json!({}))
        .complete_nth("confirm", 0, json!({}))
        .complete_nth("confirm", 0, json!({}))
        .sees("withdraw", "item", "c")
        .complete("withdraw")
        .sees("withdraw", "item", "a")
        .complete("withdraw")
        .sees("withdraw", "item", "b")
        .complete("withdraw")
        .completed();
}

#[test]
fn ad_hoc_work_is_undone() {
    scenario("compensation/ad_hoc.bpmn")
        .start()
        .activate("shopping", ["buy", "buy"])
        .complete("buy")
        .complete("buy")
        .complete_ad_hoc("shopping")
        .waits_at(["give_back"])
        .complete("give_back")
        .waits_at(["give_back"])
        .complete("give_back")
        .completed();
}

#[test]
fn handler_can_be_repeated() {
    scenario("compensation/repeated_handler.bpmn")
        .start_with(json!({"guests": ["a", "b"]}))
        .waits_at(["disinvite", "disinvite"])
        .nth_sees("disinvite", 1, "guest", "b")
        .complete("disinvite")
        .complete("disinvite")
        .completed();
}

#[test]
fn handler_that_is_stuck_is_mended() {
    scenario("compensation/failing_handler.bpmn")
        .start()
        .fail_job("release", "no connection")
        .incident("release", "job-failed")
        .resolve("release")
        .job("release", json!({}))
        .completed();
}

#[test]
fn error_of_a_handler_goes_outwards() {
    scenario("compensation/failing_handler.bpmn")
        .start()
        .error("release", "broken")
        .waits_at(["repair"])
        .complete("repair")
        .completed();
}

#[test]
fn boundary_event_of_a_handler_takes_its_place() {
    scenario("compensation/handler_boundary.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["force"])
        .complete("force")
        .waits_at(["after"])
        .complete("after")
        .completed();
}

#[test]
fn sub_process_is_undone_when_nothing_runs_in_it_any_more() {
    scenario("compensation/reminder.bpmn")
        .start()
        .waits_at(["withdraw"])
        .travel("PT1H")
        .waits_at(["remind", "withdraw"])
        .complete("withdraw")
        .waits_at(["remind"])
        .complete("remind")
        .waits_at(["after"])
        .complete("after")
        .completed();
}

#[test]
fn two_throwers_share_what_is_to_be_undone() {
    scenario("compensation/two_throwers.bpmn")
        .start()
        .waits_at(["undo_one", "undo_two"])
        .complete("undo_one")
        .joins(["join"])
        .complete("undo_two")
        .completed()
        .passed("undo_one", 1)
        .passed("undo_two", 1);
}

#[test]
fn sub_process_that_still_runs_is_not_undone() {
    scenario("compensation/running_sub_process.bpmn")
        .start()
        .complete("regret")
        .waits_at(["confirm"])
        .complete("confirm")
        .completed()
        .passed("withdraw", 0);
}

#[test]
fn sub_process_that_is_done_is_undone_from_beside() {
    scenario("compensation/running_sub_process.bpmn")
        .start()
        .complete("confirm")
        .complete("regret")
        .waits_at(["withdraw"])
        .complete("withdraw")
        .completed();
}

#[test]
fn call_is_undone_by_a_call() {
    scenario("compensation/called.bpmn")
        .start()
        .complete("reserve")
        .waits_at(["unbook"])
        .complete("release")
        .completed();
}

#[test]
fn thrower_that_is_ended_ends_its_handlers() {
    scenario("compensation/thrower_ended.bpmn")
        .start()
        .message("regret", json!({}))
        .waits_at(["wait", "withdraw"])
        .signal("stop")
        .waits_at(["explain", "wait"])
        .complete("explain")
        .complete("wait")
        .completed();
}

#[test]
fn all_ends_together_with_a_compensation() {
    scenario("compensation/thrower_ended.bpmn").start().message("regret", json!({})).travel("PT1H").completed();
}

#[test]
fn handler_can_terminate_itself() {
    scenario("compensation/terminated_handler.bpmn")
        .start()
        .waits_at(["call", "write"])
        .complete("call")
        .waits_at(["after"])
        .complete("after")
        .completed();
}

#[test]
fn error_of_an_undoing_event_sub_process_goes_outwards() {
    scenario("compensation/error_in_event_sub_process.bpmn")
        .start()
        .complete("call_shop")
        .waits_at(["repair"])
        .complete("repair")
        .completed();
}

#[test]
fn compensation_runs_beside_the_work() {
    scenario("compensation/beside_running.bpmn")
        .start()
        .message("regret", json!({}))
        .waits_at(["two", "undo_one"])
        .complete("two")
        .waits_at(["undo_one"])
        .complete("undo_one")
        .waits_at(["explain"])
        .message("regret", json!({}))
        .waits_at(["explain", "explain"])
        .complete("explain")
        .complete("explain")
        .completed()
        .passed("undo_one", 1);
}

#[test]
fn instances_that_were_done_before_another_failed_are_undone() {
    scenario("compensation/rounds_before_error.bpmn")
        .start_with(json!({"rooms": ["red", "blue", "green"]}))
        .job("book", json!({}))
        .job("book", json!({}))
        .error("book", "broken")
        .sees("cancel", "room", "blue")
        .complete("cancel")
        .sees("cancel", "room", "red")
        .complete("cancel")
        .completed();
}

#[test]
fn what_ends_the_thrower_is_thrown_when_all_is_undone() {
    for (process, after) in
        [("error", "error_mend"), ("terminate", "terminate_after"), ("escalation", "escalation_mend")]
    {
        let undo = format!("{process}_undo_one");
        scenario("compensation/and_more.bpmn")
            .start_process(process)
            .waits_at([undo.as_str()])
            .complete(&undo)
            .waits_at([after])
            .complete(after)
            .completed()
            .passed(&format!("{process}_throw"), 1);
    }
}

#[test]
fn what_is_undone_may_say_which_error_follows() {
    scenario("compensation/code_of_undone.bpmn")
        .start()
        .complete_with("undo", json!({"code": "late"}))
        .waits_at(["mend"])
        .passed("throw", 1);
}

#[test]
fn several_compensations_of_one_event_run_one_after_the_other() {
    scenario("compensation/and_more.bpmn")
        .start_process("several")
        .kept_messages(1)
        .waits_at(["several_undo_two"])
        .complete("several_undo_two")
        .waits_at(["several_undo_one"])
        .complete("several_undo_one")
        .kept_messages(1)
        .waits_at(["several_mend"]);
}

#[test]
fn a_job_that_an_event_sends_is_waited_for_too() {
    scenario("compensation/and_more.bpmn")
        .start_process("job")
        .waits_at(["job_undo_one"])
        .complete("job_undo_one")
        .waits_at(["job_throw"])
        .job("job_throw", json!({}))
        .waits_at(["job_mend"]);
}

#[test]
fn with_nothing_to_undo_the_rest_is_thrown_at_once() {
    scenario("compensation/and_more.bpmn").start_process("nothing").waits_at(["nothing_mend"]);
}

#[test]
fn a_compensation_that_is_not_waited_for_ends_with_its_sub_process() {
    scenario("compensation/and_more.bpmn").start_process("detached").waits_at(["detached_mend"]);
}

#[test]
fn an_error_that_nothing_catches_fails_the_instance_when_all_is_undone() {
    scenario("compensation/and_more.bpmn")
        .start_process("failed")
        .waits_at(["failed_undo_one"])
        .complete("failed_undo_one")
        .failed("E");
}

#[test]
fn a_transaction_is_cancelled_when_the_one_activity_is_undone() {
    scenario("compensation/and_more.bpmn")
        .start_process("transaction")
        .waits_at(["transaction_undo_one"])
        .complete("transaction_undo_one")
        .waits_at(["transaction_undo_two"])
        .complete("transaction_undo_two")
        .waits_at(["transaction_mend"]);
}

#[test]
fn an_error_of_the_handler_comes_before_what_is_still_to_be_thrown() {
    scenario("compensation/and_more.bpmn").start_process("error").error("error_undo_one", "E").waits_at(["error_mend"]);
    scenario("compensation/and_more.bpmn")
        .start_process("terminate")
        .error("terminate_undo_one", "other")
        .incident("terminate_undo_one", "error-uncaught")
        .resolve("terminate_undo_one")
        .complete("terminate_undo_one")
        .waits_at(["terminate_after"]);
}

#[test]
fn what_is_thrown_last_is_computed_then() {
    scenario("compensation/and_more.bpmn")
        .start_process("computed")
        .waits_at(["computed_undo_one"])
        .complete_with("computed_undo_one", json!({"code": {"not": "text"}}))
        .incident("computed_throw", "expression-failed")
        .set("code", "E")
        .resolve("computed_throw")
        .waits_at(["computed_mend"])
        // What had been thrown before is not thrown again.
        .kept_messages(1)
        .passed("computed_undo_one", 1);
}

#[test]
fn a_modification_may_end_what_is_undone_or_the_thrower() {
    scenario("compensation/and_more.bpmn")
        .start_process("error")
        .modify([cancel_all("error_undo_one")])
        .waits_at(["error_mend"]);
    scenario("compensation/and_more.bpmn")
        .start_process("error")
        .modify([cancel_all("error_throw"), before("error_after")])
        .waits_at(["error_after"])
        .complete("error_after")
        .completed();
    scenario("compensation/and_more.bpmn").start_process("error").cancel().cancelled();
}

#[test]
fn a_migration_takes_what_is_still_to_be_thrown_along() {
    let model = |more: &str| {
        format!(
            r#"<error id="E" errorCode="E"/>
            <process id="p" isExecutable="true"><startEvent id="start"/>{more}<task id="work"/>
            <boundaryEvent id="undo" attachedToRef="work"><compensateEventDefinition/></boundaryEvent>
            <userTask id="revert" isForCompensation="true"/>
            <association id="a" sourceRef="undo" targetRef="revert" associationDirection="One"/>
            <endEvent id="throw"><compensateEventDefinition/><errorEventDefinition errorRef="E"/></endEvent>
            <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
            <sequenceFlow id="f2" sourceRef="work" targetRef="throw"/></process>"#
        )
    };
    versions(&[&model(""), &model(r#"<userTask id="new"/>"#)])
        .version(1)
        .start()
        .waits_at(["revert"])
        .migrate(|plan| plan)
        .complete("revert")
        .failed("E");
}

#[test]
fn what_an_event_sub_process_has_done_is_undone_with_the_transaction_around_it() {
    scenario("compensation/done_by_event_sub_process.bpmn")
        .start()
        .complete("book_hotel")
        .message("insurance", json!({}))
        .message("insurance", json!({}))
        .waits_at(["pay", "book_insurance", "book_insurance"])
        .complete("book_insurance")
        .complete("book_insurance")
        .complete("pay")
        .waits_at(["cancel_insurance"])
        .complete("cancel_insurance")
        .waits_at(["cancel_insurance"])
        .complete("cancel_insurance")
        .waits_at(["cancel_hotel"])
        .complete("cancel_hotel")
        .waits_at(["inform"])
        .complete("inform")
        .completed();
}

#[test]
fn what_an_interrupting_event_sub_process_has_done_is_undone_from_outside() {
    scenario("compensation/done_by_interrupting_event_sub_process.bpmn")
        .start()
        .message("change", json!({}))
        .waits_at(["take_back"])
        .complete("take_back")
        .completed();
}

#[test]
fn what_is_done_after_the_throw_is_not_undone() {
    scenario("compensation/done_after_the_throw.bpmn")
        .start()
        .waits_at(["book_car", "cancel_hotel"])
        .complete("book_car")
        .complete("cancel_hotel")
        .waits_at(["drive"])
        .complete("drive")
        .completed();
}

#[test]
fn compensation_thrown_in_an_event_sub_process_undoes_its_own_work_and_that_around_it() {
    scenario("compensation/thrown_in_event_sub_process.bpmn")
        .start()
        .message("refusal", json!({}))
        .waits_at(["withdraw"])
        .complete("withdraw")
        .waits_at(["release"])
        .complete("release")
        .completed();
}

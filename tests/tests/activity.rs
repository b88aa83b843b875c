//! Tasks of every kind.

use potok_core::value::Value;
use potok_tests::{scenario, scenario_of};
use serde_json::json;

#[test]
fn abstract_and_manual_tasks_pass() {
    scenario("activity/sequence.bpmn")
        .start()
        .waits_at(["approve"])
        .complete_with("approve", json!({"approved": true}))
        .completed()
        .variable("approved", true)
        .trace("start note approve stamp end");
}

#[test]
fn user_task_is_assigned_by_constants_and_expressions() {
    scenario("activity/assignment.bpmn")
        .start_with(json!({"boss": "olga", "owner": "maria", "groups": ["sales", "legal"]}))
        .assignee("approve", "olga")
        .groups("approve", ["sales", "legal"])
        .task("approve", |task| {
            assert_eq!(task.owner.as_deref(), Some("maria"));
            assert_eq!(task.candidate_users.iter().map(|user| &**user).collect::<Vec<_>>(), ["anna", "boris"]);
            assert_eq!(task.due.map(|due| due.to_string()).as_deref(), Some("2026-01-06T09:00:00Z"));
            assert_eq!(task.follow_up.map(|due| due.to_string()).as_deref(), Some("2026-01-05T11:00:00Z"));
            assert_eq!(task.priority, Some(70));
            assert_eq!(task.form_key.as_deref(), Some("order"));
        })
        .complete("approve")
        .completed();
}

#[test]
fn user_task_without_the_assigned_user_is_nobodys() {
    scenario("activity/assignment.bpmn")
        .start_with(json!({"boss": null, "groups": "sales"}))
        .task("approve", |task| assert_eq!((&task.assignee, &task.owner), (&None, &None)))
        .groups("approve", ["sales"])
        .complete("approve")
        .completed();
}

#[test]
fn user_task_belongs_to_its_performers() {
    scenario("activity/performers.bpmn")
        .start_with(json!({"boss": "olga"}))
        .assignee("approve", "olga")
        .groups("approve", ["sales", "legal"])
        .task("approve", |task| assert_eq!(&*task.candidate_users, ["anna"]))
        .complete("approve")
        .completed();
}

#[test]
fn user_who_starts_is_known() {
    scenario("activity/initiator.bpmn")
        .initiator("anna")
        .start()
        .assignee("describe", "anna")
        .complete("describe")
        .completed()
        .variable("requester", "anna");
}

#[test]
fn without_a_user_who_starts_the_variable_is_null_unless_it_is_handed_over() {
    scenario("dialects/camunda_initiator.bpmn").start().waits_at(["write"]).variable("starter", json!(null));
    scenario("dialects/camunda_initiator.bpmn").start_with(json!({"starter": "maria"})).assignee("write", "maria");
}

#[test]
fn service_task_is_a_job() {
    scenario("activity/service_task.bpmn")
        .start_with(json!({"urgency": 9, "kilograms": 2}))
        .job_is("ship", |job| {
            assert_eq!((&*job.kind, job.retries, job.priority), ("ship", 2, 9));
            let headers = [("carrier".into(), Value::from("post")), ("weight".into(), Value::from(2000))];
            assert_eq!(*job.headers, headers);
        })
        .job("ship", json!({"tracking": "A1"}))
        .completed()
        .variable("tracking", "A1");
}

#[test]
fn operation_is_a_job_named_after_its_interface() {
    scenario("activity/operation.bpmn")
        .start()
        .job_is("reserve_goods", |job| assert_eq!(&*job.kind, "Warehouse.reserve"))
        .job("reserve_goods", json!({}))
        .completed();
}

#[test]
fn external_task_of_camunda_is_a_job() {
    scenario("activity/camunda_external.bpmn")
        .start()
        .job_is("charge", |job| assert_eq!(&*job.kind, "payment"))
        .job("charge", json!({}))
        .completed();
}

#[test]
fn send_task_starts_another_process_and_its_answer_comes_back() {
    scenario("activity/send_and_receive.bpmn")
        .business_key("C-1")
        .start()
        .waits_at(["wait"])
        .has_instances("supplier", 1)
        .instance_of("supplier")
        .waits_at(["check"])
        .complete("check")
        .completed()
        .trace("ordered check confirm done")
        .main_instance()
        .completed()
        .trace("start send wait end");
}

#[test]
fn answer_goes_to_the_instance_that_asked() {
    scenario("activity/send_and_receive.bpmn")
        .start()
        .start()
        .has_instances("supplier", 2)
        .nth_instance_of("supplier", 1)
        .complete("check")
        .nth_instance_of("customer", 0)
        .waits_at(["wait"])
        .nth_instance_of("customer", 1)
        .completed();
}

#[test]
fn receive_task_takes_the_message_and_what_it_carries() {
    scenario("activity/receive_later.bpmn")
        .start()
        .complete("prepare")
        .waits_at(["wait"])
        .message("something else", json!({}))
        .waits_at(["wait"])
        .message("answer", json!({"text": "yes"}))
        .completed()
        .variable("text", "yes");
}

#[test]
fn receive_task_without_a_message_waits_for_one_of_its_own_name() {
    scenario("activity/receive_without_message.bpmn")
        .start()
        .waits_at(["wait"])
        .message("wait", json!({"text": "yes"}))
        .completed()
        .variable("text", "yes");
}

#[test]
fn message_that_comes_early_is_kept_until_it_is_waited_for() {
    scenario("activity/receive_later.bpmn")
        .start()
        .early_message("answer", json!({"text": "yes"}))
        .kept_messages(1)
        .complete("prepare")
        .completed()
        .kept_messages(0)
        .variable("text", "yes");
}

#[test]
fn message_that_comes_much_too_early_is_dropped() {
    scenario("activity/receive_later.bpmn")
        .start()
        .early_message("answer", json!({}))
        .travel("PT61M")
        .complete("prepare")
        .waits_at(["wait"])
        .kept_messages(0);
}

#[test]
fn receive_task_can_start_the_process() {
    scenario("activity/instantiating_receive.bpmn")
        .message("claim", json!({"amount": 5}))
        .waits_at(["assess"])
        .variable("amount", 5)
        .complete("assess")
        .completed()
        .trace("receive assess end");
}

#[test]
fn process_that_a_message_starts_is_not_started_without() {
    scenario("activity/instantiating_receive.bpmn")
        .refuses("none-start-missing")
        .start()
        .has_instances("instantiating_receive", 0);
}

#[test]
fn script_task_computes() {
    scenario("activity/script.bpmn")
        .start_with(json!({"price": 2.5, "count": 4}))
        .completed()
        .variables(json!({"total": 10, "price": 2.5, "count": 4}))
        .trace("start multiply forget end");
}

#[test]
fn worker_reports_an_error_that_a_boundary_event_catches() {
    scenario("activity/reported.bpmn")
        .start()
        .error_with("pick", "out-of-stock", json!({"item": 7}))
        .waits_at(["reorder"])
        .variables(json!({"why": "out-of-stock", "item": 7}))
        .complete("reorder")
        .completed()
        .trace("start pick missing reorder end");
}

#[test]
fn worker_reports_an_escalation_and_goes_on() {
    scenario("activity/reported.bpmn")
        .start()
        .escalate("pick", "late")
        .waits_at(["apologize", "pick"])
        .escalate("pick", "late")
        .waits_at(["apologize", "apologize", "pick"])
        .job("pick", json!({}))
        .complete("apologize")
        .active()
        .complete("apologize")
        .completed();
}

#[test]
fn start_quantity_gathers_tokens() {
    scenario("activity/quantities.bpmn")
        .start()
        .waits_at(["pack", "pack"])
        .complete("pack")
        .active()
        .complete("pack")
        .completed()
        .passed("pack", 4)
        .passed("end", 2);
}

#[test]
fn tokens_that_are_too_few_stay() {
    scenario("activity/quantity_too_few.bpmn")
        .start_at(["split"])
        .waits_at(["pack"])
        .joins(["pack"])
        .complete("pack")
        .active()
        .joins(["pack"]);
}

#[test]
fn process_ends_where_nothing_follows() {
    scenario("activity/last_task.bpmn").start().complete("approve").completed().trace("start approve");
}

#[test]
fn process_without_a_start_event_begins_everywhere_that_nothing_leads_to() {
    scenario("activity/no_start.bpmn")
        .start()
        .waits_at(["read", "write"])
        .complete("write")
        .active()
        .complete("read")
        .completed()
        .trace("read write file");
}

#[test]
fn what_is_done_or_unknown_cannot_be_completed() {
    let done = scenario("activity/last_task.bpmn").start().complete("approve").completed();
    done.refuses("instance-not-active").cancel().completed();
}

#[test]
fn receive_task_stops_to_wait_and_waits_again() {
    scenario("activity/receive_until.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["remind"])
        .early_message("answer", json!({}))
        .complete("remind")
        .completed()
        .trace("start wait late remind wait end");
}

#[test]
fn business_rule_task_asks_a_decision() {
    scenario_of(&["activity/decision.bpmn", "activity/risk.dmn"])
        .start_with(json!({"amount": 5000}))
        .completed()
        .variable("risk", "high");
}

#[test]
fn business_rule_task_can_be_a_job() {
    scenario_of(&["activity/business_rule.bpmn", "activity/risk.dmn"])
        .start()
        .job("rate", json!({"amount": 1}))
        .completed()
        .variable("risk", "low");
}

#[test]
fn uncaught_error_ends_its_scope_in_the_dialect_of_camunda() {
    scenario("activity/camunda_uncaught.bpmn")
        .start()
        .error("do", "broken")
        .waits_at(["after"])
        .complete("after")
        .completed();
}

#[test]
fn escalation_that_nothing_catches_has_no_effect() {
    scenario("activity/unhandled_escalation.bpmn")
        .start()
        .waits_at(["do"])
        .complete("do")
        .completed()
        .trace("start ask do end");
}

#[test]
fn script_in_a_language_that_is_not_known_here_is_a_job() {
    scenario("activity/groovy.bpmn")
        .start()
        .job_is("compute", |job| {
            assert_eq!(&*job.kind, "groovy");
            assert_eq!(job.headers, [("script".into(), "total = 1 + 2".into())]);
        })
        .job("compute", json!({"total": 3}))
        .completed()
        .variable("total", 3);
}

#[test]
fn declared_resources_are_groups_and_users() {
    scenario("activity/resources.bpmn")
        .start()
        .groups("approve", ["Heads"])
        .complete("approve")
        .assignee("sign", "anna")
        .complete("sign")
        .completed();
}

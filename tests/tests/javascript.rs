//! Scripts in JavaScript (BPMN 2.0.2 §10.3.3, script tasks).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn a_script_reads_variables_by_name_and_its_last_expression_is_its_result() {
    scenario("javascript/potok.bpmn")
        .start_with(json!({"lines": [{"price": 4, "count": 2}, {"price": 2.5, "count": 1}]}))
        .completed()
        .variable("total", 10.5)
        .passed("said", 1);
    scenario("javascript/potok.bpmn")
        .start_with(json!({"lines": [{"price": 40, "count": 1}]}))
        .completed()
        .passed("few", 1);
}

#[test]
fn a_script_for_camunda_sets_variables_and_throws_errors() {
    scenario("javascript/camunda.bpmn")
        .start_with(json!({"amount": 30}))
        .completed()
        .variable("heard", "charge")
        .variable("note", "charged 30")
        .variable("rest", 70)
        .variable("a", json!([1, 2]))
        .variable("b", json!({"c": true}))
        .passed("charged", 1);
    scenario("javascript/camunda.bpmn").start_with(json!({"amount": 130})).completed().passed("unpaid", 1);
}

#[test]
fn a_script_whose_built_in_functions_would_walk_far_is_an_incident() {
    scenario("javascript/walks_far.bpmn")
        .start_with(json!({"places": 4_294_967_295_u32}))
        .incident_says("too long")
        .set("places", 4)
        .resolve("turn")
        .completed();
}

#[test]
fn a_script_that_cannot_be_interrupted_is_not_waited_for() {
    let start = std::time::Instant::now();
    scenario("javascript/cannot_be_interrupted.bpmn")
        .start_with(json!({"again": true}))
        .incident_says("longer than a second")
        .set("again", false)
        .resolve("turn")
        .completed();
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn a_script_that_never_ends_is_an_incident() {
    scenario("javascript/runs_away.bpmn")
        .start_with(json!({"again": true}))
        .incident_says("longer than a second")
        .set("again", false)
        .resolve("turn")
        .completed();
}

#[test]
fn a_listener_knows_what_it_listens_to_and_which_variables_are_its_own() {
    scenario("javascript/listeners.bpmn")
        .business_key("b")
        .start_with(json!({"count": 1}))
        .variable("log", "check|Check it|start|b create/create ")
        .variable("names", "count,log,names,own: own")
        .complete("check")
        .completed()
        .variable("log", "check|Check it|start|b create/create end ");
}

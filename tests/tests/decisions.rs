//! Business rule tasks and the results of decisions (BPMN 2.0.2 §10.3.4), in each dialect.

use potok_tests::scenario_of;
use serde_json::json;

#[test]
fn camunda_maps_results_by_the_names_of_their_outputs() {
    scenario_of(&["decisions/camunda.bpmn", "decisions/rates.dmn"])
        .start_with(json!({"amount": 2000, "which": "total"}))
        .completed()
        .variable("entry", 3)
        .variable("result", json!({"percent": 3}))
        .variable("entries", json!(["pen", "book"]))
        .variable("list", json!([{"percent": 3}]))
        .variable("unsaid", json!([{"gift": "pen", "cost": 1}, {"gift": "book", "cost": 9}]))
        .variable("literal", json!({"sum": 2060}));
}

#[test]
fn a_list_that_an_output_gives_is_no_list_of_rules() {
    scenario_of(&["decisions/camunda_whole_values.bpmn", "decisions/whole_values.dmn"])
        .start()
        .completed()
        .variable("entry", json!(["sales", "law"]))
        .variable("result", json!({"groups": ["sales", "law"]}))
        .variable("entries", json!([["sales", "law"]]))
        .variable("list", json!([{"groups": ["sales", "law"]}]))
        .variable("rows", json!([{"a": [1]}, {"b": null}]));
}

#[test]
fn several_results_where_one_is_wanted_are_an_incident() {
    scenario_of(&["decisions/camunda_too_many.bpmn", "decisions/rates.dmn"])
        .start_with(json!({"amount": 2000}))
        .incident_says("more than one matching rule");
}

#[test]
fn camunda_shows_the_result_itself_to_outputs_and_end_listeners() {
    scenario_of(&["decisions/camunda_decision_result.bpmn", "decisions/rates.dmn"])
        .start_with(json!({"amount": 2000}))
        .variables(json!({"indexed": 3, "entry": 3, "single": 3, "first": 3, "named": 3, "scripted": 4}))
        .variable("nested", json!({"all": [{"percent": 3}], "none": []}))
        .variables(json!({"gifts": ["pen", "book"], "count": 2}))
        .variable("offers", json!([{"gift": "pen", "cost": 1}, {"gift": "book", "cost": 9}]))
        .no_variable("decisionResult")
        .incident_says("the decision gave the results of 2 rules, not of one");
}

#[test]
fn zeebe_takes_results_as_dmn_gives_them() {
    scenario_of(&["decisions/zeebe.bpmn", "decisions/rates.dmn"])
        .start_with(json!({"amount": 500, "which": "gifts"}))
        .completed()
        .variable("rate", 5)
        .variable("gifts", json!(["pen"]));
}

#[test]
fn flowable_makes_a_variable_of_each_output_and_one_of_all_results() {
    scenario_of(&["decisions/flowable.bpmn", "decisions/rates.dmn"])
        .start_with(json!({"amount": 2000}))
        .completed()
        .variable("percent", 3)
        .variable("offers", json!([{"gift": "pen", "cost": 1}, {"gift": "book", "cost": 9}]));
}

#[test]
fn that_no_rule_matches_may_be_an_error_in_flowable() {
    let files = ["decisions/flowable_no_hits.bpmn", "decisions/rates.dmn"];
    scenario_of(&files).start_with(json!({"amount": "unknown", "strict": false})).completed().no_variable("percent");
    scenario_of(&files)
        .start_with(json!({"amount": "unknown", "strict": true}))
        .incident("strict", "expression-failed")
        .incident_says("decision `rate` has no rule that matches")
        .set("amount", 2000)
        .resolve("strict")
        .completed()
        .variable("percent", 3);
}

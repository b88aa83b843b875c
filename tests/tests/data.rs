//! Data objects, stores, properties, inputs and outputs, and the mappings of the dialects.

use potok_tests::scenario;
use serde_json::json;

#[test]
fn references_to_one_data_object_are_one_variable() {
    scenario("data/objects.bpmn")
        .start_with(json!({"order": {"id": 1}}))
        .sees("pay", "bill", json!({"id": 1}))
        .job("pay", json!({"receipt": "R1"}))
        .completed()
        .variable("order", "R1")
        .no_variable("bill")
        .no_variable("receipt");
}

#[test]
fn assignments_fill_members() {
    scenario("data/assignments.bpmn")
        .start_with(json!({"order": {"amount": 500}}))
        .sees("check", "question", json!({"large": true, "currency": "EUR"}))
        .complete_with("check", json!({"answer": "yes"}))
        .completed()
        .variable("order", json!({"amount": 500, "approved": "yes"}))
        .no_variable("answer");
}

#[test]
fn transformations_compute_what_goes_in_and_out() {
    scenario("data/transformation.bpmn")
        .start_with(json!({"names": ["anna", "boris"], "letters": ["old"]}))
        .sees("write", "first", "anna")
        .complete_with("write", json!({"letter": "new"}))
        .completed()
        .variable("letters", json!(["old", "new"]));
}

#[test]
fn property_of_an_activity_is_its_own() {
    scenario("data/property.bpmn")
        .start()
        .set_at("write", "draft", "v1")
        .sees("write", "draft", "v1")
        .complete_with("write", json!({"draft": "v2", "text": "T"}))
        .waits_at(["after"])
        .no_variable("draft")
        .variable("text", "T");
}

#[test]
fn data_store_is_a_variable_of_its_name() {
    scenario("data/store.bpmn").start_with(json!({"Shelf": ["book"]})).sees("take", "goods", json!(["book"]));
}

#[test]
fn event_gives_what_it_caught_to_a_data_object() {
    scenario("data/event.bpmn")
        .start()
        .message("answer", json!({"text": "yes", "noise": 1}))
        .completed()
        .variable("reply", "yes")
        .no_variable("text")
        .no_variable("noise");
}

#[test]
fn script_in_feel_gives_its_result_to_its_only_output() {
    scenario("data/script.bpmn")
        .start_with(json!({"numbers": [1, 2, 3]}))
        .completed()
        .variable("sum", 2)
        .variable("squares", json!([1, 4, 9]))
        .no_variable("result")
        .no_variable("square");
}

#[test]
fn mappings_choose_what_goes_in_and_out() {
    scenario("data/potok.bpmn")
        .start_with(json!({"order": {"text": "how much?", "id": 1}, "limit": 5}))
        .sees("ask", "question", "how much?")
        .sees("ask", "options", json!({"limit": 5}))
        .job("ask", json!({"reply": {"text": "much"}, "noise": 1}))
        .completed()
        .variable("order", json!({"text": "how much?", "id": 1, "answer": "much"}))
        .no_variable("question")
        .no_variable("options")
        .no_variable("reply")
        .no_variable("noise");
}

#[test]
fn local_result_of_a_job_is_seen_by_its_output_mappings_only() {
    scenario("data/potok.bpmn")
        .start_with(json!({"order": {}, "limit": 5}))
        .job_locally("ask", json!({"reply": {"text": "much"}}))
        .completed()
        .variable("order", json!({"answer": "much"}))
        .no_variable("reply");
}

#[test]
fn mappings_of_zeebe_on_a_sub_process() {
    scenario("data/zeebe.bpmn")
        .start_with(json!({"price": 5}))
        .sees("do", "local", 10)
        .job("do", json!({"result": 1}))
        .completed()
        .variable("more", 11)
        .no_variable("double")
        .no_variable("local");
}

#[test]
fn mappings_of_camunda() {
    scenario("data/camunda.bpmn")
        .start()
        .sees("do", "greeting", "hello")
        .sees("do", "list", json!(["a", "b"]))
        .sees("do", "map", json!({"k": "v"}))
        .job("do", json!({"result": 1}))
        .completed()
        .variables(json!({"answer": "done", "result": 1}))
        .no_variable("greeting");
}

#[test]
fn inner_data_object_hides_the_outer_variable_and_is_found_from_further_inside() {
    scenario("data/shadow.bpmn")
        .start_with(json!({"x": "outside"}))
        .sees("write", "x", json!(null))
        .complete_with("write", json!({"x": "inside"}))
        .sees("read", "x", "inside")
        .variable("x", "outside")
        .complete("read")
        .completed()
        .variable("x", "outside");
}

#[test]
fn each_round_begins_with_data_of_its_own() {
    scenario("data/loop_local.bpmn")
        .start()
        .complete_with("write", json!({"note": "first"}))
        .sees("read", "note", "first")
        .complete("read")
        .sees("write", "note", json!(null))
        .complete("write")
        .complete("read")
        .completed();
}

#[test]
fn inputs_and_outputs_of_the_process_are_its_variables() {
    scenario("data/process_io.bpmn")
        .start_with(json!({"request": "how?"}))
        .sees("work", "question", "how?")
        .complete_with("work", json!({"answer": "so"}))
        .completed()
        .variable("response", "so")
        .no_variable("answer");
}

#[test]
fn name_of_a_reference_names_its_data_object() {
    scenario("data/named_references.bpmn")
        .start_with(json!({"invoice": 17}))
        .sees("work", "first", 17)
        .sees("work", "second", 17);
}

#[test]
fn what_an_event_or_send_task_carries_goes_to_the_one_data_output_of_what_catches_it() {
    scenario("data/items.bpmn")
        .process("p")
        .start_with(json!({"o": 7}))
        .completed()
        .variable("warned", 7)
        .no_variable("sent4")
        .instance_of("q")
        .waits_at(["check"])
        .variable("kept1", 7)
        .variable("kept2", 8)
        .variable("kept3", 9)
        .no_variable("bill")
        .no_variable("invoice");
}

#[test]
fn associations_reach_the_very_data_that_they_name() {
    scenario("data/same_names.bpmn")
        .start_with(json!({"order": 1}))
        .sees("work", "seen", 1)
        .complete_with("work", json!({"one": 5, "two": 6}))
        .sees("look", "order", 6)
        .variable("order", 5)
        .complete("look")
        // What a property of an event is given ends with the event.
        .message("told", json!({"payload": 3}))
        .waits_at(["after"])
        .variables(json!({"order": 5}));
}

#[test]
fn properties_and_outputs_do_not_take_the_place_of_data_of_the_same_name() {
    scenario("data/shadowed.bpmn")
        .start_with(json!({"total": 7, "values": ["a", "b"]}))
        .sees("work", "seen", 7)
        .complete_with("work", json!({"to_outer": 9, "to_inner": 1}))
        .variable("total", 9)
        .sees("each", "price", "a")
        .complete_with("each", json!({"sum": 3}))
        .sees("each", "price", "b")
        .complete_with("each", json!({"sum": 4}))
        .variable("results", json!([3, 4]))
        .sees("look", "before", 1)
        .complete_with("look", json!({"total": 10}))
        .completed()
        .variable("total", 10);
}

#[test]
fn what_starts_a_process_keeps_what_comes_to_itself_and_gives_its_outputs() {
    let brought = || json!({"text": "where is it?", "sender": "anna"});
    let kept = || json!({"question": "where is it?"});
    scenario("data/starts.bpmn")
        .message("letter", brought())
        .instance_of("started")
        .waits_at(["answer"])
        .variables(kept())
        .signal_with("alarm", brought())
        .nth_instance_of("started", 1)
        .waits_at(["answer"])
        .variables(kept())
        .message("call", brought())
        .instance_of("received")
        .waits_at(["answer_call"])
        .variables(kept())
        .message("mail", brought())
        .instance_of("decided")
        .waits_at(["answer_mail"])
        .variables(kept());
}

#[test]
fn each_definition_of_a_multiple_event_has_data_of_its_own() {
    // Thrown: each carries its own input, whatever the order in which they are thrown.
    scenario("data/multiple.bpmn")
        .process("p")
        .start_with(json!({"ordered": "book", "due": 5, "news": "soon"}))
        .completed()
        .instance_of("shop")
        .variables(json!({"wanted": "book"}))
        .instance_of("radio")
        .variables(json!({"heard": "soon"}))
        .start_process("office")
        .instance_of("office")
        .waits_at(["file"])
        .variables(json!({"bill": 5}));
    // Caught: the output of the definition that has occurred, and no other.
    scenario("data/multiple.bpmn")
        .process("office")
        .start_with(json!({"order": "old", "bill": 1, "item": "other"}))
        .message("bill", json!({"whatever": 6}))
        .waits_at(["file"])
        .variables(json!({"order": "old", "bill": 6, "item": "other"}));
    scenario("data/multiple.bpmn")
        .process("office")
        .start_with(json!({"order": "old", "bill": 1}))
        .signal_with("told", json!({"whatever": 7}))
        .instance_of("office")
        .waits_at(["file"])
        .variables(json!({"order": "old", "bill": 1, "news": 7}));
    scenario("data/multiple.bpmn")
        .message("old order", json!({"whatever": "atlas"}))
        .instance_of("archive")
        .waits_at(["look"])
        .variables(json!({"order": "atlas"}));
}

#[test]
fn an_activity_begins_once_one_of_its_input_sets_is_there() {
    scenario("data/input_sets.bpmn").start_with(json!({"order": 7})).waits_at(["ship"]).sees("ship", "by_order", 7);
    scenario("data/input_sets.bpmn").start_with(json!({"offer": 8})).waits_at(["ship"]).sees("ship", "by_offer", 8);
    scenario("data/input_sets.bpmn")
        .start_with(json!({"remark": "soon"}))
        .incident("ship", "data-missing")
        .incident_says("`order` for its input `by_order`")
        .resolve("ship")
        .incident("ship", "data-missing")
        .set("order", 9)
        .resolve("ship")
        .sees("ship", "by_order", 9)
        .complete("ship")
        .completed();
}

//! Signals reach everybody who listens (BPMN 2.0.2 §10.5.1).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn a_signal_reaches_all_instances_and_starts_processes() {
    scenario("signals/between_instances.bpmn")
        .start_process("listener")
        .start_process("listener")
        .start_process("thrower")
        .nth_instance_of("listener", 0)
        .waits_at(["flee"])
        .nth_instance_of("listener", 1)
        .waits_at(["flee"])
        .instance_of("brigade")
        .waits_at(["extinguish"])
        .has_instances("brigade", 1);
}

#[test]
fn a_signal_is_not_kept() {
    scenario("signals/between_instances.bpmn")
        .start_process("thrower")
        .start_process("listener")
        .instance_of("listener")
        .waits_at(["heard"]);
}

#[test]
fn a_signal_from_outside_carries_data_to_all() {
    scenario("signals/between_instances.bpmn")
        .start_process("listener")
        .start_process("listener")
        .signal_with("alarm", json!({"place": "hall"}))
        .nth_instance_of("listener", 0)
        .variable("place", "hall")
        .nth_instance_of("listener", 1)
        .variable("place", "hall")
        .instance_of("brigade")
        .variable("place", "hall");
}

#[test]
fn a_signal_reaches_its_own_instance() {
    scenario("signals/own_instance_first.bpmn").start().complete("ready").waits_at(["flee"]);
}

#[test]
fn a_signal_reaches_every_event_of_an_instance() {
    scenario("signals/everybody_in_one_instance.bpmn").start().signal("alarm").completed().passed("end", 3);
}

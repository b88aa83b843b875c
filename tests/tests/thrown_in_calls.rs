//! What a called process throws is heard by whoever was listening then, before its caller goes on (BPMN 2.0.2 §10.5.1): also where it
//! throws it and ends without waiting for anything in between.

use potok_tests::{Scenario, model};
use serde_json::json;

/// What is thrown and caught, in the words of a definition of an event.
const SIGNAL: &str = r#"<signalEventDefinition signalRef="alarm"/>"#;
const MESSAGE: &str = r#"<messageEventDefinition messageRef="news"/>"#;
const ESCALATION: &str = r#"<escalationEventDefinition escalationRef="trouble"/>"#;

const ALL: [&str; 3] = [SIGNAL, MESSAGE, ESCALATION];
const BETWEEN: [&str; 2] = [SIGNAL, MESSAGE];

/// Processes by id, each by its flow nodes and by its flows: `a b c` leads from one to the next.
fn processes(processes: &[(&str, &str, &[&str])]) -> Scenario {
    let mut text =
        r#"<signal id="alarm" name="alarm"/><signal id="answer" name="answer"/><message id="news" name="news"/>
        <escalation id="trouble" escalationCode="trouble"/>"#
            .to_owned();
    for (id, nodes, flows) in processes {
        text += &format!(r#"<process id="{id}">{nodes}"#);
        for flow in *flows {
            let nodes: Vec<&str> = flow.split(' ').collect();
            for pair in nodes.windows(2) {
                let (source, target) = (pair[0], pair[1]);
                text +=
                    &format!(r#"<sequenceFlow id="{source}_to_{target}" sourceRef="{source}" targetRef="{target}"/>"#);
            }
        }
        text += "</process>";
    }
    model(&text)
}

/// A process that throws by its end event and waits for nothing.
fn throws_at_its_end(thrown: &str) -> String {
    format!(r#"<startEvent id="called_start"/><endEvent id="throw">{thrown}</endEvent>"#)
}

/// A process that throws between its start and its end and waits for nothing.
fn throws_on_its_way(thrown: &str) -> String {
    format!(
        r#"<startEvent id="called_start"/><intermediateThrowEvent id="throw">{thrown}</intermediateThrowEvent>
        <endEvent id="called_end"/>"#
    )
}

/// A process that throws when its task is completed, and ends.
fn throws_after_a_task(thrown: &str) -> String {
    format!(r#"<startEvent id="called_start"/><userTask id="look"/><endEvent id="throw">{thrown}</endEvent>"#)
}

/// A process that calls another, and catches what that throws at the call.
fn catches_at_the_call(caught: &str, interrupting: bool) -> String {
    format!(
        r#"<startEvent id="start"/><callActivity id="call" calledElement="called"/>
        <boundaryEvent id="boundary" attachedToRef="call" cancelActivity="{interrupting}">{caught}</boundaryEvent>
        <userTask id="react"/><userTask id="go_on"/>"#
    )
}

const CALLER: &[&str] = &["start call go_on", "boundary react"];

#[test]
fn at_the_end_and_caught_at_the_call() {
    for event in ALL {
        let (caller, called) = (catches_at_the_call(event, true), throws_at_its_end(event));
        processes(&[("main", &caller, CALLER), ("called", &called, &["called_start throw"])])
            .start()
            .waits_at(["react"]);
    }
}

#[test]
fn on_the_way_and_caught_at_the_call() {
    for event in ALL {
        let (caller, called) = (catches_at_the_call(event, true), throws_on_its_way(event));
        processes(&[("main", &caller, CALLER), ("called", &called, &["called_start throw called_end"])])
            .start()
            .waits_at(["react"]);
    }
}

#[test]
fn at_the_end_and_caught_at_the_call_without_interrupting() {
    for event in ALL {
        let (caller, called) = (catches_at_the_call(event, false), throws_at_its_end(event));
        processes(&[("main", &caller, CALLER), ("called", &called, &["called_start throw"])])
            .start()
            .waits_at(["react", "go_on"]);
    }
}

#[test]
fn on_the_way_and_caught_at_the_call_without_interrupting() {
    for event in ALL {
        let (caller, called) = (catches_at_the_call(event, false), throws_on_its_way(event));
        processes(&[("main", &caller, CALLER), ("called", &called, &["called_start throw called_end"])])
            .start()
            .waits_at(["react", "go_on"]);
    }
}

#[test]
fn after_a_task_and_caught_at_the_call() {
    for event in ALL {
        for (interrupting, expected) in [(true, &["react"][..]), (false, &["react", "go_on"][..])] {
            let (caller, called) = (catches_at_the_call(event, interrupting), throws_after_a_task(event));
            let scenario = processes(&[("main", &caller, CALLER), ("called", &called, &["called_start look throw"])])
                .start()
                .instance_of("called")
                .complete("look")
                .main_instance();
            match expected {
                [one] => scenario.waits_at([one]),
                _ => scenario.waits_at(["react", "go_on"]),
            };
        }
    }
}

#[test]
fn caught_by_an_event_sub_process_of_the_caller() {
    for event in ALL {
        for interrupting in [true, false] {
            let caller = format!(
                r#"<startEvent id="start"/><callActivity id="call" calledElement="called"/><endEvent id="end"/>
                <subProcess id="handler" triggeredByEvent="true">
                  <startEvent id="heard" isInterrupting="{interrupting}">{event}</startEvent><userTask id="react"/>
                  <sequenceFlow id="heard_to_react" sourceRef="heard" targetRef="react"/>
                </subProcess>"#
            );
            let called = throws_at_its_end(event);
            processes(&[("main", &caller, &["start call end"]), ("called", &called, &["called_start throw"])])
                .start()
                .waits_at(["react"])
                .passed("end", usize::from(!interrupting));
        }
    }
}

#[test]
fn caught_two_calls_further_out() {
    let middle = r#"<startEvent id="middle_start"/><callActivity id="inner" calledElement="called"/><endEvent id="middle_end"/>"#;
    for event in ALL {
        let (caller, called) = (catches_at_the_call(event, true), throws_at_its_end(event));
        let caller = caller.replace(r#"calledElement="called""#, r#"calledElement="middle""#);
        processes(&[
            ("main", &caller, CALLER),
            ("middle", middle, &["middle_start inner middle_end"]),
            ("called", &called, &["called_start throw"]),
        ])
        .start()
        .waits_at(["react"]);
    }
}

#[test]
fn a_signal_is_caught_at_each_call_on_the_way_out() {
    let outer = catches_at_the_call(SIGNAL, false).replace(r#"calledElement="called""#, r#"calledElement="middle""#);
    let middle = catches_at_the_call(SIGNAL, false);
    let called = throws_at_its_end(SIGNAL);
    processes(&[
        ("main", &outer, CALLER),
        (
            "middle",
            &middle.replace(r#"id=""#, r#"id="middle_"#).replace(r#"ToRef=""#, r#"ToRef="middle_"#),
            &["middle_start middle_call middle_go_on", "middle_boundary middle_react"],
        ),
        ("called", &called, &["called_start throw"]),
    ])
    .start()
    .waits_at(["call", "react"])
    .instance_of("middle")
    .waits_at(["middle_react", "middle_go_on"]);
}

#[test]
fn by_each_round_of_a_multi_instance_call() {
    for event in ALL {
        for sequential in [true, false] {
            let caller = catches_at_the_call(event, false).replace(
                r#"calledElement="called"/>"#,
                &format!(
                    r#"calledElement="called"><multiInstanceLoopCharacteristics isSequential="{sequential}">
                    <loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></callActivity>"#
                ),
            );
            let called = throws_at_its_end(event);
            processes(&[("main", &caller, CALLER), ("called", &called, &["called_start throw"])])
                .start()
                .waits_at(["react", "react", "react", "go_on"]);
        }
    }
}

#[test]
fn a_multi_instance_call_is_interrupted_by_its_first_round() {
    for event in ALL {
        for (sequential, begun) in [(true, 1), (false, 3)] {
            let caller = catches_at_the_call(event, true).replace(
                r#"calledElement="called"/>"#,
                &format!(
                    r#"calledElement="called"><multiInstanceLoopCharacteristics isSequential="{sequential}">
                    <loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></callActivity>"#
                ),
            );
            let called = throws_at_its_end(event);
            processes(&[("main", &caller, CALLER), ("called", &called, &["called_start throw"])])
                .start()
                .waits_at(["react"])
                .has_instances("called", begun);
        }
    }
}

/// A process that calls one that listens and one that throws, and ends both when the latter has returned.
const TERMINATES: &str = r#"<startEvent id="start"/><parallelGateway id="split"/>
    <callActivity id="hear" calledElement="listener"/><callActivity id="call" calledElement="called"/><endEvent id="heard"/>
    <endEvent id="stop"><terminateEventDefinition/></endEvent>"#;

fn listens(caught: &str) -> String {
    format!(
        r#"<startEvent id="listener_start"/><intermediateCatchEvent id="listen">{caught}</intermediateCatchEvent>
        <endEvent id="listener_end"/>"#
    )
}

#[test]
fn a_sibling_hears_it_before_the_caller_terminates() {
    for event in BETWEEN {
        let (listener, called) = (listens(event), throws_at_its_end(event));
        processes(&[
            ("main", TERMINATES, &["start split hear heard", "split call stop"]),
            ("listener", &listener, &["listener_start listen listener_end"]),
            ("called", &called, &["called_start throw"]),
        ])
        .start()
        .completed()
        .instance_of("listener")
        .passed("listener_end", 1)
        .completed();
    }
}

#[test]
fn a_sibling_that_has_waited_for_long_hears_it_before_the_caller_terminates() {
    for event in BETWEEN {
        let (listener, called) = (listens(event), throws_after_a_task(event));
        processes(&[
            ("main", TERMINATES, &["start split hear heard", "split call stop"]),
            ("listener", &listener, &["listener_start listen listener_end"]),
            ("called", &called, &["called_start look throw"]),
        ])
        .start()
        .instance_of("called")
        .complete("look")
        .main_instance()
        .completed()
        .instance_of("listener")
        .passed("listener_end", 1)
        .completed();
    }
}

#[test]
fn a_branch_of_the_caller_hears_it_before_the_caller_terminates() {
    let caller = |event: &str| {
        format!(
            r#"<startEvent id="start"/><parallelGateway id="split"/><intermediateCatchEvent id="listen">{event}</intermediateCatchEvent>
            <task id="heard"/><endEvent id="end"/><callActivity id="call" calledElement="called"/>
            <endEvent id="stop"><terminateEventDefinition/></endEvent>"#
        )
    };
    for event in BETWEEN {
        let (caller, called) = (caller(event), throws_at_its_end(event));
        processes(&[
            ("main", &caller, &["start split listen heard end", "split call stop"]),
            ("called", &called, &["called_start throw"]),
        ])
        .start()
        .completed()
        .passed("heard", 1);
    }
}

#[test]
fn a_message_goes_to_the_call_that_expects_its_key() {
    let scenario = || {
        model(
            r#"<message id="keyed" name="keyed" potok:correlationKey="=order"/>
            <process id="main"><startEvent id="start"/><callActivity id="call" calledElement="called"/>
            <boundaryEvent id="boundary" attachedToRef="call"><messageEventDefinition messageRef="keyed"/></boundaryEvent>
            <userTask id="react"/><userTask id="go_on"/><sequenceFlow id="begun" sourceRef="start" targetRef="call"/>
            <sequenceFlow id="called_back" sourceRef="call" targetRef="go_on"/>
            <sequenceFlow id="told" sourceRef="boundary" targetRef="react"/></process>
            <process id="called"><startEvent id="called_start"/>
            <scriptTask id="change" potok:resultVariable="order"><script>if change then 2 else 1</script></scriptTask>
            <endEvent id="throw"><messageEventDefinition messageRef="keyed"/></endEvent>
            <sequenceFlow id="asked" sourceRef="called_start" targetRef="change"/>
            <sequenceFlow id="changed" sourceRef="change" targetRef="throw"/></process>"#,
        )
    };
    scenario().start_with(json!({"order": 1, "change": false})).waits_at(["react"]);
    scenario().start_with(json!({"order": 1, "change": true})).waits_at(["go_on"]).kept_messages(1);
}

#[test]
fn who_is_no_relation_hears_a_signal_before_what_is_thrown_next() {
    let listener = format!(
        r#"<startEvent id="listener_start"/><eventBasedGateway id="either"/>
        <intermediateCatchEvent id="told">{MESSAGE}</intermediateCatchEvent><userTask id="read"/>
        <intermediateCatchEvent id="alarmed">{SIGNAL}</intermediateCatchEvent><userTask id="flee"/>"#
    );
    let thrower = format!(
        r#"<startEvent id="start"/><intermediateThrowEvent id="shout">{SIGNAL}</intermediateThrowEvent>
        <endEvent id="tell">{MESSAGE}</endEvent>"#
    );
    processes(&[
        ("main", &thrower, &["start shout tell"]),
        ("listener", &listener, &["listener_start either told read", "either alarmed flee"]),
    ])
    .start_process("listener")
    .start_process("main")
    .instance_of("listener")
    .waits_at(["flee"])
    .kept_messages(1);
}

#[test]
fn a_signal_from_outside_is_heard_by_a_called_process_before_its_caller_goes_on() {
    let (caller, called) = (catches_at_the_call(SIGNAL, true), listens(SIGNAL));
    processes(&[("main", &caller, CALLER), ("called", &called, &["listener_start listen listener_end"])])
        .start()
        .signal("alarm")
        .waits_at(["react"])
        .instance_of("called")
        .passed("listener_end", 1)
        .completed();
}

#[test]
fn a_message_that_nobody_waited_for_is_taken_as_soon_as_somebody_does() {
    // Behind the calls one branch waits for the message while the other, a call further away, ends them all.
    let caller = format!(
        r#"<startEvent id="start"/><parallelGateway id="split"/><callActivity id="call" calledElement="called"/>
        <intermediateCatchEvent id="listen">{MESSAGE}</intermediateCatchEvent><task id="heard"/><endEvent id="end"/>
        <callActivity id="detour" calledElement="middle"/><endEvent id="stop"><terminateEventDefinition/></endEvent>"#
    );
    let calls = |called: &str, id: &str| {
        format!(
            r#"<startEvent id="{id}_start"/><callActivity id="{id}_call" calledElement="{called}"/><endEvent id="{id}_end"/>"#
        )
    };
    let called = throws_at_its_end(MESSAGE);
    processes(&[
        ("main", &caller, &["start split call listen heard end", "split detour stop"]),
        ("called", &called, &["called_start throw"]),
        ("middle", &calls("inner", "middle"), &["middle_start middle_call middle_end"]),
        ("inner", &calls("innermost", "inner"), &["inner_start inner_call inner_end"]),
        ("innermost", r#"<startEvent id="last_start"/><endEvent id="last_end"/>"#, &["last_start last_end"]),
    ])
    .start()
    .completed()
    .passed("heard", 1)
    .kept_messages(0);
}

#[test]
fn a_signal_thrown_in_a_call_starts_processes_too() {
    let (caller, called) = (catches_at_the_call(SIGNAL, true), throws_at_its_end(SIGNAL));
    let started = format!(r#"<startEvent id="alarmed">{SIGNAL}</startEvent><userTask id="extinguish"/>"#);
    processes(&[
        ("main", &caller, CALLER),
        ("called", &called, &["called_start throw"]),
        ("brigade", &started, &["alarmed extinguish"]),
    ])
    .start()
    .waits_at(["react"])
    .instance_of("brigade")
    .waits_at(["extinguish"])
    .has_instances("brigade", 1);
}

#[test]
fn instances_that_signal_to_each_other_without_end_are_stopped() {
    let answers = |id: &str, heard: &str, thrown: &str| {
        format!(
            r#"<startEvent id="{id}_start"/><exclusiveGateway id="{id}_again"/>
            <intermediateCatchEvent id="{id}_listen"><signalEventDefinition signalRef="{heard}"/></intermediateCatchEvent>
            <intermediateThrowEvent id="{id}_throw"><signalEventDefinition signalRef="{thrown}"/></intermediateThrowEvent>"#
        )
    };
    processes(&[
        ("ping", &answers("ping", "alarm", "answer"), &["ping_start ping_again ping_listen ping_throw ping_again"]),
        ("pong", &answers("pong", "answer", "alarm"), &["pong_start pong_again pong_listen pong_throw pong_again"]),
    ])
    .start_process("ping")
    .start_process("pong")
    .signal("alarm")
    .active()
    .stopped("answer");
}

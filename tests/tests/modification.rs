//! Modification: operators start and cancel tokens of a running instance, as in Camunda 7.

use potok_core::instance::{Key, ROOT};
use potok_core::step::{Instruction, Target};
use potok_tests::operations::{after, before, cancel_all, move_all, on, with, with_local, within};
use potok_tests::{Scenario, model};
use serde_json::json;

/// start -> check -> approve -> end, with a listener that counts on `approve`.
fn line() -> Scenario {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><userTask id="check"/>
    <userTask id="approve"/><userTask id="pay"/><endEvent id="end"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="check"/>
    <sequenceFlow id="b" sourceRef="check" targetRef="approve"/>
    <sequenceFlow id="c" sourceRef="approve" targetRef="pay"/>
    <sequenceFlow id="d" sourceRef="pay" targetRef="end"/></process>"#,
    )
}

/// A sub-process `sub` (with a message boundary event, a timer event sub-process, an input and data) inside of `outer`, with
/// the tasks `one` and `two`; `aside` beside it.
fn nested() -> Scenario {
    model(
        r#"<message id="m" name="m"><extensionElements><zeebe:subscription correlationKey="=1"/></extensionElements></message>
    <process id="p" isExecutable="true"><startEvent id="start"/><userTask id="aside"/>
    <subProcess id="outer"><startEvent id="s1"/>
      <subProcess id="sub"><extensionElements><zeebe:ioMapping><zeebe:input source="=1+1" target="two"/></zeebe:ioMapping>
        </extensionElements><startEvent id="s2"/><userTask id="one"/><userTask id="other"/><endEvent id="e2"/>
        <subProcess id="late" triggeredByEvent="true"><startEvent id="timer" isInterrupting="true">
          <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></startEvent>
          <userTask id="hurry"/><sequenceFlow id="l1" sourceRef="timer" targetRef="hurry"/></subProcess>
        <sequenceFlow id="f1" sourceRef="s2" targetRef="one"/><sequenceFlow id="f2" sourceRef="one" targetRef="other"/>
        <sequenceFlow id="f3" sourceRef="other" targetRef="e2"/></subProcess>
      <boundaryEvent id="stop" attachedToRef="sub"><messageEventDefinition messageRef="m"/></boundaryEvent>
      <userTask id="stopped"/>
      <sequenceFlow id="g1" sourceRef="s1" targetRef="sub"/><sequenceFlow id="g2" sourceRef="stop" targetRef="stopped"/>
    </subProcess><endEvent id="end"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="aside"/>
    <sequenceFlow id="b" sourceRef="aside" targetRef="outer"/>
    <sequenceFlow id="c" sourceRef="outer" targetRef="end"/></process>"#,
    )
}

#[test]
fn a_token_goes_elsewhere() {
    line()
        .start()
        .modify([cancel_all("check"), before("pay")])
        .waits_at(["pay"])
        .complete("pay")
        .completed()
        .trace("start check pay end");
}

#[test]
fn tokens_begin_after_a_flow_node_and_on_a_flow() {
    line().start().modify([after("check"), on("c"), cancel_all("check")]).waits_at(["approve", "pay"]).active();
}

#[test]
fn an_instance_of_which_nothing_is_left_is_cancelled() {
    line().start().modify([cancel_all("check")]).cancelled();
}

#[test]
fn instructions_are_carried_out_in_their_order() {
    // What is started is cancelled, too, if it is asked for afterwards.
    line().start().modify([before("check"), cancel_all("check"), before("pay")]).waits_at(["pay"]);
    line().start().modify([cancel_all("check"), before("check"), before("check")]).waits_at(["check", "check"]);
}

#[test]
fn one_of_several_is_cancelled_by_its_key_or_serial() {
    let s = line().start().modify([before("check"), before("pay")]).waits_at(["check", "check", "pay"]);
    let (task, token) = (s.key_of("pay"), s.token_on("check", 0));
    s.modify([Instruction::Cancel(Target::Wait(task)), Instruction::Cancel(Target::Token(token))]).waits_at(["check"]);
}

#[test]
fn variables_are_set_before_what_begins() {
    line()
        .start_with(json!({"a": 1}))
        .modify([cancel_all("check"), with_local(with(before("approve"), json!({"a": 2, "b": 3})), json!({"mine": 4}))])
        .sees("approve", "a", 2)
        .sees("approve", "mine", 4)
        .no_variable("mine")
        .variable("b", 3)
        .complete("approve")
        .waits_at(["pay"])
        .complete("pay")
        .completed();
}

#[test]
fn sub_processes_begin_around_what_begins_inside() {
    nested()
        .start()
        .modify([cancel_all("aside"), with_local(before("other"), json!({"mine": 1}))])
        .waits_at(["other"])
        .sees("other", "two", 2)
        .sees("other", "mine", 1)
        .message_with_key("m", 1, json!({}))
        .waits_at(["stopped"])
        .complete("stopped")
        .completed()
        .trace("start aside outer sub other stop stopped end");
}

#[test]
fn event_sub_processes_wait_in_what_begins_around() {
    nested()
        .start()
        .modify([before("other")])
        .travel("PT1H")
        .waits_at(["aside", "hurry"])
        .complete("hurry")
        .waits_at(["aside"]);
}

#[test]
fn what_begins_inside_joins_the_one_scope_that_there_is() {
    let s = nested().start().complete("aside").waits_at(["one"]).set_at("one", "here", 1);
    s.modify([before("other")])
        .waits_at(["one", "other"])
        .complete("one")
        .complete("other")
        .complete("other")
        .completed();
}

#[test]
fn a_scope_is_chosen_among_several() {
    let s = nested().start().modify([before("outer"), before("outer")]).waits_at(["aside", "one", "one"]);
    let s = s.refuses("scope-ambiguous").modify([before("other")]);
    let (outer, sub) = (s.scope_of("outer", 0), s.scope_of("sub", 1));
    let s = s.modify([within(before("other"), sub)]).waits_at(["aside", "one", "one", "other"]);
    // Within the outer one, another inner one begins.
    let s = s.modify([within(before("other"), outer)]).waits_at(["aside", "one", "one", "other", "other"]);
    s.scope_of("sub", 2);
    s.modify([within(before("other"), ROOT)]).scope_of("outer", 2);
}

#[test]
fn an_empty_scope_ends_with_its_last_token() {
    let s = nested().start().modify([before("one")]).waits_at(["aside", "one"]);
    s.modify([cancel_all("one")])
        .waits_at(["aside"])
        .trace("start aside outer sub one")
        .complete("aside")
        .waits_at(["one"]);
    // Cancelled before it is replaced, it is another sub-process that begins...
    let s = nested().start().complete("aside").set_at("one", "here", 1);
    s.modify([cancel_all("one"), before("other")]).sees("other", "here", json!(null)).passed("sub", 2);
    // ...and moved, it is the same.
    let s = nested().start().complete("aside").set_at("one", "here", 1);
    s.modify([move_all("one", "other")]).sees("other", "here", 1).waits_at(["other"]).passed("sub", 1);
    // Out of it, it ends.
    let s = nested().start().complete("aside");
    s.modify([move_all("one", "stopped")]).waits_at(["stopped"]).passed("outer", 1).complete("stopped").completed();
}

#[test]
fn a_boundary_event_interrupts_its_activity() {
    nested().start().complete("aside").modify([before("stop")]).waits_at(["stopped"]);
    nested().start().modify([before("stop")]).waits_at(["aside", "stopped"]);
}

#[test]
fn an_event_sub_process_ends_what_runs_beside_it() {
    nested().start().complete("aside").modify([before("late")]).waits_at(["hurry"]).complete("hurry").completed();
    nested().start().complete("aside").modify([before("hurry")]).waits_at(["hurry"]).complete("hurry").completed();
}

#[test]
fn an_interrupted_scope_goes_on_when_something_begins_in_it() {
    nested()
        .start()
        .complete("aside")
        .travel("PT1H")
        .waits_at(["hurry"])
        .modify([before("one"), cancel_all("hurry")])
        .waits_at(["one"])
        .travel("PT1H")
        .waits_at(["hurry"]);
}

#[test]
fn what_cannot_begin_is_refused() {
    line()
        .start()
        .refuses("instructions-missing")
        .modify([])
        .refuses("element-unknown")
        .modify([before("nowhere")])
        .refuses("element-unknown")
        .modify([on("check")])
        .refuses("element-unknown")
        .modify([cancel_all("nowhere")])
        .refuses("element-not-startable")
        .modify([after("end")])
        .refuses("scope-unknown")
        .modify([within(before("check"), 7)])
        .refuses("token-unknown")
        .modify([Instruction::Cancel(Target::Token(77))])
        .refuses("key-unknown")
        .modify([Instruction::Cancel(Target::Wait(Key(12_345)))])
        .refuses("scope-unknown")
        .modify([Instruction::Cancel(Target::Scope(5))])
        .refuses("token-missing")
        .modify([move_all("pay", "check")])
        .refuses("local-scope-missing")
        .modify([with_local(before("end"), json!({"a": 1}))])
        .waits_at(["check"])
        // The first instruction is not carried out if the second is refused.
        .refuses("element-unknown")
        .modify([cancel_all("check"), before("nowhere")])
        .waits_at(["check"])
        .modify([cancel_all("check"), before("end")])
        .completed()
        .refuses("instance-not-active")
        .modify([before("check")]);
    let s = nested().start().complete("aside");
    let sub = s.scope_of("sub", 0);
    s.refuses("element-outside-scope").modify([within(before("aside"), sub)]);
}

#[test]
fn a_message_boundary_is_not_what_a_token_waits_for() {
    let s = nested().start().complete("aside");
    let key = s.key_of("stop");
    s.refuses("key-wrong-kind").modify([Instruction::Cancel(Target::Wait(key))]).waits_at(["one"]);
}

fn rounds(sequential: bool) -> Scenario {
    model(&format!(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><subProcess id="each">
    <multiInstanceLoopCharacteristics isSequential="{sequential}"><loopCardinality>3</loopCardinality>
    </multiInstanceLoopCharacteristics><startEvent id="s"/><userTask id="one"/><userTask id="two"/>
    <sequenceFlow id="f1" sourceRef="s" targetRef="one"/><sequenceFlow id="f2" sourceRef="one" targetRef="two"/></subProcess>
    <userTask id="last"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="each"/><sequenceFlow id="b" sourceRef="each" targetRef="last"/>
    </process>"#
    ))
}

#[test]
fn rounds_are_cancelled_one_by_one() {
    let s = rounds(false).start().waits_at(["one", "one", "one"]);
    let round = s.scope_of("each", 2);
    let s = s.modify([Instruction::Cancel(Target::Scope(round))]).waits_at(["one", "one"]);
    let s = s.complete("one").complete("two").complete("one").waits_at(["two"]).complete("two").waits_at(["last"]);
    s.complete("last").completed();
    // Without its last round there is nothing left of the loop.
    rounds(false).start().modify([cancel_all("one"), before("last")]).waits_at(["last"]).complete("last").completed();
    rounds(true).start().complete("one").modify([before("last"), cancel_all("two")]).waits_at(["last"]);
    rounds(true).start().modify([cancel_all("each")]).cancelled();
}

#[test]
fn what_stands_in_a_round_is_moved_within_it() {
    let s = rounds(false).start().modify([move_all("one", "two")]).waits_at(["two", "two", "two"]);
    s.complete("two").complete("two").complete("two").waits_at(["last"]);
    let s = rounds(true).start().refuses("scope-unknown").modify([within(before("two"), 99)]);
    // One round runs: it is found.
    s.modify([before("two"), cancel_all("one")]).waits_at(["two"]).complete("two").waits_at(["one"]);
}

#[test]
fn nothing_begins_in_a_round_that_does_not_run() {
    let s = rounds(false).start().refuses("scope-ambiguous").modify([before("two")]);
    let round = s.scope_of("each", 2);
    let s = s.modify([within(before("two"), round)]).waits_at(["one", "one", "one", "two"]);
    s.modify([cancel_all("each"), before("last")]).refuses("element-inside-loop").modify([before("two")]);
    // The whole activity begins instead.
    rounds(false).start().modify([before("each")]).is_at("one", 6);
}

fn fork() -> Scenario {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><parallelGateway id="fork"/>
    <userTask id="a"/><userTask id="b"/><userTask id="c"/><parallelGateway id="join"/><userTask id="last"/>
    <sequenceFlow id="f0" sourceRef="start" targetRef="fork"/><sequenceFlow id="f1" sourceRef="fork" targetRef="a"/>
    <sequenceFlow id="f2" sourceRef="fork" targetRef="b"/><sequenceFlow id="f3" sourceRef="fork" targetRef="c"/>
    <sequenceFlow id="g1" sourceRef="a" targetRef="join"/><sequenceFlow id="g2" sourceRef="b" targetRef="join"/>
    <sequenceFlow id="g3" sourceRef="c" targetRef="join"/><sequenceFlow id="h" sourceRef="join" targetRef="last"/>
    </process>"#,
    )
}

#[test]
fn tokens_in_the_queue_of_a_join_are_cancelled() {
    let s = fork().start().complete("a").complete("b").joins(["join", "join"]);
    s.modify([cancel_all("join")]).joins([]).waits_at(["c"]);
    let s = fork().start().complete("a");
    let token = s.token_on("join", 0);
    s.modify([Instruction::Cancel(Target::Token(token))]).joins([]).complete("b").complete("c").joins(["join", "join"]);
}

#[test]
fn what_begins_before_a_join_stands_for_what_has_not_come() {
    let s = fork().start().complete("b").modify([cancel_all("a"), cancel_all("c"), before("join")]);
    s.joins(["join", "join"]).modify([before("join")]).waits_at(["last"]).complete("last").completed();
    fork()
        .start()
        .modify([cancel_all("a"), cancel_all("b"), before("join"), before("join")])
        .complete("c")
        .waits_at(["last"]);
    // After it, the join is passed.
    fork().start().modify([after("join")]).waits_at(["a", "b", "c", "last"]);
}

#[test]
fn an_inclusive_join_no_longer_waits_for_what_is_cancelled() {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><inclusiveGateway id="fork"/>
    <userTask id="a"/><userTask id="b"/><inclusiveGateway id="join"/><userTask id="last"/>
    <sequenceFlow id="f0" sourceRef="start" targetRef="fork"/><sequenceFlow id="f1" sourceRef="fork" targetRef="a"/>
    <sequenceFlow id="f2" sourceRef="fork" targetRef="b"/>
    <sequenceFlow id="g1" sourceRef="a" targetRef="join"/><sequenceFlow id="g2" sourceRef="b" targetRef="join"/>
    <sequenceFlow id="h" sourceRef="join" targetRef="last"/></process>"#,
    )
    .start()
    .complete("a")
    .joins(["join"])
    .modify([cancel_all("b")])
    .waits_at(["last"]);
}

#[test]
fn an_exclusive_gateway_decides_also_after_it() {
    let s = model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><userTask id="wait"/><exclusiveGateway id="way"/>
    <userTask id="a"/><userTask id="b"/>
    <sequenceFlow id="f0" sourceRef="start" targetRef="wait"/><sequenceFlow id="f4" sourceRef="wait" targetRef="way"/>
    <sequenceFlow id="f1" sourceRef="way" targetRef="a"><conditionExpression>x &gt; 1</conditionExpression></sequenceFlow>
    <sequenceFlow id="f2" sourceRef="way" targetRef="b"><conditionExpression>x &gt; 0</conditionExpression></sequenceFlow>
    </process>"#,
    );
    s.start_with(json!({"x": 5})).modify([cancel_all("wait"), after("way")]).waits_at(["a"]);
}

fn event_gateway() -> Scenario {
    model(
        r#"<message id="m" name="m"/><process id="p" isExecutable="true"><startEvent id="start"/><userTask id="wait"/>
    <eventBasedGateway id="way"/><intermediateCatchEvent id="came"><messageEventDefinition messageRef="m"/>
    </intermediateCatchEvent><intermediateCatchEvent id="late"><timerEventDefinition><timeDuration>PT1H</timeDuration>
    </timerEventDefinition></intermediateCatchEvent><userTask id="a"/><userTask id="b"/>
    <sequenceFlow id="f0" sourceRef="start" targetRef="wait"/><sequenceFlow id="f1" sourceRef="wait" targetRef="way"/>
    <sequenceFlow id="f2" sourceRef="way" targetRef="came"/><sequenceFlow id="f3" sourceRef="way" targetRef="late"/>
    <sequenceFlow id="f4" sourceRef="came" targetRef="a"/><sequenceFlow id="f5" sourceRef="late" targetRef="b"/></process>"#,
    )
}

#[test]
fn an_event_after_an_event_based_gateway_waits_by_itself() {
    event_gateway()
        .start()
        .modify([cancel_all("wait"), before("came")])
        .waits_at(["came"])
        .message("m", json!({}))
        .waits_at(["a"]);
    event_gateway().start().modify([cancel_all("wait"), before("way")]).travel("PT1H").waits_at(["b"]);
    let s = event_gateway().start().complete("wait").modify([cancel_all("way"), after("came")]).waits_at(["a"]);
    s.travel("PT2H").waits_at(["a"]).kept_messages(0);
    event_gateway()
        .start()
        .refuses("element-not-startable")
        .modify([after("way")])
        .refuses("element-not-startable")
        .modify([on("f2")]);
    let s = event_gateway().start().complete("wait");
    let wait = s.key_of("came");
    s.modify([before("b"), Instruction::Cancel(Target::Wait(wait))]).waits_at(["b"]);
}

#[test]
fn a_called_instance_is_cancelled_with_its_call() {
    let s = model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><callActivity id="call" calledElement="q"/>
    <userTask id="next"/><sequenceFlow id="a" sourceRef="start" targetRef="call"/>
    <sequenceFlow id="b" sourceRef="call" targetRef="next"/></process>
    <process id="q" isExecutable="true"><startEvent id="s"/><userTask id="inner"/>
    <sequenceFlow id="c" sourceRef="s" targetRef="inner"/></process>"#,
    );
    let s = s.start().modify([cancel_all("call"), before("next")]).waits_at(["next"]).instance_of("q").cancelled();
    let s = s.main_instance().modify([before("call"), cancel_all("next")]).instance_of("q").waits_at(["inner"]);
    // Of a called instance nothing is left: its caller needs help.
    s.modify([cancel_all("inner")]).cancelled().main_instance().incident("call", "called-process-cancelled");
}

#[test]
fn an_ad_hoc_sub_process_stays_open() {
    let s = model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><userTask id="first"/><adHocSubProcess id="some">
    <userTask id="a"/><userTask id="b"/><userTask id="then"/><sequenceFlow id="f" sourceRef="b" targetRef="then"/>
    </adHocSubProcess><sequenceFlow id="g" sourceRef="start" targetRef="first"/>
    <sequenceFlow id="h" sourceRef="first" targetRef="some"/></process>"#,
    );
    let s = s.start().modify([cancel_all("first"), before("then")]).waits_at(["then"]);
    let s = s.modify([cancel_all("then")]).waits_at(["some"]).activate("some", ["a"]).waits_at(["a"]);
    s.complete_ad_hoc("some").completed();
}

fn compensated() -> Scenario {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><subProcess id="book"><startEvent id="s"/>
    <userTask id="hotel"/><boundaryEvent id="hb" attachedToRef="hotel"><compensateEventDefinition/></boundaryEvent>
    <userTask id="undo" isForCompensation="true"/>
    <association id="as" sourceRef="hb" targetRef="undo" associationDirection="One"/>
    <sequenceFlow id="f1" sourceRef="s" targetRef="hotel"/></subProcess><userTask id="wait"/>
    <intermediateThrowEvent id="throw"><compensateEventDefinition/></intermediateThrowEvent><userTask id="last"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="book"/><sequenceFlow id="b" sourceRef="book" targetRef="wait"/>
    <sequenceFlow id="c" sourceRef="wait" targetRef="throw"/><sequenceFlow id="d" sourceRef="throw" targetRef="last"/>
    </process>"#,
    )
}

#[test]
fn what_is_kept_for_compensation_stays() {
    let s = compensated().start().complete("hotel").waits_at(["wait"]);
    // The kept scope is no scope in which something begins: another one does.
    let s = s.modify([before("hotel")]).waits_at(["hotel", "wait"]).modify([cancel_all("hotel")]).waits_at(["wait"]);
    s.modify([cancel_all("wait"), before("throw")]).waits_at(["undo"]).complete("undo").waits_at(["last"]);
    compensated().start().refuses("element-not-startable").modify([before("hb")]);
    // With the instance it ends.
    compensated().start().complete("hotel").modify([cancel_all("wait")]).cancelled();
}

#[test]
fn a_compensation_goes_on_without_the_handler_that_is_cancelled() {
    let s = compensated().start().complete("hotel").complete("wait").waits_at(["undo"]);
    s.modify([cancel_all("undo")]).waits_at(["last"]).complete("last").completed();
    // Who waits for it is cancelled with it.
    let s = compensated().start().complete("hotel").complete("wait");
    s.modify([cancel_all("throw"), before("last")]).waits_at(["last"]).complete("last").completed();
}

#[test]
fn nothing_begins_in_a_transaction_that_is_being_cancelled() {
    let s = model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><transaction id="tx"><startEvent id="s"/>
    <userTask id="do"/><boundaryEvent id="db" attachedToRef="do"><compensateEventDefinition/></boundaryEvent>
    <userTask id="undo" isForCompensation="true"/>
    <association id="as" sourceRef="db" targetRef="undo" associationDirection="One"/>
    <endEvent id="give-up"><cancelEventDefinition/></endEvent>
    <sequenceFlow id="f1" sourceRef="s" targetRef="do"/><sequenceFlow id="f2" sourceRef="do" targetRef="give-up"/>
    </transaction><boundaryEvent id="gone" attachedToRef="tx"><cancelEventDefinition/></boundaryEvent>
    <userTask id="after"/><sequenceFlow id="a" sourceRef="start" targetRef="tx"/>
    <sequenceFlow id="b" sourceRef="gone" targetRef="after"/></process>"#,
    );
    let s = s.start().complete("do").waits_at(["undo"]).refuses("scope-not-open").modify([before("do")]);
    s.modify([cancel_all("undo")]).waits_at(["after"]);
}

#[test]
fn what_fails_around_waits_for_help() {
    let s = model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><userTask id="first"/><subProcess id="sub">
    <dataObject id="d" name="d"/><startEvent id="s"/><userTask id="one"/><userTask id="two"/>
    <subProcess id="es" triggeredByEvent="true"><startEvent id="t"><timerEventDefinition>
      <timeDuration>=wait</timeDuration></timerEventDefinition></startEvent></subProcess>
    <sequenceFlow id="f1" sourceRef="s" targetRef="one"/><sequenceFlow id="f2" sourceRef="one" targetRef="two"/></subProcess>
    <sequenceFlow id="a" sourceRef="start" targetRef="first"/><sequenceFlow id="b" sourceRef="first" targetRef="sub"/>
    </process>"#,
    );
    let s = s.start().modify([before("two"), cancel_all("first")]).incident("two", "expression-failed");
    let s = s.refuses("scope-not-open").modify([before("one")]);
    s.set("wait", "PT1H").resolve("two").waits_at(["two"]).complete("two").completed();
}

#[test]
fn a_stuck_token_is_moved() {
    let s = model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><exclusiveGateway id="way"/><userTask id="a"/>
    <userTask id="b"/><sequenceFlow id="f0" sourceRef="start" targetRef="way"/>
    <sequenceFlow id="f1" sourceRef="way" targetRef="a"><conditionExpression>false</conditionExpression></sequenceFlow>
    <sequenceFlow id="f2" sourceRef="way" targetRef="b"><conditionExpression>false</conditionExpression></sequenceFlow>
    </process>"#,
    );
    s.start().incident("way", "no-flow-taken").modify([move_all("way", "b")]).no_incident().waits_at(["b"]);
}

#[test]
fn a_worker_may_give_its_plain_task_local_variables() {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><serviceTask id="work" potok:job="work"/>
    <userTask id="next"/><sequenceFlow id="a" sourceRef="start" targetRef="work"/>
    <sequenceFlow id="b" sourceRef="work" targetRef="next"/></process>"#,
    )
    .start()
    .job_locally("work", json!({"mine": 1}))
    .sees("next", "mine", json!(null))
    .complete("next")
    .completed();
}

#[test]
fn an_instance_starts_inside_of_sub_processes() {
    let s = nested().start_before(["other", "aside"]).waits_at(["aside", "other"]).sees("other", "two", 2);
    s.message_with_key("m", 1, json!({})).waits_at(["aside", "stopped"]).complete("stopped").waits_at(["aside"]);
    nested().refuses("element-unknown").start_before(["other", "nowhere"]).start_before(["one"]).waits_at(["one"]);
}

#[test]
fn an_instance_whose_process_cannot_be_opened_starts_when_it_can() {
    let s = model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><subProcess id="sub"><startEvent id="s"/>
    <userTask id="one"/><sequenceFlow id="f" sourceRef="s" targetRef="one"/></subProcess>
    <subProcess id="es" triggeredByEvent="true"><startEvent id="t"><timerEventDefinition>
      <timeDuration>=wait</timeDuration></timerEventDefinition></startEvent></subProcess></process>"#,
    );
    let s = s.start_before(["one"]).incident("sub", "expression-failed").set("wait", "PT1H").resolve("sub");
    s.waits_at(["one"]).complete("one").completed();
}

//! `potok run --answers`: the customer's processes with all their scenarios, and what a scenario that does not hold says.

mod command;

use std::collections::BTreeSet;

use potok_core::graph::{Catch, Package};
use potok_expressions::Evaluator;

use command::{Output, bpmn, file, potok};

const ORDER: &str = "tests/models/order.bpmn";

fn scenario(process: &str, answers: &str) -> Output {
    potok(&["run", &bpmn(process), "--answers", &bpmn(answers)], "")
}

fn order(folder: &str, answers: &str) -> Output {
    potok(&["run", ORDER, "--answers", &file(folder, "order.answers.yaml", answers)], "")
}

/// The scenario does not hold: the error output says all of that.
#[track_caller]
fn refused(output: &Output, texts: &[&str]) {
    assert_eq!(output.code, 1, "{output:?}");
    for text in texts {
        assert!(output.err.contains(text), "`{text}` is not in:\n{}", output.err);
    }
}

#[test]
fn a_call_is_passed_on_by_the_head() {
    let run = scenario("incoming-call.bpmn", "incoming-call.answers.yaml");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    run.says(&[
        "Tue 24 Nov 2026",
        "10:15  Звонок поступил (call-received)",
        "Взять обращение в работу (take-request)  until 12:15",
        "12:15  Срок реакции вышел (reaction-time-is-over)",
        "Передано (request-passed-on)",
        "Обращение закрыто (call-handled)",
        "executor        = \"maria\"",
        "the process has ended, Tue 24 Nov 2026 12:15",
    ]);
}

#[test]
fn a_call_at_night_is_called_back_on_monday() {
    let run = scenario("incoming-call.bpmn", "incoming-call-at-night.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["Утро рабочего дня (next-working-morning)  until Mon 30 Nov 10:00", "Не перезвонили за 2 рабочих часа"]);
}

#[test]
fn a_call_becomes_an_it_request() {
    let run = scenario("incoming-call.bpmn", "incoming-call-to-it-request.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(process-it-request)", "Работа с оборудованием (do-hardware)  in it-request", "(it-request-done)"]);
}

#[test]
fn a_late_call_back_is_still_made() {
    let run = scenario("incoming-call.bpmn", "incoming-call-late-call-back.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(reassign-call-back)", "(called-back)", "(call-handled)"]);
}

#[test]
fn an_original_that_comes_during_a_reminder_is_not_lost() {
    let run = scenario("contract.bpmn", "contract-while-reminding.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(remind-of-original)", "(original-here)", "(contract-fulfilled)", "manager           = \"maria\""]);
}

#[test]
fn two_questions_go_out_in_one_letter_and_no_answer_is_lost() {
    let run = scenario("it-request.bpmn", "it-request-two-questions.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(comment-written)", "(remind-of-question)", "(client-answered)", "(work-done)", "(comment-written)"]);
    let answers = bpmn("it-request-two-questions.answers.yaml");
    let events = potok(&["run", &bpmn("it-request.bpmn"), "--answers", &answers, "--format", "json"], "");
    assert!(events.out.contains(r#""value":"Какой из них?\nКакая версия программы?""#), "{}", events.out);
}

#[test]
fn the_task_of_a_manager_whom_nobody_named_falls_to_the_lane() {
    let steps = "steps: [{job: register-client}, {job: assign-number, result: {number: 1}}, {job: generate-document}, \
                 {complete: approve-contract, with: {head_agrees: false}}, \
                 {complete: approve-payment, with: {accounting_agrees: true}}, \
                 {complete: approve-terms, with: {service_agrees: true}}]\n";
    let start = "start: {deal: D, client: C, contract_kind: site, subject: S, amount: 1, valid_until: 2027-01-01, \
                 email: a@b.example}\n";
    let nobody = file("nobody", "contract.answers.yaml", format!("{start}{steps}"));
    refused(&potok(&["run", &bpmn("contract.bpmn"), "--answers", &nobody], ""), &["(rework-contract)  group sales"]);
    let user = potok(&["run", &bpmn("contract.bpmn"), "--answers", &nobody, "--user", "olga"], "");
    refused(&user, &["(rework-contract)  for olga"]);
}

#[test]
fn a_contract_is_fulfilled() {
    let run = scenario("contract.bpmn", "contract.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&[
        "Доработать договор (rework-contract)",
        "Письмо не доставлено (scan-not-delivered)",
        "Tue 1 Dec 2026",
        "Tue 8 Dec 2026",
        "Tue 15 Dec 2026",
        "Нужен руководитель (tell-head-of-original)",
        "Договор исполнен (contract-fulfilled)",
        "service_start      = 2026-12-16",
    ]);
}

#[test]
fn a_refused_contract_is_undone_backwards() {
    let run = scenario("contract.bpmn", "contract-refused.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(post-entry)", "(note-refusal)", "(reverse-entry)", "(release-number)", "(deal-refused)"]);
}

#[test]
fn an_it_request_is_reopened_by_a_bad_grade() {
    let run = scenario("it-request.bpmn", "it-request.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["Срок по заявке вышел (deadline-is-over)", "Разобрать плохую оценку", "Клиент доволен"]);
}

#[test]
fn an_it_request_is_closed_by_silence() {
    let run = scenario("it-request.bpmn", "it-request-silence.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(closed-by-silence)", "(closed-unreached)", "Mon 7 Dec 2026"]);
}

#[test]
fn a_call_becomes_a_contract() {
    let run = scenario("incoming-call.bpmn", "incoming-call-to-contract.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(conclude-contract)", "Напомнили (payment-reminded)", "(contract-fulfilled)", "(contract-done)"]);
}

#[test]
fn an_it_request_comes_by_letter() {
    let run = scenario("it-request.bpmn", "it-request-by-letter.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(letter-arrived)", "(classify-request)", "(give-advice)", "Fri 27 Nov 2026", "(closed-without-grade)"]);
    assert!(!run.out.contains("(request-made)"), "{}", run.out);
}

#[test]
fn an_it_request_comes_by_web_page() {
    let run = scenario("it-request.bpmn", "it-request-by-page.answers.yaml");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["(page-filled-in)", "(do-hardware)", "(ask-by-phone)", "(closed-by-head)"]);
}

/// No path of the customer's processes goes unwalked. A compensation event is no place for a token: its handler is.
#[test]
fn the_scenarios_come_through_every_flow_node() {
    let folder = bpmn("");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    files.sort();
    let models: Vec<&str> = files.iter().filter_map(|file| file.strip_suffix(".bpmn")).collect();
    let mut entered = BTreeSet::new();
    for answers in files.iter().filter(|file| file.ends_with(".answers.yaml")) {
        let model = models.iter().find(|model| answers.starts_with(**model)).expect("answers are named after a model");
        let arguments = ["run", &bpmn(&format!("{model}.bpmn")), "--answers", &bpmn(answers), "--format", "json"];
        let run = potok(&arguments, "");
        assert_eq!(run.code, 0, "{answers}: {}", run.err);
        for line in run.out.lines() {
            let event: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
            if matches!(event["event"].as_str(), Some("token-created" | "token-moved")) {
                let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                entered.insert((word("process"), word("element")));
            }
        }
    }
    for model in models {
        let bytes = std::fs::read(bpmn(&format!("{model}.bpmn"))).expect("the model");
        let package = Package::from_bpmn(&bytes, &Evaluator::new()).expect("a model without errors");
        for process in &package.processes {
            let nodes = (0u32..).zip(process.nodes());
            let placed = nodes.filter(|(at, _)| !matches!(process.catches(*at), [Catch::Compensation]));
            let missed: Vec<&str> = placed
                .map(|(_, node)| &*node.id)
                .filter(|id| !entered.contains(&(process.id().to_string(), (*id).to_owned())))
                .collect();
            assert!(missed.is_empty(), "no scenario of {model} comes through: {missed:?}");
        }
    }
}

#[test]
fn events_are_lines_of_json_with_names() {
    let answers = bpmn("incoming-call.answers.yaml");
    let run = potok(&["run", &bpmn("incoming-call.bpmn"), "--answers", &answers, "--format", "json"], "");
    assert_eq!(run.code, 0, "{}", run.err);
    let events: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect();
    assert!(run.out.starts_with(r#"{"time":"2026-11-24T07:15:00Z","instance":"1","process":"incoming-call","event":"#));
    let has = |wanted: serde_json::Value| {
        events.iter().any(|event| wanted.as_object().expect("an object").iter().all(|(name, it)| event[name] == *it))
    };
    assert!(has(serde_json::json!({
        "event": "user-task-created", "element": "take-request", "name": "Взять обращение в работу",
        "candidateGroups": ["sales"], "due": "2026-11-24T09:15:00Z",
    })));
    assert!(has(serde_json::json!({"event": "variable-set", "variable": "client_id", "value": "K-107"})));
    assert!(has(serde_json::json!({"event": "token-created", "element": "reaction-time-is-over"})));
    assert!(has(serde_json::json!({"event": "wait-cancelled", "waited": "user task", "element": "take-request"})));
    assert_eq!(events.last().expect("events")["event"], "instance-completed");
}

/// A process in the dialect of Camunda 7.
fn camunda(content: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"
          xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="p" isExecutable="true">{content}</process></definitions>"#
    )
}

#[test]
fn a_task_that_is_created_has_one_name_as_people_see_it() {
    let model = camunda(
        r#"<startEvent id="s"/><sequenceFlow id="s_u" sourceRef="s" targetRef="u"/><userTask id="u" name="Check ${n}" camunda:assignee="anna"/>
           <sequenceFlow id="u_e" sourceRef="u" targetRef="e"/><endEvent id="e"/>"#,
    );
    let model = file("task-name", "p.bpmn", &model);
    let answers = file("task-name", "p.answers.yaml", "start: {n: 3}\nsteps:\n  - complete: u\n");
    let run = potok(&["run", &model, "--answers", &answers, "--format", "json"], "");
    assert_eq!(run.code, 0, "{}", run.err);
    let created = run.out.lines().find(|line| line.contains("user-task-created")).expect("a task");
    assert_eq!(created.matches(r#""name":"#).count(), 1, "{created}");
    assert!(created.contains(r#""name":"Check 3""#), "{created}");
}

#[test]
fn dates_that_fields_begin_with_are_read_as_camunda_7_writes_them() {
    let model = camunda(
        r#"<startEvent id="s"><extensionElements><camunda:formData>
             <camunda:formField id="day" type="date" defaultValue="01/02/2026"/>
             <camunda:formField id="other" type="date" datePattern="d.M.yy" defaultValue="3.2.26"/>
             <camunda:formField id="flag" type="boolean" defaultValue="maybe"/>
           </camunda:formData></extensionElements></startEvent>
           <sequenceFlow id="s_e" sourceRef="s" targetRef="e"/><endEvent id="e"/>"#,
    );
    let model = file("field-dates", "p.bpmn", &model);
    let run = potok(&["run", &model, "--answers", &file("field-dates", "p.answers.yaml", "steps: []\n")], "");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["day   = 2026-02-01", "flag  = false", "other = 2026-02-03"]);
}

#[test]
fn every_kind_of_step_can_be_taken() {
    let run = potok(&["run", ORDER, "--answers", "tests/models/order.answers.yaml"], "");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&[
        "card-declined",
        "Завернуть (wrap)",
        "Доставлено (delivered)",
        "amount  = 2",
        "client  = \"Анна\"",
        "due     = 2026-12-01",
        "receipt = \"R-1\"",
        "way     = \"post\"",
        "the process has ended, Thu 26 Nov 2026 10:15",
    ]);
}

#[test]
fn a_step_that_cannot_be_taken_is_named_with_what_waits() {
    let run = order("wrong-task", "now: 2026-11-24T10:15:00+03:00\nsteps:\n  - complete: reveiw\n");
    refused(
        &run,
        &[
            "order.answers.yaml:3: step 1: complete: reveiw: no task `reveiw` waits",
            "waiting at Tue 24 Nov 2026 10:15:",
            "task      Проверить (review)  for anna",
            "did you mean `review`?",
        ],
    );
    let run = order("wrong-verb", "steps:\n  - job: review\n");
    refused(&run, &["no job `review` waits", "`review` is a user task: write `complete: review`"]);
    let run = order("too-early", "steps:\n  - complete: wrap\n");
    refused(&run, &["no task `wrap` waits", "no token has come to `wrap` yet"]);
}

#[test]
fn answers_are_checked_as_a_persons_are() {
    let run = order("missing", "steps:\n  - complete: review\n    with: {amount: 3}\n");
    refused(&run, &[":2: step 1: complete: review: the required field `client` (Клиент) is not given"]);
    let run = order("unknown", "steps:\n  - complete: review\n    with: {client: A, amount: 3, wya: post}\n");
    refused(&run, &["the form has no field `wya`", "did you mean `way`?"]);
    let run = order("wrong", "steps:\n  - complete: review\n    with: {client: A, amount: 0}\n");
    refused(&run, &["field `amount`: must be at least 1"]);
    let run = order("choice", "steps:\n  - complete: review\n    with: {client: A, amount: 1, way: plane}\n");
    refused(&run, &["field `way`: `plane` is none of: post, courier"]);
}

#[test]
fn what_is_not_reached_or_not_ended_is_told() {
    let run = order("reach", "steps:\n  - reach: delivered\n");
    refused(&run, &[":2: step 1: reach: delivered: no token has come to `delivered`"]);
    let run = order("typo", "steps:\n  - reach: delivred\n");
    refused(&run, &["no element `delivred`; did you mean `delivered`?"]);
    let run = order("unfinished", "steps:\n  - complete: review\n    with: {client: A, amount: 1}\n");
    refused(&run, &["all 1 step are done, but the process has not ended", "job       Списать (charge)"]);
    let run = order("too-many", "steps:\n  - wait: next-timer\n");
    refused(&run, &["step 1: wait: next-timer: no timer is set"]);
}

#[test]
fn a_scenario_that_cannot_be_read_is_refused_with_its_line() {
    let run = order("yaml", "steps:\n  - complete: [a\n");
    refused(&run, &["order.answers.yaml:"]);
    let run = order("word", "steps:\n\n  - compleet: review\n");
    refused(&run, &["order.answers.yaml:3: step 1: says `compleet`", "did you mean `complete`?"]);
    let run = order("time", "now: yesterday\nsteps: []\n");
    refused(&run, &["order.answers.yaml:1: now: `yesterday` is no point in time"]);
    let run = potok(&["run", ORDER, "--answers", "tests/models/none.yaml"], "");
    refused(&run, &["cannot read tests/models/none.yaml"]);
}

#[test]
fn a_failed_process_is_no_success() {
    let steps = "jobs: {charge: }\nsteps:\n  - complete: review\n    with: {client: A, amount: 1}\n  - finish: pack\n  \
                 - set: {fine: false}\n  - retry: is-fine\n";
    let run = order("failed", steps);
    refused(&run, &["the process has failed with error declined"]);
}

#[test]
fn a_message_starts_the_process_that_it_is_for() {
    let steps = "steps:\n  - message: parcel-arrived\n    with: {boxes: 3}\n  - complete: count\n";
    let run = potok(&["run", ORDER, "--process", "stock", "--answers", &file("stock", "s.yaml", steps)], "");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["delivery", "counted", "boxes = 3"]);
}

#[test]
fn what_a_message_carries_says_which_instance_it_is_for() {
    let model = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test">
      <message id="order" name="order"/><message id="money" name="money"/>
      <collaboration id="c"><participant id="shop" processRef="sale"/>
        <correlationKey id="key"><correlationPropertyRef>number</correlationPropertyRef></correlationKey></collaboration>
      <correlationProperty id="number" name="number">
        <correlationPropertyRetrievalExpression messageRef="order"><messagePath>n</messagePath></correlationPropertyRetrievalExpression>
        <correlationPropertyRetrievalExpression messageRef="money"><messagePath>bill.n</messagePath></correlationPropertyRetrievalExpression>
      </correlationProperty>
      <process id="sale" isExecutable="true">
        <startEvent id="ordered"><messageEventDefinition messageRef="order"/></startEvent>
        <intermediateCatchEvent id="paid"><messageEventDefinition messageRef="money"/></intermediateCatchEvent>
        <endEvent id="sold"/>
        <sequenceFlow id="f1" sourceRef="ordered" targetRef="paid"/><sequenceFlow id="f2" sourceRef="paid" targetRef="sold"/>
      </process></definitions>"#;
    let model = file("carries", "sale.bpmn", model);
    let orders = "steps:\n  - message: order\n    with: {n: 1}\n  - message: order\n    with: {n: 2}\n";
    let run =
        |money: &str| potok(&["run", &model, "--answers", &file("carries", "s.yaml", format!("{orders}{money}"))], "");
    let paid = run("  - message: money\n    with: {bill: {n: 2}}\n  - message: money\n    with: {bill: {n: 1}}\n");
    assert_eq!(paid.code, 0, "{paid:?}");
    refused(&run("  - message: money\n"), &["2 instances wait for message `money`", "one of: 1, 2"]);
    refused(&run("  - message: money\n    with: {bill: {n: 3}}\n"), &["2 instances wait for message `money`"]);
}

#[test]
fn a_message_of_another_conversation_is_not_taken() {
    let pay = |order: u32| {
        let answers = format!(
            "steps:\n  - message: order\n    with: {{order: 7}}\n  - message: paid\n    with: {{paid: {{order: {order}}}}}\n"
        );
        let folder = format!("another_conversation_{order}");
        potok(&["run", "tests/models/payment.bpmn", "--answers", &file(&folder, "payment.answers.yaml", &answers)], "")
    };
    refused(&pay(8), &["for another conversation", "`number` is 8"]);
    assert_eq!(pay(7).code, 0);
}

#[test]
fn a_process_that_stands_at_a_join_for_ever_says_where() {
    let model = file(
        "deadlock",
        "join.bpmn",
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:potok:tests">
  <process id="p" isExecutable="true">
    <startEvent id="s"/>
    <exclusiveGateway id="one_of" default="left"/>
    <parallelGateway id="all_of"/>
    <endEvent id="e"/>
    <sequenceFlow id="in" sourceRef="s" targetRef="one_of"/>
    <sequenceFlow id="left" sourceRef="one_of" targetRef="all_of"/>
    <sequenceFlow id="right" sourceRef="one_of" targetRef="all_of"><conditionExpression>1 = 2</conditionExpression></sequenceFlow>
    <sequenceFlow id="out" sourceRef="all_of" targetRef="e"/>
  </process>
</definitions>"#,
    );
    let answers = file("deadlock", "join.answers.yaml", "steps: []\n");
    refused(&potok(&["run", &model, "--answers", &answers], ""), &["1 token at all_of, where none has come by right"]);
}

#[test]
fn a_process_that_lacks_tokens_says_how_many_are_there_and_needed() {
    let model = file(
        "start_quantity",
        "three.bpmn",
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:potok:tests">
  <process id="p" isExecutable="true">
    <startEvent id="s"/>
    <task id="a"/>
    <task id="b"/>
    <task id="c"/>
    <task id="m" startQuantity="3"/>
    <endEvent id="e"/>
    <sequenceFlow id="s_a" sourceRef="s" targetRef="a"/>
    <sequenceFlow id="s_b" sourceRef="s" targetRef="b"/>
    <sequenceFlow id="a_m" sourceRef="a" targetRef="m"/>
    <sequenceFlow id="b_m" sourceRef="b" targetRef="m"/>
    <sequenceFlow id="c_m" sourceRef="c" targetRef="m"/>
    <sequenceFlow id="m_e" sourceRef="m" targetRef="e"/>
  </process>
</definitions>"#,
    );
    let answers = file("start_quantity", "three.answers.yaml", "steps: []\n");
    refused(&potok(&["run", &model, "--answers", &answers], ""), &["2 tokens at m, where 3 are needed"]);
}

/// Hours of computing that nothing can interrupt.
#[cfg(feature = "javascript")]
#[test]
fn a_script_that_computes_on_does_not_keep_the_program_from_ending() {
    let model = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:t">
      <process id="computes_on" isExecutable="true"><startEvent id="start"/>
        <scriptTask id="sum" scriptFormat="javascript"><script>for (;;) (3n ** 60000n) % (7n ** 30000n)</script></scriptTask>
        <endEvent id="end"/><sequenceFlow id="f" sourceRef="start" targetRef="sum"/>
        <sequenceFlow id="g" sourceRef="sum" targetRef="end"/></process></definitions>"#;
    let begun = std::time::Instant::now();
    let (model, answers) = (file("computes_on", "m.bpmn", model), file("computes_on", "m.answers.yaml", ""));
    let run = potok(&["run", &model, "--answers", &answers], "");
    refused(&run, &["incident  sum  the script runs longer than a second"]);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn only_true_and_false_are_flags_so_that_elements_may_be_called_n_or_on() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
                 xmlns:potok=\"urn:potok:bpmn:1.0\"><process id=\"p\" isExecutable=\"true\"><userTask id=\"n\" \
                 potok:followUpDate=\"2026-12-01T09:00:00Z\" potok:form=\"review\" potok:owner=\"maria\"/>\
                 <sequenceFlow id=\"f\" sourceRef=\"n\" targetRef=\"on\"/><userTask id=\"on\"/></process></definitions>";
    let model = file("flags", "flags.bpmn", model);
    let answers = "steps:\n  - complete: n\n    with: {yes: no, sure: true}\n  - complete: on\n";
    let answers = file("flags", "flags.answers.yaml", answers);
    let run = potok(&["run", &model, "--answers", &answers, "--format", "json"], "");
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let events: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let set = |name: &str| events.iter().find(|event| event["variable"] == name).map(|event| event["value"].clone());
    assert_eq!((set("yes"), set("sure")), (Some("no".into()), Some(true.into())));
    let task = events.iter().find(|event| event["event"] == "user-task-created").expect("a task");
    assert_eq!((&task["formKey"], &task["followUp"]), (&"review".into(), &"2026-12-01T09:00:00Z".into()));
    assert_eq!(task["owner"], "maria");
}

#[test]
fn compensation_that_nobody_waits_for_names_no_waiter() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\">\
                 <process id=\"p\" isExecutable=\"true\"><startEvent id=\"s\"/><task id=\"t\"/>\
                 <boundaryEvent id=\"b\" attachedToRef=\"t\"><compensateEventDefinition/></boundaryEvent>\
                 <task id=\"undo\" isForCompensation=\"true\"/><association id=\"a\" sourceRef=\"b\" targetRef=\"undo\"/>\
                 <endEvent id=\"e\"><compensateEventDefinition waitForCompletion=\"WAIT\"/></endEvent>\
                 <sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"t\"/><sequenceFlow id=\"g\" sourceRef=\"t\" targetRef=\"e\"/>\
                 </process></definitions>";
    let answers = file("waiter", "waiter.answers.yaml", "steps: []\n");
    let waiter = |waits: &str| {
        let model = file("waiter", &format!("{waits}.bpmn"), model.replace("WAIT", waits));
        let run = potok(&["run", &model, "--answers", &answers, "--format", "json"], "");
        assert_eq!(run.code, 0, "{}{}", run.out, run.err);
        let events = run.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
        let mut started = events.filter(|event: &serde_json::Value| event["event"] == "compensation-started");
        started.next().expect("compensation begins")["waiter"].clone()
    };
    assert!(waiter("true").is_u64());
    assert!(waiter("false").is_null());
}

#[test]
fn a_scenario_may_name_the_event_that_starts_the_process() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\">\
                 <process id=\"p\" isExecutable=\"true\"><startEvent id=\"cold\"><conditionalEventDefinition>\
                 <condition>degrees &lt; 5</condition></conditionalEventDefinition></startEvent><userTask id=\"heat\"/>\
                 <sequenceFlow id=\"f\" sourceRef=\"cold\" targetRef=\"heat\"/></process></definitions>";
    let model = file("begins", "begins.bpmn", model);
    let run = |answers: &str| {
        let answers = file("begins", "begins.answers.yaml", answers);
        potok(&["run", &model, "--answers", &answers], "")
    };
    let held = run("at: cold\nstart: {degrees: 3}\nsteps:\n  - complete: heat\n");
    assert_eq!(held.code, 0, "{}", held.err);
    held.says(&["degrees = 3"]);
    refused(&run("start: {degrees: 3}\n"), &["begins.answers.yaml:1", "name its start event with `at`"]);
    refused(&run("\nat: warm\n"), &["begins.answers.yaml:2", "warm"]);
}

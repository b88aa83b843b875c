//! `potok run` with a person who types.

mod command;

use command::{bpmn, file, potok};

const ORDER: &str = "tests/models/order.bpmn";
const NOW: &str = "2026-11-24T10:15:00+03:00";

#[test]
fn a_question_mark_shows_what_can_be_typed_in_a_question() {
    let run = potok(&["run", &bpmn("incoming-call.bpmn"), "--now", NOW], "?\nАнна\nquit\n");
    run.says(&["Имя звонящего (required): ", "leave this question", "Имя звонящего (required): ", "Клиент"]);
}

#[test]
fn a_call_is_walked_through() {
    let typed = "Анна Петровна\n\nМБУ «Школа № 7»\nнет\n+7 8442 55-01-07\nУстав\nЮридический отдел\n\n\n\n\n\
                 next\n2\n\n1\nmaria\n1\nquit\n";
    let run = potok(&["run", &bpmn("incoming-call.bpmn"), "--now", NOW], typed);
    run.says(&[
        "Приём входящего звонка (incoming-call), Tue 24 Nov 2026 10:15",
        "Start form:",
        "Имя звонящего (required)",
        "an answer is required",
        "В какой отдел (required)",
        "5. Юридический отдел (legal)",
        "[Europe/Volgograd]",
        "Записать звонок в историю клиента (write-call)  type write-history; kind = call",
        "waiting:",
        "1. task      Взять обращение в работу (take-request)",
        "group legal; lane Отдел-исполнитель; due 12:15",
        "Срок реакции вышел (reaction-time-is-over)  at 12:15",
        "Tue 24 Nov 2026 12:15, waiting:",
        "job       Сообщить руководителю отдела (tell-head)",
        "given: recipient = \"legal-head\"",
        "Кто берёт в работу (required)",
        "1. task      Выполнить и записать исход (handle-request)",
        "for maria; lane Отдел-исполнитель; due Wed 25 Nov 12:15",
        "Left before the end; waiting at Tue 24 Nov 2026 12:15",
        "Passed:",
        "Variables:",
        "department  = \"legal\"",
        "the process has not ended",
    ]);
    assert_eq!(run.code, 2);
}

#[test]
fn everything_that_waits_can_be_done() {
    let typed = [
        // The form, with a number that is too small; then the card is declined, and the form shows what was typed.
        "Анна\n0\n3\n01.12.2026\ncourier\n",
        "error declined no money\n",
        "\n2\n\n\n",
        // The bank is away three times: an incident, which is tried again.
        "fail away\nfail away\nfail away\n1\n\n",
        "receipt=R-1\n\n",
        // Ad hoc: a task that is done, and the end.
        "1\n1,label\n1\n\n1\ndone\n",
        // No flow holds: a variable is set first.
        "1\nfine=true\n\n",
        "?\nvars\nwait P1D\n1\nweight=2.5\n\n",
    ];
    let run = potok(&["run", ORDER, "--now", NOW, "--business-key", "42"], &format!("\n{}", typed.concat()));
    run.says(&[
        "Заказ (order), Tue 24 Nov 2026 10:15",
        "must be at least 1",
        "2. Курьером (courier)",
        "given: sum = 3",
        "Клиент (required) [Анна]",
        "Срок (date, e.g. 2026-11-24) [2026-12-01]",
        "no tries left",
        "incident",
        "Собрать (pack): what to begin?",
        "1. Завернуть (wrap)",
        "incident  Хорошо? (is-fine)",
        "next          travel to the next timer",
        "Wed 25 Nov 2026 10:15, waiting:",
        "message   arrived  message parcel-arrived; key Анна",
        "timer     a-week  at Tue 1 Dec 10:15",
        "weight",
        "the process has ended, Wed 25 Nov 2026 10:15",
    ]);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
}

#[test]
fn a_signal_that_ends_in_an_error_is_a_failure() {
    let typed = "fine=true\n\nАнна\n3\n\n\n\n1\ndone\n2\n\n";
    let run = potok(&["run", ORDER, "--now", NOW], typed);
    run.says(&["strike-began", "the process has failed with error declined"]);
    assert_eq!(run.code, 1);
}

#[test]
fn a_process_that_an_event_starts_offers_it() {
    let run = potok(&["run", ORDER, "--process", "stock", "--now", NOW], "\nboxes=3\n\n\n");
    run.says(&["The process is started by:", "1. message   delivery", "boxes = 3", "the process has ended"]);
    assert_eq!(run.code, 0);
}

#[test]
fn with_json_only_events_are_on_the_standard_output() {
    let run = potok(&["run", ORDER, "--format", "json", "--now", NOW], "");
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("Variables to start with"), "{}", run.err);
    let run = potok(&["run", ORDER, "--format", "json", "--now", NOW], "\nАнна\n");
    assert_eq!(run.code, 2);
    assert!(run.out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{}", run.out);
    assert!(run.out.contains("\"element\":\"review\""), "{}", run.out);
}

#[test]
fn input_that_is_no_text_does_no_harm() {
    let run = potok(&["run", ORDER, "--now", NOW], "\u{0}\u{1b}[2J\n=\n{\"a\":\n\n");
    run.says(&["write name=value", "this is no JSON"]);
    assert_eq!(run.code, 2);
}

#[test]
fn a_run_without_colours_has_no_control_codes() {
    let run = potok(&["run", ORDER, "--now", NOW], "\n");
    assert!(!run.out.contains('\u{1b}'), "{:?}", run.out);
}

#[test]
fn names_and_values_do_not_command_the_terminal() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"><process id=\"p\"><startEvent id=\"s\"/>\
        <userTask id=\"a\" name=\"pay\u{202e}\u{9b}2J\"/><sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"a\"/></process></definitions>";
    let run =
        potok(&["run", &file("hostile", "turned.bpmn", model), "--now", NOW], "v=\"x\\u001b[2J\u{2066}\"\n\nquit\n");
    run.says(&["pay\u{fffd}·2J", r"x\u{1b}[2J\u{2066}"]);
    assert!(!run.out.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}']), "{:?}", run.out);
}

#[test]
fn what_cannot_be_run_is_told() {
    let run = potok(&["run", "tests/bad/broken.bpmn"], "");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("flow-target-unknown") && run.err.contains("is not run: "), "{}", run.err);
    let run = potok(&["run", ORDER, "--process", "stok"], "");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("no process `stok`") && run.err.contains("did you mean `stock`?"), "{}", run.err);
    let run = potok(&["run", "tests"], "");
    assert_eq!((run.code, run.err.as_str()), (1, "error: tests is a folder, not a file\n"));
    let run = potok(&["run", ORDER, "--now", "soon"], "");
    assert_eq!(run.code, 1);
    assert_eq!(run.err.matches("write ISO 8601").count(), 1, "{}", run.err);
}

#[test]
fn a_neighbour_with_errors_is_left_out_with_a_note() {
    let model = std::fs::read(format!("{}/{ORDER}", env!("CARGO_MANIFEST_DIR"))).expect("the model");
    let order = file("neighbours", "order.bpmn", model);
    file("neighbours", "broken.bpmn", "<definitions");
    file("neighbours", "broken.dmn", "<definitions");
    file("neighbours", "calendar-broken.yaml", "name: x");
    file("neighbours", "broken.form", "{}");
    let run = potok(&["run", &order], "");
    let notes: Vec<_> = run.err.lines().collect();
    assert!(
        matches!(notes[..], [form, others] if form.contains("broken.form is left out")
        && others.contains("3 neighbours with errors are left out: broken.dmn, calendar-broken.yaml, broken.bpmn (")),
        "{}",
        run.err
    );
    assert_eq!(run.code, 2);
}

#[test]
fn a_single_neighbour_with_errors_is_named_with_their_number() {
    let model = std::fs::read(format!("{}/{ORDER}", env!("CARGO_MANIFEST_DIR"))).expect("the model");
    let order = file("neighbour", "order.bpmn", model);
    file("neighbour", "broken.bpmn", "<definitions");
    let run = potok(&["run", &order], "");
    assert!(run.err.contains("broken.bpmn is left out: 1 error (`potok check "), "{}", run.err);
}

/// A process of a task that leads back to itself, and a gateway without a name before it.
const LOOP: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
<process id="p" isExecutable="true"><startEvent id="s" name="Begin"/><exclusiveGateway id="join"/><task id="t"/>
<sequenceFlow id="a" sourceRef="s" targetRef="join"/><sequenceFlow id="b" sourceRef="join" targetRef="t"/>
<sequenceFlow id="c" sourceRef="t" targetRef="join"/></process></definitions>"#;

#[test]
fn a_long_trace_is_shortened() {
    let model = file("loop", "loop.bpmn", LOOP);
    let run = potok(&["run", &model, "--now", NOW], "\n");
    run.says(&[
        "Begin > t > ",
        "Passed:",
        "Begin (s)",
        "exclusive gateway (join)",
        "more moves are left out",
        "stands here",
    ]);
    assert!(run.out.lines().count() < 300, "{}", run.out.lines().count());
    let json = potok(&["run", &model, "--now", NOW, "--format", "json"], "\n");
    assert!(json.out.lines().count() > 100_000, "{}", json.out.lines().count());
}

/// A process that undoes a task and does not wait for that.
const UNDONE: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
<process id="p" isExecutable="true"><startEvent id="s"/><task id="a"/>
<boundaryEvent id="undo" attachedToRef="a"><compensateEventDefinition/></boundaryEvent><task id="h" isForCompensation="true"/>
<association id="as" sourceRef="undo" targetRef="h" associationDirection="One"/>
<endEvent id="e"><compensateEventDefinition waitForCompletion="false"/></endEvent>
<sequenceFlow id="f" sourceRef="s" targetRef="a"/><sequenceFlow id="g" sourceRef="a" targetRef="e"/></process></definitions>"#;

#[test]
fn with_json_a_compensation_that_nobody_waits_for_names_nobody() {
    let run = potok(&["run", &file("undone", "undone.bpmn", UNDONE), "--format", "json", "--now", NOW], "\n");
    let events: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    let waiters: Vec<_> =
        events.iter().filter(|event| event["event"] == "compensation-started").map(|it| it.get("waiter")).collect();
    assert!(matches!(waiters[..], [None, Some(waiter)] if waiter.is_number()), "{waiters:?}");
}

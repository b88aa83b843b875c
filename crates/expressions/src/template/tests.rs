use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use potok_core::expressions::{Execution, Variables};
use proptest::prelude::*;

use super::*;

struct Given(BTreeMap<Name, Value>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }

    fn names(&self) -> Vec<Name> {
        self.0.keys().cloned().collect()
    }

    fn is_local(&self, name: &str) -> bool {
        name != "count"
    }

    fn execution(&self) -> Option<Execution> {
        Some(Execution {
            instance: "42".into(),
            business_key: Some("order-7".into()),
            process: "sale".into(),
            element: "check".into(),
            element_name: Some("Check it".into()),
            task_name: Some("Check 7".into()),
            assignee: Some("anna".into()),
            event: Some("start"),
        })
    }
}

fn variables() -> Given {
    let map = |entries: &[(&str, Value)]| -> Value { entries.iter().cloned().collect() };
    Given(BTreeMap::from([
        ("count".into(), Value::Integer(3)),
        ("amount".into(), Value::Integer(1_500)),
        ("rate".into(), Value::Number(0.5)),
        ("name".into(), "Anna".into()),
        ("approved".into(), true.into()),
        ("yes".into(), "true".into()),
        ("nothing".into(), Value::Null),
        ("digits".into(), "12".into()),
        ("list".into(), vec![Value::from("a"), "b".into()].into()),
        ("order".into(), map(&[("total", Value::Integer(9)), ("customer", map(&[("city", "Rome".into())]))])),
        ("json".into(), r#"{"a": {"b": [1, 2.5, "x"]}, "ok": true}"#.into()),
        ("due".into(), Value::Date(jiff::civil::date(2026, 1, 31))),
    ]))
}

fn outcome(text: &str) -> Result<Value, EvaluationError> {
    let template = compile(text, Purpose::Script).unwrap_or_else(|error| panic!("{text}: {error}"));
    let variables = variables();
    template.evaluate(&mut Evaluation::new(&variables, "2026-11-03T09:30:00Z".parse().expect("timestamp")))
}

fn value(text: &str) -> Value {
    outcome(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn failure(text: &str) -> String {
    outcome(text).expect_err(text).to_string()
}

fn refusal(text: &str) -> String {
    compile(text, Purpose::Expression).expect_err(text).message
}

#[test]
fn one_expression_keeps_its_type_and_more_give_text() {
    assert_eq!(value("${count}"), Value::Integer(3));
    assert_eq!(value("\n  #{count}  "), Value::Integer(3));
    assert_eq!(value("${count}${count}"), "33".into());
    assert_eq!(value("Dear ${name}, ${rate} of ${amount}${nothing}!"), "Dear Anna, 0.5 of 1500!".into());
    assert_eq!(value("costs 5$ and #1"), "costs 5$ and #1".into());
    assert_eq!(value("\\${name} is ${name}"), "${name} is Anna".into());
    assert_eq!(value(""), "".into());
}

#[test]
fn operators_convert_as_the_language_says() {
    for (text, expected) in [
        ("${count < 5}", true.into()),
        ("${count lt 5 and name eq 'Anna'}", true.into()),
        ("${!approved || amount >= 1000 && count != 3}", false.into()),
        ("${count + 1 * 2}", Value::Integer(5)),
        ("${(count + 1) * 2}", Value::Integer(8)),
        ("${10 - 3 - 2}", Value::Integer(5)),
        ("${4 / 2}", Value::Number(2.0)),
        ("${7 mod 4}", Value::Integer(3)),
        ("${7.5 % 2}", Value::Number(1.5)),
        ("${digits + 1}", Value::Integer(13)),
        ("${digits == 12}", true.into()),
        ("${digits > 9}", true.into()),
        ("${nothing + nothing}", Value::Integer(0)),
        ("${nothing + 1}", Value::Integer(1)),
        ("${nothing < 1}", false.into()),
        ("${nothing == null}", true.into()),
        ("${yes == true}", true.into()),
        ("${yes ? 'a' : 'b'}", "a".into()),
        ("${nothing ? 'a' : count > 1 ? 'b' : 'c'}", "b".into()),
        ("${empty nothing && not empty list}", true.into()),
        ("${-count}", Value::Integer(-3)),
        ("${'it\\'s' == \"it's\"}", true.into()),
        ("${count == 3.0}", true.into()),
        ("${due < due}", false.into()),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn properties_and_indices() {
    for (text, expected) in [
        ("${order.total}", Value::Integer(9)),
        ("${order.customer.city}", "Rome".into()),
        ("${order['customer']['city']}", "Rome".into()),
        ("${order.missing}", Value::Null),
        ("${list[1]}", "b".into()),
        ("${list[count - 3]}", "a".into()),
        ("${list[7]}", Value::Null),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn numbers_are_those_of_java() {
    for (text, expected) in [
        ("${1.}", Value::Number(1.0)),
        ("${1. + 1}", Value::Number(2.0)),
        ("${list[1.9]}", "b".into()),
        ("${list[rate]}", "a".into()),
        ("${list['1']}", "b".into()),
        ("${count.doubleValue()}", Value::Number(3.0)),
        ("${count.intValue()}", Value::Integer(3)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    assert!(failure("${list['1.9']}").contains("is a list"));
}

#[test]
fn nulls_and_kinds_of_json() {
    let json = r#"S('{"nu": null, "l": [1], "o": {}, "t": "x"}')"#;
    for (asked, expected) in [
        ("prop('nu').isNull()", Value::Boolean(true)),
        ("prop('nu').isArray()", false.into()),
        ("prop('nu').value()", Value::Null),
        ("prop('l').isNull()", false.into()),
        ("prop('l').isArray()", true.into()),
        ("prop('o').isObject()", true.into()),
        ("prop('t').isString()", true.into()),
        ("prop('t').isNumber()", false.into()),
    ] {
        assert_eq!(value(&format!("${{{json}.{asked}}}")), expected, "{asked}");
    }
    assert!(failure("${nothing.isNull()}").contains("is null"));
}

#[test]
fn what_an_execution_knows_of_its_variables() {
    for (text, expected) in [
        ("${execution.hasVariables()}", Value::Boolean(true)),
        ("${execution.hasVariablesLocal()}", true.into()),
        ("${execution.getVariableNamesLocal().contains('count')}", false.into()),
        ("${execution.variableNames.size()}", Value::Integer(12)),
        ("${execution.getVariableNames().contains('count')}", true.into()),
        ("${execution.getVariables().get('count')}", Value::Integer(3)),
        ("${execution.getVariablesLocal().size()}", Value::Integer(11)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    let reads = |text: &str| compile(text, Purpose::Expression).expect(text).reads().is_some();
    assert!(reads("${count}") && !reads("${execution.hasVariables()}"));
}

#[test]
fn methods_of_texts_and_lists() {
    for (text, expected) in [
        ("${name.matches('A.*')}", Value::Boolean(true)),
        ("${name.matches('n+')}", false.into()),
        ("${name.matches('x|Anna')}", true.into()),
        ("${list.subList(1, 2)}", vec![Value::from("b")].into()),
        ("${list.subList(2, 2).isEmpty()}", true.into()),
        ("${list.containsAll(list)}", true.into()),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    assert!(failure("${name.matches('(?=a)')}").contains("no regular expression"));
    assert!(failure("${list.subList(1, 3)}").contains("2 elements"));
    assert!(failure("${list.subList(2, 1)}").contains("2 elements"));
}

#[test]
fn methods() {
    for (text, expected) in [
        ("${name.equals('Anna') && name.startsWith('An') && name.endsWith('na') && name.contains('nn')}", true.into()),
        ("${name.toUpperCase().substring(1, 3)}", "NN".into()),
        ("${name.length() + list.size()}", Value::Integer(6)),
        ("${name.indexOf('z')}", Value::Integer(-1)),
        ("${name.replace('n', 'm').trim()}", "Amma".into()),
        ("${'a,b,,'.split(',')}", vec![Value::from("a"), "b".into()].into()),
        ("${list.contains('a') && !list.isEmpty()}", true.into()),
        ("${list.get(0)}", "a".into()),
        ("${order.containsKey('total') ? order.get('total') : 0}", Value::Integer(9)),
        ("${count.toString()}", "3".into()),
        ("${rate.intValue()}", Value::Integer(0)),
        ("${S(json).prop('a').prop('b').elements().get(1).numberValue()}", Value::Number(2.5)),
        ("${S(json).prop('ok').boolValue()}", true.into()),
        ("${JSON(json).jsonPath('$.a.b[2]').stringValue()}", "x".into()),
        ("${json.prop('ok')}", true.into()),
        ("${order.prop('customer').prop('city').stringValue()}", "Rome".into()),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn time_is_the_steps_own() {
    for (text, expected) in [
        ("${now()} ", "2026-11-03T09:30:00Z"),
        ("${dateTime().plusDays(3).plusHours(-1).toDate()}", "2026-11-06T08:30:00Z"),
        ("${dateTime().plusMonths(4).toString('dd.MM.yyyy HH:mm')}", "03.03.2027 09:30"),
        ("${due.plusMonths(1)}", "2026-02-28"),
    ] {
        assert_eq!(value(text).to_string(), expected, "{text}");
    }
    assert_eq!(value("${now().isBefore(dateTime().plusWeeks(1))}"), true.into());
}

#[test]
fn execution_asks_and_tells() {
    for (text, expected) in [
        ("${execution.getVariable('count') + 1}", Value::Integer(4)),
        ("${execution.getVariable('unknown')}", Value::Null),
        ("${execution.hasVariable('unknown')}", false.into()),
        ("${execution.getProcessBusinessKey()}", "order-7".into()),
        ("${execution.processInstanceId}", "42".into()),
        ("${execution.getEventName()}/${task.eventName}", "start/start".into()),
        ("${execution.getCurrentActivityId()}-${execution.currentActivityName}", "check-Check it".into()),
        ("${task.getName()}, ${task.name}", "Check 7, Check 7".into()),
        ("${task.assignee}-${task.getAssignee()}", "anna-anna".into()),
        ("${execution.getVariables().size()}", Value::Integer(12)),
        ("${variables:exists(unknown) || vars:equals(name, 'Anna')}", true.into()),
        ("${variables:getOrDefault('unknown', 5)}", Value::Integer(5)),
        ("${var:eq(count, 3) && vars:ne('count', 4) && count eq 3}", true.into()),
        ("${var:lt(count, 4) && var:lte(count, 3) && var:gt(count, 2) && var:gte(count, 3)}", true.into()),
        ("${var:eq(count, 4) || var:ne(count, 3) || var:lt(count, 3) || var:gt(count, 3)}", false.into()),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    let given = variables();
    let mut evaluation = Evaluation::new(&given, jiff::Timestamp::UNIX_EPOCH);
    let set = compile("${execution.setVariable('count', count + 1)}", Purpose::Script).expect("script");
    set.evaluate(&mut evaluation).expect("set");
    set.evaluate(&mut evaluation).expect("set again, reading its own write");
    let last = evaluation.assigned.last().expect("assigned");
    assert_eq!((&*last.name, &last.value, last.local), ("count", &Value::Integer(5), false));
    assert!(refusal("${execution.setVariable('a', 1)}").contains("only by what an activity runs"));
}

#[test]
fn errors_where_camunda_errs() {
    assert!(failure("${unknown}").contains("Unknown property used in expression"));
    assert!(failure("${unknown > 5}").contains("no variable `unknown`"));
    assert!(failure("${nothing.equals('a')}").contains("`nothing` is null"));
    assert!(failure("${name + 'x'}").contains("without `+`"));
    assert!(failure("${count && approved}").contains("no condition"));
    assert!(failure("${5 == 'abc'}").contains("no whole number"));
    assert!(failure("${list < 5}").contains("list"));
    assert!(failure("${1 / 0}").contains("divided by zero"));
    assert!(failure("${list.get(9)}").contains("2 elements"));
    assert!(failure("${count.city}").contains("Could not find property city"));
    assert!(failure("${S('{').prop('a')}").contains("no JSON"));
    assert!(failure("${name.toString().substring(9)}").contains("4 characters"));
}

#[test]
fn an_operator_in_a_wrong_place_is_named_as_it_is_written() {
    assert_eq!(refusal("${empty and approved}"), "`and` cannot stand here");
    assert_eq!(refusal("${empty && approved}"), "`&&` cannot stand here");
}

#[test]
fn what_is_not_available_says_what_to_write() {
    for (text, hint) in [
        ("${myBean.doIt(execution)}", "external task"),
        ("${list.add('x')}", "append"),
        ("${list.stream().count()}", "FEEL"),
        ("${execution}", "getVariable"),
        ("${execution.getEngineServices()}", "getProcessInstanceId"),
        ("${currentUser()}", "as a variable"),
        ("${XML(x)}", "JSON"),
        ("${foo(1)}", "no function `foo`"),
        ("${''.getClass()}", "Java"),
        ("${a = 1}", "=="),
        ("${a", "`${` is not closed"),
        ("b #{a", "`#{` is not closed"),
        ("${}", "nothing between"),
        ("${a b}", "missing before"),
        ("${'a}", "not closed"),
        ("${name.substring()}", "takes 1 or 2"),
    ] {
        let message = refusal(text);
        assert!(message.contains(hint), "{text}: {message}");
    }
}

#[test]
fn reads_tells_the_variables() {
    let reads = |text: &str| {
        let template = compile(text, Purpose::Script).expect(text);
        template.reads().map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(reads("${b > 5 ? a.x : c[d]} ${a}"), Some(vec!["a".into(), "b".into(), "c".into(), "d".into()]));
    assert_eq!(reads("${execution.getVariable('x')}"), Some(vec!["x".into()]));
    assert_eq!(reads("${execution.getVariable(x)}"), None);
    assert_eq!(reads("${execution.setVariable('x', 1)}"), Some(vec![]));
}

#[test]
fn depth_is_limited() {
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
        for text in [
            format!("${{{}1}}", "(".repeat(100_000)),
            format!("${{1{}}}", "+1".repeat(30_000)),
            format!("${{a{}}}", ".b".repeat(30_000)),
            format!("${{{}a}}", "!".repeat(30_000)),
            format!("${{{}1{}}}", "(".repeat(50), format!("{})", "+1".repeat(100)).repeat(50)),
        ] {
            assert!(compile(&text, Purpose::Expression).expect_err("deep").message.contains("nested too deeply"));
        }
        let long = format!("${{{}true}}", "count < 1 || ".repeat(150));
        let given = variables();
        let template = compile(&long, Purpose::Expression).expect("within the limit");
        let value = template.evaluate(&mut Evaluation::new(&given, jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(value, Ok(true.into()));
    });
    thread.expect("thread").join().expect("no overflow");
}

#[test]
fn what_grows_is_limited() {
    let huge: Value = "a".repeat(1_000_000).into();
    let given = Given(BTreeMap::from([("huge".into(), huge)]));
    let mut evaluation = Evaluation::new(&given, jiff::Timestamp::UNIX_EPOCH);
    for text in ["${huge.replace('a', huge)}", "${huge}${huge}${huge}${huge}${huge}"] {
        let template = compile(text, Purpose::Expression).expect(text);
        assert!(matches!(template.evaluate(&mut evaluation), Err(EvaluationError::Limit(_))), "{text}");
    }
}

#[test]
fn declared_types_do_not_stand_in_the_way() {
    let declared =
        potok_core::value::Declared { value: Value::Integer(4), type_name: "Short".into(), info: BTreeMap::new() };
    let given = Given(BTreeMap::from([("short".into(), Value::Declared(Arc::new(declared)))]));
    let mut evaluation = Evaluation::new(&given, jiff::Timestamp::UNIX_EPOCH);
    let template = compile("${short < 5 && short + 1 == 5}", Purpose::Expression).expect("template");
    assert_eq!(template.evaluate(&mut evaluation), Ok(true.into()));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\$\\{[a-z0-9'\"+*/%<>=!&|?:.,()\\[\\]{} #$\\PC-]{0,30}\\}?") {
        if let Ok(template) = compile(&text, Purpose::Script) {
            let _ = template.evaluate(&mut Evaluation::new(&variables(), jiff::Timestamp::UNIX_EPOCH));
        }
    }

    #[test]
    fn no_words_panic(words in prop::collection::vec(prop::sample::select(vec![
        "count", "name", "list", "order", "digits", ".", "(", ")", "[", "]", "+", "-", "*", "/", "%", "<", "==", "!",
        "&&", "?", ":", "empty", "1", "-1", "'x'", "2.5", ".size()", ".get(", ".substring(", ".split('.')",
        ".replace('', 'ab')", "now()", ".plusDays(", "9223372036854775807", "S(", "json", ".prop('a')", ",", "due",
        ".charAt(", ".toString('yyyy')", "execution.getVariable(", "true", "null", "nothing",
    ]), 1..14)) {
        if let Ok(template) = compile(&format!("${{{}}}", words.join(" ")), Purpose::Script) {
            let _ = template.evaluate(&mut Evaluation::new(&variables(), jiff::Timestamp::UNIX_EPOCH));
        }
    }
}

#[test]
fn text_beside_a_whole_number_must_be_one() {
    assert_eq!(value("${digits == 12 && '' == 0 && '1.0' == 1.0 && '9' < 10}"), true.into());
    for text in ["${'1.0' == 1}", "${'1.5' > 1}", "${' 1' == 1}", "${name == 1}"] {
        assert!(failure(text).contains("is no whole number"), "{text}: {}", failure(text));
    }
}

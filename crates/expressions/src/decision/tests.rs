use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::expressions::{Binding, Deployment, Evaluation, EvaluationError, Expressions, Variables};
use potok_core::value::{DateTime, Value};
use std::borrow::Cow;

use crate::Evaluator;

/// As Camunda's Modeler writes it: no input data, no item definitions, no variables.
pub(super) const DINNER: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:camunda="http://camunda.org/schema/1.0/dmn"
    id="dinner" name="Dinner" namespace="http://camunda.org/schema/1.0/dmn">
  <decision id="dish" name="Which dish?" camunda:versionTag="v1">
    <informationRequirement id="r1"><requiredDecision href="#season" /></informationRequirement>
    <informationRequirement id="r2"><requiredDecision href="#guests" /></informationRequirement>
    <decisionTable id="t1">
      <input id="i1" label="Season"><inputExpression id="e1" typeRef="string"><text>season</text></inputExpression></input>
      <input id="i2" label="How many" camunda:inputVariable="many">
        <inputExpression id="e2" typeRef="integer"><text>guestCount</text></inputExpression>
      </input>
      <output id="o1" label="Dish" name="desiredDish" typeRef="string" />
      <rule id="u1">
        <inputEntry id="x1"><text>"Winter"</text></inputEntry><inputEntry id="x2"><text>&lt;= 8</text></inputEntry>
        <outputEntry id="y1"><text>"Roastbeef"</text></outputEntry>
      </rule>
      <rule id="u2">
        <inputEntry id="x3"><text>not("Winter")</text></inputEntry><inputEntry id="x4"><text>many &gt; 3</text></inputEntry>
        <outputEntry id="y2"><text>"Steak for " + string(guestCount)</text></outputEntry>
      </rule>
      <rule id="u3">
        <inputEntry id="x5"><text></text></inputEntry><inputEntry id="x6"><text>&gt; 8</text></inputEntry>
        <outputEntry id="y3"><text>"Stew"</text></outputEntry>
      </rule>
    </decisionTable>
  </decision>
  <decision id="season" name="Season decision">
    <decisionTable id="t2" hitPolicy="FIRST">
      <input id="i3"><inputExpression id="e3" typeRef="integer"><text>temperature</text></inputExpression></input>
      <output id="o2" name="season" typeRef="string" />
      <rule id="u4"><inputEntry id="x7"><text>&lt; 10</text></inputEntry><outputEntry id="y4"><text>"Winter"</text></outputEntry></rule>
      <rule id="u5"><inputEntry id="x8"><text>-</text></inputEntry><outputEntry id="y5"><text>"Summer"</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="guests" name="Guest count">
    <variable id="v1" name="guestCount" typeRef="integer" />
    <literalExpression id="l1"><text>if weekend then 4 else 10</text></literalExpression>
  </decision>
</definitions>"##;

struct Given(BTreeMap<Name, Value>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }

    fn names(&self) -> Vec<Name> {
        self.0.keys().cloned().collect()
    }
}

pub(super) fn decide(
    evaluator: &Evaluator,
    decision: &str,
    binding: &Binding,
    variables: &[(&str, Value)],
) -> Result<Value, EvaluationError> {
    let given = Given(variables.iter().map(|(name, value)| ((*name).into(), value.clone())).collect());
    evaluator
        .decide(decision, binding, Deployment(0), &mut Evaluation::new(&given, jiff::Timestamp::UNIX_EPOCH))
        .map(|decided| decided.value)
}

pub(super) fn add(file: &str) -> Evaluator {
    let evaluator = Evaluator::new();
    evaluator.add_decisions(file.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    evaluator
}

pub(super) fn problems(file: &str) -> Vec<&'static str> {
    let found = Evaluator::new().add_decisions(file.as_bytes()).expect_err("problems");
    found.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn decisions_of_the_modeler_require_each_other() {
    let evaluator = Evaluator::new();
    let added = evaluator.add_decisions(DINNER.as_bytes()).expect("DMN");
    assert_eq!(added.ids.iter().map(|id| &**id).collect::<Vec<_>>(), ["dish", "season", "guests"]);
    let dish = |temperature: Value, weekend: bool| {
        let variables = [("temperature", temperature), ("weekend", weekend.into())];
        decide(&evaluator, "dish", &Binding::Latest, &variables)
    };
    assert_eq!(dish(Value::Integer(5), true), Ok("Roastbeef".into()));
    assert_eq!(dish("25".into(), true), Ok("Steak for 4".into()), "text is converted to the declared type");
    assert_eq!(dish(Value::Integer(5), false), Ok("Stew".into()));
    let clash = dish(Value::Integer(25), false).expect_err("two rules").to_string();
    assert!(clash.contains("rules 2, 3 match"), "{clash}");
    let by_name = decide(&evaluator, "Which dish?", &Binding::Latest, &[("weekend", true.into())]);
    assert_eq!(by_name, Ok("Steak for 4".into()));
}

#[test]
fn versions_and_tags() {
    let evaluator = add(DINNER);
    let second = DINNER.replace("Roastbeef", "Soup").replace("\"v1\"", "\"v2\"");
    evaluator.add_decisions_of(second.as_bytes(), Deployment(1), |_| None).expect("DMN");
    let dish =
        |binding| decide(&evaluator, "dish", &binding, &[("temperature", Value::Integer(1)), ("weekend", true.into())]);
    assert_eq!(dish(Binding::Latest), Ok("Soup".into()));
    assert_eq!(dish(Binding::Deployment), Ok("Roastbeef".into()));
    assert_eq!(dish(Binding::Version("1".into())), Ok("Roastbeef".into()));
    assert_eq!(dish(Binding::VersionTag("v1".into())), Ok("Roastbeef".into()));
    assert_eq!(dish(Binding::VersionTag("v2".into())), Ok("Soup".into()));
    for missing in [Binding::Version("3".into()), Binding::Version("0".into()), Binding::VersionTag("v3".into())] {
        assert_eq!(dish(missing), Err(EvaluationError::UnknownDecision("dish".into())));
    }
    let unknown = decide(&evaluator, "none", &Binding::Latest, &[]);
    assert_eq!(unknown, Err(EvaluationError::UnknownDecision("none".into())));
}

/// A table whose first column tests `x`, with rules and outputs as given.
fn table(attributes: &str, outputs: &str, rules: &[(&str, &[&str])]) -> Evaluator {
    let mut body = String::new();
    for (test, entries) in rules {
        body.push_str(&format!("<rule><inputEntry><text><![CDATA[{test}]]></text></inputEntry>"));
        for entry in *entries {
            body.push_str(&format!("<outputEntry><text>{entry}</text></outputEntry>"));
        }
        body.push_str("</rule>");
    }
    add(&format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
           <decision id="d" name="d"><decisionTable {attributes}>
           <input><inputExpression><text>x</text></inputExpression></input>{outputs}{body}
           </decisionTable></decision></definitions>"#
    ))
}

#[test]
fn hit_policies() {
    const ONE: &str = "<output name='o'><outputValues><text>\"high\", \"low\", 3, 5, 10</text></outputValues></output>";
    let rules: [(&str, &[&str]); 4] = [("> 0", &["5"]), ("> 10", &["3"]), ("[5..20]", &["10"]), ("> 10", &["3"])];
    let number = |number: i64| Value::Integer(number);
    let numbers =
        |numbers: &[i64]| Value::from(numbers.iter().map(|number| Value::Integer(*number)).collect::<Vec<_>>());
    for (attributes, x, expected) in [
        ("hitPolicy='FIRST'", 15, number(5)),
        ("hitPolicy='PRIORITY'", 15, number(3)),
        ("hitPolicy='RULE ORDER'", 15, numbers(&[5, 3, 10, 3])),
        ("hitPolicy='OUTPUT ORDER'", 15, numbers(&[3, 3, 5, 10])),
        ("hitPolicy='COLLECT'", 15, numbers(&[5, 3, 10, 3])),
        ("hitPolicy='COLLECT' aggregation='SUM'", 15, number(21)),
        ("hitPolicy='COLLECT' aggregation='MIN'", 15, number(3)),
        ("hitPolicy='COLLECT' aggregation='MAX'", 15, number(10)),
        ("hitPolicy='COLLECT' aggregation='COUNT'", 15, number(4)),
        ("", 1, number(5)),
        ("", -1, Value::Null),
        ("hitPolicy='COLLECT'", -1, numbers(&[])),
        ("hitPolicy='COLLECT' aggregation='SUM'", -1, Value::Null),
        ("hitPolicy='COLLECT' aggregation='COUNT'", -1, number(0)),
    ] {
        let evaluator = table(attributes, ONE, &rules);
        let decided = decide(&evaluator, "d", &Binding::Latest, &[("x", Value::Integer(x))]);
        assert_eq!(decided, Ok(expected), "{attributes} {x}");
    }
    let any = table("hitPolicy='ANY'", ONE, &[("> 0", &["1"]), ("> 5", &["1"]), ("> 10", &["2"])]);
    assert_eq!(decide(&any, "d", &Binding::Latest, &[("x", number(6))]), Ok(number(1)));
    assert!(decide(&any, "d", &Binding::Latest, &[("x", number(11))]).expect_err("differ").to_string().contains("ANY"));
}

#[test]
fn several_outputs_give_a_map_and_defaults_apply() {
    let outputs =
        "<output name='a'/><output name='b'><defaultOutputEntry><text>x * 2</text></defaultOutputEntry></output>";
    let evaluator = table("", outputs, &[("> 0", &["1", "\"one\""])]);
    let map = |a: Value, b: Value| -> Value { [("a", a), ("b", b)].into_iter().collect() };
    let decided = |x: i64| decide(&evaluator, "d", &Binding::Latest, &[("x", Value::Integer(x))]);
    assert_eq!(decided(1), Ok(map(Value::Integer(1), "one".into())));
    assert_eq!(decided(-4), Ok(map(Value::Null, Value::Integer(-8))));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let broken = DINNER.replace("&lt;= 8", "&lt;= (").replace("#guests", "#ghosts").replace("\"FIRST\"", "\"LAST\"");
    let mut codes = problems(&broken);
    codes.sort_unstable();
    assert_eq!(codes, ["decision-expression-invalid", "decision-hit-policy-unknown", "decision-requirement-unknown"]);
    let circle = DINNER.replace(
        "<decision id=\"season\" name=\"Season decision\">",
        "<decision id=\"season\" name=\"s\">\
        <informationRequirement><requiredDecision href=\"#dish\"/></informationRequirement>",
    );
    assert_eq!(problems(&circle), ["decision-circle", "decision-circle"]);
    assert_eq!(problems("<definitions xmlns='urn:x'/>"), ["decision-file-invalid"]);
    assert_eq!(problems("no XML").len(), 1);
}

pub(super) const WHOLE: &str = r##"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="w" name="Whole" namespace="urn:whole">
  <inputData id="in" name="Net price"><variable name="Net price" typeRef="number"/></inputData>
  <businessKnowledgeModel id="bkm" name="with tax"><variable name="with tax"/>
    <encapsulatedLogic><formalParameter name="p" typeRef="number"/>
      <literalExpression><text>p * 1.2</text></literalExpression></encapsulatedLogic>
  </businessKnowledgeModel>
  <decision id="gross" name="Gross price"><variable name="Gross price" typeRef="number"/>
    <informationRequirement><requiredInput href="#in"/></informationRequirement>
    <knowledgeRequirement><requiredKnowledge href="#bkm"/></knowledgeRequirement>
    <literalExpression><text>with tax(Net price)</text></literalExpression>
  </decision>
</definitions>"##;

#[test]
fn knowledge_is_called_by_its_name() {
    let evaluator = add(WHOLE);
    let decided = decide(&evaluator, "gross", &Binding::Latest, &[("Net price", Value::Integer(100))]);
    assert_eq!(decided, Ok(Value::Integer(120)));
    let now = add(&WHOLE.replace("p * 1.2", "string(now())"));
    assert_eq!(decide(&now, "gross", &Binding::Latest, &[]), Ok("1970-01-01T00:00:00Z".into()));
    assert_eq!(
        problems(&WHOLE.replace("<encapsulatedLogic>", "<encapsulatedLogic kind='Java'>")),
        ["decision-external"]
    );
    assert_eq!(problems(&WHOLE.replace("p * 1.2", "p(p)")), ["decision-expression-invalid"]);
    assert_eq!(
        problems(&WHOLE.replace("p * 1.2", "{f: function(n) f(n), r: f(p)}.r")),
        ["decision-expression-invalid"]
    );
    let own = WHOLE.replace(
        "<encapsulatedLogic>",
        "<knowledgeRequirement><requiredKnowledge href='#bkm'/></knowledgeRequirement><encapsulatedLogic>",
    );
    assert_eq!(problems(&own), ["decision-circle"]);
}

/// What the decision `d` of a file with this content gives; `x` is 5.
fn boxed(content: &str) -> String {
    let file = format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="F" namespace="urn:f">{content}</definitions>"#
    );
    let decided = decide(&add(&file), "d", &Binding::Latest, &[("x", 5.into())]);
    decided.map_or_else(|error| error.to_string(), |value| value.to_json().to_string())
}

fn text(text: &str) -> String {
    format!("<literalExpression><text>{}</text></literalExpression>", text.replace('&', "&amp;").replace('<', "&lt;"))
}

fn entry(name: &str, expression: &str) -> String {
    format!("<contextEntry><variable name=\"{name}\"/>{expression}</contextEntry>")
}

#[test]
fn boxed_expressions_mean_what_their_feel_means() {
    for (expression, expected) in [
        (text("x"), "5"),
        (format!("<list>{}{}</list>", text("absent = x"), text("absent != x")), "[false,true]"),
        (format!("<list>{}</list>", text("some i in [null, true] satisfies i")), "[true]"),
        (
            format!(
                "<some iteratorVariable=\"i\"><in>{}</in><satisfies>{}</satisfies></some>",
                text("[null, 7]"),
                text("i > x")
            ),
            "true",
        ),
        (
            format!("<context>{}{}</context>", entry("a-b", &text("x")), entry("c", &text("a-b + 1"))),
            r#"{"a-b":5,"c":6}"#,
        ),
        (
            format!(
                "<context>{}{}<contextEntry>{}</contextEntry></context>",
                entry(
                    "twice",
                    &format!("<functionDefinition><formalParameter name=\"n\"/>{}</functionDefinition>", text("n * 2"))
                ),
                entry(
                    "y",
                    &format!(
                        "<invocation>{}<binding><parameter name=\"n\"/>{}</binding></invocation>",
                        text("twice"),
                        text("x")
                    )
                ),
                text("twice(y)"),
            ),
            "20",
        ),
        (
            format!("<list><list>{}</list><context>{}</context></list>", text("x"), entry("a", &text("now() = now()"))),
            r#"[[5],{"a":true}]"#,
        ),
    ] {
        let decision = format!("<decision id=\"d\" name=\"d\">{expression}</decision>");
        assert_eq!(boxed(&decision), expected, "{expression}");
    }
}

const TABLE: &str = r#"<decisionTable hitPolicy="FIRST"><input><inputExpression><text>amount</text></inputExpression></input><output name="o"/>
    <rule><inputEntry><text>&gt; limit(10)</text></inputEntry><outputEntry><text>"much over " + string(limit(amount))</text></outputEntry></rule>
    <rule><inputEntry><text>null</text></inputEntry><outputEntry><text>"nothing"</text></outputEntry></rule>
    <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>"little"</text></outputEntry></rule></decisionTable>"#;

#[test]
fn tables_stand_in_other_expressions() {
    let limit = format!(
        "<businessKnowledgeModel id=\"l\" name=\"limit\"><encapsulatedLogic><formalParameter name=\"n\"/>{}</encapsulatedLogic></businessKnowledgeModel>",
        text("n * 2")
    );
    let rate = format!(
        "<businessKnowledgeModel id=\"r\" name=\"rate\"><knowledgeRequirement><requiredKnowledge href=\"#l\"/></knowledgeRequirement>
         <encapsulatedLogic><formalParameter name=\"amount\"/>{TABLE}</encapsulatedLogic></businessKnowledgeModel>"
    );
    let decided =
        |expression: &str| boxed(&format!("{rate}{limit}<decision id=\"d\" name=\"d\">{expression}</decision>"));
    assert_eq!(decided(&text("[rate(x), rate(x * 5), rate(null)]")), r#"["little","much over 50","nothing"]"#);
    let entries = format!("<context>{}{}</context>", entry("amount", &text("x * 6")), entry("is", TABLE));
    assert_eq!(decided(&entries), r#"{"amount":30,"is":"much over 60"}"#);
    assert_eq!(decided(TABLE), "\"nothing\"");
}

#[test]
fn a_decision_service_is_a_function_of_what_it_is_given() {
    let decision = |id: &str, requires: &str, expression: &str| {
        let requires = requires.split_whitespace().map(|id| {
            let kind = if id == "in" { "Input" } else { "Decision" };
            format!("<informationRequirement><required{kind} href=\"#{id}\"/></informationRequirement>")
        });
        format!("<decision id=\"{id}\" name=\"{id}\">{}{}</decision>", requires.collect::<String>(), text(expression))
    };
    let decisions = [
        decision("inner", "in given", "amount + given"),
        decision("outer", "inner", "inner * 2"),
        decision("given", "", "1000"),
        decision("d", "", "service(3, 4)"),
    ];
    let service = r##"<decisionService id="s" name="service"><outputDecision href="#outer"/><encapsulatedDecision href="#inner"/>
        <inputDecision href="#given"/><inputData href="#in"/></decisionService>"##;
    let content = format!("<inputData id=\"in\" name=\"amount\"/>{}{service}", decisions.concat());
    assert_eq!(boxed(&content), "14");
}

#[test]
fn what_is_wrong_inside_of_an_expression_is_told() {
    let found = |expression: &str| {
        problems(&format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="F" namespace="urn:f">
               <decision id="d" name="d">{expression}</decision></definitions>"#
        ))
    };
    assert_eq!(found(&format!("<list>{}</list>", text("nowhere(x)"))), ["decision-expression-invalid"]);
    assert_eq!(found(&format!("<list>{}</list>", text("1 +"))), ["decision-expression-invalid"]);
    assert_eq!(found("<conditional><if/></conditional>"), ["decision-logic-missing"; 3]);
    let unnamed = format!("<contextEntry>{}</contextEntry>", text("1"));
    assert_eq!(found(&format!("<context>{unnamed}{}</context>", entry("a", &text("2")))), ["decision-entry-unnamed"]);
    let cells = format!("<relation><column name=\"n\"/><row>{}{}</row></relation>", text("1"), text("2"));
    assert_eq!(found(&cells), ["decision-rule-invalid"]);
    let deep = format!("{}{}{}", "<list>".repeat(40), text("1"), "</list>".repeat(40));
    assert_eq!(found(&deep), ["decision-expression-invalid"]);
    let external = format!("<functionDefinition kind=\"Java\">{}</functionDefinition>", text("1"));
    assert_eq!(found(&external), ["decision-external"]);
}

#[test]
fn functions_cannot_make_a_file_large_without_end() {
    let long = text(&format!("n + string length(\"{}\")", "x".repeat(30_000)));
    let function = format!(
        "<businessKnowledgeModel id=\"l\" name=\"long\"><encapsulatedLogic><formalParameter name=\"n\"/>{long}</encapsulatedLogic></businessKnowledgeModel>"
    );
    let rule = "<rule><outputEntry><text>long(1)</text></outputEntry></rule>".repeat(600);
    let found = problems(&format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="F" namespace="urn:f">{function}
           <decision id="d" name="d"><decisionTable hitPolicy="COLLECT"><output name="o"/>{rule}</decisionTable></decision></definitions>"#
    ));
    assert_eq!(found.first(), Some(&"decision-expression-invalid"));
}

#[test]
fn results_have_the_declared_type_of_their_column() {
    let given = |kind: &str, value: Value| {
        let file = format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">
            <decision id="d1" name="d1"><decisionTable><input><inputExpression><text>1</text></inputExpression></input>
            <output name="given" typeRef="{kind}"/><rule><inputEntry><text>-</text></inputEntry>
            <outputEntry><text>value</text></outputEntry></rule></decisionTable></decision></definitions>"#
        );
        decide(&add(&file), "d1", &Binding::Latest, &[("value", value)])
    };
    assert_eq!(given("string", Value::Integer(5)), Ok("5".into()));
    assert_eq!(given("string", true.into()), Ok("true".into()));
    assert_eq!(given("integer", "7".into()), Ok(Value::Integer(7)));
    assert_eq!(given("long", Value::Number(7.0)), Ok(Value::Integer(7)));
    assert_eq!(given("double", "7.5".into()), Ok(Value::Number(7.5)));
    assert_eq!(given("boolean", "false".into()), Ok(false.into()));
    assert_eq!(given("integer", Value::Null), Ok(Value::Null));
    assert_eq!(given("tPerson", "Anna".into()), Ok("Anna".into()));
    for (kind, value) in [
        ("integer", Value::from("many")),
        ("integer", Value::Number(7.5)),
        ("boolean", Value::Integer(1)),
        ("date", "soon".into()),
        ("number", true.into()),
        ("string", vec![Value::Null].into()),
    ] {
        let error = given(kind, value).expect_err(kind).to_string();
        assert!(error.contains("the column `given` is declared to give"), "{error}");
    }
}

/// A table of one rule, whose column gives the variable `value` as the type; `attributes` are the file's.
fn column_of(attributes: &str, kind: &str, value: Value) -> Result<String, EvaluationError> {
    let file = format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" {attributes}>
        <decision id="d1" name="d1"><decisionTable><input><inputExpression><text>1</text></inputExpression></input>
        <output name="given" typeRef="{kind}"/><rule><inputEntry><text>-</text></inputEntry>
        <outputEntry><text>value</text></outputEntry></rule></decisionTable></decision></definitions>"#
    );
    let given = decide(&add(&file), "d1", &Binding::Latest, &[("value", value)])?;
    Ok(format!("{} {given}", given.kind()))
}

#[test]
fn dates_times_and_durations_are_those_of_their_column() {
    let plain = r#"namespace="urn:d""#;
    let moment = || Value::from("2026-01-02T03:04:05+01:00".parse::<DateTime>().unwrap());
    let date = || Value::Date(potok_core::value::parse_date("2026-01-02").unwrap());
    for (kind, value, expected) in [
        ("time", "10:00:00".into(), "time 10:00:00"),
        ("time", moment(), "time 03:04:05+01:00"),
        ("date", "2026-01-02".into(), "date 2026-01-02"),
        ("date", moment(), "date 2026-01-02"),
        ("date", "2026-01-02T03:04:05".into(), "date 2026-01-02"),
        ("feel:dateTime", "2026-01-02T03:04:05".into(), "date and time 2026-01-02T03:04:05"),
        ("dateTime", "2026-01-02".into(), "date and time 2026-01-02T00:00:00Z"),
        ("date and time", date(), "date and time 2026-01-02T00:00:00Z"),
        ("dayTimeDuration", "PT1H".into(), "duration PT1H"),
        ("days and time duration", "-P1DT1H".into(), "duration -P1DT1H"),
        ("yearMonthDuration", "P1Y2M".into(), "duration P1Y2M"),
        ("years and months duration", Value::Null, "null null"),
    ] {
        assert_eq!(column_of(plain, kind, value).as_deref(), Ok(expected), "{kind}");
    }
    for (kind, value) in [
        ("time", "noon".into()),
        ("time", date()),
        ("date", "10:00:00".into()),
        ("dateTime", Value::Integer(5)),
        ("dayTimeDuration", "P1M".into()),
        ("yearMonthDuration", "PT1H".into()),
        ("yearMonthDuration", "long".into()),
    ] {
        let error = column_of(plain, kind, value).expect_err(kind).to_string();
        assert!(error.contains("the column `given` is declared to give"), "{error}");
    }
}

/// It has no other type for moments.
#[test]
fn a_date_of_camunda_7_may_have_a_time() {
    let camunda = r#"namespace="http://camunda.org/schema/1.0/dmn""#;
    let seven = r#"xmlns:modeler="urn:m" modeler:executionPlatform="Camunda Platform" namespace="urn:d""#;
    let eight = r#"xmlns:modeler="urn:m" modeler:executionPlatform="Camunda Cloud" namespace="http://camunda.org/schema/1.0/dmn""#;
    let used = r#"xmlns:c="http://camunda.org/schema/1.0/dmn" c:diagramRelationId="1" namespace="urn:d""#;
    let declared = r#"xmlns:c="http://camunda.org/schema/1.0/dmn" namespace="urn:d""#;
    for (attributes, expected) in [
        (camunda, "date and time 2026-01-02T03:04:05"),
        (seven, "date and time 2026-01-02T03:04:05"),
        (used, "date and time 2026-01-02T03:04:05"),
        (declared, "date 2026-01-02"),
        (eight, "date 2026-01-02"),
    ] {
        let given = column_of(attributes, "date", "2026-01-02T03:04:05".into());
        assert_eq!(given.as_deref(), Ok(expected), "{attributes}");
    }
}

/// A table of one rule that tests the variable `value` with the cell; whether the rule fits. `attributes` are the decision's.
fn fits(attributes: &str, kind: &str, cell: &str, value: Value) -> bool {
    let file = format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d"
        xmlns:camunda="http://camunda.org/schema/1.0/dmn">
        <decision id="d1" name="d1" {attributes}><decisionTable>
        <input><inputExpression {kind}><text>value</text></inputExpression></input>
        <output name="fits"/><rule><inputEntry><text><![CDATA[{cell}]]></text></inputEntry>
        <outputEntry><text>true</text></outputEntry></rule></decisionTable></decision></definitions>"#
    );
    decide(&add(&file), "d1", &Binding::Latest, &[("value", value)]) == Ok(true.into())
}

#[test]
fn a_date_is_a_moment_for_the_cells_of_camunda_7() {
    let date = || Value::Date(potok_core::value::parse_date("2026-02-01").unwrap());
    let seven = "camunda:historyTimeToLive=\"5\"";
    for cell in [
        "> date and time(\"2020-01-01T00:00:00\")",
        "< date and time(\"2050-01-01T00:00:00\")",
        "[date and time(\"2020-01-01T00:00:00\")..date and time(\"2050-01-01T00:00:00\")]",
        "? > date and time(\"2020-01-01T00:00:00\")",
        "date and time(\"2026-02-01T00:00:00\")",
    ] {
        assert!(fits(seven, "typeRef=\"date\"", cell, date()), "{cell}");
        assert!(fits(seven, "typeRef=\"date\"", cell, "2026-02-01".into()), "{cell}");
        assert!(!fits("", "typeRef=\"date\"", cell, date()), "elsewhere a date is a date: {cell}");
    }
    assert!(!fits(seven, "typeRef=\"date\"", "date(\"2026-02-01\")", date()));
    assert!(fits("", "typeRef=\"date\"", "date(\"2026-02-01\")", date()));
}

#[test]
fn null_is_not_equal_to_anything_else() {
    for cell in [
        "not(\"a\")",
        "not(\"a\", \"b\")",
        "not(5)",
        "not(true)",
        "!= \"a\"",
        "? != \"a\"",
        "not(? = \"a\")",
        "null",
        "-",
        "not(date(\"2026-02-01\"))",
    ] {
        assert!(fits("", "", cell, Value::Null), "{cell}");
    }
    for cell in ["\"a\"", "= \"a\"", "? = \"a\"", "not(null)", "!= null", "not([1..5])", "not(> 5)"] {
        assert!(!fits("", "", cell, Value::Null), "{cell}");
    }
}

#[test]
fn inputs_of_dates_times_and_durations_are_those_of_their_column() {
    let tested = |kind: &str, cell: &str, value: Value| {
        let file = format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">
            <decision id="d1" name="d1"><decisionTable>
            <input><inputExpression typeRef="{kind}"><text>value</text></inputExpression></input>
            <output name="fits"/><rule><inputEntry><text>{cell}</text></inputEntry>
            <outputEntry><text>true</text></outputEntry></rule></decisionTable></decision></definitions>"#
        );
        decide(&add(&file), "d1", &Binding::Latest, &[("value", value)])
    };
    for (kind, cell, value) in [
        ("time", "[time(\"09:00:00\")..time(\"11:00:00\")]", "10:00:00"),
        ("date", "date(\"2026-01-02\")", "2026-01-02T03:04:05"),
        ("dateTime", "&gt; date and time(\"2026-01-01T23:00:00Z\")", "2026-01-02"),
        ("dayTimeDuration", "&lt; duration(\"PT2H\")", "PT1H"),
        ("yearMonthDuration", "duration(\"P1Y\")", "P12M"),
    ] {
        assert_eq!(tested(kind, cell, value.into()), Ok(true.into()), "{kind}");
        assert_eq!(tested(kind, cell, Value::Null), Ok(Value::Null), "{kind}");
        let error = tested(kind, cell, "soon".into()).expect_err(kind).to_string();
        assert!(error.contains("input column 1 is declared to be"), "{error}");
    }
}

/// A test that cannot be answered does not hold, negated or not.
#[test]
fn a_negated_test_of_another_type_or_of_null_does_not_hold() {
    let matches = |cell: &str, value: Value| {
        let file = format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">
            <decision id="d1" name="d1"><decisionTable><input><inputExpression><text>value</text></inputExpression></input>
            <output name="fits"/><rule><inputEntry><text>{cell}</text></inputEntry>
            <outputEntry><text>true</text></outputEntry></rule></decisionTable></decision></definitions>"#
        );
        decide(&add(&file), "d1", &Binding::Latest, &[("value", value)]) == Ok(true.into())
    };
    for (cell, holds) in [
        ("not(&gt; 1000)", Value::Integer(5)),
        ("not([1..5])", Value::Integer(6)),
        ("not(]1..5[, 7)", Value::Integer(5)),
        ("not(\"gold\", \"silver\")", "wood".into()),
        ("not(true)", false.into()),
        ("not(null)", "so".into()),
    ] {
        assert!(matches(cell, holds), "{cell}");
    }
    for (cell, value) in [
        ("not(&gt; 1000)", Value::Null),
        ("not(&gt; 1000)", "a".into()),
        ("not([1..5])", Value::Null),
        ("not(1)", "a".into()),
        ("not(1)", Value::Integer(1)),
        ("not(\"gold\")", Value::Integer(3)),
        ("not(]1..5[, 7)", Value::Integer(7)),
        ("not(null)", Value::Null),
    ] {
        assert!(!matches(cell, value.clone()), "{cell} {value}");
    }
}

/// Elsewhere `string` is what modelers write where nobody has chosen a type, and a test of numbers is meant.
#[test]
fn an_input_of_type_string_is_text_in_camunda_7() {
    let tested = |namespace: &str, cell: &str, value: Value| {
        let file = format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="{namespace}">
            <decision id="d1" name="d1"><decisionTable>
            <input><inputExpression typeRef="string"><text>value</text></inputExpression></input>
            <output name="fits"/><rule><inputEntry><text>{cell}</text></inputEntry>
            <outputEntry><text>true</text></outputEntry></rule></decisionTable></decision></definitions>"#
        );
        decide(&add(&file), "d1", &Binding::Latest, &[("value", value)]) == Ok(true.into())
    };
    let seven = "http://camunda.org/schema/1.0/dmn";
    assert!(tested(seven, "\"5\"", Value::Integer(5)));
    assert!(tested(seven, "\"true\"", true.into()));
    assert!(tested(seven, "\"so\"", "so".into()));
    assert!(tested(seven, "-", vec![Value::Integer(5)].into()));
    assert!(!tested("urn:d", "\"5\"", Value::Integer(5)));
    assert!(tested("urn:d", "&gt; 4", Value::Integer(5)));
}

#[test]
fn what_a_cell_hardly_means_is_told() {
    let told = |attributes: &str, kind: &str, cell: &str| {
        let file = format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d" {attributes}>
            <decision id="d1" name="d1"><decisionTable>
            <input><inputExpression {kind}><text>value</text></inputExpression></input>
            <output name="fits"/><rule><inputEntry><text><![CDATA[{cell}]]></text></inputEntry>
            <outputEntry><text>true</text></outputEntry></rule></decisionTable></decision></definitions>"#
        );
        let added = Evaluator::new().add_decisions(file.as_bytes()).expect("DMN");
        added.warnings.first().map(|warning| warning.code)
    };
    let (joined, overlooked) = ("decision-comparison-without-left-side", "decision-input-overlooked");
    let camunda = r#"xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" zeebe:modelerTemplate="t""#;
    for cell in [
        "b > 4",
        "5, b = 6",
        "not(b > 4)",
        "b > 4 and c",
        "list contains(c, 1)",
        "some y in c satisfies y > 1",
        "is defined(b)",
    ] {
        assert_eq!(told("", "", cell), Some(overlooked), "{cell}");
        assert_eq!(told("", "typeRef=\"boolean\"", cell), None, "{cell}");
        assert_eq!(told(camunda, "", cell), None, "{cell}");
    }
    for cell in
        ["> 4", "? > 4", "true", "not(true)", "b", "b + 1", "[1..b]", "not(\"x\")", "? > 4 and b > 4", "count(b)", "-"]
    {
        assert_eq!(told("", "", cell), None, "{cell}");
    }
    for cell in ["> 1 and ? < 5", "not(> 1 or b)", "3, > 1 and b > 4"] {
        assert_eq!(told("", "", cell), Some(joined), "{cell}");
        assert_eq!(told(camunda, "", cell), Some(joined), "{cell}");
    }
}

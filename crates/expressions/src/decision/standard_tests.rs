//! What DMN says of tables, boxed expressions and files (DMN 1.5 §7, §8, §10.2), and what modelers make of it.

use potok_core::expressions::Binding;
use potok_core::value::Value;

use super::tests::{DINNER, WHOLE, add, decide, problems};

/// A file with these elements.
fn file(content: &str) -> String {
    format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="f" name="File" namespace="urn:f"
           xmlns:camunda="http://camunda.org/schema/1.0/dmn" xmlns:feel="https://www.omg.org/spec/DMN/20191111/FEEL/"
           >{content}</definitions>"#
    )
}

/// What a decision gives; `x` is the one variable.
fn given(content: &str, x: Value) -> String {
    let decided = decide(&add(&file(content)), "d", &Binding::Latest, &[("x", x)]);
    decided.map_or_else(|error| format!("error: {error}"), |value| value.to_json().to_string())
}

const NAMESPACES: [&str; 5] = [
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

#[test]
fn every_version_of_dmn_is_read() {
    for namespace in NAMESPACES {
        let dinner = add(&DINNER.replace(NAMESPACES[2], namespace));
        let dish = decide(&dinner, "dish", &Binding::Latest, &[("temperature", 5.into()), ("weekend", true.into())]);
        assert_eq!(dish, Ok("Roastbeef".into()), "{namespace}");
        let whole = add(&WHOLE.replace(NAMESPACES[2], namespace));
        let gross = decide(&whole, "gross", &Binding::Latest, &[("Net price", 100.into())]);
        assert_eq!(gross, Ok(120.into()), "{namespace}");
    }
}

/// One rule with this cell.
fn matches(cell: &str, x: &Value) -> String {
    let cell = cell.replace('&', "&amp;").replace('<', "&lt;");
    let table = format!(
        r#"<decision id="d" name="d"><decisionTable hitPolicy="FIRST">
           <input><inputExpression><text>x</text></inputExpression></input><output name="o"/>
           <rule><inputEntry><text>{cell}</text></inputEntry><outputEntry><text>true</text></outputEntry></rule>
           <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>false</text></outputEntry></rule>
           </decisionTable></decision>"#
    );
    given(&table, x.clone())
}

#[test]
fn cells_are_unary_tests() {
    let day = |text: &str| Value::Date(potok_core::value::parse_date(text).expect("a date"));
    let moment = |text: &str| Value::from(text.parse::<potok_core::value::DateTime>().expect("a moment"));
    for (cell, x, expected) in [
        ("\"a\", \"b\"", "b".into(), true),
        ("\"a\", \"b\"", "c".into(), false),
        ("not(\"a\", \"b\")", "c".into(), true),
        ("not(\"a\", \"b\")", "a".into(), false),
        ("not(> 5)", 3.into(), true),
        ("not([1..5])", 7.into(), true),
        ("not(1, [3..5])", 4.into(), false),
        ("5", 5.into(), true),
        ("-5", Value::from(-5), true),
        ("< 5, > 10", 11.into(), true),
        ("< 5, > 10", 7.into(), false),
        ("[1..5]", 5.into(), true),
        ("[1..5)", 5.into(), false),
        ("]1..5]", 1.into(), false),
        ("(1..5[", 4.into(), true),
        (">= 5", Value::Null, false),
        ("null", Value::Null, true),
        ("not(null)", Value::Null, false),
        ("not(null)", 1.into(), true),
        ("-", Value::Null, true),
        ("", 1.into(), true),
        ("true", true.into(), true),
        ("true", false.into(), false),
        ("? > 3 and ? < 5", 4.into(), true),
        ("contains(?, \"b\")", "abc".into(), true),
        ("starts with(?, \"b\")", "abc".into(), false),
        ("cellInput = 4", 4.into(), true),
        ("[1, 2, 3]", 2.into(), true),
        ("list contains(?, 2)", vec![Value::from(1), 2.into()].into(), true),
        ("some i in ? satisfies i > 1", vec![Value::from(1), 2.into()].into(), true),
        ("date(\"2020-01-01\")", day("2020-01-01"), true),
        ("< date(\"2020-01-01\")", day("2019-12-31"), true),
        (">= @\"2020-01-01\"", day("2019-12-31"), false),
        ("[date(\"2020-01-01\")..date(\"2020-02-01\")]", day("2020-01-15"), true),
        ("< date and time(\"2020-01-01T10:00:00+03:00\")", moment("2020-01-01T06:59:00Z"), true),
        (
            "[date and time(\"2020-01-01T00:00:00Z\")..date and time(\"2020-01-02T00:00:00Z\")]",
            moment("2020-01-01T10:00:00+03:00"),
            true,
        ),
        ("< duration(\"P2D\")", Value::Duration("P1D".parse().expect("a duration")), true),
        ("\"a,b\"", "a,b".into(), true),
    ] {
        assert_eq!(matches(cell, &x), expected.to_string(), "`{cell}` and {x}");
    }
}

#[test]
fn boxed_expressions() {
    let decision = |body: &str| {
        format!(
            r##"<inputData id="in" name="x"><variable name="x"/></inputData>
            <decision id="d" name="d"><variable name="d"/>
            <informationRequirement id="r"><requiredInput href="#in"/></informationRequirement>{body}</decision>"##
        )
    };
    let text = |text: &str| format!("<literalExpression><text>{text}</text></literalExpression>");
    let entry =
        |name: &str, value: &str| format!("<contextEntry><variable name=\"{name}\"/>{}</contextEntry>", text(value));
    for (body, expected) in [
        (format!("<context>{}{}</context>", entry("a", "x + 1"), entry("b", "a * 2")), r#"{"a":6,"b":12}"#),
        (format!("<context>{}<contextEntry>{}</contextEntry></context>", entry("a", "x + 1"), text("a * 3")), "18"),
        (format!("<list>{}{}</list>", text("x"), text("x + 1")), "[5,6]"),
        (
            format!(
                "<relation><column name=\"n\"/><column name=\"m\"/><row>{}{}</row><row>{}{}</row></relation>",
                text("1"),
                text("x"),
                text("2"),
                text("x * 2")
            ),
            r#"[{"m":5,"n":1},{"m":10,"n":2}]"#,
        ),
        (
            format!(
                "<conditional><if>{}</if><then>{}</then><else>{}</else></conditional>",
                text("x > 3"),
                text("1"),
                text("2")
            ),
            "1",
        ),
        (format!("<filter><in>{}</in><match>{}</match></filter>", text("[1, 7, 9]"), text("item > x")), "[7,9]"),
        (
            format!("<for iteratorVariable=\"i\"><in>{}</in><return>{}</return></for>", text("[1, 2]"), text("i * x")),
            "[5,10]",
        ),
        (
            format!(
                "<every iteratorVariable=\"i\"><in>{}</in><satisfies>{}</satisfies></every>",
                text("[1, 2]"),
                text("i &lt; x")
            ),
            "true",
        ),
        (
            format!(
                "<some iteratorVariable=\"i\"><in>{}</in><satisfies>{}</satisfies></some>",
                text("[1, 2]"),
                text("i > x")
            ),
            "false",
        ),
    ] {
        let (namespace, content) = (NAMESPACES[4], file(&decision(&body)));
        let content = content.replace(NAMESPACES[2], namespace);
        let decided = decide(&add(&content), "d", &Binding::Latest, &[("x", 5.into())]);
        let shown = decided.map_or_else(|error| error.to_string(), |value| value.to_json().to_string());
        assert_eq!(shown, expected, "{body}");
    }
}

#[test]
fn knowledge_is_invoked_from_tables_and_invocations() {
    let content = r##"
      <inputData id="in" name="x"><variable name="x"/></inputData>
      <businessKnowledgeModel id="bkm" name="twice"><variable name="twice"/><encapsulatedLogic>
        <formalParameter name="n"/><literalExpression><text>n * 2</text></literalExpression></encapsulatedLogic>
      </businessKnowledgeModel>
      <decision id="d" name="d"><variable name="d"/>
        <informationRequirement id="r"><requiredInput href="#in"/></informationRequirement>
        <informationRequirement id="r2"><requiredDecision href="#e"/></informationRequirement>
        <decisionTable hitPolicy="COLLECT" aggregation="SUM"><input><inputExpression><text>e</text></inputExpression></input>
          <output/><rule><inputEntry><text>&gt; 5</text></inputEntry><outputEntry><text>e + 1</text></outputEntry></rule>
          <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>100</text></outputEntry></rule></decisionTable>
      </decision>
      <decision id="e" name="e"><variable name="e"/>
        <informationRequirement id="r3"><requiredInput href="#in"/></informationRequirement>
        <knowledgeRequirement id="k"><requiredKnowledge href="#bkm"/></knowledgeRequirement>
        <invocation><literalExpression><text>twice</text></literalExpression>
          <binding><parameter name="n"/><literalExpression><text>x</text></literalExpression></binding></invocation>
      </decision>"##;
    assert_eq!(given(content, 5.into()), "111");
}

#[test]
fn tables_as_camunda_writes_them() {
    let content = r#"
      <decision id="d" name="d" camunda:historyTimeToLive="180">
        <decisionTable><input label="X" camunda:inputVariable="amount">
          <inputExpression typeRef="integer" expressionLanguage="juel"><text>${x + 1}</text></inputExpression></input>
        <output name="o" typeRef="string"/>
        <rule><inputEntry expressionLanguage="juel"><text>${amount == 6}</text></inputEntry>
          <outputEntry expressionLanguage="juel"><text>${x > 4 ? 'many' : 'few'}</text></outputEntry></rule>
        </decisionTable></decision>"#;
    assert_eq!(given(content, 5.into()), "\"many\"");
    assert_eq!(given(content, 4.into()), "null");
}

#[test]
fn several_outputs_under_every_policy() {
    let table = |attributes: &str| {
        format!(
            r#"<decision id="d" name="d"><decisionTable {attributes}>
            <input><inputExpression><text>x</text></inputExpression></input>
            <output name="a"><outputValues><text>"high","low"</text></outputValues></output>
            <output name="b"><outputValues><text>1, 2, 3</text></outputValues></output>
            <rule><inputEntry><text>&gt; 0</text></inputEntry><outputEntry><text>"low"</text></outputEntry><outputEntry><text>1</text></outputEntry></rule>
            <rule><inputEntry><text>&gt; 5</text></inputEntry><outputEntry><text>"high"</text></outputEntry><outputEntry><text>3</text></outputEntry></rule>
            <rule><inputEntry><text>&gt; 5</text></inputEntry><outputEntry><text>"high"</text></outputEntry><outputEntry><text>2</text></outputEntry></rule>
            </decisionTable></decision>"#
        )
    };
    let (low, high3, high2) = (r#"{"a":"low","b":1}"#, r#"{"a":"high","b":3}"#, r#"{"a":"high","b":2}"#);
    for (policy, x, expected) in [
        ("UNIQUE", 1, low.to_owned()),
        ("ANY", 1, low.to_owned()),
        ("FIRST", 9, low.to_owned()),
        ("PRIORITY", 9, high2.to_owned()),
        ("RULE ORDER", 9, format!("[{low},{high3},{high2}]")),
        ("COLLECT", 9, format!("[{low},{high3},{high2}]")),
        ("OUTPUT ORDER", 9, format!("[{high2},{high3},{low}]")),
    ] {
        assert_eq!(given(&table(&format!("hitPolicy=\"{policy}\"")), x.into()), expected, "{policy}");
    }
    assert!(given(&table(""), 9.into()).contains("rules 1, 2, 3 match at once"));
}

#[test]
fn what_a_table_lacks_is_told_when_it_is_added() {
    let table = |attributes: &str| {
        file(&format!(
            r#"<decision id="d" name="d"><decisionTable {attributes}><output name="o"/>
            <rule><outputEntry><text>1</text></outputEntry></rule></decisionTable></decision>"#
        ))
    };
    assert_eq!(problems(&table("hitPolicy=\"PRIORITY\"")), ["decision-output-values-missing"]);
    assert_eq!(problems(&table("hitPolicy=\"OUTPUT ORDER\"")), ["decision-output-values-missing"]);
    assert_eq!(problems(&table("hitPolicy=\"COLLECT\" aggregation=\"AVG\"")), ["decision-aggregation-invalid"]);
}

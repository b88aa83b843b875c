//! Cells of decision tables, held against what Camunda 7.24 answers (`cells.txt`).

use potok_core::expressions::Binding;
use potok_core::value::Value;

use super::tests::{add, decide};

/// A table for the platform whose one rule has the cell; whether it fits the input.
fn fits(platform: &str, cell: &str, input: Value) -> bool {
    let file = format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d" {platform}>
        <decision id="d1" name="d1"><decisionTable>
        <input><inputExpression><text>value</text></inputExpression></input><output name="fits"/>
        <rule><inputEntry><text><![CDATA[{cell}]]></text></inputEntry><outputEntry><text>true</text></outputEntry></rule>
        </decisionTable></decision></definitions>"#
    );
    let given = [
        ("value", input),
        ("b", 5.into()),
        ("t", true.into()),
        ("f", false.into()),
        ("s", "x".into()),
        ("n", Value::Null),
    ];
    decide(&add(&file), "d1", &Binding::Latest, &given) == Ok(true.into())
}

#[test]
fn cells_fit_as_in_camunda() {
    let inputs: [Value; 7] = [
        3.into(),
        Value::Null,
        true.into(),
        false.into(),
        "x".into(),
        vec![1.into(), 3.into()].into(),
        vec![true.into()].into(),
    ];
    let mut others = Vec::new();
    for platform in ["Camunda Platform", "Camunda Cloud"] {
        let platform = format!(r#"xmlns:modeler="urn:m" modeler:executionPlatform="{platform}""#);
        for line in include_str!("cells.txt").lines().filter(|line| !line.starts_with('#')) {
            let (expected, cell) = line.split_once("  ").expect("a line");
            let found: String =
                inputs.iter().map(|input| if fits(&platform, cell, input.clone()) { '+' } else { '.' }).collect();
            if found != expected {
                others.push(format!("{cell}: {found} instead of {expected}"));
            }
        }
    }
    assert_eq!(others, [""; 0]);
}

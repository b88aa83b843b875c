use super::*;
use crate::dialect::{Dialect, ExpressionUse};

/// The expression in the element `e`, in a model of that platform.
fn read(platform: &str, content: &str, usage: ExpressionUse) -> String {
    let root = format!("modeler:executionPlatform=\"{platform}\"");
    let document = document_with(&root, content);
    shown(&Reader::new(&document).expression(at(&document, "e"), usage))
}

#[test]
fn an_unmarked_condition_is_feel_except_in_the_dialects_of_templates() {
    let condition = "<bpmn:conditionExpression id=\"e\"> amount &gt; 5 </bpmn:conditionExpression>";
    assert_eq!(read("", condition, ExpressionUse::Condition), "feel amount > 5");
    assert_eq!(read("Camunda Cloud", condition, ExpressionUse::Condition), "feel amount > 5");
    assert_eq!(read("Camunda Platform", condition, ExpressionUse::Condition), "template amount > 5");
}

#[test]
fn both_marks_are_understood_in_every_dialect() {
    for platform in ["", "Camunda Platform", "Camunda Cloud"] {
        let feel = "<bpmn:condition id=\"e\"> = amount &gt; 5</bpmn:condition>";
        assert_eq!(read(platform, feel, ExpressionUse::Condition), "feel amount > 5");
        let template = "<bpmn:condition id=\"e\">${amount gt 5}</bpmn:condition>";
        assert_eq!(read(platform, template, ExpressionUse::Condition), "template ${amount gt 5}");
        let hash = "<bpmn:timeDuration id=\"e\">#{delay}</bpmn:timeDuration>";
        assert_eq!(read(platform, hash, ExpressionUse::Timer), "template #{delay}");
    }
}

#[test]
fn unmarked_values_timers_and_names_are_literal() {
    let text = "<bpmn:timeDuration id=\"e\">\n PT5M \n</bpmn:timeDuration>";
    for usage in [ExpressionUse::Timer, ExpressionUse::Value, ExpressionUse::Name] {
        assert_eq!(read("", text, usage), "literal PT5M");
    }
}

#[test]
fn an_expressions_own_language_wins_over_marks() {
    let read = |language: &str, text: &str| {
        let content =
            format!("<bpmn:conditionExpression id=\"e\" language=\"{language}\">{text}</bpmn:conditionExpression>");
        read("", &content, ExpressionUse::Condition)
    };
    assert_eq!(read("https://www.omg.org/spec/DMN/20191111/FEEL/", "= a"), "feel a");
    assert_eq!(read("FEEL", "a"), "feel a");
    assert_eq!(read("http://java.sun.com/products/el", "a"), "template a");
    assert_eq!(read("http://camunda.org/schema/1.0/juel", "a"), "template a");
    assert_eq!(read("JavaScript", "`${a}` == 1"), "js `${a}` == 1");
    assert_eq!(read("ecmascript", "a"), "js a");
    assert_eq!(read("groovy", "\"${a}\""), "groovy \"${a}\"");
    assert_eq!(read("http://www.w3.org/1999/XPath", "a"), "http://www.w3.org/1999/XPath a");
    assert_eq!(read(" ", "a"), "feel a");
}

#[test]
fn a_language_declared_for_the_whole_file_does_not_count() {
    let document = document_with(
        "expressionLanguage=\"http://www.w3.org/1999/XPath\"",
        "<bpmn:conditionExpression id=\"e\">a</bpmn:conditionExpression>",
    );
    let expression = Reader::new(&document).expression(at(&document, "e"), ExpressionUse::Condition);
    assert_eq!(shown(&expression), "feel a");
}

#[test]
fn scripts_are_in_the_format_of_their_task() {
    let script = |platform, format: &str| {
        let content =
            format!("<bpmn:scriptTask {format}><bpmn:script id=\"e\"> x = `${{a}}` </bpmn:script></bpmn:scriptTask>");
        read(platform, &content, ExpressionUse::Script)
    };
    assert_eq!(script("", "scriptFormat=\"javascript\""), "js  x = `${a}` ");
    assert_eq!(script("", "scriptFormat=\"text/x-groovy\""), "text/x-groovy  x = `${a}` ");
    let plain = "<bpmn:scriptTask><bpmn:script id=\"e\">a + 1</bpmn:script></bpmn:scriptTask>";
    assert_eq!(read("", plain, ExpressionUse::Script), "feel a + 1");
    assert_eq!(read("Camunda Platform", plain, ExpressionUse::Script), "template a + 1");
}

#[test]
fn attributes_hold_expressions_too() {
    let document = document("<bpmn:message id=\"m\" name=\"=&quot;order-&quot; + id\" />");
    let reader = Reader::new(&document);
    let message = at(&document, "m");
    assert_eq!(shown(&reader.attribute_expression(message, "name", ExpressionUse::Name)), "feel \"order-\" + id");
    assert_eq!(shown(&reader.attribute_expression(message, "id", ExpressionUse::Name)), "literal m");
    assert_eq!(shown(&reader.attribute_expression(message, "absent", ExpressionUse::Name)), "literal ");
}

#[test]
fn the_platform_decides_the_dialect() {
    let dialect = |root: &str, content: &str| Reader::new(&document_with(root, content)).dialect();
    let job = "<bpmn:serviceTask camunda:topic=\"t\" />";
    assert_eq!(dialect("modeler:executionPlatform=\"Camunda Cloud\"", job), Dialect::Zeebe);
    assert_eq!(dialect("modeler:executionPlatform=\"Camunda Platform\"", job), Dialect::Camunda);
    assert_eq!(dialect("modeler:executionPlatform=\"Operaton\"", ""), Dialect::Camunda);
    assert_eq!(dialect("exporter=\"Flowable Open Source Modeler\"", ""), Dialect::Flowable);
    assert_eq!(dialect("exporter=\"bpmn-js\"", ""), Dialect::Standard);
}

#[test]
fn without_a_platform_the_words_used_decide_the_dialect() {
    let dialect = |content: &str| Reader::new(&document(content)).dialect();
    // The prefixes that every test declares are no use of them.
    assert_eq!(dialect("<bpmn:userTask />"), Dialect::Standard);
    assert_eq!(dialect("<bpmn:userTask potok:assignee=\"x\" />"), Dialect::Standard);
    assert_eq!(dialect("<bpmn:userTask camunda:modelerTemplate=\"x\" />"), Dialect::Standard);
    assert_eq!(dialect("<bpmn:userTask operaton:assignee=\"x\" />"), Dialect::Camunda);
    assert_eq!(dialect("<bpmn:userTask activiti:assignee=\"x\" />"), Dialect::Flowable);
    assert_eq!(
        dialect("<bpmn:userTask camunda:assignee=\"x\" flowable:owner=\"x\" flowable:dueDate=\"x\" />"),
        Dialect::Flowable
    );
    assert_eq!(
        dialect("<bpmn:userTask><bpmn:extensionElements><zeebe:userTask /></bpmn:extensionElements></bpmn:userTask>"),
        Dialect::Zeebe
    );
}

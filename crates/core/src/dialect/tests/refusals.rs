//! What the model's own engine would not deploy, and what would silently do nothing.

use super::*;

/// What is said about the document, in one line each: severity, code, message.
fn told(content: &str) -> Vec<String> {
    let document = document(content);
    let found = Reader::new(&document).diagnostics();
    found.iter().map(|found| format!("{:?} {} {}", found.severity, found.code, found.message)).collect()
}

/// The same of an element with these extension elements and parts.
fn of(kind: &str, extensions: &str, parts: &str) -> Vec<String> {
    told(&format!(
        "<bpmn:{kind}><bpmn:extensionElements>{extensions}</bpmn:extensionElements>{parts}</bpmn:{}>",
        kind.split(' ').next().unwrap_or(kind)
    ))
}

fn meaningless(severity: &str, what: &str) -> Vec<String> {
    vec![format!("{severity} extension-value-invalid {what} means nothing here")]
}

fn refused(what: &str, engine: &str) -> Vec<String> {
    vec![format!("Error extension-unsupported {what} is refused by {engine}")]
}

const NOTHING: [&str; 0] = [];

/// Camunda 7.24: "Missing parameter 'source' or 'sourceExpression' when passing variables", "Missing attribute 'target' when
/// attribute 'source' or 'sourceExpression' is set".
#[test]
fn what_a_call_hands_over_has_a_source_and_a_target() {
    let call = |mapping: &str| of("callActivity calledElement=\"p\"", mapping, "");
    let invalid = |what: &str| meaningless("Error", what);
    assert_eq!(call("<camunda:in target=\"x\" />"), invalid("<camunda:in> without `source`"));
    assert_eq!(call("<camunda:in />"), invalid("<camunda:in> without `source`"));
    assert_eq!(call("<camunda:in source=\"x\" />"), invalid("<camunda:in> without `target`"));
    assert_eq!(
        call("<camunda:out sourceExpression=\"${1}\" target=\"\" />"),
        invalid("<camunda:out> without `target`")
    );
    assert_eq!(call("<camunda:out variables=\"some\" />"), invalid("variables=\"some\" of <camunda:out>"));
    assert_eq!(call("<camunda:in businessKey=\"\" />"), invalid("<camunda:in> with an empty businessKey"));
    for fine in [
        "<camunda:in variables=\"all\" />",
        "<camunda:in businessKey=\"${key}\" />",
        "<camunda:in source=\"a\" target=\"b\" local=\"true\" />",
        "<camunda:out sourceExpression=\"${1}\" target=\"b\" />",
    ] {
        assert_eq!(call(fine), NOTHING, "{fine}");
    }
    // Flowable passes over such a mapping.
    assert_eq!(call("<flowable:in source=\"x\" />"), meaningless("Warning", "<flowable:in> without `target`"));
    assert_eq!(call("<flowable:out source=\"x\" targetExpression=\"${name}\" />"), NOTHING);
    let signal = "<bpmn:intermediateThrowEvent><bpmn:signalEventDefinition><bpmn:extensionElements><camunda:in source=\"a\" />\
                  </bpmn:extensionElements></bpmn:signalEventDefinition></bpmn:intermediateThrowEvent>";
    assert_eq!(told(signal), invalid("<camunda:in> without `target`"));
}

#[test]
fn a_signal_that_is_caught_hands_nothing_over() {
    let caught = "<bpmn:startEvent><bpmn:signalEventDefinition><bpmn:extensionElements><camunda:in source=\"a\" \
                  target=\"b\" /></bpmn:extensionElements></bpmn:signalEventDefinition></bpmn:startEvent>";
    assert_eq!(told(caught), ["Warning extension-ignored <camunda:in> of a signal that is caught has no effect here"]);
}

#[test]
fn who_waits_for_a_signal_is_reached_at_once() {
    let thrown = "<bpmn:intermediateThrowEvent><bpmn:signalEventDefinition camunda:async=\"true\" />\
                  </bpmn:intermediateThrowEvent>";
    assert_eq!(told(thrown), ["Warning extension-ignored camunda:async on <signalEventDefinition> has no effect here"]);
}

/// Camunda 7.24: "Missing attribute 'calledElementVersion' when 'calledElementBinding' has value 'version'".
#[test]
fn a_version_that_is_bound_to_is_named() {
    let invalid = |what: &str| meaningless("Error", what);
    for (element, what) in [("callActivity", "calledElement"), ("businessRuleTask", "decisionRef")] {
        let bound = |attributes: &str| told(&format!("<bpmn:{element} {attributes} />"));
        let missing = |binding: &str, attribute: &str| {
            invalid(&format!("camunda:{what}Binding=\"{binding}\" without camunda:{what}{attribute}"))
        };
        assert_eq!(bound(&format!("camunda:{what}Binding=\"version\"")), missing("version", "Version"));
        assert_eq!(bound(&format!("camunda:{what}Binding=\"versionTag\"")), missing("versionTag", "VersionTag"));
        let numbered =
            |version: &str| bound(&format!("camunda:{what}Binding=\"version\" camunda:{what}Version=\"{version}\""));
        assert_eq!(numbered("x"), invalid(&format!("camunda:{what}Version=\"x\"")));
        assert_eq!(numbered("0"), invalid(&format!("camunda:{what}Version=\"0\"")));
        assert_eq!(numbered("3"), NOTHING);
        assert_eq!(numbered("${v}"), NOTHING);
        assert_eq!(bound(&format!("camunda:{what}Binding=\"deployment\"")), NOTHING);
    }
    let form = |attributes: &str| told(&format!("<bpmn:userTask camunda:formRef=\"f\" {attributes} />"));
    assert_eq!(form(""), invalid("a formRef without formRefBinding"));
    assert_eq!(form("camunda:formRefBinding=\"newest\""), invalid("camunda:formRefBinding=\"newest\""));
    assert_eq!(
        form("camunda:formRefBinding=\"version\""),
        invalid("camunda:formRefBinding=\"version\" without camunda:formRefVersion")
    );
    assert_eq!(form("camunda:formRefBinding=\"latest\""), NOTHING);
    let called =
        |attributes: &str| of("callActivity", &format!("<zeebe:calledElement processId=\"p\" {attributes} />"), "");
    assert_eq!(
        called("bindingType=\"versionTag\""),
        invalid("bindingType=\"versionTag\" of <zeebe:calledElement> without versionTag")
    );
    assert_eq!(called("bindingType=\"newest\""), invalid("bindingType=\"newest\" of <calledElement>"));
    assert_eq!(called("bindingType=\"versionTag\" versionTag=\"old\""), NOTHING);
}

/// Camunda 7.24: "camunda:inputOutput mapping unsupported for element type 'exclusiveGateway'", "camunda:outputParameter not
/// allowed for element type 'endEvent'", "camunda:outputParameter not allowed for multi-instance constructs".
#[test]
fn camunda_maps_variables_of_activities_and_of_events_in_the_flow() {
    const INPUT: &str = "<camunda:inputParameter name=\"a\">1</camunda:inputParameter>";
    const OUTPUT: &str = "<camunda:outputParameter name=\"b\">1</camunda:outputParameter>";
    const LOOP: &str = "<bpmn:multiInstanceLoopCharacteristics />";
    let mapped = |kind: &str, parameters: &str, parts: &str| {
        of(kind, &format!("<camunda:inputOutput>{parameters}</camunda:inputOutput>"), parts)
    };
    let gateways = ["exclusiveGateway", "parallelGateway", "inclusiveGateway", "complexGateway", "eventBasedGateway"];
    for kind in gateways.into_iter().chain(["startEvent", "boundaryEvent"]) {
        let expected = refused(&format!("<camunda:inputOutput> in <{kind}>"), "Camunda 7");
        assert_eq!(mapped(kind, INPUT, ""), expected);
    }
    let of_end = refused("<camunda:outputParameter> of an end event", "Camunda 7");
    assert_eq!(mapped("endEvent", &[INPUT, OUTPUT].concat(), ""), of_end);
    assert_eq!(mapped("endEvent", INPUT, ""), NOTHING);
    let of_loop = refused("<camunda:outputParameter> of a multi-instance activity", "Camunda 7");
    assert_eq!(mapped("subProcess", OUTPUT, LOOP), of_loop);
    assert_eq!(mapped("userTask", INPUT, LOOP), NOTHING);
    for kind in ["userTask", "subProcess", "callActivity", "intermediateThrowEvent", "intermediateCatchEvent"] {
        assert_eq!(mapped(kind, &[INPUT, OUTPUT].concat(), ""), NOTHING, "{kind}");
    }
    // Ours go everywhere.
    assert_eq!(of("exclusiveGateway", "<potok:output target=\"a\" source=\"=1\" />", ""), NOTHING);
}

#[test]
fn what_stands_once_stands_once() {
    let twice = |kind: &str, element: &str| of(kind, &element.repeat(2), "");
    let second = |word: &str, engine: &str| refused(&format!("a second <{word}>"), engine);
    let mapping = "<camunda:inputOutput />";
    assert_eq!(twice("userTask", mapping), second("camunda:inputOutput", "Camunda 7"));
    assert_eq!(twice("userTask", "<camunda:formData />"), second("camunda:formData", "Camunda 7"));
    for (kind, element, word) in [
        ("serviceTask", "<zeebe:taskDefinition type=\"t\" />", "taskDefinition"),
        ("serviceTask", "<zeebe:ioMapping />", "ioMapping"),
        ("scriptTask", "<zeebe:script expression=\"=1\" resultVariable=\"r\" />", "script"),
    ] {
        assert_eq!(twice(kind, element), second(&format!("zeebe:{word}"), "Camunda 8"), "{word}");
    }
    let assignments = "<zeebe:assignmentDefinition assignee=\"a\" />".repeat(2);
    let assigned = of("userTask", &format!("<zeebe:userTask />{assignments}"), "");
    assert_eq!(assigned, second("zeebe:assignmentDefinition", "Camunda 8"));
    assert_eq!(twice("callActivity", "<camunda:in source=\"a\" target=\"b\" />"), NOTHING);
}

#[test]
fn an_event_based_gateway_has_no_savepoint_after_it() {
    assert_eq!(
        told("<bpmn:eventBasedGateway camunda:asyncAfter=\"true\" />"),
        refused("a savepoint after an event-based gateway", "Camunda 7")
    );
    assert_eq!(told("<bpmn:exclusiveGateway camunda:asyncAfter=\"true\" />"), NOTHING);
}

/// Camunda 7.24: "form field must have a 'type' attribute".
#[test]
fn a_form_field_of_camunda_has_a_type() {
    let form = "<camunda:formData><camunda:formField id=\"f\" /></camunda:formData>";
    assert_eq!(of("startEvent", form, ""), meaningless("Error", "a <formField> without `type`"));
    assert_eq!(of("startEvent", "<camunda:formProperty id=\"f\" />", ""), NOTHING);
    assert_eq!(of("startEvent", "<potok:formField id=\"f\" />", ""), NOTHING);
}

/// Camunda 7.24: "Element 'id' is mandatory on taskListener of type 'timeout'".
#[test]
fn a_listener_on_a_timeout_has_an_id() {
    const TIMER: &str =
        "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>";
    let listener = |id: &str| {
        let listener = format!(
            "<camunda:taskListener event=\"timeout\" expression=\"${{1}}\" {id}>{TIMER}</camunda:taskListener>"
        );
        of("userTask", &listener, "")
    };
    assert_eq!(listener(""), meaningless("Error", "a listener on `timeout` without `id`"));
    assert_eq!(listener("id=\"l\""), NOTHING);
}

#[test]
fn what_zeebe_computes_begins_with_its_mark() {
    let invalid = |what: &str| meaningless("Error", what);
    let mapping = |mapping: &str| {
        of(
            "serviceTask",
            &format!("<zeebe:taskDefinition type=\"t\" /><zeebe:ioMapping>{mapping}</zeebe:ioMapping>"),
            "",
        )
    };
    assert_eq!(mapping("<zeebe:output source=\"1\" target=\"a\" />"), invalid("source=\"1\" of <output>"));
    assert_eq!(mapping("<zeebe:output target=\"a\" />"), invalid("an <output> without `source`"));
    // Its newer versions take it for null.
    assert_eq!(
        mapping("<zeebe:input target=\"a\" />"),
        ["Warning extension-value-invalid an input without `source` sets `a` to null, or is refused by Camunda 8"]
    );
    assert_eq!(mapping("<zeebe:input source=\"text\" target=\"a.b\" />"), NOTHING);
    for target in ["a b-c", "1st", "a.", "true", "=a"] {
        let found = mapping(&format!("<zeebe:input source=\"=1\" target=\"{target}\" />"));
        assert_eq!(found, invalid(&format!("target=\"{target}\" of <input>")));
    }
    assert_eq!(mapping("<zeebe:input source=\"=1\" target=\"клиент.имя\" />"), NOTHING);
    assert_eq!(
        mapping("<zeebe:input source=\"=1\" target=\"order state.of it\" />"),
        ["Warning extension-value-invalid the target `order state.of it` has blanks in it, which Camunda 8 refuses"]
    );
    let characteristics = |attributes: &str| {
        of("multiInstanceLoopCharacteristics", &format!("<zeebe:loopCharacteristics {attributes} />"), "")
    };
    assert_eq!(
        characteristics("inputCollection=\"items\""),
        invalid("inputCollection=\"items\" of <loopCharacteristics>")
    );
    assert_eq!(characteristics("inputCollection=\"=items\""), NOTHING);
    let message = |key: &str| of("message", &format!("<zeebe:subscription correlationKey=\"{key}\" />"), "");
    assert_eq!(message("order"), invalid("correlationKey=\"order\" of <subscription>"));
    assert_eq!(message("=order"), NOTHING);
}

#[test]
fn what_zeebe_computes_goes_somewhere() {
    let invalid = |what: &str| meaningless("Error", what);
    let decision = |attributes: &str| of("businessRuleTask", &format!("<zeebe:calledDecision {attributes} />"), "");
    assert_eq!(decision("decisionId=\"d\""), invalid("a <calledDecision> without `resultVariable`"));
    assert_eq!(decision("decisionId=\"d\" resultVariable=\"r\""), NOTHING);
    let script = |attributes: &str| of("scriptTask", &format!("<zeebe:script {attributes} />"), "");
    assert_eq!(script("expression=\"=1\""), invalid("a <script> without `resultVariable`"));
    assert_eq!(script("expression=\"1\" resultVariable=\"r\""), invalid("expression=\"1\" of <script>"));
}

#[test]
fn zeebe_maps_no_variables_of_gateways_and_no_inputs_of_what_begins_by_itself() {
    let ignored = |what: &str| vec![format!("Warning extension-ignored {what} has no effect here")];
    let mapping = "<zeebe:ioMapping><zeebe:input source=\"=1\" target=\"a\" /></zeebe:ioMapping>";
    for kind in ["exclusiveGateway", "manualTask", "task"] {
        assert_eq!(of(kind, mapping, ""), ignored(&format!("<zeebe:ioMapping> in <{kind}>")));
    }
    for kind in ["startEvent", "boundaryEvent"] {
        assert_eq!(of(kind, mapping, ""), ignored(&format!("<zeebe:input> in <{kind}>")));
        assert_eq!(of(kind, &mapping.replace("input", "output"), ""), NOTHING);
    }
    let document = document(&format!(
        "<bpmn:exclusiveGateway id=\"g\"><bpmn:extensionElements>{mapping}</bpmn:extensionElements></bpmn:exclusiveGateway>"
    ));
    assert!(Reader::new(&document).element(at(&document, "g")).inputs.is_empty());
}

#[test]
fn no_worker_chooses_what_begins_in_an_ad_hoc_sub_process() {
    assert_eq!(
        of("adHocSubProcess", "<zeebe:taskDefinition type=\"agent\" />", ""),
        [
            "Error extension-unsupported <zeebe:taskDefinition> of an ad-hoc sub-process is not supported, and the model cannot \
             run without it"
        ]
    );
    assert_eq!(of("adHocSubProcess", "<zeebe:adHoc activeElementsCollection=\"=[]\" />", ""), NOTHING);
}

#[test]
fn in_a_drawing_what_is_refused_is_a_warning() {
    let process = |executable: &str| {
        told(&format!(
            "<bpmn:process isExecutable=\"{executable}\"><bpmn:userTask camunda:dueDate=\"soon\" /></bpmn:process>"
        ))
    };
    assert_eq!(process("true"), meaningless("Error", "camunda:dueDate=\"soon\""));
    assert_eq!(process("false"), meaningless("Warning", "camunda:dueDate=\"soon\""));
}

use super::*;
use crate::dialect::{Binding, DecisionResult, ListenerStage};
use crate::model::Initial;

#[test]
fn an_external_worker_task_is_a_job() {
    let document = document(
        r#"<bpmn:serviceTask id="t" flowable:type="external-worker" flowable:topic="pay" flowable:async="true"
            flowable:skipExpression="${skip}"><bpmn:extensionElements>
            <flowable:externalWorkerInParameter source="a" target="b" />
            <flowable:externalWorkerOutParameter sourceExpression="${r}" target="c" />
        </bpmn:extensionElements></bpmn:serviceTask>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "t"));
    assert_eq!(shown(&properties.job.unwrap().kind), "literal pay");
    assert_eq!(shown_mappings(&properties.inputs), ["b = variable a"]);
    assert_eq!(shown_mappings(&properties.outputs), ["c = template ${r}"]);
    assert_eq!(shown_option(properties.skip.as_ref()), "template ${skip}");
    assert!(properties.continuation.before && properties.continuation.exclusive);
    assert!(codes(&document).is_empty());
}

#[test]
fn built_in_tasks_are_jobs_with_their_fields_as_headers() {
    for kind in ["http", "mail", "shell", "camel", "mule"] {
        let document = document(&format!(
            r#"<bpmn:serviceTask id="t" flowable:type="{kind}"><bpmn:extensionElements>
            <flowable:field name="requestUrl"><flowable:expression>http://x/${{id}}</flowable:expression></flowable:field>
            </bpmn:extensionElements></bpmn:serviceTask>"#
        ));
        let job = Reader::new(&document).element(at(&document, "t")).job.unwrap();
        assert_eq!(shown(&job.kind), format!("literal {kind}"));
        assert_eq!(shown_pairs(&job.headers), ["requestUrl = template http://x/${id}"]);
    }
}

#[test]
fn a_script_service_task_runs_its_script() {
    let document = document(
        r#"<bpmn:serviceTask id="t" flowable:type="script" flowable:scriptFormat="javascript"><bpmn:extensionElements>
            <flowable:field name="script"><flowable:string>a + 1</flowable:string></flowable:field>
            </bpmn:extensionElements></bpmn:serviceTask>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "t"));
    assert!(properties.job.is_none());
    assert_eq!(shown_option(properties.expression.as_ref()), "js a + 1");
}

#[test]
fn a_dmn_task_is_a_decision() {
    let document = document(
        r#"<bpmn:serviceTask id="t" flowable:type="dmn" flowable:sameDeployment="true"><bpmn:extensionElements>
            <flowable:field name="decisionTableReferenceKey"><flowable:string>risk</flowable:string></flowable:field>
            </bpmn:extensionElements></bpmn:serviceTask>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "t"));
    assert!(properties.job.is_none());
    let decision = properties.decision.unwrap();
    assert_eq!(shown(&decision.reference), "literal risk");
    assert_eq!((decision.binding, decision.result), (Binding::Deployment, DecisionResult::Variables));
}

#[test]
fn activiti_and_camunda_words_are_understood_as_well() {
    let document = document(
        r#"<bpmn:userTask id="t" flowable:assignee="a" activiti:owner="o" camunda:candidateUsers="c"
            activiti:assignee="other" flowable:dueDate="d" activiti:formKey="f" />
        <bpmn:serviceTask id="s" activiti:class="com.acme.X" flowable:resultVariableName="r" />"#,
    );
    let reader = Reader::new(&document);
    let properties = reader.element(at(&document, "t"));
    let assignment = properties.assignment.unwrap();
    assert_eq!(shown_option(assignment.assignee.as_ref()), "literal a");
    assert_eq!(shown_option(assignment.owner.as_ref()), "literal o");
    assert_eq!(shown_option(assignment.candidate_users.as_ref()), "literal c");
    assert_eq!(shown_option(properties.form.unwrap().key.as_ref()), "literal f");
    let service = reader.element(at(&document, "s"));
    assert_eq!(service.result_variable.as_deref(), Some("r"));
    assert_eq!(shown(&service.job.unwrap().kind), "literal java:com.acme.X");
}

#[test]
fn form_properties_are_fields() {
    let document = document(
        r#"<bpmn:startEvent id="s"><bpmn:extensionElements>
            <flowable:formProperty id="a" name="A" type="date" required="true" writable="false" variable="v"
                datePattern="dd.MM.yyyy" default="x" />
            <flowable:formProperty id="b" type="enum"><flowable:value id="1" name="One" /></flowable:formProperty>
        </bpmn:extensionElements></bpmn:startEvent>"#,
    );
    let fields = Reader::new(&document).element(at(&document, "s")).form.unwrap().fields;
    let [a, b] = fields.as_slice() else { panic!("two fields, not {fields:?}") };
    assert_eq!((a.label.as_deref(), &*a.kind, a.variable.as_deref()), (Some("A"), "date", Some("v")));
    assert_eq!((a.required, a.readable, a.writable), (true, true, false));
    assert_eq!(shown_option(a.default.as_ref()), "literal x");
    assert_eq!(a.date_pattern.as_deref(), Some("dd.MM.yyyy"));
    assert_eq!(b.values, [("1".into(), "One".into())]);
}

#[test]
fn a_call_can_inherit() {
    let document = document(
        r#"<bpmn:callActivity id="c" calledElement="p" flowable:inheritVariables="true" flowable:sameDeployment="true"
            flowable:inheritBusinessKey="true"><bpmn:extensionElements>
            <flowable:out sourceExpression="${x}" target="y" /></bpmn:extensionElements></bpmn:callActivity>"#,
    );
    let call = Reader::new(&document).element(at(&document, "c")).call.unwrap();
    assert_eq!((call.propagate_in, call.propagate_out, call.binding), (true, false, Binding::Deployment));
    assert_eq!(shown_option(call.business_key.as_ref()), "template ${execution.processBusinessKey}");
    assert_eq!(shown_mappings(&call.outputs), ["y = template ${x}"]);
}

#[test]
fn a_multi_instance_activity_aggregates() {
    let document = document(
        r#"<bpmn:multiInstanceLoopCharacteristics id="m" flowable:elementVariable="item" flowable:elementIndexVariable="i">
            <bpmn:extensionElements>
                <flowable:collection><flowable:expression>${items}</flowable:expression></flowable:collection>
                <flowable:variableAggregation target="reviews"><variable source="approved" />
                    <variable source="text" target="comment" /></flowable:variableAggregation>
            </bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"#,
    );
    let properties = Reader::new(&document).multi_instance(at(&document, "m"));
    assert_eq!(shown_option(properties.collection.as_ref()), "template ${items}");
    assert_eq!(properties.index_variable.as_deref(), Some("i"));
    assert_eq!(properties.output_collection.as_deref(), Some("reviews"));
    assert_eq!(
        properties.output_element.as_ref().map(shown_source).unwrap_or_default(),
        "{approved: variable approved, comment: variable text}"
    );
    assert!(codes(&document).is_empty());
}

#[test]
fn events_and_data_objects() {
    let document = document(
        r#"<bpmn:signal id="signal" flowable:scope="processInstance" /><bpmn:signal id="wide" flowable:scope="global" />
        <bpmn:terminateEventDefinition id="end" flowable:terminateAll="true" />
        <bpmn:errorEventDefinition id="error" flowable:errorVariableName="code" />
        <bpmn:dataObject id="data"><bpmn:extensionElements><flowable:value>5</flowable:value></bpmn:extensionElements>
            </bpmn:dataObject>"#,
    );
    let reader = Reader::new(&document);
    assert!(reader.signal_instance_scope(at(&document, "signal")));
    assert!(!reader.signal_instance_scope(at(&document, "wide")));
    assert!(reader.terminate_all(at(&document, "end")));
    assert_eq!(reader.error_variables(at(&document, "error")).code.as_deref(), Some("code"));
    let initial = reader.data_object_initial(at(&document, "data"));
    assert!(matches!(initial, Some(Initial::Expression(text)) if shown(&text) == "literal 5"));
}

#[test]
fn data_objects_hold_values_of_flowable_s_own_types() {
    let object = |kind: &str, value: &str| {
        document(&format!(
            "<bpmn:dataObject id=\"data\" itemSubjectRef=\"xsd:{kind}\"><bpmn:extensionElements><flowable:value>{value}\
             </flowable:value></bpmn:extensionElements></bpmn:dataObject>"
        ))
    };
    for (kind, value, wanted) in [
        ("int", " 100 ", "100"),
        ("long", "7", "7"),
        ("double", "2", "2.0"),
        ("boolean", "TRUE", "true"),
        ("boolean", "yes", "false"),
        ("string", "100", "\"100\""),
        ("datetime", "2026-01-01T10:00:00", "\"2026-01-01T10:00:00\""),
        ("json", "{\"a\": [1]}", "{\"a\":[1]}"),
        ("int", "", "null"),
    ] {
        let document = object(kind, value);
        let initial = Reader::new(&document).data_object_initial(at(&document, "data"));
        let Some(Initial::Value(found)) = initial else { panic!("{kind}: {initial:?}") };
        assert_eq!(found.to_json().to_string(), wanted, "{kind} {value}");
        assert!(codes(&document).is_empty(), "{kind} {value}");
    }
    let told = |document: &Document| {
        let found = Reader::new(document).diagnostics();
        found.iter().map(|found| format!("{:?} {}", found.severity, found.message)).collect::<Vec<_>>()
    };
    let unread = |severity, kind, value| {
        [format!("{severity} the value `{value}` of a data object of type `xsd:{kind}` means nothing here")]
    };
    assert_eq!(told(&object("int", "many")), unread("Error", "int", "many"));
    // Flowable has null there.
    assert_eq!(told(&object("datetime", "2026-01-01")), unread("Warning", "datetime", "2026-01-01"));
}

#[test]
fn a_task_listener_can_listen_to_all() {
    let document = document(
        r#"<bpmn:userTask id="t"><bpmn:extensionElements><flowable:taskListener event="all" expression="${x}" />
            </bpmn:extensionElements></bpmn:userTask>"#,
    );
    let stages: Vec<_> =
        Reader::new(&document).element(at(&document, "t")).listeners.iter().map(|listener| listener.stage).collect();
    assert_eq!(
        stages,
        [ListenerStage::Create, ListenerStage::Assignment, ListenerStage::Complete, ListenerStage::Delete]
    );
}

#[test]
fn a_flows_skip_expression_has_no_prefix() {
    let exporter = r#"exporter="Flowable Open Source Modeler""#;
    let flow = document_with(exporter, r#"<bpmn:sequenceFlow id="f" skipExpression="${skip}" />"#);
    let skip = Reader::new(&flow).element(at(&flow, "f")).skip;
    assert_eq!(shown_option(skip.as_ref()), "template ${skip}");
    assert!(codes(&flow).is_empty());
    // Flowable does not read this one, and no other dialect has the word.
    for (root, word) in [(exporter, "flowable:skipExpression"), ("", "skipExpression"), ("", "camunda:skipExpression")]
    {
        let flow = document_with(root, &format!("<bpmn:sequenceFlow id=\"f\" {word}=\"${{skip}}\" />"));
        assert!(Reader::new(&flow).element(at(&flow, "f")).skip.is_none(), "{word}");
        let told = if word.contains(':') { vec!["extension-ignored f"] } else { Vec::new() };
        assert_eq!(codes(&flow), told, "{word}");
    }
}

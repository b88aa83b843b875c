use super::*;
use crate::dialect::{Binding, ListenerAction, ListenerStage};

/// An element of that name and id `e`, with extension elements.
fn extended(name: &str, extensions: &str) -> Document {
    document(&format!(
        "<bpmn:{name} id=\"e\"><bpmn:extensionElements>{extensions}</bpmn:extensionElements></bpmn:{name}>"
    ))
}

#[test]
fn a_task_definition_is_a_job() {
    let document = extended(
        "serviceTask",
        r#"<zeebe:taskDefinition type="=kind" retries="5" /><zeebe:jobPriorityDefinition priority="=p" />
        <zeebe:taskHeaders><zeebe:header key="k" value="=literal" /></zeebe:taskHeaders>
        <zeebe:ioMapping><zeebe:input source="= order.id" target="id" /><zeebe:input source="plain" target="a.b" />
            <zeebe:output source="=result" target="order.result" /></zeebe:ioMapping>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "e"));
    let job = properties.job.unwrap();
    assert_eq!(shown(&job.kind), "feel kind");
    assert_eq!(shown_option(job.retries.as_ref()), "literal 5");
    assert_eq!(shown_option(job.priority.as_ref()), "feel p");
    assert_eq!(shown_pairs(&job.headers), ["k = literal =literal"]);
    assert_eq!(shown_mappings(&properties.inputs), ["id = feel order.id", "a.b = literal plain"]);
    assert_eq!(shown_mappings(&properties.outputs), ["order.result = feel result"]);
    assert!(codes(&document).is_empty());
}

#[test]
fn a_throwing_event_can_be_a_job() {
    let document = document(
        r#"<bpmn:intermediateThrowEvent id="e"><bpmn:extensionElements><zeebe:taskDefinition type="mail" />
            </bpmn:extensionElements><bpmn:messageEventDefinition id="d" /></bpmn:intermediateThrowEvent>"#,
    );
    let reader = Reader::new(&document);
    for id in ["e", "d"] {
        assert_eq!(shown(&reader.message_event_job(at(&document, id)).unwrap().kind), "literal mail");
    }
}

#[test]
fn a_user_task_stays_one_with_and_without_the_marker() {
    for marker in ["", "<zeebe:userTask />"] {
        let document = extended(
            "userTask",
            &format!(
                r#"{marker}<zeebe:assignmentDefinition assignee="=boss" candidateGroups="a,b" />
                <zeebe:taskSchedule dueDate="=now() + duration(&quot;P1D&quot;)" /><zeebe:priorityDefinition priority="80" />
                <zeebe:formDefinition formId="order" bindingType="versionTag" versionTag="v2" />
                <zeebe:taskHeaders><zeebe:header key="k" value="v" /></zeebe:taskHeaders>"#
            ),
        );
        let properties = Reader::new(&document).element(at(&document, "e"));
        assert!(properties.job.is_none());
        assert_eq!(properties.properties, [("k".into(), "v".into())]);
        let assignment = properties.assignment.unwrap();
        assert_eq!(shown_option(assignment.assignee.as_ref()), "feel boss");
        assert_eq!(shown_option(assignment.candidate_groups.as_ref()), "literal a,b");
        assert_eq!(shown_option(assignment.due_date.as_ref()), "feel now() + duration(\"P1D\")");
        assert_eq!(shown_option(assignment.priority.as_ref()), "literal 80");
        let form = properties.form.unwrap();
        assert_eq!(shown_option(form.reference.as_ref()), "literal order");
        assert!(matches!(&form.binding, Binding::VersionTag(version) if &*version.text == "v2"));
        // Without it Camunda 8 has a job for a worker.
        assert_eq!(codes(&document), if marker.is_empty() { &["extension-missing e"][..] } else { &[] });
    }
}

#[test]
fn a_form_in_the_process_is_found_by_its_key() {
    let document = document(
        r#"<bpmn:process id="p"><bpmn:extensionElements><zeebe:userTaskForm id="f1">{"components":[]}</zeebe:userTaskForm>
            <zeebe:versionTag value="v3" /></bpmn:extensionElements>
            <bpmn:subProcess><bpmn:userTask id="t"><bpmn:extensionElements>
            <zeebe:formDefinition formKey="camunda-forms:bpmn:f1" /></bpmn:extensionElements></bpmn:userTask>
            </bpmn:subProcess></bpmn:process>"#,
    );
    let reader = Reader::new(&document);
    let form = reader.element(at(&document, "t")).form.unwrap();
    assert_eq!(form.embedded.as_deref(), Some("{\"components\":[]}"));
    let process = reader.process(at(&document, "p"));
    assert_eq!(process.forms, [("f1".into(), "{\"components\":[]}".into())]);
    assert_eq!(process.version_tag.as_deref(), Some("v3"));
}

#[test]
fn a_call_propagates_everything_unless_told_not_to() {
    let call = |attributes: &str, mapping: &str| {
        let called = format!("<zeebe:calledElement processId=\"=p\" {attributes} />{mapping}");
        let document = extended("callActivity", &called);
        let properties = Reader::new(&document).element(at(&document, "e"));
        (*properties.call.unwrap(), shown_mappings(&properties.inputs), shown_mappings(&properties.outputs))
    };
    let (all, ..) = call("bindingType=\"deployment\" businessId=\"=key\"", "");
    assert_eq!(shown_option(all.target.as_ref()), "feel p");
    assert_eq!(shown_option(all.business_key.as_ref()), "feel key");
    assert_eq!(all.binding, Binding::Deployment);
    assert_eq!((all.propagate_in, all.local_in, all.propagate_out), (true, false, true));
    let mapping = "<zeebe:ioMapping><zeebe:input source=\"=a\" target=\"b\" /><zeebe:output source=\"=c\" target=\"d\" />\
                   </zeebe:ioMapping>";
    let (some, inputs, outputs) = call("propagateAllParentVariables=\"false\"", mapping);
    assert_eq!((some.propagate_in, some.local_in, some.propagate_out), (true, true, false));
    assert_eq!(inputs, ["b = feel a"]);
    assert_eq!(shown_mappings(&some.outputs), ["d = feel c"]);
    assert!(outputs.is_empty());
    let (none, ..) = call("propagateAllChildVariables=\"false\"", "");
    assert!(!none.propagate_out);
}

#[test]
fn decisions_and_scripts_have_result_variables() {
    let document = extended("businessRuleTask", "<zeebe:calledDecision decisionId=\"d\" resultVariable=\"r\" />");
    let rule = Reader::new(&document).element(at(&document, "e"));
    assert_eq!(shown(&rule.decision.unwrap().reference), "literal d");
    assert_eq!(rule.result_variable.as_deref(), Some("r"));
    let document = extended("scriptTask", "<zeebe:script expression=\"=a + b\" resultVariable=\"sum\" />");
    let script = Reader::new(&document).element(at(&document, "e"));
    assert_eq!(shown_option(script.expression.as_ref()), "feel a + b");
    assert_eq!(script.result_variable.as_deref(), Some("sum"));
}

#[test]
fn messages_loops_conditions_and_ad_hoc_sub_processes() {
    let document = extended("message", "<zeebe:subscription correlationKey=\"=id\" />");
    let message = Reader::new(&document).message(at(&document, "e"));
    assert_eq!(shown_option(message.correlation_key.as_ref()), "feel id");
    let document = extended(
        "multiInstanceLoopCharacteristics",
        "<zeebe:loopCharacteristics inputCollection=\"=items\" inputElement=\"item\" outputCollection=\"results\" \
         outputElement=\"=result\" />",
    );
    let properties = Reader::new(&document).multi_instance(at(&document, "e"));
    assert_eq!(shown_option(properties.collection.as_ref()), "feel items");
    assert_eq!(properties.element_variable.as_deref(), Some("item"));
    assert_eq!(properties.output_collection.as_deref(), Some("results"));
    assert_eq!(properties.output_element.as_ref().map(shown_source).unwrap_or_default(), "feel result");
    let document = extended("conditionalEventDefinition", "<zeebe:conditionalFilter variableNames=\"a, b\" />");
    assert_eq!(Reader::new(&document).condition_variables(at(&document, "e")), ["a", "b"]);
    let document = extended("adHocSubProcess", "<zeebe:adHoc activeElementsCollection=\"=active\" />");
    let properties = Reader::new(&document).element(at(&document, "e"));
    assert_eq!(shown_option(properties.ad_hoc_active.as_ref()), "feel active");
}

#[test]
fn listeners_are_jobs() {
    let document = extended(
        "userTask",
        r#"<zeebe:userTask /><zeebe:executionListeners><zeebe:executionListener eventType="start" type="audit" retries="2">
            <zeebe:taskHeaders><zeebe:header key="k" value="v" /></zeebe:taskHeaders></zeebe:executionListener>
            </zeebe:executionListeners>
        <zeebe:taskListeners><zeebe:taskListener eventType="completing" type="check" /></zeebe:taskListeners>"#,
    );
    let listeners = Reader::new(&document).element(at(&document, "e")).listeners;
    let [start, complete] = listeners.as_slice() else { panic!("two listeners, not {listeners:?}") };
    assert_eq!((start.stage, complete.stage), (ListenerStage::Start, ListenerStage::Complete));
    let ListenerAction::Job(job) = &start.action else { panic!("a job, not {:?}", start.action) };
    assert_eq!(shown(&job.kind), "literal audit");
    assert_eq!(shown_option(job.retries.as_ref()), "literal 2");
    assert_eq!(shown_pairs(&job.headers), ["k = literal v"]);
    assert!(codes(&document).is_empty());
}

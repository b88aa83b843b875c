use super::*;
use crate::dialect::Dialect;

#[test]
fn a_service_task_is_a_job_with_mappings() {
    let document = document(
        r#"<bpmn:serviceTask id="t" potok:job="pay" potok:retries="5" potok:priority="=urgency" potok:savepoint="both">
        <bpmn:extensionElements><potok:header key="url" value="=address" />
            <potok:input target="amount" source="=order.amount" /><potok:input target="currency" source="EUR" />
            <potok:output target="receipt" source="=id" /><potok:property name="a" value="b" />
        </bpmn:extensionElements></bpmn:serviceTask>"#,
    );
    let reader = Reader::new(&document);
    assert_eq!(reader.dialect(), Dialect::Standard);
    let properties = reader.element(at(&document, "t"));
    let job = properties.job.unwrap();
    assert_eq!(shown(&job.kind), "literal pay");
    assert_eq!(shown_option(job.retries.as_ref()), "literal 5");
    assert_eq!(shown_option(job.priority.as_ref()), "feel urgency");
    assert_eq!(shown_pairs(&job.headers), ["url = feel address"]);
    assert_eq!(shown_mappings(&properties.inputs), ["amount = feel order.amount", "currency = literal EUR"]);
    assert_eq!(shown_mappings(&properties.outputs), ["receipt = feel id"]);
    assert_eq!(properties.properties, [("a".into(), "b".into())]);
    assert!(properties.continuation.before && properties.continuation.after);
    assert!(codes(&document).is_empty());
}

#[test]
fn scripts_and_throwing_events_can_be_jobs() {
    let document = document(
        r#"<bpmn:scriptTask id="s" potok:job="run" />
        <bpmn:endEvent id="e" potok:job="mail"><bpmn:messageEventDefinition id="d" /></bpmn:endEvent>"#,
    );
    let reader = Reader::new(&document);
    assert_eq!(shown(&reader.element(at(&document, "s")).job.unwrap().kind), "literal run");
    assert_eq!(shown(&reader.message_event_job(at(&document, "d")).unwrap().kind), "literal mail");
}

#[test]
fn a_user_task_has_people_and_a_form() {
    let document = document(
        r#"<bpmn:userTask id="t" potok:assignee="=boss" potok:candidateUsers="ann,bob" potok:candidateGroups="g"
            potok:dueDate="P1D" potok:followUpDate="=soon" potok:priority="3" potok:form="order"><bpmn:extensionElements>
            <potok:formField id="size" label="Size" type="enum" required="true" default="=small">
                <potok:value id="s" label="Small" /></potok:formField>
        </bpmn:extensionElements></bpmn:userTask>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "t"));
    let assignment = properties.assignment.unwrap();
    assert_eq!(shown_option(assignment.assignee.as_ref()), "feel boss");
    assert_eq!(shown_option(assignment.candidate_users.as_ref()), "literal ann,bob");
    assert_eq!(shown_option(assignment.candidate_groups.as_ref()), "literal g");
    assert_eq!(shown_option(assignment.due_date.as_ref()), "literal P1D");
    assert_eq!(shown_option(assignment.follow_up_date.as_ref()), "feel soon");
    assert_eq!(shown_option(assignment.priority.as_ref()), "literal 3");
    let form = properties.form.unwrap();
    assert_eq!(shown_option(form.key.as_ref()), "literal order");
    assert_eq!((&*form.fields[0].id, form.fields[0].label.as_deref()), ("size", Some("Size")));
    assert!(form.fields[0].required);
    assert_eq!(shown_option(form.fields[0].default.as_ref()), "feel small");
    assert_eq!(form.fields[0].values, [("s".into(), "Small".into())]);
    assert!(codes(&document).is_empty());
}

#[test]
fn lanes_messages_decisions_loops_and_errors() {
    let document = document(
        r#"<bpmn:lane id="lane" potok:group="clerks" /><bpmn:message id="message" potok:correlationKey="=id" />
        <bpmn:businessRuleTask id="rule" potok:decision="risk" potok:resultVariable="r" />
        <bpmn:multiInstanceLoopCharacteristics id="loop" potok:collection="=items" potok:elementVariable="item"
            potok:outputCollection="results" potok:outputElement="=result" />
        <bpmn:errorEventDefinition id="error" potok:errorCodeVariable="c" potok:errorMessageVariable="m" />
        <bpmn:startEvent id="start" potok:initiator="who" />"#,
    );
    let reader = Reader::new(&document);
    assert_eq!(reader.lane_group(at(&document, "lane")).as_deref(), Some("clerks"));
    let key = reader.message(at(&document, "message")).correlation_key;
    assert_eq!(shown_option(key.as_ref()), "feel id");
    let rule = reader.element(at(&document, "rule"));
    assert_eq!(shown(&rule.decision.unwrap().reference), "literal risk");
    assert_eq!(rule.result_variable.as_deref(), Some("r"));
    let properties = reader.multi_instance(at(&document, "loop"));
    assert_eq!(shown_option(properties.collection.as_ref()), "feel items");
    assert_eq!(properties.element_variable.as_deref(), Some("item"));
    assert_eq!(properties.output_collection.as_deref(), Some("results"));
    assert_eq!(properties.output_element.as_ref().map(shown_source).unwrap_or_default(), "feel result");
    let variables = reader.error_variables(at(&document, "error"));
    assert_eq!((variables.code.as_deref(), variables.message.as_deref()), (Some("c"), Some("m")));
    assert_eq!(reader.element(at(&document, "start")).initiator.as_deref(), Some("who"));
    assert!(codes(&document).is_empty());
}

#[test]
fn plain_elements_say_nothing() {
    let document = document(
        r#"<bpmn:serviceTask id="s" /><bpmn:userTask id="u" /><bpmn:callActivity id="c" calledElement="p" />"#,
    );
    let reader = Reader::new(&document);
    assert!(reader.element(at(&document, "s")).job.is_none());
    let user = reader.element(at(&document, "u"));
    assert!(user.assignment.is_none() && user.form.is_none());
    assert!(reader.element(at(&document, "c")).call.is_none());
}

#[test]
fn other_tools_namespaces_are_left_alone() {
    let document = document(
        r#"<bpmn:serviceTask id="s" xmlns:x="urn:x" x:job="pay"><bpmn:extensionElements><x:header key="a" value="b" />
        </bpmn:extensionElements></bpmn:serviceTask>"#,
    );
    assert!(Reader::new(&document).element(at(&document, "s")).job.is_none());
    assert!(codes(&document).is_empty());
    assert_eq!(named(&document, "header").namespace(), "urn:x");
}

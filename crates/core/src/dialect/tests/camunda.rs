use super::*;
use crate::dialect::{Binding, Continuation, DecisionResult, ListenerAction, ListenerStage};
use crate::model::TimerKind;

#[test]
fn an_external_task_is_a_job() {
    let document = document(
        r#"<bpmn:serviceTask id="t" camunda:type="external" camunda:topic="pay" camunda:taskPriority="${p}"
            camunda:asyncBefore="true" camunda:exclusive="false"><bpmn:extensionElements>
            <camunda:failedJobRetryTimeCycle> R3/PT10M </camunda:failedJobRetryTimeCycle>
            <camunda:properties><camunda:property name="url" value="http://x" /></camunda:properties>
        </bpmn:extensionElements></bpmn:serviceTask>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "t"));
    let job = properties.job.unwrap();
    assert_eq!(shown(&job.kind), "literal pay");
    assert_eq!(shown_option(job.priority.as_ref()), "template ${p}");
    assert_eq!(shown_option(job.retry_cycle.as_ref()), "literal R3/PT10M");
    assert_eq!(shown_pairs(&job.headers), ["url = literal http://x"]);
    assert_eq!(properties.properties, [("url".into(), "http://x".into())]);
    assert_eq!(properties.continuation, Continuation { before: true, after: false, exclusive: false });
}

#[test]
fn java_becomes_a_job_that_a_worker_can_take() {
    let document = document(
        r##"<bpmn:serviceTask id="class" camunda:class="com.acme.Pay" camunda:resultVariable="r"><bpmn:extensionElements>
            <camunda:field name="a" stringValue="${kept}" />
            <camunda:field name="b"><camunda:expression>${b}</camunda:expression></camunda:field>
            <camunda:field name="c"><camunda:string>c</camunda:string></camunda:field>
        </bpmn:extensionElements></bpmn:serviceTask>
        <bpmn:sendTask id="bean" camunda:delegateExpression="#{mailer}" />
        <bpmn:serviceTask id="connector"><bpmn:extensionElements><camunda:connector>
            <camunda:inputOutput>
                <camunda:inputParameter name="url">http://x/${id}</camunda:inputParameter>
                <camunda:outputParameter name="answer">${response}</camunda:outputParameter>
            </camunda:inputOutput>
            <camunda:connectorId>http-connector</camunda:connectorId>
        </camunda:connector></bpmn:extensionElements></bpmn:serviceTask>"##,
    );
    let reader = Reader::new(&document);
    let class = reader.element(at(&document, "class"));
    assert_eq!(class.result_variable.as_deref(), Some("r"));
    let job = class.job.unwrap();
    assert_eq!(shown(&job.kind), "literal java:com.acme.Pay");
    assert_eq!(shown_pairs(&job.headers), ["a = literal ${kept}", "b = template ${b}", "c = literal c"]);
    assert_eq!(shown(&reader.element(at(&document, "bean")).job.unwrap().kind), "literal java:${mailer}");
    let connector = reader.element(at(&document, "connector"));
    assert_eq!(shown(&connector.job.unwrap().kind), "literal connector:http-connector");
    assert_eq!(shown_mappings(&connector.inputs), ["url = template http://x/${id}"]);
    assert_eq!(shown_mappings(&connector.outputs), ["answer = template ${response}"]);
}

#[test]
fn an_expression_is_evaluated_not_handed_out() {
    let document =
        document(r#"<bpmn:serviceTask id="t" camunda:expression="${a + b}" camunda:resultVariable="sum" />"#);
    let properties = Reader::new(&document).element(at(&document, "t"));
    assert!(properties.job.is_none());
    assert_eq!(shown_option(properties.expression.as_ref()), "template ${a + b}");
    assert_eq!(properties.result_variable.as_deref(), Some("sum"));
}

#[test]
fn a_message_end_event_can_be_a_job() {
    let document = document(
        r#"<bpmn:endEvent id="end">
            <bpmn:messageEventDefinition id="thrown" camunda:type="external" camunda:topic="mail" /></bpmn:endEvent>
        <bpmn:endEvent><bpmn:messageEventDefinition id="evaluated" camunda:expression="${x}" /></bpmn:endEvent>
        <bpmn:startEvent><bpmn:messageEventDefinition id="caught" camunda:topic="mail" camunda:type="external" />
        </bpmn:startEvent>"#,
    );
    let reader = Reader::new(&document);
    let kind = |id| reader.message_event_job(at(&document, id)).map(|job| shown(&job.kind));
    assert_eq!(kind("thrown").as_deref(), Some("literal mail"));
    assert_eq!(kind("end").as_deref(), Some("literal mail"));
    assert_eq!(kind("caught"), None);
    assert_eq!(kind("evaluated"), None);
    assert_eq!(shown_option(reader.element(at(&document, "evaluated")).expression.as_ref()), "template ${x}");
}

#[test]
fn parameters_hold_text_scripts_lists_and_maps() {
    let document = document(
        r#"<bpmn:userTask id="t"><bpmn:extensionElements><camunda:inputOutput>
            <camunda:inputParameter name="text"> 5 </camunda:inputParameter>
            <camunda:inputParameter name="none" />
            <camunda:inputParameter name="script">
                <camunda:script scriptFormat="groovy">a</camunda:script></camunda:inputParameter>
            <camunda:inputParameter name="list"><camunda:list><camunda:value>${a}</camunda:value><camunda:value />
                <camunda:script scriptFormat="feel">b</camunda:script></camunda:list></camunda:inputParameter>
            <camunda:outputParameter name="map"><camunda:map><camunda:entry key="k">v</camunda:entry>
                <camunda:entry key="m"><camunda:map /></camunda:entry></camunda:map></camunda:outputParameter>
        </camunda:inputOutput></bpmn:extensionElements></bpmn:userTask>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "t"));
    assert_eq!(
        shown_mappings(&properties.inputs),
        ["text = literal 5", "none = null", "script = script groovy a", "list = [template ${a}, null, script feel b]"]
    );
    assert_eq!(shown_mappings(&properties.outputs), ["map = {k: literal v, m: {}}"]);
}

#[test]
fn values_nest_only_so_deep() {
    let nested = format!("{}{}", "<camunda:list>".repeat(400), "</camunda:list>".repeat(400));
    let document = document(&format!(
        "<bpmn:task id=\"t\"><bpmn:extensionElements><camunda:inputOutput><camunda:inputParameter name=\"deep\">{nested}\
         </camunda:inputParameter></camunda:inputOutput></bpmn:extensionElements></bpmn:task>"
    ));
    let properties = Reader::new(&document).element(at(&document, "t"));
    let shown = shown_mappings(&properties.inputs).remove(0);
    assert_eq!(shown, format!("deep = {}null{}", "[".repeat(33), "]".repeat(33)));
    assert!(codes(&document).contains(&"extension-ignored t".to_owned()));
}

#[test]
fn a_user_task_has_people_dates_and_a_form() {
    let document = document(
        r#"<bpmn:userTask id="t" camunda:assignee="${boss}" camunda:candidateUsers="ann, bob" camunda:candidateGroups="g"
            camunda:dueDate="2030-01-01T00:00:00" camunda:followUpDate="${f}" camunda:priority="7"
            camunda:formRef="order" camunda:formRefBinding="version" camunda:formRefVersion="3" />"#,
    );
    let properties = Reader::new(&document).element(at(&document, "t"));
    let assignment = properties.assignment.unwrap();
    assert_eq!(shown_option(assignment.assignee.as_ref()), "template ${boss}");
    assert_eq!(shown_option(assignment.candidate_users.as_ref()), "literal ann, bob");
    assert_eq!(shown_option(assignment.candidate_groups.as_ref()), "literal g");
    assert_eq!(shown_option(assignment.due_date.as_ref()), "literal 2030-01-01T00:00:00");
    assert_eq!(shown_option(assignment.follow_up_date.as_ref()), "template ${f}");
    assert_eq!(shown_option(assignment.priority.as_ref()), "literal 7");
    let form = properties.form.unwrap();
    assert_eq!(shown_option(form.reference.as_ref()), "literal order");
    assert!(matches!(&form.binding, Binding::Version(version) if &*version.text == "3"));
}

#[test]
fn form_fields_carry_their_constraints() {
    let document = document(
        r#"<bpmn:startEvent id="s" camunda:initiator="who" camunda:formKey="embedded:app:x"><bpmn:extensionElements>
            <camunda:formData businessKey="no"><camunda:formField id="no" label="Number" type="long" defaultValue="${1}">
                <camunda:properties><camunda:property id="hint" value="h" /></camunda:properties>
                <camunda:validation><camunda:constraint name="required" /><camunda:constraint name="min" config="5" />
                </camunda:validation></camunda:formField>
            <camunda:formField id="size" type="enum"><camunda:value id="s" name="Small" />
                <camunda:validation><camunda:constraint name="readonly" /></camunda:validation></camunda:formField>
            </camunda:formData></bpmn:extensionElements></bpmn:startEvent>"#,
    );
    let properties = Reader::new(&document).element(at(&document, "s"));
    assert_eq!(properties.initiator.as_deref(), Some("who"));
    let form = properties.form.unwrap();
    assert_eq!(shown_option(form.key.as_ref()), "literal embedded:app:x");
    assert_eq!(form.business_key.as_deref(), Some("no"));
    let [number, size] = form.fields.as_slice() else { panic!("two fields, not {:?}", form.fields) };
    assert_eq!((&*number.id, number.label.as_deref(), &*number.kind), ("no", Some("Number"), "long"));
    assert_eq!(shown_option(number.default.as_ref()), "template ${1}");
    assert!(number.required && number.writable);
    assert_eq!(number.constraints, [("required".into(), None), ("min".into(), Some("5".into()))]);
    assert_eq!(number.properties, [("hint".into(), "h".into())]);
    assert_eq!(size.values, [("s".into(), "Small".into())]);
    assert!(!size.required && !size.writable);
}

#[test]
fn a_call_hands_over_what_it_names_and_nothing_else() {
    let document = document(
        r##"<bpmn:callActivity id="c" calledElement="p" camunda:calledElementBinding="versionTag"
            camunda:calledElementVersionTag="v1"><bpmn:extensionElements>
            <camunda:in businessKey="#{execution.processBusinessKey}" />
            <camunda:in source="a" target="b" /><camunda:in sourceExpression="${x}" target="c" />
            <camunda:out variables="all" /></bpmn:extensionElements></bpmn:callActivity>
        <bpmn:callActivity id="local"><bpmn:extensionElements><camunda:in variables="all" local="true" />
            <camunda:in source="a" target="a" local="true" /><camunda:out source="b" target="b" local="true" />
            <camunda:out variables="all" local="true" /></bpmn:extensionElements></bpmn:callActivity>
        <bpmn:callActivity id="silent" />"##,
    );
    let reader = Reader::new(&document);
    let call = reader.element(at(&document, "c")).call.unwrap();
    assert!(matches!(&call.binding, Binding::VersionTag(version) if &*version.text == "v1"));
    assert_eq!(shown_option(call.business_key.as_ref()), "template #{execution.processBusinessKey}");
    assert_eq!(shown_mappings(&call.inputs), ["b = variable a", "c = template ${x}"]);
    assert!(call.outputs.is_empty());
    assert_eq!((call.propagate_in, call.propagate_out), (false, true));
    let local = reader.element(at(&document, "local")).call.unwrap();
    assert_eq!((local.propagate_in, local.local_in), (true, true));
    assert_eq!((local.propagate_out, local.local_out), (false, true));
    assert_eq!(shown_mappings(&local.inputs), ["a = variable a"]);
    assert_eq!(shown_mappings(&local.outputs), ["b = variable b"]);
    assert!(local.inputs[0].local && local.outputs[0].local);
    assert_eq!((local.inputs_before_all, local.outputs_before_all), (0, 1));
    let silent = reader.element(at(&document, "silent")).call.unwrap();
    assert_eq!((silent.propagate_in, silent.propagate_out), (false, false));
}

#[test]
fn a_decisions_result_is_a_list_unless_said_otherwise() {
    let document = document(
        r#"<bpmn:businessRuleTask id="a" camunda:decisionRef="d" camunda:decisionRefBinding="deployment" />
        <bpmn:businessRuleTask id="b" camunda:decisionRef="${d}" camunda:mapDecisionResult="singleEntry"
            camunda:resultVariable="r" />"#,
    );
    let reader = Reader::new(&document);
    let decision = reader.element(at(&document, "a")).decision.unwrap();
    assert_eq!(shown(&decision.reference), "literal d");
    assert_eq!((decision.binding, decision.result), (Binding::Deployment, DecisionResult::ResultList));
    let properties = reader.element(at(&document, "b"));
    assert_eq!(properties.result_variable.as_deref(), Some("r"));
    assert_eq!(properties.decision.unwrap().result, DecisionResult::SingleEntry);
}

#[test]
fn listeners_evaluate_run_or_become_jobs() {
    let document = document(
        r#"<bpmn:userTask id="t"><bpmn:extensionElements>
            <camunda:executionListener event="start" expression="${log.info(x)}" />
            <camunda:executionListener event="end"><camunda:script scriptFormat="javascript">x</camunda:script>
                </camunda:executionListener>
            <camunda:taskListener event="create" class="com.acme.L"><camunda:field name="f" stringValue="v" />
                </camunda:taskListener>
            <camunda:taskListener event="timeout" expression="${x}"><bpmn:timerEventDefinition>
                <bpmn:timeDuration>PT5M</bpmn:timeDuration></bpmn:timerEventDefinition></camunda:taskListener>
        </bpmn:extensionElements></bpmn:userTask>
        <bpmn:sequenceFlow id="f"><bpmn:extensionElements><camunda:executionListener expression="${x}" />
            </bpmn:extensionElements></bpmn:sequenceFlow>"#,
    );
    let reader = Reader::new(&document);
    let listeners = reader.element(at(&document, "t")).listeners;
    let shown: Vec<_> = listeners
        .iter()
        .map(|listener| match &listener.action {
            ListenerAction::Expression(expression) => (listener.stage, shown(expression)),
            ListenerAction::Script(script) => (listener.stage, format!("script {}", shown(script))),
            ListenerAction::Job(job) => {
                (listener.stage, format!("job {} {:?}", shown(&job.kind), shown_pairs(&job.headers)))
            }
        })
        .collect();
    assert_eq!(
        shown,
        [
            (ListenerStage::Start, "template ${log.info(x)}".to_owned()),
            (ListenerStage::End, "script js x".to_owned()),
            (ListenerStage::Create, "job literal java:com.acme.L [\"f = literal v\"]".to_owned()),
            (ListenerStage::Timeout, "template ${x}".to_owned()),
        ]
    );
    let timers = listeners.iter().filter_map(|listener| listener.timer.as_ref());
    let timers: Vec<_> = timers.map(|timer| (timer.kind, &*timer.expression.text)).collect();
    assert_eq!(timers, [(TimerKind::Duration, "PT5M")]);
    assert_eq!(reader.element(at(&document, "f")).listeners[0].stage, ListenerStage::Take);
    assert!(!codes(&document).contains(&"extension-ignored t".to_owned()));
}

#[test]
fn events_read_their_variables() {
    let document = document(
        r#"<bpmn:errorEventDefinition id="error" camunda:errorCodeVariable="c" camunda:errorMessageVariable="m" />
        <bpmn:escalationEventDefinition id="escalation" camunda:escalationCodeVariable="e" />
        <bpmn:error id="declared" camunda:errorMessage="no ${what}" />
        <bpmn:conditionalEventDefinition id="condition" camunda:variableName="v" />
        <bpmn:signalEventDefinition id="signal"><bpmn:extensionElements><camunda:in source="a" target="b" />
            </bpmn:extensionElements></bpmn:signalEventDefinition>"#,
    );
    let reader = Reader::new(&document);
    let variables = reader.error_variables(at(&document, "error"));
    assert_eq!((variables.code.as_deref(), variables.message.as_deref()), (Some("c"), Some("m")));
    assert_eq!(reader.escalation_code_variable(at(&document, "escalation")).as_deref(), Some("e"));
    let message = reader.error_message(at(&document, "declared"));
    assert_eq!(shown_option(message.as_ref()), "template no ${what}");
    assert_eq!(reader.condition_variables(at(&document, "condition")), ["v"]);
    assert_eq!(shown_mappings(&reader.signal_payload(at(&document, "signal")).mappings), ["b = variable a"]);
}

#[test]
fn a_process_has_a_tag_a_lifetime_and_starters() {
    let document = document(
        r#"<bpmn:process id="p" camunda:versionTag="v1" camunda:historyTimeToLive="P30D" camunda:jobPriority="5"
            camunda:candidateStarterGroups="a, b" camunda:isStartableInTasklist="false"><bpmn:extensionElements>
            <camunda:executionListener event="end" expression="${x}" /></bpmn:extensionElements></bpmn:process>"#,
    );
    let process = Reader::new(&document).process(at(&document, "p"));
    assert_eq!(process.version_tag.as_deref(), Some("v1"));
    assert_eq!(process.history_time_to_live.as_deref(), Some("P30D"));
    assert_eq!(process.candidate_starter_groups, ["a", "b"]);
    assert_eq!(process.startable_in_tasklist, Some(false));
    assert_eq!(shown_option(process.job_priority.as_ref()), "literal 5");
    assert_eq!(process.listeners.len(), 1);
}

#[test]
fn a_multi_instance_activity_has_a_collection() {
    let document = document(
        r#"<bpmn:multiInstanceLoopCharacteristics id="m" camunda:collection="items" camunda:elementVariable="item"
            camunda:asyncAfter="true" />"#,
    );
    let properties = Reader::new(&document).multi_instance(at(&document, "m"));
    assert_eq!(shown_option(properties.collection.as_ref()), "literal items");
    assert_eq!(properties.element_variable.as_deref(), Some("item"));
    assert_eq!(properties.continuation, Continuation { before: false, after: true, exclusive: true });
}

#[test]
fn forks_ask_their_own_namespace_first_attribute_by_attribute() {
    let document = document(
        r#"<bpmn:userTask id="o" operaton:assignee="ours" camunda:assignee="theirs" camunda:candidateUsers="ann" />
        <bpmn:serviceTask id="f" fluxnova:type="external" fluxnova:topic="t"><bpmn:extensionElements>
            <fluxnova:inputOutput><fluxnova:inputParameter name="a">1</fluxnova:inputParameter></fluxnova:inputOutput>
        </bpmn:extensionElements></bpmn:serviceTask>"#,
    );
    let reader = Reader::new(&document);
    let assignment = reader.element(at(&document, "o")).assignment.unwrap();
    assert_eq!(shown_option(assignment.assignee.as_ref()), "literal ours");
    assert_eq!(shown_option(assignment.candidate_users.as_ref()), "literal ann");
    let properties = reader.element(at(&document, "f"));
    assert_eq!(shown(&properties.job.unwrap().kind), "literal t");
    assert_eq!(shown_mappings(&properties.inputs), ["a = literal 1"]);
    assert!(codes(&document).is_empty());
}

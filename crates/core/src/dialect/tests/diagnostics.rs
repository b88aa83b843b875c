use super::*;
use crate::diagnostic::Severity;

#[test]
fn java_is_named_with_the_job_that_stands_for_it() {
    let document = document(
        "<bpmn:serviceTask id=\"a\" camunda:class=\"com.acme.Pay\" />\n\
         <bpmn:serviceTask id=\"b\" flowable:delegateExpression=\"#{bean}\" />\n\
         <bpmn:serviceTask id=\"c\"><bpmn:extensionElements><camunda:connector>\
         <camunda:connectorId>soap</camunda:connectorId></camunda:connector></bpmn:extensionElements></bpmn:serviceTask>\n\
         <bpmn:task id=\"d\"><bpmn:extensionElements><camunda:executionListener event=\"start\" class=\"com.acme.L\" />\
         </bpmn:extensionElements></bpmn:task>",
    );
    let found = Reader::new(&document).diagnostics();
    let helps: Vec<_> = found.iter().map(|found| (found.code, found.element.as_deref(), found.help.as_str())).collect();
    let help = |kind| format!("give a worker or an embedded handler that takes jobs of type `{kind}`");
    let kinds = ["java:com.acme.Pay", "java:${bean}", "connector:soap", "java:com.acme.L"].map(help);
    assert_eq!(
        helps,
        [
            ("extension-java", Some("a"), kinds[0].as_str()),
            ("extension-java", Some("b"), kinds[1].as_str()),
            ("extension-java", Some("c"), kinds[2].as_str()),
            ("extension-java", Some("d"), kinds[3].as_str()),
        ]
    );
    assert!(found.iter().all(|found| found.severity == Severity::Warning));
}

#[test]
fn a_diagnostic_points_at_the_attribute() {
    let document = document("\n<bpmn:scriptTask id=\"s\" camunda:resource=\"x.js\" />");
    let found = Reader::new(&document).diagnostics().remove(0);
    assert_eq!(found.code, "extension-ignored");
    assert_eq!(found.span.of(document.text()), "camunda:resource=\"x.js\"");
    assert_eq!(
        (document.source_line(found.span.start), found.column),
        ("<bpmn:scriptTask id=\"s\" camunda:resource=\"x.js\" /></bpmn:definitions>", 25)
    );
}

#[test]
fn unknown_words_are_warnings() {
    let document = document(
        "<bpmn:sendTask id=\"a\" camunda:asignee=\"x\" />\
         <bpmn:serviceTask id=\"b\"><bpmn:extensionElements><zeebe:taskDefinition typ=\"x\" type=\"y\" /><zeebe:new />\
         </bpmn:extensionElements></bpmn:serviceTask><bpmn:lane id=\"c\" potok:grop=\"x\" />",
    );
    assert_eq!(
        codes(&document),
        ["extension-unknown a", "extension-unknown b", "extension-unknown b", "extension-unknown c"]
    );
}

#[test]
fn cases_are_errors() {
    let document = document(
        "<bpmn:callActivity id=\"a\" camunda:caseRef=\"x\" /><bpmn:serviceTask id=\"b\" flowable:type=\"case\" />",
    );
    assert_eq!(codes(&document), ["extension-unsupported a", "extension-unsupported b"]);
    assert!(Reader::new(&document).diagnostics().iter().all(|found| found.severity == Severity::Error));
}

#[test]
fn a_job_without_a_kind_is_an_error() {
    let document = document(
        "<bpmn:serviceTask id=\"a\" camunda:type=\"external\" /><bpmn:serviceTask id=\"b\" flowable:type=\"dmn\" />\
         <bpmn:serviceTask id=\"c\"><bpmn:extensionElements><zeebe:taskDefinition retries=\"1\" />\
         </bpmn:extensionElements></bpmn:serviceTask>",
    );
    assert_eq!(codes(&document), ["job-kind-missing a", "job-kind-missing b", "job-kind-missing c"]);
}

#[test]
fn what_only_tools_use_is_silent() {
    let document = document_with(
        "camunda:diagramRelationId=\"x\"",
        "<bpmn:task camunda:modelerTemplate=\"x\" zeebe:modelerTemplateIcon=\"x\"><bpmn:extensionElements>\
         <zeebe:properties><zeebe:property name=\"a\" value=\"b\" modelerConfigurationName=\"x\" /></zeebe:properties>\
         </bpmn:extensionElements></bpmn:task>",
    );
    assert!(codes(&document).is_empty());
}

#[test]
fn values_without_effect_are_named() {
    let ignored = [
        "<bpmn:task id=\"x\" potok:savepoint=\"behind\" />",
        "<bpmn:callActivity id=\"x\" flowable:calledElementType=\"id\" />",
        "<bpmn:callActivity id=\"x\" camunda:calledElementBinding=\"newest\" />",
        "<bpmn:eventBasedGateway id=\"x\" potok:savepoint=\"both\" />",
        "<bpmn:signalEventDefinition id=\"x\"><bpmn:extensionElements><camunda:in variables=\"all\" local=\"true\" />\
         </bpmn:extensionElements></bpmn:signalEventDefinition>",
        "<bpmn:signalEventDefinition id=\"x\"><bpmn:extensionElements><camunda:in businessKey=\"k\" />\
         </bpmn:extensionElements></bpmn:signalEventDefinition>",
        "<bpmn:intermediateCatchEvent><bpmn:messageEventDefinition id=\"x\" camunda:expression=\"${a}\" />\
         </bpmn:intermediateCatchEvent>",
        "<bpmn:intermediateThrowEvent id=\"x\"><bpmn:extensionElements>\
         <camunda:executionListener event=\"end\" expression=\"${a}\" /></bpmn:extensionElements>\
         <bpmn:linkEventDefinition name=\"l\" /></bpmn:intermediateThrowEvent>",
        "<bpmn:eventBasedGateway id=\"x\"><bpmn:extensionElements><zeebe:executionListeners>\
         <zeebe:executionListener eventType=\"end\" type=\"t\" /></zeebe:executionListeners>\
         </bpmn:extensionElements></bpmn:eventBasedGateway>",
        "<bpmn:task id=\"x\"><bpmn:extensionElements><zeebe:executionListeners>\
         <zeebe:executionListener eventType=\"middle\" type=\"t\" /></zeebe:executionListeners>\
         </bpmn:extensionElements></bpmn:task>",
        "<bpmn:multiInstanceLoopCharacteristics id=\"x\"><bpmn:extensionElements>\
         <flowable:variableAggregation target=\"r\"><variable sourceExpression=\"${x}\" />\
         </flowable:variableAggregation></bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>",
    ];
    for content in ignored {
        assert_eq!(codes(&document(content)), ["extension-ignored x"], "{content}");
    }
}

#[test]
fn a_word_on_the_wrong_element_is_named_with_where_it_belongs() {
    let document = document("<bpmn:userTask id=\"a\" potok:job=\"x\" camunda:class=\"C\" potok:priority=\"1\" />");
    assert_eq!(codes(&document), ["extension-ignored a", "extension-ignored a"]);
    let found = Reader::new(&document).diagnostics().remove(1);
    assert_eq!(found.message, "camunda:class on <userTask> has no effect here");
    assert_eq!(
        found.help,
        "it belongs on: serviceTask, sendTask, businessRuleTask, globalBusinessRuleTask, messageEventDefinition"
    );
}

#[test]
fn a_file_that_is_wrong_everywhere_gets_no_endless_list() {
    let document = document(&"<bpmn:task camunda:x=\"1\" />".repeat(5_000));
    assert_eq!(codes(&document).len(), 1_000);
}

#[test]
fn a_listener_that_is_a_job_needs_a_place_where_a_token_can_wait() {
    let document = document(
        "<bpmn:process id=\"a\"><bpmn:extensionElements><zeebe:executionListeners>\
         <zeebe:executionListener eventType=\"start\" type=\"t\" /></zeebe:executionListeners></bpmn:extensionElements>\
         <bpmn:sequenceFlow id=\"b\"><bpmn:extensionElements><camunda:executionListener event=\"take\" class=\"C\" />\
         </bpmn:extensionElements></bpmn:sequenceFlow>\
         <bpmn:sequenceFlow id=\"c\"><bpmn:extensionElements>\
         <camunda:executionListener event=\"take\" expression=\"${x}\" /></bpmn:extensionElements></bpmn:sequenceFlow>\
         </bpmn:process>",
    );
    assert_eq!(codes(&document), ["extension-ignored a", "extension-ignored b", "extension-java b"]);
}

#[test]
fn a_retry_cycle_counts_for_jobs_savepoints_and_timers() {
    let element = |kind: &str, attribute: &str, content: &str| {
        document(&format!(
            "<bpmn:{kind} id=\"a\" {attribute}><bpmn:extensionElements><camunda:failedJobRetryTimeCycle>R3/PT1M\
             </camunda:failedJobRetryTimeCycle></bpmn:extensionElements>{content}</bpmn:{kind}>"
        ))
    };
    let fine = [
        element("serviceTask", "camunda:type=\"external\" camunda:topic=\"pay\"", ""),
        element("userTask", "camunda:asyncBefore=\"true\"", ""),
        element("exclusiveGateway", "camunda:asyncAfter=\"true\"", ""),
        element("intermediateCatchEvent", "", "<bpmn:timerEventDefinition />"),
    ];
    for document in fine {
        assert_eq!(codes(&document), Vec::<String>::new());
    }
    assert_eq!(codes(&element("userTask", "", "")), ["extension-ignored a"]);
    assert_eq!(
        codes(&element("intermediateCatchEvent", "", "<bpmn:signalEventDefinition />")),
        ["extension-ignored a"]
    );
    let rounds = |attribute: &str| {
        let cycle = "<camunda:failedJobRetryTimeCycle>R3/PT1M</camunda:failedJobRetryTimeCycle>";
        document(&format!(
            "<bpmn:task id=\"a\"><bpmn:multiInstanceLoopCharacteristics {attribute}><bpmn:extensionElements>{cycle}\
             </bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics></bpmn:task>"
        ))
    };
    assert_eq!(codes(&rounds("camunda:asyncBefore=\"true\"")), Vec::<String>::new());
    assert_eq!(codes(&rounds("")), ["extension-ignored a"]);
}

#[test]
fn an_expression_in_the_documentation_of_a_user_task_is_named() {
    let task = |dialect: &str, text: &str| {
        document(&format!(
            "<bpmn:userTask id=\"a\" {dialect}><bpmn:documentation>{text}</bpmn:documentation></bpmn:userTask>"
        ))
    };
    let camunda = "camunda:assignee=\"anna\"";
    assert_eq!(codes(&task(camunda, "Look at ${number}")), ["extension-ignored a"]);
    assert_eq!(codes(&task(camunda, "Look at it")), Vec::<String>::new());
    assert_eq!(codes(&task("potok:assignee=\"anna\"", "Look at ${number}")), Vec::<String>::new());
}

#[test]
fn what_a_task_listener_may_not_ask_of_the_task_is_named() {
    let listener = |event: &str, script: &str| {
        document(&format!(
            "<bpmn:userTask id=\"a\"><bpmn:extensionElements><camunda:taskListener event=\"{event}\">\
             <camunda:script scriptFormat=\"javascript\">{script}</camunda:script></camunda:taskListener>\
             </bpmn:extensionElements></bpmn:userTask>"
        ))
    };
    let fine = "task.setVariable('x', task.getAssignee()); subtask.setAssignee('x')";
    assert_eq!(codes(&listener("create", fine)), Vec::<String>::new());
    assert_eq!(codes(&listener("create", "task.setAssignee('x')")), ["extension-unsupported a"]);
    assert_eq!(codes(&listener("complete", "task.getAssignee()")), Vec::<String>::new());
}

#[test]
fn workers_are_not_waited_for_when_a_task_is_deleted() {
    let listener = |attributes: &str| {
        document(&format!(
            "<bpmn:userTask id=\"a\"><bpmn:extensionElements><camunda:taskListener {attributes}/>\
             </bpmn:extensionElements></bpmn:userTask>"
        ))
    };
    assert_eq!(codes(&listener("event=\"delete\" expression=\"${x}\"")), Vec::<String>::new());
    let unheard = codes(&listener("event=\"delete\" class=\"org.example.Gone\""));
    assert!(unheard.contains(&"extension-ignored a".to_owned()), "{unheard:?}");
}

#[test]
fn a_task_of_an_unknown_type_is_refused() {
    // Camunda 7.24: "Invalid usage of type attribute on serviceTask"; it does not tell `External` from `external`.
    let severities = |kind: &str| {
        let task = document(&format!("<bpmn:serviceTask id=\"x\" camunda:type=\"{kind}\" camunda:topic=\"t\" />"));
        Reader::new(&task).diagnostics().iter().map(|found| (found.code, found.severity)).collect::<Vec<_>>()
    };
    assert_eq!(severities("extrenal"), [("extension-value-invalid", Severity::Error)]);
    assert_eq!(severities("External"), []);
    assert_eq!(severities("mail"), [("extension-java", Severity::Warning)]);
}

#[test]
fn what_another_dialect_says_first_on_the_same_element_is_named() {
    let found = |content: &str| {
        let file = document(content);
        Reader::new(&file).diagnostics().iter().map(|found| found.message.clone()).collect::<Vec<_>>()
    };
    let two = "<bpmn:userTask id=\"x\" camunda:assignee=\"anna\" flowable:assignee=\"boris\" />";
    assert_eq!(found(two), ["flowable:assignee beside camunda:assignee has no effect here"]);
    let same = "<bpmn:userTask id=\"x\" camunda:assignee=\"anna\" flowable:assignee=\"anna\" />";
    assert!(found(same).is_empty());
    let job = "<bpmn:serviceTask id=\"x\" camunda:type=\"external\" camunda:topic=\"t\"><bpmn:extensionElements>\
               <zeebe:taskDefinition type=\"z\" /></bpmn:extensionElements></bpmn:serviceTask>";
    let beside = |name: &str| format!("camunda:{name} beside <zeebe:taskDefinition> has no effect here");
    assert_eq!(found(job), [beside("type"), beside("topic")]);
}

#[test]
fn values_that_mean_nothing_are_named() {
    let inside = |kind: &str, content: &str| {
        format!("<bpmn:{kind} id=\"x\"><bpmn:extensionElements>{content}</bpmn:extensionElements></bpmn:{kind}>")
    };
    let wrong = [
        "<bpmn:userTask id=\"x\" camunda:asyncBefore=\"maybe\" />".to_owned(),
        "<bpmn:userTask id=\"x\" camunda:priority=\"abc\" />".to_owned(),
        "<bpmn:userTask id=\"x\" potok:dueDate=\"tomorrow\" />".to_owned(),
        "<bpmn:userTask id=\"x\" camunda:jobPriority=\"high\" />".to_owned(),
        "<bpmn:process id=\"x\" camunda:historyTimeToLive=\"long\" />".to_owned(),
        "<bpmn:businessRuleTask id=\"x\" camunda:decisionRef=\"d\" camunda:mapDecisionResult=\"one\" />".to_owned(),
        "<bpmn:serviceTask id=\"x\" camunda:type=\"externl\" camunda:topic=\"t\" />".to_owned(),
        "<bpmn:sendTask id=\"x\" camunda:type=\"${kind}\" camunda:topic=\"t\" />".to_owned(),
        "<bpmn:conditionalEventDefinition id=\"x\" camunda:variableEvents=\"change\" />".to_owned(),
        inside("serviceTask", "<zeebe:taskDefinition type=\"t\" retries=\"abc\" />"),
        inside("userTask", "<zeebe:userTask /><zeebe:priorityDefinition priority=\"500\" />"),
        inside("userTask", "<zeebe:userTask /><zeebe:taskSchedule dueDate=\"soon\" />"),
        inside("callActivity", "<zeebe:calledElement processId=\"p\" bindingType=\"newest\" />"),
        inside(
            "userTask",
            "<zeebe:userTask /><zeebe:ioMapping><zeebe:input source=\"=1\" target=\"a..b\" /></zeebe:ioMapping>",
        ),
        inside(
            "userTask",
            "<zeebe:userTask /><zeebe:ioMapping><zeebe:output source=\"=1\" target=\"\" /></zeebe:ioMapping>",
        ),
        inside("userTask", "<potok:input source=\"=1\" />"),
        inside(
            "userTask",
            "<camunda:inputOutput><camunda:inputParameter>1</camunda:inputParameter></camunda:inputOutput>",
        ),
        inside("userTask", "<camunda:formData><camunda:formField id=\"a\" type=\"money\" /></camunda:formData>"),
        inside(
            "userTask",
            "<camunda:formData><camunda:formField id=\"a\" type=\"string\"><camunda:validation>\
                            <camunda:constraint name=\"zip\" /></camunda:validation></camunda:formField></camunda:formData>",
        ),
        inside("userTask", "<potok:formField id=\"a\" /><potok:formField id=\"a\" />"),
        inside("userTask", "<potok:formField id=\"a\" type=\"long\" min=\"5\" max=\"1\" />"),
        inside("userTask", "<potok:formField id=\"a\" type=\"long\" min=\"x\" />"),
        inside("userTask", "<potok:formField id=\"a\" type=\"long\" pattern=\"x\" />"),
        inside("userTask", "<potok:formField id=\"a\" min=\"1\" />"),
        inside("userTask", "<potok:formField id=\"a\" type=\"enum\" />"),
        inside(
            "userTask",
            "<potok:formField id=\"a\" type=\"enum\"><potok:value id=\"v\" /><potok:value id=\"v\" /></potok:formField>",
        ),
        inside("userTask", "<camunda:executionListener event=\"start\" />"),
        inside(
            "userTask",
            "<camunda:executionListener event=\"start\"><camunda:script>x = 1</camunda:script>\
                            </camunda:executionListener>",
        ),
    ];
    for content in wrong {
        assert_eq!(codes(&document(&content)), ["extension-value-invalid x"], "{content}");
    }
    // Nothing could go on with them: each task would be an incident.
    for attribute in ["camunda:priority", "potok:priority", "camunda:jobPriority"] {
        let document = document(&format!("<bpmn:userTask id=\"x\" {attribute}=\"high\" />"));
        assert_eq!(Reader::new(&document).diagnostics()[0].severity, Severity::Error, "{attribute}");
    }
    let retried = "<bpmn:serviceTask id=\"x\" camunda:type=\"external\" camunda:topic=\"t\"><bpmn:extensionElements>\
                   <camunda:failedJobRetryTimeCycle>often</camunda:failedJobRetryTimeCycle></bpmn:extensionElements>\
                   </bpmn:serviceTask>";
    assert_eq!(codes(&document(retried)), ["extension-value-invalid x"]);
    assert_eq!(codes(&document(&retried.replace("often", "PT5M, R3/PT1H"))), Vec::<String>::new());
    let fine = "<bpmn:userTask id=\"x\" camunda:dueDate=\"P3D\" camunda:followUpDate=\"2026-12-01T09:00:00\" \
                camunda:priority=\"${p}\" potok:priority=\"=p\" camunda:asyncBefore=\"true\" />";
    assert_eq!(codes(&document(fine)), Vec::<String>::new());
}

#[test]
fn elements_in_a_place_that_has_no_use_for_them_are_named() {
    let document = document(
        "<bpmn:serviceTask id=\"a\" camunda:topic=\"t\" camunda:expression=\"${1}\"><bpmn:extensionElements>\
         <camunda:in source=\"x\" target=\"y\" /><camunda:formData /><camunda:taskListener event=\"create\" \
         expression=\"${1}\" /></bpmn:extensionElements></bpmn:serviceTask>\
         <bpmn:userTask id=\"b\"><bpmn:extensionElements><camunda:out source=\"x\" target=\"y\" />\
         <zeebe:taskDefinition type=\"t\" /><zeebe:calledDecision decisionId=\"d\" /></bpmn:extensionElements></bpmn:userTask>\
         <bpmn:exclusiveGateway id=\"c\" camunda:calledElementBinding=\"latest\" />\
         <bpmn:endEvent id=\"d\"><bpmn:extensionElements><zeebe:subscription correlationKey=\"=1\" />\
         </bpmn:extensionElements></bpmn:endEvent>\
         <bpmn:startEvent id=\"e\"><bpmn:extensionElements><zeebe:taskDefinition type=\"t\" /></bpmn:extensionElements>\
         </bpmn:startEvent><bpmn:userTask id=\"f\" camunda:taskPriority=\"7\" />",
    );
    let found = Reader::new(&document).diagnostics();
    assert!(found.iter().all(|found| found.code == "extension-ignored"), "{found:?}");
    let messages: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "camunda:topic without a type has no effect here",
            "<camunda:in> in <serviceTask> has no effect here",
            "<camunda:formData> in <serviceTask> has no effect here",
            "<camunda:taskListener> in <serviceTask> has no effect here",
            "<camunda:out> in <userTask> has no effect here",
            "<zeebe:taskDefinition> in <userTask> has no effect here",
            "<zeebe:calledDecision> in <userTask> has no effect here",
            "camunda:calledElementBinding on <exclusiveGateway> has no effect here",
            "<zeebe:subscription> in <endEvent> has no effect here",
            "<zeebe:taskDefinition> in <startEvent> has no effect here",
            "camunda:taskPriority on <userTask> has no effect here",
        ]
    );
    assert_eq!(found[1].help, "it belongs in: callActivity, signalEventDefinition");
}

#[test]
fn mappings_and_headers_where_nothing_is_mapped_are_named() {
    let mapping =
        "<camunda:inputOutput><camunda:inputParameter name=\"a\">1</camunda:inputParameter></camunda:inputOutput>";
    let classic = |host: &str| {
        format!("<bpmn:{host} id=\"x\"><bpmn:extensionElements>{mapping}</bpmn:extensionElements></bpmn:{host}>")
    };
    for host in ["process", "sequenceFlow", "lane", "messageEventDefinition", "multiInstanceLoopCharacteristics"] {
        let ignored = format!("Warning extension-ignored <camunda:inputOutput> in <{host}> has no effect here");
        let document = document(&classic(host));
        assert_eq!(told(&document), [ignored]);
        assert_eq!(Reader::new(&document).diagnostics()[0].help, "it belongs in: activities and events");
    }
    for host in ["task", "userTask", "subProcess", "adHocSubProcess", "callActivity", "intermediateThrowEvent"] {
        assert_eq!(told(&document(&classic(host))), Vec::<String>::new(), "{host}");
    }
    let ours = document(
        "<bpmn:sequenceFlow id=\"x\"><bpmn:extensionElements><potok:input target=\"a\" source=\"=1\" />\
         <potok:output target=\"a\" source=\"=1\" /><potok:formField id=\"a\" /><potok:header key=\"k\" value=\"v\" />\
         </bpmn:extensionElements></bpmn:sequenceFlow>",
    );
    let ignored = |word: &str| format!("Warning extension-ignored <potok:{word}> in <sequenceFlow> has no effect here");
    assert_eq!(told(&ours), ["input", "output", "formField", "header"].map(ignored));
}

/// What is said about the document, in one line each.
fn told(document: &Document) -> Vec<String> {
    let found = Reader::new(document).diagnostics();
    found.iter().map(|found| format!("{:?} {} {}", found.severity, found.code, found.message)).collect()
}

#[test]
fn of_two_ways_of_doing_a_task_it_is_said_which_counts() {
    let both = document(
        "<bpmn:serviceTask id=\"a\" camunda:expression=\"${x}\" camunda:topic=\"t\" camunda:type=\"external\" />\
         <bpmn:businessRuleTask id=\"b\" potok:job=\"j\" potok:decision=\"d\" />\
         <bpmn:businessRuleTask id=\"c\" camunda:decisionRef=\"d\" camunda:expression=\"${x}\" />\
         <bpmn:serviceTask id=\"d\" camunda:type=\"external\" camunda:topic=\"t\" camunda:resultVariable=\"r\" />",
    );
    assert_eq!(
        told(&both),
        [
            "Warning extension-ignored camunda:expression beside camunda:type has no effect here",
            "Warning extension-ignored potok:job beside potok:decision has no effect here",
            "Warning extension-ignored camunda:expression beside camunda:decisionRef has no effect here",
        ]
    );
    let zeebe = document(
        "<bpmn:businessRuleTask id=\"a\"><bpmn:extensionElements><zeebe:taskDefinition type=\"t\" />\
         <zeebe:calledDecision decisionId=\"d\" resultVariable=\"r\" /></bpmn:extensionElements></bpmn:businessRuleTask>\
         <bpmn:scriptTask id=\"b\"><bpmn:extensionElements><zeebe:taskDefinition type=\"t\" />\
         <zeebe:script expression=\"=1\" resultVariable=\"r\" /></bpmn:extensionElements></bpmn:scriptTask>",
    );
    assert_eq!(codes(&zeebe), ["extension-unsupported a", "extension-unsupported b"]);
    let class =
        document("<bpmn:serviceTask id=\"a\" camunda:delegateExpression=\"${bean}\" camunda:resultVariable=\"r\" />");
    assert_eq!(codes(&class), ["extension-java a", "extension-unsupported a"]);
}

#[test]
fn a_constraint_that_bounds_nothing_is_reported() {
    let field = |kind: &str, constraint: &str| {
        let form = format!(
            "<bpmn:userTask id=\"u\"><bpmn:extensionElements><camunda:formData><camunda:formField id=\"f\" type=\"{kind}\">\
             <camunda:validation><camunda:constraint {constraint} /></camunda:validation></camunda:formField>\
             </camunda:formData></bpmn:extensionElements></bpmn:userTask>"
        );
        told(&document(&form))
    };
    let invalid = |what: &str| vec![format!("Warning extension-value-invalid {what} means nothing here")];
    assert_eq!(field("long", "name=\"max\" config=\"abc\""), invalid("config=\"abc\" of the constraint `max`"));
    assert_eq!(field("long", "name=\"max\" config=\"10.5\""), invalid("config=\"10.5\" of the constraint `max`"));
    assert_eq!(field("long", "name=\"min\" config=\"${1}\""), invalid("config=\"${1}\" of the constraint `min`"));
    assert_eq!(field("string", "name=\"minlength\""), invalid("config=\"\" of the constraint `minlength`"));
    assert_eq!(
        field("string", "name=\"min\" config=\"3\""),
        invalid("the constraint `min` of a field of type `string`")
    );
    assert_eq!(
        field("long", "name=\"validator\" config=\"a.B\""),
        ["Warning extension-ignored a <constraint> that is a class (`validator`) has no effect here"]
    );
    for fine in ["name=\"min\" config=\"-3\"", "name=\"required\"", "name=\"readonly\" config=\"false\""] {
        assert_eq!(field("long", fine), Vec::<String>::new());
    }
    assert_eq!(field("string", "name=\"maxlength\" config=\"3\""), Vec::<String>::new());
}

#[test]
fn a_default_that_its_field_cannot_hold_is_reported() {
    let field = |content: &str| {
        told(&document(&format!(
            "<bpmn:startEvent id=\"s\"><bpmn:extensionElements>{content}</bpmn:extensionElements></bpmn:startEvent>"
        )))
    };
    let camunda = |kind: &str, default: &str| {
        field(&format!(
            "<camunda:formData><camunda:formField id=\"f\" type=\"{kind}\" defaultValue=\"{default}\">\
             <camunda:value id=\"a\" name=\"A\" /></camunda:formField></camunda:formData>"
        ))
    };
    let invalid = |severity: &str, default: &str, kind: &str| {
        vec![format!(
            "{severity} extension-value-invalid the default `{default}` of the {kind} field `f` means nothing here"
        )]
    };
    assert_eq!(camunda("date", "32/02/2026"), invalid("Error", "32/02/2026", "date"));
    assert_eq!(camunda("long", "abc"), invalid("Error", "abc", "long"));
    assert_eq!(camunda("enum", "q"), invalid("Error", "q", "enum"));
    // Camunda 7 takes it for false.
    assert_eq!(camunda("boolean", "maybe"), invalid("Warning", "maybe", "boolean"));
    let fine = [("date", "01/02/2026"), ("date", "${now()}"), ("long", "-5"), ("enum", "a"), ("boolean", "true")];
    for (kind, default) in fine.into_iter().chain([("string", "anything")]) {
        assert_eq!(camunda(kind, default), Vec::<String>::new(), "{kind} {default}");
    }
    let older = "<camunda:formProperty id=\"f\" type=\"date\" datePattern=\"d.M.yy\" default=\"1.2.26\" />";
    assert_eq!(field(older), Vec::<String>::new());
    assert_eq!(field(&older.replace("1.2.26", "1/2/26")), invalid("Error", "1/2/26", "date"));
    let ours = "<potok:formField id=\"f\" type=\"integer\" default=\"5\" />";
    assert_eq!(field(ours), Vec::<String>::new());
    assert_eq!(field(&ours.replace("\"5\"", "\"five\"")), invalid("Warning", "five", "integer"));
}

#[test]
fn a_form_field_s_type_is_known() {
    let field = |element: &str| {
        let form = format!(
            "<bpmn:startEvent id=\"s\"><bpmn:extensionElements>{element}</bpmn:extensionElements></bpmn:startEvent>"
        );
        told(&document(&form))
    };
    let unknown = |severity: &str, word: &str| {
        vec![format!("{severity} extension-value-invalid type=\"weird\" of <{word}> means nothing here")]
    };
    assert_eq!(
        field("<camunda:formData><camunda:formField id=\"f\" type=\"weird\" /></camunda:formData>"),
        unknown("Error", "formField")
    );
    assert_eq!(field("<camunda:formProperty id=\"f\" type=\"weird\" />"), unknown("Error", "formProperty"));
    assert_eq!(field("<potok:formField id=\"f\" type=\"weird\" />"), unknown("Warning", "formField"));
}

#[test]
fn camunda_refuses_mappings_of_an_event_sub_process() {
    let of = |mapping: &str| {
        document(&format!(
            "<bpmn:subProcess id=\"e\" triggeredByEvent=\"true\" camunda:asyncBefore=\"false\"><bpmn:extensionElements>\
             {mapping}</bpmn:extensionElements></bpmn:subProcess>"
        ))
    };
    assert_eq!(codes(&of("<camunda:inputOutput />")), ["extension-unsupported e"]);
    assert!(codes(&of("<potok:input target=\"a\" source=\"=1\" />")).is_empty());
}

#[test]
fn a_category_is_not_shown() {
    assert_eq!(codes(&document("<bpmn:userTask id=\"u\" flowable:category=\"c\" />")), ["extension-ignored u"]);
}

#[test]
fn what_another_engine_does_itself_is_a_job_and_said_to_be() {
    for kind in ["mail", "http", "shell", "camel", "mule", "send-event"] {
        let task = document(&format!("<bpmn:serviceTask id=\"t\" flowable:type=\"{kind}\" />"));
        let [told] = &told(&task)[..] else { panic!("{kind}") };
        let expected =
            format!("Warning extension-java type=\"{kind}\" is not done here; a job of type `{kind}` stands for it");
        assert_eq!(*told, expected);
    }
}

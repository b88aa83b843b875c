//! Models that several of the programs use.

/// An order: somebody approves it, then a letter goes out.
pub const ORDER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0" targetNamespace="urn:shop">
  <process id="order" name="Order" isExecutable="true">
    <startEvent id="received"/>
    <userTask id="approve" name="Approve the order" potok:candidateGroups="sales"/>
    <serviceTask id="send" name="Send the letter" potok:job="send-letter" potok:retries="3"/>
    <endEvent id="done"/>
    <sequenceFlow id="f1" sourceRef="received" targetRef="approve"/>
    <sequenceFlow id="f2" sourceRef="approve" targetRef="send"/>
    <sequenceFlow id="f3" sourceRef="send" targetRef="done"/>
  </process>
</definitions>
"#;

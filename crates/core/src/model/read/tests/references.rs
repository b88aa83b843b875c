use super::{activity, event, node, process, read, read_with_warnings};
use crate::model::{ActivityKind, Definitions, EventDefinition, EventPosition, NodeIndex};

#[test]
fn references_lose_their_prefix() {
    let model = read(
        r#"<message id="m"/><process id="p"><receiveTask id="a" messageRef="t:m"/><receiveTask id="b" messageRef="unbound:m"/></process>"#,
    );
    for id in ["a", "b"] {
        let ActivityKind::ReceiveTask { message: Some(message), .. } = &activity(&model, id).kind else { panic!() };
        assert_eq!((&*message.text, message.target), ("m", Some(0)));
    }
}

#[test]
fn references_to_nothing_or_to_another_kind_keep_their_text() {
    let model = process(
        r#"<task id="a" default="b"/><task id="b"/>
           <sequenceFlow id="f" sourceRef="a" targetRef="gone"/><sequenceFlow id="g" sourceRef="p"/>
           <boundaryEvent id="lost"/>
           <endEvent id="e"><errorEventDefinition errorRef="CODE-1"/></endEvent>"#,
    );
    let flows = &model.processes[0].sequence_flows;
    assert_eq!((&*flows[0].target.text, flows[0].target.target), ("gone", None));
    assert_eq!((&*flows[1].source.text, flows[1].source.target), ("p", None));
    assert_eq!((&*flows[1].target.text, flows[1].target.target), ("", None));
    assert_eq!(node(&model, "a").default_flow.as_ref().map(|flow| (&*flow.text, flow.target)), Some(("b", None)));
    assert!(matches!(&event(&model, "lost").position,
        EventPosition::Boundary { attached_to, .. } if attached_to.target.is_none()));
    assert!(matches!(&event(&model, "e").definitions[0],
        EventDefinition::Error { error: Some(e), .. } if &*e.text == "CODE-1" && e.target.is_none()));
}

#[test]
fn a_flow_into_another_process_leads_nowhere() {
    let model = read(
        r#"<process id="p"><task id="a"/><sequenceFlow id="f" sourceRef="a" targetRef="b"/></process><process id="q"><task id="b"/></process>"#,
    );
    assert_eq!(model.processes[0].sequence_flows[0].target.target, None);
    assert!(node(&model, "b").incoming.is_empty());
}

#[test]
fn event_definitions_at_the_top_are_referred_to_in_the_process_of_the_event() {
    let model = read(
        r#"<compensateEventDefinition id="undo" activityRef="a"/>
           <process id="q"/>
           <process id="p"><task id="a"/><intermediateThrowEvent id="e"><eventDefinitionRef>t:undo</eventDefinitionRef></intermediateThrowEvent></process>"#,
    );
    assert!(matches!(&event(&model, "e").definitions[..],
        [EventDefinition::Compensation { activity: Some(a), .. }] if a.target == Some(NodeIndex(0))));
    assert_eq!(&*model.event_definitions[0].0, "undo");
}

#[test]
fn missing_ids_are_made_of_the_place_and_stay_unique() {
    let content = "<process id='p'>\n <sequenceFlow sourceRef='_3_2' targetRef='_3_2'/>\n <task id='_3_2'/> <task/> <task id='_3_20'/></process>";
    let (model, warnings) = read_with_warnings(content);
    assert_eq!(&*model.processes[0].sequence_flows[0].id, "_2_2");
    let ids: Vec<_> = model.processes[0].flow_nodes.iter().map(|node| &*node.id).collect();
    assert_eq!(ids, ["_3_2", "_3_20_", "_3_20"], "a made id avoids those that are there");
    assert_eq!(warnings.iter().map(|w| (w.code, w.line)).collect::<Vec<_>>(), [("id-missing", 3)]);
}

#[test]
fn the_namespace_counts_and_not_its_prefix() {
    for (prefix, uri) in [
        ("", "http://www.omg.org/spec/BPMN/20100524/MODEL"),
        ("ns18", "http://www.omg.org/spec/BPMN/20100524/MODEL"),
        ("bpmn", "http://www.omg.org/spec/BPMN/20100524/MODEL/"),
        ("bpmn", "http://www.omg.org/spec/bpmn/20100524/model"),
    ] {
        let (declaration, start) = if prefix.is_empty() {
            ("xmlns".into(), "".into())
        } else {
            (format!("xmlns:{prefix}"), format!("{prefix}:"))
        };
        let text = format!(
            r#"<{start}definitions {declaration}="{uri}" xmlns:o="urn:other"><{start}process id="p"><{start}task id="a"/><o:task id="b"/></{start}process></{start}definitions>"#
        );
        let (model, _) = Definitions::read(text.as_bytes()).expect("is read");
        assert_eq!(model.processes[0].flow_nodes.len(), 1, "{text}");
    }
}

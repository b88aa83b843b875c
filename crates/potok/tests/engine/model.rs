//! Models for the tests.

/// A file with these elements.
pub(crate) fn file(content: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0"
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="test">{content}</definitions>"#
    )
}

/// A process whose flow nodes follow each other: `<startEvent id="..."/>` and so on, each on a line of its own.
pub(crate) fn row(id: &str, nodes: &str) -> String {
    file(&process(id, nodes))
}

/// The same without the file around it.
pub(crate) fn process(id: &str, nodes: &str) -> String {
    let ids: Vec<&str> = nodes
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('<') && !line.starts_with("<boundaryEvent"))
        .filter_map(|line| line.split("id=\"").nth(1)?.split('"').next())
        .collect();
    let flows: String = ids
        .windows(2)
        .map(|two| format!(r#"<sequenceFlow id="{0}-{1}" sourceRef="{0}" targetRef="{1}"/>"#, two[0], two[1]))
        .collect();
    format!(r#"<process id="{id}" isExecutable="true">{nodes}{flows}</process>"#)
}

pub(crate) fn approval() -> String {
    row(
        "approval",
        r#"
        <startEvent id="start"/>
        <userTask id="approve" name="Approve" potok:candidateGroups="sales"/>
        <userTask id="pay" name="Pay" potok:assignee="boris"/>
        <endEvent id="end"/>"#,
    )
}

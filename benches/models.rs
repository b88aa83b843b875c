//! The models that are measured, written the same way every time.

use std::fmt::Write;

/// A process or sub-process under construction.
#[derive(Debug, Default)]
pub struct Level {
    nodes: Vec<Node>,
    flows: Vec<Flow>,
}

#[derive(Debug)]
struct Node {
    tag: &'static str,
    id: String,
    attributes: String,
    content: String,
    inner: Option<Level>,
}

#[derive(Debug)]
struct Flow {
    source: usize,
    target: usize,
    condition: Option<String>,
}

impl Level {
    /// Adds a flow node; gives its place.
    pub fn node(&mut self, tag: &'static str, id: impl Into<String>) -> usize {
        self.nodes.push(Node { tag, id: id.into(), attributes: String::new(), content: String::new(), inner: None });
        self.nodes.len() - 1
    }

    /// Adds a flow node after another.
    pub fn then(&mut self, source: usize, tag: &'static str, id: impl Into<String>) -> usize {
        let target = self.node(tag, id);
        self.flow(source, target, None);
        target
    }

    /// Adds a sequence flow.
    pub fn flow(&mut self, source: usize, target: usize, condition: Option<&str>) {
        self.flows.push(Flow { source, target, condition: condition.map(Into::into) });
    }

    /// Adds attributes to a flow node.
    pub fn attributes(&mut self, node: usize, attributes: &str) {
        self.nodes[node].attributes.push_str(attributes);
    }

    /// Adds XML before the flows of a flow node.
    pub fn content(&mut self, node: usize, xml: &str) {
        self.nodes[node].content.push_str(xml);
    }

    /// Gives a sub-process what it contains.
    pub fn inner(&mut self, node: usize, inner: Self) {
        self.nodes[node].inner = Some(inner);
    }

    fn write(&self, xml: &mut String, prefix: &str) {
        let mut incoming = vec![Vec::new(); self.nodes.len()];
        let mut outgoing = vec![Vec::new(); self.nodes.len()];
        for (number, flow) in self.flows.iter().enumerate() {
            incoming[flow.target].push(number);
            outgoing[flow.source].push(number);
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let (tag, id) = (node.tag, &node.id);
            put(xml, format_args!("    <bpmn:{tag} id=\"{id}\"{}>\n{}", node.attributes, before_flows(&node.content)));
            for number in &incoming[index] {
                put(xml, format_args!("      <bpmn:incoming>{prefix}flow-{number}</bpmn:incoming>\n"));
            }
            for number in &outgoing[index] {
                put(xml, format_args!("      <bpmn:outgoing>{prefix}flow-{number}</bpmn:outgoing>\n"));
            }
            xml.push_str(after_flows(&node.content));
            if let Some(inner) = &node.inner {
                inner.write(xml, &format!("{prefix}{id}-"));
            }
            put(xml, format_args!("    </bpmn:{tag}>\n"));
        }
        for (number, flow) in self.flows.iter().enumerate() {
            let (source, target) = (&self.nodes[flow.source].id, &self.nodes[flow.target].id);
            let ends = format!("id=\"{prefix}flow-{number}\" sourceRef=\"{source}\" targetRef=\"{target}\"");
            match &flow.condition {
                Some(condition) => put(
                    xml,
                    format_args!(
                        "    <bpmn:sequenceFlow {ends}>\n      <bpmn:conditionExpression \
                         xsi:type=\"bpmn:tFormalExpression\">{condition}</bpmn:conditionExpression>\n    \
                         </bpmn:sequenceFlow>\n"
                    ),
                ),
                None => put(xml, format_args!("    <bpmn:sequenceFlow {ends} />\n")),
            }
        }
    }

    /// The whole file with this process in it.
    #[must_use]
    pub fn file(&self) -> String {
        let mut xml = String::from(HEAD);
        self.write(&mut xml, "");
        xml.push_str("  </bpmn:process>\n</bpmn:definitions>\n");
        xml
    }
}

/// Only extension elements come before `incoming` and `outgoing` in BPMN's schema.
fn before_flows(content: &str) -> &str {
    if content.starts_with("<bpmn:extensionElements>") { content } else { "" }
}

fn after_flows(content: &str) -> &str {
    if content.starts_with("<bpmn:extensionElements>") { "" } else { content }
}

fn put(xml: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = xml.write_fmt(text);
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="http://example.com/bench">
  <bpmn:process id="process" isExecutable="true">
"#;

/// Activities in a row.
#[must_use]
pub fn row(tag: &'static str, count: usize) -> Level {
    let mut level = Level::default();
    let mut last = level.node("startEvent", "start");
    for number in 1..=count {
        last = level.then(last, tag, format!("task-{number}"));
    }
    level.then(last, "endEvent", "end");
    level
}

/// The expression languages of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// FEEL, in a model for Camunda 8.
    Feel,
    /// `${...}`, in a model for Camunda 7.
    Template,
    /// None: peers count by themselves.
    Native,
}

/// A task that counts, and an exclusive gateway that leads back to it until there were enough rounds.
#[must_use]
pub fn exclusive_loop(language: Language, rounds: u32) -> Level {
    let mut level = Level::default();
    let start = level.node("startEvent", "start");
    let merge = level.then(start, "exclusiveGateway", "merge");
    let (tag, again) = match language {
        Language::Feel => ("scriptTask", format!("=count &lt; {rounds}")),
        Language::Template => ("serviceTask", format!("${{count &lt; {rounds}}}")),
        Language::Native => ("task", String::new()),
    };
    let count = level.then(merge, tag, "count");
    match language {
        Language::Feel => level.content(
            count,
            "<bpmn:extensionElements><zeebe:script expression=\"=count + 1\" resultVariable=\"count\" \
             /></bpmn:extensionElements>\n",
        ),
        Language::Template => {
            level.attributes(count, " camunda:expression=\"${count + 1}\" camunda:resultVariable=\"count\"");
        }
        Language::Native => {}
    }
    let decide = level.then(count, "exclusiveGateway", "decide");
    level.flow(decide, merge, (language != Language::Native).then_some(&*again));
    let end = level.then(decide, "endEvent", "end");
    let default = level.flows.iter().position(|flow| flow.target == end).unwrap_or_default();
    level.attributes(decide, &format!(" default=\"flow-{default}\""));
    level
}

/// A gateway that splits into activities side by side, and one that joins them.
#[must_use]
pub fn split_and_join(gateway: &'static str, tag: &'static str, ways: usize) -> Level {
    let mut level = Level::default();
    let start = level.node("startEvent", "start");
    let split = level.then(start, gateway, "split");
    let join = level.node(gateway, "join");
    for number in 1..=ways {
        let task = level.node(tag, format!("task-{number}"));
        level.flow(split, task, (gateway == "inclusiveGateway").then_some("=true"));
        level.flow(task, join, None);
    }
    level.then(join, "endEvent", "end");
    level
}

/// A task in sub-processes inside each other.
#[must_use]
pub fn nested(depth: usize) -> Level {
    let mut inner: Option<Level> = None;
    for number in (0..=depth).rev() {
        let mut level = Level::default();
        let start = level.node("startEvent", format!("start-{number}"));
        let middle = match inner.take() {
            Some(inner) => {
                let middle = level.then(start, "subProcess", format!("sub-process-{}", number + 1));
                level.inner(middle, inner);
                middle
            }
            None => level.then(start, "task", "task"),
        };
        level.then(middle, "endEvent", format!("end-{number}"));
        inner = Some(level);
    }
    inner.unwrap_or_default()
}

/// A task for each of so many, all at once.
#[must_use]
pub fn multi_instance(tag: &'static str, count: u32) -> Level {
    let mut level = Level::default();
    let start = level.node("startEvent", "start");
    let task = level.then(start, tag, "task");
    level.content(
        task,
        &format!(
            "      <bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>={count}</bpmn:loopCardinality>\
             </bpmn:multiInstanceLoopCharacteristics>\n"
        ),
    );
    level.then(task, "endEvent", "end");
    level
}

/// A file as a modeler writes it, with names and a diagram: blocks of two gateways and three tasks in a row. With or
/// without conditions, which snurr does not read.
#[must_use]
pub fn drawn(blocks: usize, conditions: bool) -> String {
    let mut level = Level::default();
    let mut last = level.node("startEvent", "StartEvent_0000000");
    level.attributes(last, " name=\"Request received\"");
    for block in 0..blocks {
        let split = level.then(last, "exclusiveGateway", format!("Gateway_{block:07}"));
        level.attributes(split, " name=\"Is the amount above the limit?\"");
        let join = level.node("exclusiveGateway", format!("Gateway_{block:07}_join"));
        let tasks = ["userTask", "serviceTask", "task"].map(|tag| {
            let task = level.node(tag, format!("Activity_{block:07}_{tag}"));
            level.attributes(task, &format!(" name=\"Check the request &amp; decide, step {block}\""));
            task
        });
        level.content(
            tasks[1],
            "<bpmn:extensionElements><zeebe:taskDefinition type=\"check\" retries=\"3\" /></bpmn:extensionElements>\n",
        );
        level.content(
            tasks[0],
            "<bpmn:extensionElements><zeebe:assignmentDefinition candidateGroups=\"clerks\" \
             /></bpmn:extensionElements>\n",
        );
        level.flow(split, tasks[0], conditions.then_some("=amount &gt; 1000"));
        level.flow(split, tasks[1], conditions.then_some("=amount &gt; 500"));
        level.flow(split, tasks[2], None);
        let default = level.flows.len() - 1;
        level.attributes(split, &format!(" default=\"flow-{default}\""));
        for task in tasks {
            level.flow(task, join, None);
        }
        last = join;
    }
    level.then(last, "endEvent", "EndEvent_0000000");
    with_diagram(&level)
}

fn with_diagram(level: &Level) -> String {
    let mut xml = level.file();
    xml.truncate(xml.len() - "</bpmn:definitions>\n".len());
    xml.push_str(
        "  <bpmndi:BPMNDiagram id=\"BPMNDiagram_1\">\n    <bpmndi:BPMNPlane id=\"BPMNPlane_1\" \
         bpmnElement=\"process\">\n",
    );
    for (index, node) in level.nodes.iter().enumerate() {
        let (id, x, y) = (&node.id, 150 + index % 100 * 160, 100 + index / 100 * 120);
        put(
            &mut xml,
            format_args!(
                "      <bpmndi:BPMNShape id=\"{id}_di\" bpmnElement=\"{id}\">\n        <dc:Bounds x=\"{x}\" y=\"{y}\" \
                 width=\"100\" height=\"80\" />\n        <bpmndi:BPMNLabel />\n      </bpmndi:BPMNShape>\n"
            ),
        );
    }
    for number in 0..level.flows.len() {
        let (x, y) = (250 + number % 100 * 160, 140 + number / 100 * 120);
        put(
            &mut xml,
            format_args!(
                "      <bpmndi:BPMNEdge id=\"flow-{number}_di\" bpmnElement=\"flow-{number}\">\n        <di:waypoint \
                 x=\"{x}\" y=\"{y}\" />\n        <di:waypoint x=\"{}\" y=\"{y}\" />\n      </bpmndi:BPMNEdge>\n",
                x + 60
            ),
        );
    }
    xml.push_str("    </bpmndi:BPMNPlane>\n  </bpmndi:BPMNDiagram>\n</bpmn:definitions>\n");
    xml
}

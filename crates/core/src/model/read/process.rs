//! Processes: flow nodes, sequence flows and lanes.

use super::outline::{Placed, ProcessOutline, Target, index};
use super::source::{Source, node_of};
use super::words;
use crate::dialect::ExpressionUse;
use crate::model::{
    Association, CorrelationPropertyBinding, CorrelationSubscription, FlowIndex, FlowNode, FlowNodeKind, Gateway, Lane,
    LaneIndex, NodeIndex, Process, ProcessIndex, Reference, SequenceFlow,
};
use crate::xml::Element;

impl<'d> Source<'d> {
    pub(super) fn processes(&self) -> Vec<Process> {
        let outlines = self.outline.processes.iter().enumerate();
        let mut processes: Vec<Process> =
            outlines.map(|(place, outline)| self.process(outline, ProcessIndex(index(place)))).collect();
        for association in &self.outline.associations {
            self.associate(*association, &mut processes);
        }
        processes
    }

    fn process(&self, outline: &ProcessOutline<'d>, own: ProcessIndex) -> Process {
        let element = outline.element;
        let data_references = outline.data_object_references.iter();
        let mut process = Process {
            id: self.important_id(element),
            name: self.name(element),
            element: element.index(),
            is_executable: self.optional_flag(element, "isExecutable"),
            flow_nodes: outline.nodes.iter().map(|node| self.flow_node(*node, own)).collect(),
            sequence_flows: outline.flows.iter().map(|flow| self.sequence_flow(*flow, own)).collect(),
            lanes: outline.lanes.iter().map(|(lane, outer)| self.lane(*lane, *outer, own)).collect(),
            data_objects: outline.data_objects.iter().map(|object| self.data_object(*object)).collect(),
            data_object_references: data_references.map(|r| self.data_object_reference(*r, own)).collect(),
            data_store_references: outline
                .data_store_references
                .iter()
                .map(|r| self.data_store_reference(*r))
                .collect(),
            properties: self.properties(element),
            io: self.input_output(element),
            correlation_subscriptions: outline
                .correlation_subscriptions
                .iter()
                .map(|subscription| self.correlation_subscription(*subscription))
                .collect(),
            associations: Vec::new(),
            extension: self.dialect.process(element),
        };
        connect(&mut process);
        name_lanes(&mut process);
        process
    }

    fn flow_node(&self, (element, parent): Placed<'d>, process: ProcessIndex) -> FlowNode {
        let name = element.name();
        let kind = if words::is_activity(name) {
            FlowNodeKind::Activity(Box::new(self.activity(element, process)))
        } else if words::is_event(name) {
            FlowNodeKind::Event(self.event(element, process))
        } else {
            FlowNodeKind::Gateway(self.gateway(element))
        };
        FlowNode {
            id: self.important_id(element),
            name: self.name(element),
            element: element.index(),
            parent,
            lane: None,
            kind,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            default_flow: self.referred_as(element, "default", |target| flow_of(target, process)),
            extension: self.dialect.element(element),
        }
    }

    fn gateway(&self, element: Element<'d>) -> Gateway {
        match element.name() {
            "parallelGateway" => Gateway::Parallel,
            "inclusiveGateway" => Gateway::Inclusive,
            "complexGateway" => Gateway::Complex {
                activation_condition: self.expression(element, "activationCondition", ExpressionUse::Condition),
            },
            "eventBasedGateway" => Gateway::EventBased {
                instantiate: self.flag(element, "instantiate", false),
                parallel: element.attribute("eventGatewayType").as_deref() == Some("Parallel"),
            },
            _ => Gateway::Exclusive,
        }
    }

    fn sequence_flow(&self, (element, parent): Placed<'d>, process: ProcessIndex) -> SequenceFlow {
        SequenceFlow {
            id: self.id(element),
            name: self.name(element),
            element: element.index(),
            parent,
            source: self.node(element, "sourceRef", process),
            target: self.node(element, "targetRef", process),
            condition: self.expression(element, "conditionExpression", ExpressionUse::Condition),
            extension: self.dialect.element(element),
        }
    }

    fn lane(&self, (element, scope): Placed<'d>, parent: Option<LaneIndex>, process: ProcessIndex) -> Lane {
        let name = self.name(element);
        let nodes = self.all_referred(element, "flowNodeRef");
        Lane {
            id: self.optional_id(element),
            element: element.index(),
            parent,
            scope,
            flow_nodes: nodes.into_iter().map(|text| self.reference(text, |t| node_of(t, process))).collect(),
            group: self.dialect.lane_group(element).or_else(|| name.clone()),
            name,
        }
    }

    fn correlation_subscription(&self, element: Element<'d>) -> CorrelationSubscription {
        let read = |binding| CorrelationPropertyBinding {
            property: self.referred(binding, "correlationPropertyRef").map(|text| self.correlation_property(text)),
            path: self.expression(binding, "dataPath", ExpressionUse::Condition),
        };
        CorrelationSubscription {
            element: element.index(),
            key: self.referred(element, "correlationKeyRef"),
            bindings: self.children(element, "correlationPropertyBinding").map(read).collect(),
        }
    }

    /// Gives an association to the process that it is in. One end must be a flow node, and the other a flow node too or
    /// nothing at all: what leads to texts and data is not executed.
    fn associate(&self, element: Element<'d>, processes: &mut [Process]) {
        let ends = [self.referred(element, "sourceRef"), self.referred(element, "targetRef")];
        let [source, target] = ends.map(|text| text.map(|text| (self.outline.target(&text, Some), text)));
        let (Some((source, source_text)), Some((target, target_text))) = (source, target) else {
            return;
        };
        let owner = match (source, target) {
            (Some(Target::Node(process, _)), None | Some(Target::Node(..)))
            | (None, Some(Target::Node(process, _))) => process,
            _ => return,
        };
        let end =
            |text, target: Option<Target>| Reference { text, target: target.and_then(|target| node_of(target, owner)) };
        processes[owner.0 as usize].associations.push(Association {
            element: element.index(),
            source: end(source_text, source),
            target: end(target_text, target),
        });
    }
}

fn flow_of(target: Target, process: ProcessIndex) -> Option<FlowIndex> {
    match target {
        Target::Flow(of, flow) if of == process => Some(flow),
        _ => None,
    }
}

/// Gives each flow node its flows. The flows alone count: what `<incoming>` and `<outgoing>` say is a copy that not all
/// modelers keep right.
fn connect(process: &mut Process) {
    for (place, flow) in process.sequence_flows.iter().enumerate() {
        let place = FlowIndex(index(place));
        if let Some(NodeIndex(source)) = flow.source.target {
            process.flow_nodes[source as usize].outgoing.push(place);
        }
        if let Some(NodeIndex(target)) = flow.target.target {
            process.flow_nodes[target as usize].incoming.push(place);
        }
    }
}

/// Gives each flow node the innermost lane that names it; of equally deep ones the first.
fn name_lanes(process: &mut Process) {
    // Outer lanes stand before inner ones.
    let mut depths: Vec<u32> = Vec::with_capacity(process.lanes.len());
    for (place, lane) in process.lanes.iter().enumerate() {
        let depth = lane.parent.map_or(0, |LaneIndex(outer)| depths[outer as usize] + 1);
        depths.push(depth);
        for node in lane.flow_nodes.iter().filter_map(|node| node.target) {
            let named = &mut process.flow_nodes[node.0 as usize].lane;
            if named.is_none_or(|LaneIndex(other)| depths[other as usize] < depth) {
                *named = Some(LaneIndex(index(place)));
            }
        }
    }
}

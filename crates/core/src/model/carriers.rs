//! Which of its source's messages each message flow carries (BPMN 2.0.2 §7.6.2, §9.4).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    ActivityKind, Collaboration, Definitions, EventDefinition, EventPosition, Expression, FlowNode, FlowNodeKind,
    LoopCharacteristics, MessageFlow, MessageFlowEnd, Name, NodeIndex, OperationIndex, ProcessIndex, Reference,
};
use crate::expressions::Language;

/// The message flows out of a flow node.
#[derive(Debug, Default)]
pub struct Carriers<'a> {
    /// Each of them, in document order.
    pub flows: Vec<Carrier<'a>>,
    /// How many messages the flow node throws.
    pub thrown: usize,
    /// How many of those are left to the flows that name none of them.
    pub left: usize,
    /// It throws one without a name.
    pub has_nameless: bool,
}

/// A message flow out of a flow node.
#[derive(Debug)]
pub struct Carrier<'a> {
    /// The collaboration that it stands in.
    pub collaboration: &'a Collaboration,
    /// The flow.
    pub flow: &'a MessageFlow,
    /// The names of the messages that it says it carries: its own, else those that its target waits for. Many flows may lead to one
    /// target.
    pub names: Arc<BTreeSet<Name>>,
    /// Its target is a process, or in one: no black box.
    pub leads_to_process: bool,
    /// Its target is a flow node that waits for messages.
    pub leads_to_wait: bool,
    /// It names none that its source throws: it carries those that no other flow names.
    pub carries_rest: bool,
}

/// A message that a flow node throws or waits for.
enum Named<'a> {
    Always(&'a Name),
    Computed,
    Not,
}

impl Definitions {
    /// The message flows out of each flow node, and what they carry.
    #[must_use]
    pub fn carriers(&self) -> BTreeMap<(ProcessIndex, NodeIndex), Carriers<'_>> {
        let mut carriers: BTreeMap<_, Carriers<'_>> = BTreeMap::new();
        let (mut waiting, mut awaited) = (BTreeMap::new(), BTreeMap::new());
        for collaboration in &self.collaborations {
            for flow in &collaboration.message_flows {
                let (Some(MessageFlowEnd::FlowNode(process, node)), Some(end)) =
                    (flow.source.target, flow.target.target)
                else {
                    continue;
                };
                // Who waits there: the flow node itself, else its pool, unless that is a black box.
                let there = match end {
                    MessageFlowEnd::Participant(pool) => {
                        let process = collaboration.participants[pool].process.as_ref();
                        process.and_then(|process| process.target).map(|process| (process, None))
                    }
                    MessageFlowEnd::FlowNode(process, node) => {
                        let waits = *waiting.entry((process, node)).or_insert_with(|| self.waits(process, node));
                        Some((process, waits.then_some(node)))
                    }
                };
                let names = match (&flow.message, there) {
                    (Some(message), _) => match self.named(message) {
                        Named::Always(name) => Arc::new(BTreeSet::from([name.clone()])),
                        Named::Computed | Named::Not => Arc::default(),
                    },
                    (None, Some(there)) => {
                        awaited.entry(there).or_insert_with(|| Arc::new(self.awaited(there))).clone()
                    }
                    (None, None) => Arc::default(),
                };
                carriers.entry((process, node)).or_default().flows.push(Carrier {
                    collaboration,
                    flow,
                    names,
                    leads_to_process: there.is_some(),
                    leads_to_wait: matches!(there, Some((_, Some(_)))),
                    carries_rest: true,
                });
            }
        }
        for ((process, node), carriers) in &mut carriers {
            self.divide(&self.processes[process.0 as usize].flow_nodes[node.0 as usize], carriers);
        }
        carriers
    }

    /// Divides what a flow node throws among the message flows out of it.
    fn divide(&self, node: &FlowNode, carriers: &mut Carriers<'_>) {
        let (mut names, mut computed, mut nameless) = (BTreeSet::new(), 0, 0);
        for thrown in self.thrown(node) {
            match thrown {
                Named::Always(name) => {
                    names.insert(name.clone());
                }
                Named::Computed => computed += 1,
                Named::Not => nameless += 1,
            }
        }
        let mut carried = BTreeSet::new();
        let mut known: BTreeMap<*const BTreeSet<Name>, bool> = BTreeMap::new();
        for carrier in &mut carriers.flows {
            carrier.carries_rest = *known.entry(Arc::as_ptr(&carrier.names)).or_insert_with(|| {
                carried.extend(carrier.names.intersection(&names).cloned());
                // What is computed may be any of them.
                carrier.names.is_disjoint(&names) && (computed == 0 || carrier.names.is_empty())
            });
        }
        carriers.thrown = names.len() + computed + nameless;
        carriers.left = carriers.thrown - carried.len();
        carriers.has_nameless = nameless > 0;
    }

    fn waits(&self, process: ProcessIndex, node: NodeIndex) -> bool {
        let node = &self.processes[process.0 as usize].flow_nodes[node.0 as usize];
        self.caught(node).next().is_some()
    }

    /// The names, as far as they are always the same, of the messages that a flow node or a whole process waits for.
    fn awaited(&self, (process, node): (ProcessIndex, Option<NodeIndex>)) -> BTreeSet<Name> {
        let nodes = &self.processes[process.0 as usize].flow_nodes;
        let nodes = node.map_or(&nodes[..], |node| std::slice::from_ref(&nodes[node.0 as usize]));
        let caught = nodes.iter().flat_map(|node| self.caught(node)).filter_map(|caught| match caught {
            Named::Always(name) => Some(name.clone()),
            Named::Computed | Named::Not => None,
        });
        caught.collect()
    }

    /// The messages that a flow node waits for.
    fn caught<'a>(&'a self, node: &'a FlowNode) -> impl Iterator<Item = Named<'a>> {
        let (task, events) = match &node.kind {
            FlowNodeKind::Activity(activity) => match &activity.kind {
                ActivityKind::ReceiveTask { message, operation, .. } => {
                    (Some(self.named_by(message.as_ref(), operation.as_ref(), None)), &[][..])
                }
                _ => (None, &[][..]),
            },
            FlowNodeKind::Event(event)
                if !matches!(event.position, EventPosition::IntermediateThrow | EventPosition::End) =>
            {
                (None, &event.definitions[..])
            }
            _ => (None, &[][..]),
        };
        let events = events.iter().filter_map(|definition| match definition {
            EventDefinition::Message { message, extension, .. } => {
                Some(self.named_by(message.as_ref(), None, extension.name.as_ref()))
            }
            _ => None,
        });
        task.into_iter().chain(events)
    }

    /// The messages that a flow node throws itself, rather than by a job: as a send task, as an event, or as rounds of its loop complete.
    fn thrown<'a>(&'a self, node: &'a FlowNode) -> impl Iterator<Item = Named<'a>> {
        let (mut task, mut events, mut of_rounds) = (None, &[][..], None);
        match &node.kind {
            FlowNodeKind::Activity(activity) => {
                let extension = &node.extension;
                let works = extension.job.is_some() || extension.decision.is_some() || extension.expression.is_some();
                match &activity.kind {
                    ActivityKind::SendTask { message: None, operation: Some(_) } => {}
                    ActivityKind::SendTask { message, .. } if !works => {
                        task = Some(self.named_by(message.as_ref(), None, None));
                    }
                    _ => {}
                }
                if let Some(LoopCharacteristics::MultiInstance(multi)) = &activity.loop_characteristics {
                    of_rounds = Some(multi.events());
                }
            }
            FlowNodeKind::Event(event)
                if matches!(event.position, EventPosition::IntermediateThrow | EventPosition::End) =>
            {
                events = &event.definitions[..];
            }
            _ => {}
        }
        let events = events.iter().chain(of_rounds.into_iter().flatten()).filter_map(|definition| match definition {
            EventDefinition::Message { message, operation, job: None, extension, .. }
                if extension.job.is_none() && extension.expression.is_none() =>
            {
                Some(self.named_by(message.as_ref(), operation.as_ref(), extension.name.as_ref()))
            }
            _ => None,
        });
        task.into_iter().chain(events)
    }

    fn named_by<'a>(
        &'a self,
        message: Option<&'a Reference<usize>>,
        operation: Option<&Reference<OperationIndex>>,
        computed: Option<&'a Expression>,
    ) -> Named<'a> {
        match (message.or_else(|| self.operation_message(operation)), computed) {
            (Some(message), _) => self.named(message),
            (None, Some(name)) => literal(name),
            (None, None) => Named::Not,
        }
    }

    fn named<'a>(&'a self, message: &'a Reference<usize>) -> Named<'a> {
        let Some(index) = message.target else { return Named::Always(&message.text) };
        let declared = &self.messages[index];
        match &declared.name {
            Some(name) => literal(name),
            None => Named::Always(&declared.id),
        }
    }

    /// The message of an operation.
    pub(crate) fn operation_message(&self, operation: Option<&Reference<OperationIndex>>) -> Option<&Reference<usize>> {
        let index = operation?.target?;
        self.interfaces[index.interface].operations[index.operation].in_message.as_ref()
    }
}

fn literal(name: &Expression) -> Named<'_> {
    if name.language == Language::Literal { Named::Always(&name.text) } else { Named::Computed }
}

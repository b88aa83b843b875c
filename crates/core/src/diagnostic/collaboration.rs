//! Pools and the message flows between them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::findings::Findings;
use super::rule::define;
use super::subject::{
    Named, World, activity, article, event, gateway, has_definition, is_catching, is_event_sub_process, label, named,
};
use super::triggers::message_known;
use crate::model::{
    ActivityKind, Carrier, Carriers, Collaboration, EventDefinition, FlowNode, MessageFlow, MessageFlowEnd, NodeIndex,
    Participant, ProcessIndex, Reference,
};

define! {
    PROCESS_UNKNOWN = "participant-process-unknown", Error, "BPMN 2.0.2 §9.3",
        "The process of a pool exists.";
    MULTIPLICITY = "participant-multiplicity", Error, "BPMN 2.0.2 §9.3",
        "A pool stands for at least one participant, and for no fewer than its minimum.";
    PROCESS_IN_TWO_POOLS = "process-in-two-pools", Warning, "unusual",
        "A process stands in one pool.";
    SOURCE_UNKNOWN = "message-flow-source-unknown", Error, "BPMN 2.0.2 §9.4",
        "A message flow begins at a pool or a flow node.";
    TARGET_UNKNOWN = "message-flow-target-unknown", Error, "BPMN 2.0.2 §9.4",
        "A message flow ends at a pool or a flow node.";
    WITHIN_POOL = "message-flow-within-pool", Error, "BPMN 2.0.2 §7.6.2, §9.4",
        "A message flow connects two pools.";
    CANNOT_SEND = "message-flow-source-cannot-send", Error, "BPMN 2.0.2 §7.6.2, §10.3.3, §10.5",
        "A message flow begins where a message can be sent: at a pool, activity, or event that throws a message.";
    CANNOT_RECEIVE = "message-flow-target-cannot-receive", Error, "BPMN 2.0.2 §7.6.2, §10.3.3, §10.5",
        "A message flow ends where a message can be received: at a pool, activity, or event that catches a message.";
    NOT_CARRIED = "message-flow-not-carried", Warning, "unusual",
        "A message flow begins where a message is sent and ends where one is waited for: not at tasks done without one, nor at an \
         event sub-process as a whole.";
    OTHER_MESSAGE = "message-flow-other-message", Warning, "BPMN 2.0.2 §9.4",
        "A message flow carries the message that its ends send and wait for.";
    UNCLEAR = "message-flow-unclear", Warning, "BPMN 2.0.2 §9.4",
        "It is clear which of its source's messages a message flow carries: by itself, by what its target waits for, or because all \
         others have message flows.";
}

pub(super) fn check(world: &World<'_>, findings: &mut Findings<'_>) {
    let mut messages = Messages { world, of_nodes: BTreeMap::new() };
    for collaboration in &world.definitions.collaborations {
        participants(world, collaboration, findings);
        for flow in &collaboration.message_flows {
            message_flow(world, collaboration, flow, &mut messages, findings);
        }
    }
    for carriers in world.definitions.carriers().values() {
        carriers.flows.iter().for_each(|carrier| unclear(world, carriers, carrier, findings));
    }
}

fn participants(world: &World<'_>, collaboration: &Collaboration, findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<ProcessIndex, &Participant> = BTreeMap::new();
    for participant in &collaboration.participants {
        multiplicity(world, participant, findings);
        let Some(reference) = &participant.process else { continue };
        let owner = participant_label(participant);
        let Some(process) = reference.target else {
            findings.add(
                &PROCESS_UNKNOWN,
                participant.element,
                format!("{owner} shows the process `{}`, which is not in this file", reference.text),
                "correct processRef, or remove it if the pool is a black box",
            );
            continue;
        };
        if let Some(other) = seen.insert(process, participant) {
            let id = world.definitions.processes.get(process.0 as usize).map_or("", |process| &*process.id);
            findings.add(
                &PROCESS_IN_TWO_POOLS,
                participant.element,
                format!("{owner} and {} show the same process, `{id}`", participant_label(other)),
                "let one of them show another process",
            );
        }
    }
}

fn multiplicity(world: &World<'_>, participant: &Participant, findings: &mut Findings<'_>) {
    let element = world.definitions.document.element(participant.element);
    for part in world.parts(element).filter(|part| part.name() == "participantMultiplicity") {
        let bound = |name, default| match part.attribute(name) {
            Some(text) => text.trim().parse::<i64>().ok(),
            None => Some(default),
        };
        let (minimum, maximum) = (bound("minimum", 0), bound("maximum", 1));
        let fits = minimum.zip(maximum).is_some_and(|(minimum, maximum)| 0 <= minimum && minimum.max(1) <= maximum);
        if !fits {
            findings.add(
                &MULTIPLICITY,
                part.index(),
                format!("the multiplicity of {} has no meaning", participant_label(participant)),
                "write a minimum of 0 or more, and a maximum of 1 or more that is no less than the minimum",
            );
        }
    }
}

fn participant_label(participant: &Participant) -> Named<'_> {
    named("pool", &participant.id, participant.name.as_deref())
}

fn message_flow<'a>(
    world: &World<'a>,
    collaboration: &Collaboration,
    flow: &'a MessageFlow,
    messages: &mut Messages<'_, 'a>,
    findings: &mut Findings<'_>,
) {
    let owner = named("message flow", flow.id.as_deref().unwrap_or_default(), flow.name.as_deref());
    message_known(world.definitions, owner, flow.element, flow.message.as_ref(), findings);
    for (rule, verb, attribute, end) in
        [(&SOURCE_UNKNOWN, "begins", "sourceRef", &flow.source), (&TARGET_UNKNOWN, "ends", "targetRef", &flow.target)]
    {
        if end.target.is_none() {
            findings.add(
                rule,
                flow.element,
                unknown_end(world, owner, verb, attribute, end),
                format!("let `{attribute}` name a pool, task or event"),
            );
        }
    }
    if let (Some(source), Some(target)) = (flow.source.target, flow.target.target) {
        let pools = (process_of(collaboration, source), process_of(collaboration, target));
        if source == target || matches!(pools, (Some(source), Some(target)) if source == target) {
            findings.add(
                &WITHIN_POOL,
                flow.element,
                format!("{owner} begins and ends in the same pool"),
                "draw a sequence flow, or let it lead to another pool",
            );
        }
    }
    if let Some(node) = node(world, &flow.source).filter(|node| !can_send(node)) {
        findings.add(
            &CANNOT_SEND,
            flow.element,
            format!("{owner} begins at {}, which cannot send a message", label(node)),
            "let it begin at a task, or at a throwing or end event with a message definition",
        );
    }
    if let Some(node) = node(world, &flow.target).filter(|node| !can_receive(node)) {
        findings.add(
            &CANNOT_RECEIVE,
            flow.element,
            format!("{owner} ends at {}, which cannot receive a message", label(node)),
            "let it end at a task, or at a start, catching or boundary event with a message definition",
        );
    }
    if let Some(node) = node(world, &flow.source).filter(|node| is_silent(node)) {
        findings.add(
            &NOT_CARRIED,
            flow.element,
            format!("{owner} begins at {}, which sends nothing", label(node)),
            "send the message with a send task or a throwing message event behind it",
        );
    }
    if let Some(node) = node(world, &flow.target).filter(|node| is_silent(node) || is_event_sub_process(node)) {
        findings.add(
            &NOT_CARRIED,
            flow.element,
            format!("{owner} ends at {}, which waits for no message", label(node)),
            "let it end at a start, catching or boundary event with a message definition, or at a receive task",
        );
    }
    other_message(messages, owner, flow, findings);
}

/// A task whose work the engine does or does not see: no message belongs to it.
fn is_silent(node: &FlowNode) -> bool {
    let kind = activity(node).map(|activity| &activity.kind);
    matches!(kind, Some(ActivityKind::ScriptTask { .. } | ActivityKind::BusinessRuleTask | ActivityKind::ManualTask))
}

fn unknown_end(
    world: &World<'_>,
    owner: Named<'_>,
    verb: &str,
    attribute: &str,
    end: &Reference<MessageFlowEnd>,
) -> String {
    match world.element(&end.text) {
        _ if end.text.is_empty() => format!("{owner} has no `{attribute}`"),
        Some(element) => {
            let (name, article) = (element.name(), article(element.name()));
            format!("{owner} {verb} at `{}`, {article} {name}, which is neither pool, activity nor event", end.text)
        }
        None => format!("{owner} {verb} at `{}`, but nothing has that id", end.text),
    }
}

fn process_of(collaboration: &Collaboration, end: MessageFlowEnd) -> Option<ProcessIndex> {
    match end {
        MessageFlowEnd::FlowNode(process, _) => Some(process),
        MessageFlowEnd::Participant(index) => collaboration.participants.get(index)?.process.as_ref()?.target,
    }
}

fn node<'a>(world: &World<'a>, end: &Reference<MessageFlowEnd>) -> Option<&'a FlowNode> {
    match end.target? {
        MessageFlowEnd::FlowNode(process, node) => {
            world.definitions.processes.get(process.0 as usize)?.flow_nodes.get(node.0 as usize)
        }
        MessageFlowEnd::Participant(_) => None,
    }
}

fn has_message(node: &FlowNode) -> bool {
    has_definition(node, |definition| matches!(definition, EventDefinition::Message { .. }))
}

fn can_send(node: &FlowNode) -> bool {
    let is_receive = activity(node).is_some_and(|activity| matches!(activity.kind, ActivityKind::ReceiveTask { .. }));
    let throws = event(node).is_none_or(|event| !is_catching(event) && has_message(node));
    !is_receive && throws && gateway(node).is_none()
}

fn can_receive(node: &FlowNode) -> bool {
    let is_send = activity(node).is_some_and(|activity| matches!(activity.kind, ActivityKind::SendTask { .. }));
    let catches = event(node).is_none_or(|event| is_catching(event) && has_message(node));
    !is_send && catches && gateway(node).is_none()
}

/// The message of the flow against those of its ends.
fn other_message<'a>(
    messages: &mut Messages<'_, 'a>,
    owner: Named<'_>,
    flow: &'a MessageFlow,
    findings: &mut Findings<'_>,
) {
    let (sent, awaited) = (messages.of(&flow.source), messages.of(&flow.target));
    let carried = flow.message.as_ref().and_then(|message| message.target).map(|message| messages.name(message));
    let differs = |names: &BTreeSet<&str>, one: &str| !names.is_empty() && !names.contains(one);
    let message = match carried {
        Some(carried) if differs(&sent, carried) => {
            format!("{owner} carries “{carried}”, but its source sends {}", some_of(&sent))
        }
        Some(carried) if differs(&awaited, carried) => {
            format!("{owner} carries “{carried}”, but its target waits for {}", some_of(&awaited))
        }
        None if !sent.is_empty() && !awaited.is_empty() && sent.is_disjoint(&awaited) => {
            format!("{owner} leads from what sends {} to what waits for {}", some_of(&sent), some_of(&awaited))
        }
        _ => return,
    };
    findings.add(&OTHER_MESSAGE, flow.element, message, "let source, flow and target name the same message");
}

/// Nothing says which of several messages a flow carries; or it carries one without a name to a pool, where messages go by their names.
fn unclear(world: &World<'_>, carriers: &Carriers<'_>, carrier: &Carrier<'_>, findings: &mut Findings<'_>) {
    let flow = carrier.flow;
    let Some(node) = node(world, &flow.source).filter(|_| carrier.carries_rest) else { return };
    let owner = named("message flow", flow.id.as_deref().unwrap_or_default(), flow.name.as_deref());
    let message = if carriers.thrown > 1 && carriers.left != 1 {
        let carried = if carriers.left == 0 { "all of them" } else { "all that no other flow names" };
        format!("nothing says which of the messages of {} {owner} carries: it carries {carried}", label(node))
    } else if carriers.has_nameless && carrier.leads_to_process && !carrier.leads_to_wait && carrier.names.len() != 1 {
        format!(
            "{} does not say which message it sends, and neither does {owner}: nothing in its pool gets it",
            label(node)
        )
    } else {
        return;
    };
    findings.add(&UNCLEAR, flow.element, message, "let `messageRef` of the message flow name the message");
}

/// A few names; the rest by their number.
fn some_of(names: &BTreeSet<&str>) -> String {
    const FEW: usize = 5;
    let few: Vec<String> = names.iter().take(FEW).map(|name| format!("“{name}”")).collect();
    let few = few.join(", ");
    if names.len() > FEW { format!("{few} and {} others", names.len() - FEW) } else { few }
}

/// The names of the messages that flow nodes send or wait for. Many flows may lead to one node.
struct Messages<'w, 'a> {
    world: &'w World<'a>,
    of_nodes: BTreeMap<(ProcessIndex, NodeIndex), Rc<BTreeSet<&'a str>>>,
}

impl<'a> Messages<'_, 'a> {
    fn of(&mut self, end: &'a Reference<MessageFlowEnd>) -> Rc<BTreeSet<&'a str>> {
        let (Some(MessageFlowEnd::FlowNode(process, index)), Some(node)) = (end.target, node(self.world, end)) else {
            return Rc::default();
        };
        if let Some(names) = self.of_nodes.get(&(process, index)) {
            return names.clone();
        }
        let names: Rc<BTreeSet<&str>> = Rc::new(messages(node).map(|message| self.name(message)).collect());
        self.of_nodes.insert((process, index), names.clone());
        names
    }

    fn name(&self, index: usize) -> &'a str {
        let message = self.world.definitions.messages.get(index);
        message.map(|message| message.name.as_ref().map_or(&*message.id, |name| &*name.text)).unwrap_or_default()
    }
}

/// The messages that a node sends or waits for.
fn messages(node: &FlowNode) -> impl Iterator<Item = usize> {
    let task = match activity(node).map(|activity| &activity.kind) {
        Some(ActivityKind::SendTask { message, .. } | ActivityKind::ReceiveTask { message, .. }) => {
            message.as_ref().and_then(|message| message.target)
        }
        _ => None,
    };
    let events =
        event(node).into_iter().flat_map(|event| &event.definitions).filter_map(|definition| match definition {
            EventDefinition::Message { message: Some(message), .. } => message.target,
            _ => None,
        });
    task.into_iter().chain(events)
}

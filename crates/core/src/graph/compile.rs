//! Model to process graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    BoundaryEvent, CatchEvent, ComplexGateway, Container, CorrelationProperty, Details, ExpressionKind, FlowNode, Loop,
    MultiInstance, NodeKind, ProcessGraph, SequenceFlow, StartEvent, Throw, Topology, Upstream, Way, data::DataNames,
    declared::Declared,
};
use crate::Name;
use crate::diagnostic::Diagnostic;
use crate::dialect::{Dialect, MappingSource};
use crate::expressions::{Deployment, Expressions, Language, Purpose};
use crate::instance::Ordinal;
use crate::model::{
    self, Activity, ActivityKind, Definitions, EventDefinition, EventPosition, FlowNodeKind, Gateway,
    LoopCharacteristics, MultiInstanceBehavior, NodeIndex, Process, ProcessIndex,
};
use crate::value::Value;

/// Compiles one process. It always gives a graph; whether it may run is for the diagnostics to say.
pub(super) fn process(
    definitions: &Definitions,
    declared: &Declared<'_>,
    index: ProcessIndex,
    expressions: &dyn Expressions,
    diagnostics: &mut Vec<Diagnostic>,
) -> ProcessGraph {
    let process = &definitions.processes[index.0 as usize];
    let mut compiler = Compiler {
        definitions,
        declared,
        process,
        index,
        expressions,
        diagnostics,
        data: DataNames::of(definitions, declared, process),
        links: caught_links(process),
        bindings: bindings(process),
        compiled: BTreeMap::new(),
        asks_conditions: false,
        correlation_properties: BTreeMap::new(),
        filters_conditions: false,
    };
    compiler.run()
}

pub(super) struct Compiler<'a> {
    pub(super) definitions: &'a Definitions,
    pub(super) declared: &'a Declared<'a>,
    pub(super) process: &'a Process,
    pub(super) index: ProcessIndex,
    pub(super) expressions: &'a dyn Expressions,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    pub(super) data: DataNames<'a>,
    /// The catching link events, by their level and the link's name.
    pub(super) links: BTreeMap<(Option<NodeIndex>, Option<&'a Name>), Ordinal>,
    /// How the process's own data gives each correlation property (BPMN 2.0.2 §8.4.2, context-based correlation).
    pub(super) bindings: BTreeMap<usize, Option<&'a model::Expression>>,
    /// What a message is correlated by is the same wherever it is sent or received.
    pub(super) correlation_properties: BTreeMap<usize, Arc<[CorrelationProperty]>>,
    /// A process often asks the same at many places: what is the same is compiled once, and shared.
    compiled: BTreeMap<(Language, Purpose, Name), ExpressionKind>,
    pub(super) asks_conditions: bool,
    pub(super) filters_conditions: bool,
}

impl Compiler<'_> {
    fn run(&mut self) -> ProcessGraph {
        let process = self.process;
        let boundary = self.boundary_events();
        let handlers = self.compensation_handlers();
        let mut topology = Topology::with_capacity(process.flow_nodes.len(), process.sequence_flows.len());
        let mut containers = self.containers();
        for (node, model) in (0u32..).zip(&process.flow_nodes) {
            let mut details = self.details(node, model);
            details.boundary = boundary[node as usize].clone();
            details.compensation_handler = handlers[node as usize];
            let kind = self.kind(node, model, &mut containers, &mut details);
            topology.add_node(self.flow_node(model, kind, details));
        }
        let flows = self.flows();
        self.connect(&mut topology, &flows);
        self.tell_of_locals_in_branches(&topology);
        let root = std::mem::take(&mut containers[process.flow_nodes.len()]);
        let compensates = topology.node_weights().any(|node| {
            let throws: &[Throw] = match &node.kind {
                NodeKind::ThrowEvent(throws) | NodeKind::EndEvent(throws) => throws,
                _ => &[],
            };
            let of_rounds = match &node.details.repeat {
                Some(Loop::MultiInstance(multi)) => {
                    Some(multi.event.iter().chain(multi.complex.iter().flat_map(|(_, all)| all)))
                }
                _ => None,
            };
            let undoes = |throw: &Throw| matches!(throw, Throw::Compensation { .. } | Throw::Cancel);
            throws.iter().chain(of_rounds.into_iter().flatten()).any(undoes)
        });
        if !compensates {
            // What completes in a sub-process need not be remembered: its scope goes when it ends.
            for node in topology.node_weights_mut() {
                let is_sub_process = matches!(node.kind, NodeKind::SubProcess(_)) && !node.is_for_compensation;
                node.plain |= is_sub_process && node.details.repeat.is_none() && is_bare(&node.details, &node.kind);
            }
        }
        let form = root
            .starts
            .iter()
            .copied()
            .find(|start| topology.node_weight((*start).into()).is_some_and(|node| node.details.form.is_some()));
        ProcessGraph {
            id: process.id.clone(),
            name: process.name.clone(),
            dialect: self.definitions.dialect,
            executable: process.is_executable != Some(false),
            deployment: Deployment::default(),
            version_tag: process.extension.version_tag.clone(),
            history_time_to_live: process.extension.history_time_to_live.clone(),
            candidate_starter_users: process.extension.candidate_starter_users.clone(),
            candidate_starter_groups: process.extension.candidate_starter_groups.clone(),
            arrivals: super::arrival::arrivals(&mut topology, &flows),
            topology,
            flows,
            root,
            compensates,
            form,
            job_priority: self.optional(process.extension.job_priority.as_ref()),
            listeners: self.listeners(&process.extension.listeners),
            binds: !process.correlation_subscriptions.is_empty(),
            asks_conditions: self.asks_conditions,
            filters_conditions: self.filters_conditions,
        }
    }

    /// Compiles an expression; what does not compile is reported and gives null.
    pub(super) fn expression(&mut self, expression: &model::Expression, purpose: Purpose) -> super::Expression {
        let text = expression.text.clone();
        let key = (expression.language.clone(), purpose, text.clone());
        if let Some(kind) = self.compiled.get(&key) {
            return super::Expression { text, kind: kind.clone() };
        }
        match super::fault::compiled(expression, purpose, self.expressions) {
            Ok(kind) => {
                self.compiled.insert(key, kind.clone());
                super::Expression { text, kind }
            }
            Err(fault) => {
                let is_drawing = self.process.is_executable == Some(false);
                self.diagnostics.push(fault.diagnostic(self.definitions, expression, is_drawing));
                super::Expression { text, kind: ExpressionKind::Literal(Value::Null) }
            }
        }
    }

    pub(super) fn optional(&mut self, expression: Option<&model::Expression>) -> Option<super::Expression> {
        expression.map(|expression| self.expression(expression, Purpose::Expression))
    }

    fn boundary_events(&self) -> Vec<Vec<Ordinal>> {
        let mut boundary = vec![Vec::new(); self.process.flow_nodes.len()];
        for (node, model) in (0u32..).zip(&self.process.flow_nodes) {
            if let Some(NodeIndex(activity)) = attached_to(model) {
                boundary[activity as usize].push(node);
            }
        }
        boundary
    }

    /// The handler of each activity: the one that its compensation boundary event is associated with.
    fn compensation_handlers(&self) -> Vec<Option<Ordinal>> {
        let nodes = &self.process.flow_nodes;
        let mut handlers = vec![None; nodes.len()];
        for association in &self.process.associations {
            if let (Some(source), Some(target)) = (association.source.target, association.target.target)
                && let Some(activity) = attached_to(&nodes[source.0 as usize])
                && matches!(&nodes[target.0 as usize].kind, FlowNodeKind::Activity(a) if a.is_for_compensation)
            {
                handlers[activity.0 as usize] = Some(target.0);
            }
        }
        handlers
    }

    /// What each sub-process contains, and last what the process itself contains.
    fn containers(&mut self) -> Vec<Container> {
        let process = self.process;
        let nodes = &process.flow_nodes;
        let root = nodes.len();
        let mut containers: Vec<Container> = std::iter::repeat_with(Container::default).take(root + 1).collect();
        let mut has_start = vec![false; root + 1];
        let place = |node: &model::FlowNode| node.parent.map_or(root, |parent| parent.0 as usize);
        for node in nodes {
            has_start[place(node)] |= is_start_event(node);
        }
        for (ordinal, node) in (0u32..).zip(nodes) {
            let place = place(node);
            match &node.kind {
                FlowNodeKind::Activity(activity)
                    if matches!(activity.kind, ActivityKind::SubProcess { triggered_by_event: true }) =>
                {
                    containers[place].event_sub_processes.push(ordinal);
                }
                FlowNodeKind::Event(event) if matches!(event.position, EventPosition::Start { .. }) => {
                    if event.definitions.is_empty() {
                        containers[place].starts.push(ordinal);
                    } else if containers[place].trigger.is_none() {
                        containers[place].trigger = Some(ordinal);
                    }
                }
                _ if !has_start[place] && begins_without_start_event(node) => containers[place].starts.push(ordinal),
                _ => {}
            }
        }
        for (parent, name, initial) in self.data.declared().to_vec() {
            let initial = initial.map(|initial| match initial {
                model::Initial::Value(value) => super::Expression::constant(value),
                model::Initial::Expression(expression) => self.expression(&expression, Purpose::Expression),
            });
            let place = parent.map_or(root, |parent| parent.0 as usize);
            if place != root || initial.is_some() {
                containers[place].data.push((name, initial));
            }
        }
        containers
    }

    fn kind(
        &mut self,
        ordinal: Ordinal,
        node: &model::FlowNode,
        containers: &mut [Container],
        details: &mut Details,
    ) -> NodeKind {
        match &node.kind {
            FlowNodeKind::Activity(activity) => self.activity(node, activity, &mut containers[ordinal as usize]),
            FlowNodeKind::Event(event) => {
                let parallel = event.parallel_multiple;
                match &event.position {
                    EventPosition::Start { interrupting } => NodeKind::StartEvent(StartEvent {
                        catches: self.catches(event),
                        parallel,
                        interrupting: *interrupting,
                    }),
                    EventPosition::IntermediateCatch => {
                        NodeKind::CatchEvent(CatchEvent { catches: self.catches(event), parallel })
                    }
                    EventPosition::IntermediateThrow => NodeKind::ThrowEvent(self.throws(node, event, details)),
                    EventPosition::End => NodeKind::EndEvent(self.throws(node, event, details)),
                    EventPosition::Boundary { attached_to, cancel_activity } => {
                        NodeKind::BoundaryEvent(BoundaryEvent {
                            attached_to: attached_to.target.map_or(ordinal, |target| target.0),
                            interrupting: *cancel_activity,
                            catches: self.catches(event),
                            parallel,
                        })
                    }
                }
            }
            FlowNodeKind::Gateway(gateway) => match gateway {
                Gateway::Exclusive => NodeKind::ExclusiveGateway,
                Gateway::Parallel => NodeKind::ParallelGateway,
                Gateway::Inclusive => NodeKind::InclusiveGateway(Upstream::default()),
                Gateway::Complex { activation_condition } => NodeKind::ComplexGateway(Box::new(ComplexGateway {
                    activation_condition: self.optional(activation_condition.as_ref()),
                    flow_names: node
                        .incoming
                        .iter()
                        .map(|flow| self.process.sequence_flows[flow.0 as usize].id.clone())
                        .collect(),
                    upstream: Upstream::default(),
                })),
                Gateway::EventBased { instantiate, parallel } => {
                    NodeKind::EventBasedGateway { instantiate: *instantiate, parallel: *parallel }
                }
            },
        }
    }

    fn flow_node(&self, model: &model::FlowNode, kind: NodeKind, mut details: Details) -> FlowNode {
        let default_flow = model.default_flow.as_ref().and_then(|flow| flow.target);
        let default_flow = default_flow.or_else(|| self.implicit_default(model));
        let is_for_compensation =
            matches!(&model.kind, FlowNodeKind::Activity(activity) if activity.is_for_compensation);
        let parent = model.parent.map(|parent| &self.process.flow_nodes[parent.0 as usize].kind);
        let passes = matches!(kind, NodeKind::Task) && is_plain(&details, &kind);
        details.local_scope = self.has_local_scope(model, &kind, &details);
        if let Some(Loop::MultiInstance(multi)) = &mut details.repeat {
            multi.bare = passes && multi.asks_for_nothing();
        }
        FlowNode {
            id: model.id.clone(),
            name: model.name.clone(),
            parent: model.parent.map(|parent| parent.0),
            outgoing: model.outgoing.iter().map(|flow| flow.0).collect(),
            incoming: u32::try_from(model.incoming.len()).unwrap_or(u32::MAX),
            default_flow: default_flow.map(|flow| flow.0),
            plain: is_plain(&details, &kind) && details.repeat.is_none() && !is_for_compensation,
            // What a receive task waits for may have come before its first round.
            plain_round: is_plain(&details, &kind) && !is_for_compensation && !matches!(kind, NodeKind::ReceiveTask(_)),
            conditional: false,
            way: None,
            is_for_compensation,
            in_ad_hoc: matches!(parent, Some(FlowNodeKind::Activity(activity))
                if matches!(activity.kind, ActivityKind::AdHocSubProcess { .. })),
            kind,
            details: Box::new(details),
        }
    }

    /// The one flow without a condition out of an exclusive gateway without a default is taken when no other is. (Camunda 7
    /// takes it in its turn, as if its condition were true.)
    fn implicit_default(&self, node: &model::FlowNode) -> Option<model::FlowIndex> {
        if !matches!(node.kind, FlowNodeKind::Gateway(Gateway::Exclusive))
            || self.definitions.dialect == Dialect::Camunda
            || node.outgoing.len() < 2
        {
            return None;
        }
        let has_condition = |flow: &&model::FlowIndex| self.process.sequence_flows[flow.0 as usize].condition.is_some();
        let mut bare = node.outgoing.iter().filter(|flow| !has_condition(flow));
        bare.next().filter(|_| bare.next().is_none()).copied()
    }

    fn flows(&mut self) -> Vec<SequenceFlow> {
        let process = self.process;
        let mut positions = vec![0u32; process.flow_nodes.len()];
        let mut flows = Vec::with_capacity(process.sequence_flows.len());
        for flow in &process.sequence_flows {
            let source = flow.source.target.map_or(0, |node| node.0);
            let target = flow.target.target.map_or(0, |node| node.0);
            let position = positions.get_mut(target as usize).map_or(0, |position| {
                *position += 1;
                *position - 1
            });
            let is_only = process.flow_nodes.get(source as usize).is_some_and(|node| node.outgoing.len() == 1);
            let condition = match &flow.extension.skip {
                // Flowable asks it in the condition's place, and takes the only flow whatever it says.
                Some(skip) => Some(skip).filter(|_| !is_only),
                None => flow.condition.as_ref(),
            };
            flows.push(SequenceFlow {
                id: flow.id.clone(),
                name: flow.name.clone(),
                source,
                target,
                position,
                condition: self.optional(condition),
                listeners: self.listeners(&flow.extension.listeners),
            });
        }
        flows
    }

    /// Adds every way a token can go: flows, from activities to their boundary events, and along links.
    fn connect(&self, topology: &mut Topology, flows: &[SequenceFlow]) {
        for (ordinal, flow) in (0u32..).zip(flows) {
            let count = topology.node_count();
            if (flow.source as usize) < count && (flow.target as usize) < count {
                let source = &mut topology[petgraph::graph::NodeIndex::from(flow.source)];
                source.conditional |= flow.condition.is_some() || source.default_flow.is_some();
                topology.add_edge(flow.source.into(), flow.target.into(), Way { flow: Some(ordinal) });
            }
        }
        let mut others = Vec::new();
        for node in topology.node_indices() {
            match &topology[node].kind {
                NodeKind::BoundaryEvent(boundary) => others.push((boundary.attached_to.into(), node)),
                NodeKind::ThrowEvent(throws) => others.extend(throws.iter().filter_map(|throw| match throw {
                    Throw::Link { target } => Some((node, (*target).into())),
                    _ => None,
                })),
                _ => {}
            }
        }
        for (from, to) in others {
            topology.add_edge(from, to, Way { flow: None });
        }
    }

    pub(super) fn repeat(&mut self, node: NodeIndex, activity: &Activity) -> Option<Loop> {
        match activity.loop_characteristics.as_ref()? {
            LoopCharacteristics::Standard(standard) => Some(Loop::Standard {
                test_before: standard.test_before,
                maximum: standard.maximum,
                condition: self.optional(standard.condition.as_ref()),
            }),
            LoopCharacteristics::MultiInstance(multi) => {
                let extension = &multi.extension;
                let (collection, inputs) = match (&extension.collection, &multi.data_input) {
                    (Some(collection), _) => (Some(self.collection(collection)), Vec::new()),
                    (None, Some(id)) => {
                        let (name, inputs) = self.loop_data_input(node, activity, id);
                        (Some(super::Expression::variable(name)), inputs)
                    }
                    (None, None) => (None, Vec::new()),
                };
                let event = match multi.behavior {
                    MultiInstanceBehavior::One => multi.one_event.as_ref(),
                    MultiInstanceBehavior::None => multi.none_event.as_ref(),
                    MultiInstanceBehavior::All | MultiInstanceBehavior::Complex => None,
                };
                let output_variable = multi
                    .output_item
                    .as_ref()
                    .map(|item| self.data.variable(&item.id))
                    .or_else(|| extension.output_element.as_ref().and_then(variable_of));
                let (output, outputs) = match (&extension.output_collection, &multi.data_output) {
                    (None, Some(id)) => {
                        let (name, outputs) = self.loop_data_output(node, activity, id);
                        (Some(name), outputs)
                    }
                    (named, _) => (named.clone(), Vec::new()),
                };
                Some(Loop::MultiInstance(Box::new(MultiInstance {
                    sequential: multi.is_sequential,
                    cardinality: self.optional(multi.cardinality.as_ref()),
                    collection,
                    inputs,
                    element_variable: extension
                        .element_variable
                        .clone()
                        .or_else(|| multi.input_item.as_ref().map(|item| self.data.variable(&item.id))),
                    index_variable: extension.index_variable.clone(),
                    output_collection: output,
                    outputs,
                    output_element: extension.output_element.as_ref().map(|element| self.mapping_source(element)),
                    output_variable,
                    aggregates: extension.aggregates,
                    completion_condition: self.optional(multi.completion_condition.as_ref()),
                    behavior: multi.behavior,
                    event: event.and_then(|definition| self.throw(None, definition)),
                    complex: multi
                        .complex
                        .iter()
                        .map(|(condition, events)| {
                            let condition = self.expression(condition, Purpose::Expression);
                            (condition, self.throws_of(None, events))
                        })
                        .collect(),
                    // Camunda 7 and Flowable count rounds from 0; FEEL and Camunda 8 count from 1.
                    first_counter: match self.definitions.dialect {
                        Dialect::Camunda | Dialect::Flowable => 0,
                        Dialect::Standard | Dialect::Zeebe => 1,
                    },
                    continuation: extension.continuation,
                    retry_cycle: self.optional(extension.retry_cycle.as_ref()),
                    bare: false,
                })))
            }
        }
    }

    /// A collection is an expression, or just the name of a variable.
    fn collection(&mut self, collection: &model::Expression) -> super::Expression {
        match collection.language {
            Language::Literal => super::Expression::variable(collection.text.clone()),
            _ => self.expression(collection, Purpose::Expression),
        }
    }
}

fn caught_links(process: &Process) -> BTreeMap<(Option<NodeIndex>, Option<&Name>), Ordinal> {
    let mut links = BTreeMap::new();
    for (ordinal, node) in (0u32..).zip(&process.flow_nodes) {
        let FlowNodeKind::Event(event) = &node.kind else { continue };
        if !matches!(event.position, EventPosition::IntermediateCatch) {
            continue;
        }
        for definition in &event.definitions {
            if let EventDefinition::Link { name, .. } = definition {
                links.entry((node.parent, name.as_ref())).or_insert(ordinal);
            }
        }
    }
    links
}

fn bindings(process: &Process) -> BTreeMap<usize, Option<&model::Expression>> {
    let mut bindings = BTreeMap::new();
    for binding in process.correlation_subscriptions.iter().flat_map(|subscription| &subscription.bindings) {
        if let Some(property) = binding.property.as_ref().and_then(|property| property.target) {
            bindings.entry(property).or_insert(binding.path.as_ref());
        }
    }
    bindings
}

fn is_plain(details: &Details, kind: &NodeKind) -> bool {
    !details.own_scope && is_bare(details, kind)
}

/// No mappings, boundary events, listeners, savepoints or quantities.
fn is_bare(details: &Details, kind: &NodeKind) -> bool {
    !matches!(kind, NodeKind::Call(call) if !call.outputs.is_empty())
        && details.boundary.is_empty()
        && details.compensation_handler.is_none()
        && details.start_quantity == 1
        && details.completion_quantity == 1
        && !details.isolated
        && details.locals.is_empty()
        && details.inputs.is_empty()
        && details.outputs.is_empty()
        && details.listeners.is_empty()
        && !details.continuation.cuts()
        && details.skip.is_none()
}

fn is_start_event(node: &model::FlowNode) -> bool {
    matches!(&node.kind, FlowNodeKind::Event(event) if matches!(event.position, EventPosition::Start { .. }))
}

/// Whether a flow node begins when its process does, where there is no start event (BPMN 2.0.2 §10.5.2, §13.2).
fn begins_without_start_event(node: &model::FlowNode) -> bool {
    if !node.incoming.is_empty() {
        return false;
    }
    match &node.kind {
        FlowNodeKind::Activity(activity) => {
            let instantiates = matches!(activity.kind, ActivityKind::ReceiveTask { instantiate: true, .. });
            !activity.is_for_compensation && !instantiates
        }
        FlowNodeKind::Gateway(gateway) => !matches!(gateway, Gateway::EventBased { instantiate: true, .. }),
        FlowNodeKind::Event(event) => match event.position {
            EventPosition::IntermediateCatch => {
                !event.definitions.iter().any(|definition| matches!(definition, model::EventDefinition::Link { .. }))
            }
            EventPosition::IntermediateThrow | EventPosition::End => true,
            EventPosition::Start { .. } | EventPosition::Boundary { .. } => false,
        },
    }
}

/// The variable that an expression names, or reads a part of: `answer`, `answer.text`.
fn variable_of(source: &MappingSource) -> Option<Name> {
    let MappingSource::Expression(expression) = source else { return None };
    let text = match expression.language {
        Language::Feel => expression.text.trim(),
        Language::Template => expression.text.trim().strip_prefix("${")?.strip_suffix('}')?.trim(),
        _ => return None,
    };
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    text.split('.').all(is_name).then(|| text.split('.').next().map(Name::from)).flatten()
}

fn attached_to(node: &model::FlowNode) -> Option<NodeIndex> {
    match &node.kind {
        FlowNodeKind::Event(event) => match &event.position {
            EventPosition::Boundary { attached_to, .. } => attached_to.target,
            _ => None,
        },
        _ => None,
    }
}

//! What activities do, from BPMN's own attributes and the dialects' neutral properties.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::compile::Compiler;
use super::{
    AdHoc, Call, Container, Decision, Details, Expression, Form, Job, Listener, ListenerAction, Mapping, NodeKind,
    UserTask, VersionBinding,
};
use crate::Name;
use crate::diagnostic::Severity;
use crate::dialect::{self, Dialect, ElementProperties, JobProperties};
use crate::expressions::{Language, Purpose};
use crate::instance::{Ordinal, UserTaskWait};
use crate::model::{self, Activity, ActivityKind, FlowNodeKind, NodeIndex, Reference};
use crate::value::Value;

impl<'a> Compiler<'a> {
    pub(super) fn activity(
        &mut self,
        node: &model::FlowNode,
        activity: &Activity,
        container: &mut Container,
    ) -> NodeKind {
        let mut take = || std::mem::take(container);
        match &activity.kind {
            ActivityKind::SubProcess { triggered_by_event: true } => NodeKind::EventSubProcess(take()),
            ActivityKind::SubProcess { triggered_by_event: false } => NodeKind::SubProcess(take()),
            ActivityKind::Transaction => NodeKind::Transaction(take()),
            ActivityKind::AdHocSubProcess { ordering, completion_condition, cancel_remaining_instances } => {
                NodeKind::AdHoc(Box::new(AdHoc {
                    container: take(),
                    ordering: *ordering,
                    completion_condition: self.optional(completion_condition.as_ref()),
                    cancel_remaining: *cancel_remaining_instances,
                    active: self.optional(node.extension.ad_hoc_active.as_ref()),
                }))
            }
            ActivityKind::CallActivity { called_element } => match self.global_task(node) {
                Some(global) => {
                    let performers =
                        if activity.performers.is_empty() { &global.performers } else { &activity.performers };
                    let group = self.lane_group(node);
                    self.task(&global.kind, &global.extension, performers, group)
                }
                None => self.call_activity(&node.extension, called_element.as_ref(), activity),
            },
            kind => {
                let group = self.lane_group(node);
                self.task(kind, &node.extension, &activity.performers, group)
            }
        }
    }

    fn task(
        &mut self,
        kind: &ActivityKind,
        extension: &ElementProperties,
        performers: &[model::Performer],
        lane_group: Option<Name>,
    ) -> NodeKind {
        if let ActivityKind::UserTask = kind {
            return NodeKind::UserTask(Box::new(self.user_task(extension, performers, lane_group)));
        }
        if let ActivityKind::ReceiveTask { message, operation, .. } = kind {
            let message = message.as_ref().or_else(|| self.definitions.operation_message(operation.as_ref()));
            return NodeKind::ReceiveTask(Box::new(self.message_catch(message, None)));
        }
        if matches!(kind, ActivityKind::Task | ActivityKind::ManualTask) {
            return NodeKind::Task;
        }
        if let Some(job) = &extension.job {
            return NodeKind::Job(Box::new(self.job(job)));
        }
        if let Some(decision) = &extension.decision {
            return NodeKind::Decision(Box::new(Decision {
                reference: self.expression(&decision.reference, Purpose::Expression),
                binding: self.binding(&decision.binding),
                result: decision.result,
                must_match: self.optional(decision.must_match.as_ref()),
            }));
        }
        if let Some(expression) = &extension.expression {
            if let Some(job) = self.bean_job(expression, extension) {
                return NodeKind::Job(Box::new(job));
            }
            self.not_tried_again(extension);
            return NodeKind::Expression(self.expression(expression, Purpose::Script));
        }
        match kind {
            ActivityKind::ScriptTask { script: Some(script), .. } => match &script.language {
                Language::Other(language) => {
                    let retry_cycle = self.optional(extension.retry_cycle.as_ref());
                    let priority = self.own_priority(extension);
                    NodeKind::Job(Box::new(Job { retry_cycle, priority, ..script_job(language, script) }))
                }
                _ => {
                    self.not_tried_again(extension);
                    let purpose = if extension.stores_variables { Purpose::StoringScript } else { Purpose::Script };
                    NodeKind::Script(self.expression(script, purpose))
                }
            },
            ActivityKind::SendTask { message: Some(message), .. } => {
                NodeKind::SendTask(self.message_throw(Some(message), None))
            }
            ActivityKind::SendTask { operation: Some(operation), .. }
            | ActivityKind::ServiceTask { operation: Some(operation) } => {
                self.operation_job(operation).map_or(NodeKind::Task, |job| NodeKind::Job(Box::new(job)))
            }
            ActivityKind::SendTask { .. } => NodeKind::SendTask(self.message_throw(None, None)),
            _ => NodeKind::Task,
        }
    }

    /// An operation is a job named `interface.operation` (BPMN 2.0.2 §8.4.3).
    fn operation_job(&self, operation: &Reference<model::OperationIndex>) -> Option<Job> {
        let index = operation.target?;
        let interface = &self.definitions.interfaces[index.interface];
        let operation = &interface.operations[index.operation];
        let name = |name: &Option<Name>, id: &Name| name.as_ref().unwrap_or(id).clone();
        let kind = format!("{}.{}", name(&interface.name, &interface.id), name(&operation.name, &operation.id));
        Some(Job {
            kind: Expression::literal(kind.into()),
            retries: None,
            priority: None,
            headers: Vec::new(),
            retry_cycle: None,
            mapped_only: false,
        })
    }

    pub(super) fn job(&mut self, job: &JobProperties) -> Job {
        Job {
            kind: self.expression(&job.kind, Purpose::Expression),
            retries: self.optional(job.retries.as_ref()),
            priority: self.optional(job.priority.as_ref().or_else(|| {
                let process = &self.process.extension;
                if job.in_place_of_engine { process.job_priority.as_ref() } else { process.task_priority.as_ref() }
            })),
            headers: job
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), self.expression(value, Purpose::Expression)))
                .collect(),
            retry_cycle: self.optional(job.retry_cycle.as_ref()),
            mapped_only: job.mapped_only,
        }
    }

    /// The priority of a job that stands for what the engine would do itself.
    fn own_priority(&mut self, extension: &ElementProperties) -> Option<Expression> {
        let of_process = self.process.extension.job_priority.as_ref();
        self.optional(extension.job_priority.as_ref().or(of_process))
    }

    /// A job that stands for an expression which only calls a Java bean's method.
    pub(super) fn bean_job(&mut self, expression: &model::Expression, extension: &ElementProperties) -> Option<Job> {
        let called = called_method(&expression.text)?;
        let Err(super::fault::Fault::Invalid(problem)) =
            super::fault::compiled(expression, Purpose::Script, self.expressions)
        else {
            return None;
        };
        let kind = format!("java:{called}");
        self.diagnostics.push(self.definitions.diagnostic(
            "extension-java",
            Severity::Warning,
            expression.element,
            format!("`{}` calls a Java bean; a job of type `{kind}` stands for it", expression.text.trim()),
            format!(
                "give a worker or an embedded handler that takes jobs of type `{kind}`; if `{}` is a variable instead: {}",
                called.split_once('.').map_or(called, |(base, _)| base),
                problem.message
            ),
        ));
        Some(Job {
            kind: Expression::literal(kind.as_str().into()),
            retries: None,
            priority: self.own_priority(extension),
            headers: Vec::new(),
            retry_cycle: self.optional(extension.retry_cycle.as_ref()),
            mapped_only: false,
        })
    }

    /// What the engine evaluates itself is tried again only behind a savepoint.
    fn not_tried_again(&mut self, extension: &ElementProperties) {
        let Some(cycle) = extension.retry_cycle.as_ref().filter(|_| !extension.continuation.cuts()) else { return };
        self.diagnostics.push(self.definitions.diagnostic(
            "extension-ignored",
            Severity::Warning,
            cycle.element,
            "<failedJobRetryTimeCycle> of an expression or script without a savepoint has no effect here".to_owned(),
            "add asyncBefore or asyncAfter: what fails behind that is tried again".to_owned(),
        ));
    }

    /// The group of the innermost lane that has one, where lanes assign tasks: not in foreign dialects.
    fn lane_group(&self, node: &model::FlowNode) -> Option<Name> {
        let assigns = self.definitions.dialect == Dialect::Standard;
        self.process.lanes_of(node).find_map(|lane| lane.group.clone()).filter(|_| assigns)
    }

    fn user_task(
        &mut self,
        extension: &ElementProperties,
        performers: &[model::Performer],
        lane_group: Option<Name>,
    ) -> UserTask {
        let name = self.optional(extension.name.as_ref());
        let mut task = UserTask { name, lane_group, ..UserTask::default() };
        if let Some(assignment) = &extension.assignment {
            task.assignee = self.optional(assignment.assignee.as_ref());
            task.candidate_users.extend(self.optional(assignment.candidate_users.as_ref()));
            task.candidate_groups.extend(self.optional(assignment.candidate_groups.as_ref()));
            task.due_date = self.optional(assignment.due_date.as_ref());
            task.follow_up_date = self.optional(assignment.follow_up_date.as_ref());
            task.priority = self.optional(assignment.priority.as_ref());
            task.owner = self.optional(assignment.owner.as_ref());
        }
        for performer in performers {
            let written = &performer.expression;
            let is_text = matches!(written.language, Language::Literal | Language::Template);
            if performer.potential_owner && is_text {
                for (is_user, text) in named(&written.text) {
                    let list = if is_user { &mut task.candidate_users } else { &mut task.candidate_groups };
                    let name = model::Expression { text: text.into(), ..written.clone() };
                    list.push(self.expression(&name, Purpose::Expression));
                }
                continue;
            }
            let expression = self.expression(written, Purpose::Expression);
            if performer.potential_owner {
                task.candidate_groups.push(expression);
            } else {
                task.assignee = task.assignee.or(Some(expression));
            }
        }
        let form_key = extension.form.as_ref().and_then(|form| form.key.as_ref());
        let priority = task.priority.as_ref().map(|priority| literal_text(priority)?.trim().parse::<i64>().ok());
        let dynamic = [&task.assignee, &task.owner, &task.due_date, &task.follow_up_date]
            .into_iter()
            .flatten()
            .chain(&task.candidate_users)
            .chain(&task.candidate_groups)
            .any(|expression| expression.as_literal().is_none())
            // What is no number is an incident of the task that should have it.
            || priority == Some(None)
            || task.name.is_some()
            || task.due_date.is_some()
            || task.follow_up_date.is_some()
            || form_key.is_some_and(|key| key.language != Language::Literal);
        if !dynamic {
            let names_in =
                |list: &[Expression]| list.iter().filter_map(Expression::as_literal).flat_map(names).collect();
            let user = |user: &Option<Expression>| user.as_ref().and_then(literal_text).filter(|user| !user.is_empty());
            let mut fixed = UserTaskWait {
                assignee: user(&task.assignee),
                candidate_users: names_in(&task.candidate_users),
                candidate_groups: names_in(&task.candidate_groups),
                due: None,
                follow_up: None,
                priority: priority.flatten(),
                form_key: form_key.map(|key| key.text.clone()),
                name: None,
                owner: user(&task.owner),
            };
            task.fall_to_lane(&mut fixed);
            task.fixed = Some(Arc::new(fixed));
        }
        task
    }

    /// The global task that a call activity calls: it is done as if it stood there (BPMN 2.0.2 §10.3.6).
    fn global_task(&self, node: &model::FlowNode) -> Option<&'a model::GlobalTask> {
        let FlowNodeKind::Activity(activity) = &node.kind else { return None };
        let ActivityKind::CallActivity { called_element } = &activity.kind else { return None };
        let call = node.extension.call.as_deref().and_then(|call| call.target.as_ref());
        let target = call.or(called_element.as_ref())?;
        self.declared.global_tasks.get(&target.text).copied()
    }

    fn call_activity(
        &mut self,
        extension: &ElementProperties,
        called: Option<&model::Expression>,
        activity: &Activity,
    ) -> NodeKind {
        let call = extension.call.as_deref();
        let target = call.and_then(|call| call.target.as_ref()).or(called);
        let process = match target {
            Some(target) => self.expression(target, Purpose::Expression),
            None => Expression::literal("".into()),
        };
        let plain = call.is_none() && self.definitions.dialect == Dialect::Standard;
        let declared = activity.io.is_some();
        let nothing = dialect::Call::default();
        let said = call.unwrap_or(&nothing);
        NodeKind::Call(Box::new(Call {
            process,
            binding: self.binding(&said.binding),
            inputs: self.mappings(&said.inputs),
            inputs_before_all: said.inputs_before_all,
            outputs: self.mappings(&said.outputs),
            outputs_before_all: said.outputs_before_all,
            // Plain BPMN says nothing of variables: all go in and come back, unless the activity declares its data.
            propagate_in: said.propagate_in || (plain && !declared),
            local_in: said.local_in || (plain && declared),
            propagate_out: said.propagate_out || plain,
            local_out: said.local_out,
            business_key: self.optional(said.business_key.as_ref()),
            id_variable: said.id_variable.clone(),
        }))
    }

    /// The event sub-process that a start event begins.
    fn begun_by(&self, start: &model::FlowNode) -> Option<&'a model::FlowNode> {
        let FlowNodeKind::Event(model::Event { position: model::EventPosition::Start { .. }, .. }) = &start.kind else {
            return None;
        };
        let process: &'a model::Process = self.process;
        let around = process.flow_nodes.get(start.parent?.0 as usize)?;
        let begins = matches!(&around.kind, FlowNodeKind::Activity(activity)
            if matches!(activity.kind, ActivityKind::SubProcess { triggered_by_event: true }));
        begins.then_some(around)
    }

    fn mappings(&mut self, mappings: &[dialect::VariableMapping]) -> Vec<Mapping> {
        mappings.iter().map(|mapping| self.mapping(mapping)).collect()
    }

    pub(super) fn details(&mut self, ordinal: Ordinal, node: &model::FlowNode) -> Details {
        let extension = &node.extension;
        let global = self.global_task(node).map(|task| &task.extension);
        let nothing = ElementProperties::default();
        let passes_by = self.definitions.dialect == Dialect::Camunda && is_link_throw(node);
        let around = if passes_by { &nothing } else { extension };
        let (mut continuation, mut retry_cycle) = (extension.continuation, extension.retry_cycle.as_ref());
        if let Some(begun) = self.begun_by(node) {
            // It begins where this event has occurred: what comes before it comes before the event.
            continuation.before |= begun.extension.continuation.before;
            retry_cycle = retry_cycle.or(begun.extension.retry_cycle.as_ref());
        }
        let is_tried = continuation.cuts() || matches!(node.kind, FlowNodeKind::Event(_));
        let form = self.form(extension).or_else(|| global.and_then(|global| self.form(global)));
        let mut details = Details {
            start_quantity: 1,
            completion_quantity: 1,
            inputs: self.mappings(&around.inputs),
            outputs: self.mappings(&around.outputs),
            listeners: self.listeners(&around.listeners),
            continuation,
            retry_cycle: retry_cycle.filter(|_| is_tried).and_then(|cycle| self.optional(Some(cycle))),
            job_priority: self.optional(extension.job_priority.as_ref()),
            skip: self.optional(extension.skip.as_ref()),
            result_variable: extension
                .result_variable
                .clone()
                .or_else(|| global.and_then(|global| global.result_variable.clone())),
            initiator: extension.initiator.clone(),
            lane: self.process.lanes_of(node).next().and_then(|lane| lane.name.clone().or_else(|| lane.id.clone())),
            form,
            message_flows: self.message_flows(ordinal),
            properties: extension.properties.clone(),
            ..Details::default()
        };
        match &node.kind {
            FlowNodeKind::Activity(activity) => self.activity_details(NodeIndex(ordinal), activity, &mut details),
            FlowNodeKind::Event(event) => {
                let catching = matches!(
                    event.position,
                    model::EventPosition::Start { .. }
                        | model::EventPosition::IntermediateCatch
                        | model::EventPosition::Boundary { .. }
                );
                let items = self.items(event);
                let of_definitions: BTreeSet<&Name> = items.iter().collect();
                for association in &event.data_associations {
                    let mut mappings = self.association(NodeIndex(ordinal), association);
                    if !catching {
                        details.inputs.extend(mappings);
                        continue;
                    }
                    let source = association.sources.first().map(|source| self.data.variable(source));
                    let needs = source.filter(|source| of_definitions.contains(source));
                    mappings.iter_mut().for_each(|mapping| mapping.needs.clone_from(&needs));
                    details.outputs.extend(mappings);
                }
                match (&event.data_outputs[..], event.parallel_multiple) {
                    ([output], false) => details.items.push(self.data.variable(&output.id)),
                    _ if catching => details.items = items,
                    _ => {}
                }
            }
            FlowNodeKind::Gateway(_) => {}
        }
        // In Camunda 7 results go where the variable stands, also beside output mappings.
        details.isolated = !details.outputs.is_empty() && self.definitions.dialect != Dialect::Camunda;
        details
    }

    fn activity_details(&mut self, node: NodeIndex, activity: &Activity, details: &mut Details) {
        details.instantiates = matches!(activity.kind, ActivityKind::ReceiveTask { instantiate: true, .. });
        details.start_quantity = activity.start_quantity.max(1);
        details.completion_quantity = activity.completion_quantity.max(1);
        details.own_scope = matches!(
            activity.kind,
            ActivityKind::SubProcess { .. } | ActivityKind::Transaction | ActivityKind::AdHocSubProcess { .. }
        );
        details.repeat = self.repeat(node, activity);
        let multi = match &activity.loop_characteristics {
            Some(model::LoopCharacteristics::MultiInstance(multi)) => Some(multi),
            _ => None,
        };
        // The loop's own input and output are read and written once, around all rounds.
        let loop_input = multi.and_then(|multi| multi.data_input.as_ref());
        let loop_output = multi.and_then(|multi| multi.data_output.as_ref());
        for association in &activity.data_inputs {
            if loop_input.is_none() || association.target.as_ref() != loop_input {
                let mappings = self.association(node, association);
                details.inputs.extend(mappings);
            }
        }
        for association in &activity.data_outputs {
            if loop_output.is_none_or(|output| !association.sources.contains(output)) {
                let mappings = self.association(node, association);
                details.outputs.extend(mappings);
            }
        }
        details.input_sets = self.input_sets(node, activity, loop_input);
        for property in &activity.properties {
            details.locals.push(self.data.variable(&property.id));
        }
        if let Some(io) = &activity.io {
            if matches!(activity.kind, ActivityKind::ReceiveTask { .. }) {
                details.items.extend(activity.only_output().map(|output| self.data.variable(output)));
            }
            details.locals.extend(
                io.outputs
                    .iter()
                    .filter(|output| Some(&output.id) != loop_output)
                    .map(|output| self.data.variable(&output.id)),
            );
        }
        if details.result_variable.is_none()
            && matches!(&activity.kind, ActivityKind::ScriptTask { script: Some(script), .. } if script.language == Language::Feel)
        {
            details.result_variable = activity.only_output().map(|output| self.data.variable(output));
        }
        let targets: BTreeSet<&Name> = details.inputs.iter().filter_map(|input| input.target.first()).collect();
        // An input and an output of one name are one variable: the input fills it.
        details.locals.retain(|local| !targets.contains(local));
    }

    pub(super) fn listeners(&mut self, listeners: &[dialect::Listener]) -> Vec<Listener> {
        listeners
            .iter()
            .map(|listener| Listener {
                stage: listener.stage,
                action: match &listener.action {
                    dialect::ListenerAction::Expression(expression) | dialect::ListenerAction::Script(expression) => {
                        ListenerAction::Evaluate(self.expression(expression, Purpose::Script))
                    }
                    dialect::ListenerAction::Job(job) => ListenerAction::Job(self.job(job)),
                },
                timer: listener.timer.as_ref().map(|timer| self.timer(timer)),
            })
            .collect()
    }

    fn binding(&mut self, binding: &dialect::Binding) -> VersionBinding {
        match binding {
            dialect::Binding::Latest => VersionBinding::Latest,
            dialect::Binding::Deployment => VersionBinding::Deployment,
            dialect::Binding::Version(version) => {
                VersionBinding::Version(self.expression(version, Purpose::Expression))
            }
            dialect::Binding::VersionTag(tag) => VersionBinding::VersionTag(self.expression(tag, Purpose::Expression)),
        }
    }

    fn form(&mut self, extension: &ElementProperties) -> Option<Box<Form>> {
        let form = extension.form.as_ref()?;
        for field in &form.fields {
            // Hosts compute it when the form is shown; what cannot be read should be known before.
            self.optional(field.default.as_ref());
        }
        Some(Box::new(Form {
            key: self.optional(form.key.as_ref()),
            reference: self.optional(form.reference.as_ref()),
            binding: self.binding(&form.binding),
            embedded: form.embedded.clone(),
            fields: form.fields.clone(),
            business_key: form.business_key.clone(),
        }))
    }
}

/// Whether a flow node throws a link: for Camunda 7 it is no activity then, only a way to the link's other end.
fn is_link_throw(node: &model::FlowNode) -> bool {
    matches!(&node.kind, FlowNodeKind::Event(event)
        if matches!(event.position, model::EventPosition::IntermediateThrow)
        && event.definitions.iter().any(|definition| matches!(definition, model::EventDefinition::Link { .. })))
}

/// `bean.method` of an expression that is one call of it and nothing else. What the engine itself gives to expressions is no bean.
fn called_method(text: &str) -> Option<&str> {
    let text = text.trim();
    let inside = text.strip_prefix("${").or_else(|| text.strip_prefix("#{"))?.strip_suffix('}')?.trim();
    let (called, arguments) = inside.split_once('(')?;
    let called = called.trim();
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && name.chars().all(|character| character.is_alphanumeric() || character == '_')
    };
    let mut open = 1usize;
    let closes = arguments.char_indices().find(|(_, character)| {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        open == 0
    });
    let is_last = closes.is_some_and(|(at, _)| at + 1 == arguments.len());
    let (base, _) = called.split_once('.')?;
    let is_given = matches!(base, "execution" | "task" | "delegateTask" | "caseExecution");
    (is_last && !is_given && called.split('.').all(is_name)).then_some(called)
}

/// A script in a language that is not evaluated here is work for a worker that knows it.
fn script_job(language: &Name, script: &model::Expression) -> Job {
    Job {
        kind: Expression::literal(language.clone()),
        retries: None,
        priority: None,
        headers: vec![("script".into(), Expression::literal(script.text.clone()))],
        retry_cycle: None,
        mapped_only: false,
    }
}

/// Users and groups as `potentialOwner` names them: `user(anna), group(sales), accounting` (a bare name is a group). What stands in
/// `${...}` belongs to one of them.
fn named(text: &str) -> Vec<(bool, &str)> {
    fn inside<'t>(part: &'t str, word: &str) -> Option<&'t str> {
        part.strip_prefix(word)?.strip_suffix(')').map(str::trim)
    }
    let mut braces = 0usize;
    let parts = text.split(|character| {
        match character {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        character == ',' && braces == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match (inside(part, "user("), inside(part, "group(")) {
            (Some(user), _) => (true, user),
            (None, Some(group)) => (false, group),
            (None, None) => (false, part),
        })
        .collect()
}

fn literal_text(expression: &Expression) -> Option<Name> {
    match expression.as_literal() {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Names out of a value: a comma-separated text, or a list.
pub(crate) fn names(value: &Value) -> Vec<Name> {
    match value.plain() {
        Value::String(text) => text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Name::from).collect(),
        Value::List(items) => items
            .iter()
            .filter_map(|item| match item.plain() {
                Value::String(text) => Some(text.clone()),
                Value::Integer(number) => Some(number.to_string().into()),
                _ => None,
            })
            .collect(),
        Value::Integer(number) => vec![number.to_string().into()],
        _ => Vec::new(),
    }
}

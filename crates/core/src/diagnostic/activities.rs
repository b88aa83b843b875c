//! Tasks and call activities: is it said what they do?

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::findings::Findings;
use super::rule::define;
use super::subject::{Named, Subject, World, activity, event, gateway, label, named};
use super::triggers::works;
use crate::Name;
use crate::dialect::{Dialect, ElementProperties};
use crate::expressions::Language;
use crate::model::{
    Activity, ActivityKind, DataInput, DataOutput, Definitions, Event, EventPosition, Expression, FlowNode, Gateway,
    InputOutputSpecification, LoopCharacteristics, Process,
};
use crate::xml::ElementIndex;

define! {
    SERVICE_WITHOUT_WORK = "service-task-without-work", Error, "BPMN 2.0.2 §10.3.3",
        "A service task says what it does: an operation, a job, or an expression.";
    RULE_WITHOUT_DECISION = "business-rule-task-without-decision", Error, "BPMN 2.0.2 §10.3.3",
        "A business rule task says which decision it asks, or who does it.";
    SCRIPT_WITHOUT_SCRIPT = "script-task-without-script", Error, "BPMN 2.0.2 §10.3.3",
        "A script task has a script.";
    SCRIPT_WITHOUT_FORMAT = "script-task-without-format", Warning, "unusual",
        "A script task of Camunda 7 or Flowable names its language, or its script holds `${...}`.";
    SCRIPT_FOR_WORKER = "script-task-for-worker", Warning, "unusual",
        "A script task's language is FEEL, `${...}` or JavaScript; in any other the script is a job for a worker.";
    SCRIPT_WITHOUT_RESULT = "script-task-without-result", Warning, "unusual",
        "A script task in FEEL, which sets no variables itself, says where its result goes.";
    CALL_WITHOUT_TARGET = "call-activity-without-target", Error, "BPMN 2.0.2 §10.3.6",
        "A call activity says what it calls.";
    CALLED_WITHOUT_NONE_START = "called-process-without-none-start", Error, "BPMN 2.0.2 §10.3.6, §10.5.2",
        "A process that is called has a start event without a trigger, or begins without one.";
    CALLED_NOT_EXECUTABLE = "called-process-not-executable", Warning, "BPMN 2.0.2 §10.2.1",
        "A process that is called is executable.";
    CALL_DATA_DIFFER = "call-data-differ", Error, "BPMN 2.0.2 §10.3.6",
        "A call activity and what it calls, where both say what goes in and comes out, name the same.";
    QUANTITY_ZERO = "quantity-zero", Error, "BPMN 2.0.2 §10.3",
        "startQuantity and completionQuantity are at least 1.";
    QUANTITY_TOO_LARGE = "quantity-too-large", Error, "BPMN 2.0.2 §10.3",
        "startQuantity and completionQuantity are at most 10,000.";
}

/// More tokens than this at once are taken for a mistake.
const MAXIMUM_QUANTITY: u32 = 10_000;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, node) in subject.nodes() {
        let Some(activity) = activity(node) else { continue };
        work(subject.definitions, label(node), node.element, &activity.kind, &node.extension, findings);
        // Camunda 8 refuses it, which its extensions are told.
        if subject.definitions.dialect != Dialect::Zeebe && is_in_vain(activity, &node.extension) {
            findings.add(
                &SCRIPT_WITHOUT_RESULT,
                node.element,
                format!("the result of {} goes nowhere: a script in FEEL sets no variables itself", label(node)),
                "name a resultVariable, or give the task one data output",
            );
        }
        called(subject, node, &activity.kind, findings);
        for (attribute, quantity) in
            [("startQuantity", activity.start_quantity), ("completionQuantity", activity.completion_quantity)]
        {
            if quantity == 0 {
                findings.add(
                    &QUANTITY_ZERO,
                    node.element,
                    format!("{} has {attribute}=\"0\": no token would ever go on", label(node)),
                    format!("set {attribute} to at least 1, or remove it"),
                );
            }
            if quantity > MAXIMUM_QUANTITY {
                findings.add(
                    &QUANTITY_TOO_LARGE,
                    node.element,
                    format!("{} has {attribute}=\"{quantity}\"", label(node)),
                    format!("set {attribute} to at most {MAXIMUM_QUANTITY}"),
                );
            }
        }
    }
}

/// Whether a script's result is lost and nothing else comes of it.
fn is_in_vain(activity: &Activity, extension: &ElementProperties) -> bool {
    let ActivityKind::ScriptTask { script, .. } = &activity.kind else { return false };
    let does_otherwise = extension.job.is_some() || extension.decision.is_some();
    let script = extension.expression.as_ref().or(script.as_ref()).filter(|script| !is_blank(script));
    script.is_some_and(|script| script.language == Language::Feel)
        && !does_otherwise
        && extension.result_variable.is_none()
        && activity.only_output().is_none()
}

/// Global tasks, which call activities call, need the same.
pub(super) fn global_tasks(world: &World<'_>, findings: &mut Findings<'_>) {
    for task in &world.definitions.global_tasks {
        let owner = named("global task", &task.id, task.name.as_deref());
        work(world.definitions, owner, task.element, &task.kind, &task.extension, findings);
    }
}

fn work(
    definitions: &Definitions,
    owner: Named<'_>,
    element: ElementIndex,
    kind: &ActivityKind,
    extension: &ElementProperties,
    findings: &mut Findings<'_>,
) {
    match kind {
        ActivityKind::ServiceTask { operation: None } if !works(extension) => findings.add(
            &SERVICE_WITHOUT_WORK,
            element,
            format!("{owner} does not say what it does"),
            "name the kind of job for a worker (a task definition's type, or a topic), an expression, or an operationRef",
        ),
        ActivityKind::BusinessRuleTask if !works(extension) => findings.add(
            &RULE_WITHOUT_DECISION,
            element,
            format!("{owner} does not say which decision it asks"),
            "name a decision (decisionRef or calledDecision), or a kind of job for a worker",
        ),
        ActivityKind::ScriptTask { script, .. } if !works(extension) && script.as_ref().is_none_or(is_blank) => findings.add(
            &SCRIPT_WITHOUT_SCRIPT,
            element,
            format!("{owner} has no script"),
            "put the script into its `script` element and its language into scriptFormat",
        ),
        // Only Camunda 7 and Flowable take a script without a language for a template; they do not say so either.
        ActivityKind::ScriptTask { format: None, script: Some(script) }
            if script.language == Language::Template
                && !works(extension)
                && !script.text.contains("${")
                && !script.text.contains("#{") =>
        {
            findings.add(
                &SCRIPT_WITHOUT_FORMAT,
                element,
                format!("the script of {owner} names no language, so that it is a text as it stands: nothing is computed"),
                "name its language in scriptFormat, e.g. scriptFormat=\"feel\", or write `${...}`",
            );
        }
        ActivityKind::ScriptTask { script: Some(script), .. } if !works(extension) => {
            if let Language::Other(language) = &script.language {
                findings.add(
                    &SCRIPT_FOR_WORKER,
                    element,
                    format!("the script of {owner} is in `{language}`: a job of that type stands for it"),
                    format!("give a worker that takes jobs of type `{language}`, or write it in FEEL or JavaScript"),
                );
            }
        }
        ActivityKind::CallActivity { called_element } => {
            let by_dialect = extension.call.as_ref().and_then(|call| call.target.as_ref());
            // A case instead of a process is refused by itself.
            let mut attributes = definitions.document.element(element).attributes();
            let calls_nothing = called_element.as_ref().or(by_dialect).is_none_or(is_blank);
            if calls_nothing && attributes.all(|attribute| attribute.name() != "caseRef") {
                findings.add(
                    &CALL_WITHOUT_TARGET,
                    element,
                    format!("{owner} does not say which process it calls"),
                    "let `calledElement` name the id of a process or global task",
                );
            }
        }
        _ => {}
    }
}

fn is_blank(expression: &Expression) -> bool {
    expression.text.trim().is_empty()
}

/// Where the called process stands in the same file, it can be seen whether it can be called.
fn called(subject: &Subject<'_>, node: &FlowNode, kind: &ActivityKind, findings: &mut Findings<'_>) {
    let ActivityKind::CallActivity { called_element } = kind else { return };
    let by_dialect = node.extension.call.as_ref().and_then(|call| call.target.as_ref());
    let Some(target) = by_dialect.or(called_element.as_ref()).filter(|target| target.language == Language::Literal)
    else {
        return;
    };
    let Some(callee) = subject.world.callee(&target.text) else { return };
    let process = callee.process;
    if process.is_executable == Some(false) {
        findings.add(
            &CALLED_NOT_EXECUTABLE,
            node.element,
            format!("{} calls process `{}`, which is not executable", label(node), process.id),
            "set isExecutable=\"true\" on the called process",
        );
    }
    if !process.flow_nodes.is_empty() && !callee.can_be_called() {
        findings.add(
            &CALLED_WITHOUT_NONE_START,
            node.element,
            format!("{} calls process `{}`, which starts only by triggers", label(node), process.id),
            "add a start event without a trigger to the called process",
        );
    }
    if let (Some(activity), Some(taken)) = (activity(node), callee.data())
        && let Some(given) = &activity.io
    {
        same_data(node, process, (activity, given), taken, findings);
    }
}

/// A process as its callers see it: many may call it, so that it is looked at once.
pub(super) struct Callee<'a> {
    process: &'a Process,
    can_be_called: OnceCell<bool>,
    data: OnceCell<Option<DataTaken>>,
}

/// The names of what goes into a process and comes out of it.
struct DataTaken {
    inputs: BTreeSet<Name>,
    outputs: BTreeSet<Name>,
}

impl<'a> Callee<'a> {
    pub(super) fn of(process: &'a Process) -> Self {
        Self { process, can_be_called: OnceCell::new(), data: OnceCell::new() }
    }

    fn can_be_called(&self) -> bool {
        *self.can_be_called.get_or_init(|| can_be_called(self.process))
    }

    fn data(&self) -> Option<&DataTaken> {
        let data = self.data.get_or_init(|| {
            let io = self.process.io.as_ref()?;
            let inputs = io.inputs.iter().map(input_name).collect();
            Some(DataTaken { inputs, outputs: io.outputs.iter().map(output_name).collect() })
        });
        data.as_ref()
    }
}

fn input_name(input: &DataInput) -> Name {
    input.name.clone().unwrap_or_else(|| input.id.clone())
}

fn output_name(output: &DataOutput) -> Name {
    output.name.clone().unwrap_or_else(|| output.id.clone())
}

/// What stands on one side only would not get to the other. The collections of a loop are the loop's own; each round hands over
/// its item, where what is called knows it.
fn same_data(
    node: &FlowNode,
    process: &Process,
    (activity, given): (&Activity, &InputOutputSpecification),
    taken: &DataTaken,
    findings: &mut Findings<'_>,
) {
    let multi = match &activity.loop_characteristics {
        Some(LoopCharacteristics::MultiInstance(multi)) => Some(multi),
        _ => None,
    };
    let collections = multi.map(|multi| (multi.data_input.as_ref(), multi.data_output.as_ref()));
    let (all, results) = collections.unwrap_or_default();
    let mut inputs: BTreeSet<Name> =
        given.inputs.iter().filter(|input| Some(&input.id) != all).map(input_name).collect();
    let mut outputs: BTreeSet<Name> =
        given.outputs.iter().filter(|output| Some(&output.id) != results).map(output_name).collect();
    let item = multi.and_then(|multi| multi.input_item.as_ref()).map(input_name);
    inputs.extend(item.filter(|item| taken.inputs.contains(item)));
    let result = multi.and_then(|multi| multi.output_item.as_ref()).map(output_name);
    outputs.extend(result.filter(|result| taken.outputs.contains(result)));
    for (kind, here, there) in [("input", inputs, &taken.inputs), ("output", outputs, &taken.outputs)] {
        if let Some(name) = here.symmetric_difference(there).next() {
            let (has, lacks) = match here.contains(name) {
                true => (label(node).to_string(), format!("process `{}`, which it calls,", process.id)),
                false => (format!("process `{}`", process.id), format!("{}, which calls it,", label(node))),
            };
            findings.add(
                &CALL_DATA_DIFFER,
                node.element,
                format!("{has} has the {kind} `{name}`, and {lacks} has not"),
                "give the inputs and outputs of both ioSpecifications the same names",
            );
        }
    }
}

fn can_be_called(process: &Process) -> bool {
    let top = || process.flow_nodes.iter().filter(|node| node.parent.is_none());
    let start =
        |node: &FlowNode| event(node).is_some_and(|event| matches!(event.position, EventPosition::Start { .. }));
    let none_start =
        |node: &FlowNode| start(node) && event(node).is_some_and(|event: &Event| event.definitions.is_empty());
    let instantiates = |node: &FlowNode| {
        matches!(gateway(node), Some(Gateway::EventBased { instantiate: true, .. }))
            || activity(node)
                .is_some_and(|activity| matches!(activity.kind, ActivityKind::ReceiveTask { instantiate: true, .. }))
    };
    top().any(none_start) || !top().any(|node| start(node) || instantiates(node))
}

//! What events and messaging tasks refer to: messages, signals, errors, escalations, conditions.

use super::findings::Findings;
use super::rule::define;
use super::subject::{Named, Subject, World, activity, event, is_catching, label, named, thrown_by_instances};
use crate::dialect::{Dialect, ElementProperties, JobProperties};
use crate::expressions::Language;
use crate::model::{
    ActivityKind, Definitions, Event, EventDefinition, EventPosition, Expression, FlowNode, NodeIndex, OperationIndex,
    Reference,
};
use crate::xml::ElementIndex;

define! {
    MESSAGE_UNKNOWN = "message-unknown", Error, "BPMN 2.0.2 §8.4.11",
        "A message that is referred to is declared.";
    SIGNAL_UNKNOWN = "signal-unknown", Error, "BPMN 2.0.2 §10.5.5",
        "A signal that is referred to is declared.";
    ERROR_UNKNOWN = "error-unknown", Error, "BPMN 2.0.2 §8.4.3",
        "An error that is referred to is declared.";
    ERROR_CODE = "error-code-for-id", Warning, "BPMN 2.0.2 §8.4.3",
        "A reference to an error names its id, not its code (Camunda 7 and Flowable take both).";
    ESCALATION_UNKNOWN = "escalation-unknown", Error, "BPMN 2.0.2 §8.4.4",
        "An escalation that is referred to is declared.";
    OPERATION_UNKNOWN = "operation-unknown", Error, "BPMN 2.0.2 §8.5",
        "An operation that is referred to is declared in an interface.";
    OTHER_MESSAGE = "operation-other-message", Warning, "BPMN 2.0.2 §8.5, §10.3.3",
        "A task that names a message and an operation names the message that the operation takes.";
    CATCH_WITHOUT_MESSAGE = "catch-without-message", Error, "BPMN 2.0.2 §10.5.5, §10.3.3",
        "What waits for a message says for which one, or a message flow leads to it.";
    RECEIVE_WITHOUT_MESSAGE = "receive-without-message", Warning, "BPMN 2.0.2 §10.3.3",
        "A receive task says for which message it waits.";
    THROW_WITHOUT_MESSAGE = "throw-without-message", Error, "BPMN 2.0.2 §10.5.5, §10.3.3",
        "What sends a message says which one, or who does it, or a message flow leads away from it.";
    MESSAGE_WITHOUT_NAME = "message-without-name", Warning, "BPMN 2.0.2 §8.4.11",
        "A message has a name: that is what it is matched by.";
    WITHOUT_SIGNAL = "event-without-signal", Error, "BPMN 2.0.2 §10.5.5",
        "A signal event says which signal.";
    SIGNAL_WITHOUT_NAME = "signal-without-name", Warning, "BPMN 2.0.2 §10.5.5",
        "A signal has a name: that is what it is matched by.";
    CAUGHT_CODE_COMPUTED = "caught-code-computed", Error, "BPMN 2.0.2 §8.4.3, §8.4.4",
        "The code of an error or escalation that an event catches is a text: it is compared, not computed.";
    THROW_WITHOUT_ERROR_CODE = "throw-without-error-code", Error, "BPMN 2.0.2 §8.4.3, §10.5.3",
        "An error end event throws an error with a code.";
    THROW_WITHOUT_ESCALATION_CODE = "throw-without-escalation-code", Error, "BPMN 2.0.2 §8.4.4",
        "An event that escalates throws an escalation with a code.";
    WITHOUT_CONDITION = "event-without-condition", Error, "BPMN 2.0.2 §10.5.5",
        "A conditional event has a condition.";
    START_NAME_WITH_VARIABLES = "start-name-with-variables", Warning, "BPMN 2.0.2 §13.2",
        "The name of a message or signal that starts a process does not depend on variables: there are none yet.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (index, node) in subject.nodes() {
        if let Some(event) = event(node) {
            for definition in &event.definitions {
                content(subject, index, node, event, definition, findings);
            }
        }
        for definition in thrown_by_instances(node) {
            references(subject.definitions, label(node), definition, findings);
            complete(label(node), definition, findings);
            thrown(subject, index, node, definition, findings);
        }
        task(subject, index, node, findings);
    }
}

/// Event definitions at the top of the file, which events refer to.
pub(super) fn declared(world: &World<'_>, findings: &mut Findings<'_>) {
    for (id, definition) in &world.definitions.event_definitions {
        let word = format!("{} event definition", definition.word());
        let owner = named(&word, id, None);
        references(world.definitions, owner, definition, findings);
    }
}

fn content(
    subject: &Subject<'_>,
    index: NodeIndex,
    node: &FlowNode,
    event: &Event,
    definition: &EventDefinition,
    findings: &mut Findings<'_>,
) {
    let owner = label(node);
    references(subject.definitions, owner, definition, findings);
    complete(owner, definition, findings);
    if !is_catching(event) {
        return thrown(subject, index, node, definition, findings);
    }
    match definition {
        EventDefinition::Message { element, message, operation, extension, .. } => {
            let known = message.is_some()
                || extension.name.is_some()
                || has_in_message(subject.definitions, operation.as_ref());
            if !known && !subject.receives_message_flow(index) {
                catch_without_message(owner, *element, findings);
            }
            start_name(subject, node, event, message.as_ref(), findings);
        }
        EventDefinition::Error { element, error: Some(error), .. } => {
            let declared = error.target.and_then(|index| subject.definitions.errors.get(index));
            caught_code(owner, *element, "errorCode", declared.and_then(|error| error.code.as_ref()), findings);
        }
        EventDefinition::Escalation { element, escalation: Some(escalation), .. } => {
            let declared = escalation.target.and_then(|index| subject.definitions.escalations.get(index));
            let code = declared.and_then(|escalation| escalation.code.as_ref());
            caught_code(owner, *element, "escalationCode", code, findings);
        }
        _ => {}
    }
}

/// What is thrown says what it is.
fn thrown(
    subject: &Subject<'_>,
    index: NodeIndex,
    node: &FlowNode,
    definition: &EventDefinition,
    findings: &mut Findings<'_>,
) {
    let owner = label(node);
    match definition {
        EventDefinition::Message { element, message, operation, job, extension } => {
            let event_works = event(node).is_some() && works(&node.extension);
            let does =
                extension.name.is_some() || job.is_some() || operation.is_some() || works(extension) || event_works;
            if message.is_none() && !does && !subject.sends_message_flow(index) {
                throw_without_message(owner, *element, findings);
            }
        }
        EventDefinition::Error { element, error, .. } => {
            error_code(subject.definitions, owner, *element, error.as_ref(), findings);
        }
        EventDefinition::Escalation { element, escalation, .. } => {
            escalation_code(subject.definitions, owner, *element, escalation.as_ref(), findings);
        }
        _ => {}
    }
}

/// Signals and conditions are said wherever they stand.
fn complete(owner: Named<'_>, definition: &EventDefinition, findings: &mut Findings<'_>) {
    match definition {
        EventDefinition::Signal { element, signal: None, name: None, .. } => findings.add(
            &WITHOUT_SIGNAL,
            *element,
            format!("the signal definition of {owner} does not say which signal"),
            "declare a `signal` with a name and let `signalRef` name it",
        ),
        EventDefinition::Conditional { element, condition, .. } if is_empty(condition.as_ref()) => findings.add(
            &WITHOUT_CONDITION,
            *element,
            format!("the conditional definition of {owner} has no condition"),
            "put an expression into its `condition` element",
        ),
        _ => {}
    }
}

/// Send and receive tasks, and the operations of service tasks.
fn task(subject: &Subject<'_>, index: NodeIndex, node: &FlowNode, findings: &mut Findings<'_>) {
    let Some(activity) = activity(node) else { return };
    let owner = label(node);
    let definitions = subject.definitions;
    match &activity.kind {
        ActivityKind::ServiceTask { operation } => operation_known(owner, node.element, operation.as_ref(), findings),
        ActivityKind::SendTask { message, operation } => {
            message_known(definitions, owner, node.element, message.as_ref(), findings);
            operation_known(owner, node.element, operation.as_ref(), findings);
            same_message(definitions, owner, node.element, message.as_ref(), operation.as_ref(), findings);
            let does = operation.is_some() || works(&node.extension);
            if message.is_none() && !does && !subject.sends_message_flow(index) {
                throw_without_message(owner, node.element, findings);
            }
        }
        ActivityKind::ReceiveTask { message, operation, .. } => {
            message_known(definitions, owner, node.element, message.as_ref(), findings);
            operation_known(owner, node.element, operation.as_ref(), findings);
            same_message(definitions, owner, node.element, message.as_ref(), operation.as_ref(), findings);
            let known = message.is_some() || has_in_message(definitions, operation.as_ref());
            if !known && !subject.receives_message_flow(index) {
                match definitions.dialect {
                    Dialect::Zeebe => catch_without_message(owner, node.element, findings),
                    Dialect::Standard => receive_without_message(owner, node, findings),
                    // There a program lets it go on by its execution, whatever it waits for.
                    Dialect::Camunda | Dialect::Flowable => {}
                }
            }
        }
        _ => {}
    }
}

/// The dialect says what does the work.
pub(super) fn works(extension: &ElementProperties) -> bool {
    let job: Option<&JobProperties> = extension.job.as_deref();
    job.is_some() || extension.expression.is_some() || extension.decision.is_some()
}

fn has_in_message(definitions: &Definitions, operation: Option<&Reference<OperationIndex>>) -> bool {
    operation
        .and_then(|operation| operation.target)
        .and_then(|index| definitions.interfaces.get(index.interface)?.operations.get(index.operation))
        .and_then(|operation| operation.in_message.as_ref())
        .is_some_and(|message| message.target.is_some())
}

fn references(definitions: &Definitions, owner: Named<'_>, definition: &EventDefinition, findings: &mut Findings<'_>) {
    match definition {
        EventDefinition::Message { element, message, operation, .. } => {
            message_known(definitions, owner, *element, message.as_ref(), findings);
            operation_known(owner, *element, operation.as_ref(), findings);
        }
        EventDefinition::Signal { element, signal: Some(signal), .. } => {
            match signal.target.and_then(|index| definitions.signals.get(index)) {
                None => findings.add(
                    &SIGNAL_UNKNOWN,
                    *element,
                    format!("{owner} refers to the signal `{}`, which is not declared", signal.text),
                    "declare a `signal` with that id beside the processes, or correct `signalRef`",
                ),
                Some(declared) if is_empty(declared.name.as_ref()) => findings.add(
                    &SIGNAL_WITHOUT_NAME,
                    declared.element,
                    format!("signal `{}` has no name; it is matched by its id", declared.id),
                    "give the signal a name",
                ),
                Some(_) => {}
            }
        }
        EventDefinition::Error { element, error: Some(error), .. } if error.target.is_none() => {
            let is_code = matches!(definitions.dialect, Dialect::Camunda | Dialect::Flowable);
            let taken = if is_code { "; the text is taken for its code" } else { "" };
            findings.add(
                if is_code { &ERROR_CODE } else { &ERROR_UNKNOWN },
                *element,
                format!("{owner} refers to the error `{}`, which is not declared{taken}", error.text),
                "declare an `error` with that id and an errorCode beside the processes",
            );
        }
        EventDefinition::Escalation { element, escalation: Some(escalation), .. } if escalation.target.is_none() => {
            findings.add(
                &ESCALATION_UNKNOWN,
                *element,
                format!("{owner} refers to the escalation `{}`, which is not declared", escalation.text),
                "declare an `escalation` with that id and an escalationCode beside the processes",
            )
        }
        _ => {}
    }
}

/// The message exists, and can be matched.
pub(super) fn message_known(
    definitions: &Definitions,
    owner: Named<'_>,
    element: ElementIndex,
    message: Option<&Reference<usize>>,
    findings: &mut Findings<'_>,
) {
    let Some(message) = message else { return };
    match message.target.and_then(|index| definitions.messages.get(index)) {
        None => findings.add(
            &MESSAGE_UNKNOWN,
            element,
            format!("{owner} refers to the message `{}`, which is not declared", message.text),
            "declare a `message` with that id beside the processes, or correct `messageRef`",
        ),
        Some(declared) if is_empty(declared.name.as_ref()) => findings.add(
            &MESSAGE_WITHOUT_NAME,
            declared.element,
            format!("message `{}` has no name; it is matched by its id", declared.id),
            "give the message the name that its sender uses",
        ),
        Some(_) => {}
    }
}

fn is_empty(name: Option<&Expression>) -> bool {
    name.is_none_or(|name| name.text.trim().is_empty())
}

fn operation_known(
    owner: Named<'_>,
    element: ElementIndex,
    operation: Option<&Reference<OperationIndex>>,
    findings: &mut Findings<'_>,
) {
    if let Some(operation) = operation.filter(|operation| operation.target.is_none()) {
        findings.add(
            &OPERATION_UNKNOWN,
            element,
            format!("{owner} refers to the operation `{}`, which is not declared", operation.text),
            "declare the operation in an `interface` beside the processes, or correct `operationRef`",
        );
    }
}

/// The message of a send or receive task is the one that its operation takes.
fn same_message(
    definitions: &Definitions,
    owner: Named<'_>,
    element: ElementIndex,
    message: Option<&Reference<usize>>,
    operation: Option<&Reference<OperationIndex>>,
    findings: &mut Findings<'_>,
) {
    let taken = operation
        .and_then(|operation| operation.target)
        .and_then(|index| definitions.interfaces.get(index.interface)?.operations.get(index.operation))
        .and_then(|operation| operation.in_message.as_ref());
    if let (Some(message), Some(taken)) = (message, taken)
        && let (Some(own), Some(other)) = (message.target, taken.target)
        && own != other
    {
        findings.add(
            &OTHER_MESSAGE,
            element,
            format!("{owner} names the message `{}`, but its operation takes `{}`", message.text, taken.text),
            "let both name the same message, or remove one of the references",
        );
    }
}

fn catch_without_message(owner: Named<'_>, element: ElementIndex, findings: &mut Findings<'_>) {
    findings.add(
        &CATCH_WITHOUT_MESSAGE,
        element,
        format!("{owner} does not say for which message it waits"),
        "declare a `message` with a name and let `messageRef` name it, or draw a message flow to it",
    );
}

/// That is allowed (BPMN 2.0.2 Table 10.10).
fn receive_without_message(owner: Named<'_>, node: &FlowNode, findings: &mut Findings<'_>) {
    findings.add(
        &RECEIVE_WITHOUT_MESSAGE,
        node.element,
        format!(
            "{owner} does not say for which message it waits: it waits for one named `{}`, as it is itself",
            node.id
        ),
        "declare a `message` with a name and let `messageRef` name it, or draw a message flow to it",
    );
}

fn throw_without_message(owner: Named<'_>, element: ElementIndex, findings: &mut Findings<'_>) {
    findings.add(
        &THROW_WITHOUT_MESSAGE,
        element,
        format!("{owner} does not say which message it sends"),
        "let `messageRef` name a message, draw a message flow from it, or make it a job for a worker",
    );
}

fn caught_code(
    owner: Named<'_>,
    element: ElementIndex,
    attribute: &str,
    code: Option<&Expression>,
    findings: &mut Findings<'_>,
) {
    if let Some(code) = code.filter(|code| code.language != Language::Literal) {
        findings.add(
            &CAUGHT_CODE_COMPUTED,
            element,
            format!("{owner} catches a code that is to be computed: `{}`", code.text),
            format!("write the code itself into the `{attribute}` that it refers to, or catch every code"),
        );
    }
}

fn error_code(
    definitions: &Definitions,
    owner: Named<'_>,
    element: ElementIndex,
    error: Option<&Reference<usize>>,
    findings: &mut Findings<'_>,
) {
    let message = match error.map(|error| (error, error.target.and_then(|index| definitions.errors.get(index)))) {
        None => format!("{owner} does not say which error it throws"),
        Some((_, Some(declared))) if is_empty(declared.code.as_ref()) => {
            format!("{owner} throws the error `{}`, which has no code", declared.id)
        }
        Some(_) => return,
    };
    let help = "let `errorRef` name an `error` that has an `errorCode`";
    findings.add(&THROW_WITHOUT_ERROR_CODE, element, message, help);
}

fn escalation_code(
    definitions: &Definitions,
    owner: Named<'_>,
    element: ElementIndex,
    escalation: Option<&Reference<usize>>,
    findings: &mut Findings<'_>,
) {
    let declared =
        escalation.and_then(|escalation| escalation.target).and_then(|index| definitions.escalations.get(index));
    let message = match (escalation, declared) {
        (None, _) => format!("{owner} does not say which escalation it throws"),
        (Some(_), Some(declared)) if is_empty(declared.code.as_ref()) => {
            format!("{owner} throws the escalation `{}`, which has no code", declared.id)
        }
        _ => return,
    };
    let help = "let `escalationRef` name an `escalation` that has an `escalationCode`";
    findings.add(&THROW_WITHOUT_ESCALATION_CODE, element, message, help);
}

fn start_name(
    subject: &Subject<'_>,
    node: &FlowNode,
    event: &Event,
    message: Option<&Reference<usize>>,
    findings: &mut Findings<'_>,
) {
    if node.parent.is_some() || !matches!(event.position, EventPosition::Start { .. }) {
        return;
    }
    let declared = message.and_then(|message| message.target).and_then(|index| subject.definitions.messages.get(index));
    let name = declared.and_then(|message| message.name.as_ref());
    if let Some(name) = name.filter(|name| name.language != Language::Literal) {
        findings.add(
            &START_NAME_WITH_VARIABLES,
            node.element,
            format!("{} starts the process by a message whose name is the expression `{}`", label(node), name.text),
            "write the name as plain text: before the process starts there are no variables to compute it from",
        );
    }
}

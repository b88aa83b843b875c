//! Standard loops and multi-instance activities.

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, activity, is_event_sub_process, label};
use crate::model::{Expression, FlowNode, LoopCharacteristics, MultiInstance, MultiInstanceBehavior, StandardLoop};

define! {
    LOOP_SEVERAL = "loop-several", Error, "BPMN 2.0.2 §10.3.8",
        "An activity loops in one way: as a standard loop or as multi-instance.";
    LOOP_ENDLESS = "loop-endless", Error, "BPMN 2.0.2 §10.3.8, §13.3.6",
        "A standard loop has a condition or a maximum.";
    LOOP_NEVER = "loop-maximum-zero", Warning, "BPMN 2.0.2 §10.3.8",
        "The maximum of a standard loop is at least 1.";
    MULTI_WITHOUT_COUNT = "multi-instance-without-count", Error, "BPMN 2.0.2 §10.3.8, §13.3.7",
        "A multi-instance activity says how many instances it has: a cardinality or a collection.";
    MULTI_TWO_COUNTS = "multi-instance-two-counts", Warning, "BPMN 2.0.2 §10.3.8",
        "A multi-instance activity has a cardinality or a collection, not both.";
    MULTI_COUNT_INVALID = "multi-instance-count-invalid", Error, "BPMN 2.0.2 §10.3.8",
        "A cardinality is a whole number, not negative.";
    MULTI_ITEM_WITHOUT_COLLECTION = "multi-instance-item-without-collection", Warning, "BPMN 2.0.2 §10.3.8",
        "Only a collection gives each instance an item, and a result collection takes each one's result.";
    MULTI_BEHAVIOR_WITHOUT_EVENT = "multi-instance-behavior-without-event", Warning, "BPMN 2.0.2 §10.3.8",
        "A multi-instance activity that throws events as instances complete says which.";
    LOOP_ON_EVENT_SUB_PROCESS = "event-sub-process-loop", Warning, "BPMN 2.0.2 §10.3.5",
        "An event sub-process does not loop: each occurrence of its event starts it.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, node) in subject.nodes() {
        match activity(node).and_then(|activity| activity.loop_characteristics.as_ref()) {
            None => continue,
            Some(LoopCharacteristics::Standard(standard)) => standard_loop(node, standard, findings),
            Some(LoopCharacteristics::MultiInstance(multi)) => multi_instance(node, multi, findings),
        }
        let children = subject.definitions.document.element(node.element).children();
        if let Some(second) = children.filter(|child| child.name().ends_with("LoopCharacteristics")).nth(1) {
            findings.add(
                &LOOP_SEVERAL,
                second.index(),
                format!("{} has more than one kind of loop", label(node)),
                "keep one, and put a sub-process with the other around the activity",
            );
        }
        if is_event_sub_process(node) {
            findings.add(
                &LOOP_ON_EVENT_SUB_PROCESS,
                node.element,
                format!("{} has loop characteristics", label(node)),
                "put a sub-process that loops into it",
            );
        }
    }
}

fn is_given(expression: Option<&Expression>) -> bool {
    expression.is_some_and(|expression| !expression.text.trim().is_empty())
}

fn standard_loop(node: &FlowNode, standard: &StandardLoop, findings: &mut Findings<'_>) {
    if !is_given(standard.condition.as_ref()) && standard.maximum.is_none() {
        findings.add(
            &LOOP_ENDLESS,
            standard.element,
            format!("{} loops without a condition or a maximum: it would never end", label(node)),
            "add a loopCondition, which goes on while it holds, or loopMaximum",
        );
    }
    if standard.maximum == Some(0) {
        findings.add(
            &LOOP_NEVER,
            standard.element,
            format!("{} loops at most 0 times", label(node)),
            "set loopMaximum to at least 1, or remove it",
        );
    }
}

fn multi_instance(node: &FlowNode, multi: &MultiInstance, findings: &mut Findings<'_>) {
    let has_collection = multi.data_input.is_some() || is_given(multi.extension.collection.as_ref());
    let has_cardinality = is_given(multi.cardinality.as_ref());
    match (has_cardinality, has_collection) {
        (false, false) => findings.add(
            &MULTI_WITHOUT_COUNT,
            multi.element,
            format!("{} is multi-instance, but does not say how many instances it has", label(node)),
            "add a loopCardinality, or a collection (loopDataInputRef, or the modeler's collection)",
        ),
        (true, true) => findings.add(
            &MULTI_TWO_COUNTS,
            multi.element,
            format!("{} has a cardinality and a collection", label(node)),
            "remove loopCardinality to get one instance for each item",
        ),
        _ => {}
    }
    if let Some(count) = multi.cardinality.as_ref()
        && let Ok(number) = count.text.trim().parse::<f64>()
        && (number < 0.0 || number.fract() != 0.0)
    {
        findings.add(
            &MULTI_COUNT_INVALID,
            count.element,
            format!("{} has the cardinality {}", label(node), count.text.trim()),
            "write a whole number, or an expression that gives one",
        );
    }
    item_without_collection(node, multi, has_collection, findings);
    behavior_without_event(node, multi, findings);
}

fn item_without_collection(node: &FlowNode, multi: &MultiInstance, has_collection: bool, findings: &mut Findings<'_>) {
    let has_item = multi.input_item.is_some() || multi.extension.element_variable.is_some();
    let collects = multi.data_output.is_some() || multi.extension.output_collection.is_some();
    let has_result = multi.output_item.is_some() || multi.extension.output_element.is_some();
    let (what, help) = if has_item && !has_collection {
        ("an item variable, but no collection to take items from", "add the collection, or remove the item variable")
    } else if has_result && !collects {
        (
            "a result for each instance, but no collection to put it into",
            "add the result collection, or remove the result",
        )
    } else if collects && !has_result {
        ("a result collection, but no result to put into it", "say what each instance adds to the results")
    } else {
        return;
    };
    findings.add(&MULTI_ITEM_WITHOUT_COLLECTION, multi.element, format!("{} has {what}", label(node)), help);
}

fn behavior_without_event(node: &FlowNode, multi: &MultiInstance, findings: &mut Findings<'_>) {
    let (behavior, missing) = match multi.behavior {
        MultiInstanceBehavior::All => return,
        MultiInstanceBehavior::None => ("None", multi.none_event.is_none().then_some("noneBehaviorEventRef")),
        MultiInstanceBehavior::One => ("One", multi.one_event.is_none().then_some("oneBehaviorEventRef")),
        MultiInstanceBehavior::Complex => {
            let throws = multi.complex.iter().any(|(_, events)| !events.is_empty());
            ("Complex", (!throws).then_some("complexBehaviorDefinition with an event"))
        }
    };
    if let Some(missing) = missing {
        findings.add(
            &MULTI_BEHAVIOR_WITHOUT_EVENT,
            multi.element,
            format!("{} has the behavior {behavior}, but no {missing}: nothing is thrown", label(node)),
            format!("add the {missing}, or remove `behavior`"),
        );
    }
}

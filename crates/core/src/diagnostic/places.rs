//! Which element may stand in which: the content models of the schema.

use std::sync::LazyLock;

use super::findings::Findings;
use super::rule::define;
use super::subject::{article, element_label};
use crate::model::{ByElement, KnownElement};
use crate::xml::Element;

define! {
    MISPLACED = "element-misplaced", Error, "BPMN 2.0.2 Semantic.xsd",
        "An element stands where BPMN has a place for it; elsewhere it would be skipped.";
}

/// Kinds of elements that stand in the same places.
#[derive(Clone, Copy)]
enum In {
    Activity,
    CatchEvent,
    ThrowEvent,
    Gateway,
    SubProcess,
    Choreography,
    ChoreographyActivity,
    Collaboration,
    GlobalTask,
    /// One element, by its name.
    One(&'static str),
}

impl In {
    fn holds(self, name: &str) -> bool {
        match self {
            Self::Activity => {
                matches!(
                    name,
                    "task"
                        | "userTask"
                        | "manualTask"
                        | "serviceTask"
                        | "sendTask"
                        | "receiveTask"
                        | "businessRuleTask"
                        | "scriptTask"
                        | "callActivity"
                ) || Self::SubProcess.holds(name)
            }
            Self::CatchEvent => matches!(name, "startEvent" | "intermediateCatchEvent" | "boundaryEvent"),
            // `event` is what a multi-instance activity throws as it completes.
            Self::ThrowEvent => matches!(name, "intermediateThrowEvent" | "endEvent" | "implicitThrowEvent" | "event"),
            Self::Gateway => name.ends_with("Gateway"),
            Self::SubProcess => matches!(name, "subProcess" | "transaction" | "adHocSubProcess"),
            Self::Choreography => matches!(name, "choreography" | "globalChoreographyTask" | "subChoreography"),
            Self::ChoreographyActivity => matches!(name, "choreographyTask" | "subChoreography" | "callChoreography"),
            Self::Collaboration => {
                matches!(
                    name,
                    "collaboration" | "globalConversation" | "conversation" | "choreography" | "globalChoreographyTask"
                )
            }
            Self::GlobalTask => {
                matches!(
                    name,
                    "globalTask"
                        | "globalUserTask"
                        | "globalManualTask"
                        | "globalScriptTask"
                        | "globalBusinessRuleTask"
                )
            }
            Self::One(one) => name == one,
        }
    }
}

const ROOT: &[In] = &[In::One("definitions")];
const PROCESS: &[In] = &[In::One("process"), In::SubProcess];

/// Where an element of that name may stand; nothing if any place is fine, or the schema says so of its parent.
fn places(name: &str) -> Option<&'static [In]> {
    use In::{
        Activity, CatchEvent, Choreography, ChoreographyActivity, Collaboration, Gateway, GlobalTask, One, SubProcess,
        ThrowEvent,
    };
    let places: &[In] = match name {
        "process"
        | "collaboration"
        | "message"
        | "signal"
        | "error"
        | "escalation"
        | "itemDefinition"
        | "dataStore"
        | "interface"
        | "category"
        | "resource"
        | "correlationProperty"
        | "import"
        | "partnerRole"
        | "partnerEntity"
        | "endPoint" => ROOT,
        _ if GlobalTask.holds(name) => ROOT,
        "startEvent" | "endEvent" | "sequenceFlow" | "dataObject" | "dataObjectReference" | "dataStoreReference" => {
            &[One("process"), SubProcess, Choreography]
        }
        "intermediateCatchEvent" | "intermediateThrowEvent" | "boundaryEvent" => {
            &[One("process"), SubProcess, Choreography]
        }
        _ if Activity.holds(name) => PROCESS,
        _ if Gateway.holds(name) => &[One("process"), SubProcess, Choreography],
        "laneSet" => PROCESS,
        "lane" => &[One("laneSet"), One("childLaneSet")],
        "childLaneSet" | "flowNodeRef" => &[One("lane")],
        "incoming" | "outgoing" => &[Activity, CatchEvent, ThrowEvent, Gateway, ChoreographyActivity],
        "standardLoopCharacteristics" | "multiInstanceLoopCharacteristics" => &[Activity],
        "ioSpecification" => &[Activity, One("process"), GlobalTask],
        "property" => &[Activity, CatchEvent, ThrowEvent, One("process")],
        "resourceRole" | "performer" | "humanPerformer" | "potentialOwner" => &[Activity, One("process"), GlobalTask],
        "dataInputAssociation" => &[Activity, ThrowEvent],
        "dataOutputAssociation" => &[Activity, CatchEvent],
        "dataInput" | "inputSet" => &[One("ioSpecification"), ThrowEvent],
        "dataOutput" | "outputSet" => &[One("ioSpecification"), CatchEvent],
        "conditionExpression" => &[One("sequenceFlow")],
        "activationCondition" => &[One("complexGateway")],
        "completionCondition" => &[One("multiInstanceLoopCharacteristics"), One("adHocSubProcess")],
        "loopCardinality"
        | "loopDataInputRef"
        | "loopDataOutputRef"
        | "inputDataItem"
        | "outputDataItem"
        | "complexBehaviorDefinition" => &[One("multiInstanceLoopCharacteristics")],
        "loopCondition" => &[One("standardLoopCharacteristics")],
        "timeDate" | "timeDuration" | "timeCycle" => &[One("timerEventDefinition")],
        "condition" => &[One("conditionalEventDefinition"), One("complexBehaviorDefinition")],
        "script" => &[One("scriptTask"), One("globalScriptTask")],
        "operation" => &[One("interface")],
        "inMessageRef" | "outMessageRef" => &[One("operation")],
        "participant" | "messageFlow" => &[Collaboration],
        "correlationSubscription" => &[One("process")],
        "correlationPropertyBinding" => &[One("correlationSubscription")],
        "correlationPropertyRetrievalExpression" => &[One("correlationProperty")],
        "transformation" | "assignment" => &[One("dataInputAssociation"), One("dataOutputAssociation")],
        _ if name.ends_with("EventDefinition") => &[CatchEvent, ThrowEvent, One("definitions")],
        _ => return None,
    };
    Some(places)
}

static PLACES: LazyLock<ByElement<Option<&[In]>>> = LazyLock::new(|| ByElement::new(places));

pub(super) fn check(element: Element<'_>, known: KnownElement, findings: &mut Findings<'_>) {
    if element.name() == "extensionElements" {
        return extensions(element, findings);
    }
    let Some(parent) = element.parent() else { return };
    let Some(places) = PLACES.get(known) else { return };
    if places.iter().any(|place| place.holds(parent.name())) {
        return;
    }
    findings.add(
        &MISPLACED,
        element.index(),
        format!("{} `{}` cannot stand in {}", article(element.name()), element.name(), element_label(parent)),
        "move it to where it belongs, or delete it",
    );
}

/// What vendors add is in namespaces of their own (`any namespace="##other"`); what is BPMN's would be skipped there.
fn extensions(holder: Element<'_>, findings: &mut Findings<'_>) {
    for element in holder.children().filter(|child| child.namespace_id() == holder.namespace_id()) {
        if KnownElement::of(element.name()).is_none() {
            continue;
        }
        findings.add(
            &MISPLACED,
            element.index(),
            format!(
                "{} `{}` of BPMN itself cannot stand in `extensionElements`",
                article(element.name()),
                element.name()
            ),
            "move it out of `extensionElements`, to where it belongs",
        );
    }
}

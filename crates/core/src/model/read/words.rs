//! The names of BPMN's elements.

/// The namespace of BPMN 2.0 models.
pub(super) const MODEL: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";

/// What the namespaces of BPMN diagrams begin with.
const DIAGRAM: [&str; 2] = ["http://www.omg.org/spec/BPMN/20100524/DI", "http://www.omg.org/spec/DD/20100524/"];

/// Whether a namespace is one of those that diagrams are written in.
pub(crate) fn is_diagram(namespace: &str) -> bool {
    DIAGRAM.iter().any(|start| namespace.starts_with(start))
}

/// Whether an element of that name is something a token can stand on.
pub(crate) fn is_flow_node(name: &str) -> bool {
    is_activity(name) || is_event(name) || name.ends_with("Gateway") && is_known(name)
}

pub(super) fn is_activity(name: &str) -> bool {
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
    ) || is_sub_process(name)
}

pub(super) fn is_event(name: &str) -> bool {
    matches!(name, "startEvent" | "intermediateCatchEvent" | "intermediateThrowEvent" | "boundaryEvent" | "endEvent")
}

/// Whether an element of that name holds flow nodes of its own.
pub(super) fn is_sub_process(name: &str) -> bool {
    matches!(name, "subProcess" | "transaction" | "adHocSubProcess")
}

/// Whether an element of that name holds pools.
pub(super) fn is_collaboration(name: &str) -> bool {
    matches!(name, "collaboration" | "choreography" | "globalConversation" | "conversation")
}

pub(crate) fn is_global_task(name: &str) -> bool {
    matches!(name, "globalTask" | "globalUserTask" | "globalManualTask" | "globalScriptTask" | "globalBusinessRuleTask")
}

/// Whether BPMN has an element of that name, also one that is not executed.
pub(super) fn is_known(name: &str) -> bool {
    KnownElement::of(name).is_some()
}

/// The name of one of BPMN's elements, as its place among [`ELEMENTS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownElement(u8);

impl KnownElement {
    /// Every element of a file is asked for several times, so this looks at few letters.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let mut slot = slot(name.as_bytes());
        while SLOTS[slot] != FREE {
            if ELEMENTS[usize::from(SLOTS[slot])] == name {
                return Some(Self(SLOTS[slot]));
            }
            slot = (slot + 1) % SLOTS.len();
        }
        None
    }
}

/// The elements' places, each in its name's slot or the next that is free.
const SLOTS: [u8; 1024] = {
    let mut slots = [FREE; 1024];
    let mut place = 0;
    while (place as usize) < ELEMENTS.len() {
        let mut slot = slot(ELEMENTS[place as usize].as_bytes());
        while slots[slot] != FREE {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = place;
        place += 1;
    }
    slots
};

/// No element's place.
const FREE: u8 = u8::MAX;

/// Where to look for a name: its length and four of its letters tell almost all of them apart.
const fn slot(name: &[u8]) -> usize {
    let length = name.len();
    if length == 0 {
        return 0;
    }
    let letters = [name[0], name[length / 3], name[length / 2], name[length - 1]];
    let told = u32::from_le_bytes(letters) as u64 | (length as u64) << 32;
    (told.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize
}

/// Something about each of BPMN's elements, found without comparing names again.
pub(crate) struct ByElement<T>(Vec<T>);

impl<T> ByElement<T> {
    pub(crate) fn new(of: impl Fn(&'static str) -> T) -> Self {
        Self(ELEMENTS.into_iter().map(of).collect())
    }

    pub(crate) fn get(&self, element: KnownElement) -> &T {
        &self.0[usize::from(element.0)]
    }
}

/// All elements of the schema, global and local (`BPMN20.xsd`, `Semantic.xsd`), and `conversation` of its beta; sorted.
const ELEMENTS: [&str; 187] = [
    "activationCondition",
    "activity",
    "adHocSubProcess",
    "artifact",
    "assignment",
    "association",
    "auditing",
    "baseElement",
    "baseElementWithMixedContent",
    "boundaryEvent",
    "businessRuleTask",
    "callActivity",
    "callChoreography",
    "callConversation",
    "callableElement",
    "cancelEventDefinition",
    "catchEvent",
    "category",
    "categoryValue",
    "categoryValueRef",
    "childLaneSet",
    "choreography",
    "choreographyActivity",
    "choreographyRef",
    "choreographyTask",
    "collaboration",
    "compensateEventDefinition",
    "completionCondition",
    "complexBehaviorDefinition",
    "complexGateway",
    "condition",
    "conditionExpression",
    "conditionalEventDefinition",
    "conversation",
    "conversationAssociation",
    "conversationLink",
    "conversationNode",
    "correlationKey",
    "correlationProperty",
    "correlationPropertyBinding",
    "correlationPropertyRef",
    "correlationPropertyRetrievalExpression",
    "correlationSubscription",
    "dataAssociation",
    "dataInput",
    "dataInputAssociation",
    "dataInputRefs",
    "dataObject",
    "dataObjectReference",
    "dataOutput",
    "dataOutputAssociation",
    "dataOutputRefs",
    "dataPath",
    "dataState",
    "dataStore",
    "dataStoreReference",
    "definitions",
    "documentation",
    "endEvent",
    "endPoint",
    "endPointRef",
    "error",
    "errorEventDefinition",
    "errorRef",
    "escalation",
    "escalationEventDefinition",
    "event",
    "eventBasedGateway",
    "eventDefinition",
    "eventDefinitionRef",
    "exclusiveGateway",
    "expression",
    "extension",
    "extensionElements",
    "flowElement",
    "flowNode",
    "flowNodeRef",
    "formalExpression",
    "from",
    "gateway",
    "globalBusinessRuleTask",
    "globalChoreographyTask",
    "globalConversation",
    "globalManualTask",
    "globalScriptTask",
    "globalTask",
    "globalUserTask",
    "group",
    "humanPerformer",
    "implicitThrowEvent",
    "import",
    "inMessageRef",
    "inclusiveGateway",
    "incoming",
    "innerParticipantRef",
    "inputDataItem",
    "inputSet",
    "inputSetRefs",
    "interface",
    "interfaceRef",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "ioBinding",
    "ioSpecification",
    "itemDefinition",
    "lane",
    "laneSet",
    "linkEventDefinition",
    "loopCardinality",
    "loopCharacteristics",
    "loopCondition",
    "loopDataInputRef",
    "loopDataOutputRef",
    "manualTask",
    "message",
    "messageEventDefinition",
    "messageFlow",
    "messageFlowAssociation",
    "messageFlowRef",
    "messagePath",
    "monitoring",
    "multiInstanceLoopCharacteristics",
    "operation",
    "operationRef",
    "optionalInputRefs",
    "optionalOutputRefs",
    "outMessageRef",
    "outerParticipantRef",
    "outgoing",
    "outputDataItem",
    "outputSet",
    "outputSetRefs",
    "parallelGateway",
    "participant",
    "participantAssociation",
    "participantMultiplicity",
    "participantRef",
    "partitionElement",
    "partnerEntity",
    "partnerRole",
    "performer",
    "potentialOwner",
    "process",
    "property",
    "receiveTask",
    "relationship",
    "rendering",
    "resource",
    "resourceAssignmentExpression",
    "resourceParameter",
    "resourceParameterBinding",
    "resourceRef",
    "resourceRole",
    "rootElement",
    "script",
    "scriptTask",
    "sendTask",
    "sequenceFlow",
    "serviceTask",
    "signal",
    "signalEventDefinition",
    "source",
    "sourceRef",
    "standardLoopCharacteristics",
    "startEvent",
    "subChoreography",
    "subConversation",
    "subProcess",
    "supportedInterfaceRef",
    "supports",
    "target",
    "targetRef",
    "task",
    "terminateEventDefinition",
    "text",
    "textAnnotation",
    "throwEvent",
    "timeCycle",
    "timeDate",
    "timeDuration",
    "timerEventDefinition",
    "to",
    "transaction",
    "transformation",
    "userTask",
    "whileExecutingInputRefs",
    "whileExecutingOutputRefs",
];

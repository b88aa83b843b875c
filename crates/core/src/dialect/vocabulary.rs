//! Every word of the dialects that we know of, and what becomes of it.

use super::namespace::Family;

/// What becomes of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It does at run time what its author expects.
    Honoured,
    /// It does nothing at run time in its own engine either, or is only shown.
    Silent,
    /// It would do something in its own engine and does nothing here; what to do instead.
    Ignored(&'static str),
    /// It names Java code, for which a job stands here.
    Java,
    /// The model cannot run here; what to do instead.
    Unsupported(&'static str),
    /// We have never heard of it.
    Unknown,
}

impl Mark {
    /// Whether it does something at run time, here or in its own engine.
    pub(super) fn acts(self) -> bool {
        !matches!(self, Self::Silent | Self::Unknown)
    }
}

/// Words, separated by spaces, that share a mark.
type Marked = (Mark, &'static str);

/// An extension element with its own attributes.
struct Word {
    name: &'static str,
    mark: Mark,
    attributes: &'static [Marked],
}

struct Vocabulary {
    /// Attributes that stand on BPMN's own elements.
    attributes: &'static [Marked],
    /// Extension elements, wherever they stand.
    elements: &'static [Word],
}

/// What becomes of an extension attribute on an element of BPMN.
pub(super) fn attribute(family: Family, name: &str) -> Mark {
    find(vocabulary(family).attributes, name)
}

/// The elements of BPMN that an honoured attribute has an effect on; none if it may stand on many.
pub(super) fn hosts(name: &str) -> Option<&'static str> {
    let among = |words: &str| words.split_ascii_whitespace().any(|word| word == name);
    HOSTS.iter().find(|(names, _)| among(names)).map(|(_, hosts)| *hosts)
}

/// What becomes of an extension element.
pub(super) fn element(family: Family, name: &str) -> Mark {
    word(family, name).map_or(Mark::Unknown, |word| word.mark)
}

/// What becomes of an attribute of an extension element.
pub(super) fn element_attribute(family: Family, element: &str, name: &str) -> Mark {
    word(family, element).map_or(Mark::Unknown, |word| find(word.attributes, name))
}

fn vocabulary(family: Family) -> &'static Vocabulary {
    match family {
        Family::Classic => &CLASSIC,
        Family::Zeebe => &ZEEBE,
        Family::Potok => &POTOK,
    }
}

fn word(family: Family, name: &str) -> Option<&'static Word> {
    vocabulary(family).elements.iter().find(|word| word.name == name)
}

fn find(marked: &[Marked], name: &str) -> Mark {
    let found = marked
        .iter()
        .find(|(_, names)| names.split_ascii_whitespace().any(|known| known == name));
    found.map_or(Mark::Unknown, |(mark, _)| *mark)
}

const fn word_of(name: &'static str, attributes: &'static [Marked]) -> Word {
    Word {
        name,
        mark: Mark::Honoured,
        attributes,
    }
}

const fn marked_word(name: &'static str, mark: Mark, attributes: &'static [Marked]) -> Word {
    Word { name, mark, attributes }
}

use Mark::{Honoured, Ignored, Java, Silent, Unsupported};

const NO_JAVA: &str = "Java code cannot run here; do the same with mappings, an expression or a worker";
const NO_EVENT_REGISTRY: &str = "use a BPMN message instead; there is no event registry here";
const NO_CASES: &str = "cases (CMMN) cannot run here; call a process instead";
const INLINE: &str = "write the script into the model";
const VARIABLES_ARE_KEPT: &str = "every variable is kept; map what should be seen outside with an output mapping";
const NO_TENANT: &str = "what is called is looked up in the instance's own tenant";
const IN_FEED: &str = "listen to the engine's event feed instead";
const BY_API: &str = "give the worker what it needs with a header or an input mapping";

/// Attributes, and the elements they belong on.
const HOSTS: &[(&str, &str)] = &[
    (
        "assignee owner candidateUsers candidateGroups dueDate followUpDate",
        "userTask globalUserTask",
    ),
    (
        "priority",
        "userTask globalUserTask serviceTask sendTask businessRuleTask scriptTask globalBusinessRuleTask \
         globalScriptTask intermediateThrowEvent endEvent messageEventDefinition",
    ),
    (
        "job retries",
        "serviceTask sendTask businessRuleTask scriptTask globalBusinessRuleTask globalScriptTask \
         intermediateThrowEvent endEvent messageEventDefinition",
    ),
    (
        "type topic class delegateExpression expression",
        "serviceTask sendTask businessRuleTask globalBusinessRuleTask messageEventDefinition",
    ),
    (
        "resultVariable resultVariableName",
        "serviceTask sendTask businessRuleTask scriptTask globalBusinessRuleTask globalScriptTask \
         messageEventDefinition",
    ),
    (
        "decision decisionRef mapDecisionResult",
        "businessRuleTask globalBusinessRuleTask serviceTask",
    ),
    ("form formKey formRef", "userTask globalUserTask startEvent"),
    ("initiator", "startEvent"),
    (
        "collection elementVariable elementIndexVariable outputCollection outputElement",
        "multiInstanceLoopCharacteristics",
    ),
    ("correlationKey", "message"),
    ("group", "lane"),
    ("versionTag historyTimeToLive", "process"),
    (
        "errorCodeVariable errorMessageVariable errorVariableName",
        "errorEventDefinition",
    ),
    ("errorMessage", "error"),
    ("escalationCodeVariable", "escalationEventDefinition"),
    ("terminateAll", "terminateEventDefinition"),
];

/// Camunda 7 and its forks, Flowable and Activiti.
static CLASSIC: Vocabulary = Vocabulary {
    attributes: &[
        (
            Honoured,
            "asyncBefore asyncAfter async asyncLeave exclusive jobPriority taskPriority errorCodeVariable \
             errorMessageVariable errorMessage errorVariableName escalationCodeVariable formKey formRef formRefBinding \
             formRefVersion formRefVersionTag initiator resultVariable resultVariableName candidateStarterGroups \
             candidateStarterUsers versionTag historyTimeToLive isStartableInTasklist assignee owner candidateUsers \
             candidateGroups dueDate followUpDate priority calledElementBinding calledElementVersion \
             calledElementVersionTag expression type topic decisionRef decisionRefBinding decisionRefVersion \
             decisionRefVersionTag mapDecisionResult collection elementVariable elementIndexVariable variableName \
             skipExpression sameDeployment businessKey inheritBusinessKey inheritVariables correlationKey scope \
             terminateAll calledElementType",
        ),
        (Java, "class delegateExpression"),
        (
            Silent,
            "diagramRelationId modelerTemplate modelerTemplateVersion formreference autoStoreVariables category",
        ),
        (
            Unsupported(NO_JAVA),
            "variableMappingClass variableMappingDelegateExpression",
        ),
        (
            Unsupported(NO_CASES),
            "caseRef caseBinding caseVersion caseTenantId caseDefinitionKey caseInstanceName",
        ),
        (
            Ignored(NO_JAVA),
            "formHandlerClass rules ruleVariablesInput exclude extensionId parallelInSameTransaction \
             customPropertiesResolverClass customPropertiesResolverExpression \
             customPropertiesResolverDelegateExpression httpRequestHandler httpResponseHandler alfrescoScriptType",
        ),
        (Ignored(INLINE), "resource"),
        (
            Ignored(NO_TENANT),
            "calledElementTenantId decisionRefTenantId fallbackToDefaultTenant",
        ),
        (Ignored("every change of a variable is looked at"), "variableEvents"),
        (
            Ignored("name the message or signal with an expression instead"),
            "messageExpression signalExpression",
        ),
        (
            Ignored("write the end into the cycle, e.g. `R10/PT1H`, or catch it with a gateway"),
            "endDate",
        ),
        (
            Ignored("the error's variables are set in the scope of the event"),
            "errorVariableLocalScope",
        ),
        (
            Ignored(VARIABLES_ARE_KEPT),
            "errorVariableTransient storeResultVariableAsTransient storeAsTransientVariable \
             useLocalScopeForResultVariable useLocalScopeForOutParameters",
        ),
        (
            Ignored("a worker asks for the variables it wants"),
            "doNotIncludeVariables",
        ),
        (
            Ignored("working calendars are set for the engine"),
            "businessCalendarName",
        ),
        (
            Ignored("the called instance is named by its business key"),
            "processInstanceName idVariableName",
        ),
        (
            Ignored("read it from the task through the API"),
            "taskIdVariableName taskCompleterVariableName",
        ),
        (
            Ignored("end a multi-instance activity with a completion condition"),
            "terminateMultiInstance",
        ),
        (Ignored("put a receive task behind the task"), "triggerable"),
        (Ignored("fields of a form are always checked"), "formFieldValidation"),
        (Ignored("dates are read strictly, as ISO 8601"), "lenientDateParsing"),
        (
            Ignored("history is kept whole, for the engine's default time"),
            "history",
        ),
        (
            Ignored(NO_EVENT_REGISTRY),
            "sendSynchronously manualSubscription startEventCorrelationConfiguration",
        ),
        (
            Ignored("it only tunes the other engine; set asyncBefore or asyncAfter where work should be cut"),
            "completeAsync asyncLeaveExclusive noWaitStatesAsyncLeave isEagerExecutionFetching",
        ),
    ],
    elements: &[
        word_of("in", HANDOVER),
        word_of("out", HANDOVER),
        word_of("properties", &[]),
        word_of("property", &[(Honoured, "id name value")]),
        marked_word("connector", Java, &[]),
        word_of("connectorId", &[]),
        word_of("inputOutput", &[]),
        word_of("inputParameter", &[(Honoured, "name")]),
        word_of("outputParameter", &[(Honoured, "name")]),
        word_of("list", &[]),
        word_of("map", &[]),
        word_of("entry", &[(Honoured, "key")]),
        word_of("value", &[(Honoured, "id name")]),
        word_of(
            "script",
            &[
                (Honoured, "scriptFormat language"),
                (Ignored(INLINE), "resource"),
                (Ignored("set the variable in the script"), "resultVariable"),
            ],
        ),
        word_of("field", &[(Honoured, "name stringValue expression")]),
        word_of("string", &[]),
        word_of("expression", &[]),
        word_of("failedJobRetryTimeCycle", &[]),
        word_of(
            "executionListener",
            &[
                (Honoured, "event expression type"),
                (Java, "class delegateExpression"),
                (
                    Ignored("listeners are called in the engine's own transaction"),
                    "onTransaction",
                ),
                (Ignored(NO_JAVA), RESOLVERS),
            ],
        ),
        word_of(
            "taskListener",
            &[
                (Honoured, "event expression id type"),
                (Java, "class delegateExpression"),
                (
                    Ignored("listeners are called in the engine's own transaction"),
                    "onTransaction",
                ),
                (Ignored(NO_JAVA), RESOLVERS),
            ],
        ),
        word_of(
            "formProperty",
            &[(
                Honoured,
                "id name type required readable writable variable expression datePattern default",
            )],
        ),
        word_of("formData", &[(Honoured, "businessKey")]),
        word_of("formField", &[(Honoured, "id label type datePattern defaultValue")]),
        word_of("validation", &[]),
        word_of("constraint", &[(Honoured, "name config")]),
        word_of("externalWorkerInParameter", PARAMETER),
        word_of("externalWorkerOutParameter", PARAMETER),
        word_of(
            "collection",
            &[(
                Ignored("the collection comes from the expression inside it"),
                "class delegateExpression",
            )],
        ),
        word_of(
            "variableAggregation",
            &[
                (Honoured, "target"),
                (Ignored("name the target"), "targetExpression"),
                (Ignored(NO_JAVA), "class delegateExpression"),
                (
                    Ignored(VARIABLES_ARE_KEPT),
                    "storeAsTransientVariable createOverviewVariable",
                ),
            ],
        ),
        word_of("variable", &[(Honoured, "source target")]),
        marked_word(
            "errorEventDefinition",
            Ignored("let the worker throw a BPMN error"),
            &[(Silent, "id errorRef expression errorCodeVariable errorMessageVariable")],
        ),
        marked_word(
            "mapException",
            Ignored("let the worker throw a BPMN error"),
            &[(Silent, EXCEPTION)],
        ),
        marked_word(
            "potentialStarter",
            Ignored("name the starters in candidateStarterUsers and -Groups"),
            &[],
        ),
        marked_word("resourceAssignmentExpression", Silent, &[]),
        marked_word("eventListener", Ignored(IN_FEED), &[(Silent, EVENT_LISTENER)]),
        marked_word(
            "customResource",
            Ignored("use candidateUsers and candidateGroups"),
            &[(Silent, "name")],
        ),
        marked_word("eventType", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word("triggerEventType", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word(
            "eventCorrelationParameter",
            Ignored(NO_EVENT_REGISTRY),
            &[(Silent, "name value")],
        ),
        marked_word(
            "triggerEventCorrelationParameter",
            Ignored(NO_EVENT_REGISTRY),
            &[(Silent, "name value")],
        ),
        marked_word(
            "eventInParameter",
            Ignored(NO_EVENT_REGISTRY),
            &[(Silent, EVENT_PARAMETER)],
        ),
        marked_word(
            "eventOutParameter",
            Ignored(NO_EVENT_REGISTRY),
            &[(Silent, EVENT_PARAMETER)],
        ),
        marked_word("startEventCorrelationConfiguration", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word("sendSynchronously", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word(
            "variableListenerEventDefinition",
            Ignored("use a conditional event"),
            &[(Silent, LISTENED)],
        ),
        marked_word(
            "httpRequestHandler",
            Ignored(NO_JAVA),
            &[(Silent, "class delegateExpression")],
        ),
        marked_word(
            "httpResponseHandler",
            Ignored(NO_JAVA),
            &[(Silent, "class delegateExpression")],
        ),
        marked_word("caseDefinitionKey", Unsupported(NO_CASES), &[]),
        marked_word("localization", Silent, &[(Silent, "locale name")]),
        marked_word("documentation", Silent, &[]),
        marked_word("formreference", Silent, &[]),
    ],
};

const HANDOVER: &[Marked] = &[
    (Honoured, "source sourceExpression target businessKey variables local"),
    (Ignored("name the target variable"), "targetExpression"),
    (Ignored(VARIABLES_ARE_KEPT), "transient"),
];
const PARAMETER: &[Marked] = &[
    (Honoured, "source sourceExpression target"),
    (Ignored("name the target variable"), "targetExpression"),
    (Ignored(VARIABLES_ARE_KEPT), "transient"),
];
const RESOLVERS: &str = "customPropertiesResolverClass customPropertiesResolverExpression \
                         customPropertiesResolverDelegateExpression";
const EVENT_LISTENER: &str =
    "events entityType throwEvent signalName messageName errorCode class delegateExpression onTransaction";
const EVENT_PARAMETER: &str = "source sourceExpression sourceType target targetType transient";
const EXCEPTION: &str = "errorCode includeChildExceptions rootCause";
const LISTENED: &str = "variableName variableChangeType";

/// Camunda 8.
static ZEEBE: Vocabulary = Vocabulary {
    attributes: &[
        (Silent, "modelerTemplate modelerTemplateVersion modelerTemplateIcon"),
        (Ignored("set the retries in the task definition"), "retryCounter"),
    ],
    elements: &[
        word_of("ioMapping", &[]),
        word_of("input", ZEEBE_MAPPING),
        word_of("output", ZEEBE_MAPPING),
        word_of("subscription", &[(Honoured, "correlationKey")]),
        word_of("taskHeaders", &[]),
        word_of("header", &[(Honoured, "id key value")]),
        word_of("taskDefinition", &[(Honoured, "type retries")]),
        word_of(
            "loopCharacteristics",
            &[(Honoured, "inputCollection inputElement outputCollection outputElement")],
        ),
        word_of(
            "calledElement",
            &[
                (
                    Honoured,
                    "processId propagateAllChildVariables propagateAllParentVariables businessId",
                ),
                (Honoured, "bindingType versionTag"),
                (
                    Ignored("write the expression into processId, with `=` before it"),
                    "processIdExpression",
                ),
            ],
        ),
        word_of("userTaskForm", &[(Honoured, "id")]),
        word_of(
            "formDefinition",
            &[(Honoured, "formKey formId externalReference bindingType versionTag")],
        ),
        marked_word("linkedResources", Ignored(BY_API), &[]),
        marked_word(
            "linkedResource",
            Silent,
            &[(Silent, "resourceId resourceType linkName bindingType versionTag")],
        ),
        word_of("userTask", &[]),
        word_of(
            "calledDecision",
            &[(Honoured, "decisionId resultVariable bindingType versionTag")],
        ),
        word_of(
            "assignmentDefinition",
            &[(Honoured, "assignee candidateGroups candidateUsers")],
        ),
        word_of("priorityDefinition", &[(Honoured, "priority")]),
        word_of("jobPriorityDefinition", &[(Honoured, "priority")]),
        word_of("taskSchedule", &[(Honoured, "dueDate followUpDate")]),
        word_of("properties", &[]),
        word_of("property", &[(Honoured, "name value"), (Silent, ZEEBE_TEMPLATE)]),
        word_of("script", &[(Honoured, "expression resultVariable")]),
        word_of("executionListeners", &[]),
        word_of("executionListener", &[(Honoured, "eventType retries type")]),
        word_of("taskListeners", &[]),
        word_of("taskListener", &[(Honoured, "eventType retries type")]),
        word_of("versionTag", &[(Honoured, "value")]),
        word_of(
            "adHoc",
            &[
                (Honoured, "activeElementsCollection"),
                (
                    Ignored("collect the results with output mappings of the activities inside"),
                    AD_HOC_OUTPUT,
                ),
            ],
        ),
        word_of(
            "conditionalFilter",
            &[
                (Honoured, "variableNames"),
                (Ignored("every change of a variable is looked at"), "variableEvents"),
            ],
        ),
        marked_word("agentDefinition", Ignored(BY_API), &[(Silent, "agentType")]),
    ],
};

const ZEEBE_MAPPING: &[Marked] = &[(Honoured, "source target"), (Silent, ZEEBE_TEMPLATE)];
const ZEEBE_TEMPLATE: &str = "modelerConfigurationTemplate modelerConfigurationName";
const AD_HOC_OUTPUT: &str = "outputCollection outputElement";

/// Ours. `docs/extensions.md` says what each word means.
static POTOK: Vocabulary = Vocabulary {
    attributes: &[(
        Honoured,
        "group savepoint form job retries assignee candidateUsers candidateGroups dueDate followUpDate priority owner \
         decision resultVariable collection elementVariable outputCollection outputElement correlationKey \
         errorCodeVariable errorMessageVariable errorMessage escalationCodeVariable initiator",
    )],
    elements: &[
        word_of("input", &[(Honoured, "source target")]),
        word_of("output", &[(Honoured, "source target")]),
        word_of("header", &[(Honoured, "key value")]),
        word_of("formField", &[(Honoured, "id label type required default")]),
        word_of("value", &[(Honoured, "id label")]),
        word_of("property", &[(Honoured, "name value")]),
    ],
};

//! Camunda 7 and its forks, Flowable and Activiti.

use super::Mark::{Honoured, Ignored, Java, Silent, Unsupported};
use super::{FLOW_NODES, Marked, Vocabulary, marked_word, word_of};

const NO_JAVA: &str = "Java code cannot run here; do the same with mappings, an expression or a worker";
const NO_EVENT_REGISTRY: &str = "use a BPMN message instead; there is no event registry here";
const NO_CASES: &str = "cases (CMMN) cannot run here; call a process instead";
const INLINE: &str = "write the script into the model";
const VARIABLES_ARE_KEPT: &str = "every variable is kept; map what should be seen outside with an output mapping";
const NO_TENANT: &str = "what is called is looked up in the instance's own tenant";
const IN_FEED: &str = "listen to the engine's event feed instead";

pub(super) static WORDS: Vocabulary = Vocabulary {
    attributes: &[
        (
            Honoured,
            "asyncBefore asyncAfter async asyncLeave exclusive jobPriority taskPriority errorCodeVariable \
             errorMessageVariable errorMessage errorVariableName escalationCodeVariable formKey formRef formRefBinding \
             formRefVersion formRefVersionTag initiator resultVariable resultVariableName candidateStarterGroups \
             candidateStarterUsers versionTag historyTimeToLive isStartableInTasklist assignee owner candidateUsers \
             candidateGroups dueDate followUpDate priority calledElementBinding calledElementVersion \
             calledElementVersionTag expression type topic decisionRef decisionRefBinding decisionRefVersion \
             decisionRefVersionTag mapDecisionResult collection elementVariable elementIndexVariable \
             skipExpression sameDeployment businessKey inheritBusinessKey inheritVariables correlationKey scope \
             terminateAll calledElementType scriptFormat messageExpression signalExpression endDate \
             errorVariableLocalScope idVariableName doNotIncludeVariables",
        ),
        (Java, "class delegateExpression"),
        (Silent, "diagramRelationId modelerTemplate modelerTemplateVersion formreference autoStoreVariables"),
        (Ignored("say it in a <potok:property>, which is shown with the task"), "category"),
        (Unsupported(NO_JAVA), "variableMappingClass variableMappingDelegateExpression"),
        (Unsupported(NO_CASES), "caseRef caseBinding caseVersion caseTenantId caseDefinitionKey caseInstanceName"),
        (
            Ignored(NO_JAVA),
            "formHandlerClass rules ruleVariablesInput exclude extensionId parallelInSameTransaction \
             customPropertiesResolverClass customPropertiesResolverExpression \
             customPropertiesResolverDelegateExpression httpRequestHandler httpResponseHandler alfrescoScriptType",
        ),
        (Ignored(INLINE), "resource"),
        (Ignored(NO_TENANT), "calledElementTenantId decisionRefTenantId fallbackToDefaultTenant"),
        (Honoured, "variableName variableEvents"),
        (
            Ignored(VARIABLES_ARE_KEPT),
            "errorVariableTransient storeResultVariableAsTransient storeAsTransientVariable \
             useLocalScopeForResultVariable useLocalScopeForOutParameters",
        ),
        (Ignored("working calendars are set for the engine"), "businessCalendarName"),
        (Ignored("the called instance is named by its business key"), "processInstanceName"),
        (Ignored("read it from the task through the API"), "taskIdVariableName taskCompleterVariableName"),
        (Ignored("end a multi-instance activity with a completion condition"), "terminateMultiInstance"),
        (Ignored("put a receive task behind the task"), "triggerable"),
        (Ignored("fields of a form are always checked"), "formFieldValidation"),
        (Ignored("dates are read strictly, as ISO 8601"), "lenientDateParsing"),
        (Ignored("history is kept whole, for the engine's default time"), "history"),
        (Ignored(NO_EVENT_REGISTRY), "sendSynchronously manualSubscription startEventCorrelationConfiguration"),
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
                (Ignored("listeners are called in the engine's own transaction"), "onTransaction"),
                (Ignored(NO_JAVA), RESOLVERS),
            ],
        ),
        word_of(
            "taskListener",
            &[
                (Honoured, "event expression id type"),
                (Java, "class delegateExpression"),
                (Ignored("listeners are called in the engine's own transaction"), "onTransaction"),
                (Ignored(NO_JAVA), RESOLVERS),
            ],
        ),
        word_of(
            "formProperty",
            &[(Honoured, "id name type required readable writable variable expression datePattern default")],
        ),
        word_of("formData", &[(Honoured, "businessKey")]),
        word_of("formField", &[(Honoured, "id label type datePattern defaultValue")]),
        word_of("validation", &[]),
        word_of("constraint", &[(Honoured, "name config")]),
        word_of("externalWorkerInParameter", PARAMETER),
        word_of("externalWorkerOutParameter", PARAMETER),
        word_of(
            "collection",
            &[(Ignored("the collection comes from the expression inside it"), "class delegateExpression")],
        ),
        word_of(
            "variableAggregation",
            &[
                (Honoured, "target"),
                (Ignored("name the target"), "targetExpression"),
                (Ignored(NO_JAVA), "class delegateExpression"),
                (Ignored(VARIABLES_ARE_KEPT), "storeAsTransientVariable createOverviewVariable"),
            ],
        ),
        word_of(
            "variable",
            &[(Honoured, "source sourceExpression target"), (Ignored("name the target"), "targetExpression")],
        ),
        marked_word(
            "errorEventDefinition",
            Ignored("let the worker throw a BPMN error"),
            &[(Silent, "id errorRef expression errorCodeVariable errorMessageVariable")],
        ),
        marked_word("mapException", Ignored("let the worker throw a BPMN error"), &[(Silent, EXCEPTION)]),
        marked_word("potentialStarter", Ignored("name the starters in candidateStarterUsers and -Groups"), &[]),
        marked_word("resourceAssignmentExpression", Silent, &[]),
        marked_word("eventListener", Ignored(IN_FEED), &[(Silent, EVENT_LISTENER)]),
        marked_word("customResource", Ignored("use candidateUsers and candidateGroups"), &[(Silent, "name")]),
        marked_word("eventType", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word("triggerEventType", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word("eventCorrelationParameter", Ignored(NO_EVENT_REGISTRY), &[(Silent, "name value")]),
        marked_word("triggerEventCorrelationParameter", Ignored(NO_EVENT_REGISTRY), &[(Silent, "name value")]),
        marked_word("eventInParameter", Ignored(NO_EVENT_REGISTRY), &[(Silent, EVENT_PARAMETER)]),
        marked_word("eventOutParameter", Ignored(NO_EVENT_REGISTRY), &[(Silent, EVENT_PARAMETER)]),
        marked_word("startEventCorrelationConfiguration", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word("sendSynchronously", Ignored(NO_EVENT_REGISTRY), &[]),
        marked_word("variableListenerEventDefinition", Ignored("use a conditional event"), &[(Silent, LISTENED)]),
        marked_word("httpRequestHandler", Ignored(NO_JAVA), &[(Silent, "class delegateExpression")]),
        marked_word("httpResponseHandler", Ignored(NO_JAVA), &[(Silent, "class delegateExpression")]),
        marked_word("caseDefinitionKey", Unsupported(NO_CASES), &[]),
        marked_word("localization", Silent, &[(Silent, "locale name")]),
        marked_word("documentation", Silent, &[]),
        marked_word("formreference", Silent, &[]),
    ],
};

const HANDOVER: &[Marked] = &[
    (Honoured, "source sourceExpression target targetExpression businessKey variables local"),
    (Ignored(VARIABLES_ARE_KEPT), "transient"),
];
const PARAMETER: &[Marked] =
    &[(Honoured, "source sourceExpression target targetExpression"), (Ignored(VARIABLES_ARE_KEPT), "transient")];
const RESOLVERS: &str = "customPropertiesResolverClass customPropertiesResolverExpression \
                         customPropertiesResolverDelegateExpression";
const EVENT_LISTENER: &str =
    "events entityType throwEvent signalName messageName errorCode class delegateExpression onTransaction";
const EVENT_PARAMETER: &str = "source sourceExpression sourceType target targetType transient";
const EXCEPTION: &str = "errorCode includeChildExceptions rootCause";
const LISTENED: &str = "variableName variableChangeType";

/// Extension elements, and the elements they belong in.
pub(super) const ELEMENT_HOSTS: &[(&str, &str)] = &[
    ("in", "callActivity signalEventDefinition"),
    ("out", "callActivity"),
    ("inputOutput", FLOW_NODES),
    ("formData formProperty", "userTask globalUserTask startEvent"),
    ("taskListener", "userTask globalUserTask"),
    ("externalWorkerInParameter externalWorkerOutParameter", "serviceTask"),
    ("connector", "serviceTask sendTask businessRuleTask messageEventDefinition"),
    ("collection variableAggregation", "multiInstanceLoopCharacteristics"),
];

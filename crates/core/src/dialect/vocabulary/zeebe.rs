//! Camunda 8.

use super::Mark::{Honoured, Ignored, Silent};
use super::{Marked, Vocabulary, marked_word, word_of};

const BY_API: &str = "give the worker what it needs with a header or an input mapping";

pub(super) static WORDS: Vocabulary = Vocabulary {
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
        word_of("loopCharacteristics", &[(Honoured, "inputCollection inputElement outputCollection outputElement")]),
        word_of(
            "calledElement",
            &[
                (Honoured, "processId propagateAllChildVariables propagateAllParentVariables businessId"),
                (Honoured, "bindingType versionTag"),
                (Ignored("write the expression into processId, with `=` before it"), "processIdExpression"),
            ],
        ),
        word_of("userTaskForm", &[(Honoured, "id")]),
        word_of("formDefinition", &[(Honoured, "formKey formId externalReference bindingType versionTag")]),
        marked_word("linkedResources", Ignored(BY_API), &[]),
        marked_word("linkedResource", Silent, &[(Silent, "resourceId resourceType linkName bindingType versionTag")]),
        word_of("userTask", &[]),
        word_of("calledDecision", &[(Honoured, "decisionId resultVariable bindingType versionTag")]),
        word_of("assignmentDefinition", &[(Honoured, "assignee candidateGroups candidateUsers")]),
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
                (Ignored("collect the results with output mappings of the activities inside"), AD_HOC_OUTPUT),
            ],
        ),
        word_of("conditionalFilter", &[(Honoured, "variableNames variableEvents")]),
        marked_word("agentDefinition", Ignored(BY_API), &[(Silent, "agentType")]),
    ],
};

const ZEEBE_MAPPING: &[Marked] = &[(Honoured, "source target"), (Silent, ZEEBE_TEMPLATE)];
const ZEEBE_TEMPLATE: &str = "modelerConfigurationTemplate modelerConfigurationName";
const AD_HOC_OUTPUT: &str = "outputCollection outputElement";

/// Extension elements, and the elements they belong in.
pub(super) const ELEMENT_HOSTS: &[(&str, &str)] = &[
    (
        "taskDefinition",
        "serviceTask sendTask scriptTask businessRuleTask intermediateThrowEvent endEvent messageEventDefinition \
         adHocSubProcess",
    ),
    (
        "ioMapping",
        "callActivity startEvent endEvent intermediateCatchEvent intermediateThrowEvent boundaryEvent receiveTask \
         serviceTask sendTask scriptTask businessRuleTask userTask subProcess transaction adHocSubProcess",
    ),
    ("calledElement", "callActivity"),
    ("assignmentDefinition taskSchedule priorityDefinition userTask taskListeners", "userTask"),
    ("formDefinition", "userTask startEvent"),
    ("script", "scriptTask"),
    ("calledDecision", "businessRuleTask"),
    ("subscription", "message"),
    ("adHoc", "adHocSubProcess"),
    ("conditionalFilter", "conditionalEventDefinition"),
];

//! Ours. `docs/extensions.md` says what each word means.

use super::Mark::Honoured;
use super::{FLOW_NODES, Vocabulary, word_of};

pub(super) static WORDS: Vocabulary = Vocabulary {
    attributes: &[(
        Honoured,
        "group savepoint form job retries assignee candidateUsers candidateGroups dueDate followUpDate priority owner \
         decision resultVariable collection elementVariable outputCollection outputElement correlationKey \
         errorCodeVariable errorMessageVariable errorMessage escalationCodeVariable initiator \
         candidateStarterUsers candidateStarterGroups historyTimeToLive",
    )],
    elements: &[
        word_of("input", &[(Honoured, "source target")]),
        word_of("output", &[(Honoured, "source target")]),
        word_of("header", &[(Honoured, "key value")]),
        word_of("formField", &[(Honoured, "id label type required default min max pattern")]),
        word_of("value", &[(Honoured, "id label")]),
        word_of("property", &[(Honoured, "name value")]),
    ],
};

/// Extension elements, and the elements they belong in.
pub(super) const ELEMENT_HOSTS: &[(&str, &str)] = &[
    ("input output", FLOW_NODES),
    (
        "header",
        "serviceTask sendTask businessRuleTask scriptTask globalBusinessRuleTask globalScriptTask \
         intermediateThrowEvent endEvent messageEventDefinition",
    ),
    ("formField", "userTask globalUserTask startEvent"),
];

//! Every word of the dialects that we know of, and what becomes of it.

mod classic;
mod potok;
mod zeebe;

use super::Dialect;
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

/// Whether an honoured attribute has an effect on that element of BPMN.
pub(super) fn has_host(name: &str, element: &str) -> bool {
    hosts(name).is_none_or(|hosts| hosts.split_ascii_whitespace().any(|host| host == element))
}

/// Whether an attribute of Flowable's stands without a prefix on an element of BPMN, as Flowable itself reads and writes it
/// (`SequenceFlowXMLConverter`); all its others have one.
pub(crate) fn is_bare(element: &str, name: &str) -> bool {
    (element, name) == ("sequenceFlow", "skipExpression")
}

/// An attribute that acts on an element of BPMN, with its usual prefix: the dialect's own word, else ours, else one of Camunda 7.
pub(crate) fn qualified(dialect: Dialect, element: &str, name: &str) -> Option<String> {
    let (potok, camunda) = (("potok", Family::Potok), ("camunda", Family::Classic));
    let families = match dialect {
        Dialect::Camunda => [camunda, potok],
        Dialect::Flowable => [("flowable", Family::Classic), potok],
        Dialect::Zeebe => [("zeebe", Family::Zeebe), potok],
        Dialect::Standard => [potok, camunda],
    };
    let is_host = has_host(name, element);
    let (prefix, _) = families.iter().find(|(_, family)| is_host && attribute(*family, name).acts())?;
    Some(format!("{prefix}:{name}"))
}

/// What becomes of an extension element.
pub(super) fn element(family: Family, name: &str) -> Mark {
    word(family, name).map_or(Mark::Unknown, |word| word.mark)
}

/// What becomes of an attribute of an extension element.
pub(super) fn element_attribute(family: Family, element: &str, name: &str) -> Mark {
    word(family, element).map_or(Mark::Unknown, |word| find(word.attributes, name))
}

/// The elements of BPMN that an extension element has an effect in; none if it may stand in many.
pub(super) fn element_hosts(family: Family, name: &str) -> Option<&'static str> {
    let among = |words: &str| words.split_ascii_whitespace().any(|word| word == name);
    let known = match family {
        Family::Classic => classic::ELEMENT_HOSTS,
        Family::Zeebe => zeebe::ELEMENT_HOSTS,
        Family::Potok => potok::ELEMENT_HOSTS,
    };
    known.iter().find(|(names, _)| among(names)).map(|(_, hosts)| *hosts)
}

/// Whether an extension element has an effect in that element of BPMN.
pub(super) fn fits(family: Family, name: &str, host: &str) -> bool {
    element_hosts(family, name).is_none_or(|hosts| hosts.split_ascii_whitespace().any(|fitting| fitting == host))
}

/// Elements of BPMN in words.
pub(super) fn in_words(hosts: &str) -> String {
    if hosts == FLOW_NODES { "activities and events".to_owned() } else { hosts.replace(' ', ", ") }
}

fn vocabulary(family: Family) -> &'static Vocabulary {
    match family {
        Family::Classic => &classic::WORDS,
        Family::Zeebe => &zeebe::WORDS,
        Family::Potok => &potok::WORDS,
    }
}

fn word(family: Family, name: &str) -> Option<&'static Word> {
    vocabulary(family).elements.iter().find(|word| word.name == name)
}

fn find(marked: &[Marked], name: &str) -> Mark {
    let found = marked.iter().find(|(_, names)| names.split_ascii_whitespace().any(|known| known == name));
    found.map_or(Mark::Unknown, |(mark, _)| *mark)
}

const fn word_of(name: &'static str, attributes: &'static [Marked]) -> Word {
    Word { name, mark: Mark::Honoured, attributes }
}

const fn marked_word(name: &'static str, mark: Mark, attributes: &'static [Marked]) -> Word {
    Word { name, mark, attributes }
}

/// The flow nodes, in the order of BPMN's own chapters.
const FLOW_NODES: &str = "task userTask manualTask serviceTask sendTask receiveTask businessRuleTask scriptTask subProcess transaction \
     adHocSubProcess callActivity startEvent intermediateCatchEvent intermediateThrowEvent boundaryEvent endEvent \
     exclusiveGateway parallelGateway inclusiveGateway complexGateway eventBasedGateway";

/// Attributes, and the elements they belong on.
const HOSTS: &[(&str, &str)] = &[
    ("assignee owner candidateUsers candidateGroups dueDate followUpDate", "userTask globalUserTask"),
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
    ("taskPriority", "serviceTask sendTask businessRuleTask globalBusinessRuleTask messageEventDefinition process"),
    ("decision decisionRef mapDecisionResult", "businessRuleTask globalBusinessRuleTask serviceTask"),
    ("form formKey formRef", "userTask globalUserTask startEvent"),
    ("initiator", "startEvent"),
    ("messageExpression", "messageEventDefinition"),
    ("endDate", "timeCycle"),
    ("doNotIncludeVariables", "serviceTask"),
    ("signalExpression", "signalEventDefinition"),
    (
        "collection elementVariable elementIndexVariable outputCollection outputElement",
        "multiInstanceLoopCharacteristics",
    ),
    (
        // Not on a `signalEventDefinition`: whoever waits for a signal is always reached at once.
        "asyncBefore asyncAfter async asyncLeave exclusive",
        "task userTask manualTask serviceTask sendTask receiveTask businessRuleTask scriptTask subProcess transaction \
         adHocSubProcess callActivity startEvent endEvent intermediateCatchEvent intermediateThrowEvent boundaryEvent \
         exclusiveGateway parallelGateway inclusiveGateway complexGateway eventBasedGateway \
         multiInstanceLoopCharacteristics",
    ),
    ("correlationKey", "message"),
    ("group", "lane"),
    ("versionTag historyTimeToLive candidateStarterGroups candidateStarterUsers isStartableInTasklist", "process"),
    (
        "calledElementBinding calledElementVersion calledElementVersionTag calledElementType inheritBusinessKey \
         inheritVariables sameDeployment idVariableName",
        "callActivity",
    ),
    (
        "decisionRefBinding decisionRefVersion decisionRefVersionTag",
        "businessRuleTask globalBusinessRuleTask serviceTask",
    ),
    ("formRefBinding formRefVersion formRefVersionTag", "userTask globalUserTask startEvent"),
    ("variableName variableEvents", "conditionalEventDefinition"),
    ("errorCodeVariable errorMessageVariable errorVariableName errorVariableLocalScope", "errorEventDefinition"),
    ("errorMessage", "error"),
    ("escalationCodeVariable", "escalationEventDefinition"),
    ("terminateAll", "terminateEventDefinition"),
];

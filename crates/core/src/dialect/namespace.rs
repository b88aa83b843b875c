//! The namespaces of the dialects, by URI; a prefix means nothing.

use super::Dialect;

/// Our own namespace, usually bound to `potok`.
pub const POTOK: &str = "urn:potok:bpmn:1.0";

pub(super) const CAMUNDA: &str = "http://camunda.org/schema/1.0/bpmn";
pub(super) const OPERATON: &str = "http://operaton.org/schema/1.0/bpmn";
pub(super) const FLUXNOVA: &str = "http://fluxnova.finos.org/schema/1.0/bpmn";
pub(super) const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";
pub(super) const FLOWABLE: &str = "http://flowable.org/bpmn";
pub(super) const ACTIVITI: &str = "http://activiti.org/bpmn";

/// A group of namespaces that share a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Camunda 7, its forks, Flowable and Activiti: one origin, and each reads the others' words in its own namespace.
    Classic,
    /// Camunda 8.
    Zeebe,
    /// Ours.
    Potok,
}

impl Family {
    /// The family of a namespace; none if nothing in it is executable.
    pub(super) fn of(uri: &str) -> Option<Self> {
        match uri {
            CAMUNDA | OPERATON | FLUXNOVA | FLOWABLE | ACTIVITI => Some(Self::Classic),
            ZEEBE => Some(Self::Zeebe),
            POTOK => Some(Self::Potok),
            _ => None,
        }
    }
}

/// The namespaces that a dialect speaks in.
pub(super) const SPOKEN: [(&str, Family, Dialect); 6] = [
    (CAMUNDA, Family::Classic, Dialect::Camunda),
    (OPERATON, Family::Classic, Dialect::Camunda),
    (FLUXNOVA, Family::Classic, Dialect::Camunda),
    (ZEEBE, Family::Zeebe, Dialect::Zeebe),
    (FLOWABLE, Family::Classic, Dialect::Flowable),
    (ACTIVITI, Family::Classic, Dialect::Flowable),
];

/// The order in which the classic namespaces are asked for an attribute. The forks of Camunda ask their own first and
/// then Camunda's; Flowable asks its own, then Activiti's, then Camunda's.
pub(super) fn classic_order(dialect: Dialect) -> &'static [&'static str; 5] {
    match dialect {
        Dialect::Flowable => &[FLOWABLE, ACTIVITI, CAMUNDA, OPERATON, FLUXNOVA],
        Dialect::Camunda | Dialect::Zeebe | Dialect::Standard => &[OPERATON, FLUXNOVA, CAMUNDA, FLOWABLE, ACTIVITI],
    }
}

/// The words the author knows the namespace by.
pub(super) fn usual_prefix(uri: &str) -> &'static str {
    match uri {
        CAMUNDA => "camunda",
        OPERATON => "operaton",
        FLUXNOVA => "fluxnova",
        ZEEBE => "zeebe",
        FLOWABLE => "flowable",
        ACTIVITI => "activiti",
        _ => "potok",
    }
}

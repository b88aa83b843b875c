//! The decision that a business rule task asks.

use super::reader::own;
use super::{Binding, Decision, DecisionResult, Dialect, Reader};
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// The decision that a task asks, if it asks one.
    pub(super) fn decision(&self, task: Element<'d>) -> Option<Box<Decision>> {
        if let Some(id) = self.potok(task, "decision") {
            return Some(boxed(Decision {
                reference: self.value(task, &id),
                binding: Binding::Latest,
                result: DecisionResult::AsIs,
                must_match: None,
            }));
        }
        if let Some(called) = self.zeebe_element(task, "calledDecision") {
            return Some(boxed(Decision {
                reference: self.value(called, &own(called, "decisionId")?),
                binding: self.binding_type(called),
                result: DecisionResult::AsIs,
                must_match: None,
            }));
        }
        if self.classic_type(task).as_deref() == Some("dmn") {
            let same_deployment = self.flag(task, "sameDeployment") == Some(true);
            return Some(boxed(Decision {
                reference: self
                    .field(task, "decisionTableReferenceKey")
                    .or_else(|| self.field(task, "decisionServiceReferenceKey"))?,
                binding: if same_deployment { Binding::Deployment } else { Binding::Latest },
                result: DecisionResult::Variables,
                must_match: self.field(task, "decisionTaskThrowErrorOnNoHits"),
            }));
        }
        Some(boxed(Decision {
            reference: self.value(task, &self.classic(task, "decisionRef")?),
            binding: self.classic_binding(task, &super::binding::DECISION),
            result: match self.classic(task, "mapDecisionResult").as_deref() {
                Some("singleEntry") => DecisionResult::SingleEntry,
                Some("singleResult") => DecisionResult::SingleResult,
                Some("collectEntries") => DecisionResult::CollectEntries,
                Some("resultList") => DecisionResult::ResultList,
                _ if self.dialect() == Dialect::Camunda => DecisionResult::ResultList,
                _ => DecisionResult::AsIs,
            },
            must_match: None,
        }))
    }
}

fn boxed(decision: Decision) -> Box<Decision> {
    Box::new(decision)
}

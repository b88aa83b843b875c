//! Called processes and decisions that stand in no known file.

use std::collections::BTreeSet;

use super::subject::{activity, label};
use super::{Diagnostic, Severity};
use crate::Name;
use crate::expressions::Language;
use crate::model::{ActivityKind, Definitions, Expression, FlowNode};

/// What models can call: processes, global tasks and decisions, by their ids.
#[derive(Clone, Debug, Default)]
pub struct Callables {
    processes: BTreeSet<Name>,
    decisions: BTreeSet<Name>,
}

impl Callables {
    /// Adds the processes and global tasks of a model.
    pub fn add_model(&mut self, definitions: &Definitions) {
        self.processes.extend(definitions.processes.iter().map(|process| process.id.clone()));
        self.processes.extend(definitions.global_tasks.iter().map(|task| task.id.clone()));
    }

    /// Adds decisions.
    pub fn add_decisions(&mut self, ids: impl IntoIterator<Item = Name>) {
        self.decisions.extend(ids);
    }

    /// What a model calls that is not among these, each as a warning at its place. What is computed at run time is not
    /// looked at, and neither is a process that is only a drawing.
    #[must_use]
    pub fn missing(&self, definitions: &Definitions) -> Vec<Diagnostic> {
        let processes = definitions.processes.iter().filter(|process| process.is_executable != Some(false));
        let mut found = Vec::new();
        for node in processes.flat_map(|process| &process.flow_nodes) {
            if let Some(id) = called_process(node).and_then(fixed).filter(|id| !self.processes.contains(*id)) {
                found.push(definitions.diagnostic(
                    "called-process-unknown",
                    Severity::Warning,
                    node.element,
                    format!("{} calls the process `{id}`, which is in none of the files looked at", label(node)),
                    "check its file together with this one, and deploy it before this one runs",
                ));
            }
            if let Some(id) = asked_decision(node).and_then(fixed).filter(|id| !self.decisions.contains(*id)) {
                found.push(definitions.diagnostic(
                    "called-decision-unknown",
                    Severity::Warning,
                    node.element,
                    format!("{} asks the decision `{id}`, which is in none of the files looked at", label(node)),
                    "check its .dmn file together with this one, and deploy it before this one runs",
                ));
            }
        }
        found
    }
}

fn called_process(node: &FlowNode) -> Option<&Expression> {
    let ActivityKind::CallActivity { called_element } = &activity(node)?.kind else { return None };
    let by_dialect = node.extension.call.as_ref().and_then(|call| call.target.as_ref());
    by_dialect.or(called_element.as_ref())
}

fn asked_decision(node: &FlowNode) -> Option<&Expression> {
    node.extension.decision.as_ref().map(|decision| &decision.reference)
}

/// The id, unless it is computed.
fn fixed(expression: &Expression) -> Option<&str> {
    (expression.language == Language::Literal).then(|| expression.text.trim()).filter(|id| !id.is_empty())
}

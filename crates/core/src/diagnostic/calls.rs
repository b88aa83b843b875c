//! Called processes and decisions that stand in no known file.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::{activity, label};
use super::{Diagnostic, Severity};
use crate::Name;
use crate::expressions::Language;
use crate::model::{ActivityKind, Definitions, Expression, FlowNode};

/// What models can call: processes, global tasks and decisions, by their ids.
#[derive(Clone, Debug, Default)]
pub struct Callables {
    /// With the number of files that they stand in.
    processes: BTreeMap<Name, usize>,
    decisions: BTreeSet<Name>,
}

impl Callables {
    /// Adds the processes and global tasks of a model.
    pub fn add_model(&mut self, definitions: &Definitions) {
        let processes = definitions.processes.iter().map(|process| &process.id);
        let ids: BTreeSet<_> = processes.chain(definitions.global_tasks.iter().map(|task| &task.id)).collect();
        for id in ids {
            *self.processes.entry(id.clone()).or_default() += 1;
        }
    }

    /// Adds decisions.
    pub fn add_decisions(&mut self, ids: impl IntoIterator<Item = Name>) {
        self.decisions.extend(ids);
    }

    /// Processes of a model whose id another file has too, each as a warning at its place.
    #[must_use]
    pub fn shared(&self, definitions: &Definitions) -> Vec<Diagnostic> {
        let is_shared = |id: &Name| self.processes.get(id).is_some_and(|files| *files > 1);
        let shared = definitions.processes.iter().filter(|process| is_shared(&process.id));
        let found = shared.map(|process| {
            definitions.diagnostic(
                "process-in-two-files",
                Severity::Warning,
                process.element,
                format!(
                    "another of the files looked at has a process `{}` too: what is deployed last counts",
                    process.id
                ),
                "give one of them another id, or leave one file out",
            )
        });
        found.collect()
    }

    /// What a model calls that is not among these, each as a warning at its place. What is computed at run time is not
    /// looked at, and neither is a process that is only a drawing.
    #[must_use]
    pub fn missing(&self, definitions: &Definitions) -> Vec<Diagnostic> {
        let processes = definitions.processes.iter().filter(|process| process.is_executable != Some(false));
        let mut found = Vec::new();
        for node in processes.flat_map(|process| &process.flow_nodes) {
            if let Some(id) = called_process(node).and_then(fixed).filter(|id| !self.processes.contains_key(*id)) {
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

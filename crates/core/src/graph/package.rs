//! All processes of one file.

use std::sync::Arc;

use super::declared::Declared;
use super::{ProcessGraph, compile};
use crate::diagnostic::{Diagnostic, Severity, check};
use crate::expressions::{Deployment, Expressions};
use crate::model::{Definitions, ProcessIndex};

/// The processes of one BPMN file, compiled, and what was remarked about it.
#[derive(Debug)]
pub struct Package {
    /// The file as a model.
    pub definitions: Definitions,
    /// The processes, in document order.
    pub processes: Vec<Arc<ProcessGraph>>,
    /// What is unusual about it.
    pub warnings: Vec<Diagnostic>,
}

impl Package {
    /// Reads, checks and compiles a BPMN file.
    ///
    /// # Errors
    /// Everything that is wrong with it (and unusual about it), in document order.
    pub fn from_bpmn(bytes: &[u8], expressions: &dyn Expressions) -> Result<Self, Vec<Diagnostic>> {
        Self::of_deployment(bytes, expressions, Deployment::default())
    }

    /// The same for a file of one of several deployments: what it calls or decides by `deployment` is looked for there.
    ///
    /// # Errors
    /// As [`from_bpmn`](Self::from_bpmn).
    pub fn of_deployment(
        bytes: &[u8],
        expressions: &dyn Expressions,
        deployment: Deployment,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (definitions, mut diagnostics) = Definitions::read_leniently(bytes).map_err(|fault| vec![fault])?;
        // However much is wrong with a model, all of it is looked at and compiled: its author sees everything at once.
        diagnostics.extend(check(&definitions));
        Self::compiled(definitions, diagnostics, expressions, deployment)
    }

    /// The same for a file that has been deployed already. Whoever did so may have known fewer rules than there are now, and
    /// what runs goes on: only what cannot be compiled is refused.
    ///
    /// # Errors
    /// If it is no BPMN, or its expressions cannot be read.
    pub fn deployed(
        bytes: &[u8],
        expressions: &dyn Expressions,
        deployment: Deployment,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (definitions, _) = Definitions::read_leniently(bytes).map_err(|fault| vec![fault])?;
        Self::compiled(definitions, Vec::new(), expressions, deployment)
    }

    fn compiled(
        definitions: Definitions,
        mut diagnostics: Vec<Diagnostic>,
        expressions: &dyn Expressions,
        deployment: Deployment,
    ) -> Result<Self, Vec<Diagnostic>> {
        let declared = Declared::of(&definitions);
        let processes = (0u32..)
            .zip(&definitions.processes)
            .map(|(index, _)| {
                compile::process(&definitions, &declared, ProcessIndex(index), expressions, &mut diagnostics)
            })
            .map(|process| Arc::new(ProcessGraph { deployment, ..process }))
            .collect();
        let diagnostics = sorted(diagnostics);
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(diagnostics);
        }
        Ok(Self { definitions, processes, warnings: diagnostics })
    }

    /// The process with that id.
    #[must_use]
    pub fn process(&self, id: &str) -> Option<&Arc<ProcessGraph>> {
        self.processes.iter().find(|process| &**process.id() == id)
    }
}

impl ProcessGraph {
    /// Reads, checks and compiles the first process of a BPMN file that is meant to be executed.
    ///
    /// # Errors
    /// Everything that is wrong with the file, also if it contains no process.
    pub fn from_bpmn(bytes: &[u8], expressions: &dyn Expressions) -> Result<Arc<Self>, Vec<Diagnostic>> {
        let package = Package::from_bpmn(bytes, expressions)?;
        let executable = package.processes.iter().find(|process| process.is_executable());
        executable.or(package.processes.first()).cloned().ok_or_else(|| {
            vec![package.definitions.diagnostic(
                "process-missing",
                Severity::Error,
                crate::xml::ElementIndex(0),
                "the file contains no process",
                "add a <process> with at least one flow node",
            )]
        })
    }
}

fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by(|a, b| (a.span.start, a.code, &a.message).cmp(&(b.span.start, b.code, &b.message)));
    diagnostics.dedup();
    diagnostics
}

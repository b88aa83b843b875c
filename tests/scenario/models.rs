//! Where the models of scenarios come from.

use std::path::Path;
use std::sync::Arc;

use potok_core::expressions::Deployment;
use potok_core::graph::Package;
use potok_expressions::Evaluator;

use super::Scenario;
use super::host::Host;

/// A scenario with one file under `tests/models`.
#[must_use]
#[track_caller]
pub fn scenario(file: &str) -> Scenario {
    scenario_of(&[file])
}

/// A scenario with several files under `tests/models`, deployed in this order; `start` starts the first executable process of the
/// first model. Files that end in `.dmn` are decisions.
#[must_use]
#[track_caller]
pub fn scenario_of(files: &[&str]) -> Scenario {
    deployments(&[files])
}

/// A scenario with a model written down in the test: what stands inside of `<definitions>`, with BPMN as the default namespace
/// and the prefixes `camunda`, `zeebe`, `flowable` and `potok`. FEEL is the expression language.
#[must_use]
#[track_caller]
pub fn model(content: &str) -> Scenario {
    deploy(&[vec![("model".to_owned(), definitions(content))]])
}

/// A scenario with several versions of a model, each written down in the test as for [`model`], deployed one after the other.
/// `start` starts an instance of the newest version; [`Scenario::version`] chooses another one.
#[must_use]
#[track_caller]
pub fn versions(contents: &[&str]) -> Scenario {
    let version = |content: &&str| vec![("model".to_owned(), definitions(content))];
    deploy(&contents.iter().map(version).collect::<Vec<_>>())
}

fn definitions(content: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="definitions" targetNamespace="urn:test"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:potok="urn:potok:bpmn:1.0"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:flowable="http://flowable.org/bpmn" expressionLanguage="https://www.omg.org/spec/DMN/20191111/FEEL/">
{content}
</definitions>"#
    )
}

/// A scenario with several deployments, each of one or more files, one after the other; `start` starts the first executable
/// process of the first model.
#[must_use]
#[track_caller]
pub fn deployments(deployments: &[&[&str]]) -> Scenario {
    let sources: Vec<_> = deployments.iter().map(|files| read(files)).collect();
    deploy(&sources)
}

#[track_caller]
fn read(files: &[&str]) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let read = |file: &&str| match std::fs::read_to_string(folder.join(file)) {
        Ok(text) => ((*file).to_owned(), text),
        Err(error) => panic!("models/{file}: {error}"),
    };
    files.iter().map(read).collect()
}

#[track_caller]
fn deploy(deployments: &[Vec<(String, String)>]) -> Scenario {
    let evaluator = Arc::new(Evaluator::new());
    let mut packages = Vec::new();
    for (number, sources) in (0..).zip(deployments) {
        let deployment = Deployment(number);
        let (decisions, models): (Vec<_>, Vec<_>) = sources.iter().partition(|(file, _)| file.ends_with(".dmn"));
        for (file, text) in decisions {
            if let Err(diagnostics) = evaluator.add_decisions_of(text.as_bytes(), deployment, |_| None) {
                panic!("{file} cannot be deployed: {diagnostics:?}");
            }
        }
        for (file, text) in models {
            match Package::of_deployment(text.as_bytes(), &*evaluator, deployment) {
                Ok(package) => packages.push(package),
                Err(diagnostics) => {
                    let lines: Vec<_> = diagnostics.iter().map(|diagnostic| format!("{file}:{diagnostic}")).collect();
                    panic!("the model cannot be deployed:\n{}", lines.join("\n"))
                }
            }
        }
    }
    let processes = packages.first().map_or(&[][..], |package| &package.processes);
    let Some(process) = processes.iter().find(|process| process.is_executable()).or(processes.first()) else {
        panic!("the model contains no process")
    };
    let process = process.id().clone();
    Scenario::new(Host::new(evaluator, &packages, deployments), process)
}

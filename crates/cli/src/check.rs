//! `potok check`.

mod form;

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use potok_core::Name;
use potok_core::diagnostic::{Callables, Diagnostic, json, sarif_of_files};
use potok_core::graph::Package;
use potok_core::model::Definitions;
use potok_core::time::Calendar;
use potok_core::xml::Document;
use potok_expressions::Evaluator;

use crate::failure::Failure;
use crate::folder::{self, Kind};
use crate::report::{self, Count, number};
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  potok check order.bpmn
  potok check bpmn/                             all models and decisions in a folder
  potok check --format sarif . > potok.sarif    for code hosts and editors

Exit code: 0 without errors (warnings are shown), 1 with errors or a file that cannot be read.";

/// What to check.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Models (.bpmn), decisions (.dmn), forms (.form), calendars (calendar*.yaml), or folders with them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to list the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the line of source
    Text,
    /// One JSON document: `{"files": [{"file", "diagnostics"}], "errors", "warnings"}`, and `"unreadable"` if some
    /// files cannot be read
    Json,
    /// SARIF 2.1.0
    Sarif,
}

/// A file and what was found in it.
struct Checked {
    file: String,
    text: String,
    diagnostics: Vec<Diagnostic>,
    /// What it calls may stand in files that are read later.
    model: Option<Definitions>,
    /// Places in it are bytes of the file: it is in UTF-8.
    in_bytes: bool,
}

/// Checks files, each by itself and what it calls among the others.
pub(crate) fn check(options: &Options) -> Result<ExitCode, Failure> {
    let mut files = Vec::new();
    let mut unreadable = Vec::new();
    for path in &options.files {
        let before = files.len();
        match path.is_dir() {
            true => walk(path, &mut files, &mut unreadable),
            false => files.push(path.clone()),
        }
        if files.len() == before && unreadable.is_empty() {
            let failure = Failure::new(format!("{} has nothing to check", path.display()));
            unreadable.push(failure.help("name a file, or a folder with .bpmn, .dmn, .form or calendar*.yaml files"));
        }
    }
    let evaluator = Evaluator::new();
    let mut callables = Callables::default();
    let mut checked = Vec::new();
    for path in &files {
        match folder::read(path) {
            Ok(bytes) => {
                let diagnostics = findings(path, &bytes, &evaluator, &mut callables);
                let model = model(path, &bytes, &mut callables);
                checked.push(Checked {
                    file: path.display().to_string(),
                    diagnostics,
                    text: if options.format == Format::Text { folder::text(&bytes) } else { String::new() },
                    in_bytes: match &model {
                        Some(model) => model.document.text().as_bytes() == bytes,
                        None => std::str::from_utf8(&bytes).is_ok(),
                    },
                    model,
                });
            }
            Err(failure) => unreadable.push(failure),
        }
    }
    for Checked { diagnostics, model, .. } in &mut checked {
        if let Some(model) = model.take() {
            diagnostics.extend(callables.shared(&model));
            diagnostics.extend(callables.missing(&model));
        }
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    }
    let mut count = Count::default();
    checked.iter().for_each(|checked| count.add(Count::of(&checked.diagnostics)));
    let mut out = io::BufWriter::new(io::stdout().lock());
    match options.format {
        Format::Text => {
            let style = Style::of(&io::stdout());
            for Checked { file, text, diagnostics, .. } in &checked {
                report::show(&mut out, style, file, text, diagnostics)?;
            }
            let summary = format!("{} checked: {count}", number(checked.len(), "file"));
            let coloured = match count {
                Count { errors: 0, warnings: 0 } => style.good(&summary),
                Count { errors: 0, .. } => style.unusual(&summary),
                Count { .. } => style.bad(&summary),
            };
            writeln!(out, "{coloured}")?;
        }
        Format::Json => {
            let files = checked.iter().map(|checked| {
                let mut diagnostics: Vec<_> = checked.diagnostics.iter().map(json).collect();
                for diagnostic in diagnostics.iter_mut().filter_map(|one| one.as_object_mut()) {
                    diagnostic.retain(|name, _| checked.in_bytes || !matches!(name.as_str(), "start" | "end"));
                }
                serde_json::json!({ "file": checked.file, "diagnostics": diagnostics })
            });
            let files: Vec<_> = files.collect();
            let mut all = serde_json::json!({ "files": files, "errors": count.errors, "warnings": count.warnings });
            if !unreadable.is_empty() {
                all["unreadable"] = unreadable.iter().filter_map(Failure::message).collect();
            }
            writeln!(out, "{all:#}")?;
        }
        Format::Sarif => {
            let files = checked.iter().map(|checked| (&*checked.file, &*checked.diagnostics, checked.in_bytes));
            let mut log = sarif_of_files(files);
            if !unreadable.is_empty() {
                let told = unreadable.iter().filter_map(Failure::message);
                let told = told.map(|text| serde_json::json!({ "level": "error", "message": { "text": text } }));
                log["runs"][0]["invocations"] = serde_json::json!([{
                    "executionSuccessful": false,
                    "toolExecutionNotifications": told.collect::<Vec<_>>(),
                }]);
            }
            writeln!(out, "{log:#}")?;
        }
    }
    out.flush()?;
    for failure in &unreadable {
        failure.show();
    }
    Ok(ExitCode::from(u8::from(count.errors > 0 || !unreadable.is_empty())))
}

/// The model in a file, if it is one, also with errors: others may call its processes all the same.
fn model(path: &Path, bytes: &[u8], callables: &mut Callables) -> Option<Definitions> {
    if matches!(Kind::of(path), Some(Kind::Decisions | Kind::Calendar | Kind::Form)) {
        return None;
    }
    let (model, _) = Definitions::read_leniently(bytes).ok()?;
    callables.add_model(&model);
    Some(model)
}

fn findings(path: &Path, bytes: &[u8], evaluator: &Evaluator, callables: &mut Callables) -> Vec<Diagnostic> {
    match Kind::of(path) {
        Some(Kind::Decisions) => match evaluator.add_decisions(bytes) {
            Ok(added) => {
                callables.add_decisions(added.ids);
                added.warnings
            }
            Err(diagnostics) => {
                // What is wrong with it is told; that it is there, so that nobody looks for it elsewhere.
                callables.add_decisions(decision_ids(bytes));
                diagnostics
            }
        },
        Some(Kind::Form) => form::check(&String::from_utf8_lossy(bytes)),
        Some(Kind::Calendar) => Calendar::from_yaml(&String::from_utf8_lossy(bytes)).err().into_iter().collect(),
        _ => {
            let mut found = match Package::from_bpmn(bytes, evaluator) {
                Ok(package) => package.warnings,
                Err(diagnostics) => diagnostics,
            };
            // What is no XML has been said already.
            if let Ok(document) = Document::parse(bytes) {
                found.extend(form::check_embedded(&document));
                found.extend(form::check_patterns(&document));
            }
            found
        }
    }
}

/// The ids of the decisions in a file that is not right.
fn decision_ids(bytes: &[u8]) -> Vec<Name> {
    let Ok(document) = Document::parse(bytes) else { return Vec::new() };
    let decisions = document.elements().filter(|element| element.name() == "decision");
    decisions.filter_map(|decision| decision.attribute("id").map(Name::from)).collect()
}

/// All models, decisions, forms and calendars in a folder and the folders in it, by name; hidden ones are not looked at.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, unreadable: &mut Vec<Failure>) {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                unreadable.push(Failure::new(format!("cannot read {}: {error}", folder.display())));
                continue;
            }
        };
        for entry in entries.flatten() {
            let hidden = entry.file_name().to_str().is_some_and(|name| name.starts_with('.'));
            // Links to folders are not followed: they may lead in a circle.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let path = entry.path();
            if is_folder && !hidden && path.file_name() != Some(OsStr::new("target")) {
                open.push(path);
            } else if !hidden && Kind::of(&path).is_some() && path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    files.append(&mut found);
}

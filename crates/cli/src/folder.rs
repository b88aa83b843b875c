//! Files: a model, and what stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use potok_core::Name;
use potok_core::graph::Package;
use potok_core::time::Calendar;
use potok_core::xml::{Document, Limits};
use potok_expressions::Evaluator;

use crate::failure::Failure;
use crate::report::{self, Count};
use crate::run::field::Field;
use crate::run::form_js;
use crate::style::Style;

/// So many of the neighbours that are left out are named.
const NAMED: usize = 5;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Model,
    Decisions,
    Calendar,
    Form,
}

impl Kind {
    /// By the file's name; nothing if it is none of ours.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name().and_then(OsStr::to_str)?.to_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        match () {
            () if ends(".bpmn") || ends(".bpmn20.xml") => Some(Self::Model),
            () if ends(".dmn") => Some(Self::Decisions),
            () if name.starts_with("calendar") && (ends(".yaml") || ends(".yml")) => Some(Self::Calendar),
            () if ends(".form") => Some(Self::Form),
            () => None,
        }
    }
}

/// Reads a file, but little more of it than a model may be long.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let told = |error: &io::Error| Failure::new(format!("cannot read {}: {error}", path.display()));
    if path.is_dir() {
        return Err(Failure::new(format!("{} is a folder, not a file", path.display())));
    }
    let file = File::open(path).map_err(|error| told(&error))?;
    let limit = u64::try_from(Limits::default().bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| told(&error))?;
    Ok(bytes)
}

/// The text that findings about a file are places in.
pub(crate) fn text(bytes: &[u8]) -> String {
    match Document::parse(bytes) {
        Ok(document) => document.text().to_owned(),
        Err(_) if bytes.len() > Limits::default().bytes => String::new(),
        // What cannot be read as text is not shown either.
        Err(_) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(error) => String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned(),
        },
    }
}

/// A model and its neighbours.
pub(crate) struct Folder {
    pub(crate) evaluator: Arc<Evaluator>,
    /// The model itself.
    pub(crate) package: Package,
    file: PathBuf,
    /// The other models of its folder.
    pub(crate) neighbours: Vec<(PathBuf, Package)>,
    /// Its decisions, calendars and forms.
    others: Vec<PathBuf>,
    /// Forms by id and by file name.
    pub(crate) forms: BTreeMap<String, Vec<Field>>,
    /// The zone of the working calendar.
    pub(crate) zone: Option<TimeZone>,
    /// Neighbours that were left out, and why.
    pub(crate) remarks: Vec<String>,
}

impl Folder {
    /// Reads a model and its neighbours. A neighbour that cannot be read is left out with a remark.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = read(path)?;
        let evaluator = Arc::new(Evaluator::new());
        let mut beside = Beside {
            evaluator: &evaluator,
            forms: BTreeMap::new(),
            zone: None,
            remarks: Vec::new(),
            broken: Vec::new(),
            understood: Vec::new(),
        };
        let files = neighbours(path);
        for file in &files {
            beside.read(file);
        }
        let package = match Package::from_bpmn(&bytes, &*evaluator) {
            Ok(package) => package,
            Err(diagnostics) => {
                let name = path.display().to_string();
                report::show(&mut io::stderr(), Style::of(&io::stderr()), &name, &text(&bytes), &diagnostics)?;
                let count = Count::of(&diagnostics);
                return Err(Failure::new(format!("{name} is not run: {count}")));
            }
        };
        let mut packages = Vec::new();
        let mut standing: BTreeMap<Name, Vec<&Path>> = BTreeMap::new();
        for file in files.iter().filter(|file| Kind::of(file) == Some(Kind::Model)) {
            match read(file).map(|bytes| Package::from_bpmn(&bytes, &*evaluator)) {
                Ok(Ok(neighbour)) => {
                    for process in &neighbour.processes {
                        standing.entry(process.id().clone()).or_default().push(file);
                    }
                    packages.push((file.clone(), neighbour));
                }
                Ok(Err(diagnostics)) => beside.broken.push((file, Count::of(&diagnostics).errors)),
                Err(_) => beside.remarks.push(format!("{} is left out: it cannot be read", file.display())),
            }
        }
        let Beside { forms, zone, mut remarks, broken, understood, .. } = beside;
        remarks.extend(left_out(&broken));
        for process in &package.processes {
            standing.entry(process.id().clone()).or_default().push(path);
        }
        remarks.extend(standing.iter().filter_map(|(id, files)| stands_twice(id, files)).take(NAMED));
        let (file, neighbours, others) = (path.to_owned(), packages, understood);
        Ok(Self { evaluator, package, file, neighbours, others, forms, zone, remarks })
    }

    /// The files that can be deployed together: a process that several models define is the last one's, and the model's own above
    /// all.
    pub(crate) fn deployable(&self) -> impl Iterator<Item = &Path> {
        let mut taken: BTreeSet<&str> = self.package.processes.iter().map(|process| &**process.id()).collect();
        let mut models = vec![&*self.file];
        for (file, package) in self.neighbours.iter().rev() {
            let ids = || package.processes.iter().map(|process| &**process.id());
            if !ids().any(|id| taken.contains(id)) {
                taken.extend(ids());
                models.push(file);
            }
        }
        self.others.iter().map(PathBuf::as_path).chain(models.into_iter().rev())
    }
}

/// What is not a model.
struct Beside<'e> {
    evaluator: &'e Evaluator,
    forms: BTreeMap<String, Vec<Field>>,
    zone: Option<TimeZone>,
    remarks: Vec<String>,
    /// Neighbours with errors, and how many each has.
    broken: Vec<(&'e Path, usize)>,
    understood: Vec<PathBuf>,
}

impl<'e> Beside<'e> {
    fn read(&mut self, file: &'e Path) {
        let kind = Kind::of(file);
        if kind.is_none_or(|kind| kind == Kind::Model) {
            return;
        }
        let Ok(bytes) = read(file) else {
            return self.remarks.push(format!("{} is left out: it cannot be read", file.display()));
        };
        match kind {
            Some(Kind::Decisions) => match self.evaluator.add_decisions(&bytes) {
                Ok(_) => self.understood.push(file.to_owned()),
                Err(diagnostics) => self.broken.push((file, Count::of(&diagnostics).errors)),
            },
            Some(Kind::Calendar) => match Calendar::from_yaml(&String::from_utf8_lossy(&bytes)) {
                Ok(calendar) => {
                    if self.zone.is_none() || &**calendar.name() == "default" {
                        self.zone = Some(calendar.zone().clone());
                    }
                    self.evaluator.add_calendar(calendar.name().clone(), calendar);
                    self.understood.push(file.to_owned());
                }
                Err(_) => self.broken.push((file, 1)),
            },
            Some(Kind::Form) => match form_js::read(&String::from_utf8_lossy(&bytes)) {
                Ok(form) => {
                    self.understood.push(file.to_owned());
                    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
                    self.forms.insert(name.to_owned(), form.fields.clone());
                    self.forms.extend(form.id.map(|id| (id, form.fields)));
                }
                Err(message) => self.remarks.push(format!("{} is left out: {message}", file.display())),
            },
            _ => {}
        }
    }
}

/// A remark on a process that several files have: the last counts.
fn stands_twice(id: &str, files: &[&Path]) -> Option<String> {
    let (last, others @ [first, ..]) = files.split_last()? else { return None };
    let (more, have) = match others.len() - 1 {
        0 => (String::new(), "has"),
        more => (format!(" and {}", report::number(more, "other file")), "have"),
    };
    Some(format!("{}{more} {have} a process `{id}` too; that of {} is run", first.display(), last.display()))
}

/// One remark on all neighbours with errors, however many.
fn left_out(broken: &[(&Path, usize)]) -> Option<String> {
    match broken {
        [] => None,
        [(file, errors)] => {
            let (file, errors) = (file.display(), report::number(*errors, "error"));
            Some(format!("{file} is left out: {errors} (`potok check {file}` shows them)"))
        }
        [(first, _), ..] => {
            let names = broken.iter().filter_map(|(file, _)| file.file_name()).map(OsStr::to_string_lossy);
            let mut names: Vec<_> = names.collect();
            if names.len() > NAMED {
                let more = names.len() - NAMED;
                names.truncate(NAMED);
                names.push(format!("{more} more").into());
            }
            let folder = first.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(format!(
                "{} neighbours with errors are left out: {} (`potok check {}` shows them)",
                broken.len(),
                names.join(", "),
                folder.display()
            ))
        }
    }
}

/// The other files in a file's folder, by name.
fn neighbours(path: &Path) -> Vec<PathBuf> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let itself = path.file_name();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| file.file_name() != itself && Kind::of(file).is_some() && file.is_file())
        .collect();
    files.sort();
    files
}

//! `potok run`.

mod attend;
mod clock;
mod durable;
pub(crate) mod field;
mod fill_in;
pub(crate) mod form_js;
mod host;
mod interactive;
mod record;
mod scenario;
mod session;
mod steps;
mod terminal;
mod unattended;
mod waiting;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use jiff::tz::TimeZone;
use potok_core::Name;
use potok_core::diagnostic::similar;
use potok_core::graph::ProcessGraph;
use potok_core::instance::State;
use potok_core::routing::Runner;
use potok_core::time::Timestamp;

use self::clock::Clock;
use self::durable::{Durable, Wanted};
use self::host::Host;
use self::scenario::Scenario;
use self::session::Session;
use self::terminal::Terminal;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::harmless::harmless;
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  potok run order.bpmn                                    walk through it in the terminal
  potok run order.bpmn --now 2026-11-24T10:15:00+03:00    as if it were then; time moves only by travelling
  potok run order.bpmn --answers order.answers.yaml       let a scenario walk through it
  potok run order.bpmn --format json < answers.txt        one JSON object for each event
  potok run order.bpmn --db work.db                       durable: run it again to go on where it was

Models (.bpmn), decisions (.dmn), forms (.form) and working calendars (calendar*.yaml) in the same folder are
loaded, too: called processes, other pools, decision tables and forms are found there.

Exit code: 0 if the process ended (and, with --answers, the scenario held), 1 if it failed, the model has errors or
the scenario did not hold, 2 if it was left before its end.";

/// What to run.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The model
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which of the file's processes to run
    #[arg(long, value_name = "ID")]
    process: Option<String>,
    /// A scenario that gives all answers
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// How to show what happens
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The time at the start, e.g. 2026-11-24T10:15:00+03:00; the machine's if not given
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// The instance's business key
    #[arg(long, value_name = "KEY")]
    business_key: Option<String>,
    /// The user who starts the process
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Keep it in a database, and go on with what still runs there: an SQLite file, or postgres://...
    #[arg(long, value_name = "PATH_OR_URL")]
    db: Option<String>,
    /// Start another instance even if one still runs in the database
    #[arg(long, requires = "db")]
    new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a line for each event, and nothing else, on the standard output
    Json,
}

/// Runs a process.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let scenario = options.answers.as_deref().map(Scenario::read).transpose()?;
    let folder = Folder::open(&options.file)?;
    let wanted = options.process.as_deref().or_else(|| scenario.as_ref()?.process.as_deref());
    let process = choose(&folder, wanted)?;

    let clock = Clock::new(folder.zone.clone().unwrap_or_else(TimeZone::system));
    // Fractions of a second would only be noise: time moves by travelling.
    let machine = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_else(|_| Timestamp::now());
    let (mut now, mut written) = (machine, None);
    if let Some(text) = &options.now {
        (now, written) = clock.read(text)?;
    } else if let Some(scenario) = &scenario
        && let Some(text) = &scenario.now
    {
        (now, written) = clock.read(&text.value).map_err(|failure| scenario.at(text.line, "now", failure))?;
    }
    // The calendar's zone knows daylight saving; an offset is only what held at the start.
    let clock = if folder.zone.is_some() { clock } else { written.unwrap_or(clock) };

    let style = Style::of(&io::stderr());
    for remark in &folder.remarks {
        writeln!(io::stderr(), "{} {}", style.unusual("note:"), harmless(remark))?;
    }
    let business_key = options.business_key.as_deref().map(Name::from);
    let (host, found): (Box<dyn Host>, _) = match &options.db {
        Some(database) => {
            let key = business_key.clone().or_else(|| scenario.as_ref()?.business_key.as_deref().map(Name::from));
            let wanted = Wanted { process: process.id(), business_key: key.as_ref(), new: options.new };
            let (durable, found) = Durable::open(database, now, &folder, &wanted)?;
            (Box::new(durable), found)
        }
        None => (Box::new(in_memory(&folder, now)), None),
    };
    let warnings = folder.package.warnings.len();
    let mut session = Session::new(host, process, clock, folder.evaluator, folder.forms);
    if options.format == Format::Json {
        session.events = Some(Box::new(io::BufWriter::new(io::stdout())));
    }
    let user = options.user.as_deref().or_else(|| scenario.as_ref()?.user.as_deref());
    session.user = user.map(Into::into);
    if let Some(found) = found {
        let key = found.business_key.map(|key| format!(" ({})", harmless(&key))).unwrap_or_default();
        let started = session.clock.full(found.started);
        writeln!(io::stderr(), "{} instance {}{key} of {started} goes on", style.unusual("note:"), found.key)?;
        session.go_on_with(found.key)?;
        // Also what was due while nobody was there.
        session.advance(now.max(session.host.now()))?;
    }
    match scenario {
        Some(scenario) => unattended::run(&mut session, &scenario, business_key),
        None => {
            let mut terminal = Terminal::new(options.format == Format::Json);
            interactive::run(&mut session, &mut terminal, business_key, warnings, &options.file)
        }
    }
}

fn in_memory(folder: &Folder, now: Timestamp) -> Runner {
    let mut runner = Runner::new(folder.evaluator.clone(), now);
    // What is deployed last counts where ids are the same.
    for package in folder.neighbours.iter().map(|(_, package)| package).chain([&folder.package]) {
        runner.deploy(package);
    }
    runner
}

/// The process that is meant: the one named, else the first that can be started as it is.
fn choose(folder: &Folder, wanted: Option<&str>) -> Result<Arc<ProcessGraph>, Failure> {
    let processes = &folder.package.processes;
    let ids = || processes.iter().map(|process| &**process.id());
    if let Some(id) = wanted {
        return folder.package.process(id).cloned().ok_or_else(|| {
            let all = ids().collect::<Vec<_>>().join(", ");
            let meant = similar(id, ids()).map(|meant| format!("did you mean `{meant}`? "));
            Failure::new(format!("the file has no process `{id}`"))
                .help(format!("{}its processes: {all}", meant.unwrap_or_default()))
        });
    }
    let startable = |process: &&Arc<ProcessGraph>| process.is_executable() && !process.root().starts.is_empty();
    let executable = |process: &&Arc<ProcessGraph>| process.is_executable();
    let found = processes.iter().find(startable).or_else(|| processes.iter().find(executable));
    found
        .or(processes.first())
        .cloned()
        .ok_or_else(|| Failure::new("the file contains no process").help("add a <process> with at least one flow node"))
}

/// The exit code that the state of the run's own instance asks for.
fn exit_code(state: &State) -> ExitCode {
    match state {
        State::Completed => ExitCode::SUCCESS,
        State::Failed { .. } | State::Cancelled { .. } => ExitCode::from(1),
        State::Created | State::Active => ExitCode::from(2),
    }
}

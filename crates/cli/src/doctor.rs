//! `potok doctor`.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use potok::{Clock, Engine};

use crate::failure::Failure;
use crate::report::number;
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  potok doctor --db work.db           says what is wrong
  potok doctor --db work.db --mend    and writes anew what follows from the log

Nobody else may work on the database meanwhile. Exit code: 0 if nothing was found, 1 if something was.";

/// What to examine.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// An SQLite file, or postgres://...
    #[arg(long, value_name = "PATH_OR_URL")]
    db: String,
    /// Write anew what can be derived from the log
    #[arg(long)]
    mend: bool,
}

/// Examines a database.
pub(crate) fn doctor(options: &Options) -> Result<ExitCode, Failure> {
    let path = options.db.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let path = path.unwrap_or(&options.db);
    if !path.contains("://") && !Path::new(path).is_file() {
        return Err(Failure::new(format!("there is no database {path}")).help("see `--db`: a path or a URL"));
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let found = runtime.block_on(async {
        // Nothing is executed, and the time does not matter.
        let clock = Clock::system();
        let builder =
            Engine::builder().database(&options.db).clock(clock).job_execution(false).no_backups().name("potok doctor");
        let engine = builder.start().await?;
        let found = if options.mend { engine.mend().await } else { engine.examine().await };
        engine.stop().await;
        found
    })?;
    let style = Style::of(&io::stdout());
    let mut out = io::stdout().lock();
    for finding in &found {
        let what = match (finding.mendable, options.mend) {
            (true, true) => style.good("mended:"),
            (true, false) => style.unusual("can be mended:"),
            (false, _) => style.bad("cannot be mended:"),
        };
        writeln!(out, "{what} instance {}: {}", finding.instance, finding.what)?;
    }
    if found.is_empty() {
        writeln!(out, "{}", style.good("nothing is wrong"))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{}", number(found.len(), "finding"))?;
    Ok(ExitCode::from(1))
}

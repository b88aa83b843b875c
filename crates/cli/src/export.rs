//! `potok export`.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use potok::query::InstanceQuery;
use potok::{Engine, Format, InstanceId};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  potok export --db work.db                                       all history as JSON lines
  potok export --db work.db --format xes --process order > o.xes   for process mining
  potok export --db work.db --instance 7301 --from 2026-01-01T00:00:00Z";

/// What to export.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// An SQLite file, or postgres://...
    #[arg(long, value_name = "PATH_OR_URL")]
    db: String,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Written::Jsonl)]
    format: Written,
    /// Only instances of these processes
    #[arg(long, value_name = "ID")]
    process: Vec<String>,
    /// Only these instances
    #[arg(long, value_name = "KEY")]
    instance: Vec<InstanceId>,
    /// Only what happened from then on
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,
    /// Only what happened before
    #[arg(long, value_name = "TIME")]
    before: Option<jiff::Timestamp>,
    /// The file to write, instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Written {
    /// A JSON object on each line
    Jsonl,
    /// XES (IEEE 1849)
    Xes,
}

/// Exports the history in a database.
pub(crate) fn export(options: &Options) -> Result<ExitCode, Failure> {
    let path = options.db.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let path = path.unwrap_or(&options.db);
    if !path.contains("://") && !Path::new(path).is_file() {
        return Err(Failure::new(format!("there is no database {path}")).help("see `--db`: a path or a URL"));
    }
    let out: Box<dyn io::Write> = match &options.output {
        Some(path) => Box::new(std::fs::File::create(path)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::new(out);
    let query = InstanceQuery {
        processes: options.process.iter().map(|id| id.as_str().into()).collect(),
        keys: options.instance.iter().map(|id| id.0).collect(),
        ..InstanceQuery::default()
    };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let builder = Engine::builder().database(&options.db).job_execution(false).no_backups().name("potok export");
        let engine = builder.start().await?;
        let format = match options.format {
            Written::Jsonl => Format::JsonLines,
            Written::Xes => Format::Xes,
        };
        let mut export = engine.export(query).format(format);
        if let Some(from) = options.from {
            export = export.from(from);
        }
        if let Some(before) = options.before {
            export = export.before(before);
        }
        let written = async {
            while let Some(chunk) = export.chunk().await? {
                out.write_all(chunk.as_bytes())?;
            }
            out.flush()?;
            Ok::<_, Failure>(())
        };
        let written = written.await;
        engine.stop().await;
        written
    })?;
    Ok(ExitCode::SUCCESS)
}

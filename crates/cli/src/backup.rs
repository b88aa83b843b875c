//! `potok backup` and `potok restore`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::Failure;
use crate::report::number;
use crate::serve::without_password;
use crate::style::Style;

const BACKUP: &str = "\
Examples:
  potok backup --db work.db --to backups/monday.db    also while a program is at work on it
  potok restore --from backups/monday.db --db work.db

A copy is examined as `potok doctor` does. Exit code: 0 if nothing was found, 1 if something was or no copy was made.
PostgreSQL has tools of its own: pg_dump and pg_restore.";

const RESTORE: &str = "\
Examples:
  potok restore --from backups/monday.db --db work.db

Nothing is written over: move a database that is there out of the way first, with its -wal file.";

/// What to copy.
#[derive(clap::Args)]
#[command(after_help = BACKUP)]
pub(crate) struct Backup {
    /// The database, an SQLite file
    #[arg(long, value_name = "PATH")]
    db: String,
    /// The copy, which must not be there yet
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
}

/// What to make a database of.
#[derive(clap::Args)]
#[command(after_help = RESTORE)]
pub(crate) struct Restore {
    /// The copy
    #[arg(long, value_name = "PATH")]
    from: PathBuf,
    /// The database, which must not be there yet
    #[arg(long, value_name = "PATH")]
    db: String,
}

/// Copies a database.
pub(crate) fn backup(options: &Backup) -> Result<ExitCode, Failure> {
    let database = file(&options.db, "make a copy with `pg_dump --format=custom --file=work.dump URL`")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let found = runtime.block_on(potok::back_up(database, &options.to))?;
    let style = Style::of(&io::stdout());
    let mut out = io::stdout().lock();
    for finding in &found {
        writeln!(out, "{} instance {}: {}", style.bad("wrong:"), finding.instance, finding.what)?;
    }
    let copy = options.to.display();
    if found.is_empty() {
        writeln!(out, "{} {copy}: nothing is wrong with it", style.good("copied to"))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "copied to {copy}, with {}: see `potok doctor --db {copy}`", number(found.len(), "finding"))?;
    Ok(ExitCode::from(1))
}

/// Makes a database of a copy.
pub(crate) fn restore(options: &Restore) -> Result<ExitCode, Failure> {
    let database = file(&options.db, "fill an empty database with `pg_restore --dbname=URL work.dump`")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(potok::restore(&options.from, database))?;
    let style = Style::of(&io::stdout());
    writeln!(io::stdout(), "{} {} from {}", style.good("restored"), options.db, options.from.display())?;
    Ok(ExitCode::SUCCESS)
}

/// The file that a path or URL names.
fn file<'d>(database: &'d str, otherwise: &str) -> Result<&'d Path, Failure> {
    let path = database.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let path = path.unwrap_or(database);
    if path.contains("://") {
        return Err(Failure::new(format!("{} is no SQLite file", without_password(database))).help(otherwise));
    }
    Ok(Path::new(path))
}

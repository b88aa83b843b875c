//! Copies of the database: when asked for, and by themselves every so often.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use potok_core::time::Timestamp;
use potok_store::query::{DeploymentQuery, Paging};
use potok_store::{Store, StoreError};

use crate::engine::{Engine, Inner};
use crate::{Action, Clock, Error, Finding};

/// How long it sleeps at most before it looks whether a copy is due.
const NAP: Duration = Duration::from_secs(60);

impl Engine {
    /// Makes a copy of the database in a file that is not there yet, as it is at one moment, while work goes on. The copy is durable
    /// once this returns; [`restore`] makes a database of it.
    ///
    /// # Errors
    /// If the database is not SQLite (PostgreSQL has tools of its own), or the copy cannot be written.
    pub async fn back_up(&self, to: impl AsRef<Path>) -> Result<(), Error> {
        self.access(Action::LookAfter, &"back up").await?;
        Ok(self.inner.store.back_up(to).await?)
    }
}

/// Makes a copy of an SQLite database, also of one that another process is at work on, and examines it as [`Engine::examine`] does:
/// gives what is wrong with the copy.
///
/// # Errors
/// If it is no SQLite database of Potok, is damaged, or the copy is there already or cannot be written.
pub async fn back_up(database: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<Vec<Finding>, Error> {
    let to = to.as_ref();
    Store::back_up_file(database, to).await?;
    let engine = Engine::builder()
        .sqlite(to)
        .clock(Clock::system())
        .job_execution(false)
        .name("backup")
        .no_backups()
        .start()
        .await?;
    let found = engine.examine().await;
    engine.stop().await;
    let mut lock = to.as_os_str().to_owned();
    lock.push(".lock");
    // The copy is one file. A lock that stays does no harm.
    let _ = std::fs::remove_file(lock);
    found
}

/// Makes a database of a copy, in a file that is not there yet. What was in the hands of workers and nodes when the copy was made is in
/// nobody's, and no key that may have been given out before is given again.
///
/// # Errors
/// If the copy is none, or is damaged, or the file is there already or cannot be written.
pub async fn restore(copy: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
    Ok(Store::restore(copy, to).await?)
}

/// Copies that are made by themselves.
#[derive(Clone, Debug)]
pub(crate) struct Backups {
    pub(crate) folder: PathBuf,
    pub(crate) every: Duration,
    pub(crate) keep: usize,
    /// The first one, too, rather than when something has been deployed for so long.
    pub(crate) at_once: bool,
}

/// How the copies are called: by the time at which they were made.
const NAME: &str = "potok-%Y-%m-%dT%H-%M-%SZ.db";

impl Backups {
    /// What is usual for an SQLite file: once a day, in a folder beside it.
    pub(crate) fn beside(file: &Path) -> Self {
        let mut folder = file.as_os_str().to_owned();
        folder.push(".backups");
        Self { folder: folder.into(), every: Duration::from_secs(24 * 3600), keep: 7, at_once: false }
    }

    /// Makes copies until the engine is gone.
    pub(crate) async fn go_on(self, inner: Weak<Inner>) {
        loop {
            let Some(engine) = inner.upgrade() else { return };
            let moved = engine.clock.moved.notified();
            if let Err(error) = self.make_if_due(&engine).await {
                tracing::error!(%error, folder = %self.folder.display(), "the database is not backed up; this is tried again");
            }
            tokio::select! {
                () = moved => {}
                () = tokio::time::sleep(NAP.min(self.every)) => {}
            }
        }
    }

    /// Makes a copy if the last one is old enough, and removes those that are too many.
    pub(crate) async fn make_if_due(&self, inner: &Arc<Inner>) -> Result<(), Error> {
        let now = inner.clock.now();
        let copies = self.copies()?;
        let last = match copies.last() {
            Some((made, _)) => Some(*made),
            None if self.at_once => None,
            None => match first_deployment(inner).await? {
                Some(deployed) => Some(deployed),
                // There is nothing to be lost.
                None => return Ok(()),
            },
        };
        let is_young = last.is_some_and(|last| {
            let age = Duration::try_from(now.duration_since(last)).unwrap_or_default();
            age < self.every
        });
        if is_young {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder).map_err(|error| failed(&self.folder, &error))?;
        let name = now.strftime(NAME).to_string();
        inner.store.back_up(self.folder.join(name)).await?;
        // Only once the new one is there.
        let copies = self.copies()?;
        for (_, path) in &copies[..copies.len().saturating_sub(self.keep.max(1))] {
            std::fs::remove_file(path).map_err(|error| failed(path, &error))?;
        }
        Ok(())
    }

    /// The copies that are there, the oldest first.
    fn copies(&self) -> Result<Vec<(Timestamp, PathBuf)>, Error> {
        let mut copies = Vec::new();
        let files = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(copies),
            files => files.map_err(|error| failed(&self.folder, &error))?,
        };
        for file in files {
            let path = file.map_err(|error| failed(&self.folder, &error))?.path();
            if let Some(made) = path.file_name().and_then(|name| made_at(name.to_str()?)) {
                copies.push((made, path));
            }
        }
        copies.sort();
        Ok(copies)
    }
}

/// When something was first deployed.
async fn first_deployment(inner: &Inner) -> Result<Option<Timestamp>, Error> {
    let page = Paging { limit: Some(1), ..Paging::default() };
    let first = inner.store.list(&DeploymentQuery { page, ..DeploymentQuery::default() }).await?.rows.pop();
    Ok(first.map(|deployment| deployment.deployed))
}

/// When a copy of that name was made; nothing for other files.
fn made_at(name: &str) -> Option<Timestamp> {
    let broken_down = jiff::civil::DateTime::strptime(NAME, name).ok()?;
    jiff::tz::Offset::UTC.to_timestamp(broken_down).ok()
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    StoreError::Unavailable(format!("{}: {error}", path.display())).into()
}

//! What can be said of a database before an engine is started on it.

use potok_store::Store;

use crate::Error;

/// Whether a path or URL can be that of a database: of a kind that there is, in a folder that there is. Nothing is opened.
///
/// # Errors
/// If it cannot.
pub fn check_database(url: &str) -> Result<(), Error> {
    Ok(Store::check_url(url)?)
}

/// Whether there is any user in a database, which another process may have open; nothing if it is not there yet. Nothing of it is changed.
///
/// # Errors
/// If it cannot be read, or is another program's.
pub async fn has_users(url: &str) -> Result<Option<bool>, Error> {
    Ok(Store::has_users(url).await?)
}

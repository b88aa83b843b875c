//! Searches that people keep.

use potok_core::Name;
use potok_core::instance::Key;
use serde::{Deserialize, Serialize};

use crate::record::record;

record! {
    /// A search that somebody keeps, to ask it again.
    #[derive(Serialize, Deserialize)]
    pub struct SavedSearch in "saved_searches" by Key {
        /// Its key.
        key: Key,
        /// The tenant that it belongs to.
        tenant: Option<Name>,
        /// What is searched for, as who keeps it calls that.
        resource: Name,
        /// Its name.
        name: Name,
        /// Whose it is; everybody's if nobody's.
        owner: Option<Name>,
        /// What is asked, as JSON.
        query: Name,
        /// How it is shown, as JSON.
        properties: Name,
    }
}

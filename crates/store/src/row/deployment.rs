//! What is deployed: files byte for byte, and the definitions in them.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::{Bytes, codes};
use crate::record::record;

record! {
    /// Files that were deployed together.
    pub struct Deployment in "deployments" by Key {
        /// Its key.
        key: Key,
        /// Its name.
        name: Option<Name>,
        /// The tenant.
        tenant: Option<Name>,
        /// Where its files come from.
        source: Option<Name>,
        /// Who deployed it.
        deployer: Option<Name>,
        /// When.
        deployed: Timestamp,
    }
}

record! {
    /// A file of a deployment. Its bytes are kept once, however often they are deployed.
    pub struct Resource in "resources" by (Key, Name) {
        /// The deployment.
        deployment: Key,
        /// Its name in the deployment.
        name: Name,
        /// The SHA-256 of its bytes.
        content: Bytes,
        /// How many there are.
        size: u64,
    }
}

record! {
    /// Bytes, by their SHA-256.
    pub(crate) struct Content in "contents" by (Bytes, u32) {
        /// The SHA-256.
        content: Bytes,
        /// Which chunk of them, from 0.
        chunk: u32,
        /// When they are removed, if they have not arrived whole.
        expires: Option<Timestamp>,
        /// The bytes.
        bytes: Bytes,
    }
}

record! {
    /// That there are bytes.
    pub(crate) struct ContentPoint in "contents" by (Bytes, u32) {
        /// The SHA-256, or a number under which they arrive.
        content: Bytes,
        /// Which chunk of them.
        chunk: u32,
        /// When they are removed.
        expires: Option<Timestamp>,
    }
}

codes! {
    /// What a definition is.
    DefinitionKind {
        /// A process.
        #[default]
        Process = 0,
        /// A decision.
        Decision = 1,
        /// A form.
        Form = 2,
        /// A working calendar.
        Calendar = 3,
    }
}

record! {
    /// A version of something deployed. Its key is a stream in the log: its start timers and subscriptions, its suspension.
    pub struct Definition in "definitions" by Key {
        /// Its key.
        key: Key,
        /// What it is.
        kind: DefinitionKind,
        /// The tenant; empty if there is none.
        tenant: Name,
        /// The id in its file.
        id: Name,
        /// Counted from 1, for each kind, tenant and id.
        version: u32,
        /// The tag in its file.
        tag: Option<Name>,
        /// The name in its file.
        name: Option<Name>,
        /// The deployment.
        deployment: Key,
        /// The file.
        resource: Name,
        /// No instances are started.
        suspended: bool,
        /// The ordinals of its elements, as the core encodes them: they never change.
        ordinals: Bytes,
        /// For how many days what has ended of it is kept, rather than as its file says.
        history_days: Option<i64>,
    }
}

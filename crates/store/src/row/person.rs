//! People, and what they leave beside instances and tasks.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cell::Bytes;
use crate::record::record;

record! {
    /// What somebody wrote on an instance or task.
    #[derive(Serialize, Deserialize)]
    pub struct Comment in "comments" by (Key, Key) {
        /// The instance.
        instance: Key,
        /// Its key.
        key: Key,
        /// The task, if it is on one.
        task: Option<Key>,
        /// Who wrote it.
        author: Option<Name>,
        /// When, or when its text was changed.
        written: Timestamp,
        /// What.
        text: Name,
    }
}

record! {
    /// A file on an instance or task. Its bytes are kept once, however often they are attached.
    pub struct Attachment in "attachments" by (Key, Key) {
        /// The instance.
        instance: Key,
        /// Its key.
        key: Key,
        /// The task, if it is on one.
        task: Option<Key>,
        /// Who attached it.
        author: Option<Name>,
        /// When.
        attached: Timestamp,
        /// The file's name.
        name: Name,
        /// What it is, in words.
        description: Option<Name>,
        /// Where it is, if it is kept elsewhere: then it has no bytes here.
        url: Option<Name>,
        /// The media type.
        media_type: Option<Name>,
        /// The SHA-256 of its bytes; filled in.
        content: Bytes,
        /// How many there are; filled in.
        size: u64,
    }
}

record! {
    /// Somebody who works on tasks.
    pub struct User in "users" by Name {
        /// The id.
        id: Name,
        /// The name, for people.
        name: Option<Name>,
        /// Which end of the name is the family's, if somebody has said so.
        family_name: Option<Name>,
        /// The e-mail address.
        email: Option<Name>,
    }
}

record! {
    /// People who may claim the same tasks.
    pub struct Group in "groups" by Name {
        /// The id.
        id: Name,
        /// The name, for people.
        name: Option<Name>,
        /// What it is among groups: a department, say.
        kind: Option<Name>,
    }
}

record! {
    /// A user in a group.
    pub struct Membership in "memberships" by (Name, Name) {
        /// The user.
        member: Name,
        /// The group.
        team: Name,
    }
}

//! Who may do what, and what signing in checks. Rows keep no secret: only what tells whether one is right.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::Bytes;
use crate::record::record;

record! {
    /// A role of the members of a group.
    pub struct Grant in "grants" by (Name, Name) {
        /// The group.
        team: Name,
        /// The role, as the engine names it.
        role: Name,
    }
}

record! {
    /// A tenant that somebody has given a name. There may be others: whatever users, deployments and instances say.
    pub struct Tenant in "tenants" by Name {
        /// The id.
        id: Name,
        /// The name, for people.
        name: Option<Name>,
    }
}

record! {
    /// A user of a tenant.
    pub struct Tenancy in "tenancies" by (Name, Name) {
        /// The user.
        member: Name,
        /// The tenant; empty for what belongs to none.
        tenant: Name,
    }
}

record! {
    /// A group of a tenant: its members are in it, too.
    pub struct TeamTenancy in "team_tenancies" by (Name, Name) {
        /// The group.
        team: Name,
        /// The tenant; empty for what belongs to none.
        tenant: Name,
    }
}

record! {
    /// A user's password.
    pub struct Password in "passwords" by Name {
        /// The user.
        member: Name,
        /// What the password is checked by, as a PHC string.
        hash: Name,
        /// When it was set.
        changed: Timestamp,
    }
}

record! {
    /// A user who has signed in.
    pub struct Session in "sessions" by Bytes {
        /// The SHA-256 of its secret.
        secret: Bytes,
        /// The user.
        member: Name,
        /// When it began.
        created: Timestamp,
        /// When it was used last, roughly.
        used: Timestamp,
        /// When it ends by itself.
        expires: Timestamp,
    }
}

record! {
    /// What a program signs in by.
    pub struct ApiToken in "api_tokens" by Key {
        /// Its key.
        key: Key,
        /// The SHA-256 of its secret.
        secret: Bytes,
        /// What it is for.
        name: Name,
        /// The user whose rights it has.
        member: Name,
        /// The roles of the user that it has; all that the user may do if none is given.
        roles: Vec<Name>,
        /// The tenant that it keeps to.
        tenant: Option<Name>,
        /// Who made it.
        author: Option<Name>,
        /// When.
        created: Timestamp,
        /// When it ends by itself.
        expires: Option<Timestamp>,
        /// When it was used last, roughly.
        used: Option<Timestamp>,
    }
}

record! {
    /// That something was refused, or allowed that concerns others or the whole.
    pub struct Audit in "audit" by Key {
        /// Its key.
        key: Key,
        /// When.
        time: Timestamp,
        /// Who asked for it; nobody if the program itself.
        author: Option<Name>,
        /// The name of the token that they asked with.
        token: Option<Name>,
        /// What was asked for, as the engine names it.
        action: Name,
        /// What it was asked of.
        subject: Option<Name>,
        /// The tenant that it was asked for within.
        tenant: Option<Name>,
        /// Whether it was allowed.
        allowed: bool,
        /// More, in words.
        detail: Option<Name>,
        /// What somebody has noted on it.
        annotation: Option<Name>,
    }
}

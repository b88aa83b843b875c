//! Webhooks: who is told by HTTP what happens, and what they have not been told yet.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::{Bytes, codes};
use crate::record::record;

record! {
    /// Somebody who is told what happens.
    pub struct Webhook in "webhooks" by Key {
        /// Its key.
        key: Key,
        /// Where they are told.
        url: Name,
        /// What each message is signed with.
        secret: Bytes,
        /// The kinds of events that they are told; all if there are none.
        events: Vec<Name>,
        /// The processes whose events they are told; all if there are none.
        processes: Vec<Name>,
        /// The tenant whose events they are told; those of all if there is none.
        tenant: Option<Name>,
        /// Who asked for it.
        author: Option<Name>,
        /// When.
        created: Timestamp,
        /// As far as this place in the feed it is in `deliveries` what they are to be told.
        place: Name,
        /// A node is at it and has until then.
        leased_until: Timestamp,
    }
}

codes! {
    /// Whether somebody will be told something.
    DeliveryState {
        /// They will.
        #[default]
        Waiting = 0,
        /// It was tried often enough.
        Dead = 1,
    }
}

record! {
    /// What somebody is to be told. It is removed when they have been.
    pub struct Delivery in "deliveries" by (Key, Key) {
        /// The webhook.
        webhook: Key,
        /// Its key.
        key: Key,
        /// The event's id: the same for all who are told of it, and however often.
        event: Name,
        /// The kind of event.
        kind: Name,
        /// The instance that it happened to.
        instance: Key,
        /// What is sent.
        payload: Bytes,
        /// When it happened.
        created: Timestamp,
        /// Whether it will be sent.
        state: DeliveryState,
        /// How often it has been tried.
        tries: i64,
        /// When it is tried next.
        due: Timestamp,
        /// What went wrong at the last try.
        error: Option<Name>,
    }
}

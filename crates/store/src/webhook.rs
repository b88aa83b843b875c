//! Webhooks: which node is at which.

use std::time::Duration;

use potok_core::instance::Key;

use crate::cell::Field;
use crate::lease::after;
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed as _};
use crate::row::Webhook;
use crate::select::{Filter, Operator, Select};
use crate::{Store, StoreError};

impl Store {
    /// Takes those of the free webhooks that no other node is at, and keeps those that the caller is at.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn take_webhooks(
        &self,
        free: Vec<Key>,
        own: Vec<Key>,
        lease: Duration,
    ) -> Result<Vec<Webhook>, StoreError> {
        let mut session = self.database.write().await?;
        let now = session.now().await?;
        let set = [("leased_until", after(now, lease).to_cell())];
        let cells = |keys: Vec<Key>| keys.into_iter().map(Key::into_cells).collect::<Vec<_>>();
        let mut rows = Vec::new();
        if !free.is_empty() {
            let is_free = Filter::Compare("leased_until", Operator::LessOrEqual, now.to_cell());
            rows = session.take(&Select::keys(Webhook::TABLE, cells(free)).filter(is_free), &set).await?;
        }
        if !own.is_empty() {
            rows.extend(session.take(&Select::keys(Webhook::TABLE, cells(own)), &set).await?);
        }
        session.commit().await.map_err(crate::lease::of_lease)?;
        rows.into_iter().map(Webhook::from_row).collect()
    }
}

//! What was refused, and what was done to others or to the whole: written down before it is answered, and kept for a while.

use std::fmt::Display;

use potok_core::Name;
use potok_core::instance::Key;
use potok_store::query::AuditQuery;
use potok_store::row::Audit;
use potok_store::{Changes, Page, StoreError};

use crate::engine::Engine;
use crate::{Action, Boxed, Error, Right};

/// Characters of a record's texts: callers choose them.
const LENGTH: usize = 200;

/// Bytes of what is noted on a record or incident.
const NOTE: usize = 4_000;

/// Whether a note is short enough.
pub(crate) fn check_note(annotation: Option<&Name>) -> Result<(), Error> {
    let (size, limit) = (annotation.map_or(0, |note| note.len()) as u64, NOTE as u64);
    if size > limit { Err(StoreError::TooLarge { what: "the note", size, limit }.into()) } else { Ok(()) }
}

impl Engine {
    /// What was refused, and what was allowed that concerns others or the whole ([`Action::is_audited`]): by user, action and time, the
    /// oldest first unless asked for otherwise. It is kept for a year unless [set otherwise](crate::Builder::audit_time_to_live).
    ///
    /// ```
    /// # async fn example(engine: potok::Engine) -> Result<(), potok::Error> {
    /// use potok::query::AuditQuery;
    ///
    /// let refused = AuditQuery { authors: vec!["boris".into()], allowed: Some(false), ..AuditQuery::default() };
    /// for record in engine.audit(&refused).await?.rows {
    ///     println!("{} {} {:?}", record.time, record.action, record.subject);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be read.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Page<Audit>, Error> {
        self.search(query).await
    }

    /// Notes something on a record, or nothing any more (`None`); says whether there is one. The record itself stays as it is.
    ///
    /// # Errors
    /// If that is forbidden, the note is longer than 4,000 bytes, or the database cannot be written.
    pub async fn annotate_audit(&self, record: Key, annotation: Option<Name>) -> Result<bool, Error> {
        let access = self.checked(Action::AnnotateAudit, &record).await?;
        check_note(annotation.as_ref())?;
        let own = AuditQuery { keys: vec![record], sight: access.sight(), ..AuditQuery::default() };
        if self.inner.store.count(&own).await? == 0 {
            return Ok(false);
        }
        self.allowed(Action::AnnotateAudit, &record).await?;
        let mut changes = Changes::default();
        changes.annotate_record(record, annotation.as_ref());
        self.inner.write(changes).await?;
        Ok(true)
    }

    /// Writes down that something was allowed, if that is called for. What the program itself does with instances stands in their
    /// histories.
    pub(crate) async fn allowed(&self, action: Action, subject: &(dyn Display + Sync)) -> Result<(), Error> {
        if action.is_audited() && (self.user.is_some() || action.right() == Right::Administer) {
            self.write_down(self.record(action, subject, true, "")).await?;
        }
        Ok(())
    }

    /// Writes down that something was refused. It is refused whether or not that can be written.
    pub(crate) async fn refused(&self, action: Action, subject: &(dyn Display + Sync), why: &str) {
        let record = self.record(action, subject, false, why);
        if let Err(error) = self.write_down(record.clone()).await {
            tracing::error!(%error, ?record, "that this was refused could not be written down");
        }
    }

    fn record(&self, action: Action, subject: &(dyn Display + Sync), allowed: bool, detail: &str) -> Audit {
        let now = self.inner.clock.now();
        let text =
            |text: &str| Some(Name::from(text.chars().take(LENGTH).collect::<String>())).filter(|it| !it.is_empty());
        Audit {
            key: self.inner.next_key(now),
            time: now,
            author: self.user.as_deref().and_then(text),
            token: self.scope.as_ref().and_then(|scope| text(&scope.name)),
            action: action.name().into(),
            subject: text(&subject.to_string()),
            tenant: self.tenant.clone().or_else(|| self.only_tenant()),
            allowed,
            detail: text(detail),
            annotation: None,
        }
    }

    /// The tenant of a user who is in only one.
    fn only_tenant(&self) -> Option<Name> {
        let standing = self.inner.standings.get(&self.member(self.user.as_ref()?))?;
        match standing.tenants.as_deref() {
            Some([tenant]) => Some(tenant.clone()).filter(|tenant| !tenant.is_empty()),
            _ => None,
        }
    }

    fn write_down(&self, record: Audit) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let mut changes = Changes::default();
            changes.add(record);
            self.inner.write(changes).await
        })
    }
}

//! What is stuck: tried again, and what operators note on it.

use potok_core::Name;
use potok_core::instance::WaitKind;
use potok_core::routing::{Work, World as _};
use potok_core::step::{Command, Rejection};
use potok_store::query::IncidentQuery;

use crate::attempt::Attempt;
use crate::audit::check_note;
use crate::engine::Engine;
use crate::envelope::Act;
use crate::{Action, Error, IncidentId, InstanceId};

impl Engine {
    /// Tries again what is stuck.
    ///
    /// # Errors
    /// If there is no such open incident.
    pub async fn resolve_incident(&self, incident: IncidentId) -> Result<(), Error> {
        let mut query = IncidentQuery { keys: vec![incident.0], ..IncidentQuery::default() };
        self.checked(Action::ResolveIncident, &incident).await?.narrow(&mut query.sight);
        let row = self.inner.store.list(&query).await?.rows.pop().ok_or(Error::UnknownIncident(incident))?;
        self.allowed(Action::ResolveIncident, &incident).await?;
        let command = || Command::ResolveIncident { incident: incident.0 };
        match self.instance(InstanceId(row.instance)).give(command).await {
            Err(Error::Rejected(Rejection::Unknown(_) | Rejection::NotActive(_))) => {
                Err(Error::UnknownIncident(incident))
            }
            done => done,
        }
    }

    /// Notes something on an open incident, or nothing any more (`None`).
    ///
    /// # Errors
    /// If there is no such open incident, the note is longer than 4,000 bytes, or the database cannot be written.
    pub async fn annotate_incident(&self, incident: IncidentId, annotation: Option<Name>) -> Result<(), Error> {
        let mut query = IncidentQuery { open: Some(true), keys: vec![incident.0], ..IncidentQuery::default() };
        self.checked(Action::AnnotateIncident, &incident).await?.narrow(&mut query.sight);
        check_note(annotation.as_ref())?;
        let row = self.inner.store.list(&query).await?.rows.pop().ok_or(Error::UnknownIncident(incident))?;
        self.allowed(Action::AnnotateIncident, &incident).await?;
        let change = |attempt: &mut Attempt<'_>, _: &mut Work| {
            let wait = attempt.instance(row.instance)?.and_then(|running| running.instance.wait(incident.0));
            if !wait.is_some_and(|wait| matches!(wait.kind, WaitKind::Incident(_))) {
                return Ok(Err(Error::UnknownIncident(incident)));
            }
            attempt.changes.annotate_incident(row.instance, incident.0, annotation.as_ref());
            attempt.subject = Some(row.instance);
            let annotation = annotation.clone();
            attempt.envelope.act = Some(Act::IncidentAnnotated { incident: incident.0, annotation });
            Ok(Ok(()))
        };
        self.inner.transact(self.envelope(), change).await
    }
}

//! Erasure of personal data: what a variable has held is taken out of everything that is kept, and the history says so.

use std::collections::BTreeSet;

use potok_core::Name;
use potok_core::encoding::FORMAT;
use potok_core::instance::{Instance as State, Key};
use potok_core::routing::Message;
use potok_core::step::{Events, ThrownSignal, erase_from};
use potok_store::query::{InstanceQuery, MessageQuery};
use potok_store::row::{Snapshot, Variable, Work};
use potok_store::{Changes, Outcome};

use crate::attempt::{Attempt, Stop};
use crate::engine::{Engine, Inner};
use crate::envelope::{Act, Envelope};
use crate::own_variables;
use crate::transact::TRIES;
use crate::work::Chore;
use crate::{Action, Case, Error, InstanceId};

/// Rows that are read at once.
const PAGE: usize = 1000;

impl Case {
    /// Erases what variables of that name have held, in the process and in all its scopes, from the first event on: in its history and
    /// its snapshots, where it can be searched, in messages and signals that it has thrown or is to get, and in what it gave to
    /// called processes. They are null from then on, also in [the past](Self::at); that they were erased stands in the history.
    /// All in one transaction.
    ///
    /// Other variables that were computed from it, called instances' own variables, business and correlation keys, tasks' assignees,
    /// comments and attachments stay: they are not found by the variable's name.
    ///
    /// # Errors
    /// If there is no such instance, its history cannot be read, or the database cannot be written.
    pub async fn erase_variable(&self, name: impl Into<Name>) -> Result<(), Error> {
        self.engine().reach(Action::Erase, self.id()).await?;
        self.engine().inner.erase(self.engine().envelope(), self.id().0, &name.into()).await
    }
}

impl Engine {
    /// Erases what variables of that name have held in all instances that are searched for, running and ended: each in a
    /// transaction of its own. Says how many there were. See [`Case::erase_variable`].
    ///
    /// # Errors
    /// As [`Case::erase_variable`]; then some may have been done already. It can be repeated.
    pub async fn erase_variable(&self, query: &InstanceQuery, name: impl Into<Name>) -> Result<u64, Error> {
        let name = name.into();
        let mut query = query.clone();
        self.access(Action::Erase, &name).await?.narrow(&mut query.sight);
        query.page.limit.get_or_insert(PAGE);
        let mut erased = 0;
        loop {
            let page = self.inner.store.list(&query).await?;
            for row in page.rows {
                self.inner.erase(self.envelope(), row.key, &name).await?;
                erased += 1;
            }
            match page.next {
                Some(next) => query.page.after = Some(next),
                None => return Ok(erased),
            }
        }
    }
}

impl Inner {
    async fn erase(&self, envelope: Envelope, key: Key, name: &Name) -> Result<(), Error> {
        for _ in 0..TRIES {
            let mut attempt = Attempt::new(self, envelope.clone());
            match attempt.hold(key).await {
                Ok(()) => {}
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Contended(_)) => continue,
            }
            // What is being committed is durable from then on, or is loaded anew.
            if !attempt.is_fresh(true).await? {
                continue;
            }
            if attempt.loaded(key).is_none() {
                return Err(Error::UnknownInstance(InstanceId(key)));
            }
            let mut changes = Changes::default();
            let erased = self.erase_history(&mut changes, key, name).await?;
            if erased.variable(name).is_some() {
                changes.set_variable(Variable::null(key, name.clone()));
            }
            for (task, own) in own_variables::tasks(&erased) {
                own_variables::put(&mut changes, key, task, own, &mut BTreeSet::new());
            }
            self.erase_work(&mut changes, key, name).await?;
            self.erase_messages(&mut changes, &erased, name).await?;
            if let Some(loaded) = attempt.loaded_mut(key) {
                loaded.running.instance = erased;
            }
            attempt.changes = changes;
            attempt.subject = Some(key);
            attempt.envelope.act = Some(Act::VariableErased { name: name.clone() });
            let (Some(pending), _) = attempt.submit() else { return Ok(()) };
            match pending.await.map_err(|_| Error::Stopped)?? {
                Outcome::Committed => return Ok(()),
                _ => continue,
            }
        }
        Err(Error::Contended(InstanceId(key)))
    }

    /// Takes it out of the log, and makes the snapshots anew from that.
    async fn erase_history(&self, changes: &mut Changes, key: Key, name: &str) -> Result<State, Error> {
        let damaged = |error| Error::Damaged { instance: InstanceId(key), error };
        let snapshots: Vec<Snapshot> = self.store.of_instance(key).await?;
        let mut values = Vec::new();
        let mut seq = 0;
        // What it has held is known first: loops keep copies.
        loop {
            let rows = self.store.history(key, seq, PAGE).await?;
            for row in &rows {
                let events = Events::decode(&row.events).map_err(damaged)?;
                for value in events.values_of(name) {
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
                seq = row.seq;
            }
            if rows.len() < PAGE {
                break;
            }
        }
        let mut state = State::new(key);
        seq = 0;
        loop {
            let rows = self.store.history(key, seq, PAGE).await?;
            for row in &rows {
                let mut events = Events::decode(&row.events).map_err(damaged)?;
                if events.erase(name, &values) {
                    changes.rewrite_log(key, row.seq, FORMAT.into(), events.encode().into());
                }
                for event in &events.list {
                    state.apply(*event, &events);
                }
                seq = row.seq;
                if let Some(snapshot) = snapshots.iter().find(|snapshot| snapshot.seq == seq) {
                    let (format, bytes) = (FORMAT.into(), state.encode().into());
                    changes.put(Snapshot { format, bytes, ..snapshot.clone() });
                }
            }
            if rows.len() < PAGE {
                return Ok(state);
            }
        }
    }

    /// Takes it out of signals that are on their way to the instance.
    async fn erase_work(&self, changes: &mut Changes, key: Key, name: &str) -> Result<(), Error> {
        for work in self.store.of_instance::<Work>(key).await? {
            if work.kind != Chore::SIGNAL {
                continue;
            }
            if let Ok(mut signal) = ThrownSignal::decode(&work.payload)
                && erase_from(&mut signal.payload, name)
            {
                changes.rewrite_work(work.instance, work.key, signal.encode().into());
            }
        }
        Ok(())
    }

    /// Takes it out of kept messages that the instance has thrown, or that are for its business key.
    async fn erase_messages(&self, changes: &mut Changes, state: &State, name: &str) -> Result<(), Error> {
        for row in self.store.list(&MessageQuery::default()).await?.rows {
            let is_its_own = row.sender == Some(state.key())
                || (row.business_key.is_some() && row.business_key.as_ref() == state.business_key());
            if !is_its_own {
                continue;
            }
            if let Ok(mut message) = Message::decode(&row.payload)
                && (erase_from(&mut message.payload, name) | erase_from(&mut message.variables, name))
            {
                changes.rewrite_message(row.key, message.encode().into());
            }
        }
        Ok(())
    }
}

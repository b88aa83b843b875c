//! How often flow nodes were left, as histories tell.

use std::collections::BTreeMap;

use potok_core::Name;

use super::telling::Telling;
use super::{Happening, PAGE, Transition, What};
use crate::engine::Engine;
use crate::{Action, Error};

/// How often a flow node was left, and how long that took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishedElement {
    /// The id of the flow node.
    pub node: Name,
    /// How often it was completed.
    pub completed: u64,
    /// How often it was cancelled.
    pub cancelled: u64,
    /// The time that the completed visits took, all together.
    pub taken: jiff::SignedDuration,
}

impl FinishedElement {
    /// The time that a completed visit took on average.
    #[must_use]
    pub fn mean(&self) -> Option<jiff::SignedDuration> {
        let visits = i128::from(self.completed);
        (visits > 0).then(|| jiff::SignedDuration::from_nanos_i128(self.taken.as_nanos() / visits))
    }
}

impl Engine {
    /// How often each flow node was left in the instances that are searched for, and how long that took. Flow nodes of one id are
    /// counted together, whatever their version.
    ///
    /// It is told by the histories of these instances, which are read for it: narrow them by process and time.
    ///
    /// # Errors
    /// If a history cannot be read.
    pub async fn finished(&self, query: &potok_store::query::InstanceQuery) -> Result<Vec<FinishedElement>, Error> {
        let mut finished: BTreeMap<Name, FinishedElement> = BTreeMap::new();
        let mut query = crate::alone::of_processes(query.clone());
        self.access(Action::SeeAll, &"").await?.narrow(&mut query.sight);
        query.page.limit.get_or_insert(PAGE);
        loop {
            let page = self.inner.store.list(&query).await?;
            for row in &page.rows {
                let mut telling = Telling::of(row);
                while let Some(happenings) = telling.next(&self.inner).await? {
                    for Happening { time, what, .. } in happenings {
                        let What::Element { element, transition, since, .. } = what else { continue };
                        let entry = || FinishedElement { node: element.clone(), ..FinishedElement::default() };
                        match transition {
                            Transition::Complete => {
                                let entry = finished.entry(element.clone()).or_insert_with(entry);
                                entry.completed += 1;
                                entry.taken = entry.taken.saturating_add(time.duration_since(since));
                            }
                            Transition::AteAbort => {
                                finished.entry(element.clone()).or_insert_with(entry).cancelled += 1;
                            }
                            _ => {}
                        }
                    }
                }
            }
            match page.next {
                Some(next) => query.page.after = Some(next),
                None => return Ok(finished.into_values().collect()),
            }
        }
    }
}

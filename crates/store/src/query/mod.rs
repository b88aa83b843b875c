//! Searching: what was acknowledged is found at once. Each query names its filters; all that are given must hold.

#![allow(private_interfaces, reason = "the trait is sealed: nobody outside can name it, or what it is made of")]

mod access;
mod batch;
mod definition;
mod instance;
mod message;
mod page;
mod person;
mod saved;
mod sight;
mod task;
mod variable;
mod wait;
mod webhook;

pub use access::{ApiTokenQuery, AuditQuery, GrantQuery, SessionQuery, TeamTenancyQuery, TenancyQuery, TenantQuery};
pub use batch::{BatchItemQuery, BatchQuery};
pub use definition::{DefinitionQuery, DeploymentQuery};
pub use instance::{Expiry, InstanceOrder, InstanceQuery};
pub use message::{MessageQuery, SubscriptionQuery};
pub use page::{Cursor, Page, Paging};
pub use person::{GroupQuery, MembershipQuery, UserQuery};
pub use saved::SavedSearchQuery;
pub use sight::{Sight, Viewer};
pub use task::{TaskOrder, TaskQuery};
pub use variable::{Comparison, VariableFilter, VariableValue};
pub use wait::{DuePolicyQuery, IncidentQuery, JobOrder, JobQuery, TimerQuery, WorkQuery};
pub use webhook::{DeliveryQuery, WebhookQuery};

use crate::StoreError;
use crate::cell::{Cell, Field};
use crate::record::Record;
use crate::select::{Filter, Operator, Select};

/// What is searched for.
pub trait Query: Filters + Sync {
    /// What is found.
    type Row: Record;

    /// Which page of it.
    fn paging(&self) -> &Paging;
}

/// A query as filters; only this crate's are queries.
pub(crate) mod sealed {
    use super::{Filter, Paging, Record, Select, StoreError};
    use crate::select::Operator;

    pub trait Filters {
        fn filters(&self) -> Vec<Filter>;

        /// The column to sort by, before the key.
        fn order(&self) -> Option<&'static str>;

        fn select(&self) -> Result<Select, StoreError>
        where
            Self: super::Query,
        {
            let select = Select { filters: self.filters(), ..Select::from(<Self::Row as Record>::TABLE) };
            ordered(select, self.order(), self.paging())
        }
    }

    /// In an order in which each row has its place, and what comes behind a cursor in it.
    fn ordered(mut select: Select, by: Option<&'static str>, paging: &Paging) -> Result<Select, StoreError> {
        let (table, Paging { descending, after, .. }) = (select.table, paging);
        // The key of the row itself, which mostly sorts by time, makes every order total.
        let own = table.keys().last().map(|column| column.name);
        select.order = by.into_iter().chain(own).map(|column| (column, *descending)).collect();
        if let Some(cursor) = after {
            let cells = cursor.cells(table, &select.order).ok_or(StoreError::InvalidCursor)?;
            let operator = if *descending { Operator::Less } else { Operator::Greater };
            let columns = select.order.iter().map(|(column, _)| *column).collect();
            select.filters.push(Filter::Beyond(columns, operator, cells));
        }
        Ok(select)
    }
}
use sealed::Filters;

/// Gathers the filters that are given.
#[derive(Default)]
struct Gathered(Vec<Filter>);

impl Gathered {
    fn equal<F: Field>(&mut self, column: &'static str, value: Option<&F>) {
        self.0.extend(value.map(|value| Filter::equal(column, value.to_cell())));
    }

    fn one_of<F: Field>(&mut self, column: &'static str, values: &[F]) {
        if !values.is_empty() {
            self.0.push(Filter::In(column, values.iter().map(Field::to_cell).collect()));
        }
    }

    /// A state; alone it is in the statement's text, for the sake of partial indexes.
    fn state<F: Field>(&mut self, column: &'static str, states: &[F]) {
        match states.iter().map(Field::to_cell).collect::<Vec<_>>().as_slice() {
            [Cell::Integer(code)] => self.0.push(Filter::Code(column, *code)),
            _ => self.one_of(column, states),
        }
    }

    fn like(&mut self, column: &'static str, pattern: Option<&String>) {
        self.0.extend(pattern.map(|pattern| Filter::like(column, pattern)));
    }

    /// Whether a name stands there, or nothing.
    fn is_there(&mut self, column: &'static str, there: Option<bool>) {
        let operator = if there == Some(true) { Operator::NotEqual } else { Operator::Equal };
        self.compare(column, operator, there.map(|_| None::<potok_core::Name>).as_ref());
    }

    fn compare<F: Field>(&mut self, column: &'static str, operator: Operator, value: Option<&F>) {
        self.0.extend(value.map(|value| Filter::Compare(column, operator, value.to_cell())));
    }

    /// Whether a time stands there, or nothing.
    fn is_some_time(&mut self, column: &'static str, there: Option<bool>) {
        let operator = if there == Some(true) { Operator::NotEqual } else { Operator::Equal };
        self.compare(column, operator, there.map(|_| None::<potok_core::time::Timestamp>).as_ref());
    }

    /// A time before or from another; a time that there is not is neither.
    fn between(
        &mut self,
        column: &'static str,
        from: Option<&potok_core::time::Timestamp>,
        before: Option<&potok_core::time::Timestamp>,
    ) {
        self.compare(column, Operator::GreaterOrEqual, from);
        self.compare(column, Operator::Less, before);
        if from.is_some() && before.is_none() {
            self.0.push(Filter::Compare(column, Operator::Less, None::<potok_core::time::Timestamp>.to_cell()));
        }
    }
}

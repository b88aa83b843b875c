//! Counting by flow node and by definition, each in one statement.

use potok_core::Name;
use potok_core::instance::Key;

use crate::cell::Field;
use crate::query::JobQuery;
use crate::query::sealed::Filters as _;
use crate::record::{Record, Table};
use crate::row::Token;
use crate::select::{Filter, Operator, Select};
use crate::{Query, Store, StoreError};

impl Store {
    /// How many tokens stand on each flow node of a definition, by the nodes' ordinals; without those that wait at tasks and jobs.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn tokens_by_node(&self, definition: Key) -> Result<Vec<(u32, u64)>, StoreError> {
        let select = Select::from(Token::TABLE).filter(Filter::equal("definition", definition.to_cell()));
        self.tally_selected(&select, "node").await
    }

    /// The instances of a definition of which a token stands on that flow node, without those that wait there at tasks and jobs.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn instances_on(&self, definition: Key, node: u32) -> Result<Vec<Key>, StoreError> {
        let on = Select::from(Token::TABLE)
            .filter(Filter::equal("definition", definition.to_cell()))
            .filter(Filter::equal("node", node.to_cell()));
        Ok(self.tally_selected(&on, "instance").await?.into_iter().map(|(instance, _)| instance).collect())
    }

    /// The instances to which rows of a table belong.
    ///
    /// # Errors
    /// If the database cannot be read, or the rows belong to no instances.
    pub async fn instances_with<R: Record>(&self) -> Result<Vec<Key>, StoreError> {
        let all = self.tally_selected(&Select::from(R::TABLE), "instance").await?;
        Ok(all.into_iter().map(|(instance, _)| instance).collect())
    }

    /// How many there are on each flow node, by the nodes' ids, of what is searched for: tasks, jobs, timers, subscriptions or
    /// incidents.
    ///
    /// # Errors
    /// If the database cannot be read, or what is searched for is on no flow nodes.
    pub async fn count_by_node<Q: Query>(&self, query: &Q) -> Result<Vec<(Name, u64)>, StoreError> {
        self.tally(query, "node").await
    }

    /// How many there are of each definition of what is searched for: instances, tasks, jobs, timers, subscriptions or incidents.
    ///
    /// # Errors
    /// If the database cannot be read, or what is searched for is of no definitions.
    pub async fn count_by_definition<Q: Query>(&self, query: &Q) -> Result<Vec<(Key, u64)>, StoreError> {
        self.tally(query, "definition").await
    }

    /// How many jobs there are of each topic: with tries left, those of them that somebody has, and without tries.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn jobs_by_topic(&self, query: &JobQuery) -> Result<[Vec<(Name, u64)>; 3], StoreError> {
        let now = self.database.read().await?.now().await?;
        let of = |has_retries| JobQuery { has_retries: Some(has_retries), ..query.clone() };
        let leased = of(true)
            .select()?
            .filter(Filter::Compare("lease", Operator::NotEqual, 0_u64.to_cell()))
            .filter(Filter::Compare("leased_until", Operator::Greater, now.to_cell()));
        Ok([
            self.tally(&of(true), "topic").await?,
            self.tally_selected(&leased, "topic").await?,
            self.tally(&of(false), "topic").await?,
        ])
    }

    /// Each value of a column of what is searched for, and how many there are.
    pub(crate) async fn tally<Q: Query, F: Field>(
        &self,
        query: &Q,
        column: &'static str,
    ) -> Result<Vec<(F, u64)>, StoreError> {
        self.tally_selected(&query.select()?, column).await
    }

    pub(crate) async fn tally_selected<F: Field>(
        &self,
        select: &Select,
        column: &'static str,
    ) -> Result<Vec<(F, u64)>, StoreError> {
        let table: &'static Table = select.table;
        let damaged = || StoreError::Damaged { table: table.name, column };
        let (_, kind) = table.column(column).ok_or_else(damaged)?;
        let counts = self.database.read().await?.tally(select, kind).await?;
        let count = |(value, count)| Ok((F::from_cell(value).ok_or_else(damaged)?, count));
        counts.into_iter().map(count).collect()
    }
}

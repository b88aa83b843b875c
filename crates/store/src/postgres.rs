//! PostgreSQL: several nodes on one database.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use potok_core::time::Timestamp;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgListener, PgPool, PgPoolOptions, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Connection as _, PgConnection, Postgres as Driver, Row as _, Transaction};

use crate::StoreError;
use crate::cell::{Cell, Kind, Row};
use crate::commit::REMOVAL;
use crate::database::{Database, Session};
use crate::news::Ear;
use crate::record::{Column, Record as _, Table};
use crate::row::LogRow;
use crate::select::Select;
use crate::sql::{Bind, Dialect, Statement};
use crate::standing::Standing;

/// A connection that was idle for no longer is not asked whether it is still there.
const JUST_USED: Duration = Duration::from_secs(1);

/// A machine that is gone without a word in the midst of a transaction would keep its locks for hours: the server is to notice.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '60s'; SET tcp_keepalives_idle = 30; \
                       SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";

/// For searches, each of which is planned for what it asks and for how large the tables are by now.
const SEARCHING: &str = "SET plan_cache_mode = force_custom_plan";

/// For connections on which every row is found by its key. The server would plan that from how large the tables were when it first
/// planned: as long as they are small it reads them whole, and goes on with that while they grow.
const BY_KEY: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
                      SET enable_mergejoin = off; SET jit = off";

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

#[derive(Debug)]
pub(crate) struct Postgres {
    /// Connections for searches, and for a program's own transactions.
    searching: PgPool,
    /// Connections that write, and look up what has a key: few, so that each soon has prepared what it needs.
    by_key: PgPool,
    /// How to connect.
    options: PgConnectOptions,
    /// Advisory locks and channels are the whole database's: this number keeps those of one schema apart from another's.
    schema: i64,
}

impl Postgres {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse::<PgConnectOptions>()?.statement_cache_capacity(500);
        let searching = Self::pool(12, format!("{SESSION}; {SEARCHING}")).connect_with(options.clone()).await?;
        MIGRATIONS.run(&searching).await?;
        let schema = "SELECT current_schema()::regnamespace::oid::bigint";
        let schema = sqlx::query_scalar(schema).fetch_one(&searching).await?;
        let mut transaction = searching.begin().await?;
        count_on(&mut transaction, schema).await?;
        transaction.commit().await?;
        let by_key = Self::pool(8, format!("{SESSION}; {BY_KEY}")).connect_lazy_with(options.clone());
        Ok(Self { searching, by_key, options, schema })
    }

    /// Where nodes tell each other what they do.
    fn channel(&self) -> String {
        format!("potok_{}", self.schema)
    }

    fn session(&self, link: Link) -> Box<dyn Session> {
        Box::new(PostgresSession { link, schema: self.schema, gathered: None })
    }

    fn pool(most: u32, session: String) -> PgPoolOptions {
        let session: Arc<str> = session.into();
        PgPoolOptions::new()
            .max_connections(most)
            // A connection that was cut is noticed before it is used, not by the command that uses it; one that has just been used
            // is taken on trust.
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > JUST_USED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                let session = session.clone();
                Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(&*session)).execute(connection).await.map(drop) })
            })
    }
}

/// If the database comes from another server, by dump and restore, that one may have counted transactions further than this one has. What is
/// written here is counted from there on; else readers of the feed would wait for what was written there, and skip what is written here.
async fn count_on(transaction: &mut Transaction<'_, Driver>, schema: i64) -> Result<(), StoreError> {
    // Nobody removes anything meanwhile.
    let lock = "SELECT pg_advisory_xact_lock(n) FROM unnest($1::bigint[]) AS n";
    sqlx::query(lock).bind(locks(schema, &[REMOVAL])).execute(&mut **transaction).await?;
    let far = "SELECT max(\"transaction\") FROM log HAVING max(\"transaction\") >= \
               pg_current_xact_id()::text::bigint + pg_sequence_last_value('servers_before')";
    let far: Option<i64> = sqlx::query_scalar(far).fetch_optional(&mut **transaction).await?;
    if let Some(far) = far {
        let from_there_on = format!(
            "ALTER TABLE log ALTER COLUMN \"transaction\" SET DEFAULT pg_current_xact_id()::text::bigint + {far}; \
             SELECT setval('servers_before', {far})"
        );
        sqlx::raw_sql(AssertSqlSafe(from_there_on)).execute(&mut **transaction).await?;
    }
    // Else each commit would take that for a removal that it does not see.
    let removals = "SELECT setval('removals', 0) \
                    WHERE pg_sequence_last_value('removals') > pg_current_xact_id()::text::bigint";
    sqlx::query(removals).execute(&mut **transaction).await?;
    Ok(())
}

#[async_trait]
impl Database for Postgres {
    async fn read(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(self.session(Link::Reading(self.searching.acquire().await?)))
    }

    async fn look_up(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(self.session(Link::Reading(self.by_key.acquire().await?)))
    }

    async fn write(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(self.session(Link::Writing(self.by_key.begin().await?)))
    }

    async fn write_once(&self) -> Result<Box<dyn Session>, StoreError> {
        self.look_up().await
    }

    async fn write_at_once(
        &self,
        numbers: Vec<i64>,
        standing: Standing,
    ) -> Result<Option<Box<dyn Session>>, StoreError> {
        let connection = self.by_key.acquire().await?;
        Ok(Some(self.session(Link::AtOnce { connection, numbers, standing })))
    }

    async fn lend(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(self.session(Link::Writing(self.searching.begin().await?)))
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn tell(&self, news: &str) -> Result<(), StoreError> {
        // What is told need not outlive the server: nobody waits for the disk. Only those who tell something wait for each other, so
        // that this is never part of a commit.
        let sql = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";
        sqlx::query(sql).bind(self.channel()).bind(news).execute(&self.by_key).await?;
        Ok(())
    }

    async fn listen(&self) -> Result<Option<Box<dyn Ear>>, StoreError> {
        let only = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let mut listener = PgListener::connect_with(&only.connect_lazy_with(self.options.clone())).await?;
        listener.listen(&self.channel()).await?;
        Ok(Some(Box::new(listener)))
    }

    async fn close(&self) {
        self.by_key.close().await;
        self.searching.close().await;
    }
}

#[async_trait]
impl Ear for PgListener {
    async fn hear(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.try_recv().await?.map(|news| news.payload().into()))
    }
}

enum Link {
    Reading(PoolConnection<Driver>),
    Writing(Transaction<'static, Driver>),
    /// With what it locks, and the rows that must be there.
    AtOnce {
        connection: PoolConnection<Driver>,
        numbers: Vec<i64>,
        standing: Standing,
    },
}

struct PostgresSession {
    link: Link,
    schema: i64,
    /// Changes that wait to be made in one statement.
    gathered: Option<Vec<Statement>>,
}

impl PostgresSession {
    fn connection(&mut self) -> &mut PgConnection {
        match &mut self.link {
            Link::Reading(connection) | Link::AtOnce { connection, .. } => connection,
            Link::Writing(transaction) => transaction,
        }
    }

    async fn execute(&mut self, statement: Statement) -> Result<(), StoreError> {
        if let Some(gathered) = &mut self.gathered {
            gathered.push(statement);
            return Ok(());
        }
        let arguments = arguments(statement.binds)?;
        sqlx::query_with(AssertSqlSafe(statement.text), arguments).execute(self.connection()).await?;
        Ok(())
    }

    async fn fetch(&mut self, statement: Statement, table: &'static Table) -> Result<Vec<Row>, StoreError> {
        let arguments = arguments(statement.binds)?;
        let query = sqlx::query_with(AssertSqlSafe(statement.text), arguments);
        query.fetch_all(self.connection()).await?.iter().map(|row| decode(row, table.columns)).collect()
    }
}

/// Numbers as the whole database's advisory locks know them.
fn locks(schema: i64, numbers: &[i64]) -> Vec<i64> {
    let schema = schema.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    numbers.iter().map(|number| number ^ schema).collect()
}

fn arguments(binds: Vec<Bind>) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for bind in &binds {
        match bind {
            Bind::One(Cell::Integer(value)) => arguments.add(value),
            Bind::One(Cell::Real(value)) => arguments.add(value),
            Bind::One(Cell::Text(value)) => arguments.add(&**value),
            Bind::One(Cell::Bytes(value)) => arguments.add(&**value),
            Bind::Many(Kind::Integer, cells) => arguments.add(column(cells, |cell| match cell {
                Cell::Integer(value) => Some(*value),
                _ => None,
            })),
            Bind::Many(Kind::Real, cells) => arguments.add(column(cells, |cell| match cell {
                Cell::Real(value) => Some(*value),
                _ => None,
            })),
            Bind::Many(Kind::Text, cells) => arguments.add(column(cells, |cell| match cell {
                Cell::Text(value) => Some(&**value),
                _ => None,
            })),
            Bind::Many(Kind::Bytes, cells) => arguments.add(column(cells, |cell| match cell {
                Cell::Bytes(value) => Some(&**value),
                _ => None,
            })),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn column<'c, T>(cells: &'c [Cell], value: impl Fn(&'c Cell) -> Option<T>) -> Vec<T> {
    cells.iter().filter_map(value).collect()
}

fn decode(row: &PgRow, columns: &[Column]) -> Result<Row, StoreError> {
    let cell = |(index, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Integer => Cell::Integer(row.try_get(index)?),
            Kind::Real => Cell::Real(row.try_get(index)?),
            Kind::Text => Cell::Text(row.try_get::<&str, _>(index)?.into()),
            Kind::Bytes => Cell::Bytes(row.try_get::<&[u8], _>(index)?.into()),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

#[async_trait]
impl Session for PostgresSession {
    fn gather(&mut self) {
        self.gathered.get_or_insert_default();
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        if matches!(self.link, Link::AtOnce { .. }) {
            return Ok(());
        }
        match self.gathered.take() {
            Some(statements) if !statements.is_empty() => self.execute(Statement::together(statements)).await,
            _ => Ok(()),
        }
    }

    async fn select(&mut self, select: &Select) -> Result<Vec<Row>, StoreError> {
        self.fetch(Statement::select(Dialect::Postgres, select), select.table).await
    }

    async fn count(&mut self, select: &Select) -> Result<u64, StoreError> {
        let statement = Statement::count(Dialect::Postgres, select);
        let arguments = arguments(statement.binds)?;
        let query = sqlx::query_scalar_with::<_, i64, _>(AssertSqlSafe(statement.text), arguments);
        Ok(query.fetch_one(self.connection()).await?.cast_unsigned())
    }

    async fn tally(&mut self, select: &Select, column: &'static Column) -> Result<Vec<(Cell, u64)>, StoreError> {
        let statement = Statement::tally(Dialect::Postgres, select, column);
        let arguments = arguments(statement.binds)?;
        let query = sqlx::query_with(AssertSqlSafe(statement.text), arguments);
        let rows = query.fetch_all(self.connection()).await?;
        let counted = |row: &_| {
            let cells = decode(row, std::slice::from_ref(column))?;
            Ok(cells.into_iter().next().zip(Some(row.try_get::<i64, _>(1)?.cast_unsigned())))
        };
        Ok(rows.iter().map(counted).collect::<Result<Vec<_>, StoreError>>()?.into_iter().flatten().collect())
    }

    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.execute(Statement::insert(Dialect::Postgres, table, rows, false)).await
    }

    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.execute(Statement::insert(Dialect::Postgres, table, rows, true)).await
    }

    async fn update(
        &mut self,
        table: &'static Table,
        columns: &'static [&'static str],
        rows: &[Row],
    ) -> Result<(), StoreError> {
        let columns: Vec<&Column> = columns.iter().filter_map(|name| Some(table.column(name)?.1)).collect();
        self.execute(Statement::update(Dialect::Postgres, table, &columns, rows)).await
    }

    async fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<(), StoreError> {
        if table.name == LogRow::TABLE.name {
            // Whoever commits in one statement looks anew.
            let sql = "SELECT setval('removals', pg_current_xact_id()::text::bigint)";
            sqlx::query(sql).execute(self.connection()).await?;
        }
        let statement = match &mut self.link {
            Link::AtOnce { standing, .. } => standing.release(table, keys).map(|held| Statement::delete_held(&held)),
            _ => None,
        };
        self.execute(statement.unwrap_or_else(|| Statement::delete(Dialect::Postgres, table, keys))).await
    }

    async fn take(&mut self, select: &Select, set: &[(&'static str, Cell)]) -> Result<Vec<Row>, StoreError> {
        self.fetch(Statement::take(Dialect::Postgres, select, set), select.table).await
    }

    async fn lock(&mut self, numbers: &[i64], wait: bool) -> Result<Vec<bool>, StoreError> {
        let numbers = locks(self.schema, numbers);
        let sql = match wait {
            // In the order given, row by row: whoever waits holds only locks that sort before.
            true => "SELECT pg_advisory_xact_lock(n) IS NOT NULL FROM unnest($1::bigint[]) AS n",
            false => "SELECT pg_try_advisory_xact_lock(n) FROM unnest($1::bigint[]) AS n",
        };
        Ok(sqlx::query_scalar(sql).bind(numbers).fetch_all(self.connection()).await?)
    }

    async fn now(&mut self) -> Result<Timestamp, StoreError> {
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let time: i64 = sqlx::query_scalar(sql).fetch_one(self.connection()).await?;
        Timestamp::from_microsecond(time).map_err(|error| StoreError::Refused(error.to_string()))
    }

    fn postgres(&mut self) -> Option<&mut PgConnection> {
        Some(self.connection())
    }

    async fn horizon(&mut self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint \
                   + pg_sequence_last_value('servers_before')";
        Ok(Some(sqlx::query_scalar(sql).fetch_one(self.connection()).await?))
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        match self.link {
            Link::Reading(_) => Ok(()),
            Link::Writing(transaction) => {
                transaction.commit().await.map_err(|error| StoreError::OutcomeUnknown(error.to_string()))
            }
            Link::AtOnce { mut connection, numbers, standing } => {
                let numbers = locks(self.schema, &numbers);
                let statement = Statement::at_once(self.gathered.unwrap_or_default(), &numbers, &standing);
                let query = sqlx::query_with(AssertSqlSafe(statement.text), arguments(statement.binds)?);
                let done = query.execute(&mut *connection).await;
                if done.is_err() {
                    // The server says what is wrong before it lets go of the locks.
                    let _ = connection.ping().await;
                }
                done.map(drop).map_err(StoreError::of_transaction)
            }
        }
    }
}

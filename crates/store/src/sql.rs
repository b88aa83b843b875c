//! Statements as text: what SQLite and PostgreSQL have in common, and where they differ.
//!
//! The text of a statement depends on its shape and never on its values, so that databases can keep it prepared. SQLite gets
//! rows as `VALUES` lists, PostgreSQL as one array for each column.

use std::fmt::Write;

use crate::cell::{Cell, Kind, Row};
use crate::record::sealed::Sealed as _;
use crate::record::{Column, Record as _, Table};
use crate::row::{LogPoint, Task};
use crate::select::{Filter, Select};
use crate::standing::{Held, Standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A parameter.
#[derive(Debug)]
pub(crate) enum Bind {
    One(Cell),
    Many(Kind, Vec<Cell>),
}

/// A statement.
#[derive(Debug)]
pub(crate) struct Statement {
    dialect: Dialect,
    pub(crate) text: String,
    pub(crate) binds: Vec<Bind>,
    /// How many rows it must take away, if that matters.
    taken: Option<usize>,
}

impl Statement {
    pub(crate) fn select(dialect: Dialect, select: &Select) -> Self {
        let mut sql = Self::new(dialect);
        sql.push("SELECT ");
        sql.columns("t.", select.table.columns);
        sql.from(select);
        sql
    }

    pub(crate) fn count(dialect: Dialect, select: &Select) -> Self {
        let mut sql = Self::new(dialect);
        sql.push("SELECT count(*)");
        sql.from(&Select { order: Vec::new(), limit: None, ..select.clone() });
        sql
    }

    /// Each value of a column, and how many rows have it.
    pub(crate) fn tally(dialect: Dialect, select: &Select, column: &Column) -> Self {
        let mut sql = Self::new(dialect);
        let _ = write!(sql.text, "SELECT t.\"{}\", count(*)", column.name);
        sql.from(&Select { order: Vec::new(), limit: None, ..select.clone() });
        let _ = write!(sql.text, " GROUP BY t.\"{0}\" ORDER BY t.\"{0}\"", column.name);
        sql
    }

    pub(crate) fn insert(dialect: Dialect, table: &Table, rows: &[Row], replace: bool) -> Self {
        let mut sql = Self::new(dialect);
        let columns = table.written();
        sql.push(if replace && dialect == Dialect::Sqlite { "INSERT OR REPLACE INTO " } else { "INSERT INTO " });
        let _ = write!(sql.text, "\"{}\" (", table.name);
        sql.columns("", columns);
        sql.push(") ");
        sql.rows(columns, rows);
        if replace && dialect == Dialect::Postgres {
            sql.push(" ON CONFLICT (");
            sql.columns("", table.keys());
            sql.push(") DO ");
            sql.push(if columns.len() == table.key { "NOTHING" } else { "UPDATE SET " });
            for (index, column) in columns[table.key..].iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                let _ = write!(sql.text, "{separator}\"{0}\" = excluded.\"{0}\"", column.name);
            }
        }
        sql
    }

    /// Changes in one statement, as PostgreSQL takes them: none sees what another does.
    pub(crate) fn together(statements: Vec<Self>) -> Self {
        let mut sql = Self::gathered(statements);
        sql.push(" SELECT 1");
        sql
    }

    /// The same; it divides by zero unless it gets the locks of all numbers, and the rows are there that must be. What stands behind the
    /// changes is worked out before them. It may get its locks later than it began: what they guard is looked at once it has them.
    pub(crate) fn at_once(statements: Vec<Self>, numbers: &[i64], standing: &Standing) -> Self {
        let taken: Vec<(usize, usize)> =
            statements.iter().enumerate().filter_map(|(index, sql)| Some((index, sql.taken?))).collect();
        let mut sql = Self::gathered(statements);
        sql.push(" SELECT 1 / (CASE WHEN (SELECT bool_and(pg_try_advisory_xact_lock(n)) FROM (SELECT unnest(");
        sql.bind(Bind::Many(Kind::Integer, numbers.iter().copied().map(Cell::Integer).collect()));
        sql.push("::bigint[])) AS l (n)) THEN true");
        if !standing.log.is_empty() {
            // Nobody has removed anything that this statement still sees: else it looks anew.
            sql.push(" AND CASE WHEN pg_visible_in_snapshot(");
            sql.push("pg_sequence_last_value('removals')::text::xid8, pg_current_snapshot())");
            sql.push(" THEN (SELECT count(*) FROM (");
            let columns: Vec<&Column> = LogPoint::TABLE.columns.iter().collect();
            let rows: Vec<Row> = standing.log.iter().map(|point| point.clone().into_row()).collect();
            sql.row_list(&columns, &rows);
            sql.push(") AS s (instance, seq, unit) JOIN log AS t ON t.instance = s.instance AND t.seq = s.seq");
            sql.push(" AND s.unit IN (0, t.unit)) ELSE log_stands(");
            sql.arrays(&columns, &rows);
            sql.push(") END = ");
            sql.value(Cell::Integer(i64::try_from(standing.log.len()).unwrap_or(i64::MAX)));
        }
        for Held { table, columns, rows } in &standing.held {
            sql.push(" AND (SELECT count(*) FROM (SELECT 1 FROM (");
            let found: Vec<&Column> = columns.iter().filter_map(|name| Some(table.column(name)?.1)).collect();
            sql.row_list(&found, rows);
            let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
            let _ = write!(sql.text, ") AS s ({}) JOIN \"{}\" AS t", names.join(", "), table.name);
            for (index, column) in columns.iter().enumerate() {
                let separator = if index == 0 { " ON " } else { " AND " };
                let _ = write!(sql.text, "{separator}t.\"{column}\" = s.\"{column}\"");
            }
            // A row that somebody has just changed or taken away is not as it was when this statement began: the lock looks again.
            sql.push(" FOR UPDATE OF t) AS held) = ");
            sql.value(Cell::Integer(i64::try_from(rows.len()).unwrap_or(i64::MAX)));
        }
        // What is taken away looks again by itself.
        for (index, rows) in taken {
            let _ = write!(sql.text, " AND (SELECT count(*) FROM c{index}) = ");
            sql.value(Cell::Integer(i64::try_from(rows).unwrap_or(i64::MAX)));
        }
        sql.push(" ELSE false END)::int");
        sql
    }

    fn gathered(statements: Vec<Self>) -> Self {
        let mut sql = Self::new(Dialect::Postgres);
        for (index, statement) in statements.into_iter().enumerate() {
            let _ = write!(sql.text, "{}c{index} AS (", if index == 0 { "WITH " } else { ", " });
            // Parameters are counted through.
            let before = sql.binds.len();
            let mut parts = statement.text.split('$');
            sql.push(parts.next().unwrap_or_default());
            for part in parts {
                let digits = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
                let number = part[..digits].parse::<usize>().unwrap_or(0) + before;
                let _ = write!(sql.text, "${number}{}", &part[digits..]);
            }
            sql.push(")");
            sql.binds.extend(statement.binds);
        }
        sql
    }

    pub(crate) fn update(dialect: Dialect, table: &Table, columns: &[&Column], rows: &[Row]) -> Self {
        let mut sql = Self::new(dialect);
        let _ = write!(sql.text, "UPDATE \"{}\" AS t SET ", table.name);
        for (index, column) in columns.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let _ = write!(sql.text, "{separator}\"{}\" = v.column{}", column.name, table.key + index + 1);
        }
        sql.push(" FROM (");
        let all: Vec<&Column> = table.keys().iter().chain(columns.iter().copied()).collect();
        sql.row_list(&all, rows);
        sql.push(") AS v");
        sql.equal(&all[..table.key], "v");
        sql
    }

    pub(crate) fn delete(dialect: Dialect, table: &Table, keys: &[Row]) -> Self {
        let mut sql = Self::new(dialect);
        let _ = write!(sql.text, "DELETE FROM \"{}\" AS t ", table.name);
        match dialect {
            Dialect::Sqlite => {
                sql.push("WHERE ");
                sql.keys(table, "t", keys);
            }
            Dialect::Postgres => {
                let columns: Vec<&Column> = table.columns.iter().take(keys.first().map_or(0, Vec::len)).collect();
                sql.push("USING (");
                sql.row_list(&columns, keys);
                sql.push(") AS s");
                sql.equal(&columns, "s");
            }
        }
        sql
    }

    /// Takes rows away that must be as they are held for [`at_once`](Self::at_once).
    pub(crate) fn delete_held(Held { table, columns, rows }: &Held) -> Self {
        let mut sql = Self::new(Dialect::Postgres);
        let found: Vec<&Column> = columns.iter().filter_map(|name| Some(table.column(name)?.1)).collect();
        let _ = write!(sql.text, "DELETE FROM \"{}\" AS t USING (", table.name);
        sql.row_list(&found, rows);
        sql.push(") AS s");
        sql.equal(&found, "s");
        sql.push(" RETURNING 1");
        sql.taken = Some(rows.len());
        sql
    }

    pub(crate) fn take(dialect: Dialect, select: &Select, set: &[(&'static str, Cell)]) -> Self {
        let mut sql = Self::new(dialect);
        let table = select.table;
        // Materialised, so that the rows to take are chosen once.
        sql.push(if dialect == Dialect::Postgres { "WITH v AS MATERIALIZED (SELECT " } else { "WITH v AS (SELECT " });
        sql.columns("t.", table.keys());
        sql.from(select);
        if dialect == Dialect::Postgres {
            sql.push(" FOR UPDATE SKIP LOCKED");
        }
        let _ = write!(sql.text, ") UPDATE \"{}\" AS u SET ", table.name);
        for (index, (column, value)) in set.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let _ = write!(sql.text, "{separator}\"{column}\" = ");
            sql.value(value.clone());
        }
        match dialect {
            Dialect::Sqlite => {
                sql.push(" WHERE (");
                sql.columns("u.", table.keys());
                sql.push(") IN (SELECT * FROM v)");
            }
            Dialect::Postgres => {
                for (index, column) in table.keys().iter().enumerate() {
                    let separator = if index == 0 { " FROM v WHERE " } else { " AND " };
                    let _ = write!(sql.text, "{separator}u.\"{0}\" = v.\"{0}\"", column.name);
                }
            }
        }
        sql.push(" RETURNING ");
        sql.columns(if dialect == Dialect::Postgres { "u." } else { "" }, table.columns);
        sql
    }

    fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::with_capacity(256), binds: Vec::new(), taken: None }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn columns(&mut self, prefix: &str, columns: &[Column]) {
        for (index, column) in columns.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let _ = write!(self.text, "{separator}{prefix}\"{}\"", column.name);
        }
    }

    fn bind(&mut self, bind: Bind) {
        self.binds.push(bind);
        match self.dialect {
            Dialect::Sqlite => self.push("?"),
            Dialect::Postgres => {
                let _ = write!(self.text, "${}", self.binds.len());
            }
        }
    }

    fn value(&mut self, cell: Cell) {
        self.bind(Bind::One(cell));
    }

    /// That these columns of the table are those of rows of that name.
    fn equal(&mut self, columns: &[&Column], rows: &str) {
        for (index, column) in columns.iter().enumerate() {
            let separator = if index == 0 { " WHERE " } else { " AND " };
            let _ = write!(self.text, "{separator}t.\"{}\" = {rows}.column{}", column.name, index + 1);
        }
    }

    fn values(&mut self, cells: &[Cell]) {
        for (index, cell) in cells.iter().enumerate() {
            self.push(if index == 0 { "(" } else { ", " });
            self.value(cell.clone());
        }
        self.push(")");
    }

    fn rows(&mut self, columns: &[Column], rows: &[Row]) {
        let columns: Vec<&Column> = columns.iter().collect();
        self.row_list(&columns, rows);
    }

    /// Rows as a statement of their own, with columns named `column1`, `column2`...
    fn row_list(&mut self, columns: &[&Column], rows: &[Row]) {
        match self.dialect {
            Dialect::Sqlite => {
                for (index, row) in rows.iter().enumerate() {
                    self.push(if index == 0 { "VALUES " } else { ", " });
                    self.values(&row[..columns.len()]);
                }
            }
            // Not out of `unnest` in FROM, which keeps each column's values in a store of their own first.
            Dialect::Postgres => {
                for (index, column) in columns.iter().enumerate() {
                    self.push(if index == 0 { "SELECT unnest(" } else { ", unnest(" });
                    self.array(column, index, rows);
                    let _ = write!(self.text, ") AS column{}", index + 1);
                }
            }
        }
    }

    /// Rows as an array for each column, as PostgreSQL takes them.
    fn arrays(&mut self, columns: &[&Column], rows: &[Row]) {
        for (index, column) in columns.iter().enumerate() {
            self.push(if index == 0 { "" } else { ", " });
            self.array(column, index, rows);
        }
    }

    fn array(&mut self, column: &Column, index: usize, rows: &[Row]) {
        let cells = rows.iter().filter_map(|row| row.get(index).cloned()).collect();
        self.bind(Bind::Many(column.kind, cells));
        self.push(match column.kind {
            Kind::Integer => "::bigint[]",
            Kind::Real => "::double precision[]",
            Kind::Text => "::text[]",
            Kind::Bytes => "::bytea[]",
        });
    }

    fn from(&mut self, select: &Select) {
        let _ = write!(self.text, " FROM \"{}\" AS t", select.table.name);
        self.all(select.table, "t", &select.filters, " WHERE ");
        for (index, (column, descending)) in select.order.iter().enumerate() {
            let separator = if index == 0 { " ORDER BY " } else { ", " };
            let direction = if *descending { " DESC" } else { "" };
            let _ = write!(self.text, "{separator}t.\"{column}\"{direction}");
        }
        if let Some(limit) = select.limit {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            self.push(" LIMIT ");
            match self.dialect {
                // It plans with the limit, and would plan the statement anew whenever a parameter that it has planned with is bound.
                Dialect::Sqlite => {
                    let _ = write!(self.text, "{limit}");
                }
                Dialect::Postgres => self.value(Cell::Integer(limit)),
            }
        }
    }

    fn all(&mut self, table: &Table, alias: &str, filters: &[Filter], before: &str) {
        for (index, filter) in filters.iter().enumerate() {
            self.push(if index == 0 { before } else { " AND " });
            self.filter(table, alias, filter);
        }
    }

    fn keys(&mut self, table: &Table, alias: &str, keys: &[Row]) {
        let columns: Vec<&Column> = table.columns.iter().take(keys.first().map_or(0, Vec::len)).collect();
        let names: Vec<String> = columns.iter().map(|column| format!("{alias}.\"{}\"", column.name)).collect();
        let _ = write!(self.text, "({}) IN (", names.join(", "));
        self.row_list(&columns, keys);
        self.push(")");
    }

    // Recursive over filters, which only this crate builds.
    fn filter(&mut self, table: &Table, alias: &str, filter: &Filter) {
        match filter {
            Filter::Compare(column, operator, value) => {
                let _ = write!(self.text, "{alias}.\"{column}\" {} ", operator.sql());
                self.value(value.clone());
            }
            Filter::Code(column, code) => {
                let _ = write!(self.text, "{alias}.\"{column}\" = {code}");
            }
            Filter::Present(column) => {
                let _ = write!(self.text, "{alias}.\"{column}\" <> ''");
            }
            Filter::In(_, values) if values.is_empty() => self.push("1 = 0"),
            Filter::In(column, values) => {
                let _ = write!(self.text, "{alias}.\"{column}\" ");
                match self.dialect {
                    Dialect::Sqlite => {
                        // The last again and again, so that few lengths make few texts.
                        let last = values.last().cloned().into_iter().cycle();
                        let length = values.len().next_power_of_two();
                        let padded: Vec<Cell> = values.iter().cloned().chain(last).take(length).collect();
                        self.push("IN ");
                        self.values(&padded);
                    }
                    // Rows of one value can come in the order of an index that begins with it.
                    Dialect::Postgres if values.len() == 1 => {
                        self.push("= ");
                        self.value(values[0].clone());
                    }
                    Dialect::Postgres => {
                        let kind = table.column(column).map_or(Kind::Text, |(_, column)| column.kind);
                        self.push("= ANY(");
                        self.bind(Bind::Many(kind, values.clone()));
                        self.push(")");
                    }
                }
            }
            Filter::Keys(keys) if keys.is_empty() => self.push("1 = 0"),
            Filter::Keys(keys) => self.keys(table, alias, keys),
            Filter::Like(column, pattern) => {
                let _ = write!(self.text, "{alias}.\"{column}\" ");
                // SQLite's LIKE ignores case; its GLOB does not.
                self.push(if self.dialect == Dialect::Sqlite { "GLOB " } else { "LIKE " });
                let pattern = if self.dialect == Dialect::Sqlite { glob(pattern) } else { whole(pattern) };
                self.value(Cell::Text(pattern.into()));
            }
            Filter::Beyond(columns, operator, values) => {
                let names: Vec<String> = columns.iter().map(|column| format!("{alias}.\"{column}\"")).collect();
                let _ = write!(self.text, "({}) {} ", names.join(", "), operator.sql());
                self.values(values);
            }
            Filter::All(filters) => {
                self.push("(1 = 1");
                filters.iter().for_each(|filter| {
                    self.push(" AND ");
                    self.filter(table, alias, filter);
                });
                self.push(")");
            }
            Filter::Any(filters) if filters.is_empty() => self.push("1 = 0"),
            Filter::Any(filters) => {
                for (index, filter) in filters.iter().enumerate() {
                    self.push(if index == 0 { "(" } else { " OR " });
                    self.filter(table, alias, filter);
                }
                self.push(")");
            }
            Filter::Not(filter) => {
                self.push("NOT (");
                self.filter(table, alias, filter);
                self.push(")");
            }
            Filter::Exists(other, on, filters) => {
                // What stands inside of another looks out no further than that one.
                let own = if alias.ends_with('e') { "f" } else { "e" };
                let _ = write!(self.text, "EXISTS (SELECT 1 FROM \"{}\" AS {own}", other.name);
                for (index, (there, here)) in on.iter().enumerate() {
                    let separator = if index == 0 { " WHERE " } else { " AND " };
                    let _ = write!(self.text, "{separator}{own}.\"{there}\" = {alias}.\"{here}\"");
                }
                // SQLite has no idea how many tasks somebody has had, and would walk them for each row; with a plus it goes by the instance.
                let goes_by_instance = self.dialect == Dialect::Sqlite && other.name == Task::TABLE.name;
                let plus = if goes_by_instance { "+" } else { "" };
                self.all(other, &format!("{plus}{own}"), filters, " AND ");
                self.push(")");
            }
        }
    }
}

/// A pattern of [`Filter::Like`] as one of GLOB.
fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            '%' => {
                glob.push('*');
                continue;
            }
            '_' => {
                glob.push('?');
                continue;
            }
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        };
        match literal {
            '*' | '?' | '[' => {
                let _ = write!(glob, "[{literal}]");
            }
            other => glob.push(other),
        }
    }
    glob
}

/// The pattern with a backslash at its end doubled, which PostgreSQL would refuse.
fn whole(pattern: &str) -> String {
    let backslashes = pattern.chars().rev().take_while(|character| *character == '\\').count();
    format!("{pattern}{}", if backslashes % 2 == 1 { "\\" } else { "" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use potok_core::instance::Key;
    use rusqlite::{Connection, StatementStatus};

    use super::*;
    use crate::query::TaskQuery;
    use crate::query::sealed::Filters as _;
    use crate::row::TaskState;

    #[test]
    fn sqlite_plans_a_search_once() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../migrations/sqlite/0001_first.sql")).unwrap();
        let query = TaskQuery { states: vec![TaskState::Open], instances: vec![Key(7)], ..TaskQuery::default() };
        let select = Select { limit: Some(101), ..query.select().unwrap() };
        let Statement { text, binds, .. } = Statement::select(Dialect::Sqlite, &select);
        let mut prepared = connection.prepare(&text).unwrap();
        for instance in 7..20 {
            for index in 1..=binds.len() {
                prepared.raw_bind_parameter(index, instance).unwrap();
            }
            assert!(prepared.raw_query().next().unwrap().is_none());
        }
        assert_eq!(prepared.get_status(StatementStatus::RePrepare), 0, "{text}");
    }
}

//! Searching from the rarer side.
//!
//! Databases plan a condition on another table's rows blindly: they walk the whole list and look each row up, which is quick
//! if many fit and takes seconds if one in a million does; or they gather all that fit, which is the other way round. So the
//! other table is asked first, and whatever few rows fit there are looked up here.

use std::collections::BTreeSet;

use crate::StoreError;
use crate::cell::{Cell, Row};
use crate::database::Session;
use crate::record::Table;
use crate::select::{Filter, Select};

/// How many rows are few.
const FEW: usize = 500;

/// Replaces conditions on other tables for which few rows fit by those rows.
pub(crate) async fn narrow(session: &mut dyn Session, mut select: Select) -> Result<Select, StoreError> {
    if is_keyed(&select) {
        return Ok(select);
    }
    for filter in &mut select.filters {
        match filter {
            Filter::Any(filters) => {
                for filter in filters {
                    narrowed(session, select.table, filter).await?;
                }
            }
            filter => narrowed(session, select.table, filter).await?,
        }
    }
    Ok(select)
}

/// Whether only rows with a few keys are looked at, or those of a few instances: then each is looked up in the other table.
fn is_keyed(select: &Select) -> bool {
    let keys = select.table.keys();
    select.filters.iter().any(|filter| match filter {
        Filter::Keys(rows) => rows.len() < FEW,
        Filter::In(column, values) => values.len() < FEW && keys.iter().any(|key| key.name == *column),
        _ => false,
    })
}

/// Replaces a condition on another table if few rows fit.
async fn narrowed(session: &mut dyn Session, table: &'static Table, filter: &mut Filter) -> Result<(), StoreError> {
    let Filter::Exists(other, on, filters) = filter else { return Ok(()) };
    let mut fitting = Select::from(other).limit(FEW);
    fitting.filters.clone_from(filters);
    let rows = session.select(&fitting).await?;
    if rows.len() < FEW
        && let Some(among) = among(table, other, on, &rows)
    {
        *filter = among;
    }
    Ok(())
}

/// That a row is one of those that the other table's rows are for.
fn among(table: &Table, other: &Table, on: &[(&'static str, &'static str)], rows: &[Row]) -> Option<Filter> {
    let places: Option<Vec<usize>> = on.iter().map(|(there, _)| Some(other.column(there)?.0)).collect();
    let places = places?;
    let keys: BTreeSet<Row> = rows.iter().map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect();
    if let [(_, here)] = on {
        let values: Vec<Cell> = keys.into_iter().flatten().collect();
        return Some(Filter::In(here, values));
    }
    let is_key = on.iter().zip(table.keys()).all(|((_, here), column)| *here == column.name);
    is_key.then(|| Filter::Keys(keys.into_iter().collect()))
}

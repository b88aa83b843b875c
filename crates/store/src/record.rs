//! Rows as Rust structs: one declaration gives the struct, its table and the way between them.

#![allow(private_interfaces, reason = "the trait is sealed: nobody outside can name it, or what it is made of")]

use crate::StoreError;
use crate::cell::{Field, Kind, Row};

/// A column.
#[derive(Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// A table, or those of its columns that a record reads.
#[derive(Debug, PartialEq)]
pub struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    /// How many columns, from the first, are the primary key.
    pub(crate) key: usize,
    /// How many columns, from the last, the database fills in.
    pub(crate) generated: usize,
}

impl Table {
    /// The columns that are written.
    pub(crate) fn written(&self) -> &'static [Column] {
        &self.columns[..self.columns.len() - self.generated]
    }

    /// The columns of the primary key.
    pub(crate) fn keys(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }

    pub(crate) fn column(&self, name: &str) -> Option<(usize, &'static Column)> {
        self.columns.iter().enumerate().find(|(_, column)| column.name == name)
    }
}

/// A row of a table.
pub trait Record: sealed::Sealed + Sized + Send {
    /// What tells one row from all others.
    type Id: Identity;
    #[doc(hidden)]
    const TABLE: &'static Table;
}

/// The values of a primary key.
pub trait Identity: sealed::Cells + Send {}

pub(crate) mod sealed {
    use super::{Field, Row, StoreError};

    pub trait Cells {
        const LENGTH: usize;
        fn into_cells(self) -> Row;
    }

    impl<A: Field> Cells for A {
        const LENGTH: usize = 1;
        fn into_cells(self) -> Row {
            vec![self.to_cell()]
        }
    }

    impl<A: Field, B: Field> Cells for (A, B) {
        const LENGTH: usize = 2;
        fn into_cells(self) -> Row {
            vec![self.0.to_cell(), self.1.to_cell()]
        }
    }

    impl<A: Field, B: Field, C: Field> Cells for (A, B, C) {
        const LENGTH: usize = 3;
        fn into_cells(self) -> Row {
            vec![self.0.to_cell(), self.1.to_cell(), self.2.to_cell()]
        }
    }

    impl<A: Field, B: Field, C: Field, D: Field> Cells for (A, B, C, D) {
        const LENGTH: usize = 4;
        fn into_cells(self) -> Row {
            vec![self.0.to_cell(), self.1.to_cell(), self.2.to_cell(), self.3.to_cell()]
        }
    }

    pub trait Sealed: Sized {
        fn into_row(self) -> Row;
        fn from_row(row: Row) -> Result<Self, StoreError>;
    }
}

impl<I: sealed::Cells + Send> Identity for I {}

/// Reads the next cell of a row.
pub(crate) fn read<F: Field>(
    cells: &mut impl Iterator<Item = crate::cell::Cell>,
    table: &'static str,
    column: &'static str,
) -> Result<F, StoreError> {
    cells.next().and_then(F::from_cell).ok_or(StoreError::Damaged { table, column })
}

/// Declares a [`Record`]. Its first fields, of the types after `by`, are the primary key; the last `generated` ones the database fills in.
macro_rules! record {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident in $table:literal by $id:ty $(, generated $generated:literal)? {
        $($(#[$doc:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $visibility struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl $crate::Record for $name {
            type Id = $id;
            const TABLE: &'static $crate::record::Table = &$crate::record::Table {
                name: $table,
                columns: &[$($crate::record::Column {
                    name: stringify!($field),
                    kind: <$type as $crate::cell::Field>::KIND,
                },)*],
                key: <$id as $crate::record::sealed::Cells>::LENGTH,
                generated: 0 $(+ $generated)?,
            };
        }

        #[allow(private_interfaces, reason = "as in `record.rs`: the trait is sealed")]
        impl $crate::record::sealed::Sealed for $name {
            fn into_row(self) -> $crate::cell::Row {
                vec![$($crate::cell::Field::to_cell(&self.$field),)*]
            }

            fn from_row(row: $crate::cell::Row) -> Result<Self, $crate::StoreError> {
                let mut cells = row.into_iter();
                Ok(Self { $($field: $crate::record::read(&mut cells, $table, stringify!($field))?,)* })
            }
        }
    };
}
pub(crate) use record;

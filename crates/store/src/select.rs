//! What is asked of a table, before it becomes a dialect's SQL or a walk through memory.

use std::cmp::Ordering;

use crate::cell::{Cell, Row};
use crate::record::Table;

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    pub(crate) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A condition on a row.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// A column against a value.
    Compare(&'static str, Operator, Cell),
    /// A column is that number, which the statement's text tells, so that partial indexes serve.
    Code(&'static str, i64),
    /// A text column is not empty, which the statement's text tells, too.
    Present(&'static str),
    /// A column is one of the values.
    In(&'static str, Vec<Cell>),
    /// The first columns of the primary key are those of one of the rows, which are all equally long.
    Keys(Vec<Row>),
    /// Text matches a pattern: `%` stands for any text, `_` for one character, `\` takes the next one literally.
    Like(&'static str, String),
    /// The columns, compared as one, against the values: where a page goes on.
    Beyond(Vec<&'static str>, Operator, Row),
    /// All hold.
    All(Vec<Filter>),
    /// At least one holds.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The other table has a row whose columns equal the given ones here, (there, here), and for which all filters hold.
    Exists(&'static Table, &'static [(&'static str, &'static str)], Vec<Filter>),
}

impl Filter {
    pub(crate) fn equal(column: &'static str, value: Cell) -> Self {
        Self::Compare(column, Operator::Equal, value)
    }

    /// That text fits a pattern, in which zeros are what they are in [text that is kept](crate::cell).
    pub(crate) fn like(column: &'static str, pattern: &str) -> Self {
        Self::Like(column, pattern.replace('\0', "\u{fffd}"))
    }
}

/// Rows of a table.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) table: &'static Table,
    /// All of them hold.
    pub(crate) filters: Vec<Filter>,
    /// Sorted by these columns; descending where it says so.
    pub(crate) order: Vec<(&'static str, bool)>,
    pub(crate) limit: Option<usize>,
}

impl Select {
    pub(crate) fn from(table: &'static Table) -> Self {
        Self { table, filters: Vec::new(), order: Vec::new(), limit: None }
    }

    /// The rows with those primary keys, or with those first columns of it.
    pub(crate) fn keys(table: &'static Table, keys: Vec<Row>) -> Self {
        Self::from(table).filter(Filter::Keys(keys))
    }

    pub(crate) fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    pub(crate) fn order(mut self, column: &'static str, descending: bool) -> Self {
        self.order.push((column, descending));
        self
    }

    /// Whether it says which rows, or those of which instances: they are few, however large the table is.
    pub(crate) fn names_rows(&self) -> bool {
        self.filters.iter().any(|filter| match filter {
            Filter::Keys(_) => true,
            Filter::In(column, _) | Filter::Compare(column, Operator::Equal, _) => {
                matches!(*column, "key" | "instance")
            }
            _ => false,
        })
    }

    /// How two rows are sorted, given where a table has a column.
    pub(crate) fn compare(&self, place: impl Fn(&str) -> Option<usize>, left: &[Cell], right: &[Cell]) -> Ordering {
        let places = self.order.iter().filter_map(|(column, descending)| Some((place(column)?, *descending)));
        let orderings = places.map(|(place, descending)| {
            let ordering = left[place].cmp(&right[place]);
            if descending { ordering.reverse() } else { ordering }
        });
        {
            let mut orderings = orderings;
            orderings.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        }
    }

    pub(crate) fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// Whether text matches a pattern of [`Filter::Like`].
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    #[derive(Clone, Copy)]
    enum Part {
        Any,
        One,
        Literal(char),
    }
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Literal(characters.next().unwrap_or('\\')),
            other => Part::Literal(other),
        });
    }
    let text: Vec<char> = text.chars().collect();
    // The last `%` seen and where the text stood: on a mismatch it takes one character more.
    let (mut part, mut at, mut retry) = (0, 0, None);
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                retry = Some((part, at));
                part += 1;
                continue;
            }
            Some(Part::One) => {}
            Some(Part::Literal(character)) if *character == text[at] => {}
            _ => {
                let Some((any, from)) = retry else { return false };
                retry = Some((any, from + 1));
                (part, at) = (any + 1, from + 1);
                continue;
            }
        }
        (part, at) = (part + 1, at + 1);
    }
    parts[part..].iter().all(|part| matches!(part, Part::Any))
}

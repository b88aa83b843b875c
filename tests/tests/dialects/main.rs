//! Models of other engines' dialects, run end to end.

mod camunda;
mod flowable;
mod zeebe;

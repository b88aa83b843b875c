//! Document to model.

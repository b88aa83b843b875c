//! Values as plain JSON and back.

//! potok
fn main() {}

//! Speed and memory of Potok, side by side with peers: see `README.md`.

pub mod caller;
pub mod flatness;
pub mod host;
pub mod measure;
pub mod models;
pub mod peers;
pub mod plain;
pub mod table;
pub mod workloads;

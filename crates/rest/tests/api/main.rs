//! Conversations with the API: what is asked, and what is answered.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod beside;
mod conversation;
mod deployments;
mod description;
mod events;
mod guard;
mod instances;
mod jobs;
mod limits;
mod messages;
mod oidc;
mod once;
mod operations;
mod people;
mod problems;
mod remarks;
mod searches;
mod selectors;
mod session;
mod sign_in;
mod tasks;
mod traces;
mod webhooks;

//! A scenario: the models, the world around them, and the instance that is looked at.

mod act;
mod durable;
mod host;
mod invariants;
mod looks;
mod models;
pub mod operations;
mod show;
mod trace;
mod verbs;
mod waits;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::routing::{Running, StartOptions};
use potok_core::value::Value;
use serde_json::Value as Json;

use host::Host;

pub use invariants::broken;
pub use models::{deployments, model, scenario, scenario_of, versions};

/// A scenario under way. Verbs act and look at the instance in focus: the first one that was started, until
/// [`instance_of`](Self::instance_of) looks at another.
pub struct Scenario {
    host: Host,
    /// The process that `start` starts.
    process: Name,
    main: Option<Key>,
    focus: Option<Key>,
    options: StartOptions,
    /// The code with which the next verb must be refused.
    refusal: Option<String>,
    /// What came of the last act.
    done: act::Done,
}

impl Scenario {
    fn new(host: Host, process: Name) -> Self {
        Self {
            host,
            process,
            main: None,
            focus: None,
            options: StartOptions::default(),
            refusal: None,
            done: act::Done::default(),
        }
    }

    /// The instance in focus.
    #[track_caller]
    fn running(&self) -> &Running {
        let Some(key) = self.focus else { panic!("no instance has started yet") };
        self.host.runner.instance(key).unwrap_or_else(|| panic!("instance {key} is gone"))
    }

    #[track_caller]
    fn key(&self) -> Key {
        self.running().instance.key()
    }

    /// Fails with what is wrong and how everything stands.
    #[track_caller]
    fn fail(&self, what: impl std::fmt::Display) -> ! {
        panic!("{what}\n{}", show::everything(&self.host, self.focus))
    }
}

/// Variables out of a JSON object, in the names' order.
#[track_caller]
fn variables(json: Json) -> Vec<(Name, Value)> {
    let Json::Object(entries) = json else { panic!("variables are a JSON object, not {json}") };
    entries.into_iter().map(|(name, json)| (Name::from(name), value(json))).collect()
}

#[track_caller]
fn value(json: Json) -> Value {
    match Value::from_json(json) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Whether a value is what a test expects in JSON: `3` is `3.0`, dates are their text.
fn is(found: Option<&Value>, expected: &Json) -> bool {
    let found = found.map_or(Json::Null, Value::to_json);
    value(found).loosely_equal(&value(expected.clone()))
}

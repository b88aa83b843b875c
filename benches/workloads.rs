//! The workloads of the table.

use potok_core::step::Variables;
use potok_core::value::Value;

use crate::models::{self, Language};

/// A process that runs to its end without anybody.
pub struct Workload {
    /// What the table calls it.
    pub name: &'static str,
    /// Its file.
    pub file: String,
    /// The same for peers that read no expressions.
    pub peer_file: String,
    /// Ids of its tasks, for peers that need a function for each.
    pub tasks: Vec<String>,
    /// Flow nodes completed and sequence flows taken by an instance.
    pub elements: f64,
    /// The variables that an instance starts with.
    pub variables: Variables,
}

/// Ten automatic tasks in a row.
pub const TEN_TASKS: &str = "ten automatic tasks";

/// All of them; the first is the one that others are compared with.
#[must_use]
pub fn all() -> Vec<Workload> {
    let tasks = |count: usize| (1..=count).map(|number| format!("task-{number}")).collect::<Vec<_>>();
    let ten = models::row("task", 10).file();
    let feel = models::exclusive_loop(Language::Feel, 5).file();
    let template = models::exclusive_loop(Language::Template, 5).file();
    let native = models::exclusive_loop(Language::Native, 5).file();
    let parallel = models::split_and_join("parallelGateway", "task", 10).file();
    let nested = models::nested(3).file();
    let many = models::multi_instance("task", 20).file();
    let same = |name, file: String, tasks, elements| {
        let variables = Variables::new();
        Workload { name, peer_file: file.clone(), file, tasks, elements, variables }
    };
    let count = || vec![("count".into(), Value::Integer(0))];
    vec![
        same(TEN_TASKS, ten, tasks(10), 23.0),
        Workload {
            name: "exclusive loop of 5, FEEL",
            file: feel,
            peer_file: native.clone(),
            tasks: vec!["count".into()],
            elements: 33.0,
            variables: count(),
        },
        Workload {
            name: "exclusive loop of 5, ${...}",
            file: template,
            peer_file: native,
            tasks: vec!["count".into()],
            elements: 33.0,
            variables: count(),
        },
        same("parallel split and join of 10", parallel, tasks(10), 36.0),
        same("sub-process 3 deep", nested, vec!["task".into()], 20.0),
        same("parallel multi-instance of 20", many, vec!["task".into()], 25.0),
    ]
}

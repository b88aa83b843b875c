//! Whether an element costs the same however many there are.

use std::hint::black_box;

use potok_core::expressions::Expressions;
use potok_core::graph::Package;
use potok_core::step::{Counter, Variables};
use potok_core::value::Value;

use crate::host::Host;
use crate::measure::per_second;
use crate::models::{self, Language};
use crate::table::{number, print_lines};

/// Repetitions of each measurement; the best counts.
const REPETITIONS: u32 = 5;

/// The most by which the cost of an element may rise from one size to a larger one and still be called flat.
const FLAT: f64 = 2.0;

/// Something of any size.
struct Series {
    name: &'static str,
    sizes: [u32; 4],
    /// Elements for each unit of size.
    elements: f64,
    measure: fn(u32, &dyn Expressions) -> Result<f64, String>,
}

const SERIES: [Series; 8] = [
    Series { name: "tasks in a model: parse and compile", sizes: SIZES, elements: 2.0, measure: compile },
    Series { name: "tasks in a model: run", sizes: SIZES, elements: 2.0, measure: row },
    Series { name: "tokens on user tasks, parallel join", sizes: SIZES, elements: 3.0, measure: parallel },
    Series { name: "tokens on user tasks, inclusive join", sizes: SIZES, elements: 3.0, measure: inclusive },
    Series { name: "multi-instance rounds", sizes: SIZES, elements: 1.0, measure: multi_instance },
    Series {
        name: "multi-instance rounds on user tasks",
        sizes: SIZES,
        elements: 1.0,
        measure: multi_instance_waiting,
    },
    Series { name: "loop rounds, FEEL", sizes: ROUNDS, elements: 6.0, measure: loop_feel },
    Series { name: "loop rounds, ${...}", sizes: ROUNDS, elements: 6.0, measure: loop_template },
];

const SIZES: [u32; 4] = [10, 100, 1_000, 10_000];
const ROUNDS: [u32; 4] = [100, 1_000, 10_000, 100_000];

/// Measures and prints all of it.
pub fn print(expressions: &dyn Expressions) {
    let mut lines =
        vec![["ns per element", "smallest", "x 10", "x 100", "x 1,000", "most it rises", "flat"].map(Into::into)];
    for series in &SERIES {
        let mut costs = Vec::new();
        for size in series.sizes {
            let best = (0..REPETITIONS).filter_map(|_| (series.measure)(size, expressions).ok()).reduce(f64::max);
            costs.extend(best.map(|per_second| 1e9 / per_second / f64::from(size) / series.elements));
        }
        let cost = |index: usize| costs.get(index).map_or_else(|| "-".into(), |cost| number(*cost));
        // That it falls is no fault: what an instance costs by itself is spread over more elements.
        let rises = (0..costs.len()).flat_map(|large| (0..large).map(move |small| (small, large)));
        let worst = rises.map(|(small, large)| costs[large] / costs[small]).fold(1.0, f64::max);
        let flat = if worst <= FLAT { "yes" } else { "NO" };
        let name = format!("{} ({} to {})", series.name, series.sizes[0], series.sizes[3]);
        lines.push([name, cost(0), cost(1), cost(2), cost(3), number(worst), flat.into()]);
    }
    print_lines("Cost of an element as models and instances grow", &lines);
}

fn compile(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    let file = models::row("userTask", size as usize).file();
    Ok(per_second(|| {
        let package = Package::from_bpmn(black_box(file.as_bytes()), expressions);
        assert!(package.is_ok(), "refused");
    }))
}

fn row(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    run(&models::row("task", size as usize).file(), expressions, Variables::new)
}

fn parallel(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    run(&models::split_and_join("parallelGateway", "userTask", size as usize).file(), expressions, Variables::new)
}

fn inclusive(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    run(&models::split_and_join("inclusiveGateway", "userTask", size as usize).file(), expressions, Variables::new)
}

fn multi_instance(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    run(&models::multi_instance("task", size).file(), expressions, Variables::new)
}

fn multi_instance_waiting(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    run(&models::multi_instance("userTask", size).file(), expressions, Variables::new)
}

fn loop_feel(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    run(&models::exclusive_loop(Language::Feel, size).file(), expressions, counter)
}

fn loop_template(size: u32, expressions: &dyn Expressions) -> Result<f64, String> {
    run(&models::exclusive_loop(Language::Template, size).file(), expressions, counter)
}

fn counter() -> Variables {
    vec![("count".into(), Value::Integer(0))]
}

fn run(file: &str, expressions: &dyn Expressions, variables: fn() -> Variables) -> Result<f64, String> {
    let keys = Counter::default();
    let mut host = Host::new(file, expressions, &keys)?;
    // What is computed only once is done before the measurement.
    host.run(variables());
    Ok(per_second(|| host.run(variables())))
}

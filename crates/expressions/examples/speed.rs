//! How long common expressions take: `cargo run --release -p potok-expressions --example speed`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use potok_core::Name;
use potok_core::expressions::{Evaluation, Expressions, Language, Purpose, Variables};
use potok_core::value::Value;
use potok_expressions::Evaluator;

struct Given(Vec<(Name, Value)>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, value)| Cow::Borrowed(value))
    }

    fn names(&self) -> Vec<Name> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }
}

fn main() {
    let order = HashMap::from([("total".into(), Value::Number(99.5))]).into_iter().collect();
    let variables = Given(vec![
        ("counter".into(), Value::Integer(3)),
        ("amount".into(), Value::Integer(1_500)),
        ("region".into(), "south".into()),
        ("order".into(), Value::Map(std::sync::Arc::new(order))),
    ]);
    let evaluator = Evaluator::new();
    for (language, text) in [
        (Language::Feel, "counter < 5"),
        (Language::Feel, "counter + 1"),
        (Language::Feel, "amount > 1000 and region = \"south\""),
        (Language::Feel, "region in (\"north\", \"south\")"),
        (Language::Feel, "order.total * 0.2"),
        (Language::Feel, "string length(region) > 3"),
        (Language::Feel, "today() > date(\"2026-01-01\")"),
        (Language::Template, "${counter < 5}"),
        (Language::Template, "${amount > 1000 && region == 'south'}"),
        (Language::Template, "Order of ${amount} from ${region}"),
        (Language::JavaScript, "execution.getVariable('counter') + 1"),
    ] {
        let start = Instant::now();
        let Ok(compiled) = evaluator.compile(&language, Purpose::Expression, text) else {
            println!("{text:40} not available");
            continue;
        };
        let compiling = start.elapsed();
        let mut evaluation = Evaluation::new(&variables, jiff::Timestamp::UNIX_EPOCH);
        let rounds = if language == Language::JavaScript { 2_000 } else { 200_000 };
        let start = Instant::now();
        for _ in 0..rounds {
            let _ = black_box(compiled.evaluate(black_box(&mut evaluation)));
        }
        println!(
            "{text:40} {:>8.1} ns, compiled in {compiling:?}",
            start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds)
        );
    }
}

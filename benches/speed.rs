//! Measures every row of the table in one run: `cargo bench -p potok-benches`. See `README.md`.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use potok_benches::host::Host;
use potok_benches::measure::{Race, per_second};
use potok_benches::peers::snurr;
use potok_benches::peers::spiffworkflow::SpiffWorkflow;
use potok_benches::table::{self, Goal, Row, maybe};
use potok_benches::workloads::{self, TEN_TASKS, Workload};
use potok_benches::{flatness, models};
use potok_core::graph::Package;
use potok_core::model::Definitions;
use potok_core::step::Counter;
use potok_core::xml::Document;
use potok_expressions::Evaluator;

/// Measurements of everything; the best counts.
const ROUNDS: u32 = 40;

/// Blocks that make a file of about a megabyte.
const BLOCKS: usize = 212;

const HEAD: [&str; 6] = ["workload", "Potok", "compared with", "ratio", "at least", "aim"];

fn main() -> Result<(), String> {
    let chosen = |part: &str| match std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        Some(wanted) => wanted == part,
        None => true,
    };
    print_machine();
    let expressions = Evaluator::new();
    if chosen("table") {
        print_table(&expressions)?;
    }
    if chosen("flatness") {
        flatness::print(&expressions);
    }
    Ok(())
}

fn print_table(expressions: &Evaluator) -> Result<(), String> {
    let workloads = workloads::all();
    let keys = Counter::default();
    let drawn = models::drawn(BLOCKS, true);
    let drawn_path = write("drawn.bpmn", &drawn)?;
    let plain = models::drawn(BLOCKS, false);
    let plain_path = write("drawn-without-conditions.bpmn", &plain)?;
    let python = std::env::var("SPIFFWORKFLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let spiff = std::cell::RefCell::new(SpiffWorkflow::start(&python));
    if spiff.borrow().is_none() {
        println!("SpiffWorkflow is not there (see benches/README.md): its figures are missing.");
    }

    let tasks_path = write("user-tasks.bpmn", &models::row("manualTask", 3).file())?;
    let megabytes = |bytes: &str| f64::from(u32::try_from(bytes.len()).unwrap_or(0)) / 1e6;
    let (size, plain_size) = (megabytes(&drawn), megabytes(&plain));
    let mut race = Race::default();
    for workload in &workloads {
        enter(&mut race, workload, (expressions, &keys), &spiff)?;
    }
    let mut tasks = Host::new(&models::row("userTask", 3).file(), expressions, &keys)?;
    race.enter("three user tasks", move || Some(3.0 * per_second(|| tasks.run(Vec::new()))));
    race.enter("spiff three user tasks", || Some(3.0 * spiff.borrow_mut().as_mut()?.measure(&tasks_path)?));
    race.enter("package", || {
        Some(
            size * per_second(|| {
                let bytes = std::fs::read(&drawn_path).unwrap_or_default();
                assert!(black_box(Package::from_bpmn(&bytes, expressions)).is_ok());
            }),
        )
    });
    race.enter("definitions", || {
        Some(size * per_second(|| assert!(black_box(Definitions::read(drawn.as_bytes())).is_ok())))
    });
    race.enter("document", || {
        Some(size * per_second(|| assert!(black_box(Document::parse(drawn.as_bytes())).is_ok())))
    });
    race.enter("snurr parse", || {
        snurr::reads(&plain_path).then(|| plain_size * per_second(|| assert!(snurr::reads(&plain_path))))
    });
    race.run(ROUNDS);

    let mut rows = Vec::new();
    for workload in &workloads {
        rows.extend(compare(&race, workload));
    }
    rows.push(user_tasks(&race));
    rows.extend(parsing(&race, size));
    rows.push(memory()?);
    table::print("Speed and memory", HEAD, &rows);
    Ok(())
}

fn enter<'a>(
    race: &mut Race<'a>,
    workload: &'a Workload,
    (expressions, keys): (&'a Evaluator, &'a Counter),
    spiff: &'a std::cell::RefCell<Option<SpiffWorkflow>>,
) -> Result<(), String> {
    let name = workload.name;
    match Host::new(&workload.file, expressions, keys) {
        Ok(mut host) => race.enter(name, move || Some(per_second(|| host.run(workload.variables.clone())))),
        Err(problem) => println!("{name} cannot be measured: {problem}"),
    }
    let path =
        write(&format!("{}.bpmn", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")), &workload.peer_file)?;
    if let Some(process) = snurr::process(&path, &workload.tasks) {
        race.enter(&format!("snurr {name}"), move || {
            Some(per_second(|| assert!(process.run(black_box(Default::default())).is_ok())))
        });
    }
    if name == TEN_TASKS {
        race.enter(&format!("spiff {name}"), move || spiff.borrow_mut().as_mut()?.measure(&path));
    }
    Ok(())
}

fn compare(race: &Race<'_>, workload: &Workload) -> Vec<Row> {
    let name = workload.name;
    let potok = race.best(name);
    let snurr = race.best(&format!("snurr {name}"));
    let over_snurr = potok.zip(snurr).map(|(potok, snurr)| potok / snurr);
    let instances = |value| maybe(value, " instances/s");
    if name == TEN_TASKS {
        let spiff = race.best(&format!("spiff {name}"));
        let over_spiff = potok.zip(spiff).map(|(potok, spiff)| potok / spiff);
        let row = |peer, ratio, at_least, aim| Row {
            workload: name.into(),
            potok: instances(potok),
            peer,
            ratio: maybe(ratio, " x"),
            at_least,
            aim,
        };
        return vec![
            row(
                format!("snurr {}", instances(snurr)),
                over_snurr,
                Goal::new("1 x snurr", over_snurr >= Some(1.0)),
                Goal::new("3 x snurr", over_snurr >= Some(3.0)),
            ),
            row(
                format!("SpiffWorkflow {}", instances(spiff)),
                over_spiff,
                Goal::new("2,000 x SpiffWorkflow", over_spiff >= Some(2_000.0)),
                Goal::default(),
            ),
        ];
    }
    let each = |name: &str, elements: f64| race.best(name).map(|instances| 1e9 / instances / elements);
    // By `elements` an instance has passed as many as its workload says; the ten tasks passed 23.
    let (here, ten) = (each(name, workload.elements), each(TEN_TASKS, 23.0));
    let ratio = here.zip(ten).map(|(here, ten)| here / ten);
    let within = |most: f64| ratio.is_some_and(|ratio| ratio <= most);
    vec![Row {
        workload: name.into(),
        potok: format!("{}, {} an element", instances(potok), maybe(here, " ns")),
        peer: format!("ten tasks {} an element (snurr: {})", maybe(ten, " ns"), instances(snurr)),
        ratio: format!("{} the cost (snurr: {})", maybe(ratio, " x"), maybe(over_snurr, " x")),
        at_least: Goal::new("3 x", within(3.0)),
        aim: Goal::new("1.5 x", within(1.5)),
    }]
}

fn user_tasks(race: &Race<'_>) -> Row {
    let (potok, spiff) = (race.best("three user tasks"), race.best("spiff three user tasks"));
    Row {
        workload: "three user tasks, one by one".into(),
        potok: maybe(potok, " completions/s"),
        peer: format!("SpiffWorkflow {}", maybe(spiff, " completions/s")),
        ratio: maybe(potok.zip(spiff).map(|(potok, spiff)| potok / spiff), " x"),
        at_least: Goal::new("1,000,000", potok >= Some(1e6)),
        aim: Goal::new("3,000,000", potok >= Some(3e6)),
    }
}

fn parsing(race: &Race<'_>, size: f64) -> Vec<Row> {
    let (package, snurr) = (race.best("package"), race.best("snurr parse"));
    let part = |name: &str, of: &str| Row {
        workload: name.into(),
        potok: maybe(race.best(of), " MB/s"),
        peer: "-".into(),
        ratio: "-".into(),
        at_least: Goal::default(),
        aim: Goal::default(),
    };
    vec![
        Row {
            workload: format!("parse, check and compile {size:.2} MB"),
            potok: maybe(package, " MB/s"),
            peer: format!("snurr parse {}", maybe(snurr, " MB/s")),
            ratio: maybe(package.zip(snurr).map(|(potok, snurr)| potok / snurr), " x"),
            at_least: Goal::new("100 MB/s", package >= Some(100.0)),
            aim: Goal::new("pass snurr", package.is_some() && package >= snurr),
        },
        part("- of it, XML to model", "definitions"),
        part("- of it, XML", "document"),
    ]
}

fn memory() -> Result<Row, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_waiting")).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut figures = text.split_whitespace().filter_map(|figure| figure.parse::<f64>().ok());
    let (asked, grown, packed) = (figures.next(), figures.next(), figures.next());
    Ok(Row {
        workload: "waiting instance, three variables".into(),
        potok: maybe(asked, " bytes"),
        peer: format!("the process grew by {}; packed {}", maybe(grown, " bytes"), maybe(packed, " bytes")),
        ratio: "-".into(),
        at_least: Goal::new("1,024 bytes", asked.is_some_and(|bytes| bytes <= 1024.0)),
        aim: Goal::new("300 bytes", asked.is_some_and(|bytes| bytes <= 300.0)),
    })
}

fn write(name: &str, text: &str) -> Result<PathBuf, String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn print_machine() {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    println!(
        "{}, {cores} cores, load {load}, {}; the best of {ROUNDS} short measurements of one core's time, in turn",
        model.trim_start_matches([' ', '\t', ':']),
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
    );
}

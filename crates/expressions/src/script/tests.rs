use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use potok_core::expressions::{Execution, Variables};

use super::*;

struct Given(BTreeMap<Name, Value>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }

    fn names(&self) -> Vec<Name> {
        self.0.keys().cloned().collect()
    }

    fn execution(&self) -> Option<Execution> {
        Some(Execution { instance: "42".into(), element: "check".into(), event: Some("start"), ..Execution::default() })
    }

    fn is_local(&self, name: &str) -> bool {
        name == "count"
    }
}

fn run(text: &str) -> (Result<Value, EvaluationError>, Vec<Assignment>) {
    let moment: jiff::Timestamp = "2026-11-03T09:30:00Z".parse().expect("timestamp");
    let given = Given(BTreeMap::from([
        ("count".into(), Value::Integer(3)),
        ("order".into(), [("lines", Value::from(vec![Value::Integer(1), Value::Number(2.5)]))].into_iter().collect()),
        ("due".into(), moment.into()),
    ]));
    let mut evaluation = Evaluation::new(&given, moment);
    let script = compile(text, Purpose::Script).unwrap_or_else(|error| panic!("{text}: {error}"));
    // On threads of its own: what one test does not wait for any more is nothing to the next.
    let result = script.evaluate_on(&Threads::new(1), &mut evaluation);
    (result, evaluation.assigned)
}

fn value(text: &str) -> Value {
    run(text).0.unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_last_expression_is_the_result() {
    for (text, expected) in [
        ("count + 1", Value::Integer(4)),
        ("var total = 0; for (const line of order.lines) { total += line } total", Value::Number(3.5)),
        ("'a' + execution.getVariable('count')", "a3".into()),
        ("execution.getVariable('none')", Value::Null),
        ("execution.hasVariable('count') && !execution.hasVariable('none')", true.into()),
        ("execution.getProcessInstanceId() + execution.getCurrentActivityId()", "42check".into()),
        (
            "({a: [1, true, null]})",
            [("a", Value::from(vec![Value::Integer(1), true.into(), Value::Null]))].into_iter().collect(),
        ),
        ("undefined", Value::Null),
        ("2n ** 40n", Value::Integer(1 << 40)),
        ("2n ** 53n + 1n", Value::Integer((1 << 53) + 1)),
        ("-(2n ** 63n)", Value::Integer(i64::MIN)),
        ("[2n ** 63n - 1n]", Value::from(vec![Value::Integer(i64::MAX)])),
        ("2n ** 70n", Value::Number(1_180_591_620_717_411_303_424.0)),
        ("var name = 'count'; execution.getVariable(name)", Value::Integer(3)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn only_set_variable_writes() {
    let (result, assigned) = run("var count = 9; other = 1; execution.setVariable('sum', {n: 1}); \
                                  execution.setVariableLocal('due', due); execution.getVariable('sum').n");
    assert_eq!(result, Ok(Value::Integer(1)));
    let written: Vec<_> = assigned.iter().map(|assignment| (&*assignment.name, assignment.local)).collect();
    assert_eq!(written, [("sum", false), ("due", true)]);
    assert_eq!(assigned[1].value.to_string(), "2026-11-03T09:30:00Z");
    let reader = compile("execution.setVariable('a', 1)", Purpose::Expression).expect("JavaScript");
    let given = Given(BTreeMap::new());
    let refused = reader.evaluate(&mut Evaluation::new(&given, jiff::Timestamp::UNIX_EPOCH));
    assert!(refused.expect_err("refused").to_string().contains("may set variables"));
}

#[test]
fn time_is_the_steps_own_and_chance_is_absent() {
    assert_eq!(value("Date.now() === due.getTime() && new Date().getTime() === Date.now()"), true.into());
    assert_eq!(value("new Date().getHours() + ':' + new Date().getTimezoneOffset()"), "9:0".into());
    assert_eq!(value("new due.constructor().getTime() === Date.now()"), true.into());
    assert_eq!(value("new Date(due.getTime() + 86400000)").to_string(), "2026-11-04T09:30:00Z");
    assert_eq!(
        value("typeof Math.random + typeof require + typeof performance + typeof std + typeof os"),
        "undefined".repeat(5).into()
    );
}

#[test]
fn errors_say_what_is_wrong() {
    assert_eq!(
        run("throw new BpmnError('no-money', 'too little')").0,
        Err(EvaluationError::BpmnError { code: "no-money".into(), message: Some("too little".into()) })
    );
    let java = "var E = Java.type('org.camunda.bpm.engine.delegate.BpmnError'); throw new E('x')";
    assert_eq!(run(java).0, Err(EvaluationError::BpmnError { code: "x".into(), message: None }));
    for (text, part) in [
        ("missing.name", "missing"),
        ("throw new Error('oh')", "oh"),
        ("throw 'text'", "text"),
        ("Java.type('java.lang.Runtime')", "not available"),
        ("var a = {}; a.a = a; a", "contains itself"),
        ("0 / 0", "no finite number"),
        ("count / 0", "no finite number"),
        ("-1e400", "no finite number"),
        ("10n ** 100000n", "no finite number"),
        ("2n ** 70n + 1n", "more digits than a number can hold"),
        ("execution.setVariable('sum', [2n ** 63n + 1n])", "more digits than a number can hold"),
        ("({ sum: [1, NaN] })", "no finite number"),
        ("execution.setVariable('sum', Number('many'))", "no finite number"),
        ("new Date('never')", "invalid date"),
    ] {
        let message = run(text).0.expect_err(text).to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
    assert!(compile("var = 1", Purpose::Script).is_err());
}

#[test]
fn a_script_is_read_as_it_is_run() {
    for (text, part) in [
        ("return 5", "return not in a function: a script's result is the value of its last expression"),
        ("if (count > 3) { return 1 }", "return not in a function"),
        ("new.target", "new.target"),
        ("'use strict'; var a = 010", "Octal"),
        ("1 })(); (function () { 2", "'}'"),
        ("let count = 1; let count = 2", "redefinition"),
    ] {
        let message = compile(text, Purpose::Script).expect_err(text).message;
        assert!(message.contains(part), "{text}: {message}");
    }
    // Nothing of it is done yet, and what only fails when it is run is no fault of its form.
    for text in ["while (true) {}", "missing()", "throw 1", "", "// nothing", "function f() { return 5 } f()"] {
        assert!(compile(text, Purpose::Script).is_ok(), "{text}");
    }
}

#[test]
fn limits_end_what_would_run_away() {
    for text in [
        "while (true) {}",
        "for (;;) { try { while (true) {} } catch (e) {} finally { continue } }",
        "var a = []; while (true) { a.push('x'.repeat(1000)) }",
        "var a = []; while (true) { try { a.push(new Array(1000).fill(a.length)) } catch (e) {} }",
        "function f() { return f() + 1 } f()",
        "var a = []; for (var i = 0; i < 1e6; i++) { a = [a] } JSON.stringify(a)",
        "var a = 'x'; while (true) { a += a }",
        "'x'.repeat(2 ** 29)",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "/(x+x+)+y/.exec('x'.repeat(60))",
        "new Array(5000000).fill(1).sort(() => 1)",
        "new ArrayBuffer(1e9)",
        "({ get a() { while (true) {} } })",
        "function* g() { while (true) yield 1 } for (const x of g()) {}",
    ] {
        let start = Instant::now();
        let outcome = run(text).0;
        assert!(matches!(outcome, Err(EvaluationError::Limit(_))), "{text}: {outcome:?}");
        assert!(start.elapsed().as_secs() < 5, "{text}");
    }
}

/// What takes long inside one function, or one sum, cannot be interrupted: it is not waited for. (Each would take several
/// seconds on a fast machine, too.)
#[test]
fn what_cannot_be_interrupted_is_not_waited_for() {
    for text in [
        "'a'.repeat(1e6).replaceAll('a', '$`')",
        "var a = 'a'.repeat(1e6), b = a.slice(1) + 'a', c = []; while (c.length < 3e4) c.push(a, b); c.sort()",
        "new RegExp('[' + 'a-z'.repeat(400000) + ']', 'iu').test('x')",
        "new RegExp('(?:' + 'a|'.repeat(250000) + 'b)').test('a')",
        "BigInt('0x' + 'f'.repeat(250000)).toString().length",
        "for (var i = 0; i < 5000; i++) (3n ** 60000n) % (7n ** 30000n)",
    ] {
        let start = Instant::now();
        let outcome = run(text).0;
        assert!(matches!(outcome, Err(EvaluationError::Limit(_))), "{text}: {outcome:?}");
        assert!(start.elapsed().as_secs() < 5, "{text}");
    }
}

/// What is compiled while the syntax is looked at cannot be interrupted either. (This would take minutes.)
#[test]
fn a_script_whose_syntax_takes_long_is_refused_in_time() {
    let start = Instant::now();
    let error = compile(&format!("/[{}]/iu", "\\p{Lu}".repeat(40_000)), Purpose::Script).expect_err("too long").message;
    assert!(error.contains("longer than a second"), "{error}");
    assert!(start.elapsed().as_secs() < 5);
}

/// What a built-in function does is not interrupted: it must not begin what has no end.
#[test]
fn built_in_functions_are_bounded_too() {
    // Side by side: each takes its second.
    let texts = [
        "new Array(4294967295).join('')",
        "new Array(4294967295).join('ab')",
        "'' + new Array(4294967295)",
        "var a = []; a[4294967294] = 1; `${a}`",
        "var a = []; a['len' + 'gth'] = 4294967295; a.sort()",
        "new Array(4294967295).sort()",
        "new Array(4294967295).flat()",
        "new Array(4294967295).flatMap(Boolean)",
        "new Array(4294967295).toLocaleString()",
        "new Array(4294967295).slice(1)",
        "var a = new Array(4294967295); a.shift()",
        "var a = new Array(4294967290); a.unshift(1)",
        "new Array(4294967295).splice(0, 4294967295)",
        "new Array(4294967295).copyWithin(1)",
        "[].concat(new Array(4294967295))",
        "[].concat.apply([], new Array(1000).fill(new Array(1e6)))",
        "Array.prototype.reverse.call({ length: 9007199254740991 })",
        "Array.prototype.fill.call(Object.defineProperty(new Uint8Array(1), 'length', { value: 2 ** 53 - 1 }), 1)",
        "var a = new Array(1e6); new Array(1e6).fill(a).flat()",
        "var a = new Array(1e6); new Array(1e5).fill(a).join()",
        "for (;;) new Array(1e6).reverse()",
        "new Set(new Array(4294967295))",
        "new Set([].values.call({ length: 2 ** 53 - 1 }))",
        "new Array(4294967295).values().drop(4e9).next()",
        "new Set([1, undefined]).isSupersetOf({ size: 1, has() {}, keys: () => [].values.call({ length: 2 ** 53 - 1 }) })",
        "JSON.stringify({}, new Array(4294967295))",
        "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
        "'a'.repeat(4e6).lastIndexOf('b' + 'a'.repeat(2e6))",
        "'a'.repeat(4e6).includes('a'.repeat(2e6) + 'b')",
        "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b')",
        "'a'.repeat(4e6).replaceAll('a'.repeat(2e6) + 'b', '')",
        "'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e6))",
        "String.raw({ raw: { length: 2 ** 53 - 1 } })",
        "String['r' + 'aw']({ raw: { length: 1e8 } })",
        "String.raw({ raw: 'a'.repeat(8000000) })",
        "var a = 'ä'.repeat(1e6); for (;;) a.toUpperCase()",
        "var a = 'x'.repeat(4e6); for (;;) a.indexOf('y')",
        "var a = 'x'.repeat(4e6); for (;;) encodeURIComponent(a)",
        "var a = JSON.stringify(new Array(1e5)); for (;;) JSON.parse(a)",
        "var a = new Uint8Array(8e6); for (;;) a.sort()",
    ];
    std::thread::scope(|threads| {
        for text in texts {
            threads.spawn(move || {
                let start = Instant::now();
                let outcome = run(text).0;
                assert!(matches!(outcome, Err(EvaluationError::Limit(_))), "{text}: {outcome:?}");
                assert!(start.elapsed().as_secs() < 20, "{text}");
            });
        }
    });
    let getter = "Array.prototype.reverse.call({ get length() { return 2 ** 53 - 1 } })";
    assert!(run(getter).0.expect_err("no length").to_string().contains("an object with a length"));
}

#[test]
fn what_computes_no_names_needs_no_guards() {
    for (text, guarded) in [
        ("[count, 1]", false),
        ("order.lines[0] + order['lines'][1]", false),
        ("order[name]", true),
        ("order['li' + 'nes']", true),
        ("order.lines[4294967294] = 1", true),
        ("order.lines [name]", true),
        ("order['\\152oin']", true),
        ("order.lines.join()", true),
    ] {
        assert_eq!(Parts::of(text).guards, guarded, "{text}");
    }
}

/// The guarded functions do what the language says.
#[test]
fn guarded_functions_are_the_usual_ones() {
    for (text, expected) in [
        ("[3, 1, 10, undefined, 2].sort()", "[1,10,2,3,null]"),
        ("[3, 1, 10].sort((a, b) => a - b)", "[1,3,10]"),
        ("[3, 1, 10].toSorted()", "[1,10,3]"),
        ("[1, [2, [3, [4]]]].flat()", "[1,2,[3,[4]]]"),
        ("[1, [2, [3, [4]]]].flat(Infinity)", "[1,2,3,4]"),
        ("[1, 2].flatMap(a => [a, [a]])", "[1,[1],2,[2]]"),
        ("[1].concat(2, [3, [4]], 'ab')", r#"[1,2,3,[4],"ab"]"#),
        ("var a = [1, , 2].concat([, 3]); [a.length, 1 in a, 3 in a]", "[5,false,false]"),
        ("[[1, [2]] + '', [null, undefined, 1].join('-'), String([])]", r#"["1,2","--1",""]"#),
        ("(function () { return [].slice.call(arguments, 1) })(1, 2, 3)", "[2,3]"),
        ("[].join.call('abc', '-')", r#""a-b-c""#),
        ("var a = [1, 2, 3, 4]; [a.splice(1, 2), a, a.reverse(), a.shift(), a.unshift(7)]", "[[2,3],[7,1],[7,1],4,2]"),
        ("[...new Set([1, 1, 2]), ...new Map([[3, 4]])]", "[1,2,[3,4]]"),
        ("var [a, ...b] = 'xyz'; [a, b, Math.max(...[1, 5])]", r#"["x",["y","z"],5]"#),
        (
            "['a-b'.split('-'), 'ab'.split(''), 'ab'.split(), 'a,b'.split(',', 1)]",
            r#"[["a","b"],["a","b"],["ab"],["a"]]"#,
        ),
        (r"'a1b2'.split(/\d/)", r#"["a","b",""]"#),
        (
            "['aba'.replace('a', 'c'), 'aba'.replaceAll('a', (x) => x + 1), 'aba'.replace(/a/g, '')]",
            r#"["cba","a1ba1","b"]"#,
        ),
        (
            r#"['aba'.replaceAll('a', '[$&$$]'), 'aba'.replace('a', null), 'ab'.replaceAll('', '-'), 'a'.replace('a')]"#,
            r#"["[a$]b[a$]","nullba","-a-b-","undefined"]"#,
        ),
        (
            r"[String.raw`a\n${1}b`, String.raw({ raw: 'abc' }, 1, 2, 3), String.raw({ raw: ['x', 'y'] }, 0)]",
            r#"["a\\n1b","a1b2c","x0y"]"#,
        ),
        ("['aba'.indexOf('b'), 'aba'.lastIndexOf('a', 1), 'null'.indexOf(null), 'aba'.includes('c')]", "[1,0,0,false]"),
        ("['Ab'.toLowerCase(), ' a '.trim(), 'a'.padStart(3, '-'), 'ab'.repeat(2)]", r#"["ab","a","--a","abab"]"#),
        ("JSON.parse('[1,{\"a\":2}]', (k, v) => k === 'a' ? 3 : v)", r#"[1,{"a":3}]"#),
        ("[JSON.stringify({a: [1], b: 2}, ['b']), typeof JSON.stringify(undefined)]", r#"["{\"b\":2}","undefined"]"#),
        ("JSON.stringify([1], null, 1)", r#""[\n 1\n]""#),
        (
            "[encodeURIComponent('a b'), decodeURIComponent('%C3%A4'), new Uint8Array([3, 1]).sort().join()]",
            r#"["a%20b","ä","1,3"]"#,
        ),
    ] {
        assert_eq!(value(text).to_json().to_string(), expected, "{text}");
    }
    for text in [
        "'a'.includes(/a/)",
        "'a'.replaceAll(/a/, 'b')",
        "[].join.call(null)",
        "''.trim.call(undefined)",
        "String.raw({})",
        "[].concat({ get [Symbol.isConcatSpreadable]() { this.length = 2 ** 53 - 1; return true } })",
    ] {
        assert!(run(text).0.expect_err(text).to_string().contains("TypeError"), "{text}");
    }
}

/// The engine throws null where no memory is left even for an exception.
#[test]
fn null_that_is_thrown_is_named() {
    let error = run("throw null").0.expect_err("an error").to_string();
    assert!(error.contains("unless it threw null"), "{error}");
}

/// Whatever a script does to its world, the next finds its own.
#[test]
fn nothing_comes_from_one_run_into_another() {
    for (spoils, looks, expected) in [
        (
            "leaked = 1; var left = 2; globalThis.here = 3",
            "typeof leaked + typeof left + typeof here",
            "undefined".repeat(3),
        ),
        (
            "let word = 1; const other = 2; class Thing {}",
            "typeof word + typeof other + typeof Thing",
            "undefined".repeat(3),
        ),
        (
            "Object.prototype.secret = 1; Array.prototype.map = null",
            "typeof ({}).secret + typeof [].map",
            "undefinedfunction".into(),
        ),
        ("JSON.stringify = () => '{}'; JSON.parse = null", "JSON.stringify([1])", "[1]".into()),
        (
            "Error.prepareStackTrace = () => 'secret'",
            "String(new Error('e').stack).includes('secret') + ''",
            "false".into(),
        ),
        ("execution.getVariable = () => 'secret'", "execution.getVariable('count') + ''", "3".into()),
        ("Date.prototype.getTime = () => 7; Date = null", "new Date(5).getTime() + ''", "5".into()),
        (
            "Symbol.for('a').description; Function.prototype.call = null",
            "typeof Function.prototype.call",
            "function".into(),
        ),
        ("order.lines.push(9); order.other = 1", "order.lines.length + typeof order.other", "2undefined".into()),
    ] {
        let _ = run(spoils);
        assert_eq!(value(looks), expected.into(), "{spoils}");
    }
    let script =
        compile("typeof seen === 'undefined' ? (seen = 1, 'first') : 'again'", Purpose::Script).expect("a script");
    let given = Given(BTreeMap::new());
    for _ in 0..3 {
        let outcome = script.evaluate(&mut Evaluation::new(&given, jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(outcome, Ok("first".into()));
    }
}

#[test]
fn there_is_nothing_to_wait_for_and_no_chance() {
    for word in [
        "setTimeout",
        "setInterval",
        "queueMicrotask",
        "performance",
        "fetch",
        "process",
        "require",
        "WebAssembly",
        "Atomics",
        "FinalizationRegistry",
        "WeakRef",
        "crypto",
        "Temporal",
    ] {
        assert_eq!(value(&format!("typeof {word}")), "undefined".into(), "{word}");
    }
    // The step's time, whichever way a script comes to the clock.
    for text in [
        "Date.now()",
        "new Date().getTime()",
        "+new Date",
        "new globalThis['Da' + 'te']().getTime()",
        "new (new Date(0).constructor)().getTime()",
        "Reflect.construct(Date, []).getTime()",
        "new (class extends Date {})().getTime()",
        "eval('Da' + 'te.now()')",
        "(0, eval)('new \\u0044ate().getTime()')",
        "Date.parse(Date())",
    ] {
        assert_eq!(value(text), Value::Integer(1_793_698_200_000), "{text}");
    }
    assert_eq!(value("new Date(2026, 10, 3, 9).getHours() + ' ' + new Date().getTimezoneOffset()"), "9 0".into());
    assert_eq!(value("typeof this['Da' + 'te']"), "undefined".into(), "what is not meant is not there");
}

#[test]
fn asynchronous_scripts_fail_and_hold_nothing_up() {
    for text in [
        "(async () => 1)()",
        "async function f() { await 1; leaked = 2 } f(); 1",
        "import('fs'); 1",
        "Promise.resolve(1)",
        "Promise.resolve(1).then(() => execution.setVariable('late', 1)); 1",
        "async function f() { await f() } f()",
        "async function* g() { yield 1 } g().next(); 1",
        "new Promise(() => { while (true) {} })",
        "eval('as' + 'ync () => 1')()",
    ] {
        let (outcome, assigned) = run(text);
        let message = outcome.expect_err(text).to_string();
        assert!(
            message.contains("for later") || message.contains("too much") || message.contains("a second"),
            "{text}: {message}"
        );
        assert!(assigned.is_empty(), "{text}");
    }
}

#[test]
fn dates_are_in_utc_whatever_the_machines_zone() {
    // The same once more where the machine is far from UTC: what reads its zone is different there.
    if std::env::var_os("TZ").is_none() {
        let program = std::env::current_exe().expect("this program");
        let again = std::process::Command::new(program)
            .args(["--exact", "script::tests::dates_are_in_utc_whatever_the_machines_zone"])
            .env("TZ", "America/New_York")
            .output()
            .expect("it runs");
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
    }
    for (text, expected) in [
        ("new Date('2026-01-01T00:00:00').toISOString()", "2026-01-01T00:00:00.000Z"),
        ("new Date('2026-01-01 10:00').toISOString()", "2026-01-01T10:00:00.000Z"),
        ("new Date('Jan 1 2026 10:00:00').toISOString()", "2026-01-01T10:00:00.000Z"),
        ("new Date('Jan 1 2026').toISOString()", "2026-01-01T00:00:00.000Z"),
        ("new Date('2026-01-01').toISOString()", "2026-01-01T00:00:00.000Z"),
        ("new Date('2026-01-01T10:00:00+02:00').toISOString()", "2026-01-01T08:00:00.000Z"),
        ("new Date('Thu, 01 Jan 2026 10:00:00 GMT').toISOString()", "2026-01-01T10:00:00.000Z"),
        ("new Date('Thu Jan 01 2026 10:00:00 GMT+0200').toISOString()", "2026-01-01T08:00:00.000Z"),
        ("new Date(Date.parse('2026-07-01T00:00:00')).toISOString()", "2026-07-01T00:00:00.000Z"),
        ("String(new Date(0))", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("new Date(0).toDateString()", "Thu Jan 01 1970"),
        ("new Date(0).toTimeString()", "00:00:00 GMT"),
        ("new Date(0).toLocaleString()", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("new Date(0).toLocaleDateString() + ' ' + new Date(0).toLocaleTimeString()", "Thu Jan 01 1970 00:00:00 GMT"),
        ("String(new Date(NaN).toDateString())", "Invalid Date"),
        ("var d = new Date(0); d.setYear(99); d.toISOString() + d.getYear()", "1999-01-01T00:00:00.000Z99"),
    ] {
        assert_eq!(value(text), expected.into(), "{text}");
    }
}

#[test]
fn what_is_no_function_is_shown() {
    for (text, expected) in [
        ("execution['get' + 'Foo']()", "not a function: `execution['get' + 'Foo']()`"),
        ("var e = execution;\n1 + e.getFoo(2)", "not a function: `e.getFoo(2)`"),
        ("[1].map(x => x.foo())", "not a function: `x.foo())`"),
    ] {
        let failed = run(text).0.expect_err(text).to_string();
        assert!(failed.ends_with(expected), "{text}: {failed}");
    }
}

#[test]
fn what_execution_does_not_have_is_refused() {
    for text in ["execution.getParentId()", "execution.createIncident('a', 'b')"] {
        let refused = compile(text, Purpose::Script).expect_err(text);
        assert!(refused.message.contains("is not available; there are"), "{refused}");
        assert_eq!(refused.offset, Some(10));
    }
}

#[test]
fn variables_are_told_by_name_and_by_scope() {
    for (text, expected) in [
        ("execution.getVariableNames()", Value::from(vec!["count".into(), "due".into(), "order".into()])),
        ("execution.getVariableNamesLocal()", Value::from(vec!["count".into()])),
        ("execution.getVariablesLocal()", [("count", Value::Integer(3))].into_iter().collect()),
        (
            "[execution.getVariableLocal('order'), execution.getVariableLocal('count')]",
            Value::from(vec![Value::Null, Value::Integer(3)]),
        ),
        ("execution.hasVariable('order') && !execution.hasVariableLocal('order')", true.into()),
        ("execution.hasVariables() && execution.hasVariablesLocal()", true.into()),
        ("execution.setVariableLocal('order', 1); execution.hasVariableLocal('order')", true.into()),
        (
            "execution.removeVariable('order'); [execution.hasVariable('order'), execution.getVariable('order')]",
            Value::from(vec![false.into(), Value::Null]),
        ),
        (
            "execution.removeVariables(['due', 'count', 'none']); execution.getVariableNames()",
            Value::from(vec!["order".into()]),
        ),
        ("execution.eventName + task.getEventName()", "startstart".into()),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    let written = |text: &str| {
        let assigned = run(text).1.into_iter();
        assigned.map(|one| (one.name.to_string(), one.local)).collect::<Vec<_>>()
    };
    assert_eq!(written("execution.removeVariables()"), [("count".to_owned(), true)]);
    assert_eq!(written("execution.removeVariableLocal('order')"), []);
    assert_eq!(written("execution.setVariablesLocal({a: 1})"), [("a".to_owned(), true)]);
}

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// Compiles without calendars.
fn compile(text: &str, known: &[&str]) -> Result<Feel, CompileError> {
    super::compile(text, known, &Arc::default())
}

/// Variables for tests.
pub(crate) struct Given(BTreeMap<Name, Value>);

impl potok_core::expressions::Variables for Given {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }

    fn names(&self) -> Vec<Name> {
        self.0.keys().cloned().collect()
    }
}

pub(super) fn given(variables: &[(&str, Value)]) -> Given {
    Given(variables.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

pub(super) fn now() -> jiff::Timestamp {
    "2026-11-03T09:30:00Z".parse().expect("timestamp")
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(Arc::new(entries.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()))
}

fn evaluate(text: &str, variables: &Given) -> Result<Value, EvaluationError> {
    let feel = compile(text, &[]).unwrap_or_else(|error| panic!("`{text}`: {error}"));
    feel.evaluate(&mut Evaluation::new(variables, now()))
}

fn value(text: &str, variables: &[(&str, Value)]) -> Value {
    evaluate(text, &given(variables)).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn refusal(text: &str) -> String {
    compile(text, &[]).expect_err(text).message
}

#[test]
fn cycles_of_timers() {
    for (text, expected) in [
        ("cycle(3, duration(\"PT1H\"))", Value::from("R3/PT1H")),
        ("cycle(duration(\"P1DT2H\"))", "R/P1DT2H".into()),
        ("cycle(null, duration(\"P1M\"))", "R/P1M".into()),
        ("cycle(interval: duration(\"PT1M\"), repetitions: 2)", "R2/PT1M".into()),
        ("cycle(3, \"PT1H\")", Value::Null),
    ] {
        assert_eq!(value(text, &[]), expected, "{text}");
    }
}

#[test]
fn plain_conditions() {
    let variables = [
        ("amount", Value::Integer(1_500)),
        ("region", "south".into()),
        ("approved", Value::Boolean(false)),
        ("order", map(&[("total", Value::Number(99.5)), ("lines", vec![Value::Integer(1)].into())])),
        ("status", "b".into()),
    ];
    for (text, expected) in [
        ("amount > 1000 and region = \"south\"", true.into()),
        ("amount+1", Value::Integer(1_501)),
        ("not(approved)", true.into()),
        ("order.total * 0.2", Value::Number(19.9)),
        ("order.missing", Value::Null),
        ("missing.deeply", Value::Null),
        ("missing = null", true.into()),
        ("missing > 5", Value::Null),
        ("missing > 5 and false", false.into()),
        ("status in (\"a\",\"b\")", true.into()),
        ("amount in [1000..2000)", true.into()),
        ("amount in (> 2000, < 100)", false.into()),
        ("amount in ]1500..2000[ or amount in [1000..1500[", false.into()),
        ("amount in ]1000..1500]", true.into()),
        ("if approved then 1 else \"no\"", "no".into()),
        ("\"a\" + region", "asouth".into()),
        ("amount / 7", Value::Number(1500.0 / 7.0)),
        ("amount / 0", Value::Null),
        ("-amount", Value::Integer(-1_500)),
        ("2 ** 10", Value::Integer(1_024)),
        ("0.1 + 0.2", Value::Number(0.3)),
        ("is defined(missing) or is defined(order.missing)", false.into()),
        ("is defined(amount) and is defined(order.total)", true.into()),
        ("count(order.lines)", Value::Integer(1)),
        ("{a: amount, b: a + 1}.b", Value::Integer(1_501)),
        ("for x in [1, 2, 3] return x * 2", vec![Value::Integer(2), Value::Integer(4), Value::Integer(6)].into()),
        ("some x in order.lines satisfies x = 1", true.into()),
        ("[1, 2, 3, 4][item > 2]", vec![Value::Integer(3), Value::Integer(4)].into()),
        ("{double: function(x) x * 2, four: function(x) double(double(x)), r: four(3)}.r", Value::Integer(12)),
        ("string join([\"a\", \"b\"], \"-\")", "a-b".into()),
        ("sort([3, 1, 2], function(a, b) a < b)[1]", Value::Integer(1)),
        ("get or else(missing, 7)", Value::Integer(7)),
        ("trim(\"  x \")", "x".into()),
        ("is empty([])", true.into()),
        ("partition([1, 2, 3], 2)[2][1]", Value::Integer(3)),
        ("duplicate values([1, 2, 3, 2, 1])", vec![Value::Integer(1), Value::Integer(2)].into()),
        ("string join([\"a\", null, \"b\"], \", \", \"[\", \"]\")", "[a, b]".into()),
        ("string join([], null, \"[\", \"]\")", "[]".into()),
        ("extract(\"references are 1234, 1256, 1378\", \"12[0-9]*\")", vec!["1234".into(), "1256".into()].into()),
        ("to json({a: [1, null]})", "{\"a\":[1,null]}".into()),
        ("from json(\"[1, 2.5]\")[2]", Value::Number(2.5)),
        ("from json(\"no\")", Value::Null),
        ("if(approved)then(1)else(2)", Value::Integer(2)),
    ] {
        assert_eq!(value(text, &variables), expected, "{text}");
    }
}

#[test]
fn null_is_equal_to_null_alone_on_either_side() {
    let variables = [
        ("nul", Value::Null),
        ("s", "a".into()),
        ("n", Value::Integer(7)),
        ("items", vec![map(&[("a", Value::Null)]), map(&[("a", Value::Integer(1))])].into()),
        ("filled", map(&[("a", Value::Integer(1))])),
        ("hollow", map(&[("a", Value::Null)])),
    ];
    for (text, expected) in [
        ("nul = \"a\"", false),
        ("nul != \"a\"", true),
        ("missing != \"done\"", true),
        ("missing = \"done\"", false),
        ("null = 1", false),
        ("null != 1", true),
        ("null = true", false),
        ("null = [1]", false),
        ("null != {a: 1}", true),
        ("null != date(\"2026-01-01\")", true),
        ("date(\"2026-01-01\") != null", true),
        ("null = @\"P1D\"", false),
        ("nul = s", false),
        ("nul != s", true),
        ("s != nul", true),
        ("n = nul", false),
        ("5 = nul", false),
        ("\"a\" != nul", true),
        ("nul = missing", true),
        ("nul != null", false),
        ("nul != now()", true),
        ("now() = nul", false),
        ("filled = hollow", false),
        ("hollow = filled", false),
        ("hollow != filled", true),
        ("[nul] = [s]", false),
        ("[nul] = [missing]", true),
        ("if nul != \"a\" then true else false", true),
        ("count([null, \"a\"][item != \"a\"]) = 1", true),
        ("count(items[a != 1]) = 1", true),
        ("nul in (!= \"a\")", true),
        ("nul in != \"a\"", true),
        ("nul in (\"a\", \"b\")", false),
        ("not(nul = \"a\")", true),
        ("[1..5] = [1..5]", true),
        ("(> 5) = (> 5)", true),
    ] {
        assert_eq!(value(text, &variables), expected.into(), "{text}");
    }
    for text in ["s = n", "n != s", "1 = \"a\"", "[1] != 1", "items = n", "filled != s"] {
        assert_eq!(value(text, &variables), Value::Null, "{text}");
    }
}

#[test]
fn one_value_decides_wherever_it_stands() {
    for (text, expected) in [
        ("any([null, true])", true.into()),
        ("any([true, null])", true.into()),
        ("any([true, 1])", true.into()),
        ("any(null, true)", true.into()),
        ("any([false, null])", Value::Null),
        ("any(true)", true.into()),
        ("any(null)", Value::Null),
        ("any(list: [null, true])", true.into()),
        ("all([null, false])", false.into()),
        ("all([true, null, false])", false.into()),
        ("all([true, null])", Value::Null),
        ("all(null, false)", false.into()),
        ("some x in [null, 1] satisfies x > 0", true.into()),
        ("some x in [1, null] satisfies x > 0", true.into()),
        ("some x in [null, -1] satisfies x > 0", Value::Null),
        ("every x in [null, -1] satisfies x > 0", false.into()),
        ("every x in [1, null] satisfies x > 0", Value::Null),
        ("every x in [-1, null] satisfies x > 0", false.into()),
        ("some x in [null, 1], y in [null, 2] satisfies x < y", true.into()),
        ("every x in [null, 2], y in [null, 1] satisfies x < y", false.into()),
        ("some x in [null, 1] satisfies every y in [null, 0] satisfies y < x", Value::Null),
        ("every x in [1, 2] satisfies some y in [null, 3] satisfies y > x", true.into()),
        ("some x in (for i in [null, 2] return i) satisfies count(for j in 1..x return j) = 2", true.into()),
    ] {
        assert_eq!(value(text, &[]), expected, "{text}");
    }
}

#[test]
fn quantifiers_go_through_intervals() {
    let variables = [("from", Value::Integer(3)), ("to", Value::Integer(1))];
    for (text, expected) in [
        ("some x in 1..3 satisfies x = 2", true.into()),
        ("some x in [1..3] satisfies x = 2", true.into()),
        ("every x in 1..3 satisfies x < 3", false.into()),
        ("every x in from..to satisfies x > 0", true.into()),
        ("some x in from..to, y in 5..6 satisfies x + y = 7", true.into()),
        ("some x in [5, 6], y in 1..2 satisfies x + y = 8", true.into()),
        ("every x in for i in 1..3, j in 1..2 return i * j satisfies x < 7", true.into()),
        ("some x in 1..2 satisfies some y in 3..4 satisfies x + y = 6", true.into()),
        ("some x in [3..1] satisfies true", Value::Null),
        ("some d in @\"2026-11-01\"..@\"2026-11-03\" satisfies d = @\"2026-11-02\"", true.into()),
    ] {
        assert_eq!(value(text, &variables), expected, "{text}");
    }
}

#[test]
fn operators_that_feel_has_not_are_refused() {
    for (text, word) in [
        ("amount == 100", "write `=`"),
        ("status <> \"new\"", "write `!=`"),
        ("n > 5 and < 10", "nothing on its left"),
        ("a && b", "`and`"),
        ("a || b", "`or`"),
        ("!a", "`not(...)`"),
        ("a % 2", "`modulo(a, b)`"),
    ] {
        assert!(refusal(text).contains(word), "{}", refusal(text));
    }
}

#[test]
fn names_may_be_long_cyrillic_or_in_backticks() {
    let variables = [
        ("Сумма заявки", Value::Integer(7)),
        ("a-b", Value::Integer(10)),
        ("count", Value::Integer(3)),
        ("клиент", map(&[("Полное имя", "Пётр".into())])),
    ];
    assert_eq!(value("Сумма  заявки + `a-b`", &variables), Value::Integer(17));
    assert_eq!(value("клиент.Полное имя", &variables), "Пётр".into());
    assert_eq!(value("for x in [клиент] return x.Полное имя + \"!\"", &variables), vec![Value::from("Пётр!")].into());
    assert_eq!(value("count + count([1])", &variables), Value::Integer(4));
    assert_eq!(value("count = null", &[]), Value::Null, "without a variable, the function");
}

#[test]
fn time_is_the_steps_own() {
    let variables = [("due", value("@\"2026-11-03T12:00:00+03:00\"", &[]))];
    assert_eq!(value("string(now())", &[]), "2026-11-03T09:30:00Z".into());
    assert_eq!(value("today() = date(\"2026-11-03\")", &[]), true.into());
    assert_eq!(value("due < now()", &variables), true.into(), "12:00+03:00 is 09:00 in UTC");
    assert_eq!(value("due in [now()..now() + duration(\"PT1H\")]", &variables), false.into());
    assert_eq!(value("due + duration(\"PT30M\") = now()", &variables), true.into());
    assert_eq!(value("last day of month(today())", &[]), value("date(\"2026-11-30\")", &[]));
}

#[test]
fn reads_tells_the_variables() {
    let feel = compile("for x in orders return x.total > limit and `a-b` = x and is defined(z)", &[]).expect("FEEL");
    let reads: Vec<&str> = feel.reads().expect("known").iter().map(|name| &**name).collect();
    assert_eq!(reads, ["a-b", "limit", "orders", "z"]);
}

#[test]
fn what_reaches_out_or_never_ends_is_refused() {
    assert!(
        refusal("{f: function(x) external {java: {class: \"c\", method signature: \"m()\"}}}").contains("external")
    );
    for recursive in [
        "{f: function(n) if n = 0 then 0 else f(n - 1), r: f(5)}.r",
        "{f: function(n) g(n), g: function(n) f(n)}",
        "(function(f) f(f))(function(f) f(f))",
        "{f: function(g, h) sort([g, h], g), r: f(f, f)}",
        "{f: function(x) for g in [x] return g(x)}",
        "{f: function(x) x.f(x)}",
    ] {
        assert!(refusal(recursive).contains("function"), "{recursive}: {}", refusal(recursive));
    }
    assert!(refusal("uuid()").contains("another value"));
    assert!(refusal("no such(1)").contains("no function `no such`"));
    assert!(refusal("trim(1, 2)").contains("takes 1 arguments"));
    assert!(refusal("a ? b").contains("not a FEEL expression"));
    assert!(refusal("'a'").contains("double quotes"));
    assert!(refusal("").contains("empty"));
}

#[test]
fn limits_end_what_would_run_away() {
    let digits = given(&[("digits", (0..10).map(Value::Integer).collect::<Vec<_>>().into())]);
    for text in [
        "count(for i in 1..1000000000 return i)",
        "count(for i in 1..80 return if i = 1 then \"aaaa\" else partial[-1] + partial[-1])",
        "for i in 1..100000 return [partial[-1]]",
        "{a: \"0123456789\", b: a+a+a+a+a+a+a+a, c: b+b+b+b+b+b+b+b, d: c+c+c+c+c+c+c+c, e: d+d+d+d+d+d+d+d, \
          f: e+e+e+e+e+e+e+e, g: f+f+f+f+f+f+f+f, h: g+g+g+g+g+g+g+g, i: h+h+h+h+h+h+h+h+h}",
        "some a in digits, b in digits, c in digits, d in digits, e in digits, f in digits, g in digits satisfies \
          a + b + c + d + e + f + g < 0",
    ] {
        let start = Instant::now();
        let outcome = match compile(text, &[]) {
            Ok(feel) => feel.evaluate(&mut Evaluation::new(&digits, now())),
            Err(error) => panic!("`{text}`: {error}"),
        };
        assert!(matches!(outcome, Err(EvaluationError::Limit(_))), "{text}: {outcome:?}");
        assert!(start.elapsed().as_secs() < 20, "{text} took {:?}", start.elapsed());
    }
    let many: Value = vec![Value::Integer(1); 200_000].into();
    assert!(matches!(evaluate("count(x)", &given(&[("x", many)])), Err(EvaluationError::Limit(_))));
}

#[test]
fn loops_over_thousands_are_quick() {
    for (text, expected) in [
        ("count(for i in 1..10000 return \"x\")", Value::Integer(10_000)),
        ("count(for i in 1..10000 return i * 2)", Value::Integer(10_000)),
        ("string length(string join(for i in 1..10000 return \"x\"))", Value::Integer(10_000)),
        ("count(index of(for i in 1..10000 return 1, 1))", Value::Integer(10_000)),
        ("count((for i in 1..10000 return i)[item > 5000])", Value::Integer(5_000)),
        ("some a in xs, b in xs, c in xs, d in xs satisfies true", true.into()),
        ("count(for a in [], b in xs, c in xs, d in xs return 1)", Value::Integer(0)),
    ] {
        let xs: Value = (0..2_000).map(Value::Integer).collect::<Vec<_>>().into();
        let start = Instant::now();
        assert_eq!(value(text, &[("xs", xs)]), expected, "{text}");
        assert!(start.elapsed().as_millis() < 1_500, "{text} took {:?}", start.elapsed());
    }
}

#[test]
fn loops_keep_their_meaning() {
    let integers = |numbers: &[i64]| Value::from(numbers.iter().copied().map(Value::Integer).collect::<Vec<_>>());
    for (text, expected) in [
        ("for i in 3..1 return i", integers(&[3, 2, 1])),
        ("for i in [1..3] return i", integers(&[1, 2, 3])),
        ("for i in [3..1] return i", Value::Null),
        ("for i in 1..null return i", Value::Null),
        ("for i in 1..\"a\" return 1", Value::Null),
        ("for i in 7 return i + 1", integers(&[8])),
        ("for x in [[1, 2], [3]], y in x return y", integers(&[1, 2, 3])),
        ("for x in [{l: [1, 2]}], y in x.l return y", integers(&[1, 2])),
        ("for x in [1, 2], y in [10, 20] return x + y", integers(&[11, 21, 12, 22])),
        ("for i in 0..5 return if i = 0 then 1 else i * partial[-1]", integers(&[1, 1, 2, 6, 24, 120])),
        ("for i in 1..3 return count(for j in partial return count(partial))", integers(&[0, 1, 2])),
        ("for i in 1..2 return count(for j in 1..2 return i) + count(partial)", integers(&[2, 3])),
        ("sort(for i in 1..3 return i, function(a, b) sum(for k in [a] return k) > b)", integers(&[3, 2, 1])),
        ("{f: function(n) for i in 1..n return i, r: f(2)}.r", integers(&[1, 2])),
        ("count(for d in @\"2026-11-01\"..@\"2026-11-03\" return d)", Value::Integer(3)),
        ("some x in [1, 2], y in [2, 3] satisfies x > y", false.into()),
        ("every x in [1, 2], y in [] satisfies x > y", true.into()),
        ("every x in [1, 2] satisfies null", Value::Null),
        ("union([1, 2], [2, 3])", integers(&[1, 2, 3])),
        ("distinct values([1, 2, 1])", integers(&[1, 2])),
        ("replace(\"a1b22\", \"([a-z])([0-9]+)\", \"$2$1,\")", "1a,22b,".into()),
        ("replace(input: \"aXa\", pattern: \"x\", replacement: \"y\", flags: \"i\")", "aya".into()),
        ("split(\"a, b;c\", \"[,;] ?\")[3]", "c".into()),
    ] {
        assert_eq!(value(text, &[]), expected, "{text}");
    }
}

#[test]
fn nothing_hangs() {
    let items: Value = (0..90_000).map(Value::Integer).collect::<Vec<_>>().into();
    let many = |text: &str| vec![text; 5_000].join(", ");
    let texts = [
        "count(for i in 1..10000000 return \"x\")".to_owned(),
        "count(for i in 1..100000 return partial)".into(),
        "for i in 1..10**30 return 1".into(),
        "for i in 1..2000, j in 1..2000 return 1".into(),
        "for i in 1..2000 return for j in 1..2000 return null".into(),
        "some i in xs, j in xs satisfies false".into(),
        "xs[count(xs) < item]".into(),
        "count(distinct values(xs))".into(),
        "count(union(xs, xs))".into(),
        "duplicate values(xs)".into(),
        "replace(t, \"a.*[^ab]|[ab]\", \"x\")".into(),
        "sort(xs, function(a, b) count(xs) < a)".into(),
        format!("count([{}])", many("xs")),
        format!("count(concatenate({}))", many("xs")),
        format!("{{a: xs, b: [{}]}}.b[1]", many("a")),
    ];
    std::thread::scope(|scope| {
        for text in &texts {
            let given = given(&[("xs", items.clone()), ("t", "ab".repeat(100_000).as_str().into())]);
            scope.spawn(move || {
                let start = Instant::now();
                let outcome = evaluate(text, &given);
                let text = shortened(text);
                assert!(matches!(outcome, Err(EvaluationError::Limit(_))), "{text}: {outcome:?}");
                assert!(start.elapsed().as_secs() < 20, "{text} took {:?}", start.elapsed());
            });
        }
    });
}

#[test]
fn the_deepest_that_compiles_fits_a_small_stack() {
    let deepest = |text: &dyn Fn(usize) -> String| {
        let fits = |times: &usize| prepare::prepare(&text(*times), &[]).is_ok();
        text((1..depth::MAX_DEPTH).take_while(fits).last().expect("some fit"))
    };
    let terms = deepest(&|times| format!("{}1", "1+".repeat(times)));
    let lists = deepest(&|times| format!("{}{}", "[".repeat(times), "]".repeat(times)));
    let conditions = deepest(&|times| format!("{}1", "if a then 1 else ".repeat(times)));
    let paths = deepest(&|times| format!("a{}", ".b".repeat(times)));
    assert!(lists.len() > 200, "nesting of {} is allowed", lists.len() / 2);
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let thread = small.spawn(move || {
        for text in [terms, lists, conditions, paths] {
            let feel = compile(&text, &[]).expect("within the limit");
            // The value of the lists is too deep for a variable, but it was computed.
            let _ = feel.slow.evaluate(&Evaluation::new(&given(&[]), now()));
        }
    });
    thread.expect("thread").join().expect("no overflow");
}

#[test]
fn unary_tests() {
    let tested = Tested { name: INPUT, truth_fits: false };
    let holds = |tests: &str, input: Value| {
        let feel =
            compile_tests(tests, &[], tested, &Arc::default()).unwrap_or_else(|error| panic!("{tests}: {error}"));
        feel.evaluate(&mut Evaluation::new(&given(&[(INPUT, input)]), now())).expect(tests)
    };
    for (tests, input, expected) in [
        ("-", Value::Null, true),
        ("\"a\",\"b\"", "b".into(), true),
        ("not(\"a\",\"b\")", "b".into(), false),
        ("> 5", Value::Integer(6), true),
        ("[1..5]", Value::Integer(6), false),
        ("< 1, > 5", Value::Integer(6), true),
        ("starts with(?, \"ab\")", "abc".into(), true),
        ("1, ? > 5", Value::Integer(9), true),
        ("null", Value::Null, true),
        ("true", true.into(), true),
        ("> 7 - 1", Value::Integer(6), false),
        ("> 7 - 1", Value::Integer(7), true),
        (">= 2 * 1.5", Value::Integer(3), true),
        ("not(> 5 + 5)", Value::Integer(6), true),
        ("< 2 ** 3 - 1 - 1, > 100 / 10", Value::Integer(6), false),
        ("< 2 ** 3 - 1 - 1, > 100 / 10", Value::Integer(11), true),
        ("!= -3 + 9", Value::Integer(6), false),
    ] {
        assert_eq!(holds(tests, input.clone()), expected.into(), "{tests} on {input:?}");
    }
}

#[test]
fn moments_are_added_and_subtracted_as_moments() {
    for (text, expected) in [
        // The clock is set forward at two, and back at three.
        (
            r#"date and time("2026-03-29T01:30:00@Europe/Berlin") + duration("PT1H")"#,
            "2026-03-29T03:30:00+02:00[Europe/Berlin]",
        ),
        (
            r#"duration("PT24H") + date and time("2026-03-28T12:00:00@Europe/Berlin")"#,
            "2026-03-29T13:00:00+02:00[Europe/Berlin]",
        ),
        (
            r#"date and time("2026-03-29T13:00:00@Europe/Berlin") - duration("P1D")"#,
            "2026-03-28T12:00:00+01:00[Europe/Berlin]",
        ),
        (
            r#"date and time("2026-10-25T00:30:00@Europe/Berlin") + duration("PT2H")"#,
            "2026-10-25T02:30:00+02:00[Europe/Berlin]",
        ),
        (r#"date and time("2026-10-25T00:30:00@Europe/Berlin") + duration("PT3H")"#, "2026-10-25T02:30:00+01:00"),
        (
            r#"date and time("2026-10-25T00:30:00@Europe/Berlin") + duration("P1M")"#,
            "2026-11-25T00:30:00+01:00[Europe/Berlin]",
        ),
        (r#"date and time("2026-03-29T01:30:00") + duration("PT1H")"#, "2026-03-29T02:30:00"),
        (
            r#"date and time("2026-03-29T12:00:00@Europe/Berlin") - date and time("2026-03-28T12:00:00@Europe/Berlin")"#,
            "PT23H",
        ),
        (
            r#"date and time("2026-10-25T02:30:00@Europe/Berlin") - date and time("2026-10-25T01:30:00@Europe/Berlin")"#,
            "PT1H",
        ),
        (r#"date and time("2026-03-29T02:30:00@Europe/Berlin") - date("2026-03-29")"#, "PT1H30M"),
        (r#"date("2026-03-29") - date("2026-03-28")"#, "P1D"),
    ] {
        assert_eq!(value(text, &[]).to_string(), expected, "{text}");
    }
    let given = [("a", "a".into()), ("n", Value::Integer(2)), ("none", Value::Null)];
    assert_eq!(value("a + a", &given), "aa".into());
    assert_eq!(value("n + n - n", &given), Value::Integer(2));
    assert_eq!(value("n + none", &given), Value::Null);
    assert_eq!(value("date and time(\"9999-12-31T23:00:00@Europe/Berlin\") + duration(\"P2D\")", &given), Value::Null);
}

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(vec!["a", "b", "c", "m.x", "m.y", "d"]).prop_map(str::to_owned), constant()]
}

fn constant() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["null", "true", "false", "\"s\"", "\"\""]).prop_map(str::to_owned),
        (-20_i64..20).prop_map(|number| if number < 0 { format!("({number})") } else { number.to_string() }),
        (0_u32..200).prop_map(|number| format!("{}.{:02}", number / 100, number % 100)),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        let operators = vec!["+", "-", "*", "/", "<", "<=", ">", ">=", "=", "!=", "and", "or"];
        prop_oneof![
            (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            inner.clone().prop_map(|inner| format!("not({inner})")),
            inner.clone().prop_map(|inner| format!("(-{inner})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(condition, then, otherwise)| format!("(if {condition} then {then} else {otherwise})")),
            (inner.clone(), constant(), constant())
                .prop_map(|(value, one, two)| format!("({value} in ({one}, {two}))")),
            inner.clone().prop_map(|value| format!("({value} in [-1..5))")),
            inner.clone().prop_map(|value| format!("({value} in (<= 2, \"s\", null))")),
        ]
    })
}

fn variable() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        (-10_i64..10).prop_map(Value::Integer),
        any::<i64>().prop_map(Value::Integer),
        (-1000_i32..1000).prop_map(|number| Value::Number(f64::from(number) / 100.0)),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Number),
        prop::sample::select(vec!["", "s", "t", "я"]).prop_map(Value::from),
        Just(Value::Date(jiff::civil::date(2026, 11, 3))),
        Just(Value::from(vec![Value::Integer(1)])),
    ]
}

/// The library gives whole numbers as integers, however they came.
fn normal(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            convert::outward(convert::Inward::new(1).value(&Value::Number(number)).expect("number")).expect("number")
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn fast_and_library_agree(
        text in expression(),
        a in variable(), b in variable(), c in variable(), x in variable(),
    ) {
        let feel = compile(&text, &[]).expect("generated");
        prop_assert!(feel.fast.is_some(), "{text} is plain");
        let variables = given(&[("a", a), ("b", b), ("c", c), ("m", map(&[("x", x)]))]);
        let evaluation = Evaluation::new(&variables, now());
        if let Some(Ok(fast)) = feel.fast.as_ref().map(|fast| fast.value(&evaluation)) {
            let slow = feel.slow.evaluate(&evaluation).expect("library");
            prop_assert_eq!(normal(fast), slow, "{}", text);
        }
    }

    #[test]
    fn no_text_panics(text in "[\\PC\n]{0,40}") {
        if let Ok(feel) = compile(&text, &[]) {
            let _ = feel.evaluate(&mut Evaluation::new(&given(&[]), now()));
        }
    }

    #[test]
    fn no_words_panic(words in prop::collection::vec(prop::sample::select(vec![
        "for", "in", "return", "some", "every", "satisfies", "if", "then", "else", "function", "external", "(", ")",
        "[", "]", "{", "}", ",", ":", ".", "..", "x", "y", "1", "\"s\"", "-", "+", "*", "=", "<", "not", "between",
        "and", "or", "instance", "of", "date", "list", "<", ">", "->", "@", "?", "null", "item", "partial", "sort",
    ]), 0..16)) {
        if let Ok(feel) = compile(&words.join(" "), &[]) {
            let _ = feel.evaluate(&mut Evaluation::new(&given(&[]), now()));
        }
    }
}

use super::tests::{given, now};
use super::*;

/// What `standard.txt` says.
#[test]
fn every_function_and_construct_of_the_standard() {
    let nothing = given(&[]);
    let mut wrong = Vec::new();
    for line in include_str!("standard.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (text, expected) = line.split_once(" ==> ").unwrap_or_else(|| panic!("`{line}` has no value"));
        let found = match compile(text, &[], &Arc::default()) {
            Ok(feel) => match feel.evaluate(&mut Evaluation::new(&nothing, now())) {
                Ok(value) => value.to_json().to_string(),
                Err(error) => error.to_string(),
            },
            Err(error) => error.message,
        };
        if found != expected {
            wrong.push(format!("{text}\n    is {found}\n    and should be {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unknown_types_are_refused() {
    for text in ["1 instance of integer", "1 instance of a.b", "{f: function(a: text) a}.f(1)"] {
        let error = compile(text, &[], &Arc::default()).expect_err(text);
        assert!(error.message.contains("FEEL has no type"), "{}", error.message);
    }
}

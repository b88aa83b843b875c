//! Where in a script something failed: the engine does not say what it is that is no function.

/// By what the engine calls the script in its list of calls.
pub(super) const SCRIPT: &str = "script";
/// More of a line than anybody needs to know the place.
const LONGEST: usize = 40;

/// The call that was under way, as it stands in the script, from the engine's list of calls.
pub(super) fn call<'t>(text: &'t str, stack: &str) -> Option<&'t str> {
    let place = stack.lines().find_map(|frame| {
        let (_, place) = frame.rsplit_once('(')?;
        place.strip_suffix(')')?.strip_prefix(SCRIPT)?.strip_prefix(':')
    })?;
    let (line, column) = place.split_once(':')?;
    let line = text.lines().nth(line.parse::<usize>().ok()?.checked_sub(1)?)?;
    // The engine counts bytes, and points to the last point of what is called, or to the parenthesis behind it.
    let before = line.get(..column.parse::<usize>().ok()?.checked_sub(1)?)?.trim_end();
    let is_called = |character: char| character.is_alphanumeric() || "_$.".contains(character);
    let mut start = before.trim_end_matches(is_called).len();
    if !line[start..].starts_with(is_called)
        && let Some(bracket) = line[..start].rfind('[')
    {
        // A computed name, perhaps: what stands before it says of what.
        start = line[..bracket].trim_end_matches(is_called).len();
    }
    let call = line[start..].trim();
    Some(call.char_indices().nth(LONGEST).map_or(call, |(end, _)| &call[..end]))
}

#[cfg(test)]
mod tests {
    use super::call;

    #[test]
    fn a_call_is_shown_as_it_stands() {
        let stack = |place: &str| format!("    at map (native)\n    at <eval> (script:{place})\n");
        for (text, place, expected) in [
            ("1;\nx = order.getFoo(1)", "2:10", Some("order.getFoo(1)")),
            ("1 + f (2)", "1:7", Some("f (2)")),
            ("execution['a' + b]()", "1:1", Some("execution['a' + b]()")),
            ("1 + x[ 'a' + 'b']()", "1:14", Some("x[ 'a' + 'b']()")),
            ("'ё'; a.b()", "1:8", Some("a.b()")),
            ("a.b()", "2:1", None),
            ("a.b()", "1:90", None),
            ("'ё'", "1:3", None),
            ("a", "1", None),
        ] {
            assert_eq!(call(text, &stack(place)), expected, "{text}");
        }
        assert_eq!(call("a.b()", "    at <eval> (eval_script:1:1)\n"), None);
    }
}

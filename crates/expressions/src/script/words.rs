//! What a script asks of `execution`, as far as it can be seen without running it.

/// All that there is, as `execution.js` and `world.js` make it.
const KNOWN: &str = "getVariable getVariableLocal hasVariable setVariable setVariableLocal getVariables \
    getVariablesLocal getVariableNames getVariableNamesLocal hasVariableLocal hasVariables hasVariablesLocal \
    setVariables setVariablesLocal removeVariable removeVariableLocal removeVariables removeVariablesLocal \
    getEventName eventName getProcessInstanceId processInstanceId getId id getProcessBusinessKey processBusinessKey \
    getBusinessKey businessKey getProcessDefinitionId processDefinitionId getCurrentActivityId currentActivityId \
    getCurrentActivityName currentActivityName";

/// The first word that a script asks of `execution` and that there is not: where it stands, and the word.
pub(super) fn unknown(text: &str) -> Option<(usize, &str)> {
    let code = without_texts(text);
    let mut found = None;
    for (at, word) in code.match_indices("execution") {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        if before.ends_with(|last| is_part(last) || last == '.') || after.starts_with(is_part) {
            continue;
        }
        let before = before.trim_end();
        let declares = ["var", "let", "const", "function", "class"].iter().any(|word| before.ends_with(word));
        if declares || is_set(after) {
            // It is one of the script's own.
            return None;
        }
        let Some(rest) = after.trim_start().strip_prefix('.') else { continue };
        let start = code.len() - rest.trim_start().len();
        let rest = &code[start..];
        let end = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        if is_set(rest) {
            return None;
        }
        let is_known = name.is_empty()
            || KNOWN.split_ascii_whitespace().any(|known| known == name)
            // What any object has.
            || matches!(name, "toString" | "hasOwnProperty" | "valueOf" | "constructor" | "isPrototypeOf");
        if !is_known && found.is_none() {
            found = Some((start, start + end));
        }
    }
    let (start, end) = found?;
    Some((start, text.get(start..end)?))
}

/// What Camunda 7's `decisionResult` has in Java beside being a list of maps.
const OF_DECISIONS: &[&str] =
    &["collectEntries", "getFirstResult", "getResultList", "getSingleEntry", "getSingleResult"];

/// The first method of Java's that a script calls on `decisionResult`, which is a plain list here: where it stands, and the word.
pub(super) fn of_decision(text: &str) -> Option<(usize, &'static str)> {
    let code = without_texts(text);
    code.match_indices("decisionResult.").find_map(|(at, word)| {
        let start = at + word.len();
        let called = OF_DECISIONS.iter().find(|method| code[start..].starts_with(**method));
        called.filter(|_| !code[..at].ends_with(is_part)).map(|method| (start, *method))
    })
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// Whether what comes next gives what was named a value.
fn is_set(after: &str) -> bool {
    let after = after.trim_start();
    after.starts_with('=') && !after.starts_with("==")
}

/// The script with blanks in place of its comments and texts, so that every place stays where it is.
fn without_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            '"' | '\'' | '`' => end_of_text(rest, first),
            _ => {
                code.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        code.extend(std::iter::repeat_n(' ', length));
        rest = &rest[length..];
    }
    code
}

/// Where a text ends that begins here; one in plain quotes ends with its line.
fn end_of_text(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = true;
        } else if character == quote {
            return at + quote.len_utf8();
        } else if character == '\n' && quote != '`' {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{of_decision, unknown};

    #[test]
    fn methods_of_a_decision_s_result_are_found() {
        assert_eq!(of_decision("decisionResult.getSingleEntry()"), Some((15, "getSingleEntry")));
        assert_eq!(
            of_decision("// decisionResult.getSingleEntry()\ndecisionResult[0].rate + decisionResult.length"),
            None
        );
        assert_eq!(of_decision("mydecisionResult.getSingleEntry()"), None);
    }

    #[test]
    fn what_execution_does_not_have_is_found() {
        for (text, expected) in [
            ("execution.getFoo()", Some((10, "getFoo"))),
            ("1; execution . getParentId ( )", Some((15, "getParentId"))),
            ("execution.getVariable('execution.getFoo()')", None),
            ("// execution.getFoo()\nexecution.getId() /* execution.getFoo() */", None),
            ("'it\\'s'; `a\nb`; execution.tenantId", Some((26, "tenantId"))),
            ("var execution = {}; execution.getFoo()", None),
            ("execution = {getFoo() {}}; execution.getFoo()", None),
            ("execution.foo = 1; execution.foo", None),
            ("execution.getEventName() == 'start'; execution.id == 1", None),
            ("order.execution.foo; executions.foo; myexecution.foo; execution['foo']", None),
            ("\"открыто\" + execution.getПоле()", Some((29, "getПоле"))),
        ] {
            assert_eq!(unknown(text), expected, "{text}");
        }
    }
}

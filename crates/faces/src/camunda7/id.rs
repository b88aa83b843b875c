//! Ids as Camunda 7's clients expect them: UUIDs, from which the engine's keys can be read again.
//!
//! A key has 63 bits. It stands in the last 64 of the UUID, below RFC 9562's variant bit; the first 32 tell which part of what the key
//! names is meant (a token of an instance), or nothing.

use potok::Name;
use potok::row::Definition;
use potok_core::instance::Key;

/// Camunda's own limit for ids of definitions: longer ones are plain UUIDs.
const LONGEST: usize = 64;

const VARIANT: u64 = 1 << 63;

/// What waits under a key, as an execution.
pub(crate) const EXECUTION: u32 = 1;

/// What waits under a key, as an instance of its activity.
pub(crate) const ACTIVITY: u32 = 2;

/// From there on, tokens of an instance by their serials.
const TOKENS: u32 = 16;

/// From there on, visits of flow nodes by their numbers, as histories count them.
const VISITS: u32 = 1 << 31;

/// A token of an instance.
pub(crate) const fn token(serial: u32) -> u32 {
    serial.saturating_add(TOKENS)
}

/// The serial of a token, if a part of an instance is one.
pub(crate) fn serial(part: u32) -> Option<u32> {
    part.checked_sub(TOKENS).filter(|_| part < VISITS)
}

/// A visit of a flow node.
pub(crate) fn visit(number: u64) -> u32 {
    VISITS.saturating_add(u32::try_from(number).unwrap_or(u32::MAX))
}

/// From there on, variables of an instance: half a billion numbers, so that two of an instance have the same one hardly ever.
const VARIABLES: u32 = 1 << 30;

/// A variable of an instance by its name and by what it is of, whatever others there are: 0 if it is the process's.
pub(crate) fn variable(of: u64, name: &str) -> u32 {
    // FNV-1a, for it must stay the same for ever.
    let hash = of
        .to_le_bytes()
        .into_iter()
        .chain(name.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    VARIABLES + u32::try_from((hash ^ (hash >> 32)) & 0x3fff_ffff).unwrap_or_default()
}

/// What a key names.
pub(crate) fn id(key: impl Into<Key>) -> String {
    part(key, 0)
}

/// What an id may be: a key, if it is one that an engine has given.
pub(crate) fn parse<T: From<Key>>(text: &str) -> Option<T> {
    match parse_part(text)? {
        (key, 0) => Some(key.into()),
        _ => None,
    }
}

/// A part of what a key names.
pub(crate) fn part(key: impl Into<Key>, part: u32) -> String {
    let bits = u64::from(key.into()) | VARIANT;
    format!("{part:08x}-0000-8000-{:04x}-{:012x}", bits >> 48, bits & 0xffff_ffff_ffff)
}

/// A key and which part of it.
pub(crate) fn parse_part(text: &str) -> Option<(Key, u32)> {
    let rest = text.get(8..).filter(|rest| rest.len() == 28)?;
    let part = u32::from_str_radix(text.get(..8)?, 16).ok()?;
    let rest = rest.strip_prefix("-0000-8000-")?;
    let (high, low) = rest.split_once('-').filter(|(high, low)| high.len() == 4 && low.len() == 12)?;
    let bits = (u64::from_str_radix(high, 16).ok()? << 48) | u64::from_str_radix(low, 16).ok()?;
    (bits & VARIANT != 0).then_some((Key(bits & !VARIANT), part))
}

/// A definition: `key:version:uuid`, or only the UUID if that would be too long.
pub(crate) fn definition(row: &Definition) -> String {
    of_definition(row.key, &row.id, row.version)
}

/// The same, of its parts.
pub(crate) fn of_definition(key: Key, name: &Name, version: u32) -> String {
    let full = format!("{name}:{version}:{}", id(key));
    if full.len() <= LONGEST { full } else { id(key) }
}

/// The key in a definition's id.
pub(crate) fn parse_definition(text: &str) -> Option<Key> {
    parse(text.rsplit(':').next()?)
}

/// The instance of an activity: `activity:uuid`.
pub(crate) fn activity_instance(node: &str, key: impl Into<Key>, of: u32) -> String {
    let full = format!("{node}:{}", part(key, of));
    let plain = full.len() - node.len() - 1;
    if full.len() <= LONGEST { full } else { full.split_at(full.len() - plain).1.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_again() {
        for key in [Key(1), Key(0x7fff_ffff_ffff_ffff), Key(6_120_000_000_000_001)] {
            assert_eq!(parse::<Key>(&id(key)), Some(key), "{}", id(key));
            assert_eq!(parse_part(&part(key, 7)), Some((key, 7)));
        }
        assert_eq!(id(Key(1)), "00000000-0000-8000-8000-000000000001");
        for text in ["", "1", "é".repeat(18).as_str(), "00000000-0000-8000-0000-000000000001", "x"] {
            assert_eq!(parse::<Key>(text), None, "{text}");
        }
    }

    #[test]
    fn long_keys_leave_only_the_uuid() {
        let (short, long) = (Name::from("order"), Name::from("o".repeat(30)));
        assert_eq!(of_definition(Key(1), &short, 2), "order:2:00000000-0000-8000-8000-000000000001");
        assert_eq!(of_definition(Key(1), &long, 2), id(Key(1)));
        assert_eq!(parse_definition(&of_definition(Key(5), &short, 2)), Some(Key(5)));
        assert_eq!(activity_instance(&long, Key(1), 3), part(Key(1), 3));
    }
}

//! Wrong passwords, counted: whoever guesses waits, longer each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use potok_core::Name;
use potok_core::time::Timestamp;

/// How long it is waited at most: who is guessed at can sign in again soon, too.
const LONGEST: u64 = 60;

/// After how long without a wrong password all is forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(15);

/// What is counted at most.
const CAPACITY: usize = 10_000;

/// Whose wrong passwords are counted. Each has some that are free of waiting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    /// Those for one user from one place: a person who mistypes.
    Pair(Name, Option<Name>),
    /// Those from one place, for whichever user: a list of names is tried out.
    Source(Name),
    /// Those for one user, from wherever: many machines guess together.
    User(Name),
}

impl Counted {
    fn all(user: &Name, source: Option<&Name>) -> impl Iterator<Item = Self> {
        let pair = Self::Pair(user.clone(), source.cloned());
        [Some(pair), source.cloned().map(Self::Source), Some(Self::User(user.clone()))].into_iter().flatten()
    }

    /// How many wrong ones cost nothing.
    fn free(&self) -> u32 {
        match self {
            Self::Pair(..) => 5,
            Self::Source(_) => 20,
            Self::User(_) => 50,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Timestamp,
    /// Until then nothing is tried.
    until: Timestamp,
}

/// The wrong passwords of the last minutes.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<HashMap<Counted, Wrong>>);

impl Guesses {
    /// How long whoever wants to try a password has to wait; nothing if not at all.
    pub(crate) fn wait(&self, user: &Name, source: Option<&Name>, now: Timestamp) -> Option<Duration> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Counted::all(user, source).filter_map(|counted| Some(held.get(&counted)?.until)).max()?;
        Duration::try_from(until.duration_since(now)).ok().filter(|wait| !wait.is_zero())
    }

    /// One was wrong.
    pub(crate) fn wrong(&self, user: &Name, source: Option<&Name>, now: Timestamp) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= CAPACITY {
            held.retain(|_, wrong| now.duration_since(wrong.last) < FORGOTTEN);
        }
        if held.len() >= CAPACITY {
            // Whoever fills it up has only few guesses for each.
            held.retain(|counted, wrong| wrong.count >= counted.free());
        }
        if held.len() >= CAPACITY {
            held.clear();
        }
        for counted in Counted::all(user, source) {
            let free = counted.free();
            let before = held.get(&counted).filter(|wrong| now.duration_since(wrong.last) < FORGOTTEN);
            let count = before.map_or(0, |wrong| wrong.count).saturating_add(1);
            let seconds = match count.checked_sub(free) {
                None => 0,
                Some(over) => 1u64.checked_shl(over).unwrap_or(LONGEST).min(LONGEST),
            };
            let wait = SignedDuration::try_from(Duration::from_secs(seconds)).unwrap_or_default();
            let until = now.checked_add(wait).unwrap_or(now);
            held.insert(counted, Wrong { count, last: now, until });
        }
    }

    /// One was right: the user has not been guessed at from there.
    pub(crate) fn right(&self, user: &Name, source: Option<&Name>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&Counted::Pair(user.clone(), source.cloned()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn whoever_guesses_waits_longer_each_time() {
        let (guesses, user, here) = (Guesses::default(), Name::from("anna"), Name::from("10.0.0.7"));
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..13 {
            guesses.wrong(&user, Some(&here), at(now));
            let wait = guesses.wait(&user, Some(&here), at(now)).map_or(0, |wait| wait.as_secs());
            waits.push(wait);
            now += i64::try_from(wait).unwrap();
            assert_eq!(guesses.wait(&user, Some(&here), at(now)), None);
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        // From elsewhere the user gets in.
        assert_eq!(guesses.wait(&user, Some(&"10.0.0.8".into()), at(now)), None);
        // Later on all is forgotten.
        now += 15 * 60;
        guesses.wrong(&user, Some(&here), at(now));
        assert_eq!(guesses.wait(&user, Some(&here), at(now)), None);
    }

    #[test]
    fn a_list_of_names_and_many_machines_are_guesses_too() {
        let (guesses, here) = (Guesses::default(), Name::from("10.0.0.7"));
        for user in 0..20 {
            guesses.wrong(&format!("u{user}").into(), Some(&here), at(0));
        }
        assert!(guesses.wait(&"anna".into(), Some(&here), at(0)).is_some());
        let (guesses, anna) = (Guesses::default(), Name::from("anna"));
        for machine in 0..50 {
            guesses.wrong(&anna, Some(&format!("10.0.0.{machine}").into()), at(0));
        }
        assert!(guesses.wait(&anna, Some(&"10.1.0.1".into()), at(0)).is_some());
        assert_eq!(guesses.wait(&"boris".into(), Some(&"10.1.0.1".into()), at(0)), None);
    }

    #[test]
    fn a_password_that_was_right_ends_it() {
        let (guesses, anna) = (Guesses::default(), Name::from("anna"));
        for _ in 0..5 {
            guesses.wrong(&anna, None, at(0));
        }
        assert!(guesses.wait(&anna, None, at(0)).is_some());
        guesses.right(&anna, None);
        assert_eq!(guesses.wait(&anna, None, at(0)), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let guesses = Guesses::default();
        for user in 0..3 * CAPACITY {
            guesses.wrong(&format!("u{user}").into(), None, at(0));
        }
        assert!(guesses.0.lock().unwrap().len() <= CAPACITY + 3);
    }
}

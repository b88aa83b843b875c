//! How often what fails is tried, and when again, as Camunda 7 and Flowable write it: `R3/PT10M`, `PT1M,PT5M`.

use super::{Timer, Timestamp};
use crate::model::TimerKind;
use crate::value::{Value, Zone};

/// Tries where a model lets them have no end: as many as Camunda 7 counts.
const WITHOUT_END: i64 = i32::MAX as i64;

/// How many tries a retry cycle allows: `R3/PT10M` three, `R/PT10M` any number, `PT1M,PT5M` one more than its pauses. None if it
/// is no retry cycle.
#[must_use]
pub fn tries(cycle: &str) -> Option<i64> {
    let cycle = cycle.trim();
    match cycle.strip_prefix(['R', 'r']).and_then(|rest| rest.split_once('/')) {
        Some(("", _)) => Some(WITHOUT_END),
        Some((count, _)) => count.parse().ok().map(|tries: i64| tries.max(1)),
        None => {
            let pauses = cycle.split(',').map(|pause| Timer::check(TimerKind::Duration, pause.trim()));
            let pauses = pauses.collect::<Result<Vec<_>, _>>().ok()?;
            i64::try_from(pauses.len()).ok().map(|pauses| pauses + 1)
        }
    }
}

/// When what has failed now is tried again by a retry cycle, if `left` tries were left before it failed. None if the cycle does not
/// say.
#[must_use]
pub fn next_try(cycle: &str, left: i64, now: Timestamp) -> Option<Timestamp> {
    let pauses: Vec<&str> = cycle.split(',').map(str::trim).collect();
    // The first pause stands before the second of as many tries as there are pauses and one; of more tries, before all of those.
    let passed = pauses.len().saturating_sub(usize::try_from(left.saturating_sub(1)).unwrap_or(0));
    let pause = pauses.get(passed.min(pauses.len() - 1))?;
    let kind = if pause.starts_with(['R', 'r']) { TimerKind::Cycle } else { TimerKind::Duration };
    let timer = Timer::parse(kind, &Value::String((*pause).into()), now, &Zone::UTC).ok()?;
    Some(timer.due.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_as_camunda_counts_them() {
        let counted =
            ["R3/PT10M", "R/PT1M", "R0/PT1M", "R3/2030-01-01T00:00:00/PT10M", "PT1M,PT5M", "PT7M", " PT1M , PT5M "];
        assert_eq!(counted.map(tries), [Some(3), Some(2_147_483_647), Some(1), Some(3), Some(3), Some(2), Some(3)]);
        assert_eq!(["soon", "", "Rx/PT1M", "PT1M,later"].map(tries), [None; 4]);
    }

    #[test]
    fn pauses_follow_one_another_and_the_last_one_stays() {
        let now = Timestamp::UNIX_EPOCH;
        let minutes = |cycle: &str, left| next_try(cycle, left, now).map(|at| at.as_second() / 60);
        assert_eq!([3, 2, 1, 0].map(|left| minutes("PT1M,PT5M", left)), [Some(1), Some(5), Some(5), Some(5)]);
        assert_eq!([9, 4].map(|left| minutes("PT1M,PT5M", left)), [Some(1), Some(1)]);
        assert_eq!([3, 1].map(|left| minutes("R3/PT10M", left)), [Some(10), Some(10)]);
        assert_eq!(minutes("soon", 3), None);
        let at = next_try("R3/2030-01-01T00:00:00/PT10M", 3, now).map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("2030-01-01T00:00:00Z"));
    }
}

//! Sums and differences of moments (DMN 1.5 §10.3.2.3.6, Table 54): a moment is so many seconds, whatever the clocks of its
//! zone do in between. The library moves their hands instead, and knows no difference where they are set.

use std::sync::LazyLock;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{Evaluator, FeelScope};
use dsntk_feel_parser::AstNode;
use jiff::SignedDuration;
use potok_core::value::{DateTime, Value, Zone};

use super::convert::Inward;
use super::natives::{moment, null};
use super::rewrite::name;

const LEFT: &str = "left";
const RIGHT: &str = "right";

static ADD: LazyLock<Evaluator> = LazyLock::new(|| of_library(AstNode::Add));
static SUBTRACT: LazyLock<Evaluator> = LazyLock::new(|| of_library(AstNode::Sub));

fn of_library(operator: fn(Box<AstNode>, Box<AstNode>) -> AstNode) -> Evaluator {
    dsntk_feel_evaluator::prepare(&operator(Box::new(name(LEFT)), Box::new(name(RIGHT))))
}

fn ask(library: &Evaluator, left: FeelValue, right: FeelValue) -> FeelValue {
    let mut context = FeelContext::default();
    context.set_entry(&LEFT.into(), left);
    context.set_entry(&RIGHT.into(), right);
    library(&FeelScope::from(context))
}

/// The sum of two values.
pub(crate) fn add(arguments: &[FeelValue]) -> FeelValue {
    use FeelValue as V;
    match (&arguments[0], &arguments[1]) {
        (V::DateTime(at), V::DaysAndTimeDuration(after)) | (V::DaysAndTimeDuration(after), V::DateTime(at)) => {
            later(at, after.as_nanos())
        }
        (left, right) => ask(&ADD, left.clone(), right.clone()),
    }
}

/// The difference of two values.
pub(crate) fn subtract(arguments: &[FeelValue]) -> FeelValue {
    use FeelValue as V;
    match (&arguments[0], &arguments[1]) {
        (V::DateTime(at), V::DaysAndTimeDuration(before)) => later(at, before.as_nanos().saturating_neg()),
        (V::DateTime(_), V::DateTime(_) | V::Date(_)) | (V::Date(_), V::DateTime(_)) => {
            ask(&SUBTRACT, moment(&arguments[..1]), moment(&arguments[1..]))
        }
        (left, right) => ask(&SUBTRACT, left.clone(), right.clone()),
    }
}

/// The moment so many nanoseconds later, in the same zone.
fn later(at: &dsntk_feel_temporal::FeelDateTime, nanoseconds: i64) -> FeelValue {
    shifted(at, nanoseconds).unwrap_or_else(|| null("the sum is no date and time"))
}

fn shifted(at: &dsntk_feel_temporal::FeelDateTime, nanoseconds: i64) -> Option<FeelValue> {
    let DateTime { local, zone } = super::convert::from_date_time(at).ok()?;
    let duration = SignedDuration::from_nanos(nanoseconds);
    let sum = match zone {
        Some(zone @ Zone::Named(_)) => {
            let rules = zone.rules().ok()?;
            let instant = rules.to_timestamp(local).ok()?.checked_add(duration).ok()?;
            DateTime::in_zone(instant, zone).ok()?
        }
        // There the clock always runs on.
        zone => DateTime { local: local.checked_add(duration).ok()?, zone },
    };
    Inward::new(1).value(&Value::from(sum)).ok()
}

//! Decimal numbers that are exact or nothing: whatever could be rounded is left to the library.

use std::cmp::Ordering;

use potok_core::value::Value;

/// `mantissa` / 10^`scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exact {
    mantissa: i64,
    scale: u8,
}

const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};
/// Below this every decimal has its own binary number, and the other way round: fifteen digits.
const UNIQUE: i64 = 1_000_000_000_000_000;
const FLOAT_POWERS: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

impl From<i64> for Exact {
    #[inline]
    fn from(mantissa: i64) -> Self {
        Self { mantissa, scale: 0 }
    }
}

impl Exact {
    /// Digits before and after the point.
    pub(crate) fn parse(before: &str, after: &str) -> Option<Self> {
        let scale = u8::try_from(after.len()).ok().filter(|scale| *scale <= 15)?;
        Some(Self { mantissa: format!("{before}{after}").parse().ok()?, scale })
    }

    /// The decimal that a binary number is written as, if it is a short one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "checked by converting back")]
    pub(crate) fn from_float(value: f64) -> Option<Self> {
        for (scale, power) in FLOAT_POWERS.iter().enumerate() {
            let scaled = (value * power).round();
            if scaled.abs() >= UNIQUE as f64 {
                return None;
            }
            // Both are exact below 2^53, so that this division rounds as reading the digits would.
            if scaled / power == value {
                return Some(Self { mantissa: scaled as i64, scale: u8::try_from(scale).ok()? });
            }
        }
        None
    }

    /// The whole number that it is.
    pub(crate) fn integer(self) -> Option<i64> {
        (self.scale == 0).then_some(self.mantissa)
    }

    /// The value that the library's number would become.
    #[expect(clippy::cast_precision_loss, reason = "fifteen digits fit")]
    #[inline]
    pub(crate) fn value(self) -> Option<Value> {
        if self.scale == 0 {
            return Some(Value::Integer(self.mantissa));
        }
        let power = POWERS[usize::from(self.scale)];
        if self.mantissa % power == 0 {
            return Some(Value::Integer(self.mantissa / power));
        }
        (self.mantissa.abs() < UNIQUE).then(|| Value::Number(self.mantissa as f64 / power as f64))
    }

    #[inline]
    fn aligned(self, other: Self) -> Option<(i64, i64, u8)> {
        if self.scale == other.scale {
            return Some((self.mantissa, other.mantissa, self.scale));
        }
        let scale = self.scale.max(other.scale);
        Some((self.at(scale)?, other.at(scale)?, scale))
    }

    fn at(self, scale: u8) -> Option<i64> {
        self.mantissa.checked_mul(POWERS[usize::from(scale - self.scale)])
    }

    #[inline]
    pub(crate) fn add(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { mantissa: left.checked_add(right)?, scale })
    }

    #[inline]
    pub(crate) fn subtract(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { mantissa: left.checked_sub(right)?, scale })
    }

    #[inline]
    pub(crate) fn multiply(self, other: Self) -> Option<Self> {
        let scale = self.scale + other.scale;
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        (scale <= 15).then_some(Self { mantissa, scale })
    }

    /// The quotient if it ends soon; `None` also for a divisor of zero.
    pub(crate) fn divide(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return None;
        }
        let (left, right, _) = self.aligned(other)?;
        for (scale, power) in POWERS.iter().enumerate().take(7) {
            let left = left.checked_mul(*power)?;
            if left.checked_rem(right)? == 0 {
                return Some(Self { mantissa: left / right, scale: u8::try_from(scale).ok()? });
            }
        }
        None
    }

    pub(crate) fn negate(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_neg()?, ..self })
    }

    pub(crate) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    #[inline]
    pub(crate) fn compare(self, other: Self) -> Ordering {
        if self.scale == other.scale {
            return self.mantissa.cmp(&other.mantissa);
        }
        let scale = self.scale.max(other.scale);
        let wide = |number: Self| i128::from(number.mantissa) * i128::from(POWERS[usize::from(scale - number.scale)]);
        wide(self).cmp(&wide(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_become_the_decimals_they_are_written_as() {
        assert_eq!(Exact::from_float(0.1), Some(Exact { mantissa: 1, scale: 1 }));
        assert_eq!(Exact::from_float(-99.95), Some(Exact { mantissa: -9995, scale: 2 }));
        assert_eq!(Exact::from_float(5.0), Some(Exact { mantissa: 5, scale: 0 }));
        assert_eq!(Exact::from_float(1.0 / 3.0), None);
        assert_eq!(Exact::from_float(1e300), None);
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        let exact = |text: &str| Exact::from_float(text.parse().expect("number")).expect("short");
        assert_eq!(exact("0.1").add(exact("0.2")).and_then(Exact::value), Some(Value::Number(0.3)));
        assert_eq!(exact("7").divide(exact("4")).and_then(Exact::value), Some(Value::Number(1.75)));
        assert_eq!(exact("1").divide(exact("3")), None);
        assert_eq!(Exact::from(i64::MAX).add(1.into()), None);
        assert_eq!(Exact::from(i64::MIN).divide((-1).into()), None);
    }
}

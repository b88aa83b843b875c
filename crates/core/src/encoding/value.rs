//! Values.

use jiff::civil::{self, Date, Time};

use super::DecodeError;
use super::declare::{Coded, fields, variants};
use super::plain::write_bytes;
use super::read::Reader;
use crate::value::{DateTime, Declared, Duration, Period, TimeOfDay, Value, Zone};

/// Written out by hand, so that a value inside a value is counted.
impl Coded for Value {
    fn write(&self, to: &mut Vec<u8>) {
        to.push(number(self));
        match self {
            Self::Null => {}
            Self::Boolean(value) => value.write(to),
            Self::Integer(value) => value.write(to),
            Self::Number(value) => to.extend_from_slice(&value.to_le_bytes()),
            Self::String(value) => value.write(to),
            Self::Date(value) => value.write(to),
            Self::Time(value) => value.write(to),
            Self::DateTime(value) => value.write(to),
            Self::Duration(value) => value.write(to),
            Self::List(values) => values.write(to),
            Self::Map(entries) => entries.write(to),
            Self::Bytes(bytes) => write_bytes(bytes, to),
            Self::Declared(declared) => declared.write(to),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match from.byte()? {
            0 => Self::Null,
            1 => Self::Boolean(Coded::read(from)?),
            2 => Self::Integer(Coded::read(from)?),
            3 => match f64::from_le_bytes(from.array()?) {
                value if value.is_finite() => Self::Number(value),
                _ => return Err(from.damaged("a number without end")),
            },
            4 => Self::String(Coded::read(from)?),
            5 => Self::Date(Coded::read(from)?),
            6 => Self::Time(Coded::read(from)?),
            7 => Self::DateTime(Coded::read(from)?),
            8 => Self::Duration(Coded::read(from)?),
            9 => Self::List(from.inside(Coded::read)?),
            10 => Self::Map(from.inside(Coded::read)?),
            11 => {
                let length = from.length()?;
                Self::Bytes(from.bytes(length)?.into())
            }
            12 => Self::Declared(from.inside(Coded::read)?),
            _ => return Err(from.damaged("there is no such value")),
        })
    }
}

fn number(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Boolean(_) => 1,
        Value::Integer(_) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Date(_) => 5,
        Value::Time(_) => 6,
        Value::DateTime(_) => 7,
        Value::Duration(_) => 8,
        Value::List(_) => 9,
        Value::Map(_) => 10,
        Value::Bytes(_) => 11,
        Value::Declared(_) => 12,
    }
}

fields!(Declared { value, type_name, info });
fields!(Duration { months, seconds, nanoseconds });
fields!(Period { months, days, seconds, nanoseconds });
fields!(TimeOfDay { time, zone });
fields!(DateTime { local, zone });

variants!(Zone {
    0 = Offset(seconds),
    1 = Named(name),
});

impl Coded for Date {
    fn write(&self, to: &mut Vec<u8>) {
        i32::from(self.year()).write(to);
        to.extend([self.month().cast_unsigned(), self.day().cast_unsigned()]);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let year = i16::try_from(i32::read(from)?).ok();
        let [month, day] = from.array()?.map(u8::cast_signed);
        let date = year.and_then(|year| Self::new(year, month, day).ok());
        date.ok_or_else(|| from.damaged("there is no such date"))
    }
}

impl Coded for Time {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend([self.hour(), self.minute(), self.second()].map(i8::cast_unsigned));
        self.subsec_nanosecond().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [hour, minute, second] = from.array()?.map(u8::cast_signed);
        let nanosecond = i32::read(from)?;
        Self::new(hour, minute, second, nanosecond).map_err(|_| from.damaged("there is no such time"))
    }
}

impl Coded for civil::DateTime {
    fn write(&self, to: &mut Vec<u8>) {
        self.date().write(to);
        self.time().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_parts(Coded::read(from)?, Coded::read(from)?))
    }
}

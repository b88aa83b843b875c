//! How a type is declared: once for both ways.

use super::DecodeError;
use super::read::Reader;

/// What can be written as bytes and read again.
pub(super) trait Coded: Sized {
    fn write(&self, to: &mut Vec<u8>);
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// A struct: its fields in the order in which they are written, behind a semicolon those that a later format has added. What an
/// older one wrote has their defaults.
macro_rules! fields {
    ($type:ident { $($field:ident),+ $(,)? $(; $format:literal: $($later:ident),+)* }) => {
        impl Coded for $type {
            fn write(&self, to: &mut Vec<u8>) {
                $(self.$field.write(to);)+
                $($(self.$later.write(to);)+)*
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self {
                    $($field: Coded::read(from)?,)+
                    $($($later: if from.format < $format { Default::default() } else { Coded::read(from)? },)+)*
                })
            }
        }
    };
}

/// An enum: its variants by their numbers, with their fields in the order in which they are written.
macro_rules! variants {
    ($type:ident {
        $($number:literal = $variant:ident $({ $($field:ident),+ })? $(($inner:ident))?,)+
    }) => {
        impl Coded for $type {
            fn write(&self, to: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(($inner))? => {
                        to.push($number);
                        $($($field.write(to);)+)?
                        $($inner.write(to);)?
                    })+
                }
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(match from.byte()? {
                    $($number => {
                        $($(let $field = Coded::read(from)?;)+)?
                        $(let $inner = Coded::read(from)?;)?
                        Self::$variant $({ $($field),+ })? $(($inner))?
                    })+
                    _ => return Err(from.damaged(concat!("there is no such ", stringify!($type)))),
                })
            }
        }
    };
}

pub(super) use {fields, variants};

//! Working calendars in FEEL.

use crate::feel::Signature;

/// The functions' names and parameters.
pub(crate) const SIGNATURES: &[Signature] = &[];

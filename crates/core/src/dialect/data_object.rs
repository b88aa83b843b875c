//! What the dialects say about data objects.

use super::reader::text;
use super::{Dialect, FieldKind, Reader};
use crate::model::Initial;
use crate::value::Value;
use crate::xml::Element;

/// The types of Flowable's data objects: names of its own, though they are written as XML Schema's are.
const TYPES: &[(&str, FieldKind)] = &[
    ("boolean", FieldKind::Boolean),
    ("datetime", FieldKind::DateTime),
    ("double", FieldKind::Number),
    ("int", FieldKind::Integer),
    ("json", FieldKind::Json),
    ("long", FieldKind::Integer),
    ("string", FieldKind::Text),
];

/// What a data object of Flowable's with this `itemSubjectRef` holds, if it knows that type.
pub(crate) fn flowable_kind(item: &str) -> Option<FieldKind> {
    let local = item.trim().rsplit(':').next()?;
    TYPES.iter().find(|(known, _)| *known == local).map(|(_, kind)| *kind)
}

/// The value that a text is for such a data object. Flowable takes for false what is not `true`.
pub(super) fn value_of(kind: FieldKind, text: &str) -> Result<Value, String> {
    match kind {
        FieldKind::Boolean => Ok(text.trim().eq_ignore_ascii_case("true").into()),
        kind => kind.read(text),
    }
}

impl<'d> Reader<'d> {
    /// The value that a `dataObject` has from the start.
    #[must_use]
    pub fn data_object_initial(&self, data_object: Element<'d>) -> Option<Initial> {
        let value = self.classic_element(data_object, "value");
        let text = value.and_then(text);
        if let Some(kind) = self.data_object_kind(data_object) {
            let value = text.and_then(|text| value_of(kind, &text).ok());
            return Some(Initial::Value(value.unwrap_or_default()));
        }
        Some(Initial::Expression(self.value(value?, &text?)))
    }

    /// What a `dataObject` holds by its type in Flowable's dialect.
    pub(super) fn data_object_kind(&self, data_object: Element<'d>) -> Option<FieldKind> {
        let is_flowable = self.dialect() == Dialect::Flowable;
        data_object.attribute("itemSubjectRef").filter(|_| is_flowable).and_then(|item| flowable_kind(&item))
    }
}

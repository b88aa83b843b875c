//! Unions in the description: what stands of several things is told by its `type`, and each is an object with no members but its own.

use utoipa::openapi::schema::{AdditionalProperties, Object};
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Says so of all of them. By itself utoipa leaves the variants of an enum open; and where a variant is a struct that takes no other
/// members, it puts `type` beside it, which the struct does not take: nothing could be that, and generators make nothing of it.
pub(crate) fn close(description: &mut OpenApi) {
    let Some(components) = &mut description.components else { return };
    let known = components.schemas.clone();
    let referred = |variant: &RefOr<Schema>| match variant {
        RefOr::Ref(to) => match known.get(to.ref_location.rsplit('/').next()?)? {
            RefOr::T(Schema::Object(object)) => Some(object.clone()),
            _ => None,
        },
        RefOr::T(Schema::Object(object)) => Some(object.clone()),
        RefOr::T(_) => None,
    };
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::OneOf(union)) = schema else { continue };
        for variant in &mut union.items {
            let whole = match &*variant {
                RefOr::T(Schema::AllOf(parts)) => merged(parts.items.iter().map(referred), parts.description.as_ref()),
                other => referred(other),
            };
            if let Some(mut object) = whole.filter(|object| object.properties.contains_key("type")) {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
                *variant = RefOr::T(Schema::Object(object));
            }
        }
    }
}

/// Several objects as one.
fn merged(parts: impl Iterator<Item = Option<Object>>, description: Option<&String>) -> Option<Object> {
    let mut whole: Option<Object> = None;
    for part in parts {
        let part = part?;
        match &mut whole {
            Some(whole) => {
                whole.properties.extend(part.properties);
                whole.required.extend(part.required);
            }
            None => whole = Some(part),
        }
    }
    let mut whole = whole?;
    whole.description = description.cloned();
    Some(whole)
}

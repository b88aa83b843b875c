//! Unions in the description: what stands of several is told by its `type`; each has a name of its own, and no members but its own.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{AdditionalProperties, Discriminator, Object};
use utoipa::openapi::{OpenApi, Ref, RefOr, Schema};

/// Says so of all of them. By itself utoipa leaves the variants of an enum open; and where a variant is a struct that takes no other
/// members, it puts `type` beside it, which the struct does not take: nothing could be that, and generators make nothing of it. They
/// name what they make after schemas.
pub(crate) fn close(description: &mut OpenApi) {
    let Some(components) = &mut description.components else { return };
    let known = components.schemas.clone();
    let mut named = BTreeMap::new();
    for (name, schema) in &mut components.schemas {
        let RefOr::T(Schema::OneOf(union)) = schema else { continue };
        let variants: Option<Vec<_>> = union.items.iter().map(|variant| whole(variant, &known)).collect();
        let Some(variants) = variants else { continue };
        let mut discriminator = Discriminator::new("type");
        union.items.clear();
        for (word, mut object) in variants {
            let own = format!("{name}{}", in_pascal_case(&word));
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            let reference = Ref::from_schema_name(&own);
            discriminator.mapping.insert(word, reference.ref_location.clone());
            union.items.push(RefOr::Ref(reference));
            named.insert(own, RefOr::T(Schema::Object(object)));
        }
        union.discriminator = Some(discriminator);
    }
    components.schemas.extend(named);
}

/// A variant as one object, and its `type`; nothing if it is not told by that.
fn whole(variant: &RefOr<Schema>, known: &BTreeMap<String, RefOr<Schema>>) -> Option<(String, Object)> {
    let mut whole = match variant {
        RefOr::T(Schema::AllOf(parts)) => {
            let mut parts_read = parts.items.iter().map(|part| object(part, known));
            let mut whole = parts_read.next()??;
            for part in parts_read {
                let part = part?;
                whole.properties.extend(part.properties);
                whole.required.extend(part.required);
            }
            whole.description.clone_from(&parts.description);
            whole
        }
        other => object(other, known)?,
    };
    let RefOr::T(Schema::Object(tag)) = whole.properties.get("type")? else { return None };
    let word = tag.enum_values.as_deref()?.first()?.as_str()?.to_owned();
    whole.required.sort_unstable();
    Some((word, whole))
}

fn object(schema: &RefOr<Schema>, known: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    match schema {
        RefOr::Ref(to) => object(known.get(to.ref_location.rsplit('/').next()?)?, &BTreeMap::new()),
        RefOr::T(Schema::Object(object)) => Some(object.clone()),
        RefOr::T(_) => None,
    }
}

/// `start-before` as `StartBefore`.
fn in_pascal_case(word: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    word.split('-').map(capital).collect()
}

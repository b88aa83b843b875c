//! Forms as form-js writes them (`.form` files, and forms inside Camunda 8 models).

use potok_core::value::Value;
use serde_json::Value as Json;

use super::field::{Default, Field, Kind};

/// A form.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) id: Option<String>,
    pub(crate) fields: Vec<Field>,
}

/// Reads a form. Components that show something but ask nothing are passed over.
pub(crate) fn read(text: &str) -> Result<Form, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let Some(components) = json.get("components").and_then(Json::as_array) else {
        return Err("it has no `components`, as form-js forms do".to_owned());
    };
    let mut fields = Vec::new();
    // JSON is read no deeper than 128 levels; groups are opened in their place.
    let mut open: Vec<&Json> = components.iter().rev().collect();
    while let Some(component) = open.pop() {
        match component.get("components").and_then(Json::as_array) {
            Some(inner) => open.extend(inner.iter().rev()),
            None => fields.extend(field(component)),
        }
    }
    Ok(Form { id: text_of(&json, "id"), fields })
}

fn field(component: &Json) -> Option<Field> {
    let kind = match (component.get("type")?.as_str()?, component.get("subtype").and_then(Json::as_str)) {
        ("textfield" | "textarea" | "filepicker", _) => Kind::Text,
        ("number", _) => Kind::Number,
        ("checkbox", _) => Kind::Boolean,
        ("datetime", Some("time")) => Kind::Time,
        ("datetime", Some("datetime")) => Kind::DateTime,
        ("datetime", _) => Kind::Date,
        ("select" | "radio", _) => Kind::Choice,
        ("checklist" | "taglist", _) => Kind::Choices,
        _ => return None,
    };
    let key = text_of(component, "key")?;
    let validate = component.get("validate");
    let rule = |name: &str| validate.and_then(|validate| validate.get(name));
    let length = |name: &str| rule(name).and_then(Json::as_u64).and_then(|length| usize::try_from(length).ok());
    let values = component.get("values").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let choices: Vec<_> = values
        .iter()
        .filter_map(|value| {
            let chosen = Value::from_json(value.get("value")?.clone()).ok()?;
            let label = text_of(value, "label").unwrap_or_else(|| chosen.to_string());
            Some((chosen, label))
        })
        .collect();
    Some(Field {
        label: text_of(component, "label").unwrap_or_else(|| key.clone()),
        variable: key.into(),
        // Choices that a variable gives are not known here.
        kind: if matches!(kind, Kind::Choice | Kind::Choices) && choices.is_empty() { Kind::Text } else { kind },
        required: rule("required").and_then(Json::as_bool).unwrap_or(false),
        writable: !["readonly", "disabled"].iter().any(|word| component.get(*word) == Some(&Json::Bool(true))),
        default: match component.get("defaultValue").cloned().map(Value::from_json) {
            Some(Ok(value)) if value != Value::Null => Default::Value(value),
            _ => Default::Nothing,
        },
        choices,
        minimum: rule("min").and_then(Json::as_f64),
        maximum: rule("max").and_then(Json::as_f64),
        shortest: length("minLength"),
        longest: length("maxLength"),
        bounds_excluded: false,
        pattern: rule("pattern").and_then(Json::as_str).filter(|pattern| !pattern.is_empty()).map(str::to_owned),
    })
}

fn text_of(json: &Json, name: &str) -> Option<String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_groups_stand_in_their_place() {
        let form = read(
            r#"{"id": "order", "components": [
                {"type": "text", "text": "Hello"},
                {"type": "textfield", "key": "first", "label": "First", "validate": {"required": true, "maxLength": 3, "pattern": "^a"}},
                {"type": "group", "components": [{"type": "select", "key": "second",
                    "values": [{"label": "Yes", "value": "y"}], "defaultValue": "y"}]},
                {"type": "number", "key": "third", "disabled": true, "validate": {"min": 2}}]}"#,
        )
        .expect("a form");
        assert_eq!(form.id.as_deref(), Some("order"));
        let named: Vec<_> = form.fields.iter().map(|field| (&*field.variable, field.kind)).collect();
        assert_eq!(named, [("first", Kind::Text), ("second", Kind::Choice), ("third", Kind::Number)]);
        assert!(form.fields[0].required && !form.fields[2].writable);
        assert_eq!(form.fields[2].minimum, Some(2.0));
        assert_eq!(form.fields[0].pattern.as_deref(), Some("^a"));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert!(read("{").is_err());
        assert!(read("{}").is_err_and(|message| message.contains("components")));
    }
}

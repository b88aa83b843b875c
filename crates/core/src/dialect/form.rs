//! Forms of user tasks and start events.

use super::activity::pair;
use super::field::CLASSIC_DATE;
use super::namespace::{Family, ZEEBE};
use super::reader::{children, extensions, is_true, own, text};
use super::{Binding, Form, FormField, Reader};
use crate::Name;
use crate::xml::Element;

/// How Camunda 8's first form keys name a form that stands in the process itself.
const EMBEDDED: &str = "camunda-forms:bpmn:";

impl<'d> Reader<'d> {
    /// The form of a user task or start event, if it has one.
    pub(super) fn form(&self, element: Element<'d>) -> Option<Box<Form>> {
        let mut form = Form::default();
        if let Some(definition) = self.zeebe_element(element, "formDefinition") {
            form.key = own(definition, "formKey")
                .or_else(|| own(definition, "externalReference"))
                .map(|text| self.value(definition, &text));
            form.reference = own(definition, "formId").map(|text| self.value(definition, &text));
            form.binding = self.binding_type(definition);
            form.embedded =
                form.key.as_ref().and_then(|key| self.embedded_form(element, key.text.strip_prefix(EMBEDDED)?));
        }
        let key = self.potok(element, "form").or_else(|| self.classic(element, "formKey"));
        form.key = key.map(|text| self.value(element, &text)).or(form.key);
        if let Some(reference) = self.classic(element, "formRef") {
            form.reference = Some(self.value(element, &reference));
            form.binding = self.classic_binding(element, &super::binding::FORM);
        }
        if self.flag(element, "sameDeployment") == Some(true) {
            form.binding = Binding::Deployment;
        }
        if let Some(data) = self.classic_element(element, "formData") {
            form.business_key = own(data, "businessKey");
            form.fields.extend(children(data, "formField").filter_map(|field| self.form_field(field)));
        }
        let properties = self.classic_elements(element, "formProperty");
        form.fields.extend(properties.into_iter().filter_map(|property| self.form_property(property)));
        let ours = self.potok_elements(element, "formField");
        form.fields.extend(ours.into_iter().filter_map(|field| self.potok_field(field)));
        let says = form.key.is_some() || form.reference.is_some() || !form.fields.is_empty();
        says.then(|| Box::new(form))
    }

    /// The JSON of the form of that id in the process around the element.
    fn embedded_form(&self, element: Element<'d>, id: &str) -> Option<Name> {
        let mut around = Some(element);
        while let Some(element) = around {
            if element.name() == "process" {
                let mut forms = extensions(element, "userTaskForm").filter(|form| form.namespace() == ZEEBE);
                return forms.find(|form| form.attribute("id").as_deref() == Some(id)).and_then(text);
            }
            around = element.parent();
        }
        None
    }

    /// A field, in whichever way it is written.
    pub(super) fn any_field(&self, family: Family, element: Element<'d>) -> Option<FormField> {
        match (family, element.name()) {
            (Family::Classic, "formField") => self.form_field(element),
            (Family::Classic, "formProperty") => self.form_property(element),
            (Family::Potok, "formField") => self.potok_field(element),
            _ => None,
        }
    }

    /// `camunda:formField`.
    fn form_field(&self, element: Element<'d>) -> Option<FormField> {
        let mut field = field(element)?;
        field.label = own(element, "label");
        field.default = own(element, "defaultValue").map(|text| self.value(element, &text));
        field.date_pattern = Some(date_pattern(element));
        for constraint in children(element, "validation").flat_map(|list| children(list, "constraint")) {
            let Some(name) = own(constraint, "name") else { continue };
            let config = own(constraint, "config");
            let on = config.as_deref().is_none_or(|config| config != "false");
            field.required |= &*name == "required" && on;
            field.writable &= !(&*name == "readonly" && on);
            field.constraints.push((name, config));
        }
        field.bounds_excluded = true;
        let properties = children(element, "properties").flat_map(|list| children(list, "property"));
        // In fields `id` is the property's name.
        field.properties = properties.filter_map(pair).collect();
        Some(field)
    }

    /// `formProperty` of Flowable and older Camunda.
    fn form_property(&self, element: Element<'d>) -> Option<FormField> {
        let flag = |name, default| own(element, name).map_or(default, |value| is_true(&value));
        let mut field = field(element)?;
        field.label = own(element, "name");
        field.default =
            own(element, "expression").or_else(|| own(element, "default")).map(|text| self.value(element, &text));
        field.variable = own(element, "variable");
        field.required = flag("required", false);
        field.readable = flag("readable", true);
        field.writable = flag("writable", true);
        field.date_pattern = Some(date_pattern(element));
        Some(field)
    }

    /// `potok:formField`.
    fn potok_field(&self, element: Element<'d>) -> Option<FormField> {
        let mut field = field(element)?;
        field.label = own(element, "label");
        field.default = own(element, "default").map(|text| self.value(element, &text));
        field.required = own(element, "required").is_some_and(|value| is_true(&value));
        let limits = ["min", "max", "pattern"].into_iter();
        field.constraints = limits.filter_map(|name| Some((Name::from(name), Some(own(element, name)?)))).collect();
        Some(field)
    }
}

/// What all ways of writing a field share.
fn field(element: Element<'_>) -> Option<FormField> {
    let value = |value: Element<'_>| {
        let id = own(value, "id")?;
        let label = own(value, "label").or_else(|| own(value, "name")).or_else(|| text(value));
        Some((id.clone(), label.unwrap_or(id)))
    };
    Some(FormField {
        id: own(element, "id")?,
        label: None,
        kind: own(element, "type").unwrap_or_else(|| Name::from("string")),
        default: None,
        variable: None,
        required: false,
        readable: true,
        writable: true,
        values: children(element, "value").filter_map(value).collect(),
        date_pattern: None,
        constraints: Vec::new(),
        bounds_excluded: false,
        properties: Vec::new(),
    })
}

fn date_pattern(element: Element<'_>) -> Name {
    own(element, "datePattern").unwrap_or_else(|| CLASSIC_DATE.into())
}

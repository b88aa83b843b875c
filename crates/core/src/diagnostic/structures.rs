//! The structures of item definitions, and where they come from. Nothing that runs depends on them.

use super::findings::Findings;
use super::rule::define;
use super::subject::{World, element_label};
use crate::xml::Element;

define! {
    STRUCTURE_UNKNOWN = "structure-unknown", Warning, "BPMN 2.0.2 §8.4.10",
        "The structure of an item definition is a qualified name whose prefix is declared, and which means something there.";
    IMPORT_TYPE_UNKNOWN = "import-type-unknown", Warning, "BPMN 2.0.2 §8.2.2",
        "What is imported is of a known kind: XML Schema, WSDL, BPMN or DMN.";
}

pub(super) fn check(world: &World<'_>, element: Element<'_>, findings: &mut Findings<'_>) {
    match element.name() {
        "itemDefinition" => structure(world, element, findings),
        "import" => import(element, findings),
        _ => {}
    }
}

/// A name without a prefix is a modeler's own word for a type (`String`, `java.util.List`), and one in a foreign namespace means
/// what its owner says; the rest can be looked up.
fn structure(world: &World<'_>, element: Element<'_>, findings: &mut Findings<'_>) {
    let Some(text) = element.attribute("structureRef") else { return };
    let Some((prefix, local)) = text.trim().split_once(':') else { return };
    let namespace = element.namespace_of(prefix);
    let (what, help) = match namespace.as_deref() {
        None => {
            (format!("the prefix `{prefix}` is not declared"), "declare the prefix with its namespace, or remove it")
        }
        Some(XML_SCHEMA) if !is_schema_type(local) => (
            format!("XML Schema has no type `{local}`"),
            "name one of its types, e.g. `string`, `decimal`, `boolean` or `dateTime`",
        ),
        Some(own) if world.is_own(own) && !world.imports && world.referred(&text).is_none() => (
            format!("nothing in this file has the id `{local}`"),
            "let it name what exists, import the file that declares it, or remove it",
        ),
        Some(_) => return,
    };
    let message = format!("{} has the structure `{}`, but {what}", element_label(element), text.trim());
    findings.add(&STRUCTURE_UNKNOWN, element.index(), message, help);
}

const XML_SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

/// The kinds of file that BPMN may import, by the beginning of what `importType` says.
const IMPORT_TYPES: &[&str] = &[
    XML_SCHEMA,
    "http://www.w3.org/TR/wsdl20",
    "http://www.w3.org/ns/wsdl",
    "http://schemas.xmlsoap.org/wsdl",
    "http://www.omg.org/spec/BPMN/",
    "https://www.omg.org/spec/BPMN/",
    "http://www.omg.org/spec/DMN/",
    "https://www.omg.org/spec/DMN/",
];

fn import(element: Element<'_>, findings: &mut Findings<'_>) {
    let kind = element.attribute("importType").unwrap_or_default();
    let kind = kind.trim();
    // One that is missing has a finding of its own.
    if kind.is_empty() || IMPORT_TYPES.iter().any(|known| kind.starts_with(known)) {
        return;
    }
    findings.add(
        &IMPORT_TYPE_UNKNOWN,
        element.index(),
        format!("{} is of the kind `{kind}`, which is none that BPMN knows", element_label(element)),
        format!("let importType say what the file is, e.g. `{XML_SCHEMA}`, or remove the import"),
    );
}

fn is_schema_type(local: &str) -> bool {
    SCHEMA_TYPES.contains(&local) || RARE_SCHEMA_TYPES.contains(&local)
}

/// The types that some modelers write where the id of an item definition should be.
pub(super) const SCHEMA_TYPES: &[&str] = &[
    "any",
    "anySimpleType",
    "anyType",
    "anyURI",
    "base64Binary",
    "boolean",
    "byte",
    "date",
    "dateTime",
    "decimal",
    "double",
    "duration",
    "float",
    "hexBinary",
    "int",
    "integer",
    "long",
    "short",
    "string",
    "time",
];

const RARE_SCHEMA_TYPES: &[&str] = &[
    "ENTITIES",
    "ENTITY",
    "ID",
    "IDREF",
    "IDREFS",
    "NCName",
    "NMTOKEN",
    "NMTOKENS",
    "NOTATION",
    "Name",
    "QName",
    "anyAtomicType",
    "dateTimeStamp",
    "dayTimeDuration",
    "gDay",
    "gMonth",
    "gMonthDay",
    "gYear",
    "gYearMonth",
    "language",
    "negativeInteger",
    "nonNegativeInteger",
    "nonPositiveInteger",
    "normalizedString",
    "positiveInteger",
    "token",
    "unsignedByte",
    "unsignedInt",
    "unsignedLong",
    "unsignedShort",
    "yearMonthDuration",
];

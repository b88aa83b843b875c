//! Finds the dialect of a document and the extension attributes and elements in it.

use super::namespace::{self, Family, POTOK, ZEEBE};
use super::{Dialect, vocabulary};
use crate::Name;
use crate::xml::{Document, Element};

/// Reads what the dialects say about the elements of one document.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'d> {
    pub(super) document: &'d Document,
    dialect: Dialect,
    /// The classic namespaces that the document declares, in the order in which they are asked.
    classic: [Option<&'static str>; 5],
    /// Our own namespace, if the document declares it.
    potok: Option<&'static str>,
}

impl<'d> Reader<'d> {
    /// Looks the document through once, to find out its dialect.
    #[must_use]
    pub fn new(document: &'d Document) -> Self {
        let dialect = platform(document.root()).unwrap_or_else(|| prevailing(document));
        let declared = |uri: &&str| document.declares(uri);
        let mut classic = [None; 5];
        let asked = namespace::classic_order(dialect).iter().copied().filter(declared);
        classic.iter_mut().zip(asked).for_each(|(place, uri)| *place = Some(uri));
        Self { document, dialect, classic, potok: Some(POTOK).filter(declared) }
    }

    /// The dialect that the model is written in: the one its modeler declares (`modeler:executionPlatform`), else the
    /// one most of whose executable words it uses.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// An attribute of Camunda 7, Flowable and their relatives. An empty one says nothing.
    pub(super) fn classic(&self, element: Element<'d>, name: &str) -> Option<Name> {
        self.classic.iter().map_while(|uri| *uri).find_map(|uri| filled(element.attribute_in(uri, name)))
    }

    /// An attribute of ours. An empty one says nothing.
    pub(super) fn potok(&self, element: Element<'d>, name: &str) -> Option<Name> {
        filled(element.attribute_in(self.potok?, name))
    }

    /// An attribute of ours, else the classic one.
    pub(super) fn any(&self, element: Element<'d>, name: &str) -> Option<Name> {
        self.potok(element, name).or_else(|| self.classic(element, name))
    }

    /// A flag among the classic attributes.
    pub(super) fn flag(&self, element: Element<'d>, name: &str) -> Option<bool> {
        self.classic(element, name).map(|value| is_true(&value))
    }

    /// The classic extension elements of a name; if several vendors' stand there, only those of the vendor first asked.
    pub(super) fn classic_elements(&self, host: Element<'d>, name: &str) -> Vec<Element<'d>> {
        let mut found: Vec<_> =
            extensions(host, name).filter(|element| Family::of(element.namespace()) == Some(Family::Classic)).collect();
        let mut classic = self.classic.iter().map_while(|uri| *uri);
        let first = classic.find(|uri| found.iter().any(|element| element.namespace() == *uri));
        found.retain(|element| first.is_some_and(|uri| element.namespace() == uri));
        found
    }

    /// The first classic extension element of a name.
    pub(super) fn classic_element(&self, host: Element<'d>, name: &str) -> Option<Element<'d>> {
        self.classic_elements(host, name).into_iter().next()
    }

    /// The Camunda 8 extension element of a name.
    pub(super) fn zeebe_element(&self, host: Element<'d>, name: &str) -> Option<Element<'d>> {
        extensions(host, name).find(|element| element.namespace() == ZEEBE)
    }

    /// Our extension elements of a name.
    pub(super) fn potok_elements(&self, host: Element<'d>, name: &str) -> Vec<Element<'d>> {
        extensions(host, name).filter(|element| element.namespace() == POTOK).collect()
    }
}

/// The extension elements of a name, of any namespace.
pub(super) fn extensions<'d>(host: Element<'d>, name: &str) -> impl Iterator<Item = Element<'d>> {
    children(host, "extensionElements")
        .flat_map(|extensions| extensions.children())
        .filter(move |element| element.name() == name)
}

/// The children of a name, whatever their namespace.
pub(super) fn children<'d>(element: Element<'d>, name: &'static str) -> impl Iterator<Item = Element<'d>> {
    element.children().filter(move |child| child.name() == name)
}

/// An attribute of an extension element itself, with or without a prefix. An empty one says nothing.
pub(super) fn own(element: Element<'_>, name: &str) -> Option<Name> {
    filled(element.attribute(name)).or_else(|| filled(element.attribute_in(element.namespace(), name)))
}

/// An element's text, without the space around it; none if there is nothing else.
pub(super) fn text(element: Element<'_>) -> Option<Name> {
    let text = element.text();
    let text = text.trim();
    (!text.is_empty()).then(|| Name::from(text))
}

/// The parts of a comma-separated list.
pub(super) fn comma_separated(text: Option<Name>) -> Vec<Name> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Name::from).collect()
}

pub(super) fn is_true(text: &str) -> bool {
    matches!(text.trim(), "true" | "1")
}

#[inline]
fn filled(value: Option<std::borrow::Cow<'_, str>>) -> Option<Name> {
    value.filter(|value| !value.trim().is_empty()).map(|value| Name::from(&*value))
}

/// The dialect that the modeler declares; Flowable's and Activiti's only say which program wrote the file.
fn platform(root: Element<'_>) -> Option<Dialect> {
    let Some(platform) = root.attributes().find(|attribute| attribute.name() == "executionPlatform") else {
        let exporter = root.attribute("exporter")?.to_ascii_lowercase();
        let is_flowable = exporter.contains("flowable") || exporter.contains("activiti");
        return is_flowable.then_some(Dialect::Flowable);
    };
    let platform = platform.value().to_ascii_lowercase();
    match platform.as_str() {
        platform if platform.contains("cloud") || platform.contains("zeebe") => Some(Dialect::Zeebe),
        platform if platform.contains("flowable") || platform.contains("activiti") => Some(Dialect::Flowable),
        platform if ["camunda", "operaton", "fluxnova", "cib"].iter().any(|name| platform.contains(name)) => {
            Some(Dialect::Camunda)
        }
        _ => None,
    }
}

/// The dialect most of whose executable words occur; of equals, the one that occurs first.
fn prevailing(document: &Document) -> Dialect {
    let mut counts: Vec<(Dialect, usize)> = Vec::new();
    let mut count = |uri: &str| {
        let Some(dialect) = namespace::dialect(uri) else { return };
        match counts.iter_mut().find(|(known, _)| *known == dialect) {
            Some((_, count)) => *count += 1,
            None => counts.push((dialect, 1)),
        }
    };
    for element in document.elements() {
        if Family::of(element.namespace()).is_some_and(|family| vocabulary::element(family, element.name()).acts()) {
            count(element.namespace());
        }
        for attribute in element.attributes() {
            if Family::of(attribute.namespace())
                .is_some_and(|family| vocabulary::attribute(family, attribute.name()).acts())
            {
                count(attribute.namespace());
            }
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max();
    counts.iter().find(|(_, count)| Some(*count) == most).map_or(Dialect::Standard, |(dialect, _)| *dialect)
}

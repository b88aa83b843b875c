//! Finds the dialect of a document and the extension attributes and elements in it.

use std::iter;

use super::namespace::{self, Family, POTOK, ZEEBE};
use super::{Dialect, vocabulary};
use crate::Name;
use crate::model::is_diagram;
use crate::xml::{Document, Element, NamespaceId};

/// Reads what the dialects say about the elements of one document.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'d> {
    pub(super) document: &'d Document,
    dialect: Dialect,
    /// The classic namespaces that the document declares, in the order in which they are asked.
    classic: [Option<NamespaceId>; 5],
    zeebe: Option<NamespaceId>,
    /// Our own namespace.
    potok: Option<NamespaceId>,
}

impl<'d> Reader<'d> {
    /// Looks the document through once, to find out its dialect.
    #[must_use]
    pub fn new(document: &'d Document) -> Self {
        let dialect = platform(document.root()).unwrap_or_else(|| prevailing(document));
        let mut classic = [None; 5];
        let asked = namespace::classic_order(dialect).iter().filter_map(|uri| document.namespace_id(uri));
        classic.iter_mut().zip(asked).for_each(|(place, id)| *place = Some(id));
        let (zeebe, potok) = (document.namespace_id(ZEEBE), document.namespace_id(POTOK));
        Self { document, dialect, classic, zeebe, potok }
    }

    /// The family of a namespace; none if nothing in it is executable.
    pub(super) fn family(&self, namespace: NamespaceId) -> Option<Family> {
        let namespace = Some(namespace);
        if self.classic.contains(&namespace) {
            Some(Family::Classic)
        } else if self.zeebe == namespace {
            Some(Family::Zeebe)
        } else {
            (self.potok == namespace).then_some(Family::Potok)
        }
    }

    /// The dialect that the model is written in: the one its modeler declares (`modeler:executionPlatform`), else the
    /// one most of whose executable words it uses.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// An attribute of Camunda 7, Flowable and their relatives. An empty one says nothing.
    pub(super) fn classic(&self, element: Element<'d>, name: &str) -> Option<Name> {
        self.classic.iter().map_while(|id| *id).find_map(|id| filled(element.attribute_of(id, name)))
    }

    /// How early a namespace is asked for an attribute that stands on an element of BPMN; none if it is not.
    pub(super) fn rank(&self, namespace: NamespaceId) -> Option<usize> {
        [self.potok].iter().chain(&self.classic).position(|asked| *asked == Some(namespace))
    }

    /// Whether any dialect says anything about an element of BPMN: in attributes, or in extension elements.
    pub(super) fn is_extended(&self, element: Element<'d>) -> bool {
        let is_bare = |name: &str| self.dialect == Dialect::Flowable && vocabulary::is_bare(element.name(), name);
        element
            .attributes()
            .any(|attribute| self.family(attribute.namespace_id()).is_some() || is_bare(attribute.name()))
            || children(element, "extensionElements").next().is_some()
    }

    /// What kind of task Camunda 7 or Flowable says that it is. Camunda 7 does not tell capital letters from small ones.
    pub(super) fn classic_type(&self, task: Element<'d>) -> Option<String> {
        self.classic(task, "type").map(|kind| kind.trim().to_ascii_lowercase())
    }

    /// An attribute of ours. An empty one says nothing.
    pub(super) fn potok(&self, element: Element<'d>, name: &str) -> Option<Name> {
        filled(element.attribute_of(self.potok?, name))
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
            extensions(host, name).filter(|element| self.classic.contains(&Some(element.namespace_id()))).collect();
        let mut classic = self.classic.iter().map_while(|id| *id);
        let first = classic.find(|id| found.iter().any(|element| element.namespace_id() == *id));
        found.retain(|element| Some(element.namespace_id()) == first);
        found
    }

    /// The first classic extension element of a name.
    pub(super) fn classic_element(&self, host: Element<'d>, name: &str) -> Option<Element<'d>> {
        self.classic_elements(host, name).into_iter().next()
    }

    /// The Camunda 8 extension element of a name.
    pub(super) fn zeebe_element(&self, host: Element<'d>, name: &str) -> Option<Element<'d>> {
        // Most files do not use the namespace: then nothing need be looked at.
        let zeebe = self.zeebe?;
        extensions(host, name).find(|element| element.namespace_id() == zeebe)
    }

    /// Our extension elements of a name.
    pub(super) fn potok_elements(&self, host: Element<'d>, name: &str) -> Vec<Element<'d>> {
        let Some(potok) = self.potok else { return Vec::new() };
        extensions(host, name).filter(|element| element.namespace_id() == potok).collect()
    }
}

/// All elements but those of the diagram, where no engine looks for its words.
pub(super) fn outside_of_diagram(document: &Document) -> impl Iterator<Item = Element<'_>> {
    let root = document.root();
    let shown = root.children().filter(|child| !is_diagram(child.namespace()));
    iter::once(root).chain(shown.flat_map(|child| iter::once(child).chain(child.descendants())))
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
    filled(element.attribute(name)).or_else(|| filled(element.attribute_of(element.namespace_id(), name)))
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
    let spoken: Vec<(NamespaceId, Family, Dialect)> = namespace::SPOKEN
        .iter()
        .filter_map(|(uri, family, dialect)| Some((document.namespace_id(uri)?, *family, *dialect)))
        .collect();
    if spoken.is_empty() {
        return Dialect::Standard;
    }
    let of = |id: NamespaceId| spoken.iter().find(|(namespace, ..)| *namespace == id);
    let mut counts: Vec<(Dialect, usize)> = Vec::new();
    let mut count = |dialect: Dialect| match counts.iter_mut().find(|(known, _)| *known == dialect) {
        Some((_, count)) => *count += 1,
        None => counts.push((dialect, 1)),
    };
    for element in outside_of_diagram(document) {
        if let Some((_, family, dialect)) = of(element.namespace_id())
            && vocabulary::element(*family, element.name()).acts()
        {
            count(*dialect);
        }
        for attribute in element.attributes() {
            if let Some((_, family, dialect)) = of(attribute.namespace_id())
                && vocabulary::attribute(*family, attribute.name()).acts()
            {
                count(*dialect);
            }
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max();
    counts.iter().find(|(_, count)| Some(*count) == most).map_or(Dialect::Standard, |(dialect, _)| *dialect)
}

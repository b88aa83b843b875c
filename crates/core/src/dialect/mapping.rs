//! Variables computed into and out of an element's scope.

use super::namespace::Family;
use super::placement::takes_inputs;
use super::reader::{children, own, text};
use super::{ExpressionUse, MappingSource, Reader, VariableMapping, vocabulary};
use crate::xml::Element;

/// Lists and maps nest no deeper than this; what is deeper is null and gets a diagnostic.
pub(super) const DEEPEST_VALUE: usize = 32;

impl<'d> Reader<'d> {
    /// The element's own input and output mappings.
    pub(super) fn inputs_and_outputs(&self, element: Element<'d>) -> (Vec<VariableMapping>, Vec<VariableMapping>) {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        // A connector is a job here, so what would be its own parameters surrounds that job: innermost of all.
        let connector = self.classic_element(element, "connector");
        let inner = connector.and_then(|connector| children(connector, "inputOutput").next());
        let own_mapping = self.classic_element(element, "inputOutput");
        for mapping in own_mapping.into_iter().chain(inner) {
            inputs.extend(children(mapping, "inputParameter").filter_map(|parameter| self.parameter(parameter)));
        }
        for mapping in inner.into_iter().chain(own_mapping) {
            outputs.extend(children(mapping, "outputParameter").filter_map(|parameter| self.parameter(parameter)));
        }
        let fits = |_: &Element<'_>| vocabulary::fits(Family::Zeebe, "ioMapping", element.name());
        if let Some(mapping) = self.zeebe_element(element, "ioMapping").filter(fits) {
            if takes_inputs(element) {
                inputs.extend(children(mapping, "input").filter_map(|input| self.mapping(input)));
            }
            outputs.extend(children(mapping, "output").filter_map(|output| self.mapping(output)));
        }
        inputs.extend(self.potok_elements(element, "input").into_iter().filter_map(|input| self.mapping(input)));
        outputs.extend(self.potok_elements(element, "output").into_iter().filter_map(|output| self.mapping(output)));
        let worker_inputs = self.classic_elements(element, "externalWorkerInParameter");
        inputs.extend(worker_inputs.into_iter().filter_map(|input| self.handover(input)));
        let worker_outputs = self.classic_elements(element, "externalWorkerOutParameter");
        outputs.extend(worker_outputs.into_iter().filter_map(|output| self.handover(output)));
        (inputs, outputs)
    }

    /// `source` and `target`, as Camunda 8 and we write them.
    fn mapping(&self, element: Element<'d>) -> Option<VariableMapping> {
        let target = own(element, "target")?;
        let source = match element.attribute("source") {
            Some(source) => MappingSource::Expression(self.value(element, &source)),
            None => MappingSource::Null,
        };
        let element = element.index();
        Some(VariableMapping { element, target, is_path: true, local: false, computed_target: None, source })
    }

    /// Camunda 7's parameters: text, a script, a list or a map.
    fn parameter(&self, parameter: Element<'d>) -> Option<VariableMapping> {
        let target = own(parameter, "name")?;
        let source = self.content(parameter, 0);
        let element = parameter.index();
        Some(VariableMapping { element, target, is_path: false, local: false, computed_target: None, source })
    }

    /// What stands inside a parameter or a map's entry.
    fn content(&self, holder: Element<'d>, depth: usize) -> MappingSource {
        let definition = holder.children().find(|child| child.namespace() == holder.namespace());
        definition.map_or_else(|| self.plain(holder), |definition| self.definition(definition, depth))
    }

    /// A script, list, map, or the value in a list. The depth is bounded, so that recursion is.
    fn definition(&self, element: Element<'d>, depth: usize) -> MappingSource {
        if depth > DEEPEST_VALUE {
            return MappingSource::Null;
        }
        match element.name() {
            "script" => MappingSource::Script(self.expression(element, ExpressionUse::Script)),
            "list" => MappingSource::List(element.children().map(|item| self.definition(item, depth + 1)).collect()),
            "map" => {
                let key = |entry| self.value(entry, &own(entry, "key").unwrap_or_default());
                let entry = |entry| (key(entry), self.content(entry, depth + 1));
                MappingSource::Map(children(element, "entry").map(entry).collect())
            }
            _ => self.plain(element),
        }
    }

    fn plain(&self, element: Element<'d>) -> MappingSource {
        match text(element) {
            Some(text) => MappingSource::Expression(self.value(element, &text)),
            None => MappingSource::Null,
        }
    }
}

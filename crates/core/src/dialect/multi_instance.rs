//! What the dialects say about multi-instance loop characteristics.

use super::expression::literal;
use super::reader::{children, own, text};
use super::{MappingSource, MultiInstanceProperties, Reader};
use crate::Name;
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// Reads what the dialects say about `multiInstanceLoopCharacteristics`.
    #[must_use]
    pub fn multi_instance(&self, element: Element<'d>) -> MultiInstanceProperties {
        let mut properties = MultiInstanceProperties {
            collection: self.any(element, "collection").map(|text| self.value(element, &text)),
            element_variable: self.any(element, "elementVariable"),
            index_variable: self.classic(element, "elementIndexVariable"),
            output_collection: self.potok(element, "outputCollection"),
            output_element: self
                .potok(element, "outputElement")
                .map(|text| MappingSource::Expression(self.value(element, &text))),
            aggregates: false,
            continuation: self.continuation(element),
            retry_cycle: self.retry_cycle(element),
        };
        if let Some(zeebe) = self.zeebe_element(element, "loopCharacteristics") {
            let expression = |name| own(zeebe, name).map(|text| self.value(zeebe, &text));
            properties.collection = properties.collection.or_else(|| expression("inputCollection"));
            properties.element_variable = properties.element_variable.or_else(|| own(zeebe, "inputElement"));
            properties.output_collection = properties.output_collection.or_else(|| own(zeebe, "outputCollection"));
            properties.output_element =
                properties.output_element.or_else(|| expression("outputElement").map(MappingSource::Expression));
        }
        if properties.collection.is_none() {
            // Flowable's longer way of writing it
            let collection = self.classic_element(element, "collection");
            let collection = collection.into_iter().flat_map(|collection| collection.children());
            let mut said = collection.filter(|child| matches!(child.name(), "expression" | "string"));
            properties.collection = said.find_map(|child| Some(self.value(child, &text(child)?)));
        }
        if properties.output_collection.is_none() {
            let aggregation = self.classic_element(element, "variableAggregation");
            if let Some((target, result)) = aggregation.and_then(|aggregation| self.aggregate(aggregation)) {
                properties.output_collection = Some(target);
                properties.output_element = Some(result);
                properties.aggregates = true;
            }
        }
        properties
    }

    /// Flowable's aggregation: the variable for the list, and the map that each instance adds to it. None where it lacks a name.
    pub(super) fn aggregate(&self, aggregation: Element<'d>) -> Option<(Name, MappingSource)> {
        let target = own(aggregation, "target")?;
        let mut entries = Vec::new();
        for variable in children(aggregation, "variable") {
            let source = own(variable, "source");
            let name = own(variable, "target").or_else(|| source.clone())?;
            let value = match own(variable, "sourceExpression") {
                Some(expression) => MappingSource::Expression(self.value(variable, &expression)),
                None => MappingSource::Variable(source?),
            };
            entries.push((literal(variable, &name), value));
        }
        (!entries.is_empty()).then_some((target, MappingSource::Map(entries)))
    }
}

//! What the dialects say about multi-instance loop characteristics.

use super::mapping::is_simple;
use super::reader::{children, own, text};
use super::{MultiInstanceProperties, Reader};
use crate::Name;
use crate::expressions::Language;
use crate::model::Expression;
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
            output_element: self.potok(element, "outputElement").map(|text| self.value(element, &text)),
            continuation: self.continuation(element),
        };
        if let Some(zeebe) = self.zeebe_element(element, "loopCharacteristics") {
            let expression = |name| own(zeebe, name).map(|text| self.value(zeebe, &text));
            properties.collection = properties.collection.or_else(|| expression("inputCollection"));
            properties.element_variable = properties.element_variable.or_else(|| own(zeebe, "inputElement"));
            properties.output_collection = properties.output_collection.or_else(|| own(zeebe, "outputCollection"));
            properties.output_element = properties.output_element.or_else(|| expression("outputElement"));
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
            if let Some((target, result)) = aggregation.and_then(aggregate) {
                properties.output_collection = Some(target);
                properties.output_element = Some(result);
            }
        }
        properties
    }
}

/// Flowable's aggregation as an expression: `{"approved": approved}`. None where an aggregation says more than FEEL can.
pub(super) fn aggregate(aggregation: Element<'_>) -> Option<(Name, Expression)> {
    let target = own(aggregation, "target")?;
    let mut entries = Vec::new();
    for variable in children(aggregation, "variable") {
        let source = own(variable, "source")?;
        let name = own(variable, "target").unwrap_or_else(|| source.clone());
        if !is_simple(&source) || !is_simple(&name) {
            return None;
        }
        entries.push(format!("\"{name}\": {source}"));
    }
    if entries.is_empty() {
        return None;
    }
    let text = Name::from(format!("{{{}}}", entries.join(", ")));
    Some((target, Expression { text, language: Language::Feel, element: aggregation.index() }))
}

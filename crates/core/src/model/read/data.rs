//! Data: declared inputs and outputs, properties, and what flows between them.

use super::source::Source;
use crate::Name;
use crate::dialect::ExpressionUse;
use crate::model::{
    Assignment, DataAssociation, DataInput, DataObject, DataObjectReference, DataOutput, DataStoreReference,
    InputOutputSpecification, ProcessIndex, Property,
};
use crate::xml::Element;

use super::outline::{Placed, Target};

impl<'d> Source<'d> {
    /// The inputs and outputs that a process or activity declares.
    pub(super) fn input_output(&self, element: Element<'d>) -> Option<InputOutputSpecification> {
        let specification = self.child(element, "ioSpecification")?;
        let sets = self.children(specification, "inputSet");
        Some(InputOutputSpecification {
            element: specification.index(),
            inputs: self.data_inputs(specification),
            outputs: self.data_outputs(specification),
            input_sets: sets.map(|set| self.required_inputs(set)).collect(),
        })
    }

    fn required_inputs(&self, set: Element<'d>) -> Vec<Name> {
        let mut may_lack = self.all_referred(set, "optionalInputRefs");
        may_lack.extend(self.all_referred(set, "whileExecutingInputRefs"));
        let mut inputs = self.all_referred(set, "dataInputRefs");
        inputs.retain(|input| !may_lack.contains(input));
        inputs
    }

    pub(super) fn data_inputs(&self, element: Element<'d>) -> Vec<DataInput> {
        self.children(element, "dataInput").map(|input| self.data_input(input, self.id(input))).collect()
    }

    pub(super) fn data_input(&self, input: Element<'d>, id: Name) -> DataInput {
        DataInput { id, name: self.name(input), is_collection: self.flag(input, "isCollection", false) }
    }

    pub(super) fn data_outputs(&self, element: Element<'d>) -> Vec<DataOutput> {
        self.children(element, "dataOutput").map(|output| self.data_output(output, self.id(output))).collect()
    }

    pub(super) fn data_output(&self, output: Element<'d>, id: Name) -> DataOutput {
        DataOutput { id, name: self.name(output), is_collection: self.flag(output, "isCollection", false) }
    }

    pub(super) fn properties(&self, element: Element<'d>) -> Vec<Property> {
        let read = |property: Element<'d>| Property {
            id: self.id(property),
            name: self.name(property),
            element: property.index(),
        };
        self.children(element, "property").map(read).collect()
    }

    /// The data associations of that name: `dataInputAssociation` or `dataOutputAssociation`.
    pub(super) fn data_associations(&self, element: Element<'d>, name: &str) -> Vec<DataAssociation> {
        let read = |association: Element<'d>| DataAssociation {
            element: association.index(),
            sources: self.all_referred(association, "sourceRef"),
            target: self.referred(association, "targetRef"),
            transformation: self.expression(association, "transformation", ExpressionUse::Condition),
            assignments: self.children(association, "assignment").filter_map(|a| self.assignment(a)).collect(),
        };
        self.children(element, name).map(read).collect()
    }

    fn assignment(&self, element: Element<'d>) -> Option<Assignment> {
        Some(Assignment {
            from: self.expression(element, "from", ExpressionUse::Condition)?,
            to: self.expression(element, "to", ExpressionUse::Name)?,
        })
    }

    pub(super) fn data_object(&self, (element, parent): Placed<'d>) -> DataObject {
        DataObject {
            id: self.id(element),
            name: self.name(element),
            element: element.index(),
            parent,
            item: self.item(element, "itemSubjectRef"),
            is_collection: self.flag(element, "isCollection", false),
            initial: self.dialect.data_object_initial(element),
        }
    }

    pub(super) fn data_object_reference(
        &self,
        (element, parent): Placed<'d>,
        process: ProcessIndex,
    ) -> DataObjectReference {
        let object = |target| match target {
            Target::DataObject(of, object) if of == process => Some(object),
            _ => None,
        };
        DataObjectReference {
            id: self.id(element),
            name: self.name(element),
            element: element.index(),
            parent,
            data_object: self.referred_as(element, "dataObjectRef", object),
        }
    }

    pub(super) fn data_store_reference(&self, (element, parent): Placed<'d>) -> DataStoreReference {
        let store = |target| match target {
            Target::DataStore(store) => Some(store),
            _ => None,
        };
        DataStoreReference {
            id: self.id(element),
            name: self.name(element),
            element: element.index(),
            parent,
            data_store: self.referred_as(element, "dataStoreRef", store),
        }
    }
}

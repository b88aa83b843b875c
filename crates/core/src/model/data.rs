//! Data: what flows beside the tokens.

use super::{Expression, Name, NodeIndex, Reference};
use crate::value::Value;
use crate::xml::ElementIndex;

/// An item definition.
#[derive(Clone, Debug)]
pub struct ItemDefinition {
    /// Its id.
    pub id: Name,
    /// Its element.
    pub element: ElementIndex,
    /// `structureRef` as written, e.g. `xsd:string`.
    pub structure: Option<Name>,
    /// A list of such items.
    pub is_collection: bool,
}

/// A data object: a variable of the scope that it stands in.
#[derive(Clone, Debug)]
pub struct DataObject {
    /// Its id.
    pub id: Name,
    /// Its name; the variable's name (its id if it has none).
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The sub-process that it stands in.
    pub parent: Option<NodeIndex>,
    /// Its item definition.
    pub item: Option<Reference<usize>>,
    /// A list.
    pub is_collection: bool,
    /// The value it has from the start (Flowable's `flowable:value`).
    pub initial: Option<Initial>,
}

/// What a data object has from the start.
#[derive(Clone, Debug)]
pub enum Initial {
    /// A value of the data object's own type.
    Value(Value),
    /// A text, or what is computed.
    Expression(Expression),
}

/// A reference to a data object, as drawn in the diagram.
#[derive(Clone, Debug)]
pub struct DataObjectReference {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The sub-process that it stands in.
    pub parent: Option<NodeIndex>,
    /// The data object; index into [`super::Process::data_objects`].
    pub data_object: Option<Reference<usize>>,
}

/// A data store: a variable of the whole instance; what is behind it is the host's business.
#[derive(Clone, Debug)]
pub struct DataStore {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
}

/// A reference to a data store, as drawn in the diagram.
#[derive(Clone, Debug)]
pub struct DataStoreReference {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The sub-process that it stands in.
    pub parent: Option<NodeIndex>,
    /// The data store; index into [`super::Definitions::data_stores`].
    pub data_store: Option<Reference<usize>>,
}

/// A property: a variable that belongs to a process, activity or event and is not drawn.
#[derive(Clone, Debug)]
pub struct Property {
    /// Its id.
    pub id: Name,
    /// Its name; the variable's name (its id if it has none).
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
}

/// Declared inputs and outputs.
#[derive(Clone, Debug)]
pub struct InputOutputSpecification {
    /// Its element.
    pub element: ElementIndex,
    /// The inputs.
    pub inputs: Vec<DataInput>,
    /// The outputs.
    pub outputs: Vec<DataOutput>,
    /// For each input set the ids of the inputs that must be there before the activity begins: not those that may be absent
    /// (`optionalInputRefs`) or come later (`whileExecutingInputRefs`).
    pub input_sets: Vec<Vec<Name>>,
}

/// A declared input.
#[derive(Clone, Debug)]
pub struct DataInput {
    /// Its id.
    pub id: Name,
    /// Its name; the variable's name (its id if it has none).
    pub name: Option<Name>,
    /// A list.
    pub is_collection: bool,
}

/// A declared output.
#[derive(Clone, Debug)]
pub struct DataOutput {
    /// Its id.
    pub id: Name,
    /// Its name; the variable's name (its id if it has none).
    pub name: Option<Name>,
    /// A list.
    pub is_collection: bool,
}

/// Data that flows from sources to a target.
#[derive(Clone, Debug)]
pub struct DataAssociation {
    /// Its element.
    pub element: ElementIndex,
    /// The ids of what it reads.
    pub sources: Vec<Name>,
    /// The id of what it writes.
    pub target: Option<Name>,
    /// Computes the value out of the sources.
    pub transformation: Option<Expression>,
    /// Copies parts.
    pub assignments: Vec<Assignment>,
}

/// One assignment of a data association.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Where the value comes from.
    pub from: Expression,
    /// The name, id or path that it goes to.
    pub to: Expression,
}

/// An interface of a service.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// Its operations.
    pub operations: Vec<Operation>,
}

/// An operation of an interface.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id.
    pub id: Name,
    /// Its name; with the interface's it names the job (`interface.operation`).
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The message in; index into [`super::Definitions::messages`].
    pub in_message: Option<Reference<usize>>,
    /// The message out.
    pub out_message: Option<Reference<usize>>,
    /// The errors it may throw.
    pub errors: Vec<Reference<usize>>,
}

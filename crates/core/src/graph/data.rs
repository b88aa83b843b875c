//! Data objects, properties, inputs and outputs become variables and mappings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::Compiler;
use super::declared::Declared;
use super::{Expression, Home, Mapping, MappingSource, Needed};
use crate::Name;
use crate::dialect::Dialect;
use crate::expressions::Purpose;
use crate::instance::NONE;
use crate::model::{
    self, Activity, DataAssociation, Definitions, Event, FlowNodeKind, InputOutputSpecification, LoopCharacteristics,
    NodeIndex, Process,
};

/// The variable that stands for each piece of data, by the data's id.
pub(super) struct DataNames<'a> {
    names: BTreeMap<Name, Name>,
    /// Those of data stores beside the processes.
    stores: &'a BTreeMap<&'a Name, &'a Name>,
    /// The ids of data objects and of references to them.
    objects: BTreeSet<&'a Name>,
    declared: Vec<(Option<NodeIndex>, Name, Option<model::Initial>)>,
    /// Where the variable stands, by the data's id, where its name alone does not tell.
    homes: BTreeMap<Name, Home>,
}

impl<'a> DataNames<'a> {
    pub(super) fn of(definitions: &Definitions, declared: &'a Declared<'a>, process: &'a Process) -> Self {
        let mut names = BTreeMap::new();
        let mut put = |id: &Name, name: Option<&Name>| {
            names.insert(id.clone(), name.filter(|name| !name.trim().is_empty()).unwrap_or(id).clone());
        };
        for property in &process.properties {
            put(&property.id, property.name.as_ref());
        }
        if let Some(io) = &process.io {
            io.inputs.iter().for_each(|input| put(&input.id, input.name.as_ref()));
            io.outputs.iter().for_each(|output| put(&output.id, output.name.as_ref()));
        }
        for node in &process.flow_nodes {
            let properties = match &node.kind {
                FlowNodeKind::Activity(activity) => {
                    if let Some(io) = &activity.io {
                        io.inputs.iter().for_each(|input| put(&input.id, input.name.as_ref()));
                        io.outputs.iter().for_each(|output| put(&output.id, output.name.as_ref()));
                    }
                    loop_items(activity).for_each(|(id, name)| put(id, name));
                    &activity.properties
                }
                FlowNodeKind::Event(event) => {
                    // What belongs to several definitions may have one name, and is several variables all the same.
                    let inputs = event.data_inputs.iter().map(|input| (&input.id, input.name.as_ref()));
                    let outputs = event.data_outputs.iter().map(|output| (&output.id, output.name.as_ref()));
                    let is_paired = event.pairs_items(definitions.dialect);
                    let mut taken = BTreeSet::new();
                    for (id, name) in inputs.chain(outputs) {
                        put(id, name.filter(|name| taken.insert(*name) || !is_paired));
                    }
                    &event.properties
                }
                FlowNodeKind::Gateway(_) => continue,
            };
            properties.iter().for_each(|property| put(&property.id, property.name.as_ref()));
        }
        for object in &process.data_objects {
            put(&object.id, object.name.as_ref());
        }
        // A reference stands for its data object; where only references have a name, the first one names the object.
        let mut shown: BTreeMap<usize, &Name> = BTreeMap::new();
        for reference in &process.data_object_references {
            let object = reference.data_object.as_ref().and_then(|object| object.target);
            if let (Some(object), Some(name)) = (object, &reference.name) {
                shown.entry(object).or_insert(name);
            }
        }
        for (index, object) in process.data_objects.iter().enumerate().filter(|(_, object)| object.name.is_none()) {
            put(&object.id, shown.get(&index).copied());
        }
        for reference in &process.data_object_references {
            let object = reference.data_object.as_ref().and_then(|object| object.target);
            let object = object.and_then(|object| process.data_objects.get(object));
            let name = match object {
                Some(object) => names.get(&object.id).cloned(),
                None => reference.name.clone(),
            };
            names.insert(reference.id.clone(), name.unwrap_or_else(|| reference.id.clone()));
        }
        for reference in &process.data_store_references {
            let store = reference.data_store.as_ref().and_then(|store| store.target);
            let store = store.and_then(|store| definitions.data_stores.get(store));
            let name = store.and_then(|store| store.name.as_ref()).or(reference.name.as_ref());
            names.insert(reference.id.clone(), name.unwrap_or(&reference.id).clone());
        }
        let homes = homes(process, &names);
        let values = process
            .data_objects
            .iter()
            .map(|object| (object.parent, names.get(&object.id).unwrap_or(&object.id).clone(), object.initial.clone()))
            .collect();
        let objects = process.data_objects.iter().map(|object| &object.id);
        let objects = objects.chain(process.data_object_references.iter().map(|reference| &reference.id)).collect();
        Self { names, stores: &declared.data_stores, objects, declared: values, homes }
    }

    /// Where a piece of data stands, seen from a flow node.
    fn home(&self, node: NodeIndex, id: &Name) -> Home {
        match self.homes.get(id) {
            Some(Home::Of(owner)) if *owner == node.0 => Home::Own,
            home => home.copied().unwrap_or_default(),
        }
    }

    /// The variable for a piece of data; an id that is not declared names the variable itself.
    pub(super) fn variable(&self, id: &Name) -> Name {
        self.known(id).unwrap_or(id).clone()
    }

    fn known(&self, id: &Name) -> Option<&Name> {
        self.names.get(id).or_else(|| self.stores.get(id).copied())
    }

    /// Data objects: (sub-process, variable, first value).
    pub(super) fn declared(&self) -> &[(Option<NodeIndex>, Name, Option<model::Initial>)] {
        &self.declared
    }
}

/// Where data stands that its name alone does not tell: properties and items of flow nodes, and data around flow nodes that shares its
/// name with other data. Associations refer to data by its id (BPMN 2.0.2 §10.4.1).
fn homes(process: &Process, names: &BTreeMap<Name, Name>) -> BTreeMap<Name, Home> {
    let objects = process.data_objects.iter().map(|object| (&object.id, object.parent));
    let properties = process.properties.iter().map(|property| (&property.id, None));
    let io = process.io.iter().flat_map(ids_of_io).map(|id| (id, None));
    let outer: Vec<_> = objects.chain(properties).chain(io).collect();
    let mut homes = BTreeMap::new();
    let mut count: BTreeMap<&Name, usize> = BTreeMap::new();
    let mut seen = |id: &Name| {
        if let Some((_, name)) = names.get_key_value(id) {
            *count.entry(name).or_default() += 1;
        }
    };
    outer.iter().for_each(|(id, _)| seen(id));
    for (node, of_node) in (0u32..).zip(&process.flow_nodes) {
        let properties = match &of_node.kind {
            FlowNodeKind::Activity(activity) => {
                activity.io.iter().flat_map(ids_of_io).for_each(&mut seen);
                for (item, _) in loop_items(activity) {
                    seen(item);
                    homes.insert(item.clone(), Home::Of(node));
                }
                &activity.properties
            }
            FlowNodeKind::Event(event) => {
                event.data_inputs.iter().for_each(|input| seen(&input.id));
                event.data_outputs.iter().for_each(|output| seen(&output.id));
                &event.properties
            }
            FlowNodeKind::Gateway(_) => continue,
        };
        for property in properties {
            seen(&property.id);
            homes.insert(property.id.clone(), Home::Of(node));
        }
    }
    for (id, parent) in outer {
        if names.get(id).and_then(|name| count.get(name)).is_some_and(|count| *count > 1) {
            homes.insert(id.clone(), Home::Of(parent.map_or(NONE, |parent| parent.0)));
        }
    }
    for reference in &process.data_object_references {
        let object = reference.data_object.as_ref().and_then(|object| process.data_objects.get(object.target?));
        if let Some(home) = object.and_then(|object| homes.get(&object.id)).copied() {
            homes.insert(reference.id.clone(), home);
        }
    }
    homes
}

/// The items that the rounds of an activity see and leave: (id, name).
fn loop_items(activity: &Activity) -> impl Iterator<Item = (&Name, Option<&Name>)> {
    let multi = match &activity.loop_characteristics {
        Some(LoopCharacteristics::MultiInstance(multi)) => Some(multi),
        _ => None,
    };
    let input = multi.and_then(|multi| multi.input_item.as_ref()).map(|item| (&item.id, item.name.as_ref()));
    let output = multi.and_then(|multi| multi.output_item.as_ref()).map(|item| (&item.id, item.name.as_ref()));
    input.into_iter().chain(output)
}

fn ids_of_io(io: &InputOutputSpecification) -> impl Iterator<Item = &Name> {
    io.inputs.iter().map(|input| &input.id).chain(io.outputs.iter().map(|output| &output.id))
}

impl Compiler<'_> {
    /// The mappings of one data association of a flow node (BPMN 2.0.2 §10.4.2): its transformation or its first source goes to the
    /// target; assignments go where they say.
    pub(super) fn association(&mut self, node: NodeIndex, association: &DataAssociation) -> Vec<Mapping> {
        let mut mappings = Vec::new();
        let target = association.target.as_ref();
        let home = target.map_or(Home::Seen, |target| self.data.home(node, target));
        if let Some(target) = target.and_then(|target| self.data.known(target)).cloned() {
            let source = match (&association.transformation, association.sources.first()) {
                (Some(transformation), _) => {
                    Some(MappingSource::Expression(self.expression(transformation, Purpose::Expression)))
                }
                (None, Some(source)) if association.assignments.is_empty() => Some(self.copied(node, source)),
                _ => None,
            };
            if let Some(source) = source {
                mappings.push(Mapping { target: [target].into(), computed_target: None, home, needs: None, source });
            }
        }
        for assignment in &association.assignments {
            let from = self.expression(&assignment.from, Purpose::Expression);
            let (target, home) = self.assigned(node, &assignment.to.text);
            mappings.push(Mapping {
                target,
                computed_target: None,
                home,
                needs: None,
                source: MappingSource::Expression(from),
            });
        }
        mappings
    }

    /// The variables of the data inputs or outputs of an event that has one for each of its definitions (BPMN 2.0.2 §10.4.1).
    pub(super) fn items(&self, event: &Event) -> Vec<Name> {
        if !event.pairs_items(self.definitions.dialect) {
            return Vec::new();
        }
        let inputs = event.data_inputs.iter().map(|input| &input.id);
        inputs.chain(event.data_outputs.iter().map(|output| &output.id)).map(|id| self.data.variable(id)).collect()
    }

    /// The value of a piece of data, as it is.
    fn copied(&self, node: NodeIndex, id: &Name) -> MappingSource {
        let variable = self.data.variable(id);
        match self.data.home(node, id) {
            Home::Of(owner) => MappingSource::Outer(owner, variable),
            _ => MappingSource::Expression(Expression::variable(variable)),
        }
    }

    /// What each input set of an activity needs. One that needs nothing is always there, and then nothing is asked. Data stores,
    /// loops' data and inputs that nothing flows into are not waited for; nor do other engines' dialects look at input sets.
    pub(super) fn input_sets(
        &self,
        node: NodeIndex,
        activity: &Activity,
        loop_input: Option<&Name>,
    ) -> Vec<Vec<Needed>> {
        let Some(io) = activity.io.as_ref().filter(|_| self.definitions.dialect == Dialect::Standard) else {
            return Vec::new();
        };
        let mut sources: BTreeMap<&Name, Vec<(Home, Name)>> = BTreeMap::new();
        for association in &activity.data_inputs {
            let Some(target) = &association.target else { continue };
            let objects = association.sources.iter().filter(|source| self.data.objects.contains(source));
            let objects = objects.map(|source| (self.data.home(node, source), self.data.variable(source)));
            sources.entry(target).or_default().extend(objects);
        }
        let sources: BTreeMap<_, Arc<[_]>> =
            sources.into_iter().map(|(input, sources)| (input, sources.into())).collect();
        let needed = |input: &Name| Needed {
            name: self.data.variable(input),
            sources: sources.get(input).cloned().unwrap_or_default(),
        };
        let of_set = |set: &Vec<Name>| -> Vec<Needed> {
            let inputs = set.iter().filter(|input| loop_input != Some(*input));
            inputs.map(needed).filter(|needed| !needed.sources.is_empty()).collect()
        };
        let sets: Vec<_> = io.input_sets.iter().map(of_set).collect();
        if sets.iter().any(Vec::is_empty) { Vec::new() } else { sets }
    }

    /// The path that an assignment's `to` names: data by its id, members after dots.
    fn assigned(&self, node: NodeIndex, to: &Name) -> (Box<[Name]>, Home) {
        let bare = to.trim().trim_start_matches("${").trim_start_matches("#{").trim_end_matches('}').trim();
        let mut parts = bare.splitn(64, '.').map(Name::from);
        let Some(first) = parts.next() else { return (Box::default(), Home::Seen) };
        let home = self.data.home(node, &first);
        (std::iter::once(self.data.variable(&first)).chain(parts).collect(), home)
    }

    /// Where a loop's items come from: `loopDataInputRef` names an input of the activity, which associations fill, or data
    /// outside. Gives the name of the items, and what fills it.
    pub(super) fn loop_data_input(&mut self, node: NodeIndex, activity: &Activity, id: &Name) -> (Name, Vec<Mapping>) {
        let into = activity.data_inputs.iter().filter(|association| association.target.as_ref() == Some(id));
        let mut inputs: Vec<Mapping> = into.flat_map(|association| self.association(node, association)).collect();
        let name = self.data.variable(id);
        if inputs.is_empty() && self.data.home(node, id) != Home::Seen {
            let source = self.copied(node, id);
            inputs.push(Mapping {
                target: [name.clone()].into(),
                computed_target: None,
                home: Home::Seen,
                needs: None,
                source,
            });
        }
        (name, inputs)
    }

    /// Where a loop's results go: `loopDataOutputRef` names an output of the activity, which associations read, or data outside.
    /// Gives the name of the results, and what is made of them.
    pub(super) fn loop_data_output(&mut self, node: NodeIndex, activity: &Activity, id: &Name) -> (Name, Vec<Mapping>) {
        let from = activity.data_outputs.iter().filter(|association| association.sources.contains(id));
        let mut outputs: Vec<Mapping> = from.flat_map(|association| self.association(node, association)).collect();
        let name = self.data.variable(id);
        if outputs.is_empty() {
            let source = MappingSource::Expression(Expression::variable(name.clone()));
            let home = self.data.home(node, id);
            outputs.push(Mapping { target: [name.clone()].into(), computed_target: None, home, needs: None, source });
        }
        (name, outputs)
    }

    /// A mapping of a dialect.
    pub(super) fn mapping(&mut self, mapping: &crate::dialect::VariableMapping) -> Mapping {
        Mapping {
            target: if mapping.is_path { path(&mapping.target) } else { [mapping.target.clone()].into() },
            computed_target: self.optional(mapping.computed_target.as_ref()),
            home: if mapping.local { Home::Own } else { Home::Seen },
            needs: None,
            source: self.mapping_source(&mapping.source),
        }
    }

    pub(super) fn mapping_source(&mut self, source: &crate::dialect::MappingSource) -> MappingSource {
        use crate::dialect::MappingSource as Source;
        // Nesting is bounded by the reader's limit on the depth of XML.
        match source {
            Source::Variable(name) => MappingSource::Expression(Expression::variable(name.clone())),
            Source::Expression(expression) => {
                MappingSource::Expression(self.expression(expression, Purpose::Expression))
            }
            Source::Script(script) => MappingSource::Expression(self.expression(script, Purpose::Script)),
            Source::List(items) => MappingSource::List(items.iter().map(|item| self.mapping_source(item)).collect()),
            Source::Map(entries) => MappingSource::Map(
                entries
                    .iter()
                    .map(|(key, item)| (self.expression(key, Purpose::Expression), self.mapping_source(item)))
                    .collect(),
            ),
            Source::Null => MappingSource::Expression(Expression {
                text: "null".into(),
                kind: super::ExpressionKind::Literal(crate::value::Value::Null),
            }),
        }
    }
}

fn path(target: &Name) -> Box<[Name]> {
    // Deeper paths than this do not occur; the limit keeps values shallow.
    target.splitn(64, '.').map(Name::from).collect()
}

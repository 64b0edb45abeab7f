//! A network from its description in TOML and its weights.
//!
//! The format is for users: `docs/architecture-toml.md` has it. Here a description goes layer by layer into a graph; a
//! layer that cannot is reported, and those that read from it are only looked at for their names.

mod attributes;
mod description;
mod fault;
mod layer;
mod layers;
mod network;

use std::collections::{HashMap, HashSet};

use attributes::Attributes;
use description::{Description, InputType};
pub use fault::ArchitectureFault;
use layer::Layer;
use network::{Network, ValueId};
use toml::Table;

use super::weights::{Weights, nearest};
use crate::import::{ImportErrors, ImportFault, ImportProblem};
use crate::ir::check::check;
use crate::ir::{DType, Float, Graph, Place, Shape, Tensor};

/// The name by which layers read from the network's input.
const INPUT: &str = "input";

/// Builds the network that a text describes, with the weights in it.
///
/// # Errors
/// Everything in which the description is wrong, or it and the weights disagree. Weights that no layer uses count, unless
/// the description names them.
pub fn build(text: &str, weights: &Weights) -> Result<Graph<Float>, ImportErrors> {
    let fail = |fault: ArchitectureFault| ImportErrors::one(Place::Graph, fault);
    let mut description = Description::parse(text).map_err(fail)?;
    let layers = description.take_layers();
    let shape: Shape = [1].into_iter().chain(description.input.iter().copied()).collect();
    if shape.elements().is_none() || shape.rank() > Shape::MAX_RANK || shape.rank() < 2 {
        let shape = description.input.iter().copied().take(Shape::MAX_RANK + 1).collect();
        return Err(fail(ArchitectureFault::Input { shape }));
    }
    let mut builder = Builder::new(&description, shape, weights);
    for (index, table) in layers.into_iter().enumerate() {
        builder.add_layer(index, table);
    }
    builder.finish(description)
}

struct Builder<'a> {
    network: Network,
    weights: &'a Weights,
    used: HashSet<String>,
    problems: Vec<ImportProblem>,
    /// Names of earlier layers; `None` where a layer could not be built.
    values: HashMap<String, Option<ValueId>>,
    /// Names that the description gives, which must differ.
    given: HashSet<String>,
    last: Option<ValueId>,
    places: Vec<Place>,
}

impl<'a> Builder<'a> {
    fn new(description: &Description, shape: Shape, weights: &'a Weights) -> Self {
        let mut network = Network::new(description.name.clone());
        let dtype = match description.input_type {
            InputType::Float32 => DType::F32,
            InputType::Int32 => DType::I32,
        };
        let input = network.graph.add_tensor(Tensor::new(INPUT, dtype, shape));
        network.graph.set_inputs(vec![input]);
        let input = network.plain_value(input);
        Builder {
            network,
            weights,
            used: HashSet::new(),
            problems: Vec::new(),
            values: HashMap::from([(INPUT.to_owned(), Some(input))]),
            given: HashSet::from([INPUT.to_owned()]),
            last: Some(input),
            places: Vec::new(),
        }
    }

    /// Adds a layer; reports what is wrong with it.
    fn add_layer(&mut self, index: usize, table: Table) {
        let mut attributes = Attributes::new(table);
        let kind = attributes.text("kind");
        let given = attributes.text("name");
        let prefix = attributes.text("weights").or_else(|| given.clone());
        let kind_name = kind.clone().unwrap_or_default();
        let name = given.clone().or_else(|| prefix.clone().filter(|prefix| !prefix.is_empty()));
        let name = name.unwrap_or_else(|| format!("{}{index}", kind_name.to_lowercase()));
        let place = Place::Node { index, name: shortened(&name), operator: shortened(&kind_name) };
        let mut faults: Vec<ImportFault> = Vec::new();
        if given.is_some() && !self.given.insert(name.clone()) {
            faults.push(ArchitectureFault::NameTwice.into());
        }
        let inputs = match attributes.texts("from") {
            None => vec![self.last],
            Some(names) => names.iter().map(|name| self.find(name, &mut faults)).collect(),
        };
        let build = match kind.as_deref().map(layers::find) {
            Some(Some(build)) => Some(build),
            Some(None) => {
                let nearest = nearest(&kind_name, layers::KINDS.iter().map(|&(name, _)| name));
                let nearest = nearest.into_iter().map(Into::into).collect();
                faults.push(ArchitectureFault::UnknownKind { kind: shortened(&kind_name), nearest }.into());
                None
            }
            None => {
                faults.push(ArchitectureFault::NoKind.into());
                None
            }
        };
        let known: Option<Vec<ValueId>> = inputs.into_iter().collect();
        let value = match (build, known) {
            (Some(build), Some(inputs)) => {
                self.network.begin_layer(index, &name);
                let mut layer = Layer {
                    network: &mut self.network,
                    attributes,
                    inputs,
                    prefix: prefix.clone(),
                    weights: self.weights,
                    used: &mut self.used,
                    faults: Vec::new(),
                };
                let value = build(&mut layer);
                let Layer { attributes, faults: found, .. } = layer;
                // A layer that fails has not asked for all its attributes.
                let failed = value.is_none();
                faults.extend(found);
                let misplaced = |fault: &ArchitectureFault| !failed || !is_unknown_attribute(fault);
                faults.extend(attributes.finish().into_iter().filter(misplaced).map(ImportFault::from));
                value
            }
            _ => None,
        };
        if value.is_none() {
            self.mark_module(prefix.as_deref());
        }
        if given.is_some() || !self.given.contains(&name) {
            self.values.insert(name, value);
        }
        self.last = value;
        self.problems.extend(faults.into_iter().map(|fault| ImportProblem { place: place.clone(), fault }));
        self.places.push(place);
    }

    /// The value of an earlier layer.
    fn find(&self, name: &str, faults: &mut Vec<ImportFault>) -> Option<ValueId> {
        if let Some(&value) = self.values.get(name) {
            return value;
        }
        let nearest =
            nearest(name, self.values.keys().map(String::as_str)).into_iter().map(Into::into).collect();
        faults.push(ArchitectureFault::UnknownLayer { name: shortened(name), nearest }.into());
        None
    }

    /// Counts the weights of a module as used, which a layer that could not be built would have used.
    fn mark_module(&mut self, prefix: Option<&str>) {
        let Some(prefix) = prefix else { return };
        let names = self.weights.iter().map(|weight| &weight.name).filter(|name| is_within(name, prefix));
        self.used.extend(names.cloned());
    }

    fn finish(mut self, description: Description) -> Result<Graph<Float>, ImportErrors> {
        let mut faults = Vec::new();
        let outputs: Vec<Option<ValueId>> = match description.output {
            None => vec![self.last],
            Some(names) => names.into_vec().iter().map(|name| self.find(name, &mut faults)).collect(),
        };
        let mut tensors = Vec::new();
        for output in outputs.into_iter().flatten() {
            match self.network.plain(output) {
                Ok(tensor) => tensors.push(tensor),
                Err(found) => faults.extend(found.into_iter().map(ImportFault::from)),
            }
        }
        self.network.graph.set_outputs(tensors);
        self.problems.extend(faults.into_iter().map(|fault| ImportProblem { place: Place::Graph, fault }));
        self.report_unused(&description.unused);
        if !self.problems.is_empty() {
            return Err(ImportErrors { problems: self.problems });
        }
        let mut graph = self.network.graph;
        let problems = check(&graph).err().unwrap_or_default();
        if !problems.is_empty() {
            let problems = problems.into_iter().map(|mut problem| {
                if let Place::Node { index, .. } = problem.place {
                    let layer = self.network.layers.get(index).and_then(|&layer| self.places.get(layer));
                    problem.place = layer.cloned().unwrap_or(Place::Graph);
                }
                ImportProblem::from(problem)
            });
            return Err(ImportErrors { problems: problems.collect() });
        }
        graph.compact();
        Ok(graph)
    }

    /// Reports the weights that no layer uses and that are not named as such.
    fn report_unused(&mut self, expected: &[String]) {
        let mut unused = Vec::new();
        for (index, weight) in self.weights.iter().enumerate() {
            let name = &weight.name;
            if !self.used.contains(name) && !expected.iter().any(|prefix| is_within(name, prefix)) {
                unused.push((index, name));
            }
        }
        for (count, (index, name)) in unused.into_iter().enumerate() {
            let near = match count < ImportErrors::SHOWN {
                true => nearest(name, self.used.iter().map(String::as_str)),
                false => Vec::new(),
            };
            let fault =
                ArchitectureFault::UnusedWeight { nearest: near.into_iter().map(Into::into).collect() };
            let place = Place::Tensor { index, name: shortened(name) };
            self.problems.push(ImportProblem { place, fault: fault.into() });
        }
    }
}

fn is_unknown_attribute(fault: &ArchitectureFault) -> bool {
    matches!(fault, ArchitectureFault::UnknownAttribute { .. })
}

/// Whether a weight is of the given name or of the module of that name.
fn is_within(name: &str, module: &str) -> bool {
    name.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A name cut to a length that reads well in messages.
fn shortened(name: &str) -> String {
    name.chars().take(120).collect()
}

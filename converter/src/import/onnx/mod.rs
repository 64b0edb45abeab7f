//! ONNX models of the standard operators, opset 11 to 23.
//!
//! | module | does |
//! |---|---|
//! | `wire`, `model` | look over the bytes, read the messages, check versions |
//! | `tensor`, `external` | initializers, in the file or beside it |
//! | `input` | shapes of the graph's inputs |
//! | `order` | brings nodes into running order |
//! | `operator`, `convert` | from a node of the file to nodes of the graph |
//! | `builder`, `evaluate` | the graph under construction; what constants compute |
//! | `pattern` | what several nodes of the file say together |
//!
//! Everything is taken literally: images stay NCHW, and operators that need NHWC have [`Op::Transpose`] before and behind.
//! Weights keep their names and shapes, so that others can take their place. Shapes that the file computes are computed
//! here; shapes that it states for other tensors than inputs are left aside.
//!
//! Quantized models become float graphs with [`Op::Quantize`] and [`Op::Dequantize`] around their operators.

mod builder;
mod convert;
mod evaluate;
mod external;
mod input;
mod model;
mod operator;
mod order;
mod pattern;
mod problem;
mod tensor;
mod wire;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use builder::Builder;
use operator::{Operator, Value};
pub use problem::OnnxFault;
use rten_onnx::onnx::{GraphProto, NodeProto, TensorProto, ValueInfoProto};

use super::{ImportErrors, ImportFault, ImportProblem, Imported};
use crate::ir::attributes::Reshape;
use crate::ir::check::check;
use crate::ir::{Fault, Float, Graph, Op, Place, TensorId};

/// What a file does not say about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the file lies: data in other files is read from there only. `None` refuses such data.
    pub folder: Option<PathBuf>,
    /// Shapes of inputs by name, for inputs whose shape the file leaves open.
    pub shapes: BTreeMap<String, Vec<usize>>,
}

/// Reads a model. The first dimension of an input is taken as 1 if the file leaves it open.
///
/// # Errors
/// Everything that is wrong with the file or not supported. Damage of the file's structure ends the reading; otherwise
/// all tensors and nodes are examined.
pub fn import(bytes: &[u8], options: &Options) -> Result<Imported, ImportErrors> {
    let model = model::read(bytes).map_err(|fault| ImportErrors::one(Place::Graph, fault))?;
    let mut importer = Importer {
        options,
        opset: model.opset,
        builder: Builder::new(Graph::new("")),
        values: HashMap::new(),
        problems: Vec::new(),
    };
    importer.read(model.graph);
    importer.finish().map(Imported::Float)
}

struct Importer<'a> {
    options: &'a Options,
    opset: i64,
    builder: Builder,
    /// What each name stands for; `None` if a fault that has been reported keeps it from being known.
    values: HashMap<String, Option<Value>>,
    problems: Vec<ImportProblem>,
}

impl Importer<'_> {
    fn report(&mut self, place: Place, fault: impl Into<ImportFault>) {
        self.problems.push(ImportProblem { place, fault: fault.into() });
    }

    fn report_all(&mut self, place: &Place, faults: impl IntoIterator<Item = ImportFault>) {
        faults.into_iter().for_each(|fault| self.report(place.clone(), fault));
    }

    /// Reads the graph, leaving out what is faulty.
    fn read(&mut self, graph: GraphProto) {
        let GraphProto { node: nodes, initializer, input, output, .. } = graph;
        self.read_initializers(initializer);
        self.read_inputs(&input);
        let given: HashSet<&str> = self.values.keys().map(String::as_str).collect();
        let order = order::order(&nodes, &given);
        let name = |name: &str| shortened(name);
        for &(index, twice) in &order.twice {
            self.report(place_of_node(index, &nodes[index]), OnnxFault::NameTwice { name: name(twice) });
        }
        for &(index, unknown) in &order.unknown {
            self.report(place_of_node(index, &nodes[index]), OnnxFault::UnknownName { name: name(unknown) });
        }
        for &index in &order.cycle {
            self.report(place_of_node(index, &nodes[index]), Fault::Cycle);
        }
        let read: HashSet<&str> = nodes
            .iter()
            .flat_map(|node| node.input.iter().map(String::as_str))
            .chain(output.iter().filter_map(|output| output.name.as_deref()))
            .collect();
        for &index in order.nodes.iter().chain(&order.cycle) {
            self.add_node(index, &nodes[index], &read);
        }
        self.read_outputs(&output);
    }

    fn read_initializers(&mut self, initializers: Vec<TensorProto>) {
        for (index, initializer) in initializers.into_iter().enumerate() {
            let name = initializer.name.clone().unwrap_or_default();
            let place = Place::Tensor { index, name: shortened(&name) };
            if self.values.contains_key(&name) {
                self.report(place, OnnxFault::NameTwice { name: shortened(&name) });
                continue;
            }
            let value = match tensor::read(initializer, self.options.folder.as_deref()) {
                Ok(tensor) => Some(Value::Tensor(self.builder.add_stored(tensor))),
                Err(fault) => {
                    self.report(place, fault);
                    None
                }
            };
            self.values.insert(name, value);
        }
    }

    /// Inputs that are no initializers; older files list these too.
    fn read_inputs(&mut self, inputs: &[ValueInfoProto]) {
        let name_of = |input: &ValueInfoProto| input.name.clone().unwrap_or_default();
        let initializers: HashSet<String> = self.values.keys().cloned().collect();
        let inputs: Vec<_> = inputs.iter().filter(|input| !initializers.contains(&name_of(input))).collect();
        for name in self.options.shapes.keys() {
            if !inputs.iter().any(|input| input.name.as_ref() == Some(name)) {
                let names: Vec<_> = inputs.iter().map(|input| shortened(&name_of(input))).collect();
                let fault = OnnxFault::NoSuchInput { name: name.clone(), inputs: names.join(", ") };
                self.report(Place::Graph, fault);
            }
        }
        let mut ids = Vec::new();
        for (index, input) in inputs.into_iter().enumerate() {
            let name = name_of(input);
            let place = Place::Tensor { index, name: shortened(&name) };
            if self.values.contains_key(&name) {
                self.report(place, OnnxFault::NameTwice { name: shortened(&name) });
                continue;
            }
            let value = match input::read(input, &self.options.shapes) {
                Ok(tensor) => {
                    let id = self.builder.add_tensor(tensor);
                    ids.push(id);
                    Some(Value::Tensor(id))
                }
                Err(faults) => {
                    self.report_all(&place, faults);
                    None
                }
            };
            self.values.insert(name, value);
        }
        self.builder.graph.set_inputs(ids);
    }

    /// Adds the nodes that a node of the file becomes, or reports why there are none.
    fn add_node(&mut self, index: usize, node: &NodeProto, read: &HashSet<&str>) {
        let place = place_of_node(index, node);
        let first = self.builder.graph.tensors().len();
        let values = match convert::find(node, self.opset) {
            Err(fault) => {
                self.report(place, fault);
                None
            }
            Ok(convert) => self.convert(node, place, convert, read),
        };
        let mut values = values.unwrap_or_default().into_iter();
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            let value = values.next();
            if let Some(Value::Tensor(id)) = value
                && id.index() >= first
            {
                self.builder.graph.tensor_mut(id).name = name.clone();
            }
            self.values.entry(name.clone()).or_insert(value);
        }
    }

    fn convert(
        &mut self,
        node: &NodeProto,
        place: Place,
        convert: convert::Convert,
        read: &HashSet<&str>,
    ) -> Option<Vec<Value>> {
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            inputs.push(match name.as_str() {
                "" => None,
                // What is not known has been reported where it comes from.
                name => Some(self.values.get(name)?.clone()?),
            });
        }
        let mut operator = Operator {
            builder: &mut self.builder,
            name: name_of_node(node),
            place,
            attributes: &node.attribute,
            known: vec![false; node.attribute.len()],
            inputs,
            outputs: node.output.iter().map(|name| read.contains(name.as_str())).collect(),
            opset: self.opset,
            faults: Vec::new(),
        };
        let values = convert(&mut operator);
        if values.is_some() {
            let unknown = operator.attributes.iter().zip(&operator.known).filter(|(_, known)| !**known);
            let names: Vec<String> = unknown
                .map(|(attribute, _)| shortened(attribute.name.as_deref().unwrap_or_default()))
                .collect();
            names.into_iter().for_each(|name| operator.fault(OnnxFault::UnknownAttribute { name }));
        }
        let (place, faults) = (operator.place, operator.faults);
        let values = values.filter(|_| faults.is_empty());
        self.report_all(&place, faults);
        values
    }

    /// States the graph's outputs: each a tensor of its own that a node writes.
    fn read_outputs(&mut self, outputs: &[ValueInfoProto]) {
        let mut ids: Vec<TensorId> = Vec::new();
        for (index, output) in outputs.iter().enumerate() {
            let name = output.name.clone().unwrap_or_default();
            let place = Place::Tensor { index, name: shortened(&name) };
            let value = self.values.get(&name).cloned();
            let id = match value {
                None => {
                    self.report(place, Fault::NeverWritten);
                    continue;
                }
                Some(None) => continue,
                Some(Some(Value::Pending(pending))) => {
                    self.report(place, pending.fault());
                    continue;
                }
                Some(Some(Value::Tensor(id))) => id,
            };
            let graph = &self.builder.graph;
            let own = !graph.inputs().contains(&id) && !ids.contains(&id) && !graph[id].is_constant();
            let id = if own { Some(id) } else { self.copy(id, &place) };
            if let Some(id) = id {
                self.builder.graph.tensor_mut(id).name = name;
                ids.push(id);
            }
        }
        self.builder.graph.set_outputs(ids);
    }

    /// A tensor with the same elements that a node writes.
    fn copy(&mut self, id: TensorId, place: &Place) -> Option<TensorId> {
        let mut copy = self.builder.tensor(id).clone();
        copy.data = None;
        let op = Op::Reshape(Reshape { shape: copy.shape.clone() });
        let output = self.builder.add_tensor(copy);
        self.builder.link("", place, op, vec![Some(id)], vec![output]);
        Some(output)
    }

    /// Checks the graph and drops what no output depends on.
    fn finish(mut self) -> Result<Graph<Float>, ImportErrors> {
        if self.problems.is_empty() {
            let problems = check(&self.builder.graph).err().unwrap_or_default();
            for problem in problems {
                let place = match problem.place {
                    Place::Node { index, .. } => {
                        self.builder.places.get(index).cloned().unwrap_or(Place::Graph)
                    }
                    Place::Tensor { index, name } => Place::Tensor { index, name: shortened(&name) },
                    Place::Graph => Place::Graph,
                };
                self.report(place, problem.fault);
            }
        }
        if !self.problems.is_empty() {
            return Err(ImportErrors { problems: self.problems });
        }
        let mut graph = self.builder.graph;
        graph.compact();
        Ok(graph)
    }
}

fn name_of_node(node: &NodeProto) -> String {
    let name = node.name.as_deref().filter(|name| !name.is_empty());
    shortened(name.or(node.output.first().map(String::as_str)).unwrap_or_default())
}

fn place_of_node(index: usize, node: &NodeProto) -> Place {
    let operator = shortened(node.op_type.as_deref().unwrap_or_default());
    Place::Node { index, name: name_of_node(node), operator }
}

/// A name cut to a length that reads well in messages.
fn shortened(name: &str) -> String {
    const MOST: usize = 120;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_string(),
    }
}

//! TensorFlow Lite models, schema version 3.
//!
//! A tensor of the graph has the id that it has in the file. What the file gives as constant inputs but the graph
//! holds as attributes (shapes, axes, paddings) stays behind as constants that nobody reads; operators that no output
//! depends on are left out.

mod code;
mod convert;
mod flatbuffer;
mod operator;
mod schema;
mod tensor;

use std::collections::HashSet;

use code::{Code, ReadOperator, tensor_id};
pub use flatbuffer::{Broken, BrokenField};
use flatbuffer::{Field, File, Table};
use operator::{Converted, Operator};
use tensor::{Buffers, ReadTensor};

use super::settle::settle;
use super::{ImportErrors, ImportFault, ImportProblem, Imported};
use crate::ir::{DType, Fault, Float, Graph, Node, Op, Place, Tensor, TensorId};

/// Reads a model.
///
/// # Errors
/// Everything that is wrong with the file or not supported. Damage of the file's structure ends the reading; otherwise
/// all tensors and operators are examined.
pub fn import(bytes: &[u8]) -> Result<Imported, ImportErrors> {
    let mut importer = Importer::default();
    match importer.read(&File::new(bytes)) {
        Ok(graph) => importer.finish(graph),
        Err(fault) => Err(ImportErrors::one(Place::Graph, fault)),
    }
}

#[derive(Default)]
struct Importer {
    problems: Vec<ImportProblem>,
    /// Where each node of the graph comes from.
    places: Vec<Place>,
    /// Constants that operators turned out to be.
    constants: Vec<(TensorId, Vec<u8>)>,
    /// Whether tensors or operators had to be left out of the graph.
    incomplete: bool,
}

impl Importer {
    fn report(&mut self, place: Place, fault: impl Into<ImportFault>) {
        self.problems.push(ImportProblem { place, fault: fault.into() });
    }

    fn report_all(&mut self, place: &Place, faults: impl IntoIterator<Item = ImportFault>) {
        faults.into_iter().for_each(|fault| self.report(place.clone(), fault));
    }

    /// Reads the graph, leaving out what is faulty. Errors are those that end the reading.
    fn read<'a>(&mut self, file: &'a File<'a>) -> Result<Graph<Float>, ImportFault> {
        use schema::{model, subgraph};
        let root = read_root(file)?;
        let subgraphs = root.tables(model::SUBGRAPHS, "SubGraph")?;
        let subgraph = *subgraphs.first().ok_or(ImportFault::NoSubgraphs)?;
        let codes = root.tables(model::OPERATOR_CODES, "OperatorCode")?;
        let codes = codes.into_iter().map(Code::read).collect::<Result<Vec<_>, _>>()?;
        let mut buffers = Buffers::new(file, root.tables(model::BUFFERS, "Buffer")?);
        let tensor_tables = subgraph.tables(subgraph::TENSORS, "Tensor")?;
        let tensors: Vec<_> =
            tensor_tables.iter().map(|&table| tensor::read_tensor(table, &mut buffers)).collect();
        let operators = subgraph.tables(subgraph::OPERATORS, "Operator")?.into_iter().enumerate();
        let operators = operators
            .map(|(index, table)| ReadOperator::read(file, index, table, &codes, &tensors))
            .collect::<Result<Vec<_>, _>>()?;

        let mut graph = Graph::new(subgraph.text(subgraph::NAME)?);
        graph.set_inputs(self.tensor_ids(subgraph::INPUTS, subgraph, tensors.len())?);
        graph.set_outputs(self.tensor_ids(subgraph::OUTPUTS, subgraph, tensors.len())?);
        self.report_tensors(&tensors, &operators);
        for &id in graph.inputs() {
            if let Some(fault) = tensor::open_axis(tensor_tables[id.index()])? {
                self.report(place_of_tensor(id.index(), &tensors[id.index()].name), fault);
            }
        }
        for operator in operators {
            self.add_node(operator, &tensors, &mut graph);
        }
        for ReadTensor { name, tensor, .. } in tensors {
            graph.add_tensor(tensor.unwrap_or_else(|| Tensor::new(name, DType::F32, [1])));
        }
        for (id, data) in self.constants.drain(..) {
            graph.tensor_mut(id).data = Some(data.into());
        }
        Ok(graph)
    }

    /// The ids in one of the subgraph's lists.
    fn tensor_ids(
        &mut self,
        field: Field,
        subgraph: Table<'_>,
        count: usize,
    ) -> Result<Vec<TensorId>, Broken> {
        let indices: Vec<i32> = subgraph.vector(field)?;
        let mut ids = Vec::with_capacity(indices.len());
        for index in indices {
            match tensor_id(index, count) {
                Some(id) => ids.push(id),
                None => {
                    let index = index.into();
                    self.report(Place::Graph, ImportFault::Index { field: field.name, index, count });
                }
            }
        }
        Ok(ids)
    }

    /// Reports what is wrong with tensors, except those that only unsupported operators touch; types that are not
    /// supported once per type.
    fn report_tensors(&mut self, tensors: &[ReadTensor], operators: &[ReadOperator<'_>]) {
        let (supported, unsupported): (Vec<_>, Vec<_>) =
            operators.iter().partition(|operator| operator.convert.is_some());
        let mut relevant = vec![true; tensors.len()];
        for (operators, matters) in [(unsupported, false), (supported, true)] {
            operators
                .iter()
                .flat_map(|operator| operator.tensors())
                .for_each(|id| relevant[id.index()] = matters);
        }
        let mut types: Vec<(i8, usize, usize)> = Vec::new();
        for (index, read) in tensors.iter().enumerate() {
            self.incomplete |= read.tensor.is_none();
            if !relevant[index] {
                continue;
            }
            self.report_all(&place_of_tensor(index, &read.name), read.faults.iter().cloned());
            if let Some(number) = read.unsupported {
                match types.iter_mut().find(|(other, ..)| *other == number) {
                    Some((_, _, others)) => *others += 1,
                    None => types.push((number, index, 0)),
                }
            }
        }
        for (number, index, others) in types {
            self.report_type(place_of_tensor(index, &tensors[index].name), number, others);
        }
    }

    fn report_type(&mut self, place: Place, number: i8, others: usize) {
        let (name, advice) = tensor::advice_for_type(number);
        self.report(place, ImportFault::UnsupportedType { name, others, advice });
    }

    /// Adds the node that an operator becomes, or reports why there is none.
    fn add_node(&mut self, read: ReadOperator<'_>, tensors: &[ReadTensor], graph: &mut Graph<Float>) {
        let tensor = |id: TensorId| tensors.get(id.index()).and_then(|read| read.tensor.as_ref());
        let convert = read.convert.filter(|_| read.faults.is_empty());
        self.report_all(&read.place, read.faults.iter().cloned());
        let Some(convert) = convert.filter(|_| read.tensors().all(|id| tensor(id).is_some())) else {
            self.incomplete = true;
            return;
        };
        let mut operator = Operator {
            inputs: &read.inputs.iter().map(|id| id.and_then(tensor)).collect::<Vec<_>>(),
            outputs: &read.outputs.iter().filter_map(|&id| tensor(id)).collect::<Vec<_>>(),
            options_kind: read.options_kind,
            options: read.options,
            faults: Vec::new(),
        };
        let converted = convert(&mut operator);
        let faults = operator.faults;
        match converted.filter(|_| faults.is_empty()) {
            Some(Converted::Node { op, inputs }) => {
                let slots = inputs.iter().map(|&slot| read.inputs.get(slot).copied().flatten());
                let mut inputs: Vec<_> = slots.collect();
                while inputs.last() == Some(&None) {
                    inputs.pop();
                }
                graph.add_node(Node { name: read.name, op, inputs, outputs: read.outputs });
                self.places.push(read.place);
            }
            Some(Converted::Constant(data)) => {
                self.constants.extend(read.outputs.first().map(|&output| (output, data)));
            }
            None => {
                self.incomplete = true;
                self.report_all(&read.place, faults);
            }
        }
    }

    /// Orders, settles and checks the graph.
    fn finish(mut self, mut graph: Graph<Float>) -> Result<Imported, ImportErrors> {
        let cycle = match graph.sort() {
            Ok(order) => {
                self.places = order.iter().map(|id| self.places[id.index()].clone()).collect();
                false
            }
            Err(cycle) => {
                let places: Vec<_> = cycle.nodes.iter().map(|id| self.places[id.index()].clone()).collect();
                places.into_iter().for_each(|place| self.report(place, Fault::Cycle));
                true
            }
        };
        let unsupported = self.report_misplaced_types(&graph);
        let (mut imported, float_nodes) = settle(graph);
        let mut problems = imported.check().err().unwrap_or_default();
        problems.retain(|problem| match problem.fault {
            Fault::NeverWritten => !self.incomplete,
            Fault::Order { .. } => !cycle,
            Fault::Type { found: dtype, .. } | Fault::NotQuantized { dtype } => !unsupported.contains(&dtype),
            _ => true,
        });
        for problem in problems {
            let place = match problem.place {
                Place::Node { index, .. } => self.places.get(index).cloned().unwrap_or(Place::Graph),
                Place::Tensor { index, name } => place_of_tensor(index, &name),
                Place::Graph => Place::Graph,
            };
            self.report(place, problem.fault);
        }
        let known: HashSet<Place> = self.problems.iter().map(|problem| problem.place.clone()).collect();
        for id in float_nodes {
            let place = self.places.get(id.index()).cloned().unwrap_or(Place::Graph);
            if !known.contains(&place) {
                self.report(place, ImportFault::FloatInQuantized);
            }
        }
        if !self.problems.is_empty() {
            return Err(ImportErrors { problems: self.problems });
        }
        imported.remove_dead_nodes();
        Ok(imported)
    }

    /// Reports types that are read but not supported where they stand: 16 bits anywhere, and unsigned integers in more
    /// than a conversion. Returns the types.
    fn report_misplaced_types(&mut self, graph: &Graph<Float>) -> Vec<DType> {
        let mut reported = Vec::new();
        for (dtype, number) in [(DType::F16, 1), (DType::U8, 3), (DType::I16, 7)] {
            let allowed =
                |node: &Node| dtype == DType::U8 && matches!(node.op, Op::Quantize | Op::Dequantize);
            let mut misplaced: Vec<TensorId> = graph
                .nodes()
                .iter()
                .filter(|node| !allowed(node))
                .flat_map(|node| node.inputs.iter().flatten().chain(&node.outputs).copied())
                .filter(|&id| graph[id].dtype == dtype)
                .collect();
            misplaced.sort_unstable();
            misplaced.dedup();
            if let Some(&first) = misplaced.first() {
                let place = place_of_tensor(first.index(), &graph[first].name);
                self.report_type(place, number, misplaced.len() - 1);
                reported.push(dtype);
            }
        }
        reported
    }
}

/// The root table of a file that is of this format and version and holds one network.
fn read_root<'a>(file: &'a File<'a>) -> Result<Table<'a>, ImportFault> {
    use schema::{model, signature_def};
    if file.slice(4, 4) != Some(schema::IDENTIFIER) {
        return Err(ImportFault::NotThisFormat { expected: "TensorFlow Lite" });
    }
    let root = file.root("Model")?;
    let found = root.scalar(model::VERSION, 0)?;
    if found != schema::VERSION {
        return Err(ImportFault::SchemaVersion { found, known: schema::VERSION });
    }
    let signatures = root.tables(model::SIGNATURE_DEFS, "SignatureDef")?;
    for signature in &signatures {
        if signature.scalar(signature_def::SUBGRAPH_INDEX, 0u32)? != 0 {
            return Err(ImportFault::SeveralSignatures { count: signatures.len() });
        }
    }
    Ok(root)
}

fn place_of_tensor(index: usize, name: &str) -> Place {
    Place::Tensor { index, name: shortened(name) }
}

/// A name cut to a length that reads well in messages.
fn shortened(name: &str) -> String {
    const MOST: usize = 120;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_string(),
    }
}

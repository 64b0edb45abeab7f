//! TensorFlow Lite models, schema version 3.
//!
//! A tensor of the graph has the id that it has in the file. What the file gives as constant inputs but the graph
//! holds as attributes (shapes, axes, paddings) stays behind as constants that nobody reads.

mod convert;
mod flatbuffer;
mod operator;
mod schema;
mod tensor;

use std::borrow::Cow;

pub use flatbuffer::{Broken, BrokenField};
use flatbuffer::{Field, File, Table};
use operator::Operator;
use tensor::{Buffers, ReadTensor};

use super::settle::settle;
use super::{ImportErrors, ImportFault, ImportProblem, Imported};
use crate::ir::{DType, Fault, Float, Graph, Node, Op, Place, Tensor, TensorId};

/// Reads a model.
///
/// # Errors
/// Everything that is wrong with the file or not supported. The first few checks (format, version, readable lists)
/// end the reading; after them all tensors and operators are examined.
pub fn import(bytes: &[u8]) -> Result<Imported, ImportErrors> {
    if bytes.get(4..8) != Some(schema::IDENTIFIER) {
        return Err(ImportErrors::one(
            Place::Graph,
            ImportFault::NotThisFormat { expected: "TensorFlow Lite" },
        ));
    }
    let file = File::new(bytes);
    let mut importer = Importer::default();
    match importer.read(&file) {
        Ok(graph) => importer.finish(graph),
        Err(fault) => Err(ImportErrors::one(Place::Graph, fault)),
    }
}

/// What an operator code of the file stands for.
enum Code {
    Builtin { name: &'static str, number: i32 },
    Custom { name: String },
    Unknown { number: i32 },
}

impl Code {
    fn read(table: Table<'_>) -> Result<Code, Broken> {
        use schema::operator_code as field;
        // Numbers above 127 are in the newer field alone; older files have the older field alone.
        let older: i8 = table.scalar(field::DEPRECATED_BUILTIN_CODE, 0)?;
        let newer: i32 = table.scalar(field::BUILTIN_CODE, 0)?;
        let number = newer.max(older.into());
        if number == schema::CUSTOM {
            return Ok(Code::Custom { name: shortened(&table.text(field::CUSTOM_CODE)?) });
        }
        Ok(match schema::operator_name(number) {
            Some(name) => Code::Builtin { name, number },
            None => Code::Unknown { number },
        })
    }

    /// How the format calls the operator.
    fn name(&self) -> Cow<'_, str> {
        match self {
            Code::Builtin { name, .. } => (*name).into(),
            Code::Custom { name } => format!("CUSTOM {name}").into(),
            Code::Unknown { number } => format!("operator {number}").into(),
        }
    }
}

#[derive(Default)]
struct Importer {
    problems: Vec<ImportProblem>,
    /// Where each node of the graph comes from.
    places: Vec<Place>,
    /// Whether tensors or operators had to be left out of the graph.
    incomplete: bool,
}

impl Importer {
    fn report(&mut self, place: Place, fault: impl Into<ImportFault>) {
        self.problems.push(ImportProblem { place, fault: fault.into() });
    }

    /// Reads the graph, leaving out what is faulty. Errors are those that end the reading.
    fn read(&mut self, file: &File<'_>) -> Result<Graph<Float>, ImportFault> {
        use schema::{model, subgraph};
        let root = file.root("Model")?;
        let version = root.scalar(model::VERSION, 0)?;
        if version != schema::VERSION {
            return Err(ImportFault::SchemaVersion { found: version, known: schema::VERSION });
        }
        self.check_signatures(root)?;
        let subgraphs = root.tables(model::SUBGRAPHS, "SubGraph")?;
        let subgraph = *subgraphs.first().ok_or(ImportFault::NoSubgraphs)?;
        let codes = root.tables(model::OPERATOR_CODES, "OperatorCode")?;
        let codes = codes.into_iter().map(Code::read).collect::<Result<Vec<_>, _>>()?;
        let mut buffers = Buffers::new(file, root.tables(model::BUFFERS, "Buffer")?);
        let tables = subgraph.tables(subgraph::TENSORS, "Tensor")?;
        let tensors: Vec<_> = tables.iter().map(|&table| tensor::read_tensor(table, &mut buffers)).collect();
        let inputs = subgraph.vector(subgraph::INPUTS)?;
        let outputs = subgraph.vector(subgraph::OUTPUTS)?;
        let operators = subgraph.tables(subgraph::OPERATORS, "Operator")?;

        let mut graph = Graph::new(subgraph.text(subgraph::NAME)?);
        graph.set_inputs(self.tensor_ids(subgraph::INPUTS, &inputs, tensors.len()));
        graph.set_outputs(self.tensor_ids(subgraph::OUTPUTS, &outputs, tensors.len()));
        self.report_tensors(&tensors);
        for &id in graph.inputs() {
            if let Some(fault) = tensor::open_axis(tables[id.index()])? {
                let name = shortened(&tensors[id.index()].name);
                self.report(Place::Tensor { index: id.index(), name }, fault);
            }
        }
        for (index, &table) in operators.iter().enumerate() {
            self.add_operator(file, index, table, &codes, &tensors, &mut graph)?;
        }
        for read in tensors {
            let ReadTensor { name, tensor, .. } = read;
            graph.add_tensor(tensor.unwrap_or_else(|| Tensor::new(name, DType::F32, [1])));
        }
        Ok(graph)
    }

    fn check_signatures(&mut self, root: Table<'_>) -> Result<(), ImportFault> {
        let signatures = root.tables(schema::model::SIGNATURE_DEFS, "SignatureDef")?;
        for signature in &signatures {
            if signature.scalar(schema::signature_def::SUBGRAPH_INDEX, 0u32)? != 0 {
                return Err(ImportFault::SeveralSignatures { count: signatures.len() });
            }
        }
        Ok(())
    }

    /// The ids in one of the subgraph's lists.
    fn tensor_ids(&mut self, field: Field, indices: &[i32], count: usize) -> Vec<TensorId> {
        let mut ids = Vec::with_capacity(indices.len());
        for &index in indices {
            match tensor_id(index, count) {
                Some(id) => ids.push(id),
                None => {
                    let index = index.into();
                    self.report(Place::Graph, ImportFault::Index { field: field.name, index, count });
                }
            }
        }
        ids
    }

    /// Reports what is wrong with tensors; types that are not supported once per type.
    fn report_tensors(&mut self, tensors: &[ReadTensor]) {
        let mut types: Vec<(i8, usize, usize)> = Vec::new();
        for (index, read) in tensors.iter().enumerate() {
            self.incomplete |= read.tensor.is_none();
            let place = || Place::Tensor { index, name: shortened(&read.name) };
            read.faults.iter().for_each(|fault| self.report(place(), fault.clone()));
            if let Some(number) = read.unsupported {
                match types.iter_mut().find(|(other, ..)| *other == number) {
                    Some((_, _, count)) => *count += 1,
                    None => types.push((number, index, 0)),
                }
            }
        }
        for (number, index, others) in types {
            let place = Place::Tensor { index, name: shortened(&tensors[index].name) };
            self.report_type(place, number, others);
        }
    }

    fn report_type(&mut self, place: Place, number: i8, others: usize) {
        let (name, advice) = tensor::advice_for_type(number);
        self.report(place, ImportFault::UnsupportedType { name, others, advice });
    }

    /// Adds the node that an operator becomes, or reports why there is none.
    fn add_operator(
        &mut self,
        file: &File<'_>,
        index: usize,
        table: Table<'_>,
        codes: &[Code],
        tensors: &[ReadTensor],
        graph: &mut Graph<Float>,
    ) -> Result<(), ImportFault> {
        use schema::operator as field;
        let inputs: Vec<i32> = table.vector(field::INPUTS)?;
        let outputs: Vec<i32> = table.vector(field::OUTPUTS)?;
        let code_index: u32 = table.scalar(field::OPCODE_INDEX, 0)?;
        let code = codes.get(code_index as usize);
        let name = outputs.first().and_then(|&output| tensors.get(usize::try_from(output).ok()?));
        let name = name.map(|read| shortened(&read.name)).unwrap_or_default();
        let operator_name = code.map_or("unknown".into(), Code::name);
        let place = Place::Node { index, name: name.clone(), operator: operator_name.into_owned() };

        let faults_before = self.problems.len();
        let count = tensors.len();
        let ids = |importer: &mut Importer, field: Field, indices: &[i32], optional: bool| {
            let mut ids = Vec::with_capacity(indices.len());
            for &index in indices {
                let id = tensor_id(index, count);
                if id.is_none() && !(optional && index == -1) {
                    let fault = ImportFault::Index { field: field.name, index: index.into(), count };
                    importer.report(place.clone(), fault);
                }
                ids.push(id);
            }
            ids
        };
        let input_ids = ids(self, field::INPUTS, &inputs, true);
        let output_ids = ids(self, field::OUTPUTS, &outputs, false);
        let convert = match code {
            Some(Code::Builtin { name, number }) => {
                let unsupported = ImportFault::UnsupportedOperator { name, number: *number };
                convert::convert(name).ok_or(unsupported)
            }
            Some(Code::Custom { name }) => Err(ImportFault::CustomOperator { name: name.clone() }),
            Some(Code::Unknown { number }) => Err(ImportFault::UnknownOperator { number: *number }),
            None => {
                let index = code_index.into();
                Err(ImportFault::Index { field: field::OPCODE_INDEX.name, index, count: codes.len() })
            }
        };
        let convert = match convert {
            Ok(convert) => convert,
            Err(fault) => {
                self.report(place, fault);
                self.incomplete = true;
                return Ok(());
            }
        };
        let tensor_of = |id: TensorId| tensors.get(id.index()).and_then(|read| read.tensor.as_ref());
        let readable = input_ids.iter().chain(&output_ids).flatten().all(|&id| tensor_of(id).is_some());
        if !readable || self.problems.len() > faults_before {
            self.incomplete = true;
            return Ok(());
        }
        let absent = Table::absent(file, "builtin_options");
        let mut operator = Operator {
            inputs: &input_ids.iter().map(|id| id.and_then(tensor_of)).collect::<Vec<_>>(),
            outputs: &output_ids.iter().filter_map(|id| id.and_then(tensor_of)).collect::<Vec<_>>(),
            options_kind: table.scalar(field::BUILTIN_OPTIONS_TYPE, 0)?,
            options: table.table(field::BUILTIN_OPTIONS, "builtin_options")?.unwrap_or(absent),
            faults: Vec::new(),
        };
        let converted = convert(&mut operator);
        let Operator { faults, .. } = operator;
        match converted.filter(|_| faults.is_empty()) {
            Some(converted) => {
                let slots = converted.inputs.iter().map(|&slot| input_ids.get(slot).copied().flatten());
                let mut inputs: Vec<_> = slots.collect();
                while inputs.last() == Some(&None) {
                    inputs.pop();
                }
                let outputs = output_ids.into_iter().flatten().collect();
                graph.add_node(Node { name, op: converted.op, inputs, outputs });
                self.places.push(place);
            }
            None => {
                self.incomplete = true;
                faults.into_iter().for_each(|fault| self.report(place.clone(), fault));
            }
        }
        Ok(())
    }

    /// Orders, settles and checks the graph.
    fn finish(mut self, mut graph: Graph<Float>) -> Result<Imported, ImportErrors> {
        match graph.sort() {
            Ok(order) => {
                self.places = order.iter().map(|id| self.places[id.index()].clone()).collect();
            }
            Err(cycle) => {
                let places: Vec<_> = cycle.nodes.iter().map(|id| self.places[id.index()].clone()).collect();
                places.into_iter().for_each(|place| self.report(place, Fault::Cycle));
            }
        }
        self.report_unsupported_integers(&graph);
        match settle(graph) {
            Err(float_nodes) => {
                let places: Vec<_> = float_nodes.iter().map(|id| self.places[id.index()].clone()).collect();
                places.into_iter().for_each(|place| self.report(place, ImportFault::FloatInQuantized));
                Err(ImportErrors { problems: self.problems })
            }
            Ok(imported) => {
                self.check(&imported);
                let problems = self.problems;
                if problems.is_empty() { Ok(imported) } else { Err(ImportErrors { problems }) }
            }
        }
    }

    /// 16-bit activations anywhere, and unsigned ones in more than a conversion, are not supported.
    fn report_unsupported_integers(&mut self, graph: &Graph<Float>) {
        for (dtype, number) in [(DType::U8, 3), (DType::I16, 7)] {
            let allowed =
                |node: &Node| dtype == DType::U8 && matches!(node.op, Op::Quantize | Op::Dequantize);
            let mut touched: Vec<TensorId> = graph
                .nodes()
                .iter()
                .filter(|node| !allowed(node))
                .flat_map(|node| node.inputs.iter().flatten().chain(&node.outputs).copied())
                .filter(|&id| graph[id].dtype == dtype)
                .collect();
            touched.sort_unstable();
            touched.dedup();
            if let Some(first) = touched.first() {
                let place = Place::Tensor { index: first.index(), name: shortened(&graph[*first].name) };
                self.report_type(place, number, touched.len() - 1);
            }
        }
    }

    /// Adds the problems of the graph, in the terms of the file.
    fn check(&mut self, imported: &Imported) {
        for problem in imported.check().err().unwrap_or_default() {
            // The tensors of operators that were left out have no writer.
            if self.incomplete && problem.fault == Fault::NeverWritten {
                continue;
            }
            let place = match problem.place {
                Place::Node { index, .. } => self.places.get(index).cloned().unwrap_or(Place::Graph),
                Place::Tensor { index, name } => Place::Tensor { index, name: shortened(&name) },
                Place::Graph => Place::Graph,
            };
            self.report(place, problem.fault);
        }
    }
}

fn tensor_id(index: i32, count: usize) -> Option<TensorId> {
    u32::try_from(index).ok().filter(|&index| (index as usize) < count).map(TensorId)
}

/// A name cut to a length that reads well in messages.
fn shortened(name: &str) -> String {
    const MOST: usize = 120;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_string(),
    }
}

//! Random layers, many in one model: what a packing or a board makes of them has to be what plain int8 weights give.
//!
//! A case is a number: it decides the layer's kind, shape, weights and inputs. A model of many cases has one input, one
//! node and one output for each, so that one start of an emulator runs all of them.

mod random;

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, anyhow, ensure};
use secateur::format::{OpCode, Packing, Tables};
use secateur::kernels;
use secateur::{Model, format::TensorRecord};
use secateur_converter::core::Core;
use secateur_converter::emit::Draft;
use secateur_converter::execute;
use secateur_converter::ir::{DType, Graph, Quantized, check::check, text};
use secateur_converter::lower;
use secateur_converter::model_file::ModelFile;

use crate::CORES;

/// Names a single case to run in the place of all.
pub const CASE_VARIABLE: &str = "SECATEUR_CASE";

/// The cases that a test of so many has to run, in batches: all, or the one that [`CASE_VARIABLE`] asks for.
///
/// # Errors
/// When the variable is not a number.
pub fn batches(cases: u64, size: u64) -> Result<Vec<Range<u64>>> {
    if let Some(case) = std::env::var_os(CASE_VARIABLE) {
        let case = case.to_str().and_then(|text| text.parse::<u64>().ok());
        let case = case.ok_or_else(|| anyhow!("{CASE_VARIABLE} is not a number"))?;
        return Ok(std::iter::once(case..case + 1).collect());
    }
    Ok((0..cases.div_ceil(size)).map(|batch| batch * size..cases.min((batch + 1) * size)).collect())
}

/// How many nodes of each operator and packing were run.
#[derive(Debug, Default)]
pub struct Coverage(BTreeMap<String, usize>);

impl Coverage {
    /// Counts the nodes of a file.
    ///
    /// # Errors
    /// When the file does not load.
    pub fn add(&mut self, file: &ModelFile) -> Result<()> {
        for node in Tables::read(file.bytes())?.nodes() {
            if let (Some(code), Some(packing)) = (node.op(), node.packing()) {
                *self.0.entry(name(code, packing)).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Adds what was counted elsewhere.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        for (name, count) in other.0 {
            *self.0.entry(name).or_default() += count;
        }
        self
    }

    /// Demands so many nodes of every packing, of those for which `wanted` holds, that any operator has.
    ///
    /// # Errors
    /// When a packing was hardly met: `random` has to make layers that get it, or [`CORES`] lacks a core that it is for.
    pub fn check(&self, least: usize, wanted: impl Fn(Packing) -> bool) -> Result<()> {
        if std::env::var_os(CASE_VARIABLE).is_some() {
            return Ok(());
        }
        let packed = |packing: Packing| packing != Packing::Plain && wanted(packing);
        for operator in kernels::ALL.0.iter().filter(|operator| packed(operator.packing)) {
            let name = name(operator.code, operator.packing);
            let count = self.0.get(&name).copied().unwrap_or_default();
            ensure!(count >= least, "{name}: {count} cases, not {least}, among {:?}", self.0);
        }
        Ok(())
    }
}

fn name(code: OpCode, packing: Packing) -> String {
    format!("{code:?} {packing:?}")
}

/// Cases that follow one another, as one model.
#[derive(Debug)]
pub struct Batch {
    cases: Range<u64>,
    graph: Graph<Quantized>,
    /// One vector for all inputs.
    pub input: Vec<u8>,
}

impl Batch {
    /// The model of these cases.
    ///
    /// # Panics
    /// When a layer is not well-formed.
    #[must_use]
    pub fn new(cases: Range<u64>) -> Self {
        let mut graph = Graph::new("random layers");
        let (mut inputs, mut outputs, mut input) = (Vec::new(), Vec::new(), Vec::new());
        for case in cases.clone() {
            let layer = random::add_layer(&mut graph, case);
            inputs.extend(layer.inputs);
            outputs.push(layer.output);
            input.extend(layer.values);
        }
        graph.set_inputs(inputs);
        graph.set_outputs(outputs);
        assert_eq!(check(&graph), Ok(()));
        Self { cases, graph, input }
    }

    /// The model for a core.
    ///
    /// # Errors
    /// When a layer cannot be executed.
    pub fn file(&self, core: Core) -> Result<ModelFile> {
        self.file_of(&self.graph, core)
    }

    fn file_of(&self, graph: &Graph<Quantized>, core: Core) -> Result<ModelFile> {
        let program = lower::lower(graph, core).map_err(|problems| {
            anyhow!("cases {:?}: {}", self.cases, problems.iter().map(|p| format!("{p}")).collect::<String>())
        })?;
        Ok(Draft::new(&program)?.file(&[])?)
    }

    /// The outputs with plain weights of 8 bits, one after another.
    ///
    /// # Errors
    /// When the model does not run, or has weights in another form.
    pub fn plain_outputs(&self) -> Result<Vec<u8>> {
        let mut graph = self.graph.clone();
        for id in graph.tensor_ids() {
            if graph[id].weight_values().is_some() {
                graph.tensor_mut(id).dtype = DType::I8;
            }
        }
        let file = self.file_of(&graph, CORES[0])?;
        let tables = Tables::read(file.bytes())?;
        let is_plain = tables.nodes().all(|node| node.packing() == Some(Packing::Plain));
        ensure!(is_plain, "{} has packings of its own: take another core as reference", CORES[0]);
        self.outputs(&file)
    }

    /// The outputs of one of the model's files on the host.
    ///
    /// # Errors
    /// When it does not run.
    pub fn outputs(&self, file: &ModelFile) -> Result<Vec<u8>> {
        Ok(execute::run_batch(&Model::load(file.bytes(), &kernels::ALL)?, &self.input, || ())?)
    }

    /// Compares outputs of `file` with those of plain weights.
    ///
    /// # Errors
    /// The first case that differs, as text and with the way to run it alone.
    pub fn compare(&self, file: &ModelFile, outputs: &[u8], plain: &[u8]) -> Result<()> {
        ensure!(outputs.len() == plain.len(), "{} bytes of output, not {}", outputs.len(), plain.len());
        let model = Model::load(file.bytes(), &kernels::ALL)?;
        let mut start = 0;
        let lengths = execute::outputs(&model).into_iter().map(TensorRecord::byte_len);
        for (case, len) in self.cases.clone().zip(lengths) {
            let range = start..start + len;
            start = range.end;
            let (got, wanted) = (&outputs[range.clone()], &plain[range]);
            if let Some(first) = got.iter().zip(wanted).position(|(a, b)| a != b) {
                let differing = got.iter().zip(wanted).filter(|(a, b)| a != b).count();
                return Err(anyhow!(
                    "case {case} ({CASE_VARIABLE}={case} runs it alone): {differing} of {len} bytes differ, the first at {first}: \
                     {} instead of {}\n{}",
                    got[first] as i8,
                    wanted[first] as i8,
                    text::print(&Self::new(case..case + 1).graph, 8)
                ));
            }
        }
        Ok(())
    }
}

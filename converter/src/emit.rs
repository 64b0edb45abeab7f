//! From a lowered program to a `.sct` file: plans the arena, writes the records, proves that the runtime takes them.

use secateur::format::metadata::{self, Entry};
use secateur::format::{ALIGN, NodeRecord, Place, Tables, TensorRecord, WriteError, Writer};
use secateur::{LoadError, Model, kernels};
use thiserror::Error;

use crate::lower::{Program, Storage, ValueId};
use crate::model_file::ModelFile;
use crate::plan::{self, Buffer, InPlace, Plan, PlanError, ProblemError};

/// Why a program cannot be written.
#[derive(Debug, Error)]
pub enum EmitError {
    /// The planner found no place.
    #[error("the memory plan failed")]
    Plan(#[from] ProblemError),
    /// The planner's result is wrong; a fault of this program.
    #[error("the memory plan does not hold (please report this)")]
    Verify(#[from] PlanError),
    /// More than the format can hold.
    #[error("{count} {what}: a model holds at most {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The file would be too long.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The runtime refuses what was written; a fault of this program.
    #[error("the runtime refuses the model that was written (please report this)")]
    Load(#[from] LoadError),
}

/// A program with its memory plan, ready to be written as a file any number of times.
#[derive(Debug)]
pub struct Draft<'p> {
    program: &'p Program,
    plan: Plan,
    sections: Sections,
}

impl<'p> Draft<'p> {
    /// Plans the arena of `program` and lays out its records.
    ///
    /// # Errors
    /// If the program is too large for the format; see [`EmitError`].
    pub fn new(program: &'p Program) -> Result<Self, EmitError> {
        let problem = problem(program)?;
        let plan = plan::plan(&problem)?;
        plan::verify(&problem, &plan)?;
        let sections = Sections::new(program, &plan)?;
        Ok(Self { program, plan, sections })
    }

    /// Order and places.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The file, with `entries` in its metadata beside the names, accepted by the runtime.
    ///
    /// # Errors
    /// If the file would be too long; see [`EmitError`].
    pub fn file(&self, entries: &[Entry<'_>]) -> Result<ModelFile, EmitError> {
        self.sections.write(self.program, &metadata(self.program, &self.plan, entries), self.plan.arena_bytes)
    }
}

/// What the planner has to place.
fn problem(program: &Program) -> Result<plan::Problem, EmitError> {
    let alive = |ports: &[ValueId], buffer: usize| ports.iter().any(|&v| program.buffer(v) == Some(buffer));
    let mut buffers = Vec::with_capacity(program.buffers.len());
    for (index, &bytes) in program.buffers.iter().enumerate() {
        buffers.push(Buffer {
            name: String::new(),
            bytes: narrow("bytes in one tensor", bytes)?,
            lives_from_start: alive(&program.inputs, index),
            lives_to_end: alive(&program.outputs, index),
        });
    }
    for value in &program.values {
        if let Storage::Buffer(buffer) = value.storage
            && buffers[buffer].name.is_empty()
        {
            buffers[buffer].name.clone_from(&value.name);
        }
    }
    let mut steps = Vec::with_capacity(program.steps.len());
    for step in &program.steps {
        let buffers =
            |values: &[ValueId]| values.iter().filter_map(|&v| program.buffer(v)).collect::<Vec<_>>();
        let writes = buffers(&step.outputs);
        let in_place = buffers(&step.in_place);
        steps.push(plan::Step {
            name: step.name.clone(),
            reads: buffers(&step.inputs),
            scratch_bytes: narrow("bytes of scratch", step.scratch_len)?,
            in_place: in_place
                .into_iter()
                .flat_map(|read| writes.first().map(|&write| InPlace { read, write }))
                .collect(),
            writes,
        });
    }
    Ok(plan::Problem { steps, buffers })
}

/// The sections of a file while they grow.
#[derive(Debug)]
struct Sections {
    tensors: Vec<TensorRecord>,
    nodes: Vec<NodeRecord>,
    operands: Vec<u16>,
    params: Vec<u8>,
}

impl Sections {
    fn new(program: &Program, plan: &Plan) -> Result<Self, EmitError> {
        let mut sections = Self {
            tensors: Vec::with_capacity(program.values.len()),
            nodes: Vec::with_capacity(program.steps.len()),
            operands: Vec::new(),
            params: Vec::new(),
        };
        for value in &program.values {
            let (place, offset) = match value.storage {
                Storage::Constant(offset) => (Place::Constant, offset),
                Storage::Buffer(buffer) => {
                    (Place::Arena, plan.offsets.get(buffer).copied().flatten().unwrap_or(0))
                }
            };
            let (scale, zero_point) = value.quantization.unwrap_or_default();
            sections.tensors.push(TensorRecord {
                scale,
                zero_point,
                ..TensorRecord::new(value.shape, value.dtype, place, offset)
            });
        }
        sections.operands(&program.inputs)?;
        sections.operands(&program.outputs)?;
        for &index in &plan.order {
            let step = &program.steps[index];
            sections.params.resize(sections.params.len().next_multiple_of(ALIGN), 0);
            sections.nodes.push(NodeRecord {
                op: step.op as u16,
                packing: step.packing as u16,
                operands: narrow("operands", sections.operands.len())?,
                inputs: narrow("inputs of one node", step.inputs.len())?,
                outputs: narrow("outputs of one node", step.outputs.len())?,
                reserved: 0,
                params: narrow("bytes of parameters", sections.params.len())?,
                scratch: plan.scratch_offsets.get(index).copied().flatten().unwrap_or(0),
                scratch_len: narrow("bytes of scratch", step.scratch_len)?,
            });
            sections.params.extend_from_slice(&step.params);
            sections.operands(&step.inputs)?;
            sections.operands(&step.outputs)?;
        }
        Ok(sections)
    }

    fn operands(&mut self, values: &[ValueId]) -> Result<(), EmitError> {
        for value in values {
            self.operands.push(narrow("tensors", value.0)?);
        }
        Ok(())
    }

    fn write(&self, program: &Program, metadata: &[u8], arena_len: u32) -> Result<ModelFile, EmitError> {
        let mut writer = Writer {
            tensors: &self.tensors,
            nodes: &self.nodes,
            operands: &self.operands,
            input_count: narrow("inputs", program.inputs.len())?,
            output_count: narrow("outputs", program.outputs.len())?,
            params: &self.params,
            constants: &program.constants,
            metadata,
            arena_len,
            work: 0,
        };
        let mut file = ModelFile::zeroed(writer.file_len());
        writer.write(file.bytes_mut())?;
        writer.work = work(file.bytes())?;
        writer.write(file.bytes_mut())?;
        Model::load(file.bytes(), &kernels::ALL)?;
        Ok(file)
    }
}

/// The metadata section: names, the arena's lower bound and `entries`.
fn metadata(program: &Program, plan: &Plan, entries: &[Entry<'_>]) -> Vec<u8> {
    let mut section = Vec::new();
    let head = [Entry::Name(&program.name), Entry::ArenaLowerBound(plan.lower_bound)];
    let tensors = program.values.iter().zip(0u16..).map(|(value, i)| Entry::TensorName(i, &value.name));
    let nodes = plan.order.iter().zip(0u16..).map(|(&step, i)| Entry::NodeName(i, &program.steps[step].name));
    for entry in head.into_iter().chain(entries.iter().copied()).chain(tensors).chain(nodes) {
        let mut buffer = [0; MAX_ENTRY];
        // A name longer than a frame is left out: the model runs without it.
        section.extend_from_slice(metadata::encode(&entry, &mut buffer).unwrap_or_default());
    }
    section
}

/// Longest metadata frame in bytes.
const MAX_ENTRY: usize = 4096;

/// Sum of the work of all nodes, which the header states.
fn work(file: &[u8]) -> Result<u64, LoadError> {
    let tables = Tables::read(file)?;
    let mut work = 0u64;
    for (node, index) in tables.nodes().zip(0u16..) {
        let fault = |error| LoadError::Node { index, op: node.record().op, error };
        let operator = kernels::ALL.find(&node);
        let check = operator.ok_or(fault(kernels::NodeError::NotLinked))?.check;
        work = work.saturating_add(check(&node).map_err(fault)?);
    }
    Ok(work)
}

fn narrow<T: TryFrom<usize>>(what: &'static str, count: usize) -> Result<T, EmitError> {
    let limit = usize::MAX >> (usize::BITS - 8 * size_of::<T>() as u32);
    T::try_from(count).map_err(|_| EmitError::TooMany { what, count, limit })
}

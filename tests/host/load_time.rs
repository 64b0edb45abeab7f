//! Loading takes time linear in the file's length, even if every node points at the same large tables.

use std::time::{Duration, Instant};

use anyhow::Result;
use secateur::format::{
    DType, NodeRecord, OpCode, Packing, Place, Shape, Tables, TensorRecord, Writer, crc32,
};
use secateur::kernels::{concatenation, fully_connected};
use secateur::quant::OutputStage;
use secateur::{Model, kernels};
use secateur_converter::model_file::ModelFile;
use zerocopy::IntoBytes;

/// Loading may take this many times as long as the CRC-32 of the file, on its own.
const MULTIPLE: u32 = 12;

/// As many as the format allows.
const NODES: usize = u16::MAX as usize;

/// A file of [`NODES`] equal nodes; input 0 and the output are tensors 0 and 1.
fn repeated(
    op: OpCode,
    params: &[u8],
    inputs: u8,
    tensors: &[TensorRecord; 2],
    constants: &[u8],
) -> Result<ModelFile> {
    let operands_of_node = usize::from(inputs) + 1;
    let node = |index: usize| NodeRecord {
        op: op as u16,
        packing: Packing::Plain as u16,
        operands: (2 + index * operands_of_node) as u32,
        inputs,
        outputs: 1,
        reserved: 0,
        params: 0,
        scratch: 0,
        scratch_len: 0,
    };
    let nodes: Vec<_> = (0..NODES).map(node).collect();
    let mut operands = vec![0, 1];
    for _ in 0..NODES {
        operands.extend(std::iter::repeat_n(0, inputs.into()).chain([1]));
    }
    let mut writer = Writer {
        tensors,
        nodes: &nodes,
        operands: &operands,
        input_count: 1,
        output_count: 1,
        params,
        constants,
        metadata: &[],
        arena_len: 1 << 20,
        work: 0,
    };
    let mut file = ModelFile::zeroed(writer.file_len());
    writer.write(file.bytes_mut())?;
    let check = |node| (kernels::ALL.find(&node).expect("linked").check)(&node).expect("a valid node");
    writer.work = Tables::read(file.bytes())?.nodes().map(check).sum();
    writer.write(file.bytes_mut())?;
    Ok(file)
}

fn tensor(dims: &[u32], offset: u32) -> TensorRecord {
    TensorRecord::new(Shape::new(dims).expect("a valid shape"), DType::I8, Place::Arena, offset)
}

fn shortest(mut f: impl FnMut()) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        f();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

fn assert_linear(file: &ModelFile) {
    let reading = shortest(|| assert_ne!(crc32(file.bytes()), 0));
    let loading = shortest(|| {
        let model = Model::load(file.bytes(), &kernels::ALL).expect("a valid file");
        assert!(model.work() > 1 << 20);
    });
    assert!(loading < MULTIPLE * reading, "loading takes {loading:?}, reading {reading:?}");
}

#[test]
fn many_nodes_with_one_large_table_load_in_linear_time() -> Result<()> {
    let outputs = 60_000;
    let constants = vec![0; 13 * outputs as usize];
    let params =
        fully_connected::Params { weights: 12 * outputs, channels: 0, depth: 1, stage: OutputStage::new(0) };
    let tensors = [tensor(&[1, 1], 0), tensor(&[1, outputs], 4)];
    assert_linear(&repeated(OpCode::FullyConnected, params.as_bytes(), 1, &tensors, &constants)?);
    Ok(())
}

#[test]
fn many_nodes_with_many_operands_load_in_linear_time() -> Result<()> {
    let inputs = 60;
    let params = concatenation::Params { axis: 0, tables: concatenation::NONE };
    let tensors = [tensor(&[1], 0), tensor(&[inputs.into()], 4)];
    assert_linear(&repeated(OpCode::Concatenation, params.as_bytes(), inputs, &tensors, &[])?);
    Ok(())
}

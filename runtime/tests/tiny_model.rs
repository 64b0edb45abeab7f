//! `tests/data/tiny.sct`, the model of the examples in the documentation, and what holds for it.
//!
//! Two nodes: ReLU of four features, then three scores. After a change of the format, write the file anew with
//! `SECATEUR_REGENERATE=1 cargo test -p secateur --test tiny_model`.

use secateur::format::metadata::{self, Entry};
use secateur::format::{DType, NodeRecord, OpCode, Place, Shape, Tables, TensorRecord, Writer, seal};
use secateur::kernels::{self, fully_connected, lookup};
use secateur::quant::{ChannelQuant, Multiplier, OutputStage};
use secateur::self_check::{SelfCheckError, reference_hashes, self_check};
use secateur::{Arena, Model, ModelImage, Session, include_model};
use zerocopy::IntoBytes;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.sct");
const SEED: u32 = 7;
const WEIGHTS: [[i8; 4]; 3] = [[1, 1, 1, 0], [-1, 2, 3, 0], [0, 0, 1, 3]];

static MODEL: ModelImage = include_model!("data/tiny.sct");

/// A file at an aligned address.
struct File {
    words: Vec<u32>,
    len: usize,
}

impl File {
    fn bytes(&self) -> &[u8] {
        &self.words.as_bytes()[..self.len]
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.words.as_mut_bytes()[..self.len]
    }
}

/// The model with these entries as metadata.
fn build(entries: &[Entry<'_>]) -> File {
    let tensor = |len, offset| {
        let shape = Shape::new(&[1, len]).unwrap();
        TensorRecord { scale: 0.25, ..TensorRecord::new(shape, DType::I8, Place::Arena, offset) }
    };
    let node = |op: OpCode, operands, params| NodeRecord {
        op: op as u16,
        packing: 0,
        operands,
        inputs: 1,
        outputs: 1,
        reserved: 0,
        params,
        scratch: 0,
        scratch_len: 0,
    };
    let one = Multiplier { mantissa: 1 << 30, shift: 1 };
    let channels = [0, 1, -2].map(|bias| ChannelQuant { bias, multiplier: one });
    let relu: Vec<i8> = (-128..=127i8).map(|x| x.max(0)).collect();
    let constants = [relu.as_bytes(), WEIGHTS.as_bytes(), channels.as_bytes()].concat();
    let connected =
        fully_connected::Params { weights: 256, channels: 268, depth: 4, stage: OutputStage::new(0) };
    let params = [lookup::Params { table: 0 }.as_bytes(), connected.as_bytes()].concat();
    let mut buffer = [0; 64];
    let metadata: Vec<u8> =
        entries.iter().flat_map(|entry| metadata::encode(entry, &mut buffer).unwrap().to_vec()).collect();
    let write = |work| {
        let writer = Writer {
            tensors: &[tensor(4, 0), tensor(3, 4)],
            nodes: &[node(OpCode::Lookup, 2, 0), node(OpCode::FullyConnected, 4, 4)],
            operands: &[0, 1, 0, 0, 0, 1],
            input_count: 1,
            output_count: 1,
            params: &params,
            constants: &constants,
            metadata: &metadata,
            arena_len: 8,
            work,
        };
        let len = writer.file_len();
        let mut file = File { words: vec![0; len.div_ceil(4)], len };
        writer.write(file.bytes_mut()).unwrap();
        file
    };
    let file = write(0);
    let nodes = Tables::read(file.bytes()).unwrap().nodes();
    let check = |node: secateur::format::Node<'_>| (kernels::ALL.find(&node).unwrap().check)(&node).unwrap();
    write(nodes.map(check).sum())
}

/// The metadata without hashes.
const FACTS: [Entry<'_>; 7] = [
    Entry::Name("tiny"),
    Entry::TensorName(0, "features"),
    Entry::TensorName(1, "scores"),
    Entry::Label(0, "sum"),
    Entry::Label(1, "edge"),
    Entry::Label(2, "last"),
    Entry::ReferenceSeed(SEED),
];

/// The hashes of the model's nodes.
fn hashes() -> Vec<Entry<'static>> {
    let file = build(&FACTS);
    let mut hashes = vec![];
    with_session(file.bytes(), |session| {
        reference_hashes(session, SEED, |node, crc| hashes.push(Entry::ReferenceHash(node, crc)));
    });
    hashes
}

fn with_session<R>(file: &[u8], f: impl FnOnce(&mut Session<'_, '_>) -> R) -> R {
    let model = Model::load(file, &kernels::ALL).unwrap();
    let mut arena = Arena::<8>::new();
    f(&mut Session::new(&model, &mut arena).unwrap())
}

#[test]
fn the_file_is_what_the_writer_writes() {
    let file = build(&[&FACTS[..], &hashes()].concat());
    if std::env::var_os("SECATEUR_REGENERATE").is_some() {
        std::fs::write(PATH, file.bytes()).unwrap();
    }
    assert!(std::fs::read(PATH).unwrap() == file.bytes(), "tiny.sct is out of date");
}

#[test]
fn the_image_knows_its_arena_at_compile_time_and_runs() {
    let mut arena = Arena::<{ MODEL.arena_len() }>::new();
    assert_eq!(arena.len(), 8);
    let model = Model::load(MODEL.bytes(), &kernels::ALL).unwrap();
    assert_eq!(MODEL.arena_len(), model.arena_len());
    let mut session = Session::new(&model, &mut arena).unwrap();
    session.input_mut::<i8>("features").unwrap().copy_from_slice(&[3, 1, -4, 1]);
    session.run();
    assert_eq!(session.output::<i8>("scores").unwrap(), [4, 0, 1]);
}

#[test]
fn the_device_agrees_with_the_references() {
    assert_eq!(with_session(MODEL.bytes(), self_check), Ok(()));
}

#[test]
fn a_node_that_differs_is_named() {
    let mut file = build(&[&FACTS[..], &hashes()].concat());
    let constants = Tables::read(file.bytes()).unwrap().header().constants.offset as usize;
    let bytes = file.bytes_mut();
    bytes[constants + 256] ^= 0x40;
    seal(bytes);
    let result = with_session(file.bytes(), self_check);
    assert!(matches!(result, Err(SelfCheckError::Node { index: 1, .. })), "{result:?}");
}

#[test]
fn without_references_in_order_nothing_is_claimed() {
    let missing = Err(SelfCheckError::NoReference);
    let seed = build(&FACTS);
    assert_eq!(with_session(seed.bytes(), self_check), missing);
    let no_seed = build(&hashes());
    assert_eq!(with_session(no_seed.bytes(), self_check), missing);
    let mut reversed = hashes();
    reversed.reverse();
    let reversed = build(&[&FACTS[..], &reversed].concat());
    assert_eq!(with_session(reversed.bytes(), self_check), missing);
}

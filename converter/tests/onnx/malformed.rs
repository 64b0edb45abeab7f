//! Files that are broken on purpose are refused with a clear message, quickly and in little memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataLocation, DataType, Dimension, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor,
    ValueInfoProto,
};
use secateur_converter::import::Imported;
use secateur_converter::import::onnx::{Options, import};
use secateur_converter::passes;
use secateur_converter::quantize::from_qdq::{applies, from_qdq};

use crate::files;
use crate::operators::{FAMILIES, cases};

/// Most time and memory for one file.
const BOUND: Duration = Duration::from_secs(1);
const MEMORY: u64 = 200 << 20;

fn text(text: &str) -> Option<String> {
    Some(text.into())
}

fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    NodeProto { op_type: text(operator), input: list(inputs), output: list(outputs), ..NodeProto::default() }
}

fn value(name: &str, dimensions: &[Result<i64, &str>]) -> ValueInfoProto {
    let dimension = |dimension: &Result<i64, &str>| match dimension {
        Ok(value) => Dimension { dim_value: Some(*value), dim_param: None },
        Err(name) => Dimension { dim_value: None, dim_param: text(name) },
    };
    let shape = TensorShapeProto { dim: dimensions.iter().map(dimension).collect() };
    let kind = TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: Some(shape) };
    ValueInfoProto {
        name: text(name),
        r#type: Some(TypeProto { tensor_type: Some(kind), ..TypeProto::default() }),
    }
}

fn floats(name: &str, dims: &[i64], bytes: usize) -> TensorProto {
    TensorProto {
        name: text(name),
        dims: dims.to_vec(),
        data_type: Some(DataType::FLOAT),
        raw_data: Some(RefCell::new(vec![0; bytes])),
        ..TensorProto::default()
    }
}

/// A model that reads `x` of shape 1x4 and gives `y`.
fn model(nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let graph = GraphProto {
        node: nodes,
        initializer,
        input: vec![value("x", &[Ok(1), Ok(4)])],
        output: vec![value("y", &[])],
        value_info: Vec::new(),
    };
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(17) }],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

/// The message with which bytes are refused, within the bounds.
fn refused_bytes(bytes: &[u8], options: &Options) -> Option<String> {
    let start = Instant::now();
    let mut message = None;
    let info = measure(|| message = import(bytes, options).err().map(|errors| errors.to_string()));
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    assert!(info.bytes_max < MEMORY, "{} bytes in use", info.bytes_max);
    message
}

fn refused(model: &ModelProto) -> String {
    refused_bytes(&model.write_buf().unwrap(), &Options::default()).expect("refused")
}

#[track_caller]
fn assert_refused(model: &ModelProto, part: &str) {
    let message = refused(model);
    assert!(message.contains(part), "'{part}' is not in: {message}");
}

#[test]
fn an_intact_model_is_taken() {
    let intact = model(vec![node("Relu", &["x"], &["y"])], Vec::new());
    assert_eq!(refused_bytes(&intact.write_buf().unwrap(), &Options::default()), None);
}

#[test]
fn names_lead_to_tensors() {
    let cycle =
        vec![node("Add", &["x", "b"], &["a"]), node("Relu", &["a"], &["b"]), node("Neg", &["b"], &["y"])];
    assert_refused(&model(cycle, Vec::new()), "node 0 'a' (Add): depends on its own output");
    assert_refused(&model(vec![node("Relu", &["z"], &["y"])], Vec::new()), "reads 'z', which is no input");
    assert_refused(&model(vec![node("Relu", &["x"], &["z"])], Vec::new()), "'y': read but never written");
    let twice = vec![node("Relu", &["x"], &["y"]), node("Neg", &["x"], &["y"])];
    assert_refused(&model(twice, Vec::new()), "'y' is given more than once");
    let same = vec![floats("w", &[1], 4), floats("w", &[1], 4)];
    assert_refused(&model(vec![node("Add", &["x", "w"], &["y"])], same), "'w' is given more than once");
}

#[test]
fn every_problem_is_listed() {
    let nodes =
        vec![node("LSTM", &["x"], &["a"]), node("Foo", &["a"], &["b"]), node("Conv", &["x", "w"], &["y"])];
    let message = refused(&model(nodes, vec![floats("w", &[2, 1, 3, 3], 70)]));
    for part in ["(LSTM)", "(Foo)", "70 bytes of data, but the shape [2,1,3,3] takes 72"] {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

#[test]
fn shapes_are_sane() {
    let add = || vec![node("Add", &["x", "w"], &["y"])];
    assert_refused(&model(add(), vec![floats("w", &[1 << 40], 4)]), "elements are supported");
    assert_refused(&model(add(), vec![floats("w", &[-1], 4)]), "must be 0 or more");
    assert_refused(&model(add(), vec![floats("w", &[1; 9], 4)]), "rank 9");
    assert_refused(&model(add(), vec![floats("w", &[3], 12)]), "do not go together");
    let mut huge = model(vec![node("Relu", &["x"], &["y"])], Vec::new());
    huge.graph.as_mut().unwrap().input = vec![value("x", &[Ok(1 << 40), Ok(1 << 40)])];
    assert_refused(&huge, "elements are supported");
    let mut conv = node("Conv", &["x", "w"], &["y"]);
    let ints = |name: &str, ints: &[i64]| AttributeProto {
        name: text(name),
        ints: ints.to_vec(),
        r#type: Some(AttributeType::INTS),
        ..AttributeProto::default()
    };
    conv.attribute = vec![ints("pads", &[i64::MAX; 4]), ints("strides", &[0, i64::MIN])];
    let mut absurd = model(vec![conv], vec![floats("w", &[1, 1, 1, 1], 4)]);
    absurd.graph.as_mut().unwrap().input = vec![value("x", &[Ok(1), Ok(1), Ok(4), Ok(4)])];
    let message = refused(&absurd);
    assert!(message.contains("pads") && message.contains("strides"), "{message}");
}

#[test]
fn open_dimensions_need_a_shape() {
    let mut open = model(vec![node("Relu", &["x"], &["y"])], Vec::new());
    open.graph.as_mut().unwrap().input = vec![value("x", &[Err("batch"), Ok(3), Err("h"), Err("w")])];
    assert_refused(&open, "dimension 2 (h) is open: fix it with --shape x=1,3,h,w");
    let bytes = open.write_buf().unwrap();
    let with = |name: &str, shape: &[usize]| {
        let shapes = BTreeMap::from([(name.to_string(), shape.to_vec())]);
        refused_bytes(&bytes, &Options { shapes, folder: None })
    };
    assert_eq!(with("x", &[1, 3, 96, 96]), None);
    assert!(with("x", &[1, 1, 96, 96]).unwrap().contains("but the file has [batch,3,h,w]"));
    assert!(with("z", &[1, 3, 96, 96]).unwrap().contains("--shape names 'z', but the inputs are x"));
    open.graph.as_mut().unwrap().input = vec![value("x", &[Err("batch"), Ok(3)])];
    assert_eq!(refused_bytes(&open.write_buf().unwrap(), &Options::default()), None);
}

#[test]
fn versions_and_domains_are_checked() {
    let relu = || model(vec![node("Relu", &["x"], &["y"])], Vec::new());
    assert_refused(&ModelProto { ir_version: Some(99), ..relu() }, "IR version 99");
    let opset = |version| ModelProto {
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(version) }],
        ..relu()
    };
    assert_refused(&opset(10), "opset 10: versions 11 to 23");
    assert_refused(&opset(24), "opset 24");
    assert_refused(&ModelProto { opset_import: Vec::new(), ..relu() }, "no opset");
    assert_refused(&ModelProto { graph: None, ..relu() }, "no graph");
    let foreign = NodeProto { domain: text("my.domain"), ..node("Relu", &["x"], &["y"]) };
    assert_refused(&model(vec![foreign], Vec::new()), "domain 'my.domain'");
    let mut extra = node("Relu", &["x"], &["y"]);
    extra.attribute = vec![AttributeProto { name: text("slope"), i: Some(1), ..AttributeProto::default() }];
    assert_refused(&model(vec![extra], Vec::new()), "attribute slope is not known");
}

#[test]
fn data_beside_the_model_stays_in_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("model");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(root.path().join("secret"), [0; 16]).unwrap();
    std::fs::write(folder.join("weights"), [0; 16]).unwrap();
    let at = |location: &str| {
        let entry = StringStringEntryProto { key: text("location"), value: text(location) };
        let weights = TensorProto {
            raw_data: None,
            external_data: vec![entry],
            data_location: Some(DataLocation::EXTERNAL),
            ..floats("w", &[4], 0)
        };
        let model = model(vec![node("Add", &["x", "w"], &["y"])], vec![weights]);
        let options = Options { folder: Some(folder.clone()), ..Options::default() };
        refused_bytes(&model.write_buf().unwrap(), &options)
    };
    assert_eq!(at("weights"), None);
    assert!(at("../secret").unwrap().contains("outside the model's folder"));
    assert!(at(root.path().join("secret").to_str().unwrap()).unwrap().contains("outside the model's folder"));
}

/// A field of variable length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![];
    let mut varint = |mut value: usize| {
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    };
    varint(usize::from(number) << 3 | 2);
    varint(content.len());
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn damaged_messages_are_refused() {
    let part = |bytes: &[u8], part: &str| {
        let message = refused_bytes(bytes, &Options::default()).expect("refused");
        assert!(message.contains(part), "'{part}' is not in: {message}");
    };
    part(b"", "no graph");
    part(b"hello, world", "damaged or no ONNX file");
    part(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "reaches past its end");
    part(b"\x12\xff\xff\xff\xff\x7f", "reaches past its end");
    part(&field(7, b"\x0a\xff\xff\xff\x7f"), "reaches past its end");
    part(&field(7, &field(15, b"")), "sparse initializers");
    part(&field(25, b""), "functions of its own");
    let mut nested = Vec::new();
    for _ in 0..2000 {
        nested = field(1, &field(5, &field(6, &nested)));
    }
    part(&field(7, &nested), "nested too deeply");
    part(&field(7, &field(1, &field(5, b"").repeat(1 << 20))), "lists more nodes");
    let numbers = field(5, &field(4, &[0; 7]));
    part(&field(7, &numbers), "a damaged list of numbers");
}

#[test]
fn random_damage_of_real_models() {
    for name in ["torch/dscnn/dscnn.onnx", "torch/dscnn/dscnn_qdq.onnx", "own/fashion_dscnn.onnx"] {
        let Some(path) = files::shared(name) else { return };
        let intact = files::read(path);
        let mut random = fastrand::Rng::with_seed(7);
        let mut bytes = intact.clone();
        let mut accepted = 0;
        for _ in 0..1500 {
            for _ in 0..random.usize(1..=4) {
                let position = random.usize(..bytes.len());
                // Messages are dense at the beginning, where the nodes are, and among the names of weights.
                let position = if random.bool() { position % 8192 } else { position };
                match random.u8(0..3) {
                    0 => bytes[position] ^= 1 << random.u8(0..8),
                    1 => bytes[position] = random.u8(..),
                    _ => bytes[position] = random.choice([0, 1, 0x7f, 0x80, 0xff]).unwrap_or(0),
                }
            }
            let start = Instant::now();
            accepted += usize::from(import(&bytes, &Options::default()).is_ok());
            assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
            bytes.copy_from_slice(&intact);
        }
        eprintln!("{name}: {accepted} of 1500 imported");
        assert!((15..1500).contains(&accepted), "{name}: {accepted} of 1500 were imported");
    }
}

/// Damaged models of every operator: what is still imported goes through the passes.
#[test]
fn random_damage_of_every_operator() {
    let mut random = fastrand::Rng::with_seed(11);
    let (mut accepted, mut tried) = (0, 0);
    for (name, case) in FAMILIES.into_iter().flat_map(cases) {
        let intact = &case["model.onnx"];
        let mut bytes = intact.clone();
        for _ in 0..30 {
            for _ in 0..random.usize(1..=3) {
                let position = random.usize(..bytes.len());
                match random.u8(0..4) {
                    0 => bytes[position] ^= 1 << random.u8(0..8),
                    1 => bytes[position] = random.u8(..),
                    2 => bytes[position] = random.choice([0, 1, 2, 0x7f, 0x80, 0xff]).unwrap_or(0),
                    _ => bytes[position] = bytes[position].wrapping_add(random.choice([1, 255]).unwrap_or(1)),
                }
            }
            tried += 1;
            let start = Instant::now();
            let imported = import(&bytes, &Options::default());
            assert!(start.elapsed() < BOUND, "{name} took {:?}", start.elapsed());
            if let Ok(Imported::Float(mut graph)) = imported {
                accepted += 1;
                if applies(&graph) {
                    let _ = from_qdq(graph.clone());
                }
                passes::normalize(&mut graph).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            bytes.copy_from_slice(intact);
        }
    }
    eprintln!("{accepted} of {tried} imported");
    assert!(accepted > tried / 20, "{accepted} of {tried}");
}

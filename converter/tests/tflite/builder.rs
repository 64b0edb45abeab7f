//! Builds TensorFlow Lite files, also wrong ones.

use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, VOffsetT, WIPOffset};

/// Numbers of tensor types in the schema.
pub(crate) mod types {
    pub(crate) const FLOAT32: i8 = 0;
    pub(crate) const FLOAT16: i8 = 1;
    pub(crate) const INT32: i8 = 2;
    pub(crate) const UINT8: i8 = 3;
    pub(crate) const INT16: i8 = 7;
    pub(crate) const INT8: i8 = 9;
    pub(crate) const INT4: i8 = 17;
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) inputs: Vec<i32>,
    pub(crate) outputs: Vec<i32>,
    /// The subgraphs that signatures name.
    pub(crate) signatures: Vec<u32>,
    /// How many times the list of tensors repeats the first.
    pub(crate) repeats: usize,
    /// Bytes after the tables, for buffers stored outside.
    pub(crate) appendix: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) kind: i8,
    pub(crate) shape: Vec<i32>,
    pub(crate) signature: Vec<i32>,
    pub(crate) data: Vec<u8>,
    pub(crate) scales: Vec<f32>,
    pub(crate) zero_points: Vec<i64>,
    pub(crate) axis: i32,
    pub(crate) variable: bool,
    pub(crate) sparse: bool,
    pub(crate) details: bool,
    /// Whether the data is the file's appendix.
    pub(crate) outside: bool,
}

impl Tensor {
    /// An activation of type int8.
    pub(crate) fn int8(shape: &[i32]) -> Self {
        Tensor::of(types::INT8, shape).scaled(0.5, 1)
    }

    pub(crate) fn of(kind: i8, shape: &[i32]) -> Self {
        Tensor { kind, shape: shape.to_vec(), ..Tensor::default() }
    }

    /// A filter of type int8 with one scale per index of axis `axis`.
    pub(crate) fn filter(shape: &[i32], axis: usize) -> Self {
        let elements = shape.iter().product::<i32>();
        let scales = (1..=shape[axis]).map(|channel| channel as f32 / 8.0).collect();
        let data = (0..elements).map(|element| element as u8).collect();
        Tensor { axis: axis as i32, scales, data, ..Tensor::of(types::INT8, shape) }
    }

    /// A constant vector of type int32.
    pub(crate) fn int32(values: &[i32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Tensor { data, ..Tensor::of(types::INT32, &[values.len() as i32]) }
    }

    pub(crate) fn float(shape: &[i32]) -> Self {
        Tensor::of(types::FLOAT32, shape)
    }

    pub(crate) fn scaled(mut self, scale: f32, zero_point: i64) -> Self {
        (self.scales, self.zero_points) = (vec![scale], vec![zero_point]);
        self
    }

    pub(crate) fn with_data(mut self, data: &[u8]) -> Self {
        self.data = data.to_vec();
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Operator {
    pub(crate) code: i32,
    /// 0: left out, which means 1.
    pub(crate) version: i32,
    /// The older field for the code, if it is to differ.
    pub(crate) older_code: Option<i8>,
    pub(crate) custom: String,
    pub(crate) inputs: Vec<i32>,
    pub(crate) outputs: Vec<i32>,
    pub(crate) options_kind: u8,
    /// Options by field number.
    pub(crate) options: Vec<(VOffsetT, Value)>,
}

impl Operator {
    pub(crate) fn new(code: i32, inputs: &[i32], output: i32) -> Self {
        Operator { code, inputs: inputs.to_vec(), outputs: vec![output], ..Operator::default() }
    }

    pub(crate) fn with(mut self, kind: u8, options: &[(VOffsetT, Value)]) -> Self {
        (self.options_kind, self.options) = (kind, options.to_vec());
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Byte(i8),
    Int(i32),
    Float(f32),
    Ints(Vec<i32>),
}

impl Model {
    /// A model of one operator that reads all tensors but the last, which it writes. Those without data are inputs.
    pub(crate) fn single(tensors: Vec<Tensor>, operator: Operator) -> Self {
        let last = tensors.len() as i32 - 1;
        let inputs = (0..last).filter(|&index| tensors[index as usize].data.is_empty()).collect();
        Model { tensors, operators: vec![operator], inputs, outputs: vec![last], ..Model::default() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let once = self.bytes_with(0);
        let bytes = self.bytes_with(once.len() as u64);
        assert_eq!(bytes.len(), once.len());
        [bytes, self.appendix.clone()].concat()
    }

    fn bytes_with(&self, appendix_at: u64) -> Vec<u8> {
        let mut builder = FlatBufferBuilder::new();
        let empty = table(&mut builder, |_| {});
        let mut buffers = vec![empty];
        let mut tensors = Vec::new();
        for tensor in &self.tensors {
            buffers.push(buffer(&mut builder, tensor, appendix_at, self.appendix.len() as u64));
            let buffer = buffers.len() as u32 - 1;
            tensors.push(write_tensor(&mut builder, tensor, buffer));
        }
        tensors.extend(vec![tensors.first().copied(); self.repeats].into_iter().flatten());
        let mut codes = Vec::new();
        let mut operators = Vec::new();
        for operator in &self.operators {
            codes.push(write_code(&mut builder, operator));
            operators.push(write_operator(&mut builder, operator, codes.len() as u32 - 1));
        }
        let tensors = builder.create_vector(&tensors);
        let inputs = builder.create_vector(&self.inputs);
        let outputs = builder.create_vector(&self.outputs);
        let operators = builder.create_vector(&operators);
        let subgraph = table(&mut builder, |builder| {
            builder.push_slot_always(slot(0), tensors);
            builder.push_slot_always(slot(1), inputs);
            builder.push_slot_always(slot(2), outputs);
            builder.push_slot_always(slot(3), operators);
        });
        let signatures: Vec<_> = self
            .signatures
            .iter()
            .map(|&subgraph| table(&mut builder, |builder| builder.push_slot_always(slot(4), subgraph)))
            .collect();
        let signatures = builder.create_vector(&signatures);
        let codes = builder.create_vector(&codes);
        let subgraphs = builder.create_vector(&[subgraph]);
        let buffers = builder.create_vector(&buffers);
        let model = table(&mut builder, |builder| {
            builder.push_slot_always(slot(0), 3u32);
            builder.push_slot_always(slot(1), codes);
            builder.push_slot_always(slot(2), subgraphs);
            builder.push_slot_always(slot(4), buffers);
            builder.push_slot_always(slot(7), signatures);
        });
        builder.finish(model, Some("TFL3"));
        builder.finished_data().to_vec()
    }
}

type Table = WIPOffset<TableFinishedWIPOffset>;

fn slot(field: VOffsetT) -> VOffsetT {
    4 + 2 * field
}

fn table<'a>(builder: &mut FlatBufferBuilder<'a>, fields: impl FnOnce(&mut FlatBufferBuilder<'a>)) -> Table {
    let start = builder.start_table();
    fields(builder);
    builder.end_table(start)
}

fn buffer(builder: &mut FlatBufferBuilder<'_>, tensor: &Tensor, offset: u64, size: u64) -> Table {
    let data = (!tensor.data.is_empty()).then(|| builder.create_vector(&tensor.data));
    table(builder, |builder| {
        if let Some(data) = data {
            builder.push_slot_always(slot(0), data);
        }
        if tensor.outside {
            builder.push_slot_always(slot(1), offset);
            builder.push_slot_always(slot(2), size);
        }
    })
}

fn write_tensor(builder: &mut FlatBufferBuilder<'_>, tensor: &Tensor, buffer: u32) -> Table {
    let name = builder.create_string(&tensor.name);
    let shape = builder.create_vector(&tensor.shape);
    let signature = builder.create_vector(&tensor.signature);
    let scales = builder.create_vector(&tensor.scales);
    let zero_points = builder.create_vector(&tensor.zero_points);
    let quantization = table(builder, |builder| {
        builder.push_slot_always(slot(2), scales);
        builder.push_slot_always(slot(3), zero_points);
        builder.push_slot(slot(4), u8::from(tensor.details), 0);
        builder.push_slot(slot(6), tensor.axis, 0);
    });
    let sparsity = tensor.sparse.then(|| table(builder, |_| {}));
    table(builder, |builder| {
        builder.push_slot_always(slot(0), shape);
        builder.push_slot(slot(1), tensor.kind, 0);
        builder.push_slot(slot(2), buffer, 0);
        builder.push_slot_always(slot(3), name);
        builder.push_slot_always(slot(4), quantization);
        builder.push_slot(slot(5), tensor.variable, false);
        if let Some(sparsity) = sparsity {
            builder.push_slot_always(slot(6), sparsity);
        }
        builder.push_slot_always(slot(7), signature);
    })
}

fn write_code(builder: &mut FlatBufferBuilder<'_>, operator: &Operator) -> Table {
    let custom = builder.create_string(&operator.custom);
    let older = operator.older_code.unwrap_or(operator.code.min(127) as i8);
    table(builder, |builder| {
        builder.push_slot(slot(0), older, 0);
        builder.push_slot_always(slot(1), custom);
        builder.push_slot(slot(2), operator.version, 0);
        builder.push_slot(slot(3), operator.code, 0);
    })
}

fn write_operator(builder: &mut FlatBufferBuilder<'_>, operator: &Operator, code: u32) -> Table {
    let inputs = builder.create_vector(&operator.inputs);
    let outputs = builder.create_vector(&operator.outputs);
    let lists: Vec<_> = operator
        .options
        .iter()
        .map(|(_, value)| match value {
            Value::Ints(values) => Some(builder.create_vector(values)),
            _ => None,
        })
        .collect();
    let options = table(builder, |builder| {
        for ((field, value), list) in operator.options.iter().zip(lists) {
            match (value, list) {
                (&Value::Byte(value), _) => builder.push_slot_always(slot(*field), value),
                (&Value::Int(value), _) => builder.push_slot_always(slot(*field), value),
                (&Value::Float(value), _) => builder.push_slot_always(slot(*field), value),
                (Value::Ints(_), Some(list)) => builder.push_slot_always(slot(*field), list),
                (Value::Ints(_), None) => {}
            }
        }
    });
    table(builder, |builder| {
        builder.push_slot(slot(0), code, 0);
        builder.push_slot_always(slot(1), inputs);
        builder.push_slot_always(slot(2), outputs);
        if operator.options_kind != 0 {
            builder.push_slot_always(slot(3), operator.options_kind);
            builder.push_slot_always(slot(4), options);
        }
    })
}

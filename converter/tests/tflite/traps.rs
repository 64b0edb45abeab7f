//! What real files do in unusual ways, one small model each.

use secateur_converter::import::Imported;
use secateur_converter::import::tflite::import;
use secateur_converter::ir::text::print;

use crate::builder::{Model, Operator, Tensor, Value, types};

// Numbers of operators and of kinds of options in the schema.
const ADD: i32 = 0;
const CONCATENATION: i32 = 2;
const CONV_2D: i32 = 3;
const DEPTHWISE_CONV_2D: i32 = 4;
const DEQUANTIZE: i32 = 6;
const FULLY_CONNECTED: i32 = 9;
const RELU: i32 = 19;
const RESHAPE: i32 = 22;
const SOFTMAX: i32 = 25;
const CUSTOM: i32 = 32;
const MEAN: i32 = 40;
const STRIDED_SLICE: i32 = 45;
const PADV2: i32 = 60;
const TRANSPOSE_CONV: i32 = 67;
const SHAPE: i32 = 77;
const PACK: i32 = 83;
const SPLIT_V: i32 = 102;
const QUANTIZE: i32 = 114;
const RFFT2D: i32 = 131;
const GELU: i32 = 150;

fn conv(padding: i8, stride: [i32; 2]) -> (u8, Vec<(u16, Value)>) {
    (1, vec![(0, Value::Byte(padding)), (1, Value::Int(stride[1])), (2, Value::Int(stride[0]))])
}

fn text(model: &Model) -> String {
    match import(&model.bytes()) {
        Ok(Imported::Quantized(graph)) => print(&graph, 64),
        Ok(Imported::Float(graph) | Imported::Hybrid(graph)) => print(&graph, 64),
        Err(errors) => panic!("{errors}"),
    }
}

/// The nodes of an imported model, without their names.
fn nodes(model: &Model) -> String {
    let text = text(model);
    let nodes = text.lines().filter_map(|line| line.strip_prefix("node \"\" "));
    nodes.collect::<Vec<_>>().join("\n")
}

fn problems(model: &Model) -> Vec<String> {
    match import(&model.bytes()) {
        Ok(imported) => panic!("{imported:?}"),
        Err(errors) => errors.problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn same_padding_is_asymmetric_and_the_bias_optional() {
    let tensors =
        vec![Tensor::int8(&[1, 8, 9, 3]), Tensor::filter(&[4, 3, 3, 3], 0), Tensor::int8(&[1, 4, 5, 4])];
    let (kind, options) = conv(0, [2, 2]);
    let model = Model::single(tensors, Operator::new(CONV_2D, &[0, 1, -1], 2).with(kind, &options));
    let expected = "Conv2d(%0, %1) -> %2 dilation=[1,1] groups=1 padding=[0,1,1,1] stride=[2,2]";
    assert_eq!(nodes(&model), expected);
}

#[test]
fn groups_follow_from_the_filter() {
    let tensors =
        vec![Tensor::int8(&[1, 2, 2, 6]), Tensor::filter(&[4, 1, 1, 3], 0), Tensor::int8(&[1, 2, 2, 4])];
    let (kind, options) = conv(1, [1, 1]);
    let model = Model::single(tensors, Operator::new(CONV_2D, &[0, 1], 2).with(kind, &options));
    assert_eq!(nodes(&model), "Conv2d(%0, %1) -> %2 dilation=[1,1] groups=2 stride=[1,1]");
}

#[test]
fn the_depth_multiplier_follows_from_the_shapes() {
    let tensors =
        vec![Tensor::int8(&[1, 2, 2, 3]), Tensor::filter(&[1, 1, 1, 6], 3), Tensor::int8(&[1, 2, 2, 6])];
    let options = [(0, Value::Byte(1)), (1, Value::Int(1)), (2, Value::Int(1)), (3, Value::Int(5))];
    let model = Model::single(tensors, Operator::new(DEPTHWISE_CONV_2D, &[0, 1], 2).with(2, &options));
    assert_eq!(nodes(&model), "DepthwiseConv2d(%0, %1) -> %2 dilation=[1,1] multiplier=2 stride=[1,1]");
}

#[test]
fn a_bias_may_carry_the_axis_of_the_weights() {
    let bias = Tensor { scales: vec![0.1, 0.2], axis: 3, ..Tensor::int32(&[5, 6]) };
    let tensors = vec![Tensor::int8(&[1, 3]), Tensor::filter(&[2, 3], 0), bias, Tensor::int8(&[1, 2])];
    let model = Model::single(tensors, Operator::new(FULLY_CONNECTED, &[0, 1, 2], 3).with(8, &[]));
    assert!(text(&model).contains("%2 \"\" i32[2] scale [0.1,0.2] zero [0,0] axis 0 = [5,6]"));
    assert_eq!(nodes(&model), "FullyConnected(%0, %1, %2) -> %3 keep_dims=false");
}

#[test]
fn a_transposed_convolution_takes_its_inputs_in_another_order() {
    let shape = Tensor::int32(&[1, 5, 5, 2]);
    let tensors = vec![
        shape,
        Tensor::filter(&[2, 3, 3, 4], 0),
        Tensor::int8(&[1, 3, 3, 4]),
        Tensor::int8(&[1, 5, 5, 2]),
    ];
    let (_, options) = conv(0, [2, 2]);
    let model = Model::single(tensors, Operator::new(TRANSPOSE_CONV, &[0, 1, 2], 3).with(49, &options));
    assert_eq!(nodes(&model), "TransposeConv2d(%2, %1) -> %3 output=[5,5] padding=[1,1,1,1] stride=[2,2]");
}

#[test]
fn a_shape_is_an_input_or_an_attribute_or_that_of_the_output() {
    let reshape = |inputs: &[i32]| Operator::new(RESHAPE, inputs, inputs.len() as i32);
    let by_input = vec![Tensor::int8(&[2, 6]), Tensor::int32(&[3, -1]), Tensor::int8(&[3, 4])];
    assert_eq!(nodes(&Model::single(by_input, reshape(&[0, 1]))), "Reshape(%0) -> %2 shape=[3,4]");
    let two = vec![Tensor::int8(&[2, 6]), Tensor::int8(&[3, 4])];
    let by_attribute = reshape(&[0]).with(17, &[(0, Value::Ints(vec![-1, 4]))]);
    assert_eq!(nodes(&Model::single(two.clone(), by_attribute)), "Reshape(%0) -> %1 shape=[3,4]");
    assert_eq!(nodes(&Model::single(two.clone(), reshape(&[0]))), "Reshape(%0) -> %1 shape=[3,4]");
    let twice_open = reshape(&[0]).with(17, &[(0, Value::Ints(vec![-1, -1]))]);
    assert!(
        problems(&Model::single(two, twice_open))[0].contains("new_shape = [-1, -1]: must be dimensions")
    );
}

#[test]
fn a_computed_shape_is_known_and_its_operators_disappear() {
    let tensors = vec![
        Tensor::int8(&[1, 2, 3]),
        Tensor::of(types::INT32, &[3]),
        Tensor::of(types::INT32, &[1]),
        Tensor::int32(&[0]),
        Tensor::int32(&[1]),
        Tensor::of(types::INT32, &[]),
        Tensor::int32(&[6]),
        Tensor::of(types::INT32, &[2]),
        Tensor::int8(&[1, 6]),
    ];
    let tensors = tensors.into_iter().enumerate().map(|(index, tensor)| match index {
        6 => Tensor { shape: vec![], ..tensor },
        _ => tensor,
    });
    let shrink = [(4, Value::Int(1))];
    let operators = vec![
        Operator::new(SHAPE, &[0], 1),
        Operator::new(STRIDED_SLICE, &[1, 3, 4, 4], 5).with(32, &shrink),
        Operator::new(PACK, &[5, 6], 7).with(59, &[(0, Value::Int(2))]),
        Operator::new(RESHAPE, &[0, 7], 8),
    ];
    let model = Model {
        tensors: tensors.collect(),
        operators,
        inputs: vec![0],
        outputs: vec![8],
        ..Model::default()
    };
    assert_eq!(nodes(&model), "Reshape(%0) -> %8 shape=[1,6]");
}

#[test]
fn axes_count_from_the_end_too() {
    let tensors = vec![Tensor::int8(&[1, 4, 5, 6]), Tensor::int32(&[-2, 1, -3]), Tensor::int8(&[1, 1, 1, 6])];
    let keep = [(0, Value::Byte(1))];
    let model = Model::single(tensors, Operator::new(MEAN, &[0, 1], 2).with(27, &keep));
    assert_eq!(nodes(&model), "Mean(%0) -> %2 axes=[1,2] keep_dims=true");
    let tensors = vec![Tensor::int8(&[1, 4]), Tensor::int8(&[1, 5]), Tensor::int8(&[1, 9])];
    let model =
        Model::single(tensors, Operator::new(CONCATENATION, &[0, 1], 2).with(10, &[(0, Value::Int(-1))]));
    assert_eq!(nodes(&model), "Concatenation(%0, %1) -> %2 axis=1");
}

#[test]
fn an_axis_out_of_range_or_computed_is_refused() {
    let mean = |axes: Tensor| {
        let tensors = vec![Tensor::int8(&[1, 4]), axes, Tensor::int8(&[1])];
        problems(&Model::single(tensors, Operator::new(MEAN, &[0, 1], 2).with(27, &[])))
    };
    assert_eq!(mean(Tensor::int32(&[2])), ["node 0 '' (MEAN): axes = 2: must be within -2 and 1"]);
    assert_eq!(mean(Tensor::int32(&[-3])), ["node 0 '' (MEAN): axes = -3: must be within -2 and 1"]);
    let computed = mean(Tensor::of(types::INT32, &[1]));
    assert!(
        computed[0].contains("the axes is computed by the network: it must be a constant"),
        "{computed:?}"
    );
    let long = mean(Tensor::int32(&[1; 17]));
    assert!(long[0].contains("the axes has 17 elements: at most 16 expected"), "{long:?}");
}

#[test]
fn slices_resolve_masks_and_go_backwards() {
    let slice = |begin: &[i32], end: &[i32], stride: &[i32], masks: &[(u16, Value)], output: &[i32]| {
        let tensors = vec![
            Tensor::int8(&[4, 5]),
            Tensor::int32(begin),
            Tensor::int32(end),
            Tensor::int32(stride),
            Tensor::int8(output),
        ];
        nodes(&Model::single(tensors, Operator::new(STRIDED_SLICE, &[0, 1, 2, 3], 4).with(32, masks)))
    };
    let axis = |begin: usize, count: usize, stride: i32| {
        format!("{{\"begin\":{begin},\"count\":{count},\"stride\":{stride}}}")
    };
    assert_eq!(
        slice(&[-1, 9], &[0, 0], &[-2, 1], &[(0, Value::Int(2)), (1, Value::Int(3))], &[2, 5]),
        format!("StridedSlice(%0) -> %4 axes=[{},{}] shape=[2,5]", axis(3, 2, -2), axis(0, 5, 1))
    );
    assert_eq!(
        slice(&[2], &[0], &[1], &[(4, Value::Int(1))], &[5]),
        format!("StridedSlice(%0) -> %4 axes=[{},{}] shape=[5]", axis(2, 1, 1), axis(0, 5, 1))
    );
    assert_eq!(
        slice(&[0, 0, 1], &[0, 0, 3], &[1, 1, 1], &[(2, Value::Int(1)), (3, Value::Int(2))], &[4, 1, 2]),
        format!("StridedSlice(%0) -> %4 axes=[{},{}] shape=[4,1,2]", axis(0, 4, 1), axis(1, 2, 1))
    );
}

#[test]
fn a_padding_value_becomes_a_real_number() {
    let paddings = Tensor { shape: vec![2, 2], ..Tensor::int32(&[0, 0, 1, 2]) };
    let value = Tensor::int8(&[1]).with_data(&[251]);
    let tensors = vec![Tensor::int8(&[1, 4]), paddings, value, Tensor::int8(&[1, 7])];
    let model = Model::single(tensors, Operator::new(PADV2, &[0, 1, 2], 3));
    assert_eq!(nodes(&model), "Pad(%0) -> %3 after=[0,2] before=[0,1] value=-3.0");
}

#[test]
fn one_size_of_a_split_may_be_open() {
    let tensors = vec![
        Tensor::int8(&[1, 7]),
        Tensor::int32(&[2, -1]),
        Tensor::int32(&[-1]),
        Tensor::int8(&[1, 2]),
        Tensor::int8(&[1, 5]),
    ];
    let operator = Operator { outputs: vec![3, 4], ..Operator::new(SPLIT_V, &[0, 1, 2], 3) };
    let model = Model {
        inputs: vec![0],
        outputs: vec![3, 4],
        tensors,
        operators: vec![operator],
        ..Model::default()
    };
    assert_eq!(nodes(&model), "Split(%0) -> %3, %4 axis=1 sizes=[2,5]");
}

#[test]
fn operators_out_of_order_are_sorted() {
    let mut model = Model::single(vec![Tensor::int8(&[2]); 3], Operator::new(RELU, &[1], 2));
    model.operators.push(Operator::new(RELU, &[0], 1));
    model.inputs = vec![0];
    assert_eq!(nodes(&model), "Relu(%0) -> %1\nRelu(%1) -> %2");
}

#[test]
fn unsupported_operators_are_named() {
    let model = |operator: Operator| Model::single(vec![Tensor::int8(&[2]); 2], operator);
    let operator = |code: i32| problems(&model(Operator::new(code, &[0], 1)));
    assert_eq!(
        operator(RFFT2D),
        [
            "node 0 '' (RFFT2D): operator RFFT2D (131) is not supported; replace it in the model and export again"
        ]
    );
    assert!(operator(GELU)[0].contains("GELU (150)"));
    assert!(operator(5000)[0].contains("operator number 5000 is not known"));
    let custom = Operator { custom: "MyOp".into(), ..Operator::new(CUSTOM, &[0], 1) };
    assert_eq!(
        problems(&model(custom)),
        ["node 0 '' (CUSTOM MyOp): custom operator 'MyOp' is not supported; export the model without it"]
    );
    let newer = Operator { version: 9, ..Operator::new(RELU, &[0], 1) };
    assert!(problems(&model(newer))[0].starts_with("node 0 '' (RELU): version 9: only versions up to 3"));
    let older_field_only = Operator { code: 0, older_code: Some(RELU as i8), ..Operator::new(RELU, &[0], 1) };
    assert_eq!(nodes(&model(older_field_only)), "Relu(%0) -> %1");
}

#[test]
fn every_problem_is_listed_at_once() {
    let filter = Tensor { scales: vec![0.0; 2], ..Tensor::filter(&[2, 1, 1, 1], 0) };
    let tensors = vec![
        Tensor::int8(&[1, 4, 4, 1]).named("input"),
        filter.named("filter"),
        Tensor::int8(&[1, 4, 4, 2]).named("conv"),
        Tensor::int8(&[1, 4, 4, 2]).named("gelu"),
        Tensor::int8(&[1, 4, 4, 2]).named("softmax"),
        Tensor::int8(&[1, 4, 4, 3]).named("relu"),
    ];
    let options = [(1, Value::Int(1)), (2, Value::Int(0)), (3, Value::Byte(4)), (5, Value::Int(-1))];
    let operators = vec![
        Operator::new(CONV_2D, &[0, 1], 2).with(1, &options),
        Operator::new(GELU, &[2], 3),
        Operator::new(SOFTMAX, &[3], 4).with(9, &[(0, Value::Float(-1.0))]),
        Operator::new(RELU, &[4], 5),
    ];
    let model = Model { tensors, operators, inputs: vec![0], outputs: vec![5], ..Model::default() };
    assert_eq!(
        problems(&model),
        [
            "node 0 'conv' (CONV_2D): stride_h = 0: strides must be 1 or more; re-export the model",
            "node 0 'conv' (CONV_2D): dilation_h_factor = -1: dilations must be 1 or more; re-export the model",
            "node 0 'conv' (CONV_2D): fused_activation_function = TANH is not supported; only RELU, RELU_N1_TO_1 and RELU6 \
             can be fused: make it an operator of its own",
            "node 1 'gelu' (GELU): operator GELU (150) is not supported; replace it in the model and export again",
            "node 2 'softmax' (SOFTMAX): beta = -1: must be positive and finite",
            "node 3 'relu' (RELU): output 0 has shape [1,4,4,3], but the operator writes [1,4,4,2]",
        ]
    );
}

#[test]
fn unsupported_types_are_reported_once_with_advice() {
    let relu = |kind: i8| {
        let tensors = vec![Tensor::of(kind, &[2]).scaled(0.5, 0).named("x"); 2];
        problems(&Model::single(tensors, Operator::new(RELU, &[0], 1)))
    };
    let advice = "(and 1 more of this type): the older 8-bit quantization is not supported: convert with int8 quantization";
    assert_eq!(relu(types::UINT8), [format!("tensor 0 'x': UINT8 {advice}")]);
    assert!(
        relu(types::INT4)[0].starts_with("tensor 0 'x': INT4 (and 1 more of this type): weights of 4 bits")
    );
    assert!(relu(types::INT16)[0].contains("16-bit activations are not supported yet"));
    assert!(relu(types::FLOAT16)[0].contains("half precision"));
    assert!(relu(5)[0].contains("STRING"));
    assert!(relu(99)[0].contains("type number 99"));
}

#[test]
fn states_and_storage_that_are_not_supported_are_named() {
    let relu = |tensor: Tensor| {
        let name = tensor.named("x");
        problems(&Model::single(vec![name, Tensor::int8(&[2])], Operator::new(RELU, &[0], 1)))
    };
    let x = Tensor::int8(&[2]);
    assert!(relu(Tensor { variable: true, ..x.clone() })[0].starts_with("tensor 0 'x': is a variable"));
    assert!(relu(Tensor { sparse: true, ..x.clone() })[0].starts_with("tensor 0 'x': is stored sparse"));
    assert!(
        relu(Tensor { details: true, ..x.clone() })[0].starts_with("tensor 0 'x': has custom quantization")
    );
    assert!(relu(Tensor::int8(&[1; 9]))[0].starts_with("tensor 0 'x': rank 9"));
}

#[test]
fn an_open_batch_is_one_and_other_open_axes_are_refused() {
    let relu = |shape: &[i32], signature: &[i32]| {
        let x = Tensor { signature: signature.to_vec(), ..Tensor::int8(shape) };
        Model::single(vec![x, Tensor::int8(&[1, 4])], Operator::new(RELU, &[0], 1))
    };
    assert_eq!(nodes(&relu(&[1, 4], &[-1, 4])), "Relu(%0) -> %1");
    assert_eq!(nodes(&relu(&[-1, 4], &[])), "Relu(%0) -> %1");
    let open = "tensor 0 '': dimension 1 is -1: export the model with a fixed input shape";
    assert_eq!(problems(&relu(&[1, 4], &[-1, -1])), [open]);
    assert_eq!(problems(&relu(&[1, -1], &[])), [open]);
}

#[test]
fn buffers_outside_the_tables_are_read() {
    let filter = Tensor { data: vec![], outside: true, ..Tensor::filter(&[2, 3], 0) };
    let tensors = vec![Tensor::int8(&[1, 3]), filter, Tensor::int8(&[1, 2])];
    let mut model = Model::single(tensors, Operator::new(FULLY_CONNECTED, &[0, 1], 2).with(8, &[]));
    model.inputs = vec![0];
    model.appendix = vec![1, 2, 3, 4, 5, 6];
    assert!(text(&model).contains("= [1,2,3,4,5,6]\n"));
    let whole = model.bytes();
    let errors = import(&whole[..whole.len() - 1]).map(drop).unwrap_err().to_string();
    assert!(errors.contains("Buffer.offset reaches past the end of the file"), "{errors}");
}

#[test]
fn constants_in_half_precision_become_f32() {
    let half = Tensor::of(types::FLOAT16, &[2]).with_data(&[0x00, 0x3e, 0x00, 0xc0]);
    let tensors = vec![Tensor::float(&[2]), half, Tensor::float(&[2]), Tensor::float(&[2])];
    let mut model = Model::single(tensors, Operator::new(DEQUANTIZE, &[1], 2));
    model.operators.push(Operator::new(ADD, &[0, 2], 3));
    model.inputs = vec![0];
    assert!(text(&model).contains("%2 \"\" f32[2] = [1.5,-2.0]\n"));
    assert_eq!(nodes(&model), "Add(%0, %2) -> %3");
}

#[test]
fn weights_of_a_hybrid_model_become_f32() {
    let filter = Tensor::filter(&[2, 3], 0);
    let tensors = vec![Tensor::float(&[1, 3]), filter, Tensor::float(&[1, 2])];
    let model = Model::single(tensors, Operator::new(FULLY_CONNECTED, &[0, 1], 2).with(8, &[]));
    assert!(matches!(import(&model.bytes()), Ok(Imported::Hybrid(_))));
    assert!(text(&model).contains("%1 \"\" f32[2,3] = [0.0,0.125,0.25,0.75,1.0,1.25]\n"), "{}", text(&model));
}

#[test]
fn unsigned_and_real_numbers_may_stand_at_the_edges() {
    let tensors =
        vec![Tensor::of(types::UINT8, &[2]).scaled(0.5, 128), Tensor::int8(&[2]), Tensor::float(&[2])];
    let mut model = Model::single(tensors, Operator::new(QUANTIZE, &[0], 1));
    model.operators.push(Operator::new(DEQUANTIZE, &[1], 2));
    model.inputs = vec![0];
    assert!(matches!(import(&model.bytes()), Ok(Imported::Quantized(_))));
    assert_eq!(nodes(&model), "Quantize(%0) -> %1\nDequantize(%1) -> %2");
}

#[test]
fn real_numbers_amid_integers_are_refused() {
    let tensors = vec![Tensor::int8(&[2]), Tensor::float(&[2]), Tensor::float(&[2]), Tensor::int8(&[2])];
    let mut model = Model::single(tensors, Operator::new(DEQUANTIZE, &[0], 1));
    model.operators.push(Operator::new(RELU, &[1], 2));
    model.operators.push(Operator::new(QUANTIZE, &[2], 3));
    model.inputs = vec![0];
    let problems = problems(&model);
    assert_eq!(
        problems,
        [
            "node 1 '' (RELU): computes in floating point amid a quantized model; convert with full-integer quantization"
        ]
    );
}

#[test]
fn several_signatures_are_refused() {
    let mut model = Model::single(vec![Tensor::int8(&[2]); 2], Operator::new(RELU, &[0], 1));
    model.signatures = vec![0];
    assert_eq!(nodes(&model), "Relu(%0) -> %1");
    model.signatures = vec![0, 1];
    assert!(problems(&model)[0].contains("2 signatures"));
}

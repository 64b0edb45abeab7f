use crate::ir::text::parse;
use crate::ir::{Float, Graph};

use super::infer;

/// The output shapes, or the faults, of an operator in the textual form applied to f32 tensors of the given shapes.
fn outcome(op: &str, shapes: &[&str]) -> Result<Vec<String>, Vec<String>> {
    let tensors = shapes.iter().enumerate().map(|(id, shape)| match shape.split_once(' ') {
        Some((dtype, shape)) => format!("%{id} \"\" {dtype}{shape}\n"),
        None => format!("%{id} \"\" f32{shape}\n"),
    });
    let (name, attributes) = op.split_once(' ').unwrap_or((op, ""));
    let inputs: Vec<_> = (0..shapes.len()).map(|id| format!("%{id}")).collect();
    let text = format!(
        "graph \"\" float\n{}node \"\" {name}({}) -> {attributes}\n",
        tensors.collect::<String>(),
        inputs.join(",")
    );
    let graph: Graph<Float> = parse(&text).unwrap_or_else(|error| panic!("{text}{error}"));
    let node = &graph.nodes()[0];
    let inputs: Vec<_> = node.inputs.iter().map(|id| id.map(|id| &graph[id])).collect();
    infer(&node.op, &inputs)
        .map(|outputs| outputs.iter().map(|output| format!("{} {}", output.types[0], output.shape)).collect())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn shapes_follow_from_inputs_and_attributes() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "Conv2d stride=[2,2] dilation=[1,1] groups=1 padding=[4,5,1,1]",
            &["[1,49,10,1]", "[64,10,4,1]", "[64]"],
            &["f32 [1,25,5,64]"],
        ),
        ("Conv2d stride=[1,1] dilation=[2,3] groups=2", &["[2,9,9,4]", "[6,3,3,2]"], &["f32 [2,5,3,6]"]),
        (
            "DepthwiseConv2d stride=[2,2] dilation=[1,1] multiplier=8 padding=[4,4,3,4]",
            &["[1,49,40,1]", "[1,10,8,8]"],
            &["f32 [1,24,20,8]"],
        ),
        ("TransposeConv2d stride=[2,2] output=[8,9]", &["[1,4,4,3]", "[5,3,3,3]", "[5]"], &["f32 [1,8,9,5]"]),
        ("FullyConnected keep_dims=false", &["[1,2,2,3]", "[5,12]", "[5]"], &["f32 [1,5]"]),
        ("FullyConnected keep_dims=true", &["[1,2,2,3]", "[5,3]"], &["f32 [1,2,2,5]"]),
        ("FullyConnected keep_dims=false", &["i8 [2,3]", "i8 [5,3]", "i32 [5]"], &["i8 [2,5]"]),
        ("AveragePool2d filter=[25,5] stride=[25,5]", &["[1,25,5,64]"], &["f32 [1,1,1,64]"]),
        ("MaxPool2d filter=[3,3] stride=[2,2] padding=[1,1,0,1]", &["[1,8,8,2]"], &["f32 [1,4,4,2]"]),
        ("Add", &["[1,4,4,8]", "[8]"], &["f32 [1,4,4,8]"]),
        ("Maximum", &["[2,1]", "[]"], &["f32 [2,1]"]),
        ("Softmax beta=1", &["i8 [1,12]"], &["i8 [1,12]"]),
        ("Reshape shape=[4,2]", &["[1,8]"], &["f32 [4,2]"]),
        ("Pad before=[0,1] after=[2,0] value=0.5", &["[3,4]"], &["f32 [5,5]"]),
        ("Mean axes=[1,2] keep_dims=true", &["[1,4,5,6]"], &["f32 [1,1,1,6]"]),
        ("Sum axes=[0] keep_dims=false", &["[4]"], &["f32 []"]),
        ("Concatenation axis=1", &["[1,2]", "[1,3]", "[1,4]"], &["f32 [1,9]"]),
        ("Transpose permutation=[2,0,1]", &["[4,5,6]"], &["f32 [6,4,5]"]),
        (
            "StridedSlice axes=[{\"begin\":3,\"count\":2,\"stride\":-2},{\"begin\":1,\"count\":1,\"stride\":1}] shape=[1,2]",
            &["[4,2]"],
            &["f32 [1,2]"],
        ),
        ("Split axis=1 sizes=[1,2]", &["[5,3]"], &["f32 [5,1]", "f32 [5,2]"]),
        ("Pack axis=1", &["[2,3]", "[2,3]"], &["f32 [2,2,3]"]),
        ("Unpack axis=0", &["[2,3]"], &["f32 [3]", "f32 [3]"]),
        ("Quantize", &["[2,3]"], &["i8 [2,3]"]),
        ("Dequantize", &["i8 [2,3]"], &["f32 [2,3]"]),
        ("ArgMax axis=1", &["[2,3]"], &["i32 [2]"]),
        (
            "ResizeBilinear size=[8,9] align_corners=false half_pixel_centers=true",
            &["[1,4,4,3]"],
            &["f32 [1,8,9,3]"],
        ),
        ("HardSwish", &["i8 [7]"], &["i8 [7]"]),
        ("FullyConnected keep_dims=false", &["[2,3]", "i4 [5,3]", "[5]"], &["f32 [2,5]"]),
        (
            "Conv2d stride=[1,1] dilation=[1,1] groups=1",
            &["i8 [1,3,3,2]", "b1 [4,1,1,2]", "i32 [4]"],
            &["i8 [1,3,3,4]"],
        ),
        ("Clip low=0 high=\"inf\"", &["[7]"], &["f32 [7]"]),
        ("PRelu", &["[2,3,4]", "[4]"], &["f32 [2,3,4]"]),
        ("BatchNormalization epsilon=0.001", &["[2,3,4]", "[4]", "[4]", "[4]", "[4]"], &["f32 [2,3,4]"]),
        ("BroadcastTo shape=[3,2,4]", &["[2,1]"], &["f32 [3,2,4]"]),
        ("Tile repeats=[2,3]", &["[4,5]"], &["f32 [8,15]"]),
        ("Gather axis=1", &["[4,5,6]", "i64 [2,3]"], &["f32 [4,2,3,6]"]),
        ("Cast to=\"i32\"", &["[4]"], &["i32 [4]"]),
    ];
    for (op, inputs, outputs) in cases {
        let expected = outputs.iter().map(ToString::to_string).collect();
        assert_eq!(outcome(op, inputs), Ok(expected), "{op} {inputs:?}");
    }
}

#[test]
fn violations_are_explained() {
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "Conv2d stride=[1,0] dilation=[1,1] groups=1",
            &["[1,4,4,1]", "[2,1,1,1]"],
            "stride = 1x0: must be 1x1 or more",
        ),
        (
            "Conv2d stride=[1,1] dilation=[0,1] groups=1",
            &["[1,4,4,1]", "[2,1,1,1]"],
            "dilation = 0x1: must be 1x1 or more",
        ),
        (
            "Conv2d stride=[1,1] dilation=[1,1] groups=2",
            &["[1,4,4,4]", "[3,1,1,2]"],
            "groups = 2: must divide the 3 output channels and be the 4 input channels / 2 filter channels",
        ),
        (
            "Conv2d stride=[1,1] dilation=[2,1] groups=1",
            &["[1,4,4,1]", "[2,3,1,1]"],
            "a window of 5 exceeds the padded input's height of 4",
        ),
        (
            "Conv2d stride=[1,1] dilation=[1,1] groups=1",
            &["[1,4,4,1]", "[2,1,1,1]", "[3]"],
            "the bias has shape [3]: dimension 0 must be 2 (output channels)",
        ),
        (
            "Conv2d stride=[1,1] dilation=[1,1] groups=1",
            &["[4,4,1]", "[2,1,1,1]"],
            "the input has shape [4,4,1]: rank 4 (batch, height, width, channels) expected",
        ),
        (
            "Conv2d stride=[1,1] dilation=[1,1] groups=1",
            &["i8 [1,4,4,1]", "[2,1,1,1]"],
            "the filter is f32: i8 or i4 or b1 expected",
        ),
        ("Conv2d stride=[1,1] dilation=[1,1] groups=1", &["[1,4,4,1]"], "the filter is missing"),
        (
            "DepthwiseConv2d stride=[1,1] dilation=[1,1] multiplier=2",
            &["[1,4,4,2]", "[1,1,1,2]"],
            "multiplier = 2: must be the 2 filter channels / 2 input channels",
        ),
        (
            "FullyConnected keep_dims=false",
            &["[1,5]", "[2,3]"],
            "shapes [1,5] and [2,3] do not go together: the input's elements must be a multiple of the filter's columns",
        ),
        (
            "AveragePool2d filter=[2,2] stride=[1,1] padding=[2,0,0,0]",
            &["[1,4,4,1]"],
            "padding = [2, 0, 0, 0]: must be less than the window of 2x2 on each side",
        ),
        (
            "Add",
            &["[2]", "[3]"],
            "shapes [2] and [3] do not go together: dimensions, aligned at the last axis, must be equal or 1",
        ),
        ("Add", &["[2]", "i8 [2]"], "the second is i8: f32 expected"),
        ("Softmax beta=0", &["[2]"], "beta = 0: must be positive and finite"),
        ("Reshape shape=[3]", &["[2]"], "shape = [3]: must have as many elements as the input's [2]"),
        (
            "Pad before=[1] after=[1,1] value=0",
            &["[2,2]"],
            "before = [1]: must have one number per axis of the input, 2",
        ),
        (
            "Mean axes=[2] keep_dims=true",
            &["[2,2]"],
            "axes = [2]: must be ascending axes of an input of rank 2",
        ),
        (
            "Mean axes=[1,0] keep_dims=true",
            &["[2,2]"],
            "axes = [1, 0]: must be ascending axes of an input of rank 2",
        ),
        ("Concatenation axis=2", &["[2,2]"], "axis = 2: the input has rank 2"),
        (
            "Concatenation axis=1",
            &["[2,2]", "[3,2]"],
            "shapes [2,2] and [3,2] do not go together: all dimensions but the joined one must be equal",
        ),
        ("Concatenation axis=0", &[], "0 inputs: 1 or more, all present, expected"),
        (
            "Transpose permutation=[0,0]",
            &["[2,2]"],
            "permutation = [0, 0]: must name each axis of the input of rank 2 once",
        ),
        (
            "StridedSlice axes=[{\"begin\":1,\"count\":2,\"stride\":-2}] shape=[2]",
            &["[4]"],
            "begin = 1: 2 elements at steps of -2 must lie within the 4 of the input",
        ),
        (
            "StridedSlice axes=[{\"begin\":0,\"count\":2,\"stride\":1}] shape=[3]",
            &["[4]"],
            "shape = [3]: must be the counts, but for axes of 1",
        ),
        ("Clip low=1 high=0.5", &["[2]"], "low = 1: must not exceed high = 0.5"),
        (
            "PRelu",
            &["[2,3]", "[4,2,3]"],
            "shapes [2,3] and [4,2,3] do not go together: the slope's dimensions, aligned at the last axis, must be the input's or 1",
        ),
        (
            "BatchNormalization epsilon=0",
            &["[2,3]", "[3]", "[3]", "[2]", "[3]"],
            "the mean has shape [2]: dimension 0 must be 3 (channels of the input)",
        ),
        ("BroadcastTo shape=[3]", &["[2]"], "shape = [3]: must be what [2] broadcasts to"),
        (
            "Tile repeats=[0]",
            &["[2]"],
            "repeats = [0]: must be 1 or more for each axis of the input of rank 1",
        ),
        ("Gather axis=1", &["[2]", "i32 [1]"], "axis = 1: the input has rank 1"),
        ("Cast to=\"b1\"", &["[2]"], "to = b1: must be a type of whole bytes"),
        ("Split axis=0 sizes=[1,2]", &["[4]"], "sizes = [1, 2]: must be 1 or more and add up to 4"),
        (
            "ResizeNearest size=[2,2] align_corners=true half_pixel_centers=true",
            &["[1,2,2,1]"],
            "half_pixel_centers = true: excludes align_corners",
        ),
    ];
    for (op, inputs, fault) in cases {
        assert_eq!(outcome(op, inputs), Err(vec![fault.to_string()]), "{op} {inputs:?}");
    }
}

#[test]
fn extreme_attributes_do_not_overflow() {
    let most = usize::MAX;
    for op in [
        format!(
            "Conv2d stride=[{most},{most}] dilation=[{most},{most}] groups={most} padding=[{most},{most},{most},{most}]"
        ),
        format!(
            "MaxPool2d filter=[{most},{most}] stride=[{most},{most}] padding=[{0},{0},{0},{0}]",
            most - 1
        ),
        format!("Pad before=[{most},0,0,0] after=[{most},0,0,0] value=0"),
        format!(
            "StridedSlice axes=[{0},{0},{0},{0}] shape=[]",
            format_args!("{{\"begin\":{most},\"count\":{most},\"stride\":{}}}", isize::MIN)
        ),
        format!("Split axis=0 sizes=[{most},{most}]"),
        format!("Concatenation axis={most}"),
    ] {
        let _ = outcome(&op, &["[1,4,4,2]", "[2,3,3,2]"][..if op.starts_with("Conv") { 2 } else { 1 }]);
    }
}

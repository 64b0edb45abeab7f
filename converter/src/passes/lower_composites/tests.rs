use super::super::tests::{rewrites, stays};
use super::*;

/// Asserts what becomes of one node of one input.
#[track_caller]
fn becomes(input: &str, node: &str, output: &str, constants: &str, after: &str) {
    let before = format!(
        "graph \"g\" float\n%0 \"x\" {input}\n%1 \"y\" {output}\n{constants}inputs %0\noutputs %1\nnode \"n\" {node}\n"
    );
    let (graph, changed) = super::super::tests::run(&LowerComposites, &before);
    assert_eq!(changed, Changed::Yes);
    let nodes: Vec<String> = graph.nodes().iter().map(|node| node.op.name().to_owned()).collect();
    assert_eq!(nodes.join(" "), after, "{graph}");
    stays(&LowerComposites, &crate::ir::text::print(&graph, 4096));
}

#[test]
fn each_operator_becomes_what_the_runtime_has() {
    let two = "%2 \"c\" f32[2] = [2.0,2.0]\n";
    becomes("f32[1,2]", "Div(%0, %2) -> %1", "f32[1,2]", two, "Mul");
    becomes("f32[1,2]", "Sub(%0, %2) -> %1", "f32[1,2]", two, "Add");
    becomes("f32[1,2]", "ReduceMin(%0) -> %1 axes=[1] keep_dims=false", "f32[1]", "", "Neg ReduceMax Neg");
    becomes(
        "f32[2,3,2]",
        "ReduceMax(%0) -> %1 axes=[0,2] keep_dims=false",
        "f32[3]",
        "",
        "ReduceMax ReduceMax",
    );
    becomes("f32[1,2]", "ArgMin(%0) -> %1 axis=1", "i64[1]", "", "Neg ArgMax");
    becomes("f32[1,2]", "PRelu(%0, %2) -> %1", "f32[1,2]", two, "LeakyRelu");
    let slopes = "%2 \"c\" f32[2] = [0.5,2.0]\n";
    becomes("f32[1,1,3,2]", "PRelu(%0, %2) -> %1", "f32[1,1,3,2]", slopes, "DepthwiseConv2d Relu Sub");
    becomes(
        "f32[1,2]",
        "Concatenation(%0, %0) -> %1 axis=0 activation=\"Relu6\"",
        "f32[2,2]",
        "",
        "Concatenation Relu6",
    );
    becomes("f32[3,2]", "Mul(%0, %2) -> %1", "f32[3,2]", slopes, "Reshape DepthwiseConv2d Reshape");
    becomes(
        "f32[2,1]",
        "BroadcastTo(%0) -> %1 shape=[3,2,2]",
        "f32[3,2,2]",
        "",
        "Reshape Concatenation Concatenation",
    );
    becomes("f32[2,1]", "Tile(%0) -> %1 repeats=[1,3]", "f32[2,3]", "", "Concatenation");
    let index = "%2 \"c\" i64[] = [1]\n";
    becomes("f32[3,2]", "Gather(%0, %2) -> %1 axis=0", "f32[2]", index, "StridedSlice");
    let indices = "%2 \"c\" i64[2,2] = [2,0,0,1]\n";
    becomes(
        "f32[3,2]",
        "Gather(%0, %2) -> %1 axis=0",
        "f32[2,2,2]",
        indices,
        "StridedSlice StridedSlice Concatenation Reshape",
    );
}

#[test]
fn what_is_left_of_a_batch_normalization_becomes_a_layer() {
    rewrites(
        &LowerComposites,
        r#"graph "g" float
%0 "x" f32[1,1,1,2]
%1 "scale" f32[2] = [3.0,2.0]
%2 "shift" f32[2] = [1.0,-1.0]
%3 "mean" f32[2] = [10.0,20.0]
%4 "variance" f32[2] = [3.0,15.0]
%5 "y" f32[1,1,1,2]
inputs %0
outputs %5
node "norm" BatchNormalization(%0, %1, %2, %3, %4) -> %5 epsilon=1.0
"#,
        r#"graph "g" float
%0 "x" f32[1,1,1,2]
%1 "y" f32[1,1,1,2]
%2 "norm/scale" f32[1,1,1,2] = [1.5,0.5]
%3 "norm/bias" f32[2] = [-14.0,-11.0]
inputs %0
outputs %1
node "norm" DepthwiseConv2d(%0, %2, %3) -> %1 dilation=[1,1] multiplier=1 stride=[1,1]
"#,
    );
}

#[test]
fn a_convolution_of_single_channels_becomes_depthwise() {
    rewrites(
        &LowerComposites,
        r#"graph "g" float
%0 "x" f32[1,1,3,2]
%1 "filter" f32[4,1,2,1] = [1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0]
%2 "conv" f32[1,1,2,4]
%3 "y" f32[1,1,3,4]
inputs %0
outputs %3
node "conv" Conv2d(%0, %1) -> %2 dilation=[1,1] groups=2 stride=[1,1]
node "pool" AveragePool2d(%2) -> %3 count_padding=true filter=[1,2] padding=[0,0,1,1] stride=[1,1]
"#,
        r#"graph "g" float
%0 "x" f32[1,1,3,2]
%1 "conv" f32[1,1,2,4]
%2 "y" f32[1,1,3,4]
%3 "filter" f32[1,1,2,4] = [1.0,3.0,5.0,7.0,2.0,4.0,6.0,8.0]
%4 "" f32[1,1,4,4]
inputs %0
outputs %2
node "conv" DepthwiseConv2d(%0, %3) -> %1 dilation=[1,1] multiplier=2 stride=[1,1]
node "pool" Pad(%1) -> %4 after=[0,0,1,0] before=[0,0,1,0] value=0.0
node "pool" AveragePool2d(%4) -> %2 filter=[1,2] stride=[1,1]
"#,
    );
}

#[test]
fn what_the_runtime_has_stays() {
    stays(
        &LowerComposites,
        r#"graph "g" float
%0 "x" f32[2]
%1 "two" f32[1] = [2.0]
%2 "a" f32[2]
%3 "b" f32[2]
%4 "y" f32[2]
inputs %0
outputs %4
node "a" Mul(%0, %1) -> %2
node "b" Sub(%1, %2) -> %3
node "c" Div(%0, %3) -> %4
"#,
    );
}

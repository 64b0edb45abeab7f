use super::*;
use crate::ir::check::check;
use crate::ir::text::parse;

/// Runs the pass and gives the nodes with the shapes that they write.
fn pushed(text: &str) -> (Graph<Float>, Report, String) {
    let mut graph = parse::<Float>(text).unwrap();
    assert_eq!(check(&graph), Ok(()), "{text}");
    let mut report = Report::default();
    let changed = PushTransposes.run(&mut graph, &mut report).unwrap();
    assert_eq!(check(&graph), Ok(()), "{graph}");
    assert_eq!(changed == Changed::Yes, report.rewrites.contains_key("push_transposes"));
    let settled = graph.clone();
    assert_eq!(PushTransposes.run(&mut graph, &mut Report::default()), Ok(Changed::No), "{graph}");
    assert_eq!(graph, settled);
    let nodes = graph.to_string();
    let nodes =
        nodes.lines().filter(|line| line.starts_with("node")).map(|line| format!("{line}\n")).collect();
    (graph, report, nodes)
}

const SANDWICH: &str = r#"graph "g" float
%0 "image" f32[1,3,8,8]
%1 "" f32[1,8,8,3]
%2 "filter" f32[2,1,1,3] = [1.0,2.0,3.0,4.0,5.0,6.0]
%3 "" f32[1,8,8,2]
%4 "conv" f32[1,2,8,8]
%5 "act" f32[1,2,8,8]
%6 "" f32[1,8,8,2]
%7 "" f32[1,4,4,2]
%8 "pool" f32[1,2,4,4]
%9 "flat" f32[1,32]
%10 "columns" f32[1,32] = [0.0,1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0,9.0,10.0,11.0,12.0,13.0,14.0,15.0,16.0,17.0,18.0,19.0,20.0,21.0,22.0,23.0,24.0,25.0,26.0,27.0,28.0,29.0,30.0,31.0]
%11 "y" f32[1,1]
inputs %0
outputs %11
node "a" Transpose(%0) -> %1 permutation=[0,2,3,1]
node "b" Conv2d(%1, %2) -> %3 stride=[1,1] dilation=[1,1] groups=1
node "c" Transpose(%3) -> %4 permutation=[0,3,1,2]
node "d" Relu(%4) -> %5
node "e" Transpose(%5) -> %6 permutation=[0,2,3,1]
node "f" MaxPool2d(%6) -> %7 filter=[2,2] stride=[2,2]
node "g" Transpose(%7) -> %8 permutation=[0,3,1,2]
node "h" Reshape(%8) -> %9 shape=[1,32]
node "i" FullyConnected(%9, %10) -> %11 keep_dims=false
"#;

#[test]
fn a_network_of_images_stays_without_transpositions() {
    let (graph, report, nodes) = pushed(SANDWICH);
    assert_eq!(
        nodes,
        r#"node "b" Conv2d(%4, %0) -> %1 dilation=[1,1] groups=1 stride=[1,1]
node "d" Relu(%1) -> %5
node "f" MaxPool2d(%5) -> %2 filter=[2,2] stride=[2,2]
node "i" FullyConnected(%2, %6) -> %3 keep_dims=false
"#
    );
    let [turned] = &report.turned_inputs[..] else { panic!("{report:?}") };
    assert_eq!((&*turned.before, &*turned.after), (&[1, 3, 8, 8][..], &[1, 8, 8, 3][..]));
    assert_eq!(turned.permutation, [0, 2, 3, 1]);
    assert_eq!(graph[graph.inputs()[0]].name, "image");
    // Channel 0 of the first pixel, channel 1 of the first pixel, channel 0 of the second, ...
    let filter = graph.tensors().iter().find(|tensor| tensor.name == "columns").and_then(|t| t.f32_values());
    assert_eq!(&filter.unwrap()[..4], [0.0, 16.0, 1.0, 17.0]);
    let names: Vec<_> = graph.nodes().iter().filter_map(|node| Some(&*graph[node.output()?].name)).collect();
    assert_eq!(names, ["conv", "act", "pool", "y"]);
}

#[test]
fn an_output_keeps_its_order() {
    let (_, report, nodes) = pushed(
        r#"graph "g" float
%0 "x" f32[1,4,4,3]
%1 "" f32[1,3,4,4]
%2 "y" f32[1,3,4,4]
%3 "" f32[1,4,4,3]
%4 "" f32[1,4,4,3]
%5 "z" f32[1,3,4,4]
inputs %0
outputs %2 %5
node "a" Transpose(%0) -> %1 permutation=[0,3,1,2]
node "b" Relu(%1) -> %2
node "c" Transpose(%2) -> %3 permutation=[0,2,3,1]
node "d" Mul(%3, %3) -> %4
node "e" Transpose(%4) -> %5 permutation=[0,3,1,2]
"#,
    );
    assert_eq!(
        nodes,
        r#"node "b" Relu(%0) -> %4
node "d" Mul(%4, %4) -> %2
node "b" Transpose(%4) -> %1 permutation=[0,3,1,2]
node "e" Transpose(%2) -> %3 permutation=[0,3,1,2]
"#
    );
    assert_eq!(report.turned_inputs, []);
}

#[test]
fn operators_work_on_axes_where_they_lie() {
    let (graph, _, nodes) = pushed(
        r#"graph "g" float
%0 "x" f32[1,4,5,6]
%1 "" f32[1,6,4,5]
%2 "gate" f32[1,6,1,1]
%3 "gated" f32[1,6,4,5]
%4 "offset" f32[6,1,1] = [0.0,1.0,2.0,3.0,4.0,5.0]
%5 "sum" f32[1,6,4,5]
%6 "padded" f32[1,6,6,5]
%7 "left" f32[1,2,6,5]
%8 "right" f32[1,4,6,5]
%9 "swapped" f32[1,6,6,5]
%10 "part" f32[6,3,5]
%11 "mean" f32[1,6]
%12 "index" i32[1]
%13 "y" f32[1]
%14 "peak" f32[6]
inputs %0
outputs %11 %13 %14
node "t" Transpose(%0) -> %1 permutation=[0,3,1,2]
node "mean" Mean(%1) -> %2 axes=[2,3] keep_dims=true
node "gate" Mul(%1, %2) -> %3
node "offset" Add(%4, %3) -> %5
node "pad" Pad(%5) -> %6 before=[0,0,2,0] after=[0,0,0,0] value=0
node "split" Split(%6) -> %7, %8 axis=1 sizes=[2,4]
node "swap" Concatenation(%8, %7) -> %9 axis=1
node "part" StridedSlice(%9) -> %10 axes=[{"begin":0,"count":1,"stride":1},{"begin":0,"count":6,"stride":1},{"begin":0,"count":3,"stride":2},{"begin":0,"count":5,"stride":1}] shape=[6,3,5]
node "spread" Mean(%9) -> %11 axes=[2,3] keep_dims=false
node "best" ArgMax(%11) -> %12 axis=1
node "cast" Cast(%12) -> %13 to="f32"
node "peak" ReduceMax(%10) -> %14 axes=[1,2] keep_dims=false
"#,
    );
    assert_eq!(
        nodes,
        r#"node "mean" Mean(%0) -> %5 axes=[1,2] keep_dims=true
node "gate" Mul(%0, %5) -> %6
node "offset" Add(%7, %6) -> %8
node "pad" Pad(%8) -> %9 after=[0,0,0,0] before=[0,2,0,0] value=0.0
node "split" Split(%9) -> %10, %11 axis=3 sizes=[2,4]
node "swap" Concatenation(%11, %10) -> %12 axis=3
node "part" StridedSlice(%12) -> %13 axes=[{"begin":0,"count":1,"stride":1},{"begin":0,"count":3,"stride":2},{"begin":0,"count":5,"stride":1},{"begin":0,"count":6,"stride":1}] shape=[1,3,5,6]
node "spread" Mean(%12) -> %1 axes=[1,2] keep_dims=false
node "best" ArgMax(%1) -> %2 axis=1
node "cast" Cast(%2) -> %3 to="f32"
node "part" Reshape(%13) -> %14 shape=[3,5,6]
node "peak" ReduceMax(%14) -> %4 axes=[0,1] keep_dims=false
"#
    );
    let offset =
        graph.tensors().iter().find(|tensor| tensor.name == "offset").map(|tensor| tensor.shape.to_vec());
    assert_eq!(offset, Some(vec![1, 1, 1, 6]));
}

#[test]
fn sequences_are_images_of_one_row() {
    let (_, report, nodes) = pushed(
        r#"graph "g" float
%0 "x" f32[1,2,9]
%1 "" f32[1,2,1,9]
%2 "" f32[1,1,9,2]
%3 "filter" f32[3,1,1,2] = [0.0,1.0,2.0,3.0,4.0,5.0]
%4 "" f32[1,1,9,3]
%5 "" f32[1,3,1,9]
%6 "conv" f32[1,3,9]
%7 "act" f32[1,3,9]
%8 "" f32[1,3,1,9]
%9 "" f32[1,1,9,3]
%10 "" f32[1,1,4,3]
%11 "" f32[1,3,1,4]
%12 "pool" f32[1,3,4]
%13 "y" f32[1,3]
inputs %0
outputs %13
node "conv" Reshape(%0) -> %1 shape=[1,2,1,9]
node "conv" Transpose(%1) -> %2 permutation=[0,2,3,1]
node "conv" Conv2d(%2, %3) -> %4 stride=[1,1] dilation=[1,1] groups=1
node "conv" Transpose(%4) -> %5 permutation=[0,3,1,2]
node "conv" Reshape(%5) -> %6 shape=[1,3,9]
node "act" Tanh(%6) -> %7
node "pool" Reshape(%7) -> %8 shape=[1,3,1,9]
node "pool" Transpose(%8) -> %9 permutation=[0,2,3,1]
node "pool" AveragePool2d(%9) -> %10 filter=[1,2] stride=[1,2]
node "pool" Transpose(%10) -> %11 permutation=[0,3,1,2]
node "pool" Reshape(%11) -> %12 shape=[1,3,4]
node "peak" ReduceMax(%12) -> %13 axes=[2] keep_dims=false
"#,
    );
    assert_eq!(
        nodes,
        r#"node "conv" Reshape(%5) -> %0 shape=[1,1,9,2]
node "conv" Conv2d(%0, %1) -> %2 dilation=[1,1] groups=1 stride=[1,1]
node "act" Tanh(%2) -> %6
node "pool" AveragePool2d(%6) -> %3 filter=[1,2] stride=[1,2]
node "pool" Reshape(%3) -> %7 shape=[1,4,3]
node "peak" ReduceMax(%7) -> %4 axes=[1] keep_dims=false
"#
    );
    assert_eq!(report.turned_inputs[0].permutation, [0, 2, 1]);
}

#[test]
fn what_is_needed_in_another_order_is_left_alone() {
    let text = r#"graph "g" float
%0 "x" f32[1,4,4,3]
%1 "" f32[1,3,4,4]
%2 "" f32[4,12]
%3 "y" f32[4,12]
inputs %0
outputs %3
node "t" Transpose(%0) -> %1 permutation=[0,3,1,2]
node "r" Reshape(%1) -> %2 shape=[4,12]
node "s" Softmax(%2) -> %3 beta=1.0
"#;
    let (_, report, nodes) = pushed(text);
    assert_eq!(
        nodes,
        text.lines()
            .filter(|line| line.starts_with("node"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    );
    assert_eq!(report, Report::default());
}

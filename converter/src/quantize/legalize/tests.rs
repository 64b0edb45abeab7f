use super::*;
use crate::float::Executor;
use crate::ir::check::check;
use crate::ir::text;

/// Legalizes a graph of one node on `%0`, and checks that results stay and which operators are left.
fn rewritten(tensors: &str, node: &str, output: &str, expected: &[&str]) {
    let text = format!(
        "graph \"g\" float\n%0 \"x\" f32[1,2,3,2]\n%1 \"y\" {output}\n{tensors}inputs %0\noutputs %1\nnode \"n\" {node}\n"
    );
    let before: Graph<Float> = text::parse(&text).unwrap();
    check(&before).unwrap();
    let mut after = before.clone();
    legalize(&mut after).unwrap();
    check(&after).unwrap();
    let names: Vec<_> = after.nodes().iter().map(|node| node.op.name()).collect();
    assert_eq!(names, expected, "{node}");
    let input: Vec<f32> = (0..12).map(|i| ((i * 7) % 12) as f32 / 4.0 - 1.3).collect();
    let run = |graph: &Graph<Float>| Executor::new(graph).unwrap().run(std::slice::from_ref(&input)).unwrap();
    for (old, new) in run(&before)[0].iter().zip(&run(&after)[0]) {
        assert!((old - new).abs() <= 1e-5 * old.abs().max(1.0), "{node}: {old} {new}");
    }
}

#[test]
fn operators_become_those_that_exist() {
    let channels = "%2 \"a\" f32[2] = [0.5,-0.25]\n";
    rewritten(channels, "PRelu(%0, %2) -> %1", "f32[1,2,3,2]", &["Relu", "Clip", "Mul", "Add"]);
    rewritten("%2 \"a\" f32[1] = [0.5]\n", "PRelu(%0, %2) -> %1", "f32[1,2,3,2]", &["LeakyRelu"]);
    rewritten(channels, "Div(%0, %2) -> %1", "f32[1,2,3,2]", &["Mul"]);
    rewritten(channels, "Div(%2, %0) -> %1", "f32[1,2,3,2]", &["Reciprocal", "Mul"]);
    rewritten("%2 \"a\" f32[] = [0.5]\n", "Maximum(%0, %2) -> %1", "f32[1,2,3,2]", &["Clip"]);
    rewritten("", "ReduceMin(%0) -> %1 axes=[1,2] keep_dims=false", "f32[1,2]", &["Neg", "ReduceMax", "Neg"]);
    rewritten("", "ReduceMax(%0) -> %1 axes=[1,3] keep_dims=false", "f32[1,3]", &["ReduceMax", "ReduceMax"]);
    rewritten("", "Tile(%0) -> %1 repeats=[1,2,1,3]", "f32[1,4,3,6]", &["Concatenation", "Concatenation"]);
    rewritten("", "BroadcastTo(%0) -> %1 shape=[2,2,3,2]", "f32[2,2,3,2]", &["Reshape", "Concatenation"]);
    rewritten(
        "%2 \"i\" i64[3] = [2,0,-1]\n".replace("-1", "1").as_str(),
        "Gather(%0, %2) -> %1 axis=2",
        "f32[1,2,3,2]",
        &["StridedSlice", "StridedSlice", "Concatenation", "Reshape"],
    );
    let pool = "AveragePool2d(%0) -> %1 filter=[2,2] stride=[1,1] padding=[1,0,1,0] count_padding=true";
    rewritten("", pool, "f32[1,2,3,2]", &["Pad", "AveragePool2d"]);
    let statistics = "%2 \"a\" f32[2] = [0.5,-0.25]\n%3 \"b\" f32[2] = [1.0,2.0]\n%4 \"m\" f32[2] = [0.1,0.2]\n%5 \"v\" f32[2] = [4.0,1.0]\n";
    let norm = "BatchNormalization(%0, %2, %3, %4, %5) -> %1 epsilon=0.001";
    rewritten(statistics, norm, "f32[1,2,3,2]", &["DepthwiseConv2d"]);
    rewritten("", "LogSoftmax(%0) -> %1", "f32[1,2,3,2]", &["Softmax", "Log"]);
}

#[test]
fn what_cannot_be_executed_is_refused_with_advice() {
    let text = "graph \"g\" float\n%0 \"x\" f32[1,2]\n%1 \"z\" f32[1,2]\n%2 \"y\" f32[1,2]\ninputs %0 %1\noutputs %2\n\
                node \"quotient\" Div(%0, %1) -> %2\n";
    let mut graph: Graph<Float> = text::parse(text).unwrap();
    let problems = legalize(&mut graph).unwrap_err();
    let message = problems[0].to_string();
    assert!(message.contains("'quotient'") && message.contains("Reciprocal"), "{message}");
}

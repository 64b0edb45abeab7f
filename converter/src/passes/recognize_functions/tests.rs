use super::super::tests::{run, stays};
use super::*;

/// The operators of the graph that the pass makes of the given nodes on tensors `x` (%0) to `y` (%1).
fn operators(tensors: &str, nodes: &str) -> Vec<String> {
    let text = format!(
        "graph \"g\" float\n%0 \"x\" f32[2,4]\n%1 \"y\" f32[2,4]\n{tensors}inputs %0\noutputs %1\n{nodes}"
    );
    let (graph, _) = run(&RecognizeFunctions, &text);
    graph
        .to_string()
        .lines()
        .filter_map(|line| line.strip_prefix("node \"\" "))
        .map(|line| {
            line.split_once(" -> ").map_or(line.to_owned(), |(call, rest)| {
                let attributes = rest.split_once(' ').map_or("", |(_, attributes)| attributes);
                format!("{call} {attributes}").trim_end().to_owned()
            })
        })
        .collect()
}

#[test]
fn hard_swish_is_recognized_in_every_form() {
    let tensors = "%2 \"\" f32[2,4]\n%3 \"\" f32[2,4]\n%4 \"\" f32[2,4]\n%5 \"\" f32[] = [3.0]\n%6 \"\" f32[] = [6.0]\n";
    let nodes = "node \"\" Add(%0, %5) -> %2\nnode \"\" Clip(%2) -> %3 low=0 high=6\nnode \"\" Mul(%0, %3) -> %4\nnode \"\" Div(%4, %6) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["HardSwish(%0)"]);
    let nodes = "node \"\" Add(%5, %0) -> %2 activation=\"Relu6\"\nnode \"\" Div(%2, %6) -> %4\nnode \"\" Mul(%4, %0) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["HardSwish(%0)"]);
    let nodes = "node \"\" HardSigmoid(%0) -> %2 alpha=0.16666667 beta=0.5\nnode \"\" Mul(%0, %2) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["HardSwish(%0)"]);
    let nodes = "node \"\" Add(%5, %0) -> %2\nnode \"\" Relu6(%2) -> %3\nnode \"\" Div(%3, %6) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["HardSigmoid(%0) alpha=0.16666667 beta=0.5"]);
}

#[test]
fn both_forms_of_gelu_are_recognized() {
    let tensors = "%2 \"\" f32[2,4]\n%3 \"\" f32[2,4]\n%4 \"\" f32[2,4]\n%5 \"\" f32[2,4]\n%6 \"\" f32[2,4]\n%7 \"\" f32[2,4]\n%8 \"\" f32[2,4]\n%9 \"\" f32[2,4]\n\
        %10 \"\" f32[] = [1.4142135]\n%11 \"\" f32[] = [1.0]\n%12 \"\" f32[] = [0.5]\n%13 \"\" f32[] = [0.044715]\n%14 \"\" f32[] = [0.7978846]\n";
    let nodes = "node \"\" Div(%0, %10) -> %2\nnode \"\" Erf(%2) -> %3\nnode \"\" Add(%3, %11) -> %4\nnode \"\" Mul(%0, %4) -> %5\nnode \"\" Mul(%5, %12) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["Gelu(%0)"]);
    let nodes = "node \"\" Mul(%0, %0) -> %2\nnode \"\" Mul(%2, %0) -> %3\nnode \"\" Mul(%13, %3) -> %4\nnode \"\" Add(%0, %4) -> %5\n\
        node \"\" Mul(%5, %14) -> %6\nnode \"\" Tanh(%6) -> %7\nnode \"\" Add(%7, %11) -> %8\nnode \"\" Mul(%0, %12) -> %9\nnode \"\" Mul(%9, %8) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["Gelu(%0) tanh=true"]);
}

#[test]
fn softmax_is_recognized_with_and_without_its_shift() {
    let tensors =
        "%2 \"\" f32[2,1]\n%3 \"\" f32[2,4]\n%4 \"\" f32[2,4]\n%5 \"\" f32[2,1]\n%6 \"\" f32[2,4]\n";
    let nodes = "node \"\" ReduceMax(%0) -> %2 axes=[1] keep_dims=true\nnode \"\" Sub(%0, %2) -> %3\nnode \"\" Exp(%3) -> %4\n\
        node \"\" Sum(%4) -> %5 axes=[1] keep_dims=true\nnode \"\" Div(%4, %5) -> %6\nnode \"\" Log(%6) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["LogSoftmax(%0)"]);
    let nodes = "node \"\" Exp(%0) -> %4\nnode \"\" Sum(%4) -> %5 axes=[1] keep_dims=true\nnode \"\" Div(%4, %5) -> %1\n";
    assert_eq!(operators(tensors, nodes), ["Softmax(%0) beta=1.0"]);
}

#[test]
fn other_products_stay() {
    stays(
        &RecognizeFunctions,
        r#"graph "g" float
%0 "x" f32[2]
%1 "three" f32[] = [3.0]
%2 "five" f32[] = [5.0]
%3 "a" f32[2]
%4 "b" f32[2]
%5 "c" f32[2]
%6 "y" f32[2]
inputs %0
outputs %6
node "a" Add(%0, %1) -> %3
node "b" Relu6(%3) -> %4
node "c" Mul(%0, %4) -> %5
node "d" Div(%5, %2) -> %6
"#,
    );
}

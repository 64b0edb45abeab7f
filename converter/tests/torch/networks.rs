//! Whole networks, from descriptions and real weights.

use secateur_converter::import::torch::{Element, Weight, Weights, architecture};
use secateur_converter::ir::{Float, Graph, Op};

use crate::files;

/// The description of the project's own model.
pub(crate) const FASHION_DSCNN: &str = include_str!("../../../tests/golden/fashion_dscnn/fashion_dscnn.toml");
/// The description of a smaller one.
pub(crate) const DSCNN: &str = include_str!("data/dscnn.toml");

/// The first description of the user's documentation.
pub(crate) fn lenet() -> String {
    example(0)
}

/// A description of the user's documentation.
fn example(index: usize) -> String {
    let text = String::from_utf8(files::project("docs/architecture-toml.md")).expect("valid UTF-8");
    let block = text.split("```toml").nth(1 + index).and_then(|rest| rest.split("```").next());
    block.expect("a description").to_owned()
}

fn build(description: &str, weights: &Weights) -> Graph<Float> {
    architecture::build(description, weights).unwrap_or_else(|errors| panic!("{errors}"))
}

fn zeros(shapes: &[(&str, &[usize])]) -> Weights {
    let weight = |&(name, shape): &(&str, &[usize])| Weight {
        name: name.into(),
        shape: shape.into(),
        values: vec![0.0; shape.iter().product()],
        element: Element::F32,
    };
    shapes.iter().map(weight).collect()
}

fn names(graph: &Graph<Float>) -> Vec<&'static str> {
    graph.nodes().iter().map(|node| node.op.name()).collect()
}

#[test]
fn the_documented_lenet_is_built() {
    let weights = zeros(&[
        ("conv1.weight", &[6, 1, 5, 5]),
        ("conv1.bias", &[6]),
        ("conv2.weight", &[16, 6, 5, 5]),
        ("conv2.bias", &[16]),
        ("fc1.weight", &[112, 400]),
        ("fc1.bias", &[112]),
        ("fc2.weight", &[80, 112]),
        ("fc2.bias", &[80]),
        ("fc3.weight", &[10, 80]),
        ("fc3.bias", &[10]),
    ]);
    let graph = build(&lenet(), &weights);
    assert_eq!(*graph[graph.inputs()[0]].shape, [1, 1, 28, 28]);
    assert_eq!(*graph[graph.outputs()[0]].shape, [1, 10]);
    // One transposition at the input; the columns of `fc1` stand in the order of the image.
    let expected = "Transpose Conv2d Relu MaxPool2d Conv2d Relu MaxPool2d Reshape FullyConnected Relu FullyConnected Relu FullyConnected";
    assert_eq!(names(&graph).join(" "), expected);
}

#[test]
fn the_documented_branch_is_built() {
    let weights = zeros(&[
        ("conv.weight", &[8, 8, 3, 3]),
        ("bn.weight", &[8]),
        ("bn.bias", &[8]),
        ("bn.running_mean", &[8]),
        ("bn.running_var", &[8]),
    ]);
    let graph = build(&example(1), &weights);
    assert_eq!(*graph[graph.outputs()[0]].shape, [1, 8, 16, 16]);
}

#[test]
fn the_projects_own_model_is_built() {
    let weights = files::weights(&files::project("tests/golden/fashion_dscnn/fashion_dscnn.pt"));
    let graph = build(FASHION_DSCNN, &weights);
    let convolutions =
        graph.nodes().iter().filter(|node| matches!(node.op, Op::Conv2d(_) | Op::DepthwiseConv2d(_)));
    assert_eq!(convolutions.count(), 9);
    assert_eq!(names(&graph).iter().filter(|name| **name == "Transpose").count(), 1);
    assert_eq!(*graph[graph.outputs()[0]].shape, [1, 10]);
}

#[test]
fn real_models_are_built_from_every_form() {
    for (folder, description, files) in [
        (
            "torch/lenet5",
            lenet(),
            &["lenet5.pt", "lenet5_legacy.pt", "lenet5_torch1_13.pt", "lenet5.safetensors"][..],
        ),
        ("torch/dscnn", DSCNN.to_owned(), &["dscnn.pt", "dscnn.safetensors"]),
        ("own", FASHION_DSCNN.to_owned(), &["fashion_dscnn.pt", "fashion_dscnn.safetensors"]),
    ] {
        let Some(folder) = files::shared(folder) else { return };
        let graphs: Vec<_> = files
            .iter()
            .map(|file| build(&description, &files::weights(&files::read(folder.join(file)))))
            .collect();
        assert!(graphs.iter().all(|graph| graph == &graphs[0]));
    }
}

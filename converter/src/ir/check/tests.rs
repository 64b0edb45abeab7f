use crate::ir::check::check;
use crate::ir::text::parse;
use crate::ir::{Float, Graph, Quantized, State};

const GOOD: &str = r#"graph "g" quantized
%0 "x" i8[1,4,4,2] scale 0.5 zero 3
%1 "w" i8[2,1,1,2] scale [0.1,0.2] zero [0,0] axis 0 = [1,2,3,4]
%2 "b" i32[2] scale [0.05,0.1] zero [0,0] axis 0 = [7,8]
%3 "c" i8[1,4,4,2] scale 0.25 zero -3
%4 "y" i8[1,4,4,2] scale 0.25 zero -3
inputs %0
outputs %4
node "conv" Conv2d(%0, %1, %2) -> %3 stride=[1,1] dilation=[1,1] groups=1
node "relu" Relu(%3) -> %4
"#;

/// The problems of a text, after a replacement in it.
fn problems<S: State>(text: &str, old: &str, new: &str) -> Vec<String> {
    assert!(text.contains(old), "{old}");
    let graph: Graph<S> = parse(&text.replacen(old, new, 1)).unwrap();
    check(&graph).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_graph_has_no_problems() {
    assert_eq!(problems::<Quantized>(GOOD, "", ""), [""; 0]);
}

#[test]
fn each_violation_is_named_with_its_place() {
    let cases = [
        ("inputs %0", "inputs", "model: no inputs"),
        ("outputs %4", "outputs %4 %4", "tensor 4 'y': listed twice among the graph's outputs"),
        ("scale 0.5", "scale 0.0", "tensor 0 'x': scale 0 is 0: a scale must be positive and finite"),
        ("scale 0.5", "scale NaN", "tensor 0 'x': scale 0 is NaN: a scale must be positive and finite"),
        ("zero 3", "zero 200", "tensor 0 'x': zero point 0 is 200: must be within -128 and 127"),
        (
            "scale [0.05,0.1] zero [0,0]",
            "scale [0.05,0.1] zero [0,1]",
            "tensor 2 'b': zero point 1 is 1: must be within 0 and 0",
        ),
        ("axis 0 = [1", "axis 3 = [1", ""),
        (
            "axis 0 = [1",
            "axis 1 = [1",
            "tensor 1 'w': 2 scales and 2 zero points for axis 1 of shape [2,1,1,2]",
        ),
        (
            " scale 0.5 zero 3",
            "",
            "tensor 0 'x': i8 without scale and zero point; convert with full-integer quantization",
        ),
        (
            "scale 0.25 zero -3\n%4",
            "scale [0.1,0.2] zero [0,0] axis 3\n%4",
            "tensor 3 'c': 2 scales: only constants",
        ),
        ("i8[2,1,1,2] scale", "b1[2,1,1,2] scale", "tensor 1 'w': holds 2, which is no value of b1"),
        ("= [7,8]", "= [7]", "tensor 2 'b': 4 bytes of data: shape [2] of i32 takes 8"),
        (
            "i8[1,4,4,2] scale 0.5",
            "i8[1,4,0,2] scale 0.5",
            "tensor 0 'x': shape [1,4,0,2]: at most 8 dimensions",
        ),
        (
            "%3 \"c\" i8[1,4,4,2]",
            "%3 \"c\" i8[1,4,4,3]",
            "node 0 'conv' (Conv2d): output 0 has shape [1,4,4,3], but the operator writes [1,4,4,2]",
        ),
        ("Relu(%3) -> %4", "Relu(%3) -> %3", "tensor 3 'c': written more than once, by nodes 0 and 1"),
        ("Relu(%3) -> %4", "Relu(%3) -> %1", "tensor 1 'w': a constant is written by node 1"),
        ("Relu(%3) -> %4", "Relu(%3) -> %0", "tensor 0 'x': an input of the graph is written by node 1"),
        ("Conv2d(%0,", "Conv2d(%4,", "node 0 'conv' (Conv2d): reads tensor 4 before node 1 writes it"),
        ("inputs %0", "inputs %2", "tensor 2 'b': is an input of the graph and has data"),
        ("inputs %0", "inputs %4", "tensor 0 'x': read but never written"),
        ("Relu(%3)", "Relu()", "node 1 'relu' (Relu): the input is missing"),
        ("Relu(%3)", "Relu(%3, %3)", "node 1 'relu' (Relu): 2 inputs: 1 expected"),
        ("-> %4", "-> %4, %3", "node 1 'relu' (Relu): 2 outputs: 1 expected"),
        ("stride=[1,1]", "stride=[0,1]", "node 0 'conv' (Conv2d): stride = 0x1: must be 1x1 or more"),
    ];
    for (old, new, expected) in cases {
        let found = problems::<Quantized>(GOOD, old, new);
        let named = match expected {
            "" => found.is_empty(),
            _ => found.iter().any(|problem| problem.starts_with(expected)),
        };
        assert!(named, "{old} -> {new}: {found:#?}");
    }
}

#[test]
fn problems_are_collected() {
    let several = GOOD.replace("scale 0.5", "scale -1.0").replace("groups=1", "groups=2");
    let found = problems::<Quantized>(&several, "zero -3\n%4", "zero 500\n%4");
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn float_graphs_need_no_scales() {
    let text = "graph \"\" float\n%0 \"x\" f32[2]\n%1 \"y\" f32[2]\ninputs %0\noutputs %1\nnode \"\" Tanh(%0) -> %1\n";
    assert_eq!(problems::<Float>(text, "", ""), [""; 0]);
    let scaled = problems::<Float>(text, "f32[2]\n%1", "f32[2] scale 1.0 zero 0\n%1");
    assert_eq!(scaled, ["tensor 0 'x': f32 with a scale and zero point: only integers have them"]);
}

#[test]
fn tensors_that_nobody_uses_are_not_looked_at() {
    assert_eq!(problems::<Quantized>(GOOD, "inputs", "%9 \"unused\" i8[0]\ninputs"), [""; 0]);
}

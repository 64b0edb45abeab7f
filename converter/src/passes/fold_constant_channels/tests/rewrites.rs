use super::*;
use crate::ir::text::parse;

/// The lines of a graph after folding, those of the inputs and outputs left out.
fn folded(text: &str) -> Vec<String> {
    let mut graph = parse::<Quantized>(text).unwrap();
    assert_eq!(check(&graph), Ok(()));
    let changed = fold(&mut graph).0;
    let lines: Vec<String> = graph.to_string().lines().map(str::to_owned).collect();
    let before = parse::<Quantized>(text).unwrap();
    assert_eq!(changed == Changed::Yes, graph != before, "the pass must tell what it did");
    assert_eq!(fold(&mut graph).0, Changed::No, "the pass must find nothing the second time");
    lines
}

fn assert_folds(before: &str, after: &str) {
    let expected: Vec<&str> = after.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(folded(before), expected);
}

fn assert_stays(text: &str) {
    let graph = parse::<Quantized>(text).unwrap();
    let expected: Vec<String> = graph.to_string().lines().map(str::to_owned).collect();
    assert_eq!(folded(text), expected);
}

/// Channel 1 of `a` is 40 + 3 whatever the input.
const POINTWISE: &str = r#"graph "pointwise" quantized
%0 "x" i8[1,4,4,1] scale 1.0 zero 0
%1 "filter" i8[3,1,1,1] scale [0.5,1.0,0.25] zero [0,0,0] axis 0 = [5,0,-3]
%2 "bias" i32[3] = [7,40,-8]
%3 "a" i8[1,4,4,3] scale 1.0 zero 3
%4 "next" i8[2,1,1,3] scale [1.0,0.5] zero [0,0] axis 0 = [1,2,3,-1,-2,-3]
%5 "y" i8[1,4,4,2] scale 1.0 zero -1
inputs %0
outputs %5
node "first" Conv2d(%0, %1, %2) -> %3 dilation=[1,1] groups=1 stride=[1,1]
node "second" Conv2d(%3, %4, _) -> %5 dilation=[1,1] groups=1 stride=[1,1]
"#;

#[test]
fn a_constant_channel_becomes_a_part_of_the_next_bias() {
    assert_folds(
        POINTWISE,
        r#"graph "pointwise" quantized
        %0 "x" i8[1,4,4,1] scale 1.0 zero 0
        %1 "a" i8[1,4,4,2] scale 1.0 zero 3
        %2 "y" i8[1,4,4,2] scale 1.0 zero -1
        %3 "filter" i8[2,1,1,1] scale [0.5,0.25] zero [0,0] axis 0 = [5,-3]
        %4 "bias" i32[2] = [7,-8]
        %5 "next" i8[2,1,1,2] scale [1.0,0.5] zero [0,0] axis 0 = [1,3,-1,-3]
        %6 "" i32[2] = [80,-80]
        inputs %0
        outputs %2
        node "first" Conv2d(%0, %3, %4) -> %1 dilation=[1,1] groups=1 stride=[1,1]
        node "second" Conv2d(%1, %5, %6) -> %2 dilation=[1,1] groups=1 stride=[1,1]"#,
    );
}

#[test]
fn the_report_counts_channels_and_sizes() {
    let mut graph = parse::<Quantized>(POINTWISE).unwrap();
    let folding = fold(&mut graph).1;
    assert_eq!(folding.channels(), 1);
    let size = |macs, weights| Size { macs, weights };
    assert_eq!(folding.total, Change { before: size(144, 9), after: size(96, 6) });
    let second = &folding.layers[1];
    assert_eq!((second.name.as_str(), second.kind), ("second", "Conv2d"));
    assert_eq!(second.inputs, Change { before: 3, after: 2 });
    assert_eq!(second.outputs, Change { before: 2, after: 2 });
}

#[test]
fn padding_keeps_a_channel_that_is_not_the_zero_point() {
    // The border would see 40 x 2 less than the inside.
    assert_stays(&POINTWISE.replace("[1,4,4,2]", "[1,6,6,2]").replace(
        "Conv2d(%3, %4, _) -> %5 dilation=[1,1] groups=1",
        "Conv2d(%3, %4, _) -> %5 dilation=[1,1] groups=1 padding=[1,1,1,1]",
    ));
}

#[test]
fn padding_does_not_matter_at_the_zero_point() {
    let text = POINTWISE.replace("[7,40,-8]", "[7,0,-8]").replace("[1,4,4,2]", "[1,6,6,2]").replace(
        "Conv2d(%3, %4, _) -> %5 dilation=[1,1] groups=1",
        "Conv2d(%3, %4, _) -> %5 dilation=[1,1] groups=1 padding=[1,1,1,1]",
    );
    let after = folded(&text);
    assert!(after.contains(&r#"%1 "a" i8[1,4,4,2] scale 1.0 zero 3"#.to_owned()), "{after:#?}");
    assert!(
        after.iter().any(|line| line.starts_with(r#"node "second" Conv2d(%1, %5, _) -> %2"#)),
        "{after:#?}"
    );
}

#[test]
fn padding_that_no_window_reaches_does_not_matter() {
    // Windows start at 0 and 2 of 4 rows; the padded row 4 would begin a third one.
    let text = POINTWISE.replace("[1,4,4,2]", "[1,2,2,2]").replace(
        "Conv2d(%3, %4, _) -> %5 dilation=[1,1] groups=1 stride=[1,1]",
        "Conv2d(%3, %4, _) -> %5 dilation=[1,1] groups=1 padding=[0,1,0,1] stride=[3,3]",
    );
    assert!(folded(&text).iter().any(|line| line.contains("[1,4,4,2]")));
}

#[test]
fn outputs_of_the_graph_keep_their_channels() {
    assert_stays(&POINTWISE.replace("outputs %5", "outputs %5 %3"));
}

#[test]
fn biases_that_would_overflow_are_left_alone() {
    assert_stays(
        &POINTWISE
            .replace("%3, %4, _", "%3, %4, %6")
            .replace("inputs %0", "%6 \"bias\" i32[2] = [0,-2147483600]\ninputs %0"),
    );
}

#[test]
fn tiny_scales_and_saturation_make_constants_too() {
    for (scales, biases) in [("[0.5,1e-15,0.25]", "[7,0,-8]"), ("[0.5,1.0,0.25]", "[7,100000,-8]")] {
        let text = POINTWISE.replace("[0.5,1.0,0.25]", scales).replace("[7,40,-8]", biases);
        let after = folded(&text.replace("= [5,0,-3]", "= [5,90,-3]"));
        assert!(after.contains(&r#"%1 "a" i8[1,4,4,2] scale 1.0 zero 3"#.to_owned()), "{after:#?}");
    }
}

#[test]
fn a_channel_that_is_multiplied_by_zeros_goes() {
    let after = folded(
        &POINTWISE.replace("= [5,0,-3]", "= [5,9,-3]").replace("= [1,2,3,-1,-2,-3]", "= [1,0,3,-1,0,-3]"),
    );
    assert!(after.contains(&r#"%1 "a" i8[1,4,4,2] scale 1.0 zero 3"#.to_owned()), "{after:#?}");
    assert!(!after.iter().any(|line| line.contains("i32[2] = [0,0]")), "{after:#?}");
}

#[test]
fn one_channel_stays_where_all_could_go() {
    let after = folded(&POINTWISE.replace("= [5,0,-3]", "= [0,0,0]"));
    assert!(after.contains(&r#"%1 "a" i8[1,4,4,1] scale 1.0 zero 3"#.to_owned()), "{after:#?}");
}

#[test]
fn grouped_convolutions_are_left_alone() {
    assert_stays(
        r#"graph "grouped" quantized
        %0 "x" i8[1,4,4,2] scale 1.0 zero 0
        %1 "filter" i8[4,1,1,1] scale 0.5 zero 0 = [5,0,-3,0]
        %2 "a" i8[1,4,4,4] scale 1.0 zero 0
        %3 "next" i8[1,1,1,4] scale 0.5 zero 0 = [1,2,3,4]
        %4 "y" i8[1,4,4,1] scale 1.0 zero 0
        inputs %0
        outputs %4
        node "grouped" Conv2d(%0, %1) -> %2 dilation=[1,1] groups=2 stride=[1,1]
        node "next" Conv2d(%2, %3) -> %4 dilation=[1,1] groups=1 stride=[1,1]"#,
    );
}

/// What a hostile file asks for costs neither time nor memory: such a graph is not looked at.
#[test]
fn graphs_of_more_channels_than_any_network_has_are_left_alone() {
    let wide = |wide: usize| {
        let tensors = [6, 7].map(|id| format!("%{id} \"wide {id}\" i8[1,{wide}] scale 1.0 zero 0\n"));
        let text = POINTWISE.replace("inputs %0", &(tensors.concat() + "inputs %0 %6"));
        text.replace("outputs %5", "outputs %5 %7") + "node \"wide\" Relu(%6) -> %7\n"
    };
    let folds = |text: String| fold(&mut parse::<Quantized>(&text).unwrap()).0;
    assert_eq!(folds(wide(100)), Changed::Yes);
    assert_eq!(folds(wide(MOST_CHANNELS / 2)), Changed::No);
}

/// Channel 1 of `a` is 3 more than its zero point, or with another bias equal to it.
const DEPTHWISE: &str = r#"graph "depthwise" quantized
%0 "x" i8[1,4,4,1] scale 1.0 zero 0
%1 "filter" i8[2,1,1,1] scale 1.0 zero 0 = [5,0]
%2 "bias" i32[2] = [0,3]
%3 "a" i8[1,4,4,2] scale 1.0 zero -5
%4 "taps" i8[1,2,1,4] scale [1.0,1.0,1.0,1.0] zero [0,0,0,0] axis 3 = [1,2,3,4,5,6,7,8]
%5 "scales" i32[4] scale [1.0,1.0,1.0,1.0] zero [0,0,0,0] axis 0 = [10,20,30,40]
%6 "b" i8[1,4,4,4] scale 1.0 zero 2
%7 "next" i8[1,1,1,4] scale 0.5 zero 0 = [1,2,3,4]
%8 "y" i8[1,4,4,1] scale 1.0 zero 0
inputs %0
outputs %8
node "first" Conv2d(%0, %1, %2) -> %3 dilation=[1,1] groups=1 stride=[1,1]
node "taps" DepthwiseConv2d(%3, %4, %5) -> %6 dilation=[1,1] multiplier=2 padding=[0,1,0,0] stride=[1,1]
node "next" Conv2d(%6, %7) -> %8 dilation=[1,1] groups=1 stride=[1,1]
"#;

#[test]
fn a_channel_at_the_zero_point_goes_through_a_padded_depthwise_layer() {
    // Channels 2 and 3 of `b` are 30 + 2 and 40 + 2: the last bias is 30 x 3 + 40 x 4.
    assert_folds(
        &DEPTHWISE.replace("= [0,3]", "= [0,0]"),
        r#"graph "depthwise" quantized
        %0 "x" i8[1,4,4,1] scale 1.0 zero 0
        %1 "a" i8[1,4,4,1] scale 1.0 zero -5
        %2 "b" i8[1,4,4,2] scale 1.0 zero 2
        %3 "y" i8[1,4,4,1] scale 1.0 zero 0
        %4 "filter" i8[1,1,1,1] scale 1.0 zero 0 = [5]
        %5 "bias" i32[1] = [0]
        %6 "taps" i8[1,2,1,2] scale [1.0,1.0] zero [0,0] axis 3 = [1,2,5,6]
        %7 "scales" i32[2] scale [1.0,1.0] zero [0,0] axis 0 = [10,20]
        %8 "next" i8[1,1,1,2] scale 0.5 zero 0 = [1,2]
        %9 "" i32[1] = [250]
        inputs %0
        outputs %3
        node "first" Conv2d(%0, %4, %5) -> %1 dilation=[1,1] groups=1 stride=[1,1]
        node "taps" DepthwiseConv2d(%1, %6, %7) -> %2 dilation=[1,1] multiplier=2 padding=[0,1,0,0] stride=[1,1]
        node "next" Conv2d(%2, %8, %9) -> %3 dilation=[1,1] groups=1 stride=[1,1]"#,
    );
}

#[test]
fn a_channel_with_a_border_stays() {
    assert_stays(DEPTHWISE);
}

#[test]
fn without_padding_any_constant_goes_through() {
    let text = DEPTHWISE.replace(" padding=[0,1,0,0]", "").replace("[1,4,4,4]", "[1,3,4,4]");
    let after = folded(&text.replace("\"y\" i8[1,4,4,1]", "\"y\" i8[1,3,4,1]"));
    // 3 x (3 + 7) + 30 and 3 x (4 + 8) + 40, times 3 and 4.
    assert!(after.contains(&r#"%9 "" i32[1] = [484]"#.to_owned()), "{after:#?}");
}

#[test]
fn flattening_takes_a_channel_out_of_every_place() {
    assert_folds(
        r#"graph "flat" quantized
        %0 "x" i8[1,1,2,1] scale 1.0 zero 0
        %1 "filter" i8[2,1,1,1] scale 1.0 zero 0 = [0,5]
        %2 "bias" i32[2] = [9,0]
        %3 "a" i8[1,1,2,2] scale 1.0 zero 0
        %4 "flat" i8[1,4] scale 1.0 zero 0
        %5 "dense" i8[1,4] scale 1.0 zero 0 = [1,2,3,4]
        %6 "offset" i32[1] = [100]
        %7 "y" i8[1,1] scale 1.0 zero 0
        inputs %0
        outputs %7
        node "conv" Conv2d(%0, %1, %2) -> %3 dilation=[1,1] groups=1 stride=[1,1]
        node "flatten" Reshape(%3) -> %4 shape=[1,4]
        node "dense" FullyConnected(%4, %5, %6) -> %7 keep_dims=false"#,
        r#"graph "flat" quantized
        %0 "x" i8[1,1,2,1] scale 1.0 zero 0
        %1 "a" i8[1,1,2,1] scale 1.0 zero 0
        %2 "flat" i8[1,2] scale 1.0 zero 0
        %3 "y" i8[1,1] scale 1.0 zero 0
        %4 "filter" i8[1,1,1,1] scale 1.0 zero 0 = [5]
        %5 "bias" i32[1] = [0]
        %6 "dense" i8[1,2] scale 1.0 zero 0 = [2,4]
        %7 "offset" i32[1] = [136]
        inputs %0
        outputs %3
        node "conv" Conv2d(%0, %4, %5) -> %1 dilation=[1,1] groups=1 stride=[1,1]
        node "flatten" Reshape(%1) -> %2 shape=[1,2]
        node "dense" FullyConnected(%2, %6, %7) -> %3 keep_dims=false"#,
    );
}

/// Two branches with a constant channel each, joined by an operator and read by a pointwise layer.
fn branches(second_filter: &str, joined: usize, join: &str) -> String {
    let next: Vec<String> = (1..=joined).map(|weight| weight.to_string()).collect();
    format!(
        r#"graph "branches" quantized
        %0 "x" i8[1,2,2,1] scale 1.0 zero 0
        %1 "f" i8[3,1,1,1] scale 1.0 zero 0 = [5,0,6]
        %2 "g" i8[3,1,1,1] scale 1.0 zero 0 = {second_filter}
        %3 "a" i8[1,2,2,3] scale 1.0 zero 0
        %4 "b" i8[1,2,2,3] scale 1.0 zero 0
        %5 "j" i8[1,2,2,{joined}] scale 1.0 zero 0
        %6 "next" i8[1,1,1,{joined}] scale 1.0 zero 0 = [{}]
        %7 "y" i8[1,2,2,1] scale 1.0 zero 0
        inputs %0
        outputs %7
        node "left" Conv2d(%0, %1) -> %3 dilation=[1,1] groups=1 stride=[1,1]
        node "right" Conv2d(%0, %2) -> %4 dilation=[1,1] groups=1 stride=[1,1]
        node "join" {join}
        node "next" Conv2d(%5, %6) -> %7 dilation=[1,1] groups=1 stride=[1,1]"#,
        next.join(",")
    )
}

#[test]
fn a_sum_loses_a_channel_that_is_constant_in_both_operands() {
    let after = folded(&branches("[7,0,8]", 3, "Add(%3, %4) -> %5"));
    assert_eq!(after.iter().filter(|line| line.contains("i8[1,2,2,2]")).count(), 3, "{after:#?}");
}

#[test]
fn a_sum_keeps_a_channel_that_is_constant_in_one_operand() {
    assert_stays(&branches("[7,8,0]", 3, "Add(%3, %4) -> %5"));
}

#[test]
fn a_concatenation_loses_the_channels_of_each_part() {
    let after = folded(&branches("[0,7,0]", 6, "Concatenation(%3, %4) -> %5 axis=3"));
    let shapes = ["\"a\" i8[1,2,2,2]", "\"b\" i8[1,2,2,1]", "\"j\" i8[1,2,2,3]", "= [1,3,5]"];
    assert!(shapes.iter().all(|shape| after.iter().any(|line| line.contains(shape))), "{after:#?}");
}

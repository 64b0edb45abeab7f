use super::super::tests::{rewrites, stays};
use super::*;

#[test]
fn a_batch_normalization_becomes_part_of_the_convolution_before() {
    // 3 / sqrt(3 + 1) = 1.5; 1 / sqrt(0.25 + 0) with epsilon 1 has no short form, so the variances are 3 and 15.
    rewrites(
        &FoldBatchNorm,
        r#"graph "g" float
%0 "x" f32[1,2,2,1]
%1 "filter" f32[2,1,1,1] = [2.0,4.0]
%2 "conv" f32[1,2,2,2]
%3 "scale" f32[2] = [3.0,2.0]
%4 "shift" f32[2] = [1.0,-1.0]
%5 "mean" f32[2] = [10.0,20.0]
%6 "variance" f32[2] = [3.0,15.0]
%7 "y" f32[1,2,2,2]
inputs %0
outputs %7
node "conv" Conv2d(%0, %1) -> %2 dilation=[1,1] groups=1 padding=[1,0,1,0] stride=[2,2]
node "norm" BatchNormalization(%2, %3, %4, %5, %6) -> %7 epsilon=1.0
"#,
        r#"graph "g" float
%0 "x" f32[1,2,2,1]
%1 "y" f32[1,2,2,2]
%2 "filter" f32[2,1,1,1] = [3.0,2.0]
%3 "conv/bias" f32[2] = [-14.0,-11.0]
inputs %0
outputs %1
node "conv" Conv2d(%0, %2, %3) -> %1 dilation=[1,1] groups=1 padding=[1,0,1,0] stride=[2,2]
"#,
    );
}

#[test]
fn arithmetic_with_constants_is_folded_through_reshapes() {
    rewrites(
        &FoldBatchNorm,
        r#"graph "g" float
%0 "x" f32[1,1,3,2]
%1 "filter" f32[1,1,1,2] = [1.0,2.0]
%2 "bias" f32[2] = [0.5,1.0]
%3 "conv" f32[1,1,3,2]
%4 "row" f32[1,3,2]
%5 "scale" f32[1,1,2] = [2.0,4.0]
%6 "scaled" f32[1,3,2]
%7 "one" f32[] = [1.0]
%8 "y" f32[1,3,2]
inputs %0
outputs %8
node "conv" DepthwiseConv2d(%0, %1, %2) -> %3 dilation=[1,1] multiplier=1 stride=[1,1]
node "squeeze" Reshape(%3) -> %4 shape=[1,3,2]
node "scale" Div(%4, %5) -> %6
node "negate" Sub(%7, %6) -> %8 activation="Relu"
"#,
        r#"graph "g" float
%0 "x" f32[1,1,3,2]
%1 "conv" f32[1,1,3,2]
%2 "y" f32[1,3,2]
%3 "filter" f32[1,1,1,2] = [-0.5,-0.5]
%4 "bias" f32[2] = [0.75,0.75]
inputs %0
outputs %2
node "conv" DepthwiseConv2d(%0, %3, %4) -> %1 activation="Relu" dilation=[1,1] multiplier=1 stride=[1,1]
node "squeeze" Reshape(%1) -> %2 shape=[1,3,2]
"#,
    );
}

#[test]
fn what_stands_before_a_layer_is_folded_into_it() {
    rewrites(
        &FoldBatchNorm,
        r#"graph "g" float
%0 "x" f32[1,2,2,2]
%1 "mean" f32[2] = [1.0,10.0]
%2 "centred" f32[1,2,2,2]
%3 "filter" f32[1,1,2,2] = [1.0,2.0,3.0,4.0]
%4 "conv" f32[1,2,1,1]
%5 "two" f32[1] = [2.0]
%6 "doubled" f32[1,2,1,1]
%7 "weights" f32[1,2] = [1.0,3.0]
%8 "y" f32[1,1]
inputs %0
outputs %8
node "centre" Sub(%0, %1) -> %2
node "conv" Conv2d(%2, %3) -> %4 activation="Relu" dilation=[1,1] groups=1 stride=[1,1]
node "double" Mul(%5, %4) -> %6
node "layer" FullyConnected(%6, %7) -> %8 keep_dims=false
"#,
        r#"graph "g" float
%0 "x" f32[1,2,2,2]
%1 "filter" f32[1,1,2,2] = [1.0,2.0,3.0,4.0]
%2 "conv" f32[1,2,1,1]
%3 "y" f32[1,1]
%4 "conv/bias" f32[1] = [-64.0]
%5 "weights" f32[1,2] = [2.0,6.0]
inputs %0
outputs %3
node "conv" Conv2d(%0, %1, %4) -> %2 activation="Relu" dilation=[1,1] groups=1 stride=[1,1]
node "layer" FullyConnected(%2, %5) -> %3 keep_dims=false
"#,
    );
}

#[test]
fn shared_results_and_padded_inputs_stay() {
    stays(
        &FoldBatchNorm,
        r#"graph "g" float
%0 "x" f32[1,2,2,1]
%1 "filter" f32[1,1,1,1] = [2.0]
%2 "conv" f32[1,2,2,1]
%3 "one" f32[1] = [1.0]
%4 "sum" f32[1,2,2,1]
%5 "y" f32[1,4,4,1]
inputs %0
outputs %2 %5
node "conv" Conv2d(%0, %1) -> %2 dilation=[1,1] groups=1 stride=[1,1]
node "sum" Add(%2, %3) -> %4
node "padded" Conv2d(%4, %1) -> %5 dilation=[1,1] groups=1 padding=[1,1,1,1] stride=[1,1]
"#,
    );
}

#[test]
fn a_summand_becomes_the_bias_of_a_layer_with_integer_weights() {
    rewrites(
        &FoldBatchNorm,
        r#"graph "g" float
%0 "x" f32[1,2]
%1 "filter" i8[2,2] scale 0.5 zero 0 = [1,2,3,4]
%2 "product" f32[1,2]
%3 "bias" f32[2] = [0.5,1.0]
%4 "y" f32[1,2]
inputs %0
outputs %4
node "fc" FullyConnected(%0, %1) -> %2 keep_dims=false
node "add" Add(%2, %3) -> %4
"#,
        r#"graph "g" float
%0 "x" f32[1,2]
%1 "filter" i8[2,2] scale 0.5 zero 0 = [1,2,3,4]
%2 "y" f32[1,2]
%3 "fc/bias" f32[2] = [0.5,1.0]
inputs %0
outputs %2
node "fc" FullyConnected(%0, %1, %3) -> %2 keep_dims=false
"#,
    );
}

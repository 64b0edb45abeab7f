use super::super::tests::{rewrites, stays};
use super::*;

#[test]
fn what_is_left_of_a_batch_normalization_becomes_a_layer() {
    rewrites(
        &FormDepthwise,
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
        &FormDepthwise,
        r#"graph "g" float
%0 "x" f32[1,1,3,2]
%1 "filter" f32[4,1,2,1] = [1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0]
%2 "y" f32[1,1,2,4]
inputs %0
outputs %2
node "conv" Conv2d(%0, %1) -> %2 dilation=[1,1] groups=2 stride=[1,1]
"#,
        r#"graph "g" float
%0 "x" f32[1,1,3,2]
%1 "y" f32[1,1,2,4]
%2 "filter" f32[1,1,2,4] = [1.0,3.0,5.0,7.0,2.0,4.0,6.0,8.0]
inputs %0
outputs %1
node "conv" DepthwiseConv2d(%0, %2) -> %1 dilation=[1,1] multiplier=2 stride=[1,1]
"#,
    );
}

#[test]
fn factors_of_rows_become_a_layer_on_an_image() {
    rewrites(
        &FormDepthwise,
        r#"graph "g" float
%0 "x" f32[3,2]
%1 "divisor" f32[1,2] = [0.5,4.0]
%2 "y" f32[3,2]
inputs %0
outputs %2
node "scale" Div(%0, %1) -> %2 activation="Relu"
"#,
        r#"graph "g" float
%0 "x" f32[3,2]
%1 "y" f32[3,2]
%2 "scale/scale" f32[1,1,1,2] = [2.0,0.25]
%3 "" f32[1,1,3,2]
%4 "y" f32[1,1,3,2]
inputs %0
outputs %1
node "scale" Reshape(%0) -> %3 shape=[1,1,3,2]
node "scale" DepthwiseConv2d(%3, %2) -> %4 activation="Relu" dilation=[1,1] multiplier=1 stride=[1,1]
node "scale" Reshape(%4) -> %1 shape=[3,2]
"#,
    );
}

#[test]
fn one_factor_for_all_and_true_groups_stay() {
    stays(
        &FormDepthwise,
        r#"graph "g" float
%0 "x" f32[1,1,1,4]
%1 "two" f32[4] = [2.0,2.0,2.0,2.0]
%2 "a" f32[1,1,1,4]
%3 "filter" f32[2,1,1,2] = [1.0,2.0,3.0,4.0]
%4 "y" f32[1,1,1,2]
inputs %0
outputs %4
node "a" Mul(%0, %1) -> %2
node "b" Conv2d(%2, %3) -> %4 dilation=[1,1] groups=2 stride=[1,1]
"#,
    );
}

//! Operators on the boards: golden vectors of one-operator models and of small networks.

use anyhow::{Result, ensure};
use secateur_tests::golden::{self, Golden};
use secateur_tests::target::Bench;
use secateur_tests::vectors::Runner;
use secateur_tests::workspace;

/// Cases for every board: each operator, each kernel of it, tails and borders.
const CASES: &[&str] = &[
    "add_broadcast_both",
    "arg_max_axis_1",
    "average_pool_2d_3x3_stride_1_same",
    "chain_branches",
    "chain_constant_operands",
    "chain_float_edges",
    "chain_in_place",
    "chain_input_is_output",
    "chain_residual",
    "chain_separable",
    "chain_split_and_join",
    "chain_squeeze_excite",
    "chain_two_inputs_two_outputs",
    "chain_upsampling",
    "concatenation_three",
    "conv_2d_3x3_same_stride_2_odd",
    "conv_2d_channels_17_to_17",
    "conv_2d_dilation_2_same",
    "conv_2d_groups_2",
    "conv_2d_relu_n1_to_1",
    "depthwise_conv_2d_3x3_same",
    "depthwise_conv_2d_channels_17",
    "depthwise_conv_2d_multiplier_2",
    "depthwise_conv_2d_stride_2_same_odd",
    "dequantize_ordinary",
    "fully_connected_batch_3",
    "fully_connected_odd_17_to_33",
    "hard_swish_mobilenet",
    "leaky_relu_rescaled",
    "max_pool_2d_3x3_stride_2_valid",
    "maximum_broadcast_channels",
    "mean_height_width_rescaled",
    "mean_small_sums",
    "minimum_constant",
    "mul_broadcast_scalar",
    "padv2_image_77",
    "quantize_float",
    "quantize_coarser",
    "reduce_max_height_width",
    "resize_bilinear_7x6_to_3x11_half_pixel",
    "resize_nearest_neighbor_5x7_to_8x5_align_corners",
    "softmax_long_row",
    "softmax_ten_classes",
    "strided_slice_reversed",
    "sub_scales_far_apart",
    "tanh_ordinary",
    "transpose_conv_5x3_stride_3x2_valid",
    "transpose_rank_5",
];

/// Operators with assembly of their own: every case of them runs where it does.
const ASSEMBLED: &[&str] = &["conv_2d_", "depthwise_conv_2d_", "fully_connected_", "transpose_conv_"];

/// One board for each assembler syntax that the assembly is built with.
const ASSEMBLED_ON: &[&str] = &["mps2-an386", "mps2-an505"];

on_every_board!("operators", check);

fn check(bench: &Bench, _: &str) -> Result<()> {
    let is_assembled = ASSEMBLED_ON.contains(&bench.board.name.as_str());
    let chosen = |case: &Golden| {
        let assembled = || ASSEMBLED.iter().any(|operator| case.name.starts_with(operator));
        CASES.contains(&case.name.as_str()) || (is_assembled && assembled())
    };
    let cases = golden::operators(&workspace().join("tests/golden/operators"))?;
    let cases: Vec<Golden> = cases.into_iter().filter(chosen).collect();
    ensure!(cases.len() >= CASES.len(), "cases that do not exist are asked for");

    let runner = Runner::new(bench, env!("CARGO_TARGET_TMPDIR"), "operators")?;
    let mut failures = Vec::new();
    for case in &cases {
        match runner.check(case) {
            Ok(0) => failures.push(format!("{}: does not fit", case.name)),
            Ok(_) => {}
            Err(error) => failures.push(format!("{}: {error:#}", case.name)),
        }
    }
    ensure!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
    Ok(())
}

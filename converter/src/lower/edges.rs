//! The edges of a model: real numbers in and out, softmax, resizing of images.

use secateur::format::OpCode;
use secateur::kernels::{NodeError, require, resize_bilinear, resize_nearest, softmax};
use secateur::quant::Multiplier;

use super::arithmetic::quantize_multiplier;
use super::lookup::{fixed_output, input_radius};
use super::{Affine, Lowering, Step, image_size, indexable, int8, same_quantization, unsupported};
use crate::ir::attributes::{Resize, Softmax};
use crate::ir::{DType, Fault, Node};

impl Lowering<'_> {
    /// Real numbers or integers of another scale to int8.
    pub(super) fn quantize(&mut self, node: &Node) -> Result<(), Fault> {
        if self.operand(node, 0)?.dtype != DType::F32 {
            return self.lookup(node);
        }
        int8("output", self.result(node)?)?;
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::Quantize, &(), vec![input], vec![output]))
    }

    pub(super) fn dequantize(&mut self, node: &Node) -> Result<(), Fault> {
        int8("input", self.operand(node, 0)?)?;
        let output = self.result(node)?;
        if output.dtype != DType::F32 {
            return Err(Fault::Type { role: "output", found: output.dtype, expected: "f32".to_owned() });
        }
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::Dequantize, &(), vec![input], vec![output]))
    }

    pub(super) fn softmax(&mut self, node: &Node, softmax: &Softmax) -> Result<(), Fault> {
        const FRACTION_BITS: u32 = 31 - softmax::SCALED_DIFF_INTEGER_BITS;
        let from = int8("input", self.operand(node, 0)?)?;
        fixed_output(int8("output", self.result(node)?)?, Affine { scale: 1.0 / 256.0, zero_point: -128 })?;
        let factor = f64::from(softmax.beta) * f64::from(from.scale) * f64::from(1u32 << FRACTION_BITS);
        let factor = factor.min(f64::from(i32::MAX));
        let (mantissa, shift) = quantize_multiplier(factor);
        let mantissa = i32::try_from(mantissa).ok().filter(|_| factor > 1.0 && shift >= 0);
        let mantissa = mantissa.ok_or_else(|| {
            unsupported(format!(
                "beta = {} with input scale {}: their product must be above 2^-26",
                softmax.beta, from.scale
            ))
        })?;
        let radius = input_radius(softmax::SCALED_DIFF_INTEGER_BITS, shift);
        let params = softmax::Params {
            multiplier: Multiplier { mantissa, shift: shift.min(30) },
            diff_min: i32::try_from(-radius).unwrap_or(i32::MIN),
        };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::Softmax, &params, vec![input], vec![output]))
    }

    pub(super) fn resize_nearest(&mut self, node: &Node, resize: &Resize) -> Result<(), Fault> {
        let (input, output) = (self.operand(node, 0)?, self.result(node)?);
        same_quantization(int8("input", input)?, int8("output", output)?)?;
        let [_, in_h, in_w, _] = input.shape[..] else {
            return Err(Fault::Rank { role: "input", shape: input.shape.clone(), expected: "4" });
        };
        let mut table = |input: usize, output: usize| {
            let (Ok(input), Ok(output)) = (u16::try_from(input), u16::try_from(output)) else {
                return Err(unsupported(format!("resizing {input} to {output}: at most 65535")));
            };
            let neighbour = |at| {
                resize_nearest::neighbour(at, input, output, resize.align_corners, resize.half_pixel_centers)
            };
            Ok(self.constants.add(&(0..output).map(neighbour).collect::<Vec<_>>()[..]))
        };
        let params = resize_nearest::Params {
            rows: table(in_h, resize.size.height)?,
            columns: table(in_w, resize.size.width)?,
        };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::ResizeNearest, &params, vec![input], vec![output]))
    }

    pub(super) fn resize_bilinear(&mut self, node: &Node, resize: &Resize) -> Result<(), Fault> {
        let (input, output) = (self.operand(node, 0)?, self.result(node)?);
        same_quantization(int8("input", input)?, int8("output", output)?)?;
        let sizes = [image_size("input", input)?, image_size("output", output)?];
        let fits = sizes.as_flattened().iter().all(|&len| len < resize_bilinear::LIMIT);
        indexable(require(fits, NodeError::Shape), sizes[0], sizes[1])?;
        let params = resize_bilinear::Params {
            align_corners: resize.align_corners.into(),
            half_pixel_centers: resize.half_pixel_centers.into(),
            reserved: [0; 2],
        };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::ResizeBilinear, &params, vec![input], vec![output]))
    }
}

//! Pools and reductions.

use secateur::format::OpCode;
use secateur::kernels::{Axis, Window, arg_max, pool2d};

use super::convolution::window;
use super::{Lowering, Step, Value, ValueId, indexable, same_quantization, shape_of};
use crate::arithmetic::scale::stage;
use crate::arithmetic::{Affine, int8, reduction, unsupported};
use crate::ir::attributes::{ArgExtreme, Pool2d, Reduce};
use crate::ir::{Activation, DType, Fault, Hw, Node, Padding};

impl Lowering<'_> {
    pub(super) fn pool2d(&mut self, node: &Node, pool: &Pool2d, op: OpCode) -> Result<(), Fault> {
        let from = int8("input", self.operand(node, 0)?)?;
        let to = int8("output", self.result(node)?)?;
        same_quantization(from, to)?;
        if pool.count_padding && pool.padding != Padding::NONE {
            return Err(unsupported(
                "averages that count padding: pad with an operator of its own".to_owned(),
            ));
        }
        let window = window(pool.filter, pool.stride, Hw::square(1), pool.padding)?;
        self.check_window(node, &window)?;
        let params = params(window, to, pool.activation);
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, op, &params, vec![input], vec![output]))
    }

    pub(super) fn sum_or_mean(&mut self, node: &Node, reduce: &Reduce, is_mean: bool) -> Result<(), Fault> {
        let (input, output) = (self.operand(node, 0)?, self.result(node)?);
        let (from, to) = (int8("input", input)?, int8("output", output)?);
        let params = reduction::sum_or_mean(&input.shape, reduce, is_mean, from, to)?;
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        self.step(Step::new(&node.name, OpCode::Mean, &params, vec![input], vec![output]))
    }

    /// The maximum over neighbouring axes is a pool over one axis of the input seen as `[outer, reduced, 1, inner]`.
    pub(super) fn reduce_max(&mut self, node: &Node, reduce: &Reduce) -> Result<(), Fault> {
        let (input, output) = (self.operand(node, 0)?, self.result(node)?);
        let to = int8("output", output)?;
        same_quantization(int8("input", input)?, to)?;
        let (Some(&first), Some(&last)) = (reduce.axes.first(), reduce.axes.last()) else {
            return Err(unsupported("no axes to reduce".to_owned()));
        };
        if last - first + 1 != reduce.axes.len() {
            return Err(unsupported(format!(
                "axes {:?} are not neighbours: reduce them one after another",
                reduce.axes
            )));
        }
        let product = |dims: &[usize]| dims.iter().product::<usize>();
        let (outer, rest) = input.shape.split_at(first);
        let (reduced, inner) = rest.split_at(reduce.axes.len());
        let (outer, reduced, inner) = (product(outer), product(reduced), product(inner));
        let kernel =
            u16::try_from(reduced).map_err(|_| unsupported(format!("{reduced} values per maximum")))?;
        let window = Window { height: Axis { kernel, ..Axis::UNIT }, ..Window::UNIT };
        indexable(window.check([reduced, 1], [1, 1]), [reduced, 1], [1, 1])?;
        let (source, target) = (self.input_value(node, 0)?, self.result_value(node)?);
        let source = self.reshaped(source, &[outer, reduced, 1, inner])?;
        let target = self.reshaped(target, &[outer, 1, 1, inner])?;
        let params = params(window, to, Activation::None);
        self.step(Step::new(&node.name, OpCode::MaxPool2d, &params, vec![source], vec![target]))
    }

    pub(super) fn arg_max(&mut self, node: &Node, arg: &ArgExtreme) -> Result<(), Fault> {
        let output = self.result(node)?;
        int8("input", self.operand(node, 0)?)?;
        if output.dtype != DType::I32 {
            return Err(Fault::Type { role: "output", found: output.dtype, expected: "i32".to_owned() });
        }
        let axis = u32::try_from(arg.axis).map_err(|_| unsupported("axis out of range".to_owned()))?;
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        let params = arg_max::Params { axis };
        self.step(Step::new(&node.name, OpCode::ArgMax, &params, vec![input], vec![output]))
    }

    /// The same bytes under another shape.
    pub(super) fn reshaped(&mut self, value: ValueId, dims: &[usize]) -> Result<ValueId, Fault> {
        let shape = shape_of(dims)?;
        let view = Value { shape, ..self.program.values[value.0].clone() };
        Ok(self.program.add_view(view, &mut None))
    }
}

fn params(window: Window, output: Affine, activation: Activation) -> pool2d::Params {
    let stage = stage(output, activation);
    pool2d::Params { window, min: stage.min, max: stage.max, reserved: [0; 2] }
}

//! One operator under conversion: its inputs, outputs and options, and what is wrong with them.

use std::borrow::Cow;

use super::flatbuffer::{Broken, Field, Scalar, Table};
use super::schema::OptionsKind;
use crate::import::ImportFault;
use crate::ir::{Activation, DType, Fault, Hw, Op, Padding, Tensor};

/// What an operator of the file becomes.
pub(super) enum Converted {
    /// A node.
    Node {
        op: Op,
        /// The slots of the file's inputs that the node reads, in the node's order.
        inputs: Vec<usize>,
    },
    /// Data of its output, which is known at conversion.
    Constant(Vec<u8>),
}

impl Converted {
    /// A node that reads the file's inputs in the given slots.
    pub(super) fn new(op: Op, inputs: impl Into<Vec<usize>>) -> Option<Self> {
        Some(Converted::Node { op, inputs: inputs.into() })
    }

    /// A node that reads the file's input 0.
    pub(super) fn unary(op: Op) -> Option<Self> {
        Converted::new(op, [0])
    }
}

/// An operator whose tensors are all readable.
///
/// The methods that return `Option` record a fault where they return `None`.
pub(super) struct Operator<'a> {
    pub(super) inputs: &'a [Option<&'a Tensor>],
    pub(super) outputs: &'a [&'a Tensor],
    pub(super) options_kind: u8,
    pub(super) options: Table<'a>,
    pub(super) faults: Vec<ImportFault>,
}

impl<'a> Operator<'a> {
    /// Longest constant that stands for an attribute: two numbers for each axis.
    const LONGEST_ATTRIBUTE: usize = 2 * crate::ir::Shape::MAX_RANK;

    pub(super) fn fault(&mut self, fault: impl Into<ImportFault>) {
        self.faults.push(fault.into());
    }

    pub(super) fn invalid(
        &mut self,
        attribute: &'static str,
        value: impl ToString,
        expected: impl Into<String>,
    ) {
        self.fault(Fault::Attribute { attribute, value: value.to_string(), expected: expected.into() });
    }

    fn keep<T>(&mut self, result: Result<T, Broken>) -> Option<T> {
        result.map_err(|broken| self.fault(broken)).ok()
    }

    /// Takes the cost of a constant that is made of another out of the file's allowance.
    pub(super) fn charge(&mut self, cost: usize) -> Option<()> {
        let result = self.options.charge(crate::import::tflite::schema::operator::INPUTS, cost);
        self.keep(result)
    }

    /// Whether the options are those of this operator; absent options have default values.
    pub(super) fn expect_options(&mut self, kind: OptionsKind) -> Option<()> {
        let found = self.options_kind;
        if found == kind.number || found == 0 {
            return Some(());
        }
        self.fault(ImportFault::Options { found, expected: kind.name });
        None
    }

    pub(super) fn scalar<T: Scalar>(&mut self, field: Field, default: T) -> Option<T> {
        let result = self.options.scalar(field, default);
        self.keep(result)
    }

    pub(super) fn vector(&mut self, field: Field) -> Option<Vec<i64>> {
        let result = self.options.vector::<i32>(field);
        self.keep(result).map(|values| values.into_iter().map(i64::from).collect())
    }

    /// A number that must be 1 or more.
    pub(super) fn positive(&mut self, field: Field, default: i32, rule: &str) -> Option<usize> {
        let value = self.scalar(field, default)?;
        let positive = usize::try_from(value).ok().filter(|&value| value > 0);
        if positive.is_none() {
            self.invalid(field.name, value, format!("{rule} must be 1 or more; re-export the model"));
        }
        positive
    }

    /// Height and width, each 1 or more.
    pub(super) fn size(&mut self, height: Field, width: Field, default: i32, rule: &str) -> Option<Hw> {
        let height = self.positive(height, default, rule);
        let width = self.positive(width, default, rule);
        Some(Hw::new(height?, width?))
    }

    pub(super) fn activation(&mut self, field: Field) -> Option<Activation> {
        let value = self.scalar(field, 0i8)?;
        let advice = "only RELU, RELU_N1_TO_1 and RELU6 can be fused: make it an operator of its own";
        let unsupported = match value {
            0 => return Some(Activation::None),
            1 => return Some(Activation::Relu),
            2 => return Some(Activation::ReluN1To1),
            3 => return Some(Activation::Relu6),
            4 => Cow::from("TANH"),
            5 => Cow::from("SIGN_BIT"),
            _ => Cow::from(value.to_string()),
        };
        self.fault(ImportFault::UnsupportedAttribute {
            attribute: field.name,
            value: unsupported.into(),
            advice,
        });
        None
    }

    /// The padding that the attribute stands for, given the sizes it depends on.
    pub(super) fn padding(
        &mut self,
        field: Field,
        input: Hw,
        filter: Hw,
        stride: Hw,
        dilation: Hw,
    ) -> Option<Padding> {
        match self.scalar(field, 0i8)? {
            0 => Some(Padding::same(input, filter, stride, dilation)),
            1 => Some(Padding::NONE),
            value => {
                self.invalid(field.name, value, "must be 0 (SAME) or 1 (VALID); re-export the model");
                None
            }
        }
    }

    /// The tensor in a slot that must be filled.
    pub(super) fn input(&mut self, slot: usize, role: &'static str) -> Option<&'a Tensor> {
        let input = self.inputs.get(slot).copied().flatten();
        if input.is_none() {
            self.fault(Fault::MissingInput { role });
        }
        input
    }

    /// The dimensions of the tensor in a slot, which must have rank 4.
    pub(super) fn image(&mut self, slot: usize, role: &'static str) -> Option<[usize; 4]> {
        let tensor = self.input(slot, role)?;
        let dimensions = <[usize; 4]>::try_from(&*tensor.shape).ok();
        if dimensions.is_none() {
            self.fault(Fault::Rank { role, shape: tensor.shape.clone(), expected: "4" });
        }
        dimensions
    }

    /// The first output, which must exist.
    pub(super) fn output(&mut self) -> Option<&'a Tensor> {
        let output = self.outputs.first().copied();
        if output.is_none() {
            self.fault(Fault::OutputCount { found: 0, expected: 1 });
        }
        output
    }

    /// The integers of a constant that stands for an attribute.
    pub(super) fn constant(&mut self, slot: usize, role: &'static str) -> Option<Vec<i64>> {
        let tensor = self.input(slot, role)?;
        if !matches!(tensor.dtype, DType::I32 | DType::I64) {
            let expected = "i32 or i64".to_string();
            self.fault(Fault::Type { role, found: tensor.dtype, expected });
            return None;
        }
        let Some(data) = &tensor.data else {
            self.fault(ImportFault::NotConstant { role });
            return None;
        };
        let found = data.len() / tensor.dtype.size();
        if found > Self::LONGEST_ATTRIBUTE {
            let expected = format!("at most {}", Self::LONGEST_ATTRIBUTE);
            self.fault(ImportFault::ConstantLength { role, found, expected });
            return None;
        }
        let values = tensor.integer_values().filter(|values| tensor.shape.elements() == Some(values.len()));
        if values.is_none() {
            self.fault(ImportFault::ConstantLength { role, found, expected: tensor.shape.to_string() });
        }
        values
    }

    /// A constant that must have a given number of elements.
    pub(super) fn constant_of<const LENGTH: usize>(
        &mut self,
        slot: usize,
        role: &'static str,
    ) -> Option<[i64; LENGTH]> {
        let values = self.constant(slot, role)?;
        let found = values.len();
        let array = <[i64; LENGTH]>::try_from(values).ok();
        if array.is_none() {
            self.fault(ImportFault::ConstantLength { role, found, expected: LENGTH.to_string() });
        }
        array
    }

    /// An axis, which may count from the end, of a tensor of the given rank.
    pub(super) fn axis(&mut self, attribute: &'static str, value: i64, rank: usize) -> Option<usize> {
        let counted = if value < 0 { value.saturating_add(rank as i64) } else { value };
        let axis = usize::try_from(counted).ok().filter(|&axis| axis < rank);
        if axis.is_none() {
            self.invalid(attribute, value, format!("must be within -{rank} and {}", rank as i64 - 1));
        }
        axis
    }
}

//! One node of the file under conversion: its attributes and inputs, and what is wrong with them.
//!
//! The methods that return `Option` record a fault where they return `None`.

use rten_onnx::onnx::{AttributeProto, AttributeType, TensorProto};

use super::OnnxFault;
use super::builder::Builder;
use super::evaluate::Elements;
use super::pattern::Pending;
use crate::import::ImportFault;
use crate::import::nchw;
use crate::ir::attributes::{Reshape, Transpose};
use crate::ir::{DType, Fault, Op, Place, Shape, Tensor, TensorId};

/// What a name of the file stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A tensor of the graph.
    Tensor(TensorId),
    /// A step of a computation that only makes sense with its other steps.
    Pending(Pending),
}

/// What a node's outputs stand for.
pub(super) type Values = Vec<Value>;

/// A node whose inputs are all known.
pub(super) struct Operator<'a> {
    pub(super) builder: &'a mut Builder,
    /// The name of the nodes that it becomes.
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) attributes: &'a [AttributeProto],
    /// For each attribute, whether it has been read.
    pub(super) known: Vec<bool>,
    pub(super) inputs: Vec<Option<Value>>,
    /// For each output, whether anything reads it.
    pub(super) outputs: Vec<bool>,
    /// Version of the standard operators.
    pub(super) opset: i64,
    pub(super) faults: Vec<ImportFault>,
}

/// Attributes.
impl<'a> Operator<'a> {
    fn attribute(&mut self, name: &str) -> Option<&'a AttributeProto> {
        let index = self.attributes.iter().position(|attribute| attribute.name.as_deref() == Some(name))?;
        self.known[index] = true;
        Some(&self.attributes[index])
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        read: impl Fn(&'a AttributeProto) -> Option<T>,
    ) -> Option<Option<T>> {
        let Some(attribute) = self.attribute(name) else { return Some(None) };
        let value = read(attribute);
        if value.is_none() {
            self.fault(OnnxFault::AttributeType { name, expected });
        }
        value.map(Some)
    }

    /// Takes note of attributes that change nothing here.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.attribute(name);
        }
    }

    pub(super) fn integer(&mut self, name: &'static str, default: i64) -> Option<i64> {
        let is_int = |attribute: &AttributeProto| attribute.r#type == Some(AttributeType::INT);
        let value =
            self.typed(name, "INT", |attribute| attribute.i.or_else(|| is_int(attribute).then_some(0)))?;
        Some(value.unwrap_or(default))
    }

    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> Option<bool> {
        Some(self.integer(name, default.into())? != 0)
    }

    pub(super) fn real(&mut self, name: &'static str, default: f32) -> Option<f32> {
        Some(self.optional_real(name)?.unwrap_or(default))
    }

    pub(super) fn optional_real(&mut self, name: &'static str) -> Option<Option<f32>> {
        let is_float = |attribute: &AttributeProto| attribute.r#type == Some(AttributeType::FLOAT);
        self.typed(name, "FLOAT", |attribute| attribute.f.or_else(|| is_float(attribute).then_some(0.0)))
    }

    /// A list of integers, `None` inside if there is none.
    pub(super) fn integers(&mut self, name: &'static str) -> Option<Option<&'a [i64]>> {
        self.typed(name, "INTS", |attribute| {
            let other = attribute.i.is_some() || attribute.f.is_some() || !attribute.floats.is_empty();
            (!other).then_some(attribute.ints.as_slice())
        })
    }

    pub(super) fn reals(&mut self, name: &'static str) -> Option<Option<&'a [f32]>> {
        self.typed(name, "FLOATS", |attribute| {
            let other = attribute.i.is_some() || attribute.f.is_some() || !attribute.ints.is_empty();
            (!other).then_some(attribute.floats.as_slice())
        })
    }

    pub(super) fn text(&mut self, name: &'static str, default: &'static str) -> Option<&'a str> {
        let is_text = |attribute: &AttributeProto| attribute.r#type == Some(AttributeType::STRING);
        let value = self.typed(name, "STRING", |attribute| {
            attribute.s.as_deref().or_else(|| is_text(attribute).then_some(""))
        })?;
        Some(value.unwrap_or(default))
    }

    pub(super) fn tensor_attribute(&mut self, name: &'static str) -> Option<Option<&'a TensorProto>> {
        self.typed(name, "TENSOR", |attribute| attribute.t.as_ref())
    }
}

/// Faults.
impl Operator<'_> {
    pub(super) fn fault(&mut self, fault: impl Into<ImportFault>) {
        self.faults.push(fault.into());
    }

    /// A value that the format forbids or that does not suit the inputs.
    pub(super) fn invalid<T>(
        &mut self,
        attribute: &'static str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Option<T> {
        self.fault(Fault::Attribute { attribute, value: value.to_string(), expected: expected.into() });
        None
    }

    /// A value that the format allows but that is not supported.
    pub(super) fn unsupported<T>(
        &mut self,
        attribute: &'static str,
        value: impl ToString,
        advice: &'static str,
    ) -> Option<T> {
        self.fault(ImportFault::UnsupportedAttribute { attribute, value: value.to_string(), advice });
        None
    }

    /// That nothing reads any output but the first.
    pub(super) fn one_output(&mut self, role: &'static str) {
        if let Some(output) = (1..self.outputs.len()).find(|&output| self.outputs[output]) {
            self.fault(OnnxFault::Output { output, role });
        }
    }

    pub(super) fn keep<T>(&mut self, result: Result<T, impl Into<ImportFault>>) -> Option<T> {
        result.map_err(|fault| self.fault(fault)).ok()
    }
}

/// Inputs.
impl Operator<'_> {
    /// The tensor at a slot, if something stands there.
    pub(super) fn optional(&mut self, slot: usize) -> Option<Option<TensorId>> {
        match self.inputs.get(slot).cloned().flatten() {
            None => Some(None),
            Some(Value::Tensor(id)) => Some(Some(id)),
            Some(Value::Pending(pending)) => {
                self.fault(pending.fault());
                None
            }
        }
    }

    /// The tensor at a slot that must be filled.
    pub(super) fn input(&mut self, slot: usize, role: &'static str) -> Option<TensorId> {
        let id = self.optional(slot)?;
        if id.is_none() {
            self.fault(Fault::MissingInput { role });
        }
        id
    }

    pub(super) fn tensor(&self, id: TensorId) -> &Tensor {
        self.builder.tensor(id)
    }

    pub(super) fn shape(&self, id: TensorId) -> Shape {
        self.builder.tensor(id).shape.clone()
    }

    pub(super) fn rank(&self, id: TensorId) -> usize {
        self.builder.tensor(id).shape.rank()
    }

    /// A weight: a tensor that depends on constants only.
    pub(super) fn fixed(&mut self, id: TensorId, role: &'static str) -> Option<TensorId> {
        if !self.builder.is_fixed(id) {
            self.fault(ImportFault::NotConstant { role });
            return None;
        }
        Some(id)
    }

    /// The value of a tensor that must be known at conversion.
    pub(super) fn value(&mut self, id: TensorId, role: &'static str) -> Option<Tensor> {
        let value = self.builder.value(id);
        if value.is_none() {
            self.fault(ImportFault::NotConstant { role });
        }
        value
    }

    /// The integers at a slot that stand for an attribute, `None` inside if the slot is empty.
    pub(super) fn constant_integers(&mut self, slot: usize, role: &'static str) -> Option<Option<Vec<i64>>> {
        let Some(id) = self.optional(slot)? else { return Some(None) };
        let value = self.value(id, role)?;
        match Elements::of(&value) {
            Some(Elements::Integers(values)) => Some(Some(values)),
            _ => {
                let expected = "i64 or i32".to_string();
                self.fault(Fault::Type { role, found: value.dtype, expected });
                None
            }
        }
    }

    /// The real numbers at a slot that stand for an attribute, `None` inside if the slot is empty.
    pub(super) fn constant_reals(&mut self, slot: usize, role: &'static str) -> Option<Option<Vec<f32>>> {
        let Some(id) = self.optional(slot)? else { return Some(None) };
        let value = self.value(id, role)?;
        match Elements::of(&value) {
            Some(Elements::Reals(values)) => Some(Some(values)),
            Some(Elements::Integers(values)) => {
                Some(Some(values.into_iter().map(|value| value as f32).collect()))
            }
            None => {
                self.fault(Fault::Type { role, found: value.dtype, expected: "f32".into() });
                None
            }
        }
    }

    /// The one number at a slot, `None` inside if the slot is empty.
    pub(super) fn constant_real(&mut self, slot: usize, role: &'static str) -> Option<Option<f32>> {
        match self.constant_reals(slot, role)?.as_deref() {
            None => Some(None),
            Some(&[value]) => Some(Some(value)),
            Some(values) => {
                let (found, expected) = (values.len(), "1".into());
                self.fault(ImportFault::ConstantLength { role, found, expected });
                None
            }
        }
    }

    /// An axis, which may count from the end, of a tensor of the given rank.
    pub(super) fn axis(&mut self, attribute: &'static str, value: i64, rank: usize) -> Option<usize> {
        let counted = if value < 0 { value.saturating_add(rank as i64) } else { value };
        match usize::try_from(counted).ok().filter(|&axis| axis < rank) {
            None => self.invalid(attribute, value, format!("must be within -{rank} and {}", rank as i64 - 1)),
            axis => axis,
        }
    }

    /// Axes, each once, ascending.
    pub(super) fn axes(
        &mut self,
        attribute: &'static str,
        values: &[i64],
        rank: usize,
    ) -> Option<Vec<usize>> {
        let axes: Vec<Option<usize>> = values.iter().map(|&axis| self.axis(attribute, axis, rank)).collect();
        let mut axes = axes.into_iter().collect::<Option<Vec<_>>>()?;
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return self.invalid(attribute, format!("{values:?}"), "must name each axis once");
        }
        Some(axes)
    }
}

/// Results.
impl Operator<'_> {
    /// Adds a node of one output.
    pub(super) fn emit(&mut self, op: Op, inputs: &[TensorId]) -> Option<TensorId> {
        let inputs: Vec<Option<TensorId>> = inputs.iter().copied().map(Some).collect();
        self.emit_all(op, &inputs)?.first().copied()
    }

    /// Adds a node.
    pub(super) fn emit_all(&mut self, op: Op, inputs: &[Option<TensorId>]) -> Option<Vec<TensorId>> {
        let kept = inputs.len() - inputs.iter().rev().take_while(|input| input.is_none()).count();
        match self.builder.add_node(&self.name, &self.place, op, &inputs[..kept]) {
            Ok(outputs) => Some(outputs),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// Adds a node that reads the first input and gives what it writes.
    pub(super) fn unary(&mut self, op: Op) -> Option<Values> {
        let input = self.input(0, "input")?;
        self.emit(op, &[input]).and_then(one)
    }

    /// The tensor under another shape.
    pub(super) fn reshape(&mut self, id: TensorId, shape: impl Into<Shape>) -> Option<TensorId> {
        let shape = shape.into();
        if self.tensor(id).shape == shape {
            return Some(id);
        }
        self.emit(Op::Reshape(Reshape { shape }), &[id])
    }

    /// The tensor with its axes in another order.
    pub(super) fn transpose(&mut self, id: TensorId, permutation: &[usize]) -> Option<TensorId> {
        if permutation.is_sorted() {
            return Some(id);
        }
        self.emit(Op::Transpose(Transpose { permutation: permutation.to_vec() }), &[id])
    }

    /// An image NCHW as NHWC.
    pub(super) fn nhwc(&mut self, id: TensorId) -> Option<TensorId> {
        self.transpose(id, &nchw::TO_NHWC)
    }

    /// An image NHWC as NCHW.
    pub(super) fn nchw(&mut self, id: TensorId) -> Option<TensorId> {
        self.transpose(id, &nchw::FROM_NHWC)
    }

    /// A constant number of the type of another tensor.
    pub(super) fn scalar(&mut self, value: f32) -> TensorId {
        self.builder.add_tensor(Tensor::constant_f32("", Shape::default(), &[value]))
    }

    /// A constant of integers.
    pub(super) fn integer_constant(
        &mut self,
        values: Vec<i64>,
        dtype: DType,
        shape: Shape,
    ) -> Option<TensorId> {
        self.builder.constant(Elements::Integers(values), dtype, shape)
    }
}

/// The one output of a node.
pub(super) fn one(id: TensorId) -> Option<Values> {
    Some(vec![Value::Tensor(id)])
}

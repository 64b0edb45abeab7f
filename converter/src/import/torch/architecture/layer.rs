//! One layer of a description on its way into the graph.

use std::collections::HashSet;

use super::super::weights::{Weight, Weights};
use super::attributes::Attributes;
use super::fault::ArchitectureFault;
use super::network::{Form, Network, ValueId};
use crate::import::ImportFault;
use crate::ir::{Fault, Op, Shape, TensorId};

/// Adds one kind of layer to the network; gives `None` if it cannot be, with the faults in the layer.
pub(super) type Build = fn(&mut Layer<'_>) -> Option<ValueId>;

/// A layer with what it reads.
pub(super) struct Layer<'a> {
    pub network: &'a mut Network,
    pub attributes: Attributes,
    pub inputs: Vec<ValueId>,
    /// The module's name in the state dict.
    pub prefix: Option<String>,
    pub weights: &'a Weights,
    /// Names of the weights that layers have asked for.
    pub used: &'a mut HashSet<String>,
    pub faults: Vec<ImportFault>,
}

impl<'a> Layer<'a> {
    pub(super) fn fail<T>(&mut self, fault: ArchitectureFault) -> Option<T> {
        self.faults.push(fault.into());
        None
    }

    fn checked<T>(&mut self, result: Result<T, Vec<Fault>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(faults) => {
                self.faults.extend(faults.into_iter().map(ImportFault::from));
                None
            }
        }
    }

    /// The only input.
    pub(super) fn input(&mut self) -> Option<ValueId> {
        match *self.inputs {
            [input] => Some(input),
            _ => self.fail(ArchitectureFault::InputCount { found: self.inputs.len(), expected: "1" }),
        }
    }

    /// Dimensions in PyTorch's order, with the batch.
    pub(super) fn shape(&self, value: ValueId) -> Shape {
        self.network.shape(value).clone()
    }

    /// The shape of the only input, which must be of one of the ranks.
    pub(super) fn input_of_rank(
        &mut self,
        ranks: &[usize],
        expected: &'static str,
    ) -> Option<(ValueId, Shape)> {
        let input = self.input()?;
        let shape = self.shape(input);
        if !ranks.contains(&shape.rank()) {
            return self.fail(ArchitectureFault::Rank { shape, expected });
        }
        Some((input, shape))
    }

    pub(super) fn plain(&mut self, value: ValueId) -> Option<TensorId> {
        let tensor = self.network.plain(value);
        self.checked(tensor)
    }

    pub(super) fn channels_last(&mut self, value: ValueId) -> Option<TensorId> {
        let tensor = self.network.channels_last(value);
        self.checked(tensor)
    }

    pub(super) fn flatten(&mut self, value: ValueId) -> Option<ValueId> {
        let value = self.network.flatten(value);
        self.checked(value)
    }

    pub(super) fn flattened_channels_last(&mut self, value: ValueId) -> Option<Option<(Shape, TensorId)>> {
        let flattened = self.network.flattened_channels_last(value);
        self.checked(flattened)
    }

    pub(super) fn node(&mut self, op: Op, inputs: &[Option<TensorId>]) -> Option<TensorId> {
        let tensor = self.network.node(op, inputs);
        self.checked(tensor)
    }

    pub(super) fn reshape(&mut self, tensor: TensorId, shape: impl Into<Shape>) -> Option<TensorId> {
        let tensor = self.network.reshape(tensor, shape, "reshape");
        self.checked(tensor)
    }

    pub(super) fn transpose(&mut self, tensor: TensorId, permutation: Vec<usize>) -> Option<TensorId> {
        let tensor = self.network.transpose(tensor, permutation, "permute");
        self.checked(tensor)
    }

    /// Applies an operator of one input that works on each element, in the order that the input is in.
    pub(super) fn elementwise(&mut self, op: Op) -> Option<ValueId> {
        let input = self.input()?;
        self.elementwise_on(input, op)
    }

    /// [`Layer::elementwise`] on a given value.
    pub(super) fn elementwise_on(&mut self, value: ValueId, op: Op) -> Option<ValueId> {
        if self.network.is_channels_last(value) {
            let rank = self.shape(value).rank();
            let tensor = self.channels_last(value)?;
            let result = self.node(op, &[Some(tensor)])?;
            return Some(self.network.channels_last_value(result, rank));
        }
        let tensor = self.plain(value)?;
        let result = self.node(op, &[Some(tensor)])?;
        Some(self.network.plain_value(result))
    }

    /// The full name of one of the layer's weights.
    pub(super) fn weight_name(&mut self, name: &str) -> Option<String> {
        match &self.prefix {
            Some(prefix) if prefix.is_empty() => Some(name.to_owned()),
            Some(prefix) => Some(format!("{prefix}.{name}")),
            None => self.fail(ArchitectureFault::NoWeights),
        }
    }

    /// A weight of the layer, if the state dict has it.
    pub(super) fn optional_weight(&mut self, name: &str) -> Option<&'a Weight> {
        let name = self.weight_name(name)?;
        let weight = self.weights.get(&name)?;
        self.used.insert(name);
        Some(weight)
    }

    /// A weight of the layer.
    pub(super) fn weight(&mut self, name: &str) -> Option<&'a Weight> {
        let full = self.weight_name(name)?;
        let weight = self.optional_weight(name);
        if weight.is_none() {
            let nearest = self.weights.nearest(&full).into_iter().map(Into::into).collect();
            return self.fail(ArchitectureFault::UnknownWeight { name: full, nearest });
        }
        weight
    }

    /// The constant of a weight that has one element per channel.
    pub(super) fn per_channel(&mut self, weight: &Weight, channels: usize) -> Option<TensorId> {
        if *weight.shape != [channels] {
            let expected = format!("[{channels}], one element per channel,");
            let (name, shape) = (weight.name.clone(), weight.shape.clone());
            return self.fail(ArchitectureFault::Weight { name, shape, expected });
        }
        Some(self.network.weight(weight, Form::Plain))
    }

    /// The constant of the bias, if there is one, of so many elements; `bias = true` or `false` must agree.
    pub(super) fn bias(&mut self, channels: usize) -> Option<Option<TensorId>> {
        let wanted = self.attributes.flag("bias");
        let bias =
            if wanted == Some(true) { Some(self.weight("bias")?) } else { self.optional_weight("bias") };
        let Some(bias) = bias else { return Some(None) };
        if wanted == Some(false) {
            return self.disagree("bias", "false", bias);
        }
        self.per_channel(bias, channels).map(Some)
    }

    fn disagree<T>(&mut self, attribute: &'static str, value: impl ToString, weight: &Weight) -> Option<T> {
        let (name, shape) = (weight.name.clone(), weight.shape.clone());
        self.fail(ArchitectureFault::Disagree { attribute, value: value.to_string(), name, shape })
    }

    /// Holds an attribute that repeats what a weight's shape says, if it is given, against that.
    pub(super) fn agree(&mut self, attribute: &'static str, actual: usize, weight: &Weight) -> Option<()> {
        match self.attributes.count(attribute) {
            Some(value) if value != actual => self.disagree(attribute, value, weight),
            _ => Some(()),
        }
    }

    /// [`Layer::agree`] for a `kernel_size`, whose last axes are those of the weight.
    pub(super) fn agree_on_kernel(&mut self, actual: &[usize], weight: &Weight) -> Option<()> {
        let given = self.attributes.integers("kernel_size");
        match given {
            Some(given)
                if !actual.iter().enumerate().all(|(axis, &size)| {
                    given.get(axis).or(given.last()).is_some_and(|&given| given == size as i64)
                }) =>
            {
                self.disagree("kernel_size", format!("{given:?}"), weight)
            }
            _ => Some(()),
        }
    }

    /// An axis of a value of so many dimensions; negative ones count from the end.
    pub(super) fn axis(&mut self, attribute: &'static str, axis: i64, rank: usize) -> Option<usize> {
        let from_start = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
        match from_start.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < rank) {
            Some(axis) => Some(axis),
            None => {
                let expected = format!("an axis of the {rank} that the input has");
                self.fail(ArchitectureFault::Attribute { attribute, value: axis.to_string(), expected })
            }
        }
    }
}

//! Which tensors of model and network are the same.

use std::collections::{HashMap, HashSet};

use secateur::Model;
use secateur::format::Node;
use secateur::kernels::Call;

use super::FidelityError;
use super::measure::Sums;
use crate::describe::constants;
use crate::dump::node_outputs;
use crate::execute::Arena;
use crate::facts::Facts;
use crate::float::{ExecuteError, Executor, Part};
use crate::ir::{Float, Graph, TensorId};
use crate::port::{self, Port};

/// Nodes of the network that one node of the model may stand for.
const MOST_NODES: usize = 16;

/// What network and model have in common.
#[derive(Debug)]
pub(super) struct Matching {
    /// The model's inputs.
    pub(super) inputs: Vec<Port>,
    /// What the model's nodes write, in their order, as far as the network has it.
    pub(super) layers: Vec<Layer>,
    /// The outputs.
    pub(super) outputs: Vec<Layer>,
    pub(super) only_in_network: Vec<String>,
    pub(super) only_in_model: Vec<String>,
    /// The network's tensors whose values are needed.
    wanted: HashSet<TensorId>,
}

/// A tensor that both have.
#[derive(Debug)]
pub(super) struct Layer {
    /// Position in what the model's nodes write.
    pub(super) position: usize,
    pub(super) node: u16,
    pub(super) operator: &'static str,
    /// The model's tensor.
    pub(super) port: Port,
    /// The network's tensor.
    pub(super) tensor: TensorId,
    /// Number format of the node's weights, if it has any.
    pub(super) weight_format: Option<&'static str>,
    /// How to run the layer alone, if the network has all of its inputs.
    pub(super) alone: Option<Alone>,
}

impl Matching {
    pub(super) fn new(executor: &Executor<'_>, model: &Model<'_>) -> Result<Self, FidelityError> {
        let (network, tables) = (executor.graph(), model.tables());
        let facts = Facts::of(tables);
        let inputs = port::inputs(model, &facts);
        let outputs = port::outputs(model, &facts);
        check_ports(network, "input", network.inputs(), &inputs)?;
        check_ports(network, "output", network.outputs(), &outputs)?;
        let same = same_tensors(network, model, &facts);
        let nodes: Vec<Node<'_>> = tables.nodes().collect();
        let (mut layers, mut only_in_model) = (Vec::new(), Vec::new());
        for (position, written) in node_outputs(model).into_iter().enumerate() {
            let node = &nodes[usize::from(written.node)];
            let index = node.outputs().iter().find(|&&index| facts.tensor(index) == written.port.name);
            let Some(&tensor) = index.and_then(|index| same.get(index)) else {
                only_in_model.push(written.port.name);
                continue;
            };
            layers.push(Layer {
                position,
                node: written.node,
                operator: written.operator,
                tensor,
                weight_format: has_weights(network, tensor).then(|| constants::format(node.packing())),
                alone: Alone::new(executor, model, &facts, &same, written.node, tensor),
                port: written.port,
            });
        }
        let output = |(position, (port, &tensor)): (usize, (Port, &TensorId))| Layer {
            position,
            node: tables.node_count(),
            operator: "output",
            port,
            tensor,
            weight_format: None,
            alone: None,
        };
        let outputs: Vec<Layer> =
            outputs.into_iter().zip(network.outputs()).enumerate().map(output).collect();
        let matched: HashSet<TensorId> = same.values().copied().collect();
        let written = network.nodes().iter().flat_map(|node| &node.outputs);
        Ok(Self {
            only_in_network: written
                .filter(|&tensor| !matched.contains(tensor) && !executor.is_known(*tensor))
                .map(|&tensor| network[tensor].name.clone())
                .collect(),
            only_in_model,
            inputs,
            layers,
            outputs,
            wanted: matched,
        })
    }

    /// The network's values of one sample, none yet.
    pub(super) fn truth(&self) -> Truth<'_> {
        Truth { wanted: &self.wanted, values: HashMap::new() }
    }
}

/// Checks that a list of inputs or outputs is the same.
fn check_ports(
    network: &Graph<Float>,
    list: &'static str,
    tensors: &[TensorId],
    ports: &[Port],
) -> Result<(), FidelityError> {
    for index in 0..tensors.len().max(ports.len()) {
        let own = tensors.get(index).and_then(|&tensor| network[tensor].shape.elements()).unwrap_or(0);
        let model = ports.get(index).map_or(0, Port::elements);
        if own != model {
            return Err(FidelityError::Port { list, index, network: own, model });
        }
    }
    Ok(())
}

/// The network's tensor for tensors of the model: inputs and outputs by position, others by name and size.
fn same_tensors(network: &Graph<Float>, model: &Model<'_>, facts: &Facts) -> HashMap<u16, TensorId> {
    let tables = model.tables();
    let lists = [(tables.outputs(), network.outputs()), (tables.inputs(), network.inputs())];
    let mut same: HashMap<u16, TensorId> = lists
        .iter()
        .flat_map(|(indices, tensors)| indices.iter().copied().zip(tensors.iter().copied()))
        .collect();
    let mut taken: HashSet<TensorId> = same.values().copied().collect();
    let mut by_name: HashMap<&str, Vec<TensorId>> = HashMap::new();
    for (id, tensor) in network.tensor_ids().zip(network.tensors()) {
        if !tensor.name.is_empty() && !tensor.is_constant() {
            by_name.entry(&tensor.name).or_default().push(id);
        }
    }
    for (index, record) in (0u16..).zip(tables.tensors()) {
        let Some(name) = facts.tensors.get(usize::from(index)) else { continue };
        let Some(candidates) = by_name.get(name.as_str()) else { continue };
        let fits = |id: &&TensorId| {
            network[**id].shape.elements() == Some(record.shape.elements()) && !taken.contains(id)
        };
        if !same.contains_key(&index)
            && let Some(&id) = candidates.iter().find(fits)
        {
            same.insert(index, id);
            taken.insert(id);
        }
    }
    same
}

fn has_weights(network: &Graph<Float>, tensor: TensorId) -> bool {
    use crate::ir::Op;
    let writer = network.uses().writer(tensor).map(|node| &network[node].op);
    matches!(
        writer,
        Some(Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::TransposeConv2d(_) | Op::FullyConnected(_))
    )
}

/// The network's values of one sample, as far as the model has the tensors.
#[derive(Debug)]
pub(super) struct Truth<'a> {
    wanted: &'a HashSet<TensorId>,
    values: HashMap<TensorId, Vec<f32>>,
}

impl Truth<'_> {
    /// Keeps a tensor if it is needed.
    pub(super) fn keep(&mut self, tensor: TensorId, values: &[f32]) {
        if self.wanted.contains(&tensor) {
            self.values.insert(tensor, values.to_vec());
        }
    }

    /// The values of a tensor, none if it was not computed.
    pub(super) fn get(&self, tensor: TensorId) -> &[f32] {
        self.values.get(&tensor).map(Vec::as_slice).unwrap_or_default()
    }
}

/// One node of the model and what it stands for in the network, to be run on the same inputs.
#[derive(Debug)]
pub(super) struct Alone {
    node: u16,
    /// The model's tensor that is looked at.
    output: u16,
    /// What the node reads from the arena.
    inputs: Vec<Operand>,
    part: Part,
}

/// An input of a node that is run alone.
#[derive(Debug)]
struct Operand {
    index: u16,
    port: Port,
    tensor: TensorId,
}

impl Alone {
    fn new(
        executor: &Executor<'_>,
        model: &Model<'_>,
        facts: &Facts,
        same: &HashMap<u16, TensorId>,
        node: u16,
        tensor: TensorId,
    ) -> Option<Self> {
        let tables = model.tables();
        let call = tables.node(node)?;
        let record = |index: u16| tables.tensors().get(usize::from(index));
        let from_arena =
            call.inputs().iter().copied().filter(|&index| record(index).is_some_and(|r| r.in_arena()));
        let inputs: Vec<Operand> = from_arena
            .map(|index| {
                let port = Port::new(facts.tensor(index), record(index)?);
                Some(Operand { index, port, tensor: *same.get(&index)? })
            })
            .collect::<Option<_>>()?;
        let output = call.outputs().iter().copied().find(|index| same.get(index) == Some(&tensor))?;
        let from: Vec<TensorId> = inputs.iter().map(|operand| operand.tensor).collect();
        let part = executor.part(&from, tensor, MOST_NODES)?;
        Some(Self { node, output, inputs, part })
    }

    /// The error of the node alone, for one sample.
    pub(super) fn error(
        &self,
        executor: &Executor<'_>,
        model: &Model<'_>,
        truth: &Truth<'_>,
        port: &Port,
        arena: &mut Arena,
    ) -> Result<Sums, ExecuteError> {
        let tensors = model.tables().tensors();
        let mut rounded = Vec::new();
        for operand in &self.inputs {
            let bytes = operand.port.encode_real(truth.get(operand.tensor));
            rounded.push(operand.port.real_values(&bytes).into_iter().map(|value| value as f32).collect());
            let range = tensors[usize::from(operand.index)].range();
            if let Some(place) = arena.bytes_mut().get_mut(range).filter(|place| place.len() == bytes.len()) {
                place.copy_from_slice(&bytes);
            }
        }
        if let Some(node) = model.tables().node(self.node)
            && let Some(operator) = model.kernels().find(&node)
        {
            (operator.run)(&mut Call { node: &node, arena: arena.bytes_mut() });
        }
        let range = tensors[usize::from(self.output)].range();
        let found = arena.bytes_mut().get(range).map(|bytes| port.real_values(bytes)).unwrap_or_default();
        Ok(Sums::of(&executor.run_part(&self.part, &rounded)?, &found, port))
    }
}

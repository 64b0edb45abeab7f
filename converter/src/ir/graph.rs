//! The graph: tensors, nodes in the order they run, inputs and outputs.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Index;

use crate::ir::{DType, Op, Tensor};

/// A stage of conversion. A pass names the states it takes and gives, so that it cannot run too early.
pub trait State: Debug + Clone + Copy + PartialEq + Default + 'static {
    /// The name in the textual form.
    const NAME: &'static str;

    /// Whether a tensor of this type must say how it is quantized.
    fn needs_quantization(dtype: DType) -> bool;
}

/// Real numbers throughout: what is trained, pruned and calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Float;

impl State for Float {
    const NAME: &'static str = "float";

    fn needs_quantization(_: DType) -> bool {
        false
    }
}

/// 8- and 16-bit integers with scales, weights also of 4 bits and 1 bit; real numbers only at the edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantized;

impl State for Quantized {
    const NAME: &'static str = "quantized";

    fn needs_quantization(dtype: DType) -> bool {
        matches!(dtype, DType::I8 | DType::U8 | DType::I16 | DType::I4 | DType::B1)
    }
}

/// A tensor of one graph. Ids stay valid until [`Graph::compact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TensorId(pub(crate) u32);

impl TensorId {
    /// Position in [`Graph::tensors`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node of one graph. Ids stay valid until a node is inserted or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// Position in [`Graph::nodes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operator applied to tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// For messages and reports; an importer takes it from the model.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// In the order of [`Op::inputs`]; absent optional inputs are `None` or left out at the end.
    pub inputs: Vec<Option<TensorId>>,
    /// What is written, one tensor per output.
    pub outputs: Vec<TensorId>,
}

impl Node {
    /// A node whose inputs are all present and that has one output.
    pub fn new(
        name: impl Into<String>,
        op: Op,
        inputs: impl IntoIterator<Item = TensorId>,
        output: TensorId,
    ) -> Self {
        Node { name: name.into(), op, inputs: inputs.into_iter().map(Some).collect(), outputs: vec![output] }
    }

    /// The tensor at an input slot, if present.
    pub fn input(&self, slot: usize) -> Option<TensorId> {
        self.inputs.get(slot).copied().flatten()
    }

    /// The first output, which well-formed nodes have.
    pub fn output(&self) -> Option<TensorId> {
        self.outputs.first().copied()
    }
}

/// A network in state `S`.
///
/// Read it through the accessors here, change it through [`crate::ir::edit`]. It may be ill-formed while it is built;
/// importers and the pass driver call [`crate::ir::check::check`] before anyone else sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph<S> {
    /// The model's name.
    pub name: String,
    pub(in crate::ir) tensors: Vec<Tensor>,
    pub(in crate::ir) nodes: Vec<Node>,
    pub(in crate::ir) inputs: Vec<TensorId>,
    pub(in crate::ir) outputs: Vec<TensorId>,
    pub(in crate::ir) state: PhantomData<S>,
}

impl<S> Graph<S> {
    /// All tensors; an id is a position here.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// All nodes in the order they run; an id is a position here.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The tensors that the caller fills.
    pub fn inputs(&self) -> &[TensorId] {
        &self.inputs
    }

    /// The tensors that the caller reads.
    pub fn outputs(&self) -> &[TensorId] {
        &self.outputs
    }

    /// The tensor, or `None` if the id belongs to another graph.
    pub fn get(&self, id: TensorId) -> Option<&Tensor> {
        self.tensors.get(id.index())
    }

    /// The tensor at a node's input slot, if present.
    pub fn input_of(&self, node: &Node, slot: usize) -> Option<&Tensor> {
        self.get(node.input(slot)?)
    }

    /// The ids of all tensors.
    pub fn tensor_ids(&self) -> impl DoubleEndedIterator<Item = TensorId> + use<S> {
        (0..self.tensors.len() as u32).map(TensorId)
    }

    /// The ids of all nodes in the order they run.
    pub fn node_ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<S> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Who writes and reads each tensor, as the graph is now.
    pub fn uses(&self) -> Uses {
        let mut uses = Uses {
            writers: vec![Vec::new(); self.tensors.len()],
            readers: vec![Vec::new(); self.tensors.len()],
        };
        for (id, node) in self.node_ids().zip(&self.nodes) {
            for tensor in &node.outputs {
                if let Some(writers) = uses.writers.get_mut(tensor.index()) {
                    writers.push(id);
                }
            }
            for tensor in node.inputs.iter().flatten() {
                if let Some(readers) = uses.readers.get_mut(tensor.index()) {
                    readers.push(id);
                }
            }
        }
        uses
    }
}

/// # Panics
/// If the id belongs to another graph.
impl<S> Index<TensorId> for Graph<S> {
    type Output = Tensor;

    fn index(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.index()]
    }
}

/// # Panics
/// If the id belongs to another graph, or nodes have been removed since.
impl<S> Index<NodeId> for Graph<S> {
    type Output = Node;

    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }
}

/// Writers and readers of every tensor at one moment.
#[derive(Clone, Debug)]
pub struct Uses {
    pub(in crate::ir) writers: Vec<Vec<NodeId>>,
    pub(in crate::ir) readers: Vec<Vec<NodeId>>,
}

impl Uses {
    /// The node that writes the tensor; `None` for inputs and constants.
    pub fn writer(&self, tensor: TensorId) -> Option<NodeId> {
        self.writers(tensor).first().copied()
    }

    /// All nodes that write the tensor: at most one in a well-formed graph.
    pub fn writers(&self, tensor: TensorId) -> &[NodeId] {
        self.writers.get(tensor.index()).map_or(&[], Vec::as_slice)
    }

    /// The nodes that read the tensor, one entry per input slot.
    pub fn readers(&self, tensor: TensorId) -> &[NodeId] {
        self.readers.get(tensor.index()).map_or(&[], Vec::as_slice)
    }
}

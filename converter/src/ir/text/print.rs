//! From a graph to text.

use std::fmt::{self, Display, Write};

use serde_json::Value;

use crate::ir::{DType, Graph, Node, Op, Quantization, State, Tensor, TensorId};

/// The text of a graph. Constants of more than `longest` elements are abbreviated.
pub fn print<S: State>(graph: &Graph<S>, longest: usize) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_graph(&mut text, graph, longest);
    text
}

/// The text with constants of up to 16 elements.
impl<S: State> Display for Graph<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_graph(f, self, 16)
    }
}

fn write_graph<S: State>(out: &mut dyn Write, graph: &Graph<S>, longest: usize) -> fmt::Result {
    writeln!(out, "graph {} {}", Value::from(graph.name.as_str()), S::NAME)?;
    for (id, tensor) in graph.tensor_ids().zip(graph.tensors()) {
        write_tensor(out, id, tensor, longest)?;
    }
    for (list, ids) in [("inputs", graph.inputs()), ("outputs", graph.outputs())] {
        writeln!(out, "{list}{}", Joined(ids.iter().map(|id| format!(" %{}", id.index())), ""))?;
    }
    graph.nodes().iter().try_for_each(|node| write_node(out, node))
}

fn write_tensor(out: &mut dyn Write, id: TensorId, tensor: &Tensor, longest: usize) -> fmt::Result {
    let name = Value::from(tensor.name.as_str());
    write!(out, "%{} {name} {}{}", id.index(), tensor.dtype, tensor.shape)?;
    match &tensor.quantization {
        None => {}
        Some(Quantization { scales, zero_points, axis }) => {
            if let (&[scale], &[zero_point], 0) = (scales.as_slice(), zero_points.as_slice(), *axis) {
                write!(out, " scale {scale:?} zero {zero_point}")?;
            } else {
                let scales = Joined(scales.iter().map(|scale| format!("{scale:?}")), ",");
                let zero_points = Joined(zero_points.iter(), ",");
                write!(out, " scale [{scales}] zero [{zero_points}] axis {axis}")?;
            }
        }
    }
    match &tensor.data {
        None => writeln!(out),
        Some(data) if data.len() / tensor.dtype.size() > longest => writeln!(out, " = {} bytes", data.len()),
        Some(data) => match elements(tensor) {
            Some(elements) => writeln!(out, " = [{}]", Joined(elements.iter(), ",")),
            None => writeln!(out, " = {} bytes", data.len()),
        },
    }
}

/// The elements as text; `None` if the data is not a whole number of them.
fn elements(tensor: &Tensor) -> Option<Vec<String>> {
    match tensor.dtype {
        DType::F32 => Some(tensor.f32_values()?.iter().map(|value| format!("{value:?}")).collect()),
        // Half precision is shown as its bits.
        DType::F16 => {
            let (halves, []) = tensor.data.as_ref()?.as_chunks::<2>() else { return None };
            Some(halves.iter().map(|&bits| u16::from_le_bytes(bits).to_string()).collect())
        }
        _ => Some(tensor.integer_values()?.iter().map(i64::to_string).collect()),
    }
}

fn write_node(out: &mut dyn Write, node: &Node) -> fmt::Result {
    let inputs = node.inputs.iter().map(|input| match input {
        Some(id) => format!("%{}", id.index()),
        None => "_".to_string(),
    });
    let outputs = node.outputs.iter().map(|id| format!("%{}", id.index()));
    write!(
        out,
        "node {} {}({}) -> {}",
        Value::from(node.name.as_str()),
        node.op.name(),
        Joined(inputs, ", "),
        Joined(outputs, ", ")
    )?;
    for (key, value) in attributes(&node.op) {
        write!(out, " {key}={value}")?;
    }
    writeln!(out)
}

/// The attributes by name.
fn attributes(op: &Op) -> serde_json::Map<String, Value> {
    // By way of text, so that an f32 keeps its short decimal form.
    let value = serde_json::to_string(op).and_then(|text| serde_json::from_str(&text)).unwrap_or(Value::Null);
    match value {
        Value::Object(mut variant) => match variant.remove(op.name()) {
            Some(Value::Object(attributes)) => attributes,
            _ => Default::default(),
        },
        _ => Default::default(),
    }
}

/// Items with a separator between them.
struct Joined<I>(I, &'static str);

impl<I: Iterator<Item: Display> + Clone> Display for Joined<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, item) in self.0.clone().enumerate() {
            if position > 0 {
                f.write_str(self.1)?;
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

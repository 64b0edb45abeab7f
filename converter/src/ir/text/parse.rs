//! From text to a graph.

use std::collections::HashMap;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::ir::{DType, Graph, Node, Op, Quantization, Shape, State, Tensor, TensorId};

/// Why and where a text is not a graph.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: TextFault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TextFault {
    /// Something else was expected.
    #[error("{expected} expected at '{found}'")]
    Expected {
        /// What would have done.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The graph is in another state.
    #[error("the graph must be {expected}")]
    State {
        /// The state's name.
        expected: &'static str,
    },
    /// A tensor is used that no line describes.
    #[error("tensor %{0} is not described")]
    UnknownTensor(u32),
    /// Two lines describe a tensor.
    #[error("tensor %{0} is described twice")]
    DuplicateTensor(u32),
    /// The operator's name or attributes are wrong.
    #[error("{0}")]
    Operator(String),
}

/// Reads a graph. The result may be ill-formed, as [`crate::ir::check`] would say.
///
/// # Errors
/// If the text does not have the form, names another state, or leaves out constants.
pub fn parse<S: State>(text: &str) -> Result<Graph<S>, ParseError> {
    let mut parser = Parser { graph: Graph::<S>::new(""), ids: HashMap::new() };
    let lines = text.lines().map(str::trim).enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        parser.line(&mut Line { rest: line }).map_err(|fault| ParseError { line: index + 1, fault })?;
    }
    Ok(parser.graph)
}

struct Parser<S> {
    graph: Graph<S>,
    ids: HashMap<u32, TensorId>,
}

impl<S: State> Parser<S> {
    fn line(&mut self, line: &mut Line<'_>) -> Result<(), TextFault> {
        if line.rest.starts_with('%') {
            return self.tensor(line);
        }
        match line.word() {
            "graph" => self.header(line)?,
            "inputs" => {
                let ids = self.ids(line)?;
                self.graph.set_inputs(ids);
            }
            "outputs" => {
                let ids = self.ids(line)?;
                self.graph.set_outputs(ids);
            }
            "node" => self.node(line)?,
            _ => return Err(line.expected("graph, a tensor, inputs, outputs or node")),
        }
        if line.rest.is_empty() { Ok(()) } else { Err(line.expected("the end of the line")) }
    }

    fn header(&mut self, line: &mut Line<'_>) -> Result<(), TextFault> {
        self.graph.name = line.json("a name in quotes")?;
        if line.word() == S::NAME { Ok(()) } else { Err(TextFault::State { expected: S::NAME }) }
    }

    fn tensor(&mut self, line: &mut Line<'_>) -> Result<(), TextFault> {
        let number = line.reference()?;
        let name: String = line.json("a name in quotes")?;
        let dtype =
            DType::from_name(line.word()).ok_or_else(|| line.expected("an element type before this"))?;
        let shape: Shape = line.list("dimensions")?.into();
        let mut tensor = Tensor::new(name, dtype, shape);
        if line.eat("scale") {
            tensor.quantization = Some(quantization(line)?);
        }
        if line.eat("=") {
            let bytes = data(line, dtype)?;
            tensor = tensor.with_data(bytes);
        }
        if !line.rest.is_empty() {
            return Err(line.expected("scale, = or the end of the line"));
        }
        let id = self.graph.add_tensor(tensor);
        match self.ids.insert(number, id) {
            None => Ok(()),
            Some(_) => Err(TextFault::DuplicateTensor(number)),
        }
    }

    fn node(&mut self, line: &mut Line<'_>) -> Result<(), TextFault> {
        let name = line.json("a name in quotes")?;
        let operator = line.word();
        if !line.eat("(") {
            return Err(line.expected("("));
        }
        let mut inputs = Vec::new();
        while !line.eat(")") {
            if line.eat("_") {
                inputs.push(None);
            } else {
                inputs.push(Some(self.id(line)?));
            }
            line.eat(",");
        }
        if !line.eat("->") {
            return Err(line.expected("->"));
        }
        let mut outputs = Vec::new();
        while line.rest.starts_with('%') {
            outputs.push(self.id(line)?);
            line.eat(",");
        }
        let op = op(operator, line)?;
        self.graph.add_node(Node { name, op, inputs, outputs });
        Ok(())
    }

    fn ids(&self, line: &mut Line<'_>) -> Result<Vec<TensorId>, TextFault> {
        let mut ids = Vec::new();
        while !line.rest.is_empty() {
            ids.push(self.id(line)?);
        }
        Ok(ids)
    }

    fn id(&self, line: &mut Line<'_>) -> Result<TensorId, TextFault> {
        let number = line.reference()?;
        self.ids.get(&number).copied().ok_or(TextFault::UnknownTensor(number))
    }
}

fn quantization(line: &mut Line<'_>) -> Result<Quantization, TextFault> {
    let single = !line.rest.starts_with('[');
    let scales = if single { vec![line.number("a scale")?] } else { line.list("scales")? };
    if !line.eat("zero") {
        return Err(line.expected("zero"));
    }
    let zero_points = if single { vec![line.number("a zero point")?] } else { line.list("zero points")? };
    let axis = if line.eat("axis") { line.number("an axis")? } else { 0 };
    Ok(Quantization { scales, zero_points, axis })
}

fn data(line: &mut Line<'_>, dtype: DType) -> Result<Vec<u8>, TextFault> {
    fn encode<const SIZE: usize, T: FromStr>(
        line: &mut Line<'_>,
        encode: impl Fn(T) -> [u8; SIZE],
    ) -> Result<Vec<u8>, TextFault> {
        let elements: Vec<T> = line.list("elements in brackets, of the tensor's type,")?;
        Ok(elements.into_iter().flat_map(encode).collect())
    }
    match dtype {
        DType::F32 => encode(line, f32::to_le_bytes),
        DType::F16 => encode(line, u16::to_le_bytes),
        DType::I8 | DType::I4 | DType::B1 => encode(line, i8::to_le_bytes),
        DType::U8 | DType::Bool => encode(line, u8::to_le_bytes),
        DType::I16 => encode(line, i16::to_le_bytes),
        DType::I32 => encode(line, i32::to_le_bytes),
        DType::I64 => encode(line, i64::to_le_bytes),
    }
}

fn op(name: &str, line: &mut Line<'_>) -> Result<Op, TextFault> {
    let mut attributes = Map::new();
    while !line.rest.is_empty() {
        let key = line.word();
        if key.is_empty() || !line.eat("=") {
            return Err(line.expected("attribute=value"));
        }
        attributes.insert(key.to_string(), line.json("a value")?);
    }
    let with_attributes =
        Value::Object(Map::from_iter([(name.to_string(), Value::Object(attributes.clone()))]));
    let parsed = if attributes.is_empty() {
        serde_json::from_value(Value::from(name)).or_else(|_| serde_json::from_value(with_attributes))
    } else {
        serde_json::from_value(with_attributes)
    };
    parsed.map_err(|error| TextFault::Operator(error.to_string()))
}

/// What is left of a line, without leading spaces.
struct Line<'a> {
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn expected(&self, expected: &'static str) -> TextFault {
        TextFault::Expected { expected, found: self.rest.chars().take(20).collect() }
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest.trim_start();
        taken
    }

    /// Takes `token` if it comes next.
    fn eat(&mut self, token: &str) -> bool {
        let present = self.rest.starts_with(token);
        if present {
            self.advance(token.len());
        }
        present
    }

    /// Takes letters, digits and underscores.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        self.advance(end)
    }

    fn number<T: FromStr>(&mut self, expected: &'static str) -> Result<T, TextFault> {
        let end = self.rest.find([' ', ',', ']', ')']).unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().map_err(|_| self.expected(expected))?;
        self.advance(end);
        Ok(number)
    }

    fn list<T: FromStr>(&mut self, expected: &'static str) -> Result<Vec<T>, TextFault> {
        if !self.eat("[") {
            return Err(self.expected(expected));
        }
        let mut items = Vec::new();
        while !self.eat("]") {
            items.push(self.number(expected)?);
            self.eat(",");
        }
        Ok(items)
    }

    fn reference(&mut self) -> Result<u32, TextFault> {
        if self.eat("%") { self.number("a tensor's number") } else { Err(self.expected("%")) }
    }

    fn json<T: DeserializeOwned>(&mut self, expected: &'static str) -> Result<T, TextFault> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<T>();
        let value = values.next().and_then(Result::ok).ok_or_else(|| self.expected(expected))?;
        let end = values.byte_offset();
        self.advance(end);
        Ok(value)
    }
}

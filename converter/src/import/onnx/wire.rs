//! A look over the bytes before they are read: that every message, text and number lies within the one around it,
//! that nothing nests deeper or lists more than a model can, and that no part is there that the reader leaves out.
//!
//! A file is a message: a sequence of fields, each a key (field number and kind) and a value. The reader behind it
//! believes lengths and allocates what they say; after this look they are true.

use super::OnnxFault;

/// Bytes that the parsed form may take beside weights.
const ALLOWANCE: usize = 96 << 20;
/// Bytes that a parsed message takes, at most.
const MESSAGE_COST: usize = 640;
/// Bytes that a parsed text takes beside its characters.
const TEXT_COST: usize = 48;
/// Bytes that a parsed number takes, in a vector that doubles its length.
const NUMBER_COST: usize = 16;
/// How deep messages nest in a model without subgraphs: model, graph, node, attribute, tensor, entry.
const DEEPEST: usize = 12;

/// The kinds of messages, as far as they are read.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Type,
    TensorType,
    Shape,
    /// Messages of texts and numbers only.
    Leaf(&'static str),
}

/// What a field of variable length holds.
enum Content {
    Message(Message),
    Text,
    /// Numbers of varying length, packed.
    Varints,
    /// Numbers of so many bytes, packed.
    Fixed(usize),
    /// Bytes that are taken as they are, or that nobody reads.
    Bytes,
    Refused(&'static str, &'static str),
}

impl Message {
    fn name(self) -> &'static str {
        match self {
            Message::Model => "the model",
            Message::Graph => "a graph",
            Message::Node => "a node",
            Message::Attribute => "an attribute",
            Message::Tensor => "a tensor",
            Message::Value => "an input or output",
            Message::Type => "a type",
            Message::TensorType => "a tensor's type",
            Message::Shape => "a shape",
            Message::Leaf(name) => name,
        }
    }

    fn content(self, field: u64) -> Content {
        use Content::{Bytes, Fixed, Refused, Text, Varints};
        let inside = Content::Message;
        match (self, field) {
            (Message::Model, 7) => inside(Message::Graph),
            (Message::Model, 8) => inside(Message::Leaf("an opset")),
            (Message::Model, 14) => inside(Message::Leaf("a metadata entry")),
            (Message::Model, 20) => Refused("training information", "export the model for inference"),
            (Message::Model, 25) => {
                Refused("functions of its own", "inline them (onnx.inliner.inline_local_functions)")
            }
            (Message::Graph, 1) => inside(Message::Node),
            (Message::Graph, 5) => inside(Message::Tensor),
            (Message::Graph, 11..=13) => inside(Message::Value),
            (Message::Graph, 15) => Refused("sparse initializers", "store them dense"),
            (Message::Node, 5) => inside(Message::Attribute),
            (Message::Attribute, 5) => inside(Message::Tensor),
            (Message::Attribute, 6) => inside(Message::Graph),
            (Message::Attribute, 22 | 23) => Refused("a sparse tensor", "store it dense"),
            (Message::Tensor, 1 | 5 | 7) => Varints,
            (Message::Tensor, 4) => Fixed(4),
            (Message::Tensor, 10) => Fixed(8),
            (Message::Tensor, 13) => inside(Message::Leaf("an external data entry")),
            (Message::Value, 2) => inside(Message::Type),
            (Message::Type, 1) => inside(Message::TensorType),
            (Message::Type, 4 | 5 | 8 | 9) => Refused(
                "a value that is no dense tensor",
                "sequences, maps, optional and sparse values are not supported",
            ),
            (Message::TensorType, 2) => inside(Message::Shape),
            (Message::Shape, 1) => inside(Message::Leaf("a dimension")),
            (Message::Tensor, 9) => Bytes,
            // The texts that are read: everything else of variable length is skipped by the reader.
            (Message::Model, 2 | 3)
            | (Message::Node, 1..=4 | 7)
            | (Message::Attribute, 1 | 4 | 9)
            | (Message::Tensor, 8)
            | (Message::Value, 1)
            | (Message::Leaf(_), 1 | 2) => Text,
            _ => Bytes,
        }
    }
}

/// Looks over a whole file.
///
/// # Errors
/// The first violation.
pub(super) fn look_over(bytes: &[u8]) -> Result<(), OnnxFault> {
    Walk { bytes, allowance: ALLOWANCE }.message(Message::Model, 0, bytes.len(), 0)
}

struct Walk<'a> {
    bytes: &'a [u8],
    allowance: usize,
}

impl Walk<'_> {
    fn message(
        &mut self,
        message: Message,
        mut position: usize,
        end: usize,
        depth: usize,
    ) -> Result<(), OnnxFault> {
        let damaged = |offset, what| OnnxFault::Damaged { message: message.name(), offset, what };
        if depth > DEEPEST {
            return Err(damaged(position, "is nested too deeply"));
        }
        self.charge(MESSAGE_COST)?;
        while position < end {
            let start = position;
            let outside = || damaged(start, "has a field that reaches past its end");
            let (key, after) = self.varint(position, end).ok_or_else(outside)?;
            position = after;
            match key & 7 {
                0 => {
                    position = self.varint(position, end).ok_or_else(outside)?.1;
                    self.charge(NUMBER_COST)?;
                }
                1 | 5 => {
                    let length = if key & 7 == 1 { 8 } else { 4 };
                    position =
                        position.checked_add(length).filter(|&next| next <= end).ok_or_else(outside)?;
                    self.charge(NUMBER_COST)?;
                }
                2 => {
                    let (length, begin) = self.varint(position, end).ok_or_else(outside)?;
                    let length = usize::try_from(length).map_err(|_| outside())?;
                    position = begin.checked_add(length).filter(|&next| next <= end).ok_or_else(outside)?;
                    match message.content(key >> 3) {
                        Content::Message(inner) => self.message(inner, begin, position, depth + 1)?,
                        Content::Text => {
                            self.charge(TEXT_COST + length)?;
                            if std::str::from_utf8(&self.bytes[begin..position]).is_err() {
                                return Err(damaged(start, "has a text that is not UTF-8"));
                            }
                        }
                        Content::Varints => {
                            let mut next = begin;
                            while next < position {
                                let inside = self.varint(next, position);
                                next =
                                    inside.ok_or_else(|| damaged(start, "has a damaged list of numbers"))?.1;
                                self.charge(NUMBER_COST)?;
                            }
                        }
                        Content::Fixed(size) if !length.is_multiple_of(size) => {
                            return Err(damaged(start, "has a damaged list of numbers"));
                        }
                        Content::Fixed(_) | Content::Bytes => {}
                        Content::Refused(what, advice) => return Err(OnnxFault::Part { what, advice }),
                    }
                }
                _ => return Err(damaged(start, "has a field of an unknown kind")),
            }
        }
        Ok(())
    }

    /// The number at a position and the position after it, if it ends before `end`.
    fn varint(&self, position: usize, end: usize) -> Option<(u64, usize)> {
        let mut value = 0u64;
        for (index, &byte) in self.bytes.get(position..end)?.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                return (index < 9 || byte < 2).then_some((value, position + index + 1));
            }
        }
        None
    }

    fn charge(&mut self, cost: usize) -> Result<(), OnnxFault> {
        self.allowance = self.allowance.checked_sub(cost).ok_or(OnnxFault::TooManyParts)?;
        Ok(())
    }
}

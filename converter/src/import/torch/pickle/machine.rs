//! The stack machine.

use std::collections::HashMap;

use super::super::fault::WeightsFault;
use super::MOST_OBJECTS;
use super::call::{call, persistent};
use super::object::{Handle, Object, Objects};
use super::reader::{Reader, text};

/// Most steps: one for each operation, and one for each value that an operation moves.
const MOST_STEPS: usize = 4 << 20;

/// Reads the pickle that the bytes begin with; gives its values, the one it stands for, and the bytes after it.
///
/// # Errors
/// If the pickle is damaged, too large, or would call a function that does not describe a tensor.
pub(in super::super) fn load(bytes: &[u8]) -> Result<(Objects, Handle, &[u8]), WeightsFault> {
    let mut machine = Machine::default();
    let mut reader = Reader::new(bytes);
    loop {
        let opcode = reader.byte()?;
        machine.charge(1)?;
        if opcode == b'.' {
            let root = machine.pop()?;
            return Ok((machine.objects, root, reader.rest()));
        }
        machine.step(opcode, &mut reader)?;
    }
}

#[derive(Default)]
struct Machine {
    objects: Objects,
    stack: Vec<Handle>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<usize, Handle>,
    steps: usize,
}

impl Machine {
    /// Does one operation, for which the reader holds what follows its code.
    fn step(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), WeightsFault> {
        match opcode {
            // Protocol and frame.
            0x80 => reader.byte().map(drop),
            0x95 => reader.take(8).map(drop),
            // Constants.
            b'N' => self.push(Object::None),
            0x88 | 0x89 | b'G' | b'F' | b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b => {
                let number = number(opcode, reader)?;
                self.push(number)
            }
            b'X' => self.push_text(reader.counted::<4>()?),
            0x8c => self.push_text(reader.counted::<1>()?),
            0x8d => self.push_text(reader.counted::<8>()?),
            b'V' => self.push_text(reader.line()?),
            b'S' => self.push_text(quoted(reader.line()?)),
            // Strings of Python 2: text where they can be read as such.
            b'T' => self.push_bytes(reader.counted::<4>()?),
            b'U' => self.push_bytes(reader.counted::<1>()?),
            b'B' => reader.counted::<4>().and_then(|_| self.push(Object::Opaque)),
            b'C' => reader.counted::<1>().and_then(|_| self.push(Object::Opaque)),
            0x8e | 0x96 => reader.counted::<8>().and_then(|_| self.push(Object::Opaque)),
            // Containers.
            b')' | b']' | 0x8f => self.push(Object::Sequence(Vec::new())),
            b'}' => self.push(Object::Mapping(Vec::new())),
            b'(' => {
                self.marks.push(self.stack.len());
                if self.marks.len() > MOST_OBJECTS { Err(WeightsFault::TooManyObjects) } else { Ok(()) }
            }
            b't' | b'l' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Object::Sequence(items))
            }
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let start = self.floor_checked(count)?;
                let items = self.stack.split_off(start);
                self.push(Object::Sequence(items))
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Object::Mapping(pairs(&items)?))
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(vec![item])
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.extend(items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(vec![(key, value)])
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.insert(pairs(&items)?)
            }
            // The stack and the memo.
            b'0' => self.pop().map(drop),
            b'1' => self.pop_to_mark().map(drop),
            b'2' => {
                let top = self.top()?;
                self.push_handle(top)
            }
            b'p' => self.memorize(index(reader.line()?)?),
            b'q' => self.memorize(reader.length::<1>()?),
            b'r' => self.memorize(reader.length::<4>()?),
            0x94 => self.memorize(self.memo.len()),
            b'g' => self.recall(index(reader.line()?)?),
            b'h' => self.recall(reader.length::<1>()?),
            b'j' => self.recall(reader.length::<4>()?),
            // Names and calls.
            b'c' => {
                let (module, name) = (text(reader.line()?)?, text(reader.line()?)?);
                self.push(Object::Global { module: module.into(), name: name.into() })
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |handle| self.objects.text(handle).cloned();
                let (Some(module), Some(name)) = (text(module), text(name)) else {
                    return Err(WeightsFault::Malformed { what: "a function whose name is not a text" });
                };
                self.push(Object::Global { module, name })
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.call(function, arguments)
            }
            0x92 => {
                let (_, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(class, arguments)
            }
            // State of an object: that of dictionaries holds no weights, and no other object has any here.
            b'b' => {
                self.pop()?;
                match self.objects.get(self.top()?) {
                    Object::Mapping(_) | Object::Opaque => Ok(()),
                    _ => Err(WeightsFault::Malformed { what: "attributes of a value that has none" }),
                }
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = persistent(&self.objects, id)?;
                if let Object::Storage(storage) = &storage {
                    self.objects.storages.push(Clone::clone(storage));
                }
                self.push(storage)
            }
            _ => Err(WeightsFault::Opcode { opcode }),
        }
    }

    fn charge(&mut self, steps: usize) -> Result<(), WeightsFault> {
        self.steps += steps;
        if self.steps > MOST_STEPS { Err(WeightsFault::TooManyObjects) } else { Ok(()) }
    }

    fn call(&mut self, function: Handle, arguments: Handle) -> Result<(), WeightsFault> {
        self.charge(self.objects.sequence(arguments).map_or(0, <[_]>::len))?;
        let mut copied = 0;
        let result = call(&mut self.objects, function, arguments, &mut copied)?;
        self.charge(copied)?;
        self.push_handle(result)
    }

    fn push(&mut self, object: Object) -> Result<(), WeightsFault> {
        let handle = self.objects.add(object)?;
        self.push_handle(handle)
    }

    fn push_text(&mut self, bytes: &[u8]) -> Result<(), WeightsFault> {
        self.push(Object::Text(text(bytes)?.into()))
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), WeightsFault> {
        self.push(text(bytes).map_or(Object::Opaque, |text| Object::Text(text.into())))
    }

    fn push_handle(&mut self, handle: Handle) -> Result<(), WeightsFault> {
        self.stack.push(handle);
        if self.stack.len() > 4 * MOST_OBJECTS { Err(WeightsFault::TooManyObjects) } else { Ok(()) }
    }

    /// The height that the stack must not fall below.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    /// The height of the stack without its upper `count` values.
    fn floor_checked(&self, count: usize) -> Result<usize, WeightsFault> {
        let height = self.stack.len().checked_sub(count);
        height.filter(|&height| height >= self.floor()).ok_or(WeightsFault::Stack)
    }

    fn top(&self) -> Result<Handle, WeightsFault> {
        let position = self.floor_checked(1)?;
        self.stack.get(position).copied().ok_or(WeightsFault::Stack)
    }

    fn pop(&mut self) -> Result<Handle, WeightsFault> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Handle>, WeightsFault> {
        let height = self.marks.pop().ok_or(WeightsFault::Stack)?;
        let items = self.stack.split_off(height);
        self.charge(items.len())?;
        Ok(items)
    }

    /// Appends to the list or set on top of the stack.
    fn extend(&mut self, items: Vec<Handle>) -> Result<(), WeightsFault> {
        let top = self.top()?;
        match self.objects.get_mut(top) {
            Some(Object::Sequence(list)) => list.extend(items),
            Some(Object::Opaque) => {}
            _ => return Err(WeightsFault::Malformed { what: "elements of a value that is no list" }),
        }
        Ok(())
    }

    /// Adds entries to the dictionary on top of the stack.
    fn insert(&mut self, entries: Vec<(Handle, Handle)>) -> Result<(), WeightsFault> {
        let top = self.top()?;
        match self.objects.get_mut(top) {
            Some(Object::Mapping(mapping)) => mapping.extend(entries),
            Some(Object::Opaque) => {}
            _ => return Err(WeightsFault::Malformed { what: "entries of a value that is no dictionary" }),
        }
        Ok(())
    }

    fn memorize(&mut self, index: usize) -> Result<(), WeightsFault> {
        let top = self.top()?;
        self.memo.insert(index, top);
        if self.memo.len() > MOST_OBJECTS { Err(WeightsFault::TooManyObjects) } else { Ok(()) }
    }

    fn recall(&mut self, index: usize) -> Result<(), WeightsFault> {
        let handle = self.memo.get(&index).copied();
        self.push_handle(handle.ok_or(WeightsFault::Malformed { what: "a reference to nothing" })?)
    }
}

/// The number that an operation pushes. Only integers matter to weights.
fn number(opcode: u8, reader: &mut Reader<'_>) -> Result<Object, WeightsFault> {
    Ok(match opcode {
        0x88 => Object::Integer(1),
        0x89 => Object::Integer(0),
        b'J' => Object::Integer(i32::from_le_bytes(reader.array()?).into()),
        b'K' => Object::Integer(reader.byte()?.into()),
        b'M' => Object::Integer(u16::from_le_bytes(reader.array()?).into()),
        b'I' | b'L' => decimal(reader.line()?),
        0x8a => long(reader.counted::<1>()?),
        0x8b => long(reader.counted::<4>()?),
        b'G' => reader.take(8).map(|_| Object::Opaque)?,
        _ => reader.line().map(|_| Object::Opaque)?,
    })
}

/// A signed integer of any number of bytes; those that do not fit 64 bits mean nothing to weights.
fn long(bytes: &[u8]) -> Object {
    let mut padded = [if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 }; 8];
    match padded.get_mut(..bytes.len()) {
        Some(low) => low.copy_from_slice(bytes),
        None => return Object::Opaque,
    }
    Object::Integer(i64::from_le_bytes(padded))
}

fn decimal(line: &[u8]) -> Object {
    let digits = std::str::from_utf8(line).unwrap_or_default().trim_end_matches('L');
    digits.parse().map_or(Object::Opaque, Object::Integer)
}

fn index(line: &[u8]) -> Result<usize, WeightsFault> {
    let digits = text(line)?;
    digits.parse().map_err(|_| WeightsFault::Malformed { what: "a reference that is not a number" })
}

/// A text without the quotes around it.
fn quoted(line: &[u8]) -> &[u8] {
    match line {
        [b'\'', text @ .., b'\''] | [b'"', text @ .., b'"'] => text,
        _ => line,
    }
}

fn pairs(items: &[Handle]) -> Result<Vec<(Handle, Handle)>, WeightsFault> {
    match items.as_chunks() {
        (pairs, []) => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
        _ => Err(WeightsFault::Malformed { what: "a key without a value" }),
    }
}

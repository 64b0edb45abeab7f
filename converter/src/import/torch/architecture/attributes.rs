//! The attributes of a layer, taken one by one.

use toml::{Table, Value};

use super::super::weights::nearest;
use super::fault::ArchitectureFault;
use crate::ir::Hw;

/// Largest size, stride, padding or the like: beyond any image, and small enough that nothing made of a few overflows.
const LARGEST: i64 = 1 << 20;

/// Attributes that have not been taken yet, and what was wrong with those that have.
#[derive(Debug)]
pub(super) struct Attributes {
    table: Table,
    known: Vec<&'static str>,
    pub faults: Vec<ArchitectureFault>,
}

impl Attributes {
    pub(super) fn new(table: Table) -> Self {
        Attributes { table, known: Vec::new(), faults: Vec::new() }
    }

    /// Takes an attribute whose value `read` understands.
    fn take<T>(
        &mut self,
        attribute: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        self.known.push(attribute);
        let value = self.table.remove(attribute)?;
        let read = read(&value);
        if read.is_none() {
            let value = value.to_string().chars().take(120).collect();
            self.faults.push(ArchitectureFault::Attribute { attribute, value, expected: expected.into() });
        }
        read
    }

    pub(super) fn has(&self, attribute: &str) -> bool {
        self.table.contains_key(attribute)
    }

    pub(super) fn text(&mut self, attribute: &'static str) -> Option<String> {
        self.take(attribute, "a text", |value| value.as_str().map(Into::into))
    }

    pub(super) fn flag(&mut self, attribute: &'static str) -> Option<bool> {
        self.take(attribute, "true or false", Value::as_bool)
    }

    pub(super) fn number(&mut self, attribute: &'static str) -> Option<f32> {
        self.take(attribute, "a number", number)
    }

    pub(super) fn count(&mut self, attribute: &'static str) -> Option<usize> {
        self.take(attribute, "a number from 0 to 1048576", count)
    }

    /// An axis or the like, which may be negative.
    pub(super) fn integer(&mut self, attribute: &'static str) -> Option<i64> {
        self.take(attribute, "an integer", integer)
    }

    /// One integer or several.
    pub(super) fn integers(&mut self, attribute: &'static str) -> Option<Vec<i64>> {
        self.take(attribute, "an integer or a list of integers", |value| match value {
            Value::Array(list) => list.iter().map(integer).collect(),
            value => Some(vec![integer(value)?]),
        })
    }

    /// One number for both axes or one for each.
    pub(super) fn numbers(&mut self, attribute: &'static str) -> Option<[f32; 2]> {
        self.take(attribute, "a number or [height, width]", |value| pair(value, number))
    }

    /// One extent for both axes or one for each.
    pub(super) fn size(&mut self, attribute: &'static str) -> Option<Hw> {
        self.take(attribute, "a number from 0 to 1048576 or [height, width]", |value| {
            pair(value, count).map(Hw::from)
        })
    }

    /// [`Attributes::size`], or a text that stands for one.
    pub(super) fn size_or_text(&mut self, attribute: &'static str) -> Option<Result<Hw, String>> {
        let is_text = self.table.get(attribute).is_some_and(Value::is_str);
        if is_text { self.text(attribute).map(Err) } else { self.size(attribute).map(Ok) }
    }

    /// One text or several.
    pub(super) fn texts(&mut self, attribute: &'static str) -> Option<Vec<String>> {
        self.take(attribute, "a name or a list of names", |value| match value {
            Value::Array(list) => list.iter().map(|value| value.as_str().map(Into::into)).collect(),
            value => Some(vec![value.as_str()?.into()]),
        })
    }

    /// What was wrong, attributes that nobody has asked for included.
    pub(super) fn finish(self) -> Vec<ArchitectureFault> {
        let Attributes { table, known, mut faults } = self;
        for (attribute, _) in table {
            let nearest = nearest(&attribute, known.iter().copied()).into_iter().map(Into::into).collect();
            let attribute = attribute.chars().take(120).collect();
            faults.push(ArchitectureFault::UnknownAttribute { attribute, nearest });
        }
        faults
    }
}

fn number(value: &Value) -> Option<f32> {
    match *value {
        Value::Integer(value) => Some(value as f32),
        Value::Float(value) => Some(value as f32),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_integer().filter(|value| value.unsigned_abs() <= LARGEST.unsigned_abs())
}

fn count(value: &Value) -> Option<usize> {
    integer(value)?.try_into().ok()
}

fn pair<T: Copy>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<[T; 2]> {
    match value {
        Value::Array(list) => match list.as_slice() {
            [one] => Some([read(one)?; 2]),
            [height, width] => Some([read(height)?, read(width)?]),
            _ => None,
        },
        value => Some([read(value)?; 2]),
    }
}

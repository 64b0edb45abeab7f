//! The values of a pickle.

use std::collections::HashSet;
use std::rc::Rc;

use super::super::element::{Element, View};
use super::super::fault::WeightsFault;
use super::MOST_OBJECTS;

/// A value, by its position among the [`Objects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct Handle(u32);

/// One value.
#[derive(Clone, Debug)]
pub(in super::super) enum Object {
    None,
    Integer(i64),
    Text(Rc<str>),
    /// A list, tuple or set.
    Sequence(Vec<Handle>),
    /// A dictionary, in the order of its entries; later ones may repeat a key.
    Mapping(Vec<(Handle, Handle)>),
    /// A function or class, named but not looked up.
    Global {
        module: Rc<str>,
        name: Rc<str>,
    },
    Storage(Box<Storage>),
    Tensor(Box<StoredTensor>),
    /// A tensor of a kind that has no plain elements; the text says which.
    Unreadable(&'static str),
    /// A value without meaning for weights.
    Opaque,
}

/// A piece of memory that tensors share.
#[derive(Clone, Debug)]
pub(in super::super) struct Storage {
    /// Its name in the file.
    pub key: Rc<str>,
    /// Type of its elements; `None` if it is bytes that each tensor reads its own way.
    pub element: Option<Element>,
    /// First element of a part of another storage.
    pub offset: usize,
    /// Number of elements, or of bytes.
    pub count: usize,
}

/// A tensor whose elements lie in a storage.
#[derive(Clone, Debug)]
pub(in super::super) struct StoredTensor {
    /// The storage's name.
    pub storage: Rc<str>,
    /// Type of the elements.
    pub element: Element,
    /// Which elements.
    pub view: View,
}

/// All values of a pickle.
#[derive(Debug, Default)]
pub(in super::super) struct Objects {
    list: Vec<Object>,
    /// Every storage that is named, in order.
    pub storages: Vec<Storage>,
}

impl Objects {
    pub(super) fn add(&mut self, object: Object) -> Result<Handle, WeightsFault> {
        if self.list.len() >= MOST_OBJECTS {
            return Err(WeightsFault::TooManyObjects);
        }
        self.list.push(object);
        Ok(Handle(self.list.len() as u32 - 1))
    }

    /// The value.
    pub(in super::super) fn get(&self, handle: Handle) -> &Object {
        self.list.get(handle.0 as usize).unwrap_or(&Object::None)
    }

    /// The dictionaries that hold tensors, themselves or in dictionaries of so many levels in them.
    pub(in super::super) fn holding_tensors(&self, levels: usize) -> HashSet<Handle> {
        let mut holding = HashSet::new();
        for _ in 0..=levels {
            let holds = |&(_, value): &(Handle, Handle)| match self.get(value) {
                Object::Tensor(_) | Object::Unreadable(_) => true,
                _ => holding.contains(&value),
            };
            let found: Vec<Handle> = (0..)
                .map(Handle)
                .zip(&self.list)
                .filter(|(_, object)| matches!(object, Object::Mapping(entries) if entries.iter().any(holds)))
                .map(|(handle, _)| handle)
                .collect();
            holding.extend(found);
        }
        holding
    }

    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Object> {
        self.list.get_mut(handle.0 as usize)
    }

    pub(super) fn sequence(&self, handle: Handle) -> Option<&[Handle]> {
        match self.get(handle) {
            Object::Sequence(items) => Some(items),
            _ => None,
        }
    }

    pub(in super::super) fn text(&self, handle: Handle) -> Option<&Rc<str>> {
        match self.get(handle) {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn count(&self, handle: Handle) -> Option<usize> {
        match self.get(handle) {
            &Object::Integer(value) => value.try_into().ok(),
            _ => None,
        }
    }

    pub(super) fn global(&self, handle: Handle) -> Option<(&Rc<str>, &Rc<str>)> {
        match self.get(handle) {
            Object::Global { module, name } => Some((module, name)),
            _ => None,
        }
    }
}

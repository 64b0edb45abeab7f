//! The stream of pickles that `torch.save` wrote before PyTorch 1.6.
//!
//! A magic number, a version, facts about the machine, the saved value, the names of the storages; then the storages,
//! each a count of elements (64 bits) and the elements.

use std::collections::HashMap;
use std::rc::Rc;

use super::fault::WeightsFault;
use super::pickle::{Handle, Object, Objects, load};

/// The magic number as protocol 2 and later write it: `0x1950a86a20f9469cfc6c`, after its length.
const MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/// The same as protocols 0 and 1 write it.
const MAGIC_TEXT: &[u8] = b"119547037146038801333356";
const VERSION: i64 = 1001;

/// Whether the bytes begin with the magic number, in any protocol.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(64)];
    [MAGIC, MAGIC_TEXT].iter().any(|magic| start.windows(magic.len()).any(|window| window == *magic))
}

/// The saved value and the storages.
pub(super) struct Legacy<'a> {
    pub objects: Objects,
    pub root: Handle,
    pub storages: HashMap<Rc<str>, &'a [u8]>,
}

impl<'a> Legacy<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, WeightsFault> {
        let (_, _, rest) = load(bytes)?;
        let (version, root, rest) = load(rest)?;
        if !matches!(version.get(root), Object::Integer(VERSION)) {
            return Err(WeightsFault::Malformed { what: "a version of the format that is not known" });
        }
        let (machine, facts, rest) = load(rest)?;
        if !little_endian(&machine, facts)? {
            return Err(WeightsFault::BigEndian);
        }
        let (objects, root, rest) = load(rest)?;
        let (names, list, rest) = load(rest)?;
        let Object::Sequence(list) = names.get(list) else {
            return Err(WeightsFault::Malformed { what: "no list of storages" });
        };
        let declared: HashMap<&str, (usize, usize)> = objects
            .storages
            .iter()
            .map(|storage| {
                (&*storage.key, (storage.count, storage.element.map_or(1, |element| element.size())))
            })
            .collect();
        let mut storages = HashMap::new();
        let mut rest = rest;
        for &name in list {
            let name =
                names.text(name).ok_or(WeightsFault::Malformed { what: "a storage without a name" })?;
            let unused = WeightsFault::Malformed { what: "a storage that is not used" };
            let &(expected, size) = declared.get(&**name).ok_or(unused)?;
            let (&count, after) = rest.split_first_chunk().ok_or(WeightsFault::Cut)?;
            if usize::try_from(i64::from_le_bytes(count)) != Ok(expected) {
                return Err(WeightsFault::Malformed { what: "a storage of another length than declared" });
            }
            let length = expected.checked_mul(size).ok_or(WeightsFault::Cut)?;
            let (elements, after) = after.split_at_checked(length).ok_or(WeightsFault::Cut)?;
            storages.insert(name.clone(), elements);
            rest = after;
        }
        Ok(Legacy { objects, root, storages })
    }
}

/// What the facts about the machine say of its byte order.
fn little_endian(objects: &Objects, facts: Handle) -> Result<bool, WeightsFault> {
    let Object::Mapping(entries) = objects.get(facts) else {
        return Err(WeightsFault::Malformed { what: "no facts about the machine" });
    };
    let is_named = |key| objects.text(key).is_some_and(|key| &**key == "little_endian");
    let entry = entries.iter().find(|&&(key, _)| is_named(key)).map(|&(_, value)| objects.get(value));
    Ok(!matches!(entry, Some(Object::Integer(0))))
}

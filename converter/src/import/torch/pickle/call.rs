//! What calls in a pickle mean. None is made.

use super::super::element::{Element, View};
use super::super::fault::WeightsFault;
use super::object::{Handle, Object, Objects, Storage, StoredTensor};
use crate::ir::Shape;

/// Classes that occur in checkpoints beside weights and that hold none.
const HARMLESS: &[(&str, &[&str])] = &[
    ("torch", &["device", "finfo", "Generator"]),
    ("torch.serialization", &["_get_layout"]),
    ("numpy", &["dtype", "ndarray"]),
    ("numpy.core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy._core.multiarray", &["scalar", "_reconstruct"]),
    ("_codecs", &["encode"]),
    ("collections", &["defaultdict", "Counter", "deque"]),
    ("builtins", &["bytearray", "complex", "range", "slice"]),
    ("__builtin__", &["bytearray", "complex", "range", "slice"]),
    ("argparse", &["Namespace"]),
    ("types", &["SimpleNamespace"]),
    ("datetime", &["date", "datetime", "time", "timedelta", "timezone"]),
    ("pathlib", &["Path", "PosixPath", "PurePath", "PurePosixPath", "WindowsPath"]),
];

/// The value that a call of a function or class gives. `copied` is set to the number of values that this took.
///
/// # Errors
/// If the function is none that describes tensors or is known to be harmless, or its arguments do not suit it.
pub(super) fn call(
    objects: &mut Objects,
    function: Handle,
    arguments: Handle,
    copied: &mut usize,
) -> Result<Handle, WeightsFault> {
    let Some((module, name)) = objects.global(function) else {
        return Err(WeightsFault::Malformed { what: "a call of a value that is no function" });
    };
    let (module, name) = (module.clone(), name.clone());
    let Some(arguments) = objects.sequence(arguments) else {
        return Err(WeightsFault::Malformed { what: "a call whose arguments are no tuple" });
    };
    match (&*module, &*name) {
        ("collections", "OrderedDict") => {
            let entries = arguments.first().map_or(Ok(Vec::new()), |&list| entries(objects, list))?;
            *copied = entries.len();
            objects.add(Object::Mapping(entries))
        }
        ("torch", "Size") | ("builtins" | "__builtin__", "set" | "frozenset" | "list" | "tuple") => {
            let items = arguments.first().and_then(|&list| objects.sequence(list)).unwrap_or_default();
            *copied = items.len();
            let items = items.to_vec();
            objects.add(Object::Sequence(items))
        }
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            arguments.first().copied().ok_or(TENSOR)
        }
        ("torch._tensor", "_rebuild_from_type_v2") => {
            let tensor = rebuild_from_type(objects, arguments)?;
            objects.add(tensor)
        }
        ("torch._utils", name) if name.starts_with("_rebuild") => {
            let tensor = rebuild(objects, name, arguments)?;
            objects.add(tensor)
        }
        ("copyreg" | "copy_reg", "_reconstructor") => {
            let class = arguments.first().and_then(|&class| objects.global(class));
            let class = class.map_or_else(|| format!("{module}.{name}"), |(module, name)| path(module, name));
            Err(WeightsFault::Class { class })
        }
        _ if HARMLESS.iter().any(|(harmless, names)| **harmless == *module && names.contains(&&*name)) => {
            objects.add(Object::Opaque)
        }
        _ if name.starts_with(|first: char| first.is_uppercase()) => {
            Err(WeightsFault::Class { class: path(&module, &name) })
        }
        _ => Err(WeightsFault::Call { function: path(&module, &name) }),
    }
}

const TENSOR: WeightsFault = WeightsFault::Malformed { what: "a tensor described wrongly" };
const STORAGE: WeightsFault = WeightsFault::Malformed { what: "a storage described wrongly" };

/// A name for messages, not longer than reads well.
fn path(module: &str, name: &str) -> String {
    format!("{module}.{name}").chars().take(120).collect()
}

/// Pairs of a list of lists.
fn entries(objects: &Objects, list: Handle) -> Result<Vec<(Handle, Handle)>, WeightsFault> {
    if let Object::Mapping(entries) = objects.get(list) {
        return Ok(entries.clone());
    }
    let pair = |&pair: &Handle| match objects.sequence(pair) {
        Some(&[key, value]) => Some((key, value)),
        _ => None,
    };
    let entries = objects.sequence(list).and_then(|list| list.iter().map(pair).collect());
    entries.ok_or(WeightsFault::Malformed { what: "a dictionary of something else than pairs" })
}

/// A tensor of a class derived from PyTorch's own: `(function, class, arguments, state)`.
fn rebuild_from_type(objects: &Objects, arguments: &[Handle]) -> Result<Object, WeightsFault> {
    let &[function, class, arguments, ..] = arguments else { return Err(TENSOR) };
    let name = |handle| objects.global(handle).map(|(module, name)| (&**module, &**name));
    match (name(function), name(class)) {
        (
            Some(("torch._utils", function)),
            Some(("torch", "Tensor") | ("torch.nn.parameter", "Parameter" | "Buffer")),
        ) => rebuild(objects, function, objects.sequence(arguments).ok_or(TENSOR)?),
        _ => Ok(Object::Unreadable("of a class of its own")),
    }
}

/// A tensor: `(storage, offset, shape, strides, …)`.
fn rebuild(objects: &Objects, function: &str, arguments: &[Handle]) -> Result<Object, WeightsFault> {
    let own_type = match function {
        "_rebuild_tensor" | "_rebuild_tensor_v2" => None,
        "_rebuild_tensor_v3" => {
            let name = arguments.get(6).and_then(|&dtype| objects.global(dtype)).ok_or(TENSOR)?.1;
            match Element::from_dtype(name) {
                Some(element) => Some(element),
                None => return Ok(Object::Unreadable("of a type that is not supported")),
            }
        }
        "_rebuild_sparse_tensor" => return Ok(Object::Unreadable("sparse: save it dense (to_dense())")),
        "_rebuild_qtensor" => return Ok(Object::Unreadable("quantized: save the float model")),
        "_rebuild_meta_tensor_no_storage" => {
            return Ok(Object::Unreadable("on the meta device: it has no data"));
        }
        _ => return Ok(Object::Unreadable("of a kind that is not supported")),
    };
    let &[storage, offset, shape, strides, ..] = arguments else { return Err(TENSOR) };
    let storage = match objects.get(storage) {
        Object::Storage(storage) => storage,
        &Object::Unreadable(why) => return Ok(Object::Unreadable(why)),
        _ => return Err(TENSOR),
    };
    let Some(element) = own_type.or(storage.element) else { return Err(TENSOR) };
    let sizes = |handle| -> Result<Vec<usize>, WeightsFault> {
        let sizes = objects.sequence(handle).ok_or(TENSOR)?;
        if sizes.len() > Shape::MAX_RANK {
            return Err(WeightsFault::Malformed { what: "a tensor of more than 8 dimensions" });
        }
        sizes.iter().map(|&size| objects.count(size)).collect::<Option<_>>().ok_or(TENSOR)
    };
    let (shape, strides) = (sizes(shape)?, sizes(strides)?);
    let offset = objects.count(offset).and_then(|offset| offset.checked_add(storage.offset));
    match offset.filter(|_| shape.len() == strides.len()) {
        Some(offset) => Ok(Object::Tensor(Box::new(StoredTensor {
            storage: storage.key.clone(),
            element,
            view: View { offset, shape, strides },
        }))),
        None => Err(TENSOR),
    }
}

/// The storage that a persistent id names: `('storage', class, key, device, count)` and, in old files, the part of it.
///
/// # Errors
/// If the id is of another form.
pub(super) fn persistent(objects: &Objects, id: Handle) -> Result<Object, WeightsFault> {
    let &[kind, class, key, _, count, ref rest @ ..] = objects.sequence(id).ok_or(STORAGE)? else {
        return Err(STORAGE);
    };
    if objects.text(kind).map(|kind| &**kind) != Some("storage") {
        return Err(STORAGE);
    }
    let (_, class) = objects.global(class).ok_or(STORAGE)?;
    let element = Element::from_storage(class);
    if element.is_none() && &**class != "UntypedStorage" {
        return Ok(Object::Unreadable("of a type that is not supported; save it as float32"));
    }
    // A part of a storage: its own key, its offset and its length.
    let part = rest.first().and_then(|&part| objects.sequence(part));
    let offset = part.map_or(Some(0), |part| part.get(1).and_then(|&offset| objects.count(offset)));
    match (objects.text(key), objects.count(count), offset) {
        (Some(key), Some(count), Some(offset)) => {
            Ok(Object::Storage(Box::new(Storage { key: key.clone(), element, offset, count })))
        }
        _ => Err(STORAGE),
    }
}

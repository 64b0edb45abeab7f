//! Element types of stored tensors, and views of storages as real numbers.

use half::{bf16, f16};

/// Element type of a stored tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs)] // The names say it.
pub enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl Element {
    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Element::F64 | Element::I64 | Element::U64 => 8,
            Element::F32 | Element::I32 | Element::U32 => 4,
            Element::F16 | Element::Bf16 | Element::I16 | Element::U16 => 2,
            Element::I8 | Element::U8 | Element::Bool => 1,
        }
    }

    /// The type with the given name of `torch.dtype`.
    pub(super) fn from_dtype(name: &str) -> Option<Self> {
        Some(match name {
            "float64" | "double" => Element::F64,
            "float32" | "float" => Element::F32,
            "float16" | "half" => Element::F16,
            "bfloat16" => Element::Bf16,
            "int64" | "long" => Element::I64,
            "int32" | "int" => Element::I32,
            "int16" | "short" => Element::I16,
            "int8" => Element::I8,
            "uint64" => Element::U64,
            "uint32" => Element::U32,
            "uint16" => Element::U16,
            "uint8" => Element::U8,
            "bool" => Element::Bool,
            _ => return None,
        })
    }

    /// The type of the elements of a storage class of PyTorch, `FloatStorage`.
    pub(super) fn from_storage(class: &str) -> Option<Self> {
        Some(match class {
            "DoubleStorage" => Element::F64,
            "FloatStorage" => Element::F32,
            "HalfStorage" => Element::F16,
            "BFloat16Storage" => Element::Bf16,
            "LongStorage" => Element::I64,
            "IntStorage" => Element::I32,
            "ShortStorage" => Element::I16,
            "CharStorage" => Element::I8,
            "ByteStorage" => Element::U8,
            "BoolStorage" => Element::Bool,
            _ => return None,
        })
    }

    /// The real numbers of a view; `None` if it reaches beyond the storage.
    pub(super) fn gather(self, storage: &[u8], view: &View) -> Option<Vec<f32>> {
        match self {
            Element::F64 => gather(storage, view, |bytes| f64::from_le_bytes(bytes) as f32),
            Element::F32 => gather(storage, view, f32::from_le_bytes),
            Element::F16 => gather(storage, view, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Element::Bf16 => gather(storage, view, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Element::I64 => gather(storage, view, |bytes| i64::from_le_bytes(bytes) as f32),
            Element::I32 => gather(storage, view, |bytes| i32::from_le_bytes(bytes) as f32),
            Element::I16 => gather(storage, view, |bytes| i16::from_le_bytes(bytes).into()),
            Element::I8 => gather(storage, view, |bytes| i8::from_le_bytes(bytes).into()),
            Element::U64 => gather(storage, view, |bytes| u64::from_le_bytes(bytes) as f32),
            Element::U32 => gather(storage, view, |bytes| u32::from_le_bytes(bytes) as f32),
            Element::U16 => gather(storage, view, |bytes| u16::from_le_bytes(bytes).into()),
            Element::U8 => gather(storage, view, |[byte]| byte.into()),
            Element::Bool => gather(storage, view, |[byte]| f32::from(byte != 0)),
        }
    }
}

/// Which elements of a storage a tensor consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// First element.
    pub offset: usize,
    /// Dimensions, at most [`crate::ir::Shape::MAX_RANK`].
    pub shape: Vec<usize>,
    /// Distance between neighbours along each axis, in elements; as many as dimensions.
    pub strides: Vec<usize>,
}

impl View {
    /// A whole storage, row-major.
    pub(super) fn contiguous(shape: Vec<usize>) -> Self {
        let mut strides = vec![1usize; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
        }
        View { offset: 0, shape, strides }
    }

    /// Elements from the storage's beginning to the last that is used; `None` if there are none, or absurdly many.
    fn extent(&self) -> Option<usize> {
        let axes = self.shape.iter().zip(&self.strides);
        axes.into_iter()
            .try_fold(self.offset, |last, (&dimension, &stride)| {
                last.checked_add(dimension.checked_sub(1)?.checked_mul(stride)?)
            })?
            .checked_add(1)
    }
}

/// Decodes the elements of a view in row-major order.
fn gather<const SIZE: usize>(
    storage: &[u8],
    view: &View,
    decode: impl Fn([u8; SIZE]) -> f32,
) -> Option<Vec<f32>> {
    let (elements, _) = storage.as_chunks::<SIZE>();
    let elements = elements.get(..view.extent()?)?.get(view.offset..)?;
    let count = view.shape.iter().product();
    if View::contiguous(view.shape.clone()).strides == view.strides {
        return Some(elements.get(..count)?.iter().map(|&bytes| decode(bytes)).collect());
    }
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; view.shape.len()];
    let mut position = 0;
    for _ in 0..count {
        values.push(decode(*elements.get(position)?));
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            position += view.strides[axis];
            if index[axis] < view.shape[axis] {
                break;
            }
            position -= view.shape[axis] * view.strides[axis];
            index[axis] = 0;
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(offset: usize, shape: &[usize], strides: &[usize]) -> View {
        View { offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    #[test]
    fn views_take_what_their_strides_say() {
        let storage: Vec<u8> = (0..12).collect();
        let gather = |view| Element::U8.gather(&storage, &view);
        assert_eq!(gather(view(2, &[2, 2], &[2, 1])), Some(vec![2.0, 3.0, 4.0, 5.0]));
        assert_eq!(gather(view(0, &[3, 2], &[1, 3])), Some(vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        assert_eq!(gather(view(5, &[2, 2], &[0, 1])), Some(vec![5.0, 6.0, 5.0, 6.0]));
        assert_eq!(gather(view(11, &[], &[])), Some(vec![11.0]));
        assert_eq!(gather(view(0, &[1, 2, 1], &[100, 3, 100])), Some(vec![0.0, 3.0]));
    }

    #[test]
    fn views_beyond_the_storage_give_nothing() {
        let storage = [0; 12];
        for view in [
            view(12, &[], &[]),
            view(0, &[13], &[1]),
            view(0, &[2], &[12]),
            view(usize::MAX, &[2], &[1]),
            view(1, &[2, 2], &[usize::MAX, usize::MAX]),
            view(0, &[0], &[1]),
        ] {
            assert_eq!(Element::U8.gather(&storage, &view), None, "{view:?}");
        }
        assert_eq!(Element::F64.gather(&storage, &view(0, &[2], &[1])), None);
    }

    #[test]
    fn every_type_is_decoded() {
        let one = |element: Element, bytes: &[u8]| {
            element.gather(bytes, &view(0, &[1], &[1])).map(|values| values[0])
        };
        assert_eq!(one(Element::F64, &1.5f64.to_le_bytes()), Some(1.5));
        assert_eq!(one(Element::F32, &1.5f32.to_le_bytes()), Some(1.5));
        assert_eq!(one(Element::F16, &f16::from_f32(1.5).to_le_bytes()), Some(1.5));
        assert_eq!(one(Element::Bf16, &bf16::from_f32(1.5).to_le_bytes()), Some(1.5));
        assert_eq!(one(Element::I64, &(-3i64).to_le_bytes()), Some(-3.0));
        assert_eq!(one(Element::I16, &(-3i16).to_le_bytes()), Some(-3.0));
        assert_eq!(one(Element::I8, &[0xfd]), Some(-3.0));
        assert_eq!(one(Element::U64, &3u64.to_le_bytes()), Some(3.0));
        assert_eq!(one(Element::Bool, &[7]), Some(1.0));
    }
}

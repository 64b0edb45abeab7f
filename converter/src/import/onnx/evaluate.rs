//! Operators on constants: what exporters compute shapes with.
//!
//! Integers are computed exactly, real numbers in single precision. What is not here stays a node.

use crate::ir::attributes::{Reduce, SliceAxis};
use crate::ir::{DType, Op, Shape, Tensor};

/// The elements of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Elements {
    Integers(Vec<i64>),
    Reals(Vec<f32>),
}

impl Elements {
    pub(super) fn of(tensor: &Tensor) -> Option<Elements> {
        let elements = match tensor.dtype {
            DType::F32 => Elements::Reals(tensor.f32_values()?),
            _ => Elements::Integers(tensor.integer_values()?),
        };
        let fits = tensor.shape.iter().product::<usize>() == elements.len();
        fits.then_some(elements)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Elements::Integers(values) => values.len(),
            Elements::Reals(values) => values.len(),
        }
    }

    /// The elements as bytes of a type; integers that do not fit wrap around, as they do in the file's own runtime.
    pub(super) fn into_tensor(self, name: &str, dtype: DType, shape: Shape) -> Option<Tensor> {
        let tensor = Tensor::new(name, dtype, shape);
        Some(match self {
            Elements::Reals(values) if dtype == DType::F32 => {
                tensor.with_data(values.into_iter().flat_map(f32::to_le_bytes))
            }
            Elements::Integers(values) if !dtype.is_float() => {
                let size = dtype.size();
                tensor.with_data(
                    values.into_iter().flat_map(|value| value.to_le_bytes().into_iter().take(size)),
                )
            }
            _ => return None,
        })
    }

    /// The elements at the given places.
    fn at(&self, places: &[usize]) -> Option<Elements> {
        Some(match self {
            Elements::Integers(values) => Elements::Integers(
                places.iter().map(|&place| values.get(place).copied()).collect::<Option<_>>()?,
            ),
            Elements::Reals(values) => Elements::Reals(
                places.iter().map(|&place| values.get(place).copied()).collect::<Option<_>>()?,
            ),
        })
    }

    fn extend(&mut self, other: Elements) -> Option<()> {
        match (self, other) {
            (Elements::Integers(values), Elements::Integers(more)) => values.extend(more),
            (Elements::Reals(values), Elements::Reals(more)) => values.extend(more),
            _ => return None,
        }
        Some(())
    }
}

/// What an operator writes, if it can be told from constants. Inputs and the output suit the operator.
pub(super) fn evaluate(op: &Op, inputs: &[&Tensor], dtype: DType, shape: &Shape) -> Option<Tensor> {
    let first = *inputs.first()?;
    let elements = match op {
        Op::Reshape(_) => Elements::of(first)?,
        Op::Transpose(attributes) => {
            let strides = strides(&first.shape);
            let steps = attributes.permutation.iter().map(|&axis| strides.get(axis).copied());
            Elements::of(first)?.at(&places(shape, &steps.collect::<Option<Vec<_>>>()?, 0))?
        }
        Op::BroadcastTo(_) => Elements::of(first)?.at(&broadcast_places(&first.shape, shape))?,
        Op::StridedSlice(attributes) => {
            Elements::of(first)?.at(&slice_places(&first.shape, &attributes.axes)?)?
        }
        Op::Tile(_) => {
            let strides = strides(&first.shape);
            let place = |index: Vec<usize>| -> usize {
                let wrapped = index.iter().zip(first.shape.iter()).zip(&strides);
                wrapped.map(|((position, size), stride)| position % size * stride).sum()
            };
            Elements::of(first)?.at(&indices(shape).map(place).collect::<Vec<_>>())?
        }
        Op::Gather(attributes) => {
            let axis = attributes.axis;
            let indices = inputs.get(1)?.integer_values()?;
            let inner: usize = first.shape.get(axis + 1..)?.iter().product();
            let outer: usize = first.shape.get(..axis)?.iter().product();
            let size = *first.shape.get(axis)?;
            let mut places = Vec::new();
            for block in 0..outer {
                for &index in &indices {
                    let index = usize::try_from(index).ok().filter(|&index| index < size)?;
                    let begin = (block * size + index) * inner;
                    places.extend(begin..begin + inner);
                }
            }
            Elements::of(first)?.at(&places)?
        }
        Op::Concatenation(attributes) => concatenation(attributes.axis, inputs)?,
        Op::Cast(attributes) => cast(Elements::of(first)?, attributes.to),
        Op::Add(_) => binary(inputs, shape, |a, b| Some(a.wrapping_add(b)), |a, b| a + b)?,
        Op::Sub(_) => binary(inputs, shape, |a, b| Some(a.wrapping_sub(b)), |a, b| a - b)?,
        Op::Mul(_) => binary(inputs, shape, |a, b| Some(a.wrapping_mul(b)), |a, b| a * b)?,
        Op::Div(_) => binary(inputs, shape, i64::checked_div, |a, b| a / b)?,
        Op::Maximum => binary(inputs, shape, |a, b| Some(a.max(b)), f32::max)?,
        Op::Minimum => binary(inputs, shape, |a, b| Some(a.min(b)), f32::min)?,
        Op::Neg => real(first, |x| -x)?,
        Op::Abs => real(first, f32::abs)?,
        Op::Sqrt => real(first, f32::sqrt)?,
        Op::Exp => real(first, f32::exp)?,
        Op::Log => real(first, f32::ln)?,
        Op::Reciprocal => real(first, f32::recip)?,
        Op::Sum(attributes) => reduce(first, attributes, shape, i64::wrapping_add, |a, b| a + b)?,
        Op::ReduceProd(attributes) => reduce(first, attributes, shape, i64::wrapping_mul, |a, b| a * b)?,
        Op::ReduceMax(attributes) => reduce(first, attributes, shape, i64::max, f32::max)?,
        Op::ReduceMin(attributes) => reduce(first, attributes, shape, i64::min, f32::min)?,
        _ => return None,
    };
    let output = elements.into_tensor("", dtype, shape.clone())?;
    (output.data.as_ref().map(|data| data.len()) == output.byte_len()).then_some(output)
}

/// Two operands, broadcast to `shape`, combined element by element.
pub(super) fn binary(
    inputs: &[&Tensor],
    shape: &Shape,
    integers: impl Fn(i64, i64) -> Option<i64>,
    reals: impl Fn(f32, f32) -> f32,
) -> Option<Elements> {
    let &[first, second] = inputs else { return None };
    let spread = |tensor: &Tensor| Elements::of(tensor)?.at(&broadcast_places(&tensor.shape, shape));
    Some(match (spread(first)?, spread(second)?) {
        (Elements::Integers(first), Elements::Integers(second)) => Elements::Integers(
            first.into_iter().zip(second).map(|(a, b)| integers(a, b)).collect::<Option<Vec<_>>>()?,
        ),
        (Elements::Reals(first), Elements::Reals(second)) => {
            Elements::Reals(first.into_iter().zip(second).map(|(a, b)| reals(a, b)).collect())
        }
        _ => return None,
    })
}

/// The elements of a tensor, broadcast to a shape that it broadcasts to.
pub(super) fn broadcast(tensor: &Tensor, shape: &Shape) -> Option<Elements> {
    Elements::of(tensor)?.at(&broadcast_places(&tensor.shape, shape))
}

fn real(tensor: &Tensor, function: fn(f32) -> f32) -> Option<Elements> {
    match Elements::of(tensor)? {
        Elements::Reals(values) => Some(Elements::Reals(values.into_iter().map(function).collect())),
        Elements::Integers(_) => None,
    }
}

/// The elements under another type; real numbers are cut towards 0.
pub(super) fn cast(elements: Elements, to: DType) -> Elements {
    match (elements, to) {
        (Elements::Integers(values), DType::F32) => {
            Elements::Reals(values.into_iter().map(|value| value as f32).collect())
        }
        (Elements::Reals(values), DType::Bool) => {
            Elements::Integers(values.into_iter().map(|value| (value != 0.0).into()).collect())
        }
        (Elements::Reals(values), to) if to != DType::F32 => {
            Elements::Integers(values.into_iter().map(|value| value as i64).collect())
        }
        (Elements::Integers(values), DType::Bool) => {
            Elements::Integers(values.into_iter().map(|value| (value != 0).into()).collect())
        }
        (elements, _) => elements,
    }
}

fn concatenation(axis: usize, inputs: &[&Tensor]) -> Option<Elements> {
    let first = inputs.first()?;
    let outer: usize = first.shape.get(..axis)?.iter().product();
    let parts = inputs.iter().map(|tensor| Elements::of(tensor)).collect::<Option<Vec<_>>>()?;
    let mut joined = parts.first()?.at(&[])?;
    for block in 0..outer {
        for part in &parts {
            let length = part.len() / outer.max(1);
            joined.extend(part.at(&(block * length..(block + 1) * length).collect::<Vec<_>>())?)?;
        }
    }
    Some(joined)
}

fn reduce(
    tensor: &Tensor,
    attributes: &Reduce,
    shape: &Shape,
    integers: fn(i64, i64) -> i64,
    reals: fn(f32, f32) -> f32,
) -> Option<Elements> {
    fn fold<T: Copy>(values: &[T], places: &[usize], count: usize, combine: fn(T, T) -> T) -> Option<Vec<T>> {
        let mut results: Vec<Option<T>> = vec![None; count];
        for (&value, &place) in values.iter().zip(places) {
            let result = results.get_mut(place)?;
            *result = Some(result.map_or(value, |result| combine(result, value)));
        }
        results.into_iter().collect()
    }
    let kept: Shape = tensor
        .shape
        .iter()
        .enumerate()
        .map(|(axis, &size)| if attributes.axes.contains(&axis) { 1 } else { size })
        .collect();
    let places = broadcast_places(&kept, &tensor.shape);
    let count = shape.iter().product();
    Some(match Elements::of(tensor)? {
        Elements::Integers(values) => Elements::Integers(fold(&values, &places, count, integers)?),
        Elements::Reals(values) => Elements::Reals(fold(&values, &places, count, reals)?),
    })
}

fn strides(shape: &Shape) -> Vec<usize> {
    (0..shape.rank()).map(|axis| shape[axis + 1..].iter().product()).collect()
}

/// The places that a walk over `shape` comes to when it starts at `begin` and goes `steps` along each axis.
fn places(shape: &Shape, steps: &[usize], begin: usize) -> Vec<usize> {
    let place =
        |index: Vec<usize>| begin + index.iter().zip(steps).map(|(at, step)| at * step).sum::<usize>();
    indices(shape).map(place).collect()
}

fn broadcast_places(from: &Shape, to: &Shape) -> Vec<usize> {
    let missing = to.rank().saturating_sub(from.rank());
    let own =
        strides(from).into_iter().zip(from.iter()).map(|(stride, &size)| if size == 1 { 0 } else { stride });
    places(to, &std::iter::repeat_n(0, missing).chain(own).collect::<Vec<_>>(), 0)
}

fn slice_places(shape: &Shape, axes: &[SliceAxis]) -> Option<Vec<usize>> {
    let strides = strides(shape);
    let counts: Shape = axes.iter().map(|axis| axis.count).collect();
    let place = |index: Vec<usize>| {
        index.iter().zip(axes).zip(&strides).try_fold(0, |place, ((&at, axis), stride)| {
            let position = axis.begin.checked_add_signed(axis.stride.checked_mul(at as isize)?)?;
            Some(place + position * stride)
        })
    };
    indices(&counts).map(place).collect()
}

/// Every index of a shape, the last axis fastest.
fn indices(shape: &Shape) -> impl Iterator<Item = Vec<usize>> + use<'_> {
    let count: usize = shape.iter().product();
    (0..count).map(move |mut rest| {
        let mut index = vec![0; shape.rank()];
        for (axis, &size) in shape.iter().enumerate().rev() {
            index[axis] = rest % size;
            rest /= size;
        }
        index
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::attributes::{Concatenation, Gather, StridedSlice, Transpose};

    fn integers(shape: &[usize], values: &[i64]) -> Tensor {
        Elements::Integers(values.to_vec()).into_tensor("", DType::I64, shape.into()).unwrap()
    }

    fn run(op: Op, inputs: &[&Tensor], shape: &[usize]) -> Vec<i64> {
        evaluate(&op, inputs, DType::I64, &shape.into()).unwrap().i64_values().unwrap()
    }

    #[test]
    fn elements_move() {
        let matrix = integers(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        let transpose = Op::Transpose(Transpose { permutation: vec![1, 0] });
        assert_eq!(run(transpose, &[&matrix], &[3, 2]), [1, 4, 2, 5, 3, 6]);
        let backwards = SliceAxis { begin: 2, count: 2, stride: -2 };
        let whole = SliceAxis { begin: 0, count: 2, stride: 1 };
        let slice = StridedSlice { axes: vec![whole, backwards], shape: [2, 2].into() };
        assert_eq!(run(Op::StridedSlice(slice), &[&matrix], &[2, 2]), [3, 1, 6, 4]);
        let picked = integers(&[2], &[2, 0]);
        assert_eq!(run(Op::Gather(Gather { axis: 1 }), &[&matrix, &picked], &[2, 2]), [3, 1, 6, 4]);
        let join = Op::Concatenation(Concatenation { axis: 1, activation: Default::default() });
        assert_eq!(run(join, &[&matrix, &picked_column()], &[2, 4]), [1, 2, 3, 7, 4, 5, 6, 8]);
    }

    fn picked_column() -> Tensor {
        integers(&[2, 1], &[7, 8])
    }

    #[test]
    fn integers_stay_exact() {
        let (large, three) = (integers(&[1], &[i64::MAX]), integers(&[2], &[3, -3]));
        let sub = Op::Sub(Default::default());
        assert_eq!(run(sub, &[&large, &three], &[2]), [i64::MAX - 3, i64::MIN + 2]);
        assert_eq!(run(Op::Div(Default::default()), &[&three, &integers(&[], &[2])], &[2]), [1, -1]);
        let zero = integers(&[], &[0]);
        assert_eq!(evaluate(&Op::Div(Default::default()), &[&three, &zero], DType::I64, &[2].into()), None);
    }

    #[test]
    fn reductions_keep_or_drop_axes() {
        let matrix = integers(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        let rows = Reduce { axes: vec![1], keep_dims: true };
        assert_eq!(run(Op::ReduceProd(rows), &[&matrix], &[2, 1]), [6, 120]);
        let all = Reduce { axes: vec![0, 1], keep_dims: false };
        assert_eq!(run(Op::Sum(all), &[&matrix], &[]), [21]);
    }
}

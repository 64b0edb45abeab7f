//! How the elements of one tensor lie in another.

/// A tensor's elements in the order of another: the source, seen under `dims`, with its axes permuted.
///
/// Only the order of elements counts, not the shapes of the two tensors: there are no axes of 1, and axes that stay
/// neighbours are one axis. Two arrangements are equal exactly if they order elements equally.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Arrangement {
    dims: Vec<usize>,
    /// Axis `i` of the arranged tensor is axis `permutation[i]` of the source.
    permutation: Vec<usize>,
}

/// The axes of a tensor in the order in which they lie in the source.
pub(super) type Layout = Vec<usize>;

impl Arrangement {
    /// The source's own order.
    pub(super) fn identity(elements: usize) -> Self {
        Self::new(&[elements], &[0])
    }

    /// What a transposition of a tensor with these dimensions does.
    pub(super) fn new(dims: &[usize], permutation: &[usize]) -> Self {
        let kept: Vec<usize> = permutation.iter().copied().filter(|&axis| dims[axis] != 1).collect();
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let next = |axis: usize| (axis + 1..dims.len()).find(|&axis| dims[axis] != 1);
        let mut last = None;
        for &axis in &kept {
            match runs.last_mut() {
                Some((_, size)) if last.and_then(next) == Some(axis) => *size *= dims[axis],
                _ => runs.push((axis, dims[axis])),
            }
            last = Some(axis);
        }
        let mut sorted = runs.clone();
        sorted.sort_unstable();
        Arrangement {
            permutation: runs.iter().filter_map(|run| sorted.iter().position(|other| other == run)).collect(),
            dims: sorted.into_iter().map(|(_, size)| size).collect(),
        }
    }

    /// The arrangement of a tensor of shape `shape` whose axes lie in the source in the order `layout`.
    pub(super) fn of_layout(shape: &[usize], layout: &[usize]) -> Self {
        let dims: Vec<usize> = layout.iter().map(|&axis| shape[axis]).collect();
        Self::new(&dims, &inverse(layout))
    }

    pub(super) fn is_identity(&self) -> bool {
        self.dims.len() <= 1
    }

    /// The number of elements.
    pub(super) fn elements(&self) -> usize {
        self.dims.iter().product()
    }

    /// The source's dimensions and the permutation that a transposition needs.
    pub(super) fn transposition(&self) -> (&[usize], &[usize]) {
        (&self.dims, &self.permutation)
    }

    /// The arranged tensor, whose shape is `shape`, with its own axes permuted; `None` if the shape cuts axes so that no
    /// arrangement describes the result.
    pub(super) fn transposed(&self, shape: &[usize], permutation: &[usize]) -> Option<Self> {
        let (pieces, groups) = self.pieces(shape)?;
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_unstable_by_key(|&piece| pieces[piece].place);
        let dims: Vec<usize> = order.iter().map(|&piece| pieces[piece].size).collect();
        let position = inverse(&order);
        let moved: Vec<usize> =
            permutation.iter().flat_map(|&axis| groups[axis].clone()).map(|piece| position[piece]).collect();
        Some(Self::new(&dims, &moved))
    }

    /// The order in which the axes of the arranged tensor, whose shape is `shape`, lie in the source; `None` if some axis
    /// is not in one piece there. Axes of 1 stand where they do in `source`, the source's shape, if that is possible.
    pub(super) fn layout(&self, shape: &[usize], source: &[usize]) -> Option<Layout> {
        let (pieces, groups) = self.pieces(shape)?;
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_unstable_by_key(|&piece| pieces[piece].place);
        let position = inverse(&order);
        let mut long = Vec::new();
        for (axis, group) in groups.into_iter().enumerate().filter(|(_, group)| !group.is_empty()) {
            if group.clone().zip(group.clone().skip(1)).any(|(a, b)| position[b] != position[a] + 1) {
                return None;
            }
            long.push((position[group.start], axis));
        }
        long.sort_unstable();
        let long: Layout = long.into_iter().map(|(_, axis)| axis).collect();
        Some(with_ones_as_in(source, shape, &long).unwrap_or_else(|| with_ones_before(shape, &long)))
    }

    /// The arrangement of one of `batch` parts of the tensor, if they lie one after another in the source too.
    pub(super) fn part(&self, batch: usize) -> Option<Self> {
        if batch == 1 {
            return Some(self.clone());
        }
        let leading = *self.dims.first()?;
        if self.permutation.first() != Some(&0) || leading % batch != 0 {
            return None;
        }
        let mut dims = self.dims.clone();
        dims[0] /= batch;
        Some(Self::new(&dims, &self.permutation))
    }

    /// For each element of the arranged tensor its place in the source.
    pub(super) fn places(&self) -> Vec<usize> {
        places(&self.dims, &self.permutation)
    }

    /// The arranged tensor's axes and the axes of `shape` cut at each other's borders: the pieces in the tensor's order,
    /// and for each axis of `shape` its pieces. `None` if the borders do not fit.
    fn pieces(&self, shape: &[usize]) -> Option<(Vec<Piece>, Vec<std::ops::Range<usize>>)> {
        let mut pieces = Vec::new();
        let mut groups = Vec::with_capacity(shape.len());
        let mut axes = self.permutation.iter().map(|&axis| (axis, self.dims[axis]));
        let (mut axis, mut left, mut turn) = (0, 1, 0);
        for &dimension in shape {
            let start = pieces.len();
            let mut wanted = dimension;
            while wanted > 1 {
                if left == 1 {
                    (axis, left) = axes.next()?;
                    turn = 0;
                }
                let (least, most) = (wanted.min(left), wanted.max(left));
                if most % least != 0 {
                    return None;
                }
                pieces.push(Piece { place: (axis, turn), size: least });
                turn += 1;
                wanted /= least;
                left /= least;
            }
            groups.push(start..pieces.len());
        }
        (left == 1 && axes.next().is_none()).then_some((pieces, groups))
    }
}

/// The layout of all axes of `shape` that makes it `source`, if the axes longer than 1 follow each other as in `long`.
fn with_ones_as_in(source: &[usize], shape: &[usize], long: &[usize]) -> Option<Layout> {
    let mut long = long.iter().copied();
    let mut ones = (0..shape.len()).filter(|&axis| shape[axis] == 1);
    let axis = |&dimension: &usize| {
        let axis = if dimension == 1 { ones.next() } else { long.next() };
        axis.filter(|&axis| shape[axis] == dimension)
    };
    let layout: Layout = source.iter().map(axis).collect::<Option<_>>()?;
    (layout.len() == shape.len()).then_some(layout)
}

/// The layout of all axes of `shape` where the axes longer than 1 follow each other as in `long`, leading axes of 1 come
/// first, and each other axis of 1 stands before the same axis as in `shape`.
fn with_ones_before(shape: &[usize], long: &[usize]) -> Layout {
    let leading = shape.iter().take_while(|&&dimension| dimension == 1).count();
    let start = |end: usize| {
        let ones = shape[leading..end].iter().rev().take_while(|&&dimension| dimension == 1).count();
        end - ones
    };
    let rest = long.iter().flat_map(|&axis| start(axis)..=axis);
    (0..leading).chain(rest).chain(start(shape.len())..shape.len()).collect()
}

/// A part of an axis.
struct Piece {
    /// The axis of the source, and the turn within it.
    place: (usize, usize),
    size: usize,
}

/// The permutation that undoes another.
pub(super) fn inverse(permutation: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; permutation.len()];
    for (position, &axis) in permutation.iter().enumerate() {
        inverse[axis] = position;
    }
    inverse
}

/// For each element of a transposed tensor, in order, its place in the tensor of dimensions `dims`.
pub(super) fn places(dims: &[usize], permutation: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    let mut places = vec![0];
    for &axis in permutation {
        places = places
            .iter()
            .flat_map(|&place| (0..dims[axis]).map(move |index| (place, index)))
            .map(|(place, index)| place + index * strides[axis])
            .collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO_NCHW: [usize; 4] = [0, 3, 1, 2];
    const TO_NHWC: [usize; 4] = [0, 2, 3, 1];

    #[test]
    fn moves_of_axes_of_1_are_no_moves() {
        assert!(Arrangement::new(&[1, 28, 28, 1], &TO_NCHW).is_identity());
        assert!(Arrangement::new(&[1, 1, 1, 64], &TO_NCHW).is_identity());
        assert_eq!(Arrangement::new(&[1, 4, 5, 6], &TO_NCHW), Arrangement::new(&[20, 6], &[1, 0]),);
    }

    #[test]
    fn a_transposition_and_its_reverse_cancel() {
        let there = Arrangement::new(&[2, 4, 5, 6], &TO_NCHW);
        let back = there.transposed(&[2, 6, 4, 5], &TO_NHWC).unwrap();
        assert!(back.is_identity());
    }

    #[test]
    fn axes_of_another_shape_are_found_in_the_source() {
        let row = Arrangement::new(&[2, 1, 9, 6], &TO_NCHW);
        assert_eq!(row.layout(&[2, 6, 9], &[2, 1, 9, 6]), Some(vec![0, 2, 1]));
        assert_eq!(row.layout(&[2, 6, 1, 9], &[2, 1, 9, 6]), Some(vec![0, 2, 3, 1]));
        assert_eq!(row.layout(&[2, 54], &[2, 1, 9, 6]), None);
        assert_eq!(row.layout(&[12, 9], &[2, 1, 9, 6]), None);
        assert_eq!(row.transposed(&[27, 4], &[1, 0]), None);
    }

    #[test]
    fn parts_and_places_follow_the_order() {
        let image = Arrangement::new(&[2, 2, 1, 3], &TO_NCHW);
        let part = image.part(2).unwrap();
        assert_eq!(part.places(), [0, 3, 1, 4, 2, 5]);
        assert_eq!(image.elements(), 12);
        assert_eq!(Arrangement::new(&[2, 3], &[1, 0]).part(3), None);
    }
}

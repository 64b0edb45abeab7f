//! Walks over the elements of several arrays at once, each with steps of its own.

/// A walk over axes, outermost first, by `N` positions at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk<const N: usize> {
    /// All axes but the innermost.
    outer: Vec<Axis<N>>,
    /// The innermost axis.
    pub row: Axis<N>,
}

/// One axis of a walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis<const N: usize> {
    /// Number of elements along the axis.
    pub count: usize,
    /// Distance between neighbours in each array.
    pub steps: [isize; N],
}

impl<const N: usize> Walk<N> {
    /// A walk over the axes; those of one element vanish, and those that continue each other become one.
    pub fn new(axes: impl IntoIterator<Item = Axis<N>>) -> Self {
        let mut merged: Vec<Axis<N>> = Vec::new();
        for axis in axes.into_iter().filter(|axis| axis.count != 1) {
            match merged.last_mut() {
                Some(last) if last.steps == axis.steps.map(|step| step * axis.count as isize) => {
                    *last = Axis { count: last.count * axis.count, steps: axis.steps };
                }
                _ => merged.push(axis),
            }
        }
        let row = merged.pop().unwrap_or(Axis { count: 1, steps: [1; N] });
        Self { outer: merged, row }
    }

    /// Calls `visit` with the positions of the first element of each row, in order.
    pub fn rows(&self, start: [usize; N], mut visit: impl FnMut([usize; N])) {
        each(&self.outer, start, &mut visit);
    }
}

fn each<const N: usize>(axes: &[Axis<N>], mut at: [usize; N], visit: &mut impl FnMut([usize; N])) {
    let Some((axis, inner)) = axes.split_first() else { return visit(at) };
    for _ in 0..axis.count {
        each(inner, at, visit);
        for (at, step) in at.iter_mut().zip(axis.steps) {
            *at = at.wrapping_add_signed(step);
        }
    }
}

/// The distance between neighbours along each axis of an array in row-major order.
pub fn strides(shape: &[usize]) -> Vec<isize> {
    let mut stride = 1;
    let mut strides: Vec<isize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let own = stride;
            stride *= size as isize;
            own
        })
        .collect();
    strides.reverse();
    strides
}

/// The distance between neighbours along each axis of `output`, in an array that broadcasts to it: 0 where it repeats.
pub fn broadcast_strides(shape: &[usize], output: &[usize]) -> Vec<isize> {
    let missing = output.len().saturating_sub(shape.len());
    let own = shape.iter().zip(strides(shape)).map(|(&size, stride)| if size == 1 { 0 } else { stride });
    std::iter::repeat_n(0, missing).chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_continue_each_other_become_one() {
        let axes = [(2, [12, 0]), (3, [4, 0]), (1, [4, 4]), (4, [1, 1])];
        let walk = Walk::new(axes.map(|(count, steps)| Axis { count, steps }));
        assert_eq!(walk.row, Axis { count: 4, steps: [1, 1] });
        let mut rows = Vec::new();
        walk.rows([0, 0], |at| rows.push(at));
        assert_eq!(rows, [[0, 0], [4, 0], [8, 0], [12, 0], [16, 0], [20, 0]]);
        assert_eq!(walk.outer.len(), 1);
    }

    #[test]
    fn negative_steps_go_backwards() {
        let walk = Walk::new([Axis { count: 2, steps: [-3] }, Axis { count: 3, steps: [-1] }]);
        assert_eq!(walk.row, Axis { count: 6, steps: [-1] });
        let walk = Walk::new([Axis { count: 2, steps: [-2] }, Axis { count: 3, steps: [1] }]);
        let mut rows = Vec::new();
        walk.rows([2], |[at]| rows.push(at));
        assert_eq!(rows, [2, 0]);
    }

    #[test]
    fn strides_of_broadcast_axes_are_zero() {
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(broadcast_strides(&[3, 1], &[2, 3, 4]), [0, 1, 0]);
        assert_eq!(broadcast_strides(&[], &[2]), [0]);
    }
}

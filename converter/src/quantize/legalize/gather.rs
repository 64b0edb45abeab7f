//! Slices chosen by constant indices.

use super::{Rewriter, part};
use crate::arithmetic::unsupported;
use crate::ir::attributes::{Concatenation, Reshape, SliceAxis, StridedSlice};
use crate::ir::{Activation, Fault, Node, Op, Shape};

/// Most runs of indices.
const MOST: usize = 64;

/// `Gather` with constant indices becomes a slice for each run of indices at equal distances, and their concatenation.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    let Op::Gather(gather) = &node.op else { return Ok(None) };
    let (data, indices, output) =
        (rewriter.input(node, 0)?, rewriter.input(node, 1)?, rewriter.output(node)?);
    let Some(indices) = rewriter.graph[indices].integer_values() else { return Ok(None) };
    let (shape, axis) = (rewriter.shape(data), gather.axis);
    let size = shape.get(axis).copied().unwrap_or(0);
    let position = |&index: &i64| {
        let from_start = if index < 0 { index + size as i64 } else { index };
        usize::try_from(from_start).ok().filter(|&index| index < size)
    };
    let Some(indices) = indices.iter().map(position).collect::<Option<Vec<usize>>>() else {
        return Err(unsupported(format!("an index is outside of axis {axis}, which has {size} elements")));
    };
    let runs = runs(&indices);
    if runs.len() > MOST {
        return Err(unsupported(format!("{} separate slices: at most {MOST} are executable", runs.len())));
    }
    let mut nodes = Vec::new();
    let mut slices = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let mut taken = shape.to_vec();
        taken[axis] = run.count;
        let axes = shape.iter().enumerate().map(|(other, &count)| {
            if other == axis { *run } else { SliceAxis { begin: 0, count, stride: 1 } }
        });
        let slice = StridedSlice { axes: axes.collect(), shape: taken.clone().into() };
        let to = rewriter.add_activation(node, &format!("slice{number}"), taken.into())?;
        nodes.push(part(node, &format!("slice{number}"), Op::StridedSlice(slice), [data], to));
        slices.push(to);
    }
    let joined = match slices[..] {
        [single] => single,
        _ => {
            let mut all: Vec<usize> = shape.to_vec();
            all[axis] = indices.len();
            let to = rewriter.add_activation(node, "joined", all.into())?;
            let join = Op::Concatenation(Concatenation { axis, activation: Activation::None });
            nodes.push(part(node, "join", join, slices, to));
            to
        }
    };
    let shape: Shape = rewriter.shape(output);
    nodes.push(part(node, "reshape", Op::Reshape(Reshape { shape }), [joined], output));
    Ok(Some(nodes))
}

/// Indices as runs at equal distances.
fn runs(indices: &[usize]) -> Vec<SliceAxis> {
    let mut runs: Vec<SliceAxis> = Vec::new();
    for &index in indices {
        match runs.last_mut() {
            Some(run) if run.count == 1 && index != run.begin => {
                run.stride = index as isize - run.begin as isize;
                run.count = 2;
            }
            Some(run)
                if run.count > 1
                    && index as isize == run.begin as isize + run.stride * run.count as isize =>
            {
                run.count += 1;
            }
            _ => runs.push(SliceAxis { begin: index, count: 1, stride: 1 }),
        }
    }
    runs
}

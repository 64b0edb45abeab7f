//! Repetition and gathering, as slices and joins.

use super::{before, put, reshaped};
use crate::ir::attributes::{Concatenation, Reshape, SliceAxis, StridedSlice, Tile};
use crate::ir::{Activation, Float, NodeId, Op, Rewriter, Shape, TensorId};

/// Most parts of a join that takes the place of another operator.
const MOST_PARTS: usize = 64;

/// Axes of 1 repeated: the whole tensor repeated along them.
pub(super) fn broadcast(graph: &mut Rewriter<'_, Float>, node: NodeId, shape: &Shape) -> Option<()> {
    let input = graph[node].input(0)?;
    let old = &graph[input].shape;
    let ones = vec![1; shape.rank() - old.rank()];
    let image = Shape::from([&ones, &old[..]].concat());
    let repeats: Vec<usize> = shape.iter().zip(image.iter()).map(|(new, old)| new / old).collect();
    if graph[input].is_constant() || repeats.iter().any(|&count| count > MOST_PARTS) {
        return None;
    }
    let input = reshaped(graph, node, input, &image);
    put(graph, node, Op::Tile(Tile { repeats }), &[input]);
    Some(())
}

/// Joins with itself, one per axis.
pub(super) fn tile(graph: &mut Rewriter<'_, Float>, node: NodeId, repeats: &[usize]) -> Option<()> {
    let mut tensor = graph[node].input(0)?;
    let repeated: Vec<usize> = (0..repeats.len()).filter(|&axis| repeats[axis] > 1).collect();
    let (&last, others) = repeated.split_last()?;
    if graph[tensor].is_constant() || repeats.iter().any(|&count| count > MOST_PARTS) {
        return None;
    }
    for &axis in others {
        let (dtype, mut shape) = (graph[tensor].dtype, graph[tensor].shape.to_vec());
        shape[axis] *= repeats[axis];
        tensor = before(graph, node, join(axis), &vec![tensor; repeats[axis]], dtype, shape);
    }
    put(graph, node, join(last), &vec![tensor; repeats[last]]);
    Some(())
}

/// Constant indices: slices, joined.
pub(super) fn gather(graph: &mut Rewriter<'_, Float>, node: NodeId, axis: usize) -> Option<()> {
    let (data, indices) = (graph[node].input(0)?, graph[node].input(1)?);
    let output = graph[graph[node].output()?].shape.clone();
    let indices: Vec<usize> = graph[indices]
        .integer_values()?
        .into_iter()
        .map(|index| usize::try_from(index).ok())
        .collect::<Option<_>>()?;
    let runs = runs(&indices);
    if graph[data].is_constant() || runs.len() > MOST_PARTS {
        return None;
    }
    let sliced = |count: usize| {
        let mut shape = graph[data].shape.to_vec();
        shape[axis] = count;
        Shape::from(shape)
    };
    if let &[run] = &runs[..] {
        let mut counts = sliced(run.count);
        // One slice may write the output's shape if only axes of 1 are to go or come.
        let long =
            |shape: &[usize]| shape.iter().copied().filter(|&dimension| dimension != 1).collect::<Vec<_>>();
        let fits = long(&counts) == long(&output);
        if fits {
            counts = output.clone();
        }
        let op = slice(&graph[data].shape, axis, run, counts.clone());
        if fits {
            put(graph, node, op, &[data]);
        } else {
            let dtype = graph[data].dtype;
            let part = before(graph, node, op, &[data], dtype, counts);
            put(graph, node, Op::Reshape(Reshape { shape: output }), &[part]);
        }
        return Some(());
    }
    let joined = sliced(indices.len());
    let dtype = graph[data].dtype;
    let mut parts: Vec<TensorId> = Vec::with_capacity(runs.len());
    for run in runs {
        let mut shape = graph[data].shape.to_vec();
        shape[axis] = run.count;
        let op = slice(&graph[data].shape, axis, run, shape.clone().into());
        parts.push(before(graph, node, op, &[data], dtype, shape));
    }
    if joined == output {
        put(graph, node, join(axis), &parts);
    } else {
        let whole = before(graph, node, join(axis), &parts, dtype, joined);
        put(graph, node, Op::Reshape(Reshape { shape: output }), &[whole]);
    }
    Some(())
}

/// The indices cut into parts of equal steps.
fn runs(indices: &[usize]) -> Vec<SliceAxis> {
    let mut runs: Vec<SliceAxis> = Vec::new();
    for &index in indices {
        if let Some(run) = runs.last_mut() {
            let step = index as isize - run.begin as isize;
            if run.count == 1 && step != 0 {
                (run.stride, run.count) = (step, 2);
                continue;
            }
            if run.count > 1 && step == run.stride * run.count as isize {
                run.count += 1;
                continue;
            }
        }
        runs.push(SliceAxis { begin: index, count: 1, stride: 1 });
    }
    runs
}

fn slice(shape: &[usize], axis: usize, run: SliceAxis, output: Shape) -> Op {
    let whole = |&count: &usize| SliceAxis { begin: 0, count, stride: 1 };
    let mut axes: Vec<SliceAxis> = shape.iter().map(whole).collect();
    axes[axis] = run;
    Op::StridedSlice(StridedSlice { axes, shape: output })
}

fn join(axis: usize) -> Op {
    Op::Concatenation(Concatenation { axis, activation: Activation::None })
}

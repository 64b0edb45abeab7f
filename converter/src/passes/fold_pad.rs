//! Folds padding into the layer that reads it.
//!
//! ```text
//! node Pad(%0) -> %1 before=[0,1,1,0] after=[0,1,1,0]
//!   value=0                                         =>   node Conv2d(%0, %2) -> %3 padding=[1,1,1,1]
//! node Conv2d(%1, %2) -> %3
//! ```
//!
//! - Needs: images in NHWC ([`super::PushTransposes`]).
//! - Gives: convolutions, also depthwise ones, that pad by themselves; sequences, which are padded before they become
//!   images of one row, too. Maxima pad by themselves where nothing that they see is negative, or the padding is the
//!   least number.
//! - Leaves alone: padding by other numbers, of batches and of channels, and as wide as the window of a maximum. Averages
//!   do not count padding when they pad by themselves, so they keep it.

use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::ir::attributes::{Clip, Pad, Reshape};
use crate::ir::{Activation, Float, Graph, Hw, Node, NodeId, Op, Padding, Rewriter, Shape, Tensor, TensorId};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldPad;

impl Pass<Float> for FoldPad {
    fn name(&self) -> &'static str {
        "fold_pad"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "fold_pad", report, fold))
    }
}

/// What a layer may read instead, and how wide it must pad it.
struct Unpadded {
    source: TensorId,
    /// The source as an image, if it has another shape.
    image: Option<Shape>,
    padding: Padding,
    value: f32,
}

fn fold(graph: &mut Rewriter<'_, Float>, id: NodeId) -> Option<()> {
    let node = &graph[id];
    let unpadded = unpadded(graph, node.input(0)?)?;
    let name = node.name.clone();
    let mut op = node.op.clone();
    match &mut op {
        Op::Conv2d(conv) if unpadded.value == 0.0 => conv.padding = sum(conv.padding, unpadded.padding),
        Op::DepthwiseConv2d(conv) if unpadded.value == 0.0 => {
            conv.padding = sum(conv.padding, unpadded.padding)
        }
        Op::MaxPool2d(pool) => {
            let never_the_maximum = unpadded.value <= f32::MIN
                || (unpadded.value == 0.0 && is_never_negative(graph, unpadded.source, 0));
            pool.padding = sum(pool.padding, unpadded.padding);
            if !never_the_maximum || !is_narrow(pool.padding, pool.filter) {
                return None;
            }
        }
        _ => return None,
    }
    let mut input = unpadded.source;
    if let Some(shape) = unpadded.image {
        let source = &graph[input];
        let image = Tensor::new(source.name.clone(), source.dtype, shape.clone());
        let image = graph.add_tensor(image);
        graph.insert_before(id, Node::new(name, Op::Reshape(Reshape { shape }), [input], image));
        input = image;
    }
    graph.set_op(id, op);
    graph.set_input(id, 0, input);
    Some(())
}

/// What a tensor is that has been padded along its height and width, perhaps as a sequence.
fn unpadded(graph: &Rewriter<'_, Float>, padded: TensorId) -> Option<Unpadded> {
    let writer = &graph[graph.writer(padded)?];
    match &writer.op {
        Op::Pad(Pad { before, after, value }) => {
            let (&[0, top, left, 0], &[0, bottom, right, 0]) = (&before[..], &after[..]) else { return None };
            let padding = Padding { top, bottom, left, right };
            Some(Unpadded { source: writer.input(0)?, image: None, padding, value: *value })
        }
        Op::Reshape(Reshape { shape }) => {
            let sequence = writer.input(0)?;
            let Op::Pad(Pad { before, after, value }) = &graph[graph.writer(sequence)?].op else {
                return None;
            };
            let (&[0, left, 0], &[0, right, 0]) = (&before[..], &after[..]) else { return None };
            let &[batch, length, channels] = &graph[sequence].shape[..] else { return None };
            if shape[..] != [batch, 1, length, channels] {
                return None;
            }
            let source = graph[graph.writer(sequence)?].input(0)?;
            let image = Some([batch, 1, length - left - right, channels].into());
            Some(Unpadded { source, image, padding: Padding { left, right, ..Padding::NONE }, value: *value })
        }
        _ => None,
    }
}

fn sum(first: Padding, second: Padding) -> Padding {
    Padding {
        top: first.top + second.top,
        bottom: first.bottom + second.bottom,
        left: first.left + second.left,
        right: first.right + second.right,
    }
}

fn is_narrow(padding: Padding, window: Hw) -> bool {
    padding.top.max(padding.bottom) < window.height && padding.left.max(padding.right) < window.width
}

/// How many operators are looked through.
const MOST_DEPTH: usize = 8;

/// Whether no element of a tensor is below 0, by the operators that write it.
fn is_never_negative(graph: &Rewriter<'_, Float>, tensor: TensorId, depth: usize) -> bool {
    let Some(writer) = graph.writer(tensor).filter(|_| depth < MOST_DEPTH) else { return false };
    let node = &graph[writer];
    let clamp = node.op.clone().activation_mut().map(|activation| *activation);
    match &node.op {
        Op::Relu
        | Op::Relu6
        | Op::Logistic
        | Op::Abs
        | Op::Sqrt
        | Op::Exp
        | Op::Softmax(_)
        | Op::HardSigmoid(_) => true,
        Op::Clip(Clip { low, .. }) => *low >= 0.0,
        _ if matches!(clamp, Some(Activation::Relu | Activation::Relu6)) => true,
        Op::AveragePool2d(_)
        | Op::MaxPool2d(_)
        | Op::Concatenation(_)
        | Op::Reshape(_)
        | Op::Transpose(_) => {
            node.inputs.iter().flatten().all(|&input| is_never_negative(graph, input, depth + 1))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rewrites, stays};
    use super::*;

    #[test]
    fn layers_pad_by_themselves() {
        rewrites(
            &FoldPad,
            r#"graph "g" float
%0 "x" f32[1,4,4,1]
%1 "a" f32[1,6,5,1]
%2 "filter" f32[1,1,1,1] = [2.0]
%3 "b" f32[1,6,5,1]
%4 "c" f32[1,7,6,1]
%5 "y" f32[1,6,5,1]
inputs %0
outputs %5
node "pad" Pad(%0) -> %1 before=[0,0,1,0] after=[0,2,0,0] value=0
node "conv" DepthwiseConv2d(%1, %2) -> %3 activation="Relu" dilation=[1,1] multiplier=1 stride=[1,1]
node "border" Pad(%3) -> %4 before=[0,1,1,0] after=[0,0,0,0] value=0
node "pool" MaxPool2d(%4) -> %5 filter=[2,2] stride=[1,1]
"#,
            r#"graph "g" float
%0 "x" f32[1,4,4,1]
%1 "filter" f32[1,1,1,1] = [2.0]
%2 "b" f32[1,6,5,1]
%3 "y" f32[1,6,5,1]
inputs %0
outputs %3
node "conv" DepthwiseConv2d(%0, %1) -> %2 activation="Relu" dilation=[1,1] multiplier=1 padding=[0,2,1,0] stride=[1,1]
node "pool" MaxPool2d(%2) -> %3 filter=[2,2] padding=[1,0,1,0] stride=[1,1]
"#,
        );
    }

    #[test]
    fn padded_sequences_become_padded_images() {
        rewrites(
            &FoldPad,
            r#"graph "g" float
%0 "x" f32[1,4,1]
%1 "a" f32[1,5,1]
%2 "b" f32[1,1,5,1]
%3 "filter" f32[1,1,2,1] = [2.0,1.0]
%4 "y" f32[1,1,4,1]
inputs %0
outputs %4
node "pad" Pad(%0) -> %1 before=[0,1,0] after=[0,0,0] value=0
node "row" Reshape(%1) -> %2 shape=[1,1,5,1]
node "conv" Conv2d(%2, %3) -> %4 dilation=[1,1] groups=1 stride=[1,1]
"#,
            r#"graph "g" float
%0 "x" f32[1,4,1]
%1 "filter" f32[1,1,2,1] = [2.0,1.0]
%2 "y" f32[1,1,4,1]
%3 "x" f32[1,1,4,1]
inputs %0
outputs %2
node "conv" Reshape(%0) -> %3 shape=[1,1,4,1]
node "conv" Conv2d(%3, %1) -> %2 dilation=[1,1] groups=1 padding=[0,0,1,0] stride=[1,1]
"#,
        );
    }

    #[test]
    fn other_padding_stays() {
        stays(
            &FoldPad,
            r#"graph "g" float
%0 "x" f32[1,2,2,1]
%1 "ones" f32[1,3,2,1]
%2 "filter" f32[1,1,1,1] = [2.0]
%3 "a" f32[1,3,2,1]
%4 "b" f32[1,4,2,1]
%5 "y" f32[1,2,1,1]
inputs %0
outputs %5
node "pad" Pad(%0) -> %1 before=[0,1,0,0] after=[0,0,0,0] value=1
node "conv" Conv2d(%1, %2) -> %3 dilation=[1,1] groups=1 stride=[1,1]
node "border" Pad(%3) -> %4 before=[0,1,0,0] after=[0,0,0,0] value=0
node "pool" MaxPool2d(%4) -> %5 filter=[2,2] stride=[2,2]
"#,
        );
    }
}

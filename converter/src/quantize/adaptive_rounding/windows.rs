//! What a layer's weights are multiplied with.

use rayon::prelude::*;

use crate::ir::attributes::{Conv2d, DepthwiseConv2d};
use crate::ir::{Float, Graph, Hw, Node, Op, Padding};

/// Most positions that are looked at, for layers of few weights per row.
const POSITIONS: usize = 8192;

/// Positions per weight of a row, for layers of many.
const POSITIONS_PER_TAP: usize = 8;

/// Most elements that are held.
const ELEMENTS: usize = 1 << 24;

/// The windows that the rows of a filter slide over.
///
/// Channels of the input are split into groups; the rows of a group see its channels only.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// Batch, height, width and channels of the input.
    image: [usize; 4],
    /// Size of the filter.
    filter: Hw,
    stride: Hw,
    dilation: Hw,
    padding: Padding,
    /// Size of the output.
    output: Hw,
    /// Channels of a group.
    depth: usize,
}

impl Windows {
    /// The windows of a layer; `None` if its weights are not rows that slide over the input.
    pub fn of(graph: &Graph<Float>, node: &Node) -> Option<Self> {
        let image = &graph.input_of(node, 0)?.shape;
        let filter = &graph.input_of(node, 1)?.shape;
        let output = &graph.get(node.output()?)?.shape;
        let sliding = |stride, dilation, padding, depth| {
            let &[_, height, width, _] = &output[..] else { return None };
            let (image, output) = (image[..].try_into().ok()?, Hw { height, width });
            let filter = Hw { height: *filter.get(1)?, width: *filter.get(2)? };
            Some(Self { image, filter, stride, dilation, padding, output, depth })
        };
        match node.op {
            Op::Conv2d(Conv2d { stride, dilation, padding, .. }) => {
                sliding(stride, dilation, padding, *filter.get(3)?)
            }
            Op::DepthwiseConv2d(DepthwiseConv2d { stride, dilation, padding, .. }) => {
                sliding(stride, dilation, padding, 1)
            }
            Op::FullyConnected(_) => {
                let depth = *filter.get(1)?;
                let one = Hw { height: 1, width: 1 };
                let rows = image.elements()?.checked_div(depth)?;
                Some(Self {
                    image: [1, rows, 1, depth],
                    filter: one,
                    stride: one,
                    dilation: one,
                    padding: Padding::NONE,
                    output: Hw { height: rows, width: 1 },
                    depth,
                })
            }
            _ => None,
        }
    }

    /// Weights of a row.
    pub fn taps(&self) -> usize {
        self.filter.height * self.filter.width * self.depth
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.image[3] / self.depth.max(1)
    }

    /// Positions of a window in one input.
    fn positions(&self) -> usize {
        self.image[0] * self.output.height * self.output.width
    }

    /// Some positions in some samples, spread evenly, the same for the same numbers.
    pub fn choose(&self, samples: usize) -> Vec<(usize, usize)> {
        let all = samples * self.positions();
        let row = (self.taps() * self.groups()).max(1);
        let count = all.min((POSITIONS_PER_TAP * self.taps()).max(POSITIONS)).min((ELEMENTS / row).max(1));
        let place = |index: usize| {
            // Shifted within its share by multiples of the golden ratio, so that no row or column is preferred.
            let shift = (index as f64 * 0.618_033_988_749_895).fract();
            let place = ((index as f64 + shift) * all as f64 / count as f64) as usize;
            let place = if count == all { index } else { place.min(all - 1) };
            (place / self.positions(), place % self.positions())
        };
        (0..count).map(place).collect()
    }

    /// What the rows of one group see at positions of samples: a row of [`Self::taps`] elements for each.
    pub fn gather(&self, group: usize, samples: &[Vec<f32>], places: &[(usize, usize)]) -> Vec<f32> {
        let mut columns = vec![0.0; places.len() * self.taps()];
        columns.par_chunks_exact_mut(self.taps().max(1)).zip(places).for_each(
            |(column, &(sample, position))| {
                if let Some(input) = samples.get(sample) {
                    self.fill(group, input, position, column);
                }
            },
        );
        columns
    }

    fn fill(&self, group: usize, input: &[f32], position: usize, column: &mut [f32]) {
        let [_, height, width, channels] = self.image;
        let (x, rest) = (position % self.output.width, position / self.output.width);
        let (y, batch) = (rest % self.output.height, rest / self.output.height);
        let mut taps = column.chunks_exact_mut(self.depth);
        for row in 0..self.filter.height {
            let from_y = (y * self.stride.height + row * self.dilation.height).checked_sub(self.padding.top);
            for step in 0..self.filter.width {
                let Some(tap) = taps.next() else { return };
                let from_x =
                    (x * self.stride.width + step * self.dilation.width).checked_sub(self.padding.left);
                if let (Some(y), Some(x)) = (from_y.filter(|&y| y < height), from_x.filter(|&x| x < width)) {
                    let start = ((batch * height + y) * width + x) * channels + group * self.depth;
                    if let Some(values) = input.get(start..start + self.depth) {
                        tap.copy_from_slice(values);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::Executor;
    use crate::ir::text;

    /// A filter's sums over the windows are what the layer writes.
    #[test]
    fn rows_times_windows_are_the_layer() {
        for layer in [
            r#"%1 "w" f32[4,3,2,2] = F
%2 "y" f32[1,3,3,4]
inputs %0
outputs %2
node "n" Conv2d(%0, %1, _) -> %2 dilation=[1,2] groups=2 padding=[1,1,0,1] stride=[2,1]"#,
            r#"%1 "w" f32[1,3,2,8] = F
%2 "y" f32[1,3,3,8]
inputs %0
outputs %2
node "n" DepthwiseConv2d(%0, %1, _) -> %2 dilation=[1,2] multiplier=2 padding=[1,1,0,1] stride=[2,1]"#,
            r#"%1 "w" f32[3,16] = F
%2 "y" f32[5,3]
inputs %0
outputs %2
node "n" FullyConnected(%0, %1, _) -> %2 keep_dims=false"#,
        ] {
            let mut source = fastrand::Rng::with_seed(6);
            let mut numbers = |count| (0..count).map(|_| source.f32() - 0.5).collect::<Vec<f32>>();
            let filter = numbers(48);
            let text = format!("graph \"g\" float\n%0 \"x\" f32[1,5,4,4]\n{layer}\n")
                .replace('F', &format!("{filter:?}"));
            // The replacement must not touch the operator's name.
            let text = text.replace(&format!("{filter:?}ullyConnected"), "FullyConnected");
            let graph: Graph<Float> = text::parse(&text).unwrap();
            let input = numbers(80);
            let expected =
                Executor::new(&graph).unwrap().run(std::slice::from_ref(&input)).unwrap().remove(0);
            let windows = Windows::of(&graph, &graph.nodes()[0]).unwrap();
            let places = windows.choose(1);
            let rows = filter.len() / windows.taps();
            let is_depthwise = windows.depth == 1;
            assert_eq!(places.len() * rows, expected.len());
            for row in 0..rows {
                let group = row / (rows / windows.groups());
                let weights: Vec<f32> = (0..windows.taps())
                    .map(|tap| {
                        if is_depthwise {
                            filter[tap * rows + row]
                        } else {
                            filter[row * windows.taps() + tap]
                        }
                    })
                    .collect();
                let columns = windows.gather(group, std::slice::from_ref(&input), &places);
                for (position, column) in columns.chunks(windows.taps()).enumerate() {
                    let sum: f32 = weights.iter().zip(column).map(|(a, b)| a * b).sum();
                    assert!((sum - expected[position * rows + row]).abs() < 1e-5, "{text}");
                }
            }
        }
    }

    #[test]
    fn positions_are_spread_and_within() {
        let one = Hw { height: 1, width: 1 };
        let windows = Windows {
            image: [1, 64, 64, 3],
            filter: one,
            stride: one,
            dilation: one,
            padding: Padding::NONE,
            output: Hw { height: 64, width: 64 },
            depth: 3,
        };
        let places = windows.choose(100);
        assert_eq!(places.len(), POSITIONS);
        assert!(places.iter().all(|&(sample, position)| sample < 100 && position < 64 * 64));
        let mut columns: Vec<usize> = places.iter().map(|(_, position)| position % 64).collect();
        columns.sort_unstable();
        columns.dedup();
        assert_eq!(columns.len(), 64);
        assert_eq!(windows.choose(0), []);
    }
}

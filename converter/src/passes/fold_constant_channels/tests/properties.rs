use proptest::prelude::*;
use secateur::{Model, kernels};

use super::networks::network;
use super::*;
use crate::core::Core;
use crate::emit::Draft;
use crate::{execute, lower};

/// The outputs for random inputs.
fn outputs(graph: &Graph<Quantized>, core: Core, inputs: &[u8]) -> Vec<u8> {
    let program = lower::lower(graph, core).unwrap_or_else(|problems| panic!("{problems:?}\n{graph}"));
    let file = Draft::new(&program).unwrap().file(&[]).unwrap();
    let model = Model::load(file.bytes(), &kernels::ALL).unwrap();
    execute::run_batch(&model, inputs, || ()).unwrap()
}

fn compact(layers: usize, seed: u64) -> Graph<Quantized> {
    let mut graph = network(layers, seed);
    graph.compact();
    graph
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_output_byte_changes(layers in 1usize..9, seed: u64) {
        let before = compact(layers, seed);
        prop_assert_eq!(check(&before), Ok(()));
        let mut after = before.clone();
        fold(&mut after);
        let vector = before[before.inputs()[0]].shape.iter().product::<usize>();
        let mut inputs = vec![0x80; vector];
        inputs.extend(vec![0x7f; vector]);
        let mut rng = fastrand::Rng::with_seed(seed);
        inputs.extend((0..4 * vector).map(|_| rng.u8(..)));
        for core in [Core::CortexM0, Core::CortexM4] {
            prop_assert_eq!(outputs(&before, core, &inputs), outputs(&after, core, &inputs), "{}\n{}", before, after);
        }
        prop_assert_eq!(fold(&mut after).0, Changed::No);
    }
}

#[test]
fn random_networks_have_channels_to_fold() {
    let folded: usize = (0..200).map(|seed| usize::from(fold(&mut compact(6, seed)).1.channels() > 0)).sum();
    assert!(folded > 100, "only {folded} of 200");
}

//! Models that state their quantization run in integers as their own runtime runs them in real numbers.

use secateur::{Model, kernels};
use secateur_converter::execute::run_batch;
use secateur_converter::import::Imported;
use secateur_converter::import::onnx::{Options, import};
use secateur_converter::pipeline;
use secateur_converter::quantize::from_qdq::{applies, from_qdq};

use crate::files;

/// Steps of the output scale that a value may be off.
const STEPS: f32 = 1.0;

#[test]
fn classes_are_equal_and_values_within_one_step() {
    for model in ["lenet5", "dscnn"] {
        let Some(folder) = files::shared(&format!("torch/{model}")) else { return };
        let bytes = files::read(folder.join(format!("{model}_qdq.onnx")));
        let Ok(Imported::Float(graph)) = import(&bytes, &Options::default()) else {
            panic!("{model} is no float graph")
        };
        assert!(applies(&graph));
        let (quantized, _) = from_qdq(graph).unwrap_or_else(|error| panic!("{model}: {error}"));
        let output = quantized.outputs()[0];
        let writer = quantized.nodes().iter().find(|node| node.output() == Some(output)).expect("a writer");
        let scale = quantized
            .input_of(writer, 0)
            .and_then(|tensor| tensor.quantization.clone())
            .expect("a scale")
            .scales[0];
        let converted = pipeline::convert_graph(quantized, &pipeline::Options::default())
            .unwrap_or_else(|error| panic!("{model}: {error}"));
        let loaded = Model::load(converted.file.bytes(), &kernels::ALL).expect("a model");
        let outputs = run_batch(&loaded, &files::read(folder.join("inputs.bin")), || ()).expect("outputs");
        let outputs = files::decode(&outputs);
        let expected = files::floats(folder.join("outputs_qdq.bin"));
        assert_eq!(outputs.len(), expected.len());
        let class = |values: &[f32]| {
            values.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(class, _)| class)
        };
        let mut worst = 0f32;
        for (vector, (found, expected)) in outputs.chunks(10).zip(expected.chunks(10)).enumerate() {
            let steps = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs() / scale);
            worst = steps.fold(worst, f32::max);
            assert_eq!(
                class(found),
                class(expected),
                "{model}, vector {vector}: {found:?}, {expected:?} expected"
            );
        }
        eprintln!("{model}: at most {worst:.2} steps of {scale}");
        assert!(worst <= STEPS + 0.01, "{model}: {worst} steps");
    }
}

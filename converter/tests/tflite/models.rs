//! Real models import, or are refused for the reasons that are known.

use secateur_converter::import::tflite::import;
use secateur_converter::import::{ImportErrors, Imported};
use secateur_converter::ir::{DType, Tensor};
use serde_json::Value;

use crate::files;

/// What a model should become.
enum Expected {
    Quantized,
    Float,
    Hybrid,
    /// Refused, with these among the problems.
    Refused(&'static [&'static str]),
}

const MODELS: [(&str, Expected); 17] = [
    ("ad01_fp32", Expected::Float),
    ("ad01_int8", Expected::Quantized),
    (
        "audio_preprocessor_int8",
        Expected::Refused(&[
            "node 0 'signal_window' (CUSTOM SignalWindow): custom operator 'SignalWindow' is not supported",
            "node 5 'Cast' (CAST): operator CAST (53) is not supported",
            "node 9 'signal_filter_bank' (CUSTOM SignalFilterBank)",
        ]),
    ),
    ("hello_world_float", Expected::Float),
    ("hello_world_int8", Expected::Quantized),
    (
        "keyword_scrambled_8bit",
        Expected::Refused(&["node 11 '' (SVDF): operator SVDF (27) is not supported", "INT16"]),
    ),
    ("kws_ref_model", Expected::Quantized),
    ("kws_ref_model_float32", Expected::Hybrid),
    ("micro_speech_quantized", Expected::Quantized),
    ("person_detect", Expected::Quantized),
    ("pretrainedResnet", Expected::Float),
    ("pretrainedResnet_quant", Expected::Quantized),
    ("str_ww_ref_model", Expected::Quantized),
    ("trained_lstm", Expected::Refused(&["UNIDIRECTIONAL_SEQUENCE_LSTM (44) is not supported"])),
    ("trained_lstm_int8", Expected::Refused(&["UNIDIRECTIONAL_SEQUENCE_LSTM (44) is not supported"])),
    ("vww_96_float", Expected::Float),
    ("vww_96_int8", Expected::Quantized),
];

#[test]
fn every_model_becomes_what_is_expected() {
    let Some(folder) = files::shared("models") else { return };
    for (name, expected) in &MODELS {
        let result = import(&files::read(folder.join(name).with_extension("tflite")));
        eprintln!("{name:26} {}", summary(&result));
        match (expected, result) {
            (Expected::Quantized, Ok(Imported::Quantized(_)))
            | (Expected::Float, Ok(Imported::Float(_)))
            | (Expected::Hybrid, Ok(Imported::Hybrid(_))) => {}
            (Expected::Refused(parts), Err(errors)) => {
                let text = errors.to_string();
                parts
                    .iter()
                    .for_each(|part| assert!(text.contains(part), "{name}: {part} is not in\n{text}"));
            }
            (_, result) => panic!("{name}: {result:?}"),
        }
    }
    assert_eq!(files::models(&folder).len(), MODELS.len(), "every model is listed here");
}

#[test]
fn inputs_and_outputs_are_those_of_the_models() {
    let Some(folder) = files::shared("models") else { return };
    for model in files::json(folder.join("models.json"))["models"].as_array().expect("a list") {
        let name = model["file"].as_str().expect("a name");
        let Ok(imported) = import(&files::read(folder.join(name))) else { continue };
        let (tensors, inputs, outputs) = lists(&imported);
        for (key, ids) in [("inputs", inputs), ("outputs", outputs)] {
            let described = model[key].as_array().expect("a list");
            assert_eq!(ids.len(), described.len(), "{name} {key}");
            for (id, described) in ids.iter().zip(described) {
                assert_eq!(described["tensor"], *id, "{name} {key}");
                assert_matches_description(&tensors[*id], described, name);
            }
        }
    }
}

#[test]
fn every_intermediate_tensor_is_that_of_the_golden_file() {
    let Some(folder) = files::shared("golden") else { return };
    let mut compared = 0;
    for (name, expected) in &MODELS {
        if !matches!(expected, Expected::Quantized) {
            continue;
        }
        let Some(model) = files::shared(&format!("models/{name}.tflite")) else { return };
        let imported = import(&files::read(model)).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let (tensors, ..) = lists(&imported);
        let index = files::json(folder.join(name).join("index.json"));
        for intermediates in index["intermediates"].as_array().expect("a list") {
            for described in intermediates["tensors"].as_array().expect("a list") {
                let id = described["tensor"].as_u64().expect("an index") as usize;
                assert_matches_description(&tensors[id], described, name);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared} tensors compared");
}

#[test]
fn the_projects_own_model_imports() {
    let imported = import(&files::read(files::project("golden/fashion_dscnn/fashion_dscnn_int8.tflite")));
    let Ok(Imported::Quantized(graph)) = imported else { panic!("{imported:?}") };
    let operators: Vec<_> = graph.nodes().iter().map(|node| node.op.name()).collect();
    assert_eq!(operators.iter().filter(|&&name| name == "DepthwiseConv2d").count(), 4, "{operators:?}");
    let text = graph.to_string();
    assert!(text.contains("node ") && text.contains("outputs "), "{text}");
}

fn lists(imported: &Imported) -> (&[Tensor], Vec<usize>, Vec<usize>) {
    let indices = |ids: &[secateur_converter::ir::TensorId]| ids.iter().map(|id| id.index()).collect();
    match imported {
        Imported::Quantized(graph) => (graph.tensors(), indices(graph.inputs()), indices(graph.outputs())),
        Imported::Float(graph) | Imported::Hybrid(graph) => {
            (graph.tensors(), indices(graph.inputs()), indices(graph.outputs()))
        }
    }
}

fn assert_matches_description(tensor: &Tensor, described: &Value, model: &str) {
    assert_eq!(described["name"], tensor.name.as_str(), "{model}");
    let at = format!("{model}: {}", tensor.name);
    assert_eq!(described["shape"], serde_json::json!(tensor.shape.to_vec()), "{at}");
    let dtype = match tensor.dtype {
        DType::F32 => "FLOAT32",
        DType::I8 => "INT8",
        DType::I32 => "INT32",
        other => panic!("{at}: {other}"),
    };
    assert_eq!(described["dtype"], dtype, "{at}");
    let first = |value: &Value| value.get(0).unwrap_or(value).as_f64();
    if let Some(scale) = first(&described["scale"]) {
        let (own, zero_point) = tensor.quantization.as_ref().and_then(|own| own.single()).expect("one scale");
        assert_eq!(own, scale as f32, "{at}");
        assert_eq!(Some(f64::from(zero_point)), first(&described["zero_point"]), "{at}");
    }
}

fn summary(result: &Result<Imported, ImportErrors>) -> String {
    match result {
        Ok(imported) => {
            let state = match imported {
                Imported::Quantized(_) => "quantized",
                Imported::Float(_) => "float",
                Imported::Hybrid(_) => "hybrid",
            };
            format!("{state}, {} tensors", lists(imported).0.len())
        }
        Err(errors) => format!("refused, {} problems", errors.problems.len()),
    }
}

//! Any bytes are imported as an ONNX model or refused; what is imported is brought into normal form, or into integers if it
//! states its quantization.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_converter::import::Imported;
use secateur_converter::import::onnx::{Options, import};
use secateur_converter::passes;
use secateur_converter::quantize::from_qdq::{applies, from_qdq};

fuzz_target!(|data: &[u8]| {
    match import(data, &Options::default()) {
        Err(errors) => assert!(!errors.problems.is_empty()),
        Ok(Imported::Float(mut graph)) => {
            if applies(&graph) {
                let _ = from_qdq(graph.clone());
            }
            if let Err(error) = passes::normalize(&mut graph) {
                panic!("{error}");
            }
        }
        Ok(_) => panic!("an ONNX model is imported as a float graph"),
    }
});

//! Weights of 4 bits and 1 bit on the example DS-CNN.

use std::time::Instant;

use anyhow::{Context, Result};
use secateur_converter::quantize::{LayerRecipe, Prepared, Recipe, Width};
use secateur_tests::shared_data;

use crate::fashion::{test_images, training_images};
use crate::measure::{accuracy, file, file_outputs, float_model, float_outputs, mean_sqnr};

/// Prints what the ways of rounding cost.
#[test]
#[ignore = "takes minutes; for people"]
fn compare_roundings() -> Result<()> {
    let number =
        |name: &str, usual| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let data = shared_data().context("no shared data")?;
    let graph = float_model(&data.join("own/fashion_dscnn_float.tflite"))?;
    let (samples, labels) = test_images(number("TEST", 2000))?;
    let start = Instant::now();
    let reference = float_outputs(&graph, &samples)?;
    println!("float {:.2} % ({:.1} s)", accuracy(&reference, &labels), start.elapsed().as_secs_f32());
    let calibration = training_images(number("CALIBRATION", 512))?;
    let measure = |name: &str, recipe: Recipe| -> Result<()> {
        let start = Instant::now();
        let prepared = Prepared::new(graph.clone(), &calibration, &recipe, &|_| ())?;
        let (quantized, report) = prepared.quantize(&recipe, &|_| ())?;
        let quantizing = start.elapsed().as_secs_f32();
        let found = file_outputs(&file(quantized)?, &samples)?;
        println!(
            "{name}: {:.2} %, {:.2} dB, {} bytes ({quantizing:.1} s, all {:.1} s)",
            accuracy(&found, &labels),
            mean_sqnr(&reference, &found),
            report.weight_bytes(),
            start.elapsed().as_secs_f32()
        );
        Ok(())
    };
    let keep = Recipe::keep_from("first,last");
    let base = Recipe { keep, ..Recipe::default() };
    let names: Vec<String> = {
        let prepared = Prepared::new(graph.clone(), &calibration, &base, &|_| ())?;
        prepared.layers().iter().map(|layer| format!("{} {}", layer.name, layer.operator)).collect()
    };
    println!("{names:?}");
    measure("int8", base.clone())?;
    measure("int8 adaptive", Recipe { adaptive_rounding: true, ..base.clone() })?;
    for equalize in [false, true] {
        for (bias_correction, adaptive_rounding) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            let recipe =
                Recipe { weights: Width::Int4, equalize, bias_correction, adaptive_rounding, ..base.clone() };
            measure(
                &format!("int4 equalize {equalize} bias {bias_correction} adaptive {adaptive_rounding}"),
                recipe,
            )?;
        }
    }
    for name in names.iter().filter(|name| !name.contains("Depthwise")) {
        let name = name.split(' ').next().unwrap_or_default();
        for adaptive_rounding in [false, true] {
            let mut recipe = Recipe { adaptive_rounding, ..base.clone() };
            recipe
                .layer
                .insert(name.to_owned(), LayerRecipe { weights: Some(Width::OneBit), activations: None });
            measure(&format!("1bit {name} adaptive {adaptive_rounding}"), recipe)?;
        }
    }
    Ok(())
}

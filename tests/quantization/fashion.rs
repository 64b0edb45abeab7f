//! The example DS-CNN on Fashion-MNIST, calibrated on training images, measured on test images.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use secateur_converter::calibrate::{Observer, Sample};
use secateur_converter::io::{Elements, dataset};
use secateur_converter::quantize::Recipe;
use secateur_tests::{shared_data, skipped};
use xtask::workspace::fashion_mnist;

use crate::measure::{accuracy, file_outputs, float_model, float_outputs, quantized};

/// Images that ranges are observed on.
const CALIBRATION: usize = 500;

/// Test images: enough to tell 0.3 points, few enough for every run of the tests.
const TEST: usize = 1000;

/// Grey images as the network takes them, 0 to 1, with their classes.
fn images(path: &Path, labels: Option<&Path>, count: usize) -> Result<(Vec<Sample>, Vec<usize>)> {
    let data = dataset::read(path, labels)?.first(count);
    let Elements::U8(pixels) = &data.samples.elements else { anyhow::bail!("not pixels") };
    let real = |image: &[u8]| vec![image.iter().map(|&pixel| f32::from(pixel) / 255.0).collect()];
    Ok((pixels.chunks(28 * 28).map(real).collect(), data.labels))
}

/// Training images of the package, which calibration may see.
pub(crate) fn training_images(count: usize) -> Result<Vec<Sample>> {
    let folder = fashion_mnist().context("dataset-fashion-mnist is not installed")?;
    let [images_path, labels] =
        ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"].map(|name| folder.join(name));
    Ok(images(&images_path, Some(&labels), count)?.0)
}

/// Test images and their classes.
pub(crate) fn test_images(count: usize) -> Result<(Vec<Sample>, Vec<usize>)> {
    let folder = fashion_mnist().context("dataset-fashion-mnist is not installed")?;
    let [images_path, labels] =
        ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"].map(|name| folder.join(name));
    images(&images_path, Some(&labels), count)
}

#[test]
fn int8_keeps_the_accuracy_of_the_example() -> Result<()> {
    let test = "int8_keeps_the_accuracy_of_the_example";
    let (Some(data), Some(_)) = (shared_data(), fashion_mnist()) else {
        skipped(test, "no shared data, or no Fashion-MNIST");
        return Ok(());
    };
    let graph = float_model(&data.join("own/fashion_dscnn_float.tflite"))?;
    let (samples, labels) = test_images(TEST)?;
    let float = accuracy(&float_outputs(&graph, &samples)?, &labels);
    let (file, _) = quantized(&graph, &training_images(CALIBRATION)?, &Recipe::default())?;
    let int8 = accuracy(&file_outputs(&file, &samples)?, &labels);
    println!("DS-CNN on {TEST} test images: float {float:.2} %, int8 {int8:.2} %");
    ensure!(int8 >= float - 0.3, "float {float:.2} %, int8 {int8:.2} %");
    Ok(())
}

/// Prints what the choices of a recipe cost on all 10,000 test images: `cargo test … -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes; for people"]
fn compare_recipes() -> Result<()> {
    let data = shared_data().context("no shared data")?;
    let graph = float_model(&data.join("own/fashion_dscnn_float.tflite"))?;
    let (samples, labels) = test_images(10_000)?;
    let reference = float_outputs(&graph, &samples)?;
    println!("float {:.2} %", accuracy(&reference, &labels));
    let calibration = training_images(CALIBRATION)?;
    for observer in Observer::ALL {
        for bias_correction in [false, true] {
            for equalize in [false, true] {
                let recipe = Recipe { observer, bias_correction, equalize, ..Recipe::default() };
                let (file, _) = quantized(&graph, &calibration, &recipe)?;
                let found = file_outputs(&file, &samples)?;
                let sqnr = crate::measure::mean_sqnr(&reference, &found);
                let accuracy = accuracy(&found, &labels);
                println!(
                    "{observer} bias {bias_correction} equalize {equalize}: {accuracy:.2} %, {sqnr:.2} dB"
                );
            }
        }
    }
    Ok(())
}

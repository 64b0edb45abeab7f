//! Images of Fashion-MNIST: those of training, which calibration may see, and those of the test set.

use std::path::Path;

use anyhow::{Context, Result};
use secateur_converter::calibrate::Sample;
use secateur_converter::io::{Elements, dataset};
use xtask::workspace::fashion_mnist;

/// Grey images as the network takes them, 0 to 1, with their classes.
fn images(path: &Path, labels: Option<&Path>, count: usize) -> Result<(Vec<Sample>, Vec<usize>)> {
    let data = dataset::read(path, labels)?.first(count);
    let Elements::U8(pixels) = &data.samples.elements else { anyhow::bail!("not pixels") };
    let real = |image: &[u8]| vec![image.iter().map(|&pixel| f32::from(pixel) / 255.0).collect()];
    Ok((pixels.chunks(28 * 28).map(real).collect(), data.labels))
}

/// Training images of the package, which calibration may see, and their classes.
pub(crate) fn labelled_training_images(count: usize) -> Result<(Vec<Sample>, Vec<usize>)> {
    let folder = fashion_mnist().context("dataset-fashion-mnist is not installed")?;
    let [images_path, labels] =
        ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"].map(|name| folder.join(name));
    images(&images_path, Some(&labels), count)
}

/// Test images and their classes.
pub(crate) fn test_images(count: usize) -> Result<(Vec<Sample>, Vec<usize>)> {
    let folder = fashion_mnist().context("dataset-fashion-mnist is not installed")?;
    let [images_path, labels] =
        ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"].map(|name| folder.join(name));
    images(&images_path, Some(&labels), count)
}

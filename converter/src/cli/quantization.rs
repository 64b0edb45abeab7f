//! How a float model is quantized, as the command line says it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use indicatif::ProgressBar;
use secateur_converter::calibrate::Observer;
use secateur_converter::feed::{self, Feed};
use secateur_converter::float::Sample;
use secateur_converter::io::{self, samples};
use secateur_converter::quantize::recipe::Activations;
use secateur_converter::quantize::{self, Progress, Recipe, Report, Stage, Width, layers};
use secateur_converter::source::FloatModel;

use super::progress;
use super::table::{Columns, count, line};
use super::values::{self, PixelArguments, Values};

/// How a float model is quantized. Options go before what a recipe says.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Quantization of float models")]
pub(super) struct QuantizationArguments {
    /// Typical inputs, from which the ranges of activations are found: .npy, .npz, IDX files, a folder of .npy files or
    /// pictures, a data set. Not those that accuracy will be measured on. Once for each input, or once for all.
    #[arg(long, value_name = "[NAME=]PATH")]
    calibrate: Vec<Values>,
    /// Calibrate on N samples, taken evenly from all that are given.
    #[arg(long, value_name = "N", default_value = "512", value_parser = values::positive)]
    calibration_samples: usize,
    /// What is to be done layer by layer, in a file (docs/recipe.md).
    #[arg(long, value_name = "R.toml")]
    recipe: Option<PathBuf>,
    /// Bits of the weights.
    #[arg(long, value_name = "WIDTH", value_parser = width_parser())]
    weights: Option<Width>,
    /// Layers whose weights stay int8: first, last, names, or patterns with * and ?.
    #[arg(long, value_name = "first,last,NAME", value_delimiter = ',')]
    keep: Vec<String>,
    /// How ranges follow from values: min-max, moving-average, percentile[:99.99], mse or entropy.
    #[arg(long, value_name = "OBSERVER")]
    observer: Option<Observer>,
    /// Do not even out the channels of consecutive layers first (cross-layer equalization).
    #[arg(long)]
    no_equalize: bool,
    /// Do not correct biases for the mean error of rounded weights.
    #[arg(long)]
    no_bias_correction: bool,
    /// Round weights for the least error of each layer's output, not of each weight.
    #[arg(long)]
    adaptive_rounding: bool,
    /// Fully connected layers take real numbers and quantize them when they run; needs no --calibrate.
    #[arg(long)]
    dynamic: bool,
    /// Inputs and outputs of the model stay float32.
    #[arg(long)]
    float_io: bool,
    #[command(flatten)]
    pixels: PixelArguments,
}

fn width_parser() -> impl TypedValueParser<Value = Width> {
    PossibleValuesParser::new(Width::ALL.map(Width::name)).map(|name| name.parse().unwrap_or_default())
}

impl QuantizationArguments {
    /// The option that was given though it only makes sense for float models.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            (!self.calibrate.is_empty(), "--calibrate"),
            (self.recipe.is_some(), "--recipe"),
            (self.weights.is_some(), "--weights"),
            (!self.keep.is_empty(), "--keep"),
            (self.observer.is_some(), "--observer"),
            (self.no_equalize, "--no-equalize"),
            (self.no_bias_correction, "--no-bias-correction"),
            (self.adaptive_rounding, "--adaptive-rounding"),
            (self.dynamic, "--dynamic"),
            (self.float_io, "--float-io"),
        ];
        options.into_iter().find_map(|(given, name)| given.then_some(name))
    }

    /// What uint8 values stand for.
    pub(super) fn pixels(&self) -> &PixelArguments {
        &self.pixels
    }

    /// The recipe with what the options say.
    pub(super) fn recipe(&self) -> anyhow::Result<Recipe> {
        let mut recipe = self.recipe.as_deref().map_or_else(|| Ok(Recipe::default()), read_recipe)?;
        if let Some(width) = self.weights {
            recipe.weights = width;
        }
        recipe.keep.extend(self.keep.iter().cloned());
        if let Some(observer) = self.observer {
            recipe.observer = observer;
        }
        if self.dynamic {
            recipe.activations = Activations::Dynamic;
        }
        recipe.equalize &= !self.no_equalize;
        recipe.bias_correction &= !self.no_bias_correction;
        recipe.adaptive_rounding |= self.adaptive_rounding;
        recipe.float_io |= self.float_io;
        Ok(recipe)
    }

    /// What `model` is calibrated on. `path` names the model in messages.
    pub(super) fn samples(
        &self,
        recipe: &Recipe,
        path: &Path,
        model: &FloatModel,
    ) -> anyhow::Result<Vec<Sample>> {
        if self.calibrate.is_empty() {
            if layers::needs_ranges(model.graph(), recipe)? {
                bail!(
                    "{}: a float model; give typical inputs to find the ranges of its activations with: \
                     --calibrate PATH (.npy, .npz, IDX, a folder of pictures){}",
                    path.display(),
                    dynamic_hint(model)
                );
            }
            return Ok(Vec::new());
        }
        let feed = self.feed(model)?.spread(self.calibration_samples);
        Ok(model.samples(&feed.bytes)?)
    }

    fn feed(&self, model: &FloatModel) -> anyhow::Result<Feed> {
        let given =
            self.calibrate.iter().map(|values| values.given(samples::read)).collect::<Result<_, _>>()?;
        Ok(feed::feed(model.inputs(), given, &self.pixels.pixels())?)
    }
}

fn dynamic_hint(model: &FloatModel) -> &'static str {
    let has_fully_connected = model.node_outputs().iter().any(|output| output.operator == "FullyConnected");
    if has_fully_connected { "; or quantize fully connected layers at run time: --dynamic" } else { "" }
}

fn read_recipe(path: &Path) -> anyhow::Result<Recipe> {
    let text = String::from_utf8(io::read(path)?)
        .with_context(|| format!("{}: a recipe is text, in UTF-8", path.display()))?;
    Recipe::from_toml(&text).with_context(|| format!("{}: not a recipe", path.display()))
}

/// Shows where quantization stands.
pub(super) fn show(bar: &ProgressBar, progress: Progress) {
    let stage = match progress.stage {
        Stage::Calibrating => "calibrating",
        Stage::Averaging => "correcting biases",
        Stage::Rounding => "rounding weights",
    };
    progress::show(bar, stage, progress.done, progress.total);
}

/// The lines of a report that tell of quantization.
pub(super) fn summary(report: &Report) -> String {
    let mut widths: Vec<(&str, usize)> = Vec::new();
    for layer in &report.layers {
        match widths.iter_mut().find(|(width, _)| *width == layer.weights) {
            Some((_, layers)) => *layers += 1,
            None => widths.push((layer.weights, 1)),
        }
    }
    let widths: Vec<String> = widths.iter().map(|(width, layers)| format!("{layers} {width}")).collect();
    let text = format!("{} layers: {}", report.layers.len(), widths.join(", "));
    let warnings = report.warnings.iter().map(|warning| line("warning", warning));
    line("quantized", text) + &warnings.collect::<String>()
}

/// The table of layers.
pub(super) fn layers(report: &quantize::Report) -> String {
    let mut columns =
        Columns::new(&["operator", "weights", ">bytes", ">SQNR dB", ">least", ">greatest", "layer"]);
    for layer in &report.layers {
        let (low, high) = layer
            .range
            .map_or_else(|| ("-".to_owned(), "-".to_owned()), |r| (short(r.low()), short(r.high())));
        columns.row([
            layer.operator.to_owned(),
            layer.weights.to_owned(),
            count(layer.weight_bytes),
            layer.weight_sqnr_db.map_or_else(|| "exact".to_owned(), |ratio| format!("{ratio:.1}")),
            low,
            high,
            layer.name.clone(),
        ]);
    }
    format!("\n{}", columns.text())
}

fn short(value: f32) -> String {
    format!("{value:.3}")
}

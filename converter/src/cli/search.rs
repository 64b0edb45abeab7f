//! `secateur convert --scan` and `--max-drop`: what layers cost at each width, and the smallest model within a loss of
//! accuracy.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use indicatif::ProgressBar;
use secateur_converter::feed::{self, Given};
use secateur_converter::float::Sample;
use secateur_converter::io::dataset::DatasetError;
use secateur_converter::io::input::Input;
use secateur_converter::io::{atomic, dataset, samples};
use secateur_converter::pipeline::Options;
use secateur_converter::quantize::{Prepared, Recipe};
use secateur_converter::search::{Meter, Progress, Stage, scan, smallest};
use secateur_converter::source::FloatModel;
use serde::Serialize;

use super::progress;
use super::table::{Columns, count, line, percent};
use super::values::{PixelArguments, positive};

/// How far accuracy may fall, and how it is measured.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Search of the smallest model")]
pub(super) struct SearchArguments {
    /// Choose the bits of each layer's weights: the smallest model that loses at most this much accuracy against the
    /// float model, in points of percent.
    #[arg(long, value_name = "POINTS%", value_parser = points, requires = "evaluate")]
    max_drop: Option<f64>,
    /// Measure each layer at each width, the others at int8: what accuracy it costs, or without labels what error.
    #[arg(long, requires = "evaluate")]
    scan: bool,
    /// What is measured on: a data set as for `secateur evaluate`, and not the one that you test with; for --scan also
    /// samples without labels.
    #[arg(long, value_name = "PATH")]
    evaluate: Option<PathBuf>,
    /// Measure on N samples, taken evenly from all.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = positive)]
    evaluation_samples: usize,
    /// Also write the recipe that was found, to look at or to use again.
    #[arg(long, value_name = "R.toml", requires = "max_drop")]
    save_recipe: Option<PathBuf>,
}

/// `1`, `1%` or `0.5 %`
fn points(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
    match number {
        Ok(points) if (0.0..=100.0).contains(&points) => Ok(points),
        _ => Err(format!("`{text}` is not a share from 0 % to 100 %")),
    }
}

/// What a search found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SearchReport {
    /// Number of samples that accuracy was measured on.
    samples: usize,
    /// Accuracy of the float model on them; null without labels.
    float_accuracy: Option<f64>,
    /// What was found; null if nothing was searched.
    found: Option<Found>,
    /// Each layer at each width alone, the others int8.
    sensitivity: Vec<LayerReport>,
}

/// The smallest model within a loss of accuracy.
#[derive(Clone, Debug, Serialize)]
struct Found {
    /// Points of percent that may be lost.
    max_drop: f64,
    /// Its accuracy.
    accuracy: f64,
    /// Number of combinations of widths that were measured.
    combinations: usize,
}

/// One layer at one width.
#[derive(Clone, Debug, Serialize)]
struct LayerReport {
    /// The layer.
    layer: String,
    /// Width of its weights.
    weights: &'static str,
    /// Bytes that it saves against int8.
    bytes_saved: usize,
    /// Points of percent that the model loses against the float model; null without labels.
    drop: Option<f64>,
    /// Signal-to-error ratio of the model's outputs in decibels.
    sqnr_db: f64,
}

/// Samples on which each layer is measured alone.
const SCAN_SAMPLES: usize = 250;

impl SearchArguments {
    /// What was asked for: the recipe, another one where a search found it, and what was measured.
    pub(super) fn run(
        &self,
        model: &FloatModel,
        calibration: &[Sample],
        recipe: Recipe,
        pixels: &PixelArguments,
        options: &Options,
    ) -> anyhow::Result<(Recipe, Option<SearchReport>)> {
        let Some(path) = &self.evaluate else { return Ok((recipe, None)) };
        ensure!(self.scan || self.max_drop.is_some(), "--evaluate is for --max-drop and --scan");
        let (tests, labels) = self.read(path, model, pixels)?;
        let meter = Meter::new(model.graph(), &tests, labels.as_deref(), options.clone(), || ())?;
        let prepared = Prepared::new(model.graph().clone(), calibration, &recipe, &|_| ())?;
        let bar = progress::steps();
        let mut on_progress = |progress| show(&bar, progress);
        let (recipe, sensitivity, found) = match self.max_drop {
            Some(max_drop) => {
                let found = smallest(&prepared, &recipe, &meter, max_drop, SCAN_SAMPLES, &mut on_progress)
                    .context("no model can be found")?;
                let accuracy = found.measurement.accuracy.unwrap_or_default();
                let report = Found { max_drop, accuracy, combinations: found.steps.len() };
                (found.recipe, found.sensitivity, Some(report))
            }
            None => {
                let sensitivity = scan(&prepared, &recipe, &meter, &mut on_progress)?;
                (recipe, sensitivity, None)
            }
        };
        bar.finish_and_clear();
        if let Some(path) = &self.save_recipe {
            atomic::write(path, recipe.to_toml().as_bytes())?;
        }
        let layers = sensitivity.layers.iter().map(|layer| LayerReport {
            layer: layer.layer.clone(),
            weights: layer.weights.name(),
            bytes_saved: layer.bytes_saved,
            drop: layer.measurement.drop,
            sqnr_db: layer.measurement.sqnr_db,
        });
        let report = SearchReport {
            samples: meter.samples(),
            float_accuracy: meter.float_accuracy(),
            found,
            sensitivity: layers.collect(),
        };
        Ok((recipe, Some(report)))
    }

    /// Samples taken evenly from what the path holds, and their classes if it knows them.
    fn read(
        &self,
        path: &Path,
        model: &FloatModel,
        pixels: &PixelArguments,
    ) -> anyhow::Result<(Vec<Sample>, Option<Vec<usize>>)> {
        let (input, labels) = match dataset::read(path, None) {
            Ok(dataset) => (Input::Array(dataset.samples), Some(dataset.labels)),
            Err(DatasetError::NoPair { .. }) if self.max_drop.is_none() => (samples::read(path)?, None),
            Err(error) => return Err(error.into()),
        };
        let given = Given { name: None, origin: path.display().to_string(), input };
        let feed = feed::feed(model.inputs(), vec![given], &pixels.pixels())?;
        let (all, wanted) = (feed.vectors, self.evaluation_samples.min(feed.vectors));
        let labels = labels.map(|labels| (0..wanted).map(|index| labels[index * all / wanted]).collect());
        Ok((model.samples(&feed.spread(wanted).bytes)?, labels))
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    let stage = match progress.stage {
        Stage::Scanning => "measuring layers",
        Stage::Combining => "measuring combinations",
    };
    progress::show(bar, stage, progress.done, progress.total);
}

impl SearchReport {
    /// The line of a report; nothing if nothing was searched.
    pub(super) fn summary(&self) -> String {
        let (Some(found), Some(float_accuracy)) = (&self.found, self.float_accuracy) else {
            return String::new();
        };
        line(
            "searched",
            format!(
                "{} combinations on {} samples: {} of them right, the float model {}",
                found.combinations,
                count(self.samples),
                percent(found.accuracy),
                percent(float_accuracy)
            ),
        )
    }

    /// What each layer costs at each width.
    pub(super) fn layers(&self) -> String {
        let mut columns = Columns::new(&["weights", ">bytes saved", ">points lost", ">SQNR dB", "layer"]);
        for layer in &self.sensitivity {
            columns.row([
                layer.weights.to_owned(),
                count(layer.bytes_saved),
                layer.drop.map_or_else(|| "-".to_owned(), |points| format!("{points:.2}")),
                format!("{:.1}", layer.sqnr_db),
                layer.layer.clone(),
            ]);
        }
        format!("\neach layer alone, the others int8\n\n{}", columns.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_shares_in_percent() {
        assert_eq!(points("1%"), Ok(1.0));
        assert_eq!(points("0.5 %"), Ok(0.5));
        assert_eq!(points("3"), Ok(3.0));
        for wrong in ["-1", "101%", "a", ""] {
            assert!(points(wrong).is_err(), "{wrong}");
        }
    }
}

//! `secateur convert --max-drop`: the smallest model within a loss of accuracy.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use secateur_converter::feed::{self, Given};
use secateur_converter::float::Sample;
use secateur_converter::io::input::Input;
use secateur_converter::io::{atomic, dataset};
use secateur_converter::pipeline::Options;
use secateur_converter::quantize::{Prepared, Recipe};
use secateur_converter::search::{Meter, Progress, Stage, smallest};
use secateur_converter::source::FloatModel;
use serde::Serialize;

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
    /// The data set that accuracy is measured on: as for `secateur evaluate`, and not the one that you test with.
    #[arg(long, value_name = "PATH", requires = "max_drop")]
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
    /// Accuracy of the float model on them.
    float_accuracy: f64,
    /// Accuracy of the model that was found.
    accuracy: f64,
    /// Points of percent that may be lost.
    max_drop: f64,
    /// Number of models that were measured in all.
    combinations: usize,
    /// Each layer at each width alone, the others int8.
    sensitivity: Vec<LayerReport>,
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
    /// Points of percent that the model loses against the float model.
    drop: f64,
}

/// Samples on which each layer is measured alone.
const SCAN_SAMPLES: usize = 250;

impl SearchArguments {
    /// The recipe that is found, where a search is asked for. `path` names the model in messages.
    pub(super) fn find(
        &self,
        model: &FloatModel,
        samples: &[Sample],
        recipe: &Recipe,
        pixels: &PixelArguments,
        options: &Options,
    ) -> anyhow::Result<Option<(Recipe, SearchReport)>> {
        let (Some(max_drop), Some(path)) = (self.max_drop, &self.evaluate) else { return Ok(None) };
        let (tests, labels) = self.read(path, model, pixels)?;
        let meter = Meter::new(model.graph(), &tests, Some(&labels), options.clone(), || ())?;
        let prepared = Prepared::new(model.graph().clone(), samples, recipe, &|_| ())?;
        let bar = bar();
        let found = smallest(&prepared, recipe, &meter, max_drop, SCAN_SAMPLES, &mut |progress| {
            show(&bar, progress);
        })
        .context("no model can be found")?;
        bar.finish_and_clear();
        if let Some(path) = &self.save_recipe {
            atomic::write(path, found.recipe.to_toml().as_bytes())?;
        }
        let layers = found.sensitivity.layers.iter().map(|layer| LayerReport {
            layer: layer.layer.clone(),
            weights: layer.weights.name(),
            bytes_saved: layer.bytes_saved,
            drop: layer.measurement.drop.unwrap_or_default(),
        });
        let report = SearchReport {
            samples: meter.samples(),
            float_accuracy: meter.float_accuracy().unwrap_or_default(),
            accuracy: found.measurement.accuracy.unwrap_or_default(),
            max_drop,
            combinations: found.steps.len(),
            sensitivity: layers.collect(),
        };
        Ok(Some((found.recipe, report)))
    }

    fn read(
        &self,
        path: &Path,
        model: &FloatModel,
        pixels: &PixelArguments,
    ) -> anyhow::Result<(Vec<Sample>, Vec<usize>)> {
        let dataset = dataset::read(path, None)?;
        let origin = path.display().to_string();
        let given = Given { name: None, origin, input: Input::Array(dataset.samples) };
        let feed = feed::feed(model.inputs(), vec![given], &pixels.pixels())?;
        let (all, wanted) = (feed.vectors, self.evaluation_samples.min(feed.vectors));
        let labels = (0..wanted).map(|index| dataset.labels[index * all / wanted]).collect();
        Ok((model.samples(&feed.spread(wanted).bytes)?, labels))
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}, {eta} left");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(match progress.stage {
        Stage::Scanning => "measuring layers",
        Stage::Combining => "measuring combinations",
    });
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}

impl SearchReport {
    /// The line of a report.
    pub(super) fn summary(&self) -> String {
        let Self { samples, float_accuracy, accuracy, combinations, .. } = self;
        line(
            "searched",
            format!(
                "{combinations} combinations on {} samples: {} of them right, the float model {}",
                count(*samples),
                percent(*accuracy),
                percent(*float_accuracy)
            ),
        )
    }

    /// What each layer costs at each width.
    pub(super) fn layers(&self) -> String {
        let mut columns = Columns::new(&["weights", ">bytes saved", ">points lost", "layer"]);
        for layer in &self.sensitivity {
            columns.row([
                layer.weights.to_owned(),
                count(layer.bytes_saved),
                format!("{:.2}", layer.drop),
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

//! What channel folding did, in print.

use secateur_converter::passes::fold_constant_channels::{Change, FoldedLayer, Folding};
use serde::Serialize;

use super::table::{Columns, count, grouped, line};

/// What channel folding did, and why no output changes by it.
#[derive(Debug, Serialize)]
pub(super) struct FoldingReport {
    /// Output channels left out, in all layers.
    channels: usize,
    #[serde(flatten)]
    folding: Folding,
    /// Why that is exact.
    reason: &'static str,
}

impl FoldingReport {
    pub(super) fn new(folding: Folding) -> Self {
        Self { channels: folding.channels(), folding, reason: Folding::REASON }
    }

    /// What was done, in a few lines.
    pub(super) fn summary(&self) -> String {
        let FoldingReport { channels, folding, reason } = self;
        let Change { before, after } = folding.total;
        if folding.layers.is_empty() {
            return line("folded", "nothing: every channel depends on the input and is read");
        }
        let plural = if *channels == 1 { "" } else { "s" };
        let layers = folding.layers.len();
        let what = format!("{} channel{plural}; {layers} layers are smaller", count(*channels));
        let macs =
            format!("{} multiply-accumulates before, {} after", grouped(before.macs), grouped(after.macs));
        let weights = format!("{} weights before, {} after", grouped(before.weights), grouped(after.weights));
        [line("folded", what), line("", macs), line("", weights), line("exact", reason)].concat()
    }

    /// The layers that lost channels, one per line.
    pub(super) fn layers(&self) -> String {
        let layers = &self.folding.layers;
        if layers.is_empty() {
            return String::new();
        }
        let mut columns = Columns::new(&["folded", ">inputs", ">outputs", ">weights", ">MACs", "name"]);
        let change = |before: u64, after: u64| match before == after {
            true => grouped(before),
            false => format!("{} > {}", grouped(before), grouped(after)),
        };
        for FoldedLayer { name, kind, inputs, outputs, size } in layers {
            columns.row([
                (*kind).to_owned(),
                change(inputs.before as u64, inputs.after as u64),
                change(outputs.before as u64, outputs.after as u64),
                change(size.before.weights, size.after.weights),
                change(size.before.macs, size.after.macs),
                name.clone(),
            ]);
        }
        "\n".to_owned() + &columns.text()
    }
}

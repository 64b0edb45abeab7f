//! `secateur inspect`: what a model consists of.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use secateur_converter::core::Core;
use secateur_converter::cost::{Forecast, Table};
use secateur_converter::describe::{self, Description, FloatDescription, Operator};
use secateur_converter::ir::shape::Dimensions;
use secateur_converter::ir::text;
use secateur_converter::open::{self, OpenError, OpenFloat, Opened};
use secateur_converter::pipeline::Options;
use secateur_converter::port::{self, Port};
use secateur_converter::source::{Foreign, Network, SourceError, SourceModel};
use serde::Serialize;

use super::Outcome;
use super::convert::core_parser;
use super::report::Output;
use super::source::SourceArguments;
use super::table::{Columns, count, digits, grouped, line, percent, short_name};

/// Show what a model consists of: operators, shapes, weights, work, memory.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A .sct file, or a source model: a quantized one is converted in memory, a float one shown as it is.
    file: PathBuf,
    /// Also draw the memory plan: where each tensor lies, and when.
    #[arg(long, conflicts_with = "graph")]
    plan: bool,
    /// Also estimate cycles per operator, from what the profiler measured on this core (cortex-m4 unless named).
    #[arg(long, value_name = "CORE", num_args = 0..=1, require_equals = true, conflicts_with = "graph")]
    #[arg(default_missing_value = Core::CortexM4.name(), value_parser = core_parser())]
    cycles: Option<Core>,
    /// Print the graph of a source model in its textual form instead.
    #[arg(long)]
    graph: bool,
    #[command(flatten)]
    source: SourceArguments,
}

#[derive(Debug, Serialize)]
struct Report {
    /// The file that was read.
    file: PathBuf,
    #[serde(flatten)]
    description: Description,
    /// A drawing of the memory plan, if it was asked for.
    plan: Option<String>,
    /// Estimated cycles, if they were asked for.
    cycles: Option<Forecast>,
}

#[derive(Debug, Serialize)]
struct FloatReport {
    /// The file that was read.
    file: PathBuf,
    #[serde(flatten)]
    description: FloatDescription,
}

#[derive(Debug, Serialize)]
struct GraphReport {
    /// The file that was read.
    file: PathBuf,
    /// The graph in its textual form.
    graph: String,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output<'_>) -> anyhow::Result<Outcome> {
    if arguments.graph {
        let report = GraphReport { file: arguments.file.clone(), graph: graph(arguments)? };
        return output.write("inspect", &report, |report| report.graph.clone());
    }
    let options = Options { core: arguments.cycles.unwrap_or_default(), ..Options::default() };
    let opened = match open::open(&arguments.file, &arguments.source.options(), &options)? {
        Opened::Runtime(opened) => opened,
        Opened::Float(float) => return inspect_float(arguments, &float, output),
    };
    let model = opened.model()?;
    let plan = arguments.plan.then(|| describe::drawing(model.tables())).transpose()?;
    let description = Description::of(&model);
    let table = arguments.cycles.map(table_for).transpose()?;
    let cycles = table.map(|table| Forecast::new(&model, &description, table));
    let report = Report { file: arguments.file.clone(), description, plan, cycles };
    output.write("inspect", &report, text_of)
}

fn inspect_float(
    arguments: &Arguments,
    float: &OpenFloat,
    output: &mut Output<'_>,
) -> anyhow::Result<Outcome> {
    if arguments.plan || arguments.cycles.is_some() {
        return Err(OpenError::NotConverted { path: arguments.file.clone() }.into());
    }
    let report =
        FloatReport { file: arguments.file.clone(), description: FloatDescription::of(&float.model) };
    output.write("inspect", &report, float_text)
}

fn float_text(FloatReport { file, description }: &FloatReport) -> String {
    let FloatDescription { inputs, outputs, operators, parameters, macs, .. } = description;
    let mut text = line("model", format!("{} (float)", file.display()));
    for (label, ports) in [("input", inputs), ("output", outputs)] {
        text.extend(ports.iter().map(|port| line(label, port_line(port))));
    }
    let mut columns = Columns::new(&[">#", "operator", "output", ">parameters", ">MACs", "layer"]);
    for operator in operators {
        columns.row([
            operator.index.to_string(),
            operator.kind.to_owned(),
            Dimensions(&operator.shape).to_string(),
            if operator.parameters == 0 { String::new() } else { count(operator.parameters) },
            operator.macs.map(grouped).unwrap_or_default(),
            operator.name.clone(),
        ]);
    }
    columns.row(["", "total", "", &count(*parameters), &grouped(*macs), ""]);
    text + "\n" + &columns.text()
}

fn table_for(core: Core) -> anyhow::Result<&'static Table> {
    let known: Vec<&str> = Table::cores().map(Core::name).collect();
    let error = || format!("no cycles are known of {core}; they are of {}", known.join(", "));
    Table::for_core(core).with_context(error)
}

/// Elements of a constant that are printed.
const LONGEST_CONSTANT: usize = 16;

fn graph(arguments: &Arguments) -> anyhow::Result<String> {
    let path = &arguments.file;
    let source = match SourceModel::read(path, &arguments.source.options()) {
        Ok(source) => source,
        Err(SourceError::Foreign(Foreign::Sct)) => {
            anyhow::bail!("{}: a .sct file holds no graph; give the source model", path.display());
        }
        Err(source) => return Err(OpenError::Source { path: path.clone(), source }.into()),
    };
    Ok(match source.network {
        Network::Quantized(graph) => text::print(&graph, LONGEST_CONSTANT),
        Network::Float(graph) => text::print(&graph, LONGEST_CONSTANT),
    })
}

fn text_of(report: &Report) -> String {
    let Report { description, plan, cycles, .. } = report;
    let mut text = heading(report);
    for (label, ports) in [("input", &description.inputs), ("output", &description.outputs)] {
        for port in ports {
            text += &line(label, port_line(port));
        }
    }
    text.push('\n');
    text += &operators(description);
    text.push('\n');
    text += &sizes(description);
    if let Some(cycles) = cycles {
        text.push('\n');
        text += &cycles_text(description, cycles);
    }
    if let Some(plan) = plan {
        text.push('\n');
        text += plan;
    }
    text
}

fn heading(report: &Report) -> String {
    let Description { name, format_version, converter, source, source_crc32, .. } = &report.description;
    let origin = match (source, source_crc32) {
        (Some(source), Some(crc32)) => format!(" from {source} (CRC-32 {crc32:08x})"),
        _ => String::new(),
    };
    let writer = if converter.is_empty() { "an unknown program" } else { converter };
    [
        line("model", if name.is_empty() { "(without a name)" } else { name }),
        line("made by", format!("{writer}{origin}")),
        line("format", format!(".sct {format_version}")),
    ]
    .concat()
}

fn port_line(port: &Port) -> String {
    let quantization = match (port.scale, port.zero_point) {
        (Some(scale), Some(zero_point)) => {
            format!(", scale {}, zero point {zero_point}", digits(scale.into()))
        }
        _ => String::new(),
    };
    format!("{} {}{quantization}", short_name(&port.name, 40), port.format())
}

/// One line per operator, and their sum.
fn operators(description: &Description) -> String {
    let headings =
        [">#", "operator", "output", "format", "packing", ">weights", ">zeros", ">work", ">scratch", "name"];
    let mut columns = Columns::new(&headings);
    for operator in &description.operators {
        columns.row(row(operator));
    }
    let totals = &description.totals;
    let work = grouped(totals.work);
    columns.row(["", "total", "", "", "", &count(totals.weight_bytes), "", &work, "", ""]);
    columns.text()
}

fn row(operator: &Operator) -> [String; 10] {
    let output = operator.outputs.first();
    let weights = operator.weights.as_ref();
    let zeros = weights.map(|weights| percent(weights.zeros as f64 / weights.count.max(1) as f64));
    let shape = output.map(|port| Dimensions(&port.shape).to_string());
    [
        operator.index.to_string(),
        operator.kind.to_owned(),
        shape.unwrap_or_default(),
        output.map(|port| port::dtype_name(port.dtype).to_owned()).unwrap_or_default(),
        weights.map(|weights| weights.packing.clone()).unwrap_or_default(),
        weights.map(|weights| count(weights.bytes)).unwrap_or_default(),
        zeros.unwrap_or_default(),
        grouped(operator.work),
        if operator.scratch_bytes == 0 { String::new() } else { grouped(operator.scratch_bytes) },
        operator.name.clone(),
    ]
}

/// One line per operator with its estimated cycles, and their sum.
fn cycles_text(description: &Description, forecast: &Forecast) -> String {
    let mut columns = Columns::new(&[">#", "operator", ">MACs", ">cycles", ">per MAC", ">share", "name"]);
    let number = |number: Option<u64>| number.map_or_else(|| "unknown".to_owned(), grouped);
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    for (operator, own) in description.operators.iter().zip(&forecast.operators) {
        columns.row([
            operator.index.to_string(),
            operator.kind.to_owned(),
            operator.macs.map(grouped).unwrap_or_default(),
            number(own.cycles),
            ratio(own.cycles_per_mac),
            own.share.map(percent).unwrap_or_default(),
            operator.name.clone(),
        ]);
    }
    let engine = ["", "engine", "", &grouped(forecast.overhead), "", "", ""];
    columns.row(engine);
    let (macs, total) = (grouped(description.totals.macs), number(forecast.total));
    columns.row(["", "total", &macs, &total, &ratio(forecast.cycles_per_mac), "", ""]);
    let note = format!("estimated for {}, from runs in an emulator (docs/cycles.md)", forecast.core);
    line("cycles", note) + "\n" + &columns.text()
}

fn sizes(description: &Description) -> String {
    let Description { totals, arena, .. } = description;
    let records = totals.file_bytes.saturating_sub(totals.constant_bytes);
    let bound = match (arena.lower_bound, arena.excess_percent) {
        (Some(bound), Some(excess)) => format!("; lower bound {}, excess {excess:.2} %", grouped(bound)),
        _ => String::new(),
    };
    let others = totals.constant_bytes.saturating_sub(totals.weight_bytes);
    [
        line("arena", format!("{} bytes{bound}", count(arena.bytes))),
        line(
            "file",
            format!(
                "{} bytes: weights {}, other constants {}, records and metadata {}",
                count(totals.file_bytes),
                count(totals.weight_bytes),
                count(others),
                count(records)
            ),
        ),
        line(
            "work",
            format!("{} steps, of which {} multiply-accumulates", grouped(totals.work), grouped(totals.macs)),
        ),
    ]
    .concat()
}

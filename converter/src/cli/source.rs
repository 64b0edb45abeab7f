//! What the command line says of a source model that its file does not say itself.

use std::path::PathBuf;

use clap::Args;
use secateur_converter::source::SourceOptions;

/// What a source model's file leaves open.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SourceArguments {
    /// Shape of an input whose dimensions the source model leaves open.
    #[arg(long, value_name = "NAME=1,3,96,96", value_parser = shape)]
    shape: Vec<(String, Vec<usize>)>,
    /// Description of the network (.toml) whose weights a .pt or .safetensors file holds
    /// (docs/architecture-toml.md).
    #[arg(long, value_name = "NET.toml")]
    architecture: Option<PathBuf>,
    /// Weights (.pt, .pth, .safetensors) that take the place of those in an .onnx file, by their names.
    #[arg(long, value_name = "WEIGHTS", conflicts_with = "architecture")]
    with_weights: Option<PathBuf>,
}

impl SourceArguments {
    pub(super) fn options(&self) -> SourceOptions {
        SourceOptions {
            shapes: self.shape.iter().cloned().collect(),
            architecture: self.architecture.clone(),
            weights: self.with_weights.clone(),
        }
    }
}

/// `image=1,3,96,96`
fn shape(text: &str) -> Result<(String, Vec<usize>), String> {
    let (name, dimensions) = text.rsplit_once('=').ok_or("NAME=1,3,96,96 is expected")?;
    let dimension = |text: &str| match text.trim().parse() {
        Ok(0) | Err(_) => Err(format!("`{text}` is not a dimension: whole numbers above 0 are expected")),
        Ok(number) => Ok(number),
    };
    let dimensions = dimensions.split([',', 'x']).map(dimension).collect::<Result<_, _>>()?;
    if name.is_empty() {
        Err("the input's name is missing".to_owned())
    } else {
        Ok((name.to_owned(), dimensions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_a_name_and_dimensions() {
        assert_eq!(shape("image=1,3,96,96"), Ok(("image".to_owned(), vec![1, 3, 96, 96])));
        assert_eq!(shape("a=b=1x2"), Ok(("a=b".to_owned(), vec![1, 2])));
        for wrong in ["1,2", "=1", "a=0", "a=1,,2", "a=-1"] {
            assert!(shape(wrong).is_err(), "{wrong}");
        }
    }
}

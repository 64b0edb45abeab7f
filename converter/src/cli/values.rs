//! Input values given on the command line.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use secateur_converter::feed::{self, Feed, Given, Layout, Pixels};
use secateur_converter::io::input::{self, Input};
use secateur_converter::port::Port;

/// What uint8 values stand for.
#[derive(Clone, Debug, Args)]
pub(super) struct PixelArguments {
    /// uint8 values are pixels: they stand for (pixel - MEAN) x SCALE. Numbers, products or fractions; one for all
    /// channels, or one per channel with commas between.
    #[arg(long, value_name = "SCALE", default_value = "1/255", value_parser = product, value_delimiter = ',')]
    scale: Vec<f32>,
    /// The pixel value that stands for 0, as 0.485*255; one for all channels, or one per channel.
    #[arg(
        long, value_name = "MEAN", default_value = "0", value_parser = product, value_delimiter = ',',
        allow_negative_numbers = true
    )]
    mean: Vec<f32>,
    /// Order of the axes of images: auto takes them as the model has them, or turns them if they fit channels first.
    #[arg(long, value_enum, default_value_t = LayoutArgument::Auto)]
    layout: LayoutArgument,
}

/// See [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LayoutArgument {
    Auto,
    Nhwc,
    Nchw,
}

impl PixelArguments {
    pub(super) fn pixels(&self) -> Pixels {
        let layout = match self.layout {
            LayoutArgument::Auto => Layout::Auto,
            LayoutArgument::Nhwc => Layout::Nhwc,
            LayoutArgument::Nchw => Layout::Nchw,
        };
        Pixels { scale: self.scale.clone(), mean: self.mean.clone(), layout }
    }
}

/// `0.0039`, `1/255` or `0.485*255`, from left to right.
fn product(text: &str) -> Result<f32, String> {
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a number"));
    let mut value = 1.0;
    let mut rest = text;
    let mut multiply = true;
    loop {
        let end = rest.find(['*', '/']).unwrap_or(rest.len());
        let factor = number(&rest[..end])?;
        value = if multiply { value * factor } else { value / factor };
        let Some(operator) = rest[end..].chars().next() else { break };
        multiply = operator == '*';
        rest = &rest[end + 1..];
    }
    let value = value as f32;
    if value.is_finite() { Ok(value) } else { Err(format!("`{text}` is not a finite number")) }
}

/// A whole number above 0.
pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("`{text}` is not a whole number above 0")),
        Ok(number) => Ok(number),
    }
}

/// A file of input values: `PATH`, or `NAME=PATH` for the input of that name.
#[derive(Clone, Debug)]
pub(super) struct Values {
    name: Option<String>,
    path: PathBuf,
}

impl std::str::FromStr for Values {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A file whose own name has an equals sign is a file nevertheless.
        Ok(match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !Path::new(text).exists() => {
                Self { name: Some(name.to_owned()), path: path.into() }
            }
            _ => Self { name: None, path: text.into() },
        })
    }
}

impl Values {
    /// What the file holds, as `read` reads it.
    pub(super) fn given<E>(&self, read: impl FnOnce(&Path) -> Result<Input, E>) -> Result<Given, E> {
        let Self { name, path } = self;
        Ok(Given { name: name.clone(), origin: path.display().to_string(), input: read(path)? })
    }
}

/// Reads the files and makes a model's input vectors of them.
pub(super) fn read(
    files: &[Values],
    inputs: &[Port],
    limit: Option<usize>,
    pixels: &PixelArguments,
) -> anyhow::Result<Feed> {
    let given = files.iter().map(|values| values.given(input::read)).collect::<Result<_, _>>()?;
    let feed = feed::feed(inputs, given, &pixels.pixels())?;
    Ok(match limit {
        Some(limit) => feed.first(limit),
        None => feed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_fractions_are_understood() {
        assert_eq!(product("1/255"), Ok(1.0 / 255.0));
        assert_eq!(product("-0.5"), Ok(-0.5));
        assert_eq!(product("0.5*255"), Ok(127.5));
        assert_eq!(product("1/4/0.5"), Ok(0.5));
        assert!(product("1/0").is_err());
        assert!(product("a/2").is_err());
        assert!(product("2*").is_err());
    }

    #[test]
    fn a_name_may_precede_a_path() {
        let parse = |text: &str| {
            let Ok(Values { name, path }) = text.parse::<Values>();
            (name, path)
        };
        assert_eq!(parse("x.npy"), (None, "x.npy".into()));
        assert_eq!(parse("input_1=x.npy"), (Some("input_1".to_owned()), "x.npy".into()));
    }
}

//! What a user asks of quantization: a TOML file, the same rules as options of the command line give them.
//!
//! `docs/recipe.md` describes the file.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::calibrate::Observer;
use crate::ir::DType;

/// Bits of the weights of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// `1bit`: -1 and 1.
    OneBit,
    /// `int4`: -8 to 7.
    Int4,
    /// `int8`: -127 to 127.
    #[default]
    Int8,
}

impl Width {
    /// Every width, the smallest first.
    pub const ALL: [Width; 3] = [Width::OneBit, Width::Int4, Width::Int8];

    /// The name: `int4`.
    pub const fn name(self) -> &'static str {
        match self {
            Width::OneBit => "1bit",
            Width::Int4 => "int4",
            Width::Int8 => "int8",
        }
    }

    /// Bits of one weight.
    pub const fn bits(self) -> usize {
        match self {
            Width::OneBit => 1,
            Width::Int4 => 4,
            Width::Int8 => 8,
        }
    }

    /// The element type of the weights in the graph.
    pub const fn dtype(self) -> DType {
        match self {
            Width::OneBit => DType::B1,
            Width::Int4 => DType::I4,
            Width::Int8 => DType::I8,
        }
    }

    /// Least and greatest stored weight.
    pub const fn bounds(self) -> (i8, i8) {
        match self {
            Width::OneBit => (-1, 1),
            Width::Int4 => (-8, 7),
            Width::Int8 => (-127, 127),
        }
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the activations that a layer reads and writes are quantized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activations {
    /// `int8`: by the ranges that calibration finds.
    #[default]
    Int8,
    /// `dynamic`: real numbers between layers; a fully connected layer quantizes its input at run time.
    Dynamic,
}

impl Activations {
    /// Both kinds.
    pub const ALL: [Activations; 2] = [Activations::Int8, Activations::Dynamic];

    /// The name: `dynamic`.
    pub const fn name(self) -> &'static str {
        match self {
            Activations::Int8 => "int8",
            Activations::Dynamic => "dynamic",
        }
    }
}

impl fmt::Display for Activations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text is none of some names.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{found}': {expected} expected")]
pub struct NameError {
    /// What was given.
    pub found: String,
    /// The names.
    pub expected: String,
}

fn by_name<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, NameError> {
    all.into_iter()
        .find(|&value| name(value) == text)
        .ok_or_else(|| NameError { found: text.to_owned(), expected: all.map(name).join(" or ") })
}

impl FromStr for Width {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        by_name(text, Width::ALL, Width::name)
    }
}

impl FromStr for Activations {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        by_name(text, Activations::ALL, Activations::name)
    }
}

/// By name.
impl Serialize for Width {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'d> Deserialize<'d> for Width {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// By name.
impl Serialize for Activations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'d> Deserialize<'d> for Activations {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How a model is to be quantized. The default: int8 throughout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// Width of the weights of layers that nothing else is said about.
    pub weights: Width,
    /// Layers that stay int8 whatever `weights` says: `first`, `last`, names, or patterns with `*` and `?`.
    pub keep: Vec<String>,
    /// How activations are quantized where nothing else is said.
    pub activations: Activations,
    /// How ranges follow from the values seen in calibration.
    pub observer: Observer,
    /// Whether weights are evened out between consecutive layers first.
    pub equalize: bool,
    /// Whether biases make up for the mean error of rounded weights.
    pub bias_correction: bool,
    /// Whether weights of few bits are rounded so that the layer's output, not each weight, comes nearest.
    pub adaptive_rounding: bool,
    /// Whether the model's inputs and outputs stay real numbers.
    pub float_io: bool,
    /// What is said about single layers, by name. It goes before everything else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub layer: BTreeMap<String, LayerRecipe>,
}

/// What a recipe says about one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerRecipe {
    /// Width of its weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Width>,
    /// How its activations are quantized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activations: Option<Activations>,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            weights: Width::Int8,
            keep: Vec::new(),
            activations: Activations::Int8,
            observer: Observer::default(),
            equalize: false,
            bias_correction: true,
            adaptive_rounding: false,
            float_io: false,
            layer: BTreeMap::new(),
        }
    }
}

/// Why a text is no recipe.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{message}")]
pub struct RecipeError {
    /// Line, column, what is wrong there and what is allowed.
    message: String,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// What is wrong, with its line and what is allowed there.
    pub fn from_toml(text: &str) -> Result<Recipe, RecipeError> {
        toml::from_str(text).map_err(|error| RecipeError { message: error.to_string().trim_end().to_owned() })
    }

    /// The recipe as a file.
    pub fn to_toml(&self) -> String {
        // Every value of this type has a form in TOML.
        toml::to_string(self).unwrap_or_default()
    }

    /// Splits what the option `--keep` gives: patterns with commas between them.
    pub fn keep_from(text: &str) -> Vec<String> {
        text.split(',')
            .map(|pattern| pattern.trim().to_owned())
            .filter(|pattern| !pattern.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_read() {
        let page = include_str!("../../../docs/recipe.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let recipe = Recipe::from_toml(example).unwrap();
        assert_eq!(recipe.weights, Width::Int4);
        assert_eq!(recipe.keep, ["first", "last", "block1/*"]);
        assert_eq!(recipe.observer, Observer::Percentile { percentile: 99.99 });
        assert_eq!(recipe.layer["head/fc"].activations, Some(Activations::Dynamic));
        assert_eq!(recipe.layer["block4/pointwise"].weights, Some(Width::OneBit));
        for key in [
            "weights",
            "keep",
            "activations",
            "observer",
            "equalize",
            "bias-correction",
            "adaptive-rounding",
            "float-io",
        ] {
            assert!(page.contains(&format!("| `{key}`")), "{key} is not documented");
        }
    }

    #[test]
    fn recipes_round_trip() {
        let mut recipe =
            Recipe { weights: Width::OneBit, keep: Recipe::keep_from("first, last,"), ..Recipe::default() };
        recipe
            .layer
            .insert("a \"b\"/c".to_owned(), LayerRecipe { weights: Some(Width::Int4), activations: None });
        assert_eq!(recipe.keep, ["first", "last"]);
        assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe));
        assert_eq!(Recipe::from_toml(""), Ok(Recipe::default()));
    }

    #[test]
    fn errors_say_where_and_what_is_allowed() {
        for (text, line, message) in [
            ("weight = \"int4\"", "line 1", "expected one of `weights`, `keep`"),
            ("\nweights = \"int3\"", "line 2", "'int3': 1bit or int4 or int8 expected"),
            ("[layer.\"x\"]\nbits = 4", "line 2", "unknown field `bits`"),
            ("observer = \"max\"", "line 1", "'max' is no observer: min-max"),
        ] {
            let error = Recipe::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains(message), "{error}");
        }
    }
}

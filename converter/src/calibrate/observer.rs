//! Which range a tensor's values are given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{Observed, Range, entropy, min_max, moving_average, mse, percentile};

/// How the range of a tensor follows from the values that it had.
///
/// As text: the name, a parameter after a colon: `percentile:99.99`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Observer {
    /// `min-max`: all values.
    #[default]
    MinMax,
    /// `moving-average`: an average over samples of their extremes.
    MovingAverage {
        /// Weight of the samples so far, 0 to 1.
        momentum: f32,
    },
    /// `percentile`: all but rare values.
    Percentile {
        /// The share that is within, in percent, above 50.
        percentile: f32,
    },
    /// `mse`: the least squared error of 8-bit values.
    Mse,
    /// `entropy`: the least information lost, as the Kullback-Leibler divergence.
    Entropy,
}

/// Weight of the samples so far, where it is not given.
const MOMENTUM: f32 = 0.9;

/// Percentile where it is not given.
const PERCENTILE: f32 = 99.99;

impl Observer {
    /// Every observer, with usual parameters.
    pub const ALL: [Observer; 5] = [
        Observer::MinMax,
        Observer::MovingAverage { momentum: MOMENTUM },
        Observer::Percentile { percentile: PERCENTILE },
        Observer::Mse,
        Observer::Entropy,
    ];

    /// Whether it looks at the distribution of the values.
    pub(super) const fn needs_histogram(self) -> bool {
        matches!(self, Observer::Percentile { .. } | Observer::Mse | Observer::Entropy)
    }

    /// The range of the values.
    pub(super) fn range(self, observed: &Observed) -> Range {
        match self {
            Observer::MinMax => min_max::range(observed),
            Observer::MovingAverage { momentum } => moving_average::range(observed, momentum),
            Observer::Percentile { percentile } => percentile::range(observed, percentile),
            Observer::Mse => mse::range(observed),
            Observer::Entropy => entropy::range(observed),
        }
    }
}

impl fmt::Display for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Observer::MinMax => f.write_str("min-max"),
            Observer::MovingAverage { momentum } => write!(f, "moving-average:{momentum}"),
            Observer::Percentile { percentile } => write!(f, "percentile:{percentile}"),
            Observer::Mse => f.write_str("mse"),
            Observer::Entropy => f.write_str("entropy"),
        }
    }
}

/// Why a text is no observer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ObserverError {
    /// No such name.
    #[error(
        "'{name}' is no observer: min-max, moving-average[:MOMENTUM], percentile[:PERCENT], mse or entropy"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// The parameter is not one.
    #[error("'{text}': {expected}")]
    Parameter {
        /// What was given.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
}

impl FromStr for Observer {
    type Err = ObserverError;

    fn from_str(text: &str) -> Result<Self, ObserverError> {
        let (name, parameter) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let number = |default: f32, expected: &'static str, valid: fn(f32) -> bool| {
            let Some(text) = parameter else { return Ok(default) };
            let number = text.parse().ok().filter(|&number| valid(number));
            number.ok_or_else(|| ObserverError::Parameter { text: text.to_owned(), expected })
        };
        let plain = |observer| match parameter {
            None => Ok(observer),
            Some(text) => Err(ObserverError::Parameter {
                text: text.to_owned(),
                expected: "this observer has no parameter",
            }),
        };
        match name {
            "min-max" => plain(Observer::MinMax),
            "moving-average" => {
                let expected = "the momentum of a moving average is at least 0 and below 1";
                number(MOMENTUM, expected, |momentum| (0.0..1.0).contains(&momentum))
                    .map(|momentum| Observer::MovingAverage { momentum })
            }
            "percentile" => {
                let expected = "a percentile is above 50 and at most 100";
                number(PERCENTILE, expected, |percentile| percentile > 50.0 && percentile <= 100.0)
                    .map(|percentile| Observer::Percentile { percentile })
            }
            "mse" => plain(Observer::Mse),
            "entropy" => plain(Observer::Entropy),
            _ => Err(ObserverError::Name { name: name.to_owned() }),
        }
    }
}

/// As text.
impl Serialize for Observer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'d> Deserialize<'d> for Observer {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for observer in Observer::ALL {
            assert_eq!(observer.to_string().parse(), Ok(observer));
        }
        assert_eq!("percentile".parse(), Ok(Observer::Percentile { percentile: 99.99 }));
        assert_eq!("percentile:99.9".parse(), Ok(Observer::Percentile { percentile: 99.9 }));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["minmax", "percentile:20", "percentile:x", "mse:3", "moving-average:1"] {
            assert!(text.parse::<Observer>().is_err(), "{text}");
        }
    }
}

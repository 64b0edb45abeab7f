//! The cores that models are converted for.

use std::fmt;

/// A Cortex-M core: decides which packings pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Core {
    /// Cortex-M0 and M0+ (Armv6-M).
    CortexM0,
    /// Cortex-M3 (Armv7-M).
    CortexM3,
    /// Cortex-M4 (Armv7E-M, DSP extension).
    #[default]
    CortexM4,
    /// Cortex-M7 (Armv7E-M, DSP extension).
    CortexM7,
    /// Cortex-M33 (Armv8-M with the DSP extension).
    CortexM33,
    /// Cortex-M55 (Armv8.1-M with Helium).
    CortexM55,
}

impl Core {
    /// Every core.
    pub const ALL: [Self; 6] =
        [Self::CortexM0, Self::CortexM3, Self::CortexM4, Self::CortexM7, Self::CortexM33, Self::CortexM55];

    /// `cortex-m4` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CortexM0 => "cortex-m0",
            Self::CortexM3 => "cortex-m3",
            Self::CortexM4 => "cortex-m4",
            Self::CortexM7 => "cortex-m7",
            Self::CortexM33 => "cortex-m33",
            Self::CortexM55 => "cortex-m55",
        }
    }

    /// `m4` and so on.
    pub fn short_name(self) -> &'static str {
        self.name().trim_start_matches("cortex-")
    }

    /// The core with this name, long or short.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|core| [core.name(), core.short_name()].contains(&name))
    }

    /// Whether the runtime has kernels with dual 16-bit multiply-accumulates for it.
    pub const fn has_dsp(self) -> bool {
        matches!(self, Self::CortexM4 | Self::CortexM7 | Self::CortexM33)
    }
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_long_and_short() {
        for core in Core::ALL {
            assert_eq!(Core::from_name(core.name()), Some(core));
        }
        assert_eq!(Core::from_name("m33"), Some(Core::CortexM33));
        assert_eq!(Core::from_name("m"), None);
    }
}

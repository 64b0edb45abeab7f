//! Numbers as text without `core::fmt`, whose code would be the largest part of a small firmware.

/// Gives the digits of `value` to `write`, one by one, without leading zeros.
pub(crate) fn write<const BASE: u32>(mut value: u32, mut write: impl FnMut(&str)) {
    const DIGITS: &str = "0123456789abcdef";
    // Ten digits hold every 32-bit number in base ten, eight in base sixteen.
    let mut reversed = [0_usize; 10];
    let mut count = 0;
    for slot in &mut reversed {
        *slot = (value % BASE) as usize;
        value /= BASE;
        count += 1;
        if value == 0 {
            break;
        }
    }
    for &digit in reversed.iter().take(count).rev() {
        write(DIGITS.get(digit..=digit).unwrap_or("?"));
    }
}

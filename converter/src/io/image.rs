//! Pictures: PNG, JPEG, BMP and PNM as arrays of pixels.

use std::io::Cursor;

use image::{ColorType, DynamicImage, ImageFormat, ImageReader};
use thiserror::Error;

use super::{Array, Elements};

/// Why a picture cannot be used.
#[derive(Debug, Error)]
pub enum ImageError {
    /// The file is damaged, or of a kind that is not read.
    #[error("not a picture that can be read (PNG, JPEG, BMP, PNM)")]
    Decode(#[from] image::ImageError),
}

/// The most that a picture may take when it is unpacked, in bytes: beyond any input of a microcontroller.
const MOST_BYTES: u64 = 64 << 20;

/// Endings of the names of pictures, in lower case.
pub const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "bmp", "pgm", "ppm", "pnm"];

/// Whether the bytes begin like a picture.
pub fn looks_like(bytes: &[u8]) -> bool {
    image::guess_format(bytes).is_ok_and(|format| {
        matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp | ImageFormat::Pnm)
    })
}

/// Reads a picture as uint8 of shape `[height, width, channels]`: one channel if it is grey, else red, green and blue.
/// Transparency is dropped, 16 bits become 8.
///
/// # Errors
/// If the bytes are no picture, or one that would take more than 64 MB.
pub fn read(bytes: &[u8]) -> Result<Array, ImageError> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(image::ImageError::from)?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let picture: DynamicImage = reader.decode()?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let is_grey =
        matches!(picture.color(), ColorType::L8 | ColorType::L16 | ColorType::La8 | ColorType::La16);
    let (channels, pixels) =
        if is_grey { (1, picture.into_luma8().into_raw()) } else { (3, picture.into_rgb8().into_raw()) };
    Ok(Array { shape: vec![height, width, channels], elements: Elements::U8(pixels) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(picture: DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn grey_and_coloured_pictures_have_one_and_three_channels() {
        let grey = image::GrayImage::from_raw(3, 2, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let bytes = png(grey.into());
        assert!(looks_like(&bytes));
        let array = Array { shape: vec![2, 3, 1], elements: Elements::U8(vec![1, 2, 3, 4, 5, 6]) };
        assert_eq!(read(&bytes).unwrap(), array);
        let coloured = image::RgbaImage::from_raw(1, 1, vec![9, 8, 7, 0]).unwrap();
        let array = Array { shape: vec![1, 1, 3], elements: Elements::U8(vec![9, 8, 7]) };
        assert_eq!(read(&png(coloured.into())).unwrap(), array);
    }

    #[test]
    fn damaged_pictures_are_refused() {
        let grey = image::GrayImage::from_raw(3, 2, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let bytes = png(grey.into());
        for length in 0..bytes.len() - 12 {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        assert!(!looks_like(b"SCT"));
    }
}

//! A model file inside a firmware, and the arena that it needs.

use core::ops::{Deref, DerefMut};

use crate::format::{ALIGN, Header, MAGIC, VERSION_MAJOR, VERSION_MINOR};

/// A `.sct` file in the firmware's flash, see [`include_model!`](crate::include_model).
#[derive(Debug, Clone, Copy)]
pub struct ModelImage {
    bytes: &'static [u8],
    arena_len: usize,
}

impl ModelImage {
    /// Wraps an aligned file, after a look at the fixed fields of its header.
    ///
    /// # Panics
    /// If `file` is not a `.sct` file of this version with its whole length. In the initializer of a constant or static
    /// this is an error of the compiler. Only [`crate::Model::load`] checks the content.
    pub const fn new(file: &'static [u8]) -> Self {
        assert!(file.len() >= Header::LEN && starts_with(file, &MAGIC), "not a .sct file");
        let minor = read(file, 6, 2);
        let known = read(file, 4, 2) == VERSION_MAJOR as u32 && minor <= VERSION_MINOR as u32;
        assert!(
            known,
            "the .sct file has another version: convert the model again with the matching converter"
        );
        let total = read(file, Header::TOTAL_LEN_OFFSET, 4) as usize;
        assert!(total <= file.len(), "the .sct file is cut");
        Self { bytes: file, arena_len: read(file, Header::ARENA_LEN_OFFSET, 4) as usize }
    }

    /// The file, for [`crate::Model::load`].
    pub const fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// Bytes of arena that a session needs; equal to [`crate::Model::arena_len`].
    pub const fn arena_len(&self) -> usize {
        self.arena_len
    }
}

/// Whether `bytes` starts with `magic`.
const fn starts_with(bytes: &[u8], magic: &[u8; 4]) -> bool {
    read(bytes, 0, 4) == u32::from_le_bytes(*magic)
}

/// The little-endian number in `len` bytes of `bytes` from `at` on.
const fn read(bytes: &[u8], at: usize, len: usize) -> u32 {
    let mut value = 0;
    let mut i = len;
    while i > 0 {
        i -= 1;
        value = value << 8 | bytes[at + i] as u32;
    }
    value
}

/// Puts a `.sct` file into the firmware, aligned, as a constant [`ModelImage`](crate::ModelImage).
///
/// The path is relative to the file that calls the macro, as for `include_bytes!`. A file that is no model, is cut or has
/// another format version is an error at compile time; so the arena's size is a constant:
///
/// ```
/// use secateur::{Arena, Model, ModelImage, Session, include_model, kernels};
///
/// static MODEL: ModelImage = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.sct"));
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut arena = Arena::<{ MODEL.arena_len() }>::new();
/// let model = Model::load(MODEL.bytes(), &kernels::ALL)?;
/// let mut session = Session::new(&model, &mut arena)?;
/// session.input_mut::<i8>("features")?.copy_from_slice(&[3, 1, -4, 1]);
/// session.run();
/// assert_eq!(session.output::<i8>("scores")?, [4, 0, 1]);
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// static MODEL: secateur::ModelImage =
///     secateur::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        static FILE: &$crate::Aligned<[u8]> = &$crate::Aligned(*::core::include_bytes!($path));
        $crate::ModelImage::new(&FILE.0)
    }};
}

/// Bytes at a multiple of 16.
#[doc(hidden)]
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Aligned<B: ?Sized>(pub B);

/// RAM for the activations of a model, at a multiple of 16 bytes. Models may take turns on one that fits the largest.
///
/// In a firmware it is a static, handed out once by a cell of the user's choice, such as `cortex_m::singleton!`.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Arena<const N: usize>([u8; N]);

const _: () = assert!(align_of::<Arena<0>>().is_multiple_of(ALIGN));

impl<const N: usize> Arena<N> {
    /// An arena of zeros: as a static it takes no flash.
    pub const fn new() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Default for Arena<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Deref for Arena<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> DerefMut for Arena<N> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

//! Views of tensors' elements.

/// Elements in row-major order with their shape.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a, T = f32> {
    /// Dimensions, outermost first.
    pub shape: &'a [usize],
    /// As many as the product of the dimensions.
    pub values: &'a [T],
}

/// Elements to be written, in row-major order, with their shape.
#[derive(Debug)]
pub struct ArrayMut<'a, T = f32> {
    /// Dimensions, outermost first.
    pub shape: &'a [usize],
    /// As many as the product of the dimensions.
    pub values: &'a mut [T],
}

impl<T> Array<'_, T> {
    /// The dimensions of an array of known rank; all 0 if the rank is another one.
    pub fn dims<const RANK: usize>(&self) -> [usize; RANK] {
        dims(self.shape)
    }
}

impl<T> ArrayMut<'_, T> {
    /// The dimensions of an array of known rank; all 0 if the rank is another one.
    pub fn dims<const RANK: usize>(&self) -> [usize; RANK] {
        dims(self.shape)
    }
}

fn dims<const RANK: usize>(shape: &[usize]) -> [usize; RANK] {
    shape.try_into().unwrap_or([0; RANK])
}

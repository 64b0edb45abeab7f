use super::cause::{Cause, Weights};
use super::measure::Sums;
use crate::port::Port;

/// A tensor of steps of 0.5 from -64 to 63.5.
fn port() -> Port {
    Port {
        name: "x".to_owned(),
        dtype: secateur::format::DType::I8,
        shape: vec![1],
        bytes: 1,
        scale: Some(0.5),
        zero_point: Some(0),
    }
}

fn sums(expected: &[f32], found: &[f64]) -> Sums {
    Sums::of(expected, found, &port())
}

#[test]
fn sums_give_ratio_and_angle() {
    let mut both = sums(&[3.0, 4.0], &[3.0, 3.5]);
    assert!((both.sqnr_db().unwrap() - 20.0).abs() < 1e-9);
    assert_eq!((both.elements, both.max), (2, 0.5));
    assert!((both.cosine().unwrap() - 23.0 / (25.0f64 * 21.25).sqrt()).abs() < 1e-12);
    both.add(&sums(&[100.0, -100.0], &[63.5, -64.0]));
    assert_eq!((both.elements, both.clipped_share()), (4, 0.5));
    assert_eq!(sums(&[0.0], &[0.0]).cosine(), None);
    assert_eq!(sums(&[1.0], &[1.0]).sqnr_db(), None);
}

#[test]
fn the_largest_part_of_an_error_is_its_cause() {
    let weights = Weights { format: "int4", spread: 1.0 };
    let cause = |total: &Sums, own: Option<&Sums>| Cause::of(total, own, &port(), Some(weights.clone()));
    let exact = sums(&[1.0], &[1.0]);
    assert_eq!(cause(&exact, None), Cause::Exact);
    let rounded = sums(&[1.2, 5.2], &[1.0, 5.0]);
    assert_eq!(cause(&rounded, Some(&rounded)), Cause::Rounding { levels: 11.0 });
    let wrong = sums(&[1.0, 5.0], &[9.0, -5.0]);
    assert_eq!(cause(&wrong, Some(&rounded)), Cause::Inherited);
    assert_eq!(cause(&wrong, Some(&wrong)), Cause::Weights(weights.clone()));
    assert_eq!(Cause::of(&wrong, Some(&wrong), &port(), None), Cause::Arithmetic);
    assert_eq!(cause(&wrong, None), Cause::Unknown);
    let clipped = sums(&[100.0, 5.0], &[63.5, 5.0]);
    assert_eq!(cause(&clipped, Some(&clipped)), Cause::Clipping { share: 0.5 });
}

#[test]
fn causes_are_told_in_words() {
    let few = Cause::Rounding { levels: 11.0 };
    assert_eq!(
        few.to_string(),
        "too few levels: its values span 11 of 256; the range is wider than the data"
    );
    let spread = Cause::Weights(Weights { format: "int4", spread: 40.2 });
    assert_eq!(spread.to_string(), "weights in int4, ranges of channels differ 40 times");
}

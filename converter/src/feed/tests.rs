use proptest::prelude::*;
use secateur::format::DType;

use super::*;
use crate::io::{Array, Elements};

fn port(name: &str, dtype: DType, shape: &[u32], scale: Option<f32>) -> Port {
    let elements: u32 = shape.iter().product();
    Port {
        name: name.to_owned(),
        dtype,
        shape: shape.to_vec(),
        bytes: elements as usize * dtype.size(),
        scale,
        zero_point: scale.map(|_| -3),
    }
}

fn given(shape: &[usize], elements: Elements) -> Given {
    let input = Input::Array(Array { shape: shape.to_vec(), elements });
    Given { name: None, origin: "x.npy".to_owned(), input }
}

fn image() -> [Port; 1] {
    [port("image", DType::I8, &[1, 2, 2, 1], Some(0.5))]
}

fn bytes(feed: &Feed) -> Vec<i8> {
    feed.bytes.iter().map(|byte| byte.cast_signed()).collect()
}

#[test]
fn real_numbers_are_quantized_away_from_zero_and_saturated() {
    let values = Elements::F32(vec![0.25, -0.25, 1000.0, f32::NEG_INFINITY]);
    let feed = feed(&image(), vec![given(&[2, 2], values)], &Pixels::default()).unwrap();
    assert_eq!(bytes(&feed), [-2, -4, 127, -128]);
    assert_eq!((feed.vectors, feed.conversions[0].saturated), (1, 2));
    assert_eq!(feed.conversions[0].action, Action::Quantized);
}

#[test]
fn pixels_are_scaled_first_and_other_integers_taken_as_they_are() {
    let pixels = Pixels { scale: vec![1.0], mean: vec![10.0], layout: Layout::Auto };
    let feed_of = |elements| feed(&image(), vec![given(&[2, 2], elements)], &pixels);
    assert_eq!(bytes(&feed_of(Elements::U8(vec![10, 11, 12, 9])).unwrap()), [-3, -1, 1, -5]);
    assert_eq!(bytes(&feed_of(Elements::I8(vec![1, -2, 3, 127])).unwrap()), [1, -2, 3, 127]);
    assert_eq!(bytes(&feed_of(Elements::I64(vec![1, -2, 3, -128])).unwrap()), [1, -2, 3, -128]);
    let error = feed_of(Elements::I64(vec![0, 0, 0, 128])).unwrap_err();
    assert!(matches!(error, FeedError::Range { value: 128, .. }));
    let error = feed_of(Elements::F32(vec![f32::NAN; 4])).unwrap_err();
    assert!(matches!(error, FeedError::NotANumber { .. }));
}

#[test]
fn shapes_may_lack_axes_of_length_one_and_add_vectors() {
    let vectors = |shape: &[usize]| {
        let elements = Elements::I8(vec![0; shape.iter().product()]);
        feed(&image(), vec![given(shape, elements)], &Pixels::default()).map(|feed| feed.vectors)
    };
    for shape in [&[2, 2][..], &[1, 2, 2, 1], &[1, 1, 2, 2, 1], &[4], &[1, 4]] {
        assert_eq!(vectors(shape).unwrap(), 1, "{shape:?}");
    }
    for shape in [&[3, 2, 2][..], &[3, 1, 2, 2, 1], &[3, 2, 2, 1], &[3, 4]] {
        assert_eq!(vectors(shape).unwrap(), 3, "{shape:?}");
    }
    for shape in [&[][..], &[3], &[2, 3], &[0, 2, 2], &[2, 3, 2, 2]] {
        assert!(matches!(vectors(shape), Err(FeedError::Shape { .. })), "{shape:?}");
    }
}

#[test]
fn channels_first_is_turned() {
    let input = [port("image", DType::I8, &[1, 2, 1, 3], Some(1.0))];
    let of = |shape: &[usize], layout| {
        let array = given(shape, Elements::I8((0..shape.iter().product::<usize>() as i8).collect()));
        feed(&input, vec![array], &Pixels { layout, ..Pixels::default() })
    };
    let turned = of(&[2, 3, 2, 1], Layout::Auto).unwrap();
    assert_eq!(bytes(&turned), [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
    assert!(turned.conversions[0].transposed);
    assert_eq!(bytes(&of(&[3, 2], Layout::Nchw).unwrap()), [0, 2, 4, 1, 3, 5]);
    assert!(!of(&[2, 3], Layout::Auto).unwrap().conversions[0].transposed);
    assert!(matches!(of(&[2, 3], Layout::Nchw), Err(FeedError::Shape { .. })));
    let message = of(&[3, 2], Layout::Nhwc).unwrap_err().to_string();
    assert!(message.contains("--layout nchw"), "{message}");
}

#[test]
fn means_and_scales_may_differ_per_channel() {
    let input = [port("image", DType::F32, &[1, 1, 2, 2], None)];
    let of = |mean: Vec<f32>| {
        let pixels = Pixels { scale: vec![1.0, 0.5], mean, layout: Layout::Auto };
        feed(&input, vec![given(&[2, 2], Elements::U8(vec![3, 4, 5, 6]))], &pixels)
    };
    assert_eq!(input[0].real_values(&of(vec![1.0, 2.0]).unwrap().bytes), [2.0, 1.0, 4.0, 2.0]);
    assert!(matches!(
        of(vec![0.0; 3]),
        Err(FeedError::PerChannel { option: "mean", count: 3, channels: 2, .. })
    ));
}

#[test]
fn several_inputs_are_interleaved_and_found_by_name() {
    let inputs = [port("a", DType::I8, &[1, 2], Some(1.0)), port("b", DType::I32, &[1, 1], None)];
    let a = Array { shape: vec![2, 2], elements: Elements::I8(vec![1, 2, 3, 4]) };
    let b = Array { shape: vec![2], elements: Elements::I64(vec![5, 6]) };
    let expected = vec![1, 2, 5, 0, 0, 0, 3, 4, 6, 0, 0, 0];
    let unnamed = |array: &Array| given(&array.shape, array.elements.clone());
    let feed_of = |sources| feed(&inputs, sources, &Pixels::default());
    assert_eq!(feed_of(vec![unnamed(&a), unnamed(&b)]).unwrap().bytes, expected);

    let archive = |names: [&str; 2]| Given {
        name: None,
        origin: "x.npz".to_owned(),
        input: Input::Named(vec![(names[0].to_owned(), b.clone()), (names[1].to_owned(), a.clone())]),
    };
    assert_eq!(feed_of(vec![archive(["b", "a"])]).unwrap().bytes, expected);
    assert!(matches!(feed_of(vec![archive(["b", "c"])]), Err(FeedError::Absent { .. })));
    let raw = Given { input: Input::Raw(expected.clone()), ..unnamed(&a) };
    assert_eq!(feed_of(vec![raw]).unwrap().bytes, expected);

    assert!(matches!(feed_of(vec![unnamed(&a)]), Err(FeedError::SourceCount { given: 1, .. })));
    assert!(matches!(feed_of(vec![]), Err(FeedError::Nothing)));
    let short = Array { shape: vec![1, 2], elements: Elements::I8(vec![1, 2]) };
    assert!(matches!(feed_of(vec![unnamed(&short), unnamed(&b)]), Err(FeedError::VectorCount { .. })));
    let named = Given { name: Some("z".to_owned()), ..unnamed(&a) };
    let error = feed_of(vec![unnamed(&a), unnamed(&b), named]).unwrap_err();
    assert!(matches!(error, FeedError::UnknownInput { .. }));
}

#[test]
fn some_vectors_are_taken_evenly() {
    let raw = Given { name: None, origin: "x.bin".to_owned(), input: Input::Raw((0..40).collect()) };
    let all = feed(&image(), vec![raw], &Pixels::default()).unwrap();
    assert_eq!(all.clone().spread(10), all);
    let some = all.spread(3);
    assert_eq!((some.vectors, some.bytes), (3, vec![0, 1, 2, 3, 12, 13, 14, 15, 24, 25, 26, 27]));
}

#[test]
fn raw_bytes_must_be_whole_vectors() {
    let raw = |length| Given { name: None, origin: "x.bin".to_owned(), input: Input::Raw(vec![0; length]) };
    assert_eq!(feed(&image(), vec![raw(8)], &Pixels::default()).unwrap().vectors, 2);
    let message = feed(&image(), vec![raw(7)], &Pixels::default()).unwrap_err().to_string();
    assert_eq!(
        message,
        "x.bin: 7 bytes are not a whole number of vectors; one vector has 4 bytes: 'image' int8 [1,2,2,1]"
    );
}

proptest! {
    #[test]
    fn quantized_values_stand_for_the_nearest_real_number(value in -60f32..60.0) {
        let inputs = [port("x", DType::I8, &[1], Some(0.5))];
        let feed = feed(&inputs, vec![given(&[1], Elements::F32(vec![value]))], &Pixels::default()).unwrap();
        let real = inputs[0].real_values(&feed.bytes)[0];
        prop_assert!((real - f64::from(value)).abs() <= 0.25 + 1e-6);
    }
}

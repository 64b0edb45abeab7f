//! What is said about descriptions that are wrong or do not suit the weights.

use secateur_converter::import::torch::{Element, Weight, Weights, architecture};

fn weights(shapes: &[(&str, &[usize])]) -> Weights {
    let weight = |&(name, shape): &(&str, &[usize])| Weight {
        name: name.into(),
        shape: shape.into(),
        values: vec![0.5; shape.iter().product()],
        element: Element::F32,
    };
    shapes.iter().map(weight).collect()
}

/// The problems of a description with an input of 4x8x8 and a convolution and a linear layer to take weights from.
fn problems(layers: &str) -> String {
    let weights = weights(&[
        ("conv.weight", &[6, 4, 3, 3]),
        ("conv.bias", &[6]),
        ("depthwise.weight", &[4, 1, 3, 3]),
        ("fc.weight", &[10, 256]),
        ("bn.weight", &[6]),
        ("bn.bias", &[6]),
        ("bn.running_mean", &[6]),
        ("bn.running_var", &[6]),
    ]);
    let text =
        format!("input = [4, 8, 8]\nunused = ['conv', 'depthwise', 'fc', 'bn']\nlayer = [\n{layers}\n]");
    match architecture::build(&text, &weights) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

#[track_caller]
fn assert_said(layers: &str, expected: &str) {
    let problems = problems(layers);
    assert!(problems.contains(expected), "{layers}: {problems}");
}

#[test]
fn each_mistake_is_named_with_its_layer() {
    for (layers, expected) in [
        ("'relu', 'rleu'", "node 1 'rleu1' (rleu): kind 'rleu' is not known; nearest: relu"),
        ("{ name = 'x' }", "node 0 'x' (): no kind"),
        (
            "{ kind = 'conv2d', weights = 'conv', pading = 1 }",
            "attribute 'pading' is not known; nearest: padding",
        ),
        (
            "{ kind = 'conv2d', weights = 'conv', stride = 'two' }",
            "stride = \"two\": a number from 0 to 1048576 or [height, width] expected",
        ),
        ("{ kind = 'conv2d', weights = 'conv', stride = 0 }", "stride = 0x0: must be 1x1 or more"),
        ("{ kind = 'conv2d' }", "such as weights = \"features.0\""),
        (
            "{ kind = 'conv2d', weights = 'cnov' }",
            "the state dict has no 'cnov.weight'; nearest: conv.weight",
        ),
        (
            "{ kind = 'conv2d', weights = 'depthwise' }",
            "'depthwise.weight' of shape [4,1,3,3] takes 1 channels, but the input has 4 (shape [1,4,8,8]); groups = 4?",
        ),
        (
            "{ kind = 'conv2d', weights = 'conv', out_channels = 8 }",
            "out_channels = 8, but 'conv.weight' has shape [6,4,3,3] in the state dict",
        ),
        (
            "{ kind = 'conv2d', weights = 'conv', kernel_size = [3, 5] }",
            "kernel_size = [3, 5], but 'conv.weight' has shape [6,4,3,3]",
        ),
        (
            "{ kind = 'conv2d', weights = 'conv', bias = false }",
            "bias = false, but 'conv.bias' has shape [6]",
        ),
        ("{ kind = 'conv2d', weights = 'depthwise', groups = 4, bias = true }", "has no 'depthwise.bias'"),
        (
            "{ kind = 'conv2d', weights = 'fc' }",
            "'fc.weight' has shape [10,256] in the state dict: 4 dimensions",
        ),
        (
            "{ kind = 'linear', weights = 'fc' }",
            "'fc.weight' of shape [10,256] takes 256 channels, but the input has 8 (shape [1,4,8,8]); put a flatten before it",
        ),
        (
            "{ kind = 'batch_norm2d', weights = 'bn' }",
            "'bn.running_mean' has shape [6] in the state dict: [4], one element per channel, expected",
        ),
        ("{ kind = 'max_pool2d' }", "kernel_size is missing"),
        ("{ kind = 'max_pool2d', kernel_size = 9 }", "a window of 9 exceeds"),
        ("{ kind = 'adaptive_avg_pool2d', output_size = 3 }", "output_size = 3x3: 1, or sizes that divide"),
        ("{ kind = 'relu', from = 'nowhere' }", "'nowhere' is no earlier layer"),
        (
            "{ kind = 'relu', name = 'a' }, { kind = 'relu', name = 'a' }",
            "the name is that of an earlier layer too",
        ),
        ("'add'", "from names 1 layers: 2 or more"),
        (
            "{ kind = 'conv2d', weights = 'conv', name = 'c' }, { kind = 'add', from = ['c', 'input'] }",
            "inputs of shapes [1,6,6,6] and [1,4,8,8] do not go together",
        ),
        ("{ kind = 'reshape', shape = [1, 5, -1] }", "a shape of as many elements as [1,4,8,8]"),
        ("{ kind = 'permute', dims = [0, 1, 1, 2] }", "each of the 4 axes once"),
        ("{ kind = 'softmax', dim = 4 }", "dim = 4: an axis of the 4 that the input has"),
        (
            "{ kind = 'upsample', scale_factor = 2, mode = 'bicubic' }",
            "mode = bicubic is not supported; use nearest or bilinear",
        ),
        (
            "{ kind = 'upsample', scale_factor = 1.3 }",
            "scale_factor = [1.3, 1.3]: factors that give whole sizes",
        ),
        ("{ kind = 'pad', padding = [1, -1] }", "padding = [1, -1]: pairs of numbers"),
        ("{ kind = 'pad', padding = 1000000 }", "elements are supported"),
    ] {
        assert_said(layers, expected);
    }
}

#[test]
fn one_mistake_is_said_once() {
    let layers =
        "{ kind = 'conv2d', weights = 'cnov' }, 'relu', { kind = 'batch_norm2d', weights = 'bn' }, 'flatten'";
    let problems = problems(layers);
    assert!(problems.contains("1 problem\n"), "{problems}");
}

#[test]
fn all_mistakes_are_listed() {
    let problems = problems("{ kind = 'relu', slope = 1 }, { kind = 'elu', alpha = 'x' }, 'max_pool2d'");
    assert!(problems.contains("3 problems"), "{problems}");
}

#[test]
fn weights_that_no_layer_uses_are_named() {
    let weights = weights(&[("head.weight", &[2, 4]), ("head.wieght", &[2]), ("aux.weight", &[1])]);
    let text = "input = [4]\nunused = ['aux']\nlayer = [{ kind = 'linear', weights = 'head' }]";
    let errors = architecture::build(text, &weights).expect_err("one is unused").to_string();
    assert!(errors.contains("tensor 1 'head.wieght': no layer uses it; nearest: head.weight"), "{errors}");
    assert!(!errors.contains("aux"), "{errors}");
}

#[test]
fn the_outer_form_is_checked() {
    for (text, expected) in [
        ("input = [", "line 1"),
        ("layer = ['relu']", "missing field `input`"),
        ("input = [1]\nlayers = ['relu']", "unknown field `layers`"),
        ("input = [1]", "no layers"),
        ("input = [0, 3]\nlayer = ['relu']", "input = [0,3]"),
        ("input = [1000000, 1000000]\nlayer = ['relu']", "without the batch"),
        ("input = [4]\nlayer = ['relu']\noutput = 'x'", "'x' is no earlier layer"),
        ("input = [4]\ninput_type = 'int8'\nlayer = ['relu']", "unknown variant `int8`"),
    ] {
        let errors = architecture::build(text, &Weights::default()).expect_err(text).to_string();
        assert!(errors.contains(expected), "{text}: {errors}");
    }
}

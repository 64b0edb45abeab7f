use crate::float::{ExecuteError, Executor, OperatorFault};
use crate::ir::{Float, Graph, text::parse};

fn graph(text: &str) -> Graph<Float> {
    parse(text).unwrap()
}

const BRANCHES: &str = r#"graph "branches" float
%0 "x" f32[1,2]
%1 "w" f32[2,2] = [1.0,2.0,3.0,4.0]
%2 "b" f32[2] = [0.5,-100.0]
%3 "h" f32[1,2]
%4 "r" f32[1,2]
%5 "y" f32[1,2]
%6 "i" i32[1]
inputs %0
outputs %5 %6
node "fc" FullyConnected(%0, %1, %2) -> %3 keep_dims=true
node "relu" Relu(%3) -> %4
node "add" Add(%4, %0) -> %5
node "arg" ArgMax(%5) -> %6 axis=1
"#;

#[test]
fn a_graph_runs_and_shows_its_tensors() {
    let graph = graph(BRANCHES);
    let executor = Executor::new(&graph).unwrap();
    let mut seen = Vec::new();
    let outputs = executor.run_with(&[vec![1.0, 2.0]], |tensor, values| {
        seen.push((tensor.index(), values.to_vec()));
    });
    assert_eq!(outputs.unwrap(), [vec![6.5, 2.0], vec![0.0]]);
    let expected = [(0, vec![1.0, 2.0]), (3, vec![5.5, -89.0]), (4, vec![5.5, 0.0]), (5, vec![6.5, 2.0])];
    assert_eq!(seen[..4], expected);
    assert_eq!(seen[4], (6, vec![0.0]));
}

#[test]
fn batches_equal_single_runs_in_order() {
    let graph = graph(BRANCHES);
    let executor = Executor::new(&graph).unwrap();
    let samples: Vec<_> = (0..100).map(|index| vec![vec![index as f32, 1.0]]).collect();
    let batch = executor.run_batch(&samples, || ()).unwrap();
    for (sample, outputs) in samples.iter().zip(&batch) {
        assert_eq!(&executor.run(sample).unwrap(), outputs);
    }
    let states = executor.fold_batch(&samples, Vec::new, |state, tensor, values| {
        if tensor.index() == 5 {
            state.push(values.to_vec());
        }
    });
    let seen: Vec<_> = states.unwrap().concat();
    assert!(seen.iter().eq(batch.iter().map(|outputs| &outputs[0])));
}

#[test]
fn wrong_inputs_are_refused() {
    let graph = graph(BRANCHES);
    let executor = Executor::new(&graph).unwrap();
    assert_eq!(executor.run(&[]), Err(ExecuteError::InputCount { found: 0, expected: 1 }));
    let length = ExecuteError::InputLength { index: 0, name: "x".to_owned(), found: 3, expected: 2 };
    assert_eq!(executor.run(&[vec![0.0; 3]]), Err(length));
}

#[test]
fn quantized_edges_round_as_on_the_device() {
    let graph = graph(
        r#"graph "qdq" float
%0 "x" f32[5]
%1 "q" i8[5] scale 0.5 zero 1
%2 "y" f32[5]
inputs %0
outputs %1 %2
node "q" Quantize(%0) -> %1
node "d" Dequantize(%1) -> %2
"#,
    );
    let outputs = Executor::new(&graph).unwrap().run(&[vec![0.25, 0.75, -0.25, 1000.0, -1000.0]]).unwrap();
    assert_eq!(outputs[0], [1.0, 3.0, 1.0, 127.0, -128.0]);
    assert_eq!(outputs[1], [0.0, 1.0, 0.0, 63.0, -64.5]);
}

#[test]
fn constants_are_computed_once_and_integers_are_exact() {
    let graph = graph(
        r#"graph "constants" float
%0 "x" f32[1]
%1 "a" i64[1] = [9007199254740993]
%2 "b" i64[1] = [9007199254740992]
%3 "d" i64[1]
%4 "f" f32[1]
%5 "y" f32[1]
inputs %0
outputs %5 %3
node "sub" Sub(%1, %2) -> %3
node "cast" Cast(%3) -> %4 to="f32"
node "mul" Mul(%0, %4) -> %5
"#,
    );
    let executor = Executor::new(&graph).unwrap();
    let mut seen = Vec::new();
    let outputs = executor.run_with(&[vec![3.0]], |tensor, _| seen.push(tensor.index()));
    assert_eq!(outputs.unwrap(), [vec![3.0], vec![1.0]]);
    assert_eq!(seen, [0, 5]);
}

#[test]
fn a_filter_of_integers_stands_for_real_numbers() {
    let graph = graph(
        r#"graph "dynamic" float
%0 "x" f32[1,2]
%1 "w" i8[2,2] scale [0.5,2.0] zero [0,0] axis 0 = [1,2,3,-4]
%2 "y" f32[1,2]
inputs %0
outputs %2
node "fc" FullyConnected(%0, %1) -> %2 keep_dims=false
"#,
    );
    assert_eq!(Executor::new(&graph).unwrap().run(&[vec![1.0, 10.0]]).unwrap(), [[10.5, -74.0]]);
}

#[test]
fn what_cannot_be_computed_is_refused_at_once() {
    let integers = graph(
        r#"graph "integers" float
%0 "x" i8[2]
%1 "y" i8[2]
inputs %0
outputs %1
node "relu" Relu(%0) -> %1
"#,
    );
    let fault = OperatorFault::Integers { role: "input", dtype: crate::ir::DType::I8 };
    assert!(
        matches!(Executor::new(&integers), Err(ExecuteError::Node { fault: found, .. }) if found == fault)
    );
    let huge = graph(
        r#"graph "huge" float
%0 "x" f32[1]
%1 "y" f32[1,1000000000]
inputs %0
outputs %1
node "b" BroadcastTo(%0) -> %1 shape=[1,1000000000]
"#,
    );
    assert!(matches!(Executor::new(&huge), Err(ExecuteError::Memory { .. })));
    let slow = graph(
        r#"graph "slow" float
%0 "x" f32[1,1000,1000,8]
%1 "w" f32[1,1000,1000,8]
%2 "y" f32[1,1000,1000,1]
inputs %0 %1
outputs %2
node "c" Conv2d(%0, %1) -> %2 dilation=[1,1] groups=1 padding=[500,499,500,499] stride=[1,1]
"#,
    );
    assert!(matches!(Executor::new(&slow), Err(ExecuteError::Work { .. })));
    let ill = Graph::new("empty");
    assert!(matches!(Executor::new(&ill), Err(ExecuteError::IllFormed(_))));
}

#[test]
fn an_index_outside_is_an_error() {
    let graph = graph(
        r#"graph "gather" float
%0 "x" f32[3]
%1 "i" i32[2]
%2 "y" f32[2]
inputs %0 %1
outputs %2
node "g" Gather(%0, %1) -> %2 axis=0
"#,
    );
    let executor = Executor::new(&graph).unwrap();
    let data = vec![1.0, 2.0, 3.0];
    assert_eq!(executor.run(&[data.clone(), vec![2.0, 0.0]]).unwrap(), [[3.0, 1.0]]);
    let error = executor.run(&[data, vec![2.0, 3.0]]).unwrap_err();
    assert!(matches!(error, ExecuteError::Node { fault: OperatorFault::Index { index: 3 }, .. }));
}

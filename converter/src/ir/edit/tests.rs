use crate::ir::check::check;
use crate::ir::text::parse;
use crate::ir::{Float, Graph, NodeId, TensorId};

fn graph(text: &str) -> Graph<Float> {
    parse(text).unwrap()
}

fn nodes(graph: &Graph<Float>) -> String {
    graph.to_string().lines().filter(|line| line.starts_with("node")).collect::<Vec<_>>().join("\n")
}

const CHAIN: &str = r#"graph "chain" float
%0 "x" f32[2]
%1 "a" f32[2]
%2 "b" f32[2]
%3 "y" f32[2]
inputs %0
outputs %3
node "first" Tanh(%0) -> %1
node "second" Relu(%1) -> %2
node "third" Logistic(%2) -> %3
"#;

#[test]
fn bypass_redirects_readers() {
    let mut graph = graph(CHAIN);
    assert!(graph.bypass(NodeId(1), TensorId(1)));
    assert_eq!(nodes(&graph), "node \"first\" Tanh(%0) -> %1\nnode \"third\" Logistic(%1) -> %3");
    assert_eq!(check(&graph), Ok(()));
}

#[test]
fn bypass_of_the_last_node_keeps_the_output() {
    let mut graph = graph(CHAIN);
    assert!(graph.bypass(NodeId(2), TensorId(2)));
    assert_eq!(nodes(&graph), "node \"first\" Tanh(%0) -> %1\nnode \"second\" Relu(%1) -> %3");
    assert_eq!(graph.outputs(), [TensorId(3)]);
    assert_eq!(check(&graph), Ok(()));
}

#[test]
fn bypass_declines_where_an_output_would_lose_its_writer() {
    let mut single = graph(
        "graph \"\" float\n%0 \"x\" f32[2]\n%1 \"y\" f32[2]\ninputs %0\noutputs %1\nnode \"\" Relu(%0) -> %1\n",
    );
    let before = single.clone();
    assert!(!single.bypass(NodeId(0), TensorId(0)));
    assert_eq!(single, before);

    let mut both = graph(&CHAIN.replace("outputs %3", "outputs %2 %3"));
    let before = both.clone();
    assert!(!both.bypass(NodeId(2), TensorId(2)));
    assert_eq!(both, before);
}

#[test]
fn sort_restores_the_running_order() {
    let lines: Vec<&str> = CHAIN.lines().collect();
    let shuffled = [&lines[..7], &[lines[9], lines[7], lines[8]]].concat().join("\n");
    let mut shuffled = graph(&shuffled);
    assert_eq!(shuffled.sort(), Ok(vec![NodeId(1), NodeId(2), NodeId(0)]));
    assert_eq!(shuffled, graph(CHAIN));
    assert_eq!(shuffled.sort(), Ok(vec![NodeId(0), NodeId(1), NodeId(2)]));
}

#[test]
fn sort_names_the_nodes_of_a_cycle() {
    let mut cyclic = graph(&CHAIN.replace("Relu(%1)", "Relu(%3)"));
    let before = cyclic.clone();
    assert_eq!(cyclic.sort().map_err(|error| error.nodes), Err(vec![NodeId(1), NodeId(2)]));
    assert_eq!(cyclic, before);
}

#[test]
fn compact_drops_what_no_output_needs() {
    let text = CHAIN.replace("inputs", "%4 \"dead\" f32[2]\n%5 \"unused\" f32[1] = [1.0]\ninputs");
    let mut with_dead = graph(&(text + "node \"dead\" Relu(%0) -> %4\n"));
    assert_eq!(with_dead.compact(), 1);
    assert_eq!(with_dead, graph(CHAIN));
    assert_eq!(with_dead.compact(), 0);
}

#[test]
fn remove_dead_nodes_keeps_tensor_ids() {
    let mut shorter = graph(&CHAIN.replace("outputs %3", "outputs %1"));
    assert_eq!(shorter.remove_dead_nodes(), 2);
    assert_eq!(shorter.tensors().len(), 4);
}

#[test]
fn compact_keeps_inputs_that_nobody_reads() {
    let mut two_inputs = graph(&CHAIN.replace("inputs %0", "%4 \"spare\" f32[2]\ninputs %0 %4"));
    two_inputs.compact();
    assert_eq!(two_inputs.inputs().len(), 2);
    assert_eq!(check(&two_inputs), Ok(()));
}

//! The order in which nodes are converted: each after those whose outputs it reads.

use std::collections::{BTreeSet, HashMap, HashSet};

use rten_onnx::onnx::NodeProto;

/// What the names in a file lead to.
pub(super) struct Order<'a> {
    /// Positions of nodes, each after those that it depends on.
    pub(super) nodes: Vec<usize>,
    /// Positions of nodes that depend on themselves.
    pub(super) cycle: Vec<usize>,
    /// Names that are given by more than one node, or by a node and otherwise, with the node.
    pub(super) twice: Vec<(usize, &'a str)>,
    /// Names that a node reads and nothing gives.
    pub(super) unknown: Vec<(usize, &'a str)>,
}

/// Orders nodes, keeping the file's order where it will do. `given` are the names of inputs and initializers.
pub(super) fn order<'a>(nodes: &'a [NodeProto], given: &HashSet<&str>) -> Order<'a> {
    let mut writers: HashMap<&str, usize> = HashMap::new();
    let mut twice = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if given.contains(name.as_str()) || writers.contains_key(name.as_str()) {
                twice.push((index, name.as_str()));
            } else {
                writers.insert(name, index);
            }
        }
    }
    let mut unknown = Vec::new();
    let mut waiting = vec![0usize; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            match writers.get(name.as_str()) {
                Some(&writer) => {
                    readers[writer].push(index);
                    waiting[index] += 1;
                }
                None if given.contains(name.as_str()) => {}
                None => unknown.push((index, name.as_str())),
            }
        }
    }
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&index| waiting[index] == 0).collect();
    let mut ordered = Vec::with_capacity(nodes.len());
    while let Some(index) = ready.pop_first() {
        ordered.push(index);
        for &reader in &readers[index] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    let cycle = (0..nodes.len()).filter(|&index| waiting[index] > 0).collect();
    Order { nodes: ordered, cycle, twice, unknown }
}

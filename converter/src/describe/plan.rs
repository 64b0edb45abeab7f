//! The memory plan that a file contains, in the planner's terms.

use std::collections::BTreeMap;

use secateur::format::{Node, Tables};

use crate::facts::Facts;
use crate::plan::{
    self, Buffer, Fit, InPlace, OrderRule, PlacementRule, Plan, PlanError, Problem, SharedPlace, Step,
};

/// Draws where everything lies in the arena and when.
///
/// # Errors
/// If tensors overlap in a way that no planner makes; the model may run nevertheless.
pub fn drawing(tables: &Tables<'_>) -> Result<String, PlanError> {
    let facts = Facts::of(tables);
    let mut layout = Layout { tables, facts: &facts, buffers: BTreeMap::new(), problem: Problem::default() };
    let mut plan = Plan {
        order: Vec::new(),
        offsets: Vec::new(),
        scratch_offsets: Vec::new(),
        shared: Vec::new(),
        arena_bytes: tables.header().arena_len,
        lower_bound: facts.arena_lower_bound.unwrap_or(0),
        smallest_bound: facts.arena_lower_bound.unwrap_or(0),
        order_proved: false,
        order_rule: OrderRule::AsGiven,
        placement_rule: PlacementRule::ByFirstUse(Fit::First),
    };
    for &input in tables.inputs() {
        let buffer = layout.new_buffer(input);
        layout.problem.buffers[buffer].lives_from_start = true;
    }
    for (index, node) in (0u16..).zip(tables.nodes()) {
        layout.step(index, &node, &mut plan);
    }
    for &output in tables.outputs() {
        if let Some(buffer) = layout.buffer(output) {
            layout.problem.buffers[buffer].lives_to_end = true;
        }
    }
    plan.offsets = layout.offsets();
    plan::render_chart(&layout.problem, &plan)
}

/// The planner's problem while it is read from a file.
struct Layout<'a, 'm> {
    tables: &'a Tables<'m>,
    facts: &'a Facts,
    /// By tensor; a view is in the buffer that lay at its place when it was first read.
    buffers: BTreeMap<u16, usize>,
    problem: Problem,
}

impl Layout<'_, '_> {
    fn range(&self, tensor: u16) -> std::ops::Range<usize> {
        self.tables.tensors().get(usize::from(tensor)).map_or(0..0, |record| record.range())
    }

    fn new_buffer(&mut self, tensor: u16) -> usize {
        let buffer = self.problem.buffers.len();
        let bytes = u32::try_from(self.range(tensor).len()).unwrap_or(u32::MAX);
        self.problem.buffers.push(Buffer { name: self.facts.tensor(tensor), bytes, ..Buffer::default() });
        self.buffers.insert(tensor, buffer);
        buffer
    }

    /// The buffer of a tensor that is read: its own, or for a view the youngest one at its place.
    fn buffer(&mut self, tensor: u16) -> Option<usize> {
        if let Some(&buffer) = self.buffers.get(&tensor) {
            return Some(buffer);
        }
        let range = self.range(tensor);
        let at_its_place = self.buffers.iter().filter(|&(&other, _)| self.range(other) == range);
        let buffer = at_its_place.map(|(_, &buffer)| buffer).max()?;
        self.buffers.insert(tensor, buffer);
        Some(buffer)
    }

    fn step(&mut self, index: u16, node: &Node<'_>, plan: &mut Plan) {
        let in_arena = |tensor: &&u16| {
            self.tables.tensors().get(usize::from(**tensor)).is_some_and(|record| record.in_arena())
        };
        let inputs: Vec<u16> = node.inputs().iter().filter(in_arena).copied().collect();
        let reads: Vec<(u16, usize)> =
            inputs.into_iter().filter_map(|tensor| Some((tensor, self.buffer(tensor)?))).collect();
        let writes: Vec<(u16, usize)> =
            node.outputs().iter().map(|&tensor| (tensor, self.new_buffer(tensor))).collect();
        let step = usize::from(index);
        let mut in_place = Vec::new();
        for &(written, write) in &writes {
            let over = |&&(tensor, _): &&(u16, usize)| self.range(tensor).start == self.range(written).start;
            if let Some(&(_, read)) = reads.iter().find(over) {
                in_place.push(InPlace { read, write });
                plan.shared.push(SharedPlace { step, read, write });
            }
        }
        let record = node.record();
        plan.order.push(step);
        plan.scratch_offsets.push((record.scratch_len > 0).then_some(record.scratch));
        self.problem.steps.push(Step {
            name: self.facts.node(index),
            reads: reads.into_iter().map(|(_, buffer)| buffer).collect(),
            writes: writes.into_iter().map(|(_, buffer)| buffer).collect(),
            scratch_bytes: record.scratch_len,
            in_place,
        });
    }

    /// Where each buffer lies; none for one that nothing uses.
    fn offsets(&self) -> Vec<Option<u32>> {
        let mut offsets = vec![None; self.problem.buffers.len()];
        for (&tensor, &buffer) in &self.buffers {
            offsets[buffer] = self.tables.tensors().get(usize::from(tensor)).map(|record| record.offset);
        }
        offsets
    }
}

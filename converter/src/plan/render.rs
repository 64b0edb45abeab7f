//! A drawing of a plan: the arena from left to right, time from top to bottom, 100 columns.
//!
//! ```text
//! arena 1200 bytes, lower bound 1200 (+0.0 %)
//! order as given (no order is better); placed from both ends
//!
//! slot step                               live |0                                                1200|
//!    0 inputs                              400 |aaaaaaaaaaaaaaaaa....................................|
//!    1 conv                               1200*|aaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb|
//!    2 relu                               1200*|#################cccccccccccccccccccccccccccccccccccc|
//!    3 outputs                             800 |.................cccccccccccccccccccccccccccccccccccc|
//!
//!       offset      bytes  slots    buffer
//! a          0        400    0-1    image
//! b        400        800    1-2    features
//! c        400        800    2-3    scores <- features
//! ```
//!
//! A letter is a buffer, `#` a scratch, `.` free room. The fullest slots have an asterisk. Even the smallest block
//! gets a cell, so that a cell may stand for more bytes than it covers. `<-` names the buffer that was overwritten.

use super::lifetime::{Span, buffer_spans};
use super::problem::placed_bytes;
use super::{Plan, PlanError, Problem, verify};

/// Cells of the bar in each line of the chart.
const CELLS: usize = 53;
/// Characters of a step's name in the chart, and of a buffer's in the list.
const STEP_NAME: usize = 28;
const BUFFER_NAME: usize = 66;

const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A block in the bar of one slot.
struct Drawn {
    offset: u32,
    bytes: u64,
    letter: char,
}

/// Draws a plan, as the module's documentation shows.
///
/// # Errors
/// Those of [`verify()`]: a wrong plan is not drawn.
pub fn render(problem: &Problem, plan: &Plan) -> Result<String, PlanError> {
    Ok(format!("{}\n\n{}", summary(plan), render_chart(problem, plan)?))
}

/// Draws a plan without the two lines that say how it was found, for a plan whose maker is not known.
///
/// # Errors
/// Those of [`verify()`]: a wrong plan is not drawn.
pub fn render_chart(problem: &Problem, plan: &Plan) -> Result<String, PlanError> {
    verify(problem, plan)?;
    let spans = buffer_spans(problem, &plan.order);
    let mut by_first_use: Vec<usize> = (0..spans.len()).filter(|&buffer| spans[buffer].is_some()).collect();
    by_first_use.sort_by_key(|&buffer| spans[buffer].map(|span| span.first));
    let mut letters = vec![' '; spans.len()];
    for (&buffer, &letter) in by_first_use.iter().zip(LETTERS.iter().cycle()) {
        letters[buffer] = char::from(letter);
    }

    let arena = plan.arena_bytes;
    let mut lines =
        vec![format!("slot {:STEP_NAME$}       live |0{arena:>width$}|", "step", width = CELLS - 1)];
    for slot in 0..plan.order.len() + 2 {
        lines.push(chart_line(problem, plan, slot, &spans, &letters));
    }
    lines.extend([String::new(), "      offset      bytes  slots    buffer".to_owned()]);
    for buffer in by_first_use {
        if let (Some(span), Some(offset)) = (spans[buffer], plan.offsets[buffer]) {
            let Span { first, last } = span;
            let (letter, bytes) = (letters[buffer], problem.buffers[buffer].bytes);
            let mut name = buffer_name(problem, buffer);
            if let Some(pair) = plan.shared.iter().find(|pair| pair.write == buffer) {
                name = format!("{name} <- {}", buffer_name(problem, pair.read));
            }
            let name = shortened(&name, BUFFER_NAME);
            lines.push(format!("{letter} {offset:>10} {bytes:>10} {first:>4}-{last:<4} {name}"));
        }
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn summary(plan: &Plan) -> String {
    let Plan { arena_bytes, lower_bound, order_rule, placement_rule, .. } = plan;
    let order = match (plan.order_proved, plan.smallest_bound) {
        (true, bound) if bound == *lower_bound => "no order is better".to_owned(),
        (true, bound) => format!("the best order has {bound}"),
        (false, bound) => format!("the best of those tried has {bound}"),
    };
    format!(
        "arena {arena_bytes} bytes, lower bound {lower_bound} (+{:.1} %)\n\
         order {order_rule} ({order}); placed {placement_rule}",
        100.0 * plan.excess()
    )
}

/// What is alive in one slot.
fn chart_line(
    problem: &Problem,
    plan: &Plan,
    slot: usize,
    spans: &[Option<Span>],
    letters: &[char],
) -> String {
    let step = slot.checked_sub(1).and_then(|position| plan.order.get(position)).copied();
    let mut drawn = Vec::new();
    let mut live = 0;
    for (buffer, span) in spans.iter().enumerate() {
        let alive = span.is_some_and(|span| (span.first..=span.last).contains(&slot));
        if let (true, Some(offset)) = (alive, plan.offsets[buffer]) {
            let bytes = placed_bytes(problem.buffers[buffer].bytes);
            let overwrites = plan.shared.iter().any(|pair| Some(pair.step) == step && pair.write == buffer);
            live += if overwrites { 0 } else { bytes };
            drawn.push(Drawn { offset, bytes, letter: letters[buffer] });
        }
    }
    let name = match step {
        Some(step) => step_name(problem, step),
        None if slot == 0 => "inputs".to_owned(),
        None => "outputs".to_owned(),
    };
    if let Some((step, offset)) = step.and_then(|step| Some((step, plan.scratch_offsets[step]?))) {
        let bytes = placed_bytes(problem.steps[step].scratch_bytes);
        live += bytes;
        drawn.push(Drawn { offset, bytes, letter: '#' });
    }
    let mark = if live == u64::from(plan.lower_bound) { '*' } else { ' ' };
    let bar = bar(drawn, plan.arena_bytes);
    format!("{slot:>4} {:STEP_NAME$} {live:>10}{mark}|{bar}|", shortened(&name, STEP_NAME))
}

/// The cells of a line; small blocks are drawn over large ones, so that none is hidden by rounding.
fn bar(mut drawn: Vec<Drawn>, arena_bytes: u32) -> String {
    let mut cells = ['.'; CELLS];
    drawn.retain(|block| block.bytes > 0);
    drawn.sort_by_key(|block| std::cmp::Reverse(block.bytes));
    let cell = |bytes: u64| (bytes * CELLS as u64 / u64::from(arena_bytes.max(1))) as usize;
    for block in drawn {
        let first = cell(block.offset.into()).min(CELLS - 1);
        let end = cell(u64::from(block.offset) + block.bytes).clamp(first + 1, CELLS);
        cells[first..end].fill(block.letter);
    }
    cells.iter().collect()
}

fn buffer_name(problem: &Problem, buffer: usize) -> String {
    match problem.buffers[buffer].name.as_str() {
        "" => format!("buffer {buffer}"),
        name => name.to_owned(),
    }
}

fn step_name(problem: &Problem, step: usize) -> String {
    match problem.steps[step].name.as_str() {
        "" => format!("step {step}"),
        name => name.to_owned(),
    }
}

/// The end of a name, which tells more than its beginning, if it is longer than `limit` characters.
fn shortened(name: &str, limit: usize) -> String {
    let surplus = name.chars().count().saturating_sub(limit);
    match surplus {
        0 => name.to_owned(),
        _ => std::iter::once('…').chain(name.chars().skip(surplus + 1)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Buffer, InPlace, Step, plan};

    fn named(name: &str, bytes: u32) -> Buffer {
        Buffer { name: name.to_owned(), bytes, ..Buffer::default() }
    }

    #[test]
    fn draws_each_slot_and_lists_each_buffer() {
        let mut problem = Problem {
            buffers: vec![named("image", 400), named("features", 800), named("", 800), named("scores", 10)],
            steps: vec![
                Step { name: "conv".to_owned(), reads: vec![0], writes: vec![1], ..Step::default() },
                Step {
                    name: "relu".to_owned(),
                    reads: vec![1],
                    writes: vec![2],
                    scratch_bytes: 400,
                    in_place: vec![InPlace { read: 1, write: 2 }],
                },
                Step { reads: vec![2], writes: vec![3], ..Step::default() },
            ],
        };
        problem.buffers[0].lives_from_start = true;
        problem.buffers[3].lives_to_end = true;
        problem.steps[2].name = "a/path/that/goes/on/for/long/and/ends/in/fully_connected".to_owned();
        let plan = plan(&problem).expect("the problem is sound");
        let text = render(&problem, &plan).expect("the plan is right");
        let expected = [
            "arena 1200 bytes, lower bound 1200 (+0.0 %)",
            "order as given (no order is better); placed from both ends",
            "",
            "slot step                               live |0                                                1200|",
            "   0 inputs                              400 |aaaaaaaaaaaaaaaaa....................................|",
            "   1 conv                               1200*|aaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb|",
            "   2 relu                               1200*|#################cccccccccccccccccccccccccccccccccccc|",
            "   3 …and/ends/in/fully_connected        812 |d................cccccccccccccccccccccccccccccccccccc|",
            "   4 outputs                              12 |d....................................................|",
            "",
            "      offset      bytes  slots    buffer",
            "a          0        400    0-1    image",
            "b        400        800    1-2    features",
            "c        400        800    2-3    buffer 2 <- features",
            "d          0         10    3-4    scores",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lines_keep_to_the_width_and_wrong_plans_are_refused() {
        let problem = Problem {
            buffers: vec![
                Buffer {
                    lives_from_start: true,
                    lives_to_end: true,
                    ..named(&"long/".repeat(50), u32::MAX - 3)
                },
                Buffer { lives_from_start: true, ..named("", 0) },
            ],
            steps: Vec::new(),
        };
        let mut plan = plan(&problem).expect("the problem is sound");
        let text = render(&problem, &plan).expect("the plan is right");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        plan.offsets.clear();
        assert_eq!(render(&problem, &plan), Err(PlanError::Foreign));
    }
}

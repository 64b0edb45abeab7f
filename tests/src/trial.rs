//! What a damaged file may do: be refused, or run within its arena and its time.

use std::time::{Duration, Instant};

use secateur::format::{Header, Tables, metadata, seal};
use secateur::{LoadError, Model, Session, kernels, self_check};
use secateur_converter::model_file::ModelFile;
use zerocopy::{FromBytes, IntoBytes};

/// Most steps of an inference that is still run.
const PATIENCE: u64 = 1 << 20;

/// Largest arena that is still allocated.
const LARGEST_ARENA: usize = 1 << 20;

/// Bytes before and after an arena.
const CANARY: usize = 64;

/// Most time that an inference takes per step of [`Model::work`], unoptimized kernels and a busy machine included.
const PER_STEP: Duration = Duration::from_nanos(500);

/// Most time that an inference takes on top of its steps: nodes and metadata.
const OVERHEAD: Duration = Duration::from_millis(5);

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It does not load.
    Refused(LoadError),
    /// It loads, but states more work or a larger arena than the tests have patience for.
    Large,
    /// It ran.
    Ran,
}

/// Loads and runs a file.
///
/// Asserts that an inference stays within the arena and within the time that the model's work allows.
///
/// # Panics
/// If one of these does not hold, or anything else in the runtime panics.
pub fn trial(file: &ModelFile) -> Outcome {
    load_and_run(file, |model| {
        let allowed = OVERHEAD + PER_STEP * u32::try_from(model.work()).unwrap_or(u32::MAX);
        // Another process may take the time away, but hardly every time.
        let in_time = (0..5).any(|_| run(model) <= allowed);
        assert!(in_time, "an inference of {} steps takes more than {allowed:?}", model.work());
    })
}

/// As [`trial`], but whatever time it takes.
///
/// # Panics
/// As [`trial`].
pub fn trial_without_clock(file: &ModelFile) -> Outcome {
    load_and_run(file, |model| {
        run(model);
    })
}

fn load_and_run(file: &ModelFile, run: impl FnOnce(&Model<'_>)) -> Outcome {
    let model = match Model::load(file.bytes(), &kernels::ALL) {
        Ok(model) => model,
        Err(error) => return Outcome::Refused(error),
    };
    metadata::entries(model.tables().metadata()).for_each(drop);
    if model.work() > PATIENCE || model.arena_len() > LARGEST_ARENA {
        return Outcome::Large;
    }
    run(&model);
    Outcome::Ran
}

/// Runs the model between canaries and gives the time of one inference.
fn run(model: &Model<'_>) -> Duration {
    let len = model.arena_len();
    let mut memory = vec![0xc5c5_c5c5_u32; (2 * CANARY + len).div_ceil(4)];
    let memory = memory.as_mut_bytes();
    let mut session = Session::new(model, &mut memory[CANARY..CANARY + len]).expect("an arena as demanded");
    let start = Instant::now();
    let _ = self_check::self_check(&mut session);
    let took = start.elapsed();
    for port in 0..model.tables().outputs().len().min(4) {
        session.output_bytes(port).expect("an output in the arena");
    }
    let _ = session.input_mut::<i8>("input");
    assert!(memory[..CANARY].iter().all(|&byte| byte == 0xc5), "written before the arena");
    assert!(memory[CANARY + len..].iter().all(|&byte| byte == 0xc5), "written after the arena");
    took
}

/// Writes the right CRC-32 into a file, as far as it says that it reaches.
pub fn reseal(file: &mut ModelFile) {
    let bytes = file.bytes_mut();
    let stated = Header::ref_from_prefix(bytes).map_or(0, |(header, _)| header.total_len as usize);
    let len = if (Header::LEN..bytes.len()).contains(&stated) { stated } else { bytes.len() };
    seal(&mut bytes[..len]);
}

/// Writes the right work into a file, where its nodes have one, and the right CRC-32.
pub fn restate_work(file: &mut ModelFile) {
    reseal(file);
    let Ok(tables) = Tables::read(file.bytes()) else { return };
    let work = tables.nodes().try_fold(0u64, |sum, node| {
        let own = (kernels::ALL.find(&node)?.check)(&node).ok()?;
        Some(sum.saturating_add(own))
    });
    if let Some(work) = work
        && let Ok((header, _)) = Header::mut_from_prefix(file.bytes_mut())
    {
        header.work = work.into();
        reseal(file);
    }
}

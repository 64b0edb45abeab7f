//! Runs any model that lies in the model region on vectors from the host.
//!
//! Command line: `runner INPUT OUTPUT [check]`, names of files on the host. INPUT holds vectors one after another, each
//! with all inputs one after another in the tensors' own types; OUTPUT gets the outputs of every vector in the same form.
//! With `check` the model first proves itself on its reference input. On success the standard output has two lines,
//! `arena BYTES` and `stack BYTES of BYTES`; otherwise the standard error says why, and the exit code is 1.
#![no_std]
#![no_main]

use core::ffi::CStr;
use core::fmt::{self, Display};

use secateur::{Arena, LoadError, Model, Session, SessionError, kernels, self_check};
use secateur_boards::board::{self, Exit};
use secateur_boards::{flash, stack};
use semihosting::experimental::env;
use semihosting::fs::File;
use semihosting::io::{self, Read, Write};

/// Bytes for activations: what the board's RAM leaves beside the stack, see `build.rs`.
const ARENA_LEN: usize = parse(env!("SECATEUR_RUNNER_ARENA"));

#[cortex_m_rt::entry]
fn main() -> ! {
    // The attribute hands it over as the one reference to it.
    static mut ARENA: Arena<ARENA_LEN> = Arena::new();

    board::init();
    match run(ARENA) {
        Ok(()) => board::exit(Exit::Success),
        Err(error) => {
            if let Ok(mut stream) = io::stderr() {
                let _ = writeln!(stream, "{error}");
            }
            board::exit(Exit::Failure)
        }
    }
}

/// Why there is no output.
enum RunError {
    Usage,
    Load(LoadError),
    Session(SessionError),
    Check(self_check::SelfCheckError),
    Host(io::Error),
    CutVector,
}

impl Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => f.write_str("usage: runner INPUT OUTPUT [check]"),
            Self::Load(error) => write!(f, "the model does not load: {error}"),
            Self::Session(error) => write!(f, "the model does not start: {error}"),
            Self::Check(error) => write!(f, "the model does not give its reference results: {error}"),
            Self::Host(error) => write!(f, "input or output: {error}"),
            Self::CutVector => f.write_str("the input ends inside a vector"),
        }
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Host(error)
    }
}

fn run(arena: &mut [u8]) -> Result<(), RunError> {
    let words = env::args::<256>().map_err(|_| RunError::Usage)?;
    let mut words = (&words).skip(1);
    let mut word = || words.next().and_then(Result::ok);
    let (Some(input), Some(output)) = (word(), word()) else { return Err(RunError::Usage) };
    let (mut names, mut other) = ([0; 128], [0; 128]);
    let input = c_string(input, &mut names).ok_or(RunError::Usage)?;
    let output = c_string(output, &mut other).ok_or(RunError::Usage)?;
    let check = word() == Some("check");

    let model = Model::load(flash::model_region(), &kernels::ALL).map_err(RunError::Load)?;
    let mut session = Session::new(&model, arena).map_err(RunError::Session)?;
    if check {
        self_check::self_check(&mut session).map_err(RunError::Check)?;
    }
    let mut input = File::open(input)?;
    let mut output = File::create(output)?;
    while read_vector(&mut session, &model, &mut input)? {
        session.run();
        for port in 0..model.tables().outputs().len() {
            if let Ok(bytes) = session.output_bytes(port) {
                output.write_all(bytes)?;
            }
        }
    }
    let mut stream = io::stdout()?;
    let _ = writeln!(stream, "arena {}", model.arena_len());
    let _ = writeln!(stream, "stack {} of {}", stack::high_water(), stack::room());
    Ok(())
}

/// Fills the inputs with the next vector; false at the end of the file.
fn read_vector(session: &mut Session<'_, '_>, model: &Model<'_>, file: &mut File) -> Result<bool, RunError> {
    for port in 0..model.tables().inputs().len() {
        let Ok(bytes) = session.input_bytes_mut(port) else { continue };
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 if port == 0 && filled == 0 => return Ok(false),
                0 => return Err(RunError::CutVector),
                count => filled += count,
            }
        }
    }
    Ok(true)
}

/// A word of the command line with a zero behind it.
fn c_string<'b>(word: &str, buffer: &'b mut [u8; 128]) -> Option<&'b CStr> {
    buffer.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
    *buffer.get_mut(word.len())? = 0;
    CStr::from_bytes_until_nul(buffer).ok()
}

/// A decimal number.
const fn parse(digits: &str) -> usize {
    let digits = digits.as_bytes();
    let mut value = 0;
    let mut i = 0;
    while i < digits.len() {
        value = 10 * value + (digits[i] - b'0') as usize;
        i += 1;
    }
    value
}

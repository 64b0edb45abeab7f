//! Runs the model in the model region on vectors from the host: one firmware per board for every model.
//!
//! The command line is `runner INPUT OUTPUT [WORD ...]`. INPUT holds vectors one after another, each with all inputs of
//! the model in the tensors' own types; OUTPUT gets the outputs of every vector in the same form. A word is
//!
//! - `check`: compare every node with its reference first ([`secateur::self_check`]);
//! - `dump=FILE`: write what every node gives to FILE, node by node, vector by vector.
//!
//! The standard output gets lines of a name and a number each: `vectors`; `arena` and `arena_room`, bytes that the model
//! needs and that the board has; `stack_load`, `stack_run` and `stack_room`, bytes of stack that loading and an
//! inference took, and those there are. Exit code 1 comes with the reason on the standard error.
#![no_std]
#![no_main]

use core::fmt;

use secateur::format::Node;
use secateur::self_check::SelfCheckError;
use secateur::{Arena, LoadError, Model, Observer, PortError, Session, SessionError, kernels, self_check};
use secateur_boards::board::{self, Exit};
use secateur_boards::host::{self, CommandLine, File, HostError};
use secateur_boards::{flash, stack};

/// All of RAM but what other variables and the stack take.
const ARENA: usize = board::RAM - 4 * 1024;

#[cortex_m_rt::entry]
fn main() -> ! {
    // The attribute hands it over as the one reference to it.
    static mut MEMORY: Arena<ARENA> = Arena::new();

    board::init();
    match run(MEMORY) {
        Ok(()) => board::exit(Exit::Success),
        Err(failure) => {
            board::complain_with(format_args!("{failure}\n"));
            board::exit(Exit::Failure)
        }
    }
}

fn run(arena: &mut [u8]) -> Result<(), Failure> {
    let line = CommandLine::read()?;
    let (Some(input), Some(output)) = (line.next()?, line.next()?) else { return Err(Failure::Usage) };
    let (mut input, mut output) = (File::open(input)?, File::create(output)?);
    let mut options = Options::read(&line)?;

    let room = arena.len();
    let (model, stack_load) = stack::measure(|| Model::load(flash::model_region(), &kernels::ALL));
    check_stack()?;
    let model = model?;
    let mut session = Session::new(&model, arena)?;
    if options.check {
        self_check::self_check(&mut session)?;
    }
    let (mut vectors, mut stack_run) = (0, 0);
    while read_vector(&mut session, &mut input)? {
        match &mut options.dump {
            Some(dump) => session.run_observed(dump),
            None => stack_run = stack_run.max(stack::measure(|| session.run()).1),
        }
        check_stack()?;
        write_vector(&session, &mut output)?;
        vectors += 1;
    }
    options.dump.map_or(Ok(()), |dump| dump.result)?;

    host::print("vectors", vectors);
    host::print("arena", model.arena_len());
    host::print("arena_room", room);
    host::print("stack_load", stack_load);
    host::print("stack_run", stack_run);
    host::print("stack_room", stack::room());
    Ok(())
}

/// The arena lies where a stack that is too deep ends up.
fn check_stack() -> Result<(), Failure> {
    if stack::high_water() < stack::room() { Ok(()) } else { Err(Failure::Stack) }
}

/// Fills the model's inputs; gives whether there was another vector.
fn read_vector(session: &mut Session<'_, '_>, input: &mut File) -> Result<bool, Failure> {
    let ports = session.model().tables().inputs().len();
    if ports == 0 {
        return Err(Failure::NoInputs);
    }
    for port in 0..ports {
        let bytes = session.input_bytes_mut(port)?;
        let count = input.read(bytes)?;
        if port == 0 && count == 0 {
            return Ok(false);
        }
        if count != bytes.len() {
            return Err(Failure::CutInput);
        }
    }
    Ok(true)
}

fn write_vector(session: &Session<'_, '_>, output: &mut File) -> Result<(), Failure> {
    for port in 0..session.model().tables().outputs().len() {
        output.write(session.output_bytes(port)?)?;
    }
    Ok(())
}

/// What the words after the file names ask for.
struct Options {
    check: bool,
    dump: Option<Dump>,
}

impl Options {
    fn read(line: &CommandLine) -> Result<Self, Failure> {
        let mut options = Self { check: false, dump: None };
        while let Some(word) = line.next()? {
            match word.split_once('=') {
                None if word == "check" => options.check = true,
                Some(("dump", path)) => {
                    options.dump = Some(Dump { file: File::create(path)?, result: Ok(()) });
                }
                _ => return Err(Failure::Usage),
            }
        }
        Ok(options)
    }
}

/// Writes what every node gives.
struct Dump {
    file: File,
    result: Result<(), HostError>,
}

impl Observer for Dump {
    fn after(&mut self, _: u16, node: &Node<'_>, arena: &[u8]) {
        let outputs = (0..node.outputs().len()).filter_map(|index| arena.get(node.output(index)?.range()));
        self.result = outputs.fold(self.result, |result, bytes| result.and_then(|()| self.file.write(bytes)));
    }
}

/// Why the program cannot do its work.
enum Failure {
    Usage,
    Host(HostError),
    Load(LoadError),
    Session(SessionError),
    SelfCheck(SelfCheckError),
    Port(PortError),
    NoInputs,
    CutInput,
    Stack,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => f.write_str("the command line is not INPUT OUTPUT [check] [dump=FILE]"),
            Self::Host(error) => error.fmt(f),
            Self::Load(error) => write!(f, "the model does not load: {error}"),
            Self::Session(error) => error.fmt(f),
            Self::SelfCheck(error) => write!(f, "self-check: {error}"),
            Self::Port(error) => error.fmt(f),
            Self::NoInputs => f.write_str("the model has no inputs"),
            Self::CutInput => f.write_str("the input ends within a vector"),
            Self::Stack => f.write_str("the stack has reached its end; the results are not to be trusted"),
        }
    }
}

macro_rules! from {
    ($($variant:ident: $error:ty,)*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    Host: HostError,
    Load: LoadError,
    Session: SessionError,
    SelfCheck: SelfCheckError,
    Port: PortError,
}

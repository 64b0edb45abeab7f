//! Which source of values is for which input.

use super::{FeedError, Given, names};
use crate::io::input::Input;
use crate::port::Port;

/// Makes each array of an archive a source of its own. A single one needs no name.
pub(super) fn separate(given: Vec<Given>) -> Vec<Given> {
    let mut sources = Vec::new();
    for Given { name, origin, input } in given {
        match input {
            Input::Named(mut arrays) if arrays.len() == 1 => {
                let array = arrays.remove(0).1;
                sources.push(Given { name, origin, input: Input::Array(array) });
            }
            Input::Named(arrays) => sources.extend(arrays.into_iter().map(|(array_name, array)| Given {
                origin: format!("{origin}, array '{array_name}'"),
                name: Some(array_name),
                input: Input::Array(array),
            })),
            input => sources.push(Given { name, origin, input }),
        }
    }
    sources
}

/// One source per input, in the order of the inputs.
pub(super) fn assign(inputs: &[Port], sources: Vec<Given>) -> Result<Vec<Given>, FeedError> {
    let (mut named, unnamed): (Vec<_>, Vec<_>) = sources.into_iter().partition(|given| given.name.is_some());
    if named.is_empty() {
        if unnamed.is_empty() {
            return Err(FeedError::Nothing);
        }
        if unnamed.len() != inputs.len() {
            return Err(FeedError::SourceCount {
                given: unnamed.len(),
                inputs: inputs.len(),
                names: names(inputs),
            });
        }
        return Ok(unnamed);
    }
    let mut unnamed = unnamed.into_iter();
    let mut assigned = Vec::new();
    for port in inputs {
        let position = named.iter().position(|given| given.name.as_deref() == Some(&port.name));
        let source = position.map(|position| named.remove(position)).or_else(|| unnamed.next());
        assigned.push(source.ok_or_else(|| FeedError::Absent {
            input: port.name.clone(),
            names: quoted(named.iter().filter_map(|given| given.name.as_deref())),
        })?);
    }
    match named.into_iter().chain(unnamed).next() {
        None => Ok(assigned),
        Some(Given { name: Some(name), origin, .. }) => {
            Err(FeedError::UnknownInput { origin, name, names: names(inputs) })
        }
        Some(_) => Err(FeedError::SourceCount {
            given: assigned.len() + 1,
            inputs: inputs.len(),
            names: names(inputs),
        }),
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

//! Operators as the file lists them: what they are, and the tensors they touch.

use std::borrow::Cow;

use super::convert::{Convert, convert};
use super::flatbuffer::{Broken, Field, File, Table};
use super::schema::{self, operator as field, operator_code};
use super::shortened;
use super::tensor::ReadTensor;
use crate::import::ImportFault;
use crate::ir::{Place, TensorId};

/// What an operator code of the file stands for.
pub(super) enum Code {
    Builtin { name: &'static str, number: i32, version: i32 },
    Custom { name: String },
    Unknown { number: i32 },
}

impl Code {
    pub(super) fn read(table: Table<'_>) -> Result<Code, Broken> {
        // Numbers above 127 are in the newer field alone; older files have the older field alone.
        let older: i8 = table.scalar(operator_code::DEPRECATED_BUILTIN_CODE, 0)?;
        let newer: i32 = table.scalar(operator_code::BUILTIN_CODE, 0)?;
        let number = newer.max(older.into());
        if number == schema::CUSTOM {
            return Ok(Code::Custom { name: shortened(&table.text(operator_code::CUSTOM_CODE)?) });
        }
        Ok(match schema::operator_name(number) {
            Some(name) => Code::Builtin { name, number, version: table.scalar(operator_code::VERSION, 1)? },
            None => Code::Unknown { number },
        })
    }

    /// How the format calls the operator.
    fn name(&self) -> Cow<'_, str> {
        match self {
            Code::Builtin { name, .. } => (*name).into(),
            Code::Custom { name } => format!("CUSTOM {name}").into(),
            Code::Unknown { number } => format!("operator {number}").into(),
        }
    }

    fn convert(&self) -> Result<Convert, ImportFault> {
        match self {
            &Code::Builtin { name, number, version } => match convert(name) {
                None => Err(ImportFault::UnsupportedOperator { name, number }),
                Some((_, known)) if version > known => {
                    Err(ImportFault::OperatorVersion { found: version, known })
                }
                Some((convert, _)) => Ok(convert),
            },
            Code::Custom { name } => Err(ImportFault::CustomOperator { name: name.clone() }),
            &Code::Unknown { number } => Err(ImportFault::UnknownOperator { number }),
        }
    }
}

/// An operator of the file before its conversion.
pub(super) struct ReadOperator<'a> {
    /// The name that its node will have: that of its first output.
    pub(super) name: String,
    pub(super) place: Place,
    /// How to convert it, if it is supported.
    pub(super) convert: Option<Convert>,
    pub(super) inputs: Vec<Option<TensorId>>,
    pub(super) outputs: Vec<TensorId>,
    pub(super) options_kind: u8,
    pub(super) options: Table<'a>,
    pub(super) faults: Vec<ImportFault>,
}

impl<'a> ReadOperator<'a> {
    /// Reads the operator at position `index`.
    pub(super) fn read(
        file: &'a File<'a>,
        index: usize,
        table: Table<'a>,
        codes: &[Code],
        tensors: &[ReadTensor],
    ) -> Result<Self, Broken> {
        let mut faults = Vec::new();
        let inputs: Vec<i32> = table.vector(field::INPUTS)?;
        let outputs: Vec<i32> = table.vector(field::OUTPUTS)?;
        let mut id = |field: Field, index: i32| {
            let id = tensor_id(index, tensors.len());
            if id.is_none() {
                let count = tensors.len();
                faults.push(ImportFault::Index { field: field.name, index: index.into(), count });
            }
            id
        };
        let inputs =
            inputs.iter().map(|&index| if index == -1 { None } else { id(field::INPUTS, index) }).collect();
        let outputs: Vec<_> = outputs.iter().filter_map(|&index| id(field::OUTPUTS, index)).collect();

        let code_index: u32 = table.scalar(field::OPCODE_INDEX, 0)?;
        let code = codes.get(code_index as usize);
        let convert = code.map_or_else(
            || {
                let (index, count) = (code_index.into(), codes.len());
                Err(ImportFault::Index { field: field::OPCODE_INDEX.name, index, count })
            },
            Code::convert,
        );
        let convert = convert.map_err(|fault| faults.push(fault)).ok();
        let name = outputs.first().map(|output| shortened(&tensors[output.index()].name)).unwrap_or_default();
        let operator = code.map_or("unknown operator".into(), Code::name).into_owned();
        Ok(ReadOperator {
            place: Place::Node { index, name: name.clone(), operator },
            name,
            convert,
            inputs,
            outputs,
            options_kind: table.scalar(field::BUILTIN_OPTIONS_TYPE, 0)?,
            options: table
                .table(field::BUILTIN_OPTIONS, "builtin_options")?
                .unwrap_or(Table::absent(file, "builtin_options")),
            faults,
        })
    }

    /// All tensors read or written.
    pub(super) fn tensors(&self) -> impl Iterator<Item = TensorId> {
        self.inputs.iter().flatten().chain(&self.outputs).copied()
    }
}

/// The id of the tensor at a position, if there are so many.
pub(super) fn tensor_id(index: i32, count: usize) -> Option<TensorId> {
    u32::try_from(index).ok().filter(|&index| (index as usize) < count).map(TensorId)
}

//! The models of single operators import with the shapes that their golden vectors have.

use secateur_converter::import::Imported;
use secateur_converter::import::tflite::import;

use crate::files;

/// Operators that have golden vectors but are not supported.
const UNSUPPORTED: [&str; 1] = ["MIRROR_PAD"];

#[test]
fn every_operator_imports() {
    let folder = files::project("golden/operators");
    let index = files::json(folder.join("index.json"));
    let mut imported_operators = std::collections::BTreeSet::new();
    for case in index["cases"].as_array().expect("a list") {
        let name = case["name"].as_str().expect("a name");
        let operators = case["operators"].as_array().expect("a list");
        let result = import(&files::read(folder.join(name).with_extension("tflite")));
        if operators.iter().any(|operator| UNSUPPORTED.contains(&operator.as_str().unwrap_or(""))) {
            assert!(result.is_err(), "{name} is supported by now");
            continue;
        }
        let graph = match result {
            Ok(Imported::Quantized(graph)) => graph,
            Ok(other) => panic!("{name}: {other:?}"),
            Err(errors) => panic!("{name}: {errors}"),
        };
        for (key, ids) in [("inputs", graph.inputs()), ("outputs", graph.outputs())] {
            let described = case[key].as_array().expect("a list");
            assert_eq!(ids.len(), described.len(), "{name} {key}");
            for (&id, described) in ids.iter().zip(described) {
                assert_eq!(described["shape"], serde_json::json!(graph[id].shape.to_vec()), "{name} {key}");
            }
        }
        imported_operators.extend(operators.iter().map(ToString::to_string));
    }
    eprintln!("{} operators: {imported_operators:?}", imported_operators.len());
    assert!(imported_operators.len() >= 30);
}

use super::super::fault::WeightsFault;
use super::{Handle, Object, Objects, load};

/// The value of a pickle in a form that reads well.
fn show(objects: &Objects, value: Handle) -> String {
    let list = |items: &[Handle]| items.iter().map(|&item| show(objects, item)).collect::<Vec<_>>().join(" ");
    match objects.get(value) {
        Object::None => "none".into(),
        Object::Integer(value) => value.to_string(),
        Object::Text(text) => format!("'{text}'"),
        Object::Sequence(items) => format!("[{}]", list(items)),
        Object::Mapping(entries) => {
            let entry =
                |&(key, value): &(Handle, Handle)| format!("{}:{}", show(objects, key), show(objects, value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
        Object::Global { module, name } => format!("{module}.{name}"),
        Object::Storage(storage) => format!("storage {} of {}", storage.key, storage.count),
        Object::Tensor(tensor) => format!("tensor in {} {:?}", tensor.storage, tensor.view),
        Object::Unreadable(why) => format!("unreadable: {why}"),
        Object::Opaque => "opaque".into(),
    }
}

fn value(pickle: &[u8]) -> Result<String, WeightsFault> {
    load(pickle).map(|(objects, root, _)| show(&objects, root))
}

#[test]
fn values_are_read_in_every_protocol() {
    for (pickle, expected) in [
        (&b"I42\n."[..], "42"),
        (b"L-7L\n.", "-7"),
        (b"L99999999999999999999L\n.", "opaque"),
        (b"F1.5\n.", "opaque"),
        (b"S'text'\n.", "'text'"),
        (b"Vtext\n.", "'text'"),
        (b"(I1\nI2\nl.", "[1 2]"),
        (b"(S'a'\nI1\nd.", "{'a':1}"),
        (b"(lp0\nI1\nag0\n0.", "[1]"),
        (b"\x80\x02K\x05M\x01\x02\x86.", "[5 513]"),
        (b"\x80\x02J\xff\xff\xff\xff.", "-1"),
        (b"\x80\x02\x8a\x01\xfe\x8a\x00\x86.", "[-2 0]"),
        (b"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", "opaque"),
        (b"\x80\x02\x88\x89N\x87.", "[1 0 none]"),
        (b"\x80\x02](K\x01K\x02e.", "[1 2]"),
        (b"\x80\x02K\x01(K\x021.", "1"),
        (b"\x80\x02K\x012\x86.", "[1 1]"),
        (b"\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94h\x00\x86.", "['a' 'a']"),
        (b"\x80\x04\x8f(K\x01\x90.", "[1]"),
        (b"\x80\x04\x8c\x01a\x8c\x01b\x93.", "a.b"),
        (b"\x80\x02ccollections\nOrderedDict\n)R(U\x01aK\x01u.", "{'a':1}"),
        (b"\x80\x02ccollections\nOrderedDict\n]U\x01aK\x01\x86a\x85R}U\x09_metadataNsb.", "{'a':1}"),
        (b"\x80\x02ctorch\nSize\nK\x02K\x03\x86\x85R.", "[2 3]"),
        (b"\x80\x02cargparse\nNamespace\n)\x81}U\x01aK\x01sb.", "opaque"),
    ] {
        assert_eq!(value(pickle).as_deref(), Ok(expected), "{}", pickle.escape_ascii());
    }
}

#[test]
fn what_follows_a_pickle_is_left() {
    let rest = load(b"N.rest").map(|(_, _, rest)| rest);
    assert_eq!(rest.ok(), Some(&b"rest"[..]));
}

#[test]
fn storages_and_tensors_are_described() {
    let storage = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x06tQ";
    let tensor = |function: &str, rest: &[u8]| {
        [b"\x80\x02ctorch._utils\n", function.as_bytes(), b"\n(", storage, b"K\x01K\x02\x85K\x03\x85", rest]
            .concat()
    };
    let expected = "tensor in 0 View { offset: 1, shape: [2], strides: [3] }";
    assert_eq!(value(&tensor("_rebuild_tensor", b"tR.")).as_deref(), Ok(expected));
    assert_eq!(value(&tensor("_rebuild_tensor_v2", b"\x89NtR.")).as_deref(), Ok(expected));
    assert_eq!(value(&tensor("_rebuild_tensor_v3", b"\x89Nctorch\nuint16\ntR.")).as_deref(), Ok(expected));
    let unknown = value(&tensor("_rebuild_nested_tensor", b"tR."));
    assert_eq!(unknown.as_deref(), Ok("unreadable: of a kind that is not supported"));
    let parameter =
        [b"ctorch._utils\n_rebuild_parameter\n(", &tensor("_rebuild_tensor", b"tR")[..], b"\x88NtR."]
            .concat();
    assert_eq!(value(&parameter).as_deref(), Ok(expected));
    let part = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x06(U\x01vK\x02K\x04ttQ.";
    assert_eq!(value(part).as_deref(), Ok("storage 0 of 6"));
}

#[test]
fn damage_is_named() {
    let malformed = |what| WeightsFault::Malformed { what };
    for (pickle, expected) in [
        (&b""[..], WeightsFault::Cut),
        (b"U\x05abc", WeightsFault::Cut),
        (b"Vabc", WeightsFault::Cut),
        (b".", WeightsFault::Stack),
        (b"N0.", WeightsFault::Stack),
        (b"N(0.", WeightsFault::Stack),
        (b"NN\x87.", WeightsFault::Stack),
        (b"t.", WeightsFault::Stack),
        (b"h\x00.", malformed("a reference to nothing")),
        (b"(U\x01ad.", malformed("a key without a value")),
        (b"NNa.", malformed("elements of a value that is no list")),
        (b"NNNs.", malformed("entries of a value that is no dictionary")),
        (b"N)R.", malformed("a call of a value that is no function")),
        (b"NN\x93.", malformed("a function whose name is not a text")),
        (b"NNb.", malformed("attributes of a value that has none")),
        (b"X\x01\0\0\0\xff.", malformed("a text that is not UTF-8")),
        (b")Q.", malformed("a storage described wrongly")),
        (b"\xff", WeightsFault::Opcode { opcode: 0xff }),
        (b"cos\nsystem\nU\x01a\x85R.", WeightsFault::Call { function: "os.system".into() }),
        (b"cx\nNet\n)\x81.", WeightsFault::Class { class: "x.Net".into() }),
    ] {
        assert_eq!(value(pickle), Err(expected), "{}", pickle.escape_ascii());
    }
}

//! JSON from a server, read field by field. Fields that a reader does not know stay as the server sent them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The elements of an array as JSON text, at most `MAX` and one more.
#[derive(Debug)]
pub(crate) struct Elements<'a, const MAX: usize>(Vec<&'a RawValue>);

impl<'a, const MAX: usize> Elements<'a, MAX> {
    /// Parses an array. Returns `None` if it is not an array, or if it has more than `MAX` elements.
    pub fn parse(json: &'a RawValue) -> Option<Vec<&'a RawValue>> {
        let Elements(elements) = serde_json::from_str::<Elements<'_, MAX>>(json.get()).ok()?;
        (elements.len() <= MAX).then_some(elements)
    }
}

impl<'de: 'a, 'a, const MAX: usize> Deserialize<'de> for Elements<'a, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array<const MAX: usize>;
        impl<'de, const MAX: usize> Visitor<'de> for Array<MAX> {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() <= MAX {
                    match array.next_element()? {
                        Some(element) => elements.push(element),
                        None => return Ok(elements),
                    }
                }
                while array.next_element::<IgnoredAny>()?.is_some() {}
                Ok(elements)
            }
        }
        deserializer.deserialize_seq(Array::<MAX>).map(Self)
    }
}

/// Returns the value if the field is a string.
pub(crate) fn text(field: Option<&RawValue>) -> Option<String> {
    serde_json::from_str::<Cow<'_, str>>(field?.get()).ok().map(Cow::into_owned)
}

/// Returns the value if the field is a boolean.
pub(crate) fn boolean(field: Option<&RawValue>) -> Option<bool> {
    serde_json::from_str(field?.get()).ok()
}

/// Returns whether the value is an object.
pub(crate) fn is_object(field: &RawValue) -> bool {
    field.get().starts_with('{')
}

/// Returns whether arrays and objects are nested deeper than `levels`.
pub(crate) fn is_deeper_than(json: &str, levels: usize) -> bool {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    json.bytes().any(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > levels
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn elements_stay_as_they_are() {
        let parsed = Elements::<3>::parse(raw("[1e400, {\"b\": 1, \"a\": 2} , \"\\u00e4\"]"));
        let parsed: Vec<_> = parsed.expect("an array").iter().map(|element| element.get()).collect();
        assert_eq!(parsed, ["1e400", "{\"b\": 1, \"a\": 2}", "\"\\u00e4\""]);
    }

    #[test]
    fn an_array_with_too_many_elements_and_other_values_are_refused() {
        for json in ["[1,2,3,4]", "[1,2,3,4,5,6,7]", "{}", "null", "1"] {
            assert!(Elements::<3>::parse(raw(json)).is_none(), "{json}");
        }
    }

    #[test]
    fn fields_of_another_type_are_absent() {
        for json in ["1", "null", "{}", "[\"a\"]"] {
            assert_eq!(text(Some(raw(json))), None, "{json}");
            assert_eq!(boolean(Some(raw(json))), None, "{json}");
        }
        assert_eq!(text(Some(raw("\"\\u00e4\""))).as_deref(), Some("ä"));
        assert_eq!(boolean(Some(raw("true"))), Some(true));
    }

    #[test]
    fn brackets_in_strings_are_no_levels() {
        assert!(!is_deeper_than(r#"{"a": "[[[[\"[[", "b": [1]}"#, 2));
        assert!(is_deeper_than("[[[1]]]", 2));
        assert!(is_deeper_than(&"[".repeat(10_000), 100));
    }
}

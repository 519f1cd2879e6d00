//! The members of a JSON object, with their values as the text that was received.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members in their order. The texts of the values are not changed, so numbers keep their precision, and objects the
/// order of their members.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Members<'a> {
    /// Parses an object. Returns `None` if the text is not one.
    pub fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Returns the text of a value. Of several members with the same name, the last one counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// Returns a value that is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Replaces the value of a member, or adds the member at the end. `json` is JSON text.
    pub fn set(&mut self, name: &'a str, json: impl Into<Cow<'a, str>>) {
        let json = json.into();
        match self.0.iter_mut().rfind(|(known, _)| known == name) {
            Some((_, value)) => *value = json,
            None => self.0.push((Cow::Borrowed(name), json)),
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Returns the object as JSON text.
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (position, (name, value)) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "," };
            let _ = write!(json, "{separator}{}:{value}", quoted(name));
        }
        json.push('}');
        json
    }
}

/// Returns a string as JSON text.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = object.next_key()? {
                    let value: &RawValue = object.next_value()?;
                    members.push((name, Cow::Borrowed(value.get())));
                }
                Ok(Members(members))
            }
        }
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_text() {
        let json = r#"{"big":123456789012345678901234567890,"z":{"b":1.10,"a":[1e400]},"\u00e4":"\u00e4"}"#;
        let members = Members::parse(json).expect("an object");
        assert_eq!(members.to_json(), json.replacen("\\u00e4", "ä", 1));
        assert_eq!(members.get("z"), Some(r#"{"b":1.10,"a":[1e400]}"#));
        assert_eq!(members.text("ä"), Some("ä".to_owned()));
    }

    #[test]
    fn a_member_is_replaced_in_its_place_added_at_the_end_or_removed() {
        let mut members = Members::parse(r#"{"a":1,"b":2,"a":3}"#).expect("an object");
        members.set("b", "[]");
        members.set("c", quoted("\"x\""));
        assert_eq!(
            (members.get("a"), members.to_json()),
            (Some("3"), r#"{"a":1,"b":[],"a":3,"c":"\"x\""}"#.into())
        );
        members.remove("a");
        assert_eq!(members.to_json(), r#"{"b":[],"c":"\"x\""}"#);
        assert!(Members::parse("[]").is_none());
    }
}

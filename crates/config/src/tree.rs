//! The tree of the file's text. A change of the tree keeps the rest of the text.

use jsonc_parser::cst::{CstInputValue, CstObject, CstObjectProp, CstRootNode};

use crate::ConfigError;
use crate::parse::syntax;

/// Parses the text into a tree.
pub(crate) fn parse_root(body: &str) -> Result<CstRootNode, ConfigError> {
    CstRootNode::parse(body, &syntax::options()).map_err(|error| ConfigError::InvalidServer {
        why: format!("the file could not be parsed: {}", error.kind()),
        hint: None,
    })
}

/// Finds a property by name. Like the parser, it compares names with their escapes resolved.
pub(crate) fn property(object: &CstObject, name: &str) -> Option<CstObjectProp> {
    object.properties().into_iter().find(|property| property.decoded_name().as_deref() == Some(name))
}

pub(crate) fn text(text: &str) -> CstInputValue {
    CstInputValue::String(text.to_owned())
}

//! The comments in a text of `mcp.json`, and their sanitised form.

use jsonc_parser::cst::{CstContainerNode, CstLeafNode, CstNode};
use serde_json::Value;

use crate::ConfigError;
use crate::display::is_deceptive;
use crate::tree::parse_root;

/// Returns the comments in a part of the text, in order.
pub(crate) fn comments(container: &CstContainerNode) -> Vec<String> {
    let is_comment = |leaf: CstLeafNode| CstNode::Leaf(leaf).as_comment().map(|comment| comment.raw_value());
    leaves(container).into_iter().filter_map(is_comment).collect()
}

/// Returns a text whose comments contain no character that could deceive a terminal or a reader. Each of them becomes a
/// space, because its removal could end a comment. Control characters in strings become escapes.
pub(crate) fn with_clean_comments(text: &str) -> Result<String, ConfigError> {
    let root = parse_root(text)?;
    for leaf in leaves(&root.clone().into()).into_iter().map(CstNode::Leaf) {
        if let Some(comment) = leaf.as_comment() {
            let is_clean = |character: char| matches!(character, '\n' | '\t') || !is_deceptive(character);
            let clean = |character| if is_clean(character) { character } else { ' ' };
            comment.set_raw_value(comment.raw_value().chars().map(clean).collect());
        }
        if let Some(string) =
            leaf.as_string_lit().filter(|string| string.raw_value().contains(char::is_control))
            && let Ok(value) = string.decoded_value()
        {
            string.set_raw_value(Value::from(value).to_string());
        }
    }
    Ok(root.to_string())
}

fn leaves(container: &CstContainerNode) -> Vec<CstLeafNode> {
    let mut found = Vec::new();
    let mut pending: Vec<CstNode> = container.children();
    pending.reverse();
    while let Some(node) = pending.pop() {
        match node {
            CstNode::Container(container) => pending.extend(container.children().into_iter().rev()),
            CstNode::Leaf(leaf) => found.push(leaf),
        }
    }
    found
}

//! Parses the environment of a local program: `env` and `envFile`.

use std::path::Path;

use jsonc_parser::ast::ObjectProp;

use super::reader::{Reader, display_name};
use crate::{Template, env_file};

/// Reads `env`.
pub(crate) fn read(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<Vec<(String, Template)>> {
    let object = reader.object(entry)?;
    let mut env = Vec::new();
    // A name that begins with `_` is a variable here, not a comment.
    for variable in &object.properties {
        let name = variable.name.as_str();
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{}` is not a valid environment variable name", display_name(name));
            reader.error(variable, message, "Use letters, digits and `_`.");
        } else if let Some(value) = reader.template(variable) {
            env.push((name.to_owned(), value));
        }
    }
    Some(env)
}

/// Adds the variables of the file that `envFile` names. Those of `env` take precedence, as in VS Code. A relative path
/// begins at the folder of `mcp.json`.
pub(crate) fn add_file(
    reader: &mut Reader<'_>,
    entry: &ObjectProp<'_>,
    variables: &mut Vec<(String, Template)>,
) {
    let Some(path) = reader.resolved(entry) else { return };
    match env_file::read(&reader.context.folder.join(Path::new(&path))) {
        Ok(read) => {
            let own: std::collections::HashSet<String> =
                variables.iter().map(|(name, _)| name.clone()).collect();
            let added = read.into_iter().filter(|(name, _)| !own.contains(name));
            variables.extend(added.map(|(name, value)| (name, Template::literal(&value))));
        }
        Err(error) => {
            let hint = "Correct the path or the file. A relative path begins at the folder of mcp.json.";
            reader.error(&entry.value, format!("`envFile` cannot be used: {error}"), hint);
        }
    }
}

//! The modules of one crate and the imports between them, read from its sources.
//!
//! - A node is a module with its own file. An inline module belongs to the file that contains it.
//! - An edge is a path to an item of another module: in a `use`, in code or in a macro call.
//! - Re-exports are followed, so an edge ends at the module that defines the item. A re-export (`pub use`) itself is no
//!   edge, unless the code of the same file uses the name.
//! - Code under `#[cfg(test)]` is ignored.
//!
//! **The rule:** imports must not form a cycle, unless one module of the cycle contains all the others. A child module
//! may complete its parent's type, so a parent and its child may import each other. Siblings may not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};

use syn::Item;

use crate::contents::{Contents, given_path, is_test_only};

/// The names from the crate root to a module.
type ModulePath = Vec<String>;

/// The importing module and the imported one.
type Edge = (ModulePath, ModulePath);

/// The modules of one crate.
#[derive(Default)]
pub struct ModuleGraph {
    modules: BTreeMap<ModulePath, Module>,
    imports: BTreeMap<Edge, Import>,
}

#[derive(Default)]
struct Module {
    /// The module whose file contains this one: the module itself, unless it is inline.
    owner: ModulePath,
    file: PathBuf,
    contents: Contents,
}

/// One import, with its place in the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    from: PathBuf,
    line: usize,
    path: String,
    to: PathBuf,
}

impl fmt::Display for Import {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Import { from, line, path, to } = self;
        write!(out, "{}:{line} imports {path} from {}", from.display(), to.display())
    }
}

impl ModuleGraph {
    /// Reads the module in `root` and its descendants. `read` returns the text of a file, or none if it does not exist.
    pub fn read(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> ModuleGraph {
        let mut graph = ModuleGraph::default();
        graph.read_file(Vec::new(), root, root.parent().unwrap_or(Path::new("")), read);
        graph.connect();
        graph
    }

    pub fn len(&self) -> usize {
        self.modules.iter().filter(|(path, module)| **path == module.owner).count()
    }

    /// The cycles that break the rule. Of cycles that share a module only the shortest is listed.
    pub fn cycles(&self) -> Vec<Vec<Import>> {
        let mut cycles = Vec::new();
        for edge @ (from, to) in self.imports.keys() {
            // A cycle that spans two children of `parent` breaks the rule if it does not pass through `parent`.
            let parent = common_parent(from, to);
            if parent.len() < from.len().min(to.len())
                && let Some(back) = self.shortest_path(to, from, parent)
            {
                cycles.push(std::iter::once(edge).chain(back).collect::<Vec<_>>());
            }
        }
        cycles.sort_by_key(Vec::len);
        let mut listed: BTreeSet<&ModulePath> = BTreeSet::new();
        cycles.retain(|cycle| {
            let is_new = !cycle.iter().any(|(from, _)| listed.contains(from));
            if is_new {
                listed.extend(cycle.iter().map(|(from, _)| from));
            }
            is_new
        });
        let imports = |cycle: Vec<&Edge>| cycle.into_iter().map(|edge| self.imports[edge].clone()).collect();
        cycles.into_iter().map(imports).collect()
    }

    /// The edges of a shortest path from one module to another, through descendants of `parent`.
    fn shortest_path(&self, from: &ModulePath, to: &ModulePath, parent: &[String]) -> Option<Vec<&Edge>> {
        let is_inside = |module: &ModulePath| module.len() > parent.len() && module.starts_with(parent);
        let mut came_by: BTreeMap<&ModulePath, &Edge> = BTreeMap::new();
        let mut open = VecDeque::from([from]);
        while let Some(module) = open.pop_front() {
            if module == to {
                let mut path: Vec<&Edge> = Vec::new();
                while path.last().map_or(to, |edge| &edge.0) != from {
                    path.push(came_by[path.last().map_or(to, |edge| &edge.0)]);
                }
                path.reverse();
                return Some(path);
            }
            for edge in self.imports.range((module.clone(), Vec::new())..).map(|(edge, _)| edge) {
                if edge.0 != *module {
                    break;
                }
                if is_inside(&edge.1) && edge.1 != *from && !came_by.contains_key(&edge.1) {
                    came_by.insert(&edge.1, edge);
                    open.push_back(&edge.1);
                }
            }
        }
        None
    }

    fn read_file(
        &mut self,
        module: ModulePath,
        file: &Path,
        children: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) {
        let text = read(file).unwrap_or_else(|| panic!("{} is missing", file.display()));
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read_items(module.clone(), &module, &syntax.items, file, children, read);
    }

    fn read_items(
        &mut self,
        module: ModulePath,
        owner: &ModulePath,
        items: &[Item],
        file: &Path,
        children: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) {
        let entry = self.modules.entry(module.clone()).or_default();
        entry.owner = owner.clone();
        if entry.file.as_os_str().is_empty() {
            entry.file = file.to_owned();
        }
        entry.contents.read(items);
        for item in items {
            let Item::Mod(child) = item else { continue };
            if is_test_only(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let path: ModulePath = module.iter().cloned().chain([name.clone()]).collect();
            let below = children.join(&name);
            if let Some((_, items)) = &child.content {
                self.read_items(path, owner, items, file, &below, read);
            } else if let Some(given) = given_path(&child.attrs) {
                let file = file.parent().unwrap_or(Path::new("")).join(given);
                self.read_file(path, &file, &below, read);
            } else {
                let plain = children.join(format!("{name}.rs"));
                let file = if read(&plain).is_some() { plain } else { below.join("mod.rs") };
                self.read_file(path, &file, &below, read);
            }
        }
    }

    /// Resolves every mention to the module that defines the item.
    fn connect(&mut self) {
        let mut imports = BTreeMap::new();
        for (path, module) in &self.modules {
            for mention in
                module.contents.mentions.iter().filter(|mention| module.contents.may_import(&mention.path))
            {
                let Some(target) = self.resolve(path, &mention.path, 0) else { continue };
                let target = self.modules[&target].owner.clone();
                if target == module.owner {
                    continue;
                }
                let to = self.modules[&target].file.clone();
                let import = Import {
                    from: module.file.clone(),
                    line: mention.line,
                    path: mention.path.join("::"),
                    to,
                };
                imports.entry((module.owner.clone(), target)).or_insert(import);
            }
        }
        self.imports = imports;
    }

    /// The module that defines the item of a path in `module`; none if the item is in another crate.
    fn resolve(&self, module: &ModulePath, path: &[String], depth: usize) -> Option<ModulePath> {
        // Glob imports can form an endless loop.
        if depth > 16 {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let mut current = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => module.split_last()?.1.to_vec(),
            name => {
                let start = self.step(module, name, depth)?;
                if start.1 {
                    return Some(start.0);
                }
                start.0
            }
        };
        while let Some((name, after)) = rest.split_first() {
            rest = after;
            if name == "super" {
                current = current.split_last()?.1.to_vec();
                continue;
            }
            match self.step(&current, name, depth) {
                Some((next, false)) => current = next,
                Some((next, true)) => return Some(next),
                None => break,
            }
        }
        Some(current)
    }

    /// The module of one name in `module`, and whether the name is an item, which ends the path.
    fn step(&self, module: &ModulePath, name: &str, depth: usize) -> Option<(ModulePath, bool)> {
        let child: ModulePath = module.iter().cloned().chain([name.to_owned()]).collect();
        if self.modules.contains_key(&child) {
            return Some((child, false));
        }
        let found = &self.modules.get(module)?.contents;
        if found.items.contains(name) {
            return Some((module.clone(), true));
        }
        if let Some(alias) = found.aliases.get(name) {
            let target = self.resolve(module, &alias.path, depth + 1)?;
            let is_module = alias.path.last().is_some_and(|last| target.last() == Some(last));
            return Some((target, !is_module));
        }
        found.globs.iter().find_map(|glob| {
            let target = self.resolve(module, glob, depth + 1)?;
            if target == *module { None } else { self.step(&target, name, depth + 1) }
        })
    }
}

/// The nearest module that contains both modules.
fn common_parent<'a>(one: &'a [String], other: &[String]) -> &'a [String] {
    let shared = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    &one[..shared]
}

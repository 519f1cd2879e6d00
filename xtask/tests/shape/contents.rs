//! The contents of one module: its items, its imports and the paths in its code.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, UseTree, Visibility};

#[derive(Default)]
pub struct Contents {
    /// The imported names, with the path of each.
    pub aliases: BTreeMap<String, Alias>,
    /// Paths of `use path::*`.
    pub globs: Vec<Vec<String>>,
    /// The names of the items that the module defines.
    pub items: BTreeSet<String>,
    /// The paths in the code of the module.
    pub mentions: Vec<Mention>,
}

pub struct Alias {
    pub path: Vec<String>,
    is_reexport: bool,
}

pub struct Mention {
    pub path: Vec<String>,
    pub line: usize,
}

impl Contents {
    pub fn read(&mut self, items: &[Item]) {
        items.iter().for_each(|item| self.visit_item(item));
    }

    /// Whether the path can be a new edge. A single name is local or already has an edge, unless it is re-exported.
    pub fn may_import(&self, path: &[String]) -> bool {
        path.len() > 1 || self.aliases.get(&path[0]).is_some_and(|alias| alias.is_reexport)
    }

    fn mention(&mut self, path: Vec<String>, span: Span) {
        self.mentions.push(Mention { path, line: span.start().line });
    }

    fn read_use(&mut self, tree: &UseTree, before: &[String], is_reexport: bool) {
        let with = |name: &Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.read_use(&path.tree, &with(&path.ident), is_reexport),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.read_use(tree, before, is_reexport));
            }
            UseTree::Glob(glob) => {
                self.globs.push(before.to_vec());
                self.use_path(before.to_vec(), glob.star_token.spans[0], is_reexport);
            }
            UseTree::Name(name) if name.ident == "self" => {
                self.alias(before.last().cloned().unwrap_or_default(), before.to_vec(), is_reexport);
                self.use_path(before.to_vec(), name.ident.span(), is_reexport);
            }
            UseTree::Name(name) => {
                self.alias(name.ident.to_string(), with(&name.ident), is_reexport);
                self.use_path(with(&name.ident), name.ident.span(), is_reexport);
            }
            UseTree::Rename(rename) => {
                self.alias(rename.rename.to_string(), with(&rename.ident), is_reexport);
                self.use_path(with(&rename.ident), rename.ident.span(), is_reexport);
            }
        }
    }

    fn alias(&mut self, name: String, path: Vec<String>, is_reexport: bool) {
        // `use rmcp;` would be an alias of itself.
        if path != [name.clone()] {
            self.aliases.insert(name, Alias { path, is_reexport });
        }
    }

    fn use_path(&mut self, path: Vec<String>, span: Span, is_reexport: bool) {
        if !is_reexport {
            self.mention(path, span);
        }
    }

    /// Reads the paths in the tokens of a macro call: names joined by `::`.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut start = Span::call_site();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if !path.is_empty() && colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
                other => {
                    if !path.is_empty() {
                        self.mention(std::mem::take(&mut path), start);
                    }
                    colons = 0;
                    match other {
                        TokenTree::Ident(ident) => {
                            start = ident.span();
                            path.push(ident.to_string());
                        }
                        TokenTree::Group(group) => self.read_tokens(group.stream()),
                        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
        }
        if !path.is_empty() {
            self.mention(path, start);
        }
    }
}

impl<'ast> Visit<'ast> for Contents {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attributes): (Option<&Ident>, &[Attribute]) = match item {
            Item::Const(item) => (Some(&item.ident), &item.attrs),
            Item::Enum(item) => (Some(&item.ident), &item.attrs),
            Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
            Item::Impl(item) => (None, &item.attrs),
            Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
            Item::Static(item) => (Some(&item.ident), &item.attrs),
            Item::Struct(item) => (Some(&item.ident), &item.attrs),
            Item::Trait(item) => (Some(&item.ident), &item.attrs),
            Item::Type(item) => (Some(&item.ident), &item.attrs),
            Item::Use(item) => (None, &item.attrs),
            _ => (None, &[]),
        };
        if is_test_only(attributes) {
            return;
        }
        self.items.extend(name.map(ToString::to_string));
        visit::visit_item(self, item);
    }

    /// Child modules have their own contents.
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.read_use(&item.tree, &[], is_reexport);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test_only(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.mention(names, path.segments[0].ident.span());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.read_tokens(call.tokens.clone());
    }
}

/// Whether the attributes contain `#[cfg(test)]`.
pub fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Ident>().is_ok_and(|condition| condition == "test")
    })
}

/// The file of `#[path = "…"]`.
pub fn given_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("path")).find_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
        Some(text.value())
    })
}

//! The items of a server's lists: tools, resources and prompts, each as the JSON that the server sent.
//!
//! An item that cannot be used is kept with the reason, so that it spoils none of the others.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use usher_api::{PromptArgumentView, PromptView, ResourceView, ToolView};
use usher_budgets as budgets;

use super::display::{description, name};
use super::json::{Elements, boolean, is_deeper_than, is_object, text};
use crate::words::offer as words;

const MAX: usize = budgets::LIST_ITEMS;

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    json: Bytes,
    /// Whether a list of tools marks arguments as headers in a way that MCP does not permit.
    has_invalid_headers: bool,
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub offers: Vec<Offer>,
    pub next_cursor: Option<String>,
    /// How long the server permits to reuse the list, in milliseconds.
    pub ttl_millis: Option<u64>,
    /// The bytes that the items keep in memory.
    pub bytes: usize,
}

/// A list of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListName {
    Tools,
    Resources,
    ResourceTemplates,
    Prompts,
}

impl ListName {
    pub const ALL: [Self; 4] = [Self::Tools, Self::Resources, Self::ResourceTemplates, Self::Prompts];

    /// The method that requests a page of the list.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Resources => "resources/list",
            Self::ResourceTemplates => "resources/templates/list",
            Self::Prompts => "prompts/list",
        }
    }

    /// The field of the result that contains the items.
    pub fn field(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageJson<'a> {
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_templates: Option<&'a RawValue>,
    #[serde(borrow)]
    prompts: Option<&'a RawValue>,
    #[serde(borrow)]
    next_cursor: Option<&'a RawValue>,
    #[serde(borrow)]
    ttl_ms: Option<&'a RawValue>,
}

/// The fields of all kinds of items that Usher reads.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferJson<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    #[serde(borrow)]
    annotations: Option<&'a RawValue>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
    #[serde(borrow)]
    output_schema: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<&'a RawValue>,
    #[serde(borrow)]
    uri_template: Option<&'a RawValue>,
    #[serde(borrow)]
    mime_type: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    required: Option<&'a RawValue>,
}

/// The hints about a tool that Usher reads.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnnotationsJson<'a> {
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    read_only_hint: Option<&'a RawValue>,
    #[serde(borrow)]
    destructive_hint: Option<&'a RawValue>,
    #[serde(borrow)]
    idempotent_hint: Option<&'a RawValue>,
}

impl Page {
    /// Reads a page from the result of a list request. Returns `None` if it contains no such list, or a list with too
    /// many items.
    pub fn parse(result: &Bytes, list: ListName) -> Option<Self> {
        let page: PageJson<'_> = serde_json::from_slice(result).ok()?;
        let items = match list {
            ListName::Tools => page.tools,
            ListName::Resources => page.resources,
            ListName::ResourceTemplates => page.resource_templates,
            ListName::Prompts => page.prompts,
        };
        let offers = Elements::<MAX>::parse(items?)?
            .into_iter()
            .map(|item| Offer { json: result.slice_ref(item.get().as_bytes()), has_invalid_headers: false });
        Some(Self {
            offers: offers.collect(),
            next_cursor: text(page.next_cursor),
            ttl_millis: page.ttl_ms.and_then(|ttl| serde_json::from_str(ttl.get()).ok()),
            bytes: result.len(),
        })
    }

    /// Marks the tools whose arguments rmcp did not accept as headers. `accepted` lists the names that it accepted.
    pub fn mark_invalid_headers(&mut self, accepted: &[String]) {
        for offer in self.offers.iter_mut().filter(|offer| offer.may_have_headers()) {
            offer.has_invalid_headers = !accepted.contains(&offer.name());
        }
    }
}

impl Offer {
    /// Returns the name with which the server knows a tool or prompt. Empty if it has none.
    pub fn name(&self) -> String {
        text(self.read().name).unwrap_or_default()
    }

    /// Returns the title of a tool, sanitised for one line.
    pub fn title(&self) -> Option<String> {
        let fields = self.read();
        let title = text(fields.title).or_else(|| text(annotations(&fields).title));
        title.as_deref().map(name)
    }

    /// Returns whether a second call of the tool does no harm.
    pub fn may_repeat(&self) -> bool {
        let hints = self.read();
        let hints = annotations(&hints);
        boolean(hints.read_only_hint) == Some(true) || boolean(hints.idempotent_hint) == Some(true)
    }

    /// Returns the item as the JSON text that the server sent.
    pub fn json(&self) -> Bytes {
        self.json.clone()
    }

    /// Returns why the item cannot be used, as a sentence.
    pub fn broken(&self, list: ListName) -> Option<&'static str> {
        let fields = self.read();
        match list {
            ListName::Tools => self.reason_against_tool(&fields),
            _ if self.is_too_large() => Some(words::TOO_LARGE),
            ListName::Resources => text(fields.uri).is_none().then_some(words::NO_ADDRESS),
            ListName::ResourceTemplates => text(fields.uri_template).is_none().then_some(words::NO_ADDRESS),
            ListName::Prompts => text(fields.name).is_none().then_some(words::NO_NAME),
        }
    }

    /// Returns why the tool cannot be used, as a sentence.
    pub fn broken_tool(&self) -> Option<&'static str> {
        self.reason_against_tool(&self.read())
    }

    pub fn tool(&self) -> ToolView {
        let fields = self.read();
        let hints = annotations(&fields);
        let is_broken = self.reason_against_tool(&fields);
        let schema = |field: Option<&RawValue>| field.map(|schema| schema.get().to_owned());
        ToolView {
            // The name stays unchanged, because a call sends it back to the server.
            name: text(fields.name).unwrap_or_default(),
            title: self.title(),
            description: text(fields.description).as_deref().map(description),
            input_schema: match is_broken {
                Some(_) => "{}".to_owned(),
                None => schema(fields.input_schema).unwrap_or_default(),
            },
            output_schema: schema(fields.output_schema.filter(|_| is_broken.is_none())),
            read_only: boolean(hints.read_only_hint),
            destructive: boolean(hints.destructive_hint),
            broken: is_broken.map(str::to_owned),
        }
    }

    pub fn resource(&self) -> ResourceView {
        let fields = self.read();
        ResourceView {
            uri: text(fields.uri).unwrap_or_default(),
            name: text(fields.name).as_deref().map(name).unwrap_or_default(),
            title: text(fields.title).as_deref().map(name),
            description: text(fields.description).as_deref().map(description),
            mime_type: text(fields.mime_type).as_deref().map(name),
            broken: self.broken(ListName::Resources).map(str::to_owned),
        }
    }

    pub fn prompt(&self) -> PromptView {
        let fields = self.read();
        let arguments = fields.arguments.and_then(Elements::<MAX>::parse).unwrap_or_default();
        PromptView {
            name: text(fields.name).unwrap_or_default(),
            title: text(fields.title).as_deref().map(name),
            description: text(fields.description).as_deref().map(description),
            arguments: arguments.into_iter().filter_map(argument).collect(),
            broken: self.broken(ListName::Prompts).map(str::to_owned),
        }
    }

    /// Returns why a tool cannot be used.
    fn reason_against_tool(&self, fields: &OfferJson<'_>) -> Option<&'static str> {
        let is_schema = |schema: &RawValue| is_object(schema);
        let is_deep = |schema: &RawValue| is_deeper_than(schema.get(), budgets::SCHEMA_DEPTH);
        match fields.input_schema {
            _ if self.is_too_large() => Some(words::TOO_LARGE),
            _ if text(fields.name).is_none_or(|name| name.is_empty()) => Some(words::NO_NAME),
            None => Some(words::NO_INPUT_SCHEMA),
            Some(schema) if !is_schema(schema) => Some(words::INVALID_INPUT_SCHEMA),
            Some(_) if fields.output_schema.is_some_and(|schema| !is_schema(schema) || is_deep(schema)) => {
                Some(words::INVALID_OUTPUT_SCHEMA)
            }
            Some(schema) if is_deep(schema) => Some(words::DEEP_INPUT_SCHEMA),
            Some(_) if self.has_invalid_headers => Some(words::INVALID_HEADERS),
            Some(_) => None,
        }
    }

    fn is_too_large(&self) -> bool {
        self.json.len() > budgets::ITEM_BYTES
    }

    fn may_have_headers(&self) -> bool {
        std::str::from_utf8(&self.json).is_ok_and(|json| json.contains("x-mcp-header"))
    }

    fn read(&self) -> OfferJson<'_> {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }
}

/// Returns the tools with arguments that the client also sends as headers, reduced to what rmcp reads of them.
pub(crate) fn tools_with_headers(result: &RawValue) -> Vec<Value> {
    if !result.get().contains("x-mcp-header") {
        return Vec::new();
    }
    let page = Page::parse(&Bytes::copy_from_slice(result.get().as_bytes()), ListName::Tools);
    let tools = page.map(|page| page.offers).unwrap_or_default();
    let reduced = |tool: &Offer| {
        let fields = tool.read();
        if !tool.may_have_headers() || tool.reason_against_tool(&fields).is_some() {
            return None;
        }
        let schema: Value = serde_json::from_str(fields.input_schema?.get()).ok()?;
        Some(serde_json::json!({ "name": tool.name(), "inputSchema": schema }))
    };
    tools.iter().filter_map(reduced).collect()
}

fn annotations<'a>(fields: &OfferJson<'a>) -> AnnotationsJson<'a> {
    let parsed = fields.annotations.and_then(|annotations| serde_json::from_str(annotations.get()).ok());
    parsed.unwrap_or_default()
}

fn argument(item: &RawValue) -> Option<PromptArgumentView> {
    let fields: OfferJson<'_> = serde_json::from_str(item.get()).ok()?;
    Some(PromptArgumentView {
        name: text(fields.name)?,
        description: text(fields.description).as_deref().map(description),
        required: boolean(fields.required).unwrap_or(false),
    })
}

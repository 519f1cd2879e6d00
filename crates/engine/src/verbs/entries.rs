//! Methods for the entries of `mcp.json`: check, read, add and replace.

use secrecy::SecretString;
use usher_api::{Code, EntryCheckView, EntryDraftView, EntryView, ErrorView, NewServer, ServerId};
use usher_config::{
    Config, ConfigFile, Diagnostic, Draft, GivenSecret, Origin, Placeholder, ServerConfig, display_text,
    read_pasted,
};

use super::entry_check::{CheckContext, problem, secret_names};
use super::new_server;
use crate::engine::Engine;
use crate::options::{EntryInput, SecretPlace};
use crate::run::load;
use crate::words::config::describe_config_error;

/// The name with which a text is parsed before its own name is known.
const UNNAMED: &str = "server";

/// A value for the secret store, with its name.
type Secret = (String, SecretString);

impl Engine {
    /// Checks a text that a person enters to add a server: an address, a command, or JSON. If the JSON has several
    /// servers, `choice` is the position of the one to check. Writes nothing.
    pub async fn check_new(
        &self,
        text: &str,
        choice: usize,
        name: Option<&str>,
    ) -> Result<EntryCheckView, ErrorView> {
        let entries = match read_pasted(text) {
            Ok(entries) => entries,
            Err(error) => return Ok(rejected(&[error])),
        };
        let choices: Vec<_> = entries.iter().map(|entry| entry.name.clone().unwrap_or_default()).collect();
        let Some(entry) = entries.into_iter().nth(choice) else { return Ok(EntryCheckView::default()) };
        let known = self.known().await?;
        let name = name.map(str::to_owned).or(entry.name);
        let checked = match self.draft_new(name, &entry.text, &[], &known).await {
            Ok((id, draft)) => self.accepted(id, &draft, &known, None).await,
            Err(errors) => rejected(&errors),
        };
        let choices = if choices.len() > 1 { choices } else { Vec::new() };
        Ok(EntryCheckView { choices, ..checked })
    }

    /// Checks the text of an entry that replaces another one. The result says what the replacement deletes.
    pub async fn check_replacement(&self, id: &ServerId, text: &str) -> Result<EntryCheckView, ErrorView> {
        let known = self.known().await?;
        Ok(match self.draft(&id.0, text, &[], &secret_names(&known, Some(id))).await {
            Ok(draft) => self.accepted(id.clone(), &draft, &known, Some(id)).await,
            Err(errors) => rejected(&errors),
        })
    }

    /// Returns the text of an entry with the values of `changed`, which has no comments. The comments of `text` stay.
    pub async fn merge_entry(&self, text: &str, changed: &str) -> Result<String, ErrorView> {
        let (text, changed) = (text.to_owned(), changed.to_owned());
        let merged = self.on_file(move |file| file.merge_entry(UNNAMED, &text, &changed)).await?;
        merged.map_err(|error| describe_config_error(&error))
    }

    /// Returns an entry for an editor. It may have an error.
    pub async fn entry(&self, id: &ServerId) -> Result<EntryView, ErrorView> {
        let name = id.0.clone();
        let entry = self.on_file(move |file| file.entry(&name)).await?;
        let entry = entry.map_err(|error| describe_config_error(&error))?;
        let check = self.check_replacement(id, &entry.text).await?;
        Ok(EntryView { text: entry.text, version: entry.version, check })
    }

    /// Adds a server to `mcp.json` and connects it. The secrets go to the secret store, and `mcp.json` gets placeholders
    /// for them. A program needs the person's approval.
    pub async fn add(
        &self,
        server: NewServer,
        client_secret: Option<SecretString>,
    ) -> Result<ServerId, ErrorView> {
        let name = server.name.clone();
        let entry = new_server::entry(server, client_secret.is_some())?;
        let entry = entry.entry().map_err(|error| describe_config_error(&error))?;
        let place = SecretPlace::Setting(vec!["oauth".to_owned(), "clientSecret".to_owned()]);
        let secrets = client_secret.into_iter().map(|secret| (place.clone(), secret)).collect();
        self.add_entry(EntryInput { name, entry, secrets, approved: None }).await
    }

    /// Adds an entry that a person entered. Secrets in plain text go to the secret store, too.
    pub async fn add_entry(&self, input: EntryInput) -> Result<ServerId, ErrorView> {
        let id = {
            let _changing = self.run.servers.changing.lock().await;
            let known = self.known().await?;
            let (named, given) = split(input.secrets);
            let drafted = self.draft_new(input.name, &input.entry, &given, &known).await;
            let (id, draft) = drafted.map_err(|errors| not_saved(&errors))?;
            let secrets = self.secrets_of(&draft, named)?;
            let (name, entry) = (id.0.clone(), draft.entry.clone());
            // A rejected entry must not replace the secret of another server.
            let checked = self.on_file(move |file| file.check_add_entry(&name, &entry)).await?;
            checked.map_err(|error| describe_config_error(&error))?;
            self.store(&draft.server, &secrets).await?;
            let (name, entry) = (id.0.clone(), draft.entry);
            self.run.change_config(move |file| file.add_entry(&name, &entry)).await?;
            id
        };
        self.approve_entered(&id, input.approved).await;
        Ok(id)
    }

    /// Replaces an entry if it still has this version. If the kind of sign-in changes, signs out first. Secrets that no
    /// entry uses any more are deleted.
    pub async fn replace_entry(
        &self,
        id: &ServerId,
        version: &str,
        input: EntryInput,
    ) -> Result<(), ErrorView> {
        let secrets = {
            // No other change comes between the check and the edit. It would sign out for nothing.
            let _changing = self.run.servers.changing.lock().await;
            let known = self.known().await?;
            let (named, given) = split(input.secrets);
            let drafted = self.draft(&id.0, &input.entry, &given, &secret_names(&known, Some(id))).await;
            let draft = drafted.map_err(|errors| not_saved(&errors))?;
            let secrets = self.secrets_of(&draft, named)?;
            let (name, entry, expected) = (id.0.clone(), draft.entry.clone(), version.to_owned());
            let checked = self.on_file(move |file| file.check_replace(&name, &entry, &expected)).await?;
            checked.map_err(|error| describe_config_error(&error))?;
            let context = self.check_context(&known, None, Some(id));
            let removal = context.removal(&draft.server);
            if removal.grant {
                self.sign_out(id).await?;
            }
            self.store(&draft.server, &secrets).await?;
            let (name, entry, expected) = (id.0.clone(), draft.entry, version.to_owned());
            self.run.change_config(move |file| file.replace_entry(&name, &entry, &expected)).await?;
            for name in &removal.secrets {
                // The entry is replaced already.
                if let Err(error) = self.delete_secret(name).await {
                    tracing::warn!(server = %id, code = ?error.code, "an unused secret could not be deleted");
                }
            }
            secrets
        };
        for (name, _) in &secrets {
            self.secrets_changed(Some(name));
        }
        self.approve_entered(id, input.approved).await;
        Ok(())
    }

    /// Approves the program of an entry that the person entered, if the person saw its launch. A program that is not
    /// approved here asks for the approval.
    async fn approve_entered(&self, id: &ServerId, digest: Option<String>) {
        if let Some(digest) = digest
            && let Err(error) = self.approve(id, digest).await
        {
            tracing::info!(server = %id, code = ?error.code, "the entered program is not approved");
        }
    }

    async fn known(&self) -> Result<Config, ErrorView> {
        load(&self.run.config).await.map_err(|error| describe_config_error(&error))
    }

    /// Drafts an entry without a name of its own and without regard to the other entries. Returns `None` if the text has
    /// an error.
    pub(super) async fn draft_alone(&self, text: &str) -> Option<ServerConfig> {
        self.draft(UNNAMED, text, &[], &Default::default()).await.ok().map(|draft| draft.server)
    }

    /// Drafts an entry under the first free name.
    async fn draft_new(
        &self,
        name: Option<String>,
        text: &str,
        given: &[GivenSecret],
        known: &Config,
    ) -> Result<(ServerId, Draft), Vec<Diagnostic>> {
        let taken = secret_names(known, None);
        let proposed = match name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
            Some(name) => name,
            None => {
                let draft = self.draft(UNNAMED, text, given, &taken).await?;
                new_server::proposed_name(&draft.server.transport)
            }
        };
        let name = new_server::unused_name(&proposed, known);
        let draft = self.draft(&name, text, given, &taken).await?;
        Ok((ServerId(name), draft))
    }

    async fn draft(
        &self,
        name: &str,
        text: &str,
        given: &[GivenSecret],
        taken: &std::collections::HashSet<String>,
    ) -> Result<Draft, Vec<Diagnostic>> {
        let file = self.run.config.clone();
        let (name, text, given, taken) = (name.to_owned(), text.to_owned(), given.to_vec(), taken.clone());
        // An entry may name a file with variables.
        let drafted = tokio::task::spawn_blocking(move || file.draft(&name, &text, &given, &taken)).await;
        drafted.unwrap_or_else(|_| Err(Vec::new()))
    }

    async fn accepted(
        &self,
        id: ServerId,
        draft: &Draft,
        known: &Config,
        replaces: Option<&ServerId>,
    ) -> EntryCheckView {
        let stored = self.secrets().await.ok();
        let context = self.check_context(known, stored.as_deref(), replaces);
        let view: EntryDraftView = context.view(id, draft);
        let problems = draft.warnings.iter().map(problem).collect();
        EntryCheckView { draft: Some(view), problems, choices: Vec::new() }
    }

    fn check_context<'a>(
        &'a self,
        known: &'a Config,
        stored: Option<&'a [String]>,
        replaces: Option<&'a ServerId>,
    ) -> CheckContext<'a> {
        CheckContext { known, board: &self.run.context.board, stored, replaces }
    }

    /// Returns the secrets to store. Each of them has a placeholder in the entry.
    fn secrets_of(&self, draft: &Draft, named: Vec<Secret>) -> Result<Vec<Secret>, ErrorView> {
        let used = draft.server.secrets();
        for (name, _) in &named {
            if !used.iter().any(|one| one.name == *name) {
                let shown = display_text(name, 60);
                let message = format!("The entry does not use the secret {shown}.");
                return Err(ErrorView::new(
                    Code::ConfigInvalid,
                    message,
                    "Check the name of the placeholder.",
                ));
            }
        }
        let taken = draft.secrets.iter().map(|secret| (secret.name.clone(), secret.value.clone()));
        Ok(taken.chain(named).collect())
    }

    /// Stores the secrets, and binds each to the origins to which this entry sends it.
    async fn store(&self, server: &ServerConfig, secrets: &[Secret]) -> Result<(), ErrorView> {
        let uses = self.run.context.placeholders.uses(server);
        for (name, value) in secrets {
            let placeholder = Placeholder::Secret(name.clone());
            let origins: Vec<Origin> = uses
                .iter()
                .filter(|one| one.placeholder == placeholder)
                .map(|one| one.origin.clone())
                .collect();
            self.put_secret(name, value).await?;
            self.bind_secret(name, &origins).await?;
        }
        Ok(())
    }

    /// Reads or writes `mcp.json` on a blocking thread.
    pub(super) async fn on_file<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ConfigFile) -> T + Send + 'static,
    ) -> Result<T, ErrorView> {
        let file = self.run.config.clone();
        tokio::task::spawn_blocking(move || read(&file))
            .await
            .map_err(|_| ErrorView::new(Code::Internal, "Reading mcp.json was interrupted.", "Try again."))
    }
}

/// Separates secrets with a name from those for a setting.
fn split(secrets: Vec<(SecretPlace, SecretString)>) -> (Vec<Secret>, Vec<GivenSecret>) {
    let (mut named, mut given) = (Vec::new(), Vec::new());
    for (place, value) in secrets {
        match place {
            SecretPlace::Name(name) => named.push((name, value)),
            SecretPlace::Setting(setting) => given.push(GivenSecret { setting, value }),
        }
    }
    (named, given)
}

fn rejected(errors: &[Diagnostic]) -> EntryCheckView {
    EntryCheckView { problems: errors.iter().map(problem).collect(), ..EntryCheckView::default() }
}

fn not_saved(errors: &[Diagnostic]) -> ErrorView {
    let first = errors.first();
    let why = first.map_or("it has an error", |error| error.message.as_str());
    ErrorView {
        code: Code::ConfigInvalid,
        message: format!("The server cannot be saved: {why}."),
        hint: first.and_then(|error| error.hint.clone()),
        details: None,
    }
}

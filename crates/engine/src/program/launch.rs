//! The launch of a program: its entry in `mcp.json` as written, and with all placeholders resolved.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use usher_api::LaunchView;
use usher_config::{
    Environment, Placeholder, RenderError, Template, Transport, exact_text, has_secret_name,
    secrets_in_arguments,
};

/// Programs that download other programs and then run them. Their first start may take minutes.
const RUNNERS: [&str; 16] = [
    "npx", "npm", "pnpm", "pnpx", "yarn", "bunx", "bun", "uvx", "uv", "pipx", "docker", "podman", "deno",
    "nix", "go", "dnx",
];

/// Variables that make a program run other code. Their values are shown before an approval, and are hardly ever secret.
const CODE_VARIABLES: [&str; 32] = [
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "DYLD_LIBRARY_PATH",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "PERL5OPT",
    "PERL5LIB",
    "RUBYOPT",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "RUBYLIB",
    "DOTNET_STARTUP_HOOKS",
    "BASH_ENV",
    "ENV",
    "HOME",
    // The registries and the hosts from which runners get their programs.
    "npm_config_registry",
    "NPM_CONFIG_REGISTRY",
    "npm_config_userconfig",
    "NPM_CONFIG_USERCONFIG",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "PIP_INDEX_URL",
    "DENO_REGISTRY_URL",
    "DOCKER_HOST",
];

/// The entry of a program, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Launch {
    pub command: Template,
    pub args: Vec<Template>,
    pub env: Vec<(String, Template)>,
    pub cwd: Option<Template>,
}

/// A launch whose placeholders are resolved.
pub(crate) struct Resolved {
    pub command: String,
    pub arguments: Vec<SecretString>,
    pub environment: Vec<(String, SecretString)>,
    pub folder: Option<PathBuf>,
    /// The values that must not appear in a shown line. Some may be too short to be recognised there.
    pub secrets: Vec<SecretString>,
}

impl Launch {
    /// Returns the launch of an entry, if it is a program.
    pub fn of(transport: &Transport) -> Option<Self> {
        match transport {
            Transport::Http { .. } | Transport::Sse { .. } => None,
            Transport::Stdio { command, args, env, cwd } => Some(Self {
                command: command.clone(),
                args: args.clone(),
                env: env.clone(),
                cwd: cwd.clone(),
            }),
        }
    }

    /// The SHA-256 digest of everything in the entry that affects the launch, as hexadecimal digits. An approval is
    /// bound to it.
    pub fn digest(&self) -> String {
        let args: Vec<_> = self.args.iter().map(identity).collect();
        let env: Vec<_> = self.env.iter().map(|(name, value)| (name, identity(value))).collect();
        let everything = (identity(&self.command), args, env, self.cwd.as_ref().map(identity));
        // A tuple of texts is always valid JSON.
        digest(&serde_json::to_vec(&everything).unwrap_or_default())
    }

    /// The digest of each environment variable's text, to find the changed ones.
    pub fn variable_digests(&self) -> Vec<(String, String)> {
        let variables = self.env.iter();
        let digest_of = |value| digest(&serde_json::to_vec(&identity(value)).unwrap_or_default());
        variables.map(|(name, value)| (name.clone(), digest_of(value))).collect()
    }

    /// Describes the whole launch for the person. The values of most environment variables may be secret, so only their
    /// names are shown.
    pub fn view(&self) -> LaunchView {
        let shown = |template: &Template| exact_text(template.source());
        let variable = |(name, value): &(String, Template)| match changes_code(name) {
            true => format!("{}={}", exact_text(name), shown(value)),
            false => exact_text(name),
        };
        LaunchView {
            command: shown(&self.command),
            arguments: self.args.iter().map(shown).collect(),
            environment: self.env.iter().map(variable).collect(),
            placeholders: self.placeholders(),
            folder: self.cwd.as_ref().map(shown),
            digest: self.digest(),
        }
    }

    /// The placeholders of the entry as written, without defaults and duplicates.
    fn placeholders(&self) -> Vec<String> {
        let mut all = Vec::new();
        for template in self.templates() {
            for placeholder in template.named_placeholders() {
                let shown = placeholder.to_string();
                if !all.contains(&shown) {
                    all.push(shown);
                }
            }
        }
        all
    }

    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let values = self.env.iter().map(|(_, value)| value);
        std::iter::once(&self.command).chain(&self.args).chain(values).chain(&self.cwd)
    }

    /// Resolves the placeholders. A folder that begins with `~/`, or that is relative, is inside `home`.
    pub fn resolve(
        &self,
        environment: &Environment,
        secret: impl Fn(&str) -> Option<SecretString>,
        home: Option<&Path>,
    ) -> Result<Resolved, RenderError> {
        let render = |template: &Template| template.render(environment, &secret);
        let folder = self.cwd.as_ref().map(render).transpose()?;
        let mut variables = Vec::new();
        for (name, value) in &self.env {
            variables.push((name.clone(), render(value)?));
        }
        Ok(Resolved {
            secrets: self.secret_values(environment, &secret, &variables),
            command: render(&self.command)?.expose_secret().to_owned(),
            arguments: self.args.iter().map(render).collect::<Result<_, _>>()?,
            environment: variables,
            folder: folder.map(|folder| in_home(folder.expose_secret(), home)),
        })
    }

    /// Returns the values of all placeholders, those of variables with the name of a secret, those of an `envFile`, and
    /// the secrets in plain text among the arguments.
    fn secret_values(
        &self,
        environment: &Environment,
        secret: impl Fn(&str) -> Option<SecretString>,
        variables: &[(String, SecretString)],
    ) -> Vec<SecretString> {
        let placeholders = self.templates().flat_map(|template| template.placeholders(environment));
        let values = placeholders.filter_map(|placeholder| match placeholder {
            Placeholder::Secret(name) => secret(&name),
            Placeholder::Variable(name) if changes_code(&name) => None,
            Placeholder::Variable(name) => environment.get(&name).map(SecretString::from),
        });
        let variables = variables.iter().zip(&self.env);
        let secret_variables = variables.filter(|((name, _), (_, written))| {
            has_secret_name(name) || (written.is_literal() && !changes_code(name))
        });
        let arguments: Vec<_> = self.args.iter().map(Template::source).collect();
        let secret_arguments = secrets_in_arguments(&arguments).into_iter().map(SecretString::from);
        values.chain(secret_variables.map(|((_, value), _)| value.clone())).chain(secret_arguments).collect()
    }

    /// Returns whether the command is one that downloads another program and then runs it.
    pub fn is_runner(&self) -> bool {
        let name = Path::new(self.command.source()).file_stem().and_then(|name| name.to_str());
        name.is_some_and(|name| RUNNERS.contains(&name.to_ascii_lowercase().as_str()))
    }
}

impl Resolved {
    pub fn arguments(&self) -> impl Iterator<Item = OsString> {
        self.arguments.iter().map(|argument| OsString::from(argument.expose_secret()))
    }
}

/// Returns the digest of an entry with only this command and these arguments. Returns `None` if one of them has an invalid
/// placeholder.
pub fn digest_of_command(command: &str, args: &[String]) -> Option<String> {
    let args: Result<_, _> = args.iter().map(|argument| Template::parse(argument)).collect();
    let command = Template::parse(command).ok()?;
    Some(Launch { command, args: args.ok()?, env: Vec::new(), cwd: None }.digest())
}

fn in_home(folder: &str, home: Option<&Path>) -> PathBuf {
    let inside = folder.strip_prefix("~").filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']));
    match (inside, home) {
        (Some(rest), Some(home)) => home.join(rest.trim_start_matches(['/', '\\'])),
        // Otherwise, the folder would depend on where Usher was started, which the person did not approve.
        (None, Some(home)) => home.join(folder),
        (_, None) => PathBuf::from(folder),
    }
}

fn changes_code(variable: &str) -> bool {
    let is_known =
        |known: &&str| if cfg!(windows) { known.eq_ignore_ascii_case(variable) } else { *known == variable };
    CODE_VARIABLES.iter().any(is_known)
}

/// The parts that distinguish two texts. The values of an `envFile` have no placeholders, even if they look like ones.
fn identity(template: &Template) -> (&str, bool) {
    (template.source(), template.has_placeholders())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).expect("a template")
    }

    fn launch() -> Launch {
        Launch {
            command: template("npx"),
            args: vec![template("-y"), template("server")],
            env: vec![("KEY".to_owned(), template("{{key}}"))],
            cwd: None,
        }
    }

    #[test]
    fn each_part_of_an_entry_changes_the_digest() {
        let changes: [fn(&mut Launch); 7] = [
            |launch| launch.command = template("npm"),
            |launch| launch.args[1] = template("server@2"),
            |launch| {
                launch.args.pop();
            },
            |launch| launch.env[0].0 = "NODE_OPTIONS".to_owned(),
            |launch| launch.env[0].1 = template("{{other}}"),
            |launch| launch.env[0].1 = Template::literal("{{key}}"),
            |launch| launch.cwd = Some(template("/tmp")),
        ];
        let mut digests = vec![launch().digest()];
        for change in changes {
            let mut changed = launch();
            change(&mut changed);
            digests.push(changed.digest());
        }
        let different: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(different.len(), digests.len());
        // Arguments that are joined differently are different arguments.
        let joined = Launch { args: vec![template("-y server")], ..launch() };
        assert_ne!(joined.digest(), launch().digest());
    }

    #[test]
    fn placeholders_are_resolved_and_secrets_are_known() {
        let environment = Environment::from_iter([("NAME", "server")]);
        let launch = Launch { args: vec![template("${NAME}"), template("--key={{key}}")], ..launch() };
        let secret = |name: &str| (name == "key").then(|| SecretString::from("s3cret-value"));
        let resolved = launch.resolve(&environment, secret, None).expect("all placeholders are known");
        let arguments: Vec<_> = resolved.arguments().collect();
        assert_eq!(arguments, ["server", "--key=s3cret-value"]);
        let secrets: Vec<_> =
            resolved.secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect();
        assert_eq!(secrets, ["server", "s3cret-value", "s3cret-value", "s3cret-value"]);
        assert!(launch.resolve(&environment, |_| None, None).is_err());
    }

    #[test]
    fn values_of_variables_and_of_files_are_secrets_too() {
        let environment = Environment::from_iter([("TOKEN", "from-variable"), ("HOME", "/home/ada")]);
        let written = [
            ("API_TOKEN", template("plain-token")),
            ("DB_PASSWORD", template("${UNSET:-default-password}")),
            ("MODE", template("development")),
            ("AUTH", template("Bearer ${TOKEN}")),
            ("FOLDER", template("${HOME}/notes")),
            ("DATABASE_URL", Template::literal("postgres://ada:pw@db")),
            ("PATH", Template::literal("/usr/local/bin")),
        ];
        let env = written.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let args = vec![template("--api-key"), template("plain-argument")];
        let launch = Launch { args, env, ..launch() };
        let resolved = launch.resolve(&environment, |_| None, None).expect("no secret");
        let mut secrets: Vec<_> = resolved.secrets.iter().map(ExposeSecret::expose_secret).collect();
        secrets.sort_unstable();
        let expected =
            ["default-password", "from-variable", "plain-argument", "plain-token", "postgres://ada:pw@db"];
        assert_eq!(secrets, expected);
    }

    #[test]
    fn the_person_sees_everything_that_runs_but_no_secret() {
        let script = format!("{}\u{202e}\n  rm -rf ~", "x".repeat(5000));
        let env = [("API_KEY", "k-1"), ("NODE_OPTIONS", "--require ./x.js")];
        let env = env.map(|(name, value)| (name.to_owned(), template(value))).to_vec();
        let view = Launch { args: vec![template("-e"), template(&script)], env, ..launch() }.view();
        assert_eq!(view.arguments[1], format!("{}\\u{{202e}}\\n  rm -rf ~", "x".repeat(5000)));
        assert_eq!(view.environment, ["API_KEY", "NODE_OPTIONS=--require ./x.js"]);
    }

    #[test]
    fn a_folder_may_begin_with_the_home_folder() {
        let home = Path::new("/home/ada");
        for (folder, expected) in
            [("~", "/home/ada"), ("~/notes", "/home/ada/notes"), ("src", "/home/ada/src"), ("/srv", "/srv")]
        {
            assert_eq!(in_home(folder, Some(home)), PathBuf::from(expected), "{folder}");
        }
    }

    #[test]
    fn runners_are_recognised_by_their_file_name() {
        for (command, is_runner) in
            [("npx", true), ("/usr/bin/uvx", true), ("NPX.cmd", true), ("node", false), ("my-npx", false)]
        {
            assert_eq!(Launch { command: template(command), ..launch() }.is_runner(), is_runner, "{command}");
        }
    }
}

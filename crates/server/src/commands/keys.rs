//! `samphan keys`: shows and rotates the keys of a service, while it runs.

use super::admin::{explain, open};
use crate::config::{self, Database};
use clap::{Args, Subcommand, ValueEnum};
use samphan_api::identity::{
    keyring::Keyring,
    server_keys::{self, KeyKind},
};
use samphan_persistence::clock;
use samphan_resource::caller::Caller;
use std::{fmt::Write, sync::Arc};

/// What to do about keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Make new keys. Running processes use them after 15 seconds, and accept the old ones for a while: access tokens 11 minutes,
    /// cursors 30 days, secrets a day. Refresh tokens go on working. No process need be restarted.
    Rotate(Rotate),
    /// List the keys: what for, since when, until when, and which of SAMPHAN_SECRET_KEYS they are encrypted with.
    List(List),
}

/// Which keys to rotate.
#[derive(Clone, Debug, Args)]
pub struct Rotate {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// Which kind of keys; all of them when left out.
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Vec<KeyKind>,
    /// End the old keys at once, because someone may have read them: access tokens and cursors made with them are refused within
    /// seconds, and clients refresh.
    #[arg(long)]
    pub at_once: bool,
    /// The keys that secrets in the database are encrypted with, as the service has them.
    #[arg(long, value_name = "KEYS", env = "SAMPHAN_SECRET_KEYS", value_delimiter = ',', hide_env_values = true)]
    pub secret_keys: Vec<String>,
}

/// Whose keys to list.
#[derive(Clone, Debug, Args)]
pub struct List {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
}

/// Does it and says what was done.
pub async fn run(command: &KeysCommand) -> Result<String, String> {
    match command {
        KeysCommand::Rotate(options) => rotate(options).await,
        KeysCommand::List(options) => list(options).await,
    }
}

fn name_of(kind: KeyKind) -> String {
    kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

async fn rotate(options: &Rotate) -> Result<String, String> {
    options.database.check()?;
    let configured = config::secret_keys(&options.secret_keys)?;
    let keyring = Keyring::of(configured.iter().map(Vec::as_slice)).map_err(|e| explain(&e))?;
    let store = open(&options.database).await?;
    let work = store.work(Arc::new(Caller::system()), clock::now()).await.map_err(|e| explain(&e))?;
    let kinds = if options.kind.is_empty() { KeyKind::ALL.to_vec() } else { options.kind.clone() };
    let Some(rotated) = server_keys::rotate(&work, &keyring, &kinds, options.at_once).await.map_err(|e| explain(&e))? else {
        return Err("the keys in the database are encrypted: set SAMPHAN_SECRET_KEYS as the service has it".to_owned());
    };
    work.commit().await.map_err(|e| explain(&e))?;
    let mut said = String::new();
    for one in rotated {
        // Writing into a String cannot fail.
        let _ = writeln!(said, "{:<16} new key from {}, the old ones until {}", name_of(one.kind), one.active_from, one.old_until);
    }
    Ok(said.trim_end().to_owned())
}

async fn list(options: &List) -> Result<String, String> {
    options.database.check()?;
    let store = open(&options.database).await?;
    let reader = store.reader(Arc::new(Caller::system()), clock::now());
    let mut said = String::new();
    for key in server_keys::list(&reader).await.map_err(|e| explain(&e))? {
        let until = key.expires_at.map_or_else(|| "replaced".to_owned(), |until| until.to_string());
        let encrypted = key.key_id.map_or_else(|| "not encrypted".to_owned(), |id| format!("encrypted with {id}"));
        let _ = writeln!(said, "{:<16} from {} until {until}, {encrypted}", name_of(key.kind), key.active_from);
    }
    Ok(said.trim_end().to_owned())
}

//! `samphan admin`: lets an administrator in again, for the account that owns the database. Works while the service runs.

use crate::config::{Database, check_password};
use clap::{Args, Subcommand};
use samphan_api::{
    identity::{passwords, tokens},
    openapi,
    platform::{
        administrators::Roles,
        user::{self, emit_password_event},
    },
};
use samphan_domain::{
    id::RoleId,
    platform::{
        role::{Grant, Role},
        user::{User, UserStatus},
    },
};
use samphan_persistence::{
    clock, migrate,
    store::{DatabaseOptions, Store, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    caller::{Caller, Reach},
    error::Error,
    scalar::Scalar,
};
use std::{io::BufRead, sync::Arc};
use uuid::Uuid;

/// The reason of the events.
const REASON: &str = "samphan admin, on the machine";

/// What to do about an administrator.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// Set a user's password and end the user's sessions. The new password is printed once, unless it was given.
    ResetPassword(ResetPassword),
    /// Create a user whose role grants everything. The password is printed once, unless it was given.
    Create(Create),
}

/// Whose password to set.
#[derive(Clone, Debug, Args)]
pub struct ResetPassword {
    /// The database, and the password.
    #[command(flatten)]
    pub common: Common,
    /// Let a user who was deactivated sign in again.
    #[arg(long)]
    pub activate: bool,
}

/// The administrator to create.
#[derive(Clone, Debug, Args)]
pub struct Create {
    /// The database, and the password.
    #[command(flatten)]
    pub common: Common,
    /// Full name of the user.
    #[arg(long, value_name = "NAME", default_value = "Administrator")]
    pub name: String,
}

/// What both commands take.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// E-mail address of the user.
    #[arg(long, value_name = "EMAIL")]
    pub email: String,
    /// The password, 12 characters or more; a random one is printed when it is left out. Better set in the environment than on the
    /// command line, which others on the machine can see.
    #[arg(long, value_name = "PASSWORD", env = "SAMPHAN_NEW_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long, conflicts_with = "password")]
    pub password_stdin: bool,
}

/// Does it and says what was done.
pub async fn run(command: &AdminCommand) -> Result<String, String> {
    let (AdminCommand::ResetPassword(ResetPassword { common, .. }) | AdminCommand::Create(Create { common, .. })) = command;
    common.database.check()?;
    let email = common.email.trim().to_lowercase();
    let given = given_password(common)?;
    let password = given.clone().unwrap_or_else(tokens::secret);
    let hash = passwords::hash(password.clone()).await.map_err(|e| e.to_string())?;
    let store = open(&common.database).await?;
    let work = store.work(Arc::new(Caller::system()), clock::now()).await.map_err(|e| explain(&e))?;
    let found = stored::find_one_by::<User>(&work, "email", Scalar::Text(email.clone())).await.map_err(|e| explain(&e))?;
    if let Some(given) = &given {
        let name = match (command, &found) {
            (AdminCommand::Create(options), _) => options.name.clone(),
            (_, user) => user.as_ref().map(|user| user.data.name.clone()).unwrap_or_default(),
        };
        check_password(given, &email, &name).map_err(|why| format!("the password {why}"))?;
    }
    let done = match (command, found) {
        (AdminCommand::ResetPassword(options), Some(user)) => reset(&work, user, hash, options.activate).await?,
        (AdminCommand::ResetPassword(_), None) => {
            return Err(format!("no user has the e-mail address {email}; `samphan admin create` makes an administrator"));
        }
        (AdminCommand::Create(options), None) => create(&work, &email, &options.name, hash).await?,
        (AdminCommand::Create(_), Some(_)) => {
            return Err(format!("a user has the e-mail address {email} already; `samphan admin reset-password` sets the password"));
        }
    };
    work.commit().await.map_err(|e| explain(&e))?;
    let shown = if given.is_some() { "password as given".to_owned() } else { format!("password {password}   (shown once)") };
    Ok(format!("{done}\nSign in as         {email}   {shown}"))
}

fn given_password(common: &Common) -> Result<Option<String>, String> {
    let mut given = common.password.clone();
    if common.password_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|e| format!("standard input: {e}"))?;
        given = Some(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(given)
}

/// Opens and migrates a database for a command.
pub(super) async fn open(database: &Database) -> Result<Store, String> {
    let opening = DatabaseOptions {
        url: database.database_url.clone(),
        connections: database.database_connections,
        full_sync: database.sqlite_full_sync,
    };
    let store = Store::open(&opening, openapi::shapes()).await.map_err(|e| e.to_string())?;
    migrate::migrate(&store).await.map_err(|e| e.to_string())?;
    Ok(store)
}

async fn reset(work: &Work, user: Stored<User>, hash: String, activate: bool) -> Result<String, String> {
    let is_inactive = user.data.status == UserStatus::Inactive;
    if is_inactive && !activate {
        return Err(format!("{} was deactivated; --activate lets the user sign in again", user.data.email));
    }
    let done = async {
        user::keep_password(work, user.id(), hash).await?;
        user::end_sessions(work, user.id(), "password_set").await?;
        let mut version = user.version();
        if is_inactive {
            let mut after = user.clone();
            after.data.status = UserStatus::Active;
            version = stored::save(work, &user, after, "activated", Some(REASON.to_owned())).await?.version();
        }
        emit_password_event(work, "user.password_set", (user.id(), version), None, Some(REASON));
        let held: Vec<Uuid> = user.data.role_ids.iter().map(|id| id.0).collect();
        Ok(Roles::load(work).await?.grant_everything(&held))
    };
    let is_administrator = done.await.map_err(|e: Error| explain(&e))?;
    let note = if is_administrator {
        ""
    } else {
        "\nNote: the roles of this user do not grant everything; `samphan admin create` makes an administrator."
    };
    Ok(format!("The password of {} was set, and the user's sessions were ended.{note}", user.data.email))
}

async fn create(work: &Work, email: &str, name: &str, hash: String) -> Result<String, String> {
    let done = async {
        let role = match Roles::load(work).await?.administrator() {
            Some(role) => role,
            None => create_role(work).await?,
        };
        let user = User {
            name: name.to_owned(),
            email: email.to_owned(),
            job_title: None,
            locale: None,
            time_zone: None,
            manager_id: None,
            role_ids: vec![RoleId(role)],
            team_ids: vec![],
            successor_id: None,
            status: UserStatus::Active,
        };
        let user = stored::insert(work, Stored::draft(user)).await?;
        user::keep_password(work, user.id(), hash).await?;
        emit_password_event(work, "user.password_set", (user.id(), user.version()), None, Some(REASON));
        Ok(())
    };
    done.await.map_err(|e: Error| explain(&e))?;
    Ok(format!("The administrator {email} was created."))
}

/// A role that grants everything, under a name that is free.
async fn create_role(work: &Work) -> Result<Uuid, Error> {
    let mut name = "Administrator".to_owned();
    let mut next = 2;
    while stored::find_one_by::<Role>(work, "name", Scalar::Text(name.clone())).await?.is_some() {
        name = format!("Administrator {next}");
        next += 1;
    }
    let role = Role {
        name,
        description: Some("May do everything.".to_owned()),
        permissions: vec![Grant { permission: "*:*".to_owned(), reach: Reach::All }],
        field_rules: vec![],
    };
    Ok(stored::insert(work, Stored::draft(role)).await?.id())
}

/// An error in words: its code, and what is wrong where.
pub(super) fn explain(error: &Error) -> String {
    let fields = error.errors.iter().map(|e| format!(" {} {}", e.pointer, e.code.as_str())).collect::<String>();
    format!("{}{fields}", error.code.about())
}

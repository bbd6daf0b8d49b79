//! The program: from its words to its end.

use crate::{
    commands::{
        admin, backup, configuration, demo, generate, health, keys, load,
        rebuild_pipelines::{self, PipelineCommand},
        rebuild_stock::{self, StockCommand},
    },
    config::{Cli, Command, Form, Settings},
    server, telemetry,
};
use samphan_api::{
    openapi,
    platform::first_start::{self, FirstStart},
};
use samphan_persistence::{
    migrate,
    store::{DatabaseOptions, Store},
};
use samphan_rest::document::older::older;
use std::{
    io::{self, Write as _},
    net::SocketAddr,
    process::ExitCode,
};

/// Does what it is told and says how that ended.
pub async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Serve(settings) => serve(&settings).await,
        Command::Migrate(database) => match database.check() {
            Ok(()) => {
                let opening = DatabaseOptions { url: database.database_url, connections: 1, full_sync: true };
                match Store::open(&opening, openapi::shapes()).await {
                    Ok(store) => {
                        migrate::migrate_with_progress(&store, &|building| println!("{building}")).await.map_err(|e| e.to_string())
                    }
                    Err(e) => Err(e.to_string()),
                }
            }
            Err(e) => Err(e),
        },
        Command::Backup(options) => backup::back_up(&options).map(|said| println!("{said}")),
        Command::Restore(options) => backup::restore(&options).map(|said| println!("{said}")),
        Command::Admin(command) => admin::run(&command).await.map(|said| println!("{said}")),
        Command::Keys(command) => keys::run(&command).await.map(|said| println!("{said}")),
        Command::Health(options) => health::check(&options).await,
        Command::Configuration => {
            print!("{}", configuration::page());
            Ok(())
        }
        Command::Openapi(asked) => print_document(asked.form),
        Command::Load(source) => load_files(&source).await,
        Command::Stock(StockCommand::Rebuild(options)) => rebuild_stock(&options).await,
        Command::Pipeline(PipelineCommand::Rebuild(options)) => rebuild_pipelines(&options).await,
        Command::SimulateErp(options) => samphan_erp_simulator::run(*options, |line| println!("{line}")).await.map_err(|e| e.to_string()),
        Command::Generate(options) => generate::run(&options, |line| println!("{line}")).await.map_err(|e| e.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("samphan: {why}");
            ExitCode::FAILURE
        }
    }
}

fn print_document(form: Form) -> Result<(), String> {
    let api = openapi::api();
    let document = openapi::document(&api).map_err(|faults| faults.join("\n"))?;
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).map_err(|e| e.to_string());
    let text = match form {
        Form::Current => pretty(&document)? + "\n",
        Form::Older => pretty(&older(&document))? + "\n",
        Form::Operations => openapi::operations(&api),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // The reader has closed the pipe.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|e| e.to_string()),
    }
}

async fn load_files(source: &load::Source) -> Result<(), String> {
    let options = match source {
        load::Source::Northwind(options) => options,
        load::Source::Webhooks(options) => {
            let measured = load::webhooks::measure(options).await.map_err(|e| e.to_string())?;
            println!("{}", serde_json::json!(measured));
            return Ok(());
        }
    };
    let summary = load::northwind(options).await.map_err(|e| e.to_string())?;
    print!("{summary}");
    match summary.failures.len() {
        0 => Ok(()),
        n => Err(format!("{n} records failed")),
    }
}

async fn rebuild_stock(options: &rebuild_stock::Options) -> Result<(), String> {
    match rebuild_stock::run(options, |line| println!("{line}")).await? {
        0 => println!("every stock level, lot and serial number is what movements and reservations add up to"),
        n if options.check => return Err(format!("{n} stock levels, lots or serial numbers differ")),
        n => println!("{n} stock levels, lots or serial numbers put right"),
    }
    Ok(())
}

async fn rebuild_pipelines(options: &rebuild_stock::Options) -> Result<(), String> {
    match rebuild_pipelines::run(options, |line| println!("{line}")).await? {
        0 => println!("every total of a board is what the opportunities add up to"),
        n if options.check => return Err(format!("{n} totals differ")),
        n => println!("{n} totals put right"),
    }
    Ok(())
}

async fn serve(settings: &Settings) -> Result<(), String> {
    settings.check()?;
    telemetry::start(settings)?;
    let service = server::build(settings).await.map_err(|e| e.to_string())?;
    let password = settings.admin_password.as_deref();
    let first = first_start::run(service.store(), service.presets(), &settings.admin_email, password).await.map_err(|e| e.to_string())?;
    if settings.demo && first.is_some() {
        demo::make(service.store()).await.map_err(|e| format!("the demo company: {e}"))?;
    }
    let serving = server::serve(settings, service).await.map_err(|e| e.to_string())?;
    print_start(settings, serving.address, first.as_ref());
    serving.run().await.map_err(|e| e.to_string())
}

/// Says where the service is, where its data is, and how to sign in.
fn print_start(settings: &Settings, address: SocketAddr, first: Option<&FirstStart>) {
    let url = format!("http://{address}");
    println!("Samphan listens on {url}");
    println!("Docs               {url}/docs/   document {url}/openapi.json");
    println!("Data               {}", settings.database.described());
    let Some(first) = first else { return };
    // The words between the quotes of the shell are the program's own, an e-mail address and a random password: none has a quote in it
    // but the address, which is written as the shell wants it.
    let email = serde_json::json!(first.email).to_string().replace('\'', "'\\''");
    let (password, said) = match &first.password {
        Some(password) => (format!("\"{password}\""), "Its password is in this command and is not shown again:"),
        None => ("\"'\"$SAMPHAN_ADMIN_PASSWORD\"'\"".to_owned(), "Its password is the one in SAMPHAN_ADMIN_PASSWORD:"),
    };
    println!("Administrator      {}", first.email);
    println!("Sign in            {said}");
    println!("  curl -s {url}/v1/auth/sign-in -H 'content-type: application/json' -d '{{\"email\":{email},\"password\":{password}}}'");
}

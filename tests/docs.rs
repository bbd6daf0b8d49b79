//! The documentation is checked: commands on its pages give the answers shown there, links lead somewhere, and commands, settings, metrics and
//! decisions named in it exist.

use crate::{
    on_both,
    support::{
        app::{ADMIN, PASSWORD},
        database::Database,
        program, *,
    },
};
use clap::CommandFactory;
use samphan::config::Cli;
use samphan_persistence::jobs::Counts;
use samphan_rest::metrics::Metrics;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

on_both![commands_on_the_pages_give_the_answers_shown];

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Separates the output of one group of commands from the next.
const SEPARATOR: char = '\u{1e}';
/// Variables of tests and development scripts, which the program does not read as settings.
const DEVELOPMENT_VARIABLES: [&str; 4] = ["SAMPHAN_TEST_KILLS", "SAMPHAN_TEST_CLOCK", "SAMPHAN_PROGRAM", "SAMPHAN_NORTHWIND"];

/// Every Markdown file of the project, by its path from the root.
fn pages() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(ROOT)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let path = entry.path();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "node_modules", "data"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.ends_with(".md") {
                let short = path.strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned();
                found.insert(short, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// Commands, and the answer that the page shows for them.
struct Step {
    commands: String,
    answer: String,
}

/// The steps of a page's `sh` blocks. A line that begins with `#>` is a part of the answer to the commands before it.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = vec![];
    let mut step = Step { commands: String::new(), answer: String::new() };
    let mut is_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = line == "```sh";
        } else if let Some(answer) = line.strip_prefix("#>").filter(|_| is_code) {
            step.answer.push_str(answer.trim());
        } else if is_code {
            if !step.answer.is_empty() {
                steps.push(std::mem::replace(&mut step, Step { commands: String::new(), answer: String::new() }));
            }
            step.commands.push_str(line);
            step.commands.push('\n');
        }
    }
    steps.push(step);
    steps
}

/// Whether an answer is as shown, where `…` stands for anything.
fn is_as_shown(answer: &str, shown: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|start| answer.strip_prefix(start)) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    last.map_or(rest.is_empty(), |last| last.is_empty() || answer.ends_with(last))
}

/// The sign-in of the tutorial, which the other pages begin with.
fn sign_in(pages: &BTreeMap<String, String>) -> String {
    let tutorial = &pages["docs/tutorial.md"];
    let start = tutorial.find("```sh\n").unwrap() + "```sh\n".len();
    tutorial[start..]
        .lines()
        .take_while(|line| !line.starts_with("```") && !line.starts_with("call "))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Runs the commands of a page against a server, and answers what is not as shown.
fn differences(url: &str, start: &str, page: &str) -> Vec<String> {
    let steps = steps(page);
    let mut script = start.to_owned();
    for step in &steps {
        script.push_str(&step.commands);
        script.push_str("printf '\\036'\n");
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TMPDIR", folder.path())
        .envs([("U", url), ("PASSWORD", PASSWORD), ("SAMPHAN", program::PROGRAM), ("LC_ALL", "C.UTF-8")])
        .stdin(Stdio::null())
        .output()
        .expect("bash runs the commands of the documentation");
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let answers: Vec<String> = text.split(SEPARATOR).map(|part| part.lines().map(str::trim).collect()).collect();
    assert_eq!(answers.len(), steps.len() + 1, "every command ends: {text}\n{errors}");
    let mut found: Vec<String> = steps
        .iter()
        .zip(&answers)
        .filter(|(step, answer)| !step.answer.is_empty() && !is_as_shown(answer, &step.answer))
        .map(|(step, answer)| format!("{}shown:    {}\nanswered: {answer}\n", step.commands, step.answer))
        .collect();
    if !errors.is_empty() {
        found.push(errors);
    }
    found
}

async fn commands_on_the_pages_give_the_answers_shown(app: App) {
    assert_eq!(ADMIN, "admin@example.com", "the pages sign in as this user");
    let curl = Command::new("curl").arg("--version").output();
    assert!(
        curl.is_ok_and(|curl| curl.status.success()),
        "the commands of the documentation need curl: install it (Debian: apt-get install curl)"
    );
    let pages = pages();
    let sign_in = sign_in(&pages);
    let executed = pages.iter().filter(|(name, text)| !name.starts_with("openapi/") && text.contains("```sh\n"));
    let names: BTreeSet<&str> = executed.clone().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains("README.md") && names.contains("docs/tutorial.md") && names.contains("docs/connect-accounting.md"), "{names:?}");
    let demo = Database::fresh(app.kind());
    App::on(&demo).demo_company().await;
    let demo = demo.left();
    for (name, text) in executed {
        let database = demo.copy();
        let server = App::on(&database);
        let start = if text.contains("/v1/auth/sign-in") { "" } else { &sign_in };
        let found = differences(&server.url, start, text);
        assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
    }
}

#[test]
fn shown_answers_are_compared_part_by_part() {
    assert!(is_as_shown("{\"a\":1,\"b\":2}", "{\"a\":1,…}"));
    assert!(is_as_shown("{\"a\":1}", "{\"a\":1}") && is_as_shown("abc", "…b…"));
    assert!(!is_as_shown("{\"a\":1,\"b\":2}", "{\"a\":1}") && !is_as_shown("abc", "…b") && !is_as_shown("abc", "b…"));
}

/// The anchor that a heading has when it is shown: what it says in small letters, with hyphens.
fn anchor(heading: &str) -> String {
    let said = heading.trim_start_matches('#').trim().to_lowercase();
    said.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
    let named = text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    headings.chain(named).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let pages = pages();
    let mut dead = vec![];
    for (name, text) in &pages {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with("mailto:") || target.contains(char::is_whitespace) {
                continue;
            }
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { Path::new(ROOT).join(name) } else { Path::new(ROOT).join(name).parent().unwrap().join(file) };
            let is_there = path.exists();
            let has_place = place.is_empty() || std::fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(place));
            if !is_there || !has_place {
                dead.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// What stands in code: fenced blocks and the text between backticks.
fn code(text: &str) -> Vec<&str> {
    let mut found = vec![];
    let mut is_fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced {
            found.push(line);
        } else {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// What a command line asks the program for that it does not know.
fn unknown_words(line: &str) -> Option<String> {
    let cli = Cli::command();
    let mut command = &cli;
    let mut is_option = false;
    for word in line.split_whitespace() {
        if ["|", "&&", ";", "\\", "#", ">"].contains(&word) || word.starts_with('#') {
            break;
        }
        if let Some(option) = word.strip_prefix("--") {
            let option = option.split(['=', ',', ')', ']', '}']).next().unwrap_or_default();
            // `--` alone ends the options of cargo.
            if option.is_empty() {
                continue;
            }
            let is_known = ["help", "version"].contains(&option) || command.get_arguments().any(|a| a.get_long() == Some(option));
            if !is_known {
                return Some(format!("--{option}"));
            }
            is_option = true;
        } else if !is_option && command.has_subcommands() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            match command.find_subcommand(word) {
                Some(next) => command = next,
                None => return Some(word.to_owned()),
            }
        } else {
            is_option = true;
        }
    }
    None
}

#[test]
fn every_command_and_variable_named_exists() {
    let mut variables: BTreeSet<String> = DEVELOPMENT_VARIABLES.map(str::to_owned).into();
    let mut commands = vec![Cli::command()];
    while let Some(command) = commands.pop() {
        variables.extend(command.get_arguments().filter_map(|a| a.get_env()?.to_str().map(str::to_owned)));
        commands.extend(command.get_subcommands().cloned());
    }
    let mut unknown = vec![];
    for (name, text) in &pages() {
        for line in code(text) {
            // The program is named after a blank or at the beginning; a path that ends with its name is something else.
            let places = line.match_indices("samphan ").filter(|(at, _)| line[..*at].ends_with(' ') || *at == 0);
            for (at, name_of_program) in places {
                let part = &line[at + name_of_program.len()..];
                unknown.extend(unknown_words(part).map(|word| format!("{name}: `{word}` of `{line}`")));
            }
        }
        for rest in text.split("SAMPHAN_").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(rest.len());
            let variable = format!("SAMPHAN_{}", &rest[..end]);
            if !variables.contains(&variable) && end > 0 && !rest[end..].starts_with('*') {
                unknown.push(format!("{name}: {variable}"));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn the_monitoring_page_lists_every_metric() {
    let metrics = Metrics::default();
    metrics.end("listAccounts", 200, 0.01);
    metrics.deleted("sessions", 1);
    metrics.jobs(&Counts { jobs: vec![("kind".to_owned(), "queued".to_owned(), 1)], oldest_queued_seconds: 1 });
    let text = metrics.text();
    let exported: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    let page = std::fs::read_to_string(format!("{ROOT}/docs/operations/monitoring.md")).unwrap();
    let listed: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `samphan_").map(|_| line))
        .filter_map(|line| line.split(['`', '{']).nth(1))
        .collect();
    assert_eq!(listed, exported);
}

#[test]
fn the_configuration_page_is_what_the_program_prints() {
    let page = std::fs::read_to_string(format!("{ROOT}/docs/operations/configuration.md")).unwrap();
    let printed = program::output(&["configuration"]).stdout;
    assert!(page == String::from_utf8(printed).unwrap(), "docs/operations/configuration.md is not what the program prints: make docs");
}

#[test]
fn every_decision_has_one_place() {
    let mut places: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (name, text) in pages().into_iter().filter(|(name, _)| name.starts_with("docs/decisions/")) {
        for number in text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()) {
            places.entry(number).or_default().push(name.clone());
        }
    }
    // From here on topics take their numbers ten at a time, so some may be missing.
    const LAST_IN_A_ROW: u32 = 178;
    let missing: Vec<_> = (1..=LAST_IN_A_ROW).filter(|number| !places.contains_key(number)).collect();
    let twice: Vec<_> = places.iter().filter(|(_, at)| at.len() != 1).collect();
    assert!(missing.is_empty() && twice.is_empty(), "missing: {missing:?}; in two places: {twice:?}");
}

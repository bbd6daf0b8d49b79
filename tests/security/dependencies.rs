//! What others wrote and comes in: under licences that are allowed, from the registry, each named by its checksum. What is allowed stands in
//! `deny.toml`, for `cargo deny` where it is installed; known holes it looks up in a database on the network, which the tests do not reach.

use serde_json::Value;
use std::{collections::BTreeSet, process::Command};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Everything this workspace is built of on this machine: what other systems need is not there to be looked at.
fn packages() -> Vec<Value> {
    let compiler = Command::new("rustc").arg("-vV").output().unwrap();
    let compiler = String::from_utf8(compiler.stdout).unwrap();
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .args(["--manifest-path", &format!("{ROOT}/Cargo.toml")])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The list of a setting of `deny.toml`.
fn listed(setting: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(format!("{ROOT}/deny.toml")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(setting)?.trim_start().strip_prefix('=')).expect("it is set");
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression can be met by what is allowed: any of what `OR` joins, all of what `AND` does.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = any(&mut rest, allowed);
    met && rest.is_empty()
}

fn any(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = all(rest, allowed);
    while let ["OR", more @ ..] = *rest {
        *rest = more;
        met |= all(rest, allowed);
    }
    met
}

fn all(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = one(rest, allowed);
    while let ["AND", more @ ..] = *rest {
        *rest = more;
        met &= one(rest, allowed);
    }
    met
}

fn one(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    match *rest {
        ["(", more @ ..] => {
            *rest = more;
            let met = any(rest, allowed);
            *rest = rest.strip_prefix(&[")"]).expect("a closing parenthesis");
            met
        }
        // An exception only ever allows more.
        [name, "WITH", _, more @ ..] | [name, more @ ..] => {
            *rest = more;
            allowed.contains(*name)
        }
        [] => false,
    }
}

#[test]
fn licences_are_read_as_spdx_says() {
    let allowed = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned).into();
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT/GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("GPL-3.0 AND (MIT OR ISC)", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed_and_comes_from_the_registry() {
    let allowed = listed("allow");
    let packages = packages();
    assert!(packages.len() > 200 && allowed.contains("MIT"), "{}", packages.len());
    let foreign: Vec<&Value> = packages.iter().filter(|package| !package["source"].is_null()).collect();
    let licence = |package: &&&Value| !is_met(package["license"].as_str().unwrap_or_default(), &allowed);
    let bad: Vec<String> = foreign.iter().filter(licence).map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"])).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    let elsewhere: BTreeSet<&str> =
        foreign.iter().filter_map(|p| p["source"].as_str()).filter(|source| !source.starts_with("registry+")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    let lock = std::fs::read_to_string(format!("{ROOT}/Cargo.lock")).unwrap();
    let (sources, checksums) = (lock.matches("\nsource = ").count(), lock.matches("\nchecksum = ").count());
    assert_eq!(sources, checksums, "each is named by its checksum");
}

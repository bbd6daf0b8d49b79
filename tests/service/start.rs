//! What the program prints when it starts: where it is, where its data is, and a sign-in that works as pasted.

use crate::support::{app::client, program::serving, *};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// Starts a program on an empty embedded database and answers what it prints, up to the sign-in line.
fn printed(program: &mut Command, lines: usize) -> (std::process::Child, Vec<String>) {
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let read = BufReader::new(child.stdout.take().unwrap()).lines().take(lines).map(Result::unwrap).collect();
    (child, read)
}

/// What the shell gives `curl` when it runs a line.
fn pasted(line: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}; {line}");
    let mut shell = Command::new("/bin/sh");
    let output = shell.env_clear().envs(environment.iter().copied()).args(["-c", &script]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn printed_sign_in_works_as_pasted() {
    for password in [None, Some("a password of my own")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samphan.db");
        let mut program = serving(&format!("sqlite://{}", path.display()), &["--admin-email", "o'neil@example.com"]);
        program.envs(password.map(|password| ("SAMPHAN_ADMIN_PASSWORD", password)));
        let (mut child, lines) = printed(&mut program, 6);
        let said = lines.join("\n");
        assert!(said.contains(&path.display().to_string()) && said.contains("to start over"), "{said}");
        let curl = lines.iter().map(|line| line.trim()).find(|line| line.starts_with("curl ")).unwrap_or_else(|| panic!("{said}"));
        let environment: Vec<_> = password.map(|password| ("SAMPHAN_ADMIN_PASSWORD", password)).into_iter().collect();
        let words = pasted(curl, &environment);
        let url = words.iter().find(|word| word.starts_with("http://")).unwrap();
        let body = words.last().unwrap();
        let sent: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {body}"));
        // A random password is printed once, so that it stands in one place of a log.
        let random = sent["password"].as_str().unwrap();
        assert_eq!(said.matches(random).count(), usize::from(password.is_none()), "{said}");
        let status = app::wait(async {
            let request = client().post(url.as_str()).header("content-type", "application/json").body(body.clone());
            request.send().await.unwrap().status()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(status, 200, "{said}");

        // Started again, it says where the data is, and nothing of a password it does not know.
        let (mut child, lines) = printed(&mut serving(&format!("sqlite://{}", path.display()), &[]), 3);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(lines.iter().any(|line| line.contains(&path.display().to_string())) && !lines.join("").contains("curl"), "{lines:?}");
    }
}

//! What operators start the program with: the manifest for Cloud Foundry, the unit for systemd, the file for images.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, ensure};
use sandbox::{Client, wait_for};
use saphyr::{LoadableYamlNode, Yaml};

use crate::house::{BOUND, House, program};

/// What Cloud Controller knows of an application and of a process in version 1 of its manifests, as far as it is used.
const OF_APPLICATION: [&str; 8] =
    ["name", "path", "stack", "buildpacks", "services", "routes", "processes", "env"];
const OF_PROCESS: [&str; 15] = [
    "type",
    "command",
    "instances",
    "memory",
    "disk_quota",
    "log-rate-limit-per-second",
    "timeout",
    "health-check-type",
    "health-check-http-endpoint",
    "health-check-invocation-timeout",
    "health-check-interval",
    "readiness-health-check-type",
    "readiness-health-check-http-endpoint",
    "readiness-health-check-invocation-timeout",
    "readiness-health-check-interval",
];

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(file(path)).with_context(|| path.to_owned())
}

/// The one application of the manifest.
struct Manifest<'a>(Yaml<'a>);

impl<'a> Manifest<'a> {
    fn parse(text: &'a str) -> anyhow::Result<Self> {
        let mut documents = Yaml::load_from_str(text)?;
        ensure!(documents.len() == 1 && documents[0]["version"].as_integer() == Some(1), "{documents:?}");
        let applications = documents.remove(0)["applications"].clone();
        ensure!(applications.as_vec().is_some_and(|all| all.len() == 1), "{applications:?}");
        Ok(Self(applications[0].clone()))
    }

    fn web(&self) -> &Yaml<'a> {
        &self.0["processes"][0]
    }

    fn environment(&self) -> Vec<(String, String)> {
        pairs(&self.0["env"])
            .into_iter()
            .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
            .collect()
    }
}

fn pairs<'a, 'b>(mapping: &'b Yaml<'a>) -> Vec<(String, &'b Yaml<'a>)> {
    let pairs = mapping.as_mapping().unwrap().iter();
    pairs.map(|(key, value)| (key.as_str().unwrap().to_owned(), value)).collect()
}

/// Whether Cloud Controller takes it for an amount of bytes.
fn is_amount(value: &Yaml<'_>) -> bool {
    let text = value.as_str().unwrap_or_default();
    let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    unit.len() < text.len()
        && ["B", "K", "KB", "M", "MB", "G", "GB", "T", "TB"].contains(&unit.to_ascii_uppercase().as_str())
}

/// What comes from the file of variables: the names between double parentheses.
fn variables(text: &str) -> BTreeSet<&str> {
    text.split("((").skip(1).filter_map(|rest| Some(rest.split_once("))")?.0)).collect()
}

fn unknown(mapping: &Yaml<'_>, known: &[&str]) -> Vec<String> {
    pairs(mapping).into_iter().map(|(key, _)| key).filter(|key| !known.contains(&key.as_str())).collect()
}

#[test]
fn the_manifest_says_what_the_platform_understands() -> anyhow::Result<()> {
    let text = read("bins/cdn-broker/manifest.yml")?;
    let manifest = Manifest::parse(&text)?;
    let (application, web) = (&manifest.0, manifest.web());
    assert_eq!(unknown(application, &OF_APPLICATION), Vec::<String>::new());
    assert_eq!(unknown(web, &OF_PROCESS), Vec::<String>::new());
    assert_eq!(application["buildpacks"][0].as_str(), Some("binary_buildpack"));
    assert_eq!(web["type"].as_str(), Some("web"));
    assert!(web["instances"].as_integer().is_some_and(|count| count > 1), "one instance is none at times");
    // `make release` makes that folder, and the buildpack changes nothing in it.
    assert_eq!(application["path"].as_str(), Some("../../target/package"));
    let put = "install -m 0755 \"$target/release/cdn-broker\" \"$target/package/\"";
    assert!(read("scripts/release")?.contains(put));
    Ok(())
}

#[test]
fn the_manifest_has_values_that_the_platform_takes() -> anyhow::Result<()> {
    let text = read("bins/cdn-broker/manifest.yml")?;
    let manifest = Manifest::parse(&text)?;
    let web = manifest.web();
    for key in ["memory", "disk_quota", "log-rate-limit-per-second"] {
        assert!(is_amount(&web[key]), "{key}: {:?}", web[key]);
    }
    for kind in ["", "readiness-"] {
        let key = |rest: &str| &web[format!("{kind}health-check-{rest}").as_str()];
        assert_eq!(key("type").as_str(), Some("http"));
        assert!(key("http-endpoint").as_str().is_some_and(|path| path.starts_with('/')));
        let (patience, interval) = (key("invocation-timeout").as_integer(), key("interval").as_integer());
        assert!(patience >= Some(1) && interval >= Some(1), "{patience:?} {interval:?}");
    }
    // Its default for `maximum_health_check_timeout`.
    assert!(web["timeout"].as_integer().is_some_and(|seconds| (1..=180).contains(&seconds)));
    // Shells that only wait for a program do not pass SIGTERM on.
    assert!(web["command"].as_str().is_some_and(|command| command.starts_with("exec ./cdn-broker ")));
    Ok(())
}

/// `cf push` refuses a file of variables in which one is missing.
#[test]
fn the_file_of_variables_that_is_shown_is_whole() -> anyhow::Result<()> {
    let (text, shown) = (read("bins/cdn-broker/manifest.yml")?, read("docs/OPERATIONS.md")?);
    // Comments may speak of them too.
    let lines: String = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let example = shown.split("```yaml").find(|block| block.contains("broker_password:"));
    let example = example.and_then(|block| block.split("```").next()).context("no example")?;
    let names: BTreeSet<&str> =
        example.lines().filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
    assert_eq!(names, variables(&lines));
    Ok(())
}

#[test]
fn the_manifest_names_variables_that_there_are_and_no_secret() -> anyhow::Result<()> {
    let (text, known) = (read("bins/cdn-broker/manifest.yml")?, read("docs/CONFIGURATION.md")?);
    for (name, value) in Manifest::parse(&text)?.environment() {
        assert!(known.contains(&format!("`{name}`")), "docs/CONFIGURATION.md does not know {name}");
        let secret = ["PASSWORD", "KEY", "SECRET"].iter().any(|word| name.contains(word));
        assert!(!secret || value.starts_with("((") && value.ends_with("))"), "{name} stands in the manifest");
    }
    Ok(())
}

/// Its command, as the platform gives it to a shell, in a folder with the binary alone and with its variables, starts a broker
/// whose two checks answer, and which stops when it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_manifest_starts_answers_both_of_its_checks() -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    let settings = house.settings()?;
    let text = read("bins/cdn-broker/manifest.yml")?;
    let manifest = Manifest::parse(&text)?;
    let pushed = tempfile::tempdir()?;
    std::os::unix::fs::symlink(program("cdn-broker")?, pushed.path().join("cdn-broker"))?;

    // What the platform and the laboratory give goes first, as a bound database does; then what the manifest says.
    let given = house.sandbox.broker_environment(&settings);
    let laboratory = |name: &str| given.iter().any(|(other, _)| other == name);
    let says = manifest.environment().into_iter().filter(|(name, _)| !laboratory(name));
    let says = says.map(|(name, value)| (name, value.replace("((host))", "cdn-broker.example.net")));
    let mut command = tokio::process::Command::new("bash");
    command.arg("-c").arg(manifest.web()["command"].as_str().context("no command")?);
    command.current_dir(pushed.path()).env_clear().envs(given.clone()).envs(says).kill_on_drop(true);
    let mut broker = command.stderr(std::process::Stdio::null()).spawn()?;

    let client = Client::trusting("")?;
    for kind in ["", "readiness-"] {
        let endpoint = manifest.web()[format!("{kind}health-check-http-endpoint").as_str()].as_str();
        let url = format!("http://127.0.0.1:{}{}", settings.port, endpoint.context("no endpoint")?);
        wait_for(&format!("{url} to answer"), BOUND, || async {
            Ok(client.get(&url).await.ok().filter(|answer| answer.status() == 200))
        })
        .await?;
    }
    let process = broker.id().context("it has ended")?.to_string();
    ensure!(Command::new("kill").args(["-TERM", &process]).status()?.success());
    let ended = tokio::time::timeout(BOUND, broker.wait()).await??;
    assert!(ended.success(), "{ended}");
    Ok(())
}

/// What `systemd-analyze` finds is in `make full`; here is what may never go.
#[test]
fn the_unit_runs_without_rights_and_waits_for_the_drain() -> anyhow::Result<()> {
    let unit = read("bins/cdn-broker/deploy/cdn-broker.service")?;
    for line in [
        "ExecStart=/usr/local/bin/cdn-broker serve",
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "MemoryDenyWriteExecute=yes",
        "TimeoutStopSec=15",
        "RestartPreventExitStatus=64",
    ] {
        assert!(unit.lines().any(|written| written == line), "`{line}` is not in the unit");
    }
    Ok(())
}

#[test]
fn the_image_holds_what_was_released_and_runs_as_nobody() -> anyhow::Result<()> {
    let text = read("bins/cdn-broker/deploy/Containerfile")?;
    let argument = |word: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        found.with_context(|| format!("no {word}"))
    };
    let copied: Vec<&str> = argument("COPY")?.split(' ').collect();
    let ["--chmod=0755", "cdn-broker", place] = copied[..] else { anyhow::bail!("{copied:?}") };
    assert_eq!(argument("ENTRYPOINT")?, format!("[\"{place}\"]"));
    assert_eq!(argument("CMD")?, "[\"serve\"]");
    let user = argument("USER")?.split(':').map(str::parse::<u32>).collect::<Result<Vec<_>, _>>()?;
    assert!(user.iter().all(|&id| id > 0), "{user:?}");
    Ok(())
}

fn self_contained(binary: &Path) -> anyhow::Result<Output> {
    Ok(Command::new(file("scripts/self-contained")).arg(binary).output()?)
}

fn compiled(folder: &Path, code: &str, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let (source, binary) = (folder.join("program.c"), folder.join("program"));
    std::fs::write(&source, code)?;
    let compiled = Command::new("cc").arg("-o").arg(&binary).arg(&source).args(arguments).status()?;
    ensure!(compiled.success(), "cc has failed");
    Ok(binary)
}

#[test]
fn a_binary_that_needs_more_than_glibc_is_found_out() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let plain = "int main(void) { return 0; }";
    let newer = "extern void *newer(void); __asm__(\".symver newer,arc4random@GLIBC_2.36\");\n\
                 int main(void) { return newer() == 0; }";
    for (code, arguments, wrong) in [
        (plain, &["-s"][..], None),
        (plain, &[], Some("is not stripped")),
        (plain, &["-s", "-static"], Some("needs no shared library at all")),
        (plain, &["-s", "-Wl,--no-as-needed", "-lcrypto"], Some("needs the shared library libcrypto.so")),
        (newer, &["-s"], Some("needs glibc 2.36 for arc4random")),
    ] {
        let output = self_contained(&compiled(folder.path(), code, arguments)?)?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.success(), wrong.is_none(), "{arguments:?}: {said}");
        assert!(said.contains(wrong.unwrap_or_default()), "{arguments:?}: {said}");
    }
    Ok(())
}
